"""What the samples of a simulation of demand say together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[2]


def summarised(samples: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Truth, mean error, spread, mean standard error and coverage of each number, by version and what else is a key."""
    parts = samples.assign(error=samples["estimate"] - samples["truth"], held=samples["held"].astype(float))
    cells = parts.groupby([*keys], sort=False)
    out = cells.agg(
        samples=("seed", "size"),
        truth=("truth", "mean"),
        error=("error", "mean"),
        spread=("error", "std"),
        mean_se=("se", "mean"),
        coverage=("held", "mean"),
    )
    return out.reset_index()
