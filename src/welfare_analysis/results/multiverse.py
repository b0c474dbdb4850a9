"""What other defensible choices of method would have made of the front page's shares: all their combinations (page 13).

A multiverse (Steegen, Tuerlinckx, Gelman and Vanpaemel 2016, Perspectives on Psychological Science 11, 702-712) of two
ways each of six choices. Definitions are no choices of method: they are varied where they stand (`needs.standards`).
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from ..disclosure import NUMBERS
from ..needs import computable, computed, indicators
from ..study import Study
from ..survey.weighting import RETURNED, SMALLEST_CLASS, Choices, weight
from .declare import Topic
from .descriptive import inside
from .quality import OF_INCOME, completed_amounts, everybody
from .weights import TRIMMED_AT, headlines, measurable

WEIGHTING: dict[str, dict[str, Any]] = {  # choices of weighting, beside what is usual
    "classes": {"by_age": False},
    "smallest": {"smallest": 3 * SMALLEST_CLASS},
    "margins": {"margins": ("status|rank_group", "command_group")},
    "distance": {"method": "linear"},
}
CHOICES = (*WEIGHTING, "largest", "missing")

topic = Topic("multiverse", lambda study: study, measurable, "share", everybody, totals=False)


def weights(study: Study, other: tuple[bool, ...]) -> pd.Series:
    """Weights of those who answered, by person, with the choices of `WEIGHTING` that are made the other way."""
    back = study.frame["outcome"] == RETURNED
    ways = [way for way, chosen in zip(WEIGHTING.values(), other, strict=True) if chosen]
    choices = Choices(**{name: value for way in ways for name, value in way.items()})
    made = weight(study.frame.loc[back, ["person_id"]], study.register, study.followup, choices)
    return pd.Series(made.design.weights, index=made.frame["person_id"]).reindex(study.frame["person_id"])


def outcomes(study: Study) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Of each share of the front page who meets the condition: as it was answered (nan: not), and with gaps filled in.

    Amounts are completed as on page 02, the mean of all times; other gaps have the share of the status and rank group.
    Who was not asked is nan in both.
    """
    frame, made = computed(indicators(study.frame)), {}
    columns = study.result(completed_amounts)
    times = len(next(iter(columns.values()), []))
    full = [study.frame.assign(**{name: draws[i] for name, draws in columns.items()}) for i in range(times)]
    for table in study.result(headlines):
        y = frame[table.variable].astype("Float64").where(inside(frame, table.where)).to_numpy(float, na_value=np.nan)
        if table.variable in OF_INCOME and full:
            each = [computable(one, [OF_INCOME[table.variable]])[table.variable].astype("Float64") for one in full]
            filled = pd.concat(each, axis=1).astype(float).mean(axis=1).to_numpy()
        else:
            known, w = pd.Series(y), study.design.weights
            keys = [frame["status"].astype(str), frame["rank_group"].astype(str)]
            sums = [v.groupby(keys).transform("sum") for v in (known.fillna(0.0) * w, known.notna() * w)]
            asked = inside(frame, table.where).to_numpy() & (sums[1] > 0).to_numpy()
            filled = known.fillna(sums[0] / sums[1]).where(asked).to_numpy()
        made[table.id] = y, filled
    return made


def shares(study: Study) -> pd.DataFrame:
    """Each share (columns) by what was chosen the other way (rows: a level of False and True a choice)."""
    known, made = study.result(outcomes), dict[Any, dict[str, float]]()
    for way in product([False, True], repeat=len(WEIGHTING)):
        plain = weights(study, way).to_numpy()
        for cut, fill in product([False, True], repeat=2):
            w = np.minimum(plain, np.quantile(plain, TRIMMED_AT[0])) if cut else plain
            found = {name: pair[int(fill)] for name, pair in known.items()}
            made[*way, cut, fill] = {
                name: float(np.nansum(w * y) / w[np.isfinite(y)].sum()) for name, y in found.items()
            }
    return pd.DataFrame.from_dict(made, orient="index").rename_axis(list(CHOICES))


@topic.table("", "condition", "measure", adds=None)
def across(study: Study, _: Study) -> pd.DataFrame:
    """Each share with the interval of its sample, and the lowest and highest of how many combinations."""
    every, rows = study.result(shares), []
    for table in study.result(headlines):
        own = table.frame.iloc[0]
        low, high = every[table.id].min(), every[table.id].max()
        ends = {"share": list(own[NUMBERS]), "lowest": [low] * 3, "highest": [high] * 3}
        cells = pd.DataFrame(ends, index=NUMBERS).T.astype(float).assign(unit="share", step=own["step"])
        cells.loc["combinations"] = [len(every)] * 3 + ["number", 1.0]
        rows.append(cells.rename_axis("measure").reset_index().assign(condition=table.id, n=table.respondents))
    return pd.concat(rows)


@topic.table("effects", "condition", "choice", "share_points", adds=None)
def effects(study: Study, _: Study) -> pd.DataFrame:
    """What one choice made the other way changes: the mean over all combinations of the others, in points."""
    every, rows = study.result(shares), []
    for table in study.result(headlines):
        levels = {name: every[table.id].groupby(level=name).mean() for name in CHOICES}
        cells = pd.DataFrame({name: [v[True] - v[False]] * 3 for name, v in levels.items()}, index=NUMBERS).T
        cells = cells.rename_axis("choice").reset_index()
        rows.append(cells.assign(condition=table.id, n=table.respondents, step=table.frame.iloc[0]["step"] / 2))
    return pd.concat(rows)
