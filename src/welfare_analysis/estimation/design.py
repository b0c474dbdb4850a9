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

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ..errors import WelfareError
from .calibration import Residuals, calibrate
from .columns import aligned, codes, numbers, one_of, row_names
from .domains import Domains, domains
from .influence import Influence, rows_of, sizes, variances
from .phases import two_phases
from .replicates import Export, export, given, made
from .stages import Replicates, Sampling, Term, spread_out, stages, superpopulation

ROUNDING = 1e-13  # a variance below this share of its largest term is rounding, and is exactly zero
DENSE = 4  # where one influence in so many is not zero, an array is quicker than a sparse matrix
SINGLE = ("fail", "centre", "collapse", "certainty")
SAME_RULE = {"adjust": "centre", "centered": "centre", "remove": "certainty"}  # as other programs call them
AGREE = 1.25  # times that the sum of the weights may be more or less than what the counts say, without a note
PARTS = ("frame", "names", "weights", "there", "sampling", "residuals", "model", "notes")
NEGATIVE = 1e-9  # below minus this share it is negative, which the unbiased estimator of two phases can be


class Design:
    r"""Weights and the sampling that gave them.

    Parameters
    ----------
    weights : (n,) Series or array
        Inverse inclusion probabilities; finite and not negative. A row of weight zero counts for nothing, neither for n
        nor for degrees of freedom, as if it were not in the file. A Series' index names the rows: a Series given later
        to this design is put in its order, or is an error where it names other rows (see `columns`).
    strata : (n,) Series or array, optional
        Stratum of each row; absent: one stratum.
    psu : (n,) Series or array, or list of them, optional
        Primary sampling unit of each row, then the units of the later stages; absent: each row its own.
    fpc : (n,) Series or array, or list of them, optional
        Population count of units in the row's stratum (later stages: in its unit); absent or infinite: with
        replacement.
    nest : bool
        Whether the same PSU label in two strata means two PSUs.
    single_psu : {"fail", "centre", "collapse", "certainty"}
        A stratum with a single PSU that is not all of it: an error; its total is taken about the mean of all PSU
        totals, :math:`(1 - f_h)(T_{h1} - \bar T)^2`, too large rather than too small (Wolter 2007, section 2.5); it is
        merged with the next stratum in the order of labels; or it adds no variance, which is too small unless the PSU
        was sure to be drawn. `notes` says which. Names of other programs are read too: "adjust" and "centered" for
        "centre", "remove" for "certainty".

    Attributes
    ----------
    notes : tuple of str
        What was done to the design that a reader should know.

    Raises
    ------
    WelfareError
        Weights that are missing, text, infinite, negative or all zero; PSU labels in two strata without ``nest``; a
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
        single_psu: str = "fail",
    ) -> None:
        w = _weights(weights)
        n = len(w)
        units, counts = _by_stage(np.arange(n) if psu is None else psu), _by_stage(fpc)
        if len(counts) > len(units):
            expected = f"at most {len(units)}, one a stage of psu"
            raise WelfareError("more counts than stages", where="fpc", got=len(counts), expected=expected)
        order = row_names(weights, strata, *units, *counts)
        single_psu = SAME_RULE.get(single_psu, single_psu)
        one_of(single_psu, SINGLE, "single_psu", "rule")
        self.names: pd.Index | None = row_names(weights)
        self.weights: np.ndarray = w
        self.there = there = self.counted  # of the full sample: replicates, whose weights may be zero, keep it
        columns = [np.zeros(n) if strata is None else strata, *units, *counts]
        if there is not None:
            order, rows = None, there.nonzero()[0]
            columns = [None if c is None else _some(c, n, self.names, rows) for c in columns]
        stratum, labels = _strata(columns[0], n if there is None else len(rows), order)
        units, counts = columns[1 : 1 + len(units)], columns[1 + len(units) :]
        self.sampling: Sampling = stages(stratum, units, counts, nest, order, single_psu, labels)
        if there is not None:
            self.sampling = spread_out(self.sampling, np.maximum(np.cumsum(there) - 1, 0), there)
        self.residuals: Residuals | None = None
        self.frame: pd.DataFrame | None = None
        self.model: tuple[Term, ...] = ()
        self.notes: tuple[str, ...] = self.sampling.notes + _disagreement(self)

    def _with(self, **parts: Any) -> Design:
        """The same design with other parts."""
        design = Design.__new__(Design)
        design.__dict__.update({k: self.__dict__[k] for k in PARTS} | parts)
        return design

    @classmethod
    def from_replicates(
        cls,
        weights: Any,
        replicates: Any,
        method: str,
        rho: float = 0.0,
        scale: float | None = None,
        rscales: Any = None,
        mse: bool = True,
    ) -> Design:
        """A design that is known by ready-made replicate weights (n x R): see `replicates.given`.

        Every estimator is run again with each replicate's weights, and `Estimate.variance_by` says so.
        """
        design = cls(weights)
        return design.replicated(given(design, replicates, method, rho, scale, rscales, mse))

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
        weights, sampling = two_phases(phase1, phase2)
        notes = phase1.notes + phase2.notes
        return phase2._with(weights=weights, sampling=sampling, notes=notes)

    @cached_property
    def counted(self) -> np.ndarray | None:
        """Rows (n,) of a weight other than zero; None where all are."""
        there = self.weights != 0
        return None if there.all() else there

    @property
    def ready(self) -> Replicates | None:
        """The replicate weights that give the variance, if any."""
        term = self.sampling.terms[0] if self.sampling.terms else None
        return term if isinstance(term, Replicates) else None

    def with_frame(self, frame: pd.DataFrame) -> Design:
        """The same design with a frame of its rows, so that ``by=`` may name columns."""
        if len(frame) != self.n:
            what = "not a row for each of the design's"
            raise WelfareError(what, where="frame", got=len(frame), expected=str(self.n))
        return self._with(frame=frame)

    def domains(self, by: Any = None, where: Any = None, index: pd.Index | None = None) -> Domains:
        """Domains of the rows that count: see `domains.domains`; ``by`` may name columns of the design's frame."""
        names = [by] if isinstance(by, str) else list(by) if isinstance(by, (list, tuple)) else []
        # a list as long as the design is a column of labels, as ever
        if names and len(names) != self.n and all(isinstance(name, str) for name in names):
            frame = self.frame
            if frame is None:
                hint = "Pass columns: by=frame[...]."
                got, known = ", ".join(names), "a Series for each row"
                raise WelfareError("no such column", where="by", got=got, expected=known, hint=hint)
            if lacking := [name for name in names if name not in frame]:
                known = "a column of the frame"
                raise WelfareError("no such column", where="by", got=", ".join(lacking), expected=known)
            by, index = [frame[name].set_axis(self.index) for name in names], self.index if index is None else index
        return domains(self.n, by, where, index, self.counted)

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
        return ~np.any([t.active[t.codes] for t in self.sampling.terms], axis=0)

    @property
    def df(self) -> int:
        """Degrees of freedom: PSUs less strata; of ready-made replicate weights by their rank, see `_rank`."""
        return int(self.degrees_of_freedom(np.zeros(self.n, dtype=np.int64), 1)[0])

    def degrees_of_freedom(self, domain: np.ndarray, count: int) -> np.ndarray:
        """PSUs less strata present in each domain (codes 0 to ``count - 1``; -1 is outside), at least 1."""
        inside = rows_of((domain >= 0) & self.sampling.counted)
        if self.ready is not None and self.ready.ranked:
            return self._rank(domain, count)
        psus, strata = (
            _distinct(labels[inside], domain[inside], count) for labels in (self.sampling.psu, self.sampling.strata)
        )
        return np.maximum(psus - strata, 1).astype(float)

    def evidence(self, domain: np.ndarray, count: int) -> np.ndarray:
        """Whether the error of each domain's mean can be estimated: 0 it has none, 1 it cannot, 2 it can.

        The influences of a mean add up to zero in the domain, so a variance is estimable only where a term of the
        design parts the domain in two groups or more; where no term touches it, the design leaves no error.
        """
        touched, parted = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
        rows = rows_of(domain >= 0)
        size = sizes(domain, count)
        for term in self.sampling.terms:
            group, active, hit = term.codes[rows] + 1, term.active, size
            if not active.all():
                there = active[group - 1]
                group, hit = np.where(there, group, 0), np.bincount(domain[rows][there], minlength=count)
            touched |= hit > 0
            if term.single:
                parted |= (hit > 1) | ((hit > 0) & (hit < size))
            else:
                parted |= (hit > 0) & (_distinct(group, domain[rows], count) > 1)
            if parted.all():
                break
        return np.where(parted, 2, touched.astype(int))

    def calibrate(
        self, margins: dict, frame: pd.DataFrame, method: str = "raking", bounds: tuple[float, float] | None = None
    ) -> Design:
        """A design whose weights reach known totals and whose variances use the residuals: see `calibration`."""
        return calibrate(self, margins, frame, method, bounds)

    def reweighted(self, weights: np.ndarray, residuals: Residuals | None, notes: tuple[str, ...] = ()) -> Design:
        """The same sampling with calibrated weights and the residuals that their variances need."""
        return self._with(weights=weights, residuals=residuals, notes=self.notes + notes)

    def replicated(self, term: Term) -> Design:
        """The same weights with the variance of one term, as of replicate weights, and no strata or PSUs."""
        rows = np.arange(self.n)
        return self._with(sampling=Sampling((term,), rows, np.zeros_like(rows), np.ones(self.n, dtype=bool)))

    def with_replicates(
        self, method: str = "jackknife", rho: float = 0.0, count: int = 500, rng: np.random.Generator | None = None
    ) -> Design:
        """The same design by replicate weights, with which every estimator is run again.

        Parameters
        ----------
        method : {"jackknife", "BRR", "Fay", "bootstrap"}
            As in `replicates`: `jackknife`, `balanced` (Fay's with ``rho``), or ``count`` draws of `full` by ``rng``
            (absent: one of seed 0). Calibrated weights are calibrated again in each.

        Raises
        ------
        WelfareError
            An unknown method, and what the three raise.
        """
        term = made(self, method, rho, count, rng)
        return self._with(sampling=replace(self.sampling, terms=(term,), stages=()))

    def export_replicates(self) -> Export:
        """Replicate weights for other programs: see `replicates.export`."""
        return export(self)

    def summary(self) -> pd.Series:
        """What the design is, a line an entry: rows, weights, strata, PSUs, degrees of freedom, variance, notes."""
        w, s = self.weights[self.weights != 0], self.sampling
        ready = self.ready
        rows = self.sampling.counted & (self.weights != 0)
        facts = {
            "rows": self.n,
            "rows of weight zero": self.n - len(w),
            "sum of weights": float(w.sum()),
            "weights from": float(w.min()),
            "weights to": float(w.max()),
            "design effect of unequal weights (Kish)": float(len(w) * (w @ w) / w.sum() ** 2),
            "strata": len(np.unique(s.strata[rows])),
            "PSUs": len(np.unique(s.psu[rows])),
            "stages": len(s.stages) or None,
            "sampling rates": [f"{r.rate.min():.3g} to {r.rate.max():.3g}" for r in s.stages if r.rate.any()] or None,
            "degrees of freedom": self.df,
            "calibration": None if self.residuals is None else self.residuals.method,
            "replicates": None if ready is None else f"{len(ready.coefficients)} ({ready.method})",
            "target": "superpopulation" if self.model else "finite population",
        }
        notes = {f"note {i}": note for i, note in enumerate(self.notes, 1)}
        return pd.Series({k: v for k, v in facts.items() if v is not None} | notes, dtype=object, name="design")

    def superpopulation(self) -> Design:
        r"""The same rows for what is true of the superpopulation, as the coefficients of a model.

        The population is itself a draw from the model, so :math:`V(\hat\beta - \beta) = E V_p(\hat\beta) +
        V_\xi(\beta_U)` with the variance of the population's own total of influences, :math:`\sum_U z_k^2` for
        independent units, estimated by :math:`\sum_k w_k z_k^2`: a term of single rows with coefficient
        :math:`1/w_k` (Graubard and Korn 2002, section 3). Units of one PSU are not independent: where PSUs are
        sampled the sum of both is the variance with PSUs drawn with replacement (there, section 4), which the design
        then gets, whole PSUs in place of rows. A population total that calibration knows is random for the model, so
        the second part takes influences, not residuals.

        Raises
        ------
        WelfareError
            Ready-made replicate weights, which do not tell the finite correction.
        """
        return self._superpopulation

    @cached_property
    def _superpopulation(self) -> Design:
        if self.model:
            return self
        drawn, own = superpopulation(self.sampling, self.weights if self.residuals is None else self.residuals.weights)
        if self.residuals is None and drawn is not None:
            return self._with(sampling=drawn)
        return self._with(model=own)

    def of_same_rows(self, other: Design) -> bool:
        """Whether another design is this one, or what `superpopulation` made of it."""
        return other is self or self.__dict__.get("_superpopulation") is other

    def covariance(self, influence: Any) -> np.ndarray:
        """Covariance (k x k) of the weighted sums of ``influence``: (n x k, dense or sparse) or an `Influence`."""
        matrix = self.products(influence)
        np.fill_diagonal(matrix, self.variance(influence))
        return matrix

    def products(self, influence: Any) -> np.ndarray:
        """The covariance, but that rounding is left on its diagonal."""
        z = _matrix(influence)
        matrix, sums = np.zeros((z.shape[1], z.shape[1])), self._sums(z)
        for term, total in zip((*self.terms, *self.model), sums, strict=True):
            product = total.T @ (sparse.diags_array(term.coefficients) @ total)
            matrix += product.toarray() if sparse.issparse(product) else product
        if self.explained is not None:
            slopes, cross = self.explained.slopes(z), self._cross(sums)
            matrix = matrix - slopes.T @ cross - cross.T @ slopes + slopes.T @ self.gram @ slopes
        return (matrix + matrix.T) / 2

    def variance(self, influence: Any) -> np.ndarray:
        """Variances (k,) of the weighted sums of ``influence``: (n x k, dense or sparse) or an `Influence`.

        Exactly zero where only rounding is left; infinite where the estimate is negative and so tells nothing.
        """
        estimate, largest = self.unbiased(influence)
        rounded = np.where(estimate > ROUNDING * largest, estimate, 0.0)
        return np.where(estimate < -NEGATIVE * largest, np.inf, rounded)

    def unbiased(self, influence: Any) -> tuple[np.ndarray, np.ndarray]:
        """The unbiased estimates (k,) of the variances, negative at times with two phases, and their largest terms."""
        if isinstance(influence, Influence) and all(term.mix is None for term in self.terms):
            return variances(self, influence)
        z = _matrix(influence)
        variance, largest, sums = np.zeros(z.shape[1]), np.zeros(z.shape[1]), self._sums(z)
        for term, total in zip((*self.terms, *self.model), sums, strict=True):
            part = term.coefficients @ total**2
            variance, largest = variance + part, np.maximum(largest, np.abs(part))
        if self.explained is not None:
            slopes, cross = self.explained.slopes(z), self._cross(sums)
            variance = variance - 2 * (slopes * cross).sum(axis=0) + (slopes * (self.gram @ slopes)).sum(axis=0)
        return variance, largest

    @cached_property
    def terms(self) -> list[Term]:
        """The terms that weigh anything."""
        return [term for term in self.sampling.terms if term.active.any()]

    @property
    def explained(self) -> Residuals | None:
        """The calibration that takes some of the variance off; None where there is none, as of a census."""
        return self.residuals if self.terms else None

    def totals(self, term: Term) -> np.ndarray:
        """What a term squares (squares x p), of the weighted calibration variables."""
        known = self.residuals
        assert known is not None
        by_row = sparse.csr_array((self.weights, (term.codes, known.cells)), shape=(term.groups, len(known.x)))
        total = np.asarray(by_row @ known.x)
        if isinstance(term, Replicates):
            return term.centred(term.mix @ total)
        return total

    @cached_property
    def gram(self) -> np.ndarray:
        """The variance's product (p x p) of the calibration variables with themselves."""
        return sum(x @ self.totals(term) for x, term in zip(self._weighed, self.terms, strict=True))

    def _sums(self, z: Any) -> list[Any]:
        """What each term, and each of the model, squares (squares x k) of influences."""
        return [term.sums(z, self.weights) for term in (*self.terms, *self.model)]

    @cached_property
    def _weighed(self) -> list[np.ndarray]:
        """Of each term `totals` (p x squares) times its coefficients."""
        return [self.totals(term).T * term.coefficients for term in self.terms]

    def _cross(self, sums: list[Any]) -> np.ndarray:
        """The variance's product (p x k) of the calibration variables with influences, of their `_sums`."""
        return sum(x @ total for x, total in zip(self._weighed, sums, strict=False))

    def _rank(self, domain: np.ndarray, count: int) -> np.ndarray:
        """Degrees of freedom of replicate weights in each domain: the rank of them and the full weights less 1, from 1.

        So H pairs have H by JK2 as by BRR. R's `degf` leaves the full weights out: where they are no combination of the
        replicates, as in JK2 and most bootstraps, it has one less. Deviations from the mean (``mse=False``) have one
        less too, there and here.
        """
        term, ranks = self.ready, []
        assert term is not None
        assert term.mix is not None
        moves = term.centred(term.mix)
        for d in range(count):
            seen = np.unique(term.codes[domain == d])
            ranks.append(np.linalg.matrix_rank(np.vstack([np.ones(len(seen)), moves[:, seen]])) - 1)
        return np.maximum(ranks, 1).astype(float)


