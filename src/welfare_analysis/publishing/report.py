"""The report: notebooks as a static site that needs no network and no script."""

import base64
import html
import os
import re
import shutil
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from nbformat import NotebookNode

from welfare_analysis.disclosure.registry import joined
from welfare_analysis.errors import WelfareError
from welfare_analysis.publishing import execution
from welfare_analysis.publishing.folders import private, replacing, set_aside
from welfare_analysis.publishing.markup import inline, markdown, page_name, table
from welfare_analysis.survey.codebook import words
from welfare_analysis.survey.institution import Words

RESULTS = "results.csv"  # every published cell
ANSI = re.compile(r"\x1b\[[0-9;]*m")  # colours of a terminal
SITE = Path(__file__).parent / "site"
LABELS = {
    "en": {
        "dir": "ltr",
        "skip": "Skip to the text",
        "contents": "Contents",
        "previous": "Previous",
        "next": "Next",
        "code": "Code",
        "numbers": "All published numbers (CSV)",
        "figure": "Figure {number}",
        "gap": "This result cannot be made from these answers.",
        "error": "This result is missing: the program met an error. The others are not affected.",
    },
    "fr": {
        "dir": "ltr",
        "skip": "Aller au texte",
        "contents": "Sommaire",
        "previous": "Précédent",
        "next": "Suivant",
        "code": "Code",
        "numbers": "Tous les chiffres publiés (CSV)",
        "figure": "Figure {number}",
        "gap": "Ce résultat ne peut pas être établi à partir de ces réponses.",
        "error": "Ce résultat manque : le programme a rencontré une erreur. Les autres n'en sont pas touchés.",
    },
    "ar": {
        "dir": "rtl",
        "skip": "انتقل إلى النص",
        "contents": "المحتويات",
        "previous": "السابق",
        "next": "التالي",
        "code": "الشيفرة",
        "numbers": "كل الأرقام المنشورة (CSV)",
        "figure": "الشكل {number}",
        "gap": "لا يمكن استخراج هذه النتيجة من هذه الأجوبة.",
        "error": "هذه النتيجة ناقصة: صادف البرنامج خطأً. ولا يمس ذلك النتائج الأخرى.",
    },
}


@dataclass(frozen=True)
class Published:
    """A report: its front page, and by page how many results it lacks; ``errors`` of them are the program's own."""

    front: Path
    gaps: Mapping[str, int]
    errors: int


@dataclass(frozen=True)
class Page:
    """One page of the site: its file, title, sections (anchor, text), body and pictures (file name to bytes)."""

    href: str
    title: str
    sections: tuple[tuple[str, str], ...]
    body: Markup
    pictures: Mapping[str, bytes]


def page(stem: str, notebook: NotebookNode, language: str = "en") -> Page:
    """Return the page of an executed notebook.

    Code is folded behind its output; of each output the best form is shown: picture, table, Markdown, and text only
    where nothing else. A cell with a picture and then one line of Markdown is a figure and its caption.

    Parameters
    ----------
    stem : str
        The notebook's file name without its ending, `NN_name`.
    notebook : NotebookNode
        Executed notebook; a picture's alternative text is in its output's metadata, ``image/png``, ``alt``.
    language : {"en", "fr", "ar"}
        Of the words around the text.
    """
    labels = LABELS[language]
    environment: dict[str, Any] = {"headings": []}
    pictures: dict[str, bytes] = {}

    def picture(data: str, output: NotebookNode, caption: str = "") -> str:
        name = f"{stem}-{len(pictures) + 1}.png"
        pictures[name] = base64.b64decode(data)
        width, height = struct.unpack(">II", pictures[name][16:24])
        alt = output.metadata.get("image/png", {}).get("alt") or labels["figure"].format(number=len(pictures))
        image = f'<img src="images/{name}" width="{width}" height="{height}" alt="{html.escape(alt)}">'
        under = f"<figcaption>{labels['figure'].format(number=len(pictures))}. {caption}</figcaption>"
        return f'<figure><div class="wide" tabindex="0">{image}</div>{under}</figure>\n'

    forms: dict[str, Callable[[str, NotebookNode], str]] = {
        "image/png": picture,
        "text/html": lambda text, _: table(text),
        "text/markdown": lambda text, _: markdown(text, environment),
        "text/plain": lambda text, _: f'<pre tabindex="0">{html.escape(text)}</pre>\n',
    }
    parts, folded = [], False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            if folded and cell.source.startswith(("# ", "## ")):
                parts.append("</details>\n")
                folded = False
            if "fold" in cell.metadata.get("tags", []):  # what only specialists read opens when it is asked for
                heading = inline(cell.source.splitlines()[0].lstrip("# "))
                parts.append(f'<details class="fold"><summary>{heading}</summary>\n')
                folded = True
            parts.append(markdown(cell.source, environment))
        elif cell.cell_type == "code" and cell.source.strip():
            caption, error = _caption(cell.outputs), execution.failure(cell)
            if error is not None:  # nothing that is half made
                parts.append(_gap(execution.reason(error), labels))
            elif caption is not None:
                parts.append(picture(cell.outputs[0].data["image/png"], cell.outputs[0], inline(caption)))
            else:
                parts.extend(_output(output, forms) for output in cell.outputs)
            code = f'<pre tabindex="0"><code>{html.escape(cell.source)}</code></pre>'
            parts.append(f"<details><summary>{labels['code']}</summary>{code}</details>\n")
    parts.append("</details>\n" if folded else "")
    headings = environment["headings"]
    title = next((text for tag, _, text in headings if tag == "h1"), stem)
    sections = tuple((anchor, text) for tag, anchor, text in headings if tag == "h2")
    # every part was escaped or sanitised where it was made
    return Page(page_name(stem), title, sections, Markup("".join(parts)), pictures)


