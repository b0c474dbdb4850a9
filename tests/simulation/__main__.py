"""The long simulations of estimators and of demand (`parts`), their tables each written whole or not at all.

``make validate``, or ``make validate PART="recovery sizes"`` for some: as many processes as there are cores, or as JOBS
says. What is done is kept: MINUTES=45 begins no sample after that time, and the same command goes on. SAMPLES=20 makes
no more than that of each kind, KIND=whole only those of some kinds (with commas): for a look, which is not stored.
Which tables a part makes stands in ``data/runs.csv``, and there the day, the commit and the hash of the code are put
down.

``python tests/simulation again PART 12`` makes as many samples of the last run once more with the code of today. Where
they are equal to nine digits the run is of this version too, and its line says that samples were repeated.
"""

from __future__ import annotations

import io
import os
import random
import sys
import time
from datetime import date

import disclosure_attacks
import pandas as pd
from joblib import Parallel, delayed
from keeping import CACHE, folder, git, key, register, stored, write
from parts import PARTS, Samples
from summaries import ROOT

from welfare_analysis.results import runs

KILLED = 0.9  # of mutants of the library, at least


def samples(name: str) -> tuple[Samples, bool]:
    """The samples of a part that are wanted, those of before from the cache, and whether they are all there."""
    part, place = PARTS[name], folder(name)
    end = time.time() + 60 * float(os.environ.get("MINUTES", "inf"))
    most, kinds = int(os.environ.get("SAMPLES", 10**9)), os.environ.get("KIND", "").split(",")
    many = {kind: min(n, most) for kind, n in part.samples.items() if kind in kinds or kinds == [""]}
    work = sorted((i / n, kind, part.first + i) for kind, n in many.items() for i in range(n))  # of each kind alike

    def one(kind: str, number: int) -> pd.DataFrame | None:
        path = place / f"{kind}-{number}.parquet"
        return stored(path, part.one, kind, number) if path.is_file() or time.time() < end else None

    made = Parallel(n_jobs=int(os.environ.get("JOBS", -1)))(delayed(one)(kind, n) for _, kind, n in work)
    found = {(kind, n): rows for (_, kind, n), rows in zip(work, made, strict=True) if rows is not None}
    ordered = {(kind, n): found[kind, n] for kind in many for n in sorted(n for k, n in found if k == kind)}
    return ordered, len(found) == len(work)


def main(*names: str) -> None:
    """Run what is not in the cache, of all parts or of some, store the tables, and register of which code they are."""
    if unknown := set(names) - set(PARTS):
        sys.exit(f"No such part: {', '.join(sorted(unknown))}. The parts are {', '.join(PARTS)}.")
    for name in names or PARTS:
        of_code, commit = key(name), git("describe", "--always", "--dirty", "--exclude=*").decode().strip()
        found, whole = samples(name)
        if not (whole or PARTS[name].open):
            sys.exit(f"{name} is not done. What is done of it is kept: the same command goes on.")
        tables = PARTS[name].tables(found)
        if {"SAMPLES", "KIND"} & set(os.environ) and not PARTS[name].open:
            print(*(table.to_string(index=False) for table in tables), sep="\n\n")
            judge(tables[0])
            continue
        for target, table in zip(runs.stored().query("part == @name")["table"], tables, strict=True):
            write(table, ROOT / "data" / target)
        register(name, of_code, commit, date.today().isoformat())
        judge(tables[0])


def again(name: str, many: str = "12") -> None:
    """Register that the code of today gives samples of the last run once more, drawn by the hash of this code."""
    last = max((CACHE / name).iterdir(), key=lambda place: place.stat().st_mtime)
    paths = random.Random(key(name)).sample(sorted(last.glob("*.parquet")), int(many))
    which = [path.stem.rpartition("-") for path in paths]
    one, jobs = PARTS[name].one, int(os.environ.get("JOBS", -1))
    made = Parallel(n_jobs=jobs)(delayed(one)(kind, int(number)) for kind, _, number in which)
    for path, rows in zip(paths, made, strict=True):
        kept = pd.read_parquet(io.BytesIO(rows.to_parquet()))  # what is missing is written in one way only in a file
        try:
            pd.testing.assert_frame_equal(kept, pd.read_parquet(path), check_dtype=False, rtol=1e-9, atol=1e-12)
        except AssertionError as error:
            sys.exit(f"{path.stem} is another sample now, so the run is of an earlier version.\n{error}")
    run = runs.stored().query("part == @name").iloc[0]
    register(name, key(name), run["commit"], run["date"], repeated=many)


def judge(table: pd.DataFrame) -> None:
    """End with what a table shows to be wrong."""
    if "first_wrong" in table and table["wrong"].any():
        sys.exit(f"Read wrong:\n{table[table['wrong'] > 0].to_string(index=False)}")
    if "recovered" in table and not table["recovered"].all():
        sys.exit(f"Not shown to be recovered:\n{table[~table['recovered']].to_string(index=False)}")
    if "against_a_rule" in table and (lost := table.filter(items=disclosure_attacks.FAULTS)).to_numpy().any():
        sys.exit(f"Releases give cells away:\n{lost.to_string(index=False)}")
    if "killed_by" in table and (found := (table["outcome"] == "killed").mean()) < KILLED:
        sys.exit(f"Tests find {found:.1%} of {len(table)} mutants, and should find {KILLED:.0%}.")


if __name__ == "__main__":
    again(*sys.argv[2:]) if sys.argv[1:2] == ["again"] else main(*sys.argv[1:])
