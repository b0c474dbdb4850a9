r"""Regressions: log-likelihoods in a few linear predictors.

The likelihood of a case depends on :math:`\eta_j = x_j' \theta_{(j)}`, j = 1, ..., m: the mean, a threshold, a second
equation, the log of a scale. A model is then a *kernel*, which gives :math:`\ell_k`, its first (m x cases) and its
second derivatives (m x m x cases) by :math:`\eta`; scores and information follow by the chain rule, exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from formulaic import ModelSpec
from scipy import linalg

from .columns import positive
from .fit import Fit, Likelihood, estimated, maximise
from .formulas import Cases

Kernel = Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]]
Shown = tuple[Callable[..., Any], Callable[..., Any]]  # how a parameter that is estimated is shown, its derivative


class Index(NamedTuple):
    """A linear predictor: columns (cases x q) and the places (q,) of their coefficients."""

    x: np.ndarray
    at: np.ndarray


@dataclass(frozen=True, eq=False)
class Regression(Fit):
    """A fit that predicts.

    Attributes
    ----------
    frame : DataFrame (n rows)
        In the order of the design.
    specs : sequence of ModelSpec
        The columns of each equation.
    expected : callable
        ``expected(theta, *columns)`` gives the expected outcomes (rows x outcomes) of rows with those columns.
    outcomes : list of str
        Their names; ``probability`` says whether they lie between 0 and 1.
    notes : tuple of str
        What a reader of the result must know.
    """

    frame: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    specs: tuple[ModelSpec, ...] = field(default=(), repr=False)
    expected: Callable[..., np.ndarray] = field(default=lambda theta, *x: np.empty((0, 0)), repr=False)
    outcomes: tuple[str, ...] = ()
    probability: bool = False
    notes: tuple[str, ...] = ()


def least_squares(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Coefficients (q,) of weighted least squares, the shortest where several are."""
    return linalg.lstsq(x * np.sqrt(w)[:, None], y * np.sqrt(w))[0]


def blocks(*columns: np.ndarray) -> list[Index]:
    """One linear predictor an equation, each with coefficients of its own; ``ones`` (cases x 1) are a scale."""
    ends = np.cumsum([0] + [x.shape[1] for x in columns])
    return [Index(x, np.arange(a, b)) for x, a, b in zip(columns, ends[:-1], ends[1:], strict=True)]


def likelihood(kernel: Kernel, indices: Sequence[Index], w: np.ndarray) -> Callable[[np.ndarray], Likelihood]:
    """The weighted log-likelihood as a function of the coefficients."""

    def evaluate(theta: np.ndarray) -> Likelihood:
        with np.errstate(all="ignore"):  # a step too far has no finite value, and is halved
            value, first, second = kernel(*(i.x @ theta[i.at] for i in indices))
        gradient, information = np.zeros(len(theta)), np.zeros((len(theta), len(theta)))
        total = float(w @ value)
        if not np.isfinite(total):
            return Likelihood(-np.inf, gradient, information)
        for j, a in enumerate(indices):
            np.add.at(gradient, a.at, a.x.T @ (w * first[j]))
            for i, b in enumerate(indices[: j + 1]):
                product = _product(a.x, b.x, -w * second[j, i])
                information[np.ix_(a.at, b.at)] += product
                if i < j:
                    information[np.ix_(b.at, a.at)] += product.T
        return Likelihood(total, gradient, information)

    return evaluate


def _product(a: np.ndarray, b: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Sum of w a b' over the cases; of a symmetric product with positive weights half is computed."""
    if a is b and w.min() >= 0:
        root = a * np.sqrt(w)[:, None]
        return root.T @ root
    return (a * w[:, None]).T @ b


def scores(kernel: Kernel, indices: Sequence[Index], theta: np.ndarray) -> np.ndarray:
    """Scores of the cases (cases x p)."""
    first = kernel(*(i.x @ theta[i.at] for i in indices))[1]
    if len(indices) == 1:
        return indices[0].x * first[0][:, None]
    score = np.zeros((first.shape[1], len(theta)))
    for index, d in zip(indices, first, strict=True):
        score[:, index.at] += index.x * d[:, None]
    return score


def fitted(
    data: Cases,
    names: list[str],
    kernel: Kernel,
    indices: Sequence[Index],
    start: np.ndarray,
    null: float | np.ndarray,
    scales: Mapping[str, Shown] | None = None,
    **more: Any,
) -> Regression:
    """The maximum of a likelihood; ``scales`` names the last coefficients, with how they are shown.

    Each is a pair of functions of the parameter that is estimated: its shown value and the derivative of that. ``null``
    is the log-likelihood without columns, or where the search for it begins: of an intercept and the scales.
    """
    positive(data.w, data.label)
    shown = scales or {}
    evaluate = likelihood(kernel, indices, data.w)
    theta, now = maximise(start, evaluate, [*names, *shown], data.label)
    if isinstance(null, np.ndarray):
        alone = likelihood(kernel, blocks(*[np.ones((len(data.w), 1))] * len(null)), data.w)
        null = maximise(null, alone, ["Intercept", *shown], data.label)[1].value
    score, information, value = scores(kernel, indices, theta), now.information, theta.copy()
    for place, (show, slope) in enumerate(shown.values(), len(names)):
        value[place], change = show(theta[place]), slope(theta[place])
        score[:, place] /= change
        information[place] /= change
        information[:, place] /= change
    more = {"q": max(len(i.at) for i in indices), "null": null, "log_likelihood": now.value} | more
    return regression(data, [*names, *shown], value, score, information, **more)


def regression(
    data: Cases,
    names: list[str],
    value: np.ndarray,
    score: np.ndarray,
    information: np.ndarray,
    q: int,
    log_likelihood: float = np.nan,
    null: float = np.nan,
    **more: Any,
) -> Regression:
    """A fit from the scores (cases x p) and the information (`fit.estimated`); those of other rows are zero."""
    design, used = data.design, np.zeros(data.design.n, dtype=bool)
    used[data.rows] = True
    full = score
    if len(score) < design.n:
        full = np.zeros((design.n, len(value)))
        full[data.rows] = score
    return estimated(
        Regression,
        design,
        pd.Series(value, index=pd.Index(names, name="variable"), name=data.label),
        full,
        information,
        used,
        data.inside,
        q,
        log_likelihood=log_likelihood,
        null_log_likelihood=null,
        n_cases=len(data.rows),
        frame=data.frame,
        **({"specs": (data.spec,), "outcomes": (data.label,)} | more),
    )
