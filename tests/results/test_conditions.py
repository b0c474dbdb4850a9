"""Inequality, who bears a condition, tests of groups, and what the hard-pressed pay."""

import re

import numpy as np
import pandas as pd
import pytest
from books import BOOK
from scipy import stats

from welfare_analysis.disclosure import policy
from welfare_analysis.publishing import labels, say, show
from welfare_analysis.results import conditions, release
from welfare_analysis.study import Study
from welfare_analysis.survey.codebook import LANGUAGES

RULES = policy()


def body(html):
    """Cells of a table's rows."""
    lines = re.search(r"<tbody>(.*)</tbody>", html.data)[1].split("</tr>")[:-1]
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in lines]


def test_inequality_by_hand(study):
    """Weights of one: the Gini index as the mean difference over twice the mean, the variation as numpy has it."""
    table = release(study)["income_inequality"].frame.set_index(["status", "category"])["estimate"]
    frame = conditions.members(study)
    y = frame.loc[frame["status"] == "retired", conditions.INCOME].dropna().to_numpy(float)
    gap = np.abs(y[:, None] - y[None, :]).mean() / (2 * y.mean())
    assert table[("retired", "gini")] == pytest.approx(gap, abs=6e-4)
    assert table[("retired", "variation")] == pytest.approx(y.std(ddof=1) / y.mean(), abs=6e-4)
    assert table[("retired", "p90_p10")] == pytest.approx(np.quantile(y, 0.9) / np.quantile(y, 0.1), rel=0.02)


def test_income_is_set_against_the_needs_of_the_home(answers):
    """By hand on the modified OECD scale: a couple with a child of 3, one of 13 and a grandmother are 2.8 units."""
    own = answers.iloc[:1].assign(status="active", net_pay_dh=5600.0, other_income_dh=0.0, household_size_n=5)
    home = own.assign(dependants_0_5_n=1, dependants_6_11_n=0, dependants_12_17_n=1)
    study = Study.of(pd.concat([home, home.assign(dependants_6_11_n=pd.NA)], ignore_index=True), None, None, BOOK)
    income = conditions.members(study)[conditions.INCOME]
    assert income[0] == pytest.approx(5600 / (1 + 3 * 0.5 + 0.3))
    assert pd.isna(income[1])


def test_a_status_without_a_wider_one_is_hidden_and_not_renamed(answers):
    """Of forms of whom next to nobody is poor, each row of the table is still a status of the codebook."""
    active = answers[answers["status"] == "active"].head(60).reset_index(drop=True)
    study = Study.of(active, None, None, BOOK)
    assert set(release(study)["income_poverty"].frame["status"]) == {"active"}
    assert body(show(study, "income_poverty"))[0][0] == BOOK.text("status.active")


@pytest.mark.parametrize(("few", "shown"), [(6, False), (16, True)])
def test_the_poor_are_counted_in_their_share_of_all(answers, few, shown):
    """Six of a hundred forms are below the line: their share of all is not shown, as it is not by status."""
    active = answers[answers["status"] == "active"].reset_index(drop=True)
    income = conditions.members(Study.of(active, None, None, BOOK))[conditions.INCOME].astype(float)
    m = income.median()  # the line of those kept lies between 0.6 and 0.72 of it
    kept = [*active.index[income < 0.55 * m][:few], *active.index[income.between(m, 1.2 * m)][:100]]
    study = Study.of(active.loc[kept].reset_index(drop=True), None, None, BOOK)
    assert len(kept) == 100 + few
    assert np.isfinite(release(study)["income_line"].cell("rate")["estimate"]) == shown


def test_poverty_by_hand(study):
    """Weights of one: the formulas on the answers; fifths and curve as sums of sorted incomes, the line as numpy's."""
    shown, frame = release(study), conditions.members(study)
    by = conditions.large_statuses(frame)
    y = frame[conditions.INCOME][by.notna()].astype(float)
    limit = 0.6 * np.quantile(y, 0.5, method="inverted_cdf")
    assert shown["income_line"].cell("line")["estimate"] == pytest.approx(limit, abs=10)
    assert shown["income_line"].cell("rate")["estimate"] == pytest.approx((y < limit).mean(), abs=1e-6)
    table, retired = shown["income_poverty"], y[by[by.notna()] == "retired"]
    for power, name in enumerate(("rate", "gap", "severity")):
        expected = np.where(retired < limit, (1 - retired / limit).clip(0) ** power, 0.0).mean()
        assert table.cell("retired", name)["estimate"] == pytest.approx(expected, abs=1e-6)
        women = y[by.notna() & frame["sex"].eq("f")]
        expected = np.where(women < limit, (1 - women / limit).clip(0) ** power, 0.0).mean()
        assert shown["income_poverty_by_sex"].cell("f", name)["estimate"] == pytest.approx(expected, abs=1e-6)
    sums = np.append(0, np.cumsum(np.sort(retired)))  # a person who is in two fifths is in both in part
    curve = np.interp(np.linspace(0, len(retired), 6), np.arange(len(sums)), sums) / sums[-1]
    fifths = [shown["income_fifths"].cell("retired", str(g + 1))["estimate"] for g in range(5)]
    np.testing.assert_allclose(fifths, np.diff(curve), atol=2e-6)
    np.testing.assert_allclose(shown["income_lorenz"].cell("60", "retired")["estimate"], sum(fifths[:3]), atol=2e-6)


