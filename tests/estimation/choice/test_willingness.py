"""Willingness to pay: ratios of coefficients and the three kinds of interval."""

from dataclasses import dataclass, field, fields

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design
from welfare_analysis.estimation.choice import ChoiceFit, logit, nested_logit
from welfare_analysis.estimation.choice.willingness import fieller, willingness_to_pay

TIME = -0.9


def clustered(rng, n, cost=-0.6, size=6):
    """Choices among three modes by n people in clusters that share a liking of modes and levels of attributes."""
    psu = np.arange(n) // size
    liking, level = rng.normal(0, 0.7, (n, 3))[psu].ravel(), rng.gamma(4, 0.5, (n, 3))[psu].ravel()
    long = pd.DataFrame({"case": np.repeat(np.arange(n), 3), "mode": np.tile(list("abc"), n)})
    long["cost"], long["time"] = level + rng.gamma(2, 0.5, 3 * n), rng.gamma(4, 0.5, 3 * n)
    u = liking + cost * long["cost"] + TIME * long["time"] + rng.gumbel(size=3 * n)
    return long.assign(chosen=u == u.groupby(long["case"]).transform("max")), psu


@pytest.fixture(scope="module")
def fit():
    """A logit of 300 people in 50 clusters with unequal weights."""
    rng = np.random.default_rng(1)
    long, psu = clustered(rng, 300)
    return logit(Design(rng.uniform(1, 3, 300), psu=psu), long, "chosen ~ cost + time", "case", "mode")


def test_swissmetro_value_of_time(swissmetro):
    """Swissmetro: an hour less is worth 70.7 CHF (issue of the published logit), time and cost in hundreds."""
    formula = "chosen ~ C(mode, contr.treatment('sm')) + time + cost"
    e = willingness_to_pay(logit(None, swissmetro, formula, "case", "mode", "person"), {"time": -60}, "cost")
    assert e.value.iloc[0] == pytest.approx(70.7, abs=0.05)
    assert e.method == "delta"


def test_delta_is_the_smooth_function(fit):
    """The delta method is `Estimate.apply` of the ratio; of groups, of their combinations."""
    e = willingness_to_pay(fit, {"less": {"time": -2}, "more": {"time": 1, "cost": 0.5}}, {"cost": 2})
    a = fit.apply(lambda v: pd.Series([v["time"] / v["cost"], -(v["time"] + v["cost"] / 2) / 2 / v["cost"]]))
    np.testing.assert_allclose(e.value, a.value, rtol=1e-12)
    np.testing.assert_allclose(e.covariance(), a.covariance(), rtol=1e-8)
    np.testing.assert_allclose(e.interval()[["low", "high"]], a.interval(), rtol=1e-8)
    assert list(e.value.index) == ["less", "more"]
    assert willingness_to_pay(fit, "time", "cost").value.iloc[0] == -fit.value["time"] / fit.value["cost"]


def test_fieller_is_the_set_that_the_test_keeps(fit):
    """Fieller's bounds are where the t of N - theta D is the critical value; all numbers and outsides are said."""
    e = willingness_to_pay(fit, "time", "cost", "fieller")
    low, high, kind = e.interval(0.9).iloc[0]
    V = fit.covariance()
    for theta in (low, high):
        gap = fit.value["time"] + theta * fit.value["cost"]
        var = V.loc["time", "time"] + 2 * theta * V.loc["time", "cost"] + theta**2 * V.loc["cost", "cost"]
        assert abs(gap) / np.sqrt(var) == pytest.approx(stats.t.ppf(0.95, fit.df.iloc[0]))
    assert (kind, low < e.value.iloc[0] < high) == ("between", True)
    V = np.array([[1.0, 0.2], [0.2, 1.0]])
    assert fieller(np.array([0.5, 0.5]), V, 1.96) == (-np.inf, np.inf, "all numbers")
    low, high, kind = fieller(np.array([5.0, 1.0]), V, 1.96)
    assert (low, high) == (-np.inf, np.inf)
    ends = [float(x) for x in kind.removeprefix("outside (").removesuffix(")").split(", ")]
    grid = np.linspace(-50, 50, 200_001)
    kept = (5 - grid) ** 2 <= 1.96**2 * (1 - 0.4 * grid + grid**2)
    out = grid[~kept]
    np.testing.assert_allclose([out.min(), out.max()], ends, atol=1e-3)


def test_krinsky_robb_draws_from_the_design(fit):
    """Krinsky-Robb bounds are quantiles of ratios of draws; with a sure cost they are near Fieller's."""
    e = willingness_to_pay(fit, "time", "cost", "krinsky-robb", np.random.default_rng(2), 100_000)
    f = willingness_to_pay(fit, "time", "cost", "fieller").interval()
    width = f["high"] - f["low"]
    np.testing.assert_allclose(e.interval()[["low", "high"]], f[["low", "high"]], atol=0.05 * width.iloc[0])
    again = willingness_to_pay(fit, "time", "cost", "krinsky-robb", np.random.default_rng(2), 100_000)
    assert e.interval().equals(again.interval())


