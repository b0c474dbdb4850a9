"""Rules that hold between the answers of a form, and between forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from ..codebook import Codebook
from .cells import NO_RESULT
from .columns import LOOK_UP, Column
from .faults import NONE, SAME, UNNAMED, fault, fault_at
from .layout import Note
from .personal import HIDDEN

MOVED, MOVED_SHARE = 4, 0.3  # faults of a row that stands under other columns, and of its cells: near ones are alike
MOST_MOVED = 0.8  # of the rows: beyond it the codes of whole columns are others, and no row moved
MOST_NOTES = 1_000  # rows with faults among which titles and notes are looked for
MANY_COLUMNS = 10  # fewer answers are alike by chance
Columns = Mapping[str, Column]


def routed(columns: Columns, codebook: Codebook, absent: pd.Series, unticked: frozenset[str]) -> dict[str, Column]:
    """Answers to questions that were not asked become faults, and blanks there the kind ``not_asked``.

    ``absent`` marks rows without a form: persons of the follow-up who did not answer. In the columns ``unticked`` a no
    where the item was not offered is a blank too.
    """
    known = {gate: other.values for gate, other in columns.items() if codebook.lines[gate]["type"] != "key"}
    of_whom: dict[str, tuple[pd.Series, pd.Series]] = {}  # by condition: many questions share one
    parts = {}
    for name, column in columns.items():
        condition = codebook.lines[name]["asked_if"]
        if condition not in of_whom:
            asked = codebook.asked(name, known, absent.index)
            of_whom[condition] = asked.fillna(False).astype(bool), (~asked).fillna(False).astype(bool)
        asked, unasked = of_whom[condition]
        if name in unticked:  # an item of a list: not ticked where it was not offered is no answer
            none = ~asked & (column.values == "no")
            column = replace(column, values=column.values.mask(none), kinds=column.kinds.mask(none, "skipped"))
        parts[name] = _routed(column, asked & ~absent, unasked, condition, name)
    return parts


def _routed(column: Column, asked: pd.Series, unasked: pd.Series, condition: str, name: str) -> Column:
    blank = column.kinds == "skipped"
    wrong = ~blank & unasked
    faults = column.faults
    if wrong.any():
        todo, kinds = f"Empty the cell, or correct {condition.split()[0]}.", column.kinds.astype(object)
        cells = column.values.astype(object).where(kinds == "answered", kinds)  # refused, where nothing was asked
        for part in (part for part in faults if len(part)):
            cells = cells.mask(wrong & cells.isna(), part.set_index("row")["value"].reindex(cells.index))
        # a cell that is to be empty has no other fault
        faults = [part[~part["row"].isin(wrong.index[wrong])] for part in faults]
        faults.append(fault(wrong, name, cells, f"blank unless {condition}", todo))
    return replace(column, kinds=column.kinds.mask(blank & ~asked, "not_asked"), faults=faults)


def across(columns: Columns, raw: pd.DataFrame, codebook: Codebook) -> list[pd.DataFrame]:
    """Ages that a status cannot have, and years of service against age.

    Both are completed years, so rounding down cannot break the rule.
    """
    if not {"age", "status"} <= set(columns):
        return []
    age, status, faults = columns["age"].values, columns["status"].values, []
    for own, line in codebook.ages.iterrows():
        young, old = float(line["youngest"]), float(line["oldest"])
        wrong = (status == own) & age.notna() & ~age.between(young, old)
        rule = f"between {young:g} and {old:g} years for {codebook.label('status', str(own))} staff"
        faults.append(fault(wrong, "age", raw["age"], rule, "Correct the age or the status."))
        if "seniority_years" in columns:
            early = (status == own) & (columns["seniority_years"].values > age - young)
            rule, todo = f"at most the age less {young:g} years", "Correct the age or the years of service."
            faults.append(fault(early, "seniority_years", raw["seniority_years"], rule, todo))
    return faults


def grouped(columns: Columns, codebook: Codebook, header: int) -> list[pd.DataFrame]:
    """Rankings that give two items one place, and choices on cards of which nobody knows what they showed."""
    faults = []
    for group, kind in codebook.groups["kind"].items():
        members = [n for n in codebook.members(group) if n in columns]
        if not members or kind not in ("ranking", "cards"):
            continue
        values = pd.DataFrame({name: columns[name].values for name in members})
        if kind == "ranking":
            places = np.sort(values.to_numpy(float), axis=1)
            tied = pd.Series((np.diff(places, axis=1) == 0).any(axis=1), index=values.index)
            ties = [", ".join(f"{v:g}" for v in row[~np.isnan(row)]) for row in values[tied].to_numpy(float)]
            shown = pd.Series(ties, index=values.index[tied], dtype=object).reindex(values.index)
            faults.append(fault(tied, str(group), shown, "each place once in a ranking", LOOK_UP))
            continue
        version = f"{str(group).removesuffix('_cards')}_version"
        chosen = values.notna().any(axis=1)
        if version in columns:
            lost = chosen & columns[version].values.isna()
            faults.append(fault(lost, version, "", "the version of the cards that were answered", LOOK_UP))
        elif chosen.any():
            todo = "Add it from the forms; without it the choices say nothing."
            faults.append(fault_at(header, version, "", "the version of the cards that were answered", todo))
    return faults


def repeated(
    raw: pd.DataFrame, key: pd.Series | None, status: pd.Series | None
) -> tuple[list[pd.DataFrame], list[Note]]:
    """Persons who occur twice: the same row, another row, or another status; without keys, rows that are alike."""
    if key is None:
        n = int(raw.duplicated().sum()) if raw.shape[1] >= MANY_COLUMNS else 0
        return [], [("", "rows like an earlier one, kept since no key tells persons apart", n)] if n else []
    again = key.duplicated() & (key != "")
    if not again.any():
        return [], []
    same = again & raw.duplicated()
    other = pd.Series(False, index=key.index)
    if status is not None:
        first = status.astype(object).groupby(key).transform("first")
        other = again & ~same & (status.astype(object) != first) & status.notna()
    rules = (
        (same, "each person once; this row repeats an earlier one", "Remove the row."),
        (other, "each person in one group; an earlier row has another status", "Keep the row that is right."),
        (again & ~same & ~other, "each person once; an earlier row has other answers", LOOK_UP),
    )
    return [fault(rows, str(key.name), HIDDEN, rule, todo) for rows, rule, todo in rules], []


def moved(raw: pd.DataFrame, faults: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """The faults, with a single one for each row that is no form, or whose cells stand under other columns."""
    # of no sheet of its own; what was never computed, and two columns that disagree, stand where they belong
    own = [
        part[(part["value"] != NO_RESULT) & ~part["rule"].str.startswith(SAME)]
        for part in faults
        if "letter" not in part
    ]
    counts = pd.concat([NONE, *own])["row"].value_counts()
    said = pd.concat([NONE, *(part[part["value"] != ""] for part in own)])["row"].value_counts()
    said = said if len(said) <= MOST_NOTES else said.iloc[:0]
    counts = counts[((counts >= MOVED) | counts.index.isin(said.index)) & counts.index.isin(raw.index)]
    cells = (raw.loc[counts.index].astype(object) != "").sum(axis=1)
    alone = (said.reindex(counts.index) >= cells) & (2 * cells < raw.shape[1])  # a title, a unit or a note
    rows = counts.index[(counts >= MOVED) & (counts >= MOVED_SHARE * cells) | alone].sort_values()
    headed = any((part["rule"] == UNNAMED).any() for part in own)
    if not len(rows) or (len(rows) > MOST_MOVED * len(raw) and not headed):
        return faults
    rule = "a form, with each answer under its question; much of this row is not"
    todo = "Remove a row of units, sums or notes; move back cells that were pasted under other columns."
    kept = [part if "letter" in part else part[~part["row"].isin(rows)] for part in faults]
    return [*kept, fault(pd.Series(True, index=rows), "", "", rule, todo)]
