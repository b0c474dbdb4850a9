"""Rankings: Plackett-Luce with weights, ties, partial rankings and the covariance of the design."""

from itertools import pairwise, permutations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats
from statsmodels.discrete.conditional_models import ConditionalLogit

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, exploded, share
from welfare_analysis.estimation.rank_order import half_widths, order, possible_ranks, rank_probabilities
from welfare_analysis.estimation.ranking import plackett_luce, pooling, unranked_matters

WORTHS = np.array([0.9, 0.3, 0.0, -0.4, -0.8])
ITEMS = list("abcde")


def drawn_ranks(rng, n, worths=WORTHS, keep=None):
    """Ranks of n persons by the order of their utilities, the first ``keep`` of them."""
    utilities = worths + rng.gumbel(size=(n, len(worths)))
    ranks = (-utilities).argsort(axis=1).argsort(axis=1) + 1.0
    if keep is not None:
        ranks[ranks > keep] = np.nan
    return pd.DataFrame(ranks, columns=ITEMS[: len(worths)])


def likelihood_by_orders(ranks, worths, below):
    """Log-probability of a row of ranks: the sum over all complete orders that agree with it."""
    there = np.flatnonzero(~np.isnan(ranks))
    items, place = (np.arange(len(ranks)), np.where(np.isnan(ranks), np.inf, ranks)) if below else (there, ranks)
    total = 0.0
    for way in permutations(items):
        if all(place[i] <= place[j] for i, j in pairwise(way)):
            e = np.exp(worths[list(way)])
            total += np.prod(e / np.cumsum(e[::-1])[::-1])
    return np.log(total)


@pytest.mark.parametrize("unranked", ["below", "missing"])
def test_by_enumeration_of_orders(unranked):
    """Ties and partial rankings have the probability of all complete orders that agree with them; weights multiply."""
    rng = np.random.default_rng(1)
    ranks = drawn_ranks(rng, 30, WORTHS[:4])
    ranks[ranks == 3] = 2
    ranks[rng.random(ranks.shape) < 0.2] = np.nan
    w = rng.uniform(0.5, 2, 30)
    fit = plackett_luce(Design(w), ranks, unranked=unranked)
    rows = ranks.to_numpy()

    def loss(theta):
        v = np.concatenate([[0], theta])
        return -sum(w[i] * likelihood_by_orders(rows[i], v, unranked == "below") for i in range(30))

    best = optimize.minimize(loss, np.zeros(3), tol=1e-9)
    np.testing.assert_allclose(fit.value, best.x, atol=2e-5)
    assert fit.log_likelihood == pytest.approx(-loss(fit.value.to_numpy()), rel=1e-12)
    assert fit.null_log_likelihood == pytest.approx(-loss(np.zeros(3)), rel=1e-12)
    assert list(fit.counts.columns) == ["n", "n_weighted", "missing"]
    assert fit.counts["n"].iloc[0] + fit.counts["missing"].iloc[0] == 30


def test_equals_conditional_logit_on_exploded_choices():
    """Complete rankings are a row of conditional logits: coefficients, Hessian errors and likelihood of statsmodels."""
    ranks = drawn_ranks(np.random.default_rng(2), 200)
    y, x, group = [], [], []
    for i, row in enumerate(ranks.to_numpy()):
        for stage in range(1, 5):
            left = np.flatnonzero(row >= stage)
            y += list(row[left] == stage)
            x += list(np.eye(5)[left, 1:])
            group += [i * 10 + stage] * len(left)
    other = ConditionalLogit(np.array(y, float), np.array(x), groups=np.array(group))
    fit = plackett_luce(None, ranks)
    np.testing.assert_allclose(other.score(fit.value.to_numpy()), 0, atol=1e-7)
    np.testing.assert_allclose(other.hessian(fit.value.to_numpy()), -fit.information, rtol=1e-4)
    assert fit.log_likelihood == pytest.approx(other.loglike(fit.value.to_numpy()), rel=1e-12)


