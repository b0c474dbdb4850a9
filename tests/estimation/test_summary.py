"""What a design says of itself, and names that other programs use."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, mean


def test_summary_by_hand():
    """Two strata of two PSUs of two rows, one of weight zero: counts, Kish's effect of 7 weights, 2 degrees."""
    w = np.array([0.0, 1, 1, 1, 2, 2, 2, 2])
    said = Design(w, strata=np.arange(8) // 4, psu=np.arange(8) // 2, fpc=np.full(8, 10.0)).summary()
    assert said["rows"] == 8
    assert said["rows of weight zero"] == 1
    assert said["sum of weights"] == 11
    assert said["design effect of unequal weights (Kish)"] == pytest.approx(7 * 19 / 121)
    assert (said["strata"], said["PSUs"], said["degrees of freedom"]) == (2, 4, 2)
    assert said["sampling rates"] == ["0.2 to 0.2"]


def test_weights_that_the_counts_do_not_bear_out():
    """188 people against a count of 10,000 get a note; weights of the design do not."""
    n = 47
    assert Design(np.full(n, 4.0), fpc=np.full(n, 10_000.0)).notes == ("weights add up to 188, and fpc says 10,000",)
    assert Design(np.full(n, 10_000 / n), fpc=np.full(n, 10_000.0)).notes == ()


def test_an_infinite_count_is_none():
    """R's Inf: sampled with replacement, as without a count; one stratum of two may have one."""
    y = pd.Series(np.arange(8.0) ** 2)
    free = mean(Design(np.ones(8)), y).se
    pd.testing.assert_series_equal(mean(Design(np.ones(8), fpc=np.full(8, np.inf)), y).se, free)
    strata = np.arange(8) // 4
    mixed = Design(np.ones(8), strata, fpc=np.where(strata == 0, 5.0, np.inf))
    part = (1 - 4 / 5) * y[:4].var() / 4 * 16 + y[4:].var() / 4 * 16
    assert mean(mixed, y).se.iloc[0] == pytest.approx(np.sqrt(part) / 8)


@pytest.mark.parametrize(("name", "same"), [("adjust", "centre"), ("centered", "centre"), ("remove", "certainty")])
def test_names_of_other_programs(name, same):
    """A rule for single PSUs may have R's or Stata's name; certainty adds nothing for the stratum, and says so."""
    strata, y = np.array([0, 0, 0, 1]), pd.Series([1.0, 2, 4, 8])
    found, expected = (Design(np.ones(4), strata, single_psu=rule) for rule in (name, same))
    np.testing.assert_array_equal(mean(found, y).se, mean(expected, y).se)
    assert found.notes == expected.notes
    if same == "certainty":
        centred = np.array([1, 2, 4]) - 7 / 3
        assert mean(found, y).se.iloc[0] == pytest.approx(np.sqrt(1.5 * (centred**2).sum()) / 4)
        assert found.notes == ("strata with a single PSU, taken as certain: 1",)


def test_a_failed_calibration_names_the_margin():
    """Two margins that contradict each other within the bounds are named, with how far they are missed."""
    f = pd.DataFrame({"a": ["x", "x", "y", "y"], "b": ["x", "x", "y", "y"]})
    with pytest.raises(WelfareError, match=r"gaps, in parts of the margin: [ab] = [xy] by"):
        Design(np.ones(4)).calibrate({"a": {"x": 1, "y": 3}, "b": {"x": 3, "y": 1}}, f)


def test_partly_known_margins():
    """Of three categories one count is known: it is reached, and the others keep their weights."""
    f = pd.DataFrame({"a": ["x", "x", "y", "z"]})
    for method in ("linear", "raking"):
        w = Design(np.ones(4)).calibrate({"a": {"x": 3, "y": None, "z": None}}, f, method).weights
        np.testing.assert_allclose(w, [1.5, 1.5, 1, 1])
    with pytest.raises(WelfareError, match="margins: there is no margin; expected at least one that is known"):
        Design(np.ones(4)).calibrate({"a": {"x": None, "y": None, "z": None}}, f)


@pytest.mark.parametrize(
    "call",
    [
        lambda d: d.calibrate({"k": {np.int64(1): 9.0}}, pd.DataFrame({"k": [1, 2, 3]})),
        lambda d: mean(Design(pd.Series([1.0, 1, 1], index=[5, 6, 7])), pd.Series([1.0, 2, 3], index=[6, 7, 8])),
        lambda d: mean(Design(pd.Series([1.0, 1, 1], index=[5, 5, 7])), pd.Series([1.0, 2, 3], index=[7, 5, 5])),
    ],
)
def test_what_was_expected_is_said_without_the_types_of_numpy(call):
    """Categories and names of rows that are NumPy's integers."""
    with pytest.raises(WelfareError) as error:
        call(Design(np.ones(3)))
    assert "np." not in str(error.value)
