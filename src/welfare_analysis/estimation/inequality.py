r"""Inequality: Gini, concentration indices, variance and covariance; of all or by domains, each with its influence.

With the rank of respondent k in its domain :math:`R_k = (\sum_{r_l < r_k} w_l + \tfrac12 \sum_{r_l = r_k} w_l)/\hat N`
the generalised concentration index of h is :math:`\hat C = 2 \sum w_k h_k R_k / \hat N - \hat\mu`. Its derivative by
the weight of i is

.. math:: z_i = \frac{2}{\hat N} \Big( h_i R_i + \frac{1}{\hat N}\Big(\sum_{r_l > r_i} w_l h_l
                + \tfrac12 \sum_{r_l = r_i} w_l h_l\Big) - 2 \hat Q \Big) - \frac{h_i - \hat\mu}{\hat N},
          \qquad \hat Q = \sum w_k h_k R_k / \hat N,

and an index is a function of :math:`\hat C` and the mean (Langel and Tillé 2013, section 4, for the Gini, which is
:math:`\hat C / \hat\mu` of a variable ranked by itself). Ties share their rank, so the order of rows plays no part.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse, special

from ..errors import WelfareError
from .columns import matrix, not_negative, one, one_of, positive
from .design import Design
from .domains import Domains
from .estimate import Estimate, describe, scatter, t_bounds
from .means import conditions, made, ratios, shared_rows
from .rerun import repeated, rerun

ROUNDING = 1e-13


@rerun
def gini(design: Design, variable: Any, by: Any = None, where: Any = None) -> Estimate:
    r"""Gini index, :math:`\sum\sum w_k w_l |y_k - y_l| / (2 \hat N \hat Y)`, 0 where all have alike.

    Arguments and errors as for `mean`, of one variable; a negative answer, or a domain with nothing, is an error.
    Intervals are by t, and end at 0 and 1.
    """
    rows = shared_rows(design, variable)
    y, names = one(variable, design.n, rows, "gini")
    not_negative(y, names[0])
    index = _index(design, y, y, names, design.domains(by, where, rows), "relative")
    return replace(index, bounds=_within)


def _within(estimate: Estimate, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Bounds by t that end at 0 and 1."""
    low, high = t_bounds(estimate, level)
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


@rerun
def concentration(
    design: Design, variable: Any, rank: Any, by: Any = None, where: Any = None, kind: str = "relative"
) -> Estimate:
    r"""Concentration index of ``variable`` by the order of ``rank``: positive where those ranked high have more.

    ``kind="relative"`` is :math:`\hat C/\hat\mu` (Kakwani, Wagstaff and van Doorslaer 1997). For a condition, or
    another variable from 0 to 1: ``"erreygers"``, :math:`4 \hat C` (Erreygers 2009, eq. 26), and ``"wagstaff"``,
    :math:`\hat C / ((1 - \hat\mu) \hat\mu)` (Wagstaff 2005; Erreygers 2009, eq. 14). Respondents without one of the two
    answers are left out. Other arguments and errors as for `mean`.
    """
    one_of(kind, ("relative", "erreygers", "wagstaff"), "kind", "index")
    rows = shared_rows(design, variable, rank)
    h, names = one(variable, design.n, rows, "concentration")
    order, _ = one(rank, design.n, rows, "rank")
    if kind != "relative" and ((h < 0) | (h > 1)).any():
        got = [float(np.nanmin(h)), float(np.nanmax(h))]
        raise WelfareError("answers are out of bounds", where=names[0], got=got, expected="from 0 to 1")
    condition = bool(conditions(variable).all())
    return _index(design, h, order, names, design.domains(by, where, rows), kind, condition)


def variance(design: Design, variables: Any, by: Any = None, where: Any = None) -> Estimate:
    r"""Variance of the variables in the population: :math:`\frac{n}{n-1} \sum w_k (y_k - \bar y)^2 / \hat N`.

    Its square root is the standard deviation, ``variance(...).apply(np.sqrt)``. Arguments and errors as for `mean`; a
    single answer has no variance, which is an error.
    """
    rows = shared_rows(design, variables)
    y, names = matrix(variables, design.n, rows, "variance")
    return _products(design, y, y, names, by, where, rows)


