"""Cells that may not be shown, and those that would give them away."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from welfare_analysis.disclosure import CATEGORY, Policy, Released, protect, protect_estimate
from welfare_analysis.disclosure.bounds import ranges, tight
from welfare_analysis.disclosure.suppression import apart, completed, dominated, one_sided, unsafe
from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, total

RULES = Policy(10, 30, 50, 0.9, 0.1, 5, 0.1, 0.5, (("totals", 10.0), ("dh", 100.0)))
NAN = np.nan


def hidden(cells, axes=("g",)):
    """The final pattern of a table of n and numerators."""
    first = unsafe(cells["n"].to_numpy(float), cells["numerator"].to_numpy(float), RULES)
    return completed(cells, axes, RULES, first)


def table(n, numerator=None, **keys):
    keys = keys or {"g": [f"g{i}" for i in range(len(n))]}
    return pd.DataFrame({**keys, "n": n, "numerator": numerator or [NAN] * len(n)})


def test_bases():
    """Fewer than 30 respondents are not shown."""
    assert list(unsafe(np.array([29.0, 30.0]), np.array([NAN, NAN]), RULES)) == [True, False]


def test_numerators_and_complements():
    """A share that rests on 1 to 9 respondents, or leaves 1 to 9, is hidden; 10 is shown."""
    n, numerator = np.full(4, 100.0), np.array([9.0, 10.0, 91.0, 90.0])
    assert list(unsafe(n, numerator, RULES)) == [True, False, True, False]


def test_a_step_that_counts_more_than_its_base():
    """43 can pay, 39 of whom answered the cards: nothing is left of the base, so the number stands as it does without.

    The same forecast is in tables that know no numerator, and was shown there while a grid of what-ifs hid it.
    """
    assert list(unsafe(np.array([39.0, 39.0]), np.array([43.0, NAN]), RULES)) == [False, False]


def test_nobody_and_everybody_in_a_small_group():
    """0 % or 100 % speaks of each person in a group under 50, and not in one of 50."""
    n, numerator = np.array([40.0, 49.0, 50.0, 50.0, 500.0]), np.array([0.0, 49.0, 0.0, 50.0, 500.0])
    assert list(unsafe(n, numerator, RULES)) == [True, True, False, False, False]


def test_one_hidden_group_takes_the_smallest_along():
    """The level of all is published, so a single hidden group would be all less the others."""
    cells = table([638, 2722, 5611, 25822], [2, 260, 160, 210])
    assert list(hidden(cells)) == [True, False, True, False]


def test_hidden_groups_together_must_pass():
    """Two hidden groups of 6 and 2 respondents sum to less than ten: a third goes too."""
    cells = table([500, 500, 500, 500], [6, 2, 40, 50])
    assert list(hidden(cells)) == [True, True, True, False]
    for enough in ([6, 7, 40, 50], [5, 5, 40, 50]):  # of five and five each may be none, or ten
        assert list(hidden(table([500, 500, 500, 500], enough))) == [True, True, False, False]


def test_the_bases_of_hidden_groups_add_up():
    """Two groups of 20 are 40 together, a base that may be shown; two of 12 are 24, so a third group goes with them."""
    assert list(hidden(table([20, 20, 400, 400]))) == [True, True, False, False]
    assert list(hidden(table([12, 12, 400, 500]))) == [True, True, True, False]


def test_one_hidden_category_takes_the_smallest_along():
    """Shares of a group add to one, so one hidden category would be one less the others."""
    cells = table([200] * 6, [100, 95, 5, 80, 70, 50], g=["a"] * 3 + ["b"] * 3, category=list("xyz") * 2)
    assert list(hidden(cells, ("g", "category"))) == [False, True, True, False, True, True]


def test_counts_are_closed_in_both_directions():
    """In a table of counts a hidden cell could be computed from its row or from its column."""
    cells = table([5, 400, 300, 200], g=["a", "a", "b", "b"], h=["x", "y", "x", "y"])
    assert hidden(cells, ("g", "h")).all()


def test_lines_of_two_subjects_are_two_lines():
    """A group hidden for one service alone is completed there; a hidden group of another service does not help it."""
    cells = pd.DataFrame(
        {
            "hope": ["rail"] * 3 + ["coach"] * 3,
            "status": ["active", "retired", "widow"] * 2,
            "n": [500.0, 400, 60] * 2,
            "numerator": [200.0, 150, 4, 200, 40, 50],
            **dict.fromkeys(["estimate", "low", "high"], 0.5),
        }
    )
    blank = Released("t", "share", "status", ("hope",), "share")
    cells.loc[4, "numerator"] = 4
    table = protect(blank, cells.rename(columns={"status": CATEGORY}), (960, 960), adds=[CATEGORY], rules=RULES)
    hidden = table.frame["flag"].eq("hidden").groupby(table.frame["hope"]).sum()
    assert hidden.to_dict() == {"coach": 2, "rail": 2}


def test_nobody_is_beyond_the_base():
    """A cell of 29 is 29 at most, so 396 of 400 beside it would be known: a third goes, also where it has no numerator.

    With its 20 of 29 the two leave 13, which may be shown; the range of the 396 is what asks for more.
    """
    for met in (20, NAN):
        assert list(hidden(table([400, 29, 300, 300], [396, met, 150, 160]))) == [True, True, False, True]


def test_what_is_no_sum_of_those_behind_it_leaves_nothing_to_add_up():
    """By hand: the one respondent of the first group is open by 12 of the second, whatever their means or chances are.

    Means do not add up; a forecast of 2 whom 5 may make counts nobody. Sums of 4,000 and 20 would tell each other.
    """
    cells = table([400.0] * 4, [1.0, 12, 100, 100]).assign(estimate=[4000.0, 20, 4000, 4000])
    first = np.array([True, False, False, False])
    few = cells.assign(numerator=[5.0, 12, 100, 100], estimate=[2.0, 3, 50, 60], summed=True)
    for made in (cells.assign(summed=False), few):
        assert completed(made, ["g"], RULES, first).tolist() == [True, True, False, False]
    assert completed(cells.assign(summed=True), ["g"], RULES, first).tolist() == [True, True, True, False]


def test_one_quantity_in_two_columns_is_hidden_in_both():
    """Who is stopped from each of two agreements: known in one column it is no secret in the other.

    Nothing fails in the second column by itself. Two counts that are not weighted agree by chance, and stay.
    """
    cells = table([400.0] * 6, [5.0, 20, 100, 30, 20, 110], g=list("abc") * 2, column=["x"] * 3 + ["y"] * 3)
    plain = cells["numerator"] / cells["n"]
    first = unsafe(cells["n"].to_numpy(), cells["numerator"].to_numpy(), RULES)
    for estimate, second in ((1.3 * plain, [True, True, False]), (plain, [False] * 3)):
        pattern = completed(cells.assign(estimate=estimate), ["g"], RULES, first, ["column"])
        assert pattern.tolist() == [True, True, False, *second]


def test_what_is_safe_stays():
    """A table without a hidden cell loses nothing."""
    assert not hidden(table([100, 200, 300], [20, 30, 40])).any()


def recovered(cells, axes, pattern):
    """Whether a line of a published table with all margins known leaves an unsafe union of hidden cells."""
    for axis in axes:
        others = [a for a in axes if a != axis]
        for _, line in cells.assign(hidden=pattern).groupby(others) if others else [((), cells.assign(hidden=pattern))]:
            gone = line[line["hidden"]]
            if 0 < len(gone) < len(line):
                base = gone["n"].max() if axis == "category" else gone["n"].sum()
                if (
                    len(gone) == 1
                    or unsafe(np.array([float(base)]), np.array([float(gone["numerator"].sum())]), RULES)[0]
                ):
                    return True
    return False


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.integers(0, 60), min_size=3, max_size=3), min_size=2, max_size=5))
def test_no_line_gives_a_small_number_away(counts):
    """Whatever the counts, what the margins leave of the hidden cells of any line is itself fit to be shown."""
    keys = [(g, c) for g in range(len(counts)) for c in range(3)]
    numerators = [counts[g][c] for g, c in keys]
    cells = table(
        [max(sum(counts[g]), 1) for g, _ in keys], numerators, g=[g for g, _ in keys], category=[c for _, c in keys]
    )
    pattern = hidden(cells, ("g", "category"))
    assert not recovered(cells, ("g", "category"), pattern)
    first = unsafe(cells["n"].to_numpy(float), cells["numerator"].to_numpy(float), RULES)
    assert (pattern >= first).all()


def test_a_median_needs_ten_answers_on_each_side():
    """Weights can push a median to the edge of a group."""
    values, cell = np.tile(np.arange(40.0), 7), np.repeat(np.arange(7), 40)
    medians = np.array([20.0, 36.0, 3.0, 31.0, 8.0, 30.0, 9.0])  # of the last two ten are on a side, itself among them
    assert list(one_sided(values, cell, medians, RULES)) == [False, True, True, True, True, False, False]


def test_a_sum_that_one_or_two_make():
    """Two contributions above 90 % of a sum, or a largest one known within 10 %, are hidden; an even sum is not."""
    even, two = np.full(40, 100.0), np.r_[[4000.0, 3000.0], np.full(38, 12.0)]  # others: above a tenth of the largest
    near = np.r_[[5000.0, 500.0], np.full(38, 10.0)]
    cell = np.repeat([0, 1, 2], 40)
    assert list(dominated(np.r_[even, two, near], cell, RULES)) == [False, True, True]


def test_the_largest_contribution_is_known_by_what_the_others_leave():
    """With no rule on the two largest: 500 of others leave 5,000 known to a tenth, and one more does not.

    The largest is taken as the second sees it, who knows the own part.
    """
    alone, rest = replace(RULES, dominance_share=1.0), [np.r_[5000.0, 4000.0, x, 100.0] for x in (399.0, 400.0, 401.0)]
    cell = np.repeat(np.arange(3), 4)
    assert list(dominated(np.concatenate(rest), cell, alone)) == [True, False, False]
    exactly = np.r_[50.0, 40.0, np.full(10, 1.0)]
    assert list(dominated(exactly, np.zeros(12, dtype=int), RULES)) == [False]


def test_nested_conditions_do_not_differ_by_a_few():
    """Two standards between which fewer than ten respondents lie are not shown together; the headline's stays."""
    assert list(apart(np.array([200, 100, 95, 40]), 500, 1, RULES)) == [True, True, False, True]
    assert list(apart(np.array([495, 100, 4]), 500, 1, RULES)) == [False, True, False]
    assert list(apart(np.array([109, 100, 91, 90]), 500, 1, RULES)) == [False, True, False, True]
    assert not apart(np.array([200, 5, 0]), 500, 1, RULES).any()
    assert list(apart(np.array([100, 95, 90, 10]), 500, 0, RULES)) == [True, False, True, True]
    assert list(apart(np.array([490, 100, 100]), 500, 1, RULES)) == [True, True, True]


