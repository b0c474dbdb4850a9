"""Agreements with partners (page 10): what each is worth and to whom, who cannot use it and why, break-even terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
import pandas as pd

from ..demand import agreement, intercity, scenarios
from ..demand.credit import Terms
from ..demand.levers import cost_of_one_more
from ..demand.loans import CARDS
from ..demand.stated import times
from ..disclosure import NUMBERS, policy
from ..estimation import Design, Estimate, mean, total
from ..planning import agreements
from ..planning.agreements import BANK, FLAT, MOST_RATE, OWN, Agreement, Offer
from ..study import Study
from . import loans, rail
from .declare import (
    GROUPS,
    Base,
    Topic,
    always,
    attempted,
    counted,
    evidenced,
    is_shown,
    long_format,
    measured,
    quantile_rows,
)
from .homes import home_market
from .loans import loan_market

KEY, RATES = "partner_agreement", range(11)  # per cent a year
# parts of a lever, and columns of what use is expected
USE = {"after": "use_after", "additional": "use_additional", "cost_dh": "use_cost", "transfer_dh": "use_transfer"}
USE |= {"one_more": "use_one_more"}
COMPARED = ("home_talks", "developer_price")  # a lower rate, or a lower price
COMPARABLE = 10  # times the colleagues whose answers a reader may know: respondents of a rank that is shown
SHARES = {"quarter": 0.25, "half": 0.5, "three_quarters": 0.75}


def subject(study: Study) -> dict[str, Offer] | None:
    """Every agreement before the members; None where no question that one needs was asked."""
    return study.result(agreements.offers) or None


def known(offers: dict[str, Offer]) -> Base:
    """Of whom it is known of every agreement whether they can use it, of all."""
    reasons = pd.concat([offer.reason for offer in offers.values()], axis=1)
    return reasons.notna().all(axis=1), pd.Series(True, reasons.index)


FINDINGS = ("agreements_worth", ("many", "worth", "why", "cost", "break_even", "sure"))
topic = Topic("agreements", subject, always, "persons", known, FINDINGS)


def each(offers: Mapping[str, Offer], make: Callable[[Offer], pd.DataFrame]) -> pd.DataFrame:
    """Rows of every agreement for which they can be estimated, named by the agreement."""
    return long_format(attempted({name: partial(make, offer) for name, offer in offers.items()}), KEY)


def groups(offer: Offer, *names: str) -> list[pd.Series]:
    """All as one group, then the groups of each name whose question was asked, as ``list:code``."""
    own = [f"{name}:" + offer.group(name) for name in names if name in offer.frame]
    return [group.rename("agreement_group") for group in (pd.Series("all", offer.frame.index), *own)]


@topic.table("worth", KEY, "worth_measure", "", adds=None)
def worth(study: Study, offers: dict[str, Offer]) -> pd.DataFrame:
    """Who can use each agreement, who of them could not pay without it, and what it spares: each of them, and all."""

    def rows(offer: Offer) -> pd.DataFrame:
        users, gain = offer.users(), offer.gain()
        newly = (offer.uses & ~offer.before).astype("Float64").where(offer.reason.notna()).astype(float)
        more = total(offer.design, newly.rename("newly"), missing="mean").as_positive()
        every = times(gain, users, users.value.index)
        numbers = {"people": (users, "persons"), "newly": (more, "persons")}
        made = measured(numbers | {"gain": (gain, "dh"), "gain_all": (every, "million_dh")}, "worth_measure")
        met = made["worth_measure"].map({"people": float(offer.uses.sum()), "newly": newly.sum()})
        return made.assign(numerator=met.fillna(made["numerator"]))

    return each(offers, rows)


@topic.table("member", KEY, "member_measure", "dh", adds=None)
def member(study: Study, offers: dict[str, Offer]) -> pd.DataFrame:
    """A month, in all, and the largest loan, without the agreement and with it: means of those who can use it."""
    units = {"instalment": "dh_month", "total": "dh", "most": "dh"}

    def rows(offer: Offer) -> pd.DataFrame:
        shown = {name: units[kind] for name in offer.sides if (kind := name.partition("_")[0]) in units}
        return measured({name: (offer.gain(what=name), unit) for name, unit in shown.items()}, "member_measure")

    return each(offers, rows)


for _group in GROUPS[:3]:

    @topic.table(f"by_{_group}", _group, KEY)
    def by_group(study: Study, offers: dict[str, Offer], group: str = _group) -> pd.DataFrame | None:
        """Who can use each agreement, by group."""

        def rows(offer: Offer) -> pd.DataFrame:
            met = offer.group(group)[offer.uses].value_counts().astype(float)
            found = long_format(offer.users(group), "", group)
            found = found.assign(numerator=found[group].map(met).fillna(0.0), lost=False)
            funnel = loans.topic.release(study)[f"loans_funnel_by_{group}"]
            if offer.agreement.product != "consumer_loan" or funnel.state != "shown":
                return found
            # who can pay stands in the funnel too, beside those who have a right to it: both are shown, or neither is
            return found.assign(lost=~is_shown(funnel, found[[group]].assign(step="affordable")))

        return None if study.lacking([group]) else each(offers, rows)


@topic.table("gain", "agreement_group", KEY, "dh", adds=None)
def gain(study: Study, offers: dict[str, Offer]) -> pd.DataFrame:
    """What each agreement spares those who can use it, mean by status and rank, DH of today."""

    def rows(offer: Offer) -> pd.DataFrame:
        made = dict(enumerate(offer.gain(group) for group in groups(offer, "status", "rank_group")))
        return evidenced(made, "grouping", "", "agreement_group").drop(columns="grouping")

    made = each(offers, rows)  # how many of a group can use each is another table
    return made.assign(told=made["agreement_group"].eq("all")) if len(made) else made


@topic.table("reasons", "agreement_reason", KEY, adds="agreement_reason")
def reasons(study: Study, offers: dict[str, Offer]) -> pd.DataFrame:
    """What stops adults from using each agreement, the first reason of each, and those whom none stops.

    Minors are the same in all agreements, and few: they are left out.
    """

    def rows(offer: Offer) -> pd.DataFrame:
        found, met = long_format(offer.stopped, "agreement_reason"), offer.reason.value_counts().to_dict()
        found = found.assign(numerator=found["agreement_reason"].map(met).astype(float))
        return found[(found["estimate"] > 0) & (found["agreement_reason"] != "minor")]

    return each(offers, rows)


@topic.table("ends", KEY, "agreement_end", "dh", adds=None)
def ends(study: Study, offers: dict[str, Offer]) -> pd.DataFrame:
    """What each agreement spares those who can use it with its term at either end of what is known of it."""
    lines = agreements.stated().set_index("agreement").query("low < high")[["low", "value", "high"]].astype(float)

    def rows(offer: Offer) -> pd.DataFrame:
        at = {end: replace(offer.agreement, value=x) for end, x in lines.loc[offer.agreement.agreement].items()}
        gains = {str(end): (study.result(agreements.offer, one).gain(), "dh") for end, one in at.items()}
        return measured(gains, "agreement_end")

    return each({name: offer for name, offer in offers.items() if name in lines.index}, rows)


def expected(study: Study, deal: Agreement) -> tuple[Estimate, str] | None:
    """What an agreement brings and costs (`demand.levers.lever`) by the models of pages 06 to 08, and in which unit.

    None where a question was not asked, and of an agreement for some statuses or regions: the models know of none.
    """
    if deal.who or deal.where or (deal.product == "consumer_loan" and study.lacking(CARDS)):
        return None
    if deal.product == "rail":
        elasticity = intercity.parameter("elasticity")
        return intercity.agreement(study.result(rail.today), deal.value, elasticity), "rail_trips"
    if deal.product == "consumer_loan":
        loans = study.result(loan_market)
        own = loans.at(terms={**loans.terms, OWN: deal.terms(loans.terms[OWN])})
        return agreement.levers(loans, {KEY: own})[0][KEY], "files"
    if (homes := study.result(home_market)) is None:
        return None
    before, after = deal.prices(float(homes.to_pay[FLAT]))
    base = homes.at(Terms.named(BANK), {FLAT: {"price_dh": before}})
    return scenarios.levers(base, {KEY: scenarios.on_terms(base, deal.terms(base.terms), after)})[0][KEY], "homes"


def of_ones_own() -> list[str]:
    """Agreements of the file that AGREEMENTS names."""
    lines = agreements.stated()
    return list(lines.loc[lines["own"], "agreement"])


@topic.table("forecast", KEY, "measure", "", adds=None)
def forecast(study: Study, offers: dict[str, Offer]) -> pd.DataFrame | None:
    """What use is expected of each agreement of one's own, what it costs, and what one more home or loan costs."""
    deals = {name: offers[name].agreement for name in of_ones_own() if name in offers}
    parts = []
    found = attempted({name: partial(expected, study, deal) for name, deal in deals.items()})
    for name, (made, unit) in ((name, one) for name, one in found.items() if one is not None):
        rows = long_format(made, "measure")
        if "additional" in made.value:
            more = cost_of_one_more({"one_more": made}).rename_axis("measure").reset_index()
            more["flag"] = np.where(more.pop("kind") == "between", "", "unsure")
            rows = pd.concat([rows, more.assign(n=rows["n"].max())])
        rows = rows[rows["measure"].isin(USE)].assign(**{KEY: name})
        kinds = {"one_more": "dh", **dict.fromkeys(("cost_dh", "transfer_dh"), "million_dh")}
        parts.append(rows.assign(unit=rows["measure"].map(kinds).fillna(unit), measure=rows["measure"].map(USE)))
    return pd.concat(parts, ignore_index=True) if parts else None


