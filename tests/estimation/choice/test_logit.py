"""The logit: published results, theorems, and the design's covariance."""

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, logistic
from welfare_analysis.estimation.choice import choices, logit, mixed_logit, nested_logit
from welfare_analysis.estimation.choice.logit import likelihood, means, scores, softmax, spread

MODULE = importlib.import_module("welfare_analysis.estimation.choice.logit")
REFERENCE = Path(__file__).parents[3] / "data" / "reference"
NAMES = {"case": "case", "alternative": "mode"}
SWISS = "chosen ~ C(mode, contr.treatment('sm')) + time + cost"
CARDS = "chosen ~ C(mode) + cost + time + C(mode):income"


def test_travel_mode(travel):
    """Coefficients, errors and log-likelihood of Greene and Hensher's data as mlogit printed them, to six digits."""
    formula = "chosen ~ C(mode, contr.treatment('car')) + gcost + wait + air_income"
    fit = logit(None, travel, formula, case="individual", alternative="mode")
    printed = {
        "C(mode, contr.treatment('car'))[T.air]": (5.207433, 0.779055),
        "C(mode, contr.treatment('car'))[T.bus]": (3.163190, 0.450266),
        "C(mode, contr.treatment('car'))[T.train]": (3.869036, 0.443127),
        "gcost": (-0.015501, 0.004408),
        "wait": (-0.096125, 0.010440),
        "air_income": (0.013287, 0.010262),
    }
    value, se = np.array(list(printed.values())).T
    assert list(fit.value.index) == list(printed)
    np.testing.assert_allclose(fit.value, value, rtol=3e-6, atol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance("hessian"))), se, atol=6e-7)
    assert fit.log_likelihood == pytest.approx(-199.128369, abs=6e-7)
    assert fit.null_log_likelihood == pytest.approx(-210 * np.log(4), rel=1e-12)


def test_swissmetro(swissmetro):
    """Coefficients, the three kinds of standard error, log-likelihood and value of time of Biogeme's example."""
    fit = logit(None, swissmetro, SWISS, **NAMES)
    order = ["C(mode, contr.treatment('sm'))[T.train]", "C(mode, contr.treatment('sm'))[T.car]", "time", "cost"]
    np.testing.assert_allclose(fit.value[order], [-0.701187, -0.154633, -1.277859, -1.083790], atol=2e-6)
    hessian, robust = (np.sqrt(np.diag(fit.covariance(k).loc[order, order])) for k in ("hessian", "robust"))
    np.testing.assert_allclose(hessian, [0.0549, 0.0432, 0.0569, 0.0518], atol=6e-5)
    np.testing.assert_allclose(robust, [0.082562, 0.058163, 0.104254, 0.068225], atol=6e-7)
    np.testing.assert_allclose(fit.se[order], robust * np.sqrt(6768 / 6767), rtol=1e-9)
    assert fit.log_likelihood == pytest.approx(-5331.252007, abs=6e-7)
    assert (fit.n_cases, fit.cases.n_persons) == (6768, 6768)
    assert 60 * fit.value["time"] / fit.value["cost"] == pytest.approx(70.7, abs=0.05)


def test_answers_of_a_person_are_one_unit(swissmetro):
    """With persons, nine answers of each are one sampling unit: the error of time is four times the Hessian's."""
    fit = logit(None, swissmetro, SWISS, **NAMES, person="person")
    assert fit.se["time"] == pytest.approx(0.2379, abs=6e-5)
    assert fit.df.eq(751).all()
    by_case = Design(np.ones(6768), psu=swissmetro.groupby("case", sort=False)["person"].first())
    same = logit(by_case, swissmetro, SWISS, **NAMES)
    np.testing.assert_allclose(same.se, fit.se, rtol=1e-9)
    assert (fit.n_cases, fit.cases.n_persons) == (6768, 752)


