"""A file of answers, a register or a follow-up, read whole: a frame, or all its faults."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ...errors import WelfareError
from .. import doubts
from ..codebook import Codebook
from . import rules
from .cells import Question
from .columns import Column, read_column, read_key
from .exports import header_names, understood
from .faults import STRIDE, fault, fault_at
from .files import joined, load_forms
from .guessing import guesser
from .layout import Cells, Note
from .mapping import Map, draft
from .margins import MARGINS, Margins, is_margins, margins
from .personal import header_shown
from .placing import raise_all
from .reviews import once
from .selection import COLLECTED, DESIGN, FOLLOWUP, OUTCOMES, collected, design_columns, followed_up, sampled, unusable
from .spelling import fold, texts

REGISTER = ("person_id", "status", "sex", "age", "rank", "command")
# whom `stratum_population` counts
OF_WHOM = {"FOLLOWUP": "did not return the form", "RECHECK": "answered, by the form or in the follow-up"}
NEAR = 0.8  # how alike a header and a name must be for the one to be proposed for the other
Paths = str | Path | Sequence[str | Path]
Names = tuple[str, ...]
Columns = Mapping[str, pd.Series]


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers as typed columns, the kind of each missing one, and what was accepted on the way.

    ``reviews`` counts the forms of an export by review state; those rejected, not completed or not submitted are not
    in the frame. It is empty where no program keeps states.
    """

    frame: pd.DataFrame
    missing: pd.DataFrame
    report: pd.DataFrame
    blocks: tuple[str, ...]
    reviews: Mapping[str, int] = field(default_factory=dict)


def read(path: Paths, codebook: Codebook, names: Map | None = None, omit: str | None = None) -> Answers:
    """Read answers, one row a form: CSV, XLSX, Parquet, SPSS or Stata, and what collecting programs export.

    Parameters
    ----------
    path : path or sequence of paths
        A file, or several, a folder or a ZIP whose files are read one under the other, with their repeated groups.
    codebook : Codebook
        What was asked.
    names : Map, optional
        Of the columns and codes of a foreign file.
    omit : str, optional
        ``orphans`` leaves out rows of a repeated group whose form is not there; where None, as OMIT says.

    Returns
    -------
    Answers
        Codes as categoricals in the codebook's order, numbers as float64 with nan where missing, keys as text.

    Raises
    ------
    Faults
        Everything that is wrong with the content, in one table.
    WelfareError
        A file that cannot be read at all, or lacks every block.
    """
    return _answers(_load(path, codebook, names, omit=omit), codebook)


def read_register(path: str | Path, codebook: Codebook, names: Map | None = None) -> Answers | Margins:
    """Read the frame of persons: person_id, status, sex, age, rank, command; as `read`, and nothing may be missing.

    A table of `margins` (variable, category, count) stands for it where no list of persons is to be had.
    """
    cells = _load(path, codebook, names)
    return margins(cells, codebook, names.codes if names else {}) if is_margins(cells) else _register(cells, codebook)


def read_followup(path: str | Path, codebook: Codebook, names: Map | None = None) -> Answers:
    """Read the follow-up: one row a selected person, with stratum, stratum_population and outcome; as `read`."""
    return _followup(_load(path, codebook, names), codebook)


def read_recheck(path: str | Path, codebook: Codebook, names: Map | None = None) -> Answers:
    """Read a recheck (`survey.recheck`): one row a person drawn of those who answered; as `read_followup`."""
    return _followup(_load(path, codebook, names), codebook, "RECHECK")


def read_any(path: Paths, codebook: Codebook, names: Map | None = None, variable: str = "") -> tuple[str, Answers]:
    """Read a file as what its ``variable`` (REGISTER, FOLLOWUP, RECHECK) or else its columns say that it is.

    That is ``follow-up``, ``recheck``, ``register``, ``margins of a register`` or ``answers``.
    """
    cells, known = _load(path, codebook, names), variable in ("REGISTER", "FOLLOWUP")
    present = set(cells.frame.columns)
    if variable == "RECHECK":
        return "recheck", _followup(cells, codebook, variable)
    if variable == "FOLLOWUP" or (not known and present & set(FOLLOWUP[1:])):
        return "follow-up", _followup(cells, codebook)
    if is_margins(cells):
        return "margins of a register", _as_answers(margins(cells, codebook, names.codes if names else {}))
    if known or present == set(REGISTER):
        return "register", _register(cells, codebook)
    return "answers", _answers(cells, codebook)


