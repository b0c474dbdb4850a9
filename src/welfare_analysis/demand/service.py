r"""Terms of a staff shuttle, and how many riders a run needs to pay for itself.

A run in each window of a change of shift costs :math:`K = W D \ell k` DH a month: W windows a day, D days of service,
:math:`\ell` km, k DH a km. With a part a of the riders of a route in one window, each paying F a month, fares cover a
run from :math:`aK / F` riders in it. With s seats of which a share f is filled, what a rider costs is
:math:`aK / (sf)`: that is the plan, and where fewer are expected in a run a rider costs more (`Shuttle.rider_dh`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from .assumptions import assumption

parameter = partial(assumption, "shuttle")  # numbers of ``data/public/shuttle.csv``
LOW_IS_GOOD = ("cost_dh", "walk_min", "window_min", "least_riders_n", "route_km", "dh_km", "windows_a_day_n",
               "days_a_month_n", "least_km", "discount_rate", "season_ticket_dh")  # fmt: skip


@dataclass(frozen=True)
class Service:
    """Terms of a shuttle, of ``data/public/shuttle.csv``: what it costs a rider, how it runs, what it costs to run."""

    cost_dh: float
    walk_min: float
    window_min: float
    runs_n: float
    seats_n: float
    load_share: float
    window_share: float
    least_riders_n: float
    members_a_route_n: float
    route_km: float
    dh_km: float
    windows_a_day_n: float
    days_a_month_n: float
    constant_share: float
    scale: float
    least_km: float
    fare_share_most: float

    @classmethod
    def named(cls, **changed: str) -> Service:
        """The service with parameters at ``value``, or at the end (low, high) that is named for some."""
        return cls(**{name: parameter(name, changed.get(name, "value")) for name in cls.__dataclass_fields__})

    @classmethod
    def all_at(cls, good: bool) -> Service:
        """The service with every parameter at the end of its range at which more ride and less is paid, or fewer."""
        named = {n: "low" if (n in LOW_IS_GOOD) == good else "high" for n in cls.__dataclass_fields__}
        return cls.named(**named)

    @property
    def headway_min(self) -> float:
        """Minutes between runs."""
        return self.window_min / self.runs_n

    @property
    def run_dh(self) -> float:
        """What a run in every window costs a month, DH."""
        return self.windows_a_day_n * self.days_a_month_n * self.route_km * self.dh_km

    @property
    def full_n(self) -> float:
        """Riders in a run at the mean load that is planned."""
        return self.seats_n * self.load_share

    @property
    def rider_dh(self) -> float:
        """What a rider costs a month, DH, before the fare, at the mean load that is planned."""
        return self.run_dh * self.window_share / self.full_n

    def needed(self, fare_dh: Any) -> Any:
        """Riders in a run from which fares cover it."""
        return self.run_dh * self.window_share / np.asarray(fare_dh, dtype=float)


def break_even(fares_dh: Sequence[float]) -> pd.DataFrame:
    """By fare: riders that a run needs for fares to cover it, at the middle and the ends of what a km costs.

    ``seats`` are those of the vehicle; ``share_covered`` is the part of the cost that fares cover at the mean load.
    """
    service = Service.named()
    names = {"needed": "value", "needed_low": "low", "needed_high": "high"}
    table = {n: np.ceil(Service.named(dh_km=end).needed(fares_dh)) for n, end in names.items()}
    table |= {"seats": np.full(len(fares_dh), service.seats_n)}
    return pd.DataFrame({**table, "share_covered": np.asarray(fares_dh) / service.rider_dh}, index=list(fares_dh))


def annuity(years: float, rate: float) -> float:
    """What one a year, at the end of each of some years, is worth today."""
    return float((1 - (1 + rate) ** -years) / rate)
