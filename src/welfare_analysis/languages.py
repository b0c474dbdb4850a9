"""How numbers are written in Arabic (as in Morocco, with Latin digits), French and English."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from babel import Locale

from .errors import WelfareError

NAMES = {"en": "English", "fr": "Français", "ar": "العربية"}  # each as its own readers write it
MARKS = {"en": (",", "."), "fr": ("\u202f", ","), "ar": (".", ",")}  # thousands, decimals
PERCENT = {"en": " %", "fr": "\u202f%", "ar": "\u202f%"}
GAP, MINUS = "..", "\u2212"
TO = {"en": " to ", "fr": " à ", "ar": "\u2069 إلى \u2066"}
NOUN = re.compile(r"\[\[(\w+)\]\]")  # in a text, a unit that agrees with the number before it
LAST = re.compile(r"[\S\u202f]*\s*\Z")  # the word before a noun; a narrow space parts thousands
Forms = Mapping[str, str]  # of a noun, by CLDR's category of plural; ``other`` is always there
PRINTED: dict[str, tuple[float, int]] = {  # by unit: what a number is multiplied by, and its decimals at most
    **dict.fromkeys(("share", "share_points"), (100, 1)),
    **dict.fromkeys(("trips", "nights", "dh_hour", "place", "tenths", "needs_expected", "files_each"), (1, 1)),
    **dict.fromkeys(("elasticity", "rate_points"), (1, 2)),
    **dict.fromkeys(("index", "decimal", "p"), (1, 3)),
    **{"coefficient": (1, 6), "million_dh": (1e-6, 1)},
}
LEAST_P = 0.001  # a smaller probability of a test is said to be below this


def number(x: float, language: str = "en", digits: int = 0) -> str:
    """A number with the language's separators and a true minus; ``..`` where it is missing."""
    if language not in MARKS:
        raise WelfareError("unknown language", where="language", got=language, expected="ar, fr or en")
    if math.isnan(x):
        return GAP
    thousands, point = MARKS[language]
    text = f"{Decimal(repr(float(x))):z,.{digits}f}"  # of the decimals that it is written with; no minus before zero
    return text.replace(",", "\0").replace(".", point).replace("\0", thousands).replace("-", MINUS)


def counted(text: str, forms: Forms, language: str) -> str:
    """The form of a noun that goes with the last number of a text, as it is printed, by the plural rules of CLDR.

    An Arabic noun is a plural from 3 to 10 and a singular from 11 on, in the accusative up to 99: by the last two
    digits. French has the singular below two, English for one alone, and not for 1.0.
    """
    thousands, point = map(re.escape, MARKS[language])
    numbers = re.findall(rf"\d+(?:{thousands}\d{{3}})*(?:{point}\d+)?", text)
    if not numbers:
        return forms["other"]
    thousands, point = MARKS[language]
    category = Locale.parse(language).plural_form(Decimal(numbers[-1].replace(thousands, "").replace(point, ".")))
    return forms.get(category, forms["other"])


def agreed(text: str, language: str, forms: Callable[[str], Forms]) -> str:
    """A text whose nouns in double brackets (``5 [[homes]]``) agree with the number before them."""
    before, *rest = NOUN.split(text)
    for noun, after in zip(rest[::2], rest[1::2], strict=True):
        before += counted(LAST.findall(before)[0], forms(noun), language) + after
    return before


def amount(x: float, unit: str, language: str = "en", name: str | Forms = "", step: float = 0.0) -> str:
    """A number in its unit, with the unit's name behind it where one is given, in the form that the number asks for.

    A share is a percentage with one decimal, ``million_dh`` is given in DH and written in millions with one decimal;
    anything else is rounded to whole units. A number that is rounded to ``step`` has no digit below it.
    """
    if math.isnan(x):
        return GAP
    if unit == "p" and x < LEAST_P:
        return f"<\u00a0{number(LEAST_P, language, 3)}"
    text = _plain(x, unit, language, step)
    name = name if isinstance(name, str) else counted(text, name, language)
    if x < 0 and direction(language) == "rtl":
        text = f"\u2066{text}\u2069"  # the minus stays on the left of its number
    return text + (PERCENT[language] if unit == "share" else f"\u00a0{name}" if name else "")


def with_interval(
    x: float, low: float, high: float, unit: str, language: str = "en", name: str | Forms = "", step: float = 0.0
) -> str:
    """A number with its interval in brackets: ``34.5 % (31.0-37.0)``, ``1,700 DH (1,600-1,800)``; alone if known."""
    if math.isnan(x):
        return GAP
    if math.isclose(low, high, rel_tol=1e-9):
        return amount(x, unit, language, name, step)
    return f"{amount(x, unit, language, name, step)} ({between(low, high, unit, language, step)})"


def between(low: float, high: float, unit: str, language: str = "en", step: float = 0.0) -> str:
    """Two bounds and no unit: with a dash the lower one is on the left in Arabic too, as on the axes.

    Where the lower one has a minus a word is between them, and they follow each other as the language is read.
    """
    bounds = (TO[language] if low < 0 else "\u2013").join(_plain(x, unit, language, step) for x in (low, high))
    return f"\u2066{bounds}\u2069" if direction(language) == "rtl" else bounds


def _plain(x: float, unit: str, language: str, step: float = 0.0) -> str:
    scale, digits = PRINTED.get(unit, (1, 0))
    if step > 0:  # not where it is missing
        digits = min(digits, max(0, -math.floor(math.log10(scale * step) + 1e-9)))
    return f"{x:.0f}" if unit == "year" else number(scale * x, language, digits)


def direction(language: str) -> str:
    """Writing direction of a language: rtl or ltr."""
    return "rtl" if language == "ar" else "ltr"
