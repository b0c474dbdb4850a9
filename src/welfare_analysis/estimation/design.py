r"""A sampling design: weights, and the variance of any weighted sum.

Every design that we support has a variance estimator of one form,

.. math:: \hat V\Big(\sum_k w_k z_k\Big) = \sum_t \sum_{g \in t} c_{tg}\, T_{tg} T_{tg}',
          \qquad T_{tg} = \sum_{k \in g} w_k z_k,

a list of *terms*: a grouping of the rows and a coefficient a group. One stage of clusters in strata is the term of the
clusters, with :math:`c_h = (1 - f_h) n_h / (n_h - 1)`, less the term of the strata, with :math:`c_h / n_h`
(Cochran 1977, eq. 11.24). More stages add terms (Särndal, Swensson and Wretman 1992, result 4.3.1); a second phase
replaces each term by three (section 9.4, there). The cost is linear in the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from ..errors import WelfareError

if TYPE_CHECKING:
    from .calibration import Residuals

ROUNDING = 1e-13  # a variance below this share of its largest term is rounding, and is exactly zero


@dataclass(frozen=True)
class Term:
    """One quadratic term: ``codes`` (n,) names each row's group, ``coefficients`` (groups,) weigh the squares."""

    codes: np.ndarray
    coefficients: np.ndarray

    def sums(self, weighted: sparse.csr_array) -> sparse.csr_array:
        """Group sums (groups x k) of a matrix (n x k) that is weighted already."""
        n = len(self.codes)
        groups = sparse.csr_array((np.ones(n), (self.codes, np.arange(n))), shape=(len(self.coefficients), n))
        return groups @ weighted

    def at(self, rows: np.ndarray) -> Term:
        """The same term seen by some rows only."""
        return Term(self.codes[rows], self.coefficients)


@dataclass(frozen=True, eq=False)
class Sampling:
    """How the rows came into the sample: the terms of the variance, and what counts for degrees of freedom."""

    terms: tuple[Term, ...]
    psu: np.ndarray
    strata: np.ndarray
    counted: np.ndarray


