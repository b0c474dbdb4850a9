"""Whom a choice model is asked about: the cases of a forecast, and a fit that predicts for them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
from formulaic import Formula
from scipy import sparse
from scipy.sparse import csgraph

from ...errors import WelfareError
from ..columns import numbers
from ..design import Design
from ..estimate import Estimate
from ..formulas import columns as made_again
from .data import Cases, _coded, _complete, _persons, _rows
from .logit import ChoiceFit
from .nested import NestedFit, Tree, TreeFit

STEP = 1e-3  # of a coefficient, in standard errors, and of the log of an attribute, for derivatives


class New(NamedTuple):
    """A new alternative: coded ``like`` another, with a ``constant`` that was measured on a ``scale``.

    The constant is added to that of the other; divided by the scale of its source (1 is the scale of the fit), it is in
    the fit's units of utility. Both are taken as known.
    """

    like: Any
    constant: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A fit and the constants that bring its shares to known ones; the first alternative's is 0."""

    fit: ChoiceFit
    constants: Estimate


@dataclass(frozen=True, eq=False)
class Model:
    """Parameters (q,): those of the fit, then the constants of calibration."""

    fit: ChoiceFit
    constants: Estimate | None

    @cached_property
    def theta(self) -> np.ndarray:
        """Parameters (q,)."""
        own = self.fit.value.to_numpy()
        return own if self.constants is None else np.append(own, self.constants.value)

    @cached_property
    def influence(self) -> sparse.csr_array:
        """Their influences (n, q), in rows of the fit's design."""
        own = self.fit.influence
        return own if self.constants is None else sparse.csr_array(sparse.hstack([own, self.constants.influence]))

    @cached_property
    def steps(self) -> np.ndarray:
        """Steps (q,) for derivatives."""
        own = np.sqrt(np.diagonal(self.fit.bread) * self.fit.scale)
        return STEP * np.append(own, np.full(len(self.theta) - len(own), 1.0))

    @property
    def plain(self) -> bool:
        """Whether probabilities are those of a logit."""
        return not isinstance(self.fit, NestedFit) and not hasattr(self.fit, "random")

    def predict(self, to: Target, theta: np.ndarray, push: np.ndarray | float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities (rows,) and logsums (C,), with ``push`` added to the utilities."""
        m, fit = len(self.fit.value), self.fit
        constants = np.append(0.0, theta[m:])[to.source[to.cases.alternative]] if len(theta) > m else 0.0
        cases = replace(to.cases, offset=to.cases.offset + constants + push)
        if to.tree is not None:
            return replace(cast(TreeFit, fit), cases=cases, tree=replace(to.tree, cases=cases)).predict(None, theta[:m])
        if isinstance(fit, TreeFit):  # sources pooled: on the scale of the reference
            return ChoiceFit.predict(replace(fit, cases=cases), None, theta[: len(cases.names)])
        return replace(fit, cases=cases).predict(None, theta[:m])


@dataclass(frozen=True, eq=False)
class Target:
    """Cases that are forecast; ``source`` (alternatives,) is the alternative of the fit that each is coded like."""

    cases: Cases
    source: np.ndarray
    tree: Tree | None

    @cached_property
    def part(self) -> np.ndarray:
        """Share (C,) of its person that a case is."""
        return 1 / np.bincount(self.cases.person, minlength=self.cases.design.n)[self.cases.person]

    def by_person(self, p: np.ndarray, width: int) -> np.ndarray:
        """Mean (n, width) of row values by person and alternative."""
        cases, n = self.cases, self.cases.design.n
        cell = cases.person[cases.case] * width + cases.alternative
        return np.bincount(cell, p * self.part[cases.case], n * width).reshape(n, width)


def modelled(fit: ChoiceFit | Calibrated) -> Model:
    """The parameters of a fit, calibrated or not."""
    return Model(fit.fit, fit.constants) if isinstance(fit, Calibrated) else Model(fit, None)


def target(
    model: Model,
    design: Design,
    frame: pd.DataFrame | None,
    new: Mapping[Any, New],
    person: str | None,
    offset: str | None,
) -> Target:
    """Cases of a long frame; None: those of the fit."""
    own = model.fit.cases
    source = np.arange(len(own.alternatives))
    if frame is None:
        return Target(own, source, _tree(model.fit, own, source))
    alternative = str(own.alternatives.name)
    _complete(frame, [c for c in (str(own.labels.name), alternative, person, offset) if c is not None])
    like = {name: item.like for name, item in new.items()}
    unknown = [name for name in like.values() if name not in own.alternatives]
    labels = own.alternatives.append(pd.Index(list(like), dtype=own.alternatives.dtype))
    places = labels.get_indexer(pd.Index(frame[alternative].astype(object)))
    unknown += sorted(set(frame[alternative].astype(object)[places < 0]))
    if unknown or not labels.is_unique:
        hint = "Describe new ones: new={name: New(like=..., constant=..., scale=...)}."
        wrong = unknown or list(like)
        raise WelfareError("alternatives are not those of the fit", where=alternative, got=wrong, hint=hint)
    code, cases = pd.factorize(frame[own.labels.name])
    key = code.astype(np.int64) * len(labels) + places
    order = np.argsort(key, kind="stable")
    if (np.diff(key[order]) == 0).any():
        raise WelfareError("an alternative is twice in a case", where=alternative, expected="once at most")
    code, places = code[order], places[order]
    start, cases = np.flatnonzero(np.diff(code, prepend=-1)), pd.Index(cases, name=own.labels.name)
    if design is own.design and (person is None or hasattr(model.fit, "random")):
        place = own.labels.get_indexer(cases)
        if (place < 0).any():
            got, hint = f"{int((place < 0).sum())} of {len(cases)} cases", "Name the column of persons: person=..."
            raise WelfareError("cases are not those of the fit", where=str(cases.name), got=got, hint=hint)
        people = own.person[place]
    elif hasattr(model.fit, "random"):
        hint = "Fit the mixed logit with a design that has the rows of all."
        raise WelfareError("draws are those of the people of the fit", where="design", got="another design", hint=hint)
    else:
        units = cases if person is None else _persons(frame[person], order, code, start, cases)
        people, _ = _rows(design, units, person or str(cases.name))
    coded = frame.assign(**{alternative: frame[alternative].astype(object).replace(like)}) if like else frame
    if offset is None and own.offset.any():
        raise WelfareError("the fit has an offset", where="offset", expected="the name of its column in the frame")
    known = np.zeros(len(order)) if offset is None else numbers(frame[offset], offset)[order]
    known = known + np.append(np.zeros(len(source)), [item.constant / item.scale for item in new.values()])[places]
    source = np.append(source, own.alternatives.get_indexer(pd.Index(list(like.values()), dtype=object)).astype(int))
    target = replace(
        own,
        x=np.take(_coded(own.spec, coded, order)[0], own.columns, axis=1),
        case=code,
        start=start,
        labels=cases,
        alternative=places,
        alternatives=labels,
        chosen=start,
        person=people,
        offset=known,
        design=design,
        order=order,
        index=frame.index,
    )
    return Target(target, source, _tree(model.fit, target, source))


def prepared(fit: ChoiceFit | Calibrated, design: Design, frame: pd.DataFrame, person: str | None = None) -> Target:
    """A long frame coded for a fit: to be forecast, and varied, without coding it again.

    Raises
    ------
    WelfareError
        As for `scenario`.
    """
    return target(modelled(fit), design, frame, {}, person, None)


def only(fit: ChoiceFit | Calibrated, to: Target, rows: np.ndarray) -> Target:
    """The same cases with some of their alternatives: ``rows`` says which rows of the frame; none: no such case."""
    cases = to.cases
    keep = np.flatnonzero(rows[cases.order])
    case = cases.case[keep]
    start = np.flatnonzero(np.diff(case, prepend=-1))
    kept = case[start]
    reduced = replace(
        cases,
        x=cases.x[keep],
        case=np.cumsum(np.diff(case, prepend=case[:1]) != 0),
        start=start,
        labels=cases.labels[kept],
        alternative=cases.alternative[keep],
        chosen=start,
        person=cases.person[kept],
        offset=cases.offset[keep],
        order=cases.order[keep],
    )
    return Target(reduced, to.source, _tree(modelled(fit).fit, reduced, to.source))


def recoded(
    fit: ChoiceFit | Calibrated,
    to: Target,
    frame: pd.DataFrame,
    changed: Collection[str],
    rows: np.ndarray | None = None,
) -> Target:
    """The same cases with other values of the columns ``changed``: only the terms that they enter are coded again.

    ``frame`` has these columns, and those that stand with them in a term, in the rows of the frame that was coded; with
    ``rows``, of `only` these.
    """
    cases = to.cases if rows is None else only(fit, to, rows).cases
    terms = [t for t in cases.spec.formula if t.degree and set(Formula([t]).required_variables) & set(changed)]
    x = cases.x.copy() if rows is None else cases.x  # which is then a copy
    if terms:
        table = frame.iloc[cases.order]
        matrix = made_again(cases.spec.subset(terms), table)
        if not np.isfinite(matrix).all():
            raise WelfareError("an attribute is missing or infinite", where="formula", got=sorted(changed))
        place = np.concatenate([cases.spec.term_indices[t] for t in terms])
        at = np.flatnonzero(np.isin(cases.columns, place))
        x[:, at] = matrix[:, np.argsort(place)[np.searchsorted(np.sort(place), cases.columns[at])]]
    coded = replace(cases, x=x)
    return Target(coded, to.source, _tree(modelled(fit).fit, coded, to.source))


def _tree(fit: ChoiceFit, cases: Cases, source: np.ndarray) -> Tree | None:
    """The nests of a fit over other cases; a new alternative is in the nest of the one that it is like."""
    if not isinstance(fit, NestedFit):
        return None
    old, count = fit.tree, len(fit.cases.alternatives)
    group = np.repeat(np.arange(len(old.first)), old.sizes)
    alternative = old.cases.alternative[old.order]
    links = sparse.coo_array((np.ones(len(group)), (alternative[old.first][group], alternative)), shape=(count, count))
    nest = csgraph.connected_components(links, directed=False)[1]
    parameter = np.empty(count, dtype=int)
    parameter[alternative] = old.parameter[group]
    key = cases.case * count + nest[source][cases.alternative]
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    top = np.flatnonzero(np.diff(cases.case[first], prepend=-1))
    own = parameter[source][cases.alternative[order][first]]
    return Tree(cases, order, first, top, own, old.names, old.divided)


def linear(fit: ChoiceFit, name: str) -> None:
    """An attribute must enter in one fixed coefficient of its own name and in nothing else."""
    if name not in fit.cases.names:
        raise WelfareError("no such coefficient", where="attribute", got=name, expected=f"among {fit.cases.names}")
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    other = [column for column in fit.cases.names if column != name and word.search(column)]
    random = name in getattr(fit, "random", {})
    if other or random:
        hint = "Fit the model with this attribute as one linear, fixed coefficient."
        got = "a random coefficient" if random else f"also in {other}"
        raise WelfareError("it does not enter linearly and alone", where=name, got=got, hint=hint)
