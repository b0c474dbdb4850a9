"""Intervals of shares where a part is known and few cases of the rest were sampled."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from welfare_analysis.estimation import Design, share

RETURNED, SILENT, FOLLOWED = 1000, 1200, 120


def survey(cases_returned, cases_followed):
    """Those who returned a form stand for themselves; a sample of the silent stands for the others."""
    y = np.zeros(RETURNED + FOLLOWED)
    y[:cases_returned] = 1
    y[RETURNED : RETURNED + cases_followed] = 1
    part = np.repeat(["returned", "silent"], [RETURNED, FOLLOWED])
    size = np.repeat([float(RETURNED), float(SILENT)], [RETURNED, FOLLOWED])
    weights = np.repeat([1.0, SILENT / FOLLOWED], [RETURNED, FOLLOWED])
    return Design(weights, strata=part, fpc=size), pd.Series(y)


def test_no_sampled_case_is_no_certainty():
    """With cases only among those who returned, the upper bound is that of none in the sample (0 in 120)."""
    design, y = survey(25, 0)
    estimate = share(design, y)
    bounds = estimate.interval().iloc[0]
    most = 1 - 0.025 ** (1 / FOLLOWED)  # Clopper and Pearson's for none
    assert bounds["low"] == pytest.approx(25 / 2200)
    assert bounds["high"] == pytest.approx((25 + SILENT * most) / 2200)


def test_all_sampled_cases_is_no_certainty_either():
    """The same of the complement: none in the sample without the condition."""
    design, y = survey(25, 0)
    bounds, other = share(design, y).interval().iloc[0], share(design, 1 - y).interval().iloc[0]
    assert (other["low"], other["high"]) == pytest.approx((1 - bounds["high"], 1 - bounds["low"]))


def test_enough_cases_are_left_to_the_variance():
    """From five sampled cases on, and in a design without a known part, the logit interval stands as it is."""

    def logit(estimate):
        p, se, df = estimate.value.iloc[0], estimate.se.iloc[0], estimate.df.iloc[0]
        half = stats.t.ppf(0.975, df) * se / (p * (1 - p))
        return 1 / (1 + np.exp(-np.log(p / (1 - p)) + np.array([half, -half])))

    for design, y in (survey(25, 5), (Design(np.full(100, 20.0)), pd.Series(np.arange(100) < 3).astype(float))):
        estimate = share(design, y)
        assert estimate.interval().iloc[0].to_numpy() == pytest.approx(logit(estimate))
    few = share(*survey(25, 4))
    assert few.interval()["high"].iloc[0] > logit(few)[1]


def test_domains_are_widened_one_by_one():
    """Only the domain with few sampled cases is widened, and each variable in its own place."""
    design, y = survey(200, 40)
    domain = pd.Series(np.where(np.arange(len(y)) % 2 == 0, "a", "b"))
    rare = y.where(~((domain == "b") & (np.arange(len(y)) >= RETURNED)), 0.0)
    both = share(design, pd.DataFrame({"rare": rare, "y": y}), by=domain)
    alone = share(design, y, by=domain).interval()
    pd.testing.assert_frame_equal(both.interval().loc["y"], alone, check_names=False)
    assert both.interval().loc[("rare", "b"), "high"] > both.value[("rare", "b")] + 0.02
    pd.testing.assert_series_equal(both.interval().loc[("rare", "a")], alone.loc["a"], check_names=False)


def test_rare_conditions_are_held():
    """Of a condition that 1 % have, the interval holds the truth in at least 93 of 100 surveys (68 without care)."""
    rng = np.random.default_rng(7)
    returned, truth = rng.random(RETURNED) < 0.01, (rng.random(SILENT) < 0.01)
    level = (returned.sum() + truth.sum()) / 2200
    held = []
    for _ in range(1000):
        drawn = rng.choice(truth, FOLLOWED, replace=False)
        bounds = share(*survey(int(returned.sum()), int(drawn.sum()))).interval().iloc[0]
        held.append(bounds["low"] <= level <= bounds["high"])
    assert np.mean(held) >= 0.93
