"""Kinds of figures of transport: shares of modes in two rows of panels, and riders against what the runs carry."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ...disclosure import CATEGORY, Released
from ...languages import number
from ...study import Study
from ..labels import cell_label, in_order, label, title
from .style import MARKED, PALETTE, ROW, WIDTH, canvas, dots, wrapped


def shares(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """A panel a mode, in two rows of panels, a row a group; intervals drawn."""
    (one,) = tables
    rows, columns = in_order(one, study, one.by[0])[::-1], in_order(one, study, CATEGORY)
    across, height = -(-len(columns) // 2), 2 * (ROW * len(rows) + 0.9)
    figure, grid = plt.subplots(2, across, figsize=(WIDTH, height), layout="constrained", squeeze=False, sharey=True)
    figure.suptitle(title(one.id, study), x=0.01, ha="left", fontweight="bold", fontsize=12)
    for axes, column in zip(grid.ravel(), columns, strict=False):
        part = one.frame[one.frame[CATEGORY].astype(str) == column].set_index(one.by[0])
        part = part.set_axis(part.index.astype(str)).reindex(rows)
        dots(axes, np.arange(len(rows)), part, one.unit, study, small=True)
        axes.set_title(wrapped(cell_label(one, study, CATEGORY, column)))
    for axes in grid.ravel()[len(columns) :]:
        axes.set_visible(False)
    for line in grid:
        line[0].set_yticks(range(len(rows)), [label(study, one.by[0], code) for code in rows])
        line[0].set_ylim(-0.6, len(rows) - 0.4)
    return figure


def fixed_point(tables: Sequence[Released], study: Study, _: float) -> Figure:
    """Riders by number of runs, from the lowest to the highest cell, against the riders that ask for each number.

    A bar goes from what one run fewer carries to what these runs carry: where riders are in it, runs do not change.
    """
    (one,) = tables
    wide = one.frame.pivot(index=one.by[0], columns=CATEGORY, values="estimate")
    wide = wide.set_axis(wide.index.astype(int)).sort_index()
    figure, (axes,) = canvas(title(one.id, study), study, 3.0)
    before = np.append(0.0, wide["carried"].to_numpy()[:-1])
    text = {code: cell_label(one, study, CATEGORY, code) for code in ("fewest", "most", "carried")}
    axes.bar(wide.index, wide["carried"] - before, bottom=before, width=0.8, color="#DDDDDD", label=text["carried"])
    axes.fill_between(wide.index, wide["fewest"], wide["most"], color=PALETTE[0], alpha=0.3, linewidth=0)
    for code, colour, above in (("fewest", PALETTE[0], -1), ("most", MARKED, 1)):
        axes.plot(wide.index, wide[code], color=colour, marker="o", label=text[code])
        for x, y in wide[code].items():
            at = (0, 9 * above - 3)
            told = number(y, study.language)
            axes.annotate(told, (x, y), at, textcoords="offset points", ha="center", fontsize=8)
    axes.set_xticks(list(wide.index), [number(x, study.language) for x in wide.index])
    axes.yaxis.set_major_formatter(lambda y, _p: number(y, study.language))
    axes.set_xlabel(study.codebook.text(f"axis.{one.by[0]}", study.language))
    axes.set_ylabel(study.codebook.text(f"unit.{one.unit}", study.language))
    axes.legend(frameon=False, fontsize=9, loc="upper left")
    return figure
