"""Trips between towns (page 08): what a discount on trains costs, over what is assumed of it."""

from __future__ import annotations

from itertools import product

import pandas as pd

from ..demand import intercity
from ..errors import WelfareError
from ..estimation import Estimate
from ..estimation.regression import Regression
from ..study import Study
from .declare import Topic, long_format, point

DISCOUNTS = (10, 30, 35, 40, 50)  # per cent
TABLES = {"cost": ("cost_dh", "million_dh"), "trips": ("more", "rail_trips")}
NOT_SHOWN = ("C(command", "C(status)[T.active")


def travellers(study: Study) -> Study | None:
    """The study; None where a question that the models need was not asked."""
    return None if study.lacking(intercity.NEEDED) else study


def frame_of(study: Study) -> pd.DataFrame:
    """The columns of the models."""
    return intercity.travellers(study)


def trips_models(study: Study) -> dict[str, Regression]:
    """Trips of all, and of those who travel with what a trip costs them."""
    frame, design = study.result(frame_of), study.design.superpopulation()
    return {"trips": intercity.trips(design, frame), "priced": intercity.trips(design, frame, priced=True)}


def today(study: Study) -> Estimate:
    """Trips by rail in a year, and what they cost."""
    return intercity.rail(study.design, study.result(frame_of))


def ready(study: Study) -> str:
    """Whether the models of trips can be had."""
    try:
        study.result(trips_models)
        study.result(today)
    except WelfareError:  # small samples
        return "too_few"
    return "shown"


def known(study: Study) -> tuple[pd.Series, pd.Series]:
    """Of whom trips by rail are known, of all."""
    trips = study.result(frame_of)["rail_trips"]
    return trips.notna(), pd.Series(True, trips.index)


topic = Topic("transport_rail", travellers, ready, "rail_trips", known)

for _name, (_quantity, _unit) in TABLES.items():

    @topic.table(_name, "rail_discount", "rail_elasticity", _unit)
    def agreement(study: Study, subject: Study, quantity: str = _quantity) -> pd.DataFrame:
        """What an agreement costs in a year, or how many trips by rail it adds, by discount and elasticity."""
        made = {}
        for discount, end in product(DISCOUNTS, intercity.ENDS):
            elasticity = intercity.parameter("elasticity", end)
            effect = intercity.agreement(study.result(today), discount / 100, elasticity)
            rows = long_format(effect, "kind")
            made[discount, end] = rows[rows["kind"] == quantity].drop(columns="kind")
        keys = ["rail_discount", "rail_elasticity"]
        return pd.concat(made, names=keys).reset_index(keys).astype({"rail_discount": str})


@topic.table("elasticity", "rail_elasticity", unit="elasticity")
def elasticity(study: Study, subject: Study) -> pd.DataFrame:
    """The assumption with its range, and the slope of the cross-section."""
    fit = study.result(trips_models)["priced"]
    slope = fit.apply(lambda v: pd.Series({"model": v["log_cost"]}))
    ends = [point(intercity.parameter("elasticity", e), fit.n_rows, rail_elasticity=e) for e in intercity.ENDS]
    return pd.concat([long_format(slope, "rail_elasticity"), *ends])


@topic.table("model", "term", "measure", "decimal", statistic="model")
def model(study: Study, subject: Study) -> pd.DataFrame:
    """What moves the number of trips, of all and of those who travel."""
    rows = long_format(study.result(trips_models), "measure", "term")
    return rows[~rows["term"].str.startswith(NOT_SHOWN)]
