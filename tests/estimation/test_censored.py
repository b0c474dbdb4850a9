"""Tobit: printed values, R's, recovery and limits that cannot be."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, linear, predictions, tobit

FORMULA = "affairs ~ age + yearsmarried + religiousness + occupation + rating"


@pytest.fixture(scope="module")
def affairs():
    """601 people with weights."""
    f = pd.read_csv(Path(__file__).parents[2] / "data" / "reference" / "AER_Affairs.csv")
    return f.assign(w=(f.index + 1) % 3 + 1.0)


def test_tobit_agrees_with_r(affairs):
    """R 4.2.2, survival 3.5-3, 2026-11-24: survreg(..., dist = "gaussian", rel.tolerance = 1e-15)."""
    fit = tobit(Design(np.ones(601)), affairs, FORMULA)
    values = [8.174197432647, -0.179332583730, 0.554141812906, -1.686220493551, 0.326053248847, -2.284972720630]
    np.testing.assert_allclose(fit.value, [*values, 8.24708032835], rtol=1e-10)
    assert fit.log_likelihood == pytest.approx(-705.576222623, rel=1e-11)
    assert fit.null_log_likelihood == pytest.approx(-744.737509077, rel=1e-11)
    errors = [2.7414455553, 0.0790932396, 0.1345179384, 0.4037515508, 0.2544247471, 0.4078279187]
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance("hessian")))[:-1], errors, rtol=1e-8)


def test_nothing_cut_is_a_linear_regression(affairs):
    """Without a limit that is reached Tobit is least squares, with the maximum likelihood sigma."""
    design = Design(affairs["w"])
    cut, plain = tobit(design, affairs, FORMULA, lower=-np.inf), linear(design, affairs, FORMULA)
    np.testing.assert_allclose(cut.value.iloc[:-1], plain.value, rtol=1e-9)
    np.testing.assert_allclose(cut.se.iloc[:-1], plain.se, rtol=1e-7)
    assert cut.log_likelihood == pytest.approx(plain.log_likelihood)
    assert predictions(cut).value.iloc[0] == pytest.approx(np.average(affairs["affairs"], weights=affairs["w"]))


def test_expected_outcome_by_simulation():
    """The expected outcome is that of the normal law, cut at both limits."""
    rng = np.random.default_rng(3)
    f = pd.DataFrame({"y": np.clip(rng.normal(1, 2, 4000), 0, 3)})
    fit = tobit(Design(np.ones(4000)), f, "y ~ 1", upper=3)
    drawn = np.clip(rng.normal(*fit.value, 400_000), 0, 3).mean()
    assert predictions(fit).value.iloc[0] == pytest.approx(drawn, abs=0.01)


def test_recovery():
    """Coefficients of a cut outcome are those of the whole; a plain regression's not."""
    rng = np.random.default_rng(8)
    n = 6000
    x = rng.normal(0, 1, n)
    y = 0.5 + x + 1.5 * rng.normal(0, 1, n)
    p = np.where(y > 0, 0.4, 0.8)
    taken = rng.random(n) < p
    f = pd.DataFrame({"x": x, "y": np.maximum(y, 0)})[taken]
    design = Design(1 / p[taken])
    fit = tobit(design, f, "y ~ x")
    assert (np.abs(fit.value - [0.5, 1, 1.5]) < 3 * fit.se).all()
    assert linear(design, f, "y ~ x").value["x"] < 0.8


def test_calls_that_cannot_be(affairs):
    """Limits are in order, and the outcome varies between them."""
    design = Design(affairs["w"])
    with pytest.raises(WelfareError, match="tobit: the limits are not in order"):
        tobit(design, affairs, FORMULA, lower=5, upper=2)
    with pytest.raises(WelfareError, match=r"affairs: all answers are at a limit; got \(99, inf\)"):
        tobit(design, affairs, FORMULA, lower=99)
    with pytest.raises(WelfareError, match="affairs: the outcome does not vary"):
        tobit(design, affairs.assign(affairs=0), FORMULA)
