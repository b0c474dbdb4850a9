"""Errors of the numbers that decide on transport, in generated populations whose true demand is known.

How many are left at each step follows from true answers; how many of them would ride at given terms from true utilities
and the table's levels. In the plain version the model is right: modes are chosen by the tastes of the cards at the
table's levels, on a scale of their own, and so would a shuttle be; trips by rail have the true elasticity. In the rich
and strategic versions modes are chosen by distance, a car and a place instead, and a shuttle as on the cards.

Everybody generated does as his utilities say. ``stated`` and ``likely`` are both set against that: the error of
``likely`` is what the bridge takes away from people who keep to their word. ``certain`` is the same
estimate, wherever a run is kept or not, against the true riders times the true part of those who are certain: whether
the step is recovered. ``range`` says whether the
range of the page, from the constant of today to all that is stated, holds the truth.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from demand_errors import BOOK, PARAMETERS, studies

from welfare_analysis.demand import intercity, levels, transport
from welfare_analysis.demand.fares import pick
from welfare_analysis.demand.funnel import funnel
from welfare_analysis.demand.levels import MODES
from welfare_analysis.demand.service import Service
from welfare_analysis.demand.shuttle import VIEWS, Shuttle
from welfare_analysis.demand.stated import CERTAIN
from welfare_analysis.demand.transport import BLOCK, Commuters
from welfare_analysis.estimation import Estimate, total
from welfare_analysis.needs import commuting
from welfare_analysis.study import public
from welfare_analysis.survey.standin import Parameters, conditions
from welfare_analysis.survey.standin.cards import utilities
from welfare_analysis.survey.standin.wants import price_factor

FIRST_SEED, SIZE = 60_000, 20_000  # persons of a population
SCALE, FOOT = 0.7, -0.7  # of modes over cards; of ten minutes on foot all the way
EFFECTS = {"cost_dh": 100, "time_min": 10, "headway_min": 10, "foot_min": 10}  # of a step, DH or minutes
DISCOUNT = 0.35


def at_the_table(f: pd.DataFrame, p: Parameters, rng: np.random.Generator) -> pd.DataFrame:
    """The way to work as the model has it: modes by the tastes of the cards at the table's times and costs.

    People tell those times and costs of the mode that they use.
    """
    f = conditions.commute(f, p, rng)
    level, work = levels.Levels(), f[f["status"] == "active"]
    ways = level.of_each(work)
    steps = ways[list(EFFECTS)].to_numpy() / list(EFFECTS.values())
    effects = np.tile([p[f"{BLOCK}_{name}_effect"] if name != "foot_min" else FOOT for name in EFFECTS], (len(ways), 1))
    effects[:, 0] *= price_factor(work, p).repeat(len(MODES))
    constants = np.log([p[f"mode_{mode}_share"] for mode in MODES])
    u = SCALE * (effects * steps).sum(axis=1).reshape(-1, len(MODES)) + constants
    u = np.where(open_to(level, work), u + rng.gumbel(size=u.shape), -np.inf)
    best = u.argmax(axis=1)
    own = ways.iloc[np.arange(len(work)) * len(MODES) + best].set_axis(work.index)
    chosen = {
        "commute_mode": np.array(MODES, dtype=object)[best],
        "commute_min": own["door_min"].round().clip(1, 240),
        "commute_cost_dh": own["cost_dh"].round(-1).clip(0, 5000),
    }
    return f.assign(**{name: pd.Series(x, index=work.index).reindex(f.index) for name, x in chosen.items()})


def open_to(level: levels.Levels, frame: pd.DataFrame) -> np.ndarray:
    """Which modes (n x modes) there are in autumn 2012: a car for its owners, a tram where it ran, by distance."""
    near = level.of_each(frame)["open"].to_numpy().reshape(len(frame), len(MODES)) == 1
    near[:, MODES.index("car")] &= (frame["cars_n"] >= 1).fillna(False).to_numpy(bool)
    trams = set(public("transport_zones")["tram_command"].dropna())
    near[:, MODES.index("tram")] &= frame["command"].isin(trams).to_numpy(bool)
    return near


def true_chance(people: Commuters, version: str, scale: float = 1.0) -> pd.Series:
    """True probability that each of the active would ride; ``scale``: of what people would do over cards."""
    service = Service.named()
    part = people.frame[people.active.to_numpy()]
    time, now = people.staff.loc[part.index, "time_min"], people.now.loc[part.index]
    f = part.assign(**{f"{BLOCK}_own_cost_dh": now["cost_dh"], f"{BLOCK}_own_time_min": now["door_min"]})
    codes = BOOK.codes(f"{BLOCK}_alternative")
    found = pd.Series(np.nan, people.frame.index)
    for minutes, place in f.groupby(time.round(6).to_numpy()).groups.items():
        offers = pd.DataFrame(0.0, index=codes, columns=["cost_dh", "time_min", "headway_min", "walk_min"])
        offers.loc["shuttle"] = [service.cost_dh, minutes, service.headway_min, service.walk_min]
        u = utilities(BLOCK, f.loc[place], offers, PARAMETERS, version)[:, :2]
        found[place] = 1 / (1 + np.exp(scale * (u[:, 0] - u[:, 1])))
    return found


def true_numbers(people: Commuters, version: str, scale: float) -> dict[str, float]:
    """People left at each step, riders, groups that fill a run: from true answers and true utilities."""
    shuttle, service = Shuttle(people), Service.named()
    p, on = true_chance(people, version, scale), people.active
    wants, served = (x.fillna(False).astype(bool) for x in (people.wants, shuttle.served))
    able = shuttle.affordable.fillna(False).astype(bool)
    certain = people.frame[f"{BLOCK}_certainty"].astype(float)
    sure = float((certain[wants & certain.notna()] >= CERTAIN).mean())
    open_to = wants & served & able
    share = (p * open_to)[on].groupby(people.group[on]).mean() * service.members_a_route_n * service.window_share

    kept = people.group.map(share >= service.least_riders_n).fillna(False).astype(bool)
    riders = float(p[on & open_to & kept].sum())

    found = {"in_need": float(commuting.transport_need(people.frame).fillna(False).sum())}
    found |= {"wants": float(wants.sum()), "eligible": float((wants & served).sum())}
    found |= {"affordable": float(open_to.sum()), "stated": riders, "likely": riders, "range": riders}
    certain = float(sure * p[on & open_to].sum())
    return found | {"certain": certain, "groups": float((sure * share >= service.least_riders_n).sum())}


def passed(people: Commuters, shuttle: Shuttle) -> dict[str, Estimate]:
    """The steps of the funnel, and riders by what is certain, wherever a run is kept or not."""
    names, steps = ("wants", "eligible", "affordable"), shuttle.steps
    left = funnel(people.design, steps[list(names)], where=people.active)
    found = {"in_need": funnel(people.design, steps[["in_need"]], where=people.active)}
    found |= {name: pick(left, {name: 1.0}) for name in names}
    return found | {"certain": shuttle.at(least_riders_n=0.0).riders()}


def without_error(people: Commuters, scale: float, truth: dict[str, float]) -> list[dict[str, object]]:
    """Whether the range holds the truth, and how many groups fill a run: by summed probabilities, and counted."""
    shuttle = Shuttle(people).at(scale=scale)
    low, likely, high = (shuttle.view(view).riders() for view in VIEWS)
    ends = low.interval().iloc[0, 0], high.interval().iloc[0, 1]
    runs, least = shuttle.on_a_run, shuttle.service.least_riders_n
    held = float(ends[0] <= truth["range"] <= ends[1])
    values = {"range": (float(likely.value.iloc[0]), held), "groups": (float(shuttle.reach(least).sum()), np.nan)}
    values["counted"] = float((runs.value >= least).sum()), np.nan
    true = truth | {"counted": truth["groups"]}
    return [
        {"number": n, "truth": true[n], "estimate": x, "se": np.nan, "held": held} for n, (x, held) in values.items()
    ]


def one_sample(version: str, seed: int, size: int | None = SIZE) -> pd.DataFrame:
    """A row a number: truth, estimate, se and whether the interval holds the truth."""
    commute = at_the_table if version == "plain" else conditions.commute
    kind = "plain" if version == "apart" else version
    study, everybody = studies(kind, seed, size, commute=commute)
    people, known = transport.commuters(study), transport.commuters(everybody)
    scale = SCALE if version == "plain" else 1.0
    trips, all_trips = intercity.travellers(study), intercity.travellers(everybody)
    elasticity = PARAMETERS["intercity_price_elasticity"]
    cost = DISCOUNT * float(all_trips["rail_dh"].sum()) * (1 - DISCOUNT) ** elasticity
    assumed = elasticity if version == "plain" else intercity.parameter("elasticity")
    agreed = intercity.agreement(intercity.rail(study.design, trips), DISCOUNT, assumed)
    without = commuting.no_way_to_come(study.frame.set_axis(study.design.index)).rename("no_way")
    shuttle = Shuttle(people).at(scale=scale)
    found = passed(people, shuttle) | {
        "stated": shuttle.view("stated").riders(),
        "likely": shuttle.riders(),
        "no_way": total(study.design, without, where=people.active, missing="mean"),
        "rail_trips": pick(intercity.rail(study.design, trips), {"rail_trips": 1.0}),
        "rail_cost": pick(agreed, {"cost_dh": 1.0}),
    }
    true = true_numbers(known, kind, scale)
    true |= {"rail_trips": float(all_trips["rail_trips"].sum()), "rail_cost": cost}
    true["no_way"] = float(commuting.no_way_to_come(everybody.frame).fillna(False).sum())
    rows = without_error(people, scale, true)
    for name, estimate in found.items():
        low, high = estimate.interval().iloc[0]
        rows.append(
            {
                "number": name,
                "truth": true[name],
                "estimate": float(estimate.value.iloc[0]),
                "se": float(estimate.se.iloc[0]),
                "held": low <= true[name] <= high,
            }
        )
    return pd.DataFrame(rows).assign(version=version, seed=seed)
