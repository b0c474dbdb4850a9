r"""Calibration: weights as near as possible to the design's that reach known totals (Deville and Särndal 1992).

With :math:`x_k` the calibration variables and :math:`t` their known totals, :math:`w_k = d_k F(x_k' \lambda)` solves
:math:`\sum w_k x_k = t`; ``linear`` has :math:`F(u) = 1 + u` (generalised regression), ``raking`` :math:`F(u) = e^u`.
Either way the variance is that of the weighted residuals :math:`z_k - x_k' B` (there, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..errors import WelfareError
from .design import Design

STEPS = 100
CLOSE = 1e-12


@dataclass(frozen=True, eq=False)
class Residuals:
    """What a calibrated variance needs: ``x`` (n x p) and ``project`` (p x n), with ``slopes(z) = project @ z``."""

    x: np.ndarray
    project: np.ndarray

    def slopes(self, z: Any) -> np.ndarray:
        """Regression (p x k) of the influences ``z`` (n x k) on the calibration variables."""
        return np.asarray((z.T @ self.project.T).T)


def calibrate(design: Design, margins: dict, frame: pd.DataFrame, method: str = "raking") -> Design:
    """Calibrate a design to known totals.

    Parameters
    ----------
    design : Design
        With n rows.
    margins : dict
        ``{column: {category: count}}``, ``{numeric column: total}``, or ``{"1": population size}``.
    frame : (n rows) DataFrame
        The columns named.
    method : {"raking", "linear", "poststratify"}
        ``poststratify`` takes one column of categories.

    Raises
    ------
    WelfareError
        A category without respondents, or respondents of a category without a margin; a missing value; margins that
        add up to different sizes; no solution.
    """
    if design.residuals is not None:
        raise WelfareError("the design is calibrated already", where="calibrate", hint="Give all margins at once.")
    if method not in ("raking", "linear", "poststratify"):
        raise WelfareError("unknown method", where="calibrate", got=method, expected="raking, linear or poststratify")
    if method == "poststratify" and (len(margins) != 1 or not isinstance(next(iter(margins.values())), dict)):
        raise WelfareError("post-strata are the categories of one column", where="calibrate", got=list(margins))
    x, totals = _variables(margins, frame, design.n)
    scale = np.abs(x).max(axis=0)
    x, totals = x / scale, totals / scale
    factor = _solve(design.weights, x, totals, linear=method != "raking")
    weights = design.weights * factor
    weighted = x * design.weights[:, None]
    project = np.linalg.pinv(weighted.T @ x, rcond=CLOSE, hermitian=True) @ weighted.T
    return design.reweighted(weights, Residuals(x, project))


def _variables(margins: dict, frame: pd.DataFrame, n: int) -> tuple[np.ndarray, np.ndarray]:
    if len(frame) != n:
        raise WelfareError("its length is not that of the design", where="frame", got=len(frame), expected=str(n))
    columns: list[np.ndarray] = []
    totals: list[float] = []
    sizes: dict[str, float] = {}
    for name, margin in margins.items():
        if name != "1" and name not in frame:
            raise WelfareError("no such column", where="margins", got=name, expected="a column of the frame")
        values = None if name == "1" else frame[name]
        if values is not None and values.isna().any():
            raise WelfareError(f"{int(values.isna().sum())} rows have no value", where=name, expected="a value each")
        if isinstance(margin, dict):
            counts = pd.Series(margin, dtype=float)
            sizes[name] = counts.sum()
            columns += _indicators(name, values, counts)
            totals += counts.tolist()
        else:
            columns.append(np.ones(n) if values is None else np.asarray(values, dtype=float))
            totals.append(float(margin))
            sizes |= {"1": float(margin)} if values is None else {}
    if not columns:
        raise WelfareError("there is no margin", where="margins", expected="at least one")
    if not (np.isfinite(totals).all() and all(np.isfinite(c).all() for c in columns)):
        raise WelfareError("a total or a value is not finite", where="margins", got=list(margins))
    spread = pd.Series(sizes, dtype=float)
    if len(spread) and not np.allclose(spread, spread.iloc[0], rtol=1e-9):
        raise WelfareError("the margins add up to different sizes", where="margins", got=spread.to_dict())
    return np.column_stack(columns), np.array(totals)


def _indicators(name: str, values: pd.Series | None, counts: pd.Series) -> list[np.ndarray]:
    codes = pd.Index(counts.index).get_indexer(pd.Index(np.asarray(values)))
    found = np.bincount(codes[codes >= 0], minlength=len(counts))
    if (codes < 0).any():
        raise WelfareError(f"{int((codes < 0).sum())} rows are in a category without a margin", where=name)
    empty = counts.index[(found == 0) & (counts > 0).to_numpy()]
    wrong = ~((counts > 0) & np.isfinite(counts))
    if len(empty) or wrong.any():
        raise WelfareError(
            "a margin has no respondents" if len(empty) else "a margin is not positive",
            where=name,
            got=list(empty) or counts[wrong].to_dict(),
            hint="Merge the category with a neighbour.",
        )
    return [(codes == code).astype(float) for code in range(len(counts))]


def _solve(d: np.ndarray, x: np.ndarray, totals: np.ndarray, linear: bool) -> np.ndarray:
    """Factors g (n,) with sum d g x = totals, by Newton's method with halved steps."""
    slope = np.zeros(x.shape[1])
    factor = np.ones(len(d))
    gap = totals - d @ x
    for _ in range(STEPS):
        if np.abs(gap).max() <= CLOSE * np.abs(totals).max():
            return factor
        gram = (x * (d * (1.0 if linear else factor))[:, None]).T @ x
        step = np.linalg.pinv(gram, rcond=CLOSE, hermitian=True) @ gap
        for _ in range(30):
            u = x @ (slope + step)
            trial = 1 + u if linear else np.exp(np.minimum(u, 50))
            rest = totals - (d * trial) @ x
            if linear or np.abs(rest).max() < np.abs(gap).max():
                break
            step = step / 2
        slope, factor, gap = slope + step, trial, rest
    if np.abs(gap).max() <= 1e-9 * np.abs(totals).max():
        return factor
    raise WelfareError(
        "no weights reach all margins",
        where="calibrate",
        got=f"a gap of {np.abs(gap).max() / np.abs(totals).max():.2g} of the largest total",
        hint="Look for margins that contradict each other, or merge small categories.",
    )
