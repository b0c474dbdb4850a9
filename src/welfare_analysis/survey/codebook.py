"""The codebook: questions, codes and texts as data, in Arabic, French and English."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..errors import WelfareError

LANGUAGES = ("ar", "fr", "en")
TYPES = ("key", "code", "yes_no", "integer", "amount")
EVIDENCE = ("reported", "seed", "added")
CONDITION = re.compile(r"^(\w+) (?:=|in) ([\w|]+)$")
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
}
PARENTS = {"rank": "rank_group", "command": "command_group"}


@dataclass(frozen=True, eq=False)
class Codebook:
    """Variables (indexed by name), values (one row a code of a list) and texts (indexed by key)."""

    variables: pd.DataFrame
    values: pd.DataFrame
    texts: pd.DataFrame

    @classmethod
    def read(cls, folder: str | Path) -> Codebook:
        """Read and check ``variables.csv``, ``values.csv`` and ``texts.csv`` of a folder.

        Raises
        ------
        WelfareError
            A file that is not there or cannot be read, a missing column, a name twice, an unknown list, type or
            evidence, a missing label, bounds that are no numbers, fields of a text that differ between languages, a
            condition that cannot be read, names no code or goes in a circle; file, row and column are named.
        """
        folder = Path(folder)
        book = cls(
            _table(folder / "variables.csv", "name"),
            _table(folder / "values.csv"),
            _table(folder / "texts.csv", "key"),
        )
        _check(book)
        return book

    @property
    def blocks(self) -> dict[str, list[str]]:
        """Names of the variables of each block, in order."""
        return {block: list(part.index) for block, part in self.variables.groupby("block", sort=False)}

    def codes(self, name: str) -> list[str]:
        """Codes of a list in order."""
        found = self.values.loc[self.values["list"] == name, "code"]
        if found.empty:
            raise WelfareError("no such list", where="values.csv", got=name)
        return list(found)

    def parent(self, name: str) -> dict[str, str]:
        """The coarser code of each code of a list."""
        part = self.values[self.values["list"] == name]
        return dict(zip(part["code"], part["parent"], strict=True))

    def label(self, name: str, code: str, language: str = "en") -> str:
        """Label of a code of a list."""
        found = self.values[(self.values["list"] == name) & (self.values["code"] == code)]
        if found.empty:
            raise WelfareError("no such code", where=f"values.csv, list {name}", got=code)
        return str(found["label_" + _known(language)].iloc[0])

    def text(self, key: str, language: str = "en", **fields: object) -> str:
        """A text with its fields filled in."""
        if key not in self.texts.index:
            raise WelfareError("no such text", where="texts.csv", got=key)
        return str(self.texts.loc[key, _known(language)]).format(**fields)

    def condition(self, name: str) -> tuple[str, list[str]] | None:
        """Whom a question is asked of: (variable, codes), or None for everybody."""
        rule = str(self.variables.loc[name, "asked_if"])
        match = CONDITION.match(rule)
        return (match[1], match[2].split("|")) if match else None


def _known(language: str) -> str:
    if language not in LANGUAGES:
        raise WelfareError("unknown language", where="language", got=language, expected=" or ".join(LANGUAGES))
    return language


def _table(path: Path, key: str = "") -> pd.DataFrame:
    """One file of the codebook, indexed by its key."""
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
    for row, name in enumerate(book.variables.index):
        _check_variable(book, row, str(name))


def _check_variable(book: Codebook, row: int, name: str) -> None:
    line = book.variables.loc[name]
    for column, allowed in (("type", TYPES), ("evidence", EVIDENCE)):
        if line[column] not in allowed:
            raise _fault("variables.csv", row, column, line[column], " or ".join(allowed))
    if line["type"] in ("code", "yes_no") and line["list"] not in set(book.values["list"]):
        raise _fault("variables.csv", row, "list", line["list"], "a list of values.csv")
    if line["type"] in ("integer", "amount"):
        bounds = pd.to_numeric(line[["low", "high"]], errors="coerce")
        for column in bounds.index[bounds.isna()]:
            raise _fault("variables.csv", row, column, line[column], "a number")
        if bounds["low"] > bounds["high"]:
            raise _fault("variables.csv", row, "high", line["high"], f"at least {line['low']}")
    rule, seen = book.condition(name), {name}
    while rule or line["asked_if"]:
        if rule is None or rule[0] not in book.variables.index:
            raise _fault("variables.csv", row, "asked_if", line["asked_if"], "`variable = code` or `variable in a|b`")
        if rule[0] in seen:
            raise _fault("variables.csv", row, "asked_if", line["asked_if"], "conditions without a circle")
        known = book.values.loc[book.values["list"] == book.variables.loc[rule[0], "list"], "code"]
        if not set(rule[1]) <= set(known):
            raise _fault("variables.csv", row, "asked_if", line["asked_if"], f"codes of {rule[0]}")
        seen.add(rule[0])
        line, rule = book.variables.loc[rule[0]], book.condition(rule[0])


def _check_labels(book: Codebook) -> None:
    tables = (
        ("variables.csv", book.variables, "label_"),
        ("values.csv", book.values, "label_"),
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
