r"""The likelihood of exploded logit: a ranking is a row of choices among what is left.

Items of one rank were ordered in a way that is not known: the probability of a tie is the sum over all orders, exact up
to `EXACT` tied items by a recursion over sets, and Efron's (1977) approximation beyond. What a choice adds depends on
what was taken and what was left alone, so each such pair is computed once, with the weight of all who made the choice:
of J items there are at most :math:`J 2^{J-1}` without ties, however many persons ranked them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import permutations

import numpy as np
import pandas as pd
from scipy import special

from .fit import Likelihood

EXACT = 6  # tied items up to which all their orders are summed
MOST = 31  # items of which two sets are the bits of an integer
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
        bits = 1 << np.arange(2 * len(items), dtype=np.int64)
        at = np.full((len(place), depth), -1)
        parts, start = [], 0
        for stage in range(depth):
            taken = place == stage + 1
            left = (place > stage + 1) | ((place == 0) & below)
            rows = np.flatnonzero(taken.any(axis=1) & left.any(axis=1))
            sets, own = np.unique(np.hstack([taken, left])[rows] @ bits, return_inverse=True)
            parts.append((np.full(len(sets), stage), sets))
            at[rows, stage] = start + own
            start += len(sets)
        stages, sets = (np.concatenate(part) for part in zip(*parts, strict=True))
        taken, left = np.hsplit((sets[:, None] & bits) > 0, 2)
        return cls(items, at, stages, taken, left)

    def weights(self, w: np.ndarray) -> np.ndarray:
        """Weight (c,) of all who made each choice, of weights of persons (n,)."""
        rows, stages = np.nonzero(self.at >= 0)
        return np.bincount(self.at[rows, stages], w[rows], len(self.stage))

    def of_persons(self, scores: np.ndarray) -> np.ndarray:
        """Sums (n, p) over the choices of each person, of what each choice gives (c, p)."""
        padded = np.vstack([scores, np.zeros((1, scores.shape[1]))])
        return sum((padded[column] for column in self.at.T), np.zeros((len(self.at), scores.shape[1])))

    @cached_property
    def parts(self) -> list[Part]:
        """Choices with as many tied items, of each stage."""
        size, parts = self.taken.sum(axis=1), []
        for stage, m in sorted(set(zip(self.stage.tolist(), size.tolist(), strict=True))):
            rows = np.flatnonzero((self.stage == stage) & (size == m))
            for part in np.array_split(rows, -(-len(rows) * _orders(m).size * m // BLOCK)):
                parts.append((stage, part, np.nonzero(self.taken[part])[1].reshape(len(part), m)))
        return parts


def likelihood(data: Rankings, w: np.ndarray, theta: np.ndarray, scaled: list[int]) -> Likelihood:
    r"""Weighted log-likelihood with the scores of choices (c, P); utilities at stage r are :math:`\mu_r (0, \beta)`.

    ``w`` (c,) are the weights of the choices, ``theta`` the worths of all items but the first, then the scales of the
    stages ``scaled``; those of others are 1.
    """
    J = len(data.items)
    worths, size = np.append(0.0, theta[: J - 1]), len(theta)
    value, scores, second = 0.0, np.zeros((len(w), size)), np.zeros((size, size))
    for stage, rows, group in data.parts:
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
    r"""Log-probability (k,) that m items come before the others, its gradient (k, m) and second derivative (k, m, m).

    With :math:`L_{sj}` what is left of item j at step s of an order, the order has the probability
    :math:`\prod_s e^{u_s} / (1 + \sum_j L_{sj} e^{u_j})`; they are added up.
    """
    m, e, left = u.shape[1], np.exp(u), _orders(u.shape[1])
    share = 1 / (1 + np.einsum("osj,kj->kos", left, e))
    each = u.sum(axis=1, keepdims=True) + np.log(share).sum(axis=2)
    logs = special.logsumexp(each, axis=1)
    chance = np.exp(each - logs[:, None])
    a = 1 - np.einsum("osj,kos->koj", left, share) * e[:, None, :]  # of each order
    mean = np.einsum("ko,koj->kj", chance, a)
    squares = (chance[:, :, None] * share**2).reshape(len(u), -1)
    pairs = (left[:, :, :, None] * left[:, :, None, :]).reshape(-1, m * m)
    second = (squares @ pairs).reshape(-1, m, m) * (e[:, :, None] * e[:, None, :])
    second += (mean - 1)[:, :, None] * np.eye(m) - mean[:, :, None] * mean[:, None, :]
    second += (chance[:, :, None] * a).transpose(0, 2, 1) @ a
    return logs + (special.gammaln(m + 1) if m > EXACT else 0.0), mean, second


@cache
def _orders(m: int) -> np.ndarray:
    """What is left (orders, steps, items) of tied items at each step, in all orders; of many, in Efron's mean."""
    if m > EXACT:
        return np.tile(1 - np.arange(m)[:, None] / m, (1, 1, m))
    places = np.array(list(permutations(range(m))))
    return (places[:, None, :] >= np.arange(m)[:, None]).astype(float)
