r"""Conditions with everything else equal: of active staff, a model of each headline condition in a few factors.

A logistic regression :math:`\mathrm{logit}\, p_k = x_k'\beta` in rank, place, family and age gives the predictive
margin of a level, :math:`\hat\mu_l = \sum_k w_k\, p(x_k^{(l)}) / \sum_k w_k` with everybody at that level and all else
as it is (Graubard and Korn 1999); the difference of two is the average marginal effect. Coefficients are those of the
superpopulation. A block of factors is tested by the likelihood ratio of Rao and Scott (Lumley and Scott 2014).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..estimation import (
    Design,
    Estimate,
    adjusted_p,
    aic,
    bic,
    contrast,
    likelihood_ratio,
    logistic,
    margins,
    multinomial_logit,
    t_tests,
)
from ..estimation.regression import Regression
from ..needs import INDICATORS
from ..needs.factors import earners_class, family_type, staff_age
from ..study import DATA, Study
from .plan import HEADLINES
from .suppression import Policy, unsafe
from .tables import codes

BLOCKS = {
    "rank": ("rank_group",),
    "place": ("command_group",),
    "family": ("family_type", "earners_class"),
    "age": ("staff_age",),
}
FACTORS = tuple(factor for block in BLOCKS.values() for factor in block)
PLACE = "command_group"
MADE: dict[Callable[[pd.DataFrame], pd.Series], tuple[str, ...]] = {
    family_type: ("marital_status", "children_n"),
    earners_class: ("earners_n",),
    staff_age: ("age_group",),
}
EVENTS = 5  # of the rarer outcome for each coefficient (Vittinghoff and McCulloch 2007)
SAMPLED = 5  # respondents from whom an error can be told, as of expected counts in a cell (Cochran 1954)
KNOWN = 0.8  # part of the staff in levels of a factor; with fewer it would cost the models too many
SURE = 0.05  # error of all tests of a table together
TENURE, OTHER = "tenure", "other"
TENURE_BY = ("rank_group", "family_type")
TOO_FEW, NO_FACTORS = "adjusted.too_few", "adjusted.no_factors"


@dataclass(frozen=True, eq=False)
class Staff:
    """Active staff: all rows, those in the models (every factor known), and levels by factor, the reference first."""

    frame: pd.DataFrame
    design: Design
    active: np.ndarray
    inside: np.ndarray
    factors: Mapping[str, list[str]]
    sampled: np.ndarray  # rows whose weight the variance takes: not those that came in with certainty
    rules: Policy

    def formula(self, outcome: str, without: Iterable[str] = ()) -> str:
        """The outcome by all factors but some."""
        return f"{outcome} ~ {' + '.join([f for f in self.factors if f not in set(without)] or ['1'])}"


@dataclass(frozen=True, eq=False)
class Model:
    """The model of a condition: its state, fit, margins of every level, and of whom each level tells (`_levels`)."""

    state: str
    fit: Regression | None = None
    margins: Estimate | None = None
    levels: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)


@cache
def staff(study: Study) -> Staff:
    """Active staff with the conditions and factors that were asked."""
    frame, rules = study.frame, Policy.read(DATA / "policy.csv")
    known = set(frame)
    made = {i.name: i.function(frame) for i in INDICATORS if i.name in HEADLINES and set(i.columns) <= known}
    made |= {f.__name__: f(frame) for f, needed in MADE.items() if set(needed) <= known}
    active = (frame["status"] == "active").to_numpy()
    told = frame.assign(**made)
    columns = {name: _factor(study, told[name], active, rules) for name in FACTORS if name in told}
    factors = {name: c for name, c in columns.items() if c is not None}
    wanted = [name for name in (*HEADLINES, TENURE) if name in told]
    told = told[wanted].assign(**factors)
    inside = active & told[list(factors)].notna().all(axis=1).to_numpy()
    levels = {name: list(c.cat.categories) for name, c in factors.items()}
    sampled = ~study.design.certain
    return Staff(told, study.design.superpopulation(), active, inside, levels, sampled, rules)


def _factor(study: Study, column: pd.Series, active: np.ndarray, rules: Policy) -> pd.Series | None:
    """The levels of a factor, the reference first; None where it tells too few of the staff apart.

    Levels of few respondents are put with their siblings of the codebook's hierarchy; who is still in a level of few is
    not in the models. The reference is the first level, of places the one of most respondents.
    """
    found = column.where(active).astype(object)
    parents, size = study.codebook.parent(str(column.name)), found.value_counts()
    wide = {parents.get(str(level), "") for level in size.index[size < rules.min_base]} - {""}
    found = found.replace({code: parent for code, parent in parents.items() if parent in wide})
    size = found.value_counts()
    levels = [code for code in codes(study, str(column.name)) if size.get(code, 0) >= rules.min_base]
    if len(levels) < 2 or size[levels].sum() < KNOWN * active.sum():
        return None
    first = max(levels, key=lambda level: size[level]) if column.name == PLACE else levels[0]
    kind = pd.CategoricalDtype([first, *(level for level in levels if level != first)])
    return found.where(found.isin(levels), None).astype(kind)


@cache
def models(study: Study) -> Mapping[str, Model]:
    """The model of each headline condition."""
    people = staff(study)
    return {name: _model(people, name) for name in HEADLINES}


def _model(people: Staff, name: str) -> Model:
    if not people.factors:
        return Model(NO_FACTORS)
    rows = _told(people, name)
    if rows is None:
        return Model("not_asked")
    met = people.frame[name].fillna(False).to_numpy(bool)
    if not enough(people, [rows & met, rows & ~met]):
        return Model(TOO_FEW)
    try:
        fit = logistic(people.design, people.frame, people.formula(name), where=rows)
        if not np.isfinite(fit.se).all():  # one respondent or PSU tells of no error
            return Model(TOO_FEW)
        return Model("shown", fit, margins(fit, list(people.factors)), _levels(people, rows, met))
    except WelfareError:  # a level that tells the condition without error, or all of whom did not answer
        return Model(TOO_FEW)


def _told(people: Staff, name: str) -> np.ndarray | None:
    """Rows of the models whose outcome is known; None where nobody was asked."""
    if name not in people.frame or not (people.active & people.frame[name].notna()).any():
        return None
    return people.inside & people.frame[name].notna().to_numpy()


def enough(people: Staff, outcomes: list[np.ndarray]) -> bool:
    r"""Whether each outcome (a mask) has `EVENTS` respondents a coefficient of an equation.

    Respondents of unequal weight count as :math:`(\sum w)^2 / \sum w^2` (Kish 1965, section 11.7).
    """
    needed = EVENTS * (1 + sum(len(levels) - 1 for levels in people.factors.values()))
    weights = [people.design.weights[mask] for mask in outcomes]
    return all(w.sum() ** 2 >= needed * max((w**2).sum(), 1e-300) for w in weights)


def _levels(people: Staff, rows: np.ndarray, met: np.ndarray) -> pd.DataFrame:
    """Of each level: n, how many meet the condition, and whether it is `hidden` or `unsure`.

    A level is unsure where fewer than `SAMPLED` of those who were sampled, and did not come in with certainty, meet or
    do not meet the condition: only they tell of the error.
    """
    sampled, parts = people.sampled, []
    for factor, levels in people.factors.items():
        place = people.frame[factor].cat.codes.to_numpy()
        masks = {"n": rows, "met": rows & met, "sampled": rows & sampled, "both": rows & met & sampled}
        counted = {name: np.bincount(place[mask], minlength=len(levels)) for name, mask in masks.items()}
        parts.append(pd.DataFrame(counted, pd.MultiIndex.from_product([[factor], levels])))
    found = pd.concat(parts)
    least = np.minimum(found["both"], found["sampled"] - found["both"])
    unsure = (least < SAMPLED) & people.sampled.any()
    hidden = unsafe(found["n"].to_numpy(float), found["met"].to_numpy(float), people.rules)
    return found[["n", "met"]].assign(hidden=hidden, unsure=unsure & ~hidden)


def compared(people: Staff, levels: pd.DataFrame, factors: Iterable[str]) -> pd.DataFrame:
    """Each level but the reference: factor, level, n, met, and `hidden` or `unsure` by it or by the reference."""
    parts = []
    for factor in factors:
        first, *others = people.factors[factor]
        cells = levels.loc[factor].loc[others].assign(factor=factor, level=others, reference=first)
        for flag in ("hidden", "unsure"):
            cells[flag] |= bool(levels.at[(factor, first), flag])
        parts.append(cells)
    found = pd.concat(parts, ignore_index=True)
    return found.assign(unsure=found["unsure"] & ~found["hidden"])


def effects(margin: Estimate, cells: pd.DataFrame, outcome: str = "") -> pd.DataFrame:
    """The cells with estimate, low, high and p of the average marginal effects that may be told.

    ``outcome`` is the column of the cells that names the category, where the model has several.
    """
    shown = cells[~(cells["hidden"] | cells["unsure"])]
    start = shown[outcome].astype(str) + ": " if outcome else pd.Series("", shown.index)
    ends = [start + shown["factor"] + "[" + shown[end] + "]" for end in ("level", "reference")]
    pairs = {at: {level: 1.0, base: -1.0} for at, level, base in zip(shown.index, *ends, strict=True)}
    numbers = pd.DataFrame(np.nan, cells.index, ["estimate", "low", "high", "p"])
    if pairs:
        found = contrast(margin, pairs)
        numbers.loc[list(pairs)] = t_tests(found).join(found.interval())[numbers.columns]
    return cells.join(numbers)


@cache
def all_effects(study: Study) -> pd.DataFrame:
    """Effects of all levels in all models: factor, level, condition, estimate, low, high, n, hidden, unsure, clear.

    An effect is ``clear`` where it is not zero after Holm's correction for all effects of the table.
    """
    people = staff(study)
    parts = [
        effects(model.margins, compared(people, model.levels, people.factors)).assign(condition=name)
        for name, model in models(study).items()
        if model.margins is not None
    ]
    names = ["factor", "level", "condition", "estimate", "low", "high", "n", "hidden", "unsure", "p"]
    table = pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)
    return table.assign(clear=adjusted_p(table["p"].to_numpy(float)) < SURE)


@cache
def block_tests(study: Study) -> pd.DataFrame:
    r"""Likelihood ratio test of each block of factors in each model; AIC and BIC of the design with and without it.

    Columns: condition, block, F (:math:`X^2 / \sum \delta`), effect (mean :math:`\delta`), p, p_adjusted (Holm, over
    the table), aic, aic_without, bic_more (the BIC without the block less that with it: above zero the block is
    worth its coefficients), and unsure: a level of the block has too few respondents.
    """
    people, parts = staff(study), []
    for name, model in models(study).items():
        if model.fit is None:
            continue
        full = aic(model.fit, ["Intercept"])
        for block, factors in BLOCKS.items():
            own = [f for f in factors if f in people.factors]
            if not own:
                continue
            formula = people.formula(name, without=own)
            reduced = logistic(people.design, people.frame, formula, where=model.fit.rows)
            test = likelihood_ratio(model.fit, reduced)
            unsure = bool(model.levels.loc[own, ["hidden", "unsure"]].any(axis=None))
            line = [name, block, test.statistic / test.effects.sum(), test.effects.mean(), test.p, full]
            more = bic(reduced, model.fit) - bic(model.fit, model.fit)
            parts.append([*line, aic(reduced, ["Intercept"]), more, unsure])
    names = ["condition", "block", "F", "effect", "p", "aic", "aic_without", "bic_more", "unsure"]
    table = pd.DataFrame(parts, columns=names)
    return table.assign(p_adjusted=adjusted_p(table["p"].to_numpy(float)))


@cache
def tenure_model(study: Study) -> Model:
    """Tenure as a multinomial logit in the same factors; categories of few are put with the others.

    Where these are too few still, who is in them is not in the model. ``levels`` is by (factor, level, category).
    """
    people = staff(study)
    rows = _told(people, TENURE)
    if rows is None or not people.factors:
        return Model("not_asked" if people.factors else NO_FACTORS)
    tenure = people.frame[TENURE].astype(object).where(rows)
    tenure = tenure.replace({c: OTHER for c in tenure.dropna().unique() if not _everywhere(people, tenure == c)})
    kept = [c for c in study.codebook.codes(TENURE) if _everywhere(people, tenure == c)]
    if len(kept) < 2:
        return Model(TOO_FEW)
    rows = rows & tenure.isin(kept).to_numpy()
    column = pd.Series(pd.Categorical(tenure.where(tenure.isin(kept), None), kept), index=tenure.index)
    try:
        frame = people.frame.assign(**{TENURE: column})
        fit = multinomial_logit(people.design, frame, people.formula(TENURE), where=rows)
        levels = {c: _levels(people, rows, (column == c).to_numpy()) for c in kept}
        shown = [f for f in TENURE_BY if f in people.factors]
        return Model("shown", fit, margins(fit, shown) if shown else None, pd.concat(levels).reorder_levels([1, 2, 0]))
    except WelfareError:
        return Model(TOO_FEW)


def _everywhere(people: Staff, inside: pd.Series) -> bool:
    """Whether a category has enough respondents, and some at every level: else nothing is its maximum."""
    mask = inside.to_numpy(bool)
    counts = [people.frame.loc[mask, factor].value_counts() for factor in people.factors]
    return enough(people, [mask]) and all((count > 0).all() for count in counts)
