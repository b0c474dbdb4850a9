r"""What changes the demand for homes and what that costs: measures, tests of what is affordable, ends of the evidence.

A measure k is judged by the homes likely within five years (`HomeMarket.likely`) with it and without, both from the
same people and coefficients. It costs the public :math:`k_{ij}` dirhams of today for the home of kind j that person i
takes: a grant or a lower price as it is; a lower rate

.. math:: k_{ij} = L_{ij} (q_0 - q_1)\, a_n(\rho), \qquad L_{ij} = \max(0, (1 + f) P_j - S_i),

with L the loan that savings S do not spare, q the instalments a dirham over the n months of i and :math:`\rho` the
discount rate; a guarantee the part of L that is expected to be lost. What a member pays is :math:`L q_1 a_n(\rho)` and
the rest of the price in cash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from ..needs.income_debt import member_income_dh
from ..study import public
from ..survey.cards import annuity
from . import borrowers, credit
from .assumptions import at_end, place
from .borrowers import RETIRES
from .credit import Terms
from .housing import BOUGHT, PLOT, YEARS, HomeMarket, assumed, bought
from .levers import Levers, lever

FLAT, BASE, BANK = "social_flat", "housing_foundation", "housing_bank"
BUILDING = ("building_dh_m2", "building_m2")  # what a house on a plot costs
BETTER_HIGH = ("months", "age_end", "size_m2", "saving_share")  # of other parameters the low end is the favourable one


def loan_dh(market: HomeMarket) -> pd.DataFrame:
    """The loan that savings and grant do not spare, by person and kind of home (n x kinds), DH."""
    return pd.DataFrame({a: credit.loan_dh(market.frame, market.terms, cost) for a, cost in market.to_pay.items()})


def present_dh(market: HomeMarket, rate: float, terms: Terms | None = None) -> pd.Series:
    """What instalments on each dirham lent are worth today, over each person's months; 0 where none can be lent."""
    months = credit.months_left(market.frame, terms or market.terms).to_numpy()
    monthly = np.where(months > 0, (terms or market.terms).cost(np.maximum(months, 1)), 0.0)
    return pd.Series(monthly * annuity(rate, months), market.frame.index)


def on_terms(
    market: HomeMarket, terms: Terms | None = None, flat_dh: float | None = None
) -> tuple[HomeMarket, pd.DataFrame]:
    """The market at other terms of credit or another price of the social flat, and DH of today that each home spares.

    What its buyer is spared costs the public, or whoever signs for it (n x kinds).
    """
    price, rate = float(market.to_pay[FLAT]) if flat_dh is None else flat_dh, assumed("discount_rate")
    saved = present_dh(market, rate) - present_dh(market, rate, terms)
    cut = pd.Series(np.where(market.to_pay.index == FLAT, market.to_pay - price, 0.0), market.to_pay.index)
    return market.at(terms, {FLAT: {"price_dh": price}}), loan_dh(market).mul(saved, axis=0) + cut


def measures(market: HomeMarket) -> dict[str, tuple[HomeMarket, pd.DataFrame]]:
    """Each measure: the market with it, and DH of today that each home costs the public (n x kinds).

    All against the same base, ``market``: the Foundation's rate for that of the banks, a grant, a cap on the price of
    the social flat, cheaper land, a guarantee with which fees are lent too, and rate and guarantee together.
    """
    ones = pd.DataFrame(1.0, market.frame.index, list(market.to_pay.index))
    grant, terms = Terms.named("housing_grant").grant_dh, replace(market.terms, rate=Terms.named(BASE).rate)
    land = assumed("plot_price_dh")
    cheaper = market.offers.loc[PLOT, "price_dh"] - land
    secured = replace(market.terms, down_payment=-market.terms.fees)
    at_rate, loans, lost = on_terms(market, terms), loan_dh(market), assumed("guarantee_loss_share")
    return {
        "rate": at_rate,
        "grant": (market.at(replace(market.terms, grant_dh=grant)), grant * ones),
        "price_cap": on_terms(market, flat_dh=assumed("price_cap_dh")),
        "land": (market.at(offers={PLOT: {"price_dh": land}}), ones * (ones.columns == PLOT) * cheaper),
        "guarantee": (market.at(secured), lost * loans),
        "guarantee_lost": (market.at(secured), assumed("guarantee_loss_share", "high") * loans),
        "rate_guarantee": (market.at(replace(terms, down_payment=-terms.fees)), at_rate[1] + lost * loans),
    }


