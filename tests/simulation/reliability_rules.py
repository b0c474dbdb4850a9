"""Rules of reliability tuned on some worlds and judged on another, made by another generator.

A cell is a design, a statistic and an outcome, with the coverage of its intervals in many samples and the median of
what `estimation.reliability` measures in a sample. Two limits are tuned: an effective number of degrees of freedom
below which, and a skewness above which, a number is marked. Judged on the cells that they were tuned on they look
better than they are, so each world is judged by limits that never saw it; numbers that are good and marked all the
same, the false alarms, are printed beside those that are poor and missed.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
from scipy import stats

POOR = 0.92  # coverage below which a 95 % interval is poor
DF, SKEWNESS = (4.0, 8.0, 12.0, 18.0, 25.0, 40.0), (0.05, 0.08, 0.12, 0.2, 0.4, 0.8)  # limits that are tried


def marked(cells: pd.DataFrame, df: float, skewness: float) -> pd.Series:
    """Cells that the two rules mark."""
    return (cells["df_effective"] < df) | (cells["skewness_measured"] > skewness)


def tuned(cells: pd.DataFrame) -> tuple[float, float]:
    """The limits that miss the fewest poor cells, and of those the ones with the fewest false alarms."""
    poor = cells["coverage"] < POOR

    def faults(limits: tuple[float, float]) -> tuple[int, int]:
        hit = marked(cells, *limits)
        return int((poor & ~hit).sum()), int((~poor & hit).sum())

    return min(product(DF, SKEWNESS), key=faults)


def judged(cells: pd.DataFrame, world: str = "world") -> pd.DataFrame:
    r"""By world: the limits tuned on the others, cells that are poor and missed, good and marked, with their errors.

    ``cells`` has coverage, samples, df_effective, skewness_measured and the ``world`` of each. A cell whose coverage is
    c in S samples is poor with the probability :math:`\Phi((0.92 - c)/\sqrt{c(1 - c)/S})`, from which the Monte Carlo
    errors of both counts follow.
    """
    spread = np.sqrt(cells["coverage"] * (1 - cells["coverage"]) / cells["samples"]).clip(lower=1e-9)
    chance = pd.Series(stats.norm.cdf((POOR - cells["coverage"]) / spread), index=cells.index)
    rows = []
    for name, own in cells.groupby(world, sort=False):
        limits = tuned(cells[cells[world] != name])
        hit, poor, p = marked(own, *limits), own["coverage"] < POOR, chance[own.index]
        noise = [float(np.sqrt((p * (1 - p))[part].sum())) for part in (~hit, hit)]
        row = {"world": name, "df": limits[0], "skewness": limits[1], "poor": poor.sum(), "missed": (poor & ~hit).sum()}
        row |= {"missed_error": noise[0], "good": (~poor).sum(), "false_alarms": (~poor & hit).sum()}
        rows.append(row | {"false_alarms_error": noise[1]})
    return pd.DataFrame(rows).set_index("world")
