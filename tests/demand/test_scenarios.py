"""What changes the demand for homes."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.demand import scenarios
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
def people():
    truth = typed(generate(Parameters.read(DATA / "public"), 8, "plain", size=9000).truth, BOOK)
    groups = {c: truth[c].astype(object).map(BOOK.parent("command")) for c in ("command", "home_city")}
    return truth.assign(command_group=groups["command"], home_city_group=groups["home_city"])


@pytest.fixture(scope="module")
def market(people):
    design = Design(pd.Series(np.random.default_rng(1).uniform(1, 3, len(people))))
    return HomeMarket(people, design, BOOK, OFFERS, Terms.named("housing_foundation"))


def test_each_scenario_moves_demand_as_it_should(market):
    """A higher rate and a shorter term take buyers away; a grant, a lower rate and nearer homes bring some."""
    found = {
        name: scenarios.bought(e).value.iloc[0] for name, e in scenarios.forecasts(scenarios.scenarios(market)).items()
    }
    assert max(found["bank_rate"], found["shorter_term"], found["participatory"]) < found["base"]
    assert min(found["grant"], found["talks_rate"], found["nearer"], found["price_cap"]) > found["base"]
    other = market.at(Terms.named(scenarios.PARTICIPATORY)).demand().value[list(BOUGHT)].sum()
    assert found["participatory"] == pytest.approx(0.75 * found["base"] + 0.25 * other, rel=1e-9)


def test_homes_bought_are_summed_within_each_group(market):
    """By group they are the sums over kinds, with the error of the sum."""
    forecast = market.demand(by=market.frame["command_group"].rename("g"))
    whole = scenarios.bought(forecast)
    known = forecast.value[forecast.value.index.get_level_values(0).isin(BOUGHT)].groupby(level=1).sum()
    np.testing.assert_allclose(whole.value, known[whole.value.index], rtol=1e-12)
    own = [i for i, k in enumerate(forecast.value.index) if k[0] in BOUGHT and k[1] == whole.value.index[0]]
    variance = forecast.covariance().to_numpy()[np.ix_(own, own)].sum()
    assert whole.se.iloc[0] == pytest.approx(np.sqrt(variance), rel=1e-6)


def test_elasticity_is_the_slope_between_two_prices(market):
    """It is negative, the ratio of logarithms, and surer than of two samples: the same people are at both prices."""
    curve = scenarios.at_prices(market, "social_flat", (150_000, 200_000, 260_000))
    found = scenarios.elasticities(curve, "social_flat")
    assert list(found) == [(150_000, 200_000), (200_000, 260_000)]
    for (low, high), estimate in found.items():
        at = [curve[p] for p in (low, high)]
        slope = np.log(at[1].value["social_flat"] / at[0].value["social_flat"]) / np.log(high / low)
        assert estimate.value.iloc[0] == pytest.approx(slope, rel=1e-9)
        assert estimate.value.iloc[0] < 0
        apart = np.hypot(*(e.se["social_flat"] / e.value["social_flat"] for e in at)) / np.log(high / low)
        assert 0 < estimate.se.iloc[0] < 0.8 * apart
