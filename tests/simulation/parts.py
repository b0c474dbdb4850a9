"""The long simulations: how many samples of each kind, what makes one, and the tables that they make together.

How many are drawn stands here alone, so that a run of more goes on from a run of less: what makes a sample is hashed,
its number is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import coverage_grid
import coverage_models
import demand_errors
import disclosure_attacks
import headline_errors
import independence_size
import loan_errors
import mutants_read
import mutation
import pandas as pd
import recheck_errors
import recovery
import reliability_rules
import transport_errors
from summaries import summarised

Samples = dict[tuple[str, int], pd.DataFrame]  # by kind and number
CHUNK = 250  # samples of an estimator in a file
VERSIONS = {"plain": 32, "rich": 16, "strategic": 16}


@dataclass(frozen=True)
class Part:
    """A simulation: ``samples`` of each kind, numbered from ``first`` on, each made by ``one(kind, number)``.

    ``tables`` makes of all samples those of ``data/runs.csv``, in its order. A part that is ``open`` stores what it had
    time for; of others no table is stored until all is done.
    """

    samples: dict[str, int]
    one: Callable[[str, int], pd.DataFrame]
    tables: Callable[[Samples], tuple[pd.DataFrame, ...]]
    first: int = 0
    open: bool = False


def together(samples: Samples, *kinds: str) -> pd.DataFrame:
    """The rows of all samples, or of those of some kinds."""
    return pd.concat([rows for (kind, _), rows in samples.items() if kind in (kinds or kind)], ignore_index=True)


def headlines(samples: Samples) -> tuple[pd.DataFrame, ...]:
    """Error and coverage of what the pages print, and what assumptions alone decide."""
    worlds = together(samples, headline_errors.WORLD)
    return headline_errors.summarise(together(samples, *VERSIONS)), headline_errors.reach(worlds)


def chunk_of_intervals(kind: str, number: int) -> pd.DataFrame:
    """Samples of a design or a model (``statistics clusters_15``, ``models tobit``): those of one chunk."""
    part, name = kind.split()
    one = coverage_grid.one_sample if part == "statistics" else coverage_models.one_sample
    return pd.concat([one(name, seed) for seed in range(number * CHUNK, (number + 1) * CHUNK)], ignore_index=True)


def coverage(samples: Samples) -> tuple[pd.DataFrame]:
    """How often intervals hold the truth, by design and statistic, and by model."""
    tables = []
    for kind in dict.fromkeys(kind for kind, _ in samples):
        part, name = kind.split()
        summary = coverage_grid.summarised if part == "statistics" else coverage_models.summarised
        tables.append(summary(together(samples, kind)).assign(part=part, design=name))
    whole = pd.concat(tables, ignore_index=True)
    amounts = whole[(whole["part"] == "statistics") & ~whole["statistic"].str.startswith("share")]
    makers = {design: make.__name__ for design, (make, _) in coverage_grid.DESIGNS.items()}
    print(reliability_rules.judged(amounts.assign(world=amounts["design"].map(makers))).to_string())
    first = ["part", "design", "statistic", "outcome", "samples"]
    return (whole[[*first, *(c for c in whole if c not in first)]],)


def chunk_of_tests(cell: str, number: int) -> pd.DataFrame:
    """The p of the samples of one chunk."""
    return independence_size.chunk(cell, number * CHUNK, (number + 1) * CHUNK)


def sizes(samples: Samples) -> tuple[pd.DataFrame]:
    """How often the test of independence rejects a true hypothesis, by table and sample."""
    cells = dict.fromkeys(kind for kind, _ in samples)
    return (pd.DataFrame([independence_size.summarised(cell, together(samples, cell)) for cell in cells]),)


def reading(samples: Samples) -> tuple[pd.DataFrame]:
    """How mutants of good files are read."""
    return (mutants_read.summarised(together(samples)),)


def errors_of(module: ModuleType, *keys: str, versions: dict[str, int] = VERSIONS) -> Part:
    """Errors of the demand for homes, loans or transport, or with a recheck, in each version of the stand-in."""

    def tables(samples: Samples) -> tuple[pd.DataFrame]:
        keyed = ["version", *keys, "number"]
        return (summarised(together(samples), keyed).assign(persons=module.SIZE),)

    return Part(versions, module.one_sample, tables, module.FIRST_SEED)


def recovered(samples: Samples) -> tuple[pd.DataFrame]:
    """Whether each step of the funnels is recovered, where the model is right."""
    return (recovery.judged(together(samples)),)


def attacked(samples: Samples) -> tuple[pd.DataFrame]:
    """What attacks find in many releases, with how many were run."""
    return (disclosure_attacks.summarised(together(samples)),)


def drawn(kind: str, number: int) -> pd.DataFrame:
    """A release in the order in which any first few are of all sizes."""
    return disclosure_attacks.one_release(kind, disclosure_attacks.spread(kind)[number])


def changes(samples: Samples) -> tuple[pd.DataFrame]:
    """The mutants of the library in the order in which they were drawn, and which tests found each."""
    return (together(samples),)


INTERVALS = [f"statistics {name}" for name in coverage_grid.DESIGNS]
INTERVALS += [f"models {name}" for name in coverage_models.MODELS]
PARTS = {
    "headlines": Part(
        {"plain": 160, "rich": 54, "strategic": 54, headline_errors.WORLD: 80},
        headline_errors.one,
        headlines,
        headline_errors.FIRST_SEED,
    ),
    "reading": Part(dict.fromkeys(mutants_read.KINDS, 8), mutants_read.one_chunk, reading, 7),
    "coverage": Part(dict.fromkeys(INTERVALS, 8), chunk_of_intervals, coverage),
    "sizes": Part(dict.fromkeys(independence_size.CELLS, 8), chunk_of_tests, sizes),
    "demand": errors_of(demand_errors),
    "loan": errors_of(loan_errors),
    "transport": errors_of(transport_errors),
    "recheck": errors_of(recheck_errors, versions={"plain": 32, "rich": 100, "strategic": 16}),
    "recovery": Part({"plain": 640}, lambda kind, seed: recovery.one_sample(seed), recovered, recovery.FIRST_SEED),
    "attacks": Part(disclosure_attacks.RELEASES, drawn, attacked, open=True),
    "mutation": Part(mutation.DRAWN, mutation.one, changes, open=True),
}
