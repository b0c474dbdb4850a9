"""Quantile regression: R's and statsmodels' values, the linear programme, coverage."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, quantile, quantile_regression
from welfare_analysis.estimation.quantile_regression import MANY, bandwidth, minimum


@pytest.fixture(scope="module")
def women():
    f = pd.read_csv(Path(__file__).parents[2] / "data" / "reference" / "sampleSelection_Mroz87.csv")
    return f.assign(w=(f.index + 1) % 3 + 1.0)


@pytest.mark.parametrize(
    ("q", "values"), [(0.3, [-7302.16, 1663.44, 105.52]), (0.5, [-9464.103092784, 2044.257731959, 125.597938144])]
)
def test_agrees_with_r(women, q, values):
    """R 4.2.2, quantreg 5.94, 2026-11-24: rq(faminc ~ educ + age, tau, weights = seq_len(753) %% 3 + 1)."""
    fit = quantile_regression(Design(women["w"]), women, "faminc ~ educ + age", q)
    np.testing.assert_allclose(fit.value, values, rtol=1e-9)


@pytest.mark.parametrize(
    ("q", "printed"),
    [(0.3, [6944572.4731399, 17699.33349444, 1714.38085280]), (0.5, [8283277.568092, 25143.84613228, 2168.66108988])],
)
def test_densities_agree_with_r(women, q, printed):
    """The same without weights, summary(se = "nid", hs = TRUE): our J with its q (1 - q) X'X in the middle."""
    fit = quantile_regression(Design(np.ones(753)), women, "faminc ~ educ + age", q)
    x = sm.add_constant(women[["educ", "age"]]).to_numpy()
    np.testing.assert_allclose(np.diag(fit.bread @ (q * (1 - q) * x.T @ x) @ fit.bread), printed, rtol=1e-8)


def test_weights_of_one_are_statsmodels(women):
    """At weights of one the values are those of QuantReg, and no others have a smaller loss."""
    x, y = sm.add_constant(women[["educ", "age"]]), women["faminc"] / 1000
    fit = quantile_regression(Design(np.ones(753)), women.assign(y=y), "y ~ educ + age", 0.7)
    theirs = sm.QuantReg(y, x).fit(q=0.7, p_tol=1e-10, max_iter=5000)
    np.testing.assert_allclose(fit.value, theirs.params, rtol=1e-3)

    def loss(b):
        rest = y - x.to_numpy() @ np.asarray(b)
        return (rest * (0.7 - (rest < 0))).sum()

    rng = np.random.default_rng(1)
    best = loss(fit.value)
    assert best <= loss(theirs.params) + 1e-9
    assert all(loss(fit.value + s * rng.normal(0, 1, 3)) >= best for s in (1e-6, 1e-4, 1e-2) for _ in range(20))


def test_constant_alone_is_a_quantile(women):
    """With a constant alone it is the weighted quantile, and the error near Woodruff's."""
    design = Design(women["w"])
    fit, plain = quantile_regression(design, women, "faminc ~ 1", 0.4), quantile(design, women["faminc"], 0.4)
    assert fit.value.iloc[0] == pytest.approx(plain.value.iloc[0])
    assert fit.se.iloc[0] == pytest.approx(plain.se.iloc[0], rel=0.25)


@pytest.mark.parametrize(("q", "band"), [(0.5, 3), (0.97, 3), (0.5, 0.2)])
def test_many_cases_are_solved_exactly(q, band, monkeypatch):
    """Where only the cases near a first line are solved for, the end is the least loss, by the dual's conditions.

    The dual values are 1 above the line, 0 below and between on it, and balance every column, a rare one too.
    """
    monkeypatch.setattr(sys.modules[minimum.__module__], "BAND", band)  # a narrow one holds some on the wrong side
    rng = np.random.default_rng(9)
    n = 2 * MANY
    x = np.column_stack([np.ones(n), rng.normal(0, 1, n), rng.random(n) < 0.004])
    y, w = np.round(x[:, 1] + 3 * x[:, 2] + rng.standard_t(3, n), 1), rng.uniform(1, 5, n)
    beta, a = minimum(y, x, w, q)
    rest = y - x @ beta
    assert (a[rest > 1e-9] == 1).all()
    assert (a[rest < -1e-9] == 0).all()
    assert ((a >= 0) & (a <= 1)).all()
    np.testing.assert_allclose((w * (a - 1 + q)) @ x, 0, atol=1e-6)


def test_bandwidth_by_hand():
    """Hall and Sheather's width of the median at n = 100; weights count as Kish's sample size; never out of (0, 1)."""
    h = 100 ** (-1 / 3) * 1.959963985 ** (2 / 3) * (1.5 * 0.3989422804**2) ** (1 / 3)
    assert bandwidth(np.full(100, 9.0), 0.5) == pytest.approx(h, rel=1e-8)
    assert bandwidth(np.array([3.0, 1.0]), 0.5) == pytest.approx(h * (100 / (16 / 10)) ** (1 / 3) / 2, rel=1e-8)
    assert 0 < bandwidth(np.ones(100), 0.02) < 0.02


def test_coverage():
    """95 % intervals hold the truth in 90 to 99 % of 120 clustered samples with informative weights."""
    rng, held = np.random.default_rng(2), np.zeros(2)
    for _ in range(120):
        n, psu = 500, np.repeat(np.arange(50), 10)
        x = rng.uniform(0, 2, n)
        y = 1 + x + (0.5 + 0.5 * x) * rng.normal(0, 1, n)
        p = np.where(y > 2, 0.7, 0.35)
        taken = rng.random(n) < p
        f = pd.DataFrame({"x": x, "y": y})[taken]
        bounds = quantile_regression(Design(1 / p[taken], psu=psu[taken]), f, "y ~ x").interval()
        held += ((bounds["low"] <= 1) & (bounds["high"] >= 1)).to_numpy()
    assert ((held >= 108) & (held <= 119)).all()


@pytest.mark.parametrize("q", [0, 1, -0.5, [0.1, 0.5], "half", np.nan])
def test_quantiles_that_cannot_be(women, q):
    """A quantile lies between 0 and 1, and is one."""
    with pytest.raises(WelfareError, match="q: not between 0 and 1"):
        quantile_regression(Design(women["w"]), women, "faminc ~ educ", q)


def test_outcomes_that_are_mostly_alike(women):
    """Where the lines beside it are the same no density is told: an error, not an error of zero."""
    f = women.assign(y=women["faminc"].where(women.index < 20, 7))
    with pytest.raises(WelfareError, match=r"too many answers are alike to tell a density; got .'Intercept'"):
        quantile_regression(Design(f["w"]), f, "y ~ 1", 0.5)
