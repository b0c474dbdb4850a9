"""What may be shown: each published table is a row of ``data/release.csv``, protected by the rules of a policy file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from ..estimation import Design, share
from ..needs import VARIED, computed, indicators, under
from ..study import DATA, Study
from ..survey.codebook import Codebook
from ..survey.weighting import weight_bands
from .collection import bias
from .marks import marks
from .plan import CONDITION, HOUSEHOLD, NUMBERS, Lazy, Released, blank_of, estimate, inside, standards
from .suppression import CATEGORY, Policy, apart, completed, dominated, one_sided, unsafe


@dataclass(frozen=True, eq=False)
class View:
    """Rows that tables of the plan speak of, and their design: the answers, or the collection itself."""

    frame: pd.DataFrame
    design: Design


def protect(study: Study, plan: Path = DATA / "release.csv", policy: Path = DATA / "policy.csv") -> Lazy:
    """Every table of the plan, protected when it is asked for.

    Raises
    ------
    WelfareError
        A statistic or condition in the plan that is not known.
    """
    rules = Policy.read(policy)
    blanks = map(blank_of, pd.read_csv(plan, keep_default_na=False).to_dict("records"))
    released = Lazy({blank.id: partial(_release, study, blank, rules) for blank in blanks})
    released.makers["nonresponse_bias"] = partial(bias, released, study)
    return released


@cache
def _view(study: Study, of: str) -> View | None:
    """The rows that a table speaks of; None where there is no register."""
    if of == "":
        return View(computed(indicators(study.frame)), study.design)
    if of == "weights":
        bands = weight_bands(study.design)
        return View(bands, Design(np.ones(len(bands)), fpc=np.full(len(bands), float(len(bands)))))
    if study.collection is None:
        return None
    collected = study.collection
    views = {
        "collection": View(collected.frame, collected.design),
        "register": View(collected.register, collected.census),
    }
    return views.get(of)


def _release(study: Study, blank: Released, rules: Policy) -> Released:
    view = _view(study, blank.of)
    if view is None or (blank.statistic in ("count", "total") and study.population is None):
        return replace(blank, state="no_totals")
    if blank.statistic == "count":
        return _count(study, view, blank, rules)
    frame = view.frame
    condition = CONDITION.match(blank.where)
    needed = [blank.variable, *blank.by, *([condition[1]] if condition else [])]
    needed += [HOUSEHOLD] if blank.unit == "households" else []
    if any(column not in frame for column in needed):
        return blank
    asked = inside(frame, blank.where) & frame[list(blank.by)].notna().all(axis=1)
    told = asked & frame[blank.variable].notna()
    if not told.any():
        return blank
    table = (_standards if blank.statistic == "standards" else _cells)(study.codebook, view, blank, told, rules)
    n = int(told.sum())
    if blank.of == "register":  # how many a group has is not told; nobody of it is left out
        table = table.assign(n=np.nan)
    return replace(blank, frame=table, respondents=n, missing_share=1 - n / int(asked.sum()), state="shown")


def _cells(book: Codebook, view: View, blank: Released, told: pd.Series, rules: Policy) -> pd.DataFrame:
    """Estimates with what may not be shown taken out: groups first made coarser, then cells hidden."""
    table, hidden = _tested(view, blank, told, rules)
    coarser = _coarser(book, view.frame, blank, table, hidden)
    if coarser is not None:
        table, hidden = _tested(replace(view, frame=coarser), blank, told, rules)
    axes = [*blank.by, *([CATEGORY] if CATEGORY in table else [])]
    return _hide(table, axes, blank, rules, completed(table, axes, rules, hidden))


def _tested(view: View, blank: Released, told: pd.Series, rules: Policy) -> tuple[pd.DataFrame, np.ndarray]:
    """Estimates with their numerators, and the cells that fail by themselves."""
    frame = view.frame
    values, by = frame[blank.variable], list(blank.by)
    found = estimate(view.design, frame, blank, told)
    table = found.table().assign(flag=marks(found, "share" if blank.statistic == "share" else "amount"))
    axes = [*by, *([CATEGORY] if CATEGORY in table else [])]
    table["numerator"] = _numerators(table, values, frame.loc[told, by], axes)
    hidden = unsafe(table["n"].to_numpy(float), table["numerator"].to_numpy(float), rules)
    hidden = hidden | ~np.isfinite(table[NUMBERS]).all(axis=1).to_numpy()  # nothing tells how sure such a number is
    if blank.statistic in ("median", "mean", "total"):
        hidden = hidden | _few_decide(view, blank, table[by], frame.loc[told, [blank.variable, *by]], table, rules)
    return table, hidden


def _coarser(
    book: Codebook, frame: pd.DataFrame, blank: Released, table: pd.DataFrame, hidden: np.ndarray
) -> pd.DataFrame | None:
    """The frame with each group that is hidden whole put together with its siblings of the fixed hierarchy."""
    changed: dict[str, pd.Series] = {}
    for column in blank.by:
        parents = book.parent(column)
        lost = pd.Series(hidden).groupby(table[column].astype(str)).all()
        wide = {parents.get(code, "") for code in lost.index[lost]} - {""}
        merged = {code: parent for code, parent in parents.items() if parent in wide}
        if merged:
            changed[column] = frame[column].astype(object).replace(merged)
    return frame.assign(**changed) if changed else None


def _few_decide(
    view: View, blank: Released, labels: pd.DataFrame, told: pd.DataFrame, table: pd.DataFrame, rules: Policy
) -> np.ndarray:
    """Cells whose median has few answers on a side, or whose sum of money few persons make."""
    values = told[blank.variable].to_numpy(float)
    cell = np.zeros(len(told), dtype=np.int64)
    if blank.by:
        names = pd.MultiIndex.from_frame(labels.astype(str))
        cell = names.get_indexer(pd.MultiIndex.from_frame(told[list(blank.by)].astype(str)))
    if blank.statistic == "median":
        return one_sided(values, cell, table["estimate"].to_numpy(), rules)
    if blank.unit.endswith("dh"):
        return dominated(values * view.design.weights[view.frame.index.get_indexer(told.index)], cell, rules)
    return np.zeros(len(table), dtype=bool)


def _numerators(table: pd.DataFrame, values: pd.Series, groups: pd.DataFrame, axes: list[str]) -> np.ndarray:
    """Respondents in each cell's category, or who meet its condition; nan where the statistic has no numerator."""
    told = values.loc[groups.index]
    if CATEGORY in table:
        counted = groups.assign(**{CATEGORY: told}).astype(str).value_counts()
    elif pd.api.types.is_bool_dtype(told.dtype):
        met = groups[told.astype(bool).to_numpy()].astype(str)
        counted = met.value_counts() if axes else pd.Series([len(met)])
    else:
        return np.full(len(table), np.nan)
    if not axes:
        return np.asarray(counted, dtype=float)
    return counted.reindex(pd.MultiIndex.from_frame(table[axes].astype(str)), fill_value=0).to_numpy(float)


