"""Demand for homes: the ceiling of credit enters once."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.demand.credit import Terms
from welfare_analysis.demand.housing import BOUGHT, OFFERED, HomeMarket
from welfare_analysis.estimation import Design
from welfare_analysis.study import DATA, public
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

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


def test_demand_falls_with_the_price_and_the_rate(market):
    """A dearer flat and a higher rate take buyers away."""
    prices = (15e4, 2e5, 25e4)
    levels = [market.at(offers={"social_flat": {"price_dh": price}}).demand().value["social_flat"] for price in prices]
    assert levels[0] > levels[1] > levels[2] > 0
    bank = market.at(Terms.named("housing_bank")).demand().value
    assert bank[list(BOUGHT)].sum() < market.demand().value[list(BOUGHT)].sum()


def test_what_is_taken_can_be_had_and_carried(market):
    """Where nobody can carry a home, nobody takes one; what is closed by a rule is not taken."""
    poor = replace(market, frame=market.frame.assign(savings_dh=0.0, net_pay_dh=1500.0, pension_dh=1500.0))
    found = poor.demand(where=market.frame["status"] == "active").value
    assert found[list(BOUGHT)].max() == pytest.approx(0, abs=1e-9)
    owners = market.demand(where=market.frame["tenure"] == "owner").value
    assert owners[["social_flat", "service_rental"]].max() == pytest.approx(0, abs=1e-9)
    assert owners["cooperative_plot"] > 0


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


def test_a_plot_is_open_to_those_who_can_pay_a_house_on_it(market):
    """By hand: with 162,500 DH of building a plot of 120,000 needs 282,500; flats cost what they did."""
    built = market.at(building_dh=162_500.0)
    known = built.computed
    price = OFFERS.loc["cooperative_plot", "price_dh"]
    assert built.to_pay["cooperative_plot"] == price + 162_500
    able = (built.ceiling >= price + 162_500)[known]
    assert (built.affordable.loc[known, "cooperative_plot"].astype(bool) == able).all()
    assert (built.affordable.loc[known, "social_flat"] == market.affordable.loc[known, "social_flat"]).all()
    assert built.demand().value["cooperative_plot"] < market.demand().value["cooperative_plot"]


def test_wishes_part_the_adults(market):
    """Wants or not, owns or not: by the answers, NA where one is missing; the headline is of the first alone."""
    frame, wish = market.frame, market.wishes.astype(object)
    wants, owns = (frame["wants_home"] == "yes").to_numpy(bool), (frame["tenure"] == "owner").to_numpy(bool)
    adult = (frame["age"] >= 18).fillna(False).to_numpy(bool)
    known = adult & frame[["wants_home", "tenure"]].notna().all(axis=1).to_numpy()
    for code, own in (("wants_none", wants & ~owns), ("wants_owner", wants & owns), ("no_wish", ~wants & ~owns),
                      ("no_wish_owner", ~wants & owns)):  # fmt: skip
        assert (wish == code).equals(pd.Series(own & known, frame.index))
    assert market.wishers.equals(wish == "wants_none")
    assert wish[~known].isna().all()


def test_likely_is_the_sum_over_those_who_want_one_soon(market):
    """By hand: chances of who wants one within five years times weights, times the part who are certain."""
    sure = market.frame.assign(home_certainty=np.where(np.arange(len(market.frame)) % 4 == 0, 9, 5))
    own = replace(market, frame=sure)
    made = own.likely()
    fit, to = own.fit(), own.target(where=own.wishers)
    p = replace(fit, cases=to.cases).predict()[0]
    kinds = np.asarray(to.cases.alternatives.astype(str))[to.cases.alternative]
    row = own.design.names[to.cases.person[to.cases.case]]
    soon = own.frame["home_horizon"].isin(["under_1", "1_2", "3_5"])
    answered = own.frame["home_horizon"].notna()
    table = pd.DataFrame(
        {"p": p, "kind": kinds, "now": soon.loc[row].to_numpy(), "known": answered.loc[row].to_numpy()}
    )
    taken = (
        table[table["now"]].groupby("kind")["p"].sum() / table.loc[table["known"] & (table["kind"] == "stay"), "p"].size
    )
    certain = (sure.loc[own.wishers, "home_certainty"] >= 8).mean()
    for kind in BOUGHT:
        wanted = 2 * own.wishers.sum() * taken[kind] * certain
        assert made.value["homes", kind] == pytest.approx(wanted, rel=1e-9)
    stated = own.likely(bridge=False).value["homes", "social_flat"]
    assert stated * certain == pytest.approx(made.value["homes", "social_flat"], rel=1e-9)
