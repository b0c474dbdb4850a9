"""How often intervals hold a truth that is known: stored simulations of surveys, designs, statistics and models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ..disclosure import Released, document
from ..disclosure.digits import ladder, of_samples
from ..study import DATA, reference
from .declare import fact_rows, melted
from .descriptive import HEADLINES, PLAN

ENDS = {"least": "min", "most": "max"}
WAYS = {"with": "two_phase", "without": "returners"}  # the follow-up
# measures, in the order of the columns, and their units
VALIDATION = {"truth": "share", "error_with": "rate_points", "coverage_with": "share"}
VALIDATION |= {"error_without": "rate_points", "coverage_without": "share", "samples": "number"}
SUMMARY = {"least_coverage": "share", "most_coverage": "share", "largest_error": "rate_points", "samples": "number"}
FAMILIES = {"cells": "number", "coverage": "share", "worst": "share", "samples": "number"}
MODELS = dict.fromkeys(("least_coverage", "most_coverage", "least_hessian", "most_hessian"), "share")
MODELS |= dict.fromkeys(("coefficients", "samples", "failed"), "number")
STEPS = {"homes": "home_number", "loans": "loan_number", "transport": "transport_number"}  # of the funnels, by page
RECOVERY = {"coverage": "share", "coverage_low": "share", "error": "share", "se_of_spread": "share"}
RECOVERY |= {"samples": "number"}
LEAST_EFFECTIVE, LEAST_DF, MOST_SKEWED = 200, 30, 2  # where an interval is expected to hold what it promises
PROMISED, POOR = (0.93, 0.97), 0.92
MARKED = 0.5  # of the samples: from there on a number counts as marked


def simulated(table: pd.DataFrame, keys: Sequence[str], units: Mapping[str, str]) -> pd.DataFrame:
    """Numbers of ``samples`` that were simulated, `melted`, each to the digits that so many samples support.

    A mean error has the standard error of its ``spread`` between samples, where that is known, and so has what is
    printed beside it; other shares, but for the truth, are parts of the samples.
    """
    long = melted(table, keys, units)
    samples, of = np.tile(table["samples"], len(units)), long["measure"]
    share = of.str.contains("coverage|worst|hessian")
    long["step"] = pd.Series(of_samples(long["estimate"].where(share, 0.5), samples), long.index).where(share)
    if "spread" in table:
        error = np.tile(table["spread"], len(units)) / np.sqrt(samples)
        mean = of.str.contains("error|se_of")
        long["step"] = long["step"].where(~mean, [ladder(x / 2) for x in error])
    return long


def stored_validation() -> pd.DataFrame:
    """The long simulation: a row a version, method and table; ``error`` in points."""
    table = pd.read_csv(DATA / "survey" / "validation.csv")
    return table.assign(error=100 * table["bias"], spread=100 * table["spread"])


def of_headlines() -> pd.DataFrame:
    """The simulation's rows of headlines."""
    table = stored_validation()
    return table[table["headline"].isin(HEADLINES)]


def validation() -> Released:
    """Error and coverage of each headline by version, with and without the follow-up."""
    table, keys = of_headlines().set_index(["method", "version", "headline"]), ["version", "headline"]
    ways = [table.loc[method, ["error", "coverage"]].add_suffix(f"_{way}") for way, method in WAYS.items()]
    wide = table.loc["two_phase", ["truth", "samples", "spread"]].join(ways).reset_index()
    return document("validation", simulated(wide, keys, VALIDATION), keys, "measure")


def validation_summary() -> Released:
    """By version and method: the least and the most coverage of the headlines, and the largest error in points."""
    keys = ["version", "method"]
    groups = of_headlines().assign(error=lambda t: t["error"].abs()).groupby(keys, sort=False)
    columns = {"least_coverage": ("coverage", "min"), "most_coverage": ("coverage", "max")}
    columns |= {"largest_error": ("error", "max"), "samples": ("samples", "max"), "spread": ("spread", "max")}
    wide = groups.agg(**columns).reset_index()
    return document("validation_summary", simulated(wide, keys, SUMMARY), keys, "measure")


def validation_families() -> Released:
    """Coverage of the tables that the pages print, over all their cells and in the worst, answers without error."""
    table, keys = stored_validation(), ["table", "unit_of"]
    others = (table["version"] == "plain") & (table["method"] == "two_phase") & ~table["headline"].isin(HEADLINES)
    rows = table[others].rename(columns={"headline": "table", "worst_coverage": "worst"})
    rows["unit_of"] = rows["table"].map(pd.read_csv(PLAN).set_index("id")["unit"])
    return document("validation_families", simulated(rows.drop(columns="spread"), keys, FAMILIES), keys, "measure")


def stored_recovery() -> pd.DataFrame:
    """The simulation of funnels where the model is right: a row a page, step and ``interval``, the scale of counts'."""
    return pd.read_csv(DATA / "survey" / "recovery.csv")


def recovery(page: str) -> Released:
    """Coverage of the steps of a page's funnel, the lower end of its own interval, and the mean error."""
    table, keys = stored_recovery().query("page == @page"), [STEPS[page], "interval_scale"]
    wide = table.rename(columns={"number": STEPS[page], "interval": "interval_scale"})
    ratios = {"error": table["error"] / table["truth"], "se_of_spread": table["mean_se"] / table["spread"]}
    return document(f"{page}_recovery", melted(wide.assign(**ratios), keys, RECOVERY), keys, "measure")


def recovery_summary() -> Released:
    """Of how many steps it is shown that intervals hold the truth more often than the limit."""
    table = stored_recovery()
    numbers = {"recovered": table["recovered"].sum(), "of": len(table), "samples": table["samples"].min()}
    least = table.groupby("page")["coverage"].min().add_prefix("least_").to_dict()
    rows = fact_rows(number=numbers, share=least | {"limit": POOR})
    return document("recovery_summary", rows.assign(step=rows["fact"].map({"limit": 0.01})), ["fact"])


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
    cells["step"] = of_samples(cells["estimate"].to_numpy(), cells["samples"].to_numpy())
    kept = cells[["statistic", "outcome", "sample_design", "estimate", "flag", "step"]]
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
    numbers |= {"good": (~poor).sum(), "alarms": (~poor & marked(table)).sum()}
    numbers["samples"] = table["samples"].min()
    shares = {"low": sure.min(), "high": sure.max(), "least": table.loc[poor, "coverage"].min()}
    cells = fact_rows(number=numbers, share=shares)
    steps = of_samples(cells["estimate"].clip(upper=1).to_numpy(), np.full(len(cells), float(numbers["samples"])))
    return document("coverage_summary", cells.assign(step=pd.Series(steps).where(cells["unit"] == "share")), ["fact"])


def models() -> Released:
    """Coverage of the coefficients of each model, with the design's errors and with those of the Hessian."""
    table = stored_coverage("models").rename(columns={"design": "simulated_model", "coverage_hessian": "hessian"})
    groups = table.groupby("simulated_model", sort=False)
    ends = {f"{end}_{of}": (of, end_of) for of in ("coverage", "hessian") for end, end_of in ENDS.items()}
    counts = {"coefficients": ("coverage", "size"), "samples": ("samples", "min"), "failed": ("failed", "max")}
    wide = groups.agg(**ends, **counts).reset_index()
    return document("coverage_models", simulated(wide, ["simulated_model"], MODELS), ["simulated_model"], "measure")
