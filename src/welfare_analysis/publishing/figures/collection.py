"""Kinds of figures of the collection: from the register to the answers, the weights, the bias of who answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ...disclosure import CATEGORY, Released
from ...languages import amount, number
from ...study import Study
from ..labels import label, title
from .style import MARKED, PALETTE, QUIET, ROW, canvas, wrapped


def flow(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """From the register to the answers: each step a bar, what goes on to the next one in colour."""
    (one,) = tables
    n = one.frame.set_index("disposition")["estimate"].fillna(0)
    got = {code: float(n.get(code, 0)) for code in ("returned", "answered", "refused", "not_reached", "not_selected")}
    chosen = got["answered"] + got["refused"] + got["not_reached"]
    bars = [
        [("returned", PALETTE[0]), ("silent", QUIET)],
        [("selected", PALETTE[4]), ("not_selected", QUIET)],
        [("answered", PALETTE[0]), ("refused", MARKED), ("not_reached", QUIET)],
    ]
    got |= {"selected": chosen, "silent": chosen + got["not_selected"]}
    bars = [[part for part in bar if got[part[0]] > 0] for bar in bars]
    bars = [bar for bar in bars if bar]
    figure, panels = canvas(title(one.id, study), study, 2.6, len(bars))
    for axes, bar in zip(panels, bars, strict=True):
        start, whole = 0.0, sum(got[code] for code, _ in bar)
        for code, colour in bar:
            axes.bar([0], [got[code]], bottom=[start], color=colour, width=0.8)
            text = f"{label(study, 'flow', code)}\n{number(got[code], study.language)}"
            thin = got[code] < 0.08 * whole
            place = (0.45, start + got[code] / 2) if thin else (0, start + got[code] / 2)
            colour = "#FFFFFF" if colour == PALETTE[0] and not thin else "#222222"
            axes.annotate(text, place, ha="left" if thin else "center", va="center", fontsize=8, color=colour)
            start += got[code]
        axes.set_xlim(-0.5, 1.1)
        axes.set_axis_off()
    return figure


def weight_bars(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """The answers by size of their weight, a panel before and one after calibration."""
    (one,) = tables
    bands, stages = study.codebook.codes("weight_band"), study.codebook.codes("stage")
    figure, panels = canvas(title(one.id, study), study, 2.2, len(stages), sharey=True)
    for axes, stage in zip(panels, stages, strict=True):
        cells = one.frame[one.frame["stage"].astype(str) == stage]
        part = cells.set_index(cells[CATEGORY].astype(str))["estimate"].reindex(bands).fillna(0)
        axes.bar(range(len(bands)), 100 * part, color=PALETTE[0], width=0.85)
        axes.set_xticks(range(len(bands)), [label(study, "weight_band", b) for b in bands], rotation=45, fontsize=8)
        axes.set_title(label(study, "stage", stage))
        axes.set_xlabel(study.codebook.text("axis.weight", study.language))
    panels[0].set_ylabel(study.codebook.text("unit.share", study.language))
    return figure


def with_without(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """Each condition with and without the follow-up: the estimate, its interval, the band of the silent."""
    (one,) = tables
    cells = one.frame.set_index(["condition", CATEGORY])
    names = list(dict.fromkeys(one.frame["condition"]))[::-1]
    figure, (axes,) = canvas(title(one.id, study), study, 1.4 * ROW * len(names))
    for y, name in enumerate(names):
        both, alone, less, more = (
            cells.loc[(name, w)] for w in ("both", "returned_alone", "silent_less", "silent_more")
        )
        axes.hlines(y, 100 * less["estimate"], 100 * more["estimate"], color=PALETTE[4], linewidth=7, alpha=0.5)
        axes.hlines(y, 100 * both["low"], 100 * both["high"], color=PALETTE[0], linewidth=2)
        axes.scatter(100 * both["estimate"], y, color=PALETTE[0], s=40, zorder=3)
        axes.scatter(100 * alone["estimate"], y, color=MARKED, marker="D", s=36, zorder=3)
        for point, height in ((both, -13), (alone, 7)):
            text = amount(point["estimate"], "share", study.language)
            axes.annotate(
                text, (100 * point["estimate"], y), (0, height), textcoords="offset points", ha="center", fontsize=8
            )
    marks = [("both", PALETTE[0], "o"), ("returned_alone", MARKED, "D"), ("silent", PALETTE[4], "s")]
    for code, colour, mark in marks:
        axes.scatter([], [], color=colour, marker=mark, label=study.codebook.text(f"col.{code}", study.language))
    axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=3)
    axes.set_yticks(range(len(names)), [wrapped(study.codebook.text(f"short.{n}", study.language), 24) for n in names])
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xlim(0, 115 * np.nanmax(one.frame["estimate"]))
    axes.set_xlabel(study.codebook.text("unit.share", study.language))
    axes.grid(axis="x", color="#EEEEEE")
    axes.set_axisbelow(True)
    return figure
