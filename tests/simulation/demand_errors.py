"""Errors of the numbers that decide: demand for homes in generated populations, whose true demand is known.

What people would choose of an offer follows from their true utilities; what they may get and can carry from their true
answers. The estimate comes from what they said on the form: in the rich and the strategic version not quite that.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from welfare_analysis.demand import housing
from welfare_analysis.demand.credit import Terms
from welfare_analysis.demand.housing import BLOCK, BOUGHT, HomeMarket
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate
from welfare_analysis.survey.standin.cards import utilities
from welfare_analysis.survey.standin.population import STATUSES

BOOK = Codebook.read(DATA / "codebook")
PARAMETERS = Parameters.read(DATA / "public")
TERMS = ("housing_bank", "housing_foundation")
VERSIONS = {"plain": 60, "rich": 30, "strategic": 30}
FIRST_SEED, SIZE = 30_000, int(sum(PARAMETERS[f"{status}_n"] for status in STATUSES))  # persons of a population


def true_demand(market: HomeMarket, version: str) -> pd.Series:
    """Adults who would take each alternative of what they may get and can carry, from their true utilities."""
    kinds = market.codebook.codes(f"{BLOCK}_alternative")
    offers = market.offers.assign(instalment_dh=market.instalments).reindex(kinds)
    u = utilities(BLOCK, market.frame, offers, PARAMETERS, version)
    open_to = (market.eligible & market.affordable).reindex(columns=kinds[1:]).fillna(False).to_numpy(bool)
    u[:, 1:][~open_to] = -np.inf
    e = np.exp(u - u.max(axis=1, keepdims=True))
    p = (e / e.sum(axis=1, keepdims=True))[market.adult.to_numpy()]
    return pd.Series(p.sum(axis=0), index=kinds)


def one_sample(version: str, seed: int, size: int = SIZE) -> pd.DataFrame:
    """A row a set of terms and alternative: truth, estimate, se and whether the interval holds the truth."""
    world = generate(PARAMETERS, seed, version, size)
    truth, answers, register, followup = (
        typed(f, BOOK) for f in (world.truth, world.answers, world.register, world.followup)
    )
    study = Study.of(answers, register, followup, BOOK)
    everybody = housing.market(Study.of(truth, None, None, BOOK))
    market, rows = housing.market(study), []
    for name in TERMS:
        terms = Terms.named(name)
        known = true_demand(everybody.at(terms), version)
        known["bought"] = known[list(BOUGHT)].sum()
        found = market.at(terms).demand()
        every = found.apply(lambda v: pd.concat([v, pd.Series({"bought": v[list(BOUGHT)].sum()})]))
        bounds = every.interval()
        table = pd.DataFrame({"estimate": every.value, "se": every.se, "truth": known.reindex(every.value.index)})
        held = bounds["low"].le(table["truth"]) & table["truth"].le(bounds["high"])
        rows.append(table.assign(held=held).rename_axis("number").reset_index().assign(terms=name))
    return pd.concat(rows, ignore_index=True).assign(version=version, seed=seed)
