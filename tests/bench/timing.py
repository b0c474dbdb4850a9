"""One comparison: what we run, what a peer runs, and how many times faster we mean to be."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

REPEATS, ENOUGH, SLOW = 5, 2.0, 5.0  # runs; seconds in all; seconds of one


@dataclass(frozen=True)
class Case:
    """A task: ``ours`` and ``peers`` are callables without arguments (None: not run here).

    ``goals`` says, for each peer, how many times its time ours should be at least. A peer may be a bar in seconds.
    """

    name: str
    ours: Callable[[], object]
    peers: Mapping[str, Callable[[], object] | float | None] = field(default_factory=dict)
    goals: Mapping[str, float] = field(default_factory=dict)


def seconds(task: Callable[[], object]) -> float:
    """Least time of several runs after one that warms up; slow tasks run once.

    The least, for what else the machine does only adds time; a short task runs often enough to meet a quiet moment.
    """
    begin = time.perf_counter()
    task()
    first = time.perf_counter() - begin
    found = [first] if first >= SLOW else []
    while len(found) < (REPEATS if first < SLOW else 1) or sum(found) < ENOUGH:
        begin = time.perf_counter()
        task()
        found.append(time.perf_counter() - begin)
    return min(found)


def measured(case: Case) -> list[dict]:
    """One row for us and one for each peer: seconds, the ratio to ours, the goal."""
    own = seconds(case.ours)
    rows = [{"case": case.name, "who": "ours", "seconds": own, "ratio": 1.0, "goal": "", "note": ""}]
    for who, task in case.peers.items():
        row = {"case": case.name, "who": who, "seconds": float("nan"), "ratio": float("nan")}
        row |= {"goal": case.goals.get(who, ""), "note": "not run here"}
        if task is not None:
            taken = task if isinstance(task, float) else seconds(task)
            row |= {"seconds": taken, "ratio": taken / own, "note": ""}
        rows.append(row)
    return rows
