r"""A staff shuttle beside the way that people go now, and who would ride.

Whoever is offered a shuttle compares it with the present way (table values of both), in the pooled model of
`transport`. Its constant is never that of the cards alone: people say yes to what is new. It lies at a place
:math:`\delta` between that at which as many would ride as ride staff transport today, and that of the cards,
:math:`\alpha_\delta = \delta\alpha_{cards} + (1 - \delta)\alpha_{today}`; the range is shown. Riders depend on how
often it runs, and that on the riders: `service`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, special

from ..estimation.choice.forecast import Forecast
from . import levels
from .modes import ATTRIBUTES, OFFERS, SHIFTS, coded, scaled
from .outcomes import VALUES, Situations, outcomes
from .service import Service, parameter, settled
from .transport import BLOCK, Commuters

LIKE = {"shuttle": "staff_transport", "season_ticket": "bus", "car_pool": "grand_taxi"}  # the mode of today most alike
PRESENT = "current"


def low_constant(people: Commuters, offer: str) -> float:
    """The constant at which as many would take an offer as use the mode of today that is most alike."""
    fit, like = people.fit("pooled"), LIKE[offer]
    place, rows = people.kinds_now
    frame, b = people.frame.loc[rows], fit.value
    now = frame["commute_mode"].astype(object)
    gap = _utility(people.beside(like), b, False) - _utility(people.now, b, True)
    size = np.bincount(place[place >= 0], people.design.weights[place >= 0], len(rows))
    others = (now != like).to_numpy()
    share = people.shares()[like]

    def over(constant: float) -> float:
        return float(np.average(special.expit(constant + gap[others]), weights=size[others])) - share

    return float(optimize.brentq(over, -20.0, 20.0))


def _utility(way: pd.DataFrame, b: pd.Series, present: bool) -> np.ndarray:
    """Utility of a way without its constant: what one has is told door to door, as cards do."""
    if present:
        return (b["cost_100"] * way["cost_dh"] / 100 + b["time_10min"] * way["door_min"] / 10).to_numpy(float)
    parts = {"cost_100": way["cost_dh"] / 100, "time_10min": way["time_min"] / 10}
    parts |= {"walk_10min": way["walk_min"] / 10, "headway_10min": way["headway_min"] / 10}
    return np.sum([b[name] * value for name, value in parts.items()], axis=0)


def offered(
    people: Commuters,
    offer: str = "",
    attributes: Mapping[str, Any] | None = None,
    constant_share: float = 1.0,
    low: float = 0.0,
    there: np.ndarray | None = None,
) -> Situations:
    """The present way of each kind of people, and an offer beside it.

    Parameters
    ----------
    offer : str
        One of `transport.OFFERS`; empty: nothing is offered.
    attributes : mapping
        cost_dh (a month), time_min, walk_min, headway_min, door_min and co2_kg of the offer, a number or one a kind.
    constant_share, low : float
        Place of its constant between ``low`` (0) and that of the cards (1).
    there : (kinds,) array of bool
        To which kinds it is offered; all if not said.
    """
    place, rows = people.kinds_now
    if not offer:
        return Situations(_rows(people, next(iter(LIKE)))[: len(rows)].assign(known=0.0), place, rows)
    long, told = _rows(people, offer), {"co2_kg": 0.0, "borne_dh": 0.0, **dict(attributes or {})}
    told["hours"], told["dh"] = told["door_min"] * people.beside(LIKE[offer])["ways"] / 60, told["cost_dh"]
    changed = {name: told[name] for name in VALUES}
    changed |= {name: np.asarray(told[a]) / (100 if name == "cost_100" else 10) for name, a in ATTRIBUTES.items()
                if a in told}  # fmt: skip
    n = len(rows)
    columns = {c: np.r_[long[c].to_numpy()[:n], np.broadcast_to(x, n)] for c, x in changed.items()}
    columns |= {name: long[name].to_numpy() * constant_share for name in long if name.startswith(offer)}
    columns["known"] = np.r_[np.zeros(n), np.full(n, (1 - constant_share) * low)]
    kept = np.r_[np.ones(n, bool), np.broadcast_to(True if there is None else there, n)]
    return Situations(long.assign(**columns)[kept].reset_index(drop=True), place, rows)


@cache
def _rows(people: Commuters, offer: str) -> pd.DataFrame:
    """The present way of each kind of people, then an offer without its levels, as the model codes them."""
    rows, now = people.kinds_now[1], people.now
    base = now.assign(time_min=now["door_min"], walk_min=0.0, headway_min=0.0, foot_min=0.0)
    shifts = people.people.loc[rows, list(SHIFTS)]
    tables = {PRESENT: base, offer: base.assign(foot_min=0.0)}
    long = [t.assign(alternative=name, row=rows, case=rows, **shifts) for name, t in tables.items()]
    coded_ = coded(scaled(pd.concat(long, ignore_index=True)))
    names = [n for o in OFFERS for n in (o, *(f"{o}_{s}" for s in SHIFTS))]
    return coded_.assign(**{n: 0.0 for n in names if n not in coded_})


def served(people: Commuters, service: Service) -> np.ndarray:
    """To which kinds of people a shuttle is offered (kinds,): far enough from work, and not on staff transport now."""
    mode = people.frame.loc[people.kinds_now[1], "commute_mode"]
    far = people.beside(LIKE["shuttle"])["km"] >= service.least_km
    return (far & (mode != LIKE["shuttle"])).to_numpy(bool)


def at_runs(people: Commuters, service: Service, runs: Any, to_all: bool = False) -> Situations:
    """A shuttle with so many runs in a window (a number, or one a kind; 0 is none), beside the present way."""
    _, rows = people.kinds_now
    time = people.beside(LIKE["shuttle"])["time_min"].to_numpy()
    many = np.broadcast_to(np.asarray(runs, dtype=float), len(rows))
    headway = service.headway_min(np.maximum(many, 1.0))
    wait = np.minimum(people.levels.of_all("wait_share") * headway, people.levels.of_all("wait_most_min"))
    told = {"cost_dh": service.cost_dh, "time_min": time, "walk_min": service.walk_min, "headway_min": headway}
    told |= {"door_min": time + service.walk_min + wait}
    low = _low(people, "shuttle") if service.constant_share < 1 else 0.0
    return offered(
        people, "shuttle", told, service.constant_share, low, (many > 0) & (to_all | served(people, service))
    )


@cache
def _low(people: Commuters, offer: str) -> float:
    return low_constant(people, offer)


@cache
def nothing(people: Commuters) -> Situations:
    """The present way alone."""
    return offered(people)


@cache
def by_runs(people: Commuters, service: Service) -> Forecast:
    """`outcomes` of a shuttle by number of runs in a window (changes ``1``, ``2``, ...), by `cells`."""
    return effect(people, {str(n): at_runs(people, service, n) for n in service.runs}, cells(people))


def effect(people: Commuters, puts: Mapping[str, Situations], by: Any = None, where: Any = None) -> Forecast:
    """`outcomes` of offers, each beside the present way, in the pooled model."""
    return outcomes(people.fit("pooled"), people.design, nothing(people), puts, by=by, where=where)


def cells(people: Commuters) -> list[pd.Series]:
    """Group of commands and part of the day, in which a shuttle runs or not; missing of those who are not active."""
    parts = {"command_group": people.frame["command_group"], "day_part": levels.day_part(people.frame)}
    return [part.astype(object).where(people.active).rename(name) for name, part in parts.items()]


def point(people: Commuters, service: Service) -> pd.DataFrame:
    """Share that rides, by cell (rows) and number of runs in a window (columns), without its error: as in `by_runs`."""
    (place, rows), b = people.kinds_now, people.fit("pooled").value
    now = _utility(people.now, b, True)
    way = people.beside(LIKE["shuttle"]).assign(cost_dh=service.cost_dh, walk_min=service.walk_min, headway_min=0.0)
    shifts = people.people.loc[rows]
    constant = b["shuttle"] + sum(b.get(f"shuttle_{name}", 0.0) * shifts[name].to_numpy() for name in SHIFTS)
    share, low = service.constant_share, _low(people, "shuttle")
    gap = share * constant + (1 - share) * low + _utility(way, b, False) - now
    size = np.bincount(place[place >= 0], people.design.weights[place >= 0], len(rows))
    rides = {n: served(people, service) * special.expit(gap + b["headway_10min"] * service.headway_min(n) / 10)
             for n in service.runs}  # fmt: skip
    keys = [name.loc[rows].to_numpy() for name in cells(people)]
    weighted = pd.DataFrame({n: size * p for n, p in rides.items()} | {"all": size}).groupby(keys).sum()
    found = weighted.drop(columns="all").div(weighted["all"], axis=0)
    return found.rename_axis(["command_group", "day_part"])


@cache
def shares(people: Commuters, service: Service) -> pd.DataFrame:
    """Share that rides by cell and number of runs, of `by_runs`."""
    found = by_runs(people, service).value
    return pd.DataFrame({n: found.loc[f"{n}.after"].loc["shuttle"] for n in service.runs})


def running(people: Commuters, service: Service, which: str = "greatest") -> Situations:
    """A shuttle wherever it pays its way, as often as in an equilibrium of each cell."""
    return at_runs(people, service, runs_of(people, service, which))


def runs_of(people: Commuters, service: Service, which: str = "greatest") -> np.ndarray:
    """Runs in a window for each kind of people (kinds,) in an equilibrium of its cell."""
    found = settled(shares(people, service), service)[which]
    rows = people.kinds_now[1]
    keys = pd.MultiIndex.from_arrays([name.loc[rows] for name in cells(people)])
    return found.reindex(keys).fillna(0).to_numpy(float)


def everywhere(people: Commuters, service: Service) -> Situations:
    """A shuttle before all, also those whom it would not serve: what is stated, at one run where none would be kept."""
    return at_runs(people, service, np.maximum(runs_of(people, service), 1.0), to_all=True)


def eligible(people: Commuters, service: Service) -> pd.Series:
    """Whether a shuttle runs for a person: in the cell, far enough, not on staff transport; NA if not known."""
    place, _ = people.kinds_now
    there = served(people, service) & (runs_of(people, service) > 0)
    found = pd.Series(pd.NA, index=people.frame.index, dtype="boolean")
    found[place >= 0] = there[place[place >= 0]]
    return found


def on_cards(people: Commuters, put: Situations) -> Forecast:
    """`outcomes` in the model of the cards alone, on their own scale and with their own constants: raw."""
    kinds = people.codebook.codes(f"{BLOCK}_alternative")
    pair = [
        Situations(
            s.long.assign(alternative=pd.Categorical(s.long["alternative"].astype(object), kinds)).drop(
                columns="known"
            ),
            s.of,
            s.names,
        )
        for s in (nothing(people), put)
    ]
    return outcomes(people.fit("stated"), people.design, pair[0], {"cards": pair[1]})


def car_pool(people: Commuters) -> Situations:
    """A car-pool beside the present way: levels of the table, its constant between grand taxi and cards."""
    way = people.beside("car_pool")
    told = {"cost_dh": way["cost_dh"], "time_min": way["time_min"], "walk_min": parameter("car_pool_walk_min")}
    told |= {"headway_min": 0.0, "door_min": way["time_min"] + told["walk_min"], "co2_kg": way["co2_kg"]}
    return offered(people, "car_pool", told, parameter("constant_share"), _low(people, "car_pool"))
