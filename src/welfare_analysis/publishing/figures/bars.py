"""Kinds of figures with bars: distributions, counts, what assumptions move; and shares as a map of colours."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...disclosure import CATEGORY, NUMBERS, Released
from ...languages import amount, number
from ...needs.income_debt import STANDARDS
from ...study import Study
from ..labels import cell_label, in_order, label, missing_mark, step_of, title
from .style import INK, MARKED, PALETTE, QUIET, ROW, canvas, fitting, plain, wrapped


def _distribution(axes: Axes, cells: pd.DataFrame, over: np.ndarray) -> None:
    """Shares of bands as bars with their intervals, those over a limit in another colour, gaps said."""
    at = np.arange(len(cells))
    colours = np.where(over, MARKED, PALETTE[0])
    sns.barplot(x=at, y=100 * cells["estimate"].to_numpy(float), hue=at, palette=list(colours), ax=axes, width=0.85,
                errorbar=None, legend=False, saturation=1)  # fmt: skip
    axes.vlines(at, 100 * cells["low"], 100 * cells["high"], color=INK, linewidth=1.2)
    for x in at[cells["estimate"].isna().to_numpy()]:
        axes.annotate(missing_mark(cells["flag"].iloc[x]), (x, 0), (0, 2), textcoords="offset points", ha="center")


def bands(tables: Sequence[Released], study: Study, limit: float | None = None) -> Figure:
    """A panel a group: the distribution over bands, intervals drawn; and a limit as a line, if bands are of tenths."""
    (one,) = tables
    rows, columns = in_order(one, study, one.by[0]), study.codebook.codes(one.variable)
    figure, panels = canvas(title(one.id, study), 2.2, max(len(rows), 1), sharey=True)
    at = np.arange(len(columns))
    for axes, row in zip(panels, rows, strict=False):
        part = one.frame[one.frame[one.by[0]].astype(str) == row].set_index(CATEGORY)
        part = part.set_axis(part.index.astype(str)).reindex(columns)
        part.loc[part["flag"].isna(), NUMBERS] = 0.0  # nobody is there
        axes.set_title(wrapped(label(study, one.by[0], row)))
        axes.set_xlabel(study.text(f"axis.{one.variable}"), fontsize=9)
        if limit is None:
            _distribution(axes, part, at < 0)
            axes.set_xticks(at, [label(study, one.variable, code) for code in columns], rotation=45, fontsize=8,
                            ha="right", rotation_mode="anchor")  # fmt: skip
            continue
        _distribution(axes, part, at > 10 * limit - 0.5)
        axes.axvline(10 * limit - 0.5, color=INK, linestyle="--", linewidth=1)
        axes.set_xticks(at[:-1] + 0.5, [f"{10 * (i + 1)}" for i in at[:-1]])
        axes.set_xlim(-0.6, len(columns) - 0.4)
    panels[0].set_ylabel(study.text("unit.share"))
    return figure


def histogram(tables: Sequence[Released], study: Study, limit: float) -> Figure:
    """A bar a step of the ratio with its interval; steps above the limit in another colour, the lower class marked."""
    (one,) = tables
    codes = in_order(one, study, one.by[0])
    cells = one.frame.astype({one.by[0]: str}).set_index(one.by[0]).reindex(codes)
    figure, (axes,) = canvas(title(one.id, study), 2.8)
    starts = np.array([float(code.split("_")[0]) for code in codes])
    _distribution(axes, cells, starts >= 100 * limit)
    for at, colour, name in ((STANDARDS.low_share, QUIET, "low"), (limit, "black", "limit")):
        place = np.searchsorted(starts, 100 * at) - 0.5
        text = study.text(f"short.loans_{name}")
        axes.axvline(place, color=colour, linestyle="--", linewidth=1, label=text)
    figure.legend(loc="outside lower left", ncols=fitting(figure, 2))
    axes.set_xticks(range(len(codes)), [label(study, one.by[0], code) for code in codes], fontsize=8,
                    rotation=fitting(figure, 0, 90))  # fmt: skip
    axes.yaxis.set_major_formatter(plain(study))
    axes.set(xlabel=study.text("axis.debt_band"), ylabel=study.text("unit.share"))
    return figure


def wide(table: Released, study: Study) -> pd.DataFrame:
    """Estimates: a row a code of the first key, a column a code of the second, in the codebook's order."""
    first, second = table.keys
    cells = table.frame.astype({first: str, second: str}).pivot(index=first, columns=second, values="estimate")
    return cells.reindex(index=in_order(table, study, first), columns=in_order(table, study, second)).astype(float)


