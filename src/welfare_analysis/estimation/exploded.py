r"""The likelihood of exploded logit: a ranking is a row of choices among what is left.

Items of one rank were ordered in a way that was not told: the probability of a tie is the sum over all orders, exact up
to `EXACT` tied items by a recursion over sets, and Efron's (1977) approximation beyond.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from .fit import Likelihood

EXACT = 6  # tied items up to which all their orders are summed
BLOCK = 2**21  # numbers that the sums over orders hold at a time


@dataclass(frozen=True, eq=False)
class Rankings:
    """Who placed what where: m rankings, which differ where nothing but the ranking tells persons apart.

    Attributes
    ----------
    place : (m, J) array
        1 for the best, equal where tied, without gaps; 0 is not ranked.
    x : (m, J, p) array
        What the utilities are linear in.
    of : (n,) array
        The ranking of each person.
    below : bool
        Whether items that are not ranked count as below those that are.
    depth : int
        Stages that bear on the likelihood.
    """

    items: pd.Index
    place: np.ndarray
    x: np.ndarray
    of: np.ndarray
    names: list[str]
    below: bool
    depth: int

    def stages(self) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
        """Stage (0 is the first), rows, their items of that place (rows, m), and what stays behind (rows, J)."""
        for stage in range(self.depth):
            group = self.place == stage + 1
            rest = (self.place > stage + 1) | ((self.place == 0) & self.below)
            size = np.where(rest.any(axis=1), group.sum(axis=1), 0)
            for m in np.unique(size[size > 0]):
                rows = np.flatnonzero(size == m)
                parts = -(-len(rows) * 2 ** min(m, EXACT) * m**2 // BLOCK) if m > 1 else 1
                for part in np.array_split(rows, parts):
                    yield stage, part, np.nonzero(group[part])[1].reshape(len(part), m), rest[part]


def likelihood(data: Rankings, w: np.ndarray, theta: np.ndarray, scaled: list[int]) -> tuple[Likelihood, np.ndarray]:
    r"""Weighted log-likelihood and the scores (m, P): stage r has the coefficients :math:`\mu_r \beta`."""
    p = len(data.names)
    beta, size = theta[:p], len(theta)
    value, scores, second = 0.0, np.zeros((len(w), size)), np.zeros((size, size))
    for stage, rows, group, rest in data.stages():
        at = p + scaled.index(stage) if stage in scaled else None
        mu = 1.0 if at is None else theta[at]
        logs, g, H = _stage(data.x[rows], mu * beta, group, rest, w[rows])
        value += w[rows] @ logs
        scores[rows, :p] += mu * g
        second[:p, :p] += mu**2 * H
        if at is not None:
            scores[rows, at] += g @ beta
            second[:p, at] += g.T @ w[rows] + mu * H @ beta
            second[at, at] += beta @ H @ beta
    second[p:, :p] = second[:p, p:].T
    return Likelihood(float(value), w @ scores, -second), scores


def _stage(
    x: np.ndarray, beta: np.ndarray, group: np.ndarray, rest: np.ndarray, w: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-likelihoods (k,), scores (k, p) and the weighted second derivative (p, p) of one stage.

    In terms of u, the utilities of the taken items less the log of the sum of what stays behind.
    """
    v = x @ beta
    behind = np.where(rest, v, -np.inf)
    whole = special.logsumexp(behind, axis=1, keepdims=True)
    q = np.exp(behind - whole)
    logs, a, A = _taken(np.take_along_axis(v, group, axis=1) - whole)
    centre = np.einsum("kj,kjp->kp", q, x)
    d = np.take_along_axis(x, group[:, :, None], axis=1) - centre[:, None, :]
    pull = w * a.sum(axis=1)
    second = np.tensordot(d, (A * w[:, None, None]) @ d, axes=([0, 1], [0, 1]))
    second -= np.tensordot(x, x * (q * pull[:, None])[:, :, None], axes=([0, 1], [0, 1]))
    second += centre.T @ (centre * pull[:, None])
    return logs, np.einsum("km,kmp->kp", a, d), second


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
