"""Which numbers are marked as unsure, or too unsure to be shown, by the rules of ``data/reliability.csv``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from ..estimation import Estimate
from ..estimation.reliability import Rule, flags
from ..estimation.reliability import rules as read
from ..study import DATA

FLAGS = {"ok": "", "caution": "caution", "suppress": "unsure"}


@cache
def rules(path: Path = DATA / "reliability.csv") -> tuple[Rule, ...]:
    """The rules of a file."""
    return read(pd.read_csv(path))


def marks(estimate: Estimate, kind: str) -> np.ndarray:
    """Flags (k,) of a table's cells: none, ``caution``, or ``unsure``; ``kind`` is share, amount or model."""
    return np.array([FLAGS[flag] for flag in flags(estimate, rules(), kind)], dtype=object)
