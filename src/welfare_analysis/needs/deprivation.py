r"""Deprivation in several dimensions at once: the index of Alkire and Foster (2011, J. Public Economics 95, 476-487).

Person :math:`k` is deprived in indicator :math:`j` (:math:`d_{kj} = 1`) or not; weights :math:`w_j` add to one, and the
score is :math:`c_k = \sum_j w_j d_{kj}`. Whoever has :math:`c_k \ge \kappa` is deprived in several ways. Of the members
the headcount is :math:`H = E[1(c \ge \kappa)]`, the intensity :math:`A = E[c \mid c \ge \kappa]`, and the adjusted
headcount :math:`M_0 = H A = E[c\,1(c \ge \kappa)]`, to which indicator :math:`j` contributes
:math:`w_j E[d_j 1(c \ge \kappa)]`. No wish enters, and what was not asked of a person is not "not deprived": the
index has only what is asked of every status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..estimation import Design, Estimate, mean, ratio
from ..study import public
from .aspirations import without_care
from .commuting import commute_long
from .housing import cost_burdened, crowded, lacks_facilities
from .income_debt import above, asked, is_code, over_debt_limit

FAR_KM = 5.0  # an assumption: over an hour on foot
CUTOFFS = {"quarter": 1 / 4, "third": 1 / 3, "half": 1 / 2}
USUAL = "third"  # as in the global index of UNDP and OPHI
EVERYBODY = "all"


def far_services(frame: pd.DataFrame) -> pd.Series:
    """Whether services (health centre, administration, market) are farther than `FAR_KM`; NA where missing."""
    return above(asked(frame, "services_km")[0], FAR_KM).rename("far_services")


def no_health_cover(frame: pd.DataFrame) -> pd.Series:
    """Whether there is no health insurance; NA where missing or not asked."""
    return is_code(asked(frame, "health_cover")[0], "no").rename("no_health_cover")


OWN = {f.__name__: f for f in (crowded, lacks_facilities, cost_burdened, over_debt_limit, far_services, commute_long,
                               no_health_cover)} | {"care_forgone": without_care}  # fmt: skip


def deprivations(frame: pd.DataFrame, of: str = EVERYBODY) -> pd.DataFrame:
    """Whether each person is deprived in each indicator of a status (boolean, NA where unknown).

    Indicators and their dimensions are those of ``data/public/deprivation.csv``; ``of`` is a status, or ``all`` for
    those that are asked of everybody.

    Raises
    ------
    WelfareError
        A question of an indicator was not asked.
    """
    table = public("deprivation")
    names = table.loc[[of in statuses.split("|") for statuses in table["of"]], "indicator"]
    return pd.DataFrame({name: OWN[name](frame) for name in names}, index=frame.index)


def dimensions(deprived: pd.DataFrame) -> pd.Series:
    """The dimension of each indicator."""
    return public("deprivation").set_index("indicator")["dimension"].loc[list(deprived)]


def weightings(deprived: pd.DataFrame, design: Design) -> dict[str, pd.Series]:
    """Ways to weigh the indicators, each with weights that add to one.

    ``dimensions``: dimensions alike, and indicators within each; ``indicators``: all alike; ``rare``: by the part of
    the members who are not deprived, so that what most have counts most (Desai and Shah 1988); ``housing``: housing
    twice.
    """
    dimension = dimensions(deprived)
    alike = 1.0 / dimension.map(dimension.value_counts())
    shares = mean(design, deprived.apply(_numbers), where=deprived.notna().all(axis=1))
    lacking = 1.0 - pd.Series(shares.value.to_numpy(), index=deprived.columns)
    made = {
        "dimensions": alike,
        "indicators": pd.Series(1.0, dimension.index),
        "rare": lacking,
        "housing": alike.where(dimension != "housing", 2 * alike),
    }
    return {name: weights / weights.sum() for name, weights in made.items()}


def scores(deprived: pd.DataFrame, weights: Mapping[str, float] | pd.Series) -> pd.Series:
    """The score of each person, 0 to 1; NA where an indicator is unknown.

    Raises
    ------
    WelfareError
        Weights that do not add to one, or are not those of the indicators.
    """
    given = pd.Series(weights, dtype=float)
    if set(given.index) != set(deprived) or (given < 0).any() or not np.isclose(given.sum(), 1.0):
        raise WelfareError(
            "weights of an index", got=given.to_dict(), expected=f"of {', '.join(deprived)}, adding to 1"
        )
    return (deprived.astype("Float64") * given).sum(axis=1, skipna=False)


def multiply(score: pd.Series, cutoff: float) -> pd.Series:
    """Whether a score is at the cutoff or above; NA where it is."""
    return score >= cutoff - 1e-9  # a third is a sum of weights


def alkire_foster(
    design: Design, deprived: pd.DataFrame, weights: Any, cutoff: float, by: Any = None, where: Any = None
) -> dict[str, Estimate]:
    """Headcount H, intensity A and adjusted headcount M0 of those whose score is known, by group.

    Raises
    ------
    WelfareError
        As `scores`; nobody of a group is deprived in several ways, so that there is no intensity.
    """
    score, known, inside = _parts(deprived, weights, cutoff, where)
    return {
        "headcount": mean(design, inside.astype(bool), by, known),
        "intensity": ratio(design, score * inside, inside.astype(float), by, known),
        "adjusted": mean(design, score * inside, by, known),
    }


def contributions(
    design: Design, deprived: pd.DataFrame, weights: Any, cutoff: float, by: Any = None, where: Any = None
) -> dict[str, Estimate]:
    """The part of M0 that each dimension makes, by group: parts of a group add to one; errors as `alkire_foster`."""
    score, known, inside = _parts(deprived, weights, cutoff, where)
    weighed = deprived.apply(_numbers) * pd.Series(weights)
    parts = weighed.T.groupby(dimensions(deprived), sort=False).sum().T.mul(inside, axis=0)
    return {name: ratio(design, parts[name], score * inside, by, known) for name in parts}


def _parts(deprived: pd.DataFrame, weights: Any, cutoff: float, where: Any) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Score (zero where unknown), whose score is known, and who is deprived in several ways."""
    score = scores(deprived, weights)
    known = score.notna() if where is None else score.notna() & np.asarray(where, dtype=bool)
    return _numbers(score), known, multiply(score, cutoff).fillna(value=False).astype(int)


def _numbers(column: pd.Series) -> pd.Series:
    return column.astype("Float64").astype(float).fillna(0.0)


def bounds(deprived: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The indicators with what is unknown as not deprived, and as deprived: between them lies whatever was not said.

    Persons of whom no indicator is known stay out.
    """
    some = deprived.notna().any(axis=1)
    return {
        name: deprived.astype("boolean").fillna(value=value)[some] for name, value in (("least", False), ("most", True))
    }
