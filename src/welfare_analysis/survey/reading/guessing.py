"""Which question a foreign header may be: a guess where it is sure, nothing where it is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import pandas as pd

from ..codebook import LANGUAGES, Codebook
from .layout import LONGEST_HEADER, SEPARATORS
from .selection import DESIGN
from .spelling import fold, listed

SURE, AHEAD = 0.85, 0.15  # how much of both wordings must be alike, and how much more than of any other question
# Words that ask, and say nothing of what is asked; fr, en, ar.
ASKING = listed("asking")
UNITS = listed("unit")
Wordings = list[tuple[str, frozenset[str]]]


def guesser(codebook: Codebook, there: frozenset[str], given: Mapping[str, str] | None = None) -> Callable[[str], str]:
    """A function that gives the variable that a header names surely, or nothing; ``there`` are names in use.

    An item of a question of several answers is named where its question is, in front (``services/camps``): in words
    that are like ours, or as a map has ``given`` it, or another item of it, a name.
    """
    known, items = _wordings(codebook), _items(codebook)
    of = {name: group for group in items for name in (group, *codebook.members(group))}
    asked = {old if new in items else _question(old): of[new] for old, new in (given or {}).items() if new in of}
    # a word that much else is called too is sure beside another column of a sample's design
    alone = {header: name for header in there for name in DESIGN[:3] if fold(header) in listed(f"design {name}")}
    beside = set(alone.values()) | there.intersection(DESIGN)

    def guess(header: str) -> str:
        if header in alone and len(beside) > 1:
            return alone[header] if alone[header] not in there else ""
        marks, other = list(SEPARATORS.finditer(header)) if len(header) <= LONGEST_HEADER else [], False
        for mark in marks:
            question, item = header[: mark.start()], header[mark.end() :].removesuffix("]")
            whole = (question, *(question[other.end() :] for other in marks if other.end() < mark.start()))
            group = asked.get(question) or next(filter(None, (_surest(text, known) for text in whole)), "")
            name = _surest(item, items.get(group, ()))
            if name:
                return name if name not in there else ""
            other |= group in items and bool(words_in(item))
        name = "" if other else _surest(header, known)
        return name if name not in there else ""

    return guess


def _question(header: str) -> str:
    """What stands in front of the item in the header of one."""
    return header[: max((mark.start() for mark in SEPARATORS.finditer(header)), default=0)]


def _surest(text: str, wordings: Wordings | tuple[()]) -> str:
    """The name whose wording is surely that of a text, or nothing: alike is the share of the words of both (Dice)."""
    words, scores = words_in(text), dict[str, float]()
    for name, other in wordings:
        alike = 2 * len(words & other) / (len(words) + len(other))
        scores[name] = max(alike, scores.get(name, 0.0))
    best = sorted(scores, key=lambda name: -scores[name])[:2]
    sure = best and scores[best[0]] >= SURE and (len(best) < 2 or scores[best[0]] - scores[best[1]] >= AHEAD)
    return best[0] if sure else ""


@lru_cache(maxsize=1)
def usual() -> list[tuple[str, str]]:
    """Variables with other usual wordings, and wordings of earlier versions of the form."""
    table = pd.read_csv(Path(__file__).with_name("wordings.csv"), dtype=str, encoding="utf-8")
    return list(table.itertuples(index=False, name=None))


@lru_cache(maxsize=8)
def _items(codebook: Codebook) -> dict[str, Wordings]:
    """By question of several answers: its items with the words of their codes, labels and other usual wordings."""
    groups = groups_of_items(codebook)
    return {g: _in_words((n, text) for n in codebook.members(g) for text in spelt(n, codebook)) for g in groups}


def groups_of_items(codebook: Codebook) -> list[str]:
    """Questions of several answers, and rankings: their variables are items of a list."""
    return [str(g) for g in codebook.groups.index if codebook.items.issuperset(codebook.members(str(g)))]


def spelt(item: str, codebook: Codebook) -> list[str]:
    """How an item of a question of several answers may be written: its code, its name, its labels, other usual ones."""
    line = codebook.lines[item]
    labels = [line[f"label_{language}"] for language in LANGUAGES]
    return [item.removeprefix(f"{line['group']}_"), item, *labels, *(text for name, text in usual() if name == item)]


@lru_cache(maxsize=8)
def _wordings(codebook: Codebook) -> Wordings:
    """Every question with its words in each language, and other usual ones (``wordings.csv``)."""
    texts = [(v, w) for v, w in usual() if v in codebook.lines or v in DESIGN]
    for name, line in ((n, line) for n, line in codebook.lines.items() if not line["group"]):
        texts += [(name, line[f"label_{language}"]) for language in LANGUAGES]
    texts += [(g, codebook.groups.at[g, f"label_{language}"]) for g in _items(codebook) for language in LANGUAGES]
    return _in_words(texts)


def _in_words(texts: Iterable[tuple[str, str]]) -> Wordings:
    return [(name, words) for name, text in texts if (words := words_in(text))]


def words_in(text: str) -> frozenset[str]:
    """The words of a text that say what is asked, each in one form."""
    text = re.sub(r"<[^<>]*>|\(.*?\)|\[.*?\]|(?<=[a-z])(?=[A-Z])", " ", text)
    words = re.findall(r"[^\W\d_]+|\d+", fold(text))
    return frozenset(_stem(word) for word in words if word not in ASKING and word not in UNITS)


def _stem(word: str) -> str:
    word = re.sub("^(?:وال|بال|لل|ال)(?=..)", "", word)
    return re.sub("(?<=...)(?:s|x|e|es)$", "", word)
