"""Assumed numbers: a name that their table does not have is said with those that are near."""

import pytest

from welfare_analysis.demand.assumptions import assumption
from welfare_analysis.errors import WelfareError
from welfare_analysis.study import public


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("intercity", "elastisity"), r"public/intercity.csv: no such row; got 'elastisity'; expected elasticity"),
        (("intercity", "elasticity", "hihg"), r"public/intercity.csv: no such column; got 'hihg'; expected high"),
        (("intercities", "elasticity"), r"public: no such table; got 'intercities'; expected intercity"),
    ],
)
def test_a_name_that_is_not_there_is_an_error_that_helps(names, message):
    """A row, an end of the range and a table that do not exist name their file and what is near."""
    with pytest.raises(WelfareError, match=message):
        assumption(*names)


def test_a_number_is_that_of_its_row_and_end():
    """The first column names the row; each end is the cell of its column."""
    row = public("intercity").set_index("parameter").loc["elasticity"]
    assert [assumption("intercity", "elasticity", end) for end in ("low", "value", "high")] == [
        row["low"],
        row["value"],
        row["high"],
    ]
