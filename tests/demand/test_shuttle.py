"""A shuttle: who would ride, which groups fill a run, and what that costs, by hand and against other computations."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from books import BOOK
from scipy import special, stats

from welfare_analysis.demand import levels
from welfare_analysis.demand.fares import SHARED, of_shuttle
from welfare_analysis.demand.service import Service, annuity, break_even
from welfare_analysis.demand.shuttle import VIEWS, Shuttle, chances
from welfare_analysis.demand.stated import CERTAIN
from welfare_analysis.demand.transport import Commuters
from welfare_analysis.estimation import Design, mean
from welfare_analysis.estimation.choice import predicted_shares
from welfare_analysis.study import DATA, public
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

TERMS = Service.named()


@pytest.fixture(scope="module")
def people():
    truth = typed(generate(Parameters.read(DATA / "public"), 22, "plain", size=6000).truth, BOOK)
    group = truth["command"].astype(object).map(BOOK.parent("command"))
    frame = truth.assign(command_group=group).set_index(pd.RangeIndex(len(truth)))
    return Commuters(
        frame, Design(pd.Series(np.random.default_rng(5).uniform(1, 3, len(frame)))), BOOK, levels.Levels()
    )


@pytest.fixture(scope="module")
def shuttle(people):
    return Shuttle(people)


def test_a_run_pays_for_itself_from_the_riders_that_it_needs():
    """Two windows, 22 days, 14 km at 8 DH: 4,928 DH a month; at 100 DH and a half in a window 24.64, so 25 riders."""
    terms = replace(TERMS, windows_a_day_n=2, days_a_month_n=22, route_km=14, dh_km=8, window_share=0.5)
    assert terms.run_dh == 4928
    assert terms.needed(100) == pytest.approx(24.64)
    assert replace(terms, seats_n=30, load_share=0.6).rider_dh == pytest.approx(4928 * 0.5 / 18)
    table = break_even((50, 100))
    assert table.loc[100, "needed"] == np.ceil(TERMS.needed(100))
    assert (table["needed_low"] < table["needed"]).all()
    assert (table["needed"] < table["needed_high"]).all()
    assert table.loc[50, "share_covered"] == pytest.approx(50 / TERMS.rider_dh)
    assert annuity(5, 0.045) == pytest.approx(sum(1.045**-year for year in range(1, 6)))


def test_headlines_stand_inside_their_ranges():
    """Every assumption has its value between its ends and a source; good ends are cheaper and larger than bad ones."""
    rows = public("shuttle")
    assert ((rows["low"] <= rows["value"]) & (rows["value"] <= rows["high"])).all()
    assert rows["source"].str.len().gt(10).all()
    good, bad = Service.all_at(True), Service.all_at(False)
    assert good.cost_dh < bad.cost_dh
    assert good.seats_n > bad.seats_n
    assert good.dh_km < bad.dh_km


def test_riders_are_those_of_the_choice_model(people, shuttle):
    """With every person a case of one's own, present way and shuttle, `predicted_shares` gives the same, errors too."""
    inside = np.flatnonzero(people.known)
    rows = people.frame.index[inside]
    now, s, way = people.now.loc[rows], shuttle.service, people.staff.loc[rows]
    shifts = people.people.loc[rows]
    zero = dict.fromkeys([n for n in people.fit().value.index if n.startswith(("season", "car_pool"))], 0.0)
    present = pd.DataFrame({"cost_100": now["cost_dh"] / 100, "time_10min": now["door_min"] / 10, "walk_10min": 0.0,
                            "headway_10min": 0.0, "shuttle": 0.0, "shuttle_car": 0.0, "shuttle_nights": 0.0,
                            "shuttle_far_10km": 0.0, **zero}).assign(alternative="current", row=rows)  # fmt: skip
    offer = present.assign(cost_100=s.cost_dh / 100, time_10min=way["time_min"] / 10, walk_10min=s.walk_min / 10,
                           headway_10min=s.headway_min / 10, shuttle=1.0, alternative="shuttle",
                           **{f"shuttle_{n}": shifts[n] for n in ("car", "nights", "far_10km")})  # fmt: skip
    long = pd.concat([present, offer], ignore_index=True)
    kinds = BOOK.codes("commute_alternative")
    long = long.assign(case=long["row"], alternative=pd.Categorical(long["alternative"], kinds))
    known = predicted_shares(people.fit(), people.design, long, person="row")
    everybody = pd.Series(1.0, people.frame.index)
    found = shuttle._mean({"x": everybody}, where=people.known)
    assert found.value.iloc[0] == pytest.approx(known.value["share", "shuttle"], rel=1e-10)
    assert found.se.iloc[0] == pytest.approx(known.se["share", "shuttle"], rel=1e-5)


