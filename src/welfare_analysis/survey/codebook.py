"""The codebook: questions, codes, groups, choice cards and texts as data, in Arabic, French and English."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property, partial
from io import StringIO
from pathlib import Path

import pandas as pd

from ..errors import WelfareError, unknown
from ..languages import agreed
from . import institution, routing
from .checks import LABELS, LANGUAGES, SYMBOLS, Fault, Tables, check, check_groups, refuse

LABELLED = " ".join(LABELS)
VARIABLES = f"name block type list unit low high asked_if required evidence {LABELLED}"
# the columns that each file has at least; of all but the first three an empty table stands for an absent file
COLUMNS = {
    "variables.csv": VARIABLES.split(),
    "values.csv": ["list", "code", "parent", *LABELS],
    "texts.csv": ["key", *LANGUAGES],
    "groups.csv": ["name", "kind", "asked_if", *LABELS],
    "cards.csv": ["block", "alternative", "attribute", "levels", "prior"],
    "card_designs.csv": ["block", "version", "card", "alternative"],
    "seconds.csv": ["kind", "question", "item"],
    "impossible.csv": ["id", "condition", *LABELS],
    "consistency.csv": ["id", "left", "op", "right", "tolerance", "action", *LABELS],
    "listening.csv": f"{VARIABLES} group drawn".split(),
    "ages.csv": ["status", "youngest", "oldest"],
}
MAY_LACK = {"variables.csv": ("group", "drawn", "note"), "values.csv": ("order",), "cards.csv": ("times",)}
OPTIONAL = list(COLUMNS)[3:]
KEYS = {name: columns[0] for name, columns in COLUMNS.items() if columns[0] not in ("list", "block")}
COLUMNS[institution.FILE], KEYS[institution.FILE] = ["key", *LANGUAGES], "key"
NEAR = 0.8  # how alike the names of two files are of which the one may be meant by the other
PLURALS = ("one", "two", "few", "many", "other")  # categories of the plural rules of CLDR


@dataclass(frozen=True)
class Question:
    """What stands on a form under one number: a variable, or a group of them; its kind is a type or a group's."""

    name: str
    kind: str
    members: tuple[str, ...]


