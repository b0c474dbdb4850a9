"""One cell becomes an answer, a kind of missing, or a fault: pure functions of its text and its question."""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from ..checks import CODED, LABELS, NUMERIC
from ..codebook import Codebook
from . import spelling

KINDS = ("answered", "not_asked", "skipped", "refused", "does_not_know")
NO_RESULT = "(formula without a result)"
MISSING = {"-98": "does_not_know", "-99": "refused"}
NO_ANSWER = spelling.phrases("no answer word")
NO_LABEL = ["", "-", *NO_ANSWER, *MISSING]  # in the place of a name
USUAL_CODES = spelling.listed("no answer")
CODES_OF_OTHERS = (98.0, 99.0)  # usual codes for no answer; nobody tells a sum of 98 or 99 dirhams
SHEET_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!|GETTING_DATA)")
DATE = re.compile(r"\d{4}-\d\d?-\d\d?.*|\d\d?/\d\d?/\d{2,4}|\d\d?:\d\d.*")
OTHER_UNIT = re.compile(r"\d[\d.,\s]*[^\W\d_][^\d]*")  # 8 months
BLANK_OR_CODE = "Leave the cell blank, or write -98 (does not know) or -99 (refused)."
IF_NOT_KNOWN = "Look it up on the form; if not known, leave it blank."
MEND_OR_BLANK = "Mend the formula, or leave it blank."


class Answer(NamedTuple):
    """What a cell says: its value, the kind of a missing one, what was accepted, or the rule that it breaks."""

    value: object = None
    kind: str = "answered"
    note: str = ""
    rule: str = ""
    todo: str = ""


@dataclass(frozen=True)
class Question:
    """What the codebook says of one variable, ready to read its cells."""

    name: str
    type: str = "code"
    unit: str = ""
    low: float = 0.0
    high: float = 0.0
    codes: tuple[str, ...] = ()
    spellings: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    currency: tuple[str, ...] = ()  # what the institution writes behind amounts, in English first

    @classmethod
    def of(cls, codebook: Codebook, name: str) -> Question:
        """The question of a variable."""
        line = codebook.lines[name]
        kind, unit = str(line["type"]), str(line["unit"])
        if kind in CODED:
            return replace(cls.of_list(codebook, str(line["list"]), kind == "yes_no"), name=name)
        low, high = (float(line[bound] or 0) for bound in ("low", "high"))
        money = tuple(codebook.text("unit.dh", language) for language in ("en", "fr", "ar")) if "DH" in unit else ()
        missing, words = _missing(codebook), words_of(codebook)
        return cls(name, kind, unit, low, high, missing=missing, words=words, currency=money)

    @classmethod
    def of_list(cls, codebook: Codebook, name: str, yes_no: bool = False) -> Question:
        """A question that is answered by a code of a list."""
        codes, spellings = tuple(codebook.codes(name)), _spellings(codebook, name, yes_no)
        return cls(name, codes=codes, spellings=spellings, missing=_missing(codebook), words=words_of(codebook))

    @classmethod
    def counting(cls, name: str, low: float = 0) -> Question:
        """A question that is answered by a number of persons."""
        return cls(name, "integer", "persons", low, 1e9)

    @property
    def numeric(self) -> bool:
        """Whether it is answered by a number."""
        return self.type in NUMERIC

    def read(self, cell: Hashable) -> Answer:
        """Read one cell: text, or a number that the file stored as a number."""
        return number(cell, self) if self.numeric else code(cell, self)


@lru_cache(maxsize=512)
def _spellings(codebook: Codebook, name: str, yes_no: bool) -> dict[str, str]:
    """Folded code and labels of a list; a spelling that two codes share is left out."""
    rows = codebook.values[codebook.values["list"] == name]
    spellings: dict[str, set[str]] = {}
    for column in ("code", *LABELS):
        for label, own in zip(rows[column], rows["code"], strict=True):
            spellings.setdefault(spelling.fold(label), set()).add(own)
    if yes_no and {"yes", "no"} <= set(rows["code"]):
        for own in ("yes", "no"):
            spellings |= {word: {own} for word in spelling.phrases(f"{own} word")}
    return {label: next(iter(own)) for label, own in spellings.items() if len(own) == 1}