def test_likely_riders_by_hand(people, shuttle):
    """Chances of those who want it, could be served and can pay, times the certain part, where a run is kept."""
    w, f = pd.Series(people.design.weights, people.frame.index), people.frame
    wants = f["transport_wish_shuttle"].eq("yes").fillna(False) & people.active
    far = (people.km >= TERMS.least_km) & (f["commute_mode"].astype(object) != "staff_transport")
    able = TERMS.cost_dh <= TERMS.fare_share_most * f["net_pay_dh"]
    on = wants & far & able & people.known
    had = wants & f["commute_certainty"].notna()
    sure = np.average(f.loc[had, "commute_certainty"] >= CERTAIN, weights=w[had])
    kept = people.group.map(dict(shuttle.reach(TERMS.least_riders_n)))
    known = people.known & shuttle.open_to.notna()
    share = (w * shuttle.chance * kept)[on].sum() / w[known].sum()
    assert shuttle.riders().value.iloc[0] == pytest.approx(share * sure * w[people.active].sum(), rel=1e-9)
    every = shuttle.view("stated")
    assert not every.bridge
    assert every.riders().value.iloc[0] > shuttle.riders().value.iloc[0]


def test_the_constant_of_today_is_the_pivot(people, shuttle):
    """At the constant of today as many would ride, were it as staff transport is, as ride staff transport now."""
    w, mode = people.design.weights, people.frame["commute_mode"].astype(object)
    inside, on = people.known.to_numpy(), (mode == "staff_transport").to_numpy()
    b, now, way = people.fit().value, people.now, people.staff
    gap = (
        b["cost_100"] * (way["cost_dh"] - now["cost_dh"]) / 100
        + b["time_10min"] * (way["time_min"] - now["door_min"]) / 10
    )
    gap = (gap + b["walk_10min"] * way["walk_min"] / 10 + b["headway_10min"] * way["headway_min"] / 10).to_numpy()
    others = inside & ~on
    share = np.average(special.expit(gap[others] + shuttle.low), weights=w[others])
    assert share == pytest.approx(np.average(on[inside], weights=w[inside]), rel=1e-8)
    riders = [shuttle.at(constant_share=d).riders().value.iloc[0] for d in (0.0, 0.5, 1.0)]
    assert riders[0] < riders[1] < riders[2]
    assert [shuttle.view(name).service.constant_share for name in VIEWS] == [0.0, 1.0, 1.0]


def test_the_scale_sharpens_choices(shuttle):
    """Twice as sharp: the odds are squared."""
    once, twice = (special.logit(shuttle.at(scale=s).chance) for s in (1.0, 2.0))
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-9)


def test_dearer_farther_and_rarer_shuttles_carry_fewer(shuttle):
    """Chances fall with the fare, the walk and the headway for everybody."""
    known = ~np.isnan(shuttle.chance)
    for terms in ({"cost_dh": 200.0}, {"walk_min": 15.0}, {"runs_n": 1.0}):
        assert (shuttle.at(**terms).chance[known] < shuttle.chance[known]).all()


def test_nobody_near_or_on_staff_transport_is_served(people, shuttle):
    """Whoever lives nearer than the least distance, or rides staff transport, keeps the present way."""
    can = shuttle.served
    near = people.km < TERMS.least_km
    assert not can[near & can.notna()].any()
    assert not can[(people.frame["commute_mode"] == "staff_transport") & can.notna()].any()
    assert can[~people.active].isna().all()


def test_steps_by_case(people):
    """Need and wish are what was said; the fare of a part of pay decides who can pay."""
    frame = people.frame.copy()
    row = frame.index[people.known][0]
    frame["net_pay_dh"] = frame["net_pay_dh"].astype(float)
    frame.loc[row, ["net_pay_dh", "transport_wish_shuttle"]] = [TERMS.cost_dh / TERMS.fare_share_most, "yes"]
    one = Shuttle(replace(people, frame=frame))
    assert one.affordable[row]
    assert one.steps.loc[row, "wants"]
    assert not one.at(cost_dh=TERMS.cost_dh + 1).affordable[row]
    frame.loc[row, "transport_wish_shuttle"] = None
    assert pd.isna(Shuttle(replace(people, frame=frame)).steps.loc[row, "wants"])


