r"""Means, shares, totals and ratios of many variables in many domains at once.

With :math:`\hat N_d = \sum_{k \in d} w_k` a mean has the influence :math:`1[k \in d](y_k - \bar y_d)/\hat N_d`, a ratio
:math:`1[k \in d](y_k - \hat R_d x_k)/\hat X_d`, a total :math:`1[k \in d] y_k` (Särndal, Swensson and
Wretman 1992, 5.6-5.8).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from ..errors import WelfareError
from .design import Design
from .domains import Domains, domains, matrix
from .estimate import Bounds, Estimate, describe, labelled, scatter, t_bounds


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
        No respondent with an answer in a domain; lengths that differ; a variable that is not numeric.
    """
    y, names = matrix(variables, design.n, "mean")
    return _ratio(design, y, np.ones_like(y), names, domains(design.n, by, where))


def ratio(design: Design, numerator: Any, denominator: Any, by: Any = None, where: Any = None) -> Estimate:
    """Ratio of two totals; arguments, index and errors as for `mean`, and a zero denominator is an error."""
    y, name_y = matrix(numerator, design.n, "numerator")
    x, name_x = matrix(denominator, design.n, "denominator")
    names = [f"{a}/{b}" for a, b in zip(name_y, name_x, strict=True)]
    return _ratio(design, y, x, names, domains(design.n, by, where))


def total(design: Design, variables: Any, by: Any = None, where: Any = None, missing: str = "error") -> Estimate:
    """Weighted totals; arguments as for `mean`.

    ``missing="mean"`` lets those who answered stand for those of their domain who did not (size times mean);
    by default a missing answer is an error, since a total would silently be too small.
    """
    y, names = matrix(variables, design.n, "total")
    parts = domains(design.n, by, where)
    present = ~np.isnan(y)
    if (~present & (parts.codes >= 0)[:, None]).any():
        if missing != "mean":
            raise WelfareError(
                "answers are missing and the total would be too small",
                where=", ".join(names),
                got=int((~present & (parts.codes >= 0)[:, None]).sum()),
                hint='Say missing="mean" to let those who answered stand for the others.',
            )
        return _scaled(design, _ratio(design, y, np.ones_like(y), names, parts), parts)
    filled = np.where(present, y, 0.0)
    df, counts = describe(design, parts, present)
    index = labelled(names, parts)
    value = parts.sums(filled * design.weights[:, None]).ravel()
    counts.index = index
    return Estimate(
        pd.Series(value, index=index), design, lambda: scatter(filled, parts), pd.Series(df, index=index), counts
    )


def share(design: Design, variables: Any, by: Any = None, where: Any = None, interval: str = "logit") -> Estimate:
    """Shares: of a boolean or 0/1 variable, or of each category of a text variable (these add up to one).

    Intervals are on the logit scale, or ``interval="korn-graubard"`` (Korn and Graubard 1998: Clopper-Pearson with
    the effective sample size), which is also used where a share is exactly 0 or 1. Arguments as for `mean`.
    """
    rules = {"logit": logit_bounds, "korn-graubard": korn_graubard_bounds}
    if interval not in rules:
        raise WelfareError("unknown interval", where="share", got=interval, expected=" or ".join(rules))
    column = None
    if isinstance(variables, (pd.Series, pd.Categorical)) and not (
        pd.api.types.is_numeric_dtype(variables.dtype) or pd.api.types.is_bool_dtype(variables.dtype)
    ):
        series = pd.Series(variables)
        levels = pd.Categorical(series).remove_unused_categories().categories
        y = np.column_stack([np.where(series.isna(), np.nan, (series == level).astype(float)) for level in levels])
        names, column = [str(level) for level in levels], "category"
    else:
        y, names = matrix(variables, design.n, "share")
        if not np.isin(y[~np.isnan(y)], (0.0, 1.0)).all():
            raise WelfareError("a share needs yes or no", where=", ".join(names), expected="booleans, 0/1 or text")
    parts = domains(design.n, by, where)
    return _ratio(design, y, np.ones_like(y), names, parts, column or "variable", rules[interval])


def logit_bounds(estimate: Estimate, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Bounds symmetric on the logit scale; Korn-Graubard where the share is 0 or 1."""
    p, se = estimate.value.to_numpy(), estimate.se.to_numpy()
    edge = (p <= 0) | (p >= 1)
    inner = np.where(edge, 0.5, p)
    half = stats.t.ppf((1 + level) / 2, estimate.df.to_numpy()) * se / (inner * (1 - inner))
    centre = np.log(inner / (1 - inner))
    low, high = 1 / (1 + np.exp(half - centre)), 1 / (1 + np.exp(-half - centre))
    if edge.any():
        exact = korn_graubard_bounds(estimate, level)
        low, high = np.where(edge, exact[0], low), np.where(edge, exact[1], high)
    return low, high


def korn_graubard_bounds(estimate: Estimate, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Clopper-Pearson bounds with the effective sample size, corrected for degrees of freedom."""
    p, variance = estimate.value.to_numpy(), estimate.se.to_numpy() ** 2
    n, df = estimate.counts["n"].to_numpy(float), estimate.df.to_numpy()
    effective = np.divide(p * (1 - p), variance, out=n.copy(), where=variance > 0)
    tail = (1 - level) / 2
    effective = effective * (stats.t.ppf(tail, np.maximum(n - 1, 1)) / stats.t.ppf(tail, df)) ** 2
    x = np.clip(effective * p, 0, effective)
    low = np.where(p > 0, stats.beta.ppf(tail, np.maximum(x, 1e-12), effective - x + 1), 0.0)
    high = np.where(p < 1, stats.beta.ppf(1 - tail, x + 1, np.maximum(effective - x, 1e-12)), 1.0)
    known = (variance <= 0) & (p > 0) & (p < 1)  # the design fixes the share: no uncertainty is left
    return np.where(known, p, low), np.where(known, p, high)


def _ratio(
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
    df, counts = describe(design, parts, present)
    index = labelled(names, parts, column)
    if (counts["n"] == 0).any():
        empty = index[(counts["n"] == 0).to_numpy()]
        raise WelfareError("no respondent answered", where=", ".join(names), got=list(empty)[:5])
    w = design.weights[:, None]
    top, bottom = parts.sums(w * y), parts.sums(w * x)
    if (bottom == 0).any():
        raise WelfareError("the denominator is zero", where=", ".join(names))
    value = top / bottom

    def influence() -> Any:
        at = np.maximum(parts.codes, 0)
        return scatter((y - value.T[at] * x) / bottom.T[at], parts)

    counts.index = index
    return Estimate(
        pd.Series(value.ravel(), index=index), design, influence, pd.Series(df, index=index), counts, bounds
    )


def _scaled(design: Design, means: Estimate, parts: Domains) -> Estimate:
    """Totals from means: the weighted size of each domain times the mean, with the influence of both."""
    k = len(means.value) // parts.count
    size = np.tile(parts.sums(design.weights[:, None]).ravel(), k)
    value = means.value.to_numpy()

    def influence() -> Any:
        level = value.reshape(k, parts.count).T[np.maximum(parts.codes, 0)]
        return means.influence.multiply(size[None, :]).tocsr() + scatter(level, parts)

    return Estimate(means.value * size, design, influence, means.df, means.counts)
