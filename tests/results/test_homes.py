"""The demand for homes as it is published."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.demand import tastes
from welfare_analysis.disclosure import CATEGORY
from welfare_analysis.publishing import agrees, figures, findings, say, show
from welfare_analysis.results import TOPICS, release
from welfare_analysis.results.homes import KINDS, PRICES, home_market
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

BOOK = Codebook.read(DATA / "codebook")
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


def test_kinds_add_up_to_the_adults(shown, study):
    """On any terms, in any version and group, everybody of age takes one alternative."""
    market = study.result(home_market)
    adults = float(study.design.weights[market.adult.to_numpy()].sum())
    for name in ("homes_by_terms", "homes_versions", "homes_scenarios"):
        frame = shown[name].frame
        key = next(c for c in (CATEGORY, *shown[name].by) if c in frame and set(frame[c]) != set(BOOK.codes(KINDS)))
        np.testing.assert_allclose(frame.groupby(key)["estimate"].sum(), adults, atol=30)
    cells = shown["homes_cells"].frame
    np.testing.assert_allclose(cells.groupby(CATEGORY)["estimate"].sum(), adults, atol=60)


def test_dearer_homes_are_less_in_reach_and_less_taken(shown):
    """Along prices, reach and demand fall; a lower rate moves both up."""
    reach = shown["homes_reach"].frame.astype({"rank_group": str})
    wide = reach.pivot(index=["rank_group", "home_terms"], columns=CATEGORY, values="estimate")[
        [str(p) for p in PRICES]
    ]
    wide = wide.dropna()
    assert (np.diff(wide.to_numpy(), axis=1) <= 1e-9).all()
    curve = shown["homes_curve"].frame.pivot(index="home_price", columns=CATEGORY, values="estimate")
    curve = curve.loc[[str(p) for p in PRICES]]
    assert (np.diff(curve.to_numpy(), axis=0) <= 0).all()
    assert (curve["foundation"] >= curve["bank"]).all()


def test_the_page_speaks_in_three_languages(shown, study):
    """Findings, tables and figures come in each language without a gap in their texts."""
    for language in ("ar", "fr", "en"):
        local = study.in_language(language)
        text = findings(local, "homes").data + say(local, "homes.standards", "homes.scenario_terms").data
        assert findings(local, "homes").data.count("\n- ") == len(TOPICS["homes"].findings[1]) - 1
        assert "{" not in text
        for name in (*shown, "homes_errors"):
            assert "<table>" in show(local, name).data
    for name in (name for name in figures.FIGURES if name.startswith("homes_")):
        _, of = figures.picture(study, name)
        assert of
        assert figures.alt_text(name, of, study)


def test_a_notebook_meets_the_released_number(study):
    """Demand computed from the market agrees with the released one."""
    demand = study.result(home_market).demand()
    address = "homes_by_terms|cooperative_plot|foundation"
    assert "released number" in agrees(study, address, demand.value["cooperative_plot"]).data


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
    assert set(stored["key"]) == {tastes.Subsample(default.result(home_market)).key()}
    assert stored["persons"].iloc[0] >= 4000
    assert release(default)["homes_tastes_shares"].state == "shown"
    assert release(study)["homes_tastes_shares"].state != "shown"
