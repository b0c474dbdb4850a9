r"""Ordered and multinomial logit: outcomes with an order, and without.

Ordered: :math:`P(y \le c) = F(\tau_c - x'\beta)`, F logistic (McCullagh 1980). Multinomial:
:math:`P(y = c) \propto \exp(x'\beta_c)`, with :math:`\beta = 0` for the first category.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from ..errors import WelfareError
from .design import Design
from .formulas import Cases, cases
from .regression import Index, Kernel, Regression, fitted
from .rerun import rerun


@rerun
def ordered_logit(design: Design, frame: pd.DataFrame, formula: str, where: Any = None) -> Regression:
    """Proportional odds of a numeric or ordered outcome; arguments and errors as for `logistic`.

    The cuts come last in ``value``, named ``"low|high"`` of the categories that they part; a constant in the formula
    is dropped (the cuts are constants). The null has cuts alone.
    """
    data = cases(design, frame, formula, where)
    codes, levels = _levels(data, ordered=True)
    keep = [j for j, name in enumerate(data.names) if name != "Intercept"]
    x, q = data.x[:, keep], len(keep)
    share = np.bincount(codes, weights=data.w) / data.w.sum()
    cuts = special.logit(np.cumsum(share)[:-1])
    marks = (codes[:, None] == np.arange(len(levels))).astype(float)
    at = np.arange(q + len(cuts))
    low, high = Index(np.hstack([-x, marks[:, 1:]]), at), Index(np.hstack([-x, marks[:, :-1]]), at)
    first, last = codes == 0, codes == len(levels) - 1
    kernel = between_kernel(np.where(first, -np.inf, 0.0), np.where(last, np.inf, 0.0))

    def expected(theta: np.ndarray, columns: np.ndarray) -> np.ndarray:
        below = special.expit(theta[q:] - (columns[:, keep] @ theta[:q])[:, None])
        ends = np.zeros((len(columns), 1))
        return np.diff(np.hstack([ends, below, ends + 1]), axis=1)

    names = [data.names[j] for j in keep] + [f"{a}|{b}" for a, b in pairwise(levels)]
    start = np.concatenate([np.zeros(q), cuts])
    null = -data.w.sum() * float(special.entr(share).sum())
    more: dict[str, Any] = {"expected": expected, "outcomes": tuple(levels), "probability": True, "q": q + 1}
    return fitted(data, names, kernel, (low, high), start, null, **more)


@rerun
def multinomial_logit(design: Design, frame: pd.DataFrame, formula: str, where: Any = None) -> Regression:
    """Logit of several categories against the first; arguments and errors as for `logistic`.

    Coefficients are named ``"category: column"``. The null has constants alone.
    """
    data = cases(design, frame, formula, where)
    codes, levels = _levels(data, ordered=False)
    q, others = data.x.shape[1], len(levels) - 1
    marks = (codes[:, None] == np.arange(1, len(levels))).astype(float).T

    def kernel(*eta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        u = np.vstack(eta)
        total = special.logsumexp(np.vstack([np.zeros(u.shape[1]), u]), axis=0)
        p = np.exp(u - total)
        second = p[:, None] * p[None] - np.eye(others)[:, :, None] * p[None]
        return (marks * u).sum(axis=0) - total, marks - p, second

    def expected(theta: np.ndarray, columns: np.ndarray) -> np.ndarray:
        return special.softmax(np.hstack([np.zeros((len(columns), 1)), columns @ theta.reshape(others, q).T]), axis=1)

    share = np.bincount(codes, weights=data.w) / data.w.sum()
    return fitted(
        data,
        [f"{level}: {name}" for level in levels[1:] for name in data.names],
        kernel,
        [Index(data.x, np.arange(j * q, (j + 1) * q)) for j in range(others)],
        np.zeros(others * q),
        float(-data.w.sum() * special.entr(share).sum()),
        expected=expected,
        outcomes=tuple(levels),
        probability=True,
    )


def _levels(data: Cases, ordered: bool) -> tuple[np.ndarray, list[str]]:
    """Codes of the outcome from 0 on, and the names of the categories."""
    kind = data.outcome.dtype
    categorical = isinstance(kind, pd.CategoricalDtype)
    if ordered and not (kind.ordered if categorical else pd.api.types.is_numeric_dtype(kind)):
        hint = "Say pd.Categorical(answers, categories=[...], ordered=True)."
        raise WelfareError("the categories have no order", where=data.label, got=str(kind), hint=hint)
    outcome = pd.Categorical(data.outcome)
    empty = [str(c) for c in outcome.categories[np.bincount(outcome.codes, minlength=len(outcome.categories)) == 0]]
    if empty:
        hint = "Merge it with a neighbour, or say .cat.remove_unused_categories()."
        raise WelfareError("a category has no respondents", where=data.label, got=empty, hint=hint)
    return outcome.codes.astype(int), [str(c) for c in outcome.categories]


def _density(z: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The logistic density at z over a probability whose log is ``value``, 0 where z is infinite, and f'/f."""
    there = np.isfinite(z)
    z = np.where(there, z, 0.0)
    return np.where(there, np.exp(special.log_expit(z) + special.log_expit(-z) - value), 0.0), 1 - 2 * special.expit(z)


def between_kernel(low: np.ndarray, high: np.ndarray) -> Kernel:
    r"""The kernel of :math:`\log[F(b) - F(a)]` in (a, b), F logistic; an infinite ``low`` or ``high`` is none.

    With :math:`p = f/(F(b) - F(a))` the first derivatives are :math:`-p_a, p_b`.
    """

    def kernel(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        a, b = a + low, b + high
        flip = a > -b  # the tail that is not near 1
        lower, upper = np.where(flip, -b, a), np.where(flip, -a, b)
        top = special.log_expit(upper)
        value = top + np.log1p(-np.exp(special.log_expit(lower) - top))
        (p_a, slope_a), (p_b, slope_b) = (_density(z, value) for z in (a, b))
        cross = p_a * p_b
        second = np.array([[-p_a * (slope_a + p_a), cross], [cross, p_b * (slope_b - p_b)]])
        return value, np.array([-p_a, p_b]), second

    return kernel