class Codebook(Tables):
    """The tables of a codebook, and what they say."""

    @classmethod
    def read(cls, folder: str | Path) -> Codebook:
        """Read and check the tables of a folder; all but variables, values and texts may be absent.

        A folder with an ``institution.csv`` may lack any, and hold parts of them: see `institution`.

        Raises
        ------
        WelfareError
            A file that is not there or cannot be read, a missing column, a name, code or label twice, an unknown list,
            type, group or evidence, a missing label, bounds that are no numbers, fields of a text that differ between
            languages, a group of unlike variables; a condition that cannot be read, names no code, goes in a circle,
            stands before its gate or can never be met. File, row and column are named.
        """
        folder = Path(folder)
        _refuse_others(folder)
        tables = _tables(folder)
        places = {name: list(table.pop(institution.PLACE)) for name, table in tables.items()}
        indexed = {name: table.set_index(KEYS[name]) if KEYS.get(name) else table for name, table in tables.items()}
        variables, more = indexed["variables.csv"], [indexed[name] for name in OPTIONAL]
        try:
            book = cls(variables, indexed["values.csv"], indexed["texts.csv"], *more)
            check_groups(book)
            conditions = book.groups["asked_if"].to_dict()
            before = variables["group"].map(lambda group: conditions.get(group, ""))
            rules = [_joined(*pair) for pair in zip(before, variables["asked_if"], strict=True)]
            book = cls(variables.assign(asked_if=rules), book.values, book.texts, *more)
            check(book)
        except Fault as found:
            table, row, _ = found.cell
            raise Fault(*found.cell, found.got, found.expected, places[table][row]) from None
        return book

    @cached_property
    def blocks(self) -> dict[str, list[str]]:
        """Names of the variables of each block, in order."""
        return {block: list(part.index) for block, part in self.variables.groupby("block", sort=False)}

    @cached_property
    def items(self) -> frozenset[str]:
        """Names of the items of lists and rankings, whose labels are no questions."""
        kinds = self.variables["group"].map(self.groups["kind"].to_dict())
        return frozenset(self.variables.index[kinds.isin(["multiple", "ranking"])])

    @cached_property
    def lists(self) -> dict[str, dict[str, dict[Hashable, str]]]:
        """By list, its codes in their order, each with the columns of its line in ``values``."""
        ordered = self.values.sort_values("order", key=lambda x: pd.to_numeric(x, errors="coerce"), kind="stable")
        lists: dict[str, dict[str, dict[Hashable, str]]] = {}
        for line in ordered.to_dict("records"):
            lists.setdefault(line["list"], {})[line["code"]] = line
        return lists

    @cached_property
    def _texts(self) -> dict[str, dict[Hashable, str]]:
        """By language, the texts by key: a page asks for thousands, and a frame is slow at one cell at a time."""
        return {language: self.texts[language].to_dict() for language in LANGUAGES}

    def codes(self, name: str) -> list[str]:
        """Codes of a list in order."""
        if name not in self.lists:
            raise WelfareError("no such list", where="values.csv", got=name)
        return list(self.lists[name])

    def parent(self, name: str) -> dict[str, str]:
        """The coarser code of each code of a list."""
        return {code: line["parent"] for code, line in self.lists.get(name, {}).items()}

    def wider(self, name: str) -> dict[str, str]:
        """The coarser code of each code of a list that has one: what a small group is taken together in."""
        return {code: up for code, up in self.parent(name).items() if up}

    def label(self, name: str, code: str, language: str = "en") -> str:
        """Label of a code of a list."""
        if code not in self.lists.get(name, ()):
            raise WelfareError("no such code", where=f"values.csv, list {name}", got=code)
        return self.lists[name][code]["label_" + _known(language)]

    def text(self, key: str, language: str = "en", **fields: object) -> str:
        """A text with its fields filled in, and its nouns in the forms that the numbers before them ask for."""
        return agreed(self.template(key, language).format(**fields), language, partial(self.forms, language=language))

    def forms(self, unit: str, language: str = "en") -> dict[str, str]:
        """What a unit is called beside a number, by CLDR's category of plural (``unit.homes.few``)."""
        own = {plural: f"unit.{unit}.{plural}" for plural in PLURALS}
        known = {plural: self.template(key, language) for plural, key in own.items() if key in self.texts.index}
        return {"other": self.template(f"unit.{unit}", language), **known}

    def template(self, key: str, language: str = "en") -> str:
        """A text as it stands, with its gaps."""
        texts = self._texts[_known(language)]
        if key not in texts:
            hint = "A text is a line of data/codebook/texts.csv: its key, then in ar, fr and en."
            raise unknown("no such text", key, self.texts.index, where="texts.csv", hint=hint)
        return texts[key]

    def asked(self, name: str, answers: Mapping[str, pd.Series], index: pd.Index) -> pd.Series:
        """Of whom a question is asked: True, False, or unknown where an answer that decides it is missing.

        Conditions on variables that are not among the answers are left out.
        """
        result = pd.Series(True, index=index, dtype="boolean")
        for clause in routing.clauses(self.lines[name]["asked_if"]):
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

    def condition(self, name: str, known: str = "", settled: Collection[str] = ()) -> str:
        """The condition of a variable or group, without the parts that are ``known`` or on ``settled`` variables."""
        table = self.groups if name in self.groups.index else self.variables
        parts = [part for part in str(table.at[name, "asked_if"]).split(" & ") if part not in ("", *known.split(" & "))]
        return " & ".join(part for part in parts if part.split()[0] not in settled)

    def members(self, group: str) -> list[str]:
        """Names of the variables of a group, in order."""
        return [name for name, line in self.lines.items() if line["group"] == group]

    def asks(self, name: str, language: str = "en") -> str:
        """A question, or the line of a table, in words; with its unit where that is a symbol (DH, km, min, m2)."""
        line = self.lines[name]
        symbol = (line["unit"].split() or [""])[0]
        unit = f" ({self.text(f'unit.{symbol.lower()}', language)})" if symbol in SYMBOLS else ""
        return line["label_" + _known(language)] + unit

    def reached(self, name: str, **fixed: str) -> bool:
        """Whether a question can be asked of those with some fixed answers, by its condition and those of its gates."""
        routes = self._routes[name]
        return all(v not in routes or code in (routes[v].codes or ()) for v, code in fixed.items())

    def questions(self, **fixed: str) -> list[Question]:
        """What can be asked of those with some fixed answers, say ``status="widow", module="a"``, in order.

        What is fixed, drawn or a key is not asked. A group stands where its first variable stands.
        """
        asked_of: dict[str, list[str]] = {}
        for name, line in self.variables.iterrows():
            asked = name not in fixed and not line["drawn"] and line["type"] != "key"
            if asked and self.reached(str(name), **fixed):
                asked_of.setdefault(line["group"] or str(name), []).append(str(name))
        kinds = {**self.variables["type"].to_dict(), **self.groups["kind"].to_dict()}
        return [Question(name, kinds[name], tuple(members)) for name, members in asked_of.items()]

    def of_questions(self, stops: Iterable[str]) -> Codebook:
        """The codebook of a log of the questions that are asked at some stops, a row a question: ``listening.csv``.

        A stop has the label of its text ``caravan_stop.<code>`` or of the list of places, else its code.
        """
        texts = self.texts.set_axis(list(LABELS), axis=1).rename(index=lambda key: key.removeprefix("caravan_stop."))
        places = self.values[self.values["list"] == "command"].set_index("code")[list(LABELS)]
        known = texts.combine_first(places).reindex(list(stops))
        rows = known.T.fillna(known.index.to_series()).T.rename_axis("code").reset_index()
        values = pd.concat([self.values, rows.assign(list="caravan_stop", parent="", order="")], ignore_index=True)
        return replace(self, variables=self.listening, groups=self.groups.iloc[:0], values=values)

    def minutes(self, **fixed: str) -> float:
        """How long a form takes at most, in minutes: the seconds of every question that may be asked and its items."""
        table = self.seconds[["question", "item"]].astype(float)
        asked = self.questions(**fixed)
        lacking = sorted({"page", *(q.kind for q in asked)} - set(table.index))
        if lacking:
            raise WelfareError("no time is given for a kind of question", where="seconds.csv", expected=lacking[0])
        spent = sum(table["question"][q.kind] + table["item"][q.kind] * len(q.members) for q in asked)
        return float(spent + table["question"]["page"]) / 60


