"""Replicates spread as the linearised variance says, for every design; R's jackknives."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, mean, total
from welfare_analysis.estimation import replicates as rep

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
STYPE = {"E": 4421, "H": 755, "M": 1018}
MARGINS = {
    "": None,
    "+ps": ({"stype": STYPE}, "poststratify"),
    "+rk": ({"stype": STYPE, "sch.wide": {"No": 1072, "Yes": 5122}}, "raking"),
    "+gr": ({"stype": STYPE, "api99": 3914069}, "linear"),
}


def _statistics(f):
    X = np.column_stack([np.ones(len(f)), f["ell"], f["meals"]])

    awarded, y, enrolled = f["awards"].to_numpy() == "Yes", f["api00"].to_numpy(), f["enroll"].to_numpy()

    def estimator(d):
        w = d.weights
        slopes = np.linalg.solve((X.T * w) @ X, (X.T * w) @ y)
        return pd.Series(
            {
                "mean|api00": w @ y / w.sum(),
                "total|enroll": w @ enrolled,
                "ratio": w @ f["api.stu"] / (w @ enrolled),
                "dom mean|Yes": w[awarded] @ y[awarded] / w[awarded].sum(),
                "lm|ell": slopes[1],
            }
        )

    return estimator


def reference(apistrat, apiclus1):
    """Our value of every jackknife key of data/reference/survey_api.csv (and others that it does not hold)."""
    clus = Design(apiclus1["pw"], psu=apiclus1["dnum"])
    designs = {
        f"JK1{k}": (clus if m is None else clus.calibrate(m[0], apiclus1, m[1]), apiclus1) for k, m in MARGINS.items()
    }
    designs["JKn"] = Design(apistrat["pw"], apistrat["stype"]), apistrat
    designs["JKn fpc"] = Design(apistrat["pw"], apistrat["stype"], fpc=apistrat["fpc"]), apistrat
    found = {}
    for name, (design, f) in designs.items():
        weights, estimator = rep.jackknife(design), _statistics(f)
        spread = rep.covariance(rep.refit(design, estimator, weights), weights)
        for key, value in estimator(design).items():
            found |= {f"{name}|{key}.est": value, f"{name}|{key}.se": np.sqrt(spread.loc[key, key])}
    return found


def test_jackknives_of_r(apistrat, apiclus1):
    """Estimates and standard errors of R's jackknives to 1e-9, weights calibrated again in each replicate.

    In `JK1+rk|total` R's own iteration stopped 2.8e-9 away: R 4.2.2, survey 4.1.1, run 2026-11-24, `svytotal(~enroll,
    rake(as.svrepdesign(clus1nf, type="JK1"), ..., control=list(maxit=2000, epsilon=1e-13)))` has 468244.5447444079.
    """
    stored = pd.read_csv(REFERENCE / "survey_api.csv", index_col="key")["value"]
    keys = [k for k in stored.index if k.startswith("JK")]
    ours = reference(apistrat, apiclus1)
    assert len(keys) == 28
    for key in keys:
        rtol = 1e-8 if key.startswith("JK1+rk|total") else 1e-9
        np.testing.assert_allclose(ours[key], float(stored[key]), rtol=rtol, err_msg=key)
    assert ours["JK1+rk|total|enroll.se"] == pytest.approx(468244.5447444079, rel=1e-9)


def _two_stage(f):
    """Two units and all three rows of the first, two rows of three in the others."""
    size = f.groupby("psu")["psu"].transform("size")
    return Design(f["w"], f["stratum"], psu=[f["psu"], f.index.to_series()], fpc=[f["fpc"], size + 1.0])


def _two_phase(f, clustered=False):
    """Two of three rows that were drawn of each stratum answer; with clusters two of three of each domain."""
    size = f["stratum"].map({0: 60, 1: 80, 2: 90})
    classes = "d" if clustered else "stratum"
    base = Design(f["w"], f["stratum"], f["psu"] if clustered else None, size)
    seen = f[f.groupby(classes).cumcount() % 3 != 2]
    count = f.groupby(classes)[classes].transform("size")[seen.index]
    second = Design(count / seen.groupby(classes)[classes].transform("size"), strata=seen[classes], fpc=count)
    return Design.two_phase(base, second)


def _single(f, rule):
    """A stratum with one PSU."""
    alone = f["stratum"].where(f["psu"] != f["psu"].iloc[0], 9)
    return Design(f["w"], alone, f["psu"], fpc=alone.map({0: 8, 1: 11, 2: 20, 9: 5}), single_psu=rule)


DESIGNS = {
    "simple": lambda f: Design(f["w"], fpc=pd.Series(90.0, index=f.index)),
    "replacement": lambda f: Design(f["w"], f["stratum"], f["psu"]),
    "clusters": lambda f: Design(f["w"], f["stratum"], f["psu"], f["fpc"]),
    "stages": _two_stage,
    "phases": _two_phase,
    "centre": lambda f: _single(f, "centre"),
    "collapse": lambda f: _single(f, "collapse"),
    "superpopulation": lambda f: _two_phase(f).superpopulation(),
    "half-samples": lambda f: Design(f["w"], f["stratum"], f["psu"] % 10 % 2, nest=True),
}


def _matrix(terms, n):
    """The matrix of a variance, from its terms."""
    Q = np.zeros((n, n))
    for t in terms:
        member = np.eye(t.groups)[:, t.codes] if t.mix is None else t.mix[:, t.codes]
        Q += (member.T * t.coefficients) @ member
    return Q


def _drawn(pieces, n):
    """The covariance matrix of a, from its independent pieces."""
    Q = np.zeros((n, n))
    for p in pieces:
        unit = np.eye(len(p.scale))
        if p.root is not None:
            root = p.root
        elif p.parents is None:
            root = p.scale[:, None] * unit
        else:
            same = p.parents[:, None] == p.parents[None, :]
            root = p.scale[:, None] * (unit - same / same.sum(axis=1, keepdims=True))
        Q += (root @ root.T)[np.ix_(p.codes, p.codes)]
    return Q


def test_the_root_of_a_matrix_is_the_symmetric_one(example):
    """Of equal eigenvalues the vectors differ from machine to machine; the symmetric root and draws do not."""
    (piece,) = [p for p in rep.pieces(_two_phase(example(3)).sampling) if p.root is not None]
    root = piece.root * np.sqrt(np.bincount(piece.codes))[:, None]
    np.testing.assert_allclose(root, root.T, atol=1e-12)


@pytest.mark.parametrize("name", DESIGNS)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_replicate_weights_have_the_matrix_of_the_variance(example, name, seed):
    """The covariance of the weights' moves is the matrix Q of the Taylor variance, exactly: so for every statistic."""
    design = DESIGNS[name](example(seed))
    Q = _matrix(design.sampling.terms, design.n)
    np.testing.assert_allclose(_drawn(rep.pieces(design.sampling), design.n), Q, atol=1e-9 * np.abs(Q).max())


@pytest.mark.parametrize("name", DESIGNS)
def test_linear_replicates_spread_as_the_standard_error(example, name):
    """3,000 linear replicates have the covariance of the linearisation, calibrated or not, within Monte Carlo error."""
    f = example(12)
    plain = DESIGNS[name](f)
    size, g = plain.weights.sum(), f.loc[plain.index]
    for design in (plain, plain.calibrate({"x": 3.1 * size, "1": size}, g, "linear")):
        estimate = mean(design, g[["y", "x"]], by=g["b"])
        drawn = estimate.replicates(3000, np.random.default_rng(5))
        assert list(drawn.columns) == list(estimate.value.index)
        np.testing.assert_allclose(drawn.std(), estimate.se, rtol=0.08)
        np.testing.assert_allclose(drawn.mean(), estimate.value, atol=0.1 * estimate.se.max())
        correlation = drawn.corr().to_numpy() - estimate.covariance().to_numpy() / np.outer(estimate.se, estimate.se)
        assert np.abs(correlation).max() < 0.1


@pytest.mark.parametrize("name", [n for n in DESIGNS if n != "superpopulation"])
def test_full_replicates_of_a_total(example, name):
    """1,500 full replicates of a total, which is linear, have its Taylor variance; no weight is negative."""
    f = example(3)
    design, lowest = DESIGNS[name](f), []
    y = f.loc[design.index, "y"].to_numpy()

    def estimator(d):
        lowest.append(d.weights.min())
        return d.weights @ y

    drawn = rep.full(design, estimator, 1500, np.random.default_rng(6))["estimate"]
    assert drawn.std() == pytest.approx(total(design, y).se.iloc[0], rel=0.1)
    assert drawn.mean() == pytest.approx(design.weights @ y, abs=4 * drawn.std() / np.sqrt(1500))
    assert min(lowest) >= 0


@pytest.mark.parametrize("name", ["simple", "stages", "phases"])
def test_a_design_of_bootstrap_weights_has_the_scale_of_its_draws(example, name):
    """Draws nearer to one by a factor have its square in the scale: the error of a total is the Taylor one."""
    f = example(3)
    design = DESIGNS[name](f)
    ready = design.with_replicates("bootstrap", count=1500, rng=np.random.default_rng(6)).ready
    y = f.loc[design.index, "y"].to_numpy()
    moves = ready.mix[:, ready.codes] @ (design.weights * y)
    assert np.sqrt(ready.coefficients @ moves**2) == pytest.approx(total(design, y).se.iloc[0], rel=0.1)
    assert (ready.coefficients[0] > 1 / 1500) == (name != "simple")


def test_full_replicates_reach_the_margins(apiclus1):
    """Each replicate's weights are calibrated again, and the spread is the residual one: 3.4, not the naive 22."""
    design = Design(apiclus1["pw"], psu=apiclus1["dnum"], fpc=apiclus1["fpc"]).calibrate(*_greg(apiclus1))
    reached = []

    def estimator(d):
        reached.append(d.weights @ apiclus1["api99"])
        return d.weights @ apiclus1["api00"] / d.weights.sum()

    drawn = rep.full(design, estimator, 300, np.random.default_rng(8))
    np.testing.assert_allclose(reached, 3914069, rtol=1e-8)
    assert 3 < drawn.iloc[:, 0].std() < 5


def _greg(f):
    return {"stype": STYPE, "api99": 3914069}, f, "linear"


def test_rao_wu_yue_by_hand():
    """With replacement the factors are m n / (n - 1) of n - 1 draws: whole numbers of them, adding up to n."""
    design = Design(np.ones(10), psu=np.arange(10) // 2)
    factors = []
    rep.full(design, lambda d: factors.append(d.weights[::2]) or 0.0, 50, np.random.default_rng(1))
    drawn = np.array(factors[1:]) * 4 / 5
    np.testing.assert_allclose(drawn, drawn.round(), atol=1e-12)
    np.testing.assert_allclose(drawn.sum(axis=1), 4)


def test_half_samples(example):
    """Balanced half-samples and Fay's give the Taylor variance of a total exactly, and so do they handed over."""
    f = example(4)
    design = DESIGNS["half-samples"](f)
    y = f["y"].to_numpy()
    for rho in (0.0, 0.3):
        weights = rep.balanced(design, rho)
        drawn = rep.refit(design, lambda d: d.weights @ y, weights)
        expected = total(design, y).se.iloc[0]
        spread = rep.covariance(drawn, weights, pd.Series({"estimate": design.weights @ y}))
        assert np.sqrt(spread.iloc[0, 0]) == pytest.approx(expected, rel=1e-10)
        matrix = pd.DataFrame((design.weights * (1 + weights.mix[:, weights.codes])).T, index=f.index)
        made = Design.from_replicates(f["w"], matrix, "Fay" if rho else "BRR", rho=rho)
        np.testing.assert_allclose(total(made, y).se, expected, rtol=1e-10)
        assert made.df == design.df
        same = mean(made, f[["y", "x"]], by=f["b"])
        again = rep.refit(design, lambda d: mean(d, f[["y", "x"]], by=f["b"]).value, weights)
        ours = rep.covariance(again, weights, same.value)
        np.testing.assert_allclose(same.covariance(), ours, rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(same.replicates(3000, np.random.default_rng(2)).std(), same.se, rtol=0.08)


def test_ready_made_jackknife(apistrat):
    """Jackknife weights handed over have R's linear standard error, and calibrate like any others."""
    design = Design(apistrat["pw"], apistrat["stype"])
    weights = rep.jackknife(design)
    matrix = (design.weights * (1 + weights.mix[:, weights.codes])).T
    made = Design.from_replicates(apistrat["pw"], matrix, "JKn", rscales=weights.coefficients)
    for d in (made, made.calibrate({"stype": STYPE}, apistrat, "poststratify")):
        same = design if d is made else design.calibrate({"stype": STYPE}, apistrat, "poststratify")
        np.testing.assert_allclose(total(d, apistrat["enroll"]).se, total(same, apistrat["enroll"]).se, rtol=1e-10)
    assert made.df == design.df == 197


def test_the_sum_of_two_phases_may_have_no_weights(example):
    """Clusters in the first phase can leave a matrix that is not positive: an error, never another variance."""
    with pytest.raises(WelfareError, match=r"negative for some statistics.*below 0.*linearisation"):
        rep.pieces(_two_phase(example(3), clustered=True).sampling)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d, f: rep.jackknife(_two_stage(f)), "jackknife would lose a part of the variance"),
        (lambda d, f: rep.jackknife(_two_phase(f)), "jackknife would lose a part of the variance"),
        (lambda d, f: rep.balanced(d), "half-samples do not fit; got .*with fpc.*two PSUs in each stratum"),
        (lambda d, f: rep.full(_two_phase(f).superpopulation(), len, 2, np.random.default_rng(0)), "finite population"),
        (
            lambda d, f: rep.full(
                DESIGNS["replacement"](f),
                lambda e: mean(e, f["y"], where=f["psu"] == 0).value,
                60,
                np.random.default_rng(0),
            ),
            "replicate [0-9]+ has no result: where: no respondent is in the domain",
        ),
        (
            lambda d, f: mean(d, f["y"], where=f.index == 0).replicates(5, np.random.default_rng(0)),
            "does not tell the error",
        ),
    ],
)
def test_bad_calls(example, drawn, call, message):
    """What would lose a stage, a phase or a correction is an error, as is a replicate without a result."""
    f = example(9)
    with pytest.raises(WelfareError, match=message):
        call(drawn(f), f)


@pytest.mark.parametrize(
    ("weights", "arguments", "message"),
    [
        (np.ones((4, 3)), {"method": "JK3"}, "method: unknown method; got 'JK3'"),
        (np.ones((3, 3)), {"method": "BRR"}, "replicates: its length is not that of the design; got 3"),
        (np.ones((4, 1)), {"method": "BRR"}, "1 replicates, 0 of them missing"),
        (np.array([[1, np.nan]] * 4), {"method": "BRR"}, "1 of them missing, negative or all zero"),
        (np.array([[1, -1.0]] * 4), {"method": "BRR"}, "1 of them missing, negative or all zero"),
        (np.array([[1, 0.0]] * 4), {"method": "BRR"}, "1 of them missing, negative or all zero"),
        (np.array([["a", "b"]] * 4), {"method": "BRR"}, "replicates, 0: it is not numeric"),
        (np.ones((4, 3)), {"method": "Fay"}, "rho: not Fay's factor; got 0.0"),
        (np.ones((4, 3)), {"method": "BRR", "rho": 0.3}, "rho: not Fay's factor"),
        (np.ones((4, 3)), {"method": "Fay", "rho": 1.0}, "rho: not Fay's factor"),
        (np.ones((4, 3)), {"method": "JKn"}, "rscales: JKn has a scale for each replicate"),
        (np.ones((4, 3)), {"method": "JKn", "rscales": [0.5]}, "rscales: its length"),
        (np.ones((4, 3)), {"method": "JK1", "scale": -1}, "scales are not positive"),
    ],
)
def test_bad_replicate_weights(weights, arguments, message):
    """Replicate weights that are no weights, or without their scale, are errors."""
    with pytest.raises(WelfareError, match=message):
        Design.from_replicates(np.ones(4), weights, **arguments)


def test_replicates_that_tell_nothing():
    """None, one, or copies of the full weights had a standard error of zero, or none."""
    design = Design(np.ones(6))
    with pytest.raises(WelfareError, match="too few replicates; got 1"):
        design.with_replicates("bootstrap", count=1)
    with pytest.raises(WelfareError, match="replicates are all the full weights"):
        Design.from_replicates(np.ones(6), np.ones((6, 4)), "BRR")