def test_summed_chances_do_not_count_luck():
    """Fifty groups, 200 worlds: the sum of shrunken chances is nearer to the true number than a count of estimates."""
    rng, groups, each, limit = np.random.default_rng(11), 50, 40, 0.8
    gaps = []
    for _ in range(200):
        true = rng.normal(0.0, 0.5, groups)
        y = (true[:, None] + rng.normal(0, 3, (groups, each))).ravel()
        labels = pd.Series(np.repeat(np.arange(groups), each), name="group")
        estimate = mean(Design(np.ones(groups * each)), pd.Series(y, name="y"), by=labels)
        reach = (true >= limit).sum()
        gaps.append((chances(estimate, limit).sum() - reach, (estimate.value >= limit).sum() - reach))
    summed, counted = np.mean(gaps, axis=0)
    error = np.std(gaps, axis=0)[0] / np.sqrt(len(gaps))
    assert abs(summed) < 0.5 + 3 * error
    assert counted > 1.5


def test_chances_by_hand():
    """Without differences between groups all have the pooled mean; a limit far below or above it is sure."""
    estimate = mean(Design(np.ones(8)), pd.Series([1.0, 3, 1, 3, 1, 3, 1, 3], name="y"),
                    by=pd.Series([0, 0, 0, 0, 1, 1, 1, 1], name="g"))  # fmt: skip
    error = np.sqrt(1 / (1 / estimate.se**2).sum())
    np.testing.assert_allclose(chances(estimate, 2.5), stats.norm.sf(0.5 / error))
    assert chances(estimate, -50).sum() == pytest.approx(2)
    apart = chances(estimate, 2.5, pd.Index(["day", "night"]))  # each alone in its part: its own mean and error
    np.testing.assert_allclose(apart, stats.norm.sf(0.5 / estimate.se))


def test_what_it_brings_and_costs(people, shuttle):
    """By hand: a year's runs, at least those of the timetable, less the fares; each group shares what its runs cost."""
    made, more = of_shuttle(shuttle)
    shared = people.frame["commute_mode"].astype(object).isin(SHARED)
    on = shuttle.open_to.astype("Float64")
    riders = shuttle.riders({"all": on, "came": on * shared, "run": on * shuttle.rider_dh}).value
    assert made.value["additional"] == pytest.approx(riders["all"] - riders["came"], rel=1e-9)
    w, known, seats = people.design.weights, people.known, TERMS.seats_n * TERMS.load_share
    members = (w[known] * shuttle.kept[known]).groupby(people.group[known]).sum() / w[known].sum()
    runs = (shuttle.on_a_run.value / seats).clip(lower=TERMS.runs_n)
    cost = TERMS.run_dh / TERMS.members_a_route_n * (members * runs).sum() * people.number().value.iloc[0]
    assert made.value["cost_dh"] == pytest.approx(12 * (cost - TERMS.cost_dh * riders["all"]), rel=1e-9)
    assert cost == pytest.approx(riders["run"], rel=0.05)  # but for those of whom a step is not known
    assert riders["run"] / riders["all"] > TERMS.rider_dh  # runs that carry fewer than the mean load cost more
    given = shuttle.riders({"x": on * shared * (shuttle.rider_dh - TERMS.cost_dh)}).value.iloc[0]
    assert made.value["transfer_dh"] == pytest.approx(12 * given, rel=1e-9)
    paid = shuttle.open_to.astype("Float64") * (TERMS.cost_dh - people.now["cost_dh"])
    assert more.value.iloc[0] == pytest.approx(12 * shuttle.riders({"x": paid}).value.iloc[0], rel=1e-9)


def test_other_terms_leave_people_and_models_as_they_are(people, shuttle):
    """A what-if shares the people and their model; the shuttle that it came from keeps its riders."""
    before = shuttle.riders().value.iloc[0]
    dear = shuttle.at(cost_dh=200.0)
    assert dear.riders().value.iloc[0] < before == shuttle.riders().value.iloc[0]
    assert dear.people.fit() is people.fit()
