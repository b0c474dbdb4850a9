"""The plan of a budget: by hand, by enumeration, against HiGHS, and what must hold whatever the numbers are."""

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import LinearConstraint, linprog, milp

from welfare_analysis.errors import WelfareError
from welfare_analysis.planning import budget
from welfare_analysis.planning.budget import Cells, Plan, best, earmarked, fairest, shared, within_reach


def drawn(seed, services=4, groups=3, fixed=True):
    """Cells of random room and worth; half of the services cost something before anybody is served."""
    rng = np.random.default_rng(seed)
    room, worth = rng.uniform(1, 30, (services, groups)), rng.uniform(0.1, 2, (services, groups))
    room[0, 0] = 0.0  # a group that a service is not for
    return Cells(room, worth, np.where(np.arange(services) % 2, rng.uniform(1, 15, services), 0.0) * fixed)


def highs(cells, money, floor=0.0):
    """The value by HiGHS: money of each cell, and whether each service is opened."""
    S, G = cells.room.shape
    n = S * G
    least = np.broadcast_to(floor, G)
    cost = -np.append(cells.worth.ravel(), np.zeros(S))
    rows = [np.append(np.ones(n), cells.fixed)]
    rows += [np.append(np.eye(n)[i], -cells.room.ravel()[i] * np.eye(S)[i // G]) for i in range(n)]
    lower = [np.append((cells.worth * (np.arange(G) == g)).ravel(), np.zeros(S)) for g in range(G)]
    made = milp(
        cost,
        integrality=np.append(np.zeros(n), np.ones(S)),
        bounds=(0, np.append(cells.room.ravel(), np.ones(S))),
        constraints=[
            LinearConstraint(np.array(rows), -np.inf, [money, *np.zeros(n)]),
            LinearConstraint(np.array(lower), least, np.inf),
        ],
        options={"mip_rel_gap": 0.0},
    )
    return -made.fun if made.status == 0 else -np.inf


def test_a_plan_by_hand():
    """Two needs a DH first, then one a DH: 10 DH fill the first cell of 6 and leave 4 for the second."""
    cells = Cells(np.array([[6.0], [8.0]]), np.array([[2.0], [1.0]]), np.zeros(2))
    plan = best(cells, 10.0)
    assert plan.spent.ravel().tolist() == [6.0, 4.0]
    assert float(plan.value) == 16.0


def test_a_cost_to_begin_by_hand():
    """It costs 5 DH to begin the better service: 6 DH are better spent on the other one, 20 on both."""
    cells = Cells(np.array([[10.0], [10.0]]), np.array([[2.0], [1.0]]), np.array([5.0, 0.0]))
    assert best(cells, 6.0).opened.tolist() == [False, True]
    plan = best(cells, 20.0)
    assert plan.opened.all()
    assert plan.spent.ravel().tolist() == [10.0, 5.0]


def test_a_floor_by_hand():
    """The second group must have 3 closed at half a need a DH: 6 DH go there, and 4 to the first."""
    cells = Cells(np.array([[20.0, 20.0]]), np.array([[1.0, 0.5]]), np.zeros(1))
    plan = best(cells, 10.0, np.array([0.0, 3.0]))
    assert plan.spent.ravel().tolist() == [4.0, 6.0]
    assert float(best(cells, 10.0, np.array([0.0, 6.0])).value) == -np.inf  # 12 DH would be needed


def test_equal_cells_are_served_in_their_order():
    """Of cells that close as much for a DH the first is served first: groups stand from the poorest on."""
    plan = best(Cells(np.full((1, 3), 4.0), np.ones((1, 3)), np.zeros(1)), 6.0)
    assert plan.spent.ravel().tolist() == [4.0, 2.0, 0.0]


@pytest.mark.parametrize("seed", range(5))
def test_no_whole_amounts_do_better(seed):
    """Every way to spend whole DH on two services and two groups closes no more, and the best one nearly as much."""
    rng = np.random.default_rng(seed)
    cells = Cells(rng.integers(1, 6, (2, 2)).astype(float), rng.uniform(0.1, 2, (2, 2)), np.array([2.0, 0.0]))
    money, most = 8, 0.0
    for spent in itertools.product(*(range(int(room) + 1) for room in cells.room.ravel())):
        amounts = np.array(spent, dtype=float).reshape(2, 2)
        if amounts.sum() + (cells.fixed * (amounts.sum(axis=1) > 0)).sum() <= money:
            most = max(most, float((amounts * cells.worth).sum()))
    assert float(best(cells, money).value) == pytest.approx(most)


@pytest.mark.parametrize("seed", range(12))
def test_the_plan_is_that_of_a_solver(seed):
    """HiGHS closes as much, with costs to begin and with floors, or finds none where there is none."""
    cells = drawn(seed)
    rng = np.random.default_rng(seed + 100)
    money, floor = rng.uniform(5, 150), rng.uniform(0, 12, 3) * (seed % 3 > 0)
    assert float(best(cells, money, floor).value) == pytest.approx(highs(cells, money, floor), rel=1e-7)


@pytest.mark.parametrize("seed", range(4))
def test_floors_of_groups_and_of_regions_at_once(seed):
    """Of all ways to spend whole DH none that keeps both kinds of floors closes more, and the best one nearly as much.

    Two services, one with a cost to begin; two groups by two regions. Without overlap the plan is that of `best`.
    """
    rng = np.random.default_rng(seed)
    room, worth = rng.integers(1, 4, (2, 4)).astype(float), rng.integers(1, 6, (2, 4)) / 2
    cells, money = Cells(room, worth, np.array([0.0, 1.0])), 6.0
    classes = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1.0]])
    ways = np.array(list(itertools.product(*(range(int(r) + 1) for r in room.ravel())))).reshape(-1, 2, 4)
    cost = ways.sum(axis=(1, 2)) + (ways[:, 1].sum(axis=1) > 0)
    closed = (ways * worth).sum(axis=1) @ classes.T
    floor = closed[cost <= money].min(axis=1).max() * np.array([1.0, 1.0, 1.0, 0.5])
    there = (cost <= money) & (closed >= floor - 1e-9).all(axis=1)
    plan = shared(cells, money, classes, floor)
    most = closed[there][:, :2].sum(axis=1).max()
    assert most - 1e-9 <= float(plan.value) <= most + worth.max()
    assert ((plan.spent * worth).sum(axis=0) @ classes.T >= floor - 1e-6).all()
    assert float(plan.value) < float(best(cells, money).value) + 1e-9
    own = np.full(4, 0.4)
    assert float(shared(cells, money, np.eye(4), own).value) == pytest.approx(float(best(cells, money, own).value))
    with pytest.raises(WelfareError, match="no plan meets the floors"):
        shared(cells, money, classes, np.full(4, 100.0))