def read_log(path: Paths, codebook: Codebook) -> pd.DataFrame:
    """Read a log of what was asked at stops, a row a question; ``codebook`` is that of the log.

    Parameters
    ----------
    path, codebook : path or sequence of paths, Codebook
        As for `read`; of `Codebook.of_questions`.

    Returns
    -------
    DataFrame
        Codes as categoricals, the day as ``date``. A column that the form does not ask is a fault: none may say who.

    Raises
    ------
    Faults
        As `read`; a day that is missing, or further than a year from the middle one.
    """
    cells, needed = _load(path, codebook), codebook.variables["required"] == "yes"
    checked = _check(cells, codebook, (*codebook.variables.index[needed], "date"), ("date",))
    raw = cells.frame.loc[:, ~cells.frame.columns.duplicated(keep=False)]
    given, faults = collected(raw, codebook)
    if "date" in given:
        faults.append(fault(texts(raw["date"]) == "", "date", "", "the day of the stop", "Write it, as 2026-11-29."))
    return checked.answers("LISTENING", given, faults).frame


def draft_map(path: Paths, codebook: Codebook, names: Map | None = None) -> pd.DataFrame:
    """A map to begin with for a file whose columns or codes are not those of the codebook.

    With the map of a first round, ``names``, the draft keeps its lines and adds the codes of the columns that it named.
    """
    sources = _sources(path, codebook, names, any_header=True)
    return draft(_together(sources, codebook), sources, codebook, names)


def _load(path: Paths, codebook: Codebook, names: Map | None = None, omit: str | None = None) -> Cells:
    sources = _sources(path, codebook, names)
    _refuse_others(sources)
    return _together(sources, codebook, omit)


def _sources(path: Paths, codebook: Codebook, names: Map | None, any_header: bool = False) -> list[Cells]:
    known = replace(header_names(codebook, *FOLLOWUP, *MARGINS, *DESIGN, *COLLECTED), any_header=any_header)
    known = replace(known, given=names.headers) if names else known
    paths = [Path(path)] if isinstance(path, str | Path) else [Path(one) for one in path]
    return [names.applied(cells) if names else cells for cells in load_forms(paths, known)]


def _together(sources: Sequence[Cells], codebook: Codebook, omit: str | None = None) -> Cells:
    without = doubts.ORPHANS in doubts.wishes(omit=omit)["OMIT"]
    return once(joined([understood(cells, codebook, without) for cells in sources]))


def _refuse_others(sources: Sequence[Cells]) -> None:
    """Refuse what is no file of forms among several: a register, a follow-up, and the same forms once more."""
    for place, cells in enumerate(sources):
        names, where = set(cells.frame.columns), f"{cells.path.name} {cells.sheet}".strip()
        other = "REGISTER" if names in (set(REGISTER), set(MARGINS)) else "FOLLOWUP" if set(FOLLOWUP) <= names else ""
        if other and len(sources) > 1:
            hint = f"Name the files of forms one by one, and this one with {other}=."
            raise WelfareError("this is no file of forms", where=where, got=other.lower(), expected="forms", hint=hint)
        for earlier in sources[:place]:
            if _same(cells.frame, earlier.frame):
                got = f"{earlier.path.name} {earlier.sheet}".strip()
                hint = "Name the forms once, or take the copy out of the folder."
                raise WelfareError("the same forms are in two files", where=where, got=got, hint=hint)


def _same(one: pd.DataFrame, two: pd.DataFrame) -> bool:
    """Whether two files have the same cells under the same header, whatever their kind."""
    if one.shape != two.shape or list(one) != list(two) or one.empty:
        return False
    columns = ((texts(frame.iloc[:, i]).to_numpy() for frame in (one, two)) for i in range(one.shape[1]))
    return all((first == second).all() for first, second in columns)


def _as_answers(counts: Margins) -> Answers:
    """Margins in the form of what `read_any` gives: a row a category."""
    long = pd.concat(counts, names=["variable", "category"]).rename("count").reset_index()
    return Answers(long, pd.DataFrame(), pd.DataFrame(columns=["column", "what", "n"]), tuple(counts))


