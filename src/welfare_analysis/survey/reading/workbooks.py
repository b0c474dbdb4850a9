"""XLSX: one sheet as rows; results of formulas, never formulas; limits before anything is parsed."""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import islice, zip_longest
from pathlib import Path
from typing import IO, Any

import openpyxl
import python_calamine
from openpyxl.utils import column_index_from_string
from openpyxl.utils.escape import unescape

from ...errors import WelfareError, printable
from .cells import NO_RESULT
from .layout import ROWS_TO_HEADER, Cells, Known, Note, Row, filled, lay_out, limit_rows, names_found, names_of
from .repeats import is_repeat

LARGEST_PARTS = {"xl/worksheets/": 1_000_000_000, "xl/sharedStrings": 200_000_000}
LARGEST_OTHER = 50_000_000
BLOCK = 1 << 20
ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")
FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
MERGED = re.compile(rb'<(?:\w+:)?mergeCell ref="([A-Z]+(\d+):[A-Z]+\d+)"')
CONCEALED = rb'(?=[^>]*(?:hidden="(?:1|true)"|state="(?:h|veryH)idden"))'
HIDDEN = re.compile(rb"<(?:\w+:)?(row|col|sheet)\s" + CONCEALED + rb'(?:[^>]*?min="(\d+)" max="(\d+)")?')
CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
# a cell as programs write it, of a number, a text or a truth value; not of an error, nor of a day as text
USUAL = re.compile(rb'<c r="([A-Z]{1,3})(\d{1,7})"(?: s="\d+")?(?: t="(?:s|str|b|n|inlineStr)")? ?/?>')
# what calamine reads otherwise: sections of raw text, blanks around a text, escapes but those of line breaks
UNUSUAL = re.compile(rb"<!|<[tv]>(?:\s|[^<]*\s<)|_x(?!000[9ADad]_)[0-9A-Fa-f]{4}_")
SIGNS = (b"<!", b"_x", *(mark + end for mark in (b" ", b"\t", b"\r", b"\n") for end in (b"</t>", b"</v>")))
SIGNS += tuple(tag + mark for tag in (b"<t>", b"<v>") for mark in (b" ", b"\t", b"\r", b"\n"))
WIDE = (b"\xff\xfe", b"\xfe\xff")  # begins a part whose letters have two bytes
SPARSE, LARGEST_AREA = 2_000_000, 30_000_000  # places of a sheet, blank ones too
Marks = tuple[bool, bool, list[tuple[str, int]], Counter[str]]
Sheets = Mapping[str, Callable[[], Iterable[list[Hashable]]]]


