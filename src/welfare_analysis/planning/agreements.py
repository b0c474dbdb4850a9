r"""What an agreement is worth: to whom, who cannot use it and why, and from which terms on more people can.

A line of ``data/public/agreements.csv`` says what a partner offers: a product and one term of it. Before and after are
the terms of the market and those of the agreement, all else as it is: a loan at the rate of the banks, the social flat
at its price and that rate, trains at full fare. With L the loan that savings S do not spare of a price P with fees f,

.. math:: L = \max(0, (1 + f) P - S), \qquad W = C_0 + L_0 q_0 a_n(\rho) - C_1 - L_1 q_1 a_n(\rho)

is the worth W to a member in dirhams (DH) of today: cash C, and instalments q a dirham lent over n months
(`demand.credit`), discounted at the rate :math:`\rho`. Of a consumer loan L is the amount that is wanted; of trains W
is the discount on a year's trips. Break-even is the highest rate at which a person can carry P: with the capacity A of
the protected-pay rule the root of

.. math:: a_n(x) = L / A, \qquad x = \rho (1 + v) + c,

so that the rate at which a share s of a group can is the quantile 1 - s of their own rates.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.optimize.elementwise import find_root

from ..demand import credit, intercity, loans
from ..demand.credit import Terms
from ..demand.funnel import by_group, funnel, picked
from ..demand.housing import HomeMarket
from ..demand.housing import assumed as of_programme
from ..demand.stated import asked, sums
from ..errors import WelfareError
from ..estimation import Design, Estimate, mean, total
from ..needs.income_debt import CANNOT, classed, floor_binds, is_code
from ..study import Study, own_lines, public
from ..survey.cards import annuity
from ..survey.codebook import Codebook

FILE, INF = "AGREEMENTS", float("inf")
TERMS = {
    "home_loan": ("rate",),
    "consumer_loan": ("rate",),
    "flat": ("price", "discount", "grant", "tax"),
    "rail": ("discount",),
}
SHARES = ("rate", "discount")  # terms that are shares; the others are DH
NUMBERS = ("value", "low", "high", "ceiling_dh", "term_months")
INHERITED = (*NUMBERS[:3], "unit", "kind", "source")  # what a line takes from the row that it refers to
KINDS = ("reported", "derived", "assumption")
FLAT, BANK, OWN, MARKET = "social_flat", "housing_bank", "foundation", "conventional"
HOME = ("status", "age", "tenure", "wants_home", "net_pay_dh", "pension_dh", "has_loan", "consumer_deduction_dh",
        "housing_deduction_dh", "savings_dh")  # fmt: skip
NEEDED = {"home_loan": HOME, "flat": HOME, "consumer_loan": loans.NEEDED, "rail": intercity.NEEDED}
NAME = re.compile(r"\w[\w -]*")
USES, SIDES = "uses", ("before", "after")
Parts = tuple[dict[str, pd.Series], pd.DataFrame, pd.Series]  # of `Offer`: stops, sides, before
MOST_RATE = 1.0  # a year; what is carried at this rate is carried at any


@dataclass(frozen=True)
class Agreement:
    """One term that a partner offers.

    Parameters
    ----------
    agreement, partner_type, product, term : str
        Its id, who signs, and one of `TERMS`.
    value : float
        ``rate`` (a year before VAT) and ``discount`` as shares; ``price``, ``grant`` (towards the price) and ``tax``
        (paid in the buyer's place, so that it is the price without the agreement that is higher) in DH.
    ceiling_dh, term_months : float
        Largest loan, and longest term; infinite and nan where the agreement has none of its own.
    who, where : tuple of str
        Statuses, and groups of commands, that may use it; empty: all.
    """

    agreement: str
    partner_type: str
    product: str
    term: str
    value: float
    ceiling_dh: float = INF
    term_months: float = float("nan")
    who: tuple[str, ...] = ()
    where: tuple[str, ...] = ()

    def prices(self, price_dh: float) -> tuple[float, float]:
        """What a home that is offered at a price costs without the agreement, and with it."""
        before = price_dh + (self.value if self.term == "tax" else 0.0)
        cut = {"price": before - self.value, "discount": self.value * before, "grant": self.value, "tax": self.value}
        return before, max(before - cut.get(self.term, 0.0), 0.0)

    def terms(self, before: Terms) -> Terms:
        """The terms of a loan of the market as the agreement changes them."""
        months = before.months if np.isnan(self.term_months) else self.term_months
        rate = self.value if self.term == "rate" else before.rate
        return replace(before, rate=rate, months=months, loan_most_dh=min(self.ceiling_dh, before.loan_most_dh))


def stated() -> pd.DataFrame:
    """All lines: those of ``data/public``, then those of the file that AGREEMENTS names; of one id the file's.

    ``row`` and ``file`` say where a line stands, ``own`` that AGREEMENTS names it. What a line takes from another table
    is filled in.

    Raises
    ------
    WelfareError
        A column that the file lacks, a number that is none, a table or row that a line refers to and is not there.
    """
    known, own = public("agreements"), own_lines(FILE, "the table of agreements")
    parts = []
    for name, table in [("agreements.csv", known), *([own] if own else [])]:
        if absent := [column for column in known if column not in table]:
            listed = ", ".join(known)
            raise WelfareError(f"the column {absent[0]} is missing", where=f"{name}, row 1", expected=listed)
        part = table[list(known)].replace("", np.nan).assign(file=name, row=range(2, len(table) + 2))
        part["own"] = table is not known
        if (again := part["agreement"].duplicated()).any():
            raise _fault(part[again].iloc[0], "agreement", "each id once")
        parts.append(part.set_index("agreement", drop=False))
    first, last = parts[0], parts[-1]
    lines = [last.loc[name] if name in last.index else first.loc[name] for name in first.index.union(last.index, False)]
    return pd.DataFrame(map(_completed, lines)).reset_index(drop=True)


def _fault(line: pd.Series, column: str, rule: str) -> WelfareError:
    got = line[column]
    where = f"{line['file']}, row {line['row']}, column {column}"
    return WelfareError("not what an agreement may say", where=where, got=None if pd.isna(got) else got, expected=rule)


def _completed(line: pd.Series) -> pd.Series:
    """A line with what it takes from the row ``table|key|key`` of ``data/public``, and its numbers as numbers."""
    line = line.astype(object).copy()
    if isinstance(line["taken_from"], str):
        name, *keys = line["taken_from"].split("|")
        table = public(name)
        rows = table[(table.iloc[:, : len(keys)].astype(str) == keys).all(axis=1)]
        if len(rows) != 1:
            raise _fault(line, "taken_from", "a table of data/public and the first cells of one of its rows")
        line = line.fillna(rows.iloc[0].reindex(INHERITED))
    for column in NUMBERS:
        try:
            line[column] = float(line[column])
        except ValueError:
            raise _fault(line, column, "a number") from None
    ends = {"low": line["value"], "high": line["value"], "unit": "share" if line["term"] in SHARES else "DH"}
    return line.fillna(ends | {"source": "", "note": "", "ceiling_dh": INF})


def agreements(codebook: Codebook) -> dict[str, Agreement]:
    """The agreements by id, checked.

    Raises
    ------
    WelfareError
        The first line that breaks a rule, by file, row, column, value and rule.
    """
    made: dict[str, Agreement] = {}
    lines, partners = stated(), codebook.codes("partner_type")
    for _, line in lines.iterrows():
        rules = {
            "agreement": (bool(NAME.fullmatch(str(line.fillna("")["agreement"]))), "letters, digits, spaces, - and _"),
            "partner_type": (line["partner_type"] in partners, ", ".join(partners)),
            "product": (line["product"] in TERMS, ", ".join(TERMS)),
            "term": (line["term"] in TERMS.get(line["product"], ()), ", ".join(TERMS.get(line["product"], ()))),
            "kind": (line["kind"] in KINDS, ", ".join(KINDS)),
            "ceiling_dh": (not line["ceiling_dh"] <= 0, "DH above zero, or nothing"),
            "term_months": (not line["term_months"] < 1, "months, one or more, or nothing"),
        }
        share = line["term"] in SHARES
        for column in NUMBERS[:3]:
            right = 0 <= line[column] <= 1 if share else 0 <= line[column] < INF
            rules[column] = right, "a share from 0 to 1: 4.5 % is 0.045" if share else "an amount in DH, not negative"
        listed: dict[str, tuple[str, ...]] = {}
        for column, name in (("who", "status"), ("where", "command_group")):
            codes = () if pd.isna(line[column]) else tuple(str(line[column]).split("|"))
            rules[column] = set(codes) <= set(codebook.codes(name)), " or ".join(codebook.codes(name))
            listed[column] = codes
        for column, (right, rule) in rules.items():
            if not right:
                raise _fault(line, column, rule)
        if not line["low"] <= line["value"] <= line["high"]:
            raise _fault(line, "value", "an amount or share between low and high")
        own = {f.name: listed.get(f.name, line[f.name]) for f in fields(Agreement)}
        made[str(line["agreement"])] = Agreement(**own)
    return made


@dataclass(frozen=True, eq=False)
class Offer:
    """An agreement before the members of a study.

    Attributes
    ----------
    agreement : Agreement
    frame, design, codebook
        Answers, rows named as those of the design.
    stops : DataFrame (n x reasons)
        Whether each reason stops a person, in their order; NA where that is not known.
    sides : DataFrame (n x columns)
        ``instalment_before``, ``instalment_after`` (DH a month), ``total_...`` (all that is paid), ``present_...``
        (DH of today), ``most_...`` (the largest loan; nan where nothing is lent).
    before : Series (n,)
        Whether a person could pay without the agreement.
    """

    agreement: Agreement
    frame: pd.DataFrame
    design: Design
    codebook: Codebook
    stops: pd.DataFrame
    sides: pd.DataFrame
    before: pd.Series

    @cached_property
    def reason(self) -> pd.Series:
        """What stops each person first, or ``uses``; missing where it is not known."""
        known = pd.Series(True, self.frame.index, dtype="boolean")
        found = classed((*self.stops, USES, CANNOT), [stop for _, stop in self.stops.items()], known)
        return found.astype(object).where(found.ne(CANNOT))

    @cached_property
    def uses(self) -> pd.Series:
        """Who can use the agreement, and wants what it offers."""
        return self.reason.eq(USES)

    @cached_property
    def worth(self) -> pd.Series:
        """DH of today that it spares each person who can use it; 0 for the others, nan where that is not known."""
        spared = self.sides["present_before"] - self.sides["present_after"]
        return spared.where(self.uses, 0.0).where(self.reason.notna())

    @cached_property
    def stopped(self) -> Estimate:
        """People whom each reason stops, the first that does, and those whom none does: a partition of all.

        Each reason is a share of those whom none before it stops, of whom it is known (`demand.funnel.funnel`).
        """
        people = pd.Series(True, self.frame.index, dtype="boolean", name="people")
        left = funnel(self.design, pd.concat([people, ~self.stops], axis=1), reached=True)
        names = pd.Index([*self.stops, USES])
        return sums(left, names, np.eye(len(names)) - np.eye(len(names), k=1)).as_positive()

    def group(self, name: str) -> pd.Series:
        """A group of each person: small statuses are taken together, ranks are of the active."""
        wide = self.codebook.wider("status")
        status = self.frame["status"].astype(object)
        own = status.replace(wide) if name == "status" else self.frame[name].astype(object)
        return own.where(status.eq("active") | (name != "rank_group")).rename(name)

    def users(self, by: str = "") -> Estimate:
        """People who can use it, in all or by group; groups add up to all, and ranks to the active.

        Groups have the shares that they have among those of whom it is known.
        """
        every = picked(self.stopped, np.array([len(self.stopped.value) - 1]), pd.Index(["all"]))
        flag = self.uses.astype(float).where(self.reason.notna()).rename(USES)

        def counts(of: pd.Series | None) -> dict[str, Estimate]:
            parts = every if of is None else total(self.design, flag, of, of.notna(), missing="mean").as_positive()
            return {USES: parts}

        return by_group(counts, self.group("status"), self.group(by))[USES] if by else every

    def gain(self, by: pd.Series | None = None, what: str = "") -> Estimate:
        """Mean worth to those who can use it, by group; or the mean of a column of ``sides``."""
        values = (self.sides[what] if what else self.worth).rename(what or "worth")
        return mean(self.design, values, by=by, where=self.uses & values.notna())


def offer(study: Study, agreement: Agreement) -> Offer | None:
    """An agreement before the members of a study; None where a question that it needs was not asked."""
    if study.lacking(NEEDED[agreement.product]):
        return None
    frame, design, codebook = asked(study, NEEDED[agreement.product], agreement.product)
    makers: dict[str, Callable[..., Parts]] = {"consumer_loan": _consumer, "rail": _rail}
    stops, sides, before = makers.get(agreement.product, _home)(study, agreement)
    open_to = {"status": agreement.who, "command_group": agreement.where}
    shut = {name: ~is_code(frame[name], *codes) for name, codes in open_to.items() if codes and name in frame}
    sides = sides.replace(INF, np.nan)  # what is lent over no month
    return Offer(agreement, frame, design, codebook, pd.DataFrame({**shut, **stops}, frame.index), sides, before)


def offers(study: Study) -> dict[str, Offer]:
    """Every agreement whose questions were asked, by id."""
    made = {name: study.result(offer, one) for name, one in agreements(study.codebook).items()}
    return {name: one for name, one in made.items() if one is not None}


def homes(study: Study) -> HomeMarket:
    """The members before the homes of ``data/public/home_offers.csv`` at the rate of the banks; no cards are needed."""
    known = public("home_offers").pivot(index="alternative", columns="attribute", values="value")
    return HomeMarket(*asked(study, HOME, "homes"), known, Terms.named(BANK))


def _home(study: Study, agreement: Agreement) -> Parts:
    """A loan for the social flat, or its price."""
    market = study.result(homes)
    sides: dict[str, pd.Series] = {}
    frame, bank = market.frame, market.terms
    prices = agreement.prices(float(market.offers.loc[FLAT, "price_dh"]))
    for side, price, terms in zip(SIDES, prices, (bank, agreement.terms(bank)), strict=True):
        months, needed = credit.months_left(frame, terms), credit.loan_dh(frame, terms, price)
        monthly = (needed * terms.cost(months.clip(lower=1.0).to_numpy())).where(months.gt(0) | needed.eq(0))
        cash = (1 + terms.fees) * price - needed - terms.grant_dh
        sides |= {f"instalment_{side}": monthly, f"total_{side}": monthly * months + cash}
        sides[f"present_{side}"] = monthly * annuity(of_programme("discount_rate"), months) + cash
        sides[f"most_{side}"] = credit.largest_loan_dh(frame, terms)
    stops = {
        "minor": _known(~market.adult, frame["age"]),
        "owns": is_code(frame["tenure"], "owner"),
        "not_wanted": ~is_code(frame["wants_home"], "yes"),
        "age_limit": _known(months.eq(0) & needed.gt(0), months, needed),
        "savings": _short(frame, terms, price),
        "ceiling": _known(needed > terms.loan_most_dh, needed),
        **_over(frame, sides["instalment_after"], market.capacity),
    }
    before = credit.affordable_price_dh(frame, bank)
    return stops, pd.DataFrame(sides), _known(before >= prices[0], before)


def _consumer(study: Study, agreement: Agreement) -> Parts:
    """The consumer loan that is wanted, at the term that is wanted, in place of that of the banks."""
    market = study.result(loans.market)
    changed = market.at(terms={**market.terms, OWN: agreement.terms(market.terms[OWN])})
    frame, amount = market.frame, market.amount.clip(upper=agreement.ceiling_dh)
    sides: dict[str, pd.Series] = {}
    for side, at, product in zip(SIDES, (market, changed), (MARKET, OWN), strict=True):
        monthly, months = at.monthly(amount)[product], at.months[product]
        sides |= {f"instalment_{side}": monthly, f"total_{side}": monthly * months}
        sides[f"present_{side}"] = monthly * annuity(of_programme("discount_rate"), months)
        sides[f"most_{side}"] = (at.capacity / monthly * amount).clip(upper=at.terms[product].loan_most_dh)
    stops = {
        "minor": _known(~market.adult, frame["age"]),
        "not_wanted": ~market.wanted["consumer"].astype("boolean"),
        "age_limit": _known(months < loans.assumed("months_least"), months),
        "files": ~changed.at(late=True).eligible[OWN],
        "arrears": ~changed.eligible[OWN],
        **_over(frame, sides["instalment_after"], changed.capacity),
    }
    return stops, pd.DataFrame(sides), market.affordable[MARKET]


def _rail(study: Study, agreement: Agreement) -> Parts:
    """Trips by train as they are, a year's; what is paid a month is a twelfth."""
    trips = study.result(intercity.travellers)
    paid = {side: trips["rail_dh"] * part for side, part in zip(SIDES, (1.0, 1 - agreement.value), strict=True)}
    sides = {f"{name}_{side}": x / by for name, by in (("instalment", 12), ("total", 1), ("present", 1))
             for side, x in paid.items()}  # fmt: skip
    travels = _known(trips["rail_trips"] > 0, trips["rail_trips"])
    return {"no_train": ~travels}, pd.DataFrame(sides), travels


def _known(flag: pd.Series, *needed: pd.Series) -> pd.Series:
    """A flag, NA where something that it needs is missing."""
    return flag.astype("boolean").mask(pd.concat(needed, axis=1).isna().any(axis=1))


def _over(frame: pd.DataFrame, instalment: pd.Series, capacity: pd.Series) -> dict[str, pd.Series]:
    """Whether an instalment breaks the protected-pay rule: by what must be left, or by the share of pay."""
    over, floor = _known(instalment > capacity, instalment, capacity), floor_binds(frame)
    return {"pay_left": over & floor, "pay_share": over & ~floor}


def _short(frame: pd.DataFrame, terms: Terms, price_dh: float) -> pd.Series:
    """Whether savings and grant do not pay the fees and the down payment."""
    cash = frame["savings_dh"].astype(float) + terms.grant_dh
    return _known(cash < (terms.fees + terms.down_payment) * price_dh, cash)


def break_even_rate(
    frame: pd.DataFrame, terms: Terms, price_dh: float, lent: bool = True, of: str = "member"
) -> pd.Series:
    """Highest rate a year before VAT at which each person can carry a price, the other terms as they are.

    ``lent``: fees are lent too; else they and the down payment must be in savings. -inf where it is carried at no rate,
    inf where at any (no loan is needed, or it is carried at `MOST_RATE`), nan where that is not known.
    """
    months = credit.months_left(frame, terms).astype(float)
    capacity, loan = credit.capacity_dh(frame, of), credit.loan_dh(frame, terms, price_dh)
    insured = terms.insurance / 12 if terms.insured_initial else 0.0
    monthly = capacity.clip(upper=terms.instalment_most_dh) / loan.where(loan > 0) - insured
    worth = (1 / monthly.where(monthly > 0)).fillna(INF).to_numpy(float)
    n = months.fillna(0.0).to_numpy()
    inside, found = (worth <= n) & (worth > annuity(MOST_RATE, n)), np.where(worth > n, -INF, INF)
    root = find_root(lambda x, n, a: annuity(x, n) - a, (0.0, MOST_RATE), args=(n[inside], worth[inside])).x
    found[inside] = (root - (0.0 if terms.insured_initial else terms.insurance)) / (1 + terms.vat)
    rate = pd.Series(np.where(found < 0, -INF, found), frame.index).where(loan > 0, INF)
    short = loan.gt(terms.loan_most_dh) | (not lent) & _short(frame, terms, price_dh).fillna(False).astype(bool)
    return rate.mask(short, -INF).where(capacity.notna() & loan.notna() & months.notna()).rename("break_even_rate")


def better(first: Offer, second: Offer) -> pd.DataFrame:
    """Whether each person is better off under the first of two agreements, under the second, or alike under both.

    By what each is worth to them today; to who can use neither both are worth nothing. NA where that is not known.
    """
    more = first.worth - second.worth
    return pd.DataFrame({"first": more > 0, "second": more < 0, "alike": more == 0}).astype("boolean").mask(more.isna())
