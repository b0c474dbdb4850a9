"""Debts that are taken over, the guard rail, and loans for a home, by hand."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.demand import debts, loans
from welfare_analysis.demand.agreement import kept
from welfare_analysis.demand.credit import Terms
from welfare_analysis.estimation import Design
from welfare_analysis.study import public

PLAIN = Terms(0.065, 84, age_end=65)


def people(**columns):
    """Indebted members of 40 with a pay of 5,000 DH, changed by ``columns``."""
    n = max((len(c) for c in columns.values() if isinstance(c, list)), default=1)
    base = {
        "status": "active", "age": 40.0, "net_pay_dh": 5000.0, "pension_dh": np.nan, "has_loan": "yes", "loans_n": 1.0,
        "consumer_deduction_dh": 1000.0, "housing_deduction_dh": 0.0, "debt_outstanding_dh": 30_000.0, "arrears": "no",
        "wants_loan": "yes", "loan_purpose": "car", "loan_amount_dh": 20_000.0, "loan_term_months": 60.0,
        "loan_version": np.nan, "wants_home": "no",
    }  # fmt: skip
    return pd.DataFrame({**base, **columns}, index=range(n))


def market(frame):
    terms = {p: Terms(rate, 84, age_end=65) for p, rate in zip(loans.PRODUCTS, (0.0728, 0.0728, 0.065), strict=True)}
    return loans.LoanMarket(frame, Design(pd.Series(1.0, frame.index)), BOOK, terms)


def test_months_that_a_debt_still_runs():
    """A loan of 48 months runs 48; what its instalment does not pay back has no end."""
    old = Terms(0.12, 84, vat=0.1, insurance=0.005)
    monthly = pd.Series([10_000 * float(old.cost(48)), 90.0, 0.0, 1e6])
    found = debts.months_to_run(pd.Series([10_000.0] * 4), monthly, old)
    assert found.iloc[0] == pytest.approx(48)
    assert found.iloc[1:].isna().all()
    assert debts.months_to_run(pd.Series([1200.0]), pd.Series([100.0]), Terms(0, 84)).tolist() == [12]


def test_a_debt_taken_over():
    """The instalment falls by the rate over the same months, further over 84; none beside a housing loan."""
    frame = people(
        consumer_deduction_dh=[1000.0, 2050, 1000, 0, 1000],
        housing_deduction_dh=[0.0, 0, 500, 900, 0],
        has_loan=["yes", "yes", "yes", "yes", "no"],
    )
    found = debts.consolidated(frame, PLAIN, 0.12)
    assert found["computed"].tolist()[:3] == [True, True, False]
    assert found["computed"].isna().tolist()[3:] == [True, True]
    months = -np.log1p(-30_000 * 0.01 / 1000) / np.log1p(0.01)
    saved = 1000 - 30_000 * 0.065 / 12 / (1 - (1 + 0.065 / 12) ** -months)
    assert found["saved_dh"].iloc[0] == pytest.approx(saved)
    assert found["relief_dh"].iloc[0] == pytest.approx(1000 - 30_000 * float(PLAIN.cost(84)))
    assert found["over"].tolist()[:2] == [False, True]  # 2,050 DH of 5,000 is 41 %
    assert found["freed"].tolist()[:2] == [False, True]
    assert found["freed_longer"].tolist()[:2] == [False, True]
    assert found.loc[2, ["saved_dh", "over", "freed"]].isna().all()
    worth = (1 - (1 + 0.045 / 12) ** -months) / (0.045 / 12)
    assert found["gain_dh"].iloc[0] == pytest.approx(saved * worth)
    assert found["exposed_dh"].iloc[0] == pytest.approx(30_000 * months / 24)
    share = float(kept(0.065, pd.Series([months]), 0.0375).iloc[0]) - 0.0125 * months / 24
    assert found["margin_dh"].iloc[0] == pytest.approx(30_000 * share)


def test_debts_to_finance_companies_alone():
    """Where lenders were asked, a debt to a bank is not at a company's rate and is left out."""
    found = debts.consolidated(people(running_source_finance_company=["yes", "no", None]), PLAIN, 0.12)
    assert found["computed"].iloc[0]
    assert found["saved_dh"].isna().tolist() == [False, True, True]