def test_policy_is_read_from_its_file(tmp_path):
    """The thresholds and the steps of rounding are data, and each must be there and a number."""
    path = tmp_path / "policy.csv"
    names = ["min_respondents", "min_base", "caution_base", "dominance_share", "protection_share"]
    names += ["open_respondents", "open_share", "error_share", "round_totals", "round_dh"]
    names += ["colleagues", "colleagues_level", "min_places"]
    table = pd.DataFrame({"rule": names, "value": [10, 30, 50, 0.9, 0.1, 5, 0.1, 0.5, 10, 100, 0, 1.0, 1]})
    table.to_csv(path, index=False)
    assert Policy.read(path) == RULES
    assert (RULES.step("dh"), RULES.step("persons")) == (100, 10)
    table.drop(index=1).to_csv(path, index=False)
    with pytest.raises(WelfareError, match=r"policy.csv, min_base: a rule is missing"):
        Policy.read(path)
    table.astype({"value": object}).replace(0.9, "most").to_csv(path, index=False)
    with pytest.raises(WelfareError, match="dominance_share"):
        Policy.read(path)


def test_a_numerator_above_its_base_is_no_contradiction():
    """Steps of a funnel may count people of whom a later question is not known: the table is still protected."""
    cells = table([40, 900, 900], [60, 6, 500])
    assert list(hidden(cells)) == [True, True, False]


