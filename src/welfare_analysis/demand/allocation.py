r"""Who gets in when families ask for more places than there are: by lot, by points or in a queue; a draw in public.

A rule puts families into classes, one before the other; within a class a lot decides. With D the persons of each class
and C places, a class has the part

.. math:: f_c = \min\Bigl(1, \max\Bigl(0, \frac{C - \sum_{b < c} D_b}{D_c}\Bigr)\Bigr)

of its persons admitted (`filled`). The list is cut at the first family for whom too few places are left: to go on to
smaller ones behind it would favour them (`admitted`).

**A draw that anybody can repeat** (`drawn`), to the byte. The list is its keys, each once, in the order of their UTF-8
bytes, each followed by one line feed (0x0A); L is its SHA-256 in 64 lower-case hexadecimal digits, published before the
date for which a public number was named that nobody knows yet. The seed S is the SHA-256, in the same digits, of L, a
line feed, the number as it was printed, a line feed. Numbers :math:`x_0, x_1, \dots` are the SHA-256 of S, a line feed,
the index in decimal digits, a line feed, read as an integer of 256 bits, the highest byte first. For i from n - 1 down
to 1, the next number below the largest multiple of i + 1 that is not above :math:`2^{256}` is taken, those at or above
it are left out, and keys i and :math:`j = x \bmod (i + 1)` change places (Fisher and Yates 1938; Durstenfeld 1964,
Communications of the ACM 7, 420). The first key of the result is the first to be served.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import count

import numpy as np

from ..errors import WelfareError

RANGE = 2**256  # of a hash


def filled(demand: np.ndarray, places: float) -> np.ndarray:
    """The part of each class (classes, groups in columns, the first to be served first) that is admitted.

    A class without demand has that of nobody: all, where places are left.
    """
    before = np.cumsum(demand, axis=0) - demand
    left = np.maximum(places - before, 0.0)
    return np.where(left >= demand, 1.0, left / np.where(left < demand, demand, 1.0)) * (left > 0)


def admitted(sizes: np.ndarray, places: float) -> np.ndarray:
    """Which families (n,) of these sizes, in the order in which they are served, find a place for all their persons."""
    return np.asarray(np.cumsum(sizes) <= places)


def canonical(keys: Iterable[str]) -> list[str]:
    """The keys of a list in the order of their bytes.

    Raises
    ------
    WelfareError
        A key that comes twice, is empty, or holds a line feed.
    """
    ordered = sorted(keys, key=str.encode)
    for key, after in zip(ordered, [*ordered[1:], ""], strict=True):
        if not key or "\n" in key or key == after:
            raise WelfareError(
                "not a list to draw from", where="keys", got=repr(key), expected="each once, on one line"
            )
    return ordered


def digest(*lines: str) -> str:
    """SHA-256 of lines, each followed by a line feed, in hexadecimal digits."""
    return sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def published(keys: Iterable[str]) -> str:
    """What is published of a list before the draw: L of this module."""
    return digest(*canonical(keys))


def numbers(seed: str) -> Iterator[int]:
    """The numbers that follow from a seed."""
    return (int(digest(seed, str(i)), 16) for i in count())


def drawn(keys: Iterable[str], number: str) -> list[str]:
    """The keys in the order in which they are served, by a public number as it was printed."""
    order = canonical(keys)
    stream = numbers(digest(digest(*order), number))
    for i in range(len(order) - 1, 0, -1):
        top = RANGE - RANGE % (i + 1)
        j = next(x for x in stream if x < top) % (i + 1)
        order[i], order[j] = order[j], order[i]
    return order
