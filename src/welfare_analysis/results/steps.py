"""Funnels as tables: from need to likely demand, by need and by group, and who falls out between two steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..demand.funnel import LIKELY, NEED, by_group, crossed, fitted, funnel, lost, picked, sides
from ..demand.services import Holidays
from ..demand.stated import CardMarket
from ..disclosure import CATEGORY, policy
from ..disclosure.digits import units
from ..errors import WelfareError
from ..estimation import Estimate, joint
from ..study import Study
from .declare import GROUPS, Base, Topic, long_format

BEFORE = {"wants": "people", "eligible": "wants", "affordable": "eligible", "likely": "affordable"}


def declare(topic: Topic, key: str, offer: Callable[[Study], Any], base: Callable[[Any], Base] | None = None) -> None:
    """Add the tables ``funnel``, ``lost`` and, by status, rank group, command group and sex, ``funnel_by_GROUP``.

    Parameters
    ----------
    topic : Topic
    key : str
        First part of the columns: ``KEY_step``, ``KEY_need_of``, ``KEY_lost``.
    offer : callable
        Of the study: what is before the people of the topic (`demand.funnel.crossed`). Where a range takes the place of
        the interval of the last step, it has ``ends``: itself at the two ends of what is assumed of people's word.
    base : callable, optional
        As in `Topic.table`.
    """
    step, need_of, lost_at = f"{key}_step", f"{key}_need_of", f"{key}_lost"

    def from_need(study: Study) -> dict[str, Estimate] | None:
        of = study.result(offer)
        return crossed(study.result(topic.subject), of) if NEED in of.steps else None

    @topic.table("funnel", step, need_of, "persons", base, adds=need_of)
    def in_need_or_not(study: Study, subject: Any) -> pd.DataFrame | None:
        """From need to likely demand, of those in need, of the others, and of all."""
        made, of = study.result(from_need), study.result(offer)
        if made is None:
            return None
        groups = sides(of.steps)
        ends = {}
        for end, at in ends_of(of):
            riders = {name: at.takers(among) for name, among in groups.items()}
            whole = riders.pop("all")
            ends[end] = joint({"sides": fitted(joint(riders), whole), "all": whole})
        rows = ranged(long_format(made, need_of, step), ends, step)
        return behind(rows, subject, of, groups, need_of, step)

    @topic.table("lost", lost_at, need_of, "persons", base, adds=need_of)
    def fallen_out(study: Study, subject: Any) -> pd.DataFrame | None:
        """Who falls out between two steps; before a step that is a range, without interval."""
        made, shown = study.result(from_need), topic.release(study)[topic.address("funnel")].frame
        if made is None:
            return None
        rows, of = between(shown, made, need_of, step, lost_at), study.result(offer)
        passed = behind(rows.assign(**{step: rows[lost_at]}), subject, of, sides(of.steps), need_of, step)["numerator"]
        rows["numerator"] = (rows["n"] - passed).where(rows[lost_at] != LIKELY)  # a forecast counts nobody
        known = ~(rows[lost_at].eq(LIKELY) & hasattr(of, "ends"))
        return rows.assign(**{end: rows[end].where(known, rows["estimate"]) for end in ("low", "high")})

    for by in (*GROUPS[:3], "sex"):

        @topic.table(f"funnel_by_{by}", by, step, "persons", base)
        def by_group(study: Study, subject: Any, group: str = by) -> pd.DataFrame:
            """The steps by group, of all in need or not; widows and orphans are taken together."""
            made = study.result(from_need)
            need = None if made is None else picked(made[NEED], np.array([0]))
            return grouped(subject, study.result(offer), need, group, step)


def grouped(market: CardMarket | Holidays, of: Any, need: Estimate | None, group: str, step: str) -> pd.DataFrame:
    """The steps of a funnel by group: ranks are of the active, small statuses are taken together.

    ``need`` is how many of all are in need. Groups are `fitted` to all, ranks to the active among the statuses.
    """
    status, by = groups_of(market, group)

    def counts(by: pd.Series | None) -> dict[str, Estimate]:
        return counts_by(market, of, by) | ({NEED: need} if by is None and need is not None else {})

    made = by_group(counts, status, by)
    rows = ranged(long_format(made["left"], step, group), made, step)
    if NEED in made:
        rows = pd.concat([long_format(made[NEED], group).assign(**{step: NEED}), rows], ignore_index=True)
    rows = behind(rows, market, of, {str(code): by == code for code in rows[group]}, group, step)
    seen = rows[parted(rows, step)]
    if seen.empty:
        raise WelfareError("too few are outside one group", where=group)
    return seen


def counts_by(market: CardMarket | Holidays, of: Any, by: pd.Series | None = None) -> dict[str, Estimate]:
    """Who is ``left`` at each step after need, who is in need, and the ends of the last step, by group."""
    passed = of.steps.drop(columns=NEED, errors="ignore")
    where = market.counted if by is None else market.counted & by.notna()
    left = funnel(market.design, passed, of.takers(by=by), by=by, where=where, reached=market.reached)
    need = {NEED: funnel(market.design, of.steps[[NEED]], by=by, where=where)} if NEED in of.steps else {}
    return {"left": left} | need | {end: at.takers(by=by) for end, at in ends_of(of)}


def groups_of(market: Any, group: str) -> tuple[pd.Series, pd.Series]:
    """The status of those who count, small ones taken together, and their group: a rank of the active alone."""
    status = market.frame["status"].astype(object).replace(market.codebook.wider("status")).where(market.counted)
    if group == "status":
        return status, status
    inside = market.counted & ((status == "active") | (group != "rank_group"))
    return status, market.frame[group].astype(object).where(inside)


def open_to(market: Any) -> pd.DataFrame:
    """Of those who want what is offered, what each may get and can pay: nobody else is behind a forecast."""
    able = (market.eligible & market.affordable).fillna(value=False).astype(bool)
    return able[market.wishers & market.counted]


def can_pay(market: Any) -> float:
    """How many respondents pass all steps of a funnel before the forecast."""
    return float(market.steps.drop(columns=NEED, errors="ignore").fillna(value=False).all(axis=1).sum())


def ends_of(of: Any) -> list[tuple[str, Any]]:
    """The offer at the two ends of a last step that is a range, named as the bounds; none of other offers."""
    return list(zip(("low", "high"), getattr(of, "ends", ()), strict=False))


def parted(rows: pd.DataFrame, step: str) -> pd.Series:
    """Rows of the steps that can be shown by group.

    A step that too few pass outside one group would be hidden whole, since its total is shown: it is of all alone.
    """
    passed = rows.groupby(step)["numerator"]
    return ~(passed.transform("sum") - passed.transform("max")).between(1, policy().min_respondents - 1)


def ranged(rows: pd.DataFrame, ends: Mapping[str, Estimate], step: str) -> pd.DataFrame:
    """Rows of a funnel whose last step is a range: between the estimates at its ends, printed to the error of its own.

    So that a table of the ends that is printed to the same unit shows the numbers of the range.
    """
    if "low" not in ends:
        return rows
    at = rows[step] == LIKELY
    unit = units(rows[at], "persons", "", policy())
    around = {end: np.round(ends[end].value.to_numpy(float) / unit) * unit for end in ("low", "high")}
    rows.loc[at, "low"] = np.fmin(around["low"], rows.loc[at, "estimate"])
    rows.loc[at, "high"] = np.fmax(around["high"], rows.loc[at, "estimate"])
    rows.loc[at, "step"] = unit
    return rows


def behind(
    rows: pd.DataFrame, market: CardMarket | Holidays, of: Any, groups: Mapping[str, pd.Series], by: str, step: str
) -> pd.DataFrame:
    """Rows of a funnel with the respondents who pass each step; behind the forecast stand those who can pay.

    Parameters
    ----------
    rows : DataFrame
        With the columns ``by`` and ``step``.
    market, of
        See `crossed`.
    groups : mapping of label to Series (n,)
        The codes of ``by``.
    """
    flags = of.steps.fillna(False).astype(bool)
    passed = flags.drop(columns=NEED, errors="ignore").cumprod(axis=1).astype(bool)
    numbers: dict[tuple[str, str], int] = {}
    for name, group in groups.items():
        inside = group.fillna(False).astype(bool) & market.counted
        numbers |= {(name, str(at)): int((column & inside).sum()) for at, column in passed.items()}
        need = flags[NEED] & inside if NEED in flags else inside
        numbers |= {(name, "people"): int(inside.sum()), (name, NEED): int(need.sum())}
        numbers[name, LIKELY] = numbers[name, "affordable"]
    pairs = zip(rows[by].astype(str), rows[step].astype(str), strict=True)
    return rows.assign(numerator=[float(numbers[pair]) for pair in pairs])


def between(shown: pd.DataFrame, made: Mapping[str, Estimate], by: str, step: str, lost_at: str) -> pd.DataFrame:
    """Who falls out between two steps; hidden where one of the two is in the released funnel, which would tell."""
    rows = long_format({name: lost(estimate) for name, estimate in made.items()}, by, lost_at)
    gone = shown.loc[shown["flag"] == "hidden", [step, CATEGORY]].astype(str) if len(shown) else shown
    hidden = set(gone.itertuples(index=False, name=None))
    names = zip(rows[lost_at], rows[by], strict=True)
    return rows.assign(unsafe=[bool({(at, name), (BEFORE[at], name)} & hidden) for at, name in names])
