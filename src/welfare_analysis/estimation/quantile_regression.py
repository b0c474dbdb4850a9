r"""Quantile regression with weights and the design's covariance.

:math:`\hat\beta` minimises :math:`\sum_k w_k \rho_q(y_k - x_k'\beta)`, :math:`\rho_q(u) = u(q - 1[u < 0])` (Koenker and
Bassett 1978), by the dual linear programme: the largest :math:`y'a` with :math:`X'a = (1-q) X'w`,
:math:`0 \le a \le w`. Its influence is :math:`J^{-1} x_k (a_k / w_k - 1 + q)`, with
:math:`J = \sum w_k f_k(0) x_k x_k'` by a kernel (Powell 1991).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, stats

from ..errors import WelfareError
from .design import Design
from .formulas import cases
from .regression import Regression, positive, regression


def quantile_regression(
    design: Design, frame: pd.DataFrame, formula: str, q: float = 0.5, where: Any = None
) -> Regression:
    """Regression of the ``q``-quantile; other arguments and errors as for `linear`.

    The densities are a normal kernel's with the bandwidth of Hall and Sheather (1988) at Kish's effective sample size,
    brought to the scale of the residuals (Koenker 2005, section 3.4.2). There is no likelihood: it is nan.
    """
    if not np.isscalar(q) or isinstance(q, str) or not 0 < q < 1:
        raise WelfareError("not between 0 and 1", where="q", got=q, expected="one share, as 0.5")
    found = cases(design, frame, formula, where)
    positive(found.w, found.label)
    y, w, x = found.numbers(), found.w, found.x
    beta, a = minimum(y, x, w / w.mean(), q)
    rest = y - x @ beta
    width = bandwidth(rest, w, q)
    if not width > 1e-12 * np.abs(y).max():
        what = "most residuals are zero, and the density has no width"
        raise WelfareError(what, where=found.label, got=width, hint="Take another quantile.")
    density = stats.norm.pdf(rest / width) / width
    score = x * (a - 1 + q)[:, None]
    information = (x * (w * density)[:, None]).T @ x
    return regression(
        found, found.names, beta, score, information, q=x.shape[1], expected=lambda theta, x: (x @ theta)[:, None]
    )


def minimum(y: np.ndarray, x: np.ndarray, w: np.ndarray, q: float) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients, and the dual values over the weights: 1 above the line, 0 below, between on it."""
    spread, length = np.abs(y).max(), np.abs(x).max(axis=0)
    scaled = x / length
    solved = optimize.linprog(
        -y / spread, A_eq=scaled.T, b_eq=(1 - q) * (w @ scaled), bounds=np.column_stack([np.zeros(len(y)), w])
    )
    if solved.status != 0:
        raise WelfareError("the linear programme was not solved", where="quantile_regression", got=solved.message)
    a = solved.x / w
    beta = -solved.eqlin.marginals
    on = np.argsort(np.abs(y / spread - scaled @ beta), kind="stable")[: x.shape[1]]
    if np.linalg.cond(scaled[on]) < 1e10:  # the line goes through as many cases as it has coefficients
        beta = np.linalg.solve(scaled[on], y[on] / spread)
    return beta * spread / length, a


def bandwidth(rest: np.ndarray, w: np.ndarray, q: float) -> float:
    """Width of the kernel on the scale of the residuals."""
    n, z = w.sum() ** 2 / (w @ w), stats.norm.ppf(q)
    h = n ** (-1 / 3) * stats.norm.ppf(0.975) ** (2 / 3) * (1.5 * stats.norm.pdf(z) ** 2 / (2 * z**2 + 1)) ** (1 / 3)
    while not (q - h > 0 and q + h < 1):
        h /= 2
    low, high = np.quantile(rest, [0.25, 0.75], weights=w, method="inverted_cdf")
    deviation = np.sqrt(np.cov(rest, aweights=w))
    scale = min(deviation, (high - low) / 1.34) if high > low else deviation
    return float((stats.norm.ppf(q + h) - stats.norm.ppf(q - h)) * scale)
