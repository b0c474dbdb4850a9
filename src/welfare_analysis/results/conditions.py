"""Poverty, inequality, who bears which condition, tests of groups, and the upper tail of costs (page 04).

Incomes are those of the household for each of its consumption units, on the modified OECD scale: 1 for the first
person, 0.5 for each other and 0.3 for a child (Hagenaars, de Vos and Zaidi 1994). The scale's children are under 14;
the form asks for dependants under 12, so those of 12 and 13 count as grown up. The poverty line is that of Eurostat
(Laeken indicators): 60 % of the median, here of all members who answered and not of the country.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from .. import estimation as es
from ..disclosure import NUMBERS, policy
from ..disclosure.suppression import unsafe
from ..errors import WelfareError
from ..needs import computed, indicators
from ..needs.factors import with_siblings
from ..study import Study
from . import adjusted
from .declare import Base, Topic, always, long_format, measured, melted
from .descriptive import HEADLINES, leaves_few, too_few

INCOME = "household_income_a_unit_dh"
CHILDREN = ["dependants_0_5_n", "dependants_6_11_n"]
POVERTY = {"rate": 0.0, "gap": 1.0, "severity": 2.0}  # powers of Foster, Greer and Thorbecke (1984)
LINE = 0.6  # of the median
FIFTHS, POOREST = 5, [p / 10 for p in range(1, 10)]
GROUPS = ("rank_group", "command_group")
AMOUNTS = (INCOME, "commute_min")  # whose ranks are compared
TEST_UNITS = {"F": "tenths", "df": "tenths", "p": "p"}
MODELS: dict[str, tuple[str, Callable[..., Any], str]] = {
    "mean_burden": ("housing_cost_share", es.linear, "share_points"),
    "median_burden": ("housing_cost_share", es.quantile_regression, "share_points"),
    "hard_burden": ("housing_cost_share", partial(es.quantile_regression, q=0.9), "share_points"),
    "way_cost": ("commute_cost_dh", es.two_part, "dh_month"),
}
FINDINGS = ("", ("many", "who", "where", "cost", "changes", "sure"))


def members(study: Study) -> pd.DataFrame:
    """The indicators, and the household's income a consumption unit and month."""
    frame = computed(indicators(study.frame))
    if {"household_income_dh", "household_size_n"} <= set(frame):
        people = frame["household_size_n"].astype("Float64")
        young = frame.reindex(columns=CHILDREN, fill_value=0).astype("Float64").sum(axis=1, skipna=False)
        units = 1 + 0.5 * (people - 1) - 0.2 * np.minimum(young, people - 1)
        frame = frame.assign(**{INCOME: frame["household_income_dh"].astype("Float64") / units.where(people > 0)})
    return frame


def with_income(frame: pd.DataFrame) -> str:
    """Whether income a unit is known of anybody."""
    return "shown" if INCOME in frame and frame[INCOME].notna().any() else "not_asked"


def income_base(frame: pd.DataFrame) -> Base:
    """Whose income a unit is known, of all."""
    return frame[INCOME].notna(), pd.Series(True, frame.index)


def large_statuses(frame: pd.DataFrame) -> pd.Series:
    """The status of those who have an income a unit, where enough of the status have."""
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
    r"""Gini index, coefficient of variation and :math:`P_{90}/P_{10}` of the income a unit, by status.

    The last has its interval on the log scale; its numerator are the respondents in a tail.
    """
    y, by = frame[INCOME], large_statuses(frame)
    design, where = study.design, by.notna()
    moments = es.joint({"level": es.mean(design, y, by, where), "square": es.variance(design, y, by, where)})
    measures = {
        "gini": long_format(es.gini(design, y, by, where), "", "status"),
        "variation": long_format(moments.apply(lambda v: np.sqrt(v["square"]) / v["level"]), "status"),
        "p90_p10": long_format(es.quantile_ratio(design, y, by=by, where=where), "status"),
    }
    rows = long_format(measures, "inequality_measure")
    return rows.assign(numerator=(0.1 * rows["n"]).where(rows["inequality_measure"] == "p90_p10"))


