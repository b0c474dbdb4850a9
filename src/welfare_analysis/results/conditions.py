"""Inequality, who bears which condition, tests of groups, and the upper tail of costs (page 04)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ..disclosure import NUMBERS, policy
from ..errors import WelfareError
from ..estimation import (
    adjusted_p,
    concentration,
    gini,
    independence,
    joint,
    linear,
    marginal_effects,
    mean,
    predictions,
    quantile,
    quantile_regression,
    rank_test,
    two_part,
    variance,
)
from ..needs import computed, indicators
from ..study import Study
from . import adjusted
from .declare import Base, Topic, always, long_format, melted
from .descriptive import HEADLINES

INCOME = "household_income_a_head_dh"
TAILS = (0.1, 0.9)
GROUPS = ("rank_group", "command_group")
AMOUNTS = (INCOME, "commute_min")  # whose ranks are compared
TEST_UNITS = {"F": "tenths", "df": "tenths", "p": "p"}
MODELS: dict[str, tuple[str, Callable[..., Any], str]] = {
    "mean_burden": ("housing_cost_share", linear, "share_points"),
    "median_burden": ("housing_cost_share", quantile_regression, "share_points"),
    "hard_burden": ("housing_cost_share", partial(quantile_regression, q=0.9), "share_points"),
    "way_cost": ("commute_cost_dh", two_part, "dh_month"),
}
FINDINGS = ("", (*HEADLINES, "borne"))


def members(study: Study) -> pd.DataFrame:
    """The indicators, and the household's income a head and month."""
    frame = computed(indicators(study.frame))
    if {"household_income_dh", "household_size_n"} <= set(frame):
        people = frame["household_size_n"].astype("Float64")
        frame = frame.assign(**{INCOME: frame["household_income_dh"].astype("Float64") / people.where(people > 0)})
    return frame


def with_income(frame: pd.DataFrame) -> str:
    """Whether income a head is known of anybody."""
    return "shown" if INCOME in frame and frame[INCOME].notna().any() else "not_asked"


def income_base(frame: pd.DataFrame) -> Base:
    """Whose income a head is known, of all."""
    return frame[INCOME].notna(), pd.Series(True, frame.index)


def large_statuses(frame: pd.DataFrame) -> pd.Series:
    """The status of those who have an income a head, where enough of the status have."""
    size = frame.groupby("status")[INCOME].transform("count")
    return frame["status"].where((size >= policy().min_base) & (frame[INCOME] >= 0))


def with_statuses(frame: pd.DataFrame) -> str:
    """Whether a status has enough incomes to be described."""
    state = with_income(frame)
    return "too_few" if state == "shown" and large_statuses(frame).isna().all() else state


income = Topic("income", members, with_statuses, "index", lambda f: (large_statuses(f).notna(), f.index == f.index),
               totals=False)  # fmt: skip
topic = Topic("condition", members, with_income, "index", income_base, FINDINGS, totals=False)


