"""What may be shown: every published table is a row of ``data/release.csv``, protected by the rules of a policy file.

The thresholds count respondents, never weights: base, numerator and complement, and both sides of a median. Shares add
to one over categories, and over groups to a margin that another table may show; so what is hidden along either must be
at least two cells with enough respondents between them, else their difference to the margin would tell it. No two
respondents may make up most of a mean of money. Numbers of people are rounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..estimation import Estimate, mean, quantile, share, total
from ..needs import INDICATORS, indicators
from ..study import DATA, Study

Release = Mapping[str, "Released"]
CONDITION = re.compile(r"^(\w+) (?:=|in) ([\w|]+)$")
SHOWN = ["estimate", "low", "high", "n"]
MADE = {"rank_group", "command_group", "age_group", "tenant", *(item.name for item in INDICATORS)}


@dataclass(frozen=True)
class Policy:
    """Thresholds, in respondents; the (k, p %) rule of dominance; the rounding base of numbers of people."""

    min_respondents: int
    min_base: int
    caution_base: int
    round_totals: int
    dominance_respondents: int
    dominance_percent: int

    @classmethod
    def read(cls, path: Path) -> Policy:
        """Read a file with the columns rule and value."""
        rules = pd.read_csv(path).set_index("rule")["value"]
        return cls(**{name: int(rules[name]) for name in cls.__dataclass_fields__})


@dataclass(frozen=True, eq=False)
class Released:
    """A table that may be shown.

    ``frame`` is long: the group columns ``by``, ``category`` where shares add to one, estimate, low, high, n, a flag
    that is empty, ``caution`` or ``hidden`` (then all numbers are missing). ``respondents`` are those behind the cells
    that are shown. ``state`` is ``shown``, ``not_asked`` or ``no_totals``.
    """

    id: str
    statistic: str
    variable: str
    by: tuple[str, ...]
    unit: str
    frame: pd.DataFrame
    respondents: int
    missing_share: float
    state: str = "shown"


def protect(study: Study, plan: Path = DATA / "release.csv", policy: Path = DATA / "policy.csv") -> Release:
    """Every table of the plan, protected.

    Raises
    ------
    WelfareError
        A statistic, column, code or condition in the plan that is not known.
    """
    rules = Policy.read(policy)
    frame = indicators(study.frame)
    if "tenure" in frame:
        frame = frame.assign(tenant=(frame["tenure"] == "tenant").astype("boolean").mask(frame["tenure"].isna()))
    rows = pd.read_csv(plan, keep_default_na=False).to_dict("records")
    return {row["id"]: _release(study, frame, row, rules) for row in rows}


def _release(study: Study, frame: pd.DataFrame, row: dict[str, str], rules: Policy) -> Released:
    by = tuple(part for part in row["by"].split("|") if part)
    name = row["variables"]
    blank = Released(row["id"], row["statistic"], name, by, row["unit"], pd.DataFrame(), 0, float("nan"), "not_asked")
    if row["statistic"] in ("count", "total") and study.register is None:
        return replace(blank, state="no_totals")
    condition = CONDITION.match(row["where"])
    if row["where"] and condition is None:
        raise WelfareError("a condition cannot be read", where=f"release.csv, {row['id']}", got=row["where"])
    needed = [*([name] if name else []), *by, *([condition[1]] if condition else [])]
    _known(study, row["id"], needed, condition)
    if row["statistic"] == "count":
        return _count(study, blank, rules)
    if any(column not in frame for column in needed):
        return blank
    inside = frame[condition[1]].isin(condition[2].split("|")) if condition else pd.Series(True, frame.index)
    asked = inside & frame[list(by)].notna().all(axis=1)
    told = asked & frame[name].notna()
    if not told.any():
        return blank
    # a group in which nobody answered has no share or mean; a total lets those who answered stand for the others
    estimate = _estimate(study, frame, row, list(by), asked if row["statistic"] == "total" else told).table()
    barred = _barred(study, frame[told], row, list(by), estimate, rules)
    table = cells(estimate, _numerators(frame, row, list(by), told), by, rules, row["unit"] == "persons", barred)
    behind = table.groupby(list(by), observed=True)["n"].max().sum() if by else table["n"].max()
    return replace(
        blank,
        frame=table,
        respondents=int(np.nan_to_num(behind)),
        missing_share=1 - int(told.sum()) / int(asked.sum()),
        state="shown",
    )


def _known(study: Study, table: str, columns: list[str], condition: re.Match[str] | None) -> None:
    """Raise if a column or code of the plan is nowhere in the codebook: a slip, not a question that was not asked."""
    variables = study.codebook.variables
    for column in columns:
        if column not in variables.index and column not in MADE:
            raise WelfareError(
                "an unknown column", where=f"release.csv, {table}", got=column, expected="a variable or an indicator"
            )
    if condition and condition[1] in variables.index and variables.loc[condition[1], "list"]:
        codes = study.codebook.codes(str(variables.loc[condition[1], "list"]))
        if not set(condition[2].split("|")) <= set(codes):
            raise WelfareError(
                "an unknown code", where=f"release.csv, {table}", got=condition[2], expected=" or ".join(codes)
            )


def _estimate(study: Study, frame: pd.DataFrame, row: dict[str, str], by: list[str], inside: pd.Series) -> Estimate:
    groups = [frame[c] for c in by] or None
    values = frame[row["variables"]]
    if row["statistic"] == "share":
        return share(study.design, values, by=groups, where=inside)
    if row["statistic"] == "mean":
        return mean(study.design, values, by=groups, where=inside)
    if row["statistic"] == "median":
        return quantile(study.design, values, 0.5, by=groups, where=inside)
    if row["statistic"] == "total":
        return total(study.design, values, by=groups, where=inside, missing="mean")
    raise WelfareError("unknown statistic", where=f"release.csv, {row['id']}", got=row["statistic"])


def _numerators(frame: pd.DataFrame, row: dict[str, str], by: list[str], inside: pd.Series) -> pd.DataFrame | None:
    """Respondents of each category and group, for shares and totals of conditions."""
    values = frame[row["variables"]]
    if row["statistic"] not in ("share", "total"):
        return None
    part = frame.loc[inside & values.notna(), by].astype(object)
    if isinstance(values.dtype, pd.CategoricalDtype):
        part = part.assign(category=values.astype(object))
        return part.groupby([*by, "category"], as_index=False).size().rename(columns={"size": "numerator"})
    part = part.assign(numerator=values.astype("Float64"))
    if not by:
        return pd.DataFrame({"numerator": [part["numerator"].sum()]})
    return part.groupby(by, as_index=False)["numerator"].sum()


def _barred(
    study: Study, told: pd.DataFrame, row: dict[str, str], by: list[str], table: pd.DataFrame, rules: Policy
) -> np.ndarray | None:
    """Cells of amounts that few respondents decide: a side of a median, or most of a mean of money."""
    if row["statistic"] not in ("median", "mean") or (row["statistic"] == "mean" and row["unit"] != "dh"):
        return None
    values = told[row["variables"]].astype(float)
    groups = told[by].astype(object) if by else pd.DataFrame({"all": 0}, index=told.index)
    keys = table[by].astype(object) if by else pd.DataFrame({"all": [0]})
    if row["statistic"] == "median":
        level = groups.merge(keys.assign(level=table["estimate"]), how="left")["level"].to_numpy()
        sides = groups.assign(below=values.to_numpy() <= level, above=values.to_numpy() >= level)
        fewest = sides.groupby(list(groups), as_index=False).sum()
        fewest = keys.merge(fewest, how="left")[["below", "above"]].min(axis=1)
        return ~(fewest >= rules.min_respondents).to_numpy()
    weights = study.design.weights[study.frame.index.get_indexer(told.index)]
    given = groups.assign(given=weights * values.abs().to_numpy()).sort_values("given", ascending=False)
    parts = given.groupby(list(groups), sort=False)["given"]
    top = given[parts.cumcount() < rules.dominance_respondents].groupby(list(groups))["given"].sum()
    part = keys.merge((top / parts.sum()).rename("part").reset_index(), how="left")["part"]
    return (part > rules.dominance_percent / 100).to_numpy()


def cells(
    table: pd.DataFrame,
    numerators: pd.DataFrame | None,
    by: tuple[str, ...],
    rules: Policy,
    persons: bool = False,
    barred: np.ndarray | None = None,
) -> pd.DataFrame:
    """A long table with what may not be shown taken out, and the flag that says so.

    Parameters
    ----------
    table : DataFrame
        Of an estimate: the columns ``by``, category where there are some, estimate, low, high, n.
    numerators : DataFrame or None
        Respondents counted in each cell of a share or total (column ``numerator``); None for other statistics.
    by : tuple of str
        Group columns.
    rules : Policy
        Thresholds.
    persons : bool
        Whether the estimates are numbers of people, to be rounded.
    barred : array of bool, optional
        Cells that may not be shown for another reason.

    Raises
    ------
    WelfareError
        Respondents that are counted in no cell of the table.
    """
    keys = [*by, *(["category"] if "category" in table else [])]
    out = table[[*keys, *SHOWN]].copy()
    base = out["n"].to_numpy(float)
    hidden = (base < rules.min_base) | (False if barred is None else barred)
    if numerators is not None:
        above = _counted(out, numerators, keys)
        least = np.minimum(above, base - above)
        hidden |= (least < rules.min_respondents) & ((least > 0) | (base < rules.caution_base))
        hidden = covered(out[keys], hidden, least, rules.min_respondents)
    out["n"] = base
    if persons:
        rounded = (out[SHOWN[:3]] / rules.round_totals).round() * rules.round_totals
        out[SHOWN[:3]] = rounded.clip(lower=0)
    out.loc[hidden, SHOWN] = np.nan
    return out.assign(flag=np.where(hidden, "hidden", np.where(base < rules.caution_base, "caution", "")))


def _counted(out: pd.DataFrame, numerators: pd.DataFrame, keys: list[str]) -> np.ndarray:
    """The numerator of each cell, zero where nobody is; no respondent may be lost on the way."""
    if keys:
        joined = out[keys].astype(object).merge(numerators.astype(dict.fromkeys(keys, object)), on=keys, how="left")
        above = joined["numerator"].fillna(0).to_numpy(float)
    else:
        above = numerators["numerator"].to_numpy(float)
    if above.sum() != numerators["numerator"].sum():
        raise WelfareError("respondents are counted in no cell", where=", ".join(keys), expected="the table's groups")
    return above


def covered(keys: pd.DataFrame, hidden: np.ndarray, counts: np.ndarray, least: int) -> np.ndarray:
    """Hide more until no hidden cell is told by its margin.

    Along each key, with the others fixed, the cells add to a margin that is taken as known. The hidden ones must be two
    or more with ``least`` respondents between them; the smallest that has any goes next. Each round hides a cell more,
    so it ends.
    """
    lines = []
    for key in keys:
        others = [k for k in keys if k != key]
        lines += list(keys.groupby(others, observed=True).indices.values()) if others else [np.arange(len(keys))]
    result, before = hidden.copy(), -1
    size = np.where(counts > 0, counts, np.inf)
    while result.sum() > before:
        before = result.sum()
        for line in lines:
            gone = result[line]
            if gone.any() and not gone.all() and (gone.sum() < 2 or counts[line[gone]].sum() < least):
                rest = line[~gone]
                result[rest[np.argmin(size[rest])]] = True
    return result


def _count(study: Study, blank: Released, rules: Policy) -> Released:
    """Counts of the register, rounded; small groups are hidden."""
    if study.register is None or any(c not in study.register for c in blank.by):
        return blank
    counted = study.register.groupby(list(blank.by), observed=True, as_index=False).size()
    size = counted["size"].to_numpy(float)
    hidden = covered(counted[list(blank.by)], size < rules.min_base, size, rules.min_respondents)
    value = ((counted["size"] / rules.round_totals).round() * rules.round_totals).mask(hidden)
    table = counted[list(blank.by)].assign(
        estimate=value, low=value, high=value, n=np.nan, flag=np.where(hidden, "hidden", "")
    )
    return replace(blank, frame=table, respondents=len(study.register), missing_share=0.0, state="shown")