def test_at_the_old_rate_nothing_is_saved():
    """Taken over at the rate that it runs at, over the same months, a debt costs what it did."""
    found = debts.consolidated(people(), Terms(0.12, 84, vat=0.1, insurance=0.005), 0.12)
    assert found["saved_dh"].iloc[0] == pytest.approx(0, abs=1e-9)


def test_where_a_loan_would_leave_people():
    """Within the limit, pushed over it, over it already, not eligible, not computed; nobody who wants none."""
    frame = people(
        consumer_deduction_dh=[1000.0, 1800, 2500, 0, np.nan, 1000],
        arrears=["no", "no", "no", "yes", "no", "no"],
        wants_loan=["yes", "yes", "yes", "yes", "yes", "no"],
    )
    found = debts.guard(market(frame))["foundation"]
    assert found.tolist()[:5] == ["within", "pushed_over", "already_over", "not_eligible", "cannot_compute"]
    assert pd.isna(found.iloc[5])


def test_amounts_that_are_cut():
    """Who is pushed over by the whole amount is lent what the capacity pays over the same term, from a part on."""
    made = market(people(consumer_deduction_dh=[1000.0, 1800, 1950, 2500]))
    assert made.affordable["foundation"].tolist() == [True, False, False, False]
    cut = made.at(least_part=0.5)
    per_dh = float(made.terms["foundation"].cost(60))
    assert cut.affordable["foundation"].tolist() == [True, 200 / per_dh >= 10_000, 50 / per_dh >= 10_000, False]
    np.testing.assert_allclose(cut.lent["foundation"], [20_000, 200 / per_dh, 50 / per_dh, 0])
    assert made.lent["foundation"].tolist() == [20_000] * 4
    assert made.at(least_part=0.25).affordable["foundation"].tolist() == [True, True, False, False]


def test_who_can_pay_under_each_test():
    """A pension, a pay lower by a twentieth and a rate higher by a point push over the limit who was just below."""
    whole = market(people(age=[40.0, 57, 40, 40], consumer_deduction_dh=0.0))
    near = float(whole.capacity.iloc[0] - whole.instalments["foundation"].iloc[0] - 1)
    frame = people(
        age=[40.0, 57, 40, 57], consumer_deduction_dh=[near, near, 0.0, 0.0], household_size_n=4, rent_dh=np.nan,
        housing_charges_dh=0.0, other_income_dh=0.0,
    )  # fmt: skip
    found = {name: at.affordable["foundation"].tolist() for name, at in loans.tests(market(frame)).items()}
    assert found["retirement_pay"] == [True, False, True, True]
    assert found["pay_less"] == [False, False, True, True]
    assert found["rate_more"] == [False, False, True, True]
    # 20,000 DH over 36 months instead of 60 are 613 DH a month
    assert found["ends_at_retirement"] == [True, False, True, True]
    needs = float(public("home_programme").set_index("item").loc["needs_dh", "value"]) * (4 / 4.6) ** 0.5
    rest = 5000 - near - needs
    monthly = float(market(frame).instalments["foundation"].iloc[0])
    assert found["residual"] == [monthly <= rest, monthly <= rest, monthly <= 5000 - needs, monthly <= 5000 - needs]


def test_loans_for_a_home():
    """The amount and term that are wanted, within the limit at a rate or not; consumer loans are no part."""
    frame = people(
        loan_purpose=["home", "building", "car"],
        loan_amount_dh=[100_000.0, 400_000, 50_000],
        loan_term_months=[240.0, np.nan, 60],
        consumer_deduction_dh=[1000.0, 0, 0],
    )
    found = debts.housing_loans(market(frame), Terms(0.045, 300, age_end=65))
    assert found["files"].tolist()[:2] == [1, 1]
    assert found.loc[0, "dh_within"] == 100_000  # 633 DH a month of the 1,000 that are left
    assert found.loc[1, "files_within"] == 0  # 2,223 DH a month of 2,000
    assert found.loc[2].isna().all()
