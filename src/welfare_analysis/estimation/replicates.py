r"""Replicates of an estimate: many values that spread as the estimate does from sample to sample.

Replicate weights are :math:`d_k (1 + a_k)` with random a of mean 0 whose covariance is the matrix of the design's
variance, :math:`\hat V(\sum d z) = (dz)' Q (dz)`, so that both variances agree for every statistic (generalised
bootstrap: Beaumont and Patak 2012, section 3). Where stages tell all, each stage s adds independently for its units

.. math:: a_i = \sqrt{\pi_s (1 - f_h)} \Big(\frac{n_h}{n_h - 1} m_i - 1\Big),

m a multinomial draw of :math:`n_h - 1` units of the n_h: with replacement that is the bootstrap of Rao, Wu and Yue
(1992), with one stage and fpc that of Rao and Wu (1988, section 2), with more stages the variance of Preston (2009). Of
other designs (two phases, centred strata) Q is split in the rows' own part and that of cells of rows alike, whose root
is taken; where Q is not positive no weights have it, and that is an error.

*Full* replicates calibrate the moved weights again and run the estimator again. *Linear* ones, which move the weights
alone, are normal about the estimate with its covariance, and need no weights: `Estimate.replicates`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import linalg, sparse

from ..errors import WelfareError
from .columns import aligned, numbers, one_of
from .stages import Replicates, Sampling, Stage, Term

if TYPE_CHECKING:
    from .design import Design

Draw = Callable[[np.random.Generator], np.ndarray]
CELLS = 3000  # of rows that are alike in all groups; the root of their matrix costs the cube
BLOCK = 4_000_000  # numbers at a time
LEAST = 0.01  # smallest factor of a replicate weight where the bootstrap's draws have no bound
FACTORS: dict[str, Callable[[int, float], float]] = {  # what R replicates' squared deviations are multiplied by
    "BRR": lambda R, rho: 1 / R,
    "Fay": lambda R, rho: 1 / (R * (1 - rho) ** 2),
    "JK1": lambda R, rho: (R - 1) / R,
    "JK2": lambda R, rho: 1.0,
    "JKn": lambda R, rho: 1.0,
    "bootstrap": lambda R, rho: 1 / R,
    "SDR": lambda R, rho: 4 / R,
}


@dataclass(frozen=True, eq=False)
class Piece:
    """Independent part of a: ``scale * (e - mean of e in the parent)`` by unit, or ``root @ e``; ``codes`` (n,)."""

    codes: np.ndarray
    scale: np.ndarray
    parents: np.ndarray | None = None
    root: np.ndarray | None = None

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """One draw of a (n,), from exponentials less one."""
        e = rng.standard_exponential(len(self.scale) if self.root is None else self.root.shape[1]) - 1
        if self.root is not None:
            return (self.root @ e)[self.codes]
        if self.parents is not None:
            e -= (np.bincount(self.parents, weights=e) / np.maximum(np.bincount(self.parents), 1))[self.parents]
        return (self.scale * e)[self.codes]


def full(design: Design, estimator: Callable[[Design], Any], count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Full replicates (count x k): weights drawn, calibrated again to the same totals, the estimator run again.

    ``estimator`` is a function of a design, as ``lambda d: mean(d, y).value``. Where draws would make weights negative
    all are drawn nearer to one by a factor and the deviations of the results divided by it (Beaumont and Patak 2012,
    section 4); with a single stage that never happens.

    Raises
    ------
    WelfareError
        A design without replicate weights (see `pieces`), or of the superpopulation; an estimator that fails, with
        the number of the replicate.
    """
    units, factors, shrink = _factors(design, count, rng)
    centre = _named(estimator(design))
    return centre + shrink * (_results(design, estimator, units, factors, centre.index) - centre)


def refit(
    design: Design,
    estimator: Callable[[Design], Any],
    replicates: Term,
    names: pd.Index | None = None,
    unseen: Callable[[Design], pd.Series] | None = None,
) -> pd.DataFrame:
    """The estimator's results (R x k) with each replicate's weights, calibrated again; arguments as for `full`.

    ``names`` are those of the full sample's values, where they are known: each replicate must have them all, or
    ``unseen`` gives them.
    """
    assert replicates.mix is not None
    factors = (1 + row for row in replicates.mix)
    return _results(_bare(design), estimator, replicates.codes, factors, names, unseen)


