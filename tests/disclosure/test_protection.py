"""What `protect` does with each column that it is given, on tables made by hand: a rule taken out fails here."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.disclosure import (
    CATEGORY,
    NUMBERS,
    Lazy,
    Released,
    combined,
    document,
    evidence,
    policy,
    protect,
    protect_estimate,
)
from welfare_analysis.disclosure.protection import EVIDENCE
from welfare_analysis.disclosure.suppression import of_colleagues
from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, mean, share, total
from welfare_analysis.results.descriptive import leaves_few

NAN = np.nan
LEAST = {"min_respondents": 10, "min_base": 30, "caution_base": 50, "open_respondents": 5, "open_share": 0.1,
         "protection_share": 0.1, "colleagues": 10, "min_places": 2}  # fmt: skip
STEPS = {  # no unit is finer
    1e5: "million_dh",
    10: "persons households homes files needs totals dh",
    1: "minutes min m2 runs riders number year groups dh_month dh_trip",
    0.1: "trips nights place files_each dh_hour needs_expected tenths",
    0.01: "elasticity rate_points",
    0.001: "share share_points index decimal p",
    1e-6: "coefficient",
}


def cells(n, met, **columns):
    """Cells of shares by group, with an interval of two points."""
    part = np.asarray(met, dtype=float) / n
    keys = {"g": [f"g{i}" for i in range(len(n))]}
    table = pd.DataFrame({**keys, "n": np.asarray(n, dtype=float), "numerator": met, "estimate": part, **columns})
    return table.assign(low=part - 0.01, high=part + 0.01)


def made(table, statistic="share", unit="share", of="", **named):
    """The table behind the door."""
    return protect(Released("t", statistic, "x", ("g",), unit, of=of), table, (1000, 1000), **named)


def hidden(table, **named):
    """Which of its cells are hidden."""
    return made(table, **named).frame["flag"].eq("hidden").tolist()


def test_no_rule_is_weaker_than_what_it_cites():
    """The thresholds of the offices that ``data/policy.csv`` names; no number of persons is finer than ten."""
    rules = policy()
    for rule, least in LEAST.items():
        assert getattr(rules, rule) >= least, rule
    assert 0.9 <= rules.colleagues_level < 1
    assert rules.dominance_share <= 0.9
    assert 0.25 <= rules.error_share <= 0.5
    assert [rules.base(n) for n in (44, 99, 130, 444, 4444, 44300)] == [40, 100, 150, 450, 4400, 44500]
    assert all(rules.step(unit) >= step for step, units in STEPS.items() for unit in units.split())
    assert {unit for unit, _ in rules.rounding} <= {unit for units in STEPS.values() for unit in units.split()}


@pytest.mark.parametrize(("unit", "step"), policy().rounding)
def test_a_number_without_an_error_is_printed_to_the_step_of_its_unit(unit, step):
    """Each line of the policy is used: 4321.98765 units of it are a multiple of its step."""
    frame = made(cells([500], [NAN]).assign(**dict.fromkeys(NUMBERS, 4321.98765)), unit=unit).frame
    assert frame["step"].tolist() == [step]
    assert frame.loc[0, "estimate"] == pytest.approx(round(4321.98765 / step) * step)


def test_rows_are_numbered_anew_and_no_column_is_added():
    """Whatever rows a table was made of: the frame has its columns, what each is printed to, and its mark."""
    table = cells([400, 300], [100, 90]).set_axis([7, 3])
    frame = made(table).frame
    assert frame.index.tolist() == [0, 1]
    assert set(frame) == {*table} - {"numerator"} | {"flag", "step"}


def test_columns_that_decide_are_not_released():
    """Neither the respondents behind a number nor why it is hidden goes out."""
    more = {"unsafe": False, "weight": 1.3, "told": True, "lost": False, "nested": True}
    assert not {*EVIDENCE} & {*made(cells([400, 300], [100, 90], **more)).frame}
    assert {*EVIDENCE} == {"numerator", *more}


def test_what_another_table_hides_is_hidden_here():
    """By itself where nothing adds up; with one more beside it where groups do, those of no known group included."""
    two = cells([400, 300, 200], [100, 90, 80], lost=[True, False, False])
    assert hidden(two) == [True, False, False]
    assert hidden(two, adds=["g"]) == [True, False, True]
    unseen = pd.DataFrame({"g": ["?"], "n": [200.0], "numerator": [95.0], "estimate": [0.475], "weight": [1.0]})
    assert hidden(two.assign(weight=1.0), adds=["g"], unseen=unseen) == [True, False, True]


def test_what_is_unsafe_or_has_no_interval_is_hidden():
    """Whatever the counts are; a number that is too unsure has no interval, and is no secret."""
    assert hidden(cells([400, 300], [100, 90], unsafe=[True, False])) == [True, False]
    endless = cells([400, 300], [100, 90], flag=["", "unsure"]).assign(high=np.inf)
    frame = made(endless).frame
    assert frame["flag"].tolist() == ["hidden", "unsure"]
    assert frame[NUMBERS].isna().all(axis=None)
    assert frame["n"].notna().tolist() == [False, True]


def test_a_hidden_cell_has_no_word_and_no_measure():
    """What a table says in words, or beside its numbers, of a hidden cell would tell it."""
    more = {"text": ["rate.none", "rate.any"], "p": [0.01, 0.02], "clear": [True, True]}
    frame = made(cells([400, 300], [4, 90], **more)).frame
    assert frame["text"].isna().tolist() == frame["p"].isna().tolist() == [True, False]
    assert frame["clear"].tolist() == [False, True]


def test_small_bases_of_shares_are_marked():
    """From 30 to 49; not of counts, whose base is the number itself, and is not said again."""
    assert made(cells([40, 400], [15, 90])).frame["flag"].tolist() == ["caution", ""]
    assert made(cells([40, 49, 50], [15, 20, 20], flag=["unsure", "", ""])).frame["flag"].tolist() == [
        "unsure",
        "caution",
        "",
    ]
    many = {name: [40.0, 400.0] for name in NUMBERS}
    counts = made(cells([40, 400], [NAN, NAN]).assign(**many), "count", "persons")
    assert counts.frame["flag"].tolist() == ["", ""]
    assert counts.frame["n"].isna().all()
    assert made(cells([400], [90]), of="register").frame["n"].isna().all()
    assert made(cells([413], [90])).frame["n"].tolist() == [400]
    assert made(cells([413, 500], [90, 90], told=[False, True])).frame["n"].isna().tolist() == [True, False]


def test_numbers_of_respondents_are_printed_as_bases():
    """A cell whose unit is respondents, and those of whom all can be computed."""
    table = cells([444], [NAN]).assign(**dict.fromkeys(NUMBERS, 444.0), unit="respondents")
    assert made(table).frame[NUMBERS].to_numpy().tolist() == [[450.0] * 3]
    assert protect(Released("t", "share", "x", ("g",), "share"), cells([444], [90]), (444, 444)).respondents == 450


def test_numbers_of_persons_are_not_below_nobody():
    """The end of an interval; a change may be below, and so may its end."""
    rows = cells([444, 444], [90, 90]).assign(estimate=[30.0, -30.0], low=[-50.0, -90.0], high=[110.0, 30.0])
    assert made(rows, "total", "persons").frame["low"].tolist() == [0.0, -90.0]


@pytest.mark.parametrize(("late", "said"), [(29, 0), (137, 150), (371, 0)])
def test_how_many_answered_late_is_said_of_enough(late, said):
    """Neither they nor the others may be few."""
    blank = Released("t", "share", "x", ("g",), "share")
    assert protect(blank, cells([400], [100]), (400, 420), followed_up=late).followed_up == said


def test_nested_shares_leave_five_between_two_of_them():
    """26, 19 and 18 of 191 can pay at 8, 9 and 10 %: to the unit of their error the one between two rates is seen."""
    met = np.array([124.0, 121, 26, 19, 18])
    table = cells([191] * 5, met)
    for nested, least in ((True, policy().open_respondents), (False, 0)):
        frame = made(table.assign(nested=nested)).frame
        between = 191 * (frame["step"] + frame["step"].shift()).dropna() / 2
        assert (between.min() >= policy().open_respondents) == (least > 0)


def test_women_less_widows_are_other_women():
    """Of 60 women 34 are widows whose number is shown: 4 of the 26 others are tenants. Not where widows are hidden."""
    sex = pd.Series(["f"] * 60 + ["m"] * 100, dtype=object)
    status = pd.Series(["widow"] * 34 + ["active"] * 126, dtype=object)
    met = pd.Series(np.r_[np.arange(34) < 20, np.arange(26) < 4, np.arange(100) < 40]).astype("boolean")
    assert leaves_few(sex, status, met, {"widow", "active"}) == {"f"}
    assert leaves_few(sex, status, met, {"active"}) == set()
    more = met.mask(pd.Series(np.arange(160)).between(34, 40), True)
    sex.loc[60:80] = "f"
    assert leaves_few(sex, status, more, {"widow"}) == set()
    assert leaves_few(sex.where(status != "widow", None), status, met, {"widow"}) == set()


def test_colleagues_are_drawn_among_those_who_are_known():
    """Ten of a thousand, half of them in the cell; a cell without a numerator is of its n, and no draw is of more."""
    n, met = np.array([500.0, 500, 40, 4]), np.array([NAN, 250.0, 60, 4])
    seen = of_colleagues(n, met, 1000, policy())
    assert seen.tolist() == [9.0, 6.0, 2.0, 1.0]
    assert of_colleagues(np.array([4.0]), np.array([4.0]), 4, policy()).tolist() == [4.0]
    assert of_colleagues(np.array([400.0]), np.array([0.0]), 1000, policy()).tolist() == [0.0]
    assert of_colleagues(np.array([40.0]), np.array([NAN]), 4, policy()).tolist() == [10.0]


def test_answers_that_colleagues_have_open_less():
    """Two categories of six of 60 are twelve together: whoever has ten of the 60 answers has three of a cell."""
    blank, four = Released("t", "share", "x", ("g",), "share"), cells([60] * 4, [6, 6, 22, 26])
    gone = [protect(blank, four, (n, n), adds=["g"]).frame["flag"].eq("hidden").sum() for n in (60, 6000)]
    assert gone == [3, 2]


def test_answers_that_colleagues_have_tell_of_those_of_no_known_group():
    """Five whom no group names, at 1.9 each, are hidden by ten beside them: (9.5 + 10) / 1.9 is 10.3 at most.

    Of a thousand a colleague has met one of the ten, and (9.5 + 9) / 1.9 is 9.7: a group more is hidden.
    """
    blank, three = Released("t", "share", "x", ("g",), "share"), cells([100, 100, 60], [40, 35, 10], weight=1.0)
    unseen = pd.DataFrame({"g": ["?"], "n": [40.0], "numerator": [5.0], "estimate": [0.125], "weight": [1.9]})
    gone = [protect(blank, three, (n, n), adds=["g"], unseen=unseen).frame["flag"].eq("hidden") for n in (1000, 10**6)]
    assert [one.tolist() for one in gone] == [[False, True, True], [False, False, True]]


def test_respondents_of_an_estimate_are_seen_in_its_influences():
    """Five of 400 who meet a condition, in a share and in a number; nobody; a sum that one makes by weight."""
    few, none = (pd.Series(np.arange(400) < k, name="x") for k in (5, 0))
    plain, heavy = Design(np.full(400, 10.0)), Design(np.r_[1e6, np.full(399, 1.0)])
    assert [evidence(make(plain, few))[0].tolist() for make in (share, total)] == [[5.0], [5.0]]
    assert evidence(share(plain, ~few))[0].tolist() == [5.0]
    assert evidence(total(plain, none.astype(float)))[0].tolist() == [0.0]
    amounts = pd.Series(np.linspace(100.0, 200.0, 400), name="x")
    numerator, ruled = evidence(total(plain, amounts))
    assert np.isnan(numerator).all()
    assert not ruled.any()
    assert evidence(total(heavy, amounts))[1].tolist() == [True]


@pytest.mark.parametrize("amount", [1.0, 3.0])
def test_a_sum_to_which_few_give_is_hidden(amount):
    """Of 400 five have something, equal or unequal; 50 gave no answer, for whom the mean stands. Of 40 it is shown."""
    plain, who = Design(np.full(400, 10.0)), np.arange(400)
    for few, gone in ((5, True), (9, True), (10, False), (40, False)):
        some = pd.Series(np.where(who < few, 1 + who % amount, 0.0), name="x").where(who < 350)
        assert evidence(total(plain, some, missing="mean"))[1].tolist() == [gone]
        assert evidence(total(plain, some.fillna(0.0)))[1].tolist() == [gone and amount > 1]  # else it is a numerator


def test_an_estimate_of_ones_own_goes_through_the_same_rules():
    """Few of a group, and the group beside it; a sum of one; how many did not answer."""
    design, groups = Design(np.full(600, 10.0)), pd.Series(np.repeat(["a", "b", "c"], 200), name="g")
    met = pd.Series(np.r_[np.arange(200) < 5, np.arange(200) < 90, np.arange(200) < 60], name="x").astype("boolean")
    own = protect_estimate(share(design, met, by=groups), "own", "share")
    assert own.frame["flag"].tolist() == ["hidden", "", "hidden"]
    rich = pd.Series(np.r_[1e6, np.linspace(1.0, 2.0, 599)], name="x")
    assert protect_estimate(total(design, rich), "own", "dh").frame["flag"].tolist() == ["hidden"]
    left = protect_estimate(mean(design, pd.Series(np.linspace(1.0, 2.0, 600), name="x").mask(groups == "a")), "own")
    assert left.missing_share == pytest.approx(0.33)
    some = pd.Series(np.linspace(1.0, 2.0, 600), name="x").mask((groups == "a") & (np.arange(600) < 60))
    assert protect_estimate(mean(design, some, by=groups), "own").missing_share == pytest.approx(0.24)


def test_an_estimate_of_ones_own_by_three_groups_has_lines_along_each():
    """Two keys go down and the last across; one hidden cell takes another with it along each of the three."""
    design = Design(np.full(1600, 10.0))
    keys = [pd.Series(np.arange(1600) // 2**k % 2, name=name).map(str) for k, name in enumerate("ghk")]
    low = pd.Series(np.arange(1600) >= 800, name="x").astype("boolean")
    few = (keys[0] == "0") & (keys[1] == "0") & (keys[2] == "0") & (np.arange(1600) < 1540)
    own = protect_estimate(share(design, low & ~few, by=keys), "own", "share")
    assert (own.by, own.variable, own.keys) == (("g", "h"), "k", ["g", "h", CATEGORY])
    hidden = own.frame.set_index(own.keys)["flag"].eq("hidden")
    assert hidden["0", "0", "0"]
    lines = [hidden.groupby(level=[key for key in own.keys if key != axis]).sum() for axis in own.keys]
    assert all((line != 1).all() for line in lines)


def test_cells_side_by_side_are_hidden_as_where_they_come_from():
    """A list of cells has their numbers, marks and units; of a hidden one none."""
    table = made(cells([400, 45], [4, 20], flag=["", ""]))
    frame = combined("list", {("a", "x"): (table, "g0"), ("b", "x"): (table, "g1")}, "row").frame.set_index("row")
    assert frame.loc["a", NUMBERS].isna().all()
    assert frame["flag"].to_dict() == {"a": "hidden", "b": "caution"}
    assert frame["step"].tolist() == table.frame["step"].tolist()


def test_a_list_of_cells_says_why_one_is_not_there():
    """A table that is not shown, in its place; a cell that a table does not have is an error, and not a gap."""
    table = made(cells([400, 300], [100, 90]))
    gone = table.without_numbers("no_totals")
    parts = {("a", "x"): (table, "g0"), ("b", "x"): (gone, "g0")}
    both = combined("list", parts, "row")
    assert both.frame["text"].isna().tolist() == [True, False]
    assert both.frame.loc[1, ["text", "flag"]].tolist() == ["no_totals", ""]
    assert np.isnan(both.frame.loc[1, "estimate"])  # a sentence or a machine would take 0.0 for a result
    assert both.frame["n"].isna().tolist() == [False, True]
    assert (both.respondents, both.missing_share) == (table.respondents, table.missing_share)
    with pytest.raises(WelfareError, match="no such cell"):
        combined("list", {("a", "x"): (table, "nowhere")}, "row")


def test_what_no_respondent_is_in_has_no_respondents():
    """Public figures: known as they are, with neither a base nor missing answers."""
    table = document("facts", pd.DataFrame({"a": ["x"], "m": ["y"], "estimate": [3.0]}), ["a"], "m", "year")
    assert (table.respondents, table.missing_share, table.state, table.keys) == (0, 0.0, "shown", ["a", CATEGORY])
    assert table.frame.loc[0, [*NUMBERS, "flag"]].tolist() == [3.0, 3.0, 3.0, ""]
    assert table.frame["n"].isna().all()


def test_tables_are_made_once_and_when_they_are_asked_for():
    """A release knows all its names, makes what is asked for once, and refuses a name that no table has."""
    asked, one = [], made(cells([400], [100]))
    every = Lazy({"t": lambda: asked.append("t") or one, "u": lambda: asked.append("u") or one})
    assert (len(every), list(every), "t" in every, "v" in every, asked) == (2, ["t", "u"], True, False, [])
    assert every["t"] is every["t"]
    assert asked == ["t"]
    with pytest.raises(WelfareError, match="no such table"):
        every["v"]


def test_a_table_that_is_not_shown_has_nothing():
    """No cell, no base, no share of missing answers; nor has what is taken from it."""
    table = made(cells([400, 300], [100, 90], **{CATEGORY: ["y", "z"]}))
    blank = Released("c", "share", "x", ("g",), "share")
    assert table.narrowed(blank, "y").frame["g"].tolist() == ["g0"]
    gone = table.without_numbers("withheld")
    assert (len(gone.frame), gone.respondents, gone.followed_up, np.isnan(gone.missing_share)) == (0, 0, 0, True)
    assert gone.narrowed(blank, "y").state == "withheld"
    few = made(cells([400, 300], [4, 90]))
    assert few.silence == "hidden"
    assert len(few.shown) == 1
    assert made(cells([400, 300], [100, 90], flag="unsure")).silence == "unsure"
    assert made(cells([400, 300], [4, 90], flag="unsure")).silence == "hidden"
