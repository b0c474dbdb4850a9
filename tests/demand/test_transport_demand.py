"""Ways to work: what is recovered from cards, and how fares shift today's modes."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.demand import levels
from welfare_analysis.demand.fares import BASE, CUTS, FARED, SHARED, Fares, of_rail, pick, present_value
from welfare_analysis.demand.intercity import parameter as of_rail_assumed
from welfare_analysis.demand.modes import OFFERS, SHIFTS, pivoted
from welfare_analysis.demand.transport import BLOCK, Commuters
from welfare_analysis.estimation import Design, Estimate
from welfare_analysis.study import DATA
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

LEVEL = Parameters.read(DATA / "public")


@pytest.fixture(scope="module")
def people():
    """A population without errors of answering."""
    truth = typed(generate(LEVEL, 21, "plain", size=9000).truth, BOOK)
    group = truth["command"].astype(object).map(BOOK.parent("command"))
    frame = truth.assign(command_group=group).set_index(pd.RangeIndex(len(truth)))
    return Commuters(
        frame, Design(pd.Series(np.random.default_rng(3).uniform(1, 3, len(frame)))), BOOK, levels.Levels()
    )


@pytest.fixture(scope="module")
def fares(people):
    return Fares(people, 1.0)


def test_tastes_of_the_cards_are_recovered(people):
    """Simulate and recover: time, walk, headway and what shifts the shuttle, as the generator has them."""
    true = {f"{name}_10min": LEVEL[f"{BLOCK}_{name}_min_effect"] for name in ("time", "walk", "headway")}
    moved = {"shuttle_car": "car", "shuttle_nights": "shifts", "shuttle_far_10km": "far"}
    true |= {name: LEVEL[f"{BLOCK}_shuttle_{slope}_slope"] for name, slope in moved.items()}
    fit = people.fit()
    z = pd.Series({name: (fit.value[name] - value) / fit.se[name] for name, value in true.items()})
    assert z.abs().max() < 3.5, z


def test_a_pivot_by_hand():
    """Two modes at a half each, one better by ln 3: three quarters; another segment stays, and sums are kept."""
    index = pd.MultiIndex.from_tuples([("a", "bus"), ("a", "car"), ("b", "bus"), ("b", "car")])
    shares = pd.Series([0.3, 0.3, 0.1, 0.3], index)
    change, bus = np.array([np.log(3), 0, 0, 0]), np.array([[1.0], [0], [1], [0]])
    found = shares.to_numpy() @ pivoted(shares, change, bus)
    assert found[0] == pytest.approx(0.6 * 0.75 + 0.1)
    everybody = shares.to_numpy() @ pivoted(shares, change, np.ones((4, 1)))
    assert everybody[0] == pytest.approx(1.0)
    step = 1e-6  # what a further person adds is the derivative of the sum

    def total(q):
        u = q * np.exp(change)
        return q[:2].sum() * u[0] / u[:2].sum() + q[2]

    for cell in range(4):
        moved = shares.to_numpy() + step * (np.arange(4) == cell)
        slope = (total(moved) - total(shares.to_numpy())) / step
        assert pivoted(shares, change, bus)[cell, 0] == pytest.approx(slope, rel=1e-5)


def test_without_a_change_shares_are_those_of_today(people, fares):
    """The base is the weighted share of each mode, and every change keeps the sum."""
    w = pd.Series(people.design.weights, people.frame.index)[people.known]
    seen = w.groupby(people.frame.loc[people.known, "commute_mode"].astype(str)).sum() / w.sum()
    base = fares.shares(BASE).value
    np.testing.assert_allclose(base.loc[seen.index].to_numpy().ravel(), seen, rtol=1e-10)
    for name in CUTS:
        assert fares.shares(name).value.sum() == pytest.approx(1, abs=1e-12)


def test_lower_fares_draw_from_every_other_mode(fares):
    """What becomes cheaper gains, all else loses; more so at a larger cut."""
    base = fares.shares(BASE).value
    gaps = [fares.shares(name).value - base for name in CUTS]
    on = base.index.get_level_values(0).isin(FARED)
    for gap in gaps:
        assert (gap[~on] < 0).all()
        assert gap[on].sum() > 0
    assert gaps[0][on].sum() < gaps[1][on].sum() < gaps[2][on].sum()


def test_a_lever_by_hand(people, fares):
    """A fare cut person by person: each has the shares of the segment, shifted; costs and transfers add up."""
    made, more = fares.lever("fares_30")
    w = pd.Series(people.design.weights, people.frame.index)
    part, segment = people.frame[people.known], people.segments()[people.known]
    mode, b, number = part["commute_mode"].astype(str), people.fit().value["cost_100"], w[people.active].sum()
    users = given = before = paid = 0.0
    for name, rows in part.groupby(segment).groups.items():
        mass = w[rows].groupby(mode[rows]).sum()
        costs = {m: np.average(people.levels.of(part.loc[rows], m)["cost_dh"], weights=w[rows]) for m in mass.index}
        cost = pd.Series(costs)
        new = cost * np.where(cost.index.isin(FARED), 0.7, 1.0)
        after = mass * np.exp(b * (new - cost) / 100)
        after *= mass.sum() / after.sum()
        users += after[after.index.isin(SHARED)].sum()
        before += mass[mass.index.isin(SHARED)].sum()
        given += (after * (cost - new)).sum()
        paid += (after * new).sum() - (mass * cost).sum()
        assert name in set(segment)
    scale = number / w[people.known].sum()
    assert made.value["after"] == pytest.approx(users * scale, rel=1e-9)
    assert made.value["additional"] == pytest.approx((users - before) * scale, rel=1e-9)
    assert made.value["cost_dh"] == pytest.approx(12 * given * scale, rel=1e-9)
    assert more.value.iloc[0] == pytest.approx(12 * paid * scale, rel=1e-9)
    assert 0 < made.value["transfer_dh"] < made.value["cost_dh"]


def test_a_rail_discount_by_hand():
    """1,000 trips for 100,000 DH: more trips, what it costs, what present travellers are given, what members pay."""
    names = ["rail_trips", "rail_dh"]
    counts = pd.DataFrame({"n": [4, 4]}, index=names)
    today = Estimate(pd.Series([1000.0, 1e5], names), Design(np.ones(4)), lambda: np.zeros((4, 2)),
                     pd.Series([3.0, 3.0], names), counts)  # fmt: skip
    made, more = of_rail(today)
    off, slope = of_rail_assumed("discount"), of_rail_assumed("elasticity")
    grown = (1 - off) ** slope
    assert made.value["before"] == pytest.approx(1000)
    assert made.value["additional"] == pytest.approx(1000 * (grown - 1))
    assert made.value["cost_dh"] == pytest.approx(off * 1e5 * grown)
    assert made.value["transfer_dh"] == pytest.approx(off * 1e5)
    assert more.value.iloc[0] == pytest.approx((1 - off) * 1e5 * grown - 1e5)
    later = present_value(pick(made, {"cost_dh": 1.0})).value.iloc[0]
    assert later == pytest.approx(sum(made.value["cost_dh"] / 1.045**year for year in range(1, 6)))


def test_nothing_but_the_block_is_needed():
    """Offers and shifts are those of the cards."""
    assert tuple(BOOK.codes(f"{BLOCK}_alternative")[1:]) == OFFERS
    assert set(SHIFTS) == {"car", "nights", "far_10km"}
