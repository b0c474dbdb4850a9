"""Designs of choice cards: the information in them, and the search for the best."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.errors import WelfareError
from welfare_analysis.survey import card_designs, cards

BLOCKS = list(BOOK.cards["block"].unique())


@pytest.fixture(scope="module")
def tiny():
    """Three alternatives, two attributes, one of them a multiple of the other: 2 x 3 x 2 cards."""
    return cards.Block(
        "tiny",
        ("none", "a", "b"),
        ("x", "y"),
        {
            ("none", "x"): (0.0,),
            ("none", "y"): (0.0,),
            ("a", "x"): (1.0, 2.0),
            ("a", "y"): (0.5, 1.0, 2.0),
            ("b", "x"): (1.0, 3.0),
            ("b", "y"): (0.0,),
        },
        {},
        pd.Series([0.4, -0.2, 0.5, -0.6], index=["a", "b", "x", "y"]),
    )


def every_card(block):
    """All cards of a block, as places of levels."""
    sizes = [range(len(block.levels[key])) for key in block.varied]
    return np.array(np.meshgrid(*sizes, indexing="ij")).reshape(len(sizes), -1).T


def test_information_is_the_curvature_of_the_expected_log_likelihood(tiny):
    """I = -d2/db2 sum_j p_j(b0) ln p_j(b) at b0: finite differences of the logit (independent computation)."""
    x, b0 = tiny.matrix(tiny.values(every_card(tiny))), tiny.prior.to_numpy()

    def expected(b):
        u = x @ b
        return np.sum(cards.shares(x, b0) * (u - np.log(np.exp(u).sum(axis=1, keepdims=True))), axis=1)

    h, k = 1e-3, len(b0)
    found = np.zeros((len(x), k, k))
    for i in range(k):
        for j in range(k):
            ei, ej = h * np.eye(k)[i], h * np.eye(k)[j]
            corners = expected(b0 + ei + ej) - expected(b0 + ei - ej) - expected(b0 - ei + ej) + expected(b0 - ei - ej)
            found[:, i, j] = -corners / (4 * h * h)
    assert cards.information(x, b0) == pytest.approx(found, abs=1e-5)


def test_d_error_is_the_determinant_of_the_mean_covariance(tiny):
    """det(inverse of the mean information)^(1/K), and infinite where a coefficient is not identified."""
    x, b0 = tiny.matrix(tiny.values(every_card(tiny))), tiny.prior.to_numpy()
    mean = cards.information(x, b0).mean(axis=0)
    assert cards.d_error(cards.information(x, b0)) == pytest.approx(np.linalg.det(np.linalg.inv(mean)) ** (1 / 4))
    assert cards.d_error(cards.information(x[:1], b0)) == np.inf
    x[:, :, 3] = 0.3 * x[:, :, 2]  # two attributes that always move together
    assert cards.d_error(cards.information(x, b0)) == np.inf


def test_no_design_of_a_tiny_set_is_better(tiny):
    """On 12 cards, exhaustive search over all designs of 6 finds none that is better than the best of 60 starts."""
    pool, rng = every_card(tiny), np.random.default_rng(5)
    x, b0 = tiny.matrix(tiny.values(pool)), tiny.prior.to_numpy()
    info = cards.information(x, b0)

    def criterion(rows):
        sizes = [len(tiny.levels[key]) for key in tiny.varied]
        uneven = sum(
            np.square(np.bincount(pool[list(rows), i], minlength=k) / len(rows) - 1 / k).sum()
            for i, k in enumerate(sizes)
        )
        return np.log(cards.d_error(info[list(rows)])) + card_designs.BALANCE * uneven / len(sizes)

    found = min(criterion(card_designs.exchange(tiny, pool, 6, rng)[0]) for _ in range(60))
    every = [criterion(rows) for rows in combinations(range(len(pool)), 6)]
    assert len(every) == 924
    assert set(card_designs.exchange(tiny, pool, len(pool), rng)[0]) == set(range(len(pool)))  # no card twice
    assert found == pytest.approx(min(every))


@pytest.mark.parametrize("name", BLOCKS)
def test_committed_cards_come_from_their_seed(name):
    """The search gives the cards of the file again (their D-error, where the last digit turns a choice)."""
    ours = card_designs.design(BOOK, name)
    block, stored = cards.Block.of(BOOK, name), cards.stored(BOOK, name)
    shape = (-1, len(block.alternatives), len(block.attributes))
    errors = [
        cards.d_error(
            cards.information(
                block.matrix(frame[list(block.attributes)].to_numpy().reshape(shape)), block.prior.to_numpy()
            )
        )
        for frame in (ours, stored)
    ]
    assert errors[0] == pytest.approx(errors[1], rel=0.02)
    keys = ["version", "card", "alternative"]
    assert ours[keys].to_numpy().tolist() == stored[keys].to_numpy().tolist()


@pytest.mark.parametrize("name", BLOCKS)
def test_cards_beat_chance_and_all_cards_together(name):
    """A D-error at least a tenth below that of random designs and of all candidates; no level is nearly left out."""
    found = card_designs.efficiency(BOOK, name, draws=50)
    assert found["random"] > 1.1
    assert found["all_cards"] > 1.1
    assert 0.5 <= card_designs.rarest_level(BOOK, name) <= 1


@pytest.mark.parametrize("name", BLOCKS)
def test_each_version_has_six_cards_without_a_dominated_offer(name):
    """Versions 1 to 4 with cards 1 to 6, none twice; on none is an offer at least as good as another in everything."""
    block, stored = cards.Block.of(BOOK, name), cards.stored(BOOK, name)
    assert stored.groupby("version")["card"].unique().map(list).tolist() == [[1, 2, 3, 4, 5, 6]] * 4
    assert list(stored["alternative"].unique()) == BOOK.codes(f"{name}_alternative") == list(block.alternatives)
    assert BOOK.variables.loc[f"{name}_version", "high"] == "4"
    values = stored[list(block.attributes)].to_numpy().reshape(-1, len(block.alternatives), len(block.attributes))
    assert len(np.unique(values.reshape(len(values), -1), axis=0)) == len(values)
    sign = np.sign(block.prior[list(block.attributes)].to_numpy())
    for card in values * sign:
        for i, j in combinations(range(1, len(card)), 2):
            assert (card[i] > card[j]).any()
            assert (card[i] < card[j]).any()


def test_a_prior_that_leaves_no_choice_is_told(tiny):
    """Where one alternative is sure on every card, there is nothing to design."""
    sure = replace(tiny, prior=tiny.prior + np.array([20.0, 0, 0, 0]))
    with pytest.raises(WelfareError, match="too few cards leave a choice"):
        card_designs.candidates(sure, 100, np.random.default_rng(1))
