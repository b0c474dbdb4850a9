"""Sentences: direction and superlatives come from estimates, and differences that are not clear are not told."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from books import BOOK
from scipy import stats
from wording import Wording

from welfare_analysis.disclosure import Released, combined, document
from welfare_analysis.estimation.multiple import differ
from welfare_analysis.publishing import sentences
from welfare_analysis.publishing.briefs import method
from welfare_analysis.publishing.sentences import Gaps, sentence
from welfare_analysis.publishing.verbs import contrast, spoken
from welfare_analysis.survey.codebook import LANGUAGES

PARAMETER = {"a": "programme", "b": "saving_share", "measure": "value", "estimate": 0.05, "low": 0.05, "high": 0.05,
             "unit": "share", "flag": ""}  # fmt: skip
STUDY = Wording(codebook=BOOK, language="en", is_standin=True, survey_name="a.csv")


def table(*rows, state="shown"):
    """A table of shares by rank group: (estimate, half-width)."""
    codes = ["guards", "inspectors", "officers", "senior"][: len(rows)]
    frame = pd.DataFrame({"rank_group": codes, "estimate": [r[0] for r in rows], "n": 100.0, "flag": ""})
    frame = frame.assign(low=[r[0] - r[1] for r in rows], high=[r[0] + r[1] for r in rows])
    return Released("crowded_by_rank", "share", "crowded", ("rank_group",), "share", frame=frame, state=state)


def test_highest_and_lowest_are_named():
    """Two groups far apart are told with their intervals."""
    text = contrast(table((0.2, 0.01), (0.5, 0.01), (0.3, 0.01)), STUDY)
    assert text.startswith("inspectors highest, 50.0 % (49.0\u201351.0); guards lowest, 20.0 %")


def test_no_clear_difference_is_said():
    """Two groups whose difference is within its error are not ranked."""
    assert contrast(table((0.20, 0.05), (0.22, 0.05)), STUDY).startswith("no clear difference")


def test_few_groups_or_none():
    """One group has no contrast, and is told; a hidden or an unasked table says so."""
    assert contrast(table((0.2, 0.01)), STUDY) == "guards 20.0 % (19.0\u201321.0)"
    assert spoken(STUDY, table((0.2, 0.01)), ["*"], "ends") == "guards: 20.0 % (19.0\u201321.0)"
    assert contrast(table((0.2, 0.01), (np.nan, np.nan)), STUDY) == STUDY.codebook.text("hidden")
    assert contrast(table((0.2, 0.01), (0.4, 0.01), state="not_asked"), STUDY) == STUDY.codebook.text("not_asked")


@pytest.mark.parametrize("verb", ["range", "between", "sum", "widest", "widest_range", "top", "ends", "each", "zero"])
def test_of_no_number_nothing_can_be_said(verb):
    """Of cells that are all hidden, or of none, a sentence says so in words, and gives no dash between two gaps."""
    hidden = table((np.nan, np.nan), (np.nan, np.nan))
    assert spoken(STUDY, hidden, ["*"], verb) == STUDY.codebook.text(hidden.silence)
    assert spoken(STUDY, table((0.2, 0.1)), ["senior"], verb) == "There is no number to give."


def test_rows_of_nought_are_named():
    """Those whose number is nought, by their labels; a word where none is."""
    assert spoken(STUDY, table((0.2, 0.01), (0.0, 0.0)), ["*"], "zero") == "inspectors"
    assert spoken(STUDY, table((0.2, 0.01), (0.1, 0.01)), ["*"], "zero") == "none"


def partly_shown(flag="hidden"):
    """Three groups, of which the middle one is not shown."""
    one = table((0.2, 0.01), (np.nan, np.nan), (0.5, 0.01))
    return replace(one, frame=one.frame.assign(flag=["", flag, ""]))


@pytest.mark.parametrize("verb", ["range", "between", "sum", "widest", "widest_range"])
def test_what_is_of_all_cells_is_not_said_of_some(verb):
    """A range without a hidden end is narrower than it says, and a sum less: neither is said, in a word."""
    said = [spoken(STUDY, partly_shown(flag), ["*"], verb) for flag in ("hidden", "unsure")]
    assert said == ["a hidden number", "a number too unsure to print"]
    assert spoken(STUDY, partly_shown(), ["~inspectors"], verb) != said[0]


@pytest.mark.parametrize("verb", ["contrast", "top", "ends", "each", "zero"])
@pytest.mark.parametrize("flag", ["hidden", "unsure"])
def test_of_some_cells_it_is_said_that_they_are_some(verb, flag):
    """The highest that is shown need not be the highest: a word says that some are not shown, before the full stop."""
    codes = [] if verb == "contrast" else ["*"]
    whole = spoken(STUDY, table((0.2, 0.01), (0.5, 0.01)), codes, verb)
    said = spoken(STUDY, partly_shown(flag), codes, verb)
    assert "not shown" not in whole
    assert "not shown)" in said
    assert said.endswith(".") == whole.endswith(".")
    assert ".." not in said


def test_groups_that_do_not_differ_are_those_that_are_shown():
    """A hidden group may differ from them."""
    alike = replace(partly_shown(), frame=partly_shown().frame.assign(low=0.1, high=0.6))
    assert contrast(alike, STUDY).endswith("(some numbers are not shown).")
    assert contrast(alike, STUDY).startswith("no clear difference")


def test_a_sentence_of_one_category_asks_for_its_own_cells():
    """What another category hides is no part of a contrast of one."""
    frame = pd.concat(
        [partly_shown().frame.assign(category="x"), table((0.2, 0.01), (0.5, 0.01)).frame.assign(category="y")]
    )
    both = replace(partly_shown(), frame=frame.reset_index(drop=True))
    assert ["not shown" in contrast(both, STUDY, code) for code in "xy"] == [True, False]


def test_why_there_is_no_number_is_said_within_a_sentence():
    """Neither a capital nor a second full stop within a sentence, and words where a table has a sign."""
    hidden = table((np.nan, np.nan), (np.nan, np.nan))
    hidden = replace(hidden, frame=hidden.frame.assign(flag=["hidden", "unsure"]))
    gaps = Gaps(STUDY, {"x": hidden, "y": table((0.2, 0.01), (0.5, 0.01))}, {})
    why = "numbers are hidden to protect persons."
    assert gaps.format("By rank, {x:contrast} Most: {x|*:top}. And {x|guards}.") == (
        f"By rank, {why} Most: {why} And a hidden number."
    )
    assert gaps.format("It is {x|inspectors:number}.") == "It is a number too unsure to print."
    assert "(19.0\u201321.0). 20.0" in gaps.format("{y:contrast} {y|guards:number}.")


def test_a_cell_that_stands_for_a_table_without_numbers_is_no_nought():
    """In a list of several conditions: why that table is not shown, in every verb, and never 0 persons."""
    some = table((0.2, 0.1))
    parts = {("few", "n"): (some.without_numbers("too_few"), "guards"), ("some", "n"): (some, "guards")}
    both, why = combined("list", parts, "fact"), BOOK.text("too_few")
    gaps = Gaps(STUDY, {"list": both}, {})
    for verb in ("", ":number", ":or_none", ":top", ":range", ":sum"):
        assert gaps.format(f"{{list|few|n{verb}}}.") == f"{why[:1].lower()}{why[1:]}"
    assert spoken(STUDY, both, ["*"], "range") == "a hidden number"
    assert "not shown" in spoken(STUDY, both, ["*"], "top")
    assert both.frame["estimate"].isna().tolist() == [True, False]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_of_tables_that_are_not_shown_says_why_once(monkeypatch, language):
    """Behind its head or the title of the table; of one that has a number the sentence is said as it is."""
    study, few = Wording(codebook=BOOK, language=language), table((0.2, 0.1), state="too_few")
    assumed = document("homes_parameters", pd.DataFrame([PARAMETER]), ["a", "b"], "measure")
    listed = combined("demand_reconciled", {("wants", "number"): (few, "guards")}, "fact")
    tables = {"homes_realised": few, "homes_cases": few, "homes_parameters": assumed, "demand_reconciled": listed}
    monkeypatch.setattr(sentences, "release", lambda _: tables | {"multiverse": few})
    why = BOOK.text("too_few", language)
    said = sentence(study, "front.homes")
    assert said.count(why[1:]) == 1
    assert re.fullmatch(rf"\*\*[^*]+:?\*\*\s?:? {re.escape(why[:1].lower() + why[1:])}", said)
    assert sentence(study, "multiverse.found").startswith(BOOK.text("title.multiverse", language))
    frame = few.frame.assign(x="five_years")
    tables["homes_realised"] = replace(few, state="shown", by=("rank_group", "x"), frame=frame)
    assert "06_housing_demand" in sentence(study, "front.homes")


def test_of_one_status_no_gap_is_told(monkeypatch):
    """A survey of widows: satisfaction by status has nothing to compare, and does not compare them with themselves."""
    one = table((0.2, 0.1)).frame.rename(columns={"rank_group": "question"}).assign(category="widow")
    made = Released("satisfaction_satisfied_by_status", "share", "", ("question",), "share", frame=one, state="shown")
    monkeypatch.setattr(sentences, "release", lambda _: {made.id: made})
    assert sentences.points(STUDY, "satisfaction.widest") == [BOOK.text("one_group")]


def test_no_follow_up_has_no_least_firm_finding(monkeypatch):
    """A table without numbers has no categories to look for either."""
    none = Released("nonresponse_tipping", "share", "", ("condition",), "share", state="no_followup")
    monkeypatch.setattr(sentences, "release", lambda _: {none.id: none})
    assert sentences.points(STUDY, "bias.least_firm") == []


def test_a_cell_has_its_own_unit_in_every_verb():
    """In a table of several units a contrast, a range and a sum have the unit of their cells, not the table's."""
    shares = table((0.20, 0.05), (0.22, 0.05))
    money = replace(shares, frame=shares.frame.assign(estimate=[1000.0, 1010.0], low=900.0, high=1100.0, unit="dh"))
    assert "1,000\u20131,010 DH" in contrast(money, STUDY)
    assert spoken(STUDY, money, ["*"], "range") == "1,000\u20131,010\u00a0DH"
    assert spoken(STUDY, money, ["*"], "between") == "1,000\u20131,010"
    assert spoken(STUDY, money, ["*"], "sum") == "2,010\u00a0DH"


