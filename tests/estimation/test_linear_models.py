"""Linear and logistic regression: R's values, statsmodels' and printed ones."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, linear, logistic

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
VALUES = pd.read_csv(REFERENCE / "survey_api.csv", index_col="key")["value"]
# svyglm(I(sch.wide == "Yes") ~ ell + meals + mobility, quasibinomial, control = list(epsilon = 1e-15, maxit = 100)),
# R 4.2.2, survey 4.1.1, 2026-11-24: with R's default epsilon its standard errors are good to five digits.
LOGISTIC = pd.read_csv(REFERENCE / "survey_api_logistic.csv", index_col="key")["value"]
STYPE = {"E": 4421, "H": 755, "M": 1018}
MARGINS = {
    "ps": ({"stype": STYPE}, "poststratify"),
    "rk": ({"stype": STYPE, "sch.wide": {"No": 1072, "Yes": 5122}}, "raking"),
    "cr": ({"stype": STYPE, "sch.wide": {"No": 1072, "Yes": 5122}}, "raking"),
    "gr": ({"stype": STYPE, "api99": 3914069}, "linear"),
}


@pytest.fixture(scope="module")
def designs(apistrat, apiclus1):
    """Each design of the reference, with its schools."""
    found = {
        "strat": (Design(apistrat["pw"], strata=apistrat["stype"], fpc=apistrat["fpc"]), apistrat),
        "stratnf": (Design(apistrat["pw"], strata=apistrat["stype"]), apistrat),
        "clus1": (Design(apiclus1["pw"], psu=apiclus1["dnum"], fpc=apiclus1["fpc"]), apiclus1),
        "clus1nf": (Design(apiclus1["pw"], psu=apiclus1["dnum"]), apiclus1),
    }
    for name in ("clus1", "clus1nf"):
        for short, (margins, method) in MARGINS.items():
            found[f"{name}+{short}"] = (found[name][0].calibrate(margins, apiclus1, method=method), apiclus1)
    return found


def _ours(fit, prefix, keys):
    shown = fit.value.rename(index={"Intercept": "(Intercept)"}).index
    found = {f"{prefix}{n}.est": v for n, v in zip(shown, fit.value, strict=True)}
    found |= {f"{prefix}{n}.se": v for n, v in zip(shown, fit.se, strict=True)}
    return [found[k] for k in keys]


def test_linear_agrees_with_r(designs):
    """Coefficients and standard errors are svyglm's to 1e-9, of 4 designs and 8 calibrated ones: 48 values."""
    seen = 0
    for name, (design, f) in designs.items():
        keys = [k for k in VALUES.index if k.startswith(f"{name}|lm|")]
        formula = "api00 ~ ell + meals" if "+" in name else "api00 ~ ell + meals + mobility"
        found = _ours(linear(design, f, formula), f"{name}|lm|", keys)
        np.testing.assert_allclose(found, VALUES[keys].astype(float), rtol=1e-9)
        seen += len(keys)
    assert seen == 48


def test_logistic_agrees_with_r(designs):
    """Coefficients and standard errors are svyglm's to 1e-9, once R has converged: 32 values; its defaults to 3e-5."""
    for name in ("strat", "stratnf", "clus1", "clus1nf"):
        design, f = designs[name]
        keys = [k for k in LOGISTIC.index if k.startswith(f"{name}|logit|")]
        fit = logistic(design, f, "sw ~ ell + meals + mobility")
        np.testing.assert_allclose(_ours(fit, f"{name}|logit|", keys), LOGISTIC[keys], rtol=1e-9)
        np.testing.assert_allclose(LOGISTIC[keys], VALUES[keys].astype(float), rtol=3e-5)
        assert len(keys) == 8


def test_degrees_of_freedom_are_r_s(designs):
    """PSUs less strata less the coefficients plus 1: 11 of 15 clusters, 194 of 200 schools (svyglm's df.residual)."""
    for name, df in (("clus1", 11), ("strat", 194)):
        design, f = designs[name]
        assert (logistic(design, f, "sw ~ ell + meals + mobility").df == df).all()


