"""Files and dirhams of consumer loans: parts of the tables of `loans`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, partial

import numpy as np
import pandas as pd

from ..demand import accounts, housing, loans, stated
from ..demand.borrowing import KINDS as PURPOSES
from ..demand.credit import Terms
from ..demand.loans import BLOCK, PRODUCTS, Market, per_year
from ..demand.scenarios import bought, elasticities
from ..errors import WelfareError
from ..estimation import Estimate, quantile
from ..study import Study
from . import debts, homes
from .modelled import rows

KINDS = f"{BLOCK}_alternative"
RATES = {
    "talks": "consumer_talks",
    "foundation": "consumer_foundation",
    "bank": "consumer_bank",
    "company": "consumer_company",
}
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
CAUTION = 50  # respondents, as in the policy
CELLS = ("yes_yes", "yes_no", "no_yes", "no_no")


@cache
def market_of(study: Study) -> Market | None:
    """The market of a study; None where a question that it needs was not asked."""
    return None if study.lacking(loans.NEEDED) else loans.market(study)


@cache
def demand_of(market: Market, stage: str = "affordable", group: str = "") -> Estimate:
    """Files and dirhams a year at a stage, by group."""
    where = market.frame["status"] == "active" if group == "rank_group" else None
    by = market.frame[group].astype(object) if group else None
    open_to = market.eligible if stage == "eligible" else None
    return market.demand(stage != "stated", by, where, open_to=open_to)


def of(estimate: Estimate, quantity: str, products: tuple[str, ...] = PRODUCTS) -> Estimate:
    """The values of one quantity for some products, without the name of the quantity."""
    index = estimate.value.index
    keep = (index.get_level_values(0) == quantity) & index.get_level_values(1).isin(products)
    slopes = np.eye(len(index))[keep]
    named = index[keep].droplevel(0)
    return estimate.apply(lambda v: pd.Series(v.to_numpy()[keep], index=named), slopes)


def summed(estimate: Estimate, name: str = "all") -> Estimate:
    """The sum of the values."""
    return estimate.apply(lambda v: pd.Series({name: v.sum()}), np.ones((1, len(estimate.value))))


def wish(market: Market) -> Iterator[pd.DataFrame]:
    """How many adults want a loan of each kind within the years of the question, in all and by status."""
    for kind in PURPOSES:
        yield rows(market.number(kind), "variable", loan_kind=kind, loan_group="all").drop(columns="variable")
        by = market.frame["status"].astype(object)
        yield rows(market.number(kind, by=by), "variable", "loan_group", loan_kind=kind).drop(columns="variable")


def amounts(market: Market) -> Iterator[pd.DataFrame]:
    """Quantiles of the amount wanted, by kind, of those who tell it."""
    amount = market.frame["loan_amount_dh"].astype(float)
    for kind in PURPOSES:
        where = market.wanted[kind].fillna(False).astype(bool) & amount.notna()
        if not where.any():
            continue
        for q in QUANTILES:
            found = rows(quantile(market.design, amount, q, where=where), "variable", loan_quantile=f"q{100 * q:.0f}")
            yield found.assign(loan_kind=kind).drop(columns="variable")


def staged(market: Market, quantity: str) -> Iterator[pd.DataFrame]:
    """A year: stated, of products that are open, of these within the limit."""
    for stage in ("stated", "eligible", "affordable"):
        yield rows(of(demand_of(market, stage), quantity), KINDS, loan_stage=stage)


def by_group(market: Market, group: str, quantity: str) -> Iterator[pd.DataFrame]:
    """Within the limit, by group; that nobody of a few can carry a loan is told of each of them, and not shown."""
    found = rows(of(demand_of(market, group=group), quantity), KINDS, group)
    yield found.assign(unsafe=(found["estimate"] == 0) & (found["n"] < CAUTION))


def cells(market: Market) -> Iterator[pd.DataFrame]:
    """Stated files a year by what is eligible x affordable, by product: one forecast with the groups as quantities."""
    many = {}
    for p in PRODUCTS:
        eligible, affordable = (stated.yes_no(table[p], "x") for table in (market.eligible, market.affordable))
        for cell in CELLS:
            own = (eligible + "_" + affordable == cell).astype(float)
            many[f"{p}.{cell}"] = pd.DataFrame({p: own})
    forecast = market.demand(restricted=False, quantities=many)
    for p in PRODUCTS:
        for cell in CELLS:
            yield rows(of(forecast, f"{p}.{cell}", (p,)), KINDS, home_cell=f"takes_{cell}")


@cache
def _at_rates(market: Market) -> dict[str, Estimate]:
    """Files a year by whose rate the Foundation's loan has: its own files, and all of them."""
    found = {}
    for name, terms in RATES.items():
        own = of(market.at({"foundation": Terms.named(terms).rate}).demand(), "files")
        slopes = np.array([[kind == "foundation" for kind in own.value.index], [True] * len(own.value)], dtype=float)
        found[name] = own.apply(partial(_summed, slopes=slopes), slopes)
    return found


