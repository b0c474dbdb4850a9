"""Trips between towns (page 08): what a discount on trains costs, over what is assumed of it."""

from __future__ import annotations

from itertools import product

import pandas as pd

from ..demand import intercity
from ..estimation import Estimate
from ..study import Study
from .declare import Topic, fitted, long_format

DISCOUNTS = (10, 30, 35, 40, 50)  # per cent


def travellers(study: Study) -> Study | None:
    """The study; None where a question that the sums need was not asked."""
    return None if study.lacking(intercity.NEEDED) else study


def today(study: Study) -> Estimate:
    """Trips by rail in a year, and what they cost."""
    return intercity.rail(study.design, study.result(intercity.travellers))


def known(study: Study) -> tuple[pd.Series, pd.Series]:
    """Of whom trips by rail are known, of all."""
    trips = study.result(intercity.travellers)["rail_trips"]
    return trips.notna(), pd.Series(True, trips.index)


topic = Topic("transport_rail", travellers, fitted(lambda study: study.result(today)), "rail_trips", known)


@topic.table("cost", "rail_discount", "rail_elasticity", "million_dh")
def agreement(study: Study, subject: Study) -> pd.DataFrame:
    """What an agreement costs in a year, by discount and elasticity."""
    made = {}
    for discount, end in product(DISCOUNTS, intercity.ENDS):
        effect = intercity.agreement(study.result(today), discount / 100, intercity.parameter("elasticity", end))
        made[discount, end] = long_format(effect, "kind").query("kind == 'cost_dh'").drop(columns="kind")
    keys = ["rail_discount", "rail_elasticity"]
    return pd.concat(made, names=keys).reset_index(keys).astype({"rail_discount": str})
