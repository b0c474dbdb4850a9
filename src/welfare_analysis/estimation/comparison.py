r"""Comparing models: the likelihood ratio test of Rao and Scott, and AIC and BIC of the design.

With complex samples the likelihood ratio of a larger and a smaller model is not :math:`\chi^2` but
:math:`\sum_j \delta_j \chi^2_1`, with :math:`\delta` the generalised design effects of the coefficients that the
smaller one lacks (Rao and Scott 1984; Lumley and Scott 2014). Log-likelihoods are scaled to weights with a mean of 1.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import scipy

from ..errors import WelfareError
from .fit import Fit

POINTS, REACH = 600, 14.0  # of the trapezoid rule, in the hyperbolic sine of the path


class LikelihoodRatio(NamedTuple):
    """Twice the difference of the scaled log-likelihoods, its design effects, degrees of freedom and p."""

    statistic: float
    effects: np.ndarray
    df: float
    p: float


def likelihood_ratio(full: Fit, reduced: Fit, df: float | None = None) -> LikelihoodRatio:
    r"""Test of the coefficients that ``full`` has and ``reduced`` lacks.

    The statistic is compared with :math:`\sum_j \delta_j \chi^2_1 / (\chi^2_\nu / \nu)`, :math:`\nu` the degrees of
    freedom of ``full`` (``df=numpy.inf``: without the denominator); one coefficient makes it an F test of
    statistic over delta. The distribution is inverted numerically (Imhof 1961).

    Raises
    ------
    WelfareError
        Models that are not nested by the names of their coefficients, or not of the same outcome, rows and design;
        models without a likelihood; standard errors that are infinite.
    """
    tested = _nested(full, reduced)
    nu = float(full.df.iloc[0]) if df is None else df
    statistic = 2 * (full.log_likelihood - reduced.log_likelihood) / full.scale
    effects = full.effects(tested)
    return LikelihoodRatio(statistic, effects, nu, tail(statistic, effects, nu))


def aic(fit: Fit, common: Sequence[Hashable] = ()) -> float:
    r"""AIC of the design: :math:`-2\ell + 2\,\mathrm{tr}\,\Delta` (Lumley and Scott 2015, section 2).

    The trace is the sum of the generalised design effects, which takes the place of the number of coefficients;
    those of ``common``, coefficients that all models compared have, are left out of it, as R does with the constant.
    """
    _has_likelihood(fit)
    counted = [name for name in fit.value.index if name not in set(common)]
    return float(-2 * fit.log_likelihood / fit.scale + 2 * fit.effects(counted).sum())


def bic(fit: Fit, largest: Fit) -> float:
    r"""BIC of the design, of a model nested in the ``largest`` one that is looked at.

    .. math:: -2\ell_M + W + p \log n + \log|\Delta|

    with W the Wald statistic, and :math:`\Delta` the design effect matrix, of the coefficients of the largest model M
    that are 0 in this one of p: Laplace's approximation to the marginal density of M's estimates, which are normal with
    the design's covariance (Lumley and Scott 2015, section 3). Differences of two models do not depend on the others.
    """
    _has_likelihood(largest)
    n, p = largest.n_rows, len(fit.value)
    base = -2 * largest.log_likelihood / largest.scale + p * np.log(n)
    if list(fit.value.index) == list(largest.value.index):
        return float(base)
    tested = _nested(largest, fit)
    b, v = largest.value[tested].to_numpy(), largest.covariance().loc[tested, tested].to_numpy()
    return float(base + b @ np.linalg.solve(v, b) + np.log(largest.effects(tested)).sum())


def tail(x: float, weights: np.ndarray, df: float = np.inf) -> float:
    r"""Probability that :math:`\sum_j \delta_j \chi^2_1` exceeds x times :math:`\chi^2_\nu / \nu`.

    Both sides make one sum of weighted chi-squares (Imhof 1961), with the cumulant function K. The inversion
    :math:`\frac{1}{2\pi i}\int e^{K(s) - sx} ds/s` runs through the saddlepoint on a path that bends to where the
    integrand falls (Rice 1980), by the trapezoid rule: relative error under 1e-5, mostly 1e-11.
    """
    if x <= 0:
        return 1.0
    sizes, counts = np.asarray(weights, dtype=float), np.ones(len(weights))
    if np.isfinite(df):
        sizes, counts, x = np.append(sizes, -x / df), np.append(counts, df), 0.0
    end = 1 / (2 * sizes.max())
    centre = scipy.optimize.brentq(
        lambda s: (counts * sizes / (1 - 2 * sizes * s)).sum() - x - 1 / s, 1e-12 * end, (1 - 1e-12) * end
    )
    width = 1 / np.sqrt((2 * counts * (sizes / (1 - 2 * sizes * centre)) ** 2).sum() + centre**-2)
    v = (np.arange(POINTS) + 0.5) * REACH / POINTS
    y = np.sinh(v)
    s = centre + width * (1j * y + y**2 / (1 + y) / 2)
    slope = width * (1j + (2 * y + y**2) / (1 + y) ** 2 / 2) * np.cosh(v)
    value = np.exp(-np.log(1 - 2 * np.outer(s, sizes)) @ counts / 2 - s * x) / s * slope
    return float(np.clip(value.imag.sum() * REACH / POINTS / np.pi, 0.0, 1.0))


def _nested(full: Fit, reduced: Fit) -> list[Hashable]:
    """The coefficients that the smaller model lacks."""
    for fit in (full, reduced):
        _has_likelihood(fit)
    larger, smaller = set(full.value.index), set(reduced.value.index)
    if not smaller < larger or type(full) is not type(reduced):
        got = sorted(map(str, smaller - larger)) or "the same coefficients"
        raise WelfareError("the models are not nested", where="comparison", got=got, expected="fewer of the same names")
    same = full.design is reduced.design and full.value.name == reduced.value.name
    if not same or not np.array_equal(full.rows, reduced.rows):
        hint = "Missing values in one model only part them: say where= to take the same rows."
        got = f"{full.n_rows} and {reduced.n_rows} rows"
        raise WelfareError("the models are of other rows or outcomes", where="comparison", got=got, hint=hint)
    if not np.isfinite(full.se).all():
        raise WelfareError("the sample tells no standard error", where="comparison", got=full.se.to_dict())
    return [name for name in full.value.index if name not in smaller]


def _has_likelihood(fit: Fit) -> None:
    if not (isinstance(fit, Fit) and np.isfinite(fit.log_likelihood)):
        raise WelfareError("the model has no likelihood", where=str(fit.value.name), expected="maximum likelihood")
