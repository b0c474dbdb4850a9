r"""Incomes that were not told, drawn many times from what others alike told, and the error that this leaves.

Multiple imputation by the normal regression of the log amount on status and rank, command group, age, the weight and
the follow-up (Rubin 1987, p. 167): coefficients and variance are drawn from their posterior, then the amounts. With m
completed files the estimate is the mean, and its variance that of the design plus :math:`(1 + 1/m) B`, B the variance
between the files (p. 76).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import sparse

from ..errors import WelfareError
from ..estimation import Design, Estimate

LEAST = 30  # known amounts below which nothing is imputed


def completed(
    frame: pd.DataFrame, weights: np.ndarray, target: str, asked: pd.Series, rng: np.random.Generator, m: int = 20
) -> list[pd.Series]:
    """The column ``target`` (amounts from 0 on) completed m times, where it was asked and not told.

    Raises
    ------
    WelfareError
        Fewer than 30 known amounts.
    """
    y, gaps = frame[target], asked & frame[target].isna()
    known = y.notna() & asked
    if known.sum() < LEAST:
        raise WelfareError(
            "too few amounts are known", where=target, got=int(known.sum()), expected=f"{LEAST} at least"
        )
    X, positive = _predictors(frame, weights), known & (y > 0)
    part = float((y[known] == 0).mean())
    draws = []
    beta, spread, df, root = _regression(X[positive.to_numpy()], np.log(y[positive].to_numpy()))
    for _ in range(m):
        sigma = spread * np.sqrt(df / rng.chisquare(df))
        drawn = beta + sigma * (root @ rng.normal(size=len(beta)))
        amount = np.exp(X[gaps.to_numpy()] @ drawn + sigma * rng.normal(size=int(gaps.sum())))
        share = rng.beta(part * known.sum() + 0.5, (1 - part) * known.sum() + 0.5) if part else 0.0
        amount = np.where(rng.random(len(amount)) < share, 0.0, amount.clip(y[known].min(), y[known].max()))
        values = y.to_numpy(float).copy()
        values[gaps.to_numpy()] = amount
        draws.append(pd.Series(values, index=y.index, name=target))
    return draws


def _predictors(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Columns that tell an income, and those of the design; a missing one is a category of its own, or the mean."""
    columns = [np.ones(len(frame)), np.log(weights / np.mean(weights))]
    for name in ("status", "rank_group", "command_group", "sex", "outcome"):
        if name in frame:
            told = frame[name].astype(object).where(frame[name].notna(), "unknown").astype(str)
            columns += [(told == level).to_numpy(float) for level in sorted(told.unique())[1:]]
    for name in ("age", "seniority_years"):
        if name in frame and frame[name].notna().any():
            z = frame[name].fillna(frame[name].mean()).to_numpy(float)
            columns += [z / 10, (z / 10) ** 2]
    return np.column_stack(columns)


def _regression(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float, int, np.ndarray]:
    """Coefficients, residual spread, degrees of freedom, and a root of the inverse cross product."""
    inverse = np.linalg.pinv(X.T @ X, rcond=1e-12, hermitian=True)  # equal weights tell nothing
    beta = inverse @ (X.T @ y)
    df = max(len(y) - np.linalg.matrix_rank(X), 1)
    values, vectors = np.linalg.eigh(inverse)
    return beta, float(np.sqrt(((y - X @ beta) ** 2).sum() / df)), df, vectors * np.sqrt(np.maximum(values, 0))


def combined(estimates: list[Estimate]) -> Estimate:
    """One estimate of several completed files, with the variance of Rubin: the mean of theirs, and that between.

    The influence is the mean; as averaging smooths what was drawn, the design's variance about it is an extra
    covariance (``within``), beside the variance between the files (``imputation``).

    Raises
    ------
    WelfareError
        Fewer than two files, or estimates of different things.
    """
    first, m = estimates[0], len(estimates)
    if m < 2 or any(not e.value.index.equals(first.value.index) for e in estimates):
        raise WelfareError(
            "estimates of completed files cannot be combined", where="combined", got=m, expected="2 alike"
        )
    values = np.column_stack([e.value for e in estimates])
    between = np.atleast_2d(np.cov(values)) * (1 + 1 / m)
    mean = pd.Series(values.mean(axis=1), index=first.value.index, name=first.value.name)
    centre = sparse.csr_array(sum((e.influence for e in estimates[1:]), first.influence) / m)
    within = sum(first.design.covariance(e.influence - centre) for e in estimates) / m
    names = dict.fromkeys(name for e in estimates for name in e.extra_covariance)
    extra = {
        n: sum(sparse.csr_array(e.extra_covariance[n]) / m for e in estimates if n in e.extra_covariance) for n in names
    }
    extra |= {"within": sparse.csr_array(within), "imputation": sparse.csr_array(between)}
    return replace(first, value=mean, compute=lambda: centre, extra_covariance=extra, push=None)


def imputed(
    design: Design,
    frame: pd.DataFrame,
    columns: dict[str, list[pd.Series]],
    estimator: Callable[[Design, pd.DataFrame], Estimate],
) -> Estimate:
    """The estimate over files in which the columns are completed; ``estimator`` takes a design and a frame."""
    m = min(len(draws) for draws in columns.values())
    return combined(
        [estimator(design, frame.assign(**{n: draws[i] for n, draws in columns.items()})) for i in range(m)]
    )
