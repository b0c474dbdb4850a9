r"""Counts, and amounts that are often zero.

Poisson, and negative binomial (NB2; Cameron and Trivedi 2013, section 3.3): mean :math:`\mu = e^{x'\beta}`, variance
:math:`\mu + \alpha\mu^2`. Two parts (Duan, Manning, Morris and Newhouse 1983): whether there is an amount, and how
much.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import linalg, special

from ..errors import WelfareError
from .columns import numbers
from .design import Design
from .fit import maximise
from .formulas import Cases, cases
from .linear_models import logit_kernel
from .regression import Kernel, Regression, blocks, constant, fitted, likelihood, positive, regression, scores
from .rerun import rerun

Derivatives = tuple[np.ndarray, np.ndarray, np.ndarray]
EXPONENT = (np.exp, np.exp)  # a parameter estimated by its log: how it is shown, and the derivative of that


@rerun
def poisson(
    design: Design, frame: pd.DataFrame, formula: str, where: Any = None, offset: str | None = None
) -> Regression:
    r"""Poisson regression, :math:`\mu = e^{x'\beta + o}`; arguments and errors as for `linear`.

    Right for the mean of any outcome of zero or more, whatever its variance (Gourieroux, Monfort and Trognon 1984), as
    the errors are the design's. ``offset`` is a column o, the log of what the outcome is counted in, as persons or
    months; predictions are for one of it, o = 0. The null is a constant and the offset.
    """
    data = cases(design, frame, formula, where, () if offset is None else (offset,))
    y, w = _amounts(data), data.w
    known = np.zeros(len(y)) if offset is None else numbers(data.frame[offset].iloc[data.rows], offset)
    kernel = _poisson(y, known)
    start = linalg.lstsq(data.x * np.sqrt(w)[:, None], (np.log(y + 0.5) - known) * np.sqrt(w))[0]
    constant = np.full(len(y), np.log((w @ y) / (w @ np.exp(known))))
    null = float(w @ kernel(constant)[0])
    return fitted(
        data,
        data.names,
        kernel,
        blocks(data.x),
        start,
        null,
        expected=lambda theta, x: np.exp(x @ theta)[:, None],
    )


@rerun
def negative_binomial(design: Design, frame: pd.DataFrame, formula: str, where: Any = None) -> Regression:
    """Negative binomial regression of a count; arguments and errors as for `linear`.

    ``alpha`` comes last in ``value``. The null has a constant and its own alpha.

    Raises
    ------
    WelfareError
        Counts that are negative or not whole; no more variance than a Poisson law has, where alpha is 0.
    """
    data = cases(design, frame, formula, where)
    y, w = _amounts(data), data.w
    positive(w, data.label)
    if (y != np.round(y)).any():
        got = float(y[y != np.round(y)][0])
        raise WelfareError("a count is not a whole number", where=data.label, got=got, expected="0, 1, 2, ...")
    kernel, starts, ends = _negative_binomial(y), [], []
    for x, names in ((np.ones((len(y), 1)), ["Intercept"]), (data.x, data.names)):
        start = linalg.lstsq(x * np.sqrt(w)[:, None], np.log(y + 0.5) * np.sqrt(w))[0]
        beta, _ = maximise(start, likelihood(_poisson(y), blocks(x), w), names, data.label)
        mu = np.exp(x @ beta)
        excess = w @ ((y - mu) ** 2 - y) / (w @ mu**2)
        if excess <= 0:
            what = "the counts vary no more than a Poisson law lets them, and alpha is 0"
            raise WelfareError(what, where=data.label, got=float(excess), expected="a positive alpha")
        starts.append(np.append(beta, np.log(excess)))
        indices = [*blocks(x), constant(len(y), x.shape[1])]
        ends.append(maximise(starts[-1], likelihood(kernel, indices, w), [*names, "alpha"], data.label)[1].value)
    return fitted(
        data,
        data.names,
        kernel,
        indices,
        starts[-1],
        ends[0],
        {"alpha": EXPONENT},
        expected=lambda theta, x: np.exp(x @ theta[:-1])[:, None],
    )


@rerun
def two_part(
    design: Design, frame: pd.DataFrame, formula: str, method: str = "smearing", where: Any = None
) -> Regression:
    r"""Whether there is an amount (logit of y > 0), and how much among those; arguments and errors as for `linear`.

    The expected amount is :math:`F(x'\gamma)\, e^{x'\beta} S`. ``method="smearing"``: least squares of log y, and S the
    mean of the exponentials of its residuals (Duan 1983), last in ``value``. ``"gamma"``: quasi-likelihood of a gamma
    law with log link, S = 1. Coefficients of whether are named ``"any: column"``. The influence is stacked: it holds
    the errors of all parts. There is no one likelihood: ``log_likelihood`` is nan.
    """
    if method not in ("smearing", "gamma"):
        raise WelfareError("unknown method", where="two_part", got=method, expected="smearing or gamma")
    data = cases(design, frame, formula, where)
    y, w, x, q = _amounts(data), data.w, data.x, data.x.shape[1]
    positive(w, data.label)
    some = y > 0
    if some.all() or some.sum() <= q:
        raise WelfareError("too few amounts of zero, or above", where=data.label, got=f"{some.sum()} of {len(y)}")
    names = [f"any: {name}" for name in data.names]
    whether, found_whether = maximise(
        np.zeros(q), likelihood(logit_kernel(some.astype(float)), blocks(x), w), names, data.label
    )
    part = data.at(some)
    log_y = np.log(y[some])
    start = linalg.lstsq(part.x * np.sqrt(part.w)[:, None], log_y * np.sqrt(part.w))[0]
    kernel = _gaussian(log_y) if method == "smearing" else _gamma(y[some])
    amount, found_amount = maximise(start, likelihood(kernel, blocks(part.x), part.w), data.names, data.label)
    size = 2 * q + (method == "smearing")
    score, information, value = np.zeros((len(y), size)), np.zeros((size, size)), np.concatenate([whether, amount])
    score[:, :q] = scores(logit_kernel(some.astype(float)), blocks(x), whether)
    score[some, q : 2 * q] = scores(kernel, blocks(part.x), amount)
    information[:q, :q], information[q : 2 * q, q : 2 * q] = found_whether.information, found_amount.information
    if method == "smearing":
        factor = np.exp(log_y - part.x @ amount)
        value = np.append(value, part.w @ factor / part.w.sum())
        score[some, -1] = factor - value[-1]
        information[-1, q : 2 * q], information[-1, -1] = part.x.T @ (part.w * factor), part.w.sum()
    return regression(
        data,
        [*names, *data.names, *(["smearing"] if method == "smearing" else [])],
        value,
        score,
        information,
        q,
        expected=lambda theta, x: _expected_amount(theta, x)[:, None],
    )


def _expected_amount(theta: np.ndarray, x: np.ndarray) -> np.ndarray:
    q = x.shape[1]
    return special.expit(x @ theta[:q]) * np.exp(x @ theta[q : 2 * q]) * np.prod(theta[2 * q :])


def _amounts(data: Cases) -> np.ndarray:
    y = data.numbers()
    if (y < 0).any():
        got = float(y[y < 0][0])
        raise WelfareError("an outcome is negative", where=data.label, got=got, expected="0 or more")
    return y


def _poisson(y: np.ndarray, offset: np.ndarray | float = 0.0) -> Kernel:
    least = special.gammaln(y + 1)

    def kernel(eta: np.ndarray) -> Derivatives:
        mu = np.exp(eta + offset)
        return y * (eta + offset) - mu - least, (y - mu)[None], -mu[None, None]

    return kernel


def _gaussian(y: np.ndarray) -> Kernel:
    return lambda eta: (-((y - eta) ** 2) / 2, (y - eta)[None], -np.ones((1, 1, len(y))))


def _gamma(y: np.ndarray) -> Kernel:
    def kernel(eta: np.ndarray) -> Derivatives:
        ratio = y * np.exp(-eta)
        return -ratio - eta, (ratio - 1)[None], -ratio[None, None]

    return kernel


def _negative_binomial(y: np.ndarray) -> Kernel:
    """In the log of the mean and the log of alpha; r = 1 / alpha."""

    def kernel(eta: np.ndarray, tau: np.ndarray) -> Derivatives:
        mu, r = np.exp(eta), np.exp(-tau)
        both, fall = r + mu, -np.log1p(mu / r)
        value = special.gammaln(y + r) - special.gammaln(r) - special.gammaln(y + 1) + r * fall
        value = value + y * (eta - np.log(both))
        g = special.digamma(y + r) - special.digamma(r) + fall + (mu - y) / both
        gg = special.polygamma(1, y + r) - special.polygamma(1, r) + mu / (r * both) - (mu - y) / both**2
        mixed = -r * (y - mu) * mu / both**2
        second = np.array([[-mu * r * (y + r) / both**2, mixed], [mixed, r * g + r**2 * gg]])
        return value, np.array([(y - mu) * r / both, -r * g]), second

    return kernel
