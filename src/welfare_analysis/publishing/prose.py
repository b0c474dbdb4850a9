"""The prose of notebooks in Arabic and French: gettext catalogues, one a page and language, in ``data/prose``.

A message is a paragraph, a heading, an item of a list or a cell of a table, on one line. Its translation stands as long
as the English is what it was: a changed paragraph makes it stale (gettext's *fuzzy*), and the page then says the
paragraph in English.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages import Catalog
from babel.messages.pofile import read_po, write_po

from ..languages import direction
from ..results.stored import PARAMETERS
from ..study import DATA
from .markup import paragraphs

if TYPE_CHECKING:  # its import takes a second, and every page would wait for it
    from nbformat import NotebookNode

PROSE = DATA / "prose"
CONFIDENTIALITY = DATA.parent / "CONFIDENTIALITY.md"
SOURCE = "en"  # the language that notebooks are written in
TRANSLATED = ("ar", "fr")
HEADER = 'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
WIDTH = 120


@dataclass(frozen=True)
class Prose:
    """What the paragraphs of a page are in one language, in an institution's own words.

    Attributes
    ----------
    language : str
        Of the page.
    translations : mapping
        By English paragraph; what it lacks stays English.
    worded : callable
        Takes a text and its language; gives it in the words of an institution.
    """

    language: str = SOURCE
    translations: Mapping[str, str] = field(default_factory=dict)
    worded: Callable[[str, str], str] = lambda text, _: text

    def __call__(self, paragraph: str) -> tuple[str, str]:
        """A paragraph and the language that it is in."""
        text = self.translations.get(paragraph, paragraph)
        language = self.language if paragraph in self.translations else SOURCE
        return self.worded(text, language), language

    def attributes(self, language: str) -> dict[str, str]:
        """What HTML says of a paragraph that is in another language than its page."""
        return {} if language == self.language else {"lang": language, "dir": direction(language)}


def in_english(folder: Path = PROSE) -> list[str]:
    """Pages whose prose has no translation yet: the lines of ``in_english.txt``."""
    return (folder / "in_english.txt").read_text(encoding="utf-8").split()


def messages(notebook: NotebookNode) -> list[str]:
    """The messages of a notebook's Markdown cells in their order, each once; a formula or a number alone is none.

    A cell whose metadata name a language is written in it, and needs no translation.
    """
    written = (cell for cell in notebook.cells if cell.cell_type == "markdown" and "language" not in cell.metadata)
    return said_in(cell.source for cell in written)


def said_in(texts: Iterable[str]) -> list[str]:
    """The messages of Markdown texts."""
    parts = dict.fromkeys(part for text in texts for part in paragraphs(text))
    return [part for part in parts if any(map(str.isalpha, part))]


def further() -> dict[str, list[str]]:
    """Messages of what is no notebook, by catalogue: the page on confidentiality; sources and units inside tables."""
    cells = (text for make in PARAMETERS.values() for text in make().frame["text"].dropna().unique())
    public = [text for text in dict.fromkeys(cells) if not text.startswith("evidence.")]
    return {"confidentiality": said_in([CONFIDENTIALITY.read_text(encoding="utf-8")]), "public": public}


def missing(notebook: NotebookNode, prose: Prose) -> list[str]:
    """Messages of a notebook that a page would say in English, though it is of another language."""
    return [] if prose.language == SOURCE else [text for text in messages(notebook) if text not in prose.translations]


def catalogue(stem: str, language: str, folder: Path = PROSE) -> Catalog:
    """The catalogue of a page in a language; empty where there is none."""
    path = folder / language / f"{stem}.po"
    with io.BytesIO(path.read_bytes() if path.exists() else b"") as file:
        return read_po(file, locale=language)


def translations(known: Catalog) -> dict[str, str]:
    """What stands of a catalogue: neither empty nor stale."""
    return {str(m.id): str(m.string) for m in known if m.id and m.string and not m.fuzzy}


@cache
def translated(stem: str, language: str) -> Mapping[str, str]:
    """What a catalogue of the repository says, by English text; nothing where a page is in English."""
    return translations(catalogue(stem, language)) if language in TRANSLATED else {}


def updated(known: Catalog, texts: Iterable[str]) -> str:
    """A catalogue with the messages of today, as a PO file.

    The translation of a paragraph that changed a little goes to the new one and is stale; that of one that is gone is
    kept behind ``#~`` until somebody deletes it.
    """
    today = Catalog(locale=known.locale)
    for text in texts:
        today.add(text)
    known.update(today)
    for message in known:  # Babel takes a per cent sign or a brace for a gap of a program's text
        message.flags -= {"python-format", "python-brace-format"}
    written = io.BytesIO()
    write_po(written, known, width=WIDTH, no_location=True, omit_header=True)
    return HEADER.format(language=known.locale) + written.getvalue().decode("utf-8").strip("\n") + "\n"


def update(texts: Mapping[str, Iterable[str]], folder: Path = PROSE) -> dict[str, int]:
    """Write the catalogues of messages (by page); by file how many of its messages lack a translation."""
    lacking, waiting = {}, in_english(folder)
    for stem, said in ((stem, list(said)) for stem, said in texts.items() if stem not in waiting):
        for language in TRANSLATED:
            target = folder / language / f"{stem}.po"
            target.parent.mkdir(parents=True, exist_ok=True)
            known = catalogue(stem, language, folder)
            target.write_text(updated(known, said), encoding="utf-8")
            lacking[f"{language}/{target.name}"] = len(said) - len(translations(known))
    return lacking
