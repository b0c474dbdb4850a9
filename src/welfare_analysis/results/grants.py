"""Health, education, sport, and aid to widows and retirees (page 09): who is concerned, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..demand import grants
from ..demand.services import AID, aided, home_share, parameter
from ..demand.stated import scaled
from ..disclosure import evidence
from ..estimation import Estimate, joint, mean, total
from ..needs.income_debt import above, household_income_dh, is_code
from ..needs.projection import EXPECTED_YEARS
from ..study import Study
from .declare import Base, Topic, always, counted, long_format, quantile_rows, sums
from .services import beside, complete, in_units

HEADS = (3000, 2000, 1000)  # DH of income a head below which the fund pays
THRESHOLDS = (1000, 1500, 2000, 2500, 3000, 4000)
YEARS = (0, 2, 4, 6, 8, 10)
LEVELS = {"scholarship": ("higher_n",), "boarding": ("higher_n",), "tutoring": ("primary_n", "secondary_n"),
          "school_transport": ("primary_n", "secondary_n"), "nursery": ("dependants_0_5_n",)}  # fmt: skip


def answers(study: Study, *needed: str) -> pd.DataFrame | None:
    """The answers, rows named as those of the design; None where a question was not asked."""
    return None if study.lacking(("status", *needed)) else study.frame.set_axis(study.design.index)


def behind(made: Mapping[str, Estimate], *keys: str) -> pd.DataFrame:
    """Estimates as rows, with the respondents behind each."""
    numerators, ruled = zip(*map(evidence, made.values()), strict=True)
    return long_format(made, *keys).assign(numerator=np.concatenate(numerators), unsafe=np.concatenate(ruled))


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


@care.table("by_status", "hope_group", "care_measure", "", adds="hope_group")
def costs(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Who has costs of health that nobody covers, how large they are, and where somebody is ill for long, by status.

    In two parts: whether there are any, and their mean and median among those who have some. Who goes without care is
    `without_care_by_status`: the same quantity twice, hidden differently, would give the hidden one away.
    """
    cost, parts = frame["uncovered_cost_dh"].astype(float), []
    status = frame["status"].astype(str)
    flags = {"any": above(cost, 0), "chronic": above(frame["chronic_n"], 0)}
    for group in ("all", *status.unique()):
        rows = pd.Series(True, frame.index) if group == "all" else status == group
        for name, flag in flags.items():
            made = counted(mean(study.design, flag, where=rows), "_", float(flag[rows].sum()))
            parts.append(made.assign(care_measure=name, unit="share", hope_group=group))
        some = rows & cost.gt(0)
        amounts = {"mean": long_format(mean(study.design, cost, where=some), "")}
        amounts["median"] = quantile_rows(study.design, cost, 0.5, None, some)
        for name, made in amounts.items():
            parts.append(made.assign(care_measure=name, unit="dh", hope_group=group))
    return pd.concat(parts, ignore_index=True)


def drawing(study: Study, head_dh: float | None = None) -> Estimate:
    """Members who would draw on the fund, ``people``, and what it pays a year, ``cost_dh``; below an income a head."""
    frame = study.frame.set_axis(study.design.index)
    grant = grants.paid(frame["uncovered_cost_dh"].astype(float), parameter("fund_floor_dh"), parameter("fund_cap_dh"))
    if head_dh is not None:
        poor = household_income_dh(frame) / frame["household_size_n"]
        grant = grant.where(poor < head_dh, 0.0).where(grant.notna() & poor.notna())
    table = pd.DataFrame({"people": grant.gt(0).astype(float).where(grant.notna()), "cost_dh": grant})
    return total(study.design, table, missing="mean").as_positive()


@care.table("fund", "fund_rule", "fund_measure", "", adds=None)
def fund(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Who would draw on the support fund and what it pays in a year, for all or below an income a head."""
    lacking = study.lacking(("household_size_n", "net_pay_dh", "pension_dh", "other_income_dh"))
    rules = {"all": None} | ({} if lacking else {str(head): float(head) for head in HEADS})
    made = {rule: drawing(study, head) for rule, head in rules.items()}
    return in_units(behind(made, "fund_rule", "fund_measure"), "fund_measure")


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
    return in_units(behind(parts, "school_measure", "hope"), "school_measure")


@schooling.table("cohorts", "cohort_year", "school_age", adds=None)
def cohorts(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Children of each age of school over ten years: those of today as they grow, and births as they are expected."""
    table = frame[list(grants.BANDS)].astype(float).mul(home_share(frame), axis=0)
    births = is_code(frame["change_child"], "yes").astype("Float64").astype(float) / EXPECTED_YEARS
    table = table.assign(births=births.where(frame["status"].eq("active"), 0.0) * home_share(frame))
    made = total(study.design, table, missing="mean").as_positive()
    ages = pd.Index(list(grants.SCHOOL))
    years = {str(year): sums(made, ages, grants.ageing(year)).as_positive() for year in YEARS}
    return behind(years, "cohort_year", "school_age")


@aid.table("curve", "aid_threshold", "aid_group", adds=None)
def below(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Those of an aided status whose pension is not above each threshold."""
    made = {str(most): entitled(study, dict.fromkeys(_aided(study), most)) for most in THRESHOLDS}
    return behind(made, "aid_threshold", "aid_group")


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


@aid.table("rule", "aid_group", "aid_measure", "", adds=None)
def rule(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Who is entitled to the Eid grant by the thresholds that were printed, and what it costs a year."""
    made, own = study.result(under_thresholds), _aided(study)
    parts = np.eye(len(own)) if len(own) > 1 else np.empty((0, len(own)))  # one alone is all
    made = sums(made, pd.Index([*own[: len(parts)], "all"]), np.vstack([parts, np.ones(len(own))]))
    both = {"people": made, "cost_dh": scaled(made, parameter("eid_grant_dh"))}
    return in_units(behind(both, "aid_measure", "aid_group"), "aid_measure")


@aid.table("known", "service_wish|year", "measure", "", adds=None)
def grants_given(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Grants of aid in a year, beside those who are entitled here."""
    return beside(study, study.result(under_thresholds))
