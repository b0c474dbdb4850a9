"""The demand for consumer loans (page 07): from need to likely demand, what an agreement brings and costs, how sure."""

from __future__ import annotations

import pandas as pd

from ..demand import agreement, loans
from ..demand.credit import Terms
from ..demand.funnel import funnel
from ..demand.loans import PRODUCTS, PURPOSES, LoanMarket, assumed, per_year, taken
from ..demand.stated import times
from ..disclosure import policy
from ..disclosure.suppression import apart
from ..estimation import Estimate, total
from ..study import Study, public
from . import choice_models, measures, steps
from .debts import KINDS, loan_market, topic, wanting
from .declare import Base, always, long_format, part, point, quantile_rows, sums

RATES = {name: f"consumer_{name}" for name in ("talks", "foundation", "bank", "company")}
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
WORTH = (1_000, 2_000, 5_000, 10_000, 50_000)  # DH that a further loan may be worth
STAGES = ("stated", "eligible", "affordable")


def demand(study: Study, stage: str = "affordable") -> Estimate:
    """Loans and dirhams a year at a stage."""
    market = study.result(loan_market)
    return market.demand(stage != "stated", open_to=market.eligible if stage == "eligible" else None)


def everybody(market: LoanMarket) -> Base:
    """Adults of whom every step is known, of all adults."""
    return market.adult & market.steps.notna().all(axis=1), market.adult


steps.declare(topic, "loan", loan_market, everybody)


@topic.table("wish", "loan_kind", "loan_group", "persons", adds="loan_group", ready=always,
             base=lambda m: (m.adult & m.wanted["consumer"].notna(), m.adult))  # fmt: skip
def wish(study: Study, market: LoanMarket) -> pd.DataFrame:
    """How many adults want a loan of each kind within the years of the question, in all and by status.

    Small statuses are taken together as in the funnel, whose number of those who want a consumer loan is the same.
    """
    wide = market.codebook.wider("status")
    status = market.frame["status"].astype(object).replace(wide)
    whole = long_format({kind: {"all": market.wishing(kind)} for kind in PURPOSES}, "loan_kind", "loan_group", "")
    groups = {kind: market.wishing(kind, by=status) for kind in PURPOSES}
    rows = pd.concat([whole, long_format(groups, "loan_kind", "", "loan_group")])
    met = market.wanted[list(PURPOSES)].where(market.adult).fillna(False).astype(int).groupby(status).sum()
    met.loc["all"] = met.sum()
    return rows.assign(numerator=[met.at[g, k] for g, k in zip(rows["loan_group"], rows["loan_kind"], strict=True)])


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
    passed = ["wants", "eligible", "affordable"]
    flags = {name: at.steps.loc[market.adult, passed].fillna(False).astype(bool) for name, at in made.items()}
    met = pd.Series({name: float(steps.all(axis=1).sum()) for name, steps in flags.items()})
    alike = ~apart(met.to_numpy(), int(market.adult.sum()), 0, policy())  # those whom a change of terms decides
    for name, at in made.items():
        forecast = at.likely()
        can_pay = funnel(market.design, at.steps[passed], where=market.adult, reached=True)
        numbers = {"affordable": sums(can_pay, ["loans"], [[0, 0, 1]])}
        numbers |= {quantity: taken(forecast, quantity) for quantity in ("files", "dh")}
        parts.append(long_format(numbers, "loan_measure", "").assign(loan_case=name))
    rows = pd.concat(parts)
    people, case = rows["loan_measure"] == "affordable", rows["loan_case"]
    numbers = {"numerator": case.map(met).where(people), "unsafe": people & case.isin(met.index[alike])}
    return rows.assign(unit=rows["loan_measure"].map(units), **numbers)


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
    made = {"wishes": per_year(market.wishing()), "stated": every, "likely": taken(market.likely())}
    if market.believed is not None:
        made["consequential"] = times(every, market.believed, every.value.index)
    for row in public("loan_realisation").itertuples():
        made[row.factor] = sums(every, ["loans"], [[float(row.value)]])
    if "loans_n" in frame:
        running = (frame["loans_n"].astype(float) - (frame["housing_deduction_dh"] > 0)).clip(lower=0)
        running = running.mask(frame["has_loan"] == "no", 0.0).where(frame["has_loan"].notna()).rename("loans")
        stock = total(market.design, running, where=market.adult, missing="mean").as_positive()
        made["renewal"] = sums(stock, ["loans"], [[12 / assumed("consumer_months")]])
    others = public("debt_benchmarks").set_index("indicator")["value"].astype(float)
    each = others["indebted"] * others["loans"] * assumed("consumer_part") * 12 / assumed("consumer_months")
    n, adults = float(market.adult.sum()), float(market.design.weights[market.adult.to_numpy()].sum())
    rows = [long_format(made, "loan_reconciled", ""), point(each * adults, n, loan_reconciled="market")]
    return pd.concat(rows)


choice_models.declare(topic, KINDS)
