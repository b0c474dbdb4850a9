"""Forecasts: shares carry the errors of people and coefficients."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from travellers import FORMULA, NESTS, dearer, refitted, weighted

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design
from welfare_analysis.estimation.choice import (
    logit,
    mixed_logit,
    nested_logit,
    predicted_shares,
    prepared,
    willingness_to_pay,
)


def kind(fit):
    """Which of the three it is."""
    return "mixed" if hasattr(fit, "random") else "nested" if hasattr(fit, "tree") else "logit"


def test_shares_add_up_and_reach_the_sample(fit, travel, design):
    """Shares add up to one in each domain; a logit with constants predicts the weighted shares of the sample."""
    region = pd.Series(np.arange(210) % 3, index=design.index, name="region")
    e = predicted_shares(fit, by=region)
    np.testing.assert_allclose(e.value.groupby("region").sum(), 1, rtol=1e-12)
    assert (e.interval() > 0).all().all()
    whole = predicted_shares(fit, design, travel.sample(frac=1, random_state=0))
    np.testing.assert_allclose(whole.value, predicted_shares(fit).value, rtol=1e-12)
    p, rows = fit.predict()[0], fit.cases
    own = np.bincount(rows.alternative, p * rows.weights[rows.case]) / design.weights.sum()
    np.testing.assert_allclose(whole.value["share"][rows.alternatives], own, rtol=1e-12)
    chosen = travel[travel["chosen"]].set_index("individual")["mode"]
    observed = pd.Series(design.weights, index=design.index).groupby(chosen).sum() / design.weights.sum()
    if kind(fit) == "logit":
        np.testing.assert_allclose(whole.value["share"][observed.index], observed, rtol=1e-9)
        assert (whole.se["share"] > 0.005).all()


def test_a_constant_in_all_utilities_changes_nothing(fit, travel, design):
    """What is added to the cost of all alternatives of a person moves no share."""
    moved = predicted_shares(fit, design, travel.assign(gcost=travel["gcost"] + 7))
    np.testing.assert_allclose(moved.value, predicted_shares(fit).value, rtol=1e-11)


def test_influence_is_the_derivative_by_the_weight(travel, design, fit):
    """Influences of shares are finite differences with the model fitted again."""
    w = design.weights
    region = pd.Series(np.arange(210) % 2, index=design.index, name="region")

    def values(weights):
        d = weighted(travel, weights)
        f = refitted(kind(fit), travel, d)
        return [predicted_shares(f, d, dearer(travel), by=region), predicted_shares(f)]

    now, person, h = values(w), 17, 1e-3
    up, down = (values(w + sign * h * (np.arange(210) == person)) for sign in (1, -1))
    for e, a, b in zip(now, up, down, strict=True):
        expected = (a.value - b.value) / (2 * h)
        scale = np.abs(e.influence.toarray()).max()
        np.testing.assert_allclose(e.influence.toarray()[person], expected, rtol=1e-3, atol=1e-4 * scale)


def by_coefficients(of, fit):
    """Derivative (k, q) of the shares ``of`` a fit by its coefficients, by central differences."""
    moves = np.diag(1e-4 * fit.se)
    ends = [[of(replace(fit, value=fit.value + s * h)).value for h in moves] for s in (1, -1)]
    return ((np.array(ends[0]) - ends[1]) / (2 * moves.max(axis=1))[:, None]).T


def test_influence_has_two_parts(fit, travel, design):
    """That of the people, with the coefficients known, and that of the coefficients through the shares' derivative."""
    s = predicted_shares(fit, design, dearer(travel))
    to = prepared(fit, design, dearer(travel))
    each = to.by_person(to.predicted(fit, fit.value.to_numpy())[0], len(s.value))
    people = (each - s.value.to_numpy()) / design.weights.sum()
    J = by_coefficients(lambda f: predicted_shares(f, design, dearer(travel)), fit)
    z = people + fit.influence @ J.T
    np.testing.assert_allclose(s.influence.toarray(), z, atol=1e-6 * np.abs(z).max())
    np.testing.assert_allclose(s.se**2, design.variance(z), rtol=1e-5)


def test_another_sample_is_not_forecast(fit, travel, design):
    """People of another design are refused: their coefficients and they would have no covariance."""
    other = Design(pd.Series(np.full(210, 3.0), index=design.index))
    with pytest.raises(WelfareError, match="people of another sample are not forecast"):
        predicted_shares(fit, other, dearer(travel))