@lru_cache(maxsize=8)
def words_of(codebook: Codebook) -> frozenset[str]:
    """The words of all answers that a form offers: what stands in a cell and is none of them could be a name."""
    offered = codebook.values["list"].isin([*codebook.variables["list"], "missing"])  # no words of the report
    texts = codebook.values.loc[offered, ["code", *LABELS]].to_numpy().ravel()
    labels = codebook.variables.loc[codebook.variables["type"] == "yes_no", [*LABELS]]
    own = " ".join(map(spelling.fold, [*texts, *labels.to_numpy().ravel(), *NO_ANSWER, "formula without a result"]))
    return frozenset(re.findall(r"[^\W\d_]{3,}", own))


@lru_cache(maxsize=8)
def _missing(codebook: Codebook) -> dict[str, str]:
    """Folded codes and labels of the two kinds of missing that are written in a cell."""
    rows = codebook.values[(codebook.values["list"] == "missing") & codebook.values["code"].isin(list(MISSING))]
    kinds = {"dk": "does_not_know", "ref": "refused"}
    for column in LABELS:
        kinds |= {spelling.fold(label): MISSING[own] for label, own in zip(rows[column], rows["code"], strict=True)}
    unsaid = spelling.phrases("does not know") if "-98" in set(rows["code"]) else ()
    return dict.fromkeys(unsaid, MISSING["-98"]) | kinds


def number(cell: Hashable, question: Question) -> Answer:
    """Read a number; what has two readings is taken only where the bounds of the question allow one of them."""
    if isinstance(cell, str):
        text = spelling.clean(cell)
        if not text:
            return Answer(kind="skipped")
        candidates, note = _numbers(text, question)
    else:
        text, candidates, note = spelling.plain(cell), [(float(str(cell)), "")], ""
    if len(candidates) == 1 and candidates[0][0] in (-98, -99):
        return Answer(kind=MISSING[str(int(candidates[0][0]))])
    if not candidates:
        gone = question.missing.get(spelling.fold(text))
        return Answer(kind=gone) if gone else _no_number(text, question)
    within = [(value, how) for value, how in candidates if _allowed(value, question)]
    if len(within) > 1:
        rule = f"a number with one reading: {within[0][0]:g} or {within[1][0]:g}?"
        return Answer(rule=rule, todo="Write it without thousands separators, and decimals with one or two digits.")
    if not within:
        return _outside(candidates[0][0], question)
    value, how = within[0]
    if question.unit.startswith("DH") and value in CODES_OF_OTHERS:
        rule = f"98 and 99 are codes for no answer, not sums in {question.currency[0]}"
        return Answer(rule=rule, todo=BLANK_OR_CODE)
    alone = " (the only reading within the bounds)" if len(candidates) > 1 else ""
    return Answer(value, note="; ".join(n for n in (note, how + alone if how or alone else "") if n))


def _numbers(text: str, question: Question) -> tuple[list[tuple[float, str]], str]:
    if text.isascii() and text.isdecimal():  # as most are
        return [(float(text), "")], ""
    if spelling.digits_of_two_scripts(text):
        return [], ""
    latin = spelling.latin(text)
    bare = spelling.without_unit(latin, question.unit, question.currency).strip()
    notes = ["Arabic-Indic digits"] if any(c in "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹" for c in text) else []
    notes += ["a unit left out"] if bare != latin else []
    readings = spelling.readings(bare)
    return readings[:1] if "٫" in text else readings, "; ".join(notes)  # the Arabic decimal mark leaves no doubt


