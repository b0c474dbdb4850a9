"""A register that is given as counts, for an institution that shares no list of persons: one row a category.

The columns are ``variable`` (``status``, or several as ``status|sex``), ``category`` (a code or label of each, as
``active|m``) and ``count``. Ranks and commands are added up to their groups.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from ..checks import PARENTS
from ..codebook import Codebook
from .cells import Question
from .columns import read_column, read_text
from .faults import fault, fault_at
from .layout import Cells
from .personal import header_shown
from .placing import raise_all

MARGINS = ("variable", "category", "count")
VARIABLES = ("status", "sex", "age_group", "rank_group", "command_group", "rank", "command")
Margins = Mapping[str, pd.Series]


def is_margins(cells: Cells) -> bool:
    """Whether a file's header is that of a table of margins."""
    return set(MARGINS) <= set(cells.frame.columns)


def margins(cells: Cells, codebook: Codebook, mapped: Mapping[str, Mapping[str, str]] | None = None) -> Margins:
    """Counts of each margin, indexed by category (``active|m``), of one size all.

    ``mapped`` are the codes of a map: of each variable, and for ``variable`` the names of variables.

    Raises
    ------
    Faults
        An unknown variable, a category that is no code of it or occurs twice, a count that is not whole, margins that
        add up to different sizes.
    """
    raw, given = cells.frame, mapped or {}
    named = given.get("variable", {})
    parts = read_text(raw["variable"]).fillna("").str.split("|")
    variable = parts.map(lambda names: "|".join(named.get(name.strip(), name) for name in names))
    category = read_text(raw["category"])
    count = read_column(raw["count"], Question.counting("count"))
    gone = count.kinds != "answered"
    faults = [*cells.faults, *count.faults, fault(gone, "count", "", "a whole number of persons", "Write it.")]
    tables: dict[str, pd.Series] = {}
    for name, rows in raw.groupby(variable, sort=False).groups.items():
        parts = [part.strip() for part in str(name).split("|")]
        if not set(parts) <= set(VARIABLES) or len(set(parts)) < len(parts):
            rule = f"one or several of {', '.join(VARIABLES)}, as status|sex"
            faults.append(fault_at(int(rows[0]), "variable", header_shown(name), rule, "Name the variable so."))
            continue
        codes, wrong = _codes(category.loc[rows], parts, codebook, given)
        faults += wrong
        twice = codes.duplicated() & codes.notna().all(axis=1)
        faults.append(fault(twice, "category", category.loc[rows], "a category once in its margin", "Add them up."))
        groups = codes.rename(columns=PARENTS)
        for part in set(parts) & set(PARENTS):
            groups[PARENTS[part]] = codes[part].map(codebook.parent(part))
        labels = groups.iloc[:, 0].str.cat(groups.iloc[:, 1:], sep="|")
        tables["|".join(groups)] = count.values.loc[rows].groupby(labels).sum()
    if not any(len(part) for part in faults):
        sizes = {name: float(counts.sum()) for name, counts in tables.items()}
        if len(set(sizes.values())) > 1:
            listed = ", ".join(f"{name} {size:,.0f}" for name, size in sizes.items())
            todo = "Take all margins from one register on one day."
            faults.append(fault_at(cells.header, "count", "", f"margins that add up to one size, not {listed}", todo))
    raise_all([cells], faults, "REGISTER")
    return {name: counts[counts > 0] for name, counts in tables.items()}


def _codes(
    cells: pd.Series, parts: list[str], codebook: Codebook, given: Mapping[str, Mapping[str, str]]
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """The codes of each row, one column a variable, and faults."""
    split = cells.fillna("").str.split("|", expand=True).reindex(columns=range(len(parts)), fill_value="")
    columns = {}
    for i, name in enumerate(parts):
        own = split[i].fillna("").str.strip().replace(dict(given.get(name, {})))
        columns[name] = read_column(own, Question.of_list(codebook, name), required=True)
    faults = [part.assign(column="category") for column in columns.values() for part in column.faults]
    more = cells.fillna("").str.count(r"\|") != len(parts) - 1
    rule, todo = f"one code of {' | '.join(parts)}", "Write one code of each variable."
    faults.append(fault(more, "category", cells, rule, todo))
    for name, column in columns.items():
        todo = "Write it; a count of those not known has no place in a margin."
        gone = (column.kinds != "answered") & ~more
        faults.append(fault(gone, "category", cells, f"a code of {name}", todo))
    return pd.DataFrame({name: column.values.astype(object) for name, column in columns.items()}), faults
