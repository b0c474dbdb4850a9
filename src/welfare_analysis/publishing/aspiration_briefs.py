"""Sentences and tables of the page on aspirations: what is hoped for, what comes first, who and where, how sure."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
from IPython.display import Markdown

from ..errors import WelfareError
from ..languages import GAP, between, number
from ..needs.priorities import ALL
from ..needs.priorities import differ as worths_differ
from ..study import Study
from .aspiration_views import ends, rules, text
from .aspirations import GROUPS, SURE
from .briefs import contrast, differ
from .modelled import cell_of
from .plan import Release, Released
from .priorities import RANKINGS, models, ranked
from .suppression import CATEGORY
from .tables import in_order, label, told

LEAST_P = 0.001  # smaller ones are told as below this
NAMED = 3  # services that the first finding names


def findings(released: Release, study: Study) -> Markdown:
    """The page in two minutes: how many, who, where, what comes first, what goes with it, cost, changes, how sure."""
    lines = [_many(released, study), *(_spread(released, study, group) for group in GROUPS)]
    lines += [_first(released, study, group) for group in RANKINGS]
    lines += [_by_status(released, study, group) for group in RANKINGS]
    lines += [_goes_with(released, study), cost(released, study).data]
    lines += [made(released, study, group) for made in (_changes, _sure) for group in RANKINGS]
    return Markdown("\n".join(f"- {line}" for line in lines if line))


def _many(released: Release, study: Study) -> str:
    """The services that most hope for, with their numbers, whether they are told apart, and the last."""
    table, people = released["hopes"], released["hopes_total"]
    cells = table.shown.sort_values("estimate", ascending=False)
    if not len(cells):
        return text(study, "many_none", why=study.codebook.text(table.silence, study.language))
    counted = people.shown.set_index("hope") if len(people.shown) else pd.DataFrame()

    def named(row: pd.Series) -> str:
        known = [told(people, study, counted.loc[row["hope"]])] if row["hope"] in counted.index else []
        share = f"{label(study, 'hope', row['hope'])} {told(table, study, row)}"
        return text(study, "comma").join([share, *known])

    rows = [row for _, row in cells.iterrows()]
    alike = [
        text(study, "alike", first=label(study, "hope", a["hope"]), second=label(study, "hope", b["hope"]))
        for a, b in pairwise(rows[:NAMED])
        if not differ(a, b, len(rows))
    ]
    most = text(study, "then").join(named(row) for row in rows[:NAMED])
    if len(rows) <= NAMED:
        first = text(study, "many_few", most=most)
    else:
        first = text(study, "many", most=most, least=named(rows[-1]), services=len(rows))
    return " ".join([first, *alike])


def _spread(released: Release, study: Study, group: str) -> str:
    """How many services the groups hope for unequally, and the one where they are furthest apart."""
    table = released[f"hopes_by_{group}"]
    compared = table.shown.dropna(subset="p") if "p" in table.shown else pd.DataFrame()
    if not len(compared):
        return ""
    services = compared["hope"].unique()
    clear = [e for e in (ends(table, service) for service in services) if e is not None]
    fields = {"clear": number(len(clear), study.language), "services": number(len(services), study.language)}
    where = study.codebook.text(f"group.{group}", study.language)
    if not clear:
        return text(study, "spread_none", group=where, **fields)
    widest = max(clear, key=lambda e: e[0]["estimate"] - e[1]["estimate"])[0]["hope"]
    one = contrast(_of(table, widest, group), study)
    return text(study, "spread", group=where, service=label(study, "hope", widest), contrast=one, **fields)


def _of(table: Released, service: str, group: str) -> Released:
    """The cells of one service as a table by a group."""
    cells = table.frame[table.frame["hope"] == service].drop(columns=["hope", "p"]).rename(columns={CATEGORY: group})
    return replace(table, by=(group,), variable="", frame=cells.reset_index(drop=True))


def _ranked(released: Release, group: str, measure: str) -> pd.DataFrame:
    """Items from the one that comes first, by a measure of the table of places."""
    cells = released[f"{group}_places"].shown
    return cells[cells[CATEGORY] == measure].sort_values("estimate", ascending=False, kind="stable")


def _first(released: Release, study: Study, group: str) -> str:
    """What is ranked first, what is second, and how stable that is."""
    table, name = released[f"{group}_places"], text(study, f"name_{group}")
    cells = _ranked(released, group, "ranked_first") if table.state == "shown" else pd.DataFrame()
    if len(cells) < 2:
        return text(study, "first_none", name=name, why=study.codebook.text(table.silence, study.language))
    one, two = cells.iloc[0], cells.iloc[1]
    stable = released[f"{group}_order"]
    fields = {"first": _leaders(table, cells, group, study), "second": _named(table, two, group, study)}
    among = cell_of(table, **{group: one[group], CATEGORY: "ranked_among"}) if _has(table, "ranked_among") else None
    fields["among"] = GAP if among is None else told(table, study, among)
    fields["stable"] = told(stable, study, cell_of(stable, **{group: one[group], CATEGORY: "first"}))
    fields |= {"item": label(study, group, one[group]), "name": name}
    return text(study, "first" if not two["leads"] else "first_alike", **fields)


def _named(table: Released, row: pd.Series, group: str, study: Study) -> str:
    return f"{label(study, group, row[group])} {told(table, study, row)}"


def _leaders(table: Released, cells: pd.DataFrame, group: str, study: Study) -> str:
    """The item with the highest share, and those that are not told apart from it."""
    rows = [cells.iloc[0], *(row for _, row in cells.iloc[1:].iterrows() if row["leads"])]
    return f" {text(study, 'or')} ".join(_named(table, row, group, study) for row in rows)


def _has(table: Released, measure: str) -> bool:
    return bool((table.frame[CATEGORY] == measure).any())


def _by_status(released: Release, study: Study, group: str) -> str:
    """What each status ranks first most often; both names where two are not told apart; whether statuses differ."""
    table = released[f"{group}_by_status"]
    cells = table.shown[table.shown["rank_view"] == "ranked"] if table.state == "shown" else pd.DataFrame()
    if not len(cells):
        return ""
    parts = []
    for code in (c for c in in_order(table, study, CATEGORY) if c != ALL):
        own = cells[cells[CATEGORY] == code].sort_values("estimate", ascending=False, kind="stable")
        if not len(own):
            continue
        items = _leaders(table, own, group, study)
        parts.append(text(study, "of_status", status=label(study, "hope_group", code), items=items))
    test = statuses(study, group)
    return text(study, "by_status", name=text(study, f"name_{group}"), parts=text(study, "then").join(parts), test=test)


def statuses(study: Study, group: str) -> str:
    """Whether the statuses give the items other worths: Wald's test, in words."""
    found = ranked(study, group, rules())
    fits = {} if found is None else {n: f for n, f in models(found, rules()).items() if n != ALL}
    try:
        p = worths_differ(fits).p if len(fits) > 1 else float("nan")
    except WelfareError:
        p = float("nan")
    key = "statuses_untold" if np.isnan(p) else "statuses_differ" if p < SURE else "statuses_alike"
    return text(study, key, p=_p(p, study))


