"""Sentences made from released cells: a gap of a text is the address of a cell.

``{homes_by_terms|foundation|social_flat}`` is a table and the codes of one of its cells, in the order of its keys
(``*`` is any, ``~code`` any other). Behind a colon stands a verb (`verbs`). A gap without ``|`` that is no table is a
field that the caller gives. ``@`` in an address stands for a table that is named with the text:
``{@_by_status:contrast}``.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
from IPython.display import Markdown

from ..disclosure import Release
from ..languages import agreed
from ..results import TOPICS
from ..study import Study
from .labels import title, version
from .published import release
from .verbs import reasons, spoken

HEAD = re.compile(r"\*\*[^*{]+(?::\*\*|\*\*\s:)")  # **Loans:**, **Prêts** :
Spoken = Callable[[Study], Iterable[str]]
CONDITIONAL: dict[str, Spoken] = {}


def conditional(key: str, table: str = "", why: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function as the sentences of a key: those that depend on conditions, and so are no text.

    Where a ``table`` is named the function takes it behind the study, and is asked only if it has a number; else
    nothing is said, or ``why`` there is none.
    """

    def declare(function: Callable[..., Iterable[str]]) -> Callable[..., Iterable[str]]:
        def of_table(study: Study) -> Iterator[str]:
            made = release(study)[table]
            if len(made.shown):
                yield from function(study, made)
            elif why:
                yield study.text(made.silence)

        CONDITIONAL[key] = of_table if table else function
        return function

    return declare


def say(study: Study, *keys: str, of: Sequence[str] = ("",), **fields: str | float) -> Markdown:
    """Sentences as a list of points; one alone is a paragraph. ``of`` are names for ``@``: they are said of each."""
    lines = [line for table in of for key in keys for line in points(study, key, table, **fields)]
    return Markdown(lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines))


def points(study: Study, key: str, table: str = "", **fields: str | float) -> list[str]:
    """The sentences of a key."""
    return list(CONDITIONAL[key](study)) if key in CONDITIONAL else [sentence(study, key, table, **fields)]


def findings(study: Study, topic: str) -> Markdown:
    """What a page found, in points; why there is nothing to say where the table it rests on is not shown."""
    first, keys = TOPICS[topic].findings
    state = release(study)[first].state if first else "shown"
    if state != "shown":
        return Markdown(study.text(state))
    return say(study, *(f"{topic}.{key}" for key in keys))


def ordered(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells that have a number, from the highest on."""
    return cells.dropna(subset="estimate").sort_values("estimate", ascending=False, kind="stable")


def sentence(study: Study, key: str, table: str = "", /, **fields: str | float) -> str:
    """A text of the codebook with its gaps filled; ``table`` is what ``@`` stands for in its addresses.

    Where it quotes a stored simulation of an earlier version it says so. Where no table that it quotes of the study is
    shown, it says why, and no more.

    Raises
    ------
    WelfareError
        No such text, table or verb; a field that was not given.
    """
    template = study.codebook.template(key, study.language).replace("@", table)
    gaps = Gaps(study, release(study), study.written(fields))
    said = gaps.format(template)
    if gaps.why and all(gaps.why) and not fields:
        head, first = HEAD.match(template), title(next(iter(gaps.quoted)), study)
        said = f"{head[0] if head else study.text('named', name=first, value='').rstrip()} {gaps.why[0]}."
    elif warning := version(study, "said.earlier", *gaps.quoted):
        said = f"{said.removesuffix('.')} {warning}."
    said = re.sub(r"^\W*\w", lambda start: start[0].upper(), said, count=1)
    return agreed(said, study.language, partial(study.codebook.forms, language=study.language))


# texts that are said where a table has a number: where it has none, nothing is
for _key, _table in {
    "front.whole": "nonresponse_tipping", "hopes.unserved": "never_served", "caravan.saved": "caravan_known"
}.items():  # fmt: skip
    conditional(_key, _table)(lambda study, _, key=_key: [sentence(study, key)])


class Gaps(string.Formatter):
    """Fills the gaps of a text: addresses of cells, and fields that are given."""

    def __init__(self, study: Study, released: Release, given: Mapping[str, str]) -> None:
        self.study, self.released, self.given = study, released, given
        self.quoted: dict[str, None] = {}  # tables, in order
        self.why: list[str] = []  # of each number of the study's own: why it is not there, or nothing

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[str, str]:
        """Keep the address whole: dots and brackets are its own, and the verb is not known yet."""
        return field_name, field_name

    def format_field(self, value: str, format_spec: str) -> str:
        """Resolve an address with its verb."""
        if value in self.given:
            return self.given[value]
        name, *codes = value.split("|")
        self.quoted[name] = None
        table = self.released[name]
        said, why = spoken(self.study, table, codes, format_spec), reasons(self.study, table)
        of_table = said in why
        if of_table or said in (self.study.text(table.silence), self.study.text("no_number")):  # within a sentence
            said = said[:1].lower() + said[1:].removesuffix("" if format_spec == "contrast" else ".")
        if format_spec != "title" and (table.state != "shown" or table.statistic != "document"):
            self.why.append(said.removesuffix(".") if of_table else "")
        return said
