"""The way to work (page 08): modes and costs, what changes of fares do, what each measure brings and costs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..demand import fares, stated, transport
from ..demand.fares import BASE, CHANGES, Fares
from ..demand.modes import TASTES
from ..demand.service import parameter
from ..demand.shuttle import VIEWS, Shuttle
from ..demand.transport import BLOCK, Commuters
from ..estimation import Estimate, mean
from ..study import Study
from . import choice_models, measures, rail
from .declare import Base, Topic, attempted, long_format

SHOWN = (*TASTES, "shuttle", "shuttle_car", "shuttle_nights", "shuttle_far_10km")
LEVELS = {"minutes": ("commute_min", "door_min", "minutes"), "level_costs": ("commute_cost_dh", "cost_dh", "dh_month")}
FINDINGS = ("transport_funnel", ("many", "who", "where", "cost", "changes", "sure"))
WORTH = (1_000, 2_500, 5_000, 10_000, 20_000)  # DH a year that a further user of a shared way may be worth
RAIL = "rail"
ACCEPTED = ("shuttle_km_low", "shuttle_likely", "shuttle_km_high", *CHANGES)


def commuters_of(study: Study) -> Commuters | None:
    """The active of a study; None where a question that the model needs was not asked."""
    return None if study.lacking((*transport.NEEDED, *transport.CARDS)) else transport.commuters(study)


def shuttle_of(study: Study) -> Shuttle:
    """The shuttle on the terms of ``data/public/shuttle.csv``."""
    return Shuttle.before(study.result(commuters_of))


def fares_of(study: Study) -> Fares:
    """Today's modes, and changes of fares."""
    return Fares(study.result(commuters_of), study.result(shuttle_of).service.scale)


def ready(people: Commuters) -> str:
    """Whether the model can be had: not separated, not collinear, with a cost that lowers utility."""
    if people.frame[f"{BLOCK}_version"].notna().sum() < stated.LEAST_IN_GROUP:
        return "too_few"
    made = attempted({"fit": people.fit, "sure": lambda: people.sure})
    sound = len(made) == 2 and made["fit"].value["cost_100"] < 0 and np.isfinite(made["sure"].se).all()
    return "shown" if sound else "too_few"


def base(people: Commuters) -> Base:
    """The active, and those of them of whom times and costs are known."""
    return people.known, people.active


topic = Topic("transport", commuters_of, ready, "persons", base, FINDINGS)

for _name, (_reported, _level, _unit) in LEVELS.items():

    @topic.table(_name, "commute_mode", "transport_source", _unit)
    def levels(study: Study, people: Commuters, reported: str = _reported, level: str = _level) -> pd.DataFrame:
        """Means of the mode in use, as people report them and as the table has them."""
        mode = people.frame["commute_mode"]
        pair = pd.DataFrame({"reported": people.frame[reported].astype(float), "table": people.now[level]})
        where = people.known & pair.notna().all(axis=1)
        return long_format(mean(people.design, pair, by=mode, where=where), "transport_source", "commute_mode")


@topic.table("shares", "transport_scenario", "commute_mode", "share", adds="commute_mode")
def shares(study: Study, people: Commuters) -> pd.DataFrame:
    """Shares of modes today, and once fares are changed."""
    made = {name: study.result(fares_of).shares(name) for name in (BASE, *CHANGES)}
    rows = long_format(made, "transport_scenario", "commute_mode")
    users = people.frame.loc[people.known, "commute_mode"].astype(str).value_counts()
    return rows.assign(numerator=rows["commute_mode"].map(users).fillna(0).to_numpy(float))


def measured(study: Study) -> measures.Measured:
    """What each measure brings and costs a year, and what members pay more: a shuttle, fares, a ticket, trains."""
    shuttle, market = study.result(shuttle_of), study.result(fares_of)
    made = {f"shuttle_{view}": fares.of_shuttle(shuttle.view(view)) for view in VIEWS}
    for end in ("low", "high"):  # of what a vehicle-km costs
        made[f"shuttle_km_{end}"] = fares.of_shuttle(shuttle.at(dh_km=parameter("dh_km", end)))
    made |= {name: market.lever(name) for name in CHANGES}
    if study.result(rail.travellers) is not None:
        made[RAIL] = fares.of_rail(study.result(rail.today))
    return {name: one for name, (one, _) in made.items()}, {name: one for name, (_, one) in made.items()}


def all_years(one: Estimate) -> Estimate:
    """What the cost of a measure a year is worth today over the years of the horizon."""
    return fares.present_value(fares.pick(one, {"cost_dh": 1.0}))


measures.declare(
    topic, "transport_lever", "persons", measured, WORTH, ("transport_part", "lever_dh_year"), {RAIL: "rail_trips"},
    all_years, (ACCEPTED, ("shuttle_likely", *CHANGES)),
)  # fmt: skip


@topic.table("tastes", "term", "measure", "decimal", statistic="model")
def tastes(study: Study, people: Commuters) -> pd.DataFrame:
    """Coefficients of the cards, of what decides on a shuttle."""
    rows = long_format(study.result(choice_models.model_of, commuters_of), "term").assign(measure="cards")
    return rows[rows["term"].isin(SHOWN)]


choice_models.declare(topic, f"{BLOCK}_alternative", base)
