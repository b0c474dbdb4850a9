"""Trips between towns as tables that may be shown: what a discount on trains costs, over what is assumed of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import product

import pandas as pd

from ..demand import intercity
from ..errors import WelfareError
from ..estimation import Estimate
from ..estimation.regression import Regression
from ..study import DATA, Study
from .modelled import released, rows
from .plan import NUMBERS, Released
from .suppression import Policy

DISCOUNTS = (10, 30, 35, 40, 50)  # per cent
UNITS = {"rail": "million_dh", "rail_trips": "rail_trips", "rail_elasticity": "elasticity"}


@cache
def rail_tables(study: Study) -> Mapping[str, Released]:
    """The tables of a rail agreement, ``transport_<name>``; or the state ``not_asked``, ``no_totals``, ``too_few``."""
    names = [f"transport_{name}" for name in UNITS]
    blank = {name: Released(name, "total", "intercity_mode", ("intercity_mode",), "persons") for name in names}
    if study.population is None:
        return {name: replace(table, state="no_totals") for name, table in blank.items()}
    frame = travellers_of(study)
    if frame is None:
        return blank
    try:
        trips_models(study)
        today = intercity.rail(study.design, frame)
    except WelfareError:  # small samples
        return {name: replace(table, state="too_few") for name, table in blank.items()}
    rules, told = Policy.read(DATA / "policy.csv"), (int(frame["rail_trips"].notna().sum()), len(frame))
    made = {
        "rail": (_agreements(today, "cost_dh"), "rail_discount", "rail_elasticity"),
        "rail_trips": (_agreements(today, "more"), "rail_discount", "rail_elasticity"),
        "rail_elasticity": (_elasticities(study), "rail_elasticity", ""),
    }
    return {
        f"transport_{key}": released(
            f"transport_{key}", pd.concat(parts, ignore_index=True), (first, across), rules, told, UNITS[key]
        )
        for key, (parts, first, across) in made.items()
    }


@cache
def travellers_of(study: Study) -> pd.DataFrame | None:
    """The columns of the models; None where a question that they need was not asked."""
    return None if study.lacking(intercity.NEEDED) else intercity.travellers(study)


@cache
def trips_models(study: Study) -> dict[str, Regression]:
    """Trips of all, and of those who travel with what a trip costs them."""
    frame, design = intercity.travellers(study), study.design.superpopulation()
    return {"trips": intercity.trips(design, frame), "priced": intercity.trips(design, frame, priced=True)}


def _agreements(today: Estimate, name: str) -> Iterator[pd.DataFrame]:
    for discount, end in product(DISCOUNTS, intercity.ENDS):
        found = intercity.agreement(today, discount / 100, intercity.parameter("elasticity", end))
        table = rows(found, "kind", rail_discount=str(discount), rail_elasticity=end)
        yield table[table["kind"] == name].drop(columns="kind")


def _elasticities(study: Study) -> Iterator[pd.DataFrame]:
    """The assumption with its range, and the slope of the cross-section."""
    fit = trips_models(study)["priced"]
    slope = fit.apply(lambda v: pd.Series({"model": v["log_cost"]}))
    yield rows(slope, "rail_elasticity")
    for end in intercity.ENDS:
        number = dict.fromkeys(NUMBERS, intercity.parameter("elasticity", end))
        yield pd.DataFrame([{"rail_elasticity": end, **number, "n": float(fit.n_rows)}])
