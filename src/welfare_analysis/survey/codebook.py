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
            A file that is not there, an unknown list, type or evidence, a missing label, a condition that cannot be
            read or that goes in a circle; file, row and column are named.
        """
        folder = Path(folder)
        book = cls(
            _table(folder / "variables.csv").set_index("name"),
            _table(folder / "values.csv"),
            _table(folder / "texts.csv").set_index("key"),
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
        return str(found[f"label_{language}"].iloc[0])

    def variable_label(self, name: str, language: str = "en") -> str:
        """The question of a variable."""
        if name not in self.variables.index:
            raise WelfareError("no such variable", where="variables.csv", got=name)
        return str(self.variables.loc[name, f"label_{language}"])

    def text(self, key: str, language: str = "en", **fields: object) -> str:
        """A text with its fields filled in."""
        if key not in self.texts.index:
            raise WelfareError("no such text", where="texts.csv", got=key)
        return str(self.texts.loc[key, language]).format(**fields)

    def condition(self, name: str) -> tuple[str, list[str]] | None:
        """Whom a question is asked of: (variable, codes), or None for everybody."""
        rule = str(self.variables.loc[name, "asked_if"])
        match = CONDITION.match(rule)
        return (match[1], match[2].split("|")) if match else None


def _table(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise WelfareError("the file is not there", where=str(path), hint="A codebook is a folder of three CSV files.")
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _check(book: Codebook) -> None:
    def fault(table: str, row: int, column: str, got: object, expected: str) -> WelfareError:
        return WelfareError(
            "a fault in the codebook", where=f"{table}, row {row + 2}, {column}", got=got, expected=expected
        )

    lists = set(book.values["list"])
    for row, (name, line) in enumerate(book.variables.iterrows()):
        for column, allowed in (("type", TYPES), ("evidence", EVIDENCE)):
            if line[column] not in allowed:
                raise fault("variables.csv", row, column, line[column], " or ".join(allowed))
        if line["type"] in ("code", "yes_no") and line["list"] not in lists:
            raise fault("variables.csv", row, "list", line["list"], "a list of values.csv")
        rule = book.condition(str(name))
        if line["asked_if"] and (rule is None or rule[0] not in book.variables.index):
            raise fault("variables.csv", row, "asked_if", line["asked_if"], "`variable = code` or `variable in a|b`")
        seen = {str(name)}
        while rule:
            if rule[0] in seen:
                raise fault("variables.csv", row, "asked_if", line["asked_if"], "conditions without a circle")
            seen.add(rule[0])
            rule = book.condition(rule[0])
    tables = (
        ("variables.csv", book.variables, "label_"),
        ("values.csv", book.values, "label_"),
        ("texts.csv", book.texts, ""),
    )
    for table, frame, prefix in tables:
        for language in LANGUAGES:
            empty = (frame[prefix + language].str.strip() == "").to_numpy()
            if empty.any():
                raise fault(table, int(empty.argmax()), prefix + language, "", "a text in each language")
    doubled = book.values.duplicated(["list", "code"]).to_numpy()
    if doubled.any():
        raise fault("values.csv", int(doubled.argmax()), "code", "a code twice", "each code once in a list")
