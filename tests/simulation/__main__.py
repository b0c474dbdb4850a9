"""The long simulations of estimators and of demand, each written whole or not at all.

``make validate``, or ``make validate PART="recovery sizes"`` for some of `PARTS`: as many processes as there are cores,
or as JOBS says. What is done is kept: MINUTES=45 stops a part after that time, and the same command goes on. Which
tables a part makes stands in ``data/runs.csv``, and there the day, the commit and the hash of the code are put down.

``python tests/simulation ran PART COMMIT DAY [PAGE ...]`` registers a run that was made in another tree: its tables are
put in place by hand, its hash is that of what the commit holds.

``python tests/simulation again PART 12`` makes as many samples of the last run once more with the code of today. Where
they are equal to nine digits the run is of this version too, and its line says that samples were repeated.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from _thread import interrupt_main
from collections.abc import Callable
from datetime import date
from functools import partial
from types import ModuleType

import coverage_grid
import coverage_models
import demand_errors
import disclosure_attacks
import headline_errors
import independence_size
import loan_errors
import mutants_read
import pandas as pd
import recovery
import reliability_rules
import transport_errors
from headline_errors import stored
from joblib import Parallel, delayed
from keeping import CACHE, folder, git, key, ran, register, write
from summaries import ROOT, summarised

from welfare_analysis.results import runs
from welfare_analysis.study import DATA
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.standin import Parameters

CHUNK, CHUNKS = 250, 8
ERRORS = {"demand": (demand_errors, []), "loan": (loan_errors, []), "transport": (transport_errors, [])}


def headlines(jobs: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Error and coverage of what the pages print, and what assumptions alone decide."""
    counts = headline_errors.VERSIONS, headline_errors.WORLDS
    samples, worlds = headline_errors.run(*counts, folder("headlines"), n_jobs=jobs)
    return headline_errors.summarise(samples), headline_errors.reach(worlds)


def chunk(part: str, name: str, number: int) -> pd.DataFrame:
    """Samples of a design or a model: those of one chunk."""
    one = coverage_grid.one_sample if part == "statistics" else coverage_models.one_sample
    return pd.concat([one(name, seed) for seed in range(number * CHUNK, (number + 1) * CHUNK)], ignore_index=True)


def coverage(jobs: int) -> pd.DataFrame:
    """How often intervals hold the truth, by design and statistic, and by model."""
    place = folder("coverage")
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
    place = folder("sizes")
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
    place = folder(name)
    work = [(v, module.FIRST_SEED + i) for v, n in module.VERSIONS.items() for i in range(n)]
    parts = Parallel(n_jobs=jobs)(
        delayed(stored)(place / f"{version}-{seed}.parquet", module.one_sample, version, seed) for version, seed in work
    )
    return summarised(pd.concat(parts, ignore_index=True), keys).assign(persons=module.SIZE)


def reading(jobs: int) -> pd.DataFrame:
    """How mutants of good files are read: of each kind 500, or as many as MUTANTS says."""
    place = folder("reading")
    chunks = int(os.environ.get("MUTANTS", mutants_read.EACH)) // mutants_read.CHUNK
    parts = Parallel(n_jobs=jobs)(
        delayed(stored)(place / f"{kind}-{seed}.parquet", mutants_read.one_chunk, kind, seed)
        for seed in range(7, 7 + chunks)
        for kind in mutants_read.KINDS
    )
    return mutants_read.summarised(pd.concat(parts, ignore_index=True))


def some_pages() -> list[str]:
    """The pages that PAGES names; empty for all."""
    return [page for page in os.environ.get("PAGES", "").split(",") if page]


def recovered(jobs: int) -> pd.DataFrame:
    """Whether each step of the funnels is recovered, where the model is right.

    PAGES=homes runs the steps of one page (or several, with commas): what is stored of earlier runs is then kept.
    """
    pages, place = some_pages() or list(recovery.LAST), folder("recovery")
    seeds = range(recovery.FIRST_SEED, recovery.FIRST_SEED + int(os.environ.get("SAMPLES", recovery.SAMPLES)))
    parts = Parallel(n_jobs=jobs)(
        delayed(stored)(place / f"{'-'.join(pages)}-{seed}.parquet", recovery.one_sample, seed, recovery.SIZE, pages)
        for seed in seeds
    )
    table = recovery.judged(pd.concat(parts, ignore_index=True))
    before = pd.read_csv(ROOT / "data" / "survey" / "recovery.csv")
    again = before["page"].isin(pages) & before["interval"].eq(recovery.INTERVAL)
    return table if set(pages) == set(recovery.LAST) else pd.concat([before[~again], table], ignore_index=True)


