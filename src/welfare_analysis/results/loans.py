"""The demand for consumer loans (page 07): from need to likely demand, what an agreement brings and costs, how sure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..demand import agreement, loans
from ..demand.credit import Terms
from ..demand.funnel import funnel
from ..demand.loans import BLOCK, PRODUCTS, PURPOSES, LoanMarket, assumed, per_year, taken
from ..estimation import Estimate, joint, mean, total
from ..estimation.choice import ChoiceFit
from ..needs.income_debt import is_code
from ..study import Study, public
from . import choice_models, measures, steps
from .debts import GROUPS, KINDS, loan_market, topic, wanting
from .declare import Base, always, long_format, part, point, quantile_rows, sums

RATES = {name: f"consumer_{name}" for name in ("talks", "foundation", "bank", "company")}
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
WORTH = (1_000, 2_000, 5_000, 10_000, 50_000)  # DH that a further loan may be worth
STAGES = ("stated", "eligible", "affordable")


def demand(study: Study, stage: str = "affordable") -> Estimate:
    """Loans and dirhams a year at a stage."""
    market = study.result(loan_market)
    return market.demand(stage != "stated", open_to=market.eligible if stage == "eligible" else None)


def five_years(market: LoanMarket, **domains: Any) -> Estimate:
    """Who of today's members is likely to take a loan: what is wanted within two years is, or is not, within five."""
    loans_ = taken(market.likely(**domains))
    return sums(loans_, loans_.value.index, assumed("wish_years") * np.eye(len(loans_.value)))


def in_need(study: Study) -> dict[str, Estimate] | None:
    """How many are left at each step, of those in need of credit, of the others, and of all; None if not asked."""
    market, made = study.result(loan_market), {}
    if "in_need" not in market.steps:
        return None
    need, passed = market.steps["in_need"], market.steps[["wants", "eligible", "affordable"]]
    for name, side in sides(market).items():
        inside = {"files": side.astype("Float64").fillna(0.0).astype(float)}
        likely = five_years(market, quantities=inside, known=None if name == "all" else need.notna())
        people = pd.DataFrame({"people": side.astype("boolean")}).join(passed)
        made[name] = funnel(market.design, people, likely, where=market.adult, reached=True)
    return made


def behind(market: LoanMarket, rows: pd.DataFrame, groups: Mapping[str, pd.Series], key: str) -> pd.DataFrame:
    """Rows of steps with the respondents who pass them."""
    return steps.behind(rows, market.steps, market.adult, groups, key, "loan_step")


def sides(market: LoanMarket) -> dict[str, pd.Series]:
    """Who is in need of credit, who is not, and all."""
    need = market.steps["in_need"]
    return {"in_need": need, "not_in_need": ~need, "all": pd.Series(True, need.index, dtype="boolean")}


def everybody(market: LoanMarket) -> Base:
    """Adults of whom every step is known, of all adults."""
    return market.adult & market.steps.notna().all(axis=1), market.adult


@topic.table("funnel", "loan_step", "loan_need_of", "persons", everybody, adds="loan_need_of")
def from_need(study: Study, market: LoanMarket) -> pd.DataFrame | None:
    """From need to likely demand, of those in need of credit and of the others."""
    made = study.result(in_need)
    if made is None:
        return None
    return behind(market, long_format(made, "loan_need_of", "loan_step"), sides(market), "loan_need_of")


@topic.table("lost", "loan_lost", "loan_need_of", "persons", everybody, adds="loan_need_of")
def fallen_out(study: Study, market: LoanMarket) -> pd.DataFrame | None:
    """Who falls out between two steps."""
    made, funnel_ = study.result(in_need), topic.release(study)[topic.address("funnel")].frame
    return None if made is None else steps.fallen_out(funnel_, made, "loan_need_of", "loan_step", "loan_lost")


