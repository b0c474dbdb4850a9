r"""Conditional and multinomial logit with the covariance of the design.

The utility of alternative j in case c is :math:`V_{cj} = x_{cj}'\beta + o_{cj}`, the probability that it is chosen
:math:`P_{cj} = e^{V_{cj}} / \sum_{l} e^{V_{cl}}`, l over what is available (McFadden 1974; Train 2009, eq. 3.6). With
:math:`\bar x_c = \sum_j P_{cj} x_{cj}` the score of a case is :math:`x_{c\,chosen} - \bar x_c`, and the information
:math:`\sum_c w_c \sum_j P_{cj} (x_{cj} - \bar x_c)(x_{cj} - \bar x_c)'`: globally concave, so Newton's method is exact.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ...errors import WelfareError
from ..design import Design
from ..fit import Fit, Likelihood, estimated, maximise
from ..rerun import rerun
from .data import Cases, choices

MANY, FEW = 20_000, 2_000
BLOCK = 1 << 15  # numbers of a block, which stays in the cache of a core


@dataclass(frozen=True, eq=False)
class ChoiceFit(Fit):
    """A choice model that has been fitted; ``null_log_likelihood`` is that of equal shares among what is available.

    Attributes
    ----------
    cases : Cases
        What it was fitted to.
    again : callable
        The same model fitted to other cases.
    blocked : str
        Why money and welfare cannot be had from it; empty where they can.
    """

    cases: Cases = field(default=None, repr=False)  # type: ignore[assignment]
    again: Callable[[Cases], ChoiceFit] = field(default=lambda cases: fitted(cases), repr=False)
    blocked: str = ""

    @property
    def rho_squared_bar(self) -> float:
        r""":math:`\bar\rho^2 = 1 - (\ell - p) / \ell_0` of p coefficients (Ben-Akiva and Lerman 1985, p. 167).

        Log-likelihoods, :math:`\ell_0` that of equal shares, are scaled to weights with a mean of 1.
        """
        zero, full = self.null_log_likelihood / self.scale, self.log_likelihood / self.scale
        return 1 - (full - len(self.value)) / zero

    def predict(self, theta: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities (rows,) and logsums (C,) in units of utility, at ``theta`` (p,) or at the estimates."""
        theta = self.value.to_numpy() if theta is None else theta
        return softmax(self.cases.x @ theta, self.cases.start)


@rerun
def logit(
    design: Design | None, long: pd.DataFrame, formula: str, case: str, alternative: str, person: str | None = None
) -> ChoiceFit:
    """Fit a conditional or multinomial logit by weighted maximum likelihood.

    Parameters
    ----------
    design, long, formula, case, alternative, person
        As for `choices`; for instance ``"chosen ~ C(mode, contr.treatment('car')) + cost + C(mode):income"``.

    Returns
    -------
    ChoiceFit
        Coefficients per unit of each attribute. Scores are summed over the cases of a person, so all of a person's
        answers are in one sampling unit.

    Raises
    ------
    WelfareError
        As for `choices` and `maximise`: collinear attributes, separation.
    """
    return fitted(choices(design, long, formula, case, alternative, person))


def fitted(cases: Cases) -> ChoiceFit:
    """The logit of choice situations."""
    theta, at = maximise(_start(cases), lambda b: likelihood(cases, b), cases.names, "logit")
    return result(ChoiceFit, cases, cases.names, theta, at._replace(scores=scores(cases, theta)))


def _start(cases: Cases) -> np.ndarray:
    """Where a fit of many cases starts: at that of a few of them, with which most of the way is gone."""
    if cases.n_cases > MANY:
        with contextlib.suppress(WelfareError):
            return fitted(cases.part(cases.case % (cases.n_cases // FEW) == 0)).value.to_numpy()
    return np.zeros(len(cases.names))


def result(
    kind: Callable[..., Any], cases: Cases, names: list[str], theta: np.ndarray, at: Likelihood, **more: Any
) -> Any:
    """A fit of ``kind`` from its maximum, with the scores (C, p) of cases."""
    used = np.zeros(cases.design.n, dtype=bool)
    used[cases.person] = True
    return estimated(
        kind,
        cases.design,
        pd.Series(theta, index=pd.Index(names, name="variable")),
        cases.persons(at.scores),
        at.information,
        used,
        log_likelihood=at.value,
        null_log_likelihood=float(-cases.weights @ np.log(cases.sizes)),
        n_cases=cases.n_cases,
        cases=cases,
        **more,
    )


def softmax(v: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (rows, ...) within groups of rows and logsums (groups, ...) of utilities (rows, ...)."""
    sizes = np.diff(start, append=len(v))
    top = np.maximum.reduceat(v, start)
    e = np.exp(v - np.repeat(top, sizes, axis=0))
    total = np.add.reduceat(e, start)
    e /= np.repeat(total, sizes, axis=0)
    return e, top + np.log(total)


def means(x: np.ndarray, p: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Sums (groups, q) within groups of rows of ``x`` (rows, q) times ``p`` (rows,)."""
    shape = (len(start), len(p))
    return sparse.csr_array((p, np.arange(len(p)), np.append(start, len(p))), shape=shape) @ x


def spread(x: np.ndarray, mean: np.ndarray, weights: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Sum (q x q) over rows of weights times the square of what they deviate from the mean of their group."""
    ends = np.append(start, len(x))
    step = max(1, BLOCK * len(start) // x.size)
    total = np.zeros((x.shape[1], x.shape[1]))
    for low in range(0, len(start), step):
        bounds = ends[low : low + step + 1]
        rows = slice(bounds[0], bounds[-1])
        deviation = x[rows] - np.repeat(mean[low : low + step], np.diff(bounds), axis=0)
        total += (deviation * weights[rows, None]).T @ deviation
    return total


def likelihood(cases: Cases, beta: np.ndarray) -> Likelihood:
    """Weighted log-likelihood, gradient and information at ``beta``."""
    v = cases.x @ beta
    p, logsum = softmax(v, cases.start)
    w, mean = cases.weights, means(cases.x, p, cases.start)
    gradient = cases.observed - w @ mean
    p *= np.repeat(w, cases.sizes)
    return Likelihood(float(w @ (v[cases.chosen] - logsum)), gradient, spread(cases.x, mean, p, cases.start))


def scores(cases: Cases, beta: np.ndarray) -> np.ndarray:
    """Unweighted scores (C, p) of cases."""
    p, _ = softmax(cases.x @ beta, cases.start)
    return cases.x[cases.chosen] - means(cases.x, p, cases.start)
