"""The attack on the plan's tables before they are published: which families give hidden cells away.

A family are the tables of shares of one variable, in which other tables of a condition that is one of its categories
stand too. The attacker has what will be printed and, exactly, how many of each group answered and what they weigh.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..disclosure import CATEGORY, Release, Released, policy
from ..disclosure.attack import MET, NOT_KNOWN, Same, attack, identities, too_tight
from ..disclosure.suppression import unsafe
from ..errors import WelfareError
from ..study import Study
from .descriptive import IDENTITIES, descriptive, inside, view

Answers = tuple[pd.Series, pd.Series, pd.Series]


def broken(study: Study, published: Release | None = None) -> list[str]:
    """Tables by group of the families that give a cell away which fails a rule by itself, in order.

    ``published`` are the tables as a file has them (`registry.read`), those of the plan if not given.

    A family whose numbers contradict each other cannot be judged, and counts as broken.
    """
    release = study.result(descriptive) if published is None else published
    same = identities(pd.read_csv(IDENTITIES).itertuples())
    families: dict[str, dict[str, Released]] = {}
    for name in release:
        table = release[name]
        if table.state == "shown" and table.statistic in ("share", "total") and not table.of:
            families.setdefault(same.get(table.variable, (table.variable, ""))[0], {})[name] = table
    return [
        name
        for family in families.values()
        if any((t.frame["flag"] == "hidden").any() for t in family.values()) and _gives_away(study, family, same)
        for name, table in family.items()
        if table.by
    ]


def _gives_away(study: Study, family: dict[str, Released], same: Same) -> bool:
    """Whether the attack on a family leaves too little open about a cell that is hidden for its own sake."""
    try:
        found = attack(family, lambda table: _bases(study, table), same)
    except WelfareError:
        return True
    truth = [_truth(study, family[row.table], row.group, row.category) for row in found.itertuples()]
    alone = np.array([fails for _, fails in truth], dtype=bool)
    return len(too_tight(found[alone], pd.Series([value for value, _ in truth])[alone])) > 0


def _answers(study: Study, table: Released) -> Answers:
    """Values, groups as the table names them, and weights, of those who answered."""
    rows = study.result(view, table.of)
    frame, weights = rows.frame, pd.Series(rows.design.weights, rows.frame.index)
    keep = inside(frame, table.where) & frame[table.variable].notna()
    group = pd.Series("", frame.index[keep])
    if table.by:
        column, (by,) = frame.loc[keep, table.by[0]].astype(object), table.by
        parents, there = study.codebook.parent(by), set(table.frame[by].astype(str))
        named = column.map(lambda code: code if str(code) in there else parents.get(str(code), code))
        group = named.where(column.notna(), NOT_KNOWN).astype(str)
    return frame.loc[keep, table.variable], group, weights[keep]


def _bases(study: Study, table: Released) -> pd.DataFrame:
    """Respondents and weights by group; a total stands for those who did not answer too."""
    _, group, w = _answers(study, table)
    if table.statistic == "total":
        rows = study.result(view, table.of)
        w = pd.Series(rows.design.weights, rows.frame.index)[inside(rows.frame, table.where)]
        return pd.DataFrame({"n": [float(len(group))], "w": [float(w.sum())]}, index=[""])
    by = w.groupby(group)
    return pd.DataFrame({"n": by.size().astype(float), "w": by.sum()})


def _truth(study: Study, table: Released, code: str, category: str) -> tuple[float, bool]:
    """Respondents, of mean weight, in a cell, and whether it fails a rule by itself."""
    values, group, w = _answers(study, table)
    met = values.astype(bool) if CATEGORY not in table.frame or category == MET else values.astype(str) == category
    there = group == code
    n, numerator = np.array([float(there.sum())]), np.array([float((met & there).sum())])
    return float(n[0] * w[met & there].sum() / w[there].sum()), bool(unsafe(n, numerator, policy())[0])
