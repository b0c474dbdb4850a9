"""Faults of a file: every one in a table that says where, what, by which rule, and what to do."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from ...errors import WelfareError
from .spelling import plain

COLUMNS = ["file", "sheet", "row", "column", "value", "rule", "what_to_do"]
NONE = pd.DataFrame(columns=COLUMNS[2:])
HIDDEN = "(hidden)"
LONGEST_SHOWN = 40
PERSONAL = re.compile(r"@|\d(?:[\s.\-/]?\d){4}")  # mail, and numbers of identity cards, of service, of phones
NUMBER = re.compile(r"[-+]?(?:\d[\s.,]?){1,7}")  # a sum; eight digits and more are no sum of a form


class Faults(WelfareError):  # noqa: N818 - the name that the contract gives it
    """All faults of a file: ``table`` has file, sheet, row (as a spreadsheet counts), column, value, rule, what_to_do.

    Keys, and values that look like a person's number or address, are hidden there too.
    """

    def __init__(self, path: Path, table: pd.DataFrame) -> None:
        self.table = table
        first = table.iloc[0]
        many = f"{len(table)} faults, the first in" if len(table) > 1 else "a fault in"
        super().__init__(
            f"{many} row {first['row']}, column {first['column']}: {first['rule']}",
            where=path.name,
            got=first["value"],
            hint=f"{first['what_to_do'].rstrip('.')}. `make check FILE={path.name}` lists all faults.",
        )


def fault(rows: pd.Series, column: str, values: object, rule: object, todo: object) -> pd.DataFrame:
    """The rows where a mask is true, as faults.

    The index of the mask is the row in the file; the others are aligned with it or constant, a series of values is of
    cells as they were read.
    """
    at = np.flatnonzero(rows.fillna(False).to_numpy(bool))
    if not len(at):
        return NONE
    if isinstance(values, pd.Series):
        values = [shown(cell, numeric=True) for cell in values.iloc[at]]
    given = {
        name: list(part.iloc[at]) if isinstance(part, pd.Series) else part
        for name, part in (("value", values), ("rule", rule), ("what_to_do", todo))
    }
    return pd.DataFrame({"row": rows.index[at], "column": column, **given})


def fault_at(row: int, column: str, value: str, rule: str, todo: str) -> pd.DataFrame:
    """One fault."""
    return pd.DataFrame({"row": [row], "column": column, "value": value, "rule": rule, "what_to_do": todo})


def raise_all(path: Path, sheet: str, faults: Iterable[pd.DataFrame]) -> None:
    """Raise `Faults` if there is any, in the order of rows and columns."""
    found = [part for part in faults if len(part)]
    if found:
        table = pd.concat(found, ignore_index=True).assign(file=path.name, sheet=sheet)
        table = table.sort_values(["row", "column"], kind="stable", ignore_index=True)[COLUMNS]
        raise Faults(path, table)


def shown(cell: Hashable, keys: frozenset[str] = frozenset(), numeric: bool = False) -> str:
    """A value as it may be told: hidden if it is a key of the file, long, or looks like a person's number or address.

    Letters that a terminal would obey are written out.
    """
    text = plain(cell)
    if len(text) > LONGEST_SHOWN or text.strip() in keys:
        return HIDDEN
    if PERSONAL.search(text) and not (numeric and NUMBER.fullmatch(text.strip())):
        return HIDDEN
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