def levers(market: HomeMarket, made: Mapping[str, tuple[HomeMarket, pd.DataFrame]] | None = None) -> Levers:
    """What each of `measures` (or of others) brings and costs, see `levers.lever`, and what members pay with it, DH."""
    made, rate = measures(market) if made is None else made, assumed("discount_rate")
    one = pd.DataFrame(1.0, market.frame.index, list(market.to_pay.index))
    before = market.likely({"homes": one} | {name: cost for name, (_, cost) in made.items()})
    found, members = {}, {}
    for name, (other, cost) in made.items():
        lent = loan_dh(other)
        cash = pd.DataFrame({a: (1 + other.terms.fees) * p for a, p in other.to_pay.items()}, lent.index) - lent
        paid = lent.mul(present_dh(other, rate), axis=0) + cash - other.terms.grant_dh
        after = other.likely({"homes": one, "cost": cost, "member": paid})
        units, money, theirs = (bought(after, q) for q in ("homes", "cost", "member"))
        found[name] = lever(bought(before, "homes"), units, money, bought(before, name))
        members[name] = theirs
    return found, members


def tests(market: HomeMarket) -> dict[str, HomeMarket]:
    """The market under each test of what can be paid (`borrowers.tests`).

    ``no_house``: a plot counts without one; ``saving``: savings grow over the five years by a part of pay or pension.
    """
    terms = market.terms
    dearer = replace(terms, rate=terms.rate + assumed("stress_points"))
    last_age = market.frame["age"] + credit.months_left(market.frame, terms) / 12
    tried = borrowers.tests(market, replace(terms, age_end=RETIRES), dearer, last_age, assumed("pay_less_share"))
    saved = 12 * YEARS * assumed("saving_share") * member_income_dh(market.frame)
    later = market.frame.assign(savings_dh=market.frame["savings_dh"] + saved)
    return tried | {"no_house": market.at(building_dh=0.0), "saving": market.at(means=later)}


def parameters() -> pd.DataFrame:
    """What is assumed of homes, credit and programme: value, low, high, unit, kind, source; one row a parameter.

    ``place`` is where the value stands in its range, 0 at the unfavourable and 1 at the favourable end; missing where
    there is no range. ``enters``: whether the forecast rests on it, and not only what a measure costs.
    """
    offers = public("home_offers").rename(columns={"alternative": "home_offer", "attribute": "home_assumption"})
    lent = credit.rows_of([BASE]).rename(columns={"parameter": "home_assumption"}).assign(home_offer="credit")
    programme = public("home_programme").rename(columns={"item": "home_assumption"}).assign(home_offer="programme")
    banks = credit.rows_of([BANK]).rename(columns={"parameter": "home_assumption"}).query("home_assumption == 'rate'")
    banks = banks.assign(home_offer="programme", home_assumption="rate_bank")  # what measures are set against
    found = pd.concat([offers[offers["home_offer"].isin(BOUGHT)], lent, banks, programme], ignore_index=True)
    name = found["home_assumption"]
    enters = (found["low"] < found["high"]) & (found["home_offer"].ne("programme") | name.isin(BUILDING))
    columns = ["home_offer", "home_assumption", "value", "low", "high", "unit", "kind", "source"]
    return found[columns].assign(place=place(found, name, BETTER_HIGH), enters=enters)


def moved(market: HomeMarket, rows: pd.DataFrame, end: pd.Series) -> HomeMarket:
    """The market with parameters (rows of `parameters`) at other values."""
    value = dict(zip(zip(rows["home_offer"], rows["home_assumption"], strict=True), end.astype(float), strict=True))
    offers = {kind: {name: x for (offer, name), x in value.items() if offer == kind} for kind in BOUGHT}
    terms = replace(market.terms, **{name: x for (offer, name), x in value.items() if offer == "credit"})
    metre, size = (value.get(("programme", name), assumed(name)) for name in BUILDING)
    return market.at(terms, offers, building_dh=metre * size)


def ends(market: HomeMarket) -> dict[str, HomeMarket]:
    """All that is assumed of homes and credit at its good end (``favourable``), and at its bad end."""
    rows = parameters().query("enters")
    cases = {"favourable": True, "unfavourable": False}
    return {
        case: moved(market, rows, at_end(rows, rows["home_assumption"], good, BETTER_HIGH))
        for case, good in cases.items()
    }


def one_at_a_time(market: HomeMarket) -> Iterator[tuple[str, str, HomeMarket]]:
    """The market with an assumption at an end of its range, one at a time."""
    for name, rows in parameters().query("enters").groupby("home_assumption", sort=False):
        for end in ("low", "high"):
            yield str(name), end, moved(market, rows, rows[end])
