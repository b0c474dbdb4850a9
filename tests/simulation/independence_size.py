"""Size of the test of independence: how often a true hypothesis is rejected at 5 %.

Two variables are independent; each is alike within clusters on its own. A cell names the table, the sample and the
categories: ``even`` (halves, or shares that fall by 15 %) or ``rare`` (15 % of two, or shares that fall by 30 %).
The test was chosen with both in sight: the `SAMPLES`, of equal clusters, and the `OTHERS`, of another generator, whose
seeds here are fresh.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
from scipy import stats

from welfare_analysis.estimation import Design, independence

TABLES = {"2x2": (2, 2), "2x5": (2, 5), "3x4": (3, 4), "5x9": (5, 9)}
SAMPLES = {  # clusters, their size, and the correlation of answers within
    "srs_60": (60, 1, 0.0),
    "srs_150": (150, 1, 0.0),
    "srs_300": (300, 1, 0.0),
    "srs_2000": (2000, 1, 0.0),
    "12_by_5": (12, 5, 0.3),
    "10_by_30": (10, 30, 0.2),
    "30_by_20": (30, 20, 0.2),
    "100_by_6": (100, 6, 0.2),
    "400_by_5": (400, 5, 0.1),
}
OTHERS = {  # clusters of unequal size, their mean size, correlation behind the answers, spread of log weights
    "15_uneven": (15, 10, 0.2, 0.0),
    "40_uneven": (40, 10, 0.2, 0.0),
    "30_weighted": (30, 15, 0.2, 0.6),
}
CELLS = [" ".join(names) for samples in (SAMPLES, OTHERS) for names in product(TABLES, samples, ("even", "rare"))]
LEVEL = 0.05
STATISTICS = ("corrected", "F")  # the default, and R's


def shares(categories: int, kind: str) -> np.ndarray:
    """Shares of the categories in the population."""
    if categories == 2:
        return np.array([0.5, 0.5] if kind == "even" else [0.85, 0.15])
    falling = (0.85 if kind == "even" else 0.7) ** np.arange(categories)
    return falling / falling.sum()


@cache
def design(sample: str) -> Design:
    """The design of a sample, made once."""
    clusters, size, _ = SAMPLES[sample]
    return Design(np.ones(clusters * size), psu=np.repeat(np.arange(clusters), size))


def one_sample(cell: str, seed: int, statistics: Sequence[str] = STATISTICS) -> list[float]:
    """The p of one sample by each of the statistics; nan where all gave one answer."""
    table, sample, kind = cell.split()
    rng = np.random.default_rng([seed, CELLS.index(cell)])
    marginal = [shares(categories, kind) for categories in TABLES[table]]
    drawn, pair = unequal(sample, marginal, rng) if sample in OTHERS else equal(sample, marginal, rng)
    if any(len(np.unique(v)) < 2 for v in pair):
        return [np.nan] * len(statistics)
    return [independence(drawn, *pair, statistic=s).p for s in statistics]


def equal(sample: str, marginal: list[np.ndarray], rng: np.random.Generator) -> tuple[Design, list[np.ndarray]]:
    """Clusters of one size, of which some answers are those of all."""
    clusters, size, rho = SAMPLES[sample]
    psu = np.repeat(np.arange(clusters), size)
    pair = []
    for p in marginal:
        own, common = (rng.choice(len(p), count, p=p) for count in (len(psu), clusters))
        pair.append(np.where(rng.random(len(psu)) < np.sqrt(rho), common[psu], own))
    return design(sample), pair


def unequal(sample: str, marginal: list[np.ndarray], rng: np.random.Generator) -> tuple[Design, list[np.ndarray]]:
    """Clusters of geometric size; answers are a normal variable cut in parts, with a common part in a cluster."""
    clusters, size, rho, spread = OTHERS[sample]
    psu = np.repeat(np.arange(clusters), 1 + rng.geometric(1 / (size - 1), clusters))
    n = len(psu)
    behind = [np.sqrt(rho) * rng.normal(size=clusters)[psu] + np.sqrt(1 - rho) * rng.normal(size=n) for _ in marginal]
    pair = [np.digitize(v, stats.norm.ppf(p.cumsum()[:-1])) for v, p in zip(behind, marginal, strict=True)]
    return Design(np.exp(spread * rng.normal(size=n)), psu=psu), pair


def chunk(cell: str, first: int, last: int) -> pd.DataFrame:
    """The p of the samples with seeds from ``first`` to ``last`` - 1."""
    return pd.DataFrame([one_sample(cell, seed) for seed in range(first, last)], columns=STATISTICS)


def summarised(cell: str, p: pd.DataFrame) -> dict[str, object]:
    """The share rejected of a cell by each statistic, its Monte Carlo error, and what the table rests on."""
    table, sample, kind = cell.split()
    (r, c), (clusters, size, *_) = TABLES[table], (SAMPLES | OTHERS)[sample]
    known = p[list(STATISTICS)].dropna()
    corrected, second = (known < LEVEL).mean()
    return {
        "cell": cell,
        "samples": len(known),
        "psus": clusters,
        "interactions": (r - 1) * (c - 1),
        "least_expected": clusters * size * shares(r, kind).min() * shares(c, kind).min(),
        "rejected": corrected,
        "rejected_second_order": second,
        "monte_carlo_error": np.sqrt(LEVEL * (1 - LEVEL) / len(known)),
    }
