"""Runs notebooks: two kernels at a time, in this interpreter, and again only where something that they use changed."""

import asyncio
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_output

from welfare_analysis.errors import WelfareError
from welfare_analysis.publishing import kernels
from welfare_analysis.publishing.published import PUBLISHED
from welfare_analysis.results import kept
from welfare_analysis.results.declare import WITHHELD
from welfare_analysis.study import OWN_FILES, several
from welfare_analysis.survey.reading.files import QUOTED

WISHES = ("KEEP", "OMIT", WITHHELD)  # what is done with forms in doubt, and what is not published
KERNELS = 2
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}  # as a notebook names it
TIMEOUT_S = 600
CELLS = ".cells.csv"  # what each notebook published
CONNECTIONS = ".kernels-"  # folders of connection files, which hold the keys of running kernels
Say = Callable[[str], object]  # takes a line of progress


def find(folder: Path) -> list[Path]:
    """Return the numbered notebooks of a folder in their order.

    Raises
    ------
    WelfareError
        If there is none.
    """
    paths = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        raise WelfareError("no notebook was found", where=str(folder), expected="files named NN_name.ipynb")
    return paths


def environment(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables with the paths of own files made absolute, for a kernel that runs in another folder.

    Raises
    ------
    WelfareError
        If a file that is named does not exist.
    """
    resolved = dict(variables)
    for name in OWN_FILES:
        if resolved.get(name):
            paths = [path.resolve() for path in several(resolved[name])]
            if not all(path.exists() for path in paths):
                hint = QUOTED if len(resolved[name].split()) > 1 else ""
                raise WelfareError("the file does not exist", where=name, got=resolved[name], hint=hint)
            resolved[name] = " ".join(f'"{path}"' for path in paths) if len(paths) > 1 else str(paths[0])
        else:
            resolved.pop(name, None)
    return resolved


def state(trees: Iterable[Path], variables: Mapping[str, str]) -> str:
    """Return a hash of everything that notebooks read: the trees, and what the reader names and wishes."""
    own = [path for name in OWN_FILES if name in variables for path in several(variables[name])]
    return kept.fingerprint([*trees, *own], *(variables.get(name, "") for name in WISHES))


def _code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _key(notebook: NotebookNode, files: str) -> str:
    return hashlib.sha256("\0".join([files, *(cell.source for cell in _code(notebook))]).encode()).hexdigest()


def _clean(notebook: NotebookNode) -> NotebookNode:
    """Return a copy without what changes from run to run and says nothing about the result."""
    copy = nbformat.from_dict(notebook)
    copy.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    for cell in _code(copy):
        cell.metadata.pop("execution", None)
        for output in cell.outputs:
            output.get("metadata", {}).pop("execution", None)
    return copy


def failure(cell: NotebookNode) -> NotebookNode | None:
    """The error that a cell ended with; None where it has its result."""
    return next((output for output in cell.get("outputs", []) if output.output_type == "error"), None)


def reason(error: NotebookNode) -> str:
    """What a reader may know of a cell's error: the clause of a `WelfareError`, nothing of any other.

    The clause stands before the traceback, in a line of its own.
    """
    return str(error.traceback[0]) if error.ename == WelfareError.__name__ and error.traceback else ""


def _client(path: Path, connection: Path, warm: kernels.Warm | None) -> NotebookClient:
    return NotebookClient(
        nbformat.read(path, as_version=4),
        km=kernels.manager(connection, warm),
        timeout=TIMEOUT_S,
        allow_errors=True,  # the cells after it run, and say what they can
        record_timing=False,
        coalesce_streams=True,
        # the kernel is this machine's own: its warning about an unencrypted line would be noise
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )


def _execute(path: Path, client: NotebookClient, variables: Mapping[str, str], say: Say) -> NotebookNode:
    """The notebook with the results of its cells; a cell that fails has its error, and the next ones run all the same.

    Raises
    ------
    WelfareError
        If its first cell fails: it opens the study, and nothing can be made without one.
    """
    notebook, began = client.nb, time.monotonic()
    try:
        asyncio.run(client.async_execute(env=dict(variables), cleanup_kc=True))
    except Exception as error:  # a kernel that dies, a cell that takes too long
        run = [cell for cell in _code(notebook) if cell.source.strip()]
        for cell in run[max(client.code_cells_executed - 1, 0) :]:
            cell.outputs = [new_output("error", ename=type(error).__name__, evalue=str(error), traceback=[])]
    failed = [cell for cell in _code(notebook) if failure(cell)]
    if failed and failed[0] is _code(notebook)[0]:
        raise _stopped(path, notebook)
    warned = any(output.get("name") == "stderr" for cell in _code(notebook) for output in cell.outputs)
    gaps = f", {len(failed)} without a result" if failed else ""
    warning = ", with warnings (`make lab` shows them)" if warned else ""
    say(f"{path.stem}: {time.monotonic() - began:.0f} s{gaps}{warning}")
    return _clean(notebook)


def _stopped(path: Path, notebook: NotebookNode) -> WelfareError:
    """The error of the first cell that failed."""
    at, error = next((i, error) for i, cell in enumerate(notebook.cells) if (error := failure(cell)))
    what = f"a cell failed with {error.ename}: {error.evalue}"
    hint = f"Open it with `make lab` and run it there:\n{notebook.cells[at].source}"
    return WelfareError(what, where=f"{path.name}, cell {at}", hint=hint)


def _executed(paths: list[Path], folder: Path, variables: Mapping[str, str], say: Say) -> list[Any]:
    """Each notebook executed, or its error; connection files lie in ``folder``, closed to others, and go at the end.

    The last one begins: the first, which quotes the others, then reads the tables that they kept (`results.kept`).
    Those of the reader's own files lie with the connection files and go with them.

    Each runs in a thread of its own, where nbclient leaves Ctrl-C to the main one: it then ends all kernels at once.
    """
    for left in folder.glob(f"{CONNECTIONS}*"):  # of a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    for path in paths:
        (folder / f"{path.stem}{CELLS}").unlink(missing_ok=True)
    own_file = [{PUBLISHED: str(folder.resolve() / f"{path.stem}{CELLS}")} for path in paths]
    with tempfile.TemporaryDirectory(prefix=CONNECTIONS, dir=folder) as own, ThreadPoolExecutor(KERNELS) as threads:
        if kept.FOLDER not in variables or set(OWN_FILES) & set(variables):
            variables = {**variables, kept.FOLDER: str(Path(own, "results"))}
        pays = kernels.FORKS and len(paths) > KERNELS  # the first ones wait as long as they would from nothing
        with kernels.Warm(variables) if pays else nullcontext() as warm:
            clients = [_client(path, Path(own, f"{path.stem}.json"), warm) for path in paths]
            runs = [
                threads.submit(_execute, path, client, {**variables, **place}, say)
                for path, client, place in reversed(list(zip(paths, clients, own_file, strict=True)))
            ]
            try:
                return [run.exception() or run.result() for run in reversed(runs)]
            except KeyboardInterrupt:
                threads.shutdown(wait=False, cancel_futures=True)
                for client in clients:
                    process = getattr(getattr(client.km, "provisioner", None), "process", None)
                    if process is not None:
                        process.kill()
                raise


def _write(notebook: NotebookNode, path: Path) -> None:
    part = path.with_suffix(".part")
    try:
        nbformat.write(notebook, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def run_in_place(paths: list[Path], variables: Mapping[str, str], folder: Path, say: Say) -> None:
    """Execute notebooks and write the results over them, without times and other noise.

    ``folder`` is a private one, for what the kernels need while they run.

    Raises
    ------
    WelfareError
        If a cell fails; its notebook stays as it was.
    """
    results = _executed(paths, folder, variables, say)
    for path, result in zip(paths, results, strict=True):
        if not isinstance(result, BaseException) and not any(map(failure, result.cells)):
            _write(result, path)
    for path, result in zip(paths, results, strict=True):
        if isinstance(result, BaseException):
            raise result
        if any(map(failure, result.cells)):
            raise _stopped(path, result)


def run(
    paths: list[Path], folder: Path, trees: Iterable[Path], variables: Mapping[str, str], say: Say
) -> list[NotebookNode]:
    """Return the executed notebooks, kept in `folder`; the originals are not written.

    A notebook is executed again only where its code cells, a file of `trees` or a file of the reader has changed, or
    where a cell has no result (`failure`). Its text is always the present one.

    Raises
    ------
    WelfareError
        If the first cell of a notebook fails, which opens the study: the notebook, the cell and the error.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = state(trees, variables)
    sources = [nbformat.read(path, as_version=4) for path in paths]
    keys = [_key(source, files) for source in sources]
    known = [folder / f"{path.stem}.key" for path in paths]
    stale = [i for i, key in enumerate(keys) if not known[i].exists() or known[i].read_text() != key]
    for i in stale:
        known[i].unlink(missing_ok=True)
        (folder / paths[i].name).unlink(missing_ok=True)
    results = _executed([paths[i] for i in stale], folder, variables, say) if stale else []
    for i, result in zip(stale, results, strict=True):
        if not isinstance(result, BaseException):
            _write(result, folder / paths[i].name)
            if not any(map(failure, result.cells)):
                known[i].write_text(keys[i])
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [_merged(s, nbformat.read(folder / p.name, as_version=4)) for s, p in zip(sources, paths, strict=True)]


def _merged(source: NotebookNode, executed: NotebookNode) -> NotebookNode:
    merged = nbformat.from_dict(source)
    for cell, done in zip(_code(merged), _code(executed), strict=True):
        cell.outputs, cell.execution_count = done.outputs, done.execution_count
    return merged
