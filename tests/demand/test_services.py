"""Summer holidays: places of a peak week by hand and by simulation, and identities of sums and steps."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK
from scipy import stats

from welfare_analysis.demand import services
from welfare_analysis.demand.services import Holidays, places
from welfare_analysis.estimation import Design

TERMS = {"take_up": 0.5, "week_price_dh": 100.0, "refused": 0.1, "weeks_most": 1.0, "season": (0.5, 0.5)}


def families(**columns):
    """Four families, each of which stands for a hundred: two in Agadir, one in Ifrane, one that goes nowhere."""
    frame = pd.DataFrame(
        {
            "status": ["active"] * 4,
            "holiday_centre": ["agadir", "agadir", "ifrane", "none"],
            "holiday_weeks_n": [1.0, 3.0, 1.0, 0.0],
            "holiday_persons_n": [4.0, 2.0, 5.0, 0.0],
            "holiday_budget_dh": [400.0, 900.0, 500.0, np.nan],
        }
    ).assign(**columns)
    return Holidays(frame, Design(pd.Series(100.0, frame.index)), BOOK, **TERMS)


def test_persons_of_a_peak_week_by_hand():
    """100 families of 4 and of 2 in Agadir, of 5 in Ifrane; half of them ask, half of these in the peak week."""
    made = families().persons().value
    assert made.to_dict() == pytest.approx({"agadir": 150.0, "ifrane": 125.0, "all": 275.0})
    first, second, third = (families().sums.value[name]["agadir"] for name in services.SUMS)
    assert (first, second, third) == pytest.approx((600.0, 2000.0, 2000.0))


def test_places_by_the_loss_of_a_normal_variable():
    """With mean 100 and spread 10 places of 100 refuse 10 phi(0) persons, so this part needs 100 places."""
    part = 10 * stats.norm.pdf(0) / 100
    assert places(100.0, 100.0, part) == pytest.approx(100.0)
    assert places(100.0, 1e-8, 0.1) == pytest.approx(90.0)  # who is sure to come, less those refused
    tight, loose = places(100.0, 100.0, 0.001), places(100.0, 100.0, 0.2)
    assert 100 < tight < 130
    assert 80 < loose < 81


def test_the_part_refused_is_that_of_drawn_demand():
    """1,500 families ask at random for places of the closed form: on average the part that was set finds none."""
    rng, chance = np.random.default_rng(5), 0.06
    persons = rng.integers(1, 7, 1500)
    mean = chance * persons.sum()
    variance = chance * (1 - chance) * (persons**2).sum()
    asked = (rng.random((20_000, 1500)) < chance) @ persons
    for refused in (0.02, 0.1):
        built = places(mean, variance, refused)
        assert np.maximum(asked - built, 0).mean() / mean == pytest.approx(refused, abs=0.002)


def test_who_cannot_pay_and_who_is_not_known():
    """A budget below the price of all persons takes a family out; an unknown one is as the others are."""
    poor = families(holiday_budget_dh=[399.0, 900.0, 500.0, np.nan]).persons().value
    assert poor["agadir"] == pytest.approx(50.0)
    unknown = families(holiday_budget_dh=[np.nan, 900.0, 500.0, np.nan])
    assert unknown.goes.isna().tolist() == [True, False, False, False]
    assert unknown.persons().value["ifrane"] == pytest.approx(125.0 * 4 / 3)


def test_homes_with_several_forms_count_once():
    """Two forms of one home have half of its persons each."""
    shared = families(household_share=[0.5, 0.5, 1.0, 1.0]).persons().value
    assert shared["agadir"] == pytest.approx(75.0)


def test_steps_never_rise_and_terms_work_as_they_should():
    """Dearer weeks, more refusals and less taking up need fewer places; two weeks a family and heaped weeks more."""
    of = families()
    left = of.steps.fillna(False).astype(bool).cumprod(axis=1).sum()
    assert left.is_monotonic_decreasing
    base = of.places().value["all"]
    for terms in ({"week_price_dh": 150.0}, {"refused": 0.3}, {"take_up": 0.4}):
        assert of.at(**terms).places().value["all"] < base
    for terms in ({"weeks_most": 2.0}, {"season": (0.8, 0.2)}):
        assert of.at(**terms).places().value["all"] > base
    assert of.places().value.drop("all").sum() == pytest.approx(base)
    assert of.at(week_price_dh=200.0).sums is not of.sums
    assert of.takers().value.iloc[0] == pytest.approx(0.5 * 300)


@pytest.mark.parametrize("end", ["value", *services.ENDS])
def test_a_season_is_a_whole(end):
    """The parts of a season add up to one; the headline lies between the flat and the heaped end."""
    assert sum(services.season(end)) == pytest.approx(1)
    assert max(services.season("low")) <= max(services.season(end)) <= max(services.season("high"))


def test_the_headline_is_the_middle_of_each_range():
    """Each assumption with a range stands in its middle."""
    table = services.public("services").query("low < high")
    assert (table["value"] == (table["low"] + table["high"]) / 2).all()


def test_chances_under_each_rule_by_hand(monkeypatch):
    """300 families of 1,100 persons ask, half of them for 220 places: 0.4 by lot; else first classes take all."""
    numbers = {"announced_places_n": 110.0, "low_pay_dh": 4500.0, "points_child": 1.0, "points_children_most": 3.0,
               "points_low_pay": 2.0}  # fmt: skip
    monkeypatch.setattr(services, "parameter", lambda name, end="value": numbers[name])
    of = families(age=[35.0, 62.0, 41.0, 70.0], children_n=[4.0, 0.0, 1.0, 0.0], net_pay_dh=[5e3, 4e3, 5e3, 4e3],
                  pension_dh=np.nan)  # fmt: skip
    group = pd.Series(["first", "second", "third", "none"])
    group[3] = "third"  # goes nowhere, and so is in no part
    lot = of.chances("lottery", group).value
    assert lot.to_numpy() == pytest.approx(np.full(4, 220 / 550))
    points = of.chances("points", group).value  # 3 of the first, 2 of the second, 1 of the third family
    assert points.to_dict() == pytest.approx({"first": 1.0, "second": 20 / 100, "third": 0.0, "all": 1.2 / 3})
    queue = of.chances("queue", group).value  # 62, then 41, then 35 years
    assert queue.to_dict() == pytest.approx({"first": 0.0, "second": 1.0, "third": 120 / 250, "all": 1.48 / 3})
    persons = {"first": 200.0, "second": 100.0, "third": 250.0}
    for chance in (lot, points, queue):
        assert sum(chance[name] * asked for name, asked in persons.items()) <= 220 + 1e-9
