"""What a fit to rankings says of the order of the items: first places, and the places that are sure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import scipy
from scipy import special

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


def half_widths(covariance: np.ndarray, df: float, level: float) -> np.ndarray:
    """Half the length of intervals that hold all at once: the quantile of the largest absolute t times each error.

    Hothorn, Bretz and Westfall (2008). It is integrated over a scrambled Sobol sequence of fixed seed, so it is the
    same number each time.
    """
    se = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    varies = (se > 0) & np.isfinite(se)
    half = np.where(varies, 0.0, np.where(se > 0, np.inf, 0.0))
    if varies.any():
        correlation = covariance[np.ix_(varies, varies)] / np.outer(se[varies], se[varies])
        values, vectors = np.linalg.eigh(correlation)
        root = (vectors * np.sqrt(np.maximum(values, 0)))[:, values > 1e-10 * values[-1]]
        points = scipy.stats.qmc.Sobol(root.shape[1] + 1, rng=np.random.default_rng(0)).random(POINTS)
        points = np.clip(points, 1e-12, 1 - 1e-12)
        t = special.ndtri(points[:, 1:]) @ root.T / np.sqrt(2 * special.gammaincinv(df / 2, points[:, :1]) / df)
        half[varies] = np.quantile(np.abs(t).max(axis=1), level) * se[varies]
    return half


def order(fit: RankFit, level: float = 0.95) -> pd.DataFrame:
    """What the sample tells of the order of the items, best first: worth, se and `possible_ranks`, by item."""
    worths = fit.worths()
    table = pd.DataFrame({"worth": worths.value, "se": worths.se})
    return possible_ranks(worths, level).pipe(lambda ranks: table.loc[ranks.index].join(ranks))


def possible_ranks(values: Estimate, level: float = 0.95) -> pd.DataFrame:
    """By item, from the largest value on: best_rank and worst_rank, its place if only sure differences are believed.

    All pairs are right at once with probability ``level`` (Mogstad, Romano, Shaikh and Wilhelm 2024, Review of Economic
    Studies 91, 476-518).
    """
    ordered = values.value.sort_values(ascending=False, kind="stable")
    items, covariance = ordered.index, values.covariance().loc[ordered.index, ordered.index].to_numpy()
    first, second = np.triu_indices(len(items), 1)
    signs = np.eye(len(items))[first] - np.eye(len(items))[second]
    half = half_widths(signs @ covariance @ signs.T, float(values.df.min()), level)
    better = np.zeros((len(items), len(items)), dtype=bool)
    better[first, second] = signs @ ordered.to_numpy() > half
    ranks = {"best_rank": 1 + better.sum(axis=0), "worst_rank": len(items) - better.sum(axis=1)}
    return pd.DataFrame(ranks, index=items)


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
