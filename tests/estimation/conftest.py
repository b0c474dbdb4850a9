"""Public data and small made-up samples for the tests of estimation."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.estimation import Design

REFERENCE = Path(__file__).parents[2] / "data" / "reference"


def _schools(name: str) -> pd.DataFrame:
    frame = pd.read_csv(REFERENCE / f"{name}.csv")
    return frame.assign(sw=(frame["sch.wide"] == "Yes").astype(int))


@pytest.fixture(scope="session")
def apistrat() -> pd.DataFrame:
    """200 Californian schools, a stratified sample."""
    return _schools("apistrat")


@pytest.fixture(scope="session")
def apiclus1() -> pd.DataFrame:
    """183 Californian schools, all those of 15 districts."""
    return _schools("apiclus1")


@pytest.fixture(scope="session")
def example() -> Callable[[int], pd.DataFrame]:
    """A made-up sample: 3 strata of 2 to 4 PSUs of 3 to 6 rows, unequal weights, two numbers, a share, a domain."""

    def make(seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        clusters = [(s, 10 * s + c) for s in range(3) for c in range(rng.integers(2, 5))]
        sizes = rng.integers(3, 7, len(clusters))
        rows = np.repeat(np.array(clusters), sizes, axis=0)
        n = len(rows)
        return pd.DataFrame(
            {
                "stratum": rows[:, 0],
                "psu": rows[:, 1],
                "fpc": np.array([8.0, 11.0, 20.0])[rows[:, 0]],
                "w": rng.uniform(1, 9, n),
                "y": rng.normal(10, 3, n) + rows[:, 1] / 10,
                "x": rng.uniform(1, 5, n),
                "b": rng.permutation(np.arange(n) % 3 == 0),
                "d": rng.permutation(np.where(np.arange(n) % 2 == 0, "in", "out")),
            }
        )

    return make


@pytest.fixture(scope="session")
def drawn() -> Callable[[pd.DataFrame], Design]:
    """The design of a made-up sample: strata, PSUs and finite corrections."""
    return lambda f: Design(f["w"], strata=f["stratum"], psu=f["psu"], fpc=f["fpc"])
