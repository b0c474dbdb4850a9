"""People whose pay must carry what they are offered: by whose means it is judged, and tests of these means."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, TypeVar

import pandas as pd

from ..needs.housing import STANDARDS
from . import credit
from .assumptions import assumption
from .stated import CardMarket

RETIRES = STANDARDS.retirement_age
of_programme = partial(assumption, "home_programme")
of_loans = partial(assumption, "loan_offers")


@dataclass(frozen=True, eq=False)
class Borrowers(CardMarket):
    """People before an offer that is paid by instalments.

    Attributes
    ----------
    of : str
        Whose means count, see `credit.capacity_dh`: ``member`` (the bank's view), ``household`` or ``residual``.
    means : DataFrame, optional
        Rows of ``frame`` with other pay, savings or deductions, by which it is judged what people can pay.
    """

    of: str = field(default="member", kw_only=True)
    means: pd.DataFrame | None = field(default=None, kw_only=True)

    def at(self, *args: Any, **changes: Any) -> Any:
        """The same people at other terms."""
        raise NotImplementedError

    @property
    def paying(self) -> pd.DataFrame:
        """The rows by which it is judged what people can pay."""
        return self.frame if self.means is None else self.means

    @cached_property
    def capacity(self) -> pd.Series:
        """Further instalment a month that each person can carry."""
        first = self.first
        if self is not first and self.of == first.of and self.means is first.means:
            known: pd.Series = first.capacity
            return known
        return credit.capacity_dh(self.paying, self.of)


M = TypeVar("M", bound=Borrowers)


def tests(market: M, short: Any, dearer: Any, last_age: pd.Series, less: float) -> dict[str, M]:
    """The market under each test of what can be paid.

    Parameters
    ----------
    market : Borrowers
    short, dearer
        Its terms with the last instalment by retirement (``ends_at_retirement``), and at higher rates (``rate_more``).
    last_age : Series (n,)
        Age at the last instalment. The pension must carry the instalment of those who retire before
        (``retirement_pay``).
    less : float
        Part of pay that is lost (``pay_less``).

    Returns
    -------
    dict
        Further ``household``: by the means of the household; ``residual``: what needs by the size of the family leave
        must carry the instalment too.
    """
    frame, pay, at = market.frame, ["net_pay_dh", "pension_dh"], market.at
    past = ((frame["status"] == "active") & (last_age > RETIRES)).fillna(False).astype(bool)
    pension = frame["net_pay_dh"].mask(past, of_loans("replacement_share") * frame["net_pay_dh"])
    return {
        "household": at(of="household"),
        "residual": at(of="residual"),
        "ends_at_retirement": at(terms=short),
        "retirement_pay": at(means=frame.assign(net_pay_dh=pension)),
        "pay_less": at(means=frame.assign(**frame[pay] * (1 - less))),
        "rate_more": at(terms=dearer),
    }
