"""What collecting programs export becomes the columns of the codebook: KoboToolbox, ODK, and what looks like them.

A header may carry the groups of the form (``block_housing/tenure``, with ``/``, ``.``, ``-``, ``:`` or ``[``) or be
the question in any of the three languages. A question of several answers may be one column (``camps hajj``), a column
an answer (``promotion/camps``, 0 and 1), or both; a ranking one column in order, a column a place
(``priority/1st_choice``), or both. Where both are there they are compared. What the program adds is in `programs`.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import lru_cache
from itertools import combinations

import numpy as np
import pandas as pd

from ..codebook import LANGUAGES, Codebook
from .cells import Question, words_of
from .columns import read_column
from .faults import SAME, fault
from .guessing import spelt
from .layout import Cells, Known, Note
from .personal import asks_who, header_shown, shown
from .repeats import rolled_up
from .reviews import reviewed, without_added
from .spelling import distinct, fold, listed, texts

RANKED = re.compile(r"^(?P<group>\w+)/(?P<place>\d+)$")
MARKS = {"1": "yes", "0": "no", "1.0": "yes", "0.0": "no"}
TICKS = dict.fromkeys(listed("tick"), "yes")
ODD = 0.05  # of the marks of a question: other whole numbers beyond it say that 1 and 0 mean something else
SEVERAL = re.compile(r"([;|,،؛\n])")  # between the items of a cell
PIECES = 60  # of a cell of several answers


@lru_cache(maxsize=8)
def header_names(codebook: Codebook, *others: str) -> Known:
    """Names that a header may hold: variables and groups, their questions in words, and the groups of the form."""
    labelled: dict[str, set[str]] = {}
    within: dict[tuple[str, str], str] = {}
    groups = {fold(f"block_{block}"): block for block in codebook.blocks}
    for language in LANGUAGES:
        for block in codebook.blocks:
            if f"block.{block}" in codebook.texts.index:
                groups[fold(codebook.text(f"block.{block}", language))] = block
        for name, line in codebook.groups.iterrows():
            groups |= {fold(str(name)): str(name), fold(line[f"label_{language}"]): str(name)}
            labelled.setdefault(fold(line[f"label_{language}"]), set()).add(str(name))
        for name, line in codebook.lines.items():
            for text in {fold(line[f"label_{language}"]), fold(codebook.asks(name, language))}:
                if name not in codebook.items:
                    labelled.setdefault(text, set()).add(name)
                within |= {(place, text): name for place in (line["group"], line["block"]) if place}
    spelt = {label: own.pop() for label, own in labelled.items() if len(own) == 1}
    of_several = codebook.groups.index[codebook.groups["kind"].isin(["multiple", "ranking"])]
    names = frozenset([*codebook.variables.index, *of_several, *others])
    numeric = frozenset(n for n, line in codebook.lines.items() if line["type"] in ("integer", "amount"))
    missing = frozenset(Question.of_list(codebook, "missing").missing)
    return Known(names, spelt, groups, within, numeric=numeric, missing=missing)


def understood(cells: Cells, codebook: Codebook, without_orphans: bool = False) -> Cells:
    """The forms that count, one column a stored answer; what cannot be taken apart is a fault.

    Columns that stand twice under one name are left as they are.
    """
    doubled = cells.frame.columns.duplicated(keep=False)
    twice, cells = cells.frame.loc[:, doubled], replace(cells, frame=cells.frame.loc[:, ~doubled])
    before = frozenset(map(str, cells.frame))
    cells = without_added(reviewed(rolled_up(cells, codebook, without_orphans)))
    frame, notes, faults = cells.frame, list(cells.notes), list(cells.faults)
    personal = [name for name in frame if name not in codebook.variables.index and asks_who(str(name))]
    notes += [(header_shown(name), "looks personal: left out; remove it from the file", 1) for name in personal]
    frame = frame.drop(columns=personal)
    taken: set[str] = set()
    for group, kind in codebook.groups["kind"].items():
        take = {"multiple": _multiple, "ranking": _ranking}.get(str(kind))
        if take is not None:
            answers = _Answers(str(group), codebook, frame)
            frame = take(answers)
            notes, faults, taken = [*notes, *answers.notes], [*faults, *answers.faults], taken | answers.taken
    made = frozenset(str(n) for n in frame if n not in before) | taken
    if doubled.any():
        frame = frame.join(twice.loc[frame.index])
    return replace(cells, frame=frame, notes=notes, faults=faults, unticked=cells.unticked | made)


class _Answers:
    """The columns of one question with several answers or a ranking, and what is said of them on the way."""

    def __init__(self, group: str, codebook: Codebook, frame: pd.DataFrame) -> None:
        self.group, self.codebook, self.frame = group, codebook, frame
        self.members = codebook.members(group)
        self.notes: list[Note] = []
        self.faults: list[pd.DataFrame] = []
        self.taken: set[str] = set()

    def items(self, cells: pd.Series, column: str) -> tuple[np.ndarray, list[list[str]]]:
        """The items that each distinct cell names, in order, and which of them each row has; the rest are faults."""
        which, wordings = pd.factorize(texts(cells))
        own = spelt_items(self.group, self.codebook)
        named = [in_order(text, own) for text in wordings]
        wrong = np.array([order is None for order in named])
        if wrong.any():
            known = words_of(self.codebook)
            came = np.array([shown(t, words=known) if w else "" for t, w in zip(wordings, wrong, strict=True)], object)
            codes = " ".join(name.removeprefix(f"{self.group}_") for name in self.members)
            rule = f"codes of {codes}, each once, with blanks between"
            rows = pd.Series(wrong[which], index=cells.index)
            self.faults.append(fault(rows, column, "", rule, "Write the codes.").assign(value=came[which[rows]]))
        return which, [order or [] for order in named]

    def disagree(self, first: str, second: str, where: pd.Series) -> None:
        """Two faults a row where two columns tell the same answer differently."""
        for name, other in ((first, second), (second, first)):
            rule = f"{SAME} {header_shown(other)}"
            self.faults.append(fault(where, name, self.frame[name], rule, "Correct the column that is wrong."))


def _multiple(a: _Answers) -> pd.DataFrame:
    """A question with several answers: from one column, from one an answer marked 0 and 1, or from both."""
    frame = a.frame = _marked(a)
    if a.group not in frame:
        return frame
    filled = texts(frame[a.group]) != ""
    which, named = a.items(frame[a.group], a.group)
    odd = pd.Series(np.array([not order for order in named])[which], index=frame.index) & filled
    columns = {}
    for name in a.members:
        chosen = np.array(["yes" if name in order else "no" for order in named], dtype=object)[which]
        whole = pd.Series(np.where(filled, chosen, ""), index=frame.index, dtype=object)
        if name in frame:
            split = read_column(frame[name], Question.of(a.codebook, name)).values.astype(object)
            a.disagree(a.group, name, ~odd & split.notna() & (split != whole) & (filled | (split == "yes")))
            whole = frame[name].astype(object).where(texts(frame[name]) != "", whole)
        columns[name] = whole
    a.notes.append((a.group, "one column of several answers taken apart", int(filled.sum())))
    return frame.assign(**columns).drop(columns=a.group)


def _marked(a: _Answers) -> pd.DataFrame:
    """The frame with yes and no for 1 and 0, Y, a tick, or the item itself, in the columns of a question.

    Where nothing but ticks was exported, a blank beside a tick is a no; beside a nought or a no a tick is no mark.
    """
    split = {name: distinct(a.frame[name]) for name in a.members if name in a.frame}
    if not split:
        return a.frame
    often = {name: np.bincount(which, minlength=len(words)) for name, (which, words) in split.items()}
    counts = Counter[str]()
    for name, (_, words) in split.items():
        for text, n in zip(words, often[name], strict=True):
            counts[text] += int(n)
    whole = {text: n for text, n in counts.items() if re.fullmatch(r"\d+(\.0)?", text)}
    if sum(n for text, n in whole.items() if text not in MARKS) > ODD * sum(whole.values()):
        return a.frame
    own = spelt_items(a.group, a.codebook)
    said = MARKS | Question.of(a.codebook, next(iter(split))).spellings
    said = said if any(said.get(fold(text)) == "no" for text in counts) else TICKS | said
    marks = {
        name: np.array([said.get(fold(t)) or ("yes" if own.get(fold(t)) == name else t) for t in words], dtype=object)
        for name, (_, words) in split.items()
    }
    if lacking := [n.removeprefix(f"{a.group}_") for n in a.members if n not in split and a.group not in a.frame]:
        a.notes.append((a.group, f"no column of {', '.join(lacking)}: not asked", len(lacking)))
    meant = {name: pd.Categorical(marks[name]).take(which) for name, (which, _) in split.items()}
    read = pd.DataFrame(meant, index=a.frame.index)
    changed = {name: marks[name] != words for name, (_, words) in split.items()}
    for name in split:
        n = int(often[name][changed[name]].sum())
        a.notes += [(name, "marks read as yes and no", n)] if n else []
    if not any("no" in words for words in marks.values()):
        read = read.astype(object)
        blank = (read == "").mul((read == "yes").any(axis=1), axis=0)
        read, n = read.mask(blank, "no"), int(blank.to_numpy().sum())
        a.notes += [(a.group, "blanks beside an item that was ticked read as no", n)] if n else []
        changed |= {name: blank[name] for name in split}
    a.taken |= set(split) if any(new.any() for new in changed.values()) else set()
    return a.frame.assign(**read)


@lru_cache(maxsize=64)
def spelt_items(group: str, codebook: Codebook) -> dict[str, str]:
    """Folded codes and labels of the items of a group, longest first."""
    named: dict[str, str] = {}
    for name in codebook.members(group):
        named |= {fold(text): name for text in spelt(name, codebook)}
    return dict(sorted(named.items(), key=lambda pair: -len(pair[0])))


def in_order(text: str, items: dict[str, str]) -> list[str] | None:
    """The items that a cell names, in order; None if something is left over, named twice, or to be read in two ways."""
    pieces = SEVERAL.split(text)
    if len(pieces) > 1 and len(pieces) < PIECES:
        ways: list[list[list[str]]] = [[[]]]  # how the pieces up to each place may be read: a label may hold a comma
        words = pieces[::2]
        for end in range(1, len(words) + 1):
            splits = list(ways[end - 1]) if not words[end - 1].strip() else []
            for start in range(end):
                item = items.get(fold("".join(pieces[2 * start : 2 * end - 1])))
                splits += [[*way, item] for way in ways[start]] if item else []
            ways.append(splits[:2])
        if len(ways[-1]) == 1:
            return ways[-1][0] if len(set(ways[-1][0])) == len(ways[-1][0]) else None
        if len(ways[-1]) > 1:
            return None
    rest, order = fold(re.sub(r"[;|\n]+", " ", text)), []
    while rest:
        item = next((item for item in items if rest == item or rest.startswith(f"{item} ")), None)
        if item is None:
            return None
        order.append(items[item])
        rest = rest[len(item) :].strip()
    return order if len(set(order)) == len(order) else None


def _ranking(a: _Answers) -> pd.DataFrame:
    """A ranking: items in order in one column, or one column a place, become the place of each item."""
    frame = a.frame
    places = {str(n): int(m["place"]) for n in frame if (m := RANKED.match(str(n))) and m["group"] == a.group}
    ordered = sorted(places, key=lambda name: places[name])
    shapes: dict[str, pd.DataFrame] = {}
    if a.group in frame:
        shapes[a.group] = _placed(a, frame[a.group], a.group)
    if ordered:
        shapes[ordered[0]] = _at_places(a, {name: places[name] for name in ordered})
    if not shapes:
        return frame
    own = [name for name in a.members if name in frame]
    if own:
        shapes[own[0]] = pd.DataFrame({n: texts(frame[n]) if n in own else "" for n in a.members}, index=frame.index)
    for (first, one), (second, two) in combinations(shapes.items(), 2):
        differ = pd.DataFrame({n: _number(one[n]) != _number(two[n]) for n in (own or a.members)})
        a.disagree(first, second, (one != "").any(axis=1) & (two != "").any(axis=1) & differ.any(axis=1))
    whole = next(iter(shapes.values()))
    for other in list(shapes.values())[1:]:
        whole = whole.where(~(whole == "").all(axis=1), other)
    a.notes.append((a.group, "items in order read as places", int((whole != "").any(axis=1).sum())))
    return frame.drop(columns=[n for n in (a.group, *ordered) if n in frame]).assign(**whole)


def _number(cells: pd.Series) -> pd.Series:
    return pd.to_numeric(cells, errors="coerce").fillna(0)


def _placed(a: _Answers, cells: pd.Series, column: str) -> pd.DataFrame:
    """The place of each item, as text, in the order that each cell gives."""
    which, orders = a.items(cells, column)
    table = [[str(order.index(n) + 1) if n in order else "" for n in a.members] for order in orders]
    return pd.DataFrame(np.array(table, object)[which], index=cells.index, columns=a.members)


def _at_places(a: _Answers, places: dict[str, int]) -> pd.DataFrame:
    """The place of each item, as text, from a column a place; an item that stands at two places is a fault."""
    table = pd.DataFrame("", index=a.frame.index, columns=a.members, dtype=object)
    rule, todo = f"one item of {a.group}, at one place", "Look it up on the form."
    for column, place in places.items():
        which, orders = a.items(a.frame[column], column)
        wrong = np.array([len(order) > 1 for order in orders])[which]
        for name in a.members:
            here = np.array([order == [name] for order in orders])[which]
            wrong |= here & (table[name] != "").to_numpy()
            table[name] = table[name].mask(here, str(place))
        a.faults.append(fault(pd.Series(wrong, index=table.index), column, "", rule, todo))
    return table
