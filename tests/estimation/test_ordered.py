"""Ordered and multinomial logit: Copenhagen's tenants, statsmodels, and categories that cannot be."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import special
from statsmodels.miscmodels.ordinal_model import OrderedModel

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, multinomial_logit, ordered_logit, predictions
from welfare_analysis.estimation.ordered import between_kernel

LEVELS = {
    "Sat": ["Low", "Medium", "High"],
    "Infl": ["Low", "Medium", "High"],
    "Type": ["Tower", "Apartment", "Atrium", "Terrace"],
    "Cont": ["Low", "High"],
}
FORMULA = "Sat ~ Infl + Type + Cont"


@pytest.fixture(scope="module")
def cells():
    """72 cells of 1,681 tenants."""
    frame = pd.read_csv(Path(__file__).parents[2] / "data" / "reference" / "MASS_housing.csv")
    return frame.assign(**{c: pd.Categorical(frame[c], categories=v, ordered=c == "Sat") for c, v in LEVELS.items()})


def test_proportional_odds(cells):
    """The values that R's MASS::polr prints, with cells as weights and with one row a tenant."""
    printed = [0.5663937, 1.2888191, -0.5723501, -0.3661866, -1.0910149, 0.3602841, -0.4961353, 0.6907083]
    tenants = cells.loc[cells.index.repeat(cells["Freq"])].reset_index(drop=True)
    for design, frame in ((Design(cells["Freq"]), cells), (Design(np.ones(1681)), tenants)):
        fit = ordered_logit(design, frame, FORMULA)
        np.testing.assert_allclose(fit.value, printed, atol=2e-6)  # as near as polr has converged
        assert fit.log_likelihood == pytest.approx(-1739.57465, abs=5e-6)
    assert list(fit.value.index[-2:]) == ["Low|Medium", "Medium|High"]


def test_multinomial(cells):
    """The deviance that R's nnet::multinom prints; two categories are a logistic regression's."""
    fit = multinomial_logit(Design(cells["Freq"]), cells, FORMULA)
    assert -2 * fit.log_likelihood == pytest.approx(3470.083866, abs=5e-7)
    assert fit.value.index[0] == "Medium: Intercept"
    assert len(fit.value) == 14


def test_weights_of_one_are_statsmodels(cells):
    """Values, likelihoods and standard errors are those of OrderedModel and MNLogit, a row a tenant."""
    tenants = cells.loc[cells.index.repeat(cells["Freq"])].reset_index(drop=True)
    x = pd.get_dummies(tenants[["Infl", "Type", "Cont"]], drop_first=True).astype(float)
    design = Design(np.ones(1681))
    ours = ordered_logit(design, tenants, FORMULA)
    theirs = OrderedModel(tenants["Sat"], x, distr="logit").fit(method="newton", disp=0, maxiter=50)
    np.testing.assert_allclose(ours.value.iloc[:6], theirs.params.iloc[:6], rtol=1e-6)
    np.testing.assert_allclose(ours.covariance("hessian").iloc[:6, :6], theirs.cov_params().iloc[:6, :6], rtol=1e-4)
    assert ours.log_likelihood == pytest.approx(theirs.llf)
    assert ours.null_log_likelihood == pytest.approx(theirs.llnull)
    ours, theirs = multinomial_logit(design, tenants, FORMULA), sm.MNLogit(tenants["Sat"].cat.codes, sm.add_constant(x))
    theirs = theirs.fit(disp=0, tol=1e-12)
    np.testing.assert_allclose(ours.value, theirs.params.to_numpy().T.ravel(), rtol=1e-7)
    np.testing.assert_allclose(ours.covariance("hessian"), theirs.cov_params(), rtol=1e-6, atol=1e-12)
    assert ours.null_log_likelihood == pytest.approx(theirs.llnull)


def test_two_categories_are_a_logistic_regression(apistrat):
    """With two categories both models are the logistic regression, the cut minus its constant."""
    design = Design(apistrat["pw"])
    f = apistrat.assign(o=pd.Categorical(apistrat["sch.wide"], ordered=True))
    many, cuts = multinomial_logit(design, f, "o ~ ell"), ordered_logit(design, f, "o ~ ell")
    np.testing.assert_allclose(many.value, [-cuts.value["No|Yes"], cuts.value["ell"]], rtol=1e-9)
    np.testing.assert_allclose(many.se, cuts.se.iloc[::-1], rtol=1e-7)


def test_predicted_shares_add_up(cells):
    """Of each case the probabilities are positive and add up to one; the multinomial's means are those seen."""
    for model in (ordered_logit, multinomial_logit):
        fit = model(Design(cells["Freq"]), cells, FORMULA)
        p = fit.expected(fit.value.to_numpy(), fit.specs[0].get_model_matrix(cells).to_numpy())
        assert (p > 0).all()
        np.testing.assert_allclose(p.sum(axis=1), 1)
    shares = cells.groupby("Sat", observed=True)["Freq"].sum() / 1681
    np.testing.assert_allclose(predictions(fit).value, shares, rtol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.assign(Sat=f["Sat"].astype(str)), r"Sat: the categories have no order.*ordered=True"),
        (lambda f: f.assign(Sat=f["Sat"].cat.as_unordered()), "Sat: the categories have no order"),
        (lambda f: f.assign(Sat=f["Sat"].cat.add_categories("None")), r"a category has no respondents; got .'None'"),
        (lambda f: f.assign(Sat=f["Sat"].where(f["Sat"] == "Low")), "Sat: the outcome does not vary"),
    ],
)
def test_categories_that_cannot_be(cells, change, message):
    """Categories without an order, or without respondents, are errors that say what to do."""
    with pytest.raises(WelfareError, match=message):
        ordered_logit(Design(cells["Freq"]), change(cells), FORMULA)


def test_far_tails():
    """Far from the mean an interval keeps its likelihood, the same on both sides."""
    kernel = between_kernel(np.zeros(1), np.zeros(1))
    low, high = np.array([40.0]), np.array([41.0])
    value, first, second = kernel(low, high)
    assert value[0] == pytest.approx(np.log(special.expit(-40) - special.expit(-41)), rel=1e-12)
    other = kernel(-high, -low)
    np.testing.assert_allclose(other[0], value, rtol=1e-12)
    np.testing.assert_allclose(other[1][::-1], -first, rtol=1e-9)
    np.testing.assert_allclose(other[2][::-1, ::-1], second, rtol=1e-6)
