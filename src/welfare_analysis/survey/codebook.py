"""The codebook: questions, codes, groups, choice cards and texts as data, in Arabic, French and English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

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
FIELD = re.compile(r"\{(\w+)\}")
LABELS = ("label_ar", "label_fr", "label_en")
COLUMNS = {
    "variables.csv": (
        "name",
        "block",
        "type",
        "list",
        "unit",
        "low",
        "high",
        "asked_if",
        "required",
        "evidence",
        *LABELS,
    ),
    "values.csv": ("list", "code", "parent", *LABELS),
    "texts.csv": ("key", *LANGUAGES),
    "groups.csv": ("name", "kind", "asked_if", *LABELS),
    "cards.csv": ("block", "alternative", "attribute", "levels", "prior"),
    "card_designs.csv": ("block", "version", "card", "alternative"),
    "seconds.csv": ("kind", "question", "item"),
}
OPTIONAL = {"groups.csv": "name", "cards.csv": "", "card_designs.csv": "", "seconds.csv": "kind"}
PARENTS = {"rank": "rank_group", "command": "command_group"}


@dataclass(frozen=True)
class Question:
    """What stands on a form under one number: a variable, or a group of them; its kind is a type or a group's."""

    name: str
    kind: str
    members: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Codebook:
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
    """

    variables: pd.DataFrame
    values: pd.DataFrame
    texts: pd.DataFrame
    groups: pd.DataFrame
    cards: pd.DataFrame
    designs: pd.DataFrame
    seconds: pd.DataFrame

    @classmethod
    def read(cls, folder: str | Path) -> Codebook:
        """Read and check the tables of a folder; those of groups, cards, designs and seconds may be absent.

        Raises
        ------
        WelfareError
            A file that is not there or cannot be read, a missing column, a name, code or label twice, an unknown list,
            type, group or evidence, a missing label, bounds that are no numbers, fields of a text that differ between
            languages, a group of unlike variables; a condition that cannot be read, names no code, goes in a circle,
            stands before its gate or can never be met. File, row and column are named.
        """
        folder = Path(folder)
        variables = _table(folder / "variables.csv", "name")
        variables = variables.assign(**{c: "" for c in ("group", "drawn", "note") if c not in variables})
        more = [_table(folder / name, key) for name, key in OPTIONAL.items()]
        book = cls(variables, _table(folder / "values.csv"), _table(folder / "texts.csv", "key"), *more)
        _check_groups(book)
        rules = [_joined(book, line) for _, line in variables.iterrows()]
        book = cls(variables.assign(asked_if=rules), book.values, book.texts, *more)
        _check(book)
        return book

    @property
    def blocks(self) -> dict[str, list[str]]:
        """Names of the variables of each block, in order."""
        return {block: list(part.index) for block, part in self.variables.groupby("block", sort=False)}

    @cached_property
    def _lists(self) -> dict[str, pd.DataFrame]:
        return {str(name): rows.set_index("code") for name, rows in self.values.groupby("list", sort=False)}

    def codes(self, name: str) -> list[str]:
        """Codes of a list in order."""
        if name not in self._lists:
            raise WelfareError("no such list", where="values.csv", got=name)
        return list(self._lists[name].index)

    def parent(self, name: str) -> dict[str, str]:
        """The coarser code of each code of a list."""
        return self._lists[name]["parent"].to_dict() if name in self._lists else {}

    def label(self, name: str, code: str, language: str = "en") -> str:
        """Label of a code of a list."""
        if name not in self._lists or code not in self._lists[name].index:
            raise WelfareError("no such code", where=f"values.csv, list {name}", got=code)
        return str(self._lists[name].at[code, "label_" + _known(language)])

    def text(self, key: str, language: str = "en", **fields: object) -> str:
        """A text with its fields filled in."""
        if key not in self.texts.index:
            raise WelfareError("no such text", where="texts.csv", got=key)
        return str(self.texts.loc[key, _known(language)]).format(**fields)

    def asked(self, name: str, answers: Mapping[str, pd.Series], index: pd.Index) -> pd.Series:
        """Of whom a question is asked: True, False, or unknown where an answer that decides it is missing.

        Conditions on variables that are not among the answers are left out.
        """
        result = pd.Series(True, index=index, dtype="boolean")
        for clause in routing.clauses(str(self.variables.loc[name, "asked_if"])):
            if clause.variable in answers:
                result &= clause.holds(answers[clause.variable])
        return result

    @cached_property
    def _routes(self) -> dict[str, dict[str, routing.Clause]]:
        rules = self.variables["asked_if"].to_dict()
        return {str(name): routing.routes(str(name), rules) for name in rules}

    def routes(self, name: str) -> dict[str, routing.Clause]:
        """All that must hold for a question to be asked, with the conditions of its gates: a clause a variable."""
        return self._routes[name]

    def asks(self, name: str, language: str = "en") -> str:
        """A question, or the line of a table, in words; with its unit where that is a symbol (DH, km, min, m2)."""
        line = self.variables.loc[name]
        symbol = (str(line["unit"]).split() or [""])[0]
        unit = f" ({self.text(f'unit.{symbol.lower()}', language)})" if symbol in SYMBOLS else ""
        return str(line["label_" + _known(language)]) + unit

    def reached(self, name: str, **fixed: str) -> bool:
        """Whether a question can be asked of those with some fixed answers, by its condition and those of its gates."""
        routes = self._routes[name]
        return all(v not in routes or code in (routes[v].codes or ()) for v, code in fixed.items())

    def questions(self, **fixed: str) -> list[Question]:
        """What can be asked of those with some fixed answers, say ``status="widow", module="a"``, in order.

        What is fixed, drawn or a key is not asked. A group stands where its first variable stands.
        """
        found: dict[str, list[str]] = {}
        for name, line in self.variables.iterrows():
            asked = name not in fixed and not line["drawn"] and line["type"] != "key"
            if asked and self.reached(str(name), **fixed):
                found.setdefault(line["group"] or str(name), []).append(str(name))
        kinds = {**self.variables["type"].to_dict(), **self.groups["kind"].to_dict()}
        return [Question(name, kinds[name], tuple(members)) for name, members in found.items()]

    def minutes(self, **fixed: str) -> float:
        """How long a form takes at most, in minutes: the seconds of every question that may be asked and its items."""
        table = self.seconds[["question", "item"]].astype(float)
        asked = self.questions(**fixed)
        spent = sum(table["question"][q.kind] + table["item"][q.kind] * len(q.members) for q in asked)
        return float(spent + table["question"]["page"]) / 60


def _known(language: str) -> str:
    if language not in LANGUAGES:
        raise WelfareError("unknown language", where="language", got=language, expected=" or ".join(LANGUAGES))
    return language


def _table(path: Path, key: str = "") -> pd.DataFrame:
    """One file of the codebook, indexed by its key."""
    if not path.is_file() and path.name in OPTIONAL:
        table = pd.DataFrame(columns=list(COLUMNS[path.name]), dtype=str)
        return table.set_index(key) if key else table
    if not path.is_file():
        raise WelfareError("the file is not there", where=str(path), hint="A codebook is a folder of three CSV files.")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        what = "the codebook cannot be read"
        raise WelfareError(what, where=path.name, got=str(error).strip()[:120], expected="CSV in UTF-8") from None
    lacking = [name for name in COLUMNS[path.name] if name not in table]
    if lacking:
        what = "a fault in the codebook"
        raise WelfareError(what, where=f"{path.name}, row 1, {lacking[0]}", expected=", ".join(COLUMNS[path.name]))
    if not key:
        return table
    doubled = table[key].duplicated().to_numpy()
    if doubled.any():
        raise _fault(path.name, int(doubled.argmax()), key, table[key][doubled].iloc[0], "each once")
    return table.set_index(key)


def _fault(table: str, row: int, column: str, got: object, expected: str) -> WelfareError:
    return WelfareError(
        "a fault in the codebook", where=f"{table}, row {row + 2}, {column}", got=got, expected=expected
    )


def _check(book: Codebook) -> None:
    doubled = book.values.duplicated(["list", "code"]).to_numpy()
    if doubled.any():
        raise _fault("values.csv", int(doubled.argmax()), "code", "a code twice", "each code once in a list")
    _check_labels(book)
    for language in LABELS:
        again = book.values.duplicated(["list", language]).to_numpy()
        if again.any():
            raise _fault("values.csv", int(again.argmax()), language, "a label twice", "each label once in a list")
    for row, name in enumerate(book.variables.index):
        _check_variable(book, row, str(name))


def _check_variable(book: Codebook, row: int, name: str) -> None:
    line = book.variables.loc[name]
    for column, allowed in (("type", TYPES), ("evidence", EVIDENCE)):
        if line[column] not in allowed:
            raise _fault("variables.csv", row, column, line[column], " or ".join(allowed))
    if line["type"] in CODED and line["list"] not in set(book.values["list"]):
        raise _fault("variables.csv", row, "list", line["list"], "a list of values.csv")
    if line["type"] in NUMERIC:
        bounds = pd.to_numeric(line[["low", "high"]], errors="coerce")
        for column in bounds.index[bounds.isna()]:
            raise _fault("variables.csv", row, column, line[column], "a number")
        if bounds["low"] > bounds["high"]:
            raise _fault("variables.csv", row, "high", line["high"], f"at least {line['low']}")
    _check_condition(book, row, name)


def _check_condition(book: Codebook, row: int, name: str) -> None:
    """Its gates are there, stand before it and have its codes; somebody meets it."""
    rule = str(book.variables.loc[name, "asked_if"])

    def wrong(expected: str) -> WelfareError:
        return _fault("variables.csv", row, "asked_if", rule, expected)

    try:
        parts = routing.clauses(rule)
        together = routing.routes(name, book.variables["asked_if"].to_dict())
    except ValueError:
        raise wrong("`a = x`, `a in x|y`, `a >= 1` or `a < 2`, joined by ` & `") from None
    except RecursionError:
        raise wrong("conditions without a circle") from None
    places = {str(gate): place for place, gate in enumerate(book.variables.index)}
    for clause in parts:
        if clause.variable not in places:
            raise wrong("a variable of the codebook")
        gate = book.variables.loc[clause.variable]
        if clause.codes is None and gate["type"] not in NUMERIC:
            raise wrong(f"codes of {clause.variable}, which is no number")
        known = book.values.loc[book.values["list"] == gate["list"], "code"]
        if not (clause.codes or frozenset()) <= set(known):
            raise wrong(f"codes of {clause.variable}")
        if places[clause.variable] > row:
            raise wrong(f"{clause.variable} asked before")
    if any(clause.never for clause in together.values()):
        raise wrong("a condition that somebody meets, with those of its gates")


def _joined(book: Codebook, line: pd.Series) -> str:
    """The condition of a variable, after that of its group."""
    rules = [book.groups.loc[line["group"], "asked_if"]] if line["group"] else []
    parts = [part for rule in [*rules, line["asked_if"]] for part in str(rule).split(" & ") if part]
    return " & ".join(dict.fromkeys(parts))


def _check_groups(book: Codebook) -> None:
    """Each group is there and has variables that are alike."""
    rows = {str(name): row for row, name in enumerate(book.variables.index)}
    for name, line in book.variables[book.variables["group"] != ""].iterrows():
        if line["group"] not in book.groups.index:
            raise _fault("variables.csv", rows[str(name)], "group", line["group"], "a group of groups.csv")
        if line["type"] not in KINDS.get(book.groups.loc[line["group"], "kind"], TYPES):
            raise _fault("variables.csv", rows[str(name)], "type", line["type"], "a type that its group may have")
    for row, (group, line) in enumerate(book.groups.iterrows()):
        kind, members = line["kind"], book.variables[book.variables["group"] == group]
        if kind not in KINDS:
            raise _fault("groups.csv", row, "kind", kind, " or ".join(KINDS))
        if len(members) < 2:
            raise _fault("groups.csv", row, "name", group, "at least two variables")
        if kind in ("scale", "cards") and members["list"].replace("", None).nunique() != 1:
            raise _fault("groups.csv", row, "name", group, "variables with one list")
        if kind == "ranking" and set(members["high"]) != {str(len(members))}:
            raise _fault("groups.csv", row, "name", group, f"ranks from 1 to {len(members)}")


def _check_labels(book: Codebook) -> None:
    tables = (
        ("variables.csv", book.variables, "label_"),
        ("values.csv", book.values, "label_"),
        ("groups.csv", book.groups, "label_"),
        ("texts.csv", book.texts, ""),
    )
    for table, frame, prefix in tables:
        for language in LANGUAGES:
            empty = (frame[prefix + language].str.strip() == "").to_numpy()
            if empty.any():
                raise _fault(table, int(empty.argmax()), prefix + language, "", "a text in each language")
    for row, line in enumerate(book.texts[list(LANGUAGES)].to_numpy()):
        fields = [sorted(FIELD.findall(text)) for text in line]
        for language, found in zip(LANGUAGES, fields, strict=True):
            if found != fields[-1]:
                raise _fault("texts.csv", row, language, found, f"the fields of the English text, {fields[-1]}")
