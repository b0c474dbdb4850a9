"""Files of every kind and encoding: read as what they are, or refused in a sentence before anything is parsed."""

import contextlib
import datetime
import io
import os
import re
import zipfile
from decimal import Decimal

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from books import BOOK

from welfare_analysis.errors import WelfareError
from welfare_analysis.survey.reading import Faults, Map, draft_map, read, text_files
from welfare_analysis.survey.reading.exports import header_names
from welfare_analysis.survey.reading.files import load

ARABIC = "status,tenure,rooms_n\nموظف مزاول,مالك,3\nمتقاعد,مكتري,2\n"
FRENCH = "status,command,rooms_n\nactif,Fès,3\nretraité,Béni Mellal,2\n"
PLAIN = "status,tenure,rooms_n\nactive,owner,3\nretired,tenant,2\n"


def opened(folder, content, name="a.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path, BOOK)


def workbook(folder, sheets, name="a.xlsx"):
    """Write a workbook of sheets: name to rows."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(folder / name)
    return folder / name


ROWS = [line.split(",") for line in PLAIN.splitlines()]


@pytest.mark.parametrize(
    ("text", "encoding", "note"),
    [
        (ARABIC, "cp1256", "read as cp1256"),
        (FRENCH, "cp1252", "read as cp1252"),
        (FRENCH.replace("retraité", "RETRAITÉ"), "cp1252", "read as cp1252"),
        (ARABIC, "utf-16", "read as utf-16"),
        (ARABIC, "utf-16-le", "read as utf-16"),
        (ARABIC, "utf-8-sig", ""),
        (ARABIC, "utf-8", ""),
    ],
)
def test_encodings_are_told_apart(tmp_path, text, encoding, note):
    """The same answers come from every encoding that can be told, and the report says which it was."""
    answers = opened(tmp_path, text.encode(encoding))
    assert list(answers.frame["status"]) == ["active", "retired"]
    whole_file = list(answers.report.loc[answers.report["column"] == "", "what"])
    assert whole_file == ([note] if note else [])


@pytest.mark.parametrize(
    ("content", "row", "column", "rule"),
    [
        ("متقاعد".encode("cp1256").decode("cp1252"), 3, "status", "read in a wrong encoding, perhaps retired"),
        ("retraité".encode().decode("cp1252"), 3, "status", "read in a wrong encoding, perhaps retired"),
    ],
)
def test_mojibake_is_recognised(tmp_path, content, row, column, rule):
    """Letters that an earlier program read in a wrong encoding are a fault that says what they were."""
    with pytest.raises(Faults) as caught:
        opened(tmp_path, PLAIN.replace("retired", content))
    assert caught.value.table[["row", "column"]].to_numpy().tolist() == [[row, column]]
    assert rule in caught.value.table["rule"].iloc[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf", "no column of the codebook"),
        (b"\n\n\n", "no column of the codebook"),
        (b"status,tenure\n", "a header and no row"),
        (b"status,tenure\n,\n", "a header and no row"),
        (b"M1,active,owner\nM2,retired,tenant\n", "no column of the codebook"),
        (PLAIN.replace("owner", "own\0er").encode(), "line 2 holds a NUL byte"),
        (ARABIC.encode()[:-4], "breaks off in the middle of a letter"),
        (ARABIC.encode("utf-16")[:-1], "breaks off in the middle of a letter"),
        (
            b"status,command\nactive," + "مدرسة".encode("cp1256") + b"\nactive,\xc9COLE\n",
            "is not clear, see line 2",
        ),
        (b'status,tenure\nactive,owner\nretired,"tenant\nwidow,owner\n', "row 3 cannot be read.*never closed"),
        (b'status,tenure\nactive,"ow"ner\n', "row 2 cannot be read"),
        (b"status,tenure\nactive," + b"x" * 200_000 + b"\n", "row 2 cannot be read"),
        (("status," + ",".join(f"c{i}" for i in range(16_383)) + "\nactive\n").encode(), "too many columns"),
    ],
)
def test_text_files_that_are_refused(tmp_path, content, message):
    """What is no whole text file is refused, with the line where that shows, and no cell is told."""
    with pytest.raises(WelfareError, match=message) as caught:
        opened(tmp_path, content)
    assert "M1" not in str(caught.value)


def test_rows_of_another_length_are_all_named(tmp_path):
    """Ragged rows and a truncated last one are faults of their rows, together with faults of cells."""
    with pytest.raises(Faults) as caught:
        opened(tmp_path, "status,tenure,rooms_n\nactive,owner\nactive,owner,2,9\nactive,owner,99\nretired,own")
    table = caught.value.table
    assert table[["row", "column"]].to_numpy().tolist() == [[2, ""], [3, ""], [4, "rooms_n"], [5, ""]]
    assert "as many cells as the header, 3, not 2" in table["rule"].iloc[0]


def test_a_last_row_without_its_line_break_is_told(tmp_path):
    """A file that ends within a row may have been cut off there: it is read, and the report asks."""
    assert "no line break at the end" in opened(tmp_path, PLAIN.rstrip()).report["what"].iloc[0]


@pytest.mark.parametrize("text", [PLAIN.replace("\n", "\r\n"), PLAIN.replace("\n", "\r"), PLAIN + "\n\n,,\n"])
def test_line_breaks_and_blank_rows_make_no_difference(tmp_path, text):
    """Windows, old Macintosh and blank last rows give the same frame."""
    pd.testing.assert_frame_equal(opened(tmp_path, text).frame, opened(tmp_path, PLAIN, "b.csv").frame)


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_separators(tmp_path, mark):
    """A file whose columns are apart by another mark, with decimal commas, is read and the report says so."""
    text = f"status{mark}net_pay_dh\nactive{mark}5200,50\n"
    answers = opened(tmp_path, text)
    assert answers.frame["net_pay_dh"].tolist() == [5200.5]
    assert f"columns separated by {mark!r}" in set(answers.report["what"])
    told = opened(tmp_path, f"sep={mark}\n{text}", "b.csv")
    pd.testing.assert_frame_equal(answers.frame, told.frame)


def test_rows_are_counted_as_a_spreadsheet_does(tmp_path):
    """Line breaks and quotation marks in cells, blank rows and rows above the header do not shift a fault's row."""
    text = 'Enquête 2012,,\n\nperson_id,status,age\n"a ""b""\nc, d",active,40\n\ne,active,x\n'
    with pytest.raises(Faults) as caught:
        opened(tmp_path, text)
    assert caught.value.table[["row", "column", "value"]].to_numpy().tolist() == [[6, "age", "x"]]
    assert "rows above the header" in opened(tmp_path, text.replace("x", "41"), "b.csv").report["what"].iloc[0]


MANY = "person_id,status,tenure,rooms_n\n" + "".join(f"P{i:03},active,owner,{i % 9 + 1}\n" for i in range(60))
QUOTED = re.sub(r"[^,\n]+", r'"\g<0>"', MANY)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (MANY, True),
        (MANY.replace("\n", "\r\n"), True),
        (MANY.replace("\n", "\r"), True),
        (MANY.replace(",", ";"), True),
        (MANY.rstrip(), True),
        (MANY + "\n\n", True),
        (MANY + " ,\u200f,,\n,,,\n", True),
        (MANY.replace("P040,active,owner,5", ",,,"), True),
        (MANY.replace("owner,5", "owner,"), True),
        (QUOTED, True),
        (QUOTED.replace('"owner","5"', '"owner",""'), True),
        (QUOTED.replace('"P045"', '"P\n45"'), True),
        (QUOTED.replace('"P045"', '"P,45"'), True),
        (QUOTED.replace('"P045"', '"P""45"'), False),
        (MANY.replace("P045", 'P"045'), False),
        (MANY.replace("P045", '"P0"45'), False),
        (MANY.replace("P045", '"P045'), False),
        (MANY.replace("P045", "P" * 140_000), False),
        (MANY.replace("P040,active", "\nP040,active"), True),
        (MANY.replace("P040,active", "P040,active,active"), False),
        (MANY.replace("P040,active,owner", "P040,active"), False),
        (MANY + "P060,active,ow", False),
        (MANY.replace("P050,active,owner,6", "P050,active,owner,x").replace("P030,active", "P030,dancing"), True),
    ],
)
def test_columns_at_once_are_those_row_by_row(tmp_path, monkeypatch, text, whole):
    """Python's own reader of CSV, row by row, gives the same answers, faults and numbers of rows."""

    def outcome():
        try:
            answers = opened(tmp_path, text, "a.csv")
        except WelfareError as error:
            return str(error), getattr(error, "table", pd.DataFrame()).to_dict()
        return answers.frame.astype(str).to_dict(), answers.report.to_dict()

    used = []
    columns = text_files._Rows.columns

    def counted(rows, width):
        found = columns(rows, width)
        used.append(found is not None)
        return found

    monkeypatch.setattr(text_files._Rows, "columns", counted)
    at_once = outcome()
    monkeypatch.setattr(text_files._Rows, "columns", lambda rows, width: None)
    assert at_once == outcome()
    assert used == [whole]


