"""Whom a choice model is asked about: the cases of a forecast, and a fit that predicts for them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from formulaic import Formula

from ...errors import WelfareError
from ..design import Design
from ..formulas import columns as made_again
from .data import Cases, _coded, _complete, _persons, _rows, by_case
from .logit import ChoiceFit
from .nested import NestedFit, Tree


@dataclass(frozen=True, eq=False)
class Target:
    """Cases that are forecast, and their nests where the fit has some."""

    cases: Cases
    tree: Tree | None = None

    @classmethod
    def of(cls, fit: ChoiceFit, cases: Cases) -> Target:
        """Cases with the alternatives of a fit."""
        return cls(cases, replace(fit.tree, cases=cases) if isinstance(fit, NestedFit) else None)

    def predicted(self, fit: Any, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities (rows,) and logsums (C,) of a fit at some values of its coefficients."""
        nests = {} if self.tree is None else {"tree": self.tree}
        return replace(fit, cases=self.cases, **nests).predict(theta)

    @property
    def there(self) -> np.ndarray:
        """Rows of the design with a case (n,)."""
        return np.bincount(self.cases.person, minlength=self.cases.design.n) > 0

    @cached_property
    def part(self) -> np.ndarray:
        """Share (C,) of its person that a case is."""
        return 1 / np.bincount(self.cases.person, minlength=self.cases.design.n)[self.cases.person]

    def by_person(self, p: np.ndarray, width: int) -> np.ndarray:
        """Mean (n, width) of row values by person and alternative."""
        cases, n = self.cases, self.cases.design.n
        cell = cases.person[cases.case] * width + cases.alternative
        return np.bincount(cell, p * self.part[cases.case], n * width).reshape(n, width)


def prepared(fit: ChoiceFit, design: Design, frame: pd.DataFrame | None, person: str | None = None) -> Target:
    """A long frame coded for a fit: to be forecast, and varied, without coding it again; None: the cases of the fit.

    Parameters
    ----------
    fit : ChoiceFit
        Its columns of cases and alternatives, and its attributes, are those of the frame.
    design : Design
        Of the people of the frame: that of the fit, or that of which the fit has the `Design.superpopulation`.
    person : str
        Column of the frame, as for `choices`; without it, and for a mixed logit, cases are those of the fit.

    Raises
    ------
    WelfareError
        A column, value or level that is missing or new; alternatives or cases that are not those of the fit; an
        alternative twice in a case; people of another sample.
    """
    own = fit.cases
    if frame is None:
        return Target.of(fit, own)
    alternative, labels = str(own.alternatives.name), own.alternatives
    _complete(frame, [c for c in (str(own.labels.name), alternative, person) if c is not None])
    names = frame[alternative].astype(object)
    places = labels.get_indexer(pd.Index(names))
    if (places < 0).any():
        unknown, expected = sorted(set(names[places < 0])), f"some of {list(labels)}"
        raise WelfareError("alternatives are not those of the fit", where=alternative, got=unknown, expected=expected)
    order, code, cases = by_case(frame[own.labels.name], places, labels)
    places, start = places[order], np.flatnonzero(np.diff(code, prepend=-1))
    if person is None or hasattr(fit, "random"):
        place = own.labels.get_indexer(cases)
        if (place < 0).any():
            got, hint = f"{int((place < 0).sum())} of {len(cases)} cases", "Name the column of persons: person=..."
            raise WelfareError("cases are not those of the fit", where=str(cases.name), got=got, hint=hint)
        people = own.person[place]
    else:
        people, _ = _rows(design, _persons(frame[person], order, code, start, cases), person)
    cases = replace(
        own,
        x=np.take(_coded(own.spec, frame, order)[0], own.columns, axis=1),
        case=code,
        start=start,
        labels=cases,
        alternative=places,
        chosen=start,
        person=people,
        design=design,
        order=order,
        index=frame.index,
    )
    return Target.of(fit, cases)


def only(fit: ChoiceFit, to: Target, rows: np.ndarray) -> Target:
    """The same cases with some of their alternatives: ``rows`` says which rows of the frame; none: no such case."""
    return Target.of(fit, to.cases.part(rows[to.cases.order]))


def recoded(
    fit: ChoiceFit, to: Target, frame: pd.DataFrame, changed: Collection[str], rows: np.ndarray | None = None
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
    return Target.of(fit, replace(cases, x=x))