def own_rates(study: Study) -> tuple[pd.Series, dict[str, pd.Series]] | None:
    """Ranks of the active who want a home and own none, and the highest rate at which each can carry the social flat.

    By whether fees are ``lent`` too or ``saved`` before; None where a question that the sums need was not asked.
    """
    if study.lacking((*agreements.HOME, "rank_group")):
        return None
    market = study.result(agreements.homes)
    price, wants = float(market.offers.loc[FLAT, "price_dh"]), market.wishers & market.frame["status"].eq("active")
    rates = {
        fees: agreements.break_even_rate(market.frame, market.terms, price, fees == "lent").clip(-MOST_RATE, MOST_RATE)
        for fees in ("lent", "saved")
    }
    return market.frame["rank_group"].astype(object).where(wants & rates["lent"].notna()), rates


def wanting(offers: dict[str, Offer]) -> Base:
    """Who wants a home and owns none and says what pay, deductions and savings are, of those who want one."""
    for offer in offers.values():
        if offer.agreement.product in ("home_loan", "flat"):
            wants = offer.stops[["minor", "owns", "not_wanted"]].eq(False).all(axis=1)
            return wants & offer.reason.notna(), wants
    return known(offers)


@topic.table("curve", "home_rate", "rank_group", "share", wanting)
def curve(study: Study, offers: dict[str, Offer]) -> pd.DataFrame | None:
    """Of those who want a home and own none the part that can carry the social flat at each rate, fees lent too.

    Who can at one rate can at all lower ones.
    """
    if (own := study.result(own_rates)) is None:
        return None
    rank, rates = own
    can = pd.DataFrame({str(at): rates["lent"].ge(at / 100) for at in RATES}).astype("boolean")
    return shares(study.design, can, rank, rank.notna(), "home_rate").assign(nested=True)


