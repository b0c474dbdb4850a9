"""Kinds of figures with places: a tour of towns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from ...disclosure import Released
from ...languages import number
from ...study import Study, public
from ..labels import cell_label, title
from .style import INK, MAP, PALETTE, QUIET, canvas

CORNERS = ((1, 1), (-1, 1), (1, -1), (-1, -1))  # across and up: where the words of a place may stand
LETTER, LINE = 0.13, 0.26  # degrees that a letter is wide and a line high on a map of a country


def sides(at: np.ndarray, words: Sequence[str]) -> list[tuple[int, int]]:
    """The corner of each place (n, 2) where its words cover fewest places and earlier words, the first of equals."""
    taken = np.column_stack([at - 0.05, at + 0.05])
    found = []
    for (x, y), text in zip(at, words, strict=True):
        ends = [
            (np.sort([x + 0.1 * a, x + a * (0.1 + LETTER * len(text))]), np.sort([y, y + u * LINE])) for a, u in CORNERS
        ]
        boxes = np.array([(left, low, right, high) for (left, right), (low, high) in ends])
        apart = (boxes[:, None, :2] >= taken[:, 2:]) | (boxes[:, None, 2:] <= taken[:, :2])
        best = int((~apart.any(axis=2)).sum(axis=1).argmin())
        taken = np.vstack([taken, boxes[best]])
        found.append(CORNERS[best])
    return found


def tour(tables: Sequence[Released], study: Study) -> Figure:
    """The stops of a tour where they lie, north above and west at the left in every language, joined in their order."""
    (one,) = tables
    figure, (axes,) = canvas(title(one.id, study), 7.0)
    cells = one.shown.sort_values("estimate")
    at = public("caravan").set_index("caravan_stop").loc[cells["caravan_stop"], ["lon", "lat"]]
    axes.plot(at["lon"], at["lat"], color=QUIET, linewidth=1.5, zorder=1)
    sns.scatterplot(x=at["lon"], y=at["lat"], ax=axes, color=PALETTE[0], s=28, zorder=2, legend=False)
    codes, places = cells["caravan_stop"], cells["estimate"]
    names = [cell_label(one, study, "caravan_stop", code) for code in codes]
    words = [f"{number(place, study.language)} {name}" for place, name in zip(places, names, strict=True)]
    for text, place, (across, up) in zip(words, at.to_numpy(), sides(at.to_numpy(), words), strict=True):
        axes.annotate(text, place, (4 * across, 3 if up > 0 else -9), textcoords="offset points", fontsize=7.5,
                      color=INK, ha="left" if across > 0 else "right")  # fmt: skip
    axes.set_aspect(1 / np.cos(np.radians(at["lat"].mean())))
    axes.set_axis_off()
    axes.margins(0.08)
    axes.set_gid(MAP)
    return figure
