"""The demand for homes as it is published."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.demand import tastes
from welfare_analysis.disclosure import CATEGORY
from welfare_analysis.publishing import agrees, figures, findings, say, show
from welfare_analysis.results import TOPICS, release, steps
from welfare_analysis.results.catalogue import DISPLAYS
from welfare_analysis.results.homes import PRICES, bought, home_market
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

NUMBERS = ["estimate", "low", "high"]


@pytest.fixture(scope="module")
def world():
    return generate(Parameters.read(DATA / "public"), 12, "plain", size=5000)


@pytest.fixture(scope="module")
def study(world):
    return Study.of(*(typed(f, BOOK) for f in (world.answers, world.register, world.followup)), BOOK, is_standin=True)


@pytest.fixture(scope="module")
def shown(study):
    names = [name for name in TOPICS["homes"].names if name != "homes_tastes_shares"]  # of the stored answers alone
    return {name: release(study)[name] for name in names}


def test_every_table_is_shown_and_rounded(shown):
    """All tables have numbers, inside their intervals, people rounded to ten; small bases are hidden whole."""
    for table in shown.values():
        assert table.state == "shown"
        cells = table.shown
        assert len(cells)
        assert ((cells["low"] <= cells["estimate"]) & (cells["estimate"] <= cells["high"])).all(), table.id
        if table.unit in ("persons", "homes"):
            np.testing.assert_allclose(cells[NUMBERS] % 10, 0)
        assert table.frame.loc[table.frame["flag"] == "hidden", NUMBERS].isna().all().all()
        assert (cells["n"] >= 30).all()


def test_kinds_add_up_to_the_people(shown, study):
    """On any terms those who want a home and own none take one alternative each; all together are the adults."""
    market = study.result(home_market)
    wishers = float(study.design.weights[market.wishers.to_numpy()].sum())
    frame = shown["homes_by_terms"].frame
    np.testing.assert_allclose(frame.groupby(CATEGORY)["estimate"].sum(), wishers, atol=30)
    wishes = float(study.design.weights[market.wishes.notna().to_numpy()].sum())
    assert shown["homes_by_wish"].frame["estimate"].sum() == pytest.approx(wishes, abs=100)


def test_the_funnel_narrows_and_what_falls_out_adds_up(shown):
    """Each step is smaller; need and no need are all; what is lost is what is not left."""
    steps = shown["homes_funnel"].frame.pivot(index="home_step", columns=CATEGORY, values="estimate")
    steps = steps.loc[["people", "wants", "eligible", "affordable", "likely"]]
    assert (steps.diff().dropna() <= 0).all(axis=None)
    two = steps["in_need"] + steps["not_in_need"]
    np.testing.assert_allclose(two[["people", "wants"]], steps.loc[["people", "wants"], "all"], rtol=0.05)
    lost = shown["homes_lost"].frame.pivot(index="home_lost", columns=CATEGORY, values="estimate")
    np.testing.assert_allclose(lost.sum(), steps.loc["people"] - steps.loc["likely"], atol=30)


def test_need_is_parted_into_what_would_meet_it(shown):
    """Dwellings, money and work on one's own home are the backlog, and the net need a year."""
    table = shown["homes_need"].frame.pivot(index="home_need", columns=CATEGORY, values="estimate")
    for row in ("backlog", "years_10"):
        parts = table.loc[row, ["another", "money", "own_home"]].sum()
        assert parts == pytest.approx(table.loc[row, "all"], rel=0.03)
    one = table.loc["backlog", "another"] / 10 + table.loc["arising", "another"] - table.loc["supply", "another"]
    assert table.loc["years_10", "another"] == pytest.approx(one, abs=30)


def test_a_step_that_hardly_anybody_passes_outside_one_group_is_of_all_alone(shown):
    """By hand: four and one respondents beside many are not parted, nobody and ten are."""
    rows = pd.DataFrame({"s": [*"aaabbbccc"], "numerator": [2242.0, 4, 1, 50, 0, 0, 90, 6, 4]})
    assert steps.parted(rows, "s").tolist() == [False] * 3 + [True] * 6
    table = shown["homes_funnel_by_status"].frame
    assert {"in_need", "wants"} <= set(table[CATEGORY])
    assert not table.groupby(CATEGORY)["flag"].agg(lambda flags: flags.eq("hidden").all()).any()


