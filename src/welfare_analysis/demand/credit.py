r"""What a loan costs, and which loan and which price of a home a member or a household can carry.

A level loan of L dirhams over n months costs each month

.. math:: q L, \qquad q = 1 / a_n(i), \qquad i = \rho (1 + v) + c,

with :math:`a_n` the `annuity`, :math:`\rho` the rate a year, v the VAT on interest and c the insurance, a share of the
outstanding principal a year (of the initial one: :math:`q = 1 / a_n(\rho (1 + v)) + c / 12`). With the capacity A, the
savings and the grant S, fees f and down payment d as shares of the price P,

.. math:: L \le A / q, \qquad L \le (1 - d) P, \qquad (1 + f) P \le L + S
   \quad\Rightarrow\quad P = \min\Bigl(\frac{A / q + S}{1 + f}, \; \frac{S}{f + d}\Bigr),

the second term only where f + d > 0. All amounts are dirhams (DH); what is missing stays missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..needs import income_debt
from ..needs.income_debt import STANDARDS, Standards
from ..study import public
from ..survey.cards import annuity
from .assumptions import assumption

ADULT = 18  # years; a minor cannot borrow
INF = float("inf")
INCOMES = {"member": income_debt.member_income_dh, "household": income_debt.household_income_dh}
INCOMES |= {"residual": income_debt.member_income_dh}
MEAN_SIZE = 4.6  # persons of a household of which the mean spending is known


@dataclass(frozen=True)
class Terms:
    """Terms of a loan, and of the guarantee and the grant that go with it.

    Parameters
    ----------
    rate : float
        Interest (or margin) a year as a share, before VAT.
    months : float
        Longest term.
    vat : float
        VAT as a share of the interest.
    insurance : float
        A year, as a share of the principal; of the initial one where ``insured_initial``, else of the outstanding one.
    fees, down_payment : float
        Shares of the price that are paid in cash; a negative down payment is lent beyond the price.
    grant_dh : float
        Given towards the price.
    age_end : float
        Age at the last instalment at most.
    price_most_dh, loan_most_dh, instalment_most_dh, files_most_n : float
        Limits of the guarantee or of the agreement; the last is for callers that know the files.
    """

    rate: float
    months: float
    vat: float = 0.0
    insurance: float = 0.0
    insured_initial: bool = False
    fees: float = 0.0
    down_payment: float = 0.0
    grant_dh: float = 0.0
    age_end: float = INF
    price_most_dh: float = INF
    loan_most_dh: float = INF
    instalment_most_dh: float = INF
    files_most_n: float = INF

    def __post_init__(self) -> None:
        for name in ("rate", "months", "vat", "insurance", "fees", "grant_dh"):
            if not 0 <= getattr(self, name) < INF:
                raise WelfareError("not a finite number of zero or more", where=name, got=getattr(self, name))
        if not self.down_payment <= 1:
            raise WelfareError("a down payment above the price", where="down_payment", got=self.down_payment)

    @classmethod
    def named(cls, *names: str, table: pd.DataFrame | None = None) -> Terms:
        """The terms of ``data/public/credit.csv``, as ``named("housing_bank", "fogarim")``; later names win.

        Rows of the kind of loan (what stands before the first ``_``) come first.
        """
        rows = rows_of(names, table)
        return cls(**dict(zip(rows["parameter"], rows["value"], strict=True)))

    def cost(self, months: Any) -> np.ndarray:
        """Instalment q a month for each dirham borrowed over ``months``; infinite over none."""
        loaded = self.rate * (1 + self.vat) + (0.0 if self.insured_initial else self.insurance)
        worth = annuity(loaded, months)
        level = np.divide(1.0, worth, out=np.full_like(worth, INF), where=worth != 0)
        return level + (self.insurance / 12 if self.insured_initial else 0.0)


def rows_of(names: Iterable[str], table: pd.DataFrame | None = None) -> pd.DataFrame:
    """Rows of the named terms and of their kinds, one a parameter of `Terms`: the last that gives it."""
    table = public("credit") if table is None else table
    known = list(dict.fromkeys(table["terms"]))
    for name in set(names) - set(known):
        raise WelfareError("no such terms", where="credit.csv", got=name, expected=", ".join(known))
    order = list(dict.fromkeys([*(name.split("_")[0] for name in names), *names]))
    rows = table[table["terms"].isin(order) & table["parameter"].isin([f.name for f in fields(Terms)])]
    rows = rows.sort_values("terms", key=lambda terms: terms.map(order.index), kind="stable")
    return rows.drop_duplicates("parameter", keep="last").reset_index(drop=True)


def capacity_dh(frame: pd.DataFrame, of: str = "member", standards: Standards = STANDARDS) -> pd.Series:
    r"""Further instalment a month that the protected-pay rule allows.

    ``max(0, min(limit_share * income, income - least_left_dh) - deductions)`` with the income of the ``member`` (as a
    bank sees it: `income_debt.debt_capacity_left_dh`) or of the ``household`` (an upper bound: the form asks for the
    deductions of the member only). ``residual``: of the member, and no more than the income of the household leaves
    after deductions, charges and other needs :math:`b \sqrt{n / 4.6}` of n persons (Stone 2006, Housing Policy Debate
    17, 151-184; b is ``needs_dh`` of ``data/public/home_programme.csv``). NA where a part is missing.
    """
    if of not in INCOMES:
        raise WelfareError("unknown income", where="of", got=of, expected=" or ".join(INCOMES))
    service = income_debt.debt_service_dh(frame)
    left = income_debt.left_dh(INCOMES[of](frame), service, standards)
    if of == "residual":
        size, charges = income_debt.asked(frame, "household_size_n", "housing_charges_dh")
        needs = assumption("home_programme", "needs_dh") * np.sqrt(size / MEAN_SIZE)
        rest = (income_debt.household_income_dh(frame) - service - charges - needs).clip(lower=0.0).astype(float)
        left = left.where(left <= rest, rest).mask(left.isna() | rest.isna())
    return left.rename("capacity_dh")


def months_left(frame: pd.DataFrame, terms: Terms) -> pd.Series:
    """Longest term of each person: ``min(months, 12 (age_end - age))`` in whole months; 0 for minors.

    Age is in completed years, so up to a year is given away. NA where it is missing.
    """
    (age,) = income_debt.asked(frame, "age")
    left = np.floor((12 * (terms.age_end - age.astype("float64"))).clip(0.0, terms.months))
    return left.where(~(age < ADULT), 0.0).rename("months_left")


def largest_loan_dh(
    frame: pd.DataFrame, terms: Terms, of: str = "member", standards: Standards = STANDARDS
) -> pd.Series:
    """Largest loan whose instalment, with VAT and insurance, is within the capacity and the limits of the terms.

    Needs ``age`` and what `capacity_dh` needs; NA where any of it is missing.
    """
    carried = capacity_dh(frame, of, standards).clip(upper=terms.instalment_most_dh)
    loan = carried / terms.cost(months_left(frame, terms).to_numpy())
    return loan.clip(upper=terms.loan_most_dh).rename("largest_loan_dh")


def loan_dh(frame: pd.DataFrame, terms: Terms, price_dh: float) -> pd.Series:
    """The loan that savings and grant do not spare of a price with its fees."""
    cash = frame["savings_dh"].astype(float) + terms.grant_dh
    return ((1 + terms.fees) * price_dh - cash).clip(lower=0.0)


def affordable_price_dh(
    frame: pd.DataFrame, terms: Terms, of: str = "member", standards: Standards = STANDARDS
) -> pd.Series:
    """Highest price that savings, grant and loan pay on these terms: the equation of this module.

    A price above ``price_most_dh`` has not these terms. Needs ``savings_dh`` and what `largest_loan_dh` needs; NA where
    any of it is missing.
    """
    loan, share = largest_loan_dh(frame, terms, of, standards), terms.fees + terms.down_payment
    cash = income_debt.asked(frame, "savings_dh")[0].astype("float64") + terms.grant_dh
    price = (loan + cash) / (1 + terms.fees)
    if share > 0:
        price = price.where(~(cash / share < price), cash / share)
    return price.clip(upper=terms.price_most_dh).rename("affordable_price_dh")
