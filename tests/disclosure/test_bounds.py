"""What lines that cross tell about hidden cells, beside every filling that fits them."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from welfare_analysis.disclosure import Policy
from welfare_analysis.disclosure.bounds import ranges, tight
from welfare_analysis.disclosure.suppression import completed
from welfare_analysis.errors import WelfareError

RULES = Policy(10, 30, 50, 0.9, 0.1, 5, 0.1, 0.5, (("totals", 10.0),))


def fillings(table: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Every filling of hidden cells with whole numbers that keeps sums of rows and columns (fillings x cells)."""
    rows, columns = (np.where(hidden, table, 0).sum(axis=a) for a in (1, 0))
    at = [tuple(place) for place in np.argwhere(hidden)]
    found = []

    def fill(k: int, left: list[int], down: list[int], values: list[int]) -> None:
        if k == len(at):
            if not any(left) and not any(down):
                found.append(values)
            return
        i, j = at[k]
        last_of_row, last_of_column = all(a != i for a, _ in at[k + 1 :]), all(b != j for _, b in at[k + 1 :])
        forced = {left[i]} if last_of_row else set(range(min(left[i], down[j]) + 1))
        for value in forced & ({down[j]} if last_of_column else forced):
            if value > min(left[i], down[j]):
                continue
            now, below = left.copy(), down.copy()
            now[i] -= value
            below[j] -= value
            fill(k + 1, now, below, [*values, value])

    fill(0, list(map(int, rows)), list(map(int, columns)), [])
    return np.array(found)


def pattern(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cells of a table of counts that fail by themselves, and all that are hidden."""
    cells = [(i, j, table[i, j], np.nan) for i, j in product(*map(range, table.shape))]
    frame = pd.DataFrame(cells, columns=["a", "b", "n", "numerator"]).astype({"n": float})
    primary = frame["n"].to_numpy() < RULES.min_base
    return primary.reshape(table.shape), completed(frame, ["a", "b"], RULES, primary).reshape(table.shape)


def test_ranges_are_those_of_every_filling():
    """Two lines that cross, and one more: by enumeration."""
    table = np.array([[4, 7, 50], [6, 3, 9], [60, 8, 2]])
    hidden = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]], dtype=bool)
    place = np.argwhere(hidden)
    lines = sparse.csr_array(
        np.vstack([*(place[:, 0] == i for i in range(3)), *(place[:, 1] == j for j in range(3))]).astype(float)
    )
    sums = lines @ table[hidden]
    zeros = np.zeros(len(place))
    every = fillings(table, hidden)
    made = ranges(lines, (sums, sums), (zeros, zeros + np.inf), range(len(place)))
    assert np.allclose(made, np.column_stack([every.min(axis=0), every.max(axis=0)]))


def test_a_cell_that_follows_from_several_lines_takes_more_along():
    """The first row and the last less the second and the last column leave one cell of 9 persons."""
    table = np.array([[48, 27, 9, 43], [28, 392, 113, 281], [38, 298, 171, 394], [151, 44, 259, 13]])
    primary, hidden = pattern(table)
    lines = [
        *(hidden & (np.arange(4)[:, None] == i) for i in range(4)),
        *(hidden & (np.arange(4) == j) for j in range(4)),
    ]
    matrix = np.array([line[hidden] for line in lines], dtype=float)
    for cell in np.flatnonzero(primary[hidden]):
        goal = np.zeros(hidden.sum())
        goal[cell] = 1.0
        assert np.linalg.lstsq(matrix.T, goal)[1].sum() > 1e-6 or np.linalg.matrix_rank(
            np.vstack([matrix, goal])
        ) > np.linalg.matrix_rank(matrix)


def test_random_tables_leave_enough_open():
    """Tables of 3 x 3 with small cells: in the fillings that fit, each primary cell is open by five on both sides."""
    rng = np.random.default_rng(5)
    hidden_any = 0
    for _ in range(60):
        table = np.where(rng.random((3, 3)) < 0.4, rng.integers(0, 30, (3, 3)), rng.integers(30, 60, (3, 3)))
        primary, hidden = pattern(table)
        if not primary.any() or hidden.sum() > 6:
            continue
        hidden_any += 1
        every = fillings(table, hidden)
        own = primary[hidden]
        value = table[hidden][own]
        assert (every.min(axis=0)[own] <= np.maximum(value - 5, 0)).all()
        assert (every.max(axis=0)[own] >= value + 5).all()
    assert hidden_any > 8


def test_what_is_open_is_judged_on_both_sides():
    """A cell of 100 needs ten on each side; below nobody nothing is open; above the base neither."""
    found = np.array([[89.0, 111], [91, 120], [0, 8], [0, 12]])
    within = np.array([[0, np.inf], [0, np.inf], [0, np.inf], [0, 12]])
    assert list(tight(np.array([100.0, 100, 4, 9]), within, found)) == [False, True, True, False]


def test_what_nothing_bounds_is_endless():
    """Of two cells whose difference is known each may be anything from it on."""
    line = sparse.csr_array(np.array([[1.0, -1.0]]))
    found = ranges(line, (np.array([3.0]),) * 2, (np.zeros(2), np.full(2, np.inf)), [0, 1])
    assert found.tolist() == [[3.0, np.inf], [0.0, np.inf]]


def test_no_more_is_asked_where_enough_is_open():
    """A range that reaches what is enough is not sought further; one that does not is sought to its end."""
    line = sparse.csr_array(np.ones((1, 3)))
    bounds = (np.array([30.0]),) * 2, (np.zeros(3), np.array([20.0, 20.0, 4.0]))
    assert ranges(line, *bounds, [0, 2]).tolist() == [[6.0, 20.0], [0.0, 4.0]]
    enough = np.array([[12.0, 13.0], [-1.0, 9.0]])
    found = ranges(line, *bounds, [0, 2], enough)
    assert found[1].tolist() == [0.0, 4.0]
    assert 6 <= found[0, 0] <= 12
    assert 13 <= found[0, 1] <= 20


def test_what_contradicts_itself_is_an_error():
    """A sum above what its cells can hold."""
    line = sparse.csr_array(np.ones((1, 2)))
    with pytest.raises(WelfareError, match="contradicts itself"):
        ranges(line, (np.array([30.0]), np.array([30.0])), (np.zeros(2), np.full(2, 10.0)), [0])
