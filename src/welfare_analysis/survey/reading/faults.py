"""Faults of a file: every one in a table that says where, what, by which rule, and what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ...errors import WelfareError, printable
from .personal import shown

COLUMNS = ["file", "sheet", "row", "letter", "column", "value", "rule", "what_to_do"]
NONE = pd.DataFrame(columns=["row", "column", "value", "rule", "what_to_do"])
SAME = "the same answer as in"  # of a fault of two columns that disagree
UNNAMED = "a column with answers has a name"
STRIDE = 100_000_000  # between the rows of one file and those of the next, where several are read as one


class Faults(WelfareError):  # noqa: N818 - the name that the contract gives it
    """All faults of a file, in ``table``: file, sheet, row, letter, column, value, rule, what_to_do.

    Rows and letters are those of a spreadsheet. Keys, and values that look like a person's name, number or address,
    are hidden there too.
    """

    def __init__(self, path: Path, table: pd.DataFrame, variable: str = "SURVEY") -> None:
        self.table = table
        first = table.iloc[0]
        many = f"{len(table)} faults, the first in" if len(table) > 1 else "a fault in"
        what = f"{many} row {first['row']}, column {first['column']}: {first['rule']}"
        hint = f"{first['what_to_do'].rstrip('.')}. `make check {variable}={printable(path.name)}` lists all faults."
        super().__init__(what, where=str(first["file"]), got=first["value"], hint=hint)


def fault(rows: pd.Series, column: str, values: object, rule: object, todo: object) -> pd.DataFrame:
    """The rows where a mask is true, as faults.

    The index of the mask is the row in the file; the others are aligned with it or constant, a series of values is of
    cells as they were read.
    """
    at = np.flatnonzero(rows.fillna(False).to_numpy(bool))
    if not len(at):
        return NONE
    if isinstance(values, pd.Series):
        values = [shown("" if pd.isna(cell) else cell, numeric=True) for cell in values.iloc[at]]
    given = {"row": rows.index[at], "column": column, "value": values, "rule": rule, "what_to_do": todo}
    return pd.DataFrame({k: list(part.iloc[at]) if isinstance(part, pd.Series) else part for k, part in given.items()})


def fault_at(row: int, column: str, value: str, rule: str, todo: str) -> pd.DataFrame:
    """One fault."""
    return pd.DataFrame({"row": [row], "column": column, "value": value, "rule": rule, "what_to_do": todo})
