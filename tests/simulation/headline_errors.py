"""Simulations on the stand-in population, whose truth is known: error, coverage, and what assumptions alone decide."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from welfare_analysis.estimation import Design, Estimate
from welfare_analysis.needs import computed, indicators
from welfare_analysis.results.descriptive import HEADLINES, blank_of, estimate, inside
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, StandIn, generate

FAMILIES = (
    *(f"{name}_total" for name in HEADLINES),
    *("crowded_by_rank", "crowded_by_command", "crowded_by_status"),
    *("cost_burdened_by_rank", "cost_burdened_by_command", "cost_burdened_by_status", "over_debt_limit_by_status"),
    *("tenure_by_rank", "debt_class_by_rank", "capacity_median_by_rank"),
    *("rent_median_by_command", "commute_minutes_by_command", "commute_mode_by_rank"),
)
WORLD, FIRST_SEED = "world", 10_000
KEYS = ["version", "method", "headline"]


def with_conditions(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the frame with its indicators, as the pages use them."""
    return computed(indicators(frame))


def headline_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The headline conditions (booleans, missing where they cannot be computed) of a frame of answers."""
    return with_conditions(frame)[list(HEADLINES)]


def true_levels(truth: pd.DataFrame) -> pd.Series:
    """Shares of the headline conditions in a population whose answers are all known."""
    return headline_frame(truth).astype("Float64").mean().astype(float)


def plan(folder: Path = DATA) -> pd.DataFrame:
    """Published tables whose error is measured, as in ``release.csv``, with the policy's least base and respondents."""
    tables = pd.read_csv(folder / "release.csv", keep_default_na=False).set_index("id").loc[[*HEADLINES, *FAMILIES]]
    rules = pd.read_csv(folder / "policy.csv").set_index("rule")["value"].astype(float)
    return tables.assign(least_base=rules["min_base"], least_respondents=rules["min_respondents"])


def estimated(design: Design, frame: pd.DataFrame, table: pd.Series) -> Estimate:
    """Estimate of a table of the plan, as the pages make it."""
    return estimate(
        design, frame, blank_of({"id": str(table.name), **table[["statistic", "variables", "by", "where", "unit"]]})
    )


def true_values(frame: pd.DataFrame, table: pd.Series) -> pd.Series:
    """What a table of the plan would show if everybody's answers were known; indexed by cell, without estimators."""
    part = frame[inside(frame, table["where"])]
    values = part[table["variables"]]
    columns = {"": values}
    if isinstance(values.dtype, pd.CategoricalDtype):
        columns = {str(level): values.eq(level).where(values.notna()) for level in values.cat.categories}
    of = {"share": "mean", "mean": "mean", "total": "sum"}.get(table["statistic"], lambda v: v.quantile(0.5, "lower"))
    found: dict[str, float] = {}
    for category, column in columns.items():
        known = column.dropna().astype(float)
        groups = part.loc[known.index, table["by"]].astype(str) if table["by"] else pd.Series("", known.index)
        found |= {cell(category, group): value for group, value in known.groupby(groups).agg(of).items()}
    return pd.Series(found, dtype=float)


def cell(*labels: object) -> str:
    """Name of a cell: its category and group, as far as it has them."""
    return "|".join(str(label) for label in labels if str(label))


def measured(study: Study, frame: pd.DataFrame, table: pd.Series, truth: pd.Series) -> pd.DataFrame:
    """Truth, estimate, standard error and coverage of each cell that the pages would print.

    A cell is printed from ``least_base`` respondents on, a share with ``least_respondents`` who have it and who do not.
    """
    estimate = estimated(study.design, frame, table)
    n = estimate.counts["n"].to_numpy()
    printed = n >= table["least_base"]
    if table["statistic"] == "share":
        having = estimated(Design(np.ones(len(frame))), frame, table).value.to_numpy() * n
        printed &= np.minimum(having, n - having).round() >= table["least_respondents"]
    names = [cell(*(key if isinstance(key, tuple) else [key])) if table["by"] else "" for key in estimate.value.index]
    bounds, known = estimate.interval().to_numpy(), truth.reindex(names).to_numpy()
    columns = {
        "cell": names,
        "truth": known,
        "estimate": estimate.value.to_numpy(),
        "se": estimate.se.to_numpy(),
        "covered": (bounds[:, 0] <= known) & (known <= bounds[:, 1]),
        "n": n,
    }
    return pd.DataFrame(columns)[printed]


