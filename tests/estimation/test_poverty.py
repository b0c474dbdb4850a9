"""Poverty and shares: hand-made populations, differences of the weights, and replicates."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import (
    Design,
    by_domain,
    correlation,
    covariance,
    gini,
    linear,
    lorenz,
    mean,
    poverty,
    quantile_ratio,
    quantile_shares,
    share_ratio,
)


@pytest.fixture(scope="module")
def people():
    """600 incomes in 150 PSUs, lognormal, two domains, unequal weights."""
    rng = np.random.default_rng(8)
    n = 600
    f = pd.DataFrame({"psu": np.arange(n) // 4, "w": rng.uniform(1, 3, n), "d": rng.choice(["u", "v"], n)})
    f["y"] = np.exp(9 + 0.6 * rng.normal(size=n) + rng.normal(size=150)[f["psu"]] / 3)
    return f


def _design(f):
    return Design(f["w"], psu=f["psu"])


def test_by_hand():
    """Ten incomes 1 to 10: below 4 are 3 of 10, gaps 3/4, 2/4, 1/4; the median is 5, and 60 % of it 3."""
    design, y = Design(np.ones(10), fpc=np.full(10, 100.0)), pd.Series(np.arange(1.0, 11), name="y")
    assert poverty(design, y, line=4).value.iloc[0] == pytest.approx(0.3)
    assert poverty(design, y, line=4, alpha=1).value.iloc[0] == pytest.approx(1.5 / 10)
    assert poverty(design, y, line=4, alpha=2).value.iloc[0] == pytest.approx((9 + 4 + 1) / 16 / 10)
    assert poverty(design, y).value.iloc[0] == pytest.approx(0.2)
    curve = lorenz(design, y, [0.1, 0.25, 0.5])
    np.testing.assert_allclose(curve.value, [1 / 55, (1 + 2 + 1.5) / 55, 15 / 55])
    np.testing.assert_allclose(quantile_shares(design, y).value, np.array([3, 7, 11, 15, 19]) / 55)
    assert list(quantile_shares(design, y).value.index.names) == ["group", "variable"]
    assert share_ratio(design, y).value["y"] == pytest.approx(19 / 3)
    assert quantile_ratio(design, y).value["y"] == 9 / 1


@pytest.mark.parametrize(
    "estimator",
    [
        lambda d, f: lorenz(d, f["y"], [0.2, 0.5, 0.9], by=f["d"]),
        lambda d, f: quantile_shares(d, f["y"], by=f["d"]),
        lambda d, f: share_ratio(d, f["y"]),
        lambda d, f: poverty(d, f["y"], line=5000, alpha=1, by=f["d"]),
        lambda d, f: covariance(d, f.assign(z=f["y"] ** 0.5, t=f["w"])[["y", "z", "t"]], by=f["d"]),
        lambda d, f: correlation(d, f.assign(z=f["y"] ** 0.5)[["y", "z"]], by=f["d"]),
    ],
)
def test_influence_is_the_derivative_by_the_weight(people, estimator):
    """Central differences of the estimate by the weight of each of 12 rows are its influences."""
    found = estimator(_design(people), people)
    influence = found.influence.toarray()
    for row in range(0, 600, 53):
        step = 1e-4 * (np.arange(600) == row)
        up, down = (estimator(Design(people["w"] + s * step, psu=people["psu"]), people).value for s in (1, -1))
        slope = (up - down).to_numpy() / 2e-4
        np.testing.assert_allclose(influence[row], slope, rtol=1e-4, atol=1e-6 * np.abs(influence).max(axis=0).max())


@pytest.mark.parametrize("alpha", [0, 1, 2])
def test_a_line_that_is_estimated(people, alpha):
    """Errors of the linearisation are those of 400 bootstrap replicates, the line estimated in each; by domain too.

    The error of the rate with the line taken as known is larger: the estimated line moves with the incomes.
    """
    design = _design(people)
    boot = design.with_replicates("bootstrap", count=400, rng=np.random.default_rng(1))
    known = 0.6 * people["y"].median()
    for by in (None, people["d"]):
        linearised, again = (poverty(d, people["y"], alpha=alpha, by=by).se for d in (design, boot))
        np.testing.assert_allclose(linearised, again, rtol=0.15)
        if by is None and alpha == 0:
            assert poverty(design, people["y"], line=known).se.iloc[0] > 1.1 * linearised.iloc[0]


def test_coverage_of_the_rate():
    """Of 400 samples of 200 lognormal incomes 95 % intervals of the rate hold the truth in 92 to 98 %."""
    rng, hits, truth = np.random.default_rng(5), 0, 0.1973
    # P(Y < 0.6 median) = Phi(log 0.6 / sigma) with sigma = 0.6
    for _ in range(400):
        y = np.exp(0.6 * rng.normal(size=200))
        low, high = poverty(Design(np.ones(200)), y).interval().iloc[0]
        hits += low <= truth <= high
    assert 368 <= hits <= 392


def test_theorems(people):
    """Scale does not matter; the Gini is one less twice the area under the curve; quintile shares add up to one."""
    design = _design(people)
    pd.testing.assert_series_equal(poverty(design, people["y"]).se, poverty(design, 7 * people["y"]).se)
    grid = np.linspace(0.002, 0.998, 499)
    curve = np.concatenate([[0], lorenz(design, people["y"], grid).value, [1]])
    area = np.trapezoid(curve, np.concatenate([[0], grid, [1]]))
    assert 1 - 2 * area == pytest.approx(gini(design, people["y"]).value.iloc[0], abs=1e-3)
    shares = quantile_shares(design, people["y"], by=people["d"])
    np.testing.assert_allclose(shares.value.groupby("d").sum(), 1)
    whole = shares.apply(lambda v: v.groupby("d").sum())
    np.testing.assert_allclose(whole.se, 0, atol=1e-12)


def test_intervals_of_ratios(people):
    """On the log scale: never below zero, their ends as many times above as below, also after `refit`."""
    design = _design(people)
    for ratio in (quantile_ratio(design, people["y"], by=people["d"]), share_ratio(design, people["y"])):
        for estimate in (ratio, ratio.refit("bootstrap", count=40)):
            bounds = estimate.interval()
            np.testing.assert_allclose(bounds["low"] * bounds["high"], estimate.value**2, rtol=1e-9)
            assert (bounds["low"] > 0).all()
    two = correlation(design, people.assign(z=-people["y"])[["y", "z"]])
    assert two.value.iloc[0] == pytest.approx(-1)
    assert -1 <= two.interval()["low"].iloc[0] <= two.interval()["high"].iloc[0] < -0.999


def test_one_respondent_at_an_end_tells_no_error():
    """Of ten, a tenth is one person, whose share over another's looks sure; of ten poor with nothing, it is sure."""
    design, y = Design(np.ones(10)), pd.Series(np.arange(1.0, 11))
    assert share_ratio(design, y, 10).value.iloc[0] == pytest.approx(10)
    assert np.isinf(share_ratio(design, y, 10).se).all()
    assert np.isinf(lorenz(design, y, [0.1, 0.5, 0.9]).se).tolist() == [True, False, True]
    assert np.isfinite(share_ratio(design, y, 5).se).all()
    assert lorenz(design, y.where(y > 2, 0.0), [0.1]).se.iloc[0] == 0


