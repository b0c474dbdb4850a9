"""The index of several deprivations: published values, small cases by hand, identities, and truth from a simulation."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design
from welfare_analysis.needs.deprivation import (
    CUTOFFS,
    OWN,
    alkire_foster,
    bounds,
    contributions,
    deprivations,
    dimensions,
    far_services,
    multiply,
    no_health_cover,
    scores,
    weightings,
)

NAMES = ["crowded", "lacks_facilities", "cost_burdened", "over_debt_limit", "care_forgone", "far_services"]


def people(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Persons with dependent deprivations, none missing."""
    base = rng.normal(size=(n, 1))
    return pd.DataFrame((base + rng.normal(size=(n, 6)) > 0.9), columns=NAMES).astype("boolean")


def test_the_example_of_four_persons_and_four_dimensions():
    """Counts 0, 2, 4 and 1 of four equal dimensions, two needed: H 1/2, A 3/4, M0 3/8 (Alkire and Foster 2011)."""
    rows = [[0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 1]]
    deprived = pd.DataFrame(rows, columns=list("abcd")).astype(bool).astype("boolean")
    made = alkire_foster(Design(np.ones(4)), deprived, dict.fromkeys("abcd", 0.25), 0.5)
    assert [float(e.value.iloc[0]) for e in made.values()] == [0.5, 0.75, 0.375]


def test_a_score_and_its_cutoff():
    """Unknown where an indicator is; at the cutoff is deprived in several ways; a third is met by sums of weights."""
    deprived = pd.DataFrame({"a": [True, True, False], "b": [True, pd.NA, False], "c": [False, True, False]}).astype(
        "boolean"
    )
    weights = {"a": 1 / 12, "b": 1 / 4, "c": 2 / 3}
    score = scores(deprived, weights)
    assert score.isna().tolist() == [False, True, False]
    inside = multiply(score, 1 / 3)
    assert inside.iloc[0]
    assert pd.isna(inside.iloc[1])
    assert not inside.iloc[2]
    for wrong in ({"a": 0.5, "b": 0.5, "c": 0.5}, {"a": 0.5, "b": 0.5}, {"a": 1.5, "b": -0.25, "c": -0.25}):
        with pytest.raises(WelfareError, match="weights of an index"):
            scores(deprived, wrong)


def test_indicators_say_what_is_unknown():
    """What is missing stays unknown, and what was not asked is an error and not "not deprived"."""
    frame = pd.DataFrame({
        "care_forgone": ["yes", "no", None], "services_km": [5.0, 5.1, np.nan], "health_cover": ["no", None, "yes"],
    })  # fmt: skip
    assert OWN["care_forgone"](frame).tolist() == [True, False, pd.NA]
    assert far_services(frame).tolist() == [False, True, pd.NA]
    assert no_health_cover(frame).tolist() == [True, pd.NA, False]
    with pytest.raises(WelfareError, match="is absent"):
        deprivations(frame)


def test_levels_by_group_are_weighted_means_by_hand():
    """H, A and M0 with NumPy alone; M0 = H x A; persons with a gap are in no group's base."""
    rng = np.random.default_rng(3)
    deprived, by = people(900, rng), pd.Series(rng.choice(["a", "b"], 900), name="status")
    deprived.iloc[::11, 2] = pd.NA
    weights = pd.Series([1 / 8, 1 / 8, 1 / 8, 1 / 8, 1 / 4, 1 / 4], NAMES)
    w = rng.uniform(1, 3, 900)
    made = alkire_foster(Design(w), deprived, weights, CUTOFFS["third"], by)
    for group in ("a", "b"):
        rows = (by == group).to_numpy() & deprived.notna().all(axis=1).to_numpy()
        c = deprived[rows].astype(float).to_numpy() @ weights.to_numpy()
        inside = c >= 1 / 3
        h, m = np.average(inside, weights=w[rows]), np.average(c * inside, weights=w[rows])
        of = {name: float(e.value[group]) for name, e in made.items()}
        assert of == pytest.approx({"headcount": h, "intensity": m / h, "adjusted": m}, rel=1e-12)
        assert int(made["headcount"].counts["n"][group]) == rows.sum()


