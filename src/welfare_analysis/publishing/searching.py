"""What the page of search looks through: the sections of all pages, with the words that a reader sees in them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

HEADING = re.compile(r'<h[1-3](?: id="([^"]+)")?[^>]*>(.*?)</h[1-3]>', re.DOTALL)
UNSEEN = re.compile(r"<(pre|tbody|math|script|style)\b.*?</\1>|<tfoot.*?</tfoot>", re.DOTALL)  # cells are in the files
TAG = re.compile(r"<[^>]+>")


def words(markup: str) -> str:
    """The text of HTML without code, formulas and cells of tables, in one line."""
    return " ".join(html.unescape(TAG.sub(" ", UNSEEN.sub(" ", markup))).split())


def sections(pages: Iterable[tuple[str, str, str]]) -> list[dict[str, str]]:
    """The sections of pages (address, title, HTML): page, title, address and text of each."""
    found = []
    for href, title, body in pages:
        starts = list(HEADING.finditer(body))
        ends = [*(start.start() for start in starts), len(body)][1:]
        for start, end in zip(starts, ends, strict=True):
            place = f"{href}#{start[1]}" if start[1] else href
            text = words(body[start.end() : end])
            found.append({"page": title, "title": words(start[2]), "href": place, "text": text})
    return found
