r"""Demand for consumer loans: who wants one, which product they would take at its rate, and who may and can.

The form asks everybody whether a loan is wanted within two years, what for, how much and over how long: take-up and
amounts are the members' own. The cards tell the product and how it depends on the rate. So the files and dirhams a year
of product j are

.. math:: F_j = \frac{1}{h} \sum_i w_i\, 1[i \text{ wants}]\, p_{ij}, \qquad
   V_j = \frac{1}{h} \sum_i w_i\, 1[i \text{ wants}]\, p_{ij}\, a_i,

with h the years of the question, :math:`a_i` the amount wanted and :math:`p_{ij}` the logit of the cards at i's own
amount and term and j's rate. What i may not get or cannot carry is taken out of the choice set before p is computed, as
for homes (`housing`). Loans for a home or building are beyond the amounts on the cards and are no part of this.

Likely are :math:`c F_j`, with c the part of those who want one who are certain of their choices: the one bridge from
what is stated to what is drawn. The wish was asked without a rate, so that a rate moves people between products, and to
no loan, among those who want one; whom a lower rate would make want one is not known, and the response is a floor.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..estimation import Estimate, total
from ..needs.income_debt import credit_need, is_code
from ..study import Study, public
from ..survey import cards
from . import borrowers, credit, stated
from .assumptions import at_end, place
from .borrowers import RETIRES, Borrowers, among_known, enumerated, of_loans, together
from .credit import Terms
from .stated import shared

BLOCK = "loan"
TERMS = {
    "conventional": "consumer_bank",
    "participatory": "consumer_participatory",
    "foundation": "consumer_foundation",
}
PRODUCTS = tuple(TERMS)
HOUSING = ("home", "building")
PURPOSES = ("consumer", "housing")
BETTER_HIGH = ("months", "age_end", "loan_most_dh", "term_told_months", "replacement_share", "partner_share")
PAID, OTHERS = ("rate_points", "insurance_100"), ("amount_100k", "term_years")
SHIFTS = ("wants", "wants_home", "indebted", "active", "decade", "log_income")
NEED = ("running_source_finance_company", "arrears", "uncovered_cost_dh", "savings_dh")  # for need
NEEDED = ("status", "age", "net_pay_dh", "pension_dh", "has_loan", "consumer_deduction_dh", "housing_deduction_dh",
          "wants_loan", "loan_purpose", "loan_amount_dh")  # fmt: skip
CARDS = (f"{BLOCK}_version", f"{BLOCK}_card_1", f"{BLOCK}_certainty")  # and for the model and what is likely


assumed = of_loans  # numbers of ``data/public/loan_offers.csv``


@dataclass(frozen=True, eq=False)
class LoanMarket(Borrowers):
    """People who may be offered consumer loans, at given rates.

    Attributes
    ----------
    terms : mapping of product to Terms
        For pay that is deducted from; a pension has the term, age and files of ``consumer_pensioner``, and the bank's
        loan its rate.
    least_part : float
        Part of the amount wanted that is worth borrowing: from it on a loan is cut to what can be carried. 1: all.
    late : bool
        Whether those in arrears may borrow.
    """

    terms: Mapping[str, Terms]
    least_part: float = 1.0
    late: bool = False
    block, paid, others, shifts, reached = BLOCK, PAID, OTHERS, SHIFTS, True

    def at(self, rates: Mapping[str, float] | None = None, **changes: Any) -> LoanMarket:
        """The same people at other ``rates`` (a year, as shares) of some products, or other attributes."""
        terms = changes.pop("terms", self.terms)
        changed = {p: replace(t, rate=(rates or {}).get(p, t.rate)) for p, t in terms.items()}
        return replace(self, terms=changed, origin=self.first, **changes)

    @shared
    def people(self) -> pd.DataFrame:
        """What may shift the choice of each row: `stated.persons`, the wish for a loan or a home, a running loan."""
        flags = {"wants": "wants_loan", "wants_home": "wants_home", "indebted": "has_loan"}
        known = {name: self.frame[c].eq("yes").fillna(False).astype(float) for name, c in flags.items()
                 if c in self.frame}  # fmt: skip
        return stated.persons(self.frame, BLOCK).assign(**known)

    @shared
    def wanted(self) -> pd.DataFrame:
        """Whether a loan is wanted, by kind (``consumer``, ``housing``); NA where wish or purpose is missing."""
        wants, purpose = is_code(self.frame["wants_loan"], "yes"), self.frame["loan_purpose"]
        housing = is_code(purpose, *HOUSING)
        kinds = {"consumer": ~housing, "housing": housing}
        return pd.DataFrame({name: (wants & kind).where(self.adult) for name, kind in kinds.items()})

    @shared
    def wishers(self) -> pd.Series:
        """Who wants a consumer loan."""
        return self.wanted["consumer"].fillna(False).astype(bool)

    @shared
    def pensioner(self) -> pd.Series:
        """Whether deductions are from a pension."""
        return self.frame["status"].ne("active").fillna(False).astype(bool)

    @shared
    def amount(self) -> pd.Series:
        """Dirhams that are wanted for consumption, up to the largest that is lent; NA where none is wanted or given."""
        most = min(terms.loan_most_dh for terms in self.terms.values())
        given = self.frame["loan_amount_dh"].where(self.frame["loan_amount_dh"] > 0)
        return given.clip(upper=most).where(self.wishers).astype(float)

    @cached_property
    def months(self) -> pd.DataFrame:
        """Term of each product: the one wanted (else an assumption), within its longest and the age at its end."""
        wanted = pd.Series(assumed("term_told_months"), self.frame.index)
        if "loan_term_months" in self.frame:
            wanted = self.frame["loan_term_months"].astype(float).fillna(wanted)
        return self._by_product(lambda terms: np.minimum(wanted, credit.months_left(self.frame, terms)))

    @cached_property
    def rates(self) -> pd.DataFrame:
        """Rate a year of each product (n x products)."""
        return self._by_product(lambda terms: pd.Series(terms.rate, self.frame.index))

    @cached_property
    def instalments(self) -> pd.DataFrame:
        """What the amount wanted costs a month by product, with VAT and insurance; infinite over no month."""
        return self.monthly(self.amount)

    def monthly(self, amount: pd.Series) -> pd.DataFrame:
        """What an amount costs a month by product over the member's term."""
        months = self.months
        cost = {p: self._split(p, lambda terms, p=p: terms.cost(months[p].to_numpy())) for p in PRODUCTS}
        return pd.DataFrame(cost, index=self.frame.index).mul(amount, axis=0)

    def _split(self, product: str, of: Any) -> np.ndarray:
        """What ``of`` makes of the terms of a product: those of pay, those of a pension."""
        own, pension = self.terms[product], pensioners(self.terms[product], product)
        return np.where(self.pensioner, of(pension), of(own))

    def _by_product(self, of: Any) -> pd.DataFrame:
        return pd.DataFrame({p: self._split(p, of) for p in PRODUCTS}, index=self.frame.index)

    @property
    def paying(self) -> pd.DataFrame:
        """The rows by which it is judged what people can pay; rent is among the charges, and goes on."""
        frame = super().paying
        if self.of != "residual":
            return frame
        return frame.assign(housing_charges_dh=frame["housing_charges_dh"] + frame["rent_dh"].fillna(0.0))

    @cached_property
    def affordable(self) -> pd.DataFrame:
        """Whether the least part of the amount wanted is within the limit, by product; NA where it is not computed."""
        unknown = self.capacity.isna() | self.amount.isna()
        within = (self.least_part * self.instalments).le(self.capacity, axis=0).astype("boolean")
        return within.mask(pd.DataFrame({p: unknown | self.months[p].isna() for p in PRODUCTS}))

    @cached_property
    def lent(self) -> pd.DataFrame:
        """DH of each product: the amount wanted, cut to what the capacity carries where a part is worth borrowing."""
        if self.least_part == 1:
            return pd.DataFrame(dict.fromkeys(PRODUCTS, self.amount))
        part = self.instalments.rdiv(self.capacity, axis=0).clip(upper=1.0)
        return part.mul(self.amount, axis=0)

    @cached_property
    def eligible(self) -> pd.DataFrame:
        """Whether a product is open by its rules, by product; NA where age, status or what a rule needs is missing.

        Enough months before the age limit; of pensioners no more files than their agreement lets them have; no arrears
        this year (an assumption: no rule was found).
        """
        unknown = self.frame["status"].isna() | self.frame["age"].isna()
        found = self.months.ge(assumed("months_least")) & self.adult.to_numpy()[:, None]
        files = self.frame["loans_n"].astype(float) if "loans_n" in self.frame else pd.Series(0.0, self.frame.index)
        room = files.fillna(0) < Terms.named("consumer_pensioner").files_most_n
        refused = not self.late and "arrears" in self.frame
        late = self.frame["arrears"].eq("yes").fillna(False) if refused else False
        open_ = (room | ~self.pensioner) & ~pd.Series(late, self.frame.index, dtype=bool)
        return found.mul(open_, axis=0).astype("boolean").mask(pd.DataFrame(dict.fromkeys(PRODUCTS, unknown)))

    @cached_property
    def computed(self) -> pd.Series:
        """Who wants a consumer loan of whom it can be computed what they may get and can carry."""
        known = self.affordable.notna().all(axis=1) & self.eligible.notna().all(axis=1)
        return self.wishers & known

    @cached_property
    def steps(self) -> pd.DataFrame:
        """Whether each row is in need of credit, wants a consumer loan, is eligible for one and can pay it.

        The first is left out where its questions were not asked.
        """
        wants = self.wanted["consumer"].astype("boolean")
        known = wants.ne(True).fillna(False) | self.eligible.notna().all(axis=1) & self.affordable.notna().all(axis=1)
        open_, able = (
            t.fillna(False).any(axis=1).astype("boolean") for t in (self.eligible, self.eligible & self.affordable)
        )
        found = {"wants": wants, "eligible": open_.mask(~known), "affordable": able.mask(~known)}
        asked = set(NEED) <= set(self.frame)
        return pd.DataFrame(({"in_need": credit_need(self.frame)} if asked else {}) | found)

    def put(self, who: pd.Series, open_to: pd.DataFrame | None = None) -> pd.DataFrame:
        """The products before some rows at their own amount and term, as far as these are on the cards."""
        levels, own = cards.Block.of(self.codebook, BLOCK).levels, {}
        share = {p: self.terms[p].insurance for p in PRODUCTS}
        for p in PRODUCTS:
            amount, months = (
                column[who].clip(min(at), max(at)).fillna(float(np.median(at)))
                for column, at in ((self.amount, levels[p, "amount_dh"]), (self.months[p], levels[p, "term_months"]))
            )
            own[p, "amount_dh"], own[p, "term_months"] = amount, months
            own[p, "rate_pct"], own[p, "insurance_dh"] = 100 * self.rates.loc[who, p], share[p] / 12 * amount
        blank = pd.DataFrame(0.0, index=list(PRODUCTS), columns=["amount_dh"])
        open_ = None if open_to is None else open_to[who].fillna(False).astype(bool)
        return stated.offered(self.frame[who], self.codebook, BLOCK, self.people, blank, own, open_)

    def wishing(self, kind: str = "consumer", by: Any = None) -> Estimate:
        """How many adults want a loan of a kind; those who answered stand for the others."""
        flag = self.wanted[kind].astype("Float64").rename("people")
        return total(self.design, flag, by, self.adult, missing="mean").as_positive()

    def demand(
        self,
        restricted: bool = True,
        by: pd.Series | None = None,
        quantities: Mapping[str, pd.Series | pd.DataFrame] | None = None,
        open_to: pd.DataFrame | None = None,
        known: pd.Series | None = None,
    ) -> Estimate:
        """Files, and other quantities, a year by (quantity, alternative[, domain]).

        Parameters
        ----------
        restricted : bool
            Of what people may get and can carry (``open_to`` where it is given); else of every product.
        by : Series, optional
            Domains.
        quantities : mapping of name to Series (n rows) or DataFrame (n x products)
            What each file brings; absent: ``files`` (one) and ``dh`` (the amount).

        Those of whom it can be computed (and all is ``known``) stand for all who want a consumer loan in their domain.
        """
        lent = self.lent if restricted else self.amount
        many = {"files": pd.Series(1.0, self.frame.index), "dh": lent} if quantities is None else quantities
        allowed = (self.eligible & self.affordable if open_to is None else open_to) if restricted else None
        who = self.computed if known is None else self.computed & known
        found = enumerated(self.fit(), self.design, self.put(who, allowed), many, by)
        if by is not None:
            by = by.where(by.isin(by[who].unique()))
        return stated.times(found, per_year(self.wishing(by=by)), found.value.index)

    def likely(
        self,
        quantities: Mapping[str, pd.Series | pd.DataFrame] | None = None,
        by: pd.Series | None = None,
        known: pd.Series | None = None,
    ) -> Estimate:
        """`demand` within means, a year, times the part who are certain of their choices."""
        stated_ = self.demand(True, by, quantities, known=known)
        return stated.times(stated_, self.sure, stated_.value.index)

    def takers(self, among: pd.Series | None = None, by: Any = None) -> Estimate:
        """Who is likely to take a loan within the years of the question: one person, one loan."""
        a_year = taken(self.likely(by=by, **among_known(among, "files")))
        return stated.scaled(a_year, assumed("wish_years"))


