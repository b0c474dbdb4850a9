"""Which code lines of the library a page's kernel reaches: ``python tests/bench/reached.py [STEM]``.

Runs every notebook in a process of its own, its lines counted by coverage. Printed are, by module, the code lines that
the page STEM (07_loan_demand) reaches and no other page does, and how many no page reaches at all; the latter are
listed in ``build/unreached.txt``. A line is code if it holds a token of code that is no docstring; a statement of
several lines is reached as a whole. About five minutes on two cores.
"""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import sys
import tokenize
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "src" / "welfare_analysis"
BLANK = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
BLOCKS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code(path: Path) -> set[int]:
    """Numbers of the lines that hold code."""
    with path.open(encoding="utf-8") as file:
        tokens = [t for t in tokenize.generate_tokens(file.readline) if t.type not in BLANK]
    lines = {n for token in tokens for n in range(token.start[0], token.end[0] + 1)}
    documented = [b for b in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(b, BLOCKS)]
    strings = [block.body[0] for block in documented if ast.get_docstring(block, clean=False) is not None]
    return lines - {n for text in strings for n in range(text.lineno, (text.end_lineno or text.lineno) + 1)}


def whole(path: Path, hit: set[int]) -> set[int]:
    """Code lines of the statements of which a line was hit; of a block, those before its body."""
    reached: set[int] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body and body[0].lineno > node.lineno else node.end_lineno or node.lineno
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            if hit & set(range(first, last + 1)):
                reached |= set(range(first, last + 1))
    return reached & code(path)


def trace(notebook: str) -> None:
    """Run a notebook's cells in this process, and print which lines of each module were hit."""
    import coverage

    counted = coverage.Coverage(data_file=None, source=[str(LIBRARY)])
    counted.start()
    import nbformat
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    with redirect_stdout(io.StringIO()):
        for cell in nbformat.read(notebook, as_version=4).cells:
            if cell.cell_type == "code":
                shell.run_cell(cell.source).raise_error()
    counted.stop()
    data = counted.get_data()
    print(json.dumps({name: data.lines(name) for name in data.measured_files()}))


def reached(stem: str) -> dict[str, set[int]]:
    """Code lines by module that a page reaches."""
    command = [sys.executable, __file__, "--trace", f"{stem}.ipynb"]
    run = subprocess.run(command, cwd=ROOT / "notebooks", capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(f"{stem}: {run.stderr[-2000:]}")
    hit = json.loads(run.stdout.splitlines()[-1])
    return {str(Path(name).relative_to(LIBRARY)): whole(Path(name), set(lines)) for name, lines in hit.items()}


def main(stem: str) -> int:
    """Print both counts by module."""
    os.environ |= {"PYTHONPATH": str(ROOT / "src"), "MPLBACKEND": "Agg"}
    stems = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
    with ThreadPoolExecutor(2) as two:
        pages = dict(zip(stems, two.map(reached, stems), strict=True))
    own = total = nothing = 0
    lost = []
    print(f"{'module':44} {'of ' + stem[:2] + ' alone':>12} {'of no page':>12} {'code':>8}")
    for path in sorted(LIBRARY.rglob("*.py")):
        name, lines = str(path.relative_to(LIBRARY)), code(path)
        others = set().union(*(found.get(name, set()) for page, found in pages.items() if page != stem))
        alone = pages[stem].get(name, set()) - others
        missed = lines - others - pages[stem].get(name, set())
        own, nothing, total = own + len(alone), nothing + len(missed), total + len(lines)
        lost += [f"{name}:{n}" for n in sorted(missed)]
        if alone:
            print(f"{name:44} {len(alone):12,} {len(missed):12,} {len(lines):8,}")
    print(f"{'all':44} {own:12,} {nothing:12,} {total:8,}")
    (ROOT / "build").mkdir(mode=0o700, exist_ok=True)
    (ROOT / "build" / "unreached.txt").write_text("\n".join(lost) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--trace"]:
        trace(sys.argv[2])
    else:
        sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "07_loan_demand"))