for _group in GROUPS:

    @topic.table(f"funnel_by_{_group}", _group, "loan_step", "persons", everybody)
    def by_group(study: Study, market: LoanMarket, group: str = _group) -> pd.DataFrame:
        """The steps by group, of all in need or not; ranks are of the active, widows and orphans are taken together."""
        only = market.frame["status"] == "active" if group == "rank_group" else market.adult
        wide = market.codebook.parent(group) if group == "status" else {}
        by = market.frame[group].astype(object).where(only)
        by, where = by.replace({code: parent for code, parent in wide.items() if parent}), market.adult & only
        likely = five_years(market, by=by, where=where)
        passed = market.steps.drop(columns="in_need", errors="ignore")
        left = funnel(market.design, passed, likely, by=by, where=where, reached=True)
        parts = [long_format(left, "loan_step", group)]
        if "in_need" in market.steps:
            need = funnel(market.design, market.steps[["in_need"]], by=by, where=where)
            parts.append(long_format(need, group).assign(loan_step="in_need"))
        rows = pd.concat(parts, ignore_index=True)
        return behind(market, rows, {str(code): by == code for code in rows[group]}, group)


@topic.table("wish", "loan_kind", "loan_group", "persons", ready=always,
             base=lambda m: (m.adult & m.wanted["consumer"].notna(), m.adult))  # fmt: skip
def wish(study: Study, market: LoanMarket) -> pd.DataFrame:
    """How many adults want a loan of each kind within the years of the question, in all and by status."""
    status = market.frame["status"].astype(object)
    whole = long_format({kind: {"all": market.number(kind)} for kind in PURPOSES}, "loan_kind", "loan_group", "")
    groups = {kind: market.number(kind, by=status) for kind in PURPOSES}
    return pd.concat([whole, long_format(groups, "loan_kind", "", "loan_group")])


def amount_base(market: LoanMarket) -> Base:
    """Who wants a loan and states its amount, of those who want one."""
    wants = wanting(market, *PURPOSES)
    return wants & market.frame["loan_amount_dh"].notna(), wants


@topic.table("amounts", "loan_quantile", "loan_kind", "dh", amount_base, always)
def amounts(study: Study, market: LoanMarket) -> pd.DataFrame:
    """Quantiles of the amount wanted, by kind, of those who state it."""
    amount = market.frame["loan_amount_dh"].astype(float)
    where = {kind: wanting(market, kind) & amount.notna() for kind in PURPOSES}
    made = {
        kind: {f"q{100 * q:.0f}": quantile_rows(market.design, amount, q, None, rows) for q in QUANTILES}
        for kind, rows in where.items()
        if rows.any()
    }
    return long_format(made, "loan_kind", "loan_quantile")


for _name, (_quantity, _unit) in {"files": ("files", "files"), "volume": ("dh", "million_dh")}.items():

    @topic.table(_name, KINDS, "loan_stage", _unit)
    def by_stage(study: Study, market: LoanMarket, quantity: str = _quantity) -> pd.DataFrame:
        """A year: stated, of products that are open, of these within the limit."""
        return long_format({s: part(study.result(demand, s), quantity, PRODUCTS) for s in STAGES}, "loan_stage", KINDS)


def at_rates(study: Study) -> dict[str, Estimate]:
    """Likely loans a year by whose rate the Foundation's loan has: its own, and all."""
    market, made = study.result(loan_market), {}
    for name, terms in RATES.items():
        own = part(market.at({"foundation": Terms.named(terms).rate}).likely(), "files", PRODUCTS)
        made[name] = sums(own, ["foundation", "all"], [[k == "foundation" for k in PRODUCTS], [True] * len(PRODUCTS)])
    return made


@topic.table("curve", "loan_rate", "loan_taken")
def curve(study: Study, market: LoanMarket) -> pd.DataFrame:
    """Loans a year by the rate of the Foundation, the other rates as they are."""
    return long_format(study.result(at_rates), "loan_rate", "loan_taken")


@topic.table("joint", "wants_home", "")
def on_one_account(study: Study, market: LoanMarket) -> pd.DataFrame | None:
    """Likely loans a year by whether a home is wanted too: the same pay would have to carry both."""
    if "wants_home" not in market.frame:
        return None
    return long_format(taken(market.likely(by=market.frame["wants_home"].astype(object))), "wants_home")


