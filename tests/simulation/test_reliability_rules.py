"""Rules are judged on a world that they were not tuned on."""

import numpy as np
import pandas as pd
import pytest
from reliability_rules import judged, marked, tuned


@pytest.fixture
def cells():
    """Two worlds with poor cells of few degrees of freedom, and one whose poor cells are skewed."""
    few = {"df_effective": [5.0, 10.0, 30.0, 60.0], "skewness_measured": 0.03, "coverage": [0.88, 0.91, 0.95, 0.95]}
    other = {"df_effective": 60.0, "skewness_measured": [0.3, 0.03, 0.03], "coverage": [0.85, 0.95, 0.95]}
    worlds = {"one": few, "two": few, "three": other}
    tables = [pd.DataFrame(columns).assign(world=world) for world, columns in worlds.items()]
    return pd.concat(tables, ignore_index=True).assign(samples=2000)


def test_all_that_was_seen_is_marked(cells):
    """Tuned on everything, the limits miss no poor cell and raise no false alarm: that is resubstitution."""
    poor = cells["coverage"] < 0.92
    assert (marked(cells, *tuned(cells)) == poor).all()


def test_a_world_of_another_kind_is_judged_without_having_been_seen(cells):
    """With limits from worlds whose poor cells are not skewed, the skewed one is marked only by the lowest limit."""
    table = judged(cells)
    assert table["poor"].tolist() == [2, 2, 1]
    assert table["good"].tolist() == [2, 2, 2]
    assert table["missed"].tolist() == [0, 0, 0]
    mild = cells.assign(skewness_measured=cells["skewness_measured"].replace(0.03, 0.5))
    assert judged(mild.assign(skewness_measured=mild["skewness_measured"]))["missed"].tolist() == [0, 0, 1]


def test_false_alarms_and_their_errors(cells):
    """A good cell beyond the limits of the other worlds is a false alarm; a coverage near 92 % makes a count unsure."""
    alarm = cells.assign(skewness_measured=np.where(cells.index == 2, 0.9, cells["skewness_measured"]))
    assert judged(alarm).loc["one", "false_alarms"] == 1
    unsure = judged(cells.assign(coverage=cells["coverage"].mask(cells.index == 1, 0.92 - 1e-12)))
    assert unsure.loc["one", "false_alarms_error"] == pytest.approx(0.5, abs=0.01)