@pytest.mark.parametrize(
    "text",
    [
        "status,priority/1st_choice,priority/2nd_choice\nactive,housing,health\n",
        "status,colour\nhousing,housing\nactive,housing\n",
    ],
)
def test_answers_that_are_names_of_questions_are_no_header(tmp_path, text):
    """Columns of places count as names, and a name that a row holds twice counts once: the first row is the header."""
    (tmp_path / "a.csv").write_text(text)
    assert load(tmp_path / "a.csv", header_names(BOOK)).header == 1


def test_identifiers_stay_text(tmp_path):
    """Keys that look like numbers are kept letter by letter, from CSV and from text cells of a workbook."""
    keys = ["00123", "1e5", "NA", "None", "nan", "1.0", "-99"]
    frame = pd.DataFrame({"person_id": keys, "status": "active", "tenure": "owner"})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    for name in ("a.csv", "a.xlsx"):
        assert list(read(tmp_path / name, BOOK).frame["person_id"]) == keys


def test_keys_that_a_workbook_stored_as_numbers(tmp_path):
    """Short ones are read and the report warns of lost zeros; those of more than 15 digits have lost digits."""
    rows = [["person_id", "status", "age"], [123, "active", 40], [124, "active", 41]]
    answers = read(workbook(tmp_path, {"a": rows}), BOOK)
    assert list(answers.frame["person_id"]) == ["123", "124"]
    assert "zeros in front are lost" in answers.report["what"].iloc[0]
    rows[1][0] = 1234567890123456789
    with pytest.raises(Faults) as caught:
        read(workbook(tmp_path, {"a": rows}), BOOK)
    assert caught.value.table[["row", "column", "value"]].to_numpy().tolist() == [[2, "person_id", "(hidden)"]]


