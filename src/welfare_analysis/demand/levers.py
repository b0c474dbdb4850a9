r"""What a measure brings that would not have come without it, and what that costs.

With U the units (homes, loans, riders) and K the cost of the measure, both forecast before it (0) and with it (1),

.. math:: A = U_1 - U_0, \qquad c = K / A,

are the additional units and the cost of an additional one. Of K, what goes to units that would have come anyway is a
transfer: :math:`K U_0 / U_1` where each unit costs the same. All forecasts come from the same people and coefficients,
so that most of their errors cancel in A. The ratio c has no mean where A may be nil: its set is Fieller's (1954), which
may be unbounded, and beside it stands the acceptability curve (van Hout and others 1994, Health Economics 3, 309-319),
:math:`P(\lambda A > K)`, for what a further unit is worth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import special

from ..estimation import Estimate, joint
from ..estimation.choice.willingness import fieller
from .stated import sums

Levers = tuple[dict[str, Estimate], dict[str, Estimate]]  # what each measure brings and costs; what members pay
PARTS = ("before", "after", "additional", "cost_dh", "transfer_dh")
STEP = ("additional", "cost_dh")


def lever(before: Estimate, after: Estimate, cost: Estimate, transfer: Estimate) -> Estimate:
    """Units before and with a measure, additional ones, its cost, and what of it goes to those who would come anyway.

    Parameters
    ----------
    before, after : Estimate of one value
        Units without and with the measure.
    cost, transfer : Estimate of one value
        DH of today, given to all who take it, and to those who would have come without it.

    Returns
    -------
    Estimate
        By `PARTS`.
    """
    every = joint({"before": before, "after": after, "cost": cost, "transfer": transfer})
    return sums(every, PARTS, [[1, 0, 0, 0], [0, 1, 0, 0], [-1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


def cost_of_one_more(levers: Mapping[str, Estimate], level: float = 0.95) -> pd.DataFrame:
    """DH an additional unit, a row a lever: ``estimate``, Fieller's ``low`` and ``high``, and the ``kind`` of the set.

    ``kind`` is ``between``; else the measure may bring nothing, and the set is unbounded as `fieller` names it.
    """
    rows = []
    for name, estimate in levers.items():
        pair = estimate.value[["cost_dh", "additional"]]
        t = special.stdtrit(estimate.df[["cost_dh", "additional"]].min(), (1 + level) / 2)
        low, high, kind = fieller(pair.to_numpy(), estimate.covariance().loc[pair.index, pair.index].to_numpy(), t)
        ratio = pair["cost_dh"] / pair["additional"] if pair["additional"] else np.inf
        rows.append((name, ratio, low, high, kind))
    return pd.DataFrame(rows, columns=["lever", "estimate", "low", "high", "kind"]).set_index("lever")


def acceptability(estimate: Estimate, worth_dh: Sequence[float]) -> pd.Series:
    """Probability that a measure costs less than its additional units are worth, by what one of them is worth (DH)."""
    pair = ["cost_dh", "additional"]
    value, covariance = estimate.value[pair].to_numpy(), estimate.covariance().loc[pair, pair].to_numpy()
    weights = np.column_stack([-np.ones(len(worth_dh)), np.asarray(worth_dh, dtype=float)])
    error = np.sqrt(np.einsum("ki,ij,kj->k", weights, covariance, weights))
    chances = special.stdtr(estimate.df[pair].min(), weights @ value / error)
    return pd.Series(chances, index=pd.Index(worth_dh, name="worth_dh"))


def frontier(levers: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """Levers that no mix of others beats, by units, and what each adds to the one before it: `STEP`.

    One lever at a time is chosen, larger ones in the place of smaller ones (extended dominance: Weinstein 1990, Medical
    Decision Making 10, 15-21).
    """
    table = pd.DataFrame({name: e.value[list(STEP)] for name, e in levers.items()}).T
    rest, at = table[table["additional"] > 0], pd.Series(0.0, STEP)
    steps: dict[str, Estimate] = {}
    before = None
    while len(rest := rest[rest["additional"] > at["additional"]]):
        price = (rest["cost_dh"] - at["cost_dh"]) / (rest["additional"] - at["additional"])
        name = str(price.index[np.lexsort((-rest["additional"], price))[0]])
        steps[name] = _less(levers[name], before)
        before, at = levers[name], rest.loc[name]
    return steps


def _less(lever: Estimate, other: Estimate | None) -> Estimate:
    """`STEP` of a lever, less that of another."""
    every = joint({"lever": lever} if other is None else {"lever": lever, "other": other})
    signs = np.where(every.value.index.get_level_values(0) == "lever", 1.0, -1.0)
    return sums(every, STEP, [signs * (every.value.index.get_level_values(1) == part) for part in STEP])
