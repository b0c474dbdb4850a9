"""Levels of the stand-in, read from ``data/public``: reported, derived or assumed, each with its range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from ...errors import WelfareError
from ..codebook import Codebook


@dataclass(frozen=True)
class Parameters:
    """Every level that the stand-in uses.

    Attributes
    ----------
    levels : mapping of id to value, in the unit that ``facts.csv`` names
    facts : frame indexed by id (value, low, high, unit, year, kind, source, note)
    territory : frame indexed by command (command_group, share_of_staff, dear = rent index, national mean about 1)
    ranks : frame indexed by rank (rank_group, share_of_active, net_pay_dh a month at entry, pay_growth a year)
    codebook : the questions that are answered, and the choice cards
    """

    levels: Mapping[str, float]
    facts: pd.DataFrame
    territory: pd.DataFrame
    ranks: pd.DataFrame
    codebook: Codebook

    def __getitem__(self, name: str) -> float:
        """Value of one level; a level that no file gives is an error."""
        if name not in self.levels:
            raise WelfareError("unknown level", where="facts.csv", got=name, expected="an id of the file")
        return self.levels[name]

    @classmethod
    def read(cls, folder: str | Path) -> Parameters:
        """Read ``facts.csv``, ``territory.csv`` and ``ranks.csv`` from `folder`, and the codebook beside it."""
        folder = Path(folder)
        facts = pd.read_csv(folder / "facts.csv", index_col="id")
        if not facts.index.is_unique:
            raise WelfareError("an id occurs twice", where="facts.csv", expected="one row an id")
        values = dict(zip(facts.index, facts["value"].astype(float), strict=True))
        territory = pd.read_csv(folder / "territory.csv", index_col="command")
        ranks = pd.read_csv(folder / "ranks.csv", index_col="rank")
        return cls(values, facts, territory, ranks, Codebook.read(folder.parent / "codebook"))

    def codes(self, name: str) -> list[str]:
        """Codes of a list of the codebook."""
        return self.codebook.codes(name)

    def members(self, group: str) -> list[str]:
        """Items of a group of questions, without the name of the group."""
        return [name.removeprefix(f"{group}_") for name in self.codebook.members(group)]

    @cached_property
    def slopes(self) -> dict[str, list[str]]:
        """Covariates that each question (or code of it) depends on, by the ids ``<question>_<covariate>_slope``."""
        columns: dict[str, list[str]] = {}
        for name in self.levels:
            question, _, covariate = name.removesuffix("_slope").rpartition("_")
            if name.endswith("_slope"):
                columns.setdefault(question, []).append(covariate)
        return columns

    def draw(self, rng: np.random.Generator) -> Parameters:
        """Draw each assumed or derived level from the triangle (low, value, high).

        Shares of commands and ranks and the rent index move by a lognormal factor, as they have no range of their own.
        """
        drawn = self._drawn("conditions", rng)
        place, rank = self["territory_spread"], self["rank_spread"]
        territory = self.territory.assign(
            share_of_staff=_tilt(self.territory["share_of_staff"], place, rng),
            dear=self.territory["dear"] * np.exp(rng.normal(0, place, len(self.territory))),
        )
        ranks = self.ranks.assign(share_of_active=_tilt(self.ranks["share_of_active"], rank, rng))
        # from streams of their own, so that worlds that were drawn before these levels were there stay what they were
        later = [self._drawn(part, rng.spawn(1)[0]) for part in ("questionnaire", "social_works")]
        levels = {**self.levels, **drawn, **later[0], **later[1]}
        return replace(self, levels=levels, territory=territory, ranks=ranks)

    def _drawn(self, part: str, rng: np.random.Generator) -> dict[str, float]:
        facts = self.facts[self.facts["part"] == part]
        free = facts[facts["kind"].isin(["assumption", "derived"]) & (facts["low"] < facts["high"])]
        triangle = free[["low", "value", "high"]].to_numpy(dtype=float)
        return dict(zip(free.index, rng.triangular(*triangle.T), strict=True))


def _tilt(share: pd.Series, spread: float, rng: np.random.Generator) -> pd.Series:
    """Shares times lognormal factors, adding to one again."""
    tilted = share * np.exp(rng.normal(0, spread, len(share)))
    return tilted / tilted.sum()
