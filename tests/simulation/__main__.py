"""Coverage of statistics and models, written to data/reference/coverage.csv whole or not at all.

``python tests/simulation [jobs]``: as many processes as there are cores, or as said.
"""

from __future__ import annotations

import os
import sys

import coverage_grid
import coverage_models
import pandas as pd
from joblib import Parallel, delayed
from storing import CACHE, ROOT, fingerprint

from welfare_analysis.validation import stored

CHUNK, CHUNKS = 250, 8
TARGET = ROOT / "data" / "reference" / "coverage.csv"


def chunk(part: str, name: str, number: int) -> pd.DataFrame:
    """Samples of a design or a model: those of one chunk."""
    one = coverage_grid.one_sample if part == "statistics" else coverage_models.one_sample
    return pd.concat([one(name, seed) for seed in range(number * CHUNK, (number + 1) * CHUNK)], ignore_index=True)


def main(jobs: int = -1) -> None:
    """Run what is not in the cache, and store the table."""
    folder = CACHE / fingerprint()
    folder.mkdir(parents=True, exist_ok=True)
    names = [("statistics", d) for d in coverage_grid.DESIGNS] + [("models", m) for m in coverage_models.MODELS]
    work = [(part, name, number) for number in range(CHUNKS) for part, name in names]
    parts = Parallel(n_jobs=jobs)(
        delayed(stored)(folder / f"{part}-{name}-{number}.parquet", chunk, part, name, number)
        for part, name, number in work
    )
    tables = []
    for part, name in names:
        rows = pd.concat([r for w, r in zip(work, parts, strict=True) if w[:2] == (part, name)], ignore_index=True)
        summary = coverage_grid.summarised(rows) if part == "statistics" else coverage_models.summarised(rows)
        tables.append(summary.assign(part=part, design=name))
    whole = pd.concat(tables, ignore_index=True)
    first = ["part", "design", "statistic", "outcome", "samples"]
    partial = TARGET.with_name(f"{TARGET.name}.{os.getpid()}.partial")
    whole[[*first, *(c for c in whole if c not in first)]].to_csv(partial, index=False, float_format="%.5g")
    partial.replace(TARGET)
    print(TARGET)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
