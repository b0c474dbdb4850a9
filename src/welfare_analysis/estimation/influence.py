r"""Influences of variables by domains, and their variances, without the matrix that would hold them.

A variable in a domain has the influence :math:`1[k \in d]\, v_{kj}`: the n x k values and a code a row say all. The
variance of each of the k x D sums needs only :math:`T_{gjd} = \sum_{k \in g \cap d} w_k v_{kj}`, one pass a variable.
After calibration :math:`z - x'B` is not zero outside the domain, yet

.. math:: \sum_g c_g (T_g - X_g' B)^2 = \sum_g c_g T_g^2 - 2 B' \sum_g c_g X_g T_g + B' \Big(\sum_g c_g X_g X_g'\Big) B

needs only sums in the domain and one p x p matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from .stages import Term
from .threads import each

if TYPE_CHECKING:
    from .design import Design

COMPILED = 2_000_000  # numbers from which a compiled sum pays
DENSE = 4  # pairs of group and domain are counted out where they are at most so many times the rows


@dataclass(frozen=True, eq=False)
class Influence:
    """Of k variables in ``count`` domains: ``column(j)`` gives the values (n,), ``codes`` (n,) the domain, -1 outside.

    ``scale`` (k x D), if there, multiplies the values of each domain. ``centred``, if there, says that the values are
    those (n x k) of variables less the levels (k x D) of each row's domain.

    Columns of the n x (k D) matrix go variable by variable.
    """

    column: Callable[[int], np.ndarray]
    variables: int
    codes: np.ndarray
    count: int
    scale: np.ndarray | None = None
    centred: tuple[np.ndarray, np.ndarray] | None = None

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

    @property
    def group(self) -> np.ndarray:
        """The group (pairs,) of each pair."""
        return self.key // self.shape[1]

    @property
    def domain(self) -> np.ndarray:
        """The domain (pairs,) of each pair."""
        return self.key % self.shape[1]

    def sums(self, weighted: np.ndarray) -> np.ndarray:
        """Sums (pairs,) of a column of the rows."""
        return np.bincount(self.joint, weights=weighted, minlength=len(self.key))

    def squares(self, coefficients: np.ndarray, sums: np.ndarray) -> np.ndarray:
        """Sums (domains,) over groups of the squared pair sums times the groups' coefficients."""
        if self.whole:
            return coefficients @ np.square(sums).reshape(self.shape)
        weighed = coefficients[self.group] * np.square(sums)
        return np.bincount(self.domain, weights=weighed, minlength=self.shape[1])

    def products(self, sums: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Sums (domains x p) over groups of pair sums times the groups' ``x`` (groups x p)."""
        if self.whole:
            return sums.reshape(self.shape).T @ x
        return np.asarray(sparse.csr_array((sums, (self.domain, self.group)), shape=self.shape[::-1]) @ x)


@dataclass(frozen=True, eq=False)
class Column:
    """Variable j of an influence on the ``rows`` in a domain, with their ``domain`` and ``weights``."""

    influence: Influence
    j: int
    rows: Any
    domain: np.ndarray
    weights: np.ndarray

    @cached_property
    def values(self) -> np.ndarray:
        """The values of the rows."""
        return self.influence.column(self.j)[self.rows]

    @cached_property
    def weighted(self) -> np.ndarray:
        """The values times the weights."""
        return self.weights * self.values

    def sums(self, pairs: Pairs) -> np.ndarray:
        """Weighted sums of pairs; compiled where the numbers are many enough to pay for loading the compiler."""
        if self.influence.centred is None or self.influence.variables * len(self.domain) < COMPILED:
            return pairs.sums(self.weighted)
        from .centred import compiled

        y, level = self.influence.centred
        at = self.domain, self.weights, pairs.joint, len(pairs.key)
        return compiled(y[self.rows, self.j], level[self.j], *at)


@dataclass(frozen=True, eq=False)
class Squares:
    """What one term of a variance squares, by domain: sums in ``pairs``, or single rows where there are none.

    Where its groups are unions of those of a term before, number ``finer``, they are the ``union`` of that one's sums.
    """

    term: Term
    pairs: Pairs | None
    finer: int = -1
    union: sparse.csr_array | None = None

    def sums(self, column: Column, before: list[np.ndarray]) -> np.ndarray:
        """Sums (pairs,) of a weighted column of the rows, with those of the terms before."""
        if self.pairs is None:
            return column.weighted
        if self.union is None:
            return column.sums(self.pairs)
        return (self.union @ before[self.finer].reshape(-1, self.pairs.shape[1])).ravel()


def sizes(codes: np.ndarray, count: int) -> np.ndarray:
    """Number of rows (count,) of each domain; one alone is counted at once, for counting into one place is slow."""
    if count == 1:
        return np.array([np.count_nonzero(codes == 0)])
    return np.bincount(codes + 1, minlength=count + 1)[1:]


def rows_of(inside: np.ndarray) -> Any:
    """What takes the rows ``inside`` out of an array, without a copy where that is all."""
    return slice(None) if inside.all() else np.flatnonzero(inside)


def variances(design: Design, z: Influence) -> tuple[np.ndarray, np.ndarray]:
    """Unbiased variances (k D,) and their largest terms, as `Design.unbiased` gives them."""
    rows = rows_of(z.codes >= 0)
    domain, w = z.codes[rows], design.weights[rows]
    squares = _squares([*design.terms, *design.model], rows, domain, z.count)
    correct = None if design.residuals is None else _correction(design, squares, rows, domain, z.count)

    def one(j: int) -> tuple[np.ndarray, np.ndarray]:
        column = Column(z, j, rows, domain, w)
        variance, largest = np.zeros(z.count), np.zeros(z.count)
        sums: list[np.ndarray] = []
        for square in squares:
            sums.append(square.sums(column, sums))
            if square.pairs is None:
                weighed = square.term.coefficients[rows] * np.square(column.weighted)
                part = np.bincount(domain, weights=weighed, minlength=z.count)
            else:
                part = square.pairs.squares(square.term.coefficients, sums[-1])
            variance += part
            np.maximum(largest, np.abs(part), out=largest)
        return variance if correct is None else variance + correct(column.values, sums), largest

    variance, largest = np.array(each(one, z.variables, len(domain))).transpose(1, 0, 2)
    scale = 1.0 if z.scale is None else z.scale**2
    return (variance * scale).ravel(), (largest * scale).ravel()


def _squares(terms: list[Term], rows: Any, domain: np.ndarray, count: int) -> list[Squares]:
    """The terms by domain."""
    squares: list[Squares] = []
    for term in terms:
        square = Squares(term, None if term.single else Pairs(term.codes[rows], domain, (term.groups, count)))
        for i, finer in enumerate(squares):
            if square.pairs and square.pairs.whole and finer.pairs and finer.pairs.whole:
                square = replace(square, finer=i, union=_union(term, finer.term))
            if square.union is not None:
                break
        squares.append(square)
    return squares


def _union(term: Term, finer: Term) -> sparse.csr_array | None:
    """Which groups of the finer term (groups x finer groups) are in each of the other; None where one is in several."""
    parents = np.zeros(finer.groups, dtype=np.int64)
    parents[finer.codes] = term.codes
    if (parents[finer.codes] != term.codes).any():
        return None
    return sparse.csr_array((np.ones(finer.groups), (parents, np.arange(finer.groups))), (term.groups, finer.groups))


def _correction(
    design: Design, squares: list[Squares], rows: Any, domain: np.ndarray, count: int
) -> Callable[[np.ndarray, list[np.ndarray]], np.ndarray]:
    """What calibration takes off the variance (domains,) of a column, given the sums of each term."""
    known = design.residuals
    assert known is not None
    w, d, gram = design.weights[rows], known.weights[rows], design.gram
    cells = Pairs(known.cells[rows], domain, (len(known.x), count))
    parts = []  # of each term: whether it squares rows, its pairs, what each weighs and the totals of x
    for square in squares[: len(design.terms)]:
        if square.pairs is None:
            parts.append((True, cells, square.term.coefficients[rows] * w, known.x))
        else:
            weight = square.term.coefficients[square.pairs.group]
            parts.append((False, square.pairs, weight, design.totals(square.term)))

    def correct(v: np.ndarray, sums: list[np.ndarray]) -> np.ndarray:
        cross = np.zeros((count, known.x.shape[1]))
        for (single, pairs, weight, totals), total in zip(parts, sums, strict=False):
            weighed = weight * total
            cross += pairs.products(pairs.sums(weighed) if single else weighed, totals)
        slopes = cells.products(cells.sums(d * v), known.x) @ known.inverse  # domains x p
        return ((slopes @ gram) * slopes).sum(axis=1) - 2 * (slopes * cross).sum(axis=1)

    return correct
