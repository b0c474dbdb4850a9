"""Size of the test of independence: how often a true hypothesis is rejected at 5 %.

Two variables are independent; each is alike within clusters on its own. A cell names the table, the sample and the
categories: ``even`` (halves, or shares that fall by 15 %) or ``rare`` (15 % of two, or shares that fall by 30 %).
"""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pandas as pd

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
CELLS = [" ".join(names) for names in product(TABLES, SAMPLES, ("even", "rare"))]
LEVEL = 0.05


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


def one_sample(cell: str, seed: int) -> float:
    """The p of one sample; nan where all gave one answer."""
    table, sample, kind = cell.split()
    clusters, size, rho = SAMPLES[sample]
    rng = np.random.default_rng([seed, CELLS.index(cell)])
    psu = np.repeat(np.arange(clusters), size)
    pair = []
    for categories in TABLES[table]:
        p = shares(categories, kind)
        own, common = (rng.choice(categories, count, p=p) for count in (len(psu), clusters))
        pair.append(np.where(rng.random(len(psu)) < np.sqrt(rho), common[psu], own))
    if any(len(np.unique(v)) < 2 for v in pair):
        return np.nan
    return independence(design(sample), *pair).p


def chunk(cell: str, first: int, last: int) -> pd.DataFrame:
    """The p of the samples with seeds from ``first`` to ``last`` - 1."""
    return pd.DataFrame({"p": [one_sample(cell, seed) for seed in range(first, last)]})


def summarised(cell: str, p: pd.Series) -> dict[str, object]:
    """The share rejected of a cell, with its Monte Carlo error and what the table rests on."""
    table, sample, kind = cell.split()
    (r, c), (clusters, size, _) = TABLES[table], SAMPLES[sample]
    known = p.dropna()
    rejected = float((known < LEVEL).mean())
    return {
        "cell": cell,
        "samples": len(known),
        "psus": clusters,
        "interactions": (r - 1) * (c - 1),
        "least_expected": clusters * size * shares(r, kind).min() * shares(c, kind).min(),
        "rejected": rejected,
        "monte_carlo_error": np.sqrt(LEVEL * (1 - LEVEL) / len(known)),
    }
