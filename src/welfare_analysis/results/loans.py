"""The demand for loans (page 07): loans and dirhams by product and group, what an agreement is worth and costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..demand import accounts, loans, portfolio, stated
from ..demand.credit import Terms
from ..demand.loans import BLOCK, PRODUCTS, PURPOSES, LoanMarket, assumed, per_year
from ..demand.scenarios import bought, elasticities
from ..disclosure import NUMBERS
from ..estimation import Estimate, joint, mean, total
from ..estimation.choice import ChoiceFit, willingness_to_pay
from ..needs.income_debt import is_code
from ..study import Study, public
from . import choice_models, homes
from .debts import GROUPS, KINDS, housing, loan_market, topic, wanting
from .debts import TERMS as HOUSING_TERMS
from .declare import Base, always, long_format, part, quantile_rows, sums

RATES = {name: f"consumer_{name}" for name in ("talks", "foundation", "bank", "company")}
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
QUANTITIES = {"": ("files", "files"), "volume": ("dh", "million_dh")}
STAGES = ("stated", "eligible", "affordable")
CERTAIN = 8  # points of ten from which an answer counts as certain


def demand(study: Study, stage: str = "affordable", group: str = "") -> Estimate:
    """Loans and dirhams a year at a stage, by group."""
    market = study.result(loan_market)
    where = market.frame["status"] == "active" if group == "rank_group" else None
    by = market.frame[group].astype(object) if group else None
    return market.demand(stage != "stated", by, where, open_to=market.eligible if stage == "eligible" else None)


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


for _name, (_quantity, _unit) in QUANTITIES.items():

    @topic.table(_name or "files", KINDS, "loan_stage", _unit)
    def by_stage(study: Study, market: LoanMarket, quantity: str = _quantity) -> pd.DataFrame:
        """A year: stated, of products that are open, of these within the limit."""
        return long_format({s: part(study.result(demand, s), quantity, PRODUCTS) for s in STAGES}, "loan_stage", KINDS)

    for _group in GROUPS:

        @topic.table(f"{_name}_by_{_group}".removeprefix("_"), _group, KINDS, _unit)
        def by_group(study: Study, market: LoanMarket, quantity: str = _quantity, group: str = _group) -> pd.DataFrame:
            """Within the limit, by group."""
            return long_format(part(study.result(demand, "affordable", group), quantity, PRODUCTS), KINDS, group)


@topic.table("cells", "home_cell", KINDS)
def cells(study: Study, market: LoanMarket) -> pd.DataFrame:
    """Stated loans a year by what is eligible x affordable, by product: one forecast with the groups as quantities."""
    names = [f"{a}_{b}" for a in ("yes", "no") for b in ("yes", "no")]
    group = {
        p: stated.yes_no(market.eligible[p], "x") + "_" + stated.yes_no(market.affordable[p], "x") for p in PRODUCTS
    }
    many = {f"{p}.{n}": pd.DataFrame({p: (group[p] == n).astype(float)}) for p in PRODUCTS for n in names}
    forecast = market.demand(restricted=False, quantities=many)
    made = {p: {f"takes_{n}": part(forecast, f"{p}.{n}", (p,)) for n in names} for p in PRODUCTS}
    return long_format(made, "", "home_cell", KINDS).drop(columns="")


def at_rates(study: Study) -> dict[str, Estimate]:
    """Loans a year by whose rate the Foundation's loan has: its own, and all."""
    market, made = study.result(loan_market), {}
    for name, terms in RATES.items():
        own = part(market.at({"foundation": Terms.named(terms).rate}).demand(), "files", PRODUCTS)
        made[name] = sums(own, ["foundation", "all"], [[k == "foundation" for k in PRODUCTS], [True] * len(PRODUCTS)])
    return made


@topic.table("curve", "loan_rate", "loan_taken")
def curve(study: Study, market: LoanMarket) -> pd.DataFrame:
    """Loans a year by the rate of the Foundation, the other rates as they are."""
    return long_format(study.result(at_rates), "loan_rate", "loan_taken")


@topic.table("elasticity", "loan_step", "loan_taken", "elasticity")
def elasticity(study: Study, market: LoanMarket) -> pd.DataFrame:
    """By how many per cent loans, housing loans within the limit and homes bought change when the rate rises by one."""
    reach = {name: study.result(housing, name) for name in HOUSING_TERMS}
    within = {n: sums(e, ["within"], [[0, 1]]) for n, e in reach.items() if e is not None}
    own = study.result(at_rates)
    made = {kind: arcs(own, RATES, kind) for kind in ("foundation", "all")} | {
        "housing": arcs(within, HOUSING_TERMS, "within")
    }
    home = study.result(homes.fitted_market)
    if home is not None:
        taken = {name: bought(home.at(Terms.named(terms)).demand()) for name, terms in HOUSING_TERMS.items()}
        made["homes"] = arcs(taken, HOUSING_TERMS, "bought")
    return long_format(made, "loan_taken", "loan_step", "")


def arcs(forecasts: Mapping[str, Estimate], terms: Mapping[str, str], kind: str) -> dict[str, Estimate]:
    """Arc elasticities between rates that follow each other, named by the two."""
    rates = {Terms.named(terms[name]).rate: name for name in forecasts}
    made = elasticities({rate: forecasts[name] for rate, name in rates.items()}, kind)
    return {f"{rates[low]}_{rates[high]}": estimate for (low, high), estimate in made.items()}


