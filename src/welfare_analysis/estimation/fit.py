r"""Fitted models: pseudo-maximum likelihood with the covariance of the design.

Weights make the log-likelihood :math:`\ell(\theta) = \sum_k w_k \ell_k(\theta)` an estimate of the population's; its
maximum has the influence :math:`z_k = I^{-1} s_k`, with :math:`s_k` the score of respondent k and :math:`I` minus the
second derivative of :math:`\ell` (Binder 1983). So a fit is an `Estimate`, and all that is smooth in it is one again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import linalg

from ..errors import WelfareError
from .estimate import Estimate

STEPS, HALVINGS = 200, 40
LOSS = 1e-13  # in parts of 1 + |log-likelihood|: what a step may lose, for the sum is not known better
CLOSE = 1e-22  # half the squared Newton step in the metric of the information, in parts of 1 + |log-likelihood|
SINGULAR = 1e-11  # smallest eigenvalue of the information, scaled to a unit diagonal, that still identifies


class Likelihood(NamedTuple):
    """A weighted log-likelihood, its gradient (p,) and its information, minus the second derivative (p x p)."""

    value: float
    gradient: np.ndarray
    information: np.ndarray


@dataclass(frozen=True, eq=False)
class Fit(Estimate):
    r"""Coefficients of a model, as an estimate.

    Attributes
    ----------
    log_likelihood, null_log_likelihood : float
        Weighted, at the estimates and at the model's null (constants alone, or zero: the model's docstring says which).
    n_cases : int
        Observations with weight in the likelihood.
    information : (p, p) array
        Minus the second derivative of the weighted log-likelihood.
    scores : (n, p) array
        Unweighted scores, one row a row of the design.
    """

    log_likelihood: float = np.nan
    null_log_likelihood: float = np.nan
    n_cases: int = 0
    converged: bool = True
    information: np.ndarray = field(default_factory=lambda: np.empty((0, 0)), repr=False)
    scores: np.ndarray = field(default_factory=lambda: np.empty((0, 0)), repr=False)

    def covariance(self, kind: str = "design") -> pd.DataFrame:
        """Covariance (p x p): of the ``design``; ``hessian`` or ``robust``, which take cases for independent.

        The last two are what other programs print: the inverse information, and the sandwich of single rows.
        """
        if kind == "design":
            return super().covariance()
        if kind not in ("hessian", "robust"):
            raise WelfareError("unknown kind", where="covariance", got=kind, expected="design, hessian or robust")
        matrix = self.bread
        if kind == "robust":
            weighted = self.scores * self.design.weights[:, None]
            matrix = matrix @ (weighted.T @ weighted) @ matrix
        return pd.DataFrame(matrix, index=self.value.index, columns=self.value.index)

    @cached_property
    def bread(self) -> np.ndarray:
        """Inverse of the information (p x p)."""
        return inverse(self.information)

    @cached_property
    def effects(self) -> np.ndarray:
        """Generalised design effects (p,): eigenvalues of the information times the design's covariance.

        In units of the population's likelihood scaled to the number of cases (Lumley and Scott 2014, section 2).
        """
        return np.linalg.eigvals(self.information @ self.covariance().to_numpy()).real / self.scale

    @property
    def scale(self) -> float:
        """Sum of weights over cases: what turns the weighted log-likelihood into one of as many cases."""
        return float(self.design.weights[np.any(self.scores != 0, axis=1)].sum()) / max(self.n_rows, 1)

    @property
    def n_rows(self) -> int:
        """Rows of the design that bear on the fit."""
        return int(np.any(self.scores != 0, axis=1).sum())


def maximise(
    start: np.ndarray, evaluate: Callable[[np.ndarray], Likelihood], names: list[str], where: str
) -> tuple[np.ndarray, Likelihood]:
    """Newton's method with halved steps: the maximum and the likelihood there.

    Raises
    ------
    WelfareError
        Columns that are collinear at the start; a likelihood without a maximum (separation); no convergence.
    """
    theta, now = start, evaluate(start)
    if not np.isfinite(now.value):
        raise WelfareError("the likelihood cannot be computed at the start", where=where, got=now.value)
    vague = unidentified(now.information, names)
    if vague:
        hint = "Leave one of them out."
        raise WelfareError("columns are collinear", where=where, got=vague, expected="columns that differ", hint=hint)
    for _ in range(STEPS):
        step = _ascent(now)
        if 0.5 * abs(step @ now.gradient) <= CLOSE * (1 + abs(now.value)):
            return _identified(theta, now, names, where)
        for halving in range(HALVINGS):
            trial = evaluate(theta + step / 2**halving)
            if np.isfinite(trial.value) and trial.value >= now.value - LOSS * (1 + abs(now.value)):
                break
        else:  # no step goes up: rounding is all that is left, if the gradient says so
            if 0.5 * abs(step @ now.gradient) <= 1e-12 * (1 + abs(now.value)):
                return _identified(theta, now, names, where)
            break
        theta, now = theta + step / 2**halving, trial
    _identified(theta, now, names, where)
    hint = "Scale the variables to similar sizes, or simplify the model."
    raise WelfareError("the estimation did not converge", where=where, expected="a maximum", hint=hint)


def inverse(information: np.ndarray) -> np.ndarray:
    """Inverse of a positive definite matrix, scaled to a unit diagonal first."""
    scale = 1 / np.sqrt(np.diagonal(information))
    return linalg.inv(information * np.outer(scale, scale)) * np.outer(scale, scale)


def unidentified(information: np.ndarray, names: list[str]) -> list[str]:
    """Names of the coefficients that the data do not tell apart (empty where all are identified)."""
    diagonal = np.diagonal(information)
    zero = [name for name, d in zip(names, diagonal, strict=True) if not d > 0]
    if zero:
        return zero
    scale = 1 / np.sqrt(diagonal)
    values, vectors = np.linalg.eigh(information * np.outer(scale, scale))
    if values[0] > SINGULAR:
        return []
    return [name for name, v in zip(names, vectors[:, 0], strict=True) if abs(v) > 1e-3]


def _ascent(at: Likelihood) -> np.ndarray:
    """The Newton step, or one uphill where the information is not positive definite."""
    scale = 1 / np.sqrt(np.maximum(np.abs(np.diagonal(at.information)), 1e-300))
    values, vectors = np.linalg.eigh(at.information * np.outer(scale, scale))
    safe = np.maximum(np.abs(values), 1e-12 * max(abs(values[-1]), 1e-300))
    return scale * (vectors @ ((vectors.T @ (scale * at.gradient)) / safe))


def _identified(theta: np.ndarray, at: Likelihood, names: list[str], where: str) -> tuple[np.ndarray, Likelihood]:
    vague = unidentified(at.information, names)
    if not vague:
        return theta, at
    raise WelfareError(
        "the likelihood has no maximum: a combination of columns tells the outcome without error",
        where=where,
        got=vague,
        expected="outcomes that overlap",
        hint="Merge categories, or leave the column out.",
    )
