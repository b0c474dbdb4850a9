"""Mutants of the library: whether a test fails where ``disclosure`` or ``estimation`` compute something else.

A mutant is the package with one place of its syntax changed (`changed`): a comparison, a sign, a number, a default, a
bound, what is returned. Docstrings, annotations, decorators, texts and what is raised are left alone. Which mutants are
drawn follows from ``SEED`` and from each one's place in its own function, so that a change elsewhere draws no others.

Each is written into a copy of the library, and tests of its package are run until one fails: those first that come
through the line, the quick ones before the slow, for as many as take `SECONDS` together. A mutant that hangs is found.
One that no test of these finds has survived, whether it computes something else or not: the share found is the least.
"""

from __future__ import annotations

import ast
import hashlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from summaries import ROOT

SEED, SECONDS = 2026, 60
FIRST = 10  # tests, before the files of the others are read at all
DRAWN = {"disclosure": 100, "estimation": 200}
LIBRARY, CACHE = Path("src", "welfare_analysis"), ROOT / "build" / "cache" / "reached"
IMPORTED = ["numba", "pandas", "pytest", "scipy.stats", "scipy.optimize", "statsmodels.api", "pyarrow"]
IMPORTED += ["formulaic", "coverage", "summaries"]

OTHER = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,), ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,), ast.FloorDiv: (ast.Div,), ast.Mod: (ast.Mult,), ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,), ast.And: (ast.Or,), ast.Or: (ast.And,),
}  # fmt: skip
PAIRS = "min max|minimum maximum|fmin fmax|argmin argmax|any all|floor ceil|first last|head tail|idxmin idxmax"
NAMES = {a: b for pair in PAIRS.split("|") for a, b in (pair.split(), pair.split()[::-1])}
HEAD = (1, 0)  # no lines yet: those of the expression that comes
SILENT = {"annotation", "returns", "decorator_list"}  # fields of syntax that compute nothing


@dataclass(frozen=True)
class Mutant:
    """One change: of which file, where in it (in bytes), what is written instead, and the lines that come through."""

    path: Path
    function: str
    line: int
    change: str
    before: str
    after: str
    span: tuple[int, int]
    lines: tuple[int, int]
    address: str

    def written(self) -> bytes:
        """The file with the change."""
        source = (ROOT / LIBRARY / self.path).read_bytes()
        return source[: self.span[0]] + self.after.encode() + source[self.span[1] :]


