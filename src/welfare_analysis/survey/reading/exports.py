"""What collecting programs export becomes the columns of the codebook: KoboToolbox, ODK, and what looks like them.

A header may carry the groups of the form (``block_housing/tenure``, with ``/``, ``.`` or ``-``) or be the question in
any of the three languages. A question of several answers may be one column (``camps hajj``) or a column an answer
(``promotion/camps``, 0 and 1); a ranking one column in order, or a column a place (``priority/1st_choice``). What the
program adds for itself is left out and reported.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd

from ..codebook import LANGUAGES, Codebook
from .faults import fault
from .layout import Cells, Known, Note
from .repeats import rolled_up
from .spelling import fold, plain

ADDED = re.compile(
    r"^(_.*|meta/.*|formhub/.*|start|end|today|deviceid|subscriberid|simserial|phonenumber|username|KEY|SubmissionDate|"
    r"instanceID|instanceName|SubmitterID|SubmitterName|AttachmentsPresent|AttachmentsExpected|Status|ReviewState|"
    r"DeviceID|Edits|FormVersion|parent_.*|.*/note_.*|note_.*|.*/(_draw|_chance)_.*)$"
)
RANKED = re.compile(r"^(?P<group>\w+)/(?P<place>\d+)(?:st|nd|rd|th)[_ ]choice$")
VERSION = ("__version__", "FormVersion")
Taken = tuple[pd.DataFrame, list[Note], list[pd.DataFrame]]
MARKS = {"1": "yes", "0": "no", "1.0": "yes", "0.0": "no"}


@lru_cache(maxsize=8)
def header_names(codebook: Codebook, *others: str) -> Known:
    """Names that a header may hold: variables and groups, their questions in words, and the groups of the form."""
    found: dict[str, set[str]] = {}
    within: dict[tuple[str, str], str] = {}
    groups = {fold(f"block_{block}"): block for block in codebook.blocks}
    for language in LANGUAGES:
        for block in codebook.blocks:
            if f"block.{block}" in codebook.texts.index:
                groups[fold(codebook.text(f"block.{block}", language))] = block
        for name, line in codebook.groups.iterrows():
            groups |= {fold(str(name)): str(name), fold(line[f"label_{language}"]): str(name)}
            found.setdefault(fold(line[f"label_{language}"]), set()).add(str(name))
        for name, line in codebook.lines.items():
            for text in {fold(line[f"label_{language}"]), fold(codebook.asks(name, language))}:
                found.setdefault(text, set()).add(name)
                within |= {(place, text): name for place in (line["group"], line["block"]) if place}
    spelt = {label: own.pop() for label, own in found.items() if len(own) == 1}
    names = frozenset([*codebook.variables.index, *codebook.groups.index, *others])
    return Known(names, spelt, groups, within)


def understood(cells: Cells, codebook: Codebook) -> Cells:
    """The cells with one column a stored answer; what cannot be taken apart is a fault."""
    if cells.frame.columns.has_duplicates:
        return cells
    frame, notes = rolled_up(cells, codebook)
    frame, said = _without_added(frame, set(codebook.variables.index))
    notes, faults = [*notes, *said], list(cells.faults)
    for group, kind in codebook.groups["kind"].items():
        take = {"multiple": _multiple, "ranking": _ranking}.get(str(kind))
        if take is not None:
            members = list(codebook.variables.index[codebook.variables["group"] == group])
            frame, said, wrong = take(frame, str(group), members, codebook)
            notes, faults = [*notes, *said], [*faults, *wrong]
    made = frozenset(str(n) for n in frame if n not in cells.frame or any(n == note[0] for note in notes))
    return replace(cells, frame=frame, notes=[*cells.notes, *notes], faults=faults, unticked=cells.unticked | made)


def _without_added(frame: pd.DataFrame, known: set[str]) -> tuple[pd.DataFrame, list[Note]]:
    added = [name for name in frame if name not in known and ADDED.match(str(name))]
    notes: list[Note] = [("", "columns of the collecting program left out", len(added))] if added else []
    for name in set(VERSION) & set(frame):
        count = frame[name].astype(str).replace("", pd.NA).nunique()
        notes += [(str(name), "versions of the form among the answers", count)] if count > 1 else []
    return frame.drop(columns=added), notes


def _multiple(frame: pd.DataFrame, group: str, members: list[str], codebook: Codebook) -> Taken:
    """A question with several answers: from one column, or from one an answer marked 0 and 1."""
    notes: list[Note] = []
    marked = [name for name in members if name in frame]
    for name in marked:
        distinct = {plain(cell) for cell in frame[name].unique()} - {""}
        if distinct and distinct <= set(MARKS):
            text = _texts(frame[name])
            frame = frame.assign(**{name: text.map(MARKS).fillna("")})
            notes.append((name, "1 and 0 read as yes and no", int((text != "").sum())))
    if group not in frame or marked:
        return frame.drop(columns=[n for n in (group,) if n in frame]), notes, []
    which, wordings = pd.factorize(_texts(frame[group]))
    items = _items(members, group, codebook)
    chosen = [_in_order(text, items) for text in wordings]
    columns = {}
    for name in members:
        told = ["" if not text else _yes(name in (part or [])) for text, part in zip(wordings, chosen, strict=True)]
        columns[name] = pd.Series([told[c] for c in which], index=frame.index, dtype=object)
    wrong = pd.Series([chosen[c] is None for c in which], index=frame.index)
    notes.append((group, "one column of several answers taken apart", int((_texts(frame[group]) != "").sum())))
    return frame.assign(**columns).drop(columns=group), notes, [_left_over(wrong, frame[group], group, members)]


def _texts(cells: pd.Series) -> pd.Series:
    """The plain text of each cell: each distinct cell once."""
    which, distinct = pd.factorize(cells)
    return pd.Series(np.array([plain(cell) for cell in distinct], dtype=object)[which], index=cells.index)


def _yes(told: bool) -> str:
    return "yes" if told else "no"


def _left_over(wrong: pd.Series, cells: pd.Series, group: str, members: list[str]) -> pd.DataFrame:
    few = " ".join(name.removeprefix(f"{group}_") for name in members)
    return fault(wrong, group, cells, f"codes of {few}, each once, with blanks between", "Write the codes.")


def _items(members: list[str], group: str, codebook: Codebook) -> dict[str, str]:
    """Folded codes and labels of the items of a group, longest first."""
    found = {}
    for name in members:
        line = codebook.variables.loc[name]
        for text in (name.removeprefix(f"{group}_"), name, *(line[f"label_{language}"] for language in LANGUAGES)):
            found[fold(text)] = name
    return dict(sorted(found.items(), key=lambda pair: -len(pair[0])))


def _in_order(text: str, items: dict[str, str]) -> list[str] | None:
    """The items that a cell names, in order; None if something is left over or named twice."""
    found: list[str] = []
    for marks in (r"[;|\n]+", r"[;|,\n]+"):  # a label may hold a comma
        pieces = [fold(piece) for piece in re.split(marks, text) if piece.strip()]
        found = [items[piece] for piece in pieces if piece in items]
        if len(found) == len(pieces):
            break
    else:
        rest, found = fold(re.sub(r"[;|\n]+", " ", text)), []
        while rest:
            item = next((item for item in items if rest == item or rest.startswith(f"{item} ")), None)
            if item is None:
                return None
            found.append(items[item])
            rest = rest[len(item) :].strip()
    return found if len(set(found)) == len(found) else None


def _ranking(frame: pd.DataFrame, group: str, members: list[str], codebook: Codebook) -> Taken:
    """A ranking: items in order in one column, or one column a place, become the place of each item."""
    places = {name: int(m["place"]) for name in frame if (m := RANKED.match(str(name))) and m["group"] == group}
    used = [name for name in (group, *places) if name in frame]
    if not used or any(name in frame for name in members):
        return frame.drop(columns=used), [], []
    if group in frame:
        texts = _texts(frame[group])
    else:
        ordered = frame[sorted(places, key=lambda name: places[name])].map(plain)
        texts = ordered.agg(lambda row: "\n".join(cell for cell in row if cell), axis=1)
    which, wordings = pd.factorize(texts)
    items = _items(members, group, codebook)
    orders = [_in_order(text, items) for text in wordings]
    columns = {}
    for name in members:
        told = [str(order.index(name) + 1) if order and name in order else "" for order in orders]
        columns[name] = pd.Series([told[c] for c in which], index=frame.index, dtype=object)
    wrong = pd.Series([orders[c] is None for c in which], index=frame.index)
    notes: list[Note] = [(group, "items in order read as places", int((texts != "").sum()))]
    return frame.assign(**columns).drop(columns=used), notes, [_left_over(wrong, texts, group, members)]
