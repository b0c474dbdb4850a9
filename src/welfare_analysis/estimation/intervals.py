r"""Intervals of shares that stay within 0 and 1: symmetric on the logit scale, or those of Korn and Graubard (1998).

A share of exactly 0 or 1 has no linearised variance, and its n respondents are worth fewer where clusters are alike:
:math:`n / (1 + (m - 1) \rho)` with m the mean number of respondents of the domain in a respondent's cluster and
:math:`\rho` the correlation within (Kish 1965, section 5.4), which the other shares of one call tell: see `worth`.
Where the sampled part of a domain holds too few cases for a linearised variance, both are widened: see `Rare`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import scipy
from scipy import sparse, special

from ..errors import WelfareError
from .design import Design
from .domains import Domains
from .estimate import Bounds, Description, Estimate, effective, t_bounds

PEERS = 3  # other items that tell of one item how alike its clusters are
FEW = 5  # cases or non-cases below which a linearised variance tells little


def logit_bounds(estimate: Estimate, level: float, worth: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Bounds symmetric on the logit scale; Korn-Graubard where the share is 0 or 1."""
    p, se = estimate.value.to_numpy(), estimate.se.to_numpy()
    edge = (p <= 0) | (p >= 1)
    inner = np.where(edge, 0.5, p)
    half = special.stdtrit(estimate.df.to_numpy(), (1 + level) / 2) * se / (inner * (1 - inner))
    centre = np.log(inner / (1 - inner))
    low, high = 1 / (1 + np.exp(half - centre)), 1 / (1 + np.exp(-half - centre))
    if edge.any():
        exact = korn_graubard_bounds(estimate, level, worth)
        low, high = np.where(edge, exact[0], low), np.where(edge, exact[1], high)
    return low, high


