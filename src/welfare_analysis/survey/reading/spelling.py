"""How people write: labels in six spellings, letters that went through a wrong encoding, numbers of three scripts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

# Signs that are not seen: direction marks, joiners, soft hyphen, byte order mark.
UNSEEN = "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
_NO_UNSEEN = str.maketrans("", "", UNSEEN)
# Letters that stand for one another in everyday Arabic; the tatweel only stretches.
_ALIKE = str.maketrans({"ة": "ه", "ى": "ي", "ی": "ي", "ٱ": "ا", "ک": "ك", "ـ": None, "ء": None})
_GAPS = re.compile(r"[\s_\-‐‑–—'’ʼ`´]+")
_ARABIC_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹０１２３４５６７８９", "0123456789" * 3)
_SCRIPTS = ("0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹")
_MARKS = str.maketrans({"٫": ".", "،": ",", "٬": "\u202f", "−": "-"})
_SPACE = "[ \u00a0\u2009\u202f]"
_SPACED = re.compile(rf"-?\d{{1,3}}(?:{_SPACE}\d{{3}})+(?:[.,]\d+)?")
_PLAIN = re.compile(r"(-?)(\d+)(?:([.,])(\d+))?")
_GROUPED = re.compile(r"-?\d{1,3}(?:([.,])\d{3})(?:\1\d{3})+|-?\d{1,3}(?:,\d{3})+\.\d+|-?\d{1,3}(?:\.\d{3})+,\d+")
_WRONG_LETTERS = re.compile("[\u0080-\u00ff\u0152-\u0178\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]{2,}")
THOUSANDS, COMMA = "thousands apart", "a decimal comma"


@lru_cache(maxsize=1)
def _lists() -> dict[str, frozenset[str]]:
    table = pd.read_csv(Path(__file__).with_name("words.csv"), dtype=str, index_col="kind", encoding="utf-8")["words"]
    return {str(kind): frozenset(text.split()) for kind, text in table.items()}


def listed(kind: str) -> frozenset[str]:
    """The words of one kind in ``words.csv``: those that ask who somebody is, that list people, and so on."""
    return _lists()[kind]


def phrases(kind: str) -> frozenset[str]:
    """The phrases of one kind: in ``words.csv`` their words are joined by ``_``."""
    return frozenset(phrase.replace("_", " ") for phrase in listed(kind))


_UNITS = {unit: "|".join(listed(f"unit {unit}")) for unit in ("DH", "km", "min", "years")}


def clean(text: str) -> str:
    """A cell without signs that are not seen and without blanks around it."""
    return text.strip() if text.isascii() else text.translate(_NO_UNSEEN).strip()


def plain(cell: Hashable) -> str:
    """The text of a cell, whole numbers without ``.0``."""
    if isinstance(cell, str):
        return clean(cell)
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)


def texts(cells: pd.Series) -> pd.Series:
    """The plain text of each cell."""
    which, words = distinct(cells)
    return pd.Series(words[which], index=cells.index)


def distinct(cells: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Which of the distinct cells stands in each row, and the plain text of each."""
    which, levels = pd.factorize(cells)
    return which, np.array([plain(cell) for cell in levels], dtype=object)


def fold(text: str) -> str:
    """One form for all spellings of a label.

    Presentation forms, composed and decomposed letters, tashkeel and accents, tatweel, hamza and ta-marbuta, case,
    hyphens and blanks make no difference.
    """
    parts = unicodedata.normalize("NFKD", text.translate(_NO_UNSEEN))
    bare = "".join(c for c in parts if not unicodedata.combining(c))
    return _GAPS.sub(" ", bare.translate(_ALIKE).casefold()).strip()


def key_form(text: str) -> str:
    """One form for all spellings of a key: case, script of digits, blanks, hyphens, and zeros that a number loses."""
    simple = text.isascii() and text.isalnum()  # as most are
    bare = text.casefold() if simple else re.sub(_GAPS, "", latin(text)).casefold().removesuffix(".0")
    return bare.lstrip("0") or bare if bare.isdecimal() else bare


def repaired(text: str) -> str:
    """What a text was before its letters were read in a wrong encoding, or ``""`` if nothing says that they were.

    Arabic (cp1256) read as Latin gives words of accented letters only; UTF-8 read as Latin gives pairs such as ``Ã©``.
    """
    latin = [(m, _bytes(m.group())) for m in _WRONG_LETTERS.finditer(text)]
    for encoding, least in (("utf-8", 2), ("cp1256", 3)):
        new = text
        for match, data in reversed(latin):
            try:
                part = data.decode(encoding)
            except UnicodeDecodeError:
                continue
            if len(data) >= least and (encoding == "utf-8" or all("\u0621" <= c <= "\u06d2" for c in part)):
                new = new[: match.start()] + part + new[match.end() :]
        if new != text:
            return new
    return ""


def _bytes(text: str) -> bytes:
    return b"".join(c.encode("cp1252", "ignore") or c.encode("latin-1", "ignore") for c in text)


def digits_of_two_scripts(text: str) -> bool:
    """Whether a number is written in digits of more than one script, as ``٣5``."""
    return sum(any(c in script for c in text) for script in _SCRIPTS) > 1


def without_unit(text: str, unit: str, others: Sequence[str] = ()) -> str:
    """A number without the unit of its question (DH, km, min, years) in front or at the end, or ``others`` for it."""
    first = unit.split(" ")[0]
    usual = "" if first == "DH" and others and first not in others else _UNITS.get(first)  # not of another currency
    known = "|".join(filter(None, [usual, *map(re.escape, others)]))
    if not known:
        return text
    return re.sub(rf"(?i)^(?:{known})\s*(?=[-\d])|(?<=\d)\s*(?:{known})$", "", text)


def latin(text: str) -> str:
    """A number with Latin digits and marks."""
    return text.translate(_ARABIC_DIGITS).translate(_MARKS)


def readings(text: str) -> list[tuple[float, str]]:
    """Every number that a text of Latin digits may mean, and what was taken for granted.

    ``1,234`` and ``1.234`` have two readings; all else has one or none.
    """
    if not text.isascii() and re.search(r"[^\x00-\x7f\u00a0\u2009\u202f]", text):
        return []
    if _SPACED.fullmatch(text):
        plain = re.sub(_SPACE, "", text)
        return [(float(plain.replace(",", ".")), f"{THOUSANDS}; {COMMA}" if "," in plain else THOUSANDS)]
    if _GROUPED.fullmatch(text):
        marks = [c for c in text if c in ".,"]
        decimal = marks[-1] if marks[-1] != marks[0] else ""
        whole = text.replace(marks[0], "")
        return [(float(whole.replace(decimal, ".") if decimal else whole), THOUSANDS)]
    match = _PLAIN.fullmatch(text)
    if not match:
        return []
    sign, whole, mark, part = match.groups()
    if not mark:
        return [(float(text), "")]
    numbers = [(float(f"{sign}{whole}.{part}"), COMMA if mark == "," else "")]
    if len(part) == 3 and len(whole) <= 3 and not whole.startswith("0"):
        numbers.append((float(f"{sign}{whole}{part}"), THOUSANDS))
    return numbers
