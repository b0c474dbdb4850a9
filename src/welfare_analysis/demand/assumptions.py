"""Numbers that are assumed: a value with the range of its evidence, in the tables of ``data/public``."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from ..errors import unknown
from ..study import public


def assumption(table: str, item: str, end: str = "value") -> float:
    """A number of a table: value, low or high of an item, by which its first column names it.

    Raises
    ------
    WelfareError
        A table, an item or a column that is not there.
    """
    rows = public(table)
    rows = rows.set_index(rows.columns[0])
    for what, name, names in (("row", item, rows.index), ("column", end, rows.columns)):
        if name not in names:
            raise unknown(f"no such {what}", name, names, where=f"data/public/{table}.csv")
    return float(rows.loc[item, end])


def at_end(rows: pd.DataFrame, names: pd.Series, good: bool, better_high: Collection[str]) -> pd.Series:
    """Each number at the end of its range that is good for demand, or at the bad one; of some that is the high end."""
    return rows["high"].where(names.isin(better_high) == good, rows["low"])


def place(rows: pd.DataFrame, names: pd.Series, better_high: Collection[str]) -> pd.Series:
    """Where each value stands between the bad end of its range (0) and the good one (1); missing without a range."""
    width = (rows["high"] - rows["low"]).where(rows["low"] < rows["high"])
    from_high = (rows["high"] - rows["value"]) / width
    return from_high.mask(names.isin(better_high), 1 - from_high)
