"""The demand for transport as tables that may be shown, by group of commands and part of the day at the finest.

Whoever knows how many come to one place at one shift knows its strength: no table crosses a shift with anything finer
than a group of commands. Numbers are sums of probabilities over everybody of a group, rounded as counts are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from ..demand import ownership, shuttle, transport, worth
from ..demand.modes import part
from ..demand.outcomes import of, outcomes, pick, totals
from ..demand.service import Service, parameter
from ..demand.shuttle_costs import less_vehicles, net_cost
from ..demand.transport import Commuters
from ..errors import WelfareError
from ..estimation import Estimate, joint, mean, share
from ..estimation.choice import ChoiceFit
from ..estimation.choice.forecast import Forecast
from ..study import DATA, Study
from . import shuttles
from .modelled import By, released, rows
from .plan import Released
from .suppression import Policy

FARES = (10, 30, 50)  # per cent off
CHANGES = (*(f"fares_{f}" for f in FARES), "ticket", "nearer")
OFFERED = ("shuttle", "car_pool")
MIDDLE = CHANGES[1]
FREE = ("nearer", "car_pool")  # nobody is known to bear their cost
YEAR, TONNES = 12, 1e-3
UNITS = {
    "minutes": "minutes",
    "level_costs": "dh_month",
    "shares": "share",
    "versions": "share",
    "worth": "dh_hour",
    "gains": "million_dh",
    "hours": "hours",
    "co2": "tonnes",
    "fare_elasticity": "elasticity",
    "runs": "runs",
    "route_riders": "riders",
    "rider_cost": "dh_month",
}
MODELS = ("stated", "pooled", "groups")
MARKET = ("minutes", "level_costs", "shares", "versions", "worth", "gains", "hours", "co2", "fare_elasticity")
IDS = (*MARKET, *shuttles.IDS)


@cache
def transport_tables(study: Study) -> Mapping[str, Released]:
    """The tables of the demand for transport, ``transport_<name>``.

    Their state is ``not_asked`` without cards (and of a table whose own question was not asked), ``no_totals`` without
    a register, and ``too_few`` where the answers do not tell a model.
    """
    rules = Policy.read(DATA / "policy.csv")
    names = [f"transport_{name}" for name in IDS]
    blank = {name: Released(name, "total", "commute_mode", ("commute_mode",), "persons") for name in names}
    if study.population is None:
        return {name: replace(table, state="no_totals") for name, table in blank.items()}
    who = commuters_of(study)
    if who is None:
        return blank
    if not _told(who):
        return {name: replace(table, state="too_few") for name, table in blank.items()}
    told = int(who.known.sum()), int(who.active.sum())
    made = {
        f"transport_{key}": released(
            f"transport_{key}", pd.concat(parts, ignore_index=True), by, rules, told, UNITS.get(key, "persons")
        )
        for key, (parts, *by) in _parts(who).items()
    }
    return blank | made


def _told(who: Commuters) -> bool:
    """Whether the answers tell the models: not separated, not collinear, a cost that is minded."""
    try:
        fits = [who.fit(name) for name in MODELS]
        costs = [fit.value[[n for n in fit.value.index if str(n).startswith("cost_100")]] for fit in fits]
        return bool(who.market) and all((cost < 0).all() for cost in costs)
    except WelfareError:  # small samples
        return False


@cache
def commuters_of(study: Study) -> Commuters | None:
    """The active of a study; None where a question that the model needs was not asked."""
    return None if study.lacking((*transport.NEEDED, *transport.CARDS)) else transport.commuters(study)


def _parts(who: Commuters) -> dict[str, tuple[Iterator[pd.DataFrame], By, str]]:
    """Makers of the tables, with the columns that name their rows and columns."""
    told = {"minutes": ("commute_min", "door_min"), "level_costs": ("commute_cost_dh", "cost_dh")}
    return {
        **{
            key: (_reported(who, *pair), "commute_mode", "transport_source")
            for key, pair in told.items()
            if pair[0] in who.frame
        },
        "shares": (_shares(who), "transport_scenario", "commute_mode"),
        "versions": (_versions(who), "transport_version", "commute_mode"),
        "worth": (_worth(who), "income_group", "transport_worth"),
        "gains": (_gains(who), "transport_scenario", "transport_gain"),
        "hours": (_hours(who), "transport_scenario", ""),
        "co2": (_co2(who), "transport_scenario", ""),
        "fare_elasticity": (_elasticity(who), "commute_mode", ""),
        **shuttles.parts(who),
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
    changed = {name: who.situations(fares=1 - fare / 100) for name, fare in zip(CHANGES, FARES, strict=False)}
    changed["ticket"] = who.situations(ticket_dh=parameter("season_ticket_dh"))
    changed["nearer"] = who.situations(km=parameter("nearer_share"))
    return outcomes(who.market, who.design, who.today, changed)


@cache
def sums(who: Commuters) -> Estimate:
    """What each change and offer does to all the active together, a month."""
    return joint({"market": totals(scenarios(who), who.active), "offer": totals(shuttles.offers(who), who.active)})


def amounts(who: Commuters, variable: str, name: str, factor: float, without: tuple[str, ...] = ()) -> Estimate:
    """One of `sums` by change, times a factor."""
    kinds = dict.fromkeys(CHANGES, "market") | dict.fromkeys(OFFERED, "offer")
    keys = {c: (kind, f"{c}.{variable}", name) for c, kind in kinds.items() if c not in without}
    return pick(sums(who), keys, factor)


def _shares(who: Commuters) -> Iterator[pd.DataFrame]:
    """Shares of modes as they are, and after each change given those of today: the model is calibrated to them."""
    yield rows(_observed(who), "commute_mode", transport_scenario="base")
    names = {f"{name}.after": name for name in CHANGES}
    table = rows(scenarios(who).part(list(names)), "change", "commute_mode")
    yield table.assign(transport_scenario=table.pop("change").map(names))


def _observed(who: Commuters) -> Estimate:
    mode = who.frame["commute_mode"]
    return share(who.design, mode, where=who.active & mode.notna())


def _versions(who: Commuters) -> Iterator[pd.DataFrame]:
    """Shares observed, and with fares cut by the middle of the range in each model."""
    yield rows(_observed(who), "commute_mode", transport_version="observed")
    cut = 1 - FARES[1] / 100
    found = {"pooled": of(scenarios(who), MIDDLE, "after")}
    for name in ("revealed", "nested"):
        fit = _fit(who, name)
        if fit is not None and not fit.blocked and fit.value["cost_100"] < 0:
            changed = {"cut": who.situations(fares=cut)}
            found[name] = of(outcomes(fit, who.design, who.today, changed), "cut", "after")
    for name, forecast in found.items():
        yield rows(forecast, "kind", "commute_mode", transport_version=name).drop(columns="kind")
    yield rows(ownership.long_run(who, cut), "commute_mode", transport_version="joint")


def _fit(who: Commuters, name: str) -> ChoiceFit | None:
    """A model that others do not need; None where it has no maximum."""
    try:
        return who.fit(name)
    except WelfareError:
        return None


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
    riders = pick(sums(who), {"riders": ("offer", "shuttle.after", "shuttle")})
    cost = net_cost(who, Service.named(), riders)
    found = {
        "saved": amounts(who, "saved", "dh", YEAR),
        "surplus": amounts(who, "surplus", "dh", YEAR),
        "cost": amounts(who, "saved", "borne_dh", -YEAR, (*FREE, "shuttle")),
    }
    for gain, estimate in found.items():
        yield rows(estimate, "transport_scenario", transport_gain=gain)
    yield rows(pick(cost, {"shuttle": "cost"}, YEAR), "transport_scenario", transport_gain="cost")


def _hours(who: Commuters) -> Iterator[pd.DataFrame]:
    """Hours saved in a year."""
    yield rows(amounts(who, "saved", "hours", YEAR), "transport_scenario")


def _co2(who: Commuters) -> Iterator[pd.DataFrame]:
    """Tonnes of CO2 saved in a year, what the vehicles of a shuttle burn taken off."""
    yield rows(amounts(who, "saved", "co2_kg", YEAR * TONNES, ("shuttle",)), "transport_scenario")
    saved = pick(sums(who), {"co2_kg": ("offer", "shuttle.saved", "co2_kg")})
    net = less_vehicles(who, Service.named(), saved)
    yield rows(pick(net, {"shuttle": "co2_kg"}, YEAR * TONNES), "transport_scenario")


def _elasticity(who: Commuters) -> Iterator[pd.DataFrame]:
    """Arc elasticity of each mode whose fare is cut, to its fare, at the smallest cut."""
    found, gap = of(scenarios(who), CHANGES[0], "before", "after"), np.log(1 - FARES[0] / 100)
    kept = [mode for mode in transport.TICKETS["fares"] if ("after", mode) in found.value.index]
    ends = part(found, [(kind, mode) for kind in ("before", "after") for mode in kept])

    def slope(v: pd.Series) -> pd.Series:
        x = v.to_numpy()
        return pd.Series(np.log(x[len(kept) :] / x[: len(kept)]) / gap, index=kept)

    yield rows(ends.apply(slope), "commute_mode")


def riding(who: Commuters) -> pd.DataFrame:
    """Equilibria by cell of the headline service."""
    service = Service.named()
    return shuttle.settled(shuttle.shares(who, service), service)
