"""Loans: the annuity, terms with their sources, capacity, the price that can be paid, who crosses a price."""

from dataclasses import replace
from decimal import Decimal, getcontext
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from amortisation import affords, present_value, schedule

from welfare_analysis.demand import credit
from welfare_analysis.demand.credit import Terms
from welfare_analysis.errors import WelfareError
from welfare_analysis.needs import income_debt
from welfare_analysis.study import public
from welfare_analysis.survey.cards import annuity

NAN, NA = float("nan"), pd.NA
BANK, FOUNDATION = Terms(0.0603, 300), Terms(0.045, 300)


def people(**columns):
    """Active adults of 30 without a loan or savings, each paid 4,000 DH, unless said otherwise."""
    n = max(len(v) for v in columns.values())
    plain = {
        "status": "active",
        "age": 30.0,
        "net_pay_dh": 4000.0,
        "pension_dh": NAN,
        "other_income_dh": 0.0,
        "has_loan": "no",
        "consumer_deduction_dh": NAN,
        "housing_deduction_dh": NAN,
        "savings_dh": 0.0,
    }
    frame = pd.DataFrame({name: columns.get(name, [value] * n) for name, value in plain.items()})
    return frame.astype({"status": "category", "has_loan": "category"})


@pytest.mark.parametrize(
    ("rate", "row"),
    [
        (0.045, [1864, 1390, 765, 633, 556]),
        (0.0603, [1935, 1462, 845, 718, 646]),
        (0.065, [1957, 1485, 871, 746, 675]),
        (0.0728, [1993, 1523, 915, 792, 725]),
        (0.12, [2224, 1765, 1200, 1101, 1053]),
    ],
)
def test_annuity_to_the_dirham(rate, row):
    """Instalments for each 100,000 DH are those of a table made by hand for the public rates of 2012."""
    assert np.round(1e5 / annuity(rate, np.array([60, 84, 180, 240, 300]))).tolist() == row


@pytest.mark.parametrize("rate", ["0.0000001", "0.03", "0.045", "0.0603", "0.12", "0.1414"])
@pytest.mark.parametrize("months", [1, 7, 84, 300, 360])
def test_annuity_to_the_centime(rate, months):
    """Instalment of 1,000,000 DH, and what an instalment of 10,000 DH pays back, by summing in decimal arithmetic."""
    getcontext().prec = 40
    discount = 1 / (1 + Decimal(rate) / 12)
    worth = sum(discount**t for t in range(1, months + 1))
    assert float(1e6 / annuity(float(rate), months)) == pytest.approx(float(1000000 / worth), abs=1e-5, rel=0)
    assert float(1e4 * annuity(float(rate), months)) == pytest.approx(float(10000 * worth), abs=1e-5, rel=0)


def test_annuity_at_its_ends():
    """Without interest it is the number of months; over no month nothing; what is missing stays missing."""
    assert annuity(0.0, [0, 12]).tolist() == [0.0, 12.0]
    assert annuity(0.05, [0, NAN]).tolist() == pytest.approx([0.0, NAN], nan_ok=True)
    for rate, months in ((-0.01, 12), (0.01, -1)):
        with pytest.raises(WelfareError, match="below zero"):
            annuity(rate, months)


def test_capacity_of_the_public_example():
    """1,600 DH (40 % of 4,000) over 25 years: 287,860 DH at 4.5 % and 247,600 at 6.03; 1,500 DH (FOGARIM): 269,900."""
    frame = people(net_pay_dh=[4000.0])
    loans = [
        credit.largest_loan_dh(frame, replace(terms, instalment_most_dh=most))[0]
        for most in (float("inf"), 1500.0)
        for terms in (FOUNDATION, BANK)
    ]
    assert [round(x / 100) for x in loans] == [2879, 2476, 2699, 2321]
    assert round(loans[0], -1) == 287860


# status, pay, pension, other income, loan, consumer, housing; capacity of the member and of the household
CAPACITY = [
    ("active", 4000.0, NAN, 0.0, "no", NAN, NAN, 1600.0, 1600.0),
    ("active", 4000.0, NAN, 6000.0, "no", NAN, NAN, 1600.0, 4000.0),
    ("active", 4000.0, NAN, 6000.0, "yes", 500.0, 200.0, 900.0, 3300.0),
    ("active", 2000.0, NAN, 400.0, "no", NAN, NAN, 500.0, 900.0),
    ("active", 4000.0, NAN, 0.0, "yes", 2000.0, 0.0, 0.0, 0.0),
    ("widow", 9000.0, 1000.0, 1000.0, "no", NAN, NAN, 0.0, 500.0),
    ("active", 4000.0, NAN, NAN, "no", NAN, NAN, 1600.0, NA),
    ("active", NAN, NAN, 6000.0, "no", NAN, NAN, NA, NA),
    ("active", 4000.0, NAN, 0.0, "yes", NAN, 200.0, NA, NA),
    ("active", 4000.0, NAN, 0.0, None, 100.0, 200.0, NA, NA),
    (None, 4000.0, 4000.0, 0.0, "no", NAN, NAN, NA, NA),
]