class Design:
    """Weights and the sampling that gave them.

    Parameters
    ----------
    weights : (n,) Series or array
        Inverse inclusion probabilities; positive and finite. A Series' index names the rows.
    strata : (n,) array, optional
        Stratum of each row; absent: one stratum.
    psu : (n,) array or list of them, optional
        Primary sampling unit of each row, then the units of the later stages; absent: each row its own.
    fpc : (n,) array or list of them, optional
        Population count of units in the row's stratum (later stages: in its unit); absent: with replacement.
    nest : bool
        Whether the same PSU label in two strata means two PSUs.

    Raises
    ------
    WelfareError
        Weights that are missing, text, infinite, zero or negative; PSU labels in two strata without ``nest``; a
        stratum with a single PSU that is not taken with certainty; counts below the sample or not constant.
    """

    def __init__(
        self,
        weights: Any,
        strata: Any = None,
        psu: Any = None,
        fpc: Any = None,
        nest: bool = False,
    ) -> None:
        w = _weights(weights)
        units = psu if isinstance(psu, list) else [np.arange(len(w)) if psu is None else psu]
        counts = fpc if isinstance(fpc, list) else [fpc]
        strata_codes = _codes(np.zeros(len(w)) if strata is None else strata, len(w), "strata")
        self.index = weights.index if isinstance(weights, pd.Series) else pd.RangeIndex(len(w))
        self.weights: np.ndarray = w
        self.sampling = _stages(strata_codes, units, counts, nest)
        self.residuals: Residuals | None = None

    @classmethod
    def two_phase(cls, phase1: Design, phase2: Design) -> Design:
        r"""The design of rows drawn from rows.

        Parameters
        ----------
        phase1 : Design
            Of all units of the first phase, observed or not.
        phase2 : Design
            Of the observed units: a stratified simple random sample of the first phase, with ``fpc`` the number of
            first-phase units in the stratum. Response in classes, given its counts, is such a sample (Oh and
            Scheuren 1983; Särndal, Swensson and Wretman 1992, section 15.6). Its index names rows of ``phase1``.

        Returns
        -------
        Design
            One row an observed unit, weights the product of both. Its variance is the unbiased
            :math:`\hat V_1 + \hat V_2` (there, result 9.3.1), exact for any stages of the first phase.

        Raises
        ------
        WelfareError
            A phase that is calibrated; rows of ``phase2`` that ``phase1`` lacks, or twice; counts that do not add up to
            the first phase; one unit of several; a second phase that is no simple random sample in its classes.
        """
        if phase1.residuals is not None or phase2.residuals is not None:
            raise WelfareError("a phase is calibrated already", where="two_phase", hint="Calibrate the result.")
        if phase1.index.has_duplicates or phase2.index.has_duplicates:
            raise WelfareError("a row occurs twice", where="two_phase", expected="an index that names each row")
        rows = phase1.index.get_indexer(phase2.index)
        if (rows < 0).any():
            raise WelfareError(
                "rows of phase 2 are not in phase 1", where="two_phase", got=int((rows < 0).sum()), expected="0 rows"
            )
        classes = phase2.sampling.strata
        drawn = np.bincount(classes)
        present = drawn / np.bincount(classes, weights=phase2.weights)  # the sampling rate of each class
        size = drawn / present
        if not np.isclose(size.sum(), len(phase1.weights), rtol=1e-9):
            raise WelfareError(
                "the weights of phase 2 do not add up to the units of phase 1",
                where="two_phase",
                got=float(size.sum()),
                expected=f"{len(phase1.weights)}",
                hint="Use weights = fpc / n in each class, with fpc the count of phase-1 units in it.",
            )
        pair = np.divide(present * (drawn - 1), size - 1, out=np.ones(len(size)), where=size - 1 > 1e-9)
        joint = np.where(present < 1 - 1e-12, present**2 / np.where(pair > 0, pair, np.nan), 1.0)
        if np.isnan(joint).any():
            raise WelfareError(
                "one unit stands for a class of several",
                where="two_phase",
                got=int(np.isnan(joint).sum()),
                expected="two observed units a class, or all of it",
                hint="Merge classes.",
            )
        n = len(rows)
        simple = np.divide((1 - present) * drawn, drawn - 1, out=np.zeros(len(size)), where=drawn > 1)
        found = phase2.sampling.terms[0].coefficients  # of single rows: zero for clusters, larger without fpc
        if not (
            np.allclose(found, simple[classes], rtol=1e-6, atol=1e-9)
            and np.allclose(phase2.weights * present[classes], 1.0, rtol=1e-6)
        ):
            raise WelfareError(
                "phase 2 is not a simple random sample in each class",
                where="two_phase",
                expected="a row a unit, with weights = fpc / n in each class",
                hint="fpc is the count of phase-1 units in the class; weights do not differ in it.",
            )
        own = np.zeros(n)
        terms: list[Term] = []
        for term in phase1.sampling.terms:
            seen = term.at(rows)
            c = seen.coefficients[seen.codes]
            cells, first = _cross(seen.codes, classes)
            terms += [seen, Term(cells, (c * (joint[classes] - 1))[first])]
            own += c * (present[classes] - joint[classes])
        terms += [Term(np.arange(n), own), *phase2.sampling.terms]
        spread = sum((t.coefficients[t.codes] for t in terms if len(t.coefficients) == n), np.zeros(n))
        design = cls.__new__(cls)
        design.index, design.weights = phase2.index, phase1.weights[rows] * phase2.weights
        design.sampling = Sampling(_simplify(terms, n), np.arange(n), phase1.sampling.strata[rows], np.abs(spread) > 0)
        design.residuals = None
        return design

    @cached_property
    def n(self) -> int:
        """Number of rows."""
        return len(self.weights)

    @property
    def df(self) -> int:
        """Degrees of freedom: PSUs less strata."""
        return int(self.degrees_of_freedom(np.zeros(self.n, dtype=np.int64), 1)[0])

    def degrees_of_freedom(self, domain: np.ndarray, count: int) -> np.ndarray:
        """PSUs less strata present in each domain (codes 0 to ``count - 1``; -1 is outside), at least 1."""
        inside = (domain >= 0) & self.sampling.counted
        present = [
            np.bincount(np.unique(codes[inside] * np.int64(count) + domain[inside]) % count, minlength=count)
            for codes in (self.sampling.psu, self.sampling.strata)
        ]
        return np.maximum(present[0] - present[1], 1).astype(float)

    def calibrate(self, margins: dict, frame: pd.DataFrame, method: str = "raking") -> Design:
        """A design whose weights reach known totals and whose variances use the residuals: see `calibration`."""
        from .calibration import calibrate

        return calibrate(self, margins, frame, method)

    def reweighted(self, weights: np.ndarray, residuals: Residuals) -> Design:
        """The same sampling with calibrated weights and the residuals that their variances need."""
        design = Design.__new__(Design)
        design.index, design.weights = self.index, weights
        design.sampling, design.residuals = self.sampling, residuals
        return design

    def covariance(self, influence: Any) -> np.ndarray:
        """Covariance (k x k) of the weighted sums of ``influence`` (n x k, dense or sparse)."""
        z = sparse.csr_array(influence)
        matrix = self._product(z, z)
        if self.residuals is not None:
            x = sparse.csr_array(self.residuals.x)
            slopes = self.residuals.slopes(z)
            cross = self._product(x, z)
            matrix = matrix - slopes.T @ cross - cross.T @ slopes + slopes.T @ self._product(x, x) @ slopes
        np.fill_diagonal(matrix, self.variance(influence))
        return (matrix + matrix.T) / 2

    def variance(self, influence: Any) -> np.ndarray:
        """Variances (k,) of the weighted sums of ``influence`` (n x k, dense or sparse)."""
        z = sparse.csr_array(influence)
        weighted = self._weighted(z)
        parts = np.array([t.coefficients @ t.sums(weighted).power(2) for t in self.sampling.terms])
        variance, largest = parts.sum(axis=0), np.abs(parts).max(axis=0)
        if self.residuals is not None:
            x = sparse.csr_array(self.residuals.x)
            slopes = self.residuals.slopes(z)
            cross, square = self._product(x, z), self._product(x, x)
            variance = variance - 2 * (slopes * cross).sum(axis=0) + (slopes * (square @ slopes)).sum(axis=0)
        return np.where(variance > ROUNDING * largest, variance, 0.0)

    def _weighted(self, z: sparse.csr_array) -> sparse.csr_array:
        return sparse.csr_array((z.data * np.repeat(self.weights, np.diff(z.indptr)), z.indices, z.indptr), z.shape)

    def _product(self, left: sparse.csr_array, right: sparse.csr_array) -> np.ndarray:
        a, b = self._weighted(left), self._weighted(right)
        total = np.zeros((left.shape[1], right.shape[1]))
        for term in self.sampling.terms:
            scaled = sparse.diags_array(term.coefficients) @ term.sums(b)
            total += (term.sums(a).T @ scaled).toarray()
        return total


