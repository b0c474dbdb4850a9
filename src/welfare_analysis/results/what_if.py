r"""Numbers on other terms, at the points of ``data/what_if.csv``: what a reader may change on the page of what-ifs.

At each point of a grid of terms a forecast is made, by the functions that the pages use, and released as any table is.
Between the points nothing is computed from answers: with fractions :math:`t_a` of the way between the two points around
on each axis a,

.. math:: f(x) = \sum_{c \in \{0, 1\}^A} f_c \prod_a t_a^{c_a} (1 - t_a)^{1 - c_a},

of released, rounded numbers f. So whatever the page says follows from the published grid. Along an axis few may be no
longer able to pay: no number is printed finer than what five of those who can make of it (`disclosure.digits`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise, product
from typing import Any

import numpy as np
import pandas as pd

from ..demand import funnel
from ..demand.credit import Terms
from ..demand.funnel import LIKELY
from ..demand.housing import HomeMarket, assumed, bought
from ..demand.loans import LoanMarket, taken
from ..demand.scenarios import BANK, FLAT, loan_dh, present_dh
from ..demand.shuttle import Shuttle
from ..disclosure import NUMBERS
from ..errors import WelfareError
from ..estimation import Estimate
from ..study import DATA, Study
from . import homes, loans, transport
from .declare import Topic, long_format, point
from .steps import behind, groups_of

POINTS = pd.read_csv(DATA / "what_if.csv")
GROUPED = ("rank_group", "command_group")
Axes = dict[str, list[float]]


def axes(service: str, grouped: bool = False) -> Axes:
    """Points of each axis of a service, rising; of those alone that a grid by group has too."""
    rows = POINTS[(POINTS["service"] == service) & (POINTS["grouped"].eq("yes") | (not grouped))]
    return {str(axis): sorted(part.astype(float)) for axis, part in rows.groupby("axis", sort=False)["value"]}


def base(service: str) -> dict[str, float]:
    """The point of the pages' own numbers."""
    rows = POINTS[(POINTS["service"] == service) & POINTS["base"].eq("yes")]
    return dict(zip(rows["axis"], rows["value"].astype(float), strict=True))


def code(value: float) -> str:
    """A point of an axis as a key of a cell."""
    return f"{value:g}" if value < 1 else f"{value:.0f}"


def homes_at(study: Study, at: Mapping[str, float]) -> HomeMarket:
    """The market of homes on the terms of a point: rate, months, the price of the social flat, a grant."""
    market = study.result(homes.home_market)
    terms = replace(market.terms, rate=at["rate"], months=at["months"], grant_dh=at["grant_dh"])
    return market.at(terms, {FLAT: {"price_dh": at["price_dh"]}})


def homes_rows(market: HomeMarket) -> pd.DataFrame:
    """Homes likely within five years, and DH of today for grants and for the difference to the banks' rate.

    A lower price costs whoever sells, and is no part of the cost.
    """
    terms, discount = market.terms, assumed("discount_rate")
    bank = replace(terms, rate=Terms.named(BANK).rate)
    saved = present_dh(market, discount, bank) - present_dh(market, discount)
    cost = loan_dh(market).mul(saved, axis=0) + terms.grant_dh
    made = market.likely({"homes": cost * 0.0 + 1.0, "cost": cost})
    return long_format({name: bought(made, name) for name in ("homes", "cost")}, "measure", "")


def loans_at(study: Study, at: Mapping[str, float]) -> LoanMarket:
    """The market of loans at a rate of the Foundation's loan."""
    market: LoanMarket = study.result(loans.loan_market)
    return market.at({"foundation": at["rate"]})


def loans_rows(market: LoanMarket) -> pd.DataFrame:
    """Likely loans a year, and dirhams lent."""
    made = market.likely()
    return long_format({"loans": taken(made), "lent": taken(made, "dh")}, "measure", "")


def shuttle_at(study: Study, at: Mapping[str, float]) -> Shuttle:
    """The shuttle at a fare and a headway."""
    known = study.result(transport.shuttle_of)
    return known.at(cost_dh=at["cost_dh"], runs_n=known.service.window_min / at["headway_min"])


@dataclass(frozen=True)
class Grid:
    """How a service is forecast at a point: the topic of its tables, units by measure, and the functions above."""

    topic: Topic
    units: Mapping[str, str]
    at: Callable[[Study, Mapping[str, float]], Any]
    rows: Callable[[Any], pd.DataFrame]
    count: Callable[[Any, pd.Series | None], Mapping[str, Estimate]] | None = None


GRIDS = {
    "homes": Grid(homes.topic, {"homes": "homes", "cost": "million_dh"}, homes_at, homes_rows,
                  lambda at, by: {"likely": at.takers(by=by)}),
    "loans": Grid(loans.topic, {"loans": "files", "lent": "million_dh"}, loans_at, loans_rows,
                  lambda at, by: {"likely": taken(at.likely(by=by))}),
    "transport": Grid(transport.topic, {"riders": "persons"}, shuttle_at,
                      lambda at: transport.likely(at).assign(measure="riders")),
}  # fmt: skip


def whole(study: Study, subject: Any, service: str) -> pd.DataFrame:
    """A service at every point of its grid."""
    grid, parts = GRIDS[service], []
    for values in product(*axes(service).values()):
        at = grid.at(study, dict(zip(axes(service), values, strict=True)))
        everybody = pd.Series(True, subject.frame.index)
        rows = grid.rows(at).assign(**dict(zip(axes(service), map(code, values), strict=True)))
        rows = rows.assign(step_of=LIKELY, all="all")
        parts.append(behind(rows, subject, at, {"all": everybody}, "all", "step_of").drop(columns=["all", "step_of"]))
    made = pd.concat(parts, ignore_index=True)
    return made.assign(unit=made["measure"].map(grid.units))


