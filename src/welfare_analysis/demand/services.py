r"""Summer holidays: who asks for a week where, and how many places a peak week needs.

A family i that wants a week and can pay asks with chance :math:`\rho` for each of its :math:`k_i` weeks, of which the
part :math:`a_t` falls into week t of the season. Of the persons who ask at one centre in that week
mean and variance are

.. math:: M = \rho a_t \sum_i k_i p_i, \qquad
   V = \rho a_t \sum_i k_i p_i^2 - \rho^2 a_t^2 \sum_i k_i^2 p_i^2

with :math:`p_i` persons, sums over the population, families asking independently. With C places a part r of the persons
is refused: :math:`E (D - C)^+ = r M`. For a sum of many families D is nearly normal, so that :math:`C = M + z
\sqrt{V}` with :math:`\varphi(z) - z (1 - \Phi(z)) = r M / \sqrt{V}` (the loss function of the newsvendor: Silver, Pyke
and Peterson 1998, Inventory Management, appendix B).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from ..estimation import Design, Estimate, total
from ..needs.income_debt import asked, is_code, member_income_dh
from ..study import Study, public
from ..survey.codebook import Codebook
from . import stated
from .allocation import filled
from .assumptions import assumption
from .funnel import funnel, picked

NEEDED = ("status", "holiday_centre", "holiday_weeks_n", "holiday_persons_n", "holiday_budget_dh")
parameter = partial(assumption, "services")  # numbers of ``data/public/services.csv``
RULES = ("lottery", "points", "queue")
QUEUE_YEARS = 10  # of age that stand in one class of a queue
SUMS = ("persons", "squares", "weeks_squares")
ENDS = ("low", "high")
AID = "_pension_most_dh"  # behind a status: below which pension it is aided
NEWTON = 25  # steps; from the left of a convex falling function each comes closer


def aided() -> list[str]:
    """Statuses whose low pensions are added to: those for which ``services.csv`` has a threshold."""
    return [name.removesuffix(AID) for name in public("services")["parameter"] if name.endswith(AID)]


def home_share(frame: pd.DataFrame) -> pd.Series:
    """The part of its home that a form stands for, so that a home counts once."""
    return frame.get("household_share", pd.Series(1.0, frame.index)).astype(float)


def season(end: str = "value") -> tuple[float, ...]:
    """Part of the season's demand in each week: as assumed, all alike (``low``), or heaped in the middle (``high``)."""
    return tuple(public("season")[end].astype(float))


def loss(z: Any) -> Any:
    """Expected excess of a standard normal variable over z."""
    return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) - z * ndtr(-z)


def places(mean: Any, variance: Any, refused: float) -> Any:
    """Places C of which a part ``refused`` of normal demand finds none, see the module."""
    spread = np.sqrt(variance)
    excess = refused * np.asarray(mean) / spread
    z = -excess  # where loss(z) is at least the excess
    for _ in range(NEWTON):
        z = z + (loss(z) - excess) / ndtr(-z)
    return mean + z * spread


