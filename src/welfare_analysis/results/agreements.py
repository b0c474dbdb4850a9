"""Agreements with partners (page 10): what each is worth and to whom, who cannot use it and why, break-even terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from ..demand.stated import times
from ..disclosure import NUMBERS, evidence, policy
from ..estimation import Estimate, mean, total
from ..planning import agreements
from ..planning.agreements import FLAT, Offer
from ..study import Study
from .declare import GROUPS, Base, Topic, always, attempted, counted, long_format, quantile_rows

FINDINGS = ("agreements_worth", ("many", "worth", "why", "cost", "break_even", "sure"))
KEY = "partner_agreement"
COMPARED = ("home_talks", "developer_price")  # a lower rate, or a lower price
RATES = range(11)  # per cent a year
ENDS = ("low", "value", "high")
SHARES = {"quarter": 0.25, "half": 0.5, "three_quarters": 0.75}
ANY = 1.0  # a year: no rate that is offered is as high
UNITS = {"people": "persons", "newly": "persons", "gain": "dh", "gain_all": "million_dh"}


def subject(study: Study) -> dict[str, Offer] | None:
    """Every agreement before the members; None where no question that one needs was asked."""
    return study.result(agreements.offers) or None


def known(offers: dict[str, Offer]) -> Base:
    """Of whom it is known of every agreement whether they can use it, of all."""
    reasons = pd.concat([offer.reason for offer in offers.values()], axis=1)
    return reasons.notna().all(axis=1), pd.Series(True, reasons.index)


topic = Topic("agreements", subject, always, "persons", known, FINDINGS)


def each(offers: Mapping[str, Offer], make: Callable[[Offer], pd.DataFrame]) -> pd.DataFrame | None:
    """Rows of every agreement for which they can be estimated, named by the agreement."""
    made = attempted({name: partial(make, offer) for name, offer in offers.items()})
    return long_format(made, KEY) if made else None


def guarded(estimate: Estimate, *keys: str) -> pd.DataFrame:
    """Means as rows, hidden where two persons decide one."""
    numerator, ruled = evidence(estimate)
    return long_format(estimate, *keys).assign(numerator=numerator, unsafe=ruled)


@topic.table("worth", KEY, "worth_measure", "", adds=None)
def worth(study: Study, offers: dict[str, Offer]) -> pd.DataFrame | None:
    """Who can use each agreement, who of them could not pay without it, and what it spares: each of them, and all."""

    def rows(offer: Offer) -> pd.DataFrame:
        users, gain, used = offer.users(), offer.gain(), float(offer.uses.sum())
        newly = (offer.uses & ~offer.before).astype("Float64").where(offer.reason.notna()).astype(float)
        people = long_format({"people": users}, "worth_measure", "").assign(numerator=used)
        more = total(offer.design, newly.rename("newly"), missing="mean").as_positive()
        more_rows = long_format({"newly": more}, "worth_measure", "").assign(numerator=newly.sum())
        money = {"gain": gain, "gain_all": times(gain, users, users.value.index)}
        spared = [guarded(one, "").assign(worth_measure=name) for name, one in money.items()]
        lent = [more_rows] if newly.any() else []
        return pd.concat([people, *lent, *spared], ignore_index=True)

    made = each(offers, rows)
    return None if made is None else made.assign(unit=made["worth_measure"].map(UNITS))


@topic.table("member", KEY, "member_measure", "dh", adds=None)
def member(study: Study, offers: dict[str, Offer]) -> pd.DataFrame | None:
    """A month, in all, and the largest loan, without the agreement and with it: means of those who can use it."""

    def rows(offer: Offer) -> pd.DataFrame:
        shown = [name for name in offer.sides if not name.startswith("present")]
        parts = [guarded(offer.gain(what=name), "").assign(member_measure=name) for name in shown]
        return pd.concat(parts, ignore_index=True)

    made = each(offers, rows)
    monthly = [] if made is None else made["member_measure"].str.startswith("instalment")
    return None if made is None else made.assign(unit=np.where(monthly, "dh_month", "dh"))


for _group in GROUPS[:3]:

    @topic.table(f"by_{_group}", _group, KEY)
    def by_group(study: Study, offers: dict[str, Offer], group: str = _group) -> pd.DataFrame | None:
        """Who can use each agreement, by group."""

        def rows(offer: Offer) -> pd.DataFrame:
            met = offer.group(group)[offer.uses].value_counts().astype(float)
            found = long_format(offer.users(group), group)
            return found.assign(numerator=found[group].map(met).fillna(0.0))

        return None if study.lacking([group]) else each(offers, rows)


@topic.table("gain", "agreement_group", KEY, "dh", adds=None)
def gain(study: Study, offers: dict[str, Offer]) -> pd.DataFrame | None:
    """What each agreement spares those who can use it, mean by status and rank, DH of today."""

    def rows(offer: Offer) -> pd.DataFrame:
        parts = [guarded(offer.gain(), "").assign(agreement_group="all")]
        for name in ("status", "rank_group"):
            if name in offer.frame:
                own = guarded(offer.gain(offer.group(name)), "", "agreement_group")
                parts.append(own.assign(agreement_group=f"{name}:" + own["agreement_group"]))
        return pd.concat(parts, ignore_index=True)

    return each(offers, rows)


@topic.table("reasons", "agreement_reason", KEY, adds="agreement_reason")
def reasons(study: Study, offers: dict[str, Offer]) -> pd.DataFrame | None:
    """What stops members from using each agreement, the first reason of each, and those whom none stops."""

    def rows(offer: Offer) -> pd.DataFrame:
        found = long_format(offer.stopped, "agreement_reason")
        met = offer.reason.value_counts()
        found = found.assign(numerator=found["agreement_reason"].map(met.to_dict()).astype(float))
        return found[found["estimate"] > 0]

    return each(offers, rows)


@topic.table("ends", KEY, "agreement_end", "dh", adds=None)
def ends(study: Study, offers: dict[str, Offer]) -> pd.DataFrame | None:
    """What each agreement spares those who can use it with its term at either end of what is known of it."""
    lines = agreements.stated().set_index("agreement").query("low < high")

    def rows(offer: Offer) -> pd.DataFrame:
        line, parts = lines.loc[offer.agreement.agreement], []
        for end in ENDS:
            at = study.result(agreements.offer, replace(offer.agreement, value=float(line[end])))
            parts.append(guarded(at.gain(), "").assign(agreement_end=end))
        return pd.concat(parts, ignore_index=True)

    return each({name: offer for name, offer in offers.items() if name in lines.index}, rows)


def own_rates(study: Study, lent: bool) -> pd.Series:
    """The highest rate at which each can carry the social flat."""
    market = study.result(agreements.homes)
    price = float(market.offers.loc[FLAT, "price_dh"])
    return agreements.break_even_rate(market.frame, market.terms, price, lent)


def ranks(study: Study) -> pd.Series | None:
    """Ranks of the active who want a home and own none; None where a question that the sums need was not asked."""
    if study.lacking((*agreements.HOME, "rank_group")):
        return None
    market = study.result(agreements.homes)
    return market.frame["rank_group"].astype(object).where(market.wishers & market.frame["status"].eq("active"))


def wanting(offers: dict[str, Offer]) -> Base:
    """Who wants a home and owns none and says what pay, deductions and savings are, of those who want one."""
    homes = [offer for offer in offers.values() if offer.agreement.product in ("home_loan", "flat")]
    if not homes:
        return known(offers)
    of = homes[0]
    wants = of.stops[["minor", "owns", "not_wanted"]].eq(False).all(axis=1)
    return wants & of.reason.notna(), wants


@topic.table("curve", "home_rate", "rank_group", "share", wanting)
def curve(study: Study, offers: dict[str, Offer]) -> pd.DataFrame | None:
    """Of those who want a home and own none the part that can carry the social flat at each rate, fees lent too."""
    rank = study.result(ranks)
    if rank is None:
        return None
    rate, design = study.result(own_rates, True), study.result(agreements.homes).design
    where = rank.notna() & rate.notna()
    can = pd.DataFrame({str(at): rate.ge(at / 100).where(where) for at in RATES}).astype("boolean")
    met = can[where].astype(int).groupby(rank[where]).sum().T.stack()
    found = mean(design, can, by=rank, where=where)
    return counted(found, "home_rate", met.reindex(found.value.index), across="rank_group")


@topic.table("break_even", "rank_group", "break_even", "share", wanting, adds=None, statistic="quantile")
def break_even(study: Study, offers: dict[str, Offer]) -> pd.DataFrame | None:
    """The rate up to which a share of each group of ranks can carry the social flat: fees lent too, or saved before."""
    rank, parts = study.result(ranks), []
    if rank is None:
        return None
    for fees, lent in (("lent", True), ("saved", False)):
        rate = study.result(own_rates, lent).clip(-ANY, ANY)
        for name, share in SHARES.items():
            where = rank.notna() & rate.notna()
            rows = quantile_rows(study.result(agreements.homes).design, rate, 1 - share, rank, where)
            parts.append(rows.assign(break_even=f"{name}_{fees}"))
    rows = pd.concat(parts, ignore_index=True)
    said = pd.Series(np.select([rows["estimate"] < 0, rows["estimate"] >= ANY], ["rate.none", "rate.any"], ""))
    said = said.where(rows["n"] >= policy().min_base).replace("", np.nan)
    return rows.assign(text=said, **rows[list(NUMBERS)].clip(lower=0.0))


@topic.table("compared", "agreement_group", "offer_better", "share", adds="offer_better")
def compared(study: Study, offers: dict[str, Offer]) -> pd.DataFrame | None:
    """Of those who can use one of two agreements at least, the part better off under each, in all and by rank."""
    if not set(COMPARED) <= set(offers):
        return None
    first, second = (offers[name] for name in COMPARED)
    flags, where = agreements.better(first, second), first.uses | second.uses
    groups = {"all": pd.Series("all", where.index)}
    groups |= {"rank": "rank_group:" + first.group("rank_group")} if "rank_group" in first.frame else {}
    parts = []
    for group in groups.values():
        by, inside = group.rename("agreement_group"), where & group.notna()
        made = mean(first.design, flags, by=by, where=inside)
        met = flags[inside].fillna(False).astype(int).groupby(by[inside]).sum().T.stack()
        parts.append(counted(made, "offer_better", met.reindex(made.value.index), across="agreement_group"))
    return pd.concat(parts, ignore_index=True)
