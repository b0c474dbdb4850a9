"""Agreements: instalments by hand, break-even rates by search, reasons as a partition, and files with faults."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.demand import credit, intercity
from welfare_analysis.demand.credit import Terms
from welfare_analysis.demand.housing import assumed
from welfare_analysis.errors import WelfareError
from welfare_analysis.planning import agreements as plan
from welfare_analysis.planning.agreements import Agreement, agreements, better, break_even_rate, offer
from welfare_analysis.study import DATA, Study, public
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

RATE = Agreement("home_loan", "bank", "home_loan", "rate", 0.045)
PRICE = Agreement("developer_price", "developer", "flat", "price", 200_000.0)


def study(**columns):
    """Active guards of 30 with 4,000 DH and 30,000 DH of savings who want a home, unless said otherwise."""
    n = max(2, *(len(v) for v in columns.values()))
    plain = {"status": "active", "age": 30.0, "tenure": "tenant", "wants_home": "yes", "net_pay_dh": 4000.0,
             "pension_dh": np.nan, "has_loan": "no", "consumer_deduction_dh": np.nan, "housing_deduction_dh": np.nan,
             "savings_dh": 30_000.0, "rank": "gardien", "command": "nador"}  # fmt: skip
    frame = pd.DataFrame({name: [*columns.get(name, []), *[value] * n][:n] for name, value in plain.items()})
    return Study.of(typed(frame, BOOK), None, None, BOOK)


@pytest.fixture(scope="module")
def many():
    """Random households of a generated survey; each form has a weight of one."""
    world = generate(Parameters.read(DATA / "public"), 29, "rich", size=3000)
    return Study.of(typed(world.answers, BOOK), None, None, BOOK)


def monthly(rate, months):
    """Instalment of a dirham by summing its payments in exact fractions; the rate is loaded already."""
    step = 1 + Fraction(rate).limit_denominator(10**9) / 12
    return float(1 / sum(step**-k for k in range(1, months + 1)))


def test_what_a_rate_is_worth_by_hand():
    """A flat of 250,000 DH with 6 % of fees and 30,000 DH of savings: a loan of 235,000 DH over 20 years."""
    sides = offer(study(age=[30.0]), RATE).sides.iloc[0]
    worth = {}
    for side, rate in (("before", "0.0603"), ("after", "0.045")):
        loaded = Fraction(rate) * Fraction("1.1") + Fraction("0.005")  # with VAT, and insurance
        paid = 235_000 * monthly(loaded, 240)
        assert sides[f"instalment_{side}"] == pytest.approx(paid, rel=1e-9)
        assert sides[f"total_{side}"] == pytest.approx(240 * paid + 30_000, rel=1e-9)
        worth[side] = paid / monthly(Fraction(str(assumed("discount_rate"))), 240) + 30_000
        assert sides[f"most_{side}"] == pytest.approx(1600 / monthly(loaded, 240), rel=1e-9)  # 40 % of 4,000 DH
    assert offer(study(age=[30.0], net_pay_dh=[9000.0]), RATE).worth[0] == pytest.approx(
        worth["before"] - worth["after"], rel=1e-9
    )


def test_the_police_guard_of_the_public_rates():
    """1,600 DH over 25 years carry 287,860 DH at 4.5 % and 247,600 DH at 6.03 % (a table made by hand)."""
    people = study(savings_dh=[0.0]).frame
    for rate, price in ((0.045, 287_860), (0.0603, 247_600)):
        found = break_even_rate(people, Terms(0.0, 300), price)
        assert found.iloc[0] == pytest.approx(rate, abs=2e-5)  # prices are to ten dirhams


def test_rates_where_nothing_decides():
    """Whoever needs no loan carries the price at any rate; whoever is past the limit of age, or broke, at none."""
    people = study(age=[30.0, 64.9, 30.0, 30.0], savings_dh=[300_000.0, 0.0, 0.0, np.nan],
                   net_pay_dh=[4000.0, 4000.0, 1600.0, 4000.0]).frame  # fmt: skip
    found = break_even_rate(people, Terms.named("housing_bank"), 250_000)
    assert found[:3].tolist() == [np.inf, -np.inf, -np.inf]
    assert np.isnan(found[3])


@pytest.mark.parametrize("initial", [False, True])
@pytest.mark.parametrize("lent", [True, False])
def test_break_even_is_what_a_search_finds(many, lent, initial):
    """Just below their own rate all carry the price, just above nobody does; by the price that each can afford."""
    bank = Terms.named("housing_bank")
    plain = replace(bank, insured_initial=initial, down_payment=-bank.fees if lent else bank.down_payment)
    frame = many.frame
    own = break_even_rate(frame, replace(bank, insured_initial=initial), 250_000, lent)
    inside = own[np.isfinite(own)]
    assert len(inside) > 50
    for row, rate in inside.iloc[:25].items():
        around = [replace(plain, rate=rate + step) for step in (-1e-9, 1e-9)]
        below, above = (credit.affordable_price_dh(frame.loc[[row]], terms).iloc[0] for terms in around)
        assert below >= 250_000 > above
    for rate in (0.0, 0.03, 0.0603, 0.12):
        price = credit.affordable_price_dh(frame, replace(plain, rate=rate))
        known = own.notna() & price.notna()
        assert ((price >= 250_000) == (own >= rate))[known].all()


def test_a_lower_rate_never_lets_fewer_in(many):
    """Who can use a loan at a rate can at each lower one; the same for prices."""
    for deal, values in ((RATE, (0.08, 0.0603, 0.045, 0.0)), (PRICE, (300_000.0, 250_000.0, 200_000.0, 100_000.0))):
        before = pd.Series(False, many.frame.index)
        for value in values:
            now = offer(many, replace(deal, value=value)).uses
            assert not (before & ~now).any()
            assert now.sum() >= before.sum()
            before = now
        assert before.any()


@pytest.mark.parametrize("name", list(agreements(BOOK)))
def test_reasons_part_everybody(many, name):
    """Each person stands at the first reason that holds; numbers of all reasons add up to all persons."""
    made = offer(many, agreements(BOOK)[name])
    table, reason = made.stops, made.reason
    for row in table.index[:400]:
        held = table.loc[row]
        first = next((kind for kind, flag in held.items() if flag is pd.NA or flag), None)
        unknown = first is not None and held[first] is pd.NA
        assert pd.isna(reason[row]) if unknown else reason[row] == (first or plan.USES)
    assert made.stopped.value.sum() == pytest.approx(len(many.frame))
    assert (made.stopped.value >= -1e-9).all()
    for group in ("status", "command_group"):
        assert made.users(group).value.sum() == pytest.approx(made.stopped.value[plan.USES])
    active = made.users("status").value["active"]
    assert made.users("rank_group").value.sum() == pytest.approx(active)


def test_who_stands_at_which_reason():
    """One person for each reason of a home: a minor, an owner, no wish, too old, no cash for fees, too little pay."""
    made = offer(
        study(
            status=["orphan", "active", "active", "active", "active", "active", "active", "active", "active"],
            age=[16.0, 30.0, 30.0, 66.0, 30.0, 30.0, 30.0, 30.0, 30.0],
            pension_dh=[900.0] + [np.nan] * 8,
            net_pay_dh=[np.nan, 9e3, 9e3, 9e3, 9e3, 2400.0, 3000.0, 9e3, np.nan],
            tenure=["family", "owner", *["tenant"] * 7],
            wants_home=["yes", "yes", "no", *["yes"] * 6],
            savings_dh=[3e4, 3e4, 3e4, 3e4, 14_999.0, 3e4, 3e4, 3e4, 3e4],
        ),
        RATE,
    )
    found = made.reason.tolist()
    assert found[:8] == ["minor", "owns", "not_wanted", "age_limit", "savings", "pay_left", "pay_share", "uses"]
    assert pd.isna(found[8])
    assert made.worth[:7].eq(0).all()
    assert made.worth[7] > 0


def test_the_line_between_them_is_that_of_the_price_one_can_afford(many):
    """Of those who want a home and own none, no reason of money holds just where the price can be afforded."""
    for deal in (RATE, PRICE):
        made = offer(many, deal)
        terms, price = deal.terms(Terms.named("housing_bank")), deal.prices(250_000.0)[1]
        can = credit.affordable_price_dh(many.frame, terms) >= price
        asked = made.stops[["minor", "owns", "not_wanted"]].eq(False).all(axis=1) & made.reason.notna()
        assert (made.uses == can)[asked].all()


def test_who_is_not_let_in():
    """Statuses and regions of an agreement; a ceiling below the loan that is needed."""
    people = study(status=["active", "retired", "active"], pension_dh=[np.nan, 9e3, np.nan],
                   net_pay_dh=[9e3, np.nan, 9e3], command=["nador", "nador", "casablanca"])  # fmt: skip
    east = people.frame["command_group"][0]
    found = offer(people, replace(RATE, who=("active",), where=(east,))).reason.tolist()
    assert found == ["uses", "status", "command_group"]
    capped = offer(people, replace(RATE, ceiling_dh=200_000.0))
    assert capped.reason.tolist() == ["ceiling"] * 3
    assert offer(people, replace(RATE, ceiling_dh=235_000.0)).uses.all()


@pytest.mark.parametrize(
    ("term", "value", "prices"),
    [("price", 200_000, (250_000, 200_000)), ("discount", 0.1, (250_000, 225_000)),
     ("grant", 40_000, (250_000, 210_000)), ("tax", 40_000, (290_000, 250_000)), ("grant", 300_000, (250_000, 0))],
)  # fmt: skip
def test_prices_before_and_after(term, value, prices):
    """A price, a discount and a grant lower the price of the offer; a tax paid in the buyer's place spares its rise."""
    assert replace(PRICE, term=term, value=value).prices(250_000.0) == pytest.approx(prices)