def _hide(table: pd.DataFrame, axes: list[str], blank: Released, rules: Policy, hidden: np.ndarray) -> pd.DataFrame:
    """A table with what may not be shown, and what is too unsure to be, taken out of it."""
    flag = table["flag"].mask((table["flag"] == "") & (table["n"] < rules.caution_base), "caution")
    out = table[[*axes, *NUMBERS, "n"]].astype(dict.fromkeys([*NUMBERS, "n"], float))
    out.loc[flag == "unsure", NUMBERS] = np.nan
    out.loc[hidden, [*NUMBERS, "n"]] = np.nan
    if blank.unit in ("persons", "households"):
        out[NUMBERS] = (out[NUMBERS] / rules.round_totals).round() * rules.round_totals
    return out.assign(flag=flag.mask(hidden, "hidden"))


def _standards(_: Codebook, view: View, blank: Released, told: pd.Series, rules: Policy) -> pd.DataFrame:
    """The share that meets a condition under each of its standards, from the mildest on."""
    steps = standards(blank.variable)
    columns = under(view.frame, blank.variable, steps)
    told = told & columns.notna().all(axis=1)
    found = share(view.design, columns, where=told)
    table = found.table().assign(standard=steps, flag=marks(found, "share"))
    met = columns[told].astype(bool).sum().to_numpy()
    shown = apart(met, int(told.sum()), steps.index(VARIED[blank.variable].default), rules)
    hidden = ~shown | unsafe(table["n"].to_numpy(float), met.astype(float), rules)
    return _hide(table, ["standard"], blank, rules, hidden)


def _count(study: Study, view: View, blank: Released, rules: Policy) -> Released:
    """Counts of the register, rounded; small cells are hidden, and those that would give them away."""
    by, counted = list(blank.by), study.margins.get("|".join(blank.by))
    people = view.frame if blank.of else study.register
    if people is not None and set(by) <= set(people):
        counted = people.groupby(by, observed=True).size()
    if counted is None:
        return blank
    labels = pd.DataFrame(counted.index.to_list() if people is not None else list(counted.index.str.split("|")))
    n = counted.to_numpy(float)
    table = labels.set_axis(by, axis=1).assign(n=n, numerator=np.nan, flag="", **dict.fromkeys(NUMBERS, n))
    hidden = completed(table, blank.by, rules, table["n"].to_numpy() < rules.min_base)
    shown = _hide(table, by, blank, rules, hidden).assign(n=np.nan)
    shown["flag"] = shown["flag"].where(shown["flag"] == "hidden", "")
    return replace(blank, frame=shown, respondents=int(counted.sum()), missing_share=0.0, state="shown")