def _summed(values: pd.Series, slopes: np.ndarray) -> pd.Series:
    return pd.Series(slopes @ values.to_numpy(), index=["foundation", "all"])


def curve(market: Market) -> Iterator[pd.DataFrame]:
    """Files a year by the rate of the Foundation, the other rates as they are."""
    for name, estimate in _at_rates(market).items():
        yield rows(estimate, "loan_taken", loan_rate=name)


def elasticity(study: Study, market: Market) -> Iterator[pd.DataFrame]:
    """By how many per cent files, housing loans within the limit and homes bought change when the rate rises by one."""
    files = _at_rates(market)
    consumer = {name: Terms.named(terms).rate for name, terms in RATES.items()}
    for kind in ("foundation", "all"):
        yield from _arcs(files, consumer, kind, kind)
    of_homes = {name: Terms.named(terms).rate for name, terms in homes.TERMS.items()}
    reach = {name: debts.housing(market, terms) for name, terms in homes.TERMS.items()}
    within = {name: e.apply(_last) for name, e in reach.items() if e is not None}
    yield from _arcs(within, of_homes, "within", "housing")
    home = home_of(study)
    if home is not None:
        taken = {name: bought(home.at(Terms.named(terms)).demand()) for name, terms in homes.TERMS.items()}
        yield from _arcs(taken, of_homes, "bought", "homes")


def _arcs(
    forecasts: Mapping[str, Estimate], rates: Mapping[str, float], kind: str, taken: str
) -> Iterator[pd.DataFrame]:
    """Arc elasticities between rates that follow each other, named by the two."""
    names = {rates[name]: name for name in forecasts}
    for (low, high), estimate in elasticities({rates[n]: e for n, e in forecasts.items()}, kind).items():
        found = rows(estimate, "x", loan_step=f"{names[low]}_{names[high]}", loan_taken=taken)
        yield found.drop(columns="x")


def _last(values: pd.Series) -> pd.Series:
    return pd.Series({"within": values.iloc[-1]})


@cache
def home_of(study: Study) -> housing.Market | None:
    """The market of homes with its model; None where it cannot be fitted."""
    home = homes.market_of(study)
    try:
        if home is not None:
            home.fit()
    except WelfareError:
        return None
    return home


def on_one_account(study: Study, market: Market) -> Iterator[pd.DataFrame]:
    """Files a year alone, and after a home was drawn on the same account."""
    home = home_of(study)
    if home is None:
        return
    account, size = accounts.account(home, market), per_year(market.number())
    one = {"files": np.ones((len(account.capacity), 1))}
    for view in ("alone", "after_home"):
        drawn = account.drawn(one, alone=view == "alone")
        yield rows(of(stated.times(drawn, size, drawn.value.index), "files"), KINDS, loan_view=view)


def views(market: Market) -> Iterator[pd.DataFrame]:
    """Files a year by the means of the member, as a bank sees them, and by those of the household."""
    for view in ("member", "household"):
        at = market if view == "member" else market.at(of=view)
        yield rows(of(demand_of(at), "files"), KINDS, home_view=view)
