"""Housing conditions, cost and need: one indicator, one function.

Amounts are dirhams (DH) a month. ``NA`` means that the indicator cannot be computed from what was answered.

Need follows the core housing need of Canada (CMHC; Statistics Canada, Census 2021): a home below a standard of
adequacy, suitability or affordability, where an acceptable one nearby would not be affordable either; beside it
concealed families (England: Strategic Housing Market Assessments, Practice Guidance version 2, 2007) and homes that
end with the post.
"""

from dataclasses import dataclass

import pandas as pd

from ..study import public
from .income_debt import CANNOT, above, answer, asked, classed, household_income_dh, in_bands, is_code, part_of


@dataclass(frozen=True)
class Standards:
    """Standards of space and of cost: conventions, not Moroccan norms; `data/public/standards.csv` has others.

    Parameters
    ----------
    crowded_above_n : float
        Persons a room above which a dwelling is crowded; UN-Habitat speaks of more than three.
    burden_above_share : float
        Housing cost over household income above which it is a burden: the "cost burden" of the US Department of
        Housing and Urban Development; in core need (CMHC) 30 % of income before tax, here of net income.
    retirement_age : float
        Age at which service housing ends; 60 in 2012, as the press of 2014 reports a plan to go from 60 to 62.
    tied_within_years : float
        Years before that age from which service housing counts as about to end: a convention of this project.
    """

    crowded_above_n: float = 2.0
    burden_above_share: float = 0.30
    retirement_age: float = 60.0
    tied_within_years: float = 5.0


STANDARDS = Standards()
NEED_CLASSES = ("suppressed", "core_need", "below_standard", "tied", "met", CANNOT)
NEED_KINDS = ("another", "money", "own_home", "could_pay", "none", CANNOT)


def tenant(frame: pd.DataFrame) -> pd.Series:
    """Whether ``tenure`` is ``tenant``; NA where missing."""
    return is_code(answer(frame, "tenure"), "tenant").rename("tenant")


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


def local_rents(end: str = "value") -> pd.Series:
    """Rent of an acceptable home by command, DH a month: ``value``, ``low`` or ``high`` of ``data/public/rents.csv``.

    An assumption: rents of 2012 by city are not known.
    """
    return public("rents").set_index("command")[end].astype("float64")


def alternative_cost_dh(frame: pd.DataFrame, rents: pd.Series | None = None) -> pd.Series:
    """Cost of an acceptable home nearby: ``rents`` (by command; `local_rents` by default) and the present charges.

    The rent is not made to depend on the size of the household. NA where the charges or the command are missing, or the
    command has no rent.
    """
    command, charges = asked(frame, "command", "housing_charges_dh")
    rent = command.astype(object).map(local_rents() if rents is None else rents).astype("float64")
    return (rent + charges).astype("float64").rename("alternative_cost_dh")


def no_rent(frame: pd.DataFrame, rents: pd.Series | None = None) -> pd.Series:
    """Whether no local rent is given for somebody's place: nothing can be said then of what is too dear."""
    command = answer(frame, "command")
    known = (local_rents() if rents is None else rents).dropna().index
    return command.notna() & ~command.isin(known)


