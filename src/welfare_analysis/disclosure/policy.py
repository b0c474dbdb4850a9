"""The thresholds of what may be shown, as ``data/policy.csv`` holds them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..study import DATA

ROUND, BASES = "round_", "bases_from_"


@dataclass(frozen=True)
class Policy:
    """Thresholds in respondents, shares of sums, of cells and of errors, what units and bases are rounded to."""

    min_respondents: int
    min_base: int
    caution_base: int
    dominance_share: float
    protection_share: float
    open_respondents: float
    open_share: float
    error_share: float
    rounding: tuple[tuple[str, float], ...]
    bases: tuple[tuple[float, float], ...] = ((0.0, 1.0),)
    colleagues: int = 0
    colleagues_level: float = 0.99
    min_places: int = 1

    @classmethod
    def read(cls, path: Path = DATA / "policy.csv") -> Policy:
        """Read a file with the columns rule and value; ``round_<unit>`` is a step, ``round_totals`` the one of others.

        ``bases_from_<n>`` is the step of numbers of respondents from n on.

        Raises
        ------
        WelfareError
            A rule that is missing, unknown, or no number from 0 on.
        """
        rules = pd.read_csv(path).set_index("rule")["value"]
        numbers = pd.to_numeric(rules, errors="coerce")
        names = [name for name in cls.__dataclass_fields__ if name not in ("rounding", "bases")]
        for name in (*names, f"{ROUND}totals", *numbers.index):
            if name not in numbers or not numbers[name] >= 0:
                raise WelfareError("a rule is missing or no number", where=f"{path.name}, {name}", got=rules.get(name))
        steps = tuple((str(n).removeprefix(ROUND), float(x)) for n, x in numbers.items() if str(n).startswith(ROUND))
        bases = sorted(
            (float(str(n).removeprefix(BASES)), float(x)) for n, x in numbers.items() if str(n).startswith(BASES)
        )
        return cls(**{name: numbers[name] for name in names}, rounding=steps, bases=tuple(bases) or ((0.0, 1.0),))

    def step(self, unit: str) -> float:
        """What numbers in a unit are rounded to."""
        steps = dict(self.rounding)
        return steps.get(unit, steps["totals"])

    def base(self, n: Any) -> Any:
        """Numbers of respondents as they are printed: differences between two of them tell no few."""
        many = np.asarray(n, dtype=float)
        edges, steps = np.array(self.bases).T
        step = steps[np.searchsorted(edges, np.nan_to_num(many), side="right") - 1]
        return np.round(many / step) * step


@cache
def policy(path: Path = DATA / "policy.csv") -> Policy:
    """The policy of a file, read once."""
    return Policy.read(path)
