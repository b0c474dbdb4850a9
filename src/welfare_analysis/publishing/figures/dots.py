"""Kinds of figures that show groups as dots with intervals: one panel, a panel a category, several conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ...disclosure import CATEGORY, Released
from ...languages import amount
from ...needs import VARIED
from ...study import Study
from ..labels import cell_label, codes, in_order, label, standard, step_of, title
from .style import MARKED, PALETTE, QUIET, ROW, canvas, fitting, numbered, points, scaled, value_axis, wrapped

FLATTEST = 1.9  # inches of a panel with few rows: titles and axis need as much beside it
LETTERS = 72  # of the titles of panels side by side
KNOWN: dict[str, Any] = {  # what is true of the stand-in
    "marker": "D", "linestyle": "", "markersize": 6, "markerfacecolor": "none", "markeredgecolor": MARKED, "zorder": 4,
}  # fmt: skip
APART = 0.18  # of a row, from its middle: two estimates of the same group


def groups(tables: Sequence[Released], study: Study) -> Figure:
    """One dot and interval a group, from the highest to the lowest."""
    (one,) = tables
    cells = one.shown.sort_values("estimate")
    figure, (axes,) = canvas(title(one.id, study), ROW * len(cells))
    at = np.arange(len(cells))
    points(axes, at, cells, one.unit, PALETTE[0])
    numbered(axes, at, cells, one.unit, study)
    value_axis(axes, float(scaled(cells, one.unit)["high"].max()), one.unit, study)
    axes.set_yticks(at, [label(study, one.by[0], code) for code in cells[one.by[0]]])
    axes.set_ylim(-0.6, len(cells) - 0.4)
    return figure


def categories(
    tables: Sequence[Released], study: Study, one_scale: bool = False, lines: int = 1, ranked: bool = False
) -> Figure:
    """A panel a category, a row a group; where a table has a second key its codes are two dots in each row.

    On one scale where categories are to be compared; ``ranked`` sorts the rows by the first panel.
    """
    one = tables[0]
    first, *more = one.by
    columns = [c for c in in_order(one, study, CATEGORY) if (one.shown[CATEGORY].astype(str) == c).any()]
    views = in_order(one, study, more[0]) if more else [""]
    frame = one.frame.astype(dict.fromkeys(one.keys, str)).set_index(one.keys).reorder_levels([CATEGORY, *more, first])
    frame = frame.sort_index()
    rows = in_order(one, study, first)[::-1]
    if ranked:
        rows = list(frame.loc[(columns[0], *views[: len(more)])].sort_values("estimate", na_position="first").index)
    height = (0.4 if more else ROW) * len(rows) + 0.2
    figure, panels = canvas(title(one.id, study), height, len(columns), lines, sharey=True, sharex=one_scale)
    most = {}
    for axes, column in zip(panels, columns, strict=False):
        most[column] = 0.0
        for place, view in enumerate(views):
            cells = frame.loc[(column, view) if more else column].reindex(rows)
            at = np.arange(len(rows)) + (APART * (1 - 2 * place) if more else 0)
            name = label(study, more[0], view) if more else None
            points(axes, at, cells, one.unit, (PALETTE[0], QUIET)[place], small=True, name=name)
            if not more:
                numbered(axes, at, cells, one.unit, study, small=True)
            elif not place:
                gaps = cells["estimate"].isna()
                numbered(axes, at[gaps], cells[gaps], one.unit, study, small=True)
            most[column] = max(most[column], float(scaled(cells, one.unit)["high"].fillna(0.0).max()))
        axes.set_title(wrapped(cell_label(one, study, CATEGORY, column), min(16, LETTERS * lines // len(columns))))
    for axes, column in zip(panels, columns, strict=False):
        value_axis(axes, max(most.values()) if one_scale else most[column], one.unit, study, small=True)
    panels[0].set_yticks(range(len(rows)), [wrapped(label(study, first, code), 32) for code in rows])
    panels[0].set_ylim(-0.6, len(rows) - 0.4)
    if more:
        views_of = panels[0].get_legend_handles_labels()
        figure.legend(*views_of, loc="outside lower left", ncols=fitting(figure, len(views)))
    return figure


def profile(tables: Sequence[Released], study: Study, name: str = "profile") -> Figure:
    """Who and where: a panel a condition, a row a group of every grouping, the level of all as a line.

    Where a table ``truth`` (condition, status) is given, what is true of the stand-in is a diamond beside its estimate.
    """
    shown = [t for t in tables if len(t.shown) and t.id != "truth"]
    no_truth = pd.DataFrame(columns=["condition", CATEGORY, "estimate"])
    true = pd.concat([t.frame for t in tables if t.id == "truth"] or [no_truth])
    names = list(dict.fromkeys(t.variable for t in shown))
    grouped = [t for t in shown if t.by]
    rows = [
        (key, code)
        for key in dict.fromkeys(t.by[0] for t in grouped)
        for code in codes(study, key)
        if any(t.by[0] == key and code in set(t.frame[key].astype(str)) for t in grouped)
    ]
    starts = dict(reversed(rows))  # the first row of each grouping, with a space above it
    heights = np.cumsum([0.0, *(1.8 if starts[key] == code else 1.0 for key, code in reversed(rows))])
    place = dict(zip(reversed(rows), heights, strict=False))
    figure, panels = canvas(title(name, study), max(0.24 * heights[-1], FLATTEST), max(len(names), 1), sharey=True)
    for axes, variable in zip(panels, names, strict=False):
        own, most = [t for t in shown if t.variable == variable], 0.0
        known = true[true["condition"] == variable].set_index(CATEGORY)["estimate"].astype(float)
        for table in own:
            most = max(most, float(np.nanmax(scaled(table.frame, table.unit)["high"], initial=0)))
            if table.by:
                at = np.array([place[table.by[0], str(c)] for c in table.frame[table.by[0]]])
                points(axes, at, table.frame, table.unit, PALETTE[0], small=True)
                truth = table.frame[table.by[0]].astype(str).map(known)  # its mark covers no number
                behind = table.frame.assign(high=np.fmax(table.frame["high"], truth))
                numbered(axes, at, behind, table.unit, study, small=True)
            else:
                level = scaled(table.frame, table.unit)["estimate"].iloc[0]
                axes.axvline(level, color=QUIET, linewidth=1, linestyle="--", zorder=0)
        estimated = {("status", str(code)) for t in own if t.by == ("status",) for code in t.frame["status"]}
        for code, share in known.items():
            if (row := ("status", code)) in estimated:
                axes.plot(100 * share, place[row], **KNOWN)
        value_axis(axes, most, own[0].unit, study, small=True)
        axes.set_title(wrapped(study.text(f"short.{variable}"), min(16, LETTERS // len(names))))
    if len(true):
        panels[0].plot([], [], **KNOWN, label=study.text("figure.truth"))
        figure.legend(loc="outside lower right")
    panels[0].set_yticks(list(place.values()), [label(study, *pair) for pair in place])
    panels[0].set_ylim(-0.6, max(place.values(), default=0) + 0.6)
    return figure


def steps(tables: Sequence[Released], study: Study) -> Figure:
    """The same condition under milder and stricter standards; the one of the headline is marked."""
    shown = [t for t in tables if len(t.shown)]
    figure, panels = canvas(title("standards", study), 2.4, max(len(shown), 1))
    for axes, table in zip(panels, shown, strict=False):
        at, default = np.arange(len(table.frame)), table.frame["standard"] == VARIED[table.variable].default
        for colour, kept in ((PALETTE[0], ~default), (MARKED, default)):
            points(axes, at[kept], table.frame[kept], "share", colour, upright=True)
        for x, cell in zip(at, table.frame.to_dict("records"), strict=True):
            text = amount(cell["estimate"], "share", study.language, step=step_of(table.frame))
            axes.annotate(text, (x, 100 * cell["high"]), (0, 4), textcoords="offset points", ha="center", fontsize=8)
        axes.set_xticks(at, [standard(v, table, study) for v in table.frame["standard"]])
        axes.set(xlim=(-0.6, len(at) - 0.4), ylim=(0, 115 * np.nanmax(table.frame["high"], initial=0.01)), ylabel="")
        axes.set_title(wrapped(study.text(f"short.{table.variable}")))
        axes.set_xlabel(study.text(f"axis.{table.variable}"), fontsize=9)
        axes.get_xticklabels()[int(default.to_numpy().argmax())].set_fontweight("bold")  # without colour too
    panels[0].scatter([], [], color=MARKED, label=study.text("figure.standard"))
    figure.legend(loc="outside lower right")
    panels[0].set_ylabel(study.text("unit.share"))
    return figure


def with_without(tables: Sequence[Released], study: Study) -> Figure:
    """Each condition with and without the follow-up: the estimate, its interval, the band of those never reached."""
    (one,) = tables
    cells = one.frame.set_index(["condition", CATEGORY])
    names = list(dict.fromkeys(one.frame["condition"]))[::-1]
    figure, (axes,) = canvas(title(one.id, study), 1.8 * ROW * len(names))
    at = np.arange(len(names))
    ways = {way: cells.xs(way, level=CATEGORY).reindex(names) for way in cells.index.unique(CATEGORY)}
    band = (100 * ways[way]["estimate"] for way in ("silent_less", "silent_more"))
    axes.hlines(at, *band, color=PALETTE[4], linewidth=7, alpha=0.5)
    points(axes, at, ways["both"], "share", PALETTE[0])
    points(axes, at, ways["returned_alone"], "share", MARKED)
    for way, height in (("both", -13), ("returned_alone", 7)):
        for y, x in zip(at, ways[way]["estimate"], strict=True):
            text = amount(x, "share", study.language, step=step_of(ways[way]))
            axes.annotate(text, (100 * x, y), (0, height), textcoords="offset points", ha="center", fontsize=8)
    for code, colour, mark in (("both", PALETTE[0], "o"), ("returned_alone", MARKED, "o"), ("silent", PALETTE[4], "s")):
        axes.scatter([], [], color=colour, marker=mark, label=study.text(f"col.{code}"))
    figure.legend(loc="outside lower left", ncols=fitting(figure, 3))
    axes.set_yticks(at, [wrapped(study.text(f"short.{n}"), 24) for n in names])
    value_axis(axes, 100 * float(np.nanmax(one.frame["estimate"])), "share", study)
    axes.set_ylim(-0.6, len(names) - 0.4)
    return figure