def attacked(jobs: int) -> pd.DataFrame:
    """What attacks find in many releases, with how many were run.

    Of each kind as many as there are, or as RELEASES says; those of a kind KIND alone. Releases come in an order in
    which the first few are of all sizes, so that a run of more goes on from a run of less. MINUTES is when no other is
    begun.
    """
    place = folder("attacks")
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
    return disclosure_attacks.summarised(pd.concat(parts, ignore_index=True))


# what makes the tables of each part, in the order of data/runs.csv
PARTS: dict[str, Callable[[int], pd.DataFrame | tuple[pd.DataFrame, ...]]] = {
    "headlines": headlines,
    "reading": reading,
    "coverage": coverage,
    "sizes": sizes,
    **{name: partial(demand, name, module, ["version", *keys, "number"]) for name, (module, keys) in ERRORS.items()},
    "recovery": recovered,
    "attacks": attacked,
}


def main(*names: str) -> None:
    """Run what is not in the cache, of all parts or of some, store the tables, and register of which code they are."""
    if unknown := set(names) - set(PARTS):
        sys.exit(f"No such part: {', '.join(sorted(unknown))}. The parts are {', '.join(PARTS)}.")
    minutes = float(os.environ.get("MINUTES", 0))
    for name in names or PARTS:
        of_code, commit = key(name), git("describe", "--always", "--dirty", "--exclude=*").decode().strip()
        clock = threading.Timer(60 * minutes, interrupt_main)
        if minutes and name != "attacks":  # which stores what it had time for
            signal.signal(signal.SIGINT, signal.default_int_handler)  # which a run in the background ignores
            clock.start()
        try:
            made = PARTS[name](int(os.environ.get("JOBS", -1)))
        except KeyboardInterrupt:
            sys.exit(f"{name} is not done. What is done of it is kept: the same command goes on.")
        finally:
            clock.cancel()
        targets = dict.fromkeys(runs.stored().query("part == @name")["table"])
        for target, table in zip(targets, made if isinstance(made, tuple) else (made,), strict=True):
            write(table, ROOT / "data" / target)
        register(name, of_code, commit, date.today().isoformat(), some_pages() if name == "recovery" else ())
        judge(table)


def anew(part: str, sample: str) -> pd.DataFrame:
    """A sample of a run by the code of today, by the name of its file."""
    kind, seed = sample.rsplit("-", 1)
    if part in ERRORS:
        return ERRORS[part][0].one_sample(kind, int(seed))
    parameters = Parameters.read(DATA / "public")
    if kind == "world":
        return headline_errors.one_world(int(seed), parameters)
    book, tables = Codebook.read(DATA / "codebook"), headline_errors.plan()
    return headline_errors.one_sample(kind, int(seed), book, parameters, tables)


def again(part: str, many: str = "12") -> None:
    """Register that the code of today gives samples of the last run once more, drawn by the hash of this code."""
    if part not in ("headlines", *ERRORS):
        sys.exit(f"Samples of {part} are not made one by one. Those of {', '.join(['headlines', *ERRORS])} are.")
    last = max((CACHE / part).iterdir(), key=lambda place: place.stat().st_mtime)
    drawn = random.Random(key(part)).sample(sorted(last.rglob("*.parquet")), int(many))
    made = Parallel(n_jobs=int(os.environ.get("JOBS", -1)))(delayed(anew)(part, path.stem) for path in drawn)
    for path, sample in zip(drawn, made, strict=True):
        try:
            pd.testing.assert_frame_equal(sample, pd.read_parquet(path), check_dtype=False, rtol=1e-9, atol=1e-12)
        except AssertionError as error:
            sys.exit(f"{path.stem} is another sample now, so the run is of an earlier version.\n{error}")
    run = runs.stored().query("part == @part").iloc[0]
    register(part, key(part), run["commit"], run["date"], repeated=many)


def judge(table: pd.DataFrame) -> None:
    """End with what a table shows to be wrong."""
    if "first_wrong" in table and table["wrong"].any():
        sys.exit(f"Read wrong:\n{table[table['wrong'] > 0].to_string(index=False)}")
    if "recovered" in table and not table["recovered"].all():
        sys.exit(f"Not shown to be recovered:\n{table[~table['recovered']].to_string(index=False)}")
    if "against_a_rule" in table and (lost := table.filter(items=disclosure_attacks.FAULTS)).to_numpy().any():
        sys.exit(f"Releases give cells away:\n{lost.to_string(index=False)}")


if __name__ == "__main__":
    does = {"ran": ran, "again": again}.get(sys.argv[1] if sys.argv[1:] else "")
    does(*sys.argv[2:]) if does else main(*sys.argv[1:])
