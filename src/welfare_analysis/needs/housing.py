"""Housing conditions and cost: one indicator, one function.

Amounts are dirhams (DH) a month. ``NA`` means that the indicator cannot be computed from what was answered.
"""

from dataclasses import dataclass

import pandas as pd

from welfare_analysis.needs.income_debt import above, asked, household_income_dh, in_bands, is_code, part_of


@dataclass(frozen=True)
class Standards:
    """Standards of space and of cost: conventions, not Moroccan norms; `data/public/standards.csv` has others.

    Parameters
    ----------
    crowded_above_n : float
        Persons a room above which a dwelling is crowded; UN-Habitat speaks of more than three.
    burden_above_share : float
        Housing cost over household income above which it is a burden: the "cost burden" of the US Department of
        Housing and Urban Development.
    """

    crowded_above_n: float = 2.0
    burden_above_share: float = 0.30


STANDARDS = Standards()


def tenant(frame: pd.DataFrame) -> pd.Series:
    """Whether ``tenure`` is ``tenant``; NA where missing."""
    (tenure,) = asked(frame, "tenure")
    return is_code(tenure, "tenant").rename("tenant")


def persons_per_room_n(frame: pd.DataFrame) -> pd.Series:
    """``household_size_n / rooms_n`` (living rooms and bedrooms); NA where either is missing or there is no room."""
    size, rooms = asked(frame, "household_size_n", "rooms_n")
    return part_of(size, rooms).rename("persons_per_room_n")


def crowded(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Whether more than ``crowded_above_n`` persons share a room (a convention); NA as in `persons_per_room_n`."""
    return above(persons_per_room_n(frame), standards.crowded_above_n).rename("crowded")


def lacks_facilities(frame: pd.DataFrame) -> pd.Series:
    """Whether the dwelling has no kitchen of its own or no bathroom of its own.

    Needs ``own_kitchen``, ``own_bathroom``. One ``no`` is enough even if the other is missing; otherwise NA where
    either is missing.
    """
    kitchen, bathroom = asked(frame, "own_kitchen", "own_bathroom")
    return (is_code(kitchen, "no") | is_code(bathroom, "no")).rename("lacks_facilities")


def housing_cost_dh(frame: pd.DataFrame) -> pd.Series:
    """Cost of housing in DH a month: charges, plus the rent of a tenant, plus the housing deduction of an owner.

    Needs ``tenure``, ``rent_dh``, ``housing_charges_dh``, ``has_loan``, ``housing_deduction_dh``. The deduction is 0
    where ``has_loan`` is ``no``. NA where the tenure, the charges or the part that belongs to the tenure is missing.
    """
    names = ("tenure", "rent_dh", "housing_charges_dh", "has_loan", "housing_deduction_dh")
    tenure, rent, charges, loan, deduction = asked(frame, *names)
    repaid = deduction.mask(loan.eq("no"), 0.0).where(loan.notna())
    added = rent.where(tenure.eq("tenant"), repaid.where(tenure.eq("owner"), 0.0))
    return (charges + added).where(tenure.notna()).astype("float64").rename("housing_cost_dh")


def housing_cost_share(frame: pd.DataFrame) -> pd.Series:
    """Cost of housing over household income; NA where either is missing or the income is zero."""
    return part_of(housing_cost_dh(frame), household_income_dh(frame)).rename("housing_cost_share")


def cost_burdened(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Whether the cost share is above ``burden_above_share``; NA as in `housing_cost_share`."""
    return above(housing_cost_share(frame), standards.burden_above_share).rename("cost_burdened")


def rent_share(frame: pd.DataFrame) -> pd.Series:
    """Rent of a tenant over household income; NA for others, and where rent or income is missing or income is zero."""
    tenure, rent = asked(frame, "tenure", "rent_dh")
    return part_of(rent.where(tenure.eq("tenant")), household_income_dh(frame)).rename("rent_share")


def rent_band(frame: pd.DataFrame) -> pd.Series:
    """Band of the rent share of a tenant, up to ``over_50``, see `income_debt.in_bands`; NA as in `rent_share`."""
    return in_bands(rent_share(frame), 5).rename("rent_band")
