r"""Tests of hypotheses: differences of domains, Wald, Rao and Scott, ranks, and many comparisons.

A linear hypothesis :math:`C\theta = c` has Wald's statistic :math:`W = (C\hat\theta - c)' (C \hat V C')^{-1}
(C\hat\theta - c)`. With q rows and :math:`\nu` degrees of freedom of the design :math:`\frac{\nu - q + 1}{\nu q} W` is
about F with q and :math:`\nu - q + 1` (Korn and Graubard 1990); without that correction it is W/q, with q and
:math:`\nu`. A `contrast` of estimates is an estimate; it has the covariance of what it compares.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from ..errors import WelfareError
from .columns import aligned, matrix, one_of, positive
from .design import Design
from .estimate import Estimate
from .inequality import mid_rank
from .means import mean, shared_rows

SINGULAR = 1e-10  # smallest eigenvalue of a correlation matrix that still has an inverse
MOST = 1000  # interactions, whose covariance has the square of them


@dataclass(frozen=True)
class Test:
    """What was tested, the statistic, its degrees of freedom (F has two, t those of the error), and p."""

    __test__ = False  # no test case for pytest

    what: str
    statistic: float
    df: float
    df_error: float
    p: float


def contrast(estimate: Estimate, weights: Mapping[Any, Any]) -> Estimate:
    """Weighted sums of values: ``{"Yes": 1, "No": -1}``, or several by name, ``{"gap": {"Yes": 1, "No": -1}, ...}``.

    Raises
    ------
    WelfareError
        A name that the estimate lacks, or has twice; no weight.
    """
    several = {k: dict(v) for k, v in weights.items() if isinstance(v, Mapping)}
    rows = several if len(several) == len(weights) else {"contrast": dict(weights)}
    index = estimate.value.index
    names = [name for row in rows.values() for name in row]
    unknown = [name for name in names if name not in index]
    if not names or unknown or not index.is_unique:
        what = "no such value" if unknown else "two values have one name" if names else "there is nothing to compare"
        raise WelfareError(what, where="contrast", got=unknown[:5], expected=f"some of {list(index)[:10]}")
    matrix_ = np.zeros((len(rows), len(index)))
    for i, row in enumerate(rows.values()):
        matrix_[i, index.get_indexer(pd.Index(list(row), tupleize_cols=index.nlevels > 1))] = list(row.values())
    labels = pd.Index(list(rows), name="contrast")
    return estimate.apply(lambda v: pd.Series(matrix_ @ v.to_numpy(float), index=labels), matrix_)


def differences(estimate: Estimate, reference: Hashable | None = None) -> Estimate:
    """Each value less that of ``reference``, or all pairs, the later in the index less the earlier: named ``b - a``."""
    index = list(estimate.value.index)
    pairs = [(b, a) for a, b in combinations(index, 2)] if reference is None else [(b, reference) for b in index]

    def text(name: Any) -> str:
        return ", ".join(map(str, name)) if isinstance(name, tuple) else str(name)

    return contrast(estimate, {f"{text(b)} - {text(a)}": {b: 1.0, a: -1.0} for b, a in pairs if b != a})


def t_tests(estimate: Estimate, null: float = 0.0, df: float | None = None, adjust: str = "holm") -> pd.DataFrame:
    """Test of each value against ``null``: estimate, se, t, df, p, and p_adjusted for all tests of the table together.

    The last by ``adjust``, see `adjusted_p`. ``df`` is the domains' own, or what is given (R's `svyttest` takes that of
    the design less 1).

    Raises
    ------
    WelfareError
        A standard error that is zero or not known.
    """
    se, freedom = estimate.se, estimate.df if df is None else pd.Series(float(df), index=estimate.df.index)
    if not (np.isfinite(se) & (se > 0)).all():
        got = list(se.index[~(np.isfinite(se) & (se > 0))])[:5]
        raise WelfareError("no error is known to test against", where="t_tests", got=got, expected="standard errors")
    t = (estimate.value - null) / se
    p = pd.Series(2 * special.stdtr(freedom, -np.abs(t)), index=t.index)
    together = adjusted_p(p.to_numpy(), adjust)
    return pd.DataFrame({"estimate": estimate.value, "se": se, "t": t, "df": freedom, "p": p, "p_adjusted": together})


def adjusted_p(p: np.ndarray, adjust: str = "holm") -> np.ndarray:
    """The p of several tests together (m,), nan where a test was not made.

    ``adjust`` is "holm" (Holm 1979: no false finding, at the level), "fdr_bh" (Benjamini and Hochberg 1995: few false
    among the findings), or another method of `statsmodels.stats.multitest.multipletests`.

    Raises
    ------
    WelfareError
        A method that statsmodels does not know.
    """
    from statsmodels.stats.multitest import multipletests  # takes as long to import as all else here

    there, adjusted = ~np.isnan(p), np.full(len(p), np.nan)
    try:
        adjusted[there] = multipletests(p[there], method=adjust)[1] if there.any() else []
    except ValueError:
        raise WelfareError("unknown method", where="adjust", got=adjust, expected="holm, fdr_bh, ...") from None
    return adjusted


def wald(estimate: Estimate, null: Any = 0.0, df: float | None = None, correction: bool = True) -> Test:
    """F test that all values are ``null``; ``df`` of the error is the least of the domains' own, or what is given.

    Raises
    ------
    WelfareError
        A covariance that is not known or has no inverse, as of shares that add up to one; too few degrees of freedom.
    """
    named = null.reindex(estimate.value.index) if isinstance(null, pd.Series) else null
    if np.ndim(named) and (np.shape(named) != estimate.value.shape or not np.isfinite(named).all()):
        raise WelfareError(
            "not a null for each value", where="wald", got=np.shape(null), expected=f"{len(estimate.value)}"
        )
    gap, V = estimate.value.to_numpy(float) - np.asarray(named, float), estimate.covariance().to_numpy()
    q, freedom = len(gap), float(estimate.df.min() if df is None else df)
    deviation = np.sqrt(np.diagonal(V))
    if not np.isfinite(V).all() or (deviation <= 0).any():
        raise WelfareError("no error is known to test against", where="wald", expected="a covariance of all values")
    correlation = V / np.outer(deviation, deviation)
    if np.linalg.eigvalsh(correlation)[0] <= SINGULAR:
        hint = "Leave one value out, or compare fewer groups than there are PSUs less strata."
        raise WelfareError("one value follows from the others", where="wald", got=list(estimate.value.index), hint=hint)
    W = float(gap / deviation @ np.linalg.solve(correlation, gap / deviation))
    error = freedom - q + 1 if correction else freedom
    if error <= 0:
        expected = f"at least {q} degrees of freedom"
        raise WelfareError("too many values for the sample", where="wald", got=freedom, expected=expected)
    F = W * error / (freedom * q)
    return Test("Wald", F, float(q), error, float(special.fdtrc(q, error, F)))


def independence(design: Design, rows: Any, columns: Any, where: Any = None, statistic: str = "corrected") -> Test:
    r"""Rao and Scott's test that two categorical variables are independent.

    Pearson's :math:`X^2 = n \sum (\hat p_{ij} - \hat p_{i+} \hat p_{+j})^2 / (\hat p_{i+} \hat p_{+j})` is referred to
    the design effects of the q interactions, the eigenvalues of :math:`\Delta = S^{-1} n \hat V`: the covariance of
    the design over that of a simple random sample. ``"F"``, the second order: :math:`X^2/\mathrm{tr}\Delta` with
    :math:`d = a/b` degrees of freedom, :math:`a = (\mathrm{tr}\Delta)^2`, :math:`b = \mathrm{tr}\Delta^2`, and
    :math:`\nu` times as many of the error. ``"chisq"``, the first order: :math:`X^2` over the mean effect is
    chi-squared; the statistic given is :math:`X^2`. These two are R's `svychisq`. Their interactions are the contrasts
    of the log shares (Rao and Scott 1984), which an empty cell has none of: then they are those of ``"corrected"``.

    ``"corrected"`` is the second order where clusters are few. (1) The interactions are :math:`\hat p_{ij} -
    \hat p_{i+} \hat p_{+j}`, of influence :math:`(a_{ki} - \hat p_{i+})(b_{kj} - \hat p_{+j})`, with no logarithm of a
    share that rests on few clusters; S may lack some directions, of which the mean effect of the others is taken.
    (2) Shares follow a large cluster, which makes its part of :math:`\hat V` too small: its influence is divided by
    :math:`\sqrt{1 - h}`, with h its part of the weight (Bell and McCaffrey 2002, Survey Methodology 28, 169).
    (3) Effects that are estimated differ more than true ones, so that d is too small: in its place
    :math:`((\nu + 1) a - 2 b) / (\nu b - a)`, from d to q (Huynh and Feldt 1976, J. Educ. Stat. 1, 69). In large
    samples all of that vanishes. data/reference/independence_size.csv has the sizes of this and of ``"F"``.

    Raises
    ------
    WelfareError
        A variable with one category; no respondent with both answers; a table that the design fixes.
    """
    one_of(statistic, ("corrected", "F", "chisq"), "statistic", "statistic")
    order = shared_rows(design, rows, columns)
    named = ((rows, "rows"), (columns, "columns"))
    pair = [pd.Series(aligned(v, design.n, order, name)).reset_index(drop=True) for v, name in named]
    both = (pair[0].notna() & pair[1].notna()).to_numpy()
    mask = None if where is None else np.asarray(aligned(where, design.n, order, "where"))
    codes = design.domains(where=both if mask is None else both & pd.array(mask, "boolean").fillna(False)).codes
    inside = codes >= 0
    axes = [pd.factorize(v.where(inside))[0] for v in pair]
    r, c = (int(a.max()) + 1 for a in axes)
    if min(r, c) < 2:
        raise WelfareError("a variable has one category", where="independence", got=f"{r} x {c}", expected="2 x 2")
    if (r - 1) * (c - 1) >= min(inside.sum(), MOST):
        expected_, hint = f"fewer interactions than {min(inside.sum(), MOST)}", "Merge categories."
        raise WelfareError("too many categories", where="independence", got=f"{r} x {c}", expected=expected_, hint=hint)
    cell = np.where(inside, axes[0] * c + axes[1], -1)
    w = np.where(inside, design.weights, 0.0)
    p = np.bincount(cell[inside], weights=w[inside], minlength=r * c) / w.sum()
    z = (inside[:, None] / w.sum()) * ((cell[:, None] == np.arange(r * c)) - p)
    table, n = p.reshape(r, c), int(inside.sum())
    if (p < 0).any():
        positive(design.weights, "independence")
    shares, corrected = (table.sum(axis=1), table.sum(axis=0)), statistic == "corrected"
    expected, V = np.outer(*shares).ravel(), n * design.covariance(_lifted(design, w, z) if corrected else z)
    if (p > 0).all() and not corrected:
        contrasts = np.kron(_contrasts(r), _contrasts(c)) / p[:, None]
    else:
        contrasts = np.kron(*((np.eye(len(s)) - s)[:, :-1] for s in shares))
        if np.ptp(contrasts[p > 0], axis=0).max() < SINGULAR:  # two halves, alike in both variables
            contrasts = np.kron((np.eye(r) - shares[0])[:, :-1], np.ones((c, 1)))
    effects, k = _effects(contrasts, p, V), (r - 1) * (c - 1)
    scale = k / len(effects)
    first = scale * float(np.trace(effects))
    if not first > SINGULAR:  # rounding is left where all are of one sampling unit
        what = "the design fixes the table, or tells no error of it: there is nothing to test"
        raise WelfareError(what, where="independence", got=first)
    X2 = float(n * ((p - expected) ** 2 / expected).sum())
    if statistic == "chisq":
        return Test("Rao-Scott, first order", X2, float(k), np.inf, float(special.chdtrc(k, X2 * k / first)))
    freedom = float(design.degrees_of_freedom(codes, 1)[0])
    df = scale * _independent(effects, freedom if corrected else np.inf)
    what = "Rao-Scott, corrected" if corrected else "Rao-Scott, second order"
    return Test(what, X2 / first, df, df * freedom, float(special.fdtrc(df, df * freedom, X2 / first)))


def rank_test(
    design: Design, variable: Any, by: Any, where: Any = None, scores: Callable[[np.ndarray], np.ndarray] | None = None
) -> Test:
    """Design-based Wilcoxon (two groups, t) or Kruskal-Wallis (more, F) test: the groups have the same mean rank.

    Ranks are those of the population, (weight below + half the weight alike) / size; ``scores`` of them may be taken,
    as `scipy.special.ndtri` (van der Waerden) or ``lambda r: r > 0.5`` (median). That ranks are estimated does not
    matter under the hypothesis (Lumley and Scott 2013). Degrees of freedom: those of the design less groups - 1.
    """
    rows = shared_rows(design, variable, by)
    y, _ = matrix(variable, design.n, rows, "rank_test")
    parts = design.domains(by, where, rows)
    inside = (parts.codes >= 0) & ~np.isnan(y[:, 0])
    rank = np.where(inside, mid_rank(np.where(inside, y[:, 0], 0.0), np.where(inside, 0, -1), design.weights), np.nan)
    scored = rank if scores is None else np.where(inside, scores(np.where(inside, rank, 0.5)), np.nan)
    groups = mean(design, scored.astype(float), by=by, where=where)
    q = len(groups.value) - 1
    if q < 1:
        raise WelfareError("there is one group", where="by", got=list(groups.value.index), expected="two or more")
    df = float(design.degrees_of_freedom(np.where(inside, 0, -1), 1)[0]) - q
    gaps = differences(groups, groups.value.index[0])
    if q > 1:
        test = wald(gaps, df=df, correction=False)
        return Test("Kruskal-Wallis", test.statistic, test.df, test.df_error, test.p)
    row = t_tests(gaps, df=df).iloc[0]
    return Test("Wilcoxon", float(row["t"]), 1.0, df, float(row["p"]))


def _effects(A: np.ndarray, p: np.ndarray, V: np.ndarray) -> np.ndarray:
    """Design effects of contrasts ``A`` (cells x q) of shares ``p``, whose covariance times n is ``V``.

    A symmetric matrix of as many rows as there are directions in which a simple random sample varies.
    """
    A = A - p @ A
    values, vectors = np.linalg.eigh((A * p[:, None]).T @ A)
    varying = values > SINGULAR * values[-1]
    A = A @ (vectors[:, varying] / np.sqrt(values[varying]))
    return A.T @ V @ A


def _lifted(design: Design, w: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Influences over the root of what is left without the unit of each row; none where one unit has all weight."""
    left = 1 - np.bincount(design.sampling.psu, weights=w)[design.sampling.psu, None] / w.sum()
    return np.where(left > SINGULAR, z / np.sqrt(np.maximum(left, SINGULAR)), 0.0)


def _independent(effects: np.ndarray, freedom: float) -> float:
    """As how many equal effects some are worth that are estimated with degrees of ``freedom`` (inf: that are known)."""
    trace, square = float(np.trace(effects)) ** 2, float((effects**2).sum())
    if np.isinf(freedom):
        return trace / square
    above, below = (freedom + 1) * trace - 2 * square, freedom * square - trace
    return max(trace / square, min(above / below if below > SINGULAR * square else np.inf, len(effects)))


def _contrasts(k: int) -> np.ndarray:
    """Contrasts (k x k - 1) of each category with the last."""
    return np.vstack([np.eye(k - 1), -np.ones(k - 1)])
