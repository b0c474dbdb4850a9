r"""Fitted models: pseudo-maximum likelihood with the covariance of the design.

Weights make the log-likelihood :math:`\ell(\theta) = \sum_k w_k \ell_k(\theta)` an estimate of the population's; its
maximum has the influence :math:`z_k = I^{-1} s_k`, with :math:`s_k` the score of respondent k and :math:`I` minus the
second derivative of :math:`\ell` (Binder 1983). So a fit is an `Estimate`, and all that is smooth in it is one again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import linalg, sparse

from ..errors import WelfareError
from .columns import one_of
from .design import Design
from .domains import Domains
from .estimate import Estimate, describe

STEPS, HALVINGS = 200, 40
LOSS = 1e-13  # in parts of 1 + |log-likelihood|: what a step may lose, for the sum is not known better
CLOSE = 1e-22  # half the squared Newton step in the metric of the information, in parts of 1 + |log-likelihood|
FLAT = 1e-9  # curvature at the end, in parts of that at the start, below which there is no maximum
SINGULAR = 1e-11  # smallest eigenvalue of the information, scaled to a unit diagonal, that still identifies


class Likelihood(NamedTuple):
    """A weighted log-likelihood, its gradient (p,) and its information, minus the second derivative (p x p).

    ``scores`` are those of single observations (m x p), unweighted, where they come with it.
    """

    value: float
    gradient: np.ndarray
    information: np.ndarray
    scores: np.ndarray = np.empty((0, 0))


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
    used : (n,) boolean array, optional
        Rows of the design that bear on the fit; absent: those with a score.
    half : (p, p) array, optional
        H of which H H' is the inverse of the information, where it is known with more digits than that.
    """

    log_likelihood: float = np.nan
    null_log_likelihood: float = np.nan
    n_cases: int = 0
    information: np.ndarray = field(default_factory=lambda: np.empty((0, 0)), repr=False)
    scores: np.ndarray = field(default_factory=lambda: np.empty((0, 0)), repr=False)
    used: np.ndarray | None = field(default=None, repr=False)
    half: np.ndarray | None = field(default=None, repr=False)

    def covariance(self, kind: str = "design") -> pd.DataFrame:
        """Covariance (p x p): of the ``design``; ``hessian`` or ``robust``, which take cases for independent.

        The last two are what other programs print: the inverse information, and the sandwich of single rows.
        """
        one_of(kind, ("design", "hessian", "robust"), "covariance", "kind")
        if kind == "design":
            return self._of_design.copy()
        matrix = self.bread
        if kind == "robust":
            weighted = self.scores * self.design.weights[:, None]
            matrix = matrix @ (weighted.T @ weighted) @ matrix.T
        return pd.DataFrame(matrix, index=self.value.index, columns=self.value.index)

    @cached_property
    def _of_design(self) -> pd.DataFrame:
        return super().covariance()

    @cached_property
    def bread(self) -> np.ndarray:
        """Inverse of the information (p x p)."""
        return inverse(self.information) if self.half is None else self.half @ self.half.T

    def effects(self, names: Sequence[Hashable] | None = None) -> np.ndarray:
        r"""Generalised design effects of some coefficients (all by default), in descending order.

        Eigenvalues of :math:`I_{t.c} V_{tt}`: the information of the coefficients t given the others, with weights
        scaled to a mean of 1, times their covariance (Lumley and Scott 2014, section 2). All 1 where cases are drawn
        independently with equal weights and the model is true.
        """
        at = np.arange(len(self.value)) if names is None else self.value.index.get_indexer(pd.Index(names))
        if not len(at):
            return np.zeros(0)
        given = inverse(self.bread[np.ix_(at, at)])
        values = np.linalg.eigvals(given @ self.covariance().to_numpy()[np.ix_(at, at)]).real
        return np.sort(values)[::-1] / self.scale

    @cached_property
    def spread(self) -> np.ndarray:
        """Standard errors (p,) if cases were independent: a scale for each coefficient."""
        return np.sqrt(np.diagonal(self.covariance("robust").to_numpy()))

    @cached_property
    def rows(self) -> np.ndarray:
        """Rows of the design that bear on the fit (n,)."""
        return np.any(self.scores != 0, axis=1) if self.used is None else self.used

    @property
    def scale(self) -> float:
        """Mean weight of the rows: what turns the weighted log-likelihood into that of a sample of as many."""
        return float(self.design.weights[self.rows].mean())

    @property
    def n_rows(self) -> int:
        """Number of rows of the design that bear on the fit."""
        return int(self.rows.sum())


def estimated(
    kind: Callable[..., Any],
    design: Design,
    value: pd.Series,
    scores: np.ndarray,
    information: np.ndarray,
    used: np.ndarray,
    inside: np.ndarray | None = None,
    q: int = 1,
    extra_covariance: Mapping[str, Any] | None = None,
    half: np.ndarray | None = None,
    **more: Any,
) -> Any:
    r"""A fit of ``kind`` from its scores (n x p) and information: influence :math:`z_k = I^{-1} s_k` (Binder 1983).

    Rows (n,) that are ``inside`` and not ``used`` count as missing. Degrees of freedom are those of the rows used less
    the ``q`` coefficients of an equation plus 1, at least 1. The information may be of any estimating equations
    :math:`\sum_k w_k s_k(\theta) = 0`: minus their derivative, symmetric or not.
    """
    parts = Domains(np.where(used if inside is None else inside, 0, -1).astype(np.int64), None)
    described = describe(design, parts, used[:, None], [str(value.name)])
    unknown = {"not estimable": sparse.diags_array(np.full(len(value), np.inf))} if described.evidence[0] == 1 else {}
    return kind(
        value=value,
        design=design,
        compute=cache(lambda: scores @ inverse(information).T if half is None else scores @ half @ half.T),
        df=pd.Series(np.maximum(described.df[0] + 1 - q, 1), index=value.index),
        counts=pd.concat([described.counts] * len(value)).set_axis(value.index),
        extra_covariance={**(extra_covariance or {}), **unknown},
        information=information,
        scores=scores,
        used=used,
        half=half,
        **more,
    )