def test_the_price_is_the_dual_of_the_budget():
    """What a DH more closes, by solving again, is the dual of the budget in the linear program."""
    cells, money = drawn(3, fixed=False), 60.0
    made = linprog(
        -cells.worth.ravel(), A_ub=np.ones((1, 12)), b_ub=[money], bounds=[(0, x) for x in cells.room.ravel()]
    )
    assert -made.fun == pytest.approx(float(best(cells, money).value))
    more, less = (float(best(cells, money + step).value) for step in (1e-3, -1e-3))
    assert (more - less) / 2e-3 == pytest.approx(-made.ineqlin.marginals[0])


def test_nothing_and_everything():
    """Without money nothing is closed; with money without end all that can be, at every cell's room."""
    cells = drawn(1)
    nothing, everything = best(cells, 0.0), best(cells, 1e9)
    assert not nothing.spent.any()
    assert np.allclose(everything.spent, cells.room)
    assert everything.opened.all()


def test_nothing_and_everything_with_floors():
    """Without money the floors fall to nought and the plan is empty; with enough for all, floors change nothing."""
    cells = drawn(1)
    needs = (cells.room * cells.worth).sum(axis=0)
    nothing, everything = within_reach(cells, 0.0, 0.3 * needs), within_reach(cells, 1e9, 0.3 * needs)
    assert not nothing.spent.any()
    assert not nothing.opened[cells.fixed > 0].any()
    assert float(nothing.value) == 0.0
    assert np.array_equal(everything.spent, best(cells, 1e9).spent)


def test_what_closes_nothing_gets_nothing():
    """A service that works for nobody is not in the plan, however much money is left over."""
    cells = Cells(np.array([[6.0], [8.0], [5.0]]), np.array([[2.0], [0.0], [0.0]]), np.array([0.0, 0.0, 3.0]))
    plan = best(cells, 1e9)
    assert plan.spent.ravel().tolist() == [6.0, 0.0, 0.0]
    assert plan.opened.tolist() == [True, True, False]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 200), st.floats(0, 0.5))
