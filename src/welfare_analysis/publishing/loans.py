"""The demand for loans as tables that may be shown: files and dirhams by product and group, terms, who can carry.

A number is a sum of probabilities over those who want a loan, not a count; see `modelled`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

import pandas as pd

from ..demand.loans import BLOCK, CARDS, Market
from ..demand.stated import LEAST_IN_GROUP
from ..errors import WelfareError
from ..study import DATA, Study
from . import debts, loan_demand, loan_worth
from .debts import GROUPS, Plan
from .loan_demand import KINDS, market_of
from .modelled import released
from .plan import Released
from .suppression import Policy

UNITS = {
    "wish": "persons",
    "amounts": "dh",
    "volume": "million_dh",
    **{f"volume_by_{g}": "million_dh" for g in GROUPS},
    "elasticity": "elasticity",
    "worth": "rate_points",
    "worth_dh": "dh_month",
    "gain": "million_dh",
    "portfolio": "million_dh",
    "losses": "million_dh",
    **debts.UNITS,
}
IDS = (
    *debts.IDS,
    "wish",
    "amounts",
    "files",
    "volume",
    *(f"by_{g}" for g in GROUPS),
    *(f"volume_by_{g}" for g in GROUPS),
    "cells",
    "curve",
    "elasticity",
    "worth",
    "worth_dh",
    "views",
    "joint",
    "gain",
    "portfolio",
    "losses",
    "realised",
)


@cache
def loan_tables(study: Study) -> Mapping[str, Released]:
    """The tables of the demand for loans, ``loans_<name>``.

    Their state is ``no_totals`` without a register, ``not_asked`` where questions are missing (those of the cards alone
    where the cards are), and ``too_few`` where the cards do not tell a model.
    """
    rules, market = Policy.read(DATA / "policy.csv"), market_of(study)
    blank = {name: Released(f"loans_{name}", "total", KINDS, (KINDS,), UNITS.get(name, "files")) for name in IDS}
    if study.population is None:
        return {table.id: replace(table, state="no_totals") for table in blank.values()}
    if market is None:
        return {table.id: table for table in blank.values()}
    plans, state = debts.tables(market, rules) | _wishes(market), _state(market)
    if state == "shown":
        plans |= _files(study, market) | _worths(market)
    found = {table.id: table if name in plans else replace(table, state=state) for name, table in blank.items()}
    for name, plan in plans.items():
        frames = list(plan.parts)
        if frames:
            told, table = (int(plan.known.sum()), int(plan.asked.sum())), pd.concat(frames, ignore_index=True)
            made = released(f"loans_{name}", table, (plan.rows, plan.across), rules, told, UNITS.get(name, "files"))
            found[made.id] = made
    return found


def _state(market: Market) -> str:
    """Whether the cards tell a model."""
    if not set(CARDS) <= set(market.frame):
        return "not_asked"
    if market.cards["row"].nunique() < LEAST_IN_GROUP:
        return "too_few"
    try:
        market.fit()
    except WelfareError:  # separated or collinear: small samples
        return "too_few"
    return "shown"


def _wishes(market: Market) -> dict[str, Plan]:
    """Of questions alone."""
    consumer, housing = (market.wanted[kind] for kind in ("consumer", "housing"))
    either = (consumer | housing).fillna(False).astype(bool)
    told = market.adult & consumer.notna()
    amount = either & market.frame["loan_amount_dh"].notna()
    return {
        "wish": Plan(loan_demand.wish(market), "loan_kind", "loan_group", told, market.adult),
        "amounts": Plan(loan_demand.amounts(market), "loan_quantile", "loan_kind", amount, either),
    }


def _files(study: Study, market: Market) -> dict[str, Plan]:
    """Of those who want a consumer loan, with the model of the cards."""
    consumer = market.wanted["consumer"].fillna(False).astype(bool)
    parts: dict[str, tuple[Iterator[pd.DataFrame], str, str]] = {
        "files": (loan_demand.staged(market, "files"), KINDS, "loan_stage"),
        "volume": (loan_demand.staged(market, "dh"), KINDS, "loan_stage"),
        **{f"by_{g}": (loan_demand.by_group(market, g, "files"), g, KINDS) for g in GROUPS},
        **{f"volume_by_{g}": (loan_demand.by_group(market, g, "dh"), g, KINDS) for g in GROUPS},
        "cells": (loan_demand.cells(market), "home_cell", KINDS),
        "curve": (loan_demand.curve(market), "loan_rate", "loan_taken"),
        "elasticity": (loan_demand.elasticity(study, market), "loan_step", "loan_taken"),
        "views": (loan_demand.views(market), KINDS, "home_view"),
        "joint": (loan_demand.on_one_account(study, market), KINDS, "loan_view"),
        "gain": (loan_worth.gain(market), "loan_gain", KINDS),
        "portfolio": (loan_worth.portfolio(market, "outstanding"), "loan_year", "loan_scenario"),
        "losses": (loan_worth.portfolio(market, "lost"), "loan_year", "loan_scenario"),
        "realised": (loan_worth.realised(market), "loan_realisation", ""),
    }
    return {name: Plan(*entry, market.computed, consumer) for name, entry in parts.items()}


def _worths(market: Market) -> dict[str, Plan]:
    """Of those who had cards."""
    asked = market.frame[f"{BLOCK}_version"].notna()
    had = pd.Series(market.frame.index.isin(market.cards["row"]), market.frame.index)
    columns = "loan_improvement", "income_group", had, asked
    return {
        "worth": Plan(loan_worth.worth(market, "rate_points"), *columns),
        "worth_dh": Plan(loan_worth.worth(market, "insurance_100"), *columns),
    }
