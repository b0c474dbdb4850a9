"""People whose pay must carry what they are offered: by whose means it is judged, and tests of these means."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from ..estimation import Design, Estimate
from ..estimation.choice import ChoiceFit
from ..estimation.choice.forecast import forecast, slopes
from ..estimation.choice.population import Target, prepared
from ..estimation.domains import Domains
from ..needs.housing import STANDARDS
from . import credit
from .assumptions import assumption
from .stated import CardMarket, sums

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
            return first.capacity
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


def enumerated(
    fit: ChoiceFit,
    design: Design,
    long: pd.DataFrame | Target,
    quantities: Mapping[str, pd.Series | pd.DataFrame],
    by: Any = None,
    where: Any = None,
) -> Estimate:
    r"""Means of what choices bring, by (quantity, alternative[, domain]).

    :math:`\sum_i w_i p_{ij} v_{ij} / \sum_i w_i` over the persons of ``long`` with v by person (a Series named by rows,
    or a frame with a column an alternative; 0 for the others and where it is missing). Its derivative by the
    coefficients is :math:`\sum_i w_i v_{ij} p_{ij} (x_{ij} - \bar x_i)`. ``long`` may be `prepared` already.
    """
    to = long if isinstance(long, Target) else prepared(fit, design, long, "row")
    kinds = to.cases.alternatives
    tables = [_table(v, design, kinds) for v in quantities.values()]
    names = [(quantity, kind) for quantity in quantities for kind in kinds]

    def measure(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p = to.by_person(to.predicted(fit, theta)[0], len(kinds))
        return np.hstack([p * v for v in tables]), np.ones((len(p), 1))

    def moved(parts: Domains) -> np.ndarray:
        return np.vstack([slopes(fit, to, parts, v) for v in tables])

    return forecast(fit, to.cases.design, to.there, measure, names, ["quantity", "alternative"], by, where, moved)


def together(forecast: Estimate, quantity: str, kinds: Collection[str], name: str) -> Estimate:
    """A quantity of several alternatives together, by domain where there are any; else it is called ``name``."""
    index = forecast.value.index
    inside = (index.get_level_values(0) == quantity) & index.get_level_values(1).isin(kinds)
    groups = index.droplevel([0, 1]) if index.nlevels > 2 else pd.Index([name] * len(index))
    labels = groups[inside].unique()
    return sums(forecast, labels, (labels.get_indexer(groups) == np.arange(len(labels))[:, None]) & inside)


def among_known(among: pd.Series | None, name: str) -> dict[str, Any]:
    """``quantities`` and ``known`` of a forecast that counts some people, of whom NA says that it is not known."""
    if among is None:
        return {}
    return {"quantities": {name: among.astype("Float64").fillna(0.0).astype(float)}, "known": among.notna()}


def _table(values: pd.Series | pd.DataFrame, design: Design, kinds: pd.Index) -> np.ndarray:
    """Values by person and alternative (n x J) in the rows of a design."""
    names = values.index if design.names is None else design.names
    frame = values if isinstance(values, pd.DataFrame) else pd.DataFrame(dict.fromkeys(kinds, values))
    return frame.reindex(index=names, columns=kinds).astype(float).replace(np.inf, np.nan).fillna(0.0).to_numpy()