def per_year(estimate: Estimate) -> Estimate:
    """What is wanted a year of what is wanted over the years of the question."""
    return stated.scaled(estimate, 1 / assumed("wish_years"))


@cache
def pensioners(terms: Terms, product: str) -> Terms:
    """The terms of a product where it is deducted from a pension: term, age, files, and the bank's rate."""
    own = Terms.named("consumer_pensioner")
    rate = own.rate if product == "conventional" else terms.rate
    months = min(own.months, terms.months)
    return replace(terms, rate=rate, months=months, age_end=own.age_end, files_most_n=own.files_most_n)


def market(study: Study, terms: Mapping[str, str] = TERMS) -> LoanMarket:
    """The members of a study before the consumer loans of `TERMS`.

    Raises
    ------
    WelfareError
        A question that the model or the rules need was not asked.
    """
    return LoanMarket(*stated.asked(study, NEEDED, "loans"), {p: Terms.named(name) for p, name in terms.items()})


def taken(forecast: Estimate, quantity: str = "files", products: Collection[str] = PRODUCTS) -> Estimate:
    """A quantity of all (or some) products together, by domain where there are any."""
    return together(forecast, quantity, products, "loans")


def tests(market: LoanMarket) -> dict[str, LoanMarket]:
    """The market under each test of what can be paid (`borrowers.tests`).

    ``cut``: amounts are cut to what can be carried, as far as a part is worth borrowing.
    """
    short = {p: replace(t, age_end=RETIRES) for p, t in market.terms.items()}
    dearer = {p: replace(t, rate=t.rate + assumed("stress_points") / 100) for p, t in market.terms.items()}
    last_age = market.frame["age"] + market.months["foundation"] / 12
    tried = borrowers.tests(market, short, dearer, last_age, assumed("pay_less_share"))
    return tried | {"cut": market.at(least_part=assumed("least_part"))}


