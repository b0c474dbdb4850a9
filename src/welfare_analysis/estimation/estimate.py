r"""An estimate is a value and its influence.

The influence :math:`z_k` of respondent k is the derivative of the value by k's design weight (Deville 1999; Demnati
and Rao 2004); the variance of the estimate is the design's variance of :math:`\sum_k w_k z_k`. A smooth function of
estimates has the influence :math:`J z`, J its Jacobian, and so is an estimate again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse, special

from ..errors import WelfareError
from .design import Design
from .domains import Domains
from .influence import Influence, sizes

ROUNDED = 1e-6  # of the largest slope of a result: what differences leave of none
Bounds = Callable[["Estimate", float], tuple[np.ndarray, np.ndarray]]


def t_bounds(estimate: Estimate, level: float) -> tuple[np.ndarray, np.ndarray]:
    r"""Bounds by Student's t with the domain's own degrees of freedom: symmetric, on the log scale where `positive`.

    The standard error s of a count T rises with it, so that estimates that are too low have standard errors that are
    too small, and symmetric intervals miss the truth more often from below than from above. Those of a count are
    :math:`T e^{\pm t s / T}`: "log Student's t" (Parker and others 2023, NCHS, Vital and Health Statistics 2(200)).
    """
    value = estimate.value.to_numpy()
    half = special.stdtrit(estimate.df.to_numpy(), (1 + level) / 2) * estimate.se.to_numpy()
    low, high = value - half, value + half
    log = estimate.positive & (value > 0)
    with np.errstate(over="ignore"):  # an interval without an upper end
        factor = np.exp(np.divide(half, value, out=np.zeros(len(value)), where=log))
    return np.where(log, value / factor, low), np.where(log, value * factor, high)


@dataclass(frozen=True, eq=False)
class Estimate:
    """Named values, their influences and the design that gives them a covariance.

    Attributes
    ----------
    value : Series (k,)
        The estimates; where the index does not name the variable, the name of the Series does.
    df : Series (k,)
        Degrees of freedom: PSUs less strata present in the domain.
    counts : DataFrame (k rows)
        n respondents, n_weighted, and missing (respondents left out because the answer is missing).
    extra_covariance : mapping of name to (k, k) array, dense or sparse
        What has no influence (imputation, model variance, what the sample cannot tell), in every interval.
    estimator : callable, optional
        Of a design with the same rows: the estimate of its weights.
    deviations : (R, k) array, optional
        What the estimator gave with each of R replicate weights, less the value; they have the covariance then.
    positive : (k,) array of bool, or False of all
        Which values are counts, or sums or products of such: they cannot be negative, and `t_bounds` are on the log
        scale. Sums of them, with weights from 0 on, stay so in `apply`.
    push : callable, optional
        Of what is made of other estimates: gives `combined` of a matrix without the influences in between.
    """

    value: pd.Series
    design: Design
    compute: Callable[[], Any] = field(repr=False)
    df: pd.Series = field(repr=False)
    counts: pd.DataFrame = field(repr=False)
    bounds: Bounds = field(default=t_bounds, repr=False)
    extra_covariance: Mapping[str, Any] = field(default_factory=dict, repr=False)
    push: Callable[[sparse.csr_array], Any] | None = field(default=None, repr=False, kw_only=True)
    estimator: Any = field(default=None, repr=False, kw_only=True)
    deviations: np.ndarray | None = field(default=None, repr=False, kw_only=True)
    positive: np.ndarray | bool = field(default=False, repr=False, kw_only=True)

    @property
    def variance_by(self) -> str:
        """How the standard errors came about: by linearisation, or by replicates with which it was run again."""
        if self.design.ready is None:
            return "linearisation"
        replicates = f"{len(self.design.ready.coefficients)} replicates ({self.design.ready.method})"
        return replicates if self.deviations is not None else f"linearisation, with {replicates}"

    def refit(self, method: str = "jackknife", **settings: Any) -> Any:
        """The estimate with the errors of replicates, the estimator run again with the weights of each.

        Arguments as for `Design.with_replicates`. What is made of others, as by `apply`, is made again.

        Raises
        ------
        WelfareError
            As there; an estimate that does not say how it came about.
        """
        if self.estimator is None:
            hint = "Use replicates.refit with a function of a design."
            raise WelfareError("it is not known how to estimate it again", where="refit", hint=hint)
        return self.estimator(self.design.with_replicates(method, **settings))

    def as_positive(self) -> Estimate:
        """The same as counts, or other numbers that cannot be negative: with intervals on the log scale."""
        again = self.estimator
        return replace(
            self,
            positive=np.ones(len(self.value), dtype=bool),
            estimator=None if again is None else lambda d: again(d).as_positive(),
        )

    def combined(self, matrix: sparse.csr_array) -> Any:
        """Influences (n x m) of linear combinations (m x k) of the values."""
        if self.push is None or "influence" in self.__dict__:
            return self.influence @ matrix.T
        return self.push(matrix)

    @cached_property
    def influence(self) -> sparse.csr_array:
        """Influences (n x k), computed when first asked for."""
        computed = self.compute()
        return sparse.csr_array(computed.tocsr() if isinstance(computed, Influence) else computed)

    @cached_property
    def _variance(self) -> np.ndarray:
        extra = sum((sparse.csr_array(c).diagonal() for c in self.extra_covariance.values()), np.zeros(len(self.value)))
        if self.deviations is not None:
            linear = np.diagonal(self._linear())
        else:
            linear = self.design.variance(self.compute() if "influence" not in self.__dict__ else self.influence)
        variance = linear + np.maximum(extra, 0.0)  # of a sum that is known, rounding is left
        return np.where(np.isnan(variance), np.inf, variance)  # of a difference of two unknowns

    @property
    def se(self) -> pd.Series:
        """Standard errors (k,); infinite where the sample cannot tell, as of the mean of one respondent."""
        return pd.Series(np.sqrt(self._variance), index=self.value.index, name="se")

    def covariance(self) -> pd.DataFrame:
        """Covariance matrix (k x k)."""
        matrix = self._linear()
        for extra in self.extra_covariance.values():
            matrix = matrix + sparse.csr_array(extra).toarray()
        np.fill_diagonal(matrix, self._variance)
        return pd.DataFrame(matrix, index=self.value.index, columns=self.value.index)

    @property
    def _moves(self) -> np.ndarray:
        """Deviations (R x k) of the replicates, whose squares add up to the variance."""
        ready = self.design.ready
        assert ready is not None
        return np.sqrt(ready.coefficients)[:, None] * ready.centred(self.deviations)

    def _linear(self) -> np.ndarray:
        """Covariance (k x k) without what has no influence."""
        if self.deviations is None:
            return self.design.products(self.compute() if "influence" not in self.__dict__ else self.influence)
        return self._moves.T @ self._moves

    def interval(self, level: float = 0.95) -> pd.DataFrame:
        """Confidence bounds: a frame with low and high."""
        if not 0 < level < 1:
            raise WelfareError("not between 0 and 1", where="level", got=level, expected="a share, as 0.95")
        low, high = self.bounds(self, level)
        return pd.DataFrame({"low": low, "high": high}, index=self.value.index)

    def respondents(self) -> tuple[np.ndarray, np.ndarray]:
        """How many respondents enter each value (k,), and their weight: of several domains all of theirs."""
        entering, w, counts = (self.influence != 0).astype(float), self.design.weights, self.counts
        n = np.maximum(counts["n"], (w != 0).astype(float) @ entering)
        return n.to_numpy(), np.maximum(counts["n_weighted"], w @ entering).to_numpy()

    def deff(self, replacement: bool = False) -> pd.Series:
        """Design effect: the variance over that of a simple random sample of as many (Kish 1965, section 8.2).

        Of a domain it is the domain's own, as R's `svyby` gives it: the sample compared with is one of the domain
        alone, as large as its part of this sample. Only that makes an effective size of the domain's n. Of what several
        domains enter it is that of all their `respondents`.

        1 where the answers do not vary (there is nothing to compare), infinite where the standard error is.
        """
        w, z = self.design.weights, self.influence
        n, size = self.respondents()
        first, second = w @ z / size, w @ z.power(2) / size
        finite = 1.0 if replacement else np.where(n >= size, 1.0, 1 - n / size)
        simple = size**2 / np.maximum(n - 1, 1) * (second - first**2) * finite
        same = np.where(np.isinf(self._variance), np.inf, 1.0)
        varies = (simple > 1e-12 * size**2 * second) & np.isfinite(self._variance)
        ratio = np.divide(self._variance, simple, out=same, where=varies)
        return pd.Series(ratio, index=self.value.index, name="deff")

    def replicates(self, count: int, rng: np.random.Generator) -> pd.DataFrame:
        r"""Linear replicates (count x k): normal, with the covariance of the linearisation and nothing more.

        That is the law of :math:`\hat\theta + \sum_k d_k a_k g_k z^*_k` with normal a (see `replicates`).

        Raises
        ------
        WelfareError
            A standard error that is infinite; a covariance that is negative for some combination of the values.
        """
        unknown = self.value.index[np.isinf(self._variance)]
        if len(unknown):
            what, hint = "the sample does not tell the error", "Leave these out."
            raise WelfareError(what, where="replicates", got=list(unknown)[:5], hint=hint)
        sizes, vectors = np.linalg.eigh(self._linear())
        if sizes[0] < -1e-9 * sizes[-1]:
            what = "the covariance is negative for some combination of the values"
            raise WelfareError(
                what, where="replicates", got=f"an eigenvalue of {sizes[0]:.3g}", expected="none below 0"
            )
        moved = rng.standard_normal((count, len(sizes))) @ (vectors * np.sqrt(np.maximum(sizes, 0))).T
        return pd.DataFrame(self.value.to_numpy() + moved, columns=self.value.index)

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """Long table: variable (or category), domains, then estimate, se, low, high, deff, n, n_weighted, missing."""
        return self._long([self.value.rename("estimate"), self.se, self.interval(level), self.deff(), self.counts])

    def bounded(self, level: float = 0.95) -> pd.DataFrame:
        """The table without what tells of the design: variable (or category), domains, estimate, low, high, n."""
        return self._long([self.value.rename("estimate"), self.interval(level), self.counts["n"]])

    def _long(self, columns: list[Any]) -> pd.DataFrame:
        body = pd.concat(columns, axis=1).reset_index()
        if self.value.name is not None and not {"variable", "category"} & set(body):
            body.insert(0, "variable", self.value.name)
        return body

    def _differences(self, f: Callable[[pd.Series], Any], x: np.ndarray) -> np.ndarray:
        """Jacobian (results x values) of a function at the values, by differences."""
        steps = np.abs(x)
        if not x.all():
            steps = np.where(x != 0, steps, np.where((self.se > 0) & np.isfinite(self.se), self.se, 1.0))
        return slopes(lambda move: _numbers(f(self.value + move)).to_numpy(), 1e-3 * steps)

    def apply(self, f: Callable[[pd.Series], Any], jacobian: Any = None) -> Estimate:
        """A smooth function of the values as an estimate again, by the delta method.

        Without a ``jacobian`` (results x values, dense or sparse) it is a fourth-order central difference with steps of
        the size of each value or standard error.

        Raises
        ------
        WelfareError
            A result that is not a number, an array or a Series of numbers; one that is not finite at the values or
            near them.
        """
        x = self.value.to_numpy(float)
        with np.errstate(all="ignore"):
            value = _numbers(f(self.value))
            J = self._differences(f, x) if jacobian is None else sparse.csr_array(jacobian).toarray()
        if not (np.isfinite(value).all() and np.isfinite(J).all()):
            raise WelfareError("the function is not finite", where="apply", got=value.to_dict(), expected="numbers")
        deviations = self.deviations
        if deviations is not None:
            index, name = self.value.index, self.value.name
            runs = [_numbers(f(pd.Series(x + d, index, name=name))).to_numpy() for d in deviations]
            deviations = np.array(runs) - value.to_numpy()
        used = (J != 0) | ~J.any(axis=1, keepdims=True)
        sparse_j = sparse.csr_array(J)

        def least(column: pd.Series) -> np.ndarray:
            return np.where(used, column, column.max()).min(axis=1)

        return Estimate(
            value,
            self.design,
            lambda: self.combined(sparse_j),
            pd.Series(least(self.df), index=value.index),
            pd.DataFrame({name: least(column) for name, column in self.counts.items()}, index=value.index),
            extra_covariance={k: sparse_j @ sparse.csr_array(c) @ sparse_j.T for k, c in self.extra_covariance.items()},
            push=lambda matrix: self.combined(matrix @ sparse_j),
            estimator=None if self.estimator is None else lambda d: self.estimator(d).apply(f, jacobian),
            deviations=deviations,
            positive=_sums(np.broadcast_to(self.positive, x.shape), J, x, value.to_numpy()),
        )


def _sums(positive: np.ndarray, J: np.ndarray, x: np.ndarray, result: np.ndarray) -> np.ndarray:
    """Which results (rows of a Jacobian) are sums, with weights from 0 on, of the values x that are ``positive``."""
    weights = np.where(np.abs(J) > ROUNDED * np.abs(J).max(axis=1, keepdims=True), J, 0.0)
    summed: np.ndarray = (weights >= 0).all(axis=1) & ~(weights * ~positive).any(axis=1)
    return summed & np.isclose(weights @ x, result, rtol=ROUNDED, atol=0)


def slopes(f: Callable[[np.ndarray], np.ndarray], steps: np.ndarray) -> np.ndarray:
    """Jacobian (results x values) by central differences of fourth order, of a function of what values are moved by."""
    columns = []
    for j, step in enumerate(steps):
        unit = step * (np.arange(len(steps)) == j)
        near = [f(by * unit) for by in (1, -1, 2, -2)]
        columns.append((8 * (near[0] - near[1]) - (near[2] - near[3])) / (12 * step))
    return np.column_stack(columns)


def _numbers(result: Any) -> pd.Series:
    """What a function of estimates gave, as a Series of floats."""
    if np.ndim(result) == 0:
        result = pd.Series([result], index=pd.Index(["estimate"], name="variable"))
    try:
        value = pd.Series(result).astype(float)
    except (TypeError, ValueError):
        got = type(result).__name__
        raise WelfareError("not numbers", where="apply", got=got, expected="a number, an array or a Series") from None
    return value.rename_axis("variable") if value.index.nlevels == 1 and value.index.name is None else value


@dataclass(frozen=True, eq=False)
class Description:
    """Of k variables by domains: degrees of freedom, counts, and whether the sample tells a variance (`evidence`)."""

    df: np.ndarray
    counts: pd.DataFrame
    evidence: np.ndarray

    def not_estimable(self, edge: np.ndarray, size: np.ndarray | None = None) -> dict[str, sparse.dia_array]:
        """Extra covariance of means: infinite where nothing tells the variance; at an ``edge`` of a share, finite.

        There it is the variance of Beta(1, m + 1), the posterior of none in m, with m the `effective` of ``size``:
        the respondents, or what they are worth in clusters (`intervals.worth`).
        """
        extra = np.where(self.evidence == 1, np.inf, 0.0)
        if edge.any():
            worth = self.counts["n"].to_numpy(float) if size is None else size
            m = effective(worth[edge], self.df[edge])
            extra[edge] = np.where(self.evidence[edge] > 0, (m + 1) / ((m + 2) ** 2 * (m + 3)), 0.0)
        return {"not estimable": sparse.diags_array(extra)} if extra.any() else {}


def effective(n: np.ndarray, df: np.ndarray, level: float = 0.95) -> np.ndarray:
    """Sample size less what few degrees of freedom cost (Korn and Graubard 1998)."""
    tail = (1 - level) / 2
    return n * np.minimum(special.stdtrit(np.maximum(n - 1, 1), tail) / special.stdtrit(df, tail), 1.0) ** 2


def describe(
    design: Design, parts: Domains, present: np.ndarray, names: list[str], column: str = "variable"
) -> Description:
    """Describe each variable in each domain; ``present`` (n x k) marks answers that are there.

    Raises
    ------
    WelfareError
        A domain without an answer.
    """
    total = sizes(parts.codes, parts.count)
    whole, df, evidence = present.all(), [], []
    counts: list[tuple[np.ndarray, ...]] = []
    for there in present.T[: 1 if whole else None]:
        codes = parts.codes if whole else np.where(there, parts.codes, -1)
        n = total if whole else sizes(codes, parts.count)
        weighted = np.bincount(codes + 1, weights=design.weights, minlength=parts.count + 1)[1:]
        df.append(design.degrees_of_freedom(codes, parts.count))
        evidence.append(design.evidence(codes, parts.count))
        counts.append((n, weighted, total - n))
    times = present.shape[1] if whole else 1
    columns = dict(
        zip(("n", "n_weighted", "missing"), map(np.concatenate, zip(*counts * times, strict=True)), strict=True)
    )
    table = pd.DataFrame(columns, index=labelled(names, parts, column))
    if (table["n"] == 0).any():
        empty = list(table.index[table["n"] == 0])
        hint = "Use where= to leave the domain out."
        where = ", ".join(names)
        raise WelfareError("no respondent answered", where=where, got=empty[:5], expected="at least one", hint=hint)
    return Description(np.concatenate(df * times), table, np.concatenate(evidence * times))


def labelled(names: list[str], parts: Domains, column: str = "variable") -> pd.Index:
    """The index of variables by domains: the variable alone, the domain alone, or both."""
    if parts.labels is None:
        return pd.Index(names, name=column)
    if len(names) == 1 and column == "variable":
        return parts.labels
    if parts.labels.nlevels == 1:
        return pd.MultiIndex.from_product([names, parts.labels], names=[column, *parts.labels.names])
    keys = [(name, *label) for name in names for label in parts.labels]
    return pd.MultiIndex.from_tuples(keys, names=[column, *parts.labels.names])


def scatter(values: np.ndarray, parts: Domains) -> sparse.csr_array:
    """Influences of variables by domains: ``values`` (n x k) in the columns of each row's domain, sparse."""
    return Influence(lambda j: values[:, j], values.shape[1], parts.codes, parts.count).tocsr()