@pytest.mark.parametrize("name", ["strat", "stratnf", "clus1", "clus1nf"])
def test_two_alternatives_with_weights_are_the_logistic_regression(apistrat, apiclus1, name):
    """A choice between yes and no is R's svyglm, in four designs, and our logistic regression to rounding."""
    f = apistrat if name.startswith("strat") else apiclus1
    plan = {"strata": f["stype"]} if name.startswith("strat") else {"psu": f["dnum"]}
    design = Design(f["pw"], **plan, fpc=None if name.endswith("nf") else f["fpc"])
    long = pd.concat([f.assign(answer=a, chosen=f["sw"] == (a == "yes"), school=f.index) for a in ("no", "yes")])
    formula = "chosen ~ C(answer) + C(answer):ell + C(answer):meals + C(answer):mobility"
    fit = logit(design, long, formula, case="school", alternative="answer")
    ours = logistic(design, f, "sw ~ ell + meals + mobility")
    np.testing.assert_allclose(fit.value, ours.value, rtol=1e-9)
    np.testing.assert_allclose(fit.se, ours.se, rtol=1e-9)
    r = pd.read_csv(REFERENCE / "survey_api.csv", index_col="key")["value"].astype(float)
    for got, label in zip(range(4), ("(Intercept)", "ell", "meals", "mobility"), strict=True):
        assert fit.value.iloc[got] == pytest.approx(r[f"{name}|logit|{label}.est"], rel=1e-7)
        assert fit.se.iloc[got] == pytest.approx(r[f"{name}|logit|{label}.se"], rel=5e-5)  # svyglm's own tolerance


def test_weighted_fit_is_that_of_xlogit(swissmetro):
    """With weights, coefficients and log-likelihood are those of xlogit, another program, to its tolerance."""
    xlogit = pytest.importorskip("xlogit")
    full = pd.MultiIndex.from_product([range(6768), ["car", "sm", "train"]], names=["case", "mode"])
    f = swissmetro.set_index(["case", "mode"]).reindex(full).reset_index()
    there = f["time"].notna()
    f = f.fillna({"time": 0, "cost": 0}).assign(chosen=f["chosen"].eq(True), car=1.0 * (f["mode"] == "car"))
    f["train"] = 1.0 * (f["mode"] == "train")
    w = np.random.default_rng(1).uniform(0.5, 2, 6768)
    names = ["car", "train", "time", "cost"]
    model = xlogit.MultinomialLogit()
    model.fit(
        f[names], f["chosen"], names, f["mode"], f["case"], avail=there, weights=np.repeat(w, 3), verbose=0, robust=True
    )
    fit = logit(Design(w), swissmetro.sort_values("case"), SWISS, **NAMES)
    np.testing.assert_allclose(fit.value, model.coeff_, rtol=2e-4)
    assert fit.log_likelihood == pytest.approx(model.loglikelihood, rel=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance("robust"))), model.stderr, rtol=1e-3)


