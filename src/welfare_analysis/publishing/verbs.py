"""Verbs of a gap: what a text says of the cells that it names (`sentences`).

- nothing: number, unit and interval; ``number``: the number in its unit;
- ``in_ten``: a share in words, as the nearest of some plain fractions (about 3 in 10), by what a recheck found;
- ``off``: an error as a part of the truth, and whether it is too high or too low; ``or_none``: a word for zero;
- ``earns``: money as a gain or a loss; ``count``: a part of the ``samples`` beside it as their number;
- ``whole``: a share, its interval holding what those who never answered may be too, where a follow-up tells, and
  before it what a recheck found, where that is clearly another;
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
name the cells they speak of add that some are not shown (`partly`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from ..disclosure import CATEGORY, Released
from ..errors import WelfareError
from ..estimation.multiple import differ
from ..languages import amount, between, counted
from ..study import Study
from .labels import cell_label, format_cell, in_order, label, listed, step_of, title, unit_forms, unit_of, worded
from .published import release

HELD = 0.8  # of surveys in which an interval held the truth; under it a sentence says in how many
FRACTIONS = [(k, 10) for k in range(1, 10)] + [(2, 3), (3, 4)] + [(1, n) for n in (3, 4, 20, 25, 30, 40, 50, 100)]


@dataclass(frozen=True)
class Cells:
    """The cells of a table that a gap names by their codes."""

    study: Study
    table: Released
    codes: tuple[str, ...]

    @cached_property
    def all(self) -> pd.DataFrame:
        """All of them."""
        return self.table.cells(*self.codes)

    @cached_property
    def shown(self) -> pd.DataFrame:
        """Those with a number."""
        return self.all.dropna(subset="estimate")

    @property
    def first(self) -> pd.Series:
        """The first, or the only one."""
        return self.all.iloc[0]

    @property
    def rows(self) -> str:
        """The key that names the table's rows."""
        return self.table.by[0]

    def written(self, value: float, step: float) -> str:
        """A number in the unit of the first cell, without an interval."""
        return amount(value, unit_of(self.table, self.first), self.study.language, step=step)


def spoken(study: Study, table: Released, codes: Sequence[str], verb: str = "") -> str:
    """What a gap says; why there is no number, where there is none.

    Raises
    ------
    WelfareError
        No such verb.
    """
    if verb not in VERBS:
        raise WelfareError("no such verb", where=table.id, got=verb, expected=", ".join(filter(None, VERBS)))
    if verb == "title":
        return title(table.id, study)
    if table.state != "shown":
        return study.text(table.state)
    if verb == "contrast":
        return contrast(table, study, codes[0] if codes else None)
    if verb == "whole":
        return _whole(study, table, codes)
    if verb == "in_ten" and (found := _moved(study, table)):
        table, codes = found
    cells = Cells(study, table, tuple(codes))
    if verb in OF_ONE:
        return lacking(cells) or OF_ONE[verb](cells)
    if cells.shown.empty:
        return _instead(cells) or study.text(table.silence if len(cells.all) else "no_number")
    if verb in OF_ALL and (why := silent(cells.all)):
        return study.text(f"gap.{why}")
    return OF_SEVERAL[verb](cells)


def _whole(study: Study, table: Released, codes: Sequence[str]) -> str:
    """The cell whose interval holds what the silent may be too, or the cell itself where nothing tells it.

    Before it, of a share that a recheck clearly moves, stands what was found. Where nothing was seen again, a share
    whose intervals held the truth in too few surveys where people err says in how many.
    """
    both, seen, tried = (release(study)[name] for name in ("nonresponse_tipping", "recheck_found", "validation"))
    of = table.variable, "whole_people" if table.statistic == "total" else "whole"
    known = both.state == "shown" and both.cells(*of)["estimate"].notna().any()
    cell = (both, of) if known else (table, codes)
    said = spoken(study, *cell)
    if table.statistic not in ("share", "total"):
        return said
    if seen.state != "shown":
        held = ("rich", table.variable, "coverage_with")
        missed = table.statistic == "share" and (tried.cells(*held)["estimate"] < HELD).any()
        return study.text("by_word", said=said, held=spoken(study, tried, held)) if missed else said
    found = _moved(study, table)
    return study.text("by_papers", found=spoken(study, *found), said=spoken(study, *cell, "number")) if found else said


