"""What members hope for, as tables that may be shown: hopes by group, what goes with them, and what comes first.

Hopes are asked of everybody and are counted in one pass a grouping, far quicker than a row of the plan for each of them
in each grouping; they are protected by the same rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
from scipy import stats

from ..estimation import Estimate, adjusted_p, contrast, share, total
from ..needs.aspirations import HOPES, hope
from ..study import DATA, Study
from .aspiration_pairs import PAIRS, SIDES, Known
from .plan import Released
from .priorities import RANKINGS, priority_ids, priority_tables
from .sampled import counted, merged, shown
from .suppression import Policy, completed

GROUPS = ("status", "rank_group", "command_group")
SURE = 0.05  # error of all tests of a table together
HOPED = {"hopes": "share", "hopes_total": "persons", **{f"hopes_by_{g}": "share" for g in GROUPS}}
IDS = (*HOPED, "hopes_pairs", "hopes_gaps", *(i for group in RANKINGS for i in priority_ids(group)))


@dataclass(frozen=True, eq=False)
class Hopes:
    """The hopes that were asked: who hopes (boolean, n x services, NA where unknown), and of whom each was asked."""

    study: Study
    hoped: pd.DataFrame
    asked: pd.DataFrame
    rules: Policy

    def told(self, among: np.ndarray | None = None) -> tuple[int, int]:
        """Respondents who answered any, and how many that would be of those asked at the mean rate of answers."""
        rows = np.ones(len(self.hoped), dtype=bool) if among is None else among
        n, given = self.hoped[rows].notna().any(axis=1).sum(), self.hoped[rows].notna().sum().sum()
        return int(n), round(n * self.asked[rows].sum().sum() / max(given, 1))

    def bundles(self, by: pd.Series | None) -> list[tuple[list[str], np.ndarray]]:
        """Services that one estimate takes together, and the rows that it speaks of.

        They were asked of the same persons, and somebody of every group there answered each; others go alone.
        """
        found: dict[bytes, tuple[list[str], np.ndarray]] = {}
        code = np.zeros(len(self.hoped), dtype=int) if by is None else pd.factorize(by)[0]
        for name in self.hoped:
            rows = self.asked[name].to_numpy() & (code >= 0)
            told = rows & self.hoped[name].notna().to_numpy()
            if not told.any():
                continue
            whole = len(np.unique(code[rows])) == len(np.unique(code[told]))
            rows = rows if whole else told
            found.setdefault(rows.tobytes(), ([], rows))[0].append(str(name))
        return list(found.values())


@cache
def aspiration_tables(study: Study) -> Mapping[str, Released]:
    """Tables ``hopes...``, and ``<ranking>_...`` of each of `RANKINGS`; those of which nothing can be told say why."""
    rules = Policy.read(DATA / "policy.csv")
    hopes = hopes_of(study, rules)
    tables = {name: Released(name, "share", "", (), unit) for name, unit in HOPED.items()}
    if hopes is not None:
        tables["hopes"] = _shown(hopes, "hopes", _shares(hopes, None), "")
        tables |= {f"hopes_by_{g}": _by(hopes, g) for g in GROUPS if g in study.frame}
        tables["hopes_total"] = _totals(hopes, tables["hopes_total"])
    tables |= _pairs(study, rules)
    for group in RANKINGS:
        tables |= priority_tables(study, group, rules)
    return tables


@cache
def hopes_of(study: Study, rules: Policy) -> Hopes | None:
    """The hopes of a study; None where none was asked."""
    frame, book = study.frame, study.codebook
    asked = {
        n: book.asked(q, frame, frame.index).fillna(False).astype(bool) for n, (q, _) in HOPES.items() if q in frame
    }
    hoped = {name: hope(name)(frame).where(asked[name]) for name in asked}
    return Hopes(study, pd.DataFrame(hoped), pd.DataFrame(asked), rules) if hoped else None


def _shares(hopes: Hopes, by: pd.Series | None) -> pd.DataFrame:
    """Share that hopes for each service, in each group: `sampled.counted`, and p of the test that groups differ."""
    parts = []
    for names, rows in hopes.bundles(by):
        found = share(hopes.study.design, hopes.hoped[names], by=by, where=rows)
        if by is None:
            parts.append(counted(found, "hope", hopes.hoped.loc[rows, names].sum().to_numpy(float), hopes.rules))
            continue
        if len(names) == 1:  # the index names the groups alone
            index = pd.MultiIndex.from_product([names, found.value.index], names=["variable", by.name])
            parts_ = {name: getattr(found, name).set_axis(index) for name in ("value", "df", "counts")}
            found = replace(found, **parts_)
        answers = hopes.hoped.loc[rows, names].astype("Float64").groupby(by[rows].astype(str)).sum()
        met = np.array([float(answers.at[str(group), name]) for name, group in found.value.index])
        parts.append(counted(found, "hope", met, hopes.rules).assign(p=_p(found, names)).astype({str(by.name): str}))
    return pd.concat(parts, ignore_index=True)


def _p(found: Estimate, names: list[str]) -> np.ndarray:
    r"""For each row p of the test that all groups hope for its service alike; nan where there is one group.

    Cochran's (1954) :math:`Q = \sum_g (\hat p_g - \bar p)^2 / v_g` with the mean that weighs by :math:`1/v_g`, groups
    being independent as in `briefs.differ`; F with k - 1 and the degrees of freedom of the largest group.
    """
    service = pd.Series(found.value.index.get_level_values(0))
    value, weight = (pd.Series(x.to_numpy(float)) for x in (found.value, found.se**-2.0))
    sums = pd.DataFrame({"w": weight, "wx": weight * value, "wxx": weight * value**2}).groupby(service).sum()
    k = service.value_counts()[names].to_numpy() - 1
    q = (sums["wxx"] - sums["wx"] ** 2 / sums["w"])[names].to_numpy()
    p = stats.f.sf(q / np.maximum(k, 1), np.maximum(k, 1), float(found.df.max()))
    return pd.Series(np.where(k > 0, p, np.nan), names)[service].to_numpy()


def _by(hopes: Hopes, group: str) -> Released:
    """Hopes by a group; ranks are those of active staff."""
    told = hopes.hoped.notna().any(axis=1).to_numpy()
    if group == "rank_group":
        told = told & (hopes.study.frame["status"] == "active").to_numpy()
    column = merged(hopes.study, group, told, hopes.rules).where(told, None)
    if column.isna().all():
        return Released(f"hopes_by_{group}", "share", "", (), "share")
    cells = _shares(hopes, column)
    cells["p"] = _together(cells)
    return _shown(hopes, f"hopes_by_{group}", cells, group, column.notna().to_numpy())


def _together(cells: pd.DataFrame) -> np.ndarray:
    """The p of each row after Holm's correction for all services of the table."""
    first = cells.drop_duplicates("hope").set_index("hope")["p"]
    return pd.Series(adjusted_p(first.to_numpy(float)), first.index)[cells["hope"]].to_numpy()


