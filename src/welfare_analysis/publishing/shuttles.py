"""Tables of a staff shuttle: riders, runs, costs, what assumptions decide, need apart from demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pandas as pd

from ..demand import shuttle, stated
from ..demand.levels import levels
from ..demand.outcomes import pick, totals
from ..demand.service import Service, parameter
from ..demand.shuttle_costs import rider_cost
from ..demand.transport import Commuters
from ..errors import WelfareError
from ..estimation import Estimate, total
from ..estimation.choice.forecast import Forecast
from ..needs import commuting
from ..needs.income_debt import member_income_dh
from ..study import public
from .modelled import By, cells, rows
from .plan import NUMBERS

PRICES, HEADWAYS = (0, 100, 200), (30, 60, 120)
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the constant, from today to the cards
RIDES = ("cost_dh", "walk_min", "window_min", "constant_share")  # assumptions that decide who rides at a headway
RULE = ("seats_n", "load_share", "window_share", "least_riders_n", "members_a_route_n")  # how many runs there are
LEVELS = ("headway_min",)  # of the modes of today: what moves riders most; one more costs two fits
ENDS = ("least", "greatest")
IDS = (
    "takers",
    "shuttle",
    "runs",
    "route_riders",
    "riders_by_rank",
    "riders_by_mode",
    "rider_cost",
    "curve",
    "constant",
    "realised",
    "cells",
    "need",
    "tornado",
)


def parts(who: Commuters) -> dict[str, tuple[Iterator[pd.DataFrame], By, str]]:
    """Makers of the tables, with the columns that name their rows and columns."""
    return {
        "takers": (_takers(who), "transport_scenario", ""),
        "shuttle": (_shuttle(who), "command_group", "transport_equilibrium"),
        "runs": (_runs(who), "command_group", "transport_equilibrium"),
        "route_riders": (_route_riders(who), "transport_runs", "transport_carried"),
        "riders_by_rank": (_riders_by(who, "rank_group"), "rank_group", ""),
        "riders_by_mode": (_riders_by(who, "commute_mode"), "commute_mode", ""),
        "rider_cost": (_rider_cost(who), "command_group", "day_part"),
        "curve": (_curve(who), "transport_fare", "transport_headway"),
        "constant": (_constant(who), "transport_constant", ""),
        "realised": (_realised(who), "transport_realisation", ""),
        "cells": (_cells(who), "home_cell", ""),
        "need": (_need(who), "command_group", "transport_need"),
        "tornado": (_tornado(who), "transport_assumption", "home_end"),
    }


@cache
def offers(who: Commuters) -> Forecast:
    """`outcomes` of a shuttle where it pays its way, and of organised car-pools, beside the present way."""
    return shuttle.effect(who, {"shuttle": shuttle.running(who, Service.named()), "car_pool": shuttle.car_pool(who)})


def _riders(who: Commuters, found: Forecast, change: str, by: object = None, mask: pd.Series | None = None) -> Estimate:
    """Riders of one change of `outcomes`, by its domains."""
    every = totals(found, who.active if mask is None else mask, by)
    index = every.value.index
    keys = {key[2:] or change: key for key in index if key[0] == f"{change}.after" and key[1] == "shuttle"}
    return pick(every, keys)


def _takers(who: Commuters) -> Iterator[pd.DataFrame]:
    """How many would leave their present way for a shuttle, or for a car-pool, were each the only offer."""
    every = totals(offers(who), who.active)
    yield rows(pick(every, {name: (f"{name}.after", name) for name in ("shuttle", "car_pool")}), "transport_scenario")


def _shuttle(who: Commuters) -> Iterator[pd.DataFrame]:
    """Riders by group of commands and part of the day, in the least and the greatest equilibrium that runs."""
    service, by = Service.named(), shuttle.cells(who)
    found = shuttle.effect(who, {which: shuttle.running(who, service, which) for which in ENDS}, by)
    for which in ENDS:
        table = rows(_riders(who, found, which, by), "command_group", "day_part")
        yield table.assign(transport_equilibrium=table.pop("day_part") + f"_{which}")


def _runs(who: Commuters) -> Iterator[pd.DataFrame]:
    """Runs in a window in those equilibria, which have no interval."""
    service = Service.named()
    settled = shuttle.settled(shuttle.shares(who, service), service)
    n = shuttle.by_runs(who, service).counts["n"].loc["1.after"].loc["shuttle"]
    for which in ENDS:
        told = settled[which].rename("estimate").reset_index()
        told = told.assign(low=told["estimate"], high=told["estimate"], n=n.reindex(settled.index).to_numpy(float))
        yield told.assign(transport_equilibrium=told.pop("day_part") + f"_{which}")


def _route_riders(who: Commuters) -> Iterator[pd.DataFrame]:
    """Riders of a route in a window by runs, in the cells where most and where fewest ride, and what is carried.

    Where riders lie between what one run fewer and these runs carry, they ask for this number.
    """
    service = Service.named()
    found = shuttle.shares(who, service) * service.members_a_route_n * service.window_share
    base = float(who.known.sum())
    told = {"fewest": found.min(), "most": found.max()}
    told["carried"] = pd.Series({n: n * service.seats_n * service.load_share for n in service.runs})
    for name, many in told.items():
        for runs, x in many.items():
            number = dict.fromkeys(NUMBERS, float(x))
            yield pd.DataFrame([{"transport_runs": f"{runs}", "transport_carried": name, **number, "n": base}])


def _riders_by(who: Commuters, name: str) -> Iterator[pd.DataFrame]:
    """Riders of the headline by a group: who they are, or how they come now."""
    by = _present(who, who.frame[name], who.active)
    put = {"shuttle": shuttle.running(who, Service.named())}
    yield rows(_riders(who, shuttle.effect(who, put, by), "shuttle", by), name)


def _present(who: Commuters, group: pd.Series, mask: pd.Series) -> pd.Series:
    """The group of the people of a mask, missing where the way to work is known of nobody of it."""
    group = group.where(mask)
    told = group[who.known & who.frame["commute_mode"].notna()].dropna()
    return group.where(group.isin(set(told)))


def _rider_cost(who: Commuters) -> Iterator[pd.DataFrame]:
    """What a rider costs a month, before the fare, in the greatest equilibrium."""
    yield rows(rider_cost(who, Service.named()), "command_group", "day_part")


def _curve(who: Commuters) -> Iterator[pd.DataFrame]:
    """Riders by fare and headway, wherever it is offered."""
    puts = {}
    for price, headway in product(PRICES, HEADWAYS):
        service = replace(Service.named(), cost_dh=float(price))
        puts[f"{price}_{headway}"] = shuttle.at_runs(who, service, service.window_min / headway)
    every = totals(shuttle.effect(who, puts), who.active)
    keys = {tuple(name.split("_")): (f"{name}.after", "shuttle") for name in puts}
    yield rows(pick(every, keys), "transport_fare", "transport_headway")


def _constant(who: Commuters) -> Iterator[pd.DataFrame]:
    """Riders with the constant at steps from that of staff transport today to the cards, and of cards alone."""
    base = Service.named()
    runs = shuttle.runs_of(who, base)
    puts = {f"{100 * s:.0f}": shuttle.at_runs(who, replace(base, constant_share=s), runs) for s in STEPS}
    every = totals(shuttle.effect(who, puts), who.active)
    yield rows(pick(every, {name: (f"{name}.after", "shuttle") for name in puts}), "transport_constant")
    yield rows(_riders(who, shuttle.on_cards(who, puts["100"]), "cards"), "transport_constant")


def _realised(who: Commuters) -> Iterator[pd.DataFrame]:
    """Riders if a part of those of the headline keeps to it."""
    every = _riders(who, offers(who), "shuttle")
    for row in public("transport_realisation").to_dict("records"):
        yield rows(pick(every, {row["factor"]: "shuttle"}, float(row["value"])), "transport_realisation")


def _cells(who: Commuters) -> Iterator[pd.DataFrame]:
    """Stated x eligible x affordable: would ride, is served, can pay the fare out of a part of pay."""
    service = Service.named()
    pay, eligible = member_income_dh(who.frame), shuttle.eligible(who, service)
    able = (service.cost_dh <= parameter("fare_share_most") * pay).astype("boolean").mask(pay.isna())
    told = who.active & eligible.notna()
    by = [stated.yes_no(c, name).where(told) for c, name in ((eligible, "eligible"), (able, "affordable"))]
    every = totals(shuttle.effect(who, {"all": shuttle.everywhere(who, service)}, by), told, by)
    keys = {key[1:]: key for key in every.value.index if key[0] == "all.after"}
    yield rows(cells(pick(every, keys), "shuttle"), "home_cell")


def _need(who: Commuters) -> Iterator[pd.DataFrame]:
    """Need, who cannot come at shift hours, apart from demand, who would ride, and how many are in both."""
    group, needs = who.frame["command_group"].where(who.active), {}
    needs["out_of_reach"], needs["no_way"] = commuting.out_of_reach(who.frame), commuting.no_way_to_come(who.frame)
    found = total(who.design, pd.DataFrame(needs), by=group, where=who.active, missing="mean")
    yield rows(found, "transport_need", "command_group")
    put, without = {"riders": shuttle.running(who, Service.named())}, needs["no_way"].fillna(False).astype(bool)
    for name, mask in (("riders", who.active), ("riders_no_way", who.active & without)):
        by = _present(who, group, mask)
        riders = _riders(who, shuttle.effect(who, put, by), "riders", by, mask)
        yield rows(riders, "command_group", transport_need=name)


def _tornado(who: Commuters) -> Iterator[pd.DataFrame]:
    """Riders with each assumption at the ends of its range, in the greatest equilibrium there."""
    size = total(who.design, who.active.astype(float).rename("n"), by=shuttle.cells(who), where=who.active).value
    size.index = pd.MultiIndex.from_tuples([key[-2:] for key in size.index])
    known, base = shuttle.point(who, Service.named()), float(who.known.sum())
    moved = {name: _at_levels(who, name) for name in LEVELS}
    for name, end in product((*RIDES, *RULE, *(n for n, people in moved.items() if people)), ("low", "high")):
        service = Service.named(**({} if name in moved else {name: end}))
        people = moved[name][end] if name in moved else who
        riding = known if name in RULE else shuttle.point(people, service)
        runs = shuttle.settled(riding, service)["greatest"]
        taken = float(np.sum([size[cell] * riding.loc[cell, n] for cell, n in runs.items() if n]))
        number = dict.fromkeys(NUMBERS, taken)
        yield pd.DataFrame([{"transport_assumption": name, "home_end": end, **number, "n": base}])


def _at_levels(who: Commuters, name: str) -> dict[str, Commuters]:
    """The people with a parameter of the modes at its ends, their model fitted anew; none where it has no maximum."""
    found = {end: who.at(levels(end, name)) for end in ("low", "high")}
    try:
        return found if all(people.fit("pooled") for people in found.values()) else {}
    except WelfareError:
        return {}
