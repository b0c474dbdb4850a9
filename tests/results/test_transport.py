"""The demand for transport as it is published."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.disclosure import CATEGORY, digits, policy, protection
from welfare_analysis.publishing import agrees, figures, findings, show
from welfare_analysis.publishing.labels import title
from welfare_analysis.results import TOPICS, release
from welfare_analysis.results.transport import shuttle_of
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

NUMBERS = ["estimate", "low", "high"]
NAMES, RAIL = TOPICS["transport"].names, TOPICS["transport_rail"].names
DOCUMENTS = ("transport_break_even", "transport_parameters", "transport_errors")
STEPS = ("wants", "eligible", "affordable", "likely")
SHIFTS = {"shift", "day_part", "works_nights", "nights_month_n", "transit_at_shift"}


@pytest.fixture(scope="module")
def world():
    return generate(Parameters.read(DATA / "public"), 13, "plain", size=6000)


@pytest.fixture(scope="module")
def study(world):
    return Study.of(*(typed(f, BOOK) for f in (world.answers, world.register, world.followup)), BOOK, is_standin=True)


@pytest.fixture(scope="module")
def shown(study):
    return {name: release(study)[name] for name in (*NAMES, *RAIL)}


def states(study, names=NAMES):
    return {name: release(study)[name].state for name in names}


def test_those_in_need_are_the_same_in_both_tables(study, monkeypatch):
    """How many are in need, and how many of them would use a shuttle, is one number with one interval and one unit.

    As it is printed: what is printed to a unit has a wider interval, which would give it the next unit.
    """
    monkeypatch.setattr(protection, "units", digits.units)
    monkeypatch.setattr(protection, "policy", lambda: replace(policy(), error_share=0.85))  # where it does, here
    printed = release(replace(study))  # with no result of before
    need, funnel = printed["transport_need"], printed["transport_funnel"]
    for step in ("people", "wants"):
        for column in (*NUMBERS, "step"):
            assert need.cell("in_need", step)[column] == funnel.cell(step, "in_need")[column], (step, column)


def test_every_table_is_shown_and_rounded(shown):
    """All tables have numbers, inside their intervals, people rounded to ten; small bases are hidden whole."""
    assert len(shown) > 15
    for table in shown.values():
        assert table.state == "shown", table.id
        cells = table.shown
        assert len(cells), table.id
        assert ((cells["low"] <= cells["estimate"]) & (cells["estimate"] <= cells["high"])).all(), table.id
        if table.unit in ("persons", "hours", "rail_trips"):
            np.testing.assert_allclose(cells[NUMBERS] % 10, 0)
        assert table.frame.loc[table.frame["flag"] == "hidden", NUMBERS].isna().all().all()
        assert (cells["n"] >= 30).all()
        assert table.respondents > 0


def test_no_table_crosses_a_shift_with_a_single_command(shown):
    """Whoever knows how many come to a place at a shift knows its strength: in the plan and in the model's tables."""
    plan = pd.read_csv(DATA / "release.csv", keep_default_na=False)
    for row in plan.to_dict("records"):
        used = {*row["by"].split("|"), *row["variables"].split("|"), row["where"].split(" ")[0]}
        assert "command" not in used, row["id"]
        assert not (used & SHIFTS and "command_group" in used), row["id"]
    names = set(BOOK.codes("command")) - set(BOOK.codes("command_group"))
    for table in shown.values():
        assert "command" not in table.keys
        codes = set(table.frame[table.keys].astype(str).to_numpy().ravel())
        assert not codes & names, table.id


def test_no_table_has_a_number_of_a_place_at_a_shift(shown):
    """With what a run costs or needs beside it, the strength of a place at a shift could be computed."""
    for table in shown.values():
        codes = {str(code) for key in table.keys for code in table.frame[key]}
        assert not any("." in code and code.split(".")[0] in BOOK.codes("command_group") for code in codes), table.id
    assert set(shown["transport_groups"].frame["n"].dropna().unique()) == {shown["transport_groups"].respondents}