@pytest.mark.parametrize("m", [1, 2, 4, 6, 8])
def test_ties_are_sums_over_orders(m):
    """Up to six tied: the sum over all orders; beyond: Efron's product. The derivatives are finite differences."""
    u = np.random.default_rng(m).normal(0, 1, (3, m))
    logs, gradient, second = exploded._taken(u)
    e = np.exp(u)
    if m <= 6:
        ways = [
            np.prod(e[:, w] / (1 + np.cumsum(e[:, w][:, ::-1], axis=1)[:, ::-1]), axis=1)
            for w in permutations(range(m))
        ]
        expected = np.log(np.sum(ways, axis=0))
    else:
        left = 1 - np.arange(m) / m
        expected = (
            u.sum(axis=1) - np.log(1 + np.outer(e.sum(axis=1), left)).sum(axis=1) + np.log(np.arange(1, m + 1)).sum()
        )
    np.testing.assert_allclose(logs, expected, rtol=1e-12)
    for j, step in enumerate(1e-5 * np.eye(m)):
        up, down = exploded._taken(u + step), exploded._taken(u - step)
        np.testing.assert_allclose((up[0] - down[0]) / 2e-5, gradient[:, j], atol=1e-8)
        np.testing.assert_allclose((up[1] - down[1]) / 2e-5, second[:, :, j], atol=1e-8)


def test_influence_is_the_derivative_by_the_weight():
    """Influences are finite differences of the refitted worths in a person's weight, with scales too."""
    rng = np.random.default_rng(3)
    ranks, w = drawn_ranks(rng, 80, keep=3), rng.uniform(0.5, 2, 80)
    ranks[ranks == 3] = 2
    fit = plackett_luce(Design(w), ranks, scales=True)
    assert list(fit.value.index) == ["b", "c", "d", "e", "scale:2"]
    for k in (0, 40):
        ends = [
            plackett_luce(Design(w + sign * 1e-4 * (np.arange(80) == k)), ranks, scales=True).value for sign in (1, -1)
        ]
        np.testing.assert_allclose((ends[0] - ends[1]) / 2e-4, fit.influence.toarray()[k], rtol=1e-4, atol=1e-7)


def test_weights_of_one_relabelling_and_reversing():
    """Unit weights change nothing; nor does the order of items; of two items the reverse is minus."""
    ranks = drawn_ranks(np.random.default_rng(4), 100)
    e = plackett_luce(None, ranks).worths()
    same = plackett_luce(Design(np.full(100, 1.0)), ranks[list("ecadb")]).worths()
    np.testing.assert_allclose(same.value[e.value.index], e.value, atol=1e-10)
    np.testing.assert_allclose(same.se[e.value.index], e.se, rtol=1e-9)
    assert e.value.sum() == pytest.approx(0, abs=1e-12)
    two = ranks[["a", "b"]].rank(axis=1)
    np.testing.assert_allclose(plackett_luce(None, 3 - two).worths().value, -plackett_luce(None, two).worths().value)
    odds = np.log((two["a"] == 1).sum() / (two["b"] == 1).sum())
    assert plackett_luce(None, two).value["b"] == pytest.approx(-odds)


def test_places_by_enumeration():
    """Probabilities of the first places are sums over all orders; top k adds up to k."""
    fit = plackett_luce(None, drawn_ranks(np.random.default_rng(5), 150))
    v = np.exp(fit.worths().value.to_numpy())
    ways = list(permutations(range(5)))
    p = np.array([np.prod(v[list(w)] / np.cumsum(v[list(w)][::-1])[::-1]) for w in ways])
    place = np.array([np.argsort(w) for w in ways])
    for top in (1, 3):
        e = rank_probabilities(fit, top)
        np.testing.assert_allclose(e.value, p @ (place < top), rtol=1e-12)
        assert e.value.sum() == pytest.approx(top)
        assert ((e.interval() > 0) & (e.interval() < 1)).all().all()


def test_unranked_below_or_missing():
    """Of complete rankings the rules agree; where the worse are left out, "missing" draws worths together."""
    ranks = drawn_ranks(np.random.default_rng(6), 400)
    same = unranked_matters(None, ranks).value
    np.testing.assert_allclose(same["difference"], 0, atol=1e-12)
    cut = unranked_matters(None, ranks.where(ranks <= 2))
    np.testing.assert_allclose(cut.value["below"], WORTHS - WORTHS.mean(), atol=0.35)
    assert np.ptp(cut.value["missing"]) < np.ptp(cut.value["below"])
    weight = Design(np.r_[1.0001, np.ones(399)]), Design(np.r_[0.9999, np.ones(399)])
    up, down = (unranked_matters(d, ranks.where(ranks <= 2)).value for d in weight)
    np.testing.assert_allclose((up - down) / 2e-4, cut.influence.toarray()[0], rtol=1e-4, atol=1e-8)


