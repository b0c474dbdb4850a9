"""One style: a palette that colour-blind readers tell apart, every interval drawn, units on the axes.

Dots, bars, lines and heat maps are seaborn's; intervals, labels and reference lines are drawn with matplotlib, since
the intervals are those of the design and are known already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import bidirectional

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ...disclosure import Released
from ...languages import amount, number
from ...study import Study
from ..labels import missing_mark, step_of, unit_name

# Okabe and Ito (2008), the order of the list of codes.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
QUIET, MARKED, INK, GRID = "#9AA5B1", "#D55E00", "#222222", "#EEEEEE"
WIDTH, ROW = 8.0, 0.3  # inches
SCALE = {"share": 100, "share_points": 100, "million_dh": 1e-6}
STYLE: Any = sns.axes_style("ticks") | {
    "figure.dpi": 110,
    "font.size": 10,
    "font.family": ["sans-serif"],
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "axes.axisbelow": True,
    "grid.color": GRID,
    "legend.frameon": False,
    "legend.fontsize": 8,
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


def canvas(name: str, height: float, columns: int = 1, lines: int = 1, **named: Any) -> tuple[Figure, list[Axes]]:
    """A titled figure with panels in one or more lines; ``height`` in inches a line, without title and axis."""
    size = WIDTH, lines * (height + 0.9)
    figure, axes = plt.subplots(lines, columns, figsize=size, layout="constrained", squeeze=False, **named)
    # a title begins where its language does
    begins = ("right", 0.99) if any(bidirectional(letter) == "AL" for letter in name) else ("left", 0.01)
    figure.suptitle(name, x=begins[1], ha=begins[0], fontweight="bold", fontsize=12)
    return figure, list(axes.ravel())


def scaled(cells: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Estimates and bounds as they are drawn: shares in per cent, large sums in millions."""
    return cells[["estimate", "low", "high"]].astype(float) * SCALE.get(unit, 1)


def points(axes: Axes, at: np.ndarray, cells: pd.DataFrame, unit: str, colour: str, small: bool = False,
           upright: bool = False, name: str | None = None) -> None:  # fmt: skip
    """Estimates as dots with their 95 % intervals, hollow where they are to be used with caution."""
    drawn = scaled(cells, unit)
    interval = axes.vlines if upright else axes.hlines
    interval(at, drawn["low"], drawn["high"], color=colour, linewidth=1.5 if small else 2)
    for faces, kept in ((colour, cells["flag"] != "caution"), ("white", cells["flag"] == "caution")):
        places = pd.Series(at, cells.index)[kept], drawn.loc[kept, "estimate"]
        x, y = places if upright else places[::-1]
        sns.scatterplot(x=x, y=y, ax=axes, color=faces, edgecolor=colour, s=22 if small else 40, zorder=3, linewidth=1,
                        label=name if faces == colour else None, legend=False)  # fmt: skip


def numbered(axes: Axes, at: np.ndarray, cells: pd.DataFrame, unit: str, study: Study, small: bool = False) -> None:
    """Write each estimate behind its interval, or why there is none."""
    drawn = scaled(cells, unit)
    digits, step = 0 if drawn["high"].max() >= 20 else 1, step_of(cells)
    for y, (x, shown), flag, raw in zip(at, drawn[["high", "estimate"]].to_numpy(), cells["flag"], cells["estimate"],
                                        strict=True):  # fmt: skip
        text = number(shown, study.language, digits) if small else amount(raw, unit, study.language, step=step)
        text = text if raw == raw else missing_mark(flag)
        axes.annotate(text, (x if x == x else 0, y), (4, 0), textcoords="offset points", va="center", fontsize=8)


def value_axis(axes: Axes, most: float, unit: str, study: Study, small: bool = False) -> None:
    """An axis of values from nought, its unit below, long numbers written as the page writes them."""
    axes.set_xlim(0, most * (1.3 if small else 1.15) if most > 0 else 1)
    axes.tick_params(axis="x", labelbottom=bool(most > 0))
    if most >= 1000:
        axes.xaxis.set_major_locator(MaxNLocator(2 if small else 5))
        axes.xaxis.set_major_formatter(plain(study))
    axes.set(xlabel=unit_name(study, unit) or study.codebook.text(f"unit.{unit}", study.language), ylabel="")
    axes.grid(axis="x")


def plain(study: Study, digits: int = 0) -> FuncFormatter:
    """Numbers on an axis as the page writes them."""
    return FuncFormatter(lambda x, _: number(x, study.language, digits))


def wrapped(text: str, width: int = 16) -> str:
    """A panel's title on short lines."""
    lines = [""]
    for word in text.split(" "):  # not at the space inside a number
        lines = [*lines[:-1], f"{lines[-1]} {word}".strip()] if len(lines[-1]) + len(word) < width else [*lines, word]
    return "\n".join(line for line in lines if line)