def test_trains_by_hand():
    """Ten trips at 80 DH with 35 % off: 280 DH a year; others do not travel by train."""
    frame = pd.DataFrame({
        "status": ["active"] * 3, "intercity_trips_n": [10.0, 4.0, 0.0], "intercity_cost_dh": [80.0, 50.0, np.nan],
        "intercity_mode": ["train", "coach", None], "command": ["nador"] * 3,
    })  # fmt: skip
    deal = Agreement("rail_fares", "carrier", "rail", "discount", 0.35)
    made = offer(Study.of(typed(frame, BOOK), None, None, BOOK), deal)
    assert made.worth.tolist() == pytest.approx([280.0, 0.0, 0.0])
    assert made.reason.tolist() == ["uses", "no_train", "no_train"]


def test_two_offers_side_by_side():
    """30,000 DH less of a price beats a small cut of the rate; who can use one alone is better off under it."""
    people = study(net_pay_dh=[9e3, 9e3, 4100.0, 1600.0], savings_dh=[30_000.0, 260_000.0, 30_000.0, 0.0])
    less = offer(people, replace(PRICE, value=220_000.0))
    rate = offer(people, replace(RATE, value=0.058))
    flags = better(rate, less)
    assert flags["second"].tolist() == [True, True, less.uses[2], False]
    assert flags["alike"].tolist() == [False, False, not less.uses[2], True]
    assert flags.sum(axis=1).eq(1).all()
    assert better(less, rate)["first"].equals(flags["second"])