def with_labels(cells: pd.DataFrame, table: Released, study: Study) -> pd.DataFrame:
    """Cells of `wide` with labels in place of codes."""
    first, second = table.keys
    rows, columns = partial(cell_label, table, study, first), partial(cell_label, table, study, second)
    return cells.rename(index=rows, columns=columns)


def stacked(tables: Sequence[Released], study: Study) -> Figure:
    """A bar a row, its parts the columns of the table, each with its number inside."""
    (one,) = tables
    cells = with_labels(wide(one, study).fillna(0)[::-1], one, study)
    figure, (axes,) = canvas(title(one.id, study), ROW * len(cells))
    cells.plot.barh(ax=axes, stacked=True, width=0.8, color=[PALETTE[0], PALETTE[4], MARKED], legend=False)
    for bars, ink in zip(axes.containers, ("white", "black", "black"), strict=False):
        numbers = [number(bar.get_width(), study.language) if bar.get_width() else "" for bar in bars]
        axes.bar_label(bars, numbers, label_type="center", fontsize=8, color=ink)  # type: ignore[arg-type]
    axes.set(xlabel=study.text(f"unit.{one.unit}"), ylabel="")
    axes.legend(loc="lower right")
    return figure


def pyramid(tables: Sequence[Released], study: Study) -> Figure:
    """Who they are: men and women by age, and status by age; two dots where a count is hidden, for its bar is short."""
    by_sex, by_status = tables
    figure, (left, right) = canvas(title("who_they_are", study), 2.7, 2, sharey=True)
    ages = in_order(by_status, study, "age_group")
    for table, axes, colours in ((by_sex, left, (QUIET, MARKED)), (by_status, right, PALETTE)):
        cells = wide(table, study).T.reindex(ages).fillna(0)
        cells *= [-1 if code == "m" else 1 for code in cells]  # men to the left
        named = cells.rename(columns=partial(label, study, table.by[0]))
        named.plot.barh(ax=axes, stacked=True, width=0.85, color=colours, legend=False)
        hidden = set(table.frame.loc[table.frame["flag"] == "hidden", "age_group"].astype(str))
        sums = [number(n, study.language) if axes is right else "" for n in cells.sum(axis=1)]
        texts = [".." if age in hidden else text for age, text in zip(ages, sums, strict=True)]
        axes.bar_label(axes.containers[-1], texts, padding=4, fontsize=8)  # type: ignore[arg-type]
        axes.xaxis.set_major_formatter(lambda x, _p: number(abs(x), study.language))
        axes.locator_params(axis="x", nbins=5)
        axes.set(xlabel=study.text("unit.persons"), ylabel="")
    figure.legend(loc="outside lower left", ncols=fitting(figure, 6, 3))  # within, it hid a number on a phone
    right.set_xlim(0, max(cells.sum(axis=1).max(), 1) * 1.25)
    left.set_yticks(range(len(ages)), [label(study, "age_group", age) for age in ages])
    return figure


