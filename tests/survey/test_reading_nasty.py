"""What a folder, a spreadsheet or a hand does to a file on its way: the right counts or the cause by name."""

import gzip
import shutil

import numpy as np
import openpyxl
import pytest
from books import BOOK

from welfare_analysis.errors import WelfareError
from welfare_analysis.survey.reading import Faults, draft_map, read, read_followup, read_register

PLAIN = "status,tenure,rooms_n\nactive,owner,3\nretired,tenant,2\n"
ROWS = [line.split(",") for line in PLAIN.splitlines()]
LATE = "person_id,stratum,stratum_population,outcome,status,tenure,date\n{}"


def workbook(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def faults(path, reader=read):
    with pytest.raises(Faults) as caught:
        reader(path, BOOK)
    return caught.value.table[["row", "letter", "rule"]].to_numpy().tolist()


def test_a_last_row_of_formulas_without_results_is_no_blank(tmp_path):
    """A form of formulas that were never computed is stored behind all that has a value; it is not lost."""
    path = workbook(tmp_path / "a.xlsx", [*ROWS, ["=A2", "=B2", "=C2"]])
    found = faults(path)
    assert [place[:2] for place in found] == [[4, "C"], [4, "A"], [4, "B"]]
    assert all("never computed" in rule for *_, rule in found)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.csv", gzip.compress(PLAIN.encode(), mtime=0), "compressed"),
        ("a.csv", b"%PDF-1.4\n%\xe2\xe3", "a PDF"),
        ("a.csv", b'[{"status": "active"}]', "JSON"),
        ("a.csv", b"<!DOCTYPE html><table>", "a web page"),
        ("a.parquet", b"PK\x03\x04", "a workbook"),
        ("a.tsv", b"PAR1", "a Parquet file"),
        ("a.csv", b"$FL2@(#)", "an SPSS file"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value,
)
def test_the_kind_is_what_the_first_bytes_say(tmp_path, name, content, kind):
    """An ending that lies is named with what the file is, and not as an encoding that is not clear."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WelfareError, match=f"this is {kind}"):
        read(tmp_path / name, BOOK)


def test_a_text_that_is_called_a_workbook_says_what_to_do(tmp_path):
    """The mend is another ending."""
    (tmp_path / "a.xlsx").write_text(PLAIN)
    with pytest.raises(WelfareError, match=r"give it the ending \.csv"):
        read(tmp_path / "a.xlsx", BOOK)


@pytest.mark.parametrize("copy", ["a (1).csv", "a.xlsx", "link.csv"])
def test_the_same_forms_twice_are_not_counted_twice(tmp_path, copy):
    """A second download, the same sheet saved as a workbook, a link: without keys nobody would notice."""
    (tmp_path / "a.csv").write_text(PLAIN)
    if copy == "link.csv":
        (tmp_path / copy).symlink_to(tmp_path / "a.csv")
    elif copy == "a.xlsx":
        workbook(tmp_path / copy, [ROWS[0], *([*row[:2], int(row[2])] for row in ROWS[1:])])
    else:
        shutil.copy(tmp_path / "a.csv", tmp_path / copy)
    with pytest.raises(WelfareError, match="the same forms are in two files"):
        read(tmp_path, BOOK)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("person_id,status,sex,age,rank,command\nA1,active,m,40,gardien,nador\n", "REGISTER="),
        ("variable,category,count\nstatus,active,100\n", "REGISTER="),
        (LATE.format("A,s,10,refused,,,\n"), "FOLLOWUP="),
    ],
)
def test_a_register_in_the_folder_of_forms_is_no_forms(tmp_path, text, name):
    """Its persons would be counted as forms."""
    (tmp_path / "a.csv").write_text("person_id,status,tenure\nA1,active,owner\n")
    (tmp_path / "register.csv").write_text(text)
    with pytest.raises(WelfareError, match=f"no file of forms.*{name}"):
        read(tmp_path, BOOK)


def test_an_archive_in_a_folder_is_not_passed_over(tmp_path):
    """Forms that are packed are named, not left out."""
    (tmp_path / "a.csv").write_text(PLAIN)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(PLAIN.encode()))
    with pytest.raises(WelfareError, match=r"this kind of file is not read; got '\.gz'"):
        read(tmp_path, BOOK)


def test_a_stratum_has_one_spelling(tmp_path):
    """Two would be two strata, each with all the persons of one."""
    (tmp_path / "late.csv").write_text(
        LATE.format("A,north,10,refused,,,\nB,North ,10,refused,,,\nC,south,9,refused,,,\n")
    )
    assert faults(tmp_path / "late.csv", read_followup) == [[3, "B", "one spelling a label"]]
    (tmp_path / "a.csv").write_text(
        "weight,stratum,psu,status,tenure\n"
        + "".join(
            f"2,{stratum},{unit},active,owner\n"
            for stratum, unit in [("n", "u1"), ("n", "u2"), ("N", "u3"), ("n", "U1")]
        )
    )
    assert [line for line in faults(tmp_path / "a.csv") if "spelling" in line[2]] == [
        [3 + 1, "B", "one spelling a label"],
        [5, "C", "one spelling a label"],
    ]


@pytest.mark.parametrize("cell", ["29/11/20261", "2026-11-295", "29/11/2026-30/11/2026", "2026-11-29 or so"])
def test_a_day_is_read_whole(tmp_path, cell):
    """What stands behind a day is its time, or the cell is a fault."""
    (tmp_path / "late.csv").write_text(LATE.format(f"A,s,10,answered,active,owner,{cell}\n"))
    assert "a day, as 2026-11-29" in faults(tmp_path / "late.csv", read_followup)[0][2]
    written = ("2026-11-29", "29/11/2026 08:05", "2026-11-29T08:05:00.123+01:00", "2026-11-29 00:00:00")
    for good in (*written, "29-11-2026", "29.11.2026 08:05"):
        (tmp_path / "late.csv").write_text(LATE.format(f"A,s,10,answered,active,owner,{good}\n"))
        assert str(read_followup(tmp_path / "late.csv", BOOK).frame["date"][0].date()) == "2026-11-29"


@pytest.mark.parametrize("keys", [("1.23E+12", "1.24E+12"), ("1,23E+12", "1,24E+12"), ("1E+11", "2E+11")])
def test_keys_that_a_spreadsheet_shortened_are_no_keys(tmp_path, keys):
    """Their last digits are gone, so that two persons may have one key; `1e5` is a key."""
    text = "person_id;status;tenure\n{};active;owner\n{};retired;tenant\n"
    (tmp_path / "a.csv").write_text(text.format(*keys))
    assert [place[2] for place in faults(tmp_path / "a.csv")] == ["all digits of the key"] * 2
    (tmp_path / "a.csv").write_text(text.format("1e5", "2E5"))
    assert read(tmp_path / "a.csv", BOOK).frame["person_id"].tolist() == ["1e5", "2E5"]


TIMED = "starttime,endtime,duration,status,tenure,instanceID,KEY\n"


def timed(path, *times):
    """Twelve forms of twenty minutes, and some of these times: start, end, duration."""
    rows = [*["2026-01-01T10:00:00,2026-01-01T10:20:00,1200"] * 12, *times]
    path.write_text(TIMED + "".join(f"{row},active,owner,u{i},u{i}\n" for i, row in enumerate(rows)), encoding="utf-8")
    found = read(path, BOOK)
    assert len(found.frame) == len(rows)
    return {what: n for what, n in found.report[["what", "n"]].to_numpy() if "rows" in what}


@pytest.mark.parametrize("cell", ["300", '"300,0"', "00:05:00", "5 min", "PT5M", "٣٠٠"])
def test_a_duration_is_read_as_it_is_written(tmp_path, cell):
    """Seconds with a point or a comma, a clock, minutes in words, digits of another script: five minutes are quick."""
    told = timed(tmp_path / "a.csv", f",,{cell}", ",,00:21:00")
    assert told == {"forms filled in in under a third of the middle time, 20 min: rows 14": 1}


def test_a_duration_in_words_is_named(tmp_path):
    """Nothing is taken from it, and the row is told; a short unit is not called minutes."""
    assert list(timed(tmp_path / "a.csv", ",,vingt minutes")) == [
        "times that cannot be read, or of which one alone says its time zone: rows 14"
    ]
    text = (tmp_path / "a.csv").read_text().replace(",1200,", ',"20,0",').replace("vingt minutes", '"2,5"')
    (tmp_path / "a.csv").write_text(text)
    told = read(tmp_path / "a.csv", BOOK).report["what"]
    assert "forms filled in in under a third of the middle time, 20 as it is written: rows 14" in set(told)


@pytest.mark.parametrize(
    ("times", "what"),
    [
        ("2026-01-01T10:00:00,2026-01-01T09:00:00", "forms that end before they begin: rows 14"),
        ("2026-01-01T10:00:00+01:00,2026-01-01T10:05:00", "times that cannot be read"),
        ("1 janvier 2026 à 10 h,1 janvier 2026 à 11 h", "times that cannot be read"),
        ("2026-01-01T10:00:00+01:00,2026-01-01T09:05:00Z", "filled in in under a third"),
        ('"Jan 1, 2026 9:58:00 AM","Jan 1, 2026 10:02:00 AM"', "filled in in under a third"),
        ("31/01/2026 23:58,01/02/2026 00:02", "filled in in under a third"),
    ],
)
def test_a_form_that_ends_before_it_begins_is_not_quick(tmp_path, times, what):
    """What a pair of times says: how long, nothing, or that one of them is wrong; zones are told apart."""
    rows = [*["2026-01-01T10:00:00,2026-01-01T10:20:00"] * 12, times]
    lines = (f"{row},active,owner,u{i},u{i}\n" for i, row in enumerate(rows))
    (tmp_path / "a.csv").write_text(TIMED.replace("duration,", "") + "".join(lines), encoding="utf-8")
    told = [text for text in read(tmp_path / "a.csv", BOOK).report["what"] if "rows 14" in text]
    assert len(told) == 1
    assert what in told[0]


@pytest.mark.parametrize(
    ("one", "other"), [("0012", "12"), ("A1", "a1"), ("12", "١٢"), ("A1", "A-1"), ("12", "12.0"), ("a 1", "A1")]
)
def test_a_key_has_one_spelling(tmp_path, one, other):
    """Two spellings of a key may be one person: in a file, in two, and in a register."""
    row = ",active,m,40,gardien,nador"
    head, last = "person_id,status,sex,age,rank,command", "b2,active,f,41,gardien,nador"
    (tmp_path / "r.csv").write_text(f"{head}\n{one}{row}\n{last}\n{other}{row}\n", encoding="utf-8")
    rule = "one spelling a key; an earlier row has it but for case, blanks or zeros in front"
    assert faults(tmp_path / "r.csv", read_register) == [[4, "A", rule]]
    assert [3, "A", "each person once; this row repeats an earlier one"] not in faults(tmp_path / "r.csv")
    (tmp_path / "r.csv").unlink()
    for name, key in (("a.csv", one), ("b.csv", other)):
        (tmp_path / name).write_text(f"person_id,status,tenure\n{key},active,owner\n", encoding="utf-8")
    assert faults(tmp_path) == [[2, "A", rule]]


@pytest.mark.parametrize("word", ["N/A", "n/a", "-", "NULL", "?", "-99"])
def test_a_word_for_nothing_names_no_stratum(tmp_path, word):
    """It would be a stratum of all who have none."""
    (tmp_path / "late.csv").write_text(LATE.format(f"A,north,10,refused,,,\nB,{word},10,refused,,,\n"))
    assert faults(tmp_path / "late.csv", read_followup) == [[3, "B", "the stratum that the person was drawn from"]]


def test_files_of_other_kinds_in_a_folder_are_told(tmp_path):
    """A text beside the forms may hold forms too; what an open spreadsheet or a system leaves there is nothing."""
    for name in ("a.csv", "b.txt", "c.csv.bak", ".DS_Store", "~$a.xlsx", ".~lock.a.csv#"):
        (tmp_path / name).write_text(PLAIN)
    answers = read(tmp_path, BOOK)
    assert len(answers.frame) == 2
    assert "files of other kinds, which are not read: b.txt, c.csv.bak" in answers.report["what"].tolist()


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_rows_that_stand_in_a_single_cell_are_told(tmp_path, mark):
    """As a spreadsheet opens a CSV of another country: the mend is no map."""
    lines = [line.replace(",", mark) for line in PLAIN.splitlines()]
    (tmp_path / "a.csv").write_text("".join(f'"{line}"\n' for line in lines))
    for path in (workbook(tmp_path / "a.xlsx", [[line] for line in lines]), tmp_path / "a.csv"):
        for reader in (read, draft_map):
            with pytest.raises(WelfareError, match=r"each row stands in a single cell.*Text to Columns"):
                reader(path, BOOK)


def test_zero_has_no_sign(tmp_path):
    """-0 is read as 0, which no page writes with a sign."""
    (tmp_path / "a.csv").write_text("status,tenure,children_n\nactive,owner,-0\nactive,owner,−0.0\n", encoding="utf-8")
    assert not np.signbit(read(tmp_path / "a.csv", BOOK).frame["children_n"]).any()


@pytest.mark.parametrize("code", ["-888", "-777", "998"])
def test_a_usual_code_for_no_answer_is_mended_by_ours(tmp_path, code):
    """The form has nothing to look up."""
    (tmp_path / "a.csv").write_text(f"status,tenure,children_n\nactive,owner,{code}\n")
    with pytest.raises(Faults, match="write -98"):
        read(tmp_path / "a.csv", BOOK)


def test_a_day_of_another_century_is_a_fault(tmp_path):
    """The year of one day among others was typed wrong; the days of a page would begin or end with it."""
    days = ["2012-10-05", "2012-10-06", "2112-10-06"]
    rows = "".join(f"{i},s,10,answered,active,owner,{day}\n" for i, day in enumerate(days))
    (tmp_path / "late.csv").write_text(LATE.format(rows))
    assert faults(tmp_path / "late.csv", read_followup) == [[4, "G", "a day within a year of the others"]]
