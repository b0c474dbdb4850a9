"""The figures that notebooks show by name: the lines of ``data/figures.csv``."""

from __future__ import annotations

import json

import pandas as pd

from ...study import DATA
from .bars import bands, flow, heat, histogram, pyramid, stacked, tornado
from .dots import categories, groups, profile, steps, with_without
from .lines import against_rate, curve, parts
from .style import Plan

KINDS = {
    kind.__name__: kind
    for kind in (bands, flow, heat, histogram, pyramid, stacked, tornado, categories, groups, profile, steps,
                 with_without, against_rate, curve, parts)
}  # fmt: skip
FIGURES = {
    row["figure"]: Plan(
        KINDS[row["kind"]], tuple(row["tables"].split("|")), json.loads(row["options"] or "{}"), row["needs"] == "any"
    )
    for row in pd.read_csv(DATA / "figures.csv", keep_default_na=False).to_dict("records")
}
