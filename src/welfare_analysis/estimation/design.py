r"""A sampling design: weights, and the variance of any weighted sum.

Every design that we support has a variance estimator of one form,

.. math:: \hat V\Big(\sum_k w_k z_k\Big) = \sum_t \sum_{g \in t} c_{tg}\, T_{tg} T_{tg}',
          \qquad T_{tg} = \sum_{k \in g} w_k z_k,

a list of *terms*: a grouping of the rows and a coefficient a group. One stage of clusters in strata is the term of the
clusters, with :math:`c_h = (1 - f_h) n_h / (n_h - 1)`, less the term of the strata, with :math:`c_h / n_h`
(Cochran 1977, eq. 11.24). More stages add terms (`stages`), a second phase replaces each term by three (`phases`).
The cost is linear in the rows.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from ..errors import WelfareError
from .columns import codes, numbers, row_names
from .phases import two_phases
from .stages import Sampling, Term, stages

if TYPE_CHECKING:
    from .calibration import Residuals

ROUNDING = 1e-13  # a variance below this share of its largest term is rounding, and is exactly zero
NEGATIVE = 1e-9  # below minus this share it is negative, which the unbiased estimator of two phases can be


class Design:
    """Weights and the sampling that gave them.

    Parameters
    ----------
    weights : (n,) Series or array
        Inverse inclusion probabilities; positive and finite. A Series' index names the rows: a Series given later to
        this design is put in its order, or is an error where it names other rows (see `columns`).
    strata : (n,) Series or array, optional
        Stratum of each row; absent: one stratum.
    psu : (n,) Series or array, or list of them, optional
        Primary sampling unit of each row, then the units of the later stages; absent: each row its own.
    fpc : (n,) Series or array, or list of them, optional
        Population count of units in the row's stratum (later stages: in its unit); absent: with replacement.
    nest : bool
        Whether the same PSU label in two strata means two PSUs.

    Raises
    ------
    WelfareError
        Weights that are missing, text, infinite, zero or negative; PSU labels in two strata without ``nest``; a
        stratum with a single PSU that is not taken with certainty; counts below the sample or not constant; columns
        of other lengths or rows.
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
        n = len(w)
        units, counts = _by_stage(np.arange(n) if psu is None else psu), _by_stage(fpc)
        if len(counts) > len(units):
            expected = f"at most {len(units)}, one a stage of psu"
            raise WelfareError("more counts than stages", where="fpc", got=len(counts), expected=expected)
        order = row_names(weights, strata, *units, *counts)
        strata_codes = codes(np.zeros(n) if strata is None else strata, n, order, "strata")
        self.names: pd.Index | None = row_names(weights)
        self.weights: np.ndarray = w
        self.sampling: Sampling = stages(strata_codes, units, counts, nest, order)
        self.residuals: Residuals | None = None

    @classmethod
    def _made(cls, names: pd.Index | None, weights: np.ndarray, sampling: Sampling, residuals: Any = None) -> Design:
        design = cls.__new__(cls)
        design.names, design.weights, design.sampling, design.residuals = names, weights, sampling, residuals
        return design

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
        return cls._made(phase2.names, *two_phases(phase1, phase2))

    @cached_property
    def n(self) -> int:
        """Number of rows."""
        return len(self.weights)

    @property
    def index(self) -> pd.Index:
        """Names of the rows: the index of the weights, or 0, 1, ..."""
        return pd.RangeIndex(self.n) if self.names is None else self.names

    @cached_property
    def certain(self) -> np.ndarray:
        """Rows (n,) that no term of the variance weighs: they came in with certainty and stand for themselves."""
        weighed = [np.abs(t.coefficients[t.codes]) > 0 for t in self.sampling.terms]
        return ~np.any(weighed, axis=0)

    @property
    def df(self) -> int:
        """Degrees of freedom: PSUs less strata."""
        return int(self.degrees_of_freedom(np.zeros(self.n, dtype=np.int64), 1)[0])

    def degrees_of_freedom(self, domain: np.ndarray, count: int) -> np.ndarray:
        """PSUs less strata present in each domain (codes 0 to ``count - 1``; -1 is outside), at least 1."""
        inside = (domain >= 0) & self.sampling.counted
        psus, strata = (
            _distinct(labels[inside], domain[inside], count) for labels in (self.sampling.psu, self.sampling.strata)
        )
        return np.maximum(psus - strata, 1).astype(float)

    def evidence(self, domain: np.ndarray, count: int) -> np.ndarray:
        """What each domain's rows tell of the error of its mean: 0 it has none, 1 nothing is told, 2 a variance.

        The influences of a mean add up to zero in the domain, so a variance is told only where a term of the design
        parts the domain in two groups or more; where no term touches it, the design leaves no error.
        """
        touched, parted = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
        rows = np.flatnonzero(domain >= 0)
        for term in self.sampling.terms:
            group = term.codes[rows]
            group = np.where(term.coefficients[group] != 0, group, -1) + 1
            hit = np.bincount(domain[rows], weights=group > 0, minlength=count) > 0
            touched |= hit
            parted |= hit & (_distinct(group, domain[rows], count) > 1)
        return np.where(parted, 2, touched.astype(int))

    def calibrate(self, margins: dict, frame: pd.DataFrame, method: str = "raking") -> Design:
        """A design whose weights reach known totals and whose variances use the residuals: see `calibration`."""
        from .calibration import calibrate

        return calibrate(self, margins, frame, method)

    def reweighted(self, weights: np.ndarray, residuals: Residuals) -> Design:
        """The same sampling with calibrated weights and the residuals that their variances need."""
        return self._made(self.names, weights, self.sampling, residuals)

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
        """Variances (k,) of the weighted sums of ``influence`` (n x k, dense or sparse).

        Exactly zero where only rounding is left; infinite where the estimate is negative and so tells nothing.
        """
        estimate, largest = self.unbiased(influence)
        rounded = np.where(estimate > ROUNDING * largest, estimate, 0.0)
        return np.where(estimate < -NEGATIVE * largest, np.inf, rounded)

    def unbiased(self, influence: Any) -> tuple[np.ndarray, np.ndarray]:
        """The unbiased estimates (k,) of the variances, negative at times with two phases, and their largest terms."""
        z = sparse.csr_array(influence)
        weighted = self._weighted(z)
        variance, largest = np.zeros(z.shape[1]), np.zeros(z.shape[1])
        for term in self._terms:
            part = term.coefficients @ term.sums(weighted).power(2)
            variance, largest = variance + part, np.maximum(largest, np.abs(part))
        if self.residuals is not None:
            x = sparse.csr_array(self.residuals.x)
            slopes = self.residuals.slopes(z)
            cross, square = self._product(x, z), self._product(x, x)
            variance = variance - 2 * (slopes * cross).sum(axis=0) + (slopes * (square @ slopes)).sum(axis=0)
        return variance, largest

    @cached_property
    def _terms(self) -> list[Term]:
        return [term for term in self.sampling.terms if term.coefficients.any()]

    def _weighted(self, z: sparse.csr_array) -> sparse.csr_array:
        return sparse.csr_array((z.data * np.repeat(self.weights, np.diff(z.indptr)), z.indices, z.indptr), z.shape)

    def _product(self, left: sparse.csr_array, right: sparse.csr_array) -> np.ndarray:
        a, b = self._weighted(left), self._weighted(right)
        total = np.zeros((left.shape[1], right.shape[1]))
        for term in self._terms:
            scaled = sparse.diags_array(term.coefficients) @ term.sums(b)
            total += (term.sums(a).T @ scaled).toarray()
        return total


