"""Income and debt of a member and of the household: one indicator, one function.

Amounts are dirhams (DH) a month. ``NA`` means that the indicator cannot be computed from what was answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from welfare_analysis.errors import WelfareError


@dataclass(frozen=True)
class Standards:
    """Limits on deductions from pay.

    Parameters
    ----------
    limit_share : float
        Largest part of the member's net income that may be deducted. Protected pay (quotite incessible), in force
        since 1 January 2009; the same for pensions by the CMR agreement of July 2011 (L'Economiste, January 2011;
        Les Echos, maghress.com/fr/lesechos/12446).
    least_left_dh : float
        DH a month that must remain after deductions; same rule and sources.
    low_share : float
        Upper end of the low class of debt service; the press reports the indebted by 20 to 40 % (slateafrique 342642,
        about 2011). A reporting boundary, not a rule.
    """

    limit_share: float = 0.40
    least_left_dh: float = 1500.0
    low_share: float = 0.20


STANDARDS = Standards()
SHARE_BANDS = ("up_to_10", "10_to_20", "20_to_30", "30_to_40", "40_to_50")
CANNOT = "cannot_compute"
DEBT_CLASSES = ("no_loan", "up_to_20", "20_to_40", "over_limit", CANNOT)


class NotAskedError(WelfareError):
    """A question that an indicator needs was not asked."""


def asked(frame: pd.DataFrame, *names: str) -> list[pd.Series]:
    """Give the named columns; raise `NotAskedError` that names the absent ones."""
    absent = [name for name in names if name not in frame.columns]
    if absent:
        what = f"column {', '.join(absent)} is absent"
        hint = "The block that holds it was not asked; leave this indicator out."
        raise NotAskedError(what, where="needs", expected="every column that the indicator needs", hint=hint)
    return [frame[name] for name in names]


def answer(frame: pd.DataFrame, name: str) -> pd.Series:
    """The named column; raise `NotAskedError` where it is absent."""
    return asked(frame, name)[0]


def is_code(column: pd.Series, *codes: str) -> pd.Series:
    """Whether a coded answer is one of the codes; NA where the answer is missing."""
    return column.isin(codes).astype("boolean").mask(column.isna())


def above(amount: pd.Series, limit: float | pd.Series) -> pd.Series:
    """Whether an amount is strictly above a limit; NA where either is missing."""
    unknown = amount.isna() | pd.isna(limit)
    return amount.gt(limit).astype("boolean").mask(unknown)


def part_of(amount: pd.Series, income: pd.Series) -> pd.Series:
    """Amount over income; NA where either is missing or the income is not positive (never infinite)."""
    return amount.astype("float64") / income.astype("float64").where(income > 0)


def in_bands(part: pd.Series, top: int) -> pd.Series:
    """Bands of ten hundredths of a share, an ordered Categorical, the last ``over_<10 top>``; NA stays NA.

    ``20_to_30`` is above 20, up to 30 %.
    """
    return banded(part, [i / 10 for i in range(1, top + 1)], [*SHARE_BANDS[:top], f"over_{10 * top}"])


def banded(amount: pd.Series, bounds: Sequence[float], bands: Sequence[str]) -> pd.Series:
    """Bands of an amount, an ordered Categorical: ``bounds`` are upper ends, each in its band; NA stays NA."""
    return pd.cut(amount, [-float("inf"), *bounds, float("inf")], labels=list(bands))


def classed(kinds: Sequence[str], conditions: Sequence[pd.Series], known: pd.Series) -> pd.Series:
    """The first of ``kinds`` whose condition holds, the one after them where none does; else `CANNOT`.

    That is where the first that is not false is not known, or ``known`` is missing. An unordered Categorical.
    """
    found, undecided = pd.Series(CANNOT, index=known.index, dtype=object), known
    for kind, holds in zip(kinds, (*conditions, known), strict=False):
        found = found.mask((undecided & holds).fillna(False).astype(bool), kind)
        undecided = undecided & ~holds
    return found.astype(pd.CategoricalDtype(kinds))


def member_income_dh(frame: pd.DataFrame) -> pd.Series:
    """Net pay of the active, pension of the retired, widows and orphans, in DH a month.

    Needs ``status``, ``net_pay_dh``, ``pension_dh``. NA where the status or the amount that belongs to it is missing.
    """
    status, pay, pension = asked(frame, "status", "net_pay_dh", "pension_dh")
    return pay.where(status.eq("active"), pension).where(status.notna()).astype("float64").rename("member_income_dh")


def household_income_dh(frame: pd.DataFrame) -> pd.Series:
    """Income of the member plus that of the rest of the household, in DH a month.

    Needs ``other_income_dh`` and what `member_income_dh` needs. NA where either part is missing.
    """
    other = answer(frame, "other_income_dh")
    return (member_income_dh(frame) + other).rename("household_income_dh")


def indebted(frame: pd.DataFrame) -> pd.Series:
    """Whether a loan is running: ``has_loan`` is ``yes``; NA where missing."""
    return is_code(answer(frame, "has_loan"), "yes").rename("indebted")


def debt_service_dh(frame: pd.DataFrame) -> pd.Series:
    """Consumer plus housing deductions in DH a month; 0 without a loan.

    Needs ``has_loan``, ``consumer_deduction_dh``, ``housing_deduction_dh``. NA where ``has_loan`` is missing, or where
    it is ``yes`` and either deduction is missing.
    """
    loan, consumer, housing = asked(frame, "has_loan", "consumer_deduction_dh", "housing_deduction_dh")
    service = (consumer + housing).astype("float64")
    return service.mask(loan.eq("no"), 0.0).where(loan.notna()).rename("debt_service_dh")


def debt_service_share(frame: pd.DataFrame) -> pd.Series:
    """Debt service over the income of the member; NA where either is missing or the income is zero."""
    return part_of(debt_service_dh(frame), member_income_dh(frame)).rename("debt_service_share")


def debt_band(frame: pd.DataFrame) -> pd.Series:
    """Band of the debt service share, up to ``over_40``, see `in_bands`; NA as in `debt_service_share`."""
    return in_bands(debt_service_share(frame), 4).rename("debt_band")


def over_debt_limit(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Whether deductions break the protected-pay rule.

    ``service > limit_share * income`` or ``income - service < least_left_dh``, for a positive service: the rule limits
    deductions, so nobody without any is over it, however small the income. Exactly at a limit is within it. A product
    stands for the share so that a zero income with a deduction counts as over.

    Needs what `debt_service_dh` and `member_income_dh` need. Without a service False
    even if the income is missing; else NA where either is missing.
    """
    service, income = debt_service_dh(frame), member_income_dh(frame)
    broken = above(service, standards.limit_share * income) | above(standards.least_left_dh + service, income)
    return (broken & above(service, 0.0)).rename("over_debt_limit")


