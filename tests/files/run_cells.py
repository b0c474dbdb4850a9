"""Runs the cells of pages on a study in this process, without kernels, and gives what a reader would see."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable

import nbformat
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from welfare_analysis.errors import WelfareError
from welfare_analysis.publishing import notebook
from welfare_analysis.study import DATA, Study

NOTEBOOKS = DATA.parent / "notebooks"
# what the program itself asked for and did not find: never a state of a reader's file
OF_THE_PROGRAM = re.compile(r"no such |no (?:declared )?table|unknown |not declared|the language is not known")
BROKEN = re.compile(r"\bnan\b|\bNone\b|Traceback|&lt;NA&gt;")


def may_be_said(error: BaseException) -> bool:
    """Whether an error of a cell is of the answers or the register: one of the house, and not of a name in the code."""
    return isinstance(error, WelfareError) and not OF_THE_PROGRAM.match(error.what)


def said(study: Study, pages: Iterable[str], monkeypatch) -> dict[str, str]:
    """The text of each page (by the first two letters of its file) in the study's language.

    Fails where a cell ends with an error that no page may say, writes to stderr, or shows a number that is none.
    """
    monkeypatch.setattr(Study, "open", lambda *_, **__: study)
    texts, faults = {}, []
    for page in pages:
        (path,) = NOTEBOOKS.glob(f"{page}_*.ipynb")
        InteractiveShell.clear_instance()
        shell = InteractiveShell.instance()
        notebook.register()
        parts = []
        for number, cell in enumerate(nbformat.read(path, as_version=4).cells):
            if cell.cell_type != "code":
                continue
            with capture_output() as captured:
                done = shell.run_cell(cell.source)
                error = done.error_in_exec or done.error_before_exec
            shown = [o.data for o in captured.outputs]
            if done.result is not None:  # what the last line of a cell gives
                shown.append(shell.display_formatter.format(done.result)[0])
            text = " ".join(d.get("text/html", d.get("text/markdown", "")) for d in shown)
            if error is not None and not may_be_said(error):
                last = traceback.extract_tb(error.__traceback__)[-1]
                faults.append(f"{path.stem}, cell {number}: {error!r} in {last.filename}:{last.lineno}")
            elif captured.stderr.strip() and error is None:
                faults.append(f"{path.stem}, cell {number}: {captured.stderr.strip()[-200:]}")
            elif BROKEN.search(text):
                faults.append(f"{path.stem}, cell {number}: {BROKEN.search(text)} in {text[:200]}")
            parts.append(text)
        texts[page] = re.sub(r"<[^>]+>", " ", " ".join(parts))
    assert not faults, "\n".join(faults)
    return texts