def zipped(parts):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "an old or password-protected workbook"),
        (b"<html><table><tr><td>status</td></tr></table></html>", "a web page"),
        (b"\xef\xbb\xbf\r\n<table>", "a web page"),
        (b"PK\x03\x04 not a zip", "no workbook"),
        (b"status,tenure\nactive,owner\n", "no workbook"),
        (zipped({"a.txt": "x"}), "cannot be read"),
        (zipped({"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<broken"}), "cannot be read"),
        (zipped({"xl/workbook.xml": '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'}), "declares entities"),
        (zipped({"xl/styles.xml": b" " * 50_000_001}), "too large once unpacked"),
    ],
    ids=["old", "web page", "web page with mark", "no zip", "text", "other zip", "broken", "entities", "bomb"],
)
def test_what_is_no_workbook_is_refused(tmp_path, content, message):
    """A file that is not what its name says, or that would fill the memory, is refused before it is parsed."""
    with pytest.raises(WelfareError, match=message):
        opened(tmp_path, content, "a.xlsx")


def test_a_truncated_workbook_is_refused(tmp_path):
    """Half a workbook is no workbook, wherever it was cut."""
    whole = workbook(tmp_path, {"a": ROWS}).read_bytes()
    for part in (0.3, 0.6, 0.99):
        with pytest.raises(WelfareError):
            opened(tmp_path, whole[: int(part * len(whole))], "b.xlsx")


