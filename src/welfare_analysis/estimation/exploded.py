r"""The likelihood of exploded logit: a ranking is a row of choices among what is left.

Items of one rank were ordered in a way that is not known: the probability of a tie is the sum over all orders, exact up
to `EXACT` tied items by a recursion over sets, and Efron's (1977) approximation beyond. What a choice adds depends on
what was taken and what was left alone, so each such pair is computed once, with the weight of all who made the choice:
of J items there are at most :math:`J 2^{J-1}` without ties, however many persons ranked them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import special

from .fit import Likelihood

EXACT = 6  # tied items up to which all their orders are summed
MOST = 62  # items whose sets are the bits of an integer
BLOCK = 2**21  # numbers that the sums over orders hold at a time


Part = tuple[int, np.ndarray, np.ndarray]  # stage, choices, and the items that each takes (choices, m)


@dataclass(frozen=True, eq=False)
class Rankings:
    """Rankings of n persons as choices, of which c differ.

    Attributes
    ----------
    at : (n, stages) array
        The choice of each person at each stage; -1 where there is none.
    stage : (c,) array
        Stage of each choice, 0 for the first.
    taken, left : (c, J) boolean arrays
        The items of that place, several where tied, and those that stay behind.
    """

    items: pd.Index
    at: np.ndarray
    stage: np.ndarray
    taken: np.ndarray
    left: np.ndarray

    @classmethod
    def of(cls, items: pd.Index, place: np.ndarray, below: bool, depth: int) -> Rankings:
        """Choices of places (n, J): 1 for the best, equal where tied, without gaps, 0 where not ranked.

        ``below`` says whether items that are not ranked count as below those that are; ``depth`` stages are used.
        """
        bits = 1 << np.arange(len(items), dtype=np.int64)
        at = np.full((len(place), depth), -1)
        parts, start = [], 0
        for stage in range(depth):
            taken = place == stage + 1
            left = (place > stage + 1) | ((place == 0) & below)
            rows = np.flatnonzero(taken.any(axis=1) & left.any(axis=1))
            pairs = [np.unique(flags[rows] @ bits, return_inverse=True) for flags in (taken, left)]
            both, own = np.unique(pairs[0][1] * max(len(pairs[1][0]), 1) + pairs[1][1], return_inverse=True)
            first = np.divmod(both, max(len(pairs[1][0]), 1))
            parts.append((np.full(len(both), stage), pairs[0][0][first[0]], pairs[1][0][first[1]]))
            at[rows, stage] = start + own
            start += len(both)
        stages, *sets = (np.concatenate(part) for part in zip(*parts, strict=True))
        return cls(items, at, stages, *((one[:, None] & bits) > 0 for one in sets))

    def weights(self, w: np.ndarray) -> np.ndarray:
        """Weight (c,) of all who made each choice, of weights of persons (n,)."""
        rows, stages = np.nonzero(self.at >= 0)
        return np.bincount(self.at[rows, stages], w[rows], len(self.stage))

    def of_persons(self, scores: np.ndarray) -> np.ndarray:
        """Sums (n, p) over the choices of each person, of what each choice gives (c, p)."""
        padded = np.vstack([scores, np.zeros((1, scores.shape[1]))])
        return sum((padded[column] for column in self.at.T), np.zeros((len(self.at), scores.shape[1])))

    @cached_property
    def by_size(self) -> list[Part]:
        """Choices with as many tied items, of all stages together (the stage is given as 0)."""
        return list(self._parts(np.zeros_like(self.stage)))

    @cached_property
    def by_stage(self) -> list[Part]:
        """Choices with as many tied items, of each stage."""
        return list(self._parts(self.stage))

    def _parts(self, stages: np.ndarray) -> Iterator[Part]:
        size = self.taken.sum(axis=1)
        for stage in np.unique(stages):
            for m in np.unique(size[stages == stage]):
                rows = np.flatnonzero((stages == stage) & (size == m))
                blocks = -(-len(rows) * 2 ** min(m, EXACT) * m**2 // BLOCK) if m > 1 else 1
                for part in np.array_split(rows, blocks):
                    yield int(stage), part, np.nonzero(self.taken[part])[1].reshape(len(part), m)


def likelihood(data: Rankings, w: np.ndarray, theta: np.ndarray, scaled: list[int]) -> Likelihood:
    r"""Weighted log-likelihood with the scores of choices (c, P); utilities at stage r are :math:`\mu_r (0, \beta)`.

    ``w`` (c,) are the weights of the choices, ``theta`` the worths of all items but the first, then the scales of the
    stages ``scaled``; those of others are 1.
    """
    J = len(data.items)
    worths, size = np.append(0.0, theta[: J - 1]), len(theta)
    value, scores, second = 0.0, np.zeros((len(w), size)), np.zeros((size, size))
    for stage, rows, group in data.by_stage if scaled else data.by_size:
        at = J - 1 + scaled.index(stage) if stage in scaled else None
        mu = 1.0 if at is None else theta[at]
        logs, g, H = _stage(mu * worths, group, data.left[rows], w[rows])
        value += w[rows] @ logs
        scores[rows, : J - 1] += mu * g[:, 1:]
        second[: J - 1, : J - 1] += mu**2 * H[1:, 1:]
        if at is not None:
            scores[rows, at] += g @ worths
            second[: J - 1, at] += (g.T @ w[rows] + mu * H @ worths)[1:]
            second[at, at] += worths @ H @ worths
    second[J - 1 :, : J - 1] = second[: J - 1, J - 1 :].T
    return Likelihood(float(value), w @ scores, -second, scores)


def _stage(
    v: np.ndarray, group: np.ndarray, left: np.ndarray, w: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-likelihoods (k,), scores by utilities (k, J) and the weighted second derivative (J, J) of one stage.

    In terms of u, the utilities of the taken items less the log of the sum of what stays behind.
    """
    behind = np.where(left, v, -np.inf)
    whole = special.logsumexp(behind, axis=1, keepdims=True)
    q = np.exp(behind - whole)
    logs, a, A = _taken(v[group] - whole)
    d = np.eye(len(v))[group] - q[:, None, :]
    pull = w * a.sum(axis=1)
    second = np.tensordot(d, (A * w[:, None, None]) @ d, axes=([0, 1], [0, 1]))
    second -= np.diag(pull @ q) - (q * pull[:, None]).T @ q
    return logs, np.einsum("km,kmj->kj", a, d), second


