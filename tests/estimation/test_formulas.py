"""Formulas: rows, gaps, and what cannot be read."""

import numpy as np
import pandas as pd
import pytest
from formulaic import model_matrix

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, linear, logistic, marginal_effects
from welfare_analysis.estimation.formulas import cases, columns


@pytest.fixture
def f():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(0, 1, (30, 2)), columns=["y", "income_dh"])
    return frame.assign(twice=2 * frame["income_dh"], g=np.where(frame.index % 2, "b", "a"), same=1, w=1.5)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("y ~ incom_dh", r"the frame has no such column; got 'incom_dh'; expected income_dh"),
        ("q ~ income_dh", r"the frame has no such column; got 'q'; expected"),
        ("income_dh", "there is no outcome; got 'income_dh'"),
        ("y ~ income_dh + offset(w)", r"offset\(\) is not known.*Subtract it"),
        ("y ~ income_dh +", "the formula cannot be read"),
        ("y ~ magic(income_dh)", r"the frame has no such column; got 'magic'; expected"),
        ("y ~ poly(g, 2)", "the formula cannot be computed"),
        ("y ~ log(income_dh)", r"a column is not finite; got 'log\(income_dh\)'"),
        ("y ~ income_dh + twice + g", r"columns are collinear; got .'income_dh', 'twice'"),
        ("y ~ same", r"columns are collinear; got .'Intercept', 'same'"),
        ("same ~ income_dh", r"same: the outcome does not vary; got 1(\.0)?;"),
        ("g ~ income_dh", r"g: the outcome is not numeric.*g == 'yes'"),
        ("y ~ y", "the columns tell the outcome without error"),
    ],
)
def test_formulas_that_cannot_be(f, formula, message):
    """Each fault of a formula is told with its name."""
    with pytest.raises(WelfareError, match=message):
        linear(Design(f["w"]), f, formula)


def test_too_few_cases(f):
    """As many parameters as cases fit anything."""
    with pytest.raises(WelfareError, match="no more cases than parameters; got '3 cases, 3 columns'"):
        linear(Design(f["w"]), f, "y ~ income_dh + g", where=f.index < 3)
    with pytest.raises(WelfareError, match="no row is complete"):
        linear(Design(f["w"]), f.assign(y=np.nan), "y ~ g")
    with pytest.raises(WelfareError, match="frame: not a frame"):
        linear(Design(f["w"]), f.to_numpy(), "y ~ g")


def test_rows_are_told_by_name(f):
    """A frame in another order than the weights is put in theirs; foreign rows are an error."""
    named = f.set_axis([f"p{i}" for i in f.index])
    whole, mixed = linear(Design(named["w"]), named, "y ~ g"), named.sample(frac=1, random_state=1)
    other = linear(Design(named["w"]), mixed, "y ~ g", where=mixed["y"] < 9)
    np.testing.assert_array_equal(other.influence.toarray(), whole.influence.toarray())
    with pytest.raises(WelfareError, match="frame: its rows are not those of the design"):
        linear(Design(named["w"]), named.set_axis([f"q{i}" for i in f.index]), "y ~ g")


def test_categories_outside_the_rows_have_no_column(f):
    """A category with nobody among the rows has no coefficient; its people keep their place in the design."""
    g = pd.Categorical(np.where(f.index < 10, "c", f["g"]))
    fit = linear(Design(f["w"]), f.assign(g=g), "y ~ g", where=f.index >= 10)
    assert list(fit.value.index) == ["Intercept", "g[T.b]"]


def test_an_outcome_may_be_an_expression(f):
    """The outcome may be computed by the formula, and is yes or no where the expression is."""
    yes = logistic(Design(f["w"]), f, "g == 'b' ~ income_dh")
    pd.testing.assert_series_equal(
        yes.value, logistic(Design(f["w"]), f.assign(v=f["g"] == "b"), "v ~ income_dh").value, check_names=False
    )
    gap = f.assign(g=f["g"].mask(f.index == 3))
    assert logistic(Design(f["w"]), gap, "g == 'b' ~ income_dh").counts["missing"].iloc[0] == 1
    with pytest.raises(WelfareError, match="the outcome is not yes or no; got"):
        logistic(Design(f["w"]), f, "y ~ g")


@pytest.mark.parametrize(
    "right", ["income_dh + n", "0 + n", "1", "F + income_dh + 1", "yes + n", "g + n", "income_dh * n"]
)
def test_columns_are_those_of_formulaic(f, right):
    """Numbers that are taken as they are, and all else, are what formulaic makes, also of another frame."""
    more = {"n": np.arange(30), "F": pd.array(np.arange(30) / 7, dtype="Float64"), "yes": f["y"] > 0}
    f = f.assign(**more)
    expected = model_matrix(right, f)
    found = cases(Design(f["w"]), f, f"y ~ {right}")
    assert found.names == list(expected.columns)
    np.testing.assert_array_equal(found.x, expected.to_numpy(float))
    np.testing.assert_array_equal(columns(found.spec, f.iloc[3:5]), expected.to_numpy(float)[3:5])


