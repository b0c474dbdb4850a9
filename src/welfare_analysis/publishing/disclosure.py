"""What may be shown: every published table is a row of ``data/release.csv``, protected by the rules of a policy file.

The thresholds count respondents, never weights: base, numerator and complement. Where a single category of a group is
hidden its next smallest goes too, since shares add to one. Numbers of people are rounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..estimation import Estimate, mean, quantile, share, total
from ..needs import indicators
from ..study import DATA, Study

Release = Mapping[str, "Released"]
CONDITION = re.compile(r"^(\w+) (?:=|in) ([\w|]+)$")
SHOWN = ["estimate", "low", "high", "n"]


@dataclass(frozen=True)
class Policy:
    """Thresholds, in respondents, and the rounding base of numbers of people."""

    min_respondents: int
    min_base: int
    caution_base: int
    round_totals: int

    @classmethod
    def read(cls, path: Path) -> Policy:
        """Read a file with the columns rule and value."""
        rules = pd.read_csv(path).set_index("rule")["value"]
        return cls(**{name: int(rules[name]) for name in cls.__dataclass_fields__})


@dataclass(frozen=True, eq=False)
class Released:
    """A table that may be shown.

    ``frame`` is long: the group columns ``by``, ``category`` where shares add to one, estimate, low, high, n, a flag
    that is empty, ``caution`` or ``hidden`` (then all numbers are missing). ``state`` is ``shown``, ``not_asked`` or
    ``no_totals``.
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
        A statistic or condition in the plan that is not known.
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
        return _state(blank, "no_totals")
    if row["statistic"] == "count":
        return _count(study, blank, rules)
    condition = CONDITION.match(row["where"])
    if row["where"] and condition is None:
        raise WelfareError("a condition cannot be read", where=f"release.csv, {row['id']}", got=row["where"])
    needed = [name, *by, *([condition[1]] if condition else [])]
    if any(column not in frame for column in needed):
        return blank
    inside = frame[condition[1]].isin(condition[2].split("|")) if condition else pd.Series(True, frame.index)
    if not (inside & frame[name].notna()).any():
        return blank
    estimate = _estimate(study, frame, row, list(by), inside)
    table = cells(estimate.table(), _numerators(frame, row, list(by), inside), by, rules, row["unit"] == "persons")
    asked = inside & frame[list(by)].notna().all(axis=1)
    told = int((asked & frame[name].notna()).sum())
    return Released(
        row["id"], row["statistic"], name, by, row["unit"], table, told, 1 - told / int(asked.sum()), "shown"
    )


def _state(released: Released, state: str) -> Released:
    return Released(
        released.id,
        released.statistic,
        released.variable,
        released.by,
        released.unit,
        released.frame,
        0,
        float("nan"),
        state,
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


def cells(
    table: pd.DataFrame, numerators: pd.DataFrame | None, by: tuple[str, ...], rules: Policy, persons: bool = False
) -> pd.DataFrame:
    """A long table with what may not be shown taken out, and the flag that says so."""
    keys = [*by, *(["category"] if "category" in table else [])]
    out = table[[*keys, *SHOWN]].copy()
    flag = np.where(out["n"] < rules.caution_base, "caution", "")
    hidden = (out["n"] < rules.min_base).to_numpy()
    if numerators is not None:
        shared = [k for k in keys if k in numerators]
        counted = out.merge(numerators, on=shared, how="left") if shared else out.assign(**numerators.iloc[0])
        above = counted["numerator"].fillna(0).to_numpy(float)
        least = np.minimum(above, out["n"].to_numpy() - above)
        few = (least < rules.min_respondents) & ((least > 0) | (out["n"].to_numpy() < rules.caution_base))
        hidden = hidden | few
        if "category" in out:
            hidden = _second(out.assign(least=least), hidden, list(by))
    out["n"] = out["n"].astype(float)
    out.loc[hidden, SHOWN] = np.nan
    if persons:
        out[["estimate", "low", "high"]] = (
            out[["estimate", "low", "high"]] / rules.round_totals
        ).round() * rules.round_totals
    return out.assign(flag=np.where(hidden, "hidden", flag))


def _second(out: pd.DataFrame, hidden: np.ndarray, by: list[str]) -> np.ndarray:
    """Where one category of a group is hidden, its next smallest too."""
    groups = out.groupby(by, observed=True, sort=False).indices.values() if by else [np.arange(len(out))]
    result = hidden.copy()
    for rows in groups:
        if hidden[rows].sum() == 1 and len(rows) > 1:
            others = rows[~hidden[rows]]
            result[others[np.argmin(out["least"].to_numpy()[others])]] = True
    return result


def _count(study: Study, blank: Released, rules: Policy) -> Released:
    """Counts of the register, rounded; small groups are hidden."""
    if study.register is None or any(c not in study.register for c in blank.by):
        return blank
    counted = study.register.groupby(list(blank.by), observed=True, as_index=False).size()
    hidden = (counted["size"] < rules.min_base).to_numpy()
    shown = (counted["size"] / rules.round_totals).round() * rules.round_totals
    value = shown.mask(hidden)
    table = counted[list(blank.by)].assign(
        estimate=value, low=value, high=value, n=np.nan, flag=np.where(hidden, "hidden", "")
    )
    return Released(blank.id, blank.statistic, "", blank.by, blank.unit, table, len(study.register), 0.0, "shown")
