"""Nested logit: published results, theorems, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design
from welfare_analysis.estimation.choice import logit, nested_logit
from welfare_analysis.estimation.choice.nested import evaluated

NAMES = {"case": "case", "alternative": "mode"}
TRAVEL = "chosen ~ C(mode, contr.treatment('car')) + gcost + wait + air_income"
MODES = {"case": "individual", "alternative": "mode", "nests": {"fly": ["air"], "ground": ["train", "bus", "car"]}}
CARDS = "chosen ~ C(mode) + cost + time"
PAIRS = {"first": ["a", "b"], "second": ["c", "d"]}


def correlated(seed: int, lam: float, n: int = 1500) -> pd.DataFrame:
    """Choices among a (alone) and b, c (a nest of dissimilarity lam), by drawing from the nested probabilities."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)) * 1.5
    v = x + np.array([0, 0.4, -0.3])
    inclusive = np.logaddexp(v[:, 1] / lam, v[:, 2] / lam)
    inside = 1 / (1 + np.exp((v[:, 2] - v[:, 1]) / lam))
    pair = 1 / (1 + np.exp(v[:, 0] - lam * inclusive))
    u = rng.random((n, 2))
    pick = np.where(u[:, 0] > pair, 0, np.where(u[:, 1] < inside, 1, 2))
    frame = pd.DataFrame({"case": np.repeat(np.arange(n), 3), "mode": np.tile(list("abc"), n), "x": x.ravel()})
    return frame.assign(chosen=(pick[:, None] == np.arange(3)).ravel())


def test_travel_mode_in_units_of_utility(travel):
    """Log-likelihood and lambda of mlogit; the nest of one alternative has lambda 1, and the result says so."""
    fit = nested_logit(None, travel, TRAVEL, **MODES)
    assert fit.log_likelihood == pytest.approx(-194.943940, abs=1e-6)
    assert fit.value.index[-1] == "lambda[ground]"
    assert fit.value.iloc[-1] == pytest.approx(0.517081, abs=6e-7)
    assert (fit.fixed, fit.blocked, fit.boundary) == (("fly",), "", ())
    assert fit.interval()["valid"].all()


def test_travel_mode_in_greenes_scale(travel):
    """Greene's table: log-likelihood and two inclusive values; refused for all that needs a utility."""
    fit = nested_logit(None, travel, TRAVEL, **MODES, scale="greene")
    assert fit.log_likelihood == pytest.approx(-193.65615, abs=6e-6)
    np.testing.assert_allclose(fit.value[["lambda[fly]", "lambda[ground]"]], [0.58601, 0.38896], atol=6e-6)
    assert "greene" in fit.blocked
    assert fit.fixed == ()


def test_swissmetro(swissmetro):
    """Log-likelihood and mu, one over lambda, of Biogeme's example."""
    formula = "chosen ~ C(mode, contr.treatment('sm')) + time + cost"
    fit = nested_logit(None, swissmetro, formula, **NAMES, nests={"old": ["train", "car"]})
    assert fit.log_likelihood == pytest.approx(-5236.900014, abs=6e-7)
    assert 1 / fit.value["lambda[old]"] == pytest.approx(2.05406, abs=6e-6)


