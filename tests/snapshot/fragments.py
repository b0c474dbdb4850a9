"""What pages say, cut into fragments: lines of Markdown, rows of tables, words of pictures; each with its count."""

from __future__ import annotations

import ast
import functools
import json
import sys
import tempfile
import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
from cells import failure
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import Markdown
from IPython.utils.capture import capture_output
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from surveys import LANGUAGES
from traitlets.config import Config

from welfare_analysis.publishing.notebook import lacking
from welfare_analysis.study import ROOT, Study

COLUMNS = ["language", "page", "fragment", "count"]
PAGES = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def recorded(study: Study, only: str = "", progress: Callable[[str], None] = lambda _: None) -> pd.DataFrame:
    """Fragments of all pages whose name begins with ``only``, in every language.

    The study is opened once: models do not depend on the language, so what they have stored is used again.
    """
    rows = []
    warnings.simplefilter("ignore")  # of fonts, on pictures that nobody looks at
    with patch.object(Study, "open", lambda *_, **__: study):
        for path in (p for p in PAGES if p.stem.startswith(only)):
            tables: dict[str, object] = {}
            for language in LANGUAGES:
                object.__setattr__(study, "language", language)
                _forget_words()
                said = Counter(page(path, tables))
                rows += [(language, path.stem, fragment, count) for fragment, count in said.items()]
            progress(f"page {path.stem}")
    return pd.DataFrame(rows, columns=COLUMNS).sort_values(COLUMNS, ignore_index=True)


def page(path: Path, tables: dict[str, object]) -> Iterator[str]:
    """Fragments that the cells of a notebook show, run in order; after a cell that fails the next one is run.

    ``tables`` takes the tables that the page asks for, so that in the next language they are not estimated again.
    """
    shell, namespace = _shell(), {"__name__": "__main__"}
    sources = [c["source"] for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
    for source in sources:
        drawn: list[str] = []
        value, fault = None, ""
        saved = functools.partialmethod(_words_of, drawn)
        with capture_output() as shown, patch.object(Figure, "savefig", saved):
            try:
                value = _value("".join(source), namespace)
            except Exception as error:  # a page that fails today is part of what is recorded
                fault = failure(error)
        _share(namespace, tables)
        for output in shown.outputs:
            yield from _bundle(output.data, output.metadata or {})
        if value is not None:
            yield from _bundle(*shell.display_formatter.format(value))
        yield from _lines(shown.stdout)
        yield from drawn
        yield from [fault] if fault else []


def _value(source: str, namespace: dict[str, Any]) -> object:
    """Run a cell; return the value of its last line if that is an expression, or what ``%%needs`` says in its place."""
    first, _, rest = source.partition("\n")
    if first.startswith("%%needs "):
        study: Any = namespace["study"]
        if why := lacking(study, first.removeprefix("%%needs ").strip()):
            return Markdown(study.text(why))
        source = rest
    tree = ast.parse(source)
    last = ast.Expression(tree.body.pop().value) if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), namespace)
    return eval(compile(last, "cell", "eval"), namespace) if last else None


def _share(namespace: dict[str, Any], tables: dict[str, object]) -> None:
    """Let releases that a cell has made take tables from those made before, and keep there what they make."""
    for released in namespace.values():
        makers = getattr(released, "makers", None)
        if isinstance(makers, dict) and not any(isinstance(maker, _Once) for maker in makers.values()):
            makers |= {name: _Once(name, maker, tables) for name, maker in makers.items()}


class _Once:
    """A maker of a table that was perhaps made before."""

    def __init__(self, name: str, maker: Callable[[], object], tables: dict[str, object]) -> None:
        self.name, self.maker, self.tables = name, maker, tables

    def __call__(self) -> object:
        """Return the table."""
        if self.name not in self.tables:
            self.tables[self.name] = self.maker()
        return self.tables[self.name]


@functools.cache
def _shell() -> InteractiveShell:
    """The shell that `display` writes to, without a history and without a profile of the user."""
    settings = Config()
    settings.HistoryManager.enabled = False
    settings.InteractiveShell.ipython_dir = tempfile.mkdtemp(prefix="ipython-")
    return InteractiveShell.instance(config=settings)


def _bundle(data: dict[str, Any], metadata: dict[str, Any]) -> Iterator[str]:
    """Fragments of one output: the richest form of it alone, as a reader sees it."""
    if "image/png" in data:
        yield f"alt: {metadata.get('image/png', {}).get('alt', '')}"
        yield f"drawn: {data.get('text/plain', '')}"
    elif "text/html" in data:
        yield from in_html(data["text/html"])
    elif "text/markdown" in data:
        yield from _lines(data["text/markdown"])
    else:
        yield from _lines(data.get("text/plain", ""))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _words_of(figure: Figure, drawn: list[str], target: Any, **_: object) -> None:
    """In place of saving a picture: keep its words, and give a picture of one point."""
    figure.set_layout_engine("none")  # places take most of the time and are no words
    figure.draw_without_rendering()
    words = (text.get_text() for text in figure.findobj(Text) if text.get_visible())
    drawn += [f"figure: {' '.join(word.split())}" for word in words if word.strip()]
    Image.new("RGB", (1, 1)).save(target, format="png")


class _Cut(HTMLParser):
    """Cuts HTML where a reader sees a line end: a caption, a row with its cells, a footer, a paragraph."""

    BLOCKS = frozenset(("caption", "tr", "p", "li", "h1", "h2", "h3", "h4", "div", "table"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.fragments: list[str] = []
        self.text, self.part = "", "row"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a new fragment or a new cell."""
        if tag in self.BLOCKS:
            self.cut()
        if tag in ("thead", "tbody", "tfoot"):
            self.part = {"thead": "head", "tbody": "row", "tfoot": "foot"}[tag]
        if tag == "br":
            self.text += " "

    def handle_endtag(self, tag: str) -> None:
        """End a cell with a mark, a fragment with what it is part of."""
        if tag in ("td", "th"):
            self.text += " | "
        elif tag == "tr":
            self.cut(f"{self.part}: ")
        elif tag in self.BLOCKS:
            self.cut("caption: " if tag == "caption" else "")

    def handle_data(self, data: str) -> None:
        """Gather text."""
        self.text += data

    def cut(self, what: str = "") -> None:
        """Keep what was gathered, if anything."""
        text = " ".join(self.text.split()).removesuffix("|").strip()
        self.fragments += [what + text] if text else []
        self.text = ""


def in_html(source: str) -> list[str]:
    """Fragments of an HTML text: ``caption: ``, ``head: ``, ``row: ``, ``foot: ``, or a plain paragraph."""
    parser = _Cut()
    parser.feed(source)
    parser.close()
    parser.cut()
    return parser.fragments


def _forget_words() -> None:
    """Empty the caches whose results are in a language: those that read it, and those that return a text."""
    for module in [m for name, m in sys.modules.items() if name.startswith("welfare_analysis") and m]:
        for function in vars(module).values():
            inner = getattr(function, "__wrapped__", None)
            if hasattr(function, "cache_clear") and inner is not None:
                returned = str(inner.__annotations__.get("return", ""))
                if "language" in _attributes(inner.__code__) or returned in ("HTML", "Markdown", "str"):
                    function.cache_clear()


def _attributes(code: types.CodeType) -> set[str]:
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*map(_attributes, inner))
