r"""Quantiles with Woodruff's intervals.

Two rules. ``"smallest"``: the smallest value at which the weighted distribution function :math:`\hat F` reaches p
(definition 1 of Hyndman and Fan 1996). ``"midpoint"``: linear between the values, each placed at the middle of its
step, :math:`\hat F(y) - \tfrac12 w(y)/\hat N` (their definition 5 with weights where no answers are alike; answers that
are alike are one step here, wherever they stand in the file); it treats low and high alike.

The interval is that of the share at or below the quantile, read back through the same rule (Woodruff 1952); the
influence :math:`-(1[y_k \le q] - \hat F(q)) / (\hat N f)` takes the density f from the width of that interval.

With replicate weights that share is run again with each, for a jackknife of the quantile itself is inconsistent (Shao
and Wu 1989); with half-samples and bootstraps the quantile is run again, and the interval is that of t.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse, special

from ..errors import WelfareError
from .columns import matrix, one_of, positive
from .design import Design
from .estimate import Estimate, describe, scatter, t_bounds
from .influence import Influence
from .joint import joint
from .means import made, ratios, shared_rows
from .rerun import repeated

LEVEL = 0.95
NEAR = 1e-11  # a distribution function that comes this near to p reaches it
Inverse = Callable[[np.ndarray], np.ndarray]


def quantile(
    design: Design, variables: Any, q: Any = 0.5, by: Any = None, where: Any = None, rule: str = "smallest"
) -> Estimate:
    """Weighted quantiles; arguments, index and errors as for `mean`, with ``q`` between 0 and 1 and a ``rule``.

    Several ``q`` give one estimate with their covariance, whose first level, ``q``, says which.

    The standard error is the half-width of the 95 % Woodruff interval over the quantile of t. No bound lies beyond the
    answers. A bound that the midpoint rule reads back on the other side of the quantile is the quantile. Negative
    weights, which linear calibration may give, have no distribution function and are an error.
    """
    if pd.api.types.is_list_like(q) and len(q):
        return joint({p: quantile(design, variables, p, by, where, rule) for p in q}, ["q"])
    if not pd.api.types.is_number(q) or not 0 < q < 1:
        raise WelfareError("not between 0 and 1", where="q", got=q, expected="shares, as 0.5")

    estimate = woodruff(design, variables, float(q), by, where, rule)
    again = partial(quantile, variables=variables, q=q, by=by, where=where, rule=rule)
    repeats = repeated(estimate, again, smooth=False)
    return repeats if repeats.deviations is estimate.deviations else replace(repeats, bounds=t_bounds)


def woodruff(design: Design, variables: Any, q: float, by: Any, where: Any, rule: str) -> Estimate:
    """One quantile with its interval by that of the share at or below it."""
    one_of(rule, ("smallest", "midpoint"), "rule", "rule")
    positive(design.weights, "quantile")
    rows = shared_rows(design, variables)
    y, names = matrix(variables, design.n, rows, "quantile")
    parts = design.domains(by, where, rows)
    present = ~np.isnan(y)
    described = describe(design, parts, present, names)
    columns = [
        (v, parts.codes if there.all() else np.where(there, parts.codes, -1))
        for v, there in zip(y.T, present.T, strict=True)
    ]
    inverses = [inverse(v, codes, design.weights, parts.count, rule) for v, codes in columns]

    def read(p: np.ndarray) -> np.ndarray:
        return np.concatenate([f(s) for f, s in zip(inverses, p.reshape(len(names), -1), strict=True)])

    value, size = read(np.full(len(described.df), q)), described.counts["n_weighted"].to_numpy()
    shape = (len(names), parts.count)
    below = [
        _below(*c, v, s, design.weights)
        for c, v, s in zip(columns, value.reshape(shape), size.reshape(shape), strict=True)
    ]
    score = np.array([z for z, _ in below]).T
    reached = np.concatenate([r for _, r in below])
    linear = np.sqrt(design.variance(Influence(lambda j: score[:, j], len(names), parts.codes, parts.count)))
    shares = None
    if design.ready is not None:
        limit = value.reshape(shape).T[np.maximum(parts.codes, 0)]
        at_most = np.where(present, y <= limit * (1 + 1e-12 * np.sign(limit)), np.nan)

        def at_or_below(d: Design) -> Estimate:
            return ratios(d, at_most, None, names, d.domains(by, where, rows))

        shares = repeated(at_or_below(design), at_or_below)
        linear = shares.se.to_numpy()
    edge = (
        described.not_estimable(reached >= 1 - 1e-12)
        .get("not estimable", sparse.diags_array(np.zeros(len(value))))
        .diagonal()
    )
    spread = np.sqrt(linear**2 + np.where(np.isfinite(edge), edge, 0.0))
    alone = described.evidence == 1

    def bounds(_: Estimate | None, level: float) -> tuple[np.ndarray, np.ndarray]:
        half = special.stdtrit(described.df, (1 + level) / 2) * spread
        low, high = read(np.maximum(reached - half, 1e-15)), read(np.minimum(reached + half, 1.0))
        return np.where(alone, -np.inf, np.minimum(low, value)), np.where(alone, np.inf, np.maximum(high, value))

    low, high = bounds(None, LEVEL)
    se = (high - low) / (2 * special.stdtrit(described.df, (1 + LEVEL) / 2))
    slope = np.divide(se, linear, out=np.zeros_like(linear), where=(linear > 0) & ~alone)
    rest = np.where(linear > 0, 0.0, se) ** 2  # where all answers are at or below the quantile
    unknown = np.where(alone, np.inf, rest)
    estimate = made(
        design,
        value,
        names,
        described,
        lambda: scatter(-score * slope.reshape(shape).T[np.maximum(parts.codes, 0)], parts),
        bounds,
        {"not estimable": sparse.diags_array(unknown)} if unknown.any() else {},
    )
    return (
        estimate
        if shares is None or shares.deviations is None
        else replace(estimate, deviations=-slope * shares.deviations)
    )


def _below(
    y: np.ndarray, codes: np.ndarray, value: np.ndarray, size: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Influence (n,) and value (domains) of the share at or below each domain's ``value``."""
    count, at = len(size), np.where(codes < 0, len(size), codes)
    below = y <= np.append(value * (1 + 1e-12 * np.sign(value)), np.nan).take(at)
    reached = np.bincount(at, weights=weights * below, minlength=count)[:count] / size
    above, under = np.append(-reached / size, 0.0), np.append((1 - reached) / size, 0.0)
    return np.concatenate([above, under]).take(at + below * (count + 1)), reached


