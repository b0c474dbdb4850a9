"""Parts of a long simulation, each kept under ``build/cache`` when it is done: an interrupted run goes on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "welfare_analysis"
CACHE = ROOT / "build" / "cache"


def folder(name: str, paths: Sequence[Path]) -> Path:
    """Where the parts of a simulation are kept: named by a hash of all the files that a sample depends on."""
    found = hashlib.sha256()
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*.py"))]
    for path in sorted(files):
        found.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    place = CACHE / name / found.hexdigest()[:16]
    place.mkdir(parents=True, exist_ok=True)
    return place


def summarised(samples: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Truth, mean error, spread, mean standard error and coverage of each number, by version and what else is a key."""
    parts = samples.assign(error=samples["estimate"] - samples["truth"], held=samples["held"].astype(float))
    cells = parts.groupby([*keys], sort=False)
    out = cells.agg(
        samples=("seed", "size"),
        truth=("truth", "mean"),
        error=("error", "mean"),
        spread=("error", "std"),
        mean_se=("se", "mean"),
        coverage=("held", "mean"),
    )
    return out.reset_index()


def write(table: pd.DataFrame, target: Path) -> None:
    """Store a table whole or not at all."""
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    table.to_csv(partial, index=False, float_format="%.5g")
    partial.replace(target)
    print(target)
