"""The demand for loans as it is published."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from welfare_analysis.demand import loans as demand
from welfare_analysis.publishing import figures, loan_briefs, loans, protect, tables
from welfare_analysis.publishing.loan_demand import KINDS, market_of
from welfare_analysis.publishing.suppression import CATEGORY
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

BOOK = Codebook.read(DATA / "codebook")
NUMBERS = ["estimate", "low", "high"]


@pytest.fixture(scope="module")
def study():
    world = generate(Parameters.read(DATA / "public"), 13, "plain", size=6000)
    return Study.of(*(typed(f, BOOK) for f in (world.answers, world.register, world.followup)), BOOK, is_standin=True)


@pytest.fixture(scope="module")
def shown(study):
    return loans.loan_tables(study)


def wide(table, rows, of="estimate"):
    return table.frame.astype({rows: str}).pivot(index=rows, columns=CATEGORY, values=of)


def test_every_table_is_shown_and_rounded(shown):
    """All tables have numbers, inside their intervals, files and people rounded to ten; small bases hidden whole."""
    assert set(shown) == {f"loans_{name}" for name in loans.IDS}
    for table in shown.values():
        assert table.state == "shown", table.id
        cells = table.shown
        assert len(cells), table.id
        assert ((cells["low"] <= cells["estimate"]) & (cells["estimate"] <= cells["high"])).all(), table.id
        if table.unit in ("persons", "files"):
            np.testing.assert_allclose(cells[NUMBERS] % 10, 0)
        assert table.frame.loc[table.frame["flag"] == "hidden", NUMBERS].isna().all().all()
        assert (cells["n"] >= 30).all(), table.id
        assert table.respondents > 0
        assert 0 <= table.missing_share < 1


def test_each_stage_is_a_part_of_the_one_before(shown):
    """Of what is stated some is open, of that some within the limit; the cells of what is stated add up to it."""
    for name in ("loans_files", "loans_volume"):
        table = wide(shown[name], KINDS)
        assert (table["stated"] >= table["eligible"]).all()
        assert (table["eligible"] > table["affordable"]).all()
    cells = shown["loans_cells"].frame.groupby(CATEGORY)["estimate"].sum()
    stated = wide(shown["loans_files"], KINDS)["stated"]
    np.testing.assert_allclose(cells[stated.index], stated, atol=40)


def test_groups_add_up(shown):
    """Files within the limit by groups of commands add up to the whole, up to rounding and what is hidden."""
    whole = wide(shown["loans_files"], KINDS)["affordable"]
    parts = shown["loans_by_command_group"].frame.groupby(CATEGORY)["estimate"].sum()
    assert (np.abs(parts[whole.index] - whole) / whole < 0.25).all()


def test_a_higher_rate_takes_files_away(shown):
    """Demand falls with the rate, and so does what is within the limit for a home."""
    curve = wide(shown["loans_curve"], "loan_rate").loc[["talks", "foundation", "bank", "company"]]
    assert (np.diff(curve["foundation"]) < 0).all()
    assert (np.diff(curve["all"]) <= 0).all()
    homes = wide(shown["loans_housing"], "home_terms")["affordable"]
    assert homes["bank"] <= homes["foundation"] <= homes["talks"]
    steps = shown["loans_elasticity"].shown
    assert (steps["estimate"] < 0).all()


def test_nobody_is_counted_as_a_success_over_the_limit(shown, study):
    """The guard rail holds everybody who wants a consumer loan, and what is pushed over is in no affordable file."""
    market = market_of(study)
    guard = wide(shown["loans_guard"], "loan_guard")
    number = float(market.number().value.iloc[0])
    np.testing.assert_allclose(guard.sum(), number, atol=60)
    files = wide(shown["loans_files"], KINDS)["affordable"]
    assert (files * demand.assumed("wish_years") <= guard.loc["within", files.index] * 1.2).all()
    money = wide(shown["loans_rationed"], "loan_alternative")
    assert (money["within"] <= money["most"]).all()
    assert (money["most"] <= money["wanted"]).all()
    joint = wide(shown["loans_joint"], KINDS)
    assert (joint["after_home"] <= joint["alone"]).all()


def test_losses_grow_with_years_and_scenario(shown):
    """What is lost so far never falls, and is more in the worse scenario; outstanding is less there."""
    lost, out = (wide(shown[f"loans_{name}"], "loan_year") for name in ("losses", "portfolio"))
    assert (np.diff(lost, axis=0) >= 0).all()
    assert (lost["high"] >= lost["low"]).all()
    assert (out["high"] <= out["low"]).all()


def test_the_page_speaks_in_three_languages(shown, study):
    """Findings, tables and figures come in each language without a gap in their texts."""
    released = protect(study) | dict(shown)
    for language in ("ar", "fr", "en"):
        local = replace(study, language=language)
        text = loan_briefs.findings(released, local).data
        assert text.count("\n- ") == len(loan_briefs.FINDINGS) - 1
        assert "{" not in text
        for name in shown:
            assert "<table>" in tables.show(released[name], local).data
        assert "<table>" in loan_briefs.standing(local).data
        assert "{" not in loan_briefs.terms_used(local).data
        for name in (name for name in figures.FIGURES if name.startswith("loans_")):
            figure, of = figures.draw(name, released, local)
            assert of
            assert figures.alt_text(name, of, local).startswith(figure.get_suptitle())
            plt.close("all")


def test_what_the_models_rest_on(study):
    """Persons, cards and unseen choices; amounts and wishes with intervals; three models compared, one argued for."""
    assert loan_briefs.model(study).data.count("<table>") == 2
    for kind in ("consumer", "housing"):
        text = loan_briefs.borrowing_models(study, kind).data
        assert text.count("<table>") == 2
        assert "term." not in text
    assert loan_briefs.compared(study).data.count("<tr>") == 8
    assert loan_briefs.choice_of_model(study).data.count("- ") >= 2


def test_what_was_not_asked_is_said(study):
    """Without a register no numbers of people; without cards debts and wishes alone; without the wish nothing."""
    few = study.frame[["status", "age", "net_pay_dh", "pension_dh"]].reset_index(drop=True)
    assert {t.state for t in loans.loan_tables(Study.of(few, None, None, BOOK)).values()} == {"no_totals"}
    back = study.frame[study.frame["outcome"] == "returned"]
    cards = [c for c in back if c.startswith(("loan_version", "loan_card", "loan_certainty", "home_card"))]
    known = Study.of(back.drop(columns=cards), study.register, None, BOOK)
    found = loans.loan_tables(known)
    assert found["loans_files"].state == "not_asked"
    assert found["loans_guard"].state == found["loans_saved"].state == found["loans_wish"].state == "shown"
    assert loan_briefs.findings(found, known).data == BOOK.text("not_asked")
    assert BOOK.text("not_asked") in loan_briefs.model(known).data
    assert "<table>" in loan_briefs.standing(known).data
    silent = Study.of(back.drop(columns="wants_loan"), study.register, None, BOOK)
    assert {t.state for t in loans.loan_tables(silent).values()} == {"not_asked"}
    for text in (loan_briefs.compared(silent), loan_briefs.borrowing_models(silent, "consumer")):
        assert BOOK.text("not_asked") in text.data
    assert pd.isna(loans.loan_tables(silent)["loans_files"].missing_share)


def test_few_answers_are_too_few(study):
    """Cards of a few persons give no model, and the page says so; what needs no model is shown or hidden."""
    rows = study.frame["outcome"] == "returned"
    few = study.frame[rows].assign(
        loan_version=study.frame["loan_version"].where(np.arange(len(study.frame)) % 400 == 0)
    )
    for i in range(1, 7):
        few[f"loan_card_{i}"] = few[f"loan_card_{i}"].where(few["loan_version"].notna())
    small = Study.of(few, study.register, None, BOOK)
    found = loans.loan_tables(small)
    assert found["loans_files"].state == "too_few"
    assert found["loans_guard"].state == "shown"
    assert BOOK.text("too_few") in loan_briefs.model(small).data
