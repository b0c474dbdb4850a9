"""The structure of files, and rules between answers: every fault with its row and column, all of a file together."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.errors import WelfareError
from welfare_analysis.survey.checks import check
from welfare_analysis.survey.reading import Faults, read, read_any, read_followup, read_register

FORMS = pd.DataFrame(
    {
        "person_id": ["k1", "k2", "k3"],
        "status": ["active", "retired", "widow"],
        "age": ["40", "66", "60"],
        "tenure": ["tenant", "owner", "family"],
        "rent_dh": ["1800", "", ""],
        "wants_home": ["no", "yes", ""],
        "home_budget_dh": ["", "300000", ""],
    }
)
PEOPLE = pd.DataFrame(
    {
        "person_id": ["k1", "k2"],
        "status": "active",
        "sex": "m",
        "age": ["30", "40"],
        "rank": "gardien",
        "command": "nador",
    }
)
FOLLOWED = pd.DataFrame(
    {
        "person_id": ["k1", "k2", "k3"],
        "stratum": ["s", "s", "t"],
        "stratum_population": ["10", "10", "٥"],
        "outcome": ["answered", "Not reached", "refused"],
        "status": ["active", "", ""],
        "tenure": ["owner", "", ""],
    }
)


def faults(frame, folder, reader=read):
    """Row and column of every fault, and the rules."""
    frame.to_csv(folder / "a.csv", index=False)
    with pytest.raises(Faults) as caught:
        reader(folder / "a.csv", BOOK)
    table = caught.value.table
    assert (table["what_to_do"] != "").all()
    return [tuple(place) for place in table[["row", "column"]].to_numpy()], " | ".join(table["rule"])


@pytest.mark.parametrize(
    ("change", "places", "rule"),
    [
        ({"rent_dh": ["1800", "700", ""]}, [(3, "rent_dh")], "blank unless tenure = tenant"),
        ({"home_budget_dh": ["5000", "300000", ""]}, [(2, "home_budget_dh")], "blank unless wants_home = yes"),
        ({"pension_dh": ["3000", "3000", ""]}, [(2, "pension_dh")], "blank unless status in retired|widow|orphan"),
        ({"pension_dh": ["-99", "3000", ""]}, [(2, "pension_dh")], "blank unless status in retired|widow|orphan"),
        ({"age": ["17", "66", "60"]}, [(2, "age")], "between 18 and 65 years for active staff"),
        ({"seniority_years": ["23", "", ""]}, [(2, "seniority_years")], "at most the age less 18 years"),
        ({"person_id": ["k1", "k1", "k3"]}, [(3, "person_id")], "each person in one group"),
        ({"person_id": ["k1", "k2", ""]}, [(4, "person_id")], "a key in each row"),
        ({"person_id": ["", "", ""]}, [(1, "person_id")], "a key in each row"),
        ({"person_id": ["k1", "#N/A", "k3"]}, [(3, "person_id")], "an error of the spreadsheet"),
        ({"person_id": ["k1", "ãÊÞÇÚÏ", "k3"]}, [(3, "person_id")], "read in their own encoding"),
        ({"status": ["", "-99", "widow"]}, [(2, "status"), (3, "status")], "an answer is required"),
        ({"status": ["", "", ""]}, [(1, "status")], "the whole column is blank"),
        ({"status": ["active", "divorced", "widow"]}, [(3, "status")], "one of active"),
        ({"satisfied_home": ["9", "", ""]}, [(2, "satisfied_home")], "one of"),
        ({"status": ["active", "2012-03-01 00:00:00", "widow"]}, [(3, "status")], "orphan, not a date"),
        ({"net_pay": ["", "", ""]}, [(1, "net_pay")], "did you mean net_pay_dh?"),
        ({"colour": ["", "", ""]}, [(1, "colour")], "a column of the codebook"),
    ],
)
def test_one_fault_in_its_place(tmp_path, change, places, rule):
    """Routing, ages, keys, required answers and names of columns: the place of each fault, and nothing else."""
    found, rules = faults(FORMS.assign(**change), tmp_path)
    assert found == places
    assert rule in rules


def test_persons_who_occur_twice_are_told_apart(tmp_path):
    """The same row twice, the same person in two groups, and one person with two answers are three faults."""
    frame = pd.concat([FORMS, FORMS.head(1), FORMS.iloc[1:2].assign(status="orphan"), FORMS.iloc[2:].assign(age="61")])
    places, rules = faults(frame, tmp_path)
    assert places == [(5, "person_id"), (6, "person_id"), (7, "person_id")]
    assert rules.split(" | ") == [
        "each person once; this row repeats an earlier one",
        "each person in one group; an earlier row has another status",
        "each person once; an earlier row has other answers",
    ]


def test_without_keys_rows_that_are_alike_are_kept_and_told(tmp_path):
    """Two people may give the same ten answers; the report says how often that is."""
    names = ["sex", "marital_status", "children_n", "household_size_n", "rooms_n", "dwelling", "cars_n", "has_loan"]
    frame = pd.DataFrame(dict.fromkeys(names, ""), index=range(3)).assign(status="active", tenure="owner", age="40")
    frame.to_csv(tmp_path / "a.csv", index=False)
    answers = read(tmp_path / "a.csv", BOOK)
    assert len(answers.frame) == 3
    assert answers.report[answers.report["column"] == ""]["n"].tolist() == [2]


def test_a_header_with_faults_is_told_with_the_cells(tmp_path):
    """A column twice, one that is missing and a wrong cell are in one table; the doubled one is read as neither."""
    (tmp_path / "a.csv").write_text("tenure,Tenure,age\nowner,tenant,40\nowner,tenant,x\n")
    with pytest.raises(Faults) as caught:
        read(tmp_path / "a.csv", BOOK)
    found = caught.value.table[["row", "column", "rule"]].to_numpy().tolist()
    assert found == [
        [1, "status", "this column is required"],
        [1, "tenure", "a column name occurs once"],
        [3, "age", "a number"],
    ]


def test_names_of_columns_in_another_spelling(tmp_path):
    """Case, blanks and hyphens in a known name make no difference, and are reported."""
    renamed = FORMS.rename(columns={"rent_dh": "Rent DH", "wants_home": "wants-home", "status": " STATUS\u200f"})
    renamed.to_csv(tmp_path / "a.csv", index=False)
    answers = read(tmp_path / "a.csv", BOOK)
    assert set(FORMS.columns) == set(answers.frame.columns)
    assert {"rent_dh", "wants_home", "status"} == set(answers.report["column"])


def test_a_blank_column_is_told(tmp_path):
    """A column without any answer is accepted; every cell is missing, and the report says so."""
    FORMS.assign(rooms_n="").to_csv(tmp_path / "a.csv", index=False)
    answers = read(tmp_path / "a.csv", BOOK)
    assert answers.frame["rooms_n"].isna().all()
    assert answers.report[["column", "what"]].to_numpy().tolist() == [["rooms_n", "the whole column is blank"]]


def test_a_status_alone_is_no_survey(tmp_path):
    """The least that is accepted is a status and one further question."""
    FORMS[["status"]].to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(WelfareError, match="no block of questions"):
        read(tmp_path / "a.csv", BOOK)


@pytest.mark.parametrize(
    ("change", "places", "rule"),
    [
        ({"age": ["30", ""]}, [(3, "age")], "a value for everybody"),
        ({"sex": ""}, [(1, "sex")], "a value for everybody"),
        ({"rank": ["-99", "gardien"]}, [(2, "rank")], "a value for everybody"),
        ({"command": ["nadr", "nador"]}, [(2, "command")], "did you mean nador?"),
        ({"age": ["12", "40"]}, [(2, "age")], "for active staff"),
        ({"person_id": ["k1", "k1"]}, [(3, "person_id")], "each person once"),
    ],
)
def test_faults_of_a_register(tmp_path, change, places, rule):
    """A register is whole, and each person is in it once."""
    found, rules = faults(PEOPLE.assign(**change), tmp_path, read_register)
    assert found == places
    assert rule in rules


def test_no_mend_of_a_required_answer_is_a_blank(tmp_path):
    """Where a blank would be the next fault, none is proposed: required answers, registers, counts, weights."""
    weights = pd.DataFrame({"status": "active", "tenure": "owner", "weight": ["inf", "-1", "2"]})
    for frame, reader in (
        (FORMS.assign(status=["n/a", "retired", "widow"]), read),
        (PEOPLE.assign(age=["n/a", "999"]), read_register),
        (FOLLOWED.assign(stratum_population=["n/a", "10", "5"]), read_followup),
        (
            pd.DataFrame({"variable": "status", "category": ["active", "retired"], "count": ["n/a", "-5"]}),
            read_register,
        ),
        (weights, read),
    ):
        frame.to_csv(tmp_path / "a.csv", index=False)
        with pytest.raises(Faults) as caught:
            reader(tmp_path / "a.csv", BOOK)
        assert not caught.value.table["what_to_do"].str.contains("blank|-98").any()


def test_a_register_without_a_column(tmp_path):
    """Every column of the register is required."""
    found, _ = faults(PEOPLE.drop(columns=["sex", "command"]), tmp_path, read_register)
    assert found == [(1, "command"), (1, "sex")]


@pytest.mark.parametrize(
    ("change", "places", "rule"),
    [
        ({"outcome": ["answered", "away", "refused"]}, [(3, "outcome")], "one of answered, refused, not_reached"),
        ({"outcome": ["answered", "", "refused"]}, [(3, "outcome")], "one of answered"),
        ({"stratum": ["s", "s", ""]}, [(4, "stratum")], "the stratum"),
        (
            {"stratum_population": ["10", "11", "5"]},
            [(2, "stratum_population"), (3, "stratum_population")],
            "one count",
        ),
        ({"stratum_population": ["1", "1", "5"]}, [(2, "stratum_population"), (3, "stratum_population")], "at least"),
        ({"stratum_population": ["10", "10", "0"]}, [(4, "stratum_population")], "between 1"),
        ({"stratum_population": ["10", "10", "x"]}, [(4, "stratum_population")], "a number"),
        ({"stratum_population": ["10", "10", ""]}, [(4, "stratum_population")], "a count of at least 1"),
        ({"tenure": ["owner", "", "owner"]}, [(4, "tenure")], "blank where the person did not answer"),
        ({"status": ["", "", ""]}, [(2, "status")], "an answer is required"),
    ],
)
def test_faults_of_a_follow_up(tmp_path, change, places, rule):
    """Strata, their populations, outcomes, and answers of those who answered only."""
    found, rules = faults(FOLLOWED.assign(**change), tmp_path, read_followup)
    assert found == places
    assert rule in rules


@pytest.mark.parametrize(("frame", "kind"), [(FORMS, "answers"), (PEOPLE, "register"), (FOLLOWED, "follow-up")])
def test_a_file_is_known_by_its_columns(tmp_path, frame, kind):
    """A file is read as what its columns say, and gives the frame of its own reader."""
    frame.to_csv(tmp_path / "a.csv", index=False)
    told, answers = read_any(tmp_path / "a.csv", BOOK)
    assert told == kind
    reader = {"answers": read, "register": read_register, "follow-up": read_followup}[kind]
    pd.testing.assert_frame_equal(answers.frame, reader(tmp_path / "a.csv", BOOK).frame)


def test_rows_and_columns_in_any_order_give_the_same_frame(tmp_path):
    """Shuffled rows and columns change nothing but the order of rows."""
    FORMS.to_csv(tmp_path / "a.csv", index=False)
    FORMS.iloc[[2, 0, 1], ::-1].to_csv(tmp_path / "b.csv", index=False)
    first, second = read(tmp_path / "a.csv", BOOK).frame, read(tmp_path / "b.csv", BOOK).frame
    pd.testing.assert_frame_equal(first, second.iloc[[1, 2, 0]].reset_index(drop=True))


def test_many_rows_and_many_faults(tmp_path):
    """A hundred thousand forms with a thousand faults among blank columns: all are told, and none else."""
    frame = pd.DataFrame({"status": "active", "age": np.arange(100_000) % 40 + 20, "tenure": "owner"})
    frame = frame.assign(**dict.fromkeys(["rooms_n", "dwelling", "net_pay_dh", "has_loan"], ""))
    frame.loc[::100, "age"] = np.arange(1000) + 1000
    places, _ = faults(frame, tmp_path)
    assert places == [(2 + 100 * i, "age") for i in range(1000)]


@pytest.mark.parametrize("cell", ["plots", "plot", "Mohamed"])
def test_a_cell_that_is_to_be_empty_is_one_fault(tmp_path, cell):
    """An answer to a question that was not asked has one fault, whatever it is; asked, it has that of its code."""
    (tmp_path / "a.csv").write_text(f"status,wants_home,home_kind\nactive,no,{cell}\nactive,yes,castle\n")
    with pytest.raises(Faults) as caught:
        read(tmp_path / "a.csv", BOOK)
    table = caught.value.table
    assert table["row"].tolist() == [2, 3]
    assert table["rule"].iloc[0] == "blank unless wants_home = yes"
    assert table["value"].iloc[0] == ("(hidden)" if cell == "Mohamed" else cell)


def test_ages_and_entry_into_service_are_those_of_the_codebook(tmp_path):
    """Another institution's staff may serve to 70, and from 20 on: no age of a status stands in the program."""
    text = "status,age,seniority_years,tenure\nactive,68,10,owner\nactive,25,6,owner\nretired,66,,owner\n"
    (tmp_path / "a.csv").write_text(text)
    ages = BOOK.ages.assign(youngest="20", oldest="70")
    with pytest.raises(Faults) as caught:
        read(tmp_path / "a.csv", replace(BOOK, ages=ages))
    found = caught.value.table[["row", "column", "rule"]].to_numpy().tolist()
    assert found == [[3, "seniority_years", "at most the age less 20 years"]]
    assert len(read(tmp_path / "a.csv", replace(BOOK, ages=ages.iloc[:0])).frame) == 3
    for column, cell in (("youngest", "adult"), ("oldest", "")):
        with pytest.raises(WelfareError, match=rf"ages\.csv, row 2, {column}"):
            check(replace(BOOK, ages=ages.assign(**{column: cell})))
    with pytest.raises(WelfareError, match=r"ages\.csv, row 2, status"):
        check(replace(BOOK, ages=ages.rename({"active": "soldier"})))
