"""The report of a choice model."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design
from welfare_analysis.estimation.choice import hold_out, logit, nested_logit

NAMES = {"case": "case", "alternative": "mode", "person": "person"}
CARDS = "chosen ~ C(mode) + cost + time"


@pytest.fixture(scope="module")
def fit(cards):
    """A logit of 40 people with weights."""
    weights = pd.Series(np.random.default_rng(1).uniform(1, 3, 40), index=np.arange(500, 540))
    return logit(Design(weights), cards(1), CARDS, **NAMES)


def test_rho_squared_is_of_weights_with_a_mean_of_one(fit, cards):
    """By hand, with 5 coefficients; seven times the weights give the same."""
    mean = fit.design.weights.mean()
    zero = -(fit.cases.weights * np.log(fit.cases.sizes)).sum() / mean
    assert fit.rho_squared_bar == pytest.approx(1 - (fit.log_likelihood / mean - 5) / zero, rel=1e-12)
    more = logit(Design(pd.Series(7 * fit.design.weights, index=fit.design.index)), cards(1), CARDS, **NAMES)
    assert more.rho_squared_bar == pytest.approx(fit.rho_squared_bar, rel=1e-8)


def test_held_out_persons_are_predicted_by_the_others(fit, cards):
    """Log-likelihood and shares of the persons left out come from a fit to the others alone."""
    found = hold_out(fit, np.random.default_rng(5), share=0.25)
    assert found.likelihood["persons"].tolist() == [30, 10]
    assert found.likelihood["cases"].tolist() == [90, 30]
    out = np.random.default_rng(5).permutation(np.arange(40))[:10] + 500
    f = cards(1)
    weights = pd.Series(fit.design.weights, index=fit.design.index)
    trained = logit(Design(weights.drop(out)), f[~f["person"].isin(out)], CARDS, **NAMES)
    tested = logit(Design(weights[out]), f[f["person"].isin(out)], CARDS, **NAMES)
    p = tested.predict(theta=trained.value.to_numpy())[0]
    expected = np.average(np.log(p[tested.cases.chosen]), weights=tested.cases.weights)
    assert found.likelihood["log_likelihood"]["left_out"] == pytest.approx(expected, rel=1e-9)
    chosen = tested.cases.alternative[tested.cases.chosen]
    observed = np.bincount(chosen, tested.cases.weights, 4) / tested.cases.weights.sum()
    np.testing.assert_allclose(found.shares["observed"], observed, rtol=1e-12)
    np.testing.assert_allclose(found.shares.sum(), 1, rtol=1e-12)
    with pytest.raises(WelfareError, match="nobody is left in, or out"):
        hold_out(fit, np.random.default_rng(5), share=0.001)


def test_a_nested_logit_can_be_held_out(cards):
    """It is fitted again to a part of the persons, with its nests."""
    fit = nested_logit(None, cards(2), CARDS, **NAMES, nests={"first": ["a", "b"]})
    found = hold_out(fit, np.random.default_rng(1))
    assert found.likelihood["persons"].tolist() == [32, 8]
    out = np.random.default_rng(1).permutation(np.arange(40))[:8] + 500
    again = fit.again(fit.cases.part(~np.isin(fit.cases.person, out - 500)[fit.cases.case]))
    assert list(again.value.index) == list(fit.value.index)