def test_any_function_by_domain(people):
    """Models by domain in one estimate: each as alone, with the covariance between them."""
    design = _design(people)
    found = by_domain(design, people["d"], lambda d, rows: linear(d, people, "y ~ w", where=rows))
    for level in "uv":
        alone = linear(design, people, "y ~ w", where=people["d"] == level)
        np.testing.assert_allclose(found.value[level], alone.value)
        np.testing.assert_allclose(found.se[level], alone.se)
    assert list(found.value.index.names) == ["d", "variable"]
    means = by_domain(design, people["d"], lambda d, rows: mean(d, people["y"], where=rows))
    np.testing.assert_allclose(means.covariance(), mean(design, people["y"], by=people["d"]).covariance())
    assert means.refit().variance_by == "150 replicates (JKn)"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d, y: poverty(d, y - 1e6), "answers are negative; got -"),
        (lambda d, y: poverty(d, y, line=0), r"no line, or no power; got \(0.0, 0.0\)"),
        (lambda d, y: poverty(d, y, line=5, alpha=-1), "no line, or no power"),
        (lambda d, y: lorenz(d, y, [0.2, 1.0]), r"p: not between 0 and 1; got \[0.2, 1.0\]"),
        (lambda d, y: lorenz(d, y, 0.2), "p: not between 0 and 1; got 0.2; expected a list"),
        (lambda d, y: quantile_shares(d, y, 2.5), "groups: no number of groups; got 2.5"),
        (lambda d, y: lorenz(d, 0 * y), "there is nothing to share out"),
        (lambda d, y: quantile_ratio(d, y.where(y.index > 300, 0)), "the lower of a ratio is zero"),
        (lambda d, y: correlation(d, pd.DataFrame({"y": y, "c": 1.0})), "a variable does not vary.*y, c"),
        (lambda d, y: covariance(d, y), "a pair has two variables"),
        (lambda d, y: by_domain(d, None, lambda e, rows: mean(e, y, where=rows)), "there is no domain"),
    ],
)
def test_bad_calls(people, call, message):
    """What has no poverty, no share or no pair is an error that names it."""
    with pytest.raises(WelfareError, match=message):
        call(_design(people), people["y"])


def test_a_number_of_groups_of_numpy():
    """It was refused with "got 5; expected 2 or more"."""
    design, y = Design(np.ones(10)), np.arange(10.0)
    assert quantile_shares(design, y, np.int64(5)).value.equals(quantile_shares(design, y, 5).value)