def test_mortgages():
    """Stock and Watson, chapter 11, of 2,380 applications: denial by payments to income and by race."""
    f = pd.read_csv(REFERENCE / "AER_HMDA.csv")
    design = Design(np.ones(len(f)))
    printed = {
        linear: ([-0.091, 0.559, 0.177], [0.029, 0.089, 0.025], 3),
        logistic: ([-4.13, 5.37, 1.27], [0.35, 0.96, 0.15], 2),
    }
    f = f.assign(deny=(f["deny"] == "yes") * 1)
    for model, (values, errors, digits) in printed.items():
        fit = model(design, f, "deny ~ pirat + afam")
        assert fit.value.round(digits).tolist() == values
        np.testing.assert_allclose(fit.se, errors, atol=0.006 if digits == 2 else 0.0006)


def test_weights_of_one_are_statsmodels(apistrat):
    """Values, likelihoods and both covariances at weights of one are statsmodels'."""
    f, x = apistrat, sm.add_constant(apistrat[["ell", "meals"]])
    design = Design(np.ones(len(f)))
    ours, theirs = linear(design, f, "api00 ~ ell + meals"), sm.OLS(f["api00"], x).fit()
    pairs = [(ours, theirs, theirs.get_robustcov_results("HC0").cov_params())]
    theirs = sm.Logit(f["sw"], x).fit(disp=0, tol=1e-14)
    fit = logistic(design, f, "sw ~ ell + meals")
    np.testing.assert_allclose(fit.covariance("hessian"), theirs.cov_params(), rtol=1e-8)
    pairs.append((fit, theirs, sm.Logit(f["sw"], x).fit(disp=0, tol=1e-14, cov_type="HC0").cov_params()))
    for fit, theirs, robust in pairs:
        np.testing.assert_allclose(fit.value, theirs.params, rtol=1e-9)
        np.testing.assert_allclose(fit.log_likelihood, theirs.llf, rtol=1e-12)
        np.testing.assert_allclose(fit.null_log_likelihood, getattr(theirs, "llnull", pairs[0][0].null_log_likelihood))
        np.testing.assert_allclose(fit.covariance("robust"), robust, rtol=1e-7)
    null = sm.OLS(f["api00"], np.ones(len(f))).fit()
    assert pairs[0][0].null_log_likelihood == pytest.approx(null.llf, rel=1e-12)


def test_coverage():
    """95 % intervals hold the truth in 91 to 98.5 % of 200 clustered samples with informative weights."""
    rng, truth, held = np.random.default_rng(6), np.array([-0.5, 1.0]), np.zeros(2)
    for _ in range(200):
        n, psu = 800, np.repeat(np.arange(80), 10)
        x = rng.normal(0, 1, n) + 0.5 * rng.normal(0, 1, 80)[psu]
        b = rng.random(n) < 1 / (1 + np.exp(-truth[0] - truth[1] * x))
        p = np.where(b, 0.6, 0.3)  # who says yes is twice as likely to be in the sample
        taken = rng.random(n) < p
        f = pd.DataFrame({"b": b, "x": x})[taken]
        bounds = logistic(Design(1 / p[taken], psu=psu[taken]), f, "b ~ x").interval()
        held += ((bounds["low"] <= truth) & (truth <= bounds["high"])).to_numpy()
    assert ((held >= 182) & (held <= 197)).all()


@pytest.mark.parametrize("rare", [False, True])
def test_many_cases_begin_near_the_maximum(rare):
    """The maximum of many cases is that of IRLS to 1e-9, also where some of them do not tell all columns apart."""
    rng, n = np.random.default_rng(5), 24_000
    f = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n), "w": rng.uniform(1, 5, n)})
    if rare:  # in no eighth row
        f["z"] = (np.arange(n) % 80 == 3) * 1.0
    f["y"] = rng.random(n) < 1 / (1 + np.exp(1 - f["x"] + 0.5 * f["z"]))
    fit = logistic(Design(f["w"]), f, "y ~ x + z")
    model = sm.GLM(f["y"].astype(float), sm.add_constant(f[["x", "z"]]), sm.families.Binomial(), freq_weights=f["w"])
    np.testing.assert_allclose(fit.value, model.fit(tol=1e-14).params, rtol=1e-9)
    assert np.abs(f["w"].to_numpy() @ fit.scores).max() < 1e-6
    x = np.column_stack([np.ones(n), f["x"], f["z"]])
    p = 1 / (1 + np.exp(-x @ fit.value.to_numpy()))
    np.testing.assert_allclose(fit.information, (x.T * (f["w"].to_numpy() * p * (1 - p))) @ x, rtol=1e-10)


