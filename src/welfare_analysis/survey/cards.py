r"""Stated-choice cards: D-efficient designs, and answers as the long frame of a choice model.

A card shows J alternatives with attributes :math:`x_j` (K columns: the constants, then the attributes). Under the
conditional logit with prior :math:`\beta`, shares :math:`p_j`, one card tells

.. math:: I = \sum_j p_j (x_j - \bar x)(x_j - \bar x)', \qquad \bar x = \sum_j p_j x_j,

and a design of S cards has the D-error :math:`\det(S^{-1} \sum_s I_s)^{-1/K}`, an error a card. References: Sandor and
Wedel (2001), J. Marketing Research 38, 430-444; Rose and Bliemer (2009), Transport Reviews 29, 587-617; the exchange
is that of Cook and Nachtsheim (1980), Technometrics 22, 315-324. Priors are assumptions: a wrong one costs precision,
not consistency.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..languages import number
from .codebook import Codebook

SEED = 20120301  # the month in which the form went out
CARDS, VERSIONS = 6, 4
CANDIDATES, STARTS, PASSES = 800, 3, 12
BALANCE = 4.0  # weight of uneven levels against the logarithm of the D-error
SHARE_LOW, SHARE_HIGH = 0.02, 0.85  # a card on which the prior leaves no choice teaches little
DASH = "\u2013"  # has no such attribute
AT_WORK = ("work_km",)  # attributes that the forms of those who do not serve leave out
# what is known of the alternative that a person has already: attribute, columns of the form that are added up
STATUS_QUO: dict[str, dict[str, tuple[str, ...]]] = {
    "home": {
        "instalment_dh": ("rent_dh", "housing_deduction_dh"),
        "size_m2": ("dwelling_m2",),
        "work_km": ("commute_km",),
        "services_km": ("services_km",),
    },
    "commute": {"cost_dh": ("commute_cost_dh",), "time_min": ("commute_min",)},
}


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
            levels = {
                (r.alternative, r.attribute): tuple(float(x) for x in r.levels.split("|")) for r in own.itertuples()
            }
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
        found, place = np.zeros(shape), {key: i for i, key in enumerate(self.varied)}
        for j, a in product(range(shape[1]), range(shape[2])):
            key = self.alternatives[j], self.attributes[a]
            level = np.array(self.levels[key])
            found[:, j, a] = level[picked[:, place[key]]] if key in place else level[0]
        for (alternative, attribute), other in self.times.items():
            j = self.alternatives.index(alternative)
            a, b = self.attributes.index(attribute), self.attributes.index(other)
            found[:, j, a] = np.round(found[:, j, a] * found[:, j, b], -1)  # to 10 DH, as a card would print it
        return found

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
    u = x @ prior
    e = np.exp(u - u.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def d_error(x: np.ndarray, prior: np.ndarray) -> float:
    """The D-error of cards (n x J x K): determinant of the mean information, to the power -1 / K.

    Infinite where the cards do not identify every coefficient.
    """
    sign, log = np.linalg.slogdet(information(x, prior).mean(axis=0))
    return float(np.exp(-log / len(prior))) if sign > 0 else float("inf")


def candidates(block: Block, n: int, rng: np.random.Generator) -> np.ndarray:
    """Cards that may be shown, as places of levels (n x pairs): no alternative dominated, none sure under the prior."""
    sizes = [len(block.levels[key]) for key in block.varied]
    picked = np.unique(rng.integers(0, sizes, size=(12 * n, len(sizes))), axis=0)
    rng.shuffle(picked)
    values = block.values(picked)
    p = shares(block.matrix(values), block.prior.to_numpy())
    fit = ~_dominated(values, block) & (p.min(axis=1) > SHARE_LOW) & (p.max(axis=1) < SHARE_HIGH)
    if fit.sum() < len(block.prior) * 3:
        hint = "Levels or priors leave one alternative always chosen or never."
        raise WelfareError("too few cards leave a choice", where=f"cards.csv, block {block.name}", hint=hint)
    return picked[fit][:n]


def _dominated(values: np.ndarray, block: Block) -> np.ndarray:
    """Cards with an offer as good or worse in each attribute than another offer (the first is what a person has)."""
    good = values[:, 1:] * np.sign(block.prior[list(block.attributes)].to_numpy())
    better = (good[:, :, None] >= good[:, None]).all(axis=3)
    return (better & ~np.eye(good.shape[1], dtype=bool)).any(axis=(1, 2))


def design(
    codebook: Codebook, name: str, seed: int = SEED, cards: int = CARDS, versions: int = VERSIONS
) -> pd.DataFrame:
    """A D-efficient design of a block of cards.

    Parameters
    ----------
    codebook, name : Codebook, str
        The attributes, levels and priors of the block.
    seed, cards, versions : int
        Cards a person, and versions of the form among which they are shared out.

    Returns
    -------
    DataFrame
        One row an alternative of a card: block, version, card, alternative and its attributes.
    """
    block, rng = Block.of(codebook, name), np.random.default_rng(seed)
    pool = candidates(block, CANDIDATES, rng)
    results = [exchange(block, pool, cards * versions, rng) for _ in range(STARTS)]
    chosen = pool[min(results, key=lambda result: result[1])[0]]
    chosen = chosen[_shared_out(_dummies(block, chosen), versions, rng)]
    values = block.values(chosen)
    if "rate_pct" in block.attributes:  # what a card also prints
        rate, term, amount = (values[:, :, block.attributes.index(a)] for a in ("rate_pct", "term_months", "amount_dh"))
        values = np.concatenate([values, instalment(amount, rate, term)[:, :, None]], axis=2)
    keys = [(name, i // cards + 1, i % cards + 1, a) for i in range(len(chosen)) for a in block.alternatives]
    names = [*block.attributes, *["instalment_dh"][: values.shape[2] - len(block.attributes)]]
    frame = pd.DataFrame(keys, columns=["block", "version", "card", "alternative"])
    return frame.join(pd.DataFrame(values.reshape(len(keys), -1), columns=names))


def designs(codebook: Codebook) -> pd.DataFrame:
    """The designs of all blocks, one under the other, as ``card_designs.csv`` holds them."""
    return pd.concat([design(codebook, name) for name in codebook.cards["block"].unique()])


def instalment(amount: np.ndarray, rate_pct: np.ndarray, months: np.ndarray) -> np.ndarray:
    """The level instalment a month of a loan, to the dirham; 0 where nothing is borrowed."""
    r, n = np.maximum(rate_pct, 1e-9) / 1200, np.maximum(months, 1)
    return np.round(amount * r / (1 - (1 + r) ** -n))


def _dummies(block: Block, picked: np.ndarray) -> np.ndarray:
    """A column a level of each varied attribute, less its even share."""
    sizes = [len(block.levels[key]) for key in block.varied]
    return np.concatenate([np.eye(k)[picked[:, i]] - 1 / k for i, k in enumerate(sizes)], axis=1)


def exchange(block: Block, pool: np.ndarray, n: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Rows of a pool that make a good design of n cards, and its criterion (log D-error plus uneven levels).

    Each card in turn gives way to the best of the pool (Cook and Nachtsheim's modified Fedorov exchange) until a pass
    brings nothing.
    """
    prior = block.prior.to_numpy()
    info, level = information(block.matrix(block.values(pool)), prior), _dummies(block, pool)
    scale = 1 / np.sqrt(np.diagonal(info.mean(axis=0)))  # units of one order: the determinant is then well behaved
    info = info * scale[:, None] * scale
    rows, best = rng.choice(len(pool), n, replace=False), np.inf
    for _ in range(PASSES):
        before = best
        for i in range(n):
            others = np.delete(rows, i)
            sign, log = np.linalg.slogdet((info[others].sum(axis=0) + info) / n)
            uneven = np.square((level[others].sum(axis=0) + level) / n).sum(axis=1) / len(block.varied)
            criterion = np.where(sign > 0, -log / len(prior), np.inf) + BALANCE * uneven
            criterion[others] = np.inf  # no card twice
            rows[i] = int(np.argmin(criterion))
            best = float(criterion[rows[i]])
        if best >= before - 1e-9:
            break
    return rows, best


