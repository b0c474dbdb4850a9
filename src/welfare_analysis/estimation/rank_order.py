"""What a fit to rankings says of the order of the items: first places, pairs, and the places that are sure."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from ..errors import WelfareError
from .estimate import Estimate
from .ranking import RankFit
from .shares import logit_bounds

POINTS = 2**13  # of the sequence that integrates the largest of correlated t values
LARGEST = 16  # items up to which the probabilities of places are summed over all sets


def rank_probabilities(fit: RankFit, top: int = 1) -> Estimate:
    r"""Probability that each item is among the first ``top``, with covariates at 0; intervals within 0 and 1.

    With :math:`f(S)` the probability that the first |S| are the set S, :math:`f(S + j) \mathrel{+}= f(S) e^{v_j} /
    \sum_{k \notin S} e^{v_k}`, summed over all sets of fewer than ``top``.
    """
    worths = fit.worths()
    if not 1 <= top < len(worths.value) or (top > 1 and len(worths.value) > LARGEST):
        expected = f"1 to {len(worths.value) - 1}, and 1 with more than {LARGEST} items"
        raise WelfareError("no such place", where="top", got=top, expected=expected)
    probabilities = worths.apply(
        lambda v: pd.Series(_places_among(v.to_numpy(), top), index=v.index, name=f"top_{top}")
    )
    return replace(probabilities, bounds=logit_bounds)


def differences(fit: RankFit) -> Estimate:
    """Differences of the worths of all pairs (item, other); their intervals hold all at once (`simultaneous`)."""
    worths = fit.worths()
    pairs = list(combinations(range(len(worths.value)), 2))
    index = pd.MultiIndex.from_tuples(
        [(worths.value.index[j], worths.value.index[k]) for j, k in pairs], names=["item", "other"]
    )
    first, second = np.array(pairs).T
    gaps = worths.apply(lambda v: pd.Series(v.to_numpy()[first] - v.to_numpy()[second], index=index, name="worth"))
    return replace(gaps, bounds=simultaneous)


def simultaneous(estimate: Estimate, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Bounds that hold all values at once: the quantile of the largest absolute t (Hothorn, Bretz and Westfall 2008).

    It is integrated over a scrambled Sobol sequence of fixed seed, so it is the same number each time.
    """
    se, covariance = estimate.se.to_numpy(), estimate.covariance().to_numpy()
    varies = (se > 0) & np.isfinite(se)
    half = np.where(varies, 0.0, np.where(se > 0, np.inf, 0.0))
    if varies.any():
        correlation = covariance[np.ix_(varies, varies)] / np.outer(se[varies], se[varies])
        values, vectors = np.linalg.eigh(correlation)
        root = (vectors * np.sqrt(np.maximum(values, 0)))[:, values > 1e-10 * values[-1]]
        points = stats.qmc.Sobol(root.shape[1] + 1, rng=np.random.default_rng(0)).random(POINTS)
        points = np.clip(points, 1e-12, 1 - 1e-12)
        df = float(estimate.df.min())
        t = stats.norm.ppf(points[:, 1:]) @ root.T / np.sqrt(stats.chi2.ppf(points[:, :1], df) / df)
        half[varies] = np.quantile(np.abs(t).max(axis=1), level) * se[varies]
    return estimate.value.to_numpy() - half, estimate.value.to_numpy() + half


def order(fit: RankFit, level: float = 0.95) -> pd.DataFrame:
    """What the sample tells of the order of the items, best first.

    Returns
    -------
    DataFrame
        By item: worth, se, best_rank and worst_rank (its place if only significant differences are believed). All pairs
        are right at once with probability ``level``.
    """
    worths, pairs = fit.worths(), differences(fit).interval(level)
    items = worths.value.sort_values(ascending=False, kind="stable").index
    above = pd.DataFrame(False, index=items, columns=items)
    for (item, other), bound in pairs.iterrows():
        above.loc[item, other], above.loc[other, item] = bound["low"] > 0, bound["high"] < 0
    better = above.to_numpy()
    ranks = {"best_rank": 1 + better.sum(axis=0), "worst_rank": len(items) - better.sum(axis=1)}
    return pd.DataFrame({"worth": worths.value[items], "se": worths.se[items], **ranks}, index=items)


def _places_among(v: np.ndarray, top: int) -> np.ndarray:
    e, layer, among = np.exp(v - v.max()), {0: 1.0}, np.zeros(len(v))
    for _ in range(top):
        following: dict[int, float] = {}
        for taken, probability in layer.items():
            free = [j for j in range(len(v)) if not taken >> j & 1]
            step = probability * e[free] / e[free].sum()
            among[free] += step
            for j, p in zip(free, step, strict=True):
                following[taken | 1 << j] = following.get(taken | 1 << j, 0.0) + p
        layer = following
    return among
