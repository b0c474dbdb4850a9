r"""Stages: clusters in strata, and clusters in clusters, as terms of a variance.

Stage s with :math:`n_h` of :math:`N_h` units in each group h of the stage before adds the term of its units with
:math:`c_h = \pi (1 - n_h/N_h)\, n_h/(n_h - 1)` less the term of the groups with :math:`c_h/n_h`; :math:`\pi` is the
product of the rates of the stages before (Särndal, Swensson and Wretman 1992, result 4.3.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from ..errors import WelfareError
from .columns import aligned, codes, numbers


@dataclass(frozen=True, eq=False)
class Term:
    """One quadratic term of a variance.

    Attributes
    ----------
    codes : (n,) array
        The group of each row.
    coefficients : (groups,) array
        What the squared group sums are weighed with; with ``mix``, (squares,).
    mix : (squares x groups) array, optional
        Combinations of the group sums that are squared, as replicate weights give; absent: each sum alone.
    """

    codes: np.ndarray
    coefficients: np.ndarray
    mix: np.ndarray | None = None

    @property
    def groups(self) -> int:
        """Number of groups."""
        return len(self.coefficients) if self.mix is None else self.mix.shape[1]

    @property
    def active(self) -> np.ndarray:
        """Groups (groups,) that the term weighs."""
        return self.coefficients != 0 if self.mix is None else (self.mix[self.coefficients != 0] != 0).any(axis=0)

    @property
    def single(self) -> bool:
        """Whether each row is a group, in order."""
        return self.mix is None and len(self.coefficients) == len(self.codes) and bool((np.diff(self.codes) == 1).all())

    def sums(self, z: Any, weights: np.ndarray) -> Any:
        """What is squared (squares x k), of influences (n x k) and weights (n,), dense or sparse as ``z`` is."""
        n = len(self.codes)
        total = sparse.csc_array((weights, self.codes, np.arange(n + 1)), shape=(self.groups, n)) @ z
        if self.mix is None:
            return total
        return sparse.csr_array(self.mix @ total) if sparse.issparse(total) else self.mix @ total

    def at(self, rows: np.ndarray) -> Term:
        """The same term seen by some rows only."""
        return Term(self.codes[rows], self.coefficients, self.mix)


@dataclass(frozen=True, eq=False)
class Replicates(Term):
    """Replicate weights: ``mix`` (R x groups) holds their factors less one, ``coefficients`` (R,) their scales.

    Attributes
    ----------
    method : str
        ``BRR``, ``Fay``, ``JK1``, ``JK2``, ``JKn``, ``bootstrap`` or ``SDR``.
    mse : bool
        Whether deviations are about the estimate of the full sample, or about the mean of the replicates.
    ranked : bool
        Whether the rank of the weights gives the degrees of freedom, as where nothing else is known of the design.
    """

    method: str = ""
    mse: bool = True
    ranked: bool = True

    def centred(self, deviations: Any) -> np.ndarray:
        """Deviations (R x k) from the estimate as the variance squares them."""
        moves = deviations.toarray() if sparse.issparse(deviations) else np.asarray(deviations)
        return moves if self.mse else moves - moves[self.coefficients > 0].mean(axis=0)

    def sums(self, z: Any, weights: np.ndarray) -> Any:
        """As `Term.sums`, centred."""
        total = super().sums(z, weights)
        return total if self.mse else self.centred(total)


@dataclass(frozen=True, eq=False)
class Stage:
    r"""Units (n,) drawn in groups (n,): of each group the units drawn, their rate, and c_h with the rates before."""

    units: np.ndarray
    groups: np.ndarray
    size: np.ndarray
    rate: np.ndarray
    factor: np.ndarray

    @property
    def parents(self) -> np.ndarray:
        """The group (units,) of each unit."""
        group = np.zeros(int(self.units.max()) + 1, dtype=np.int64)
        group[self.units] = self.groups  # each row of a unit says the same
        return group

    def terms(self) -> list[Term]:
        """The term of the units less that of the groups."""
        return [Term(self.units, self.factor[self.parents]), Term(self.groups, -self.factor / self.size)]


@dataclass(frozen=True, eq=False)
class Sampling:
    """How the rows came into the sample: the terms of the variance, and what counts for degrees of freedom.

    ``stages`` are there where their terms are all (no second phase, no replicates, no centred stratum).
    """

    terms: tuple[Term, ...]
    psu: np.ndarray
    strata: np.ndarray
    counted: np.ndarray
    stages: tuple[Stage, ...] = ()
    notes: tuple[str, ...] = ()


def spread_out(sampling: Sampling, places: np.ndarray, counted: np.ndarray) -> Sampling:
    """Sampling of the rows ``counted`` (n,) for all n: ``places`` (n,) are theirs, and any for the others."""
    return Sampling(
        tuple(term.at(places) for term in sampling.terms),
        sampling.psu[places],
        sampling.strata[places],
        counted,
        tuple(replace(s, units=s.units[places], groups=s.groups[places]) for s in sampling.stages),
        sampling.notes,
    )


def cross(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes of the pairs (a, b), and the first row of each pair."""
    _, first, cells = np.unique(a.astype(np.int64) * (b.max() + 1) + b, return_index=True, return_inverse=True)
    return cells, first


