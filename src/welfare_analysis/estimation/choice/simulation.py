r"""Draws of a mixed logit, and choices as the differences in which they are simulated.

Draws are points of one scrambled Sobol net of N = 2**m points (Owen 1995), moved for each person by a digital shift of
her own in each dimension (L'Ecuyer and Lemieux 2002): each point is uniform, each person's points keep the balance of
the net, and the errors of persons are independent given the net. Points are linear in their number over binary digits,
so the shift of their first m digits is one of the number, :math:`r \mapsto r \oplus t_{uk}`: the normals of any person
are read off one table in another order, and never stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy

from ...errors import WelfareError
from .data import Cases

FEWEST = 128


@dataclass(frozen=True, eq=False)
class Draws:
    """Standard normals for U units in K dimensions.

    Attributes
    ----------
    net : (K, N) array
        Normals of the scrambled net.
    shift : (U, K) array
        Draw r of unit u in dimension k is ``net[k, r ^ shift[u, k]]``.
    given : (U, K, R) array
        Normals that the caller supplied, in place of the net; empty otherwise.
    """

    net: np.ndarray
    shift: np.ndarray
    given: np.ndarray = field(default_factory=lambda: np.empty((0, 0, 0)))

    def __len__(self) -> int:
        """Units."""
        return len(self.shift)

    @property
    def count(self) -> int:
        """Draws a unit."""
        return self.given.shape[2] if len(self.given) else self.net.shape[1]

    def normals(self) -> np.ndarray:
        """All draws (U, K, R)."""
        if len(self.given):
            return self.given
        K, N = self.net.shape
        return self.net[np.arange(K)[:, None], np.arange(N) ^ self.shift[:, :, None]]

    def of(self, units: np.ndarray) -> Draws:
        """The draws of some units."""
        return Draws(self.net, self.shift[units], self.given[units] if len(self.given) else self.given)

    def mirrored(self, signs: np.ndarray) -> Draws:
        """The draws times signs (K,)."""
        given = self.given * signs[:, None] if len(self.given) else self.given
        return Draws(self.net * signs[:, None], self.shift, given)


@dataclass(frozen=True, eq=False)
class Panel:
    """Choices of U units as differences to the chosen alternative.

    Attributes
    ----------
    x : (D, p) array
        Attributes of each alternative that was not chosen, less those of the chosen: the K random ones first.
    rows : (C + 1,) array
        Where the differences of each case begin; ``cases`` (U + 1,) where the cases of each unit begin.
    units : (U,) array
        Row of the design of each unit.
    log : (K,) array of bool
        Whether a random coefficient is lognormal.
    """

    x: np.ndarray
    rows: np.ndarray
    cases: np.ndarray
    units: np.ndarray
    log: np.ndarray
    draws: Draws


def net(K: int, count: int, n: int, rng: np.random.Generator) -> Draws:
    """Scrambled Sobol draws for ``n`` units.

    Raises
    ------
    WelfareError
        A number of draws that is not a power of two: the net would lose its balance.
    """
    if count < FEWEST or count & (count - 1):
        expected = f"a power of two, at least {FEWEST}"
        raise WelfareError("the number of draws makes no net", where="draws", got=count, expected=expected)
    points = scipy.stats.qmc.Sobol(K, scramble=True, rng=rng).random_base2(count.bit_length() - 1)
    inside = points.T + 0.5**31  # the points are multiples of 2**-30, and 0 is one of them
    return Draws(scipy.special.ndtri(inside), rng.integers(0, count, (n, K)))


def supplied(normals: np.ndarray, K: int, n: int) -> Draws:
    """Draws (n, K, R) of the caller, one person a row of the design."""
    normals = np.asarray(normals, dtype=float)
    if normals.ndim != 3 or normals.shape[:2] != (n, K) or not np.isfinite(normals).all():
        expected = f"finite numbers of shape ({n}, {K}, draws): rows of the design, random coefficients"
        raise WelfareError("they are not normals a person", where="normals", got=normals.shape, expected=expected)
    return Draws(np.empty((K, 0)), np.zeros((n, K), dtype=np.int64), np.ascontiguousarray(normals))


def differences(cases: Cases, random: np.ndarray, log: np.ndarray, draws: Draws) -> Panel:
    """Cases sorted by person; ``random`` (K,) are the columns with random coefficients, ``draws`` are a row's each."""
    by_person = np.argsort(cases.person, kind="stable")
    rank = np.empty_like(by_person)
    rank[by_person] = np.arange(len(by_person))
    other = np.ones(len(cases.case), dtype=bool)
    other[cases.chosen] = False
    rows = np.flatnonzero(other)
    rows = rows[np.argsort(rank[cases.case[rows]], kind="stable")]
    chosen = cases.chosen[cases.case[rows]]
    order = np.concatenate([random, np.setdiff1d(np.arange(cases.x.shape[1]), random)])
    units, first = np.unique(cases.person[by_person], return_index=True)
    return Panel(
        cases.x[rows][:, order] - cases.x[chosen][:, order],
        np.concatenate([[0], np.cumsum(cases.sizes[by_person] - 1)]),
        np.append(first, len(by_person)),
        units,
        log,
        draws.of(units),
    )