@pytest.mark.parametrize(("of", "place"), [("member", -2), ("household", -1)])
def test_capacity(of, place):
    """The smaller of 40 % and what leaves 1,500 DH, less deductions; never negative, missing where a part is."""
    names = ["status", "net_pay_dh", "pension_dh", "other_income_dh", "has_loan"]
    names += ["consumer_deduction_dh", "housing_deduction_dh"]
    frame = pd.DataFrame([row[:-2] for row in CAPACITY], columns=names)
    found = credit.capacity_dh(frame.astype({"status": "category", "has_loan": "category"}), of)
    wanted = pd.Series([row[place] for row in CAPACITY], dtype="Float64").astype(float)
    pd.testing.assert_series_equal(found, wanted.rename("capacity_dh"))


def test_capacity_is_that_of_the_needs():
    """The bank's view is the indicator of debt; another rule leaves another capacity; other incomes are unknown."""
    frame = people(net_pay_dh=[2000.0, 4000.0, NAN])
    wanted = income_debt.debt_capacity_left_dh(frame).rename("capacity_dh")
    pd.testing.assert_series_equal(credit.capacity_dh(frame), wanted)
    strict = income_debt.Standards(limit_share=0.3, least_left_dh=2000.0)
    assert credit.capacity_dh(frame, standards=strict)[:2].tolist() == [0.0, 1200.0]
    with pytest.raises(WelfareError, match="of: unknown income"):
        credit.capacity_dh(frame, "neighbour")


def test_months_left():
    """The term, or what is left until the age at the end; none for minors and the old; missing where the age is."""
    frame = people(age=[17.0, 18.0, 40.0, 41.0, 64.0, 65.0, 80.0, NAN])
    found = credit.months_left(frame, Terms(0.05, 300, age_end=65)).tolist()
    assert found == pytest.approx([0, 300, 300, 288, 12, 0, 0, NAN], nan_ok=True)
    assert credit.months_left(frame, Terms(0.05, 300)).tolist()[-2:] == pytest.approx([300, NAN], nan_ok=True)


@pytest.mark.parametrize(
    ("terms", "price"),
    [
        (Terms(0.0, 100), 200_000),  # 160,000 lent and 40,000 saved
        (Terms(0.0, 100, fees=0.25), 160_000),
        (Terms(0.0, 100, down_payment=0.25), 160_000),
        (Terms(0.0, 100, fees=0.05, down_payment=0.2), 160_000),
        (Terms(0.0, 100, fees=0.25, down_payment=-0.25), 160_000),
        (Terms(0.0, 100, down_payment=0.25, grant_dh=40_000), 240_000),
        (Terms(0.0, 100, loan_most_dh=100_000), 140_000),
        (Terms(0.0, 100, instalment_most_dh=1000), 140_000),
        (Terms(0.0, 100, price_most_dh=150_000), 150_000),
        (Terms(0.0, 100, insurance=0.06, insured_initial=True), 1600 / 0.015 + 40_000),
        (Terms(0.0, 500, age_end=35), 136_000),  # 60 months
        (Terms(0.0, 100, age_end=30), 40_000),  # savings alone
    ],
)
def test_affordable_price(terms, price):
    """Without interest by hand: 1,600 DH over 100 months, 40,000 DH saved, a person of 30."""
    frame = people(savings_dh=[40_000.0])
    assert credit.affordable_price_dh(frame, terms)[0] == pytest.approx(price)
    assert affords(frame, price - 1, terms).tolist() == [True]
    assert affords(frame, price + 1, terms).tolist() == [False]


def test_loaded_rate():
    """VAT of 10 % on interest of 5 % and insurance of 0.5 % of what is outstanding cost what a loan at 6 % costs."""
    assert Terms(0.05, 300, vat=0.1, insurance=0.005).cost(300) == pytest.approx(1 / annuity(0.06, 300))
    initial = Terms(0.05, 300, vat=0.1, insurance=0.006, insured_initial=True).cost(300)
    assert initial == pytest.approx(1 / annuity(0.055, 300) + 0.0005)
    assert Terms(0.05, 300).cost([0, NAN]).tolist() == pytest.approx([np.inf, NAN], nan_ok=True)