@pytest.mark.parametrize("groups", [2, 4, 9])
def test_all_pairs_are_compared_at_five_per_cent(groups):
    """Of groups that are alike the extremes are told apart in about one sample of twenty."""
    rng = np.random.default_rng(groups)
    draws = rng.normal(size=(4000, groups))
    ends = pd.DataFrame({"top": draws.max(axis=1), "bottom": draws.min(axis=1)})
    half = stats.norm.ppf(0.975)
    told = [
        differ(
            pd.Series({"estimate": t, "low": t - half, "high": t + half}),
            pd.Series({"estimate": b, "low": b - half, "high": b + half}),
            groups,
        )
        for t, b in ends.itertuples(index=False)
    ]
    assert 0.04 < np.mean(told) < 0.06


def test_each_group_is_said_in_order():
    """Every group with a number, in the codebook's order, with its interval; why there is none where none has one."""
    one = table((0.2, 0.01), (0.5, 0.01), (0.3, 0.01))
    mixed = Released(one.id, "share", "crowded", one.by, "share", frame=one.frame.iloc[[2, 0, 1]], state="shown")
    said = spoken(STUDY, mixed, ["*"], "each")
    assert said.split("; ")[0] == "guards 20.0 % (19.0\u201321.0)"
    assert [part.split()[0] for part in said.split("; ")] == ["guards", "inspectors", "officers"]
    hidden = mixed.frame.assign(estimate=np.nan, flag="hidden")
    gone = Released(one.id, "share", "crowded", one.by, "share", frame=hidden, state="shown")
    assert spoken(STUDY, gone, ["*"], "each") == STUDY.codebook.text("hidden")


