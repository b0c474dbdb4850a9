"""Factors that go with the conditions besides rank and place: family, earners and age, in few classes."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from welfare_analysis.needs.income_debt import answer, asked
from welfare_analysis.study import Study
from welfare_analysis.survey.codebook import Codebook

FAMILY_TYPES = ("no_spouse", "couple", "children_1_2", "children_3_over")
EARNERS = ("one", "two_over")
STAFF_AGES = {"18_29": "18_29", "30_39": "30_39", "40_49": "40_49", "50_59": "50_over", "60_over": "50_over"}


def family_type(frame: pd.DataFrame) -> pd.Series:
    """Neither spouse nor child, a couple without children, one or two dependent children, or three and more.

    Needs ``marital_status`` and ``children_n``; NA where either is missing. Who has children is known by their number,
    whatever the marital status.
    """
    status, children = asked(frame, "marital_status", "children_n")
    found = pd.Series(pd.NA, index=frame.index, dtype=object)
    found = found.mask(children.ge(3), "children_3_over").mask(children.between(1, 2), "children_1_2")
    married = status.eq("married")
    found = found.mask(children.eq(0) & married, "couple").mask(children.eq(0) & ~married, "no_spouse")
    found = found.where(status.notna() & children.notna(), None)
    return pd.Series(pd.Categorical(found, FAMILY_TYPES), index=frame.index, name="family_type")


def earners_class(frame: pd.DataFrame) -> pd.Series:
    """At most one earner in the household, or two and more; needs ``earners_n``, NA where it is missing."""
    earners = answer(frame, "earners_n")
    found = earners.ge(2).map({True: EARNERS[1], False: EARNERS[0]}).where(earners.notna(), None)
    return pd.Series(pd.Categorical(found, EARNERS), index=frame.index, name="earners_class")


def staff_age(frame: pd.DataFrame) -> pd.Series:
    """Age of staff in four classes, from 50 on in one; needs ``age_group``, NA for minors and where it is missing."""
    found = answer(frame, "age_group").astype(object).map(STAFF_AGES)
    kinds = list(dict.fromkeys(STAFF_AGES.values()))
    return pd.Series(pd.Categorical(found, kinds), index=frame.index, name="staff_age")


def merged(book: Codebook, column: pd.Series, among: np.ndarray, least: int) -> pd.Series:
    """A column of groups; those of fewer than ``least`` respondents ``among`` all are put with their siblings."""
    size = column.astype(object)[among].value_counts()
    groups = with_siblings(book, column, size.index[size < least])
    return groups.where(groups.notna(), None)


def with_siblings(book: Codebook, column: pd.Series, small: Iterable[object]) -> pd.Series:
    """A column of groups; each of ``small`` and its siblings are replaced by the wider group that they belong to.

    Siblings have the same parent in the codebook's list of the column's name.
    """
    parents = book.parent(str(column.name))
    wide = {parents.get(str(code), "") for code in small} - {""}
    return column.astype(object).replace({code: parent for code, parent in parents.items() if parent in wide})


def of_few_places(study: Study, least: int) -> list[str]:
    """Groups of commands that stand for fewer than ``least`` commands of the register, or of the answers without one.

    Such a group is the command. Where the file has groups alone nothing is known of that.
    """
    register = study.register
    people = study.frame if register is None or "command" not in register else register
    if not {"command", "command_group"} <= set(people):
        return []
    places = people.groupby("command_group", observed=True)["command"].nunique()
    return [str(code) for code in places.index[(places > 0) & (places < least)]]


def in_order(book: Codebook, name: str, present: Iterable[str]) -> list[str]:
    """Codes in the order of a list of the codebook, a coarser code behind the last that is merged into it."""
    codes, parents = book.codes(name), book.parent(name)
    place = {code: float(i) for i, code in enumerate(codes)}
    place |= {parents[code]: place[code] + 0.5 for code in codes if parents.get(code)}
    return sorted((code for code in present if code in place), key=place.__getitem__)
