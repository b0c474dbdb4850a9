r"""Money and places for families: a support fund for costs of health, aid by pension, children as they grow up.

A fund pays of a cost c what is not above its cap, :math:`g = \min(c, C)`, from a floor F on. A cohort of n children
spread evenly over the ages from a to b is in t years spread over those from a + t to b + t, so that of it

.. math:: n \, \frac{\max(0, \min(b + t, \beta) - \max(a + t, \alpha))}{b - a}

are of an age from :math:`\alpha` to below :math:`\beta`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

BANDS = {"dependants_0_5_n": (0, 6), "dependants_6_11_n": (6, 12), "dependants_12_17_n": (12, 18),
         "dependants_18_24_n": (18, 25)}  # fmt: skip
SCHOOL = {"primary": (6, 12), "secondary": (12, 18), "higher": (18, 25)}  # ages from, to below


def paid(cost: pd.Series, floor: float, cap: float) -> pd.Series:
    """What a fund pays of each cost, DH; NA where the cost is missing."""
    return cost.clip(upper=cap).where(cost >= floor, 0.0).where(cost.notna())


def ageing(years: int) -> np.ndarray:
    """Of one child in each of `BANDS`, and one born a year, how many are of each age of `SCHOOL` in so many years."""
    low, high, width = np.array([(a, b, b - a) for a, b in BANDS.values()] + [(-years, 0, 1)], dtype=float).T
    ages = np.array(list(SCHOOL.values()), dtype=float)[:, :, None]
    inside = np.minimum(high + years, ages[:, 1]) - np.maximum(low + years, ages[:, 0])
    return np.asarray(np.maximum(inside, 0.0) / width)


def concerned(frame: pd.DataFrame, levels: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """Children of the levels that each wish speaks of, where it was wished; NA where either is missing."""
    found = {}
    for wish, columns in levels.items():
        answer, children = frame[f"education_wish_{wish}"], frame[list(columns)].sum(axis=1, skipna=False)
        found[wish] = children.astype(float).where(answer.eq("yes"), 0.0).where(answer.notna() & children.notna())
    return pd.DataFrame(found)
