"""Errors of the numbers that decide on transport, in generated populations whose true demand is known.

How many would ride a shuttle at given terms follows from true utilities and the table's levels; trips by rail and who
has no way to come from true answers. The estimate comes from what people said on the form. In the plain version the
model is right: modes are chosen by the tastes of the cards at the table's levels, on a scale of their own, and so would
a shuttle be; trips by rail have the true elasticity. In ``apart`` they are chosen by distance, a car and a place
instead, as in the rich and strategic versions, and a shuttle as on the cards. The headline is held back between today
and the cards on purpose: its error in the plain version is what that costs where all is told in earnest.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from welfare_analysis.demand import intercity, levels, transport
from welfare_analysis.demand.levels import MODES
from welfare_analysis.demand.outcomes import pick, totals
from welfare_analysis.demand.service import Service
from welfare_analysis.demand.shuttle import Shuttle, taken
from welfare_analysis.demand.transport import BLOCK, Commuters
from welfare_analysis.estimation import Estimate, total
from welfare_analysis.needs import commuting
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, conditions, generate
from welfare_analysis.survey.standin.cards import utilities
from welfare_analysis.survey.standin.wants import price_factor

BOOK = Codebook.read(DATA / "codebook")
PARAMETERS = Parameters.read(DATA / "public")
VERSIONS = {"plain": 60, "apart": 30, "rich": 30, "strategic": 30}
FIRST_SEED, SIZE = 60_000, 20_000  # persons of a population
SCALE, FOOT = 0.7, -0.7  # of modes over cards; of ten minutes on foot all the way
EFFECTS = {"cost_dh": 100, "time_min": 10, "headway_min": 10, "foot_min": 10}  # of a step, DH or minutes
RUNS = 2  # in a window: the terms are those of the headline at this headway
DISCOUNT = 0.35


def at_the_table(f: pd.DataFrame, p: Parameters, rng: np.random.Generator) -> pd.DataFrame:
    """The way to work as the model has it: modes by the tastes of the cards at the table's times and costs.

    People tell those times and costs of the mode that they use.
    """
    f = conditions.commute(f, p, rng)
    level, work = levels.levels(), f[f["status"] == "active"]
    ways = level.of_each(work)
    steps = ways[list(EFFECTS)].to_numpy() / list(EFFECTS.values())
    effects = np.tile([p[f"{BLOCK}_{name}_effect"] if name != "foot_min" else FOOT for name in EFFECTS], (len(ways), 1))
    effects[:, 0] *= price_factor(work, p).repeat(len(MODES))
    constants = np.log([p[f"mode_{mode}_share"] for mode in MODES])
    u = SCALE * (effects * steps).sum(axis=1).reshape(-1, len(MODES)) + constants
    u = np.where(level.open_to(work), u + rng.gumbel(size=u.shape), -np.inf)
    best = u.argmax(axis=1)
    own = ways.iloc[np.arange(len(work)) * len(MODES) + best].set_axis(work.index)
    chosen = {
        "commute_mode": np.array(MODES, dtype=object)[best],
        "commute_min": own["door_min"].round().clip(1, 240),
        "commute_cost_dh": own["cost_dh"].round(-1).clip(0, 5000),
    }
    return f.assign(**{name: pd.Series(x, index=work.index).reindex(f.index) for name, x in chosen.items()})


def true_riders(people: Commuters, version: str, scale: float = 1.0) -> float:
    """Active members who would ride, from their true utilities; where a shuttle is not offered nobody does.

    ``scale``: of what people would do over what they choose on cards.
    """
    service = Service.named()
    part = people.frame[people.active.to_numpy()]
    time = people.way(part, "staff_transport")["time_min"]
    now = people.way(part, part["commute_mode"])
    own = {f"{BLOCK}_own_cost_dh": now["cost_dh"], f"{BLOCK}_own_time_min": now["door_min"]}
    f = part.assign(**own)
    codes = BOOK.codes(f"{BLOCK}_alternative")
    attributes = ["cost_dh", "time_min", "headway_min", "walk_min"]
    riders = 0.0
    rows = time.round(6)
    for minutes, place in f.groupby(rows.to_numpy()).groups.items():
        offers = pd.DataFrame(0.0, index=codes, columns=attributes)
        offers.loc["shuttle"] = [service.cost_dh, minutes, service.headway_min(RUNS), service.walk_min]
        u = utilities(BLOCK, f.loc[place], offers, PARAMETERS, version)[:, :2]
        p = 1 / (1 + np.exp(scale * (u[:, 0] - u[:, 1])))
        km = people.people.loc[place, "far_10km"].to_numpy() * 10
        there = (km >= service.least_km) & (f.loc[place, "commute_mode"] != "staff_transport").to_numpy()
        riders += float(p[there].sum())
    return riders


def estimated(people: Commuters) -> dict[str, Estimate]:
    """Riders at the terms of the headline, with the constant of the cards, and by the cards alone."""
    shuttle = Shuttle.before(people)
    full = shuttle.at(constant_share=1.0).at_runs(RUNS)
    every = totals(shuttle.offer.effect({"riders": shuttle.at_runs(RUNS), "cards_scaled": full}), people.active)
    estimates = {name: pick(every, {name: (f"{name}.after", "shuttle")}) for name in ("riders", "cards_scaled")}
    return estimates | {"cards": taken(shuttle.offer.on_cards(full), people.active, "cards")}


def one_sample(version: str, seed: int, size: int | None = SIZE) -> pd.DataFrame:
    """A row a number: truth, estimate, se and whether the interval holds the truth."""
    commute = at_the_table if version == "plain" else conditions.commute
    kind = "plain" if version == "apart" else version
    world = generate(PARAMETERS, seed, kind, size, commute)
    truth, answers, register, followup = (
        typed(f, BOOK) for f in (world.truth, world.answers, world.register, world.followup)
    )
    study, everybody = Study.of(answers, register, followup, BOOK), Study.of(truth, None, None, BOOK)
    people, known = transport.commuters(study), transport.commuters(everybody)
    riders = true_riders(known, kind, SCALE if version == "plain" else 1.0)
    trips, all_trips = intercity.travellers(study), intercity.travellers(everybody)
    elasticity = PARAMETERS["intercity_price_elasticity"]
    cost = DISCOUNT * float(all_trips["rail_dh"].sum()) * (1 - DISCOUNT) ** elasticity
    assumed = elasticity if version == "plain" else intercity.parameter("elasticity")
    agreed = intercity.agreement(intercity.rail(study.design, trips), DISCOUNT, assumed)
    without = commuting.no_way_to_come(study.frame.set_axis(study.design.index)).rename("no_way")
    found = estimated(people) | {
        "no_way": total(study.design, without, where=people.active, missing="mean"),
        "rail_trips": pick(intercity.rail(study.design, trips), {"rail_trips": "rail_trips"}),
        "rail_cost": pick(agreed, {"rail_cost": "cost_dh"}),
    }
    true = dict.fromkeys(("riders", "cards_scaled", "cards"), riders)
    true |= {"rail_trips": float(all_trips["rail_trips"].sum()), "rail_cost": cost}
    true["no_way"] = float(commuting.no_way_to_come(everybody.frame).fillna(False).sum())
    rows = []
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
