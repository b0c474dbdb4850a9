"""Forecasts: shares, scenarios, welfare and elasticities carry the errors of people and coefficients."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import integrate

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design
from welfare_analysis.estimation.choice import (
    New,
    calibrated,
    elasticities,
    logit,
    mixed_logit,
    nested_logit,
    predicted_shares,
    scenario,
    willingness_to_pay,
)

FORMULA = "chosen ~ C(mode, contr.treatment('car')) + gcost + wait"
NESTS = {"fly": ["air"], "ground": ["bus", "car", "train"]}


def weighted(travel, w):
    """A design of the 210 travellers in 42 clusters."""
    return Design(pd.Series(w, index=travel["individual"].unique()), psu=np.arange(210) // 5)


@pytest.fixture(scope="module")
def design(travel):
    """Unequal weights."""
    return weighted(travel, np.random.default_rng(1).uniform(1, 4, 210))


@pytest.fixture(scope="module", params=["logit", "nested", "mixed"])
def fit(request, travel, design):
    """The models of the published tables, and one in which waiting is disliked by some more than by others."""
    return refitted(request.param, travel, design)


def refitted(kind, travel, design):
    """A logit, a nested or a mixed logit."""
    given = (design, travel, FORMULA, "individual", "mode")
    if kind == "mixed":
        normals = np.random.default_rng(2).normal(size=(210, 1, 32))
        return mixed_logit(*given, random={"wait": "normal"}, normals=normals, starts=1)
    return nested_logit(*given, NESTS) if kind == "nested" else logit(*given)


def kind(fit):
    """Which of the three it is."""
    return "mixed" if hasattr(fit, "random") else "nested" if hasattr(fit, "tree") else "logit"


def dearer(travel, by=1.2):
    """Air costs more."""
    return travel.assign(gcost=travel["gcost"] * np.where(travel["mode"] == "air", by, 1.0))


def test_shares_add_up_and_reach_the_sample(fit, travel, design):
    """Shares add up to one in each domain; a logit with constants predicts the weighted shares of the sample."""
    region = pd.Series(np.arange(210) % 3, index=design.index, name="region")
    e = predicted_shares(fit, by=region)
    np.testing.assert_allclose(e.value.groupby("region").sum(), 1, rtol=1e-12)
    assert (e.interval() > 0).all().all()
    whole = scenario(fit, design, travel)
    np.testing.assert_allclose(whole.shares.value.groupby("variable").sum(), [1, 1, 0], atol=1e-12)
    np.testing.assert_allclose(whole.numbers.value["before"].sum(), design.weights.sum())
    p, rows = fit.predict()[0], fit.cases
    own = np.bincount(rows.alternative, p * rows.weights[rows.case]) / design.weights.sum()
    np.testing.assert_allclose(whole.shares.value["after"][rows.alternatives], own, rtol=1e-12)
    chosen = travel[travel["chosen"]].set_index("individual")["mode"]
    observed = pd.Series(design.weights, index=design.index).groupby(chosen).sum() / design.weights.sum()
    if kind(fit) == "logit":
        np.testing.assert_allclose(whole.shares.value["before"][observed.index], observed, rtol=1e-9)
        assert (whole.shares.se["before"] > 0.005).all()


def test_an_unchanged_scenario_changes_nothing(fit, travel, design):
    """The same frame, in any order of rows, gives changes and surplus of exactly zero with a zero standard error."""
    s = scenario(fit, design, travel.sample(frac=1, random_state=0), cost="gcost")
    assert (s.shares.value["difference"] == 0).all()
    assert (s.shares.se["difference"] == 0).all()
    assert s.surplus.value.iloc[0] == s.surplus.se.iloc[0] == 0
    assert (s.numbers.se["difference"] == 0).all()


def test_a_constant_in_all_utilities_changes_nothing(fit, travel, design):
    """What is added to the cost of all alternatives of a person moves money, not shares."""
    s = scenario(fit, design, travel.assign(gcost=travel["gcost"] + 7), cost="gcost")
    np.testing.assert_allclose(s.shares.value["difference"], 0, atol=1e-12)
    assert s.surplus.value.iloc[0] == pytest.approx(-7)
    assert s.surplus.se.iloc[0] < 1e-9
    assert s.total_surplus.value.iloc[0] == pytest.approx(-7 * design.weights.sum())


def test_influence_is_the_derivative_by_the_weight(travel, design, fit):
    """Influences of shares, numbers, surplus and elasticities are finite differences with the model fitted again."""
    w = design.weights
    region = pd.Series(np.arange(210) % 2, index=design.index, name="region")

    def values(weights):
        d = weighted(travel, weights)
        f = refitted(kind(fit), travel, d)
        s = scenario(f, d, dearer(travel), cost="gcost", by=region)
        known = calibrated(f, {"air": 0.2, "bus": 0.2, "car": 0.4, "train": 0.2})
        after = scenario(known, d, dearer(travel), by=region).shares
        return [s.shares, s.numbers, s.surplus, s.total_surplus, elasticities(f, "gcost"), known.constants, after]

    now, person, h = values(w), 17, 1e-3
    up, down = (values(w + sign * h * (np.arange(210) == person)) for sign in (1, -1))
    for e, a, b in zip(now, up, down, strict=True):
        expected = (a.value - b.value) / (2 * h)
        scale = np.abs(e.influence.toarray()).max()
        np.testing.assert_allclose(e.influence.toarray()[person], expected, rtol=1e-3, atol=1e-4 * scale)


def test_variance_without_influences_is_that_with(fit, travel, design):
    """The covariance from parts equals the design's covariance of the summed influence; the parts are what they say."""
    s = scenario(fit, design, dearer(travel), cost="gcost").shares
    np.testing.assert_allclose(s.covariance(), design.covariance(s.influence), atol=1e-12)
    np.testing.assert_allclose(s.se**2, design.variance(s.influence), rtol=1e-6)
    np.testing.assert_allclose(s.value["difference"], s.value["after"] - s.value["before"], atol=1e-15)
    table = s.table().set_index(["variable", "alternative"])
    np.testing.assert_allclose(table["se_people"] ** 2, design.variance(s.people), rtol=1e-9)
    coefficients = s.jacobian @ fit.covariance() @ s.jacobian.T
    np.testing.assert_allclose(table["se_coefficients"] ** 2, np.diag(coefficients), rtol=1e-9)


