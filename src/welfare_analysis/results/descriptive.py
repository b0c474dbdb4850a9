"""Tables of ``data/release.csv``: a row names a table of shares, means, medians, totals or counts by group."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from ..disclosure import CATEGORY, NUMBERS, Lazy, Policy, Released, declared, marks, policy, protect
from ..disclosure.suppression import apart, dominated, one_sided, unsafe
from ..errors import WelfareError
from ..estimation import Design, Estimate, mean, quantile, share, total
from ..needs import VARIED, WITHOUT, computed, indicators, under
from ..needs.factors import with_siblings
from ..study import DATA, Study
from ..survey.weighting import weight_bands
from .declare import GROUPS, PLACE, is_shown, lone_groups

HEADLINES = ("tenant", "crowded", "cost_burdened", "over_debt_limit", "commute_long")
CONDITION = re.compile(r"^(\w+) (?:=|in) ([\w|]+)$")
HOUSEHOLD = "household_share"  # a total of it is a number of households
STATISTICS = ("count", "share", "mean", "median", "total", "standards")
ANSWERED = "answered"  # a column: who gave the answer that a table is of
OWN = "own"  # what a table of a reader's own is called
PLAN = DATA / "release.csv"
IDENTITIES = DATA / "identities.csv"  # conditions that are one category of another variable


@dataclass(frozen=True, eq=False)
class View:
    """Rows that tables of the plan speak of, and their design: the answers, or the collection itself."""

    frame: pd.DataFrame
    design: Design


def descriptive(study: Study, plan: Path = PLAN) -> Lazy:
    """Every table of the plan, protected, made when it is asked for.

    Raises
    ------
    WelfareError
        A statistic or condition in the plan that is not known.
    """
    blanks = [blank_of(row) for row in pd.read_csv(plan, keep_default_na=False).to_dict("records")]
    same = pd.read_csv(IDENTITIES, dtype=str).set_index("condition")[["variable", "code"]]
    makers: dict[str, Callable[[], Released]] = {}
    for blank in blanks:
        makers[blank.id] = partial(released, study, blank)
        if blank.variable in same.index and blank.statistic == "share":
            variable, code = same.loc[blank.variable]
            key = (variable, blank.by, blank.where, "share")
            for whole in (b for b in blanks if (b.variable, b.by, b.where, b.statistic) == key):
                makers[blank.id] = partial(_narrowed, study, blank, whole, code)
    return Lazy(makers)


def _narrowed(study: Study, blank: Released, whole: Released, code: str) -> Released:
    """A condition that is one category of another table: the very cells of that table, so that both are hidden."""
    table = released(study, whole)
    known = table.state != "shown" or (table.frame[CATEGORY].astype(str) == code).any()
    return table.narrowed(blank, code) if known else released(study, blank)


def of_variable(study: Study, variable: str, group: str) -> list[Released]:
    """Tables of the plan with the shares of a variable by a group, of all who answered; none if it was not asked."""
    if study.lacking((variable, group)):
        return []
    rows, plan = pd.read_csv(PLAN, keep_default_na=False), study.result(descriptive)
    own = rows[(rows["statistic"] == "share") & (rows["variables"] == variable) & (rows["by"] == group)]
    answers = study.frame[study.frame[variable].notna()]
    return [plan[row.id] for row in own.itertuples() if inside(answers, row.where).all()]


def blank_of(row: Mapping[str, str]) -> Released:
    """A row of the plan as a table without numbers."""
    where = f"release.csv, {row['id']}"
    if row["statistic"] not in STATISTICS:
        raise WelfareError("unknown statistic", where=where, got=row["statistic"], expected=", ".join(STATISTICS))
    if row["where"] and not CONDITION.match(row["where"]):
        raise WelfareError("a condition cannot be read", where=where, got=row["where"])
    by = tuple(part for part in row["by"].split("|") if part)
    return declared(row["id"], row["statistic"], row["variables"], by, row["unit"], row["where"], row.get("of", ""))


def own(study: Study, statistic: str, variable: str, by: str = "", unit: str = "share", where: str = "") -> Released:
    """A table of one's own in the form of the plan: protected like the others, and no part of the report.

    ``by`` are groups parted by ``|``; ``where`` is a condition as in the plan.
    """
    row = {"id": OWN, "statistic": statistic, "variables": variable, "by": by, "where": where, "unit": unit}
    return released(study, blank_of(row))


def inside(frame: pd.DataFrame, where: str) -> pd.Series:
    """Rows that a condition of the plan (``variable = code``, ``variable in a|b``) speaks of; all if it is empty.

    Of a question that was not asked no row is known to meet it.
    """
    condition = CONDITION.match(where)
    if condition is None or condition[1] not in frame:
        return pd.Series(condition is None, frame.index)
    return frame[condition[1]].isin(condition[2].split("|"))


def estimate(design: Design, frame: pd.DataFrame, table: Released, answered: pd.Series | None = None) -> Estimate:
    """A table of the plan, not yet protected.

    ``answered`` are the rows with an answer. A total stands for the others of its condition too, and does not use it.
    """
    rows = inside(frame, table.where)
    of: dict[str, Callable[..., Estimate]] = {
        "share": share,
        "mean": mean,
        "median": partial(quantile, q=0.5),
        "total": partial(total, missing="mean"),
    }
    where = rows if answered is None or table.statistic == "total" else answered
    values = frame[table.variable]
    if table.unit == "households" and table.variable != HOUSEHOLD:
        values = (values.astype("Float64") * frame[HOUSEHOLD]).rename(values.name)
    return of[table.statistic](design, values, by=[frame[c] for c in table.by] or None, where=where)


def standards(name: str, path: Path = DATA / "public" / "standards.csv") -> list[float]:
    """The values under which a condition is shown, in order."""
    known = pd.read_csv(path)
    return sorted(known.loc[known["indicator"] == name, "value"].astype(float))


def view(study: Study, of: str) -> View | None:
    """The rows that a table speaks of; None where there is no register."""
    if of == "":
        return View(computed(indicators(study.frame)), study.design)
    if of == "weights":
        bands = weight_bands(study.design)
        return View(bands, Design(np.ones(len(bands)), fpc=np.full(len(bands), float(len(bands)))))
    collected = study.collection
    if collected is None:
        return None
    views = {"collection": (collected.frame, collected.design), "register": (collected.register, collected.census)}
    return View(*views[of]) if of in views else None


def released(study: Study, blank: Released) -> Released:
    """A table of the plan, protected; its state says why it cannot be made."""
    rows = study.result(view, blank.of)
    if rows is None or (blank.statistic in ("count", "total") and study.population is None):
        return blank.without_numbers("no_totals")
    if blank.statistic == "count":
        return _count(study, rows, blank)
    condition = CONDITION.match(blank.where)
    needed = [blank.variable, *blank.by, *([condition[1]] if condition else [])]
    needed += [HOUSEHOLD] if blank.unit == "households" else []
    if any(column not in rows.frame for column in needed):
        return blank
    return _protected(study, rows, blank)


def _base_shown(study: Study, rows: View, blank: Released, cells: pd.DataFrame) -> np.ndarray:
    """Cells whose base may be said: how many of a group gave an answer is a cell of the table of that answer."""
    condition = CONDITION.match(blank.where)
    if not blank.by or condition is None or condition[1] in GROUPS:
        return np.ones(len(cells), dtype=bool)
    met = inside(rows.frame, blank.where).astype("boolean").where(rows.frame[condition[1]].notna())
    known = View(rows.frame.assign(**{ANSWERED: met}), rows.design)
    of = [declared(blank.id, "share", name, blank.by, "share") for name in (ANSWERED, condition[1])]
    tables, groups = [_protected(study, known, one) for one in of], cells[list(blank.by)]
    codes = condition[2].split("|")
    shown = [is_shown(tables[1], groups.assign(code=code)) for code in codes]
    return is_shown(tables[0], groups) & np.all(shown, axis=0)


def too_few(met: pd.Series, by: pd.Series) -> pd.Index:
    """Codes of a group of whom too few meet a condition, or too few do not; all of them answered."""
    sizes = met.groupby(by, observed=True).agg(["size", "sum"]).astype(float)
    return sizes.index[unsafe(sizes["size"].to_numpy(), sizes["sum"].to_numpy(), policy())]


def leaves_few(by: pd.Series, inner: pd.Series, met: pd.Series, shown: Collection[str]) -> set[str]:
    """Codes of a group that leave too few when those of another group that lie in them, and are shown, are taken off.

    All widows are women: women less widows are other women, and who is one the register tells. ``by``, ``inner`` and
    ``met`` (NA without an answer) are of all respondents; ``shown`` are codes of ``inner``.
    """
    known = met.notna() & by.notna()
    within = by[known].groupby(inner[known], observed=True).nunique().eq(1)
    taken = known & inner.isin(set(within.index[within]) & set(shown))
    rest = known & ~taken
    return set(too_few(met[rest].astype(float), by[rest].astype(str))) & set(by[taken].astype(str))


def _undone(study: Study, rows: View, blank: Released, cells: pd.DataFrame, answered: pd.Series) -> np.ndarray:
    """Cells of a table by sex that the table by status undoes (`leaves_few`)."""
    gone = np.zeros(len(cells), dtype=bool)
    if (blank.statistic, blank.by, blank.of) != ("share", ("sex",), "") or "status" not in rows.frame:
        return gone
    shown, of = _protected(study, rows, replace(blank, by=("status",))).shown, rows.frame[answered]
    for code in cells[CATEGORY].unique() if CATEGORY in cells else [""]:
        met = of[blank.variable].astype(str).eq(code) if code else of[blank.variable]
        statuses = shown.loc[shown[CATEGORY].eq(code), "status"] if code else shown["status"]
        few = leaves_few(of["sex"], of["status"], met, set(statuses))
        gone |= cells["sex"].isin(few).to_numpy() & (cells[CATEGORY].eq(code).to_numpy() if code else True)
    return gone


def _protected(study: Study, rows: View, blank: Released) -> Released:
    """A table of rows that have all its columns."""
    frame = rows.frame
    asked = inside(frame, blank.where) & frame[list(blank.by)].notna().all(axis=1)
    answered = asked & frame[blank.variable].notna()
    if not answered.any():
        return blank.without_numbers(WITHOUT.get(blank.variable, blank.state))
    make = _standards if blank.statistic == "standards" else partial(_coarsened, study)
    cells = make(rows, blank, answered)
    cells = cells.assign(told=_base_shown(study, rows, blank, cells), lost=_undone(study, rows, blank, cells, answered))
    groups = [] if blank.of == "weights" else blank.by  # the same people are in every stage of weighting
    axes = [*groups, *([CATEGORY] if CATEGORY in cells else [])]
    beside = _not_known(rows, blank) if blank.statistic == "share" else None
    counts, late = (int(answered.sum()), int(asked.sum())), study.followed_up(answered) if blank.of == "" else 0
    return protect(blank, cells, counts, adds=axes, unseen=beside, followed_up=late)


def _not_known(rows: View, blank: Released) -> pd.DataFrame | None:
    """Those whose group is not known, as cells: all less the groups, whose sum is shown in another table."""
    frame = rows.frame
    there = inside(frame, blank.where) & frame[blank.variable].notna()
    if len(blank.by) != 1 or not (lacking := there & frame[blank.by[0]].isna()).any():
        return None
    weights = pd.Series(rows.design.weights, frame.index)[lacking]
    values = frame.loc[lacking, blank.variable]
    codes = values.astype(bool).map({True: "met", False: ""}) if values.dtype.kind == "b" else values.astype(str)
    table = pd.DataFrame({CATEGORY: codes, "weight": weights}).groupby(CATEGORY)["weight"].agg(["size", "sum"])
    cells = pd.DataFrame({"numerator": table["size"].astype(float), "estimate": table["sum"] / weights.sum()})
    cells = cells.assign(n=float(len(values)), weight=weights.mean(), **{blank.by[0]: "?"}).reset_index()
    return cells[cells[CATEGORY] == "met"].drop(columns=CATEGORY) if values.dtype.kind == "b" else cells


def _coarsened(study: Study, rows: View, blank: Released, answered: pd.Series) -> pd.DataFrame:
    """Cells of a table, each group of which none may be shown first put together with its siblings of the codebook.

    So is a group of commands that is one command.
    """
    cells, changed = _cells(rows, blank, answered), {}
    hidden = cells["unsafe"] | unsafe(cells["n"].to_numpy(float), cells["numerator"].to_numpy(float), policy())
    for column in blank.by:
        lost = hidden.groupby(cells[column].astype(str)).all()
        small = [*lost.index[lost], *(study.result(lone_groups) if column == PLACE else [])]
        groups = with_siblings(study.codebook, rows.frame[column], small)
        if not groups.equals(rows.frame[column].astype(object)):
            changed[column] = groups
    return _cells(View(rows.frame.assign(**changed), rows.design), blank, answered) if changed else cells


def _cells(rows: View, blank: Released, answered: pd.Series) -> pd.DataFrame:
    """Estimates with their numerators, and which are unsafe whatever these are."""
    frame, by = rows.frame, list(blank.by)
    made = estimate(rows.design, frame, blank, answered)
    table = made.table().assign(flag=marks(made, "share" if blank.statistic == "share" else "amount"))
    axes = [*by, *([CATEGORY] if CATEGORY in table else [])]
    table["numerator"] = _numerators(table, frame[blank.variable], frame.loc[answered, by], axes)
    ruled = ~np.isfinite(table[NUMBERS]).all(axis=1).to_numpy()  # nothing tells how sure such a number is
    if blank.statistic in ("median", "mean", "total"):
        ruled = ruled | _few_decide(rows, blank, table[by], frame.loc[answered, [blank.variable, *by]], table, policy())
    kept = [*axes, *NUMBERS, "n", "flag", "numerator"]
    if blank.statistic == "share":
        table["weight"] = table["n_weighted"] / table["n"]
        kept.append("weight")
    return table[kept].assign(unsafe=ruled)


def _few_decide(
    view: View, blank: Released, labels: pd.DataFrame, answers: pd.DataFrame, table: pd.DataFrame, rules: Policy
) -> np.ndarray:
    """Cells whose median has few answers on a side, or whose sum of money few persons make."""
    values = answers[blank.variable].to_numpy(float)
    cell = np.zeros(len(answers), dtype=np.int64)
    if blank.by:
        names = pd.MultiIndex.from_frame(labels.astype(str))
        cell = names.get_indexer(pd.MultiIndex.from_frame(answers[list(blank.by)].astype(str)))
    if blank.statistic == "median":
        return one_sided(values, cell, table["estimate"].to_numpy(), rules)
    if blank.unit.endswith("dh"):
        return dominated(values * view.design.weights[view.frame.index.get_indexer(answers.index)], cell, rules)
    return np.zeros(len(table), dtype=bool)


def _numerators(table: pd.DataFrame, values: pd.Series, groups: pd.DataFrame, axes: list[str]) -> np.ndarray:
    """Respondents in each cell's category, or who meet its condition; nan where the statistic has no numerator."""
    given = values.loc[groups.index]
    if CATEGORY in table:
        counted = groups.assign(**{CATEGORY: given}).astype(str).value_counts()
    elif pd.api.types.is_bool_dtype(given.dtype):
        met = groups[given.astype(bool).to_numpy()].astype(str)
        counted = met.value_counts() if axes else pd.Series([len(met)])
    else:
        return np.full(len(table), np.nan)
    if not axes:
        return np.asarray(counted, dtype=float)
    return counted.reindex(pd.MultiIndex.from_frame(table[axes].astype(str)), fill_value=0).to_numpy(float)


