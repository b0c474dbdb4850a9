"""How numbers are written in Arabic (as in Morocco, with Latin digits), French and English."""

from __future__ import annotations

import math

from .errors import WelfareError

MARKS = {"en": (",", "."), "fr": ("\u202f", ","), "ar": (".", ",")}  # thousands, decimals
PERCENT = {"en": " %", "fr": "\u202f%", "ar": "\u202f%"}
GAP = ".."


def number(x: float, language: str = "en", digits: int = 0) -> str:
    """A number with the language's separators; ``..`` where it is missing."""
    if language not in MARKS:
        raise WelfareError("unknown language", where="language", got=language, expected="ar, fr or en")
    if math.isnan(x):
        return GAP
    thousands, point = MARKS[language]
    text = f"{x:,.{digits}f}"
    return text.replace(",", "\0").replace(".", point).replace("\0", thousands)


def amount(x: float, unit: str, language: str = "en") -> str:
    """A number in its unit: a share as a percentage, anything else rounded to whole units."""
    if unit == "share":
        return GAP if math.isnan(x) else number(100 * x, language, 1) + PERCENT[language]
    return number(x, language)


def with_interval(x: float, low: float, high: float, unit: str, language: str = "en") -> str:
    """A number with its interval in brackets."""
    if math.isnan(x):
        return GAP
    scale, digits = (100, 1) if unit == "share" else (1, 0)
    bounds = f"{number(scale * low, language, digits)}\u2013{number(scale * high, language, digits)}"
    return f"{amount(x, unit, language)} ({bounds})"


def direction(language: str) -> str:
    """Writing direction of a language: rtl or ltr."""
    return "rtl" if language == "ar" else "ltr"
