r"""Tastes that differ from person to person: a mixed logit of the cards, on a probability subsample of persons.

The logit of `housing` lets tastes differ with what is known of a person. Here what one minds a price is lognormal
within each income group, a person's own on all her cards (Revelt and Train 1998). One more phase makes that
affordable: persons with cards are drawn independently with

.. math:: \pi_i = \min(1, c w_i), \qquad \sum_i \pi_i = m,

(Poisson sampling in proportion to the weight, Särndal, Swensson and Wretman 1992, section 3.5), so that the weights
:math:`w_i / \pi_i` hardly differ. The result is stored under a hash of all that goes into it, and shown of no other.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from ..estimation import Design, Estimate
from ..estimation.choice import ChoiceFit, Target, logit, mixed_logit, only, predicted_shares, prepared
from ..study import public
from . import stated
from .housing import OTHERS, PAID, SHIFTS, HomeMarket

PERSONS, SEED, DRAWS, STARTS, SCRAMBLES = 4200, 2012, 2048, 2, 2
LESS = "less_100k"  # the price with its sign turned: a lognormal coefficient is positive
CASE, ALTERNATIVE = "case", "alternative"
VIEWS = ("stated", "restricted")
NAME = "home_mixed.csv"


@dataclass(frozen=True, eq=False)
class Subsample:
    """Persons of a market with cards, drawn for a model that takes long.

    Attributes
    ----------
    market : HomeMarket
    persons : int
        How many are drawn on average; all, where fewer have cards.
    """

    market: HomeMarket
    persons: int = PERSONS

    @cached_property
    def design(self) -> Design:
        """Weights of those drawn, each a unit of the superpopulation."""
        w = pd.Series(self.market.design.weights, self.market.frame.index).loc[self.market.cards["row"].unique()]
        kept = np.random.default_rng(SEED).random(len(w)) < (chance := proportional(w.to_numpy(), self.persons))
        return Design(w[kept] / chance[kept])

    @cached_property
    def long(self) -> pd.DataFrame:
        """Their cards."""
        cards = self.market.cards
        part = cards[cards["row"].isin(self.design.index)].reset_index(drop=True)
        groups = part["income_group"].cat.remove_unused_categories()
        return part.assign(**{LESS: -part[PAID[0]], "income_group": groups})

    @cached_property
    def model(self) -> str:
        """The formula."""
        return stated.formula(self.long, (LESS, *PAID[1:]), OTHERS, SHIFTS)

    @cached_property
    def random(self) -> dict[str, str]:
        """Coefficients that differ between persons: the price, where the income is known."""
        names = map(str, self.logit.value.index)
        return {n: "lognormal" for n in names if n.startswith(LESS) and "unknown" not in n}

    @cached_property
    def logit(self) -> ChoiceFit:
        """The model with one taste for all who are alike."""
        return logit(self.design, self.long, self.model, CASE, ALTERNATIVE, "row")

    @cached_property
    def mixed(self) -> ChoiceFit:
        """The model with tastes of one's own; takes minutes."""
        return mixed_logit(
            self.design, self.long, self.model, CASE, ALTERNATIVE, self.random, "row",
            draws=DRAWS, starts=STARTS, seeds=SCRAMBLES, rng=SEED,
        )  # fmt: skip

    @cached_property
    def put(self) -> pd.DataFrame:
        """The offer of the market before those drawn; a case is named as the first of a person's cards."""
        first = self.long.drop_duplicates("row").set_index("row")[CASE]
        put = self.market.put[self.market.put["row"].isin(first.index)].reset_index(drop=True)
        return put.assign(**{LESS: -put[PAID[0]], CASE: first.loc[put["row"]].to_numpy()})

    def key(self) -> str:
        """A hash of what the result follows from: cards, weights, model, draws, offer and what is open to whom."""
        columns = sorted(set(self.long.columns) & set(self.put.columns) - {"row"})
        found = hashlib.sha256(repr((self.model, columns, DRAWS, STARTS, SCRAMBLES, SEED)).encode())
        found.update(self.design.weights.round(3).tobytes())
        for table in (self.long[[*columns, "chosen"]], self.put[columns].assign(open=self._open)):
            found.update(pd.util.hash_pandas_object(table.round(6), index=False).to_numpy().tobytes())
        return found.hexdigest()

    @cached_property
    def _open(self) -> np.ndarray:
        """Rows of `put` that the person may get and can carry."""
        return self.market.open_rows()[self.market.put["row"].isin(self.design.index).to_numpy()]

    def shares(self, fit: ChoiceFit, view: str) -> Estimate:
        """Shares of the alternatives of those drawn: of everything (``stated``), or of what is open to them."""
        to: Target = prepared(fit, self.design, self.put, "row")
        return predicted_shares(fit, self.design, only(fit, to, self._open) if view == "restricted" else to)

    def result(self) -> pd.DataFrame:
        """Log-likelihoods, coefficients and shares of both models, a long table.

        ``model`` logit or mixed; ``part`` fit, coefficient, stated or restricted; ``name``; estimate, se, low, high;
        ``valid`` False where an interval is not; persons; the `key`.
        """
        rows = []
        for name, fit in (("logit", self.logit), ("mixed", self.mixed)):
            rows.append(pd.DataFrame({"part": "fit", "name": ["log_likelihood"], "estimate": [fit.log_likelihood]}))
            table = pd.concat([fit.value.rename("estimate"), fit.se.rename("se"), fit.interval()], axis=1)
            rows.append(table.rename_axis("name").reset_index().assign(part="coefficient"))
            for view in VIEWS:
                table = self.shares(fit, view).table()
                rows.append(table.rename(columns={ALTERNATIVE: "name"}).assign(part=view))
            rows[-4:] = [part.assign(model=name) for part in rows[-4:]]
        columns = ["model", "part", "name", "estimate", "se", "low", "high", "valid"]
        whole = pd.concat(rows, ignore_index=True).reindex(columns=columns)
        whole["valid"] = whole["valid"].fillna(True).astype(bool)
        return whole.assign(persons=self.design.n, key=self.key())


def most_lent(market: HomeMarket) -> HomeMarket:
    """The market where all that is reported is lent, over the longest term, and a plot counts without a house.

    There most people have a choice, and tastes matter most; the stored result is of these terms.
    """
    ends = public("credit").set_index(["terms", "parameter"]).loc["housing"]
    terms = replace(market.terms, months=ends.at["months", "high"], down_payment=ends.at["down_payment", "low"])
    return market.at(terms, building_dh=0.0)


def proportional(weights: np.ndarray, size: float) -> np.ndarray:
    """Chances (n,) in proportion to positive weights that add up to ``size``, none above one; all one if n is less."""
    chance = np.ones(len(weights))
    if size >= len(weights):
        return chance
    sure = np.zeros(len(weights), dtype=bool)
    while True:
        chance = np.where(sure, 1.0, weights * (size - sure.sum()) / weights[~sure].sum())
        if not (above := chance > 1).any():
            return chance
        sure |= above
