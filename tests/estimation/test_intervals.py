"""Intervals of what is known up to a range: the equation that defines them, and its ends."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, imbens_manski, mean, quantile


@pytest.fixture
def answers():
    """A mean with 11 degrees of freedom."""
    return mean(Design(np.ones(12)), pd.Series(np.arange(12.0)))


def test_no_range_is_the_usual_interval(answers):
    """At a width of 0 the bounds are those of t for both sides."""
    np.testing.assert_allclose(imbens_manski(answers, answers)[["low", "high"]], answers.interval(), rtol=1e-6)


def test_a_wide_range_has_the_error_of_one_side(answers):
    """The truth is near one end at most: 90 % for both sides are 95 % for each."""
    found = imbens_manski(answers, answers.apply(lambda v: v + 100)).iloc[0]
    usual = answers.interval(0.9).iloc[0]
    assert (found["low"], found["high"] - 100) == pytest.approx((usual["low"], usual["high"]))


@pytest.mark.parametrize("width", [0.3, 1.0, 2.5])
def test_each_end_is_covered_with_the_level(answers, width):
    """P(low <= end <= high) is 95 % at either end, where both bounds err together, by the law of t."""
    se = answers.se.iloc[0]
    found = imbens_manski(answers, answers.apply(lambda v: v + width * se)).iloc[0]
    below, above = (answers.value.iloc[0] - found["low"]) / se, (found["high"] - found["lowest"]) / se
    assert stats.t.cdf(above, 11) - stats.t.cdf(-below, 11) == pytest.approx(0.95, abs=1e-9)


def test_a_median_where_a_fifth_was_never_observed():
    """Between the quantiles 0.375 and 0.625 of the others: the medians if that fifth is all below, or all above.

    The interval has one side of Woodruff's error at either end.
    """
    y = pd.Series(np.random.default_rng(7).lognormal(9, 0.5, 401))
    design = Design(np.ones(401))
    ends = [quantile(design, y, q) for q in (0.3 / 0.8, 0.5 / 0.8)]
    found = imbens_manski(*ends).iloc[0]
    silent = np.full(100, 0.0)
    medians = [np.sort(np.append(y, fill))[250] for fill in (silent, silent + 1e9)]
    assert (found["lowest"], found["highest"]) == pytest.approx(tuple(medians))
    one_sided = [
        e.value.iloc[0] + sign * stats.t.ppf(0.95, 400) * e.se.iloc[0] for e, sign in zip(ends, (-1, 1), strict=True)
    ]
    assert (found["low"], found["high"]) == pytest.approx(tuple(one_sided), rel=1e-6)


def test_what_is_refused(answers):
    """A low bound above the high one; an error that is not known gives no bound."""
    with pytest.raises(WelfareError, match="lower and the upper bound"):
        imbens_manski(answers.apply(lambda v: v + 1), answers)
    alone = mean(Design(np.ones(12)), pd.Series([3.0, *[np.nan] * 11]))
    assert np.isinf(imbens_manski(alone, alone)[["low", "high"]]).all(axis=None)
