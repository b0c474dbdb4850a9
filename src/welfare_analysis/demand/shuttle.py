r"""A staff shuttle beside the way that people go now, and who would ride.

Whoever is offered a shuttle compares it with the present way (table values of both), in the pooled model of
`transport`. Its constant is never that of the choice cards alone: people say yes to what is new. It lies at a place
:math:`\delta` between that at which as many would ride as ride staff transport today, and that of the cards,
:math:`\alpha_\delta = \delta\alpha_{cards} + (1 - \delta)\alpha_{today}`; the range is shown. Riders depend on how
often it runs, and that on the riders: `service`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, special

from ..estimation import Estimate, joint, total
from ..estimation.choice.forecast import Forecast
from . import levels
from .modes import ATTRIBUTES, OFFERS, SHIFTS, coded, scaled
from .outcomes import VALUES, Situations, outcomes, pick, totals
from .service import Service, greatest, parameter
from .transport import BLOCK, Commuters

LIKE = {"shuttle": "staff_transport", "season_ticket": "bus", "car_pool": "grand_taxi"}  # the mode of today most alike
PRESENT = "current"


@dataclass(frozen=True, eq=False)
class Offer:
    """Something new before people, beside the way that they go now.

    Attributes
    ----------
    people : Commuters
    name : str
        One of `modes.OFFERS`.
    """

    people: Commuters
    name: str

    @cached_property
    def way(self) -> pd.DataFrame:
        """Levels of the mode of today that is most alike, of each of `Commuters.kinds_now`."""
        return self.people.beside(LIKE[self.name])

    @cached_property
    def low(self) -> float:
        """The constant at which as many would take the offer as use the mode of today that is most alike."""
        people, like = self.people, LIKE[self.name]
        now, b = people.frame.loc[people.kinds_now[1], "commute_mode"].astype(object), people.fit("pooled").value
        gap = utility(self.way, b) - utility(people.now, b, True)
        others, share = (now != like).to_numpy(), people.shares()[like]

        def over(constant: float) -> float:
            return float(np.average(special.expit(constant + gap[others]), weights=people.kind_weights[others])) - share

        return float(optimize.brentq(over, -20.0, 20.0))

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The present way of each kind of people, then the offer without its levels, as the model codes them."""
        rows, now = self.people.kinds_now[1], self.people.now
        base = now.assign(time_min=now["door_min"], walk_min=0.0, headway_min=0.0, foot_min=0.0)
        shifts = self.people.people.loc[rows, list(SHIFTS)]
        tables = {PRESENT: base, self.name: base.assign(foot_min=0.0)}
        long = [t.assign(alternative=name, row=rows, case=rows, **shifts) for name, t in tables.items()]
        known = coded(scaled(pd.concat(long, ignore_index=True)))
        names = [n for o in OFFERS for n in (o, *(f"{o}_{s}" for s in SHIFTS))]
        return known.assign(**{n: 0.0 for n in names if n not in known})

    @cached_property
    def without(self) -> Situations:
        """The present way alone."""
        place, rows = self.people.kinds_now
        return Situations(self.rows[: len(rows)].assign(known=0.0), place, rows)

    def beside(
        self, attributes: Mapping[str, Any], constant_share: float = 1.0, there: np.ndarray | None = None
    ) -> Situations:
        """The present way of each kind of people, and the offer beside it.

        Parameters
        ----------
        attributes : mapping
            cost_dh (a month), time_min, walk_min, headway_min and door_min of the offer, a number or one a kind.
        constant_share : float
            Place of its constant between `low` (0) and that of the cards (1).
        there : (kinds,) array of bool
            To which kinds it is offered; all if not said.
        """
        place, rows = self.people.kinds_now
        n, long = len(rows), self.rows
        values = {"borne_dh": 0.0, **attributes}
        values |= {"hours": values["door_min"] * self.way["ways"] / 60, "dh": values["cost_dh"]}
        changed = {name: values[name] for name in VALUES}
        for name, attribute in ATTRIBUTES.items():
            if attribute in values:
                changed[name] = np.asarray(values[attribute]) / (100 if name == "cost_100" else 10)
        columns = {c: np.r_[long[c].to_numpy()[:n], np.broadcast_to(x, n)] for c, x in changed.items()}
        columns |= {name: long[name].to_numpy() * constant_share for name in long if name.startswith(self.name)}
        low = self.low if constant_share < 1 else 0.0
        columns["known"] = np.r_[np.zeros(n), np.full(n, (1 - constant_share) * low)]
        kept = np.r_[np.ones(n, bool), np.broadcast_to(True if there is None else there, n)]
        return Situations(long.assign(**columns)[kept].reset_index(drop=True), place, rows)

    def effect(self, offers: Mapping[str, Situations], by: Any = None, where: Any = None) -> Forecast:
        """`outcomes` of offers, each beside the present way, in the pooled model."""
        people = self.people
        return outcomes(people.fit("pooled"), people.design, self.without, offers, by=by, where=where)

    def on_cards(self, offered: Situations) -> Forecast:
        """`outcomes` (change ``cards``) in the model of the cards alone, on their own scale, with their constants."""
        kinds, pair = self.people.codebook.codes(f"{BLOCK}_alternative"), []
        for situations in (self.without, offered):
            long = situations.long.drop(columns="known")
            pair.append(
                replace(situations, long=long.assign(alternative=long["alternative"].cat.set_categories(kinds)))
            )
        base, changed = pair
        return outcomes(self.people.fit("stated"), self.people.design, base, {"cards": changed})


