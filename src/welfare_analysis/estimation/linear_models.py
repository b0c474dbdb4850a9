r"""Linear and logistic regression with the design's covariance (Binder 1983; Fuller 1975)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import linalg, special

from ..errors import WelfareError
from .columns import positive
from .design import Design
from .fit import maximise
from .formulas import SPARSE, Cases, cases
from .regression import Kernel, Regression, blocks, fitted, likelihood, regression
from .rerun import rerun

MANY = 20_000  # cases from which a search among some of them pays
ROUGH = 1e-5  # where that ends, as `fit.CLOSE`: nearer than the maximum of some is to that of all


@rerun
def linear(design: Design, frame: pd.DataFrame, formula: str, where: Any = None) -> Regression:
    r"""Weighted least squares: :math:`\hat\beta = (X'WX)^{-1} X'Wy`, with :math:`z_k = (X'WX)^{-1} x_k e_k`.

    Parameters
    ----------
    design : Design
        With n rows.
    frame : DataFrame (n rows)
        With the index of the design's weights, or numbered 0, 1, ...
    formula : str
        ``"outcome ~ columns"``, read by formulaic; the outcome may be an expression, as ``log(rent_dh)``.
    where : boolean mask (n,), optional
        The rows that the model speaks of.

    Returns
    -------
    Regression
        ``log_likelihood`` is that of normal errors with the maximum likelihood variance; the null is a constant.

    Raises
    ------
    WelfareError
        As for `formulas.cases`; an outcome that is not numeric; columns that tell it without error.
    """
    data = cases(design, frame, formula, where)
    y, w, x = data.numbers(), data.w, data.x
    size, root = w.sum(), np.asarray(np.linalg.qr(x * np.sqrt(np.abs(w))[:, None], mode="r"))
    half = linalg.solve_triangular(root, np.eye(x.shape[1]))  # times its transpose (X'WX)^-1, with twice the digits
    unit = x @ half
    within = (unit * w[:, None]).T @ unit  # the identity, unless calibration made weights negative
    beta = half @ np.linalg.solve(within, unit.T @ (w * y))
    beta = beta + half @ np.linalg.solve(within, unit.T @ (w * (y - x @ beta)))
    rest = y - x @ beta
    variance, total = w @ rest**2 / size, w @ (y - w @ y / size) ** 2 / size
    if variance < 0:
        positive(w, data.label)
    if not variance > 1e-20 * (w @ y**2) / size:
        raise WelfareError("the columns tell the outcome without error", where=data.label, got=data.names)
    return regression(
        data,
        data.names,
        beta,
        x * (rest / variance)[:, None],
        root.T @ within @ root / variance,
        q=x.shape[1],
        half=half * np.sqrt(variance) if (w >= 0).all() else None,
        log_likelihood=-size / 2 * (np.log(2 * np.pi * variance) + 1),
        null=-size / 2 * (np.log(2 * np.pi * total) + 1),
        expected=lambda theta, x: (x @ theta)[:, None],
    )


@rerun
def logistic(design: Design, frame: pd.DataFrame, formula: str, where: Any = None) -> Regression:
    """Logistic regression of yes or no (booleans, or 0 and 1); arguments and errors as for `linear`, and separation.

    The log-likelihood is Bernoulli's; the null is a constant.
    """
    data = cases(design, frame, formula, where)
    y = yes_or_no(data)
    return fitted(
        data,
        data.names,
        logit_kernel(y),
        blocks(data.x),
        _start(data, y),
        share_likelihood(data.w, y),
        expected=lambda theta, x: special.expit(x @ theta)[:, None],
        probability=True,
    )


def _start(data: Cases, y: np.ndarray) -> np.ndarray:
    """Where the search begins: zeros; of many cases near the maximum of every 8th, which saves two steps over all."""
    start, some = np.zeros(data.x.shape[1]), slice(None, None, SPARSE)
    if len(y) < MANY:
        return start
    try:
        near = likelihood(logit_kernel(y[some]), blocks(np.asfortranarray(data.x[some])), data.w[some])
        return maximise(start, near, data.names, data.label, close=ROUGH)[0]
    except WelfareError:  # all may tell apart what some do not
        return start


def yes_or_no(data: Cases) -> np.ndarray:
    """The outcome as 0 and 1."""
    y = data.numbers()
    if not np.isin(y, (0.0, 1.0)).all():
        got = sorted(set(y.tolist()) - {0.0, 1.0})[:3]
        raise WelfareError("the outcome is not yes or no", where=data.label, got=got, expected="booleans, or 0 and 1")
    return y


def share_likelihood(w: np.ndarray, y: np.ndarray) -> float:
    """Bernoulli's weighted log-likelihood of one share."""
    return -w.sum() * float(special.entr(w @ y / w.sum()) + special.entr(1 - w @ y / w.sum()))


def logit_kernel(y: np.ndarray) -> Kernel:
    """The kernel of yes or no by the logistic function."""

    def kernel(eta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        small = np.exp(-np.abs(eta))
        large = 1 / (1 + small)
        other = small * large
        value = y * eta - np.maximum(eta, 0) - np.log1p(small)
        return value, (y - np.where(eta > 0, large, other))[None], (-other * large)[None, None]

    return kernel


def probit_kernel(y: np.ndarray) -> Kernel:
    """The kernel of yes or no by the normal distribution."""
    sign = 2 * y - 1

    def kernel(eta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        value, mills = log_normal(sign * eta)
        return value, (sign * mills)[None], (-mills * (mills + sign * eta))[None, None]

    return kernel


def log_normal(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""The log of :math:`\Phi(a)` and its derivative, the inverse Mills ratio :math:`\phi(a)/\Phi(a)`."""
    value = special.log_ndtr(a)
    return value, np.exp(-(a**2) / 2 - np.log(2 * np.pi) / 2 - value)