def _taken(u: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-probability (k,) that m items come before the others, its gradient (k, m) and second derivative (k, m, m)."""
    k, m = u.shape
    e = np.exp(u)
    unit = np.eye(m)
    if m > EXACT:  # Efron: the mean of the orders, times their number
        left = 1 - np.arange(m) / m
        share = left / (1 + e.sum(axis=1, keepdims=True) * left)
        logs = u.sum(axis=1) + np.log(share / left).sum(axis=1) + special.gammaln(m + 1)
        a = 1 - e * share.sum(axis=1, keepdims=True)
        return (
            logs,
            a,
            e[:, :, None] * e[:, None, :] * (share**2).sum(axis=1)[:, None, None] + (a - 1)[:, :, None] * unit,
        )
    g, dg, ddg = {2**m - 1: np.ones(k)}, {2**m - 1: np.zeros((k, m))}, {2**m - 1: np.zeros((k, m, m))}
    for taken in range(2**m - 2, -1, -1):  # g: the probability that the rest of the group comes next, in any order
        free = [j for j in range(m) if not taken >> j & 1]
        total, value, first, second = np.ones(k), np.zeros(k), np.zeros((k, m)), np.zeros((k, m, m))
        for j in free:
            then, ej = taken | 1 << j, e[:, j]
            total, value = total + ej, value + ej * g[then]
            step = ej[:, None] * dg[then]
            first += step
            first[:, j] += ej * g[then]
            second += ej[:, None, None] * ddg[then]
            second[:, j, :] += step
            second[:, :, j] += step
            second[:, j, j] += ej * g[then]
        own = np.where(np.isin(np.arange(m), free), e, 0.0)
        g[taken] = value / total
        dg[taken] = (first - g[taken][:, None] * own) / total[:, None]
        cross = dg[taken][:, :, None] * own[:, None, :]
        second -= cross + cross.transpose(0, 2, 1) + (g[taken][:, None] * own)[:, :, None] * unit
        ddg[taken] = second / total[:, None, None]
    a = dg[0] / g[0][:, None]
    return np.log(g[0]), a, ddg[0] / g[0][:, None, None] - a[:, :, None] * a[:, None, :]
