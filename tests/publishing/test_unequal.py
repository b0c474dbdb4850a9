"""Inequality, who bears a condition, tests of groups, and what the hard-pressed pay."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from welfare_analysis.publishing.suppression import Policy

from welfare_analysis.publishing import tables, unequal
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import LANGUAGES, Codebook
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

BOOK, RULES = Codebook.read(DATA / "codebook"), Policy.read(DATA / "policy.csv")


@pytest.fixture(scope="module")
def answers():
    """Forms of a small stand-in."""
    return typed(generate(Parameters.read(DATA / "public"), 12, "rich", size=9000).answers, BOOK)


@pytest.fixture(scope="module")
def study(answers):
    """The forms alone: each has a weight of one."""
    return Study.of(answers, None, None, BOOK)


def body(html):
    """Cells of a table's rows."""
    lines = re.search(r"<tbody>(.*)</tbody>", html.data)[1].split("</tr>")[:-1]
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in lines]


def test_inequality_by_hand(study):
    """Weights of one: the Gini index as the mean difference over twice the mean, the variation as numpy has it."""
    table = unequal.incomes(study).frame.set_index(["status", "category"])["estimate"]
    frame = unequal.members(study)
    y = frame.loc[frame["status"] == "retired", unequal.INCOME].dropna().to_numpy(float)
    gap = np.abs(y[:, None] - y[None, :]).mean() / (2 * y.mean())
    assert table[("retired", "gini")] == pytest.approx(gap, abs=6e-4)
    assert table[("retired", "variation")] == pytest.approx(y.std(ddof=1) / y.mean(), abs=6e-4)
    assert table[("retired", "p90_p10")] == pytest.approx(np.quantile(y, 0.9) / np.quantile(y, 0.1), rel=0.02)


def test_who_bears_a_condition(study, answers):
    """Of the poorer half alone the index is that of theory, -1; who rents by chance is borne by neither."""
    frame = unequal.members(study)
    poor = (frame[unequal.INCOME] < frame[unequal.INCOME].median()).fillna(False).to_numpy(bool)
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
    table = unequal.bearers(made)
    index = table.frame[table.frame["category"] == "erreygers"].set_index("condition")["estimate"]
    assert index["crowded"] == pytest.approx(-1, abs=0.25)  # 4 cov(h, rank) of the lowest half is -1
    said = unequal.borne_by(table, made).data
    poorer, neither = (
        next(line for line in said.splitlines() if BOOK.text(f"unequal.{s}") in line) for s in ("poorer", "neither")
    )
    assert tables.title("crowded", made) in poorer
    assert tables.title("tenant", made) in neither


def test_tests_are_those_of_the_library(study):
    """With weights of one the ranks' test is near Kruskal and Wallis', and chance answers do not differ."""
    rows = {line[0]: line for line in body(unequal.tests(study))}
    frame = unequal.members(study)
    known = frame["commute_min"].notna() & frame["rank_group"].notna()
    parts = [g["commute_min"].to_numpy(float) for _, g in frame[known].groupby("rank_group", observed=True)]
    found = float(rows[tables.title("commute_min", study)][1].split()[2])
    assert found == pytest.approx(stats.kruskal(*parts).statistic / (len(parts) - 1), rel=0.1)
    chance = study.frame.assign(tenure=np.random.default_rng(5).choice(["tenant", "owner"], len(study.frame)))
    line = next(r for r in body(unequal.tests(Study.of(chance, None, None, BOOK))) if r[0] == "Tenure")
    assert "\u2020" not in line[1] + line[2]
    assert "\u2020" in rows["Tenure"][1]


def test_the_hard_pressed(study):
    """Twice what the home costs for all but the first rank group moves the ninth decile further than the median."""
    rows = body(unequal.pressed(study))
    assert rows
    assert all(len(line) == 6 for line in rows)
    frame, staff = unequal.members(study), study.frame["status"] == "active"
    cost = frame.loc[staff & (frame["housing_cost_share"] > 0), "commute_cost_dh"].astype(float).mean()
    assert float(rows[0][4].split()[0]) == pytest.approx(cost, rel=0.1)
    officers = next(line for line in rows if line[0].startswith(BOOK.label("rank_group", "officers")))
    median, hard = (float(officers[i].split()[0].replace("\u2212", "-")) for i in (2, 3))
    assert abs(hard) > abs(median)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_not_asked_is_said(answers, language):
    """A file of statuses and tenure: nothing is computed, nothing fails; the tests of tenure stand alone."""
    bare = Study.of(answers[["person_id", "status", "rank", "command", "tenure"]], None, None, BOOK, language=language)
    silent = BOOK.text("not_asked", language)
    for table in (unequal.incomes(bare), unequal.bearers(bare)):
        assert silent in tables.show(table, bare).data
    assert unequal.borne_by(unequal.bearers(bare), bare).data == silent
    assert unequal.pressed(bare).data == silent
    assert {line[0] for line in body(unequal.tests(bare))} == {tables.title("tenure", bare)}


def test_few_respondents(answers):
    """Of 60 forms no tail is told, and what rests on fewer than the rules allow is said to be too few or hidden."""
    few = Study.of(answers.iloc[:60].reset_index(drop=True), None, None, BOOK)
    frame = unequal.incomes(few).frame
    assert frame.loc[frame["category"] == "p90_p10", "estimate"].isna().all()
    assert unequal.pressed(few).data in {BOOK.text(k) for k in ("too_few", "not_asked")}
    shown = unequal.bearers(few)
    assert shown.state == "too_few" or pd.Series(shown.frame["n"] >= RULES.min_base).all()