def by_group(study: Study, subject: Any, service: str, group: str) -> pd.DataFrame:
    """The first measure of a service by group, at the points of the axes that are shown by group, as on its page."""
    grid, kept, parts = GRIDS[service], axes(service, grouped=True), []
    status, by = groups_of(subject, group)
    for values in product(*kept.values()):
        at = grid.at(study, base(service) | dict(zip(kept, values, strict=True)))
        rows = transport.likely(at, group, by=by) if grid.count is None else long_format(
            funnel.by_group(partial(grid.count, at), status, by)["likely"], group)  # fmt: skip
        rows = rows.assign(**dict(zip(kept, map(code, values), strict=True)), step_of=LIKELY)
        groups = {str(name): by == name for name in rows[group]}
        parts.append(behind(rows, subject, at, groups, group, "step_of").drop(columns="step_of"))
    return pd.concat(parts, ignore_index=True).assign(unit=next(iter(grid.units.values())))


def interpolated(cells: pd.DataFrame, on: Mapping[str, Sequence[float]], at: Mapping[str, float]) -> dict[str, Any]:
    """The released numbers around a point, between which it lies, weighted: estimate, low, high, step and flag.

    The estimate is rounded to the coarsest unit of the numbers around, the ends outward. Where one of them is hidden or
    unsure the point is so too, and one that asks for caution hands that on.

    Parameters
    ----------
    cells : DataFrame
        Of one measure of a grid: a column an axis, with `code` of its points, and the columns of a released table.
    on : mapping of axis to its points, rising
    at : mapping of axis to a value within them

    Raises
    ------
    WelfareError
        A value is outside its axis.
    """
    columns = [*NUMBERS, "step", "flag"]
    numbers = zip(*(cells[column].tolist() for column in columns), strict=True)
    known = dict(zip(zip(*(cells[axis].tolist() for axis in on), strict=True), numbers, strict=True))
    corners: list[tuple[tuple[str, ...], float]] = [((), 1.0)]
    for axis, points in on.items():
        x = at[axis]
        if not points[0] <= x <= points[-1]:
            raise WelfareError("outside the grid", where=axis, got=x, expected=f"{points[0]:g} to {points[-1]:g}")
        i = min(int(np.searchsorted(points, x, side="right")) - 1, len(points) - 2)
        t = (x - points[i]) / (points[i + 1] - points[i])
        sides = [(code(points[i]), 1 - t), (code(points[i + 1]), t)]
        corners = [((*keys, key), weight * part) for keys, weight in corners for key, part in sides]
    used = [(known[keys], weight) for keys, weight in corners if weight > 0]
    flags = [str(cell[-1]) for cell, _ in used]
    flag = next((one for one in ("hidden", "unsure", "caution") if one in flags), "")
    if flag in ("hidden", "unsure"):
        return {**dict.fromkeys([*NUMBERS, "step"], np.nan), "flag": flag}
    estimate = first = last = 0.0
    for cell, weight in used:  # in this order, and plainly: the page's script adds up alike
        estimate, first, last = estimate + cell[0] * weight, first + cell[1] * weight, last + cell[2] * weight
    step = max(cell[3] for cell, _ in used)
    near = math.floor(estimate / step + 0.5)
    ends = math.floor(first / step + 1e-6), math.ceil(last / step - 1e-6)
    low, high = min(ends[0], near), max(ends[1], near)
    return {"estimate": near * step, "low": low * step, "high": high * step, "step": step, "flag": flag}


def error(study: Study, subject: Any, service: str) -> pd.DataFrame | None:
    """How far the first measure between points is from what is computed there, at most, at middles next to the base.

    A share of the computed number. Middles of all axes at once, in the cells of the grid that touch the base; an axis
    that jumps (without a ``move``) can be set to its points alone, and is taken at each of them.
    """
    grid, on, home = GRIDS[service], axes(service), base(service)
    measure = next(iter(grid.units))
    table = grid.topic.release(study)[grid.topic.address("grid")]
    if table.state != "shown":
        return None
    cells = table.cells(*["*"] * len(on), measure)
    jumps = set(POINTS.loc[(POINTS["service"] == service) & POINTS["move"].isna(), "axis"])
    middles = [
        x if axis in jumps else [(a + b) / 2 for a, b in pairwise(x) if home[axis] in (a, b)] for axis, x in on.items()
    ]
    off = []
    for values in product(*middles):
        at = dict(zip(on, values, strict=True))
        rows = grid.rows(grid.at(study, at))
        computed = float(rows.loc[rows["measure"] == measure, "estimate"].iloc[0])
        between = interpolated(cells, on, at)["estimate"]
        off += [abs(between / computed - 1)] if computed and np.isfinite(between) else []
    return point(max(off), float(table.respondents), measure=measure) if off else None


for _name, _grid in GRIDS.items():
    _declare, _first = _grid.topic.table, next(iter(_grid.units.values()))
    _declare("grid", "|".join(axes(_name)), "measure", _first)(partial(whole, service=_name))
    _declare("grid_error", "measure", unit="share", adds=None, statistic="model")(partial(error, service=_name))
    for _group in GROUPED:
        _keys = "|".join([*axes(_name, grouped=True), _group])
        _declare(f"grid_by_{_group}", _keys, unit=_first)(partial(by_group, service=_name, group=_group))