def utility(way: pd.DataFrame, b: pd.Series, present: bool = False) -> np.ndarray:
    """Utility of a way without its constant; the present one is reported door to door, as cards do."""
    if present:
        return (b["cost_100"] * way["cost_dh"] / 100 + b["time_10min"] * way["door_min"] / 10).to_numpy(float)
    parts = {"cost_100": way["cost_dh"] / 100, "time_10min": way["time_min"] / 10}
    parts |= {"walk_10min": way["walk_min"] / 10, "headway_10min": way["headway_min"] / 10}
    return np.sum([b[name] * value for name, value in parts.items()], axis=0)


def cells(people: Commuters) -> list[pd.Series]:
    """Group of commands and part of the day, in which a shuttle runs or not; missing of those who are not active."""
    parts = {"command_group": people.frame["command_group"], "day_part": levels.day_part(people.frame)}
    return [part.astype(object).where(people.active).rename(name) for name, part in parts.items()]


@dataclass(frozen=True, eq=False)
class Shuttle:
    """A staff shuttle on some terms before people: who rides, how often it runs, what it costs.

    Attributes
    ----------
    offer : Offer
        The people, and the shuttle without its terms.
    service : Service
        Its terms.
    """

    offer: Offer
    service: Service

    @classmethod
    def before(cls, people: Commuters) -> Shuttle:
        """The shuttle of ``data/public/shuttle.csv``."""
        return cls(Offer(people, "shuttle"), Service.named())

    def at(self, **terms: float) -> Shuttle:
        """The same people before a shuttle on other terms, as ``cost_dh=50``."""
        return replace(self, service=replace(self.service, **terms))

    @property
    def people(self) -> Commuters:
        """Before whom it is."""
        return self.offer.people

    @cached_property
    def served(self) -> np.ndarray:
        """To which kinds of people it is offered (kinds,): far enough from work, and not on staff transport now."""
        mode = self.people.frame.loc[self.people.kinds_now[1], "commute_mode"]
        return ((self.offer.way["km"] >= self.service.least_km) & (mode != LIKE["shuttle"])).to_numpy(bool)

    @cached_property
    def shares(self) -> pd.DataFrame:
        """Share that rides, by cell (rows) and number of runs in a window (columns), without its error."""
        people, service, b = self.people, self.service, self.people.fit("pooled").value
        rows = people.kinds_now[1]
        way = self.offer.way.assign(cost_dh=service.cost_dh, walk_min=service.walk_min, headway_min=0.0)
        shifts = people.people.loc[rows]
        constant = b["shuttle"] + sum(b.get(f"shuttle_{name}", 0.0) * shifts[name].to_numpy() for name in SHIFTS)
        belief = service.constant_share
        gap = belief * constant + (1 - belief) * self.offer.low + utility(way, b) - utility(people.now, b, True)
        size = people.kind_weights
        rides = {
            n: size * self.served * special.expit(gap + b["headway_10min"] * service.headway_min(n) / 10)
            for n in service.runs
        }
        keys = [name.loc[rows].to_numpy() for name in cells(people)]
        weighted = pd.DataFrame(rides).assign(all=size).groupby(keys).sum().rename_axis(["command_group", "day_part"])
        return weighted.drop(columns="all").div(weighted["all"], axis=0)

    @cached_property
    def runs(self) -> pd.Series:
        """Runs in a window by cell, in its greatest equilibrium; 0 where none is kept."""
        return greatest(self.shares, self.service)

    @cached_property
    def members(self) -> Estimate:
        """How many active members there are in each cell."""
        people = self.people
        return total(people.design, people.active.astype(float).rename("n"), by=cells(people), where=people.active)

    @property
    def riders_point(self) -> float:
        """Riders in the greatest equilibrium, without their error."""
        size = self.members.value.set_axis(pd.MultiIndex.from_tuples([key[-2:] for key in self.members.value.index]))
        return float(np.sum([size[cell] * self.shares.loc[cell, n] for cell, n in self.runs.items() if n]))

    @cached_property
    def runs_of_kinds(self) -> np.ndarray:
        """Runs in a window for each kind of people (kinds,)."""
        rows = self.people.kinds_now[1]
        keys = pd.MultiIndex.from_arrays([name.loc[rows] for name in cells(self.people)])
        return self.runs.reindex(keys).fillna(0).to_numpy(float)

    def at_runs(self, runs: Any, to_all: bool = False) -> Situations:
        """So many runs in a window (a number, or one a kind; 0 is none), beside the present way.

        ``to_all``: also before those whom it does not serve.
        """
        many = np.broadcast_to(np.asarray(runs, dtype=float), len(self.offer.way))
        headway, time = self.service.headway_min(np.maximum(many, 1.0)), self.offer.way["time_min"].to_numpy()
        of_all, walk = self.people.levels.of_all, self.service.walk_min
        wait = np.minimum(of_all("wait_share") * headway, of_all("wait_most_min"))
        known = {"cost_dh": self.service.cost_dh, "time_min": time, "walk_min": walk, "headway_min": headway}
        known["door_min"] = time + walk + wait
        return self.offer.beside(known, self.service.constant_share, (many > 0) & (to_all | self.served))

    @cached_property
    def running(self) -> Situations:
        """Wherever it pays its way, as often as in the greatest equilibrium of each cell."""
        return self.at_runs(self.runs_of_kinds)

    @property
    def everywhere(self) -> Situations:
        """Before all, also those whom it would not serve: what is stated, at one run where none would be kept."""
        return self.at_runs(np.maximum(self.runs_of_kinds, 1.0), to_all=True)

    @property
    def eligible(self) -> pd.Series:
        """Whether it runs for a person: in the cell, far enough, not on staff transport; NA if not known."""
        place, _ = self.people.kinds_now
        there = self.served & (self.runs_of_kinds > 0)
        known = pd.Series(pd.NA, index=self.people.frame.index, dtype="boolean")
        known[place >= 0] = there[place[place >= 0]]
        return known

    def riders(self, headway_min: float | None = None, by: Any = None, where: pd.Series | None = None) -> Estimate:
        """Riders among the active (or some of them), by group.

        With a run every so many minutes wherever it is offered; else where it pays its way, as often as it does there.
        """
        offered = self.running if headway_min is None else self.at_runs(self.service.window_min / headway_min)
        who = self.people.active if where is None else where
        return taken(self.offer.effect({"shuttle": offered}, by), who, by=by)

    def net_cost(self, riders: Estimate) -> Estimate:
        """DH a month that all routes cost in the greatest equilibrium, less what ``riders`` (1,) of it pay."""
        keys = pd.MultiIndex.from_tuples([key[-2:] for key in self.members.value.index])
        routes = self.service.route_dh(self.runs.reindex(keys).fillna(0).to_numpy()) / self.service.members_a_route_n
        weights = np.concatenate([[-self.service.cost_dh], routes])
        both = joint({"riders": riders, "members": self.members})
        return both.apply(lambda v: pd.Series(weights @ v.to_numpy(), index=["cost"]), weights[None])


def taken(effect: Forecast, who: pd.Series, change: str = "shuttle", by: Any = None) -> Estimate:
    """How many of ``who`` ride the shuttle of one change of `outcomes`, by its domains."""
    every = totals(effect, who, by)
    keys = {key[2:] or change: key for key in every.value.index if key[:2] == (f"{change}.after", "shuttle")}
    return pick(every, keys)


def car_pool(people: Commuters) -> Situations:
    """A car-pool beside the present way: levels of the table, its constant between grand taxi and cards."""
    way, walk = people.beside("car_pool"), parameter("car_pool_walk_min")
    known = {"cost_dh": way["cost_dh"], "time_min": way["time_min"], "walk_min": walk, "headway_min": 0.0}
    return Offer(people, "car_pool").beside(known | {"door_min": way["time_min"] + walk}, parameter("constant_share"))
