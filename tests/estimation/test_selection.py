"""Heckman's model: printed values, the right error of two steps, recovery."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from formulaic import model_matrix

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, heckman, linear, logistic
from welfare_analysis.estimation.selection import ALONE

WAGE, WORK = "wage ~ exper + I(exper ** 2) + educ + city", "lfp ~ age + I(age ** 2) + faminc + kids + educ"


@pytest.fixture(scope="module")
def women():
    """753 married women of 1975, 428 in the labour force."""
    f = pd.read_csv(Path(__file__).parents[2] / "data" / "reference" / "sampleSelection_Mroz87.csv")
    return f.assign(kids=(f["kids5"] + f["kids618"] > 0) * 1)


def _drawn(seed, n=3000):
    """A sample in 60 clusters with weights that depend on the outcome; truth 1, 2, 1.5, 0.6."""
    rng = np.random.default_rng(seed)
    psu = np.repeat(np.arange(60), n // 60)
    x, z, u, v = rng.normal(0, 1, (4, n))
    y = 1 + 2 * x + 1.5 * (0.6 * u + 0.8 * v)
    s = 0.2 + 0.5 * x + z + u > 0
    p = np.where(y > 1, 0.4, 0.8)
    taken = rng.random(n) < p
    f = pd.DataFrame({"y": np.where(s, y, np.nan), "x": x, "z": z, "s": s})[taken]
    return Design(1 / p[taken], psu=psu[taken]), f


def test_maximum_likelihood_as_printed(women):
    """Toomet and Henningsen (2008) and gretl of the same model, to the digits printed."""
    fit = heckman(Design(np.ones(753)), women, WAGE, WORK)
    printed = [-1.963024, 0.027868, -0.000104, 0.457005, 0.446529]
    np.testing.assert_allclose(fit.value.iloc[:5], printed, atol=5.1e-7)
    np.testing.assert_allclose(fit.value.iloc[-2:], [3.108376, -0.131959], atol=6e-7)
    assert list(fit.value.index[-2:]) == ["sigma", "rho"]
    assert fit.log_likelihood == pytest.approx(-1581.258, abs=5e-4)
    assert fit.notes == ()


def test_two_steps_as_printed(women):
    """The same with two steps; the selection is the probit."""
    fit = heckman(Design(np.ones(753)), women, WAGE, WORK, method="two-step")
    printed = [-0.971200, 0.021061, 0.000137, 0.417017, 0.443838]
    np.testing.assert_allclose(fit.value.iloc[:5], printed, atol=5.1e-7)
    np.testing.assert_allclose(fit.value.iloc[-3:], [-1.097619, 3.200064, -0.342999], atol=5.1e-7)
    left, right = (part.strip() for part in WORK.split("~"))
    peer = sm.Probit(women[left], model_matrix(right, women)).fit(disp=0)
    np.testing.assert_allclose(fit.value.iloc[5:11], peer.params, rtol=1e-9)
    assert np.isnan(fit.log_likelihood)


def test_null_is_two_models(women):
    """With constants and a rho of 0 the likelihood is a share's and a normal law's."""
    design, working = Design(np.ones(753)), women["lfp"] == 1
    parts = linear(design, women, "wage ~ educ", where=working), logistic(design, women, "lfp ~ educ")
    total = sum(p.null_log_likelihood for p in parts)
    assert heckman(design, women, WAGE, WORK).null_log_likelihood == pytest.approx(total)


def test_errors_of_two_steps_hold_the_first():
    """Standard errors of two steps are the spread of 100 samples; those that take the first as known are not."""
    fits = []
    for seed in range(100):
        design, f = _drawn(seed, n=2400)
        fits.append(heckman(design, f, "y ~ x", "s ~ x + z", method="two-step"))
    values = pd.concat([f.value for f in fits], axis=1)
    errors = np.sqrt((pd.concat([f.se for f in fits], axis=1) ** 2).mean(axis=1))
    np.testing.assert_allclose(errors / values.std(axis=1), 1, atol=0.2)
    assert (np.abs(values.mean(axis=1)[["Intercept", "x", "sigma", "rho"]] - [1, 2, 1.5, 0.6]) < 0.03).all()


def test_recovery():
    """Maximum likelihood finds the truth in weighted clusters, where least squares of the selected misses it."""
    design, f = _drawn(3, n=12_000)
    fit = heckman(design, f, "y ~ x", "s ~ x + z")
    own = fit.value[["Intercept", "x", "sigma", "rho"]]
    assert (np.abs(own - [1, 2, 1.5, 0.6]) < 3 * fit.se[own.index]).all()
    assert np.abs(linear(design, f, "y ~ x").value["Intercept"] - 1) > 0.2


def test_without_exclusion_it_is_said(women):
    """Where no column is in the selection alone, the result says so."""
    fit = heckman(Design(np.ones(753)), women, "wage ~ educ + age", "lfp ~ educ + age", method="two-step")
    assert fit.notes == (ALONE,)


def test_missing_outcomes_of_the_selected(women):
    """A selected row without its outcome counts as missing; the outcome of others need not be known."""
    known = heckman(Design(np.ones(753)), women, WAGE, WORK)
    gap = women.assign(wage=women["wage"].mask((women["lfp"] == 0) | (women.index < 3)))
    fit = heckman(Design(np.ones(753)), gap, WAGE, WORK)
    assert (known.n_cases, fit.n_cases, fit.counts["missing"].iloc[0]) == (753, 750, 3)
    assert not fit.influence[[0, 1, 2]].toarray().any()


@pytest.mark.parametrize(
    ("change", "call", "message"),
    [
        ({}, {"method": "bayes"}, "heckman: unknown method; got 'bayes'"),
        ({"lfp": 2}, {}, "lfp: the outcome does not vary"),
        ({"lfp": [0, 2] * 376 + [2]}, {}, r"lfp: the outcome is not yes or no; got .2.0"),
        ({"wage": np.nan}, {}, "no row is complete"),
    ],
)
def test_calls_that_cannot_be(women, change, call, message):
    """The selection is yes or no, and some are selected."""
    with pytest.raises(WelfareError, match=message):
        heckman(Design(np.ones(753)), women.assign(**change), WAGE, WORK, **call)


@pytest.mark.parametrize("factor", [1e6, 1e-6])
def test_units_of_the_outcome_do_not_matter(factor):
    """Two steps in DH or in millions of DH tell the same, without a warning of a matrix that is near singular."""
    design, f = _drawn(3)
    one, other = (heckman(design, g, "y ~ x", "s ~ x + z", "two-step") for g in (f, f.assign(y=factor * f["y"])))
    times = np.where(one.value.index.str.startswith("selection") | (one.value.index == "rho"), 1, factor)
    np.testing.assert_allclose(other.se, one.se * times, rtol=1e-9)
