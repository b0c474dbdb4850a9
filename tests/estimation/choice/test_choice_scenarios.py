"""Scenarios: what changes has the errors of people and coefficients, and the surplus is the area under demand."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate
from travellers import FORMULA, NESTS, dearer, refitted, weighted

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation.choice import logit, mixed_logit, nested_logit, predicted_shares, scenario


def test_before_and_after_are_predicted_shares(fit, travel, design):
    """The parts of a scenario are the shares of the two frames, with their errors; differences add up to zero."""
    region = pd.Series(np.arange(210) % 3, index=design.index, name="region")
    s = scenario(fit, design, dearer(travel), by=region).shares
    before, after = (predicted_shares(fit, design, frame, by=region) for frame in (travel, dearer(travel)))
    np.testing.assert_allclose(s.value[["before", "after"]], [*before.value, *after.value], rtol=1e-12)
    np.testing.assert_allclose(s.se["after"], after.se, rtol=1e-5)
    np.testing.assert_allclose(s.interval().loc["after"], after.interval(), rtol=1e-5)
    np.testing.assert_allclose(s.value["difference"], s.value["after"] - s.value["before"], atol=1e-15)
    np.testing.assert_allclose(s.value["difference"].groupby("region").sum(), 0, atol=1e-12)


def test_an_unchanged_scenario_changes_nothing(fit, travel, design):
    """The same frame, in any order of rows, gives changes and surplus of exactly zero with a zero standard error."""
    s = scenario(fit, design, travel.sample(frac=1, random_state=0), cost="gcost")
    assert (s.shares.value["difference"] == 0).all()
    assert (s.shares.se["difference"] == 0).all()
    assert s.surplus.value.iloc[0] == s.surplus.se.iloc[0] == 0


def test_a_constant_in_all_utilities_moves_money_not_shares(fit, travel, design):
    """What is added to the cost of all alternatives of a person is the loss of surplus."""
    s = scenario(fit, design, travel.assign(gcost=travel["gcost"] + 7), cost="gcost")
    np.testing.assert_allclose(s.shares.value["difference"], 0, atol=1e-12)
    assert s.surplus.value.iloc[0] == pytest.approx(-7)
    assert s.surplus.se.iloc[0] < 1e-9


def test_influence_is_the_derivative_by_the_weight(travel, design):
    """Influences of changes and of surplus are finite differences with the model fitted again."""
    w, person, h = design.weights, 17, 1e-3

    def values(weights):
        d = weighted(travel, weights)
        return scenario(refitted("nested", travel, d), d, dearer(travel), cost="gcost")

    now = values(w)
    up, down = (values(w + sign * h * (np.arange(210) == person)) for sign in (1, -1))
    for e, a, b in zip(now, up, down, strict=True):
        scale = np.abs(e.influence.toarray()).max()
        expected = (a.value - b.value) / (2 * h)
        np.testing.assert_allclose(e.influence.toarray()[person], expected, rtol=1e-3, atol=1e-4 * scale)


def test_surplus_is_the_integral_of_demand(fit, travel, design):
    """The change of the logsum is minus the integral of demand along the path of the price (Small and Rosen 1981)."""

    def demand(rise):
        moved = travel.assign(gcost=travel["gcost"] + rise * (travel["mode"] == "air"))
        return predicted_shares(fit, design, moved).value["share", "air"]

    s = scenario(fit, design, travel.assign(gcost=travel["gcost"] + 20 * (travel["mode"] == "air")), cost="gcost")
    assert s.surplus.value.iloc[0] == pytest.approx(-integrate.quad(demand, 0, 20, epsrel=1e-8)[0], rel=1e-7)


def test_an_alternative_that_goes(fit, travel, design):
    """Without a mode its share is zero without error, and people lose."""
    gone = scenario(fit, design, travel[travel["mode"] != "air"], cost="gcost")
    assert gone.shares.value["after", "air"] == gone.shares.se["after", "air"] == 0
    assert gone.surplus.value.iloc[0] < 0


def test_what_is_no_utility_has_no_scenario(travel, design):
    """Greene's scale, and a lambda above 1, are refused."""
    greene = nested_logit(design, travel, FORMULA, "individual", "mode", NESTS, scale="greene")
    with pytest.raises(WelfareError, match=r"no scenario from this fit.*only reproduces published tables"):
        scenario(greene, design, travel, cost="gcost")
    odd = nested_logit(design, travel, FORMULA, "individual", "mode", {"odd": ["air", "bus"]})
    with pytest.raises(WelfareError, match=r"no scenario from this fit.*lambda\[odd\] = .*outside \(0, 1\]"):
        scenario(odd, design, travel, cost="gcost")


def test_errors(travel, design):
    """Other cases, and a cost that is absent, not negative, random, or in another term too, are refused."""
    fit = refitted("logit", travel, design)
    with pytest.raises(WelfareError, match="cases are not those of the fit; got '209 cases, of 210"):
        scenario(fit, design, travel[travel["individual"] > 1])
    with pytest.raises(WelfareError, match="no such coefficient"):
        scenario(fit, design, travel, cost="price")
    twice = logit(design, travel, FORMULA + " + gcost:income", "individual", "mode")
    with pytest.raises(WelfareError, match=r"does not enter linearly and alone.*gcost:income"):
        scenario(twice, design, travel, cost="gcost")
    minus = logit(design, travel.assign(gcost=-travel["gcost"]), FORMULA, "individual", "mode")
    with pytest.raises(WelfareError, match="coefficient of cost is not negative"):
        scenario(minus, design, travel, cost="gcost")
    normals = np.random.default_rng(2).normal(size=(210, 1, 16))
    given = (design, travel, FORMULA, "individual", "mode")
    random = mixed_logit(*given, random={"gcost": "normal"}, normals=normals, starts=1)
    with pytest.raises(WelfareError, match=r"a random coefficient.*linear, fixed"):
        scenario(random, design, travel, cost="gcost")
