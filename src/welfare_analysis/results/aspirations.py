"""What members hope for (page 05): hopes by group, and whether they go with the condition that would call for them.

Hopes are asked of everybody and are estimated in one pass a grouping, far quicker than one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from scipy import special

from ..demand.stated import sums
from ..disclosure import CATEGORY, Released, policy
from ..disclosure.suppression import unsafe
from ..errors import WelfareError
from ..estimation import Design, Estimate, adjusted_p, contrast, differences, joint, share, total, wald
from ..estimation.rank_order import possible_ranks
from ..needs import hopes
from ..needs.aspirations import HOPES, is_woman
from ..needs.factors import merged
from ..needs.hopes import PAIRS, SIDES, Hopes
from ..study import Study, public
from .adjusted import SURE
from .declare import Base, Topic, always, beside, counted, exact, is_shown, part
from .descriptive import leaves_few, of_variable
from .priorities import leads

GROUPS = ("status", "rank_group", "command_group", "sex")
FINDINGS = ("", ("most", "first_priority", "spread_status", "unserved", "cost", "changes_priority"))


def hopes_of(study: Study) -> Hopes:
    """The hopes of a study."""
    return study.result(hopes.hopes)


def base(study: Study, group: str = "") -> Base:
    """Respondents who answered any, and how many were asked, at the mean rate of answers."""
    known, asked = hopes_of(study).base_counts(study.result(grouped, group).notna() if group else None)
    return pd.Series([known]), pd.Series([asked])


topic = Topic("hopes", lambda study: study, always, "share", base, FINDINGS, totals=False)


def shares(of: Hopes, by: pd.Series | None) -> pd.DataFrame | None:
    """Share that hopes for each service, in each group, with the p of the test that the groups differ (Holm).

    Of all together ``leads`` says which services do not clearly differ from the first.
    """
    parts: list[pd.DataFrame] = []
    of_all: dict[int, Estimate] = {}
    for names, rows in of.bundles(by):
        made = share(of.design, of.hoped[names], by=by, where=rows)
        answers = of.hoped.loc[rows, names].astype("Float64")
        if by is None:
            parts.append(counted(made, "hope", answers.sum()))
            of_all[len(of_all)] = made
            continue
        if len(names) == 1:  # the index names the groups alone
            index = pd.MultiIndex.from_product([names, made.value.index], names=["variable", by.name])
            made = replace(made, **{k: getattr(made, k).set_axis(index) for k in ("value", "df", "counts")})
        said = answers.groupby(by[rows].astype(str)).sum()
        met = [float(said.at[str(group), name]) for name, group in made.value.index]
        parts.append(counted(made, "hope", met, across=str(by.name)).assign(p=alike(made)))
    if not parts:
        return None
    cells = pd.concat(parts, ignore_index=True)
    if by is None:
        every = joint(of_all)
        cells["leads"] = leads(every)
        if len(cells) > 1:
            named = sums(every, pd.Index(cells["hope"]), np.eye(len(cells)))
            cells = cells.join(possible_ranks(named).astype(float), on="hope")
    else:
        first = cells.drop_duplicates("hope").set_index("hope")["p"]
        cells["p"] = cells["hope"].map(pd.Series(adjusted_p(first.to_numpy(float)), first.index))
    return cells


def alike(made: Estimate) -> np.ndarray:
    """For each row p of Wald's F test that all groups hope for its service alike, with the covariance of the groups.

    The groups were weighted to one register, so they are not independent. Degrees of freedom are those of the largest
    group: those of a group of ten would hide what all others show. nan where there is one group, or no error.
    """
    services, p = made.value.index.get_level_values(0), {}
    for service in services.unique():
        groups = part(made, service)
        try:
            p[service] = wald(differences(groups, groups.value.index[0]), df=float(groups.df.max())).p
        except WelfareError:
            p[service] = np.nan
    return services.map(p).to_numpy(float)


@topic.table("", "hope")
def hoped(study: Study, _: Study) -> pd.DataFrame | None:
    """Share that hopes for each service, of those asked."""
    return shares(hopes_of(study), None)


@topic.table("total", "hope", unit="persons",
             ready=lambda study: "shown" if study.population is not None else "no_totals")  # fmt: skip
def totals(study: Study, _: Study) -> pd.DataFrame | None:
    """Members who hope for each service: of all whom it was asked of, nonrespondents taken to be like respondents."""
    of, parts = hopes_of(study), []
    for names, rows in of.bundles(None):
        values = of.hoped[names].astype("Float64")
        asked = of.asked[names[0]].to_numpy()
        made = total(of.design, values, where=asked, missing="mean").as_positive()
        parts.append(counted(made, "hope", values[rows].sum(), "amount"))
    return pd.concat(parts, ignore_index=True) if parts else None


@topic.table("overview", "hope", "measure", "")
def overview(study: Study, _: Study) -> pd.DataFrame | None:
    """Members and share a service, from the most hoped for."""
    made = topic.release(study)
    if not len(made["hopes"].shown):
        return None
    parts = [beside(made["hopes"].frame, "share", "share")]
    if made["hopes_total"].state == "shown":
        parts.insert(0, beside(made["hopes_total"].frame, "people", "persons"))
    order = made["hopes"].frame.sort_values("estimate", ascending=False, na_position="last")["hope"]
    place = pd.Series(range(len(order)), order)
    return pd.concat(parts).assign(ranked=lambda x: x["hope"].map(place)).sort_values("ranked", kind="stable")


def offers(_: Study) -> str:
    """Whether it is known what this institution offered."""
    return "shown" if len(public("offered_2012")) else "hopes.offered_elsewhere"


@topic.table("offered", "hope|offered_2012", "measure", "", ready=offers, adds=None)
def offered(study: Study, _: Study) -> pd.DataFrame | None:
    """What the Foundation offered in 2012, beside the hope for it: share, possible ranks, the first year it is known.

    Rows from the most hoped for on. What is hidden has no rank either.
    """
    cells = topic.release(study)["hopes"].shown
    if "best_rank" not in cells:
        return None
    facts = public("offered_2012").set_index("hope")
    cells = cells.assign(offered_2012=cells["hope"].map(facts["offered_2012"])).dropna(subset="offered_2012")
    year = cells["hope"].map(facts["first_year"])
    known = cells.assign(estimate=year.fillna(0.0), unit="year", measure="first_year")
    known["text"] = pd.Series(None, cells.index, dtype=object).mask(year.isna(), "not_known")
    ranks = [
        cells.assign(estimate=cells[f"{end}_rank"], unit="number", measure=f"{end}_place") for end in ("best", "worst")
    ]
    numbers = pd.concat([*ranks, known]).drop(columns="step")
    rows = pd.concat([beside(cells, "share", "share"), exact(numbers, numbers["n"])], ignore_index=True)
    place = cells.set_index("hope")["estimate"].rank(ascending=False)
    return rows.assign(ranked=rows["hope"].map(place)).sort_values("ranked", kind="stable")


def grouped(study: Study, group: str) -> pd.Series | None:
    """A group of those who answered any; small ones merged, ranks of active staff. None where it was not asked."""
    if group not in study.frame:
        return None
    answered = hopes_of(study).hoped.notna().any(axis=1).to_numpy()
    if group == "rank_group":
        answered = answered & (study.frame["status"] == "active").to_numpy()
    column = merged(study.codebook, study.frame[group], answered, policy().min_base).where(answered, None)
    return None if column.isna().all() else column


def unequal(study: Study, group: str) -> list[tuple[pd.Series, pd.Series]]:
    """Highest and lowest group of each service whose groups differ, from the widest difference."""
    table = topic.release(study)[f"hopes_by_{group}"]
    both = [ends(table, service) for service in dict.fromkeys(table.frame.get("hope", ()))]
    return sorted((e for e in both if e is not None), key=lambda e: e[1]["estimate"] - e[0]["estimate"])


def differing(study: Study, group: str) -> str:
    """Whether groups differ in their hopes for any service."""
    state = topic.release(study)[f"hopes_by_{group}"].state
    return "hopes.none_unequal" if state == "shown" and not study.result(unequal, group) else state


for _group in GROUPS:

    @topic.table(f"by_{_group}", "hope", _group, base=partial(base, group=_group))
    def by_group(study: Study, _: Study, group: str = _group) -> pd.DataFrame | None:
        """Share that hopes for each service by group; p of the test that the groups hope for it alike."""
        column = study.result(grouped, group)
        cells = None if column is None else shares(hopes_of(study), column)
        if cells is None:
            return None
        # who has none of a hope may stand in a table of its question too: both are shown, or neither is
        unlike = np.zeros(len(cells), dtype=bool)
        for name, (question, none) in HOPES.items():
            for table in of_variable(study, question, group):
                unlike |= (cells["hope"] == name) & ~is_shown(table, cells[[group]].assign(code=none))
        if group == "sex" and (status := study.result(grouped, "status")) is not None:
            for name, own in topic.release(study)["hopes_by_status"].shown.groupby("hope"):
                few = leaves_few(column, status, hopes_of(study).hoped[name], set(own[CATEGORY]))
                unlike |= (cells["hope"] == name) & cells["sex"].isin(few)
        return cells.assign(lost=unlike)

    @topic.table(f"apart_by_{_group}", "hope|highest|lowest", "measure", "", partial(base, group=_group),
                 partial(differing, group=_group), adds=None)  # fmt: skip
    def apart(study: Study, _: Study, group: str = _group) -> pd.DataFrame:
        """Services that groups hope for unequally, from the widest difference, with the two groups furthest apart."""
        parts = []
        for high, low in study.result(unequal, group):
            names = {"highest": f"{group}:{high[CATEGORY]}", "lowest": f"{group}:{low[CATEGORY]}", "ranked": True}
            for measure, cell in (("highest", high), ("lowest", low)):
                parts.append(beside(cell.to_frame().T, measure, "share").assign(**names))
        return pd.concat(parts, ignore_index=True)


def ends(table: Released, service: str) -> tuple[pd.Series, pd.Series] | None:
    """The highest and the lowest group of a service; None where the groups do not differ."""
    own = table.shown[table.shown["hope"] == service]
    if len(own) < 2 or not (own["p"] < SURE).any():
        return None
    return own.loc[own["estimate"].idxmax()], own.loc[own["estimate"].idxmin()]


def paired(study: Study) -> dict[str, pd.DataFrame]:
    """Both sides of each pair that was asked."""
    sides = {name: pair.sides(study) for name, pair in PAIRS.items()}
    return {name: table for name, table in sides.items() if table is not None}


def pairs_asked(study: Study) -> str:
    """Whether any pair was asked."""
    return "shown" if study.result(paired) else "not_asked"


def pair_cells(study: Study) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cells of both sides of each pair, and of their differences (``clear`` after Holm)."""
    known = study.result(paired)
    of_ranking = {name: table for name, table in known.items() if PAIRS[name].of_ranking}
    of_hopes = {name: table for name, table in known.items() if name not in of_ranking}
    parts = [compared(study.design, of_hopes)] if of_hopes else []
    if of_ranking:  # who gets a ranking is drawn
        parts.append(compared(study.design.superpopulation(), of_ranking))
    sides, gaps = (pd.concat(part, ignore_index=True) for part in zip(*parts, strict=True))
    by_sex = topic.release(study)["hopes_by_sex"]  # women and men are its groups
    lost = [
        name
        for name in known
        if PAIRS[name].condition is is_woman and by_sex.state == "shown"
        and (by_sex.cells(PAIRS[name].outcome)["flag"] == "hidden").any()
    ]  # fmt: skip
    sides, gaps = (part.assign(unsafe=part["unsafe"] | part["hope_pair"].isin(lost)) for part in (sides, gaps))
    return sides, gaps.assign(clear=adjusted_p(gaps["p"].to_numpy(float)) < SURE).drop(columns="p")


