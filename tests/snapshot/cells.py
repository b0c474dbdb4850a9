"""Released tables as one long frame: a row a cell, with all that is said of its table beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import numpy as np
import pandas as pd

# The only place that knows where the tables of a study come from. When this module moves, change this line alone;
# what `recorded` expects is a mapping of names to tables that are made when they are asked for.
from welfare_analysis.results import release
from welfare_analysis.study import Study

NUMBERS = ["estimate", "low", "high", "n"]
HEADER = ["statistic", "variable", "by", "unit", "state", "respondents", "missing_share"]
COLUMNS = ["table", *HEADER, "keys", *NUMBERS, "flag", "further"]
ADDRESS = re.compile(r"0x[0-9a-f]+")


def names(study: Study) -> list[str]:
    """Names of all tables; none is made."""
    return list(release(study))


def recorded(study: Study, only: str = "", progress: Callable[[str], None] = lambda _: None) -> pd.DataFrame:
    """Every table whose name begins with ``only``; one that cannot be made has the state ``error: ...``."""
    tables, rows = release(study), []
    for i, name in enumerate(n for n in tables if n.startswith(only)):
        if i % 50 == 0:
            progress(f"tables, {i} made")
        rows += _rows(tables, name)
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype(dict.fromkeys([*NUMBERS, "respondents", "missing_share"], float))


def _rows(tables, name: str) -> list[dict[str, object]]:
    """Cells of one table; without cells one row that has the header alone."""
    empty = {**dict.fromkeys(COLUMNS, ""), **dict.fromkeys(NUMBERS, np.nan), "table": name}
    try:
        table = tables[name]
        header = {field: getattr(table, field) for field in HEADER} | {"by": "|".join(table.by)}
        keys, frame = list(table.keys), table.frame
    except Exception as error:  # what a study cannot show today is part of what it releases
        return [{**empty, "respondents": np.nan, "missing_share": np.nan, "state": failure(error)}]
    others = [c for c in frame if c not in {*keys, *NUMBERS, "flag"}]
    rows, seen = [], {}
    for cell in frame.to_dict("records"):
        address = ";".join(f"{key}={cell[key]}" for key in keys)
        seen[address] = seen.get(address, 0) + 1
        if seen[address] > 1:
            address += f"#{seen[address]}"
        further = json.dumps({c: cell[c] for c in others}, default=_plain, ensure_ascii=False) if others else ""
        shown = {c: cell[c] for c in [*NUMBERS, "flag"] if c in cell}
        rows.append({**empty, **header, "keys": address, **shown, "further": further})
    return rows or [{**empty, **header}]


def failure(error: Exception) -> str:
    """Type and message of an error on one line, without addresses in memory."""
    return ADDRESS.sub("0x", f"error: {type(error).__name__}: {' '.join(str(error).split())}")


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else str(value)
