"""The figure of first places: counted and by the model, a panel a status."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ...disclosure import CATEGORY, Released
from ...needs.priorities import ALL
from ...study import Study
from ..labels import in_order, label, title
from .style import PALETTE, QUIET, canvas, missing, wrapped

APART = 0.18  # of a row, from its middle
COLOURS = {"ranked": PALETTE[0], "model": QUIET}


def first_places(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """A panel everybody and each status, a row an item, the most wanted on top: count above model, with intervals."""
    (one,) = tables
    first, view = one.by
    panels_of, views = in_order(one, study, CATEGORY), in_order(one, study, view)
    cells = one.frame.set_index([view, CATEGORY])
    rows = cells.loc[(views[0], ALL)].sort_values("estimate", na_position="first")[first].tolist()
    figure, panels = canvas(
        title(one.id, study), study, 0.4 * len(rows) + 0.2, len(panels_of), sharey=True, sharex=True
    )
    for axes, code in zip(panels, panels_of, strict=True):
        for place, name in enumerate(views):
            part = one.frame[(one.frame[CATEGORY] == code) & (one.frame[view] == name)].set_index(first).reindex(rows)
            at = np.arange(len(rows)) + APART * (1 - 2 * place)
            colour = COLOURS[name]
            axes.hlines(at, 100 * part["low"], 100 * part["high"], color=colour, linewidth=1.8)
            faces = np.where(part["flag"] == "caution", "white", colour)
            axes.scatter(100 * part["estimate"], at, facecolors=faces, edgecolors=colour, s=22, zorder=3,
                         label=label(study, view, name))  # fmt: skip
            if place:
                continue
            for y in np.flatnonzero(part["estimate"].isna()):
                axes.annotate(missing(part["flag"].iloc[y]), (0, at[y]), (4, 0), textcoords="offset points",
                              va="center", fontsize=8)  # fmt: skip
        axes.set_title(wrapped(label(study, one.variable, code)))
        axes.grid(axis="x", color="#EEEEEE")
        axes.set_axisbelow(True)
        axes.set_xlabel(study.codebook.text("unit.share", study.language))
    panels[0].set_xlim(0, None)
    panels[0].set_yticks(range(len(rows)), [wrapped(label(study, first, item), 32) for item in rows], fontsize=8)
    panels[0].set_ylim(-0.6, len(rows) - 0.4)
    handles, words = panels[0].get_legend_handles_labels()
    figure.legend(handles, words, loc="outside lower left", ncols=len(views), frameon=False, fontsize=8)
    return figure
