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

SAID, FOUND, MOVED = "as_said", "as_found", "moved_by"


def seen(study: Study) -> View:
    """Those whose papers were seen, with what was found, and their design; there is a recheck (`checked`)."""
    assert study.checked is not None
    design, frame = study.checked
    return View(computed(indicators(frame)), design)


def corrected(study: Study, condition: str) -> Estimate:
    """The share of a headline condition by what was found (`double_sampling`)."""
    table, everybody, some = study.result(descriptive)[condition], study.result(view, ""), study.result(seen)
    where = inside(everybody.frame, table.where)
    return double_sampling(study.design, everybody.frame[condition], some.design, some.frame[condition], where)


def checked(study: Study) -> str:
    """Whether papers were seen of anybody."""
    return "no_recheck" if study.checked is None else "shown"


def shown(study: Study) -> Base:
    """Those whose papers were seen."""
    whom = pd.Series(True, study.result(seen).frame.index)
    return whom, whom


topic = Topic("recheck", lambda study: study, checked, "share", shown, totals=False)


@topic.table("found", "condition", "measure", adds=None)
def found(study: Study, _: Study) -> pd.DataFrame | None:
    """Each headline as people said and as was found, both with their intervals, and by how much this moves it.

    Both rest on the same answers, and the difference has the error of both together. Where nothing else was found of
    anybody than was said, nobody looked into what a condition is made of.
    """
    parts, plan, some = [], study.result(descriptive), study.result(seen)
    frame = study.result(view, "").frame
    told = frame.set_axis(study.design.index).loc[some.design.index]
    looked_at = [n for n in HEADLINES if n in frame and not some.frame[n].equals(told[n])]
    for name in (n for n in looked_at if len(plan[n].shown)):
        table = plan[name]
        both = joint({FOUND: corrected(study, name), SAID: estimate(study.design, frame, table)})
        moved = both.apply(lambda v: pd.Series({MOVED: v.iloc[0] - v.iloc[1]}))
        own = corrected(study, name)
        known = some.frame.loc[inside(some.frame, table.where), name].dropna().astype(bool)
        rows = [[own.value.iloc[0], *own.interval().iloc[0]], [moved.value.iloc[0], *moved.interval().iloc[0]]]
        lines = pd.DataFrame([table.frame.iloc[0][NUMBERS].tolist(), *rows], columns=NUMBERS)
        apart = lines["low"].gt(0) | lines["high"].lt(0)  # of the difference: people say another thing than is so
        lines = lines.assign(measure=[SAID, FOUND, MOVED], unit=["share", "share", "share_points"], apart=apart)
        behind = {"n": float(len(known)), "numerator": float(known.sum())}
        parts.append(lines.assign(condition=name, step=[table.frame["step"].iloc[0], np.nan, np.nan], **behind))
    return pd.concat(parts, ignore_index=True) if parts else None


@topic.table("amounts", "question", "status", "share", adds=None)
def amounts(study: Study, _: Study) -> pd.DataFrame:
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
    behind = [float(wrong[name][code]) for name, code in zip(rows["question"], rows["status"], strict=True)]
    return rows.assign(numerator=np.minimum(behind, rows["n"] / 2))
