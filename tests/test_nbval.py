"""The check of notebooks itself: what must fail does fail, and float noise does not."""

import base64
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from welfare_analysis.publishing.execution import run_in_place

ROOT = Path(__file__).parents[1]
CELLS = {
    "number": "print(f'mean {1234 + 1 / 3:,.4f} DH over 76,000 people.')",
    "table": """from IPython.display import HTML
HTML(f'<table><tr><td>owner {1 / 3:.6f}</td><td>tenant {2 / 3:.6f}</td></tr></table>')""",
    "figure": """import io
from matplotlib.figure import Figure
figure = Figure(figsize=(3, 2), dpi=50)
figure.subplots().bar(['a', 'b'], [3, 5])
figure.savefig(file := io.BytesIO(), format='png')
from IPython.display import display
data = {'image/png': file.getvalue(), 'text/plain': 'bars'}
display(data, raw=True, metadata={'image/png': {'alt': 'Two bars, 3 and 5'}})""",
}
NUMBER, TABLE, FIGURE = range(3)
OTHER = CELLS["figure"].replace("[3, 5]", "[5, 1]")


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    """Return a notebook with a number, a table and two different figures, run once."""
    path = tmp_path_factory.mktemp("mini") / "00_mini.ipynb"
    cells = [nbformat.v4.new_code_cell(source) for source in [*CELLS.values(), OTHER]]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    run_in_place([path], os.environ, path.parent, print)
    return nbformat.read(path, as_version=4)


def replace(cell: NotebookNode, old: str, new: str) -> None:
    """Change the stored outputs of a cell, and make sure that there was something to change."""
    before = str(cell.outputs)
    for output in cell.outputs:
        if "text" in output:
            output.text = output.text.replace(old, new)
        for kind in output.get("data", {}):
            output.data[kind] = output.data[kind].replace(old, new)
    assert str(cell.outputs) != before


def noise(cells: list[NotebookNode]) -> None:
    """Change the seventh digit of numbers, in text and in a table."""
    replace(cells[NUMBER], "1,234.3333", "1,234.3334")
    replace(cells[TABLE], "0.333333", "0.3333332")


def swap(cells: list[NotebookNode]) -> None:
    """Give a figure the picture of another."""
    cells[FIGURE].outputs[0].data["image/png"] = cells[FIGURE + 1].outputs[0].data["image/png"]


def shrink(cells: list[NotebookNode]) -> None:
    """Give a figure the picture of a dot."""
    dot = base64.b64encode(
        bytes.fromhex(
            "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
            "0000000d49444154789c626001000000050001a5f645400000000049454e44ae426082"
        )
    ).decode()
    cells[FIGURE].outputs[0].data.update({"image/png": dot})


def strip(cells: list[NotebookNode]) -> None:
    """Take all outputs and counts away."""
    for cell in cells:
        cell.outputs, cell.execution_count = [], None


def text(cell: int, old: str, new: str) -> Callable[[list[NotebookNode]], None]:
    """Change a cell's text."""
    return lambda cells: replace(cells[cell], old, new)


ALL = {NUMBER, TABLE, FIGURE, FIGURE + 1}
FAILING: dict[str, tuple[Callable, set[int]]] = {  # what is done to the notebook, and the cells that must fail
    "as it was run": (len, set()),
    "float noise": (noise, set()),
    "a number": (text(NUMBER, "1,234.3333", "1,234.3433"), {NUMBER}),
    "a count": (text(NUMBER, "76,000", "76,001"), {NUMBER}),
    "a unit": (text(NUMBER, "DH", "MAD"), {NUMBER}),
    "a cell of a table": (text(TABLE, "0.666667", "0.676667"), {TABLE}),
    "another version of a simulation": (
        text(NUMBER, "people.", "people (simulations of 24 November 2026, by an earlier version of the program)."),
        set(),
    ),
    "another day of the same version": (text(NUMBER, "people.", "people (simulations of 24 November 2026)."), {NUMBER}),
    "a label": (text(TABLE, "tenant", "owner"), {TABLE}),
    "a swapped picture": (swap, {FIGURE}),
    "a picture of another size": (shrink, {FIGURE}),
    "an alternative text": (
        lambda cells: cells[FIGURE].outputs[0].metadata["image/png"].update(alt="Two bars, 3 and 4"),
        {FIGURE},
    ),
    "a stripped notebook": (strip, ALL),
    "a removed number": (lambda cells: cells[NUMBER].update(outputs=[]), {NUMBER}),
    "a removed picture": (lambda cells: cells[FIGURE].update(outputs=[]), {FIGURE}),
}


@pytest.fixture(scope="module")
def checked(executed: NotebookNode, tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess:
    """Return what the check says of a notebook that holds the cells as they are and tampered with in each way."""
    root = tmp_path_factory.mktemp("tampered")
    (root / "notebooks").mkdir()
    cells = []
    for tamper, _ in FAILING.values():
        part = nbformat.from_dict(executed)
        tamper(part.cells)
        cells += [cell | {"id": f"cell-{len(cells) + number}"} for number, cell in enumerate(part.cells)]
    nbformat.write(nbformat.from_dict(executed | {"cells": cells}), root / "notebooks" / "00_mini.ipynb")
    shutil.copy(ROOT / "notebooks" / "conftest.py", root / "notebooks")
    shutil.copy(ROOT / "pyproject.toml", root)
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "--color=no", "-rA", "notebooks"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("name", FAILING)
def test_what_must_fail_fails(checked, name):
    """A changed number, count, unit, label, picture or text fails, and only its cell; noise does not."""
    assert checked.returncode == 1, checked.stdout + checked.stderr
    told = re.findall(r"^(PASSED|FAILED) notebooks/00_mini\.ipynb::Cell (\d+)", checked.stdout, re.MULTILINE)
    states = {int(cell): state for state, cell in told}
    assert set(states) == set(range(len(FAILING) * len(ALL)))
    first = list(FAILING).index(name) * len(ALL)
    assert {cell for cell in ALL if states[first + cell] == "FAILED"} == FAILING[name][1]


def test_the_reason_is_told(checked):
    """What differs is said, and nothing else warns."""
    assert "picture 1: differs by" in checked.stdout
    assert "alternative text" in checked.stdout
    assert "arning" not in checked.stdout + checked.stderr
