"""Errors of the headline conditions once a recheck has corrected what people say, in populations whose truth is known.

At the size that the pages show: a recheck of as many persons as the parameters say.
"""

from __future__ import annotations

import pandas as pd
from demand_errors import BOOK, PARAMETERS
from headline_errors import true_levels

from welfare_analysis.results.descriptive import HEADLINES
from welfare_analysis.results.recheck import corrected
from welfare_analysis.study import Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import generate

FIRST_SEED = 80_000
SIZE = 76_000  # persons


def one_sample(version: str, seed: int, size: int | None = SIZE) -> pd.DataFrame:
    """Truth, corrected estimate, its standard error and whether its interval holds the truth: a row a condition."""
    world = generate(PARAMETERS, seed, version, size)
    frames = [typed(f, BOOK) for f in (world.answers, world.register, world.followup)]
    study = Study.of(*frames, BOOK, typed(world.recheck, BOOK))
    truth, rows = true_levels(Study.of(typed(world.truth, BOOK), None, None, BOOK).frame), []
    for name in HEADLINES:
        estimate = corrected(study, name)
        low, high = estimate.interval().iloc[0]
        numbers = {"truth": truth[name], "estimate": estimate.value.iloc[0], "se": estimate.se.iloc[0]}
        rows.append({"number": name, **numbers, "held": low <= truth[name] <= high})
    return pd.DataFrame(rows).assign(version=version, seed=seed)