def test_terms_are_those_of_the_other_tables():
    """No number of another table is typed twice: a rate, a price and a discount are what those tables say."""
    known = agreements(BOOK)
    for name, terms in (("home_loan", "housing_foundation"), ("home_talks", "housing_talks"),
                        ("consumer_loan", "consumer_foundation"), ("consumer_talks", "consumer_talks")):  # fmt: skip
        assert known[name].value == Terms.named(terms).rate
    assert known["rail_fares"].value == intercity.parameter("discount")
    assert known["developer_price"].value == assumed("price_cap_dh")
    table = public("agreements")
    assert table.loc[table["taken_from"].notna(), ["value", "low", "high"]].isna().all().all()
    assert plan.stated()[["value", "low", "high", "unit", "kind", "source"]].notna().all().all()


LINE = dict.fromkeys(public("agreements"), "") | {
    "agreement": "our bank", "partner_type": "bank", "product": "home_loan", "term": "rate", "value": "0.04",
    "unit": "share", "kind": "reported", "source": "the contract",
}  # fmt: skip


@pytest.fixture
def named(tmp_path, monkeypatch):
    """Write lines to a file that AGREEMENTS names."""

    def write(*lines, drop=()):
        path = tmp_path / "ours.csv"
        pd.DataFrame([LINE | line for line in lines]).drop(columns=list(drop)).to_csv(path, index=False)
        monkeypatch.setenv("AGREEMENTS", str(path))
        return path

    return write