def covariance(design: Design, variables: Any, by: Any = None, where: Any = None) -> Estimate:
    r"""Covariances of each pair of variables, :math:`\frac{n}{n-1} \sum w_k (x_k - \bar x)(y_k - \bar y) / \hat N`.

    Named "x, y", of those who answered both. Arguments and errors as for `variance`, of two variables or more.
    """
    x, y, names, rows = _pairs(design, variables, "covariance")
    return _products(design, x, y, names, by, where, rows)


@rerun
def correlation(design: Design, variables: Any, by: Any = None, where: Any = None) -> Estimate:
    """Correlations of each pair of variables, as `covariance`; the interval is symmetric on Fisher's scale, atanh r.

    A variable that does not vary in a domain has none, which is an error.
    """
    x, y, names, rows = _pairs(design, variables, "correlation")
    three = [*names, *(f"{name} (first)" for name in names), *(f"{name} (second)" for name in names)]
    left, right = np.hstack([x, x, y]), np.hstack([y, x, y])
    moments = _products(design, left, right, three, by, where, rows)
    both, first, second = moments.value.to_numpy().reshape(3, -1)
    alike = (first <= 0) | (second <= 0)
    index = moments.value.index[: len(both)]
    if alike.any():
        got = list(index[alike])[:5]
        raise WelfareError("a variable does not vary", where="correlation", got=got, expected="answers that differ")
    r = both / np.sqrt(first * second)
    slopes = [1 / np.sqrt(first * second), -r / first / 2, -r / second / 2]

    def value(v: pd.Series) -> pd.Series:
        top, a, b = v.to_numpy().reshape(3, -1)
        return pd.Series(top / np.sqrt(a * b), index=index)

    estimate = moments.apply(value, sparse.hstack([sparse.diags_array(s) for s in slopes]))
    return replace(estimate, bounds=_fisher_bounds)


def _fisher_bounds(estimate: Estimate, level: float) -> tuple[np.ndarray, np.ndarray]:
    r = np.clip(estimate.value.to_numpy(), -1 + 1e-15, 1 - 1e-15)
    half = special.stdtrit(estimate.df.to_numpy(), (1 + level) / 2) * estimate.se.to_numpy() / (1 - r**2)
    return np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)


def _pairs(design: Design, variables: Any, what: str) -> tuple[np.ndarray, np.ndarray, list[str], Any]:
    """Both variables (n x pairs) of each pair, missing where one is, the names of the pairs and of the rows."""
    rows = shared_rows(design, variables)
    values, names = matrix(variables, design.n, rows, what)
    pairs = list(combinations(range(len(names)), 2))
    if not pairs:
        raise WelfareError("a pair has two variables", where=what, got=names, expected="two columns or more")
    x, y = (values[:, list(side)] for side in zip(*pairs, strict=True))
    gap = np.isnan(x) | np.isnan(y)
    labels = [f"{names[a]}, {names[b]}" for a, b in pairs]
    return np.where(gap, np.nan, x), np.where(gap, np.nan, y), labels, rows


def _products(
    design: Design, x: np.ndarray, y: np.ndarray, names: list[str], by: Any, where: Any, rows: Any
) -> Estimate:
    """Mean products (k x domains) of what x and y (n x k) deviate from their means, times n / (n - 1)."""

    def plain(changed: Design) -> Estimate:
        parts = changed.domains(by, where, rows)
        at, centred = np.maximum(parts.codes, 0), []
        for values in (x,) if x is y else (x, y):
            level = ratios(changed, values, None, names, parts).value.to_numpy()
            rest = values - level.reshape(len(names), -1).T[at]
            centred.append(np.where(np.abs(rest) <= ROUNDING * np.abs(values), 0.0, rest))
        return ratios(changed, centred[0] * centred[-1], None, names, parts)

    means = repeated(plain(design), plain)
    n = means.counts["n"].to_numpy(float)
    if (n < 2).any():
        got = list(means.value.index[n < 2])[:5]
        raise WelfareError("one answer has no variance", where=", ".join(names), got=got, expected="two or more")
    scaled = means.apply(lambda v: v * (n / (n - 1)), sparse.diags_array(n / (n - 1)))
    return replace(scaled, estimator=lambda d: _products(d, x, y, names, by, where, rows))


