r"""Choices on cards as a choice model, and what everybody would choose of something that is offered.

The utility of an alternative is linear in its attributes, what one pays by income group, and its constant shifts with
what is known of the person. A model fitted to those who had cards scores everybody: the offer is put before each row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..estimation import Design, Estimate, joint, mean, total
from ..estimation.choice import ChoiceFit, logit
from ..needs import housing, income_debt
from ..needs.income_debt import is_code
from ..study import Study
from ..survey import cards
from ..survey.codebook import Codebook
from .credit import ADULT

UNITS = {
    "price_dh": ("price_100k", 1e5),
    "instalment_dh": ("instalment_1k", 1e3),
    "size_m2": ("size_10m2", 10),
    "work_km": ("work_10km", 10),
    "services_km": ("services_10km", 10),
    "delivery_months": ("wait_years", 12),
    "amount_dh": ("amount_100k", 1e5),
    "rate_pct": ("rate_points", 1),
    "term_months": ("term_years", 12),
    "insurance_dh": ("insurance_100", 100),
    "cost_dh": ("cost_100", 100),
    "time_min": ("time_10min", 10),
    "headway_min": ("headway_10min", 10),
    "walk_min": ("walk_10min", 10),
}
CERTAIN = 8  # points of ten from which an answer counts as certain
INCOME_EDGES = (0, 4500, 7000, np.inf)  # DH a month
INCOME_GROUPS = ("low", "middle", "high", "unknown")
LEAST_BY_SHIFT = 150  # persons for each shift, which is a coefficient of every alternative but one
LEAST_IN_GROUP = 50  # who had cards; smaller groups count with the largest
MIDDLE_INCOME_DH = 6000.0


def persons(frame: pd.DataFrame, block: str) -> pd.DataFrame:
    """What may shift a choice, one row a person: a column for each that the frame can tell, 0 where it is not known.

    tenant, owner, crowded, active (0 or 1), decade (age from 40, tens of years), log_income (own income over 6,000 DH,
    logarithm) and income_group (low, middle, high by `INCOME_EDGES`, unknown): the groups of which enough had
    cards of the block, the others with the largest.
    """
    found: dict[str, object] = {}
    if "tenure" in frame:
        found |= {code: (frame["tenure"] == code).astype(float).fillna(0.0) for code in ("tenant", "owner")}
    if {"household_size_n", "rooms_n"} <= set(frame):
        found["crowded"] = housing.crowded(frame).astype("Float64").fillna(0.0).astype(float)
    if "status" in frame:
        found["active"] = (frame["status"] == "active").astype(float)
    if "age" in frame:
        found["decade"] = ((frame["age"] - 40) / 10).fillna(0.0).astype(float)
    group = pd.Series("unknown", index=frame.index, dtype=object)
    if {"status", "net_pay_dh", "pension_dh"} <= set(frame):
        income = income_debt.member_income_dh(frame)
        found["log_income"] = np.log(income.where(income > 0) / MIDDLE_INCOME_DH).fillna(0.0)
        bands = pd.cut(income, list(INCOME_EDGES), labels=["low", "middle", "high"], right=False)
        group = bands.astype(object).where(bands.notna(), "unknown")
    cards_had = frame[f"{block}_version"].notna() if f"{block}_version" in frame else pd.Series(False, frame.index)
    had = group[cards_had if cards_had.any() else ~cards_had].value_counts()
    kept = [g for g in INCOME_GROUPS if had.get(g, 0) >= LEAST_IN_GROUP] or [had.idxmax()]
    group = group.where(group.isin(kept), had.idxmax())
    return pd.DataFrame(found, index=frame.index).assign(income_group=pd.Categorical(group, kept))


def observed(frame: pd.DataFrame, codebook: Codebook, block: str, people: pd.DataFrame) -> pd.DataFrame:
    """Cards of a block as the long frame of `survey.cards.long`, with attributes in the units of a model.

    ``row`` names the row of ``frame``; the columns of ``people`` (`persons`) are added.
    """
    long = cards.long(frame.drop(columns="person_id", errors="ignore"), codebook, block)
    return _joined(long.rename(columns={"person_id": "row"}), people)


def offered(
    frame: pd.DataFrame,
    codebook: Codebook,
    block: str,
    people: pd.DataFrame,
    offers: pd.DataFrame,
    personal: Mapping[tuple[str, str], pd.Series] | None = None,
    available: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The long frame of an offer that is put before every row of a frame.

    Parameters
    ----------
    frame : DataFrame (n rows)
        Persons; what they have now are the attributes of the first alternative, the reference of the cards where that
        is not known.
    codebook, block : Codebook, str
        The block of cards that the model was fitted to.
    people : DataFrame
        `persons` of the rows of ``frame``, and perhaps of others.
    offers : DataFrame (alternatives x attributes)
        What is offered, in the units of the cards; a blank is zero. Alternatives that are not among its rows are not
        offered; the first is always there.
    personal : mapping of (alternative, attribute) to Series (n rows), optional
        Attributes that differ from person to person.
    available : DataFrame (n rows x alternatives), optional
        False where an alternative is not open to a person; a column that is absent is open to all.

    Raises
    ------
    WelfareError
        An alternative or attribute that the cards do not have; a personal attribute that is missing.
    """
    design = cards.Block.of(codebook, block)
    first, attributes = design.alternatives[0], design.attributes
    unknown = [*offers.index.difference(design.alternatives[1:]), *offers.columns.difference(list(attributes))]
    if unknown:
        raise WelfareError("not on the cards", where=f"offers of {block}", got=", ".join(map(str, unknown)))
    there = [first, *(a for a in design.alternatives[1:] if a in offers.index)]
    present = cards.present(frame, codebook, block)
    shape, long = (len(frame), len(there)), {}
    for attribute in attributes:
        known = offers[attribute] if attribute in offers else pd.Series(0.0, offers.index)
        values = np.tile([0.0, *known.reindex(there[1:]).fillna(0.0)], (shape[0], 1))
        reference = design.levels[first, attribute][0]
        values[:, 0] = np.where(np.isnan(own := present.get(attribute, np.full(shape[0], reference))), reference, own)
        for j, alternative in enumerate(there):
            if personal and (alternative, attribute) in personal:
                values[:, j] = personal[alternative, attribute].to_numpy(float)
        if attribute in cards.AT_WORK and "status" in frame:
            values *= (frame["status"] == "active").to_numpy()[:, None]
        long[attribute] = values.ravel()
    if any(np.isnan(values).any() for values in long.values()):
        raise WelfareError("an attribute of an offer is missing", where=f"offers of {block}")
    keep = np.ones(shape, dtype=bool)
    for j, alternative in enumerate(there[1:], start=1):
        if available is not None and alternative in available:
            keep[:, j] = available[alternative].to_numpy(bool)
    case, codes = np.repeat(np.arange(shape[0]), shape[1]), codebook.codes(f"{block}_alternative")
    table = pd.DataFrame(long).assign(
        case=case,
        row=frame.index.to_numpy()[case],
        alternative=pd.Categorical.from_codes(np.tile([codes.index(a) for a in there], shape[0]), codes),
    )
    return _joined(table[keep.ravel()].reset_index(drop=True), people)


