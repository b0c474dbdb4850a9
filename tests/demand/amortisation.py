"""Payments of a level loan, month by month: an oracle for formulas of loans."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pandas as pd

from welfare_analysis.demand.credit import Terms, affordable_price_dh, months_left

INF = float("inf")


def affords(frame, price, terms, of="member"):
    """Whether a price (one, or one a person) can be paid on terms; exactly at the limit it can."""
    limit = affordable_price_dh(frame, terms, of)
    return (limit >= price).astype("boolean").mask(limit.isna() | pd.isna(price))


def instalment_dh(frame, loan, terms):
    """What a loan (one, or one a person) costs each person a month over her months, with VAT and insurance."""
    cost = pd.Series(terms.cost(months_left(frame, terms).to_numpy()), index=frame.index)
    return cost.mask(cost.eq(INF) & (loan == 0), 0.0) * loan


def schedule(loan: float, terms: Terms, months: int | None = None) -> pd.DataFrame:
    """Payments of a level loan, each part rounded to the centime (half up); the last instalment closes the loan.

    Returns
    -------
    DataFrame (n rows)
        ``month`` (1 to n), ``principal_dh``, ``interest_dh``, ``vat_dh``, ``insurance_dh``, their sum
        ``instalment_dh``, and ``outstanding_dh`` after it. Principal adds up to the loan.
    """
    n = terms.months if months is None else months
    rate, vat, insurance = (Decimal(str(x)) for x in (terms.rate, terms.vat, terms.insurance))
    first = left = _centimes(Decimal(str(loan)))
    level = _centimes(first * Decimal(float(terms.cost(n))))
    rows = []
    for month in range(1, int(n) + 1):
        interest, insured = _centimes(left * rate / 12), first if terms.insured_initial else left
        parts = interest, _centimes(interest * vat), _centimes(insured * insurance / 12)
        principal = left if month == n else min(left, level - sum(parts))
        left -= principal
        rows.append((month, principal, *parts, principal + sum(parts), left))
    names = [f"{c}_dh" for c in ("principal", "interest", "vat", "insurance", "instalment", "outstanding")]
    return pd.DataFrame(rows, columns=["month", *names]).astype(dict.fromkeys(names, float))


def _centimes(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def present_value(payments: Any, rate: float) -> float:
    r"""Value today of payments at the end of month 1, 2, ...: :math:`\sum_t p_t (1 + \rho/12)^{-t}`, rate a year."""
    p = np.asarray(payments, dtype=float)
    return float(p @ (1 + rate / 12) ** -np.arange(1.0, len(p) + 1))
