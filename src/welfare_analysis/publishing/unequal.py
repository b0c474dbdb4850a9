"""How unequal the members are, who bears which condition, whether groups differ, and who is hard-pressed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown

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
from ..languages import GAP, between, number, span
from ..needs import computed, indicators
from ..study import DATA, Study
from .adjusted import Staff, staff
from .adjusted_briefs import CLEAR, p_value
from .modelled import absent, released, rows
from .plan import HEADLINES, Released
from .suppression import Policy
from .tables import UNSURE, label, markup, source, title

INCOME = "household_income_a_head_dh"
TAILS = (0.1, 0.9)
GROUPS = ("rank_group", "command_group")
AMOUNTS = (INCOME, "commute_min")  # whose ranks are compared
SURE = 0.05  # error of all tests of a table together
ALL = "all"
MODELS: dict[str, tuple[str, Callable, float]] = {
    "mean_burden": ("housing_cost_share", linear, 100),
    "median_burden": ("housing_cost_share", quantile_regression, 100),
    "hard_burden": ("housing_cost_share", partial(quantile_regression, q=0.9), 100),
    "way_cost": ("commute_cost_dh", two_part, 1),
}


def policy() -> Policy:
    """The rules of disclosure."""
    return Policy.read(DATA / "policy.csv")


def members(study: Study) -> pd.DataFrame:
    """The indicators, and the household's income a head and month."""
    frame = computed(indicators(study.frame))
    if {"household_income_dh", "household_size_n"} <= set(frame):
        people = frame["household_size_n"].astype("Float64")
        frame = frame.assign(**{INCOME: frame["household_income_dh"].astype("Float64") / people.where(people > 0)})
    return frame


def incomes(study: Study) -> Released:
    r"""Gini index, coefficient of variation and :math:`P_{90}/P_{10}` of the income a head, by status.

    A tail of a tenth is told where it holds ``min_respondents``.
    """
    frame, name, rules = members(study), "income_inequality", policy()
    if INCOME not in frame or not frame[INCOME].notna().any():
        return Released(name, "total", "inequality_measure", ("status",), "index")
    y, where = frame[INCOME], frame[INCOME] >= 0
    by = frame["status"].where(frame.groupby("status")[INCOME].transform("count") >= rules.min_base)
    if not (where & by.notna()).any():
        return Released(name, "total", "inequality_measure", ("status",), "index", state="too_few")
    known = {
        "level": mean(study.design, y, by, where),
        "square": variance(study.design, y, by, where),
        "gini": gini(study.design, y, by, where),
        **{f"p{100 * q:g}": quantile(study.design, y, q=q, by=by, where=where) for q in TAILS},
    }
    table = rows(joint(known).apply(_measures), "inequality_measure", "status")
    few = (table["inequality_measure"] == "p90_p10") & (TAILS[0] * table["n"] < rules.min_respondents)
    told = int((where & by.notna()).sum()), len(frame)
    return released(name, table.assign(unsafe=few), ("status", "inequality_measure"), rules, told, "index")


def _measures(v: pd.Series) -> pd.Series:
    return pd.concat(
        {"gini": v["gini"], "variation": np.sqrt(v["square"]) / v["level"], "p90_p10": v["p90"] / v["p10"]}
    )


def bearers(study: Study) -> Released:
    """Concentration of each headline by income a head: below zero where the poorer bear it, within -1 and 1.

    Erreygers' index is that of absolute differences, Wagstaff's sets them against what the mean leaves room for.
    """
    frame, name, parts, rules = members(study), "condition_concentration", [], policy()
    if INCOME not in frame or not frame[INCOME].notna().any():
        return Released(name, "total", "concentration_index", ("condition",), "index")
    for condition in (h for h in HEADLINES if h in frame):
        known = frame[condition].notna() & frame[INCOME].notna()
        met = frame.loc[known, condition].astype(bool).sum()
        if known.sum() < rules.min_base or min(met, known.sum() - met) < rules.min_respondents:
            continue
        for kind in ("erreygers", "wagstaff"):
            index = concentration(study.design, frame[condition], frame[INCOME], where=known, kind=kind)
            parts.append(rows(index, condition=condition, concentration_index=kind).drop(columns="flag"))
    if not parts:
        return Released(name, "total", "concentration_index", ("condition",), "index", state="too_few")
    told = int(frame[INCOME].notna().sum()), len(frame)
    table = pd.concat(parts, ignore_index=True)
    return released(name, table, ("condition", "concentration_index"), rules, told, "index")


def borne_by(table: Released, study: Study) -> Markdown:
    """Which conditions the poorer bear, and which the better off, where intervals say so."""
    book, language = study.codebook, study.language
    if table.state != "shown":
        return Markdown(book.text(table.state, language))
    cells = table.shown[table.shown["category"] == "erreygers"]
    sides = {"poorer": cells[cells["high"] < 0], "richer": cells[cells["low"] > 0]}
    sides["neither"] = cells[(cells["low"] <= 0) & (cells["high"] >= 0)]
    lines = []
    for side, part in sides.items():
        names = [
            f"{title(row['condition'], study)} ({number(row['estimate'], language, 3)}, "
            f"{between(row['low'], row['high'], 'index', language)})"
            for _, row in part.sort_values("estimate").iterrows()
        ]
        if names:
            lines.append(f"- **{book.text(f'unequal.{side}', language)}**: {'; '.join(names)}")
    return Markdown("\n".join(lines))


