"""What an attacker has, the published file, beside what it was made from: for tests, and for simulations of many.

`witnessed` makes every table of a study while it notes what `protect` is given. The file is what anybody reads; the
notes are the truth that attacks on it are judged by, and no attack uses them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd

from welfare_analysis import results
from welfare_analysis.disclosure import CATEGORY, NUMBERS, Released, policy, protect
from welfare_analysis.disclosure.registry import read, rows
from welfare_analysis.results import declare, descriptive
from welfare_analysis.study import Study


@dataclass(frozen=True)
class Evidence:
    """Cells of a table before protection, with the lines along which they add up."""

    cells: pd.DataFrame
    adds: tuple[str, ...]


@contextmanager
def witness() -> Iterator[dict[str, Evidence]]:
    """What every table is made from, by name, while the context is open."""
    notes: dict[str, Evidence] = {}

    def noted(blank: Released, cells: pd.DataFrame, *rest, **named) -> Released:
        notes[blank.id] = Evidence(cells.reset_index(drop=True), tuple(a for a in named["adds"] if a in cells))
        return protect(blank, cells, *rest, **named)

    with patch.object(declare, "protect", noted), patch.object(descriptive, "protect", noted):
        yield notes


@dataclass(frozen=True)
class Publication:
    """The tables as a file has them, and a row a cell of the truth."""

    tables: dict[str, Released]
    truth: pd.DataFrame

    def lines(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Cells of each line along which a table adds up, one key varied and the others held."""
        for name, own in self.truth.groupby("table", sort=False):
            keys = self.tables[name].keys
            for axis in own["adds"].iloc[0]:
                others = [key for key in keys if key != axis]
                parts = own.groupby([own["codes"].map(lambda c, i=keys.index(k): c[i]) for k in others], sort=False)
                yield from ((name, part) for _, part in (parts if others else [("", own)]))


def published(study: Study, file: Path, only: tuple[str, ...] = ()) -> Publication:
    """Write the file of every table of a study (or of topics and tables whose names begin so), and read it again."""
    with witness() as notes:
        release = results.release(study)
        names = [name for name in release if not only or name.startswith(only)]
        made = {name: release[name] for name in names}
    pd.concat([rows(table) for table in made.values()]).to_csv(file, index=False, float_format="%.12g")
    tables = read(file)
    return Publication(tables, pd.concat([_truth(tables[n], notes[n]) for n in names if _known(tables[n], notes)]))


def _known(table: Released, notes: dict[str, Evidence]) -> bool:
    return table.state == "shown" and table.id in notes


def _truth(table: Released, evidence: Evidence) -> pd.DataFrame:
    cells = evidence.cells
    columns = {"estimate": cells["estimate"].astype(float), "n": cells["n"].astype(float)}
    for name in ("numerator", "weight"):
        columns[name] = cells[name].astype(float) if name in cells else np.nan
    codes = [tuple(map(str, row)) for row in cells[table.keys].itertuples(index=False)]
    seen = {tuple(map(str, row[: len(table.keys)])): row[len(table.keys) :]
            for row in table.frame[[*table.keys, *NUMBERS, "step", "flag", "unit"]].itertuples(index=False, name=None)}
    shown = pd.DataFrame([seen[c] for c in codes], columns=["printed", "low", "high", "step", "flag", "unit"])
    out = pd.DataFrame(columns).join(shown).assign(table=table.id, codes=codes)
    return out.assign(adds=[evidence.adds] * len(out))
