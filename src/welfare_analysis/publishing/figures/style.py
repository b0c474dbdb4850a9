"""One style: a palette that colour-blind readers tell apart, every interval drawn, units on the axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ...disclosure import Released
from ...languages import GAP, amount, number
from ...study import Study
from ..labels import UNSURE

# Okabe and Ito (2008), the order of the list of codes.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
QUIET, MARKED = "#9AA5B1", "#D55E00"
WIDTH, ROW = 8.0, 0.3  # inches
STYLE: Any = {
    "figure.dpi": 110,
    "font.size": 10,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "svg.hashsalt": "welfare_analysis",
    "svg.fonttype": "path",
}


@dataclass(frozen=True)
class Plan:
    """A figure: its kind, the tables that it shows, and a limit to draw (a share)."""

    kind: Callable[[Sequence[Released], Study, float], Figure]
    tables: tuple[str, ...]
    limit: float = float("nan")
    any_table: bool = False  # drawn where any of its tables has a number, not the first alone


def canvas(name: str, study: Study, height: float, columns: int = 1, **named: Any) -> tuple[Figure, list[Axes]]:
    """A titled figure with a row of panels; ``height`` in inches, without title and axis."""
    figure, axes = plt.subplots(1, columns, figsize=(WIDTH, height + 0.9), layout="constrained", squeeze=False, **named)
    figure.suptitle(name, x=0.01, ha="left", fontweight="bold", fontsize=12)
    return figure, list(axes[0])


def dots(axes: Axes, at: np.ndarray, cells: pd.DataFrame, unit: str, study: Study, small: bool = False) -> None:
    """Estimates as dots with their 95 % intervals, each with its number behind it."""
    scale = {"share": 100, "million_dh": 1e-6}.get(unit, 1)
    value, low, high = (scale * cells[c].to_numpy(float) for c in ("estimate", "low", "high"))
    axes.hlines(at, low, high, color=PALETTE[0], linewidth=1.5 if small else 2)
    faces = np.where(cells["flag"] == "caution", "white", PALETTE[0])
    axes.scatter(value, at, facecolors=faces, edgecolors=PALETTE[0], s=22 if small else 40, zorder=3)
    digits = 0 if np.nanmax(high, initial=0) >= 20 else 1
    for y, x, shown, flag in zip(at, high, cells["estimate"], cells["flag"], strict=True):
        known = number(scale * shown, study.language, digits) if small else amount(shown, unit, study.language)
        text = known if shown == shown else missing(flag)
        axes.annotate(text, (x if x == x else 0, y), (4, 0), textcoords="offset points", va="center", fontsize=8)
    most = np.nanmax(high, initial=0)
    axes.set_xlim(0, most * (1.3 if small else 1.15) if most > 0 else 1)
    axes.tick_params(axis="x", labelbottom=bool(most > 0))
    if most >= 1000:  # long numbers, told as those of the dots are
        axes.xaxis.set_major_locator(MaxNLocator(2 if small else 5))
        axes.xaxis.set_major_formatter(lambda x, _p: number(x, study.language))
    axes.set_xlabel(study.codebook.text(f"unit.{unit}", study.language))
    axes.grid(axis="x", color="#EEEEEE")
    axes.set_axisbelow(True)


def missing(flag: str) -> str:
    """What stands in the place of a number that is not shown, as in tables."""
    return UNSURE if flag == "unsure" else GAP


def wrapped(text: str, width: int = 16) -> str:
    """A panel's title on short lines."""
    lines = [""]
    for word in text.split(" "):  # not at the space inside a number
        lines = [*lines[:-1], f"{lines[-1]} {word}".strip()] if len(lines[-1]) + len(word) < width else [*lines, word]
    return "\n".join(line for line in lines if line)
