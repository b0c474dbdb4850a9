"""The caravan: tours by brute force, dates on a calendar by hand, stops by trying all of them."""

import datetime
from dataclasses import replace
from itertools import combinations, pairwise, permutations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree

from welfare_analysis.errors import WelfareError
from welfare_analysis.planning import caravan as planning
from welfare_analysis.planning.caravan import Caravan, great_circle_km, shortest

TERMS = {"speed_kmh": 60.0, "road_factor": 1.0, "km_a_day": 400.0, "stops_a_day": 1.0, "reach_hours": 1.0}


def length(km, order):
    return sum(km[pair] for pair in pairwise(order))


def drawn(n, seed):
    at = np.random.default_rng(seed).random((n, 2)) * 1000
    return np.hypot(*(at[:, None] - at).transpose(2, 0, 1))


def towns(places, **columns):
    """A tour of towns on the equator, so many degrees east, from Monday 22 October 2012."""
    index = pd.Index([f"t{i}" for i in range(len(places))], name="caravan_stop")
    table = pd.DataFrame({"lat": 0.0, "lon": places, "population": 1, "command_group": "east"} | columns, index)
    nothing = pd.DataFrame({"position": [], "date": []})
    return Caravan(table, nothing, datetime.date(2012, 10, 22), (datetime.date(2012, 10, 26),), **TERMS)


def test_great_circles_by_hand():
    """A degree of the equator is 2 pi R / 360 km, a quarter of a meridian 90 of them, and the way back is as long."""
    km = great_circle_km([0, 0, 90], [0, 1, 0])
    assert km[0, 1] == pytest.approx(6371 * np.pi / 180)
    assert km[0, 2] == pytest.approx(90 * km[0, 1])
    assert (km == km.T).all()
    assert (np.diag(km) == 0).all()


@pytest.mark.parametrize("n", [4, 6, 7, 8])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_order_is_shorter(n, seed):
    """Between fixed ends the tour has the length of the best of all orders."""
    km = drawn(n, seed)
    order = shortest(km, [0, n - 1], [(n - 2, n - 2)])
    best = min(length(km, (0, *middle, n - 1)) for middle in permutations(range(1, n - 1)))
    assert order[0] == 0
    assert order[-1] == n - 1
    assert length(km, order) == pytest.approx(best)


@pytest.mark.parametrize("free", [[(1, 1), (4, 4)], [(4, 4), (1, 1)], [(0, 5), (0, 5)], [(0, 1), (4, 5)]])
def test_no_order_with_a_stop_at_its_place_is_shorter(free):
    """A stop between the ends has as many before it as it must, and no such order is shorter: ways and edges alike."""
    km = drawn(8, 3)
    order = shortest(km, [0, 3, 7], free)
    others = [1, 2, 4, 5, 6]
    orders = (
        (0, *middle[:before], 3, *middle[before:], 7)
        for middle in permutations(others)
        for before in range(free[0][0], free[0][1] + 1)
        if free[1][0] <= len(others) - before <= free[1][1]
    )
    assert length(km, order) == pytest.approx(min(length(km, one) for one in orders))
    assert free[0][0] <= order.index(3) - 1 <= free[0][1]


def test_numbers_that_no_tour_meets_are_said():
    """Five places cannot be four."""
    with pytest.raises(WelfareError, match="no optimal plan"):
        shortest(drawn(8, 3), [0, 3, 7], [(0, 0), (4, 4)])


def test_circles_are_cut_off():
    """Two far heaps of six: edges alone would close each to a circle of its own."""
    heaps = np.array([[x + far, y] for far in (0, 900) for x, y in ((0, 0), (1, 0), (2, 0), (2, 1), (1, 1), (0, 1))])
    km = np.hypot(*(heaps[:, None] - heaps).transpose(2, 0, 1))
    order = shortest(km, [0, 6], [(10, 10)])
    assert sorted(order) == list(range(12))
    assert length(km, order) < 2 * 900


def test_the_tour_of_the_data_is_a_path_no_shorter_than_a_tree():
    """Each town once, from the first dated stop to the last; a spanning tree is shorter than any path."""
    tour = planning.caravan()
    assert sorted(tour.order) == sorted(tour.towns.index)
    assert [tour.order[0], tour.order[-1]] == [tour.dated.index[0], tour.dated.index[-1]]
    km = tour.timetable()["km"].sum()
    assert km >= minimum_spanning_tree(tour.km.to_numpy()).sum()
    swapped = [tour.order[0], *tour.order[1:-1][::-1], tour.order[-1]]
    assert km <= tour.timetable(swapped)["km"].sum()


def test_what_is_known_of_before_is_kept():
    """Each position that is known, and before and behind a stop with a date alone no more stops than working days."""
    tour = planning.caravan()
    table = tour.timetable(tour.completed)
    known = tour.dated["position"].dropna()
    assert table.loc[known.index, "position"].tolist() == known.tolist()
    assert sorted(table.index) == sorted(tour.towns.index)
    assert table["km"].sum() >= tour.timetable()["km"].sum()
    for stop, date in tour.dated.loc[tour.dated["position"].isna(), "date"].items():
        left = len(table) - table.at[stop, "position"]
        assert left <= tour.working_days(np.datetime64(date, "D"), np.datetime64(tour.dated["date"].iloc[-1], "D")) - 1