def test_another_sample_adds_independent_errors(fit, travel, design):
    """People of another design: the variances of people and coefficients add up."""
    other = Design(pd.Series(np.full(210, 3.0), index=design.index))
    if kind(fit) == "mixed":
        with pytest.raises(WelfareError, match=r"draws are those of the people of the fit.*a design that has the rows"):
            scenario(fit, other, dearer(travel), base=travel)
        return
    s = scenario(
        fit, other, dearer(travel), base=travel, by=pd.Series(np.arange(210) % 2, index=design.index, name="g")
    )
    part = s.shares.jacobian @ fit.covariance().to_numpy() @ s.shares.jacobian.T
    np.testing.assert_allclose(s.shares.se**2, other.variance(s.shares.people) + np.diag(part), rtol=1e-9)
    assert "coefficients" in s.shares.extra_covariance
    np.testing.assert_allclose(s.numbers.value.groupby("variable").sum(), [630, 630, 0], atol=1e-9)


def test_a_fit_of_the_superpopulation_keeps_its_error_in_a_census(travel):
    """With everybody in the sample people have no error; the coefficients have that of drawing the population."""
    everybody = Design(pd.Series(1.0, index=travel["individual"].unique()), fpc=np.full(210, 210))
    wide = everybody.superpopulation()
    assert wide is everybody.superpopulation()
    known, drawn = (logit(d, travel, FORMULA, "individual", "mode") for d in (everybody, wide))
    assert predicted_shares(known).se.max() == pytest.approx(0, abs=1e-9)
    assert (drawn.se > 0).all()
    changed = scenario(drawn, everybody, dearer(travel), travel, person="individual").shares
    J = changed.jacobian
    np.testing.assert_allclose(changed.covariance(), J @ drawn.covariance().to_numpy() @ J.T, atol=1e-12)
    half = Design(pd.Series(2.0, index=travel["individual"].unique()), fpc=np.full(210, 420))
    of_half = logit(half.superpopulation(), travel, FORMULA, "individual", "mode")
    both, people = (
        scenario(f, half, dearer(travel), travel, person="individual").shares
        for f in (of_half, logit(half, travel, FORMULA, "individual", "mode"))
    )
    own = of_half.covariance().to_numpy() - half.covariance(of_half.influence)
    np.testing.assert_allclose(both.covariance() - people.covariance(), J @ own @ J.T, atol=1e-9)


def test_surplus_is_the_integral_of_demand(fit, travel, design):
    """The change of the logsum is minus the integral of demand along the path of the price (Small and Rosen 1981)."""

    def demand(rise):
        moved = travel.assign(gcost=travel["gcost"] + rise * (travel["mode"] == "air"))
        return scenario(fit, design, moved).shares.value["after", "air"]

    s = scenario(fit, design, travel.assign(gcost=travel["gcost"] + 20 * (travel["mode"] == "air")), cost="gcost")
    assert s.surplus.value.iloc[0] == pytest.approx(-integrate.quad(demand, 0, 20, epsrel=1e-8)[0], rel=1e-7)


