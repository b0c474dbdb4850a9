r"""Conditional and multinomial logit with the covariance of the design.

The utility of alternative j in case c is :math:`V_{cj} = x_{cj}'\beta + o_{cj}`, the probability that it is chosen
:math:`P_{cj} = e^{V_{cj}} / \sum_{l} e^{V_{cl}}`, l over what is available (McFadden 1974; Train 2009, eq. 3.6). With
:math:`\bar x_c = \sum_j P_{cj} x_{cj}` the score of a case is :math:`x_{c\,chosen} - \bar x_c`, and the information
:math:`\sum_c w_c \sum_j P_{cj} (x_{cj} - \bar x_c)(x_{cj} - \bar x_c)'`: globally concave, so Newton's method is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..design import Design
from ..fit import Fit, Likelihood, inverse, maximise
from .data import Cases, choices

BLOCK = 1 << 15  # numbers of a block: it stays in the cache of a core


@dataclass(frozen=True, eq=False)
class ChoiceFit(Fit):
    """A choice model that has been fitted; ``null_log_likelihood`` is that of equal shares among what is available.

    Attributes
    ----------
    cases : Cases
        What it was fitted to.
    """

    cases: Cases = field(default=None, repr=False)  # type: ignore[assignment]

    @property
    def n_persons(self) -> int:
        """Rows of the design that chose."""
        return self.cases.n_persons

    @cached_property
    def shares_log_likelihood(self) -> float:
        """Weighted log-likelihood of a constant for each alternative and nothing else: market shares."""
        cases = self.cases
        constants = (cases.alternative[:, None] == np.arange(1, len(cases.alternatives))).astype(float)
        names = [str(name) for name in cases.alternatives[1:]]
        plain = replace(cases, x=constants, names=names, offset=np.zeros(len(cases.case)))
        return fitted(plain).log_likelihood

    def utilities(self, x: np.ndarray | None = None) -> np.ndarray:
        """Utilities (rows,) at ``x`` (rows, p), by default the attributes of the fit."""
        x = self.cases.x if x is None else x
        return x @ self.value.to_numpy()[: x.shape[1]] + self.cases.offset

    def probabilities(self, x: np.ndarray | None = None) -> np.ndarray:
        """Probabilities (rows,) at ``x`` (rows, p), by default the attributes of the fit."""
        return softmax(self.cases, self.utilities(x))[0]


def logit(
    design: Design | None,
    long: pd.DataFrame,
    formula: str,
    case: str,
    alternative: str,
    person: str | None = None,
    offset: str | None = None,
) -> ChoiceFit:
    """Fit a conditional or multinomial logit by weighted maximum likelihood.

    Parameters
    ----------
    design, long, formula, case, alternative, person, offset
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
    cases = choices(design, long, formula, case, alternative, person, offset)
    return fitted(cases)


def fitted(cases: Cases) -> ChoiceFit:
    """The logit of choice situations."""
    theta, at = maximise(np.zeros(len(cases.names)), lambda b: likelihood(cases, b), cases.names, "logit")
    return result(ChoiceFit, cases, cases.names, theta, at, scores(cases, theta))


def result(
    kind: Callable[..., Any],
    cases: Cases,
    names: list[str],
    theta: np.ndarray,
    at: Likelihood,
    scores: np.ndarray,
    **more: Any,
) -> Any:
    """A fit of ``kind`` from its maximum and the scores (C, p) of cases."""
    design, index = cases.design, pd.Index(names, name="variable")
    there = np.full(design.n, -1)
    there[cases.person] = 0
    df = design.degrees_of_freedom(there, 1)[0]
    row = {"n": int((there == 0).sum()), "n_weighted": float(design.weights[there == 0].sum()), "missing": 0}
    by_person = cases.persons(scores)
    return kind(
        value=pd.Series(theta, index=index),
        design=design,
        compute=lambda: by_person @ inverse(at.information),
        df=pd.Series(df, index=index),
        counts=pd.DataFrame([row] * len(names), index=index),
        log_likelihood=at.value,
        null_log_likelihood=float(-cases.weights @ np.log(cases.sizes)),
        n_cases=cases.n_cases,
        information=at.information,
        scores=by_person,
        cases=cases,
        **more,
    )


def softmax(cases: Cases, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (rows,) and logsums (C,) of utilities (rows,)."""
    if cases.width:
        table = v.reshape(-1, cases.width)
        top = table.max(axis=1)
        e = np.exp(table - top[:, None])
        total = e.sum(axis=1)
        return (e / total[:, None]).ravel(), top + np.log(total)
    top = np.maximum.reduceat(v, cases.start)
    e = np.exp(v - top[cases.case])
    total = np.add.reduceat(e, cases.start)
    return e / total[cases.case], top + np.log(total)


def likelihood(cases: Cases, beta: np.ndarray) -> Likelihood:
    """Weighted log-likelihood, gradient and information at ``beta``, in blocks of cases."""
    v = cases.x @ beta + cases.offset
    p, logsum = softmax(cases, v)
    w = cases.weights
    gradient, information = np.zeros(len(beta)), np.zeros((len(beta), len(beta)))
    for block, rows in blocks(cases):
        mean, deviation = centred(cases, block, rows, p)
        gradient += w[block] @ (cases.x[cases.chosen[block]] - mean)
        deviation *= np.sqrt(np.repeat(w[block], cases.sizes[block]) * p[rows])[:, None]
        information += deviation.T @ deviation
    return Likelihood(float(w @ (v[cases.chosen] - logsum)), gradient, information)


def scores(cases: Cases, beta: np.ndarray) -> np.ndarray:
    """Unweighted scores (C, p) of cases."""
    p = softmax(cases, cases.x @ beta + cases.offset)[0]
    found = np.empty((cases.n_cases, len(beta)))
    for block, rows in blocks(cases):
        found[block] = cases.x[cases.chosen[block]] - centred(cases, block, rows, p)[0]
    return found


def blocks(cases: Cases) -> Iterator[tuple[slice, slice]]:
    """Cases in blocks, with their rows."""
    step = max(1, BLOCK // (int(cases.sizes.max()) * cases.x.shape[1]))
    ends = np.append(cases.start, len(cases.case))
    for low in range(0, cases.n_cases, step):
        high = min(low + step, cases.n_cases)
        yield slice(low, high), slice(int(ends[low]), int(ends[high]))


def centred(cases: Cases, block: slice, rows: slice, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expected attributes (cases of the block, p) and the deviations (rows of the block, p) from them."""
    x, share = cases.x[rows], p[rows]
    if cases.width:
        table = x.reshape(-1, cases.width, x.shape[1])
        mean = np.matmul(share.reshape(-1, 1, cases.width), table)[:, 0]
        return mean, (table - mean[:, None]).reshape(x.shape)
    mean = np.add.reduceat(x * share[:, None], cases.start[block] - rows.start)
    return mean, x - np.repeat(mean, cases.sizes[block], axis=0)
