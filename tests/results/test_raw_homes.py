"""Headline numbers of page 06 made again from the columns of the answers and their weights, with NumPy alone."""

import csv
from pathlib import Path

import numpy as np
import pytest

from welfare_analysis.results import release
from welfare_analysis.study import Study

RENTS = Path(__file__).parents[2] / "data" / "public" / "rents.csv"
HALF = 5.01  # of the step that numbers of people are rounded to


@pytest.fixture(scope="module")
def study():
    return Study.open()


@pytest.fixture(scope="module")
def raw(study):
    """Columns as arrays: codes as text with "" where missing, numbers with nan; and the weights."""
    frame, columns = study.frame, {}
    for name in frame:
        if str(frame[name].dtype) in ("category", "object", "str", "string"):
            columns[name] = frame[name].astype(object).where(frame[name].notna(), "").to_numpy(str)
        else:
            columns[name] = frame[name].to_numpy(float, na_value=np.nan)
    return columns | {"w": np.asarray(study.design.weights, float)}


# three values: 1, 0 and nan where it is not known
def true(condition, *parts):
    unknown = np.any([p == "" if p.dtype.kind == "U" else np.isnan(p) for p in parts], axis=0)
    return np.where(unknown, np.nan, condition.astype(float))


def both(a, b):
    return np.where((a == 0) | (b == 0), 0.0, np.where(np.isnan(a) | np.isnan(b), np.nan, 1.0))


def either(a, b):
    return 1 - both(1 - a, 1 - b)


@pytest.fixture(scope="module")
def adult(raw):
    return raw["age"] >= 18


@pytest.fixture(scope="module")
def wants(raw, adult):
    made = true((raw["wants_home"] == "yes") & (raw["tenure"] != "owner"), raw["wants_home"], raw["tenure"])
    return np.where(adult, made, np.nan)


@pytest.fixture(scope="module")
def income(raw):
    return np.where(
        raw["status"] == "active", raw["net_pay_dh"], np.where(raw["status"] == "", np.nan, raw["pension_dh"])
    )


@pytest.fixture(scope="module")
def can_pay(raw, adult, income):
    """A flat that one is eligible for, or a plot with a house on it, at 4.5 % over 240 months, fees of 6 % in cash."""
    deducted = raw["consumer_deduction_dh"] + raw["housing_deduction_dh"]
    service = np.where(raw["has_loan"] == "no", 0.0, np.where(raw["has_loan"] == "", np.nan, deducted))
    room = np.maximum(np.minimum(0.4 * income, income - 1500) - service, 0)
    n, i = np.floor(np.clip(12 * (65 - raw["age"]), 0, 240)), (0.045 * 1.1 + 0.005) / 12
    loan = room * np.where(n > 0, (1 - (1 + i) ** -n) / i, 0)
    most = np.minimum((loan + raw["savings_dh"]) / 1.06, raw["savings_dh"] / 0.06)
    lent = (n > 0).astype(float)
    houseless = true(raw["tenure"] != "owner", raw["tenure"])
    able = np.zeros(len(n))
    for price, rule in ((250_000, houseless), (550_000, 1.0 + 0 * n), (120_000 + 65 * 2500, 1.0 + 0 * n)):
        able = either(able, both(both(adult.astype(float), rule), true(most >= price, most)))
    return both(adult.astype(float), either(lent, able)), able


