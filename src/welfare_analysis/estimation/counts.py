r"""Counts, and amounts that are often zero.

Poisson, and negative binomial (NB2; Cameron and Trivedi 2013, section 3.3): mean :math:`\mu = e^{x'\beta}`, variance
:math:`\mu + \alpha\mu^2`. Two parts (Duan, Manning, Morris and Newhouse 1983): whether there is an amount, and how
much.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from ..errors import WelfareError
from .columns import not_negative, numbers, positive
from .design import Design
from .fit import maximise, unidentified
from .formulas import cases
from .linear_models import logit_kernel, yes_or_no
from .regression import Kernel, Regression, Shown, blocks, fitted, least_squares, likelihood, regression, scores
from .rerun import rerun

LARGEST = 500.0  # offset whose exponential is a number
Derivatives = tuple[np.ndarray, np.ndarray, np.ndarray]
EXPONENT: Shown = (np.exp, np.exp)  # a parameter estimated by its log: how it is shown, and the derivative of that


@rerun
def poisson(
    design: Design, frame: pd.DataFrame, formula: str, where: Any = None, offset: str | None = None
) -> Regression:
    r"""Poisson regression, :math:`\mu = e^{x'\beta + o}`; arguments and errors as for `linear`.

    Right for the mean of any outcome of zero or more, whatever its variance (Gourieroux, Monfort and Trognon 1984), as
    the errors are the design's. ``offset`` is a column o, the log of what the outcome is counted in, as persons or
    months; predictions are for one of it, o = 0. The null is a constant and the offset.
    """
    return _with_offset("poisson", design, frame, formula, where, offset)


@rerun
def gamma(
    design: Design, frame: pd.DataFrame, formula: str, where: Any = None, offset: str | None = None
) -> Regression:
    r"""Gamma regression of amounts above zero, :math:`\mu = e^{x'\beta + o}`; arguments and errors as for `poisson`.

    Its score is :math:`x(y - \mu)/\mu`: of amounts whose spread grows with their mean it is more precise than Poisson's
    (McCullagh and Nelder 1989, chapter 8). The log-likelihood is that of a shape of 1, the exponential law.
    """
    return _with_offset("gamma", design, frame, formula, where, offset)


@rerun
def cloglog(
    design: Design, frame: pd.DataFrame, formula: str, where: Any = None, offset: str | None = None
) -> Regression:
    r"""Regression of yes or no by :math:`p = 1 - \exp(-e^{x'\beta + o})`; arguments and errors as for `poisson`.

    Whether something has happened in a time whose log is o, at a rate of :math:`e^{x'\beta}` (Prentice and Gloeckler
    1978).
    """
    return _with_offset("cloglog", design, frame, formula, where, offset)


def _with_offset(law: str, design: Design, frame: Any, formula: str, where: Any, offset: str | None) -> Regression:
    """A regression by the logarithm of what the outcome is counted in."""
    data = cases(design, frame, formula, where, offset)
    share = law == "cloglog"
    y, w = yes_or_no(data) if share else data.numbers(), data.w
    not_negative(y, data.label)
    positive(w, data.label)
    if law == "gamma" and not y.all():
        raise WelfareError("an amount is zero", where=data.label, expected="above zero", hint="Use poisson().")
    known = np.zeros(len(y)) if offset is None else numbers(data.frame[offset].iloc[data.rows], offset)
    if not (np.abs(known) < LARGEST).all():
        got, hint = float(known[np.abs(known).argmax()]), "Take the log of what the outcome is counted in."
        raise WelfareError("the offset is no logarithm", where=str(offset), got=got, hint=hint)
    kernel = {"poisson": _poisson, "gamma": _gamma, "cloglog": _cloglog}[law](y, known)
    start, null = least_squares(data.x, np.log(y + 0.5) - known, w), np.log([(w @ y) / (w @ np.exp(known))])

    def expected(theta: np.ndarray, x: np.ndarray) -> np.ndarray:
        mu = np.exp(x @ theta)
        return (-np.expm1(-mu) if share else mu)[:, None]

    return fitted(data, data.names, kernel, blocks(data.x), start, null, expected=expected, probability=share)


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
    y, w = data.numbers(), data.w
    not_negative(y, data.label)
    positive(w, data.label)
    if (y != np.round(y)).any():
        got = float(y[y != np.round(y)][0])
        raise WelfareError("a count is not a whole number", where=data.label, got=got, expected="0, 1, 2, ...")
    one = np.ones((len(y), 1))
    return fitted(
        data,
        data.names,
        _negative_binomial(y),
        blocks(data.x, one),
        _overdispersed(y, data.x, w, data.names, data.label),
        _overdispersed(y, one, w, ["Intercept"], data.label),
        {"alpha": EXPONENT},
        expected=lambda theta, x: np.exp(x @ theta[:-1])[:, None],
    )


def _overdispersed(y: np.ndarray, x: np.ndarray, w: np.ndarray, names: list[str], label: str) -> np.ndarray:
    """Where the search begins: Poisson regression, and the log of the alpha that the moments give."""
    beta, _ = maximise(least_squares(x, np.log(y + 0.5), w), likelihood(_poisson(y), blocks(x), w), names, label)
    mu = np.exp(x @ beta)
    excess = w @ ((y - mu) ** 2 - y) / (w @ mu**2)
    if excess <= 0:
        what = "the counts vary no more than a Poisson law lets them, and alpha is 0"
        raise WelfareError(what, where=label, got=float(excess), expected="a positive alpha")
    return np.append(beta, np.log(excess))


@rerun
def two_part(design: Design, frame: pd.DataFrame, formula: str, where: Any = None) -> Regression:
    r"""Whether there is an amount (logit of y > 0), and how much among those; arguments and errors as for `linear`.

    The expected amount is :math:`F(x'\gamma)\, e^{x'\beta} S`: least squares of log y, and S the mean of the
    exponentials of its residuals (Duan 1983), last in ``value`` ("smearing"). Coefficients of whether are named ``"any:
    column"``. The influence is stacked: it holds the errors of all parts. There is no one likelihood:
    ``log_likelihood`` is nan.
    """
    data = cases(design, frame, formula, where)
    y, w, x, q = data.numbers(), data.w, data.x, data.x.shape[1]
    not_negative(y, data.label)
    positive(w, data.label)
    some = y > 0
    if some.all() or some.sum() <= q:
        raise WelfareError("too few amounts of zero, or above", where=data.label, got=f"{some.sum()} of {len(y)}")
    names, kernel = [f"any: {name}" for name in data.names], logit_kernel(some.astype(float))
    whether, found = maximise(np.zeros(q), likelihood(kernel, blocks(x), w), names, data.label)
    part, log_y = data.at(some), np.log(y[some])
    amount = least_squares(part.x, log_y, part.w)
    rest = log_y - part.x @ amount
    factor = np.exp(rest)
    smearing = part.w @ factor / part.w.sum()
    score, information = np.zeros((len(y), 2 * q + 1)), np.zeros((2 * q + 1, 2 * q + 1))
    score[:, :q], information[:q, :q] = scores(kernel, blocks(x), whether), found.information
    score[some, q:-1] = part.x * rest[:, None]
    information[q:-1, q:-1] = (part.x * part.w[:, None]).T @ part.x
    score[some, -1] = factor - smearing
    information[-1, q:-1], information[-1, -1] = part.x.T @ (part.w * factor), part.w.sum()
    vague = unidentified(information[q:-1, q:-1], data.names)
    if vague:
        raise WelfareError("columns are collinear among amounts above zero", where=data.label, got=vague)

    def expected(theta: np.ndarray, x: np.ndarray) -> np.ndarray:
        return (special.expit(x @ theta[:q]) * np.exp(x @ theta[q:-1]) * theta[-1])[:, None]

    value = np.concatenate([whether, amount, [smearing]])
    return regression(data, [*names, *data.names, "smearing"], value, score, information, q, expected=expected)


def _poisson(y: np.ndarray, offset: np.ndarray | float = 0.0) -> Kernel:
    least = special.gammaln(y + 1)

    def kernel(eta: np.ndarray) -> Derivatives:
        mu = np.exp(eta + offset)
        return y * (eta + offset) - mu - least, (y - mu)[None], -mu[None, None]

    return kernel


def _gamma(y: np.ndarray, offset: np.ndarray) -> Kernel:
    def kernel(eta: np.ndarray) -> Derivatives:
        part = y * np.exp(-eta - offset)
        return -part - eta - offset, (part - 1)[None], -part[None, None]

    return kernel


def _cloglog(y: np.ndarray, offset: np.ndarray) -> Kernel:
    r"""With h the rate times the time: of yes :math:`\\log(1 - e^{-h})`, of no -h."""

    def kernel(eta: np.ndarray) -> Derivatives:
        h = np.exp(eta + offset)
        up = h / np.expm1(h)  # the derivative of yes
        value = np.where(y > 0, np.log(-np.expm1(-h)), -h)
        return value, np.where(y > 0, up, -h)[None], np.where(y > 0, up * (1 - h - up), -h)[None, None]

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
