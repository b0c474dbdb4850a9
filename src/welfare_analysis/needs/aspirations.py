"""What members hope for: each service as yes or no, and the places that they gave to services in a ranking.

A hope costs nothing to say. It tells what is wished, not what would be used or paid: that is demand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from welfare_analysis.needs.income_debt import above, answer, asked, is_code

PREFIX = "hopes_"


def _wishes(group: str, *items: str) -> dict[str, tuple[str, str]]:
    return {item: (f"{group}_{item}", "no") for item in items}


# the question of each hope, and the answers that mean none; anything else that was answered is a hope
HOPES: Mapping[str, tuple[str, str]] = {
    "home": ("wants_home", "no"),
    "loan": ("wants_loan", "no"),
    **_wishes("transport_wish", "shuttle", "season_ticket", "rail", "coach", "car_pool", "accompanied"),
    **_wishes("education_wish", "scholarship", "tutoring", "school_transport", "boarding", "nursery"),
    **_wishes("education_wish", "private_discount"),
    "training": ("training_wish", "none"),
    **_wishes("sport_wish", "pitch", "gym", "pool", "martial_arts", "women_hours"),
    "sport_children": ("sport_wish_children", "no"),
    **_wishes("promotion", "holiday_centres", "camps", "hajj", "umra", "clubs"),
    "holiday": ("holiday_centre", "none"),
}


def hope(name: str) -> Callable[[pd.DataFrame], pd.Series]:
    """The indicator of one of `HOPES`: True where the answer is not the one that means none; NA where missing."""
    question, none = HOPES[name]

    def indicator(frame: pd.DataFrame) -> pd.Series:
        return (~is_code(answer(frame, question), none)).rename(PREFIX + name)

    indicator.__name__ = PREFIX + name
    return indicator


def holiday_spend_dh(frame: pd.DataFrame) -> pd.Series:
    """What a week of holidays may cost, DH, of those who would go somewhere; NA of others and where missing.

    Needs ``holiday_centre``, ``holiday_budget_dh``.
    """
    centre, budget = asked(frame, "holiday_centre", "holiday_budget_dh")
    return budget.where(~is_code(centre, "none").fillna(True)).rename("holiday_spend_dh")


def has_pupils(frame: pd.DataFrame) -> pd.Series:
    """Whether a child of the member goes to school or studies; NA where the number at a level is missing.

    Needs ``preschool_n``, ``primary_n``, ``secondary_n``, ``higher_n``.
    """
    levels = pd.concat(asked(frame, "preschool_n", "primary_n", "secondary_n", "higher_n"), axis=1)
    total = levels.sum(axis=1, skipna=False)
    return above(total, 0).rename("has_pupils")


def has_small_children(frame: pd.DataFrame) -> pd.Series:
    """Whether a dependant is under six; needs ``dependants_0_5_n``, NA where missing."""
    return above(answer(frame, "dependants_0_5_n"), 0).rename("has_small_children")


def has_chronic_illness(frame: pd.DataFrame) -> pd.Series:
    """Whether somebody in the home has a chronic illness; needs ``chronic_n``, NA where missing."""
    return above(answer(frame, "chronic_n"), 0).rename("has_chronic_illness")


def pays_for_health(frame: pd.DataFrame) -> pd.Series:
    """Whether costs of health were not covered this year; needs ``uncovered_cost_dh``, NA where missing."""
    return above(answer(frame, "uncovered_cost_dh"), 0).rename("pays_for_health")


def is_woman(frame: pd.DataFrame) -> pd.Series:
    """Whether the member is a woman; needs ``sex``, NA where missing."""
    return is_code(answer(frame, "sex"), "f").rename("is_woman")


def without_care(frame: pd.DataFrame) -> pd.Series:
    """Whether the member went without care this year for its cost; needs ``care_forgone``, NA where missing."""
    return is_code(answer(frame, "care_forgone"), "yes").rename("without_care")


def never_served(frame: pd.DataFrame) -> pd.Series:
    """Whether no service of the social works ever reached the member; needs ``social_works_use``, NA where missing."""
    return is_code(answer(frame, "social_works_use"), "never").rename("never_served")


def places(ranks: pd.DataFrame) -> pd.DataFrame:
    """The places given to items (n x J), 1 for the best; NaN where an item was left open.

    A number that is no place (a fraction, or outside 1 to J) is left open. Where all places but one were given, each
    once, the item left open has the one that is missing: it was not left open for being the worst.
    """
    J = ranks.shape[1]
    given = ranks.to_numpy(float, na_value=np.nan)
    given = np.where((given >= 1) & (given <= J) & (given == np.round(given)), given, np.nan)
    ordered = np.sort(np.where(np.isnan(given), 0.0, given), axis=1)
    once = (np.isnan(given).sum(axis=1) == 1) & (np.diff(ordered, axis=1) > 0).all(axis=1)
    missing = J * (J + 1) / 2 - ordered.sum(axis=1)
    placed = np.where(np.isnan(given) & once[:, None], missing[:, None], given)
    return pd.DataFrame(placed, ranks.index, columns=ranks.columns)


def mid_places(placed: pd.DataFrame) -> pd.DataFrame:
    """Places (n x J) of all items: those that share a place, or were left open behind the others, have their mean.

    NaN for a person who ranked nothing, or who left a place out: then it is not known who comes there.
    """
    given = placed.to_numpy(float)
    there, J = ~np.isnan(given), given.shape[1]
    full = np.where(there, given, J + 1.0)
    below = (full[:, :, None] > full[:, None, :]).sum(axis=2)
    alike = (full[:, :, None] == full[:, None, :]).sum(axis=2)
    known = there.any(axis=1) & (np.where(there, given, 0).max(axis=1) <= there.sum(axis=1))
    return pd.DataFrame(np.where(known[:, None], below + (alike + 1) / 2, np.nan), placed.index, columns=placed.columns)


def ranked_first(placed: pd.DataFrame) -> pd.Series:
    """The item in the first place, a Categorical over the items; NA where none or several are there."""
    first = placed.to_numpy(float) == 1
    code = np.where(first.sum(axis=1) == 1, first.argmax(axis=1), -1)
    return pd.Series(pd.Categorical.from_codes(code, list(placed.columns)), placed.index, name="ranked_first")


def ranked_among(placed: pd.DataFrame, top: int) -> pd.DataFrame:
    """Whether each item is among the first ``top`` (n x J, boolean); NA of a person who did not give all of them."""
    middle = mid_places(placed)
    known = middle.notna().all(axis=1) & (placed.notna().sum(axis=1) >= top)
    among = (placed <= top).astype("boolean")
    return among.mask(~known.to_numpy()[:, None] & np.ones(among.shape, dtype=bool))