def changed(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What may stand in the place of a piece of syntax, each with the kind of its change."""

    def but(**fields: Any) -> ast.AST:
        other = copy(node)
        for name, value in fields.items():
            setattr(other, name, value)
        return other

    match node:
        case ast.Compare(ops=ops):
            for i, op in enumerate(ops):
                for new in OTHER[type(op)]:
                    yield "comparison", but(ops=[*ops[:i], new(), *ops[i + 1 :]])
        case ast.BinOp(op=op) if type(op) in OTHER:
            yield "arithmetic", but(op=OTHER[type(op)][0]())
        case ast.BoolOp(op=op):
            yield "boolean", but(op=OTHER[type(op)][0]())
        case ast.UnaryOp(op=ast.Not() | ast.Invert() | ast.USub(), operand=operand):
            yield "sign", operand
        case ast.Constant(value=bool() as value):
            yield "constant", ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield "constant", ast.Constant(1 - value if value in (0, 1) else value + 1)
        case ast.Name(id="min" | "max" | "any" | "all" as name):
            yield "name", but(id=NAMES[name])
        case ast.Attribute(attr=name) if name in NAMES:
            yield "name", but(attr=NAMES[name])
        case ast.Slice(lower=lower, upper=upper):
            yield from (("slice", but(**{end: None})) for end, x in (("lower", lower), ("upper", upper)) if x)
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            yield "return", but(value=ast.Constant(None))


def mutants_of(path: Path) -> list[Mutant]:
    """All mutants of a file (below `LIBRARY`)."""
    source = (ROOT / LIBRARY / path).read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found: list[Mutant] = []

    def walk(node: ast.AST, function: str, top: int, lines: tuple[int, int], default: bool = False) -> None:
        if isinstance(node, ast.Raise | ast.JoinedStr):
            return
        if isinstance(node, ast.stmt) or (isinstance(node, ast.expr) and lines == HEAD):
            lines = (node.lineno, node.end_lineno or 0)
        for change, new in changed(node):
            span = (starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset)
            text = ast.unparse(new)
            after = text if isinstance(node, ast.Slice | ast.stmt) else f"({text})"
            where = f"{path} {function} {node.lineno - top} {node.col_offset} {change} {after}"
            kind = "default" if default else change
            before = source[span[0] : span[1]].decode()
            found.append(Mutant(path, function, node.lineno, kind, before, after, span, lines, where))
        for field, value in ast.iter_fields(node):
            if field in SILENT:
                continue
            for part in value if isinstance(value, list) else [value]:
                if not isinstance(part, ast.AST):
                    continue
                name, start, own = function, top, lines
                if isinstance(part, ast.FunctionDef | ast.ClassDef):
                    name, start = f"{function}.{part.name}".strip("."), part.lineno
                elif isinstance(node, ast.If | ast.For | ast.While | ast.With) and isinstance(part, ast.expr):
                    own = HEAD  # its own lines, not those of the block
                walk(part, name, start, own, default or (isinstance(node, ast.arguments) and field != "args"))

    walk(ast.parse(source), "", 1, HEAD)
    return found


@lru_cache(maxsize=2)
def drawn(package: str) -> list[Mutant]:
    """All mutants of a package in the order in which they are drawn."""
    paths = sorted((ROOT / LIBRARY / package).rglob("*.py"))
    every = [mutant for path in paths for mutant in mutants_of(path.relative_to(ROOT / LIBRARY))]
    return sorted(every, key=lambda mutant: hashlib.sha256(f"{SEED} {mutant.address}".encode()).digest())


class Session:
    """Tests of some files in a given order; which failed first, and which lines each comes through."""

    def __init__(self, order: dict[str, int], traced: str) -> None:
        self.order, self.traced, self.failed, self.context = order, traced, "", ""
        self.seconds: dict[str, float] = {}
        self.began = 0.0
        self.fixtures: dict[str, list[str]] = {}
        if traced:
            from coverage import Coverage

            self.coverage = Coverage(data_file=None, include=[f"{traced}/*"])
            self.coverage.start()

    def enter(self, context: str) -> str:
        """What runs from now on is of another context; the one before it."""
        before, self.context = self.context, context
        if self.traced:
            self.coverage.switch_context(context)
        return before

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Those that are asked for, in order; all if none are named."""
        self.fixtures = {item.nodeid: item.fixturenames for item in items}  # type: ignore[attr-defined]
        if self.order:
            items[:] = sorted((i for i in items if i.nodeid in self.order), key=lambda i: self.order[i.nodeid])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self.began = time.process_time()
        self.enter(nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """It has ended: its time is that of the processor, which no other process makes longer."""
        self.seconds[nodeid] = time.process_time() - self.began

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Any:
        """What several tests share is a context of its own."""
        before = self.enter(self.context if fixturedef.scope == "function" else f"fixture {fixturedef.argname}")
        try:
            return (yield)
        finally:
            self.enter(before)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the first that failed."""
        self.pytest_collectreport(report)

    def pytest_collectreport(self, report: Any) -> None:
        """A file that cannot be read fails too."""
        if report.failed:
            self.failed = self.failed or report.nodeid

    def reached(self) -> pd.DataFrame:
        """A row a test and line of the library that it comes through, or a fixture of it; line 0 of each test."""
        self.coverage.stop()
        data, by = self.coverage.get_data(), defaultdict(list)
        for path in data.measured_files():
            for line, contexts in data.contexts_by_lineno(path).items():
                for context in contexts:
                    by[context].append((str(Path(path).relative_to(self.traced)), line))
        rows = [
            (test, seconds, *place)
            for test, seconds in self.seconds.items()
            for place in {("", 0), *(p for c in (test, *(f"fixture {f}" for f in self.fixtures[test])) for p in by[c])}
        ]
        return pd.DataFrame(rows, columns=["test", "seconds", "path", "line"])


def session(answer: Connection, work: str, files: list[str], order: dict[str, int], trace: bool) -> None:
    """Run tests in this process, which has imported nothing of the library yet, and send what they show."""
    os.setsid()
    os.chdir(work)
    sys.path.insert(0, str(Path(work, "src")))
    sys.pycache_prefix, sys.dont_write_bytecode = str(Path(work, "cache")), False
    os.environ["PYTHONPATH"] = sys.path[0]
    with Path(work, "log").open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    run = Session(order, str(Path(work, LIBRARY)) if trace else "")
    pytest.main([*([] if trace else ["-x"]), "-q", *files], plugins=[run])
    here = Path(sys.modules["welfare_analysis"].__file__ or "") if "welfare_analysis" in sys.modules else Path(work)
    assert here.is_relative_to(work), here
    answer.send((run.failed, run.reached() if trace else None))
    sys.stdout.flush()
    os._exit(0)


@lru_cache(maxsize=1)
def workshop() -> tempfile.TemporaryDirectory[str]:
    """A copy of the library and its tests for this process, with the other files beside it."""
    (ROOT / "build").mkdir(exist_ok=True)
    place = tempfile.TemporaryDirectory(prefix="mutants-", dir=ROOT / "build")
    for path in ROOT.iterdir():
        if path.name in ("src", "tests"):
            shutil.copytree(path, Path(place.name, path.name), ignore=shutil.ignore_patterns("__pycache__"))
        elif path.name not in ("build", ".git", ".venv"):
            Path(place.name, path.name).symlink_to(path)
    return place


def tested(files: list[str], order: dict[str, int], limit: float, trace: bool) -> tuple[str, Any]:
    """The first test that fails (``hung`` where none ends in time, ``ended`` where the process does), and the map."""
    context = get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    mine, other = context.Pipe(duplex=False)
    process = context.Process(target=session, args=(other, workshop().name, files, order, trace))
    process.start()
    other.close()
    try:
        return mine.recv() if mine.poll(limit) else ("hung", None)
    except EOFError:
        return "ended", None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid or 0, signal.SIGKILL)
        process.join()


@lru_cache(maxsize=2)
def reached(package: str) -> pd.DataFrame:
    """Which lines of the library each test of a package comes through, and how long it takes; kept by file."""
    code = hashlib.sha256(b"".join(path.read_bytes() for path in sorted((ROOT / LIBRARY / package).rglob("*.py"))))
    CACHE.mkdir(parents=True, exist_ok=True)
    tables = []
    for path in sorted((ROOT / "tests" / package).rglob("test_*.py")):
        name, own = str(path.relative_to(ROOT)), hashlib.sha256(code.digest() + path.read_bytes()).hexdigest()[:16]
        kept = CACHE / f"{path.stem}-{own}.parquet"
        if not kept.is_file():
            failed, table = tested([name], {}, 1800, trace=True)
            if failed:
                sys.exit(f"{failed} fails without a mutant: see {workshop().name}/log")
            table[table["path"].str.startswith(f"{package}/") | (table["line"] == 0)].to_parquet(kept, index=False)
        tables.append(pd.read_parquet(kept).assign(file=name))
    return pd.concat(tables, ignore_index=True)


def chosen(mutant: Mutant, package: str) -> pd.DataFrame:
    """The tests that are run on a mutant, in order: columns test, file, seconds."""
    table = reached(package)
    of_file = table["path"] == str(mutant.path)
    through = of_file & table["line"].between(*mutant.lines)
    tests = table.drop_duplicates("test").set_index("test")
    named = tests["file"].str.endswith(f"/test_{mutant.path.stem}.py")
    ranks = [tests.index.isin(table.loc[through, "test"]), named]
    ranks += [tests["file"].isin(table.loc[some, "file"]) for some in (through, of_file)]
    place = pd.Series(np.select(ranks, range(len(ranks)), len(ranks)), tests.index)
    tests = tests.assign(place=place)[place < len(ranks)].sort_values(["place", "seconds"], kind="stable")
    return tests[tests["seconds"].cumsum() <= SECONDS].reset_index()


def one(package: str, number: int) -> pd.DataFrame:
    """Whether tests find the mutant of a number, and the file of tests that does."""
    mutant = drawn(package)[number]
    tests = chosen(mutant, package)
    original, copied = ROOT / LIBRARY / mutant.path, Path(workshop().name) / LIBRARY / mutant.path
    copied.write_bytes(mutant.written())
    os.utime(copied, (number + 1, number + 1))  # no two in a second: what is compiled goes by the time
    failed = ""
    try:
        for some in (tests[:FIRST], tests[FIRST:]):
            if len(some) and not failed:
                order = {test: i for i, test in enumerate(some["test"])}
                limit = 60 + 10 * some["seconds"].sum()
                failed, _ = tested(list(dict.fromkeys(some["file"])), order, limit, False)
    finally:
        shutil.copy2(original, copied)
    row = {
        "file": str(mutant.path), "line": mutant.line, "function": mutant.function, "change": mutant.change,
        "before": mutant.before, "after": mutant.after, "tests": len(tests),
        "outcome": "killed" if failed else "survived", "killed_by": failed.split("::")[0],
    }  # fmt: skip
    print(
        package,
        number,
        *(row[name] for name in ("outcome", "file", "line", "before", "after", "killed_by")),
        flush=True,
    )
    return pd.DataFrame([row])