def test_a_damaged_workbook_is_refused(tmp_path):
    """Bytes that were changed on the way end in a sentence or in the frame, wherever they stand."""
    whole = workbook(tmp_path, {"a": ROWS}).read_bytes()
    for place in range(40, len(whole) - 8, 97):
        damaged = whole[:place] + b"\xff" * 8 + whole[place + 8 :]
        with contextlib.suppress(WelfareError):
            assert len(opened(tmp_path, damaged, "b.xlsx").frame) == 2


def test_a_workbook_of_16384_columns(tmp_path):
    """Columns past the limit are refused; a lone cell far out on a row is a fault of that row."""
    with pytest.raises(WelfareError, match="too many columns"):
        read(workbook(tmp_path, {"a": [[*ROWS[0], *["x"] * 16_381], ROWS[1]]}), BOOK)
    with pytest.raises(Faults) as caught:
        read(workbook(tmp_path, {"a": [ROWS[0], [*ROWS[1], *[None] * 16_380, "x"]]}), BOOK)
    assert caught.value.table[["row", "column"]].to_numpy().tolist() == [[2, ""]]


def test_what_a_workbook_says_of_its_size_is_not_believed(tmp_path):
    """A last cell in the last row and a wrong size cost no memory."""
    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)
    book.active.cell(200_000, 1, " ")
    book.save(tmp_path / "a.xlsx")
    assert len(read(tmp_path / "a.xlsx", BOOK).frame) == 2


def test_the_sheet_with_answers_is_read(tmp_path):
    """An empty first sheet and a cover are passed over, and the report names the sheet that was read."""
    sheets = {"empty": [], "cover": [["Enquête"], ["status"]], "formulaires": [[], ["Titre"], *ROWS]}
    answers = read(workbook(tmp_path, sheets), BOOK)
    assert list(answers.frame["status"]) == ["active", "retired"]
    assert "the sheet 'formulaires' was read, of 3 sheets" in set(answers.report["what"])
    assert "rows above the header left out" in set(answers.report["what"])


@pytest.mark.parametrize(
    ("sheets", "message"),
    [
        ({"a": [], "b": [[None, " "]]}, "every sheet is empty"),
        ({"active": ROWS, "retired": ROWS}, "several sheets hold answers"),
        ({"a": [["x", "y"]]}, "no column of the codebook"),
        ({"a": ROWS[:1]}, "a header and no row"),
    ],
)
def test_sheets_that_are_refused(tmp_path, sheets, message):
    """No sheet is left out silently."""
    with pytest.raises(WelfareError, match=message):
        read(workbook(tmp_path, sheets), BOOK)


def test_a_merged_header_names_the_column_without_a_name(tmp_path):
    """Answers under a blank header cell are a fault of the header, named as the spreadsheet names the column."""
    book = openpyxl.Workbook()
    for row in (["status", "tenure", None], ["active", "owner", 3]):
        book.active.append(row)
    book.active.merge_cells("B1:C1")
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(Faults) as caught:
        read(tmp_path / "a.xlsx", BOOK)
    assert caught.value.table[["sheet", "row", "column"]].to_numpy().tolist() == [["Sheet", 1, "C"]]


def test_formulas_give_their_stored_result_or_a_fault(tmp_path):
    """A formula that was never computed would pass for a blank: it is a fault."""
    path = workbook(tmp_path, {"a": [["status", "age", "rooms_n"], ["active", "=20+20", 3], ["active", 41, "=1+1"]]})
    with pytest.raises(Faults) as caught:
        read(path, BOOK)
    found = caught.value.table[["row", "column", "value"]].to_numpy().tolist()
    assert found == [[2, "age", "(formula without a result)"], [3, "rooms_n", "(formula without a result)"]]
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    for result in (b"<v>40</v>", b"<v>2</v>"):
        parts[sheet] = re.sub(rb"<v ?/>|<v></v>", result, parts[sheet], count=1)
    path.write_bytes(zipped(parts))
    answers = read(path, BOOK)
    assert answers.frame[["age", "rooms_n"]].to_numpy().tolist() == [[40, 3], [41, 2]]
    assert ("formulas, of which the stored results were read", 2) in set(
        answers.report[["what", "n"]].itertuples(index=False, name=None)
    )


