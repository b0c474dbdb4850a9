"""Summer holidays, camps and pilgrimages (page 09): who wants them, how many places that takes, what it costs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import truediv

import pandas as pd

from ..demand import services
from ..demand.services import Holidays, parameter
from ..demand.stated import scaled
from ..estimation import Estimate, total
from ..needs.income_debt import is_code
from ..planning.package import people
from ..study import Study, public
from . import steps
from .declare import Base, Topic, always, exact, fitted, long_format, sums

FINDINGS = ("services_funnel_by_status", ("many", "sharing", "health", "school", "aid", "sure"))
WISHES = {"camps": "camp_children_n", "hajj": "promotion_hajj", "umra": "promotion_umra"}
UNITS = {"places": "places", "cost_dh": "million_dh"}  # of measures that are no persons


def holidays(study: Study) -> Holidays | None:
    """The members before weeks in holiday centres; None where a question was not asked."""
    return None if study.lacking(services.NEEDED) else study.result(services.holidays)


def answered(of: Holidays) -> Base:
    """Of whom it is known whether they want a week and can pay it, of all."""
    return of.goes.notna(), of.counted


topic = Topic("services", holidays, fitted(lambda of: of.sums), "persons", answered, FINDINGS)


for _group in ("status", "command_group", "sex"):

    @topic.table(f"funnel_by_{_group}", _group, "service_step")
    def by_group(study: Study, of: Holidays, group: str = _group) -> pd.DataFrame:
        """Who wants a week, can pay it and is likely to ask for one in a season, by group."""
        return steps.grouped(of, of, None, group, "service_step")


def priced(places: Estimate, end: str = "value") -> dict[str, Estimate]:
    """Places, and what they cost to build at an end of what one costs."""
    return {"places": places, "cost_dh": scaled(places, parameter("place_cost_dh", end))}


def in_units(rows: pd.DataFrame, measure: str = "service_measure") -> pd.DataFrame:
    """Rows by measure, each with its unit."""
    return rows.assign(unit=rows[measure].map(UNITS).fillna("persons"))


@topic.table("where", "holiday_place", "service_measure", "", adds="holiday_place")
def where(study: Study, of: Holidays) -> pd.DataFrame:
    """What the peak week needs at each centre, and what that costs."""
    rows = long_format({"persons": of.persons()} | priced(of.places()), "service_measure", "holiday_place")
    met = of.frame.loc[of.goes.fillna(value=False).astype(bool), "holiday_centre"].astype(str).value_counts()
    met["all"] = met.sum()
    return in_units(rows.assign(numerator=rows["holiday_place"].map(met.astype(float))))


@topic.table("calendar", "season_week", "season_line", adds=None)
def calendar(study: Study, of: Holidays) -> pd.DataFrame:
    """Persons who ask in each week of the season, beside the places needed and those that were announced."""
    whole, needed = part_of_all(of.persons()), part_of_all(of.places())
    weeks = [str(week) for week in public("season")["week"]]
    asked = {week: scaled(whole, part / max(of.season)) for week, part in zip(weeks, of.season, strict=True)}
    rows = long_format({"asked": asked, "needed": dict.fromkeys(weeks, needed)}, "season_line", "season_week", "")
    places = parameter("announced_places_n")
    announced = pd.DataFrame({"season_week": weeks, "season_line": "announced", "estimate": places})
    return pd.concat([rows, exact(announced, rows["n"].min())], ignore_index=True)


def part_of_all(estimate: Estimate) -> Estimate:
    """The value of all centres together, alone."""
    index = estimate.value.index
    return sums(estimate, pd.Index(["all"]), (index == "all")[None].astype(float))


@topic.table("cases", "service_case", "service_measure", "places", adds=None)
def cases(study: Study, of: Holidays) -> pd.DataFrame:
    """Places in all and their cost, one assumption at a time at an end of its range."""
    made = {case: priced(part_of_all(at.places())) for case, at in services.cases(of).items()}
    made |= {f"place_cost_dh_{end}": priced(made["central"]["places"], end) for end in services.ENDS}
    return in_units(long_format(made, "service_case", "service_measure", ""))


@topic.table("allocation", "applicant", "allocation_rule", "share", adds=None)
def allocation(study: Study, of: Holidays) -> pd.DataFrame | None:
    """Who of those who want a week and can pay gets an announced place under each rule, by status and rank."""
    if study.lacking(("age", "children_n", "net_pay_dh", "pension_dh")):
        return None
    group = people(of.frame, of.codebook)
    met = group[of.goes.fillna(value=False).astype(bool)].value_counts().astype(float)
    met["all"] = met.sum()
    rows = long_format({rule: of.chances(rule, group) for rule in services.RULES}, "allocation_rule", "applicant")
    return rows.assign(n=rows["applicant"].map(met))


def wishing(study: Study) -> pd.DataFrame | None:
    """How many children each would send to a camp, and whether each wishes for hajj and umra; homes count once."""
    if study.lacking(WISHES.values()):
        return None
    frame = study.frame.set_axis(study.design.index)
    made = {name: is_code(frame[question], "yes").astype("Float64") for name, question in WISHES.items()}
    made["camps"] = frame[WISHES["camps"]] * services.home_share(frame)
    return pd.DataFrame(made).astype(float)


def complete(*names: str) -> Callable[[pd.DataFrame], Base]:
    """Who answered some questions, of all."""
    return lambda frame: (frame[list(names)].notna().all(axis=1), pd.Series(True, frame.index))


camps = Topic("wishes", wishing, always, "persons", complete(*WISHES))


def wished(study: Study, by: pd.Series | None = None) -> Estimate:
    """Children for camps and members who wish for hajj and umra."""
    return total(study.design, study.result(wishing), by=by, missing="mean").as_positive()


@camps.table("by_status", "hope_group", "service_wish")
def by_status(study: Study, made: pd.DataFrame) -> pd.DataFrame:
    """Children for camps, by status and in all; statuses sum to their own.

    Who wishes for hajj or umra is a share of `hopes_by_status`: a number beside it would undo what that hides.
    """
    status = study.frame["status"].set_axis(made.index)
    met = (made > 0).groupby(status.astype(str)).sum().astype(float)
    met.loc["all"] = met.sum()
    rows = long_format(wished(study), "service_wish").assign(hope_group="all")
    rows = pd.concat([rows, long_format(wished(study, status), "service_wish", "hope_group")])
    rows = rows[rows["service_wish"] == "camps"]
    pairs = zip(rows["hope_group"], rows["service_wish"], strict=True)
    return rows.assign(numerator=[met.at[pair] for pair in pairs])


def beside(study: Study, whole: Estimate) -> pd.DataFrame:
    """What was given in a year, and what part that is of what is counted here, by programme: the names of ``whole``.

    Beside invented answers the part is left out: it would judge what was truly given by a need that nobody has.
    """
    parts = []
    for row in public("service_results").query("programme in @whole.value.index").to_dict("records"):
        labels = {"service_wish": row["programme"], "year": str(row["year"])}
        one = sums(whole, pd.Index(["met"]), (whole.value.index == row["programme"])[None].astype(float))
        met = long_format(one.apply(partial(truediv, row["value"])), "measure").assign(unit="share")
        given = {"measure": "given", "estimate": float(row["value"]), "unit": "persons", "step": 1.0}
        shown = [] if study.is_standin else [met]
        parts.append(pd.concat([*shown, exact(pd.DataFrame([given]), met["n"].iloc[0])]).assign(**labels))
    return pd.concat(parts, ignore_index=True).assign(ranked=True)


@camps.table("known", "service_wish|year", "measure", "", adds=None)
def known(study: Study, made: pd.DataFrame) -> pd.DataFrame:
    """Places of camps and hajj that were given in a year, and what part they are of what is wished here."""
    return beside(study, wished(study))
