"""Samples of a long simulation are kept under ``build/cache``: an interrupted run goes on. Its tables are registered.

Both by the hash of what the part of the simulation uses (`welfare_analysis.results.runs`).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from welfare_analysis.results import runs
from welfare_analysis.study import ROOT

CACHE = ROOT / "build" / "cache"


def key(part: str) -> str:
    """The hash of what a part uses."""
    return runs.fingerprint(runs.stored().set_index("part")["made_by"][[part]].iloc[0])


def folder(part: str) -> Path:
    """Where the samples of a part are kept."""
    place = CACHE / part / key(part)[:16]
    place.mkdir(parents=True, exist_ok=True)
    return place


def stored(path: Path, make: Callable[..., pd.DataFrame], *arguments: object) -> pd.DataFrame:
    """Read what was computed before; or compute it, and write it whole or not at all."""
    if not path.is_file():
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        make(*arguments).to_parquet(partial, index=False)
        partial.replace(path)
    return pd.read_parquet(path)


def write(table: pd.DataFrame, target: Path) -> None:
    """Store a table whole or not at all."""
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    table.to_csv(partial, index=False, float_format="%.5g")
    partial.replace(target)
    print(target)


def git(*arguments: str) -> bytes:
    """What git answers."""
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=True).stdout


def register(part: str, of_code: str, commit: str, day: str, repeated: str = "") -> None:
    """Say of which code the tables of a part are now.

    ``repeated`` is how many samples that code gave once more, where the commit of the run holds other code.
    """
    table = runs.stored()
    table.loc[table["part"] == part, ["date", "commit", "hash", "repeated"]] = day, commit, of_code, repeated
    write(table, runs.RUNS)
