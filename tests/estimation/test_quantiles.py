"""Weighted quantiles and Woodruff's intervals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, mean, quantile, share


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), q=st.floats(0.02, 0.98))
def test_smallest_value_that_reaches_q(example, drawn, seed, q):
    """The quantile is the smallest value at or below which lies a share of at least q, in each domain."""
    f = example(seed).round({"y": 0})
    found = quantile(drawn(f), f["y"], q, by=f["d"]).value
    for name, part in f.groupby("d"):
        reached = part.groupby("y")["w"].sum().cumsum() / part["w"].sum()
        assert found[name] == reached.index[np.flatnonzero(reached >= q)[0]]


def test_interval_by_hand(example, drawn):
    """The interval is that of the share at or below the quantile, read back; the error is its half-width over t."""
    f = example(31)
    e = quantile(drawn(f), f["y"], 0.5)
    s = share(drawn(f), f["y"] <= e.value.iloc[0])
    half = stats.t.ppf(0.975, s.df.iloc[0]) * s.se.iloc[0]
    reached = f.sort_values("y").set_index("y")["w"].cumsum() / f["w"].sum()
    bounds = [reached.index[np.searchsorted(reached, s.value.iloc[0] + sign * half)] for sign in (-1, 1)]
    assert e.interval().iloc[0].tolist() == bounds
    assert e.se.iloc[0] == pytest.approx((bounds[1] - bounds[0]) / 2 / stats.t.ppf(0.975, s.df.iloc[0]))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_order_and_scale(example, drawn, seed):
    """The order of rows and the scale of weights change nothing; quantiles rise with q and hold their intervals."""
    f = example(seed)
    mixed = f.sample(frac=1, random_state=seed)
    last = -np.inf
    for q in (0.1, 0.25, 0.5, 0.9):
        e, m = quantile(drawn(f), f["y"], q), quantile(drawn(mixed.assign(w=mixed["w"] * 7)), mixed["y"], q)
        low, high = e.interval().iloc[0]
        np.testing.assert_allclose([*m.value, *m.se], [*e.value, *e.se], rtol=1e-9)
        assert low <= e.value.iloc[0] <= high
        assert e.value.iloc[0] >= last
        last = e.value.iloc[0]


def test_median_of_normal_answers():
    """The error of a median of normal answers is near sqrt(pi / 2) that of the mean."""
    y = np.random.default_rng(5).normal(0, 1, 4000)
    design = Design(np.ones(4000))
    assert quantile(design, y).se.iloc[0] / mean(design, y).se.iloc[0] == pytest.approx(np.sqrt(np.pi / 2), rel=0.15)


def test_coverage():
    """95 % intervals of a median hold the truth in 93 to 97 % of 1,000 stratified samples with finite corrections."""
    rng = np.random.default_rng(8)
    sizes, h = np.array([400, 600]), np.repeat([0, 1], [60, 90])
    y = rng.normal(10 + 4 * np.repeat([0, 1], sizes), 3)
    design = Design((sizes / [60, 90])[h], strata=h, fpc=sizes[h])
    rows = np.vstack(
        [
            start + np.array([rng.choice(N, n, replace=False) for _ in range(1000)]).T
            for start, N, n in ((0, 400, 60), (400, 600, 90))
        ]
    )
    bounds, truth = quantile(design, pd.DataFrame(y[rows])).interval(), np.sort(y)[499]
    held = ((bounds["low"] <= truth) & (truth <= bounds["high"])).sum()
    assert 930 <= held <= 970


def test_missing_answers_are_left_out_and_counted(example, drawn):
    """Rows without an answer do not move the quantile; the table says how many they were."""
    f = example(37)
    y = f["y"].where(f.index > 4)
    e = quantile(drawn(f), y)
    assert e.value.iloc[0] == quantile(drawn(f), f["y"], where=f.index > 4).value.iloc[0]
    assert e.table().loc[0, ["n", "missing"]].tolist() == [len(f) - 5, 5]


def test_all_answers_at_or_below(example, drawn):
    """Where all answers are at or below the quantile, the error of that share of 1 is the posterior's, not zero."""
    f = example(37)
    top = f["y"].clip(upper=f["y"].quantile(0.3))
    e = quantile(drawn(f), top)
    assert e.value.iloc[0] == top.max()
    half = stats.t.ppf(0.975, e.df.iloc[0]) * share(drawn(f), top <= top.max()).se.iloc[0]
    reached = pd.DataFrame({"y": top, "w": f["w"]}).groupby("y")["w"].sum().cumsum() / f["w"].sum()
    assert e.interval().iloc[0].tolist() == [reached.index[np.searchsorted(reached, max(1 - half, 0))], top.max()]
    high = quantile(Design(np.ones(20)), np.arange(20.0), 0.97)
    low = stats.t.ppf(0.975, 19) * stats.beta(1, 21).std()
    assert high.interval().iloc[0].tolist() == [np.ceil(20 * (1 - low)) - 1, 19]
    assert high.se.iloc[0] == pytest.approx((20 - np.ceil(20 * (1 - low))) / 2 / stats.t.ppf(0.975, 19))


