"""Domains: the parts of a population that an estimate speaks of, without dropping a row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ..errors import WelfareError
from .columns import aligned, crossed
from .threads import each

TAKEN = ("variable", "category", "estimate", "se", "low", "high", "deff", "n", "n_weighted", "missing")


@dataclass(frozen=True, eq=False)
class Domains:
    """Each row's domain: ``codes`` (n,), -1 outside all; ``labels`` one entry a domain, None for the whole."""

    codes: np.ndarray
    labels: pd.Index | None

    @property
    def count(self) -> int:
        """Number of domains."""
        return 1 if self.labels is None else len(self.labels)

    def sums(self, values: np.ndarray, weights: np.ndarray | float = 1.0) -> np.ndarray:
        """Sums (k x domains) of the columns of ``values`` (n x k), times ``weights`` (n,)."""
        inside, codes, ends = self._rows
        w = np.broadcast_to(weights, len(inside))[inside].astype(float)
        add = sparse.csc_array((w, codes, ends), shape=(self.count, len(inside)))
        return np.array(each(lambda j: add @ values[:, j], values.shape[1], len(inside)))

    @cached_property
    def _rows(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which rows (n,) are inside, their domains, and where each row of the sparse sums begins (n + 1,)."""
        inside = self.codes >= 0
        ends = np.concatenate([[0], np.cumsum(inside)]).astype(np.int32)
        return inside, self.codes[inside].astype(np.int32), ends


def domains(
    n: int, by: Any = None, where: Any = None, index: pd.Index | None = None, counted: np.ndarray | None = None
) -> Domains:
    """Domains of ``n`` rows: the observed levels of ``by`` (a Series, or several) among the rows of ``where``.

    A row with a missing level, for which ``where`` is missing, or that is not ``counted`` (n,), is outside.

    Raises
    ------
    WelfareError
        A length or rows that differ from the design's; a ``where`` that is not boolean; two levels of one name, or
        with the name of a column of the table; no row left.
    """
    columns = [] if by is None else _columns(by, n, index)
    inside = np.ones(n, dtype=bool) if where is None else _mask(where, n, index)
    inside = inside if counted is None else inside & counted
    for column in columns:
        inside = inside & column.notna().to_numpy()
    if not inside.any():
        raise WelfareError("no respondent is in the domain", where="where", got=0, expected="at least one row")
    if not columns:
        return Domains(np.where(inside, 0, -1).astype(np.int64), None)
    try:
        parts = [pd.Categorical(c if inside.all() else c.where(inside)) for c in columns]
    except TypeError:
        raise WelfareError("a row holds a list", where="by", expected="one label a row") from None
    cells, row = crossed([p.codes[inside] for p in parts], [len(p.categories) for p in parts], int(inside.sum()))
    codes = np.full(n, -1, dtype=np.int64)
    codes[inside], row = cells, np.flatnonzero(inside)[row]
    levels = [pd.Index(np.asarray(part[row]), name=c.name) for part, c in zip(parts, columns, strict=True)]
    return Domains(codes, levels[0] if len(levels) == 1 else pd.MultiIndex.from_arrays(levels))


def _mask(where: Any, n: int, index: pd.Index | None) -> np.ndarray:
    mask = pd.Series(aligned(where, n, index, "where"))
    if pd.api.types.infer_dtype(mask) not in ("boolean", "empty"):
        got = str(mask.dtype)
        raise WelfareError("it is not a mask", where="where", got=got, expected="booleans", hint='Say frame["x"] == 1.')
    return mask.astype("boolean").fillna(False).to_numpy(bool)


def _columns(by: Any, n: int, index: pd.Index | None) -> list[pd.Series]:
    if isinstance(by, pd.DataFrame):
        by = [by.iloc[:, j] for j in range(by.shape[1])]
    several = isinstance(by, (list, tuple)) and (not len(by) or any(pd.api.types.is_list_like(b) for b in by))
    columns = []
    for i, b in enumerate(by if several else [by]):
        name = getattr(b, "name", None)
        name = f"domain_{i + 1}" if name is None else name
        columns.append(pd.Series(aligned(b, n, index, str(name))).reset_index(drop=True).rename(name))
    names = [c.name for c in columns]
    taken = sorted({str(c) for c in names if c in TAKEN or names.count(c) > 1})
    if taken:
        raise WelfareError(
            "a name is taken", where="by", got=taken, expected="names that a table can show", hint="Use .rename()."
        )
    return columns