def test_elasticities_are_finite_differences(fit, travel, design):
    """Own and cross elasticities are relative changes of shares for a small change of the price; own are negative."""
    e = elasticities(fit, "gcost").value
    up, down = (scenario(fit, design, dearer(travel, 1 + h)).shares.value["after"] for h in (1e-4, -1e-4))
    expected = (np.log(up) - np.log(down)) / 2e-4
    np.testing.assert_allclose(e.xs("air", level="changed")[expected.index], expected, rtol=1e-5)
    assert all(e[m, m] < 0 for m in NESTS["ground"] + ["air"])
    assert all(e[m, "air"] > 0 for m in NESTS["ground"])


def test_calibrated_shares_are_reached(fit, travel, design):
    """Known shares are hit to 1e-10 and have no error left; the difference of a scenario still has."""
    known = {"train": 0.1, "bus": 0.3, "car": 0.4, "air": 0.2}
    s = scenario(calibrated(fit, known), design, dearer(travel))
    np.testing.assert_allclose(s.shares.value["before"][list(known)], list(known.values()), atol=1e-10)
    assert (s.shares.se["before"] == 0).all()
    assert (s.shares.se["difference"] > 1e-4).all()
    with pytest.raises(WelfareError, match="add up to 1"):
        calibrated(fit, known | {"air": 0.3})


def test_alternatives_that_go_and_come(fit, travel, design):
    """Without a mode its share is zero; a new one like the bus takes as much as the bus where the constant is zero."""
    gone = scenario(fit, design, travel[travel["mode"] != "air"], cost="gcost")
    assert gone.shares.value["after", "air"] == gone.shares.se["after", "air"] == 0
    assert gone.surplus.value.iloc[0] < 0
    shuttle = travel[travel["mode"] == "bus"].assign(mode="shuttle")
    more = pd.concat([travel, shuttle], ignore_index=True)
    s = scenario(fit, design, more, new={"shuttle": New("bus")}, cost="gcost")
    assert s.shares.value["after", "shuttle"] == pytest.approx(s.shares.value["after", "bus"])
    assert s.shares.value["before", "shuttle"] == 0
    assert s.surplus.value.iloc[0] > 0
    scaled = scenario(fit, design, more, new={"shuttle": New("bus", 0.5, 0.5)}).shares.value["after"]
    plain = scenario(fit, design, more, new={"shuttle": New("bus", 1.0)}).shares.value["after"]
    np.testing.assert_allclose(scaled, plain)
    assert plain["shuttle"] > plain["bus"]


def test_a_known_part_of_utility_is_asked_for(travel, design):
    """A fit with an offset predicts with the offset of the frame, and refuses a frame whose offset is not named."""
    known = travel.assign(known=0.01 * travel["gcost"])
    fit = logit(design, known, FORMULA, "individual", "mode", offset="known")
    with pytest.raises(WelfareError, match="the fit has an offset"):
        scenario(fit, design, known)
    assert (scenario(fit, design, known, offset="known").shares.value["difference"] == 0).all()


