"""Sentences of page 05 that depend on conditions: what is hoped for, what comes first, what goes with it, how sure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pandas as pd

from ..disclosure import CATEGORY, Released
from ..estimation.multiple import differ
from ..languages import amount, between, number
from ..needs.priorities import ALL
from ..results.adjusted import SURE
from ..results.aspirations import GROUPS
from ..results.priorities import RANKINGS
from ..study import Study
from .labels import format_cell, in_order, label, step_of
from .published import release
from .sentences import conditional, listed, named, ordered

NAMED = 3  # services that the first finding names


def text(study: Study, key: str, **fields: str | int) -> str:
    """A text of the page in the language of the study."""
    words = {name: x if isinstance(x, str) else number(x, study.language) for name, x in fields.items()}
    return study.codebook.text(f"hopes.{key}", study.language, **words)


def of_ranking(study: Study, key: str, group: str, **fields: str | int) -> str:
    """A text that speaks of a ranking by its name."""
    return text(study, key, name=text(study, f"name_{group}"), **fields)


@conditional("hopes.many")
def many(study: Study) -> Iterator[str]:
    """The services that most hope for, with their numbers, which do not clearly differ, and the last."""
    table, people = release(study)["hopes"], release(study)["hopes_total"].shown
    rows = [row for _, row in ordered(table.shown).iterrows()]
    if not rows:
        yield text(study, "many_none", why=study.codebook.text(table.silence, study.language))
        return
    totals = {row["hope"]: format_cell(release(study)["hopes_total"], study, row) for _, row in people.iterrows()}
    words = [listed(study, [named(table, study, row), *filter(None, [totals.get(row["hope"])])]) for row in rows]
    not_apart = [
        text(study, "alike", first=label(study, "hope", a["hope"]), second=label(study, "hope", b["hope"]))
        for a, b in pairwise(rows[:NAMED]) if not differ(a, b, len(rows))
    ]  # fmt: skip
    fields: dict[str, str | int] = {"most": listed(study, words[:NAMED], "semicolon")}
    if len(rows) > NAMED:
        fields |= {"least": words[-1], "services": len(rows)}
    yield " ".join([text(study, "many" if len(rows) > NAMED else "many_few", **fields), *not_apart])


@conditional("hopes.spread")
def spread(study: Study) -> Iterator[str]:
    """How many services the groups hope for unequally, and the one where they are furthest apart."""
    for group in GROUPS:
        table, apart = release(study)[f"hopes_by_{group}"], release(study)[f"hopes_apart_by_{group}"]
        compared = table.shown.dropna(subset="p") if "p" in table.shown else table.shown.iloc[:0]
        if compared.empty:
            continue
        clear = list(apart.frame["hope"].unique()) if apart.state == "shown" else []
        fields: dict[str, str | int] = {"clear": len(clear), "services": compared["hope"].nunique()}
        fields["group"] = study.codebook.text(f"group.{group}", study.language)
        for end in ("highest", "lowest") if clear else ():
            cell = apart.cells(clear[0]).query(f"{CATEGORY} == '{end}'").iloc[0]
            fields[end] = f"{label(study, group, cell[end])}, {format_cell(apart, study, cell)}"
            fields["service"] = label(study, "hope", clear[0])
        yield text(study, "spread" if clear else "spread_none", **fields)


def leaders(table: Released, study: Study, cells: pd.DataFrame) -> str:
    """Of rows in order the first, and those that do not clearly differ from it."""
    rows = [row for place, (_, row) in enumerate(cells.iterrows()) if place == 0 or row["leads"]]
    return f" {text(study, 'or')} ".join(named(table, study, row) for row in rows)


@conditional("hopes.first")
def first(study: Study) -> Iterator[str]:
    """What is ranked first, what is second, and how stable that is."""
    for group in RANKINGS:
        table, stable = release(study)[f"{group}_places"], release(study)[f"{group}_order"]
        cells = ordered(table.cells("*", "ranked_first") if table.state == "shown" else table.shown)
        if len(cells) < 2:
            yield of_ranking(study, "first_none", group, why=study.codebook.text(table.silence, study.language))
            continue
        item, second = cells[group].iloc[0], cells.iloc[1]
        among = table.cell(item, "ranked_among")
        fields = {"first": leaders(table, study, cells), "second": named(table, study, second)}
        fields["among"] = "" if among is None else format_cell(table, study, among)
        fields["stable"] = format_cell(stable, study, stable.cell(item, "first"))
        key = "first_alike" if second["leads"] else "first"
        yield of_ranking(study, key, group, item=label(study, group, item), **fields)


@conditional("hopes.by_status")
def by_status(study: Study) -> Iterator[str]:
    """What each status ranks first most often, and whether the statuses rank alike."""
    for group in RANKINGS:
        table, parts = release(study)[f"{group}_by_status"], []
        for code in in_order(table, study, CATEGORY) if len(table.shown) else ():
            cells = ordered(table.cells("*", "ranked", code))
            if code != ALL and len(cells):
                fields = {"status": label(study, "hope_group", code), "items": leaders(table, study, cells)}
                parts.append(text(study, "of_status", **fields))
        if parts:
            words = listed(study, parts, "semicolon")
            yield of_ranking(study, "by_status", group, parts=words, test=tested(study, group, "statuses"))


def tested(study: Study, group: str, test: str) -> str:
    """What a test of a ranking says."""
    table = release(study)[f"{group}_tests"]
    cell = table.cell(test) if table.state == "shown" else None
    if cell is None or pd.isna(cell["estimate"]):
        return text(study, f"{test}_unknown")
    key = f"{test}_rejected" if cell["estimate"] < SURE else f"{test}_kept"
    return text(study, key, p=amount(cell["estimate"], "p", study.language))


@conditional("hopes.goes_with")
def goes_with(study: Study) -> Iterator[str]:
    """How many conditions go with what they would call for, and the pair that is furthest apart."""
    gaps, sides = release(study)["hopes_gaps"], release(study)["hopes_pairs"]
    if gaps.shown.empty:
        return
    clear = gaps.shown[gaps.shown["clear"].astype(bool)]
    counts = {"clear": len(clear), "pairs": len(gaps.shown)}
    if clear.empty:
        yield text(study, "goes_none", **counts)
        return
    row = clear.loc[clear["estimate"].abs().idxmax()]
    both = {side: format_cell(sides, study, sides.cell(row["hope_pair"], side)) for side in ("with", "without")}
    pair = label(study, "hope_pair", row["hope_pair"])
    yield text(study, "goes", pair=pair, gap=format_cell(gaps, study, row), **counts, **both)


@conditional("hopes.cost")
def cost(study: Study) -> Iterator[str]:
    """What is known of cost: of hopes nothing; what members would pay for a week of holidays."""
    table = release(study)["holiday_spend"]
    spend = [text(study, "cost_holiday", spend=format_cell(table, study))] if len(table.shown) else []
    yield " ".join([text(study, "no_cost"), *spend])


@conditional("hopes.changes")
def changes(study: Study) -> Iterator[str]:
    """Whether another reading of the rankings puts another item first, and how far its probability moves."""
    for group in RANKINGS:
        cells = release(study)[f"{group}_variants"].shown
        if cells.empty:
            continue
        leading = cells.loc[cells.groupby(CATEGORY, sort=False)["estimate"].idxmax()].set_index(CATEGORY)[group]
        item = leading["all_places"]
        own = cells.loc[cells[group] == item, "estimate"]
        moved = between(own.min(), own.max(), "share", study.language, step_of(cells))
        fields = {"item": label(study, group, item), "moved": moved}
        others = listed(study, [label(study, group, other) for other in leading.unique() if other != item])
        key = "changes" if others else "changes_none"
        yield of_ranking(study, key, group, readings=len(leading), others=others, **fields)


@conditional("hopes.sure")
def sure(study: Study) -> Iterator[str]:
    """How many ranked, whether the model's assumption holds, and how far it is from the count."""
    for group in RANKINGS:
        table = release(study)[f"{group}_lead"]
        if table.shown.empty:
            continue
        widest = table.shown.loc[table.shown["estimate"].abs().idxmax()]
        fields = {"item": label(study, group, widest[group]), "gap": format_cell(table, study, widest)}
        verdict = tested(study, group, "pooling")
        yield of_ranking(study, "sure", group, n=table.respondents, verdict=verdict, **fields)
