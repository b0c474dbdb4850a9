r"""A staff shuttle beside the way that people go now: who would ride, and where there are enough for a run.

Whoever is offered a shuttle compares it with the present way, in the model of the cards,

.. math:: p_i = \Lambda\{s (\beta'(x_i - x_{i0}) + \delta\alpha_i + (1 - \delta)\alpha_{today})\},

with :math:`\alpha_i` the constant of the cards and :math:`\alpha_{today}` that at which as many would ride as ride
staff transport today (shares of today are the pivot); s is the noise of cards over that of real choices. What is likely
is at the constant of the cards and of those alone who are certain of their answers; all that is stated, and the
constant of today, are the ends of a range. Neither end is an interval of sampling: what people will do with something
new is not known from asking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import scipy
from scipy import special

from ..estimation import Estimate
from ..estimation.choice.forecast import forecast
from ..estimation.domains import Domains
from ..needs import commuting
from ..needs.income_debt import member_income_dh
from . import stated
from .modes import TASTES
from .service import Service
from .transport import LIKE, Commuters

VIEWS = ("today", "likely", "stated")


@dataclass(frozen=True, eq=False)
class Shuttle:
    """A staff shuttle on some terms before people.

    Attributes
    ----------
    people : Commuters
    service : Service
        Its terms; by default those of ``data/public/shuttle.csv``.
    bridge : bool
        Whether those alone ride who are certain of their answers.
    """

    people: Commuters
    service: Service = field(default_factory=Service.named)
    bridge: bool = True

    def at(self, **terms: float) -> Shuttle:
        """The same people before a shuttle on other terms, as ``cost_dh=50``."""
        return replace(self, service=replace(self.service, **terms))

    @cached_property
    def constants(self) -> pd.DataFrame:
        """The columns of the constant of the shuttle on cards (n x terms)."""
        people, names = self.people.people, [n for n in self.people.fit().value.index if n.startswith("shuttle")]
        ones = {"shuttle": np.ones(len(people))}
        columns = {n: ones[n] if n in ones else people[n.removeprefix("shuttle_")] for n in names}
        return pd.DataFrame(columns, people.index)

    @cached_property
    def x(self) -> np.ndarray:
        """The shuttle less the present way, in the columns of the model (n x coefficients) but for its constant."""
        s = self.service
        offered = self.people.staff.assign(cost_dh=s.cost_dh, walk_min=s.walk_min, headway_min=s.headway_min)
        return self._less_now(offered)

    def _less_now(self, way: pd.DataFrame) -> np.ndarray:
        """A way less the present one, which is reported door to door, as on cards; missing where not known."""
        now = self.people.now
        table = pd.DataFrame(0.0, way.index, self.people.fit().value.index)
        table["cost_100"] = (way["cost_dh"] - now["cost_dh"]) / 100
        table["time_10min"] = (way["time_min"] - now["door_min"]) / 10
        table["walk_10min"], table["headway_10min"] = way["walk_min"] / 10, way["headway_min"] / 10
        return table.where(self.people.known).to_numpy(float)

    @cached_property
    def low(self) -> float:
        """The constant at which as many would ride, were it as staff transport is, as ride staff transport today."""
        people, b = self.people, self.people.fit().value[list(TASTES)]
        mode, w = people.frame["commute_mode"].astype(object), people.design.weights
        place = people.fit().value.index.get_indexer(list(TASTES))
        gap = self._less_now(people.staff)[:, place] @ b.to_numpy()
        known, on = people.known.to_numpy(), (mode == LIKE).to_numpy()
        share, others = np.average(on[known], weights=w[known]), known & ~on
        scale = self.service.scale

        def over(constant: float) -> float:
            return float(np.average(special.expit(scale * (constant + gap[others])), weights=w[others]) - share)

        return float(scipy.optimize.brentq(over, -60.0, 60.0))

    @cached_property
    def slopes(self) -> np.ndarray:
        """Columns of the utility (n x coefficients), the constant at its place."""
        place = self.people.fit().value.index.get_indexer(self.constants.columns)
        x = self.x.copy()
        x[:, place] += self.service.constant_share * self.constants.to_numpy()
        return self.service.scale * x

    @cached_property
    def chance(self) -> np.ndarray:
        """Probability (n,) that each would ride; missing where it is not known."""
        held = self.service.constant_share
        rest = (1 - held) * self.low if held < 1 else 0.0
        found: np.ndarray = special.expit(self.slopes @ self.people.fit().value.to_numpy() + self.service.scale * rest)
        return found

    @cached_property
    def served(self) -> pd.Series:
        """Far enough from work, and not on staff transport now; NA if not known."""
        far = self.people.km >= self.service.least_km
        off = self.people.frame["commute_mode"].astype(object) != LIKE
        return (far & off).astype("boolean").where(self.people.known)

    @cached_property
    def affordable(self) -> pd.Series:
        """Whether the fare stays within a part of the member's income; NA if not known."""
        pay = member_income_dh(self.people.frame)
        able = self.service.cost_dh <= self.service.fare_share_most * pay
        return able.astype("boolean").mask(pay.isna()).where(self.people.active)

    @cached_property
    def steps(self) -> pd.DataFrame:
        """Whether each is in need, says they would use a shuttle, could be served, and can pay the fare.

        Need is taken as known of those alone of whom all the rest is.
        """
        parts = {"wants": self.people.wants, "eligible": self.served, "affordable": self.affordable}
        passed = pd.DataFrame({"in_need": commuting.transport_need(self.people.frame), **parts})
        return passed.assign(in_need=passed["in_need"].where(passed.notna().all(axis=1)))

    @property
    def ends(self) -> tuple[Shuttle, Shuttle]:
        """At the two ends of what is assumed of a new mode."""
        return self.view(VIEWS[0]), self.view(VIEWS[-1])

    def takers(self, among: pd.Series | None = None, by: Any = None) -> Estimate:
        """Who would ride once a shuttle runs: a number at any one time, not in some years."""
        return self.riders(None if among is None else {"riders": self.open_to & among}, by)

    @cached_property
    def open_to(self) -> pd.Series:
        """Who wants it, could be served and can pay the fare; NA as soon as one is not known and none fails."""
        return self.people.wants & self.served & self.affordable

    @cached_property
    def on_a_run(self) -> Estimate:
        """Riders in a window of one route with the members of a route, by group, were it offered everywhere."""
        share = self._mean({"riders": self.open_to}, self.people.group, self.people.known)
        many = share.apply(lambda v: v.droplevel(0), np.eye(len(share.value)))
        if self.bridge:
            many = stated.times(many, self.people.sure, many.value.index)
        return stated.scaled(many, self.service.members_a_route_n * self.service.window_share)

    @cached_property
    def _in_a_window(self) -> pd.Series:
        """Riders in a window of one route, by the group of each; missing if not known."""
        return self.people.group.map(dict(self.on_a_run.value)).astype(float)

    @property
    def runs(self) -> pd.Series:
        """Runs in a window of the route of each: those of the timetable, or as many as the mean load asks for."""
        return (self._in_a_window / self.service.full_n).clip(lower=self.service.runs_n)

    @property
    def rider_dh(self) -> pd.Series:
        """What a rider of the group of each costs a month, DH, before the fare, at the riders expected in its runs."""
        return self.service.needed(1.0) * self.runs / self._in_a_window

    @cached_property
    def kept(self) -> pd.Series:
        """Probability that the group of each has riders enough for a run to be kept; missing if not known."""
        return self.people.group.map(dict(self.reach(self.service.least_riders_n))).astype(float)

    def reach(self, needed: float) -> pd.Series:
        """Probability of each group to have so many riders in a run; day and night are drawn to means of their own."""
        return chances(self.on_a_run, needed, self.on_a_run.value.index.str.partition(".").get_level_values(2))

    def _mean(self, flags: Mapping[str, pd.Series], by: Any = None, where: Any = None) -> Estimate:
        """Mean of chance x flag (missing: not known, left out) by (name[, domain])."""
        people = self.people
        table = pd.DataFrame(flags).astype("Float64").to_numpy(float, na_value=np.nan)
        inside = people.active.to_numpy() & ~np.isnan(table).any(axis=1) & ~np.isnan(self.chance)
        if where is not None:
            inside &= np.asarray(where, dtype=bool)
        values, there = np.where(inside[:, None], table, 0.0), inside.astype(float)[:, None]
        p = np.where(inside, self.chance, 0.0)
        x = np.where(inside[:, None], self.slopes, 0.0)

        def measure(_: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return values * p[:, None], there

        def slopes(parts: Domains) -> np.ndarray:
            moved = (people.design.weights * p * (1 - p))[:, None] * x
            return np.vstack([parts.sums(moved * column[:, None]).T for column in values.T])

        if by is not None:
            by = by.where(by.isin(set(by[inside].dropna())))
        names = [(name,) for name in flags]
        return forecast(people.fit(), people.design, inside, measure, names, ["quantity"], by, slopes=slopes)

    def riders(self, among: Mapping[str, pd.Series] | None = None, by: Any = None) -> Estimate:
        """How many would ride where a run is kept, or what they bring, by (quantity[, domain]).

        Parameters
        ----------
        among : mapping of str to Series (n,)
            Who counts (or what each brings); NA where it is not known, for whom the others of the domain stand. Absent:
            ``riders``, `open_to`.
        by : optional
            Domains.
        """
        counted = {"riders": self.open_to} if among is None else among
        found = self._mean({name: flag.astype("Float64") * self.kept for name, flag in counted.items()}, by)
        if by is not None:
            by = by.where(by.isin(set(found.value.index.get_level_values(-1))))
        every = stated.times(found, self.people.number(by), found.value.index)
        return stated.times(every, self.people.sure, every.value.index) if self.bridge else every

    def view(self, name: str) -> Shuttle:
        """The shuttle in one of `VIEWS`: used as staff transport is today, what is likely, all that is stated."""
        return self._views[name]

    @cached_property
    def _views(self) -> dict[str, Shuttle]:
        ends = {"today": self.at(constant_share=0.0), "stated": self}
        return {"likely": self} | {name: replace(end, bridge=False) for name, end in ends.items()}


def chances(riders: Estimate, needed: float, parts: pd.Index | None = None) -> pd.Series:
    r"""Probability of each group that its riders are ``needed`` or more, from shrunken means.

    Counting estimates above a limit counts luck. With variances v and :math:`\tau^2` between groups (DerSimonian and
    Laird 1986, Controlled Clinical Trials 7, 177-188) a group is :math:`N(m + B(y - m), Bv + (1 - B)^2 v_m)`,
    :math:`B = \tau^2 / (\tau^2 + v)`. The sum is the number expected to reach it. ``parts`` (one a group): each is
    drawn to the mean of its own part, as day and night, which differ.
    """
    y, v = riders.value, riders.se**2
    positive = v[(v > 0) & np.isfinite(v)]
    # of a group in which nobody differs it is not nil, nor endless
    v = v.clip(positive.min() if len(positive) else 1.0, 1e9)
    by = pd.Index(np.zeros(len(y))) if parts is None else parts
    shrunk = [_shrunken(y[by == part], v[by == part]) for part in by.unique()]
    mean, error = (pd.concat(x).reindex(y.index) for x in zip(*shrunk, strict=True))
    return pd.Series(special.ndtr((mean - needed) / error), index=y.index)


def _shrunken(y: pd.Series, v: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Means drawn to their common mean, and their errors."""
    w = 1 / v
    q, spare = (w * (y - (w * y).sum() / w.sum()) ** 2).sum(), w.sum() - (w**2).sum() / w.sum()
    between = max(0.0, (q - (len(y) - 1)) / spare) if len(y) > 1 else 0.0
    w = 1 / (between + v)
    centre, part = (w * y).sum() / w.sum(), between / (between + v)
    return centre + part * (y - centre), np.sqrt(part * v + (1 - part) ** 2 / w.sum())
