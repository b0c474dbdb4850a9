"""Homes needed a year: what each form stands for, the sum by hand, its interval, its assumptions."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from tenants import NAN, tenants

from welfare_analysis.estimation import Design, total
from welfare_analysis.needs import projection
from welfare_analysis.needs.projection import Flows, annual, homes_needed
from welfare_analysis.study import public

NA = pd.NA
RENTS = pd.Series({"rabat": 2000.0})
STAYS = dict.fromkeys(("change_retirement", "change_marriage", "change_transfer"), "no")
homes = partial(tenants, **STAYS)  # in no need, and expect nothing, but for what is named
IN_NEED, BY_POST, THIRD = {"own_kitchen": "no"}, {"tenure": "service"}, 1 / 3
MARRIES, MOVES, RETIRES = ({f"change_{c}": "yes"} for c in ("marriage", "transfer", "retirement"))
UNASKED = {"change_retirement": None, "change_marriage": None, "change_transfer": None}
# what is changed; backlog, marriage, transfer, retirement, post, active
EACH = [
    ({}, 0, 0, 0, 0, 0, 1),
    (IN_NEED, 1, 0, 0, 0, 0, 1),
    ({"tenure": "family"}, 1, 0, 0, 0, 0, 1),
    (IN_NEED | MARRIES | MOVES, 1, 0, 0, 0, 0, 1),
    (MARRIES, 0, THIRD, 0, 0, 0, 1),
    (MARRIES | MOVES, 0, THIRD, 0, 0, 0, 1),
    (MARRIES | MOVES | {"tenure": "owner"}, 0, 0, THIRD, 0, 0, 1),
    (RETIRES, 0, 0, 0, 0, 0, 1),
    (BY_POST, 0, 0, 0, 0, 1, 1),
    (BY_POST | RETIRES | MARRIES, 0, 0, 0, THIRD, 1, 1),
    (BY_POST | IN_NEED, 1, 0, 0, 0, 0, 1),
    (BY_POST | UNASKED | {"status": "widow", "pension_dh": 6000.0}, 0, 0, 0, 0, 0, 0),
    (UNASKED, 0, NA, NA, 0, 0, 1),
    ({"tenure": None, "wants_home": "no", "own_kitchen": "no"}, 1, 0, 0, 0, 0, 1),
    ({"housing_charges_dh": NAN}, NA, 0, 0, 0, 0, 1),
    ({"housing_charges_dh": NAN} | MARRIES, NA, NA, 0, 0, 0, 1),
]


def test_homes_of_each():
    """The backlog leaves the flows out; retirement comes before marriage, that before transfer: a home counts once."""
    found = homes_needed(homes(*[row[0] for row in EACH]), RENTS)
    assert tuple(found) == ("backlog", "marriage", "transfer", "retirement", "post", "active")
    wanted = pd.DataFrame([row[1:] for row in EACH], columns=found.columns)
    pd.testing.assert_frame_equal(found.astype("Float64"), wanted.astype("Float64"))


def test_a_home_of_several_members_is_one():
    """Two members of one household in need are one home, half of it each."""
    frame = homes(IN_NEED, IN_NEED, MARRIES).assign(household_share=[0.5, 0.5, 0.5])
    found = homes_needed(frame, RENTS)
    assert found["backlog"].tolist() == [0.5, 0.5, 0.0]
    assert found["marriage"].tolist() == [0.0, 0.0, THIRD]


NET = ["years_5", "years_10", "years_20"]


def sample(n=400):
    """Respondents drawn from the cases without gaps, and their design."""
    rng = np.random.default_rng(3)
    whole = [row[0] for row in EACH if not any(x is NA for x in row[1:])]
    frame = homes(*[whole[i] for i in rng.integers(len(whole), size=n)])
    return frame, Design(rng.uniform(5, 15, n))


FRAME, DESIGN = sample()
STAFF = float(DESIGN.weights[(FRAME["status"] == "active").to_numpy()].sum())
FLOWS = Flows(300.0, 0.5, 0.8, 0.25, 0.01, 0.5, 40.0, STAFF)


def by_hand(t, years, split=1.0):
    """Net need of totals."""
    ends = t["retirement"] + 0.01 * t["post"]
    arising = 0.5 * 300 * split + 0.8 * t["marriage"] + 0.25 * t["transfer"] + ends
    return t["backlog"] / years + arising - 40 * split - 0.5 * ends


def test_net_need_by_hand():
    """Backlog over years, plus what arises, less supply; the longer the clearance, the fewer a year."""
    frame, design = sample()
    stock = total(design, homes_needed(frame, RENTS))
    made = annual(stock, FLOWS).value
    assert list(made.index) == ["backlog", "arising", "supply", *NET]
    assert made["backlog"] == stock.value["backlog"]
    assert made[NET].tolist() == pytest.approx([by_hand(stock.value, h) for h in (5, 10, 20)])
    assert made[NET].is_monotonic_decreasing
    assert made["arising"] - made["years_5"] == pytest.approx(
        40 + 0.5 * (stock.value["retirement"] + 0.01 * stock.value["post"]) - stock.value["backlog"] / 5
    )


def test_interval_is_that_of_the_linear_combination():
    """The variance is a'Va, with V the covariance of the totals: the backlog and the flows of one sample covary."""
    frame, design = sample()
    stock = total(design, homes_needed(frame, RENTS))
    for years in (5, 20):
        weights = pd.Series({"backlog": 1 / years, "marriage": 0.8, "transfer": 0.25, "retirement": 0.5, "post": 0.005})
        weights = weights.reindex(stock.value.index).fillna(0.0)
        wanted = np.sqrt(weights @ stock.covariance() @ weights)
        net = annual(stock, FLOWS, [years])
        assert net.se.iloc[-1] == pytest.approx(wanted)
        inside = net.interval().iloc[-1]
        assert inside["low"] < net.value.iloc[-1] < inside["high"]


