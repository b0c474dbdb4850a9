"""The thresholds of what may be shown, as ``data/policy.csv`` holds them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from ..errors import WelfareError
from ..study import DATA

ROUND = "round_"


@dataclass(frozen=True)
class Policy:
    """Thresholds in respondents, shares for sums of money, and what numbers are rounded to, by unit."""

    min_respondents: int
    min_base: int
    caution_base: int
    dominance_share: float
    protection_share: float
    rounding: tuple[tuple[str, float], ...]

    @classmethod
    def read(cls, path: Path = DATA / "policy.csv") -> Policy:
        """Read a file with the columns rule and value; ``round_<unit>`` is a step, ``round_totals`` the one of others.

        Raises
        ------
        WelfareError
            A rule that is missing, unknown, or no number from 0 on.
        """
        rules = pd.read_csv(path).set_index("rule")["value"]
        numbers = pd.to_numeric(rules, errors="coerce")
        names = [name for name in cls.__dataclass_fields__ if name != "rounding"]
        for name in (*names, f"{ROUND}totals", *numbers.index):
            if name not in numbers or not numbers[name] >= 0:
                raise WelfareError("a rule is missing or no number", where=f"{path.name}, {name}", got=rules.get(name))
        steps = tuple((str(n).removeprefix(ROUND), float(x)) for n, x in numbers.items() if str(n).startswith(ROUND))
        return cls(**{name: numbers[name] for name in names}, rounding=steps)

    def step(self, unit: str) -> float:
        """What numbers in a unit are rounded to."""
        steps = dict(self.rounding)
        return steps.get(unit, steps["totals"])


@cache
def policy(path: Path = DATA / "policy.csv") -> Policy:
    """The policy of a file, read once."""
    return Policy.read(path)