def test_a_fit_of_the_superpopulation_keeps_its_error_in_a_census(travel):
    """With everybody in the sample people have no error; the coefficients have that of drawing the population."""
    everybody = Design(pd.Series(1.0, index=travel["individual"].unique()), fpc=np.full(210, 210))
    wide = everybody.superpopulation()
    assert wide is everybody.superpopulation()
    known, drawn = (logit(d, travel, FORMULA, "individual", "mode") for d in (everybody, wide))
    assert predicted_shares(known).se.max() == pytest.approx(0, abs=1e-9)
    assert (drawn.se > 0).all()
    changed = predicted_shares(drawn, everybody, dearer(travel), person="individual")
    J = by_coefficients(lambda f: predicted_shares(f, everybody, dearer(travel), person="individual"), drawn)
    np.testing.assert_allclose(changed.covariance(), J @ drawn.covariance().to_numpy() @ J.T, atol=1e-9)
    half = Design(pd.Series(2.0, index=travel["individual"].unique()), fpc=np.full(210, 420))
    of_half = logit(half.superpopulation(), travel, FORMULA, "individual", "mode")
    both, people = (
        predicted_shares(f, half, dearer(travel), person="individual")
        for f in (of_half, logit(half, travel, FORMULA, "individual", "mode"))
    )
    own = of_half.covariance().to_numpy() - half.covariance(of_half.influence)
    np.testing.assert_allclose(both.covariance() - people.covariance(), J @ own @ J.T, atol=1e-9)


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
    """Shares are weighted means over persons, cards and draws, one after the other, at any cost."""
    fit, long = varied
    moved = long.assign(cost=long["cost"] + (long["mode"] == "a"))
    b, z, w = fit.value, fit.draws.normals(), fit.design.weights
    assert list(b.index) == ["cost", "time", "log.comfort", "sd.time", "sd.log.comfort"]
    assert (b[["sd.time", "sd.log.comfort"]] > 0.3).all()
    shares = np.zeros((2, 4))
    for case, rows in long.groupby("case"):
        i = (case - 1000) // 3
        time, comfort = b["time"] + b["sd.time"] * z[i, 0], np.exp(b["log.comfort"] + b["sd.log.comfort"] * z[i, 1])
        part, at = w[i] / 3 / w.sum(), [list("abcd").index(m) for m in rows["mode"]]
        for k, frame in enumerate((rows, moved.loc[rows.index])):
            cost, early, soft = frame[["cost", "time", "comfort"]].to_numpy().T[:, :, None]
            e = np.exp(b["cost"] * cost + time * early + comfort * soft)
            shares[k, at] += part * (e / e.sum(axis=0)).mean(axis=1)
    np.testing.assert_allclose(predicted_shares(fit).value, shares[0], rtol=1e-10)
    np.testing.assert_allclose(predicted_shares(fit, fit.design, moved).value, shares[1], rtol=1e-10)


def test_a_mixed_forecast_carries_the_error_of_simulation(varied):
    """The spread over scrambles is in the variance of shares and of willingness to pay, through their derivatives."""
    fit, _ = varied
    shares, worth = predicted_shares(fit), willingness_to_pay(fit, "time", "cost")
    assert worth.value.iloc[0] == -fit.value["time"] / fit.value["cost"]
    by_time = np.array([-1, fit.value["time"] / fit.value["cost"]]) / fit.value["cost"]
    at = [fit.value.index.get_loc(name) for name in ("time", "cost")]
    extra = fit.extra_covariance["simulation"]
    expected = (by_time @ extra[np.ix_(at, at)] @ by_time).item()
    assert worth.extra_covariance["simulation"].sum() == pytest.approx(expected)
    assert worth.se.iloc[0] ** 2 - fit.design.variance(worth.influence)[0] == pytest.approx(expected, rel=1e-3)
    J = by_coefficients(predicted_shares, fit)
    assert shares.extra_covariance["simulation"].diagonal() == pytest.approx(np.diag(J @ extra @ J.T), rel=1e-4)
    spread = np.diag(J @ sum(fit.extra_covariance.values()) @ J.T)
    np.testing.assert_allclose(shares.se**2, fit.design.variance(shares.influence) + spread, rtol=1e-4)
    assert (spread > 0).all()


