"""Truth tables of income and debt; properties of capacity; the list of indicators."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from welfare_analysis.errors import WelfareError
from welfare_analysis.needs import INDICATORS, WITHOUT, computable, computed, income_debt, indicators
from welfare_analysis.needs.income_debt import NotAskedError
from welfare_analysis.study import DATA

NA = pd.NA
NAN = float("nan")
INCOME = ["status", "net_pay_dh", "pension_dh"]
LOAN = ["has_loan", "consumer_deduction_dh", "housing_deduction_dh"]
CODES = ("status", "has_loan", "tenure", "own_kitchen", "own_bathroom", "commute_mode")


def table(columns, rows):
    """Give rows as a frame with Categorical codes and float amounts."""
    frame = pd.DataFrame(rows, columns=columns)
    kinds = {name: "category" if name in CODES else "float64" for name in columns}
    return frame.astype(kinds)


def truth(function, columns, rows):
    """Compare a function with its table: each row is the inputs, then the output."""
    found = function(table(columns, [row[:-1] for row in rows]))
    kind = found.dtype if found.dtype != "float64" else "Float64"
    wanted = pd.Series([row[-1] for row in rows], dtype=kind).astype(found.dtype)
    pd.testing.assert_series_equal(found, wanted.rename(function.__name__))


def test_member_income():
    """Pay belongs to the active, a pension to the others; the other amount never stands in."""
    rows = [
        ("active", 5000.0, NAN, 5000.0),
        ("active", NAN, 3000.0, NA),
        *[(status, 5000.0, 3000.0, 3000.0) for status in ("retired", "widow", "orphan")],
        ("retired", 5000.0, NAN, NA),
        (None, 5000.0, 3000.0, NA),
    ]
    truth(income_debt.member_income_dh, INCOME, rows)


def test_household_income():
    """Both parts must be known."""
    rows = [
        ("active", 5000.0, NAN, 1000.0, 6000.0),
        ("widow", NAN, 3000.0, 0.0, 3000.0),
        ("active", 5000.0, NAN, NAN, NA),
        ("active", NAN, NAN, 1000.0, NA),
        (None, 5000.0, NAN, 1000.0, NA),
    ]
    truth(income_debt.household_income_dh, [*INCOME, "other_income_dh"], rows)


def test_indebted():
    """A running loan; a missing answer stays missing."""
    truth(income_debt.indebted, ["has_loan"], [("yes", True), ("no", False), (None, NA)])


def test_debt_service():
    """No loan is no service; with a loan both deductions must be known."""
    rows = [
        ("no", NAN, NAN, 0.0),
        ("yes", 300.0, 200.0, 500.0),
        ("yes", 0.0, 0.0, 0.0),
        ("yes", NAN, 200.0, NA),
        ("yes", 300.0, NAN, NA),
        (None, 300.0, 200.0, NA),
    ]
    truth(income_debt.debt_service_dh, LOAN, rows)


# inputs: loan, consumer, housing, status, pay, pension; outputs: share, over, capacity left, class
DEBT_TABLE = [
    ("no", NAN, NAN, "active", 5000.0, NAN, 0.0, False, 2000.0, "no_loan"),
    ("no", NAN, NAN, "active", NAN, NAN, NA, False, NA, "no_loan"),
    ("no", NAN, NAN, "widow", NAN, 1000.0, 0.0, False, 0.0, "no_loan"),
    ("no", NAN, NAN, "widow", NAN, 2000.0, 0.0, False, 500.0, "no_loan"),
    ("yes", 0.0, 0.0, "active", 5000.0, NAN, 0.0, False, 2000.0, "up_to_20"),
    ("yes", 0.0, 0.0, "widow", NAN, 1000.0, 0.0, False, 0.0, "up_to_20"),
    ("yes", 600.0, 400.0, "active", 5000.0, NAN, 0.2, False, 1000.0, "up_to_20"),
    ("yes", 600.0, 650.0, "active", 5000.0, NAN, 0.25, False, 750.0, "20_to_40"),
    ("yes", 1000.0, 1000.0, "active", 5000.0, NAN, 0.4, False, 0.0, "20_to_40"),
    ("yes", 1000.0, 1500.0, "active", 5000.0, NAN, 0.5, True, 0.0, "over_limit"),
    ("yes", 500.0, 0.0, "retired", NAN, 2000.0, 0.25, False, 0.0, "20_to_40"),
    ("yes", 200.0, 0.0, "retired", NAN, 1600.0, 0.125, True, 0.0, "over_limit"),
    ("yes", 100.0, 0.0, "active", 0.0, NAN, NA, True, 0.0, "over_limit"),
    ("yes", 0.0, 0.0, "active", NAN, NAN, NA, False, NA, "cannot_compute"),
    ("yes", NAN, 100.0, "active", 5000.0, NAN, NA, NA, NA, "cannot_compute"),
    ("yes", 100.0, NAN, "active", 5000.0, NAN, NA, NA, NA, "cannot_compute"),
    ("yes", 100.0, 100.0, "active", NAN, NAN, NA, NA, NA, "cannot_compute"),
    ("yes", 100.0, 100.0, "retired", 5000.0, NAN, NA, NA, NA, "cannot_compute"),
    ("yes", 100.0, 100.0, None, 5000.0, NAN, NA, NA, NA, "cannot_compute"),
    (None, 100.0, 100.0, "active", 5000.0, NAN, NA, NA, NA, "cannot_compute"),
]


@pytest.mark.parametrize(
    ("function", "place"),
    [
        (income_debt.debt_service_share, 6),
        (income_debt.over_debt_limit, 7),
        (income_debt.debt_capacity_left_dh, 8),
        (income_debt.debt_class, 9),
    ],
)
def test_debt(function, place):
    """At a limit is within it; without deductions nobody is over it; a zero income gives NA, never infinity."""
    truth(function, [*LOAN, *INCOME], [(*row[:6], row[place]) for row in DEBT_TABLE])


amounts = st.one_of(st.just(NAN), st.integers(0, 60_000).map(float))
people = st.lists(
    st.tuples(
        st.sampled_from(["yes", "no", None]),
        amounts,
        amounts,
        st.sampled_from(["active", "retired", "widow", "orphan", None]),
        amounts,
        amounts,
    ),
    min_size=1,
    max_size=20,
)


@given(people)
def test_classes_and_capacity(rows):
    """Everybody has one class; capacity is never negative; with the service it keeps 40 % and the 1,500 DH."""
    frame = table([*LOAN, *INCOME], rows)
    classes, over = income_debt.debt_class(frame), income_debt.over_debt_limit(frame)
    left = income_debt.debt_capacity_left_dh(frame)
    income, service = income_debt.member_income_dh(frame), income_debt.debt_service_dh(frame)
    assert classes.notna().all()
    assert (classes.eq("over_limit") == over.fillna(False).astype(bool)).all()
    assert not (left < 0).any()
    assert (left.isna() == (income.isna() | service.isna())).all()
    assert not (left > 0.4 * income + 1e-9).any()
    some = left > 0
    assert (service + left <= 0.4 * income + 1e-9)[some].all()
    assert (income - service - left >= 1500 - 1e-9)[some].all()
    assert not over[some].any()
    assert not np.isinf(income_debt.debt_service_share(frame)).any()


QUESTIONS = pd.read_csv(DATA / "codebook" / "variables.csv")["name"]
FULL = table(list(QUESTIONS), [dict.fromkeys(QUESTIONS)]).copy()


def needed(function):
    """The questions that an indicator names as absent, until it can be made."""
    names = []
    while not computable(FULL[names], [function]):
        with pytest.raises(NotAskedError) as fault:
            function(FULL[names])
        names += fault.value.what.removeprefix("column ").removesuffix(" is absent").split(", ")
    return names


@pytest.mark.parametrize("function", INDICATORS, ids=lambda function: function.__name__)
def test_an_indicator_says_what_it_needs(function):
    """It is made from these columns alone, under its own name, and misses each of them by name."""
    frame = FULL[needed(function)]
    assert needed(function)
    assert function(frame).name == function.__name__
    for name in frame:
        with pytest.raises(NotAskedError, match=name):
            function(frame.drop(columns=name))


def test_indicators_of_the_columns_present():
    """An absent column leaves its indicators out, and no others; the frame is kept."""
    names = {function.__name__ for function in INDICATORS}
    assert names == set(indicators(FULL)) - set(FULL)
    without = FULL.drop(columns=["net_pay_dh"])
    made = set(indicators(without)) - set(FULL)
    assert made == {function.__name__ for function in INDICATORS if "net_pay_dh" not in needed(function)}
    assert not names & set(FULL)
    assert set(WITHOUT) < names


def test_no_other_fault_is_taken_for_a_question_that_was_not_asked():
    """What is wrong in a figure that an indicator needs is said, not left out."""

    def wrong(frame):
        raise WelfareError("not a number", where="data/public/rents.csv")

    with pytest.raises(WelfareError, match="rents"):
        computable(FULL, [wrong])


def test_debt_band():
    """Debt service at 40 % of pay is within the last band below the line; without a loan it is nothing of pay."""
    rows = [("active", 1000.0, NAN, "yes", part, 0.0) for part in (100.0, 110.0, 400.0, 401.0, NAN)]
    rows.append(("active", 1000.0, NAN, "no", NAN, NAN))
    found = income_debt.debt_band(table([*INCOME, *LOAN], rows))
    assert found.tolist()[:4] == ["up_to_10", "10_to_20", "30_to_40", "over_40"]
    assert pd.isna(found[4])
    assert found[5] == "up_to_10"


HOUSEHOLD = [*INCOME, "other_income_dh", *LOAN]


def test_household_debt_share():
    """Deductions over the income of all of the household; nothing without a loan; not told if a part is missing."""
    rows = [
        ("active", 4000.0, NAN, 1000.0, "yes", 800.0, 200.0, 0.2),
        ("active", 4000.0, NAN, 1000.0, "no", NAN, NAN, 0.0),
        ("retired", NAN, 3000.0, 0.0, "yes", 900.0, 0.0, 0.3),
        ("active", 4000.0, NAN, NAN, "yes", 800.0, 200.0, NA),
        ("active", 4000.0, NAN, 1000.0, "yes", NAN, 200.0, NA),
        ("active", 0.0, NAN, 0.0, "yes", 100.0, 0.0, NA),
    ]
    truth(income_debt.household_debt_share, HOUSEHOLD, rows)


def test_household_capacity_left():
    """The rule on the income of the household: 40 % of 5,000 less 1,000; 1,500 DH must stay; never below nothing."""
    rows = [
        ("active", 4000.0, NAN, 1000.0, "yes", 800.0, 200.0, 1000.0),
        ("widow", NAN, 1000.0, 800.0, "no", NAN, NAN, 300.0),
        ("active", 4000.0, NAN, 0.0, "yes", 1600.0, 400.0, 0.0),
        ("active", 4000.0, NAN, NAN, "no", NAN, NAN, NA),
    ]
    truth(income_debt.household_capacity_left_dh, HOUSEHOLD, rows)


def test_floor_binds():
    """Below 2,500 DH the protected sum limits more than the share; at 2,500 both are 1,000."""
    rows = [
        ("retired", NAN, 2499.0, True),
        ("retired", NAN, 2500.0, False),
        ("active", 6000.0, NAN, False),
        ("active", NAN, 2000.0, NA),
    ]
    truth(income_debt.floor_binds, INCOME, rows)


def test_a_class_that_cannot_be_computed_is_no_answer():
    """What is published leaves it out of the base, in a copy; other columns stay."""
    rows = [("active", 1000.0, NAN, "no", NAN, NAN), ("active", 1000.0, NAN, None, NAN, NAN)]
    made = indicators(table([*INCOME, *LOAN], rows))
    found = computed(made)
    assert made["debt_class"].tolist() == ["no_loan", "cannot_compute"]
    assert found["debt_class"].isna().tolist() == [False, True]
    assert "cannot_compute" not in found["debt_class"].cat.categories
    pd.testing.assert_frame_equal(found.drop(columns="debt_class"), made.drop(columns="debt_class"))


def test_need_of_credit():
    """Truth by case: each of the four reasons alone, none, and what is not known."""
    calm = {
        "status": "active", "net_pay_dh": 5000.0, "pension_dh": np.nan, "has_loan": "yes",
        "consumer_deduction_dh": 500.0,
        "housing_deduction_dh": 0.0, "running_source_finance_company": "no", "arrears": "no",
        "uncovered_cost_dh": 1000.0, "savings_dh": 0.0,
    }  # fmt: skip
    none = {"has_loan": "no", "running_source_finance_company": None, "arrears": None, "consumer_deduction_dh": None}
    cases = [
        ({}, False),
        ({"running_source_finance_company": "yes"}, True),
        ({"arrears": "yes"}, True),
        ({"consumer_deduction_dh": 2000.0}, False),  # 40 % is within the rule
        ({"consumer_deduction_dh": 2001.0}, True),
        ({"uncovered_cost_dh": 5000.0}, False),  # a month's pay meets it
        ({"uncovered_cost_dh": 5001.0}, True),
        ({"uncovered_cost_dh": 5001.0, "savings_dh": 1.0}, False),
        (none, False),
        (none | {"uncovered_cost_dh": 6000.0}, True),
        ({"uncovered_cost_dh": None}, NA),
        ({"uncovered_cost_dh": None, "arrears": "yes"}, True),
        ({"arrears": None}, NA),
        ({"has_loan": None}, NA),
    ]
    frame = pd.DataFrame([calm | changed for changed, _ in cases]).astype({"net_pay_dh": float})
    for column in ("consumer_deduction_dh", "uncovered_cost_dh"):
        frame[column] = frame[column].astype(float)
    found = income_debt.credit_need(frame)
    for (changed, known), value in zip(cases, found, strict=True):
        assert (value is NA and known is NA) or value == known, changed
