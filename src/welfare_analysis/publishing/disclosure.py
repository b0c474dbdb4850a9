"""What may be shown: each published table is a row of ``data/release.csv``, protected by the rules of a policy file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..estimation import Design, Estimate, mean, quantile, share, total
from ..needs import VARIED, computed, indicators, under
from ..study import DATA, Study
from .suppression import CATEGORY, Policy, apart, completed, dominated, one_sided, unsafe

Release = Mapping[str, "Released"]
CONDITION = re.compile(r"^(\w+) (?:=|in) ([\w|]+)$")
NUMBERS = ["estimate", "low", "high"]
STATISTICS = ("count", "share", "mean", "median", "total", "standards")


@dataclass(frozen=True, eq=False)
class Released:
    """A table that may be shown.

    ``frame`` is long: the group columns ``by``, ``category`` where shares add to one (``standard`` for the same
    condition under several standards), estimate, low, high, n, and a flag that is empty, ``caution`` or ``hidden``
    (then all numbers are missing). ``state`` is ``shown``, ``not_asked`` or ``no_totals``. ``respondents`` answered,
    ``missing_share`` of those asked did not.
    """

    id: str
    statistic: str
    variable: str
    by: tuple[str, ...]
    unit: str
    where: str = ""
    frame: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    respondents: int = 0
    missing_share: float = float("nan")
    state: str = "not_asked"

    @property
    def keys(self) -> list[str]:
        """Columns that name a cell."""
        return [k for k in (*self.by, CATEGORY, "standard") if k in self.frame]

    @property
    def shown(self) -> pd.DataFrame:
        """The cells with a number."""
        return self.frame.dropna(subset="estimate") if self.state == "shown" else pd.DataFrame(columns=NUMBERS)


def protect(study: Study, plan: Path = DATA / "release.csv", policy: Path = DATA / "policy.csv") -> Release:
    """Every table of the plan, protected.

    Raises
    ------
    WelfareError
        A statistic or condition in the plan that is not known.
    """
    rules = Policy.read(policy)
    frame = computed(indicators(study.frame))
    rows = pd.read_csv(plan, keep_default_na=False).to_dict("records")
    return {row["id"]: _release(study, frame, blank_of(row), rules) for row in rows}


def blank_of(row: Mapping[str, str]) -> Released:
    """A row of the plan as a table without numbers."""
    if row["statistic"] not in STATISTICS:
        raise WelfareError(
            "unknown statistic", where=f"release.csv, {row['id']}", got=row["statistic"], expected=", ".join(STATISTICS)
        )
    if row["where"] and not CONDITION.match(row["where"]):
        raise WelfareError("a condition cannot be read", where=f"release.csv, {row['id']}", got=row["where"])
    by = tuple(part for part in row["by"].split("|") if part)
    return Released(row["id"], row["statistic"], row["variables"], by, row["unit"], row["where"])


def _release(study: Study, frame: pd.DataFrame, blank: Released, rules: Policy) -> Released:
    if blank.statistic in ("count", "total") and study.population is None:
        return replace(blank, state="no_totals")
    if blank.statistic == "count":
        return _count(study, blank, rules)
    condition = CONDITION.match(blank.where)
    needed = [blank.variable, *blank.by, *([condition[1]] if condition else [])]
    if any(column not in frame for column in needed):
        return blank
    asked = inside(frame, blank.where) & frame[list(blank.by)].notna().all(axis=1)
    told = asked & frame[blank.variable].notna()
    if not told.any():
        return blank
    table = (_standards if blank.statistic == "standards" else _cells)(study, frame, blank, told, rules)
    n = int(told.sum())
    return replace(blank, frame=table, respondents=n, missing_share=1 - n / int(asked.sum()), state="shown")


def _cells(study: Study, frame: pd.DataFrame, blank: Released, told: pd.Series, rules: Policy) -> pd.DataFrame:
    """Estimates with what may not be shown taken out: groups first made coarser, then cells hidden."""
    table, hidden = _tested(study, frame, blank, told, rules)
    coarser = _coarser(study, frame, blank, table, hidden)
    if coarser is not None:
        frame = coarser
        table, hidden = _tested(study, frame, blank, told, rules)
    axes = [*blank.by, *([CATEGORY] if CATEGORY in table else [])]
    return _hide(table, axes, blank, rules, completed(table, axes, rules, hidden))


def _tested(
    study: Study, frame: pd.DataFrame, blank: Released, told: pd.Series, rules: Policy
) -> tuple[pd.DataFrame, np.ndarray]:
    """Estimates with their numerators, and the cells that fail by themselves."""
    values, by = frame[blank.variable], list(blank.by)
    table = estimate(study.design, frame, blank, told).table()
    axes = [*by, *([CATEGORY] if CATEGORY in table else [])]
    table["numerator"] = _numerators(table, values, frame.loc[told, by], axes)
    hidden = unsafe(table["n"].to_numpy(float), table["numerator"].to_numpy(float), rules)
    hidden = hidden | ~np.isfinite(table[NUMBERS]).all(axis=1).to_numpy()  # nothing tells how sure such a number is
    if blank.statistic in ("median", "mean", "total"):
        hidden = hidden | _few_decide(study, blank, table[by], frame.loc[told, [blank.variable, *by]], table, rules)
    return table, hidden


def _coarser(
    study: Study, frame: pd.DataFrame, blank: Released, table: pd.DataFrame, hidden: np.ndarray
) -> pd.DataFrame | None:
    """The frame with each group that is hidden whole put together with its siblings of the fixed hierarchy."""
    changed: dict[str, pd.Series] = {}
    for column in blank.by:
        parents = study.codebook.parent(column)
        lost = pd.Series(hidden).groupby(table[column].astype(str)).all()
        wide = {parents.get(code, "") for code in lost.index[lost]} - {""}
        merged = {code: parent for code, parent in parents.items() if parent in wide}
        if merged:
            changed[column] = frame[column].astype(object).replace(merged)
    return frame.assign(**changed) if changed else None


def inside(frame: pd.DataFrame, where: str) -> pd.Series:
    """Rows that a condition of the plan (``variable = code``, ``variable in a|b``) speaks of; all if it is empty."""
    condition = CONDITION.match(where)
    return frame[condition[1]].isin(condition[2].split("|")) if condition else pd.Series(True, frame.index)


def estimate(design: Design, frame: pd.DataFrame, table: Released, told: pd.Series | None = None) -> Estimate:
    """A table of the plan, not yet protected.

    ``told`` are the rows that answered. A total stands for the others of its condition too, and does not use it.
    """
    rows = inside(frame, table.where)
    of: dict[str, Callable[..., Estimate]] = {
        "share": share,
        "mean": mean,
        "median": partial(quantile, q=0.5),
        "total": partial(total, missing="mean"),
    }
    where = rows if told is None or table.statistic == "total" else told
    return of[table.statistic](design, frame[table.variable], by=[frame[c] for c in table.by] or None, where=where)


def _few_decide(
    study: Study, blank: Released, labels: pd.DataFrame, told: pd.DataFrame, table: pd.DataFrame, rules: Policy
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
        return dominated(values * study.design.weights[study.frame.index.get_indexer(told.index)], cell, rules)
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
    flag = np.where(hidden, "hidden", np.where(table["n"] < rules.caution_base, "caution", ""))
    out = table[[*axes, *NUMBERS, "n"]].astype(dict.fromkeys([*NUMBERS, "n"], float))
    out.loc[hidden, [*NUMBERS, "n"]] = np.nan
    if blank.unit == "persons":
        out[NUMBERS] = (out[NUMBERS] / rules.round_totals).round() * rules.round_totals
    return out.assign(flag=flag)


def _standards(study: Study, frame: pd.DataFrame, blank: Released, told: pd.Series, rules: Policy) -> pd.DataFrame:
    """The share that meets a condition under each of its standards, from the mildest on."""
    steps = standards(blank.variable)
    columns = under(frame, blank.variable, steps)
    told = told & columns.notna().all(axis=1)
    table = share(study.design, columns, where=told).table().assign(standard=steps)
    met = columns[told].astype(bool).sum().to_numpy()
    shown = apart(met, int(told.sum()), steps.index(VARIED[blank.variable].default), rules)
    hidden = ~shown | unsafe(table["n"].to_numpy(float), met.astype(float), rules)
    return _hide(table, ["standard"], blank, rules, hidden)


def standards(name: str, path: Path = DATA / "public" / "standards.csv") -> list[float]:
    """The values under which a condition is shown, in order."""
    known = pd.read_csv(path)
    return sorted(known.loc[known["indicator"] == name, "value"].astype(float))


def _count(study: Study, blank: Released, rules: Policy) -> Released:
    """Counts of the register, rounded; small cells are hidden, and those that would give them away."""
    by, counted = list(blank.by), study.margins.get("|".join(blank.by))
    if study.register is not None and set(by) <= set(study.register):
        counted = study.register.groupby(by, observed=True).size()
    if counted is None:
        return blank
    labels = pd.DataFrame(counted.index.to_list() if study.register is not None else list(counted.index.str.split("|")))
    n = counted.to_numpy(float)
    table = labels.set_axis(by, axis=1).assign(n=n, numerator=np.nan, **dict.fromkeys(NUMBERS, n))
    hidden = completed(table, blank.by, rules, table["n"].to_numpy() < rules.min_base)
    shown = _hide(table, by, blank, rules, hidden).assign(n=np.nan)
    shown["flag"] = shown["flag"].where(shown["flag"] == "hidden", "")
    return replace(blank, frame=shown, respondents=int(counted.sum()), missing_share=0.0, state="shown")
