r"""What sums and shown cells tell about hidden ones: the smallest and largest values that a cell may have.

An attacker knows that hidden cells x are within bounds and that lines of them add up,

.. math:: l \le x \le u, \qquad b^- \le A x \le b^+,

and solves two linear programs for each cell. Where cells stand in at most two crossing lines A is totally unimodular:
whole numbers tell no more than the program does (Hoffman & Kruskal 1956).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from ..errors import WelfareError
from .policy import policy


def ranges(
    lines: sparse.csr_array,
    sums: tuple[np.ndarray, np.ndarray],
    cells: tuple[np.ndarray, np.ndarray],
    wanted: Sequence[int],
) -> np.ndarray:
    """Smallest and largest value of some cells (wanted x 2).

    Parameters
    ----------
    lines : sparse (lines x cells)
        What is added up in each line.
    sums, cells : (low, high)
        Bounds of the sums (lines,) and of the cells (cells,); infinite where nothing is known.
    wanted : sequence of int
        Cells.

    Raises
    ------
    WelfareError
        No values fit all that is known.
    """
    within, limits, found = LinearConstraint(lines, *sums), Bounds(*cells), np.empty((len(wanted), 2))
    for row, cell in enumerate(wanted):
        for column, sign in enumerate((1.0, -1.0)):
            goal = np.zeros(lines.shape[1])
            goal[cell] = sign
            solved = milp(goal, bounds=limits, constraints=within)  # no whole numbers are asked: a linear program
            if solved.status not in (0, 3):
                raise WelfareError(
                    "what is known contradicts itself", where="bounds of a hidden cell", got=solved.message
                )
            found[row, column] = sign * solved.fun if solved.status == 0 else -sign * np.inf
    return found


def tight(values: np.ndarray, within: np.ndarray, found: np.ndarray, size: np.ndarray | None = None) -> np.ndarray:
    """Which cells are known too well: a side on which fewer respondents are open than the policy leaves.

    They are the larger of ``open_respondents`` and ``open_share`` of the cell.

    Parameters
    ----------
    values : (k,) array
        What the cells are, in respondents.
    within : (k, 2) array
        Between what everybody knows them to be, as 0 and the base of the group: nothing is open beyond.
    found : (k, 2) array
        `ranges`.
    size : (k,) array, optional
        What the tenth is of; the values if not given.
    """
    open_ = np.maximum(policy().open_respondents, policy().open_share * (values if size is None else size))
    low, high = np.maximum(values - open_, within[:, 0]), np.minimum(values + open_, within[:, 1])
    return (found[:, 0] > low + 1e-6) | (found[:, 1] < high - 1e-6)
