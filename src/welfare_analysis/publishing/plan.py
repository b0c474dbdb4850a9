"""The plan of what is published: a row of ``data/release.csv`` names a table, and how it is estimated."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd

from ..errors import WelfareError
from ..estimation import Design, Estimate, mean, quantile, share, total
from ..study import DATA
from .suppression import CATEGORY

HEADLINES = ("tenant", "crowded", "cost_burdened", "over_debt_limit", "commute_long")
CONDITION = re.compile(r"^(\w+) (?:=|in) ([\w|]+)$")
NUMBERS = ["estimate", "low", "high"]
HOUSEHOLD = "household_share"  # a total of it is a number of households
STATISTICS = ("count", "share", "mean", "median", "total", "standards")


@dataclass(frozen=True, eq=False)
class Released:
    """A table that may be shown.

    ``frame`` is long: the group columns ``by``, ``category`` where shares add to one (``standard`` for the same
    condition under several standards), estimate, low, high, n, and a flag that is empty, ``caution``, ``unsure`` (the
    estimate and its interval are missing) or ``hidden`` (all numbers are). ``state`` is ``shown``, ``not_asked`` or
    ``no_totals``. ``respondents`` answered, ``missing_share`` of those asked did not.
    """

    id: str
    statistic: str
    variable: str
    by: tuple[str, ...]
    unit: str
    where: str = ""
    of: str = ""
    frame: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    respondents: int = 0
    missing_share: float = float("nan")
    state: str = "not_asked"

    @property
    def keys(self) -> list[str]:
        """Columns that name a cell."""
        return [k for k in (*self.by, CATEGORY, "standard") if k in self.frame]

    @property
    def silence(self) -> str:
        """Why it shows no number: its state, or that its cells are ``hidden``, or too ``unsure``."""
        if self.state != "shown":
            return self.state
        flags = set(self.frame["flag"])
        return "unsure" if "unsure" in flags and "hidden" not in flags else "hidden"

    @property
    def shown(self) -> pd.DataFrame:
        """The cells with a number."""
        return self.frame.dropna(subset="estimate") if self.state == "shown" else pd.DataFrame(columns=NUMBERS)


Release = Mapping[str, Released]


class Lazy(Mapping[str, Released]):
    """A release whose tables are made when they are first asked for; ``made`` holds those that were.

    ``lazy | others`` adds tables that are made already.
    """

    def __init__(self, makers: Mapping[str, Callable[[], Released]], made: Release | None = None) -> None:
        self.makers, self.made = dict(makers), dict(made or {})

    def __getitem__(self, name: str) -> Released:
        """Return a table; made once."""
        if name not in self.made:
            self.made[name] = self.makers[name]()
        return self.made[name]

    def __iter__(self) -> Iterator[str]:
        """Names of all tables."""
        return iter({**self.makers, **self.made})

    def __len__(self) -> int:
        """Return how many there are."""
        return len({*self.makers, *self.made})

    def __or__(self, others: Release) -> Lazy:
        """Return the release with further tables."""
        return Lazy(self.makers, self.made | dict(others))


def made(released: Release) -> Release:
    """The tables that a page has asked for; all of a release that is not `Lazy`."""
    return released.made if isinstance(released, Lazy) else released


def blank_of(row: Mapping[str, str]) -> Released:
    """A row of the plan as a table without numbers."""
    if row["statistic"] not in STATISTICS:
        raise WelfareError(
            "unknown statistic", where=f"release.csv, {row['id']}", got=row["statistic"], expected=", ".join(STATISTICS)
        )
    if row["where"] and not CONDITION.match(row["where"]):
        raise WelfareError("a condition cannot be read", where=f"release.csv, {row['id']}", got=row["where"])
    by = tuple(part for part in row["by"].split("|") if part)
    return Released(row["id"], row["statistic"], row["variables"], by, row["unit"], row["where"], row.get("of", ""))


def inside(frame: pd.DataFrame, where: str) -> pd.Series:
    """Rows that a condition of the plan (``variable = code``, ``variable in a|b``) speaks of; all if it is empty."""
    condition = CONDITION.match(where)
    return frame[condition[1]].isin(condition[2].split("|")) if condition else pd.Series(True, frame.index)


def estimate(design: Design, frame: pd.DataFrame, table: Released, told: pd.Series | None = None) -> Estimate:
    """A table of the plan, not yet protected.

    ``told`` are the rows that answered. A total stands for the others of its condition too, and does not use it.
    """
    rows = inside(frame, table.where)
    of: dict[str, Callable[..., Estimate]] = {
        "share": share,
        "mean": mean,
        "median": partial(quantile, q=0.5),
        "total": partial(total, missing="mean"),
    }
    where = rows if told is None or table.statistic == "total" else told
    values = frame[table.variable]
    if table.unit == "households" and table.variable != HOUSEHOLD:
        values = (values.astype("Float64") * frame[HOUSEHOLD]).rename(values.name)
    return of[table.statistic](design, values, by=[frame[c] for c in table.by] or None, where=where)


def standards(name: str, path: Path = DATA / "public" / "standards.csv") -> list[float]:
    """The values under which a condition is shown, in order."""
    known = pd.read_csv(path)
    return sorted(known.loc[known["indicator"] == name, "value"].astype(float))