def test_no_constraint_is_broken_and_more_money_never_hurts(seed, money, share):
    """Whatever the numbers: budget, room and floors are kept, and a larger budget closes no less."""
    cells = drawn(seed)
    floor = share * (cells.room * cells.worth).sum(axis=0)
    plan, more = best(cells, money, floor), best(cells, money + 10, floor)
    assert float(more.value) >= float(plan.value) - 1e-9
    if np.isfinite(plan.value):
        assert plan.spent.sum() + cells.fixed @ plan.opened <= money + 1e-6
        assert (plan.spent <= cells.room * plan.opened[:, None] + 1e-9).all()
        assert ((cells.worth * plan.spent).sum(axis=0) >= floor - 1e-6).all()
    lowered = within_reach(cells, money, floor)
    assert np.isfinite(lowered.value)
    assert float(lowered.value) >= float(plan.value)


def test_replicates_are_solved_each_by_itself():
    """Cells with a leading axis give the plans of each alone, and the same plans a second time."""
    each = [drawn(seed) for seed in range(6)]
    fixed = each[0].fixed
    together = Cells(np.stack([c.room for c in each]), np.stack([c.worth for c in each]), fixed)
    plan = best(together, 40.0)
    for place, one in enumerate(each):
        alone = best(Cells(one.room, one.worth, fixed), 40.0)
        assert np.array_equal(plan.spent[place], alone.spent)
        assert np.array_equal(plan.opened[place], alone.opened)
    assert np.array_equal(best(together, 40.0).spent, plan.spent)


def test_a_plan_that_breaks_a_constraint_is_told():
    """A plan is looked at after it is made: one that spends too much, or claims too much, is an error."""
    cells = drawn(2)
    plan = best(cells, 30.0)
    with pytest.raises(WelfareError, match="breaks its constraints"):
        budget.checked(cells, plan, 20.0)
    with pytest.raises(WelfareError, match="breaks its constraints"):
        budget.checked(cells, Plan(plan.spent, plan.opened, plan.value + 1), 30.0)


def test_what_more_money_for_one_service_buys():
    """5 DH for the first service fill its last 2 DH of room, for the second they close 5; a third must first begin."""
    cells = Cells(np.array([[6.0], [20.0], [9.0]]), np.array([[2.0], [1.0], [3.0]]), np.array([0.0, 0.0, 30.0]))
    plan = Plan(np.array([[4.0], [3.0], [0.0]]), np.array([True, True, False]), np.array(11.0))
    assert earmarked(cells, plan, 5.0).tolist() == [4.0, 5.0, 0.0]
    assert earmarked(cells, plan, 32.0).tolist() == [4.0, 17.0, 6.0]


@pytest.mark.parametrize("seed", range(5))
def test_free_money_closes_as_much_as_money_for_one_service(seed):
    """A further amount closes most where it is free, and no less than the linear program of each service alone."""
    cells, money, step = drawn(seed), 50.0, 5.0
    plan = best(cells, money)
    free = float(best(cells, money + step).value - plan.value)
    assert (earmarked(cells, plan, step) <= free + 1e-9).all()


def test_the_most_equal_part_by_hand():
    """30 DH over 10 and 20 needs at one and half a need a DH: the part p costs 10 p + 40 p, so p is 0.6."""
    cells = Cells(np.full((1, 2), 100.0), np.array([[1.0, 0.5]]), np.zeros(1))
    needs = np.array([10.0, 20.0])
    assert float(fairest(cells, 30.0, needs)) == pytest.approx(0.6, abs=1e-5)
    plan = within_reach(cells, 30.0, needs)
    assert (cells.worth * plan.spent).ravel() / needs == pytest.approx(np.array([0.6, 0.6]), abs=5e-3)


def test_concentration_by_hand():
    """Alike for all is nought; all for the better paid half of the needs is a half, for the poorer half less a half."""
    needs = np.array([10.0, 10.0])
    assert budget.concentration(np.array([2.0, 2.0]), needs) == pytest.approx(0.0)
    assert budget.concentration(np.array([0.0, 4.0]), needs) == pytest.approx(0.5)
    assert budget.concentration(np.array([4.0, 0.0]), needs) == pytest.approx(-0.5)


def test_the_robust_package_and_what_knowing_is_worth():
    """Of a steady package and one that a coin decides, the first is best in bad cases; the coin is worth knowing."""
    coin = np.tile([0.0, 1.0], 500)
    values = np.stack([np.full(1000, 10.0), np.where(coin > 0, 24.0, 0.0)])
    assert budget.robust(values) == (1, 0)
    assert budget.worth_knowing(values, coin) == pytest.approx((10 + 24) / 2 - 12)
    other = np.random.default_rng(1).permutation(coin)
    assert budget.worth_knowing(values, other) < 1.0


