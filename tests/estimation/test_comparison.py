"""Likelihood ratio tests, AIC and BIC of the design: R's values, textbooks', simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import (
    Design,
    aic,
    bic,
    likelihood_ratio,
    linear,
    logistic,
    quantile_regression,
)
from welfare_analysis.estimation.comparison import tail

FULL, REDUCED = "sw ~ ell + meals + mobility", "sw ~ ell"
# R 4.2.2, survey 4.1.1, 2026-11-24; svyglm(I(sch.wide == "Yes") ~ ..., quasibinomial, epsilon = 1e-15, maxit = 50):
# anova(m1, m0, method = "LRT"); regTermTest(m1, ~mobility, method = "LRT"); AIC(m1, m0); BIC(m1, m0, maximal = m1)
R = {
    "clus1": {
        "statistic": 3.23692600028156,
        "effects": [0.916520142610798, 0.580360545171449],
        "p saddlepoint": 0.158994723209699,
        "one": [0.34326590607057, 0.914997265858584, 0.55001566991523],
        "aic": [137.159935195110, 137.980029275686],
        "bic": [153.906042266485, 147.999981485032],
    },
    "strat": {
        "statistic": 5.26985335903507,
        "effects": [1.080615980275421, 0.759544254158697],
        "p saddlepoint": 0.0596981721855695,
        "one": [5.1381620458771, 1.07147824105291, 0.0309182974832081],
        "aic": [183.972131011540, 185.563049191985],
        "bic": [199.438379638519, 192.435879573769],
    },
}


@pytest.fixture(scope="module", params=R)
def models(request, apistrat, apiclus1):
    """The larger, the smaller and the middle model of each sample, with R's values."""
    f = {"clus1": apiclus1, "strat": apistrat}[request.param]
    design = {
        "clus1": lambda: Design(f["pw"], psu=f["dnum"], fpc=f["fpc"]),
        "strat": lambda: Design(f["pw"], strata=f["stype"], fpc=f["fpc"]),
    }[request.param]()
    return R[request.param], *(logistic(design, f, m) for m in (FULL, REDUCED, "sw ~ ell + meals"))


def test_likelihood_ratio_agrees_with_r(models):
    """Statistic and design effects to 1e-8; p as near as R's saddlepoint approximation is."""
    theirs, full, reduced, middle = models
    found = likelihood_ratio(full, reduced)
    np.testing.assert_allclose([found.statistic, *found.effects], [theirs["statistic"], *theirs["effects"]], rtol=1e-8)
    assert found.p == pytest.approx(theirs["p saddlepoint"], rel=0.02)
    one = likelihood_ratio(full, middle)
    np.testing.assert_allclose([one.statistic, one.effects[0]], theirs["one"][:2], rtol=1e-8)
    assert one.p == pytest.approx(stats.f.sf(one.statistic / one.effects[0], 1, full.df.iloc[0]), rel=1e-9)
    assert one.p == pytest.approx(theirs["one"][2], rel=0.04)


def test_aic_agrees_with_r(models):
    """R leaves the constant out of the trace; with it, the sum is that of all design effects."""
    theirs, full, reduced, _ = models
    np.testing.assert_allclose([aic(m, ["Intercept"]) for m in (full, reduced)], theirs["aic"], rtol=1e-9)
    assert aic(full) == pytest.approx(-2 * full.log_likelihood / full.scale + 2 * full.effects().sum())


def test_bic_agrees_with_r(models):
    """Wald's statistic and the design effects of what is left out, on the deviance of the largest model."""
    theirs, full, reduced, _ = models
    np.testing.assert_allclose([bic(m, full) for m in (full, reduced)], theirs["bic"], rtol=1e-9)


def test_a_simple_random_sample_is_the_textbook(apistrat):
    """Design effects of 1 make Wilks' test, and AIC and BIC without a design."""
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, (20_000, 2))
    f = pd.DataFrame({"x": x[:, 0], "z": x[:, 1], "b": rng.random(20_000) < 1 / (1 + np.exp(-x[:, 0]))})
    design = Design(np.full(20_000, 4.0))
    full, reduced = logistic(design, f, "b ~ x + z"), logistic(design, f, "b ~ x")
    found = likelihood_ratio(full, reduced)
    assert found.effects[0] == pytest.approx(1, abs=0.02)
    assert found.p == pytest.approx(stats.chi2.sf(found.statistic, 1), rel=0.05)
    assert aic(full) == pytest.approx(-2 * full.log_likelihood / 4 + 6, abs=0.1)
    theirs = 2 * (full.log_likelihood - reduced.log_likelihood) / 4 - np.log(20_000)
    assert bic(reduced, full) - bic(full, full) == pytest.approx(theirs, abs=0.1)


