"""The figures that notebooks show by name: the lines of ``data/figures.csv``."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pandas as pd

from ...errors import unknown
from ...study import DATA
from .bars import bands, flow, heat, histogram, pyramid, stacked, tornado
from .dots import categories, groups, profile, steps, with_without
from .lines import against_rate, crossing, curve, parts
from .maps import tour
from .style import Plan

KINDS = {
    kind.__name__: kind
    for kind in (bands, flow, heat, histogram, pyramid, stacked, tornado, categories, groups, profile, steps,
                 with_without, against_rate, crossing, curve, parts, tour)
}  # fmt: skip


def read(row: Mapping[str, str]) -> Plan:
    """The figure of a line.

    Raises
    ------
    WelfareError
        A kind of figure that there is not.
    """
    if row["kind"] not in KINDS:
        raise unknown("no such kind", row["kind"], KINDS, ", ".join(KINDS), where=f"figures.csv, {row['figure']}")
    options = json.loads(row["options"] or "{}")
    return Plan(KINDS[row["kind"]], tuple(row["tables"].split("|")), options, row["needs"] == "any")


FIGURES = {
    row["figure"]: read(row) for row in pd.read_csv(DATA / "figures.csv", keep_default_na=False).to_dict("records")
}
