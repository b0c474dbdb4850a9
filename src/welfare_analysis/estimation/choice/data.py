r"""Choice situations: a long frame, one row an available alternative of a case, becomes arrays sorted by case.

The formula is coded with an intercept, and with the effects of the person characteristics that it interacts. They are
the same for all alternatives of a case, so they are not identified; they are dropped once the categories have lost the
level that they stand for (McFadden 1974; Train 2009, section 2.5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from formulaic import Formula, ModelSpec
from formulaic.errors import FormulaicError
from formulaic.parser.types import Factor, Term

from ...errors import WelfareError
from ..columns import numbers, positive
from ..design import Design
from ..formulas import coded


@dataclass(frozen=True, eq=False)
class Cases:
    """Choice situations, one row an available alternative of a case, sorted by case and alternative.

    Attributes
    ----------
    x : (rows, p) array
        Attributes, named by ``names``.
    case : (rows,) array
        Codes 0 to C - 1, nondecreasing; ``start`` (C,) is the first row of each, ``labels`` (C,) its name.
    alternative : (rows,) array
        Codes into ``alternatives``.
    chosen : (C,) array
        Row of the chosen alternative.
    person : (C,) array
        Row of ``design`` of each case.
    order : (rows,) array
        Position of each row in the caller's long frame, whose index is ``index``.
    spec : formulaic ModelSpec
        How attributes are coded; of its columns ``columns`` (p,) are ``x``.
    """

    x: np.ndarray
    names: list[str]
    case: np.ndarray
    start: np.ndarray
    labels: pd.Index
    alternative: np.ndarray
    alternatives: pd.Index
    chosen: np.ndarray
    person: np.ndarray
    design: Design
    order: np.ndarray
    index: pd.Index
    spec: ModelSpec
    columns: np.ndarray

    @property
    def n_cases(self) -> int:
        """Number of choice situations C."""
        return len(self.start)

    @property
    def n_persons(self) -> int:
        """Rows of the design with a case."""
        return len(np.unique(self.person))

    @cached_property
    def weights(self) -> np.ndarray:
        """Weight (C,) of the person of each case."""
        return self.design.weights[self.person]

    @cached_property
    def sizes(self) -> np.ndarray:
        """Number (C,) of available alternatives; a case of one is kept, and carries no information."""
        return np.diff(self.start, append=len(self.case))

    @cached_property
    def observed(self) -> np.ndarray:
        """Weighted sum (p,) of the attributes of what was chosen."""
        return self.weights @ self.x[self.chosen]

    def persons(self, v: np.ndarray) -> np.ndarray:
        """Sums (n, p) over the cases of each row of the design of ``v`` (C, p); zero where it has none."""
        if self.n_cases == self.design.n and (self.person[1:] > self.person[:-1]).all():
            return v
        return np.column_stack([np.bincount(self.person, column, self.design.n) for column in v.T])

    def part(self, keep: np.ndarray) -> Cases:
        """The alternatives of a mask (rows,); a case without any goes, one whose choice goes has the first instead."""
        case = self.case[keep]
        start = np.flatnonzero(np.diff(case, prepend=-1))
        kept, place = case[start], np.cumsum(keep) - 1
        chosen = self.chosen[kept]
        return replace(
            self,
            x=self.x[keep],
            case=np.cumsum(np.diff(case, prepend=case[:1]) != 0),
            start=start,
            labels=self.labels[kept],
            alternative=self.alternative[keep],
            chosen=np.where(keep[chosen], place[chosen], start),
            person=self.person[kept],
            order=self.order[keep],
        )


def choices(
    design: Design | None, long: pd.DataFrame, formula: str, case: str, alternative: str, person: str | None = None
) -> Cases:
    """Read choice situations.

    Parameters
    ----------
    design : Design or None
        One row a case, or a person where ``person`` is given; None: a simple random sample of them. Labels of cases
        or persons name its rows. If they do not, and its rows are numbered or not named, then n labels are its n rows
        in the order in which they come. Rows without a case are allowed.
    long : DataFrame
        One row an available alternative of a case.
    formula : str
        ``"chosen ~ attributes"``: a column of booleans (or 0 and 1), and a formulaic right side.
    case, alternative, person : str
        Columns of ``long``. A case belongs to one person.

    Raises
    ------
    WelfareError
        No frame, or no row; columns that are absent, or have missing values; an attribute that does not vary within
        cases, if it is not part of an interaction; no or two choices in a case; an alternative twice in a case, never
        chosen, or (a category without rows) never available; a case of two persons; labels that are not the design's
        rows.
    """
    if not isinstance(long, pd.DataFrame) or not len(long) or not long.columns.is_unique:
        got = f"{type(long).__name__} of shape {np.shape(long)}"
        expected = "a DataFrame with rows, and columns of different names"
        raise WelfareError("it is not a frame of choices", where="long", got=got, expected=expected)
    left, _, right = (part.strip().strip("`") for part in formula.partition("~"))
    _complete(long, [c for c in (left, case, alternative, person) if c is not None])
    alt, alternatives = _alternatives(long[alternative])
    order, code, labels = by_case(long[case], alt, alternatives)
    alt, start = alt[order], np.flatnonzero(np.diff(code, prepend=-1))
    chosen = _chosen(numbers(long[left], left)[order], code, labels, left)
    never = list(alternatives[np.bincount(alt[chosen], minlength=len(alternatives)) == 0])
    if never:
        hint = "Leave its rows out, or merge it with a similar one."
        raise WelfareError("an alternative is never chosen", where=alternative, got=never, hint=hint)
    x, names, spec, columns = _attributes(long, right, order, code)
    units = labels if person is None else _persons(long[person], order, code, start, labels)
    rows, used = _rows(design, units, person or case)
    positive(used.weights, "weights")
    read = Cases(x, names, code, start, labels, alt, alternatives, chosen, rows, used, order, long.index, spec, columns)
    return read if used.counted is None else read.part(used.counted[rows][code])


def by_case(case: pd.Series, alt: np.ndarray, alternatives: pd.Index) -> tuple[np.ndarray, np.ndarray, pd.Index]:
    """The order (rows,) by case and alternative, the case of each row in that order, and the names of the cases."""
    code, labels = pd.factorize(case)
    key = code * len(alternatives) + alt
    order = np.arange(len(key)) if (key[1:] >= key[:-1]).all() else np.argsort(key, kind="stable")
    code, key = code[order].astype(np.int32), key[order]
    if (key[1:] == key[:-1]).any():
        row = int(np.argmax(key[1:] == key[:-1]))
        got, where = f"{alternatives[alt[order][row]]} in case {labels[code[row]]}", str(alternatives.name)
        raise WelfareError("an alternative is twice in a case", where=where, got=got, expected="once at most")
    return order, code, pd.Index(labels, name=case.name)


def _complete(frame: pd.DataFrame, columns: list[str]) -> None:
    for column in columns:
        if column not in frame.columns:
            raise WelfareError("a column is missing", where="long", got=column, expected="a column of the long frame")
        gaps = int(frame[column].isna().sum())
        if gaps:
            hint = "Leave the case or the alternative out of the frame, or fill it."
            raise WelfareError("rows have no value", where=column, got=gaps, expected="a value in each row", hint=hint)


def _alternatives(column: pd.Series) -> tuple[np.ndarray, pd.Index]:
    kept = pd.Categorical(column)
    unused = list(kept.categories.difference(kept.remove_unused_categories().categories))
    if unused:
        hint = "Use .cat.remove_unused_categories()."
        raise WelfareError("an alternative is never available", where=str(column.name), got=unused, hint=hint)
    return kept.codes.astype(np.int64), pd.Index(kept.categories, name=column.name)


def _chosen(values: np.ndarray, code: np.ndarray, labels: pd.Index, name: str) -> np.ndarray:
    if not np.isin(values, (0, 1)).all():
        raise WelfareError("choices are not yes or no", where=name, expected="booleans, or 0 and 1")
    count = np.bincount(code[values == 1], minlength=len(labels))
    for bad, what in ((count == 0, "no alternative is chosen"), (count > 1, "two alternatives or more are chosen")):
        if bad.any():
            got = f"case {labels[int(np.argmax(bad))]}, the first of {int(bad.sum())}"
            raise WelfareError(f"{what} in a case", where=name, got=got, expected="one choice in each case")
    return np.flatnonzero(values == 1)


def _persons(column: pd.Series, order: np.ndarray, code: np.ndarray, start: np.ndarray, labels: pd.Index) -> pd.Index:
    """The person (C,) of each case."""
    person, names = pd.factorize(column)
    person = person[order]
    other = person != person[start][code]
    if other.any():
        got = f"case {labels[code[int(np.argmax(other))]]}"
        hint = "Number the cases through, not anew for each person."
        raise WelfareError("a case has two persons", where=str(column.name), got=got, expected="one person", hint=hint)
    return pd.Index(names)[person[start]]


def _rows(design: Design | None, units: pd.Index, where: str) -> tuple[np.ndarray, Design]:
    """The row (C,) of the design of each case, and the design."""
    distinct = units.unique()
    if design is None:
        design = Design(pd.Series(1.0, index=distinct))
    if not design.index.is_unique:
        raise WelfareError("two rows of the design have one name", where="design", expected="an index without repeats")
    rows = design.index.get_indexer(units)
    if (rows >= 0).all():
        return rows, design
    if len(distinct) == design.n and design.index.equals(pd.RangeIndex(design.n)):
        return distinct.get_indexer(units), design
    raise WelfareError(
        "labels are not the names of the design's rows",
        where=where,
        got=f"{len(distinct)} labels, {int((rows[units.duplicated() == 0] < 0).sum())} of them not in the design",
        expected=f"names of its {design.n} rows, which start with {design.index[0]}",
        hint="Give the weights an index: design = Design(frame.set_index(label)['weight']).",
    )


def _attributes(
    long: pd.DataFrame, right: str, order: np.ndarray, code: np.ndarray
) -> tuple[np.ndarray, list[str], ModelSpec, np.ndarray]:
    """The attributes (rows, p), their names, how they are coded, and which columns of the coding they are."""
    same = code[1:] == code[:-1]

    def varies(values: np.ndarray) -> bool:
        some = slice(1 << 12)  # most columns vary at once
        return any(((v[1:] != v[:-1]) & s).any() for v, s in ((values[some], same[: (1 << 12) - 1]), (values, same)))

    def constant(factor: Factor) -> bool:
        used = [c for c in Formula(factor.expr).required_variables if c in long.columns]
        return not any(varies(pd.factorize(long[c])[0][order]) for c in used)

    try:
        asked = [term for term in Formula(right) if term.degree]
    except FormulaicError as error:
        raise WelfareError("the formula cannot be read", where="formula", got=str(error)) from None
    _complete(long, sorted(map(str, Formula(asked).required_variables)))
    margins = [Term(f for f in term.factors if constant(f)) for term in asked if term.degree > 1]
    margins = [term for term in margins if term.factors]
    coding = ModelSpec.from_spec(Formula(list(dict.fromkeys([*Formula("1"), *asked, *margins]))), output="numpy")
    x, spec = _coded(coding, long, order)
    names = spec.column_names
    alike = [j for j, column in enumerate(x.T[1:], start=1) if not varies(column)]
    known = {j for term in margins for j in spec.term_indices[term]}
    if not known.issuperset(alike):
        what = "an attribute is the same for all alternatives of each case"
        got = [names[j] for j in alike if j not in known]
        hint = "Interact it: C(alternative):attribute."
        raise WelfareError(what, where="formula", got=got, expected="attributes that vary within cases", hint=hint)
    kept = np.setdiff1d(np.arange(1, len(names)), alike)
    if not len(kept):
        raise WelfareError("there is no attribute", where="formula", got=right, expected="attributes")
    return np.take(x, kept, axis=1), [names[j] for j in kept], spec, kept


def _coded(spec: ModelSpec, frame: pd.DataFrame, order: np.ndarray) -> tuple[np.ndarray, ModelSpec]:
    """The columns of the coding, rows in ``order``; and the coding, with the levels of the data.

    Raises
    ------
    WelfareError
        A factor that cannot be computed, a value that is missing or infinite, a level that the coding does not know.
    """
    terms = [str(term) for term in spec.formula if term.degree]
    plain = bool(terms) and all(t in frame and frame[t].dtype.kind in "fiu" for t in terms)
    matrix = coded(spec, frame.iloc[:1] if plain else frame)
    if plain:  # as it would be, without copies of all columns on the way
        x = np.column_stack([np.ones(len(frame)), *(frame[name].to_numpy(float) for name in terms)])
    else:
        x = np.asarray(matrix, dtype=float)
    if not np.isfinite(x.sum()):
        bad = [name for name, c in zip(matrix.model_spec.column_names, x.T, strict=True) if not np.isfinite(c).all()]
        raise WelfareError("an attribute is missing or infinite", where="formula", got=bad, expected="finite numbers")
    ordered = len(order) == len(x) and bool((order[1:] > order[:-1]).all())
    return (x if ordered else x[order]), matrix.model_spec
