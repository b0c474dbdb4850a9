"""Comparisons of many groups at one level of error."""

from __future__ import annotations

from functools import cache

from scipy.stats import studentized_range


@cache
def critical_range(groups: int, level: float = 0.95) -> float:
    r"""Quantile of the studentised range of so many groups (Tukey 1949), for large degrees of freedom.

    Of all pairs of groups together none differs by more than :math:`q \sqrt{(v_a + v_b)/2}` with this probability where
    there is no difference (Kramer 1956).
    """
    return float(studentized_range.ppf(level, groups, 1e5))
