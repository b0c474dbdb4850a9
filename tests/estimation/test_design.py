"""Rules that the variance of every design obeys."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, mean, ratio, total

SEEDS = st.integers(0, 2**32 - 1)
few = settings(max_examples=15, deadline=None)


def _results(design, f):
    estimates = (mean(design, f[["y", "x"]], by=f["d"]), total(design, f["y"]), ratio(design, f["y"], f["x"]))
    return np.concatenate([np.concatenate([e.value, e.se, e.df]) for e in estimates])


@few
@given(seed=SEEDS)
def test_order_of_rows(example, drawn, seed):
    """The order of the rows changes nothing."""
    f = example(seed)
    mixed = f.sample(frac=1, random_state=seed)
    np.testing.assert_allclose(_results(drawn(mixed), mixed), _results(drawn(f), f), rtol=1e-10)


@few
@given(seed=SEEDS, scale=st.floats(1e-3, 1e3))
def test_scale_of_weights(example, drawn, seed, scale):
    """Weights times c leave means and their errors; totals and their errors are times c."""
    f = example(seed)
    base, moved = drawn(f), drawn(f.assign(w=f["w"] * scale))
    m, n = mean(base, f["y"]), mean(moved, f["y"])
    t, u = total(base, f["y"]), total(moved, f["y"])
    np.testing.assert_allclose([*n.value, *n.se], [*m.value, *m.se], rtol=1e-10)
    np.testing.assert_allclose([*u.value, *u.se], [scale * t.value.iloc[0], scale * t.se.iloc[0]], rtol=1e-10)


@few
@given(seed=SEEDS)
def test_names_of_strata_and_psus(example, drawn, seed):
    """Labels are names: text for numbers, or another order of them, changes nothing."""
    f = example(seed)
    named = f.assign(stratum=f["stratum"].map({0: "z", 1: "a", 2: "m"}), psu=(-f["psu"]).astype(str))
    np.testing.assert_allclose(_results(drawn(named), named), _results(drawn(f), f), rtol=1e-10)


@few
@given(seed=SEEDS, part=st.floats(0.05, 0.95))
def test_a_row_split_in_two(example, drawn, seed, part):
    """A row split in two of the same PSU, the weight shared, leaves values and errors."""
    f = example(seed)
    split = pd.concat([f, f.iloc[[4]]], ignore_index=True)
    split.loc[4, "w"] *= part
    split.loc[len(f), "w"] *= 1 - part
    np.testing.assert_allclose(_results(drawn(split), split), _results(drawn(f), f), rtol=1e-10)


def test_psus_numbered_anew_in_each_stratum(example, drawn):
    """With nest=True the same label in two strata is two PSUs."""
    f = example(3)
    nested = Design(f["w"], strata=f["stratum"], psu=f["psu"] % 10, fpc=f["fpc"], nest=True)
    np.testing.assert_allclose(_results(nested, f), _results(drawn(f), f), rtol=1e-12)
    assert nested.df == drawn(f).df == f["psu"].nunique() - 3


def test_three_stages_by_hand():
    """Three stages equal the nested sum of result 4.3.1 of Särndal, Swensson and Wretman (1992), by a loop."""
    rng = np.random.default_rng(8)
    rows = [
        (h, a, b, c, 5 + h, 6 + a % 3, 4 + b % 2)
        for h in range(2)
        for a in range(2 + h)
        for b in range(3)
        for c in range(2)
    ]
    f = pd.DataFrame(rows, columns=["h", "a", "b", "c", "Na", "Nb", "Nc"])
    f["a"] += 10 * f["h"]
    f["b"] += 10 * f["a"]
    sizes = [f.groupby("h")["a"].transform("nunique"), f.groupby("a")["b"].transform("nunique"), 2]
    rates = [sizes[0] / f["Na"], sizes[1] / f["Nb"], sizes[2] / f["Nc"]]
    f["w"] = 1 / (rates[0] * rates[1] * rates[2])
    f["y"] = rng.normal(20, 5, len(f))
    design = Design(f["w"], f["h"], psu=[f["a"], f["b"], f.index.to_series()], fpc=[f["Na"], f["Nb"], f["Nc"]])

    expected = 0.0
    u = f["w"] * f["y"]
    for _, stratum in f.groupby("h"):
        units = u[stratum.index].groupby(stratum["a"]).sum()
        f1 = len(units) / stratum["Na"].iloc[0]
        expected += (1 - f1) * len(units) * units.var()
        for _, first in stratum.groupby("a"):
            seconds = u[first.index].groupby(first["b"]).sum()
            f2 = len(seconds) / first["Nb"].iloc[0]
            expected += f1 * (1 - f2) * len(seconds) * seconds.var()
            for _, second in first.groupby("b"):
                f3 = len(second) / second["Nc"].iloc[0]
                expected += f1 * f2 * (1 - f3) * len(second) * u[second.index].var()
    assert total(design, f["y"]).se.iloc[0] ** 2 == pytest.approx(expected, rel=1e-12)
    assert design.df == 5 - 2


def test_a_census_has_no_variance(example):
    """All units taken: the standard error is exactly zero, also of a stratum with one unit."""
    f = example(5)
    size = f.groupby("stratum")["psu"].transform("nunique")
    assert total(Design(f["w"], f["stratum"], f["psu"], size), f["y"]).se.iloc[0] == 0
    certain = Design([1.0, 2.0, 2.0], strata=[0, 1, 1], fpc=np.array([1, 4, 4]))
    assert total(certain, [5.0, 1.0, 3.0]).se.iloc[0] ** 2 == pytest.approx(4**2 * (1 - 2 / 4) * 2 / 2)


def test_a_list_of_labels_is_one_stage(example, drawn):
    """A plain list of labels is one column; a list (or tuple) of columns has an item a stage."""
    f = example(3)
    plain = Design(f["w"], f["stratum"], psu=f["psu"].tolist(), fpc=f["fpc"].tolist())
    staged = Design(f["w"], f["stratum"], psu=(f["psu"],), fpc=[f["fpc"]])
    np.testing.assert_array_equal(_results(plain, f), _results(drawn(f), f))
    np.testing.assert_array_equal(_results(staged, f), _results(drawn(f), f))


@pytest.mark.parametrize(
    ("weight", "rule"),
    [
        (np.nan, "missing"),
        (None, "missing"),
        (0.0, "zero or negative"),
        (-2.0, "zero or negative"),
        (np.inf, "infinite"),
        ("heavy", "not numbers"),
        ("1.5", "not numbers"),
    ],
)
def test_bad_weights(weight, rule):
    """A weight that is missing, zero, negative, infinite or text is an error that says so."""
    with pytest.raises(WelfareError, match=f"weights.*{rule}"):
        Design(pd.Series([1.0, weight, 2.0], dtype=object))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"strata": [1, 1, 2, 1]}, "1 strata have a single PSU.*Merge strata"),
        ({"strata": [1, 1, 2, 2], "psu": np.array([1, 1, 2, 2])}, "2 strata have a single PSU"),
        ({"strata": [1, 1, 2, 2], "psu": np.array([1, 2, 1, 2])}, "PSU label occurs in two strata.*nest=True"),
        ({"fpc": np.full(4, 3.0)}, "fpc, stage 1: the population is smaller than the sample; got 3.0.*4 units"),
        ({"fpc": np.full(4, 0.5)}, "fpc is a count of units, not a rate"),
        ({"fpc": np.array([9, 9, 9, 8])}, "fpc, stage 1: it differs within a stratum"),
        ({"fpc": np.array([9, 9, 9, np.nan])}, "fpc, stage 1: a count is missing"),
        ({"strata": [1, 1, 1]}, "strata: its length is not that of the design; got 3; expected 4 rows"),
        ({"strata": [1, 1, 1, None]}, "strata: 1 rows have no value"),
        ({"psu": np.array([1.0, 2, 3, np.nan])}, "psu, stage 1: 1 rows have no value"),
        ({"psu": "dnum"}, "psu, stage 1: its length is not that of the design; got 'a single value'"),
        ({"strata": np.ones((4, 2))}, "strata: it is not one column; got .4, 2."),
        ({"fpc": 100}, "fpc, stage 1: its length is not that of the design"),
        ({"fpc": [-9.0] * 4}, "the population is smaller than the sample; got -9.0"),
        ({"fpc": ["many"] * 4}, "fpc, stage 1: it is not numeric"),
        ({"fpc": [np.full(4, 9), np.full(4, 9)]}, "fpc: more counts than stages; got 2; expected at most 1"),
        (
            {"psu": [[1, 1, 2, 2], [1, 1, 2, 3]], "fpc": [[9] * 4, [9] * 4]},
            "psu, stage 2: 1 units of stage 1 have a single unit of stage 2",
        ),
    ],
)
def test_bad_designs(arguments, message):
    """A design whose variance is not defined is an error that names the argument."""
    with pytest.raises(WelfareError, match=message):
        Design(np.ones(4), **arguments)
