"""Whether a choice model predicts: fitted to a part of the persons, and tried on the others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ...errors import WelfareError
from .logit import ChoiceFit


class HoldOut(NamedTuple):
    """A model fitted to a part of the persons, and tried on the others.

    ``likelihood`` has a row for each part: persons, cases, and the weighted mean log-likelihood of a choice by the
    model and by equal shares; ``shares`` has the weighted market shares of those left out, observed and predicted.
    """

    likelihood: pd.DataFrame
    shares: pd.DataFrame


def hold_out(fit: ChoiceFit, rng: np.random.Generator, share: float = 0.2) -> HoldOut:
    """Fit to a random part of the persons and predict the choices of the others.

    Parameters
    ----------
    fit : ChoiceFit
        The model.
    rng : Generator
        Says who is left out.
    share : float
        Of the persons, to leave out.

    Raises
    ------
    WelfareError
        A share that leaves nobody in or out; a part to which the model cannot be fitted.
    """
    persons = np.unique(fit.cases.person)
    size = round(share * len(persons))
    if not 0 < size < len(persons):
        raise WelfareError("nobody is left in, or out", where="share", got=share, expected="a share, as 0.2")
    out = np.isin(fit.cases.person, rng.permutation(persons)[:size])
    p, _ = fit.predict(theta=fit.again(fit.cases.part(~out[fit.cases.case])).value.to_numpy())
    rows = []
    for mask in (~out, out):
        w, chosen = fit.cases.weights[mask], p[fit.cases.chosen[mask]]
        row = {"persons": len(np.unique(fit.cases.person[mask])), "cases": int(mask.sum())}
        row["log_likelihood"] = np.average(np.log(chosen), weights=w)
        rows.append(row | {"equal_shares": np.average(-np.log(fit.cases.sizes[mask]), weights=w)})
    return HoldOut(pd.DataFrame(rows, index=pd.Index(["fitted", "left_out"], name="part")), _shares(fit, out, p))


def _shares(fit: ChoiceFit, mask: np.ndarray, p: np.ndarray) -> pd.DataFrame:
    """Weighted shares of the alternatives in the cases of a mask (C,)."""
    cases, count = fit.cases, len(fit.cases.alternatives)
    w = np.where(mask, cases.weights, 0) / cases.weights[mask].sum()
    observed = np.bincount(cases.alternative[cases.chosen], w, count)
    predicted = np.bincount(cases.alternative, np.repeat(w, cases.sizes) * p, count)
    return pd.DataFrame({"observed": observed, "predicted": predicted}, index=cases.alternatives)
