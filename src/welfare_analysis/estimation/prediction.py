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
from .estimate import Bounds, Estimate, slopes, t_bounds
from .formulas import columns, labelled
from .means import ratios
from .regression import Regression
from .rerun import rerun
from .shares import logit_bounds

Change = tuple[str, str, list[tuple[Callable, float]]]  # a column, a label, and the column changed with weights
STEP = 1e-3  # of central differences of fourth order, in parts of a standard deviation


@rerun
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


@rerun
def marginal_effects(fit: Regression, variables: str | list[str], by: Any = None, where: Any = None) -> Estimate:
    """Average marginal effects of columns of the frame on the expected outcome (of each category, if several).

    Of a number the mean derivative, whatever the formula makes of the column; of a yes or no (booleans, or 0 and 1) the
    mean change from no to yes; of categories, as numbers in `C()`, the change from the first to each other. Arguments
    as for `predictions`.

    Returns
    -------
    Estimate
        Indexed by ``"column"`` or ``"column[category]"``, with several outcomes by ``"outcome: column"``, by domain.
    """
    changes = [change for name in _named(fit, variables) for change in _changes(fit, name)]
    return _of_steps(fit, changes, by, where, t_bounds)


@rerun
def margins(fit: Regression, variables: str | list[str], by: Any = None, where: Any = None) -> Estimate:
    """Predictive margins: the mean expected outcome if everybody had one category of a column, all else as it is.

    Of a yes or no (booleans, or 0 and 1) no and yes. Differences of two categories are `marginal_effects`. Arguments as
    for these.

    Returns
    -------
    Estimate
        Indexed by ``"column[category]"``, with several outcomes by ``"outcome: column[category]"``, by domain.

    Raises
    ------
    WelfareError
        A column that the model lacks, or that is a number.
    """
    changes: list[Change] = []
    for name in _named(fit, variables):
        levels = _levels(fit, name)
        if levels is None:
            raise WelfareError("the column has no categories", where=name, expected="categories, or yes and no")
        changes += [(name, f"{name}[{level}]", [(_all(level), 1.0)]) for level in levels]
    return _of_steps(fit, changes, by, where, logit_bounds if fit.probability else t_bounds)


def _named(fit: Regression, variables: str | list[str]) -> list[str]:
    """The names, which must be columns of the model."""
    names = [variables] if isinstance(variables, str) else list(variables)
    used = {str(v) for spec in fit.specs for v in spec.required_variables}
    unknown = [v for v in names if v not in used]
    if unknown or not names:
        raise WelfareError(
            "the model has no such column", where="variables", got=unknown, expected=", ".join(sorted(used))
        )
    return names


def _of_steps(fit: Regression, changes: list[Change], by: Any, where: Any, bounds: Bounds) -> Estimate:
    """Means of weighted sums of expected outcomes, each with a column changed."""
    moves = [(place, name, *step) for place, (name, _, steps) in enumerate(changes) for step in steps]
    weights = np.zeros((len(changes), len(moves)))
    weights[[place for place, *_ in moves], np.arange(len(moves))] = [weight for *_, weight in moves]

    def frames(frame: pd.DataFrame) -> list[Any]:
        moved = [frame.assign(**{name: at(frame[name])}) for _, name, at, _ in moves]
        together = pd.concat(moved, ignore_index=True)  # one matrix of all is quicker than many
        return [columns(s, together) for s in fit.specs]

    def effect(fit: Regression, theta: np.ndarray, made: list[Any]) -> np.ndarray:
        outcomes = _expected(fit, theta, made)
        several = outcomes.reshape(len(moves), -1, outcomes.shape[1])
        sums = np.tensordot(weights, several, 1)  # changes x rows x outcomes
        return sums.transpose(1, 0, 2).reshape(several.shape[1], -1)

    return _averaged(fit, frames, effect, [label for _, label, _ in changes], by, where, bounds)


def _expected(fit: Regression, theta: np.ndarray, made: list[Any]) -> np.ndarray:
    return fit.expected(theta, *made)


