"""The demand for transport as it is published."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from welfare_analysis.disclosure import CATEGORY
from welfare_analysis.publishing import agrees, figures, findings, show
from welfare_analysis.results import TOPICS, release
from welfare_analysis.results.shuttle import shuttle_of
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

BOOK = Codebook.read(DATA / "codebook")
NUMBERS = ["estimate", "low", "high"]
NAMES, RAIL = TOPICS["transport"].names, TOPICS["transport_rail"].names
DOCUMENTS = ("transport_runs", "transport_assumptions", "transport_errors")
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


def test_every_table_is_shown_and_rounded(shown):
    """All tables have numbers, inside their intervals, people rounded to ten; small bases are hidden whole."""
    assert len(shown) > 20
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


def test_riders_are_the_only_number_of_a_cell(shown):
    """With runs or the cost of a rider beside its riders, the strength of a cell could be computed."""
    crossed = [table.id for table in shown.values() if {table.variable, *table.by} >= {"command_group", "day_part"}]
    assert crossed == ["transport_shuttle"]


def test_shares_add_to_one_and_rows_to_each_other(shown):
    """Modes add to one in each scenario and model; riders by group, by rank and by mode add up to those of all."""
    for name in ("transport_shares", "transport_versions"):
        sums = shown[name].frame.groupby(list(shown[name].by))["estimate"].sum()
        np.testing.assert_allclose(sums, 1, atol=2e-5)
    whole = shown["transport_realised"].cell("all")["estimate"]
    need = shown["transport_need"].frame
    for riders in (
        need.loc[need[CATEGORY] == "riders", "estimate"].sum(),
        shown["transport_shuttle"].frame["estimate"].sum(),
        shown["transport_riders_by_rank"].frame["estimate"].sum(),
        shown["transport_riders_by_mode"].frame["estimate"].sum(),
    ):
        assert riders == pytest.approx(whole, rel=0.02, abs=60)


def test_riders_fall_with_fare_and_headway_and_rise_with_belief(shown):
    """Along fares and headways fewer ride; the more the cards are believed, the more do."""
    curve = shown["transport_curve"].frame.pivot(index="transport_fare", columns=CATEGORY, values="estimate")
    curve = curve.loc[["0", "100", "200"], ["30", "60", "120"]].to_numpy()
    assert (np.diff(curve, axis=0) < 0).all()
    assert (np.diff(curve, axis=1) < 0).all()
    belief = shown["transport_constant"].frame.set_index("transport_constant")["estimate"]
    assert belief[["0", "25", "50", "75", "100"]].is_monotonic_increasing


def test_more_ride_where_the_modes_of_today_are_slower_to_come(shown):
    """With the model fitted anew, a longer headway of the modes in use leaves the shuttle more riders; a fare fewer."""
    ends = shown["transport_tornado"].frame.pivot(index="transport_assumption", columns=CATEGORY, values="estimate")
    assert ends.loc["headway_min", "high"] > ends.loc["headway_min", "low"]
    assert ends.loc["cost_dh", "high"] < ends.loc["cost_dh", "low"]


def test_the_page_speaks_in_three_languages(study):
    """Findings, tables and figures come in each language without a gap in their texts."""
    for language in ("ar", "fr", "en"):
        local = study.in_language(language)
        text = findings(local, "transport").data
        assert text.count("\n- ") == len(TOPICS["transport"].findings[1]) - 1
        assert "{" not in text
        for name in (*NAMES, *RAIL, *DOCUMENTS):
            table = show(local, name).data
            assert "<table>" in table
            assert "term." not in table
        for name in (name for name in figures.FIGURES if name.startswith(("transport_", "commute_"))):
            figure, of = figures.picture(local, name)
            assert of, name
            assert figures.alt_text(name, of, local).startswith(figure.get_suptitle())
            plt.close("all")


def test_a_notebook_meets_the_released_number(study):
    """Riders computed from the people and the terms agree with the released ones after their rounding."""
    shuttle = study.result(shuttle_of)
    riders = shuttle.riders().value.iloc[0]
    assert "released number" in agrees(study, "transport_realised|all", riders).data
    assert shuttle.riders_point == pytest.approx(riders, rel=1e-9)
    assert shuttle.at(cost_dh=0.0).riders_point > riders


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


def test_the_elasticity_is_beside_its_assumption(shown):
    """The slope of the cross-section and the three ends of the assumption; the cost of each end follows from it."""
    assert set(shown["transport_rail_elasticity"].frame["rail_elasticity"]) == {"model", "low", "value", "high"}
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
    assert asked in show(part, "transport_shuttle").data


def test_a_table_whose_own_question_was_not_asked_is_alone_in_it(study):
    """Minutes to work are compared with the table and stand in no model: without them the other tables are shown."""
    part = replace(study, frame=study.frame.drop(columns="commute_min"))
    made = states(part)
    assert made.pop("transport_minutes") == "not_asked"
    assert set(made.values()) == {"shown"}


@pytest.mark.parametrize(("size", "seed"), [(600, 1), (600, 2), (700, 1)])
def test_small_samples_have_tables_or_are_too_few(size, seed):
    """Modes that nobody uses, groups of whom nothing is known, a likelihood without a maximum: no other error."""
    small = generate(Parameters.read(DATA / "public"), seed, "rich", size)
    part = Study.of(*(typed(f, BOOK) for f in (small.answers, small.register, small.followup)), BOOK)
    assert set(states(part).values()) == ({"too_few"} if size == 700 else {"shown"})


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
