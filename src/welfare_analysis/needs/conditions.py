r"""Models of conditions: of active staff, each condition in rank, place, family and age.

A logistic regression :math:`\mathrm{logit}\, p_k = x_k'\beta` gives the predictive margin of a level,
:math:`\hat\mu_l = \sum_k w_k\, p(x_k^{(l)}) / \sum_k w_k` with everybody at that level and all else as it is (Graubard
and Korn 1999); the difference of two is the average marginal effect. Coefficients are those of the superpopulation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..estimation import Design, Estimate, joint, logistic, margins, multinomial_logit
from ..estimation.regression import Regression
from ..study import Study
from . import INDICATORS, computable
from .factors import earners_class, family_type, in_order, merged, staff_age

BLOCKS = {
    "rank": ("rank_group",),
    "place": ("command_group",),
    "family": ("family_type", "earners_class"),
    "age": ("staff_age",),
}
FACTORS = tuple(factor for block in BLOCKS.values() for factor in block)
PLACE = "command_group"
EVENTS = 5  # of the rarer outcome for each coefficient (Vittinghoff and McCulloch 2007)
KNOWN = 0.8  # part of the staff in levels of a factor; with fewer it would cost the models too many
TENURE, OTHER = "tenure", "other"
TENURE_BY = ("rank_group", "family_type")
RAW, ADJUSTED = "raw", "adjusted"
TOO_FEW, NO_FACTORS = "adjusted.too_few", "adjusted.no_factors"


@dataclass(frozen=True, eq=False)
class Staff:
    """Active staff: all rows, those in the models (every factor known), and levels by factor, the reference first.

    ``sampled`` are the rows whose weight the variance takes: not those that came in with certainty.
    """

    frame: pd.DataFrame
    design: Design
    active: np.ndarray
    inside: np.ndarray
    factors: Mapping[str, list[str]]
    sampled: np.ndarray

    def formula(self, outcome: str, without: Iterable[str] = ()) -> str:
        """The outcome by all factors but some."""
        return f"{outcome} ~ {' + '.join([f for f in self.factors if f not in set(without)] or ['1'])}"

    def known(self, outcome: str) -> np.ndarray | None:
        """Rows of the models whose outcome is known (n,); None where nobody was asked."""
        if outcome not in self.frame or not (self.active & self.frame[outcome].notna()).any():
            return None
        return self.inside & self.frame[outcome].notna().to_numpy()


@dataclass(frozen=True, eq=False)
class Model:
    """The model of a condition: ``shown``, or the key of a text that says why there is none."""

    state: str


@dataclass(frozen=True, eq=False)
class Fitted(Model):
    """A model that was fitted: with margins of every level, and respondents of each (`counts`)."""

    fit: Regression
    margins: Estimate
    counts: pd.DataFrame = field(repr=False)


@dataclass(frozen=True, eq=False)
class Models:
    """The models of several conditions of the same staff, and that of tenure."""

    staff: Staff
    conditions: Mapping[str, Model]
    tenure: Model

    @property
    def fitted(self) -> dict[str, Fitted]:
        """The conditions that have a model."""
        return {name: model for name, model in self.conditions.items() if isinstance(model, Fitted)}


def models(study: Study, names: tuple[str, ...], least: int) -> Models:
    """The models of the conditions ``names``; levels of fewer than ``least`` respondents are merged."""
    people = staff(study, names, least)
    return Models(people, {name: _model(people, name) for name in names}, _tenure(study, people))


def staff(study: Study, names: tuple[str, ...], least: int) -> Staff:
    """Active staff with the conditions and factors that were asked."""
    frame, named = study.frame, [indicator for indicator in INDICATORS if indicator.__name__ in names]
    active = (frame["status"] == "active").to_numpy()
    whole = frame.assign(**computable(frame, [*named, family_type, earners_class, staff_age]))
    columns = {name: _factor(study, whole[name], active, least) for name in FACTORS if name in whole}
    factors = {name: c for name, c in columns.items() if c is not None}
    whole = whole[[name for name in (*names, TENURE) if name in whole]].assign(**factors)
    inside = active & whole[list(factors)].notna().all(axis=1).to_numpy()
    levels = {name: list(c.cat.categories) for name, c in factors.items()}
    return Staff(whole, study.design.superpopulation(), active, inside, levels, ~study.design.certain)


def _factor(study: Study, column: pd.Series, active: np.ndarray, least: int) -> pd.Series | None:
    """The levels of a factor, the reference first; None where it is known of too few of the staff.

    Who is in a level that stays small after merging is not in the models. The reference is the first level, of places
    the one of most respondents.
    """
    column = merged(study.codebook, column.where(active), active, least)
    size = column.value_counts()
    levels = [code for code in in_order(study.codebook, str(column.name), size.index) if size[code] >= least]
    if len(levels) < 2 or size[levels].sum() < KNOWN * active.sum():
        return None
    first = max(levels, key=lambda level: size[level]) if column.name == PLACE else levels[0]
    kind = pd.CategoricalDtype([first, *(level for level in levels if level != first)])
    return column.where(column.isin(levels), None).astype(kind)


def _model(people: Staff, name: str) -> Model:
    rows = people.known(name)
    if rows is None or not people.factors:
        return Model("not_asked" if people.factors else NO_FACTORS)
    met = people.frame[name].fillna(False).to_numpy(bool)
    if not enough(people, [rows & met, rows & ~met]):
        return Model(TOO_FEW)
    try:
        fit = logistic(people.design, people.frame, people.formula(name), where=rows)
        if not np.isfinite(fit.se).all():  # one respondent or PSU gives no variance
            return Model(TOO_FEW)
        return Fitted("shown", fit, margins(fit, list(people.factors)), counts(people, rows, met))
    except WelfareError:  # a level that separates the outcomes, or nobody answered
        return Model(TOO_FEW)


def enough(people: Staff, outcomes: list[np.ndarray]) -> bool:
    r"""Whether each outcome (a mask) has `EVENTS` respondents a coefficient of an equation.

    Respondents of unequal weight count as :math:`(\sum w)^2 / \sum w^2` (Kish 1965, section 11.7).
    """
    needed = EVENTS * (1 + sum(len(levels) - 1 for levels in people.factors.values()))
    weights = [people.design.weights[mask] for mask in outcomes]
    return all(w.sum() ** 2 >= needed * max((w**2).sum(), 1e-300) for w in weights)


def counts(people: Staff, rows: np.ndarray, met: np.ndarray) -> pd.DataFrame:
    """Respondents by (factor, level): n, ``met`` of them meet the condition, ``sampled`` were sampled, ``both`` are."""
    masks, parts = {"n": rows, "met": rows & met, "sampled": rows & people.sampled}, []
    masks["both"] = masks["met"] & masks["sampled"]
    for factor, levels in people.factors.items():
        place = people.frame[factor].cat.codes.to_numpy()
        counted = {name: np.bincount(place[mask], minlength=len(levels)) for name, mask in masks.items()}
        parts.append(pd.DataFrame(counted, pd.MultiIndex.from_product([[factor], levels])))
    return pd.concat(parts)


def without(people: Staff, name: str, fit: Regression, factors: Iterable[str]) -> Regression:
    """The model of a condition without some factors, of the same rows."""
    return logistic(people.design, people.frame, people.formula(name, factors), where=fit.rows)


def spread(raw: Estimate, margin: Estimate) -> Estimate:
    r"""How far places are apart, raw and adjusted, and ``kept``, the part of the raw differences that stays.

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


def _tenure(study: Study, people: Staff) -> Model:
    """Tenure as a multinomial logit in the same factors; categories of few respondents are merged with the others.

    Where these are too few still, who is in them is not in the model. ``counts`` is by (factor, level, category).
    """
    rows = people.known(TENURE)
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
        by_category = pd.concat({c: counts(people, rows, (column == c).to_numpy()) for c in kept})
        by = [factor for factor in TENURE_BY if factor in people.factors] or list(people.factors)
        return Fitted("shown", fit, margins(fit, by), by_category.reorder_levels([1, 2, 0]))
    except WelfareError:
        return Model(TOO_FEW)


def _everywhere(people: Staff, inside: pd.Series) -> bool:
    """Whether a category has enough respondents, and some at every level: else nothing is its maximum."""
    mask = inside.to_numpy(bool)
    found = [people.frame.loc[mask, factor].value_counts() for factor in people.factors]
    return enough(people, [mask]) and all((count > 0).all() for count in found)
