r"""What running debts become: consolidated at the agreed rate, under a higher rate, at retirement.

A consumer debt D that costs c a month at the rate :math:`\rho` (with VAT and insurance i = r / 12 a month) runs for

.. math:: n = -\ln(1 - D i / c) / \ln(1 + i)

months more. Taken over at the agreed rate it costs :math:`D q(n)` over the same months, or less over the longest term
that age allows. The rate of running loans was not asked: an assumption with a range. What is owed is told as one sum,
so only those without a housing loan can be told of; the others count as ``cannot_compute``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..needs import income_debt
from ..needs.housing import STANDARDS as AGES
from . import credit
from .credit import Terms
from .loans import LoanMarket

TOO_LONG = 240  # months: a debt that its deduction would not pay back by then is told wrongly


def months_to_run(owed: pd.Series, monthly: pd.Series, terms: Terms) -> pd.Series:
    """Months that a debt still runs at the rate of ``terms``; NA where its instalment does not pay it back."""
    i = (terms.rate * (1 + terms.vat) + terms.insurance) / 12
    share = (owed * i / monthly.where(monthly > 0)).astype(float)
    found = -np.log1p(-share.where(share < 1)) / np.log1p(i) if i > 0 else owed / monthly.where(monthly > 0)
    return found.where(found.between(1, TOO_LONG)).rename("months_to_run")


def consolidated(frame: pd.DataFrame, agreed: Terms, old_rate: float) -> pd.DataFrame:
    """Consumer debts of those with no other, taken over at the agreed rate.

    Parameters
    ----------
    frame : DataFrame (n rows)
        Needs what `needs.income_debt.over_debt_limit` needs, ``debt_outstanding_dh`` and ``age``.
    agreed : Terms
        Of the new loan.
    old_rate : float
        Rate a year of the running loans, as a share.

    Returns
    -------
    DataFrame (n rows)
        ``told`` (there is a consumer loan and no other, and it can be computed; NA without a consumer loan),
        ``saved_dh`` a month over the same months (negative where the agreed rate is the higher), ``relief_dh`` a month
        over the longest term that age allows, ``over`` (over the limit now), ``freed`` and ``freed_longer`` (over it
        now, and within it with the new instalment); NA where it is not told.
    """
    owed, consumer, housing = income_debt.asked(
        frame, "debt_outstanding_dh", "consumer_deduction_dh", "housing_deduction_dh"
    )
    has = income_debt.indebted(frame) & income_debt.above(consumer, 0)
    old = Terms(old_rate, agreed.months, vat=agreed.vat, insurance=agreed.insurance)
    months = months_to_run(owed, consumer, old)
    told = has & (housing == 0) & months.notna()
    months, owed = months.where(told.fillna(False).astype(bool)), owed.astype(float)
    same = owed * agreed.cost(months.to_numpy())
    longest = np.maximum(credit.months_left(frame, agreed), months)
    over, income = income_debt.over_debt_limit(frame), income_debt.member_income_dh(frame)
    found = {"told": told.where(has.fillna(False)), "saved_dh": consumer - same,
             "relief_dh": consumer - owed * agreed.cost(longest.to_numpy())}  # fmt: skip
    freed = {}
    for name, lower in (("freed", found["saved_dh"]), ("freed_longer", found["relief_dh"])):
        within = _within(income, consumer - lower)
        freed[name] = (over & within).mask(months.isna())
    return pd.DataFrame({**found, "over": over.mask(months.isna()), **freed})


def _within(income: pd.Series, service: pd.Series) -> pd.Series:
    """Whether a service is within the protected-pay rule, to the centime; NA where either is missing."""
    left = income_debt.left_dh(income, pd.Series(0.0, income.index))
    return (service <= left + 0.005).astype("boolean").mask(income.isna() | service.isna())


def guard(market: LoanMarket) -> pd.DataFrame:
    """Where the amount that is wanted would leave a person, by product: what the guard rail tells apart.

    ``within`` the limit, ``pushed_over`` it by the new instalment, ``already_over`` it today, ``not_eligible`` by the
    rules, ``cannot_compute``; NA for those who want no consumer loan.
    """
    over = income_debt.over_debt_limit(market.frame)
    found = {}
    for product in market.affordable:
        able, open_ = market.affordable[product], market.eligible[product]
        place = pd.Series(income_debt.CANNOT, market.frame.index, dtype=object)
        for name, mask in (
            ("within", able & open_),
            ("pushed_over", ~able & open_),
            ("already_over", ~able & open_ & over),
            ("not_eligible", ~open_),
        ):
            place = place.mask(mask.fillna(False).astype(bool), name)
        found[product] = place.where(market.wanted["consumer"].fillna(False).astype(bool))
    return pd.DataFrame(found)


def stressed(market: LoanMarket, points: float, replacement: float) -> dict[str, pd.DataFrame]:
    """Whether what is within the limit today stays there, by product (n x products); NA where it is not within it.

    ``rate``: with the rate ``points`` higher (a loan at a variable rate, or signed later). ``retirement``: with the
    pension, a part of pay, of the active whose term runs past the age of retirement; the others stay as they are.
    """
    within = (market.affordable & market.eligible).fillna(False).astype(bool)
    dearer = market.at({p: t.rate + points / 100 for p, t in market.terms.items()})
    service = income_debt.debt_service_dh(market.frame)
    income = income_debt.member_income_dh(market.frame)
    until = 12 * (AGES.retirement_age - market.frame["age"].astype(float))
    found: dict[str, dict[str, pd.Series]] = {"rate": {}, "retirement": {}}
    for p in market.terms:
        monthly = market.instalments[p]
        past = (market.months[p] > until) & ~market.pensioner
        later = income.where(~past, replacement * income)
        found["rate"][p] = _within(income, service + dearer.instalments[p])
        found["retirement"][p] = _within(later, service + monthly)
    return {name: pd.DataFrame(table).where(within) for name, table in found.items()}


def housing_loans(market: LoanMarket, terms: Terms) -> pd.DataFrame:
    """Loans wanted for a home or building, on terms: ``files`` (1), ``dh``, and the same ``within`` the limit.

    The term told, within the longest and the age at its end. NA where none is wanted or something is missing.
    """
    frame, wanted = market.frame, market.wanted["housing"].fillna(False).astype(bool)
    amount = frame["loan_amount_dh"].where(wanted & (frame["loan_amount_dh"] > 0)).astype(float)
    told = frame["loan_term_months"].astype(float) if "loan_term_months" in frame else pd.Series(np.nan, frame.index)
    months = np.minimum(told.fillna(terms.months), credit.months_left(frame, terms))
    monthly = (amount * terms.cost(months.to_numpy())).clip(upper=1e9)
    within = (monthly <= market.capacity).astype(float).where(monthly.notna() & market.capacity.notna())
    known = within.notna()
    files = pd.Series(1.0, frame.index).where(known)
    return pd.DataFrame(
        {"files": files, "dh": amount.where(known), "files_within": within, "dh_within": amount * within}
    )


def rationed(market: LoanMarket, product: str) -> pd.DataFrame:
    """DH of a product by those who may get it: ``wanted``, ``within`` the limit, the ``most`` that the limit allows.

    ``most`` is the amount wanted or what the capacity carries over the same term, whichever is less: what a lender who
    cuts the amount could lend without pushing anybody over. 0 for who may not get it; NA where it is not computed.
    """
    open_ = market.eligible[product].fillna(False).astype(bool) & market.computed
    amount = market.amount.where(open_, 0.0)
    part = (market.capacity / market.instalments[product]).clip(upper=1.0).where(open_, 0.0)
    within = market.affordable[product].fillna(False).astype(bool)
    table = pd.DataFrame({"wanted": amount, "within": amount.where(within, 0.0), "most": amount * part})
    return table.where(market.computed)