def _matrix(influence: Any) -> Any:
    """Influences (n x k) as an array, or sparse by rows where most are zero."""
    if isinstance(influence, np.ndarray):
        return influence
    z = sparse.csr_array(influence.tocsr() if isinstance(influence, Influence) else influence)
    return z if z.nnz * DENSE < np.prod(z.shape) else z.toarray()


def _strata(labels: Any, n: int, order: pd.Index | None) -> tuple[np.ndarray, pd.Index]:
    """Codes (n,) of the strata in the order of their labels, and the labels."""
    codes(labels, n, order, "strata")  # none is missing
    kept = pd.Categorical(aligned(labels, n, order, "strata")).remove_unused_categories()
    return kept.codes.astype(np.int64), kept.categories


def _distinct(labels: np.ndarray, domain: np.ndarray, count: int) -> np.ndarray:
    """Number of different labels in each domain."""
    joint = labels if count == 1 else labels.astype(np.int64) * count + domain
    size = (int(labels.max(initial=0)) + 1) * count
    if size > 64 * len(joint):
        return np.bincount(pd.unique(joint) % count, minlength=count)
    seen = np.zeros(size, dtype=bool)
    seen[joint] = True
    return seen.reshape(-1, count).sum(axis=0)


def _some(column: Any, n: int, names: pd.Index | None, rows: np.ndarray) -> Any:
    """Some of the rows of a column, in the design's order."""
    return pd.Series(aligned(column, n, names, "strata, psu or fpc")).array[rows]


def _disagreement(design: Design) -> tuple[str, ...]:
    """A note where the weights add up to another size than the sampling rates of all stages say."""
    expected = np.ones(design.n)
    for stage in design.sampling.stages:
        rate = stage.rate[stage.groups]
        expected = np.divide(expected, rate, out=np.zeros(design.n), where=rate > 0)
    size, known = design.weights.sum(), expected[design.weights != 0].sum()
    if not design.sampling.stages or not (expected > 0).all() or 1 / AGREE <= size / known <= AGREE:
        return ()
    return (f"weights add up to {size:,.0f}, and fpc says {known:,.0f}",)


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
    zero = np.full(len(w), not w.any())
    for bad, rule in ((np.isnan(w), "missing"), (np.isinf(w), "infinite"), (w < 0, "negative"), (zero, "zero")):
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            what = f"{int(bad.sum())} weights are {rule}, the first in row {row}"
            expected = "finite numbers of zero or more, some above"
            hint = "Say 0 for a row that stands for nobody, or leave it out of all columns."
            raise WelfareError(what, where="weights", got=float(w[row]), expected=expected, hint=hint)
    return w
