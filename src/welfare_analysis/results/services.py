"""Other services (page 09): holidays, camps, pilgrimages, health, schools, aid: who wants them, and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import truediv

import numpy as np
import pandas as pd

from ..demand import grants, services
from ..demand.services import AID, Holidays, aided, home_share, parameter
from ..demand.stated import scaled, sums
from ..estimation import Estimate, joint, mean, total
from ..needs.income_debt import above, household_income_dh, is_code
from ..needs.projection import EXPECTED_YEARS
from ..planning.package import people
from ..study import Study, public
from . import steps
from .declare import Base, Topic, always, counted, evidenced, exact, fitted, is_shown, long_format, quantile_rows
from .descriptive import leaves_few

FINDINGS = ("services_funnel_by_status", ("many", "health", "school", "sport", "aid", "where"))
WISHES = {"camps": "camp_children_n", "hajj": "promotion_hajj", "umra": "promotion_umra"}
UNITS = {"places": "places", "cost_dh": "million_dh"}  # of measures that are no persons
ROOMS = (2, 4, 6)  # persons of a family at most: those that share a size of room
HEADS = (3000, 2000, 1000)  # DH of income a head below which the fund pays
THRESHOLDS = (1000, 1500, 2000, 2500, 3000, 4000)
YEARS = (0, 2, 4, 6, 8, 10)
LEVELS = {"scholarship": ("higher_n",), "boarding": ("higher_n",), "tutoring": ("primary_n", "secondary_n"),
          "school_transport": ("primary_n", "secondary_n"), "nursery": ("dependants_0_5_n",)}  # fmt: skip


def holidays(study: Study) -> Holidays | None:
    """The members before weeks in holiday centres; None where a question was not asked."""
    return None if study.lacking(services.NEEDED) else study.result(services.holidays)


def answered(of: Holidays) -> Base:
    """Of whom it is known whether they want a week and can pay it, of all."""
    return of.goes.notna(), of.counted


topic = Topic("services", holidays, fitted(lambda of: of.sums), "persons", answered, FINDINGS,
              behind=lambda _, of: steps.can_pay(of))  # fmt: skip


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


@topic.table("families", "family_size", adds="family_size")
def families(study: Study, of: Holidays) -> pd.DataFrame:
    """Persons who ask in the peak week, by the persons of their family: which rooms a centre needs."""
    goes, many = of.goes, of.frame["holiday_persons_n"].astype(float)
    weeks = of.frame["holiday_weeks_n"].astype(float).clip(upper=of.weeks_most)
    asks = of.take_up * max(of.season) * home_share(of.frame) * weeks * many
    sizes = pd.get_dummies(pd.cut(many, [0, *ROOMS, np.inf], labels=[*map(str, ROOMS), "more"]), dtype=float)
    table = sizes.mul(asks, axis=0).where(goes.fillna(False), 0.0).where(goes.notna())
    table = table.set_axis(sizes.columns.astype(str), axis=1)
    return evidenced({"": total(of.design, table, missing="mean").as_positive()}, "", "family_size").drop(columns="")


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
    return in_units(long_format(made, "service_case", "service_measure", "")).assign(behind=steps.can_pay(of))


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


@camps.table("by_status", "hope_group", "service_wish", adds="hope_group")
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


def answers(study: Study, *needed: str) -> pd.DataFrame | None:
    """The answers, rows named as those of the design; None where a question was not asked."""
    return None if study.lacking(("status", *needed)) else study.frame.set_axis(study.design.index)


def pensioners(frame: pd.DataFrame) -> Base:
    """Those of an aided status who state their pension, of all of them."""
    own = frame["status"].isin(aided())
    return own & frame["pension_dh"].notna(), own


COST = ("uncovered_cost_dh", "chronic_n")
care = Topic("care", lambda study: answers(study, *COST), always, "persons", complete("uncovered_cost_dh"))
WISHED = tuple(f"education_wish_{wish}" for wish in LEVELS)
SCHOOLING = ("primary_n", "secondary_n", "higher_n", *grants.BANDS, "change_child", *WISHED)
schooling = Topic("schooling", lambda study: answers(study, *SCHOOLING), always, "persons", complete(*grants.BANDS))
aid = Topic("aid", lambda study: answers(study, "pension_dh") if _aided(study) else None, always, "persons", pensioners)


for _by, _key in (("status", "hope_group"), ("sex", "sex")):

    @care.table(f"by_{_by}", _key, "care_measure", "", adds=_key)
    def costs(study: Study, frame: pd.DataFrame, by: str = _by, key: str = _key) -> pd.DataFrame | None:
        """Who has costs of health that nobody covers, how large they are, and where somebody is ill for long, by group.

        In two parts: whether there are any, and their mean and median among those who have some. In all they stand
        beside the statuses. Who goes without care is `without_care_by_status`: the same quantity twice, hidden
        differently, would give the hidden one away.
        """
        if study.lacking([by]):
            return None
        cost, parts = frame["uncovered_cost_dh"].astype(float), []
        group = frame[by].astype(object)
        flags = {"any": above(cost, 0), "chronic": above(frame["chronic_n"], 0)}
        undone = {name: leaves_few(group, frame["status"], flag, {*frame["status"]}) for name, flag in flags.items()}
        for code in (*(["all"] if key != by else []), *group.dropna().unique()):
            rows = pd.Series(True, frame.index) if code == "all" else group.eq(code)
            for name, flag in flags.items():
                made = counted(mean(study.design, flag, where=rows), "_", float(flag[rows].sum()))
                lost = code in undone[name]
                parts.append(made.assign(care_measure=name, unit="share", lost=lost, **{key: code}))
            some = rows & cost.gt(0)
            amounts = {"mean": long_format(mean(study.design, cost, where=some), "")}
            amounts["median"] = quantile_rows(study.design, cost, 0.5, None, some)
            for name, made in amounts.items():
                parts.append(made.assign(care_measure=name, unit="dh", lost=False, **{key: code}))
        return pd.concat(parts, ignore_index=True)


def drawing(study: Study, head_dh: float | None = None, by: pd.Series | None = None) -> Estimate:
    """Members who would draw on the fund, ``people``, and what it pays a year, ``cost_dh``; below an income a head."""
    frame = study.frame.set_axis(study.design.index)
    grant = grants.paid(frame["uncovered_cost_dh"].astype(float), parameter("fund_floor_dh"), parameter("fund_cap_dh"))
    if head_dh is not None:
        poor = household_income_dh(frame) / frame["household_size_n"]
        grant = grant.where(poor < head_dh, 0.0).where(grant.notna() & poor.notna())
    table = pd.DataFrame({"people": grant.gt(0).astype(float).where(grant.notna()), "cost_dh": grant})
    return total(study.design, table, by=by, missing="mean").as_positive()


@care.table("fund", "fund_rule", "fund_measure", "", adds=None)
def fund(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Who would draw on the support fund and what it pays in a year, for all or below an income a head."""
    lacking = study.lacking(("household_size_n", "net_pay_dh", "pension_dh", "other_income_dh"))
    rules = {"all": None} | ({} if lacking else {str(head): float(head) for head in HEADS})
    made = {rule: drawing(study, head) for rule, head in rules.items()}
    return in_units(evidenced(made, "fund_rule", "fund_measure"), "fund_measure")


