"""Tables as they are estimated: tests of what is computed look before digits are cut to the error.

What is printed is tested in ``tests/disclosure/test_digits.py`` and on pages.
"""

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.disclosure import protection
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

FINEST = {**dict.fromkeys(("share", "share_points", "place", "p"), 1e-6), "million_dh": 1e4}


def finest(cells, unit, across, rules):
    """The policy's step of each cell's unit, or a finer one of shares and sums."""
    named = cells["unit"] if "unit" in cells else pd.Series(unit, cells.index)
    return np.array([FINEST.get(x, rules.step(x)) for x in named])


@pytest.fixture(autouse=True, scope="module")
def as_estimated():
    """Every module of this folder sees what was estimated."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protection, "units", finest)
        yield


@pytest.fixture(scope="module")
def answers():
    """Forms of a small stand-in; modules with a survey of their own have a fixture of this name."""
    return typed(generate(Parameters.read(DATA / "public"), 12, "rich", size=9000).answers, BOOK)


@pytest.fixture(scope="module")
def study(answers):
    """The forms alone: each has a weight of one."""
    return Study.of(answers, None, None, BOOK)
