"""Figures of what was released; the only module that draws.

One style: a palette that colour-blind readers tell apart, the same colour for the same code, every interval drawn, a
note with n, weights and source, and an alternative text made of the same numbers. A figure is a kind (a function of
released tables and the study) and the tables that it shows.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from ..languages import amount, number
from ..needs import VARIED
from ..study import ROOT, Study
from .disclosure import Release, Released, protect
from .suppression import CATEGORY
from .tables import HEADLINES, cell_label, codes, in_order, label, note, standard, title, told

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
COLOURS = 96  # of a picture in a notebook; more are not seen, and triple its size
LISTED = 40  # cells that an alternative text lists one by one


@dataclass(frozen=True)
class Plan:
    """A figure: its kind, the tables that it shows, and a limit to draw (a share)."""

    kind: Callable[[Sequence[Released], Study, float], Figure]
    tables: tuple[str, ...]
    limit: float = float("nan")


def _canvas(name: str, study: Study, height: float, columns: int = 1, **named: Any) -> tuple[Figure, list[Axes]]:
    figure, axes = plt.subplots(1, columns, figsize=(WIDTH, height + 0.9), layout="constrained", squeeze=False, **named)
    figure.suptitle(name, x=0.01, ha="left", fontweight="bold", fontsize=12)
    return figure, list(axes[0])


def _dots(axes: Axes, at: np.ndarray, cells: pd.DataFrame, unit: str, study: Study, small: bool = False) -> None:
    """Estimates as dots with their 95 % intervals, each with its number behind it."""
    scale = {"share": 100, "million_dh": 1e-6}.get(unit, 1)
    value, low, high = (scale * cells[c].to_numpy(float) for c in ("estimate", "low", "high"))
    axes.hlines(at, low, high, color=PALETTE[0], linewidth=1.5 if small else 2)
    axes.scatter(value, at, color=PALETTE[0], s=22 if small else 40, zorder=3)
    digits = 0 if np.nanmax(high, initial=0) >= 20 else 1
    for y, x, shown in zip(at, high, cells["estimate"], strict=True):
        text = number(scale * shown, study.language, digits) if small else amount(shown, unit, study.language)
        axes.annotate(text, (x if x == x else 0, y), (4, 0), textcoords="offset points", va="center", fontsize=8)
    most = np.nanmax(high, initial=0)
    axes.set_xlim(0, most * (1.3 if small else 1.15) if most > 0 else 1)
    axes.tick_params(axis="x", labelbottom=bool(most > 0))
    axes.set_xlabel(study.codebook.text(f"unit.{unit}", study.language))
    axes.grid(axis="x", color="#EEEEEE")
    axes.set_axisbelow(True)


def groups(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """One dot and interval a group, from the highest to the lowest."""
    (one,) = tables
    cells = one.shown.sort_values("estimate")
    figure, (axes,) = _canvas(title(one.id, study), study, ROW * len(cells))
    at = np.arange(len(cells))
    _dots(axes, at, cells, one.unit, study)
    axes.set_yticks(at, [label(study, one.by[0], code) for code in cells[one.by[0]]])
    axes.set_ylim(-0.6, len(cells) - 0.4)
    return figure


def categories(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """A panel a category of shares that add to one, a row a group."""
    (one,) = tables
    rows, columns = in_order(one, study, one.by[0])[::-1], in_order(one, study, CATEGORY)
    figure, panels = _canvas(title(one.id, study), study, ROW * len(rows) + 0.2, len(columns), sharey=True)
    for axes, column in zip(panels, columns, strict=True):
        part = one.frame[one.frame[CATEGORY].astype(str) == column].set_index(one.by[0])
        part = part.set_axis(part.index.astype(str)).reindex(rows)
        _dots(axes, np.arange(len(rows)), part, one.unit, study, small=True)
        axes.set_title(_wrapped(cell_label(one, study, CATEGORY, column)))
    panels[0].set_yticks(range(len(rows)), [label(study, one.by[0], code) for code in rows])
    panels[0].set_ylim(-0.6, len(rows) - 0.4)
    return figure


def profile(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """Who and where: a panel a headline, a row a group of every grouping, the level of all as a line."""
    shown = [t for t in tables if len(t.shown)]
    names = [n for n in HEADLINES if any(t.variable == n for t in shown)]
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
    figure, panels = _canvas(title("profile", study), study, 0.24 * height, max(len(names), 1), sharey=True)
    for axes, name in zip(panels, names, strict=False):
        for table in (t for t in shown if t.variable == name):
            if table.by:
                at = np.array([place[table.by[0], str(c)] for c in table.frame[table.by[0]]])
                _dots(axes, at, table.frame, table.unit, study, small=True)
            else:
                axes.axvline(100 * table.frame["estimate"].iloc[0], color=QUIET, linewidth=1, linestyle="--", zorder=0)
        highs = [t.frame["high"].max() for t in shown if t.variable == name]
        axes.set_xlim(0, 130 * np.nanmax(highs))
        axes.set_title(_wrapped(study.codebook.text(f"short.{name}", study.language)))
    panels[0].set_yticks(list(place.values()), [label(study, *pair) for pair in place])
    return figure


def steps(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """The same condition under milder and stricter standards; the one of the headline is marked."""
    shown = [t for t in tables if len(t.shown)]
    figure, panels = _canvas(title("standards", study), study, 2.4, max(len(shown), 1))
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
        axes.set_title(_wrapped(study.codebook.text(f"short.{table.variable}", study.language)))
        axes.set_xlabel(study.codebook.text(f"axis.{table.variable}", study.language), fontsize=9)
    panels[0].set_ylabel(study.codebook.text("unit.share", study.language))
    return figure


def bands(tables: Sequence[Released], study: Study, limit: float) -> Figure:
    """A panel a group: the distribution over bands of ten hundredths, intervals drawn, and a limit as a line."""
    (one,) = tables
    rows, columns = in_order(one, study, one.by[0]), study.codebook.codes(one.variable)
    figure, panels = _canvas(title(one.id, study), study, 2.2, max(len(rows), 1), sharey=True)
    for axes, row in zip(panels, rows, strict=False):
        part = one.frame[one.frame[one.by[0]].astype(str) == row].set_index(CATEGORY)
        part = part.set_axis(part.index.astype(str)).reindex(columns)
        at = np.arange(len(columns))
        over = at > 10 * limit - 0.5
        axes.bar(at, 100 * part["estimate"], width=0.85, color=[MARKED if o else PALETTE[0] for o in over])
        axes.vlines(at, 100 * part["low"], 100 * part["high"], color="#222222", linewidth=1.2)
        for x in at[(part["flag"] == "hidden").to_numpy()]:
            axes.annotate("..", (x, 0), (0, 2), textcoords="offset points", ha="center")
        axes.axvline(10 * limit - 0.5, color="#222222", linestyle="--", linewidth=1)
        axes.set_title(_wrapped(label(study, one.by[0], row)))
        axes.set_xticks(np.arange(len(columns) - 1) + 0.5, [f"{10 * (i + 1)}" for i in range(len(columns) - 1)])
        axes.set_xlim(-0.6, len(columns) - 0.4)
        axes.set_xlabel(study.codebook.text(f"axis.{one.variable}", study.language), fontsize=9)
    panels[0].set_ylabel(study.codebook.text("unit.share", study.language))
    return figure


def pyramid(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """Who they are: men and women by age, and status by age."""
    by_sex, by_status = tables
    ages = in_order(by_status, study, "age_group")
    figure, (left, right) = _canvas(title("who_they_are", study), study, 2.7, 2, sharey=True)
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


FIGURES = {
    "who_they_are": Plan(pyramid, ("members_by_age_and_sex", "members_by_age")),
    "profile": Plan(profile, tuple(n + by for n in HEADLINES for by in ("", "_by_status", "_by_rank", "_by_command"))),
    "standards": Plan(steps, tuple(f"{n}_standards" for n in HEADLINES[1:])),
    "tenure_by_rank": Plan(categories, ("tenure_by_rank",)),
    "crowded_by_rank": Plan(groups, ("crowded_by_rank",)),
    "crowded_by_command": Plan(groups, ("crowded_by_command",)),
    "rent_median_by_command": Plan(groups, ("rent_median_by_command",)),
    "rent_band_by_rank": Plan(bands, ("rent_band_by_rank",), 0.3),
    "cost_burdened_by_rank": Plan(groups, ("cost_burdened_by_rank",)),
    "debt_band_by_rank": Plan(bands, ("debt_band_by_rank",), 0.4),
    "commute_band_by_command": Plan(categories, ("commute_band_by_command",)),
}


def draw(name: str, released: Release, study: Study) -> tuple[Figure, list[Released]]:
    """A figure of the plan and the tables that it shows, or an empty list where there is nothing to show."""
    plan = FIGURES[name]
    tables = [released[t] for t in plan.tables if t in released]
    needed = tables[:1] if plan.kind is not profile and plan.kind is not steps else tables
    if not any(len(t.shown) for t in needed):
        return Figure(), []
    return plan.kind(tables, study, plan.limit), tables


def show(name: str, released: Release, study: Study) -> None:
    """Draw a figure in a notebook: picture with alternative text, then the note; or say that there is nothing."""
    book, language = study.codebook, study.language
    with matplotlib.rc_context(STYLE):
        figure, tables = draw(name, released, study)
        if not tables:
            state = released[FIGURES[name].tables[0]].state
            text = book.text("hidden" if state == "shown" else state, language)
            display({"text/markdown": f"**{title(name, study)}**: {text}"}, raw=True)
            return
        picture, fewer = io.BytesIO(), io.BytesIO()
        figure.savefig(picture, format="png")
        drawn = fingerprint(figure)
        plt.close(figure)
    Image.open(picture).convert("RGB").quantize(COLOURS).save(fewer, format="png", optimize=True)
    data = {"image/png": fewer.getvalue(), "text/plain": drawn}
    display(data, metadata={"image/png": {"alt": alt_text(name, tables, study)}}, raw=True)
    display({"text/markdown": note(tables, study)}, raw=True)


def alt_text(name: str, tables: Sequence[Released], study: Study) -> str:
    """What a figure shows, in words, from the numbers that may be shown; of many cells the ends only."""
    parts = [title(name, study)]
    several = len(tables) > 1
    for table in (t for t in tables if t.state == "shown" and len(t.shown)):
        cells = table.shown
        if sum(len(t.shown) for t in tables) > LISTED:
            ends = cells.loc[[cells["estimate"].idxmax(), cells["estimate"].idxmin()]] if len(cells) > 1 else cells
            cells = ends
        lines = []
        for _, row in cells.iterrows():
            names = [cell_label(table, study, k, row[k]) for k in table.keys]
            counted = table.statistic == "count"
            value = amount(row["estimate"], table.unit, study.language) if counted else told(table, study, row)
            lines.append(f"{', '.join(names)} {value}".strip())
        parts.append((f"{title(table.id, study)}: " if several else "") + "; ".join(lines))
    return " ".join(part if part.endswith(("?", ".")) else f"{part}." for part in parts)


def fingerprint(figure: Figure) -> str:
    """What was drawn, in figures: title, bar lengths and line ends to four digits."""
    bars, lines = [], []
    for axes in figure.axes:
        bars += [f"{p.get_width():.4g} x {p.get_height():.4g}" for p in axes.patches if isinstance(p, Rectangle)]
        segments = [s for c in axes.collections for s in getattr(c, "get_segments", list)()]
        lines += [" ".join(f"{v:.4g}" for v in s.ravel()) for s in segments if len(s)]
    return f"{figure.get_suptitle()} | bars {' '.join(bars)} | lines {', '.join(lines)}"


def write_headlines(folder: Path = ROOT / "figures") -> None:
    """Write each figure as SVG with its note, its data as CSV and its alternative text."""
    study = Study.open()
    released = protect(study)
    folder.mkdir(exist_ok=True)
    for name in FIGURES:
        with matplotlib.rc_context(STYLE):
            figure, tables = draw(name, released, study)
            figure.supxlabel(note(tables, study), x=0.01, ha="left", fontsize=7, color="#555555", wrap=True)
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
            plt.close(figure)
        cells = pd.concat([t.frame.assign(table=t.id) for t in tables if t.state == "shown"])
        cells.round(6).to_csv(folder / f"{name}.csv", index=False)
        (folder / f"{name}.txt").write_text(alt_text(name, tables, study) + "\n", encoding="utf-8")


def _wrapped(text: str, width: int = 16) -> str:
    """A panel's title on short lines."""
    lines = [""]
    for word in text.split():
        lines = [*lines[:-1], f"{lines[-1]} {word}".strip()] if len(lines[-1]) + len(word) < width else [*lines, word]
    return "\n".join(line for line in lines if line)