def test_shares_add_to_one_and_rows_to_each_other(shown):
    """Modes add to one in each scenario; riders by distance, by rank and by mode add up to those of all.

    Up to rounding: each to its own error.
    """
    sums = shown["transport_shares"].frame.groupby("transport_scenario")["estimate"].sum()
    np.testing.assert_allclose(sums, 1, atol=2e-5)
    whole = shown["transport_funnel"].cell("likely", "all")["estimate"]
    by_group = shown["transport_funnel_by_command_group"].frame
    for riders in (
        by_group[by_group[CATEGORY] == "likely"],
        shown["transport_corridors"].frame,
        shown["transport_riders_by_mode"].frame,
    ):
        rounded = (riders["step"].sum() + shown["transport_funnel"].cell("likely", "all")["step"]) / 2
        assert abs(riders["estimate"].sum() - whole) <= rounded + 1e-9


def test_each_step_keeps_fewer_and_what_falls_out_is_named(shown):
    """Steps fall, what is lost is their difference, and the last has a range that is wider than its sampling error."""
    table, gone = shown["transport_funnel"], shown["transport_lost"]
    for side in ("in_need", "not_in_need", "all"):
        kept = [table.cell(step, side)["estimate"] for step in ("people", *STEPS)]
        assert kept == sorted(kept, reverse=True)
        for before, after, step in zip(kept, kept[1:], STEPS, strict=False):
            assert gone.cell(step, side)["estimate"] == pytest.approx(before - after, abs=11)
    last, cases = table.cell("likely", "all"), shown["transport_cases"]
    told = {end: cases.cell(case)["estimate"] for end, case in (("low", "today"), ("high", "stated"))}
    assert {end: last[end] for end in told} == told  # the range ends at numbers that its table shows
    assert last["estimate"] == cases.cell("likely")["estimate"]


def test_a_range_is_not_an_interval(study):
    """Of what is likely no interval of sampling alone is shown beside its number."""
    shuttle = study.result(shuttle_of)
    low, high = shuttle.riders().interval().iloc[0]
    for table, codes in (("transport_funnel", ("likely", "all")), ("transport_funnel_by_status", ("active", "likely"))):
        cell = release(study)[table].cell(*codes)
        assert cell["high"] - cell["low"] > 2 * (high - low)


def test_only_active_staff_have_a_way_to_work(shown):
    """By status there is one row."""
    assert set(shown["transport_funnel_by_status"].frame["status"]) == {"active"}


def test_riders_fall_with_fare_and_headway(shown):
    """Along fares and headways fewer ride."""
    curve = shown["transport_curve"].frame.pivot(index="transport_fare", columns=CATEGORY, values="estimate")
    curve = curve.loc[["0", "100", "200"], ["30", "60", "120"]].to_numpy()
    assert (np.diff(curve, axis=0) <= 0).all()
    assert (np.diff(curve, axis=1) <= 0).all()


def test_groups_are_expected_not_counted(shown):
    """Fewer reach a limit at a lower fare or by today's constant; none is beyond the groups there are."""
    table = shown["transport_groups"].frame.pivot(index="transport_fare", columns=CATEGORY, values="estimate")
    assert (table["today"] <= table["likely"]).all()
    assert (table["likely"] <= table["stated"]).all()
    assert (table["likely"] <= table["likely_cheap"]).all()
    assert (table.to_numpy() <= 18).all()


def test_levers_add_up(shown):
    """Additional are those with it less those without; a transfer is part of the cost; the ratio is of the two."""
    table = shown["transport_levers"]
    for name in ("shuttle_likely", "fares_30", "ticket", "rail"):
        part = {p: table.cell(name, p)["estimate"] for p in ("before", "after", "additional", "cost_dh", "one_more")}
        assert part["additional"] == pytest.approx(part["after"] - part["before"], abs=11)
        assert part["one_more"] == pytest.approx(part["cost_dh"] / part["additional"], rel=0.15, abs=100)
        assert abs(table.cell(name, "transfer_dh")["estimate"]) <= abs(part["cost_dh"]) + 1e4


