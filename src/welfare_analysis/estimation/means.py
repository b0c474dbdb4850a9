r"""Means, totals and ratios of many variables in many domains at once.

With :math:`\hat N_d = \sum_{k \in d} w_k` a mean has the influence :math:`1[k \in d](y_k - \bar y_d)/\hat N_d`, a ratio
:math:`1[k \in d](y_k - \hat R_d x_k)/\hat X_d`, a total :math:`1[k \in d] y_k` (Särndal, Swensson and
Wretman 1992, 5.6-5.8).

A condition (a boolean) that nobody or everybody of a domain meets is no proof that
this is so for all: its mean, share and total have the standard error of the posterior, see `Description.not_estimable`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np
import pandas as pd
from scipy import sparse

from ..errors import WelfareError
from .columns import matrix, one_of, positive, row_names
from .design import Design
from .domains import Domains
from .estimate import Bounds, Description, Estimate, describe, scatter, t_bounds
from .influence import Influence
from .intervals import Rare, balanced, bounds_at_edges, worth
from .rerun import rerun


@rerun
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
    nothing tells how the others would answer. Amounts that are all alike have a standard error of zero; a condition
    (see above) that all or none meet has that of `share`, and there its interval.
    """
    rows = shared_rows(design, variables)
    y, names = matrix(variables, design.n, rows, "mean")
    shares = conditions(variables)
    return ratios(design, y, None, names, design.domains(by, where, rows), shares=shares)


@rerun
def ratio(design: Design, numerator: Any, denominator: Any, by: Any = None, where: Any = None) -> Estimate:
    """Ratio of two totals; arguments, index and errors as for `mean`, and a zero denominator is an error."""
    rows = shared_rows(design, numerator, denominator)
    y, name_y = matrix(numerator, design.n, rows, "numerator")
    x, name_x = matrix(denominator, design.n, rows, "denominator")
    if len(name_y) != len(name_x):
        got = f"{len(name_y)} and {len(name_x)}"
        raise WelfareError("not as many numerators as denominators", where="ratio", got=got, expected="one for each")
    names = [f"{a}/{b}" for a, b in zip(name_y, name_x, strict=True)]
    return ratios(design, y, x, names, design.domains(by, where, rows))


@rerun
def total(design: Design, variables: Any, by: Any = None, where: Any = None, missing: str = "error") -> Estimate:
    """Weighted totals; arguments as for `mean`.

    ``missing="mean"`` lets those who answered stand for those of their domain who did not (size times mean);
    by default a missing answer is an error, since a total would silently be too small. A condition that all or none
    of a domain meet has the standard error and the interval of its share, times the size.
    """
    one_of(missing, ("error", "mean"), "missing", "rule")
    rows = shared_rows(design, variables)
    y, names = matrix(variables, design.n, rows, "total")
    parts = design.domains(by, where, rows)
    present = ~np.isnan(y)
    gaps = int((~present & (parts.codes >= 0)[:, None]).sum())
    if gaps and missing == "error":
        what = "answers are missing and the total would be too small"
        hint = 'Say missing="mean" to let those who answered stand for the others.'
        raise WelfareError(what, where=", ".join(names), got=gaps, expected="an answer in each row", hint=hint)
    shares = conditions(variables)
    if gaps or shares.any():
        made_ = _scaled(design, ratios(design, y, None, names, parts, shares=shares), parts)
        return replace(made_, positive=np.repeat(shares, parts.count)) if shares.any() else made_
    described = describe(design, parts, present, names)
    value = parts.sums(y, design.weights).ravel()
    return made(design, value, names, described, lambda: scatter(y, parts))


def conditions(variables: Any) -> np.ndarray:
    """Which columns (k,) are conditions: booleans, with gaps or not; zeros and ones may be amounts or counts."""
    frame = pd.DataFrame(variables if np.ndim(variables) == 2 else pd.Series(variables))
    kinds = enumerate(frame.dtypes)
    return np.array(
        [k != np.dtype(float) and pd.api.types.infer_dtype(frame.iloc[:, j]) == "boolean" for j, k in kinds]
    )


def shared_rows(design: Design, *values: Any) -> pd.Index | None:
    """Names of the rows that all arguments of a call must share."""
    return row_names(*values) if design.names is None else design.names


