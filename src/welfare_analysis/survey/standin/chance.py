"""Draws whose population margins hit a stated level, without a loop over people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit


def probability(eta: np.ndarray, level: float) -> np.ndarray:
    """Return expit(a + eta) with the intercept a such that the mean is `level`."""
    low, high = -40.0, 40.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(middle + eta).mean() < level else (low, middle)
    return expit(low + eta)


def happens(rng: np.random.Generator, eta: np.ndarray, level: float) -> np.ndarray:
    """Draw a yes or no a person, with log-odds slopes `eta` and mean `level`."""
    return rng.random(len(eta)) < probability(eta, level)


def choose(rng: np.random.Generator, eta: np.ndarray, levels: Sequence[float], codes: Sequence[str]) -> np.ndarray:
    """Draw one code a person from softmax(a + eta), n x k, with a such that the mean shares are `levels`."""
    target = np.asarray(levels, dtype=float)
    target = target / target.sum()
    odds = np.exp(eta - eta.max(axis=1, keepdims=True))
    factor = target  # e^a: two products of a matrix and a vector a step, and no exponential
    for _ in range(25):
        factor = target / (odds.T @ (1 / (odds @ factor)) / len(odds))
    chance = odds * factor
    below = (chance / chance.sum(axis=1, keepdims=True)).cumsum(axis=1)
    place = (rng.random((len(eta), 1)) > below).sum(axis=1).clip(max=len(target) - 1)
    return np.asarray(codes, dtype=object)[place]


def noise(rng: np.random.Generator, n: int, log_sd: float) -> np.ndarray:
    """Lognormal factors with median one."""
    return np.exp(rng.normal(0, log_sd, n))
