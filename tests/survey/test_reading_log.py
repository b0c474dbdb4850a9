"""Logs of what was asked at stops: hand-made ones are read, hostile ones are refused by row, column and rule."""

import openpyxl
import pandas as pd
import pytest
from books import BOOK as CODEBOOK

from welfare_analysis.errors import WelfareError
from welfare_analysis.survey.reading import HIDDEN, Faults, read_log

BOOK = CODEBOOK.of_questions(["nador", "berkane", "port_of_nobody"])
SOUND = {
    "stop": "nador", "date": "2012-10-02", "status": "widow", "topic": "housing", "kind": "wish",
    "answer": "to_follow", "desk": "housing_desk",
}  # fmt: skip
ANSWERED = {"answer": "answered", "desk": ""}


@pytest.fixture
def log(tmp_path):
    """Write lines that differ from a sound one to a file, and return its path."""

    def write(*lines, drop=(), file="log.csv", **columns):
        table = pd.DataFrame([SOUND | line for line in lines]).drop(columns=list(drop)).assign(**columns)
        path = tmp_path / file
        table.to_csv(path, index=False)
        return path

    return write


def test_a_hand_made_log_is_read(log):
    """Codes, labels of three languages and two ways to write a day; a status that was not said is missing."""
    lines = [
        {},
        {"stop": "Berkane", "date": "03/10/2012", "status": "أرملة", "topic": "السكن", "kind": "plainte", **ANSWERED},
        {"status": "", "topic": "sport", "kind": "information wanted", "desk": "sport and leisure desk"},
        {"stop": "port_of_nobody"},
    ]
    table = read_log(log(*lines), BOOK)
    assert table["stop"].tolist() == ["nador", "berkane", "nador", "port_of_nobody"]
    assert table["date"].dt.strftime("%Y-%m-%d").tolist() == ["2012-10-02", "2012-10-03", "2012-10-02", "2012-10-02"]
    assert table["topic"].tolist() == ["housing", "housing", "sport", "housing"]
    assert table["kind"].tolist() == ["wish", "complaint", "information", "wish"]
    assert table["status"].isna().tolist() == [False, False, True, False]
    assert table["desk"].isna().tolist() == [False, True, False, False]
    assert table["desk"].iloc[2] == "leisure_desk"


def test_a_workbook_and_an_export_are_read_as_well(log, tmp_path):
    """An XLSX file, and what KoboToolbox adds to the form: its columns are left out."""
    book = openpyxl.Workbook()
    for line in [list(SOUND), list(SOUND.values())]:
        book.active.append(line)
    book.save(tmp_path / "log.xlsx")
    assert len(read_log(tmp_path / "log.xlsx", BOOK)) == 1
    added = {"_uuid": ["a1", "b2"], "_submission_time": "2012-10-02T10:00:00", "__version__": "v1", "_index": [1, 2]}
    assert list(read_log(log({}, {}, **added), BOOK)) == [*BOOK.variables.index, "date"]


HOSTILE = {
    "no stop": ({"stop": ""}, "stop", "an answer is required"),
    "a stop of another tour": ({"stop": "zagora"}, "stop", "one of nador"),
    "no day": ({"date": ""}, "date", "the day of the stop"),
    "a day that is none": ({"date": "2012-13-45"}, "date", "a day, as 2026-11-29"),
    "a day in words": ({"date": "Tuesday"}, "date", "a day, as 2026-11-29"),
    "a day of another century": ({"date": "2112-10-02"}, "date", "a day within a year of the others"),
    "no topic": ({"topic": ""}, "topic", "an answer is required"),
    "a topic misspelt": ({"topic": "houzing"}, "topic", "one of housing"),
    "two topics": ({"topic": "housing loans"}, "topic", "one of housing"),
    "a topic in a wrong encoding": ({"topic": "santÃ©"}, "topic", "wrong encoding"),
    "a formula": ({"topic": "=1+1"}, "topic", "one of housing"),
    "an error of a spreadsheet": ({"topic": "#REF!"}, "topic", "not an error of the spreadsheet"),
    "a number": ({"kind": "7"}, "kind", "one of information"),
    "no kind": ({"kind": ""}, "kind", "an answer is required"),
    "a name": ({"kind": "Ahmed Alami"}, "kind", "one of information"),
    "an unknown status": ({"status": "general"}, "status", "one of active"),
    "a day as an answer": ({"answer": "2012-10-02"}, "answer", "not a date"),
    "no answer": ({"answer": "", "desk": ""}, "answer", "an answer is required"),
    "nobody follows it up": ({"desk": ""}, "desk", "an answer is required"),
    "a desk for what was answered": ({"answer": "answered"}, "desk", "blank unless answer = to_follow"),
    "an unknown desk": ({"desk": "my cousin"}, "desk", "one of housing_desk"),
    "a phone number as a desk": ({"desk": "0612345678"}, "desk", "one of housing_desk"),
}


