"""Indicators of need: one indicator, one function, one truth table."""

from collections.abc import Callable, Iterable
from contextlib import suppress

import pandas as pd

from welfare_analysis.needs import aspirations, commuting, housing, income_debt
from welfare_analysis.needs.income_debt import CANNOT, NotAskedError
from welfare_analysis.needs.standards import VARIED, under

__all__ = ["INDICATORS", "VARIED", "WITHOUT", "Indicator", "computable", "computed", "indicators", "under"]


Indicator = Callable[[pd.DataFrame], pd.Series]
INDICATORS: tuple[Indicator, ...] = (
    housing.tenant,
    housing.persons_per_room_n,
    housing.crowded,
    housing.lacks_facilities,
    housing.housing_cost_dh,
    housing.housing_cost_share,
    housing.cost_burdened,
    housing.rent_share,
    housing.rent_band,
    housing.below_standard,
    housing.core_need,
    housing.suppressed_household,
    housing.service_years_left_n,
    housing.tied_home,
    housing.housing_need_class,
    housing.need_class_changes,
    income_debt.member_income_dh,
    income_debt.household_income_dh,
    income_debt.indebted,
    income_debt.debt_service_dh,
    income_debt.debt_service_share,
    income_debt.debt_band,
    income_debt.over_debt_limit,
    income_debt.debt_capacity_left_dh,
    income_debt.debt_class,
    income_debt.household_debt_share,
    income_debt.household_capacity_left_dh,
    income_debt.floor_binds,
    commuting.commute_long,
    commuting.commute_cost_share,
    commuting.commute_band,
    commuting.commute_km_band,
    commuting.commute_cost_band,
    commuting.has_car,
    commuting.works_nights,
    commuting.out_of_reach,
    commuting.no_way_to_come,
    commuting.intercity_spend_dh,
    aspirations.holiday_spend_dh,
    aspirations.without_care,
    aspirations.never_served,
)
# keys of texts: why nothing can be said of anybody where a public figure is not given
WITHOUT = dict.fromkeys(("core_need", "housing_need_class", "need_class_changes"), "no_rents")


def computable(frame: pd.DataFrame, functions: Iterable[Indicator]) -> dict[str, pd.Series]:
    """The indicators, by name and in order, all of whose questions were asked."""
    made = {}
    for function in functions:
        with suppress(NotAskedError):
            made[function.__name__] = function(frame)
    return made


def indicators(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the frame with a column for every indicator that is computable, in the order of `INDICATORS`."""
    return frame.assign(**computable(frame, INDICATORS))


def computed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the frame with the class ``cannot_compute`` as missing: a share is of those whose class is known.

    Left in the base it would make every other class look smaller by those who did not answer.
    """
    open_ = [c for c in frame if getattr(frame[c], "cat", None) is not None and CANNOT in frame[c].cat.categories]
    return frame.assign(**{c: frame[c].cat.remove_categories(CANNOT) for c in open_})
