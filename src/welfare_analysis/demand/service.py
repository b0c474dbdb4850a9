r"""Terms of a staff shuttle, and how often it runs for so many riders.

With n runs in the window of a change of shift the headway is window / n, and with :math:`D(n)` the riders of a route

.. math:: n = 0 \text{ if } aD(n) < \underline r, \text{ else } \min\{N, \lceil aD(n) / (\ell s) \rceil\}

is an equilibrium: a the part that travels in one window, s seats, :math:`\ell` the load at which a run is added. D
rises with n, so the right side does, and there is a greatest one (Tarski 1955), found by trying each n; numbers of
riders are of that. That nothing runs, because nothing runs, is always one too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from ..study import public


@dataclass(frozen=True)
class Service:
    """Terms of a shuttle, of ``data/public/shuttle.csv``: what it costs a rider, how it runs, what it costs to run."""

    cost_dh: float
    walk_min: float
    window_min: float
    runs_most_n: float
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
    least_km: float

    @classmethod
    def named(cls, **changed: str) -> Service:
        """The service with parameters at ``value``, or at the end (low, high) that is named for some."""
        return cls(**{name: parameter(name, changed.get(name, "value")) for name in cls.__dataclass_fields__})

    @property
    def runs(self) -> range:
        """Numbers of runs in a window that may be asked for, one at least."""
        return range(1, int(self.runs_most_n) + 1)

    def headway_min(self, runs: Any) -> Any:
        """Minutes between runs."""
        return self.window_min / runs

    def wanted(self, riders: np.ndarray) -> np.ndarray:
        """Runs in a window for so many riders of a route."""
        there = np.asarray(riders) * self.window_share
        runs = np.minimum(self.runs_most_n, np.ceil(there / (self.seats_n * self.load_share)))
        return np.where(there < self.least_riders_n, 0, runs).astype(int)

    def route_dh(self, runs: Any) -> Any:
        """What a route costs a month, DH."""
        return runs * self.windows_a_day_n * self.days_a_month_n * self.route_km * self.dh_km


@cache
def parameter(name: str, end: str = "value") -> float:
    """A number of ``data/public/shuttle.csv``: value, low or high of a parameter."""
    return float(public("shuttle").set_index("parameter").loc[name, end])


def equilibria(riders: Mapping[int, float], service: Service) -> list[int]:
    """All numbers of runs that riders ask for when there are so many: ``riders`` of a route by runs; 0 comes first."""
    return [0, *(n for n, many in riders.items() if int(service.wanted(np.array(many))) == n)]


def greatest(shares: pd.DataFrame, service: Service) -> pd.Series:
    """Runs in a window in the greatest equilibrium of each cell (rows), of the share that rides by runs (columns)."""
    riders = (shares * service.members_a_route_n).to_dict("records")
    return pd.Series([equilibria(row, service)[-1] for row in riders], index=shares.index, dtype=int)


def break_even(service: Service) -> pd.DataFrame:
    """By runs in a window of a route: riders for which they are kept, riders carried, DH a month in all and a rider.

    ``needed`` is the smallest number in the window of one change of shift that asks for so many runs; ``a_rider_dh`` is
    before the fare, with no more riders than are needed.
    """
    runs = np.array(service.runs)
    carried = runs * service.seats_n * service.load_share
    more = np.floor((runs - 1) * service.seats_n * service.load_share) + 1
    cost = service.route_dh(runs)
    needed = np.maximum(more, np.ceil(service.least_riders_n))
    table = {"needed": needed, "carried": np.floor(carried), "route_dh": cost}
    return pd.DataFrame({**table, "a_rider_dh": cost * service.window_share / needed}, index=runs)
