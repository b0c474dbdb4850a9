"""Rosters that stand beside their forms, a column a member: ``age__0``, ``child_age_1``, ``household[0]/age``.

Columns whose names differ by one number are one question of each member. A roster is read where one question is of
nothing but an age, a word or another question says that it is of people, and its numbers begin with 0 or 1 and leave
none out; of what looks like one and is not that sure the fault says what is in doubt.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

import pandas as pd

from .faults import fault_at
from .guessing import words_in
from .layout import SEPARATORS, Cells
from .personal import asks_who
from .programs import ADDED
from .spelling import fold, listed

NUMBER = re.compile(r"(?<!\d)\d{1,3}(?!\d)")
AGES = words_in("age العمر السن")
PEOPLE, THINGS, HOUSEHOLD = listed("people"), listed("things"), listed("household")
OF_PEOPLE = words_in(" ".join(PEOPLE) + " years ans années سنة سنوات")  # beside the word for an age
MEND = "Call them member_age_1, member_age_2 and so on if they are ages of members, or leave them out by a map."
Pattern = dict[int, str]  # the column of each member, by number


@dataclass(frozen=True)
class Wide:
    """A roster of members: what it is called, the columns of their ages, and what else was asked of each."""

    group: str
    ages: Pattern
    others: tuple[Pattern, ...]

    @property
    def columns(self) -> list[str]:
        """All its columns."""
        return [name for pattern in (self.ages, *self.others) for name in pattern.values()]


def is_age(text: str) -> bool:
    """Whether a column name asks for nothing but an age of a person, behind its groups."""
    last = next((part for part in reversed(SEPARATORS.split(text)) if re.search(r"[^\W\d_]", part)), "")
    words = words_in(NUMBER.sub(" ", last)) - OF_PEOPLE
    return len(words) == 1 and words <= AGES


def of_people(*texts: str) -> bool:
    """Whether the words of a roster's names are of people, and not of what people own."""
    words = set().union(*map(_words, texts))
    return bool(PEOPLE & words) and not THINGS & words


def rosters(cells: Cells, known: Container[str]) -> tuple[list[Wide], list[pd.DataFrame], list[str]]:
    """The roster of people beside the forms if there is one; what is in doubt, and the columns that it is about."""
    patterns: dict[str, Pattern] = {}
    for name in (str(n) for n in cells.frame if n not in known and not str(n).startswith(ADDED)):
        found = NUMBER.findall(name)
        if len(found) == 1:
            patterns.setdefault(NUMBER.sub("#", name), {})[int(found[0])] = name
    aged = [name for name in patterns if is_age(name) and not name.endswith(".#")]  # age.1: a second column of ages
    found = [wide for name in aged if not THINGS & _words(name) and (wide := _roster(name, patterns))]
    faults, doubtful = [], list[str]()
    for wide in found:
        rule = "one roster of ages, not two beside each other" if wide is not found[0] else _doubt(wide, cells.frame)
        if rule:
            faults.append(fault_at(cells.header, next(iter(wide.ages.values())), "", rule, MEND))
            doubtful += wide.columns
    return found if not faults else [], faults, doubtful + (found[0].columns if len(found) > 1 else [])


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", fold(text)))


def _roster(name: str, patterns: dict[str, Pattern]) -> Wide | None:
    """The roster of an age: what stands behind the same group and number, and who else is asked of each member."""
    before, _, after = name.partition("#")
    ahead = bool(_words(after))  # the number stands between the group and the question
    group = before if ahead else re.split(r"(?i)[âa]ge|السن|العمر|عمر", before)[0]
    tail = "" if ahead else f"#{after}"
    same = [n for n in patterns if n != name and n.endswith(tail) and n.startswith(f"{group}#" if ahead else group)]
    said = [n for n in same if ahead or group or asks_who(n.replace("#", "")) or _words(n) & PEOPLE]
    others = tuple(patterns[n] for n in said if set(patterns[n]) <= set(patterns[name]))
    wide = Wide(group.strip("_[]()/.:- ") or "age", patterns[name], others)
    return wide if len(wide.ages) > 1 or _named(wide) else None  # a lone column is none


def _named(wide: Wide) -> bool:
    """Whether a roster says that it is of people: its group does, or all that is asked where its group says nothing."""
    group = _words(wide.group)
    if group & HOUSEHOLD or of_people(wide.group):
        return True
    index = any(re.search(r"\[\d+\]", name) for name in wide.ages.values())  # xyz[0]/age, xyz[0]/sex
    return (index or (wide.group == "age" and len(wide.ages) > 1)) and of_people(*wide.columns)


def _doubt(wide: Wide, frame: pd.DataFrame) -> str:
    """What is in doubt of a roster, or nothing."""
    numbers = sorted(wide.ages)
    if numbers[0] > 1 or numbers != list(range(numbers[0], numbers[-1] + 1)):
        return f"members numbered from 0 or 1 on without a gap, not {', '.join(map(str, numbers[:8]))}"
    if not _named(wide) and wide.group != "age":
        return "a word that says whose ages these are"
    cells = set(frame[list(wide.ages.values())].astype(str).to_numpy().ravel())
    if not _named(wide) and cells <= {"", "0", "1", "0.0", "1.0"}:
        return "ages of members; noughts and ones may be items that were ticked"
    return ""
