"""The check of notebooks itself: what must fail does fail, and float noise does not."""

import base64
import os
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
    "number": "print(f'mean {1234 + 1 / 3:,.4f} DH over 76,000 people')",
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
    run_in_place([path], os.environ)
    return nbformat.read(path, as_version=4)


@pytest.fixture
def validate(executed: NotebookNode, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess]:
    """Return a function that tampers with a copy of the notebook and runs the check on it."""

    def run(tamper: Callable[[list[NotebookNode]], object] = len) -> subprocess.CompletedProcess:
        notebook = nbformat.from_dict(executed)
        tamper(notebook.cells)
        folder = tmp_path / "notebooks"
        folder.mkdir()
        nbformat.write(notebook, folder / "00_mini.ipynb")
        shutil.copy(ROOT / "notebooks" / "conftest.py", folder)
        shutil.copy(ROOT / "pyproject.toml", tmp_path)
        command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "--color=no", "notebooks"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)

    return run


def replace(cell: NotebookNode, old: str, new: str) -> None:
    """Change the stored outputs of a cell, and make sure that there was something to change."""
    before = str(cell.outputs)
    for output in cell.outputs:
        if "text" in output:
            output.text = output.text.replace(old, new)
        for kind in output.get("data", {}):
            output.data[kind] = output.data[kind].replace(old, new)
    assert str(cell.outputs) != before


def test_good_notebook_passes_quietly(validate):
    """What was run in this environment passes, without a warning."""
    done = validate()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
    assert "arning" not in done.stdout + done.stderr


def test_float_noise_passes(validate):
    """A difference in the seventh digit of a number is noise, in text and in tables."""

    def tamper(cells):
        replace(cells[NUMBER], "1,234.3333", "1,234.3334")
        replace(cells[TABLE], "0.333333", "0.3333332")

    done = validate(tamper)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("cell", "old", "new"),
    [
        (NUMBER, "1,234.3333", "1,234.3433"),
        (NUMBER, "76,000", "76,001"),
        (NUMBER, "DH", "MAD"),
        (TABLE, "0.666667", "0.676667"),
        (TABLE, "tenant", "owner"),
    ],
)
def test_tampered_text_fails(validate, cell, old, new):
    """A changed number, count, unit or label fails, and only its cell."""
    done = validate(lambda cells: replace(cells[cell], old, new))
    assert done.returncode == 1
    assert "1 failed, 3 passed" in done.stdout


def test_swapped_picture_fails(validate):
    """The picture of another figure fails, although nbval itself does not look at pictures."""

    def tamper(cells):
        cells[FIGURE].outputs[0].data["image/png"] = cells[FIGURE + 1].outputs[0].data["image/png"]

    done = validate(tamper)
    assert done.returncode == 1
    assert "picture 1: differs by" in done.stdout


def test_picture_of_another_size_fails(validate):
    """A picture of another size fails."""
    dot = base64.b64encode(
        bytes.fromhex(
            "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
            "0000000d49444154789c626001000000050001a5f645400000000049454e44ae426082"
        )
    ).decode()
    done = validate(lambda cells: cells[FIGURE].outputs[0].data.update({"image/png": dot}))
    assert done.returncode == 1


def test_changed_alternative_text_fails(validate):
    """The words for those who cannot see the picture are compared, with their numbers."""
    done = validate(lambda cells: cells[FIGURE].outputs[0].metadata["image/png"].update(alt="Two bars, 3 and 4"))
    assert done.returncode == 1
    assert "alternative text" in done.stdout


def test_stripped_notebook_fails(validate):
    """A notebook without outputs and counts fails in every cell."""

    def strip(cells):
        for cell in cells:
            cell.outputs, cell.execution_count = [], None

    done = validate(strip)
    assert done.returncode == 1
    assert "4 failed" in done.stdout


@pytest.mark.parametrize("cell", [NUMBER, FIGURE])
def test_removed_output_fails(validate, cell):
    """A cell that keeps its count but lost its output fails."""
    done = validate(lambda cells: cells[cell].update(outputs=[]))
    assert done.returncode == 1
    assert "1 failed, 3 passed" in done.stdout
