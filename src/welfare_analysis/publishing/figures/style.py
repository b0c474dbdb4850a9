"""One style: a palette that colour-blind readers tell apart, every interval drawn, units on the axes.

Dots, bars, lines and heat maps are seaborn's; intervals, labels and reference lines are drawn with matplotlib, since
the intervals are those of the design and are known already.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import rc_params_from_file
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.offsetbox import HPacker, VPacker
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation, Text
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from ...languages import amount, number
from ...study import Study
from ..labels import missing_mark, step_of, unit_name

# Okabe and Ito (2008), the order of the list of codes.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
QUIET, MARKED, INK = "#818D99", "#D55E00", "#222222"
MAP = "map"  # the group id of axes that are not turned: west stays at the left
SIDES = {"left": "right", "right": "left"}
ROW, LINE = 0.3, 0.12  # inches: a row of a figure, a line of a name
STACKED = 5.0  # inches: panels of a narrower figure stand below each other
LETTERS, SMALL = 8.6, 17.0  # of a title and of a note, on an inch
HALO = [withStroke(linewidth=2.5, foreground="white")]  # about letters that a line may cross
SCALE = {"share": 100, "share_points": 100, "million_dh": 1e-6}
STYLE: Any = sns.axes_style("ticks") | rc_params_from_file(Path(__file__).with_name("report.mplstyle"), False, False)
NARROW: Any = STYLE | {"figure.figsize": (3.6, 3.6), "figure.dpi": 220}  # for a phone: letters as large, sharper


@dataclass(frozen=True)
class Plan:
    """A figure: its kind, the tables that it shows, and what else the kind takes."""

    kind: Callable[..., Figure]
    tables: tuple[str, ...]
    options: Mapping[str, Any]
    any_table: bool = False  # drawn where any of its tables has a number, not the first alone


def canvas(name: str, height: float, panels: int = 1, lines: int = 1, **named: Any) -> tuple[Figure, list[Axes]]:
    """A titled figure as wide as the style says, with panels in one or more lines, one a line in a narrow one.

    ``height`` in inches a line, without title and axis.
    """
    figure = plt.figure(layout="constrained")
    columns = fitting(figure, -(-panels // lines))
    lines = -(-panels // columns)
    figure.set_figheight(lines * (height + 0.9))
    axes = figure.subplots(lines, columns, squeeze=False, **named)
    for spare in axes.ravel()[panels:]:
        spare.set_visible(False)
    headed(figure, name)
    return figure, list(axes.ravel()[:panels])


def fitting(figure: Figure, many: int, few: int = 1) -> int:
    """How many stand side by side: ``many``, or ``few`` in a narrow figure."""
    return few if figure.get_figwidth() < STACKED else many


def headed(figure: Figure, text: str) -> None:
    """Set a figure's title, on as many lines as its width asks for."""
    lines = wrapped(text, int(LETTERS * figure.get_figwidth()))
    figure.suptitle(lines, x=0.01, ha="left", fontweight="bold", fontsize=12)


def narrowed(figure: Figure) -> Figure:
    """A figure for a phone: names on shorter lines leave room for what they name, and axes have fewer values."""
    for axes in figure.axes:
        if isinstance(axes.yaxis.get_major_locator(), FixedLocator):
            names = [wrapped(name.get_text(), 20) for name in axes.get_yticklabels()]
            axes.set_yticks(axes.get_yticks(), names, fontsize=8)
            over = max((name.count("\n") - 1 for name in names), default=0)  # a row has room for two lines
            figure.set_figheight(figure.get_figheight() + LINE * len(names) * max(over, 0))
        if isinstance(values := axes.xaxis.get_major_locator(), MaxNLocator):
            values.set_params(nbins=3)
    for legend in figure.findobj(Legend):
        for text in legend.get_texts():
            text.set_text(wrapped(text.get_text(), 40))
    return figure


