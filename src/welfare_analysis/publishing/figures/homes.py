"""Kinds of figures of demand: who can pay, where homes are wanted, a curve by price, what each assumption moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from ...disclosure import CATEGORY, Released
from ...languages import amount, number
from ...study import Study
from ..labels import cell_label, in_order, label, title
from .style import MARKED, PALETTE, QUIET, ROW, canvas, wrapped


def curve(tables: Sequence[Released], study: Study, _: float, at: Mapping[str, float] | None = None) -> Figure:
    """Numbers by price (``at``: where each code of the first key is), a line and a 95 % band for each set of terms."""
    (one,) = tables
    figure, (axes,) = canvas(title(one.id, study), study, 3.2)
    for place, code in enumerate(in_order(one, study, CATEGORY)):
        part = one.shown[one.shown[CATEGORY] == code]
        part = part.assign(at=part[one.by[0]].map(at or float).astype(float)).sort_values("at")
        axes.fill_between(part["at"], part["low"], part["high"], color=PALETTE[place], alpha=0.25, linewidth=0)
        axes.plot(
            part["at"], part["estimate"], color=PALETTE[place], marker="o", label=cell_label(one, study, CATEGORY, code)
        )
        above = 1 if place else -1
        for x, y in zip(part["at"], part["estimate"], strict=True):
            text = number(y, study.language)
            axes.annotate(text, (x, y), (0, 9 * above - 3), textcoords="offset points", ha="center", fontsize=8)
    digits = 0 if axes.get_xlim()[1] >= 100 else 1
    axes.xaxis.set_major_formatter(lambda x, _p: number(x, study.language, digits))
    axes.yaxis.set_major_formatter(lambda y, _p: number(y, study.language))
    axes.set_ylim(0, None)
    axes.set_xlabel(study.codebook.text(f"axis.{one.by[0]}", study.language))
    axes.set_ylabel(study.codebook.text(f"unit.{one.unit}", study.language))
    axes.legend(frameon=False, fontsize=9)
    return figure


def tornado(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """A bar from the low to the high end of each assumption, beside the sampling interval of the number itself."""
    one, base = tables
    at = base.frame.iloc[0]
    ends = one.frame.pivot(index=one.by[0], columns=CATEGORY, values="estimate")
    ends = ends.loc[(ends["high"] - ends["low"]).abs().sort_values().index]
    figure, (axes,) = canvas(title(one.id, study), study, ROW * len(ends))
    axes.axvspan(
        at["low"], at["high"], color=QUIET, alpha=0.5, label=study.codebook.text("short.homes_sampling", study.language)
    )
    for end, colour in (("low", PALETTE[0]), ("high", MARKED)):
        axes.barh(range(len(ends)), ends[end] - at["estimate"], left=at["estimate"], color=colour, height=0.7,
                  label=study.codebook.label("home_end", end, study.language))  # fmt: skip
    axes.set_yticks(range(len(ends)), [label(study, one.by[0], code) for code in ends.index])
    axes.xaxis.set_major_formatter(lambda x, _p: number(x, study.language))
    axes.set_xlabel(study.codebook.text("unit.persons", study.language))
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def reach(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """A panel a group: the share that can pay each price, a line and a band for each set of terms."""
    (one,) = tables
    first, second = one.by
    rows = in_order(one, study, first)
    figure, panels = canvas(title(one.id, study), study, 2.4, len(rows), sharey=True)
    for axes, row in zip(panels, rows, strict=True):
        for place, terms in enumerate(in_order(one, study, second)):
            part = one.shown[(one.shown[first] == row) & (one.shown[second] == terms)]
            part = part.assign(at=part[CATEGORY].astype(float) / 1000).sort_values("at")
            axes.fill_between(
                part["at"], 100 * part["low"], 100 * part["high"], color=PALETTE[place], alpha=0.3, linewidth=0
            )
            axes.plot(part["at"], 100 * part["estimate"], color=PALETTE[place], marker="o", markersize=3,
                      label=label(study, second, terms))  # fmt: skip
        axes.set_title(wrapped(label(study, first, row)))
        axes.set_ylim(0, 100)
        axes.grid(color="#EEEEEE")
    figure.supxlabel(study.codebook.text("axis.thousand_dh", study.language), fontsize=9)
    panels[0].set_ylabel(study.codebook.text("unit.share", study.language))
    panels[0].legend(frameon=False, fontsize=7, loc="lower left")
    return figure


def heat(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """Shares of each group (a row) over places (columns); the own place stands out, so colours are of the logarithm."""
    (one,) = tables
    rows, columns = in_order(one, study, one.by[0]), in_order(one, study, CATEGORY)
    wide = one.frame.astype({one.by[0]: str, CATEGORY: str}).pivot(index=one.by[0], columns=CATEGORY, values="estimate")
    wide = wide.reindex(index=rows, columns=columns).to_numpy(float)
    figure, (axes,) = canvas(title(one.id, study), study, 0.36 * len(rows) + 0.8)
    with np.errstate(divide="ignore"):
        axes.imshow(np.log(np.where(wide > 0, wide, np.nan)), cmap="Blues", aspect="auto", vmin=np.log(0.001), vmax=0.5)
    for i, j in np.ndindex(wide.shape):
        text = amount(wide[i, j], "share", study.language)
        axes.annotate(
            text, (j, i), ha="center", va="center", fontsize=7, color="white" if wide[i, j] > 0.3 else "black"
        )
    axes.set_yticks(range(len(rows)), [label(study, one.by[0], code) for code in rows], fontsize=8)
    names = [wrapped(cell_label(one, study, CATEGORY, code), 12) for code in columns]
    axes.set_xticks(range(len(columns)), names, fontsize=7)
    return figure
