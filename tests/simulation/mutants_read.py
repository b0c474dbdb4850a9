"""Ten thousand mutants of good files: how each of twenty kinds of change is read, and whether any was read wrong."""

from __future__ import annotations

import sys
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from summaries import ROOT

from welfare_analysis.study import DATA
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.standin import Parameters, generate

sys.path.insert(0, str(ROOT / "tests" / "survey"))
import mutants

CHUNK = 25
BOOK = Codebook.read(DATA / "codebook")
KINDS = tuple(change.__name__ for change in mutants.CHANGES)


@lru_cache(maxsize=1)
def some_forms(seed: int) -> pd.DataFrame:
    """Forty sound forms, as text."""
    answers = generate(Parameters.read(DATA / "public"), seed, "plain", size=1500).answers
    return mutants.as_text(answers.sample(40, random_state=seed))


def one_chunk(kind: str, seed: int) -> pd.DataFrame:
    """Some mutants of one kind, of forms drawn anew: how each was read, and what is wrong with it."""
    forms, change = some_forms(seed), mutants.CHANGES[KINDS.index(kind)]
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    with tempfile.TemporaryDirectory() as folder:
        tables = (mutants.some_of(forms, rng, BOOK, change) for _ in range(CHUNK))
        read = [mutants.judged(change, table, rng, BOOK, Path(folder)) for table in tables]
    return pd.DataFrame(read, columns=["outcome", "what"]).assign(kind=kind)


def summarised(mutants_read: pd.DataFrame) -> pd.DataFrame:
    """How many of each kind were read right, ended in a fault that names the place, or were read wrong."""
    counts = pd.crosstab(mutants_read["kind"], mutants_read["outcome"]).reindex(KINDS)
    counts = counts.reindex(columns=list(mutants.OUTCOMES), fill_value=0)
    first = mutants_read[mutants_read["outcome"] == "wrong"].groupby("kind")["what"].first()
    table = counts.assign(first_wrong=first.reindex(counts.index).fillna(""))
    table.insert(0, "mutants", counts.sum(axis=1))
    return table.reset_index(names="kind")
