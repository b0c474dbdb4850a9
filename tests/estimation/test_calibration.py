"""Calibrated weights reach their margins, and their variance is that of residuals."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example as once
from hypothesis import given, settings
from hypothesis import strategies as st

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, mean, share, total
from welfare_analysis.estimation.calibration import _near, _solve
from welfare_analysis.estimation.replicates import covariance, jackknife, refit


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
    residual = (design.weights / f["w"].to_numpy()) * (
        z - design.residuals.x[design.residuals.cells] @ design.residuals.slopes(z)
    )[:, 0]
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


def test_raked_residuals_and_the_derivative(example):
    """Of raking the derivative has B weighted by w, not d: their gap goes with the change of the weights."""
    f, gaps = example(7), []
    d = f["w"].to_numpy()
    x = np.column_stack([f["d"] == "in", f["d"] == "out"]).astype(float)
    x = np.column_stack([x, f["x"]])
    for change in (0.04, 0.004):
        at_first, rise = x.T @ d, 1 + change * np.array([1.0, 0.0, 2.0])
        counts = at_first[:2] * rise[:2]
        margins = {"d": dict(zip(("in", "out"), counts, strict=True)), "x": at_first[2] * rise[2]}

        def value(w, m=margins):
            return mean(Design(w).calibrate(m, f), f["y"]).value.iloc[0]

        design = Design(d).calibrate(margins, f)
        w, z = design.weights, mean(design, f["y"]).influence.toarray()
        exact = (w / d * (z - x @ np.linalg.solve((x.T * w) @ x, (x.T * w) @ z)).T)[0]
        step, at = 1e-4, np.arange(len(f)) == 3
        slope = (value(d + step * at) - value(d - step * at)) / (2 * step)
        assert exact[3] == pytest.approx(slope, rel=1e-5)
        known = design.residuals
        ours = (w / d * (z - known.x[known.cells] @ known.slopes(z)).T)[0]
        gaps.append(np.abs(ours - exact).max() / np.abs(exact).max())
    assert gaps[1] < 0.3 * gaps[0] < 0.05


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), method=st.sampled_from(["raking", "linear"]))
@once(seed=49963, method="raking")  # a factor that is its bound to the last digit
def test_bounded_factors_are_the_nearest(example, drawn, seed, method):
    """Factors keep the bounds, reach the margins to 1e-8 and minimise the distance.

    A feasible move (which keeps the margins, and the factors at a bound) changes no distance in the first order
    (Karush, Kuhn and Tucker): the distance's slope is x' lambda where no bound binds.
    """
    f = example(seed)
    margins, (low, high) = _margins(f), (0.5, 2.5)
    try:
        design = drawn(f).calibrate(margins, f, method=method, bounds=(low, high))
    except WelfareError as error:
        assert "no weights reach all margins with factors from 0.5 to 2.5" in str(error)  # noqa: PT017
        return
    g = design.weights / f["w"].to_numpy()
    assert low - 1e-12 <= g.min()
    assert g.max() <= high + 1e-12
    assert design.weights @ f["x"] == pytest.approx(margins["x"], rel=1e-8)
    assert design.weights[f["b"]].sum() == pytest.approx(margins["b"][True], rel=1e-8)
    near = 1e-9 if method == "linear" else 1e-6  # the logit function comes as near to a bound as numbers can
    free = (g > low + near) & (g < high - near)
    slope = g - 1
    if method == "raking":
        slope[free] = np.log((g[free] - low) / (1 - low)) - np.log((high - g[free]) / (high - 1))
    x = np.column_stack([f["d"] == "in", f["d"] == "out", f["b"], ~f["b"], f["x"]]).astype(float)
    multiplier = np.linalg.lstsq(x[free], slope[free], rcond=None)[0]
    np.testing.assert_allclose(x[free] @ multiplier, slope[free], atol=1e-8)
    rest = x[~free] @ multiplier  # at the lower bound the free factor would lie below, at the upper above
    assert (np.where(g[~free] < 1, rest - slope[~free] <= 1e-8, rest - slope[~free] >= -1e-8)).all()


@pytest.mark.parametrize(
    ("method", "squares", "weights", "score", "enrolled"),
    [
        (
            "linear",
            230385.9748872857,
            [56.96681498434268, 31.24544568554018, 57.53989372253417, 40.38974562466804],
            [665.4877962065375, 3.417538886746885],
            376312.0926717146,
        ),
        (
            "raking",
            231077.8192963838,
            [55.66240914411493, 29.30275447956985, 56.47704252151644, 40.72623571651499],
            [665.460969428538, 3.419983721569447],
            378603.9494845972,
        ),
    ],
)
def test_bounded_calibration_of_r(apiclus1, method, squares, weights, score, enrolled):
    """R 4.2.2, survey 4.1.1, run 2026-11-24: `calibrate(clus1, ~stype+api99, ..., bounds=c(.7,1.7), calfun="linear")`.

    For raking `calfun="logit"`; rows 1, 50, 100 and 183, `svymean(~api00)`, `svytotal(~enroll)`; epsilon=1e-13.
    """
    design = Design(apiclus1["pw"], psu=apiclus1["dnum"], fpc=apiclus1["fpc"])
    margins = {"stype": {"E": 4421, "H": 755, "M": 1018}, "api99": 3914069}
    design = design.calibrate(margins, apiclus1, method, bounds=(0.7, 1.7))
    m = mean(design, apiclus1["api00"])
    np.testing.assert_allclose(design.weights @ design.weights, squares, rtol=1e-9)
    np.testing.assert_allclose(design.weights[[0, 49, 99, 182]], weights, rtol=1e-8)
    np.testing.assert_allclose([m.value.iloc[0], m.se.iloc[0]], score, rtol=1e-9)
    np.testing.assert_allclose(total(design, apiclus1["enroll"]).se, enrolled, rtol=1e-9)


@pytest.mark.parametrize("bounds", [(1.1, 2), (0.5, 0.9), (0.5,), (2, 0.5)])
def test_bad_bounds(example, drawn, bounds):
    """Bounds that do not hold the factor 1 between them are errors."""
    f = example(9)
    with pytest.raises(WelfareError, match="bounds: not a pair about 1"):
        drawn(f).calibrate({"1": 100}, f, bounds=bounds)


def test_why_the_raked_variances_of_r_differ():
    """On a two-stage sample R's `rake` and `calibrate` have other residuals for the same weights.

    R 4.2.2, survey 4.1.1, run 2026-11-24: `svymean(~api00)` of `svydesign(id=~dnum+snum, fpc=~fpc1+fpc2, apiclus2)`
    (its columns are in apiclus2.csv), raked to stype and sch.wide by `rake(epsilon=1e-10)`, 31.7275140668072, and by
    `calibrate(calfun="raking", epsilon=1e-12)`, 25.997541460421. By hand: unweighted means of the margins in turn, in
    the ten rounds that its raking took, give the first, the d-weighted regression the second; without end, the rounds
    are the unweighted regression.
    """
    f = pd.read_csv(Path(__file__).parent / "apiclus2.csv")
    d = 757 / 40 * f["fpc2"] / f.groupby("dnum")["dnum"].transform("size")
    design = Design(d, psu=[f["dnum"], f["snum"]], fpc=[f["fpc1"], f["fpc2"]])
    margins = {"stype": {"E": 4421, "H": 755, "M": 1018}, "sch.wide": {"No": 1072, "Yes": 5122}}
    raked = design.calibrate(margins, f)
    w = raked.weights
    z = (f["api00"].to_numpy() - w @ f["api00"] / w.sum()) / w.sum()

    def error(e):
        u, f1 = w * e, 40 / 757
        first = np.bincount(pd.factorize(f["dnum"])[0], weights=u)
        found = (1 - f1) * 40 * first.var(ddof=1)
        for _, unit in pd.DataFrame({"u": u, "N": f["fpc2"]}).groupby(f["dnum"]):
            n, N = len(unit), unit["N"].iloc[0]
            found += f1 * (1 - n / N) * n * (unit["u"].var() if n > 1 else 0.0)
        return np.sqrt(found)

    rounds = pd.Series(z)
    for _ in range(10):
        for margin in ("stype", "sch.wide"):
            rounds = rounds - rounds.groupby(f[margin]).transform("mean")
    assert error(rounds.to_numpy()) == pytest.approx(31.7275140668072, rel=1e-9)
    x = pd.get_dummies(f[["stype", "sch.wide"]]).to_numpy(float)
    by_d, by_one = (z - x @ (np.linalg.pinv((x.T * q) @ x) @ ((x.T * q) @ z)) for q in (d.to_numpy(), np.ones(len(f))))
    assert error(by_d) == pytest.approx(25.997541460421, rel=1e-9)
    assert error(by_one) == pytest.approx(31.7274500697, rel=1e-9)
    assert mean(raked, f["api00"]).se.iloc[0] == pytest.approx(error(by_d), rel=1e-9)
    free = Design(d, psu=f["dnum"]).calibrate(margins, f)
    weights = jackknife(free)
    spread = covariance(refit(free, lambda e: e.weights @ f["api00"] / e.weights.sum(), weights), weights)
    assert np.sqrt(spread.iloc[0, 0]) == pytest.approx(31.75, abs=0.005)


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


@pytest.mark.parametrize(
    ("method", "bounds", "spread"), [("raking", None, 2.0), ("linear", None, 1.0), ("raking", (0.3, 3.0), 0.3)]
)
def test_many_weights_at_once(example, drawn, method, bounds, spread):
    """Factors of many other weights, found together, are those of each alone, near the design's or far from them."""
    f = example(8)
    known = drawn(f).calibrate(_margins(f), f, method, bounds).residuals
    noise = np.random.default_rng(1).normal(size=(20, len(known.x)))
    mass = known.mass * np.exp(noise * np.linspace(0.05, spread, 20)[:, None])
    if spread > 1:
        assert not _near(mass, known)[1].all()  # these are found alone
    for d, g in zip(mass, known.factors(mass), strict=True):
        np.testing.assert_allclose((d * g) @ known.x, known.totals, rtol=1e-11)
        np.testing.assert_allclose(g, _solve(d, known)[0], rtol=1e-9)


