"""Funnels as tables: the respondents behind each step, and who falls out between two."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from ..demand.funnel import lost
from ..disclosure import CATEGORY
from ..estimation import Estimate
from .declare import long_format

BEFORE = {"wants": "people", "eligible": "wants", "affordable": "eligible", "likely": "affordable"}


def behind(
    rows: pd.DataFrame, steps: pd.DataFrame, who: pd.Series, groups: Mapping[str, pd.Series], by: str, step: str
) -> pd.DataFrame:
    """Rows of a funnel with the respondents who pass each step; behind the forecast stand those who can pay.

    Parameters
    ----------
    rows : DataFrame
        With the columns ``by`` and ``step``.
    steps : DataFrame (n x steps)
        Whether a person passes each step, ``in_need`` apart from the others; NA where that is not known.
    who : Series (n,)
        Who counts.
    groups : mapping of label to Series (n,)
        The codes of ``by``.
    """
    passed = steps.drop(columns="in_need", errors="ignore").fillna(False).astype(bool).cumprod(axis=1).astype(bool)
    numbers: dict[tuple[str, str], int] = {}
    for name, group in groups.items():
        inside = group.fillna(False).astype(bool) & who
        need = steps["in_need"].fillna(False).astype(bool) if "in_need" in steps else inside
        numbers |= {(name, str(at)): int((column & inside).sum()) for at, column in passed.items()}
        numbers |= {(name, "people"): int(inside.sum()), (name, "in_need"): int((need & inside).sum())}
        numbers[name, "likely"] = numbers[name, "affordable"]
    pairs = zip(rows[by].astype(str), rows[step].astype(str), strict=True)
    return rows.assign(numerator=[float(numbers[pair]) for pair in pairs])


def fallen_out(funnel: pd.DataFrame, made: Mapping[str, Estimate], by: str, step: str, lost_at: str) -> pd.DataFrame:
    """Who falls out between two steps; hidden where one of the two is in the released ``funnel``, which would tell."""
    rows = long_format({name: lost(estimate) for name, estimate in made.items()}, by, lost_at)
    gone = funnel.loc[funnel["flag"] == "hidden", [step, CATEGORY]].astype(str) if len(funnel) else funnel
    hidden = set(gone.itertuples(index=False, name=None))
    names = zip(rows[lost_at], rows[by], strict=True)
    return rows.assign(unsafe=[bool({(at, name), (BEFORE[at], name)} & hidden) for at, name in names])
