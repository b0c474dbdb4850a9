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


def unprotected(cells: pd.DataFrame) -> pd.Series:
    """Cells that fail a rule of counts by themselves."""
    return pd.Series(unsafe(cells["n"].to_numpy(), cells["numerator"].to_numpy(), policy()), cells.index)


def against_a_rule(pub: Publication) -> pd.DataFrame:
    """Shown cells that fail a rule by themselves."""
    cells = pub.truth
    return cells[cells["printed"].notna() & unprotected(cells) & (pub.statistic != "count")]


def single(pub: Publication) -> pd.DataFrame:
    """Lines of which all cells but one are shown: that one is what the margin, or 100 %, leaves."""
    lost = [line for _, line in pub.lines() if (line["flag"] == "hidden").sum() == 1 < line["printed"].notna().sum() + 1]
    alone = [line[line["flag"] == "hidden"] for line in lost if (line["flag"] == "hidden").sum() < len(line)]
    return pd.concat([*alone, pub.truth.iloc[:0]])


def repeated(pub: Publication) -> pd.DataFrame:
    """Hidden cells whose very quantity is shown elsewhere: the same number of the same respondents.

    Nobody tells the attack which quantities are the same: two cells are, where all twelve digits of estimate, base and
    numerator are. Whole numbers are left out, since small counts agree by chance.
    """
    cells = pub.truth[pub.truth["numerator"].notna() & (pub.truth["estimate"] % 1 != 0)]
    same = [cells["unit"], cells["estimate"].map("{:.11e}".format), cells["n"], cells["numerator"]]
    known = cells["printed"].notna().groupby(same).transform("any")
    return cells[(cells["flag"] == "hidden") & known]


def inverted(pub: Publication) -> pd.DataFrame:
    """Hidden totals that are a shown share times the size of a group, and hidden shares whose total is shown."""
    cells = pub.truth[pub.truth["numerator"] > 0]
    persons, shares = cells[cells["unit"] == "persons"], cells[cells["unit"] == "share"]
    pairs = persons.merge(shares, on=["n", "numerator"], suffixes=("", "_share"))
    return pairs[(pairs["flag"] == "hidden") != (pairs["flag"] == "hidden")]


def not_known(pub: Publication, whole: str, parts: str, by: str) -> pd.DataFrame:
    """What is left when all groups are taken from everybody, where it is of few: those whose group is not known.

    Parameters
    ----------
    whole, parts : str
        Tables of the same numbers, of all and by the key ``by``; their other key is the same.
    """
    every, groups = (pub.truth[pub.truth["table"] == name] for name in (whole, parts))
    return every, groups


def finer(tables: dict[str, Released]) -> list[str]:
    """Tables with a place or rank finer than the policy, a shift at a place, or runs and costs of a place."""
    places = {"command_group", "home_city_group", "city", "zone"}
    rates = {"runs", "dh", "dh_trip", "dh_month", "million_dh", "riders"}
    found = []
    for name, table in tables.items():
        keys = {key for key in (*table.by, table.variable) if key}
        units = set(table.frame.get("unit", ())) if table.state == "shown" else set()
        if keys & {"command", "station", "rank", "home_city"} or ("shift" in keys and keys & places):
            found.append(name)
        elif name.startswith(("transport", "rail")) and keys & places and units & rates:
            found.append(name)
    return found


def printed_bases(tables: dict[str, Released]) -> pd.Series:
    """Bases and numbers of respondents that are not those that the policy prints."""
    every = {name: pd.Series([*table.frame.get("n", ()), table.respondents], dtype=float).dropna()
             for name, table in tables.items() if table.state == "shown"}  # fmt: skip
    bases = pd.concat(every)
    return bases[bases.to_numpy() != policy().base(bases.to_numpy())]
