"""Ways to work: published values of time, what is recovered, what a change does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from welfare_analysis.demand.outcomes import change, of, outcomes, totals

from welfare_analysis.demand import levels, modes, ownership, worth
from welfare_analysis.demand.modes import OFFERS, SHIFTS, coded
from welfare_analysis.demand.transport import BLOCK, Commuters
from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design
from welfare_analysis.estimation.choice import logit
from welfare_analysis.study import DATA
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

BOOK = Codebook.read(DATA / "codebook")
REFERENCE = Path(__file__).parents[2] / "data" / "reference"
TRUE = {"cost_100": -0.55, "time_10min": -0.25, "walk_10min": -0.30, "headway_10min": -0.18, "foot_10min": -0.7}
CONSTANTS = dict(zip(levels.MODES[1:], (-1.5, -2.0, -2.2, -2.4, -2.4, -0.8, -3.0), strict=True))
SCALE = 0.6  # of the modes, over that of the cards


@pytest.fixture(scope="module")
def people():
    """A population without errors of answering; its modes are drawn anew from the table and known tastes."""
    truth = typed(generate(Parameters.read(DATA / "public"), 21, "plain", size=9000).truth, BOOK)
    group = truth["command"].astype(object).map(BOOK.parent("command"))
    frame = truth.assign(command_group=group).set_index(pd.RangeIndex(len(truth)))
    design = Design(pd.Series(np.random.default_rng(3).uniform(1, 3, len(frame))))
    some = Commuters(frame, design, BOOK, levels.levels())
    long = coded(some.before_modes())
    known = long["alternative"].astype(object).map(CONSTANTS).fillna(0.0).astype(float)
    v = SCALE * (known + sum(TRUE[name] * long[name] for name in TRUE))
    drawn = long.assign(u=v + np.random.default_rng(4).gumbel(size=len(long))).sort_values("u").groupby("row").last()
    mode = pd.Series(frame["commute_mode"].astype(object)).where(~some.known, drawn["alternative"].astype(object))
    return Commuters(frame.assign(commute_mode=mode.astype(frame["commute_mode"].dtype)), design, BOOK, levels.levels())


@pytest.fixture(scope="module")
def fares(people):
    """Fares cut by a tenth and by a half, and homes half as far, in the calibrated market."""
    changed = {
        "tenth": people.situations(fares=0.9),
        "half": people.situations(fares=0.5),
        "near": people.situations(km=0.5),
    }
    return outcomes(people.market, people.design, people.today, changed)


def test_published_value_of_time_of_swissmetro():
    """The functions of this page give what Biogeme's example prints: 1.277859 / 1.083790 CHF a minute, 70.7 an hour."""
    wide = (
        pd.read_csv(REFERENCE / "swissmetro.csv.gz").query("PURPOSE in (1, 3) and CHOICE != 0").reset_index(drop=True)
    )
    parts = []
    for number, (mode, upper) in enumerate({"train": "TRAIN", "sm": "SM", "car": "CAR"}.items(), 1):
        cost = wide[f"{upper}_CO"].where((wide["GA"] != 1) | (mode == "car"), 0)
        columns = {"cost_dh": cost, "time_min": wide[f"{upper}_TT"], "chosen": wide["CHOICE"] == number}
        part = pd.DataFrame({"case": wide.index, "row": wide["ID"], "alternative": mode, **columns})
        parts.append(part[(wide[f"{upper}_AV"] == 1) & ((wide["SP"] != 0) | (mode == "sm"))])
    long = modes.scaled(pd.concat(parts, ignore_index=True).assign(walk_min=0.0, headway_min=0.0, foot_min=0.0))
    fit = modes.revealed(None, long, model="chosen ~ C(alternative) + cost_100 + time_10min")
    assert fit.log_likelihood == pytest.approx(-5331.252007, abs=1e-6)
    found = worth.minute(fit)
    assert found.value.iloc[0] == pytest.approx(1.277859 / 1.083790, rel=1e-5)
    assert 60 * found.value.iloc[0] == pytest.approx(70.7, abs=0.05)


def test_published_value_of_waiting_of_travel_mode():
    """Greene and Hensher's data: a minute of waiting is worth 0.096125 / 0.015501 of cost (mlogit)."""
    frame = pd.read_csv(REFERENCE / "AER_TravelMode.csv").rename(columns={"individual": "case", "mode": "alternative"})
    air = frame["income"].where(frame["alternative"] == "air", 0)
    long = frame.assign(chosen=frame["choice"] == "yes", row=frame["case"], air_income=air)
    long = long.assign(cost_100=long["gcost"] / 100, time_10min=long["wait"] / 10)
    model = "chosen ~ C(alternative, contr.treatment('car')) + cost_100 + time_10min + air_income"
    fit = modes.revealed(None, long, model=model)
    assert fit.log_likelihood == pytest.approx(-199.128369, abs=6e-7)
    assert worth.minute(fit).value.iloc[0] == pytest.approx(0.096125 / 0.015501, rel=1e-4)


