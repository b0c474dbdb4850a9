"""Demand for homes: the ceiling of credit enters once."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.demand.credit import Terms
from welfare_analysis.demand.housing import BOUGHT, OFFERED, HomeMarket
from welfare_analysis.estimation import Design
from welfare_analysis.study import DATA, public
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

BOOK = Codebook.read(DATA / "codebook")
OFFERS = public("home_offers").pivot(index="alternative", columns="attribute", values="value").loc[list(OFFERED)]


@pytest.fixture(scope="module")
def market():
    """A population whose choices follow the model, with weights of two."""
    people = typed(generate(Parameters.read(DATA / "public"), 5, "plain", size=10_000).truth, BOOK)
    people.loc[people.index[:500], "savings_dh"] = np.nan
    return HomeMarket(people, Design(pd.Series(2.0, people.index)), BOOK, OFFERS, Terms.named("housing_foundation"))


def test_everybody_of_age_is_counted_once(market):
    """Numbers over the alternatives add up to the adults, also to those of whom it cannot be computed; by group too."""
    adults = 2 * market.adult.sum()
    assert market.demand().value.sum() == pytest.approx(adults, rel=1e-9)
    assert not market.computed[:500].any()
    status = market.frame["status"].rename("status")
    by = market.demand(by=status).value.groupby(level=1).sum()
    known = 2 * market.frame.loc[market.adult, "status"].value_counts()
    np.testing.assert_allclose(by, known[by.index], rtol=1e-9)


def test_four_groups_of_stated_demand_add_up(market):
    """Stated x eligible x affordable, and those of whom it cannot be computed: the groups hold all that is stated."""
    stated = market.demand(restricted=False).value
    groups = market.ladder("social_flat").value
    np.testing.assert_allclose(groups.groupby(level=0).sum()[stated.index], stated, rtol=1e-9)
    assert set(groups.index.get_level_values(1)) == {"yes", "no"}
    assert set(groups.index.get_level_values(2)) == {"yes", "no", "cannot_compute"}


@pytest.mark.parametrize("version", ["unconditional", "affordable", "consideration"])
def test_demand_falls_with_the_price_and_the_rate(market, version):
    """A dearer flat and a higher rate take buyers away, in every version."""
    prices = (15e4, 2e5, 25e4)
    levels = [
        market.at(offers={"social_flat": {"price_dh": price}}).demand(version).value["social_flat"] for price in prices
    ]
    assert levels[0] > levels[1] > levels[2] > 0
    bank = market.at(Terms.named("housing_bank")).demand(version).value
    assert bank[list(BOUGHT)].sum() < market.demand(version).value[list(BOUGHT)].sum()


def test_what_is_taken_can_be_had_and_carried(market):
    """Where nobody can carry a home, nobody takes one; what is closed by a rule is not taken."""
    poor = replace(market, frame=market.frame.assign(savings_dh=0.0, net_pay_dh=1500.0, pension_dh=1500.0))
    found = poor.demand("unconditional", where=market.frame["status"] == "active").value
    assert found[list(BOUGHT)].max() == pytest.approx(0, abs=1e-9)
    owners = market.demand(where=market.frame["tenure"] == "owner").value
    assert owners[["social_flat", "service_rental"]].max() == pytest.approx(0, abs=1e-9)
    assert owners["cooperative_plot"] > 0


def test_the_naive_double_constraint_under_predicts(market):
    """Simulate people who choose on cards among what they can carry.

    Cutting an unconditional forecast to those who can carry it loses those who take the next best; the model of
    affordable alternatives finds the truth.
    """
    true = market.demand("unconditional").value
    fit, long = market.fit("unconditional"), market.cards
    p = np.empty(len(long))
    p[fit.cases.order] = fit.predict()[0]
    p = np.where(long["beyond_1k"] > 0, 0.0, p)
    p /= long.assign(p=p).groupby("case")["p"].transform("sum").to_numpy()
    top = np.random.default_rng(1).random(long["case"].nunique())[long["case"]]
    upper = long.assign(p=p).groupby("case")["p"].cumsum().to_numpy()
    within = replace(market)
    within.__dict__["cards"] = long.assign(chosen=((upper - p <= top) & (top < upper)).astype(int))
    naive = within.ladder("social_flat").value["social_flat", "yes", "yes"]
    once = within.demand("affordable")
    assert naive < 0.75 * true["social_flat"]
    z = (once.value - true) / once.se
    assert z.abs().max() < 3.5


def test_other_terms_share_people_and_model_and_change_nothing(market):
    """A what-if takes people, answers and models of the first market, also from another what-if; that one stays."""
    before = market.demand().value.copy()
    bank = market.at(Terms.named("housing_bank"))
    back = bank.at(market.terms, offers={"social_flat": {"price_dh": 200_000.0}})
    for other in (bank, back):
        assert other.fit() is market.fit()
        assert other.people is market.people
        assert other.origin is market
    assert bank.ceiling is not market.ceiling
    assert back.ceiling is market.ceiling
    fresh = replace(market, offers=back.offers)
    pd.testing.assert_series_equal(back.demand().value, fresh.demand().value, rtol=1e-9)
    pd.testing.assert_series_equal(market.demand().value, before)
    assert fresh.origin is None
