"""Domains: the parts of a population that an estimate speaks of, without dropping a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..errors import WelfareError


@dataclass(frozen=True, eq=False)
class Domains:
    """Each row's domain: ``codes`` (n,), -1 outside all; ``labels`` one entry a domain, None for the whole."""

    codes: np.ndarray
    labels: pd.Index | None

    @property
    def count(self) -> int:
        """Number of domains."""
        return 1 if self.labels is None else len(self.labels)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sums (k x domains) of the columns of ``values`` (n x k)."""
        inside = self.codes >= 0
        codes = self.codes[inside]
        return np.array([np.bincount(codes, weights=v[inside], minlength=self.count) for v in values.T])


def domains(n: int, by: Any = None, where: Any = None) -> Domains:
    """Domains of ``n`` rows: the observed levels of ``by`` (a Series, or several) among the rows of ``where``.

    Raises
    ------
    WelfareError
        A length that differs, or no row left.
    """
    inside = np.ones(n, dtype=bool)
    if where is not None:
        mask = pd.Series(where)
        inside = mask.fillna(False).astype(bool).to_numpy()
    columns = [] if by is None else _columns(by)
    for name, length in [("where", len(inside)), *((c.name, len(c)) for c in columns)]:
        if length != n:
            raise WelfareError("its length is not that of the design", where=str(name), got=length, expected=str(n))
    for column in columns:
        inside = inside & column.notna().to_numpy()
    if not inside.any():
        raise WelfareError("no respondent is in the domain", where="where", got=0, expected="at least one row")
    if not columns:
        return Domains(np.where(inside, 0, -1).astype(np.int64), None)
    parts = [pd.Categorical(c.where(inside)).remove_unused_categories() for c in columns]
    cells = np.zeros(n, dtype=np.int64)
    for part in parts:
        cells = cells * len(part.categories) + np.maximum(part.codes, 0)
    present, codes = np.unique(cells[inside], return_inverse=True)
    full = np.full(n, -1, dtype=np.int64)
    full[inside] = codes
    first = np.flatnonzero(inside)[np.unique(codes, return_index=True)[1]]
    levels = [pd.Index(np.asarray(part[first]), name=c.name) for part, c in zip(parts, columns, strict=True)]
    labels = levels[0] if len(levels) == 1 else pd.MultiIndex.from_arrays(levels)
    assert len(labels) == len(present)
    return Domains(full, labels)


def _columns(by: Any) -> list[pd.Series]:
    if isinstance(by, pd.DataFrame):
        return [by[name] for name in by]
    several: Sequence[Any] = by if isinstance(by, (list, tuple)) else [by]
    columns = [pd.Series(b) for b in several]
    return [c.rename(c.name if c.name is not None else f"domain_{i + 1}") for i, c in enumerate(columns)]


def matrix(values: Any, n: int, name: str) -> tuple[np.ndarray, list[str]]:
    """Numeric columns (n x k) with missing as nan, and their names; booleans become 0 and 1."""
    frame = values if isinstance(values, pd.DataFrame) else pd.Series(values).to_frame(getattr(values, "name", None))
    names = [str(c) if c is not None else name for c in frame.columns]
    if len(frame) != n:
        raise WelfareError("its length is not that of the design", where=name, got=len(frame), expected=str(n))
    try:
        y = np.column_stack(
            [frame.iloc[:, j].astype("Float64").to_numpy(float, na_value=np.nan) for j in range(len(names))]
        )
    except (TypeError, ValueError):
        raise WelfareError(
            "a variable is not numeric", where=", ".join(names), hint="Use share() for categories."
        ) from None
    if np.isinf(y).any():
        raise WelfareError("a value is infinite", where=", ".join(names))
    return y, names
