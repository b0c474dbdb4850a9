"""Kinds of ties between tables: each table alone leaves a hidden cell open, and both together do not.

Two tables hide the same group of few and each another beside it, so that the one shows what the other needs. The attack
learns the cell by the kind of tie alone; where each table hides what the other does it learns nothing.
"""

import attacker
import numpy as np
import pandas as pd
import pytest
import ties

from welfare_analysis.disclosure import CATEGORY, protect
from welfare_analysis.disclosure.released import declared

GROUPS = list("abcd")
BASE, MET, WEIGHT = np.full(4, 500.0), np.array([6.0, 103, 151, 203]), np.array([1.3, 2.1, 3.7, 1.9])
SIZES = pd.Series([900.0, 700, 650, 800], GROUPS)  # of the register
PERSONS = MET * WEIGHT * 1.1


def cells(estimate, met=MET, unit="persons", beside="b", **columns):
    """Cells by group; beside a, of few, another group is hidden."""
    table = pd.DataFrame({"status": GROUPS, "n": BASE, "numerator": met, "estimate": estimate, **columns})
    table = table.assign(low=0.9 * table["estimate"], high=1.1 * table["estimate"], unit=unit)
    return table.assign(lost=table["status"] == beside)


PART = 1.03 * MET / BASE  # those who meet the condition weigh more than others


def shares(part=PART, **named):
    """Shares whose respondents weigh something in each group."""
    met = MET if part is PART else BASE - MET
    return cells(part, met, "share", weight=WEIGHT, **named)


def question():
    """Whoever does not say no to a wish hopes for it."""
    yes, no = shares(), shares(1 - PART)
    return pd.concat([yes.assign(**{CATEGORY: "yes"}), no.assign(**{CATEGORY: "no"})], ignore_index=True)


CASES = {  # the kind of tie, and two tables or more, the last of which hides another group than the first
    "a condition is a category": ("same", lambda: [question(), shares(beside="c")]),
    "a hope is all but those who have none": ("same", lambda: [shares(1 - PART), shares(beside="c")]),
    "an offer that is one and the same": ("same", lambda: [cells(PERSONS), cells(PERSONS, beside="c")]),
    "likely are half of those who can pay": ("times", lambda: [cells(PERSONS), cells(PERSONS / 2, beside="c")]),
    "a year is a fifth of five": ("times", lambda: [cells(PERSONS), cells(PERSONS / 5, unit="homes", beside="c")]),
    "a cost is what one costs times persons": (
        "times",
        lambda: [cells(PERSONS), cells(PERSONS * 18_500, unit="million_dh", beside="c")],
    ),
    "a total is a share times the size of a group": (
        "times",
        lambda: [shares(), cells(PART * SIZES.to_numpy(), beside="c")],
    ),
    "who is lost are those before less those after": (
        "sums",
        lambda: [cells(PERSONS), cells(PERSONS + 700.7), cells(2 * PERSONS + 700.7, beside="c")],
    ),
}


def publication(folder, tables):
    """Tables as a file has them."""
    given = {}
    for number, table in enumerate(tables):
        share = (table["unit"] == "share").all()
        blank = declared(f"t{number}", "share" if share else "total", "x", ("status",), table["unit"].iloc[0])
        given[blank.id] = (blank, table, (2000, 2000)), {"adds": ["status", *({CATEGORY} & {*table})]}
    made = {name: protect(*rest, **named) for name, (rest, named) in given.items()}
    return attacker.written(made, given, folder / "t.csv")


@pytest.mark.parametrize("case", CASES)
def test_two_tables_tell_what_each_hides(tmp_path, case):
    """By its kind of tie alone; not where all tables hide the same."""
    name, make = CASES[case]
    kind = getattr(ties, name)
    others = tuple(other for other in ties.KINDS if other is not kind)
    tables, sizes = make(), {"status": SIZES}
    open_ = publication(tmp_path, tables)
    assert not len(attacker.known_too_well(open_))
    found = ties.joined(open_, sizes, (kind,))
    assert {codes[0] for codes in found["codes"]} == {"a"}
    assert not len(ties.joined(open_, sizes, others))
    alike = publication(tmp_path, [table.assign(lost=table["status"].isin(["b", "c"])) for table in tables])
    assert not len(ties.joined(alike, sizes))


def test_numbers_that_agree_by_chance_are_no_tie(tmp_path):
    """Counts of respondents, and a ratio that not all groups have."""
    plain = publication(tmp_path, [cells(MET), cells(MET * np.array([2, 2, 2, 3.0]), beside="c")])
    assert not [*ties.same(plain, {})]
    near = publication(tmp_path, [cells(PERSONS), cells(PERSONS * np.array([2, 2, 2, 2.1]), beside="c")])
    assert not [*ties.times(near, {})]
