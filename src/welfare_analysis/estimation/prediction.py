r"""Predictions and average marginal effects, with the error of the people and of the coefficients in one influence.

Of :math:`\hat\mu_d = \sum_{k \in d} w_k g(x_k, \hat\theta) / \hat N_d` the influence is
:math:`1[k \in d](g_k - \hat\mu_d)/\hat N_d + \hat G_d z_k`, with z that of :math:`\hat\theta` and :math:`\hat G_d` the
mean derivative of g by :math:`\theta` (Graubard and Korn 1999, predictive margins).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ..errors import WelfareError
from .domains import Domains, domains
from .estimate import Bounds, Estimate, t_bounds
from .formulas import columns
from .means import ratios
from .regression import Regression
from .shares import logit_bounds

STEP = 1e-3  # of central differences of fourth order, in parts of a standard deviation


def predictions(fit: Regression, by: Any = None, where: Any = None) -> Estimate:
    """Mean expected outcomes, by domain.

    Parameters
    ----------
    fit : Regression
        Probabilities of a logit, one for each category of an ordered or multinomial one; else the expected outcome.
    by, where : optional
        As for `mean`; without ``where`` the rows of the fit. Rows whose columns are not known count as missing.

    Returns
    -------
    Estimate
        Indexed by outcome or category, by domain, or by both. Intervals of probabilities stay between 0 and 1.
    """
    bounds = logit_bounds if fit.probability else t_bounds
    return _averaged(fit, lambda frame: [columns(s, frame) for s in fit.specs], _expected, [], by, where, bounds)


def marginal_effects(fit: Regression, variables: str | list[str], by: Any = None, where: Any = None) -> Estimate:
    """Average marginal effects of columns of the frame on the expected outcome (of each category, if several).

    Of a number the mean derivative, whatever the formula makes of the column; of a yes or no (booleans, or 0 and 1) the
    mean change from no to yes; of categories the change from the first to each other. Arguments as for `predictions`.

    Returns
    -------
    Estimate
        Indexed by ``"column"`` or ``"column[category]"``, with several outcomes by ``"outcome: column"``, by domain.
    """
    names = [variables] if isinstance(variables, str) else list(variables)
    used = {str(v) for spec in fit.specs for v in spec.required_variables}
    unknown = [v for v in names if v not in used]
    if unknown or not names:
        raise WelfareError(
            "the model has no such column", where="variables", got=unknown, expected=", ".join(sorted(used))
        )
    changes = [change for name in names for change in _changes(fit, name)]

    def frames(frame: pd.DataFrame) -> list[Any]:
        return [
            [[columns(s, frame.assign(**{name: at(frame[name])})) for s in fit.specs] for at, _ in steps]
            for name, _, steps in changes
        ]

    def effect(fit: Regression, theta: np.ndarray, made: list[Any]) -> np.ndarray:
        return np.hstack(
            [
                sum(weight * fit.expected(theta, *x) for x, (_, weight) in zip(one, steps, strict=True))
                for one, (_, _, steps) in zip(made, changes, strict=True)
            ]
        )

    return _averaged(fit, frames, effect, [label for _, label, _ in changes], by, where, t_bounds)


def _expected(fit: Regression, theta: np.ndarray, made: list[Any]) -> np.ndarray:
    return fit.expected(theta, *made)


def _changes(fit: Regression, name: str) -> list[tuple[str, str, list[tuple[Callable, float]]]]:
    """Name, label, and the changed columns with their weights, of each effect of a column."""
    values = fit.frame.loc[fit.rows, name]
    if not pd.api.types.is_numeric_dtype(values.dtype):
        levels = sorted(values.unique()) if not hasattr(values, "cat") else values.cat.remove_unused_categories()
        levels = list(levels.cat.categories if hasattr(levels, "cat") else levels)
        return [(name, f"{name}[{b}]", [(_all(b), 1.0), (_all(levels[0]), -1.0)]) for b in levels[1:]]
    if values.isin([0, 1]).all():
        yes, no = (True, False) if values.dtype == bool else (1, 0)
        return [(name, name, [(_all(yes), 1.0), (_all(no), -1.0)])]
    h = STEP * float(values.astype(float).std())
    weights = {1: 8.0, -1: -8.0, 2: -1.0, -2: 1.0}
    return [(name, name, [(_moved(j * h), weight / (12 * h)) for j, weight in weights.items()])]


def _all(level: Any) -> Callable[[pd.Series], pd.Series]:
    return lambda column: pd.Series(level, index=column.index).astype(
        column.dtype if not isinstance(column.dtype, pd.CategoricalDtype) else object
    )


def _moved(step: float) -> Callable[[pd.Series], pd.Series]:
    return lambda column: column.astype(float) + step


def _averaged(
    fit: Regression, frames: Callable, g: Callable, labels: list[str], by: Any, where: Any, bounds: Bounds
) -> Estimate:
    """Weighted means of ``g(fit, theta, frames(rows))`` (rows x k) in domains."""
    design = fit.design
    parts = domains(design.n, by, fit.rows if where is None else where, design.names)
    needed = sorted({str(v) for spec in fit.specs for v in spec.required_variables})
    inside = (parts.codes >= 0) & fit.frame[needed].notna().all(axis=1).to_numpy()
    if not inside.any():
        raise WelfareError("no row has all columns of the model", where="where", got=0, expected="at least one")
    made, theta, rows = frames(fit.frame[inside]), fit.value.to_numpy(), np.flatnonzero(inside)
    several = len(fit.outcomes) > 1
    names = [f"{o}: {n}" if several else n for n in labels for o in fit.outcomes] if labels else list(fit.outcomes)
    full = np.full((design.n, len(names)), np.nan)
    full[rows] = g(fit, theta, made)
    column = "category" if several and not labels else "variable"
    people = ratios(design, full, None, names, parts, column)
    slopes = _slopes(lambda t: _means(g(fit, t, made), design.weights[rows], parts, rows), theta, fit.spread)
    return replace(
        people,
        bounds=bounds,
        compute=lambda: people.influence + fit.influence @ sparse.csr_array(slopes.T),
        extra_covariance=dict(people.extra_covariance)
        | {k: sparse.csr_array(slopes @ sparse.csr_array(c) @ slopes.T) for k, c in fit.extra_covariance.items()},
    )


def _means(values: np.ndarray, w: np.ndarray, parts: Domains, rows: np.ndarray) -> np.ndarray:
    """Weighted means (k x domains), flattened."""
    own = Domains(parts.codes[rows], parts.labels)
    return (own.sums(values * w[:, None]) / own.sums(w[:, None])).ravel()


def _slopes(f: Callable[[np.ndarray], np.ndarray], theta: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Jacobian by central differences of fourth order, with steps in parts of the coefficients' own spread."""
    found = []
    for j, step in enumerate(STEP * spread):
        unit = step * (np.arange(len(theta)) == j)
        near = [f(theta + by * unit) for by in (1, -1, 2, -2)]
        found.append((8 * (near[0] - near[1]) - (near[2] - near[3])) / (12 * step))
    return np.column_stack(found)