def _changes(fit: Regression, name: str) -> list[Change]:
    """The effects of a column."""
    levels, values = _levels(fit, name), fit.frame.loc[fit.rows, name]
    if levels is not None:
        numeric = pd.api.types.is_numeric_dtype(values.dtype)
        labels = [name if numeric and levels == [0, 1] else f"{name}[{b}]" for b in levels[1:]]
        steps = [[(_all(b), 1.0), (_all(levels[0]), -1.0)] for b in levels[1:]]
        return [(name, label, step) for label, step in zip(labels, steps, strict=True)]
    amounts = values.astype(float)
    h = STEP * (float(amounts.std()) or float(amounts.abs().max()) or 1.0)
    weights = {1: 8.0, -1: -8.0, 2: -1.0, -2: 1.0}
    return [(name, name, [(_moved(j * h), weight / (12 * h)) for j, weight in weights.items()])]


def _levels(fit: Regression, name: str) -> list[Any] | None:
    """Categories of a column in the order of the model, no and yes of one that is 0 and 1, None of other numbers.

    Numbers within `C()` are categories.
    """
    values = fit.frame.loc[fit.rows, name]
    if hasattr(values, "cat"):
        return list(values.cat.remove_unused_categories().cat.categories)
    numeric = pd.api.types.is_numeric_dtype(values.dtype)
    if numeric and values.isin([0, 1]).all():
        return [False, True] if values.dtype == bool else [0, 1]
    if numeric and not any(name in labelled(str(spec.formula)) for spec in fit.specs):
        return None
    return sorted(values.unique())


def _all(level: Any) -> Callable[[pd.Series], pd.Series]:
    return lambda column: pd.Series(level, index=column.index, dtype=column.dtype)  # categories of numbers stay such


def _moved(step: float) -> Callable[[pd.Series], pd.Series]:
    return lambda column: column.astype(float) + step


def _averaged(
    fit: Regression, frames: Callable, g: Callable, labels: list[str], by: Any, where: Any, bounds: Bounds
) -> Estimate:
    """Weighted means of ``g(fit, theta, frames(rows))`` (rows x k) in domains."""
    design = fit.design
    parts = design.domains(by, fit.rows if where is None else where, design.names)
    needed = sorted({str(v) for spec in fit.specs for v in spec.required_variables})
    inside = (parts.codes >= 0) & fit.frame[needed].notna().all(axis=1).to_numpy()
    if not inside.any():
        raise WelfareError("no row has all columns of the model", where="where", got=0, expected="at least one")
    rows, theta = np.flatnonzero(inside), fit.value.to_numpy()
    first, alike = _distinct(fit.frame.loc[inside, needed])
    made = frames(fit.frame.loc[inside, needed].iloc[first])
    several = len(fit.outcomes) > 1
    names = [f"{o}: {n}" if several else n for n in labels for o in fit.outcomes] if labels else list(fit.outcomes)
    full = np.full((design.n, len(names)), np.nan)
    full[rows] = g(fit, theta, made)[alike]
    column = "category" if several and not labels else "variable"
    people = ratios(design, full, None, names, parts, column)
    w = design.weights[rows]
    sums = sparse.csr_array((w, (parts.codes[rows], alike)), shape=(parts.count, len(first)))
    sizes = sums.sum(axis=1)[:, None]
    moved = slopes(lambda move: ((sums @ g(fit, theta + move, made)) / sizes).T.ravel(), STEP * fit.spread)

    def influence() -> Any:
        own = fit.compute()
        return people.influence + (own @ moved.T if isinstance(own, np.ndarray) else own @ sparse.csr_array(moved.T))

    return replace(
        people,
        bounds=bounds,
        compute=influence,
        extra_covariance=dict(people.extra_covariance)
        | {k: sparse.csr_array(moved @ sparse.csr_array(c) @ moved.T) for k, c in fit.extra_covariance.items()},
    )


def _distinct(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the first of rows that are alike, and which of these each row is: the model treats them the same."""
    code = np.zeros(len(frame), dtype=np.int64)
    for name in frame:
        own, levels = pd.factorize(frame[name])
        code = pd.factorize(code * len(levels) + own)[0]
        if len(code) and code.max() + 1 == len(code):
            break
    return np.unique(code, return_index=True)[1], code
