"""Shares, and intervals that stay within 0 and 1.

A share is a mean of zeros and ones; what is its own are the intervals: symmetric on the logit scale, or those of Korn
and Graubard (1998), and wider ones where the sampled part of a domain holds too few cases for a variance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from ..errors import WelfareError
from .columns import NUMBERS, aligned, matrix
from .design import Design
from .domains import Domains, domains
from .estimate import Bounds, Estimate, effective
from .means import ratios, shared_rows

FEW = 5  # cases or non-cases below which a linearised variance tells little


def share(design: Design, variables: Any, by: Any = None, where: Any = None, interval: str = "logit") -> Estimate:
    """Shares: of a boolean or 0/1 variable, or of each category of a text variable (these add up to one).

    Intervals are on the logit scale, or ``interval="korn-graubard"`` (Korn and Graubard 1998: Clopper-Pearson with
    the effective sample size), which is also used where a share is exactly 0 or 1. There the linearised variance is
    zero and tells nothing; the standard error is that of the posterior Beta(1, m + 1) of none in m. Where a part of a
    domain is known with certainty and few cases are sampled the interval is widened by `with_few_cases`. Arguments as
    for `mean`.
    """
    rules = {"logit": logit_bounds, "korn-graubard": korn_graubard_bounds}
    if interval not in rules:
        raise WelfareError("unknown interval", where="share", got=interval, expected=" or ".join(rules))
    rows = shared_rows(design, variables)
    column = "category" if _is_text(variables) else "variable"
    if column == "category":
        y, names = _categories(pd.Series(aligned(variables, design.n, rows, "share")))
    else:
        y, names = matrix(variables, design.n, rows, "share")
        if not np.isin(y[~np.isnan(y)], (0.0, 1.0)).all():
            raise WelfareError("a share needs yes or no", where=", ".join(names), expected="booleans, 0/1 or text")
    parts = domains(design.n, by, where, rows)
    bounds = with_few_cases(rules[interval], design, y, parts)
    return ratios(design, y, np.ones_like(y), names, parts, column, bounds)


def _is_text(variables: Any) -> bool:
    if isinstance(variables, pd.DataFrame) or np.ndim(variables) != 1:
        return False
    series = pd.Series(variables)
    if series.dtype == object:
        return pd.api.types.infer_dtype(series) not in NUMBERS
    return not pd.api.types.is_numeric_dtype(series.dtype)


def _categories(series: pd.Series) -> tuple[np.ndarray, list[str]]:
    """A column of 0 and 1 (missing as nan) for each category that was answered."""
    answers = pd.Categorical(series).remove_unused_categories()
    names = [str(level) for level in answers.categories]
    if not names or len(set(names)) < len(names):
        what = "two categories have one name" if names else "no respondent answered"
        raise WelfareError(what, where=str(series.name or "share"), got=names, expected="names that differ")
    marks = (answers.codes[:, None] == np.arange(len(names))).astype(float)
    return np.where(answers.codes[:, None] < 0, np.nan, marks), names


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
    linear = np.where((p > 0) & (p < 1), variance, 0.0)  # at 0 and 1 as many as answered
    size = np.divide(p * (1 - p), linear, out=n.copy(), where=linear > 0)
    size = size / n * effective(n, df, level)
    x = np.clip(size * p, 0, size)
    low, high = clopper_pearson(x, size, level)
    known = variance <= 0  # the design fixes the share: no uncertainty is left
    return np.where(known, p, low), np.where(known, p, high)


def clopper_pearson(x: np.ndarray, n: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Exact binomial bounds of x cases in n, which need not be whole numbers (Clopper and Pearson 1934)."""
    tail = (1 - level) / 2
    low = np.where(x > 0, stats.beta.ppf(tail, np.maximum(x, 1e-12), n - x + 1), 0.0)
    high = np.where(x < n, stats.beta.ppf(1 - tail, x + 1, np.maximum(n - x, 1e-12)), 1.0)
    return low, high


def with_few_cases(rule: Bounds, design: Design, y: np.ndarray, parts: Domains) -> Bounds:
    r"""Bounds by a rule, widened where few cases were sampled beside a part that is known with certainty.

    Those who returned a form stand for themselves, those followed up for the others: the linearised variance comes from
    the sampled cases alone, and with none of them it says that nothing is uncertain. With fewer than `FEW` sampled
    cases or non-cases the share is taken apart, :math:`\hat p = (K + S \hat p_s) / \hat N` with K the known cases and S
    the weight of the sampled part, and the bounds of :math:`p_s` are Clopper and Pearson's at the effective size
    :math:`S^2 / \sum w_k^2` (Kish 1965, section 11.7).
    """
    sampled = ~design.certain[:, None]
    present = (~np.isnan(y)).astype(float)
    cases, w = np.where(present, y, 0.0), design.weights[:, None]

    def bounds(estimate: Estimate, level: float) -> tuple[np.ndarray, np.ndarray]:
        low, high = rule(estimate, level)
        drawn, others = parts.sums(cases * sampled).ravel(), parts.sums((present - cases) * sampled).ravel()
        size, weight = parts.sums(present * w).ravel(), parts.sums(present * w * sampled).ravel()
        few = (np.minimum(drawn, others) < FEW) & (weight > 0) & (weight < size * (1 - 1e-9))
        if not few.any():
            return low, high
        known, met = parts.sums(cases * w * ~sampled).ravel(), parts.sums(cases * w * sampled).ravel()
        weight = np.where(few, weight, 1.0)
        n = weight**2 / np.where(few, parts.sums(present * w**2 * sampled).ravel(), 1.0)
        least, most = clopper_pearson(np.where(few, n * met / weight, 0.0), n, level)
        wide = (known + weight * least) / size, (known + weight * most) / size
        return np.where(few, np.minimum(low, wide[0]), low), np.where(few, np.maximum(high, wide[1]), high)

    return bounds
