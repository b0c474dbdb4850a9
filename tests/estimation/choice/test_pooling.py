"""Stated and revealed choices pooled, each with its scale."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design
from welfare_analysis.estimation.choice import logit, pooled_logit, predicted_shares
from welfare_analysis.estimation.choice.nested import evaluated

NAMES = {"case": "case", "alternative": "mode"}
POOL = {**NAMES, "source": "source", "reference": "revealed"}
FORMULA = "chosen ~ C(mode):C(source) + cost + time"


def answers(seed: int, scale: float, n: int = 3000) -> pd.DataFrame:
    """One revealed and two stated choices a person, constants that differ by source, stated ones scaled."""
    rng = np.random.default_rng(seed)
    stated = np.arange(n) % 3 > 0
    x = rng.normal(size=(n, 3, 2))
    v = x @ np.array([-1, 0.6]) + np.where(stated[:, None], [0, -0.4, 0.2], [0, 0.5, -0.3])
    u = np.where(stated, scale, 1)[:, None] * v + rng.gumbel(size=(n, 3))
    frame = pd.DataFrame({"case": np.repeat(np.arange(n), 3), "mode": np.tile(list("abc"), n)})
    frame[["cost", "time"]] = x.reshape(-1, 2)
    frame["person"], frame["source"] = frame["case"] // 3, np.repeat(np.where(stated, "stated", "revealed"), 3)
    return frame.assign(chosen=(u == u.max(axis=1, keepdims=True)).ravel())


def test_scale_is_recovered():
    """From 9,000 choices all values are within three standard errors of the truth; the scale comes last."""
    fit = pooled_logit(None, answers(1, 0.5, 9000), FORMULA, **POOL, person="person")
    assert fit.value.index[-1] == "scale[stated]"
    order = ["cost", "time", *(f"C(mode)[T.{m}]:C(source)[{s}]" for s in ("revealed", "stated") for m in "bc")]
    truth = pd.Series([-1, 0.6, 0.5, -0.3, -0.4, 0.2, 0.5], index=[*order, "scale[stated]"])
    assert (np.abs(fit.value - truth[fit.value.index]) < 3 * fit.se).all()
    assert (fit.se < 0.1).all()
    assert (fit.n_cases, fit.n_persons) == (9000, 3000)


def test_scale_of_one_is_the_logit():
    """At scale 1 the log-likelihood, its gradient and the probabilities are those of the logit of all answers."""
    f = answers(2, 0.7)
    flat, fit = logit(None, f, FORMULA, **NAMES), pooled_logit(None, f, FORMULA, **POOL)
    theta = np.append(flat.value, 1)
    at, _ = evaluated(fit.tree, theta)
    assert at.value == pytest.approx(flat.log_likelihood, rel=1e-13)
    np.testing.assert_allclose(at.gradient[:-1], 0, atol=1e-8)
    np.testing.assert_allclose(fit.predict(theta=theta)[0], flat.predict()[0], rtol=1e-12)
    assert fit.log_likelihood > flat.log_likelihood


def test_gradient_and_information_are_derivatives():
    """Gradient and information are central differences, with weights."""
    design = Design(np.random.default_rng(1).uniform(1, 3, 200))
    fit = pooled_logit(design, answers(3, 0.6, 600), FORMULA, **POOL, person="person")
    theta, h = fit.value.to_numpy() * 0.9, 1e-5
    at = evaluated(fit.tree, theta)[0]
    up, down = ([evaluated(fit.tree, theta + s * h * e)[0] for e in np.eye(len(theta))] for s in (1, -1))
    slope = [(a.value - b.value) / 2 / h for a, b in zip(up, down, strict=True)]
    bend = [(b.gradient - a.gradient) / 2 / h for a, b in zip(up, down, strict=True)]
    np.testing.assert_allclose(at.gradient, slope, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(at.information, bend, rtol=1e-6, atol=1e-4)


def test_with_all_constants_free_it_is_two_logits():
    """One attribute with constants by source: the scale is the ratio of the coefficients of two logits."""
    f = answers(4, 0.5)
    fit = pooled_logit(None, f, "chosen ~ C(mode):C(source) + cost", **POOL)
    alone = {s: logit(None, part, "chosen ~ C(mode) + cost", **NAMES) for s, part in f.groupby("source")}
    assert fit.value["cost"] == pytest.approx(alone["revealed"].value["cost"], rel=1e-7)
    ratio = alone["stated"].value["cost"] / alone["revealed"].value["cost"]
    assert fit.value["scale[stated]"] == pytest.approx(ratio, rel=1e-7)
    total = sum(one.log_likelihood for one in alone.values())
    assert fit.log_likelihood == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": lambda g: g["source"].where(g["mode"] != "a", "other")}, "a case has two sources; got 'case 0'"),
        ({"source": "stated"}, "the sources do not fit"),
        ({"source": lambda g: g["source"].replace("revealed", "seen")}, "the sources do not fit"),
        ({"source": None}, "sources are missing"),
    ],
)
def test_faults_are_told(change, message):
    """A case has one source, and the reference is one of several."""
    with pytest.raises(WelfareError, match=message):
        pooled_logit(None, answers(1, 0.5, 300).assign(**change), "chosen ~ C(mode) + cost", **POOL)


def test_a_forecast_is_on_the_scale_of_the_reference():
    """Shares of other people follow the revealed scale: derivatives are differences, and none is by the other scale."""
    fit = pooled_logit(None, answers(1, 0.5, 3000), FORMULA, **POOL, person="person")
    others = answers(8, 1.0, 300).assign(source="revealed").drop(columns="chosen")
    design = Design(np.random.default_rng(2).uniform(1, 3, 300))
    found = predicted_shares(fit, design, others)

    def shares(theta):
        utility = fit.value.copy()
        utility[:] = theta
        v = utility["cost"] * others["cost"] + utility["time"] * others["time"]
        for m in "bc":
            v += utility[f"C(mode)[T.{m}]:C(source)[revealed]"] * (others["mode"] == m)
        p = np.exp(v.to_numpy().reshape(300, 3))
        return design.weights @ (p / p.sum(axis=1, keepdims=True)) / design.weights.sum()

    theta, h = fit.value.to_numpy(), 1e-6
    np.testing.assert_allclose(found.value, shares(theta), rtol=1e-10)
    slopes = np.column_stack([(shares(theta + h * e) - shares(theta - h * e)) / 2 / h for e in np.eye(len(theta))])
    np.testing.assert_allclose(found.jacobian, slopes, atol=1e-7)
    assert (found.jacobian[:, -1] == 0).all()