@pytest.mark.parametrize("fault", HOSTILE)
def test_a_fault_is_named_by_row_column_and_rule(log, fault):
    """The third line of the file is at fault and the others are not; the hint names the variable."""
    line, column, rule = HOSTILE[fault]
    with pytest.raises(Faults) as caught:
        read_log(log({}, line, {}, {}, file="stops.csv"), BOOK)
    table = caught.value.table
    assert set(table["file"]) == {"stops.csv"}
    assert table[["row", "column"]].to_numpy().tolist() == [[3, column]]
    assert rule in table["rule"].iloc[0]
    assert "make check LISTENING=stops.csv" in str(caught.value)


@pytest.mark.parametrize("value", ["Ahmed Alami", "0612345678", "AB123456", "فاطمة العلوي", "x" * 60])
def test_what_could_be_a_person_is_never_shown(log, value):
    """A name, a number or a long text in any column is hidden in the table of faults and in the error."""
    for column in ("topic", "desk", "stop", "status"):
        with pytest.raises(Faults) as caught:
            read_log(log({}, {column: value}), BOOK)
        assert set(caught.value.table["value"]) == {HIDDEN}
        assert value not in str(caught.value)


@pytest.mark.parametrize("name", ["comment", "rank", "weight", "mode"])
def test_a_column_that_the_form_does_not_ask_is_a_fault(log, name):
    """A text of one's own, a rank, a column of a survey: whoever adds it is told, and no cell of it is shown."""
    with pytest.raises(Faults) as caught:
        read_log(log({}, **{name: "Ahmed Alami"}), BOOK)
    assert name in caught.value.table["column"].tolist()
    assert "Ahmed" not in caught.value.table.to_string()


@pytest.mark.parametrize("name", ["name", "matricule", "telephone", "nom et prénom", "CIN"])
def test_a_column_that_says_who_is_not_read(log, name):
    """As in files of answers: names and numbers of persons are left out before anything else happens."""
    assert list(read_log(log({}, **{name: "AB123456"}), BOOK)) == [*BOOK.variables.index, "date"]


@pytest.mark.parametrize("name", ["stop", "date", "topic", "kind", "answer", "desk"])
def test_a_column_that_is_missing_is_named(log, name):
    """Each column but the status is required."""
    with pytest.raises(Faults) as caught:
        read_log(log({}, drop=[name]), BOOK)
    assert (caught.value.table["column"] == name).any()
    assert caught.value.table.loc[caught.value.table["column"] == name, "rule"].iloc[0] == "this column is required"


def test_every_fault_of_a_file_comes_at_once(log):
    """All hostile lines together give at least one fault each."""
    with pytest.raises(Faults) as caught:
        read_log(log({}, *(line for line, _, _ in HOSTILE.values()), {}, {}), BOOK)
    assert set(caught.value.table["row"]) == set(range(3, 3 + len(HOSTILE)))


@pytest.mark.parametrize("text", ["", "stop,date\n", "a,b\n1,2\n", "\x00\x01"])
def test_what_is_no_log_is_refused(tmp_path, text):
    """An empty file, a header alone, another table, bytes."""
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(WelfareError):
        read_log(tmp_path / "log.csv", BOOK)


def test_the_codebook_of_the_log_is_sound():
    """Its lists are there, codes of its conditions too, every label in three languages; stops have their labels."""
    for _, line in BOOK.variables.iterrows():
        assert BOOK.codes(line["list"])
        assert all(line[f"label_{language}"] for language in ("ar", "fr", "en"))
    assert BOOK.label("caravan_stop", "berkane", "ar") == "بركان"
    assert BOOK.label("caravan_stop", "nador", "fr") == CODEBOOK.label("command", "nador", "fr")
    assert BOOK.label("caravan_stop", "port_of_nobody", "en") == "port_of_nobody"
    assert [q.name for q in BOOK.questions()] == ["stop", "status", "topic", "kind", "answer", "desk"]
