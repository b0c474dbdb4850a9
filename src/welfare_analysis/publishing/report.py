"""The report: notebooks as a static site that needs no network, once in each language; what-ifs alone have a script."""

import datetime
import html
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from welfare_analysis import __version__
from welfare_analysis.disclosure.registry import joined, log, shown_share
from welfare_analysis.errors import WelfareError
from welfare_analysis.languages import NAMES, amount, direction, number
from welfare_analysis.publishing import execution, grids, my_figures, pdf, prose, record, stop_briefs
from welfare_analysis.publishing.folders import private, replacing, set_aside
from welfare_analysis.publishing.glossary import Word, glossary
from welfare_analysis.publishing.labels import day
from welfare_analysis.publishing.markup import page_name
from welfare_analysis.publishing.pages import RESULTS, Page, page
from welfare_analysis.publishing.searching import sections
from welfare_analysis.results import kept
from welfare_analysis.study import DATA
from welfare_analysis.survey.codebook import Codebook, words

HIDDEN = "hidden.csv"  # what it leaves out, and by which rules
ANSI = re.compile(r"\x1b\[[0-9;]*m")  # colours of a terminal
SITE = Path(__file__).parent / "site"
SUMMARY = page_name("14_summary")  # is made for paper too
AROUND = "site."  # first part of the keys of the texts that stand around the text of a page


@dataclass(frozen=True)
class Published:
    """A report: its front page, and by page how many results it lacks; ``errors`` of them are the program's own."""

    front: Path
    gaps: Mapping[str, int]
    errors: int


def around(language: str) -> dict[str, str]:
    """The words around the text of a page, the direction of writing, and what the language calls itself.

    Raises
    ------
    WelfareError
        If the language is not one of the three.
    """
    if language not in NAMES:
        raise WelfareError("the language is not known", got=language, expected=", ".join(NAMES))
    texts, own = Codebook.read(DATA / "codebook"), {"dir": direction(language), "name": NAMES[language]}
    keys = [key for key in texts.texts.index if key.startswith(AROUND)]
    return own | {key.removeprefix(AROUND): texts.template(key, language) for key in keys}


def _front(pages: list[Page], title: str) -> Page:
    items = "".join(f'<li><a href="{p.href}">{html.escape(p.title)}</a></li>' for p in pages)
    return Page("index.html", title, (), Markup(f"<h1>{title}</h1><ol>{items}</ol>"), {})


def _glossary_page(words: Iterable[Word], title: str) -> Page:
    items = "".join(
        f'<dt id="{word.anchor}"><bdi>{html.escape(word.name)}</bdi></dt><dd>{html.escape(word.meaning)}</dd>'
        for word in words
    )
    return Page("glossary.html", title, (), Markup(f"<h1>{html.escape(title)}</h1><dl>{items}</dl>"), {})  # escaped


def _scripted(name: str, given: Any, labels: Mapping[str, str], site: Environment) -> Page:
    """A page with a template and a script of its name, and the plain data that both read."""
    data = Markup(json.dumps(given, ensure_ascii=False).replace("<", "\\u003c"))  # nothing in it ends the element
    body = Markup(site.get_template(f"{name}.html.j2").render(given=given, labels=labels, data=data))
    return Page(f"{name}.html", labels[name], (), body, {}, (SITE / f"{name}.js").read_text(encoding="utf-8"))


def render(
    notebooks: Mapping[str, NotebookNode],
    folder: Path,
    languages: Sequence[str] = tuple(NAMES),
    worded: Callable[[str, str], str] = lambda text, _: text,
) -> None:
    """Write the site of executed notebooks (stem to notebook, in order): a folder a language, and a page that leads.

    Each page has a link to itself in the other languages, the first language first.

    Raises
    ------
    WelfareError
        If a language is not one of the three, or a formula cannot be read.
    """
    jinja = Environment(loader=FileSystemLoader(SITE), autoescape=True, undefined=StrictUndefined)
    switch = {language: around(language) for language in languages}
    fronts = {}
    for language, labels in switch.items():
        own = folder / language
        (own / "images").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SITE / "style.css", own / "style.css")
        known = glossary(language, worded).values()
        terms = {word.name: (f"glossary.html#{word.anchor}", word.meaning) for word in known if word.is_term}
        pages = [
            page(stem, notebook, _prose(stem, language, worded), labels, terms) for stem, notebook in notebooks.items()
        ]
        if not any(p.href == "index.html" for p in pages):
            pages.insert(0, _front(pages, labels["contents"]))
        if services := grids.handed_on(notebooks.values(), language):
            pages.append(_scripted(grids.HANDED, services, labels, jinja))
        if mine := grids.handed_on(notebooks.values(), language, my_figures.HANDED):
            pages.append(_scripted(my_figures.HANDED, mine[0], labels, jinja))
        pages.append(_glossary_page(known, labels["glossary"]))
        briefs = [
            Page(one["href"], one["title"], (), Markup(jinja.get_template("brief.html.j2").render(brief=one)), {})
            for handed in grids.handed_on(notebooks.values(), language, stop_briefs.HANDED)
            for one in stop_briefs.pages(handed)
        ]
        heads = [replace(brief, body=brief.body.partition("<h2")[0]) for brief in briefs]  # the rest is alike in many
        pages.append(_scripted("search", sections((p.href, p.title, p.body) for p in [*pages, *heads]), labels, jinja))
        fronts[language] = pages[0].title
        template = jinja.get_template("page.html.j2")
        today = datetime.datetime.now(datetime.UTC).toordinal()
        made = labels["made"].format(date=day(today, language), version=__version__)
        shared = {"pages": pages, "language": language, "labels": labels, "switch": switch, "made": made}
        for current in briefs:  # they are reached from a page, and are no step of the way through the report
            shown = template.render(page=current, **shared, previous=None, following=None)
            (own / current.href).write_text(shown, encoding="utf-8")
        for i, current in enumerate(pages):
            steps = {"previous": pages[i - 1] if i else None, "following": pages[i + 1] if i + 1 < len(pages) else None}
            (own / current.href).write_text(template.render(page=current, **shared, **steps), encoding="utf-8")
            for name, data in current.pictures.items():
                (own / "images" / name).write_bytes(data)
            if current.href == SUMMARY:
                paper = (own / current.href).with_suffix(".pdf")
                pdf.write(current.title, current.body, paper, labels | {"made": made}, language)
    leads = jinja.get_template("languages.html.j2").render(switch=switch, fronts=fronts)
    (folder / "index.html").write_text(leads, encoding="utf-8")