def test_an_infinite_number_is_named(f):
    """A column of numbers that is not finite is told by its name."""
    f = f.assign(deep=f["income_dh"].mask(f.index == 3, np.inf))
    with pytest.raises(WelfareError, match="a column is not finite; got 'deep'"):
        linear(Design(f["w"]), f, "y ~ income_dh + deep")


def test_columns_that_few_rows_tell_apart(f):
    """Columns that differ in one row alone, which is no eighth, are not collinear; alike in all, they are."""
    f = f.assign(other=f["income_dh"] + (f.index == 3))
    assert np.isfinite(linear(Design(f["w"]), f, "y ~ income_dh + other").value).all()
    with pytest.raises(WelfareError, match="columns are collinear"):
        linear(Design(f["w"]), f.assign(other=f["income_dh"]), "y ~ income_dh + other")


SMALL = [
    "hours:rooms",
    "I(hours * 2)",
    "I(hours ** 2)",
    "log(hours)",
    "hours + C(rooms)",
    "C(rooms):hours",
    "hours * g",
]


@pytest.mark.parametrize("right", SMALL)
@pytest.mark.parametrize("kind", ["int8", "uint8", "Int8", "float32"])
def test_small_numbers_do_not_overflow(f, right, kind):
    """Bytes, as Stata stores them, give the columns that floats of 64 bits give; categories of numbers keep names."""
    rng = np.random.default_rng(2)
    f = f.assign(hours=rng.integers(30, 100, 30).astype(float), rooms=np.tile([1.0, 2.0, 3.0], 10))
    small = f.astype({"hours": kind, "rooms": "int8"})
    expected = model_matrix(right, f.astype({"rooms": "int64"}))
    found = cases(Design(f["w"]), small, f"y ~ {right}")
    assert found.names == list(expected.columns)
    np.testing.assert_array_equal(found.x, expected.to_numpy(float))
    np.testing.assert_array_equal(columns(found.spec, small.iloc[9:20]), expected.to_numpy(float)[9:20])


def test_an_outcome_of_small_numbers_does_not_overflow(f):
    """An outcome that the formula computes of bytes is that of floats."""
    hours = np.random.default_rng(2).integers(30, 100, 30)
    f = f.assign(hours=hours, rooms=np.tile([1, 2, 6], 10))
    small = f.astype({"hours": "int8", "rooms": "int8"})
    for left in ("hours - rooms * 30", "hours * rooms > 200"):
        model = logistic if ">" in left else linear
        whole, bytes_ = (model(Design(f["w"]), x, f"{left} ~ 1").value.iloc[0] for x in (f, small))
        assert bytes_ == pytest.approx(whole, rel=1e-12)
    assert linear(Design(f["w"]), small, "hours - rooms * 30 ~ 1").value.iloc[0] == pytest.approx(
        (hours - f["rooms"] * 30).mean()
    )


@pytest.mark.parametrize("kind", ["string", "string[pyarrow]", object, "category"])
def test_text_of_any_type_is_categories(f, kind):
    """A column of text tells the same whatever type pandas gives it."""
    plain = linear(Design(f["w"]), f, "y ~ income_dh + g")
    other = linear(Design(f["w"]), f.assign(g=f["g"].astype(kind)), "y ~ income_dh + g")
    np.testing.assert_allclose(other.value, plain.value, rtol=1e-12)
    np.testing.assert_allclose(other.se, plain.se, rtol=1e-12)


def test_numbers_among_objects_are_numbers(f):
    """A gap makes a file's column one of objects: its numbers are no categories, but in C()."""
    gap = f["income_dh"].round().where(f.index != 3).astype(float)
    mixed = gap.astype(object).where(gap.notna(), None)
    for formula in ("y ~ income_dh", "y ~ C(income_dh)"):
        plain, other = (linear(Design(f["w"]), f.assign(income_dh=v), formula) for v in (gap, mixed))
        pd.testing.assert_series_equal(other.value, plain.value)
    effect = marginal_effects(linear(Design(f["w"]), f.assign(income_dh=mixed), "y ~ income_dh"), "income_dh")
    assert list(effect.value.index) == ["income_dh"]


@pytest.mark.parametrize(
    ("column", "formula"),
    [
        (pd.date_range("2012-03-01", periods=30), "y ~ z"),
        (pd.period_range("2012", periods=30), "y ~ z"),
        ([[1]] * 30, "y ~ z"),
        (np.arange(30.0), "y ~ z | income_dh"),
        (np.arange(30.0), "y ~ 0"),
    ],
)
def test_columns_that_no_model_takes(f, column, formula):
    """Dates, lists, formulas of several parts and of none are faults with a name."""
    with pytest.raises(WelfareError):
        linear(Design(f["w"]), f.assign(z=column), formula)


def test_two_columns_of_one_name(f):
    """Which of two columns is meant is not known."""
    with pytest.raises(WelfareError, match=r"two columns have one name; got .'income_dh'"):
        linear(Design(f["w"]), pd.concat([f, f[["income_dh"]]], axis=1), "y ~ income_dh")
