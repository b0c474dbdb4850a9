"""CSV: bytes to rows of text, whatever program and country they come from; what is in doubt is refused."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, read_csv

from ...errors import WelfareError
from .layout import CELLS, ROWS_TO_HEADER, Bulk, Cells, Known, Row, lay_out, names_found

LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
LONGEST_LINE = 100_000  # of those looked at for the separator
ALIKE = set("àâçèéêëîïôùûü«»\u00a0")  # letters of French that cp1252 and cp1256 write alike
FRENCH = ALIKE | set("ÀÂÇÈÉÊËÎÏÔÙÛÜŒœ’…–°")
ARABIC_WORD = re.compile("[\u0600-\u06ff\u200c]{2,}|و")  # one letter alone is a word only where it means "and"


def csv_cells(path: Path, known: Known) -> Cells:
    """The cells of a text file."""
    text, encoding = decoded(path)
    named = re.match(r"sep=([;,\t|])\r?\n", text)  # Excel's way to name the separator
    separator = named[1] if named else _separator(text, known)
    body, first = (text[named.end() :], 2) if named else (text, 1)
    cells = lay_out(path, _Rows(path, body, separator, first), known)
    notes = [("", f"read as {encoding}", 1)] if encoding else []
    if separator != ",":
        notes.append(("", f"columns separated by {separator!r}", 1))
    if not text.endswith(("\n", "\r")):
        notes.append(("", "no line break at the end: is the last row whole?", 1))
    return replace(cells, notes=[*notes, *cells.notes])


class _Rows:
    """The rows of a text one by one; or those that are left as whole columns, which is many times as fast."""

    def __init__(self, path: Path, text: str, separator: str, first: int) -> None:
        self.path, self.separator, self.number = path, separator, first - 1
        self.text, self.place = text, 0
        self.lines = csv.reader(self._lines(), delimiter=separator, strict=True)

    def _lines(self) -> Iterator[str]:
        for line in LINE.finditer(self.text):
            self.place = line.end()
            yield line[0]

    def __iter__(self) -> Iterator[tuple[int, Row]]:
        try:
            for row in self.lines:
                self.number += 1
                yield self.number, row
        except csv.Error as error:
            what = str(error).replace("unexpected end of data", "a quotation mark is opened and never closed")
            hint = "A cell that holds a quotation mark stands between quotation marks, and the mark is written twice."
            what = f"row {self.number + 1} cannot be read: {what}"
            raise WelfareError(what, where=self.path.name, hint=hint) from None

    def columns(self, width: int) -> Bulk | None:
        """The number of the next row, and the columns of it and all that follow.

        None, and nothing is read, where a row has not this many cells, or where quotation marks stand elsewhere than at
        the ends of cells or a cell is long: what is then a fault, row by row, is left to the other way.
        """
        rest = self.text[self.place :].rstrip("\r\n")
        marks, all_marks = [self.separator, "\n", "\r"], rest.count('"')
        opened = rest.startswith('"') + sum(rest.count(mark + '"') for mark in marks if all_marks)
        closed = rest.endswith('"') + sum(rest.count('"' + mark) for mark in marks if all_marks)
        if not rest or width < 2 or not opened == closed == all_marks - opened:
            return None
        names = list(map(str, range(width)))
        kinds = ConvertOptions(column_types=dict.fromkeys(names, CELLS), strings_can_be_null=False)
        parse = ParseOptions(delimiter=self.separator, newlines_in_values=bool(opened), ignore_empty_lines=False)
        try:
            table = read_csv(pa.py_buffer(rest.encode()), ReadOptions(column_names=names), parse, kinds)
        except pa.ArrowInvalid:
            return None
        columns = [column.combine_chunks() for column in table.columns]
        longest = max(pc.max(pc.binary_length(column.dictionary)).as_py() for column in columns)
        return (self.number + 1, columns) if longest <= csv.field_size_limit() else None


def _separator(text: str, known: Known) -> str:
    """The separator under which a first line holds most names of the codebook."""
    lines = [line[:LONGEST_LINE] for line in text[:200_000].splitlines()[:ROWS_TO_HEADER]]
    rows = {mark: list(csv.reader(lines, delimiter=mark)) for mark in ",;\t|"}
    best = max(rows, key=lambda mark: max(names_found(rows[mark], known), default=0))
    if known.any_header and not any(names_found(rows[best], known)):
        return max(rows, key=lambda mark: len(rows[mark][0]) if rows[mark] else 0)
    return best


def small_table(path: Path, columns: Sequence[str], what: str, hint: str) -> pd.DataFrame:
    """A table of ours that somebody completed, as text: a spreadsheet program may have saved it with other marks.

    Raises
    ------
    WelfareError
        A file that is not there or is no text, or that lacks a column.
    """
    if not path.is_file():
        raise WelfareError("the file is not there", where=str(path), hint=hint)
    try:
        text, _ = decoded(path)
        mark = max(",;\t", key=text.partition("\n")[0].count)
        table = pd.read_csv(io.StringIO(text), sep=mark, dtype=str, keep_default_na=False)
    except (ValueError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        got = str(error).strip()[:120]
        raise WelfareError(f"{what} cannot be read", where=path.name, got=got, expected="CSV in UTF-8") from None
    if list(table.columns[: len(columns)]) != list(columns):
        listed, expected = ", ".join(map(str, table.columns[:8])), ", ".join(columns)
        raise WelfareError(f"{what} has other columns", where=f"{path.name}, row 1", got=listed, expected=expected)
    return table


def decoded(path: Path) -> tuple[str, str]:
    """The text of a file, and the name of its encoding where that is not UTF-8.

    Raises
    ------
    WelfareError
        Bytes that are no text, that break off, or that several encodings give a meaning.
    """
    data = path.read_bytes()
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
    if len(data) > 12 and not any(data[1:12:2]):
        encoding = "utf-16-le"  # as Windows writes it, the mark left out
    try:
        text = data.decode(encoding or "utf-8-sig")
    except UnicodeDecodeError as error:
        if encoding or (error.end >= len(data) and error.reason == "unexpected end of data"):
            raise WelfareError("the file breaks off in the middle of a letter", where=path.name) from None
        text, encoding = _of_windows(data, path, line=error.object.count(b"\n", 0, error.start) + 1)
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise WelfareError(f"line {line} holds a NUL byte: this is no text", where=path.name, expected="CSV in UTF-8")
    return text, encoding.removesuffix("-le")


def _of_windows(data: bytes, path: Path, line: int) -> tuple[str, str]:
    """Text in a code page of Windows, where only one can be meant; ``line`` is the first that is not UTF-8.

    French words in small letters are the same in both; Arabic words have two letters or more and touch no Latin one, as
    the capitals of French would.
    """
    text = data.decode("cp1256")
    if {c for c in text if not c.isascii()} <= ALIKE:
        return text, "cp1252"
    words = re.findall(r"[^\W\d_]+", text)
    arabic = [word for word in words if re.search("[\u0600-\u06ff]", word)]
    if arabic and all(ARABIC_WORD.fullmatch(word) for word in arabic):
        return text, "cp1256"
    western = data.decode("cp1252", "replace")
    if all(re.search("[A-Za-z]", word) for word in arabic) and {c for c in western if not c.isascii()} <= FRENCH:
        return western, "cp1252"
    what = f"the encoding is not clear, see line {line}"
    raise WelfareError(what, where=path.name, expected="UTF-8", hint="Save the file as CSV UTF-8.")