@pytest.fixture(scope="module")
def varied(cards):
    """A mixed logit of 40 weighted people with three cards each, whose tastes for time differ."""
    long, rng = cards(3), np.random.default_rng(3)
    long["comfort"], taste = rng.normal(size=len(long)), rng.normal(size=40)[long["person"] - 500]
    u = (0.5 + 2 * taste) * long["time"] - 0.3 * long["cost"] + 0.8 * long["comfort"] + rng.gumbel(size=len(long))
    long["chosen"] = u == u.groupby(long["case"]).transform("max")
    design = Design(pd.Series(np.linspace(1, 3, 40), index=long["person"].unique()), psu=np.arange(40) // 2)
    kinds = {"time": "normal", "comfort": "lognormal"}
    fit = mixed_logit(
        design, long, "chosen ~ cost + time + comfort", "case", "mode", kinds, "person", draws=128, seeds=2, starts=1
    )
    return fit, long


def test_a_mixed_forecast_is_that_of_simulated_people(varied):
    """Shares, surplus and elasticities are weighted means over persons, cards and draws, one after the other."""
    fit, long = varied
    moved = long.assign(cost=long["cost"] + (long["mode"] == "a"))
    b, z, w = fit.value, fit.draws.normals(), fit.design.weights
    assert list(b.index) == ["cost", "time", "log.comfort", "sd.time", "sd.log.comfort"]
    assert (b[["sd.time", "sd.log.comfort"]] > 0.3).all()
    shares, money, slope = np.zeros((2, 4)), 0.0, 0.0
    for case, rows in long.groupby("case"):
        i = (case - 1000) // 3
        time, comfort = b["time"] + b["sd.time"] * z[i, 0], np.exp(b["log.comfort"] + b["sd.log.comfort"] * z[i, 1])
        part, at, sums = w[i] / 3 / w.sum(), [list("abcd").index(m) for m in rows["mode"]], []
        for k, frame in enumerate((rows, moved.loc[rows.index])):
            cost, early, soft = frame[["cost", "time", "comfort"]].to_numpy().T[:, :, None]
            e = np.exp(b["cost"] * cost + time * early + comfort * soft)
            p = e / e.sum(axis=0)
            shares[k, at] += part * p.mean(axis=1)
            sums.append(np.log(e.sum(axis=0)).mean())
            if k == 0 and 0 in at:
                slope += part * b["cost"] * cost[0, 0] * (p[0] * (1 - p[0])).mean()
        money += part * (sums[1] - sums[0]) / -b["cost"]
    s = scenario(fit, fit.design, moved, cost="cost")
    np.testing.assert_allclose(s.shares.value[["before", "after"]], shares.ravel(), rtol=1e-10)
    np.testing.assert_allclose(predicted_shares(fit).value, shares[0], rtol=1e-10)
    assert s.surplus.value.iloc[0] == pytest.approx(money, rel=1e-9)
    assert elasticities(fit, "cost").value["a", "a"] == pytest.approx(slope / shares[0, 0], rel=1e-6)


def test_a_mixed_forecast_carries_the_error_of_simulation(varied):
    """The spread over scrambles is in the variance of shares and of willingness to pay, through their derivatives."""
    fit, _ = varied
    shares, worth = predicted_shares(fit), willingness_to_pay(fit, "time", "cost")
    assert worth.value.iloc[0] == -fit.value["time"] / fit.value["cost"]
    by_time = np.array([-1, fit.value["time"] / fit.value["cost"]]) / fit.value["cost"]
    at = [fit.value.index.get_loc(name) for name in ("time", "cost")]
    extra = fit.extra_covariance["simulation"]
    expected = (by_time @ extra[np.ix_(at, at)] @ by_time).item()
    assert worth.extra_covariance["simulation"].item() == pytest.approx(expected)
    assert worth.se.iloc[0] ** 2 - fit.design.variance(worth.influence)[0] == pytest.approx(expected, rel=1e-3)
    assert shares.extra_covariance["simulation"].diagonal() == pytest.approx(
        np.diag(shares.jacobian @ extra @ shares.jacobian.T)
    )
    spread = np.diag(shares.jacobian @ sum(fit.extra_covariance.values()) @ shares.jacobian.T)
    np.testing.assert_allclose(shares.se**2, fit.design.variance(shares.influence) + spread, rtol=1e-9)
    assert (spread > 0).all()


def test_without_variance_forecasts_are_those_of_the_logit(travel, design):
    """With a standard deviation of zero, shares, surplus and elasticities are those of a logit at the same values."""
    mixed, flat = refitted("mixed", travel, design), refitted("logit", travel, design)
    mixed = replace(mixed, value=pd.Series([*flat.value, 0.0], index=mixed.value.index))
    for one, other in zip(*(scenario(f, design, dearer(travel), cost="gcost") for f in (mixed, flat)), strict=True):
        np.testing.assert_allclose(one.value, other.value, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(elasticities(mixed, "gcost").value, elasticities(flat, "gcost").value, rtol=1e-5)
    assert willingness_to_pay(mixed, "wait", "gcost").value.equals(willingness_to_pay(flat, "wait", "gcost").value)


def test_people_with_several_cases_count_once(cards):
    """A person's cards share her weight: numbers of people add up to the weights, whatever the number of cards."""
    long = cards(3)
    long = long[long["case"] != 1000]
    design = Design(pd.Series(np.arange(1.0, 41.0), index=long["person"].unique()))
    fit = logit(design, long, "chosen ~ cost + time", "case", "mode", "person")
    s = scenario(fit, design, long.assign(cost=long["cost"] * 1.1))
    assert s.numbers.value["before"].sum() == pytest.approx(820)


def test_coverage_of_a_scenario():
    """Clustered people drawn with informative weights: the interval of a share after a change holds it."""
    rng, size, held = np.random.default_rng(5), 6, []
    n = 6000
    cluster = np.repeat(np.arange(n // size), size)
    taste = rng.normal(0, 0.7, (n // size, 3))
    long = pd.DataFrame({"case": np.repeat(np.arange(n), 3), "mode": np.tile(list("abc"), n)})
    long["cost"] = rng.gamma(4, 0.5, 3 * n) + taste[cluster].ravel()
    u = taste[cluster].ravel() - 0.6 * long["cost"] + np.tile([0.5, 0, 0], n) + rng.gumbel(size=3 * n)
    long["chosen"] = u == u.groupby(long["case"]).transform("max")
    formula = "chosen ~ C(mode) + cost"

    def share(part, design):
        fit = logit(design, part, formula, "case", "mode")
        return scenario(fit, fit.cases.design, part.assign(cost=part["cost"] + (part["mode"] == "a"))).shares

    truth = share(long, None).value["after", "a"]
    chance = 40 * np.exp(0.5 * taste[:, 0]) / np.exp(0.5 * taste[:, 0]).sum()
    for _ in range(60):
        drawn = rng.random(len(chance)) < chance
        rows = np.flatnonzero(drawn[cluster])
        design = Design(pd.Series(1 / chance[cluster[rows]], index=rows), psu=cluster[rows])
        low, high = share(long[long["case"].isin(rows)], design).interval().loc[("after", "a")]
        held.append(low <= truth <= high)
    assert np.mean(held) >= 0.86


def test_what_is_no_utility_has_no_welfare(travel, design):
    """Greene's scale, and a lambda above 1, are refused scenarios and the surplus; the scale also ratios."""
    greene = nested_logit(design, travel, FORMULA, "individual", "mode", NESTS, scale="greene")
    with pytest.raises(WelfareError, match=r"no scenario from this fit.*only reproduces published tables"):
        scenario(greene, design, travel, cost="gcost")
    with pytest.raises(WelfareError, match="only reproduces published tables"):
        willingness_to_pay(greene, "wait", "gcost")
    odd = nested_logit(design, travel, FORMULA, "individual", "mode", {"odd": ["air", "bus"]})
    assert odd.value["lambda[odd]"] > 1
    with pytest.raises(WelfareError, match=r"no scenario from this fit.*lambda\[odd\] = .*outside \(0, 1\]"):
        scenario(odd, design, travel, cost="gcost")


def test_random_costs_have_no_welfare(travel, design):
    """A cost coefficient that differs between people is refused as the price of a ratio and of the surplus."""
    normals = np.random.default_rng(2).normal(size=(210, 1, 16))
    given = (design, travel, FORMULA, "individual", "mode")
    fit = mixed_logit(*given, random={"gcost": "normal"}, normals=normals, starts=1)
    with pytest.raises(WelfareError, match="Daly, Hess and Train 2012"):
        willingness_to_pay(fit, "wait", "gcost")
    with pytest.raises(WelfareError, match=r"a random coefficient.*linear, fixed"):
        scenario(fit, design, travel, cost="gcost")
    assert scenario(fit, design, dearer(travel)).shares.value["difference", "air"] < 0


def test_errors(fit, travel, design):
    """What cannot be forecast is told: blocked fits, other cases, unknown modes, a cost that is not linear."""
    with pytest.raises(WelfareError, match="cases are not those of the base; got '209 cases, of 210"):
        scenario(fit, design, travel[travel["individual"] > 1])
    with pytest.raises(WelfareError, match=r"alternatives are not those of the fit; got \['tram'\].*Describe new ones"):
        scenario(fit, design, travel.replace({"mode": {"bus": "tram"}}))
    with pytest.raises(WelfareError, match="an alternative is twice"):
        scenario(fit, design, pd.concat([travel, travel.iloc[:1]]))
    with pytest.raises(WelfareError, match="cases are not those of the fit"):
        scenario(fit, design, travel.assign(individual=travel["individual"] + 1))
    with pytest.raises(WelfareError, match="need a base"):
        scenario(fit, Design(np.ones(210)), travel)
    with pytest.raises(WelfareError, match="no such coefficient"):
        scenario(fit, design, travel, cost="price")
    with pytest.raises(WelfareError, match="no such coefficient"):
        elasticities(fit, "price")
    twice = logit(design, travel, FORMULA + " + gcost:income", "individual", "mode")
    with pytest.raises(WelfareError, match=r"does not enter linearly and alone.*gcost:income"):
        scenario(twice, design, travel, cost="gcost")
    minus = logit(design, travel.assign(gcost=-travel["gcost"]), FORMULA, "individual", "mode")
    with pytest.raises(WelfareError, match="coefficient of cost is not negative"):
        scenario(minus, design, travel, cost="gcost")
