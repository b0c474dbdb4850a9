r"""Homes needed a year: a backlog that is cleared, needs that arise anew, and supply.

With B the backlog, a stock of its own, and h the years in which it is to be cleared,

.. math:: N_h = B / h + A - S,

A newly arising a year (recruits, marriages, transfers, ends of service) and S supplied a year (committed homes, service
homes let again): England, Strategic Housing Market Assessments, Practice Guidance version 2 (2007), chapter 5. Backlog
and expected changes are estimated, so N is an estimate with the interval of the sample; what no form tells are `Flows`,
with ranges. A negative N is a surplus. A member who moves leaves a home to another: `moves_by_home`.

Members of a group are renewed year by year: `renewed`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..estimation import Estimate
from ..study import public
from .housing import STANDARDS, Standards, housing_need_class
from .income_debt import CANNOT, asked, is_code

CLEARANCE = (5, 10, 20)  # years
EXPECTED_YEARS = 3  # the form asks what is expected in three years
IN_BACKLOG = ("suppressed", "core_need")
HOMES = ("backlog", "marriage", "transfer", "retirement", "post", "active")


@dataclass(frozen=True)
class Flows:
    """What is not asked of members: ``data/public/housing_flows.csv`` has values, ranges and sources.

    Parameters
    ----------
    recruits_n, committed_n : float
        Persons recruited and homes committed a year.
    recruit_need_share, marriage_need_share, transfer_need_share : float
        Shares of these who need a home; of retirements and deaths in service housing all do.
    death_rate : float
        A year, of the active.
    relet_share : float
        Share of service homes left by retirement or death that are let again.
    staff_n : float
        Active staff that recruits and committed homes are of: other members have them in proportion.
    """

    recruits_n: float
    recruit_need_share: float
    marriage_need_share: float
    transfer_need_share: float
    death_rate: float
    relet_share: float
    committed_n: float
    staff_n: float

    @classmethod
    def read(cls, table: pd.DataFrame | None = None) -> Flows:
        """The values of the table, that of the file by default."""
        table = public("housing_flows") if table is None else table
        return cls(**dict(zip(table["id"], table["value"].astype(float), strict=True)))


def homes_needed(frame: pd.DataFrame, rents: pd.Series | None = None, standards: Standards = STANDARDS) -> pd.DataFrame:
    """Homes that each respondent stands for, to be given to `total`.

    Parameters
    ----------
    frame : DataFrame
        A row a respondent, with what `housing_need_class` needs and the ``change_...`` of the active. Where it has
        ``household_share``, a home in which several members live is part of the backlog once.
    rents, standards
        As for `housing_need_class`.

    Returns
    -------
    DataFrame
        ``backlog``: suppressed or in core need. Of those who are not, a year, each in the first column that fits:
        ``retirement`` from service housing, ``marriage`` (of those who do not own), ``transfer``. ``post``: service
        homes of the active outside the backlog. ``active``: persons. NA where the class or a change is missing.
    """
    need, (status, tenure) = housing_need_class(frame, rents, standards), asked(frame, "status", "tenure")
    known = need.ne(CANNOT)
    backlog = need.isin(IN_BACKLOG).astype("boolean").where(known)
    active, service = is_code(status, "active"), is_code(tenure, "service")
    found, open_ = {}, ~backlog
    for change, fits in (("retirement", service), ("marriage", ~is_code(tenure, "owner")), ("transfer", True)):
        expects = is_code(asked(frame, f"change_{change}")[0], "yes") & active
        found[change] = open_ & expects & fits
        open_ = open_ & ~found[change]
    homes = pd.DataFrame({"backlog": backlog, **found, "post": ~backlog & service & active, "active": active})
    homes = homes.astype("Float64")[list(HOMES)]
    homes[list(found)] /= EXPECTED_YEARS
    if "household_share" in frame:
        homes["backlog"] *= frame["household_share"].astype("Float64")
    return homes


def annual(homes: Estimate, flows: Flows | None = None, years: Sequence[float] = CLEARANCE) -> Estimate:
    """The stock of homes needed and what a year brings: B, A, S and, for each term of clearance, N of this module.

    Parameters
    ----------
    homes : Estimate
        ``total(design, homes_needed(frame), missing="mean")``.
    flows : Flows, optional
        By default those of the file. Recruits and committed homes are in proportion to the active, taken as known.
    years : sequence of float
        Years in which the backlog is cleared.

    Returns
    -------
    Estimate
        ``backlog``; a year ``arising``, ``supply`` (committed homes, and service homes let again), ``years_5``, ...
    """
    used = Flows.read() if flows is None else flows
    split = homes.value["active"] / used.staff_n

    def numbers(v: pd.Series) -> pd.Series:
        left = v["retirement"] + used.death_rate * v["post"]  # service homes that end
        moves = used.marriage_need_share * v["marriage"] + used.transfer_need_share * v["transfer"]
        arising = used.recruit_need_share * used.recruits_n * split + moves + left
        supply = used.committed_n * split + used.relet_share * left
        net = {f"years_{h}": v["backlog"] / h + (arising - supply) for h in years}
        return pd.Series({"backlog": v["backlog"], "arising": arising, "supply": supply, **net})

    return homes.apply(numbers)


def moves_by_home(left: np.ndarray, passed: np.ndarray) -> float:
    r"""Moves of members that one new home brings: the vacancy chain :math:`1' (I - Q)^{-1} e`.

    A member who moves leaves a home of kind k with chance :math:`l_k` (none, where the chance is that of a family's
    home), and another member takes it with chance :math:`\pi_k`; the others go to people outside, where the chain ends
    for members. So :math:`q_{jk} = l_k \pi_k` from a home of any kind j (White 1970, Chains of Opportunity).

    Parameters
    ----------
    left, passed : (kinds,) array
        l and :math:`\pi`.
    """
    kinds = 1 + len(left)  # the new home, and those that are left
    q = np.tile(np.append(0.0, left * passed), (kinds, 1))
    return float(np.linalg.inv(np.eye(kinds) - q)[0].sum())


def leaving(frame: pd.DataFrame, years: int, retires: float = STANDARDS.retirement_age) -> pd.DataFrame:
    """Whether each respondent is active, retired, another member, and who of the active retires in year 1, 2, ..., T.

    ``leaves_1`` has those who are past the age, too. NA where the status, or the age of one who is active, is missing.
    """
    status, age = asked(frame, "status", "age")
    active, retired = is_code(status, "active"), is_code(status, "retired")
    due = np.ceil((retires - age.astype(float)).clip(lower=1.0))
    known = status.notna() & (age.notna() | ~active).fillna(value=False)
    flags = {f"leaves_{year}": (active & due.eq(year)).mask(~known) for year in range(1, years + 1)}
    found = pd.DataFrame({"active": active, "retired": retired, "others": ~active & ~retired, **flags})
    return found.astype("Float64").astype(float)


def renewed(counts: np.ndarray, rates: Mapping[str, float]) -> np.ndarray:
    r"""Members by group today and after 1, ..., T years, (1 + T, G).

    In each year those of the active retire who are at the age, less those who died before, and of the others the part d
    dies; R recruits come, to each group in proportion to its active of today, a stand-in for promotion. Of the retired
    the part :math:`\delta` dies. A part :math:`\omega` of the dead leave another member (a widow, an orphan), of whom
    the part s a year is a member no more. Retirees and survivors go to the groups where those of today are.

    Parameters
    ----------
    counts : (3 + T, G) array
        Totals of the columns of `leaving` by group.
    rates : mapping
        ``recruits_n`` (a year, of ``staff_n``), ``death_rate``, ``retired_death_rate``, ``survivor_share``,
        ``survivor_exit_rate``.
    """
    now, retired, others = counts[:3]
    active, staying = now, 1.0
    to_retired, to_others = (x / max(x.sum(), 1e-300) for x in (retired, others))
    members = [now + retired + others]
    for due in counts[3:]:
        gone, staying = due * staying, staying * (1 - rates["death_rate"])
        dead = rates["death_rate"] * (active - gone).sum() + rates["retired_death_rate"] * retired.sum()
        active = (1 - rates["death_rate"]) * (active - gone) + rates["recruits_n"] / rates["staff_n"] * now
        retired = (1 - rates["retired_death_rate"]) * retired + gone.sum() * to_retired
        others = (1 - rates["survivor_exit_rate"]) * others + rates["survivor_share"] * dead * to_others
        members.append(active + retired + others)
    return np.array(members)
