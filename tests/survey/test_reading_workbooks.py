"""Workbooks as calamine reads them: the same cells as openpyxl gives, or openpyxl reads them."""

import datetime
import io
import zipfile

import openpyxl
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.survey.reading import workbooks
from welfare_analysis.survey.reading.layout import Known

KNOWN = Known(frozenset({"status", "age", "note"}))
HEADER = '<row r="1">{}</row>'.format(
    "".join(
        f'<c r="{letter}1" t="inlineStr"><is><t>{name}</t></is></c>'
        for letter, name in zip("ABC", ["status", "age", "note"], strict=True)
    )
)
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)
DAY = datetime.date(2012, 3, 5)


def parts_of(book):
    buffer = io.BytesIO()
    book.save(buffer)
    with zipfile.ZipFile(buffer) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(path, rows, texts=""):
    """A workbook whose rows, and shared texts, are written letter by letter."""
    book = openpyxl.Workbook()
    book.active.append(["text", DAY])
    parts = parts_of(book)
    parts["xl/worksheets/sheet1.xml"] = SHEET.format(HEADER + rows).encode()
    if texts:
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
        link = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
        space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        parts["xl/sharedStrings.xml"] = f'<sst xmlns="{space}">{texts}</sst>'.encode()
        for name, end, line in (
            ("[Content_Types].xml", b"</Types>", f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/>'),
            (
                "xl/_rels/workbook.xml.rels",
                b"</Relationships>",
                f'<Relationship Id="rId99" Type="{link}" Target="sharedStrings.xml"/>',
            ),
        ):
            if b"sharedStrings" not in parts[name]:
                parts[name] = parts[name].replace(end, line.encode() + end)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def both_ways(path, monkeypatch):
    """The frame as it is read, the frame of openpyxl alone, and how many times calamine gave one."""
    used = []
    fast = workbooks._by_calamine

    def counted(path):
        sheets = fast(path)
        used.append(sheets is not None)
        return sheets

    monkeypatch.setattr(workbooks, "_by_calamine", counted)
    ours = workbooks.xlsx_cells(path, KNOWN)
    monkeypatch.setattr(workbooks, "_by_calamine", lambda path: None)
    theirs = workbooks.xlsx_cells(path, KNOWN)
    return ours, theirs, sum(used)


def plain(frame):
    """Cells whose numbers are floats: a spreadsheet knows no other."""
    return frame.map(lambda cell: float(cell) if isinstance(cell, int | float) else str(cell)).astype(object)


def same(ours, theirs):
    pd.testing.assert_frame_equal(plain(ours.frame), plain(theirs.frame))
    assert ours.notes == theirs.notes
    assert [part.to_dict() for part in ours.faults] == [part.to_dict() for part in theirs.faults]
    assert ours.letters == theirs.letters


def cell(value, kind=""):
    kind = f' t="{kind}"' if kind else ""
    return f'<row r="2"><c r="A2" t="inlineStr"><is><t>active</t></is></c><c r="B2"{kind}>{value}</c></row>'


@pytest.mark.parametrize(
    "row",
    [
        *(cell(f"<v>{v}</v>") for v in ("40", "40.0", "00012", "1E5", "-0", "1e-320", "0.1", "12345678901234567", "")),
        *(cell(f"<v>{v}</v>", "b") for v in "01"),
        cell("<v>12:30</v>", "str"),
        cell("<v></v>", "str"),
        cell("<is><t>a&#10;b&#13;c&amp;&#x1F600;</t></is>", "inlineStr"),
        cell('<is><t xml:space="preserve"> a </t></is>', "inlineStr"),
        cell("<is><r><t>one </t></r><r><t>two</t></r></is>", "inlineStr"),
        cell("<is><t>read</t><rPh sb='0' eb='1'><t>said</t></rPh></is>", "inlineStr"),
        cell("<is><t>a_x000D_b_x000d_</t></is>", "inlineStr"),
        cell("<is><t>a_x005F_x0041_</t></is>", "inlineStr"),
        cell("<is><t> bare </t></is>", "inlineStr"),
        cell("<v>#N/A</v>", "e"),
        cell("<v>2012-03-05T10:00:00</v>", "d"),
        cell("<v>1<!-- 0 -->2</v>"),
        cell("<v><![CDATA[12]]></v>"),
        cell("<f>20+20</f><v>40</v>"),
        cell("<f>20+20</f><v></v>"),
        cell('<f t="shared" ref="B2:B3" si="0">20+20</f><v>40</v>'),
        cell('<f>A2&amp;""</f><v></v>', "str"),
        cell("<v>40</v>").replace('r="2"', 'r="9"').replace('2"', '9"'),
        '<row r="2"/>' + cell("<v>40</v>").replace('r="2"', 'r="3"').replace('2"', '3"') + '<row r="5"></row>',
        '<row r="2"><c><v>1</v></c><c><v>2</v></c></row>',
        '<row r="2"><c r="B2"><v>1</v></c><c r="AX2" s="0"/></row>',
        cell("<v>40</v>") + '<row r="60"><c r="B60"><v>1</v></c><c r="AX60"><v>2</v></c></row>',
    ],
)
def test_cells_are_those_of_openpyxl(tmp_path, monkeypatch, row):
    """Numbers, texts, escapes, blanks, formulas, errors and gaps give one frame, whichever program reads them."""
    ours, theirs, _ = both_ways(written(tmp_path / "a.xlsx", row), monkeypatch)
    same(ours, theirs)


FORMATS = [
    *(
        "yyyy-mm-dd",
        "dd/mm/yyyy;@",
        "h:mm",
        "[h]:mm:ss",
        "mm:ss.0",
        "h:mm AM/PM",
        "[$-40C]d mmm yyyy",
        "[$-380A]dddd d",
    ),
    *("0.00", '0" dh"', '#,##0" Dhs"', "#,##0.00 [$MAD]", "[Red]0", "0%", "# ?/?", "@", "General", "0;;;@", '0 "days"'),
    *("0 \\d\\h", "[Green]#,##0;[Red]-#,##0", '_-* #,##0.00\\ [$MAD]_-;_-* "-"??_-', 'yyyy"年"m"月"', "0.00E+00"),
]


@pytest.mark.parametrize("epoch", [openpyxl.utils.datetime.WINDOWS_EPOCH, openpyxl.utils.datetime.CALENDAR_MAC_1904])
def test_days_and_numbers_are_told_apart_as_openpyxl_does(tmp_path, monkeypatch, epoch):
    """What is a day, a time or a duration is said by the format of its cell, in words of several languages."""
    book = openpyxl.Workbook()
    book.epoch = epoch
    book.active.append(["status", "age", "note"])
    for form in FORMATS:
        for value in (0, 0.5, 1, 59, 61, 366, 41000, 41000.25, 41000.999999, 41000.123456789):
            book.active.append(["active", value, form])
            book.active.cell(book.active.max_row, 2).number_format = form
    book.save(tmp_path / "a.xlsx")
    ours, theirs, fast = both_ways(tmp_path / "a.xlsx", monkeypatch)
    assert fast == 1
    same(ours, theirs)
    assert {"2012-04-01 00:00:00", "2012-04-01 06:00:00"} & set(map(str, ours.frame["age"])) or epoch.year == 1904


def test_texts_of_many_cells_are_shared_and_read_alike(tmp_path, monkeypatch):
    """Texts that a workbook stores once, of several runs, with and without blanks; a place that is not there fails."""
    texts = (
        "<si><t>plain</t></si>", '<si><t xml:space="preserve"> a </t></si>', "<si><t/></si>", "<si/>",
        "<si><r><t>ri</t></r><r><rPr><b/></rPr><t>ch</t></r></si>", "<si><t>q_x000D_</t></si>",
        "<si><t>z\r\ny</t></si>",
    )  # fmt: skip
    rows = "".join(f'<row r="{2 + i}"><c r="B{2 + i}" t="s"><v>{i}</v></c></row>' for i in range(len(texts)))
    ours, theirs, fast = both_ways(written(tmp_path / "a.xlsx", rows, "".join(texts)), monkeypatch)
    assert fast == 1
    same(ours, theirs)
    lost = '<row r="2"><c r="B2" t="s"><v>99</v></c></row>'
    monkeypatch.undo()
    with pytest.raises(WelfareError, match="cannot be read"):
        workbooks.xlsx_cells(written(tmp_path / "b.xlsx", lost, "".join(texts)), KNOWN)


def test_a_hidden_sheet_a_chart_and_a_merged_cell(tmp_path, monkeypatch):
    """A hidden sheet is read as any other; what a merged cell covers is blank."""
    book = openpyxl.Workbook()
    book.active.append(["cover"])
    hidden = book.create_sheet("answers")
    hidden.sheet_state = "hidden"
    for row in (["status", "age", "note"], ["active", 40, "x"], ["retired", 60, "y"]):
        hidden.append(row)
    hidden.merge_cells("B2:B3")
    book.save(tmp_path / "a.xlsx")
    ours, theirs, fast = both_ways(tmp_path / "a.xlsx", monkeypatch)
    assert fast == 1
    same(ours, theirs)
    assert ours.frame["age"].tolist() == [40, ""]


@pytest.mark.parametrize(
    "rows",
    [
        cell("<v>40</v>") + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        cell("<v>40</v>") + "<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>",
        cell("<v>40</v>") + '<row r="1048576"><c r="&#88;FD1048576"><v>1</v></c></row>',
        "<!--" + '<c r="A1"/>' * 9 + "-->" + cell("<v>40</v>"),
    ],
)
def test_a_far_cell_does_not_fill_the_memory(tmp_path, rows):
    """Calamine lays out every place up to the last cell: it is not asked where few of them hold anything."""
    path = written(tmp_path / "a.xlsx", rows)
    assert not workbooks._looked_over(path)[0]


def test_letters_of_two_bytes_are_left_to_openpyxl(tmp_path):
    """A sheet in UTF-16 has no cell that the look over the file could see."""
    path = written(tmp_path / "a.xlsx", cell("<v>40</v>"))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"].decode().encode("utf-16")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert not workbooks._looked_over(path)[0]


def test_a_number_that_is_none_is_a_text(tmp_path):
    """``NaN`` is no number of a spreadsheet, and no blank."""
    cells = workbooks.xlsx_cells(written(tmp_path / "a.xlsx", cell("<v>NaN</v>")), KNOWN)
    assert cells.frame["age"].tolist() == ["nan"]


def test_rows_are_counted_before_anything_is_parsed(tmp_path, monkeypatch):
    """A sheet of too many rows is refused though they are empty, also one whose tags have a prefix."""
    monkeypatch.setattr("welfare_analysis.survey.reading.layout.MOST_ROWS", 50)
    monkeypatch.setattr(workbooks, "_opened", None)
    for tag in ("row", "x:row"):
        with pytest.raises(WelfareError, match="too many rows"):
            workbooks.xlsx_cells(written(tmp_path / "a.xlsx", f"<{tag}/>" * 60), KNOWN)
