r"""Quantile regression with weights and the design's covariance.

:math:`\hat\beta` minimises :math:`\sum_k w_k \rho_q(y_k - x_k'\beta)`, :math:`\rho_q(u) = u(q - 1[u < 0])` (Koenker and
Bassett 1978), by the dual linear programme: the largest :math:`y'a` with :math:`X'a = (1-q) X'w`,
:math:`0 \le a \le w`. Its influence is :math:`J^{-1} x_k (a_k / w_k - 1 + q)`, with
:math:`J = \sum w_k f_k x_k x_k'` and the densities :math:`f_k = 2h / x_k'(\hat\beta_{q+h} - \hat\beta_{q-h})`
(Hendricks and Koenker 1992; a normal kernel gave medians standard errors of 1.2 to 1.5 times their spread).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import scipy

from ..errors import WelfareError
from .columns import positive
from .design import Design
from .fit import unidentified
from .formulas import cases
from .regression import Regression, regression
from .rerun import rerun

MANY, BAND = 4000, 1.5  # cases that are solved at once; width of what is near the line, in errors of its first place


@rerun
def quantile_regression(
    design: Design, frame: pd.DataFrame, formula: str, q: float = 0.5, where: Any = None
) -> Regression:
    """Regression of the ``q``-quantile; other arguments and errors as for `linear`.

    The bandwidth is that of Hall and Sheather (1988) at Kish's effective sample size. There is no likelihood: it is
    nan. Where lines of two quantiles cross, the density is taken as 0.
    """
    if not np.isscalar(q) or isinstance(q, str) or not 0 < q < 1:
        raise WelfareError("not between 0 and 1", where="q", got=q, expected="one share, as 0.5")
    data = cases(design, frame, formula, where)
    positive(data.w, data.label)
    y, w, x = data.numbers(), data.w, data.x
    w = w / w.mean()
    (beta, a), h = minimum(y, x, w, q), bandwidth(w, q)
    steeper, flatter = (minimum(y, x, w, p, beta)[0] for p in (q + h, q - h))
    gap = x @ (steeper - flatter)
    close = gap <= 1e-9 * np.abs(y).max()
    density = np.where(close, 0.0, 2 * h / np.where(close, 1.0, gap))
    information = (x * (data.w * density)[:, None]).T @ x
    vague = unidentified(information, data.names)
    if vague:
        hint = "Take another quantile, or merge categories."
        raise WelfareError("too many answers are alike to tell a density", where=data.label, got=vague, hint=hint)
    score = x * (a - 1 + q)[:, None]
    return regression(
        data, data.names, beta, score, information, q=x.shape[1], expected=lambda theta, x: (x @ theta)[:, None]
    )


def minimum(
    y: np.ndarray, x: np.ndarray, w: np.ndarray, q: float, line: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients, and the dual values over the weights: 1 above the line, 0 below, between on it.

    Of many cases the ``line`` of a near quantile, moved to q, or that of a part of them is a first one; only those near
    it are in the programme, the others are held on their side. Cases that end on the other side are let in and it is
    solved again, so the end is exact (Portnoy and Koenker 1997, section 5).
    """
    n, p = x.shape
    away, share = np.zeros(n), 1.0  # signed distance from a first line, and how many of the nearest are solved for
    if n > MANY:
        step = max(2, int((n / p) ** (1 / 3)))  # Portnoy and Koenker's part, n^(2/3) p^(1/3)
        away = y - x @ (minimum(y[::step], x[::step], w[::step], q)[0] if line is None else line)
        if line is not None:
            away = away - np.quantile(away, q)
        share = min(1.0, BAND * np.sqrt(p * (step if line is None else 8) / n))
    near = np.abs(away) <= np.quantile(np.abs(away), share)
    while True:
        held = np.where(~near & (away > 0), w, 0.0)
        solution = _programme(y[near], x[near], w[near], (1 - q) * (w @ x) - held @ x)
        if solution is not None:
            beta, held[near] = solution
            wrong = ~near & ((y - x @ beta > 0) != (away > 0))
            if not wrong.any():
                return beta, held / w
            near = near | wrong
        elif near.all():
            raise WelfareError("the linear programme was not solved", where="quantile_regression", got=f"{n} cases")
        else:  # those who are held cannot be balanced
            share = min(1.0, 2 * share)
            near = near | (np.abs(away) <= np.quantile(np.abs(away), share))


def _programme(y: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Coefficients and dual values of the largest y'a with x'a = b, 0 <= a <= w; None where there is none."""
    spread, length = np.abs(y).max() or 1.0, np.abs(x).max(axis=0)
    length[length == 0] = 1.0
    scaled = x / length
    bounds, plain = np.column_stack([np.zeros(len(y)), w]), {"presolve": False}  # there is nothing to leave out
    solved = scipy.optimize.linprog(-y / spread, A_eq=scaled.T, b_eq=b / length, bounds=bounds, options=plain)
    if solved.status != 0:
        return None
    beta = -solved.eqlin.marginals
    on = np.argsort(np.abs(y / spread - scaled @ beta), kind="stable")[: x.shape[1]]
    if np.linalg.cond(scaled[on]) < 1e10:  # the line goes through as many cases as it has coefficients
        beta = np.linalg.solve(scaled[on], y[on] / spread)
    return beta * spread / length, solved.x


def bandwidth(w: np.ndarray, q: float) -> float:
    """Half-width in shares of 1 around ``q``, within 0 and 1."""
    n, z = w.sum() ** 2 / (w @ w), scipy.special.ndtri(q)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    h = n ** (-1 / 3) * scipy.special.ndtri(0.975) ** (2 / 3) * (1.5 * density**2 / (2 * z**2 + 1)) ** (1 / 3)
    while not (q - h > 0 and q + h < 1):
        h /= 2
    return float(h)
