r"""Ways to work on cards as a choice model, and how the ways of today would shift.

Cards put the present way beside a shuttle, a season ticket and a car-pool. Real choices of modes are not pooled with
them: who uses what reflects where people live and what runs there, of which the form knows little, and a test of equal
tastes rejects it. So today's shares are taken as they are and only their change is modelled (pivoting: Koppelman 1983,
Transportation Research B 17, 371-384): in a segment g with shares :math:`P_{gm}`,

.. math:: P'_{gm} = \frac{P_{gm} e^{s \beta_c \Delta c_{gm}}}{\sum_k P_{gk} e^{s \beta_c \Delta c_{gk}}},

with the cost of the cards, :math:`\beta_c`, and s the noise of cards over that of real choices.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..estimation import Design
from ..estimation.choice import ChoiceFit
from . import stated

OFFERS = ("shuttle", "season_ticket", "car_pool")
TASTES = ("cost_100", "time_10min", "walk_10min", "headway_10min")
SHIFTS = ("car", "nights", "far_10km")


def coded(long: pd.DataFrame, shifts: Sequence[str] = SHIFTS) -> pd.DataFrame:
    """Cards with the constant of each offer as a column of its name, what shifts it as columns ``<offer>_<shift>``."""
    on = {offer: long["alternative"].eq(offer).astype(float) for offer in OFFERS}
    moved = {f"{offer}_{shift}": long[shift] * there for offer, there in on.items() for shift in shifts}
    return long.assign(**on, **moved)


def cards(design: Design, long: pd.DataFrame) -> ChoiceFit:
    """The logit of cards; the present way is the base, shifts are those that the number of persons can tell."""
    shifts = SHIFTS[: long["row"].nunique() // stated.LEAST_BY_SHIFT]
    shifts = tuple(shift for shift in shifts if long[shift].nunique() > 1)
    terms = [*OFFERS, *(f"{offer}_{shift}" for offer in OFFERS for shift in shifts), *TASTES]
    return stated.fitted(design, coded(long, shifts), f"chosen ~ 0 + {' + '.join(terms)}")


def pivoted(shares: pd.Series, change: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    r"""What one more person of a segment and mode adds to sums over everybody after a change of utilities.

    With shares q (cells,), weights :math:`u_c = q_c e^{\Delta_c}` and amounts a (cells x k) of a person who goes that
    way, the sum :math:`A = \sum_g Q_g \bar a_g`, :math:`\bar a_g = \sum_c u_c a_c / \sum_c u_c`, is linear
    homogeneous in the shares: :math:`\sum_c q_c \partial A / \partial q_c = A`. So the mean over persons of the
    derivatives (cells x k), which are returned, is A, and they are its influences.
    """
    segment = shares.index.get_level_values(0)
    u = pd.Series(shares.to_numpy() * np.exp(change), shares.index)
    ratio = (shares.groupby(segment).sum() / u.groupby(segment).sum()).loc[segment].to_numpy()
    means = pd.DataFrame(amounts * u.to_numpy()[:, None]).groupby(segment).sum()
    means = means.div(u.groupby(segment).sum(), axis=0).loc[segment].to_numpy()
    found: np.ndarray = means + (ratio * np.exp(change))[:, None] * (amounts - means)
    return found