def by_groups(made: Estimate, of: pd.Series, by: pd.Series, measure: str = "") -> pd.DataFrame:
    """Amounts by group as rows; behind each are the respondents of whom there is something, ``of`` above nought."""
    met = of.gt(0).groupby(by.astype(object)).sum().astype(float)
    rows = evidenced({"": made}, "", measure, str(by.name))
    return rows.assign(numerator=rows[str(by.name)].map(met)).drop(columns="")


for _group in ("status", "command_group", "sex"):

    @care.table(f"fund_by_{_group}", _group, "fund_measure")
    def fund_by_group(study: Study, frame: pd.DataFrame, group: str = _group) -> pd.DataFrame:
        """Who would draw on the support fund and what it pays in a year, by group."""
        drawn = frame["uncovered_cost_dh"].ge(parameter("fund_floor_dh")).astype(float)
        made = drawing(study, by=frame[group])
        return in_units(by_groups(made, drawn, frame[group], "fund_measure"), "fund_measure")

    @schooling.table(f"students_by_{_group}", _group)
    def students_by_group(study: Study, frame: pd.DataFrame, group: str = _group) -> pd.DataFrame:
        """Children in higher education of members who wish for scholarships, by group; one home once."""
        children = grants.concerned(frame, LEVELS)["scholarship"] * home_share(frame)
        made = total(study.design, children, by=frame[group], missing="mean").as_positive()
        return by_groups(made, children, frame[group])