def one_sample(
    version: str, seed: int, codebook: Codebook, parameters: Parameters, tables: pd.DataFrame, size: int | None = None
) -> pd.DataFrame:
    """Errors and coverage of the published tables in one generated collection; of the headlines without follow-up too.

    Parameters
    ----------
    version : {"plain", "rich", "strategic"}
    seed : int
    codebook, parameters : as read
    tables : DataFrame
        Of `plan`.
    size : int, optional
        Number of people; as many as the parameters say if absent.

    Returns
    -------
    DataFrame
        A row a method, table and cell: truth, estimate, se, covered, n.
    """
    return pd.concat(_methods(generate(parameters, seed, version, size), seed, codebook, tables), ignore_index=True)


def _methods(world: StandIn, seed: int, codebook: Codebook, tables: pd.DataFrame) -> Iterator[pd.DataFrame]:
    answers, register, followup, truth = (
        typed(f, codebook) for f in (world.answers, world.register, world.followup, world.truth)
    )
    everybody = with_conditions(Study.of(truth, None, None, codebook).frame)
    known = {name: true_values(everybody, table) for name, table in tables.iterrows()}
    headlines = tables[tables.index.isin(HEADLINES)]
    for method, second, shown in (("two_phase", followup, tables), ("returners", None, headlines)):
        study = Study.of(answers, register, second, codebook)
        frame = with_conditions(study.frame)
        for name, table in shown.iterrows():
            found = measured(study, frame, table, known[name])
            yield found.assign(version=world.version, method=method, headline=name, seed=seed)


def summarise(samples: pd.DataFrame) -> pd.DataFrame:
    """Error and coverage of each table by version and method, headlines first.

    Returns
    -------
    DataFrame
        Truth, mean error (``bias``; for a table of several cells the mean of their absolute values), spread of the
        error, mean standard error, the part of the 95 % intervals that cover, the number of samples and of cells, and
        the coverage of the worst cell. Cells that fewer than half of the samples print are left out.
    """
    errors = samples.assign(error=samples["estimate"] - samples["truth"], covered=samples["covered"].astype(float))
    drawn = errors.groupby(KEYS, sort=False)["seed"].nunique().rename("samples")
    by_cell = errors.groupby([*KEYS, "cell"], sort=False).agg(
        truth=("truth", "mean"),
        bias=("error", "mean"),
        spread=("error", "std"),
        mean_se=("se", "mean"),
        coverage=("covered", "mean"),
        hits=("covered", "sum"),
        times=("seed", "size"),
    )
    kept = by_cell[by_cell["times"] >= drawn.reindex(by_cell.index.droplevel("cell")).to_numpy() / 2]
    tables = kept.groupby(KEYS, sort=False)
    out = tables[["truth", "bias", "spread", "mean_se"]].mean()
    several = tables.size() > 1
    out["bias"] = out["bias"].where(~several, kept["bias"].abs().groupby(KEYS, sort=False).mean())
    out["coverage"] = tables["hits"].sum() / tables["times"].sum()
    out = out.join(drawn).assign(cells=tables.size(), worst_coverage=tables["coverage"].min()).reset_index()
    return out.sort_values("headline", key=lambda names: ~names.isin(HEADLINES), kind="stable", ignore_index=True)


@cache
def read() -> tuple[Codebook, Parameters, pd.DataFrame]:
    """What all samples share: codebook, parameters and the plan."""
    return Codebook.read(DATA / "codebook"), Parameters.read(DATA / "public"), plan()


def one(kind: str, seed: int) -> pd.DataFrame:
    """A sample of a version, or a world whose assumptions are drawn."""
    book, parameters, tables = read()
    if kind == WORLD:
        return one_world(FIRST_SEED + seed, parameters)  # no seed of a version
    return one_sample(kind, seed, book, parameters, tables)


def one_world(seed: int, parameters: Parameters) -> pd.DataFrame:
    """True headline shares, one row, of a stand-in population whose assumptions are drawn from their ranges."""
    drawn = parameters.draw(np.random.default_rng(seed))
    return true_levels(generate(drawn, seed).truth).to_frame().T


def reach(worlds: pd.DataFrame) -> pd.DataFrame:
    """Central 95 % and standard deviation of each headline over worlds."""
    bounds = worlds.quantile([0.025, 0.975]).T.set_axis(["low", "high"], axis=1)
    return bounds.assign(sd=worlds.std(), worlds=len(worlds)).rename_axis("headline").reset_index()
