"""A shuttle: riders and frequency as a fixed point, its constant, its costs, by hand and against other computations."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from welfare_analysis.demand.outcomes import of

from welfare_analysis.demand import levels, service
from welfare_analysis.demand.service import Service, break_even, equilibria, greatest
from welfare_analysis.demand.shuttle import Shuttle, cells
from welfare_analysis.demand.transport import Commuters
from welfare_analysis.estimation import Design
from welfare_analysis.estimation.choice import predicted_shares
from welfare_analysis.study import DATA
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

BOOK = Codebook.read(DATA / "codebook")
TERMS = Service.named()


@pytest.fixture(scope="module")
def people():
    truth = typed(generate(Parameters.read(DATA / "public"), 22, "plain", size=6000).truth, BOOK)
    group = truth["command"].astype(object).map(BOOK.parent("command"))
    frame = truth.assign(command_group=group).set_index(pd.RangeIndex(len(truth)))
    design = Design(pd.Series(np.random.default_rng(5).uniform(1, 3, len(frame))))
    return Commuters(frame, design, BOOK, levels.levels())


@pytest.fixture(scope="module")
def shuttle(people):
    return Shuttle.before(people)


@pytest.mark.parametrize(
    ("riders", "known"),
    [
        ({1: 10, 2: 12, 3: 14}, [0]),  # five in a window: no run is kept
        ({1: 20, 2: 24, 3: 28}, [0, 1]),  # 16 fit in one run: 10, 12 and 14 ask for one
        ({1: 30, 2: 40, 3: 50}, [0, 1, 2]),  # 15 ask for one run, 20 for two, 25 for two
        ({1: 40, 2: 50, 3: 60}, [0, 2]),
        ({1: 14, 2: 34, 3: 90}, [0, 2, 3]),  # seven are too few for the first, with two there are enough
    ],
)
def test_equilibria_by_hand(riders, known):
    """20 seats at a load of 0.8, half of the riders in a window, 8 for a run: n = ceil(D(n) / 2 / 16)."""
    terms = replace(TERMS, seats_n=20.0, load_share=0.8, window_share=0.5, least_riders_n=8.0, runs_most_n=3.0)
    assert equilibria(riders, terms) == known
    assert greatest(pd.DataFrame([riders]) / terms.members_a_route_n, terms).tolist() == known[-1:]


def test_from_the_most_runs_the_greatest_is_reached():
    """Demand rises with frequency, so runs that follow the riders fall from the most to the greatest (Tarski 1955)."""
    rng = np.random.default_rng(8)
    for _ in range(200):
        riders = dict(enumerate(np.sort(rng.uniform(5, 200, 6)), start=1))
        runs, before = 6, 7
        while 0 < runs < before:
            runs, before = int(TERMS.wanted(np.array(riders[runs]))), runs
        assert greatest(pd.DataFrame([riders]) / TERMS.members_a_route_n, TERMS).iloc[0] == runs


def test_a_run_is_kept_from_the_riders_that_it_needs():
    """As many riders in a window as needed ask for so many runs, one less for fewer; the last carried for no more."""
    table = break_even(TERMS)
    for runs, row in table.iterrows():
        whole = np.array([row["needed"], row["needed"] - 1, row["carried"]]) / TERMS.window_share
        asked = TERMS.wanted(whole)
        assert asked[0] == asked[2] == runs
        assert asked[1] < runs
    assert table.loc[2, "a_rider_dh"] == pytest.approx(TERMS.route_dh(2) / (17 / TERMS.window_share))


def test_a_route_costs_runs_times_windows_days_and_km():
    """Two runs, two windows a day, 30.4 days, 14 km at 7 DH; the headway is the window over the runs."""
    assert TERMS.route_dh(2) == pytest.approx(2 * 2 * 30.4 * 14 * 7)
    assert TERMS.headway_min(3) == 40
    assert service.parameter("seats_n", "low") < service.parameter("seats_n") < service.parameter("seats_n", "high")


def test_riders_are_those_of_the_choice_model(people, shuttle):
    """Shares of situations are those of `predicted_shares` with every person a case of one's own; so are the errors."""
    put = shuttle.at(constant_share=1.0).at_runs(2)
    found = of(shuttle.offer.on_cards(put), "cards", "after")
    place, names = people.kinds_now
    inside = np.flatnonzero(place >= 0)
    rows = put.long.set_index("row").loc[names[place[inside]]]
    counts = put.long.groupby("row", sort=False).size().loc[names[place[inside]]].to_numpy()
    kinds = BOOK.codes("commute_alternative")
    long = rows.reset_index(drop=True).assign(row=people.frame.index[inside].repeat(counts))
    long = long.assign(case=long["row"], alternative=pd.Categorical(long["alternative"].astype(object), kinds))
    known = predicted_shares(people.fit("stated"), people.design, long, person="row")
    assert found.value["after", "shuttle"] == pytest.approx(known.value["share", "shuttle"], rel=1e-10)
    assert found.se["after", "shuttle"] == pytest.approx(known.se["share", "shuttle"], rel=1e-5)


