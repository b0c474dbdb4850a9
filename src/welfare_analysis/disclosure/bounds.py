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

TOLERANCE = 1e-6  # of respondents, and of what a solver finds


def ranges(
    lines: sparse.csr_array,
    sums: tuple[np.ndarray, np.ndarray],
    cells: tuple[np.ndarray, np.ndarray],
    wanted: Sequence[int],
    enough: np.ndarray | None = None,
) -> np.ndarray:
    """Smallest and largest value of some cells (wanted x 2).

    Every solution is a table that fits all that is known, for the other cells too. Where it is only asked whether a
    cell reaches ``enough``, few of them need programs of their own.

    Parameters
    ----------
    lines : sparse (lines x cells)
        What is added up in each line.
    sums, cells : (low, high)
        Bounds of the sums (lines,) and of the cells (cells,); infinite where nothing is known.
    wanted : sequence of int
        Cells.
    enough : (wanted, 2) array, optional
        Values beyond which nothing more is asked: a range that reaches one may end there or further out.

    Raises
    ------
    WelfareError
        No values fit all that is known.
    """
    within, limits, found = LinearConstraint(lines, *sums), Bounds(*cells), np.tile([np.inf, -np.inf], (len(wanted), 1))
    for row, cell in enumerate(wanted):
        for column, sign in enumerate((1.0, -1.0)):
            if enough is not None and sign * (found[row, column] - enough[row, column]) <= 0:
                continue
            goal = np.zeros(lines.shape[1])
            goal[cell] = sign
            solved = milp(goal, bounds=limits, constraints=within)  # no whole numbers are asked: a linear program
            if solved.status not in (0, 3):
                raise WelfareError(
                    "what is known contradicts itself", where="bounds of a hidden cell", got=solved.message
                )
            if solved.status == 3:
                found[row, column] = -sign * np.inf
            else:
                found[:, 0] = np.fmin(found[:, 0], solved.x[wanted])
                found[:, 1] = np.fmax(found[:, 1], solved.x[wanted])
    return found


def reach(values: np.ndarray, within: np.ndarray, size: np.ndarray | None = None) -> np.ndarray:
    """Between which values (k, 2) each cell must stay possible; see `tight`."""
    open_ = np.maximum(policy().open_respondents, policy().open_share * (values if size is None else size))
    return np.column_stack([np.maximum(values - open_, within[:, 0]), np.minimum(values + open_, within[:, 1])])


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
    low, high = reach(values, within, size).T
    return (found[:, 0] > low + TOLERANCE) | (found[:, 1] < high - TOLERANCE)
