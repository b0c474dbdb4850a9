"""What loans are worth to members and cost who gives them: parts of the tables of `loans`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from ..demand import loans, stated
from ..demand import portfolio as five_years
from ..demand.loans import BLOCK, Market, assumed
from ..estimation import joint, mean, total
from ..estimation.choice import willingness_to_pay
from ..needs.income_debt import is_code
from ..study import public
from .loan_demand import KINDS, demand_of, of, summed
from .modelled import rows
from .plan import NUMBERS

CERTAIN = 8  # points of ten from which an answer counts as certain


def worth(market: Market, paid: str) -> Iterator[pd.DataFrame]:
    """What a better loan is worth, in points of rate or in DH a month of insurance, by income group."""
    fit, people, step = market.fit(), market.people, stated.UNITS["insurance_dh"][1] if paid != "rate_points" else 1
    middle = {name: float(np.average(people[name], weights=market.design.weights)) for name in loans.SHIFTS
              if name in people}  # fmt: skip
    other: dict[str, float] = {}
    for product, sign in (("participatory", 1.0), ("conventional", -1.0)):
        first = f"C(alternative)[T.{product}]"
        other |= {first: sign} | {f"{first}:{s}": sign * x for s, x in middle.items() if f"{first}:{s}" in fit.value}
    for cost in (name for name in map(str, fit.value.index) if name.startswith(paid)):
        group = cost.partition("[")[2].rstrip("]") or "all"
        changes = {"year_longer": {"term_years": 1.0}, "participatory": other}
        if paid != "rate_points":
            changes |= {"point_less": {cost.replace(paid, "rate_points"): -1.0}}
        table = willingness_to_pay(fit, changes, cost).table()
        table[NUMBERS] *= step
        if group != "unknown":
            named = table.rename(columns={"variable": "loan_improvement"})
            yield named.assign(income_group=group)[["loan_improvement", "income_group", *NUMBERS, "n"]]


def gain(market: Market) -> Iterator[pd.DataFrame]:
    """DH of today a year: what members gain, what the bank keeps."""
    many = five_years.per_file(market)
    forecast = market.demand(quantities=many)
    for name in many:
        yield rows(of(forecast, name), KINDS, loan_gain=name)


def portfolio(market: Market, state: str) -> Iterator[pd.DataFrame]:
    """The Foundation's files over the years by scenario of losses: what is outstanding, or lost so far."""
    volume, known = of(demand_of(market), "dh", ("foundation",)), market.computed.to_numpy()
    months = float(np.average(market.months.loc[known, "foundation"], weights=market.design.weights[known]))
    for scenario, columns in five_years.over_years(volume, market.terms["foundation"], months).items():
        yield rows(columns[state], "loan_year", loan_scenario=scenario)


def realised(market: Market) -> Iterator[pd.DataFrame]:
    """Files a year if a part of what is stated is drawn, and the flow that keeps today's consumer files."""
    every = summed(of(demand_of(market), "files"))
    for row in public("loan_realisation").itertuples():
        part = every.apply(partial(np.multiply, float(row.value)))
        yield rows(part, "x", loan_realisation=row.factor).drop(columns="x")
    for name, answer in _belief(market).items():
        where = (market.people["wants"] == 1) & answer.notna()
        if where.any():
            pair = joint({"files": every, "part": mean(market.design, answer.rename("part"), where=where)})
            part = pair.apply(lambda v: pd.Series({"files": v.prod()}))
            yield rows(part, "x", loan_realisation=name).drop(columns="x")
    if "loans_n" in market.frame:
        files = market.frame["loans_n"].astype(float) - (market.frame["housing_deduction_dh"] > 0)
        files = files.clip(lower=0).mask(market.frame["has_loan"] == "no", 0.0).where(market.frame["has_loan"].notna())
        running = total(market.design, files.rename("files"), where=market.adult, missing="mean")
        flow = running.apply(partial(np.multiply, 12 / assumed("consumer_months")))
        yield rows(flow, "x", loan_realisation="renewal").drop(columns="x")


def _belief(market: Market) -> dict[str, pd.Series]:
    """Who is certain of the choices on cards, and who thinks that answers decide what is offered."""
    found, frame = {}, market.frame
    if f"{BLOCK}_certainty" in frame:
        sure = frame[f"{BLOCK}_certainty"].astype(float)
        found["certain"] = (sure >= CERTAIN).where(sure.notna()).astype("boolean")
    if "consequential" in frame:
        found["consequential"] = is_code(frame["consequential"], "somewhat", "much")
    return found
