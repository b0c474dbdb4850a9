"""The long simulations of estimators and of demand, each written whole or not at all.

``make validate``, or ``python tests/simulation [part ...]`` for some of `PARTS`: as many processes as there are cores,
or as JOBS says. Designs, statistics and models go
to data/reference/coverage.csv, the size of the test of independence to data/reference/independence_size.csv, the demand
for homes to data/survey/demand_validation.csv, that for loans to data/survey/loan_validation.csv, that for transport to
data/survey/transport_validation.csv; whether the funnels are recovered where the model is right to
data/survey/recovery.csv; what attacks find in many releases to data/survey/attacks.csv; how ten thousand mutants of
good files are read to data/reference/mutants.csv.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from types import ModuleType

import coverage_grid
import coverage_models
import demand_errors
import disclosure_attacks
import independence_size
import loan_errors
import mutants_read
import pandas as pd
import recovery
import reliability_rules
import transport_errors
from headline_errors import stored
from joblib import Parallel, delayed
from summaries import ROOT, SOURCE, folder, summarised, write

CHUNK, CHUNKS = 250, 8
HERE = ROOT / "tests" / "simulation"
RECOVERY = ROOT / "tests" / "estimation" / "choice" / "test_choice_recovery.py"
ESTIMATION = [SOURCE / "estimation", HERE / "coverage_grid.py", HERE / "coverage_models.py", RECOVERY]
ERRORS = {"demand": (demand_errors, []), "loan": (loan_errors, []), "transport": (transport_errors, [])}
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
    amounts = whole[(whole["part"] == "statistics") & ~whole["statistic"].str.startswith("share")]
    makers = {design: make.__name__ for design, (make, _) in coverage_grid.DESIGNS.items()}
    print(reliability_rules.judged(amounts.assign(world=amounts["design"].map(makers))).to_string())
    first = ["part", "design", "statistic", "outcome", "samples"]
    return whole[[*first, *(c for c in whole if c not in first)]]


def sizes(jobs: int) -> pd.DataFrame:
    """How often the test of independence rejects a true hypothesis, by table and sample."""
    place = folder("sizes", [SOURCE / "estimation", HERE / "independence_size.py"])
    steps = [
        (cell, number * CHUNK, (number + 1) * CHUNK) for number in range(CHUNKS) for cell in independence_size.CELLS
    ]
    parts = Parallel(n_jobs=jobs)(
        delayed(stored)(place / f"{cell}-{first}.parquet", independence_size.chunk, cell, first, last)
        for cell, first, last in steps
    )
    whole = pd.concat([p.assign(cell=cell) for p, (cell, *_) in zip(parts, steps, strict=True)])
    return pd.DataFrame([independence_size.summarised(cell, p) for cell, p in whole.groupby("cell", sort=False)])


def demand(name: str, module: ModuleType, keys: list[str], jobs: int) -> pd.DataFrame:
    """Errors of the demand for homes, loans or transport in each version of the stand-in."""
    code = {HERE / "demand_errors.py", HERE / f"{name}_errors.py"}
    place = folder(name, [*DEMAND, *code, *sorted((ROOT / "data" / "public").glob("*.csv"))])
    work = [(v, module.FIRST_SEED + i) for v, n in module.VERSIONS.items() for i in range(n)]
    parts = Parallel(n_jobs=jobs)(
        delayed(stored)(place / f"{version}-{seed}.parquet", module.one_sample, version, seed) for version, seed in work
    )
    return summarised(pd.concat(parts, ignore_index=True), keys).assign(persons=module.SIZE)


def reading(jobs: int) -> pd.DataFrame:
    """How mutants of good files are read: of each kind 500, or as many as MUTANTS says."""
    place = folder("reading", [SOURCE / "survey", HERE / "mutants_read.py", ROOT / "tests" / "survey" / "mutants.py"])
    chunks = int(os.environ.get("MUTANTS", mutants_read.EACH)) // mutants_read.CHUNK
    parts = Parallel(n_jobs=jobs)(
        delayed(stored)(place / f"{kind}-{seed}.parquet", mutants_read.one_chunk, kind, seed)
        for seed in range(7, 7 + chunks)
        for kind in mutants_read.KINDS
    )
    return mutants_read.summarised(pd.concat(parts, ignore_index=True))


def recovered(jobs: int) -> pd.DataFrame:
    """Whether each step of the funnels is recovered, where the model is right.

    PAGES=homes runs the steps of one page (or several, with commas): what is stored of earlier runs is then kept.
    """
    pages = os.environ.get("PAGES", ",".join(recovery.LAST)).split(",")
    modules = [HERE / f"{name}.py" for name in ("recovery", "demand_errors", "loan_errors", "transport_errors")]
    place = folder("recovery", [*DEMAND, *modules, *sorted((ROOT / "data" / "public").glob("*.csv"))])
    seeds = range(recovery.FIRST_SEED, recovery.FIRST_SEED + int(os.environ.get("SAMPLES", recovery.SAMPLES)))
    parts = Parallel(n_jobs=jobs)(
        delayed(stored)(place / f"{'-'.join(pages)}-{seed}.parquet", recovery.one_sample, seed, recovery.SIZE, pages)
        for seed in seeds
    )
    table = recovery.judged(pd.concat(parts, ignore_index=True)).assign(run=date.today().isoformat())
    before = pd.read_csv(ROOT / "data" / PARTS["recovery"][1])
    again = before["page"].isin(pages) & before["interval"].eq(recovery.INTERVAL)
    return table if set(pages) == set(recovery.LAST) else pd.concat([before[~again], table], ignore_index=True)


def attacked(jobs: int) -> pd.DataFrame:
    """What attacks find in many releases, with how many were run, when and of which commit.

    Of each kind as many as there are, or as RELEASES says; those of a kind KIND alone. Releases come in an order in
    which the first few are of all sizes, so that a run of more goes on from a run of less. MINUTES is when no other is
    begun.
    """
    place = folder("attacks", [SOURCE, HERE / "disclosure_attacks.py", ROOT / "tests" / "attacker.py"])
    kinds = os.environ.get("KIND", ",".join(disclosure_attacks.RELEASES)).split(",")
    many = {k: min(disclosure_attacks.RELEASES[k], int(os.environ.get("RELEASES", 10**6))) for k in kinds}
    work = [(kind, number) for kind, n in many.items() for number in disclosure_attacks.spread(kind)[:n]]
    end = time.monotonic() + 60 * float(os.environ.get("MINUTES", "inf"))

    def one(kind: str, number: int) -> pd.DataFrame | None:
        path = place / f"{kind}-{number}.parquet"
        if not path.is_file() and time.monotonic() > end:
            return None
        return stored(path, disclosure_attacks.one_release, kind, number)

    parts = [p for p in Parallel(n_jobs=jobs)(delayed(one)(*each) for each in work) if p is not None]
    table = disclosure_attacks.summarised(pd.concat(parts, ignore_index=True))
    head = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]
    commit = subprocess.run(head, capture_output=True, text=True).stdout.strip()
    return table.assign(run=date.today().isoformat(), commit=os.environ.get("COMMIT", commit))


# what each part gives, and where it is stored
PARTS: dict[str, tuple[Callable[[int], pd.DataFrame], str]] = {
    "reading": (reading, "reference/mutants.csv"),
    "coverage": (coverage, "reference/coverage.csv"),
    "sizes": (sizes, "reference/independence_size.csv"),
    **{
        name: (partial(demand, name, module, ["version", *keys, "number"]), f"survey/{name}_validation.csv")
        for name, (module, keys) in ERRORS.items()
    },
    "recovery": (recovered, "survey/recovery.csv"),
    "attacks": (attacked, "survey/attacks.csv"),
}


def main(*names: str) -> None:
    """Run what is not in the cache, of all parts or of some, and store the tables."""
    if unknown := set(names) - set(PARTS):
        sys.exit(f"No such part: {', '.join(sorted(unknown))}. The parts are {', '.join(PARTS)}.")
    for name in names or PARTS:
        make, target = PARTS[name]
        table = make(int(os.environ.get("JOBS", -1)))
        write(table, ROOT / "data" / target)
        if "first_wrong" in table and table["wrong"].any():
            sys.exit(f"Read wrong:\n{table[table['wrong'] > 0].to_string(index=False)}")
        if "recovered" in table and not table["recovered"].all():
            sys.exit(f"Not shown to be recovered:\n{table[~table['recovered']].to_string(index=False)}")
        if "against_a_rule" in table and (lost := table.filter(items=disclosure_attacks.FAULTS)).to_numpy().any():
            sys.exit(f"Releases give cells away:\n{lost.to_string(index=False)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