def korn_graubard_bounds(
    estimate: Estimate, level: float, worth: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Clopper-Pearson bounds with the effective sample size, corrected for degrees of freedom.

    At 0 and 1 the size is what the respondents are ``worth``; absent, their number.
    """
    p, variance = estimate.value.to_numpy(), estimate.se.to_numpy() ** 2
    n, df = estimate.counts["n"].to_numpy(float), estimate.df.to_numpy()
    linear = np.where((p > 0) & (p < 1), variance, 0.0)
    size = np.divide(p * (1 - p), linear, out=n.copy(), where=linear > 0) / n * effective(n, df, level)
    size = np.where(linear > 0, size, effective(n if worth is None else worth, df, level))
    x = np.clip(size * p, 0, size)
    low, high = clopper_pearson(x, size, level)
    known = variance <= 0  # the design fixes the share: no uncertainty is left
    return np.where(known, p, low), np.where(known, p, high)


def clopper_pearson(x: np.ndarray, n: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Exact binomial bounds of x cases in n, which need not be whole numbers (Clopper and Pearson 1934)."""
    tail = (1 - level) / 2
    low = np.where(x > 0, special.betaincinv(np.maximum(x, 1e-12), n - x + 1, tail), 0.0)
    high = np.where(x < n, special.betaincinv(x + 1, np.maximum(n - x, 1e-12), 1 - tail), 1.0)
    return low, high


def bounds_at_edges(estimate: Estimate, level: float, worth: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Bounds by t; where the mean of a condition is 0 or 1 and this is not sure, Korn-Graubard."""
    p, (low, high) = estimate.value.to_numpy(), t_bounds(estimate, level)
    unknown = estimate.extra_covariance.get("not estimable")
    edge = ((p == 0) | (p == 1)) & (
        np.zeros(len(p), dtype=bool) if unknown is None else sparse.csr_array(unknown).diagonal() > 0
    )
    exact = korn_graubard_bounds(estimate, level, worth)
    return np.where(edge, exact[0], low), np.where(edge, exact[1], high)


def worth(design: Design, parts: Domains, described: Description, p: np.ndarray, variance: np.ndarray) -> np.ndarray:
    r"""What the respondents (k x domains, flat) of shares ``p`` are worth where a share is 0 or 1.

    With :math:`n_d^* = (\sum w)^2 / \sum w^2` the correlation within clusters of an item is pooled over its domains j
    with `FEW` cases and as many non-cases, between 0 and 1, with :math:`a_j = n_j p_j q_j`:
    :math:`\rho = \sum_j a_j (\hat V_j n_j^* / p_j q_j - 1) / \sum_j a_j (m_j - 1)`. Where an item has none, it is
    pooled over the other items if there are `PEERS` at least; else clusters count as one respondent each, since one
    item tells little of another.
    """
    inside = parts.codes >= 0
    codes, w, k = parts.codes[inside], design.weights[inside], len(p) // parts.count
    _, pair, size = np.unique(
        design.sampling.psu[inside] * parts.count + codes, return_inverse=True, return_counts=True
    )
    rows, one = np.bincount(codes), 1 / size[pair]
    m, clusters, kish = (
        np.tile(v, k)
        for v in (
            np.bincount(codes, weights=size[pair]) / rows,
            np.bincount(codes, weights=one),
            np.bincount(codes, weights=w) ** 2 / np.bincount(codes, weights=w * w),
        )
    )
    n = described.counts["n"].to_numpy(float)
    spread = p * (1 - p)
    telling = (n * np.minimum(p, 1 - p) >= FEW) & (described.evidence == 2) & np.isfinite(variance) & (m > 1)
    item = np.arange(len(p)) // parts.count
    a, effect = (n * spread)[telling], (variance * kish)[telling] / spread[telling]
    above = np.bincount(item[telling], a * (effect - 1), k)
    room = np.bincount(item[telling], a * (m[telling] - 1), k)
    own = room > 0
    rho = np.divide(above, room, out=np.full(k, np.nan), where=own)
    rho[~own] = above.sum() / room.sum() if own.sum() >= PEERS else np.nan
    rho = np.clip(rho, 0.0, 1.0)[item]
    return np.where(np.isnan(rho), np.minimum(n, clusters), n / (1 + (m - 1) * rho))


def balanced(p: np.ndarray, extra: np.ndarray, count: int) -> sparse.csr_array:
    r"""Extra covariance of shares of categories (k x domains, flat), which add up to one, from variances ``extra``.

    What an empty category may have is taken from the others in proportion, so that the direction of category e is
    :math:`u_e = 1_e - p`. The j empty ones of a domain together are again an empty category, which has the variance v
    of one: they have the covariance :math:`-v/j`, and the extra covariance is
    :math:`v \sum_{e, e'} ((1 + 1/j) 1[e = e'] - 1/j)\, u_e u_{e'}'`.
    """
    empty = np.flatnonzero((p == 0) & (extra > 0) & np.isfinite(extra))
    domain, every = empty % count, np.arange(len(p)) % count
    j = np.bincount(domain, minlength=count)[domain]
    same = domain[:, None] == domain
    between = np.sqrt(np.outer(extra[empty], extra[empty])) * ((1 + 1 / j) * np.eye(len(empty)) - same / j)
    direction = (np.arange(len(p))[:, None] == empty) - p[:, None] * (every[:, None] == domain)
    unknown = sparse.diags_array(np.where(np.isinf(extra), extra, 0.0))
    return sparse.csr_array(direction @ between @ direction.T) + unknown


@dataclass(frozen=True, eq=False)
class Rare:
    r"""Conditions of which few cases were sampled beside a part that is known with certainty.

    Those who returned a form stand for themselves, those followed up for the others: the linearised variance comes from
    the sampled cases alone, and with none of them it says that nothing is uncertain. With fewer than `FEW` sampled
    cases or non-cases the share is taken apart, :math:`\hat p = (K + S \hat p_s) / \hat N` with K the known cases and
    S the weight of the sampled part; :math:`p_s` has the bounds of Clopper and Pearson and the posterior variance
    (after a uniform prior) of x cases in the effective size :math:`n = S^2 / \sum w_k^2` (Kish 1965, section 11.7).

    Attributes (k x domains, flat): ``rare``, where this holds; ``known`` = K/N; ``part`` = S/N; ``x``; ``n``.
    """

    rare: np.ndarray
    known: np.ndarray
    part: np.ndarray
    x: np.ndarray
    n: np.ndarray

    @classmethod
    def of(cls, design: Design, y: np.ndarray, present: np.ndarray, parts: Domains) -> Rare:
        """Look for few cases in conditions ``y`` (n x k) of those ``present``."""
        sampled, w = ~design.certain[:, None], design.weights[:, None]
        there = present.astype(float)
        cases = there * y
        drawn, others = parts.sums(cases * sampled).ravel(), parts.sums((there - cases) * sampled).ravel()
        size, weight = parts.sums(there * w).ravel(), parts.sums(there * w * sampled).ravel()
        rare = (np.minimum(drawn, others) < FEW) & (weight > 0) & (weight < size * (1 - 1e-9))
        known, met = parts.sums(cases * w * ~sampled).ravel(), parts.sums(cases * w * sampled).ravel()
        weight = np.where(rare, weight, 1.0)
        n = weight**2 / np.where(rare, parts.sums(there * w**2 * sampled).ravel(), 1.0)
        return cls(rare, known / size, weight / size, np.where(rare, n * met / weight, 0.0), n)

    def widened(self, estimate: Estimate, shares: np.ndarray) -> Estimate:
        """The estimate with standard errors and bounds, of ``shares``, at least those of the sampled part."""
        rare = self.rare & shares
        a, b = self.x + 1, self.n - self.x + 1
        variance = self.part**2 * a * b / ((a + b) ** 2 * (a + b + 1))
        more = np.where(rare, np.maximum(variance - estimate.se.to_numpy() ** 2, 0.0), 0.0)
        extra = {**estimate.extra_covariance, "rare cases": sparse.diags_array(more)}
        return replace(estimate, bounds=self._bounds(estimate.bounds, rare), extra_covariance=extra)

    def _bounds(self, rule: Bounds, rare: np.ndarray) -> Bounds:
        def bounds(estimate: Estimate, level: float) -> tuple[np.ndarray, np.ndarray]:
            rest = {k: c for k, c in estimate.extra_covariance.items() if k != "rare cases"}
            low, high = rule(replace(estimate, extra_covariance=rest), level)
            least, most = (self.known + self.part * b for b in clopper_pearson(self.x, self.n, level))
            return np.where(rare, np.minimum(low, least), low), np.where(rare, np.maximum(high, most), high)

        return bounds


def imbens_manski(low: Estimate, high: Estimate, level: float = 0.95) -> pd.DataFrame:
    r"""Intervals of what is known to lie between two estimates, as where part of a population was never observed.

    :math:`[\hat\theta_l - c\,\hat\sigma_l,\ \hat\theta_u + c\,\hat\sigma_u]` with :math:`F(c + \hat\Delta/
    \max(\hat\sigma_l, \hat\sigma_u)) - F(-c)` the level, F Student's t and :math:`\hat\Delta = \hat\theta_u -
    \hat\theta_l` (Imbens and Manski 2004, Econometrica 72, 1845): it covers each value between the bounds with
    the level, where an interval for all of them together would be wider. It holds whatever the width where the bounds
    are in order by construction (Stoye 2009, Econometrica 77, 1299). c goes from the quantile of t for both
    sides, at a width of 0, to that for one.

    Returns
    -------
    DataFrame
        By value: lowest and highest (the two estimates), low and high.

    Raises
    ------
    WelfareError
        Estimates of different values, or a low one above the high one.
    """
    lowest, highest = low.value.to_numpy(float), high.value.to_numpy(float)
    if not low.value.index.equals(high.value.index) or (lowest > highest).any():
        raise WelfareError("not the lower and the upper bound of the same values", where="imbens_manski")
    sides = low.se.to_numpy(), high.se.to_numpy()
    df, widest = np.minimum(low.df, high.df).to_numpy(float), np.maximum(*sides)
    width = np.divide(highest - lowest, widest, out=np.zeros(len(df)), where=(widest > 0) & np.isfinite(widest))
    ends = [special.stdtrit(df, p) for p in (level, (1 + level) / 2)]
    c = np.array(
        [
            scipy.optimize.brentq(
                lambda c, d=d, w=w: special.stdtr(d, c + w) - special.stdtr(d, -c) - level, a - 1e-9, b + 1e-9
            )
            for d, w, a, b in zip(df, width, *ends, strict=True)
        ]
    )
    table = {"lowest": lowest, "highest": highest, "low": lowest - c * sides[0], "high": highest + c * sides[1]}
    return pd.DataFrame(table, index=low.value.index)