def test_errors_and_dates_of_a_workbook(tmp_path):
    """Error cells and dates are faults that say what they are."""
    rows = [["status", "age", "rooms_n"], ["active", "#REF!", datetime.date(2012, 3, 5)], ["#N/A", 40, 2]]
    with pytest.raises(Faults) as caught:
        read(workbook(tmp_path, {"a": rows}), BOOK)
    table = caught.value.table
    assert table[["row", "column"]].to_numpy().tolist() == [[2, "age"], [2, "rooms_n"], [3, "status"]]
    assert ["error" in rule for rule in table["rule"]] == [True, False, True]


def test_parquet_of_objects_is_refused(tmp_path):
    """Lists, structures and bytes, where a pickle could hide, are refused by their type."""
    for values in ([[1]], [{"a": 1}], [b"\x80\x04K\x01."]):
        pq.write_table(pa.table({"status": ["active"], "tenure": values}), tmp_path / "a.parquet")
        with pytest.raises(WelfareError, match="columns hold objects"):
            read(tmp_path / "a.parquet", BOOK)


def test_parquet_gives_the_frame_that_csv_gives(tmp_path):
    """Numbers, dictionaries, truth values and missing cells of a Parquet file; an infinite number is a fault."""
    frame = pd.DataFrame(
        {
            "person_id": [1, 2],
            "status": pd.Categorical(["active", "retired"]),
            "age": pd.array([40, None], dtype="Int32"),
            "commute_km": [4.125, None],
            "has_loan": [True, False],
        }
    )
    frame.to_parquet(tmp_path / "a.parquet")
    answers = read(tmp_path / "a.parquet", BOOK).frame
    assert answers["age"].iloc[0] == 40
    assert answers["commute_km"].iloc[0] == 4.125
    assert list(answers["has_loan"]) == ["yes", "no"]
    frame.assign(commute_km=[float("inf"), None]).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(Faults) as caught:
        read(tmp_path / "b.parquet", BOOK)
    assert caught.value.table[["row", "column", "value"]].to_numpy().tolist() == [[2, "commute_km", "inf"]]


def test_a_map_renames_codes_of_a_parquet_file(tmp_path):
    """Foreign codes of a Parquet file, text or numbers, become those of the map; the others stay."""
    frame = pd.DataFrame({"status": ["ACT", "retired", None], "sex": [1, 2, 1], "age": [40, 60, 50]})
    frame.to_parquet(tmp_path / "a.parquet")
    known = Map(codes={"status": {"ACT": "active"}, "sex": {"1": "m", "2": "f"}})
    with pytest.raises(Faults) as caught:
        read(tmp_path / "a.parquet", BOOK, known)
    assert caught.value.table[["row", "column"]].to_numpy().tolist() == [[4, "status"]]
    frame.iloc[:2].to_parquet(tmp_path / "a.parquet")
    answers = read(tmp_path / "a.parquet", BOOK, known).frame
    assert answers["status"].tolist() == ["active", "retired"]
    assert answers["sex"].tolist() == ["m", "f"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder.csv", "this is a folder"),
        ("missing.csv", "the file is not there"),
        ("a.pkl", "this kind of file is not read"),
        ("a.xls", "this kind of file is not read"),
        ("a.doc", "this kind of file is not read"),
    ],
)
def test_paths_that_are_no_file_of_answers(tmp_path, name, message):
    """A folder, a file that is not there and other kinds are told in a sentence."""
    (tmp_path / "folder.csv").mkdir()
    for other in ("a.pkl", "a.xls", "a.doc"):
        (tmp_path / other).write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(WelfareError, match=message):
        read(tmp_path / name, BOOK)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(tmp_path):
    """A file closed to the reader is told in a sentence."""
    (tmp_path / "a.csv").write_text(PLAIN)
    (tmp_path / "a.csv").chmod(0)
    with pytest.raises(WelfareError, match="cannot be read"):
        read(tmp_path / "a.csv", BOOK)


