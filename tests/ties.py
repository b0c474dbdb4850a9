"""What ties cells of different tables to each other, and the attack on all tables at once.

Nobody tells the attack which tables are tied. What holds to nine digits in the truth holds by definition, and whoever
has the code and the public figures knows the definition: a hope is whoever does not say no to a wish (`same`), likely
riders are a fixed part of those who can pay, a cost is what one costs times persons, a year is a fifth of five years, a
total is a share times the size of the group (`times`), and who is lost at a step are those before it less those after
(`sums`). Each is a row of one linear program, beside the lines of the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import attacker
import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from welfare_analysis.disclosure import CATEGORY, policy
from welfare_analysis.disclosure.bounds import ranges, reach, tight

EXACT = 1e-9  # of a number: nearer than this two are one
Tie = dict[int, float]  # coefficients by cell: their sum is known
Sizes = Mapping[str, pd.Series]  # of the register, by the code of a key


def named(pub: attacker.Publication) -> pd.DataFrame:
    """Cells that a definition can tie: not counts of respondents, which agree by chance, nor of nobody or everybody."""
    cells = pub.truth[np.isfinite(pub.truth["estimate"]) & ~pub.truth["unseen"]]
    plain = ((cells["estimate"] - cells["numerator"] / cells["n"]).abs() <= EXACT) | (cells["estimate"] % 1 == 0)
    return cells[~plain & (cells["numerator"] != cells["n"])]


def columns(pub: attacker.Publication) -> Iterator[tuple[pd.Index, np.ndarray, np.ndarray]]:
    """Of each key its codes, and numbers and places of cells (codes x columns): a column has all else held fixed."""
    parts = []
    for name, own in named(pub).groupby("table", sort=False):
        table = pub.tables[name]
        for place, key in enumerate(table.keys):
            code = own["codes"].str[place].str.split(":").str[-1]
            rest = own["codes"].map(
                lambda codes, name=name, place=place: (name, *codes[:place], "*", *codes[place + 1 :])
            )
            about = {"key": table.variable if key == CATEGORY else key, "code": code, "column": list(map(str, rest))}
            parts.append(pd.DataFrame({**about, "estimate": own["estimate"], "cell": own.index}))
    if not parts:
        return
    long = pd.concat(parts).drop_duplicates(["key", "column", "code"], keep=False)
    long = long[long.groupby(["key", "column"])["code"].transform("size") > 1]
    for key, own in long.groupby("key"):
        wide = own.pivot(index="code", columns="column", values=["estimate", "cell"])
        yield wide.index.rename(str(key)), *(wide[of].to_numpy(float) for of in ("estimate", "cell"))


def same(pub: attacker.Publication, _: Sizes) -> Iterator[Tie]:
    """Two columns of one group of people each, or of all of a base but them."""
    for _, values, cells in columns(pub):
        for i, own in enumerate(values.T):
            yield from tied(cells, i, own, np.where(np.isfinite(values), own[:, None] / values, np.nan), 1.0)
            yield from tied(cells, i, own, own[:, None] + values, -1.0)


def times(pub: attacker.Publication, sizes: Sizes) -> Iterator[Tie]:
    """Two columns of which one is the other times a constant, or times the size of each group in the register."""
    for codes, values, cells in columns(pub):
        many = sizes.get(codes.name, pd.Series(dtype=float)).reindex(codes).to_numpy(float)
        for i, own in enumerate(values.T):
            ratio = values / np.where(own == 0, np.nan, own)[:, None]
            for known in (np.fmax.reduce(ratio), many[:, None], 1 / many[:, None]):
                plain = np.fmin.reduce(np.abs(ratio - 1)) <= EXACT  # that is `same`
                yield from tied(cells, i, own, np.where(plain, np.nan, ratio / known), np.where(plain, np.nan, ratio))


def tied(cells: np.ndarray, i: int, own: np.ndarray, one: np.ndarray, times: np.ndarray | float) -> Iterator[Tie]:
    """A row a code of column i and each later one where ``one`` (codes x columns) is one: ``times`` the one, the other.

    In two codes at least, whose numbers differ: two columns of one number each have a ratio by chance.
    """
    there = np.isfinite(one)
    alike = ~(there & (np.abs(one - 1) > EXACT)).any(axis=0) & (np.arange(one.shape[1]) > i)
    for j in np.flatnonzero(alike):
        numbers, at = own[there[:, j]], there[:, j]
        if len(numbers) > 1 and np.ptp(numbers) > EXACT * np.abs(numbers).max():
            k = np.broadcast_to(times, one.shape)[at, j]
            yield from ({a: x, b: -1.0} for a, b, x in zip(*cells[at][:, [i, j]].astype(int).T, k, strict=True))


def sums(pub: attacker.Publication, _: Sizes) -> Iterator[Tie]:
    """Three columns of which one is the sum of the two others."""
    for _, values, cells in columns(pub):
        there = np.isfinite(values)
        for pattern in np.unique(there, axis=1).T:
            own = np.flatnonzero((pattern == there.T).all(axis=1))
            mark = np.sqrt(np.arange(2.0, 2.0 + pattern.sum())) @ values[pattern][:, own]  # one number a column
            order = np.argsort(mark)
            for i, whole in enumerate(mark):
                rest = whole - mark
                near = order[np.clip(np.searchsorted(mark[order], rest * (1 - EXACT)), 0, len(mark) - 1)]
                alike = (np.abs(mark[near] - rest) <= EXACT * np.abs(rest)) & (near > np.arange(len(near)))
                for j in np.flatnonzero(alike):
                    three = cells[pattern][:, own[[i, j, near[j]]]].astype(int)
                    yield from ({w: 1.0, a: -1.0, b: -1.0} for w, a, b in three)


KINDS: tuple[Callable[[attacker.Publication, Sizes], Iterator[Tie]], ...] = (same, times, sums)


def lines(pub: attacker.Publication) -> Iterator[Tie]:
    """What each table adds up, as `attacker.known_too_well` knows it; of one that is hidden whole nobody has a sum."""
    for _, cells in pub.truth.groupby("table", sort=False):
        weight = attacker.measured(cells)["weight"]
        for line in pub.lines(cells) if cells["adds"].iloc[0] and cells["printed"].notna().any() else ():
            few = line["numerator"].fillna(line["n"]).sum() < policy().min_respondents
            if line["printed"].notna().any() or not few:
                yield weight[line.index].to_dict()


def joined(pub: attacker.Publication, sizes: Sizes, kinds: tuple = KINDS) -> pd.DataFrame:
    """Cells that fail a rule by themselves, and are known too well to who has all tables and all ties.

    All shown cells are known as they are: what is left are rows of hidden ones alone.
    """
    measured = pd.concat([attacker.measured(cells) for _, cells in pub.truth.groupby("table", sort=False)])
    measured = measured.loc[pub.truth.index]
    hidden = (pub.truth["printed"].isna() & np.isfinite(pub.truth["estimate"])).to_numpy()  # or too unsure
    rows = [*lines(pub), *(tie for kind in kinds for tie in kind(pub, sizes))]
    at = [(k, pub.truth.index.get_loc(cell), x) for k, row in enumerate(rows) for cell, x in row.items()]
    row, column, x = map(np.array, zip(*at, strict=True))
    matrix = sparse.csr_array((x, (row, column)), shape=(len(rows), len(hidden)))[:, hidden]
    cells, m = pub.truth[hidden], measured[hidden]
    counted = (m["met"] > 0) & (m["share"] | (m["value"] >= m["met"])) | (cells["statistic"] == "count")
    asked = (attacker.alone(cells) & (cells["flag"] == "hidden") & counted).to_numpy()
    found = [cells.iloc[:0]]
    _, part = connected_components(abs(matrix).T @ abs(matrix), directed=False)
    for one in np.unique(part[asked]):
        own = part == one
        inside = matrix[:, own]
        inside = inside[np.flatnonzero(np.diff(inside.indptr))]
        value, each, n, met = (m.loc[own, c].to_numpy() for c in ("value", "each", "n", "met"))
        each = np.where(each > 0, each, 1.0)  # of a cell that is nought whoever is in it
        share, wanted = m["share"].to_numpy()[own], np.flatnonzero(asked[own])
        most = np.where(share, 1.0, np.inf)
        size = np.where(share, np.fmin(met, n - met), value)[wanted]
        within = np.column_stack([np.zeros(len(wanted)), (most / each)[wanted]])
        total, mine = inside @ value, (value / each)[wanted]
        slack = EXACT * (1 + abs(inside) @ np.abs(value))
        enough = reach(mine, within, size) * each[wanted][:, None]
        known = ranges(inside, (total - slack, total + slack), (np.fmin(value, 0.0), most), list(wanted), enough)
        found.append(cells[own].iloc[wanted][tight(mine, within, known / each[wanted][:, None], size)])
    return pd.concat(found)
