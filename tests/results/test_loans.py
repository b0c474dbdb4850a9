"""The demand for loans as it is published."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from welfare_analysis.demand import loans as demand
from welfare_analysis.disclosure import CATEGORY
from welfare_analysis.errors import WelfareError
from welfare_analysis.publishing import agrees, figures, findings, say, show
from welfare_analysis.results import TOPICS, release
from welfare_analysis.results.debts import KINDS, loan_market
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
    return {name: release(study)[name] for name in TOPICS["loans"].names}


def wide(table, rows, of="estimate"):
    return table.frame.astype({rows: str}).pivot(index=rows, columns=CATEGORY, values=of)


def test_every_table_is_shown_and_rounded(shown):
    """All tables have numbers, inside their intervals, files and people rounded to ten; small bases hidden whole."""
    assert len(shown) > 30
    for table in shown.values():
        assert table.state == "shown", table.id
        cells = table.shown
        assert len(cells), table.id
        assert ((cells["low"] <= cells["estimate"]) & (cells["estimate"] <= cells["high"])).all(), table.id
        if table.id == "loans_standing":  # its rows have units of their own
            continue
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
    market = study.result(loan_market)
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


def test_the_page_speaks_in_three_languages(shown, study):
    """Findings, tables and figures come in each language without a gap in their texts."""
    for language in ("ar", "fr", "en"):
        local = study.in_language(language)
        text = findings(local, "loans").data + say(local, "loans.standards").data
        assert text.count("\n- ") == len(TOPICS["loans"].findings[1]) - 1
        assert "{" not in text
        assert "{" not in text
        for name in (*shown, "loans_errors", "loans_assumptions"):
            assert "<table>" in show(local, name).data
        for name in (name for name in figures.FIGURES if name.startswith("loans_")):
            figure, of = figures.picture(local, name)
            assert of
            assert figures.alt_text(name, of, local).startswith(figure.get_suptitle())
            plt.close("all")


def test_a_notebook_meets_the_released_number(study):
    """A number computed from the market agrees with the released one after its rounding; another one is an error."""
    loans = study.result(loan_market).demand().value["files", "foundation"]
    assert "released number" in agrees(study, "loans_files|foundation|affordable", loans).data
    with pytest.raises(WelfareError, match="not the released number"):
        agrees(study, "loans_files|foundation|affordable", loans + 20)


def test_results_are_kept_with_their_study(study):
    """A market is made once for all pages and languages; another study has its own."""
    assert study.result(loan_market) is study.in_language("fr").result(loan_market)
    other = Study.of(study.frame[["status"]], None, None, BOOK)
    assert not other.results


def test_what_was_not_asked_is_said(study):
    """Without a register no numbers of people; without cards debts and wishes alone; without the wish nothing."""
    names = TOPICS["loans"].names

    def states(one):
        return {name: release(one)[name].state for name in names}

    alone = study.frame[["status", "age", "net_pay_dh", "pension_dh"]].reset_index(drop=True)
    assert set(states(Study.of(alone, None, None, BOOK)).values()) == {"no_totals"}
    back = study.frame[study.frame["outcome"] == "returned"]
    cards = [c for c in back if c.startswith(("loan_version", "loan_card", "loan_certainty", "home_card"))]
    known = Study.of(back.drop(columns=cards), study.register, None, BOOK)
    made = states(known)
    assert made["loans_files"] == made["loans_model"] == "not_asked"
    assert {made[f"loans_{name}"] for name in ("guard", "saved", "wish", "standing")} == {"shown"}
    assert findings(known, "loans").data == BOOK.text("not_asked")
    assert BOOK.text("not_asked") in show(known, "loans_model").data
    silent = Study.of(back.drop(columns="wants_loan"), study.register, None, BOOK)
    assert set(states(silent).values()) == {"not_asked"}
    assert pd.isna(release(silent)["loans_files"].missing_share)


def test_small_samples_give_no_model(study):
    """Cards of a few persons give no model, and the page says so; what needs no model is shown or hidden."""
    rows = study.frame["outcome"] == "returned"
    version = study.frame["loan_version"].where(np.arange(len(study.frame)) % 400 == 0)
    answers = study.frame[rows].assign(loan_version=version)
    for i in range(1, 7):
        answers[f"loan_card_{i}"] = answers[f"loan_card_{i}"].where(answers["loan_version"].notna())
    small = Study.of(answers, study.register, None, BOOK)
    assert release(small)["loans_files"].state == "too_few"
    assert release(small)["loans_guard"].state == "shown"
    assert BOOK.text("too_few") in show(small, "loans_model").data


def test_three_indebted_persons_are_not_described(study):
    """Of sixty forms, three of them indebted, neither a mean nor a share of the debts is shown."""
    rows = study.frame[(study.frame["outcome"] == "returned") & study.frame["has_loan"].notna()].head(60).copy()
    rows["has_loan"] = np.where(np.arange(len(rows)) < 3, "yes", "no")
    rows["debt_outstanding_dh"] = np.where(np.arange(len(rows)) < 3, 52_733.0, np.nan)
    kinds = {"has_loan": study.frame["has_loan"].dtype}
    small = Study.of(rows.astype(kinds).reset_index(drop=True), study.register, None, BOOK)
    table = release(small)["loans_standing"]
    own = table.frame[table.frame[CATEGORY] == "loan_survey"].set_index("loan_standing")
    assert own.loc["debt_outstanding", NUMBERS].isna().all()
    assert "52,7" not in show(small, "loans_standing").data