def test_points_are_the_estimates_without_their_errors(people, shuttle):
    """The quick shares that decide on the runs agree with the forecasts, cell by cell and run by run."""
    for runs in TERMS.runs:
        known = of(shuttle.offer.effect({"x": shuttle.at_runs(runs)}, cells(people)), "x", "after").value
        known = known.loc["after"].loc["shuttle"]
        np.testing.assert_allclose(shuttle.shares.loc[known.index, runs], known, rtol=1e-9)


def test_the_constant_is_damped_between_today_and_the_cards(people, shuttle):
    """At 0 as many ride as ride staff transport now, were it beside all others; riders rise with the place."""
    offer, (_, names) = shuttle.offer, people.kinds_now
    way = people.beside("staff_transport")
    told = {name: way[name].to_numpy() for name in ("cost_dh", "time_min", "walk_min", "headway_min", "door_min")}
    others = (people.frame.loc[names, "commute_mode"] != "staff_transport").to_numpy()
    put = offer.beside(told, 0.0, others)
    where = people.frame["commute_mode"] != "staff_transport"
    found = of(offer.effect({"as_now": put}, where=where), "as_now", "after")
    assert found.value["after", "shuttle"] == pytest.approx(people.shares()["staff_transport"], rel=1e-8)
    taken = [of(offer.effect({"x": shuttle.at(constant_share=d).at_runs(2)}), "x", "after") for d in (0.0, 0.5, 1.0)]
    riders = [e.value["after", "shuttle"] for e in taken]
    assert riders[0] < riders[1] < riders[2]


def test_dearer_farther_and_rarer_shuttles_carry_fewer(shuttle):
    """Riders fall with the fare, the walk and the headway, in every cell."""
    base = shuttle.shares
    assert (np.diff(base.to_numpy(), axis=1) > 0).all()
    for name in ("cost_dh", "walk_min"):
        assert (shuttle.at(**{name: service.parameter(name, "high")}).shares < base).all().all()


def test_nobody_near_or_on_staff_transport_is_served(people, shuttle):
    """Whoever lives nearer than the least distance, or rides staff transport, keeps the present way."""
    can = shuttle.eligible
    near = levels.typical_km(people.frame) < TERMS.least_km
    assert not can[near & can.notna()].any()
    assert not can[(people.frame["commute_mode"] == "staff_transport") & can.notna()].any()
    assert can[~people.active].isna().all()


def test_what_it_costs(people, shuttle):
    """Routes of all members at their runs, less the fares."""
    riders = shuttle.riders()
    net = shuttle.net_cost(riders).value.iloc[0]
    keys = [people.frame["command_group"].astype(object), levels.day_part(people.frame).astype(object)]
    members = pd.Series(people.design.weights)[people.active].groupby([k[people.active] for k in keys]).sum()
    routes = sum(members[c] / TERMS.members_a_route_n * TERMS.route_dh(n) for c, n in shuttle.runs.items() if n)
    assert net == pytest.approx(routes - TERMS.cost_dh * riders.value.iloc[0], rel=1e-9)


def test_other_terms_leave_people_and_models_as_they_are(people, shuttle):
    """A what-if shares the people, their model and the coded rows; the shuttle that it came from keeps its riders."""
    before = shuttle.riders_point
    dear = shuttle.at(cost_dh=300.0)
    assert dear.riders_point < before == shuttle.riders_point
    assert dear.offer.rows is shuttle.offer.rows
    assert people.at(levels.levels("high", "headway_min")).fit("stated") is not people.fit("stated")