def _moved(study: Study, table: Released) -> tuple[Released, tuple[str, str]] | None:
    """The cell of what was found, of a share or a number of all that a recheck clearly moves."""
    seen = release(study)["recheck_found"]
    of = {"share": "as_found", "total": "found_people"}.get(table.statistic)
    if seen.state != "shown" or of is None or table.by or not len(seen.cells(table.variable, of)):
        return None
    moved = seen.cells(table.variable, "moved_by")
    return (seen, (table.variable, of)) if (moved["apart"].eq(True) & moved["estimate"].notna()).any() else None


def _instead(cells: Cells) -> str:
    """What stands in the place of the first cell's number, as why the table that it is of is not shown."""
    instead = len(cells.all) and pd.isna(cells.first["estimate"]) and isinstance(cells.first.get("text"), str)
    return format_cell(cells.table, cells.study, cells.first) if instead else ""


def reasons(study: Study, table: Released) -> set[str]:
    """Why a table has no number, or why cells of it that stand for whole tables have none."""
    if table.state != "shown" or "text" not in table.frame:
        return set() if table.state == "shown" else {study.text(table.state)}
    return {worded(study, text) for text in table.frame.loc[table.frame["estimate"].isna(), "text"].dropna()}


def lacking(cells: Cells) -> str:
    """Why one cell has no number; nothing where it has."""
    if said := _instead(cells):
        return said
    if not len(cells.all) or (pd.isna(cells.first["estimate"]) and cells.first["flag"] != "unsure"):
        return cells.study.text("gap.hidden")
    return cells.study.text("gap.unsure") if cells.first["flag"] == "unsure" else ""


def _interval(cells: Cells) -> str:
    return format_cell(cells.table, cells.study, cells.first)


def _number(cells: Cells) -> str:
    return cells.written(cells.first["estimate"], step_of(cells.first))


def _in_ten(cells: Cells) -> str:
    return in_ten(cells.study, float(cells.first["estimate"]))


def _or_none(cells: Cells) -> str:
    if cells.first["estimate"] == 0:
        return cells.study.text(f"none.{unit_of(cells.table, cells.first)}")
    return _interval(cells)


def _off(cells: Cells) -> str:
    by = cells.written(abs(cells.first["estimate"]), step_of(cells.first))
    return cells.study.text("off.low" if cells.first["estimate"] < 0 else "off.high", by=by)


def _earns(cells: Cells) -> str:
    cell, loss = cells.first, cells.first["estimate"] < 0
    lost = {"estimate": -cell["estimate"], "low": -cell["high"], "high": -cell["low"]}
    by = format_cell(cells.table, cells.study, pd.Series({**cell, **lost}) if loss else cell)
    return cells.study.text("earns.low" if loss else "earns.high", by=by)


def _count(cells: Cells) -> str:
    samples = cells.table.cells(*cells.codes[:-1], "samples")["estimate"].iloc[0]
    many = round(cells.first["estimate"] * samples)
    return amount(many, "number", cells.study.language) if many else cells.study.text("count.none")


def _bounds(cells: Cells, rows: pd.DataFrame) -> str:
    """The smallest and the largest number of some rows."""
    unit, ends = unit_of(cells.table, cells.shown.iloc[0]), rows["estimate"]
    return between(ends.min(), ends.max(), unit, cells.study.language, step_of(rows))


def _between(cells: Cells) -> str:
    return _bounds(cells, cells.all)


