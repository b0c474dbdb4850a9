"""Sentences of page 05 that depend on conditions: what is hoped for, what comes first, what goes with it, how sure."""

from __future__ import annotations

from collections.abc import Iterable
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
from .sentences import conditional

NAMED = 3  # services that the first finding names


def listed(study: Study, parts: Iterable[str], mark: str = "comma") -> str:
    """Parts of a sentence with the language's comma or semicolon between them."""
    return study.codebook.text(f"list.{mark}", study.language).join(parts)


def text(study: Study, key: str, **fields: object) -> str:
    """A text of the page in the language of the study."""
    return study.codebook.text(f"hopes.{key}", study.language, **fields)


@conditional("hopes.many")
def many(study: Study) -> list[str]:
    """The services that most hope for, with their numbers, which do not clearly differ, and the last."""
    table, people = release(study)["hopes"], release(study)["hopes_total"]
    cells = table.shown.sort_values("estimate", ascending=False)
    if not len(cells):
        return [text(study, "many_none", why=study.codebook.text(table.silence, study.language))]

    def named(row: pd.Series) -> str:
        share = f"{label(study, 'hope', row['hope'])} {format_cell(table, study, row)}"
        number_of = people.shown[people.shown["hope"] == row["hope"]] if len(people.shown) else people.shown
        return listed(study, [share, *(format_cell(people, study, x) for _, x in number_of.iterrows())])

    rows = [row for _, row in cells.iterrows()]
    not_apart = [
        text(study, "alike", first=label(study, "hope", a["hope"]), second=label(study, "hope", b["hope"]))
        for a, b in pairwise(rows[:NAMED]) if not differ(a, b, len(rows))
    ]  # fmt: skip
    most = listed(study, (named(row) for row in rows[:NAMED]), "semicolon")
    first = text(study, "many_few", most=most)
    if len(rows) > NAMED:
        first = text(study, "many", most=most, least=named(rows[-1]), services=len(rows))
    return [" ".join([first, *not_apart])]


@conditional("hopes.spread")
def spread(study: Study) -> list[str]:
    """How many services the groups hope for unequally, and the one where they are furthest apart."""
    lines = []
    for group in GROUPS:
        table, apart = release(study)[f"hopes_by_{group}"], release(study)[f"hopes_apart_by_{group}"]
        compared = table.shown.dropna(subset="p") if "p" in table.shown else ()
        if not len(compared):
            continue
        clear = list(apart.frame["hope"].unique()) if apart.state == "shown" else []
        fields = {"clear": number(len(clear), study.language)}
        fields["services"] = number(table.shown.dropna(subset="p")["hope"].nunique(), study.language)
        fields["group"] = study.codebook.text(f"group.{group}", study.language)
        for end in ("highest", "lowest") if clear else ():
            cell = apart.cells(clear[0]).query(f"{CATEGORY} == '{end}'").iloc[0]
            fields[end] = f"{label(study, group, cell[end])}, {format_cell(apart, study, cell)}"
            fields["service"] = label(study, "hope", clear[0])
        lines.append(text(study, "spread" if clear else "spread_none", **fields))
    return lines


def ordered(table: Released, study: Study, *codes: str) -> pd.DataFrame:
    """Items from the one that comes first."""
    cells = table.cells(*codes).dropna(subset="estimate") if table.state == "shown" else table.shown
    return cells.sort_values("estimate", ascending=False, kind="stable")


def leaders(table: Released, cells: pd.DataFrame, group: str, study: Study) -> str:
    """The item with the highest share, and those that do not clearly differ from it."""
    rows = [row for place, (_, row) in enumerate(cells.iterrows()) if place == 0 or row["leads"]]
    return f" {text(study, 'or')} ".join(named(table, row, group, study) for row in rows)


def named(table: Released, row: pd.Series, group: str, study: Study) -> str:
    """An item and its share."""
    return f"{label(study, group, row[group])} {format_cell(table, study, row)}"


@conditional("hopes.first")
def first(study: Study) -> list[str]:
    """What is ranked first, what is second, and how stable that is."""
    lines = []
    for group in RANKINGS:
        table, stable = release(study)[f"{group}_places"], release(study)[f"{group}_order"]
        cells, name = ordered(table, study, "*", "ranked_first"), text(study, f"name_{group}")
        if len(cells) < 2:
            why = study.codebook.text(table.silence, study.language)
            lines.append(text(study, "first_none", name=name, why=why))
            continue
        one, two = cells.iloc[0], cells.iloc[1]
        among = table.cell(one[group], "ranked_among")
        fields = {"first": leaders(table, cells, group, study), "second": named(table, two, group, study)}
        fields["among"] = "" if among is None else format_cell(table, study, among)
        fields["stable"] = format_cell(stable, study, stable.cell(one[group], "first"))
        fields |= {"item": label(study, group, one[group]), "name": name}
        lines.append(text(study, "first_alike" if two["leads"] else "first", **fields))
    return lines