def _prose(stem: str, language: str, worded: Callable[[str, str], str] = lambda text, _: text) -> prose.Prose:
    known = prose.translations(prose.catalogue(stem, language)) if language in prose.TRANSLATED else {}
    return prose.Prose(language, known, worded)


def publish(root: Path, variables: Mapping[str, str] = os.environ, say: execution.Say = lambda _: None) -> Published:
    """Run the notebooks of a repository once and write its report in each language; LANGUAGE_OF_REPORT comes first.

    A report of before is moved to `build/report.before`, and goes when the new one is whole. A result that cannot be
    made is said so in its place; the tracebacks are in `build/report.log`.

    Raises
    ------
    WelfareError
        If there is no notebook, a file that is named does not exist, no study can be opened, or the language is not
        known.
    """
    first = variables.get("LANGUAGE_OF_REPORT") or "en"
    around(first)
    languages = sorted(NAMES, key=lambda one: one != first)
    build = private(root / "build")
    before = set_aside(build / "report")
    paths = execution.find(root / "notebooks")
    trees = [root / "src", root / "data", root / "requirements.txt"]
    given = {kept.FOLDER: str(build / "cache"), **execution.environment(variables)}
    given["LANGUAGES_OF_REPORT"] = " ".join(NAMES)
    executed = execution.run(paths, build / "notebooks", trees, given, say)
    own_words = [words(Path(given["CODEBOOK"])).said] if "CODEBOOK" in given else []
    cells = joined({path.stem: build / "notebooks" / f"{path.stem}{execution.CELLS}" for path in paths})
    made = {path.stem: done for path, done in zip(paths, executed, strict=True)}
    titles = {
        one: {stem: _called(stem, done, _prose(stem, one, *own_words)) for stem, done in made.items()}
        for one in languages
    }
    with replacing(build / "report") as fresh:
        render({**made, "confidentiality": confidentiality(cells, titles)}, fresh, languages, *own_words)
        _results(cells, fresh)
        log(cells).to_csv(fresh / HIDDEN, index=False)
        record.write(fresh, root, variables, languages)
    shutil.rmtree(before, ignore_errors=True)
    failed = {
        path.stem: errors
        for path, notebook in zip(paths, executed, strict=True)
        if (errors := [error for cell in notebook.cells if (error := execution.failure(cell))])
    }
    _log(failed, build / "report.log")
    own = sum(not execution.reason(error) for errors in failed.values() for error in errors)
    return Published(build / "report" / "index.html", {stem: len(errors) for stem, errors in failed.items()}, own)


def _results(cells: pd.DataFrame, folder: Path) -> None:
    """Write every published cell as one CSV, as a workbook, and as a CSV a table."""
    cells.to_csv(folder / f"{RESULTS}.csv", index=False)
    cells.to_excel(folder / f"{RESULTS}.xlsx", sheet_name=RESULTS, index=False, freeze_panes=(1, 2))
    (folder / RESULTS).mkdir()
    for name, rows in cells.drop(columns="page").drop_duplicates().groupby("table"):
        if re.fullmatch(r"\w+", name):  # not what a reader called a table of his own
            rows.to_csv(folder / RESULTS / f"{name}.csv", index=False)


def confidentiality(cells: pd.DataFrame, titles: Mapping[str, Mapping[str, str]]) -> NotebookNode:
    """The page on what may be published, with a table of how much each page shows.

    ``cells`` are those of `joined`; ``titles`` are what pages are called, by language and by the name of the notebook.
    """
    texts, part = Codebook.read(DATA / "codebook"), shown_share(cells)
    written = [new_markdown_cell(prose.CONFIDENTIALITY.read_text(encoding="utf-8"))]
    for language, called in titles.items():
        heads = (texts.text(f"col.{name}", language) for name in ("page", "cells", "sure_enough", "shown"))
        rows = [
            f"| {called.get(page, texts.text('short.all', language))} | {number(many, language)} "
            f"| {amount(before, 'share', language, step=0.01)} | {amount(after, 'share', language, step=0.01)} |"
            for page, many, before, after in part.itertuples()
        ]
        lines = [f"## {texts.text('site.shown', language)}", "", f"| {' | '.join(heads)} |", "|---|--:|--:|--:|", *rows]
        written.append(new_markdown_cell("\n".join(lines), metadata={"language": language}))
    return new_notebook(cells=written)


def _called(stem: str, notebook: NotebookNode, said: prose.Prose) -> str:
    """The title of a page: its first heading."""
    return next((said(line[2:].strip())[0] for line in notebook.cells[0].source.splitlines() if line[:2] == "# "), stem)


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
