"""What may be personal: headers that ask who somebody is, keys that say it, cells that could be a name or a number."""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable

import pandas as pd

from ...errors import printable
from .spelling import fold, listed, plain

HIDDEN = "(hidden)"
LONGEST_SHOWN = 40
LOOKED_AT = 5_000  # keys of a file
NUMBERS = re.compile(r"@|\d(?:[\s.\-/]?\d){4}")  # mail, and numbers of identity cards, of service, of phones
SUM = re.compile(r"[-+]?(?:\d[\s.,]?){1,7}")  # a sum; eight digits and more are no sum of a form
Words = frozenset[str]
_ASKED = listed("who")
_BESIDE = listed("beside who")
_KEYS = {
    "numbers of identity cards": re.compile(r"[A-Z]{1,2} ?[1-9]\d{4,6}"),
    "phone numbers": re.compile(r"(?:\+|00)?(?:212[ .-]?|0)[5-7](?:[ .-]?\d){8}"),
    "mail addresses": re.compile(r"[^@\s]+@[^@\s]+\.\w+"),
    "names": re.compile(r"[^\W\d_]{2,}(?:[ '’-]+[^\W\d_]{2,})+|[\u0621-\u064a ]{3,}"),
}


def asks_who(header: str) -> bool:
    """Whether a header asks for a name, a number or an address of a person, and for nothing else."""
    words = set(re.findall(r"[^\W\d_]+", fold(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header))))
    return bool(words & _ASKED) and words <= _ASKED | _BESIDE


def says_who(keys: pd.Series) -> str:
    """What most of some keys look like (``names``), by some thousands of them; nothing where they look like keys."""
    some = keys.iloc[:: max(1, len(keys) // LOOKED_AT)]
    likely = (kind for kind, pattern in _KEYS.items() if some.map(pattern.fullmatch).notna().mean() > 0.5)
    return next(likely, "")


def shown(cell: Hashable, keys: Words = frozenset(), numeric: bool = False, words: Words | None = None) -> str:
    """A cell as it may be shown; hidden if it is a key of the file, long, or could be a number or name of a person.

    Words other than those of a questionnaire (``words``, or near to them) could be a name. Letters that a terminal
    would obey are written out.
    """
    text = plain(cell)
    if len(text) > LONGEST_SHOWN or text.strip() in keys:
        return HIDDEN
    if NUMBERS.search(text) and not (numeric and SUM.fullmatch(text.strip())):
        return HIDDEN
    if words is not None and not all(_near(word, words) for word in re.findall(r"[^\W\d_]{3,}", fold(text))):
        return HIDDEN
    return printable(text)


def _near(word: str, words: frozenset[str]) -> bool:
    return word in words or bool(difflib.get_close_matches(word, words, n=1, cutoff=0.75))


def header_shown(name: Hashable) -> str:
    """A header as it may be shown: without markup, cut where it is long, hidden where it could be a person's number."""
    text = " ".join(re.sub(r"<[^<>]*>", " ", plain(name)).split())
    if NUMBERS.search(text):
        return HIDDEN
    return printable(text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…")
