"""The demand for homes as tables that may be shown: numbers of the model by what is offered, to whom, on what terms.

A number is a sum of probabilities over everybody of a group, not a count; it is shown where the group has enough
respondents, and rounded as counts are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pandas as pd

from ..demand import housing
from ..demand.credit import FACTORS, Terms, affordable_price_dh, crosses, ranged
from ..demand.housing import BLOCK, BOUGHT, OFFERED, VERSIONS, Market
from ..demand.scenarios import at_prices, bought, elasticities, forecasts, offer
from ..errors import WelfareError
from ..estimation import Estimate, share, total
from ..estimation.choice import predicted_shares
from ..needs import projection
from ..study import DATA, Study, public
from .modelled import By, cells, released, rows
from .plan import NUMBERS, Released
from .suppression import Policy, unsafe

KINDS = f"{BLOCK}_alternative"
TERMS = {"bank": "housing_bank", "foundation": "housing_foundation", "talks": "housing_talks"}
BASE = "foundation"
PRICES = (140_000, 200_000, 250_000, 300_000, 400_000)
FLAT = "social_flat"
UNITS = {
    "homes_elasticity": "elasticity",
    "homes_worth": "dh",
    "homes_reach": "share",
    "homes_intentions": "share",
    "homes_need": "homes",
}
GROUPS = ("command_group", "rank_group")
VARIATIONS = ("", *(f"_{factor}_{way}" for factor in FACTORS for way in ("down", "up")))
IDS = (
    "reach",
    "crosses",
    "need",
    "by_terms",
    *(f"by_{g}" for g in GROUPS),
    "cells",
    "cells_bank",
    "intentions",
    "versions",
    "curve",
    "elasticity",
    "scenarios",
    *(f"scenarios_by_{g}" for g in GROUPS),
    "views",
    "realised",
    "worth",
    "tornado",
)


@cache
def homes(study: Study) -> Mapping[str, Released]:
    """The tables of the demand for homes, ``homes_<name>``; their state is ``not_asked`` without cards or incomes.

    It is ``no_totals`` without a register, and ``too_few`` where the cards do not tell a model.
    """
    rules = Policy.read(DATA / "policy.csv")
    blank = {f"homes_{name}": Released(f"homes_{name}", "total", KINDS, (KINDS,), "persons") for name in IDS}
    if study.population is None:
        return {name: replace(table, state="no_totals") for name, table in blank.items()}
    market = market_of(study)
    if market is None:
        return blank
    try:
        for version in VERSIONS:
            market.fit(version)
    except WelfareError:  # separated or collinear: small samples
        return {name: replace(table, state="too_few") for name, table in blank.items()}
    made: dict[str, tuple[Iterator[pd.DataFrame], By, str]] = {
        "reach": (_reach(market, rules), ("rank_group", "home_terms"), "home_price"),
        "crosses": (_crosses(market, rules), "home_variation", "home_crossing"),
        "need": (_need(market), "home_need", ""),
        "by_terms": (_by_terms(market), KINDS, "home_terms"),
        **{f"by_{group}": (_by_group(market, group), group, KINDS) for group in GROUPS},
        "cells": (_cells(market), "home_cell", KINDS),
        "cells_bank": (_cells(market.at(Terms.named(TERMS["bank"]))), "home_cell", KINDS),
        "intentions": (_intentions(market), "wants_home", KINDS),
        "versions": (_versions(market), "home_version", KINDS),
        "curve": (_curve(market), "home_price", "home_terms"),
        "elasticity": (_elasticity(market), "home_step", "home_terms"),
        "scenarios": (_scenarios(market), "home_scenario", KINDS),
        **{f"scenarios_by_{g}": (_scenarios_by(market, g), g, "home_scenario") for g in GROUPS},
        "views": (_views(market), KINDS, "home_view"),
        "realised": (_realised(market), "home_realisation", ""),
        "worth": (_worth(market), "home_improvement", "income_group"),
        "tornado": (_tornado(market), "home_assumption", "home_end"),
    }
    told = int(market.computed.sum()), int(market.adult.sum())
    return {
        name: released(
            name, pd.concat(parts, ignore_index=True), (first, across), rules, told, UNITS.get(name, "persons")
        )
        for name, (parts, first, across) in ((f"homes_{key}", entry) for key, entry in made.items())
    }


@cache
def market_of(study: Study) -> Market | None:
    """The market of a study; None where a question that it needs was not asked."""
    return None if study.lacking(housing.NEEDED) else housing.market(study)


def _reach(market: Market, rules: Policy) -> Iterator[pd.DataFrame]:
    """Who can pay a price, by rank, at the rate of the banks and of the Foundation."""
    rank = market.frame["rank_group"]
    for name in ("bank", BASE):
        most = affordable_price_dh(market.frame, Terms.named(TERMS[name]))
        able = pd.DataFrame({str(price): most >= price for price in PRICES})
        where = most.notna() & rank.notna() & (market.frame["status"] == "active")
        found = rows(share(market.design, able, by=rank, where=where), "home_price", "rank_group", home_terms=name)
        had = able[where].groupby(rank[where].astype(str)).sum().stack()
        met = had.loc[list(zip(found["rank_group"], found["home_price"], strict=True))].to_numpy(float)
        yield found.assign(unsafe=unsafe(found["n"].to_numpy(), met, rules))


def _crosses(market: Market, rules: Policy) -> Iterator[pd.DataFrame]:
    """Whom the Foundation's rate brings over the price of a social flat; gains and losses if a factor is 5 % off."""
    before, after = (Terms.named(TERMS[name]) for name in ("bank", BASE))
    crossing = crosses(market.frame, offer(FLAT, "price_dh"), before, after)
    for variation in VARIATIONS:
        kinds = ["crosses", *(["gains", "loses"] if variation else [])]
        columns = crossing[[f"{kind}{variation}" for kind in kinds]]
        told = columns.notna().all(axis=1) & market.adult
        estimate = total(
            market.design, columns[market.adult].reindex(columns.index), where=market.adult, missing="mean"
        )
        found = rows(estimate, "home_crossing", home_variation=variation.removeprefix("_") or "as_they_are")
        met = columns[told].astype(bool).sum().to_numpy(float)
        yield found.assign(home_crossing=kinds, unsafe=unsafe(found["n"].to_numpy(), met, rules))