def _joined(before: str, rule: str) -> str:
    """The condition of a variable, after that of its group."""
    parts = [*before.split(" & "), *rule.split(" & ")]
    return " & ".join(dict.fromkeys(part for part in parts if part))


def _known(language: str) -> str:
    if language not in LANGUAGES:
        raise WelfareError("unknown language", where="language", got=language, expected=" or ".join(LANGUAGES))
    return language


def words(folder: Path) -> institution.Words:
    """What an institution calls things, where pages written for another one speak of them."""
    whole = _table(institution.BASE / institution.FILE)
    own = _table(folder / institution.FILE) if institution.is_part(folder) else whole
    return institution.Words(own, whole)


def _tables(folder: Path) -> dict[str, pd.DataFrame]:
    """The files of a codebook; those of an institution are completed, and speak of it."""
    names = [name for name in COLUMNS if name != institution.FILE]
    parts = {name: _table(folder / name) for name in names}
    if not institution.is_part(folder):
        return parts
    whole = {name: _table(institution.BASE / name) for name in names}
    tables = {name: institution.completed(name, parts[name], whole[name]) for name in names}
    own = {name: set(parts[name][key]) for name, key in KEYS.items() if name in names}
    return institution.fitting(words(folder).in_tables(tables), own)


def _refuse_others(folder: Path) -> None:
    """Refuse a file that is called or begins nearly as one of a codebook: it would not be read."""
    for path in sorted(set(folder.glob("*.csv")) - {folder / name for name in COLUMNS}):
        with path.open(errors="replace") as file:
            header = set(re.findall(r"\w+", file.readline()))
        shared = max(len(header.intersection(columns)) for columns in COLUMNS.values())
        if shared > 2 or get_close_matches(path.name, COLUMNS, cutoff=NEAR):
            what, where = f"no file of a codebook: {', '.join(COLUMNS)}", f"{folder.name}/{path.name}"
            raise WelfareError(what, where=where, hint="Give it one of these names, or take it out of the folder.")


def _table(path: Path) -> pd.DataFrame:
    """One file of the codebook, each of its keys once, with the place of each row."""
    shown = f"{path.parent.name}/{path.name}"
    if not path.is_file() and (path.name in OPTIONAL or institution.is_part(path.parent)):
        return pd.DataFrame(columns=[*COLUMNS[path.name], institution.PLACE], dtype=str)
    if not path.is_file():
        raise WelfareError("the file is not there", where=str(path), hint="A codebook is a folder of three CSV files.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
        # a spreadsheet program may have saved it with other marks
        mark = max(",;\t", key=text.partition("\n")[0].count)
        table = pd.read_csv(StringIO(text), sep=mark, dtype=str, keep_default_na=False)
    except UnicodeDecodeError as error:
        what, line = "a letter is not in UTF-8", error.object.count(b"\n", 0, error.start) + 1
        hint = "The codebook cannot be read: save the file as CSV UTF-8."
        raise WelfareError(what, where=f"{shown}, row {line}", expected="CSV in UTF-8", hint=hint) from None
    except (ValueError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        what = "the codebook cannot be read"
        raise WelfareError(what, where=path.name, got=str(error).strip()[:120], expected="CSV in UTF-8") from None
    lacking = [name for name in COLUMNS[path.name] if name not in table]
    if lacking:
        what = "a fault in the codebook"
        raise WelfareError(what, where=f"{shown}, row 1, {lacking[0]}", expected=", ".join(COLUMNS[path.name]))
    if key := KEYS.get(path.name):
        refuse(table[key].duplicated(), shown, table[key], "each once")
    places = [f"{shown}, row {row}" for row in range(2, len(table) + 2)]
    return table.assign(**{n: "" for n in MAY_LACK.get(path.name, ()) if n not in table}, **{institution.PLACE: places})
