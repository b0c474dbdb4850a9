"""Sentences of page 05 that depend on conditions: what is hoped for, what comes first, what goes with it, how sure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import pandas as pd

from ..disclosure import CATEGORY, Released
from ..languages import amount, between
from ..needs.priorities import ALL
from ..results.adjusted import SURE
from ..results.aspirations import GROUPS
from ..results.priorities import RANKINGS
from ..study import Study
from .labels import format_cell, in_order, label, listed, step_of
from .published import release
from .sentences import conditional, ordered, sentence
from .verbs import named, partly

COUNT = "first_only"  # the reading of a ranking that uses the first place alone
NOT_OFFERED = 2  # services that are named of those that were not offered


def text(study: Study, key: str, **fields: str | int) -> str:
    """A text of the page in the language of the study."""
    return study.text(f"hopes.{key}", **fields)


def of_ranking(study: Study, key: str, group: str, **fields: str | int) -> str:
    """A text that speaks of a ranking by its name."""
    return text(study, key, name=text(study, f"name_{group}"), **fields)


def of_each(key: str, groups: Sequence[str], table: str = "") -> Callable[[Callable[..., Iterable[str]]], None]:
    """Register a function of (study, table, group) as the sentences ``hopes.KEY_GROUP`` of each group.

    ``table`` is what the table of a group is called, with a gap for the group; without one it takes no table.
    """

    def declare(function: Callable[..., Iterable[str]]) -> None:
        for group in groups:
            conditional(f"hopes.{key}_{group}", table.format(group))(partial(function, group=group))

    return declare


@conditional("hopes.most", "hopes", why=True)
def most(study: Study, table: Released) -> Iterator[str]:
    """The service that most hope for, those that do not clearly differ from it, and the first that was not offered."""
    cells, people = ordered(table.shown), release(study)["hopes_total"]
    first = str(cells["hope"].iloc[0])
    said = [text(study, "most", services=len(table.frame), most=leaders(table, study, cells))]
    if len(people.shown):
        fields = {"service": label(study, "hope", first), "people": format_cell(people, study, people.cell(first))}
        said.append(text(study, "most_people", **fields))
    yield " ".join([*said, *in_2012(study, first)])


@of_each("spread", GROUPS, "hopes_by_{}")
def spread(study: Study, table: Released, group: str) -> Iterator[str]:
    """How many services the groups hope for unequally, and the one where they are furthest apart."""
    apart, compared = release(study)[f"hopes_apart_by_{group}"], table.shown.dropna(subset="p")
    if compared.empty:
        return
    clear = list(apart.frame["hope"].unique()) if apart.state == "shown" else []
    fields: dict[str, str | int] = {"clear": len(clear), "services": compared["hope"].nunique()}
    fields["group"] = study.text(f"group.{group}")
    for end in ("highest", "lowest") if clear else ():
        cell = apart.cells(clear[0]).query(f"{CATEGORY} == '{end}'").iloc[0]
        fields[end] = listed(study, [label(study, group, cell[end]), format_cell(apart, study, cell)])
        fields["service"] = label(study, "hope", clear[0])
    yield text(study, "spread" if clear else "spread_none", **fields)


def in_2012(study: Study, named_before: str) -> Iterator[str]:
    """What most hope for of what was not offered in 2012, with its share if not named before; nothing if not known."""
    table = release(study)["hopes_offered"]
    if table.state != "shown":
        return
    cells = table.cells("*", "*", "share")
    first = ordered(cells[cells["offered_2012"] != "offered"]).head(NOT_OFFERED)
    words = []
    for _, row in first.iterrows():
        service = label(study, "hope", named_before) if row["hope"] == named_before else named(table, study, row)
        words.append(f"{service} ({label(study, 'offered_2012', row['offered_2012'])})")
    yield text(study, "offered", first=listed(study, words, "semicolon"))


@conditional("burdens.said", "burdens_hopes", why=True)
def burdens(study: Study, table: Released) -> Iterator[str]:
    """Which hopes move most with each burden of the job, and how many differences are clear."""
    yield sentence(study, "burdens.said", clear=int(table.shown["clear"].sum()), pairs=len(table.shown))


def leaders(table: Released, study: Study, cells: pd.DataFrame) -> str:
    """Of rows in order the first, and those that do not clearly differ from it."""
    rows = [row for place, (_, row) in enumerate(cells.iterrows()) if place == 0 or row["leads"]]
    return f" {text(study, 'or')} ".join(named(table, study, row) for row in rows)


@of_each("first", RANKINGS)
def first(study: Study, group: str) -> Iterator[str]:
    """What is ranked first, and what does not clearly differ from it."""
    table = release(study)[f"{group}_places"]
    cells = ordered(table.cells("*", "ranked_first") if table.state == "shown" else table.shown)
    if len(cells) < 2:
        yield of_ranking(study, "first_none", group, why=study.text(table.silence))
        return
    key = "first_alike" if cells["leads"].iloc[1] else "first"
    yield of_ranking(study, key, group, first=leaders(table, study, cells))


for _by, _test in (("status", "statuses"), ("sex", "sexes")):

    @of_each(f"by_{_by}", RANKINGS, "{}_by_" + _by)
    def by_group(study: Study, table: Released, group: str, by: str = _by, test: str = _test) -> Iterator[str]:
        """What each status, or women and men, rank first most often; nothing of one group alone."""
        parts = []
        for code in in_order(table, study, CATEGORY):
            cells = ordered(table.cells("*", "ranked", code))
            if code != ALL and len(cells):
                fields = {"status": label(study, table.variable, code), "items": leaders(table, study, cells)}
                parts.append(text(study, "of_status", **fields))
        if len(parts) > 1:
            yield text(study, f"by_{by}", parts=listed(study, parts, "semicolon"), test=tested(study, group, test))


def tested(study: Study, group: str, test: str) -> str:
    """What a test of a ranking says."""
    table = release(study)[f"{group}_tests"]
    cell = table.cell(test) if table.state == "shown" else None
    if cell is None or pd.isna(cell["estimate"]):
        return text(study, f"{test}_unknown")
    key = f"{test}_rejected" if cell["estimate"] < SURE else f"{test}_kept"
    return text(study, key, p=amount(cell["estimate"], "p", study.language))


@conditional("hopes.goes_with", "hopes_gaps")
def goes_with(study: Study, gaps: Released) -> Iterator[str]:
    """How many conditions go with what they would call for, and the pair that is furthest apart."""
    sides = release(study)["hopes_pairs"]
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


@conditional("hopes.segments")
def segments(study: Study) -> Iterator[str]:
    """How many segments there are, the largest and what it hopes for above all; or that there are none."""
    table, numbers = release(study)["segments_shares"], release(study)["segments_number"]
    if table.shown.empty:
        if table.state != "not_asked":
            yield study.text(table.silence)
        return
    row = ordered(table.shown).iloc[0]
    placed = format_cell(numbers, study, numbers.cell(str(len(table.frame)), "placed"))
    fields = {"services": label(study, "segment", row["segment"]), "share": format_cell(table, study, row)}
    yield study.text("segments.largest", number=len(table.frame), placed=placed, **fields)


@conditional("satisfaction.widest", "satisfaction_satisfied_by_status")
def satisfaction(study: Study, table: Released) -> Iterator[str]:
    """What statuses are satisfied with least equally, and which of them most and least."""
    spread = table.shown.groupby("question")["estimate"].agg(lambda x: x.max() - x.min())
    if not spread.max():
        yield study.text("one_group")
        return
    question = str(spread.idxmax())
    every = table.cells(question)
    cells = ordered(every)
    ends = (
        f"{label(study, 'status', cells.iloc[at][CATEGORY])} {format_cell(table, study, cells.iloc[at])}"
        for at in (0, -1)
    )
    said = partly(study, every, listed(study, ends))
    yield study.text("satisfaction.widest", question=label(study, "question", question), contrast=said)


@of_each("changes", RANKINGS, "{}_variants")
def changes(study: Study, table: Released, group: str) -> Iterator[str]:
    """Whether another reading of the rankings puts another item first, and how far its probability moves."""
    cells = table.shown
    leading = cells.loc[cells.groupby(CATEGORY, sort=False)["estimate"].idxmax()].set_index(CATEGORY)[group]
    item = leading["all_places"]
    own = cells[cells[group] == item].set_index(CATEGORY)
    models = own["estimate"].drop(COUNT, errors="ignore")
    moved = between(models.min(), models.max(), "share", study.language, step_of(cells))
    fields = {"item": label(study, group, item), "moved": moved}
    fields["count"] = format_cell(table, study, own.loc[COUNT]) if COUNT in own.index else study.text("gap.hidden")
    others = listed(study, [label(study, group, other) for other in leading.unique() if other != item])
    key = "changes" if others else "changes_none"
    yield of_ranking(study, key, group, readings=len(leading), others=others, **fields)


@of_each("sure", RANKINGS, "{}_lead")
def sure(study: Study, table: Released, group: str) -> Iterator[str]:
    """How many ranked, whether the model's assumption holds, and how far it is from the count."""
    widest = table.shown.loc[table.shown["estimate"].abs().idxmax()]
    fields = {"item": label(study, group, widest[group]), "gap": format_cell(table, study, widest)}
    yield text(study, "sure", n=table.respondents, verdict=tested(study, group, "pooling"), **fields)
