"""Kinds of figures with lines: numbers by price or rate with a band, who can pay, a tour of towns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...demand.credit import Terms
from ...disclosure import CATEGORY, Released
from ...languages import number
from ...results.loans import RATES
from ...study import Study, public
from ..labels import cell_label, in_order, title
from .style import HALO, INK, MAP, PALETTE, QUIET, canvas, fitting, plain, scaled

MARKS = "osD^vP"  # of lines, in the order of the palette, with dark edges: who sees no colour tells them apart too
ROOM = 3  # numbers on an inch of a line


def _line(axes: Axes, cells: pd.DataFrame, unit: str, colour: str, name: str) -> None:
    """A line through estimates at ``at``, its 95 % band behind it."""
    drawn = scaled(cells, unit).assign(at=cells["at"]).sort_values("at")
    axes.fill_between(drawn["at"], drawn["low"], drawn["high"], color=colour, alpha=0.25, linewidth=0)
    marks = {"marker": MARKS[PALETTE.index(colour)], "markersize": 5, "markeredgecolor": INK}
    sns.lineplot(drawn, x="at", y="estimate", ax=axes, color=colour, errorbar=None, label=name, legend=False, **marks)


def curve(
    tables: Sequence[Released], study: Study, at: Mapping[str, float] | None = None, numbered: bool = True
) -> Figure:
    """Numbers by price (``at``: where each code of the first key is), a line and a band for each column.

    ``numbered``: each point has its number, the highest above it and the others below; none that would cover another.
    """
    (one,) = tables
    figure, (axes,) = canvas(title(one.id, study), 3.2)
    cells = one.shown.assign(at=one.shown[one.by[0]].astype(str).map(at or float).astype(float))
    highest = cells.groupby("at")["estimate"].transform("max").where(cells["at"].duplicated(keep=False))
    low = cells["estimate"] < 0.08 * cells["estimate"].max()  # no room below
    under = cells["estimate"] - cells.sort_values("estimate").groupby("at")["estimate"].shift()
    apart = under.where(~low, highest - cells["estimate"])  # from the next number on its side
    crowded = (apart < 0.06 * cells["estimate"].max()) & cells["estimate"].ne(highest)
    room = int(ROOM * figure.get_figwidth())
    for place, code in enumerate(in_order(one, study, CATEGORY)):
        part = cells[cells[CATEGORY].astype(str) == code]
        _line(axes, part, one.unit, PALETTE[place], cell_label(one, study, CATEGORY, code))
        part = part.iloc[:: max(1, -(-len(part) // room))]  # of a long line every second point or fewer has its number
        part = part[~crowded[part.index]]
        above = part["estimate"].eq(highest[part.index]) | low[part.index]
        for x, y, up in zip(part["at"], scaled(part, one.unit)["estimate"], above, strict=True) if numbered else ():
            text, height = number(y, study.language), 9 * (1 if up else -1) - 3
            axes.annotate(text, (x, y), (0, height), textcoords="offset points", ha="center", fontsize=8)
    axes.xaxis.set_major_formatter(plain(study, int((cells["at"] % 1 > 0).any())))
    axes.yaxis.set_major_formatter(plain(study))
    axes.set_ylim(0, None)
    axes.set(xlabel=study.text(f"axis.{one.by[0]}"), ylabel=study.text(f"unit.{one.unit}"))
    figure.legend(loc="outside lower left", ncols=fitting(figure, 4))
    return figure


def crossing(tables: Sequence[Released], study: Study, share: float = 0.5, column: str = "") -> Figure:
    """Shares by rate, a line a group, and where each falls below a share: a ``column`` of the second table."""
    first, second = tables
    figure = curve([first], study, numbered=False)
    (axes,) = figure.axes
    axes.axhline(100 * share, color=QUIET, linestyle="--", linewidth=1)
    for place, code in enumerate(in_order(first, study, CATEGORY)):
        cell = second.cell(code, column) if second.state == "shown" else None
        if cell is not None and cell["estimate"] > 0:
            axes.hlines(100 * share, *(100 * cell[["low", "high"]]), color=PALETTE[place], linewidth=2)
            axes.plot(100 * cell["estimate"], 100 * share, "D", color=PALETTE[place], markeredgecolor=INK, zorder=4)
    return figure


def parts(tables: Sequence[Released], study: Study) -> Figure:
    """Lorenz curves, one a group: the part that the poorest have, beside the dashed line where all have the same."""
    (one,) = tables
    figure, (axes,) = canvas(title(one.id, study), 3.6)
    axes.plot([0, 100], [0, 100], color=QUIET, linestyle="--", linewidth=1)
    for place, code in enumerate(in_order(one, study, CATEGORY)):
        cells = one.shown[one.shown[CATEGORY].astype(str) == code]
        _line(axes, cells.assign(at=cells[one.by[0]].astype(float)), one.unit, PALETTE[place],
              cell_label(one, study, CATEGORY, code))  # fmt: skip
    words = {side: study.text(f"axis.{key}") for side, key in (("xlabel", one.by[0]), ("ylabel", one.id))}
    axes.set(xlim=(0, 100), ylim=(0, 100), **words)
    figure.legend(loc="outside lower left", ncols=fitting(figure, 4))
    return figure


def against_rate(tables: Sequence[Released], study: Study) -> Figure:
    """Loans by the rate of the Foundation, in per cent a year: `curve` at the rates of the terms."""
    return curve(tables, study, {name: 100 * Terms.named(terms).rate for name, terms in RATES.items()})


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
                      color=INK, ha="left" if across > 0 else "right", path_effects=HALO)  # fmt: skip
    axes.set_aspect(1 / np.cos(np.radians(at["lat"].mean())))
    axes.set_axis_off()
    axes.margins(0.08)
    axes.set_gid(MAP)
    return figure