def changed(long: pd.DataFrame, before: pd.DataFrame, after: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The long frame of `offered` at other offers, with only the columns that an attribute that changes stands beside.

    Parameters
    ----------
    long : DataFrame
        `offered` of ``before``, every alternative before everybody.
    before, after : DataFrame (the same alternatives x attributes)
        Offers, in the units of the cards.

    Returns
    -------
    (DataFrame, list of str)
        ``income_group`` and the attributes that change, in the units of a model; their names.
    """
    there = list(dict.fromkeys(long["alternative"].iloc[: len(before) + 1]))
    table = {"income_group": long["income_group"]}
    for attribute in before.columns[(before.fillna(0.0) != after.fillna(0.0)).any()]:
        name, step = UNITS[attribute]
        values = long[name].to_numpy().reshape(-1, len(there)).copy()
        inside = long["active"].to_numpy().reshape(values.shape)[:, 0] if attribute in cards.AT_WORK else 1.0
        for alternative in before.index:
            new = after[attribute].fillna(0.0)[alternative]
            if new != before[attribute].fillna(0.0)[alternative]:
                values[:, there.index(alternative)] = new / step * inside
        table[name] = pd.Series(values.ravel(), long.index)
    return pd.DataFrame(table), [name for name in table if name != "income_group"]


def _joined(long: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Attributes in the units of a model, and what is known of the persons."""
    scaled = {name: long[attribute] / step for attribute, (name, step) in UNITS.items() if attribute in long}
    place = people.index.get_indexer(long["row"])
    known = {name: column.array.take(place) for name, column in people.items()}
    return long.assign(**scaled, **known)


def formula(long: pd.DataFrame, paid: Sequence[str], others: Sequence[str], shifts: Sequence[str]) -> str:
    """Right and left side of the model: constants by person, what one pays by income group, other attributes.

    What does not vary in ``long`` is left out, and shifts that too few persons would identify, the last first.
    """
    kept = [name for name in shifts if name in long and long[name].nunique() > 1]
    kept = kept[: long["row"].nunique() // LEAST_BY_SHIFT]
    groups = long["income_group"].nunique() > 1
    parts = ["C(alternative)" + (f" * ({' + '.join(kept)})" if kept else "")]
    parts += [f"{name}:C(income_group)" if groups else name for name in paid]
    return f"chosen ~ {' + '.join([*parts, *others])}"


def fitted(design: Design, long: pd.DataFrame, model: str) -> ChoiceFit:
    """The conditional logit of cards: a person who answered several is one unit of the design."""
    return logit(design, long, model, case="case", alternative="alternative", person="row")


T = TypeVar("T")


class shared(cached_property[T]):  # noqa: N801 - named as `cached_property` is
    """A property that no change of terms moves: computed once, by the first market."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Return the value that the first market has."""
        if instance is not None and instance.origin is not None:
            return getattr(instance.origin, str(self.attrname))
        return super().__get__(instance, owner)


@dataclass(frozen=True, eq=False)
class CardMarket:
    """People before offers that cards describe, at some terms: one model of the cards for all terms.

    A market is never changed: at other terms it is another one, with what the terms do not decide (people, answers,
    models) taken from the first. Nothing is kept but in properties that are computed once. Kinds of offers add their
    terms, ``at(...)`` and ``demand(...)``.

    Attributes
    ----------
    frame : DataFrame (n rows)
        Answers of everybody, rows named as those of ``design``.
    design : Design
    codebook : Codebook
    origin : CardMarket or None
        The market of the same people that this one was made from by a change of terms.
    block, paid, others, shifts
        The block of cards, and what its utility is made of (`formula`).
    reached
        Whether a step of its funnel is a share of those who reached it (`funnel`).
    """

    block: ClassVar[str]
    paid: ClassVar[tuple[str, ...]]
    others: ClassVar[tuple[str, ...]]
    shifts: ClassVar[tuple[str, ...]]
    reached: ClassVar[bool] = False  # see `funnel`
    frame: pd.DataFrame
    design: Design
    codebook: Codebook
    origin: Any = field(default=None, kw_only=True, repr=False)

    @property
    def first(self) -> Any:
        """The market of these people that was made from no other."""
        return self if self.origin is None else self.origin

    @cached_property
    def superpopulation(self) -> Design:
        """The design of coefficients."""
        return self.design.superpopulation()

    @shared
    def adult(self) -> pd.Series:
        """Whether a row is of age, and so may buy or borrow."""
        return (self.frame["age"] >= ADULT).fillna(False).astype(bool)

    @property
    def counted(self) -> pd.Series:
        """Of whom numbers speak."""
        return self.adult

    @shared
    def people(self) -> pd.DataFrame:
        """What may shift the choice of each row."""
        return persons(self.frame, self.block)

    @property
    def wishers(self) -> pd.Series:
        """Who counts for the headline: those who say that they want what is offered."""
        raise NotImplementedError

    @shared
    def cards(self) -> pd.DataFrame:
        """The cards that were answered."""
        return observed(self.frame, self.codebook, self.block, self.people)

    def fit(self) -> ChoiceFit:
        """The model of the cards; fitted once for all terms and offers."""
        return self._fit

    @shared
    def _fit(self) -> ChoiceFit:
        return fitted(self.superpopulation, self.cards, formula(self.cards, self.paid, self.others, self.shifts))

    @shared
    def sure(self) -> Estimate:
        """Part of the wishers who are certain of their choices on cards, of those who said how certain they are."""
        points = self.frame[f"{self.block}_certainty"].astype(float)
        return mean(self.design, (points >= CERTAIN).rename("certain"), where=self.wishers & points.notna())

    @shared
    def believed(self) -> Estimate | None:
        """Part of the wishers who hold that their answers count; None where that was not asked."""
        if "consequential" not in self.frame:
            return None
        counts = is_code(self.frame["consequential"], "somewhat", "much").rename("part")
        return mean(self.design, counts, where=self.wishers & counts.notna())

    def number(self, by: Any = None, where: Any = None) -> Estimate:
        """How many people there are, by domain."""
        inside = self.counted if where is None else self.counted & where
        flags = self.counted.astype(float).rename("people")
        return total(self.design, flags, by=by, where=inside).as_positive()


def asked(study: Study, needed: Sequence[str], what: str) -> tuple[pd.DataFrame, Design, Codebook]:
    """What a market is made of: answers, named as the rows of the design, the design and the codebook.

    Raises
    ------
    WelfareError
        A question that the model or the rules need was not asked.
    """
    if absent := study.lacking(needed):
        raise WelfareError("the question was not asked", where=f"demand for {what}", got=", ".join(absent))
    return study.frame.set_axis(study.design.index), study.design, study.codebook


def times(shares: Estimate, size: Estimate, index: pd.Index) -> Estimate:
    """Values by (anything, domain) times the sizes of the same domains, named by ``index``: products of estimates.

    Neither may be negative: what comes back is `Estimate.positive`.

    Raises
    ------
    WelfareError
        The sizes are of other domains: of some the shares are not known.
    """
    level, many = shares.value.to_numpy(), size.value.to_numpy()
    of, own = (estimate.value.index.get_level_values(-1) for estimate in (shares, size))
    if len(many) > 1 and list(of) != list(own) * (len(level) // len(many)):
        raise WelfareError("the sizes are of other domains", where="times", got=list(own), expected=str(list(of)))
    repeats = len(level) // len(many)
    slopes = np.hstack([np.diag(np.tile(many, repeats)), np.vstack([*map(np.diag, level.reshape(repeats, -1))])])
    product = pd.Series(level * np.tile(many, repeats), index=index)
    return joint({"share": shares, "people": size}).apply(lambda _: product, slopes).as_positive()


def scaled(estimate: Estimate, factor: float) -> Estimate:
    """All values times a number."""
    return estimate.apply(lambda v: factor * v, factor * np.eye(len(estimate.value)))


def sums(estimate: Estimate, names: Any, weights: Any) -> Estimate:
    """Linear combinations of an estimate: ``weights`` (combinations x values), named."""
    matrix = np.asarray(weights, dtype=float)
    return estimate.apply(lambda v: pd.Series(matrix @ v.to_numpy(), index=names), matrix)
