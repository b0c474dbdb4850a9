"""Tables of what goes with conditions, everything else equal, as they may be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from ..estimation import Estimate, joint, share
from ..study import Study
from .adjusted import (
    FACTORS,
    NO_FACTORS,
    PLACE,
    TENURE,
    TENURE_BY,
    Model,
    Staff,
    all_effects,
    compared,
    effects,
    models,
    staff,
    tenure_model,
)
from .modelled import released, rows
from .plan import NUMBERS, Released
from .suppression import CATEGORY, completed

RAW, ADJUSTED = "raw", "adjusted"
POINTS = "share_points"
IDS = ("place", "spread", "kept", *FACTORS, *(f"{TENURE}_by_{factor}" for factor in TENURE_BY))
Table = tuple[pd.DataFrame, tuple[str, ...], str]  # the rows, their keys, the column across


@cache
def adjusted_tables(study: Study) -> Mapping[str, Released]:
    """All tables of the section, by name; those of which nothing can be told say why."""
    people, state = staff(study), _state(models(study))
    made: dict[str, Table] = {}
    if state == "shown":
        found = all_effects(study)
        made = {
            f: (found[found["factor"] == f].rename(columns={"level": f}), (f,), "condition") for f in people.factors
        }
        if PLACE in people.factors:
            made |= dict(zip(("place", "spread", "kept"), _places(study), strict=True))
    tenure = tenure_model(study)
    for factor in TENURE_BY if tenure.state == "shown" else ():
        if factor in people.factors:
            made[f"{TENURE}_by_{factor}"] = (_tenure(people, tenure, factor), (factor,), TENURE)
    fits = [model.fit for model in (*models(study).values(), tenure)]
    told = [max((fit.n_rows for fit in some if fit is not None), default=0) for some in (fits[:-1], fits[-1:])]
    tables = {}
    for name in IDS:
        key, of_tenure = f"adjusted_{name}", name.startswith(TENURE)
        known = tenure.state if of_tenure else state
        if name in made:
            tables[key] = _shown(key, *made[name], people, told[of_tenure])
        else:
            why = NO_FACTORS if known == "shown" else known
            tables[key] = Released(key, "share", "", (), POINTS, state=why)
    return tables


def _state(found: Mapping[str, Model]) -> str:
    """``shown`` where there is a model of a condition; else why there is none of what was asked."""
    states = [model.state for model in found.values()]
    return next((s for s in ("shown", *states) if s in states and s != "not_asked"), "not_asked")


def _shown(key: str, frame: pd.DataFrame, by: tuple[str, ...], across: str, people: Staff, n: int) -> Released:
    """A table, protected; what is too unsure has no number."""
    frame = frame.rename(columns={"hidden": "unsafe"})
    kept = [c for c in (*by, across, *NUMBERS, "n", "unsafe", "flag", "clear") if c in frame]
    unsure = frame["unsure"].to_numpy(bool)
    flags = frame["flag"] if "flag" in frame else pd.Series("", frame.index)
    frame = frame.assign(flag=flags.mask(unsure, "unsure"))[list(dict.fromkeys([*kept, "flag"]))]
    frame.loc[unsure, NUMBERS] = np.nan
    told = n, int(people.active.sum())
    table = released(key, frame.reset_index(drop=True), (by, across), people.rules, told, "share")
    difference = key not in ("adjusted_place", "adjusted_kept")
    return replace(table, unit=POINTS, statistic="difference") if difference else table


def _places(study: Study) -> tuple[Table, Table, Table]:
    """Shares by place, raw and adjusted; how far they are apart; and how much of that stays."""
    people, shares, spreads = staff(study), [], []
    for name, model in models(study).items():
        if model.fit is None or model.margins is None:
            continue
        raw = share(people.design, people.frame[name], by=people.frame[PLACE], where=model.fit.rows)
        levels = model.levels.loc[PLACE].rename_axis(PLACE).reset_index()
        cells = levels.rename(columns={"met": "numerator"})
        levels["hidden"] = completed(cells, [PLACE], people.rules, levels["hidden"].to_numpy(bool))
        adjusted = rows(model.margins, PLACE, adjustment=ADJUSTED, condition=name)
        adjusted = adjusted[adjusted[PLACE].str.startswith(f"{PLACE}[")]
        adjusted[PLACE] = adjusted[PLACE].str.removeprefix(f"{PLACE}[").str.removesuffix("]")
        both = pd.concat([rows(raw, "condition", PLACE, adjustment=RAW), adjusted])
        shares.append(both.drop(columns="n").merge(levels[[PLACE, "n", "hidden", "unsure"]], on=PLACE))
        flag = "caution" if levels[["hidden", "unsure"]].any(axis=None) else ""
        of_all = {"condition": name, "n": int(levels["n"].sum()), "hidden": False, "unsure": False, "flag": flag}
        spreads.append(_spread(raw, model.margins).bounded().assign(**of_all))
    apart = pd.concat(spreads, ignore_index=True)
    kept = apart["variable"] == "kept"
    apart["low"] = apart["low"].where(kept, apart["low"].clip(lower=0.0))  # a distance is not negative
    distances = apart[~kept].rename(columns={"variable": "adjustment"})
    return (
        (pd.concat(shares, ignore_index=True), (PLACE, "adjustment"), "condition"),
        (distances, ("condition",), "adjustment"),
        (apart[kept], ("condition",), ""),
    )


def _spread(raw: Estimate, margin: Estimate) -> Estimate:
    r"""How far places are apart, raw and adjusted, and the part of the raw differences that stays.

    With deviations r and a from the mean of all places, each counted once: :math:`\sqrt{\overline{r^2}}`,
    :math:`\sqrt{\overline{a^2}}` and the slope :math:`\sum a r / \sum r^2`.
    """
    places = [str(place) for place in raw.value.index]
    both = joint({RAW: raw, ADJUSTED: margin})
    names = [(RAW, p) for p in places], [(ADJUSTED, f"{PLACE}[{p}]") for p in places]
    at = [both.value.index.get_indexer(pd.MultiIndex.from_tuples(n)) for n in names]

    def apart(values: pd.Series) -> pd.Series:
        r, a = (values.to_numpy()[i] - values.to_numpy()[i].mean() for i in at)
        return pd.Series({RAW: np.sqrt((r**2).mean()), ADJUSTED: np.sqrt((a**2).mean()), "kept": a @ r / (r @ r)})

    return both.apply(apart)


def _tenure(people: Staff, model: Model, factor: str) -> pd.DataFrame:
    """Effects of a factor on each category of tenure; of a level no category is hidden alone, for they add up."""
    parts = []
    for category in model.levels.index.unique(2):
        cells = compared(people, model.levels.xs(category, level=2), [factor])
        parts.append(cells.assign(**{TENURE: category, CATEGORY: category, factor: cells["level"]}))
    cells = pd.concat(parts, ignore_index=True).rename(columns={"met": "numerator"})
    for _, own in cells.groupby("level", sort=False):
        cells.loc[own.index, "hidden"] = completed(
            own.reset_index(drop=True), [CATEGORY], people.rules, own["hidden"].to_numpy(bool)
        )
    cells["unsure"] &= ~cells["hidden"]
    found = cells if model.margins is None else effects(model.margins, cells, TENURE)
    return found.drop(columns=CATEGORY)
