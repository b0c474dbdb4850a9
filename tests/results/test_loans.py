"""The demand for loans as it is published."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.demand import loans as demand
from welfare_analysis.disclosure import CATEGORY
from welfare_analysis.errors import WelfareError
from welfare_analysis.publishing import agrees, figures, findings, say, show
from welfare_analysis.publishing.labels import title
from welfare_analysis.results import TOPICS, release
from welfare_analysis.results.loans import KINDS, loan_market
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

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
    assert len(shown) > 25
    for table in shown.values():
        assert table.state == "shown", table.id
        cells = table.shown
        assert len(cells), table.id
        assert ((cells["low"] <= cells["estimate"]) & (cells["estimate"] <= cells["high"])).all(), table.id
        if "unit" in cells:  # rows have units of their own
            continue
        if table.unit in ("persons", "files"):
            np.testing.assert_allclose(cells[NUMBERS] % 10, 0)
        assert table.frame.loc[table.frame["flag"] == "hidden", NUMBERS].isna().all().all()
        assert (cells["n"] >= 30).all(), table.id
        assert table.respondents > 0
        assert 0 <= table.missing_share < 1


def test_each_step_is_a_part_of_the_one_before(shown):
    """Of the people some want a loan, of these some are eligible, can pay, are likely; what falls out adds up."""
    for name in ("loans_files", "loans_volume"):
        table = wide(shown[name], KINDS)
        assert (table["stated"] >= table["eligible"]).all()
        assert (table["eligible"] > table["affordable"]).all()
    steps = ["people", "wants", "eligible", "affordable", "likely"]
    funnel = wide(shown["loans_funnel"], "loan_step").loc[steps]
    less = np.diff(funnel, axis=0)
    assert (less[~np.isnan(less)] <= 0).all()  # a cell may be hidden
    out = wide(shown["loans_lost"], "loan_lost").loc[steps[1:]]
    assert (
        out.isna().to_numpy()[np.isnan(less)].all()
    )  # hidden where the steps are: else the difference would tell them
    known = out.notna().to_numpy()  # and where one to nine respondents fall out
    np.testing.assert_allclose(out.to_numpy()[known], -less[known], atol=11)
    assert known.any()
    whole = funnel.dropna()
    np.testing.assert_allclose(whole["in_need"] + whole["not_in_need"], whole["all"], rtol=0.06)
    assert (funnel.isna().sum(axis=1) != 1).all()  # one alone would follow from the others


def test_groups_add_up(shown):
    """Who wants a loan by groups of commands adds up to the whole, up to rounding and what is hidden."""
    groups = wide(shown["loans_funnel_by_command_group"], "command_group")
    whole = wide(shown["loans_funnel"], "loan_step")["all"]
    for step in ("wants", "affordable"):
        assert groups[step].sum() == pytest.approx(whole[step], rel=0.25)


def test_a_higher_rate_takes_loans_away(shown):
    """Demand falls with the rate, and so does what is within the limit for a home; tests of means take loans away."""
    curve = wide(shown["loans_curve"], "loan_rate").loc[["talks", "foundation", "bank", "company"]]
    assert (np.diff(curve["foundation"]) < 0).all()
    assert (np.diff(curve["all"]) <= 0).all()
    homes = wide(shown["loans_housing"], "home_terms")["affordable"]
    assert homes["bank"] <= homes["foundation"] <= homes["talks"]
    cases = wide(shown["loans_cases"], "loan_case")
    assert cases["dh"].notna().all()  # and where counts differ by fewer than ten, one of them is hidden
    assert not (cases.loc[["favourable", "cut", "household"]] < cases.loc["central"]).any(axis=None)
    less = ["unfavourable", "bank", "residual", "ends_at_retirement", "retirement_pay", "pay_less", "rate_more"]
    assert not (cases.loc[less] > cases.loc["central"]).any(axis=None)
    levers = wide(shown["loans_levers"], "loan_lever")
    assert levers.loc["agreement", "additional"] < levers.loc["talks", "additional"]
    assert (levers["transfer_dh"] <= levers["cost_dh"]).all()


def test_the_numbers_meet(shown):
    """Likely loans are the same in the funnel (over two years), among cases, with the lever and when reconciled."""
    likely = shown["loans_reconciled"].frame.set_index("loan_reconciled")["estimate"]
    assert 2 * likely["likely"] == pytest.approx(wide(shown["loans_funnel"], "loan_step").loc["likely", "all"], abs=21)
    assert wide(shown["loans_cases"], "loan_case").loc["central", "files"] == likely["likely"]
    assert wide(shown["loans_levers"], "loan_lever").loc["agreement", "after"] == likely["likely"]
    assert likely["likely"] < likely["stated"] < likely["wishes"] < likely["renewal"]
    net = wide(shown["loans_net"], "loan_net")
    np.testing.assert_allclose(net.loc["bank"], net.loc["kept"] - net.loc["rebate"] - net.loc["losses"], atol=3e4)


def test_a_million_buys_no_more_than_a_measure_adds(shown):
    """A measure that costs less than a million, as the guarantee for those in arrears, brings no more than it does."""
    table = wide(shown["loans_frontier"], "loan_lever")
    assert not (table["next_million"] > table["additional"]).any()


def test_nobody_is_counted_as_a_success_over_the_limit(shown, study):
    """The guard rail holds everybody who wants a consumer loan, and what is pushed over is in no affordable loan."""
    market = study.result(loan_market)
    guard = wide(shown["loans_guard"], "loan_guard")
    number = float(market.wishing().value.iloc[0])
    np.testing.assert_allclose(guard.sum(), number, atol=60)
    files = wide(shown["loans_files"], KINDS)["affordable"]
    assert (files * demand.assumed("wish_years") <= guard.loc["within", files.index] * 1.2).all()


def test_the_page_speaks_in_three_languages(shown, study):
    """Findings, tables and figures come in each language without a gap in their texts."""
    for language in ("ar", "fr", "en"):
        local = study.in_language(language)
        text = findings(local, "loans").data + say(local, "loans.standards").data
        assert text.count("\n- ") == len(TOPICS["loans"].findings[1]) - 1
        assert "{" not in text
        assert "{" not in text
        for name in (*shown, "loans_errors", "loans_parameters"):
            assert "<table" in show(local, name).data
        for name in (name for name in figures.FIGURES if name.startswith("loans_")):
            _, of = figures.picture(local, name)
            assert of
            assert figures.alt_text(name, of, local).startswith(title(name, local))
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
    assert {made[f"loans_{name}"] for name in ("guard", "wish", "standing")} == {"shown"}
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