def test_a_calibrated_census_has_no_error():
    """Everybody answered: values are those of the population, nothing varies; it stopped with an error of NumPy."""
    people = pd.DataFrame({"g": np.repeat(["a", "b"], 20), "y": np.arange(40) % 3})
    design = Design(np.ones(40), fpc=np.full(40, 40)).calibrate({"g": {"a": 20, "b": 20}}, people, method="raking")
    for by in (None, people["g"]):
        e = mean(design, people["y"], by=by)
        expected = people["y"].groupby(people["g"]).mean() if by is not None else [people["y"].mean()]
        np.testing.assert_allclose(e.value, expected, rtol=1e-14)
        assert (e.se == 0).all()
        assert (e.covariance() == 0).all().all()
        assert (e.table()[["low", "high"]].sub(e.table()["estimate"], axis=0).abs() < 1e-12).all().all()


def test_rows_of_weight_zero_need_no_margin():
    """They count for nothing: their categories and gaps are not calibrated, and nothing else changes."""
    f = pd.DataFrame({"g": ["a", "a", "b", "b", "c", None], "y": [1.0, 4, 2, 7, 100, 100]})
    w, margins = pd.Series([2.0, 1, 3, 1, 0, 0]), {"g": {"a": 5.0, "b": 6.0}}
    every, some = Design(w).calibrate(margins, f), Design(w[:4]).calibrate(margins, f[:4])
    np.testing.assert_allclose(every.weights, [*some.weights, 0, 0], rtol=1e-12)
    pd.testing.assert_frame_equal(mean(every, f["y"]).table(), mean(some, f["y"][:4]).table())
    moved = mean(every.with_replicates("jackknife"), f["y"]).se
    np.testing.assert_allclose(moved, mean(some.with_replicates("jackknife"), f["y"][:4]).se, rtol=1e-9)


