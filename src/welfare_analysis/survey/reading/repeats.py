"""Repeated groups of a form: one row a member of the household becomes how many of each age the form counts.

KoboToolbox and ODK write such a group to a sheet of its own, each row with the number of its form (``_parent_index``,
or ``PARENT_KEY``). Our form counts dependants by age instead, so a sheet with an age is rolled up to those counts.
"""

from __future__ import annotations

import re

import pandas as pd

from ..codebook import Codebook
from .layout import Cells, Note

LINKS = {"_parent_index": "_index", "PARENT_KEY": "KEY"}  # of a row to its form, and of the form
COUNTED = re.compile(r"^dependants_(\d+)_(\d+|over)_n$")


def is_repeat(header: list[str]) -> bool:
    """Whether a header is that of a repeated group."""
    return bool(set(LINKS) & set(header))


def rolled_up(cells: Cells, codebook: Codebook) -> tuple[pd.DataFrame, list[Note]]:
    """The forms with the counts that repeated groups give, and what was read and what was left out."""
    frame, notes = cells.frame, []
    for repeat in cells.repeats:
        link = next(name for name in LINKS if name in repeat)
        counted = [name for name in codebook.variables.index if COUNTED.match(str(name)) and name not in frame]
        if "age" not in repeat or not counted or LINKS[link] not in frame:
            notes.append(("", "rows of a repeated group that the codebook has no counts for, left out", len(repeat)))
            continue
        age = pd.to_numeric(repeat["age"], errors="coerce")
        forms = frame[LINKS[link]].astype(str)
        for name in counted:
            low, high = COUNTED.match(str(name)).groups()  # type: ignore[union-attr]
            inside = age.between(int(low), float("inf") if high == "over" else int(high))
            n = repeat.loc[inside, link].astype(str).value_counts()
            frame = frame.assign(**{name: forms.map(n).fillna(0).astype(int)})
        notes.append(("", "rows of a repeated group counted by age", int(age.notna().sum())))
        if age.isna().any():
            notes.append(("", "rows of a repeated group without an age, not counted", int(age.isna().sum())))
    return frame, notes