def drawn(rng):
    """Terms at random, each limit binding now and then."""
    return Terms(
        rate=rng.choice([0.0, rng.uniform(0, 0.15)]),
        months=float(rng.integers(12, 360)),
        vat=rng.uniform(0, 0.2),
        insurance=rng.uniform(0, 0.01),
        insured_initial=bool(rng.integers(2)),
        fees=rng.uniform(0, 0.1),
        down_payment=rng.uniform(-0.1, 0.4),
        grant_dh=rng.choice([0.0, 40_000.0]),
        age_end=float(rng.integers(40, 75)),
        loan_most_dh=rng.choice([np.inf, 200_000.0]),
        instalment_most_dh=rng.choice([np.inf, 1500.0]),
    )


def crowd(rng, n=300):
    """People at random, some without savings or without anything left of their pay."""
    saved = rng.uniform(0, 300_000, n) * rng.integers(0, 2, n)
    pay = rng.uniform(1000, 20_000, n)
    return people(
        net_pay_dh=pay.tolist(), savings_dh=saved.tolist(), age=rng.integers(20, 70, n).astype(float).tolist()
    )


def payable(price, frame, terms, slack):
    """Whether the smallest loan that pays a price, and its instalment, are within all limits."""
    loan = np.maximum(price * (1 + terms.fees) - frame["savings_dh"] - terms.grant_dh, 0.0)
    months = np.clip(12 * (terms.age_end - frame["age"]), 0, terms.months)
    instalment = np.where(loan <= slack, 0.0, loan * np.where(months > 0, terms.cost(np.maximum(months, 1)), np.inf))
    room = np.minimum(credit.capacity_dh(frame), terms.instalment_most_dh)
    within = (loan <= terms.loan_most_dh + slack) & (loan <= (1 - terms.down_payment) * price + slack)
    return within & (instalment <= room + slack)


@pytest.mark.parametrize("seed", range(30))
def test_an_affordable_price_can_be_paid_and_no_dirham_more(seed):
    """Put back, the price leaves a loan within every limit; a dirham more breaks one of them."""
    rng = np.random.default_rng(seed)
    frame, terms = crowd(rng), drawn(rng)
    price = credit.affordable_price_dh(frame, terms)
    assert payable(price, frame, terms, 1e-3).all()
    assert not payable(price + 1, frame, terms, 1e-6).any()


@pytest.mark.parametrize("seed", range(30))
def test_monotone(seed):
    """More pay and a longer term never lower the loan that can be carried; a higher rate never raises it."""
    rng = np.random.default_rng(seed)
    frame, terms, more = crowd(rng), drawn(rng), rng.uniform(1, 1.5)
    loan = credit.largest_loan_dh(frame, terms)
    dearer, longer = replace(terms, rate=terms.rate * more), replace(terms, months=np.floor(terms.months * more))
    assert (credit.largest_loan_dh(frame.assign(net_pay_dh=frame["net_pay_dh"] * more), terms) >= loan - 1e-6).all()
    assert (credit.largest_loan_dh(frame, dearer) <= loan + 1e-6).all()
    assert (credit.largest_loan_dh(frame, longer) >= loan * (1 - 1e-9)).all()


def test_missing_stays_missing():
    """A price is not known without age, pay, deductions or savings, nor is whether it can be paid."""
    frame = people(net_pay_dh=[4000.0, NAN, 4000.0, 4000.0], age=[30.0, 30.0, NAN, 30.0], savings_dh=[0, 0, 0, NAN])
    assert affords(frame, 1000.0, BANK).isna().tolist() == [False, True, True, True]
    assert credit.largest_loan_dh(frame, BANK).isna().tolist() == [False, True, True, False]
    with pytest.raises(WelfareError, match="savings_dh"):
        credit.affordable_price_dh(frame.drop(columns="savings_dh"), BANK)


def exact(loan, rate, months, vat, insurance):
    """Schedule of a level loan in fractions, each part rounded half up to the centime."""
    cents = lambda x: Fraction(int(x * 100 + Fraction(1, 2)), 100)  # noqa: E731
    i = (rate * (1 + vat) + insurance) / 12
    level = cents(loan / sum(1 / (1 + i) ** t for t in range(1, months + 1)))
    left, rows = loan, []
    for month in range(1, months + 1):
        parts = [cents(left * rate / 12), cents(cents(left * rate / 12) * vat), cents(left * insurance / 12)]
        paid = left if month == months else level - sum(parts)
        left -= paid
        rows.append([paid, *parts, paid + sum(parts), left])
    return np.array(rows, dtype=float)


