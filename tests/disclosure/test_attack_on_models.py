"""The attacks on tables of models, item by item, over the file of a small study; each is seen to work on open tables.

The study has about 800 forms, so that many cells must be hidden. Each attack is run twice: on what is published, where
it must find nothing, and on a publication in which the rule that stops it is off, where it must find something.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.append(str(Path(__file__).parents[1]))
import attacker

from welfare_analysis.disclosure import protection
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.standin import Parameters, generate

SIZE, SEED = 1790, 7


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """About 800 forms, opened from files as an institution has them."""
    world, folder = generate(Parameters.read(DATA / "public"), SEED, "rich", size=SIZE), tmp_path_factory.mktemp("own")
    for name in ("answers", "register", "followup"):
        getattr(world, name).to_csv(folder / f"{name}.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SURVEY", "REGISTER", "FOLLOWUP", "CODEBOOK", "MAP", "KEEP", "OMIT"):
            patch.delenv(name, raising=False)
        return Study.open(*(folder / f"{name}.csv" for name in ("answers", "register", "followup")), language="en")


@pytest.fixture(scope="module")
def published(study, tmp_path_factory):
    """Every table of it, as its file has them."""
    return attacker.published(study, tmp_path_factory.mktemp("report") / "results.csv")