@income.table("inequality", "status", "inequality_measure", adds=None)
def inequality(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    r"""Gini index, coefficient of variation and :math:`P_{90}/P_{10}` of the income a head, by status.

    The numerator of the last are the respondents in a tail.
    """
    y, by = frame[INCOME], large_statuses(frame)
    where = by.notna()
    known = {
        "level": mean(study.design, y, by, where),
        "square": variance(study.design, y, by, where),
        "gini": gini(study.design, y, by, where),
        **{f"p{100 * q:g}": quantile(study.design, y, q=q, by=by, where=where) for q in TAILS},
    }
    rows = long_format(joint(known).apply(_measures), "inequality_measure", "status")
    return rows.assign(numerator=(TAILS[0] * rows["n"]).where(rows["inequality_measure"] == "p90_p10"))


def _measures(v: pd.Series) -> pd.Series:
    return pd.concat(
        {"gini": v["gini"], "variation": np.sqrt(v["square"]) / v["level"], "p90_p10": v["p90"] / v["p10"]}
    )


@topic.table("concentration", "condition", "concentration_index", adds=None)
def concentrations(study: Study, frame: pd.DataFrame) -> pd.DataFrame | None:
    """Concentration of each headline by income a head: below zero where the poorer bear it, within -1 and 1.

    Erreygers' index is that of absolute differences, Wagstaff's sets them against what the mean leaves room for.
    """
    parts, rules = [], policy()
    for condition in (name for name in HEADLINES if name in frame):
        known = frame[condition].notna() & frame[INCOME].notna()
        met = float(frame.loc[known, condition].astype(bool).sum())
        if known.sum() < rules.min_base or min(met, known.sum() - met) < rules.min_respondents:
            continue  # nothing to be estimated of a condition that nobody or everybody has
        indices = {
            kind: concentration(study.design, frame[condition], frame[INCOME], where=known, kind=kind)
            for kind in ("erreygers", "wagstaff")
        }
        rows = long_format(indices, "concentration_index", "").drop(columns="flag")
        parts.append(rows.assign(condition=condition, numerator=met))
    return pd.concat(parts, ignore_index=True) if parts else None


@topic.table("tests", "condition|adjusted_factor", "measure", adds=None, ready=always,
             base=lambda f: (f["status"].notna(), f["status"].notna()))  # fmt: skip
def group_tests(study: Study, frame: pd.DataFrame) -> pd.DataFrame | None:
    """Whether groups differ at all: Rao and Scott's test of shares, that of mean ranks of amounts; Holm over all."""
    lines: list[dict[str, Any]] = []
    for name in (n for n in ("tenure", *HEADLINES[1:], *AMOUNTS) if n in frame):
        for group in (g for g in GROUPS if g in frame):
            known = frame[name].notna() & frame[group].notna()
            sizes = frame.loc[known, group].value_counts()
            large = known & frame[group].isin(sizes.index[sizes >= policy().min_base])
            if frame.loc[large, group].nunique() < 2 or frame.loc[large, name].nunique() < 2:
                continue
            own = frame.loc[large, name]
            met = float(own.sum()) if name in HEADLINES else np.nan
            of = rank_test if name in AMOUNTS else independence
            test = of(study.design, frame[name], frame[group], where=large)
            values = {"F": abs(test.statistic), "df": test.df, "p": test.p, "n": large.sum(), "numerator": met}
            lines.append({"condition": name, "adjusted_factor": group} | values)
    if not lines:
        return None
    table = pd.DataFrame(lines)
    table["p"] = adjusted_p(table["p"].to_numpy())
    rows = melted(table, ["condition", "adjusted_factor"], TEST_UNITS)
    clear = (rows["measure"] == "p") & (rows["estimate"] < adjusted.SURE)
    return rows.assign(clear=clear, ranked=True)  # tenure and amounts are no conditions of the codebook's list


def payers(study: Study) -> tuple[pd.DataFrame, np.ndarray] | None:
    """Costs and groups of active staff, and who pays for the home and is in the models; None where not asked."""
    people, own = adjusted.models(study).staff, study.result(members)
    outcomes = list(dict.fromkeys(outcome for outcome, *_ in MODELS.values()))
    if not set(outcomes) <= set(own) or not set(GROUPS) <= set(people.factors):
        return None
    data = own[outcomes].astype("Float64").astype(float).assign(**{g: people.frame[g] for g in GROUPS})
    return data, people.inside & data.notna().all(axis=1).to_numpy() & (data["housing_cost_share"] > 0).to_numpy()


tail = Topic("upper", payers, lambda s: "shown" if _smallest(s) >= policy().min_base else "too_few", "",
             lambda s: (pd.Series(s[1]), pd.Series(s[1])), totals=False)  # fmt: skip


def _smallest(subject: tuple[pd.DataFrame, np.ndarray]) -> int:
    data, known = subject
    return int(min(data.loc[known, group].value_counts().min() for group in GROUPS))


@tail.table("costs", "level|reference", "measure", adds=None)
def upper_costs(study: Study, subject: tuple[pd.DataFrame, np.ndarray]) -> pd.DataFrame:
    """What home and commute cost active staff, rank and place held equal: expected of all, and differences.

    The home's cost is a part of the income, of those who pay for it. The commute's has two parts: whether it costs at
    all, and how much (`two_part`). Numbers of a model that cannot be fitted are unsure.
    """
    (data, known), people = subject, adjusted.models(study).staff
    rows = [("all", "hope_group:all", "", float(known.sum()))]
    for group in GROUPS:
        first, *others = people.factors[group]
        size = data.loc[known, group].value_counts()
        rows += [(f"{group}[{c}]", f"{group}:{c}", f"{group}:{first}", float(size[c])) for c in others]
    lines = pd.DataFrame(rows, columns=["at", "level", "reference", "n"]).set_index("at")
    parts = []
    for name, (outcome, model, unit) in MODELS.items():
        try:
            fit = model(people.design, data, f"{outcome} ~ {' + '.join(GROUPS)}", where=known)
            made = [predictions(fit), marginal_effects(fit, list(GROUPS))]
            numbers = pd.concat([e.interval().assign(estimate=e.value) for e in made])
            numbers = numbers.set_axis(["all", *made[1].value.index]).reindex(lines.index)
        except WelfareError:
            numbers = pd.DataFrame(np.nan, lines.index, NUMBERS)
        flag = np.where(numbers["estimate"].isna(), "unsure", "")
        parts.append(lines.join(numbers).assign(measure=name, unit=unit, flag=flag))
    return pd.concat(parts, ignore_index=True)