def test_lines_of_ones_own_are_added_and_replace(named):
    """A new id is added, a known one replaces the line of data/public; the others stay as they are."""
    before = agreements(BOOK)
    named(
        {"who": "active|retired", "ceiling_dh": "300000", "term_months": "180"},
        {"agreement": "home_loan", "value": "0.035"},
    )
    after = agreements(BOOK)
    assert list(after) == [*before, "our bank"]
    assert after["home_loan"].value == 0.035
    assert after["our bank"] == Agreement(
        "our bank", "bank", "home_loan", "rate", 0.04, 300_000.0, 180.0, ("active", "retired")
    )
    assert all(repr(after[name]) == repr(deal) for name, deal in before.items() if name != "home_loan")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"who": "active|student"}, "row 3, column who: not what an agreement may say; got 'active|student'; expected"),
        ({"where": "atlantis"}, "row 3, column where"),
        ({"value": "4.5"}, "column value: not what an agreement may say; got 4.5; expected a share from 0 to 1"),
        ({"value": "-0.01"}, "column value"),
        ({"product": "flat", "term": "price", "value": "-5"}, "expected an amount in DH, not negative"),
        ({"value": "low"}, "column value: not what an agreement may say; got 'low'; expected a number"),
        ({"value": ""}, "column value"),
        ({"low": "0.05"}, "column value: not what an agreement may say; got 0.04; expected an amount or share between"),
        ({"ceiling_dh": "-1"}, "column ceiling_dh"),
        ({"term_months": "0"}, "column term_months"),
        ({"product": "yacht"}, "column product"),
        ({"term": "price"}, "column term"),
        ({"partner_type": "friend"}, "column partner_type"),
        ({"kind": "hearsay"}, "column kind"),
        ({"agreement": "a|b"}, "column agreement"),
        ({"agreement": ""}, "column agreement"),
        ({"agreement": "our bank"}, "column agreement: not what an agreement may say; got 'our bank'; expected each"),
        ({"taken_from": "credit|housing_nobody|rate", "value": ""}, "column taken_from"),
    ],
)  # fmt: skip
def test_faults_of_a_file_say_where_what_and_which_rule(named, line, message):
    """File, row, column, value and rule of the first fault; the line before it is sound."""
    named({}, {"agreement": "second", **line})
    with pytest.raises(WelfareError) as caught:
        agreements(BOOK)
    assert str(caught.value).startswith("ours.csv, row 3")
    assert message in str(caught.value)


def test_a_missing_column_is_named(named):
    """The first column that the file lacks, and all that it should have."""
    named({}, drop=["ceiling_dh", "note"])
    with pytest.raises(WelfareError, match=r"ours.csv, row 1: the column ceiling_dh is missing; expected agreement, "):
        agreements(BOOK)


def test_a_file_that_is_not_there(monkeypatch, tmp_path):
    """The name of the variable is in the hint."""
    monkeypatch.setenv("AGREEMENTS", str(tmp_path / "none.csv"))
    with pytest.raises(WelfareError, match=r"the file is not there.*AGREEMENTS="):
        agreements(BOOK)
