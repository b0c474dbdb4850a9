import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.errors import WelfareError
from welfare_analysis.survey.reading import Faults, read, read_followup, read_register


def good():
    """Three sound forms."""
    return pd.DataFrame(
        {
            "person_id": ["00123", "1e5", "x3"],
            "status": ["active", "retired", "widow"],
            "age": ["35", "66", "60"],
            "seniority_years": ["10", "", ""],
            "tenure": ["tenant", "owner", "family"],
            "rooms_n": ["3", "2", "-98"],
            "rent_dh": ["1800", "", ""],
            "net_pay_dh": ["5200.5", "", ""],
            "pension_dh": ["", "3000", "-99"],
        }
    )


def write(frame, path, **options):
    frame.to_csv(path, index=False, **options)
    return path


def test_csv_and_workbook_are_the_same(tmp_path):
    """The same forms give the same frame from CSV and XLSX, and identifiers stay text."""
    good().to_excel(tmp_path / "a.xlsx", index=False)
    first, second = read(write(good(), tmp_path / "a.csv"), BOOK), read(tmp_path / "a.xlsx", BOOK)
    pd.testing.assert_frame_equal(first.frame, second.frame)
    assert list(first.frame["person_id"]) == ["00123", "1e5", "x3"]
    assert first.blocks == ("identity", "housing", "income_debt")


def test_missing_has_kinds(tmp_path):
    """Not asked, skipped, refused and does not know are told apart, and all are nan in the frame."""
    frame = good().assign(rooms_n=["3", "", "-98"])
    answers = read(write(frame, tmp_path / "a.csv"), BOOK)
    assert list(answers.missing["rooms_n"]) == ["answered", "skipped", "does_not_know"]
    assert list(answers.missing["pension_dh"]) == ["not_asked", "answered", "refused"]
    assert answers.frame["rooms_n"].isna().tolist() == [False, True, True]


def test_all_faults_of_a_file_in_one_table(tmp_path):
    """Every fault with its row (the header is 1), column, value and rule; keys are hidden; nothing else is said."""
    frame = pd.concat([good(), good().head(1)]).assign(
        person_id=["a", "a", "b", "c"],
        status=["active", "retird", "widow", "active"],
        age=["17", "66", "abc", "40"],
        rooms_n=["2", "2", "2.5", "99"],
        rent_dh=["-5", "700", "", "1800"],
        pension_dh=["", "3000", "inf", "900"],
        colour=["", "", "", ""],
    )
    with pytest.raises(Faults) as caught:
        read(write(frame, tmp_path / "bad.csv"), BOOK)
    table = caught.value.table
    assert list(zip(table["row"], table["column"], table["value"], strict=True)) == [
        (1, "colour", "colour"),
        (2, "age", "17"),
        (2, "rent_dh", "-5"),
        (2, "seniority_years", "10"),
        (3, "person_id", "(hidden)"),
        (3, "rent_dh", "700"),
        (3, "status", "retird"),
        (4, "age", "(hidden)"),
        (4, "pension_dh", "inf"),
        (4, "rooms_n", "2.5"),
        (5, "pension_dh", "900"),
        (5, "rooms_n", "99"),
    ]
    assert "bad.csv" in str(caught.value)


def test_what_people_write_is_read_and_reported(tmp_path):
    """Arabic-Indic digits, spaces, a decimal comma, DH, a byte order mark, semicolons and 1.0 are accepted."""
    frame = good().assign(age=["٣٥", "66", "60"], net_pay_dh=["5\u00a0200,50 DH", "", ""], rooms_n=["3.0", "٢", "-98"])
    answers = read(write(frame, tmp_path / "a.csv", sep=";", encoding="utf-8-sig"), BOOK)
    assert answers.frame["age"].tolist() == [35, 66, 60]
    assert answers.frame["net_pay_dh"].iloc[0] == 5200.5
    assert answers.frame["rooms_n"].tolist()[:2] == [3, 2]
    assert {"Arabic-Indic digits", "a decimal comma", "a unit left out"} <= set(answers.report["what"])


@pytest.mark.parametrize("encoding", ["utf-16", "cp1256"])
def test_encodings(tmp_path, encoding):
    """UTF-16 of Excel and unambiguous cp1256 are accepted and said."""
    frame = good().assign(age=["35", "66", "60"], status=["active", "retired", "حارس أمن"])
    with pytest.raises(Faults) as caught:
        read(write(frame, tmp_path / "a.csv", encoding=encoding), BOOK)
    assert caught.value.table["value"].tolist() == ["حارس أمن"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"status,tenure\n", "no row"),
        ("a.csv", b"status\x00,tenure\nactive,owner\n", "NUL"),
        ("a.csv", b'status,tenure\n"active,owner\n', "row 2 cannot be read.*never closed"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0rest", "password-protected"),
        ("a.xlsx", b"<html><table></table></html>", "web page"),
        ("a.xlsx", b"PK not a zip", "no workbook"),
        ("a.pkl", b"\x80\x04K\x01.", "not read"),
        ("a.parquet", b"nothing of the kind", "no Parquet"),
    ],
)
def test_files_that_are_refused(tmp_path, name, content, message):
    """What is no file of answers is refused by name, before anything is parsed."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WelfareError, match=message):
        read(tmp_path / name, BOOK)


def test_doubled_and_absent_columns(tmp_path):
    """A column twice, and a file without status, are faults of the header."""
    (tmp_path / "a.csv").write_text("tenure,tenure\nowner,tenant\n")
    with pytest.raises(Faults) as caught:
        read(tmp_path / "a.csv", BOOK)
    assert set(caught.value.table["rule"]) == {"a column name occurs once", "this column is required"}


def test_order_of_columns_does_not_matter(tmp_path):
    """Shuffled columns give the same frame."""
    shuffled = good()[list(good().columns[::-1])]
    first, second = read(write(good(), tmp_path / "a.csv"), BOOK), read(write(shuffled, tmp_path / "b.csv"), BOOK)
    pd.testing.assert_frame_equal(first.frame, second.frame)


def test_a_register_has_no_gaps(tmp_path):
    """An empty cell of the register is a fault."""
    frame = pd.DataFrame([["a", "active", "m", "30", "gardien", "nador"], ["b", "active", "m", "", "gardien", "nador"]])
    frame.columns = ["person_id", "status", "sex", "age", "rank", "command"]
    with pytest.raises(Faults) as caught:
        read_register(write(frame, tmp_path / "r.csv"), BOOK)
    assert caught.value.table[["row", "column"]].to_numpy().tolist() == [[3, "age"]]


def test_a_follow_up_needs_answers_of_those_who_answered_only(tmp_path):
    """A person who was not reached has blank answers, which are not faults; an unknown outcome is one."""
    frame = pd.DataFrame(
        {
            "person_id": ["a", "b"],
            "stratum": ["s", "s"],
            "stratum_population": ["10", "10"],
            "outcome": ["answered", "refused"],
            "status": ["active", ""],
            "tenure": ["owner", ""],
        }
    )
    answers = read_followup(write(frame, tmp_path / "f.csv"), BOOK)
    assert list(answers.missing["tenure"]) == ["answered", "not_asked"]
    with pytest.raises(Faults, match="faults"):
        read_followup(write(frame.assign(outcome=["answered", "away"]), tmp_path / "g.csv"), BOOK)
