"""Formulas: which rows of a design bear on a model, their outcome and their columns.

A row is in the model where `where` is true and all that the formula names is known. Rows with a gap are counted as
missing; they stay in the design, with no influence.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from formulaic import Formula, ModelMatrix, ModelSpec, SimpleFormula, model_matrix
from formulaic.errors import DataMismatchWarning, FormulaicError

from ..errors import WelfareError, unknown
from .columns import NUMBERS, aligned, numbers
from .design import Design
from .means import shared_rows

ALIKE = 1e-10  # smallest singular value of the columns, each scaled to length 1, that still tells them apart
SPARSE = 8  # every 8th case tells most columns apart already


@dataclass(frozen=True, eq=False)
class Cases:
    """The rows of a model.

    Attributes
    ----------
    frame : DataFrame (n rows)
        In the order of the design, numbered 0, 1, ...
    rows : (cases,) array
        Positions of the rows in the model.
    inside : (n,) boolean array
        The rows of ``where``, with a gap or not.
    outcome : Series (cases,)
    x : (cases, q) array
        The columns of the formula's right side, which ``spec`` makes again of another frame.
    """

    design: Design
    frame: pd.DataFrame
    rows: np.ndarray
    inside: np.ndarray
    label: str
    outcome: pd.Series
    x: np.ndarray
    spec: ModelSpec

    @property
    def w(self) -> np.ndarray:
        """Weights of the cases."""
        return self.design.weights[self.rows]

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [str(c) for c in self.spec.column_names]

    def at(self, kept: np.ndarray) -> Cases:
        """Some of the cases (a mask or positions among them); the others count as missing."""
        return replace(self, rows=self.rows[kept], outcome=self.outcome[kept], x=self.x[kept])

    def numbers(self) -> np.ndarray:
        """The outcome as floats; text is an error."""
        try:
            return numbers(self.outcome, self.label)
        except WelfareError:
            hint = f"Say {self.label} == 'yes' ~ ..., or choose a model for categories."
            raise WelfareError("the outcome is not numeric", where=self.label, expected="numbers", hint=hint) from None


def cases(design: Design, frame: pd.DataFrame, formula: str, where: Any = None, offset: str | None = None) -> Cases:
    """The rows, outcome and columns of ``"outcome ~ columns"``; ``offset`` too names a column that must be known.

    Raises
    ------
    WelfareError
        A formula that cannot be read; columns that the frame lacks, that are not finite or that are collinear; an
        outcome that does not vary; no more rows than columns.
    """
    if not isinstance(frame, pd.DataFrame):
        raise WelfareError("not a frame", where="frame", got=type(frame).__name__, expected="a DataFrame")
    index = shared_rows(design, frame)
    table = aligned(frame, design.n, index, "frame").reset_index(drop=True)
    inside = design.domains(None, where, index).codes >= 0
    left, tilde, right = formula.partition("~")
    label = left.strip()
    named = label in table.columns
    if offset is not None and not (isinstance(offset, str) and offset in table):
        got = offset if isinstance(offset, str) else type(offset).__name__
        raise unknown("the frame has no such column", got, map(str, table.columns), where="offset")
    more = [] if offset is None else [offset]
    known = list(dict.fromkeys([*more, *([label] if named else _columns(f"0 + {{{label}}}", table, formula))]))
    known += [c for c in _columns(right, table, formula) if c not in known]
    if not tilde or not label:
        raise WelfareError("there is no outcome", where="formula", got=formula, expected="'outcome ~ columns'")
    if twice := [c for c in known if isinstance(table[c], pd.DataFrame)]:
        raise WelfareError("two columns have one name", where="frame", got=twice, expected="names that differ")
    amounts = [c for c in known if c != label and c not in labelled(formula) and _amounts(table[c])]
    table = table.assign(**{c: table[c].astype(float) for c in amounts})
    complete = inside & table[known].notna().all(axis=1).to_numpy()
    part = table if complete.all() else table[complete]
    if not len(part):
        raise WelfareError("no row is complete", where=formula, got=0, expected="rows without a gap in its columns")
    part = part.assign(**{c: part[c].cat.remove_unused_categories() for c in _categorical(part, known, label)})
    outcome = part[label] if named else _made(f"0 + {{{label}}}", part, formula).iloc[:, -1]
    x, spec = _matrix(right, part, formula)
    data = Cases(design, table, part.index.to_numpy(), inside, label, outcome, x, spec)
    _check(data)
    return data


def coded(spec: ModelSpec, frame: pd.DataFrame) -> ModelMatrix:
    """The columns of a formula made of another frame.

    Raises
    ------
    WelfareError
        A level that the fit never saw, which has no coefficient.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DataMismatchWarning)
            return spec.get_model_matrix(widened(spec, frame), context={}, na_action="ignore")
    except (FormulaicError, DataMismatchWarning, AttributeError, TypeError, ValueError) as error:
        what = re.sub(r"np\.\w+\((.*?)\)", r"\1", str(error).split("\n")[0])
        hint = "Leave rows with levels that the fit never saw out with where=."
        raise WelfareError("the columns cannot be made", where=str(spec.formula), got=what, hint=hint) from None


