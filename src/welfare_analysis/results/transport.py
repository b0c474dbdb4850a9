"""The way to work (page 08): modes and costs, fares, a staff shuttle and when its runs pay, what each measure brings.

Whoever knows how many come to one place at one shift knows its strength: no table crosses a shift with anything finer
than all commands together, and neither runs nor the cost of a rider are released by group, since with the riders they
would give how many serve there.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from ..demand import fares, stated, transport
from ..demand.fares import BASE, CHANGES, Fares
from ..demand.funnel import LIKELY, fitted_by
from ..demand.levers import Levers
from ..demand.modes import TASTES
from ..demand.service import Service, parameter
from ..demand.shuttle import VIEWS, Shuttle
from ..demand.transport import BLOCK, Commuters
from ..disclosure import CATEGORY, NUMBERS, evidence
from ..estimation import Estimate, mean, total
from ..needs import commuting
from ..study import Study, public
from . import choice_models, measures, rail, steps
from .declare import Base, Topic, attempted, long_format, point, resting

SHOWN = (*TASTES, "shuttle", "shuttle_car", "shuttle_nights", "shuttle_far_10km")
LEVELS = {"minutes": ("commute_min", "door_min", "minutes"), "level_costs": ("commute_cost_dh", "cost_dh", "dh_month")}
FINDINGS = ("transport_funnel", ("many", "who", "where", "cost", "changes", "sure"))
WORTH = (1_000, 2_500, 5_000, 10_000, 20_000)  # DH a year that a further user of a shared way may be worth
RAIL = "rail"
ACCEPTED = ("shuttle_km_low", "shuttle_likely", "shuttle_km_high", *CHANGES)
FARES, HEADWAYS = (50, 100, 150, 200), (30, 60, 120)
PRICES = (0, 100, 200)
RIDES = ("cost_dh", "walk_min", "window_min", "runs_n", "constant_share", "scale", "least_km", "fare_share_most")
RULE = ("window_share", "least_riders_n", "members_a_route_n")  # where a run is kept
LOW_COST = "likely_cheap"  # likely, at the low end of what a vehicle-km costs
NEEDS = {"no_way": commuting.no_way_to_come, "long": commuting.commute_long, "dear": commuting.commute_dear}
NEEDS["in_need"] = commuting.transport_need


def commuters_of(study: Study) -> Commuters | None:
    """The active of a study; None where a question that the model needs was not asked."""
    return None if study.lacking((*transport.NEEDED, *transport.CARDS)) else transport.commuters(study)


def shuttle_of(study: Study) -> Shuttle:
    """The shuttle on the terms of ``data/public/shuttle.csv``."""
    return Shuttle(study.result(commuters_of))


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


topic = Topic("transport", commuters_of, ready, "persons", base, FINDINGS,
              behind=lambda study, _: steps.can_pay(study.result(shuttle_of)))  # fmt: skip

for _name, (_reported, _level, _unit) in LEVELS.items():

    @topic.table(_name, "commute_mode", "transport_source", _unit)
    def levels(study: Study, people: Commuters, reported: str = _reported, level: str = _level) -> pd.DataFrame:
        """Means of the mode in use, as people report them and as the table has them."""
        mode = people.frame["commute_mode"]
        pair = pd.DataFrame({"reported": people.frame[reported].astype(float), "table": people.now[level]})
        where = people.known & pair.notna().all(axis=1)
        made = mean(people.design, pair, by=mode, where=where)
        return long_format(made, "transport_source", "commute_mode").assign(unsafe=evidence(made)[1])


@topic.table("shares", "transport_scenario", "commute_mode", "share", adds="commute_mode")
def shares(study: Study, people: Commuters) -> pd.DataFrame:
    """Shares of modes today, and once fares are changed."""
    made = {name: study.result(fares_of).shares(name) for name in (BASE, *CHANGES)}
    rows = long_format(made, "transport_scenario", "commute_mode")
    users = people.frame.loc[people.known, "commute_mode"].astype(str).value_counts()
    return rows.assign(numerator=rows["commute_mode"].map(users).fillna(0).to_numpy(float))


def measured(study: Study) -> Levers:
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


def likely(shuttle: Shuttle, *keys: str, by: pd.Series | None = None) -> pd.DataFrame:
    """Likely riders as rows, with the range over the views in place of an interval: from today's to all stated.

    Groups are fitted to the riders of all.
    """
    made = {"left": shuttle.riders(by=by)} | {end: at.riders(by=by) for end, at in steps.ends_of(shuttle)}
    if by is not None:
        whole = {"left": shuttle.riders()} | {end: at.riders() for end, at in steps.ends_of(shuttle)}
        made = fitted_by(made, whole)
    rows = long_format(made["left"], "transport_step", *keys).assign(transport_step=LIKELY)
    rows = steps.ranged(rows, made, "transport_step").drop(columns="transport_step")
    if by is None:
        return rows.assign(behind=steps.can_pay(shuttle))
    may = shuttle.open_to.fillna(value=False).astype(bool).to_frame()
    return resting(rows, dict(iter(may.groupby(by))), *keys)


steps.declare(topic, "transport", shuttle_of)


@topic.table("need", "transport_need", "transport_wish")
def need(study: Study, people: Commuters) -> pd.DataFrame:
    """How many are in need by each part of the definition, and how many of them say that they would use a shuttle.

    In need by any part are those of the funnel, as they are printed there.
    """
    passed = study.result(shuttle_of).steps
    flags = pd.DataFrame({name: indicator(people.frame) for name, indicator in NEEDS.items()})
    flags["in_need"] = flags["in_need"].where(passed.notna().all(axis=1))  # as in the funnel; its parts as on page 04
    both = flags.apply(lambda column: column & passed["wants"].where(column.notna()))
    parts = {"people": flags, "wants": both}
    rows = []
    for name, table in parts.items():
        made = total(people.design, table, where=people.active, missing="mean")
        met = table[people.active].fillna(False).astype(float).sum()
        own = long_format(made, "transport_need").assign(transport_wish=name)
        rows.append(own.assign(numerator=met.loc[own["transport_need"]].to_numpy()))
    table = pd.concat(rows, ignore_index=True).assign(step=np.nan)
    shown = topic.release(study)["transport_funnel"].shown
    if len(shown):
        above = shown[shown[CATEGORY] == "in_need"].set_index("transport_step")[[*NUMBERS, "step"]]
        at = table.index[(table["transport_need"] == "in_need") & table["transport_wish"].isin(above.index)]
        table.loc[at, list(above)] = above.loc[table.loc[at, "transport_wish"]].to_numpy()
    return table


@topic.table("corridors", "command_group", "commute_km_band", adds="commute_km_band")
def corridors(study: Study, people: Commuters) -> pd.DataFrame:
    """Likely riders by where they work and from how far they come."""
    band = commuting.commute_km_band(people.frame).astype(object)
    by = (people.frame["command_group"].astype(object) + "|" + band).where(people.active).rename("corridor")
    rows = likely(study.result(shuttle_of), "corridor", by=by)
    rows[["command_group", "commute_km_band"]] = rows["corridor"].str.split("|", expand=True).to_numpy()
    return rows.drop(columns="corridor")


@topic.table("riders_by_mode", "commute_mode", adds="commute_mode")
def by_mode(study: Study, people: Commuters) -> pd.DataFrame:
    """How the likely riders come today."""
    by = people.frame["commute_mode"].astype(object).where(people.active)
    return likely(study.result(shuttle_of), "commute_mode", by=by)


@topic.table("groups", "transport_fare", "transport_view", "groups", adds=None)
def groups(study: Study, people: Commuters) -> pd.DataFrame:
    """How many groups (of commands, day or night) are expected to fill their runs until fares cover them, by fare.

    ``kept``: to where runs are kept at all, at the fare of the service. A sum of probabilities, not a count.
    """
    shuttle, known, rows = study.result(shuttle_of), float(people.known.sum()), []
    cheap = Service.named(dh_km="low").dh_km
    for view in (*VIEWS, LOW_COST):
        own = view.removesuffix("_cheap")
        for fare in ("kept", *FARES):
            at = shuttle if fare == "kept" else shuttle.at(cost_dh=float(fare))
            s = replace(at.service, dh_km=cheap) if view == LOW_COST else at.service
            needed = s.least_riders_n if fare == "kept" else s.runs_n * float(s.needed(fare))
            expected = at.view(own).reach(needed).sum()
            rows.append(point(expected, known, transport_fare=str(fare), transport_view=view))
    return pd.concat(rows)


@topic.table("curve", "transport_fare", "transport_headway")
def curve(study: Study, people: Commuters) -> pd.DataFrame:
    """Likely riders by fare and headway, where a run is kept."""
    shuttle, made = study.result(shuttle_of), []
    for price, headway in product(PRICES, HEADWAYS):
        one = shuttle.at(cost_dh=float(price), runs_n=shuttle.service.window_min / headway)
        made.append(likely(one).assign(transport_fare=str(price), transport_headway=str(headway)))
    return pd.concat(made)


@topic.table("cases", "transport_case")
def cases(study: Study, people: Commuters) -> pd.DataFrame:
    """Riders by each bridge from what is stated, and with all assumptions at their good or bad end."""
    shuttle = study.result(shuttle_of)
    known = likely(shuttle)["n"].min()  # as in the funnel: what is hidden there is hidden here
    made = {view: float(shuttle.view(view).riders().value.iloc[0]) for view in (VIEWS[1], VIEWS[0], VIEWS[2])}
    if people.believed is not None:
        made["consequential"] = made["stated"] * float(people.believed.value.iloc[0])
    made |= {row.factor: made["stated"] * float(row.value) for row in public("transport_realisation").itertuples()}
    for name, good in (("favourable", True), ("unfavourable", False)):
        service = replace(Service.all_at(good), constant_share=shuttle.service.constant_share)
        made[name] = float(replace(shuttle, service=service).riders().value.iloc[0])
    rows = pd.concat(point(value, known, transport_case=name) for name, value in made.items())
    return rows.assign(step=likely(shuttle)["step"].iloc[0])  # the ends of the headline's range are among them


@topic.table("tornado", "transport_assumption", "home_end")
def tornado(study: Study, people: Commuters) -> pd.DataFrame:
    """Likely riders with each assumption at the ends of its range."""
    shuttle, rows = study.result(shuttle_of), []
    known = likely(shuttle)["n"].min()
    for name, end in product((*RIDES, *RULE), ("low", "high")):
        one = shuttle.at(**{name: parameter(name, end)})
        riders, may = one.riders().value.iloc[0], steps.can_pay(one)
        rows.append(point(riders, known, transport_assumption=name, home_end=end, behind=may))
    return pd.concat(rows)
