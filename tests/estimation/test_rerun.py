"""Estimators run again with replicate weights, and weights of zero: theorems, hand-made samples, and R."""

import subprocess

import numpy as np
import pandas as pd
import pytest
from reference_calls import r_is_here

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import (
    Design,
    correlation,
    gini,
    joint,
    linear,
    logistic,
    logit,
    mean,
    mixed_logit,
    ordered_logit,
    poverty,
    predictions,
    quantile,
    quantile_regression,
    ratio,
    share,
    total,
    two_part,
    variance,
)
from welfare_analysis.estimation import replicates as rep


@pytest.fixture
def sample():
    """60 PSUs of 4 in 10 strata, a number, another, yes or no, three levels."""
    rng = np.random.default_rng(4)
    n = 240
    f = pd.DataFrame({"stratum": np.arange(n) // 24, "psu": np.arange(n) // 4, "w": rng.uniform(1, 4, n)})
    f["x"] = rng.normal(size=n)
    f["y"] = np.exp(f["x"] / 2 + rng.normal(size=n) + f["psu"].map(lambda p: p % 5 / 10))
    f["b"] = rng.random(n) < 1 / (1 + np.exp(-f["x"]))
    f["d"] = rng.choice(["u", "v"], n)
    return f


ESTIMATORS = {
    "mean": lambda d, f: mean(d, f[["x", "y"]], by=f["d"]),
    "total": lambda d, f: total(d, f["y"], where=f["b"]),
    "ratio": lambda d, f: ratio(d, f["y"], f["w"], by=f["d"]),
    "share": lambda d, f: share(d, f["d"], by=f["b"]),
    "quantile": lambda d, f: quantile(d, f["y"], [0.25, 0.5], by=f["d"]),
    "midpoint": lambda d, f: quantile(d, f["y"], 0.4, rule="midpoint"),
    "gini": lambda d, f: gini(d, f["y"], by=f["d"]),
    "variance": lambda d, f: variance(d, f["y"]),
    "correlation": lambda d, f: correlation(d, f[["x", "y"]]),
    "linear": lambda d, f: linear(d, f, "y ~ x + d"),
    "logistic": lambda d, f: logistic(d, f, "b ~ x"),
    "two parts": lambda d, f: two_part(d, f.assign(a=f["y"].where(f["b"], 0.0)), "a ~ x"),
    "line": lambda d, f: quantile_regression(d, f, "y ~ x"),
    "ordered": lambda d, f: ordered_logit(d, f.assign(c=pd.cut(f["y"], [0, 1, 2, 99])), "c ~ x"),
    "predictions": lambda d, f: predictions(logistic(d, f, "b ~ x"), by=f["d"]),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_rows_of_weight_zero_count_for_nothing(sample, name):
    """Values, errors, degrees of freedom, n and bounds are those of the file without the rows, whole PSUs too."""
    f, estimator = sample, ESTIMATORS[name]
    zero = f["psu"].isin([3, 17]) | (f.index % 11 == 0)
    f.loc[zero, "y"] = 1e6 * np.arange(1, zero.sum() + 1)  # would be seen at once
    weights = f["w"].mask(zero, 0.0)
    fpc = f["stratum"] + 40.0
    kept = f[~zero]
    whole = estimator(Design(weights, f["stratum"], f["psu"], fpc), f)
    part = estimator(Design(kept["w"], kept["stratum"], kept["psu"], fpc[~zero]), kept)
    np.testing.assert_allclose(whole.value, part.value, rtol=1e-9)
    np.testing.assert_allclose(whole.se, part.se, rtol=1e-7)
    np.testing.assert_allclose(whole.interval(), part.interval(), rtol=1e-7)
    np.testing.assert_array_equal(whole.df, part.df)
    pd.testing.assert_frame_equal(whole.counts, part.counts, rtol=1e-9, check_index_type=False)
    np.testing.assert_allclose(whole.deff(), part.deff(), rtol=1e-6)


def test_a_missing_answer_of_weight_zero_is_none(sample):
    """A total asks an answer only of rows that count; a level that only they have is no domain."""
    f = sample
    weights = f["w"].mask(f.index < 4, 0.0)
    design = Design(weights, f["stratum"], f["psu"])
    assert total(design, f["y"].mask(f.index < 4)).counts["missing"].iloc[0] == 0
    levels = f["d"].mask(f.index < 4, "nobody")
    assert list(mean(design, f["y"], by=levels).value.index) == ["u", "v"]
    assert design.summary()["rows of weight zero"] == 4
    assert design.df == 49
    assert design.superpopulation().df == 49
    assert np.isfinite(linear(design.superpopulation(), f, "y ~ x").se).all()


@pytest.mark.parametrize("weights", [np.zeros(3), [1, -1, 1]])
def test_weights_that_are_none(weights):
    """All zero, or one below zero, is an error that says what to do."""
    with pytest.raises(WelfareError, match=r"weights are (zero|negative).*Say 0 for a row that stands for nobody"):
        Design(weights)


@pytest.mark.parametrize("name", [n for n in ESTIMATORS if n not in ("quantile", "midpoint")])
@pytest.mark.parametrize("method", ["jackknife", "bootstrap"])
def test_estimators_run_again_by_default(sample, name, method):
    """A design of replicates gives what `replicates.refit` gives step by step, also after `refit` and `apply`."""
    f, estimator = sample, ESTIMATORS[name]
    plain = Design(f["w"], f["stratum"], f["psu"])
    design = plain.with_replicates(method, count=12, rng=np.random.default_rng(3))
    found, ready = estimator(design, f), design.ready
    n = len(ready.coefficients)
    assert found.variance_by == f"{n} replicates ({'JKn' if method == 'jackknife' else 'bootstrap'})"
    runs = rep.refit(plain, lambda d: estimator(d, f).value, ready)
    if name not in ("variance", "correlation"):  # n / (n - 1) is that of the full sample there, as in R
        expected = np.sqrt(np.diagonal(rep.covariance(runs, ready, found.value)))
        np.testing.assert_allclose(found.se, expected, rtol=1e-9)
    again = estimator(plain, f).refit(method, count=12, rng=np.random.default_rng(3))
    np.testing.assert_allclose(again.se, found.se, rtol=1e-12)
    np.testing.assert_allclose(again.interval(), found.interval(), rtol=1e-12)
    assert estimator(plain, f).variance_by == "linearisation"


def test_functions_of_replicates(sample):
    """`apply` runs the function on each replicate, and `joint` keeps the covariance: the difference of equals is 0."""
    f = sample
    design = Design(f["w"], f["stratum"], f["psu"]).with_replicates("bootstrap", count=15)
    m = mean(design, f["y"], by=f["d"])
    log = m.apply(np.log)
    runs = np.log(m.value.to_numpy() + m.deviations) - np.log(m.value.to_numpy())
    np.testing.assert_allclose(log.se, np.sqrt((runs**2).mean(axis=0)), rtol=1e-12)
    both = joint({"a": m, "b": mean(design, f["y"], by=f["d"])})
    difference = both.apply(lambda v: v["a"].to_numpy() - v["b"].to_numpy())
    np.testing.assert_allclose(difference.se, 0, atol=1e-12)
    drawn, V = m.replicates(40_000, np.random.default_rng(0)), m.covariance().to_numpy()
    noise = np.sqrt((np.outer(np.diagonal(V), np.diagonal(V)) + V**2) / 40_000)  # of a covariance of normal draws
    assert (np.abs(drawn.cov().to_numpy() - V) < 4 * noise).all()


def test_half_samples_of_a_model_and_a_choice():
    """Half of the rows have weight zero in each replicate; logits of rows and of cases run again all the same."""
    rng = np.random.default_rng(2)
    n = 80
    f = pd.DataFrame({"x": rng.normal(size=n), "id": np.arange(n)})
    f["b"] = rng.random(n) < 1 / (1 + np.exp(-f["x"]))
    design = Design(np.ones(n), strata=np.arange(n) // 8, psu=np.arange(n) // 4)
    halves = design.with_replicates("BRR")
    fit = logistic(halves, f, "b ~ x")
    weights = 1 + halves.ready.mix[:, halves.ready.codes]
    assert (weights == 0).any(axis=1).all()
    kept = [f[w > 0] for w in weights]
    slopes = [logistic(Design(np.full(len(k), 2.0)), k, "b ~ x").value["x"] for k in kept]
    assert fit.se["x"] == pytest.approx(np.sqrt(np.mean((np.array(slopes) - fit.value["x"]) ** 2)), rel=1e-9)
    assert fit.counts["n"].iloc[0] == n
    long = pd.DataFrame({"id": np.repeat(f["id"], 2), "mode": np.tile(["a", "b"], n)})
    long["x"] = np.where(long["mode"] == "b", np.repeat(f["x"].to_numpy(), 2), 0.0)
    long["chosen"] = np.where(long["mode"] == "b", np.repeat(f["b"].to_numpy(), 2), ~np.repeat(f["b"].to_numpy(), 2))
    choice = logit(halves, long, "chosen ~ C(mode) + x", case="id", alternative="mode")
    assert choice.se["x"] == pytest.approx(fit.se["x"], rel=1e-6)
    assert choice.variance_by == fit.variance_by
    assert mixed_logit.__wrapped__ is not None


def test_bad_replicates(sample):
    """Replicates that count a row of weight zero, no replicates to write, an estimate without its maker: errors."""
    f = sample
    design = Design(f["w"], f["stratum"], f["psu"])
    with pytest.raises(WelfareError, match="replicates count rows whose full weight is zero; got 1"):
        Design.from_replicates([0.0, 1, 1], np.ones((3, 2)), "BRR")
    with pytest.raises(WelfareError, match=r"the design has no replicates.*with_replicates"):
        design.export_replicates()
    with pytest.raises(WelfareError, match="unknown method; got 'JK9'"):
        design.with_replicates("JK9")
    alone = f.assign(d=f["d"].where(f["psu"] != 0, "only here"))
    for formula in ("y ~ d", "y ~ 0 + d"):
        with pytest.raises(WelfareError, match=r"replicate 1 has no result: .*a value is not there in each replicate"):
            linear(design.with_replicates(), alone, formula)


@pytest.mark.parametrize("method", ["jackknife", "BRR", "bootstrap", "ready-made"])
def test_a_domain_that_some_replicates_lack(sample, method):
    """The call does not stop: the others are what they are without it, and it has an honest error.

    A mean of one PSU has an infinite error, its total that of the replicates, in which it is 0; a domain in two PSUs of
    two strata has the deviations of those that have one of them, as in R, which leaves the other replicates out.
    """
    f = sample.assign(psu=sample["psu"] % 6 // 3, name=sample["d"])  # two PSUs of 12 in each of 10 strata
    first = (f["stratum"] == 0) & (f["psu"] == 0)
    f.loc[first, "name"] = "one"
    f.loc[(f["stratum"].isin([2, 4])) & (f["psu"] == 1), "name"] = "two"
    plain = Design(f["w"], f["stratum"], f["psu"], nest=True)
    kind = "BRR" if method == "ready-made" else method
    design = plain.with_replicates(kind, count=60, rng=np.random.default_rng(1))
    if method == "ready-made":
        weights = design.export_replicates().frame.filter(like="rep_")
        design = Design.from_replicates(f["w"], weights, "BRR")
    for estimator in (
        lambda by, where=None: mean(design, f[["x", "y"]], by=by, where=where),
        lambda by, where=None: quantile(design, f["y"], [0.3, 0.5], by=by, where=where),
        lambda by, where=None: poverty(design, f["y"], by=by, where=where),
        lambda by, where=None: poverty(design, f["y"], line=1.0, alpha=1, by=by, where=where),
        lambda by, where=None: gini(design, f["y"], by=by, where=where),
        lambda by, where=None: variance(design, f["y"], by=by, where=where),
        lambda by, where=None: share(design, f["b"], by=by, where=where),
    ):
        found = estimator(f["name"])
        rest = estimator(f["name"], f["name"].isin(["u", "v"]))
        one = found.value.index.get_level_values(-1 if found.value.index.nlevels > 1 else 0) == "one"
        assert np.isinf(found.se[one]).all()
        assert (np.isfinite(found.se[~one]) & (found.se[~one] > 0)).all()
        np.testing.assert_allclose(found.se[rest.se.index], rest.se, rtol=1e-12)
        assert np.isinf(estimator(None, first).se).all()
    totals = total(design, f["y"], by=f["name"])
    factors = 1 + design.ready.mix[:, design.ready.codes]
    runs = factors @ (f["w"] * f["y"] * first)
    expected = np.sqrt(design.ready.coefficients @ (runs - totals.value["one"]) ** 2)
    assert totals.se["one"] == pytest.approx(expected, rel=1e-9)
    assert total(design, f["y"], where=first).se.iloc[0] == pytest.approx(expected, rel=1e-9)
    means, y, w = mean(design, f["y"], by=f["name"]), f["y"].to_numpy(), factors * f["w"].to_numpy()
    both = (f["name"] == "two").to_numpy()
    size = w[:, both].sum(axis=1)
    runs = (w[:, both] @ y[both])[size > 0] / size[size > 0] - means.value["two"]
    assert means.se["two"] == pytest.approx(np.sqrt(design.ready.coefficients[size > 0] @ runs**2), rel=1e-9)
    assert (size > 0).all() == (method == "jackknife")


def _written(design, frame, folder):
    export = design.export_replicates()
    pd.concat([frame, export.frame], axis=1).to_csv(folder / "f.csv", index=False)
    text = f"""suppressMessages(library(survey)); f <- read.csv("{folder}/f.csv"); d <- {export.R}
    put <- function(x) cat(sprintf("%.17g", c(coef(x), SE(x))), "\n")
    put(svymean(~y + x, d)); put(svyglm(y ~ x, d)); cat(degf(d), "\n")"""
    (folder / "run.R").write_text(text)
    done = subprocess.run(["Rscript", folder / "run.R"], capture_output=True, text=True, check=True)
    return [np.array(line.split(), dtype=float) for line in done.stdout.splitlines()]


@pytest.mark.skipif(not r_is_here(), reason="R with its package survey is not here")
@pytest.mark.parametrize("method", ["jackknife", "bootstrap", "calibrated"])
def test_r_reads_the_weights(sample, tmp_path, method):
    """From the written file, R's `svrepdesign` with our settings has our standard errors to 9 digits."""
    f = sample
    design = Design(f["w"], f["stratum"], f["psu"])
    if method == "calibrated":
        design = design.calibrate({"d": {"u": 310, "v": 290}}, f)
    design = design.with_replicates("bootstrap" if method == "bootstrap" else "jackknife", count=30)
    means, slopes, df = _written(design, f, tmp_path)
    for found, ours in ((means, mean(design, f[["y", "x"]])), (slopes, linear(design, f, "y ~ x"))):
        np.testing.assert_allclose(found, [*ours.value, *ours.se], rtol=1e-9)
    if method == "jackknife":
        assert df[0] == design.df


@pytest.mark.parametrize(("mse", "pairs"), [(True, 10), (False, 9)])
def test_degrees_of_freedom_of_replicates(mse, pairs):
    """H pairs have H by JK2, as in the design and as WesVar and SAS count replicates; about the mean one less.

    R's `degf.svyrep.design` is the rank of the replicate weights alone less one, whatever ``mse``: 9 for JK2 here, 11
    for 12 bootstraps, 10 for the half-samples, of which the full weights are a combination.
    """
    psu = np.arange(20)
    design = Design(np.ones(20), psu // 2, psu)
    left = (1.0 - (psu == 2 * psu[:10, None]) + (psu == 2 * psu[:10, None] + 1)).T  # the first out, the second twice
    boot = np.random.default_rng(1).multinomial(19, np.full(20, 1 / 20), 12).T * 20 / 19
    half = design.with_replicates("BRR").export_replicates().frame.filter(like="rep_").to_numpy()
    for weights, method, ours, in_r in (
        (left, "JK2", pairs, 9),
        (boot, "bootstrap", 11 + mse, 11),
        (half, "BRR", 10, 10),
    ):
        found = Design.from_replicates(np.ones(20), weights, method, mse=mse)
        assert found.df == ours
        assert np.linalg.matrix_rank(weights) - 1 == in_r
    assert design.df == 10


def test_settings_for_stata(sample):
    """Stata is told each replicate's factor, by the grammar of `svyset` (Stata 18 SVY manual, "svyset")."""
    f = sample
    design = Design(f["w"], f["stratum"], f["psu"]).with_replicates("bootstrap", count=3)
    said = design.export_replicates().Stata
    third = f"{1 / 3:.17g}"
    head = "svyset [pweight=weight], jkrweight(rep_1-rep_3, multiplier("
    assert said == f"{head}{third} {third} {third})) vce(jackknife) mse"
    assert list(design.export_replicates().frame) == ["weight", "rep_1", "rep_2", "rep_3"]


@pytest.mark.parametrize("formula", ["y ~ g", "y ~ g * x"])
def test_what_no_replicate_has_is_an_error(sample, formula):
    """Rows with weights in the full sample and none in any replicate: one value was silently taken for two."""
    f = sample.assign(g=np.where(sample["psu"] == 3, "lost", "a"))
    weights = np.random.default_rng(4).integers(0, 2, (len(f), 8)) * 2.0 * f["w"].to_numpy()[:, None]
    weights[f["psu"] == 3] = 0
    with pytest.raises(WelfareError, match="a value is not there in each replicate"):
        linear(Design.from_replicates(f["w"], weights, "BRR"), f, formula)
