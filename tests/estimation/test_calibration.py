"""Calibrated weights reach their margins, and their variance is that of residuals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, mean, share, total


def _margins(f):
    """Margins within reach: the weighted counts of the sample, moved."""
    n = f["w"].sum()
    return {"d": {"in": 0.45 * n, "out": 0.55 * n}, "b": {True: 0.4 * n, False: 0.6 * n}, "x": 3.1 * n}


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), method=st.sampled_from(["raking", "linear"]))
def test_margins_are_reached(example, drawn, seed, method):
    """Weighted counts and totals equal the margins to 1e-8, without any variance left."""
    f = example(seed)
    design = drawn(f).calibrate(_margins(f), f, method=method)
    for name, margin in _margins(f).items():
        if isinstance(margin, dict):
            marks = pd.DataFrame({k: f[name] == k for k in margin})
            expected = list(margin.values())
        else:
            marks, expected = f[[name]], [margin]
        counted = total(design, marks)
        np.testing.assert_allclose(counted.value, expected, rtol=1e-8)
        before = total(drawn(f), marks).se
        np.testing.assert_allclose(counted.se, 0, atol=1e-6 * before.max())
    if method == "raking":
        assert (design.weights > 0).all()


def test_variance_of_a_margin_is_exactly_zero(example, drawn):
    """The share of a calibrated category has no variance, and says so with a zero that is not rounding."""
    f = example(2)
    design = drawn(f).calibrate({"d": {"in": 60, "out": 40}}, f, method="poststratify")
    known = share(design, f["d"])
    np.testing.assert_allclose(known.value, [0.6, 0.4], rtol=1e-12)
    assert (known.se == 0).all()
    assert (known.covariance().to_numpy().diagonal() == 0).all()


def test_poststratified_mean_by_hand(example, drawn):
    """The post-stratified mean is the mean of the strata's means by their known sizes."""
    f = example(6)
    design = drawn(f).calibrate({"d": {"in": 30, "out": 70}}, f, method="poststratify")
    inside = mean(drawn(f), f["y"], by=f["d"]).value
    assert mean(design, f["y"]).value.iloc[0] == pytest.approx(0.3 * inside["in"] + 0.7 * inside["out"], rel=1e-12)


def test_size_alone(example, drawn):
    """The margin "1" is the size of the population: all weights move by one factor."""
    f = example(6)
    design = drawn(f).calibrate({"1": 1000}, f, method="linear")
    np.testing.assert_allclose(design.weights, f["w"] * 1000 / f["w"].sum(), rtol=1e-10)


def test_types_of_categories(example, drawn):
    """Categories, nullable integers and booleans meet their margins, which may be a Series."""
    f = example(6)
    expected = drawn(f).calibrate({"d": {"in": 30, "out": 70}}, f).weights
    for values, margin in (
        (f["d"].astype("category"), {"in": 30, "out": 70}),
        (f["d"].map({"in": 1, "out": 2}).astype("Int64"), pd.Series({1: 30, 2: 70})),
        ((f["d"] == "in").astype("boolean"), {True: 30, False: 70}),
    ):
        weights = drawn(f).calibrate({"v": margin}, pd.DataFrame({"v": values})).weights
        np.testing.assert_allclose(weights, expected, rtol=1e-12)


def test_each_margin_is_reached_in_proportion(example, drawn):
    """A margin that is small beside another, or zero, is reached as closely; a column of zeros asks nothing."""
    f = example(6)
    f = f.assign(rare=(f.index < 3) * 1.0, turn=f["x"] - f["x"].mean(), zero=0.0)
    design = drawn(f).calibrate({"1": 1e9, "rare": 3.0, "turn": 0, "zero": 0}, f)
    assert design.weights[:3].sum() == pytest.approx(3, rel=1e-9)
    assert design.weights @ f["turn"] == pytest.approx(0, abs=1e-9 * (design.weights @ f["turn"].abs()))
    assert total(design, f["rare"]).se.iloc[0] < 1e-4 * total(drawn(f), f["rare"]).se.iloc[0]


