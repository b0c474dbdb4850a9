r"""Poverty and shares of what there is: rates and gaps below a line, the Lorenz curve, ratios of its parts.

Foster, Greer and Thorbecke (1984): :math:`\hat P_\alpha = \sum_{k \in d} w_k g_k / \hat N_d` with :math:`g_k = (1 -
y_k/L)^\alpha\, 1[y_k < L]`; :math:`\alpha = 0` is the rate, 1 the gap, 2 its severity. A line that is a part of a
quantile, :math:`L = c\,\hat Q_q`, is estimated too, and adds to the influence

.. math:: \hat P_\alpha'(L)\, c\, z_Q, \qquad \hat P_\alpha'(L) = \frac{\alpha}{\hat N_d}\sum_{k \in d} w_k
          \Big(1 - \frac{y_k}{L}\Big)^{\alpha - 1} \frac{y_k}{L^2} 1[y_k < L], \qquad \hat P_0'(L) = \hat f_d(L),

(Deville 1999; Osier 2009, section 3.3), f a density by a normal kernel, z_Q that of `quantiles`. The Lorenz curve
:math:`\hat L(p) = \hat S(p)/\hat Y` takes the smallest incomes of a share p of the population, the last of them in
part; its influence needs no density (Langel and Tillé 2011, section 4):

.. math:: z_k = \big[(y_k - Q_p)\,1[y_k < Q_p] + p\,Q_p - \hat L(p)\, y_k\big]/\hat Y.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ..errors import WelfareError
from .columns import not_negative, one, positive
from .design import Design
from .domains import Domains
from .estimate import Estimate, describe, scatter
from .influence import sizes
from .joint import joint
from .means import made, ratios, shared_rows
from .quantiles import NEAR, inverse, quantile, woodruff
from .rerun import repeated, rerun
from .shares import logit_bounds


def poverty(
    design: Design,
    income: Any,
    line: float | None = None,
    alpha: float = 0.0,
    part: float = 0.6,
    q: float = 0.5,
    by: Any = None,
    where: Any = None,
) -> Estimate:
    """Poverty below a line, at-risk-of-poverty by default: the share below 60 % of the median of all.

    Parameters
    ----------
    income : Series (n rows)
        In the unit of ``line``, zero or more.
    line : float, optional
        Absent: ``part`` of the ``q``-quantile of all who answered, of whatever domain, whose error is in that of the
        estimate.
    alpha : float
        0 the rate, 1 the mean gap and 2 the mean squared gap, in parts of the line.
    by, where
        As for `mean`, with its errors; intervals as for `share`.

    Raises
    ------
    WelfareError
        Also of incomes below zero, an ``alpha`` below zero and a line that is not above zero.
    """
    again = partial(poverty, income=income, line=line, alpha=alpha, part=part, q=q, by=by, where=where)
    rows = shared_rows(design, income)
    y, names = one(income, design.n, rows, "income")
    not_negative(y, names[0])
    middle = None if line is not None else woodruff(design, pd.Series(y, design.index), q, None, None, "smallest")
    limit = part * float(middle.value.iloc[0]) if middle is not None else float(line or 0)
    if not (limit > 0 and alpha >= 0):
        expected = "a line above zero, alpha of zero or more"
        raise WelfareError("no line, or no power", where="poverty", got=(limit, alpha), expected=expected)
    parts, poor = design.domains(by, where, rows), y < limit
    short = np.where(poor, 1 - y / limit, 0.0)
    gap = np.where(np.isnan(y), np.nan, np.where(poor, short**alpha, 0.0))
    estimate = ratios(design, gap[:, None], None, names, parts, bounds=logit_bounds, shares=np.array([True]))
    if middle is None:
        return repeated(estimate, again)
    if alpha == 0:
        slope = _density(design, y, limit, parts)
    else:
        rise = np.where(poor, alpha * short ** (alpha - 1) * y / limit**2, 0.0)
        slope = parts.sums(rise[:, None], design.weights)[0] / estimate.counts["n_weighted"].to_numpy()
    plain, moved = estimate.compute, part * slope

    def influence() -> sparse.csr_array:
        return sparse.csr_array(plain().tocsr() + sparse.csr_array(middle.influence @ sparse.csr_array(moved[None, :])))

    return repeated(replace(estimate, compute=influence), again, smooth=False, own=estimate)


@rerun
def lorenz(
    design: Design, income: Any, p: Sequence[float] = (0.2, 0.4, 0.6, 0.8), by: Any = None, where: Any = None
) -> Estimate:
    """Shares of the total that the poorest shares ``p`` of the population have, by (p, variable or domain).

    Arguments and errors as for `mean`, of one variable, and an error where an answer is negative or all are zero. The
    standard error is infinite where one respondent alone has so little, or so much.
    """
    rows = shared_rows(design, income)
    y, names = one(income, design.n, rows, "income")
    not_negative(y, names[0])
    positive(design.weights, names[0])
    if np.ndim(p) != 1 or not len(p) or not all(0 < share < 1 for share in p):
        raise WelfareError("not between 0 and 1", where="p", got=p, expected="a list of shares, as [0.2]")
    parts = design.domains(by, where, rows)
    described = describe(design, parts, ~np.isnan(y)[:, None], names)
    codes, w = np.where(np.isnan(y), -1, parts.codes), design.weights
    own, y = Domains(codes, parts.labels), np.where(np.isnan(y), 0.0, y)
    read, at = inverse(y, codes, w, parts.count, "smallest"), np.maximum(codes, 0)
    (whole,), N = own.sums(y[:, None], w), described.counts["n_weighted"].to_numpy()
    if (whole <= 0).any():
        raise WelfareError("there is nothing to share out", where=names[0], got=float(whole.min()), expected="above 0")

    def upto(share: float) -> Estimate:
        top = read(np.full(parts.count, share))
        under = y < top[at]
        cut = own.sums((y <= top[at])[:, None], w)[0] > share * N * (1 + NEAR)  # a part of the top is above
        above = np.where(cut[at], y >= top[at], y > top[at])
        ends = [sizes(np.where(side, codes, -1), parts.count) for side in (y <= top[at], above)]
        alone = replace(described, evidence=np.minimum(described.evidence, 1 + (np.minimum(*ends) > 1)))
        extra = alone.not_estimable(np.zeros(parts.count, dtype=bool))
        heads, sums = own.sums(np.column_stack([under, y * under]), w)
        value = (sums + (share * N - heads) * top) / whole
        z = ((y - top[at]) * under + share * top[at] - value[at] * y) / whole[at]
        return made(
            design, value, names, described, lambda: scatter(np.where(codes < 0, 0.0, z)[:, None], parts), extra=extra
        )

    return joint({share: upto(share) for share in p}, ["p"])


def quantile_shares(design: Design, income: Any, groups: int = 5, by: Any = None, where: Any = None) -> Estimate:
    """Share of the total that each of as many ``groups`` of equal size has, the poorest first; as `lorenz`."""
    if not (isinstance(groups, (int, np.integer)) and groups > 1):
        raise WelfareError("no number of groups", where="groups", got=groups, expected="2 or more")
    curve = lorenz(design, income, [g / groups for g in range(1, groups)], by, where)
    domains = len(curve.value) // (groups - 1)
    first = curve.value.iloc[:domains].droplevel("p")
    index = pd.concat([first] * groups, keys=range(1, groups + 1), names=["group"]).index
    step = sparse.diags_array([np.ones(groups - 1), -np.ones(groups - 1)], offsets=[0, -1], shape=(groups, groups - 1))
    matrix = sparse.csr_array(sparse.kron(step, sparse.eye_array(domains)))
    last = np.repeat([0.0, 1.0], [(groups - 1) * domains, domains])
    return curve.apply(lambda v: pd.Series(matrix @ v.to_numpy() + last, index=index), matrix)


@rerun
def share_ratio(design: Design, income: Any, groups: int = 5, by: Any = None, where: Any = None) -> Estimate:
    """Share of the richest group over that of the poorest (S80/S20 with 5 groups), its interval on the log scale."""
    return _ratio(quantile_shares(design, income, groups, by, where), "group")


def quantile_ratio(
    design: Design, variable: Any, low: float = 0.1, high: float = 0.9, by: Any = None, where: Any = None
) -> Estimate:
    """One quantile over another (P90/P10), its interval on the log scale; arguments and errors as for `quantile`."""
    estimate = _ratio(quantile(design, variable, [low, high], by, where), "q")
    return replace(estimate, estimator=lambda d: quantile_ratio(d, variable, low, high, by, where))


def _ratio(ordered: Estimate, level: str) -> Estimate:
    """The values of the last of a level over those of the first."""
    count = len(ordered.value) // ordered.value.index.get_level_values(level).nunique()
    index = ordered.value.iloc[:count].droplevel(level).index
    low, high = ordered.value.to_numpy()[:count], ordered.value.to_numpy()[-count:]
    if (low <= 0).any():
        got = list(index[low <= 0])[:5]
        raise WelfareError("the lower of a ratio is zero", where=level, got=got, expected="above zero")
    blank = sparse.csr_array((count, len(ordered.value) - 2 * count))
    slopes = sparse.hstack([sparse.diags_array(-high / low**2), blank, sparse.diags_array(1 / low)])
    estimate = ordered.apply(lambda v: pd.Series(v.to_numpy()[-count:] / v.to_numpy()[:count], index=index), slopes)
    return estimate.as_positive()


def _density(design: Design, y: np.ndarray, limit: float, parts: Domains) -> np.ndarray:
    """Density (domains,) at ``limit``, by a normal kernel with Silverman's (1986, eq. 3.31) width at each n."""
    there = ~np.isnan(y) & (design.weights != 0)
    w, values = design.weights[there], y[there]
    low, high = (inverse(values, np.zeros(len(w), int), w, 1, "smallest")(np.array([p]))[0] for p in (0.25, 0.75))
    sd = np.sqrt(np.cov(values, aweights=w, ddof=0))
    spread = min(sd, (high - low) / 1.349) or sd
    codes = parts.codes[there]
    inside, at = codes >= 0, np.maximum(codes, 0)
    n = np.bincount(codes[inside], minlength=parts.count)
    width = 0.9 * spread * n**-0.2
    heights = np.exp(-(((values - limit) / width[at]) ** 2) / 2) / np.sqrt(2 * np.pi) / width[at] * w
    size = np.bincount(codes[inside], weights=w[inside], minlength=parts.count)
    return np.bincount(codes[inside], weights=heights[inside], minlength=parts.count) / size
