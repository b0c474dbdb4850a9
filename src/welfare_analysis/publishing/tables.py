"""Tables of what was released: a unit in each header, intervals beside estimates, hidden cells said.

`show` is the only maker of HTML, and takes nothing but what `disclosure` gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from html import escape

import numpy as np
import pandas as pd
from IPython.display import HTML

from ..demand.funnel import picked
from ..disclosure import Released, protect_estimate
from ..estimation import Estimate, joint
from ..languages import GAP, amount
from ..results.descriptive import OWN
from ..study import Study
from .labels import (
    CAUTION,
    NOTHING,
    base,
    cell_label,
    format_cell,
    in_order,
    label,
    listed,
    note,
    title,
    unit_forms,
    unit_name,
)
from .published import REGISTRY, release


def show(study: Study, table: str | Released | Estimate | Callable[[Study], Released], name: str = "", unit: str = "",
         further: str = "") -> HTML:  # fmt: skip
    """A table in the study's language, protected: a row a group, a column a category.

    Parameters
    ----------
    study : Study
    table : str, Released, Estimate or callable
        The name of a released table (`results.release`), or an estimate of one's own: it is protected here, and is no
        part of a report on own files, where nothing holds it against the released tables. A function of the study where
        the table itself has words of its language.
    name, unit : str
        Title, or the name of a title of the texts, and unit of an estimate of one's own (share, persons, dh, min, ...).
    further : str
        Ends the note.
    """
    if isinstance(table, str):
        table = release(study)[table]
    elif callable(table):
        table = table(study)
    if isinstance(table, Estimate) or table.id == OWN:
        if not study.is_standin and study.languages:  # beside another standard it would tell who lies between
            return HTML(f"<p>{escape(study.text('own_unpublished'))}</p>")
        table = protect_estimate(table, name, unit) if isinstance(table, Estimate) else table
    REGISTRY.record(table)
    titled = f"title.{name}" in study.codebook.texts.index
    heading = title(name, study) if titled else name or title(table.id, study)
    if table.state != "shown":
        return HTML(f"<p><strong>{escape(heading)}</strong>: {escape(study.text(table.state))}</p>")
    heads, body = grid(table, study)
    said = note([table], study, any(GAP in line for line in body))
    return HTML(_html(table.id, heading, heads, body, f"{said} {further}".strip()))


def what_if(study: Study, base: Estimate, changed: Estimate, terms: Mapping[str, tuple[float | str, float | str, str]],
            name: str, unit: str) -> HTML:  # fmt: skip
    """A number as it is and on other terms, in two rows (several: in two columns), with the terms that differ.

    Parameters
    ----------
    base, changed : Estimate
        The same values of one design, named by one level.
    terms : mapping of str to (before, after, unit)
        Each term by its label, as ``list:code``; the unit of its numbers, or the list that its codes are of.
    name, unit : str
        As in `show`.
    """
    many, sides = len(base.value), ["base", "changed"]
    names = [base.value.index.name or "variable", "what_if"]
    index = pd.MultiIndex.from_product([base.value.index, sides], names=names)
    index = index if many > 1 else index.droplevel(0)
    order = np.arange(2 * many).reshape(2, many).T.ravel()
    both = joint({"base": base, "changed": changed})
    beside = picked(both, order, index)
    return show(study, replace(beside, bounds=base.bounds), name, unit, changes(study, terms))


def changes(study: Study, terms: Mapping[str, tuple[float | str, float | str, str]]) -> str:
    """Which terms differ, and from what, as a sentence; empty where none does."""

    def word(value: float | str, unit: str) -> str:
        if isinstance(value, str):
            return label(study, unit, value)
        return amount(value, unit, study.language, "" if unit == "share" else unit_forms(study, unit))

    said = [
        study.text("what_if.term", name=label(study, "", key), before=word(before, unit), after=word(after, unit))
        for key, (before, after, unit) in terms.items()
        if before != after
    ]
    return study.text("what_if.terms", terms=listed(study, said, "semicolon")) if said else ""


def grid(table: Released, study: Study) -> tuple[list[str], list[list[str]]]:
    """Headers and rows of a table in words: the last of its keys goes across, the others name the rows.

    Rows stand in the codebook's order, or as they come where the frame has a column ``ranked``.
    """
    rows, across = (table.keys, "") if len(table.keys) < 2 else (table.keys[:-1], table.keys[-1])
    columns = in_order(table, study, across) if across else [""]
    frame = table.frame.astype(dict.fromkeys(table.keys, str))
    units = {code: _unit(table, across, code) for code in (frame[across].unique() if across else [""])}
    cells = {
        (tuple(cell[key] for key in rows), column): _cell(table, study, cell, units[column])
        for _, cell in frame.iterrows()
        for column in (cell[across] if across else "",)
    }
    codes = list(dict.fromkeys(key for key, _ in cells))
    places = [in_order(table, study, key) for key in rows]
    if "ranked" not in frame:
        # an institution's own group, which no list orders, comes last
        codes.sort(key=lambda row: [[*p, c].index(c) for p, c in zip(places, row, strict=True)])
    gap = {"count": "0", "combined": "", "document": NOTHING, "model": NOTHING}.get(table.statistic, GAP)

    def names(row: tuple[str, ...]) -> list[str]:
        return [cell_label(table, study, key, code) for key, code in zip(rows, row, strict=True)]

    body = [
        [*(names(row) or [title(table.id, study)]), *(cells.get((row, column), gap) for column in columns)]
        for row in codes
    ]
    texts = study.codebook.texts.index
    named = [f"col.{key}" if f"col.{key}" in texts else "col.group" for key in rows] or ["col.group"]
    heads = [*(study.text(key) for key in named), *(_head(table, study, across, column) for column in columns)]
    if table.statistic in ("count", "document", "model") or table.frame["n"].isna().all():  # no base, or none published
        return heads, body
    heads.append(study.text("col.n"))
    bases = [base(table.cells(*row)["n"], study.language) for row in codes]
    return heads, [[*line, n] for line, n in zip(body, bases, strict=True)]


def _cell(table: Released, study: Study, cell: pd.Series, unit: str | None) -> str:
    if table.statistic == "count":
        return amount(cell["estimate"], table.unit, study.language)
    return format_cell(table, study, cell, CAUTION, named="unit" in cell and unit is None)


def _unit(table: Released, across: str, code: str) -> str | None:
    """The unit that all numbers of a column have; None where they have several, or where it has words alone."""
    if "unit" not in table.frame:
        return table.unit
    own = table.frame[table.frame[across].astype(str) == code] if across else table.frame
    own = own[own["text"].isna()] if "text" in own else own
    return str(own["unit"].iloc[0]) if own["unit"].nunique() == 1 else None


def _head(table: Released, study: Study, across: str, code: str) -> str:
    """What a column holds, with its unit where all its cells have one."""
    name = cell_label(table, study, across, code) if across else ""
    unit = _unit(table, across, code)
    words = listed(study, dict.fromkeys(filter(None, [name, "" if unit is None else unit_name(study, unit)])))
    return words or study.text("col.value")


def _html(name: str, caption: str, heads: list[str], body: list[list[str]], foot: str) -> str:
    """An accessible HTML table, its id that of what it shows; every text is escaped."""
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in heads)
    rows = "".join(
        f'<tr><th scope="row">{escape(line[0])}</th>' + "".join(f"<td>{escape(c)}</td>" for c in line[1:]) + "</tr>"
        for line in body
    )
    last = f'<tfoot><tr><td colspan="{len(heads)}">{escape(foot)}</td></tr></tfoot>' if foot else ""
    return (
        f'<table id="{escape(name)}"><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody>{last}</table>"
    )