def test_tail_is_a_known_distribution():
    """Equal weights are a chi-square or an F; halves of two are an exponential; unequal ones as simulated."""
    for x in (0.3, 2.0, 9.0):
        for k in (1, 2, 5):
            assert tail(1.7 * x, np.full(k, 1.7)) == pytest.approx(stats.chi2.sf(x, k), rel=1e-8)
            assert tail(1.7 * x, np.full(k, 1.7), 11) == pytest.approx(stats.f.sf(x / k, k, 11), rel=1e-7)
    rng = np.random.default_rng(4)
    drawn = rng.chisquare(1, (400_000, 3)) @ [3.0, 1.0, 0.2] / (rng.chisquare(14, 400_000) / 14)
    assert tail(5.0, np.array([3.0, 1.0, 0.2]), 14) == pytest.approx((drawn > 5).mean(), abs=0.003)
    assert tail(0.0, np.array([1.0, 2.0])) == 1


def test_size_in_clusters():
    """Of 80 clustered samples without effect the test at 5 % rejects at most 8, Wilks' over 12."""
    rng, ours, wilks = np.random.default_rng(12), 0, 0
    for _ in range(80):
        psu = np.repeat(np.arange(30), 12)
        x, z = rng.normal(0, 1, (2, 30))[:, psu]
        b = rng.random(360) < 1 / (1 + np.exp(-rng.normal(0, 0.8, 30)[psu]))
        f, design = pd.DataFrame({"x": x, "z": z, "b": b}), Design(np.ones(360), psu=psu)
        found = likelihood_ratio(logistic(design, f, "b ~ x + z"), logistic(design, f, "b ~ 1"))
        ours, wilks = ours + (found.p < 0.05), wilks + (stats.chi2.sf(found.statistic, 2) < 0.05)
    assert ours <= 8
    assert wilks > 12


@pytest.mark.parametrize(
    ("full", "reduced", "message"),
    [
        (
            lambda d, f: logistic(d, f, FULL),
            lambda d, f: logistic(d, f, "sw ~ api00"),
            "the models are not nested; got",
        ),
        (
            lambda d, f: logistic(d, f, FULL),
            lambda d, f: logistic(d, f, FULL),
            "not nested; got 'the same coefficients'",
        ),
        (lambda d, f: logistic(d, f, FULL), lambda d, f: linear(d, f, "api00 ~ ell"), "other rows or outcomes"),
        (
            lambda d, f: logistic(d, f, FULL),
            lambda d, f: logistic(d, f, REDUCED, where=f["ell"] > 5),
            "other rows or outcomes; got '200 and 148 rows'",
        ),
        (
            lambda d, f: quantile_regression(d, f, "api00 ~ ell + meals"),
            lambda d, f: quantile_regression(d, f, "api00 ~ ell"),
            "api00: the model has no likelihood",
        ),
    ],
)
def test_models_that_cannot_be_compared(apistrat, full, reduced, message):
    """Models are compared on the same rows and outcome, one within the other, with a likelihood each."""
    design = Design(apistrat["pw"])
    with pytest.raises(WelfareError, match=message):
        likelihood_ratio(full(design, apistrat), reduced(design, apistrat))


def test_aic_of_a_constant_counts_no_coefficient():
    """A single factor that is taken out leaves the constant, which all models have: only the likelihood is left."""
    frame = pd.DataFrame({"y": [0, 1, 1, 0, 1, 1, 1, 0]})
    fit = logistic(Design(np.ones(8)), frame, "y ~ 1")
    assert aic(fit, ["Intercept"]) == pytest.approx(-2 * (5 * np.log(5 / 8) + 3 * np.log(3 / 8)))
    assert len(fit.effects([])) == 0
