r"""An estimate is a value and its influence.

The influence :math:`z_k` of respondent k is the derivative of the value by k's design weight (Deville 1999; Demnati
and Rao 2004); the variance of the estimate is the design's variance of :math:`\sum_k w_k z_k`. A smooth function of
estimates has the influence :math:`J z`, J its Jacobian, and so is an estimate again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse, stats

from .design import Design
from .domains import Domains

Bounds = Callable[["Estimate", float], tuple[np.ndarray, np.ndarray]]


def t_bounds(estimate: Estimate, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric bounds by Student's t with the domain's own degrees of freedom."""
    half = stats.t.ppf((1 + level) / 2, estimate.df.to_numpy()) * estimate.se.to_numpy()
    return estimate.value.to_numpy() - half, estimate.value.to_numpy() + half


@dataclass(frozen=True, eq=False)
class Estimate:
    """Named values, their influences and the design that gives them a covariance.

    Attributes
    ----------
    value : Series (k,)
        The estimates.
    df : Series (k,)
        Degrees of freedom: PSUs less strata present in the domain.
    counts : DataFrame (k rows)
        n respondents, n_weighted, and missing (respondents left out because the answer is missing).
    extra_covariance : mapping of name to (k, k) array
        What has no influence (imputation, model variance), in every interval.
    """

    value: pd.Series
    design: Design
    compute: Callable[[], Any] = field(repr=False)
    df: pd.Series = field(repr=False)
    counts: pd.DataFrame = field(repr=False)
    bounds: Bounds = field(default=t_bounds, repr=False)
    extra_covariance: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)

    @cached_property
    def influence(self) -> sparse.csr_array:
        """Influences (n x k), computed when first asked for."""
        return sparse.csr_array(self.compute())

    @cached_property
    def _variance(self) -> np.ndarray:
        extra = sum((np.diag(c) for c in self.extra_covariance.values()), np.zeros(len(self.value)))
        return self.design.variance(self.influence) + extra

    @property
    def se(self) -> pd.Series:
        """Standard errors (k,)."""
        return pd.Series(np.sqrt(self._variance), index=self.value.index, name="se")

    def covariance(self) -> pd.DataFrame:
        """Covariance matrix (k x k)."""
        matrix = self.design.covariance(self.influence)
        matrix = sum(self.extra_covariance.values(), matrix)
        return pd.DataFrame(matrix, index=self.value.index, columns=self.value.index)

    def interval(self, level: float = 0.95) -> pd.DataFrame:
        """Confidence bounds: a frame with low and high."""
        low, high = self.bounds(self, level)
        return pd.DataFrame({"low": low, "high": high}, index=self.value.index)

    def deff(self, replacement: bool = False) -> pd.Series:
        """Design effect: the variance over that of a simple random sample of as many (Kish 1965, section 8.2)."""
        w, n = self.design.weights, self.design.n
        size = w.sum()
        first = w @ self.influence / size
        second = w @ self.influence.power(2) / size
        simple = size**2 / (n - 1) * (second - first**2) * (1.0 if replacement or n >= size else 1 - n / size)
        ratio = np.divide(self._variance, simple, out=np.full(len(simple), np.nan), where=simple > 1e-300)
        return pd.Series(ratio, index=self.value.index, name="deff")

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """Long table: the index as columns, then estimate, se, low, high, deff, n, n_weighted, missing."""
        body = pd.concat(
            [self.value.rename("estimate"), self.se, self.interval(level), self.deff(), self.counts], axis=1
        )
        return body.reset_index()

    def apply(self, f: Callable[[pd.Series], Any]) -> Estimate:
        """A smooth function of the values as an estimate again, by the delta method.

        The Jacobian is a fourth-order central difference with steps of the size of each value or standard error.
        """
        x = self.value.to_numpy(float)
        result = f(self.value)
        single = np.ndim(result) == 0
        value = pd.Series([result], index=["estimate"]) if single else pd.Series(result)
        step = 1e-3 * np.where(x != 0, np.abs(x), np.where(self.se > 0, self.se, 1.0))

        def at(j: int, by: float) -> np.ndarray:
            moved = x.copy()
            moved[j] += by * step[j]
            return np.atleast_1d(np.asarray(f(pd.Series(moved, index=self.value.index)), dtype=float))

        jacobian = np.column_stack(
            [(8 * (at(j, 1) - at(j, -1)) - (at(j, 2) - at(j, -2))) / (12 * step[j]) for j in range(len(x))]
        )
        used = np.abs(jacobian) > 0
        least = {c: [self.counts[c][u].min() if u.any() else np.nan for u in used] for c in self.counts}
        df = [self.df[u].min() if u.any() else np.nan for u in used]
        return Estimate(
            value.astype(float),
            self.design,
            lambda: self.influence @ sparse.csr_array(jacobian.T),
            pd.Series(df, index=value.index),
            pd.DataFrame(least, index=value.index),
            extra_covariance={k: jacobian @ c @ jacobian.T for k, c in self.extra_covariance.items()},
        )


def describe(design: Design, parts: Domains, present: np.ndarray) -> tuple[np.ndarray, pd.DataFrame]:
    """Degrees of freedom and counts of each variable and domain; ``present`` (n x k) marks answers that are there."""
    total = np.bincount(parts.codes[parts.codes >= 0], minlength=parts.count)
    df, counts = [], []
    for column in present.T:
        codes = np.where(column, parts.codes, -1)
        inside = codes >= 0
        n = np.bincount(codes[inside], minlength=parts.count)
        weighted = np.bincount(codes[inside], weights=design.weights[inside], minlength=parts.count)
        df.append(design.degrees_of_freedom(codes, parts.count))
        counts.append(pd.DataFrame({"n": n, "n_weighted": weighted, "missing": total - n}))
    return np.concatenate(df), pd.concat(counts, ignore_index=True)


def labelled(names: list[str], parts: Domains, column: str = "variable") -> pd.Index:
    """The index of variables by domains: the variable alone, the domain alone, or both."""
    if parts.labels is None:
        return pd.Index(names, name=column)
    if len(names) == 1 and column == "variable":
        return parts.labels
    keys = [(name, *(label if isinstance(label, tuple) else (label,))) for name in names for label in parts.labels]
    return pd.MultiIndex.from_tuples(keys, names=[column, *parts.labels.names])


def scatter(values: np.ndarray, parts: Domains) -> sparse.csr_array:
    """Influences of variables by domains: ``values`` (n x k) put into the columns of each row's domain, sparse."""
    n, k = values.shape
    inside = parts.codes >= 0
    columns = parts.codes[inside, None] + np.arange(k)[None, :] * parts.count
    pointer = np.concatenate([[0], np.cumsum(np.where(inside, k, 0))])
    return sparse.csr_array((values[inside].ravel(), columns.ravel(), pointer), shape=(n, k * parts.count))