def test_residuals_are_the_derivative_by_the_design_weight(example):
    """With the linear method, g_k (z_k - x_k' B) is what a unit of design weight moves, calibration run again."""
    f = example(7)
    margins = _margins(f)

    def value(w):
        return mean(Design(w).calibrate(margins, f, method="linear"), f["y"]).value.iloc[0]

    design = Design(f["w"]).calibrate(margins, f, method="linear")
    z = mean(design, f["y"]).influence.toarray()
    residual = (design.weights / f["w"].to_numpy()) * (z - design.residuals.x @ design.residuals.slopes(z))[:, 0]
    step = 1e-4
    for k in range(0, len(f), 3):
        at = np.arange(len(f)) == k
        slope = (value(f["w"] + step * at) - value(f["w"] - step * at)) / (2 * step)
        assert residual[k] == pytest.approx(slope, rel=1e-5, abs=1e-9)


def test_nothing_is_changed_in_place(example, drawn):
    """Calibration gives a new design; the old one keeps its weights and its variance."""
    f = example(1)
    design = drawn(f)
    before = mean(design, f["y"]).se.iloc[0]
    design.calibrate(_margins(f), f)
    assert (design.weights == f["w"]).all()
    assert mean(design, f["y"]).se.iloc[0] == before


@pytest.mark.parametrize(
    ("margins", "message"),
    [
        ({"d": {"in": 50, "out": 40, "abroad": 10}}, "d: a margin has no respondents; got .'abroad'.*Merge"),
        ({"d": {"in": 60, "out": 40, "abroad": 0.5}}, "d: a margin has no respondents"),
        ({"d": {"in": 100}}, "d: .* rows are in a category without a margin"),
        ({"d": {"in": 100, "out": 0}}, "d: a margin is not positive.*'out': 0"),
        ({"d": {"in": 110, "out": -10}}, "d: a margin is not positive.*'out': -10"),
        ({"d": {"in": 110, "out": np.nan}}, "d: a margin is not positive.*'out': nan"),
        ({"gap": {"a": 50, "b": 50}}, "gap: 1 rows have no value"),
        ({"d": {"in": 50, "out": 50}, "b": {True: 60, False: 60}}, "different sizes.*'d': 100.0, 'b': 120.0"),
        ({"d": {"in": 50, "out": 50}, "1": 90}, "different sizes"),
        ({"d": {"in": 50, "out": 50}, "same": {"in": 60, "out": 40}}, "no weights reach all margins"),
        ({"1": 100, "x": 100_000}, "no weights reach all margins"),
        ({"nowhere": {"in": 100}}, "margins: no such column; got 'nowhere'"),
        ({"1": np.inf}, "margins: a total or a value is not finite"),
        ({"1": -5}, "the size is not positive; got .'1': -5.0"),
        ({"d": {1: 100}}, "rows are in a category without a margin; got ..'in'..*expected one of .1.*'1' differ"),
        ({"d": 100}, "d: it is not numeric"),
        ({"x": "much"}, "margins, x: it is not numeric"),
        ({"d": {"in": "a few", "out": 3}}, "margins, d: it is not numeric"),
        ({"twice": {"in": 50, "out": 50}}, "margins: two columns have this name; got 'twice'"),
        ({"1": 100, "zero": 5}, "no weights reach all margins"),
        ({"1": 100, "endless": 50}, "margins: a total or a value is not finite; got .'1', 'endless'"),
        ({}, "there is no margin"),
        ([100], "margins are a dict.*got 'list and DataFrame'"),
    ],
)
def test_bad_margins(example, drawn, margins, message):
    """Margins that are wrong, contradict each other or cannot be reached are errors that name them."""
    f = example(9)
    f = f.assign(gap=f["d"].map({"in": "a", "out": "b"}).where(f.index > 0), same=f["d"], zero=0.0)
    f["endless"] = f["x"].where(f.index > 0, np.inf)
    f = pd.concat([f, f["d"].rename("twice"), f["d"].rename("twice")], axis=1)
    with pytest.raises(WelfareError, match=message):
        drawn(f).calibrate(margins, f)


def test_bad_calls(example, drawn):
    """Calibrating twice, an unknown method, and post-strata of two columns are errors."""
    f = example(9)
    once = drawn(f).calibrate({"1": 100}, f)
    with pytest.raises(WelfareError, match="calibrated already"):
        once.calibrate({"1": 100}, f)
    with pytest.raises(WelfareError, match="unknown method; got 'rake'"):
        drawn(f).calibrate({"1": 100}, f, method="rake")
    with pytest.raises(WelfareError, match="post-strata are the categories of one column"):
        drawn(f).calibrate(_margins(f), f, method="poststratify")
    with pytest.raises(WelfareError, match="frame: its length"):
        drawn(f).calibrate({"1": 100}, f.head(3))
