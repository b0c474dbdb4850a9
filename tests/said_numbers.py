"""The numbers that a page says, whatever its language: a page says the same ones in all three."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Mapping

# thousands and decimals as `languages` writes them; labels in French part thousands of whole numbers with any space
WRITTEN = {
    "en": (r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?", ",", "."),
    "fr": (r"\d{1,3}(?:[\u202f\u00a0]\d{3}| \d{3}(?!\d|,\d))+(?!\d)(?:,\d+)?|\d+(?:,\d+)?", "\u202f\u00a0 ", ","),
    "ar": (r"\d{1,3}(?:\.\d{3})+(?!\d)(?:,\d+)?|\d+(?:,\d+)?", ".", ","),
}
ASIDE = re.compile(
    r"<(head|nav|pre|math|code|footer|script)\b.*?</\1>", re.DOTALL
)  # the same in all, or no part of the page
ENGLISH = re.compile(r'<(div|p|h\d|li|td|th|span|bdi)\b[^>]* lang="en".*?</\1>', re.DOTALL)  # in a page of another one
CELLS = re.compile(r"<t[dh]\b[^>]*>.*?</t[dh]>", re.DOTALL)
REFERENCE = re.compile(r"\b\d\.\d\.\d\b")  # a result of a book, the same in all
STANDARD = re.compile(r"(?:version|[eé]dition|النسخة|الطبعة) \d\.\d\b")  # its version, too
LABEL = re.compile(r"(?:Table|Tableau|Figure|الجدول|الشكل) \d+\.\d+")  # a page and a place on it: two numbers
ISOLATES = re.compile("[\u2066-\u2069\u200e\u200f]")


def numbers(text: str, language: str) -> Counter[float]:
    """Return how often a text says each number."""
    pattern, thousands, point = WRITTEN[language]
    plain = STANDARD.sub(" ", REFERENCE.sub(" ", ISOLATES.sub("", text)))
    plain = LABEL.sub(lambda label: label[0].replace(".", " "), plain)
    found = re.findall(pattern, plain)
    return Counter(float(re.sub(f"[{thousands}]", "", n).replace(point, ".")) for n in found)


def of_page(page: str, language: str, quoted: set[str] = frozenset()) -> Counter[float]:
    """Return the numbers of a page: its text, tables and alternative texts; ``quoted`` are cells in English in all."""
    page = ASIDE.sub(" ", page)
    if language == "en":
        return numbers(_text(page), language)
    english = [_text(found[0]) for found in ENGLISH.finditer(page)]
    page = ENGLISH.sub(" ", page)
    for cell in CELLS.findall(page):
        if _text(cell) in quoted:
            english.append(_text(cell))
            page = page.replace(cell, " | ", 1)
    return numbers(_text(page), language) + numbers(" | ".join(english), "en")


def _text(page: str) -> str:
    alts = " | ".join(re.findall(r'alt="([^"]*)"', page))
    return html.unescape(re.sub(r"<[^>]+>", " | ", page) + " | " + alts)


def differences(pages: Mapping[str, str]) -> dict[str, tuple[Counter[float], Counter[float]]]:
    """By language what a page says more and less than its English version; nothing where they agree."""
    cells = [{_text(cell) for cell in CELLS.findall(page)} for page in pages.values()]
    quoted = {text for text in set.intersection(*cells) if re.search("[A-Za-z]{3}.*[A-Za-z]{3}", text)}
    said = {language: of_page(page, language, quoted) for language, page in pages.items()}
    return {language: (mine - said["en"], said["en"] - mine) for language, mine in said.items() if mine != said["en"]}
