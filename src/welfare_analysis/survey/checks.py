"""What must hold in a codebook; the first fault is named with its file, row and column."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from ..errors import WelfareError
from . import routing

LANGUAGES = ("ar", "fr", "en")
CODED, NUMERIC = ("code", "yes_no"), ("integer", "amount")
TYPES = ("key", *CODED, *NUMERIC)
EVIDENCE = ("reported", "seed", "added")
# kind of a group: the types of its variables
KINDS = {
    "multiple": ("yes_no",),
    "ranking": ("integer",),
    "scale": ("code",),
    "roster": NUMERIC,
    "cards": ("integer", "code"),
}
SYMBOLS = ("DH", "km", "min", "m2")  # units that a question does not say in words
NUMBER = re.compile(r"^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$")
FIELD = re.compile(r"\{(\w+)\}")
WRITTEN = {
    "variables.csv": r"[a-z][a-z0-9_]*",
    "values.csv": r"[\w.\-]+",
}  # | : = & [ { and blanks part names and codes
# names that files, frames and tables have beside the questions; a codebook cannot give them to a question
TAKEN = "weight stratum psu fpc stratum_population outcome mode date count household_share estimate low high n "
TAKEN += "rank_group command_group age_group home_city_group numerator unsafe flag unit step text measure"
# codes beside those of the lists that pages group persons by: all of them, who is not known, who returned a form
GROUPING = ("status", "sex", "rank", "command", "status_wide", "rank_group", "command_group", "rank_group_wide")
BESIDE = ("all", "total", "unknown", "not_known", "returned")
LABELS = ("label_ar", "label_fr", "label_en")


@dataclass(frozen=True, eq=False)
class Tables:
    """The tables of a codebook.

    Attributes
    ----------
    variables : DataFrame
        By name, one a stored column; ``asked_if`` holds the condition of its group too, ``drawn`` marks what is drawn
        with equal chances and not asked.
    values, texts : DataFrame
        One row a code of a list; texts by key.
    groups : DataFrame
        By name: questions whose answers take several columns.
    cards, designs : DataFrame
        Levels and prior of each attribute of an alternative; the choice cards, one row an alternative of a card.
    seconds : DataFrame
        By kind of question: how long it and each of its items take (assumptions).
    impossible : DataFrame
        By id: a condition that no person of the institution can meet, such as a widow who is a man.
    consistency : DataFrame
        By id: what the amounts of a form must keep to; see `quality.read_rules`.
    listening : DataFrame
        By name: what is written of each question that is asked at a stop of the caravan; see `Codebook.of_questions`.
    ages : DataFrame
        By status: the youngest and the oldest that somebody of it can be, in completed years; service begins at the
        youngest.
    """

    variables: pd.DataFrame
    values: pd.DataFrame
    texts: pd.DataFrame
    groups: pd.DataFrame
    cards: pd.DataFrame
    designs: pd.DataFrame
    seconds: pd.DataFrame
    impossible: pd.DataFrame
    consistency: pd.DataFrame
    listening: pd.DataFrame
    ages: pd.DataFrame

    @cached_property
    def lines(self) -> dict[str, dict[Hashable, str]]:
        """The variables row by row: by name the text of each column."""
        return {str(name): line for name, line in self.variables.to_dict("index").items()}


def fault(table: str, row: int, column: str, got: object, expected: str) -> WelfareError:
    """The error that names a cell of a table; ``row`` counts from 0 under the header."""
    return WelfareError(
        "a fault in the codebook", where=f"{table}, row {row + 2}, {column}", got=got, expected=expected
    )


def check(book: Tables) -> None:
    """Raise on the first fault of a codebook whose groups are sound."""
    doubled = book.values.duplicated(["list", "code"]).to_numpy()
    if doubled.any():
        raise fault("values.csv", int(doubled.argmax()), "code", "a code twice", "each code once in a list")
    _check_words(book)
    _check_labels(book)
    for language in LABELS:
        again = book.values.duplicated(["list", language]).to_numpy()
        if again.any():
            raise fault("values.csv", int(again.argmax()), language, "a label twice", "each label once in a list")
    lines = book.lines
    rules = {name: line["asked_if"] for name, line in lines.items()}
    codes = book.values.groupby("list")["code"].agg(set).to_dict()
    for row, (name, line) in enumerate(lines.items()):
        _check_variable(row, line, codes)
        if line["asked_if"]:
            _check_condition(row, name, lines, rules, codes)
    for row, rule in enumerate(book.impossible["condition"]):
        _check_impossible(row, rule, lines, codes)
    for row, (status, line) in enumerate(book.ages.iterrows()):
        if status not in codes.get("status", ()):
            raise fault("ages.csv", row, "status", status, "a code of the list status")
        for column in ("youngest", "oldest"):
            if not NUMBER.match(line[column]):
                raise fault("ages.csv", row, column, line[column], "a number of years")


def _check_words(book: Tables) -> None:
    """Names and codes have only signs that part nothing, and are no words that the program uses beside them."""
    values, names = book.values, book.variables.index
    missing = values["code"].isin(["-98", "-99"]) & (values["list"] != "missing")
    reserved = values["list"].isin(GROUPING) & values["code"].isin(BESIDE)
    for table, column, words, taken in (
        ("variables.csv", "name", names.to_series(), names.isin(TAKEN.split())),
        ("values.csv", "code", values["code"], (missing | reserved).to_numpy()),
    ):
        for wrong, expected in (
            (~words.str.fullmatch(WRITTEN[table]).to_numpy(bool), "letters, digits and _ alone"),
            (taken, "another word: the program uses this one for something else"),
        ):
            if wrong.any():
                raise fault(table, int(wrong.argmax()), column, words.iloc[wrong.argmax()], expected)


def _check_variable(row: int, line: dict[Hashable, str], codes: dict[Hashable, set[str]]) -> None:
    for column, allowed in (("type", TYPES), ("evidence", EVIDENCE)):
        if line[column] not in allowed:
            raise fault("variables.csv", row, column, line[column], " or ".join(allowed))
    if line["type"] in CODED and line["list"] not in codes:
        raise fault("variables.csv", row, "list", line["list"], "a list of values.csv")
    if line["type"] in NUMERIC:
        for column in ("low", "high"):
            if not NUMBER.match(line[column]):
                raise fault("variables.csv", row, column, line[column], "a number")
        if float(line["low"]) > float(line["high"]):
            raise fault("variables.csv", row, "high", line["high"], f"at least {line['low']}")


def _check_condition(
    row: int, name: str, lines: dict[str, dict[Hashable, str]], rules: dict[str, str], codes: dict[Hashable, set[str]]
) -> None:
    """Its gates are there, stand before it and have its codes; somebody meets it."""

    def wrong(expected: str) -> WelfareError:
        return fault("variables.csv", row, f"asked_if of {name}", rules[name], expected)

    try:
        together = routing.routes(name, rules)
    except ValueError:
        raise wrong("`a = x`, `a in x|y`, `a >= 1` or `a < 2`, joined by ` & `") from None
    except RecursionError:
        raise wrong("conditions without a circle") from None
    places = {gate: place for place, gate in enumerate(lines)}
    for clause in routing.clauses(rules[name]):
        gate = lines.get(clause.variable)
        if gate is None:
            raise wrong("a variable of the codebook")
        if clause.codes is None and gate["type"] not in NUMERIC:
            raise wrong(f"codes of {clause.variable}, which is no number")
        if not (clause.codes or frozenset()) <= codes.get(gate["list"], set()):
            raise wrong(f"codes of {clause.variable}: {', '.join(sorted(codes.get(gate['list'], set())))}")
        if places[clause.variable] > row:
            raise wrong(f"{clause.variable} asked before")
    if any(clause.never for clause in together.values()):
        raise wrong("a condition that somebody meets, with those of its gates")


def _check_impossible(
    row: int, rule: str, lines: dict[str, dict[Hashable, str]], codes: dict[Hashable, set[str]]
) -> None:
    """Each clause compares a number, or codes that its variable has."""
    try:
        for clause in routing.clauses(rule):
            line = lines[clause.variable]
            if not (line["type"] in NUMERIC if clause.codes is None else clause.codes <= codes[line["list"]]):
                raise KeyError
    except (ValueError, KeyError):
        expected = "variables with codes of theirs, or numbers: `a = x & b >= 1`"
        raise fault("impossible.csv", row, "condition", rule, expected) from None


def check_groups(book: Tables) -> None:
    """Each group is there and has variables that are alike."""
    kinds, own = book.groups["kind"].to_dict(), book.variables[["group", "list", "high"]]
    for row, (group, kind) in enumerate(zip(own["group"], book.variables["type"], strict=True)):
        if group and group not in kinds:
            raise fault("variables.csv", row, "group", group, "a group of groups.csv")
        if group and kind not in KINDS.get(kinds[group], TYPES):
            raise fault("variables.csv", row, "type", kind, "a type that its group may have")
    for row, (group, kind) in enumerate(kinds.items()):
        members = own[own["group"] == group]
        if kind not in KINDS:
            raise fault("groups.csv", row, "kind", kind, " or ".join(KINDS))
        if len(members) < 2:
            raise fault("groups.csv", row, "name", group, "at least two variables")
        if kind in ("multiple", "ranking") and not members.index.str.startswith(f"{group}_").all():
            raise fault("groups.csv", row, "name", group, "variables named after it, each with its code behind")
        if kind in ("scale", "cards") and members["list"].replace("", None).nunique() != 1:
            raise fault("groups.csv", row, "name", group, "variables with one list")
        if kind == "ranking" and set(members["high"]) != {str(len(members))}:
            raise fault("groups.csv", row, "name", group, f"ranks from 1 to {len(members)}")


def _check_labels(book: Tables) -> None:
    tables = (
        ("variables.csv", book.variables, "label_"),
        ("values.csv", book.values, "label_"),
        ("groups.csv", book.groups, "label_"),
        ("texts.csv", book.texts, ""),
        ("impossible.csv", book.impossible, "label_"),
    )
    for table, frame, prefix in tables:
        for language in LANGUAGES:
            empty = (frame[prefix + language].str.strip() == "").to_numpy()
            if empty.any():
                raise fault(table, int(empty.argmax()), prefix + language, "", "a text in each language")
    for row, line in enumerate(book.texts[list(LANGUAGES)].to_numpy()):
        fields = [sorted(FIELD.findall(text)) for text in line]
        for language, gaps in zip(LANGUAGES, fields, strict=True):
            if gaps != fields[-1]:
                raise fault("texts.csv", row, language, gaps, f"the fields of the English text, {fields[-1]}")
