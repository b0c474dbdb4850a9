r"""How the active go to work: modes that are chosen, and what is chosen on cards, in one model.

The utility of a way to work is :math:`V_m = \alpha_m + \beta_c c_m + \beta_t t_m + \beta_w w_m + \beta_h h_m` of its
cost a month, minutes under way, minutes on foot to it and headway. Choices that were made (revealed) are among the
modes open to a person at the times and costs of the table (`levels`) for all of them; choices on cards (stated) are
among the present way, a shuttle, a season ticket and a car-pool. Constants belong to one source each: what is new is
measured against the present way, modes against walking. Whoever walks all the way has a coefficient of its own for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..estimation.choice import ChoiceFit, calibrated
from ..estimation.choice.population import Calibrated
from ..estimation.shares import share
from ..study import Study
from . import levels, modes, stated
from .levels import CELL, MODES, Levels
from .market import Market
from .modes import ATTRIBUTES, NESTS, OFFERS, SHIFTS, TASTES, coded, scaled
from .outcomes import VALUES, Situations, alike

BLOCK = "commute"
TICKETS = {"fares": ("bus", "tram", "grand_taxi"), "ticket": ("bus", "tram")}
NEEDED = ("status", "command", "command_group", "cars_n", "shift", "commute_mode", "commute_km", "commute_days_n")
CARDS = ("commute_version", "commute_card_1")


@dataclass(frozen=True, eq=False)
class Commuters(Market):
    """The active of a study before their ways to work.

    Attributes
    ----------
    levels : Levels
        Times and costs of the modes.
    """

    levels: Levels

    def at(self, table: Levels) -> Commuters:
        """The same people at other times and costs, with models of their own."""
        return replace(self, levels=table)

    @cached_property
    def active(self) -> pd.Series:
        """Who has a way to work."""
        return (self.frame["status"] == "active").fillna(False).astype(bool)

    @cached_property
    def known(self) -> pd.Series:
        """The active of whom times and costs of all modes are known."""
        told = levels.cell(self.frame).notna().all(axis=1) & self.frame[["cars_n", "commute_days_n"]].notna().all(
            axis=1
        )
        return self.active & told

    @cached_property
    def people(self) -> pd.DataFrame:
        """What may shift a choice on cards: `stated.persons`, a car, nights, tens of km; 0 if unknown."""
        found = stated.persons(self.frame, BLOCK)
        night = levels.day_part(self.frame).eq("night").fillna(False)
        return found.assign(
            car=(self.frame["cars_n"] >= 1).fillna(False).to_numpy(float),
            nights=night.to_numpy(float),
            far_10km=levels.typical_km(self.frame).fillna(0.0).to_numpy(float) / 10,
        )

    @cached_property
    def cards(self) -> pd.DataFrame:
        """Cards that were answered, by alternative; what one has is the person's own cost and time."""
        return stated.observed(self.frame, self.codebook, BLOCK, self.people)

    def before_modes(self, where: pd.Series | None = None, owners_only: bool = True) -> pd.DataFrame:
        """Each mode that is open to each person of whom levels are known, at times and costs of the table.

        ``owners_only``: a car only for those with one in the household; else for everybody.
        """
        rows = self.known if where is None else self.known & where
        part, kinds = self.frame[rows], list(MODES)
        open_to = self.levels.open_to(part)
        if not owners_only:
            open_to["car"] = True
        told = self._with_values(self.levels.of_each(part), part, len(kinds))
        columns = {c: told[c].to_numpy() for c in [*ATTRIBUTES.values(), *VALUES]}
        at = levels.cell(part).assign(days=part["commute_days_n"], row=part.index)
        own = at.loc[at.index.repeat(len(kinds))].reset_index(drop=True)
        mode = pd.Categorical.from_codes(np.tile(np.arange(len(kinds)), len(part)), kinds)
        chosen = mode == part["commute_mode"].astype(object).to_numpy().repeat(len(kinds))
        long = own.assign(**columns, alternative=mode, chosen=np.asarray(chosen, float), case=own["row"])
        return scaled(long[open_to.to_numpy().ravel()].reset_index(drop=True))

    def way(self, part: pd.DataFrame, mode: pd.Series | str) -> pd.DataFrame:
        """Levels of a mode for some persons, with `VALUES` a month."""
        return self._with_values(self.levels.of(part, mode), part)

    def _with_values(self, found: pd.DataFrame, part: pd.DataFrame, times: int = 1) -> pd.DataFrame:
        """Levels with hours and DH a month, of ``times`` modes a person."""
        ways = self.levels.ways(part).to_numpy().repeat(times)
        return found.assign(hours=found["door_min"] * ways / 60, dh=found["cost_dh"], borne_dh=0.0)

    @cached_property
    def revealed(self) -> pd.DataFrame:
        """Modes open to those whose own mode is among them, and which they use."""
        long = self.before_modes(self.frame["commute_mode"].notna())
        return long[long.groupby("case")["chosen"].transform("sum") == 1].reset_index(drop=True)

    def both(self) -> pd.DataFrame:
        """Revealed and stated choices of those who had cards: ``source``, and ``kind`` as which a mode is coded."""
        had = self.frame.index[self.frame[f"{BLOCK}_version"].notna()]
        cards, one = self.cards, self.revealed[self.revealed["row"].isin(had)]
        columns = ["row", "chosen", *TASTES]
        parts = [one[[*columns, "foot_10min", "days", *CELL]], cards[[*columns, *SHIFTS]]]
        long = pd.concat(parts, ignore_index=True).fillna(dict.fromkeys((*SHIFTS, "foot_10min"), 0.0))
        cases = np.concatenate([pd.factorize(one["case"])[0], len(one) + pd.factorize(cards["case"])[0]])
        source = np.repeat(["revealed", "stated"], [len(one), len(cards)])
        names = pd.api.types.union_categoricals([one["alternative"], cards["alternative"]])
        return coded(long.assign(case=cases, source=source, alternative=names))

    @cached_property
    def kinds(self) -> tuple[np.ndarray, pd.Index]:
        """People alike in all that decides a mode: the situation (n,) of each, and a row that stands for each."""
        return alike(self._told, self.known)

    @cached_property
    def kinds_now(self) -> tuple[np.ndarray, pd.Index]:
        """As `kinds`, with the present mode and the group of commands: what decides whether it is left."""
        now = self.frame[["command_group", "commute_mode"]].astype(object)
        return alike(pd.concat([self._told, now], axis=1), self.known & self.frame["commute_mode"].notna())

    @cached_property
    def now(self) -> pd.DataFrame:
        """The present way of each of `kinds_now`."""
        frame = self.frame.loc[self.kinds_now[1]]
        return self.way(frame, frame["commute_mode"])

    def beside(self, mode: str) -> pd.DataFrame:
        """The way by a mode of each of `kinds_now`; with ``ways`` a month and ``km``."""
        frame = self.frame.loc[self.kinds_now[1]]
        known = {"ways": self.levels.ways(frame), "km": levels.typical_km(frame)}
        return self.way(frame, mode).assign(**known)

    @cached_property
    def kind_weights(self) -> np.ndarray:
        """Weighted number of people of each of `kinds_now`."""
        place, rows = self.kinds_now
        return np.bincount(place[place >= 0], self.design.weights[place >= 0], len(rows))

    @property
    def _told(self) -> pd.DataFrame:
        days = self.frame["commute_days_n"].astype(object)
        return levels.cell(self.frame).assign(car=self.people["car"], tram=self.levels.trams(self.frame), days=days)

    def situations(
        self, fares: float = 1.0, ticket_dh: float = np.inf, km: float = 1.0, owners: bool = True
    ) -> Situations:
        """The modes as they are, or with fares, a season ticket, distances or car ownership changed.

        Parameters
        ----------
        fares : float
            Fares of bus, tram and grand taxi, times what they are.
        ticket_dh : float
            A month of bus or tram costs no more than this.
        km : float
            Distances to work, times what they are.
        owners : bool
            Whether a car is only for those with one.
        """
        of, rows = self.kinds
        frame = self.frame.loc[rows]
        own = replace(self, frame=frame.assign(commute_km=frame["commute_km"] * km))
        long = own.before_modes(owners_only=owners)
        cost = long["cost_dh"].where(~long["alternative"].isin(TICKETS["fares"]), long["cost_dh"] * fares)
        cost = cost.where(~long["alternative"].isin(TICKETS["ticket"]), np.minimum(cost, ticket_dh))
        long = scaled(long.assign(cost_dh=cost, dh=cost, borne_dh=long["cost_dh"] - cost))
        blank = dict.fromkeys([*OFFERS, *(f"{o}_{shift}" for o in OFFERS for shift in SHIFTS)], 0.0)
        return Situations(coded(long).assign(**blank), of, rows)

    @cached_property
    def today(self) -> Situations:
        """The modes as they are."""
        return self.situations()

    def fit(self, name: str) -> ChoiceFit:
        """A model by name, fitted once.

        ``stated``: the cards; ``groups``: the cards, with a cost by income group; ``pooled``: cards and modes, on the
        scale of the modes; ``revealed``: modes alone; ``nested``: modes alone, in nests. The pooled and the nested one
        are of those who had cards, a random third.
        """
        model: ChoiceFit = getattr(self, f"_{name}")
        return model

    @cached_property
    def _stated(self) -> ChoiceFit:
        return self._of_cards(self.cards.assign(income_group="all"))

    @cached_property
    def _groups(self) -> ChoiceFit:
        return self._of_cards(self.cards)

    def _of_cards(self, long: pd.DataFrame) -> ChoiceFit:
        return stated.fitted(self.superpopulation, long, stated.formula(long, TASTES[:1], TASTES[1:], SHIFTS))

    @cached_property
    def _revealed(self) -> ChoiceFit:
        return modes.revealed(self.superpopulation, coded(self.revealed))

    @cached_property
    def _nested(self) -> ChoiceFit:
        had = self.frame.index[self.frame[f"{BLOCK}_version"].notna()]
        return modes.revealed(self.superpopulation, coded(self.revealed[self.revealed["row"].isin(had)]), NESTS)

    @cached_property
    def _pooled(self) -> ChoiceFit:
        return modes.pooled(self.superpopulation, self.both())

    @cached_property
    def market(self) -> Calibrated:
        """The revealed side of the pooled model, its constants such that shares are those of all the active."""
        return calibrated(modes.revealed_side(self.fit("pooled"), self.revealed), self.shares())

    def shares(self) -> dict[str, float]:
        """Shares of modes among all the active who told theirs."""
        mode = self.frame["commute_mode"]
        found = share(self.design, mode, where=self.active & mode.notna()).value
        return {str(name): float(x) for name, x in found.items()}


def commuters(study: Study) -> Commuters:
    """The active of a study at the times and costs of ``data/public/level_of_service.csv``.

    Raises
    ------
    WelfareError
        A question that the model needs was not asked.
    """
    if absent := study.lacking((*NEEDED, *CARDS)):
        raise WelfareError("the question was not asked", where="demand for transport", got=", ".join(absent))
    return Commuters(study.frame.set_axis(study.design.index), study.design, study.codebook, levels.levels())
