"""Errors of the numbers that decide: demand for homes in generated populations, whose true demand is known.

What people would choose of an offer follows from their true utilities; what they may get and can carry from their true
answers. The estimate comes from what they said on the form: in the rich and the strategic version not quite that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from welfare_analysis.demand import housing
from welfare_analysis.demand.funnel import funnel
from welfare_analysis.demand.housing import BLOCK, HomeMarket
from welfare_analysis.demand.housing import BOUGHT as KINDS
from welfare_analysis.estimation import Estimate, joint
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate
from welfare_analysis.survey.standin.cards import utilities

BOOK = Codebook.read(DATA / "codebook")
PARAMETERS = Parameters.read(DATA / "public")
FIRST_SEED, SIZE = 30_000, 40_000  # persons of a population


def true_choices(market: HomeMarket, version: str) -> pd.DataFrame:
    """Chances (n x alternatives) of what people would take of what they may get and can pay, from true utilities."""
    kinds = market.codebook.codes(f"{BLOCK}_alternative")
    offers = market.offers.assign(instalment_dh=market.instalments).reindex(kinds)
    u = utilities(BLOCK, market.frame, offers, PARAMETERS, version)
    open_to = (market.eligible & market.affordable).reindex(columns=kinds[1:]).fillna(False).to_numpy(bool)
    u[:, 1:][~open_to] = -np.inf
    e = np.exp(u - u.max(axis=1, keepdims=True))
    return pd.DataFrame(e / e.sum(axis=1, keepdims=True), market.frame.index, kinds)


def true_numbers(market: HomeMarket, version: str) -> pd.Series:
    """People left at each step, and homes that those who want one within five years would take, by kind."""
    steps = market.steps
    left = steps[["wants", "eligible", "affordable"]].fillna(False).astype(bool).cumprod(axis=1)
    found = {"in_need": float(steps["in_need"].fillna(False)[market.adult].sum())} | left.sum().astype(float).to_dict()
    soon = market.wishers & market.soon.fillna(False).astype(bool)
    taken = true_choices(market, version)[soon].sum()
    return pd.Series(found | taken[list(KINDS)].to_dict() | {"bought": taken[list(KINDS)].sum()})


def numbers(market: HomeMarket) -> Estimate:
    """The same numbers as the page estimates them, before the bridge from stated to likely, which no truth is of."""
    need = funnel(market.design, market.steps[["in_need"]], where=market.adult)
    left = funnel(market.design, market.steps[["wants", "eligible", "affordable"]], where=market.adult)
    stated = market.likely(bridge=False)
    every = joint({"need": need, "left": left, "stated": stated})
    kinds = [("stated", "homes", kind) for kind in KINDS]
    where = [every.value.index.get_loc(k) for k in kinds]
    weights = np.eye(len(every.value))[[0, 1, 2, 3, *where]]
    weights = np.vstack([weights, weights[4:].sum(axis=0)])
    names = ["in_need", "wants", "eligible", "affordable", *KINDS, "bought"]
    return every.apply(lambda v: pd.Series(weights @ v.to_numpy(), index=names), weights)


def studies(version: str, seed: int, size: int | None, **settings: Any) -> tuple[Study, Study]:
    """A survey of a generated population, and the true answers of everybody in it."""
    world = generate(PARAMETERS, seed, version, size, **settings)
    truth, *files = (typed(f, BOOK) for f in (world.truth, world.answers, world.register, world.followup))
    return Study.of(*files, BOOK), Study.of(truth.assign(home_certainty=np.nan), None, None, BOOK)


def against(found: Estimate, truth: pd.Series) -> pd.DataFrame:
    """A row a number: truth, estimate, se and whether the interval holds the truth."""
    bounds = found.interval()
    table = pd.DataFrame({"estimate": found.value, "se": found.se, "truth": truth.reindex(found.value.index)})
    held = bounds["low"].le(table["truth"]) & table["truth"].le(bounds["high"])
    return table.assign(held=held).rename_axis("number").reset_index()


def one_sample(version: str, seed: int, size: int = SIZE) -> pd.DataFrame:
    """What `against` says of the numbers of one population."""
    study, everybody = studies(version, seed, size)
    known = true_numbers(housing.market(everybody), version)
    return against(numbers(housing.market(study)), known).assign(version=version, seed=seed)
