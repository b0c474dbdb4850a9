import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, mean, quantile, share, total


def survey(seed, n=60):
    """Rows in three strata, clusters of four."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "stratum": np.repeat(["a", "b", "c"], n // 3),
            "psu": np.arange(n) // 4,
            "w": rng.uniform(1, 4, n),
            "group": rng.choice(["u", "v"], n),
            "y": rng.normal(10, 3, n),
        }
    )


def design(frame, scale=1.0):
    return Design(frame["w"] * scale, strata=frame["stratum"], psu=frame["psu"])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 50))
def test_order_and_scale_do_not_matter(seed, scale):
    """Means and their standard errors do not change with the order of rows or the scale of weights."""
    frame = survey(seed)
    shuffled = frame.sample(frac=1, random_state=seed)
    first = mean(design(frame), frame["y"], by=frame["group"])
    second = mean(design(shuffled, scale), shuffled["y"], by=shuffled["group"])
    pd.testing.assert_series_equal(first.value, second.value, rtol=1e-10)
    pd.testing.assert_series_equal(first.se, second.se, rtol=1e-8)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_domains_add_up_and_covariance_is_algebra(seed):
    """Domain totals add to the total, and the variance of their sum is the sum of their covariances."""
    frame = survey(seed)
    parts, whole = total(design(frame), frame["y"], by=frame["group"]), total(design(frame), frame["y"])
    added = parts.apply(lambda v: v.sum())
    assert added.value.iloc[0] == pytest.approx(whole.value.iloc[0])
    assert added.se.iloc[0] == pytest.approx(whole.se.iloc[0], rel=1e-8)
    assert parts.covariance().to_numpy().sum() == pytest.approx(whole.se.iloc[0] ** 2, rel=1e-8)
    np.testing.assert_allclose(np.diag(parts.covariance()), parts.se**2)


def test_weights_of_one_are_the_plain_mean():
    """Without a design the mean and its standard error are those of a textbook."""
    y = pd.Series([1.0, 4.0, 2.0, 8.0, 5.0])
    estimate = mean(Design(np.ones(5)), y)
    assert estimate.value.iloc[0] == pytest.approx(y.mean())
    assert estimate.se.iloc[0] == pytest.approx(y.std() / np.sqrt(5))


def test_a_row_split_in_two():
    """A row split in two halves of its weight, the PSU kept, changes nothing."""
    frame = survey(3)
    double = pd.concat([frame, frame.iloc[[7]]], ignore_index=True)
    double.loc[[7, len(frame)], "w"] = frame["w"][7] / 2
    assert mean(design(double), double["y"]).se.iloc[0] == pytest.approx(mean(design(frame), frame["y"]).se.iloc[0])


def test_two_stages_by_hand():
    """Two stages with counts at each: between clusters, and within them times the first rate (SSW result 4.3.1)."""
    frame = pd.DataFrame({"psu": [1, 1, 2, 2, 3, 3], "y": [3.0, 5.0, 9.0, 4.0, 7.0, 7.5]})
    big, small = 12, np.array([4, 4, 8, 8, 6, 6])
    weights = big / 3 * small / 2
    two = Design(weights, psu=[frame["psu"], frame.index], fpc=[np.full(6, big), small])
    sums = frame.assign(t=frame["y"] * small / 2).groupby("psu")["t"].sum()
    between = big**2 * (1 - 3 / big) / 3 * sums.var()
    within = frame.groupby("psu")["y"].var().to_numpy() * (1 - 2 / small[::2]) / 2 * small[::2] ** 2
    assert total(two, frame["y"]).se.iloc[0] ** 2 == pytest.approx(between + big / 3 * within.sum())


def test_coverage_of_a_stratified_sample():
    """95 % intervals of a mean, a share and a median hold the truth in 93 to 97 % of 1,000 stratified samples."""
    rng = np.random.default_rng(8)
    sizes, drawn = np.array([400, 600]), np.array([60, 90])
    people = pd.DataFrame({"h": np.repeat([0, 1], sizes)})
    people["y"] = rng.normal(10 + 4 * people["h"], 3)
    truth = np.array([people["y"].mean(), (people["y"] > 12).mean(), people["y"].quantile(0.5, interpolation="lower")])
    held = np.zeros(3)
    for _ in range(1000):
        rows = np.concatenate([rng.choice(400, 60, replace=False), 400 + rng.choice(600, 90, replace=False)])
        part = people.iloc[rows]
        sample = Design((sizes / drawn)[part["h"]], strata=part["h"], fpc=sizes[part["h"]])
        y = part["y"].reset_index(drop=True)
        for j, estimate in enumerate((mean(sample, y), share(sample, y > 12), quantile(sample, y))):
            low, high = estimate.interval().iloc[0]
            held[j] += low <= truth[j] <= high
    assert ((held / 1000 >= 0.93) & (held / 1000 <= 0.97)).all(), held


def test_shares_of_nobody_and_everybody():
    """A share of 0 or 1 has a Korn-Graubard interval inside [0, 1], never a width of zero."""
    y = pd.Series([0] * 40, dtype=float)
    for values, edge in ((y, "low"), (1 - y, "high")):
        bounds = share(Design(np.ones(40)), values).interval().iloc[0]
        assert bounds[edge] == values.iloc[0]
        assert 0 < bounds["high"] - bounds["low"] < 0.15


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, np.nan], "missing"),
        ([1, np.inf], "infinite"),
        ([1, 0], "zero or negative"),
        ([1, -2], "zero or negative"),
        (["a", "b"], "not numbers"),
    ],
)
def test_weights_that_cannot_be(weights, message):
    """Missing, infinite, zero, negative and text weights are errors that say so."""
    with pytest.raises(WelfareError, match=message):
        Design(pd.Series(weights))


def test_designs_that_cannot_be():
    """A lone PSU, labels in two strata, a count below the sample or that differs in its stratum: each says so."""
    ones = np.ones(4)
    with pytest.raises(WelfareError, match="single PSU"):
        Design(ones, strata=np.array([0, 0, 0, 1]))
    with pytest.raises(WelfareError, match="two strata"):
        Design(ones, strata=np.array([0, 0, 1, 1]), psu=np.array([1, 2, 1, 2]))
    with pytest.raises(WelfareError, match="smaller than the sample"):
        Design(ones, fpc=np.full(4, 3))
    with pytest.raises(WelfareError, match="differs within"):
        Design(ones, fpc=np.array([8, 8, 9, 8]))


def test_a_certainty_stratum_has_no_variance():
    """A stratum taken whole, even of a single unit, adds nothing."""
    sample = Design(np.array([1.0, 2, 2]), strata=np.array([0, 1, 1]), fpc=np.array([1, 4, 4]))
    assert total(sample, pd.Series([100.0, 5, 5])).se.iloc[0] == 0


def test_answers_that_are_not_there():
    """An empty domain, an unanswered variable and a total with gaps are errors; gaps in a mean are counted."""
    sample, y = Design(np.ones(3)), pd.Series([1.0, np.nan, 3.0])
    with pytest.raises(WelfareError, match="no respondent is in"):
        mean(sample, y, where=pd.Series([False] * 3))
    with pytest.raises(WelfareError, match="no respondent answered"):
        mean(sample, y * np.nan)
    with pytest.raises(WelfareError, match="too small"):
        total(sample, y)
    assert total(sample, y, missing="mean").value.iloc[0] == pytest.approx(6)
    assert mean(sample, y).table()["missing"].iloc[0] == 1
