r"""D-efficient designs of choice cards.

Rows of a pool of cards are exchanged (Cook and Nachtsheim 1980, Technometrics 22, 315-324) until the D-error of
`cards.d_error`, under a penalty on uneven levels, falls no more. Sandor and Wedel (2001), J. Marketing Research 38,
430-444; Rose and Bliemer (2009), Transport Reviews 29, 587-617. Priors are assumptions: a wrong one costs precision,
not consistency.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from ..errors import WelfareError
from .cards import Block, d_error, information, instalment, shares, stored
from .codebook import Codebook

SEED = 20120301  # the month in which the form went out
CARDS, VERSIONS = 6, 4
CANDIDATES, STARTS, PASSES = 800, 3, 12
BALANCE = 4.0  # weight of uneven levels against the logarithm of the D-error
SHARE_LOW, SHARE_HIGH = 0.02, 0.85  # a card on which the prior leaves no choice teaches little


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


def design(codebook: Codebook, name: str) -> pd.DataFrame:
    """A D-efficient design of a block of cards.

    Parameters
    ----------
    codebook, name : Codebook, str
        The attributes, levels and priors of the block; ``CARDS`` a person are shared out among ``VERSIONS``.

    Returns
    -------
    DataFrame
        One row an alternative of a card: block, version, card, alternative and its attributes.
    """
    block, rng = Block.of(codebook, name), np.random.default_rng(SEED)
    pool = candidates(block, CANDIDATES, rng)
    results = [exchange(block, pool, CARDS * VERSIONS, rng) for _ in range(STARTS)]
    chosen = pool[min(results, key=lambda result: result[1])[0]]
    chosen = chosen[_shared_out(_dummies(block, chosen), rng)]
    values = block.values(chosen)
    if "rate_pct" in block.attributes:  # what a card also prints
        rate, term, amount = (values[:, :, block.attributes.index(a)] for a in ("rate_pct", "term_months", "amount_dh"))
        values = np.concatenate([values, instalment(amount, rate, term)[:, :, None]], axis=2)
    keys = [(name, i // CARDS + 1, i % CARDS + 1, a) for i in range(len(chosen)) for a in block.alternatives]
    names = [*block.attributes, *["instalment_dh"][: values.shape[2] - len(block.attributes)]]
    frame = pd.DataFrame(keys, columns=["block", "version", "card", "alternative"])
    return frame.join(pd.DataFrame(values.reshape(len(keys), -1), columns=names))


def designs(codebook: Codebook) -> pd.DataFrame:
    """The designs of all blocks, one under the other, as ``card_designs.csv`` holds them."""
    return pd.concat([design(codebook, name) for name in codebook.cards["block"].unique()])


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


def _shared_out(level: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An order of the cards in which each version has its share of every level, by exchanges of two cards."""
    order = rng.permutation(len(level)).reshape(VERSIONS, -1)

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


def efficiency(codebook: Codebook, name: str, draws: int = 200) -> dict[str, float]:
    """How good the committed cards are.

    Returns
    -------
    dict
        ``d_error``; ``random`` and ``all_cards``: the D-error of random designs of as many cards (median) and of all
        candidates together, over ours.
    """
    block, rng = Block.of(codebook, name), np.random.default_rng(SEED)
    values = stored(codebook, name)[list(block.attributes)].to_numpy()
    values = values.reshape(-1, len(block.alternatives), len(block.attributes))
    n, prior = len(values), block.prior.to_numpy()
    ours = d_error(information(block.matrix(values), prior))
    pool = information(block.matrix(block.values(candidates(block, 4 * CANDIDATES, rng))), prior)
    random = [d_error(pool[rng.choice(len(pool), n, replace=False)]) for _ in range(draws)]
    return {"d_error": ours, "random": float(np.median(random)) / ours, "all_cards": d_error(pool) / ours}


def rarest_level(codebook: Codebook, name: str) -> float:
    """The share of the cards that show the rarest level of any attribute, times its number of levels (1 = even)."""
    block, cards = Block.of(codebook, name), stored(codebook, name)
    levels = [(len(block.levels[key]), _base(cards, key, block)) for key in block.varied]
    return min(k * np.bincount(base, minlength=k).min() / len(base) for k, base in levels)


def _base(cards: pd.DataFrame, key: tuple[str, str], block: Block) -> np.ndarray:
    """Which level of an attribute each card shows."""
    rows = cards[cards["alternative"] == key[0]]
    shown = rows[key[1]].to_numpy()
    levels = np.array(block.levels[key])[:, None]
    if key in block.times:
        levels = levels * rows[block.times[key]].to_numpy()
    return np.abs(levels - shown).argmin(axis=0)