def test_negative_weights_have_no_quantile(example):
    """Linear calibration may give negative weights; a distribution function that falls has no quantile."""
    f = example(7)
    low = Design(f["w"]).calibrate({"1": 100, "x": 550.0}, f, method="linear")
    assert (low.weights < 0).any()
    with pytest.raises(WelfareError, match=r"weights are negative.*raking"):
        quantile(low, f["y"])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), q=st.floats(0.02, 0.98))
def test_midpoints(example, drawn, seed, q):
    """The midpoint rule is linear between values placed at the middle of their step; low and high are alike."""
    f = example(seed).round({"y": 0})
    found = quantile(drawn(f), f["y"], q, by=f["d"], rule="midpoint")
    mirrored = quantile(drawn(f), -f["y"], 1 - q, by=f["d"], rule="midpoint")
    np.testing.assert_allclose(found.value, -mirrored.value, rtol=1e-9)
    for name, part in f.groupby("d"):
        step = part.groupby("y")["w"].sum() / part["w"].sum()
        assert found.value[name] == pytest.approx(np.interp(q, step.cumsum() - step / 2, step.index), rel=1e-9)
    low, high = found.interval().to_numpy().T
    assert ((low <= found.value) & (found.value <= high)).all()


def test_midpoint_interval_by_hand(example, drawn):
    """Its interval is that of the share at or below the quantile, read back by the same rule."""
    f = example(31)
    e = quantile(drawn(f), f["y"], 0.5, rule="midpoint")
    s = share(drawn(f), f["y"] <= e.value.iloc[0])
    half = stats.t.ppf(0.975, s.df.iloc[0]) * s.se.iloc[0]
    step = f.sort_values("y").set_index("y")["w"] / f["w"].sum()
    bounds = np.interp(s.value.iloc[0] + np.array([-half, half]), step.cumsum() - step / 2, step.index)
    np.testing.assert_allclose(e.interval().iloc[0], bounds, rtol=1e-9)


def test_several_variables_are_each_alone(example, drawn):
    """Several variables by domains, with gaps of their own, have the values, errors and counts of each alone."""
    f = example(33)
    frame = f[["y", "x"]].assign(gap=f["y"].where(f.index > 4))
    for rule in ("smallest", "midpoint"):
        both = quantile(drawn(f), frame, 0.4, by=f["d"], rule=rule)
        for name in frame:
            alone = quantile(drawn(f), frame[name], 0.4, by=f["d"], rule=rule)
            pd.testing.assert_frame_equal(both.interval().loc[name], alone.interval())
            np.testing.assert_allclose(both.se[name], alone.se, rtol=1e-12)
            assert both.counts.loc[name, "missing"].tolist() == alone.counts["missing"].tolist()
    z = both.influence.toarray()
    np.testing.assert_allclose(z[:, 4:], alone.influence.toarray(), rtol=1e-12)


def test_many_domains():
    """More domains than a byte counts are kept apart."""
    rng = np.random.default_rng(2)
    y, d = rng.normal(size=3000), rng.integers(0, 300, 3000)
    found = quantile(Design(np.ones(3000)), y, by=d).value
    expected = [np.quantile(y[d == k], 0.5, method="inverted_cdf") for k in range(300)]
    np.testing.assert_allclose(found.sort_index(), expected)


@pytest.mark.parametrize(
    ("variable", "q", "message"),
    [
        ("y", 0.0, "q: not between 0 and 1; got 0.0"),
        ("y", 1.5, "q: not between 0 and 1; got 1.5"),
        ("y", [0.1, 5], "q: not between 0 and 1; got 5"),
        ("y", [], "q: not between 0 and 1"),
        ("y", np.nan, "q: not between 0 and 1; got nan"),
        ("d", 0.5, "d: a variable is not numeric"),
        ("gap", 0.5, "gap: no respondent answered; got .'out'"),
    ],
)
def test_bad_calls(example, drawn, variable, q, message):
    """What has no quantile is an error that names it."""
    f = example(41)
    f = pd.concat([f, f["y"].where(f["d"] == "in").rename("gap")], axis=1)
    with pytest.raises(WelfareError, match=message):
        quantile(drawn(f), f[variable], q, by=f["d"])


def test_unknown_rule(example, drawn):
    """A rule that is not known is named."""
    with pytest.raises(WelfareError, match="rule: unknown rule; got 'hf7'; expected smallest or midpoint"):
        quantile(drawn(example(1)), example(1)["y"], rule="hf7")
