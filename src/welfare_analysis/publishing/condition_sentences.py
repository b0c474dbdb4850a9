"""Sentences of page 04 that depend on conditions: who bears what, and what goes with it, everything else equal."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ..disclosure import CATEGORY, policy
from ..languages import amount, with_interval
from ..needs.conditions import BLOCKS, FACTORS, NO_FACTORS
from ..results import HEADLINES
from ..results.adjusted import SURE, models
from ..study import Study
from .labels import format_cell, label, listed, step_of, title, unit_forms
from .published import release
from .sentences import conditional
from .verbs import named


def text(study: Study, key: str, **fields: str | float) -> str:
    """A text of the models in the language of the study."""
    return study.text(f"adjusted.{key}", **fields)


@conditional("condition.borne")
def borne(study: Study) -> Iterator[str]:
    """Which conditions the poorer bear, and which the better off, where intervals show it."""
    table = release(study)["condition_concentration"]
    if table.state != "shown":
        yield study.text(table.state)
        return
    cells = table.cells("*", "erreygers").dropna(subset="estimate").sort_values("estimate")
    sides = {"poorer": cells["high"] < 0, "richer": cells["low"] > 0}
    sides["neither"] = (cells["low"] <= 0) & (cells["high"] >= 0)
    for side, inside in sides.items():
        each = (named(table, study, row, unit=False) for _, row in cells[inside].iterrows())
        names = listed(study, each, "semicolon")
        if names:
            yield study.text(f"condition.{side}", conditions=names)


@conditional("adjusted.people")
def people(study: Study) -> Iterator[str]:
    """Of whom the models speak, with which factors and references, and which are not in them."""
    staff = models(study).staff
    if not staff.factors:
        yield study.text(NO_FACTORS)
        return
    factors = [
        text(study, "against", factor=label(study, "adjusted_factor", factor), reference=label(study, factor, first))
        for factor, (first, *_) in staff.factors.items()
    ]
    sizes = {"n": policy().base(staff.inside.sum()), "active": policy().base(staff.active.sum())}
    out = [label(study, "adjusted_factor", factor) for factor in FACTORS if factor not in staff.factors]
    left_out = text(study, "left_out", factors=listed(study, out)) if out else ""
    yield text(study, "people", factors=listed(study, factors), **sizes) + left_out


@conditional("adjusted.findings")
def findings(study: Study) -> Iterator[str]:
    """Of each condition the largest clear difference and whether place adds to it; then what goes with each block."""
    released, found = release(study), models(study)
    if not found.staff.factors:
        yield study.text(NO_FACTORS)
        return
    tables = [released[f"adjusted_{factor}"] for factor in found.staff.factors]
    effects = [t.shown.assign(factor=t.by[0], level=t.shown[t.by[0]].astype(str)) for t in tables if len(t.shown)]
    cells = pd.concat(effects, ignore_index=True) if effects else pd.DataFrame({CATEGORY: [], "clear": []})
    clear = cells[cells["clear"].eq(True)]
    sizes = clear["estimate"].abs().groupby(clear[CATEGORY].astype(str)).max() if len(clear) else pd.Series(dtype=float)
    for name in sorted(HEADLINES, key=lambda name: -sizes.get(name, 0.0)):
        state = found.conditions[name].state
        shown = state == "shown"
        said = _largest(clear[clear[CATEGORY] == name], study) + _place(name, study) if shown else ""
        yield listed(study, [f"**{title(name, study)}**", said or study.text(state)], "colon")
    yield from _blocks(study)


def _largest(clear: pd.DataFrame, study: Study) -> str:
    """The largest of the clear differences of a condition, and its direction."""
    if clear.empty:
        return text(study, "none")
    row = clear.loc[clear["estimate"].abs().idxmax()]
    more, factor, unit = row["estimate"] > 0, row["factor"], unit_forms(study, "share_points")
    bounds = (row["low"], row["high"]) if more else (-row["high"], -row["low"])
    return text(
        study, "more" if more else "less",
        factor=label(study, "adjusted_factor", factor), level=label(study, factor, row["level"]),
        reference=label(study, factor, models(study).staff.factors[factor][0]),
        points=with_interval(abs(row["estimate"]), *bounds, "share_points", study.language, unit, step_of(row)),
    )  # fmt: skip


def _place(name: str, study: Study) -> str:
    """Whether place adds to the other factors, and how much of the differences between places stays."""
    cell, table = release(study)["adjusted_tests"].cell(name, "place", "p"), release(study)["adjusted_kept"]
    if cell is None or pd.isna(cell["estimate"]):
        return "."
    caution = text(study, "caution") if cell["flag"] == "caution" else ""
    p = amount(cell["estimate"], "p", study.language)
    if not cell["estimate"] < SURE:
        return text(study, "place_none", p=p) + caution
    return text(study, "place_adds", p=p, kept=format_cell(table, study, table.cell(name))) + caution


def _blocks(study: Study) -> Iterator[str]:
    """Of each block the conditions that it adds to, at `SURE` for all of them together."""
    table = release(study)["adjusted_tests"]
    for block in BLOCKS if table.state == "shown" else ():
        own = table.cells("*", block, "p").dropna(subset="estimate")
        if own.empty:
            continue
        names = own.loc[own["estimate"] < SURE, "condition"]
        words = listed(study, (study.text(f"short.{n}") for n in names), "semicolon")
        yield text(study, "block" if words else "block_none", block=label(study, "adjusted_block", block),
                   conditions=words)  # fmt: skip
