r"""Outcomes that are cut off: Tobit.

:math:`y^* = x'\beta + \sigma\varepsilon`, normal; of a case we know :math:`y^*` itself, or that it is at most a
limit l, with :math:`\ell = \log\Phi((l - x'\beta)/\sigma)`, or at least a limit (Tobin 1958).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from ..errors import WelfareError
from .columns import positive
from .counts import EXPONENT
from .design import Design
from .formulas import cases
from .linear_models import log_normal
from .regression import Kernel, Regression, blocks, fitted, least_squares
from .rerun import rerun


@rerun
def tobit(
    design: Design, frame: pd.DataFrame, formula: str, lower: float = 0.0, upper: float = np.inf, where: Any = None
) -> Regression:
    """Regression of an outcome that is cut off at ``lower`` and ``upper``; arguments and errors as for `linear`.

    ``sigma`` comes last in ``value``; the coefficients are those of the outcome before it is cut, predictions are of
    the outcome as it is seen. The null has a constant and its own sigma.
    """
    if not lower < upper:
        raise WelfareError("the limits are not in order", where="tobit", got=(lower, upper), expected="lower < upper")
    data = cases(design, frame, formula, where)
    y = data.numbers()
    if not ((y > lower) & (y < upper)).any():
        raise WelfareError("all answers are at a limit", where=data.label, got=(lower, upper), expected="some between")

    def expected(theta: np.ndarray, x: np.ndarray) -> np.ndarray:
        eta, sigma = x @ theta[:-1], theta[-1]
        a, b = (lower - eta) / sigma, (upper - eta) / sigma
        below, above = special.ndtr(a), special.ndtr(-b)
        ends = sum(limit * p for limit, p in ((lower, below), (upper, above)) if np.isfinite(limit))
        density = (np.exp(-(a**2) / 2) - np.exp(-(b**2) / 2)) / np.sqrt(2 * np.pi)
        return (ends + eta * (1 - below - above) + sigma * density)[:, None]

    w, one = data.w, np.ones((len(data.w), 1))
    positive(w, data.label)
    starts: list[np.ndarray] = []
    for x in (data.x, one):
        beta = least_squares(x, y, w)
        spread = w @ (y - x @ beta) ** 2 / w.sum()
        if not spread > 1e-20 * (w @ y**2) / w.sum():
            raise WelfareError("the columns tell the outcome without error", where=data.label, got=data.names)
        starts.append(np.append(beta, np.log(spread) / 2))
    (start, null), kernel = starts, tobit_kernel(y, lower, upper)
    return fitted(data, data.names, kernel, blocks(data.x, one), start, null, {"sigma": EXPONENT}, expected=expected)


def tobit_kernel(y: np.ndarray, lower: float, upper: float) -> Kernel:
    r"""The kernel of a normal outcome, in its mean and the log of sigma; at a limit, of :math:`\log\Phi` beyond it."""
    below, exact = y <= lower, (y > lower) & (y < upper)
    end, side = np.where(exact, y, np.where(below, lower, upper)), np.where(below, 1.0, -1.0)

    def kernel(eta: np.ndarray, tau: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        scale = np.exp(-tau)
        a = (end - eta) * scale
        value, mills = log_normal(side * a)
        mills = side * mills  # the derivative by a
        bend = -mills * (mills + a)
        density = -(a**2) / 2 - tau - np.log(2 * np.pi) / 2
        d, dd = np.where(exact, -a, mills), np.where(exact, -1.0, bend)
        mixed = scale * (d + a * dd)
        first = np.array([-scale * d, -a * d - exact])
        return np.where(exact, density, value), first, np.array([[scale**2 * dd, mixed], [mixed, a * d + a**2 * dd]])

    return kernel