def _need(market: Market) -> Iterator[pd.DataFrame]:
    """Homes needed a year by years of clearance, the backlog as a stock and what arises anew."""
    homes = total(market.design, projection.homes_needed(market.frame), missing="mean")
    backlog = homes.apply(lambda v: pd.Series({"backlog": v["backlog"]}))
    parts = {"backlog": backlog, "arising": projection.newly_arising(homes)}
    parts |= {f"years_{h}": projection.net_annual_need(homes, years=[h]) for h in projection.CLEARANCE}
    for name, estimate in parts.items():
        yield rows(estimate, "kind", home_need=name).drop(columns="kind")


def _by_terms(market: Market) -> Iterator[pd.DataFrame]:
    for name, terms in TERMS.items():
        yield rows(market.at(Terms.named(terms)).demand(), KINDS, home_terms=name)


def _by_group(market: Market, group: str) -> Iterator[pd.DataFrame]:
    where = market.frame["status"] == "active" if group == "rank_group" else None
    yield rows(market.demand(by=market.frame[group], where=where), KINDS, group)


def _cells(market: Market) -> Iterator[pd.DataFrame]:
    """Stated x eligible x affordable, by kind of home, on the terms of a market."""
    for kind in OFFERED:
        yield rows(cells(market.ladder(kind), kind), "home_cell", **{KINDS: kind})


def _versions(market: Market) -> Iterator[pd.DataFrame]:
    for version in VERSIONS:
        yield rows(market.demand(version), KINDS, home_version=version)
    yield rows(market.demand(restricted=False), KINDS, home_version="stated")