@topic.table("cases", "loan_case", "loan_measure", "files")
def cases(study: Study, market: LoanMarket) -> pd.DataFrame:
    """Who can pay, and likely loans and dirhams a year: at central terms, at either end, under each test of means."""
    bank = market.at({"foundation": Terms.named("consumer_bank").rate})
    made, parts = {"central": market, **loans.ends(market), "bank": bank, **loans.tests(market)}, []
    units = {"affordable": "persons", "files": "files", "dh": "million_dh"}
    for name, at in made.items():
        forecast = at.likely()
        steps = at.steps[["wants", "eligible", "affordable"]]
        can_pay = funnel(market.design, steps, where=market.adult, reached=True)
        numbers = {"affordable": sums(can_pay, ["loans"], [[0, 0, 1]])}
        numbers |= {quantity: taken(forecast, quantity) for quantity in ("files", "dh")}
        parts.append(long_format(numbers, "loan_measure", "").assign(loan_case=name))
    rows = pd.concat(parts)
    return rows.assign(unit=rows["loan_measure"].map(units))


def cards_base(market: LoanMarket) -> Base:
    """Who answered choice cards, of those who were given some."""
    return pd.Series(market.frame.index.isin(market.cards["row"]), market.frame.index), market.frame[
        f"{BLOCK}_version"
    ].notna()


def measured_levers(study: Study) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    """What measures bring and cost, and what members pay, all against the rate of the banks."""
    return agreement.levers(study.result(loan_market))


measures.declare(topic, "loan_lever", "files", measured_levers, WORTH)


@topic.table("net", "loan_net", "loan_scenario", "million_dh", adds=None)
def net(study: Study, market: LoanMarket) -> pd.DataFrame:
    """DH of today of a year's likely loans: what the agreement brings and takes, by scenario of losses."""
    return long_format(agreement.net(market), "loan_scenario", "loan_net")


@topic.table("reconciled", "loan_reconciled", adds=None)
def reconciled(study: Study, market: LoanMarket) -> pd.DataFrame:
    """Consumer loans a year: wished, within means, by each bridge, to keep today's number, at the market's pace."""
    every, frame = taken(study.result(demand)), market.frame
    wishes, one = per_year(market.number()), lambda v: pd.Series({"loans": v.prod()})
    made = {"wishes": wishes, "stated": every, "likely": taken(market.likely())}
    if "consequential" in frame:
        counts = is_code(frame["consequential"], "somewhat", "much")
        believed = mean(market.design, counts.rename("part"), where=wanting(market, "consumer") & counts.notna())
        made["consequential"] = joint({"loans": every, "part": believed}).apply(one)
    for row in public("loan_realisation").itertuples():
        made[row.factor] = sums(every, ["loans"], [[float(row.value)]])
    if "loans_n" in frame:
        running = (frame["loans_n"].astype(float) - (frame["housing_deduction_dh"] > 0)).clip(lower=0)
        running = running.mask(frame["has_loan"] == "no", 0.0).where(frame["has_loan"].notna()).rename("loans")
        stock = total(market.design, running, where=market.adult, missing="mean")
        made["renewal"] = sums(stock, ["loans"], [[12 / assumed("consumer_months")]])
    others = public("debt_benchmarks").set_index("indicator")["value"].astype(float)
    each = others["indebted"] * others["loans"] * assumed("consumer_part") * 12 / assumed("consumer_months")
    n, adults = float(market.adult.sum()), float(market.design.weights[market.adult.to_numpy()].sum())
    rows = [long_format(made, "loan_reconciled", ""), point(each * adults, n, loan_reconciled="market")]
    return pd.concat(rows)


def card_model(study: Study) -> ChoiceFit:
    """The model of the cards."""
    return study.result(loan_market).fit()


choice_models.declare(topic, card_model, KINDS, cards_base)