def _range(cells: Cells) -> str:
    bounds, name = _bounds(cells, cells.all), unit_forms(cells.study, unit_of(cells.table, cells.shown.iloc[0]))
    return f"{bounds}\u00a0{counted(bounds, name, cells.study.language)}"


def _sum(cells: Cells) -> str:
    unit = unit_of(cells.table, cells.shown.iloc[0])
    name = unit_forms(cells.study, unit)
    return amount(cells.all["estimate"].sum(), unit, cells.study.language, name, step_of(cells.all))


def _widest_row(cells: Cells) -> object:
    return cells.all.groupby(cells.rows)["estimate"].agg(lambda x: x.max() - x.min()).idxmax()


def _widest(cells: Cells) -> str:
    return label(cells.study, cells.rows, _widest_row(cells))


def _widest_range(cells: Cells) -> str:
    return _bounds(cells, cells.all[cells.all[cells.rows] == _widest_row(cells)])


def _zero(cells: Cells) -> str:
    nought = set(cells.shown.loc[cells.shown["estimate"] == 0, cells.rows].astype(str))
    codes = [code for code in in_order(cells.table, cells.study, cells.rows) if code in nought]
    names = listed(cells.study, [label(cells.study, cells.rows, code) for code in codes])
    return partly(cells.study, cells.all, names or cells.study.text("none.groups"))


def _each(cells: Cells) -> str:
    order = in_order(cells.table, cells.study, cells.rows)
    places = cells.shown[cells.rows].astype(str).map(order.index).sort_values().index
    lines = [named(cells.table, cells.study, row, unit=False) for _, row in cells.shown.loc[places].iterrows()]
    return partly(cells.study, cells.all, listed(cells.study, lines, "semicolon"))


def _labelled(cells: Cells, place: object) -> str:
    """A cell behind its label."""
    row, key = cells.shown.loc[place], cells.rows if cells.table.by else cells.table.keys[-1]
    value = format_cell(cells.table, cells.study, row)
    return cells.study.text("named", name=cell_label(cells.table, cells.study, key, row[key]), value=value)


def _top(cells: Cells) -> str:
    return partly(cells.study, cells.all, _labelled(cells, cells.shown["estimate"].abs().idxmax()))


def _ends(cells: Cells) -> str:
    first, last = (_labelled(cells, place) for place in cells.shown.index[[0, -1]])
    said = first if len(cells.shown) == 1 else cells.study.text("from_to", first=first, last=last)
    return partly(cells.study, cells.all, said)


Says = Mapping[str, Callable[[Cells], str]]
OF_ONE: Says = {"": _interval, "number": _number, "in_ten": _in_ten, "off": _off, "or_none": _or_none, "earns": _earns,
                "count": _count}  # fmt: skip
OF_ALL: Says = {"between": _between, "range": _range, "sum": _sum, "widest": _widest, "widest_range": _widest_range}
OF_SEVERAL: Says = {**OF_ALL, "top": _top, "ends": _ends, "each": _each, "zero": _zero}
VERBS = (*OF_ONE, *OF_SEVERAL, "whole", "title", "contrast")


def named(table: Released, study: Study, row: pd.Series, unit: bool = True) -> str:
    """What a row of a table is about, and its number."""
    return f"{label(study, table.by[0], row[table.by[0]])} {format_cell(table, study, row, named=unit)}"


def silent(cells: pd.DataFrame) -> str:
    """Why some of several cells are not shown: ``hidden``, or ``unsure``; nothing where all are."""
    instead = "text" in cells and (cells["estimate"].isna() & cells["text"].notna()).any()
    return min({"hidden", "unsure"} & {*cells["flag"], "hidden" if instead else ""}, default="")


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
    """The groups with the highest and the lowest estimate, or that no clear difference is seen; one group as it is."""
    language, cells, every = study.language, table.shown, table.frame
    if category is not None and len(cells):
        cells, every = (rows[rows[CATEGORY].astype(str) == category] for rows in (cells, every))
    if len(every) == len(cells) == 1:
        return named(table, study, cells.iloc[0])
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
