r"""Weighted sums of deviations by pair of group and domain, in one pass of a compiled kernel.

.. math:: T_p = \sum_{k \in p} w_k (y_k - m_{d(k)})

A deviation that is only the rounding of a constant is none.
"""

from __future__ import annotations

import numpy as np
from numba import njit

CONSTANT = 1e-14  # of a value: a deviation up to it is rounding


@njit(nogil=True, cache=True)
def compiled(
    y: np.ndarray, level: np.ndarray, domain: np.ndarray, weights: np.ndarray, pair: np.ndarray, pairs: int
) -> np.ndarray:
    """Sums (pairs,) of a variable (n,) less the ``level`` of each row's domain, by ``pair`` (n,)."""
    total = np.zeros(pairs)
    for k in range(len(y)):
        gap = y[k] - level[domain[k]]
        if abs(gap) > CONSTANT * abs(y[k]):
            total[pair[k]] += weights[k] * gap
    return total