def test_a_file_past_the_limit_is_not_opened(tmp_path):
    """The size is looked at first."""
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(500_000_001)
    with pytest.raises(WelfareError, match="too large"):
        read(tmp_path / "a.csv", BOOK)


@pytest.mark.parametrize("header", ["status,age,tenure", "Quelle est votre situation ?,Quel est votre âge ?,tenure"])
def test_questions_under_the_names_are_no_form(tmp_path, header):
    """A second header, of questions under names or of names under questions, is left out and told."""
    names, questions = "status,age,tenure", "Quelle est votre situation ?,Quel est votre âge ?,Occupation"
    second = questions if header == names else names
    (tmp_path / "a.csv").write_text(f"{header}\n{second}\nactive,40,owner\n", encoding="utf-8")
    found = read(tmp_path / "a.csv", BOOK)
    assert found.frame["age"].tolist() == [40]
    assert set(found.report["what"]) & {
        "a row of questions under the header left out",
        "rows above the header left out",
    }


def test_the_header_again_is_no_form(tmp_path):
    """Files put one under the other hold their header again: it is left out, and rows keep their numbers."""
    part = "person_id,status,age\n{},active,{}\n"
    (tmp_path / "a.csv").write_text(part.format("k1", 40) + part.format("k2", 41) + part.format("k3", "x"))
    with pytest.raises(Faults) as caught:
        read(tmp_path / "a.csv", BOOK)
    assert caught.value.table[["row", "column"]].to_numpy().tolist() == [[6, "age"]]
    (tmp_path / "a.csv").write_text(part.format("k1", 40) + part.format("k2", 41))
    found = read(tmp_path / "a.csv", BOOK)
    assert found.frame["age"].tolist() == [40, 41]
    assert found.report.set_index("what").at["rows that repeat the header left out", "n"] == 1


@pytest.mark.parametrize(
    "last", ["Total,,99", "Moyenne,40,", ",مجموع,99", "TOTAL GENERAL,99,", "Nombre de réponses : 1,,"]
)
def test_a_row_of_totals_is_one_fault(tmp_path, last):
    """Sums under the forms are no form: one fault that says so, whatever else their row holds."""
    (tmp_path / "a.csv").write_text(f"person_id,status,age,cars_n\nk1,active,40,1\n,{last}\n", encoding="utf-8")
    with pytest.raises(Faults) as caught:
        read(tmp_path / "a.csv", BOOK)
    table = caught.value.table
    assert table[["row", "rule", "what_to_do"]].to_numpy().tolist() == [
        [3, "a form, not a row of totals", "Remove the row."]
    ]


def test_a_title_or_a_note_among_forms_is_one_fault(tmp_path):
    """A row of which a cell or two alone are filled, none of them an answer, is no form; a misspelt answer is one."""
    rows = "k1,active,40,tenant\n,Région du Nord,,\nk2,actif en serv,,\n,Source : DRH,,\n"
    (tmp_path / "a.csv").write_text(f"person_id,status,age,tenure\n{rows}", encoding="utf-8")
    with pytest.raises(Faults) as caught:
        read(tmp_path / "a.csv", BOOK)
    table = caught.value.table
    assert table.loc[table["rule"].str.startswith("a form, with each answer"), "row"].tolist() == [3, 5]
    assert table.loc[table["row"] == 4, "column"].tolist() == ["status"]


def test_a_draft_is_of_the_row_with_most_words(tmp_path):
    """Above a header of a foreign file stand a title and merged names of groups: the map is of the header."""
    rows = [["Enquête", "", ""], ["Identité", "", "Logement"], ["Situation", "Âge", "Nature"], ["actif", 35, "loué"]]
    pd.DataFrame(rows).to_excel(tmp_path / "a.xlsx", header=False, index=False)
    assert draft_map(tmp_path / "a.xlsx", BOOK)["from"].tolist() == ["Situation", "Âge", "Nature"]


