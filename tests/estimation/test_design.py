"""Rules that the variance of every design obeys."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, mean, ratio, total
from welfare_analysis.estimation.influence import Influence
from welfare_analysis.estimation.stages import Term

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
        (-2.0, "negative"),
        (np.inf, "infinite"),
        ("heavy", "not numbers"),
        ("1.5", "not numbers"),
    ],
)
def test_bad_weights(weight, rule):
    """A weight that is missing, negative, infinite or text is an error that says so."""
    with pytest.raises(WelfareError, match=f"weights.*{rule}"):
        Design(pd.Series([1.0, weight, 2.0], dtype=object))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"strata": [1, 1, 2, 1]}, "1 strata have a single PSU.*Merge strata"),
        ({"strata": [1, 1, 2, 2], "psu": np.array([1, 1, 2, 2])}, "2 strata have a single PSU"),
        ({"strata": [1, 1, 2, 2], "psu": np.array([1, 2, 1, 2])}, "PSU label occurs in two strata.*nest=True"),
        (
            {"single_psu": "average"},
            "single_psu: unknown rule; got 'average'; expected fail or centre or collapse or certainty",
        ),
        ({"strata": [1, 1, 2, 1]}, 'say single_psu="collapse" or "centre"'),
        ({"psu": np.ones(4), "single_psu": "centre"}, "1 strata have a single PSU"),
        ({"psu": np.ones(4), "single_psu": "collapse"}, "1 strata have a single PSU"),
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


# A stratum (2) with a single PSU.
ALONE = pd.DataFrame(
    {
        "h": [1, 1, 1, 1, 2, 2, 3, 3, 3],
        "c": [1, 1, 2, 3, 4, 4, 5, 6, 6],
        "N": [10, 10, 10, 10, 7, 7, 5, 5, 5],
        "w": [3.0, 2, 4, 1, 5, 2, 2, 3, 6],
        "y": [5.0, 7, 1, 9, 12, 3, 8, 4, 6],
    }
)


@pytest.mark.parametrize(
    ("fpc", "adjusted", "certain"),
    [(True, 1.041188908903338, 0.711141036886512), (False, 1.19132379932388, 0.8628484785153773)],
)
def test_a_single_psu_is_centred(fpc, adjusted, certain):
    """The rule "centre" equals R's "adjust" for a mean, a stratum taken whole its "certainty".

    R 4.2.2, survey 4.1.1, run 2026-11-24: `svymean(~y, svydesign(id=~c, strata=~h, weights=~w[, fpc=~N]))` with
    `options(survey.lonely.psu="adjust")` or `"certainty"`. For a total R takes the PSU's total about zero (66^2 here),
    not about the mean of all PSUs as it says; ours is by hand.
    """
    f = ALONE
    design = Design(f["w"], f["h"], f["c"], f["N"] if fpc else None, single_psu="centre")
    assert mean(design, f["y"]).se.iloc[0] == pytest.approx(adjusted, rel=1e-12)
    assert design.notes == ("strata with a single PSU, centred at the mean of all PSUs: 2",)
    T, h = (f["w"] * f["y"]).groupby(f["c"]).sum(), f.groupby("c")["h"].first()
    rate = {1: 0.3, 2: 1 / 7, 3: 0.4} if fpc else dict.fromkeys((1, 2, 3), 0.0)
    expected = sum((1 - rate[k]) * len(t) * t.var() for k, t in T.groupby(h) if len(t) > 1)
    expected += (1 - rate[2]) * (T[4] - T.mean()) ** 2
    assert total(design, f["y"]).se.iloc[0] ** 2 == pytest.approx(expected, rel=1e-12)
    whole = Design(f["w"], f["h"], f["c"], f["N"].where(f["h"] != 2, 1) if fpc else None, single_psu="centre")
    if fpc:
        assert mean(whole, f["y"]).se.iloc[0] == pytest.approx(certain, rel=1e-12)


def test_a_single_psu_is_merged(example):
    """The rule "collapse" is the design of the merged strata, their counts added, in whatever order the rows are."""
    f = ALONE
    merged = Design(f["w"], f["h"].replace(2, 3), f["c"], f["N"].where(f["h"] == 1, 12))
    for g in (f, f.iloc[::-1], f.sample(frac=1, random_state=4)):
        design = Design(g["w"], g["h"], g["c"], g["N"], single_psu="collapse")
        assert design.notes == ("strata merged, for a single PSU: 2, 3",)
        assert design.df == merged.df == 4
        np.testing.assert_allclose(total(design, g["y"]).se, total(merged, f["y"]).se, rtol=1e-12)
    last = Design(f["w"], f["h"].replace({2: 9}), f["c"], single_psu="collapse")
    assert last.notes == ("strata merged, for a single PSU: 3, 9",)
    whole = Design(f["w"], f["h"], f["c"], f["N"].where(f["h"] != 3, 2), single_psu="collapse")
    assert whole.notes == ("strata merged, for a single PSU: 1, 2",)  # a stratum taken whole is no neighbour
    nothing = Design(f["w"][:4], f["h"][:4], f["c"][:4], single_psu="collapse")
    assert nothing.notes == ()


def test_notes_go_on():
    """What was done to a design is said also after calibration, which says how many weights it made negative."""
    design = Design(ALONE["w"], ALONE["h"], ALONE["c"], single_psu="collapse")
    moved = design.calibrate({"y": 20.0}, ALONE, "linear")
    assert moved.notes == (*design.notes, "weights made negative by calibration: 1")


@few
@given(seed=SEEDS)
def test_superpopulation_is_with_replacement(example, drawn, seed):
    """For what is true of the superpopulation the first stage is with replacement: fpc and later stages go."""
    f = example(seed)
    size = f.groupby("psu")["psu"].transform("size") + 3.0
    staged = Design(f["w"], f["stratum"], [f["psu"], f.index.to_series()], [f["fpc"], size])
    free = Design(f["w"], f["stratum"], f["psu"])
    for design in (drawn(f), staged):
        np.testing.assert_allclose(_results(design.superpopulation(), f), _results(free, f), rtol=1e-10)
    simple = Design(pd.Series(4.0, index=f.index), fpc=pd.Series(4.0 * len(f), index=f.index))
    both = simple._with(model=(Term(np.arange(len(f)), 1 / simple.weights),))  # V_p + sum w z^2, by the definition
    z = mean(simple, f["y"]).influence
    n = len(f)
    np.testing.assert_allclose(both.variance(z), simple.superpopulation().variance(z) * (1 - 0.25 / n), rtol=1e-10)


def test_superpopulation_of_a_census():
    """All units taken: the population has no error, the model's mean has that of N draws; PSUs alone count by row."""
    y = np.array([1.0, 4, 2, 9, 3, 5])
    census = Design(np.ones(6), fpc=np.full(6, 6))
    assert mean(census, y).se.iloc[0] == 0
    assert mean(census.superpopulation(), y).se.iloc[0] == pytest.approx(y.std(ddof=1) / np.sqrt(6), rel=1e-12)
    strata = Design(np.ones(6), strata=np.arange(6), fpc=np.ones(6))
    assert mean(strata.superpopulation(), y).se.iloc[0] == pytest.approx(y.std() / np.sqrt(6), rel=1e-12)


