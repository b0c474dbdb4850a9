"""Loans (page 07): where members stand with their debts, what they want, what an agreement brings, how sure it is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from ..demand import agreement, debts, loans
from ..demand.credit import Terms
from ..demand.funnel import funnel
from ..demand.levers import Levers
from ..demand.loans import BLOCK, PRODUCTS, PURPOSES, LoanMarket, assumed, per_year, taken
from ..demand.stated import LEAST_IN_GROUP, sums, times
from ..disclosure import NUMBERS, policy
from ..disclosure.suppression import apart
from ..estimation import Estimate, mean, ratio, share, total
from ..needs import income_debt
from ..study import Study, public
from . import choice_models, measures, steps
from .declare import Base, Topic, always, fitted, long_format, measured, part, point, quantile_rows, resting

KINDS = f"{BLOCK}_alternative"
BINS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
TERMS = {"bank": "housing_bank", "foundation": "housing_foundation", "talks": "housing_talks"}
AFTER = ("within", "pushed_over", "already_over", "not_eligible", "cannot_compute")
FINDINGS = ("loans_files", ("many", "who", "where", "cost", "changes", "sure"))
QUANTITIES = {"": ("files", "files"), "_volume": ("dh", "million_dh")}
RATES = {name: f"consumer_{name}" for name in ("talks", "foundation", "bank", "company")}
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
WORTH = (1_000, 2_000, 5_000, 10_000, 50_000)  # DH that a further loan may be worth
STAGES = ("stated", "eligible", "affordable")


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


topic = Topic("loans", loan_market, cards_ready, "files", lambda m: (m.computed, wanting(m, "consumer")), FINDINGS,
              behind=lambda _, m: steps.can_pay(m))  # fmt: skip


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
    bins = pd.cut(part_of_pay, [*BINS, np.inf], labels=labels, include_lowest=True)
    bins = bins.astype(object).where(indebted(market))
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
        within = rows["loan_stage"].str.endswith("_within")
        met = debts.housing_loans(market, Terms.named(TERMS["bank"]))["files_within"].gt(0).sum()
        stage = np.where(within, "affordable", "stated")
        return rows.assign(loan_stage=stage, behind=np.where(within, float(met), np.nan))


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
        made = {stage: part(study.result(demand, stage), quantity, PRODUCTS) for stage in STAGES}
        open_ = market.eligible[market.computed]
        may = {"stated": open_.notna(), "eligible": open_, "affordable": steps.open_to(market)}
        return resting(long_format(made, "loan_stage", KINDS), may, "loan_stage", KINDS)


@topic.table("curve", "loan_rate", "loan_taken")
def curve(study: Study, market: LoanMarket) -> pd.DataFrame:
    """Loans a year by the rate of the Foundation's loan, the other rates as they are: its own, and all."""
    at, made = {n: market.at({"foundation": Terms.named(terms).rate}) for n, terms in RATES.items()}, {}
    for name, one in at.items():
        own = part(one.likely(), "files", PRODUCTS)
        made[name] = sums(own, ["foundation", "all"], [[k == "foundation" for k in PRODUCTS], [True] * len(PRODUCTS)])
    may = {name: steps.open_to(one) for name, one in at.items()}
    return resting(long_format(made, "loan_rate", "loan_taken"), may, "loan_rate", "loan_taken")


@topic.table("joint", "wants_home", "")
def on_one_account(study: Study, market: LoanMarket) -> pd.DataFrame | None:
    """Likely loans a year by whether a home is wanted too: the same pay would have to carry both."""
    if "wants_home" not in market.frame:
        return None
    by = market.frame["wants_home"].astype(object)
    rows = long_format(taken(market.likely(by=by)), "wants_home")
    return resting(rows, dict(iter(steps.open_to(market).groupby(by))), "wants_home")


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
    numbers = {"numerator": case.map(met).where(people), "behind": case.map(met).mask(people)}
    numbers["unsafe"] = people & case.isin(met.index[alike])
    return rows.assign(unit=rows["loan_measure"].map(units), **numbers)


def measured_levers(study: Study) -> Levers:
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
