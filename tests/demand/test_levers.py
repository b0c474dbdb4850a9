"""What measures bring and cost: by hand, by simulation, and by drawing the normal errors."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.demand.levers import PARTS, acceptability, cost_of_one_more, frontier, lever
from welfare_analysis.estimation import Design, total


def made(seed: int, n: int = 400, effect: float = 0.2, cost: float = 50.0):
    """A measure before n people: some take it anyway, some because of it; each costs about ``cost``."""
    rng = np.random.default_rng(seed)
    design = Design(pd.Series(np.full(n, 10.0)))
    before = rng.random(n) < 0.3
    after = before | (rng.random(n) < effect)
    each = cost * rng.uniform(0.8, 1.2, n)
    columns = {"before": before, "after": after, "cost": after * each, "transfer": before * each}
    return lever(*(total(design, pd.Series(np.asarray(v, float), name="x")) for v in columns.values()))


def test_parts_are_sums():
    """Additional units are those with the measure less those without; cost less transfer goes to them."""
    e = made(1)
    assert list(e.value.index) == list(PARTS)
    assert e.value["additional"] == pytest.approx(e.value["after"] - e.value["before"])
    gone = e.value["cost_dh"] - e.value["transfer_dh"]
    assert 40 < gone / e.value["additional"] < 60


def test_the_set_of_the_ratio_holds_the_truth():
    """Fieller's set at 95 % over 200 samples; truth: K / A = 50 (0.3 + 0.7 e) / (0.7 e). 2.5 standard errors."""
    for effect in (0.2, 0.08):
        truth = 50 * (0.3 + 0.7 * effect) / (0.7 * effect)
        sets = [cost_of_one_more({"m": made(s, effect=effect)}).loc["m"] for s in range(200)]
        inside = [row.low <= truth <= row.high if row.kind == "between" else _outside(row.kind, truth) for row in sets]
        assert abs(np.mean(inside) - 0.95) < 2.5 * np.sqrt(0.95 * 0.05 / 200)


def _outside(kind: str, truth: float) -> bool:
    if kind == "all numbers":
        return True
    low, high = (float(x) for x in kind.removeprefix("outside (").removesuffix(")").split(", "))
    return not low < truth < high


def test_a_measure_that_may_bring_nothing_has_no_bounded_cost():
    """One person in 400 came because of it."""
    assert cost_of_one_more({"m": made(3, effect=0.004)}).loc["m", "kind"] != "between"


def test_acceptability_is_a_probability_of_net_worth():
    """Beside 200,000 draws of the two normal errors."""
    e = made(2)
    pair = ["cost_dh", "additional"]
    draws = np.random.default_rng(0).multivariate_normal(e.value[pair], e.covariance().loc[pair, pair], 200_000)
    worth = [100.0, 150.0, 200.0]
    for at, chance in acceptability(e, worth).items():
        assert chance == pytest.approx((draws[:, 1] * at > draws[:, 0]).mean(), abs=0.006)


def test_frontier_leaves_out_what_a_mix_of_others_beats():
    """By hand: B costs more a unit than the way from A to C; D brings less than A for more; E takes units away."""
    values = {"A": (10, 100), "B": (15, 400), "C": (20, 500), "D": (8, 120), "E": (-5, 10), "F": (30, 2500)}
    design = Design(pd.Series(np.ones(50)))

    def fixed(x):
        return total(design, pd.Series(np.full(50, x / 50), name="x"))

    levers = {k: lever(fixed(0), fixed(a), fixed(c), fixed(0)) for k, (a, c) in values.items()}
    steps = cost_of_one_more(frontier(levers))
    assert list(steps.index) == ["A", "C", "F"]
    assert np.allclose(steps["estimate"], [10, 40, 200])


def test_a_step_on_the_frontier_is_the_total_of_what_differs():
    """Its covariance is that of totals of what differs for each person, as both are put before the same people."""
    rng = np.random.default_rng(8)
    n = 300
    design = Design(pd.Series(rng.uniform(5, 15, n)), psu=pd.Series(rng.integers(0, 30, n)))
    anyway = rng.random(n) < 0.3
    cheap, dear = anyway | (rng.random(n) < 0.1), anyway | (rng.random(n) < 0.4)

    def of(columns):
        return [total(design, pd.Series(np.asarray(v, float), name="x")) for v in columns]

    levers = {"dear": lever(*of([anyway, dear, dear * 90, anyway * 90]))}
    levers["cheap"] = lever(*of([anyway, cheap, cheap * 2, anyway * 2]))
    steps = frontier(levers)
    assert list(steps) == ["cheap", "dear"]
    differences = pd.DataFrame({"additional": dear * 1.0 - cheap, "cost_dh": dear * 90.0 - cheap * 2})
    expected = total(design, differences)
    assert np.allclose(steps["dear"].value, expected.value)
    assert np.allclose(steps["dear"].covariance(), expected.covariance(), rtol=1e-10)
