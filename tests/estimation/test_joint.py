"""Estimates side by side keep their covariance."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, by_domain, joint, mean, quantile, ratio, share, total

RNG = np.random.default_rng(1)
DESIGN = Design(pd.Series(RNG.uniform(1, 3, 200)), psu=pd.Series(np.arange(200) // 5))
FRAME = pd.DataFrame({"y": RNG.normal(5, 1, 200), "x": RNG.normal(3, 1, 200)})
GROUP = pd.Series(np.where(np.arange(200) % 2, "a", "b"), name="g")


def test_a_ratio_of_two_totals_is_the_ratio():
    """total(y) / total(x), put side by side, has the standard error of `ratio`."""
    both = joint({"above": total(DESIGN, FRAME["y"]), "below": total(DESIGN, FRAME["x"])})
    found = both.apply(lambda v: v["above"].iloc[0] / v["below"].iloc[0])
    known = ratio(DESIGN, FRAME["y"], FRAME["x"])
    assert found.value.iloc[0] == pytest.approx(known.value.iloc[0], rel=1e-12)
    assert found.se.iloc[0] == pytest.approx(known.se.iloc[0], rel=1e-8)


def test_names_covariances_and_extra_parts_are_kept():
    """Domains and single values stand together; blocks of the covariance are those of each, with their extra parts."""
    by, alone = total(DESIGN, FRAME["y"], by=GROUP), mean(DESIGN, FRAME["x"])
    alone.extra_covariance["model"] = np.array([[0.5]])
    both = joint({"people": by, "level": alone})
    assert list(both.value.index) == [("people", "a"), ("people", "b"), ("level", "x")]
    covariance = both.covariance().to_numpy()
    np.testing.assert_allclose(covariance[:2, :2], by.covariance(), rtol=1e-12)
    assert covariance[2, 2] == pytest.approx(alone.se.iloc[0] ** 2, rel=1e-12)
    assert alone.se.iloc[0] ** 2 > 0.5
    assert abs(covariance[0, 2]) > 0


def test_intervals_are_those_of_each():
    """A quantile among others has Woodruff's, a share of nobody in a domain stays within 0 and 1."""
    several, alone = (quantile(DESIGN, FRAME["y"], q, by=GROUP) for q in ([0.1, 0.5], 0.5))
    np.testing.assert_array_equal(several.interval().loc[0.5], alone.interval())
    some = (GROUP == "a") & (FRAME["y"] > 5)
    found = by_domain(DESIGN, GROUP, lambda d, rows: share(d, some, where=rows)).interval(0.9)
    for level in "ab":
        expected = share(DESIGN, some, where=level == GROUP).interval(0.9)
        np.testing.assert_array_equal(found.loc[level], expected)


def test_estimates_of_two_designs_are_refused():
    """What two samples share is not known."""
    other = Design(pd.Series(np.ones(200)))
    with pytest.raises(WelfareError, match="not of one design"):
        joint({"a": mean(DESIGN, FRAME["y"]), "b": mean(other, FRAME["y"])})
    for none in ({}, {"a": mean(DESIGN, FRAME["y"]).value}):
        with pytest.raises(WelfareError, match="not of one design"):
            joint(none)


def test_functions_of_functions_have_the_influence_of_one():
    """Combinations of combinations of several estimates: the chain rule, with or without the steps in between."""
    rng = np.random.default_rng(5)
    design, y = Design(rng.uniform(1, 3, 60)), pd.DataFrame(rng.normal(5, 1, (60, 3)), columns=list("abc"))
    both = joint({"mean": mean(design, y), "total": total(design, y["a"])})
    first = both.apply(lambda v: pd.Series({"ratio": v.iloc[0] / v.iloc[1], "sum": v.iloc[2] + v.iloc[3]}))
    second = first.apply(lambda v: v["ratio"] * v["sum"])
    at, h = both.value.to_numpy(), 1e-6

    def f(v):
        return v[0] / v[1] * (v[2] + v[3])

    slopes = np.array([(f(at + h * e) - f(at - h * e)) / 2 / h for e in np.eye(4)])
    expected = both.influence @ slopes
    np.testing.assert_allclose(second.influence.toarray()[:, 0], expected, rtol=1e-6)
    assert second.se.iloc[0] == pytest.approx(np.sqrt(design.variance(expected[:, None])[0]), rel=1e-6)
    assert "influence" not in first.__dict__