def tests(study: Study) -> HTML:
    """Whether groups differ at all: Rao and Scott's test of shares, that of mean ranks of amounts; Holm over all."""
    book, language, frame, rules = study.codebook, study.language, members(study), policy()
    found: dict[tuple[str, str], tuple[float, float, float, int]] = {}
    asked = [name for name in ("tenure", *HEADLINES[1:], *AMOUNTS) if name in frame and frame[name].notna().any()]
    for name in asked:
        for group in (g for g in GROUPS if g in frame):
            known = frame[name].notna() & frame[group].notna()
            sizes = frame.loc[known, group].value_counts()
            large = known & frame[group].isin(sizes.index[sizes >= rules.min_base])
            if frame.loc[large, group].nunique() < 2 or frame.loc[large, name].nunique() < 2:
                continue
            test: Callable = rank_test if name in AMOUNTS else independence
            told = test(study.design, frame[name], frame[group], where=large)
            found[name, group] = (abs(told.statistic), told.df, told.p, int(large.sum()))
    if not found:
        return absent(study, "not_asked")
    adjusted = dict(zip(found, adjusted_p(np.array([told[2] for told in found.values()])), strict=True))
    names, body = list(dict.fromkeys(name for name, _ in found)), []
    for name in names:
        line, n = [title(name, study)], max(told[3] for (own, _), told in found.items() if own == name)
        for group in GROUPS:
            statistic, df, *_ = found.get((name, group), (0.0, 0.0))
            fields = {"F": number(statistic, language, 1), "df": number(df, language, 1)}
            p = adjusted.get((name, group), np.nan)
            said = book.text("unequal.test", language, p=p_value(p, study), **fields) + CLEAR * bool(p < SURE)
            line.append(said if (name, group) in found else GAP)
        body.append([*line, number(n, language)])
    heads = [book.text(f"col.{h}", language) for h in ("condition", *GROUPS, "n")]
    foot = f"{book.text('unequal.note', language)} {book.text('own', language, source=source(study))}"
    return HTML(markup(title("unequal_tests", study), heads, body, foot))


def pressed(study: Study) -> HTML:
    """What home and way cost active staff, rank and place held equal: what is expected, and differences.

    The home's cost is a part of the income, of those who pay for it. The way's has two parts: whether it costs at all,
    and how much (`two_part`). A model that the answers do not tell is said to be so.
    """
    book, language, people = study.codebook, study.language, staff(study)
    own, outcomes = members(study), list(dict.fromkeys(outcome for outcome, *_ in MODELS.values()))
    if not set(outcomes) <= set(own) or not set(GROUPS) <= set(people.factors):
        return absent(study, "not_asked")
    data = own[outcomes].astype("Float64").astype(float).assign(**{g: people.frame[g] for g in GROUPS})
    known = people.inside & data.notna().all(axis=1).to_numpy() & (data["housing_cost_share"] > 0).to_numpy()
    sizes = {g: data.loc[known, g].value_counts() for g in GROUPS}
    if min(s.min() for s in sizes.values()) < people.rules.min_base:
        return absent(study, "too_few")
    effects = {name: _effects(people, data, known, *how) for name, how in MODELS.items()}
    body = [[book.text("unequal.all", language), *(_difference(e, ALL, language) for e in effects.values())]]
    body[0].append(number(known.sum(), language))
    for group in GROUPS:
        first, *others = people.factors[group]
        for code in others:
            names = {"level": label(study, group, code), "reference": label(study, group, first)}
            cells = [_difference(effect, f"{group}[{code}]", language) for effect in effects.values()]
            n = number(sizes[group][code], language)
            body.append([book.text("unequal.beside", language, **names), *cells, n])
    heads = [book.text(f"col.{h}", language) for h in ("group", *MODELS, "n")]
    foot = book.text("note.complete", language, n=number(known.sum(), language), source=source(study))
    return HTML(markup(title("costs_of_the_hard_pressed", study), heads, body, foot))


def _effects(
    people: Staff, data: pd.DataFrame, known: np.ndarray, y: str, model: Callable, unit: float
) -> pd.DataFrame:
    """What is expected of all and average marginal effects, with bounds, in the unit; empty where it cannot be told."""
    try:
        fit = model(people.design, data, f"{y} ~ {' + '.join(GROUPS)}", where=known)
    except WelfareError:
        return pd.DataFrame()
    parts = [predictions(fit), marginal_effects(fit, list(GROUPS))]
    told = pd.concat([e.interval().assign(value=e.value) for e in parts])
    return unit * told.set_axis([ALL, *parts[1].value.index])


def _difference(effect: pd.DataFrame, name: str, language: str) -> str:
    if name not in effect.index:
        return UNSURE
    low, high, value = effect.loc[name, ["low", "high", "value"]]
    return f"{number(value, language, 1)} ({span(low, high, language, 1)})"
