"""Mutants of good files: right answers or a fault that names the cell, never a traceback, never a silent change.

The independent reference is what each change is known to have made of the cells (`mutants`). The long run of 10,000
is part of ``python tests/simulation``.
"""

import numpy as np
import pandas as pd
import pytest
from books import BOOK
from mutants import CHANGES, OUTCOMES, as_text, judged, some_of

from welfare_analysis.study import DATA
from welfare_analysis.survey.standin import Parameters, generate

EACH = 10


@pytest.fixture(scope="module")
def forms():
    """Forty sound forms, as text."""
    answers = generate(Parameters.read(DATA / "public"), 77, "plain", size=1500).answers
    return as_text(answers.sample(40, random_state=3))


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_mutants_are_read_right_or_named(change, forms, tmp_path):
    """Ten mutants of each kind."""
    rng = np.random.default_rng(11)
    read = [judged(change, some_of(forms, rng, BOOK, change), rng, BOOK, tmp_path) for _ in range(EACH)]
    assert [what for outcome, what in read if outcome == "wrong"] == []


def test_the_stored_run_read_none_wrong():
    """The long run is of every kind, and no mutant of it was read wrong."""
    table = pd.read_csv(DATA / "reference" / "mutants.csv")
    assert sorted(table["kind"]) == sorted(change.__name__ for change in CHANGES)
    assert (table["mutants"] == table[list(OUTCOMES)].sum(axis=1)).all()
    assert not table["wrong"].any()