def test_the_correction_takes_most_of_the_optimism():
    """Over worlds whose needs are estimated with 20 % of error the claim is too high, and the corrected one is not.

    The truth is what the plan of the estimates closes in the world itself. Money that finds nobody in need is lost.
    """
    rng = np.random.default_rng(2012)
    bias = []
    for _ in range(60):
        truth = rng.uniform(50, 150, (8, 6))
        unit = rng.uniform(1, 1.3, (8, 1)) * np.ones(6)

        def cells(sums, unit=unit):
            # the unit cost is an amount that is estimated over needs that are estimated
            needs, money = sums
            return Cells(np.maximum(money, 1.0), np.maximum(needs, 0.0) / np.maximum(money, 1.0), np.zeros(8))

        true = np.stack([truth, truth * unit])
        noise = 0.2 * true
        seen = true + noise * rng.standard_normal(true.shape)
        plan = best(cells(seen), 2000.0)
        delivered = cells(true).delivered(plan.spent).sum()
        draws = seen[:, None] + noise[:, None] * rng.standard_normal((2, 200, 8, 6))
        again = best(cells(draws), 2000.0)
        elsewhere = cells(seen).delivered(again.spent).sum(axis=(-2, -1))
        corrected = budget.corrected(float(plan.value), again.value, elsewhere)
        bias.append([plan.value / delivered - 1, corrected / delivered - 1])
    claimed, mended = np.mean(bias, axis=0)
    assert claimed > 0.05
    assert abs(mended) < claimed / 2


def test_five_hundred_replicates_of_a_large_package_are_quick():
    """12 services of which six cost something to begin, 9 groups, floors, 500 replicates: within 20 seconds."""
    rng = np.random.default_rng(1)
    room, worth = rng.uniform(1, 30, (500, 12, 9)), rng.uniform(0.1, 2, (500, 12, 9))
    cells = Cells(room, worth, np.where(np.arange(12) % 2, 20.0, 0.0))
    start = time.process_time()  # of this process: what else the machine does is not counted
    plan = best(cells, 700.0, 0.1 * (room * worth).sum(axis=-2))
    assert time.process_time() - start < 20
    assert np.isfinite(plan.value).all()


def covariance(size, seed=3):
    """Some covariance matrix."""
    root = np.random.default_rng(seed).normal(size=(size, size + 2))
    return root @ root.T


def test_what_more_interviews_move_by_inverses():
    """V less the posterior covariance, by inverses; where everybody is asked, all of V is learnt."""
    known, asked, ratio = covariance(5), np.array([True, False, True, False, False]), 7.0
    precise = np.linalg.inv(known)
    precise[np.ix_(asked, asked)] += np.linalg.inv(ratio * known[np.ix_(asked, asked)])
    assert budget.learnt(known, asked, ratio) == pytest.approx(known - np.linalg.inv(precise))
    alone = budget.learnt(known[:1, :1], asked[:1], ratio)
    assert alone == pytest.approx(known[:1, :1] / (1 + ratio))
    assert budget.learnt(known, asked | True, 0.0) == pytest.approx(known)
    assert budget.learnt(np.zeros((2, 2)), np.ones(2, dtype=bool), 1.0) == pytest.approx(np.zeros((2, 2)))


@pytest.mark.parametrize("ahead", [0.0, 0.7, 3.0])
def test_the_worth_of_asking_between_two_packages_is_the_unit_normal_loss(ahead):
    """Of two values, one ahead by delta: sigma (phi(u) - u Phi(-u)), u = delta / sigma (Raiffa and Schlaifer 1961)."""
    known, centre = covariance(2), np.array([ahead, 0.0])
    moved = budget.learnt(known, np.array([True, True]), 1.5)
    sigma = np.sqrt(np.array([1.0, -1.0]) @ moved @ np.array([1.0, -1.0]))
    u = ahead / sigma
    gain, error = budget.worth_asking(
        lambda means: means.argmax(axis=-1),
        lambda chosen, truths: np.where(chosen == 0, truths[..., 0], truths[..., 1]),
        centre, known, moved, np.random.default_rng(8), (20_000, 2),
    )  # fmt: skip
    assert error < 0.02 * sigma
    assert gain == pytest.approx(sigma * (stats.norm.pdf(u) - u * stats.norm.sf(u)), abs=4 * error)


def test_normal_deviations_have_their_covariance():
    """Products of many deviations are the covariance, whatever the shape."""
    known = covariance(3)
    found = budget.noise(known, (200, 300), np.random.default_rng(1)).reshape(-1, 3)
    assert np.cov(found.T) == pytest.approx(known, abs=0.03 * known.max())
