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
KINDS = {"multiple": ("yes_no",), "ranking": ("integer",), "scale": ("code",), "roster": NUMERIC}
KINDS["cards"] = ("integer", "code")
SYMBOLS = ("DH", "km", "min", "m2")  # units that a question does not say in words
NUMBER = re.compile(r"^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$")
Lines = dict[str, dict[Hashable, str]]  # by name
Codes = dict[Hashable, set[str]]  # by list
FIELD = re.compile(r"\{(\w+)\}")
# names that files, frames and tables have beside the questions; a codebook cannot give them to a question
TAKEN = "weight stratum psu fpc stratum_population outcome mode date count household_share estimate low high n "
TAKEN += "rank_group command_group age_group home_city_group numerator unsafe flag unit step text measure"
# codes beside those of the lists that pages group persons by: all of them, who is not known, who returned a form
GROUPING = ("status", "sex", "rank", "command", "status_wide", "rank_group", "command_group", "rank_group_wide")
SIGNS, ACTIONS = ("<=", ">=", "="), ("flag", "blank")  # of the rules of consistency.csv
BESIDE = ("all", "total", "unknown", "not_known", "returned")
PARENTS = {"rank": "rank_group", "command": "command_group"}
ON_DUTY = "active"  # the status that pay, service and the way to work are asked of
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
    def lines(self) -> Lines:
        """The variables row by row: by name the text of each column."""
        return {str(name): line for name, line in self.variables.to_dict("index").items()}


class Fault(WelfareError):  # noqa: N818 - what it is of, not that it is an error
    """The error that names a cell of a table; ``row`` counts from 0 under the header, ``place`` is that of its file."""

    def __init__(self, table: str, row: int, column: str, got: object, expected: str, place: str = "") -> None:
        self.cell = table, row, column
        where = f"{place or f'{table}, row {row + 2}'}, {column}"
        super().__init__("a fault in the codebook", where=where, got=got, expected=expected)


def refuse(wrong: pd.Series, table: str, column: pd.Series, expected: str) -> None:
    """Raise on the first row of a column of a table that a mask names."""
    if wrong.any():
        row = int(wrong.to_numpy(bool).argmax())
        raise Fault(table, row, str(column.name), column.iloc[row], expected)


def check(book: Tables) -> None:
    """Raise on the first fault of a codebook whose groups are sound."""
    values, lines, ages = book.values, book.lines, book.ages.reset_index()
    order = values["order"]
    refuse(~order.str.match(NUMBER) & (order != ""), "values.csv", order, "a number, or nothing")
    refuse(values.duplicated(["list", "code"]), "values.csv", values["code"], "each code once in a list")
    _check_words(book)
    _check_parents(values)
    _check_labels(book)
    for language in LABELS:
        again = values.duplicated(["list", language])
        refuse(again, "values.csv", values[language], "each label once in a list")
    rules = {name: line["asked_if"] for name, line in lines.items()}
    codes = values.groupby("list")["code"].agg(set).to_dict()
    _check_variables(book.variables, codes)
    for row, (name, line) in enumerate(lines.items()):
        if line["asked_if"]:
            _check_condition(row, name, lines, rules, codes)
    for row, rule in enumerate(book.impossible["condition"]):
        _check_impossible(row, rule, lines, codes)
    unlisted = ~ages["status"].isin(codes.get("status", set()))
    refuse(unlisted, "ages.csv", ages["status"], "a code of the list status")
    for column in ("youngest", "oldest"):
        refuse(~ages[column].str.match(NUMBER), "ages.csv", ages[column], "a number of years")
    reversed_ = ages["youngest"].astype(float) > ages["oldest"].astype(float)
    refuse(reversed_, "ages.csv", ages["oldest"], "at least the youngest age")
    rules = book.consistency
    for column, right, expected in (
        ("op", rules["op"].isin(SIGNS), " or ".join(SIGNS)),
        ("tolerance", rules["tolerance"].str.match(NUMBER), "a number"),
        ("action", rules["action"].isin(ACTIONS), " or ".join(ACTIONS)),
    ):
        refuse(~right, "consistency.csv", rules[column], expected)


def _check_parents(values: pd.DataFrame) -> None:
    """Each rank and place is in a group that there is, else its persons are in none; somebody is on duty."""
    for name, group in PARENTS.items():
        lost = (values["list"] == name) & ~values["parent"].isin(values.loc[values["list"] == group, "code"])
        refuse(lost, "values.csv", values["parent"], f"a code of the list {group}")
    statuses = values.loc[values["list"] == "status", "code"]
    if len(statuses) and ON_DUTY not in set(statuses):
        where, expected = "values.csv, list status", f"{ON_DUTY} among them: whoever is on duty"
        hint = f"Write {ON_DUTY} in the column code for those who serve; their labels are what you call them."
        raise WelfareError("no status is on duty", where=where, got=", ".join(statuses), expected=expected, hint=hint)


