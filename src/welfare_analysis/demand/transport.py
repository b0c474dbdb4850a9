"""The active before their ways to work: what they use and what it takes, and what they choose on cards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ..estimation.choice import ChoiceFit
from ..needs.income_debt import is_code
from ..study import Study
from . import levels, modes, stated
from .levels import Levels
from .stated import CardMarket, shared

BLOCK = "commute"
NEEDED: tuple[str, ...] = ("status", "command", "command_group", "cars_n", "shift", "commute_mode", "commute_km")
NEEDED += ("commute_days_n", "commute_min", "commute_cost_dh", "transit_at_shift", "transport_wish_shuttle")
NEEDED += ("net_pay_dh", "pension_dh")
CARDS = (f"{BLOCK}_version", f"{BLOCK}_card_1", f"{BLOCK}_certainty")
LIKE = "staff_transport"


@dataclass(frozen=True, eq=False)
class Commuters(CardMarket):
    """The active of a study before their ways to work.

    Attributes
    ----------
    levels : Levels
        Times and costs of the modes.
    """

    levels: Levels
    block = BLOCK

    @cached_property
    def active(self) -> pd.Series:
        """Who has a way to work."""
        return self.frame["status"].eq("active").fillna(False).astype(bool)

    @cached_property
    def known(self) -> pd.Series:
        """The active of whom the present mode, and times and costs of all modes, are known."""
        parts = [levels.cell(self.frame), self.frame[["cars_n", "commute_days_n", "commute_mode"]]]
        return self.active & pd.concat(parts, axis=1).notna().all(axis=1)

    @cached_property
    def wants(self) -> pd.Series:
        """Who of the active says they would use a shuttle; NA where it is not known."""
        return is_code(self.frame["transport_wish_shuttle"].where(self.active), "yes")

    @shared
    def people(self) -> pd.DataFrame:
        """What may shift a choice on cards: `stated.persons`, a car, nights, tens of km; 0 if unknown."""
        night = levels.day_part(self.frame).eq("night").fillna(False)
        return stated.persons(self.frame, BLOCK).assign(
            car=(self.frame["cars_n"] >= 1).fillna(False).to_numpy(float),
            nights=night.to_numpy(float),
            far_10km=self.km.fillna(0.0).to_numpy(float) / 10,
        )

    @shared
    def _fit(self) -> ChoiceFit:
        """The model of the cards; what one has is the person's own cost and time."""
        return modes.cards(self.superpopulation, self.cards)

    @property
    def wishers(self) -> pd.Series:
        """Who says that they would use a shuttle."""
        return self.wants.fillna(False).astype(bool)

    @property
    def counted(self) -> pd.Series:
        """The active."""
        return self.active

    @cached_property
    def now(self) -> pd.DataFrame:
        """Levels of the present mode of each person."""
        return self.levels.of(self.frame, self.frame["commute_mode"])

    @cached_property
    def staff(self) -> pd.DataFrame:
        """Levels of staff transport, the mode of today most like a shuttle, for each person."""
        return self.levels.of(self.frame, LIKE)

    @cached_property
    def km(self) -> pd.Series:
        """Distance to work as its band tells it; missing where it is not known."""
        return levels.cell(self.frame)["band"].map(levels.bands().set_index("band")["km"]).astype(float)

    @cached_property
    def group(self) -> pd.Series:
        """Command group and part of the day, who could share a run; missing where it is not known."""
        parts = self.frame["command_group"].astype(object), levels.day_part(self.frame).astype(object)
        return (parts[0] + "." + parts[1]).where(self.known).rename("group")

    def segments(self) -> pd.Series:
        """People alike in what decides a mode: class of city, band of distance, a car; missing if not known."""
        car = pd.Series(np.where(self.people["car"] > 0, "car", "no_car"), self.frame.index)
        at = levels.cell(self.frame).astype(str)
        return (at["city"] + "." + at["band"] + "." + car).where(self.known).rename("segment")


def commuters(study: Study) -> Commuters:
    """The active of a study at the times and costs of ``data/public/level_of_service.csv``.

    Raises
    ------
    WelfareError
        A question that the model needs was not asked.
    """
    return Commuters(*stated.asked(study, (*NEEDED, *CARDS), "transport"), Levels())