def _shown(hopes: Hopes, name: str, cells: pd.DataFrame, group: str, among: np.ndarray | None = None) -> Released:
    """A table of shares, protected: cells that fail, and of each service those that would give them away."""
    hidden = cells["unsafe"].to_numpy(bool).copy()
    if group and hidden.any():
        for _, own in cells.groupby("hope", sort=False):
            hidden[own.index] = completed(own.reset_index(drop=True), [group], hopes.rules, hidden[own.index])
    return shown(name, cells.assign(unsafe=hidden), ("hope", group), hopes.rules, hopes.told(among))


def _totals(hopes: Hopes, blank: Released) -> Released:
    """Members who hope for each service: of all whom it was asked of, those who did not answer taken as the others."""
    if hopes.study.population is None:
        return replace(blank, state="no_totals")
    parts = []
    for names, rows in hopes.bundles(None):
        values = hopes.hoped[names].astype("Float64")
        found = total(hopes.study.design, values, where=hopes.asked[names[0]].to_numpy(), missing="mean")
        met = values[rows].sum().to_numpy(float)
        parts.append(counted(found, "hope", met, hopes.rules, "amount"))
    return shown(blank.id, pd.concat(parts, ignore_index=True), ("hope", ""), hopes.rules, hopes.told(), "persons")


def _pairs(study: Study, rules: Policy) -> dict[str, Released]:
    """Shares with and without a condition, and their difference; a difference is ``clear`` after Holm's correction."""
    blanks = {name: Released(name, "share", "", (), "share") for name in ("hopes_pairs", "hopes_gaps")}
    known = {name: found for name, pair in PAIRS.items() if (found := pair.of(study)) is not None}
    parts = [_compared({n: k for n, k in known.items() if k.of_ranking == of}, rules) for of in (False, True)]
    sides, gaps = (pd.concat(part, ignore_index=True) for part in zip(*parts, strict=True))
    if not len(sides):
        return blanks
    gaps["clear"] = adjusted_p(gaps["p"].to_numpy(float)) < SURE
    told = (int(np.any([k.told for k in known.values()], axis=0).sum()),) * 2  # each pair has its own n
    return {
        "hopes_pairs": shown("hopes_pairs", sides, ("hope_pair", "hope_side"), rules, told),
        "hopes_gaps": shown("hopes_gaps", gaps.drop(columns="p"), ("hope_pair", ""), rules, told, "share_points"),
    }


def _compared(pairs: Mapping[str, Known], rules: Policy) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both shares of each pair, and their difference with its p; where one side is hidden the other is too."""
    columns = {f"{n}|{side}": hoped for n, k in pairs.items() for side, hoped in k.sides.items()}
    if not columns:
        return pd.DataFrame(), pd.DataFrame()
    outcomes = pd.DataFrame(columns)
    found = share(next(iter(pairs.values())).design, outcomes)
    names = list(dict.fromkeys(name.split("|")[0] for name in columns))
    gap = contrast(found, {n: {f"{n}|{SIDES[0]}": 1.0, f"{n}|{SIDES[1]}": -1.0} for n in names})
    cells = counted(found, "cell", outcomes.sum().to_numpy(float), rules)
    cells[["hope_pair", "hope_side"]] = cells.pop("cell").str.split("|", expand=True).to_numpy()
    by_pair = cells.groupby("hope_pair", sort=False)
    cells["unsafe"] = by_pair["unsafe"].transform("any")
    bad, unsure = by_pair["unsafe"].any()[names], (cells["flag"] == "unsure").groupby(cells["hope_pair"]).any()[names]
    told = np.isfinite(gap.se.to_numpy()) & (gap.se.to_numpy() > 0) & ~bad.to_numpy()
    t = np.divide(gap.value.to_numpy(), gap.se.to_numpy(), out=np.zeros(len(names)), where=told)
    p = np.where(told, 2 * stats.t.sf(np.abs(t), gap.df.to_numpy()), np.nan)
    line = gap.bounded().rename(columns={"contrast": "hope_pair"})
    n = by_pair["n"].sum()[names].to_numpy(float)
    flags = np.where(unsure.to_numpy(), "unsure", "")
    return cells, line.assign(n=n, p=p, unsafe=bad.to_numpy(), flag=flags)