@pytest.mark.parametrize("calibrated", [False, True])
def test_model_coefficients_cover_in_repeated_populations(calibrated):
    """Two phases with a part known with certainty: populations are drawn from a model, then samples from them.

    The variance of `superpopulation` is that of the slope about the model's; the plain design takes the population for
    fixed, and its error is too small. Units are drawn alike, so which of them are in the sample does not matter.
    """
    rng, known, seen, n = np.random.default_rng(3), 280, 360, 480
    size = [known] * known + [200] * 120
    first = Design(pd.Series(np.r_[np.ones(known), np.full(120, 5 / 3)]), np.arange(400) >= known, fpc=size)
    weights = pd.Series(np.r_[np.ones(known), np.full(80, 1.5)])
    second = Design(weights, np.arange(seen) >= known, fpc=[known] * known + [120] * 80)
    phases = Design.two_phase(first, second)
    errors, plain, whole = [], [], []
    for _ in range(250 if calibrated else 700):
        x = rng.normal(size=n)
        y = 1 + 2 * x[:seen] + rng.normal(size=seen) * (1 + 0.5 * np.abs(x[:seen]))
        design = phases
        if calibrated:
            design = design.calibrate({"1": n, "x": x.sum()}, pd.DataFrame({"x": x[:seen]}), "linear")
        X, w = np.column_stack([np.ones(seen), x[:seen]]), design.weights
        bread = np.linalg.inv((X.T * w) @ X)
        beta = bread @ (X.T @ (w * y))
        z = ((y - X @ beta)[:, None] * X) @ bread[:, [1]]
        errors.append(beta[1] - 2)
        plain.append(design.unbiased(z)[0][0])
        whole.append(design.superpopulation().unbiased(z)[0][0])
    spread = np.mean(np.square(errors))
    assert 0.85 < np.mean(whole) / spread < 1.15
    assert np.mean(plain) / spread < 0.75