@dataclass(frozen=True, eq=False)
class Holidays:
    """Everybody before weeks in holiday centres, on terms that `at` changes.

    Attributes
    ----------
    frame, design, codebook
        Answers, rows named as those of the design.
    take_up : float
        Part of those who want a week and can pay that asks for one.
    week_price_dh : float
        DH a person and week.
    refused : float
        Part of the persons of the peak week that finds no place.
    weeks_most : float
        Weeks a family may have in a season.
    season : tuple of float
        Part of demand in each week.
    known : Estimate, optional
        `sums`, where they were estimated before.
    """

    frame: pd.DataFrame
    design: Design
    codebook: Codebook
    take_up: float = field(default_factory=partial(parameter, "take_up"))
    week_price_dh: float = field(default_factory=partial(parameter, "week_price_dh"))
    refused: float = field(default_factory=partial(parameter, "refused"))
    weeks_most: float = field(default_factory=partial(parameter, "weeks_most"))
    season: tuple[float, ...] = field(default_factory=season)
    known: Estimate | None = None
    reached = True  # a step is asked of those alone who reached it (`demand.funnel.funnel`)

    def at(self, **terms: Any) -> Holidays:
        """The same people on other terms; sums that no term decides are taken along."""
        same = not {"week_price_dh", "weeks_most"} & set(terms)
        return replace(self, known=self.sums if same else None, **terms)

    @cached_property
    def counted(self) -> pd.Series:
        """All members count."""
        return pd.Series(True, self.frame.index)

    @cached_property
    def steps(self) -> pd.DataFrame:
        """Whether each wants a week somewhere, and can pay it for the persons named; NA where that is not known."""
        centre, weeks, persons, budget = asked(self.frame, *NEEDED[1:])
        somewhere = ~is_code(centre, "none")
        wants = somewhere & (weeks.astype("Float64") > 0) & (persons.astype("Float64") > 0)
        can_pay = budget.astype("Float64") >= self.week_price_dh * persons.astype("Float64")
        return pd.DataFrame({"wants": wants, "affordable": can_pay})

    @property
    def goes(self) -> pd.Series:
        """Who wants a week and can pay it; NA where that is not known."""
        return self.steps["wants"] & self.steps["affordable"]

    def takers(self, among: pd.Series | None = None, by: pd.Series | None = None) -> Estimate:
        """Members likely to ask for a week in a season."""
        where = self.counted if among is None else self.counted & among
        left = funnel(self.design, self.steps, by=by, where=where, reached=True)
        many = len(left.value) // self.steps.shape[1]
        last = picked(left, np.arange(len(left.value) - many, len(left.value)))
        return stated.scaled(last, self.take_up).as_positive()

    @property
    def ends(self) -> tuple[Holidays, Holidays]:
        """At the two ends of what is assumed of people's word."""
        low, high = (self.at(take_up=parameter("take_up", end)) for end in ENDS)
        return low, high

    @cached_property
    def sums(self) -> Estimate:
        """Sums of k p, k p² and k² p² by (sum, centre); a home whose members fill several forms counts once.

        All centres have the same gaps, so that they add up.
        """
        if self.known is not None:
            return self.known
        goes, sure = self.goes, self.goes.fillna(False)
        centre = self.frame["holiday_centre"].astype(object)
        weeks = self.frame["holiday_weeks_n"].astype(float).clip(upper=self.weeks_most)
        persons = self.frame["holiday_persons_n"].astype(float)
        sums = (weeks * persons, weeks * persons**2, weeks**2 * persons**2)
        codes = [c for c in self.codebook.codes("holiday_centre") if (sure & centre.eq(c)).any()]
        columns = {
            (name, code): (home_share(self.frame) * value).where(sure & centre.eq(code), 0.0).where(goes.notna())
            for name, value in zip(SUMS, sums, strict=True)
            for code in codes
        }
        index = pd.MultiIndex.from_tuples(columns, names=["sum", "holiday_centre"])
        table = pd.DataFrame(dict(enumerate(columns.values())))
        made = total(self.design, table.set_axis([f"{a} {b}" for a, b in index], axis=1), missing="mean")
        return made.apply(lambda v: v.set_axis(index), np.eye(len(index)))

    def classes(self, rule: str) -> np.ndarray:
        """The class of each in the order of a rule, 0 served first: all alike, by points, by age from the oldest.

        Points are for children and low pay; whoever was drawn before has none, which no first season knows. Age stands
        for the years that one has waited, which the form does not ask. What is not known gives no points, and no years.
        """
        if rule == "lottery":
            return np.zeros(len(self.frame), dtype=int)
        age, children = (self.frame[name].astype(float).fillna(0.0) for name in ("age", "children_n"))
        pay = member_income_dh(self.frame).lt(parameter("low_pay_dh"))
        points = (parameter("points_child") * children).clip(upper=parameter("points_children_most"))
        score = age // QUEUE_YEARS if rule == "queue" else points + parameter("points_low_pay") * pay
        return np.asarray((score.max() - score).astype(int))

    def chances(self, rule: str, group: pd.Series) -> Estimate:
        """Part of the families that want a week and can pay that gets one of the announced places, by group and in all.

        The season's places are weeks times places; those who ask are a chance part of each class.
        """
        codes, groups = pd.factorize(group.astype(object), sort=True)
        classes, known = pd.factorize(self.classes(rule), sort=True)
        cell = pd.Categorical.from_codes(codes * len(known) + classes, range(len(groups) * len(known)))
        weeks = self.frame["holiday_weeks_n"].clip(upper=self.weeks_most)
        goes = self.goes.astype("Float64").astype(float)
        kinds = (goes, goes * (weeks * self.frame["holiday_persons_n"]).astype(float).where(goes > 0, 0.0))
        each = pd.get_dummies(pd.Series(cell, self.frame.index), dtype=float)
        table = pd.concat([each.mul(kind, axis=0) for kind in kinds], axis=1)
        places = parameter("announced_places_n") * len(self.season)

        def values(v: pd.Series) -> pd.Series:
            families, persons = v.to_numpy().reshape(2, len(groups), len(known))
            got = families * filled(self.take_up * persons.sum(axis=0), places)
            part = np.append(got.sum(axis=1) / families.sum(axis=1), got.sum() / families.sum())
            return pd.Series(part, pd.Index([*groups, "all"], name="applicant"))

        made = total(self.design, table.set_axis(map(str, range(table.shape[1])), axis=1), missing="mean")
        return made.apply(values).as_positive()

    def by_centre(self, of: Callable[..., Any]) -> Estimate:
        """``of`` (mean, variance) of the persons who ask in the peak week, by centre; ``all`` is their sum."""
        names, chance = [*self.sums.value["persons"].index, "all"], self.take_up * max(self.season)

        def values(v: pd.Series) -> pd.Series:
            first, second, third = v.to_numpy().reshape(3, -1)
            made = np.asarray(of(chance * first, chance * second - chance**2 * third))
            return pd.Series([*made, made.sum()], pd.Index(names, name="holiday_place"))

        return self.sums.apply(values).as_positive()

    def persons(self) -> Estimate:
        """Persons who ask in the peak week, by centre and in all."""
        return self.by_centre(lambda mean, _: mean)

    def places(self) -> Estimate:
        """Places that the peak week needs, by centre and in all."""
        return self.by_centre(partial(places, refused=self.refused))


def holidays(study: Study) -> Holidays:
    """The members of a study before weeks in holiday centres.

    Raises
    ------
    WelfareError
        A question that was not asked.
    """
    return Holidays(*stated.asked(study, NEEDED, "summer holidays"))


def cases(of: Holidays) -> dict[str, Holidays]:
    """What the number of places hangs on: one assumption at a time at an end of its range."""
    names = ("take_up", "week_price_dh", "refused")
    made = {f"{name}_{end}": of.at(**{name: parameter(name, end)}) for name in names for end in ENDS}
    made |= {f"season_{end}": of.at(season=season(end)) for end in ENDS}
    return {"central": of, **made, "two_weeks": of.at(weeks_most=2.0)}
