"""The report of a choice model."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, aic
from welfare_analysis.estimation.choice import hold_out, logit, nested_logit, summary

NAMES = {"case": "case", "alternative": "mode", "person": "person"}
CARDS = "chosen ~ C(mode) + cost + time"


@pytest.fixture(scope="module")
def fit(cards):
    """A logit of 40 people with weights."""
    weights = pd.Series(np.random.default_rng(1).uniform(1, 3, 40), index=np.arange(500, 540))
    return logit(Design(weights), cards(1), CARDS, **NAMES)


def test_summary_is_the_arithmetic_of_the_fit(fit):
    """Counts, log-likelihoods per mean weight, both rho-squared, and the AIC of the design."""
    s, mean = summary(fit), fit.design.weights.mean()
    assert s[["persons", "cases", "smallest_choice_set", "largest_choice_set"]].tolist() == [40, 120, 2, 4]
    assert s["cases_of_one_alternative"] == 0
    zero = -(fit.cases.weights * np.log(fit.cases.sizes)).sum() / mean
    assert s["log_likelihood_zero"] == pytest.approx(zero, rel=1e-12)
    assert zero < s["log_likelihood_shares"] < s["log_likelihood"]
    assert s["rho_squared"] == pytest.approx(1 - s["log_likelihood"] / zero, rel=1e-12)
    assert s["rho_squared_bar"] == pytest.approx(1 - (s["log_likelihood"] - 5) / zero, rel=1e-12)
    assert s["aic"] == aic(fit)


def test_scale_of_weights_changes_no_measure(fit, cards):
    """Seven times the weights give the same summary."""
    more = logit(Design(pd.Series(7 * fit.design.weights, index=fit.design.index)), cards(1), CARDS, **NAMES)
    pd.testing.assert_series_equal(summary(more), summary(fit), rtol=1e-8)


def test_log_likelihood_at_shares_is_that_of_constants(fit, cards):
    """With choice sets that differ, market shares are those of a logit of constants."""
    constants = logit(fit.design, cards(1), "chosen ~ C(mode)", **NAMES)
    assert fit.shares_log_likelihood == pytest.approx(constants.log_likelihood, rel=1e-12)


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
    assert summary(fit)["rho_squared"] > 0
