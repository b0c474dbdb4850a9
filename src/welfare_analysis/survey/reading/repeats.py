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
from .cells import Question
from .columns import read_column
from .faults import fault
from .guessing import words_in
from .layout import SEPARATORS, Cells
from .placing import placed
from .programs import ADDED, LINKS, NOT_ASKED
from .spelling import fold, listed, texts

COUNTED = re.compile(r"^dependants_(\d+)_(\d+|over)_n$")
OLDEST = 120.0
OF_FORMS = (ADDED + "interview__id", ADDED + "assignment__id")  # the ids of Survey Solutions that are no roster's
AGES = words_in("age العمر السن")
YEARS = words_in("years ans années سنة سنوات")
PEOPLE = listed("people")
THINGS = listed("things")
OF_PEOPLE = words_in(" ".join(PEOPLE)) | YEARS  # beside the word for an age


def is_repeat(header: Sequence[str]) -> bool:
    """Whether column names are those of a repeated group."""
    roster = any(str(name).endswith("__id") for name in header if name not in OF_FORMS)
    return roster or any(ADDED + name in header for name, own in LINKS.items() if own != name)


def rolled_up(cells: Cells, codebook: Codebook) -> Cells:
    """The forms with the counts that repeated groups give, and what was read and what was left out."""
    for repeat in cells.repeats:
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
    frame, notes, faults = cells.frame, list(cells.notes), list(cells.faults)
    age = _age(repeat)
    group = repr(_called(repeat))
    counted = [name for name in codebook.variables.index if COUNTED.match(str(name))]
    if not (age and counted and _of_people(repeat)):
        what = f"rows of the repeated group {group} left out: no group of people with ages"
        return replace(cells, notes=[*notes, ("", what, len(repeat.frame))])
    (parent, forms), orphan = _keys(cells, repeat), ~of_forms(cells, repeat)
    rule, todo = "a row that belongs to a form of the file", "Add its form, or remove the row."
    again = repeat.frame.duplicated() & (ADDED + "_index" in repeat.frame or ADDED + "KEY" in repeat.frame)
    shared, key = forms.duplicated(keep=False) & forms.isin(parent), "a key of its own for each form with rows in {}"
    faults.append(fault(shared, "", "", key.format(group), "Export again: the rows belong to several forms."))
    question = Question(age, "amount", "years", -np.inf, np.inf, (), {}, Question.of(codebook, "status").missing)
    ages = repeat.frame[age].astype(object)
    column = read_column(ages.mask(ages.isin(NOT_ASKED), ""), question)
    rows = [fault(orphan, "", "", rule, todo), fault(again, "", "", "each row once", "Remove the row.")]
    faults += placed([*repeat.faults, *column.faults, *rows], repeat)
    years = column.values.where(column.values.between(0, OLDEST))
    unknown = forms.isin(parent[years.isna()])
    columns = {}
    for name in counted:
        low, high = COUNTED.match(str(name)).groups()  # type: ignore[union-attr]
        inside = np.floor(years).between(int(low), OLDEST if high == "over" else int(high))
        n = forms.map(parent[inside].value_counts()).fillna(0).astype(int)
        if name not in frame:
            columns[name] = n.astype(object).mask(unknown & (n == 0), "")
            continue
        own = read_column(frame[name], Question.of(codebook, name)).values
        differ, rule = (own < n) | (~unknown & (own > n)), f"as many as in the repeated group {group}"
        faults.append(fault(differ, name, frame[name], rule, "Correct the one that is wrong, or remove it."))
    gone = int(years.isna().sum())
    notes.append(("", "rows of a repeated group counted by age", int(years.notna().sum())))
    if gone:
        notes.append(("", "rows of a repeated group whose age is not known: a count of their form is left open", gone))
    return replace(cells, frame=frame.assign(**columns), notes=notes, faults=faults)


def _age(repeat: Cells) -> str:
    """The column of ages, also behind groups of the form, or the question for them in words."""
    names = [str(name) for name in repeat.frame]
    said = [words_in(SEPARATORS.split(name)[-1]) - OF_PEOPLE for name in names]
    own = [name for name, words in zip(names, said, strict=True) if len(words) == 1 and words <= AGES]
    return own[0] if len(own) == 1 else ""


def _of_people(repeat: Cells) -> bool:
    """Whether a repeated group lists people, by its name or one of its columns, and not what people own."""
    name = repeat.sheet or repeat.path.stem.rpartition("-")[2]
    words = {w for text in (name, *map(str, repeat.frame)) for w in re.findall(r"[^\W\d_]+", fold(text))}
    return bool(PEOPLE & words) and not THINGS & words
