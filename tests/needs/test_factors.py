"""Truth tables of the factors that stand beside rank and place."""

import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.needs import factors

NAN = float("nan")


def told(column):
    """A column with None where it is missing."""
    return [None if pd.isna(value) else value for value in column]


@pytest.mark.parametrize(
    ("marital", "children", "family"),
    [
        ("single", 0.0, "no_spouse"),
        ("divorced", 0.0, "no_spouse"),
        ("widowed", 0.0, "no_spouse"),
        ("married", 0.0, "couple"),
        ("married", 1.0, "children_1_2"),
        ("married", 2.0, "children_1_2"),
        ("divorced", 2.0, "children_1_2"),
        ("married", 3.0, "children_3_over"),
        ("widowed", 9.0, "children_3_over"),
        (None, 3.0, None),
        (None, 0.0, None),
        ("single", NAN, None),
        ("married", NAN, None),
    ],
)
def test_family(marital, children, family):
    """Children decide, then marriage; both must be known."""
    frame = pd.DataFrame({"marital_status": pd.Categorical([marital]), "children_n": [children]})
    found = factors.family_type(frame)
    assert (found.name, told(found)) == ("family_type", [family])
    assert tuple(found.cat.categories) == factors.FAMILY_TYPES


def test_earners_and_age():
    """Two earners are several; nobody who earns is at most one. From 50 on age is one class, minors have none."""
    earners = factors.earners_class(pd.DataFrame({"earners_n": [0.0, 1.0, 2.0, 7.0, NAN]}))
    assert told(earners) == ["one", "one", "two_over", "two_over", None]
    ages = ["under_18", "18_29", "30_39", "40_49", "50_59", "60_over", None]
    found = factors.staff_age(pd.DataFrame({"age_group": pd.Categorical(ages)}))
    assert told(found) == [None, "18_29", "30_39", "40_49", "50_over", "50_over", None]
    assert list(found.cat.categories) == ["18_29", "30_39", "40_49", "50_over"]


def test_a_block_that_was_not_asked():
    """An absent column is an error that names it."""
    with pytest.raises(WelfareError, match="column children_n is absent"):
        factors.family_type(pd.DataFrame({"marital_status": ["single"]}))