@income.table("line", "poverty_of", "", "")
def line(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """The poverty line and the share of all who are below it."""
    y, where = frame[INCOME], large_statuses(frame).notna()
    half = es.quantile(study.design, y, where=where).apply(lambda v: LINE * v)
    rate = es.poverty(study.design, y.where(where), part=LINE, where=where)
    rows = measured({"line": (half, "dh"), "rate": (rate, "share")}, "poverty_of")
    poor = float((y[where] < half.value.iloc[0]).sum())
    return rows.assign(numerator=rows["numerator"].mask(rows["poverty_of"] == "rate", poor))


for _group, _table in (("status", "poverty"), ("sex", "poverty_by_sex")):

    @income.table(_table, _group, "poverty_measure", "share")
    def poor(study: Study, frame: pd.DataFrame, group: str = _group) -> pd.DataFrame | None:
        """Rate, gap and severity below the line of all (`poverty`), by group; the poor are behind each of them.

        Statuses of which too few are on a side of the line are put together as the codebook says.
        """
        if group not in frame:
            return None
        design, where = study.design, large_statuses(frame).notna()
        y, by = frame[INCOME].where(where), frame[group].where(where)
        below = (y < LINE * es.quantile(design, y, where=where).value.iloc[0]).where(where)
        by = with_siblings(study.codebook, by, too_few(below, by))
        made = {
            name: es.poverty(design, y, alpha=power, part=LINE, by=by, where=where & by.notna())
            for name, power in POVERTY.items()
        }
        rows = long_format(made, "poverty_measure", "", group)
        few = leaves_few(frame["sex"], frame["status"], below, {*frame["status"]}) if group == "sex" else set()
        return rows.assign(numerator=rows[group].map(below.groupby(by).sum()).astype(float), lost=rows[group].isin(few))


@income.table("fifths", "status", "fifth", "share", adds=None)
def fifths(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """The part of the income of a status that each fifth of its members has, the poorest first."""
    by = large_statuses(frame)
    rows = long_format(es.quantile_shares(study.design, frame[INCOME], FIFTHS, by, by.notna()), "fifth", "status")
    return rows.assign(numerator=rows["n"] / FIFTHS)


@income.table("lorenz", "poorest", "status", "share", adds=None)
def curve(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Lorenz curve by status: the part of its income that the poorest have, by how many per cent of it they are."""
    by = large_statuses(frame)
    rows = long_format(es.lorenz(study.design, frame[INCOME], POOREST, by, by.notna()), "poorest", "status")
    at = rows["poorest"].astype(float)
    return rows.assign(poorest=(100 * at).round().astype(int).astype(str), numerator=np.minimum(at, 1 - at) * rows["n"])


@topic.table("concentration", "condition", "concentration_index", adds=None)
def concentrations(study: Study, frame: pd.DataFrame) -> pd.DataFrame | None:
    """Concentration of each headline by income a unit: below zero where the poorer bear it, within -1 and 1.

    Erreygers' index is that of absolute differences, Wagstaff's sets them against what the mean leaves room for.
    """
    parts, rules = [], policy()
    for condition in (name for name in HEADLINES if name in frame):
        known = frame[condition].notna() & frame[INCOME].notna()
        met = float(frame.loc[known, condition].astype(bool).sum())
        if known.sum() < rules.min_base or min(met, known.sum() - met) < rules.min_respondents:
            continue  # nothing to be estimated of a condition that nobody or everybody has
        indices = {
            kind: es.concentration(study.design, frame[condition], frame[INCOME], where=known, kind=kind)
            for kind in ("erreygers", "wagstaff")
        }
        rows = long_format(indices, "concentration_index", "").drop(columns="flag")
        parts.append(rows.assign(condition=condition, numerator=met))
    return pd.concat(parts, ignore_index=True) if parts else None


@topic.table("tests", "condition|adjusted_factor", "measure", adds=None, ready=always,
             base=lambda f: (f["status"].notna(), f["status"].notna()))  # fmt: skip
def group_tests(study: Study, frame: pd.DataFrame) -> pd.DataFrame | None:
    """Whether groups differ at all: Rao and Scott's test of shares, that of mean ranks of amounts; Holm over all."""
    lines, rules = list[dict[str, Any]](), policy()
    for name in (n for n in ("tenure", *HEADLINES[1:], *AMOUNTS) if n in frame):
        for group in (g for g in GROUPS if g in frame):
            known = frame[name].notna() & frame[group].notna()
            sizes = frame.loc[known, group].value_counts()
            large = known & frame[group].isin(sizes.index[sizes >= rules.min_base])
            if frame.loc[large, group].nunique() < 2 or frame.loc[large, name].nunique() < 2:
                continue
            counts = pd.crosstab(frame.loc[large, group].astype(str), frame.loc[large, name]).to_numpy(float)
            bases = np.broadcast_to(counts.sum(axis=1, keepdims=True), counts.shape)
            # with the number of all, a statistic gives two hidden groups away as if they were shown
            fails = name not in AMOUNTS and bool(unsafe(bases, counts, rules).any())
            of = es.rank_test if name in AMOUNTS else es.independence
            test = of(study.design, frame[name], frame[group], where=large)
            values = {"F": abs(test.statistic), "df": test.df, "p": test.p, "n": large.sum(), "unsafe": fails}
            lines.append({"condition": name, "adjusted_factor": group} | values)
    if not lines:
        return None
    table = pd.DataFrame(lines)
    table["p"] = es.adjusted_p(table["p"].to_numpy())
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
    rows = [("all", "status:active", "", float(known.sum()))]
    for group in GROUPS:
        first, *others = people.factors[group]
        size = data.loc[known, group].value_counts()
        rows += [(f"{group}[{c}]", f"{group}:{c}", f"{group}:{first}", float(size[c])) for c in others]
    lines = pd.DataFrame(rows, columns=["at", "level", "reference", "n"]).set_index("at")
    level, step = lines["reference"].eq(""), policy().step("dh")  # a mean amount is told to ten dirhams everywhere
    parts = []
    for name, (outcome, model, unit) in MODELS.items():
        try:
            fit = model(people.design, data, f"{outcome} ~ {' + '.join(GROUPS)}", where=known)
            made = [es.predictions(fit), es.marginal_effects(fit, list(GROUPS))]
            numbers = pd.concat([e.interval().assign(estimate=e.value) for e in made])
            numbers = numbers.set_axis(["all", *made[1].value.index]).reindex(lines.index)
        except WelfareError:
            numbers = pd.DataFrame(np.nan, lines.index, NUMBERS)
        flag = np.where(numbers["estimate"].isna(), "unsure", "")
        steps = np.where(level & (unit == "dh_month"), step, np.nan)
        parts.append(lines.join(numbers).assign(measure=name, unit=unit, flag=flag, step=steps))
    return pd.concat(parts, ignore_index=True)
