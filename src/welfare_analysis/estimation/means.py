r"""Means, totals and ratios of many variables in many domains at once.

With :math:`\hat N_d = \sum_{k \in d} w_k` a mean has the influence :math:`1[k \in d](y_k - \bar y_d)/\hat N_d`, a ratio
:math:`1[k \in d](y_k - \hat R_d x_k)/\hat X_d`, a total :math:`1[k \in d] y_k` (Särndal, Swensson and
Wretman 1992, 5.6-5.8).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ..errors import WelfareError
from .columns import matrix, row_names
from .design import Design
from .domains import Domains, domains
from .estimate import Bounds, Description, Estimate, describe, scatter, t_bounds


def mean(design: Design, variables: Any, by: Any = None, where: Any = None) -> Estimate:
    """Weighted means.

    Parameters
    ----------
    design : Design
        With n rows.
    variables : Series or DataFrame (n rows)
        Numeric or boolean; missing answers are left out of their variable and counted.
    by : Series or list of Series, optional
        One estimate for each observed level (or combination).
    where : boolean mask (n,), optional
        The rows that the estimate speaks of.

    Returns
    -------
    Estimate
        Indexed by variable, by domain, or by (variable, domain).

    Raises
    ------
    WelfareError
        No respondent with an answer in a domain; lengths or rows that differ; a variable that is not numeric.

    Notes
    -----
    The standard error is infinite where all respondents of a domain are in one sampling unit, as a single one is:
    nothing tells how the others would answer. Answers that are all alike have a standard error of zero.
    """
    rows = shared_rows(design, variables)
    y, names = matrix(variables, design.n, rows, "mean")
    return ratios(design, y, np.ones_like(y), names, domains(design.n, by, where, rows))


def ratio(design: Design, numerator: Any, denominator: Any, by: Any = None, where: Any = None) -> Estimate:
    """Ratio of two totals; arguments, index and errors as for `mean`, and a zero denominator is an error."""
    rows = shared_rows(design, numerator, denominator)
    y, name_y = matrix(numerator, design.n, rows, "numerator")
    x, name_x = matrix(denominator, design.n, rows, "denominator")
    if len(name_y) != len(name_x):
        got = f"{len(name_y)} and {len(name_x)}"
        raise WelfareError("not as many numerators as denominators", where="ratio", got=got, expected="one for each")
    names = [f"{a}/{b}" for a, b in zip(name_y, name_x, strict=True)]
    return ratios(design, y, x, names, domains(design.n, by, where, rows))


def total(design: Design, variables: Any, by: Any = None, where: Any = None, missing: str = "error") -> Estimate:
    """Weighted totals; arguments as for `mean`.

    ``missing="mean"`` lets those who answered stand for those of their domain who did not (size times mean);
    by default a missing answer is an error, since a total would silently be too small.
    """
    if missing not in ("error", "mean"):
        raise WelfareError("unknown rule", where="missing", got=missing, expected="error or mean")
    rows = shared_rows(design, variables)
    y, names = matrix(variables, design.n, rows, "total")
    parts = domains(design.n, by, where, rows)
    present = ~np.isnan(y)
    gaps = int((~present & (parts.codes >= 0)[:, None]).sum())
    if gaps and missing == "error":
        raise WelfareError(
            "answers are missing and the total would be too small",
            where=", ".join(names),
            got=gaps,
            expected="an answer in each row",
            hint='Say missing="mean" to let those who answered stand for the others.',
        )
    if gaps:
        return _scaled(design, ratios(design, y, np.ones_like(y), names, parts), parts)
    filled = np.where(present, y, 0.0)
    told = describe(design, parts, present, names)
    value = parts.sums(filled * design.weights[:, None]).ravel()
    return _estimate(design, value, names, told, lambda: scatter(filled, parts))


def shared_rows(design: Design, *values: Any) -> pd.Index | None:
    """Names of the rows that all arguments of a call must share."""
    return row_names(*values) if design.names is None else design.names


def ratios(
    design: Design,
    y: np.ndarray,
    x: np.ndarray,
    names: list[str],
    parts: Domains,
    column: str = "variable",
    bounds: Bounds = t_bounds,
) -> Estimate:
    """Ratios (k x domains) of weighted totals, flattened variable by variable."""
    present = ~(np.isnan(y) | np.isnan(x))
    y, x = np.where(present, y, 0.0), np.where(present, x, 0.0)
    told = describe(design, parts, present, names, column)
    w = design.weights[:, None]
    top, bottom = parts.sums(w * y), parts.sums(w * x)
    if (np.abs(bottom) <= 1e-12 * parts.sums(np.abs(w * x))).any():
        raise WelfareError("the denominator is zero", where=", ".join(names), got=0, expected="a total other than 0")
    value = top / bottom

    def influence() -> Any:
        at = np.maximum(parts.codes, 0)
        fitted = value.T[at] * x
        rounding = np.abs(y - fitted) <= 1e-14 * np.abs(y)  # a constant has no error at all
        return scatter(np.where(rounding, 0.0, y - fitted) / bottom.T[at], parts)

    edge = (bounds is not t_bounds) & np.isin(value.ravel(), (0, 1))
    return _estimate(design, value.ravel(), names, told, influence, bounds, told.untold(edge))


def _estimate(
    design: Design,
    value: np.ndarray,
    names: list[str],
    told: Description,
    influence: Callable[[], Any],
    bounds: Bounds = t_bounds,
    extra: Mapping[str, Any] | None = None,
) -> Estimate:
    index = told.counts.index
    return Estimate(
        pd.Series(value, index=index, name=names[0] if len(names) == 1 else None),
        design,
        influence,
        pd.Series(told.df, index=index),
        told.counts,
        bounds,
        extra or {},
    )


def _scaled(design: Design, means: Estimate, parts: Domains) -> Estimate:
    """Totals from means: the weighted size of each domain times the mean, with the influence of both."""
    k = len(means.value) // parts.count
    size = np.tile(parts.sums(design.weights[:, None]).ravel(), k)
    value = means.value.to_numpy()

    def influence() -> Any:
        level = value.reshape(k, parts.count).T[np.maximum(parts.codes, 0)]
        return means.influence.multiply(size[None, :]).tocsr() + scatter(level, parts)

    full = means.counts["missing"] == 0  # one respondent who is all of the sample's domain leaves nothing to guess
    extra = {
        name: sparse.diags_array(np.where(full, 0.0, c.diagonal()) * size**2)
        for name, c in means.extra_covariance.items()
    }
    return Estimate(means.value * size, design, influence, means.df, means.counts, extra_covariance=extra)
