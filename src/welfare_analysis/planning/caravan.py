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
from ..study import INHERITED, Study, own_log, public
from ..survey.standin.questions import questions as invented

parameter = partial(assumption, "caravan_rules")  # numbers of ``data/public/caravan_rules.csv``
Column = tuple[str, int, tuple[int, ...]]  # edge, visit or way; its leg; its places
EARTH_KM = 6371.0
FEW = 3  # places of a leg whose ways are all listed
NEAR = 3  # next places of each: circles of three among them are cut from the first
SEED = 2012  # of an invented log of questions
RANGED = ("speed_kmh", "road_factor", "km_a_day", "reach_hours")


def day(number: float) -> datetime.date:
    """A day that is written as a number, 20121026."""
    return datetime.datetime.strptime(f"{number:.0f}", "%Y%m%d").date()


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


def shortest(km: np.ndarray, fixed: Sequence[int], free: Sequence[tuple[int, int]],
             runs: Sequence[tuple[int, int, int]] = ()) -> list[int]:  # fmt: skip
    """Places in the order of the shortest tour, see the module.

    A column of the program is an edge or a visit of a leg; of a leg with few places it is one of all ways through them,
    which bounds the leg better.

    Parameters
    ----------
    km : array (n, n)
    fixed : sequence of int
        The first place, those whose order is known, and the last.
    free : sequence of (int, int)
        Of each leg between two of them: the least and the most other places on it.
    runs : sequence of (int, int, int)
        From which leg on, before which one, and how many other places these legs have together.

    Raises
    ------
    WelfareError
        No tour meets the numbers of places.
    """
    legs, others = list(pairwise(fixed)), [place for place in range(len(km)) if place not in fixed]
    columns: list[Column] = []
    for leg, (ends, (least, most)) in enumerate(zip(legs, free, strict=True)):
        if most > FEW:
            columns += [("edge", leg, pair) for pair in combinations((*ends, *others), 2)]
            columns += [("visit", leg, (i,)) for i in others]
        else:
            sets = (few for many in range(least, most + 1) for few in combinations(others, many))
            ways = (min(permutations(few), key=lambda way: _length(km, (ends[0], *way, ends[1]))) for few in sets)
            columns += [("way", leg, (ends[0], *way, ends[1])) for way in ways]
    goal = np.array([0.0 if kind == "visit" else _length(km, places) for kind, _, places in columns])
    near = [sorted(others, key=km[i].__getitem__)[: NEAR + 1] for i in others]
    circles = list(dict.fromkeys(tuple(sorted((i, *two))) for i, *rest in near for two in combinations(rest, 2)))
    rows = [_constraints(columns, legs, free, runs)]
    joined: list[tuple[int, tuple[int, int]]] = []
    while circles or not joined:
        rows += [_cut(columns, circle) for circle in circles]
        chosen = [column for column, taken in zip(columns, solved(goal, rows), strict=True) if taken]
        joined = [(leg, pair) for kind, leg, places in chosen if kind != "visit" for pair in pairwise(places)]
        circles = _circles([pair for _, pair in joined], len(km), fixed)
    order = [fixed[0]]
    for leg, (_, end) in enumerate(legs):
        pairs = [set(pair) for of, pair in joined if of == leg]
        while order[-1] != end:
            pair = next(pair for pair in pairs if order[-1] in pair)
            pairs.remove(pair)
            order += pair - {order[-1]}
    if sorted(order) != list(range(len(km))):
        raise WelfareError("the plan is no path through every town", where="caravan")
    return order


def _length(km: np.ndarray, way: Sequence[int]) -> float:
    return float(sum(km[pair] for pair in pairwise(way)))


def _constraints(columns: Sequence[Column], legs: Sequence[tuple[int, int]], free: Sequence[tuple[int, int]],
                 runs: Sequence[tuple[int, int, int]]) -> LinearConstraint:  # fmt: skip
    """Degrees, each free place once, and how many places legs have (one way of those that are listed)."""
    rows: dict[tuple[str, int, int], tuple[int, int]] = {}
    entries = []
    for column, (kind, leg, places) in enumerate(columns):
        for i in places:
            if kind != "way":
                rows["degree", leg, i] = (1, 1) if i in legs[leg] else (0, 0)
                entries.append((("degree", leg, i), column, 1.0 if kind == "edge" else -2.0))
            if kind != "edge" and i not in legs[leg]:
                rows["once", 0, i] = (1, 1)
                entries.append((("once", 0, i), column, 1.0))
        if kind != "edge":
            rows["many", leg, 0] = free[leg] if kind == "visit" else (1, 1)
            entries.append((("many", leg, 0), column, 1.0))
            for run, (first, end, together) in enumerate(runs):
                rows["run", run, 0] = (together, together)
                if first <= leg < end:
                    entries.append((("run", run, 0), column, 1.0 if kind == "visit" else len(places) - 2.0))
    at = {row: place for place, row in enumerate(rows)}
    names, where, values = zip(*entries, strict=True)
    matrix = csr_array((values, ([at[name] for name in names], where)), (len(rows), len(columns)))
    return LinearConstraint(matrix, *np.array(list(rows.values()), dtype=float).T)


