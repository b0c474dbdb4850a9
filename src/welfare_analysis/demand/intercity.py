r"""Trips between towns: how many a year, and what a discount on trains would change and cost.

With T trips by rail at an elasticity :math:`\epsilon` to what a trip costs, a discount d makes :math:`T (1 -
d)^\epsilon` of them; whoever signs for it pays :math:`d S (1 - d)^\epsilon` of the spending S of today.

The elasticity is not known, and is an assumption with a range (``data/public/intercity.csv``). What those who travel
pay for a trip cannot tell it: who goes far pays more and goes less often.
"""

from __future__ import annotations

from functools import partial

import pandas as pd

from ..errors import WelfareError
from ..estimation import Design, Estimate, total
from ..study import Study
from . import stated
from .assumptions import assumption

NEEDED = ("status", "intercity_trips_n", "intercity_cost_dh", "intercity_mode", "command_group")
RAIL = "train"
ENDS = ("low", "value", "high")
parameter = partial(assumption, "intercity")  # numbers of ``data/public/intercity.csv``


def columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Trips by rail and what they cost (DH), a year; missing where they are not known."""
    trips, cost = (frame[name].astype(float) for name in ("intercity_trips_n", "intercity_cost_dh"))
    by_rail = frame["intercity_mode"].astype(object).eq(RAIL) & (trips > 0)
    known = trips.eq(0) | (frame["intercity_mode"].notna() & cost.notna())
    rail = trips.where(by_rail, 0.0).where(trips.notna() & known)
    return pd.DataFrame({"rail_trips": rail, "rail_dh": (rail * cost).where(by_rail, 0.0).where(rail.notna())})


def rail(design: Design, frame: pd.DataFrame) -> Estimate:
    """All trips by rail in a year, ``rail_trips``, and what they cost, ``rail_dh``."""
    return total(design, frame[["rail_trips", "rail_dh"]], missing="mean")


def agreement(today: Estimate, discount: float, elasticity: float) -> Estimate:
    """What a discount does in a year: ``trips`` by rail with it, ``more`` of them, ``cost_dh``, ``saved_dh``.

    Parameters
    ----------
    today : Estimate
        `rail`.
    discount : float
        Share off the fare.
    elasticity : float
        Per cent of trips a per cent of cost.

    Returns
    -------
    Estimate
        ``cost_dh`` is the discount on all trips made with it, ``saved_dh`` that on the trips of today alone.

    Raises
    ------
    WelfareError
        A discount that is not between 0 and 1; an elasticity above zero.
    """
    if not 0 <= discount < 1:
        raise WelfareError("not a discount", where="agreement", got=discount, expected="a share from 0 to below 1")
    if elasticity > 0:
        raise WelfareError(
            "trips would rise with their cost", where="elasticity", got=elasticity, expected="0 or below"
        )
    grown = (1 - discount) ** elasticity
    rows = {"trips": [grown, 0], "more": [grown - 1, 0], "cost_dh": [0, discount * grown], "saved_dh": [0, discount]}
    return stated.sums(today, list(rows), list(rows.values()))


def travellers(study: Study) -> pd.DataFrame:
    """`columns` of a study, rows named as those of its design.

    Raises
    ------
    WelfareError
        A question that was not asked.
    """
    return columns(stated.asked(study, NEEDED, "trips between towns")[0])
