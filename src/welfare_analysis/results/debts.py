"""Where members stand with their debts (page 07): kinds, ratios, what a further loan would do, consolidation."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from ..demand import debts, loans
from ..demand.credit import Terms
from ..demand.loans import BLOCK, PRODUCTS, LoanMarket, assumed, per_year
from ..demand.stated import LEAST_IN_GROUP, times
from ..disclosure import NUMBERS
from ..estimation import Estimate, mean, ratio, share, total
from ..needs import income_debt
from ..study import Study, public
from .declare import Base, Topic, always, fitted, long_format, measured

KINDS = f"{BLOCK}_alternative"
BINS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
TERMS = {"bank": "housing_bank", "foundation": "housing_foundation", "talks": "housing_talks"}
GROUPS = ("status", "rank_group", "command_group")
AFTER = ("within", "pushed_over", "already_over", "not_eligible", "cannot_compute")
FINDINGS = ("loans_files", ("many", "who", "where", "cost", "changes", "sure"))
QUANTITIES = {"": ("files", "files"), "_volume": ("dh", "million_dh")}


def loan_market(study: Study) -> LoanMarket | None:
    """The market of consumer loans; None where a question that it needs was not asked."""
    return None if study.lacking(loans.NEEDED) else loans.market(study)


def indebted(market: LoanMarket) -> pd.Series:
    """Who has a running loan."""
    return (market.frame["has_loan"] == "yes").fillna(False).astype(bool)


def wanting(market: LoanMarket, *kinds: str) -> pd.Series:
    """Who wants a loan of some kinds."""
    return market.wanted[list(kinds)].fillna(False).astype(bool).any(axis=1)


def housing_base(market: LoanMarket) -> Base:
    """Who wants a housing loan, and those of them of whom it can be computed."""
    return debts.housing_loans(market, Terms.named(TERMS["bank"]))["files"].notna(), wanting(market, "housing")


def takeover(market: LoanMarket, end: str = "value") -> pd.DataFrame:
    """Consumer debts taken over at the agreed rate, by the assumed rate of old loans."""
    return debts.consolidated(market.frame, market.terms["foundation"], assumed("old_rate", end))


def takeover_base(market: LoanMarket) -> Base:
    """Who has consumer debts alone, of the indebted of whom that is known."""
    known = takeover(market)["computed"]
    return known.fillna(False).astype(bool), known.notna() & indebted(market)


def cards_ready(market: LoanMarket) -> str:
    """Whether the choice cards were asked and give a model."""
    if not set(loans.CARDS) <= set(market.frame):
        return "not_asked"
    return "too_few" if market.cards["row"].nunique() < LEAST_IN_GROUP else fitted(LoanMarket.fit)(market)


topic = Topic("loans", loan_market, cards_ready, "files", lambda m: (m.computed, wanting(m, "consumer")), FINDINGS)


for _name in ("running_kind", "running_source"):

    @topic.table(_name, _name, unit="share", base=lambda m: (indebted(m), indebted(m)), ready=always)
    def running(study: Study, market: LoanMarket, name: str = _name) -> pd.DataFrame | None:
        """Of those with a running loan, the share that has one of each kind, or from each lender."""
        columns, where = [c for c in market.frame if str(c).startswith(f"{name}_")], indebted(market)
        if not columns or not where.any():
            return None
        has = market.frame[columns].apply(lambda c: income_debt.is_code(c, "yes"))
        has.columns = pd.Index([str(c).removeprefix(f"{name}_") for c in columns])
        rows = long_format(share(market.design, has, where=where), name)
        return rows.assign(numerator=has[where].fillna(False).astype(bool).sum()[rows[name]].to_numpy(float))


@topic.table("service", "service_bin", unit="share", adds="service_bin", ready=always,
             base=lambda m: (income_debt.debt_service_share(m.frame).notna() & indebted(m), indebted(m)))  # fmt: skip
def service(study: Study, market: LoanMarket) -> pd.DataFrame | None:
    """Debt service over pay or pension of the indebted, in steps of five hundredths."""
    labels = [*(f"{100 * a:.0f}_{100 * b:.0f}" for a, b in pairwise(BINS)), "50_over"]
    part_of_pay = income_debt.debt_service_share(market.frame)
    bins = (
        pd.cut(part_of_pay, [*BINS, np.inf], labels=labels, include_lowest=True).astype(object).where(indebted(market))
    )
    if not bins.notna().any():
        return None
    rows = long_format(share(market.design, bins, where=bins.notna()), "service_bin")
    return rows.assign(numerator=bins.value_counts()[rows["service_bin"]].to_numpy(float))


def housing(study: Study, terms: str, quantity: str = "files") -> Estimate | None:
    """Loans wanted for a home or building a year, and those within the limit; None where there are none."""
    market = study.result(loan_market)
    table = debts.housing_loans(market, Terms.named(TERMS[terms]))[[quantity, f"{quantity}_within"]]
    where = wanting(market, "housing") & table.notna().all(axis=1)
    if not where.any():
        return None
    level = mean(market.design, table.astype(float), where=where)
    return times(level, per_year(market.wishing("housing")), level.value.index)


for _suffix, (_quantity, _unit) in QUANTITIES.items():

    @topic.table(f"housing{_suffix}", "home_terms", "loan_stage", _unit, housing_base, always)
    def housing_by_terms(study: Study, market: LoanMarket, quantity: str = _quantity) -> pd.DataFrame:
        """Housing loans a year by terms, stated and within the limit."""
        rows = long_format({t: study.result(housing, t, quantity) for t in TERMS}, "home_terms", "loan_stage")
        return rows.assign(loan_stage=np.where(rows["loan_stage"].str.endswith("_within"), "affordable", "stated"))


@topic.table("guard", "loan_guard", "loan_alternative", "persons", adds="loan_guard", ready=always,
             base=lambda m: (wanting(m, "consumer"), wanting(m, "consumer")))  # fmt: skip
def after_the_loan(study: Study, market: LoanMarket) -> pd.DataFrame:
    """Where the amount wanted would leave those who want a consumer loan, each counted once a product."""
    table, parts = debts.guard(market), []
    for product in PRODUCTS:
        flags = pd.DataFrame({state: (table[product] == state).fillna(False).astype(bool) for state in AFTER})
        parts.append(persons(market, flags, table[product].notna(), "loan_guard").assign(loan_alternative=product))
    return pd.concat(parts)


def persons(market: LoanMarket, flags: pd.DataFrame, where: pd.Series, key: str) -> pd.DataFrame:
    """Of those who want a consumer loan, how many have each flag, with the respondents behind each number."""
    level = mean(market.design, flags, where=where)
    rows = long_format(times(level, market.wishing(), level.value.index), key)
    return rows.assign(numerator=flags[where].sum()[rows[key]].to_numpy(float))


@topic.table("consolidation", "loan_freed", "loan_old_rate", "persons", takeover_base, always)
def consolidation(study: Study, market: LoanMarket) -> pd.DataFrame:
    """Debts to finance companies taken over at the agreed rate, by old rate: who gains, who comes below the limit.

    And DH of today: what is owed, what members gain, what the lender keeps before losses, and losses that are expected.
    """
    parts = []
    losses = public("loan_losses").set_index("scenario").loc["middle"]
    rate = float(losses["default_share"] * losses["lost_share"])
    for end in ("low", "value", "high"):
        table = takeover(market, end)
        known, asked = table["computed"].fillna(False).astype(bool), table["computed"].notna()
        flags = {c: table[c].fillna(False).astype(bool) & known for c in ("over", "freed", "freed_longer")}
        flags |= {"gains": (table["saved_dh"] > 0) & known}
        people = pd.DataFrame({"computed": known, **flags})
        money = table[["owed_dh", "gain_dh", "margin_dh"]].assign(lost_dh=rate * table["exposed_dh"])
        columns = pd.concat([people.astype(float), money.where(known, 0.0).fillna(0.0)], axis=1)
        rows = long_format(total(market.design, columns, where=asked), "loan_freed")
        numbers = people.sum().reindex(rows["loan_freed"]).fillna(known.sum()).to_numpy(float)
        unit = np.where(rows["loan_freed"].isin(money), "million_dh", "persons")
        parts.append(rows.assign(numerator=numbers, loan_old_rate=end, unit=unit))
    return pd.concat(parts)


@topic.table("standing", "loan_standing", "measure", "", ready=always, base=lambda m: (indebted(m), indebted(m)))
def standing(study: Study, market: LoanMarket) -> pd.DataFrame | None:
    """How many are indebted, by how much, and how much of income it takes, beside published figures of others."""
    if study.lacking(("debt_outstanding_dh", "loans_n")):
        return None
    frame, design, has = market.frame, market.design, indebted(market)
    service_dh, income = income_debt.debt_service_dh(frame), income_debt.member_income_dh(frame)
    of_pay = income_debt.debt_service_share(frame)
    both = has & service_dh.notna() & income.notna()
    flags = pd.DataFrame({"middle": of_pay.between(0.2, 0.4), "above": of_pay > income_debt.STANDARDS.limit_share})
    flags = flags.where(of_pay.notna()).astype("boolean")
    own = measured(
        {
            "indebted": (share(design, income_debt.indebted(frame)), "share"),
            "debt_outstanding": (mean(design, frame["debt_outstanding_dh"].astype(float), where=has), "dh"),
            "debt_service_share": (ratio(design, service_dh, income, where=both), "share"),
            "loans": (mean(design, frame["loans_n"].astype(float), where=has), "files_each"),
            "within_20_40": (share(design, flags["middle"], where=has), "share"),
            "over_40": (share(design, flags["above"], where=has), "share"),
        },
        "loan_standing",
    ).assign(measure="loan_survey")
    others = public("debt_benchmarks").rename(columns={"indicator": "loan_standing"})
    others = others.drop(columns="unit").merge(own[["loan_standing", "unit", "n"]], on="loan_standing")
    given = others.assign(measure="loan_civil_servants", **{x: others["value"].astype(float) for x in NUMBERS})
    years = given.assign(measure="year", unit="year", **{x: others["year"].astype(float) for x in NUMBERS})
    columns = ["loan_standing", "measure", "unit", *NUMBERS, "n"]
    return pd.concat([own, given[columns], years[columns]], ignore_index=True)