@conditional("hopes.by_status")
def by_status(study: Study) -> list[str]:
    """What each status ranks first most often, and whether the statuses rank alike."""
    lines = []
    for group in RANKINGS:
        table, parts = release(study)[f"{group}_by_status"], []
        for code in in_order(table, study, CATEGORY) if len(table.shown) else ():
            own = ordered(table, study, "*", "ranked", code)
            if code != ALL and len(own):
                items = leaders(table, own, group, study)
                parts.append(text(study, "of_status", status=label(study, "hope_group", code), items=items))
        if parts:
            fields = {
                "name": text(study, f"name_{group}"),
                "parts": listed(study, parts, "semicolon"),
            }
            lines.append(text(study, "by_status", test=tested(study, group, "statuses"), **fields))
    return lines


def tested(study: Study, group: str, test: str) -> str:
    """What a test of a ranking says."""
    table = release(study)[f"{group}_tests"]
    cell = table.cell(test) if table.state == "shown" else None
    if cell is None or pd.isna(cell["estimate"]):
        return text(study, f"{test}_unknown")
    key = f"{test}_rejected" if cell["estimate"] < SURE else f"{test}_kept"
    return text(study, key, p=amount(cell["estimate"], "p", study.language))


@conditional("hopes.goes_with")
def goes_with(study: Study) -> list[str]:
    """How many conditions go with what they would call for, and the pair that is furthest apart."""
    gaps, sides = release(study)["hopes_gaps"], release(study)["hopes_pairs"]
    if not len(gaps.shown):
        return []
    clear = gaps.shown[gaps.shown["clear"].astype(bool)]
    counts = {"clear": number(len(clear), study.language), "pairs": number(len(gaps.shown), study.language)}
    if not len(clear):
        return [text(study, "goes_none", **counts)]
    row = clear.loc[clear["estimate"].abs().idxmax()]
    both = {side: format_cell(sides, study, sides.cell(row["hope_pair"], side)) for side in ("with", "without")}
    pair, gap = label(study, "hope_pair", row["hope_pair"]), format_cell(gaps, study, row)
    return [text(study, "goes", pair=pair, gap=gap, **counts, **both)]


@conditional("hopes.cost")
def cost(study: Study) -> list[str]:
    """What is known of cost: of hopes nothing; what members would pay for a week of holidays."""
    table = release(study)["holiday_spend"]
    spend = [text(study, "cost_holiday", spend=format_cell(table, study))] if len(table.shown) else []
    return [" ".join([text(study, "no_cost"), *spend])]


@conditional("hopes.changes")
def changes(study: Study) -> list[str]:
    """Whether another reading of the rankings puts another item first, and how far its probability moves."""
    lines = []
    for group in RANKINGS:
        cells = release(study)[f"{group}_variants"].shown
        if not len(cells):
            continue
        leading = cells.loc[cells.groupby(CATEGORY, sort=False)["estimate"].idxmax()]
        top = leading.loc[leading[CATEGORY] == "all_places", group].iloc[0]
        own = cells.loc[cells[group] == top, "estimate"]
        others = [label(study, group, item) for item in leading[group].unique() if item != top]
        fields = {"name": text(study, f"name_{group}"), "item": label(study, group, top)}
        fields["moved"] = between(own.min(), own.max(), "share", study.language, step_of(cells))
        fields |= {
            "readings": number(len(leading), study.language),
            "others": listed(study, others),
        }
        lines.append(text(study, "changes" if others else "changes_none", **fields))
    return lines


@conditional("hopes.sure")
def sure(study: Study) -> list[str]:
    """How many ranked, whether the model's assumption holds, and how far it is from the count."""
    lines = []
    for group in RANKINGS:
        table = release(study)[f"{group}_lead"]
        if not len(table.shown):
            continue
        widest = table.shown.loc[table.shown["estimate"].abs().idxmax()]
        fields = {"item": label(study, group, widest[group]), "gap": format_cell(table, study, widest)}
        fields |= {"name": text(study, f"name_{group}"), "verdict": tested(study, group, "pooling")}
        lines.append(text(study, "sure", n=number(table.respondents, study.language), **fields))
    return lines