def _answers(cells: Cells, codebook: Codebook) -> Answers:
    own = design_columns(dict.fromkeys(cells.frame))
    checked = _check(cells, codebook, required=("status", *DESIGN[: bool(own)]), extra=(*own, *COLLECTED))
    raw = cells.frame.loc[:, ~cells.frame.columns.duplicated(keep=False)]
    (design, faults), (given, odd) = sampled(raw.filter(own)), collected(raw, codebook)
    if own:
        checked.notes.append(("weight", f"the sampling design of the file: {', '.join(own[:6])}", len(cells.frame)))
    if nobody := int((design["weight"] == 0).sum()) if "weight" in design else 0:
        checked.notes.append(("weight", "forms whose weight is 0: they count for nobody", nobody))
    answers = checked.answers("SURVEY", design | given, [*faults, *odd, *unusable(design, cells.header)])
    if len(checked.columns) < 2:
        expected = "the status and one further question"
        raise WelfareError("no block of questions is there", where=cells.path.name, expected=expected)
    return answers


def _register(cells: Cells, codebook: Codebook) -> Answers:
    checked = _check(cells, codebook, required=REGISTER)
    rule, todo = "a value for everybody in the register", "Complete it from the register."
    everybody = pd.Series(False, index=cells.frame.index)
    for name in (n for n in REGISTER[2:] if n in checked.columns):
        checked.faults.append(_required(name, checked.columns[name], everybody, cells.header, rule, todo))
    return checked.answers("REGISTER")


def _followup(cells: Cells, codebook: Codebook, variable: str = "FOLLOWUP") -> Answers:
    raw = cells.frame
    extra: dict[str, pd.Series] = {}
    faults: list[pd.DataFrame] = []
    absent = pd.Series(False, index=raw.index)
    if not raw.columns.has_duplicates and set(FOLLOWUP) <= set(raw.columns):
        (extra, faults), (given, odd) = followed_up(raw, OF_WHOM[variable]), collected(raw, codebook)
        extra, faults = extra | given, faults + odd
        absent = extra["outcome"] != OUTCOMES[0]
    silent = extra["outcome"].isin(OUTCOMES[1:]) if extra else absent
    checked = _check(cells, codebook, required=("person_id", *FOLLOWUP), extra=(*FOLLOWUP, *COLLECTED), absent=absent)
    for name, column in checked.columns.items():
        if name != "person_id":
            wrong = silent & (column.kinds == "answered")
            rule, todo = "blank where the person did not answer", "Empty the cell, or correct the outcome."
            faults.append(fault(wrong, name, column.values.astype(object), rule, todo))
    return checked.answers(variable, extra, faults)


@dataclass(frozen=True, eq=False)
class _Checked:
    cells: Cells
    blocks: Mapping[str, list[str]]
    columns: dict[str, Column]
    faults: list[pd.DataFrame]
    notes: list[Note]

    def answers(self, variable: str, given: Columns | None = None, faults: Sequence[pd.DataFrame] = ()) -> Answers:
        """The answers, with what else was read of the file; or all faults of the file that ``variable`` names."""
        raise_all(self.cells.sources or (self.cells,), [*self.faults, *faults], variable)
        values = {name: c.values for name, c in self.columns.items()} | dict(given or {})
        frame = pd.DataFrame(values).reset_index(drop=True)
        missing = pd.DataFrame({name: c.kinds for name, c in self.columns.items()}).reset_index(drop=True)
        notes = [*self.notes, *(note for c in self.columns.values() for note in c.notes)]
        blocks = tuple(block for block, names in self.blocks.items() if any(n in self.columns for n in names))
        report = pd.DataFrame(notes, columns=["column", "what", "n"])
        return Answers(frame, missing, report, blocks, self.cells.reviews)


