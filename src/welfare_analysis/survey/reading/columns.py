"""A column of cells becomes typed values, the kinds of its missing answers, its faults, and what was accepted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from .cells import BLANK_OR_CODE, IF_NOT_KNOWN, KINDS, MEND_OR_BLANK, NO_RESULT, SHEET_ERROR, Answer, Question
from .faults import fault, fault_at
from .layout import Note
from .personal import HIDDEN, says_who, shown
from .spelling import repaired, texts

EXACT = 1e15  # whole numbers above it lose digits in a spreadsheet
CODES_IN_SUMS = (998.0, 999.0, 9998.0, 9999.0, 99999.0)
SHORTENED = r"\d(?:[.,]\d+)?E\+\d\d"  # a long number as a spreadsheet shows it
LOOK_UP = "Look it up on the form."
NO_BLANK = {BLANK_OR_CODE: LOOK_UP, IF_NOT_KNOWN: LOOK_UP, MEND_OR_BLANK: "Mend the formula."}


@dataclass(frozen=True, eq=False)
class Column:
    """A typed column, aligned with the cells that it was read from."""

    values: pd.Series
    kinds: pd.Series
    faults: list[pd.DataFrame] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def read_column(
    raw: pd.Series, question: Question, keys: frozenset[str] = frozenset(), required: bool = False
) -> Column:
    """Read codes or numbers: each distinct cell once, then all rows at once.

    No mend of a cell is a blank where an answer is ``required``, or its question has no codes for a missing one.
    """
    which, cells = pd.factorize(raw)
    answers = [question.read(cell) for cell in cells]
    numeric = question.type in ("integer", "amount")
    values = _values(which, answers, question, numeric, raw.index)
    kinds = _coded(which, [a.kind for a in answers], KINDS, raw.index)
    faults = []
    wrong = np.array([bool(a.rule) for a in answers])
    if wrong.any():
        each = {
            "value": [
                shown(c, keys, numeric, question.words) if a.rule else "" for c, a in zip(cells, answers, strict=True)
            ],
            "rule": [a.rule for a in answers],
            "todo": [NO_BLANK.get(a.todo, a.todo) if required or not question.missing else a.todo for a in answers],
        }
        rows = pd.Series(wrong[which], index=raw.index)
        texts = {name: pd.Series(np.array(text, dtype=object)[which], index=raw.index) for name, text in each.items()}
        faults.append(fault(rows, question.name, texts["value"], texts["rule"], texts["todo"]))
    return Column(values, kinds, faults, _notes(which, answers, question))


def _values(which: np.ndarray, answers: list[Answer], question: Question, numeric: bool, index: pd.Index) -> pd.Series:
    if numeric:
        numbers = np.array([np.nan if a.value is None else a.value for a in answers], dtype=float)
        return pd.Series(numbers[which], index=index)
    return _coded(which, [a.value for a in answers], question.codes, index)


def _coded(which: np.ndarray, answers: list[Any], codes: tuple[str, ...], index: pd.Index) -> pd.Series:
    """What each distinct cell says, of codes or nothing, as a column."""
    place = {code: i for i, code in enumerate(codes)}
    numbers = np.array([place.get(code, -1) for code in answers], dtype=np.int64)
    return pd.Series(pd.Categorical.from_codes(numbers[which], dtype=_kind(codes)), index=index)


@lru_cache(maxsize=256)
def _kind(codes: tuple[str, ...]) -> pd.CategoricalDtype:
    return pd.CategoricalDtype(list(codes))


def _notes(which: np.ndarray, answers: list[Answer], question: Question) -> list[Note]:
    counts = np.bincount(which, minlength=len(answers))
    notes: dict[str, int] = {}
    for answer, n in zip(answers, counts, strict=True):
        for what in filter(None, answer.note.split("; ")):
            notes[what] = notes.get(what, 0) + int(n)
        if answer.value in CODES_IN_SUMS and question.unit.startswith("DH"):
            what = f"{answer.value:g} read as a sum: if it is a code for no answer, write -98 or -99"
            notes[what] = notes.get(what, 0) + int(n)
    if counts.sum() and all(answer.kind == "skipped" for answer in answers):
        notes["the whole column is blank"] = 1
    return [(question.name, what, n) for what, n in notes.items()]


def read_key(raw: pd.Series, name: str, header: int) -> Column:
    """Keys of persons: text as it stands, never shown; each occurs once and none is missing."""
    text = texts(raw).astype("str")
    blank = text == ""
    kinds = pd.Series(pd.Categorical(np.where(blank, "skipped", "answered"), categories=KINDS), index=raw.index)
    if blank.all():
        return Column(text, kinds, [fault_at(header, name, "", "a key in each row", "Fill the column, or remove it.")])
    stored = pd.Series([not isinstance(v, str) for v in raw], index=raw.index)
    long = _among(stored, raw, lambda v: abs(float(str(v))) >= EXACT) | text.str.fullmatch(SHORTENED)
    odd = (text == NO_RESULT) | text.str.fullmatch(SHEET_ERROR.pattern)
    garbled = _among(~text.str.isascii(), text, lambda t: bool(repaired(t)))
    rules = (
        (blank, "a key in each row", "Give the form its key."),
        (long, "all digits of the key", "Store keys as text: a number keeps 15 digits only."),
        (odd, "a key, not an error of the spreadsheet", "Mend the formula, or type the key."),
        (garbled, "letters that were read in their own encoding", "Save the file again from its source as CSV UTF-8."),
    )
    faults = [fault(rows, name, HIDDEN, rule, todo) for rows, rule, todo in rules]
    notes = [(name, "keys stored as numbers: zeros in front are lost", int(stored.sum()))] if stored.any() else []
    kind = says_who(text[~blank])
    if kind:
        rule = f"random keys; most of these look like {kind}"
        todo = "Give each form a random key, and keep the list of names apart."
        faults.append(fault_at(header, name, HIDDEN, rule, todo))
    return Column(text, kinds, faults, notes)


def _among(rows: pd.Series, cells: pd.Series, test: Callable[[Any], bool]) -> pd.Series:
    """Those of some rows whose cells pass a test."""
    return cells[rows].astype(object).map(test).reindex(cells.index, fill_value=False).astype(bool)


def read_text(raw: pd.Series) -> pd.Series:
    """Plain text, missing where blank."""
    text = texts(raw).astype(object)
    return text.where(text != "", None)