def covariance(values: pd.DataFrame, replicates: Term, about: pd.Series | None = None) -> pd.DataFrame:
    """Covariance (k x k) of `refit` values, about their mean or about the full sample's values."""
    deviation = (values - (values.mean() if about is None else about)).to_numpy()
    return pd.DataFrame((deviation.T * replicates.coefficients) @ deviation, values.columns, values.columns)


def jackknife(design: Design) -> Replicates:
    """Weights that leave out one PSU at a time (JK1, in strata JKn), with finite corrections.

    Raises
    ------
    WelfareError
        A design of more stages or phases than one, whose other parts would be lost.
    """
    stage = _one_stage(design, "jackknife")
    parents, n = stage.parents, np.maximum(stage.size, 2)
    out = np.flatnonzero(stage.size[parents] > 1)
    mix = np.where(parents[out, None] == parents[None, :], (1 / (n - 1))[parents][None, :], 0.0)
    mix[np.arange(len(out)), out] = -1.0
    rate = (1 - stage.rate) * (n - 1) / n
    return Replicates(stage.units, rate[parents[out]], mix, "JKn", ranked=False)


def balanced(design: Design, rho: float = 0.0) -> Replicates:
    """Balanced half-samples of two PSUs a stratum (BRR; Fay's method with ``rho``), of the next power of two.

    Raises
    ------
    WelfareError
        A stratum of other than two PSUs; finite corrections, which half-samples do not have.
    """
    stage = _one_stage(design, "balanced half-samples")
    if (stage.size != 2).any() or (stage.rate > 0).any() or not 0 <= rho < 1:
        got = f"{int((stage.size != 2).sum())} other strata, {int((stage.rate > 0).sum())} with fpc, rho {rho:g}"
        expected = "two PSUs in each stratum, without fpc, and rho from 0 to 1"
        raise WelfareError("half-samples do not fit", where="replicates", got=got, expected=expected)
    order = 1 << len(stage.size).bit_length()
    signs = linalg.hadamard(order)[:, 1 : len(stage.size) + 1].astype(float)
    parents = stage.parents
    first = np.zeros(len(parents), dtype=bool)
    first[np.unique(parents, return_index=True)[1]] = True
    mix = (1 - rho) * np.where(first, signs[:, parents], -signs[:, parents])
    scales = np.full(order, FACTORS["Fay"](order, rho))
    return Replicates(stage.units, scales, mix, "Fay" if rho else "BRR", ranked=False)


def drawn(design: Design, count: int, rng: np.random.Generator) -> Replicates:
    """The weights of `full`: where they were drawn nearer to one by a factor, its square is in the scale."""
    units, factors, shrink = _factors(design, count, rng)
    return Replicates(units, np.full(count, shrink**2 / count), np.array(list(factors)) - 1, "bootstrap", ranked=False)


def _factors(design: Design, count: int, rng: np.random.Generator) -> tuple[np.ndarray, Iterator[np.ndarray], float]:
    """Units (n,), factors of their weights for each replicate, and what the draws were divided by."""
    if design.model:
        raise WelfareError("full replicates are of the finite population", where="replicates", hint="Use linear ones.")
    seeds = rng.integers(2**63, size=count)
    units, draw, shrink = _draws(design.sampling, seeds)
    return units, (draw(np.random.default_rng(seed)) for seed in seeds), shrink


def made(design: Design, method: str, rho: float, count: int, rng: np.random.Generator | None) -> Replicates:
    """Replicate weights of a method: see `Design.with_replicates`."""
    one_of(method, ("jackknife", "BRR", "Fay", "bootstrap"), "method")
    if method == "bootstrap" and count < 2:
        raise WelfareError("too few replicates", where="count", got=count, expected="two or more")
    if method in ("BRR", "Fay"):
        return balanced(design, rho)
    return jackknife(design) if method == "jackknife" else drawn(design, count, rng or np.random.default_rng(0))


