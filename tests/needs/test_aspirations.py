"""Truth tables of hopes, of the situations that call for them, and of the places in a ranking."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.errors import WelfareError
from welfare_analysis.needs import aspirations

NAN = float("nan")


@pytest.mark.parametrize("name", aspirations.HOPES)
def test_a_hope_is_any_answer_but_none(name):
    """Yes, or a named training or place, is a hope; no, none, nowhere is not; a missing answer is neither."""
    question, none = aspirations.HOPES[name]
    codes = BOOK.codes(str(BOOK.variables.loc[question, "list"]))
    frame = pd.DataFrame({question: pd.Categorical([*codes, None], codes)})
    found = aspirations.hope(name)(frame)
    wanted = pd.Series([code != none for code in codes] + [pd.NA], dtype="boolean", name=f"hopes_{name}")
    pd.testing.assert_series_equal(found, wanted)
    assert found.any()
    assert not found.all()
    with pytest.raises(WelfareError, match=question):
        aspirations.hope(name)(frame[[]])


@pytest.mark.parametrize(
    ("function", "columns", "rows"),
    [
        (aspirations.has_small_children, ["dependants_0_5_n"], [(0, False), (1, True), (NAN, pd.NA)]),
        (aspirations.has_chronic_illness, ["chronic_n"], [(0, False), (2, True), (NAN, pd.NA)]),
        (aspirations.pays_for_health, ["uncovered_cost_dh"], [(0, False), (50, True), (NAN, pd.NA)]),
        (aspirations.is_woman, ["sex"], [("f", True), ("m", False), (None, pd.NA)]),
        (aspirations.without_care, ["care_forgone"], [("yes", True), ("no", False), (None, pd.NA)]),
        (
            aspirations.never_served,
            ["social_works_use"],
            [("never", True), ("earlier", False), ("this_year", False), (None, pd.NA)],
        ),
        (
            aspirations.has_pupils,
            ["preschool_n", "primary_n", "secondary_n", "higher_n"],
            [(0, 0, 0, 0, False), (0, 0, 0, 1, True), (1, 2, 0, 0, True), (0, 0, NAN, 0, pd.NA)],
        ),
        (
            aspirations.holiday_spend_dh,
            ["holiday_centre", "holiday_budget_dh"],
            [("agadir", 900.0, 900.0), ("none", 0.0, NAN), ("ifrane", NAN, NAN), (None, 500.0, NAN)],
        ),
    ],
)
def test_situations(function, columns, rows):
    """Each situation by its table; what is missing stays missing."""
    frame = pd.DataFrame([row[:-1] for row in rows], columns=columns)
    found = function(frame)
    assert found.name == function.__name__
    wanted = [row[-1] for row in rows]
    assert [pd.isna(x) for x in found] == [pd.isna(x) for x in wanted]
    assert [x for x in found if not pd.isna(x)] == [x for x in wanted if not pd.isna(x)]


# ranks of a, b, c, d; places; mid places; first; among the first two
RANKINGS = [
    ((2, 1, 4, 3), (2, 1, 4, 3), (2, 1, 4, 3), "b", (True, True, False, False)),
    ((2, NAN, 4, 3), (2, 1, 4, 3), (2, 1, 4, 3), "b", (True, True, False, False)),  # the one left open is the first
    ((2, 1, NAN, NAN), (2, 1, NAN, NAN), (2, 1, 3.5, 3.5), "b", (True, True, False, False)),
    ((1, NAN, 3, NAN), (1, NAN, 3, NAN), None, "a", None),  # who is second is not known
    ((1, NAN, NAN, NAN), (1, NAN, NAN, NAN), (1, 3, 3, 3), "a", None),
    ((1, 1, 3, 4), (1, 1, 3, 4), (1.5, 1.5, 3, 4), None, (True, True, False, False)),
    ((1, 1, 3, NAN), (1, 1, 3, NAN), (1.5, 1.5, 3, 4), None, (True, True, False, False)),
    ((1, 2, 9, 3.5), (1, 2, NAN, NAN), (1, 2, 3.5, 3.5), "a", (True, True, False, False)),
    ((0, -1, 9, NAN), (NAN,) * 4, None, None, None),
    ((NAN,) * 4, (NAN,) * 4, None, None, None),
]


def test_places():
    """Full, partial, tied rankings, and numbers that are no places; one item left open has the place that is left."""
    ranks = pd.DataFrame([row[0] for row in RANKINGS], columns=list("abcd"), dtype=float)
    placed = aspirations.places(ranks)
    np.testing.assert_array_equal(placed, [row[1] for row in RANKINGS])
    middle, first = aspirations.mid_places(placed), aspirations.ranked_first(placed)
    among = aspirations.ranked_among(placed, 2)
    for i, (_, _, mid, item, top) in enumerate(RANKINGS):
        np.testing.assert_array_equal(middle.iloc[i], mid or (NAN,) * 4, err_msg=str(i))
        assert (None if pd.isna(first[i]) else first[i]) == item, i
        assert (None if among.iloc[i].isna().all() else tuple(among.iloc[i])) == top, i
    known = middle.dropna()
    assert (known.sum(axis=1) == 10).all()  # mid places of all items add up to 1 + 2 + 3 + 4
