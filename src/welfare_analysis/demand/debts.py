r"""What running debts become when they are taken over at the agreed rate, and where a further loan leaves a person.

A consumer debt D that costs c a month at the rate :math:`\rho` (with VAT and insurance i = r / 12 a month) runs for

.. math:: n = -\ln(1 - D i / c) / \ln(1 + i)

months more. Taken over at the agreed rate it costs :math:`D q(n)` over the same months, or less over the longest term
that age allows. The rate of running loans was not asked: an assumption with a range, that of finance companies, and so
of who has a loan from one. What is owed is reported as one sum, so only those without a housing loan are computed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..needs import income_debt
from ..survey.cards import annuity
from . import credit
from .agreement import kept
from .credit import Terms
from .housing import assumed as of_programme
from .loans import LoanMarket, assumed

TOO_LONG = 240  # months: a debt that its deduction would not pay back by then is reported wrongly


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
        Needs what `needs.income_debt.over_debt_limit` needs, ``debt_outstanding_dh`` and ``age``. Where the lenders
        were asked, loans are those of who has one from a finance company.
    agreed : Terms
        Of the new loan.
    old_rate : float
        Rate a year of the running loans, as a share.

    Returns
    -------
    DataFrame (n rows)
        ``computed`` (there is a consumer loan and no other, and it can be computed; NA without a consumer loan),
        ``saved_dh`` a month over the same months (negative where the agreed rate is the higher), ``relief_dh`` a month
        over the longest term that age allows, ``over`` (over the limit now), ``freed`` and ``freed_longer`` (over it
        now, and within it with the new instalment), ``owed_dh``; and DH of today, over the same months: ``gain_dh``
        of the member, ``margin_dh`` that the lender keeps before losses, ``exposed_dh`` (DH-years outstanding); NA
        where it is not computed.
    """
    owed, consumer, housing = income_debt.asked(
        frame, "debt_outstanding_dh", "consumer_deduction_dh", "housing_deduction_dh"
    )
    has = income_debt.indebted(frame) & income_debt.above(consumer, 0)
    if "running_source_finance_company" in frame:
        has &= income_debt.is_code(frame["running_source_finance_company"], "yes")
    old = Terms(old_rate, agreed.months, vat=agreed.vat, insurance=agreed.insurance)
    months = months_to_run(owed, consumer, old)
    known = has & (housing == 0) & months.notna()
    months, owed = months.where(known.fillna(False).astype(bool)), owed.astype(float)
    same = owed * agreed.cost(months.to_numpy())
    longest = np.maximum(credit.months_left(frame, agreed), months)
    over, income = income_debt.over_debt_limit(frame), income_debt.member_income_dh(frame)
    saved, run = (consumer - same).astype(float), months.fillna(1.0)
    worth = pd.Series(annuity(of_programme("discount_rate"), run), frame.index)
    keeps = kept(agreed.rate, run, assumed("funding_rate")) - assumed("running_cost_share") * run / 24
    found = {
        "computed": known.where(has.fillna(False)), "saved_dh": saved,
        "relief_dh": consumer - owed * agreed.cost(longest.to_numpy()), "owed_dh": owed.where(months.notna()),
        "gain_dh": saved * worth, "margin_dh": (owed * keeps).where(months.notna()), "exposed_dh": owed * months / 24,
    }  # fmt: skip
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
        found[product] = place.where(market.wishers)
    return pd.DataFrame(found)


def housing_loans(market: LoanMarket, terms: Terms) -> pd.DataFrame:
    """Loans wanted for a home or building, on terms: ``files`` (1), ``dh``, and the same ``within`` the limit.

    The term wanted, within the longest and the age at its end. NA where none is wanted or something is missing.
    """
    frame, wanted = market.frame, market.wanted["housing"].fillna(False).astype(bool)
    amount = frame["loan_amount_dh"].where(wanted & (frame["loan_amount_dh"] > 0)).astype(float)
    term = frame["loan_term_months"].astype(float) if "loan_term_months" in frame else pd.Series(np.nan, frame.index)
    months = np.minimum(term.fillna(terms.months), credit.months_left(frame, terms))
    monthly = (amount * terms.cost(months.to_numpy())).clip(upper=1e9)
    within = (monthly <= market.capacity).astype(float).where(monthly.notna() & market.capacity.notna())
    known = within.notna()
    files = pd.Series(1.0, frame.index).where(known)
    return pd.DataFrame(
        {"files": files, "dh": amount.where(known), "files_within": within, "dh_within": amount * within}
    )
