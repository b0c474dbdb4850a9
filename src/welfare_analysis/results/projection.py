"""The needs of the package over ten years (page 11), as members come and go and the part in need of each stays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..disclosure import NUMBERS
from ..estimation import Estimate, joint, total
from ..needs.projection import leaving
from ..planning.package import Package, flows
from ..study import Study
from .declare import Topic, part
from .package import base, measured, package, ready

LAST = 10  # years
SHOWN, DRAWN = (0, 5), (0, 2, 4, 6, 8, LAST)
RANGE = ("low", "high")


def subject(study: Study) -> Package | None:
    """The members before the services; None where the age, and so who will retire, was not asked."""
    return None if study.lacking(["age"]) else study.result(package)


topic = Topic("projection", subject, ready, "needs", base)


def projected(study: Study) -> tuple[Estimate, pd.DataFrame]:
    """Needs by year and service, and the least and most of them with one flow of members at an end of its range."""
    of, central = study.result(package), flows()
    columns = leaving(study.frame, LAST).set_axis(of.design.index)
    members = total(of.design, columns, by=of.group, where=of.group.notna(), missing="mean")
    both = joint({"sums": of.sums, "members": members})
    index = pd.MultiIndex.from_product([range(LAST + 1), [*of.services, "all"]])
    made = both.apply(lambda v: pd.Series(of.later(v.to_numpy(), central).ravel(), index)).as_positive()
    moved = [central | {name: x} for end in RANGE for name, x in flows(end).items()]
    ends = np.array([of.later(both.value.to_numpy(), rates).ravel() for rates in moved])
    return made, pd.DataFrame({"low": ends.min(axis=0), "high": ends.max(axis=0)}, index)


def in_year(study: Study, of: Package, year: int, services: Sequence[str]) -> pd.DataFrame:
    """Rows of the needs of a year, and of the least and the most that they are by what is assumed of members.

    The error of the sample is the same part of all three.
    """
    made, ends = study.result(projected)
    rows = measured({"need": part(made, year, services)}, "package_service", of, 0).drop(columns="unit")
    parts = [rows]
    for name in RANGE:
        times = rows["package_service"].map(ends.loc[year, name]) / rows["estimate"]
        parts.append(rows.assign(package_measure=name, **rows[list(NUMBERS)].mul(times.fillna(1.0), axis=0)))
    return pd.concat(parts, ignore_index=True)


@topic.table("needs", "package_service", "projected_year", adds="package_service")
def needs(study: Study, of: Package) -> pd.DataFrame:
    """Needs of each service now, in five and in ten years, and in ten by what is assumed of members."""
    rows = []
    for year in (*SHOWN, LAST):
        own = in_year(study, of, year, [*of.services, "all"])
        names = {"need": str(year)} | ({name: f"{year}_{name}" for name in RANGE} if year == LAST else {})
        rows.append(own.assign(projected_year=own.pop("package_measure").map(names)).dropna(subset="projected_year"))
    return pd.concat(rows, ignore_index=True)


@topic.table("years", "projected_year", "package_line", adds=None)
def years(study: Study, of: Package) -> pd.DataFrame:
    """Needs of all services together over ten years, and the least and the most by what is assumed of members."""
    rows = [in_year(study, of, year, ["all"]).assign(projected_year=str(year)) for year in DRAWN]
    table = pd.concat(rows, ignore_index=True).drop(columns="package_service")
    return table.rename(columns={"package_measure": "package_line"})
