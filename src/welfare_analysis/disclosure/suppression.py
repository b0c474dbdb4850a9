"""Which cells of a table may not be shown.

First the cells that fail a rule themselves: few respondents behind the base, the numerator or the complement; a median
with few answers on a side; a sum of money that one or two persons make. Then further cells, because along every line of
a table (its groups, or categories that add to one) the hidden cells together are what the margin leaves: they must be
two at least, and their union fit to be shown. Lines that cross tell more than each of them, so the range that all of
them leave to a cell is computed too (`bounds`). The counts are respondents, never weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy import sparse, special

from .bounds import ranges, reach, tight
from .policy import Policy


def unsafe(n: np.ndarray, numerator: np.ndarray, rules: Policy) -> np.ndarray:
    """Cells with few respondents behind base, numerator or complement; ``numerator`` is nan where there is none.

    Nobody or everybody (0 or 100 %) is shown of a group from ``caution_base`` on: below it speaks of each person. A
    step of a funnel that counts more than its base leaves nothing of it.
    """
    least = np.fmin(numerator, np.where(numerator > n, np.inf, n - numerator))
    few = (least < rules.min_respondents) & ((least > 0) | (n < rules.caution_base))
    return (n < rules.min_base) | few


def one_sided(values: np.ndarray, cell: np.ndarray, median: np.ndarray, rules: Policy) -> np.ndarray:
    """Cells whose median has fewer than ``min_respondents`` answers at or below it, or at or above it.

    ``values`` (n,) are the answers, ``cell`` (n,) the place of each in ``median`` (cells,).
    """
    own, count = median[cell], len(median)
    below = np.bincount(cell[values <= own], minlength=count)
    above = np.bincount(cell[values >= own], minlength=count)
    return np.minimum(below, above) < rules.min_respondents


def dominated(amounts: np.ndarray, cell: np.ndarray, rules: Policy) -> np.ndarray:
    """Cells whose weighted sum is made by few persons.

    The two largest pass ``dominance_share`` of it, or the others leave the largest known within ``protection_share``:
    the (n, k) and p % rules (Hundepool and others, Statistical Disclosure Control, 2012, section 4.2).
    """
    ordered = pd.DataFrame({"cell": cell, "amount": amounts}).sort_values("amount", ascending=False)
    groups = ordered.groupby("cell")["amount"]
    total, first = groups.sum(), groups.first()
    two = groups.head(2).groupby(ordered["cell"]).sum()
    return ((two > rules.dominance_share * total) | (total - two < rules.protection_share * first)).to_numpy()


def of_colleagues(n: np.ndarray, numerator: np.ndarray, known: int, rules: Policy) -> np.ndarray:
    """How many respondents of each cell (cells,) a reader has met who knows ten answers, drawn among ``known``.

    The quantile of the hypergeometric distribution at ``colleagues_level``; a cell without a numerator is of all its n.
    """
    met = np.maximum(np.where(np.isnan(numerator), n, np.fmin(numerator, n)), 0.0)
    among = np.maximum(float(known), n)
    drawn = np.minimum(rules.colleagues, among)
    k = np.arange(rules.colleagues + 1.0)[:, np.newaxis]
    chances = special.binom(met, k) * special.binom(among - met, drawn - k) / special.binom(among, drawn)
    return (chances.cumsum(axis=0) < rules.colleagues_level).sum(axis=0).astype(float)


def completed(
    cells: pd.DataFrame, axes: Sequence[str], rules: Policy, hidden: np.ndarray, within: Sequence[str] = ()
) -> np.ndarray:
    """The hidden cells and those that must go with them.

    Parameters
    ----------
    cells : DataFrame
        One row a cell: the columns ``axes``, n and numerator (nan where there is none). In a table of shares also
        ``estimate`` and ``weight``, the mean weight of a respondent: what adds up are weighted numbers. Where they are,
        ``summed`` says which estimates are sums, ``seen`` how many respondents a reader has met, and ``lost`` which are
        hidden because another table hides the same quantity.
    axes : sequence of str
        Key columns along which cells add up: groups, or categories whose shares add to one.
    hidden : (cells,) boolean array
        Cells that fail by themselves.
    within : sequence of str
        Key columns along which nothing adds up: each of their codes has lines of its own.

    Returns
    -------
    (cells,) boolean array
        Such that a line that is not hidden whole has no hidden cell, or several whose union is not `unsafe`, and such
        that all lines together leave enough open about each cell that fails by itself (`bounds.tight`). The smallest
        shown cell of a line is taken first.
    """
    result = hidden | cells["lost"].to_numpy(bool) if "lost" in cells else hidden.copy()
    n, numerator = cells["n"].to_numpy(float), cells["numerator"].to_numpy(float)
    size = np.where(np.isnan(numerator), n, np.fmin(numerator, n - numerator))
    alike = _alike(cells, axes)
    lines, measures = list(_lines(cells, axes, within)), list(_measures(cells, size, hidden))
    changed = True
    while changed:
        result |= (np.bincount(alike, result) > 0)[alike]
        changed = _opened(cells, result, lines, size, measures)
        for rows in lines:
            inside = rows[result[rows]]
            if not 0 < len(inside) < len(rows):
                continue
            # cells of one base are parts of it; groups have a base each
            base = n[inside].max() if np.ptp(n[rows]) == 0 else n[inside].sum()
            if len(inside) == 1 or unsafe(np.array([base]), np.array([numerator[inside].sum()]), rules)[0]:
                shown = rows[~result[rows]]
                result[shown[np.argmin(size[shown])]] = changed = True
    return result


def _opened(
    cells: pd.DataFrame,
    result: np.ndarray,
    lines: list[np.ndarray],
    size: np.ndarray,
    measures: list[tuple[np.ndarray, ...]],
) -> bool:
    """Hide one more cell beside one that fails by itself and is known too well; whether there was one."""
    if not np.isfinite(size).all():
        return False
    place = np.flatnonzero(result)
    rows = [np.flatnonzero(np.isin(place, line)) for line in lines]
    at, columns = np.repeat(np.arange(len(rows)), [len(row) for row in rows]), np.concatenate(rows)
    for value, weight, most, part, asked in measures:
        wanted = np.flatnonzero(asked[place])
        if not len(wanted):
            continue
        matrix = sparse.csr_array((weight[place][columns], (at, columns)), shape=(len(rows), len(place)))
        sums, own = matrix @ value[place], place[wanted]
        least = np.minimum(cells["seen"].to_numpy(float) if "seen" in cells else 0.0, value)
        beyond = np.column_stack([least, most])[own]
        enough = reach(value[own], beyond, part[own])
        found = ranges(matrix, (sums, sums), (least[place], most[place]), list(wanted), enough)
        known = tight(value[own], beyond, found, part[own])
        asked[own[~known]] = False  # and is not asked again: whatever else is hidden, no less is open
        for cell in own[known]:
            beside, near = np.array([cell]), np.empty(0)
            # where its own lines are hidden whole, it follows from those that cross them
            while not len(shown := beside[~result[beside]]) and len(beside) > len(near):
                crossing = [line for line in lines if np.isin(line, beside).any()]
                near, beside = beside, np.unique(np.concatenate(crossing))
            if len(shown):
                result[shown[np.argmin(size[shown])]] = True
                return True
    return False


def _measures(cells: pd.DataFrame, size: np.ndarray, primary: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """In what cells add up: values, their weight in a line, what each can be at most, its size, and who is asked for.

    Respondents always. Sums too (a column ``summed``): where one respondent stands for one person, a sum of persons
    leaves no more open than they are, and of money somebody may have none. Not a sum that is less than those behind it,
    as a forecast of a few probabilities.
    """
    n, numerator = cells["n"].to_numpy(float), cells["numerator"].to_numpy(float)
    respondents = np.where(np.isnan(numerator), n, numerator)
    # of shares it is weighted numbers that add up; a cell's respondents have the mean weight of their group
    weight = cells["weight"].fillna(1.0).to_numpy(float) if "weight" in cells else np.ones(len(n))
    value = n * cells["estimate"].to_numpy(float) if "weight" in cells else respondents
    # the base of a funnel may be of fewer people than a step
    most = np.where(np.isnan(numerator).all() | (value > n), np.inf, n)
    yield value, weight, most, size, primary.copy()
    if "summed" in cells:
        total = cells["estimate"].where(cells["summed"] & (cells["estimate"] >= 0), 0.0).to_numpy(float)
        counts = (numerator > 0) & (total >= numerator)
        yield total, np.ones(len(n)), np.full(len(n), np.inf), total, primary & counts


def _alike(cells: pd.DataFrame, axes: Sequence[str]) -> np.ndarray:
    """A number for each cell, the same for those of one code and of other columns with one quantity (`completed`).

    Who wants no home is stopped by that from each agreement on homes. What is not weighted agrees by chance.
    """
    each = np.arange(len(cells))
    if "estimate" not in cells:
        return each
    counted = (cells["estimate"] - cells["numerator"] / cells["n"]).abs() <= 1e-9
    of = [*(cells[axis] for axis in axes), cells["n"], cells["numerator"], cells["estimate"].map("{:.9e}".format)]
    return np.where(counted, len(cells) + each, cells.groupby(of, dropna=False, observed=True).ngroup())


def _lines(cells: pd.DataFrame, axes: Sequence[str], within: Sequence[str]) -> Iterator[np.ndarray]:
    """Rows along each axis, the other keys held fixed."""
    for axis in axes:
        others = [key for key in (*axes, *within) if key != axis]
        whole = [np.arange(len(cells))]
        groups = cells.groupby(others, observed=True, sort=False).indices.values() if others else whole
        yield from groups


def apart(numerators: np.ndarray, n: int, pinned: int, rules: Policy) -> np.ndarray:
    """Which nested conditions may be shown beside each other: no two numbers of respondents differ by a few.

    ``numerators`` (k,) are respondents who meet stricter and stricter conditions; ``pinned`` is shown elsewhere and
    goes first, then its neighbours, nearest first.
    """
    kept = [0, n, int(numerators[pinned])]
    shown = np.zeros(len(numerators), dtype=bool)
    for place in sorted(range(len(numerators)), key=lambda i: abs(i - pinned)):
        gaps = np.abs(np.array(kept if place != pinned else kept[:2]) - numerators[place])
        shown[place] = bool(((gaps == 0) | (gaps >= rules.min_respondents)).all())
        if place == pinned and not shown[place]:
            break
        kept += [int(numerators[place])] if shown[place] else []
    return shown
