"""Pages and the whole report, beside those of an older commit: `make bench CASES=pages_bench`.

The older one (BASE=, a commit; absent: 39d165b) lies in ``build/bench`` as a worktree of git and runs its own notebooks
with its own library, in this environment. A page begins with an empty kernel and nothing kept; the report too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from timing import Case

ROOT = Path(__file__).parents[2]
BASE = os.environ.get("BASE", "39d165b")
PAGE = "import sys, nbformat, nbclient; nbclient.NotebookClient(nbformat.read(sys.argv[1], 4), timeout=600).execute()"


def older() -> Path | None:
    """The tree of the older commit; None where git does not have it, as in a copy without history."""
    place = ROOT / "build" / "bench" / BASE
    if not place.exists():  # forced, for `make clean` removes a worktree without a word to git
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = ["git", "worktree", "add", "--force", "--detach", place, BASE]
        git = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if git.returncode:
            print(f"{BASE} is not in this copy's history: {git.stderr.strip()}", file=sys.stderr)
            return None
    return place


def _run(tree: Path, *command: str) -> None:
    own = {"PYTHONPATH": str(tree / "src"), "JUPYTER_PLATFORM_DIRS": "1"}
    subprocess.run(
        [sys.executable, *command], cwd=tree / "notebooks", env=os.environ | own, check=True, stdout=subprocess.DEVNULL
    )


def page(tree: Path, name: str) -> None:
    """Run one notebook; its outputs are not kept."""
    _run(tree, "-c", PAGE, name)


def report(tree: Path) -> None:
    """Write the report of a tree in which nothing was made yet."""
    for made in ("cache", "notebooks", "report"):
        shutil.rmtree(tree / "build" / made, ignore_errors=True)
    _run(tree, "-m", "welfare_analysis", "report")


def _both(task: Callable[..., None], before: Path | None, *arguments: str) -> dict[str, Callable[[], object] | None]:
    return {BASE: partial(task, before, *arguments) if before else None}


def cases() -> list[Case]:
    """Each page alone, then the report."""
    before, names = older(), sorted(path.name for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
    there = [name for name in names if before is None or (before / "notebooks" / name).exists()]
    pages = [Case(name[:-6], partial(page, ROOT, name), _both(page, before, name), {BASE: 1.0}) for name in there]
    return [*pages, Case("the whole report", partial(report, ROOT), _both(report, before), {BASE: 1.0})]