def simplify(terms: Sequence[Term], n: int) -> tuple[Term, ...]:
    """Add up the terms of single rows, and drop those that are nothing."""
    own, others = np.zeros(n), []
    for term in terms:
        if term.mix is None and np.bincount(term.codes).max() == 1:
            own += term.coefficients[term.codes]
        elif np.any(term.coefficients):
            others.append(term)
    return (Term(np.arange(n), own), *others)


def stages(
    strata: np.ndarray,
    units: Sequence[Any],
    counts: Sequence[Any],
    nest: bool,
    index: Any,
    single: str = "fail",
    names: Any = None,
) -> Sampling:
    """Sampling of one or more stages; without a count at a stage it ends there (with replacement).

    ``single`` is the rule for strata with a single PSU (see `design.Design`), ``names`` the labels of the strata.
    """
    n, scale = len(strata), np.ones(len(strata))
    done: list[Stage] = []
    extra: list[Term] = []
    notes: list[str] = []
    parent, psu = strata, strata
    for stage, labels in enumerate(units):
        name = f"psu, stage {stage + 1}"
        unit = codes(labels, n, index, name)
        cells, first = cross(parent, unit)
        if stage == 0 and not nest and len(first) > unit.max() + 1:
            what = "a PSU label occurs in two strata"
            got = f"{len(first)} PSUs with {unit.max() + 1} labels"
            hint = "Say nest=True if labels are numbered anew in each stratum."
            raise WelfareError(what, where="psu", got=got, expected="labels of one stratum each", hint=hint)
        psu = cells if stage == 0 else psu
        size = np.bincount(parent[first])
        rate = _rates(counts[stage] if stage < len(counts) else None, parent, size, index, f"fpc, stage {stage + 1}")
        alone = (size == 1) & (rate < 1)
        if alone.any() and stage == 0 and single == "collapse":
            parent, notes = collapsed(strata, size, rate, names)
            whole = np.divide(size, rate, out=np.zeros(len(size)), where=rate > 0)  # units of the population
            at = parent[np.unique(strata, return_index=True)[1]]
            strata, drawn, whole = parent, np.bincount(at, weights=size), np.bincount(at, weights=whole)
            size, rate = drawn.astype(int), np.divide(drawn, whole, out=np.zeros(len(drawn)), where=whole > 0)
        elif alone.any() and stage == 0 and single == "centre" and len(first) > 1:
            extra, notes = (
                centred(cells, strata, alone, rate),
                [_lone(alone, names, "centred at the mean of all PSUs")],
            )
        elif alone.any() and stage == 0 and single == "certainty":
            notes = [_lone(alone, names, "taken as certain")]
        else:
            _no_single_unit(alone, stage)
        factor = np.zeros(len(size))
        np.divide((1 - rate) * size, size - 1, out=factor, where=size > 1)
        factor *= scale[np.unique(parent, return_index=True)[1]]
        done.append(Stage(cells, parent, size, rate, factor))
        if not (rate > 0).all():
            break
        scale, parent = scale * rate[parent], cells
    terms = simplify([t for s in done for t in s.terms()] + extra, n)
    return Sampling(terms, psu, strata, np.ones(n, dtype=bool), () if extra else tuple(done), tuple(notes))


def collapsed(strata: np.ndarray, size: np.ndarray, rate: np.ndarray, names: Any) -> tuple[np.ndarray, list[str]]:
    """Strata in which each with a single PSU is merged with the next of its order (the last with the one before)."""
    merged: list[list[int]] = []
    for h in (h for h in range(len(size)) if rate[h] < 1):
        if merged and size[merged[-1]].sum() == 1:
            merged[-1].append(h)
        else:
            merged.append([h])
    if len(merged) > 1 and size[merged[-1]].sum() == 1:
        last = merged.pop()
        merged[-1] += last
    _no_single_unit(np.array([size[m].sum() == 1 for m in merged]), 0)
    to = np.arange(len(size))
    for m in merged:
        to[m] = m[0]
    notes = [f"strata merged, for a single PSU: {', '.join(str(names[h]) for h in m)}" for m in merged if len(m) > 1]
    return np.unique(to, return_inverse=True)[1][strata], notes


