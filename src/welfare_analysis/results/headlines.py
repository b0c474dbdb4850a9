"""The front page: released tables of one cell each, side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..disclosure import Released, document
from ..study import DATA, Study
from .descriptive import descriptive

Z = 1.959963984540054
ASSUMPTIONS = DATA / "survey" / "assumptions.csv"
NATURE = ("assumed_low", "assumed_high", "assumed_part", "kind")
MOSTLY = 0.5  # from this part of the variance on that is assumption, a level is an illustration


def nature(study: Study) -> Released:
    """On the stand-in: what the assumptions behind it alone decide of each headline.

    The part of the variance is sd^2 over sd^2 plus the sampling variance, which is read from the released interval.
    """
    rows, plan = [], study.result(descriptive)
    for name, low, high, sd in pd.read_csv(ASSUMPTIONS)[["headline", "low", "high", "sd"]].itertuples(index=False):
        if study.is_standin and len(shown := plan[name].shown):
            sampling = (shown["high"].iloc[0] - shown["low"].iloc[0]) / (2 * Z)
            part = sd**2 / (sd**2 + sampling**2)
            rows += [(name, measure, x) for measure, x in zip(NATURE, (low, high, part, part), strict=True)]
    cells = pd.DataFrame(rows, columns=["condition", "measure", "estimate"])
    kind = np.where(cells["estimate"] > MOSTLY, "kind.illustration", "kind.finding")
    cells["text"] = pd.Series(kind, cells.index).where(cells["measure"] == "kind")
    return document("headlines_nature", cells, ["condition"], "measure", "share")
