"""The demand for transport as it is published."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from welfare_analysis.publishing.suppression import CATEGORY

from welfare_analysis.publishing import figures, intercity, protect, tables, transport, transport_briefs
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

BOOK = Codebook.read(DATA / "codebook")
NUMBERS = ["estimate", "low", "high"]
SHIFTS = {"shift", "day_part", "works_nights", "transport_equilibrium", "nights_month_n", "transit_at_shift"}


@pytest.fixture(scope="module")
def world():
    return generate(Parameters.read(DATA / "public"), 13, "plain", size=6000)


@pytest.fixture(scope="module")
def study(world):
    return Study.of(*(typed(f, BOOK) for f in (world.answers, world.register, world.followup)), BOOK, is_standin=True)


@pytest.fixture(scope="module")
def shown(study):
    return {**transport.transport_tables(study), **intercity.rail_tables(study)}


def test_every_table_is_shown_and_rounded(shown):
    """All tables have numbers, inside their intervals, people rounded to ten; small bases are hidden whole."""
    for table in shown.values():
        assert table.state == "shown", table.id
        cells = table.shown
        assert len(cells), table.id
        assert ((cells["low"] <= cells["estimate"]) & (cells["estimate"] <= cells["high"])).all(), table.id
        if table.unit in ("persons", "hours", "tonnes", "rail_trips"):
            np.testing.assert_allclose(cells[NUMBERS] % 10, 0)
        assert table.frame.loc[table.frame["flag"] == "hidden", NUMBERS].isna().all().all()
        assert (cells["n"] >= 30).all()


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
        told = set(
            table.frame[[c for c in table.frame if c not in (*NUMBERS, "n", "flag")]].astype(str).to_numpy().ravel()
        )
        assert not told & names, table.id


def test_shares_add_to_one_and_rows_to_each_other(shown):
    """Modes add to one in each scenario and model; riders by group, by rank and by mode add up to those of all."""
    for name in ("transport_shares", "transport_versions"):
        frame = shown[name].frame
        sums = frame.groupby(frame.columns[[c in shown[name].by for c in frame.columns]].tolist())["estimate"].sum()
        np.testing.assert_allclose(sums, 1, atol=2e-5)
    whole = shown["transport_realised"].frame.set_index("transport_realisation")["estimate"]["all"]
    need = shown["transport_need"].frame
    for riders in (
        need.loc[need[CATEGORY] == "riders", "estimate"].sum(),
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


def test_the_page_speaks_in_three_languages(shown, study):
    """Findings, tables and figures come in each language without a gap in their texts."""
    released = protect(study) | shown
    for language in ("ar", "fr", "en"):
        local = replace(study, language=language)
        text = transport_briefs.findings(released, local).data
        assert text.count("\n- ") >= len(transport_briefs.FINDINGS) - 1
        assert "{" not in text
        for name in shown:
            assert "<table>" in tables.show(released[name], local).data
        for told in (transport_briefs.model(released, local), transport_briefs.tastes(released, local)):
            assert "term." not in told.data
        assert "{" not in transport_briefs.checks(released, local).data
        assert "<table>" in transport_briefs.errors(local).data
    for name in (name for name in figures.FIGURES if name.startswith(("transport_", "commute_"))):
        _, of = figures.draw(name, released, study)
        assert of, name
        assert figures.alt_text(name, of, study)


def test_the_count_of_trips_is_told(study):
    """The models of trips have a row each of what moves them, and the elasticity is beside its assumption."""
    assert transport_briefs.trips(study).data.count("<tr>") >= 7
    frame = intercity.rail_tables(study)["transport_rail_elasticity"].frame
    assert set(frame["rail_elasticity"]) == {"model", "low", "value", "high"}


@pytest.mark.parametrize("without", ["commute_version", "commute_mode", "shift"])
def test_what_was_not_asked_is_said(world, without):
    """Without cards, modes or shifts there is no table of the model, and the page says why."""
    part = Study.of(
        *(
            typed(f.drop(columns=without, errors="ignore"), BOOK)
            for f in (world.answers, world.register, world.followup)
        ),
        BOOK,
        is_standin=True,
    )
    found = transport.transport_tables(part)
    assert {t.state for t in found.values()} == {"not_asked"}
    released = protect(part) | found | intercity.rail_tables(part)
    asked = BOOK.text("not_asked", "en")
    assert asked in transport_briefs.findings(released, part).data
    assert asked in transport_briefs.tastes(released, part).data
    assert asked in tables.show(released["transport_shuttle"], part).data


def test_a_table_whose_own_question_was_not_asked_is_alone_in_it(study):
    """Minutes to work are compared with the table and stand in no model: without them the other tables are shown."""
    part = replace(study, frame=study.frame.drop(columns="commute_min"))
    states = {name: table.state for name, table in transport.transport_tables(part).items()}
    assert states.pop("transport_minutes") == "not_asked"
    assert set(states.values()) == {"shown"}


@pytest.mark.parametrize(("size", "seed"), [(600, 1), (600, 2), (700, 1)])
def test_small_samples_have_tables_or_are_too_few(size, seed):
    """Modes that nobody uses, groups of whom nothing is known, a likelihood without a maximum: no other error."""
    small = generate(Parameters.read(DATA / "public"), seed, "rich", size)
    part = Study.of(*(typed(f, BOOK) for f in (small.answers, small.register, small.followup)), BOOK)
    states = {table.state for table in transport.transport_tables(part).values()}
    assert states == ({"too_few"} if size == 700 else {"shown"})


def test_without_a_register_or_with_few_answers_it_is_said(world, study):
    """No register: no totals; a handful of answers: too few for a model."""
    bare = Study.of(typed(world.answers, BOOK), None, None, BOOK)
    assert {t.state for t in transport.transport_tables(bare).values()} == {"no_totals"}
    assert {t.state for t in intercity.rail_tables(bare).values()} == {"no_totals"}
    few = replace(
        study, frame=study.frame.assign(commute_version=study.frame["commute_version"].where(study.frame.index < 60))
    )
    assert {t.state for t in transport.transport_tables(few).values()} == {"too_few"}
    trips = study.frame["intercity_cost_dh"]
    none = replace(study, frame=study.frame.drop(columns="intercity_cost_dh"))
    assert trips.notna().any()
    assert {t.state for t in intercity.rail_tables(none).values()} == {"not_asked"}