def centred(cells: np.ndarray, strata: np.ndarray, alone: np.ndarray, rate: np.ndarray) -> list[Term]:
    r"""Terms of :math:`(1 - f)(T_i - \bar T)^2` for each PSU i alone in its stratum, with the mean over all m PSUs.

    With R the sum of the other PSUs the square is :math:`a T_i^2 + b R^2 - ab (T_i + R)^2`, a = 1 - 1/m, b = 1/m.
    """
    terms, b = [], 1 / (cells.max() + 1)
    for h in np.flatnonzero(alone):
        left = 1 - rate[h]
        terms.append(Term((strata != h).astype(np.int64), left * np.array([1 - b, b])))
        terms.append(Term(np.zeros(len(strata), dtype=np.int64), np.array([-left * b * (1 - b)])))
    return terms


def _lone(alone: np.ndarray, names: Any, what: str) -> str:
    return f"strata with a single PSU, {what}: {', '.join(str(names[h]) for h in np.flatnonzero(alone))}"


def _no_single_unit(which: np.ndarray, stage: int) -> None:
    alone = int(which.sum())
    if not alone:
        return
    group, unit = ("strata", "PSU") if stage == 0 else (f"units of stage {stage}", f"unit of stage {stage + 1}")
    what = f"{alone} {group} have a single {unit} and no variance can be estimated"
    expected = "two units each, or all of them (fpc equal to 1)"
    hint = f"Merge {group} that are alike" + (', or say single_psu="collapse" or "centre".' if stage == 0 else ".")
    raise WelfareError(what, where=f"psu, stage {stage + 1}", got=alone, expected=expected, hint=hint)


def _rates(fpc: Any, parent: np.ndarray, size: np.ndarray, index: Any, name: str) -> np.ndarray:
    """Sampling rate of each group of ``parent``; zero (with replacement) without population counts."""
    if fpc is None:
        return np.zeros(len(size))
    count = numbers(aligned(fpc, len(parent), index, name), name)
    if np.isnan(count).any():
        missing = int(np.isnan(count).sum())
        raise WelfareError("a count is missing", where=name, got=missing, expected="the population count in each row")
    group = count[np.unique(parent, return_index=True)[1]]
    if (count != group[parent]).any():
        rows = int((count != group[parent]).sum())
        raise WelfareError("it differs within a stratum", where=name, got=rows, expected="one count a stratum")
    if (group < size - 1e-9).any():
        at = int(np.flatnonzero(group < size - 1e-9)[0])
        what = "the population is smaller than the sample"
        got = float(group[at])
        expected = f"at least the {int(size[at])} units that are there"
        raise WelfareError(what, where=name, got=got, expected=expected, hint="fpc is a count of units, not a rate.")
    return size / group


def superpopulation(sampling: Sampling, weights: np.ndarray) -> tuple[Sampling | None, tuple[Term, ...]]:
    """The first stage with replacement (None where the stages do not tell), and what that adds; see `design`."""
    if any(term.mix is not None for term in sampling.terms):
        hint = "Use the design that the replicates were made from."
        raise WelfareError("replicates do not tell the finite correction", where="superpopulation", hint=hint)
    n = len(weights)
    per_weight = np.divide(1, weights, out=np.zeros(n), where=weights != 0)
    if not sampling.stages:
        return None, (Term(np.arange(n), per_weight),)
    first = sampling.stages[0]
    factor = np.divide(first.size, first.size - 1, out=np.zeros(len(first.size)), where=first.size > 1)
    alone = (first.size == 1)[first.groups]  # one PSU that is all of its stratum: its rows are the model's
    open_ = Stage(first.units, first.groups, first.size, np.zeros(len(first.size)), factor)
    own = Term(np.arange(n), np.where(alone, per_weight, 0.0))
    terms = simplify([*open_.terms(), own], n)
    drawn = Sampling(terms, sampling.psu, sampling.strata, sampling.counted, () if alone.any() else (open_,))
    less = [Term(t.codes, -t.coefficients) for t in sampling.terms]
    return drawn, tuple(t for t in simplify([*terms, *less], n) if t.coefficients.any())
