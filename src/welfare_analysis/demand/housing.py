r"""Demand for homes: what is stated on cards, by those who may get a home and can carry it.

The cards say that finance is assured, so the model is of what people want at a price, not of what they can borrow. The
credit ceiling enters once, when the model is put to work: an alternative beyond a person's means is taken out of the
choice set (headline). Two other versions are fitted to show what that assumption decides: one on the cards' affordable
alternatives alone, consistent where the conditional logit holds (McFadden 1978), and one in which what is beyond the
means weighs in the utility (implicit consideration: Cascetta and Papola 2001, Transportation Research C 9, 249-263).
Multiplying a choice among everything by "can carry it" instead loses those who would have taken the next best.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..estimation import Estimate, total
from ..estimation.choice import ChoiceFit, Target, only, predicted_shares, prepared, recoded, willingness_to_pay
from ..estimation.choice.population import modelled
from ..study import Study, public
from . import credit, stated
from .credit import Terms
from .market import Market, shared

BLOCK = "home"
BOUGHT = ("social_flat", "standing_flat", "cooperative_plot")
OFFERED = (*BOUGHT, "service_rental")
VERSIONS = ("unconditional", "affordable", "consideration")
PAID, OTHERS = ("price_100k", "instalment_1k"), ("size_10m2", "work_10km", "services_10km", "wait_years")
SHIFTS = ("tenant", "owner", "crowded", "active", "decade", "log_income")
ADULT = 18
CARDS = (f"{BLOCK}_version", f"{BLOCK}_card_1")
NEEDED = ("status", "age", "tenure", "net_pay_dh", "pension_dh", "has_loan", "savings_dh", *CARDS)
IMPROVED = {
    "ten_m2_more": ("size_10m2", 1),
    "work_10km_nearer": ("work_10km", -1),
    "services_km_nearer": ("services_10km", -0.1),
    "year_sooner": ("wait_years", -1),
}


@dataclass(frozen=True, eq=False)
class HomeMarket(Market):
    """People who may be offered a home, at given terms of credit.

    Attributes
    ----------
    offers : DataFrame (alternatives x attributes)
        What is offered, in the units of the cards; what a bought home costs a month follows from price and terms.
    terms : Terms
        Terms of credit.
    of : str
        Whose means count: ``member`` (the bank's view) or ``household``.
    """

    offers: pd.DataFrame
    terms: Terms
    of: str = "member"

    def at(
        self, terms: Terms | None = None, of: str | None = None, offers: Mapping[str, Mapping[str, float]] | None = None
    ) -> HomeMarket:
        """The same people at other terms, or other ``offers``: the attributes of alternatives that change."""
        changed = self.offers.copy()
        for alternative, attributes in (offers or {}).items():
            for attribute, value in attributes.items():
                changed.loc[alternative, attribute] = value
        if changed.equals(self.offers) and (terms or self.terms) == self.terms and (of or self.of) == self.of:
            return self
        return replace(self, offers=changed, terms=terms or self.terms, of=of or self.of, origin=self.first)

    @shared
    def adult(self) -> pd.Series:
        """Whether a row is of age, and so may be offered a home."""
        return (self.frame["age"] >= ADULT).fillna(False).astype(bool)

    @shared
    def people(self) -> pd.DataFrame:
        """What may shift the choice of each row."""
        return stated.persons(self.frame, BLOCK)

    @cached_property
    def instalments(self) -> pd.Series:
        """What each offer costs a month, DH: a bought home the instalment of its price over the longest term."""
        return (self.offers["price_dh"] * float(self.terms.cost(self.terms.months))).where(
            self.offers.index.isin(BOUGHT), self.offers["instalment_dh"]
        )

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
        if self._same_means:
            return self.first.ceiling
        return credit.affordable_price_dh(self.frame, self.terms, self.of)

    @cached_property
    def left(self) -> pd.Series:
        """Further instalment a month that each person can carry."""
        if self._same_means:
            return self.first.left
        return credit.capacity_dh(self.frame, self.of)

    @property
    def _same_means(self) -> bool:
        """Whether what people can pay is what it is in the first market."""
        first = self.first
        return self is not first and (self.terms, self.of) == (first.terms, first.of)

    @cached_property
    def affordable(self) -> pd.DataFrame:
        """Whether each offer is within a person's means (n x alternatives); NA where that cannot be computed."""
        told = {a: self.offers.loc[a, "price_dh"] <= self.ceiling for a in self._bought}
        rented = self.offers.index.difference(self._bought)
        told |= {a: self.offers.loc[a, "instalment_dh"] <= self.left for a in rented}
        table = pd.DataFrame(told)[list(self.offers.index)].astype("boolean")
        return table.mask(self.ceiling.isna() | self.left.isna())

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

    def fit(self, version: str = VERSIONS[0]) -> ChoiceFit:
        """The model of the cards in one of `VERSIONS`; fitted once for all terms and offers."""
        return self.versions[version].fit

    @shared
    def versions(self) -> dict[str, Version]:
        """The models of the cards by version."""
        return {name: Version(self, name) for name in VERSIONS}

    @shared
    def cards(self) -> pd.DataFrame:
        """The cards that were answered; ``beyond_1k``: thousands of DH a month that an alternative is beyond means."""
        long = stated.observed(self.frame, self.codebook, BLOCK, self.people)
        return self._with_beyond(long, long["instalment_dh"])

    def _with_beyond(self, long: pd.DataFrame, monthly: pd.Series) -> pd.DataFrame:
        left = self.left.reindex(long["row"]).to_numpy()
        offered = (long["alternative"] != self.codebook.codes(f"{BLOCK}_alternative")[0]).to_numpy()
        beyond = np.where(offered & ~np.isnan(left), np.maximum(monthly.to_numpy() - left, 0.0), 0.0)
        return long.assign(beyond_1k=beyond / 1000)

    def target(self, version: str = VERSIONS[0], restricted: bool = True) -> Target:
        """The offer before every adult; ``restricted``: before those of whom it can be computed, what is open to them.

        Coded once for a version; at other terms and offers only what differs is coded again.
        """
        if version == VERSIONS[0]:
            return self._restricted if restricted else self._stated
        return self._target(version, restricted)

    @cached_property
    def _restricted(self) -> Target:
        return self._target(VERSIONS[0], True)

    @cached_property
    def _stated(self) -> Target:
        return self._target(VERSIONS[0], False)

    def _target(self, version: str, restricted: bool) -> Target:
        own, first = self.versions[version], self.first
        rows = self.open_rows(version) if restricted else None
        if self is first:
            return own.coded if rows is None else only(own.fit, own.coded, rows)
        if version == "consideration":
            return recoded(own.fit, own.coded, self.put, [*PAID, *OTHERS, "beyond_1k"], rows)
        return recoded(own.fit, own.coded, *stated.changed(first.put, first.priced, self.priced), rows)

    def open_rows(self, version: str = VERSIONS[0]) -> np.ndarray:
        """Whether each row of `put` is open to its person (the first alternative is): by rules, and by means."""
        first, *others = self.codebook.codes(f"{BLOCK}_alternative")
        computed = self.computed[self.adult]
        allowed = self.eligible if version == "consideration" else self.eligible & self.affordable
        table = allowed[self.adult].fillna(False).assign(**{first: True}).astype(bool)
        table &= computed.to_numpy()[:, None]
        return table[[first, *(a for a in others if a in self.offers.index)]].to_numpy().ravel()

    @cached_property
    def put(self) -> pd.DataFrame:
        """The offer before every adult, as a long frame."""
        long = stated.offered(self.frame[self.adult], self.codebook, BLOCK, self.people, self.priced)
        return self._with_beyond(long, long["instalment_dh"])

    def demand(
        self, version: str = VERSIONS[0], restricted: bool = True, by: Any = None, where: Any = None
    ) -> Estimate:
        """How many adults would take each alternative, by (alternative, domain).

        ``restricted``: of what they may get and can carry; else of everything that is offered (what is stated). The
        version ``consideration`` weighs what is beyond the means in the utility and is restricted by the rules alone.
        What is restricted is the shares of those of whom it can be computed, who stand for all adults of the domain.
        """
        if version == VERSIONS[0] and restricted and by is None and where is None:
            return self._demand
        return self._forecast(version, restricted, by, where)

    @cached_property
    def _demand(self) -> Estimate:
        return self._forecast(VERSIONS[0], True, None, None)

    def _forecast(self, version: str, restricted: bool, by: Any, where: Any) -> Estimate:
        shares = predicted_shares(self.fit(version), self.design, self.target(version, restricted), by, where)
        return stated.times(shares, self.number(by, where), shares.value.index.droplevel(0))

    def number(self, by: Any = None, where: Any = None) -> Estimate:
        """How many adults there are, by domain."""
        return self._adults if by is None and where is None else self._number(by, where)

    @shared
    def _adults(self) -> Estimate:
        return self._number(None, None)

    def _number(self, by: Any, where: Any) -> Estimate:
        inside = self.adult if where is None else self.adult & where
        return total(self.design, self.adult.astype(float).rename("people"), by=by, where=inside)

    def bought(self) -> float:
        """How many adults would buy a home of what they may get and can carry: the number alone, without its error."""
        model, to = modelled(self.fit()), self.target()
        p, w = model.predict(to, model.theta)[0], self.design.weights
        kinds = to.cases.alternatives.isin(BOUGHT)[to.cases.alternative]
        known, adults = w[self.computed.to_numpy()].sum(), w[self.adult.to_numpy()].sum()
        return float(w[to.cases.person[to.cases.case]][kinds] @ p[kinds] / known * adults)

    def worth(self) -> pd.DataFrame:
        """What `IMPROVED` is worth in DH of the price of a home at these terms, by income group: a long table.

        A dirham of the price is told together with the instalment that it brings.
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

    def ladder(self, alternative: str) -> Estimate:
        """What is stated, by what is eligible x affordable: how many would take an alternative in each group.

        Levels ``eligible`` and ``affordable`` are yes, no or cannot_compute; the others of a group would not take it.
        """
        groups = [stated.yes_no(self.eligible[alternative], "eligible")]
        groups += [stated.yes_no(self.affordable[alternative], "affordable")]
        return self.demand(restricted=False, by=[group.where(self.adult) for group in groups])


@dataclass(frozen=True, eq=False)
class Version:
    """The model of the cards in one of `VERSIONS`, and the first market's offer before every adult, coded for it."""

    market: HomeMarket
    name: str

    @cached_property
    def fit(self) -> ChoiceFit:
        """The model, fitted."""
        long = _within(self.market.cards) if self.name == "affordable" else self.market.cards
        others = (*OTHERS, "beyond_1k") if self.name == "consideration" else OTHERS
        return stated.fitted(self.market.superpopulation, long, stated.formula(long, PAID, others, SHIFTS))

    @cached_property
    def coded(self) -> Target:
        """The offer, coded."""
        return prepared(self.fit, self.market.design, self.market.put, "row")


def market(study: Study, terms: str = "housing_foundation") -> HomeMarket:
    """The members of a study before the offers of ``data/public/home_offers.csv``.

    Raises
    ------
    WelfareError
        A question that the model or the rules need was not asked.
    """
    if absent := study.lacking(NEEDED):
        raise WelfareError("the question was not asked", where="demand for homes", got=", ".join(absent))
    offers = public("home_offers").pivot(index="alternative", columns="attribute", values="value")
    frame = study.frame.set_axis(study.design.index)
    return HomeMarket(frame, study.design, study.codebook, offers.loc[list(OFFERED)], Terms.named(terms))


def _within(long: pd.DataFrame) -> pd.DataFrame:
    """The affordable alternatives of the cards on which one of them was chosen."""
    inside = long[long["beyond_1k"] == 0]
    chosen = inside.loc[inside["chosen"] == 1, "case"]
    return inside[inside["case"].isin(chosen)].reset_index(drop=True)