def test_homes_of_ones_own_are_rounded_as_those_of_the_report():
    """A number of homes from a reader's own call is printed to ten, as persons are."""
    design = Design(pd.Series(np.full(400, 1.37)))
    own = total(design, pd.Series(np.r_[np.ones(123), np.zeros(277)], name="homes"))
    frame = protect_estimate(own, "homes", "homes").frame
    assert (frame[["estimate", "low", "high"]] % 10 == 0).all(axis=None)


def test_a_cell_of_hidden_lines_does_not_follow_from_the_lines_that_cross_them():
    """Two hidden rows less two hidden columns leave one cell: the search goes past the lines of the cell itself.

    The programs give every cell that fails by itself at least five persons on each side, or nothing is shown.
    """
    n = np.array([[300, 437, 378, 179, 0], [0, 2, 27, 271, 0], [12, 10, 18, 123, 0], [11, 0, 0, 0, 31.0]])
    rows, columns = np.indices(n.shape)
    cells = pd.DataFrame({"g": rows.ravel(), CATEGORY: columns.ravel(), "n": n.ravel()}).query("n > 0")
    cells = cells.astype({"g": str, CATEGORY: str}).assign(numerator=NAN).reset_index(drop=True)
    pattern = hidden(cells, ("g", CATEGORY))
    lines = [cells.index[cells[key] == code] for key in ("g", CATEGORY) for code in cells[key].unique()]
    matrix = sparse.csr_array(np.array([cells.index.isin(line) for line in lines], dtype=float))
    value = cells["n"].to_numpy()
    low, high = np.where(pattern, 0.0, value), np.where(pattern, np.inf, value)
    small = np.flatnonzero(value < RULES.min_base)
    found = ranges(matrix, (matrix @ value, matrix @ value), (low, high), list(small))
    within = np.column_stack([np.zeros(len(small)), np.full(len(small), np.inf)])
    assert pattern.all() or not tight(value[small], within, found, value[small]).any()
