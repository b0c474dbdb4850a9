"""Rankings of a study: worths and counts recovered, statuses compared, the order's stability."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from books import BOOK
from scipy import stats

from welfare_analysis.estimation import Design
from welfare_analysis.estimation.rank_order import rank_probabilities
from welfare_analysis.needs import priorities
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

ITEMS = [n.removeprefix("priority_") for n in BOOK.variables.index[BOOK.variables["group"] == "priority"]]
WORTHS = np.linspace(1.2, -1.2, len(ITEMS))


def answers(rng, n, worths=WORTHS, keep=None, status="active"):
    """Forms with a ranking by the order of utilities, the first ``keep`` places of it."""
    ranks = (-(worths + rng.gumbel(size=(n, len(worths))))).argsort(axis=1).argsort(axis=1) + 1.0
    if keep:
        ranks[ranks > keep] = np.nan
    frame = pd.DataFrame(ranks, columns=[f"priority_{item}" for item in ITEMS])
    return frame.assign(status=status, module="c")


def study(*frames):
    return Study.of(typed(pd.concat(frames, ignore_index=True), BOOK), None, None, BOOK)


@pytest.fixture(scope="module")
def world():
    return generate(Parameters.read(DATA / "public"), 17, "plain", size=5000)


@pytest.fixture(scope="module")
def own(world):
    return Study.of(*(typed(f, BOOK) for f in (world.answers, world.register, world.followup)), BOOK)


@pytest.mark.parametrize("keep", [None, 3])
def test_worths_are_recovered(keep):
    """Simulate and recover: of full rankings and of the first three, worths and both probabilities are found."""
    found = priorities.ranking(study(answers(np.random.default_rng(1), 3000, keep=keep)), "priority")
    worths = found.fit().worths()
    np.testing.assert_array_less(np.abs(worths.value.to_numpy() - WORTHS), 4 * worths.se)
    chance = np.exp(WORTHS) / np.exp(WORTHS).sum()
    for estimate in (rank_probabilities(found.fit()), found.first()):
        np.testing.assert_array_less(np.abs(estimate.value.to_numpy() - chance), 4 * estimate.se)
        assert estimate.value.sum() == pytest.approx(1)
        assert ((estimate.interval() > 0) & (estimate.interval() < 1)).all(axis=None)
    assert rank_probabilities(found.fit(), 3).value.sum() == pytest.approx(3)
    assert found.among().value.sum() == pytest.approx(3)
    assert (rank_probabilities(found.fit()).se < found.first().se).all()  # more places tell more
    gap = priorities.lead(found.fit(), found.first())
    np.testing.assert_array_less(np.abs(gap.value), 4 * gap.se)
    np.testing.assert_allclose(gap.value, rank_probabilities(found.fit()).value - found.first().value.to_numpy())


def test_counts_cover_the_truth_of_everybody(world, own):
    """Shares of first places, asked of a third, are those of all persons; the finite design would tell less error."""
    found = priorities.ranking(own, "priority")
    truth = np.array([(world.truth[f"priority_{item}"] == 1).mean() for item in ITEMS])
    first = found.first()
    assert (np.abs(first.value.to_numpy() - truth) < 3.5 * first.se).all()
    assert found.answered.sum() < 0.4 * len(own.frame)
    assert found.asked.sum() >= found.answered.sum()
    finite = replace(found, design=own.design).first()
    np.testing.assert_allclose(finite.value, first.value)
    assert (first.se >= finite.se).all()
    assert (first.se > 1.05 * finite.se).any()


def test_the_draw_of_the_module_is_in_the_error():
    """Everybody answers, a third draws the ranking: the error is that over draws, at most sqrt(3/2) too large."""
    rng, n = np.random.default_rng(6), 900
    everybody = priorities.places(answers(rng, n)[[f"priority_{item}" for item in ITEMS]]).set_axis(ITEMS, axis=1)
    census = Design(np.ones(n), fpc=np.full(n, float(n)))
    status, shares, errors = pd.Series(pd.Categorical(["active"] * n)), [], []
    for _ in range(150):
        drawn = rng.random(n) < 1 / 3
        found = priorities.Ranking(
            "priority",
            everybody.where(np.repeat(drawn[:, None], len(ITEMS), axis=1)),
            drawn,
            census.superpopulation(),
            status,
        )
        first = found.first()
        shares.append(first.value)
        errors.append(first.se)
    ratio = np.mean(errors, axis=0) / np.std(shares, axis=0)
    assert 1.1 < ratio.mean() < 1.35
    assert (replace(found, design=census).first().se < 1e-9).all()  # without the draw there would be none


def test_statuses_that_rank_alike_and_not():
    """Wald's test: p is uniform-like where both groups have one law, and tiny where their worths are reversed."""
    rng = np.random.default_rng(2)
    alike = priorities.ranking(study(answers(rng, 500), answers(rng, 400, status="retired")), "priority")
    apart = priorities.ranking(study(answers(rng, 500), answers(rng, 400, -WORTHS, status="retired")), "priority")
    tests = [priorities.differ({g: r.fit(g) for g in ("active", "retired")}) for r in (alike, apart)]
    assert tests[0].df == len(ITEMS) - 1
    assert tests[0].p > 0.01
    assert tests[1].p < 1e-6
    pair = [alike.fit(g).worths() for g in ("active", "retired")]
    V = sum(p.covariance().iloc[:-1, :-1] for p in pair)  # of independent groups
    gap = (pair[0].value - pair[1].value).iloc[:-1]
    F = float(gap @ np.linalg.solve(V, gap)) / 7 * (tests[0].df_error) / (tests[0].df_error + 6)
    assert tests[0].p == pytest.approx(stats.f.sf(F, 7, tests[0].df_error), rel=1e-6)


