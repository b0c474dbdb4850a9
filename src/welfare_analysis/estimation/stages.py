r"""Stages: clusters in strata, and clusters in clusters, as terms of a variance.

Stage s with :math:`n_h` of :math:`N_h` units in each group h of the stage before adds the term of its units with
:math:`c_h = \pi (1 - n_h/N_h)\, n_h/(n_h - 1)` less the term of the groups with :math:`c_h/n_h`; :math:`\pi` is the
product of the rates of the stages before (Särndal, Swensson and Wretman 1992, result 4.3.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from ..errors import WelfareError
from .columns import aligned, codes, numbers


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


def cross(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes of the pairs (a, b), and the first row of each pair."""
    _, first, cells = np.unique(a.astype(np.int64) * (b.max() + 1) + b, return_index=True, return_inverse=True)
    return cells, first


def simplify(terms: Sequence[Term], n: int) -> tuple[Term, ...]:
    """Add up the terms of single rows, and drop those that are nothing."""
    own, others = np.zeros(n), []
    for term in terms:
        if len(term.coefficients) == n and len(np.unique(term.codes)) == n:
            own += term.coefficients[term.codes]
        elif np.any(term.coefficients):
            others.append(term)
    return (Term(np.arange(n), own), *others)


def stages(strata: np.ndarray, units: Sequence[Any], counts: Sequence[Any], nest: bool, index: Any) -> Sampling:
    """Terms of a design of one or more stages; without a count at a stage it ends there (with replacement)."""
    n, scale = len(strata), np.ones(len(strata))
    terms: list[Term] = []
    parent, psu = strata, strata
    for stage, labels in enumerate(units):
        name = f"psu, stage {stage + 1}"
        unit = codes(labels, n, index, name)
        cells, first = cross(parent, unit)
        if stage == 0 and not nest and len(first) > unit.max() + 1:
            raise WelfareError(
                "a PSU label occurs in two strata",
                where="psu",
                got=f"{len(first)} PSUs with {unit.max() + 1} labels",
                expected="labels of one stratum each",
                hint="Say nest=True if labels are numbered anew in each stratum.",
            )
        psu = cells if stage == 0 else psu
        size = np.bincount(parent[first])
        rate = _rates(counts[stage] if stage < len(counts) else None, parent, size, index, f"fpc, stage {stage + 1}")
        _no_single_unit(size, rate, stage)
        factor = np.zeros(len(size))
        np.divide((1 - rate) * size, size - 1, out=factor, where=size > 1)
        factor *= scale[np.unique(parent, return_index=True)[1]]
        terms += [Term(cells, factor[parent[first]]), Term(parent, -factor / size)]
        if not (rate > 0).all():
            break
        scale, parent = scale * rate[parent], cells
    return Sampling(simplify(terms, n), psu, strata, np.ones(n, dtype=bool))


def _no_single_unit(size: np.ndarray, rate: np.ndarray, stage: int) -> None:
    alone = int(((size == 1) & (rate < 1)).sum())
    if not alone:
        return
    group, unit = ("strata", "PSU") if stage == 0 else (f"units of stage {stage}", f"unit of stage {stage + 1}")
    raise WelfareError(
        f"{alone} {group} have a single {unit} and no variance can be estimated",
        where=f"psu, stage {stage + 1}",
        got=alone,
        expected="two units each, or all of them (fpc equal to 1)",
        hint=f"Merge {group} that are alike.",
    )


def _rates(fpc: Any, parent: np.ndarray, size: np.ndarray, index: Any, name: str) -> np.ndarray:
    """Sampling rate of each group of ``parent``; zero (with replacement) without population counts."""
    if fpc is None:
        return np.zeros(len(size))
    count = numbers(aligned(fpc, len(parent), index, name), name)
    if not np.isfinite(count).all():
        missing = int((~np.isfinite(count)).sum())
        raise WelfareError("a count is missing", where=name, got=missing, expected="the population count in each row")
    group = count[np.unique(parent, return_index=True)[1]]
    if (count != group[parent]).any():
        rows = int((count != group[parent]).sum())
        raise WelfareError("it differs within a stratum", where=name, got=rows, expected="one count a stratum")
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
