"""The page on which a reader changes terms: released grids, and a script that interpolates between their points.

Where a notebook runs, `adjustable` says that there is such a page and hands on the released cells with their words;
the report makes one page a language of what the notebooks handed on. The page fits nothing, asks nobody, and
its script does what `results.what_if.interpolated` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from IPython.display import Markdown

from ..disclosure import NUMBERS
from ..languages import GAP, MARKS, PRINTED, TO, amount, direction
from ..results.what_if import GRIDS, GROUPED, POINTS, axes, base, code
from ..study import Study
from .labels import CAUTION, UNSURE, format_cell, in_order, label, note, unit_name
from .published import release

if TYPE_CHECKING:
    from nbformat import NotebookNode

HREF, HANDED = "what_if.html", "what_if"  # the page, and the metadata in which its contents are handed on
WORDS = ("intro", "script", "whose", "fixed", "measure", "base", "changed", "difference", "reset")


def adjustable(study: Study, service: str) -> Markdown:
    """Say that the terms of a service can be changed on a page, with a link; that page's contents go with it."""
    line = study.text("what_if.link", page=HREF)
    return Markdown(line, metadata={HANDED: contents(study, service)} if study.languages else None)


def contents(study: Study, service: str) -> dict[str, Any]:
    """The released grids of a service and the words around them, in the study's language; plain data.

    Cells are in the order of the points, the last axis fastest: estimate, low, high, step and flag.
    """
    topic, plan, language = GRIDS[service].topic, release(study), study.language

    def text(key: str, **fields: str) -> str:
        return study.text(f"what_if.{key}", **fields)

    table, off = (plan[topic.address(name)] for name in ("grid", "grid_error"))
    many, few = axes(service), axes(service, grouped=True)
    first = next(iter(GRIDS[service].units))
    measures = {name: numbers(table.cells(*["*"] * len(many), name), many) for name in GRIDS[service].units}
    grids: list[dict[str, Any]] = [{"name": text("all"), "kind": "", "axes": list(many), "measures": measures}]
    for group in GROUPED:
        by = plan[topic.address(f"grid_by_{group}")]
        for one in in_order(by, study, group) if by.state == "shown" else []:
            own = {first: numbers(by.cells(*["*"] * len(few), one), few)}
            named = {"kind": text(f"by.{group}"), "name": label(study, group, one)}
            grids.append({**named, "axes": list(few), "measures": own})
    rows = POINTS[POINTS["service"] == service].drop_duplicates("axis").set_index("axis")
    said = {axis: text("months") if unit == "months" else unit_name(study, unit) for axis, unit in rows["unit"].items()}
    thousands, decimal = MARKS[language]
    return {
        "service": service,
        "title": text(f"title.{service}"),
        "about": text(f"about.{service}"),
        "note": note([table], study),
        "banner": study.text("banner") if study.is_standin else "",
        "error": text("error", most=format_cell(off, study)) if off.state == "shown" else "",
        "axes": [
            {
                "id": axis,
                "name": text(f"axis.{service}.{axis}"),
                "unit": said[axis],
                "scale": PRINTED.get(rows.at[axis, "unit"], (1, 0))[0],
                "digits": 2 if rows.at[axis, "unit"] == "share" else 0,
                "points": points,
                "options": [[code(x), amount(x, "", language)] for x in points],
                "base": base(service)[axis],
                "move": float(rows["move"].fillna(0.0)[axis]),  # 0: it can be set to its points alone
            }
            for axis, points in many.items()
        ],
        "measures": [
            {"id": name, "name": text(f"measure.{name}"), "printed": PRINTED.get(unit, (1, 0))}
            for name, unit in GRIDS[service].units.items()
        ],
        "grids": grids,
        "marks": {"thousands": thousands, "point": decimal, "to": TO[language], "rtl": direction(language) == "rtl"},
        "signs": {"hidden": GAP, "unsure": UNSURE, "caution": CAUTION, "": ""},
        "words": {name: text(name) for name in WORDS},
    }


def numbers(cells: pd.DataFrame, on: Mapping[str, Sequence[float]]) -> list[list[Any]]:
    """Cells in the order of the points of axes: estimate, low, high, step, flag; one that is not there is hidden."""
    points = [[code(x) for x in values] for values in on.values()]
    index = pd.MultiIndex.from_product(points) if len(points) > 1 else pd.Index(points[0])
    known = cells.set_index(list(on))[[*NUMBERS, "step", "flag"]].reindex(index)
    known["flag"] = known["flag"].fillna("hidden")
    return [[None if value != value else value for value in row] for row in known.to_numpy(object).tolist()]


def handed_on(notebooks: Iterable[NotebookNode], language: str, name: str = HANDED) -> list[dict[str, Any]]:
    """What cells of all notebooks handed on in a language under a name: that of `adjustable`, or of another page."""
    outputs = (o for notebook in notebooks for cell in notebook.cells for o in cell.get("outputs", []))
    about = [o.get("metadata", {}) for o in outputs]
    own = [one.get("text/markdown", {}) for one in about if one.get("language") == language]
    return [one[name] for one in own if name in one]
