"""What measures bring and cost: the tables ``levers``, ``acceptability`` and ``frontier`` of a topic."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from ..demand.levers import acceptability, cost_of_one_more, frontier
from ..estimation import Estimate
from ..study import Study
from .declare import Topic, long_format, point

Measured = tuple[dict[str, Estimate], dict[str, Estimate]]
COSTS = dict.fromkeys(("cost_dh", "transfer_dh", "member_dh"), "million_dh") | {"one_more": "dh"}


def declare(topic: Topic, key: str, unit: str, measured: Callable[[Study], Measured], worth: Sequence[int]) -> None:
    """Add what measures bring and cost.

    Parameters
    ----------
    topic : Topic
    key : str
        Column, and list of labels, that names the measures.
    unit : str
        What they bring.
    measured : callable
        Of the study: each measure (`demand.levers.lever`), and DH of today that members pay with it.
    worth : sequence of int
        DH that a further unit may be worth.
    """

    def in_parts(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(unit=rows["lever_part"].map(COSTS).fillna(unit))

    @topic.table("levers", key, "lever_part", unit, adds=None)
    def levers(study: Study, subject: object) -> pd.DataFrame:
        """Units without and with each measure, what it costs today, and of one more, without a number if unbounded."""
        made, members = study.result(measured)
        rows = long_format(made, key, "lever_part")
        theirs = long_format(members, key, "").assign(lever_part="member_dh")
        ratios = cost_of_one_more(made).rename_axis(key).reset_index()
        ratios["flag"] = np.where(ratios.pop("kind") == "between", "", "unsure")
        return in_parts(pd.concat([rows, theirs, ratios.assign(lever_part="one_more", n=rows["n"].max())]))

    @topic.table("acceptability", "lever_worth", key, "share", adds=None, statistic="model")
    def accepted(study: Study, subject: object) -> pd.DataFrame:
        """Probability that a measure costs less than its additional units are worth, by what one is worth."""
        return pd.concat(
            point(chance, float(made.counts["n"].max()), lever_worth=str(at), **{key: name})
            for name, made in study.result(measured)[0].items()
            for at, chance in acceptability(made, worth).items()
        )

    @topic.table("frontier", key, "lever_part", unit, adds=None)
    def on_frontier(study: Study, subject: object) -> pd.DataFrame:
        """Measures that no mix of others beats: the cost of each next unit, and what the next million buys."""
        made = study.result(measured)[0]
        table = frontier(made).rename(columns={"step_dh": "one_more"}).rename_axis(key).reset_index()
        rows = table.melt(key, var_name="lever_part", value_name="estimate")
        n = max(float(e.counts["n"].max()) for e in made.values())
        return in_parts(rows.assign(low=rows["estimate"], high=rows["estimate"], n=n))
