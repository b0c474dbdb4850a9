"""A shuttle: riders and frequency as a fixed point, its constant, its costs, by hand and against other computations."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.demand import levels, service, shuttle, shuttle_costs
from welfare_analysis.demand.outcomes import of, pick, totals
from welfare_analysis.demand.service import Service, equilibria, reached, settled
from welfare_analysis.demand.transport import Commuters
from welfare_analysis.errors import WelfareError
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


@pytest.mark.parametrize(
    ("riders", "found", "up", "down"),
    [
        ({1: 10, 2: 12, 3: 14}, [0], 0, 0),  # five in a window: no run is kept
        ({1: 20, 2: 24, 3: 28}, [0, 1], 1, 1),  # 16 fit in one run: 10, 12 and 14 ask for one
        ({1: 30, 2: 40, 3: 50}, [0, 1, 2], 1, 2),  # 15 ask for one run, 20 for two, 25 for two
        ({1: 40, 2: 50, 3: 60}, [0, 2], 2, 2),
        ({1: 14, 2: 34, 3: 90}, [0, 2, 3], 0, 3),  # seven are too few for the first, with two there are enough
    ],
)
def test_equilibria_by_hand(riders, found, up, down):
    """20 seats at a load of 0.8, half of the riders in a window, 8 for a run: n = ceil(D(n) / 2 / 16)."""
    terms = replace(TERMS, seats_n=20.0, load_share=0.8, window_share=0.5, least_riders_n=8.0, runs_most_n=3.0)
    assert equilibria(riders, terms) == found
    assert reached(riders, terms, 1) == up
    assert reached(riders, terms, 3) == down


def test_least_and_greatest_are_reached_from_the_ends():
    """Demand rises with frequency: from the most runs go down to the greatest, all starts end in an equilibrium."""
    rng = np.random.default_rng(8)
    for _ in range(200):
        riders = dict(enumerate(np.sort(rng.uniform(5, 200, 6)), start=1))
        every = equilibria(riders, TERMS)
        ends = [reached(riders, TERMS, start) for start in range(7)]
        assert set(ends) <= set(every)
        assert ends[0] == 0
        assert ends[6] == every[-1]
        assert ends == sorted(ends)
    frame = settled(pd.DataFrame([riders]) / TERMS.members_a_route_n, TERMS)
    assert frame.loc[0, "runs"] == every
    assert frame.loc[0, "greatest"] == every[-1]


def test_a_route_costs_runs_times_windows_days_and_km():
    """Two runs, two windows a day, 30.4 days, 14 km at 7 DH; the headway is the window over the runs."""
    assert TERMS.route_dh(2) == pytest.approx(2 * 2 * 30.4 * 14 * 7)
    assert TERMS.headway_min(3) == 40
    assert service.parameter("seats_n", "low") < service.parameter("seats_n") < service.parameter("seats_n", "high")


def test_riders_are_those_of_the_choice_model(people):
    """Shares of situations are those of `predicted_shares` with every person a case of one's own; so are the errors."""
    put = shuttle.at_runs(people, replace(TERMS, constant_share=1.0), 2)
    found = of(shuttle.on_cards(people, put), "cards", "after")
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


def test_points_are_the_estimates_without_their_errors(people):
    """The quick numbers of the assumptions agree with the forecasts, cell by cell and run by run."""
    point, known = shuttle.point(people, TERMS), shuttle.shares(people, TERMS)
    assert point.index.equals(known.index)
    np.testing.assert_allclose(point, known, rtol=1e-9)


def test_the_constant_is_damped_between_today_and_the_cards(people):
    """At 0 as many ride as ride staff transport now, were it beside all others; riders rise with the place."""
    low = shuttle.low_constant(people, "shuttle")
    _, names = people.kinds_now
    way = people.beside("staff_transport")
    told = {name: way[name].to_numpy() for name in ("cost_dh", "time_min", "walk_min", "headway_min", "door_min")}
    others = (people.frame.loc[names, "commute_mode"] != "staff_transport").to_numpy()
    put = shuttle.offered(people, "shuttle", told, 0.0, low, others)
    where = people.frame["commute_mode"] != "staff_transport"
    found = of(shuttle.effect(people, {"as_now": put}, where=where), "as_now", "after")
    assert found.value["after", "shuttle"] == pytest.approx(people.shares()["staff_transport"], rel=1e-8)
    taken = [
        of(shuttle.effect(people, {"x": shuttle.at_runs(people, replace(TERMS, constant_share=d), 2)}), "x", "after")
        for d in (0.0, 0.5, 1.0)
    ]
    riders = [e.value["after", "shuttle"] for e in taken]
    assert riders[0] < riders[1] < riders[2]


def test_dearer_farther_and_rarer_shuttles_carry_fewer(people):
    """Riders fall with the fare, the walk and the headway, in every cell."""
    base = shuttle.point(people, TERMS)
    assert (np.diff(base.to_numpy(), axis=1) > 0).all()
    for name in ("cost_dh", "walk_min"):
        assert (shuttle.point(people, Service.named(**{name: "high"})) < base).all().all()


def test_nobody_near_or_on_staff_transport_is_served(people):
    """Whoever lives nearer than the least distance, or rides staff transport, keeps the present way."""
    can = shuttle.eligible(people, TERMS)
    near = levels.typical_km(people.frame) < TERMS.least_km
    assert not can[near & can.notna()].any()
    assert not can[(people.frame["commute_mode"] == "staff_transport") & can.notna()].any()
    assert can[~people.active].isna().all()


def test_what_it_costs(people):
    """Routes of all members at their runs, less the fares; a rider's cost is a route's over its riders."""
    runs = settled(shuttle.shares(people, TERMS), TERMS)["greatest"]
    put = {"shuttle": shuttle.running(people, TERMS)}
    riders = pick(totals(shuttle.effect(people, put), people.active), {"riders": ("shuttle.after", "shuttle")})
    found = shuttle_costs.net_cost(people, TERMS, riders).value.iloc[0]
    keys = [people.frame["command_group"].astype(object), levels.day_part(people.frame).astype(object)]
    members = pd.Series(people.design.weights)[people.active].groupby([k[people.active] for k in keys]).sum()
    routes = sum(members[c] / TERMS.members_a_route_n * TERMS.route_dh(n) for c, n in runs.items() if n)
    assert found == pytest.approx(routes - TERMS.cost_dh * riders.value.iloc[0], rel=1e-9)
    each = shuttle_costs.rider_cost(people, TERMS)
    cell = each.value.index[0]
    share = shuttle.shares(people, TERMS).loc[cell, runs[cell]]
    assert each.value.iloc[0] == pytest.approx(TERMS.route_dh(runs[cell]) / (TERMS.members_a_route_n * share), rel=1e-9)
    saved = shuttle_costs.less_vehicles(people, TERMS, riders)
    km = sum(members[c] / TERMS.members_a_route_n * n for c, n in runs.items()) * 2 * 30.4 * 14
    assert saved.value.iloc[0] == pytest.approx(riders.value.iloc[0] - km * 0.7, rel=1e-9)


def test_a_cost_of_the_wrong_sign_is_refused(people):
    """No surplus from a model in which people want to pay more."""
    fit = people.fit("pooled")
    wrong = replace(people, fits={"pooled": replace(fit, value=fit.value.abs())})
    with pytest.raises(WelfareError, match="not negative"):
        shuttle.effect(wrong, {"two": shuttle.offered(people)})
