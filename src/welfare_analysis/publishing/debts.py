"""Where members stand with their debts, as tables that may be shown: kinds, ratios, guard rail, consolidation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..demand import debts
from ..demand.credit import Terms
from ..demand.loans import PRODUCTS, Market, assumed, per_year
from ..demand.stated import times
from ..estimation import Estimate, mean, quantile, share, total
from ..needs import income_debt
from .modelled import rows
from .suppression import Policy, unsafe

RUNNING = ("running_kind", "running_source")
BINS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
UNITS = {
    **dict.fromkeys((*RUNNING, "service"), "share"),
    **dict.fromkeys(("housing", "housing_by_status", "housing_by_rank_group", "housing_by_command_group"), "files"),
    **dict.fromkeys(("housing_volume", "rationed"), "million_dh"),
    **dict.fromkeys(("guard", "stress", "consolidation"), "persons"),
    "saved": "dh_month",
}
IDS = tuple(UNITS)
HOUSING = {"bank": "housing_bank", "foundation": "housing_foundation", "talks": "housing_talks"}
STAGES = ["stated", "affordable"]
GROUPS = ("status", "rank_group", "command_group")
GUARD = ("within", "pushed_over", "already_over", "not_eligible", "cannot_compute")
SAVED = {
    "saved_q25": ("saved_dh", 0.25),
    "saved_q50": ("saved_dh", 0.5),
    "saved_q75": ("saved_dh", 0.75),
    "relief_q50": ("relief_dh", 0.5),
}


class Plan(NamedTuple):
    """Parts of a table, its row column and its column across, who is told of and who was asked."""

    parts: Iterator[pd.DataFrame]
    rows: str
    across: str
    known: pd.Series
    asked: pd.Series


def tables(market: Market, rules: Policy) -> dict[str, Plan]:
    """How each table of debts is made."""
    frame = market.frame
    loan = (frame["has_loan"] == "yes").fillna(False).astype(bool)
    served = income_debt.debt_service_share(frame).notna() & loan
    housing_, consumer = (market.wanted[k].fillna(False).astype(bool) for k in ("housing", "consumer"))
    lent = debts.housing_loans(market, Terms.named(HOUSING["bank"]))["files"].notna()
    old = debts.consolidated(frame, market.terms["foundation"], assumed("old_rate"))
    told = old["told"].fillna(False).astype(bool)
    plans = {name: Plan(_running(market, name, rules), name, "", loan, loan) for name in RUNNING}
    return plans | {
        "service": Plan(_service(market, rules), "service_bin", "", served, loan),
        "housing": Plan(_housing(market, "files"), "home_terms", "loan_stage", lent, housing_),
        "housing_volume": Plan(_housing(market, "dh"), "home_terms", "loan_stage", lent, housing_),
        **{
            f"housing_by_{g}": Plan(_housing_by(market, g), g, "loan_stage", lent, housing_)
            for g in GROUPS
            if g in frame
        },
        "guard": Plan(_guard(market), "loan_guard", "loan_alternative", consumer, consumer),
        "rationed": Plan(_rationed(market), "loan_alternative", "loan_ration", market.computed, consumer),
        "stress": Plan(_stress(market), "loan_stress", "loan_alternative", market.computed, consumer),
        "consolidation": Plan(
            _consolidation(market, rules), "loan_freed", "loan_old_rate", told, old["told"].notna() & loan
        ),
        "saved": Plan(_saved(market, old), "rank_group", "loan_saved", told, old["told"].notna() & loan),
    }


def _running(market: Market, name: str, rules: Policy) -> Iterator[pd.DataFrame]:
    """Of those with a running loan, the share that has one of each kind, or from each lender."""
    columns = [c for c in market.frame if str(c).startswith(f"{name}_")]
    where = (market.frame["has_loan"] == "yes").fillna(False)
    if not columns or not where.any():
        return
    has = market.frame[columns].apply(lambda c: income_debt.is_code(c, "yes"))
    has.columns = pd.Index([str(c).removeprefix(f"{name}_") for c in columns])
    found = rows(share(market.design, has, where=where), name)
    met = has[where].fillna(False).astype(bool).sum()[found[name]].to_numpy(float)
    yield found.assign(unsafe=unsafe(found["n"].to_numpy(), met, rules))


def _service(market: Market, rules: Policy) -> Iterator[pd.DataFrame]:
    """Debt service over pay or pension of the indebted, in steps of five hundredths."""
    part, where = income_debt.debt_service_share(market.frame), (market.frame["has_loan"] == "yes").fillna(False)
    labels = [f"{100 * a:.0f}_{100 * b:.0f}" for a, b in pairwise(BINS)]
    bins = pd.cut(part, [*BINS, np.inf], labels=[*labels, "50_over"], include_lowest=True).astype(object).where(where)
    if not bins.notna().any():
        return
    found = rows(share(market.design, bins, where=bins.notna()), "service_bin")
    met = bins.value_counts()[found["service_bin"]].to_numpy(float)
    yield found.assign(unsafe=unsafe(found["n"].to_numpy(), met, rules))


def housing(market: Market, terms: str, quantity: str = "files", group: str = "") -> Estimate | None:
    """Loans wanted for a home or building a year, and those within the limit, by group; None where there are none."""
    table = debts.housing_loans(market, Terms.named(terms))[[quantity, f"{quantity}_within"]]
    where = market.wanted["housing"].fillna(False).astype(bool) & table.notna().all(axis=1)
    if group == "rank_group":
        where &= market.frame["status"] == "active"
    by = market.frame[group].astype(object).where(where) if group else None
    if by is not None:
        where &= by.notna()
    if not where.any():
        return None
    level = mean(market.design, table.astype(float), by=by, where=where)
    inside = market.frame["status"] == "active" if group == "rank_group" else None
    known = None if by is None else market.frame[group].astype(object).where(market.frame[group].isin(by.dropna()))
    return times(level, per_year(market.number("housing", known, inside)), level.value.index)


def _housing(market: Market, quantity: str) -> Iterator[pd.DataFrame]:
    """By terms."""
    for name, terms in HOUSING.items():
        estimate = housing(market, terms, quantity)
        if estimate is not None:
            yield rows(estimate, "loan_stage", home_terms=name).assign(loan_stage=STAGES)


def _housing_by(market: Market, group: str) -> Iterator[pd.DataFrame]:
    """By group, at the rate of the Foundation."""
    estimate = housing(market, HOUSING["foundation"], group=group)
    if estimate is not None:
        found = rows(estimate, "loan_stage", group)
        yield found.assign(
            loan_stage=found["loan_stage"].map(dict(zip(("files", "files_within"), STAGES, strict=True)))
        )


def _many(market: Market, table: pd.DataFrame, where: pd.Series) -> Estimate:
    """Means of those of ``where`` times how many want a consumer loan, a year."""
    level = mean(market.design, table.astype(float), where=where)
    return times(level, per_year(market.number()), level.value.index)


def _guard(market: Market) -> Iterator[pd.DataFrame]:
    """Where the amount wanted would leave those who want a consumer loan, each counted once a product."""
    table = debts.guard(market)
    for product in PRODUCTS:
        where = table[product].notna()
        flags = pd.DataFrame({g: (table[product] == g).astype(float) for g in GUARD})
        level = mean(market.design, flags, where=where)
        found = rows(times(level, market.number(), level.value.index), "loan_guard", loan_alternative=product)
        met = flags[where].sum()[found["loan_guard"]].to_numpy(float)
        yield found.assign(unsafe=few(met))


def few(met: np.ndarray) -> np.ndarray:
    """Numerators of a few respondents, which are not shown."""
    return (met > 0) & (met < 10)


def _rationed(market: Market) -> Iterator[pd.DataFrame]:
    """DH a year that are wanted of each product by who may get it, of this within the limit, and the most it allows."""
    for product in PRODUCTS:
        table = debts.rationed(market, product)
        found = rows(_many(market, table, market.computed), "loan_ration", loan_alternative=product)
        yield found


def _stress(market: Market) -> Iterator[pd.DataFrame]:
    """Persons who want a loan within the limit today and would be over it under a stress."""
    where = market.computed
    for name, table in debts.stressed(market, assumed("stress_points"), assumed("replacement_share")).items():
        over = (table == False).astype(float)  # noqa: E712  # missing is not within the limit today
        level = mean(market.design, over, where=where)
        found = rows(times(level, market.number(), level.value.index), "loan_alternative", loan_stress=name)
        yield found.assign(unsafe=few(over[where].sum()[found["loan_alternative"]].to_numpy(float)))


def _consolidation(market: Market, rules: Policy) -> Iterator[pd.DataFrame]:
    """Persons with consumer debts alone: how many, how many are over the limit, and come below it, by old rate."""
    for end in ("low", "value", "high"):
        table = debts.consolidated(market.frame, market.terms["foundation"], assumed("old_rate", end))
        told, asked = table["told"].fillna(False).astype(bool), table["told"].notna()
        flags = {c: table[c].fillna(False).astype(bool) & told for c in ("over", "freed", "freed_longer")}
        columns = pd.DataFrame({"told": told, **flags}).astype(float)
        found = rows(total(market.design, columns, where=asked), "loan_freed", loan_old_rate=end)
        met = columns.sum()[found["loan_freed"]].to_numpy(float)
        yield found.assign(unsafe=(found["n"] < rules.min_base) | few(met))


def _saved(market: Market, table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """DH a month saved by taking consumer debts over at the agreed rate: quartiles by rank of the active."""
    where = table["saved_dh"].notna() & (market.frame["status"] == "active") & market.frame["rank_group"].notna()
    by = market.frame["rank_group"].astype(object)
    for name, (column, q) in SAVED.items():
        if where.any():
            found = rows(quantile(market.design, table[column], q, by=by, where=where), "variable", "rank_group")
            yield found.drop(columns="variable").assign(loan_saved=name)
