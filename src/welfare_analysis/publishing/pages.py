"""A page of the report: an executed notebook as HTML in one language, its figures and tables numbered."""

import base64
import hashlib
import html
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from types import MappingProxyType
from typing import Any

from markupsafe import Markup
from nbformat import NotebookNode

from welfare_analysis.publishing import calendars, execution, prose
from welfare_analysis.publishing.markup import explained, inline, markdown, page_name, table

RESULTS = "results"  # every published cell: a CSV and a workbook, and a folder of a CSV a table
LINKED = 8  # tables of a figure that have a link each
PUBLISHED = re.compile(r'<table id="(\w+)">')  # a table of the release, by its name
PHONE = "screen and (max-width: 46rem)"  # where a picture is narrow


@dataclass(frozen=True)
class Page:
    """One page of the site: its file, title, sections (anchor, text), body and pictures (file name to bytes)."""

    href: str
    title: str
    sections: tuple[tuple[str, str], ...]
    body: Markup
    pictures: Mapping[str, bytes]
    script: str = ""

    @property
    def allowed(self) -> str:
        """The hash by which a browser lets this script run, and no other."""
        return base64.b64encode(hashlib.sha256(self.script.encode()).digest()).decode()


def page(stem: str, notebook: NotebookNode, said: prose.Prose, labels: Mapping[str, str],
         terms: Mapping[str, tuple[str, str]] = MappingProxyType({})) -> Page:  # fmt: skip
    """Return the page of an executed notebook in one language.

    Code stands behind its output and is seen where the page's switch is on; of each output the best form is shown:
    picture, table, Markdown, and text only where nothing else. A cell with a picture and then one line of Markdown is a
    figure and its caption. Figures and tables are numbered within the page, whose number comes first (6.3), and lead
    to the published cells that they show.

    Parameters
    ----------
    stem : str
        The notebook's file name without its ending, `NN_name`.
    notebook : NotebookNode
        Executed notebook; a picture's alternative text is in its output's metadata, ``image/png``, ``alt``, the
        tables that it shows in ``tables``, and in ``narrow`` the picture for a phone, where there is one; the language
        of an output in ``language``, where it has one.
    said : Prose
        What its paragraphs are in the language of the page.
    labels : mapping
        The words around the text, of this language (`report.around`).
    terms : mapping
        Address and meaning of words that are explained at their first use.
    """
    body = _Body(stem, said, labels)
    if prose.missing(notebook, said):
        body.parts.append(f'<p class="notice">{labels["in_english"]}</p>\n')
    for cell in notebook.cells:
        if cell.metadata.get("language", said.language) != said.language:
            continue
        if cell.cell_type == "markdown":
            body.paragraph(cell)
        elif cell.cell_type == "code" and cell.source.strip():
            body.result(cell)
    body.unfold()
    title = next((text for tag, _, text in body.headings if tag == "h1"), stem)
    sections = tuple((anchor, text) for tag, anchor, text in body.headings if tag == "h2")
    # every part was escaped or sanitised where it was made
    text = Markup(explained("".join(body.parts), terms))
    return Page(page_name(stem), title, sections, text, body.pictures | body.files)


