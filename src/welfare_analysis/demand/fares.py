"""What measures for the way to work bring and cost: fares and tickets on today's shares, a shuttle, rail fares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..estimation import Estimate, joint, mean
from ..estimation.choice.forecast import forecast
from ..estimation.domains import Domains
from . import intercity, stated
from .levels import MODES
from .levers import lever
from .modes import pivoted
from .service import annuity, parameter
from .shuttle import Shuttle
from .transport import Commuters

FARED, TICKETED = ("bus", "tram", "grand_taxi"), ("bus", "tram")
SHARED = (*FARED, "staff_transport")  # ways that are shared: who uses one is a user
YEAR = 12
CUTS = {"fares_10": 0.1, "fares_30": 0.3, "fares_50": 0.5}
CHANGES = (*CUTS, "ticket")
BASE = "base"


@dataclass(frozen=True, eq=False)
class Fares:
    """Today's modes by segment, and what changes of fares do to them.

    Attributes
    ----------
    people : Commuters
    scale : float
        Noise of choices on cards over that of real ones.
    """

    people: Commuters
    scale: float

    @cached_property
    def cell(self) -> pd.Series:
        """Segment and mode of each person, as one code; missing where it is not known."""
        return (self.people.segments() + "|" + self.people.frame["commute_mode"].astype(object)).rename("cell")

    @cached_property
    def today(self) -> pd.DataFrame:
        """By (segment, mode): ``share`` of all the active, and ``dh``, what the mode costs a month in the segment."""
        people = self.people
        part, w = people.frame[people.known], people.design.weights[people.known.to_numpy()]
        segment, weight = people.segments()[people.known].to_numpy(), pd.Series(w / w.sum())
        every = people.levels.of_each(part)["cost_dh"].to_numpy().reshape(len(part), -1)
        sums = pd.DataFrame(every * weight.to_numpy()[:, None], columns=list(MODES)).groupby(segment).sum()
        means = sums.div(weight.groupby(segment).sum(), axis=0).stack()
        shares = weight.groupby([segment, part["commute_mode"].astype(str).to_numpy()]).sum()
        return pd.DataFrame({"share": shares, "dh": means.reindex(shares.index)}).rename_axis(["segment", "mode"])

    def changed(self, name: str) -> np.ndarray:
        """DH a month of each segment and mode, today or under a change of `CHANGES`."""
        mode, dh = self.today.index.get_level_values("mode"), self.today["dh"].to_numpy()
        if name == "ticket":
            return np.where(mode.isin(TICKETED), np.minimum(dh, parameter("season_ticket_dh")), dh)
        return np.where(mode.isin(FARED), dh * (1 - CUTS.get(name, 0.0)), dh)

    def means(self, name: str, amounts: pd.DataFrame) -> Estimate:
        """Means over the active of amounts (columns) by segment and mode, once fares are changed."""
        people, fit, codes = self.people, self.people.fit(), ["|".join(key) for key in self.today.index]
        place = pd.Index(codes).get_indexer(self.cell)
        there, table = (place >= 0).astype(float)[:, None], amounts.to_numpy(float)
        change = (self.changed(name) - self.today["dh"].to_numpy()) / 100 * self.scale
        cost = fit.value.index.get_loc("cost_100")

        def measure(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return pivoted(self.today["share"], theta[cost] * change, table)[place] * there, there

        def slopes(parts: Domains) -> np.ndarray:
            theta, at = fit.value.to_numpy(), fit.value.index == "cost_100"  # the others move nothing
            step = 1e-5 * abs(theta[cost])
            ends = [measure(theta + end * at)[0] for end in (step, -step)]
            change = parts.sums((ends[0] - ends[1]) / (2 * step), people.design.weights)
            return np.outer(change.ravel(), at)

        names = [(name,) for name in amounts]
        return forecast(fit, people.design, people.known.to_numpy(), measure, names, ["quantity"], slopes=slopes)

    def shares(self, name: str) -> Estimate:
        """Shares of the modes under a change."""
        modes = self.today.index.get_level_values("mode")
        return self.means(name, pd.get_dummies(pd.Series(modes, self.today.index), dtype=float))

    def lever(self, name: str) -> tuple[Estimate, Estimate]:
        """What a change brings and costs a year, and how much more members pay."""
        users = self.today.index.get_level_values("mode").isin(SHARED).astype(float)
        dh, new = self.today["dh"].to_numpy(), self.changed(name)
        columns = pd.DataFrame({"users": users, "given": dh - new, "dh": dh, "new": new}, self.today.index)
        number = self.people.number()
        ends = {end: self.means(change, columns) for end, change in (("before", BASE), ("after", name))}
        found = joint({end: stated.times(e, number, e.value.index) for end, e in ends.items()})
        amounts = [("before", "users"), ("after", "users"), ("after", "given"), ("before", "given")]
        parts = [pick(found, {key: factor}) for key, factor in zip(amounts, (1, 1, YEAR, YEAR), strict=True)]
        return lever(*parts), pick(found, {("after", "new"): YEAR, ("before", "dh"): -YEAR})


def pick(estimate: Estimate, weights: Mapping[Any, float]) -> Estimate:
    """One sum of some values of an estimate, each times a weight."""
    return stated.sums(estimate, ["sum"], [[weights.get(key, 0.0) for key in estimate.value.index]])


def of_shuttle(shuttle: Shuttle) -> tuple[Estimate, Estimate]:
    """What a shuttle brings and costs a year, and how much more members pay.

    What it costs is what its runs cost (`Shuttle.runs`), whoever rides, less the fares. Whoever came by a shared way
    before is no additional user of one: what he is given, at the cost of a rider of his group, is a transfer.
    """
    people, s, on = shuttle.people, shuttle.service, shuttle.open_to
    shared = people.frame["commute_mode"].astype(object).isin(SHARED)
    users = mean(people.design, shared.astype(float).rename("users"), where=people.known)
    before = stated.times(users, people.number(), users.value.index)
    flags = {"riders": on, "came": on & shared, "now": on.astype("Float64") * people.now["cost_dh"]}
    flags["given"] = (on & shared).astype("Float64") * (shuttle.rider_dh - s.cost_dh)
    runs = mean(people.design, (shuttle.runs * shuttle.kept).rename("runs"), where=people.known)
    every = stated.times(runs, people.number(), runs.value.index)
    found = joint({"before": before, "runs": every, "ride": shuttle.riders(flags)})
    users_now, run, riders, came, now, given = found.value.index
    made = lever(
        pick(found, {users_now: 1}), pick(found, {users_now: 1, riders: 1, came: -1}),
        pick(found, {run: YEAR * s.run_dh / s.members_a_route_n, riders: -YEAR * s.cost_dh}),
        pick(found, {given: YEAR}),
    )  # fmt: skip
    return made, pick(found, {riders: YEAR * s.cost_dh, now: -YEAR})


def of_rail(today: Estimate) -> tuple[Estimate, Estimate]:
    """What a discount on trains brings (trips a year) and costs a year, at the middle of what is assumed."""
    effect = intercity.agreement(today, intercity.parameter("discount"), intercity.parameter("elasticity"))
    now = pick(effect, {"trips": 1, "more": -1})
    made = lever(now, *(pick(effect, {name: 1}) for name in ("trips", "cost_dh", "saved_dh")))
    spent = joint({"effect": effect, "today": today})
    off = intercity.parameter("discount")
    keys = {key[-1]: key for key in spent.value.index}
    return made, pick(spent, {keys["cost_dh"]: (1 - off) / off, keys["rail_dh"]: -1})


def present_value(estimate: Estimate) -> Estimate:
    """What amounts a year are worth today over the years of the horizon."""
    return stated.scaled(estimate, annuity(parameter("years_n"), parameter("discount_rate")))
