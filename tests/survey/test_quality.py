"""Soundness of answers: each measure on a table made by hand."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.errors import WelfareError
from welfare_analysis.survey import quality

RULES = quality.read_rules(BOOK)
SATISFIED = list(BOOK.variables.index[BOOK.variables["group"] == "satisfied"])


def test_gaps_are_of_those_asked():
    """Ten forms, four not asked: of six asked two skipped and one refused; a partial ranking has no gap."""
    rent = ["not_asked"] * 4 + ["skipped"] * 2 + ["refused"] + ["answered"] * 3
    first, second = ["answered"] * 5 + ["skipped"] * 5, ["skipped"] * 10
    kinds = pd.DataFrame({"rent_dh": rent, "priority_housing": first, "priority_transport": second})
    table = quality.item_nonresponse(kinds, BOOK)
    assert table.loc["rent_dh", ["asked", "skipped", "refused", "missing"]].tolist() == [6, 2 / 6, 1 / 6, 0.5]
    assert table.loc["priority_transport", "missing"] == 0.5
    assert table["missing"].is_monotonic_decreasing


def test_round_figures_are_counted():
    """Of four rents from 1,000 on three end in hundreds and one in five hundreds; minutes in fives."""
    frame = pd.DataFrame({"rent_dh": [1200, 1500, 1730, 2100, 400], "commute_min": [10, 15, 17, 20, 5.0]})
    table = quality.heaping(frame, BOOK)
    assert table.loc["rent_dh", ["n", "first", "second"]].tolist() == [4, 0.75, 0.25]
    assert table.loc["commute_min", ["n", "first", "second"]].tolist() == [4, 0.75, 0.5]


def scales(rows):
    """Satisfaction items as categories in order."""
    codes = BOOK.codes("satisfaction")
    kind = pd.CategoricalDtype(codes)
    return pd.DataFrame([[codes[i] for i in row] for row in rows], columns=SATISFIED[: len(rows[0])]).astype(kind)


def test_straight_lines_against_chance():
    """Two of four forms say one thing throughout; by chance it would be the sum of products of what all said."""
    table = quality.straight_lines(scales([[0] * 4, [1] * 4, [0, 1, 0, 1], [1, 0, 1, 0]]), BOOK)
    assert table.loc["satisfied", ["n", "items", "straight"]].tolist() == [4, 4, 0.5]
    assert table.loc["satisfied", "chance"] == pytest.approx(2 * 0.5**4)


def test_rules_find_what_contradicts_itself():
    """More earners than members, parts that miss their sum by more than the tolerance; gaps break nothing."""
    frame = pd.DataFrame({"earners_n": [1, 5, np.nan], "household_size_n": [4.0, 3, 2]})
    frame = frame.assign(spouse_earnings_dh=[0, 3000, 0], others_earnings_dh=0.0, regular_income_dh=[0, 0, 100])
    frame = frame.assign(other_income_dh=[500, 0, np.nan])
    table = quality.inconsistent(frame, RULES)
    assert table.loc["earners_in_household", ["checked", "broken"]].tolist() == [2, 1]
    assert table.loc["income_parts", ["checked", "broken"]].tolist() == [2, 1]
    assert "speed_possible" not in table.index


def test_factors_and_equal_sides():
    """60 km in 20 minutes is too fast, 40 km is the limit itself."""
    rule = next(r for r in RULES if r.id == "speed_possible")
    frame = pd.DataFrame({"commute_km": [60.0, 40, 10], "commute_min": [20.0, 20, 20]})
    assert rule.broken(frame).tolist() == [True, False, False]


def test_the_log_gives_the_corrected_answers_again():
    """Old, new, rule and row of each change; replayed on the raw answers it is the same; on others it is refused."""
    raw = pd.DataFrame({"loan_instalment_dh": [900.0, 9_000, 400], "loan_amount_dh": [20_000.0, 6_000, np.nan]})
    log = quality.corrections(raw, RULES)
    assert log[["row", "column", "old", "reason"]].to_numpy().tolist() == [
        [1, "loan_instalment_dh", 9_000, "instalment_below_amount"]
    ]
    log = log.assign(form=log["row"] + 1)
    again = quality.replay(raw, log, BOOK)
    assert again["loan_instalment_dh"].isna().tolist() == [False, True, False]
    assert raw["loan_instalment_dh"].notna().all()
    with pytest.raises(WelfareError, match=r"row 2, column old.*the answer of that form"):
        quality.replay(raw.assign(loan_instalment_dh=1.0), log, BOOK)


def test_a_flagged_answer_is_mended_by_hand_and_replayed():
    """A flag leaves both sides as they are, in the log too; what is written there as new reaches the answers."""
    raw = pd.DataFrame({"earners_n": [1.0, 5, 2], "household_size_n": [4.0, 3, 2], "sex": ["f", "m", "f"]})
    log = quality.corrections(raw, RULES)
    assert log[["row", "column", "old", "new"]].to_numpy().tolist() == [
        [1, "earners_n", 5, 5],
        [1, "household_size_n", 3, 3],
    ]
    log = log.assign(form=log["row"] + 1)
    assert quality.replay(raw, log, BOOK).equals(raw.astype(object))
    by_hand = pd.DataFrame({"form": ["3"], "column": "sex", "old": "f", "new": "ذكر", "reason": "the form says so"})
    log = pd.concat([log.assign(new=["٢", "3,0"]), by_hand])
    assert quality.replay(raw, log, BOOK)["earners_n"].tolist() == [1, 2, 2]
    assert quality.replay(raw, log, BOOK)["sex"].tolist() == ["f", "m", "m"]
    refused = quality.replay(raw, by_hand.assign(column="earners_n", old="2", new="-99"), BOOK)
    assert refused["earners_n"].tolist() == [1, 5, -99]  # as it is written in a file


LINE = {"form": "3", "column": "sex", "old": "f", "new": "m", "person_id": "c"}


@pytest.mark.parametrize(
    ("changed", "column", "rule"),
    [
        ({"form": "7"}, "form", "the number of a form, from 1 to 3"),
        ({"form": "0"}, "form", "the number of a form"),
        ({"form": "2026-01-03"}, "form", "the number of a form"),
        ({"column": "colour"}, "column", "a question of the answers"),
        ({"column": "person_id", "old": "c", "new": "d"}, "column", "a question of the answers"),
        ({"person_id": "a"}, "person_id", "the key of that form"),
        ({"old": "m"}, "old", "the answer of that form"),
        ({"old": ""}, "old", "the answer of that form"),
        ({"new": "male?"}, "new", "one of m, f"),
        ({"column": "earners_n", "old": "2", "new": "99"}, "new", "between 0 and 15 persons"),
        ({"column": "earners_n", "old": "2", "new": "02/03/2026"}, "new", "a number, not a date"),
        ({"column": "earners_n", "old": "02/03/2026", "new": "2"}, "old", "the answer of that form"),
    ],
)
def test_a_line_of_a_log_that_cannot_be_applied_is_named(changed, column, rule):
    """Its row in the log, its column, what was expected; rows in another order are no fault."""
    raw = pd.DataFrame({"person_id": list("abc"), "earners_n": [1.0, 5, 2], "sex": ["f", "m", "f"]})
    good = [LINE | {"form": "2", "old": "m", "new": "f", "person_id": "b"}, LINE]
    assert quality.replay(raw, pd.DataFrame(good[::-1]), BOOK)["sex"].tolist() == ["f", "f", "m"]
    with pytest.raises(WelfareError, match=f"the log, row 3, column {column}: .*{rule}"):
        quality.replay(raw, pd.DataFrame([good[0], LINE | changed]), BOOK)


def test_an_answer_has_one_new_value():
    """The same line twice says the same; another one of the same answer is a fault of its row."""
    raw = pd.DataFrame({"earners_n": [1.0, 5, 2]})
    lines = [{"form": "2", "column": "earners_n", "old": "5", "new": new} for new in ("3", "3", "4")]
    assert quality.replay(raw, pd.DataFrame(lines[:2]), BOOK)["earners_n"].tolist() == [1, 3, 2]
    with pytest.raises(WelfareError, match=r"row 4, column new: .*one new value of an answer"):
        quality.replay(raw, pd.DataFrame(lines), BOOK)


def test_near_duplicates_are_found_and_others_not():
    """Of 2,000 forms of 80 answers two are copies but for nine answers: that pair, and no other."""
    rng = np.random.default_rng(4)
    table = pd.DataFrame(rng.integers(0, 5, (2000, 80))).astype(object)
    copy = table.iloc[17].copy()
    copy[[*range(8), 60]] = 9
    table = pd.concat([table, copy.to_frame().T], ignore_index=True)
    found = quality.near_duplicates(table)
    assert found[["first", "second", "items"]].to_numpy().tolist() == [[17, 2000, 80]]
    assert found["alike"].tolist() == [71 / 80]
    assert quality.alike_by_chance(table, rng, 2000) < quality.ALIKE


def test_against_the_register():
    """Sex agrees in two of three; an age a year off agrees; what is not told is not compared."""
    register = pd.DataFrame({"person_id": ["a", "b", "c"], "sex": ["m", "m", "f"], "age": [40.0, 50, 60]})
    frame = pd.DataFrame({"person_id": ["c", "a", "b"], "sex": ["f", "m", "f"], "age": [61.0, 38, np.nan]})
    table = quality.reconciled(frame, register)
    assert table.loc["sex", "agree"] == pytest.approx(2 / 3)
    assert table.loc["age"].tolist() == [2, 0.5]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("x,earnings,<=,household_size_n,0,flag", "a side cannot be read"),
        ("x,status,<=,household_size_n,0,flag", "a side cannot be read"),
        ("x,__import__('os'),<=,household_size_n,0,flag", "a side cannot be read"),
    ],
)
def test_a_rule_that_cannot_be_read(line, message):
    """Unknown variables, and anything that is no sum, are errors that name the row."""
    head = "id,left,op,right,tolerance,action,label_ar,label_fr,label_en,source"
    rules = pd.read_csv(io.StringIO(f"{head}\n{line},a,b,c,s\n"), dtype=str).set_index("id")
    with pytest.raises(WelfareError, match=f"row 2.*{message}|{message}"):
        quality.read_rules(replace(BOOK, consistency=rules))
