"""What a choice model rests on, and whether it predicts persons that it has not seen: two tables of each topic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from ..demand.stated import CardMarket
from ..estimation.choice import ChoiceFit, hold_out
from ..study import Study
from .declare import Base, Topic, exact, facts

SEED = 2012  # of who is left out


def model_of(study: Study, market: Callable[[Study], Any]) -> ChoiceFit:
    """The model of the cards of a market."""
    return study.result(market).fit()


def unseen(study: Study, market: Callable[[Study], Any]) -> Any:
    """The model fitted to four fifths of the persons, before the others."""
    return hold_out(study.result(model_of, market), np.random.default_rng(SEED))


def answered(market: CardMarket) -> Base:
    """Who answered choice cards, of those who were given some."""
    given = market.frame[f"{market.block}_version"].notna()
    return pd.Series(market.frame.index.isin(market.cards["row"]), market.frame.index), given


def declare(topic: Topic, kinds: str, base: Callable[[Any], Base] = answered) -> None:
    """Add the tables ``model`` and ``hold_out`` of the choice model of a topic whose subject is a market."""

    @topic.table("model", "model_of_cards", "", "number", base, statistic="model")
    def model_of_cards(study: Study, subject: Any) -> pd.DataFrame:
        """Persons, cases, fit, and the likelihood of the choices of those left out."""
        model = study.result(model_of, topic.subject)
        persons, left = float(model.cases.n_persons), study.result(unseen, topic.subject).likelihood.loc["left_out"]
        numbers = {"persons": (persons, "respondents"), "cards": (float(model.n_cases), "respondents")}
        numbers |= {"rho": (model.rho_squared_bar, "decimal"), "left_out": (left["persons"], "respondents")}
        numbers |= {"per_card": (left["log_likelihood"], "decimal"), "by_chance": (left["equal_shares"], "decimal")}
        return facts(numbers, "model_of_cards", persons)

    @topic.table("hold_out", kinds, "measure", "share", base, adds=kinds)
    def held_out(study: Study, subject: Any) -> pd.DataFrame:
        """Shares of the alternatives, observed and predicted, of those left out."""
        made = study.result(unseen, topic.subject)
        rows = made.shares.rename_axis(kinds).stack().rename_axis([kinds, "measure"]).rename("estimate").reset_index()
        n = float(made.likelihood.loc["left_out", "persons"])
        return exact(rows.assign(numerator=rows[kinds].map((n * made.shares["observed"]).round())), n)
