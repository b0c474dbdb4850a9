"""Another institution: a folder that says only in what it differs from ``data/codebook``.

Such a folder has an ``institution.csv``: what the institution, its people, its places, its currency and its lender are
called. A file that it lacks is that of ``data/codebook``; a list of codes, a variable, a group, a text or a rule that
it has stands in the place of the one there, and a variable or rule whose row is otherwise empty is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from ..errors import WelfareError, unknown
from .checks import LABELS, LANGUAGES
from .routing import CLAUSE

Tables = dict[str, pd.DataFrame]  # by name of the file
FILE = "institution.csv"
PLACE = "place"  # a column beside those of a file: its name, and the row there
BASE = Path(__file__).resolve().parents[3] / "data" / "codebook"
NAME = r"\b[a-z]\w*"  # a variable in a side of a rule
FORMS = "|"  # between the forms of a word


def is_part(folder: Path) -> bool:
    """Whether a folder is that of an institution, and no whole codebook."""
    return (folder / FILE).is_file() and folder.resolve() != BASE


def completed(name: str, own: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """A file of an institution with what it lacks of the whole codebook, in the order of that one."""
    by = whole.columns[0]
    if own.empty or by == "block":  # cards are those of a whole file
        return whole if own.empty else own
    kept = own[(own.drop(columns=[by, PLACE]) != "").any(axis=1)]
    order = dict.fromkeys([*whole[by], *own[by]])
    both = pd.concat([whole[~whole[by].isin(own[by])], kept], ignore_index=True).fillna("")
    return both.sort_values(by, key=lambda names: names.map({n: i for i, n in enumerate(order)}), kind="stable",
                            ignore_index=True)  # fmt: skip


class Words:
    """The words of an institution in the place of those of ``data/codebook``, in labels, texts and pages.

    Parameters
    ----------
    own, whole : DataFrame
        Two ``institution.csv``: by ``key`` the forms of a word in each language, parted by ``|``, in one order.

    Raises
    ------
    WelfareError
        A word has more forms in one file than in the other.
    """

    def __init__(self, own: pd.DataFrame, whole: pd.DataFrame) -> None:
        self._words: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}
        lines = own.set_index("key")
        for row, key in enumerate(own["key"], 2):
            if key not in set(whole["key"]):
                where, known = f"{FILE}, row {row}, key", list(whole["key"])
                raise unknown(
                    "a word that no page has", key, known, where=where, hint="Write the key, or remove the line."
                )
        for _, theirs in whole.iterrows():
            key = theirs["key"]
            for language in LANGUAGES if key in lines.index else ():
                where = f"{FILE}, row {lines.index.get_loc(key) + 2}, column {language}"
                there, here = (str(line[language]).split(FORMS) for line in (theirs, lines.loc[key]))
                if len(there) != len(here):
                    what, expected = "a word with more or fewer forms", f"{len(there)} forms: {theirs[language]}"
                    hint = f"Write one for each of them, in their order, with {FORMS} between."
                    raise WelfareError(what, where=where, got=len(here), expected=expected, hint=hint)
                if not all(form.strip() for form in here):
                    expected = f"what you call: {theirs[language]}"
                    raise WelfareError("a word is blank", where=where, got=lines.at[key, language], expected=expected)
                self._words[language] |= dict(zip(there, here, strict=True))
        self._patterns = {language: _pattern(words) for language, words in self._words.items()}

    def said(self, text: str, language: str) -> str:
        """A text with the institution's own words; names of tables, codes and fields stay."""
        words = self._words[language]
        return self._patterns[language].sub(lambda found: words[" ".join(found[0].split())], text)

    def in_tables(self, tables: Tables) -> Tables:
        """The tables of a codebook with the institution's own words in every label and text."""
        language_of = dict(zip((*LABELS, *LANGUAGES), 2 * LANGUAGES, strict=True))
        said = {}
        for name, table in tables.items():
            worded = [column for column in language_of if column in table]
            said[name] = table.assign(**{c: [self.said(text, language_of[c]) for text in table[c]] for c in worded})
        return said


def _pattern(words: dict[str, str]) -> re.Pattern[str]:
    """Whole words, the longest first, on one line or two; not beside ``_``, ``|`` or a brace, where codes stand."""
    longest = sorted(words, key=len, reverse=True)
    every = "|".join(r"\s+".join(map(re.escape, word.split())) for word in longest) or "(?!)"
    return re.compile(rf"(?<![\w{{|])(?:{every})(?![\w}}|])")


def fitting(tables: Tables, own: Mapping[str, set[str]]) -> Tables:
    """The tables without conditions on codes that the lists lack, and without what nobody could be asked then.

    ``own`` are the variables, groups and rules that the institution wrote itself: theirs stay, and are checked.
    """
    codes = tables["values.csv"].groupby("list")["code"].agg(set).to_dict()
    variables, groups = tables["variables.csv"], tables["groups.csv"]
    before = -1
    while before != len(variables) + len(groups):  # what goes takes with it what depends on it
        before = len(variables) + len(groups)
        lists = {line["name"]: codes.get(line["list"], set()) for line in variables.to_dict("records")}
        groups = _possible(groups, "asked_if", lists, own["groups.csv"])
        kept = variables["group"].isin(["", *groups["name"]]) | variables["name"].isin(own["variables.csv"])
        variables = _possible(variables[kept], "asked_if", lists, own["variables.csv"])
        groups = groups[groups["name"].isin([*variables["group"], *own["groups.csv"]])]
    impossible = _possible(tables["impossible.csv"], "condition", lists, own["impossible.csv"])
    rules, ages = tables["consistency.csv"], tables["ages.csv"]
    sides = (rules["left"] + " " + rules["right"]).str.findall(NAME)
    asked = sides.map(set(variables["name"]).issuperset).astype(bool) | rules["id"].isin(own["consistency.csv"])
    there = ages["status"].isin(codes.get("status", set()) | own["ages.csv"])
    changed = {"variables.csv": variables, "groups.csv": groups, "impossible.csv": impossible}
    return tables | changed | {"consistency.csv": rules[asked], "ages.csv": ages[there]}


def _possible(table: pd.DataFrame, column: str, lists: Mapping[str, set[str]], own: set[str]) -> pd.DataFrame:
    """Rows whose condition somebody can meet, with the codes that there are; those of one's own as they are."""
    pairs = zip(table.iloc[:, 0], table[column], strict=True)
    rules = pd.Series([rule if name in own else _left(rule, lists) for name, rule in pairs], table.index, dtype=object)
    return table.assign(**{column: rules})[rules.notna()].reset_index(drop=True)


def _left(rule: str, lists: Mapping[str, set[str]]) -> str | None:
    """A condition with the codes that there are; None where nobody can meet it."""
    parts = []
    for part in rule.split(" & ") if rule else ():
        match = CLAUSE.match(part)
        if match is None or match[1] not in lists:
            return None
        if match[2] is not None:
            kept = [code for code in match[2].split("|") if code in lists[match[1]]]
            if not kept:
                return None
            part = f"{match[1]} {'=' if len(kept) == 1 else 'in'} {'|'.join(kept)}"
        parts.append(part)
    return " & ".join(parts)