def test_schedule_to_the_centime():
    """Principal adds up to the loan, parts to the instalment, all to the centime; the last payment closes the loan."""
    terms = Terms(0.0603, 36, vat=0.1, insurance=0.005)
    found = schedule(123_456.78, terms)
    money = found.drop(columns="month").to_numpy()
    wanted = exact(Fraction("123456.78"), Fraction("0.0603"), 36, Fraction("0.1"), Fraction("0.005"))
    np.testing.assert_array_equal(money, wanted)
    cents = np.round(money * 100).astype(int)
    assert cents[:, 0].sum() == 12_345_678
    assert (cents[:, :4].sum(axis=1) == cents[:, 4]).all()
    assert cents[-1, 5] == 0
    level = np.round(100 * 123_456.78 * terms.cost(36))
    assert (cents[:-1, 4] == level).all()
    assert abs(cents[-1, 4] - level) <= 36 * 3  # what rounding left


def test_schedule_at_its_ends():
    """Without interest the loan is paid in equal parts; insurance of the initial loan is level."""
    free = schedule(100.0, Terms(0.0, 3, insurance=0.12, insured_initial=True))
    assert free["principal_dh"].tolist() == [33.33, 33.33, 33.34]
    assert free["insurance_dh"].tolist() == [1.0, 1.0, 1.0]


def test_present_value_at_the_own_rate_is_the_loan():
    """Exact instalments are worth the loan; those to the centime within half a centime each; less if dearer."""
    assert present_value(np.full(300, 250_000 * BANK.cost(300)), BANK.rate) == pytest.approx(250_000, abs=1e-6)
    rows = schedule(250_000, replace(BANK, vat=0.1))
    paid = rows["principal_dh"] + rows["interest_dh"]
    assert present_value(paid, BANK.rate) == pytest.approx(250_000, abs=1.5)
    assert present_value(rows["instalment_dh"], BANK.rate * 1.1) == pytest.approx(250_000, abs=1.5)
    assert present_value(paid, 0.07) < 250_000 < present_value(paid, 0.05)
    assert present_value([105.0], 0.6) == pytest.approx(100.0)


def test_named_terms():
    """Own rows win over those of the kind, guarantees over both; rates are those that facts.csv reports."""
    foundation = Terms.named("housing_foundation", "fogarim")
    assert (foundation.rate, foundation.months, foundation.instalment_most_dh) == (0.045, 240, 1500)
    assert foundation.price_most_dh == 200_000
    assert Terms.named("housing_free", "housing_grant").months == 180  # what one gives, the kind of the other keeps
    assert Terms.named("housing_foundation").rate - Terms.named("housing_talks").rate == pytest.approx(0.015)
    assert Terms.named("consumer_foundation").rate - Terms.named("consumer_talks").rate == pytest.approx(0.015)
    assert Terms.named("consumer_pensioner").months == 60
    assert Terms.named("consumer_pensioner").files_most_n == 3
    facts = public("facts").set_index("id")["value"].astype(float)
    for name, fact in (
        ("housing_bank", "bank_rate_housing"),
        ("consumer_bank", "bank_rate_consumer"),
        ("consumer_company", "finance_company_rate"),
    ):
        assert Terms.named(name).rate == facts[fact]
    with pytest.raises(WelfareError, match=r"credit\.csv: no such terms"):
        Terms.named("housing_moon")


def test_the_table_of_terms():
    """Each row has a value within its range, a unit, a year, a source; what no source gives is an assumption."""
    table = public("credit")
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()
    assert table["kind"].isin(["reported", "derived", "assumption"]).all()
    assert table.drop(columns="note").notna().all().all()
    own = table["source"].str.contains("own assumption|not read")
    assert (table.loc[own, "kind"] == "assumption").all()
    assert not table.duplicated(["terms", "parameter"]).any()
    fields = set(Terms.__dataclass_fields__)
    assert set(table["parameter"]) - {"participatory_share"} <= fields


def test_residual_income():
    """By hand: a household of 4.6 needs 3,460 DH, one of 18.4 twice that; the smaller of both rules counts."""
    frame = people(net_pay_dh=[6000.0] * 4, other_income_dh=[0.0, 2000.0, 0.0, 0.0]).assign(
        household_size_n=[4.6, 4.6, 18.4, NAN], housing_charges_dh=300.0
    )
    found = credit.capacity_dh(frame, "residual")
    assert found[:3].tolist() == pytest.approx([6000 - 300 - 3460, 2400, 0.0])
    assert found.isna().tolist() == [False, False, False, True]


def test_terms_that_cannot_be():
    """A negative or endless term, and a down payment above the price, are named."""
    for wrong in ({"rate": -0.01}, {"months": float("inf")}, {"vat": NAN}, {"down_payment": 1.2}):
        with pytest.raises(WelfareError, match=next(iter(wrong))):
            replace(BANK, **wrong)