def given(
    design: Design, replicates: Any, method: str, rho: float, scale: float | None, rscales: Any, mse: bool
) -> Replicates:
    r"""Ready-made replicate weights (n x R), full weights that are zero or more.

    The variance is :math:`\sum_r s_r (\hat\theta_r - \hat\theta)^2`, s_r = ``scale * rscales``, or about the mean of
    the replicates (``mse=False``, the default of R's ``svrepdesign``). Scales: 1/R (BRR, bootstrap), 1/(R (1 - rho)^2)
    (Fay), (R - 1)/R (JK1), 1 (JK2), 4/R (SDR, successive differences); JKn needs ``rscales``, as (n_h - 1)/n_h. About
    the mean a bootstrap has 1/(R - 1), which ``svrepdesign`` takes for both.

    Raises
    ------
    WelfareError
        An unknown method; other rows; fewer than two; weights that are missing, negative or all zero, or above zero in
        a row whose full weight is zero; no ``rscales`` for JKn; ``rho`` without Fay or outside 0 to 1; scales that are
        not positive.
    """
    one_of(method, FACTORS, "method")
    frame = pd.DataFrame(aligned(replicates, design.n, design.names, "replicates"))
    w = np.column_stack([numbers(frame.iloc[:, r], f"replicates, {frame.columns[r]}") for r in range(frame.shape[1])])
    bad = ~np.isfinite(w).all(axis=0) | (w < 0).any(axis=0) | ~(w > 0).any(axis=0)
    if w.shape[1] < 2 or bad.any():
        got = f"{w.shape[1]} replicates, {int(bad.sum())} of them missing, negative or all zero"
        raise WelfareError("replicate weights are not weights", where="replicates", got=got, expected="two or more")
    if (method == "Fay") != (rho != 0) or not 0 <= rho < 1:
        raise WelfareError("not Fay's factor", where="rho", got=rho, expected="for Fay, between 0 and 1")
    if method == "JKn" and rscales is None:
        raise WelfareError("JKn has a scale for each replicate", where="rscales", expected="(n_h - 1) / n_h")
    R = w.shape[1]
    usual = FACTORS[method](R if mse or method != "bootstrap" else R - 1, rho)
    each = np.ones(R) if rscales is None else numbers(aligned(rscales, R, None, "rscales"), "rscales")
    scales = (usual if scale is None else float(scale)) * each
    if not (np.isfinite(scales) & (scales >= 0)).all() or not scales.any():
        raise WelfareError("scales are not positive", where="scale, rscales", got=scales.tolist()[:5])
    if (w == design.weights[:, None]).all():
        raise WelfareError("replicates are all the full weights", where="replicates", expected="weights that differ")
    zero = design.weights == 0
    if w[zero].any():
        rows = int(w[zero].any(axis=1).sum())
        what = "replicates count rows whose full weight is zero"
        raise WelfareError(what, where="replicates", got=rows, expected="zero in these rows")
    ratios = np.divide(w, design.weights[:, None], out=np.zeros_like(w), where=~zero[:, None]) - 1
    patterns, codes = np.unique(ratios, axis=0, return_inverse=True)
    return Replicates(codes.ravel(), scales, np.ascontiguousarray(patterns.T), method, mse)


class Export(NamedTuple):
    """Replicate weights (n x (1 + R)) as a ``frame`` to be saved, and the calls of ``R`` and ``Stata`` that read it."""

    frame: pd.DataFrame
    R: str
    Stata: str


def export(design: Design) -> Export:
    """The full sample's weights and the replicates', calibrated again, with the calls of R and Stata that read them.

    Save ``frame`` beside the answers, named ``f`` in R. Both programs then give the standard errors that we give: the
    scales hold Fay's factor and whatever the bootstrap's draws were divided by.

    Raises
    ------
    WelfareError
        A design without replicate weights.
    """
    ready = design.ready
    if ready is None or ready.mix is None:
        raise WelfareError("the design has no replicates", where="export", hint="Use with_replicates().")
    moved = [d.weights for d in _moved(_bare(design), ready.codes, (1 + row for row in ready.mix))]
    R = len(moved)
    names = [f"rep_{r}" for r in range(1, R + 1)]
    frame = pd.DataFrame(np.column_stack([design.weights, *moved]), design.index, ["weight", *names])
    each = ", ".join(f"{s:.17g}" for s in ready.coefficients)
    in_r = (
        f'svrepdesign(data = f, weights = ~weight, repweights = "^rep_[0-9]+$", type = "other", scale = 1, '
        f"rscales = c({each}), combined.weights = TRUE, mse = {str(ready.mse).upper()})"
    )
    factors = each.replace(",", "")
    in_stata = f"svyset [pweight=weight], jkrweight(rep_1-rep_{R}, multiplier({factors})) vce(jackknife)"
    return Export(frame, in_r, f"{in_stata} mse" if ready.mse else in_stata)


