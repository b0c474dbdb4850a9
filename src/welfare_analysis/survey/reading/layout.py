"""Rows under a header: each cell as it was written or stored, each row with its number in the file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from ...errors import WelfareError
from .faults import UNNAMED, fault_at
from .personal import header_shown
from .programs import ADDED, is_added, own_name, wrote
from .spelling import clean, fold, listed

MOST_COLUMNS = 2_000
MOST_ROWS = 2_000_000
ROWS_TO_HEADER = 20
CHUNK = 20_000
LONGEST_HEADER = 500  # of a question in words behind its groups
LAST = 3  # rows of a file that may hold totals
LIKE_NAMES = 5  # cells of a form that are spelt as names are fewer
MOST_LEVELS = 1_000  # cells of a column, each once; with more it holds keys or sums
TOTALS, BESIDE_TOTALS = listed("total"), listed("beside total")
RELATIVES = listed("relatives")
PLACE = re.compile(r"(\d+)(?:(?:st|nd|rd|th)[_ ]choice)?")  # a column of a ranking: 1st_choice, or [1]
# a group of one member of a roster: household[0], person 1
MEMBER = re.compile(rf"\[\d+\]?$|(?:{'|'.join(sorted(listed('people') | listed('household')))})\s?\d+$")
OTHER = re.compile(rf"_(?:{'|'.join(listed('other'))})$")  # behind a question: its answer in words
SEPARATORS = re.compile(r"__|[/\\|>.:\-\[]")  # between the groups of a form, its question and an answer
Note = tuple[str, str, int]
Row = Sequence[Hashable]
CELLS = pa.dictionary(pa.int32(), pa.large_string())  # text, each distinct cell once
Bulk = tuple[int, list[pa.DictionaryArray]]  # the number of a row, and the columns of it and all that follow


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a file.

    ``frame`` has a column a header cell and the row of the file as its index; blanks are ``""``. ``notes`` say what was
    accepted (column, what, how often), ``faults`` what could not be laid under the header. ``unticked`` are columns in
    which ``no`` only says that an item of a list was not ticked, ``repeats`` the sheets of repeated groups. ``letters``
    are those of a spreadsheet's columns, ``reviews`` counts forms by review state, ``sources`` are the files that were
    joined, ``keys`` those that the program gave its forms.
    """

    path: Path
    frame: pd.DataFrame
    header: int = 1
    sheet: str = ""
    notes: list[Note] = field(default_factory=list)
    faults: list[pd.DataFrame] = field(default_factory=list)
    unticked: frozenset[str] = frozenset()
    repeats: tuple[Cells, ...] = ()
    letters: Mapping[str, str] = field(default_factory=dict)
    reviews: Mapping[str, int] = field(default_factory=dict)
    sources: tuple[Cells, ...] = ()
    keys: pd.Series = field(default_factory=lambda: pd.Series(dtype=object))

    def letter(self, name: str) -> str:
        """The letter of a column, or of the one column that it was taken from; nothing where there is none."""
        whole = [own for own in self.letters if name.startswith(f"{own}_") or own.startswith(f"{name}/")]
        return self.letters.get(name) or (self.letters[whole[0]] if whole else "")


class NoHeader(WelfareError):  # noqa: N818 - what it says, not that it is an error
    """No row of a file looks like a header of the codebook."""