def test_an_error_has_a_direction_and_zero_a_word():
    """Too high or too low in words, without a sign; nobody and none where a number would be zero, in each language."""
    errors = table((0.127, 0.0), (-0.675, 0.0))
    assert spoken(STUDY, errors, ["guards"], "off") == "exceeds the truth by 12.7 %"
    assert spoken(STUDY, errors, ["inspectors"], "off") == "falls short of the truth by 67.5 %"
    counts = table((0.0, 0.0), (9.0, 0.0))
    riders, groups = (replace(counts, frame=counts.frame.assign(unit=unit)) for unit in ("persons", "groups"))
    assert spoken(STUDY, groups, ["inspectors"], "or_none") == "9\u00a0groups"
    said = {"en": ("nobody", "none"), "fr": ("aucune personne", "aucun"), "ar": ("لا أحد", "ولا واحدة")}
    for language, words in said.items():
        own = Wording(**{**vars(STUDY), "language": language})
        assert tuple(spoken(own, one, ["guards"], "or_none") for one in (riders, groups)) == words


def test_money_is_a_gain_or_a_loss_with_its_interval_turned():
    """A number below zero is a loss of its opposite, from the least to the largest; one above is a gain."""
    money = table((-6e5, 1e5), (7e5, 1e5))
    money = replace(money, frame=money.frame.assign(unit="million_dh"))
    said = [spoken(STUDY, money, [rank], "earns").replace("\u00a0", " ") for rank in ("guards", "inspectors")]
    assert said == [f"a {side} million DH ({ends})" for side, ends in
                    (("loss of 0.6", "0.5\u20130.7"), ("gain of 0.7", "0.6\u20130.8"))]  # fmt: skip


def test_a_part_of_few_samples_is_said_as_their_number():
    """Seven eighths of eight samples are seven, none of ten has a word."""
    rows = {"rank_group": ["guards"] * 2 + ["officers"] * 2, "category": ["coverage", "samples"] * 2}
    frame = pd.DataFrame({**rows, "estimate": [0.875, 8, 0, 10]}).assign(flag="", unit="share")
    few = Released("errors", "document", "measure", ("rank_group",), "share", frame=frame, state="shown")
    assert [spoken(STUDY, few, [rank, "coverage"], "count") for rank in ("guards", "officers")] == ["7", "none"]


def test_the_method_prints_bases_as_all_pages_do():
    """Numbers of forms are bases: printed to 10, 50, 100 or 500 by their size, as below every table."""
    frame = pd.DataFrame({"outcome": ["answered"] * 3073 + ["returned"] * 34207})
    own = Wording(**vars(STUDY), frame=frame, population=76_003, method="two_phase", left_out={})
    assert method(own).data.startswith("About 37,500 forms: 34,000 returned and 3,100 from the follow-up")
    assert "76,000 persons" in method(own).data