def _curve(market: Market) -> Iterator[pd.DataFrame]:
    """Social flats by price and terms."""
    for name in ("bank", BASE):
        for price, forecast in _priced(market, TERMS[name]).items():
            found = rows(forecast, KINDS, home_price=f"{price:.0f}", home_terms=name)
            yield found[found[KINDS] == FLAT].drop(columns=KINDS)


@cache
def _priced(market: Market, terms: str) -> dict[float, Estimate]:
    return at_prices(market.at(Terms.named(terms)), FLAT, PRICES)


def _elasticity(market: Market) -> Iterator[pd.DataFrame]:
    """By how many per cent the demand for social flats falls when the price rises by one."""
    for name in ("bank", BASE):
        for (low, high), estimate in elasticities(_priced(market, TERMS[name]), FLAT).items():
            step = f"{low:.0f}_{high:.0f}"
            yield rows(estimate, "kind", home_step=step, home_terms=name).drop(columns="kind")


def _scenarios(market: Market) -> Iterator[pd.DataFrame]:
    """What each change does to the number of each kind."""
    for name, forecast in forecasts(market).items():
        yield rows(forecast, KINDS, home_scenario=name)


def _scenarios_by(market: Market, group: str) -> Iterator[pd.DataFrame]:
    """What each change does to the homes bought in each group."""
    where = market.frame["status"] == "active" if group == "rank_group" else None
    for name, forecast in forecasts(market, market.frame[group], where).items():
        yield rows(bought(forecast), group, home_scenario=name)


def _intentions(market: Market) -> Iterator[pd.DataFrame]:
    """What those who say that they want a home, and the others, would choose on a card: a check, no calibration."""
    wants = market.frame["wants_home"]
    shares = predicted_shares(market.fit(), market.design, market.target(restricted=False), by=wants)
    yield rows(shares, "variable", KINDS, "wants_home").drop(columns="variable")


def _views(market: Market) -> Iterator[pd.DataFrame]:
    """Demand by the means of the member, as a bank sees them, and by those of the household."""
    for view in ("member", "household"):
        yield rows(market.at(of=view).demand(), KINDS, home_view=view)


def _realised(market: Market) -> Iterator[pd.DataFrame]:
    """Homes bought if a part of what is stated becomes a purchase."""
    every = bought(market.demand())
    for row in public("realisation").itertuples():
        part = every.apply(partial(np.multiply, float(row.value)))
        yield rows(part, "kind", home_realisation=row.factor).drop(columns="kind")


def _worth(market: Market) -> Iterator[pd.DataFrame]:
    table = market.worth()
    table = table[table["income_group"] != "unknown"]
    yield table.rename(columns={"variable": "home_improvement"})[["home_improvement", "income_group", *NUMBERS, "n"]]


def _tornado(market: Market) -> Iterator[pd.DataFrame]:
    """Homes bought with each assumption at the ends of its range."""
    known = float(market.computed.sum())
    for assumption, end, at in _ends(market):
        number = dict.fromkeys(NUMBERS, at.bought())
        yield pd.DataFrame([{"home_assumption": assumption, "home_end": end, **number, "n": known}])


def _ends(market: Market) -> Iterator[tuple[str, str, Market]]:
    """The market with an assumption at an end of its range, one at a time: each takes the memory of all cases."""
    offers = public("home_offers")
    varied = offers[(offers["low"] < offers["high"]) & offers["alternative"].isin(BOUGHT)]
    for attribute, part in varied.groupby("attribute", sort=False):
        for end in ("low", "high"):
            changed = {r["alternative"]: {attribute: float(r[end])} for r in part.to_dict("records")}
            yield str(attribute), end, market.at(offers=changed)
    for (parameter, end), terms in ranged(TERMS[BASE]).items():
        yield parameter, end, market.at(terms)
