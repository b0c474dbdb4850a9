"""Commuting of the active: one indicator, one function; NA for everybody who is not known to be active.

Times are minutes one way, door to door; costs are dirhams (DH) a month.
"""

from dataclasses import dataclass

import pandas as pd

from welfare_analysis.needs.income_debt import above, asked, is_code, member_income_dh, part_of

TRIPS_A_DAY, WEEKS_A_YEAR, MONTHS_A_YEAR, MINUTES_AN_HOUR = 2, 52, 12, 60
COMMUTE_BANDS = ("up_to_15", "15_to_30", "30_to_60", "over_60")


@dataclass(frozen=True)
class Standards:
    """Boundaries of a long, a dear and a banded commute: conventions of this project, not official norms.

    Parameters
    ----------
    long_above_min : float
        Minutes one way above which a commute is long.
    burden_above_share : float
        Part of the member's income above which the cost of commuting is a burden.
    bands_min : tuple of float
        Upper ends of the first three bands, each included in its band.
    """

    long_above_min: float = 60.0
    burden_above_share: float = 0.10
    bands_min: tuple[float, float, float] = (15.0, 30.0, 60.0)


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


def commute_cost_burdened(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Whether the cost share is above ``burden_above_share``; NA as in `commute_cost_share`."""
    return above(commute_cost_share(frame), standards.burden_above_share).rename("commute_cost_burdened")


def commute_h_month(frame: pd.DataFrame) -> pd.Series:
    """Hours of commuting a month: ``2 * commute_min * commute_days_n * 52 / 12 / 60``; NA where either is missing."""
    minutes, days = _of_active(frame, "commute_min"), _of_active(frame, "commute_days_n")
    weeks_a_month = WEEKS_A_YEAR / MONTHS_A_YEAR
    hours = TRIPS_A_DAY * minutes * days * weeks_a_month / MINUTES_AN_HOUR
    return hours.astype("float64").rename("commute_h_month")


def motorised_private(frame: pd.DataFrame) -> pd.Series:
    """Whether the main mode is a car or a two-wheeler; needs ``status``, ``commute_mode``; NA where missing."""
    return is_code(_of_active(frame, "commute_mode"), "car", "two_wheeler").rename("motorised_private")


def commute_band(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Band of minutes one way, an ordered Categorical.

    ``up_to_15``: 0 to 15; ``15_to_30``: above 15, up to 30; ``30_to_60``: above 30, up to 60; ``over_60``. The codes
    name the default bounds. Needs ``status``, ``commute_min``; NA where missing.
    """
    edges = [-float("inf"), *standards.bands_min, float("inf")]
    return pd.cut(_of_active(frame, "commute_min"), edges, labels=list(COMMUTE_BANDS)).rename("commute_band")
