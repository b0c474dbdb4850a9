r"""What a fitted choice model says of everybody, with both errors.

A forecast is a weighted mean over people of something that depends on the coefficients,
:math:`F(\theta) = \sum_i w_i a_i(\theta) / \sum_i w_i b_i(\theta)` (sample enumeration: Ben-Akiva and Lerman 1985,
section 6.3). Its influence has two parts, :math:`(a_i - F b_i) / \sum w b` of the people in it, and
:math:`(\partial F / \partial\theta)\, z_i` of the coefficients, z their influence. Model and forecast are of one
sample: the parts are correlated and add up in one influence. The people are those of a finite population, the
coefficients those of a model: a fit with the sample's `Design.superpopulation` adds what its population, itself a draw,
may differ from the model (an extra covariance, ``superpopulation``).

A person with several cases counts once: each case has an equal part of the person's weight.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from scipy import sparse

from ...errors import WelfareError
from ..design import Design
from ..domains import Domains
from ..estimate import Bounds, Estimate, describe, scatter, t_bounds
from ..intervals import logit_bounds
from .logit import ChoiceFit, means
from .population import Target, prepared

STEP = 1e-3  # of a coefficient, in standard errors, for derivatives

OWN: WeakKeyDictionary[Any, np.ndarray] = WeakKeyDictionary()
Measure = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def derivative(f: Callable[[np.ndarray], np.ndarray], at: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Central differences (k, q) by the parameters."""
    return np.column_stack([(f(at + h) - f(at - h)) / (2 * h.max()) for h in np.diag(steps)])


def _own(fit: ChoiceFit, design: Design) -> np.ndarray:
    """Covariance of the population's own coefficients, kept for a fit: what that of the sample lacks of the model's."""
    if fit not in OWN:
        OWN[fit] = fit.design.covariance(fit.influence) - design.covariance(fit.influence)
    return OWN[fit]


def forecast(
    fit: ChoiceFit,
    design: Design,
    there: np.ndarray,
    measure: Measure,
    names: list,
    levels: list[str],
    by: Any = None,
    where: Any = None,
    slopes: Callable[[Domains], np.ndarray] | None = None,
    bounds: Bounds = t_bounds,
) -> Estimate:
    """The ratio of the weighted sums of a measure (n, k) and its denominator over the rows ``there``, in each domain.

    ``slopes`` gives the derivative of the sums where it is known; else it is a difference.
    """
    if not design.of_same_rows(fit.design):
        hint = "Fit the model with a design that has the rows of all, with where= or weights of zero."
        raise WelfareError("people of another sample are not forecast", where="design", hint=hint)
    parts = design.domains(by, where, design.names)
    parts = Domains(np.where(there, parts.codes, -1), parts.labels)
    described = describe(design, parts, there[:, None], ["forecast"])
    w, k = design.weights[:, None], len(names)

    def sums(theta: np.ndarray) -> list[np.ndarray]:
        return [parts.sums(values * w) for values in measure(theta)]

    theta = fit.value.to_numpy()
    top, bottom = measure(theta)
    size = parts.sums(bottom * w)
    value, row = parts.sums(top * w) / size, np.maximum(parts.codes, 0)
    people = sparse.csc_array(scatter((top - value.T[row] * bottom) / size.T[row], parts))

    def ratio(theta: np.ndarray) -> np.ndarray:
        return np.divide(*sums(theta)).ravel()

    jacobian = (
        derivative(ratio, theta, STEP * np.sqrt(np.diagonal(fit.bread) * fit.scale))
        if slopes is None
        else slopes(parts) / np.tile(size.ravel(), k)[:, None]
    )
    domain = [()] if parts.labels is None else [d if isinstance(d, tuple) else (d,) for d in parts.labels]
    of = [] if parts.labels is None else list(parts.labels.names)
    index = pd.MultiIndex.from_tuples([(*name, *d) for name in names for d in domain], names=[*levels, *of])
    J = sparse.csr_array(jacobian)
    extra: dict[str, Any] = {n: J @ sparse.csr_array(c) @ J.T for n, c in fit.extra_covariance.items()}
    if (described.evidence == 1).any():
        extra["not estimable"] = sparse.diags_array(np.tile(np.where(described.evidence == 1, np.inf, 0.0), k))
    if fit.design is not design:
        extra["superpopulation"] = jacobian @ _own(fit, design) @ jacobian.T

    def combined(matrix: sparse.csr_array) -> sparse.csr_array:
        return people @ matrix.T + sparse.csr_array(fit.influence @ (matrix @ jacobian).T)

    return Estimate(
        pd.Series(value.ravel(), index=index),
        design,
        lambda: combined(sparse.eye_array(len(index))),
        pd.Series(np.minimum(np.tile(described.df, k), fit.df.min()), index=index),
        pd.concat([described.counts] * k).set_axis(index),
        bounds,
        extra,
        push=combined,
    )


def predicted_shares(
    fit: ChoiceFit,
    design: Design | None = None,
    frame: pd.DataFrame | Target | None = None,
    by: Any = None,
    where: Any = None,
    person: str | None = None,
) -> Estimate:
    """Shares of alternatives, by (variable, alternative, domain); intervals are on the logit scale.

    Parameters
    ----------
    fit : ChoiceFit
        The model.
    design : Design, optional
        Of the people of ``frame``; absent: that of the fit.
    frame : DataFrame or Target, optional
        One row an available alternative of a case, as for `choices`, or what `prepared` made of it for this fit and
        design; absent: the cases of the fit.
    by, where
        As for `mean`, with its errors.
    person : str, optional
        Columns of ``frame``.

    Raises
    ------
    WelfareError
        As for `prepared`.
    """
    own = fit.cases.design if design is None else design
    to = frame if isinstance(frame, Target) else prepared(fit, own, frame, person)
    names = [("share", a) for a in to.cases.alternatives]

    def measure(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p = to.by_person(to.predicted(fit, theta)[0], len(names))
        return p, np.ones((len(p), 1))

    levels, of_logit = ["variable", "alternative"], partial(slopes, fit, to) if type(fit) is ChoiceFit else None
    return forecast(fit, to.cases.design, to.there, measure, names, levels, by, where, of_logit, logit_bounds)


def slopes(fit: ChoiceFit, to: Target, parts: Domains, values: np.ndarray | None = None) -> np.ndarray:
    r"""Derivative (alternatives x domains, p) of weighted sums of logit shares, or of shares times ``values``.

    Of a row j it is :math:`p_j v_j (x_j - \bar x)`; values v are by person and alternative (n x alternatives).
    """
    cases, p = to.cases, to.predicted(fit, fit.value.to_numpy())[0]
    person = cases.person[cases.case]
    domain = parts.codes[person]
    rows = np.flatnonzero(domain >= 0)
    weight = cases.design.weights[person] * to.part[cases.case] * p
    weight = (weight if values is None else weight * values[person, cases.alternative])[rows]
    cell, count = cases.alternative[rows] * parts.count + domain[rows], len(cases.alternatives) * parts.count
    own = sparse.csr_array((weight, (cell, rows)), shape=(count, len(p))) @ cases.x
    case = sparse.csr_array((weight, (cell, cases.case[rows])), shape=(count, len(cases.start)))
    return own - case @ means(cases.x, p, cases.start)
