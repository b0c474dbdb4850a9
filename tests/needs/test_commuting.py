"""Truth tables of the commuting indicators."""

import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.needs import commuting

NA = pd.NA
NAN = float("nan")


def truth(function, columns, rows):
    """Compare a function with its table: each row is the inputs, then the output."""
    frame = pd.DataFrame([row[:-1] for row in rows], columns=columns)
    codes = [name for name in columns if name in ("status", "commute_mode")]
    frame = frame.assign(**{name: frame[name].astype("category") for name in codes})
    found = function(frame)
    assert found.name == function.__name__
    wanted = [row[-1] for row in rows]
    assert [pd.isna(value) for value in found] == [pd.isna(value) for value in wanted]
    known = [(value, want) for value, want in zip(found, wanted, strict=True) if not pd.isna(want)]
    assert [value for value, _ in known] == pytest.approx([want for _, want in known])


@pytest.mark.parametrize(
    ("minutes", "long", "band"),
    [
        (0.0, False, "up_to_15"),
        (15.0, False, "up_to_15"),
        (16.0, False, "15_to_30"),
        (30.0, False, "15_to_30"),
        (31.0, False, "30_to_60"),
        (60.0, False, "30_to_60"),
        (61.0, True, "over_60"),
        (300.0, True, "over_60"),
        (NAN, NA, NA),
    ],
)
def test_time(minutes, long, band):
    """Upper ends belong to their band; the long are exactly the last band; only the active have either."""
    frame = pd.DataFrame({"status": pd.Categorical(["active", "retired", None]), "commute_min": [minutes] * 3})
    pd.testing.assert_series_equal(
        commuting.commute_long(frame), pd.Series([long, NA, NA], dtype="boolean", name="commute_long")
    )
    kind = pd.CategoricalDtype(commuting.COMMUTE_BANDS, ordered=True)
    wanted = pd.Series([None if pd.isna(band) else band, None, None], dtype=kind, name="commute_band")
    pd.testing.assert_series_equal(commuting.commute_band(frame), wanted)


def test_cost():
    """Cost over pay of the active; zero pay is NA, never infinite."""
    columns = ["status", "commute_cost_dh", "net_pay_dh", "pension_dh"]
    inputs = [
        ("active", 0.0, 5000.0, NAN),
        ("active", 500.0, 5000.0, NAN),
        ("active", 600.0, 5000.0, NAN),
        ("active", 600.0, 0.0, NAN),
        ("active", NAN, 5000.0, NAN),
        ("active", 600.0, NAN, 5000.0),
        ("retired", 600.0, NAN, 5000.0),
        (None, 600.0, 5000.0, NAN),
    ]
    shares = [0.0, 0.1, 0.12, NA, NA, NA, NA, NA]
    rows = [(*row, output) for row, output in zip(inputs, shares, strict=True)]
    truth(commuting.commute_cost_share, columns, rows)


def test_absent_column():
    """A column that was not asked is named."""
    with pytest.raises(WelfareError, match="commute_cost_dh"):
        commuting.commute_cost_share(pd.DataFrame({"status": ["active"]}))