def _allowed(value: float, question: Question) -> bool:
    return question.low <= value <= question.high and (question.type == "amount" or value.is_integer())


def _no_number(text: str, question: Question) -> Answer:
    if spelling.digits_of_two_scripts(text):
        return Answer(rule="a number in digits of one script", todo="Write all its digits in one script.")
    if text == NO_RESULT or SHEET_ERROR.fullmatch(text):
        return _of_sheet("a number", text)
    if DATE.fullmatch(text):
        return Answer(rule="a number, not a date", todo="Give the column the format of a number and type it again.")
    if spelling.fold(text) in NO_ANSWER:
        return Answer(rule="a number", todo=BLANK_OR_CODE)
    if question.unit and OTHER_UNIT.fullmatch(spelling.latin(text)):
        rule = f"a number of {_unit(question)}, and no other unit"
        return Answer(rule=rule, todo=f"Work it out in {_unit(question)}, and write that number alone.")
    return Answer(rule="a number", todo="Write digits only; no words, no formula.")


def _unit(question: Question) -> str:
    return question.unit.replace("DH", question.currency[0]) if question.currency else question.unit


def _of_sheet(rule: str, text: str) -> Answer:
    if text == NO_RESULT:
        todo = "Open the workbook in a spreadsheet program and save it, or paste values for formulas."
        return Answer(rule=f"{rule}, not a formula that was never computed", todo=todo)
    return Answer(rule=f"{rule}, not an error of the spreadsheet", todo=MEND_OR_BLANK)


def _outside(value: float, question: Question) -> Answer:
    if question.low <= value <= question.high:
        return Answer(rule="a whole number", todo="Write it without decimals.")
    rule = f"between {question.low:.10g} and {question.high:.10g} {_unit(question)}".strip()
    return Answer(rule=rule, todo=BLANK_OR_CODE if spelling.plain(value) in USUAL_CODES else IF_NOT_KNOWN)


def code(cell: Hashable, question: Question) -> Answer:
    """Read a code, or one of its labels in any of the three languages and in any usual spelling."""
    text = spelling.plain(cell)
    if text in question.codes:
        return Answer(text)
    if not text:
        return Answer(kind="skipped")
    whole = re.sub(r"^(-?\d+)[.,]0+$", r"\1", spelling.latin(text))
    if whole in question.codes:
        return Answer(whole, note="a whole number read as its code")
    if whole in MISSING:
        return Answer(kind=MISSING[whole])
    folded = spelling.fold(text)
    if folded in question.spellings:
        return Answer(question.spellings[folded], note="a label or another spelling read as its code")
    if folded in question.missing:
        return Answer(kind=question.missing[folded])
    return _no_code(text, folded, question)


def _no_code(text: str, folded: str, question: Question) -> Answer:
    listed = ", ".join(question.codes[:8]) + (" ..." if len(question.codes) > 8 else "")
    rule = f"one of {listed}"
    if text == NO_RESULT or SHEET_ERROR.fullmatch(text):
        return _of_sheet(rule, text)
    if DATE.fullmatch(text):
        return Answer(rule=f"{rule}, not a date", todo="Give the column the format of text and type it again.")
    before = spelling.repaired(text)
    if before:
        code_meant = question.spellings.get(spelling.fold(before))
        meant = f", perhaps {code_meant}" if code_meant else ""
        rule = f"{rule}; these letters were read in a wrong encoding{meant}"
        return Answer(rule=rule, todo="Save the file again from its source as CSV UTF-8.")
    near = difflib.get_close_matches(folded, question.spellings, n=1, cutoff=0.75)
    if near:
        return Answer(rule=f"{rule}; did you mean {question.spellings[near[0]]}?", todo="Write the code.")
    if folded in NO_ANSWER:
        return Answer(rule=rule, todo=BLANK_OR_CODE)
    return Answer(rule=rule, todo="Write a code or a label of values.csv, or say in a map what it means.")
