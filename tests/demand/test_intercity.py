"""Trips between towns: what is recovered, and a rail agreement by hand."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.demand import intercity
from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, Estimate
from welfare_analysis.study import public


def test_sums_by_rail_by_hand():
    """Trips and spending of those who go by train; no trips are none, an unknown mode is unknown."""
    frame = pd.DataFrame(
        {
            "status": ["active"] * 5,
            "command_group": ["north"] * 5,
            "intercity_trips_n": [4.0, 2.0, 0.0, 3.0, np.nan],
            "intercity_cost_dh": [100.0, 50.0, np.nan, 80.0, np.nan],
            "intercity_mode": ["train", "coach", None, None, None],
        }
    )
    found = intercity.columns(frame)
    assert found["rail_trips"].tolist()[:3] == [4.0, 0.0, 0.0]
    assert found["rail_dh"].tolist()[:3] == [400.0, 0.0, 0.0]
    assert found["rail_trips"].isna().tolist() == [False, False, False, True, True]
    today = intercity.rail(Design(pd.Series([2.0, 1.0, 1.0, 1.0, 1.0])), found)
    assert today.value["rail_trips"] == pytest.approx(2 * 4 * 6 / 4)  # the unknown are like the others


def test_an_agreement_by_hand():
    """1,000 trips for 100,000 DH at -0.5, a quarter off: 1,154.7 trips, 28,868 DH, 25,000 of them on trips of today."""
    design = Design(np.ones(4))
    today = Estimate(
        pd.Series({"rail_trips": 1000.0, "rail_dh": 1e5}),
        design,
        lambda: np.zeros((4, 2)),
        pd.Series([3.0, 3.0]),
        pd.DataFrame({"n": [4, 4]}, index=["rail_trips", "rail_dh"]),
    )
    found = intercity.agreement(today, 0.25, -0.5).value
    assert found["trips"] == pytest.approx(1000 * 0.75**-0.5)
    assert found["more"] == pytest.approx(found["trips"] - 1000)
    assert found["cost_dh"] == pytest.approx(0.25 * 1e5 * 0.75**-0.5)
    assert found["saved_dh"] == pytest.approx(25_000)
    none = intercity.agreement(today, 0.0, -0.5).value
    assert none["more"] == 0
    assert none["cost_dh"] == 0
    for wrong, elasticity, match in ((1.0, -0.5, "not a discount"), (0.3, 0.5, "rise with their cost")):
        with pytest.raises(WelfareError, match=match):
            intercity.agreement(today, wrong, elasticity)


def test_the_discount_of_the_police_is_an_assumption():
    """What sister foundations have is reported, theirs is not known; all ends of the elasticity are below zero."""
    rows = public("intercity").set_index("parameter")
    assert (rows.loc[["discount_education", "discount_health"], "kind"] == "reported").all()
    assert (rows.loc[["discount", "elasticity"], "kind"] == "assumption").all()
    assert all(intercity.parameter("elasticity", end) < 0 for end in intercity.ENDS)
