"""Choice models: Swissmetro (6,768 choices), and 80,000 made-up choices of 5 with 10 attributes.

Ours starts from the long frame and a formula and ends with the covariance of the design; the peer starts from arrays
that are ready and ends with its own, which knows no design.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from timing import Case

from welfare_analysis.estimation import Design
from welfare_analysis.estimation.choice import logit, nested_logit

SWISSMETRO = Path(__file__).parents[2] / "data" / "reference" / "swissmetro.csv.gz"
FORMULA = "chosen ~ C(mode, contr.treatment('sm')) + time + cost"
NAMES = {"case": "case", "alternative": "mode"}


def swissmetro() -> pd.DataFrame:
    """One row an alternative of a case, available or not: business and commuters, as in the published model."""
    wide = pd.read_csv(SWISSMETRO).query("PURPOSE in (1, 3) and CHOICE != 0").reset_index(drop=True)
    parts = []
    for number, (mode, upper) in enumerate({"train": "TRAIN", "sm": "SM", "car": "CAR"}.items(), 1):
        free = (wide["GA"] == 1) & (mode != "car")
        there = (wide[f"{upper}_AV"] == 1) & ((wide["SP"] != 0) | (mode == "sm"))
        attributes = {"time": wide[f"{upper}_TT"] / 100, "cost": wide[f"{upper}_CO"].where(~free, 0) / 100}
        chosen = wide["CHOICE"] == number
        parts.append(pd.DataFrame({"case": wide.index, "mode": mode, **attributes, "chosen": chosen, "there": there}))
    return pd.concat(parts).sort_values(["case", "mode"], ignore_index=True)


def made_up(n: int = 80_000, alternatives: int = 5, attributes: int = 10) -> tuple[pd.DataFrame, Design]:
    """Choices of people in 2,000 clusters with unequal weights."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n * alternatives, attributes))
    utility = (x @ np.linspace(-1, 1, attributes)).reshape(n, alternatives) + rng.gumbel(size=(n, alternatives))
    long = pd.DataFrame(x, columns=[f"x{i}" for i in range(attributes)])
    long["case"], long["mode"] = np.repeat(np.arange(n), alternatives), np.tile(np.arange(alternatives), n)
    long["chosen"] = (utility == utility.max(axis=1, keepdims=True)).ravel()
    return long, Design(pd.Series(rng.uniform(1, 3, n)), psu=pd.Series(np.arange(n) % 2000))


def cases() -> list[Case]:
    """Logit of both data sets beside xlogit; nested logit beside ten of our logits."""
    full = swissmetro()
    full["train"], full["car"] = (full["mode"] == "train").astype(float), (full["mode"] == "car").astype(float)
    long = full[full["there"]].reset_index(drop=True)
    big, design = made_up()
    right = [f"x{i}" for i in range(10)]
    nests = {"ground": ["train", "car"], "new": ["sm"]}

    def ours() -> object:
        return logit(None, long, FORMULA, **NAMES).se

    def ten() -> None:
        for _ in range(10):
            ours()

    return [
        Case(
            "Swissmetro logit",
            ours,
            {"xlogit": _xlogit(full, ["train", "car", "time", "cost"])},
            {"xlogit": 1},
        ),
        Case(
            "80,000 x 5 x 10 logit",
            lambda: logit(design, big, f"chosen ~ {' + '.join(right)}", **NAMES).covariance(),
            {"xlogit": _xlogit(big.assign(there=True), right, np.repeat(design.weights, 5))},
            {"xlogit": 4},
        ),
        Case(
            "Swissmetro nested logit",
            lambda: nested_logit(None, long, FORMULA, nests=nests, **NAMES).se,
            {"ten of our logits": ten},
            {"ten of our logits": 1},
        ),
    ]


def _xlogit(frame: pd.DataFrame, names: list[str], weights: np.ndarray | None = None) -> Callable[[], object] | None:
    try:
        from xlogit import MultinomialLogit
    except ImportError:
        return None
    x, y = frame[names].to_numpy(), frame["chosen"].to_numpy()
    given = {"alts": frame["mode"].to_numpy(), "ids": frame["case"].to_numpy(), "avail": frame["there"].to_numpy()}

    def fit() -> object:
        model = MultinomialLogit()
        model.fit(x, y, varnames=names, weights=weights, verbose=0, **given)
        return model.stderr

    return fit