def test_dearer_homes_are_less_taken(shown):
    """Along prices demand falls; a lower rate moves it up."""
    curve = shown["homes_curve"].frame.pivot(index="home_price", columns=CATEGORY, values="estimate")
    curve = curve.loc[[str(p) for p in PRICES]]
    assert (np.diff(curve.to_numpy(), axis=0) <= 0).all()
    assert (curve["foundation"] >= curve["bank"]).all()


def test_one_table_reconciles_the_pages(study):
    """Its cells are those of the tables that they name, from hope to purchase."""
    table = release(study)["demand_reconciled"]
    listed = DISPLAYS[DISPLAYS["table"] == "demand_reconciled"]
    assert len(listed)
    for name, address in zip(listed["row"], listed["address"], strict=True):
        other, *codes = address.split("|")
        assert table.cell(name, "number")["estimate"] == release(study)[other].cell(*codes)["estimate"]


def test_the_page_speaks_in_three_languages(shown, study):
    """Findings, tables and figures come in each language without a gap in their texts."""
    for language in ("ar", "fr", "en"):
        local = study.in_language(language)
        text = findings(local, "homes").data + say(local, "homes.standards", "homes.reconciled", "homes.chain").data
        assert findings(local, "homes").data.count("\n- ") == len(TOPICS["homes"].findings[1]) - 1
        assert "{" not in text
        for name in (*shown, "homes_errors", "homes_parameters", "demand_reconciled"):
            assert "<table" in show(local, name).data
    for name in (name for name in figures.FIGURES if name.startswith("homes_")):
        _, of = figures.picture(study, name)
        assert of
        assert figures.alt_text(name, of, study)


def test_a_notebook_meets_the_released_number(study):
    """Homes computed from the market agree with the released number."""
    homes = bought(study.result(home_market).likely(), "homes").value.iloc[0]
    assert "released number" in agrees(study, "homes_realised|certain|five_years", homes).data


def test_what_was_not_asked_is_said(study):
    """Without cards, and without a register, there is no number of people, and the page says why."""
    names = TOPICS["homes"].names
    alone = study.frame[["status", "age", "tenure", "net_pay_dh", "pension_dh"]].reset_index(drop=True)
    assert {release(Study.of(alone, None, None, BOOK))[name].state for name in names} == {"no_totals"}
    without = study.frame.drop(columns=[c for c in study.frame if c.startswith("home_version")])
    known = Study.of(without[without["outcome"] == "returned"], study.register, None, BOOK)
    assert {release(known)[name].state for name in names} == {"not_asked"}
    assert findings(known, "homes").data == BOOK.text("not_asked")
    assert pd.isna(release(known)["homes_need"].missing_share)


def test_the_stored_mixed_logit_is_of_these_answers(study):
    """The key of the stored result is that of the stand-in as the code reads it now; of other answers none is shown."""
    default = Study.open()
    stored = pd.read_csv(DATA / "survey" / tastes.NAME)
    assert set(stored["key"]) == {tastes.Subsample(tastes.most_lent(default.result(home_market))).key()}
    assert stored["persons"].iloc[0] >= 4000
    assert release(default)["homes_tastes_shares"].state == "shown"
    assert release(study)["homes_tastes_shares"].state != "shown"


def test_the_frontier_tells_each_measure_as_the_table_of_costs_does(shown):
    """What it adds and costs, with intervals and units; the first on the frontier has the cost of one more there."""
    keys = ["home_lever", CATEGORY]
    costs = shown["homes_levers"].frame.astype(dict.fromkeys(keys, str)).set_index(keys)
    frontier = shown["homes_frontier"].frame.astype(dict.fromkeys(keys, str)).set_index(keys)
    twice = frontier.index.intersection(costs.index)
    assert len(twice) >= 2
    pd.testing.assert_frame_equal(frontier.loc[twice], costs.loc[twice, frontier.columns], check_names=False)
    first = frontier.index[0][0]
    numbers = [*NUMBERS, "unit"]
    assert frontier.loc[(first, "next_one"), numbers].tolist() == costs.loc[(first, "one_more"), numbers].tolist()
    bought = frontier.xs("next_million", level=CATEGORY)
    assert (bought["high"] > bought["low"]).all()
