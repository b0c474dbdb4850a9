"""What changes the demand for homes."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.demand import scenarios
from welfare_analysis.demand.credit import Terms
from welfare_analysis.demand.housing import BOUGHT, OFFERED, HomeMarket
from welfare_analysis.estimation import Design
from welfare_analysis.study import DATA, public
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

OFFERS = public("home_offers").pivot(index="alternative", columns="attribute", values="value").loc[list(OFFERED)]


@pytest.fixture(scope="module")
def people():
    truth = typed(generate(Parameters.read(DATA / "public"), 8, "plain", size=9000).truth, BOOK)
    groups = {c: truth[c].astype(object).map(BOOK.parent("command")) for c in ("command", "home_city")}
    return truth.assign(command_group=groups["command"], home_city_group=groups["home_city"])


@pytest.fixture(scope="module")
def market(people):
    design = Design(pd.Series(np.random.default_rng(1).uniform(1, 3, len(people))))
    return HomeMarket(people, design, BOOK, OFFERS, Terms.named("housing_foundation"))


def test_each_measure_brings_homes_and_each_test_takes_means(market):
    """Every measure brings homes; a test takes some out of reach, but for household income, plots alone and savings."""
    base = scenarios.bought(market.likely(), "homes").value.iloc[0]
    for other, cost in scenarios.measures(market).values():
        assert (cost.fillna(0.0) >= 0).all(axis=None)
        assert scenarios.bought(other.likely(), "homes").value.iloc[0] >= base
    within = market.at(building_dh=160_000.0)
    for name, other in scenarios.tests(within).items():
        more, less = (other, within) if name in ("household", "no_house", "saving") else (within, other)
        known = more.computed & less.computed
        assert not (less.affordable & ~more.affordable)[known].any(axis=None), name
        assert (less.affordable.sum() < more.affordable.sum()).any(), name
    ends = {n: scenarios.bought(m.likely(), "homes").value.iloc[0] for n, m in scenarios.ends(market).items()}
    assert ends["unfavourable"] < base < ends["favourable"]


def test_what_a_measure_costs_by_hand(market):
    """One member: the loan that savings do not spare, the rebate of the rate, and what a guarantee loses."""
    bank = market.at(Terms.named("housing_bank"))
    i = bank.frame.index[((bank.frame["age"] == 35) & (bank.frame["savings_dh"] > 20_000)).to_numpy(bool)][0]
    saved, terms = float(bank.frame.at[i, "savings_dh"]), bank.terms
    price = float(OFFERS.loc["social_flat", "price_dh"])
    lent = max(price * (1 + terms.fees) - saved, 0)
    assert scenarios.loan_dh(bank).at[i, "social_flat"] == pytest.approx(lent)
    n = int(min(240, 12 * (65 - 35)))
    monthly = []
    for rate in (0.0603, 0.045):
        r = (rate * 1.1 + 0.005) / 12
        monthly.append(lent * r / (1 - (1 + r) ** -n))
    today = sum((1 + 0.045 / 12) ** -t for t in range(1, n + 1))
    made = scenarios.measures(bank)
    assert made["rate"][1].at[i, "social_flat"] == pytest.approx((monthly[0] - monthly[1]) * today)
    assert made["guarantee"][1].at[i, "social_flat"] == pytest.approx(0.009 * lent)
    assert made["grant"][1].loc[i].tolist() == [40_000.0] * 3
    assert made["price_cap"][1].loc[i].tolist() == [price - 200_000, 0, 0]
    assert made["land"][1].loc[i].tolist() == [0, 0, 50_000]
    assert made["guarantee"][0].terms.down_payment == -terms.fees


def test_a_measure_is_its_homes_and_its_dirhams(market):
    """A grant costs 40,000 DH a home, of all homes with it; those without it would have come anyway."""
    found, members = scenarios.levers(market.at(Terms.named("housing_bank")))
    grant = found["grant"].value
    assert grant["cost_dh"] == pytest.approx(40_000 * grant["after"], rel=1e-9)
    assert grant["transfer_dh"] == pytest.approx(40_000 * grant["before"], rel=1e-9)
    assert grant["additional"] == pytest.approx(grant["after"] - grant["before"], rel=1e-9)
    assert all(members[name].value.iloc[0] > found[name].value["cost_dh"] for name in found)


def test_where_each_value_stands_in_its_range():
    """By hand: 0 the bad end, 1 the good one; long terms and low prices are good."""
    table = scenarios.parameters().set_index(["home_offer", "home_assumption"])["place"]
    assert table["social_flat", "price_dh"] == pytest.approx((300 - 250) / 100)
    assert table["credit", "months"] == pytest.approx((240 - 180) / 120)
    assert table["credit", "down_payment"] == pytest.approx(0.3 / 0.4)
    ruled = [("credit", "vat"), ("programme", "rate_bank")]  # a rule, and a mean that was published: no choice of ours
    assert table.drop(ruled).dropna().between(0.35, 0.8).all()


def test_homes_bought_are_summed_within_each_group(market):
    """By group they are the sums over kinds, with the error of the sum."""
    forecast = market.likely(by=market.frame["command_group"].rename("g"))
    whole = scenarios.bought(forecast)
    known = forecast.value[forecast.value.index.get_level_values(1).isin(BOUGHT)].groupby(level=2).sum()
    np.testing.assert_allclose(whole.value, known[whole.value.index], rtol=1e-12)
    own = [i for i, k in enumerate(forecast.value.index) if k[1] in BOUGHT and k[2] == whole.value.index[0]]
    variance = forecast.covariance().to_numpy()[np.ix_(own, own)].sum()
    assert whole.se.iloc[0] == pytest.approx(np.sqrt(variance), rel=1e-6)
