"""Columns side by side: NumPy and SciPy let other threads run while they sum, so that each core takes some columns.

Each column is summed by one thread in the order of its rows, so the result does not depend on how many there are.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

T = TypeVar("T")
MANY = 1_000_000  # numbers from which it pays to wake the threads


def each(one: Callable[[int], T], columns: int, rows: int) -> list[T]:
    """``one(j)`` of each column j, which may not use `each` itself, in order."""
    if columns < 2 or columns * rows < MANY:
        return [one(j) for j in range(columns)]
    count = os.cpu_count() or 1
    parts = [range(i, columns, count) for i in range(count)]
    results = list(_pool().map(lambda part: [one(j) for j in part], parts))
    return [results[j % count][j // count] for j in range(columns)]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="columns")
