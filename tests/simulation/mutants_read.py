"""Ten thousand mutants of good files: how each of twenty kinds of change is read, and whether any was read wrong."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from summaries import ROOT

from welfare_analysis.study import DATA
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.standin import Parameters, generate

sys.path.insert(0, str(ROOT / "tests" / "survey"))
import mutants

EACH = 500
KINDS = tuple(change.__name__ for change in mutants.CHANGES)


def one_kind(kind: str, seed: int, each: int = EACH) -> pd.DataFrame:
    """Mutants of one kind: how many, how many were read wrong, and what was said of the first of these."""
    book = Codebook.read(DATA / "codebook")
    drawn = generate(Parameters.read(DATA / "public"), seed, "plain", size=1500).answers.sample(40, random_state=seed)
    forms = mutants.as_text(drawn)
    change = next(change for change in mutants.CHANGES if change.__name__ == kind)
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    with tempfile.TemporaryDirectory() as folder:
        said = [mutants.judged(change, mutants.some_of(forms, rng, book), rng, book, Path(folder)) for _ in range(each)]
    wrong = [text for text in said if text]
    return pd.DataFrame({"kind": [kind], "mutants": each, "wrong": len(wrong), "first": [next(iter(wrong), "")]})
