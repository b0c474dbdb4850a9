"""Commuting of the active: one indicator, one function; NA for everybody who is not known to be active.

Times are minutes one way, door to door; costs are dirhams (DH) a month.
"""

from dataclasses import dataclass

import pandas as pd

from welfare_analysis.needs.income_debt import above, asked, member_income_dh, part_of

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
    """

    long_above_min: float = 60.0
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


def commute_band(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Band of minutes one way, an ordered Categorical.

    ``up_to_15``: 0 to 15; ``15_to_30``: above 15, up to 30; ``30_to_60``: above 30, up to 60; ``over_60``. The codes
    name the default bounds. Needs ``status``, ``commute_min``; NA where missing.
    """
    edges = [-float("inf"), *standards.bands_min, float("inf")]
    return pd.cut(_of_active(frame, "commute_min"), edges, labels=list(COMMUTE_BANDS)).rename("commute_band")
