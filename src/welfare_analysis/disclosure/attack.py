r"""An attack on what was published: between which values a hidden share must lie.

The attacker has every shown share and number of persons, as printed, and knows of each group how many answered and what
they weigh (the register's margins and who answered); which tables are of one variable, and which conditions are one
category of another variable. With p the shares of category c in group g, W the weights,

.. math:: \sum_c p_{gc} = 1, \qquad \sum_g W_g \, p_{gc} = W p_c, \qquad |p_{gc} - \hat p_{gc}| \le u / 2,

u the printed step. Groups are of several tables (status, rank, place), all of which share the overall :math:`p_c`; that
of the active is the cell of the active in the table by status. Linear programs (`bounds.ranges`) give the smallest and
largest value of each hidden share; times the respondents of its group these are persons.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from .bounds import ranges, tight
from .policy import policy
from .released import CATEGORY, Released

MET = "(met)"
NOT_KNOWN = "?"
ONE_CODE = re.compile(r"^(\w+) = (\w+)$")
Cell = tuple[str, str, str, str, str]  # variable, universe, group column, group, category

Same = Mapping[str, tuple[str, str]]  # condition: (variable, its category)


def attack(
    release: Mapping[str, Released], bases: Callable[[Released], pd.DataFrame], same: Same | None = None
) -> pd.DataFrame:
    """What follows about each hidden cell of the tables of shares with one group at most.

    Parameters
    ----------
    release : mapping of id to Released
        Everything that was published.
    bases : callable
        Of a table: respondents ``n`` and weights ``w`` by group, named as in the table; ``?`` are those whose group is
        not known; "" in a table without groups.
    same : mapping
        Conditions that are one category of another variable.

    Returns
    -------
    DataFrame
        A row a hidden cell: ``table``, ``group``, ``category``, ``n`` of the group, ``low`` and ``high`` of the
        respondents in the category, and ``most``: what n and the shown number of all groups leave to it, which any
        reader knows.
    """
    tables = [
        t for t in release.values() if t.state == "shown" and t.statistic == "share" and len(t.by) <= 1 and not t.of
    ]
    system = _System(same or {})
    sizes = {table.id: bases(table) for table in tables}
    for table in tables:
        system.add(table, sizes[table.id])
    for table in release.values():
        if (table.state, table.statistic, table.unit, table.by) == ("shown", "total", "persons", ()) and not table.of:
            system.add_total(table, bases(table))
    hidden = [
        (table, system.cell(table, row))
        for table in tables
        for _, row in table.frame.query("flag == 'hidden'").iterrows()
    ]
    known, rows = system.ranges({cell for _, cell in hidden}), []
    for table, cell in hidden:
        group = cell[3] if table.by else ""  # of a table of one group alone, as of active staff, that is all
        n = sizes[table.id].loc[group, "n"]
        code = cell[4] if CATEGORY in table.frame else MET
        most = n * min(1.0, system.of_all(table, code) / system.weights[table.id][group])
        rows.append((table.id, group, cell[4], n, *(n * known[cell]), most))
    return pd.DataFrame(rows, columns=["table", "group", "category", "n", "low", "high", "most"])


def too_tight(found: pd.DataFrame, truth: pd.Series) -> pd.DataFrame:
    """Cells of `attack` that are known too well (`bounds.tight`); ``truth``: share times respondents of its group."""
    values, n = truth.to_numpy(float), found["n"].to_numpy(float)
    size = np.fmin(values, n - values)
    within = np.column_stack([np.zeros(len(n)), found["most"].to_numpy(float)])
    known = tight(values, within, found[["low", "high"]].to_numpy(float), size)
    return found[known].assign(truth=values[known])


class _System:
    """Cells, what is known of each, and the lines along which they add up."""

    def __init__(self, same: Same) -> None:
        self.same = same
        self.known: dict[Cell, tuple[float, float]] = {}
        self.lines: list[tuple[dict[Cell, float], float]] = []
        self.weights: dict[str, pd.Series] = {}

    def cell(self, table: Released, row: Any) -> Cell:
        """The cell that a row of a table speaks of."""
        code = str(row[CATEGORY]) if CATEGORY in row.index else MET
        return self.of(table, str(row[table.by[0]]) if table.by else "", code)

    def of(self, table: Released, group: str, code: str) -> Cell:
        """The cell of a group and category, under the one name that all tables share."""
        variable, by, where = table.variable, table.by[0] if table.by else "", table.where
        if code == MET and variable in self.same:
            variable, code = self.same[variable]
        if not by and (one := ONE_CODE.match(where)):
            by, group, where = one[1], one[2], ""
        return variable, where, by, group, code

    def of_all(self, table: Released, code: str) -> float:
        """The largest share that all groups together may have in a category, as it is shown."""
        return self.known.get(self.of(replace(table, by=()), "", code), (0.0, 1.0))[1]

    def add(self, table: Released, bases: pd.DataFrame) -> None:
        """What a table of shares tells, and how its cells add up."""
        codes = list(dict.fromkeys(table.frame[CATEGORY].astype(str))) if CATEGORY in table.frame else [MET]
        for _, row in table.frame.iterrows():
            half = row.get("step", policy().step("share")) / 2
            shown = (row["estimate"] - half, row["estimate"] + half)
            self.bound(self.cell(table, row), shown if row["flag"] not in ("hidden", "unsure") else (0.0, 1.0))
        groups = list(bases.index) if table.by else [""]
        for group in groups:
            cells = {self.of(table, group, code): 1.0 for code in codes}
            for cell in cells:
                self.bound(cell, (0.0, 1.0))
            if codes != [MET]:
                self.lines.append((cells, 1.0))
        weights = self.weights[table.id] = bases["w"] / bases["w"].sum()
        if table.by:
            whole = replace(table, by=())
            for code in codes:
                line = {self.of(table, group, code): float(weights[group]) for group in groups}
                every = self.of(whole, "", code)
                self.bound(every, (0.0, 1.0))
                line[every] = line.get(every, 0.0) - 1.0
                self.lines.append((line, 0.0))

    def add_total(self, table: Released, bases: pd.DataFrame) -> None:
        """What a number of persons tells of a share."""
        if len(table.shown):
            size, cell = float(bases["w"].sum()), table.shown.iloc[0]
            share, half = cell["estimate"] / size, cell.get("step", policy().step("persons")) / 2 / size
            self.bound(self.of(table, "", MET), (share - half, share + half))

    def bound(self, cell: Cell, to: tuple[float, float]) -> None:
        """Keep the narrower of what was known and ``to``."""
        low, high = self.known.get(cell, (0.0, 1.0))
        self.known[cell] = max(low, to[0]), min(high, to[1])

    def ranges(self, wanted: Iterable[Cell]) -> dict[Cell, np.ndarray]:
        """Smallest and largest share of each cell, of all that its own variable tells."""
        found: dict[Cell, np.ndarray] = {}
        for variable, own in groupby(sorted(wanted), key=lambda cell: cell[0]):
            asked = list(own)
            cells = [name for name in self.known if name[0] == variable]
            place = {name: i for i, name in enumerate(cells)}
            lines = [(line, b) for line, b in self.lines if all(name in place for name in line)]
            entries = [(k, place[name], x) for k, (line, _) in enumerate(lines) for name, x in line.items()]
            rows, columns, values = map(np.array, zip(*entries, strict=True)) if entries else (np.empty(0),) * 3
            matrix = sparse.csr_array((values, (rows, columns)), shape=(len(lines), len(cells)))
            sums = np.array([b for _, b in lines])
            low, high = np.array([self.known[name] for name in cells]).T
            # sums of printed numbers are exact within their rounding: the bounds of the cells hold that
            limits = ranges(matrix, (sums - 1e-9, sums + 1e-9), (low, high), [place[cell] for cell in asked])
            found |= dict(zip(asked, limits, strict=True))
        return found


def identities(rows: Iterable[Any]) -> dict[str, tuple[str, str]]:
    """Rows of condition, variable and code as `attack` takes them."""
    return {row.condition: (row.variable, row.code) for row in rows}
