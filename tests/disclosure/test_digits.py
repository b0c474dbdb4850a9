"""Digits follow the error: the number's own, never finer than the policy, and intervals outward."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK
from hypothesis import given, settings
from hypothesis import strategies as st

from welfare_analysis.disclosure import CATEGORY, NUMBERS, Released, combined, policy, protect
from welfare_analysis.disclosure.digits import NORMAL, ladder, of_samples, units
from welfare_analysis.languages import amount, with_interval
from welfare_analysis.results import release
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate


def released(cells, unit="share", by=("g",), **named):
    """A table of a hundred respondents a cell and more, protected."""
    blank = Released("t", "share", "", by, unit)
    return protect(blank, cells.assign(n=5000.0), (5000, 5000), **named).frame


def cells(values, errors, **keys):
    """Estimates with intervals of so many standard errors."""
    x, half = np.asarray(values, dtype=float), NORMAL * np.asarray(errors, dtype=float)
    return pd.DataFrame({**keys, "estimate": x, "low": x - half, "high": x + half})


@pytest.mark.parametrize(
    ("most", "unit"), [(0.0049, 0.002), (0.005, 0.005), (0.0099, 0.005), (0.01, 0.01), (26, 20), (50, 50), (0, 0)]
)
def test_steps_of_one_two_five(most, unit):
    """The largest of 1, 2, 5 times a power of ten that is not above a number."""
    assert ladder(most) == pytest.approx(unit)


def test_the_unit_is_that_of_the_own_error():
    """Errors of 1, 2 and 9 points give units of 0.5, 1 and 2 points, whatever else the column has."""
    frame = released(cells([0.3449, 0.2251, 0.5], [0.01, 0.02, 0.09], g=list("abc")))
    assert frame["step"].tolist() == pytest.approx([0.005, 0.01, 0.02])
    assert frame["estimate"].tolist() == pytest.approx([0.345, 0.23, 0.5])


def test_a_number_without_an_error_has_the_median_of_its_column():
    """Errors of 2, 2 and 0.5 points, and none in the first column."""
    two = pd.concat(
        [
            cells([0.3449, 0.2251, 0.3333], [0.02, 0.02, 0.0], g=list("abc")),
            cells([0.3449, 0.2251, 0.3333], [0.005] * 3, g=list("abc")),
        ]
    )
    two[CATEGORY] = ["x"] * 3 + ["y"] * 3
    frame = released(two).set_index(["g", CATEGORY])
    assert frame.loc[("c", "x"), "step"] == pytest.approx(0.01)
    assert frame.loc[("c", "y"), "step"] == pytest.approx(0.002)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.05, 0.95), st.floats(1e-4, 0.05)), min_size=1, max_size=8),
)
def test_intervals_go_outward(pairs):
    """Each printed interval has the one that was estimated in it, and the printed number; no end is a unit too far."""
    x, errors = np.array(pairs).T
    raw = cells(x, errors, g=[f"g{i}" for i in range(len(x))])
    raw[["low", "high"]] = raw[["low", "high"]].clip(0, 1)
    frame = released(raw)
    step = frame["step"].to_numpy()
    shown = frame[NUMBERS].to_numpy()
    for low, (raw_low, raw_high), high, unit in zip(
        shown[:, 1], raw[["low", "high"]].to_numpy(), shown[:, 2], step, strict=True
    ):
        assert raw_low - unit < low <= raw_low + 1e-6 * unit
        assert raw_high - 1e-6 * unit <= high < raw_high + unit
    assert (np.abs(shown[:, 0] - x) <= step / 2 * (1 + 1e-9)).all()
    np.testing.assert_allclose(shown / step[:, None], np.round(shown / step[:, None]), atol=1e-6)
    assert (shown[:, 1] <= shown[:, 0]).all()
    assert (shown[:, 0] <= shown[:, 2]).all()


def test_no_sum_is_printed_finer_than_what_five_make_of_it():
    """A grant of 40,000 DH for homes, of which each who can pay makes 0.6: the unit is five of them, not the error."""
    rows = pd.DataFrame({"estimate": [4.8e6, 120.0, 0.4], "low": [4.3e6, 100.0, 0.3], "high": [5.3e6, 140.0, 0.5]})
    rows = rows.assign(unit=["million_dh", "homes", "share"])
    assert units(rows, "", "", policy()).tolist() == [100_000.0, 10.0, 0.02]
    made = units(rows.assign(numerator=200.0), "", "", policy())
    assert made.tolist() == [200_000.0, 10.0, 0.02]
    assert (made[:2] >= policy().open_respondents * rows["estimate"][:2] / 200).all()


@pytest.mark.parametrize("behind", [1.0, 100.0])
@pytest.mark.parametrize("each", np.geomspace(1.0, 100.0, 23))
def test_the_unit_of_a_sum_is_five_respondents_and_less_than_thirteen(each, behind):
    """Whatever each stands for: the next unit above five is at most two and a half times as large."""
    rows = pd.DataFrame({**dict.fromkeys(NUMBERS, behind * each), "numerator": behind}, index=[0])
    (unit,) = units(rows, "persons", "", policy())
    assert unit >= policy().open_respondents * each * (1 - 1e-9)
    assert unit <= max(2.5 * policy().open_respondents * each, policy().step("persons"))


def test_people_are_never_printed_finer_than_ten():
    """With an error of one person or of three a number is printed to ten, outward; with one of 300 to a hundred."""
    finest, fine, coarse = (released(cells([4321.0], [error], g=["a"]), "persons") for error in (1.0, 3.0, 300.0))
    assert fine[NUMBERS].to_numpy().tolist() == finest[NUMBERS].to_numpy().tolist() == [[4320.0, 4310.0, 4330.0]]
    assert coarse.loc[0, "estimate"] == 4300.0


def test_one_number_of_persons_is_printed_alike_in_two_tables():
    """Beside numbers with small errors and beside numbers with large ones: its unit is a function of its own error."""
    same = (7734.0, 233.0)
    small, large = (
        released(cells([same[0], other], [same[1], error], g=["a", "b"]), "persons")
        for other, error in ((150.0, 21.0), (41234.0, 2100.0))
    )
    assert small.loc[0, NUMBERS].tolist() == large.loc[0, NUMBERS].tolist() == [7700.0, 7200.0, 8200.0]
    assert small.loc[1, "step"] == 10.0
    assert large.loc[1, "step"] == 1000.0


def test_what_has_no_error_keeps_the_step_of_the_policy():
    """A count of the register is exact, but for the ten that no number of persons is finer than."""
    frame = released(cells([4321.0, 87.0], [0.0, 0.0], g=["a", "b"]), "persons")
    assert frame[NUMBERS].to_numpy().tolist() == [[4320.0] * 3, [90.0] * 3]


def test_a_number_that_is_printed_again_is_printed_alike():
    """Cells of a table keep their unit and n in a display of several, and through the door a second time."""
    first = Released("t", "share", "", ("g",), "share")
    table = protect(first, cells([0.3449], [0.02], g=["a"]).assign(n=500.0), (900, 900))
    again = combined("list", {("line", "x"): (table, "a")}, "row")
    assert again.frame.loc[0, ["n", "step"]].tolist() == table.frame.loc[0, ["n", "step"]].tolist()
    beside = pd.concat([table.frame, cells([0.111], [0.0002], g=["b"]).assign(n=5000.0)], ignore_index=True)
    frame = protect(first, beside, (500, 500)).frame
    assert frame.loc[0, ["estimate", "low", "high", "step"]].tolist() == pytest.approx(
        table.frame.loc[0, ["estimate", "low", "high", "step"]].tolist()
    )


def test_no_digit_below_the_unit_is_written():
    """34 %, not 34.0 %, where the unit is a point; 34.5 % where it is half a point; millions likewise."""
    assert amount(0.34, "share", "en", step=0.01) == "34 %"
    assert amount(0.345, "share", "en", step=0.005) == "34.5 %"
    assert with_interval(0.34, 0.3, 0.38, "share", "fr", step=0.02) == "34\u202f% (30\u201338)"
    assert amount(36e6, "million_dh", "en", step=2e6) == "36"
    assert amount(0.3, "share", "en", step=float("nan")) == "30.0 %"


def test_a_headline_is_printed_alike_in_all_tables_of_the_page():
    """With the follow-up, in one interval with those who never answered, and beside cut weights."""
    world = generate(Parameters.read(DATA / "public"), 12, "plain", size=4000)
    plan = release(Study.of(*(typed(f, BOOK) for f in (world.answers, world.register, world.followup)), BOOK))
    both = plan["nonresponse_bias"].frame.query("category == 'both'").set_index("condition")["estimate"]
    whole = plan["nonresponse_tipping"].frame.query("category == 'whole'").set_index("condition")["estimate"]
    cut = plan["weights_trimming"].frame.query("category == 'share'").set_index("condition")["estimate"]
    assert whole.to_dict() == both.to_dict()
    assert sorted(cut) == sorted(both)


@pytest.mark.parametrize(("samples", "least"), [(12, 0.02), (100, 0.01), (300, 0.005)])
def test_coverage_has_the_digits_that_its_samples_support(samples, least):
    """Of so many samples a share is not known to a tenth of a point, at nought as little as at a half.

    The error is simulated: half of the spread of the share of ``samples`` draws is not below the unit.
    """
    at = np.array([0.0, 0.5, 0.95])
    unit = of_samples(at, np.full(3, samples))
    assert unit[1] >= least
    assert (unit > 0.001).all()
    drawn = np.random.default_rng(1).binomial(samples, 0.5, 4000) / samples
    assert 0.4 * drawn.std() / 2 < unit[1] <= drawn.std() / 2 * 1.05


def test_the_unit_of_coverage_by_hand():
    """Two samples of either kind are added: of none of 12 it is 2 of 16, whose error is 8 points, and half of it 4."""
    at = np.array([0.0, 0.5, 0.95, 1.0])
    assert of_samples(at, np.full(4, 12)).tolist() == pytest.approx([0.02, 0.05, 0.02, 0.02])
    assert of_samples(at, np.full(4, 100)).tolist() == pytest.approx([0.005, 0.02, 0.01, 0.005])


def finer_than_printed(cells):
    """Rows of the data of a picture with an estimate that is no multiple of its unit, or a base that none prints."""
    known = cells.dropna(subset="step")
    units_of = known["estimate"] / known["step"]
    fine = (units_of - units_of.round()).abs() > 1e-6
    return known[fine | (known["n"].notna() & (known["n"] != policy().base(known["n"])))] if len(known) else known


def test_the_data_of_pictures_are_as_they_are_printed():
    """A share of the register at six digits, or a base to the last person, once stood in the data of a picture."""
    tables = [pd.read_csv(path) for path in sorted((DATA.parent / "figures").glob("*.csv"))]
    tables = [table for table in tables if "step" in table and "n" in table]
    assert len(tables) > 30
    for table in tables:
        assert not len(finer_than_printed(table)), table["table"].iloc[0]
    share = pd.DataFrame({"estimate": [0.412345, 0.41, 0.41], "step": 0.001, "n": [1200.0, 1200.0, 1213.0]})
    assert finer_than_printed(share).index.tolist() == [0, 2]
