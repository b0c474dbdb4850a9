"""Kinds of figures that show how members live: who they are, and each condition by group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ...disclosure import CATEGORY, Released
from ...languages import amount, number
from ...needs import VARIED
from ...study import Study
from ..labels import cell_label, codes, in_order, label, standard, title
from .style import MARKED, PALETTE, QUIET, ROW, canvas, dots, missing, wrapped


def groups(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """One dot and interval a group, from the highest to the lowest."""
    (one,) = tables
    cells = one.shown.sort_values("estimate")
    figure, (axes,) = canvas(title(one.id, study), study, ROW * len(cells))
    at = np.arange(len(cells))
    dots(axes, at, cells, one.unit, study)
    axes.set_yticks(at, [label(study, one.by[0], code) for code in cells[one.by[0]]])
    axes.set_ylim(-0.6, len(cells) - 0.4)
    return figure


def categories(tables: Sequence[Released], study: Study, _: float, one_scale: bool = False) -> Figure:
    """A panel a category, a row a group; on one scale where categories are to be compared."""
    (one,) = tables
    rows, columns = in_order(one, study, one.by[0])[::-1], in_order(one, study, CATEGORY)
    figure, panels = canvas(title(one.id, study), study, ROW * len(rows) + 0.2, len(columns), sharey=True)
    for axes, column in zip(panels, columns, strict=True):
        part = one.frame[one.frame[CATEGORY].astype(str) == column].set_index(one.by[0])
        part = part.set_axis(part.index.astype(str)).reindex(rows)
        dots(axes, np.arange(len(rows)), part, one.unit, study, small=True)
        axes.set_title(wrapped(cell_label(one, study, CATEGORY, column), 16 if len(columns) < 5 else 12))
    if one_scale:
        widest = max(axes.get_xlim()[1] for axes in panels)
        for axes in panels:
            axes.set_xlim(0, widest)
    panels[0].set_yticks(range(len(rows)), [label(study, one.by[0], code) for code in rows])
    panels[0].set_ylim(-0.6, len(rows) - 0.4)
    return figure


def profile(tables: Sequence[Released], study: Study, _: float, name: str = "profile") -> Figure:
    """Who and where: a panel a condition, a row a group of every grouping, the level of all as a line."""
    shown = [t for t in tables if len(t.shown)]
    names = list(dict.fromkeys(t.variable for t in shown))
    grouped = [t for t in shown if t.by]
    rows = [
        (key, code)
        for key in dict.fromkeys(t.by[0] for t in grouped)
        for code in codes(study, key)
        if any(t.by[0] == key and code in set(t.frame[key].astype(str)) for t in grouped)
    ]
    place, height = {}, 0.0
    starts = dict(reversed(rows))  # the first row of each grouping
    for key, code in reversed(rows):
        place[key, code] = height
        height += 1.8 if starts[key] == code else 1.0
    figure, panels = canvas(title(name, study), study, 0.24 * height, max(len(names), 1), sharey=True)
    for axes, variable in zip(panels, names, strict=False):
        for table in (t for t in shown if t.variable == variable):
            if table.by:
                at = np.array([place[table.by[0], str(c)] for c in table.frame[table.by[0]]])
                dots(axes, at, table.frame, table.unit, study, small=True)
            else:
                axes.axvline(100 * table.frame["estimate"].iloc[0], color=QUIET, linewidth=1, linestyle="--", zorder=0)
        highs = [t.frame["high"].max() for t in shown if t.variable == variable]
        axes.set_xlim(0, 130 * np.nanmax(highs))
        axes.set_title(wrapped(study.codebook.text(f"short.{variable}", study.language)))
    panels[0].set_yticks(list(place.values()), [label(study, *pair) for pair in place])
    return figure


def steps(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """The same condition under milder and stricter standards; the one of the headline is marked."""
    shown = [t for t in tables if len(t.shown)]
    figure, panels = canvas(title("standards", study), study, 2.4, max(len(shown), 1))
    for axes, table in zip(panels, shown, strict=False):
        default = VARIED[table.variable].default
        for place, (_row, row) in enumerate(table.frame.iterrows()):
            colour = MARKED if row["standard"] == default else PALETTE[0]
            axes.vlines(place, 100 * row["low"], 100 * row["high"], color=colour, linewidth=2)
            axes.scatter([place], [100 * row["estimate"]], color=colour, s=40, zorder=3)
            text = amount(row["estimate"], "share", study.language)
            axes.annotate(text, (place, 100 * row["high"]), (0, 4), textcoords="offset points", ha="center", fontsize=8)
        values = table.frame["standard"]
        axes.set_xticks(range(len(values)), [standard(v, table, study) for v in values])
        axes.set_xlim(-0.6, len(values) - 0.4)
        axes.set_ylim(0, 115 * np.nanmax(table.frame["high"], initial=0.01))
        axes.set_title(wrapped(study.codebook.text(f"short.{table.variable}", study.language)))
        axes.set_xlabel(study.codebook.text(f"axis.{table.variable}", study.language), fontsize=9)
    panels[0].set_ylabel(study.codebook.text("unit.share", study.language))
    return figure


def bands(tables: Sequence[Released], study: Study, limit: float) -> Figure:
    """A panel a group: the distribution over bands of ten hundredths, intervals drawn, and a limit as a line."""
    (one,) = tables
    rows, columns = in_order(one, study, one.by[0]), study.codebook.codes(one.variable)
    figure, panels = canvas(title(one.id, study), study, 2.2, max(len(rows), 1), sharey=True)
    for axes, row in zip(panels, rows, strict=False):
        part = one.frame[one.frame[one.by[0]].astype(str) == row].set_index(CATEGORY)
        part = part.set_axis(part.index.astype(str)).reindex(columns)
        at = np.arange(len(columns))
        over = at > 10 * limit - 0.5
        axes.bar(at, 100 * part["estimate"], width=0.85, color=[MARKED if o else PALETTE[0] for o in over])
        axes.vlines(at, 100 * part["low"], 100 * part["high"], color="#222222", linewidth=1.2)
        for x in at[part["estimate"].isna().to_numpy()]:
            axes.annotate(missing(part["flag"].iloc[x]), (x, 0), (0, 2), textcoords="offset points", ha="center")
        axes.axvline(10 * limit - 0.5, color="#222222", linestyle="--", linewidth=1)
        axes.set_title(wrapped(label(study, one.by[0], row)))
        axes.set_xticks(np.arange(len(columns) - 1) + 0.5, [f"{10 * (i + 1)}" for i in range(len(columns) - 1)])
        axes.set_xlim(-0.6, len(columns) - 0.4)
        axes.set_xlabel(study.codebook.text(f"axis.{one.variable}", study.language), fontsize=9)
    panels[0].set_ylabel(study.codebook.text("unit.share", study.language))
    return figure


def pyramid(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """Who they are: men and women by age, and status by age."""
    by_sex, by_status = tables
    ages = in_order(by_status, study, "age_group")
    figure, (left, right) = canvas(title("who_they_are", study), study, 2.7, 2, sharey=True)
    for table, axes, signs in ((by_sex, left, {"m": -1}), (by_status, right, {})):
        key = table.by[0]
        wide = table.frame.astype({key: str, "age_group": str}).pivot(index="age_group", columns=key, values="estimate")
        start, lost = np.zeros(len(ages)), _lost(table, ages)
        for place, code in enumerate(in_order(table, study, key)):
            width = wide[code].reindex(ages).fillna(0).to_numpy() * signs.get(code, 1)
            colour = PALETTE[place] if axes is right else (QUIET, MARKED)[place % 2]
            axes.barh(ages, width, left=start, color=colour, label=label(study, key, code), height=0.85)
            start = start + width if axes is right else start
        axes.xaxis.set_major_formatter(lambda x, _p: number(abs(x), study.language))
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel(study.codebook.text("unit.persons", study.language))
        axes.legend(frameon=False, fontsize=8, loc="lower left" if axes is left else "upper right")
        for y in np.flatnonzero(lost):
            axes.annotate("..", (start[y], y), (4, 0), textcoords="offset points", va="center")
    for y in np.flatnonzero(~lost):
        text = number(start[y], study.language)
        right.annotate(text, (start[y], y), (4, 0), textcoords="offset points", va="center", fontsize=8)
    right.set_xlim(0, max(start.max(), 1) * 1.5)
    left.set_yticks(range(len(ages)), [label(study, "age_group", age) for age in ages])
    return figure


def _lost(table: Released, ages: Sequence[str]) -> np.ndarray:
    """Ages of which a count is hidden, so that their bars are not whole."""
    hidden = set(table.frame.loc[table.frame["flag"] == "hidden", "age_group"].astype(str))
    return np.array([age in hidden for age in ages])