def _standards(rows: View, blank: Released, answered: pd.Series) -> pd.DataFrame:
    """The share that meets a condition under each of its standards, from the mildest on."""
    steps = standards(blank.variable)
    columns = under(rows.frame, blank.variable, steps)
    answered = answered & columns.notna().all(axis=1)
    made = share(rows.design, columns, where=answered)
    met = columns[answered].astype(bool).sum().to_numpy()
    shown = apart(met, int(answered.sum()), steps.index(VARIED[blank.variable].default), policy())
    table = made.table()[[*NUMBERS, "n"]]
    return table.assign(standard=steps, flag=marks(made, "share"), numerator=met.astype(float), unsafe=~shown)


def _count(study: Study, rows: View, blank: Released) -> Released:
    """Counts of the register, rounded; small cells are hidden, and those that would give them away."""
    by, counted = list(blank.by), study.margins.get("|".join(blank.by))
    people = rows.frame if blank.of else study.register
    if people is not None and PLACE in by and (lone := study.result(lone_groups)):
        people = people.assign(**{PLACE: with_siblings(study.codebook, people[PLACE], lone)})
    if people is not None and set(by) <= set(people):
        counted = people.groupby(by, observed=True).size()
    if counted is None:
        return blank
    labels = pd.DataFrame(counted.index.to_list() if people is not None else list(counted.index.str.split("|")))
    n = counted.to_numpy(float)
    cells = labels.set_axis(by, axis=1).assign(n=n, **dict.fromkeys(NUMBERS, n))
    return protect(blank, cells, (int(counted.sum()), int(counted.sum())), adds=by)
