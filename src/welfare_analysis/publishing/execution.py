"""Runs notebooks: two kernels at a time, in this interpreter, and again only where something that they use changed."""

import asyncio
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from welfare_analysis.errors import WelfareError
from welfare_analysis.study import several

OWN_FILES = ("SURVEY", "REGISTER", "FOLLOWUP", "CODEBOOK", "MAP")
WISHES = ("KEEP", "OMIT")  # what is done with forms in doubt
KERNELS = 2
TIMEOUT_S = 600
CONNECTIONS = ".kernels-"  # folders of connection files, which hold the keys of running kernels
Say = Callable[[str], object]  # takes a line of progress


class _ThisInterpreter(KernelSpecManager):
    """Knows one kernel: the interpreter that runs this code, whatever else the user has registered."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


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
                raise WelfareError("the file does not exist", where=name, got=resolved[name])
            resolved[name] = " ".join(f'"{path}"' for path in paths) if len(paths) > 1 else str(paths[0])
        else:
            resolved.pop(name, None)
    return resolved


def _files(trees: Iterable[Path]) -> Iterable[Path]:
    for tree in trees:
        yield from [tree] if tree.is_file() else sorted(path for path in tree.rglob("*") if path.is_file())


def state(trees: Iterable[Path], variables: Mapping[str, str]) -> str:
    """Return a hash of everything that notebooks read: the trees, and what the reader names and wishes."""
    digest = hashlib.sha256(repr([variables.get(name, "") for name in WISHES]).encode())
    own = {name: several(variables[name]) for name in OWN_FILES if name in variables}
    for name, paths in [("", _files(trees)), *((name, _files(given)) for name, given in own.items())]:
        for path in paths:
            # the look of the site and compiled code change no result
            if not {"__pycache__", "site"} & set(path.parts[-3:-1]):
                digest.update(f"{name}\0{path}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _key(notebook: NotebookNode, files: str) -> str:
    return hashlib.sha256("\0".join([files, *(cell.source for cell in _code(notebook))]).encode()).hexdigest()


def _clean(notebook: NotebookNode) -> NotebookNode:
    """Return a copy without what changes from run to run and says nothing about the result."""
    copy = nbformat.from_dict(notebook)
    copy.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in _code(copy):
        cell.metadata.pop("execution", None)
        for output in cell.outputs:
            output.get("metadata", {}).pop("execution", None)
    return copy


def _client(path: Path, connection: Path) -> NotebookClient:
    manager = AsyncKernelManager(
        kernel_name="python3", kernel_spec_manager=_ThisInterpreter(), connection_file=str(connection)
    )
    return NotebookClient(
        nbformat.read(path, as_version=4),
        km=manager,
        timeout=TIMEOUT_S,
        record_timing=False,
        coalesce_streams=True,
        # the kernel is this machine's own: its warning about an unencrypted line would be noise
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )


def _execute(path: Path, client: NotebookClient, variables: Mapping[str, str], say: Say) -> NotebookNode:
    notebook, began = client.nb, time.monotonic()
    try:
        asyncio.run(client.async_execute(env=dict(variables), cleanup_kc=True))
    except CellExecutionError as error:
        failed = next(i for i, cell in enumerate(notebook.cells) if _failed(cell))
        raise WelfareError(
            f"a cell failed with {error.ename}: {error.evalue}",
            where=f"{path.name}, cell {failed}",
            hint=f"Open it with `make lab` and run it there:\n{notebook.cells[failed].source}",
        ) from error
    except Exception as error:  # a kernel that dies, a cell that takes too long
        what = f"the notebook did not finish: {type(error).__name__}: {str(error).strip()}"
        raise WelfareError(what, where=path.name, hint="Open it with `make lab` and run it there.") from error
    warned = any(output.get("name") == "stderr" for cell in _code(notebook) for output in cell.outputs)
    say(f"{path.stem}: {time.monotonic() - began:.0f} s{', with warnings (`make lab` shows them)' if warned else ''}")
    return _clean(notebook)


def _failed(cell: NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.get("outputs", []))


def _executed(paths: list[Path], folder: Path, variables: Mapping[str, str], say: Say) -> list[Any]:
    """Each notebook executed, or its error; connection files lie in ``folder``, closed to others, and go at the end.

    Each runs in a thread of its own, where nbclient leaves Ctrl-C to the main one: it then ends all kernels at once.
    """
    for left in folder.glob(f"{CONNECTIONS}*"):  # of a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=CONNECTIONS, dir=folder) as own, ThreadPoolExecutor(KERNELS) as threads:
        clients = [_client(path, Path(own, f"{path.stem}.json")) for path in paths]
        runs = [threads.submit(_execute, *pair, variables, say) for pair in zip(paths, clients, strict=True)]
        try:
            return [run.exception() or run.result() for run in runs]
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


def _run(paths: list[Path], targets: list[Path], variables: Mapping[str, str], folder: Path, say: Say) -> None:
    """Execute each path into its target; what finished is kept, then the first failure is raised."""
    results = _executed(paths, folder, variables, say) if paths else []
    for result, target in zip(results, targets, strict=True):
        if not isinstance(result, BaseException):
            _write(result, target)
    for result in results:
        if isinstance(result, BaseException):
            raise result


def run_in_place(paths: list[Path], variables: Mapping[str, str], folder: Path, say: Say) -> None:
    """Execute notebooks and write the results over them, without times and other noise.

    ``folder`` is a private one, for what the kernels need while they run.

    Raises
    ------
    WelfareError
        If a cell fails; its notebook stays as it was.
    """
    _run(paths, paths, variables, folder, say)


def run(
    paths: list[Path], folder: Path, trees: Iterable[Path], variables: Mapping[str, str], say: Say
) -> list[NotebookNode]:
    """Return the executed notebooks, kept in `folder`; the originals are not written.

    A notebook is executed again only where its code cells, a file of `trees` or a file of the reader has changed.
    Its text is always the present one.

    Raises
    ------
    WelfareError
        If a cell fails: the notebook, the cell and the error.
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
    try:
        _run([paths[i] for i in stale], [folder / paths[i].name for i in stale], variables, folder, say)
    finally:
        for i in stale:
            if (folder / paths[i].name).exists():
                known[i].write_text(keys[i])
    return [_merged(s, nbformat.read(folder / p.name, as_version=4)) for s, p in zip(sources, paths, strict=True)]


def _merged(source: NotebookNode, executed: NotebookNode) -> NotebookNode:
    merged = nbformat.from_dict(source)
    for cell, done in zip(_code(merged), _code(executed), strict=True):
        cell.outputs, cell.execution_count = done.outputs, done.execution_count
    return merged