@pytest.fixture(scope="module")
def in_need(raw, income):
    """Lives with relatives, loses a service home soon, or: core need, owns none, short of space or facilities."""
    with RENTS.open(encoding="utf-8") as file:
        rents = {row["command"]: float(row["value"]) for row in csv.DictReader(file)}
    own_family = either(true(np.isin(raw["marital_status"], ["married", "divorced", "widowed"]), raw["marital_status"]),
                        true(raw["children_n"] > 0, raw["children_n"]))  # fmt: skip
    family = true(raw["tenure"] == "family", raw["tenure"])
    suppressed = both(both(family, own_family), true(raw["wants_home"] == "yes", raw["wants_home"]))
    lacks = either(*(true(raw[c] == "no", raw[c]) for c in ("own_kitchen", "own_bathroom")))
    room = raw["household_size_n"] / np.where(raw["rooms_n"] > 0, raw["rooms_n"], np.nan)
    close = true(room > 2, room)
    household = income + raw["other_income_dh"]
    nearby = np.array([rents.get(c, np.nan) for c in raw["command"]]) + raw["housing_charges_dh"]
    dear = true(nearby > 0.3 * household, nearby, household)
    years = np.where(raw["status"] == "active", np.maximum(60 - raw["age"], 0), 0.0)
    later = true(years > 5, np.where(raw["status"] == "", np.nan, years))
    tied = both(true(raw["tenure"] == "service", raw["tenure"]), 1 - later)
    owns = true(raw["tenure"] == "owner", raw["tenure"])
    parts = [suppressed, tied, lacks, close, dear, owns]
    needed = either(either(suppressed, tied), both(both(either(lacks, close), dear), 1 - owns))
    return np.where(np.isnan(parts).any(axis=0), np.nan, needed)


def left_at(raw, adult, steps):
    """People of age times the part who pass all steps, of those of whom every step is known."""
    known = adult & ~np.isnan(steps).any(axis=0)
    passed = (steps == 1).all(axis=0) & known
    return raw["w"][adult].sum() * raw["w"][passed].sum() / raw["w"][known].sum()


def test_those_who_want_a_home_and_own_none(study, raw, adult, wants):
    """The market's anchor is 22.7 % of them in five years; and they part into what they would take."""
    people = raw["w"][(wants == 1) & adult].sum()
    found = release(study)
    assert found["homes_realised"].cell("market", "five_years")["estimate"] == pytest.approx(0.227 * people, abs=HALF)
    assert found["homes_by_wish"].cells("wants_none")["estimate"].sum() == pytest.approx(people, abs=5 * HALF)


def test_who_can_pay(study, raw, adult, wants, can_pay):
    """Of all adults those who want a home, own none, are eligible and can pay one; and those who fall out before."""
    eligible, able = can_pay
    table = release(study)["homes_funnel"]
    assert table.cell("affordable", "all")["estimate"] == pytest.approx(
        _nested(raw, adult, wants, eligible, able, 3), abs=HALF
    )
    assert table.cell("wants", "all")["estimate"] == pytest.approx(
        _nested(raw, adult, wants, eligible, able, 1), abs=HALF
    )


def _nested(raw, adult, wants, eligible, able, many):
    known = adult & ~np.isnan([wants, eligible, able]).any(axis=0)
    passed = known & (np.array([wants, eligible, able])[:many] == 1).all(axis=0)
    return raw["w"][adult].sum() * raw["w"][passed].sum() / raw["w"][known].sum()


def test_who_is_in_need_of_another_dwelling(study, raw, adult, in_need, wants, can_pay):
    """In need, of those of whom every step is known; and in need, wanting, eligible and able to pay."""
    table, steps = release(study)["homes_funnel"], [in_need, wants, *can_pay]
    known = adult & ~np.isnan(steps).any(axis=0)
    share = raw["w"][known & (in_need == 1)].sum() / raw["w"][known].sum()
    assert table.cell("people", "in_need")["estimate"] == pytest.approx(raw["w"][adult].sum() * share, abs=HALF)
    both = [left_at(raw, adult, np.array([side, *steps[1:]])) for side in (in_need, 1 - in_need)]
    can = (
        _nested(raw, adult, wants, *can_pay, 3) * both[0] / sum(both)
    )  # need has the share that it has among the known
    assert table.cell("affordable", "in_need")["estimate"] == pytest.approx(can, abs=HALF)


def test_the_part_who_are_certain(study, raw, wants):
    """The bridge: the likely homes over the stated ones is the part with 8 points and more of ten."""
    asked = (wants == 1) & ~np.isnan(raw["home_certainty"])
    part = raw["w"][asked & (raw["home_certainty"] >= 8)].sum() / raw["w"][asked].sum()
    table = release(study)["homes_realised"]
    likely, stated = (table.cell(row, "five_years")["estimate"] for row in ("certain", "stated"))
    assert part * (stated - HALF) - HALF <= likely <= part * (stated + HALF) + HALF
