r"""Outcomes that are seen in part: Tobit and interval regression.

:math:`y^* = x'\beta + \sigma\varepsilon`, normal; of a case we know :math:`y^*` itself, or :math:`l \le y^* \le u` with
:math:`\ell = \log[\Phi((u - x'\beta)/\sigma) - \Phi((l - x'\beta)/\sigma)]` (Tobin 1958; Stewart 1983).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import linalg, special

from ..errors import WelfareError
from .columns import numbers
from .counts import EXPONENT
from .design import Design
from .fit import maximise
from .formulas import Cases, cases
from .ordered import between_kernel
from .regression import Kernel, Regression, blocks, constant, fitted, likelihood, positive
from .rerun import rerun


@rerun
def tobit(
    design: Design,
    frame: pd.DataFrame,
    formula: str,
    lower: float = 0.0,
    upper: float = np.inf,
    where: Any = None,
) -> Regression:
    """Regression of an outcome that is cut off at ``lower`` and ``upper``; arguments and errors as for `linear`.

    ``sigma`` comes last in ``value``; the coefficients are those of the outcome before it is cut, predictions are of
    the outcome as it is seen. The null has a constant and its own sigma.
    """
    if not lower < upper:
        raise WelfareError("the limits are not in order", where="tobit", got=(lower, upper), expected="lower < upper")
    data = cases(design, frame, formula, where)
    y = data.numbers()

    def expected(theta: np.ndarray, x: np.ndarray) -> np.ndarray:
        eta, sigma = x @ theta[:-1], theta[-1]
        a, b = (lower - eta) / sigma, (upper - eta) / sigma
        below, above = special.ndtr(a), special.ndtr(-b)
        ends = sum(limit * p for limit, p in ((lower, below), (upper, above)) if np.isfinite(limit))
        density = (np.exp(-(a**2) / 2) - np.exp(-(b**2) / 2)) / np.sqrt(2 * np.pi)
        return (ends + eta * (1 - below - above) + sigma * density)[:, None]

    return _fitted(data, np.where(y <= lower, -np.inf, y), np.where(y >= upper, np.inf, y), y, expected)


@rerun
def interval_regression(
    design: Design, frame: pd.DataFrame, formula: str, low: str, high: str, where: Any = None
) -> Regression:
    """Normal regression of an outcome known to lie between two columns; ``formula`` is ``"~ columns"``.

    An infinite bound is no bound, equal bounds are an exact answer; a row with no bound at all counts as missing.
    ``sigma`` comes last in ``value``; predictions are of the outcome itself. The null has a constant and its own sigma.

    Raises
    ------
    WelfareError
        As for `linear`; a low bound above the high one.
    """
    filled, model = middled(frame, formula, low, high)
    data = cases(design, filled, model, where, (low, high))
    a, b = (numbers(data.frame[c].iloc[data.rows], c) for c in (low, high))
    return _fitted(data, a, b, data.numbers(), lambda theta, x: (x @ theta[:-1])[:, None])


def middled(frame: pd.DataFrame, formula: str, low: str, high: str) -> tuple[pd.DataFrame, str]:
    """The frame with a column in the middle of two bounds (the finite one of them, missing if none is); the formula."""
    label = f"[{low}, {high}]"
    lacking = [c for c in (low, high) if c not in frame]
    if lacking:
        raise WelfareError("the frame has no such column", where="bounds", got=lacking)
    a, b = numbers(frame[low], low), numbers(frame[high], high)
    if (a > b).any():
        got = f"{int((a > b).sum())} rows"
        raise WelfareError("a low bound is above the high one", where=label, got=got, expected="low <= high")
    middle = np.where(np.isinf(a), b, np.where(np.isinf(b), a, (np.nan_to_num(a) + np.nan_to_num(b)) / 2))
    middle = np.where(np.isinf(middle) | np.isnan(a) | np.isnan(b), np.nan, middle)
    return frame.assign(**{label: middle}), f"{label} ~ {formula.partition('~')[2]}"


def _fitted(data: Cases, low: np.ndarray, high: np.ndarray, middle: np.ndarray, expected: Any) -> Regression:
    """Maximum likelihood from the least squares of ``middle``, which is finite."""
    kernel, w = censored_kernel(low, high), data.w
    positive(w, data.label)
    starts = []
    for x in (np.ones((len(w), 1)), data.x):
        beta = linalg.lstsq(x * np.sqrt(w)[:, None], middle * np.sqrt(w))[0]
        spread = w @ (middle - x @ beta) ** 2 / w.sum()
        if not spread > 1e-20 * (w @ middle**2) / w.sum():
            raise WelfareError("the columns tell the outcome without error", where=data.label, got=data.names)
        starts.append(np.append(beta, np.log(spread) / 2))
    null = maximise(
        starts[0],
        likelihood(kernel, [*blocks(np.ones((len(w), 1))), constant(len(w), 1)], w),
        ["Intercept", "sigma"],
        data.label,
    )[1].value
    indices = [*blocks(data.x), constant(len(w), data.x.shape[1])]
    return fitted(data, data.names, kernel, indices, starts[1], null, {"sigma": EXPONENT}, expected=expected)


def normal_law(a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Of the normal distribution: :math:`\log\Phi`, :math:`\log\phi` and :math:`\phi'/\phi`."""
    return special.log_ndtr(a), -(a**2) / 2 - np.log(2 * np.pi) / 2, -a


def censored_kernel(low: np.ndarray, high: np.ndarray) -> Kernel:
    """The kernel of bounds, in the mean and the log of sigma; equal bounds have a density."""
    exact = low == high
    lower, upper = (np.where(np.isfinite(z), z, 0.0) for z in (low, high))
    between = between_kernel(
        np.where(np.isfinite(low), 0.0, -np.inf), np.where(np.isfinite(high) & ~exact, 0.0, np.inf), normal_law
    )

    def kernel(eta: np.ndarray, tau: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        scale = np.exp(-tau)
        a, b = (lower - eta) * scale, (upper - eta) * scale
        value, (d_a, d_b), ((aa, ab), (_, bb)) = between(a, b)
        mixed = scale * (a * aa + (a + b) * ab + b * bb + d_a + d_b)
        first = np.array([-scale * (d_a + d_b), -a * d_a - b * d_b])
        curved = a * a * aa + 2 * a * b * ab + b * b * bb + a * d_a + b * d_b
        second = np.array([[scale**2 * (aa + 2 * ab + bb), mixed], [mixed, curved]])
        one = np.ones_like(a)
        density = -(a**2) / 2 - tau - np.log(2 * np.pi) / 2
        slopes = np.array([a * scale, a**2 - one])
        curves = np.array([[-(scale**2) * one, -2 * a * scale], [-2 * a * scale, -2 * a**2]])
        return np.where(exact, density, value), np.where(exact, slopes, first), np.where(exact, curves, second)

    return kernel