def _bare(design: Design) -> Design:
    """The weights with a variance that is quick to compute, for that of one replicate is of no interest."""
    return design.replicated(Term(np.arange(design.n), np.ones(design.n)))


def pieces(sampling: Sampling) -> list[Piece]:
    """The independent parts of a.

    Raises
    ------
    WelfareError
        A variance that is negative for some statistic, as the unbiased one of two phases can be; more than `CELLS`
        cells.
    """
    if sampling.stages:
        return [Piece(s.units, np.sqrt(s.factor)[s.parents], s.parents) for s in sampling.stages]
    terms = [t for t in sampling.terms if t.active.any()]
    if any(t.mix is not None for t in terms):
        return [
            Piece(t.codes, np.ones(t.groups), root=t.mix.T * np.sqrt(t.coefficients))
            for t in terms
            if t.mix is not None
        ]
    n = len(sampling.psu)
    own = sum((t.coefficients[t.codes] for t in terms if t.single), np.zeros(n))
    groups = [t for t in terms if not t.single]
    cells = np.zeros(n, dtype=np.int64)
    for t in groups:
        cells = pd.factorize(cells * (t.groups + 1) + np.where(t.active[t.codes], t.codes + 1, 0))[0].astype(np.int64)
    size = np.bincount(cells)
    if len(size) > CELLS:
        raise WelfareError("too many cells for replicates", where="replicates", got=len(size), expected=f"{CELLS}")
    least = np.full(len(size), np.inf)
    np.minimum.at(least, cells, own)
    first = np.unique(cells, return_index=True)[1]
    matrix = np.zeros((len(size), len(size)))
    for t in groups:
        at = t.codes[first]
        matrix += np.where(at[:, None] == at[None, :], t.coefficients[at][:, None], 0.0)
    values, vectors = np.linalg.eigh(np.diag(least) + np.sqrt(np.outer(size, size)) * matrix)
    lowest = min(values[0], least[size > 1].min(initial=0.0))
    if lowest < -1e-9 * max(values[-1], own.max(initial=0.0)):
        what = "the variance is negative for some statistics, and no replicate weights have it"
        got = f"an eigenvalue of {lowest:.3g}"
        hint = "Use the standard errors of linearisation."
        raise WelfareError(what, where="replicates", got=got, expected="none below 0", hint=hint)
    # the symmetric root: of equal eigenvalues the vectors differ from machine to machine, and with them the draws
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T / np.sqrt(size)[:, None]
    least = np.where(size > 1, np.maximum(least, 0), least)
    rest = np.maximum(own - least[cells], 0)
    rows = np.arange(n)
    single = [Piece(rows, np.sqrt(np.maximum(least, 0))[cells], cells), Piece(rows, np.sqrt(rest))]
    return [p for p in single if p.scale.any()] + [Piece(cells, size, root=root)]


def _one_stage(design: Design, what: str) -> Stage:
    stages = design.sampling.stages
    if len(stages) != 1 or design.model:
        hint = 'Say "bootstrap", whose weights have every part.'
        raise WelfareError(
            f"{what} would lose a part of the variance", where="replicates", expected="one stage", hint=hint
        )
    return stages[0]