def test_who_bears_a_condition(study, answers):
    """Of the poorer half alone the index is that of theory, -1; who rents by chance is borne by neither."""
    frame = conditions.members(study)
    poor = (frame[conditions.INCOME] < frame[conditions.INCOME].median()).fillna(False).to_numpy(bool)
    rng = np.random.default_rng(3)
    made = Study.of(
        answers.assign(
            tenure=np.where(rng.random(len(answers)) < 0.4, "tenant", "owner"),
            rooms_n=np.where(poor, 1.0, 90.0),
            household_size_n=answers["household_size_n"].where(~poor, 8),
        ),
        None,
        None,
        BOOK,
    )
    table = release(made)["condition_concentration"]
    index = table.frame[table.frame["category"] == "erreygers"].set_index("condition")["estimate"]
    assert index["crowded"] == pytest.approx(-1, abs=0.25)  # 4 cov(h, rank) of the lowest half is -1
    said = say(made, "condition.borne").data
    heads = [BOOK.template(f"condition.{side}").partition("{")[0] for side in ("poorer", "neither")]
    poorer, neither = (next(line for line in said.splitlines() if head in line) for head in heads)
    assert labels.title("crowded", made) in poorer
    assert labels.title("tenant", made) in neither


def test_tests_are_those_of_the_library(study):
    """With weights of one the ranks' test is near Kruskal and Wallis', and chance answers do not differ."""
    table = release(study)["condition_tests"]
    frame = conditions.members(study)
    known = frame["commute_min"].notna() & frame["rank_group"].notna()
    parts = [g["commute_min"].to_numpy(float) for _, g in frame[known].groupby("rank_group", observed=True)]
    found = table.cell("commute_min", "rank_group", "F")["estimate"]
    assert found == pytest.approx(stats.kruskal(*parts).statistic / (len(parts) - 1), rel=0.1)
    chance = study.frame.assign(tenure=np.random.default_rng(5).choice(["tenant", "owner"], len(study.frame)))
    by_chance = Study.of(chance, None, None, BOOK)
    assert not release(by_chance)["condition_tests"].cells("tenure", "*", "p")["clear"].any()
    assert table.cell("tenure", "rank_group", "p").isna()[["estimate", "n"]].all()  # few of a rank in a tenure
    assert table.cell("cost_burdened", "rank_group", "p")["clear"]
    name = [labels.title("cost_burdened", study), BOOK.label("adjusted_factor", "rank_group")]
    (line,) = (x for x in body(show(study, table)) if x[:2] == name)
    assert line[4].endswith("\u2020")


def test_the_hard_pressed(study):
    """Twice what the home costs for all but the first rank group moves the ninth decile further than the median."""
    table = release(study)["upper_costs"]
    assert all(len(line) == 7 for line in body(show(study, table)))
    frame, staff = conditions.members(study), study.frame["status"] == "active"
    cost = frame.loc[staff & (frame["housing_cost_share"] > 0), "commute_cost_dh"].astype(float).mean()
    assert table.cell("status:active", "", "way_cost")["estimate"] == pytest.approx(cost, rel=0.1)
    raw = conditions.upper_costs(study, study.result(conditions.payers)).set_index(["level", "measure"])
    assert raw.at[("status:active", "way_cost"), "step"] == RULES.step("dh")  # as a mean amount on page 00
    officers = table.cells("rank_group:officers").set_index("measure" if "measure" in table.frame else "category")
    median, hard = (abs(officers.at[name, "estimate"]) for name in ("median_burden", "hard_burden"))
    assert hard > median


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_not_asked_is_said(answers, language):
    """A file of statuses and tenure: nothing is computed, nothing fails; the tests of tenure stand alone."""
    bare = Study.of(answers[["person_id", "status", "rank", "command", "tenure"]], None, None, BOOK, language=language)
    silent = BOOK.text("not_asked", language)
    for table in ("income_inequality", "condition_concentration", "upper_costs"):
        assert silent in show(bare, table).data
    assert say(bare, "condition.borne").data == silent
    assert {line[0] for line in body(show(bare, "condition_tests"))} == {labels.title("tenure", bare)}


def test_few_respondents(answers):
    """Of 60 forms no tail is told, and what rests on fewer than the rules allow is said to be too few or hidden."""
    few = Study.of(answers.iloc[:60].reset_index(drop=True), None, None, BOOK)
    frame = release(few)["income_inequality"].frame
    assert frame.loc[frame["category"] == "p90_p10", "estimate"].isna().all()
    assert release(few)["upper_costs"].state in {"too_few", "not_asked"}
    shown = release(few)["condition_concentration"]
    assert shown.state == "too_few" or pd.Series(shown.frame["n"] >= RULES.min_base).all()