def shares(design: Design, flags: pd.DataFrame, by: pd.Series, where: pd.Series, key: str) -> pd.DataFrame:
    """The part of each group that has each flag, with the respondents behind it."""
    made = mean(design, flags, by=by, where=where)
    met = flags[where].fillna(False).astype(int).groupby(by[where]).sum().T.stack()
    return counted(made, key, met.reindex(made.value.index), across=str(by.name))


@topic.table("break_even", "rank_group", "break_even", "share", wanting, adds=None, statistic="quantile")
def break_even(study: Study, offers: dict[str, Offer]) -> pd.DataFrame | None:
    """The rate up to which a share of each group of ranks can carry the social flat: fees lent too, or saved before."""
    if (own := study.result(own_rates)) is None:
        return None
    (rank, rates), parts = own, []
    for (fees, rate), (name, share) in product(rates.items(), SHARES.items()):
        rows = quantile_rows(study.design, rate, 1 - share, rank, rank.notna())
        parts.append(rows.assign(break_even=f"{name}_{fees}"))
    rows = pd.concat(parts, ignore_index=True)
    said = pd.Series(np.select([rows["estimate"] < 0, rows["estimate"] >= MOST_RATE], ["rate.none", "rate.any"], ""))
    return rows.assign(text=said.replace("", np.nan), **rows[list(NUMBERS)].clip(lower=0.0))


@topic.table("compared", "rank_group", "offer_better", "share", adds=None)
def compared(study: Study, offers: dict[str, Offer]) -> pd.DataFrame | None:
    """Of the active who are better off under one of two agreements than under the other, the part of each, by rank.

    A rank is shown whole or not at all: not with few respondents, of whom a colleague would know too
    much, nor where one of its parts has too few. No sum over ranks is published, and no base: it is nearly who can
    use one of them.
    """
    if not set(COMPARED) <= set(offers) or study.lacking(["rank_group"]):
        return None
    (first, second), rules = (offers[name] for name in COMPARED), policy()
    rank, flags = first.group("rank_group"), agreements.better(first, second)
    differ = flags["alike"].eq(False).fillna(value=False).astype(bool) & rank.notna()
    rows = shares(first.design, flags[["first", "second"]], rank, differ, "offer_better")
    few = rows["n"].lt(COMPARABLE * rules.colleagues) | rows["numerator"].between(1, rules.min_respondents - 1)
    return rows.assign(unsafe=few.groupby(rows["rank_group"]).transform("any"), told=False)
