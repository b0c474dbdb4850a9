"""Negative binomial and two-part models: statsmodels, R, and amounts that cannot be."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import (
    Design,
    cloglog,
    gamma,
    logistic,
    mean,
    negative_binomial,
    poisson,
    predictions,
    two_part,
)

FORMULA = "affairs ~ age + yearsmarried + rating"


@pytest.fixture(scope="module")
def affairs():
    """601 people, with weights of 1, 2 and 3."""
    frame = pd.read_csv(Path(__file__).parents[2] / "data" / "reference" / "AER_Affairs.csv")
    return frame.assign(w=(frame.index + 1) % 3 + 1.0)


def test_negative_binomial_agrees_with_r(affairs):
    """R 4.2.2, MASS 7.3-58.2, 2026-11-24: glm.nb(..., weights = seq_len(601) %% 3 + 1, epsilon = 1e-14)."""
    fit = negative_binomial(Design(affairs["w"]), affairs, FORMULA)
    values = [1.5898674218600, -0.0195583044124, 0.0952152719670, -0.4035703220570, 7.4817945573]
    np.testing.assert_allclose(fit.value, values, rtol=1e-8)
    assert fit.log_likelihood == pytest.approx(-1472.42666439, rel=1e-11)


def test_weights_of_one_are_statsmodels(affairs):
    """Values, likelihoods and covariance are NegativeBinomial's (NB2)."""
    fit = negative_binomial(Design(np.ones(601)), affairs, FORMULA)
    x = sm.add_constant(affairs[["age", "yearsmarried", "rating"]])
    peer = sm.NegativeBinomial(affairs["affairs"], x)
    theirs = peer.fit(start_params=fit.value.to_numpy(), method="newton", disp=0, tol=1e-12)
    np.testing.assert_allclose(fit.value, theirs.params, rtol=1e-7)
    np.testing.assert_allclose(fit.covariance("hessian"), theirs.cov_params(), rtol=1e-5, atol=1e-10)
    assert fit.log_likelihood == pytest.approx(theirs.llf)
    assert fit.null_log_likelihood == pytest.approx(
        negative_binomial(Design(np.ones(601)), affairs, "affairs ~ 1").log_likelihood
    )


def test_laws_with_an_offset_are_statsmodels(affairs):
    """Coefficients with an offset and weights are those of its GLM; likelihood and prediction those of the binomial."""
    f = affairs.assign(amount=affairs["affairs"] + 0.5, some=affairs["affairs"] > 0, o=np.log(affairs["yearsmarried"]))
    x, design = sm.add_constant(f[["age", "rating"]]), Design(f["w"])
    families = {
        ("affairs", poisson): sm.families.Poisson(),
        ("amount", gamma): sm.families.Gamma(sm.families.links.Log()),
        ("some", cloglog): sm.families.Binomial(sm.families.links.CLogLog()),
    }
    for (name, model), family in families.items():
        fit = model(design, f, f"{name} ~ age + rating", offset="o")
        glm = sm.GLM(f[name].astype(float), x, family, offset=f["o"], freq_weights=f["w"]).fit(tol=1e-13, maxiter=200)
        np.testing.assert_allclose(fit.value, glm.params, rtol=1e-6)
        at_one = family.link.inverse(x @ glm.params)  # predictions are for one unit, an offset of 0
        assert predictions(fit).value.iloc[0] == pytest.approx(np.average(at_one, weights=f["w"]), rel=1e-6)
        if model is not gamma:
            assert fit.log_likelihood == pytest.approx(glm.llf, rel=1e-9)
            assert fit.null_log_likelihood == pytest.approx(
                sm.GLM(f[name].astype(float), x[["const"]], family, offset=f["o"], freq_weights=f["w"]).fit().llf
            )
    with pytest.raises(WelfareError, match=r"affairs: an amount is zero; expected above zero\. Use poisson"):
        gamma(design, f, "affairs ~ age")
    with pytest.raises(WelfareError, match="affairs: the outcome is not yes or no"):
        cloglog(design, f, "affairs ~ age")


def test_two_parts_are_two_models(affairs):
    """Whether is a logistic regression; how much is least squares of logs with Duan's factor."""
    design, some = Design(affairs["w"]), affairs["affairs"] > 0
    part, x = affairs[some], sm.add_constant(affairs.loc[some, ["age", "rating"]])
    smearing = two_part(design, affairs, "affairs ~ age + rating")
    whether = logistic(design, affairs.assign(b=some), "b ~ age + rating")
    np.testing.assert_allclose(smearing.value.iloc[:3], whether.value, rtol=1e-9)
    np.testing.assert_allclose(smearing.se.iloc[:3], whether.se, rtol=1e-9)
    logs = sm.WLS(np.log(part["affairs"]), x, weights=part["w"]).fit()
    np.testing.assert_allclose(smearing.value.iloc[3:6], logs.params, rtol=1e-9)
    assert smearing.value["smearing"] == pytest.approx(np.average(np.exp(logs.resid), weights=part["w"]))


def test_amounts_without_columns(affairs):
    """With constants alone the expected amount is the mean, and so is its standard error."""
    design = Design(affairs["w"])
    plain = mean(design, affairs["affairs"])
    found = predictions(two_part(design, affairs, "affairs ~ 1"))
    assert found.value.iloc[0] == pytest.approx(plain.value.iloc[0], rel=1e-10)
    assert found.se.iloc[0] == pytest.approx(plain.se.iloc[0], rel=1e-8)


@pytest.mark.parametrize(
    ("model", "change", "message"),
    [
        (negative_binomial, lambda y: y - 1, "answers are negative; got -1.0"),
        (negative_binomial, lambda y: y + 0.5, "a count is not a whole number; got"),
        (negative_binomial, lambda y: (y > 0) * 1, "vary no more than a Poisson law"),
        (two_part, lambda y: y - 1, "answers are negative; got -1.0"),
        (two_part, lambda y: y + 1, "too few amounts of zero, or above; got '601 of 601'"),
    ],
)
def test_amounts_that_cannot_be(affairs, model, change, message):
    """Counts are whole and not negative; a two-part model needs both parts."""
    with pytest.raises(WelfareError, match=message):
        model(Design(affairs["w"]), affairs.assign(affairs=change(affairs["affairs"])), FORMULA)


def test_poisson_of_what_it_cannot_take(affairs):
    """Negative weights, and a count given as an offset where its log is meant."""
    design = Design(affairs["w"])
    negative = design.reweighted(affairs["w"].to_numpy() * np.where(affairs.index == 7, -1, 1), None)
    with pytest.raises(WelfareError, match="weights are negative"):
        poisson(negative, affairs, FORMULA)
    with pytest.raises(WelfareError, match=r"months: the offset is no logarithm; got 7200\.0"):
        poisson(design, affairs.assign(months=12 * affairs.index), FORMULA, offset="months")
    for offset, got in (("month", "'month'; expected months"), (affairs["age"], "'Series'")):
        with pytest.raises(WelfareError, match=f"offset: the frame has no such column; got {got}"):
            poisson(design, affairs.assign(months=1.0), FORMULA, offset=offset)
