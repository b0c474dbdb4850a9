"""The place of faults: the file, the sheet and the letter of the column that each is in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from ...errors import printable
from .faults import COLUMNS, STRIDE, Faults
from .layout import Cells
from .personal import header_shown
from .programs import ADDED


def placed(faults: Iterable[pd.DataFrame], cells: Cells) -> list[pd.DataFrame]:
    """Faults with the file, the sheet and the letter of the column that they are in, where they do not say so yet."""
    parts = []
    for part in (part for part in faults if len(part)):
        place = {"file": printable(cells.path.name), "sheet": printable(cells.sheet)}
        own = part if "letter" in part else part.assign(letter=part["column"].map(cells.letter))
        own = own.assign(**{name: text for name, text in place.items() if name not in own})
        parts.append(own.assign(column=[header_shown(name.removeprefix(ADDED)) for name in own["column"]]))
    return parts


def raise_all(sources: Sequence[Cells], faults: Iterable[pd.DataFrame], variable: str = "SURVEY") -> None:
    """Raise `Faults` of the files that a variable names if there is any, in the order of files, rows and columns."""
    tables = []
    for part in (part for part in faults if len(part)):
        for number, rows in part.groupby(part["row"] // STRIDE):
            tables += placed([rows.assign(row=rows["row"] % STRIDE, source=number)], sources[int(number)])
    if tables:
        table = pd.concat(tables, ignore_index=True)
        table = table.sort_values(["source", "sheet", "row", "column"], kind="stable", ignore_index=True)[COLUMNS]
        raise Faults(sources[0].path, table, variable)
