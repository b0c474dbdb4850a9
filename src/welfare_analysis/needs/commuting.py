"""Commuting of the active: one indicator, one function; NA for everybody who is not known to be active.

Times are minutes one way, door to door; costs are dirhams (DH) a month.
"""

from dataclasses import dataclass

import pandas as pd

from welfare_analysis.needs.income_debt import above, answer, asked, banded, is_code, member_income_dh, part_of

KM_BANDS = ("up_to_2", "2_to_5", "5_to_10", "over_10")
COST_BANDS = ("up_to_2", "2_to_5", "5_to_10", "over_10")
OWN_WAYS = ("car", "two_wheeler", "staff_transport")
COMMUTE_BANDS = ("up_to_15", "15_to_30", "30_to_60", "over_60")


@dataclass(frozen=True)
class Standards:
    """Boundaries of a long and of a banded commute: conventions of this project, not official norms.

    Parameters
    ----------
    long_above_min : float
        Minutes one way above which a commute is long.
    bands_min : tuple of float
        Upper ends of the first three bands, each included in its band.
    walk_most_km : float
        Kilometres one way up to which one can come on foot.
    km_bands, share_bands : tuple of float
        Upper ends of the first three bands of distance (km) and of cost (share of income), each in its band.
    dear_above_share : float
        Share of the member's income above which the commute costs too much.
    """

    long_above_min: float = 60.0
    bands_min: tuple[float, float, float] = (15.0, 30.0, 60.0)
    walk_most_km: float = 2.0
    km_bands: tuple[float, float, float] = (2.0, 5.0, 10.0)
    share_bands: tuple[float, float, float] = (0.02, 0.05, 0.10)
    dear_above_share: float = 0.10


STANDARDS = Standards()


def _of_active(frame: pd.DataFrame, name: str) -> pd.Series:
    status, column = asked(frame, "status", name)
    return column.where(status.eq("active"))


def commute_long(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Whether the way to work takes more than ``long_above_min``; needs ``status``, ``commute_min``."""
    return above(_of_active(frame, "commute_min"), standards.long_above_min).rename("commute_long")


def commute_cost_share(frame: pd.DataFrame) -> pd.Series:
    """Cost of commuting over the income of the member.

    Needs ``commute_cost_dh`` and what `member_income_dh` needs. NA also where either is missing or the income is zero.
    """
    return part_of(_of_active(frame, "commute_cost_dh"), member_income_dh(frame)).rename("commute_cost_share")


def commute_band(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Band of minutes one way, an ordered Categorical.

    ``up_to_15``: 0 to 15; ``15_to_30``: above 15, up to 30; ``30_to_60``: above 30, up to 60; ``over_60``. The codes
    name the default bounds. Needs ``status``, ``commute_min``; NA where missing.
    """
    return banded(_of_active(frame, "commute_min"), standards.bands_min, COMMUTE_BANDS).rename("commute_band")


def commute_km_band(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Band of kilometres one way, an ordered Categorical: `KM_BANDS`, upper ends included.

    Needs ``status``, ``commute_km``; NA where missing.
    """
    return banded(_of_active(frame, "commute_km"), standards.km_bands, KM_BANDS).rename("commute_km_band")


def commute_cost_band(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Band of `commute_cost_share`, an ordered Categorical: `COST_BANDS` in hundredths, upper ends included."""
    return banded(commute_cost_share(frame), standards.share_bands, COST_BANDS).rename("commute_cost_band")


def has_car(frame: pd.DataFrame) -> pd.Series:
    """Whether there is a car in the household; needs ``cars_n``, NA where missing."""
    return above(answer(frame, "cars_n"), 0).rename("has_car")


def works_nights(frame: pd.DataFrame) -> pd.Series:
    """Whether the shift is rotating or night; needs ``status``, ``shift``, NA where missing."""
    return is_code(_of_active(frame, "shift"), "rotating", "night").rename("works_nights")


def out_of_reach(frame: pd.DataFrame) -> pd.Series:
    """Whether there is never public transport at the hours of the shift; needs ``status``, ``transit_at_shift``."""
    return is_code(_of_active(frame, "transit_at_shift"), "never").rename("out_of_reach")


def no_way_to_come(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Whether there is no way of one's own to come at the hours of the shift: the need, not the demand.

    `out_of_reach`, without a car in the household, not by two-wheeler, car or staff transport now, and farther from
    work than ``walk_most_km``. No as soon as one of these does not hold; else NA where one is missing.
    """
    far = above(_of_active(frame, "commute_km"), standards.walk_most_km)
    own = is_code(_of_active(frame, "commute_mode"), *OWN_WAYS)
    without = out_of_reach(frame) & ~has_car(frame) & ~own & far
    return without.mask(frame["status"].ne("active").fillna(True).astype(bool)).rename("no_way_to_come")


def commute_dear(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Whether the commute takes more than ``dear_above_share`` of the member's income; see `commute_cost_share`."""
    return above(commute_cost_share(frame), standards.dear_above_share).rename("commute_dear")


def transport_need(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Whether somebody is in need of transport: `no_way_to_come`, `commute_long` or `commute_dear`.

    Yes as soon as one holds; else NA where one is missing. Need by what is, whatever is wanted or could be paid.
    """
    parts = (no_way_to_come, commute_long, commute_dear)
    first, second, third = (part(frame, standards).astype("boolean") for part in parts)
    return (first | second | third).rename("transport_need")


def intercity_spend_dh(frame: pd.DataFrame) -> pd.Series:
    """What trips between towns cost in a year: trips times the cost of one; 0 without trips, NA if one is missing.

    Needs ``intercity_trips_n``, ``intercity_cost_dh``.
    """
    trips, cost = asked(frame, "intercity_trips_n", "intercity_cost_dh")
    trips, cost = trips.astype("float64"), cost.astype("float64")
    return (trips * cost).where(trips > 0, trips).rename("intercity_spend_dh")
