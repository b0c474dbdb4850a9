r"""Demand for homes: what is stated on cards, by those who want a home, own none, are eligible and can pay.

The cards say that finance is assured, so the model is of what people want at a price, not of what they can borrow. The
credit ceiling enters once, when the model is put to work: an alternative beyond a person's means is taken out of the
choice set; multiplying a choice among everything by "can pay it" instead loses those who would have taken the next
best. A plot is no home: it is in the choice set of those who can pay the plot and a house on it. Within five years the
homes of kind j likely to be bought are

.. math:: c \sum_i w_i\, 1[i \text{ wants a home and owns none}]\, 1[i \text{ means to within five years}]\, p_{ij},

with c the part of these people who are certain of their choices (8 of 10 points and more): the one bridge from what is
stated to what is likely. Parts of stated demand that came true on a national market are a scenario beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..estimation import Estimate
from ..estimation.choice import Target, only, predicted_shares, prepared, recoded, willingness_to_pay
from ..needs.housing import needs_another
from ..needs.income_debt import is_code
from ..study import Study, public
from . import credit, stated
from .borrowers import Borrowers, among_known, enumerated, of_programme, together
from .credit import Terms
from .stated import shared

BLOCK = "home"
PLOT = "cooperative_plot"
BOUGHT = ("social_flat", "standing_flat", PLOT)
OFFERED = (*BOUGHT, "service_rental")
SOON = ("under_1", "1_2", "3_5")  # when people mean to acquire it: within five years
YEARS = 5
WISHES = ("wants_none", "wants_owner", "no_wish", "no_wish_owner")  # wants a home and owns none; and so on
PAID, OTHERS = ("price_100k", "instalment_1k"), ("size_10m2", "work_10km", "services_10km", "wait_years")
SHIFTS = ("tenant", "owner", "crowded", "active", "decade", "log_income")
CARDS = (f"{BLOCK}_version", f"{BLOCK}_card_1")
NEEDED = (
    *("status", "age", "tenure", "net_pay_dh", "pension_dh", "has_loan", "savings_dh", "wants_home", "home_horizon"),
    *(*CARDS, f"{BLOCK}_certainty"),
)
IMPROVED = {
    "ten_m2_more": ("size_10m2", 1),
    "work_10km_nearer": ("work_10km", -1),
    "services_km_nearer": ("services_10km", -0.1),
    "year_sooner": ("wait_years", -1),
}


assumed = of_programme  # numbers of ``data/public/home_programme.csv``


@dataclass(frozen=True, eq=False)
class HomeMarket(Borrowers):
    """People who may be offered a home, at given terms of credit.

    Attributes
    ----------
    offers : DataFrame (alternatives x attributes)
        What is offered, in the units of the cards; what a bought home costs a month follows from price and terms.
    terms : Terms
        Terms of credit.
    building_dh : float
        What a house on a plot costs.
    """

    offers: pd.DataFrame
    terms: Terms
    building_dh: float = 0.0
    block, paid, others, shifts = BLOCK, PAID, OTHERS, SHIFTS

    def at(
        self, terms: Terms | None = None, offers: Mapping[str, Mapping[str, float]] | None = None, **changes: Any
    ) -> HomeMarket:
        """The same people at other terms, ``offers`` (attributes of alternatives that change) or attributes."""
        changed = self.offers.copy()
        for alternative, attributes in (offers or {}).items():
            for attribute, value in attributes.items():
                changed.loc[alternative, attribute] = value
        return replace(self, offers=changed, terms=terms or self.terms, origin=self.first, **changes)

    @cached_property
    def instalments(self) -> pd.Series:
        """What each offer costs a month, DH: a bought home the instalment of its price over the longest term."""
        lent = self.offers["price_dh"] * float(self.terms.cost(self.terms.months))
        return lent.where(self.offers.index.isin(BOUGHT), self.offers["instalment_dh"])

    @cached_property
    def priced(self) -> pd.DataFrame:
        """The offers with what each costs a month."""
        return self.offers.assign(instalment_dh=self.instalments)

    @property
    def _bought(self) -> list[str]:
        return [a for a in BOUGHT if a in self.offers.index]

    @cached_property
    def ceiling(self) -> pd.Series:
        """Highest price that each person can pay on the terms."""
        first = self.first
        if self is not first and (self.terms, self.of) == (first.terms, first.of) and self.means is first.means:
            return first.ceiling
        return credit.affordable_price_dh(self.paying, self.terms, self.of)

    @cached_property
    def to_pay(self) -> pd.Series:
        """What a home of each kind that is for sale costs, DH; of a plot with the house on it."""
        price = self.offers.loc[self._bought, "price_dh"].astype(float)
        return price + self.building_dh * (price.index == PLOT)

    @cached_property
    def affordable(self) -> pd.DataFrame:
        """Whether each offer is within a person's means (n x alternatives); NA where that cannot be computed."""
        within = {a: cost <= self.ceiling for a, cost in self.to_pay.items()}
        rented = self.offers.index.difference(self._bought)
        within |= {a: self.offers.loc[a, "instalment_dh"] <= self.capacity for a in rented}
        table = pd.DataFrame(within)[list(self.offers.index)].astype("boolean")
        return table.mask(self.ceiling.isna() | self.capacity.isna())

    @shared
    def eligible(self) -> pd.DataFrame:
        """Whether a person may get each offer (n x alternatives); NA where the tenure or the status is not known.

        A social flat and service housing are for those who own no home, service housing for the active; standing flats
        and plots for every adult. Only the first part of this is a public rule; the others are assumptions.
        """
        adult, houseless = self.adult.astype("boolean"), self.frame["tenure"].ne("owner").astype("boolean")
        houseless = houseless.mask(self.frame["tenure"].isna())
        active = self.frame["status"].eq("active").astype("boolean").mask(self.frame["status"].isna())
        rules = {"social_flat": adult & houseless, "service_rental": adult & houseless & active}
        return pd.DataFrame({a: rules.get(a, adult) for a in self.offers.index})

    @cached_property
    def computed(self) -> pd.Series:
        """Whether it can be computed what a person may get and can carry."""
        return self.adult & self.affordable.notna().all(axis=1) & self.eligible.notna().all(axis=1)

    @shared
    def _coded(self) -> Target:
        """The first market's offer before every adult, coded for the model."""
        return prepared(self.fit(), self.design, self.first.put, "row")

    @shared
    def wishes(self) -> pd.Series:
        """Which of `WISHES` holds of an adult: whether a home is wanted and whether one is owned; NA where unknown."""
        wants, owns = (
            self.frame[c].eq(code).to_numpy(bool) for c, code in (("wants_home", "yes"), ("tenure", "owner"))
        )
        wish = pd.Series(np.select([wants & ~owns, wants, ~owns], WISHES[:3], WISHES[3]), self.frame.index)
        wish = wish.where(self.adult & self.frame[["wants_home", "tenure"]].notna().all(axis=1))
        return wish.astype(pd.CategoricalDtype(WISHES)).rename("home_wish")

    @shared
    def wishers(self) -> pd.Series:
        """Adults who want a home and own none."""
        return self.wishes.eq(WISHES[0]).fillna(False).astype(bool)

    @shared
    def soon(self) -> pd.Series:
        """Whether a home is meant to be acquired within five years; NA where that was not answered."""
        return is_code(self.frame["home_horizon"], *SOON)

    @cached_property
    def steps(self) -> pd.DataFrame:
        """Whether each row is in need of another dwelling, wants a home and owns none, is eligible, and can pay one.

        Eligible: for a home by its rules, and of an age at which a loan can be had, unless none is needed.
        """
        allowed = self.eligible[self._bought]
        able = (allowed & self.affordable[self._bought]).any(axis=1, skipna=False)
        months = credit.months_left(self.frame, self.terms)
        lent = months.gt(0).astype("boolean").mask(months.isna())
        wish = self.wishes.eq(WISHES[0]).astype("boolean").mask(self.wishes.isna())
        return pd.DataFrame({
            "in_need": needs_another(self.frame),
            "wants": wish,
            "eligible": allowed.any(axis=1, skipna=False) & (lent | able),
            "affordable": able,
        })  # fmt: skip

    def target(self, where: pd.Series | None = None) -> Target:
        """What is open of the offer to the adults of whom it can be computed, of some alone with ``where``.

        Coded once; at other terms and offers only what differs is coded again.
        """
        first, rows = self.first, self.open_rows(where)
        if self is first:
            return only(self.fit(), self._coded, rows)
        return recoded(self.fit(), self._coded, *stated.changed(first.put, first.priced, self.priced), rows)

    def open_rows(self, where: pd.Series | None = None) -> np.ndarray:
        """Whether each row of `put` is open to its person (the first alternative is): by rules, and by means."""
        first, *others = self.codebook.codes(f"{BLOCK}_alternative")
        computed = self.computed if where is None else self.computed & where
        table = (self.eligible & self.affordable)[self.adult].fillna(False).assign(**{first: True}).astype(bool)
        table &= computed[self.adult].to_numpy()[:, None]
        return table[[first, *(a for a in others if a in self.offers.index)]].to_numpy().ravel()

    @cached_property
    def put(self) -> pd.DataFrame:
        """The offer before every adult, as a long frame."""
        return stated.offered(self.frame[self.adult], self.codebook, BLOCK, self.people, self.priced)

    def demand(self, by: Any = None, where: Any = None) -> Estimate:
        """How many adults would take each alternative, by (alternative, domain), whenever, and whoever they are.

        Of what they are eligible for and can pay. The shares of those of whom it can be computed stand for all adults
        of the domain.
        """
        shares = predicted_shares(self.fit(), self.design, self.target(), by, where)
        return stated.times(shares, self.number(by, where), shares.value.index.droplevel(0))

    def likely(
        self,
        quantities: Mapping[str, Any] | None = None,
        by: Any = None,
        known: pd.Series | None = None,
        bridge: bool = True,
    ) -> Estimate:
        """Homes likely within five years of those who want one and own none, by (quantity, alternative[, domain]).

        ``quantities`` (Series by person, or frames with a column an alternative) are what each brings; absent:
        ``homes``, one of each. Without the ``bridge`` all that is stated for these years. Those of whom it can be
        computed (and all is ``known``) stand for all who want a home and own none in their domain.
        """
        many = {"homes": pd.Series(1.0, self.frame.index)} if quantities is None else quantities
        asked = self.wishers & self.soon.notna() & (True if known is None else known)
        now = self.soon.astype("Float64").fillna(0.0).astype(float)
        brought = {name: values.mul(now, axis=0) for name, values in many.items()}
        made = enumerated(self.fit(), self.design, self.target(where=asked), brought, by, asked)
        if by is not None:
            by = by.where(by.isin(by[asked & self.computed].unique()))
        every = stated.times(made, self.number(by, self.wishers), made.value.index)
        return stated.times(every, self.sure, every.value.index) if bridge else every

    def takers(self, among: pd.Series | None = None, by: Any = None) -> Estimate:
        """How many are likely to buy a home within five years."""
        return bought(self.likely(by=by, **among_known(among, "homes")))

    def worth(self) -> pd.DataFrame:
        """What `IMPROVED` is worth in DH of the price of a home at these terms, by income group: a long table.

        A dirham of the price comes together with the instalment that it brings.
        """
        fit, step = self.fit(), stated.UNITS["price_dh"][1]
        monthly = float(self.terms.cost(self.terms.months)) * step / stated.UNITS["instalment_dh"][1]
        found = []
        for price in (name for name in map(str, fit.value.index) if name.startswith(PAID[0])):
            cost = {price: 1.0, price.replace(PAID[0], PAID[1]): monthly}
            changes = {name: {column: by} for name, (column, by) in IMPROVED.items()}
            table = willingness_to_pay(fit, changes, cost).table()
            found.append(table.assign(income_group=price.partition("[")[2].rstrip("]") or "all"))
        whole = pd.concat(found, ignore_index=True)
        return whole.assign(**(whole[["estimate", "se", "low", "high"]] * step))


def market(study: Study, terms: str = "housing_foundation") -> HomeMarket:
    """The members of a study before the offers of ``data/public/home_offers.csv``; a plot with a house on it.

    Raises
    ------
    WelfareError
        A question that the model or the rules need was not asked.
    """
    offers = public("home_offers").pivot(index="alternative", columns="attribute", values="value")
    building = assumed("building_dh_m2") * assumed("building_m2")
    known = stated.asked(study, NEEDED, "homes")
    return HomeMarket(*known, offers.loc[list(OFFERED)], Terms.named(terms), building_dh=building)


def bought(forecast: Estimate, quantity: str = "homes") -> Estimate:
    """Homes bought of all kinds, by domain where there are any; or another quantity of `HomeMarket.likely`."""
    return together(forecast, quantity, BOUGHT, "bought")