def test_the_page_speaks_in_three_languages(study):
    """Findings, tables and figures come in each language without a gap in their texts."""
    for language in ("ar", "fr", "en"):
        local = study.in_language(language)
        text = findings(local, "transport").data
        assert text.count("\n- ") == len(TOPICS["transport"].findings[1]) - 1
        assert "{" not in text
        for name in (*NAMES, *RAIL, *DOCUMENTS):
            table = show(local, name).data
            assert "<table" in table
            assert "term." not in table
        for name in (name for name in figures.FIGURES if name.startswith(("transport_", "commute_"))):
            _, of = figures.picture(local, name)
            assert of, name
            assert figures.alt_text(name, of, local).startswith(title(name, local))
            plt.close("all")


def test_a_notebook_meets_the_released_number(study):
    """Riders computed from the people and the terms agree with the released ones after their rounding."""
    shuttle = study.result(shuttle_of)
    riders = shuttle.riders().value.iloc[0]
    assert "released number" in agrees(study, "transport_funnel|likely|all", riders).data
    assert shuttle.at(cost_dh=0.0).riders().value.iloc[0] > riders


def test_a_mode_of_few_users_is_not_described(study, shown):
    """Fewer than ten who come by a mode: neither its share of today nor one after a change is shown, nor one more."""
    keep = study.frame["commute_mode"] == "tram"
    frame = study.frame[(study.frame["outcome"] == "returned") & (~keep | (keep.cumsum() <= 9))]
    part = Study.of(frame.reset_index(drop=True), study.register, None, BOOK)
    table = release(part)["transport_shares"].frame.set_index(["transport_scenario", CATEGORY])["estimate"]
    hidden = table[table.isna()]
    assert "tram" in hidden.index.get_level_values(1)
    assert (hidden.groupby(level=0).size() >= 2).all()
    assert hidden.index.get_level_values(0).nunique() == table.index.get_level_values(0).nunique()


def test_an_agreement_costs_more_where_trips_respond(shown):
    """The cost falls from the strong to the weak response."""
    cost = shown["transport_rail_cost"].frame.pivot(index="rail_discount", columns=CATEGORY, values="estimate")
    assert (cost["low"] >= cost["value"]).all()
    assert (cost["value"] >= cost["high"]).all()


@pytest.mark.parametrize("without", ["commute_version", "commute_mode", "shift"])
def test_what_was_not_asked_is_said(world, without):
    """Without cards, modes or shifts there is no table of the model, and the page says why."""
    frames = (f.drop(columns=without, errors="ignore") for f in (world.answers, world.register, world.followup))
    part = Study.of(*(typed(f, BOOK) for f in frames), BOOK, is_standin=True)
    assert set(states(part).values()) == {"not_asked"}
    asked = BOOK.text("not_asked", "en")
    assert findings(part, "transport").data == asked
    assert asked in show(part, "transport_tastes").data
    assert asked in show(part, "transport_funnel").data


@pytest.mark.parametrize(("size", "seed"), [(600, 1), (600, 2), (700, 1)])
def test_small_samples_have_tables_or_are_too_few(size, seed):
    """Modes that nobody uses, groups of whom nothing is known, a likelihood without a maximum: no other error."""
    small = generate(Parameters.read(DATA / "public"), seed, "rich", size)
    part = Study.of(*(typed(f, BOOK) for f in (small.answers, small.register, small.followup)), BOOK)
    assert set(states(part).values()) <= {"shown", "too_few"}


def test_without_a_register_or_with_few_answers_it_is_said(world, study):
    """No register: no totals; a handful of answers: too few for a model."""
    bare = Study.of(typed(world.answers, BOOK), None, None, BOOK)
    assert set(states(bare, (*NAMES, *RAIL)).values()) == {"no_totals"}
    few = replace(
        study, frame=study.frame.assign(commute_version=study.frame["commute_version"].where(study.frame.index < 60))
    )
    assert set(states(few).values()) == {"too_few"}
    none = replace(study, frame=study.frame.drop(columns="intercity_cost_dh"))
    assert study.frame["intercity_cost_dh"].notna().any()
    assert set(states(none, RAIL).values()) == {"not_asked"}