def test_no_file_of_a_folder_is_passed_over(tmp_path):
    """A folder within is named, and pictures and logs are left; a spreadsheet of a kind that is not read is named."""
    (tmp_path / "casablanca").mkdir()
    (tmp_path / "media").mkdir()
    (tmp_path / "a.csv").write_text("status,tenure\nactive,owner\n")
    (tmp_path / "casablanca" / "b.csv").write_text("status,tenure\nwidow,owner\n")
    (tmp_path / "media" / "log.csv").write_text("x\n1\n")
    with pytest.raises(WelfareError, match="a folder lies in the folder; got 'casablanca'"):
        read(tmp_path, BOOK)
    (tmp_path / "casablanca" / "b.csv").rename(tmp_path / "b.csv")
    (tmp_path / "casablanca").rmdir()
    assert read(tmp_path, BOOK).frame["status"].tolist() == ["active", "widow"]
    (tmp_path / "c.ods").write_bytes(b"x")
    with pytest.raises(WelfareError, match=r"c\.ods: this kind of file is not read"):
        read(tmp_path, BOOK)


def test_days_and_decimals_of_parquet_are_read(tmp_path):
    """A column of days is a text, exact decimals are numbers; only objects are refused."""
    frame = pd.DataFrame({"status": ["active"], "age": [Decimal("40")], "date": pd.to_datetime(["2026-11-02"])})
    frame.to_parquet(tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet", BOOK).frame
    assert found["age"].tolist() == [40]
    assert found["date"].astype(str).tolist() == ["2026-11-02"]


def test_no_sign_that_a_terminal_obeys_is_in_a_draft(tmp_path):
    """A map has headers and codes as they stand in the file: those with signs that are not seen are left out."""
    (tmp_path / "a.csv").write_text(
        "status,tenure,o\x1b[31mx\nactive,\x1b[31mred,1\nactive,loué !,1\n", encoding="utf-8"
    )
    assert draft_map(tmp_path / "a.csv", BOOK)["from"].tolist() == ["loué !"]


def test_cells_merged_over_several_rows_are_told(tmp_path):
    """One place merged over three forms is that of the first: that the others are blank is said; headers may be so."""
    book = openpyxl.Workbook()
    for row in [("status", "command"), (None, None), ("active", "rabat"), ("active", None), ("widow", None)]:
        book.active.append(row)
    book.active.merge_cells("A1:A2")
    for place, told in (
        ("B1:B2", []),
        ("B3:B5", ["merges of cells, B3:B5"]),
        ("A3:B3", ["merges of cells, A3:B3, B3:B5"]),
    ):
        book.active.merge_cells(place)
        book.save(tmp_path / "a.xlsx")
        found = read(tmp_path / "a.xlsx", BOOK)
        said = [what for what in found.report["what"] if "merges of cells" in what]
        assert [sorted(what.partition(": ")[0].split(", ")) for what in said] == [sorted(t.split(", ")) for t in told]


def test_what_a_workbook_hides_is_read_and_told(tmp_path):
    """Rows that a filter hides, columns and sheets: their answers count, and the report says how many there are."""
    book = openpyxl.Workbook()
    for row in [("status", "age", "sex", "tenure"), *[("active", 40 + n, "m", "owner") for n in range(5)]]:
        book.active.append(row)
    read_again = read_as(book, tmp_path)
    assert not any("hidden" in what for what in read_again.report["what"])
    book.active.auto_filter.ref = "A1:D6"
    for number in (3, 4):
        book.active.row_dimensions[number].hidden = True
    book.active.column_dimensions.group("B", "C", hidden=True)
    book.create_sheet("notes").sheet_state = "hidden"
    found = read_as(book, tmp_path)
    assert found.frame["age"].tolist() == [40, 41, 42, 43, 44]
    told = found.report.set_index("what")["n"]
    assert [told[f"hidden {kind}s, as by a filter, are read as the others"] for kind in ("row", "column", "sheet")] == [
        2,
        2,
        1,
    ]


def read_as(book, folder):
    book.save(folder / "hidden.xlsx")
    return read(folder / "hidden.xlsx", BOOK)
