"""A page of the report as a tagged PDF to print and to hand out, made by typst from the page's own HTML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Literal

import fontpkg_noto_sans_arabic
import typst

TEMPLATE = Path(__file__).parent / "site" / "summary.typ"
FONTS = Path(str(files(fontpkg_noto_sans_arabic))) / "files"
# PDF/UA-1, ISO 14289: headings, languages and alternative texts as a screen reader needs them
STANDARD: Literal["ua-1"] = "ua-1"
OPENED = {  # what a tag opens in typst; other tags are passed over, and what they hold is kept
    **{f"h{level}": f"\n#heading(level: {level})[" for level in (1, 2, 3, 4)},
    "p": "\n#par[", "ul": "\n#list(", "ol": "\n#enum(", "li": "[", "strong": "#strong[", "em": "#emph[",
    "figure": "\n#block(breakable: false)[", "figcaption": "\n#caption[", "blockquote": "\n#warning[",
}  # fmt: skip
CLOSED = {"ul": ")\n", "ol": ")\n", "li": "],"}  # others by a bracket
LEFT_OUT = {"code", "hint", "data"}  # classes of a page that mean nothing on paper
VOID = {"br", "img", "hr", "input", "source"}


class _Typst(HTMLParser):
    """Typst markup of the HTML of a page. A text is a quoted string, so that no sign in it is markup."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.open: list[str] = []  # what closes each open tag
        self.hidden = 0  # open tags from the one that is left out on

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "img" and not self.hidden:
            self.parts.append(f"#image({quoted('/' + given['src'])}, alt: {quoted(given['alt'])})")
        if tag in VOID:
            return
        if self.hidden or LEFT_OUT & set(given.get("class", "").split()):
            self.hidden += 1
            return
        interval = given.get("class") == "interval"  # on one line
        self.parts.append("#unbroken[" if interval else OPENED.get(tag, ""))
        self.open.append("]" if interval else CLOSED.get(tag, "]" if tag in OPENED else ""))

    def handle_endtag(self, tag: str) -> None:
        if self.hidden:
            self.hidden -= 1
        elif tag not in VOID:
            self.parts.append(self.open.pop())

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.parts.append(f"#{quoted(data)};" if data.strip() else " ")


def quoted(text: str) -> str:
    """A text as a string of typst, on one line."""
    return json.dumps(text.replace("\n", " "), ensure_ascii=False)


def document(body: str) -> str:
    """Typst markup of the HTML of a page."""
    parser = _Typst()
    parser.feed(body)
    parser.close()
    return "".join(parser.parts)


def write(title: str, body: str, path: Path, labels: Mapping[str, str], language: str) -> None:
    """Write a page as a PDF/UA-1.

    Parameters
    ----------
    title : str
        Of the document.
    body : str
        HTML of the page.
    path : Path
        Of the PDF, in the folder of the page, where the pictures are that it shows.
    labels : mapping
        The words around the text, of the page's language (`report.around`), and ``made``.
    language : {"ar", "fr", "en"}
        Of the page.
    """
    about = {name: labels[name] for name in ("made", "page_of", "dir")} | {"title": title, "lang": language}
    source = TEMPLATE.read_text(encoding="utf-8") + "\n#show: summary\n" + document(body)
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[FONTS])
    compiler = typst.Compiler(source.encode(), root=path.parent, font_paths=fonts, sys_inputs=about)
    compiler.compile(output=path, format="pdf", pdf_standards=STANDARD)
