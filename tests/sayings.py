"""Everything that a study says in words, each with the tables that it asked for."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from functools import partial
from unittest.mock import patch

from books import BOOK
from said_numbers import ISOLATES, WRITTEN

from welfare_analysis import results
from welfare_analysis.disclosure import Released
from welfare_analysis.languages import amount, number
from welfare_analysis.publishing import show
from welfare_analysis.publishing.figures import output
from welfare_analysis.publishing.labels import cell_label, format_cell, step_of, unit_of
from welfare_analysis.publishing.published import Registry, release
from welfare_analysis.publishing.sentences import CONDITIONAL, points, sentence
from welfare_analysis.results import HEADLINES
from welfare_analysis.results.catalogue import listed
from welfare_analysis.study import Study
from welfare_analysis.survey.codebook import LANGUAGES

NAMES = set(listed()["table"])
OF = {"bias.found": HEADLINES, "contrast_of": ("returned_by_rank", "responded_by_command"),
      "who_where": HEADLINES[:-1], "what_changes": HEADLINES[1:]}  # fmt: skip


Said = tuple[bool, float]  # whether it is a percentage, and the number


def numbers(text: str, language: str) -> set[Said]:
    """Numbers of a text, with a mark on percentages; plain ones from a hundred on, since below they count anything."""
    pattern, thousands, point = WRITTEN[language]
    found = re.finditer(rf"({pattern})(\s?%)?", ISOLATES.sub("", text))
    said = {(bool(m[2]), float(re.sub(f"[{thousands}]", "", m[1]).replace(point, "."))) for m in found}
    return {(share, x) for share, x in said if share or x >= 100}


def gaps(template: str) -> list[tuple[str, str]]:
    """Gaps of a text: what each names, and its verb."""
    return [(name, verb or "") for _, name, verb, _ in string.Formatter().parse(template) if name]


def addresses(template: str) -> list[tuple[str, list[str], str]]:
    """Gaps of a text that name a table: name, codes, verb."""
    named = [(n.split("|"), verb) for n, verb in gaps(template) if "|" in n or "@" in n or n in NAMES]
    return [(first, codes, verb) for (first, *codes), verb in named]


def given(template: str) -> dict[str, str]:
    """A word for each gap of a text that is no table."""
    return {name: "x" for name, _ in gaps(template) if re.fullmatch(r"\w+", name) and name not in NAMES}


def texts() -> Iterator[tuple[str, str]]:
    """Texts with an address, each with what ``@`` stands for."""
    for key, row in BOOK.texts.iterrows():
        if any(addresses(row[language]) for language in LANGUAGES):
            yield from ((key, table) for table in OF.get(key, HEADLINES if "@" in row["en"] else ("",)))


def said(study: Study, instead: Mapping[str, Released]) -> Iterator[tuple[str, str, set[str]]]:
    """Sentences, alternative texts and tables: name, text, and the tables that were asked for.

    ``instead`` are tables in the place of those that are released.
    """
    asked: set[str] = set()

    def noted(_: Registry, table: Released) -> Released:
        asked.add(table.id)
        return instead.get(table.id, table)

    makers = {f"{key} {of}": partial(sentence, study, key, of, **given(BOOK.template(key))) for key, of in texts()}
    makers |= {key: partial(_joined, study, key) for key in CONDITIONAL}
    makers |= {f"alt {name}": partial(_alternative, study, name) for name in output.FIGURES}
    makers |= {f"table {name}": partial(_shown, study, name) for name in NAMES}
    with patch.object(Registry, "record", noted):
        for where, make in makers.items():
            asked.clear()
            yield where, make(), set(asked)


def _joined(study: Study, key: str) -> str:
    return " ".join(points(study, key))


def _alternative(study: Study, name: str) -> str:
    """Alternative text of a figure, and the sentence above it."""
    tables = [release(study)[table] for table in output.planned(name).tables if table in NAMES]
    return f"{output.alt_text(name, tables, study)} {output.message(name, tables, study)}"


def _shown(study: Study, name: str) -> str:
    return re.sub(r"<[^>]+>", " | ", show(study, name).data)


def told(study: Study, table: Released) -> set[Said]:
    """Numbers of a table that may be said, as they are printed, and those of its labels."""
    cells = [format_cell(table, study, row) for _, row in table.shown.iterrows()]
    names = [cell_label(table, study, key, code) for key in table.keys for code in table.frame[key].unique()]
    bases = [number(n) for n in {table.respondents, table.followed_up, *table.frame.get("n", ())} if n == n]
    missing = [amount(table.missing_share, "share")]
    return {x for part in (cells, names) for text in part for x in numbers(text, study.language)} | {
        x for text in (*bases, *missing) for x in numbers(text, "en")
    }


def unexplained(study: Study, instead: Mapping[str, Released] | None = None) -> dict[str, set[Said]]:
    """By name of what is said, the numbers in it that no shown cell of its tables has, and no text or label."""
    every, language = results.release(study), study.language
    written = " | ".join(re.sub(r"\{[^}]*\}", " ", text) for text in BOOK.texts[language])
    plain, known = set(numbers(written, language)), {}
    found = {}
    for where, text, asked in said(study, instead or {}):
        for name in asked - set(known):
            known[name] = told(study, every[name]) if every[name].state == "shown" else set()
        left = set(numbers(text, language)) - plain - set().union(*(known[name] for name in asked))
        found |= {where: left} if left else {}
    return found


def hidden_numbers(released: Mapping[str, Released], opened: Mapping[str, Released]) -> set[Said]:
    """Numbers of hidden cells as they would be printed; ``opened`` are the same tables with nothing hidden."""
    found: set[Said] = set()
    for name, table in opened.items():
        if released[name].state == "shown":
            lost = released[name].frame["flag"].eq("hidden").to_numpy()
            for _, row in table.frame[lost].dropna(subset="estimate").iterrows():
                found |= set(numbers(amount(row["estimate"], unit_of(table, row), step=step_of(row)), "en"))
    return found