def xlsx_cells(path: Path, known: Known) -> Cells:
    """The cells of the one sheet of a workbook that holds answers."""
    _refuse(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # parts that we do not read: filters, pictures, styles
            return _read(path, known)
    except WelfareError:
        raise
    except Exception as error:  # a broken workbook fails in its parser in many ways
        what = f"{type(error).__name__}: {error}"[:120]
        raise WelfareError("the workbook cannot be read", where=path.name, got=what) from None


def _read(path: Path, known: Known) -> Cells:
    usual, any_formula, merged, hidden = _looked_over(path)
    with _opened(path, usual) as sheets:
        name, others = _choose(path, sheets, known)
        notes: list[Note] = []
        if len(sheets) > 1:
            notes.append(("", f"the sheet {name!r} was read, of {len(sheets)} sheets", 1))
        formulas = _formulas(path, name) if any_formula else frozenset()
        if formulas:
            notes.append(("", "formulas, of which the stored results were read", len(formulas)))
        cells = lay_out(path, _rows(sheets[name], formulas), known, name, pad=True)
        members = replace(known, any_header=True)
        repeats = tuple(lay_out(path, _rows(sheets[o], frozenset()), members, o, pad=True) for o in others)
    below = [place for place, start in merged if start > cells.header]
    if below:
        what = f"merges of cells, {', '.join(below[:3])}: blanks are read behind and below the first of them"
        notes.append(("", what, len(below)))
    notes += [("", f"hidden {kind}s, as by a filter, are read as the others", n) for kind, n in hidden.items()]
    return replace(cells, notes=[*notes, *cells.notes], repeats=repeats)


def _refuse(path: Path) -> None:
    """Refuse a workbook that cannot be unpacked, or one whose parts are too large once unpacked or declare entities."""
    try:
        with zipfile.ZipFile(path) as archive:
            for part in archive.infolist():
                limit = next((n for s, n in LARGEST_PARTS.items() if part.filename.startswith(s)), LARGEST_OTHER)
                if part.file_size > limit:
                    what = "the workbook is too large once unpacked"
                    raise WelfareError(what, where=path.name, got=part.filename, expected=f"at most {limit:,} bytes")
                if part.filename.endswith((".xml", ".rels")) and b"<!DOCTYPE" in archive.open(part).read(1024).upper():
                    raise WelfareError("the workbook declares entities, as no spreadsheet does", where=path.name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        hint = "If it is a text, give it the ending .csv."
        raise WelfareError("this is no workbook", where=path.name, got=str(error)[:120], hint=hint) from None


def _looked_over(path: Path) -> Marks:
    """Whether calamine may read a workbook, whether it has formulas, and what is merged and hidden.

    It is not parsed, and its rows are counted.

    calamine is many times as fast as openpyxl, and gives the same cells but for errors of the spreadsheet and days as
    text, which it leaves blank. It lays a sheet out whole: one cell in the last row and column would fill the memory.
    So it reads workbooks whose cells are all written in the usual way, and lie together.
    """
    usual, formulas, merged, hidden = True, False, list[tuple[str, int]](), Counter[str]()
    with zipfile.ZipFile(path) as archive:
        for part in archive.infolist():
            try:
                with archive.open(part) as file:
                    own, any_formula, places, some = _part(path, file)
            except (zipfile.BadZipFile, zlib.error, EOFError):  # openpyxl will say whether the part matters
                own, any_formula, places, some = False, True, [], Counter[str]()
            usual, formulas, merged, hidden = usual and own, formulas or any_formula, merged + places, hidden + some
    return usual, formulas, merged, hidden


def _part(path: Path, file: IO[bytes]) -> Marks:
    """What `_looked_over` says, of one part."""
    cells = rows = width = height = 0
    usual, formulas, text, rest, merged, hidden = True, False, None, b"", list[tuple[str, int]](), Counter[str]()
    while block := file.read(BLOCK):
        if text is None:
            usual, text = not block.startswith(WIDE), block.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")
        end = (rest + block).rfind(b">") + 1
        whole, rest = (rest + block)[:end], (rest + block)[end:][-BLOCK:]
        rows += len(ROW.findall(whole)) if b":row" in whole else whole.count(b"<row")
        limit_rows(path, rows)
        formulas = formulas or bool((b"<f" in whole or b":f" in whole) and FORMULA.search(whole))
        merged += [(a.decode(), int(b)) for a, b in (MERGED.findall(whole) if b"mergeCell " in whole else [])]
        hidden += _hidden(whole) if b"idden=" in whole or b'idden"' in whole else Counter[str]()
        places = USUAL.findall(whole) if usual else []
        plain = whole.count(b"<c") == len(places) and b":c" not in whole  # or the slow count
        own = len(places) if plain else len(CELL.findall(whole))
        cells += own
        odd = text and any(sign in whole for sign in SIGNS) and UNUSUAL.search(whole)  # the signs are found at once
        usual = usual and own == len(places) and len(rest) < BLOCK and not odd
        width = max([width, *(column_index_from_string(c.decode()) for c in {c for c, _ in places})])
        height = max([height, *map(int, {row for _, row in places})])
    return usual and width * height <= min(max(SPARSE, 4 * cells), LARGEST_AREA), formulas and cells > 0, merged, hidden


def _hidden(text: bytes) -> Counter[str]:
    """How many rows, columns and sheets are hidden."""
    found = Counter[str]()
    for kind, first, last in HIDDEN.findall(text):
        found[kind.decode().replace("col", "column")] += int(last or 0) - int(first or 0) + 1
    return found


@contextmanager
def _opened(path: Path, usual: bool) -> Iterator[Sheets]:
    """The sheets of a workbook: for each title what gives its rows, from its first row and column on."""
    fast = _by_calamine(path) if usual else None
    if fast is not None:
        yield fast
        return
    book = _open(path, results=True)
    try:
        yield {sheet.title: partial(_unescaped, sheet) for sheet in book.worksheets}
    finally:
        book.close()


def _by_calamine(path: Path) -> Sheets | None:
    """The sheets as calamine reads them; nothing where it fails, for openpyxl then says why or reads them."""
    try:
        book = python_calamine.load_workbook(path)
        kinds = {sheet.name: sheet.typ for sheet in book.sheets_metadata}
        titles = [name for name, kind in kinds.items() if kind == python_calamine.SheetTypeEnum.WorkSheet]
        return {title: partial(_from_first_column, book.get_sheet_by_name(title)) for title in titles}
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # where its own code breaks off, what it raises is no Exception
        return None


def _from_first_column(sheet: Any) -> Iterator[list[Any]]:
    """Rows that begin in column A, as those of openpyxl; calamine begins where the first cell is."""
    blank = [""] * (sheet.start[1] if sheet.start else 0)
    return ([*blank, *row] for row in sheet.iter_rows())


def _unescaped(sheet: Any) -> Iterator[list[Any]]:
    """Rows of openpyxl, with the signs that a workbook escapes, as calamine gives them."""
    for row in sheet.iter_rows(values_only=True):
        yield [unescape(cell) if isinstance(cell, str) and "_x" in cell else cell for cell in row]


def _open(path: Path, results: bool) -> Any:
    book = openpyxl.load_workbook(path, read_only=True, data_only=results, keep_links=False)
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # what a workbook says of its own size may be wrong
    return book


def _choose(path: Path, book: Sheets, known: Known) -> tuple[str, list[str]]:
    """The sheet with a header of the codebook, of which there is one, and the sheets of repeated groups."""
    sheets, repeats = {}, []
    for title, rows_of in book.items():
        rows = [row for _, row in islice(_rows(rows_of, frozenset()), ROWS_TO_HEADER)]
        if any(is_repeat(names_of(row, known)) for row in rows):
            repeats.append(title)
        elif any(filled(row) for row in rows):
            sheets[title] = max(names_found(rows, known))
    if not sheets:
        raise WelfareError("every sheet is empty", where=path.name)
    several = [title for title, names in sheets.items() if names > 1]
    if len(several) > 1:
        hint, got = "Put them under one header in one sheet, or save each as a file.", list(map(printable, several))
        raise WelfareError("several sheets hold answers", where=path.name, got=got, expected="one", hint=hint)
    return max(sheets, key=lambda title: sheets[title]), repeats


def _rows(rows_of: Callable[[], Iterable[Row]], formulas: frozenset[tuple[int, int]]) -> Iterator[tuple[int, Row]]:
    """Rows with their numbers, each up to its last cell that is not blank."""
    last, width = (max(places) for places in zip((0, -1), *formulas, strict=True))
    for number, (row, _) in enumerate(zip_longest(rows_of(), range(last), fillvalue=()), 1):
        cells = [_cell(value) for value in row]
        if formulas:  # one without a result may stand behind all that is stored
            cells += [""] * (width + 1 - len(cells))
            cells = [NO_RESULT if c == "" and (number, i) in formulas else c for i, c in enumerate(cells)]
        while cells and cells[-1] == "":
            cells.pop()
        yield number, cells


def _cell(value: object) -> Hashable:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return value if value == value else "nan"
    return f"{value} 00:00:00" if type(value) is date else str(value)  # openpyxl gives a day as its midnight


def _formulas(path: Path, name: str) -> frozenset[tuple[int, int]]:
    """Places of formulas: where one has no stored result, the cell would pass for a blank.

    Read by openpyxl, for calamine gives the stored results alone.
    """
    book = _open(path, results=False)
    cells = (cell for row in book[name].iter_rows() for cell in row)
    places = frozenset((cell.row, cell.column - 1) for cell in cells if cell.data_type == "f")
    book.close()
    return places
