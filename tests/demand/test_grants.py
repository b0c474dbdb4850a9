"""Grants by hand: what a fund pays, children as they grow up, and whom a wish concerns."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.demand import grants
from welfare_analysis.demand.services import parameter
from welfare_analysis.study import public


def test_a_fund_pays_between_floor_and_cap():
    """Nothing below the floor, the cost from it on, never above the cap; what is not known stays so."""
    cost = pd.Series([0.0, 2999.0, 3000.0, 12_000.0, 45_000.0, np.nan])
    assert grants.paid(cost, 3000, 30_000).tolist()[:5] == [0, 0, 3000, 12_000, 30_000]
    assert grants.paid(cost, 3000, 30_000).isna().tolist() == [False] * 5 + [True]


def test_children_are_of_the_ages_of_school_today():
    """At year nought each group is wholly in its own school; the youngest, and those to be born, are in none."""
    assert grants.ageing(0).tolist() == [[0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0]]


def test_children_grow_up_by_hand():
    """In six years the youngest are in primary school; in eight two years of births are too, and nobody comes twice."""
    six = grants.ageing(6)
    assert six[0].tolist() == [1, 0, 0, 0, 0]
    assert six[1].tolist() == [0, 1, 0, 0, 0]
    assert six[2] == pytest.approx([0, 0, 1, 1 / 7, 0])
    assert grants.ageing(8)[0] == pytest.approx([4 / 6, 0, 0, 0, 2])
    for years in range(11):
        assert (grants.ageing(years)[:, :4].sum(axis=0) <= 1 + 1e-12).all()


def test_a_steady_people_stays_as_it_is():
    """With as many born a year as are of each age, schools have the same numbers in every year."""
    people = np.array([6.0, 6.0, 6.0, 7.0, 1.0])
    for years in range(0, 11, 2):
        assert grants.ageing(years) @ people == pytest.approx([6, 6, 7])


def test_whom_a_wish_concerns():
    """Children of the levels where it was wished; none where not; unknown where the wish or a number is."""
    frame = pd.DataFrame(
        {
            "education_wish_tutoring": ["yes", "no", "yes", None],
            "primary_n": [2.0, 1.0, np.nan, 1.0],
            "secondary_n": [1.0, 1.0, 1.0, 1.0],
        }
    )
    found = grants.concerned(frame, {"tutoring": ("primary_n", "secondary_n")})["tutoring"]
    assert found.tolist()[:2] == [3.0, 0.0]
    assert found.isna().tolist() == [False, False, True, True]


def test_terms_that_were_printed_are_those_of_the_data():
    """The fund, the scholarship and the thresholds are reported; the Eid grant follows from a sum and a number."""
    table = public("services").set_index("parameter")
    assert (table.loc[["fund_floor_dh", "fund_cap_dh", "scholarship_dh"], "kind"] == "reported").all()
    assert parameter("widow_pension_most_dh") < parameter("retired_pension_most_dh")
    assert pytest.approx(parameter("eid_grant_dh"), rel=0.01) == 6e6 / (3766 + 372)
