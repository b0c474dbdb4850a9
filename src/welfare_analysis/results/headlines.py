"""The front page: released tables of one cell each, side by side, and what is known of the stand-in alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..disclosure import Released, document
from ..needs import indicators
from ..study import DATA, Study
from .declare import melted
from .descriptive import HEADLINES, descriptive

Z = 1.959963984540054
ASSUMPTIONS = DATA / "survey" / "assumptions.csv"
TRUTH = DATA / "survey" / "truth.csv"
NATURE = ("assumed_low", "assumed_high", "assumed_part", "kind")
MOSTLY = 0.5  # from this part of the variance on that is assumption, a level is an illustration


def known(everybody: pd.DataFrame) -> pd.DataFrame:
    """Shares who meet each headline condition among all persons generated, by their true answers: a row a status."""
    met = indicators(everybody)[list(HEADLINES)].astype(float)
    shares = met.groupby(everybody["status"].astype(str), sort=False).mean()
    return pd.concat([met.mean().to_frame("all").T, shares]).rename_axis("status").reset_index()


def truth(study: Study) -> Released:
    """On the stand-in: the shares that its estimates are of, in everybody's true answers (`known`)."""
    table = melted(pd.read_csv(TRUTH), ["status"], dict.fromkeys(HEADLINES, "share"))
    cells = table.dropna().rename(columns={"measure": "condition"})
    own = study.is_standin and all(path.parent == TRUTH.parent for path in study.files)
    return document("truth", cells if own else cells.iloc[:0], ["condition"], "status", "share")


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