def _check_words(book: Tables) -> None:
    """Names and codes have only signs that part nothing, and are no words that the program uses beside them."""
    values, names = book.values, book.variables.index.to_series()
    missing = values["code"].isin(["-98", "-99"]) & (values["list"] != "missing")
    reserved = values["list"].isin(GROUPING) & values["code"].isin(BESIDE)
    # | : = & [ { and blanks part names and codes
    for table, words, written, taken in (
        ("variables.csv", names, r"[a-z][a-z0-9_]*", names.isin(TAKEN.split())),
        ("values.csv", values["code"], r"[\w.\-]+", missing | reserved),
    ):
        refuse(~words.str.fullmatch(written), table, words, "letters, digits and _ alone")
        refuse(taken, table, words, "another word: the program uses this one for something else")


def _check_variables(variables: pd.DataFrame, codes: Codes) -> None:
    """Known types, lists that are there, bounds that are numbers and the lower one first."""
    table, kind = "variables.csv", variables["type"]
    for column, allowed in (("type", TYPES), ("evidence", EVIDENCE)):
        refuse(~variables[column].isin(allowed), table, variables[column], " or ".join(allowed))
    unlisted = kind.isin(CODED) & ~variables["list"].isin(list(codes))
    refuse(unlisted, table, variables["list"], "a list of values.csv")
    for column in ("low", "high"):
        wrong = kind.isin(NUMERIC) & ~variables[column].str.match(NUMBER)
        refuse(wrong, table, variables[column], "a number")
    bounds = variables.loc[kind.isin(NUMERIC), ["low", "high"]].astype(float).reindex(variables.index)
    refuse(bounds["low"] > bounds["high"], table, variables["high"], "at least the lower bound")


def _check_condition(row: int, name: str, lines: Lines, rules: dict[str, str], codes: Codes) -> None:
    """Its gates are there, stand before it and have its codes; somebody meets it."""

    def wrong(expected: str) -> Fault:
        return Fault("variables.csv", row, f"asked_if of {name}", rules[name], expected)

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


def _check_impossible(row: int, rule: str, lines: Lines, codes: Codes) -> None:
    """Each clause compares a number, or codes that its variable has."""
    try:
        for clause in routing.clauses(rule):
            line = lines[clause.variable]
            if not (line["type"] in NUMERIC if clause.codes is None else clause.codes <= codes[line["list"]]):
                raise KeyError
    except (ValueError, KeyError):
        expected = "variables with codes of theirs, or numbers: `a = x & b >= 1`"
        raise Fault("impossible.csv", row, "condition", rule, expected) from None


def check_groups(book: Tables) -> None:
    """Each group is there and has variables that are alike."""
    variables, groups = book.variables, book.groups
    unknown = ~variables["group"].isin(["", *groups.index])
    refuse(unknown, "variables.csv", variables["group"], "a group of groups.csv")
    kinds = variables["group"].map(groups["kind"].to_dict())
    unlike = [kind not in KINDS.get(group, TYPES) for kind, group in zip(variables["type"], kinds, strict=True)]
    refuse(pd.Series(unlike), "variables.csv", variables["type"], "a type that its group may have")
    for row, (group, kind) in enumerate(groups["kind"].items()):
        members = variables[variables["group"] == group]
        n, named = len(members), members.index.str.startswith(f"{group}_").all()
        lists = members["list"].replace("", None).nunique()
        for wrong, column, expected in (
            (kind not in KINDS, "kind", " or ".join(KINDS)),
            (n < 2, "name", "at least two variables"),
            (kind in ("multiple", "ranking") and not named, "name", "variables named after it, with codes behind"),
            (kind in ("scale", "cards") and lists != 1, "name", "variables with one list"),
            (kind == "ranking" and set(members["high"]) != {str(n)}, "name", f"ranks from 1 to {n}"),
        ):
            if wrong:
                raise Fault("groups.csv", row, column, kind if column == "kind" else group, expected)


def _check_labels(book: Tables) -> None:
    for name in ("variables", "values", "groups", "texts", "impossible"):
        frame = getattr(book, name)
        for column in (column for column in (*LABELS, *LANGUAGES) if column in frame):
            refuse(frame[column].str.strip() == "", f"{name}.csv", frame[column], "a text in each language")
    for row, line in enumerate(book.texts[list(LANGUAGES)].to_numpy()):
        fields = [sorted(FIELD.findall(text)) for text in line]
        for language, gaps in zip(LANGUAGES, fields, strict=True):
            if gaps != fields[-1]:
                raise Fault("texts.csv", row, language, gaps, f"the fields of the English text, {fields[-1]}")
