"""Which question a foreign header may be: a guess where it is sure, nothing where it is not."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pandas as pd

from ..codebook import LANGUAGES, Codebook
from .selection import DESIGN
from .spelling import fold, listed

SURE, AHEAD = 0.85, 0.15  # how much of both wordings must be alike, and how much more than of any other question
# Words that ask, and say nothing of what is asked; fr, en, ar.
ASKING = listed("asking")
UNITS = listed("unit")


def guesser(codebook: Codebook, there: frozenset[str]) -> Callable[[str], str]:
    """A function that gives the variable that a header names surely, or nothing; ``there`` are names in use."""
    known = _wordings(codebook)
    # a word that much else is called too is sure beside another column of a sample's design
    alone = {header: name for header in there for name in DESIGN[:3] if fold(header) in listed(f"design {name}")}
    beside = set(alone.values()) | there.intersection(DESIGN)

    def guess(header: str) -> str:
        if header in alone and len(beside) > 1:
            return alone[header] if alone[header] not in there else ""
        words = words_in(header)
        scores: dict[str, float] = {}
        for name, other in known:
            alike = 2 * len(words & other) / (len(words) + len(other))  # the share of the words of both (Dice)
            scores[name] = max(alike, scores.get(name, 0.0))
        best = sorted(scores, key=lambda name: -scores[name])[:2]
        sure = scores[best[0]] >= SURE and (len(best) < 2 or scores[best[0]] - scores[best[1]] >= AHEAD)
        return best[0] if sure and best[0] not in there else ""

    return guess


@lru_cache(maxsize=1)
def usual() -> list[tuple[str, str]]:
    """Variables with other usual wordings, and wordings of earlier versions of the form."""
    table = pd.read_csv(Path(__file__).with_name("wordings.csv"), dtype=str, encoding="utf-8")
    return list(table.itertuples(index=False, name=None))


@lru_cache(maxsize=8)
def _wordings(codebook: Codebook) -> list[tuple[str, frozenset[str]]]:
    """Every variable with the words of its question in each language, and other usual ones (``wordings.csv``)."""
    texts = [(v, w) for v, w in usual() if v in codebook.lines or v in DESIGN]
    for name, line in ((n, line) for n, line in codebook.lines.items() if not line["group"]):
        texts += [(name, line[f"label_{language}"]) for language in LANGUAGES]
    return [(name, words) for name, text in texts if (words := words_in(text))]


def words_in(text: str) -> frozenset[str]:
    """The words of a text that say what is asked, each in one form."""
    text = re.sub(r"<[^<>]*>|\(.*?\)|\[.*?\]|(?<=[a-z])(?=[A-Z])", " ", text)
    words = re.findall(r"[^\W\d_]+|\d+", fold(text))
    return frozenset(_stem(word) for word in words if word not in ASKING and word not in UNITS)


def _stem(word: str) -> str:
    word = re.sub("^(?:وال|بال|لل|ال)(?=..)", "", word)
    return re.sub("(?<=...)(?:s|x|e|es)$", "", word)
