"""What a choice model rests on, and whether it predicts persons that it has not seen: two tables of each topic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..disclosure import NUMBERS
from ..estimation import Estimate
from ..estimation.choice import ChoiceFit, hold_out, summary
from ..study import Study
from .declare import Base, Topic, sums

UNITS = {"rho": "decimal", "per_card": "decimal", "by_chance": "decimal", "beyond": "share"}
SEED = 2012  # of who is left out


def unseen(study: Study, fit: Callable[[Study], ChoiceFit]) -> Any:
    """The model fitted to four fifths of the persons, before the others."""
    return hold_out(study.result(fit), np.random.default_rng(SEED))


def declare(
    topic: Topic,
    fit: Callable[[Study], ChoiceFit],
    kinds: str,
    base: Callable[[Any], Base],
    further: Callable[[Any], Mapping[str, float]] | None = None,
) -> None:
    """Add the tables ``model`` and ``hold_out`` of a choice model; ``further`` adds numbers of the subject."""

    @topic.table("model", "model_of_cards", "", "number", base, statistic="model")
    def model(study: Study, subject: Any) -> pd.DataFrame:
        """Persons, cases, fit, and the likelihood of the choices of those left out."""
        known, left = summary(study.result(fit)), study.result(unseen, fit).likelihood.loc["left_out"]
        counts = {"persons": known["persons"], "cards": known["cases"], **(further(subject) if further else {})}
        values = {**counts, "rho": known["rho_squared_bar"], "left_out": left["persons"]}
        values |= {"per_card": left["log_likelihood"], "by_chance": left["equal_shares"]}
        units = {name: UNITS.get(name, "number") for name in values}
        rows = pd.DataFrame({"model_of_cards": list(values), "unit": list(units.values()), "n": known["persons"]})
        return rows.assign(**{x: np.array(list(values.values()), dtype=float) for x in NUMBERS})

    @topic.table("hold_out", kinds, "measure", "share", base)
    def held_out(study: Study, subject: Any) -> pd.DataFrame:
        """Shares of the alternatives, observed and predicted, of those left out."""
        made = study.result(unseen, fit)
        rows = made.shares.rename_axis(kinds).stack().rename_axis([kinds, "measure"]).rename("estimate").reset_index()
        return rows.assign(
            low=rows["estimate"], high=rows["estimate"], n=float(made.likelihood.loc["left_out", "persons"])
        )


def by_access(ladder: Estimate, kind: str) -> Estimate:
    """Who takes a kind, by eligible x affordable: ``takes_yes_no`` takes it, is eligible, cannot afford it.

    ``ladder`` is indexed by (alternative, eligible, affordable), the last two yes, no or something else: then the cell
    is ``takes_cannot_compute`` or ``not_cannot_compute``.
    """
    names = []
    for alternative, eligible, affordable in ladder.value.index:
        access = f"{eligible}_{affordable}" if {eligible, affordable} <= {"yes", "no"} else "cannot_compute"
        names.append(f"{'takes' if alternative == kind else 'not'}_{access}")
    order = list(dict.fromkeys(names))
    return sums(ladder, order, pd.get_dummies(pd.Series(names), dtype=float)[order].to_numpy().T)
