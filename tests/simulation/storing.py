"""Parts of a long simulation, each kept under ``build/cache/coverage`` when it is done: an interrupted run goes on."""

from __future__ import annotations

import hashlib
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = ROOT / "build" / "cache" / "coverage"
SIMULATED = (
    "tests/simulation/coverage_grid.py",
    "tests/simulation/coverage_models.py",
    "tests/estimation/choice/test_choice_recovery.py",
    "data/reliability.csv",
)


def fingerprint(root: Path = ROOT) -> str:
    """Hash of all that a sample depends on: estimation, the designs and models here, the rules of reliability."""
    paths = [*(root / "src" / "welfare_analysis" / "estimation").rglob("*.py"), *(root / name for name in SIMULATED)]
    found = hashlib.sha256()
    for path in sorted(paths):
        found.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]