@pytest.mark.parametrize(("known", "method"), [(100, "linear"), (120, "linear"), (100, "raking")])
def test_known_categories_leave_something(example, drawn, known, method):
    """Where those that are known fill the size, or more, the others would weigh nothing: it was 0, or below, unsaid."""
    f, margins = example(3), {"1": 100, "d": {"in": known, "out": None}}
    with pytest.raises(WelfareError, match=r"d: the known categories leave nothing of 100.*less than the size"):
        drawn(f).calibrate(margins, f, method)
    kept = f[f["d"] == "in"]  # nobody is in the other
    assert Design(kept["w"]).calibrate(margins | {"1": known}, kept, method).weights.sum() == pytest.approx(known)


@pytest.mark.parametrize("method", ["linear", "raking"])
def test_margins_that_say_the_same(example, drawn, method):
    """Categories that fill a size that is also given repeat it: weights and errors are those without the repetition."""
    f = example(4).assign(one=1.0)
    known, size = {"d": {"in": 90.0, "out": 110.0}, "b": {True: 60.0, False: 140.0}}, 200.0
    single, twice = (drawn(f).calibrate(m, f, method) for m in (known, {"1": size, "one": size} | known))
    np.testing.assert_allclose(twice.weights, single.weights, rtol=1e-9)
    np.testing.assert_allclose(total(twice, f["y"]).se, total(single, f["y"]).se, rtol=1e-9)
    np.testing.assert_allclose(*(total(d, f["y"]).refit("jackknife").se for d in (twice, single)), rtol=1e-9)
    with pytest.raises(WelfareError, match=r"no weights reach all margins; got .gaps.* by "):
        drawn(f).calibrate({"one": 1.1 * size} | known, f, method)
