"""What measures bring and cost: the tables ``levers``, ``acceptability`` and ``frontier`` of a topic."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from ..demand.levers import STEP, Levers, acceptability, cost_of_one_more, frontier
from ..disclosure import NUMBERS
from ..estimation import Estimate
from ..study import Study
from .declare import Topic, long_format, point

COSTS = dict.fromkeys(("cost_dh", "transfer_dh", "member_dh", "present_dh"), "million_dh")
COSTS |= dict.fromkeys(("one_more", "next_one"), "dh")


def declare(
    topic: Topic,
    key: str,
    unit: str,
    measured: Callable[[Study], Levers],
    worth: Sequence[int],
    columns: tuple[str, str] = ("lever_part", "lever_worth"),
    units: Mapping[str, str] | None = None,
    years: Callable[[Estimate], Estimate] | None = None,
    compared: tuple[Collection[str], Collection[str]] | None = None,
) -> None:
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
    columns : (str, str)
        What the parts of a measure and the worth of a unit are called, with their lists of labels.
    units : mapping of str to str, optional
        What some measures bring that is not ``unit``.
    years : callable, optional
        Where costs are those of a year: what they are worth today over all years, ``present_dh``.
    compared : (collection, collection) of str, optional
        Measures of which acceptability and frontier speak; absent: all.
    """
    part, worth_of = columns

    def in_units(rows: pd.DataFrame) -> pd.DataFrame:
        named = zip(rows[key], rows[part], strict=True)
        return rows.assign(unit=[COSTS.get(of, (units or {}).get(name, unit)) for name, of in named])

    def ratios(sets: pd.DataFrame, name: str, made: Mapping[str, Estimate]) -> pd.DataFrame:
        rows = sets.rename_axis(key).reset_index()
        rows["flag"] = np.where(rows.pop("kind") == "between", "", "unsure")
        return rows.assign(**{part: name}, n=rows[key].map(people(made)))

    def asked(study: Study, which: int) -> dict[str, Estimate]:
        made = study.result(measured)[0]
        return {name: one for name, one in made.items() if compared is None or name in compared[which]}

    @topic.table("levers", key, part, unit, adds=None)
    def levers(study: Study, subject: object) -> pd.DataFrame:
        """Units without and with each measure, what it costs today, and of one more, without a number if unbounded."""
        made, members = study.result(measured)
        parts = [long_format(made, key, part), long_format(members, key, "").assign(**{part: "member_dh"})]
        if years is not None:
            later = {name: {"present_dh": years(one)} for name, one in made.items()}
            parts.append(long_format(later, key, part, ""))
        return in_units(pd.concat([*parts, ratios(cost_of_one_more(made), "one_more", made)]))

    @topic.table("acceptability", worth_of, key, "share", adds=None, statistic="model")
    def accepted(study: Study, subject: object) -> pd.DataFrame:
        """Probability that a measure costs less than its additional units are worth, by what one is worth."""
        made = asked(study, 0)
        return pd.concat(
            point(chance, people(made)[name], **{worth_of: str(at), key: name})
            for name, one in made.items()
            for at, chance in acceptability(one, worth).items()
        )

    @topic.table("frontier", key, part, unit, adds=None)
    def on_frontier(study: Study, subject: object) -> pd.DataFrame:
        """Measures that no mix of others beats: the cost of each next unit, and what the next million buys.

        At most what the measure adds in all: some cost less than a million.
        """
        made = asked(study, 1)
        steps = cost_of_one_more(frontier(made))
        shown = long_format({name: made[name] for name in steps.index}, key, part)
        # of a positive cost of one more, the number that a million buys is the reciprocal, its ends in turn
        bought = 1e6 / steps[list(NUMBERS)].where(steps["low"] > 0).rename(columns={"low": "high", "high": "low"})
        bought = bought.clip(upper=shown[shown[part] == "additional"].set_index(key)[list(NUMBERS)])
        bought["kind"] = steps["kind"].where(steps["low"] > 0, "all numbers")
        parts = [shown[shown[part].isin(STEP)], ratios(steps, "next_one", made), ratios(bought, "next_million", made)]
        return in_units(pd.concat(parts))


def people(made: Mapping[str, Estimate]) -> dict[str, float]:
    """Respondents behind each measure."""
    return {name: float(one.counts["n"].max()) for name, one in made.items()}
