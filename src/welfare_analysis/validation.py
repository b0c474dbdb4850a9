"""Simulations on the stand-in population, whose truth is known: error, coverage, and what assumptions alone decide."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from .estimation import share
from .needs import indicators
from .study import DATA, Study
from .survey.codebook import Codebook
from .survey.reading import typed
from .survey.standin import Parameters, generate

HEADLINES = ("tenant", "crowded", "cost_burdened", "over_debt_limit", "commute_long")
VERSIONS = {"plain": 60, "rich": 30, "strategic": 30}
WORLDS = 60


def headline_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The headline conditions (booleans, missing where they cannot be computed) of a frame of answers."""
    ready = indicators(frame)
    tenant = (ready["tenure"] == "tenant").astype("boolean").where(ready["tenure"].notna())
    return ready.assign(tenant=tenant)[list(HEADLINES)]


def true_levels(truth: pd.DataFrame) -> pd.Series:
    """Shares of the headline conditions in a population whose answers are all known."""
    return headline_frame(truth).astype("Float64").mean().astype(float)


def one_sample(version: str, seed: int, codebook: Codebook, parameters: Parameters) -> Iterator[dict]:
    """Errors and coverage of the headline shares in one generated collection, with and without the follow-up."""
    world = generate(parameters, seed, version)
    truth = true_levels(world.truth)
    answers, register, followup = (typed(f, codebook) for f in (world.answers, world.register, world.followup))
    for method, second in (("two_phase", followup), ("returners", None)):
        study = Study.of(answers, register, second, codebook)
        found = headline_frame(study.frame)
        for name in HEADLINES:
            estimate = share(study.design, found[name])
            bounds = estimate.interval().iloc[0]
            yield {
                "version": version,
                "method": method,
                "headline": name,
                "seed": seed,
                "truth": truth[name],
                "estimate": estimate.value.iloc[0],
                "se": estimate.se.iloc[0],
                "covered": bool(bounds["low"] <= truth[name] <= bounds["high"]),
            }


def summarise(samples: pd.DataFrame) -> pd.DataFrame:
    """Mean truth, mean error, its spread, the mean standard error, and the share of 95 % intervals that cover."""
    errors = samples.assign(error=samples["estimate"] - samples["truth"])
    grouped = errors.groupby(["version", "method", "headline"], sort=False)
    return grouped.agg(
        truth=("truth", "mean"),
        bias=("error", "mean"),
        spread=("error", "std"),
        mean_se=("se", "mean"),
        coverage=("covered", "mean"),
        samples=("seed", "size"),
    ).reset_index()


def one_world(seed: int, parameters: Parameters) -> dict:
    """True headline shares of a stand-in population whose assumptions are drawn from their ranges."""
    drawn = parameters.draw(np.random.default_rng(seed))
    return true_levels(generate(drawn, seed).truth).to_dict()


def main(folder: Path = DATA / "survey") -> None:
    """Run all and store ``validation.csv`` and ``assumptions.csv``."""
    codebook, parameters = Codebook.read(DATA / "codebook"), Parameters.read(DATA / "public")
    jobs = [(version, 10_000 + seed) for version, count in VERSIONS.items() for seed in range(count)]
    run = Parallel(n_jobs=-1)
    rows = run(delayed(lambda v, s: list(one_sample(v, s, codebook, parameters)))(v, s) for v, s in jobs)
    samples = pd.DataFrame([row for part in rows for row in part])
    summarise(samples).round(6).to_csv(folder / "validation.csv", index=False)
    worlds = pd.DataFrame(run(delayed(one_world)(20_000 + seed, parameters) for seed in range(WORLDS)))
    spread = worlds.quantile([0.025, 0.975]).T.set_axis(["low", "high"], axis=1)
    spread = spread.assign(sd=worlds.std(), worlds=WORLDS).rename_axis("headline").reset_index()
    spread.round(6).to_csv(folder / "assumptions.csv", index=False)
