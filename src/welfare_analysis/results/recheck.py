"""Errors of answering: what people said, and what was found of a few whose papers were seen (page 03)."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from ..disclosure import NUMBERS
from ..estimation import Design, Estimate, double_sampling, joint, ratio
from ..needs import computed, indicators
from ..study import Study
from .declare import Base, Topic, attempted, long_format
from .descriptive import HEADLINES, View, descriptive, estimate, inside, view

SAID, FOUND, PEOPLE, MOVED = "as_said", "as_found", "found_people", "moved_by"
ENOUGH = 150  # seen: with fewer, 2 points of error might be there unseen
WRONG = 5  # of those seen, found other than most who had said the same: with fewer, no difference is told


def seen(study: Study) -> View:
    """Those whose papers were seen, with what was found, and their design; there is a recheck (`checked`)."""
    assert study.checked is not None
    return View(computed(indicators(study.checked.frame)), study.checked.design)


def corrected(study: Study, condition: str) -> Estimate:
    """The share of a headline condition by what was found (`double_sampling`)."""
    table, everybody, some = study.result(descriptive)[condition], study.result(view, ""), study.result(seen)
    where = inside(everybody.frame, table.where)
    return double_sampling(study.design, everybody.frame[condition], some.design, some.frame[condition], where)


def checked(study: Study) -> str:
    """Whether papers were seen, and of enough: none wrong of n may still be 3 / n."""
    if study.checked is None:
        return "no_recheck"
    return "shown" if len(study.checked.frame) >= ENOUGH else "few_rechecked"


def shown(study: Study) -> Base:
    """Those whose papers were seen."""
    whom = pd.Series(True, study.result(seen).frame.index)
    return whom, whom


topic = Topic("recheck", lambda study: study, checked, "share", shown, totals=False)


@topic.table("found", "condition", "measure", adds=None)
def found(study: Study, _: Study) -> pd.DataFrame | None:
    """Each headline as people said and as was found, both with their intervals, and by how much this moves it.

    Both rest on the same answers, and the difference has the error of both together; it is unsure where hardly anybody
    (`WRONG`) was found other than most who had said the same. Of conditions that no question looked into is a part of.
    """
    parts, plan, some = [], study.result(descriptive), study.result(seen)
    frame = study.result(view, "").frame
    told = frame.set_axis(study.design.index).loc[some.design.index]
    for name in (n for n in looked_into(study) if len(plan[n].shown)):
        table, within = plan[name], inside(some.frame, plan[name].where)
        own = corrected(study, name)
        both = joint({FOUND: own, SAID: estimate(study.design, frame, table)})
        moved = both.apply(lambda v: pd.Series({MOVED: v.iloc[0] - v.iloc[1]}))
        known = some.frame.loc[within, name].dropna().astype(bool)
        counts = pd.crosstab(told.loc[known.index, name].astype(object).fillna("?"), known)
        wrong = int((counts.sum(axis=1) - counts.max(axis=1)).sum())
        people = study.design.weights[inside(frame, table.where).to_numpy()].sum()
        level, difference = ([e.value.iloc[0], *e.interval().iloc[0]] for e in (own, moved))
        numbers = [table.frame.iloc[0][NUMBERS].tolist(), level, [people * x for x in level], difference]
        lines = pd.DataFrame(numbers, columns=NUMBERS).assign(measure=[SAID, FOUND, PEOPLE, MOVED])
        lines["unit"] = ["share", "share", "persons", "share_points"]
        lines["apart"] = (wrong >= WRONG) & (lines["low"].gt(0) | lines["high"].lt(0))  # of the difference
        lines["flag"] = np.where((lines["measure"] == MOVED) & (wrong < WRONG), "unsure", "")
        behind = {"n": float(len(known)), "numerator": float(known.sum())}
        parts.append(lines.assign(condition=name, step=[table.frame["step"].iloc[0], *[np.nan] * 3], **behind))
    rows = pd.concat(parts, ignore_index=True) if parts else None
    return rows if rows is None or study.population else rows[rows["measure"] != PEOPLE]


def looked_into(study: Study) -> list[str]:
    """The headlines that a question looked into is a part of: without its answers they are known of fewer."""
    assert study.checked is not None
    some = study.checked.frame
    nobody = pd.Series(False, some.index)
    blank = some.assign(**{name: some[name].where(nobody) for name in study.checked.asked})
    full, less = (computed(indicators(f)) for f in (some, blank))
    return [n for n in HEADLINES if n in full and less[n].isna().sum() > full[n].isna().sum()]


@topic.table("amounts", "question", "status", "share", adds=None)
def amounts(study: Study, _: Study) -> pd.DataFrame | None:
    r"""By how much amounts are said too high or too low, by status: :math:`\sum w (said - found) / \sum w\, found`.

    Of those who said a number and of whom it was found; of questions that anybody answered wrongly. Behind a number
    are those who did.
    """
    some = study.result(seen)
    design = Design.two_phase(study.design.reweighted(study.design.weights, None), some.design)
    told, makers, wrong = study.frame.set_axis(study.design.index).loc[some.design.index], {}, {}
    for name in study.frame.select_dtypes("number"):
        where = told[name].notna() & some.frame[name].notna()
        off = (told[name] - some.frame[name]).where(where, 0.0)
        if (off != 0).any():
            wrong[name] = (off != 0).groupby(told["status"].astype(str)).sum()
            true = some.frame[name].where(where, 0.0)
            makers[name] = partial(ratio, design, off, true, by=told["status"], where=where)
    rows = long_format(attempted(makers), "question", "", "status")
    if rows.empty:
        return None
    behind = [float(wrong[name][code]) for name, code in zip(rows["question"], rows["status"], strict=True)]
    return rows.assign(numerator=np.minimum(behind, rows["n"] / 2))
