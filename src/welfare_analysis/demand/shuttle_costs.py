"""What a staff shuttle costs whoever runs it: a rider, all of it less the fares, and what its vehicles burn."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..estimation import Estimate, joint, total
from . import levels
from .service import Service, settled
from .shuttle import by_runs, cells, shares
from .transport import Commuters


def rider_cost(people: Commuters, service: Service) -> Estimate:
    """DH a month that a route costs over its riders, by cell with runs in the greatest equilibrium."""
    rides = by_runs(people, service).part([f"{n}.after" for n in service.runs])
    runs = settled(shares(people, service), service)["greatest"]
    runs = runs[runs > 0]
    names = [(f"{n}.after", "shuttle", *cell) for cell, n in runs.items()]
    at = rides.value.index.get_indexer(names)
    cost = np.array([service.route_dh(n) for n in runs]) / service.members_a_route_n
    slopes = np.zeros((len(at), len(rides.value)))
    slopes[np.arange(len(at)), at] = -cost / rides.value.to_numpy()[at] ** 2
    return rides.apply(lambda v: pd.Series(cost / v.to_numpy()[at], index=runs.index), slopes)


def net_cost(people: Commuters, service: Service, riders: Estimate) -> Estimate:
    """DH a month that all routes cost in the greatest equilibrium, less what ``riders`` (1,) of it pay."""
    runs, members = _members(people, service)
    routes = np.array([service.route_dh(n) if n else 0.0 for n in runs]) / service.members_a_route_n
    return _weighted(riders, members, np.concatenate([[-service.cost_dh], routes]), "cost")


def less_vehicles(people: Commuters, service: Service, saved_kg: Estimate) -> Estimate:
    """CO2 that riders save (1,) less what the vehicles burn in the greatest equilibrium, kg a month."""
    runs, members = _members(people, service)
    grams = float(levels.emissions()["shuttle_vehicle"])
    km = runs * service.windows_a_day_n * service.days_a_month_n * service.route_km
    return _weighted(
        saved_kg, members, np.concatenate([[1.0], -km * grams / 1000 / service.members_a_route_n]), "co2_kg"
    )


def _members(people: Commuters, service: Service) -> tuple[np.ndarray, Estimate]:
    """Runs in a window and members of each cell."""
    members = total(people.design, people.active.astype(float).rename("n"), by=cells(people), where=people.active)
    keys = pd.MultiIndex.from_tuples([key[-2:] for key in members.value.index])
    return settled(shares(people, service), service)["greatest"].reindex(keys).fillna(0).to_numpy(), members


def _weighted(one: Estimate, members: Estimate, weights: np.ndarray, name: str) -> Estimate:
    return joint({"one": one, "members": members}).apply(
        lambda v: pd.Series(weights @ v.to_numpy(), index=[name]), weights[None]
    )
