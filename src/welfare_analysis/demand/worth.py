r"""What time is worth on the way to work, by cards and by modes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..estimation import Estimate, joint, mean
from ..estimation.choice import willingness_to_pay
from .modes import TASTES, part
from .transport import Commuters


def time_over_cost(people: Commuters) -> Estimate:
    """DH a month for a minute less each way, by ``cards`` and by ``modes``, and their ``difference``."""
    fits = {"cards": people.fit("stated"), "modes": people.fit("revealed")}
    both = joint({name: minute(fit) for name, fit in fits.items()})
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]])
    names = [*fits, "difference"]
    return both.apply(lambda v: pd.Series(rows @ v.to_numpy(), index=names), rows)


def minute(fit: Estimate) -> Estimate:
    """What a minute less is worth, in the unit of cost: 10 beta of ten minutes over beta of a hundred of cost."""
    return part(fit, list(TASTES[:2])).apply(lambda v: pd.Series({"minute": 10 * v["time_10min"] / v["cost_100"]}))


def value_of_time(people: Commuters) -> tuple[dict[str, Estimate], Estimate | None]:
    r"""DH for an hour less on the way by income group, and net pay of an hour of work by the same, if it was asked.

    Of cards, with a cost by income group: :math:`W = 600 \beta_t / (k \beta_c)` of a minute of a way and a DH of a
    month, k ways a month. Pay an hour is net pay over the weekly hours told.
    """
    fit, frame = people.fit("groups"), people.frame
    group = people.people["income_group"].astype(object)
    costs = {str(g): f"cost_100:C(income_group)[{g}]" for g in sorted(set(group))}
    costs = {g: name for g, name in costs.items() if name in fit.value} or {"all": "cost_100"}
    ways, w = people.levels.ways(frame), people.design.weights
    inside = {g: (people.known & (group.eq(g) | (g == "all"))).to_numpy() for g in costs}
    step = {g: 600 / float(np.average(ways[m], weights=w[m])) for g, m in inside.items()}
    worth = {g: willingness_to_pay(fit, {g: {"time_10min": -step[g]}}, name) for g, name in costs.items()}
    if not {"net_pay_dh", "weekly_hours_n"} <= set(frame):
        return dict(worth), None
    hours = frame["weekly_hours_n"].astype(float) * people.levels.of_all("weeks_n")
    pay = (frame["net_pay_dh"].astype(float) / hours.where(hours > 0)).rename("pay")
    by = (group if "all" not in costs else pd.Series("all", frame.index)).rename("income_group")
    return dict(worth), mean(people.design, pay, by=by, where=people.active & pay.notna())
