"""The front page: released tables of one cell each, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd

from ..disclosure import Lazy, Released, combined, document
from ..study import DATA, Study
from .descriptive import HEADLINES, descriptive

Z = 1.959963984540054
ASSUMPTIONS = DATA / "survey" / "assumptions.csv"
NATURE = ("assumed_low", "assumed_high", "assumed_part", "kind")
MOSTLY = 0.5  # from this part of the variance on that is assumption, a level is an illustration
COSTS = {
    "rent_median": "rent_total",
    "rent_share_median": "",
    "housing_cost_median": "",
    "debt_service_median": "debt_service_total",
    "capacity_median": "",
    "commute_cost": "commute_cost_total",
    "commute_cost_share_median": "",
}
HOUSEHOLDS = ("households_total", "crowded_households", "cost_burdened_households")
RESPONSE = ("responded", "refused", "unreached")


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


def headlines(study: Study) -> Released:
    """How many, what share, how sure: each headline with its sampling interval, and what assumptions decide."""
    plan, kind = study.result(descriptive), study.result(nature)
    parts: dict[tuple[str, str], tuple[Released, *tuple[str, ...]]] = {}
    for name in HEADLINES:
        parts |= {(name, "people"): (plan[f"{name}_total"],), (name, "share"): (plan[name],)}
        parts |= {(name, part): (kind, name, part) for part in NATURE if kind.cell(name, part) is not None}
    return combined("headlines", parts, "condition")


def costs(study: Study) -> Released:
    """At what cost: amounts for one person concerned and a month, and their sum where there is a register."""
    plan, parts = study.result(descriptive), {}
    for name, sum_of in COSTS.items():
        parts[name, "a_member"] = (plan[name],)
        if sum_of:
            parts[name, "in_all"] = (plan[sum_of],)
    return combined("costs", parts, "amount")


def listed(study: Study, name: str, column: str, tables: tuple[str, ...]) -> Released:
    """Tables of one cell as rows."""
    plan = study.result(descriptive)
    return combined(name, {(table, column): (plan[table],) for table in tables}, "situation")


MAKERS: Mapping[str, Callable[[Study], Released]] = {
    "headlines_nature": nature,
    "headlines": headlines,
    "costs": costs,
    "households": partial(listed, name="households", column="number_of", tables=HOUSEHOLDS),
    "response": partial(listed, name="response", column="rate", tables=RESPONSE),
}


def released(study: Study) -> Lazy:
    """Every such table, made when it is asked for."""
    return Lazy({name: partial(study.result, make) for name, make in MAKERS.items()})
