"""Truth tables of housing need: core need, families with parents, homes that end with the post, and their classes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from books import BOOK
from tenants import tenants

from welfare_analysis.needs import computed, housing, indicators
from welfare_analysis.study import public

NA, NAN = pd.NA, float("nan")
RENTS = pd.Series({"rabat": 2000.0, "azilal": 1000.0})


def told(column):
    """The values of a column, None where missing."""
    return [None if pd.isna(x) else x for x in column]


def test_alternative_cost():
    """A local rent and the present charges; missing without either, and where the command has no rent."""
    frame = tenants({}, {"command": "azilal"}, {"housing_charges_dh": NAN}, {"command": None}, {"command": "dakhla"})
    assert told(housing.alternative_cost_dh(frame, RENTS)) == [2200.0, 1200.0, None, None, None]
    assert housing.alternative_cost_dh(frame)[0] == housing.local_rents()["rabat"] + 200


# what is changed; below a standard, in core need
NEED = [
    ({}, False, False),
    ({"own_kitchen": "no"}, True, True),
    ({"household_size_n": 5.0}, True, True),
    ({"rent_dh": 1800.0}, True, True),
    ({"rent_dh": 1600.0}, False, False),  # 30 % is not above 30 %
    ({"own_kitchen": "no", "command": "azilal"}, True, False),
    ({"own_kitchen": "no", "other_income_dh": 2000.0}, True, False),  # 2,200 of 8,000
    ({"own_kitchen": "no", "net_pay_dh": 0.0}, True, True),
    ({"own_kitchen": "no", "net_pay_dh": NAN}, True, None),
    ({"own_kitchen": "no", "command": None}, True, None),
    ({"own_kitchen": "no", "housing_charges_dh": NAN}, True, None),
    ({"housing_charges_dh": NAN}, None, None),
    ({"rooms_n": NAN, "command": "azilal"}, None, False),
    ({"rooms_n": NAN}, None, None),
    ({"rooms_n": NAN, "rent_dh": 1800.0}, True, True),
    ({"own_bathroom": None, "own_kitchen": "no"}, True, True),
    ({"command": None}, False, False),
]


def test_core_need():
    """Below a standard, and more than 30 % of the income for a local rent: one known part may decide."""
    frame = tenants(*[row[0] for row in NEED])
    assert told(housing.below_standard(frame)) == [row[1] for row in NEED]
    assert told(housing.core_need(frame, RENTS)) == [row[2] for row in NEED]


def test_core_need_under_other_standards():
    """A lower line of burden puts more in need, for the present home and for the alternative."""
    frame = tenants({}, {"own_kitchen": "no", "other_income_dh": 2000.0})
    strict = replace(housing.STANDARDS, burden_above_share=0.15)
    assert told(housing.core_need(frame, RENTS, strict)) == [True, True]


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, True),
        ({"tenure": "tenant"}, False),
        ({"wants_home": "no"}, False),
        ({"marital_status": "single"}, True),  # with children
        ({"marital_status": "single", "children_n": 0.0}, False),
        ({"marital_status": "divorced", "children_n": 0.0}, True),
        ({"marital_status": None, "children_n": 0.0}, None),
        ({"marital_status": None}, True),
        ({"children_n": NAN}, True),
        ({"wants_home": None}, None),
        ({"tenure": None}, None),
        ({"tenure": None, "wants_home": "no"}, False),
    ],
)
def test_suppressed_household(change, wanted):
    """A family with relatives that wants a home of its own."""
    assert told(housing.suppressed_household(tenants({"tenure": "family"} | change))) == [wanted]


@pytest.mark.parametrize(
    ("change", "years", "tied"),
    [
        ({}, 20.0, False),
        ({"age": 54.0}, 6.0, False),
        ({"age": 55.0}, 5.0, True),
        ({"age": 63.0}, 0.0, True),
        ({"age": NAN}, None, None),
        ({"status": "widow", "age": NAN}, 0.0, True),
        ({"status": "retired", "age": 58.0}, 0.0, True),
        ({"status": None}, None, None),
        ({"tenure": "owner", "age": 58.0}, None, False),
        ({"tenure": None}, None, None),
    ],
)
def test_service_housing(change, years, tied):
    """It ends at 60, or has ended with service or death; within five years of it the home is tied."""
    frame = tenants({"tenure": "service"} | change)
    assert told(housing.service_years_left_n(frame)) == [years]
    assert told(housing.tied_home(frame)) == [tied]


@pytest.mark.parametrize("standard", [{"retirement_age": 62.0}, {"tied_within_years": 3.0}])
def test_service_housing_under_other_standards(standard):
    """A later end, or a shorter notice, leaves a home of the post safe at 55."""
    other = replace(housing.STANDARDS, **standard)
    assert told(housing.tied_home(tenants({"tenure": "service", "age": 55.0}), other)) == [False]


CLASSES = [
    ({}, "met"),
    ({"own_kitchen": "no"}, "core_need"),
    ({"own_kitchen": "no", "command": "azilal"}, "below_standard"),
    ({"tenure": "family", "own_kitchen": "no"}, "suppressed"),
    ({"tenure": "service", "age": 58.0}, "tied"),
    ({"tenure": "service", "age": 58.0, "own_kitchen": "no"}, "core_need"),
    ({"tenure": "service"}, "met"),
    ({"tenure": None, "own_kitchen": "no"}, "cannot_compute"),
    ({"tenure": None, "own_kitchen": "no", "wants_home": "no"}, "core_need"),
    ({"housing_charges_dh": NAN}, "cannot_compute"),
    ({"own_kitchen": "no", "net_pay_dh": NAN}, "cannot_compute"),
    ({"tenure": "service", "age": NAN}, "cannot_compute"),
]


def test_classes():
    """The first that holds; one that cannot be told leaves what follows open."""
    found = housing.housing_need_class(tenants(*[row[0] for row in CLASSES]), RENTS)
    assert found.tolist() == [row[1] for row in CLASSES]
    assert tuple(found.cat.categories) == housing.NEED_CLASSES


ANSWERS = {
    "status": ["active", "widow", None],
    "age": [30.0, 58.0, NAN],
    "command": ["rabat", "azilal", None],
    "marital_status": ["married", "single", None],
    "children_n": [0.0, 2.0, NAN],
    "rooms_n": [1.0, 3.0, NAN],
    "tenure": ["tenant", "family", "service", "owner", None],
    "own_kitchen": ["yes", "yes", "no", None],
    "rent_dh": [1000.0, 3000.0, NAN],
    "wants_home": ["yes", "no", None],
    "net_pay_dh": [3000.0, 7000.0, NAN],
}


@pytest.mark.parametrize("times", [1.0, 1.2, 3.0])
def test_everybody_is_in_one_class_and_need_rises_with_the_rent(times):
    """Classes add up to all; dearer rents move people into core need only from ``below_standard``."""
    rng = np.random.default_rng(7)
    rows = [{name: values[rng.integers(len(values))] for name, values in ANSWERS.items()} for _ in range(4000)]
    frame = tenants(*rows)
    first, last = (housing.housing_need_class(frame, RENTS * k) for k in (1.0, times))
    assert first.notna().all()
    assert (first.value_counts() > 0).all()
    assert first.value_counts().sum() == len(frame)
    moved = first.astype(object) != last.astype(object)
    assert set(first[moved]) <= {"below_standard"}
    assert set(last[moved]) <= {"core_need"}
    changes = housing.need_class_changes(frame, RENTS, RENTS * times)
    assert (changes.fillna(False).astype(bool) == moved).all()
    assert (changes.isna() == first.eq("cannot_compute")).all()
    core = housing.core_need(frame, RENTS).fillna(False)
    assert set(first[core.astype(bool)]) <= {"core_need", "suppressed", "cannot_compute"}


def test_rents_of_the_file():
    """The table is the mean rent of facts.csv and its range times the index of each command, to 10 DH."""
    facts, dear = public("facts").set_index("id"), public("territory").set_index("command")["dear"]
    for end in ("value", "low", "high"):
        wanted = (float(facts.at["rent_anchor_dh", end]) * dear).round(-1)
        pd.testing.assert_series_equal(housing.local_rents(end), wanted, check_names=False)
    assert facts.at["rent_anchor_dh", "value"] == pytest.approx(1460 * 1.15, abs=2)
    changes = housing.need_class_changes(tenants({"own_kitchen": "no", "net_pay_dh": 7500.0}, {}, {"tenure": None}))
    assert told(changes) == [True, False, None]


def test_indicators_of_need():
    """They are made with all others; what cannot be computed is no answer; every class has a label."""
    frame = tenants(*[row[0] for row in CLASSES]).assign(consumer_deduction_dh=np.nan)
    made = indicators(frame)
    names = ["below_standard", "core_need", "suppressed_household", "tied_home", "housing_need_class"]
    assert set(names) <= set(made)
    assert computed(made)["housing_need_class"].isna().sum() == (made["housing_need_class"] == "cannot_compute").sum()
    assert tuple(BOOK.codes("housing_need_class")) == housing.NEED_CLASSES


SHORT, BURDEN = {"own_kitchen": "no"}, {"rent_dh": 1800.0}
# what is changed; needs another dwelling, what would meet the need
KINDS = [
    ({}, False, "none"),
    (SHORT, True, "another"),
    (SHORT | {"tenure": "owner"}, False, "own_home"),
    (SHORT | {"tenure": "owner", "net_pay_dh": 9000.0}, False, "could_pay"),
    (BURDEN, False, "money"),
    (BURDEN | SHORT, True, "another"),
    (SHORT | {"command": "azilal"}, False, "could_pay"),
    ({"tenure": "family"}, True, "another"),
    ({"tenure": "family", "wants_home": "no"}, False, "none"),
    ({"tenure": "service", "age": 58.0}, True, "another"),
    ({"tenure": "service", "age": 58.0} | SHORT, True, "another"),
    ({"tenure": "service", "age": 40.0}, False, "none"),
    (SHORT | {"net_pay_dh": NAN}, None, "cannot_compute"),
    (SHORT | {"net_pay_dh": NAN, "tenure": "owner"}, None, "cannot_compute"),
    ({"rooms_n": NAN}, None, "cannot_compute"),
    ({"rooms_n": NAN, "command": "azilal"}, None, "cannot_compute"),  # though too cheap a place for core need
    ({"tenure": "service", "age": 58.0, "net_pay_dh": NAN}, None, "cannot_compute"),  # though the home ends
    (SHORT | {"tenure": None}, None, "cannot_compute"),
]


def test_what_would_meet_the_need():
    """Another dwelling, money, or work on one's own home; not known where any part is missing."""
    frame = tenants(*[row[0] for row in KINDS])
    assert told(housing.needs_another(frame, RENTS)) == [row[1] for row in KINDS]
    found = housing.need_kind(frame, RENTS)
    assert found.tolist() == [row[2] for row in KINDS]
    assert tuple(found.cat.categories) == housing.NEED_KINDS
