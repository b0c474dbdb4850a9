"""Conditions: read, joined along their gates, and asked of answers."""

import pandas as pd
import pytest

from welfare_analysis.survey.routing import Clause, clauses, routes


def test_a_condition_is_read_part_by_part():
    """Codes, alternatives and bounds, joined by an ampersand; nothing is no clause (hand-made table)."""
    assert clauses("") == ()
    assert clauses("a = x & b in y|z & c >= 18 & d < 2.5") == (
        Clause("a", frozenset({"x"})),
        Clause("b", frozenset({"y", "z"})),
        Clause("c", low=18),
        Clause("d", high=2.5),
    )


@pytest.mark.parametrize("rule", ["a is x", "a = x and b = y", "a > 3", "a >= x", "= x", "a = x & "])
def test_what_cannot_be_read_is_refused(rule):
    """Anything else is an error and never a condition that everybody meets."""
    with pytest.raises(ValueError, match=r"a|=|^$"):
        clauses(rule)


def test_conditions_add_up_along_the_gates():
    """A question is asked where its own condition and those of all its gates hold: one clause a variable."""
    rules = {"a": "", "age": "", "b": "a in x|y & age >= 18", "c": "b = yes & a in y|z & age < 60"}
    found = routes("c", rules)
    assert found["a"] == Clause("a", frozenset({"y"}))
    assert found["age"] == Clause("age", low=18, high=60)
    assert found["b"] == Clause("b", frozenset({"yes"}))


def test_nobody_meets_a_condition_against_itself():
    """Codes without a common one, and an upper bound at or below the lower one, are met by nobody."""
    assert routes("c", {"a": "", "b": "a = x", "c": "b = yes & a = y"})["a"].never
    assert routes("b", {"n": "", "b": "n >= 18 & n < 18"})["n"].never
    assert not routes("b", {"n": "", "b": "n >= 18 & n < 19"})["n"].never


@pytest.mark.parametrize("rules", [{"a": "a = x"}, {"a": "b = x", "b": "c = x", "c": "a = x"}])
def test_a_circle_ends_in_an_error(rules):
    """A condition that comes back to its question is told, not followed for ever."""
    with pytest.raises(RecursionError):
        routes("a", rules)


def test_an_unknown_answer_leaves_it_open():
    """A clause holds, does not, or is unknown where the answer is missing."""
    coded = Clause("a", frozenset({"x"})).holds(pd.Series(["x", "y", None]))
    assert coded.tolist() == [True, False, pd.NA]
    bound = Clause("n", low=18, high=60).holds(pd.Series([18.0, 60.0, float("nan")]))
    assert bound.tolist() == [True, False, pd.NA]
