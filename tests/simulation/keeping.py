"""Samples of a long simulation are kept under ``build/cache``: an interrupted run goes on. Its tables are registered.

Both by the hash of what the part of the simulation uses (`welfare_analysis.results.runs`).
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from welfare_analysis.results import runs
from welfare_analysis.study import ROOT

CACHE = ROOT / "build" / "cache"


def key(part: str, root: Path = ROOT) -> str:
    """The hash of what a part uses, here or in another tree."""
    return runs.fingerprint(runs.stored().set_index("part")["made_by"][[part]].iloc[0], root)


def folder(part: str) -> Path:
    """Where the samples of a part are kept."""
    place = CACHE / part / key(part)[:16]
    place.mkdir(parents=True, exist_ok=True)
    return place


def write(table: pd.DataFrame, target: Path) -> None:
    """Store a table whole or not at all."""
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    table.to_csv(partial, index=False, float_format="%.5g")
    partial.replace(target)
    print(target)


def git(*arguments: str) -> bytes:
    """What git answers."""
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=True).stdout


def register(part: str, of_code: str, commit: str, day: str, only: Sequence[str] = (), repeated: str = "") -> None:
    """Say of which code the tables of a part are now, or what is ``only`` of some pages in them.

    ``repeated`` is how many samples that code gave once more, where the commit of the run holds other code.
    """
    table = runs.stored()
    rows = (table["part"] == part) & (table["of"].isin(only) | (len(only) == 0))
    table.loc[rows, ["date", "commit", "hash", "repeated"]] = day, commit, of_code, repeated
    write(table, runs.RUNS)


def ran(part: str, commit: str, day: str, *only: str) -> None:
    """Register a run that was made elsewhere, on a day (2026-11-30): its hash is that of what is in its commit."""
    with tempfile.TemporaryDirectory() as place, tarfile.open(fileobj=io.BytesIO(git("archive", commit))) as tree:
        tree.extractall(place, filter="data")
        register(part, key(part, Path(place)), git("rev-parse", "--short", commit).decode().strip(), day, only)