def inverse(y: np.ndarray, codes: np.ndarray, weights: np.ndarray, count: int, rule: str) -> Inverse:
    """The inverse of each domain's weighted distribution function, at one probability a domain."""
    short = codes.astype(np.min_scalar_type(-max(count, 2)))  # small integers are sorted in one pass
    size = np.bincount(codes + 1, minlength=count + 1)
    order, end = np.argsort(short, kind="stable")[size[0] :], np.cumsum(size[1:])
    value = y[order]
    for rows in map(slice, end - size[1:], end):  # many small sorts are quicker than one
        rank = value[rows].argsort()
        order[rows], value[rows] = order[rows][rank], value[rows][rank]
    cumulated = np.cumsum(weights[order])
    if rule == "midpoint":  # each value once
        last = np.append(value[1:] != value[:-1], True)
        last[end - 1] = True
        value, cumulated, end = value[last], cumulated[last], np.cumsum(last)[end - 1]
    start, before = np.append(0, end[:-1]), np.append(0.0, cumulated[:-1])
    base, size = before[start], cumulated[end - 1] - before[start]
    middle = (before + cumulated) / 2

    def smallest(p: np.ndarray) -> np.ndarray:
        position = np.searchsorted(cumulated, base + (p - NEAR) * size)
        return value[np.clip(position, start, end - 1)]

    def midpoint(p: np.ndarray) -> np.ndarray:
        target = base + p * size
        right = np.clip(np.searchsorted(middle, target), start, end - 1)
        left = np.maximum(right - 1, start)
        width = middle[right] - middle[left]
        part = np.divide(target - middle[left], width, out=np.ones_like(width), where=width > 0)
        return value[left] + np.clip(part, 0.0, 1.0) * (value[right] - value[left])

    return smallest if rule == "smallest" else midpoint