def mirrored(figure: Figure) -> Figure:
    """A figure for who reads from right to left: values grow to the left, names and the first panel are at the right.

    Letters are shaped and ordered by matplotlib; here only places change, so that kinds of figures know nothing of it.
    """
    for axes in (axes for axes in figure.axes if axes.get_gid() != MAP):
        if not axes.xaxis_inverted():  # panels on one scale are turned with the first
            axes.invert_xaxis()
        axes.yaxis.tick_right()
        axes.yaxis.set_label_position("right")
        axes.spines["right"].set_visible(axes.spines["left"].get_visible())
        axes.spines["left"].set_visible(False)
        spec = axes.get_subplotspec()
        if spec is not None:
            place, grid = spec.colspan.start, spec.get_gridspec()
            axes.set_subplotspec(grid[spec.rowspan.start, grid.ncols - 1 - place])
        for text in axes.texts:
            _turned(text)
    for legend in figure.findobj(Legend):
        _turned_legend(legend)
    title: Any = figure._suptitle  # type: ignore[attr-defined]
    title.set(x=1 - title.get_position()[0], ha="right")
    return figure


def _turned(text: Text) -> None:
    """Set a text that stands beside a point on its other side."""
    text.set_horizontalalignment(SIDES.get(text.get_horizontalalignment(), "center"))  # type: ignore[arg-type]
    if isinstance(text, Annotation) and text.anncoords == "offset points":
        across, up = text.xyann
        text.xyann = -across, up


def _turned_legend(legend: Any) -> None:
    """Set a legend on the other side: marks at the right of their names, the first column at the right."""
    for packer in legend.findobj(lambda box: isinstance(box, HPacker)):
        packer.get_children().reverse()
    for packer in legend.findobj(lambda box: isinstance(box, VPacker)):
        packer.align = "right"
    name = next(name for name, code in Legend.codes.items() if code == legend._loc)
    turned = " ".join(SIDES.get(word, word) for word in name.split())
    legend.set_loc(f"outside {turned}" if legend._outside_loc else turned)


def scaled(cells: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Estimates and bounds as they are drawn: shares in per cent, large sums in millions."""
    return cells[["estimate", "low", "high"]].astype(float) * SCALE.get(unit, 1)


def points(axes: Axes, at: np.ndarray, cells: pd.DataFrame, unit: str, colour: str, small: bool = False,
           upright: bool = False, name: str | None = None) -> None:  # fmt: skip
    """Estimates as dots with their 95 % intervals, hollow where they are to be used with caution."""
    drawn = scaled(cells, unit)
    interval = axes.vlines if upright else axes.hlines
    interval(at, drawn["low"], drawn["high"], color=colour, linewidth=1.5 if small else 2)
    hollow = cells["flag"] == "caution"
    for faces, kept in ((colour, ~hollow), *([("white", hollow)] if hollow.any() else [])):
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
        axes.annotate(text, (x if x == x else 0, y), (6, 0), textcoords="offset points", va="center", fontsize=8,
                      path_effects=HALO)  # fmt: skip


def value_axis(axes: Axes, most: float, unit: str, study: Study, small: bool = False) -> None:
    """An axis of values from nought, its unit below, long numbers written as the page writes them."""
    axes.set_xlim(0, most * (1.3 if small else 1.15) if most > 0 else 1)
    axes.tick_params(axis="x", labelbottom=bool(most > 0))
    if most >= 1000:
        axes.xaxis.set_major_locator(MaxNLocator(2 if small else 5))
    axes.xaxis.set_major_formatter(plain(study, None))
    axes.set(xlabel=unit_name(study, unit) or study.text(f"unit.{unit}"), ylabel="")
    axes.grid(axis="x")


def plain(study: Study, digits: int | None = 0) -> FuncFormatter:
    """Numbers on an axis as the page writes them; with as many digits as a step has where none are given."""

    def written(x: float, _: object) -> str:
        own = max(len(f"{round(x, 6) % 1:.2g}") - 2, 0)  # 0.25 has two
        return number(x, study.language, own if digits is None else digits)

    return FuncFormatter(written)


def wrapped(text: str, width: int = 16) -> str:
    """A panel's title on short lines."""
    # never at the space inside a number, which does not break, nor before the colon of French
    return textwrap.fill(re.sub(" (?=[:;?!])", "\u00a0", text), width, break_long_words=False, break_on_hyphens=False)
