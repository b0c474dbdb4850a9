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


WAY = ("status", "transit_at_shift", "cars_n", "commute_mode", "commute_km")


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        (("active", "never", 0, "bus", 5.0), True),
        (("active", "sometimes", 0, "bus", 5.0), False),
        (("active", "never", 1, "bus", 5.0), False),
        (("active", "never", 0, "two_wheeler", 5.0), False),
        (("active", "never", 0, "staff_transport", 5.0), False),
        (("active", "never", 0, "bus", 2.0), False),  # can be walked, the end included
        (("active", "never", 0, "bus", 2.1), True),
        (("active", None, 0, "bus", 5.0), NA),
        (("active", None, 1, "bus", 5.0), False),  # one reason is enough
        (("active", "never", NA, "bus", 5.0), NA),
        (("active", "never", 0, None, 5.0), NA),
        (("active", "never", 0, "bus", NAN), NA),
        (("retired", "never", 0, "bus", 5.0), NA),
        ((None, "never", 0, "bus", 5.0), NA),
    ],
)
def test_no_way_to_come(row, wanted):
    """Never public transport, no car, no own way, too far to walk: all four, or the answer is no."""
    frame = pd.DataFrame([row], columns=list(WAY)).astype({"cars_n": "Int64"})
    frame = frame.assign(**{c: frame[c].astype("category") for c in ("status", "commute_mode", "transit_at_shift")})
    found = commuting.no_way_to_come(frame)
    assert found.name == "no_way_to_come"
    assert pd.isna(found[0]) if wanted is NA else found[0] == wanted


def test_shift_car_and_reach():
    """Rotating and night shifts work nights; one car is a car; never is out of reach; of the active alone."""
    frame = pd.DataFrame(
        {
            "status": pd.Categorical(["active", "active", "active", "active", "retired"]),
            "shift": pd.Categorical(["day", "rotating", "night", None, "night"]),
            "cars_n": pd.array([0, 1, 2, NA, 1], dtype="Int64"),
            "transit_at_shift": pd.Categorical(["always", "sometimes", "never", None, "never"]),
        }
    )
    assert commuting.works_nights(frame).tolist() == [False, True, True, NA, NA]
    assert commuting.has_car(frame).tolist() == [False, True, True, NA, True]
    assert commuting.out_of_reach(frame).tolist() == [False, False, True, NA, NA]


@pytest.mark.parametrize(
    ("km", "cost", "km_band", "cost_band"),
    [
        (2.0, 100.0, "up_to_2", "up_to_2"),
        (2.1, 100.1, "2_to_5", "2_to_5"),
        (5.0, 250.0, "2_to_5", "2_to_5"),
        (10.0, 500.0, "5_to_10", "5_to_10"),
        (10.1, 501.0, "over_10", "over_10"),
        (NAN, NAN, None, None),
    ],
)
def test_bands_of_distance_and_cost(km, cost, km_band, cost_band):
    """Upper ends belong to their band; of a pay of 5,000 DH."""
    columns = {"commute_km": [km], "commute_cost_dh": [cost], "net_pay_dh": [5000.0], "pension_dh": [NAN]}
    frame = pd.DataFrame({"status": pd.Categorical(["active"]), **columns})
    for function, wanted in ((commuting.commute_km_band, km_band), (commuting.commute_cost_band, cost_band)):
        found = function(frame)
        assert found.name == function.__name__
        assert pd.isna(found[0]) if wanted is None else found[0] == wanted


def test_spending_between_towns():
    """Trips times the cost of one; nothing without trips though the cost is not asked; NA where either is missing."""
    frame = pd.DataFrame({"intercity_trips_n": [3.0, 0.0, 2.0, NAN], "intercity_cost_dh": [100.0, NAN, NAN, 50.0]})
    found = commuting.intercity_spend_dh(frame)
    assert found.iloc[:2].tolist() == [300.0, 0.0]
    assert found.iloc[2:].isna().all()


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        (("active", "never", 0, "bus", 5.0, 30.0, 100.0, 5000.0), True),  # no way to come
        (("active", "always", 0, "bus", 5.0, 61.0, 100.0, 5000.0), True),  # over an hour
        (("active", "always", 0, "bus", 5.0, 60.0, 501.0, 5000.0), True),  # over a tenth of pay
        (("active", "always", 0, "bus", 5.0, 60.0, 500.0, 5000.0), False),  # each at its end
        (("active", "always", 0, "bus", 5.0, NAN, 501.0, 5000.0), True),  # one reason is enough
        (("active", "always", 0, "bus", 5.0, NAN, 100.0, 5000.0), NA),
        (("active", None, 0, "bus", 5.0, 30.0, 100.0, 5000.0), NA),
        (("active", "always", 0, "bus", 5.0, 30.0, 100.0, NAN), NA),
        (("retired", "never", 0, "bus", 5.0, 90.0, 900.0, 5000.0), NA),
    ],
)
def test_transport_need(row, wanted):
    """No way to come, too long or too dear: one is need; none of three known ones is not; else it is not known."""
    columns = [*WAY, "commute_min", "commute_cost_dh", "net_pay_dh"]
    frame = pd.DataFrame([row], columns=columns).astype({"cars_n": "Int64"}).assign(pension_dh=NAN)
    frame = frame.assign(**{c: frame[c].astype("category") for c in ("status", "commute_mode", "transit_at_shift")})
    found = commuting.transport_need(frame)
    assert found.name == "transport_need"
    assert pd.isna(found[0]) if wanted is NA else found[0] == wanted
