"""A table that may be shown, and a release: all tables of a study, made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..errors import WelfareError, unknown

CATEGORY = "category"
NUMBERS = ["estimate", "low", "high"]


@dataclass(frozen=True, eq=False)
class Released:
    """A table that may be shown.

    ``frame`` is long: the group columns ``by``, ``category`` where there is a column across (``standard`` for the same
    condition under several standards), estimate, low, high, n, and a flag that is empty, ``caution``, ``unsure`` (the
    estimate and its interval are missing) or ``hidden`` (all numbers are). A column ``unit`` gives each row its own;
    ``step`` is what the numbers of a row are printed to (`digits`).
    ``state`` is ``shown``, or the key of a text that says why there is no table. ``respondents`` answered,
    ``missing_share`` of those asked did not; ``followed_up`` of them answered only when asked again.
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
    followed_up: int = 0

    def without_numbers(self, state: str) -> Released:
        """The table without numbers, and why."""
        return replace(
            self, frame=pd.DataFrame(), respondents=0, followed_up=0, missing_share=float("nan"), state=state
        )

    def narrowed(self, blank: Released, code: str) -> Released:
        """The cells of one category as the table ``blank`` of that condition: what is hidden here is hidden there."""
        if self.state != "shown":
            return blank.without_numbers(self.state)
        frame = self.frame[self.frame[CATEGORY].astype(str) == code].drop(columns=CATEGORY).reset_index(drop=True)
        return replace(self, id=blank.id, variable=blank.variable, unit=blank.unit, frame=frame)

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

    def cells(self, *codes: str) -> pd.DataFrame:
        """Rows by the codes of their keys, in order; ``*`` is any code, ``~code`` any other.

        Raises
        ------
        WelfareError
            More codes than the table has keys.
        """
        if len(codes) > len(self.keys):
            raise WelfareError(
                "a cell has fewer keys", where=self.id, got="|".join(codes), expected=", ".join(self.keys)
            )
        inside = np.ones(len(self.frame), dtype=bool)
        for own, code in zip(self._codes, codes, strict=False):
            same = own == code.removeprefix("~")
            inside &= True if code == "*" else ~same if code.startswith("~") else same
        return self.frame[inside]

    @cached_property
    def _codes(self) -> list[np.ndarray]:
        """The codes of each key (rows,), as text: a page asks for thousands of cells."""
        return [self.frame[key].astype(str).to_numpy(object) for key in self.keys]

    def cell(self, *codes: str) -> pd.Series | None:
        """The one cell with these codes; None where the table has none."""
        found = self.cells(*codes)
        return found.iloc[0] if len(found) else None


def declared(
    name: str, statistic: str, variable: str, by: tuple[str, ...], unit: str, where: str = "", of: str = ""
) -> Released:
    """A table that has no numbers yet: `protect` gives them."""
    return Released(name, statistic, variable, by, unit, where, of)


def restored(about: Mapping[str, Any], frame: pd.DataFrame) -> Released:
    """A table that was released, from what was kept of it: its fields but the frame, and the frame."""
    return Released(**{**about, "by": tuple(about["by"]), "frame": frame})


Release = Mapping[str, Released]


class Lazy(Mapping[str, Released]):
    """A release whose tables are made when they are first asked for; ``made`` holds those that were."""

    def __init__(self, makers: Mapping[str, Callable[[], Released]]) -> None:
        self.makers = dict(makers)
        self.made: dict[str, Released] = {}

    def __getitem__(self, name: str) -> Released:
        """Return a table; made once.

        Raises
        ------
        WelfareError
            A name that no table has.
        """
        if name not in self.made:
            if name not in self.makers:
                raise unknown("no such table", name, self, "a name of results.catalogue")
            self.made[name] = self.makers[name]()
        return self.made[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is a table of this name; it is not made."""
        return name in self.makers

    def __iter__(self) -> Iterator[str]:
        """Names of all tables."""
        return iter(self.makers)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.makers)
