"""How often intervals hold a truth that is known: stored simulations of surveys, designs, statistics and models."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..disclosure import Released, document
from ..study import DATA, reference
from .descriptive import HEADLINES, PLAN

WAYS = {"with": "two_phase", "without": "returners"}  # the follow-up
LEAST_EFFECTIVE, LEAST_DF, MOST_SKEWED = 200, 30, 2  # where an interval is expected to hold what it promises
PROMISED, POOR = (0.93, 0.97), 0.92
MARKED = 0.5  # of the samples: from there on a number counts as marked


def stored_validation() -> pd.DataFrame:
    """The long simulation: a row a version, method and table."""
    return pd.read_csv(DATA / "survey" / "validation.csv")


def validation() -> Released:
    """Error and coverage of each headline by version, with and without the follow-up."""
    table = stored_validation()
    table = table[table["headline"].isin(HEADLINES)].assign(error=lambda t: 100 * t["bias"])
    first = table[table["method"] == "two_phase"]
    keys = ["version", "headline"]
    parts = [
        part.melt(keys, columns, "measure", "estimate").replace({"measure": names}).assign(unit=unit)
        for part, columns, names, unit in (
            (first, ["truth"], {}, "share"),
            *(
                (table[table["method"] == method], [column], {column: f"{name}_{way}"}, unit)
                for way, method in WAYS.items()
                for column, name, unit in (("error", "error", "rate_points"), ("coverage", "coverage", "share"))
            ),
            (first, ["samples"], {}, "number"),
        )
    ]
    return document("validation", pd.concat(parts), keys, "measure")


def validation_summary() -> Released:
    """By version and method: the least and the most coverage of the headlines, and the largest error in points."""
    table = stored_validation()
    table = table[table["headline"].isin(HEADLINES)]
    groups = table.assign(error=100 * table["bias"].abs()).groupby(["version", "method"], sort=False)
    columns = {"least_coverage": ("coverage", "min"), "most_coverage": ("coverage", "max")}
    wide = groups.agg(**columns, largest_error=("error", "max"), samples=("samples", "max")).reset_index()
    units = {"largest_error": "rate_points", "samples": "number"}
    cells = wide.melt(["version", "method"], var_name="measure", value_name="estimate")
    cells = cells.assign(unit=cells["measure"].map(units).fillna("share"))
    return document("validation_summary", cells, ["version", "method"], "measure")


def validation_families() -> Released:
    """Coverage of the tables that the pages print, over all their cells and in the worst, answers without error."""
    table, plan = stored_validation(), pd.read_csv(PLAN).set_index("id")["unit"]
    others = (table["version"] == "plain") & (table["method"] == "two_phase") & ~table["headline"].isin(HEADLINES)
    rows = table[others].assign(unit_of=table["headline"].map(plan))
    names = {"headline": "table", "worst_coverage": "worst"}
    cells = rows.rename(columns=names).melt(
        ["table", "unit_of"], ["cells", "coverage", "worst", "samples"], "measure", "estimate"
    )
    units = cells["measure"].map({"cells": "number", "samples": "number"}).fillna("share")
    return document("validation_families", cells.assign(unit=units), ["table", "unit_of"], "measure")


def expected(cells: pd.DataFrame) -> pd.Series:
    """Whether a cell has enough effective cases and degrees of freedom, and no skewed error."""
    enough = (cells["n_effective"] >= LEAST_EFFECTIVE) & (cells["df"] >= LEAST_DF)
    return enough & (cells["skewness"].abs() <= MOST_SKEWED)


def marked(cells: pd.DataFrame) -> pd.Series:
    """Whether most samples mark the number as one to be used with caution."""
    return cells["flagged"] > MARKED


def stored_coverage(part: str) -> pd.DataFrame:
    """The stored simulations: of ``statistics`` (a row a design, statistic and outcome) or of ``models``."""
    table = reference("coverage")
    return table[table["part"] == part].reset_index(drop=True)


def statistics() -> Released:
    """Coverage of 95 % intervals by statistic, outcome and design; marked where most samples mark the number."""
    table = stored_coverage("statistics").sort_values("outcome", kind="stable")
    flag = np.where(marked(table), "caution", "")
    cells = table.rename(columns={"coverage": "estimate", "design": "sample_design"}).assign(flag=flag)
    kept = cells[["statistic", "outcome", "sample_design", "estimate", "flag"]]
    return document("coverage", kept, ["statistic", "outcome"], "sample_design", "share")


def summary() -> Released:
    """How many cells hold what they promise where that is expected, and whether the others are marked.

    It is expected of enough effective cases and degrees of freedom and an error that is not skewed.
    """
    table = stored_coverage("statistics")
    sure = table.loc[expected(table) & ~marked(table), "coverage"]
    poor = table["coverage"] < POOR
    numbers = {"inside": sure.between(*PROMISED).sum(), "of": len(sure), "poor": poor.sum()}
    numbers |= {"marked": (poor & marked(table)).sum(), "effective": LEAST_EFFECTIVE, "df": LEAST_DF}
    numbers["samples"] = table["samples"].min()
    shares = {"low": sure.min(), "high": sure.max(), "least": table.loc[poor, "coverage"].min()}
    rows = [(n, x, "number") for n, x in numbers.items()] + [(n, x, "share") for n, x in shares.items()]
    return document("coverage_summary", pd.DataFrame(rows, columns=["fact", "estimate", "unit"]), ["fact"])


def models() -> Released:
    """Coverage of the coefficients of each model, with the design's errors and with those of the Hessian."""
    groups = (
        stored_coverage("models").rename(columns={"design": "simulated_model"}).groupby("simulated_model", sort=False)
    )
    columns = {
        f"{end}_{name}": (column, end_of)
        for name, column in (("coverage", "coverage"), ("hessian", "coverage_hessian"))
        for end, end_of in (("least", "min"), ("most", "max"))
    }
    counts = {"coefficients": ("coverage", "size"), "samples": ("samples", "min"), "failed": ("failed", "max")}
    cells = (
        groups.agg(**columns, **counts).reset_index().melt("simulated_model", var_name="measure", value_name="estimate")
    )
    units = cells["measure"].map(dict.fromkeys(counts, "number")).fillna("share")
    return document("coverage_models", cells.assign(unit=units), ["simulated_model"], "measure")