def test_gradient_and_information_are_derivatives(cards):
    """Gradient and information are central differences of the log-likelihood; scores add up to the gradient."""
    c = choices(Design(np.random.default_rng(1).uniform(1, 3, 120)), cards(1), CARDS, **NAMES)
    beta, h = np.random.default_rng(2).normal(0, 0.3, len(c.names)), 1e-5
    at = likelihood(c, beta)
    up, down = ([likelihood(c, beta + s * h * e) for e in np.eye(len(beta))] for s in (1, -1))
    slope = [(a.value - b.value) / 2 / h for a, b in zip(up, down, strict=True)]
    bend = [(b.gradient - a.gradient) / 2 / h for a, b in zip(up, down, strict=True)]
    np.testing.assert_allclose(at.gradient, slope, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(at.information, bend, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(c.weights @ scores(c, beta), at.gradient, rtol=1e-10, atol=1e-10)


def test_influence_is_the_derivative_by_weight(cards):
    """The influence of a person is what a little more weight of hers moves each coefficient."""
    f, h = cards(1), 1e-4
    w = pd.Series(np.random.default_rng(1).uniform(1, 3, 40), index=np.arange(500, 540))
    fit = logit(Design(w), f, CARDS, **NAMES, person="person")
    for k in (0, 17):
        up, down = (
            logit(Design(w + s * h * (np.arange(40) == k)), f, CARDS, **NAMES, person="person").value for s in (1, -1)
        )
        np.testing.assert_allclose(fit.influence.toarray()[k], (up - down) / (2 * h), rtol=1e-5, atol=1e-9)


def test_at_the_maximum(cards):
    """Weighted scores add up to zero, probabilities to one, and with constants shares are met exactly."""
    design = Design(pd.Series(np.random.default_rng(1).uniform(1, 3, 40), index=np.arange(500, 540)))
    fit = logit(design, cards(1), CARDS, **NAMES, person="person")
    np.testing.assert_allclose(design.weights @ fit.scores, 0, atol=1e-9)
    p, logsum = fit.predict()
    c = fit.cases
    np.testing.assert_allclose(np.add.reduceat(p, c.start), 1, rtol=1e-13)
    v = c.x @ fit.value.to_numpy()
    np.testing.assert_allclose(logsum, np.log(np.add.reduceat(np.exp(v), c.start)), rtol=1e-12)
    predicted = np.bincount(c.alternative, np.repeat(c.weights, c.sizes) * p)
    np.testing.assert_allclose(predicted, np.bincount(c.alternative[c.chosen], c.weights), rtol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_what_changes_nothing(cards, seed):
    """Order of rows, names, a constant in every utility, and the scale of weights leave values and errors alone."""
    f, rng = cards(seed), np.random.default_rng(seed)
    w = pd.Series(rng.uniform(1, 3, 40), index=np.arange(500, 540))
    fit = logit(Design(w), f, CARDS, **NAMES, person="person")
    renamed = f.assign(mode=f["mode"].map(dict(zip("abcd", "pqrs", strict=True))), case="c" + f["case"].astype(str))
    same = [
        logit(
            Design(w.sample(frac=1, random_state=seed)),
            f.sample(frac=1, random_state=seed),
            CARDS,
            **NAMES,
            person="person",
        ),
        logit(Design(w), renamed, CARDS, **NAMES, person="person"),
        logit(Design(w), f.assign(cost=f["cost"] + 10 * f["income"]), CARDS, **NAMES, person="person"),
        logit(Design(7 * w), f, CARDS, **NAMES, person="person"),
    ]
    for other in same:
        np.testing.assert_allclose(other.value, fit.value, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(other.se, fit.se, rtol=1e-8)


def test_weights_of_one_are_no_weights(cards):
    """A design of weights one gives what no design gives."""
    fits = [logit(d, cards(1), CARDS, **NAMES) for d in (None, Design(np.ones(120)))]
    pd.testing.assert_series_equal(fits[0].value, fits[1].value)
    pd.testing.assert_series_equal(fits[0].se, fits[1].se)


def test_a_person_twice_is_twice_the_weight(cards):
    """A person whose rows are there twice, in one sampling unit, counts as one with twice the weight."""
    f = cards(1)
    w, psu = pd.Series(1.0, index=np.arange(500, 540)), np.arange(40) // 2
    heavy = logit(Design(w.where(w.index != 507, 2), psu=psu), f, CARDS, **NAMES, person="person")
    again = f[f["person"] == 507].assign(person=999, case=lambda g: g["case"] + 5000)
    twice = Design(pd.concat([w, pd.Series({999: 1.0})]), psu=np.append(psu, psu[7]))
    fit = logit(twice, pd.concat([f, again]), CARDS, **NAMES, person="person")
    np.testing.assert_allclose(fit.value, heavy.value, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(fit.se, heavy.se, rtol=1e-9)
    assert fit.log_likelihood == pytest.approx(heavy.log_likelihood, rel=1e-12)


def test_a_case_of_one_alternative_tells_nothing(cards):
    """A case with a single alternative is kept, its probability is one, and it moves no coefficient."""
    f = cards(1)
    alone = f[f["chosen"]].head(1).assign(case=9999)
    fit, more = logit(None, f, CARDS, **NAMES), logit(None, pd.concat([f, alone]), CARDS, **NAMES)
    np.testing.assert_allclose(more.value, fit.value, rtol=1e-9)
    assert (more.n_cases, (more.cases.sizes == 1).sum()) == (121, 1)
    assert more.predict()[0][-1] == 1
    assert not more.influence.toarray()[-1].any()


def test_many_cases_in_blocks(cards, monkeypatch):
    """A start from a few of the cases, and sums in blocks, are the sums over all at once."""
    fit = logit(None, cards(1), CARDS, **NAMES)
    for name, value in (("BLOCK", 64), ("MANY", 60), ("FEW", 30)):
        monkeypatch.setattr(MODULE, name, value)
    same = logit(None, cards(1), CARDS, **NAMES)
    np.testing.assert_allclose(same.value, fit.value, rtol=1e-9)
    np.testing.assert_allclose(same.information, fit.information, rtol=1e-10, atol=1e-10)


def test_groups_of_rows():
    """Softmax, weighted sums and spread within groups are those of a loop; large utilities do not overflow."""
    rng = np.random.default_rng(1)
    start, x, v = np.array([0, 2, 3]), rng.normal(size=(7, 2)), rng.normal(size=7) + 1e4
    p, logsum = softmax(v, start)
    mean, total = means(x, p, start), np.zeros((2, 2))
    for g, (a, b) in enumerate(((0, 2), (2, 3), (3, 7))):
        e = np.exp(v[a:b] - 1e4)
        np.testing.assert_allclose(p[a:b], e / e.sum(), rtol=1e-10)
        assert logsum[g] == pytest.approx(1e4 + np.log(e.sum()), rel=1e-12)
        np.testing.assert_allclose(mean[g], p[a:b] @ x[a:b], rtol=1e-12)
        total += sum(q * np.outer(d, d) for q, d in zip(p[a:b], x[a:b] - mean[g], strict=True))
    np.testing.assert_allclose(spread(x, mean, p, start), total, rtol=1e-12)


def every(frame: pd.DataFrame, formula: str) -> list:
    """The three models, each to be fitted to a frame of cards."""
    given = (None, frame, formula, "case", "mode")
    normals = np.random.default_rng(1).normal(size=(frame["case"].nunique(), 1, 20))
    random = formula.split(" + ")[-1]
    return [
        lambda: logit(*given),
        lambda: nested_logit(*given, {"two": ["a", "b"]}),
        lambda: mixed_logit(*given, {random: "normal"}, normals=normals),
    ]


def test_separation_and_collinearity_are_told(cards):
    """A column that tells the choice has no finite coefficient; one that another gives has no own: in each model."""
    f = cards(1)
    for fit in every(f.assign(best=f["chosen"] + 0.1 * f["time"]), "chosen ~ C(mode) + best"):
        with pytest.raises(WelfareError, match=r"no maximum.*'best'.*Merge categories"):
            fit()
    for fit in every(f.assign(dear=2 * f["cost"] + f["income"]), "chosen ~ cost + dear + time"):
        with pytest.raises(WelfareError, match=r"collinear.*'cost', 'dear'.*Leave one of them out"):
            fit()


def test_no_convergence_is_never_a_result(cards, monkeypatch):
    """Where the steps run out before the maximum, each model says so and returns nothing."""
    monkeypatch.setattr("welfare_analysis.estimation.fit.STEPS", 1)
    for fit in every(cards(1), "chosen ~ C(mode) + cost + time"):
        with pytest.raises(WelfareError, match=r"did not converge.*Scale the variables"):
            fit()