class _Body:
    """The text of a page as it is written, with the numbers of its figures and tables, and its files."""

    def __init__(self, stem: str, said: prose.Prose, labels: Mapping[str, str]) -> None:
        self.stem, self.said, self.labels = stem, said, labels
        self.chapter = stem[:2].lstrip("0") or "0"
        self.environment: dict[str, Any] = {"headings": []}
        self.parts: list[str] = []
        self.pictures: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}  # for downloads, and not numbered as figures are
        self.tables, self.ids, self.folded = count(1), set[str](), False
        self.forms: dict[str, Callable[[str, NotebookNode], str]] = {
            calendars.KIND: self._calendar,
            "image/png": self._picture,
            "text/html": self._table,
            "text/markdown": lambda text, _: markdown(text, self.environment),
            "text/plain": self._plain,
        }

    @property
    def headings(self) -> list[tuple[str, str, str]]:
        """Tag, anchor and text of each heading so far."""
        return self.environment["headings"]

    def paragraph(self, cell: NotebookNode) -> None:
        """Write a paragraph; what only specialists read opens when it is asked for."""
        if cell.source.startswith(("# ", "## ")):
            self.unfold()
        if "fold" in cell.metadata.get("tags", []):
            heading = inline(self.said(cell.source.splitlines()[0].lstrip("# "))[0])
            self.parts.append(f'<details class="fold"><summary>{heading}</summary>\n')
            self.folded = True
        own = {} if "language" in cell.metadata else {"prose": self.said}
        self.parts.append(markdown(cell.source, self.environment | own))

    def unfold(self) -> None:
        """End what is folded, if anything is."""
        self.parts.append("</details>\n" if self.folded else "")
        self.folded = False

    def result(self, cell: NotebookNode) -> None:
        """Write what a cell gives, or that it failed and nothing that is half made; then the cell."""
        language = self.said.language
        outputs = [o for o in cell.outputs if o.get("metadata", {}).get("language", language) == language]
        if (error := execution.failure(cell)) is not None:
            self.parts.append(_gap(execution.reason(error), self.labels))
        elif (caption := _caption(outputs)) is not None:
            self.parts.append(self._picture(outputs[0].data["image/png"], outputs[0], inline(caption)))
        else:
            self.parts.extend(self._output(output) for output in outputs)
        self.parts.append(f'<pre class="code" tabindex="0"><code>{html.escape(cell.source)}</code></pre>\n')

    def _output(self, output: NotebookNode) -> str:
        if output.get("name") == "stderr":  # warnings name files and users of the machine
            return ""
        data = {"text/plain": output.text} if output.output_type == "stream" else output.get("data", {})
        best = next((kind for kind in self.forms if kind in data), None)
        return self.forms[best](data[best], output) if best else ""

    def _picture(self, data: str, output: NotebookNode, caption: str = "") -> str:
        name = f"{self.stem}-{len(self.pictures) + 1}.png"
        self.pictures[name] = base64.b64decode(data)
        about = output.metadata.get("image/png", {})
        number = self.labels["figure"].format(number=f"{self.chapter}.{len(self.pictures)}")
        alt = html.escape(about.get("alt") or number)
        image = f'<img src="images/{name}"{_size(self.pictures[name])} alt="{alt}">'
        if "narrow" in about:
            slim = f"{self.stem}-{len(self.pictures)}-narrow.png"
            self.files[slim] = base64.b64decode(about["narrow"])
            source = f'<source media="{PHONE}" srcset="images/{slim}"{_size(self.files[slim])}>'
            image = f"<picture>{source}{image}</picture>"
        links = f'<span class="data">{_data(about.get("tables", []), self.labels)}</span>'
        under = f"<figcaption>{number}. {caption} {links}</figcaption>"
        hint = f'<p class="hint">{self.labels["swipe"]}</p>'
        return f'<figure>{hint}<div class="wide" tabindex="0">{image}</div>{under}</figure>\n'

    def _table(self, text: str, output: NotebookNode) -> str:
        names = PUBLISHED.findall(text)
        for name in self.ids.intersection(names):  # a page may show a table twice
            text = text.replace(f'<table id="{name}">', "<table>")
        self.ids.update(names)
        number = self.labels["table"].format(number=f"{self.chapter}.{next(self.tables)}") if names else ""
        below = f'<p class="data">{_data(names, self.labels)}</p>\n' if names else ""
        return table(text, self._foreign(output), number) + below

    def _plain(self, text: str, output: NotebookNode) -> str:
        return f'<pre tabindex="0"{self._foreign(output)}>{html.escape(text)}</pre>\n'

    def _foreign(self, output: NotebookNode) -> str:
        """Attributes of what a cell gives without saying its language, such as a frame of pandas."""
        own = self.said.attributes(prose.SOURCE) if "language" not in output.get("metadata", {}) else {}
        return "".join(f' {name}="{value}"' for name, value in own.items())

    def _calendar(self, text: str, _: NotebookNode) -> str:
        name = f"{self.stem}.ics"
        self.files[name] = text.encode()
        return f'<p class="data"><a href="images/{name}" download>{self.labels["calendar"]}</a></p>\n'


def _data(names: Sequence[str], labels: Mapping[str, str]) -> str:
    """Links to the published cells of tables; of many to those of all."""
    if len(names) > LINKED:
        return f'<a href="../{RESULTS}.csv" download>{labels["numbers"]}</a>'
    links = [f'<a href="../{RESULTS}/{name}.csv" download><bdi>{name}.csv</bdi></a>' for name in names]
    return f"{labels['data']} {', '.join(links)}" if links else ""


def _size(picture: bytes) -> str:
    """Attributes of a PNG's width and height."""
    return ' width="{}" height="{}"'.format(*struct.unpack(">II", picture[16:24]))


def _caption(outputs: list[NotebookNode]) -> str | None:
    """The line behind a picture, where a cell gives just these two."""
    data = [output.get("data", {}) for output in outputs]
    return data[1].get("text/markdown") if len(data) == 2 and "image/png" in data[0] else None


def _gap(reason: str, labels: Mapping[str, str]) -> str:
    """What stands in the place of a result: that it cannot be made, and why, or that the program failed."""
    if not reason:
        return f'<p class="gap">{labels["error"]}</p>\n'
    return f'<p class="gap">{labels["gap"]} (<bdi lang="en">{html.escape(reason)}</bdi>)</p>\n'