def test_parts_add_to_one_and_are_those_of_each_dimension():
    """By group, and against the sum of weighted censored headcounts."""
    rng = np.random.default_rng(4)
    deprived, by = people(600, rng), pd.Series(rng.choice(["a", "b"], 600), name="status")
    weights = weightings(deprived, Design(np.ones(600)))["dimensions"]
    parts = contributions(Design(np.ones(600)), deprived, weights, 1 / 3, by)
    total = sum(e.value.to_numpy() for e in parts.values())
    np.testing.assert_allclose(total, 1.0, rtol=1e-12)
    assert list(parts) == ["housing", "money", "health", "access"]
    rows = (by == "a").to_numpy()
    numbers = deprived.astype(float).to_numpy()[rows]
    score = numbers @ weights.to_numpy()
    housing = (numbers[:, 0] * weights["crowded"] + numbers[:, 1] * weights["lacks_facilities"])[score >= 1 / 3 - 1e-9]
    assert float(parts["housing"].value["a"]) == pytest.approx(housing.sum() / score[score >= 1 / 3 - 1e-9].sum())


def test_each_way_to_weigh_adds_to_one():
    """Dimensions alike; all alike; what few lack weighs more; housing twice."""
    rng = np.random.default_rng(5)
    deprived = people(500, rng)
    made = weightings(deprived, Design(np.ones(500)))
    for weights in made.values():
        assert weights.sum() == pytest.approx(1.0)
    of = dimensions(deprived)
    assert made["dimensions"].groupby(of).sum().tolist() == pytest.approx([0.25] * 4)
    assert made["indicators"].tolist() == pytest.approx([1 / 6] * 6)
    assert made["housing"].groupby(of).sum()["housing"] == pytest.approx(0.4)
    lacking = 1 - deprived.astype(float).mean()
    assert made["rare"].tolist() == pytest.approx((lacking / lacking.sum()).tolist())


def test_bounds_hold_whatever_was_not_said():
    """Any way to fill the gaps lies between, and a person of whom nothing is known is in neither."""
    rng = np.random.default_rng(6)
    whole = people(400, rng)
    gaps = whole.mask(rng.random(whole.shape) < 0.1)
    gaps.iloc[0] = pd.NA
    design, weights = Design(np.ones(400)), dict.fromkeys(NAMES, 1 / 6)
    levels = {
        name: float(alkire_foster(design, of.reindex(gaps.index), weights, 1 / 3)["adjusted"].value.iloc[0])
        for name, of in bounds(gaps).items()
    }
    truth = float(
        alkire_foster(design, whole.where(gaps.notna().any(axis=1)), weights, 1 / 3)["adjusted"].value.iloc[0]
    )
    assert levels["least"] < truth < levels["most"]
    assert all(len(of) == 399 for of in bounds(gaps).values())


def test_intervals_hold_the_truth_of_a_population():
    """In 400 simple samples of 300: coverage of H, A and M0 within three Monte Carlo errors of 95 %."""
    rng = np.random.default_rng(7)
    population = people(20_000, rng)
    weights = weightings(population, Design(np.ones(20_000)))["dimensions"]
    whole = alkire_foster(Design(np.ones(20_000)), population, weights, 1 / 3)
    truth = {name: float(e.value.iloc[0]) for name, e in whole.items()}
    held = dict.fromkeys(truth, 0)
    for _ in range(400):
        sample = population.sample(300, random_state=rng).reset_index(drop=True)
        for name, e in alkire_foster(Design(np.full(300, 20_000 / 300)), sample, weights, 1 / 3).items():
            low, high = e.interval().iloc[0]
            held[name] += low <= truth[name] <= high
    assert all(abs(k / 400 - 0.95) < 3 * (0.95 * 0.05 / 400) ** 0.5 for k in held.values()), held
