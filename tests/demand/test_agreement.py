"""What an agreement brings and takes: present values by the schedule, and the net of each party by hand."""

import numpy as np
import pandas as pd
import pytest
from amortisation import present_value, schedule
from books import BOOK

from welfare_analysis.demand import agreement, loans
from welfare_analysis.demand.credit import Terms
from welfare_analysis.demand.loans import PRODUCTS, TERMS, LoanMarket
from welfare_analysis.estimation import Design
from welfare_analysis.study import DATA, public
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

OWN = Terms(0.065, 84)


@pytest.fixture(scope="module")
def market():
    people = typed(generate(Parameters.read(DATA / "public"), 6, "plain", size=12_000).truth, BOOK)
    people["loan_certainty"] = np.where(np.arange(len(people)) % 4, 5.0, 9.0)
    return LoanMarket(people, Design(pd.Series(2.0, people.index)), BOOK, {p: Terms.named(t) for p, t in TERMS.items()})


def test_what_the_bank_keeps():
    """Payments at the rate of its funds are worth more than the loan by the share kept; nothing at its own rate."""
    paid = schedule(100_000, OWN, 60)["instalment_dh"]
    known = present_value(paid, 0.03) / 100_000 - 1
    months = pd.Series([60.0])
    assert agreement.kept(0.065, months, 0.03).iloc[0] == pytest.approx(known, abs=1e-6)
    assert agreement.kept(0.065, months, 0.065).iloc[0] == pytest.approx(0, abs=1e-12)


def chances(market, fit):
    """Probabilities (rows of the computed x products), by NumPy from the coefficients."""
    long = market.put(market.computed, market.eligible & market.affordable)
    b, u = fit.value, 0.0
    for name in ("amount_100k", "term_years"):
        u = u + b[name] * long[name]
    for name in ("rate_points", "insurance_100"):
        u = u + long[name] * b[[f"{name}:C(income_group)[{g}]" for g in long["income_group"]]].to_numpy()
    for p in PRODUCTS:
        first = f"C(alternative)[T.{p}]"
        shift = b[first] + sum(b[f"{first}:{s}"] * long[s] for s in loans.SHIFTS if f"{first}:{s}" in b)
        u = u + shift * (long["alternative"] == p)
    e = np.exp(u)
    long["p"] = e / e.groupby(long["row"]).transform("sum")
    return long.pivot(index="row", columns="alternative", values="p").fillna(0.0)[list(PRODUCTS)]


def annuity(rate, months):
    return (1 - (1 + rate / 12) ** -months) / (rate / 12)


def test_the_net_of_each_party_by_hand(market):
    """Kept, rebate, losses, members and the Foundation, from probabilities with and without the agreement."""
    given = public("loan_offers").set_index("item")["value"].astype(float)
    discount = float(public("home_programme").set_index("item").loc["discount_rate", "value"])
    base = market.at({"foundation": 0.0728})
    with_, without = (chances(m, market.fit()) for m in (market, base))
    rows = with_.index
    amount, months = market.amount[rows], market.months["foundation"][rows]
    margin = {
        rate: amount * (annuity(given["funding_rate"], months) / annuity(rate, months) - 1
                        - given["running_cost_share"] * months / 24)
        for rate in (0.065, 0.0728)
    }  # fmt: skip
    other = market.months["conventional"][rows]
    rate = np.where(market.frame.loc[rows, "status"] == "active", 0.0728, 0.1107)  # banks' to a pension
    conventional = amount * (annuity(given["funding_rate"], other) / annuity(rate, other) - 1
                             - given["running_cost_share"] * other / 24) * given["partner_share"]  # fmt: skip
    more = with_ - without
    scale = float(market.sure.value.iloc[0]) * float(loans.per_year(market.wishing()).value.iloc[0]) / len(rows)
    keeps = (more["foundation"] * margin[0.065] + more["conventional"] * conventional).sum() * scale
    rebate = (without["foundation"] * (margin[0.0728] - margin[0.065])).sum() * scale
    exposed = (more["foundation"] * amount * months / 24).sum()
    exposed += (more["conventional"] * amount * other / 24).sum() * given["partner_share"]
    found = agreement.net(market)["middle"].value
    assert found["kept"] == pytest.approx(keeps, rel=1e-6)
    assert found["rebate"] == pytest.approx(rebate, rel=1e-6)
    assert found["losses"] == pytest.approx(0.03 * 0.5 * exposed * scale, rel=1e-6)
    assert found["bank"] == pytest.approx(keeps - rebate - 0.015 * exposed * scale, rel=1e-6)
    fall = amount * annuity(discount, months)
    pays = fall * (1 / annuity(0.0728, months) - 1 / annuity(0.065, months))
    assert found["foundation"] == pytest.approx((with_["foundation"] * pays).sum() * scale, rel=1e-6)
    own, dear = (
        1 / annuity(r * 1.1 + market.terms["foundation"].insurance, months) for r in (0.065, 0.0728)
    )  # fmt: skip
    gain = ((with_["foundation"] + without["foundation"]) / 2 * fall * (dear - own)).sum() * scale
    assert found["members"] == pytest.approx(gain, rel=1e-6)


def test_each_lever_by_hand(market):
    """Loans with and without, and the cost; a guarantee gives nothing to those who would have come anyway."""
    made, members = agreement.levers(market)
    base = market.at({"foundation": 0.0728})
    before = base.likely().value["files"][list(PRODUCTS)].sum()
    after = market.likely().value["files"]
    one = made["agreement"].value
    assert one["before"] == pytest.approx(before)
    assert one["additional"] == pytest.approx(after[list(PRODUCTS)].sum() - before)
    assert one["cost_dh"] == pytest.approx(agreement.net(market)["low"].value["foundation"])
    assert one["transfer_dh"] == pytest.approx(one["cost_dh"] * (1 - one["additional"] / after["foundation"]))
    late = made["late"].value
    assert late["additional"] > 0
    assert late["transfer_dh"] == pytest.approx(0, abs=1e-9)
    assert made["talks"].value["additional"] > one["additional"]
    assert (pd.Series({n: e.value.iloc[0] for n, e in members.items()}) > 0).all()
