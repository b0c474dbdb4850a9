"""Comparisons of many groups at one level of error."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import scipy

Z = 1.959963984540054


@cache
def critical_range(groups: int, level: float = 0.95) -> float:
    r"""Quantile of the studentised range of so many groups (Tukey 1949), for large degrees of freedom.

    Of all pairs of groups together none differs by more than :math:`q \sqrt{(v_a + v_b)/2}` with this probability where
    there is no difference (Kramer 1956).
    """
    return float(scipy.stats.studentized_range.ppf(level, groups, 1e5))


def differ(top: pd.Series, bottom: pd.Series, groups: int) -> bool:
    r"""Whether the highest and lowest of several groups differ, all pairs compared at 5 % together.

    Tukey and Kramer (Kramer 1956): :math:`\hat\theta_a - \hat\theta_b > q \sqrt{(v_a + v_b)/2}`, with the standard
    errors read from the sides of the two 95 % intervals that face each other.
    """
    se = np.array([top["estimate"] - top["low"], bottom["high"] - bottom["estimate"]]) / Z
    return bool(top["estimate"] - bottom["estimate"] > critical_range(groups) * np.sqrt((se**2).mean()))
