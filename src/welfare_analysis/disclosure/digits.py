r"""To what unit numbers are printed: digits follow the error.

The unit is the largest of 1, 2, 5 times a power of ten that is not above half of the standard error s,

.. math:: u = \max\Bigl(u_0, \max\{a 10^k \le s / 2 : a \in \{1, 2, 5\}\}\Bigr),

and never finer than the policy's step :math:`u_0` of what it counts (ten persons). Rounding then adds at most
:math:`u^2/12 \le s^2/48` to a variance of :math:`s^2`, and differences of a few persons are not printed. The error is
the number's own, not that of its column, so that a number is printed alike in all tables that it stands in.

Of sums (`SUMS`) and of shares of nested conditions it is also what ``open_respondents`` of those behind it make of it,
or more. Between two such numbers, as two steps of a funnel, two prices or a sum and all of its parts but one, so many
are then open on both sides, even to whoever knows all others.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .policy import Policy
from .released import CATEGORY, NUMBERS

COUNTED = ("persons", "households", "homes", "files", "runs", "riders", "needs")  # numbers that cannot be negative
SUMS = (*COUNTED, "million_dh")  # of what each respondent stands for
NORMAL = 1.959964  # half the width of a 95 % interval, in standard errors


def ladder(most: float) -> float:
    """The largest of 1, 2, 5 times a power of ten up to a number; nought where there is none."""
    if not 0 < most < np.inf:
        return 0.0
    power = 10.0 ** np.floor(np.log10(most * (1 + 1e-9)))
    return float(max(a for a in (1, 2, 5) if a * power <= most * (1 + 1e-9)) * power)


def of_samples(share: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """The unit of shares (k,) of simulated samples, as how often intervals held the truth: half of their error.

    The error is that of a share to which two samples of either kind are added, which at 0 and 1 is not nought (Agresti
    and Coull 1998, The American Statistician 52, 119-126).
    """
    more = np.asarray(samples, dtype=float) + 4
    near = (np.asarray(share, dtype=float) * (more - 4) + 2) / more
    return np.array([ladder(error / 2) for error in np.sqrt(near * (1 - near) / more)])


def units(cells: pd.DataFrame, unit: str, across: str, rules: Policy) -> np.ndarray:
    """The unit of each cell (cells,).

    Standard errors are those of the 95 % intervals; a number without one has the median error of its column ``across``
    (of the table where it has none). A column ``step`` of cells that were printed elsewhere already is kept;
    ``numerator`` are the respondents behind sums, and behind shares that are ``nested``.
    """
    named = cells["unit"] if "unit" in cells else pd.Series(unit, cells.index)
    columns = [named, cells[across].astype(str)] if across in cells else [named]
    errors = ((cells["high"] - cells["low"]) / (2 * NORMAL)).astype(float)
    errors = errors.where((errors > 1e-9 * cells["estimate"].abs()) & np.isfinite(errors))
    middle = errors.groupby([c.to_numpy() for c in columns]).transform("median")
    errors = errors.fillna(middle).fillna(0.0)
    behind = cells["numerator"] if "numerator" in cells else pd.Series(np.nan, cells.index)
    summed = named.isin(SUMS) | cells.get("nested", False)
    each = (cells["estimate"].abs() / behind.where((behind > 0) & summed)).fillna(0.0)
    few = [ladder(5 / 2 * rules.open_respondents * x) for x in each]  # the next unit above: they are 2 to 2.5 apart
    own = np.maximum(
        few, np.maximum([ladder(rules.error_share * error) for error in errors], [rules.step(x) for x in named])
    )
    return np.asarray(cells["step"].fillna(pd.Series(own, cells.index)) if "step" in cells else own, dtype=float)


def printed(cells: pd.DataFrame, step: np.ndarray) -> pd.DataFrame:
    """Estimates and intervals in units of ``step`` (cells,): the nearest, and the ends outward."""
    places = np.maximum(0, 2 - np.floor(np.log10(step))).astype(int)
    known = cells["low"] == cells["high"]
    whole = (cells[NUMBERS].astype(float).to_numpy() / step[:, None]).T
    nearest, low, high = np.round(whole[0]), np.floor(whole[1] + 1e-6), np.ceil(whole[2] - 1e-6)
    sides = [nearest, np.where(known, nearest, np.fmin(low, nearest)), np.where(known, nearest, np.fmax(high, nearest))]
    values = [[round(x * u, d) + 0.0 for x, u, d in zip(side, step, places, strict=True)] for side in sides]
    return pd.DataFrame(dict(zip(NUMBERS, values, strict=True)), index=cells.index)


def column_of(cells: pd.DataFrame, keys: list[str]) -> str:
    """The key that goes across: the last of several, as tables are shown."""
    there = [key for key in (*keys, CATEGORY, "standard") if key in cells]
    return there[-1] if len(there) > 1 else ""