def columns(spec: ModelSpec, frame: pd.DataFrame) -> np.ndarray:
    """The same as floats."""
    return np.asarray(coded(spec, frame), dtype=float)


def widened(terms: Formula | ModelSpec, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the numbers that the terms name as floats, and categories without those that no row has.

    Products and powers of small integers, as Stata's bytes, would overflow without a word, and their logarithms have
    few digits. In `C()` numbers are names of categories, which would get decimals: there they stay integers.
    """
    labels, changed = labelled(str(terms.formula if isinstance(terms, ModelSpec) else terms)), {}
    for name in map(str, terms.required_variables):
        column = frame[name] if name in frame else pd.Series(dtype=float)
        kind = column.dtype
        if isinstance(kind, pd.CategoricalDtype):
            changed[name] = column.cat.remove_unused_categories()
        elif pd.api.types.is_integer_dtype(kind) and name in labels:
            changed[name] = column.astype("int64" if column.notna().all() else "Int64")
        elif pd.api.types.is_bool_dtype(kind) or kind == np.dtype(float):
            continue
        elif pd.api.types.is_numeric_dtype(kind) or (name not in labels and _amounts(column)):
            changed[name] = column.astype(float)
        elif pd.api.types.is_string_dtype(kind) and getattr(kind, "na_value", None) is pd.NA:  # no text for formulaic
            changed[name] = column.astype(object)
    return frame.assign(**changed) if changed else frame


def _amounts(column: pd.Series) -> bool:
    """Whether it is a column of objects and all that is known are numbers, as where a file had a gap."""
    kind = pd.api.types.infer_dtype(column) if column.dtype == object else "empty"
    return kind in NUMBERS and kind not in ("boolean", "empty")


def labelled(formula: str) -> set[str]:
    """The columns that a formula takes for categories."""
    return {name.strip(" `") for name in re.findall(r"\bC\(([^,)]+)", formula)}


def _categorical(part: pd.DataFrame, known: list[str], label: str) -> list[str]:
    return [c for c in known if c != label and isinstance(part[c].dtype, pd.CategoricalDtype)]


@lru_cache(maxsize=64)
def _parsed(terms: str) -> Formula:
    """The terms, read once for their columns and for the matrix."""
    return Formula(terms)


def _columns(terms: str, table: pd.DataFrame, formula: str) -> list[str]:
    """The columns of the frame that the terms name."""
    try:
        named = sorted(_parsed(terms).required_variables)
    except FormulaicError as error:
        what = str(error).split("\n")[0]
        raise WelfareError("the formula cannot be read", where=formula, got=what, expected="'y ~ x + z'") from None
    lacking = [str(c) for c in named if c not in table.columns]
    if "offset" in lacking and "offset(" in terms:
        hint = "Subtract it from the outcome of a linear model, or say offset= in poisson()."
        raise WelfareError("offset() is not known", where=formula, got="offset", expected="columns", hint=hint)
    if lacking:
        some = ", ".join(map(str, table.columns[:12]))
        raise unknown("the frame has no such column", lacking[0], map(str, table.columns), some, where=formula)
    return [str(c) for c in named]


@lru_cache(maxsize=64)
def _plain(terms: str) -> ModelSpec | None:
    """What formulaic makes of terms that are names or a constant, where all columns are numbers; None of others."""
    parsed = _parsed(terms)
    names = sorted(map(str, parsed.required_variables))
    if not isinstance(parsed, SimpleFormula) or "Intercept" in names:
        return None
    if not {f.expr for term in parsed for f in term.factors} <= {"1", *names}:
        return None
    spec = model_matrix(parsed, pd.DataFrame(0.0, index=[0], columns=names), context={}).model_spec
    return spec if spec.column_names and set(spec.column_names) <= {"Intercept", *names} else None


def _matrix(terms: str, part: pd.DataFrame, formula: str) -> tuple[np.ndarray, ModelSpec]:
    """The columns (cases x q), each in one piece, which products with vectors are fast in, and what makes them again.

    Columns of numbers are taken as they are: formulaic would copy them several times.
    """
    spec = _plain(terms)
    if spec is None or any(part[c].dtype.kind not in "iuf" for c in spec.column_names if c != "Intercept"):
        matrix = _made(terms, part, formula)
        return np.asfortranarray(matrix.to_numpy(float)), matrix.model_spec
    one = np.ones(len(part))
    x = np.array([one if c == "Intercept" else part[c].to_numpy(float) for c in spec.column_names]).T
    _finite(x, spec.column_names, formula)
    return x, spec


def _finite(x: np.ndarray, names: Sequence[Any], formula: str) -> None:
    with np.errstate(all="ignore"):
        if np.isfinite(x.sum()):
            return
    infinite = ~np.isfinite(x).all(axis=0)
    if infinite.any():
        got = str(names[int(np.argmax(infinite))])
        raise WelfareError("a column is not finite", where=formula, got=got, expected="finite numbers")


def _made(terms: str, part: pd.DataFrame, formula: str) -> Any:
    try:
        with np.errstate(all="ignore"):  # what is not finite is an error below
            matrix = model_matrix(_parsed(terms), widened(_parsed(terms), part), na_action="ignore", context={})
        values = matrix.to_numpy(float)
    except (FormulaicError, AttributeError, TypeError, ValueError) as error:  # of dates, lists, several parts
        what = str(error).split("\n")[0]
        raise WelfareError("the formula cannot be computed", where=formula, got=what) from None
    _finite(values, matrix.columns, formula)
    return matrix


def _check(data: Cases) -> None:
    n, q = data.x.shape
    if not 0 < q < n:
        raise WelfareError("no more cases than parameters", where=data.label, got=f"{n} cases, {q} columns")
    if (data.outcome == data.outcome.iloc[0]).all():
        got = data.outcome.iloc[0]
        raise WelfareError("the outcome does not vary", where=data.label, got=got, expected="outcomes that differ")
    length = np.sqrt([column @ column for column in data.x.T])
    length[length == 0] = 1.0
    for x in (data.x[::SPARSE], data.x):  # the sum of squares of some rows is a lower bound of that of all
        if np.linalg.eigvalsh(x.T @ x / np.outer(length, length))[0] > np.sqrt(ALIKE):
            return
    values, vectors = np.linalg.svd(np.linalg.qr(data.x / length, mode="r"))[1:]  # as exact as numbers can be
    if values[-1] <= ALIKE * values[0]:
        alike = [name for name, v in zip(data.names, vectors[-1], strict=True) if abs(v) > 1e-6]
        hint = "Leave one of them out."
        raise WelfareError("columns are collinear", where=data.label, got=alike, expected="columns differ", hint=hint)
