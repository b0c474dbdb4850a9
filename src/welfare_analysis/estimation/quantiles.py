r"""Quantiles with Woodruff's intervals.

The p-quantile is the smallest value at which the weighted distribution function reaches p. Its interval is that of
the share at or below it, read back through the distribution function (Woodruff 1952); its influence
:math:`-(1[y_k \le q] - \hat F(q)) / (\hat N f)` takes the density f from the width of that interval.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from ..errors import WelfareError
from .design import Design
from .domains import domains, matrix
from .estimate import Estimate, describe, labelled, scatter

LEVEL = 0.95


def quantile(design: Design, variable: Any, q: float = 0.5, by: Any = None, where: Any = None) -> Estimate:
    """Weighted quantile of one variable; arguments, index and errors as for `mean`, with ``q`` between 0 and 1.

    The standard error is the half-width of the 95 % Woodruff interval over the quantile of t.
    """
    if not 0 < q < 1:
        raise WelfareError("not between 0 and 1", where="q", got=q)
    y, names = matrix(variable, design.n, "quantile")
    if len(names) != 1:
        raise WelfareError("one variable at a time", where="quantile", got=names)
    parts = domains(design.n, by, where)
    present = ~np.isnan(y)
    df, counts = describe(design, parts, present)
    index = labelled(names, parts)
    if (counts["n"] == 0).any():
        raise WelfareError("no respondent answered", where=names[0], got=list(index[(counts["n"] == 0)])[:5])
    answers, codes = np.where(present, y, 0.0)[:, 0], np.where(present[:, 0], parts.codes, -1)
    inverse = _inverse(answers, codes, design.weights, parts.count)
    value = inverse(np.full(parts.count, q))
    size = parts.sums(np.where(present, design.weights[:, None], 0.0)).ravel()
    at = np.maximum(codes, 0)
    inside = codes >= 0
    below = np.where(inside, answers <= value[at] * (1 + 1e-12 * np.sign(value[at])), 0.0)
    reached = np.bincount(codes[inside], weights=(design.weights * below)[inside], minlength=parts.count) / size
    score = np.where(inside, (below - reached[at]) / size[at], 0.0)
    spread = np.sqrt(design.variance(scatter(score[:, None], parts)))

    def bounds(_: Estimate, level: float) -> tuple[np.ndarray, np.ndarray]:
        half = stats.t.ppf((1 + level) / 2, df) * spread
        return inverse(np.maximum(reached - half, 1e-15)), inverse(np.minimum(reached + half, 1.0))

    def influence() -> Any:
        low, high = bounds(None, LEVEL)  # type: ignore[arg-type]
        width = 2 * stats.t.ppf((1 + LEVEL) / 2, df) * spread
        slope = np.divide(high - low, width, out=np.zeros_like(width), where=width > 0)
        return scatter((-score * slope[at])[:, None], parts)

    counts.index = index
    return Estimate(pd.Series(value, index=index), design, influence, pd.Series(df, index=index), counts, bounds)


def _inverse(y: np.ndarray, codes: np.ndarray, weights: np.ndarray, count: int) -> Any:
    """The inverse of each domain's weighted distribution function, at one probability a domain."""
    order = np.lexsort((y, codes))
    order = order[codes[order] >= 0]
    start = np.searchsorted(codes[order], np.arange(count))
    cumulated = np.cumsum(weights[order])
    base = np.where(start > 0, cumulated[np.maximum(start - 1, 0)], 0.0)
    end = np.append(start[1:], len(order))
    size = cumulated[end - 1] - base

    def inverse(p: np.ndarray) -> np.ndarray:
        target = base + p * size
        position = np.searchsorted(cumulated, target - 1e-11 * size)
        return y[order][np.clip(position, start, end - 1)]

    return inverse
