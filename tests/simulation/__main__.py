"""The long simulations of estimators and of demand, each written whole or not at all.

``python tests/simulation [jobs]``: as many processes as there are cores, or as said. Designs, statistics and models go
to data/reference/coverage.csv, the demand for homes to data/survey/demand_validation.csv, that for loans to
data/survey/loan_validation.csv, that for transport to data/survey/transport_validation.csv.
"""

from __future__ import annotations

import sys

import coverage_grid
import coverage_models
import demand_errors
import loan_errors
import pandas as pd
import transport_errors
from joblib import Parallel, delayed
from storing import ROOT, SOURCE, folder, write

from welfare_analysis.validation import stored

CHUNK, CHUNKS = 250, 8
HERE = ROOT / "tests" / "simulation"
RECOVERY = ROOT / "tests" / "estimation" / "choice" / "test_choice_recovery.py"
ESTIMATION = [SOURCE / "estimation", HERE / "coverage_grid.py", HERE / "coverage_models.py", RECOVERY]
DEMAND = [SOURCE / name for name in ("estimation", "survey", "needs", "demand", "study.py")]


def chunk(part: str, name: str, number: int) -> pd.DataFrame:
    """Samples of a design or a model: those of one chunk."""
    one = coverage_grid.one_sample if part == "statistics" else coverage_models.one_sample
    return pd.concat([one(name, seed) for seed in range(number * CHUNK, (number + 1) * CHUNK)], ignore_index=True)


def coverage(jobs: int) -> pd.DataFrame:
    """How often intervals hold the truth, by design and statistic, and by model."""
    place = folder("coverage", [*ESTIMATION, ROOT / "data" / "reliability.csv"])
    names = [("statistics", d) for d in coverage_grid.DESIGNS] + [("models", m) for m in coverage_models.MODELS]
    work = [(part, name, number) for number in range(CHUNKS) for part, name in names]
    parts = Parallel(n_jobs=jobs)(
        delayed(stored)(place / f"{part}-{name}-{number}.parquet", chunk, part, name, number)
        for part, name, number in work
    )
    tables = []
    for part, name in names:
        rows = pd.concat([r for w, r in zip(work, parts, strict=True) if w[:2] == (part, name)], ignore_index=True)
        summary = coverage_grid.summarised(rows) if part == "statistics" else coverage_models.summarised(rows)
        tables.append(summary.assign(part=part, design=name))
    whole = pd.concat(tables, ignore_index=True)
    first = ["part", "design", "statistic", "outcome", "samples"]
    return whole[[*first, *(c for c in whole if c not in first)]]


def demand(jobs: int) -> pd.DataFrame:
    """Errors of the demand for homes in each version of the stand-in."""
    place = folder("demand", [*DEMAND, HERE / "demand_errors.py", *sorted((ROOT / "data" / "public").glob("*.csv"))])
    work = [(v, demand_errors.FIRST_SEED + i) for v, n in demand_errors.VERSIONS.items() for i in range(n)]
    parts = Parallel(n_jobs=jobs)(
        delayed(stored)(place / f"{version}-{seed}.parquet", demand_errors.one_sample, version, seed)
        for version, seed in work
    )
    return demand_errors.summarised(pd.concat(parts, ignore_index=True))


def loans(jobs: int) -> pd.DataFrame:
    """Errors of the files and the volume of loans in each version of the stand-in."""
    code = [HERE / f"{name}_errors.py" for name in ("demand", "loan")]
    place = folder("loans", [*DEMAND, *code, *sorted((ROOT / "data" / "public").glob("*.csv"))])
    work = [(v, loan_errors.FIRST_SEED + i) for v, n in loan_errors.VERSIONS.items() for i in range(n)]
    parts = Parallel(n_jobs=jobs)(
        delayed(stored)(place / f"{version}-{seed}.parquet", loan_errors.one_sample, version, seed)
        for version, seed in work
    )
    whole = loan_errors.summarised(pd.concat(parts, ignore_index=True))
    return whole.drop(columns="terms").assign(persons=loan_errors.SIZE)


def transport(jobs: int) -> pd.DataFrame:
    """Errors of the demand for transport in each version of the stand-in."""
    code = [HERE / "transport_errors.py", *sorted((ROOT / "data" / "public").glob("*.csv"))]
    place = folder("transport", [*DEMAND, *code])
    work = [(v, transport_errors.FIRST_SEED + i) for v, n in transport_errors.VERSIONS.items() for i in range(n)]
    parts = Parallel(n_jobs=jobs)(
        delayed(stored)(place / f"{version}-{seed}.parquet", transport_errors.one_sample, version, seed)
        for version, seed in work
    )
    return transport_errors.summarised(pd.concat(parts, ignore_index=True))


def main(jobs: int = -1) -> None:
    """Run what is not in the cache, and store the tables."""
    write(coverage(jobs), ROOT / "data" / "reference" / "coverage.csv")
    write(demand(jobs), ROOT / "data" / "survey" / "demand_validation.csv")
    write(loans(jobs), ROOT / "data" / "survey" / "loan_validation.csv")
    write(transport(jobs), ROOT / "data" / "survey" / "transport_validation.csv")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