def test_without_variance_forecasts_are_those_of_the_logit(travel, design):
    """With a standard deviation of zero shares are those of a logit at the same values."""
    mixed, flat = refitted("mixed", travel, design), refitted("logit", travel, design)
    mixed = replace(mixed, value=pd.Series([*flat.value, 0.0], index=mixed.value.index))
    one, other = (predicted_shares(f, design, dearer(travel)) for f in (mixed, flat))
    np.testing.assert_allclose(one.value, other.value, rtol=1e-9, atol=1e-13)
    assert willingness_to_pay(mixed, "wait", "gcost").value.equals(willingness_to_pay(flat, "wait", "gcost").value)


def test_people_with_several_cases_count_once(cards):
    """A person's cards share her weight: shares are weighted means over people of the mean over each one's cards."""
    long = cards(3)
    long = long[long["case"] != 1000]
    design = Design(pd.Series(np.arange(1.0, 41.0), index=long["person"].unique()))
    fit = logit(design, long, "chosen ~ cost + time", "case", "mode", "person")
    rows = pd.DataFrame({"p": fit.predict()[0], "case": fit.cases.labels[fit.cases.case]})
    rows["person"], rows["mode"] = fit.cases.person[fit.cases.case], fit.cases.alternative
    cards_of = rows.groupby("person")["case"].transform("nunique")
    expected = (rows["p"] / cards_of * (rows["person"] + 1.0)).groupby(rows["mode"]).sum() / 820
    np.testing.assert_allclose(predicted_shares(fit).value, expected, rtol=1e-12)


def test_coverage_of_a_forecast():
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
        return predicted_shares(fit, fit.cases.design, part.assign(cost=part["cost"] + (part["mode"] == "a")))

    truth = share(long, None).value["share", "a"]
    chance = 40 * np.exp(0.5 * taste[:, 0]) / np.exp(0.5 * taste[:, 0]).sum()
    for _ in range(60):
        drawn = rng.random(len(chance)) < chance
        rows = np.flatnonzero(drawn[cluster])
        design = Design(pd.Series(1 / chance[cluster[rows]], index=rows), psu=cluster[rows])
        low, high = share(long[long["case"].isin(rows)], design).interval().loc[("share", "a")]
        held.append(low <= truth <= high)
    assert np.mean(held) >= 0.86


def test_what_is_no_utility_has_no_price(travel, design):
    """Greene's scale is refused ratios to the cost; a lambda above 1 is said beside them."""
    greene = nested_logit(design, travel, FORMULA, "individual", "mode", NESTS, scale="greene")
    with pytest.raises(WelfareError, match="only reproduces published tables"):
        willingness_to_pay(greene, "wait", "gcost")
    odd = nested_logit(design, travel, FORMULA, "individual", "mode", {"odd": ["air", "bus"]})
    assert odd.value["lambda[odd]"] > 1
    assert "outside (0, 1]" in willingness_to_pay(odd, "wait", "gcost").notes[0]


def test_random_costs_have_no_price(travel, design):
    """A cost coefficient that differs between people is refused as the price of a ratio; shares are not."""
    normals = np.random.default_rng(2).normal(size=(210, 1, 16))
    given = (design, travel, FORMULA, "individual", "mode")
    fit = mixed_logit(*given, random={"gcost": "normal"}, normals=normals, starts=1)
    with pytest.raises(WelfareError, match="Daly, Hess and Train 2012"):
        willingness_to_pay(fit, "wait", "gcost")
    dear = predicted_shares(fit, design, dearer(travel)).value - predicted_shares(fit).value
    assert dear["share", "air"] < 0


def test_errors(fit, travel, design):
    """What cannot be forecast is said: other cases, unknown modes, an alternative twice."""
    with pytest.raises(WelfareError, match=r"alternatives are not those of the fit; got \['tram'\]"):
        predicted_shares(fit, design, travel.replace({"mode": {"bus": "tram"}}))
    with pytest.raises(WelfareError, match="an alternative is twice"):
        predicted_shares(fit, design, pd.concat([travel, travel.iloc[:1]]))
    with pytest.raises(WelfareError, match="cases are not those of the fit"):
        predicted_shares(fit, design, travel.assign(individual=travel["individual"] + 1))