@pytest.mark.parametrize("before", [0, 1, 2, 3, 4])
def test_a_place_in_the_order_is_kept_across_a_stop_with_a_date_alone(before):
    """The third known stop has its place though of those around it no place is known, and of most no date.

    The towns stand on a circle, so that every place in the order pulls the tour elsewhere.
    """
    angle = np.arange(9.0)
    tour = towns(10 + np.cos(angle) * 3, lat=np.sin(angle) * 3)
    dates = pd.to_datetime(["2012-10-22", "2012-11-05", None, None, None])
    stops = pd.Index(["t0", "t4", "t2", "t6", "t7"], name="caravan_stop")
    dated = pd.DataFrame({"position": [1.0, np.nan, 3.0 + before, np.nan, 9.0], "date": dates}, stops)
    order = replace(tour, dated=dated).completed
    assert sorted(order) == sorted(tour.towns.index)
    assert [order[0], order[2 + before], order[-1]] == ["t0", "t2", "t7"]
    assert order.index("t4") < order.index("t2") < order.index("t6")
    others = [stop for stop in tour.towns.index if stop not in ("t0", "t2", "t7")]
    ways = (["t0", *way[: 1 + before], "t2", *way[1 + before :], "t7"] for way in permutations(others)
            if "t4" in way[: 1 + before] and "t6" in way[1 + before :])  # fmt: skip
    km, names = tour.km.to_numpy(), list(tour.towns.index)
    best = min(length(km, [names.index(stop) for stop in way]) for way in ways)
    assert length(km, [names.index(stop) for stop in order]) == pytest.approx(best)


def test_no_search_finds_a_shorter_tour_of_the_data():
    """From thirty random orders no path is left shorter by turning parts of it around, and none ends below ours."""
    tour = planning.caravan()
    km, rng = tour.km.to_numpy(), np.random.default_rng(28)
    ours = [list(tour.towns.index).index(stop) for stop in tour.order]

    def searched(order):
        """A path that no part turned around shortens (2-opt: Croes 1958, Operations Research 6, 791-812)."""
        at, last = 0, len(order) - 1
        while at < last - 1:
            for end in range(at + 1, last):
                a, b, c, d = order[at], order[at + 1], order[end], order[end + 1]
                if km[a, c] + km[b, d] < km[a, b] + km[c, d] - 1e-9:
                    order[at + 1 : end + 1] = order[at + 1 : end + 1][::-1]
                    at = -1
                    break
            at += 1
        return length(km, order)

    assert searched(list(ours)) == pytest.approx(length(km, ours))
    found = [searched([ours[0], *rng.permutation(ours[1:-1]), ours[-1]]) for _ in range(30)]
    assert min(found) >= length(km, ours) - 1e-9


def test_ends_are_free_where_nothing_is_dated():
    """Of towns on a line the path goes from one end to the other."""
    assert towns([3.0, 0.0, 2.0, 1.0]).order == ["t0", "t2", "t3", "t1"]


def test_dates_by_hand():
    """From Monday a stop a day; Friday is a holiday, the fifth stop on the Monday behind; 800 km take a day more."""
    tour = towns([0.0, 1.0, 2.0, 3.0, 4.0, 11.0])
    table = tour.timetable(["t0", "t1", "t2", "t3", "t4", "t5"])
    days = [22, 23, 24, 25, 29, 31]
    assert table["date"].dt.strftime("%d %m").tolist() == [f"{day} 10" for day in days]
    assert table["hours"].iloc[1] == pytest.approx(6371 * np.pi / 180 / 60)
    assert tour.working_days(np.datetime64("2012-10-22"), np.datetime64("2012-10-31")) == 7


def test_two_stops_a_day_where_a_day_s_drive_allows():
    """Of stops 111 km apart two are on a day, the third on the next; with 100 km a day one, and a day of driving."""
    tour = towns([0.0, 1.0, 2.0, 3.0]).at(stops_a_day=2.0)
    assert tour.timetable()["date"].dt.day.tolist() == [22, 22, 23, 23]
    assert tour.at(km_a_day=100.0).timetable()["date"].dt.day.tolist() == [22, 24, 29, 31]


@pytest.mark.parametrize("terms", [{}, {"stops_a_day": 2.0}, {"km_a_day": 100.0}, {"speed_kmh": 10.0}])
def test_no_stop_is_held_on_a_day_off(terms):
    """On none of the terms is a stop on a weekend or holiday, before an earlier one, or one of too many on a day."""
    tour = planning.caravan().at(**terms)
    dates = tour.timetable()["date"]
    assert not dates.dt.day_of_week.isin([5, 6]).any()
    assert not dates.isin(pd.to_datetime(list(tour.off))).any()
    assert dates.is_monotonic_increasing
    assert dates.value_counts().max() <= tour.stops_a_day


def test_the_same_input_gives_the_same_plan():
    """Twice the same order and the same stops; terms of driving change no order."""
    first, second = planning.caravan(), planning.caravan()
    assert first.order == second.order
    assert first.best(9) == second.best(9)
    assert first.at(speed_kmh=1.0).order is first.order


@pytest.mark.parametrize("many", [1, 2, 3])
def test_no_choice_of_stops_reaches_more(many):
    """Of ten towns drawn at random the chosen ones reach as many people as the best of all choices."""
    rng = np.random.default_rng(many)
    tour = towns(rng.random(10) * 8, lat=rng.random(10) * 8, population=rng.integers(10, 900, 10)).at(reach_hours=3.0)
    best = max(tour.people(list(some)) for some in combinations(tour.towns.index, many))
    chosen = tour.best(many)
    assert len(chosen) == many
    assert tour.people(chosen) == pytest.approx(best)


def test_who_is_near_by_hand():
    """At 60 km an hour half a degree is within the hour and a whole one is not; of equals the larger is taken."""
    tour = towns([0.0, 0.5, 1.5], population=[5, 3, 2])
    assert tour.reached(["t1"]).tolist() == [True, True, False]
    assert tour.people(["t1"]) == pytest.approx(0.8)
    assert tour.best(1) == ["t0"]
