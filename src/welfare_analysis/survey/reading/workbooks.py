"""XLSX: one sheet as rows; results of formulas, never formulas; limits before anything is parsed."""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Hashable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.escape import unescape

from ...errors import WelfareError, printable
from .cells import NO_RESULT
from .layout import ROWS_TO_HEADER, Cells, Known, Note, Row, filled, lay_out, limit_rows, names_found, names_of
from .repeats import is_repeat

LARGEST_PARTS = {"xl/worksheets/": 1_000_000_000, "xl/sharedStrings": 200_000_000}
LARGEST_OTHER = 50_000_000
ROW = re.compile(rb"<(?:\w+:)?row[ />]")
FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
OTHER_FILES = {b"\xd0\xcf\x11\xe0": "an old or password-protected workbook", b"<": "a web page or an XML table"}


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
    book = _open(path, results=True)
    name, others = _choose(path, book, known)
    sheet = book[name]
    notes: list[Note] = []
    if len(book.worksheets) > 1:
        notes.append(("", f"the sheet {name!r} was read, of {len(book.worksheets)} sheets", 1))
    formulas = _formulas(path, name) if _looked_over(path, sheet) else frozenset()
    if formulas:
        notes.append(("", "formulas, of which the stored results were read", len(formulas)))
    cells = lay_out(path, _rows(sheet, formulas), known, name, pad=True)
    members = replace(known, any_header=True)
    repeats = tuple(lay_out(path, _rows(book[o], frozenset()), members, o, pad=True) for o in others)
    book.close()
    return replace(cells, notes=[*notes, *cells.notes], repeats=repeats)


def _refuse(path: Path) -> None:
    """Refuse what is no workbook, or one whose parts are too large once unpacked or declare entities."""
    with path.open("rb") as file:
        start = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n")
    for mark, kind in OTHER_FILES.items():
        if start.startswith(mark):
            hint = "Open it in a spreadsheet program and save it as .xlsx, without a password."
            raise WelfareError(f"this is {kind}", where=path.name, expected="an XLSX workbook", hint=hint)
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
        raise WelfareError("this is no workbook", where=path.name, got=str(error)[:120]) from None


def _open(path: Path, results: bool) -> Any:
    book = openpyxl.load_workbook(path, read_only=True, data_only=results, keep_links=False)
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # what a workbook says of its own size may be wrong
    return book


def _choose(path: Path, book: Any, known: Known) -> tuple[str, list[str]]:
    """The sheet with a header of the codebook, of which there is one, and the sheets of repeated groups."""
    sheets, repeats = {}, []
    for sheet in book.worksheets:
        rows = [row for _, row in islice(_rows(sheet, frozenset()), ROWS_TO_HEADER)]
        if any(is_repeat(names_of(row, known)) for row in rows):
            repeats.append(sheet.title)
        elif any(filled(row) for row in rows):
            sheets[sheet.title] = max(names_found(rows, known))
    if not sheets:
        raise WelfareError("every sheet is empty", where=path.name)
    several = [title for title, names in sheets.items() if names > 1]
    if len(several) > 1:
        hint, got = "Put them under one header in one sheet, or save each as a file.", list(map(printable, several))
        raise WelfareError("several sheets hold answers", where=path.name, got=got, expected="one", hint=hint)
    return max(sheets, key=lambda title: sheets[title]), repeats


def _rows(sheet: Any, formulas: frozenset[tuple[int, int]]) -> Iterator[tuple[int, Row]]:
    for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
        cells = [_cell(value) for value in row]
        if formulas:
            cells = [NO_RESULT if c == "" and (number, i) in formulas else c for i, c in enumerate(cells)]
        yield number, cells


def _cell(value: object) -> Hashable:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return unescape(value) if "_x" in value else value
    return value if isinstance(value, int | float) else str(value)


def _looked_over(path: Path, sheet: Any) -> bool:
    """Whether the sheet has any formula; one with too many rows is refused. It is not parsed."""
    rows, formulas, end = 0, False, b""
    with zipfile.ZipFile(path) as archive, archive.open(sheet._worksheet_path) as part:
        while block := part.read(1 << 20):
            rows += len(ROW.findall(end + block)) - len(ROW.findall(end))
            formulas = formulas or bool(FORMULA.search(end + block))
            limit_rows(path, rows)
            end = block[-20:]
    return formulas


def _formulas(path: Path, name: str) -> frozenset[tuple[int, int]]:
    """Places of formulas: where one has no stored result, the cell would pass for a blank."""
    book = _open(path, results=False)
    places = frozenset(
        (cell.row, cell.column - 1) for row in book[name].iter_rows() for cell in row if cell.data_type == "f"
    )
    book.close()
    return places
