"""Mutants of the library: which there are, which are drawn, and which of them tests find, on a library of one file."""

import mutation
import pytest

RULE = '''"""Few: less than 10."""

import math

__all__ = ["few"]


@staticmethod
def few(n: int | None, least: int = 10) -> bool:
    """Whether n < 10."""
    if n is None:
        raise ValueError("n" + "one")
    return n < least
'''
TESTS = """from welfare_analysis.disclosure.rule import few


def test_few():
    assert few(9) and not few(11)
"""


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library of one file and its test, in a place of its own."""
    for path, text in {
        "src/welfare_analysis/__init__.py": "",
        "src/welfare_analysis/disclosure/__init__.py": "",
        "src/welfare_analysis/disclosure/rule.py": RULE,
        "tests/disclosure/test_rule.py": TESTS,
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.setattr(mutation, "ROOT", tmp_path)
    monkeypatch.setattr(mutation, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(mutation, "IMPORTED", ["pytest", "coverage"])
    kept = (mutation.drawn, mutation.workshop, mutation.reached)
    for function in kept:
        function.cache_clear()
    yield tmp_path
    mutation.workshop().cleanup()
    for function in kept:
        function.cache_clear()


def test_what_computes_is_changed_and_what_is_said_is_not(library):
    """By hand: two conditions, a default, a boundary, and what is returned; neither texts, types nor what is raised."""
    made = {(m.change, m.line, m.before, m.after) for m in mutation.drawn("disclosure")}
    assert made == {
        ("default", 9, "10", "(11)"),
        ("comparison", 11, "n is None", "(n is not None)"),
        ("comparison", 13, "n < least", "(n <= least)"),
        ("comparison", 13, "n < least", "(n >= least)"),
        ("return", 13, "return n < least", "return None"),
    }


def test_a_change_elsewhere_draws_no_other_mutants(library):
    """Lines above a function, and another function: the order of its own mutants stays."""
    before = [(m.change, m.after) for m in mutation.drawn("disclosure")]
    path = library / "src" / "welfare_analysis" / "disclosure" / "rule.py"
    path.write_text(RULE.replace("import math", "import math\n\n\ndef one():\n    return math.pi\n"))
    mutation.drawn.cache_clear()
    after = [(m.change, m.after) for m in mutation.drawn("disclosure") if m.function == "few"]
    assert after == before


def test_what_no_test_finds_has_survived(library):
    """The test knows 9 and 11: a bound of 11, or one that counts itself, is no other to it; the rest is found."""
    path = library / "src" / "welfare_analysis" / "disclosure" / "rule.py"
    path.write_text(RULE.replace("@staticmethod\n", ""))
    found = [mutation.one("disclosure", n).iloc[0] for n in range(5)]
    assert {(m["after"], m["killed_by"]) for m in found} == {
        ("(11)", ""),
        ("(n <= least)", ""),
        ("(n >= least)", "tests/disclosure/test_rule.py"),
        ("(n is not None)", "tests/disclosure/test_rule.py"),
        ("return None", "tests/disclosure/test_rule.py"),
    }
    assert path.read_text() == RULE.replace("@staticmethod\n", "")
