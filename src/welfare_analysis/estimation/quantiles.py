r"""Quantiles with Woodruff's intervals.

The p-quantile is the smallest value at which the weighted distribution function reaches p. Its interval is that of
the share at or below it, read back through the distribution function (Woodruff 1952); its influence
:math:`-(1[y_k \le q] - \hat F(q)) / (\hat N f)` takes the density f from the width of that interval.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse, stats

from ..errors import WelfareError
from .columns import matrix, row_names
from .design import Design
from .domains import Domains, domains
from .estimate import Description, Estimate, describe, scatter

LEVEL = 0.95


def quantile(design: Design, variable: Any, q: float = 0.5, by: Any = None, where: Any = None) -> Estimate:
    """Weighted quantile of one variable; arguments, index and errors as for `mean`, with ``q`` between 0 and 1.

    The standard error is the half-width of the 95 % Woodruff interval over the quantile of t. No bound lies beyond the
    answers. Negative weights, which linear calibration may give, have no distribution function and are an error.
    """
    if not np.isscalar(q) or isinstance(q, str) or not 0 < q < 1:
        raise WelfareError("not between 0 and 1", where="q", got=q, expected="one share, as 0.5")
    if (design.weights <= 0).any():
        got = int((design.weights <= 0).sum())
        raise WelfareError("weights are not positive", where="quantile", got=got, hint='Calibrate with "raking".')
    rows = row_names(variable) if design.names is None else design.names
    y, names = matrix(variable, design.n, rows, "quantile")
    if len(names) != 1:
        raise WelfareError("one variable at a time", where="quantile", got=names, expected="one column")
    parts = domains(design.n, by, where, rows)
    present = ~np.isnan(y)
    told = describe(design, parts, present, names)
    answers, codes = np.where(present, y, 0.0)[:, 0], np.where(present[:, 0], parts.codes, -1)
    inverse = _inverse(answers, codes, design.weights, parts.count)
    value = inverse(np.full(parts.count, q))
    score, reached, spread = _share_below(design, answers, codes, value, parts, told)
    alone = told.evidence == 1

    def bounds(_: Estimate | None, level: float) -> tuple[np.ndarray, np.ndarray]:
        half = stats.t.ppf((1 + level) / 2, told.df) * spread
        low, high = inverse(np.maximum(reached - half, 1e-15)), inverse(np.minimum(reached + half, 1.0))
        return np.where(alone, -np.inf, low), np.where(alone, np.inf, high)

    low, high = bounds(None, LEVEL)
    se = (high - low) / (2 * stats.t.ppf((1 + LEVEL) / 2, told.df))
    linear = np.sqrt(design.variance(scatter(score, parts)))
    slope = np.divide(se, linear, out=np.zeros_like(linear), where=(linear > 0) & ~alone)
    rest = np.where(linear > 0, 0.0, se) ** 2  # where all answers are at or below the quantile
    untold = np.where(alone, np.inf, rest)
    index = told.counts.index
    return Estimate(
        pd.Series(value, index=index, name=names[0]),
        design,
        lambda: scatter(-score * slope[np.maximum(codes, 0), None], parts),
        pd.Series(told.df, index=index),
        told.counts,
        bounds,
        {"untold": sparse.diags_array(untold)} if untold.any() else {},
    )


def _share_below(
    design: Design, y: np.ndarray, codes: np.ndarray, value: np.ndarray, parts: Domains, told: Description
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Influence (n x 1), value and standard error (domains) of the share at or below each domain's ``value``."""
    inside, at = codes >= 0, np.maximum(codes, 0)
    below = np.where(inside, y <= value[at] * (1 + 1e-12 * np.sign(value[at])), 0.0)
    size = told.counts["n_weighted"].to_numpy()
    reached = np.bincount(codes[inside], weights=(design.weights * below)[inside], minlength=parts.count) / size
    score = np.where(inside, (below - reached[at]) / size[at], 0.0)[:, None]
    variance = design.variance(scatter(score, parts))
    edge = told.untold(reached >= 1 - 1e-12).get("untold", sparse.diags_array(np.zeros(parts.count))).diagonal()
    return score, reached, np.sqrt(variance + np.where(np.isfinite(edge), edge, 0.0))


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
