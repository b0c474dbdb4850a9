"""Satisfaction (page 05): who is satisfied with what, and who is not; no scale."""

from __future__ import annotations

from functools import partial
from itertools import product

import pandas as pd

from ..disclosure import policy
from ..estimation import share
from ..needs.factors import merged
from ..study import Study
from .declare import Base, Topic, always, counted
from .descriptive import leaves_few

SIDES = {"satisfied": ("satisfied", "very_satisfied"), "dissatisfied": ("dissatisfied", "very_dissatisfied")}


def asked(study: Study) -> pd.DataFrame | None:
    """The answers to the questions of satisfaction; None where there is none."""
    questions = study.codebook.variables.index[study.codebook.variables["group"] == "satisfied"]
    known = [name for name in questions if name in study.frame and study.frame[name].notna().any()]
    return study.frame[known] if known else None


def _base(answers: pd.DataFrame) -> Base:
    known = answers.notna().any(axis=1)
    return known, pd.Series(True, known.index)


topic = Topic("satisfaction", asked, always, "share", _base, ("", ("widest",)), totals=False)


def shares(study: Study, answers: pd.DataFrame, side: str, group: str) -> pd.DataFrame | None:
    """Share on a side of the middle, of those who answered, by group; None where it was not asked."""
    if group not in study.frame:
        return None
    parts, statuses = [], study.frame["status"]
    ranked = statuses.eq("active") | (group != "rank_group")  # ranks are of the active
    for given in (answers[name] for name in answers):
        where = given.notna() & ranked
        by = merged(study.codebook, study.frame[group], where.to_numpy(), policy().min_base).where(where, None)
        on = given.isin(SIDES[side]).where(where).astype("boolean")
        made = share(study.design, on, by=by.rename(group), where=where & by.notna())
        met = on.groupby(by.astype(object)).sum()
        rest = (~given.isin([*SIDES["satisfied"], *SIDES["dissatisfied"]]) & where).groupby(by.astype(object)).sum()
        rows = counted(made, "question", [float(met[code]) for code in made.value.index], across=group)
        few = [0 < rest[code] < policy().min_respondents for code in made.value.index]
        undone = leaves_few(by, statuses, on, {*statuses}) if group == "sex" else set()
        # who is on neither side is all less both
        parts.append(rows.assign(unsafe=few, lost=rows[group].isin(undone)))
    return pd.concat(parts, ignore_index=True)


for _side, _group in (*product(SIDES, ("status", "sex")), *product(["satisfied"], ("rank_group", "command_group"))):
    topic.table(f"{_side}_by_{_group}", "question", _group)(partial(shares, side=_side, group=_group))