def test_a_surplus_is_negative():
    """More supply than need is shown as such."""
    frame, design = sample()
    stock = total(design, homes_needed(frame, RENTS))
    half = annual(stock, replace(FLOWS, staff_n=2 * STAFF))
    assert half.value["years_5"] == pytest.approx(by_hand(stock.value, 5, split=0.5))
    plenty = annual(stock, replace(FLOWS, committed_n=1e5))
    assert (plenty.value[NET] < 0).all()


def test_supply_is_what_is_committed_and_let_again():
    """By hand; and need a year is backlog over years, plus what arises, less the supply."""
    frame, design = sample()
    stock = total(design, homes_needed(frame, RENTS))
    v, base = stock.value, Flows.read()
    split, left = v["active"] / base.staff_n, v["retirement"] + base.death_rate * v["post"]
    made = annual(stock).value
    assert made["supply"] == pytest.approx(base.committed_n * split + base.relet_share * left)
    assert made["years_10"] == pytest.approx(v["backlog"] / 10 + made["arising"] - made["supply"])


def test_a_chain_of_moves():
    """By simulation of 200,000 chains, and where nothing is left or passed on one home is one move."""
    left, passed = np.array([0.3, 0.6]), np.array([0.8, 0.25])
    rng, running, moves = np.random.default_rng(1), 200_000, 0
    while running:
        moves += running
        kind = rng.choice(3, running, p=[0.3, 0.6, 0.1])  # of the home that the mover leaves; the last is none
        running = int((rng.random(running) < np.append(passed, 0.0)[kind]).sum())
    assert projection.moves_by_home(left, passed) == pytest.approx(moves / 200_000, rel=0.01)
    assert projection.moves_by_home(left, np.zeros(2)) == 1.0


def test_the_table_of_flows():
    """Each has a range around its value and a source; defaults are the file's; recruits are those reported."""
    table = public("housing_flows").set_index("id")
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()
    assert (table["low"] < table["high"]).all()
    assert (table.loc[table["source"].str.startswith("own"), "kind"] == "assumption").all()
    assert Flows.read().recruits_n == 2100 + 1100
    frame, design = sample(100)
    stock = total(design, homes_needed(frame, RENTS))
    assert annual(stock).value.tolist() == annual(stock, Flows.read()).value.tolist()
    assert projection.CLEARANCE == (5, 10, 20)


def test_who_retires_when():
    """At 57 and a half in the third year, at 60 or past it in the first; nobody but the active; NA without an age."""
    frame = pd.DataFrame({"status": ["active", "active", "active", "retired", "widow", "active", None],
                          "age": [57.5, 60.0, 63.0, 55.0, NAN, NAN, 40.0]})  # fmt: skip
    found = projection.leaving(frame, 3)
    assert found["leaves_1"].tolist()[:5] == [0, 1, 1, 0, 0]
    assert found["leaves_3"].tolist()[:5] == [1, 0, 0, 0, 0]
    assert found[["active", "retired", "others"]].to_numpy()[:6].argmax(axis=1).tolist() == [0, 0, 0, 1, 2, 0]
    assert found["leaves_2"].isna().tolist() == [False] * 5 + [True] * 2
    assert found.iloc[6].isna().all()


STILL = {"recruits_n": 0.0, "staff_n": 100.0, "death_rate": 0.0, "retired_death_rate": 0.0, "survivor_share": 0.0,
         "survivor_exit_rate": 0.0}  # fmt: skip
# guards, officers, retirees, survivors; active, retired, others, and who leaves in two years
TODAY = np.array([[60.0, 40, 0, 0], [0, 0, 50, 0], [0, 0, 0, 20], [6, 10, 0, 0], [0, 10, 0, 0]])


def test_members_by_hand():
    """Without deaths and recruits retirees are who was active; then recruits, and deaths of whom half leave a widow."""
    assert projection.renewed(TODAY, STILL).tolist() == [[60, 40, 50, 20], [54, 30, 66, 20], [54, 20, 76, 20]]
    grown = projection.renewed(TODAY, STILL | {"recruits_n": 10.0})
    assert grown[2].tolist() == [54 + 12, 20 + 8, 76, 20]
    dying = projection.renewed(TODAY, STILL | {"death_rate": 0.1, "retired_death_rate": 0.2, "survivor_share": 0.5,
                                               "survivor_exit_rate": 0.25})  # fmt: skip
    assert dying[1] == pytest.approx([54 * 0.9, 30 * 0.9, 40 + 16, 15 + 0.5 * (8.4 + 10)])
    assert dying[2, :2] == pytest.approx([54 * 0.81, 0.9 * (27 - 9)])


def test_members_are_those_of_a_simulation():
    """Twenty thousand active of known years to go who die by lot leave as many active and retired as are expected."""
    rng, size, death, late = np.random.default_rng(4), 20_000, 0.03, 0.06
    due = rng.integers(1, 8, size)
    counts = np.zeros((8, 2))
    counts[0, 0], counts[1, 1] = size, 1e-6  # somebody is retired already
    counts[3:, 0] = [(due == year).sum() for year in range(1, 6)]
    found = projection.renewed(counts, STILL | {"death_rate": death, "retired_death_rate": late})[-1]
    alive = np.ones(size, dtype=bool)
    for year in range(1, 6):
        alive &= ~(rng.random(size) < np.where(due > year, death, np.where(due < year, late, 0.0)))
    simulated = [(alive & (due > 5)).sum(), (alive & (due <= 5)).sum()]
    assert found == pytest.approx(simulated, rel=0.02)
