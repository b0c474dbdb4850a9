"""The same condition under other standards."""

from dataclasses import replace

import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.needs import VARIED, housing, under
from welfare_analysis.results.descriptive import standards


def homes():
    """Homes of one to four persons a room, and one without an answer."""
    return pd.DataFrame({"household_size_n": [1.0, 4.0, 6.0, 8.0, None], "rooms_n": [1.0, 2.0, 2.0, 2.0, 2.0]})


def test_under_a_standard():
    """A stricter standard is met by fewer; exactly at it is within it; a missing answer stays missing."""
    found = under(homes(), "crowded", [1.0, 2.0, 3.0])
    assert found[1.0].tolist()[:4] == [False, True, True, True]
    assert found[2.0].tolist()[:4] == [False, False, True, True]
    assert found[3.0].tolist()[:4] == [False, False, False, True]
    assert found.loc[4].isna().all()


def test_the_default_is_the_headline():
    """Under its default value a condition is the one of the headline, and the default is among those shown."""
    pd.testing.assert_series_equal(
        under(homes(), "crowded", [VARIED["crowded"].default]).iloc[:, 0], housing.crowded(homes()), check_names=False
    )
    for name, varied in VARIED.items():
        assert varied.default in standards(name)
        assert replace(varied.standards, **{varied.parameter: varied.default}) == varied.standards


def test_a_condition_without_a_standard():
    """Tenure has no line to draw."""
    with pytest.raises(WelfareError, match="tenant"):
        under(homes(), "tenant", [1.0])