def test_two_sources_with_scales_are_recovered(people):
    """Simulate and recover: tastes, the scale of the cards over the modes, the constants of the modes."""
    fit = people.fit("pooled")
    true = {name: SCALE * value for name, value in TRUE.items()} | {"scale[stated]": 1 / SCALE}
    true |= {f"C(kind)[T.{mode}]": SCALE * value for mode, value in CONSTANTS.items()}
    z = pd.Series({name: (fit.value[name] - value) / fit.se[name] for name, value in true.items()})
    z = z[fit.se[z.index] < 1]  # a tram that few may take tells little
    assert z.abs().max() < 3.5
    assert fit.value["scale[stated]"] > 1 + 2 * fit.se["scale[stated]"]


def test_self_reported_attributes_of_the_chosen_mode_are_refused(people):
    """The model would measure how people round: it is an error, with what to do instead."""
    long = coded(people.revealed)
    modes.same_for_all(long)
    own = people.frame["commute_min"].loc[long["row"]].to_numpy(float) / 10
    told = long.assign(time_10min=np.where(long["chosen"] == 1, own, long["time_10min"]))
    with pytest.raises(WelfareError, match="not the table's"):
        modes.revealed(people.superpopulation, told)


def test_constants_bring_the_observed_shares(people, fares):
    """Shares before any change are those of all the active who told their mode, and add to one, as all others do."""
    before = of(fares, "tenth", "before").value.loc["before"]
    seen = pd.Series(people.shares())
    np.testing.assert_allclose(before[seen.index], seen, atol=0.004)  # levels are known of not quite all
    for name in ("tenth", "half", "near"):
        assert of(fares, name, "after").value.sum() == pytest.approx(1, abs=1e-12)


def test_own_elasticity_is_negative_and_others_gain_nothing(fares):
    """A lower fare draws riders to its mode and takes them from every other."""
    gap = of(fares, "tenth", "after").value.loc["after"] - of(fares, "tenth", "before").value.loc["before"]
    cheap = ["bus", "tram", "grand_taxi"]
    assert (gap[cheap] > 0).all()
    assert (gap.drop(cheap) < 0).all()


def test_people_alike_are_computed_once(people, fares):
    """Means over persons of their own probabilities, one by one, give the same shares; so do sums by group."""
    part = people.known.to_numpy()
    p = change(people.market, people.today, people.situations(fares=0.5))["after", "bus"].to_numpy()
    w = people.design.weights
    assert of(fares, "half", "after").value["after", "bus"] == pytest.approx(
        np.average(p[people.today.of[part]], weights=w[part]), rel=1e-12
    )
    every = totals(fares, people.active)
    assert every.value["half.after"].sum() == pytest.approx(w[people.active.to_numpy()].sum(), rel=1e-12)


def test_errors_hold_those_of_the_coefficients(people):
    """The derivative by a coefficient, by moving it and computing all again."""
    base, near = people.today, people.situations(fares=0.5)
    found = outcomes(people.fit("revealed"), people.design, base, {"half": near})
    fit = people.fit("revealed")
    step = 1e-4
    j = fit.value.index.get_loc("cost_100")
    ends = []
    for sign in (1, -1):
        moved = fit.value.copy()
        moved.iloc[j] += sign * step
        p = change(replace(fit, value=moved), base, near)["after", "bus"].to_numpy()
        ends.append(np.average(p[base.of[base.of >= 0]], weights=people.design.weights[base.of >= 0]))
    k = found.value.index.get_loc(("half.after", "bus"))
    assert found.jacobian[k, j] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5)


def test_cars_chosen_with_the_mode_keep_what_is_seen(people):
    """The joint model gives the owners and the modes that there are, and fewer trips by car once fares fall."""
    long = ownership.alternatives(people)
    fit = logit(people.superpopulation, long, ownership.MODEL, "case", "way", "row", "known")
    w = pd.Series(people.design.weights, people.frame.index)[long["row"]].to_numpy()
    p = np.empty(len(long))
    p[fit.cases.order] = fit.predict()[0]
    owns = long["own"] == 1
    assert (w * p)[owns].sum() == pytest.approx((w * long["chosen"])[owns].sum(), rel=1e-6)
    by_mode = [pd.Series(w * x).groupby(long["mode"].to_numpy()).sum() for x in (p, long["chosen"])]
    np.testing.assert_allclose(*by_mode, rtol=1e-5)
    after = ownership.long_run(people, 0.5).value
    assert after.sum() == pytest.approx(1, abs=1e-9)
    assert after["car"] < ownership.long_run(people, 1.0).value["car"]


def test_time_is_worth_the_ratio_of_tastes(people):
    """10 beta_t / beta_c DH a month a minute each way, alike by cards and modes where tastes are; by group in hours."""
    found = worth.time_over_cost(people)
    true = 10 * TRUE["time_10min"] / TRUE["cost_100"]
    assert abs(found.value["cards"] - true) < 3.5 * found.se["cards"]
    assert abs(found.value["modes"] - true) < 3.5 * found.se["modes"]
    assert abs(found.value["difference"]) < 3.5 * found.se["difference"]
    values, pay = worth.value_of_time(people)
    assert all(0 < e.value.iloc[0] < 60 for e in values.values())
    assert (pay.value > 5).all()


def test_nothing_but_the_block_is_needed():
    """Offers and shifts are those of the cards."""
    assert tuple(BOOK.codes(f"{BLOCK}_alternative")[1:]) == OFFERS
    assert set(SHIFTS) == {"car", "nights", "far_10km"}