def _cut(columns: Sequence[Column], circle: Sequence[int]) -> LinearConstraint:
    """No circle through these places."""
    inside = [float(kind == "edge" and set(places) <= set(circle)) for kind, _, places in columns]
    return LinearConstraint(np.array([inside]), -np.inf, len(circle) - 1)


def _circles(pairs: Sequence[tuple[int, int]], n: int, fixed: Sequence[int]) -> list[tuple[int, ...]]:
    """Places that are joined to each other, and to none that is fixed."""
    labels = connected_components(csr_array((np.ones(len(pairs)), tuple(zip(*pairs, strict=True))), (n, n)), False)[1]
    return [tuple(np.flatnonzero(labels == label).tolist()) for label in sorted(set(labels) - set(labels[list(fixed)]))]


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
    known : list of str, optional
        The shortest order, where it was found before.
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
    known: list[str] | None = None

    def at(self, **terms: Any) -> Caravan:
        """The same towns on other terms; the shortest order depends on none of `RANGED` and is taken along."""
        same = set(terms) <= {*RANGED, "stops_a_day", "start", "off"}
        return replace(self, known=self.order if same else None, **terms)

    def only(self, stops: Iterable[str]) -> Caravan:
        """A tour of some of the towns, in whatever order is shortest."""
        return replace(self, towns=self.towns.loc[list(stops)], dated=self.dated.iloc[:0], known=None)

    @cached_property
    def km(self) -> pd.DataFrame:
        """Km of road between all pairs of towns."""
        km = self.road_factor * great_circle_km(self.towns["lat"], self.towns["lon"])
        return pd.DataFrame(km, self.towns.index, self.towns.index)

    @cached_property
    def order(self) -> list[str]:
        """The shortest order; from the first dated stop to the last where there are any."""
        if self.known is not None:
            return self.known
        ends = [self.dated.index[0], self.dated.index[-1]] if len(self.dated) else []
        return self._through(ends, [(len(self.towns) - 2,) * 2])

    @cached_property
    def completed(self) -> list[str]:
        """The shortest order in which every stop with a position or a date has it; the others are free."""
        position, date = self.dated["position"], self.dated["date"].to_numpy("datetime64[D]")
        counts = []
        for gap, days in zip(position.diff().iloc[1:] - 1, pairwise(date), strict=True):
            most = float(len(self.towns))
            if not np.isnat(days).any():
                most = (np.busday_count(*days, holidays=self.off) - 1) * self.stops_a_day
            counts.append((int(gap), int(gap)) if gap == gap else (0, int(most)))
        known = pairwise(np.flatnonzero(position.notna()).tolist())  # between them there may be stops with a date alone
        runs = [(a, b, int(position.iloc[b] - position.iloc[a]) - (b - a)) for a, b in known if b > a + 1]
        return self._through(list(self.dated.index), counts, runs)

    def _through(self, fixed: list[str], free: list[tuple[int, int]],
                 runs: Sequence[tuple[int, int, int]] = ()) -> list[str]:  # fmt: skip
        km, names = self.km.to_numpy(), list(self.towns.index)
        if fixed:
            found = shortest(km, [names.index(stop) for stop in fixed], free, runs)
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


def own(name: str) -> pd.DataFrame:
    """A table of ``data/public`` on an earlier tour; no row of it where the tour was another institution's."""
    table = public(name)
    return table[table["source"] != INHERITED]


def caravan() -> Caravan:
    """The tour of ``data/public``."""
    towns = public("caravan").set_index("caravan_stop")
    dated = own("caravan_2012").set_index("caravan_stop")
    dated = dated[dated.index.isin(towns.index)].assign(date=lambda table: pd.to_datetime(table["date"]))
    off = public("caravan_rules").query("unit == 'date' and rule != 'start'")["value"]
    return Caravan(towns, dated if len(dated) > 1 else dated.iloc[:0], day(parameter("start")), tuple(map(day, off)))


def questions(study: Study) -> pd.DataFrame:
    """The questions of the file that LISTENING names, with the region of their stop; none where it names none.

    With answers of the stand-in they are ``invented`` too.
    """
    log, towns = own_log(study.codebook), public("caravan").set_index("caravan_stop")
    invent = log is None
    if log is None and study.is_standin and study.register is not None:
        stops = caravan().timetable()[["date"]].join(towns["command_group"])
        topics, rules = public("caravan_topics"), public("caravan_rules").set_index("rule")["value"]
        log = invented(stops, topics.set_index("question_topic"), study.register["status"], rules, SEED)
    if log is None:
        return pd.DataFrame(columns=["topic"])
    return log.assign(command_group=log["stop"].astype(object).map(towns["command_group"]), invented=invent)
