r"""Models of the modes that people use, and of what they choose on cards.

Revealed choices at what people say of their own mode and what a table says of the others would measure how people
round, so `revealed` refuses attributes that are not the table's. What is chosen and what is said have the same tastes
and a scale each (Ben-Akiva and Morikawa 1990); constants belong to one source each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..estimation import Design, Estimate
from ..estimation.choice import ChoiceFit, logit, nested_logit, pooled_logit
from ..estimation.choice.population import modelled, target
from .levels import CELL, MODES

OFFERS = ("shuttle", "season_ticket", "car_pool")
TASTES = ("cost_100", "time_10min", "walk_10min", "headway_10min")
SHIFTS = ("car", "nights", "far_10km")
NESTS = {"public": ("bus", "tram", "grand_taxi", "staff_transport")}
ATTRIBUTES = {"cost_100": "cost_dh", "time_10min": "time_min", "walk_10min": "walk_min", "headway_10min": "headway_min",
              "foot_10min": "foot_min"}  # fmt: skip
REVEALED = (
    "chosen ~ C(kind) + cost_100 + time_10min + headway_10min + foot_10min"  # walks to a mode differ by mode alone
)


def scaled(long: pd.DataFrame) -> pd.DataFrame:
    """Attributes in the units of the model: hundreds of DH a month, tens of minutes."""
    return long.assign(**{name: long[a] / (100 if name == "cost_100" else 10) for name, a in ATTRIBUTES.items()})


def coded(long: pd.DataFrame) -> pd.DataFrame:
    """The frame with ``kind``, the mode; walking, the present way and all offers are the base.

    The constant of an offer is a column with its name, what shifts it are columns ``<offer>_<shift>``.
    """
    names = pd.Categorical(long["alternative"])
    there = [a for a in (*MODES, "current", *OFFERS) if a in set(names.categories[np.unique(names.codes)])]
    names = names.set_categories(there)
    offered = {offer: (names.codes == there.index(offer)).astype(float) for offer in OFFERS if offer in there}
    shifted = {
        f"{offer}_{shift}": long[shift].to_numpy(float) * on
        for offer, on in offered.items()
        for shift in SHIFTS
        if shift in long
    }
    kinds = ["base", *(m for m in MODES[1:] if m in there)]
    of = np.array([kinds.index(a) if a in kinds else 0 for a in there])
    return long.assign(alternative=names, kind=pd.Categorical.from_codes(of[names.codes], kinds), **offered, **shifted)


def revealed(
    design: Design | None, long: pd.DataFrame, nests: Mapping[str, Sequence[str]] | None = None, model: str = REVEALED
) -> ChoiceFit:
    """The logit (or nested logit) of modes that were chosen, at the table's times and costs.

    Raises
    ------
    WelfareError
        Attributes of the chosen mode that are not those the others have of the same cell and mode: self-reported.
    """
    same_for_all(long)
    if nests is None:
        return logit(design, long, model, "case", "alternative", "row")
    return nested_logit(design, long, model, "case", "alternative", nests, "row")


def pooled(design: Design | None, long: pd.DataFrame) -> ChoiceFit:
    """Both sources with one set of tastes and a scale of the stated.

    Raises
    ------
    WelfareError
        As `revealed`.
    """
    same_for_all(long[long["source"] == "revealed"])
    moved = [*OFFERS, *(f"{offer}_{shift}" for offer in OFFERS for shift in SHIFTS)]
    model = f"{REVEALED} + walk_10min + {' + '.join(m for m in moved if m in long and long[m].any())}"
    return pooled_logit(design, long, model, "case", "alternative", "source", "revealed", person="row")


def same_for_all(long: pd.DataFrame) -> None:
    """Refuse attributes that differ between those who chose a mode and those who did not, in one cell.

    Raises
    ------
    WelfareError
        Where they do: each person's own answer would stand for the mode that he uses, the table for the others.
    """
    there = [c for c in CELL if c in long]
    if not there:
        return
    keys = [long[c].astype(object) for c in there] + [long["alternative"].astype(object), long["days"]]
    for name in ATTRIBUTES:
        values = long[name].groupby(keys, sort=False)
        if (values.transform("max") - values.transform("min")).max() > 1e-6:
            raise WelfareError(
                "times and costs of the chosen mode are not the table's",
                where=name,
                got="values that differ inside a cell",
                expected="one value of a mode for all of a city, distance, shift and number of days",
                hint="Use Levels.of for all modes; compare reports with the table in a table of its own.",
            )


def revealed_side(fit: ChoiceFit, long: pd.DataFrame) -> ChoiceFit:
    """The pooled model as one of modes alone: its cases are those of the modes."""
    blank = dict.fromkeys((n for n in fit.value.index if n.startswith(OFFERS)), 0.0)
    cases = target(modelled(fit), fit.cases.design, coded(long).assign(**blank), {}, "row", None).cases
    chosen = np.flatnonzero(long["chosen"].to_numpy()[cases.order] == 1)
    names = cases.alternatives[: len(MODES)].rename("alternative")
    return replace(fit, cases=replace(cases, alternatives=names, chosen=chosen))


def part(estimate: Estimate, names: list) -> Estimate:
    """Some of the values of an estimate."""
    rows = np.eye(len(estimate.value))[estimate.value.index.get_indexer(names)]
    return estimate.apply(lambda v: v[names], rows)
