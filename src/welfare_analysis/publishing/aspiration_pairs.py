"""What would call for a service: each pair is a hope (or a first place) and the condition that it is told by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..estimation import Design
from ..needs import commuting, housing, income_debt
from ..needs.aspirations import (
    HOPES,
    has_chronic_illness,
    has_pupils,
    has_small_children,
    hope,
    is_woman,
    pays_for_health,
    ranked_first,
)
from ..needs.priorities import Ranking, ranking
from ..study import Study

Condition = Callable[[pd.DataFrame], pd.Series]


SIDES = ("with", "without")


@dataclass(frozen=True, eq=False)
class Known:
    """The answers of a pair: outcome and condition (boolean, n, NA where unknown)."""

    hoped: pd.Series
    condition: pd.Series
    design: Design
    of_ranking: bool

    @property
    def told(self) -> np.ndarray:
        """Who answered both (n,)."""
        return (self.hoped.notna() & self.condition.notna()).to_numpy()

    @property
    def sides(self) -> dict[str, pd.Series]:
        """The outcome of those `with` the condition and of those `without` it; empty where one side did not answer."""
        met = self.condition.to_numpy(bool, na_value=False)
        masks = dict(zip(SIDES, (met & self.told, ~met & self.told), strict=True))
        return {k: self.hoped.where(mask) for k, mask in masks.items()} if all(m.any() for m in masks.values()) else {}


@dataclass(frozen=True)
class Pair:
    """An outcome, a hope or ``<ranking>: <item>`` in the first place, and a condition."""

    outcome: str
    condition: Condition

    def of(self, study: Study) -> Known | None:
        """What is known of a pair; None where one of its questions was not asked."""
        try:
            condition = self.condition(study.frame).astype("boolean")
        except WelfareError:
            return None
        group, _, item = self.outcome.partition(": ")
        if not item:
            if HOPES[group][0] not in study.frame:
                return None
            asked = study.codebook.asked(HOPES[group][0], study.frame, study.frame.index).fillna(False).astype(bool)
            return Known(hope(group)(study.frame).where(asked), condition, study.design, False)
        found = first_places(study, group)
        if found is None or item not in found[1].cat.categories:
            return None
        return Known(found[1].eq(item).astype("boolean").mask(found[1].isna()), condition, found[0].design, True)


@cache
def first_places(study: Study, group: str) -> tuple[Ranking, pd.Series] | None:
    """A ranking and the item that each person ranked first; None where it was not asked."""
    found = ranking(study, group)
    return None if found is None else (found, ranked_first(found.placed))


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