def _caption(outputs: list[NotebookNode]) -> str | None:
    """The line behind a picture, where a cell gives just these two."""
    data = [output.get("data", {}) for output in outputs]
    return data[1].get("text/markdown") if len(data) == 2 and "image/png" in data[0] else None


def _gap(reason: str, labels: Mapping[str, str]) -> str:
    """What stands in the place of a result: that it cannot be made, and why, or that the program failed."""
    if not reason:
        return f'<p class="gap">{labels["error"]}</p>\n'
    return f'<p class="gap">{labels["gap"]} (<bdi lang="en">{html.escape(reason)}</bdi>)</p>\n'


def _output(output: NotebookNode, forms: Mapping[str, Callable[[str, NotebookNode], str]]) -> str:
    if output.get("name") == "stderr":  # warnings name files and users of the machine
        return ""
    data = {"text/plain": output.text} if output.output_type == "stream" else output.get("data", {})
    best = next((kind for kind in forms if kind in data), None)
    return forms[best](data[best], output) if best else ""


def _front(pages: list[Page], language: str) -> Page:
    title = LABELS[language]["contents"]
    items = "".join(f'<li><a href="{p.href}">{html.escape(p.title)}</a></li>' for p in pages)
    return Page("index.html", title, (), Markup(f"<h1>{title}</h1><ol>{items}</ol>"), {})


def render(notebooks: Mapping[str, NotebookNode], folder: Path, language: str = "en") -> None:
    """Write the site of executed notebooks (stem to notebook, in order) into a folder.

    Raises
    ------
    WelfareError
        If the language is not one of the three, or a formula cannot be read.
    """
    if language not in LABELS:
        raise WelfareError("the language is not known", got=language, expected=", ".join(LABELS))
    pages = [page(stem, notebook, language) for stem, notebook in notebooks.items()]
    if not any(p.href == "index.html" for p in pages):
        pages.insert(0, _front(pages, language))
    jinja = Environment(loader=FileSystemLoader(SITE), autoescape=True, undefined=StrictUndefined)
    template = jinja.get_template("page.html.j2")
    (folder / "images").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(SITE / "style.css", folder / "style.css")
    for i, current in enumerate(pages):
        around = {"previous": pages[i - 1] if i else None, "following": pages[i + 1] if i + 1 < len(pages) else None}
        text = template.render(page=current, pages=pages, language=language, labels=LABELS[language], **around)
        (folder / current.href).write_text(text, encoding="utf-8")
        for name, data in current.pictures.items():
            (folder / "images" / name).write_bytes(data)


def publish(
    root: Path,
    language: str = "en",
    variables: Mapping[str, str] = os.environ,
    say: execution.Say = lambda _: None,
) -> Published:
    """Run the notebooks of a repository and write its report.

    A report of before is moved to `build/report.before`, and goes when the new one is whole. A result that cannot be
    made is said so in its place; the tracebacks are in `build/report.log`.

    Raises
    ------
    WelfareError
        If there is no notebook, a file that is named does not exist, or no study can be opened.
    """
    build = private(root / "build")
    before = set_aside(build / "report")
    paths = execution.find(root / "notebooks")
    trees = [root / "src", root / "data", root / "requirements.txt"]
    given = execution.environment(variables)
    executed = execution.run(paths, build / "notebooks", trees, given, say)
    if "CODEBOOK" in given:
        _in_words_of(words(Path(given["CODEBOOK"])), executed, language)
    with replacing(build / "report") as fresh:
        render({path.stem: notebook for path, notebook in zip(paths, executed, strict=True)}, fresh, language)
        files = {path.stem: build / "notebooks" / f"{path.stem}{execution.CELLS}" for path in paths}
        joined(files).to_csv(fresh / RESULTS, index=False)
    shutil.rmtree(before, ignore_errors=True)
    failed = {
        path.stem: errors
        for path, notebook in zip(paths, executed, strict=True)
        if (errors := [error for cell in notebook.cells if (error := execution.failure(cell))])
    }
    _log(failed, build / "report.log")
    own = sum(not execution.reason(error) for errors in failed.values() for error in errors)
    return Published(build / "report" / "index.html", {stem: len(errors) for stem, errors in failed.items()}, own)


def _in_words_of(institution: Words, notebooks: list[NotebookNode], language: str) -> None:
    """Let the prose of pages speak of an institution: its people, places, lender and currency."""
    for notebook in notebooks:
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = institution.said(cell.source, language)


def _log(failed: Mapping[str, list[NotebookNode]], path: Path) -> None:
    """Write the errors of cells for whoever mends them, and for nobody else; no file where there are none."""
    path.unlink(missing_ok=True)
    lines = [
        f"{stem}: {error.ename}: {error.evalue}\n{ANSI.sub('', chr(10).join(error.traceback))}\n"
        for stem, errors in failed.items()
        for error in errors
    ]
    if lines:
        path.touch(mode=0o600)
        path.write_text("\n".join(lines), encoding="utf-8")
