"""The bias of who answers, measured by the follow-up for each headline that may be shown."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pandas as pd

from ..estimation import Estimate
from ..needs import computed, indicators
from ..study import Study
from ..survey.response import ODDS, answered_share, pattern_mixture, without_followup
from ..survey.weighting import RETURNED, weight
from .plan import HEADLINES, NUMBERS, Release, Released, estimate, inside
from .suppression import CATEGORY

WAYS = ("both", "returned_alone", "silent_less", "silent_more", "bias")


def bias(released: Release, study: Study) -> Released:
    """Headline shares from both phases, from the returned forms alone, with silent persons of less and of more need.

    A cell is a condition and a way; the way ``bias`` is the returned forms alone less both.
    """
    blank = Released("nonresponse_bias", "share", "way", ("condition",), "share")
    shown = [released[name] for name in HEADLINES if name in released and len(released[name].shown)]
    if study.followup is None or study.register is None or not shown:
        return blank
    frame, alone = computed(indicators(study.frame)), _returned_alone(study)
    reached, rows = answered_share(study.followup), []
    for table in shown:
        both = estimate(study.design, frame, table)
        first = estimate(alone.design, alone.frame, table).value.iloc[0]
        late = frame["outcome"] != RETURNED
        where = inside(frame, table.where)
        mixed = [pattern_mixture(study.design, frame[table.variable], late, reached, odds, where) for odds in ODDS]
        gap = without_followup(both, pd.Series(first, index=both.value.index))
        fixed = pd.Series([first] * 3, index=NUMBERS)
        lines = [_numbers(both), fixed, *(_numbers(m) for m in mixed), _numbers(gap)]
        known = {"condition": table.variable, "n": float(both.counts["n"].iloc[0]), "flag": ""}
        rows += [{**known, CATEGORY: way, **line} for way, line in zip(WAYS, lines, strict=True)]
    respondents, missing = max(t.respondents for t in shown), max(t.missing_share for t in shown)
    return replace(blank, frame=pd.DataFrame(rows), respondents=respondents, missing_share=missing, state="shown")


def _numbers(found: Estimate) -> pd.Series:
    return pd.Series([found.value.iloc[0], *found.interval().iloc[0]], index=NUMBERS)


@cache
def _returned_alone(study: Study) -> Study:
    """The study that the returned forms alone would have given."""
    back = study.frame["outcome"] == RETURNED
    alone = weight(study.frame[back].reset_index(drop=True), study.register)
    return Study(computed(indicators(alone.frame)), alone.design, study.codebook, study.register, method=alone.method)
