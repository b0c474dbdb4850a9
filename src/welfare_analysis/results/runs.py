"""Of which version the stored results of long simulations are.

``data/runs.csv`` has a line a table of ``make validate``: the ``part`` that makes it, the modules of
``tests/simulation`` that do (``made_by``), the released tables that show it, and of the last run the day, the commit
and a hash of all that it used. Where the hash is another today, or not known, it is of an earlier version.
``repeated`` is how many of its samples later code gave once more, to nine digits: the hash is then of that.
"""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..disclosure import Released, document
from ..study import DATA, ROOT
from . import kept

RUNS = DATA / "runs.csv"
PROSE = ("texts.csv", "institution.csv", RUNS.name)  # no result follows from them
TABLES = ("data", "data/codebook", "data/public")  # folders of them
NUMBERS = "^(?!label_|source$|note$)"  # columns of data that results follow from


@cache
def named(root: Path) -> dict[str, Path]:
    """Files of Python by the name under which they are imported: the library's in full, those of tests alone."""
    files = {path.relative_to(root / "src").with_suffix("").parts: path for path in (root / "src").rglob("*.py")}
    library = {".".join(part for part in parts if part != "__init__"): path for parts, path in files.items()}
    return {path.stem: path for path in (root / "tests").rglob("*.py")} | library


@cache
def tree(path: Path) -> ast.Module:
    """The syntax of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> list[tuple[int, str, str, str]]:
    """What a file imports, wherever in it: packages up, module, name, and what it is called here."""
    found: list[tuple[int, str, str, str]] = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found += [(0, alias.name, "", "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = ((alias.name, alias.asname or alias.name) for alias in node.names)
            found += [(node.level, node.module or "", *name) for name in names]
    return found


def imported(root: Path, module: str, only: str = "") -> Iterator[str]:
    """Modules that one imports from; for one name alone if ``only`` says so."""
    path = named(root)[module]
    above = module.split(".")[: None if path.name == "__init__.py" else -1]
    for up, package, name, called in imports(path):
        if only in ("", called):
            parts = above[: len(above) + 1 - up] if up else []
            yield from origin(root, ".".join(filter(None, [*parts, package])), name)


def origin(root: Path, package: str, name: str) -> list[str]:
    """The module that a name is of: where a package only passes it on, the one that the package has it from."""
    known = named(root)
    if (inner := f"{package}.{name}") in known or package not in known:
        return [inner] if inner in known else []
    passed = imported(root, package, name) if name and known[package].name == "__init__.py" else ()
    return list(passed) or [package]


def used(root: Path, made_by: str) -> list[str]:
    """Modules that some (parted by ``|``) reach by their imports, with themselves, in order."""
    found: set[str] = set()
    waiting = made_by.split("|")
    while waiting:
        if (name := waiting.pop()) not in found:
            found.add(name)
            waiting += imported(root, name)
    return sorted(found)


def meaning(node: Any) -> Any:
    """Syntax as a nested list, alike in every Python: without comments, docstrings and what only starts a script."""
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if value is not None and name != "ctx")
        return [type(node).__name__, *((name, said) for name, value in fields if (said := meaning(value)) != [])]
    return [meaning(part) for part in node if not _idle(part)] if isinstance(node, list) else node


def _idle(node: Any) -> bool:
    """Whether a statement is a docstring, ``main``, or the condition that calls it."""
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "__name__ == '__main__'"
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return docstring or (isinstance(node, ast.FunctionDef) and node.name == "main")


@cache
def written(path: Path) -> str:
    """What a module says."""
    return repr(meaning(tree(path)))


@cache
def fingerprint(made_by: str, root: Path = ROOT) -> str:
    """A hash of what the modules that were used say, and of the tables of data that they name, without their prose.

    It takes seconds, so it is kept under a hash of all bytes. Empty where the library stands without the tests that
    made the run: then it is not known.
    """
    if not named(root).keys() >= {*made_by.split("|")}:
        return ""
    with suppress(OSError):  # a folder that cannot be written keeps nothing
        place = kept.begun(root / "build" / "cache" / "versions", as_files(root))
        path = place / hashlib.sha256(made_by.encode()).hexdigest()
        if not path.is_file():
            part = path.with_suffix(f".{os.getpid()}")
            part.write_text(meant(made_by, root), encoding="ascii")
            part.replace(path)
        return path.read_text(encoding="ascii")
    return meant(made_by, root)


@cache
def as_files(root: Path) -> str:
    """A hash of all modules and tables of data, as they lie there."""
    tables = (path for place in TABLES for path in (root / place).glob("*.csv"))
    return kept.fingerprint([*named(root).values(), *tables])


def meant(made_by: str, root: Path) -> str:
    """The hash of what modules say and of the numbers of the tables that they name, made anew."""
    said = "\n".join(f"{name} {written(named(root)[name])}" for name in used(root, made_by))
    digest = hashlib.sha256(said.encode())
    for place in TABLES:
        for path in sorted((root / place).glob("*.csv")):
            if path.name not in PROSE and any(f"('value', {name!r})" in said for name in (path.stem, path.name)):
                table = pd.read_csv(path, dtype=str, keep_default_na=False).filter(regex=NUMBERS)
                digest.update(f"{path.name}\0{table.to_csv()}".encode())
    return digest.hexdigest()


def stored() -> pd.DataFrame:
    """The runs: a row a line of the file, all as text."""
    return pd.read_csv(RUNS, dtype=str, keep_default_na=False)


def stale(runs: pd.DataFrame) -> list[bool]:
    """Of each run, whether it is of an earlier version."""
    return [run.hash == "" or run.hash != fingerprint(run.made_by) for run in runs.itertuples()]


@cache
def earlier(*tables: str) -> int:
    """The day (since the year 1) of the oldest run of an earlier version that released tables show; 0 without one."""
    runs = stored()
    runs = runs[[bool({*tables} & {*names.split("|")}) for names in runs["shown"]]]
    return min((date.fromisoformat(day).toordinal() for day in runs.loc[stale(runs), "date"]), default=0)


def versions() -> Released:
    """When each simulation that a page shows was run, and whether by this version or an earlier one."""
    runs = stored().query("shown != ''")
    runs = runs.assign(
        table=runs["shown"].str.split("|").str[0],
        run_on=[date.fromisoformat(day).toordinal() for day in runs["date"]],
        version_of=np.where(stale(runs), "run.earlier", np.where(runs["repeated"] == "", "run.this", "run.repeated")),
    )
    days = runs[["table", "run_on"]].rename(columns={"run_on": "estimate"}).assign(measure="run_on", unit="date")
    words = runs[["table", "version_of"]].rename(columns={"version_of": "text"})
    words = words.assign(measure="version_of", estimate=0.0, unit="number")
    return document("runs", pd.concat([days, words], ignore_index=True), ["table"], "measure")
