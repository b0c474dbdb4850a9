r"""Stated-choice cards: what they show, what they tell, and answers as the long frame of a choice model.

A card shows J alternatives with attributes :math:`x_j` (K columns: the constants, then the attributes). Under the
conditional logit with prior :math:`\beta`, shares :math:`p_j`, one card tells

.. math:: I = \sum_j p_j (x_j - \bar x)(x_j - \bar x)', \qquad \bar x = \sum_j p_j x_j,

and a design of S cards has the D-error :math:`\det(S^{-1} \sum_s I_s)^{-1/K}`, an error a card (Rose and Bliemer 2009,
Transport Reviews 29, 587-617).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from ..errors import WelfareError
from ..languages import number
from .codebook import Codebook

RANK = 1e-12  # smallest over largest singular value, in units of one order, that still identifies
DASH = "\u2013"  # has no such attribute
AT_WORK = ("work_km",)  # attributes that the forms of those who do not serve leave out
# what is known of the alternative that a person has already: attribute, columns of the form that are added up
STATUS_QUO: dict[str, dict[str, tuple[str, ...]]] = {
    "home": {"instalment_dh": ("rent_dh", "housing_deduction_dh"), "size_m2": ("dwelling_m2",),
             "work_km": ("commute_km",), "services_km": ("services_km",)},
    "commute": {"cost_dh": ("commute_cost_dh",), "time_min": ("commute_min",)},
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Block:
    """The alternatives of one block of cards, its attributes, their levels and the prior.

    ``levels`` has, for each (alternative, attribute), the values it may take; ``times`` the attribute that a level is a
    multiple of; ``prior`` (K) the constants of all alternatives but the first, then the attributes.
    """

    name: str
    alternatives: tuple[str, ...]
    attributes: tuple[str, ...]
    levels: dict[tuple[str, str], tuple[float, ...]]
    times: dict[tuple[str, str], str]
    prior: pd.Series

    @classmethod
    @cache
    def of(cls, codebook: Codebook, name: str) -> Block:
        """The block of a codebook.

        Raises
        ------
        WelfareError
            A block that ``cards.csv`` does not have, a level or a prior that is no number.
        """
        rows = codebook.cards[codebook.cards["block"] == name]
        if rows.empty:
            raise WelfareError("no such block of cards", where="cards.csv", got=name)
        generic, own = rows[rows["alternative"] == ""], rows[rows["alternative"] != ""]
        constants = own[own["attribute"] == "constant"]
        own = own[own["attribute"] != "constant"]
        try:
            levels = {(r.alternative, r.attribute): tuple(map(float, r.levels.split("|"))) for r in own.itertuples()}
            prior = pd.Series([*constants["prior"], *generic["prior"]], dtype=float)
        except ValueError as error:
            raise WelfareError("no number", where=f"cards.csv, block {name}", got=str(error)) from None
        times = {(r.alternative, r.attribute): r.times for r in own.itertuples() if r.times}
        prior.index = pd.Index([*constants["alternative"], *generic["attribute"]])
        alternatives, attributes = tuple(dict.fromkeys(own["alternative"])), tuple(generic["attribute"])
        return cls(name, alternatives, attributes, levels, times, prior)

    @property
    def varied(self) -> list[tuple[str, str]]:
        """The (alternative, attribute) pairs with more than one level."""
        return [key for key, values in self.levels.items() if len(values) > 1]

    def values(self, picked: np.ndarray) -> np.ndarray:
        """Attributes (n x J x A) of cards given by the places of their levels (n x pairs of `varied`)."""
        shape = (len(picked), len(self.alternatives), len(self.attributes))
        shown, place = np.zeros(shape), {key: i for i, key in enumerate(self.varied)}
        for j, a in product(range(shape[1]), range(shape[2])):
            key = self.alternatives[j], self.attributes[a]
            level = np.array(self.levels[key])
            shown[:, j, a] = level[picked[:, place[key]]] if key in place else level[0]
        for (alternative, attribute), other in self.times.items():
            j = self.alternatives.index(alternative)
            a, b = self.attributes.index(attribute), self.attributes.index(other)
            shown[:, j, a] = np.round(shown[:, j, a] * shown[:, j, b], -1)  # to 10 DH, as a card would print it
        return shown

    def matrix(self, values: np.ndarray) -> np.ndarray:
        """Constants and attributes (n x J x K) of cards."""
        n, j, _ = values.shape
        constants = np.broadcast_to(np.eye(j)[:, 1:], (n, j, j - 1))
        return np.concatenate([constants, values], axis=2)


def information(x: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """What each card tells (n x K x K) under the conditional logit; x is n x J x K."""
    p = shares(x, prior)
    centred = x - np.einsum("nj,njk->nk", p, x)[:, None]
    return np.einsum("nj,njk,njl->nkl", p, centred, centred)


def shares(x: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Choice probabilities (n x J)."""
    return special.softmax(x @ prior, axis=1)