def _distinct(labels: np.ndarray, domain: np.ndarray, count: int) -> np.ndarray:
    """Number of different labels in each domain."""
    return np.bincount(pd.unique(labels.astype(np.int64) * count + domain) % count, minlength=count)


def _by_stage(columns: Any) -> list[Any]:
    """One item a stage: a list of columns as it is, one column alone as the first stage."""
    staged = isinstance(columns, (list, tuple)) and any(pd.api.types.is_list_like(c) for c in columns)
    return list(columns) if staged else [columns]


def _weights(weights: Any) -> np.ndarray:
    if not pd.api.types.is_list_like(weights) or np.ndim(weights) != 1 or not len(weights):
        got = np.shape(weights)
        raise WelfareError("weights are not one column of rows", where="weights", got=got, expected="shape (n,)")
    try:
        w = numbers(weights, "weights")
    except WelfareError:
        raise WelfareError("weights are not numbers", where="weights", expected="positive numbers") from None
    for bad, rule in ((np.isnan(w), "missing"), (np.isinf(w), "infinite"), (w <= 0, "zero or negative")):
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise WelfareError(
                f"{int(bad.sum())} weights are {rule}, the first in row {row}",
                where="weights",
                got=float(w[row]),
                expected="positive finite numbers",
                hint="Leave the rows out of the file, or use where= to look at a part.",
            )
    return w
