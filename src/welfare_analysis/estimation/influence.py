r"""Influences of variables by domains, and their variances, without the matrix that would hold them.

A variable in a domain has the influence :math:`1[k \in d]\, v_{kj}`: the n x k values and a code a row say all. The
variance of each of the k x D sums needs only :math:`T_{gjd} = \sum_{k \in g \cap d} w_k v_{kj}`, one pass a variable.
After calibration :math:`z - x'B` is not zero outside the domain, yet

.. math:: \sum_g c_g (T_g - X_g' B)^2 = \sum_g c_g T_g^2 - 2 B' \sum_g c_g X_g T_g + B' \Big(\sum_g c_g X_g X_g'\Big) B

needs only sums in the domain and one p x p matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from .design import Design
    from .stages import Term

DENSE = 4  # pairs of group and domain are counted out where they are at most so many times the rows


@dataclass(frozen=True, eq=False)
class Influence:
    """Of k variables in ``count`` domains: ``column(j)`` gives the values (n,), ``codes`` (n,) the domain, -1 outside.

    ``scale`` (k x D), if there, multiplies the values of each domain.

    Columns of the n x (k D) matrix go variable by variable.
    """

    column: Callable[[int], np.ndarray]
    variables: int
    codes: np.ndarray
    count: int
    scale: np.ndarray | None = None

    def tocsr(self) -> sparse.csr_array:
        """The sparse matrix (n x k D)."""
        n, k = len(self.codes), self.variables
        inside = self.codes >= 0
        values = np.column_stack([self.column(j)[inside] for j in range(k)])
        if self.scale is not None:
            values = values * self.scale.T[self.codes[inside]]
        columns = self.codes[inside, None].astype(np.int32) + np.arange(k, dtype=np.int32)[None, :] * self.count
        pointer = np.concatenate([[0], np.cumsum(np.where(inside, k, 0))])
        return sparse.csr_array((values.ravel(), columns.ravel(), pointer), shape=(n, k * self.count))


class Pairs:
    """Pairs of a group and a domain: the sums of a column in each, and their sums by domain."""

    def __init__(self, groups: np.ndarray, domain: np.ndarray, shape: tuple[int, int]) -> None:
        self.shape = shape
        self.whole = shape[0] * shape[1] <= max(DENSE * len(groups), 1024)
        joint = groups.astype(np.int64) * shape[1] + domain
        if self.whole:
            self.joint, self.key = joint, np.arange(shape[0] * shape[1])
        else:
            self.key, self.joint = np.unique(joint, return_inverse=True)

    def sums(self, weighted: np.ndarray) -> np.ndarray:
        """Sums (pairs,) of a column of the rows."""
        return np.bincount(self.joint, weights=weighted, minlength=len(self.key))

    def by_domain(self, sums: np.ndarray, x: np.ndarray | None = None) -> np.ndarray:
        """Sums (domains,) over groups of pair sums, or (domains x p) of them times the groups' ``x`` (groups x p)."""
        if x is None and self.whole:
            return sums.reshape(self.shape).sum(axis=0)
        if x is None:
            return np.bincount(self.key % self.shape[1], weights=sums, minlength=self.shape[1])
        if self.whole:
            return sums.reshape(self.shape).T @ x
        place = (self.key % self.shape[1], self.key // self.shape[1])
        return np.asarray(sparse.csr_array((sums, place), shape=self.shape[::-1]) @ x)


def variances(design: Design, z: Influence) -> tuple[np.ndarray, np.ndarray]:
    """Unbiased variances (k D,) and their largest terms, as `Design.unbiased` gives them."""
    inside = z.codes >= 0
    rows = slice(None) if inside.all() else np.flatnonzero(inside)
    domain, w = z.codes[rows], design.weights[rows]
    variance, largest = np.zeros((z.variables, z.count)), np.zeros((z.variables, z.count))
    prepared = [_prepare(term, domain, rows, design, z.count) for term in (*design.terms, *design.model)]
    known = design.residuals
    if known is not None:
        cells = Pairs(known.cells[rows], domain, (len(known.x), z.count))
        d, gram = known.weights[rows], design.gram
    for j in range(z.variables):
        v = z.column(j)[rows]
        u, cross = w * v, None if known is None else np.zeros((z.count, known.x.shape[1]))
        for i, (single, weight, pairs, totals) in enumerate(prepared):
            sums = u if single else pairs.sums(u)
            part = weight * sums * sums
            part = np.bincount(domain, weights=part, minlength=z.count) if single else pairs.by_domain(part)
            variance[j] += part
            np.maximum(largest[j], np.abs(part), out=largest[j])
            if known is None or i >= len(design.terms):
                continue
            if single:
                cross += cells.by_domain(cells.sums(weight * w * u), known.x)
            else:
                cross += pairs.by_domain(weight * sums, totals)
        if known is not None:
            slopes = cells.by_domain(cells.sums(d * v), known.x) @ known.inverse  # domains x p
            variance[j] += ((slopes @ gram) * slopes).sum(axis=1) - 2 * (slopes * cross).sum(axis=1)
    square = 1.0 if z.scale is None else z.scale**2
    return (variance * square).ravel(), (largest * square).ravel()


def _prepare(term: Term, domain: np.ndarray, rows: Any, design: Design, count: int) -> tuple:
    """Of one term: whether its groups are rows, what each pair weighs, the pairs, and the groups' totals of x."""
    if term.single:
        return True, term.coefficients[rows], None, None
    pairs = Pairs(term.codes[rows], domain, (term.groups, count))
    totals = None if design.residuals is None else design.totals(term)
    return False, term.coefficients[pairs.key // count], pairs, totals