def test_krinsky_robb_knows_the_degrees_of_freedom():
    """With a cost that is sure beside time the bounds are those of t; normal ones would be a fifth narrower."""
    rng = np.random.default_rng(4)
    long, psu = clustered(rng, 1400, cost=-3.0, size=200)
    fit = logit(Design(np.ones(1400), psu=psu), long, "chosen ~ cost + time", "case", "mode")
    widths = [
        willingness_to_pay(fit, "time", "cost", how, np.random.default_rng(2), 200_000).interval()[["low", "high"]]
        for how in ("krinsky-robb", "delta")
    ]
    drawn, delta = (float(w.diff(axis=1).iloc[0, 1]) for w in widths)
    assert fit.df.iloc[0] < 8
    assert drawn == pytest.approx(delta, rel=0.08)


def test_a_nest_that_is_no_model_of_utility_is_named():
    """Where a dissimilarity is above 1 willingness to pay says so; below 1, and of a logit, there is no note."""
    for liking, outside in ((-1.0, True), (1.0, False)):
        rng, n = np.random.default_rng(5), 1500
        long = pd.DataFrame({"case": np.repeat(np.arange(n), 3), "mode": np.tile(list("abc"), n)})
        long["cost"], long["time"] = rng.gamma(2, 0.5, 3 * n), rng.gamma(4, 0.5, 3 * n)
        shared = rng.normal(0, 2, n)
        signs = np.array([1.0, liking, 0.0])  # a and b alike, or opposed
        u = -long["cost"] - 0.9 * long["time"] + rng.gumbel(size=3 * n) + np.outer(shared, signs).ravel()
        long = long.assign(chosen=u == u.groupby(long["case"]).transform("max"))
        fit = nested_logit(None, long, "chosen ~ cost + time", "case", "mode", nests={"m": ["a", "b"], "o": ["c"]})
        assert (fit.value.iloc[-1] > 1) == outside
        assert bool(willingness_to_pay(fit, "time", "cost").notes) == outside


def test_a_weak_cost_is_given_to_fieller():
    """Where |t| of cost is below 3 the interval is Fieller's, unbounded in some samples, and holds the truth."""
    rng, held, kinds = np.random.default_rng(3), [], set()
    for _ in range(40):
        long, psu = clustered(rng, 120, cost=-0.25)
        fit = logit(Design(np.ones(120), psu=psu), long, "chosen ~ cost + time", "case", "mode")
        e = willingness_to_pay(fit, "time", "cost")
        low, high, kind = e.interval().iloc[0]
        outside = kind.startswith("outside")
        ends = [float(x) for x in kind.removeprefix("outside (").removesuffix(")").split(", ")] if outside else [0, 0]
        held.append(low <= TIME / 0.25 <= high and not ends[0] < TIME / 0.25 < ends[1])
        kinds |= {(e.method, kind.split()[0])}
    assert {("fieller", "outside"), ("fieller", "between"), ("delta", "between")} <= kinds
    assert np.mean(held) >= 0.88


@dataclass(frozen=True, eq=False)
class Random(ChoiceFit):
    """A fit with coefficients that differ by person, as of a mixed logit."""

    random: dict = field(default_factory=dict)


def test_random_coefficients_are_refused_as_cost(fit):
    """A ratio to a random coefficient is refused; so is the log of an attribute's, whose mean is another function."""
    names = {"cost": "log.cost", "time": "log.time"}
    same = {f.name: getattr(fit, f.name) for f in fields(fit)}
    for random, message in (({"cost": "normal"}, "Daly, Hess"), ({"cost": "lognormal"}, "cost coefficient is random")):
        other = Random(**same | {"value": fit.value.rename(names if "log" in random["cost"] else {})}, random=random)
        with pytest.raises(WelfareError, match=message):
            willingness_to_pay(other, other.value.index[1], other.value.index[0])
    logged = Random(**same | {"value": fit.value.rename({"time": "log.time"})}, random={"time": "lognormal"})
    with pytest.raises(WelfareError, match="that of a logarithm"):
        willingness_to_pay(logged, "log.time", "cost")
    assert willingness_to_pay(Random(**same, random={"time": "normal"}), "time", "cost").value.iloc[0] < 0


def test_refusals(fit, travel):
    """Names that are not there, a random cost, the scale of published tables, draws without a generator."""
    nests = {"fly": ["air"], "ground": ["bus", "car", "train"]}
    formula = "chosen ~ C(mode) + gcost + wait"
    greene = nested_logit(None, travel, formula, "individual", "mode", nests, scale="greene")
    with pytest.raises(WelfareError, match="only reproduces published tables"):
        willingness_to_pay(greene, "wait", "gcost")
    with pytest.raises(WelfareError, match=r"no such coefficient; got \['price'\]"):
        willingness_to_pay(fit, "time", "price")
    with pytest.raises(WelfareError, match="draws need a generator"):
        willingness_to_pay(fit, "time", "cost", "krinsky-robb")
    with pytest.raises(WelfareError, match="unknown method"):
        willingness_to_pay(fit, "time", "cost", "bootstrap")
    with pytest.raises(WelfareError, match="nothing to pay for"):
        willingness_to_pay(fit, {}, "cost")
    with pytest.raises(WelfareError, match="coefficient of cost is zero"):
        willingness_to_pay(fit, "time", {"cost": 0})