def below_standard(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Whether the home lacks facilities (adequacy), is crowded (suitability) or a cost burden (affordability).

    One that is known is enough; otherwise NA where any is.
    """
    spaced = lacks_facilities(frame) | crowded(frame, standards)
    return (spaced | cost_burdened(frame, standards)).rename("below_standard")


def core_need(frame: pd.DataFrame, rents: pd.Series | None = None, standards: Standards = STANDARDS) -> pd.Series:
    """Whether the home is below a standard and `alternative_cost_dh` is above ``burden_above_share`` of the income.

    The income is that of the household; a product stands for the share, so without income any rent is too dear. NA
    where a part that decides is missing, and of everybody in a place without a rent (`no_rent`).
    """
    bearable = standards.burden_above_share * household_income_dh(frame)
    dear = above(alternative_cost_dh(frame, rents), bearable)
    return (below_standard(frame, standards) & dear).mask(no_rent(frame, rents)).rename("core_need")


def suppressed_household(frame: pd.DataFrame) -> pd.Series:
    """Whether a family lives with relatives and would form a household of its own.

    ``tenure`` is ``family``, the member is or was married or has children, and ``wants_home`` is ``yes``. NA where a
    part that decides is missing.
    """
    tenure, marital, children, wants = asked(frame, "tenure", "marital_status", "children_n", "wants_home")
    own_family = is_code(marital, "married", "divorced", "widowed") | above(children, 0)
    return (is_code(tenure, "family") & own_family & is_code(wants, "yes")).rename("suppressed_household")


def service_years_left_n(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Years until service housing ends: to ``retirement_age`` for the active, 0 after service or the member's death.

    NA for all other tenures, and where tenure, status or (of the active) age is missing.
    """
    tenure, status, age = asked(frame, "tenure", "status", "age")
    left = (standards.retirement_age - age.astype("float64")).clip(lower=0.0)
    left = left.where(status.eq("active"), 0.0).where(status.notna() & tenure.eq("service"))
    return left.rename("service_years_left_n")


def tied_home(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Whether the home is service housing that has ended or ends within ``tied_within_years``; NA where unknown."""
    tenure = answer(frame, "tenure")
    later = above(service_years_left_n(frame, standards), standards.tied_within_years)
    return (is_code(tenure, "service") & ~later).rename("tied_home")


def housing_need_class(
    frame: pd.DataFrame, rents: pd.Series | None = None, standards: Standards = STANDARDS
) -> pd.Series:
    """Class of need, an unordered Categorical; everybody is in exactly one and none is NA.

    The first that holds of ``suppressed`` (`suppressed_household`), `core_need`, `below_standard` (and could pay a
    local rent), ``tied`` (`tied_home`); ``met`` where none does. ``cannot_compute``: what would decide is missing.
    """
    known = pd.Series(True, index=frame.index, dtype="boolean").mask(no_rent(frame, rents))
    own, core = suppressed_household(frame), core_need(frame, rents, standards)
    conditions = (own, core, below_standard(frame, standards), tied_home(frame, standards))
    return classed(NEED_CLASSES, conditions, known).rename("housing_need_class")


def needs_another(frame: pd.DataFrame, rents: pd.Series | None = None, standards: Standards = STANDARDS) -> pd.Series:
    """Whether another dwelling is needed.

    Families who live with relatives and want a home (`suppressed_household`), homes that end with the post
    (`tied_home`), and members who do not own, are crowded or lack facilities, and for whom an acceptable home nearby
    would be a cost burden. NA where any of these is missing, also where the others decide: a "no" needs fewer answers
    than a "yes", so that those of whom it could be known would be less in need than those of whom it could not.
    """
    dear = above(alternative_cost_dh(frame, rents), standards.burden_above_share * household_income_dh(frame))
    lacks, close = lacks_facilities(frame), crowded(frame, standards)
    owns = is_code(answer(frame, "tenure"), "owner")
    parts = [suppressed_household(frame), tied_home(frame, standards), lacks, close, dear, owns]
    unknown = pd.concat(parts, axis=1).isna().any(axis=1)
    short = (lacks | close) & dear & ~owns
    return (parts[0] | parts[1] | short).mask(unknown).rename("needs_another")


def need_kind(frame: pd.DataFrame, rents: pd.Series | None = None, standards: Standards = STANDARDS) -> pd.Series:
    """What would meet the need, an unordered Categorical; everybody is in exactly one and none is NA.

    The first that holds of ``another`` dwelling (`needs_another`); ``money``: in core need by cost alone;
    ``own_home``: others in core need, who own and are crowded or lack facilities; ``could_pay``: below a standard, and
    could pay a local rent; ``none``: met. ``cannot_compute``: what would decide is missing.
    """
    need = housing_need_class(frame, rents, standards)
    spaced = lacks_facilities(frame) | crowded(frame, standards)
    another = needs_another(frame, rents, standards)
    core, below = (need.eq(name).astype("boolean").mask(need.eq(CANNOT)) for name in ("core_need", "below_standard"))
    known = pd.Series(True, index=frame.index, dtype="boolean")
    return classed(NEED_KINDS, (another, core & ~spaced, core & spaced, below), known).rename("need_kind")


def need_class_changes(
    frame: pd.DataFrame, low: pd.Series | None = None, high: pd.Series | None = None, standards: Standards = STANDARDS
) -> pd.Series:
    """Whether the class of need differs between low and high local rents (by default the ends of `local_rents`).

    Need only rises with the rent, so nobody changes inside the range who does not over it. NA where the class cannot be
    computed.
    """
    ends = (local_rents("low") if low is None else low, local_rents("high") if high is None else high)
    first, last = (housing_need_class(frame, rents, standards) for rents in ends)
    known = first.ne(CANNOT) & last.ne(CANNOT)
    return first.ne(last).astype("boolean").where(known).rename("need_class_changes")
