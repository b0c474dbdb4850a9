"""Indicators of need: one indicator, one function, one truth table."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from welfare_analysis.needs import aspirations, commuting, housing, income_debt
from welfare_analysis.needs.income_debt import CANNOT
from welfare_analysis.needs.standards import VARIED, under

__all__ = ["INDICATORS", "VARIED", "Indicator", "computed", "indicators", "under"]


@dataclass(frozen=True)
class Indicator:
    """An indicator and the columns that it needs.

    ``without`` is the key of a text: why nothing can be said of anybody where a public figure is not given.
    """

    function: Callable[[pd.DataFrame], pd.Series]
    columns: tuple[str, ...]
    without: str = ""

    @property
    def name(self) -> str:
        """Name of the indicator: that of its function."""
        return self.function.__name__


_MEMBER = ("status", "net_pay_dh", "pension_dh")
_HOUSEHOLD = (*_MEMBER, "other_income_dh")
_SERVICE = ("has_loan", "consumer_deduction_dh", "housing_deduction_dh")
_ROOMS = ("household_size_n", "rooms_n")
_COST = ("tenure", "rent_dh", "housing_charges_dh", "has_loan", "housing_deduction_dh")
_COST_SHARE = (*_COST, *_HOUSEHOLD)
_BELOW = ("own_kitchen", "own_bathroom", *_ROOMS, *_COST_SHARE)
_CORE = (*_BELOW, "command")
_OWN = ("tenure", "marital_status", "children_n", "wants_home")
_POST = ("tenure", "status", "age")
_DEBT = (*_SERVICE, *_MEMBER)
_TIME = ("status", "commute_min")
_FARE = ("commute_cost_dh", *_MEMBER)
_SHIFT = ("status", "transit_at_shift")
_TRIPS = ("intercity_trips_n", "intercity_cost_dh")

INDICATORS: tuple[Indicator, ...] = (
    Indicator(housing.tenant, ("tenure",)),
    Indicator(housing.persons_per_room_n, _ROOMS),
    Indicator(housing.crowded, _ROOMS),
    Indicator(housing.lacks_facilities, ("own_kitchen", "own_bathroom")),
    Indicator(housing.housing_cost_dh, _COST),
    Indicator(housing.housing_cost_share, _COST_SHARE),
    Indicator(housing.cost_burdened, _COST_SHARE),
    Indicator(housing.rent_share, ("tenure", "rent_dh", *_HOUSEHOLD)),
    Indicator(housing.rent_band, ("tenure", "rent_dh", *_HOUSEHOLD)),
    Indicator(housing.below_standard, _BELOW),
    Indicator(housing.core_need, _CORE, "no_rents"),
    Indicator(housing.suppressed_household, _OWN),
    Indicator(housing.service_years_left_n, _POST),
    Indicator(housing.tied_home, _POST),
    Indicator(housing.housing_need_class, (*_CORE, *_OWN, *_POST), "no_rents"),
    Indicator(housing.need_class_changes, (*_CORE, *_OWN, *_POST), "no_rents"),
    Indicator(income_debt.member_income_dh, _MEMBER),
    Indicator(income_debt.household_income_dh, _HOUSEHOLD),
    Indicator(income_debt.indebted, ("has_loan",)),
    Indicator(income_debt.debt_service_dh, _SERVICE),
    Indicator(income_debt.debt_service_share, _DEBT),
    Indicator(income_debt.debt_band, _DEBT),
    Indicator(income_debt.over_debt_limit, _DEBT),
    Indicator(income_debt.debt_capacity_left_dh, _DEBT),
    Indicator(income_debt.debt_class, _DEBT),
    Indicator(income_debt.household_debt_share, (*_SERVICE, *_HOUSEHOLD)),
    Indicator(income_debt.household_capacity_left_dh, (*_SERVICE, *_HOUSEHOLD)),
    Indicator(income_debt.floor_binds, _MEMBER),
    Indicator(commuting.commute_long, _TIME),
    Indicator(commuting.commute_cost_share, _FARE),
    Indicator(commuting.commute_band, _TIME),
    Indicator(commuting.commute_km_band, ("status", "commute_km")),
    Indicator(commuting.commute_cost_band, _FARE),
    Indicator(commuting.has_car, ("cars_n",)),
    Indicator(commuting.works_nights, ("status", "shift")),
    Indicator(commuting.out_of_reach, _SHIFT),
    Indicator(commuting.no_way_to_come, (*_SHIFT, "cars_n", "commute_mode", "commute_km")),
    Indicator(commuting.intercity_spend_dh, _TRIPS),
    Indicator(aspirations.holiday_spend_dh, ("holiday_centre", "holiday_budget_dh")),
    Indicator(aspirations.without_care, ("care_forgone",)),
    Indicator(aspirations.never_served, ("social_works_use",)),
)


def indicators(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the frame with a column for every indicator all of whose columns are there, in the order of `INDICATORS`."""
    return frame.assign(**{item.name: item.function(frame) for item in INDICATORS if set(item.columns) <= set(frame)})


def computed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the frame with the class ``cannot_compute`` as missing: a share is of those whose class is known.

    Left in the base it would make every other class look smaller by those who did not answer.
    """
    open_ = [c for c in frame if getattr(frame[c], "cat", None) is not None and CANNOT in frame[c].cat.categories]
    return frame.assign(**{c: frame[c].cat.remove_categories(CANNOT) for c in open_})