def ratios(
    design: Design,
    y: np.ndarray,
    x: np.ndarray | None,
    names: list[str],
    parts: Domains,
    column: str = "variable",
    bounds: Callable[..., tuple[np.ndarray, np.ndarray]] = bounds_at_edges,  # with what respondents are worth
    shares: np.ndarray | None = None,
) -> Estimate:
    """Ratios (k x domains) of weighted totals, flattened variable by variable; ``shares`` (k,) marks conditions.

    Without ``x`` they are means: of ones.
    """
    w = design.weights
    top, present = parts.sums(y, w), np.ones(y.shape, dtype=bool)
    if x is not None or not np.isfinite(top).all():
        present = ~(np.isnan(y) | np.isnan(1.0 if x is None else x))
        y, x = np.where(present, y, 0.0), np.where(present, 1.0 if x is None else x, 0.0)
        top = parts.sums(y, w)
    described = describe(design, parts, present, names, column)
    bottom = described.counts["n_weighted"].to_numpy().reshape(top.shape) if x is None else parts.sums(x, w)
    size = (
        bottom if x is None and (w >= 0).all() else parts.sums(np.ones_like(y) if x is None else np.abs(x), np.abs(w))
    )
    if (np.abs(bottom) <= 1e-12 * np.abs(size)).any():
        raise WelfareError("the denominator is zero", where=", ".join(names), got=0, expected="a total other than 0")
    value, at = top / bottom, np.maximum(parts.codes, 0)
    some = np.zeros(parts.count + 1, dtype=np.int64)
    some[parts.codes] = np.arange(design.n)
    some = some[:-1]  # a row of each domain

    def deviation(j: int) -> np.ndarray:
        gap = value[j].take(at, mode="clip")  # none is outside
        if x is not None:
            gap *= x[:, j]
        np.subtract(y[:, j], gap, out=gap)
        if x is not None or (np.abs(gap[some]) <= 2e-14 * np.abs(value[j])).any():
            gap[np.abs(gap) <= 1e-14 * np.abs(y[:, j])] = 0.0  # a constant has no error at all
        return gap

    def influence() -> Influence:
        centred = (y, value) if x is None else None
        return Influence(deviation, len(names), parts.codes, parts.count, 1 / bottom, centred)

    flat = value.ravel()
    marked = np.repeat(np.zeros(len(names), dtype=bool) if shares is None else shares, parts.count)
    if (np.abs(flat[marked] - 0.5) > 0.5 + 1e-9).any():
        positive(w, ", ".join(names))
    edge = marked & ((flat == 0) | (flat == 1))
    if not edge.any():
        extra = described.not_estimable(edge)
    else:
        size = worth(design, parts, described, np.where(marked, flat, 0.0), design.variance(influence()))
        extra, bounds = described.not_estimable(edge, size), partial(cast("Any", bounds), worth=size)
        if marked.all() and len(names) > 1 and (y[present[:, 0] & (parts.codes >= 0)].sum(axis=1) == 1).all():
            extra = {kind: balanced(flat, c.diagonal(), parts.count) for kind, c in extra.items()}
    if not marked.any():
        return made(design, flat, names, described, influence, extra=extra)
    estimate = made(design, flat, names, described, influence, bounds, extra)
    scarce = Rare.of(design, y, present, parts) if design.certain.any() else None
    return scarce.widened(estimate, marked) if scarce is not None and (scarce.rare & marked).any() else estimate


def made(
    design: Design,
    value: np.ndarray,
    names: list[str],
    described: Description,
    influence: Callable[[], Any],
    bounds: Bounds = t_bounds,
    extra: Mapping[str, Any] | None = None,
) -> Estimate:
    """Values of variables by domains as an estimate."""
    index = described.counts.index
    return Estimate(
        pd.Series(value, index=index, name=names[0] if len(names) == 1 else None),
        design,
        influence,
        pd.Series(described.df, index=index),
        described.counts,
        bounds,
        extra or {},
    )


def _scaled(design: Design, means: Estimate, parts: Domains) -> Estimate:
    """Totals from means: the weighted size of each domain times the mean, with the influence of both."""
    k = len(means.value) // parts.count
    size = np.tile(parts.sums(design.weights[:, None]).ravel(), k)
    value, none = means.value.to_numpy(), np.zeros(len(size))
    extra = {name: sparse.csr_array(c) for name, c in means.extra_covariance.items()}
    known = {name: c.diagonal() for name, c in extra.items()}
    unknown, rare = known.get("not estimable", none), known.get("rare cases", none)
    full = (means.counts["missing"] == 0).to_numpy()  # one respondent who is all of the domain leaves nothing to guess
    unknown = np.where(full & np.isinf(unknown), 0.0, unknown)
    if "not estimable" in extra:
        extra["not estimable"].setdiag(unknown)
    exact = ((unknown > 0) & np.isfinite(unknown) & (value == 0)) | ((rare > 0) & (value < 0.5))

    def influence() -> Any:
        level = value.reshape(k, parts.count).T[np.maximum(parts.codes, 0)]
        return means.influence.multiply(size[None, :]).tocsr() + scatter(level, parts)

    def bounds(estimate: Estimate, level: float) -> tuple[np.ndarray, np.ndarray]:
        low, high = t_bounds(estimate, level)
        inside = means.interval(level)
        return np.where(exact, size * inside["low"], low), np.where(exact, size * inside["high"], high)

    scale = sparse.diags_array(size)
    extra = {name: scale @ c @ scale for name, c in extra.items()}
    return Estimate(means.value * size, design, influence, means.df, means.counts, bounds, extra)
