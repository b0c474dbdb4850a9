"""Our time beside that of other programs, in one run: `make bench`.

Each module ``*_bench.py`` of this folder has a function ``cases()`` that gives a list of `Case`. Only ratios mean
something: a machine that is twice as fast is so for both. A peer that is not installed is said to be not run here.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pandas as pd
from timing import Case, measured

HERE = Path(__file__).parent


def main(names: list[str]) -> int:
    """Run the modules named, or all, and print one table; it is also written to build/bench.csv."""
    modules = names or sorted(path.stem for path in HERE.glob("*_bench.py"))
    rows: list[dict] = []
    for name in modules:
        cases: list[Case] = importlib.import_module(name).cases()
        for case in cases:
            rows += measured(case)
            print(pd.DataFrame(rows[-1 - len(case.peers) :]).to_string(index=False, header=len(rows) < 4))
    target = HERE.parents[1] / "build" / "bench.csv"
    target.parent.mkdir(mode=0o700, exist_ok=True)
    pd.DataFrame(rows).to_csv(target, index=False)
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
