"""Truth tables of the housing indicators."""

import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.needs import housing

NA = pd.NA
NAN = float("nan")
COST = ["tenure", "rent_dh", "housing_charges_dh", "has_loan", "housing_deduction_dh"]
INCOME = ["status", "net_pay_dh", "pension_dh", "other_income_dh"]


def coded(frame):
    """Give text columns as the Categoricals that reading gives."""
    return frame.assign(**{n: frame[n].astype("category") for n in frame if frame[n].dtype.kind not in "fi"})


def truth(function, columns, rows):
    """Compare a function with its table: each row is the inputs, then the output."""
    frame = coded(pd.DataFrame([row[:-1] for row in rows], columns=columns))
    before = frame.copy(deep=True)
    found = function(frame)
    kind = "boolean" if found.dtype == "boolean" else "float64"
    wanted = pd.Series([row[-1] for row in rows], dtype="Float64" if kind == "float64" else kind).astype(kind)
    pd.testing.assert_series_equal(found, wanted.rename(function.__name__))
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("function", "outputs"),
    [
        (housing.persons_per_room_n, [2.0, 2.5, 3.0, 4.0, NA, NA, NA, NA]),
        (housing.crowded, [False, True, True, True, NA, NA, NA, NA]),
    ],
)
def test_crowding(function, outputs):
    """Two a room is not crowded and three not severely; a missing size, missing rooms or no room is NA."""
    sizes = [(4.0, 2.0), (5.0, 2.0), (6.0, 2.0), (4.0, 1.0), (NAN, 2.0), (4.0, NAN), (NAN, NAN), (4.0, 0.0)]
    rows = [(*size, output) for size, output in zip(sizes, outputs, strict=True)]
    truth(function, ["household_size_n", "rooms_n"], rows)


def test_lacks_facilities():
    """One known lack is a lack whatever the other; else both must be known."""
    rows = [
        ("yes", "yes", False),
        ("no", "yes", True),
        ("yes", "no", True),
        ("no", "no", True),
        ("no", None, True),
        (None, "no", True),
        ("yes", None, NA),
        (None, "yes", NA),
        (None, None, NA),
    ]
    truth(housing.lacks_facilities, ["own_kitchen", "own_bathroom"], rows)


def test_housing_cost():
    """Each tenure has its own sum; what does not belong to the tenure may be missing."""
    rows = [
        ("tenant", 1500.0, 300.0, "yes", 900.0, 1800.0),
        ("tenant", 1500.0, 300.0, None, NAN, 1800.0),
        ("tenant", NAN, 300.0, "no", NAN, NA),
        ("tenant", 1500.0, NAN, "no", NAN, NA),
        ("owner", NAN, 300.0, "yes", 900.0, 1200.0),
        ("owner", NAN, 300.0, "no", NAN, 300.0),
        ("owner", NAN, 300.0, "yes", NAN, NA),
        ("owner", NAN, 300.0, None, 900.0, NA),
        ("owner", NAN, NAN, "no", NAN, NA),
        ("service", NAN, 300.0, "yes", 900.0, 300.0),
        ("family", NAN, 300.0, None, NAN, 300.0),
        ("other", NAN, NAN, "no", NAN, NA),
        (None, 1500.0, 300.0, "yes", 900.0, NA),
    ]
    truth(housing.housing_cost_dh, COST, rows)


@pytest.mark.parametrize(
    ("function", "outputs"),
    [
        (housing.housing_cost_share, [0.25, 0.5, 0.75, NA, NA, NA, NA]),
        (housing.cost_burdened, [False, True, True, NA, NA, NA, NA]),
        (housing.rent_share, [0.125, 0.375, 0.625, NA, NA, NA, NA]),
    ],
)
def test_cost_share(function, outputs):
    """Cost over household income; a zero or missing income and a missing cost are NA."""
    inputs = [
        ("tenant", 1000.0, 1000.0, "no", NAN, "active", 6000.0, NAN, 2000.0),
        ("tenant", 3000.0, 1000.0, "no", NAN, "widow", NAN, 8000.0, 0.0),
        ("tenant", 5000.0, 1000.0, "no", NAN, "retired", NAN, 6000.0, 2000.0),
        ("tenant", 1000.0, 1000.0, "no", NAN, "active", 0.0, NAN, 0.0),
        ("tenant", 1000.0, 1000.0, "no", NAN, "active", NAN, NAN, 2000.0),
        ("tenant", 1000.0, 1000.0, "no", NAN, "active", 6000.0, NAN, NAN),
        ("tenant", NAN, 1000.0, "no", NAN, "active", 6000.0, NAN, 2000.0),
    ]
    rows = [(*row, output) for row, output in zip(inputs, outputs, strict=True)]
    truth(function, [*COST, *INCOME], rows)


@pytest.mark.parametrize(("share", "burdened"), [(0.3, False), (0.5, True)])
def test_cost_at_the_limit(share, burdened):
    """Exactly at a limit is not above it."""
    row = ("tenant", share * 1000.0, 0.0, "no", NAN, "active", 1000.0, NAN, 0.0)
    truth(housing.cost_burdened, [*COST, *INCOME], [(*row, burdened)])


def test_rent_share_is_for_tenants():
    """An owner, or a person of unknown tenure, has no rent share even with a rent written down."""
    columns = ["tenure", "rent_dh", *INCOME]
    truth(housing.rent_share, columns, [(t, 500.0, "active", 1000.0, NAN, 0.0, NA) for t in ("owner", "service", None)])


def test_absent_column():
    """A column that was not asked is named."""
    with pytest.raises(WelfareError, match="rooms_n"):
        housing.crowded(pd.DataFrame({"household_size_n": [4.0]}))


def test_tenant():
    """A tenant is one; a missing tenure stays missing."""
    truth(housing.tenant, ["tenure"], [("tenant", True), ("owner", False), ("family", False), (None, NA)])


def test_rent_band():
    """A share at an end belongs to the band below it; above half is the last; others than tenants have none."""
    shares = [(0.0, "up_to_10"), (0.1, "up_to_10"), (0.3, "20_to_30"), (0.31, "30_to_40"), (0.5, "40_to_50")]
    rows = [("tenant", 1000.0 * s, "active", 1000.0, NAN, 0.0, band) for s, band in [*shares, (2.0, "over_50")]]
    rows.append(("owner", 300.0, "active", 1000.0, NAN, 0.0, NA))
    found = housing.rent_band(coded(pd.DataFrame([row[:-1] for row in rows], columns=["tenure", "rent_dh", *INCOME])))
    assert [None if pd.isna(x) else x for x in found] == [None if pd.isna(row[-1]) else row[-1] for row in rows]
    assert found.cat.ordered
