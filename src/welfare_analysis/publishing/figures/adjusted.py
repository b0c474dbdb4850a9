"""The figure of shares by place, raw and with everything else equal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ...disclosure import CATEGORY, Released
from ...results import HEADLINES
from ...study import Study
from ..labels import in_order, label, title
from .style import PALETTE, QUIET, canvas, wrapped

APART = 0.17  # of a row, from its middle


def raw_and_adjusted(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """A panel a condition, a row a group, with the raw share above the adjusted one, and their intervals."""
    one = tables[0]  # what stays of the differences, in the second, is told in words
    first, view = one.by
    rows, views = in_order(one, study, first)[::-1], in_order(one, study, view)
    names = [name for name in HEADLINES if (one.shown[CATEGORY] == name).any()]
    figure, panels = canvas(title(one.id, study), study, 0.34 * len(rows) + 0.2, len(names), sharey=True)
    for axes, name in zip(panels, names, strict=True):
        for place, code in enumerate(views):
            part = one.frame[(one.frame[CATEGORY] == name) & (one.frame[view] == code)].set_index(first).reindex(rows)
            at = np.arange(len(rows)) + APART * (1 - 2 * place)
            colour = (QUIET, PALETTE[0])[place]
            axes.hlines(at, 100 * part["low"], 100 * part["high"], color=colour, linewidth=1.5)
            faces = np.where(part["flag"] == "caution", "white", colour)
            axes.scatter(100 * part["estimate"], at, facecolors=faces, edgecolors=colour, s=20, zorder=3,
                         label=label(study, view, code))  # fmt: skip
        for y in np.flatnonzero(part["estimate"].isna()):
            axes.annotate("/" if part["flag"].iloc[y] == "unsure" else "..", (0, y), (4, 0),
                          textcoords="offset points", va="center", fontsize=8)  # fmt: skip
        axes.set_xlim(0, 105 * np.nanmax(one.frame.loc[one.frame[CATEGORY] == name, "high"]))
        axes.set_title(wrapped(study.codebook.text(f"short.{name}", study.language)))
        axes.set_xlabel(study.codebook.text("unit.share", study.language))
        axes.grid(axis="x", color="#EEEEEE")
        axes.set_axisbelow(True)
    panels[0].set_yticks(range(len(rows)), [label(study, first, code) for code in rows])
    panels[0].set_ylim(-0.6, len(rows) - 0.4)
    handles, words = panels[0].get_legend_handles_labels()
    figure.legend(handles, words, loc="outside lower left", ncols=len(views), frameon=False, fontsize=8)
    return figure
