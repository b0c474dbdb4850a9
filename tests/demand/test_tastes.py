"""A mixed logit of the cards on a subsample of persons: chances, weights, the key of what is stored, the result."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.demand import housing, tastes
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

PERSONS = 400


@pytest.fixture(scope="module")
def market():
    world = generate(Parameters.read(DATA / "public"), 21, "rich", size=5000)
    study = Study.of(*(typed(f, BOOK) for f in (world.answers, world.register, world.followup)), BOOK)
    return housing.market(study)


@pytest.fixture(scope="module")
def subsample(market):
    return tastes.Subsample(market, PERSONS)


def test_chances_are_in_proportion_and_add_up():
    """Chances add up to the size, are in proportion below one, and are one where all are taken."""
    w = np.array([1.0, 2.0, 3.0, 4.0, 90.0])
    chance = tastes.proportional(w, 3)
    assert chance.sum() == pytest.approx(3)
    np.testing.assert_allclose(chance[:4], w[:4] * 0.2)
    assert chance[4] == 1
    np.testing.assert_array_equal(tastes.proportional(w, 5), np.ones(5))
    np.testing.assert_array_equal(tastes.proportional(w, 9), np.ones(5))


def test_weights_of_the_subsample_stand_for_those_with_cards(market, subsample):
    """They add up to those of all with cards within chance; they are one number, or one's own weight if larger."""
    whole = market.design.weights[market.frame.index.isin(market.cards["row"])]
    drawn = subsample.design.weights
    assert drawn.sum() == pytest.approx(whole.sum(), rel=0.15)
    common = drawn.min()
    assert np.isclose(drawn, common).mean() > 0.5
    own = whole[None] - drawn[~np.isclose(drawn, common)][:, None]
    assert (np.abs(own).min(axis=1) < 1e-9).all()
    assert abs(len(drawn) - PERSONS) < 4 * np.sqrt(PERSONS)
    assert tastes.Subsample(market).design.n == len(whole)  # fewer than asked for: all of them, as they are
    np.testing.assert_allclose(np.sort(tastes.Subsample(market).design.weights), np.sort(whole))


def test_the_key_follows_all_that_goes_in(market, subsample):
    """The same data give the same key; other choices, weights or prices another."""
    key = subsample.key()
    assert tastes.Subsample(replace(market), PERSONS).key() == key
    row = market.cards["row"].iloc[0]
    assert row in market.frame.index
    said = market.frame["home_card_1"].astype(object)
    other = said.where(said != "social_flat", "standing_flat").astype(market.frame["home_card_1"].dtype)
    changed = replace(market, frame=market.frame.assign(home_card_1=other))
    dearer = market.at(offers={"social_flat": {"price_dh": 260_000.0}})
    assert len({key, *(tastes.Subsample(m, PERSONS).key() for m in (changed, dearer))}) == 3


def test_the_result_holds_both_models(subsample, monkeypatch):
    """Shares add up to one in both models and views; the mixed logit is no less likely; spreads are not negative."""
    monkeypatch.setattr(tastes, "DRAWS", 128)
    monkeypatch.setattr(tastes, "STARTS", 1)
    small = tastes.Subsample(subsample.market, PERSONS)
    found = small.result()
    assert set(found["key"]) == {small.key()}
    shares = found[found["part"].isin(tastes.VIEWS)].groupby(["model", "part"])["estimate"].sum()
    np.testing.assert_allclose(shares, 1.0, rtol=1e-6)
    assert len(shares) == 4
    likely = found[found["part"] == "fit"].set_index("model")["estimate"]
    assert likely["mixed"] >= likely["logit"] - 1e-6
    spread = found[found["name"].str.startswith("sd.") & (found["model"] == "mixed")]
    assert len(spread) == len(small.random)
    assert (spread["estimate"] >= 0).all()
    assert pd.api.types.is_bool_dtype(found["valid"])
