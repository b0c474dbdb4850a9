"""Public choice data, and made-up choices of people in clusters."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from travellers import refitted, weighted

REFERENCE = Path(__file__).parents[3] / "data" / "reference"


@pytest.fixture(scope="session")
def travel() -> pd.DataFrame:
    """210 people, 4 modes each (Greene and Hensher)."""
    frame = pd.read_csv(REFERENCE / "AER_TravelMode.csv")
    return frame.assign(chosen=frame["choice"] == "yes", air_income=frame["income"].where(frame["mode"] == "air", 0))


@pytest.fixture(scope="session")
def swissmetro() -> pd.DataFrame:
    """6,768 choices of 752 commuters and business travellers; not all modes are available to all."""
    wide = pd.read_csv(REFERENCE / "swissmetro.csv.gz").query("PURPOSE in (1, 3) and CHOICE != 0")
    wide = wide.reset_index(drop=True)
    parts = []
    for number, (mode, upper) in enumerate({"train": "TRAIN", "sm": "SM", "car": "CAR"}.items(), 1):
        free = (wide["GA"] == 1) & (mode != "car")
        part = pd.DataFrame(
            {"case": wide.index, "person": wide["ID"], "mode": mode, "chosen": wide["CHOICE"] == number}
        )
        part["time"], part["cost"] = wide[f"{upper}_TT"] / 100, wide[f"{upper}_CO"].where(~free, 0) / 100
        parts.append(part[(wide[f"{upper}_AV"] == 1) & ((wide["SP"] != 0) | (mode == "sm"))])
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="session")
def cards() -> Callable[[int], pd.DataFrame]:
    """40 made-up people, 3 cards of 2 to 4 alternatives each; an attribute, two person characteristics."""

    def make(seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        size = rng.integers(2, 5, 120)
        case = np.repeat(np.arange(120), size)
        mode = np.concatenate([np.sort(rng.permutation(4)[:k]) for k in size])
        frame = pd.DataFrame({"case": case + 1000, "person": 500 + case // 3, "mode": np.array(list("abcd"))[mode]})
        frame["cost"], frame["time"] = rng.gamma(2, 2, len(case)), rng.normal(size=len(case))
        frame["income"] = rng.gamma(2, 1, 40)[case // 3]
        frame["sex"] = np.array(["f", "m"])[rng.integers(0, 2, 40)][case // 3]
        u = mode / 3 - 0.3 * frame["cost"] + 0.5 * frame["time"] + 0.2 * (mode == 1) * frame["income"]
        u = u + rng.gumbel(size=len(case))
        return frame.assign(chosen=u == u.groupby(case).transform("max"))

    return make


@pytest.fixture(scope="module")
def design(travel):
    """Unequal weights of the travellers."""
    return weighted(travel, np.random.default_rng(1).uniform(1, 4, 210))


@pytest.fixture(scope="module", params=["logit", "nested", "mixed"])
def fit(request, travel, design):
    """The three models of the travellers."""
    return refitted(request.param, travel, design)
