"""Level of service: times and costs by hand, and what is open to whom."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.demand import levels

PEOPLE = pd.DataFrame(
    {
        "command": ["rabat", "casablanca", "nador", "rabat", "fes"],
        "command_group": ["rabat_kenitra", "casablanca_settat", "east", "rabat_kenitra", "fes_meknes"],
        "commute_km": [5.0, 5.0, 0.8, np.nan, 15.0],
        "shift": ["day", "night", "rotating", "day", "day"],
        "commute_days_n": [5.0, 6.0, 5.0, 5.0, 5.0],
        "cars_n": pd.array([0, 1, pd.NA, 0, 2], dtype="Int64"),
    }
)


def test_levels_by_hand():
    """A bus at 13 km an hour over 5.5 km, 10 minutes of access, half of 16 minutes of headway; a night taxi at 1.5."""
    table = levels.Levels()
    bus = table.of(PEOPLE, "bus").iloc[0]
    assert bus["time_min"] == pytest.approx(60 * 5.5 / 13)
    assert bus["door_min"] == pytest.approx(60 * 5.5 / 13 + 10 + 8)
    assert bus["cost_dh"] == pytest.approx(4 * 5 * 2 * 4.33)
    taxi = table.of(PEOPLE, "petit_taxi").iloc[1]
    assert taxi["way_dh"] == pytest.approx(1.5 * (2 + 1.2 * 5.5))
    assert table.of(PEOPLE, "petit_taxi").iloc[2]["way_dh"] == pytest.approx((5 + 7.5) / 2)  # least fare, half at night
    walk = table.of(PEOPLE, "walk").iloc[2]
    assert walk["foot_min"] == pytest.approx(60 * 0.7 / 4.5)
    assert walk["time_min"] == 0
    assert table.of(PEOPLE, "car").iloc[3].isna().all()


def test_each_mode_at_once_is_each_mode_alone():
    """The rows of a person are those of every mode asked one by one."""
    table = levels.Levels()
    every = table.of_each(PEOPLE)
    for j, mode in enumerate(levels.MODES):
        pd.testing.assert_frame_equal(every.iloc[j :: len(levels.MODES)].reset_index(drop=True), table.of(PEOPLE, mode))


def test_no_level_is_of_the_generator():
    """The table is read from its own file, with a range and a source in each row, never from the generator's facts."""
    rows = levels.public("level_of_service")
    assert rows[["value", "low", "high", "kind", "source"]].notna().all().all()
    assert ((rows["low"] <= rows["value"]) & (rows["value"] <= rows["high"])).all()
    assert set(rows["kind"]) <= {"reported", "derived", "assumption"}
