"""What every study releases, recorded before a restructuring and compared after it.

``python tests/snapshot compare``
    Makes everything again and compares it with what is stored: code 0 if nothing differs, else 1. About ten minutes on
    two cores; ``--tables-only`` leaves out the pages, ``--study NAME`` (again for more) takes some studies only,
    ``--only PREFIX`` takes tables and pages whose name begins so, ``--jobs 1`` leaves a core free.
``python tests/snapshot write --reason "..."``
    Stores what is released now, with the reason in ``written.csv``; asked for as soon as anything is stored.

Stored are ``STUDY.parquet`` (a row a cell of every table of the catalogue) and ``texts.parquet`` (what the pages say in
each language). A difference that is intended is listed in ``changes.csv``: study, table, keys, kind (changed, removed,
added, text), reason. The first three may be patterns as in file names; of a difference of a whole table the keys are
``(table)``, of a text the table is ``language/page`` and the keys are the fragment. A line that lists no difference is
stale and fails too. After `write` the lines that it settled go, and ``settled.csv`` says by table what the last
one changed.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

# neither the shell's variables nor its folder decide what is made: this repository's code, one thread, no own files
HERE = Path(__file__).resolve().parent
for variable in (
    "SURVEY",
    "REGISTER",
    "FOLLOWUP",
    "RECHECK",
    "CODEBOOK",
    "MAP",
    "AGREEMENTS",
    "LISTENING",
    "LANGUAGE_OF_REPORT",
):
    os.environ.pop(variable, None)
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
sys.path[:0] = [str(HERE.parents[1] / "src"), str(HERE)]

import comparison  # noqa: E402 - what follows reads the variables
import storing  # noqa: E402
from making import Made, make  # noqa: E402
from surveys import STUDIES  # noqa: E402


def write(made: list[Made], scope: storing.Scope, reason: str) -> int:
    """Store what was made in place of what was stored under the same names."""
    for study, tables, texts in made:
        storing.store(study, tables, texts, scope.only)
    storing.settle(scope, reason)
    print("stored in", HERE)
    return 0


def compare(made: list[Made], scope: storing.Scope) -> int:
    """Print what differs from what is stored and was not listed, and what was listed and does not differ."""
    found: list[comparison.Difference] = []
    for study, tables, texts in made:
        found += comparison.tables(study, storing.tables(study, scope.only), tables)
        if texts is not None:
            found += comparison.texts(study, storing.texts(study, scope.only), texts)
    unlisted, stale = comparison.judged(found, scope.lines())
    for difference in unlisted:
        print(difference)
    for line in stale.to_dict("records"):
        print("stale    changes.csv lists what does not differ:", ", ".join(map(str, line.values())))
    print(f"{len(found)} differences, {len(unlisted)} of them not listed; {len(stale)} stale lines in changes.csv")
    return 1 if unlisted or len(stale) else 0


def main() -> int:
    """Read the command, make everything, and write or compare it."""
    parser = argparse.ArgumentParser(prog="python tests/snapshot", description=__doc__.partition("\n")[0])
    parser.add_argument("command", choices=("write", "compare"))
    parser.add_argument("--study", action="append", choices=STUDIES)
    parser.add_argument("--tables-only", action="store_true")
    parser.add_argument("--only", default="", metavar="PREFIX")
    parser.add_argument("--reason", default="")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    scope = storing.Scope(tuple(asked.study or STUDIES), asked.tables_only, asked.only)
    if asked.command == "write" and not asked.reason.strip() and storing.stored(scope.studies):
        parser.error("something is stored already: say why it is replaced, with --reason")
    # a process for each study: what is stored of one, and the cells' own `Study.open`, must not reach the next
    with ProcessPoolExecutor(asked.jobs, get_context("spawn"), max_tasks_per_child=1) as pool:
        jobs = [pool.submit(make, study, scope.only, scope.tables_only) for study in scope.studies]
        made = [job.result() for job in jobs]
    if all(tables.empty and (texts is None or texts.empty) for _, tables, texts in made):
        parser.error(f"no table and no page begins with {asked.only!r}")
    return write(made, scope, asked.reason or "the first record") if asked.command == "write" else compare(made, scope)


if __name__ == "__main__":
    sys.exit(main())
