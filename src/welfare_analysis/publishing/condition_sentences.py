"""Sentences of page 04 that depend on conditions: who bears what, and what goes with it, everything else equal."""

from __future__ import annotations

import pandas as pd

from ..disclosure import CATEGORY, Released
from ..languages import amount, number, with_interval
from ..needs.conditions import BLOCKS, FACTORS, NO_FACTORS
from ..results import HEADLINES
from ..results.adjusted import SURE, models
from ..study import Study
from .aspiration_sentences import listed
from .labels import format_cell, label, step_of, title
from .published import release
from .sentences import conditional


@conditional("condition.borne")
def borne(study: Study) -> list[str]:
    """Which conditions the poorer bear, and which the better off, where intervals show it."""
    book, table = study.codebook, release(study)["condition_concentration"]
    if table.state != "shown":
        return [book.text(table.state, study.language)]
    cells = table.cells("*", "erreygers").dropna(subset="estimate").sort_values("estimate")
    sides = {"poorer": cells[cells["high"] < 0], "richer": cells[cells["low"] > 0]}
    sides["neither"] = cells[(cells["low"] <= 0) & (cells["high"] >= 0)]
    named = {side: listed(study, _with_number(table, study, part), "semicolon") for side, part in sides.items()}
    return [book.text(f"condition.{side}", study.language, conditions=names) for side, names in named.items() if names]


def _with_number(table: Released, study: Study, cells: pd.DataFrame) -> list[str]:
    return [
        f"{title(str(cell['condition']), study)} {format_cell(table, study, cell, named=False)}"
        for _, cell in cells.iterrows()
    ]


@conditional("adjusted.people")
def people(study: Study) -> list[str]:
    """Of whom the models speak, with which factors and references, and which are not in them."""
    book, language, staff = study.codebook, study.language, models(study).staff
    if not staff.factors:
        return [book.text(NO_FACTORS, language)]
    factors = [
        book.text("adjusted.against", language, factor=label(study, "adjusted_factor", factor),
                  reference=label(study, factor, levels[0]))
        for factor, levels in staff.factors.items()
    ]  # fmt: skip
    fields = {"n": number(staff.inside.sum(), language), "active": number(staff.active.sum(), language)}
    text = book.text("adjusted.people", language, factors=listed(study, factors), **fields)
    out = [label(study, "adjusted_factor", factor) for factor in FACTORS if factor not in staff.factors]
    return [text + (book.text("adjusted.left_out", language, factors=listed(study, out)) if out else "")]


@conditional("adjusted.findings")
def findings(study: Study) -> list[str]:
    """Of each condition the largest clear difference and whether place adds to it; then what goes with each block."""
    book, released, found = study.codebook, release(study), models(study)
    if not found.staff.factors:
        return [book.text(NO_FACTORS, study.language)]
    tables = [released[f"adjusted_{factor}"] for factor in found.staff.factors]
    effects = [t.shown.assign(factor=t.by[0], level=t.shown[t.by[0]].astype(str)) for t in tables if len(t.shown)]
    cells = pd.concat(effects, ignore_index=True) if effects else pd.DataFrame({CATEGORY: [], "clear": []})
    clear = cells[cells["clear"].eq(True)]
    lines: dict[str, tuple[float, str]] = {}
    for name in HEADLINES:
        state, own = found.conditions[name].state, clear[clear[CATEGORY] == name]
        size = own["estimate"].abs().max() if len(own) else 0.0
        said = _largest(own, study) + _place(name, study) if state == "shown" else book.text(state, study.language)
        lines[name] = (-size, f"**{title(name, study)}**: {said}")
    return [line for _, line in sorted(lines.values(), key=lambda x: x[0])] + _blocks(study)


def _largest(clear: pd.DataFrame, study: Study) -> str:
    """The largest of the clear differences of a condition, and its direction."""
    book, language = study.codebook, study.language
    if clear.empty:
        return book.text("adjusted.none", language)
    row = clear.loc[clear["estimate"].abs().idxmax()]
    more = row["estimate"] > 0
    bounds = (row["low"], row["high"]) if more else (-row["high"], -row["low"])
    unit, factor = book.text("unit.share_points", language), row["factor"]
    return book.text(
        f"adjusted.{'more' if more else 'less'}", language,
        factor=label(study, "adjusted_factor", factor), level=label(study, factor, row["level"]),
        reference=label(study, factor, models(study).staff.factors[factor][0]),
        points=with_interval(abs(row["estimate"]), *bounds, "share_points", language, unit, step_of(row)),
    )  # fmt: skip


def _place(name: str, study: Study) -> str:
    """Whether place adds to the other factors, and how much of the differences between places stays."""
    book, language, released = study.codebook, study.language, release(study)
    cell = released["adjusted_tests"].cell(name, "place", "p")
    if cell is None:
        return "."
    caution = book.text("adjusted.caution", language) if cell["flag"] == "caution" else ""
    p = amount(cell["estimate"], "p", language)
    if not cell["estimate"] < SURE:
        return book.text("adjusted.place_none", language, p=p) + caution
    table = released["adjusted_kept"]
    kept = format_cell(table, study, table.cell(name))
    return book.text("adjusted.place_adds", language, p=p, kept=kept) + caution


def _blocks(study: Study) -> list[str]:
    """Of each block the conditions that it adds to, at `SURE` for all of them together."""
    book, language, lines, table = study.codebook, study.language, [], release(study)["adjusted_tests"]
    for block in BLOCKS if table.state == "shown" else ():
        own = table.cells("*", block, "p")
        if own.empty:
            continue
        names = own.loc[own["estimate"] < SURE, "condition"]
        fields = {"block": label(study, "adjusted_block", block)}
        fields["conditions"] = listed(study, (book.text(f"short.{name}", language) for name in names), "semicolon")
        lines.append(book.text(f"adjusted.block{'' if len(names) else '_none'}", language, **fields))
    return lines