def _check(cells: Cells, codebook: Codebook, required: Names, extra: Names = (), absent: Any = None) -> _Checked:
    """Every column read, and every fault found."""
    allowed = [*codebook.variables.index, *extra]
    faults = list(cells.faults)
    for i, source in enumerate(cells.sources or (cells,)):
        faults += [part.assign(row=part["row"] + i * STRIDE) for part in _header(source, allowed, required, codebook)]
    raw = cells.frame.loc[:, ~cells.frame.columns.duplicated(keep=False)]
    absent = pd.Series(False, index=raw.index) if absent is None else absent
    names = [name for name in codebook.variables.index if name in raw]
    types = codebook.variables["type"]
    keyed = {n: read_key(raw[n], n, cells.header) for n in names if types[n] == "key"}
    keys = frozenset(k for column in keyed.values() for k in column.values.to_numpy(object) if len(k) >= 5)
    needed = {n for n in names if n in required or codebook.lines[n]["required"]}
    columns = {n: read_column(raw[n], Question.of(codebook, n), keys, n in needed) for n in names if n not in keyed}
    columns = rules.routed(keyed | columns, codebook, absent, cells.unticked)
    for name, column in columns.items():
        if without := [i for i, source in enumerate(cells.sources) if name not in source.frame]:
            kinds = column.kinds.mask(pd.Index(raw.index // STRIDE).isin(without), "not_asked")
            columns[name] = column = replace(column, kinds=kinds)
        faults += column.faults
        if codebook.lines[name]["required"] and types[name] != "key":
            rule, todo = "an answer is required", "Fill it in from the form, or remove the row if it is no form."
            faults.append(_required(name, column, absent, cells.header, rule, todo))
    key = next((column.values.rename(name) for name, column in columns.items() if name in keyed), None)
    status = columns["status"].values if "status" in columns else None
    twice, notes = rules.repeated(raw, key, status)
    faults += [*twice, *rules.across(columns, raw, codebook), *rules.grouped(columns, codebook, cells.header)]
    return _Checked(cells, codebook.blocks, columns, rules.moved(raw, faults), [*cells.notes, *notes])


def _required(name: str, column: Column, absent: pd.Series, header: int, rule: str, todo: str) -> pd.DataFrame:
    gone = ~column.kinds.isin(["answered", "not_asked"]) & ~absent
    if gone.all() and len(gone):
        return fault_at(header, name, "", f"{rule}; the whole column is blank", todo)
    return fault(gone, name, "", rule, todo)


def _header(cells: Cells, allowed: list[Hashable], required: Names, codebook: Codebook) -> list[pd.DataFrame]:
    """Columns that are missing, doubled or unknown."""
    header = list(cells.frame.columns)
    names, guess = [str(name) for name in allowed], guesser(codebook, frozenset(header))
    faults, meant = [], set[str]()
    for name in dict.fromkeys(n for n in header if n not in allowed):
        alike = difflib.get_close_matches(fold(str(name)).replace(" ", "_"), names, n=1, cutoff=NEAR)
        near = alike[0] if alike else guess(str(name))
        free = near and near not in header
        meant |= {near} if free else set()
        rule = "a column of the codebook" + (f"; did you mean {near}?" if free else "")
        todo = f"Rename it {near}, or remove it." if free else "Remove it, or say in a map what it is."
        faults.append(fault_at(cells.header, str(name), header_shown(name), rule, todo))
    for name in dict.fromkeys(n for n in header if header.count(n) > 1):
        rule, todo = "a column name occurs once", f"Keep one of the columns {cells.letter(str(name))}."
        faults.append(fault_at(cells.header, str(name), header_shown(name), rule, todo))
    for name in required:
        if name not in header and name not in meant:
            faults.append(fault_at(cells.header, name, "", "this column is required", "Add it."))
    return [pd.concat(faults)] if faults else []  # of a thousand columns it is placed at once


def typed(frame: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """A frame that is known to be sound (generated, not received) in the types of `read`, without its checks."""
    columns: dict[Hashable, pd.Series] = {}
    for name in frame:
        kind = codebook.variables["type"].get(name, "key")
        if kind in ("integer", "amount"):
            number = frame[name].astype("Float64").astype(float)
            columns[name] = number.mask(number.isin([-98, -99]))
        elif kind == "key":
            columns[name] = frame[name]
        else:
            codes = pd.CategoricalDtype(codebook.codes(str(codebook.variables.loc[name, "list"])))
            columns[name] = frame[name].astype(codes)
    return pd.DataFrame(columns)