def test_stability():
    """Of two items it is Phi of the t value; an item far above leads always, and places add up."""
    rng = np.random.default_rng(3)
    found = priorities.ranking(study(answers(rng, 300)), "priority")
    often = priorities.stability(found.fit(), 4000, rng)
    assert often.sum().tolist() == pytest.approx([1, 3])
    near = priorities.ranking(study(answers(rng, 300, np.r_[1.0, 1.0, -3.0 * np.ones(6)])), "priority")
    worths = near.fit().worths().apply(lambda v: v.iloc[:1] - v.iloc[1])
    chance = stats.norm.cdf(worths.value.iloc[0] / worths.se.iloc[0])
    assert priorities.stability(near.fit(), 20_000, rng)["first"].iloc[0] == pytest.approx(chance, abs=0.02)


def test_noisier_lower_places_are_seen():
    """Where all places but the first are at random the pooling test rejects, and the model falls short of the count."""
    rng = np.random.default_rng(4)
    frame = answers(rng, 1500)
    columns = [f"priority_{item}" for item in ITEMS]
    ranks = frame[columns].to_numpy()
    noise = np.where(ranks == 1, 0.0, 1 + rng.random(ranks.shape)).argsort(axis=1).argsort(axis=1) + 1.0
    found = priorities.ranking(study(frame.assign(**dict(zip(columns, noise.T, strict=True)))), "priority")
    assert found.pooled.test.p < 1e-6
    gap = priorities.lead(found.fit(), found.first())
    assert gap.interval()["high"].iloc[0] < 0


def test_who_left_a_place_out_is_not_in_the_model():
    """1 and 3 of eight say nothing of who is second: counted as a first place, but not fitted."""
    frame = answers(np.random.default_rng(7), 200)
    columns = [f"priority_{item}" for item in ITEMS]
    few = frame.iloc[:20].copy()
    few[columns] = few[columns].where(few[columns].isin([1, 3]))
    found = priorities.ranking(study(frame, few), "priority")
    assert (found.fit().n_rows, found.answered.sum()) == (200, 220)
    assert set(found.first().counts["n"]) == {220}


def test_what_was_not_asked():
    """Without a ranking, with a single item, or with nobody's answer there is none."""
    frame = answers(np.random.default_rng(5), 50)
    assert priorities.ranking(study(frame), "health_rank") is None
    assert priorities.ranking(study(frame[["status", "priority_housing"]]), "priority") is None
    assert priorities.ranking(study(frame.assign(**{c: np.nan for c in frame if "priority" in c})), "priority") is None
