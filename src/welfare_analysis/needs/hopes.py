"""Who hopes for which service, of whom each was asked, and the conditions that would call for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..estimation import Design
from ..study import Study
from . import commuting, housing, income_debt
from .aspirations import HOPES, has_chronic_illness, has_pupils, has_small_children, hope, is_woman, pays_for_health
from .priorities import ranking

SIDES = ("with", "without")


@dataclass(frozen=True, eq=False)
class Hopes:
    """Services that were asked for: who hopes (boolean, n x services, NA where unknown), and of whom each was asked."""

    design: Design
    hoped: pd.DataFrame
    asked: pd.DataFrame

    def base_counts(self, among: pd.Series | None = None) -> tuple[int, int]:
        """Respondents who answered any, and how many that would be of those asked at the mean rate of answers."""
        rows = np.ones(len(self.hoped), dtype=bool) if among is None else among.to_numpy()
        n, given = self.hoped[rows].notna().any(axis=1).sum(), self.hoped[rows].notna().sum().sum()
        return int(n), round(n * self.asked[rows].sum().sum() / max(given, 1))

    def bundles(self, by: pd.Series | None) -> list[tuple[list[str], np.ndarray]]:
        """Services that one estimate takes together, and the rows that it speaks of.

        They were asked of the same persons, and somebody of every group there answered each; others go alone.
        """
        bundled: dict[bytes, tuple[list[str], np.ndarray]] = {}
        code = np.zeros(len(self.hoped), dtype=int) if by is None else pd.factorize(by)[0]
        for name in self.hoped:
            rows = self.asked[name].to_numpy() & (code >= 0)
            answered = rows & self.hoped[name].notna().to_numpy()
            if not answered.any():
                continue
            rows = rows if len(np.unique(code[rows])) == len(np.unique(code[answered])) else answered
            bundled.setdefault(rows.tobytes(), ([], rows))[0].append(str(name))
        return list(bundled.values())


def hopes(study: Study) -> Hopes:
    """The hopes that were asked in a study; its frames have no columns where there is none."""
    frame, asked = study.frame, {n: _asked(study, q) for n, (q, _) in HOPES.items() if q in study.frame}
    hoped = {name: hope(name)(frame).where(asked[name]) for name in asked}
    return Hopes(study.design, pd.DataFrame(hoped, frame.index), pd.DataFrame(asked, frame.index))


def _asked(study: Study, question: str) -> pd.Series:
    return study.codebook.asked(question, study.frame, study.frame.index).fillna(False).astype(bool)


@dataclass(frozen=True)
class Pair:
    """An outcome, a hope or ``<ranking>: <item>`` in the first place, and the condition that would call for it."""

    outcome: str
    condition: Callable[[pd.DataFrame], pd.Series]

    @property
    def of_ranking(self) -> bool:
        """Whether the outcome is a first place."""
        return ": " in self.outcome

    def sides(self, study: Study) -> pd.DataFrame | None:
        """The outcome of those with the condition and of those without it (n x `SIDES`, NA of others).

        None where a question was not asked or nobody of a side answered.
        """
        try:
            condition = self.condition(study.frame).astype("boolean")
        except WelfareError:
            return None
        outcome = self._outcome(study)
        if outcome is None:
            return None
        known = outcome.where(condition.notna())
        sides = pd.DataFrame({"with": known.where(condition), "without": known.where(~condition)})
        return sides if sides.notna().any().all() else None

    def _outcome(self, study: Study) -> pd.Series | None:
        group, _, item = self.outcome.partition(": ")
        if not item:
            question = HOPES[group][0]
            return hope(group)(study.frame).where(_asked(study, question)) if question in study.frame else None
        ranked = study.result(ranking, group)
        if ranked is None or item not in ranked.placed:
            return None
        return ranked.firsts.eq(item).astype("boolean").mask(ranked.firsts.isna())


PAIRS = {
    "home_tenant": Pair("home", housing.tenant),
    "home_crowded": Pair("home", housing.crowded),
    "loan_indebted": Pair("loan", income_debt.indebted),
    "shuttle_long": Pair("shuttle", commuting.commute_long),
    "shuttle_nights": Pair("shuttle", commuting.works_nights),
    "season_ticket_car": Pair("season_ticket", commuting.has_car),
    "tutoring_pupils": Pair("tutoring", has_pupils),
    "school_transport_pupils": Pair("school_transport", has_pupils),
    "nursery_small": Pair("nursery", has_small_children),
    "camps_pupils": Pair("camps", has_pupils),
    "women_hours_women": Pair("women_hours", is_woman),
    "housing_tenant": Pair("priority: housing", housing.tenant),
    "housing_loan_tenant": Pair("priority: housing_loan", housing.tenant),
    "consumer_loan_indebted": Pair("priority: consumer_loan", income_debt.indebted),
    "transport_long": Pair("priority: transport", commuting.commute_long),
    "health_chronic": Pair("priority: health", has_chronic_illness),
    "education_pupils": Pair("priority: education", has_pupils),
    "chronic_illness_chronic": Pair("health_rank: chronic_illness", has_chronic_illness),
    "uncovered_costs_paid": Pair("health_rank: uncovered_costs", pays_for_health),
}
