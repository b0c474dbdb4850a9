"""The front page: released tables of one cell each, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd

from ..disclosure import Lazy, Released, combined, document
from ..study import DATA, Study
from .descriptive import descriptive

Z = 1.959963984540054
ASSUMPTIONS = DATA / "survey" / "assumptions.csv"
NATURE = ("assumed_low", "assumed_high", "assumed_part", "kind")
MOSTLY = 0.5  # from this part of the variance on that is assumption, a level is an illustration
DISPLAYS = pd.read_csv(DATA / "displays.csv")  # a line a cell: where it stands, and its address


def nature(study: Study) -> Released:
    """On the stand-in: what the assumptions behind it alone decide of each headline.

    The part of the variance is sd^2 over sd^2 plus the sampling variance, which is read from the released interval.
    """
    rows, plan = [], study.result(descriptive)
    for name, low, high, sd in pd.read_csv(ASSUMPTIONS)[["headline", "low", "high", "sd"]].itertuples(index=False):
        if study.is_standin and len(shown := plan[name].shown):
            sampling = (shown["high"].iloc[0] - shown["low"].iloc[0]) / (2 * Z)
            part = sd**2 / (sd**2 + sampling**2)
            rows += [(name, measure, x) for measure, x in zip(NATURE, (low, high, part, part), strict=True)]
    cells = pd.DataFrame(rows, columns=["condition", "measure", "estimate"])
    kind = np.where(cells["estimate"] > MOSTLY, "kind.illustration", "kind.finding")
    cells["text"] = pd.Series(kind, cells.index).where(cells["measure"] == "kind")
    return document("headlines_nature", cells, ["condition"], "measure", "share")


def display(study: Study, name: str) -> Released:
    """Cells of other tables side by side, as ``data/displays.csv`` lists them; what assumptions decide if it is known.

    ``headlines``: how many, what share, how sure. ``costs``: for one person concerned and a month, and their sum.
    ``demand_reconciled``: the numbers of homes and housing loans of several pages.
    """
    from . import catalogue  # the tables of all modules, this one too

    plan, cells, parts = catalogue.release(study), DISPLAYS[DISPLAYS["table"] == name], {}
    for row, column, address in cells[["row", "column", "address"]].itertuples(index=False):
        table, *codes = address.split("|")
        if table != "headlines_nature" or plan[table].cell(*codes) is not None:
            parts[row, column] = (plan[table], *codes)
    return combined(name, parts, cells["key"].iloc[0])


MAKERS: Mapping[str, Callable[[Study], Released]] = {
    "headlines_nature": nature,
    **{name: partial(display, name=name) for name in DISPLAYS["table"].unique()},
}


def released(study: Study) -> Lazy:
    """Every such table, made when it is asked for."""
    return Lazy({name: partial(study.result, make) for name, make in MAKERS.items()})
