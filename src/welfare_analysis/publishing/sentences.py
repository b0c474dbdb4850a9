"""Sentences made from released cells: a gap of a text is the address of a cell.

``{homes_by_terms|foundation|social_flat}`` is a table and the codes of one of its cells, in the order of its keys
(``*`` is any, ``~code`` any other). Behind a colon stands a verb:

- nothing: number, unit and interval; ``number``: the number in its unit;
- ``in_ten``: a share in words, as the nearest of some plain fractions (about 3 in 10);
- ``off``: an error as a part of the truth, and whether it is too high or too low; ``or_none``: a word for zero;
- ``earns``: money as a gain or a loss; ``count``: a part of the ``samples`` beside it as their number;
- ``whole``: a share, its interval holding what those who never answered may be too, where a follow-up tells;
- ``contrast``: the highest and the lowest group, or that no clear difference is seen;
- ``between``, ``range``: the smallest and the largest of several cells, without and with the unit;
- ``sum``: of several cells; ``title``: what the table is called;
- ``widest``, ``widest_range``: the row whose columns differ most, and from where to where;
- ``top``: the row with the largest number, and that number;
- ``ends``: the first and the last cell with a number, each with its label;
- ``each``: every cell with a number, in the order of its table, each with its label and its interval;
- ``zero``: the labels of the rows whose number is nought.

Where none of several cells has a number, a verb of them says why; one cell says that its number is hidden, or too
unsure. A range, a sum and what is widest are of all cells or of none: where one is not shown, nor are they. Verbs that
name the cells they speak of add that some are not shown (`partly`). A gap without ``|`` that is no table is a field
that the caller gives. ``@`` in an address stands for a table that is named with the text: ``{@_by_status:contrast}``.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
from IPython.display import Markdown

from ..disclosure import CATEGORY, Release, Released
from ..errors import WelfareError
from ..estimation.multiple import differ
from ..languages import agreed, amount, between, counted
from ..results import TOPICS
from ..study import Study
from .labels import cell_label, format_cell, in_order, label, listed, step_of, title, unit_forms, unit_of, version
from .published import release

Spoken = Callable[[Study], Iterable[str]]
CONDITIONAL: dict[str, Spoken] = {}
NUMBERS = ("", "number", "in_ten", "off", "or_none", "earns", "count")
SEVERAL = ("contrast", "between", "range", "sum", "widest", "widest_range", "top", "ends", "each", "zero")
OF_ALL = ("between", "range", "sum", "widest", "widest_range")  # what a cell that is not shown may change
VERBS = (*NUMBERS, "whole", "title", *SEVERAL)
FRACTIONS = [(k, 10) for k in range(1, 10)] + [(2, 3), (3, 4)] + [(1, n) for n in (3, 4, 20, 25, 30, 40, 50, 100)]


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


def named(table: Released, study: Study, row: pd.Series, unit: bool = True) -> str:
    """What a row of a table is about, and its number."""
    return f"{label(study, table.by[0], row[table.by[0]])} {format_cell(table, study, row, named=unit)}"


def sentence(study: Study, key: str, table: str = "", /, **fields: str | float) -> str:
    """A text of the codebook with its gaps filled; ``table`` is what ``@`` stands for in its addresses.

    Where it quotes a stored simulation of an earlier version it says so.

    Raises
    ------
    WelfareError
        No such text, table or verb; a field that was not given.
    """
    template = study.codebook.template(key, study.language).replace("@", table)
    gaps = Gaps(study, release(study), study.written(fields))
    said = gaps.format(template)
    if warning := version(study, "said.earlier", *gaps.quoted):
        said = f"{said.removesuffix('.')} {warning}."
    said = re.sub(r"^\W*\w", lambda start: start[0].upper(), said, count=1)
    return agreed(said, study.language, partial(study.codebook.forms, language=study.language))


class Gaps(string.Formatter):
    """Fills the gaps of a text: addresses of cells, and fields that are given."""

    def __init__(self, study: Study, released: Release, given: Mapping[str, str]) -> None:
        self.study, self.released, self.given = study, released, given
        self.quoted: dict[str, None] = {}  # tables, in order

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
        said = spoken(self.study, table, codes, format_spec)
        if said in (self.study.text(table.silence), self.study.text("no_number")):  # why, within a sentence
            said = said[:1].lower() + said[1:].removesuffix("" if format_spec == "contrast" else ".")
        return said


def spoken(study: Study, table: Released, codes: Sequence[str], verb: str = "") -> str:
    """What a gap says; why there is no number, where there is none."""
    if verb not in VERBS:
        raise WelfareError("no such verb", where=table.id, got=verb, expected=", ".join(filter(None, VERBS)))
    if verb == "title":
        return title(table.id, study)
    if table.state != "shown":
        return study.text(table.state)
    if verb == "whole":
        both = release(study)["nonresponse_tipping"]
        of = table.variable, "whole_people" if table.statistic == "total" else "whole"
        known = both.state == "shown" and both.cells(*of)["estimate"].notna().any()
        return spoken(study, both, of) if known else spoken(study, table, codes)
    if verb == "contrast":
        return contrast(table, study, codes[0] if codes else None)
    cells = table.cells(*codes)
    shown = cells.dropna(subset="estimate")
    if verb not in NUMBERS and shown.empty:
        return study.text(table.silence if len(cells) else "no_number")
    if verb in OF_ALL and (why := silent(cells)):
        return study.text(f"gap.{why}")
    if verb == "zero":
        key, nought = table.by[0], set(shown.loc[shown["estimate"] == 0, table.by[0]].astype(str))
        names = [label(study, key, code) for code in in_order(table, study, key) if code in nought]
        return partly(study, cells, listed(study, names) or study.text("none.groups"))
    if verb in ("top", "ends", "each"):
        if verb == "each":
            order = in_order(table, study, table.by[0])
            first = shown[table.by[0]].astype(str).map(order.index)
            lines = [named(table, study, row, unit=False) for _, row in shown.loc[first.sort_values().index].iterrows()]
            return partly(study, cells, listed(study, lines, "semicolon"))
        places = [shown["estimate"].abs().idxmax()] if verb == "top" else shown.index[[0, -1]]
        key = table.by[0] if table.by else table.keys[-1]
        words = [
            study.text("named", name=cell_label(table, study, key, row[key]), value=format_cell(table, study, row))
            for _, row in shown.loc[places].iterrows()
        ]
        said = words[0] if verb == "top" else study.text("from_to", first=words[0], last=words[1])
        return partly(study, cells, said)
    if verb.startswith("widest"):
        spread = cells.groupby(table.by[0])["estimate"].agg(lambda x: x.max() - x.min())
        if verb == "widest":
            return label(study, table.by[0], spread.idxmax())
        cells = cells[cells[table.by[0]] == spread.idxmax()]
    if verb in NUMBERS:
        if not len(cells) or (pd.isna(cells["estimate"].iloc[0]) and cells["flag"].iloc[0] != "unsure"):
            return study.text("gap.hidden")
        cell = cells.iloc[0]
        if cell["flag"] == "unsure":
            return study.text("gap.unsure")
        if verb == "in_ten":
            return in_ten(study, float(cell["estimate"]))
        if verb == "or_none" and cell["estimate"] == 0:
            return study.text(f"none.{unit_of(table, cell)}")
        if verb == "off":
            by = amount(abs(cell["estimate"]), unit_of(table, cell), study.language, step=step_of(cell))
            return study.text("off.low" if cell["estimate"] < 0 else "off.high", by=by)
        if verb == "earns":
            loss = cell["estimate"] < 0
            lost = {"estimate": -cell["estimate"], "low": -cell["high"], "high": -cell["low"]}
            by = format_cell(table, study, pd.Series({**cell, **lost}) if loss else cell)
            return study.text("earns.low" if loss else "earns.high", by=by)
        if verb == "count":
            many = round(cell["estimate"] * table.cells(*codes[:-1], "samples")["estimate"].iloc[0])
            return amount(many, "number", study.language) if many else study.text("count.none")
        return (
            amount(cell["estimate"], unit_of(table, cell), study.language, step=step_of(cell))
            if verb == "number"
            else format_cell(table, study, cell)
        )
    unit = unit_of(table, shown.iloc[0])
    name = unit_forms(study, unit)
    if verb == "sum":
        return amount(cells["estimate"].sum(), unit, study.language, name, step_of(cells))
    bounds = between(cells["estimate"].min(), cells["estimate"].max(), unit, study.language, step_of(cells))
    return bounds + (f"\u00a0{counted(bounds, name, study.language)}" if verb == "range" else "")


def silent(cells: pd.DataFrame) -> str:
    """Why some of several cells are not shown: ``hidden``, or ``unsure``; nothing where all are."""
    return min({"hidden", "unsure"} & set(cells["flag"]), default="")


def partly(study: Study, cells: pd.DataFrame, said: str) -> str:
    """What is said of cells, with a word that some are not shown: the highest that is shown need not be the highest."""
    if not silent(cells):
        return said
    stop = "." if said.endswith(".") else ""
    return study.text("partly", said=said.removesuffix(stop)) + stop


def in_ten(study: Study, share: float) -> str:
    """A share in words: the nearest of `FRACTIONS`."""
    if share < 1 / (2 * 100):
        return study.text("in_ten.few")
    k, n = min(FRACTIONS, key=lambda part: abs(part[0] / part[1] - share))
    return study.text("in_ten", k=k, n=n)


def contrast(table: Released, study: Study, category: str | None = None) -> str:
    """The groups with the highest and the lowest estimate, or that no clear difference is seen."""
    language, cells, every = study.language, table.shown, table.frame
    if category is not None and len(cells):
        cells, every = (rows[rows[CATEGORY].astype(str) == category] for rows in (cells, every))
    if len(cells) < 2:
        return study.text(table.silence)
    top, bottom = cells.loc[cells["estimate"].idxmax()], cells.loc[cells["estimate"].idxmin()]
    if not differ(top, bottom, len(cells)):
        unit = unit_of(table, top)
        bounds = between(bottom["estimate"], top["estimate"], unit, language, step_of(cells))
        name = counted(bounds, study.codebook.forms(unit, language), language)
        return partly(study, every, study.text("no_difference", between=f"{bounds} {name}"))
    sides = {"high": top, "low": bottom}
    values = {side: format_cell(table, study, cell) for side, cell in sides.items()}
    names = {f"{side}_label": label(study, table.by[0], cell[table.by[0]]) for side, cell in sides.items()}
    return partly(study, every, study.text("highest_lowest", **values, **names))