def debt_capacity_left_dh(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Further deduction that the protected-pay rule allows, in DH a month.

    ``max(0, min(limit_share * income, income - least_left_dh) - service)``. NA where service or income is missing.
    """
    return left_dh(member_income_dh(frame), debt_service_dh(frame), standards).rename("debt_capacity_left_dh")


def left_dh(income: pd.Series, service: pd.Series, standards: Standards = STANDARDS) -> pd.Series:
    """What the rule of `debt_capacity_left_dh` leaves of any income after a service; NA where either is missing."""
    share_bound, floor_bound = standards.limit_share * income, income - standards.least_left_dh
    allowed = share_bound.where(share_bound <= floor_bound, floor_bound)
    return (allowed - service).clip(lower=0.0)


def household_debt_share(frame: pd.DataFrame) -> pd.Series:
    """Debt service over the income of the household; NA where either is missing or the income is zero."""
    return part_of(debt_service_dh(frame), household_income_dh(frame)).rename("household_debt_share")


def household_capacity_left_dh(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """What `left_dh` leaves of the household's income, in DH a month; the form knows the member's deductions only."""
    left = left_dh(household_income_dh(frame), debt_service_dh(frame), standards)
    return left.rename("household_capacity_left_dh")


def floor_binds(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Whether the DH that must remain limit deductions more than the share does; NA where the income is missing."""
    income = member_income_dh(frame)
    return above(standards.limit_share * income, income - standards.least_left_dh).rename("floor_binds")


def debt_class(frame: pd.DataFrame, standards: Standards = STANDARDS) -> pd.Series:
    """Class of debt, an unordered Categorical; everybody is in exactly one and none is NA.

    ``no_loan``: has no loan. ``over_limit``: see `over_debt_limit`. ``up_to_20``: within the limit and service at most
    ``low_share`` of the member's income (0 and 20 % included). ``20_to_40``: within the limit, service above
    ``low_share`` (20 % left out, 40 % included). ``cannot_compute``: has_loan is missing, or there is a loan and a
    deduction or the income is missing. The codes name the boundaries of the default standards.
    """
    service, income = debt_service_dh(frame), member_income_dh(frame)
    over, more = over_debt_limit(frame, standards), above(service, standards.low_share * income)
    loan = indebted(frame)
    within = loan & ~over
    conditions = (~loan, within & ~more, within & more, loan & over)
    known = pd.Series(True, index=frame.index, dtype="boolean")
    return classed(DEBT_CLASSES, conditions, known).rename("debt_class")


def credit_need(frame: pd.DataFrame) -> pd.Series:
    """Whether a person is in need of credit on better terms, or of help with debts.

    True where one of four holds: a running loan is from a finance company (at about 12 % where an agreement asks 6.5:
    lavieeco/26784), there were arrears this year, deductions break the protected-pay rule (`over_debt_limit`), or the
    year's health costs that insurance does not cover are above savings and a month's income of the member together: an
    expense that income cannot meet. A month is a convention of this indicator. A low income alone is no need of credit:
    a loan does not mend it. NA where none holds and one is not known.

    Needs ``running_source_finance_company``, ``arrears``, ``uncovered_cost_dh``, ``savings_dh`` and what
    `over_debt_limit` needs.
    """
    company, arrears, cost, savings = asked(
        frame, "running_source_finance_company", "arrears", "uncovered_cost_dh", "savings_dh"
    )
    none = frame["has_loan"].eq("no").fillna(False).astype(bool)
    dear, late = (is_code(c, "yes").mask(none, False) for c in (company, arrears))
    expense = above(cost.astype("float64"), savings.astype("float64") + member_income_dh(frame))
    return (dear | late | over_debt_limit(frame) | expense).rename("credit_need")
