"""A map of a foreign file: what its columns, codes, ranks and places are called here.

``map.csv`` has the columns kind, variable, from, to. A line of kind ``column`` says that the column ``from`` is the
variable ``to``, or is left out where ``to`` is ``-``; one of kind ``code`` that ``from`` in the column of ``variable``
is the code ``to``. An empty ``to`` is an error: a column or an answer would be lost without a word.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from ...errors import WelfareError
from ..codebook import Codebook
from .cells import MISSING, Question
from .exports import SEVERAL, in_order, spelt_items
from .guessing import groups_of_items, guesser
from .layout import Cells
from .margins import MARGINS, VARIABLES
from .personal import HIDDEN, asks_who, shown
from .programs import ADDED
from .selection import COLLECTED, DESIGN, FOLLOWUP, OUTCOMES, REPLICATE
from .spelling import fold, plain
from .text_files import small_table

COLUMNS = ["kind", "variable", "from", "to"]
KINDS = ("column", "code")
CODES_EACH, CODES_MORE = 2, 5  # foreign codes of a list that are offered for a map: so many a code of ours, and more
SURE = 0.85  # how alike a foreign code and ours must be
LEFT_OUT = "-"
OBEYED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # signs that a terminal obeys


@dataclass(frozen=True)
class Map:
    """Headers (from, to) and, for each variable, codes (from, to)."""

    headers: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    several: frozenset[str] = frozenset()  # of the variables of ``codes``, questions of several answers

    @classmethod
    def read(cls, path: str | Path, codebook: Codebook) -> Map:
        """Read and check a map.

        Raises
        ------
        WelfareError
            A file that is not there; a missing column; a kind, variable or code that is not known; a ``from`` that is
            empty or there twice. The row is named.
        """
        path = Path(path)
        table = small_table(path, COLUMNS, "a map", "`make check SURVEY=...` drafts a map.")
        headers: dict[str, str] = {}
        codes: dict[str, dict[str, str]] = {}
        for row, line in enumerate(table.to_dict("records"), 2):
            line = {name: plain(cell) for name, cell in line.items()}
            own = headers if line["kind"] == "column" else codes.setdefault(line["variable"], {})
            column, wrong, expected = _wrong(line, own, codebook)
            if wrong:
                where = f"{path.name}, row {row}, column {column}"
                raise WelfareError(wrong, where=where, got=line[column], expected=expected)
            own[line["from"]] = line["to"]
        return cls(headers, codes, frozenset(codes) & set(codebook.groups.index))

    def applied(self, cells: Cells) -> Cells:
        """The cells with foreign codes replaced and columns left out; headers are mapped when they are read."""
        gone = int((cells.frame.columns == LEFT_OUT).sum())
        frame = cells.frame.loc[:, cells.frame.columns != LEFT_OUT]
        notes = [("", "columns that the map leaves out", gone)] if gone else []
        for name in [n for n in frame if _of(n) in self.codes and not isinstance(frame[n], pd.DataFrame)]:
            codes, text = self.codes[_of(name)], frame[name].map(plain)
            every = "|".join(map(re.escape, sorted(codes, key=len, reverse=True)))
            whole = rf"(?<!\w)(?:{every})(?!\w)" if _of(name) in self.several else rf"^(?:{every})$"
            meant = text.str.replace(whole, lambda found, codes=codes: codes[found[0]], regex=True)
            known = meant != text
            frame = frame.assign(**{name: frame[name].astype(object).mask(known, meant)})
            notes += [(name, "codes of the map", int(known.sum()))] if known.any() else []
        used = [(name, "a column of the map", 1) for name in set(self.headers.values()) if name in frame]
        return replace(cells, frame=frame, notes=[*cells.notes, *sorted(used), *notes])


def _wrong(line: Mapping[str, str], own: Mapping[str, str], codebook: Codebook) -> tuple[str, str, str]:
    """The column of a line that is wrong, what is wrong, and what was expected; empty if all is well."""
    known = _names(codebook)
    lists = {"outcome": list(OUTCOMES), "variable": list(VARIABLES)}
    if line["kind"] not in KINDS:
        return "kind", "an unknown kind of line", " or ".join(KINDS)
    if not line["from"]:
        return "from", "nothing to map", "the name or code in the file"
    if line["from"] in own:
        return "from", "it is mapped twice", "one line each"
    if not line["to"]:
        return "to", "the line is not completed", "a name or code; - leaves a column out"
    if line["kind"] == "column":
        if not (line["to"] in [*known, LEFT_OUT] or REPLICATE.fullmatch(line["to"])):
            near = difflib.get_close_matches(line["to"], known, n=1)
            expected = f"a name of variables.csv, perhaps {near[0]}" if near else "a name of variables.csv"
            return "to", "no variable of the codebook", expected
        return "", "", ""
    groups = groups_of_items(codebook)
    lists |= {g: [name.removeprefix(f"{g}_") for name in codebook.members(g)] for g in groups}
    listed = codebook.lines.get(line["variable"], {}).get("list") or line["variable"]
    if line["variable"] not in lists and listed not in set(codebook.values["list"]):
        return "variable", "no variable with codes", "a name of variables.csv that has a list"
    codes = lists.get(line["variable"]) or codebook.codes(listed)
    if line["to"] not in codes and (line["to"] not in MISSING or line["variable"] in groups):
        return "to", "no code of the list", ", ".join(codes[:8])
    return "", "", ""


def _of(name: object) -> str:
    """The question of a column, or of a column a place of a ranking."""
    return str(name).partition("/")[0]


def _names(codebook: Codebook) -> list[str]:
    """What a header may hold without a map."""
    return [*codebook.variables.index, *codebook.groups.index, *FOLLOWUP, *MARGINS, *DESIGN, *COLLECTED]


def draft(cells: Cells, sources: Sequence[Cells], codebook: Codebook, names: Map | None = None) -> pd.DataFrame:
    """A map to begin with: each header and code that is not known, with a name where it is sure, or nothing.

    The lines of ``names``, a map that was begun, come first. ``sources`` are the files before they were put together,
    where the items of a question of several answers stand in one column.
    """
    names = names or Map()
    lines = [("column", "", old, new) for old, new in names.headers.items()]
    lines += [("code", v, old, new) for v, own in names.codes.items() for old, new in own.items()]
    there = frozenset(str(name) for source in sources for name in source.frame)
    guess, known = guesser(codebook, there, names.headers), _names(codebook)
    for name in dict.fromkeys(str(n) for n in cells.frame if not OBEYED.search(str(n))):
        if not (name in known or REPLICATE.fullmatch(name) or name.startswith(ADDED)):
            lines.append(("column", "", name, LEFT_OUT if asks_who(name) else guess(name)))
    for name in [n for n in cells.frame if n in codebook.variables.index]:
        lines += _codes(str(name), cells.frame[name], codebook)
    of_several = groups_of_items(codebook)
    for column, group in [
        (s.frame[n], _of(n)) for s in sources for n in s.frame.columns.unique() if _of(n) in of_several
    ]:
        lines += _items(group, column, codebook)
    return pd.DataFrame(lines, columns=COLUMNS).drop_duplicates(["kind", "variable", "from"])


def _codes(name: str, column: pd.Series | pd.DataFrame, codebook: Codebook) -> list[tuple[str, str, str, str]]:
    """The cells of a coded column that are no codes; none of them where they are too many to be codes."""
    question = Question.of(codebook, name)
    if not question.codes or isinstance(column, pd.DataFrame):
        return []
    cells = [plain(cell) for cell in column.unique() if question.read(cell).rule and shown(cell) != HIDDEN]
    cells = [cell for cell in cells if not OBEYED.search(cell)]
    if len(cells) > CODES_EACH * len(question.codes) + CODES_MORE:
        return []  # names, or answers in words
    return _offered(name, cells, question.spellings)


def _items(group: str, column: pd.Series | pd.DataFrame, codebook: Codebook) -> list[tuple[str, str, str, str]]:
    """What a column of several answers names that is no item: the parts of each cell, at its marks or else blanks."""
    spelt = {text: name.removeprefix(f"{group}_") for text, name in spelt_items(group, codebook).items()}
    texts = [] if isinstance(column, pd.DataFrame) else [plain(cell) for cell in column.unique()]
    cells = [text for text in texts if in_order(text, spelt) is None]
    parts = [
        part.strip() for text in cells for part in (SEVERAL.split(text)[::2] if SEVERAL.search(text) else text.split())
    ]
    other = [
        p for p in dict.fromkeys(parts) if p and fold(p) not in spelt and shown(p) != HIDDEN and not OBEYED.search(p)
    ]
    return _offered(group, other, spelt) if len(other) <= CODES_EACH * len(codebook.members(group)) + CODES_MORE else []


def _offered(name: str, cells: Sequence[str], spellings: Mapping[str, str]) -> list[tuple[str, str, str, str]]:
    near = [difflib.get_close_matches(fold(cell), spellings, n=1, cutoff=SURE) for cell in cells]
    return [("code", name, cell, spellings[own[0]] if own else "") for cell, own in zip(cells, near, strict=True)]
