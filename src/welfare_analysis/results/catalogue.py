"""All tables of a study under one name each, made when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd

from ..disclosure import CATEGORY, Lazy, Released, combined, declared
from ..study import DATA, Study
from . import (
    adjusted,
    agreements,
    aspirations,
    burdens,
    caravan,
    conditions,
    deprivation,
    descriptive,
    five,
    grants,
    headlines,
    package,
    priorities,
    projection,
    quality,
    rail,
    satisfaction,
    segments,
    services,
    stored,
    weights,
    what_if,
)
from .declare import Topic
from .kept import kept

WITHHELD = "WELFARE_WITHHELD"  # the variable with the names of tables that an attack broke (`audit`)
TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        quality.topic,
        weights.topic,
        weights.bias_topic,
        conditions.topic,
        conditions.income,
        conditions.tail,
        deprivation.topic,
        adjusted.topic,
        aspirations.topic,
        burdens.topic,
        segments.topic,
        satisfaction.topic,
        *priorities.TOPICS.values(),
        *(grid.topic for grid in what_if.GRIDS.values()),  # homes, loans and transport
        rail.topic,
        services.topic,
        services.camps,
        five.topic,
        grants.care,
        grants.schooling,
        grants.aid,
        agreements.topic,
        package.topic,
        projection.topic,
        caravan.topic,
    )
}

OF_STANDIN = ("headlines_nature", "truth")  # what is known where the population is invented
DISPLAYS = pd.read_csv(DATA / "displays.csv")  # a line a cell: where it stands, and its address


def release(study: Study) -> Lazy:
    """Every table that may be shown."""
    return study.result(_release)


def _release(study: Study) -> Lazy:
    plan = study.result(descriptive.descriptive)
    makers: dict[str, Callable[[], Released]] = {name: partial(plan.__getitem__, name) for name in plan}
    parts = (topic.release(study) for topic in TOPICS.values())
    for part in (*parts, stored.documents(study)):
        makers |= part.makers
    makers |= {name: partial(study.result, make) for name, make in COMBINED.items()}
    lazy = {name: partial(kept, study, name, make) for name, make in makers.items()}
    return Lazy(lazy | {name: partial(_withheld, lazy[name]) for name in os.environ.get(WITHHELD, "").split()})


def _withheld(make: Callable[[], Released]) -> Released:
    """A table without numbers: what else is published would give its hidden cells away."""
    return make().without_numbers("withheld")


def display(study: Study, name: str) -> Released:
    """Cells of other tables side by side, as ``data/displays.csv`` lists them.

    What is known of the stand-in alone stands where the study is the stand-in.
    ``headlines``: how many, what share, how sure. ``costs``: for one person concerned and a month, and their sum.
    ``demand_reconciled``: the numbers of homes and housing loans of several pages.
    """
    plan, cells, parts = release(study), DISPLAYS[DISPLAYS["table"] == name], {}
    for row, column, address in cells[["row", "column", "address"]].itertuples(index=False):
        table, *codes = address.split("|")
        if table not in OF_STANDIN or plan[table].cell(*codes) is not None:
            parts[row, column] = (plan[table], *codes)
    if name == "agreements_use":
        parts = with_own(parts, plan["agreements_forecast"])
    return combined(name, parts, cells["key"].iloc[0])


def with_own(parts: dict[tuple[str, str], Any], own: Released) -> dict[tuple[str, str], Any]:
    """Cells of agreements in the place of those whose terms a file of one's own changes, and those that it adds."""
    changed = agreements.of_ones_own()
    kept = {at: address for at, address in parts.items() if at[0] not in changed}
    cells = own.frame[[agreements.KEY, CATEGORY]].astype(str).to_numpy() if own.state == "shown" else []
    return kept | {(row, column): (own, row, column) for row, column in cells}


def brief(study: Study, stop: str = "", name: str = "own_brief") -> Released:
    """The brief of a stop of the caravan (`caravan.brief`); that of the worked one where none is named."""
    of, blank = study.result(caravan.tour), declared(name, "document", "", (), "")
    if of is None:
        return blank.without_numbers(caravan.ELSEWHERE)
    return caravan.brief(study.result(regional), of, stop or caravan.worked(of), name) or blank


def regional(study: Study) -> pd.DataFrame:
    """Released cells by region, for the lines of all briefs."""
    return caravan.regional(release(study))


COMBINED: dict[str, Callable[[Study], Released]] = {
    "headlines_nature": headlines.nature,
    "truth": headlines.truth,
    **caravan.TABLES,
    "caravan_brief": partial(brief, name="caravan_brief"),
    **{name: partial(display, name=name) for name in DISPLAYS["table"].unique()},
}


def listed() -> pd.DataFrame:
    """All tables: name, its rows and columns, its unit, and the function that makes it; ``data/tables.csv``."""
    rows = [
        (table.id, "|".join(table.by), "", table.unit, f"release.csv: {table.statistic} of {table.variable}")
        for table in map(descriptive.blank_of, pd.read_csv(descriptive.PLAN, keep_default_na=False).to_dict("records"))
    ]
    for topic in TOPICS.values():
        for name, one in topic.tables.items():
            rows.append((topic.address(name), "|".join(one.rows), one.across, one.unit, source_of(one.make)))
    others = {**COMBINED, **stored.DOCUMENTS, **stored.INSTRUMENT}
    rows += [(name, "", "", "", source_of(make)) for name, make in others.items()]
    return pd.DataFrame(rows, columns=["table", "rows", "across", "unit", "made_by"])


def source_of(make: Any) -> str:
    """Module and name of the function that makes a table."""
    function = make.func if isinstance(make, partial) else make
    return f"{function.__module__.removeprefix('welfare_analysis.')}.{function.__name__}"
