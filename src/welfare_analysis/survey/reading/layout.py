"""Rows under a header: each cell as it was written or stored, each row with its number in the file."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pandas as pd

from ...errors import WelfareError
from .faults import fault_at
from .spelling import clean, fold

MOST_COLUMNS = 2_000
ROWS_TO_HEADER = 20
CHUNK = 20_000
PLACE = re.compile(r"^\d+(?:st|nd|rd|th)[_ ]choice$")  # a column of a ranking, as KoboToolbox names it
Note = tuple[str, str, int]
Row = Sequence[Hashable]


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a file.

    ``frame`` has a column a header cell and the row of the file as its index; blanks are ``""``. ``notes`` say what was
    accepted (column, what, how often), ``faults`` what could not be laid under the header. ``unticked`` are columns in
    which ``no`` only says that an item of a list was not ticked.
    """

    path: Path
    frame: pd.DataFrame
    header: int = 1
    sheet: str = ""
    notes: list[Note] = field(default_factory=list)
    faults: list[pd.DataFrame] = field(default_factory=list)
    unticked: frozenset[str] = frozenset()


class Known(frozenset[str]):
    """Known that a header may hold; ``spelt`` other wordings of them, folded; ``given`` what a map says of a header."""

    spelt: Mapping[str, str]
    given: Mapping[str, str]

    def __new__(cls, known: Iterable[str], spelt: Mapping[str, str] | None = None) -> Known:
        """Known without a map; see `with_map`."""
        names = super().__new__(cls, known)
        names.spelt, names.given = spelt or {}, {}
        return names

    def with_map(self, given: Mapping[str, str]) -> Known:
        """The same names, and what a map says of foreign headers."""
        names = Known(self, self.spelt)
        names.given = given
        return names


def name_of(cell: Hashable, known: Known) -> str:
    """A header cell as a column name: what a map, the codebook's name or its words say, also behind a form's groups.

    Case, blanks and hyphens make no difference to a name that is known.
    """
    text = clean(str(cell))
    if text in known or text in known.given:
        return known.given.get(text, text)
    parts = [text.split(mark) for mark in "/.-"]
    places = [f"{p[-2]}/{p[-1]}" for p in parts if len(p) > 1 and p[-2] in known and PLACE.search(p[-1])]
    tails = [tail for p in parts if len(p) > 1 for tail in ("_".join(p[-2:]), p[-1])]
    simple = ["_".join(t.casefold().replace("-", " ").replace("_", " ").split()) for t in (text, *tails)]
    spelt = [known.spelt.get(fold(t), "") for t in (text, *(p[-1] for p in parts[:1] if len(p) > 1))]
    return next((name for name in (*places, *simple, *spelt) if name in known or name in places), text)


def names_found(rows: Iterable[Row], known: Known) -> list[int]:
    """How many names of the codebook each row holds."""
    return [sum(name_of(c, known) in known for c in row) for row in rows]


def lay_out(path: Path, rows: Iterable[tuple[int, Row]], known: Known, sheet: str = "", pad: bool = False) -> Cells:
    """Rows (their number in the file, their cells) under the header, the one of the first rows with most known names.

    A row of another length is a fault; with ``pad`` a shorter row ends in blanks, as in a workbook.

    Raises
    ------
    WelfareError
        No header, or too many columns.
    """
    rows = iter(rows)
    first = list(islice(rows, ROWS_TO_HEADER))
    found = names_found((row for _, row in first), known)
    if not any(found):
        what = "no column of the codebook is in the first rows"
        hint = "The header row holds the names of data/codebook/variables.csv."
        raise WelfareError(what, where=f"{path.name}, sheet {sheet}" if sheet else path.name, hint=hint)
    place = found.index(max(found))
    header, cells = first[place]
    names = [name_of(c, known) for c in cells]
    named = _extent(names)
    if named > MOST_COLUMNS:
        raise WelfareError("too many columns", where=path.name, got=named, expected=f"at most {MOST_COLUMNS:,}")
    # a header that was merged ends before the answers under it do
    width = max(len(names), *(_extent(row) for _, row in first[place:])) if pad else len(names)
    names = [*names, *[""] * (width - len(names))][: max(named, min(width, MOST_COLUMNS))]
    above = sum(filled(row) for _, row in first[:place])
    respelt = [name for name, c in zip(names, cells, strict=False) if name in known and str(c).strip() != name]
    notes = [("", "rows above the header left out", above)] if above else []
    notes += [(name, "another spelling of the column's name", 1) for name in respelt]
    frame, faults = _under(names, chain(first[place + 1 :], rows), header, 0 if pad else named)
    return Cells(path, frame, header, sheet, notes, faults)


def filled(row: Row) -> bool:
    """Whether a row has anything but blanks."""
    return any(c != "" and not (isinstance(c, str) and not clean(c)) for c in row)


def _extent(row: Row) -> int:
    """The place of the last cell that is not blank."""
    return max((i for i, c in enumerate(row, 1) if filled([c])), default=0)


def _under(
    names: list[str], rows: Iterable[tuple[int, Row]], header: int, least: int
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    width = len(names)
    numbers: list[int] = []
    chunk: list[Row] = []
    parts: list[pd.DataFrame] = []
    faults: list[pd.DataFrame] = []
    for number, row in rows:
        if not filled(row):
            continue
        if len(row) < least or filled(row[width:]):
            rule = f"as many cells as the header, {least or width}, not {_extent(row) if least == 0 else len(row)}"
            todo = "Look for a separator or a quotation mark inside a cell, or for a row that was cut off."
            faults.append(fault_at(number, "", "", rule, todo))
            continue
        numbers.append(number)
        chunk.append(row[:width] if len(row) >= width else [*row, *[""] * (width - len(row))])
        if len(chunk) == CHUNK:
            parts.append(_frame(chunk, width))
            chunk = []
    parts.append(_frame(chunk, width))
    frame = pd.concat([p for p in parts if len(p)] or parts[:1], ignore_index=True)
    frame = frame.set_axis(pd.Index(numbers, dtype=np.int64), axis=0)
    for i in [i for i, name in enumerate(names) if not name]:
        if (frame[i] != "").any():
            rule, todo = "a column with answers has a name", f"Name column {letters(i)}, or empty it."
            faults.append(fault_at(header, letters(i), "", rule, todo))
    kept = [i for i, name in enumerate(names) if name]
    return frame[kept].set_axis([names[i] for i in kept], axis=1), faults


def _frame(chunk: list[Row], width: int) -> pd.DataFrame:
    columns = zip(*chunk, strict=True) if chunk else [()] * width
    return pd.DataFrame({i: _column(values) for i, values in enumerate(columns)}, columns=range(width))


def _column(values: Sequence[Hashable]) -> pd.Series:
    text = all(isinstance(v, str) for v in values)
    return pd.Series(list(values), dtype="str" if text else object)


def letters(place: int) -> str:
    """The name that a spreadsheet gives a column: A, B, ..., AA."""
    name, place = "", place + 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(65 + rest) + name
    return name