@care.table("known", "service_wish|year", "measure", "", adds=None)
def helped(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Grants of the fund in a year, and what part they are of those who would draw on it here."""
    return beside(study, sums(drawing(study), pd.Index(["fund"]), [[1.0, 0.0]]))


@schooling.table("wishes", "hope", "school_measure", "", adds=None)
def wishes(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Members who wish for each service of schooling, and their children of its levels, one home once."""
    children = grants.concerned(frame, LEVELS).mul(home_share(frame), axis=0)
    made = total(study.design, children, missing="mean").as_positive()
    asks = frame[list(WISHED)].apply(is_code, args=("yes",)).set_axis(list(LEVELS), axis=1)
    members = total(study.design, asks, missing="mean").as_positive()
    first = sums(made, pd.Index(["scholarship"]), np.eye(1, len(LEVELS)))
    parts = {"people": members, "children": made, "cost_dh": scaled(first, parameter("scholarship_dh"))}
    return in_units(evidenced(parts, "school_measure", "hope"), "school_measure")


@schooling.table("cohorts", "cohort_year", "school_age", adds=None)
def cohorts(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Children of each age of school over ten years: those of today as they grow, and births as they are expected."""
    table = frame[list(grants.BANDS)].astype(float).mul(home_share(frame), axis=0)
    births = is_code(frame["change_child"], "yes").astype("Float64").astype(float) / EXPECTED_YEARS
    table = table.assign(births=births.where(frame["status"].eq("active"), 0.0) * home_share(frame))
    made = total(study.design, table, missing="mean").as_positive()
    ages = pd.Index(list(grants.SCHOOL))
    years = {str(year): sums(made, ages, grants.ageing(year)).as_positive() for year in YEARS}
    return evidenced(years, "cohort_year", "school_age")


@aid.table("curve", "aid_threshold", "aid_group", adds=None)
def below(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Those of an aided status whose pension is not above each threshold."""
    made = {str(most): entitled(study, dict.fromkeys(_aided(study), most)) for most in THRESHOLDS}
    cells = evidenced(made, "aid_threshold", "aid_group")
    printed = cells["aid_group"].map({status: f"{parameter(status + AID):g}" for status in _aided(study)})
    hidden = ~is_shown(aid.release(study)["aid_rule"], cells[["aid_group"]].assign(measure="people"))
    return cells.assign(lost=printed.eq(cells["aid_threshold"]) & hidden)  # by `rule`, which has them too


def _aided(study: Study) -> list[str]:
    return [status for status in aided() if status in study.codebook.codes("status")]


def entitled(study: Study, most: dict[str, float]) -> Estimate:
    """Those whose pension is not above the threshold of their status."""
    frame, made = study.frame.set_axis(study.design.index), {}
    for status, limit in most.items():
        own, pension = frame["status"].eq(status), frame["pension_dh"]
        under = (pension <= limit).astype("boolean").mask(pension.isna())
        made[status] = total(study.design, under.rename(status), where=own, missing="mean")
    return sums(joint(made), pd.Index(list(most)), np.eye(len(most))).as_positive()


def under_thresholds(study: Study) -> Estimate:
    """Those of an aided status under the threshold that was printed."""
    return entitled(study, {status: parameter(status + AID) for status in _aided(study)})


@aid.table("rule", "aid_group", "aid_measure", "", adds="aid_group")
def rule(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Who is entitled to the Eid grant by the thresholds that were printed, and what it costs a year."""
    made, own = study.result(under_thresholds), _aided(study)
    parts = np.eye(len(own)) if len(own) > 1 else np.empty((0, len(own)))  # one alone is all
    made = sums(made, pd.Index([*own[: len(parts)], "all"]), np.vstack([parts, np.ones(len(own))]))
    both = {"people": made, "cost_dh": scaled(made, parameter("eid_grant_dh"))}
    return in_units(evidenced(both, "aid_measure", "aid_group"), "aid_measure")


@aid.table("by_command_group", "command_group")
def entitled_where(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Who is entitled to the Eid grant by the thresholds that were printed, by region."""
    limit = frame["status"].astype(object).map({status: parameter(status + AID) for status in _aided(study)})
    own, region = limit.notna(), frame["command_group"]
    under = frame["pension_dh"].le(limit.astype(float)).astype(float).where(frame["pension_dh"].notna())
    made = total(study.design, under, by=region, where=own, missing="mean").as_positive()
    return by_groups(made, under.where(own), region)


@aid.table("known", "service_wish|year", "measure", "", adds=None)
def grants_given(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Grants of aid in a year, beside those who are entitled here."""
    return beside(study, study.result(under_thresholds))