def _p(p: float, study: Study) -> str:
    return f"{'<' if p < LEAST_P else '='} {number(max(p, LEAST_P), study.language, 3)}"


def _goes_with(released: Release, study: Study) -> str:
    """How many conditions go with what they would call for, and the pair that is furthest apart."""
    gaps, sides = released["hopes_gaps"], released["hopes_pairs"]
    cells = gaps.shown
    if not len(cells):
        return ""
    clear = cells[cells["clear"].astype(bool)]
    fields = {"clear": number(len(clear), study.language), "pairs": number(len(cells), study.language)}
    if not len(clear):
        return text(study, "goes_none", **fields)
    row = clear.loc[clear["estimate"].abs().idxmax()]
    for side in ("with", "without"):
        fields[side] = told(sides, study, cell_of(sides, hope_pair=row["hope_pair"], **{CATEGORY: side}))
    fields["gap"] = told(gaps, study, row)
    return text(study, "goes", pair=label(study, "hope_pair", row["hope_pair"]), **fields)


def cost(released: Release, study: Study) -> Markdown:
    """What is known of cost: of hopes nothing; what members would pay for a week of holidays."""
    table = released["holiday_spend"]
    if not len(table.shown):
        return Markdown(text(study, "cost"))
    return Markdown(f"{text(study, 'cost')} {text(study, 'cost_holiday', spend=told(table, study))}")


def _changes(released: Release, study: Study, group: str) -> str:
    """Whether another reading of the rankings puts another item first, and how far its probability moves."""
    cells = released[f"{group}_variants"].shown
    if not len(cells):
        return ""
    leaders = cells.loc[cells.groupby(CATEGORY, sort=False)["estimate"].idxmax()]
    first = leaders.loc[leaders[CATEGORY] == "all_places", group].iloc[0]
    own = cells[cells[group] == first]
    moved = between(own["estimate"].min(), own["estimate"].max(), "share", study.language)
    others = [label(study, group, item) for item in leaders[group].unique() if item != first]
    fields = {"name": text(study, f"name_{group}"), "item": label(study, group, first), "moved": moved}
    fields["readings"] = number(len(leaders), study.language)
    key = "changes" if others else "changes_none"
    return text(study, key, others=text(study, "comma").join(others), **fields)


def _sure(released: Release, study: Study, group: str) -> str:
    """How many ranked, whether the model's assumption holds, and how far it is from the count."""
    table, found = released[f"{group}_lead"], ranked(study, group, rules())
    if not len(table.shown) or found is None:
        return ""
    widest = table.shown.loc[table.shown["estimate"].abs().idxmax()]
    try:
        p = found.pooled.test.p
    except WelfareError:
        p = float("nan")
    key = "pooling_untold" if np.isnan(p) else "pooling_fails" if p < SURE else "pooling_holds"
    fields = {"verdict": text(study, key, p=_p(p, study)), "item": label(study, group, widest[group])}
    fields |= {"gap": told(table, study, widest), "name": text(study, f"name_{group}")}
    return text(study, "sure", n=number(table.respondents, study.language), **fields)