def mid_rank(values: np.ndarray, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Rank (n,) in (0, 1) of each row within its domain: the weight below and half the weight alike, over all."""
    size = _ranked(values, codes, weights)
    return np.divide(size.below + size.alike / 2, size.whole, out=np.zeros(len(codes)), where=size.whole != 0)


class _Sums(NamedTuple):
    """Of each respondent: weighted counts and sums of h ranked below, alike, and in the whole domain."""

    below: np.ndarray
    alike: np.ndarray
    whole: np.ndarray


def _index(
    design: Design,
    h: np.ndarray,
    rank: np.ndarray,
    names: list[str],
    parts: Domains,
    kind: str,
    condition: bool = False,
) -> Estimate:
    present = ~(np.isnan(h) | np.isnan(rank))
    described = describe(design, parts, present[:, None], names)
    codes = np.where(present, parts.codes, -1)
    h, rank, w = np.where(present, h, 0.0), np.where(present, rank, 0.0), design.weights
    place, sums = mid_rank(rank, codes, w), _ranked(rank, codes, w, h)
    inside, at = codes >= 0, np.maximum(codes, 0)

    def weighted(values: np.ndarray) -> np.ndarray:
        return np.bincount(codes[inside], weights=(w * values)[inside], minlength=parts.count)

    N = described.counts["n_weighted"].to_numpy()
    level = weighted(h) / N
    product = weighted(h * place) / N
    spread = np.where(np.abs(2 * product - level) <= ROUNDING * np.abs(level), 0.0, 2 * product - level)
    factor, d_spread, d_level = _factor(spread, level, kind, names[0])
    beyond = (sums.whole - sums.below - sums.alike / 2) / N[at]

    def influence() -> sparse.csr_array:
        d_mean = (h - level[at]) / N[at]
        d_index = 2 * (h * place + beyond - 2 * product[at]) / N[at] - d_mean
        d_index = np.where(np.abs(d_index) * N[at] <= ROUNDING * np.abs(h), 0.0, d_index)  # where all are alike
        return scatter(np.where(inside, d_spread[at] * d_index + d_level[at] * d_mean, 0.0)[:, None], parts)

    extra = described.not_estimable(condition & ((level == 0) | (level == 1)))
    extra = {name: 16 * c for name, c in extra.items()}  # of a few it is at most 4 times their share
    return made(design, factor * spread, names, described, influence, extra=extra)


def _factor(spread: np.ndarray, level: np.ndarray, kind: str, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the generalised index is multiplied by, and the derivatives of the product by index and by mean."""
    if kind == "erreygers":
        factor = np.full(len(level), 4.0)
        return factor, factor, np.zeros(len(level))
    room, slope = (level, np.ones(len(level))) if kind == "relative" else ((1 - level) * level, 1 - 2 * level)
    if (room <= 0).any():
        what = "the mean is not positive" if kind == "relative" else "all answers are at a bound"
        raise WelfareError(what, where=name, got=float(level[room <= 0][0]), expected="something to share out")
    return 1 / room, 1 / room, -spread * slope / room**2


def _ranked(rank: np.ndarray, codes: np.ndarray, w: np.ndarray, h: np.ndarray | float = 1.0) -> _Sums:
    """Weighted sums of ``h`` over those of the domain who rank lower, alike, and over all."""
    positive(w, "ranks")
    order = np.lexsort((rank, codes))
    domain, value = codes[order], rank[order]
    cumulated = np.append(0.0, np.cumsum((w * h)[order]))
    new = np.append(True, domain[1:] != domain[:-1])
    tie = new | np.append(True, value[1:] != value[:-1])
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))

    def edges(starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first = np.flatnonzero(starts)
        group = (np.cumsum(starts) - 1)[place]
        return cumulated[first][group], cumulated[np.append(first[1:], len(order))][group]

    (start, end), (low, high) = edges(new), edges(tie)
    return _Sums(low - start, high - low, end - start)
