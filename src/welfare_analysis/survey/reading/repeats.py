"""Repeated groups of a form: one row a member of the household becomes how many of each age the form counts.

Collecting programs write such a group to a sheet or a file of its own, each row with the key of its form. Our form
counts dependants by age instead, so a group of people with an age is rolled up to those counts. An age is read as any
cell is; one that is not known leaves the counts of its form open: no zero is made of it. Counts that the form asks
itself, or that another such group gives, are compared with them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ..codebook import Codebook
from ..doubts import ORPHANS
from .cells import Question
from .columns import Column, read_column
from .faults import fault
from .layout import SEPARATORS, Cells
from .placing import placed
from .programs import ADDED, LINKS, NOT_ASKED
from .spelling import texts
from .wide import Wide, is_age, of_people, rosters

COUNTED = re.compile(r"^dependants_(\d+)_(\d+|over)_n$")
OLDEST = 120.0
OF_FORMS = (ADDED + "interview__id", ADDED + "assignment__id")  # the ids of Survey Solutions that are no roster's


def is_repeat(header: Sequence[str]) -> bool:
    """Whether column names are those of a repeated group."""
    roster = any(str(name).endswith("__id") for name in header if name not in OF_FORMS)
    return roster or any(ADDED + name in header for name, own in LINKS.items() if own != name)


def rolled_up(cells: Cells, codebook: Codebook, without_orphans: bool = False) -> Cells:
    """The forms with the counts that repeated groups give, and what was read and what was left out.

    A row whose form is not there is a fault, or is left out as the reader wishes.
    """
    found, faults, doubtful = rosters(cells, frozenset(codebook.variables.index))
    cells = replace(cells, frame=cells.frame.drop(columns=doubtful), faults=[*cells.faults, *faults])
    for wide in found:
        cells = _beside(cells, wide, codebook)
    for repeat in cells.repeats:
        orphan = ~of_forms(cells, repeat)
        if without_orphans and orphan.any():
            what = f"rows of the repeated group {_called(repeat)!r} left out: their form is not there"
            n = int(orphan.sum())
            left = {**cells.reviews, ORPHANS: cells.reviews.get(ORPHANS, 0) + n}
            cells = replace(cells, notes=[*cells.notes, ("", what, n)], reviews=left)
            repeat = replace(repeat, frame=repeat.frame[~orphan])
        cells = _rolled_up(cells, repeat, codebook)
    return cells


def of_forms(forms: Cells, repeat: Cells) -> pd.Series:
    """Of the rows of a repeated group, whether they belong to one of some forms."""
    parents, keys = _keys(forms, repeat)
    return parents.isin(keys[keys != ""])


def _keys(forms: Cells, repeat: Cells) -> tuple[pd.Series, pd.Series]:
    """The key of the form that each row of a repeated group belongs to, and that of each form."""
    for link, own in LINKS.items():
        if ADDED + link in repeat.frame and ADDED + own in forms.frame:
            parents = texts(repeat.frame[ADDED + link]).str.removesuffix(".0")
            if link == "PARENT_KEY":  # a group within a group
                parents = parents.str.split("/").str[0]
            elif link == "_parent_index":
                parents = _of_outer(forms, repeat, parents)
            return parents, texts(forms.frame[ADDED + own]).str.removesuffix(".0")
    return pd.Series("", index=repeat.frame.index), pd.Series("", index=forms.frame.index)


def _of_outer(forms: Cells, repeat: Cells, parents: pd.Series) -> pd.Series:
    """The number of the form of each row, where a repeated group stands within another one."""
    table = ADDED + "_parent_table_name"
    named = {_called(other): other for other in forms.repeats if other is not repeat}
    within = texts(repeat.frame[table]).iloc[0] if table in repeat.frame and len(repeat.frame) else ""
    if within not in named or ADDED + "_index" not in named[within].frame:
        return parents
    outer = named[within]
    own = texts(outer.frame[ADDED + "_index"]).str.removesuffix(".0")
    return parents.map(dict(zip(own, _keys(forms, outer)[0], strict=True))).fillna("")


def _called(repeat: Cells) -> str:
    return repeat.sheet or repeat.path.stem


def _rolled_up(cells: Cells, repeat: Cells, codebook: Codebook) -> Cells:
    notes, faults = list(cells.notes), list(cells.faults)
    ages, name = [str(column) for column in repeat.frame if is_age(str(column))], _called(repeat)
    group = name if repeat.sheet else name.rpartition("-")[2]
    if not (len(ages) == 1 and _counts(codebook) and of_people(group, *map(str, repeat.frame))):
        what = f"rows of the repeated group {name!r} left out: no group of people with ages"
        return replace(cells, notes=[*notes, ("", what, len(repeat.frame))])
    (parent, forms), orphan = _keys(cells, repeat), ~of_forms(cells, repeat)
    rule, todo = "a row that belongs to a form of the file", "Add its form, remove the row, or say OMIT=orphans."
    again = repeat.frame.duplicated() & (ADDED + "_index" in repeat.frame or ADDED + "KEY" in repeat.frame)
    shared, key = forms.duplicated(keep=False) & forms.isin(parent), "a key of its own for each form with rows in {}"
    faults.append(fault(shared, "", "", key.format(repr(name)), "Export again: the rows belong to several forms."))
    column = _ages(repeat.frame[ages[0]], codebook)
    rows = [fault(orphan, "", "", rule, todo), fault(again, "", "", "each row once", "Remove the row.")]
    faults += placed([*repeat.faults, *column.faults, *rows], repeat)
    return _counted(replace(cells, notes=notes, faults=faults), group, forms, parent, column.values, codebook)


def _beside(cells: Cells, wide: Wide, codebook: Codebook) -> Cells:
    """As `_rolled_up`, of a roster with a column a member; behind the last one that was filled in there is nobody."""
    frame, order = cells.frame, sorted(wide.ages)
    columns = [_ages(frame[wide.ages[number]], codebook) for number in order]
    asked = [[own[number] for own in (wide.ages, *wide.others) if number in own] for number in order]
    filled = np.column_stack([np.any([texts(frame[name]) != "" for name in own], axis=0) for own in asked])
    there = np.flip(np.logical_or.accumulate(np.flip(filled, 1), axis=1), 1)
    forms = pd.Series(frame.index, index=frame.index)
    parent = pd.Series(np.repeat(frame.index.to_numpy(), there.sum(axis=1)))
    years = pd.Series(np.column_stack([column.values for column in columns])[there])
    said = (
        (f"columns of the members of {wide.group!r} read as a repeated group", len(order)),
        ("forms without a member there: nobody depends on them", int((~there[:, 0]).sum())),
        ("other columns of members left out", sum(map(len, wide.others))),
    )
    notes = [*cells.notes, *(("", what, n) for what, n in said if n)]
    faults = [*cells.faults, *(part for column in columns for part in column.faults)]
    rest = replace(cells, frame=frame.drop(columns=wide.columns), notes=notes, faults=faults)
    return _counted(rest, wide.group, forms, parent, years, codebook)


def _counts(codebook: Codebook) -> list[str]:
    return [str(name) for name in codebook.variables.index if COUNTED.match(str(name))]


def _ages(cells: pd.Series, codebook: Codebook) -> Column:
    missing = Question.of(codebook, "status").missing
    question = Question(str(cells.name), "amount", "years", -np.inf, np.inf, missing=missing)
    column = read_column(cells.astype(object).mask(texts(cells).isin(NOT_ASKED["interview__key"]), ""), question)
    return replace(column, values=column.values.where(column.values.between(0, OLDEST)))


def _counted(
    cells: Cells, group: str, forms: pd.Series, parent: pd.Series, years: pd.Series, codebook: Codebook
) -> Cells:
    """The forms with how many members of each age they have; ``parent`` is the key of the form of each member."""
    frame, notes, faults = cells.frame, list(cells.notes), list(cells.faults)
    unknown = forms.isin(parent[years.isna()])
    for name in [n for n in frame if SEPARATORS.split(str(n))[-1] == f"{group}_count"]:  # how often it was to be asked
        said, n = read_column(frame[name], Question.counting(str(name))), forms.map(parent.value_counts()).fillna(0)
        rule = f"at least as many as there are in {group!r}"
        wrong = fault(said.values < n, str(name), frame[name], rule, "Correct the count, or remove members.")
        frame, faults, unknown = frame.drop(columns=name), [*faults, *said.faults, wrong], unknown | (said.values > n)
    columns = {}
    for name in _counts(codebook):
        low, high = COUNTED.match(name).groups()  # type: ignore[union-attr]
        inside = np.floor(years).between(int(low), OLDEST if high == "over" else int(high))
        n = forms.map(parent[inside].value_counts()).fillna(0).astype(int)
        if name not in frame:
            columns[name] = n.astype(object).mask(unknown & (n == 0), "")
            continue
        own = read_column(frame[name], Question.of(codebook, name)).values
        differ, rule = (own < n) | (~unknown & (own > n)), f"as many as in the repeated group {group!r}"
        faults.append(fault(differ, name, frame[name], rule, "Correct the one that is wrong, or remove it."))
    gone = int(years.isna().sum())
    notes.append(("", "rows of a repeated group counted by age", int(years.notna().sum())))
    if gone:
        notes.append(("", "rows of a repeated group whose age is not known: a count of their form is left open", gone))
    return replace(cells, frame=frame.assign(**columns), notes=notes, faults=faults)