def d_error(info: np.ndarray) -> float:
    """The D-error of cards with their information (n x K x K): determinant of the mean, to the power -1 / K.

    Infinite where the cards do not identify every coefficient.
    """
    mean = info.mean(axis=0)
    unit = np.sqrt(np.diagonal(mean))
    if not unit.all() or np.linalg.cond(mean / unit / unit[:, None]) > 1 / RANK:
        return float("inf")
    return float(np.exp(-np.linalg.slogdet(mean)[1] / len(mean)))


def annuity(rate: np.ndarray | float, months: np.ndarray | float) -> np.ndarray:
    r"""Present value :math:`a_n = (1 - (1 + r)^{-n}) / r` of one dirham a month, the first in a month.

    A level loan L is paid back by :math:`L / a_n` a month. Without interest it is n, over no month 0.

    Parameters
    ----------
    rate : array or float
        Interest a year as a share, r = rate / 12 a month.
    months : array or float
        Number n of instalments; what is missing stays missing.

    Raises
    ------
    WelfareError
        A rate or a term below zero.
    """
    r, n = np.broadcast_arrays(np.asarray(rate, dtype=float) / 12, np.asarray(months, dtype=float))
    if (r < 0).any() or (n < 0).any():
        raise WelfareError("below zero", where="annuity", expected="a rate and a term of zero or more")
    return np.divide(-np.expm1(-n * np.log1p(r)), r, out=n.copy(), where=r > 0)


def instalment(amount: np.ndarray, rate_pct: np.ndarray, months: np.ndarray) -> np.ndarray:
    """The level instalment a month of a loan, to the dirham; 0 where nothing is borrowed."""
    worth = annuity(np.asarray(rate_pct) / 100, np.where(amount == 0, 1, months))
    return np.round(amount / worth)


def stored(codebook: Codebook, name: str) -> pd.DataFrame:
    """The committed cards of a block, numbers as numbers: version, card, alternative and the attributes shown."""
    rows = codebook.designs[codebook.designs["block"] == name].drop(columns="block").reset_index(drop=True)
    numbers = rows.drop(columns="alternative").apply(pd.to_numeric, errors="coerce")
    numbers = numbers.astype({c: float for c in numbers if c not in ("version", "card")})
    return numbers.assign(alternative=rows["alternative"]).dropna(axis=1, how="all")


def shown(
    codebook: Codebook, name: str, language: str = "en", status: str = "active"
) -> dict[tuple[int, int], pd.DataFrame]:
    """Cards as they are printed, by (version, card): a row an attribute, a column an alternative, words and numbers."""
    cards, block = stored(codebook, name), Block.of(codebook, name)
    hidden = {"version", "card", "alternative", *(() if status == "active" else AT_WORK)}
    listed = [a for a in dict.fromkeys([*block.attributes, *cards]) if a not in hidden]
    lines = cards.to_dict("records")
    cells = [[_cell(codebook, block, line, a, language) for line in lines] for a in listed]
    names = pd.Index([codebook.label(f"{name}_alternative", a, language) for a in block.alternatives])
    labels = pd.Index([codebook.label("card_attribute", a, language) for a in listed])
    keys = cards[["version", "card"]].drop_duplicates().itertuples(index=False, name=None)
    tables = np.array(cells, dtype=object).reshape(len(listed), -1, len(names))
    return {key: pd.DataFrame(tables[:, i], index=labels, columns=names) for i, key in enumerate(keys)}


