"""The demand for homes as it is published."""

import numpy as np
import pandas as pd
import pytest
from welfare_analysis.publishing.homes import KINDS, PRICES
from welfare_analysis.publishing.suppression import CATEGORY

from welfare_analysis.demand import tastes
from welfare_analysis.publishing import briefs, figures, home_briefs, homes, protect, tables
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
    return homes.homes(study)


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
    market = homes.market_of(study)
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
    released = dict(protect(study)) | dict(shown)
    for language in ("ar", "fr", "en"):
        local = study.__class__(
            **{f: getattr(study, f) for f in study.__dataclass_fields__ if f != "language"}, language=language
        )
        text = home_briefs.findings(released, local).data
        assert text.count("\n- ") == len(home_briefs.FINDINGS) - 1
        assert "{" not in text
        for name in ("homes_crosses", "homes_cells", "homes_realised", "homes_need"):
            assert "<table>" in tables.show(released[name], local).data
    for name in (name for name in figures.FIGURES if name.startswith("homes_")):
        _, of = figures.draw(name, released, study)
        assert of
        assert figures.alt_text(name, of, study)


def test_what_the_models_rest_on(study):
    """Persons, cards and unseen choices; budgets and places with intervals."""
    rests = home_briefs.model(study).data
    assert rests.count("<table>") == 2
    assert "term." not in home_briefs.budget_models(study).data
    assert home_briefs.place_model(study).data.count("<tr>") == 8


def test_what_was_not_asked_is_said(study):
    """Without cards, and without a register, there is no number of people, and the page says why."""
    few = study.frame[["status", "age", "tenure", "net_pay_dh", "pension_dh"]].reset_index(drop=True)
    alone = Study.of(few, None, None, BOOK)
    assert {t.state for t in homes.homes(alone).values()} == {"no_totals"}
    register = study.register
    without = study.frame.drop(columns=[c for c in study.frame if c.startswith("home_version")])
    known = Study.of(without[without["outcome"] == "returned"], register, None, BOOK)
    assert {t.state for t in homes.homes(known).values()} == {"not_asked"}
    text = home_briefs.findings(homes.homes(known) | {}, known).data
    assert text == BOOK.text("not_asked")
    assert isinstance(briefs.banner(known).data, str)
    assert pd.isna(homes.homes(known)["homes_need"].missing_share)


def test_the_stored_mixed_logit_is_of_these_answers():
    """The key of the stored result is that of the stand-in as the code reads it now; of other answers none is shown."""
    default = Study.open()
    stored = pd.read_csv(DATA / "survey" / tastes.NAME)
    assert set(stored["key"]) == {tastes.Subsample(homes.market_of(default)).key()}
    assert stored["persons"].iloc[0] >= 4000
    text = home_briefs.own_tastes(default).data
    assert text.count("<table>") == 2


def test_other_answers_are_told_to_compute_their_own(study, tmp_path):
    """Without a result of these answers the page names the command."""
    assert "make mixed" in home_briefs.own_tastes(study, tmp_path).data