def test_pooling_of_ranks():
    """Later ranks with three times the noise have a scale of a third, and the test says so; equal ones pass."""
    rng = np.random.default_rng(7)
    psu = np.arange(1500) // 5
    noisy = pooling(plackett_luce(Design(np.ones(1500), psu=psu), two_stages(rng, 1500, 3.0)))
    assert noisy.test.p < 1e-6
    assert noisy.fit.value["scale:2"] == pytest.approx(1 / 3, abs=0.15)
    fair = pooling(plackett_luce(Design(np.ones(1500), psu=psu), drawn_ranks(rng, 1500, keep=3)))
    assert (fair.test.df, fair.test.df_error) == (2, 298)
    scales = fair.fit.value[["scale:2", "scale:3"]] - 1
    W = scales @ np.linalg.inv(fair.fit.covariance().loc[scales.index, scales.index]) @ scales
    assert fair.test.p == pytest.approx(stats.f.sf(W / 2 * 298 / 299, 2, 298))
    assert fair.test.p > 0.01


def two_stages(rng, n, noise):
    """First and second places: the second of what is left, with utilities divided by the noise."""
    first = (WORTHS + rng.gumbel(size=(n, 5))).argmax(axis=1)
    later = WORTHS / noise + rng.gumbel(size=(n, 5))
    later[np.arange(n), first] = -np.inf
    ranks = np.full((n, 5), np.nan)
    ranks[np.arange(n), first], ranks[np.arange(n), later.argmax(axis=1)] = 1, 2
    return pd.DataFrame(ranks, columns=ITEMS)


def test_each_choice_is_computed_once():
    """Of full rankings of J items there are at most J 2^(J-1) choices, however many persons; weights of all add up."""
    ranks = drawn_ranks(np.random.default_rng(15), 4000)
    data = plackett_luce(None, ranks).rankings
    assert len(data.stage) <= 5 * 2**4
    w = np.arange(4000.0)
    assert data.weights(w).sum() == pytest.approx(4 * w.sum())  # the last place is no choice
    first = data.taken[data.at[:, 0]]
    np.testing.assert_array_equal(np.array(ITEMS)[first.argmax(axis=1)], ranks.idxmin(axis=1))


def test_order_tells_only_what_the_sample_tells():
    """Far items have places of their own, equal ones share them; two items need no more than Student's t."""
    ranks = drawn_ranks(np.random.default_rng(9), 300, np.array([1.5, 1.5, 0.0, -1.5, -1.5]))
    table = order(plackett_luce(None, ranks))
    places = table.loc[["a", "b", "c", "d", "e"], ["best_rank", "worst_rank"]]
    assert places.to_numpy().tolist() == [[1, 2], [1, 2], [3, 3], [4, 5], [4, 5]]
    assert table["worth"].is_monotonic_decreasing
    pair = plackett_luce(None, ranks[["a", "c"]].rank(axis=1))  # the worth of the one, that of the other being 0
    half = half_widths(pair.covariance().to_numpy(), 299, 0.95)
    assert half == pytest.approx(stats.t.ppf(0.975, 299) * pair.se.to_numpy(), rel=3e-3)


def test_possible_ranks_of_shares_are_those_of_all_pairs():
    """Brute force: an item is above another where the difference of their shares exceeds the largest t of all pairs.

    The critical value is simulated here: the 95th percentile of the largest of the six correlated normal differences.
    """
    rng = np.random.default_rng(3)
    answers = pd.DataFrame(rng.random((900, 4)) < np.array([0.7, 0.66, 0.5, 0.3]), columns=list("wxyz"))
    made = share(Design(np.ones(900)), answers)
    table, covariance = possible_ranks(made), made.covariance().to_numpy()
    draws = rng.multivariate_normal(np.zeros(4), covariance, 200_000)
    pairs = [(j, k) for j in range(4) for k in range(4) if j < k]
    errors = {(j, k): np.sqrt(covariance[j, j] + covariance[k, k] - 2 * covariance[j, k]) for j, k in pairs}
    largest = np.max([np.abs(draws[:, j] - draws[:, k]) / errors[j, k] for j, k in pairs], axis=0)
    critical, value = np.quantile(largest, 0.95), made.value.to_numpy()
    for item, own in enumerate(value):
        gaps = {
            other: (value[other] - own) / errors[min(item, other), max(item, other)]
            for other in range(4)
            if other != item
        }
        best, worst = 1 + sum(g > critical for g in gaps.values()), 4 - sum(g < -critical for g in gaps.values())
        assert table.loc[made.value.index[item]].tolist() == [best, worst]
    assert table["best_rank"].tolist() == [1, 1, 3, 4]


