"""A column of cells becomes typed values, the kinds of its missing answers, its faults, and what was accepted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from .cells import BLANK_OR_CODE, IF_NOT_KNOWN, KINDS, MEND_OR_BLANK, NO_LABEL, NO_RESULT, SHEET_ERROR, Answer, Question
from .faults import fault, fault_at
from .layout import Note
from .personal import HIDDEN, says_who, shown
from .spelling import key_form, repaired, texts

EXACT = 1e15  # whole numbers above it lose digits in a spreadsheet
CODES_IN_SUMS = (998.0, 999.0, 9998.0, 9999.0, 99999.0)
SHORTENED = r"\d(?:[.,]\d+)?E\+\d\d"  # a long number as a spreadsheet shows it
LOOK_UP = "Look it up on the form."
ONE_OR_TWO = "Write it as there if that is the same person; else give one of them another key."
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
    if question.numeric:
        numbers = np.array([np.nan if answer.value is None else answer.value for answer in answers], dtype=float)
        values = pd.Series(numbers[which] + 0.0, index=raw.index)  # -0 is 0
    else:
        values = _coded(which, [answer.value for answer in answers], question.codes, raw.index)
    kinds = _coded(which, [a.kind for a in answers], KINDS, raw.index)
    faults, wrong = [], np.flatnonzero([bool(answer.rule) for answer in answers])
    if len(wrong):
        mends = NO_BLANK if required or not question.missing else {}
        each = pd.DataFrame(index=wrong)
        each["value"] = [shown(cells[i], keys, question.numeric, question.words) for i in wrong]
        each["rule"] = [answers[i].rule for i in wrong]
        each["todo"] = [mends.get(answers[i].todo, answers[i].todo) for i in wrong]
        each = each.reindex(which).set_axis(raw.index)
        faults.append(fault(each["rule"].notna(), question.name, each["value"], each["rule"], each["todo"]))
    return Column(values, kinds, faults, _notes(which, answers, question))


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
    alike = respelt(text.where(~blank), key_form)
    garbled = _among(~text.str.isascii(), text, lambda t: bool(repaired(t)))
    rules = (
        (blank, "a key in each row", "Give the form its key."),
        (long, "all digits of the key", "Store keys as text: a number keeps 15 digits only."),
        (odd, "a key, not an error of the spreadsheet", "Mend the formula, or type the key."),
        (alike, "one spelling a key; an earlier row has it but for case, blanks or zeros in front", ONE_OR_TWO),
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
    """Plain text, missing where blank, or where a word says that there is none."""
    text = texts(raw).astype(object)
    return text.mask(text.str.casefold().isin(NO_LABEL), None)


def respelt(labels: pd.Series, form: Callable[[str], str]) -> pd.Series:
    """Labels that an earlier row spells otherwise: they would be two persons, strata or units."""
    first = labels.groupby(labels.map(form, na_action="ignore")).transform("first")
    return first.fillna("") != labels.fillna("")
