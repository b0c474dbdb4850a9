r"""Where a home is wanted: a choice among groups of commands.

Of those who want a home, the utility of place j to somebody who serves in i is

.. math:: U_{ij} = \alpha_j + \kappa_i 1[j = i] + \lambda_i \ln(1 + d_{ij}/100) + \beta p_j,

with a constant for each place, the pull of the own place and the pain of distance d (km as the crow flies) by status
and family, and the price of a social flat :math:`p_j` there (an assumption: the price times the local index). Prices
vary between places only, as the constants do, so :math:`\beta` is not identified here: it is that of the cards, an
offset.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..estimation import Design
from ..estimation.choice import ChoiceFit, logit
from ..study import public
from .stated import UNITS

EARTH_KM = 6371.0
FORMULA = "chosen ~ C(place) + own + own:active + own:children + distance + distance:active + distance:children"


def distances() -> pd.DataFrame:
    """Kilometres as the crow flies between commands, from ``data/public/places.csv``."""
    at = public("places").set_index("command")
    lat, lon = (np.radians(at[c].to_numpy(float)) for c in ("lat", "lon"))
    half = (
        np.sin((lat[:, None] - lat) / 2) ** 2
        + np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    )
    km = 2 * EARTH_KM * np.arcsin(np.sqrt(half))
    return pd.DataFrame(km, index=at.index, columns=at.index)


def choices(frame: pd.DataFrame, price: float, beta: float) -> pd.DataFrame:
    """Those who want a home and say where, before each group of commands: the long frame of the model.

    Parameters
    ----------
    frame : DataFrame (n rows)
        ``command``, ``command_group``, ``home_city_group``, ``status``, ``children_n``.
    price : float
        Of a social flat, DH, where the index of ``data/public/territory.csv`` is one.
    beta : float
        Coefficient of the price on the cards, by 100,000 DH.
    """
    territory = public("territory").set_index("command")
    share = territory["share_of_staff"].astype(float)
    centres = share.groupby(territory["command_group"]).idxmax()
    dear = (territory["dear"] * share).groupby(territory["command_group"]).sum() / share.groupby(
        territory["command_group"]
    ).sum()
    told = frame[["command", "home_city_group", "status", "children_n"]].notna().all(axis=1)
    people = frame[told & (frame["wants_home"] == "yes")]
    places = [p for p in centres.index if (people["home_city_group"] == p).any()]
    n, j = len(people), len(places)
    km = distances().loc[people["command"].astype(str), centres[places]].to_numpy()
    own = people["command_group"].astype(str).to_numpy()[:, None] == np.array(places)
    wanted = people["home_city_group"].astype(str).to_numpy()[:, None] == np.array(places)
    step = price / UNITS["price_dh"][1]
    return pd.DataFrame(
        {
            "case": np.repeat(np.arange(n), j),
            "row": np.repeat(people.index.to_numpy(), j),
            "place": np.tile(places, n),
            "chosen": wanted.ravel(),
            "own": own.ravel().astype(float),
            "distance": np.log1p(np.where(own, 0.0, km) / 100).ravel(),
            "active": np.repeat((people["status"] == "active").to_numpy(float), j),
            "children": np.repeat((people["children_n"] > 0).to_numpy(float), j),
            "known": np.tile(beta * step * (dear[places].to_numpy() - 1), n),
        }
    )


def fitted(design: Design, long: pd.DataFrame) -> ChoiceFit:
    """The choice of a place."""
    return logit(design, long, FORMULA, case="case", alternative="place", person="row", offset="known")
