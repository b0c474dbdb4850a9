"""Allocation: parts of classes by hand, no place given twice, and a draw that anybody can repeat to the byte."""

import hashlib
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from welfare_analysis.demand import allocation
from welfare_analysis.demand.allocation import admitted, canonical, drawn, filled, published
from welfare_analysis.errors import WelfareError

PINNED = ["F-005", "F-003", "F-002", "F-004", "F-006", "F-001"]


def test_classes_are_filled_in_order_by_hand():
    """Of 10, 20 and 5 persons 20 places take all of the first class, half of the second, none of the third."""
    assert filled(np.array([10.0, 20.0, 5.0]), 20).tolist() == [1.0, 0.5, 0.0]
    assert filled(np.array([10.0, 0.0, 5.0]), 100).tolist() == [1.0, 1.0, 1.0]
    assert filled(np.array([40.0]), 10).tolist() == [0.25]
    assert filled(np.array([10.0, 5.0]), 0).tolist() == [0.0, 0.0]


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=8), st.floats(0, 1e5))
def test_parts_never_exceed_the_places_and_fall_from_class_to_class(demand, places):
    """What is admitted is the lesser of demand and places; who stands further behind has no better chance."""
    demand = np.array(demand)
    part = filled(demand, places)
    assert (part * demand).sum() == pytest.approx(min(demand.sum(), places), abs=1e-6)
    asked = part[demand > 0]
    assert (np.diff(asked) <= 1e-9).all()


@given(st.lists(st.integers(1, 9), max_size=40), st.integers(0, 60))
def test_families_of_unequal_size_never_exceed_the_places(sizes, places):
    """All persons of a family come or none, no place is given twice, and at most the next family's are left."""
    sizes = np.array(sizes, dtype=int)
    come = admitted(sizes, places)
    assert sizes[come].sum() <= places
    assert (np.diff(come.astype(int)) <= 0).all()
    if not come.all():
        assert places - sizes[come].sum() < sizes[~come][0]


def test_a_draw_repeated_from_its_description():
    """Three keys by a second program that follows the description step by step."""

    def sha(text):
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    listed = sha("a-1\na-2\nb\n")
    assert published(["b", "a-2", "a-1"]) == listed
    seed, order, index = sha(f"{listed}\n31415\n"), ["a-1", "a-2", "b"], 0
    for i in (2, 1):
        while (x := int(sha(f"{seed}\n{index}\n"), 16)) >= 2**256 // (i + 1) * (i + 1):
            index += 1
        index += 1
        j = x % (i + 1)
        order[i], order[j] = order[j], order[i]
    assert drawn(["b", "a-1", "a-2"], "31415") == order


def test_a_draw_is_pinned():
    """The hash of a list and the order that follows: no version of the program may change them."""
    keys = [f"F-{i:03d}" for i in range(1, 7)]
    assert published(keys) == hashlib.sha256(b"F-001\nF-002\nF-003\nF-004\nF-005\nF-006\n").hexdigest()
    assert drawn(keys, "2012-11-21") == PINNED
    assert drawn(keys[::-1], "2012-11-21") == PINNED
    assert drawn(keys, "2012-11-22") != PINNED


def test_numbers_above_the_last_multiple_are_left_out(monkeypatch):
    """The remainder of a number that is at or above it would favour the first keys."""
    top = 2**256 - 2**256 % 3
    monkeypatch.setattr(allocation, "numbers", lambda seed: iter([top, 0, 1]))
    assert drawn(["a", "b", "c"], "1") == ["c", "b", "a"]  # 0 puts a last; 1 leaves the others


def test_every_order_is_as_likely_as_any_other():
    """6,000 draws of four keys: the 24 orders are uniform by a chi-squared test."""
    keys = list("abcd")
    orders = dict.fromkeys(itertools.permutations(keys), 0)
    for number in range(6000):
        orders[tuple(drawn(keys, str(number)))] += 1
    assert stats.chisquare(list(orders.values())).pvalue > 0.01


@pytest.mark.parametrize("keys", [["a", "a"], ["a", ""], ["a\nb"]])
def test_a_list_that_is_none_is_refused(keys):
    """Twice the same key is two chances; a line feed makes two lists look alike."""
    with pytest.raises(WelfareError, match="not a list to draw from"):
        canonical(keys)