def _draws(sampling: Sampling, seeds: np.ndarray) -> tuple[np.ndarray, Draw, float]:
    """Units (n,), what draws their factors 1 + a, and what a was divided by so that no weight is negative."""
    rows = np.arange(len(sampling.psu))
    if sampling.stages:
        parts = [_multinomial(s) for s in sampling.stages]
        shrink = max(sum(float(scale.max(initial=0.0)) for _, scale in parts), 1.0)

        units = [s.units for s in sampling.stages]
        if len(units) == 1:
            return units[0], lambda rng: 1 + parts[0][0](rng) / shrink, shrink

        def product(rng: np.random.Generator) -> np.ndarray:
            return sum(
                ((draw(rng) / shrink)[at] for (draw, _), at in zip(parts, units, strict=True)), np.ones(len(units[0]))
            )

        return rows, product, shrink
    independent = pieces(sampling)

    def total(rng: np.random.Generator) -> np.ndarray:
        return sum((p.draw(rng) for p in independent), np.zeros(len(rows)))

    shrink = max(-min(total(np.random.default_rng(seed)).min() for seed in seeds) / (1 - LEAST), 1.0)
    return rows, lambda rng: 1 + total(rng) / shrink, shrink


def _multinomial(stage: Stage) -> tuple[Draw, np.ndarray]:
    """Draws of one stage by unit, and their scale by group."""
    n, parents = stage.size, stage.parents
    scale = np.sqrt(stage.factor * np.maximum(n - 1, 0) / n)
    order, start = np.argsort(parents, kind="stable"), np.cumsum(n) - n
    group = np.repeat(np.arange(len(n)), np.where(stage.factor > 0, n - 1, 0))
    ratio = np.divide(n, n - 1, out=np.zeros(len(n)), where=n > 1)

    def draw(rng: np.random.Generator) -> np.ndarray:
        taken = order[start[group] + (rng.random(len(group)) * n[group]).astype(np.int64)]
        m = np.bincount(taken, minlength=len(parents))
        return scale[parents] * (ratio[parents] * m - 1)

    return draw, scale


def _results(
    design: Design,
    estimator: Callable[[Design], Any],
    units: np.ndarray,
    factors: Iterator[np.ndarray],
    names: pd.Index | None = None,
    unseen: Callable[[Design], pd.Series] | None = None,
) -> pd.DataFrame:
    results: list[np.ndarray] = []
    try:
        for moved in _moved(design, units, factors):
            result = _result(moved, estimator, names, unseen)
            names = result.index if names is None else names
            results.append(result.to_numpy(float))
    except WelfareError as error:
        raise WelfareError(f"replicate {len(results) + 1} has no result: {error}", where="replicates") from error
    return pd.DataFrame(np.array(results), columns=names)


def _result(
    moved: Design,
    estimator: Callable[[Design], Any],
    names: pd.Index | None,
    unseen: Callable[[Design], pd.Series] | None,
) -> pd.Series:
    """What the estimator gives of one replicate, with what is ``unseen`` in it: see `refit`."""
    try:
        result = _named(estimator(moved))
    except WelfareError:
        if unseen is None or not unseen(moved).index.equals(names):
            raise
        return unseen(moved)
    if names is None or result.index.equals(names):
        return result
    rest = pd.Series(dtype=float) if unseen is None else unseen(moved)
    rest = rest[~rest.index.isin(result.index)]
    if lacking := list(names.symmetric_difference(result.index.append(rest.index)))[:5]:
        raise WelfareError("a value is not there in each replicate", where="estimator", got=lacking)
    return pd.concat([result, rest]).reindex(names)


def _moved(design: Design, units: np.ndarray, factors: Iterator[np.ndarray]) -> Iterator[Design]:
    """The design with factors of its ``units`` (n,), calibrated again, several replicates at a time."""
    known = design.residuals
    if known is None:
        yield from (design.reweighted(design.weights * factor[units], None) for factor in factors)
        return
    mass = sparse.csr_array((known.weights, (known.cells, units)), shape=(len(known.x), units.max() + 1))
    count = max(BLOCK // max(mass.shape[1], known.x.size), 1)
    while block := list(islice(factors, count)):
        moved = np.ascontiguousarray((mass @ np.array(block).T).T)
        for factor, g in zip(block, known.factors(moved), strict=True):
            d, w = factor.take(units, mode="clip"), g.take(known.cells, mode="clip")  # none is outside
            d *= known.weights
            w *= d
            yield design.reweighted(w, replace(known, weights=d))


def _named(result: Any) -> pd.Series:
    return pd.Series([result], index=["estimate"]) if np.ndim(result) == 0 else pd.Series(result)
