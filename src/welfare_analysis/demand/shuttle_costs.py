"""What a staff shuttle costs whoever runs it: a route, a rider, all of it less the fares, and what its vehicles burn."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..estimation import Estimate, joint, total
from ..study import public
from .outcomes import people as many
from .service import Service, settled
from .shuttle import by_runs, cells, effect, running, shares
from .transport import Commuters


def rider_cost(people: Commuters, service: Service) -> Estimate:
    """DH a month that a route costs over its riders, by cell in the greatest equilibrium; cells without runs left out."""
    rides = by_runs(people, service).part([f"{n}.after" for n in service.runs])
    runs = settled(shares(people, service), service)["greatest"]
    runs = runs[runs > 0]
    names = [(f"{n}.after", "shuttle", *cell) for cell, n in runs.items()]
    at = rides.value.index.get_indexer(names)
    cost = np.array([service.route_dh(n) for n in runs]) / service.members_a_route_n
    slopes = np.zeros((len(at), len(rides.value)))
    slopes[np.arange(len(at)), at] = -cost / rides.value.to_numpy()[at] ** 2
    return rides.apply(lambda v: pd.Series(cost / v.to_numpy()[at], index=runs.index), slopes)


def net_cost(people: Commuters, service: Service) -> Estimate:
    """DH a month that all routes cost in the greatest equilibrium, less what riders pay."""
    by = cells(people)
    runs = settled(shares(people, service), service)["greatest"]
    found = effect(people, {"shuttle": running(people, service)}, by)
    riders = many(found, "shuttle", "after", people.active, by)
    members = total(people.design, people.active.astype(float).rename("members"), by=by, where=people.active)
    both = joint({"riders": riders, "members": members})
    place = pd.MultiIndex.from_tuples(members.value.index)
    routes = np.array([service.route_dh(n) if n else 0.0 for n in runs.reindex(place)]) / service.members_a_route_n
    fares = -service.cost_dh * (riders.value.index.get_level_values(0) == "shuttle")
    weights = np.concatenate([fares, routes])[None]
    return both.apply(lambda v: pd.Series(weights @ v.to_numpy(), index=["cost"]), weights)


def less_vehicles(people: Commuters, service: Service, saved: Estimate, unit: float) -> Estimate:
    """CO2 that riders save less what the vehicles burn, kg a month times ``unit``."""
    by = cells(people)
    runs = settled(shares(people, service), service)["greatest"]
    members = total(people.design, people.active.astype(float).rename("members"), by=by, where=people.active)
    grams = float(public("emissions").set_index("mode").loc["shuttle_vehicle", "value"])
    place = pd.MultiIndex.from_tuples(members.value.index)
    km = runs.reindex(place).fillna(0).to_numpy() * service.windows_a_day_n * service.days_a_month_n * service.route_km
    weights = np.concatenate([[1.0], -unit * km * grams / 1000 / service.members_a_route_n])[None]
    both = joint({"saved": saved, "members": members})
    return both.apply(lambda v: pd.Series(weights @ v.to_numpy(), index=["co2"]), weights)
