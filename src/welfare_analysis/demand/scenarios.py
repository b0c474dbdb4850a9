r"""What changes the demand for homes: terms, prices and places, and how demand answers to a price.

The arc elasticity between two prices is :math:`\ln(D_1 / D_0) / \ln(p_1 / p_0)` of the two forecasts, whose errors come
from the same people and coefficients, so that most of them cancel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ..estimation import Estimate, joint
from ..study import public
from .credit import Terms
from .housing import BOUGHT, HomeMarket

SHORTER_MONTHS, CAP_DH = 240, 200_000.0
RATES = {"bank_rate": "housing_bank", "talks_rate": "housing_talks", "grant": "housing_grant"}
PARTICIPATORY = "housing_participatory"


def offer(kind: str, attribute: str, column: str = "value") -> float:
    """A number of ``data/public/home_offers.csv``: value, low or high of an attribute of what is offered."""
    rows = public("home_offers").set_index(["alternative", "attribute"])
    return float(rows.loc[(kind, attribute), column])


def scenarios(market: HomeMarket) -> dict[str, HomeMarket]:
    """One change each: rate, term, grant, price cap of the social flat, homes near to work; ``base`` is as offered.

    ``participatory`` has everybody on those terms.
    """
    near = {kind: {"work_km": offer(kind, "work_km", "low")} for kind in BOUGHT}
    return {
        "base": market,
        **{name: market.at(Terms.named(terms)) for name, terms in RATES.items()},
        "shorter_term": market.at(replace(market.terms, months=SHORTER_MONTHS)),
        "price_cap": market.at(offers={"social_flat": {"price_dh": CAP_DH}}),
        "nearer": market.at(offers=near),
        "participatory": market.at(Terms.named(PARTICIPATORY)),
    }


def forecasts(markets: Mapping[str, HomeMarket], by: Any = None, where: Any = None) -> dict[str, Estimate]:
    """Demand in each of `scenarios`; ``participatory`` of a share of the people, the others on the terms offered."""
    found = {name: market.demand(by=by, where=where) for name, market in markets.items()}
    share, other = participatory_share(), found.pop("participatory")
    k, index = len(other.value), other.value.index

    def mixed(values: pd.Series) -> pd.Series:
        x = values.to_numpy()
        return pd.Series((1 - share) * x[:k] + share * x[k:], index=index)

    slopes = sparse.hstack([(1 - share) * sparse.eye_array(k), share * sparse.eye_array(k)])
    return found | {"participatory": joint({"base": found["base"], "other": other}).apply(mixed, slopes)}


def participatory_share() -> float:
    """Share of the people on participatory terms: ``mix`` of ``data/public/credit.csv``."""
    return float(public("credit").set_index(["terms", "parameter"]).loc[("mix", "participatory_share"), "value"])


def bought(forecast: Estimate) -> Estimate:
    """Homes bought of all kinds, by domain where there are any."""
    kinds = forecast.value.index.get_level_values(0).isin(BOUGHT)
    groups = (
        forecast.value.index.droplevel(0) if forecast.value.index.nlevels > 1 else pd.Index(["bought"] * len(kinds))
    )
    labels = groups.unique()
    sums = (labels.get_indexer(groups) == np.arange(len(labels))[:, None]) & kinds
    return forecast.apply(lambda v: pd.Series(sums @ v.to_numpy(), index=labels), sums)


def at_prices(market: HomeMarket, kind: str, prices: Sequence[float]) -> dict[float, Estimate]:
    """Demand with a kind of home at each price."""
    return {price: market.at(offers={kind: {"price_dh": float(price)}}).demand() for price in prices}


def elasticities(curve: Mapping[float, Estimate], kind: str) -> dict[tuple[float, float], Estimate]:
    """Arc elasticity of the demand for a kind between prices that follow each other."""
    found = {}
    for low, high in pairwise(sorted(curve)):
        pair, gap = joint({"low": curve[low], "high": curve[high]}), np.log(high / low)
        at = pair.value.index.get_indexer([("low", kind), ("high", kind)])
        found[low, high] = pair.apply(partial(_slope, at=at, gap=float(gap)))
    return found


def _slope(values: pd.Series, at: np.ndarray, gap: float) -> float:
    low, high = values.to_numpy()[at]
    return float(np.log(high / low) / gap)