def test_units_of_a_column_do_not_matter(example, drawn):
    """Amounts in DH, in billions or squared, tell the same, without a warning."""
    f = example(4)
    plain = linear(drawn(f), f, "y ~ x + d")
    for factor in (1e9, 1e-9):
        scale = np.where(plain.value.index == "x", factor, 1)
        other = linear(drawn(f), f.assign(x=factor * f["x"]), "y ~ x + d")
        np.testing.assert_allclose(other.se * scale, plain.se, rtol=1e-9)
        np.testing.assert_allclose(other.value * scale, plain.value, rtol=1e-9)


LONGLEY = [-3482258.63459582, 15.0618722713733, -0.0358191792925910, -2.02022980381683, -1.03322686717359]
LONGLEY += [-0.0511041056535807, 1829.15146461355]


def test_longley_is_certified():
    """A published value: the coefficients that NIST certifies of Longley's data (Statistical Reference Datasets)."""
    f = sm.datasets.longley.load_pandas().data
    fit = linear(Design(np.ones(len(f))), f, "TOTEMP ~ GNPDEFL + GNP + UNEMP + ARMED + POP + YEAR")
    np.testing.assert_allclose(fit.value, LONGLEY, rtol=1e-10)


def exact(x, y, w):
    """Coefficients and their errors in rational numbers: of independent rows with weights ``w``."""
    x, y, w = (np.vectorize(Fraction, otypes=[object])(part) for part in (x, y, w))
    n, q = x.shape
    rows = np.column_stack([(x.T * w) @ x, (x.T * w) @ y, np.vectorize(Fraction, otypes=[object])(np.eye(q))])
    for j in range(q):  # Gauss and Jordan
        rows[j] = rows[j] / rows[j, j]
        others = np.arange(q) != j
        rows[others] = rows[others] - np.outer(rows[others, j], rows[j])
    beta, z = rows[:, q], (x.T * (w * (y - x @ rows[:, q]))).T @ rows[:, q + 1 :].T
    variance = ((z - z.sum(axis=0) / n) ** 2).sum(axis=0) * n / (n - 1)
    return beta.astype(float), np.sqrt(variance.astype(float))


@pytest.mark.parametrize("columns", ["years", "years and squares", "nearly alike", "sizes", "powers"])
def test_badly_scaled_columns(columns):
    """Exact arithmetic: eight digits of coefficients and errors where columns are far from zero or nearly alike."""
    rng = np.random.default_rng(4)
    n = 40
    z, x = rng.normal(size=n), np.linspace(-8.8, -3.1, n)
    made = {
        "years": [1e6 + z],
        "years and squares": [1950 + 20 * z, (1950 + 20 * z) ** 2],
        "nearly alike": [z, z + 1e-6 * rng.normal(size=n)],
        "sizes": [z * 1e12, rng.normal(size=n) * 1e-12],
        "powers": [x**k for k in range(1, 9)],  # as NIST's Filip, less two powers
    }[columns]
    x, w, y = np.column_stack([np.ones(n), *made]), rng.uniform(1, 50, n), 3 * z + rng.normal(size=n)
    f = pd.DataFrame(x, columns=["one", *"abcdefgh"[: len(made)]]).assign(y=y)
    fit, (beta, error) = linear(Design(w), f, f"y ~ {' + '.join(f.columns[1:-1])}"), exact(x, y, w)
    np.testing.assert_allclose(fit.value, beta, rtol=1e-8)
    np.testing.assert_allclose(fit.se, error, rtol=1e-8)
    np.testing.assert_allclose(fit.se, np.sqrt(np.diagonal(fit.covariance())), rtol=1e-12)


def test_columns_that_no_number_tells_apart_are_an_error():
    """Sixth powers of years: numbers of 16 digits hardly tell them apart, and the columns are named."""
    x = np.linspace(1950.0, 2020.0, 82)
    f = pd.DataFrame({f"p{k}": x**k for k in range(1, 7)}).assign(y=np.sin(x))
    with pytest.raises(WelfareError, match=r"y: columns are collinear; got .*p6"):
        linear(Design(np.ones(82)), f, "y ~ " + " + ".join(f"p{k}" for k in range(1, 7)))