def test_family_of_pairs_is_covered():
    """Clustered persons drawn with informative weights: all ten differences are in their intervals about 95 % of times.

    The Hessian's errors of the same fits are visibly too small.
    """
    rng, held, ratio = np.random.default_rng(10), [], []
    population, size = 16_000, 8
    taste = np.repeat(rng.normal(0, 0.7, (population // size, 5)), size, axis=0)
    utilities = WORTHS + taste + rng.gumbel(size=(population, 5))
    ranks = (-utilities).argsort(axis=1).argsort(axis=1) + 1.0
    first, second = np.triu_indices(5, 1)
    signs = np.eye(5)[first] - np.eye(5)[second]
    truth = signs @ plackett_luce(None, pd.DataFrame(ranks, columns=ITEMS)).worths().value
    chance = np.exp(0.5 * np.clip(taste[::size, 0], -2, 2))
    chance *= 100 / chance.sum()
    for _ in range(50):
        psu = np.flatnonzero(rng.random(len(chance)) < chance)
        rows = (psu[:, None] * size + np.arange(size)).ravel()
        design = Design(np.repeat(1 / chance[psu], size), psu=np.repeat(psu, size))
        fit = plackett_luce(design, pd.DataFrame(ranks[rows], columns=ITEMS))
        worths = fit.worths()
        half = half_widths(signs @ worths.covariance().to_numpy() @ signs.T, float(worths.df.min()), 0.95)
        held.append((np.abs(signs @ worths.value - truth) <= half).all())
        scale = np.sqrt(fit.scale)
        ratio.append((np.sqrt(np.diag(fit.covariance("hessian"))) * scale / fit.se).mean())
    assert np.mean(held) >= 0.88
    assert np.mean(ratio) < 0.8


def test_gaps_after_ties_are_no_stages():
    """1, 2, 2, 4 is 1, 2, 2, 3: stages and their scales are counted by what was placed, not by the number written."""
    ranks = drawn_ranks(np.random.default_rng(14), 200)
    ranks[ranks == 3] = 2
    dense, gaps = (plackett_luce(None, r, scales=True) for r in (ranks.replace({4: 3, 5: 4}), ranks))
    assert list(gaps.value.index[-2:]) == ["scale:2", "scale:3"]
    np.testing.assert_allclose(gaps.value, dense.value, rtol=1e-9)


def test_missing_and_domains():
    """Those without a rank are counted as missing; where= gives the fit of a part, with the design of all."""
    ranks = drawn_ranks(np.random.default_rng(11), 200)
    ranks.loc[:9] = np.nan
    part = np.arange(200) < 150
    fit = plackett_luce(Design(np.ones(200)), ranks, where=part)
    assert fit.counts.iloc[0].tolist() == [140, 140, 10]
    np.testing.assert_allclose(fit.value, plackett_luce(None, ranks[part]).value, rtol=1e-9)
    assert not fit.influence.toarray()[~part].any()


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda r: r[["a"]], {}, "nothing to rank.*two items or more"),
        (lambda r: r.assign(a=np.nan), {}, "nobody ranked an item; got \\['a'\\]"),
        (lambda r: r.assign(a=0.5).rank(axis=1), {}, "always come before others.*\\['a'\\]"),
        (lambda r: r.assign(a=0), {}, "200 ranks are not places, the first in row 0; got 0.0; expected whole numbers"),
        (lambda r: r.assign(a=9), {}, "whole numbers from 1 to 5"),
        (lambda r: pd.concat([r.add_suffix(str(i)) for i in range(13)], axis=1), {}, "too many items.*at most 31"),
        (lambda r: r, {"unranked": "last"}, "below or missing"),
        (lambda r: r, {"depth": 0}, "no rank is used"),
    ],
)
def test_errors(change, options, message):
    """Each bad input has an error of its own."""
    ranks = change(drawn_ranks(np.random.default_rng(12), 200))
    with pytest.raises(WelfareError, match=message):
        plackett_luce(None, ranks, **options)


def test_what_cannot_be_asked():
    """First choices alone have no scales to test; a place beyond the last but one is no place."""
    fit = plackett_luce(None, drawn_ranks(np.random.default_rng(13), 200), depth=1)
    with pytest.raises(WelfareError, match="there is one stage"):
        pooling(fit)
    with pytest.raises(WelfareError, match="no such place"):
        rank_probabilities(fit, 5)
