"""Forms in doubt: found, counted, and never passed over."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.errors import WelfareError
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey import doubts
from welfare_analysis.survey.checks import check


@pytest.fixture(scope="module")
def short():
    """The education block of 3,000 persons, without keys: a third of the forms is like an earlier one by nature."""
    answers = pd.read_parquet(DATA / "survey" / "answers.parquet").head(3000)
    return answers[["status", *(n for n in BOOK.blocks["education"] if n in answers)]]


def test_short_forms_that_are_alike_by_nature_are_not_pasted(short):
    """Hundreds of equal rows, none pasted: in every block of the questionnaire."""
    assert short.duplicated().sum() > 500
    assert not doubts.repeated(short).any()
    answers = pd.read_parquet(DATA / "survey" / "answers.parquet").head(5000)
    for names in BOOK.blocks.values():
        block = answers[["status", *(n for n in names if n in answers and n not in ("status", "person_id"))]]
        assert not doubts.repeated(block).any(), names


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_file_pasted_ten_times(short, shuffled):
    """Nine copies of every form, in the order of the file or in any: only one of each stays."""
    pasted = pd.concat([short.head(300)] * 10, ignore_index=True)
    pasted = pasted.sample(frac=1, random_state=1, ignore_index=True) if shuffled else pasted
    found = doubts.repeated(pasted)
    assert found.sum() == len(pasted) - len(short.head(300).drop_duplicates())
    assert not pasted[~found].duplicated().any()


def test_a_part_that_was_pasted(short):
    """Rows 500 to 599 again at the end of the file: those hundred, and no other."""
    found = doubts.repeated(pd.concat([short, short.iloc[500:600]], ignore_index=True))
    assert np.flatnonzero(found).tolist() == list(range(3000, 3100))


def test_each_rule_against_a_table_by_hand():
    """Persons who cannot be, one a rule, beside the nearest who can; what is not known breaks nothing."""
    rows = [
        ("widow", "m", 40, "male_widow"),
        ("widow", "f", 15, "young_widow"),
        ("widow", "f", 16, ""),
        ("orphan", "m", 31, "old_orphan"),
        ("orphan", "m", 30, ""),
        ("retired", "m", 32, "young_retiree"),
        ("retired", "m", 33, ""),
        ("widow", None, None, ""),
        ("active", "m", 20, ""),
    ]
    frame = pd.DataFrame(rows, columns=["status", "sex", "age", "expected"])
    found = doubts.doubts(frame.drop(columns="expected").assign(person_id=range(9)), BOOK)
    assert set(found["kind"]) == {"impossible"}
    assert found.set_index("row")["rule"].to_dict() == {i: r for i, r in frame["expected"].items() if r}


def test_a_status_that_the_register_does_not_have():
    """By key, whatever the order; persons of whom the register says nothing are another fault."""
    register = pd.DataFrame({"person_id": ["a", "b", "c"], "status": ["active", "retired", "active"]})
    frame = pd.DataFrame({"person_id": ["c", "b", "x"], "status": ["retired", "retired", "active"]})
    assert doubts.doubts(frame, BOOK, register)[["row", "kind"]].to_numpy().tolist() == [[0, "status"]]


def test_the_stand_in_has_none():
    """The committed answers open without a question."""
    frames = {n: pd.read_parquet(DATA / "survey" / f"{n}.parquet") for n in ("answers", "register", "followup")}
    for name in ("answers", "followup"):
        assert doubts.doubts(frames[name], BOOK, frames["register"]).empty


@pytest.fixture
def files(tmp_path):
    """Sixty forms with a register in which one has another status, and one widow of eight years."""
    rows = [("active", "m", 30 + i % 20, f"K{i}") for i in range(50)] + [("widow", "f", 50, f"W{i}") for i in range(10)]
    register = pd.DataFrame(rows, columns=["status", "sex", "age", "person_id"]).assign(rank="gardien", command="nador")
    register.to_csv(tmp_path / "register.csv", index=False)
    told = register.assign(tenure="tenant")
    told.loc[3, "status"], told.loc[55, "age"] = "retired", 8
    told.loc[3, "age"] = 61
    told.to_csv(tmp_path / "answers.csv", index=False)
    return tmp_path / "answers.csv", tmp_path / "register.csv"


def test_a_study_asks_before_it_opens(files):
    """The counts by rule and both ways out; what is kept is counted, what is left out did not answer."""
    with pytest.raises(
        WelfareError, match=r"2 of 60 forms are in doubt: status 1, young_widow 1.*KEEP=status,impossible"
    ):
        Study.open(*files)
    assert len(Study.open(*files, keep="impossible status").frame) == 60
    left = Study.open(*files, omit="impossible", keep="status")
    assert len(left.frame) == len(left.kinds) == 59
    assert "W5" not in set(left.frame["person_id"])
    assert left.design.weights.sum() == pytest.approx(60)
    with pytest.raises(WelfareError, match="no such doubt"):
        Study.open(*files, keep="everything")


def test_a_form_of_the_follow_up_that_is_left_out_was_not_reached(tmp_path):
    """Its person was selected and gave nothing: the others of the stratum stand for them."""
    rows = [("active", "m", 30 + i % 20, f"K{i}") for i in range(60)]
    register = pd.DataFrame(rows, columns=["status", "sex", "age", "person_id"]).assign(rank="gardien", command="nador")
    late = register.iloc[30:60].assign(stratum="a", stratum_population=30, outcome="answered", tenure="tenant")
    late.loc[40, "status"], late.loc[40, "age"] = "retired", 25
    register.iloc[:30].assign(tenure="owner").to_csv(tmp_path / "answers.csv", index=False)
    register.to_csv(tmp_path / "register.csv", index=False)
    late.to_csv(tmp_path / "late.csv", index=False)
    paths = [tmp_path / f"{n}.csv" for n in ("answers", "register", "late")]
    with pytest.raises(WelfareError, match=r"late\.csv: 1 of 30 forms"):
        Study.open(*paths)
    found = Study.open(*paths, omit="impossible,status")
    assert (found.collection.frame["responded"].sum(), found.collection.frame["unreached"].sum()) == (59, 1)
    assert len(found.kinds) == len(found.frame) == 59


@pytest.mark.parametrize("rule", ["", "status = wife", "colour = red", "sex >= 1", "age in m", "status is widow"])
def test_a_condition_that_cannot_be_read(rule):
    """Names, codes and numbers of a condition are those of the codebook; the row of the file is named."""
    wrong = BOOK.impossible.assign(condition=[*BOOK.impossible["condition"][:-1], rule])
    if rule:
        with pytest.raises(WelfareError, match=r"impossible\.csv, row 5, condition"):
            check(replace(BOOK, impossible=wrong))
    check(BOOK)


def test_a_short_run_of_a_small_file(short):
    """Ten of thirty forms, in a second file: chance does not give it, where few forms are alike."""
    few = short.drop_duplicates().head(20)
    found = doubts.repeated(pd.concat([few, few.tail(10)], ignore_index=True))
    assert np.flatnonzero(found).tolist() == list(range(20, 30))


def test_a_short_run_is_chance_where_forms_are_few():
    """Two questions with two answers: runs of any kind are in every such file."""
    rng = np.random.default_rng(5)
    frames = [pd.DataFrame(rng.integers(0, 3, (200, 3))) for _ in range(50)]
    assert not any(doubts.repeated(frame).any() for frame in frames)