def maximise(
    start: np.ndarray, evaluate: Callable[[np.ndarray], Any], names: list[str], where: str, close: float = CLOSE
) -> tuple[np.ndarray, Any]:
    """Newton's method with halved steps: the maximum and the `Likelihood` there.

    Raises
    ------
    WelfareError
        Columns that are collinear at the start; a likelihood without a maximum (separation); no convergence.
    """
    if not len(start):
        raise WelfareError("there is nothing to estimate", where=where, got=0, expected="answers that differ")
    theta, now = start, evaluate(start)
    first = now.information
    if not np.isfinite(now.value):
        raise WelfareError("the likelihood cannot be computed at the start", where=where, got=now.value)
    vague = unidentified(now.information, names, signed=False)
    if vague:
        hint = "Leave one of them out, or centre and scale them."
        raise WelfareError("columns are collinear", where=where, got=vague, expected="columns that differ", hint=hint)
    for _ in range(STEPS):
        step = _ascent(now)
        if 0.5 * abs(step @ now.gradient) <= close * (1 + abs(now.value)):
            return _identified(theta, now, first, names, where)
        for halving in range(HALVINGS):
            with np.errstate(all="ignore"):  # a step too far has no finite value or curvature, and is halved
                trial = evaluate(theta + step / 2**halving)
            finite = np.isfinite(trial.value) and np.isfinite(trial.information).all()
            if finite and trial.value >= now.value - LOSS * (1 + abs(now.value)):
                break
        else:  # no step goes up: rounding is all that is left, if the gradient says so
            if 0.5 * abs(step @ now.gradient) <= 10 * LOSS * (1 + abs(now.value)):
                return _identified(theta, now, first, names, where)
            break
        theta, now = theta + step / 2**halving, trial
    _identified(theta, now, first, names, where)
    hint = "Scale the variables to similar sizes, or simplify the model."
    raise WelfareError("the estimation did not converge", where=where, expected="a maximum", hint=hint)


def inverse(information: np.ndarray) -> np.ndarray:
    """Inverse of a matrix with a positive diagonal, scaled to a unit one, and rows to a like size, first."""
    scale = 1 / np.sqrt(np.diagonal(information))
    unit = information * np.outer(scale, scale)
    row = 2.0 ** -np.round(np.log2(np.abs(unit).max(axis=1)))  # 1 where it is symmetric
    return linalg.inv(unit * row[:, None]) * row * np.outer(scale, scale)


def unidentified(information: np.ndarray, names: list[str], signed: bool = True) -> list[str]:
    """Names of the coefficients that the data do not tell apart (empty where all are identified).

    Far from the maximum the information may have negative eigenvalues, which tell as well as positive ones:
    ``signed=False``.
    """
    diagonal = np.diagonal(information)
    curved = diagonal > 0 if signed else diagonal != 0
    if not curved.all():
        return [name for name, t in zip(names, curved, strict=True) if not t]
    scale = 1 / np.sqrt(np.abs(diagonal))
    values, vectors = np.linalg.eigh(information * np.outer(scale, scale))
    at = int(np.argmin(values if signed else np.abs(values)))
    if (values[at] if signed else abs(values[at])) > SINGULAR:
        return []
    return [name for name, v in zip(names, vectors[:, at], strict=True) if abs(v) > 1e-3]


def _ascent(at: Likelihood) -> np.ndarray:
    """The Newton step, or one uphill where the information is not positive definite."""
    scale = 1 / np.sqrt(np.maximum(np.abs(np.diagonal(at.information)), 1e-300))
    values, vectors = np.linalg.eigh(at.information * np.outer(scale, scale))
    safe = np.maximum(np.abs(values), 1e-12 * max(abs(values[-1]), 1e-300))
    with np.errstate(over="ignore"):  # where the likelihood is flat; a step too far is halved
        return scale * (vectors @ ((vectors.T @ (scale * at.gradient)) / safe))


def _identified(
    theta: np.ndarray, at: Likelihood, first: np.ndarray, names: list[str], where: str
) -> tuple[np.ndarray, Likelihood]:
    """The maximum, if the likelihood is still curved there: where it rises for ever, its curvature vanishes."""
    scale = 1 / np.sqrt(np.abs(np.diagonal(first)))
    values, vectors = np.linalg.eigh(at.information * np.outer(scale, scale))
    flat = [name for name, v in zip(names, vectors[:, 0], strict=True) if abs(v) > 0.05]
    vague = unidentified(at.information, names) or (flat if values[0] < FLAT else [])
    if not vague:
        return theta, at
    what = "the likelihood has no maximum: a combination of columns tells the outcome without error"
    hint = "Merge categories, or leave the column out."
    raise WelfareError(what, where=where, got=vague, expected="outcomes that overlap", hint=hint)
