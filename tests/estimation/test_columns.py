"""Rows by their names, numbers by their type."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, mean, quantile, ratio, share, total


def _named(example, seed=3):
    f = example(seed)
    return f.set_axis([f"p{k:02d}" for k in range(len(f))])


@pytest.mark.parametrize(
    "statistic",
    [
        lambda d, f: mean(d, f["y"], by=f["d"], where=f["b"]),
        lambda d, f: total(d, f[["y", "x"]]),
        lambda d, f: ratio(d, f["y"], f["x"]),
        lambda d, f: share(d, f["d"]),
        lambda d, f: quantile(d, f["y"]),
        lambda d, f: mean(d.calibrate({"d": {"in": 40, "out": 60}}, f), f["y"]),
    ],
    ids=["mean", "total", "ratio", "share", "quantile", "calibrate"],
)
def test_a_series_in_another_order_is_put_in_the_design_s(example, drawn, statistic):
    """Rows are told by their names: another order of the same names changes nothing."""
    f = _named(example)
    first, mixed = statistic(drawn(f), f), statistic(drawn(f), f.sample(frac=1, random_state=1))
    np.testing.assert_array_equal([*mixed.value, *mixed.se], [*first.value, *first.se])


def test_each_argument_is_told_by_its_own_names(example, drawn):
    """Domains, masks, strata and PSUs in other orders than the weights or the answers are put in theirs."""
    f = _named(example)
    mixed = f.sample(frac=1, random_state=2)
    expected = mean(drawn(f), f["y"], by=f["d"]).se
    other = Design(f["w"], strata=mixed["stratum"], psu=[mixed["psu"]], fpc=[mixed["fpc"]])
    pd.testing.assert_series_equal(mean(other, mixed["y"], by=f["d"]).se, expected)
    unnamed = Design(f["w"].to_numpy(), f["stratum"], f["psu"], f["fpc"])
    pd.testing.assert_series_equal(mean(unnamed, f["y"], by=mixed["d"]).se, expected)
    assert ratio(unnamed, f["y"], mixed["y"]).se.iloc[0] == 0


def test_without_names_rows_go_by_position(example, drawn):
    """Arrays, and Series that pandas numbered 0, 1, ..., go by position; so does all where weights are an array."""
    f = _named(example)
    expected = mean(drawn(f), f["y"]).se.iloc[0]
    assert mean(drawn(f), f["y"].to_numpy()).se.iloc[0] == expected
    assert mean(drawn(f), f["y"].reset_index(drop=True)).se.iloc[0] == expected
    assert mean(drawn(f.to_dict("series") | {"w": f["w"].tolist()}), f["y"]).se.iloc[0] == expected


@pytest.mark.parametrize(
    ("moved", "message"),
    [
        (lambda y: y.set_axis([f"q{k:02d}" for k in range(len(y))]), "rows are not those of the design.*'q00'.*'p00'"),
        (lambda y: y.set_axis(["p00"] * len(y)), "rows are not those of the design"),
        (lambda y: y.head(4), "length is not that of the design; got 4"),
        (lambda y: 1.0, "length is not that of the design; got 'a single value'"),
    ],
)
def test_other_rows_are_an_error(example, drawn, moved, message):
    """A Series of other rows, or of fewer, never lands beside the wrong weights."""
    f = _named(example)
    with pytest.raises(WelfareError, match=message):
        mean(drawn(f), moved(f["y"]))


def test_an_order_that_cannot_be_told_is_an_error(example, drawn):
    """Numbered 0, 1, ... beside weights of the same numbers in another order: position or name? We ask."""
    f = example(3).sample(frac=1, random_state=1)
    with pytest.raises(WelfareError, match=r"another order than the design.*to_numpy"):
        mean(drawn(f), f["y"].reset_index(drop=True))


@pytest.mark.parametrize("kind", ["Float64", "float32", "object", "category"])
def test_numbers_of_any_type(example, drawn, kind):
    """Nullable, single-precision and object numbers are numbers; categories are not."""
    f = example(4).round({"y": 0})
    y = f["y"].astype(kind)
    if kind == "category":
        with pytest.raises(WelfareError, match="y: a variable is not numeric"):
            mean(drawn(f), y)
    else:
        assert mean(drawn(f), y).se.iloc[0] == mean(drawn(f), f["y"]).se.iloc[0]
        gap = y.astype(object).mask(f.index == 2, pd.NA if kind == "Float64" else None)
        assert mean(drawn(f), gap).table().loc[0, "missing"] == 1


@pytest.mark.parametrize(
    "values",
    [
        ["1", "2", "3"],
        pd.to_datetime(["2012-03-01"] * 3),
        pd.to_timedelta([1, 2, 3]),
        np.array([1j, 2, 3]),
        [1, "a", 2],
    ],
    ids=["digits", "dates", "times", "complex", "mixed"],
)
def test_what_is_not_a_number(values):
    """Digits as text, dates and complex numbers are neither answers, weights nor counts."""
    for call in (lambda v: mean(Design(np.ones(3)), v), Design, lambda v: Design(np.ones(3), fpc=v)):
        with pytest.raises(WelfareError, match=r"not numeric|not numbers"):
            call(pd.Series(values))


@pytest.mark.parametrize("kind", ["category", "string", "object"])
def test_labels_of_any_type(example, drawn, kind):
    """Categories, nullable strings and objects name strata; a missing label is an error, never a stratum."""
    f = example(5).astype({"stratum": str})
    f["stratum"] = f["stratum"].astype(kind)
    assert drawn(f).df == drawn(example(5)).df
    with pytest.raises(WelfareError, match="strata: 1 rows have no value"):
        drawn(f.assign(stratum=f["stratum"].mask(f.index == 0)))


def test_columns_of_an_array_and_of_one_name(example, drawn):
    """An array of two dimensions is a frame; two columns of one name, or none, are an error."""
    f = example(6)
    both = mean(drawn(f), f[["y", "x"]].to_numpy())
    np.testing.assert_array_equal(both.se, mean(drawn(f), f[["y", "x"]]).se)
    with pytest.raises(WelfareError, match=r"two columns have one name; got .'y', 'y'"):
        mean(drawn(f), f[["y", "y"]])
    with pytest.raises(WelfareError, match="there is no column"):
        mean(drawn(f), f[[]])


@pytest.mark.parametrize("kind", ["frame", "series", "array"])
def test_what_is_changed_later(example, drawn, kind):
    """An estimate keeps the answers it was made of: what the caller writes into them later does not reach it."""
    f = example(4)
    answers = {"frame": f[["y", "x"]], "series": f["y"], "array": f[["y", "x"]].to_numpy()}[kind].copy()
    expected, estimate = mean(drawn(f), answers.copy()).se, mean(drawn(f), answers)
    if kind == "array":
        answers[:] = 0.0
    else:
        answers.iloc[:] = 0.0
    assert (np.asarray(answers) == 0).all()
    np.testing.assert_array_equal(estimate.se, expected)


def test_booleans_of_any_type_are_conditions():
    """A boolean tells the same whatever type pandas gives it, in shares too."""
    yes = pd.Series([True, False, True, True, False, True])
    for kind in ("boolean", "bool[pyarrow]", object):
        other = yes.astype(kind)
        assert mean(Design(np.ones(6)), other).value.iloc[0] == share(Design(np.ones(6)), other).value.iloc[0] == 4 / 6
        assert mean(Design(np.ones(6)), other).interval().equals(mean(Design(np.ones(6)), yes).interval())


def test_an_amount_whose_square_is_no_number():
    """Its standard error was zero: an amount that cannot be squared is refused as an infinite one is."""
    with pytest.raises(WelfareError, match="y: a value is infinite, or too large"):
        mean(Design(np.ones(6)), pd.Series(np.arange(6) * 1e160, name="y"))
