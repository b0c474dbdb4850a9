"""Kinds of figures with bars: distributions, counts, what assumptions move; and shares as a map of colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...disclosure import CATEGORY, Released
from ...languages import amount, number
from ...needs.income_debt import STANDARDS
from ...study import Study
from ..labels import cell_label, in_order, label, missing_mark, step_of, title
from .style import INK, MARKED, PALETTE, QUIET, ROW, canvas, plain, wrapped


def _distribution(axes: Axes, cells: pd.DataFrame, over: np.ndarray) -> None:
    """Shares of bands as bars with their intervals, those over a limit in another colour, gaps said."""
    at = np.arange(len(cells))
    colours = np.where(over, MARKED, PALETTE[0])
    sns.barplot(x=at, y=100 * cells["estimate"].to_numpy(float), hue=at, palette=list(colours), ax=axes, width=0.85,
                errorbar=None, legend=False, saturation=1)  # fmt: skip
    axes.vlines(at, 100 * cells["low"], 100 * cells["high"], color=INK, linewidth=1.2)
    for x in at[cells["estimate"].isna().to_numpy()]:
        axes.annotate(missing_mark(cells["flag"].iloc[x]), (x, 0), (0, 2), textcoords="offset points", ha="center")


def bands(tables: Sequence[Released], study: Study, limit: float) -> Figure:
    """A panel a group: the distribution over bands of ten hundredths, intervals drawn, and a limit as a line."""
    (one,) = tables
    rows, columns = in_order(one, study, one.by[0]), study.codebook.codes(one.variable)
    figure, panels = canvas(title(one.id, study), 2.2, max(len(rows), 1), sharey=True)
    for axes, row in zip(panels, rows, strict=False):
        part = one.frame[one.frame[one.by[0]].astype(str) == row].set_index(CATEGORY)
        part = part.set_axis(part.index.astype(str)).reindex(columns)
        _distribution(axes, part, np.arange(len(columns)) > 10 * limit - 0.5)
        axes.axvline(10 * limit - 0.5, color=INK, linestyle="--", linewidth=1)
        axes.set_title(wrapped(label(study, one.by[0], row)))
        axes.set_xticks(np.arange(len(columns) - 1) + 0.5, [f"{10 * (i + 1)}" for i in range(len(columns) - 1)])
        axes.set_xlim(-0.6, len(columns) - 0.4)
        axes.set_xlabel(study.codebook.text(f"axis.{one.variable}", study.language), fontsize=9)
    panels[0].set_ylabel(study.codebook.text("unit.share", study.language))
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
        text = study.codebook.text(f"short.loans_{name}", study.language)
        axes.axvline(place, color=colour, linestyle="--", linewidth=1, label=text)
    axes.legend()
    axes.set_xticks(range(len(codes)), [label(study, one.by[0], code) for code in codes], fontsize=8)
    axes.yaxis.set_major_formatter(plain(study))
    axes.set(xlabel=study.codebook.text("axis.debt_band", study.language),
             ylabel=study.codebook.text("unit.share", study.language))  # fmt: skip
    return figure


def weight_bars(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """The answers by size of their weight, a panel before and one after calibration."""
    (one,) = tables
    sizes, stages = study.codebook.codes("weight_band"), study.codebook.codes("stage")
    figure, panels = canvas(title(one.id, study), 2.2, len(stages), sharey=True)
    for axes, stage in zip(panels, stages, strict=True):
        cells = one.frame[one.frame["stage"].astype(str) == stage]
        part = 100 * cells.set_index(cells[CATEGORY].astype(str))["estimate"].reindex(sizes).fillna(0)
        sns.barplot(x=np.arange(len(sizes)), y=part.to_numpy(), ax=axes, color=PALETTE[0], width=0.85, errorbar=None,
                    saturation=1)  # fmt: skip
        axes.set_xticks(range(len(sizes)), [label(study, "weight_band", b) for b in sizes], rotation=45, fontsize=8)
        axes.set_title(label(study, "stage", stage))
        axes.set(xlabel=study.codebook.text("axis.weight", study.language), ylabel="")
    panels[0].set_ylabel(study.codebook.text("unit.share", study.language))
    return figure


def stacked(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """A bar a row, its parts the columns of the table, each with its number inside."""
    (one,) = tables
    rows, parts = in_order(one, study, one.by[0]), in_order(one, study, CATEGORY)
    wide = one.frame.astype({one.by[0]: str, CATEGORY: str}).pivot(index=one.by[0], columns=CATEGORY, values="estimate")
    wide, start = wide.reindex(index=rows, columns=parts).fillna(0), np.zeros(len(rows))
    figure, (axes,) = canvas(title(one.id, study), ROW * len(rows))
    for part, (colour, ink) in zip(
        parts, ((PALETTE[0], "white"), (PALETTE[4], "black"), (MARKED, "white")), strict=False
    ):
        n = wide[part].to_numpy(float)
        axes.barh(np.arange(len(rows))[::-1], n, left=start, color=colour, label=cell_label(one, study, CATEGORY, part))
        for y, x, k in zip(range(len(rows) - 1, -1, -1), start, n, strict=True):
            axes.annotate(
                number(k, study.language) if k else "", (x + k / 2, y), ha="center", va="center", fontsize=8, color=ink
            )
        start = start + n
    axes.set_yticks(np.arange(len(rows))[::-1], [label(study, one.by[0], row) for row in rows])
    axes.set_xlabel(study.codebook.text(f"unit.{one.unit}", study.language))
    axes.legend(loc="lower right")
    return figure


def pyramid(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """Who they are: men and women by age, and status by age."""
    by_sex, by_status = tables
    ages = in_order(by_status, study, "age_group")
    figure, (left, right) = canvas(title("who_they_are", study), 2.7, 2, sharey=True)
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
        axes.legend(loc="lower left" if axes is left else "upper right")
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


def flow(tables: Sequence[Released], study: Study, _: float) -> Figure:
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
            ink = "#FFFFFF" if colour == PALETTE[0] and not thin else INK
            axes.annotate(text, place, ha="left" if thin else "center", va="center", fontsize=8, color=ink)
            start += got[code]
        axes.set_xlim(-0.5, 1.1)
        axes.set_axis_off()
    return figure


def tornado(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """A bar from the low to the high end of each assumption, beside the sampling interval of the number itself."""
    one, base = tables
    at = base.frame.iloc[0]
    ends = one.frame.pivot(index=one.by[0], columns=CATEGORY, values="estimate")
    ends = ends.loc[(ends["high"] - ends["low"]).abs().sort_values().index]
    figure, (axes,) = canvas(title(one.id, study), ROW * len(ends))
    sampling = study.codebook.text("short.homes_sampling", study.language)
    if at["high"] > at["low"]:  # a base without an interval has no band
        axes.axvspan(at["low"], at["high"], color=QUIET, alpha=0.5, label=sampling)
    for end, colour in (("low", PALETTE[0]), ("high", MARKED)):
        axes.barh(range(len(ends)), ends[end] - at["estimate"], left=at["estimate"], color=colour, height=0.7,
                  label=study.codebook.label("home_end", end, study.language))  # fmt: skip
    axes.set_yticks(range(len(ends)), [label(study, one.by[0], code) for code in ends.index])
    axes.xaxis.set_major_formatter(plain(study))
    axes.set_xlabel(study.codebook.text(f"unit.{one.unit}", study.language))
    axes.legend(loc="lower right")
    return figure


def heat(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """Shares of each group (a row) over places (columns); the own place stands out, so colours are of the logarithm."""
    (one,) = tables
    rows, columns = in_order(one, study, one.by[0]), in_order(one, study, CATEGORY)
    wide = one.frame.astype({one.by[0]: str, CATEGORY: str}).pivot(index=one.by[0], columns=CATEGORY, values="estimate")
    wide = wide.reindex(index=rows, columns=columns).astype(float)
    texts = wide.map(lambda x: amount(x, "share", study.language, step=step_of(one.frame)))
    figure, (axes,) = canvas(title(one.id, study), 0.36 * len(rows) + 0.8)
    colours = {"cmap": "Blues", "vmin": np.log(0.001), "vmax": 0.5, "cbar": False}
    sns.heatmap(np.log(wide.where(wide > 0)), annot=texts, fmt="", annot_kws={"fontsize": 7}, ax=axes, **colours)
    axes.set_yticks(
        np.arange(len(rows)) + 0.5, [label(study, one.by[0], code) for code in rows], fontsize=8, rotation=0
    )
    names = [wrapped(cell_label(one, study, CATEGORY, code), 12) for code in columns]
    axes.set_xticks(np.arange(len(columns)) + 0.5, names, fontsize=7, rotation=0)
    axes.set(xlabel="", ylabel="")
    return figure