@pytest.mark.parametrize("how", [{}, {"same_scale": True}, {"scale": "greene"}])
def test_gradient_and_information_are_derivatives(cards, how):
    """Gradient and information are central differences, with weights and choice sets that differ."""
    f = cards(1)
    design = Design(pd.Series(np.random.default_rng(1).uniform(1, 3, 40), index=np.arange(500, 540)))
    fit = nested_logit(design, f, CARDS, **NAMES, nests=PAIRS, person="person", **how)
    theta, h = fit.value.to_numpy() * 0.9 + 0.05, 1e-5
    at = evaluated(fit.tree, theta)
    scores = at.scores
    up, down = ([evaluated(fit.tree, theta + s * h * e) for e in np.eye(len(theta))] for s in (1, -1))
    slope = [(a.value - b.value) / 2 / h for a, b in zip(up, down, strict=True)]
    bend = [(b.gradient - a.gradient) / 2 / h for a, b in zip(up, down, strict=True)]
    np.testing.assert_allclose(at.gradient, slope, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(at.information, bend, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(fit.cases.weights @ scores, at.gradient, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(design.weights @ fit.scores, 0, atol=1e-6)


def test_influence_is_the_derivative_by_weight():
    """The influence of a case is what a little more weight of it moves each value, lambda too."""
    f, w, h = correlated(1, 0.5, 300), np.random.default_rng(1).uniform(1, 3, 300), 1e-3
    fit = nested_logit(Design(w), f, "chosen ~ C(mode) + x", **NAMES, nests={"pair": ["b", "c"]})
    up, down = (
        nested_logit(
            Design(w + s * h * (np.arange(300) == 5)), f, "chosen ~ C(mode) + x", **NAMES, nests={"pair": ["b", "c"]}
        ).value
        for s in (1, -1)
    )
    np.testing.assert_allclose(fit.influence.toarray()[5], (up - down) / (2 * h), rtol=1e-5, atol=1e-9)


def test_at_lambda_one_it_is_the_logit(cards):
    """With lambda 1 the log-likelihood, its gradient and the probabilities are the logit's."""
    f = cards(1)
    flat = logit(None, f, CARDS, **NAMES)
    fit = nested_logit(None, f, CARDS, **NAMES, nests=PAIRS)
    theta = np.append(flat.value, [1, 1])
    at = evaluated(fit.tree, theta)
    assert at.value == pytest.approx(flat.log_likelihood, rel=1e-13)
    np.testing.assert_allclose(at.gradient[:-2], 0, atol=1e-9)
    np.testing.assert_allclose(at.information[:-2, :-2], flat.information, rtol=1e-10, atol=1e-10)
    for got, expected in zip(fit.predict(theta=theta), flat.predict(), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_likelihood_ratio_is_not_negative(cards, seed):
    """Two lambdas fit no worse than one, and one no worse than the logit; probabilities add up to one."""
    f = cards(seed)
    two, one = (nested_logit(None, f, CARDS, **NAMES, nests=PAIRS, same_scale=s) for s in (False, True))
    assert two.log_likelihood >= one.log_likelihood - 1e-9
    assert one.log_likelihood >= logit(None, f, CARDS, **NAMES).log_likelihood - 1e-9
    p, _ = two.predict()
    np.testing.assert_allclose(np.add.reduceat(p, two.cases.start), 1, rtol=1e-12)
    assert two.log_likelihood == pytest.approx(np.log(p[two.cases.chosen]).sum(), rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_what_changes_nothing(cards, seed):
    """Order of rows, names of alternatives and a constant in every utility leave values and errors alone."""
    f = cards(seed)
    fit = nested_logit(None, f, CARDS, **NAMES, nests=PAIRS)
    renamed = f.assign(mode=f["mode"].map(dict(zip("abcd", "pqrs", strict=True))))
    same = [
        nested_logit(None, f.sample(frac=1, random_state=seed), CARDS, **NAMES, nests=PAIRS),
        nested_logit(None, renamed, CARDS, **NAMES, nests={"first": ["q", "p"], "second": ["r", "s"]}),
        nested_logit(None, f.assign(cost=f["cost"] + f["income"]), CARDS, **NAMES, nests=PAIRS),
    ]
    for other in same:
        np.testing.assert_allclose(other.value, fit.value, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(other.se, fit.se, rtol=1e-6)


def test_lambda_is_recovered():
    """From 8,000 choices drawn with lambda 0.4, all values are within three standard errors of the truth."""
    fit = nested_logit(None, correlated(2, 0.4, 8000), "chosen ~ C(mode) + x", **NAMES, nests={"pair": ["b", "c"]})
    assert (np.abs(fit.value - [0.4, -0.3, 1, 0.4]) < 3 * fit.se).all()
    assert (fit.se < 0.07).all()


def test_lambda_above_one_is_blocked():
    """A lambda above 1 is given, its interval is not valid, and money and welfare are refused."""
    fit = nested_logit(None, correlated(1, 1.6), "chosen ~ C(mode) + x", **NAMES, nests={"pair": ["b", "c"]})
    assert fit.value["lambda[pair]"] > 1
    assert "lambda[pair] = " in fit.blocked
    assert fit.boundary == ("lambda[pair]",)
    assert fit.interval()["valid"].tolist() == [True, True, True, False]


def test_lambda_that_goes_to_zero_is_told():
    """Where all of a nest choose its best by far, lambda has no maximum above 0, and the error names it."""
    f = correlated(0, 0.02, 300)
    with pytest.raises(WelfareError, match=r"no maximum was found; got 'lambda\[pair\]: "):
        nested_logit(None, f, "chosen ~ C(mode) + x", **NAMES, nests={"pair": ["b", "c"]})


@pytest.mark.parametrize(
    ("nests", "more", "message"),
    [
        ({"one": ["a", "b"], "two": ["b", "c"]}, {}, r"nests overlap, or name what is no alternative; got \['b'\]"),
        ({"one": ["a", "z"]}, {}, r"got \['z'\]"),
        ({"one": ["a"]}, {}, "no nest has two alternatives"),
        (PAIRS, {"scale": "other"}, "unknown scale; got 'other'"),
    ],
)
def test_faults_are_told(cards, nests, more, message):
    """Nests that overlap or name nothing are errors."""
    with pytest.raises(WelfareError, match=message):
        nested_logit(None, cards(1), CARDS, **NAMES, nests=nests, **more)