def flow(tables: Sequence[Released], study: Study) -> Figure:
    """From the register to the answers: each step a bar, what goes on to the next one in colour."""
    (one,) = tables
    n = one.frame.set_index("disposition")["estimate"].fillna(0)
    got = {code: float(n.get(code, 0)) for code in ("returned", "answered", "refused", "not_reached", "not_selected")}
    got["selected"] = got["answered"] + got["refused"] + got["not_reached"]
    got["silent"] = got["selected"] + got["not_selected"]
    steps = [
        [("returned", PALETTE[0]), ("silent", QUIET)],
        [("selected", PALETTE[4]), ("not_selected", QUIET)],
        [("answered", PALETTE[0]), ("refused", MARKED), ("not_reached", QUIET)],
    ]
    bars = [bar for step in steps if (bar := [part for part in step if got[part[0]] > 0])]
    figure, panels = canvas(title(one.id, study), 2.6, len(bars))
    for axes, bar in zip(panels, bars, strict=True):
        start, whole = 0.0, sum(got[code] for code, _ in bar)
        for code, colour in bar:
            axes.bar([0], [got[code]], bottom=[start], color=colour, width=0.8)
            text, thin = f"{label(study, 'flow', code)}\n{number(got[code], study.language)}", got[code] < 0.08 * whole
            place = (0.45 if thin else 0, start + got[code] / 2)
            ink = "white" if colour == PALETTE[0] and not thin else "black"
            axes.annotate(text, place, ha="left" if thin else "center", va="center", fontsize=8, color=ink)
            start += got[code]
        axes.set_xlim(-0.5, 1.1)
        axes.set_axis_off()
    return figure


def tornado(tables: Sequence[Released], study: Study) -> Figure:
    """A bar from the low to the high end of each assumption, beside the sampling interval of the number itself.

    The ends differ in colour, and in hatching where no colour is seen; what each is called stands below.
    """
    one, base = tables
    at = base.frame.iloc[0]
    ends = wide(one, study)
    ends = ends.loc[(ends["high"] - ends["low"]).abs().sort_values().index]
    figure, (axes,) = canvas(title(one.id, study), ROW * len(ends))
    sampling = study.text("short.homes_sampling")
    if at["high"] > at["low"]:  # a base without an interval has no band
        axes.axvspan(at["low"], at["high"], color=QUIET, alpha=0.5, label=sampling)
    middle = pd.Series(at["estimate"], ends.index).fillna(ends.mean(axis=1))  # where the number itself is hidden
    for end, colour, hatch in (("low", PALETTE[0], ""), ("high", MARKED, "////")):
        axes.barh(range(len(ends)), ends[end] - middle, left=middle, color=colour, height=0.7,
                  hatch=hatch, edgecolor="white", linewidth=0,
                  label=study.codebook.label("assumed_end", end, study.language))  # fmt: skip
    axes.set_yticks(range(len(ends)), [label(study, one.by[0], code) for code in ends.index])
    axes.xaxis.set_major_formatter(plain(study))
    axes.set_xlabel(study.text(f"unit.{one.unit}"))
    figure.legend(loc="outside lower left", ncols=fitting(figure, 3))
    return figure


def heat(tables: Sequence[Released], study: Study) -> Figure:
    """Shares of each group (a row) over places (columns); the own place stands out, so colours are of the logarithm."""
    (one,) = tables
    cells = wide(one, study)
    texts = cells.map(lambda x: amount(x, "share", study.language, step=step_of(one.frame)))
    figure, (axes,) = canvas(title(one.id, study), 0.36 * len(cells) + 0.8)
    shown = with_labels(np.log(cells.where(cells > 0)), one, study).rename(columns=partial(wrapped, width=12))
    written = {"annot": texts, "fmt": "", "annot_kws": {"fontsize": 8}}
    colours = {"cmap": "Blues", "vmin": np.log(0.001), "vmax": 0.5, "cbar": False}
    sns.heatmap(shown, xticklabels=True, yticklabels=True, ax=axes, **written, **colours)
    axes.tick_params(axis="y", labelsize=8, labelrotation=0)
    axes.tick_params(axis="x", labelsize=8, labelrotation=0)
    axes.set(xlabel="", ylabel="")
    return figure
