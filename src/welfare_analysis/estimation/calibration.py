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
from .columns import aligned, numbers
from .design import Design

STEPS = 100
CLOSE, REACHED = 1e-12, 1e-9  # where the search ends, and what counts as reached, in parts of each margin


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
        The columns named, with the index of the design's weights or numbered 0, 1, ...
    method : {"raking", "linear", "poststratify"}
        ``poststratify`` takes one column of categories. ``linear`` may give negative weights.

    Raises
    ------
    WelfareError
        A category without respondents, or respondents of a category without a margin; a missing value; margins that
        add up to different sizes; no solution.
    """
    if not isinstance(margins, dict) or not isinstance(frame, pd.DataFrame):
        got = f"{type(margins).__name__} and {type(frame).__name__}"
        raise WelfareError("margins are a dict, and their columns a frame", where="calibrate", got=got)
    margins = {k: m.to_dict() if isinstance(m, pd.Series) else m for k, m in margins.items()}
    if design.residuals is not None:
        raise WelfareError("the design is calibrated already", where="calibrate", hint="Give all margins at once.")
    if method not in ("raking", "linear", "poststratify"):
        raise WelfareError("unknown method", where="calibrate", got=method, expected="raking, linear or poststratify")
    if method == "poststratify" and (len(margins) != 1 or not isinstance(next(iter(margins.values())), dict)):
        raise WelfareError("post-strata are the categories of one column", where="calibrate", got=list(margins))
    x, totals = _variables(margins, aligned(frame, design.n, design.names, "frame"), design.n)
    scale = np.abs(x).max(axis=0)
    scale[scale == 0] = 1.0
    x, totals = x / scale, totals / scale
    factor = _solve(design.weights, x, totals, linear=method != "raking")
    weights = design.weights * factor
    weighted = x * design.weights[:, None]
    project = np.linalg.pinv(weighted.T @ x, rcond=CLOSE, hermitian=True) @ weighted.T
    return design.reweighted(weights, Residuals(x, project))


def _variables(margins: dict, frame: pd.DataFrame, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Calibration variables x (n x p) and their totals (p,)."""
    columns: list[np.ndarray] = []
    totals: list[float] = []
    sizes: dict[str, float] = {}
    for name, margin in margins.items():
        values = None if name == "1" else _column(frame, name)
        if isinstance(margin, dict) and values is not None:
            counts = numbers(list(margin.values()), f"margins, {name}")
            columns += _indicators(name, values, pd.Series(counts, index=list(margin)))
            totals += counts.tolist()
            sizes[name] = float(counts.sum())
        else:
            columns.append(np.ones(n) if values is None else numbers(values, str(name)))
            totals.append(float(numbers([margin], f"margins, {name}")[0]))
            sizes |= {"1": totals[-1]} if values is None else {}
    if not columns:
        raise WelfareError("there is no margin", where="margins", expected="at least one")
    if not (np.isfinite(totals).all() and all(np.isfinite(c).all() for c in columns)):
        raise WelfareError("a total or a value is not finite", where="margins", got=list(margins), expected="numbers")
    size = list(sizes.values())
    if size and not (np.allclose(size, size[0], rtol=1e-9) and size[0] > 0):
        what = "the margins add up to different sizes" if size[0] > 0 else "the size is not positive"
        raise WelfareError(what, where="margins", got=sizes, expected="one size", hint="Take all from one register.")
    return np.column_stack(columns), np.array(totals)


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    """One column, without gaps."""
    if list(frame.columns).count(name) != 1:
        what = "two columns have this name" if name in frame else "no such column"
        raise WelfareError(what, where="margins", got=name, expected="a column of the frame")
    missing = int(frame[name].isna().sum())
    if missing:
        hint = "Give them a category of their own, or impute."
        raise WelfareError(f"{missing} rows have no value", where=name, got=missing, expected="a value each", hint=hint)
    return frame[name]


def _indicators(name: str, values: pd.Series, counts: pd.Series) -> list[np.ndarray]:
    """A column of 0 and 1 for each category of a margin."""
    codes = counts.index.get_indexer(pd.Index(np.asarray(values)))
    found = np.bincount(codes[codes >= 0], minlength=len(counts))
    if (codes < 0).any():
        raise WelfareError(
            f"{int((codes < 0).sum())} rows are in a category without a margin",
            where=name,
            got=sorted({repr(v) for v in np.asarray(values)[codes < 0].tolist()})[:5],
            expected=f"one of {list(counts.index)}",
            hint="Give each category a count; the number 1 and the text '1' differ.",
        )
    empty = counts.index[(found == 0) & (counts > 0).to_numpy()]
    wrong = ~((counts > 0) & np.isfinite(counts))
    if len(empty) or wrong.any():
        raise WelfareError(
            "a margin has no respondents" if len(empty) else "a margin is not positive",
            where=name,
            got=list(empty) or counts[wrong].to_dict(),
            expected="a positive count and at least one respondent",
            hint="Merge the category with a neighbour.",
        )
    return [(codes == code).astype(float) for code in range(len(counts))]


def _solve(d: np.ndarray, x: np.ndarray, totals: np.ndarray, linear: bool) -> np.ndarray:
    """Factors g (n,) with sum d g x = totals, by Newton's method with halved steps."""
    slope = np.zeros(x.shape[1])
    factor = np.ones(len(d))
    size = np.where(totals != 0, np.abs(totals), d @ np.abs(x))  # each margin is reached in proportion
    size[size == 0] = 1.0
    gap = totals - d @ x
    worst = (np.abs(gap) / size).max()
    for _ in range(STEPS):
        if worst <= CLOSE:
            break
        gram = (x * (d * (1.0 if linear else factor))[:, None]).T @ x
        step = np.linalg.pinv(gram, rcond=CLOSE, hermitian=True) @ gap
        near = worst <= REACHED
        for _ in range(1 if linear or near else 30):
            u = x @ (slope + step)
            trial = 1 + u if linear else np.exp(np.minimum(u, 50))
            rest = totals - (d * trial) @ x
            if (np.abs(rest) / size).max() < worst or (not near and np.abs(rest).max() < np.abs(gap).max()):
                break
            step = step / 2
        else:
            break  # no step comes nearer: what is left is rounding, or cannot be reached
        slope, factor, gap = slope + step, trial, rest
        worst = (np.abs(gap) / size).max()
    if worst <= REACHED:
        return factor
    raise WelfareError(
        "no weights reach all margins",
        where="calibrate",
        got=f"a gap of {worst:.2g} of a margin",
        expected="no gap",
        hint="Look for margins that contradict each other, or merge small categories.",
    )