def _shared_out(level: np.ndarray, versions: int, rng: np.random.Generator) -> np.ndarray:
    """An order of the cards in which each version has its share of every level, by exchanges of two cards."""
    order = rng.permutation(len(level)).reshape(versions, -1)

    def uneven(rows: np.ndarray) -> float:
        return float(np.square(level[rows].sum(axis=1)).sum())

    best = uneven(order)
    for _ in range(PASSES):
        before = best
        for a, b in product(range(order.size), repeat=2):
            if a < b and a // order.shape[1] != b // order.shape[1]:
                other = order.copy()
                other.flat[a], other.flat[b] = order.flat[b], order.flat[a]
                if uneven(other) < best - 1e-12:
                    order, best = other, uneven(other)
        if best == before:
            break
    return order.ravel()


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
    cells = [
        [
            _cell(codebook, block, alternative, a, x, language)
            for alternative, x in zip(cards["alternative"], cards[a], strict=True)
        ]
        for a in listed
    ]
    names = pd.Index([codebook.label(f"{name}_alternative", a, language) for a in block.alternatives])
    labels = pd.Index([codebook.label("card_attribute", a, language) for a in listed])
    keys = cards[["version", "card"]].drop_duplicates().itertuples(index=False, name=None)
    tables = np.array(cells, dtype=object).reshape(len(listed), -1, len(names))
    return {key: pd.DataFrame(tables[:, i], index=labels, columns=names) for i, key in enumerate(keys)}


def _cell(codebook: Codebook, block: Block, alternative: str, attribute: str, value: float, language: str) -> str:
    if alternative == block.alternatives[0]:
        own = attribute in STATUS_QUO.get(block.name, {})
        return codebook.text("form.as_now", language) if own else DASH
    if block.levels.get((alternative, attribute)) == (0.0,):
        return DASH
    return number(value, language, next(d for d in range(3) if round(value, d) == round(value, 2)))


