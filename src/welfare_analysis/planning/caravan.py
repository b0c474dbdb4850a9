r"""A tour of towns: the shortest order, its dates, and who lives near a stop.

Towns i and j are :math:`d_{ij} = f \cdot 2R \arcsin \sqrt{h_{ij}}` km of road apart, with R = 6,371 km the radius of
the Earth, h the haversine of their angle and f a factor of road on great circle. Some stops may be dated: they cut it
into legs :math:`\ell`, each a path between two of them through towns that are free. With :math:`x^\ell_{ij}` whether a
leg joins two towns and :math:`y^\ell_i` whether it passes town i, the tour is

.. math:: \min \sum_\ell \sum_{i<j} d_{ij} x^\ell_{ij}, \qquad
   \sum_j x^\ell_{ij} = 2 y^\ell_i, \qquad \sum_\ell y^\ell_i = 1, \qquad a_\ell \le \sum_i y^\ell_i \le b_\ell

with degree 1 at the ends of a leg. A solution may hold circles beside the path: for the towns S of each the cut
:math:`\sum_\ell \sum_{i,j \in S} x^\ell_{ij} \le |S| - 1` is added and the program solved again (Dantzig, Fulkerson and
Johnson 1954, Operations Research 2, 393). The first solution without a circle is a path and the optimum of a program
that every tour satisfies, so that no tour is shorter.

Of k stops those are taken that have most people within H hours (maximal covering: Church and ReVelle 1974, Papers in
Regional Science 32, 101), of equals those in the larger towns.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import combinations, pairwise, permutations
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ..demand.assumptions import assumption
from ..errors import WelfareError
from ..study import public

parameter = partial(assumption, "caravan_rules")  # numbers of ``data/public/caravan_rules.csv``
EARTH_KM = 6371.0
FEW = 3  # places of a leg whose ways are all listed
NEAR = 5  # next places of each: circles of three among them are cut from the first
TERMS = ("speed_kmh", "road_factor", "km_a_day", "stops_a_day", "reach_hours")


def day(number: float) -> datetime.date:
    """A day that is written as a number, 20121026."""
    return datetime.datetime.strptime(f"{number:.0f}", "%Y%m%d").date()


def days_off() -> tuple[datetime.date, ...]:
    """Holidays: the dates of the rules but the start."""
    dates = public("caravan_rules").query("unit == 'date' and rule != 'start'")
    return tuple(map(day, dates["value"]))


def great_circle_km(lat: Any, lon: Any) -> np.ndarray:
    """Kilometres between all pairs of places, (n, n), from degrees."""
    lat, lon = np.radians(np.asarray(lat, float)), np.radians(np.asarray(lon, float))
    half = np.sin((lat[:, None] - lat) / 2) ** 2
    half = half + np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(half)))


def solved(goal: np.ndarray, rows: Sequence[LinearConstraint]) -> np.ndarray:
    """The optimum of a program in variables of 0 and 1, proven and checked against its constraints.

    Raises
    ------
    WelfareError
        There is none, or the solver has not proven it.
    """
    found = milp(goal, constraints=rows, integrality=1, bounds=Bounds(0, 1), options={"mip_rel_gap": 0.0})
    if found.status != 0:
        raise WelfareError("no optimal plan", where="caravan", got=found.message, hint="Loosen dates or limits.")
    x = np.round(found.x)
    if any((row.A @ x < row.lb - 1e-6).any() or (row.A @ x > row.ub + 1e-6).any() for row in rows):
        raise WelfareError("the solver's plan breaks a constraint", where="caravan")
    return np.asarray(x)


@dataclass(frozen=True, eq=False)
class _Program:
    """The program of the module. Its columns: edges (leg, i, j), visits (leg, i), and whole ways of short legs.

    All ways through few places can be listed, which bounds them better than edges do.
    """

    km: np.ndarray
    fixed: Sequence[int]
    free: Sequence[tuple[int, int]]

    @cached_property
    def others(self) -> list[int]:
        """Places that are not fixed."""
        return [place for place in range(len(self.km)) if place not in self.fixed]

    @cached_property
    def legs(self) -> list[tuple[int, int]]:
        """The ends of each leg."""
        return list(pairwise(self.fixed))

    @cached_property
    def edges(self) -> np.ndarray:
        """Leg and two places of each edge."""
        long = [leg for leg, (_, most) in enumerate(self.free) if most > FEW]
        pairs = [(leg, *pair) for leg in long for pair in combinations((*self.legs[leg], *self.others), 2)]
        return np.array(pairs, dtype=int).reshape(-1, 3)

    @cached_property
    def visits(self) -> list[tuple[int, int]]:
        """Leg and place of each visit."""
        return [(leg, i) for leg, (_, most) in enumerate(self.free) if most > FEW for i in self.others]

    @cached_property
    def ways(self) -> list[tuple[int, tuple[int, ...]]]:
        """Leg and places, in the shortest order, of each way."""
        short = [(leg, least, most) for leg, (least, most) in enumerate(self.free) if most <= FEW]
        return [
            (leg, min(permutations(few), key=partial(self.length, leg)))
            for leg, least, most in short
            for many in range(least, most + 1)
            for few in combinations(self.others, many)
        ]

    def length(self, leg: int, way: Sequence[int]) -> float:
        """Km of a leg through some places."""
        start, end = self.legs[leg]
        return float(sum(self.km[pair] for pair in pairwise((start, *way, end))))

    @cached_property
    def goal(self) -> np.ndarray:
        """Km of each column."""
        _, i, j = self.edges.T
        return np.r_[self.km[i, j], np.zeros(len(self.visits)), [self.length(*way) for way in self.ways]]

    def rows(self) -> LinearConstraint:
        """Every constraint but the cuts."""
        entries: list[tuple[tuple[str, int, int], int, int]] = []
        for column, (leg, i, j) in enumerate(self.edges.tolist()):
            entries += [(("degree", leg, i), column, 1), (("degree", leg, j), column, 1)]
        for column, (leg, i) in enumerate(self.visits, len(self.edges)):
            entries += [(("degree", leg, i), column, -2), (("once", 0, i), column, 1), (("visits", leg, 0), column, 1)]
        for column, (leg, way) in enumerate(self.ways, len(self.edges) + len(self.visits)):
            entries += [(("way", leg, 0), column, 1), *((("once", 0, i), column, 1) for i in way)]
        keys = {key: row for row, key in enumerate(dict.fromkeys(key for key, _, _ in entries))}
        bounds = dict.fromkeys(keys, (1, 1))
        bounds |= {key: self.free[key[1]] for key in keys if key[0] == "visits"}
        bounds |= {key: (0, 0) for key in keys if key[0] == "degree" and key[2] not in self.legs[key[1]]}
        at, columns, values = zip(*((keys[key], column, value) for key, column, value in entries), strict=True)
        matrix = csr_array((values, (at, columns)), (len(keys), len(self.goal)), dtype=float)
        return LinearConstraint(matrix, *np.array(list(bounds.values()), dtype=float).T)

    def cut(self, circle: Sequence[int]) -> LinearConstraint:
        """No circle through these places."""
        inside = np.isin(self.edges[:, 1:], circle).all(axis=1)
        row = np.r_[inside, np.zeros(len(self.goal) - len(self.edges))]
        return LinearConstraint(row[None], -np.inf, len(circle) - 1)

    def first_cuts(self) -> list[LinearConstraint]:
        """Cuts of the circles that a first solution is likely to have: of three places near to each other."""
        others = np.array(self.others)
        near = others[self.km[np.ix_(others, others)].argsort(axis=1, kind="stable")[:, : NEAR + 1]].tolist()
        circles = dict.fromkeys(tuple(sorted((i, *two))) for i, *rest in near for two in combinations(rest, 2))
        return [self.cut(circle) for circle in circles] if len(self.edges) else []

    def circles(self, x: np.ndarray) -> list[list[int]]:
        """Places that are joined to each other, and to none that is fixed."""
        _, i, j = self.edges[x[: len(self.edges)] > 0].T
        n = len(self.km)
        labels = connected_components(csr_array((np.ones(len(i)), (i, j)), (n, n)), directed=False)[1]
        lone = set(labels[np.r_[i, j]]) - set(labels[list(self.fixed)])
        return [np.flatnonzero(labels == label).tolist() for label in sorted(lone)]

    def path(self, x: np.ndarray) -> list[int]:
        """The places of a solution without circles, in order."""
        chosen = self.edges[x[: len(self.edges)] > 0].tolist()
        ways = dict(way for way, taken in zip(self.ways, x[len(x) - len(self.ways) :], strict=True) if taken)
        order = [self.fixed[0]]
        for leg, (_, end) in enumerate(self.legs):
            pairs = [{i, j} for of, i, j in chosen if of == leg]
            order += [*ways.get(leg, ()), end] if leg in ways else []
            while order[-1] != end:
                pair = next(pair for pair in pairs if order[-1] in pair)
                pairs.remove(pair)
                order += pair - {order[-1]}
        return order


def shortest(km: np.ndarray, fixed: Sequence[int], free: Sequence[tuple[int, int]]) -> list[int]:
    """Places in the order of the shortest tour, see the module.

    Parameters
    ----------
    km : array (n, n)
    fixed : sequence of int
        The first place, those whose order is known, and the last.
    free : sequence of (int, int)
        Of each leg between two of them: the least and the most other places on it.

    Raises
    ------
    WelfareError
        No tour meets the numbers of places.
    """
    program = _Program(km, fixed, free)
    rows, cuts = program.rows(), program.first_cuts()
    while circles := program.circles(x := solved(program.goal, [rows, *cuts])):
        cuts += [program.cut(circle) for circle in circles]
    order = program.path(x)
    if sorted(order) != list(range(len(km))):
        raise WelfareError("the plan is no path through every town", where="caravan")
    return order


@dataclass(frozen=True, eq=False)
class Caravan:
    """Towns and the rules by which they are visited, on terms that `at` changes.

    Attributes
    ----------
    towns : DataFrame
        By stop: lat and lon in degrees, population in thousands, command_group.
    dated : DataFrame
        By stop, in order: the position and the date of stops of before; missing where not known.
    start : date
        Of the first stop.
    off : tuple of date
        Holidays. No stop is held on them, on Saturdays or on Sundays.
    speed_kmh, road_factor : float
        Of the vehicles; km of road a km of great circle.
    km_a_day, stops_a_day : float
        Most km between two days of work, and most stops a day.
    reach_hours : float
        How long a member travels to a stop at most.
    """

    towns: pd.DataFrame
    dated: pd.DataFrame
    start: datetime.date
    off: tuple[datetime.date, ...]
    speed_kmh: float = field(default_factory=partial(parameter, "speed_kmh"))
    road_factor: float = field(default_factory=partial(parameter, "road_factor"))
    km_a_day: float = field(default_factory=partial(parameter, "km_a_day"))
    stops_a_day: float = field(default_factory=partial(parameter, "stops_a_day"))
    reach_hours: float = field(default_factory=partial(parameter, "reach_hours"))

    def at(self, **terms: Any) -> Caravan:
        """The same towns on other terms; the shortest order depends on none of `TERMS` and is taken along."""
        other = replace(self, **terms)
        if set(terms) <= {*TERMS, "start", "off"}:
            other.__dict__["order"] = self.order
        return other

    def only(self, stops: Iterable[str]) -> Caravan:
        """A tour of some of the towns, in whatever order is shortest."""
        return replace(self, towns=self.towns.loc[list(stops)], dated=self.dated.iloc[:0])

    @cached_property
    def km(self) -> pd.DataFrame:
        """Km of road between all pairs of towns."""
        km = self.road_factor * great_circle_km(self.towns["lat"], self.towns["lon"])
        return pd.DataFrame(km, self.towns.index, self.towns.index)

    @cached_property
    def order(self) -> list[str]:
        """The shortest order; from the first dated stop to the last where there are any."""
        ends = [self.dated.index[0], self.dated.index[-1]] if len(self.dated) else []
        return self._through(ends, [(len(self.towns) - 2,) * 2])

    @cached_property
    def completed(self) -> list[str]:
        """The shortest order in which every stop with a position or a date has it; the others are free."""
        position, date = self.dated["position"], self.dated["date"].to_numpy("datetime64[D]")
        between = np.busday_count(date[:-1], date[1:], holidays=self.off) - 1
        counts = [
            (int(gap), int(gap)) if gap == gap else (0, int(most * self.stops_a_day))
            for gap, most in zip(position.diff().iloc[1:] - 1, between, strict=True)
        ]
        return self._through(list(self.dated.index), counts)

    def _through(self, fixed: list[str], free: list[tuple[int, int]]) -> list[str]:
        km, names = self.km.to_numpy(), list(self.towns.index)
        if fixed:
            found = shortest(km, [names.index(stop) for stop in fixed], free)
        else:  # two places that are nowhere stand for free ends
            n = len(names)
            found = shortest(np.pad(km, (0, 2)), (n, n + 1), [(n, n)])[1:-1]
            found = min(found, found[::-1])
        return [names[place] for place in found]

    def timetable(self, order: Sequence[str] | None = None) -> pd.DataFrame:
        """By stop of an order (the shortest): km and hours from the stop before, and the date, as early as may be.

        A leg is driven when a stop has closed, and goes on over as many further working days as its km take.
        """
        order = list(order or self.order)
        legs = [float(self.km.at[pair]) for pair in pairwise(order)]
        day, today, driven, days = 0, 1, 0.0, [0]
        for leg in legs:
            driven += leg
            if today < self.stops_a_day and driven <= self.km_a_day:
                today += 1
            else:
                day, today, driven = day + max(1, int(np.ceil(driven / self.km_a_day))), 1, 0.0
            days.append(day)
        dates = np.busday_offset(np.datetime64(self.start), days, roll="forward", holidays=list(self.off))
        km = np.array([0.0, *legs])
        made = {"position": np.arange(1, len(order) + 1), "date": dates, "km": km, "hours": km / self.speed_kmh}
        return pd.DataFrame(made, pd.Index(order, name="caravan_stop"))

    def working_days(self, first: Any, last: Any) -> int:
        """Days from the first to the last, both with them, less weekends and holidays."""
        return int(np.busday_count(first, last + np.timedelta64(1, "D"), holidays=list(self.off)))

    @cached_property
    def near(self) -> pd.DataFrame:
        """Whether the people of a town (rows) come to a stop in another within the hours."""
        return self.km / self.speed_kmh <= self.reach_hours

    def best(self, many: int) -> list[str]:
        """So many stops that have most people near, see the module."""
        people, n = self.towns["population"].to_numpy(float), len(self.towns)
        served = csr_array(np.hstack([-self.near.to_numpy(float), np.eye(n)]))  # none is reached without a stop near
        stops = csr_array(np.r_[np.ones(n), np.zeros(n)][None])
        goal = np.r_[-people / (2 * people.sum()), -people]
        x = solved(goal, [LinearConstraint(served, -np.inf, 0), LinearConstraint(stops, many, many)])
        return list(self.towns.index[x[:n] > 0])

    def reached(self, stops: Iterable[str]) -> pd.Series:
        """Whether each town has one of some stops near."""
        return self.near[list(stops)].any(axis=1)

    def people(self, stops: Iterable[str]) -> float:
        """The part of the population of all towns that has one of some stops near."""
        return float(self.towns.loc[self.reached(stops), "population"].sum() / self.towns["population"].sum())


def caravan() -> Caravan:
    """The tour of ``data/public``."""
    towns = public("caravan").set_index("caravan_stop")
    dated = public("caravan_2012").set_index("caravan_stop")
    dated = dated[dated.index.isin(towns.index)]
    return Caravan(towns, dated.assign(date=pd.to_datetime(dated["date"])), day(parameter("start")), days_off())