def ends(market: LoanMarket) -> dict[str, LoanMarket]:
    """All terms of consumer loans at their good end (``favourable``), and at their bad end: a what-if, no interval."""
    made = {}
    for name, good in (("favourable", True), ("unfavourable", False)):
        terms = {}
        for product in market.terms:
            rows = credit.rows_of([TERMS[product]]).set_index("parameter")
            terms[product] = Terms(**at_end(rows, rows.index.to_series(), good, BETTER_HIGH))
        made[name] = market.at(terms=terms, least_part=assumed("least_part") if good else 1.0)
    return made


def parameters() -> pd.DataFrame:
    """What is assumed of loans, with ``place``: where the value stands in its range; missing where there is none.

    0 is the unfavourable end, 1 the favourable one, to demand or (what a bank pays and loses) to the net.
    """
    lent = credit.rows_of(["consumer"]).rename(columns={"parameter": "item"})
    rates = [
        credit.rows_of([f"consumer_{name}"]).query("parameter == 'rate'").assign(item=f"rate_{name}")
        for name in ("foundation", "talks", "bank", "participatory", "company", "pensioner")
    ]
    losses = public("loan_losses").set_index("scenario")
    lost = (losses["default_share"] * losses["lost_share"])[["middle", "low", "high"]]
    own = pd.DataFrame([["loss_share", *lost, "share a year", "assumption", losses.at["middle", "source"]]],
                       columns=["item", "value", "low", "high", "unit", "kind", "source"])  # fmt: skip
    found = pd.concat([public("loan_offers"), lent, *rates, own], ignore_index=True)
    return found.assign(place=place(found, found["item"], BETTER_HIGH))