def test_superpopulation_of_replicates():
    """Replicate weights do not tell what finite correction is in them."""
    made = Design.from_replicates(np.ones(4), [[1.0, 2], [2, 1], [1, 1], [0, 1]], "bootstrap")
    with pytest.raises(WelfareError, match="do not tell the finite correction"):
        made.superpopulation()


@few
@given(seed=SEEDS, calibrated=st.booleans(), where=st.booleans())
def test_variances_by_domain_are_those_of_the_matrix(example, seed, calibrated, where):
    """Variances from sums by domain equal those of the matrix of influences, for every kind of design."""
    f = example(seed)
    rng = np.random.default_rng(seed)
    size = f["stratum"].map({0: 60, 1: 80, 2: 90})
    seen = f[f.groupby("stratum").cumcount() % 3 != 2]
    count = f.groupby("stratum")["stratum"].transform("size")[seen.index]
    second = Design(count / seen.groupby("stratum")["w"].transform("size"), strata=seen["stratum"], fpc=count)
    designs = [
        Design(f["w"], f["stratum"], f["psu"], f["fpc"]),
        Design(f["w"], fpc=pd.Series(99, index=f.index)),
        Design.two_phase(Design(f["w"], f["stratum"], fpc=size), second),
        Design.two_phase(Design(f["w"], f["stratum"], f["psu"], size), second).superpopulation(),
    ]
    for design in designs:
        if calibrated:
            w = design.weights.sum()
            design = design.calibrate({"1": w, "x": 3.1 * w}, f.loc[design.index], "linear")
        domain = rng.integers(-1 if where else 0, 3, design.n)
        values, scale = rng.normal(5, 1, (design.n, 2)), rng.uniform(1, 2, (2, 3))
        z = Influence(lambda j, v=values: v[:, j], 2, domain, 3, scale)
        for found, matrix in zip(design.unbiased(z), design.unbiased(z.tocsr()), strict=True):
            np.testing.assert_allclose(found, matrix, rtol=1e-9, atol=1e-9 * np.abs(matrix).max())


@few
@given(seed=SEEDS, calibrated=st.booleans())
def test_dense_and_sparse_influences(example, drawn, seed, calibrated):
    """Influences as an array have the covariance of the same as a sparse matrix, also by replicate weights."""
    f = example(seed)
    rng = np.random.default_rng(seed)
    given_weights = f["w"].to_numpy()[:, None] * rng.uniform(0.5, 1.5, (len(f), 6))
    for design in (drawn(f), Design.from_replicates(f["w"], given_weights, "bootstrap"), drawn(f).superpopulation()):
        if calibrated:
            design = design.calibrate({"1": f["w"].sum()}, f, "linear")
        z = rng.normal(5, 1, (len(f), 3)) * (rng.random((len(f), 3)) < 0.8)
        np.testing.assert_allclose(design.covariance(z), design.covariance(sparse.csr_array(z)), rtol=1e-9)
        np.testing.assert_array_equal(np.diagonal(design.covariance(z)), design.variance(z))