@topic.table("joint", KINDS, "loan_view")
def on_one_account(study: Study, market: LoanMarket) -> pd.DataFrame | None:
    """Loans a year alone, and after a home was drawn on the same account."""
    home = study.result(homes.fitted_market)
    if home is None:
        return None
    account, size = accounts.account(home, market), per_year(market.number())
    one = {"files": np.ones((len(account.capacity), 1))}
    drawn = {view: account.drawn(one, alone=view == "alone") for view in ("alone", "after_home")}
    made = {v: part(stated.times(d, size, d.value.index), "files", PRODUCTS) for v, d in drawn.items()}
    return long_format(made, "loan_view", KINDS)


@topic.table("views", KINDS, "home_view")
def views(study: Study, market: LoanMarket) -> pd.DataFrame:
    """Loans a year by the means of the member, as a bank sees them, and by those of the household."""
    made = {"member": study.result(demand), "household": market.at(of="household").demand()}
    return long_format({view: part(e, "files", PRODUCTS) for view, e in made.items()}, "home_view", KINDS)


def cards_base(market: LoanMarket) -> Base:
    """Who answered choice cards, of those who were given some."""
    return pd.Series(market.frame.index.isin(market.cards["row"]), market.frame.index), market.frame[
        f"{BLOCK}_version"
    ].notna()


for _name, _paid, _unit in (("worth", "rate_points", "rate_points"), ("worth_dh", "insurance_100", "dh_month")):

    @topic.table(_name, "loan_improvement", "income_group", _unit, cards_base)
    def worth(study: Study, market: LoanMarket, paid: str = _paid) -> pd.DataFrame:
        """What a better loan is worth, in points of rate or in DH a month of insurance, by income group."""
        fit, parts = market.fit(), []
        step = 1 if paid == "rate_points" else stated.UNITS["insurance_dh"][1]
        for cost in (name for name in map(str, fit.value.index) if name.startswith(paid)):
            group = cost.partition("[")[2].rstrip("]") or "all"
            changes: dict[str, Any] = {"year_longer": {"term_years": 1.0}, "participatory": participatory(market)}
            if paid != "rate_points":
                changes["point_less"] = {cost.replace(paid, "rate_points"): -1.0}
            table = willingness_to_pay(fit, changes, cost).table().rename(columns={"variable": "loan_improvement"})
            table[NUMBERS] *= step
            parts.append(table.assign(income_group=group)[["loan_improvement", "income_group", *NUMBERS, "n"]])
        rows = pd.concat(parts)
        return rows[rows["income_group"] != "unknown"]


def participatory(market: LoanMarket) -> dict[str, float]:
    """The utility of participatory finance over a conventional loan, at the mean of what shifts it."""
    fit, people, changes = market.fit(), market.people, {}
    means = {n: float(np.average(people[n], weights=market.design.weights)) for n in loans.SHIFTS if n in people}
    for product, sign in (("participatory", 1.0), ("conventional", -1.0)):
        constant = f"C(alternative)[T.{product}]"
        changes[constant] = sign
        changes |= {f"{constant}:{n}": sign * x for n, x in means.items() if f"{constant}:{n}" in fit.value}
    return changes


@topic.table("gain", "loan_gain", KINDS, "million_dh")
def gain(study: Study, market: LoanMarket) -> pd.DataFrame:
    """DH of today a year: what members gain, what the bank keeps."""
    many = portfolio.per_file(market)
    forecast = market.demand(quantities=many)
    return long_format({name: part(forecast, name, PRODUCTS) for name in many}, "loan_gain", KINDS)


@topic.table("realised", "loan_realisation")
def realised(study: Study, market: LoanMarket) -> pd.DataFrame:
    """Loans a year if a part of what is stated is drawn, and the flow that keeps today's number of consumer loans."""
    own = part(study.result(demand), "files", PRODUCTS)
    every = sums(own, ["all"], [[1.0] * len(PRODUCTS)])
    made = {row.factor: sums(every, ["all"], [[float(row.value)]]) for row in public("loan_realisation").itertuples()}
    for name, answer in belief(market).items():
        where = (market.people["wants"] == 1) & answer.notna()
        if where.any():
            pair = joint({"loans": every, "part": mean(market.design, answer.rename("part"), where=where)})
            made[name] = pair.apply(lambda v: pd.Series({"loans": v.prod()}))
    if "loans_n" in (frame := market.frame):
        running = (frame["loans_n"].astype(float) - (frame["housing_deduction_dh"] > 0)).clip(lower=0)
        running = running.mask(frame["has_loan"] == "no", 0.0).where(frame["has_loan"].notna()).rename("loans")
        stock = total(market.design, running, where=market.adult, missing="mean")
        made["renewal"] = sums(stock, ["loans"], [[12 / assumed("consumer_months")]])
    return long_format(made, "loan_realisation", "")


def belief(market: LoanMarket) -> dict[str, pd.Series]:
    """Who is certain of the choices on cards, and who thinks that answers decide what is offered."""
    made, frame = {}, market.frame
    if f"{BLOCK}_certainty" in frame:
        sure = frame[f"{BLOCK}_certainty"].astype(float)
        made["certain"] = (sure >= CERTAIN).where(sure.notna()).astype("boolean")
    if "consequential" in frame:
        made["consequential"] = is_code(frame["consequential"], "somewhat", "much")
    return made


def card_model(study: Study) -> ChoiceFit:
    """The model of the cards."""
    return study.result(loan_market).fit()


choice_models.declare(topic, card_model, KINDS, cards_base)
