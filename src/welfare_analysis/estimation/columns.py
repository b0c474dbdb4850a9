"""What callers pass becomes arrays: rows in the design's order, numbers with gaps as nan, labels as codes.

A Series or frame that names the design's rows in another order is put in that order; one with other names is an error,
for it speaks of other rows. Arrays, and Series that pandas numbered 0, 1, ..., go by position.
"""

from __future__ import annotations

import weakref
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from ..errors import WelfareError, plain

LARGEST = 1e150  # amount whose square is a number
NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal", "boolean", "empty")


def one_of(value: Any, allowed: Collection[str], where: str, what: str = "method") -> None:
    """Refuse a word that an argument does not know."""
    if value not in allowed:
        raise WelfareError(f"unknown {what}", where=where, got=value, expected=" or ".join(allowed))


def not_negative(values: np.ndarray, where: str) -> None:
    """Refuse amounts below zero."""
    if (values < 0).any():
        raise WelfareError("answers are negative", where=where, got=float(values[values < 0][0]), expected="0 or more")


def positive(weights: np.ndarray, where: str) -> None:
    """Negative weights, which linear calibration may give, have no likelihood; rows of weight zero are no cases."""
    if (weights < 0).any():
        got = int((weights < 0).sum())
        raise WelfareError("weights are negative", where=where, got=got, hint='Calibrate with "raking".')


def row_names(*values: Any) -> pd.Index | None:
    """Index of the first Series or frame among ``values``; None where all are arrays."""
    return next((v.index for v in values if isinstance(v, (pd.Series, pd.DataFrame))), None)


def aligned(values: Any, n: int, index: pd.Index | None, where: str) -> Any:
    """The values in the order of ``index`` (None: by position).

    Raises
    ------
    WelfareError
        Not ``n`` rows; names that ``index`` lacks; an order that is not clear.
    """
    length = len(values) if pd.api.types.is_list_like(values) else None
    if length != n:
        got = "a single value" if length is None else length
        raise WelfareError("its length is not that of the design", where=where, got=got, expected=f"{n} rows")
    own = row_names(values)
    if own is None or index is None or own.equals(index):
        return values
    same = own.is_unique and index.is_unique and bool((own.get_indexer(index) >= 0).all())
    numbered = own.equals(pd.RangeIndex(n))
    if same != numbered:
        return values.loc[index] if same else values
    what = "it may be in another order than the design" if same else "its rows are not those of the design"
    expected = f"the index of the weights, which starts with {plain(index[0])!r}"
    hint = "Select the same rows, or pass .to_numpy() to go by position."
    raise WelfareError(
        what, where=where, got=f"an index that starts with {plain(own[0])!r}", expected=expected, hint=hint
    )


def numbers(values: Any, where: str) -> np.ndarray:
    """Floats (n,), missing as nan; booleans are 0 and 1.

    Raises
    ------
    WelfareError
        Text (also digits), categories, dates, complex numbers; infinity.
    """
    series = pd.Series(values)
    kind = series.dtype
    if (isinstance(kind, np.dtype) and kind.kind in "iu") or kind == np.dtype(float):
        return series.to_numpy(float, copy=True)
    numeric = pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind)
    numeric = numeric and not pd.api.types.is_complex_dtype(kind)
    if not numeric and not (kind == np.dtype(object) and pd.api.types.infer_dtype(series) in NUMBERS):
        raise WelfareError("it is not numeric", where=where, expected="numbers or booleans")
    return series.astype("Float64").to_numpy(float, na_value=np.nan)


def codes(labels: Any, n: int, index: pd.Index | None, where: str) -> np.ndarray:
    """Labels (n,) as codes from 0 on; a missing label is an error."""
    labels = aligned(labels, n, index, where)
    if np.ndim(labels) != 1:
        raise WelfareError("it is not one column", where=where, got=np.shape(labels), expected="shape (n,)")
    code, _ = pd.factorize(pd.Series(labels).array)
    if (code < 0).any():
        missing = int((code < 0).sum())
        raise WelfareError(f"{missing} rows have no value", where=where, got=missing, expected="a value in each row")
    return code.astype(np.int64)


def numbered(cells: np.ndarray, span: int) -> tuple[np.ndarray, int]:
    """Codes below ``span`` without the numbers that do not occur, in the same order, and how many are left."""
    if span > 4 * len(cells):
        dense, values = pd.factorize(cells, sort=True)
        return dense.astype(np.int64), len(values)
    there = np.bincount(cells, minlength=span) > 0
    return (cells, span) if there.all() else ((np.cumsum(there) - 1)[cells], int(there.sum()))


def crossed(levels: list[np.ndarray], counts: list[int], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Cells (n,) of rows that are alike in their levels, and a row of each cell."""
    cells, span = np.zeros(n, dtype=np.int64), 1
    for level, count in zip(levels, counts, strict=True):
        if span * count > 4 * n:
            cells, span = numbered(cells, span)
        cells *= count
        cells += level
        span *= count
    cells, count = numbered(cells, span)
    row = np.zeros(count, dtype=np.int64)
    row[cells] = np.arange(n)
    return cells, row


def matrix(values: Any, n: int, index: pd.Index | None, where: str) -> tuple[np.ndarray, list[str]]:
    """Numeric columns (n x k) with missing as nan, to be read only, and their names.

    Raises
    ------
    WelfareError
        As for `aligned` and `numbers`; no column, or two of one name.
    """
    values = aligned(values, n, index, where)
    if isinstance(values, pd.DataFrame) or np.ndim(values) == 2:
        frame = pd.DataFrame(values)
    else:
        frame = pd.Series(values).to_frame(getattr(values, "name", None))
    names = [str(c) if c is not None else where for c in frame.columns]
    if not names or len(set(names)) < len(names):
        raise WelfareError(
            "two columns have one name" if names else "there is no column", where=where, got=names, expected="names"
        )
    plain = all(kind == np.dtype(float) for kind in frame.dtypes)
    y = _shared(frame) if plain else _stacked(frame, names)
    if not abs(y.sum()) < LARGEST and (np.abs(y) > LARGEST).any():
        raise WelfareError("a value is infinite, or too large", where=", ".join(names), expected="finite numbers")
    return y, names


def one(values: Any, n: int, index: pd.Index | None, where: str) -> tuple[np.ndarray, list[str]]:
    """One numeric column (n,) with missing as nan, and its name; errors as for `matrix`, and of several columns."""
    y, names = matrix(values, n, index, where)
    if len(names) != 1:
        raise WelfareError("one variable at a time", where=where, got=names, expected="one column")
    return y[:, 0], names


def _shared(frame: pd.DataFrame) -> np.ndarray:
    """The numbers of the frame, not copied: pandas copies when the caller changes the frame, as long as this lives."""
    kept = frame.copy(deep=False)
    y = kept.to_numpy()
    weakref.finalize(y, id, kept)
    return y


def _stacked(frame: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Columns (n x k) of any numeric types; each lies together, since statistics go variable by variable."""
    columns = []
    for j, name in enumerate(names):
        try:
            columns.append(numbers(frame.iloc[:, j], name))
        except WelfareError:
            hint = "Use share() for categories."
            raise WelfareError("a variable is not numeric", where=name, expected="numbers", hint=hint) from None
    return np.array(columns).T
