r"""Conditions with everything else equal (page 04): effects of rank, place, family and age, of active staff.

The models are those of `needs.conditions`. A block of factors is tested by the likelihood ratio of Rao and Scott
(Lumley and Scott 2014).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from ..disclosure import NUMBERS, policy
from ..disclosure.suppression import completed, unsafe
from ..estimation import Estimate, adjusted_p, aic, bic, contrast, likelihood_ratio, share, t_tests
from ..needs import conditions
from ..needs.conditions import ADJUSTED, BLOCKS, FACTORS, NO_FACTORS, PLACE, RAW, TENURE, TENURE_BY, Fitted, Models
from ..study import Study
from .declare import Base, Topic, long_format, melted
from .descriptive import HEADLINES

SAMPLED = 5  # respondents with a sampling error, as of expected counts in a cell (Cochran 1954)
SURE = 0.05  # error of all tests of a table together
TEST_UNITS = {"F": "tenths", "effect": "tenths", "p": "p", "aic_more": "number", "bic_more": "number"}


def models(study: Study) -> Models:
    """The models of the headline conditions."""
    return study.result(conditions.models, HEADLINES, policy().min_base)


def model_state(found: Models) -> str:
    """``shown`` where there is a model of a condition; else why there is none of what was asked."""
    states = [model.state for model in found.conditions.values()]
    return next((s for s in ("shown", *states) if s in states and s != "not_asked"), "not_asked")


def base(found: Models) -> Base:
    """Respondents of the largest model, of active staff."""
    fits = [model.fit for model in found.fitted.values()]
    return pd.Series(max(fits, key=lambda fit: fit.n_rows).rows), pd.Series(found.staff.active)


def ready_with(factor: str, state: Callable[[Models], str] = model_state) -> Callable[[Models], str]:
    """The state of tables by a factor, which may not be in the models."""
    return lambda found: NO_FACTORS if state(found) == "shown" and factor not in found.staff.factors else state(found)


topic = Topic("adjusted", models, model_state, "share_points", base, totals=False)


def flagged(counts: pd.DataFrame) -> pd.DataFrame:
    """Counts of levels (`conditions.counts`) with whether each is ``hidden`` or ``unsure``.

    A level is unsure where fewer than `SAMPLED` of those who were sampled, and did not come in with certainty, meet or
    do not meet the condition: the others have no sampling error.
    """
    least = np.minimum(counts["both"], counts["sampled"] - counts["both"])
    unsure = (least < SAMPLED) & bool(counts["sampled"].any())
    hidden = unsafe(counts["n"].to_numpy(float), counts["met"].to_numpy(float), policy())
    return counts[["n", "met"]].assign(hidden=hidden, unsure=unsure & ~hidden)


def compared(found: Models, levels: pd.DataFrame, factors: Iterable[str]) -> pd.DataFrame:
    """Each level but the reference: factor, level, n, met, and hidden or unsure by it or by the reference."""
    parts = []
    for factor in factors:
        first, *others = found.staff.factors[factor]
        cells = levels.loc[factor].loc[others].assign(factor=factor, level=others, reference=first)
        for flag in ("hidden", "unsure"):
            cells[flag] |= bool(levels.at[(factor, first), flag])
        parts.append(cells)
    cells = pd.concat(parts, ignore_index=True)
    return cells.assign(unsure=cells["unsure"] & ~cells["hidden"])


def effects(margin: Estimate, cells: pd.DataFrame, outcome: str = "") -> pd.DataFrame:
    """The cells with estimate, low, high and p of average marginal effects, where they are neither hidden nor unsure.

    ``outcome`` is the column of the cells that names the category, where the model has several.
    """
    shown = cells[~(cells["hidden"] | cells["unsure"])]
    start = shown[outcome].astype(str) + ": " if outcome else pd.Series("", shown.index)
    ends = [start + shown["factor"] + "[" + shown[end] + "]" for end in ("level", "reference")]
    pairs = {at: {level: 1.0, first: -1.0} for at, level, first in zip(shown.index, *ends, strict=True)}
    numbers = pd.DataFrame(np.nan, cells.index, [*NUMBERS, "p"])
    if pairs:
        differences = contrast(margin, pairs)
        numbers.loc[list(pairs)] = t_tests(differences).join(differences.interval())[numbers.columns]
    return cells.join(numbers)


def all_effects(study: Study) -> pd.DataFrame:
    """Effects of all levels in all models; ``clear`` where the block adds to the others and the effect is not zero.

    Both after Holm's correction, the test of the block first and the effects behind it as a gate, so that no level is
    marked in a block of which the test says that no difference is seen (Dmitrienko, Offen and Westfall 2003, Statistics
    in Medicine 22, 2387-2400).
    """
    found = models(study)
    table = pd.concat(
        [effects(m.margins, compared(found, flagged(m.counts), found.staff.factors)).assign(condition=name)
         for name, m in found.fitted.items()], ignore_index=True
    )  # fmt: skip
    block = {factor: block for block, factors in BLOCKS.items() for factor in factors}
    together = study.result(block_tests).set_index(["condition", "adjusted_block"])["p"] < SURE
    passed = [bool(together[pair]) for pair in zip(table["condition"], table["factor"].map(block), strict=True)]
    return table.assign(clear=(adjusted_p(table["p"].to_numpy(float)) < SURE) & passed)


def marked(cells: pd.DataFrame, *keys: str) -> pd.DataFrame:
    """Cells as a declared table takes them: what is hidden or unsure has no number."""
    flag = np.where(cells["unsure"], "unsure", cells.get("flag", ""))
    kept = [c for c in (*keys, *NUMBERS, "n", "clear") if c in cells]
    return cells[kept].assign(flag=flag, unsafe=cells["hidden"])


for _factor in FACTORS:

    @topic.table(_factor, _factor, "condition", ready=ready_with(_factor), adds=None, statistic="difference")
    def by_factor(study: Study, found: Models, factor: str = _factor) -> pd.DataFrame:
        """Average marginal effects of a factor, in points against its reference, a column a condition."""
        cells = study.result(all_effects)
        cells = cells[cells["factor"] == factor].rename(columns={"level": factor})
        return marked(cells, factor, "condition")


def tenure(found: Models) -> Fitted:
    """The model of tenure, where it was fitted."""
    assert isinstance(found.tenure, Fitted)
    return found.tenure


for _factor in TENURE_BY:

    @topic.table(f"{TENURE}_by_{_factor}", _factor, TENURE, adds=None, statistic="difference",
                 base=lambda m: (pd.Series(tenure(m).fit.rows), pd.Series(m.staff.active)),
                 ready=ready_with(_factor, lambda m: m.tenure.state))  # fmt: skip
    def tenure_by(study: Study, found: Models, factor: str = _factor) -> pd.DataFrame:
        """Effects of a factor on each category of tenure; of a level no category is hidden alone, for they add up."""
        model, parts = tenure(found), []
        for category in model.counts.index.unique(2):
            cells = compared(found, flagged(model.counts.xs(category, level=2)), [factor])
            parts.append(cells.assign(**{TENURE: category, factor: cells["level"]}))
        cells = pd.concat(parts, ignore_index=True).rename(columns={"met": "numerator"})
        cells["hidden"] = completed(cells, [TENURE], policy(), cells["hidden"].to_numpy(bool), [factor])
        cells["unsure"] &= ~cells["hidden"]
        return marked(effects(model.margins, cells, TENURE), factor, TENURE)


@topic.table("place", f"{PLACE}|adjustment", "condition", "share", ready=ready_with(PLACE), adds=None)
def by_place(study: Study, found: Models) -> pd.DataFrame:
    """Shares by place, as they are and with the ranks, families and ages of all staff."""
    parts = []
    for name, model in found.fitted.items():
        levels = flagged(model.counts).loc[PLACE].rename_axis(PLACE).reset_index()
        numerators = levels.rename(columns={"met": "numerator"})
        levels["hidden"] = completed(numerators, [PLACE], policy(), levels["hidden"].to_numpy(bool))
        margin = long_format(model.margins, PLACE)
        margin[PLACE] = margin[PLACE].str.extract(rf"^{PLACE}\[(.*)\]$", expand=False)
        views = {RAW: long_format(raw(found, name), "", PLACE), ADJUSTED: margin.dropna(subset=PLACE)}
        both = long_format(views, "adjustment").drop(columns="n").merge(levels, on=PLACE)
        parts.append(both.assign(condition=name))
    return marked(pd.concat(parts, ignore_index=True), PLACE, "adjustment", "condition")


def raw(found: Models, name: str) -> Estimate:
    """Shares by place of the staff in the model of a condition."""
    people = found.staff
    return share(people.design, people.frame[name], by=people.frame[PLACE], where=found.fitted[name].fit.rows)


def distances(study: Study) -> pd.DataFrame:
    """How far places are apart in each condition, raw and adjusted, and what is ``kept`` of that."""
    found, parts = models(study), []
    for name, model in found.fitted.items():
        levels = flagged(model.counts).loc[PLACE]
        flag, few = "caution" if levels["unsure"].any() else "", bool(levels["hidden"].any())  # it would tell the place
        table = conditions.spread(raw(found, name), model.margins).bounded()
        parts.append(table.assign(condition=name, n=float(levels["n"].sum()), flag=flag, unsafe=few))
    table = pd.concat(parts, ignore_index=True).rename(columns={"variable": "adjustment"})
    kept = table["adjustment"] == "kept"
    return table.assign(low=table["low"].where(kept, table["low"].clip(lower=0.0)))  # a distance is not negative


@topic.table("spread", "condition", "adjustment", ready=ready_with(PLACE), statistic="difference")
def place_spread(study: Study, found: Models) -> pd.DataFrame:
    """Usual distance of a place from the mean of all."""
    table = study.result(distances)
    return table[table["adjustment"] != "kept"]


@topic.table("kept", "condition", "", "share", ready=ready_with(PLACE))
def place_kept(study: Study, found: Models) -> pd.DataFrame:
    """What part of the differences between places stays with everything else equal."""
    table = study.result(distances)
    return table[table["adjustment"] == "kept"].drop(columns="adjustment")


def block_tests(study: Study) -> pd.DataFrame:
    r"""Likelihood ratio test of each block of factors in each model; AIC and BIC of the design with and without it.

    Columns: condition, adjusted_block, F (:math:`X^2 / \sum \delta`), effect (mean :math:`\delta`), p (Holm, over the
    table), aic_more and bic_more (the criterion without the block less that with it: above zero the block is worth its
    coefficients), n, and flag: ``caution`` where a level of the block has too few respondents.
    """
    found, parts = models(study), []
    for name, model in found.fitted.items():
        levels = flagged(model.counts)
        for block, factors in BLOCKS.items():
            own = [factor for factor in factors if factor in found.staff.factors]
            if not own:
                continue
            reduced = conditions.without(found.staff, name, model.fit, own)
            test = likelihood_ratio(model.fit, reduced)
            few = bool(levels.loc[own, ["hidden", "unsure"]].any(axis=None))
            line: dict[str, Any] = {"condition": name, "adjusted_block": block, "p": test.p}
            line |= {"F": test.statistic / test.effects.sum(), "effect": test.effects.mean(), "n": model.fit.n_rows}
            line["aic_more"] = aic(reduced, ["Intercept"]) - aic(model.fit, ["Intercept"])
            line["bic_more"] = bic(reduced, model.fit) - bic(model.fit, model.fit)
            parts.append(line | {"flag": "caution" if few else ""})
    table = pd.DataFrame(parts)
    return table.assign(p=adjusted_p(table["p"].to_numpy(float)))


@topic.table("tests", "condition|adjusted_block", "measure", "", adds=None)
def tests(study: Study, found: Models) -> pd.DataFrame:
    """Whether each block of factors adds to the others."""
    return melted(study.result(block_tests), ["condition", "adjusted_block"], TEST_UNITS)