def _cell(codebook: Codebook, block: Block, line: Mapping[Hashable, Any], attribute: str, language: str) -> str:
    alternative, value = line["alternative"], line[attribute]
    if alternative == block.alternatives[0]:
        own = attribute in STATUS_QUO.get(block.name, {})
        return codebook.text("form.as_now", language) if own else DASH
    if block.levels.get((alternative, attribute)) == (0.0,):
        return DASH
    return number(value, language, next(d for d in range(3) if round(value, d) == round(value, 2)))


def long(answers: pd.DataFrame, codebook: Codebook, name: str) -> pd.DataFrame:
    """Answers to a block of cards as a long frame, one row an alternative of an answered card.

    Parameters
    ----------
    answers : DataFrame (n rows)
        Forms with ``<block>_version``, ``<block>_card_1`` ...; ``person_id`` where there is one.
    codebook, name : Codebook, str
        The cards and the block.

    Returns
    -------
    DataFrame
        ``case`` (a card of a person), ``person_id`` (the row's label where there is no key), ``card``,
        ``alternative`` (categorical), the attributes, ``chosen`` (0 or 1). The attributes of what the person has are
        the person's own where the columns of STATUS_QUO are answered: for a home rent plus housing deduction (0 where
        it was not asked: no tenant, no loan), area, distance to work and to services; for a way to work its cost and
        time. Elsewhere they are the reference of ``cards.csv``. Distance to work is 0 on the cards of those who do not
        serve.

    Raises
    ------
    WelfareError
        If a column of the block is not there, or a version is not among the cards.
    """
    shown = stored(codebook, name)
    columns = [f"{name}_card_{i}" for i in sorted(shown["card"].unique())]
    lacking = [c for c in (f"{name}_version", *columns) if c not in answers]
    if lacking:
        hint = f"The block {name} has one column a card."
        raise WelfareError("the cards were not asked", where=lacking[0], hint=hint)
    person = answers["person_id"].to_numpy() if "person_id" in answers else answers.index.to_numpy()
    choices = answers[columns].astype(object).set_axis(range(1, len(columns) + 1), axis=1).reset_index(drop=True)
    answered = choices.stack().rename_axis(["row", "card"]).rename("choice").reset_index()
    version = answers[f"{name}_version"].to_numpy(dtype=float)[answered["row"]]
    answered = answered.assign(version=version).dropna()
    unknown = ~answered["version"].isin(shown["version"])
    if unknown.any():
        got, expected = answered.loc[unknown, "version"].iloc[0], f"1 to {shown['version'].max()}"
        raise WelfareError("a version that has no cards", where=f"{name}_version", got=got, expected=expected)
    answered = answered.assign(case=np.arange(len(answered)))
    frame = answered.merge(shown, "left", ["version", "card"])
    if "status" in answers:
        serves = (answers["status"] == "active").to_numpy()[frame["row"]]
        frame = frame.assign(**{a: frame[a].where(serves, 0.0) for a in AT_WORK if a in frame})
    first = frame["alternative"] == codebook.codes(f"{name}_alternative")[0]
    for attribute, values in present(answers, codebook, name).items():
        mine = pd.Series(values[frame["row"]], index=frame.index)
        frame[attribute] = frame[attribute].mask(first & mine.notna(), mine)
    return frame.assign(
        person_id=person[frame["row"]],
        chosen=(frame["choice"] == frame["alternative"]).astype(int),
        alternative=pd.Categorical(frame["alternative"], codebook.codes(f"{name}_alternative")),
    ).drop(columns=["row", "choice", "version"])


def present(answers: pd.DataFrame, codebook: Codebook, name: str) -> dict[str, np.ndarray]:
    """What persons have now, by attribute (nan where not known)."""
    values: dict[str, np.ndarray] = {}
    for attribute, columns in STATUS_QUO.get(name, {}).items():
        values[attribute] = np.zeros(len(answers))
        for column in columns:
            value = answers[column] if column in answers else pd.Series(np.nan, index=answers.index)
            unasked = (~codebook.asked(column, answers, answers.index)).fillna(False).to_numpy(dtype=bool)
            values[attribute] += np.where(unasked, 0.0, value.to_numpy(dtype=float))
    return values