def compared(design: Design, pairs: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both shares of each pair, and their difference with its p; where one side is hidden the other is too."""
    outcomes = pd.concat(dict(pairs), axis=1)
    outcomes.columns = pd.Index(["|".join(names) for names in outcomes])
    made = share(design, outcomes)
    gap = contrast(made, {n: {f"{n}|{SIDES[0]}": 1.0, f"{n}|{SIDES[1]}": -1.0} for n in pairs})
    cells = counted(made, "cell", outcomes.sum())
    cells[["hope_pair", "hope_side"]] = cells.pop("cell").str.split("|", expand=True).to_numpy()
    cells["unsafe"] = unsafe(cells["n"].to_numpy(), cells["numerator"].to_numpy(), policy())
    of_pair = cells.groupby("hope_pair", sort=False)
    cells["unsafe"] = of_pair["unsafe"].transform("any")
    unsure = (cells["flag"] == "unsure").groupby(cells["hope_pair"], sort=False).any().to_numpy()
    hidden, value, se = of_pair["unsafe"].any().to_numpy(), gap.value.to_numpy(), gap.se.to_numpy()
    known = np.isfinite(se) & (se > 0) & ~hidden
    t = np.divide(value, se, out=np.zeros(len(value)), where=known)
    line = gap.bounded().rename(columns={"contrast": "hope_pair"})
    p = np.where(known, 2 * special.stdtr(gap.df.to_numpy(), -np.abs(t)), np.nan)
    n = of_pair["n"].sum().to_numpy()
    return cells, line.assign(n=n, p=p, unsafe=hidden, flag=np.where(unsure, "unsure", ""))


def pair_base(study: Study) -> Base:
    """Who answered both questions of any pair: each has its own n, and nobody is missing."""
    known = np.any([table.notna().any(axis=1) for table in study.result(paired).values()], axis=0)
    return pd.Series(known), pd.Series(known)


@topic.table("pairs", "hope_pair", "hope_side", base=pair_base, ready=pairs_asked, adds=None)
def pair_sides(study: Study, _: Study) -> pd.DataFrame:
    """Share that hopes for a service, of those with the condition that would call for it and of the others."""
    return study.result(pair_cells)[0]


@topic.table("gaps", "hope_pair", "", "share_points", pair_base, pairs_asked, adds=None, statistic="mean")
def pair_gaps(study: Study, _: Study) -> pd.DataFrame:
    """Difference between those with the condition and the others."""
    return study.result(pair_cells)[1]


@topic.table("with_condition", "hope_pair", "measure", "", pair_base, pairs_asked, adds=None)
def pair_display(study: Study, _: Study) -> pd.DataFrame:
    """Both shares and their difference side by side."""
    made = topic.release(study)
    sides = made["hopes_pairs"]
    parts = [beside(sides.cells("*", side), side, "share") for side in SIDES]
    return pd.concat([*parts, beside(made["hopes_gaps"].frame, "difference", "share_points")], ignore_index=True)
