"""Headline numbers of page 08 made again from the columns of the answers and their weights, with NumPy alone."""

import numpy as np
import pytest

from welfare_analysis.results import release
from welfare_analysis.study import Study

HALF = 5.01  # of the step that numbers of people are rounded to
OWN, SHARED = ["car", "two_wheeler", "staff_transport"], ["bus", "tram", "grand_taxi", "staff_transport"]


@pytest.fixture(scope="module")
def study():
    return Study.open()


@pytest.fixture(scope="module")
def raw(study):
    """Columns of the active as arrays: codes as text with "" where missing, numbers with nan; and the weights."""
    frame = study.frame
    columns = {"w": np.asarray(study.design.weights, float)}
    for name in ("command_group", "shift", "commute_mode", "transit_at_shift", "transport_wish_shuttle"):
        columns[name] = frame[name].astype(object).where(frame[name].notna(), "").to_numpy(str)
    for name in ("cars_n", "commute_km", "commute_min", "commute_cost_dh", "commute_days_n", "net_pay_dh"):
        columns[name] = frame[name].to_numpy(float, na_value=np.nan)
    active = (frame["status"] == "active").fillna(False).to_numpy(bool)
    return {name: column[active] for name, column in columns.items()}


# three values: 1, 0 and nan where it is not known
def true(condition, *parts):
    unknown = np.any([p == "" if p.dtype.kind == "U" else np.isnan(p) for p in parts], axis=0)
    return np.where(unknown, np.nan, condition.astype(float))


def both(*conditions):
    made = np.ones(len(conditions[0]))
    for one in conditions:
        made = np.where((made == 0) | (one == 0), 0.0, np.where(np.isnan(made) | np.isnan(one), np.nan, 1.0))
    return made


@pytest.fixture(scope="module")
def need(raw):
    """No way to come at shift hours, over an hour, or over a tenth of pay."""
    no_way = both(
        true(raw["transit_at_shift"] == "never", raw["transit_at_shift"]),
        true(raw["cars_n"] == 0, raw["cars_n"]),
        true(~np.isin(raw["commute_mode"], OWN), raw["commute_mode"]),
        true(raw["commute_km"] > 2, raw["commute_km"]),
    )
    long = true(raw["commute_min"] > 60, raw["commute_min"])
    pay = np.where(raw["net_pay_dh"] > 0, raw["net_pay_dh"], np.nan)
    dear = true(raw["commute_cost_dh"] / pay > 0.10, raw["commute_cost_dh"], pay)
    return 1 - both(1 - no_way, 1 - long, 1 - dear)


@pytest.fixture(scope="module")
def located(raw):
    """Of whom place, distance, shift, cars, days and mode are known."""
    codes = [raw[name] != "" for name in ("command_group", "shift", "commute_mode")]
    numbers = [~np.isnan(raw[name]) for name in ("commute_km", "cars_n", "commute_days_n")]
    return np.all([*codes, *numbers], axis=0)


@pytest.fixture(scope="module")
def steps(raw, located):
    """Says that he would use a shuttle; farther than a km and not on staff transport; 100 DH within 6 % of pay."""
    wants = true(raw["transport_wish_shuttle"] == "yes", raw["transport_wish_shuttle"])
    far = np.where(located, (raw["commute_km"] > 1) & (raw["commute_mode"] != "staff_transport"), np.nan)
    able = true(0.06 * raw["net_pay_dh"] >= 100, raw["net_pay_dh"])
    return np.array([wants, far, able])


def left(raw, conditions):
    """People of whom all conditions hold, those of whom every one is known standing for all."""
    known = ~np.isnan(conditions).any(axis=0)
    held = (conditions == 1).all(axis=0)
    return raw["w"].sum() * (raw["w"] * held)[known].sum() / raw["w"][known].sum()


@pytest.mark.parametrize(("step", "many"), [("wants", 1), ("eligible", 2), ("affordable", 3)])
def test_steps_of_the_funnel(study, raw, steps, step, many):
    """Of all the active, and of those in need."""
    known = ~np.isnan(steps).any(axis=0)
    every = np.where(known, steps, np.nan)[:many]
    cell = release(study)["transport_funnel"].cell(step, "all")
    assert cell["estimate"] == pytest.approx(left(raw, every), abs=HALF)


def test_who_is_in_need_and_wants_a_shuttle(study, raw, steps, need):
    """Need is crossed with the wish; of those who leave at one step it has the share that it has among the known."""
    known = ~np.isnan(np.vstack([steps, need])).any(axis=0)
    table = release(study)["transport_funnel"]
    found = left(raw, np.where(known, np.array([need]), np.nan))
    assert table.cell("people", "in_need")["estimate"] == pytest.approx(found, abs=HALF)
    whole = [left(raw, np.where(~np.isnan(steps).any(axis=0), steps, np.nan)[:many]) for many in (1, 2, 3)]
    sides = [
        [left(raw, np.where(known, np.array([side, *steps[:many]]), np.nan)) for many in (1, 2, 3)]
        for side in (need, 1 - need)
    ]
    leave = [np.subtract(x, [*x[1:], 0.0]) for x in (whole, *sides)]
    part = leave[1] / np.maximum(leave[1] + leave[2], 1e-9) * leave[0]
    for step, expected in zip(("wants", "eligible", "affordable"), np.cumsum(part[::-1])[::-1], strict=True):
        assert table.cell(step, "in_need")["estimate"] == pytest.approx(expected, abs=HALF), step


def test_a_part_of_the_need_is_of_all_who_answered_it(study, raw):
    """Who travels over an hour is the number of the page of conditions; the whole need is that of the funnel."""
    need, long = release(study)["transport_need"], true(raw["commute_min"] > 60, raw["commute_min"])
    cell, page_04 = need.cell("long", "people"), release(study)["commute_long_total"].frame.iloc[0]
    assert cell["estimate"] == pytest.approx(left(raw, np.array([long])), abs=HALF)
    assert cell["estimate"] == pytest.approx(page_04["estimate"], abs=HALF)
    whole = release(study)["transport_funnel"].cell("people", "in_need")["estimate"]
    assert need.cell("in_need", "people")["estimate"] == pytest.approx(whole, abs=2 * HALF)


def test_users_of_shared_ways_today(study, raw, located):
    """The base of every lever."""
    share = (raw["w"] * np.isin(raw["commute_mode"], SHARED))[located].sum() / raw["w"][located].sum()
    cell = release(study)["transport_levers"].cell("fares_30", "before")
    assert cell["estimate"] == pytest.approx(raw["w"].sum() * share, abs=HALF)
