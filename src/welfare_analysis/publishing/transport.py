"""The demand for transport as tables that may be shown, by group of commands and part of the day at the finest.

Whoever knows how many come to one place at one shift knows its strength: no table crosses a shift with anything finer than
a group of commands. Numbers are sums of probabilities over everybody of a group, rounded as counts are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from itertools import product

import numpy as np
import pandas as pd

from ..demand import shuttle, stated, transport, worth
from ..demand.outcomes import of, outcomes, people
from ..demand.service import Service, parameter
from ..demand.shuttle_costs import less_vehicles, net_cost, rider_cost
from ..demand.transport import Commuters
from ..errors import WelfareError
from ..estimation import Estimate, mean, share, total
from ..estimation.choice.forecast import Forecast
from ..needs import commuting
from ..needs.income_debt import member_income_dh
from ..study import DATA, Study, public
from .modelled import By, cells, released, rows
from .plan import NUMBERS, Released
from .suppression import Policy

FARES = (10, 30, 50)  # per cent off
CHANGES = (*(f"fares_{f}" for f in FARES), "ticket", "nearer")
MIDDLE = CHANGES[1]
PRICES, HEADWAYS = (0, 100, 200), (30, 60, 120)
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the constant, from today to the cards
MOVED = ("cost_dh", "walk_min", "window_min", "constant_share", "seats_n", "load_share", "window_share",
         "least_riders_n", "members_a_route_n")  # fmt: skip
RULE = MOVED[4:]  # of how many runs there are, not of who rides
YEAR = 12
UNITS = {
    "minutes": "min",
    "level_costs": "dh",
    "shares": "share",
    "versions": "share",
    "worth": "dh_hour",
    "gains": "million_dh",
    "hours": "hours",
    "co2": "tonnes",
    "runs": "runs",
    "rider_cost": "dh",
    "fare_elasticity": "elasticity",
}
IDS = (*UNITS, "shuttle", "curve", "constant", "realised", "cells", "need", "tornado")


@cache
def transport_tables(study: Study) -> Mapping[str, Released]:
    """The tables of the demand for transport, ``transport_<name>``; their state is ``not_asked`` without cards.

    It is ``no_totals`` without a register, and ``too_few`` where the answers do not tell a model.
    """
    rules = Policy.read(DATA / "policy.csv")
    names = [f"transport_{name}" for name in IDS]
    blank = {name: Released(name, "total", "commute_mode", ("commute_mode",), "persons") for name in names}
    if study.population is None:
        return {name: replace(table, state="no_totals") for name, table in blank.items()}
    who = commuters_of(study)
    if who is None:
        return blank
    try:
        parts = _parts(who, study)
        told = int(who.known.sum()), int(who.active.sum())
        return {
            f"transport_{key}": released(
                f"transport_{key}",
                pd.concat(found, ignore_index=True),
                (first, across),
                rules,
                told,
                UNITS.get(key, "persons"),
            )
            for key, (found, first, across) in parts.items()
        }
    except WelfareError:  # separated, collinear or of the wrong sign: small samples
        return {name: replace(table, state="too_few") for name, table in blank.items()}


@cache
def commuters_of(study: Study) -> Commuters | None:
    """The active of a study; None where a question that the model needs was not asked."""
    try:
        return transport.commuters(study)
    except WelfareError:
        return None


def _parts(who: Commuters, study: Study) -> dict[str, tuple[Iterator[pd.DataFrame], By, str]]:
    """Makers of the tables, with the columns that name their rows and columns."""
    return {
        "minutes": (_reported(who, "commute_min", "door_min"), "commute_mode", "transport_source"),
        "level_costs": (_reported(who, "commute_cost_dh", "cost_dh"), "commute_mode", "transport_source"),
        "shares": (_shares(who), "transport_scenario", "commute_mode"),
        "versions": (_versions(who), "transport_version", "commute_mode"),
        "worth": (_worth(who), "income_group", "transport_worth"),
        "gains": (_gains(who), "transport_scenario", "transport_gain"),
        "hours": (_amounts(who, "hours", 1.0), "transport_scenario", ""),
        "co2": (_amounts(who, "co2_kg", 1e-3), "transport_scenario", ""),
        "fare_elasticity": (_elasticity(who), "commute_mode", ""),
        "shuttle": (_shuttle(who), "command_group", "transport_equilibrium"),
        "runs": (_runs(who), "command_group", "transport_equilibrium"),
        "rider_cost": (_rider_cost(who), "command_group", "day_part"),
        "curve": (_curve(who), "transport_fare", "transport_headway"),
        "constant": (_constant(who), "transport_constant", ""),
        "realised": (_realised(who), "transport_realisation", ""),
        "cells": (_cells(who), "home_cell", ""),
        "need": (_need(who), "command_group", "transport_need"),
        "tornado": (_tornado(who), "transport_assumption", "home_end"),
    }


def _reported(who: Commuters, said: str, level: str) -> Iterator[pd.DataFrame]:
    """Means of the chosen mode as people tell them and as the table has them."""
    mode = who.frame["commute_mode"]
    pair = pd.DataFrame({"reported": who.frame[said].astype(float), "table": who.levels.of(who.frame, mode)[level]})
    where = who.known & mode.notna() & pair.notna().all(axis=1)
    yield rows(mean(who.design, pair, by=mode, where=where), "transport_source", "commute_mode")


@cache
def scenarios(who: Commuters) -> Forecast:
    """`outcomes` of each change of fares, a season ticket and a shorter way, in the calibrated market."""
    changes: dict[str, dict[str, float]] = {f"fares_{f}": {"fares": 1 - f / 100} for f in FARES}
    changes |= {"ticket": {"ticket_dh": parameter("season_ticket_dh")}, "nearer": {"km": parameter("nearer_share")}}
    return outcomes(who.market, who.design, who.today, {name: who.situations(**c) for name, c in changes.items()})


@cache
def offers(who: Commuters) -> Forecast:
    """`outcomes` of a shuttle where it pays its way, and of organised car-pools, beside the present way."""
    return shuttle.effect(who, {"shuttle": shuttle.running(who, Service.named()), "car_pool": shuttle.car_pool(who)})


def _shares(who: Commuters) -> Iterator[pd.DataFrame]:
    """Shares of modes as they are and after each change."""
    names = [f"{CHANGES[0]}.before", *(f"{name}.after" for name in CHANGES)]
    table = rows(scenarios(who).part(names), "change", "commute_mode")
    yield table.assign(transport_scenario=table.pop("change").map(dict(zip(names, ("base", *CHANGES), strict=True))))


def _versions(who: Commuters) -> Iterator[pd.DataFrame]:
    """Shares observed, and with fares cut by the middle of the range in each model."""
    mode = who.frame["commute_mode"]
    seen = share(who.design, mode, where=who.active & mode.notna())
    yield rows(seen, "commute_mode", transport_version="observed")
    yield rows(of(scenarios(who), MIDDLE, "after"), "kind", "commute_mode", transport_version="pooled").drop(
        columns="kind"
    )
    cut = {"cut": who.situations(fares=1 - FARES[1] / 100)}
    for name in ("revealed", "nested"):
        if not who.fit(name).blocked:
            found = of(outcomes(who.fit(name), who.design, who.today, cut), "cut", "after")
            yield rows(found, "kind", "commute_mode", transport_version=name).drop(columns="kind")


def _worth(who: Commuters) -> Iterator[pd.DataFrame]:
    """What an hour is worth on the way to work, and what an hour of work is paid, by income group."""
    values, pay = worth.value_of_time(who)
    for group, estimate in values.items():
        if group != "unknown":
            yield rows(estimate, "kind", income_group=group, transport_worth="value_of_time").drop(columns="kind")
    if pay is not None:
        table = rows(pay, "kind", "income_group", transport_worth="pay_an_hour").drop(columns="kind")
        yield table[table["income_group"] != "unknown"]


def _gains(who: Commuters) -> Iterator[pd.DataFrame]:
    """DH a year that are saved, what the change is worth to people, what somebody bears for it."""
    for name in (*CHANGES, "shuttle", "car_pool"):
        parts = {"saved": _sum(who, name, "saved", "dh"), "surplus": _sum(who, name, "surplus", "dh")}
        if name == "shuttle":
            parts["cost"] = net_cost(who, Service.named())
        elif name not in ("nearer", "car_pool"):
            parts["cost"] = _times(_sum(who, name, "saved", "borne_dh"), -1.0)
        for gain, one in parts.items():
            yield _rows(_times(one, YEAR), transport_scenario=name, transport_gain=gain)


def _amounts(who: Commuters, value: str, unit: float) -> Iterator[pd.DataFrame]:
    """What people save in a year of an amount of a month."""
    for name in (*CHANGES, "shuttle", "car_pool"):
        one = _times(_sum(who, name, "saved", value), YEAR * unit)
        if name == "shuttle" and value == "co2_kg":
            one = less_vehicles(who, Service.named(), one, YEAR * unit)
        yield _rows(one, transport_scenario=name)


def _sum(who: Commuters, change: str, variable: str, name: str, found: Forecast | None = None) -> Estimate:
    """A number of `outcomes`, summed over all the active."""
    found = found or (scenarios(who) if change in CHANGES else offers(who))
    every = people(found, change, variable, who.active)
    place = np.asarray(every.value.index == name, dtype=float)[None]
    return every.apply(lambda v: pd.Series(place @ v.to_numpy(), index=[name]), place)


def _rows(estimate: Estimate, **fixed: str) -> pd.DataFrame:
    return rows(estimate, "kind", **fixed).drop(columns="kind")


def _times(estimate: Estimate, factor: float) -> Estimate:
    return estimate.apply(partial(np.multiply, factor))


def _elasticity(who: Commuters) -> Iterator[pd.DataFrame]:
    """Arc elasticity of each mode whose fare is cut, to its fare, at the smallest cut."""
    found, gap = of(scenarios(who), CHANGES[0], "before", "after"), np.log(1 - FARES[0] / 100)
    kept = [mode for mode in transport.TICKETS["fares"] if ("after", mode) in found.value.index]

    def slope(v: pd.Series) -> pd.Series:
        return pd.Series({m: np.log(v["after", m] / v["before", m]) / gap for m in kept})

    yield rows(found.apply(slope), "commute_mode")


def _shuttle(who: Commuters) -> Iterator[pd.DataFrame]:
    """Riders by group of commands and part of the day, in the least and the greatest equilibrium that runs."""
    service, by = Service.named(), shuttle.cells(who)
    puts = {which: shuttle.running(who, service, which) for which in ("least", "greatest")}
    found = shuttle.effect(who, puts, by)
    for which in puts:
        table = rows(people(found, which, "after", who.active, by), "kind", "command_group", "day_part")
        table = table[table["kind"] == "shuttle"].drop(columns="kind")
        yield table.assign(transport_equilibrium=table.pop("day_part") + f"_{which}")


def _runs(who: Commuters) -> Iterator[pd.DataFrame]:
    """Runs in a window in those equilibria, which have no interval."""
    service = Service.named()
    settled = shuttle.settled(shuttle.shares(who, service), service)
    n = shuttle.by_runs(who, service).counts["n"].loc["1.after"].loc["shuttle"]
    for which in ("least", "greatest"):
        told = settled[which].rename("estimate").reset_index()
        told = told.assign(low=told["estimate"], high=told["estimate"], n=n.reindex(settled.index).to_numpy(float))
        yield told.assign(transport_equilibrium=told.pop("day_part") + f"_{which}")


def _rider_cost(who: Commuters) -> Iterator[pd.DataFrame]:
    """What a rider costs a month, before the fare, in the greatest equilibrium."""
    yield rows(rider_cost(who, Service.named()), "command_group", "day_part")


def _curve(who: Commuters) -> Iterator[pd.DataFrame]:
    """Riders by fare and headway, wherever it is offered."""
    puts = {}
    for price, headway in product(PRICES, HEADWAYS):
        service = replace(Service.named(), cost_dh=float(price))
        puts[f"{price}_{headway}"] = shuttle.at_runs(who, service, service.window_min / headway)
    found = shuttle.effect(who, puts)
    for name in puts:
        price, headway = name.split("_")
        yield _rows(_sum(who, name, "after", "shuttle", found), transport_fare=price, transport_headway=headway)


def _constant(who: Commuters) -> Iterator[pd.DataFrame]:
    """Riders with the constant at steps from that of staff transport today to that of the cards."""
    base = Service.named()
    runs = shuttle.runs_of(who, base)
    puts = {f"{100 * s:.0f}": shuttle.at_runs(who, replace(base, constant_share=s), runs) for s in STEPS}
    found, raw = shuttle.effect(who, puts), shuttle.on_cards(who, puts["100"])
    for name, of_model in (*((name, found) for name in puts), ("cards", raw)):
        yield _rows(_sum(who, name, "after", "shuttle", of_model), transport_constant=name)


def _realised(who: Commuters) -> Iterator[pd.DataFrame]:
    """Riders if a part of those of the headline keeps to it."""
    every = _sum(who, "shuttle", "after", "shuttle")
    for row in public("transport_realisation").to_dict("records"):
        yield _rows(_times(every, float(row["value"])), transport_realisation=row["factor"])


def _cells(who: Commuters) -> Iterator[pd.DataFrame]:
    """Stated x eligible x affordable: would ride, is served, can pay the fare out of a part of pay."""
    service = Service.named()
    pay, eligible = member_income_dh(who.frame), shuttle.eligible(who, service)
    able = (service.cost_dh <= parameter("fare_share_most") * pay).astype("boolean").mask(pay.isna())
    told = who.active & eligible.notna()
    by = [stated.yes_no(c, name).where(told) for c, name in ((eligible, "eligible"), (able, "affordable"))]
    found = shuttle.effect(who, {"all": shuttle.everywhere(who, service)}, by)
    yield rows(cells(people(found, "all", "after", told, by), "shuttle"), "home_cell")


def _need(who: Commuters) -> Iterator[pd.DataFrame]:
    """Need, who cannot come at shift hours, apart from demand, who would ride; and how many of the one are in the other."""
    group, needs = who.frame["command_group"].where(who.active), {}
    needs["out_of_reach"], needs["no_way"] = commuting.out_of_reach(who.frame), commuting.no_way_to_come(who.frame)
    found = total(who.design, pd.DataFrame(needs), by=group, where=who.active, missing="mean")
    yield rows(found, "transport_need", "command_group")
    put, without = {"riders": shuttle.running(who, Service.named())}, needs["no_way"].fillna(False).astype(bool)
    for name, mask in (("riders", who.active), ("riders_no_way", who.active & without)):
        riders = people(shuttle.effect(who, put, group, mask), "riders", "after", mask, group)
        table = rows(riders, "kind", "command_group", transport_need=name)
        yield table[table["kind"] == "shuttle"].drop(columns="kind")


def _tornado(who: Commuters) -> Iterator[pd.DataFrame]:
    """Riders with each assumption at the ends of its range, in the greatest equilibrium there."""
    size = total(who.design, who.active.astype(float).rename("n"), by=shuttle.cells(who), where=who.active).value
    size.index = pd.MultiIndex.from_tuples([key[-2:] for key in size.index])
    known, base = shuttle.point(who, Service.named()), float(who.known.sum())
    for name, end in product(MOVED, ("low", "high")):
        service = Service.named(**{name: end})
        riding = known if name in RULE else shuttle.point(who, service)
        runs = shuttle.settled(riding, service)["greatest"]
        taken = sum(size[cell] * riding.loc[cell, n] for cell, n in runs.items() if n)
        number = dict.fromkeys(NUMBERS, float(taken))
        yield pd.DataFrame([{"transport_assumption": name, "home_end": end, **number, "n": base}])
