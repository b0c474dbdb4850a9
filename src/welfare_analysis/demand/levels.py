r"""Level of service: what each way to work takes and costs, by where, how far and when.

The form tells a command and a distance, no address, so origins and destinations are coarse: a class of city by group of
commands, a band of distance, and the shift. Every number is of ``data/public/level_of_service.csv``, with its range;
none is what a person says of the mode that he uses. Of a mode with speed v, access a, headway h and distance d

.. math:: t = 60 d / v, \qquad w = \min(\omega h, \bar w), \qquad c = \max(f + k d, \underline c),

minutes under way, of waiting, and DH a way; door to door it is t + a + w. Rotating shifts have the mean of day and
night.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..study import public

MODES = ("walk", "bus", "tram", "grand_taxi", "petit_taxi", "two_wheeler", "car", "staff_transport")
CELL = ["city", "band", "shift"]


@dataclass(frozen=True)
class Levels:
    """The table of all modes, at the middle of what is assumed."""

    @cached_property
    def parameters(self) -> pd.DataFrame:
        """Parameters (columns) by mode, class of city and part of the day; 0 where a mode has none of it."""
        rows = public("level_of_service")
        for column, every in (("city", ("large", "other")), ("day_part", ("day", "night"))):
            rows = rows.assign(**{column: rows[column].map(lambda x, e=every: [x] if isinstance(x, str) else list(e))})
            rows = rows.explode(column)
        known = rows.dropna(subset="mode")
        wide = known.pivot(index=["mode", "city", "day_part"], columns="parameter", values="value").astype(float)
        return wide.assign(night_factor=wide["night_factor"].fillna(1.0)).fillna({"most_km": np.inf}).fillna(0.0)

    def of_all(self, parameter: str) -> float:
        """A parameter that is the same for all modes."""
        rows = public("level_of_service")
        return float(rows[rows["mode"].isna() & (rows["parameter"] == parameter)].iloc[0]["value"])

    @cached_property
    def table(self) -> pd.DataFrame:
        """By mode, class of city, band and shift: time_min, walk_min, headway_min, wait_min, door_min, way_dh, open."""
        p, known = self.parameters, bands()
        cells = p.reset_index().merge(known[["band", "km"]], how="cross")
        km = cells["km"]
        on_foot = cells["mode"] == "walk"
        time, night = 60 * km / cells["speed_km_h"], cells["day_part"] == "night"
        cost = np.maximum(cells["fare_dh"] + cells["dh_km"] * km, cells["least_fare_dh"])
        found = cells[["mode", "city", "band", "day_part"]].assign(
            time_min=time.where(~on_foot, 0.0),
            foot_min=time.where(on_foot, 0.0),
            walk_min=cells["access_min"],
            headway_min=cells["headway_min"],
            wait_min=np.minimum(self.of_all("wait_share") * cells["headway_min"], self.of_all("wait_most_min")),
            way_dh=cost * cells["night_factor"].where(night, 1.0),
            open=((km <= cells["most_km"]) & (km >= cells["least_km"])).astype(float),
        )
        found["door_min"] = found[["time_min", "foot_min", "walk_min", "wait_min"]].sum(axis=1)
        wide = found.set_index(["mode", "city", "band", "day_part"]).unstack()
        share = self.of_all("night_share")
        parts = {part: wide.xs(part, axis=1, level=1) for part in ("day", "night")}
        parts["rotating"] = (1 - share) * parts["day"] + share * parts["night"]
        return pd.concat(parts, names=["shift"]).reorder_levels(["mode", *CELL]).sort_index()

    @cached_property
    def places(self) -> tuple[pd.MultiIndex, dict[str, np.ndarray]]:
        """Cells, and by mode the rows of `table` for them."""
        modes = self.table.index.get_level_values(0).unique()
        cells = self.table.loc[modes[0]].index
        return cells, {str(mode): self.table.loc[mode].loc[cells].to_numpy() for mode in modes}

    def of(self, frame: pd.DataFrame, mode: pd.Series | str) -> pd.DataFrame:
        """The columns of `table`, and cost_dh a month of work days, of a mode for each person; NA where not known."""
        cells, known = self.places
        place = cells.get_indexer(pd.MultiIndex.from_frame(cell(frame)))
        kinds = list(known)
        which = kinds.index(mode) if isinstance(mode, str) else pd.Index(kinds).get_indexer(mode.astype(object))
        found = np.stack(list(known.values()))[which, place]
        found = np.where(((place >= 0) & (np.asarray(which) >= 0))[:, None], found, np.nan)
        levels_ = pd.DataFrame(found, index=frame.index, columns=self.table.columns)
        return levels_.assign(cost_dh=levels_["way_dh"] * self.ways(frame))

    def of_each(self, frame: pd.DataFrame, modes: Sequence[str] = MODES) -> pd.DataFrame:
        """As `of`, every mode of every person: n x modes rows, a person's modes together, in this order."""
        cells, known = self.places
        place = cells.get_indexer(pd.MultiIndex.from_frame(cell(frame)))
        found = np.stack([known[mode] for mode in modes], axis=1)[place]
        found = np.where((place >= 0)[:, None, None], found, np.nan).reshape(len(frame) * len(modes), -1)
        each = pd.DataFrame(found, columns=self.table.columns)
        return each.assign(cost_dh=each["way_dh"] * self.ways(frame).to_numpy().repeat(len(modes)))

    def ways(self, frame: pd.DataFrame) -> pd.Series:
        """Ways to and from work a month."""
        return frame["commute_days_n"].astype(float) * self.of_all("ways_n") * self.of_all("weeks_n")


def bands() -> pd.DataFrame:
    """Bands of distance: band, from_km (not in it), to_km, and the typical km."""
    return public("distance_bands")


def cell(frame: pd.DataFrame) -> pd.DataFrame:
    """Where, how far and when: city (class), band and shift of each person, missing where not known.

    Raises
    ------
    WelfareError
        A column that was not asked.
    """
    absent = [name for name in ("command_group", "commute_km", "shift") if name not in frame]
    if absent:
        raise WelfareError("the question was not asked", where="level of service", got=", ".join(absent))
    classes, known = public("transport_zones").set_index("command_group")["city"], bands()
    band = pd.cut(frame["commute_km"].astype(float), [-1.0, *known["to_km"]], labels=list(known["band"]))
    city = frame["command_group"].astype(object).map(classes)
    return pd.DataFrame({"city": city, "band": band.astype(object), "shift": frame["shift"].astype(object)})


def day_part(frame: pd.DataFrame) -> pd.Series:
    """When somebody comes and goes: ``day`` shifts, or ``night`` hours too (night and rotating shifts)."""
    parts = frame["shift"].astype(object).map({"day": "day", "rotating": "night", "night": "night"})
    return parts.astype(pd.CategoricalDtype(["day", "night"])).rename("day_part")