@dataclass(frozen=True)
class Known:
    """What a header may hold.

    Attributes
    ----------
    names : frozenset of str
        Columns of the codebook and questions of several answers.
    spelt : mapping
        Other wordings of a name, folded.
    groups : mapping
        Groups of the form by their folded names and titles: what may stand before a name.
    within : mapping
        Names by group and folded wording, where several groups share the wording.
    given : mapping
        What a map says of foreign headers.
    any_header : bool
        Whether the first of the rows with most words is a header, whatever it holds.
    numeric, missing : frozenset of str
        Questions that are answered by a number, and folded words for what is not known or refused.
    """

    names: frozenset[str]
    spelt: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    within: Mapping[tuple[str, str], str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    any_header: bool = False
    numeric: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()

    def __contains__(self, name: object) -> bool:
        """Whether it is a name of the codebook, or a place of a ranking."""
        ranking, _, place = str(name).partition("/")
        return name in self.names or (place.isdecimal() and ranking in self.names)

    def named(self, text: str) -> str:
        """The name that a text stands for, or nothing; case, blanks and hyphens make no difference."""
        if text.startswith("_") and text not in self.names:
            return ""  # a calculation of the form
        text = re.sub(r"^\d+(\.\d+)*\s*[.)\-]\s+", "", text)  # the number of the question
        simple = "_".join(text.casefold().replace("-", " ").replace("_", " ").split())
        code, _, question = text.partition(". ")  # code and text, as LimeSurvey exports them
        if code in self.names and self.spelt.get(fold(question)) == code:
            return code
        return text if text in self.names else simple if simple in self.names else self.spelt.get(fold(text), "")


def names_of(row: Iterable[Hashable], known: Known) -> list[str]:
    """Header cells as column names.

    A name is what a map says, what a collecting program adds, the codebook's name or its words, also behind a form's
    groups; else it is the text as it stands.
    """
    header = [clean(str(cell)) for cell in row]
    program = wrote(header)
    return _behind_own_groups(header, [_name(text, known, program) for text in header], known)


def _name(text: str, known: Known, program: bool) -> str:
    if text in known.given:
        return known.given[text]
    if text not in known and is_added(own_name(text), program):
        return ADDED + own_name(text)
    group, _, last = text.rpartition("-")
    if program and group and last in known.names and text not in known.spelt:
        return _behind_groups(text, known) or text  # tenure in a group home, of ODK Central, is not home_tenure
    item, mark, _ = text.partition("]. ")  # code and text of an item, as LimeSurvey exports them
    texts = (text, item + "]") if mark else (text,)
    behind = (_behind_groups(one, known) for one in texts if len(one) <= LONGEST_HEADER)
    return known.named(text) or next(filter(None, behind), "") or text


def _behind_groups(text: str, known: Known) -> str:
    """The name behind groups of the form (``block_housing-own/bath``), or nothing: others mean something else."""
    for mark in SEPARATORS.finditer(text):
        group = known.groups.get(fold(text[: mark.start()]), "")
        if group:
            last = text[mark.end() :].removesuffix("]" if mark[0] == "[" else "").strip()
            place, item = PLACE.fullmatch(last), f"{group}_{last}"
            if place:
                return f"{group}/{place[1]}"
            name = item if item in known else known.within.get((group, fold(last)), "") or known.named(last)
            name = name or _behind_groups(last, known)
            if name:
                return name
    return ""


def _behind_own_groups(header: list[str], names: list[str], known: Known) -> list[str]:
    """Names behind groups that an institution gave its form, for the questions of ours in them.

    A group counts where more of its columns end in names than do not, and there are two such columns; one of relatives
    never does, nor a name that the header has twice.
    """
    ends: dict[int, tuple[str, str]] = {}
    for i, text in enumerate(header):
        if names[i] in known or names[i].startswith(ADDED) or len(text) > LONGEST_HEADER:
            continue
        for mark in SEPARATORS.finditer(text):
            group, last = text[: mark.start()], text[mark.end() :]
            name = known.named(last) or _behind_groups(last, known)
            if name and RELATIVES.isdisjoint(re.findall(r"[^\W\d_]+", fold(group))) and not MEMBER.search(fold(group)):
                ends[i] = group, name
                break
    often, members = Counter([*names, *(name for _, name in ends.values())]), Counter(g for g, _ in ends.values())
    rest = [t for i, t in enumerate(header) if i not in ends and not names[i].startswith(ADDED) and not OTHER.search(t)]
    for group in members:
        others = sum(text.startswith(group) and bool(SEPARATORS.match(text, len(group))) for text in rest)
        members[group] *= members[group] > others
    if sum(members.values()) > 1:
        for i in [i for i, (group, name) in ends.items() if members[group] and often[name] == 1]:
            names[i] = ends[i][1]
    return names


def names_found(rows: Iterable[Row], known: Known) -> list[int]:
    """How many names of the codebook each row holds; an answer that is spelt as one may stand there twice."""
    return [len({name for name in names_of(row, known) if name in known}) for row in rows]


def lay_out(path: Path, rows: Iterable[tuple[int, Row]], known: Known, sheet: str = "", pad: bool = False) -> Cells:
    """Rows (their number in the file, their cells) under the header, the one of the first rows with most known names.

    A row of another length is a fault; with ``pad`` a shorter row ends in blanks, as in a workbook.

    Raises
    ------
    WelfareError
        No header, or too many columns.
    """
    source, rows = rows, iter(rows)
    first = list(islice(rows, ROWS_TO_HEADER))
    matches = names_found((row for _, row in first), known)
    place = matches.index(1) if max(matches, default=0) == 1 else 0  # an answer may be spelt as a name
    if any(_extent(row) >= _extent(first[place][1]) for _, row in first[:place]):
        matches = [0] * len(matches)
    lone = (re.split("[,;\t|]", str(row[0])) for _, row in first if _extent(row) == 1)
    if not any(matches) and max(names_found(lone, known), default=0) > 1:
        hint = "In a spreadsheet: Data, Text to Columns, from the separator on; or open the CSV by Data, From Text/CSV."
        raise WelfareError("each row stands in a single cell", where=f"{path.name} {sheet}".strip(), hint=hint)
    if not any(matches) and known.any_header:
        matches = [sum(bool(re.search(r"[^\W\d_]", str(c))) for c in row) or int(filled(row)) for _, row in first]
    if not any(matches):
        what = "no column of the codebook is in the first rows"
        hint = "The header row holds the names of data/codebook/variables.csv; `make check` drafts a map for others."
        raise NoHeader(what, where=f"{path.name}, sheet {sheet}" if sheet else path.name, hint=hint)
    if names_found([[row[0] for _, row in first if row]], known)[0] > max(2, *matches):
        hint = "Copy the table, and paste it with Paste special, Transpose."
        raise WelfareError("the questions stand in the first column, and forms in columns", where=path.name, hint=hint)
    place = _place(matches, [row for _, row in first])
    header, cells = first[place]
    names = names_of(cells, known)
    named = _extent(names)
    if named > MOST_COLUMNS:
        raise WelfareError("too many columns", where=path.name, got=named, expected=f"at most {MOST_COLUMNS:,}")
    # a header that was merged ends before the answers under it do
    width = max(len(names), *(_extent(row) for _, row in first[place:])) if pad else len(names)
    names = [*names, *[""] * (width - len(names))][: max(named, min(width, MOST_COLUMNS))]
    above = sum(filled(row) for _, row in first[:place])
    respelt = [(name, c) for name, c in zip(names, cells, strict=False) if name in known and str(c).strip() != name]
    notes = [("", "rows above the header left out", above)] if above else []
    ours = {c for _, c in respelt if _name(clean(str(c)), known, wrote(map(str, cells))) in known}
    other = "of a group of the form's own, {}: make sure that it asks this"
    notes += [
        (name, "another spelling of the column's name" if c in ours else other.format(header_shown(c)), 1)
        for name, c in respelt
    ]
    rest = first[place + 1 :]
    if rest and is_tags(rest[0][1]):
        rest, notes = rest[1:], [*notes, ("", "a row of HXL tags under the header left out", 1)]
    elif rest and _asks_again(names, rest[0][1], known):
        rest, notes = rest[1:], [*notes, ("", "a row of questions under the header left out", 1)]
    at_once = getattr(source, "columns", None) if len(names) == len(cells) else None  # of a text: what is left
    bulk = at_once(len(cells)) if at_once else None
    frame, faults = _under(path, names, rest if bulk else chain(rest, rows), header, 0 if pad else named, bulk)
    frame, n, others = _one_header(frame, [text for text, name in zip(cells, names, strict=False) if name], known)
    notes += [("", "rows that repeat the header left out", n)] if n else []
    frame, totals = _no_totals(frame)
    return Cells(path, frame, header, sheet, notes, [*faults, *others, *totals], letters=lettered(names))


def _place(matches: list[int], rows: list[Row]) -> int:
    """The place of the header: the row with most names, unless forms stand between it and an earlier header."""
    best = matches.index(max(matches))
    for place in range(best):
        own = sum(filled([cell]) for cell in rows[place])
        if matches[place] > 1 and 2 * matches[place] >= own and any(map(filled, rows[place + 1 : best])):
            return place
    return best


def filled(row: Row) -> bool:
    """Whether a row has anything but blanks."""
    return any(c != "" and not (isinstance(c, str) and not clean(c)) for c in row)


def is_tags(row: Row) -> bool:
    """Whether a row holds HXL tags (``#status``), which KoboToolbox exports under the header."""
    tags = [c for c in row if filled([c])]
    return bool(tags) and all(isinstance(c, str) and re.fullmatch(r"#[a-z]\w*([ +]+\w+)*", clean(c)) for c in tags)


def _asks_again(names: list[str], row: Row, known: Known) -> bool:
    """Whether a row has the questions of a header of names, or the names of one of questions."""
    same = [own == name for own, name, c in zip(names_of(row, known), names, row, strict=False) if filled([c])]
    return sum(same) > 1 and 2 * sum(same) >= len(same)


def _one_header(frame: pd.DataFrame, texts: Row, known: Known) -> tuple[pd.DataFrame, int, list[pd.DataFrame]]:
    """The forms under one header, how often it stands there again, as it is or in words, and a fault of another one."""
    often = Counter[int]()
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        levels = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else column.unique()
        if len(levels) <= MOST_LEVELS:
            words = [cell for cell in levels if isinstance(cell, str) and not cell[:1].isdigit()]
            said = [cell for cell in words if cell == texts[place] or names_of([cell], known)[0] in known]
            often.update(frame.index[column.isin(said)] if said else ())
    gone, header = list[int](), [name if name in known else "" for name in frame]
    least = max(2, min(LIKE_NAMES, frame.shape[1] // 2))
    for number in sorted(number for number, n in often.items() if n >= least):
        row = list(frame.loc[number])
        names = [name if name in known else "" for name in names_of(row, known)]
        if names == header or row == list(texts):
            gone.append(number)
        elif 2 * sum(map(bool, names)) >= sum(filled([cell]) for cell in row):
            rule = "one header; here another one begins, with other columns or in another order"
            todo = 'Save it and what stands below as a file of its own, and name both: SURVEY="a.csv b.csv"'
            return frame[frame.index < number].drop(gone), len(gone), [fault_at(number, "", "", rule, todo)]
    return frame.drop(gone), len(gone), []


def _no_totals(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """The rows of forms; a row of totals at the end is one fault."""
    faults, rule = [], "a form, not a row of totals"
    for number, row in frame.tail(LAST).iterrows():
        said = [(name, c) for name, c in row.items() if isinstance(c, str) and _of_totals(c)]
        for name, text in said[:1]:
            faults.append(fault_at(int(str(number)), str(name), clean(text), rule, "Remove the row."))
    return frame.drop([int(part["row"].iloc[0]) for part in faults]), faults


def _of_totals(text: str) -> bool:
    words = set(re.findall(r"[^\W\d_]+", fold(text)))
    return words <= TOTALS | BESIDE_TOTALS and bool(words & TOTALS or len(words) > 1)


def _extent(row: Row) -> int:
    """The place of the last cell that is not blank."""
    return max((i for i, c in enumerate(row, 1) if filled([c])), default=0)


def limit_rows(path: Path, n: int) -> None:
    """Refuse a file that has more rows than any survey of ours."""
    if n > MOST_ROWS:
        raise WelfareError("too many rows", where=path.name, expected=f"at most {MOST_ROWS:,}")


def _under(
    path: Path, names: list[str], rows: Iterable[tuple[int, Row]], header: int, least: int, bulk: Bulk | None = None
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    width, numbers, faults = len(names), list[int](), list[pd.DataFrame]()

    def whole() -> Iterator[Row]:
        for number, row in rows:
            if not filled(row):
                continue
            limit_rows(path, len(numbers) + len(faults) + 1)
            if len(row) < least or filled(row[width:]):
                rule = f"as many cells as the header, {least or width}, not {len(row) if least else _extent(row)}"
                todo = "Look for a separator or a quotation mark inside a cell, or for a row that was cut off."
                faults.append(fault_at(number, "", "", rule, todo))
            else:
                numbers.append(number)
                yield row[:width] if len(row) >= width else [*row, *[""] * (width - len(row))]

    left, parts = whole(), list[list[pa.Array | pd.Series]]()
    while chunk := list(islice(left, CHUNK)):
        parts.append([_column(values) for values in zip(*chunk, strict=True)])
    if bulk:
        parts.append(_filled(*bulk, numbers))
        limit_rows(path, len(numbers) + len(faults))
    columns = {i: _whole([part[i] for part in parts if part]) for i in range(width)}
    frame = pd.DataFrame(columns, columns=range(width)).set_axis(pd.Index(numbers, dtype=np.int64), axis=0)
    for i in [i for i, name in enumerate(names) if not name]:
        if (frame[i] != "").any():
            letter = column_letter(i + 1)
            faults.append(fault_at(header, letter, "", UNNAMED, f"Name column {letter}, or empty it."))
    kept = [i for i, name in enumerate(names) if name]
    return frame[kept].set_axis([names[i] for i in kept], axis=1), faults


def _filled(first: int, columns: list[pa.DictionaryArray], numbers: list[int]) -> list[pa.Array]:
    """Columns without the rows that are blank; the numbers of the others are added to those of the rows before."""
    blank = np.arange(len(columns[0]))
    for column in sorted(columns, key=lambda column: len(column.dictionary)):
        nothing = np.array([not filled([cell]) for cell in column.dictionary.to_pylist()] if len(blank) else [], bool)
        blank = blank[nothing[column.indices.to_numpy()[blank]]]
    kept = np.delete(np.arange(len(columns[0])), blank)
    numbers += (first + kept).tolist()
    return [column.cast(pa.large_string()).take(kept) for column in columns] if len(blank) else columns


def column_letter(number: int) -> str:
    """What a spreadsheet calls a column: A is 1, AA is 27."""
    before, last = divmod(number - 1, 26)
    return (column_letter(before) if before else "") + chr(ord("A") + last)


def lettered(names: Iterable[str]) -> dict[str, str]:
    """The letters of the columns of each name."""
    places: dict[str, list[str]] = {}
    for i, name in enumerate(names, 1):
        places.setdefault(name, []).append(column_letter(i))
    return {name: ", ".join(own) for name, own in places.items() if name}


def _column(values: Sequence[Hashable]) -> pa.Array | pd.Series:
    """Some cells of a column: text is kept compact."""
    try:
        return pa.array(values, pa.large_string())
    except (pa.ArrowTypeError, pa.ArrowInvalid, UnicodeEncodeError):
        return pd.Series(list(values), dtype=object)


def _whole(parts: Sequence[pa.Array | pd.Series]) -> pd.Series:
    """A column of all its parts; of text each distinct cell is stored once."""
    if all(isinstance(part, pa.Array) for part in parts):
        return pa.chunked_array([part.dictionary_encode() for part in parts], CELLS).to_pandas()
    cells = [part if isinstance(part, pd.Series) else pd.Series(part.to_pylist(), dtype=object) for part in parts]
    return pd.concat(cells, ignore_index=True)