def efficiency(codebook: Codebook, name: str, seed: int = SEED, draws: int = 200) -> dict[str, float]:
    """How good the committed cards are.

    Returns
    -------
    dict
        ``d_error``; ``random`` and ``all_cards``: the D-error of random designs of as many cards (median) and of all
        candidates together, over ours; ``least_level_share``: the share of the rarest level of any attribute, times
        the number of its levels (1 = even).
    """
    block, rng = Block.of(codebook, name), np.random.default_rng(seed)
    cards = stored(codebook, name)
    n, prior = len(cards) // len(block.alternatives), block.prior.to_numpy()
    values = cards[list(block.attributes)].to_numpy().reshape(n, len(block.alternatives), -1)
    ours = d_error(block.matrix(values), prior)
    pool = block.matrix(block.values(candidates(block, 4 * CANDIDATES, rng)))
    random = np.median([d_error(pool[rng.choice(len(pool), n, replace=False)], prior) for _ in range(draws)])
    rare = [
        np.min([(_base(cards, key, block) == k).mean() for k in range(len(block.levels[key]))]) * len(block.levels[key])
        for key in block.varied
    ]
    return {
        "d_error": ours,
        "random": float(random) / ours,
        "all_cards": d_error(pool, prior) / ours,
        "least_level_share": float(min(rare)),
    }


def _base(cards: pd.DataFrame, key: tuple[str, str], block: Block) -> np.ndarray:
    """Which level of an attribute each card shows."""
    rows = cards[cards["alternative"] == key[0]]
    shown = rows[key[1]].to_numpy()
    levels = np.array(block.levels[key])[:, None]
    if key in block.times:
        levels = levels * rows[block.times[key]].to_numpy()
    return np.abs(levels - shown).argmin(axis=0)


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
        ``alternative`` (categorical), the attributes, ``chosen`` (0 or 1), ``own_known``: whether the attributes of
        what the person has are the person's own. They are where the columns of STATUS_QUO are answered: for a home
        rent plus housing deduction (0 where it was not asked: no tenant, no loan), area, distance to work and to
        services; for a way to work its cost and time. Elsewhere they are the reference of ``cards.csv``. Distance to
        work is 0 on the cards of those who do not serve.

    Raises
    ------
    WelfareError
        If a column of the block is not there, or a version is not among the cards.
    """
    shown = stored(codebook, name)
    columns = [f"{name}_card_{i}" for i in sorted(shown["card"].unique())]
    lacking = [c for c in (f"{name}_version", *columns) if c not in answers]
    if lacking:
        raise WelfareError(
            "the cards were not asked", where=lacking[0], hint=f"The block {name} has one column a card."
        )
    person = answers["person_id"].to_numpy() if "person_id" in answers else answers.index.to_numpy()
    told = pd.DataFrame(
        {
            "row": np.repeat(np.arange(len(answers)), len(columns)),
            "card": np.tile(np.arange(1, len(columns) + 1), len(answers)),
            "version": np.repeat(answers[f"{name}_version"].to_numpy(dtype=float), len(columns)),
            "choice": answers[columns].astype(object).to_numpy().ravel(),
        }
    ).dropna()
    unknown = ~told["version"].isin(shown["version"])
    if unknown.any():
        got, expected = told.loc[unknown, "version"].iloc[0], f"1 to {shown['version'].max()}"
        raise WelfareError("a version that has no cards", where=f"{name}_version", got=got, expected=expected)
    told = told.assign(case=np.arange(len(told)))
    frame = told.merge(shown, on=["version", "card"], sort=False).sort_values("case", kind="stable", ignore_index=True)
    own, known = _own(answers, codebook, name)
    if "status" in answers:
        serves = (answers["status"] == "active").to_numpy()[frame["row"]]
        frame = frame.assign(**{a: frame[a].where(serves, 0.0) for a in AT_WORK if a in frame})
    first = frame["alternative"] == codebook.codes(f"{name}_alternative")[0]
    for attribute, values in own.items():
        mine = pd.Series(values[frame["row"]], index=frame.index)
        frame[attribute] = frame[attribute].mask(first & mine.notna(), mine)
    return frame.assign(
        person_id=person[frame["row"]],
        chosen=(frame["choice"] == frame["alternative"]).astype(int),
        alternative=pd.Categorical(frame["alternative"], codebook.codes(f"{name}_alternative")),
        own_known=known[frame["row"]],
    ).drop(columns=["row", "choice", "version"])


def _own(answers: pd.DataFrame, codebook: Codebook, name: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What persons have now, by attribute (nan where not known), and whether all of it is known."""
    found: dict[str, np.ndarray] = {}
    known = np.ones(len(answers), dtype=bool)
    for attribute, columns in STATUS_QUO.get(name, {}).items():
        found[attribute] = np.zeros(len(answers))
        for column in columns:
            value = answers[column] if column in answers else pd.Series(np.nan, index=answers.index)
            unasked = (~codebook.asked(column, answers, answers.index)).fillna(False).to_numpy(dtype=bool)
            found[attribute] += np.where(unasked, 0.0, value.to_numpy(dtype=float))
        known &= ~np.isnan(found[attribute])
    return found, known