def _weights(weights: Any) -> np.ndarray:
    try:
        w = np.asarray(weights, dtype=float)
    except (TypeError, ValueError):
        raise WelfareError("weights are not numbers", where="weights", expected="positive numbers") from None
    if w.ndim != 1 or not len(w):
        raise WelfareError("weights are not one column of rows", where="weights", got=w.shape, expected="shape (n,)")
    for bad, rule in ((np.isnan(w), "missing"), (np.isinf(w), "infinite"), (w <= 0, "zero or negative")):
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise WelfareError(
                f"{int(bad.sum())} weights are {rule}, the first in row {row}",
                where="weights",
                expected="positive finite numbers",
                hint="Leave the rows out of the file, or use where= to look at a part.",
            )
    return w


def _codes(labels: Any, n: int, name: str) -> np.ndarray:
    codes, _ = pd.factorize(np.asarray(labels))
    if len(codes) != n:
        raise WelfareError("its length is not that of the weights", where=name, got=len(codes), expected=str(n))
    if (codes < 0).any():
        raise WelfareError(f"{int((codes < 0).sum())} rows have no value", where=name, expected="a value in each row")
    return codes.astype(np.int64)


def _cross(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes of the pairs (a, b), and the first row of each pair."""
    _, first, cells = np.unique(a.astype(np.int64) * (b.max() + 1) + b, return_index=True, return_inverse=True)
    return cells, first


def _stages(strata: np.ndarray, units: Sequence[Any], counts: Sequence[Any], nest: bool) -> Sampling:
    """Terms of a design of one or more stages; without a count at a stage it ends there (with replacement)."""
    n, scale = len(strata), np.ones(len(strata))
    terms: list[Term] = []
    parent, psu = strata, strata
    for stage, labels in enumerate(units):
        name = f"psu, stage {stage + 1}"
        unit = _codes(labels, n, name)
        cells, first = _cross(parent, unit)
        if stage == 0 and not nest and len(first) > unit.max() + 1:
            raise WelfareError(
                "a PSU label occurs in two strata",
                where="psu",
                expected="labels of one stratum each",
                hint="Say nest=True if labels are numbered anew in each stratum.",
            )
        psu = cells if stage == 0 else psu
        size = np.bincount(parent[first])
        rate = _rates(counts[stage] if stage < len(counts) else None, parent, size, stage)
        alone = (size == 1) & (rate < 1)
        if alone.any():
            raise WelfareError(
                f"{int(alone.sum())} strata have a single PSU and no variance can be estimated",
                where=name,
                expected="two PSUs a stratum, or all of it (fpc equal to 1)",
                hint="Merge strata that are alike.",
            )
        factor = np.zeros(len(size))
        np.divide((1 - rate) * size, size - 1, out=factor, where=size > 1)
        factor *= scale[np.unique(parent, return_index=True)[1]]
        terms += [Term(cells, factor[parent[first]]), Term(parent, -factor / size)]
        if not (rate > 0).all():
            break
        scale, parent = scale * rate[parent], cells
    return Sampling(_simplify(terms, n), psu, strata, np.ones(n, dtype=bool))


def _rates(fpc: Any, parent: np.ndarray, size: np.ndarray, stage: int) -> np.ndarray:
    """Sampling rate of each group of ``parent``; zero (with replacement) without population counts."""
    if fpc is None:
        return np.zeros(len(size))
    name, count = f"fpc, stage {stage + 1}", np.asarray(fpc, dtype=float)
    if count.shape != parent.shape or not np.isfinite(count).all():
        raise WelfareError("a count is missing", where=name, expected="the population count of units in each row")
    group = count[np.unique(parent, return_index=True)[1]]
    if (count != group[parent]).any():
        raise WelfareError("it differs within a stratum", where=name, expected="one population count a stratum")
    if (group < size - 1e-9).any():
        at = int(np.flatnonzero(group < size - 1e-9)[0])
        raise WelfareError(
            "the population is smaller than the sample",
            where=name,
            got=float(group[at]),
            expected=f"at least the {int(size[at])} units that are there",
            hint="fpc is a count of units, not a rate.",
        )
    return size / group


def _simplify(terms: Sequence[Term], n: int) -> tuple[Term, ...]:
    """Add up the terms of single rows, and drop those that are nothing."""
    own, others = np.zeros(n), []
    for term in terms:
        if len(term.coefficients) == n and len(np.unique(term.codes)) == n:
            own += term.coefficients[term.codes]
        elif np.any(term.coefficients):
            others.append(replace(term))
    return (Term(np.arange(n), own), *others)
