"""Constants that bring the shares of a choice model to those that are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ...errors import WelfareError
from ..estimate import Estimate
from .forecast import derivative
from .logit import ChoiceFit
from .population import STEP, Calibrated, modelled, target

CLOSE = 1e-13  # how near the shares come


def calibrated(fit: ChoiceFit, shares: Mapping[Any, float]) -> Calibrated:
    r"""Add constants to the utilities so that the weighted shares of the fit's cases are the ``shares`` known.

    Newton's method on :math:`\ln S(\delta) = \ln s`, from Berry's (1994) first step. What is taken as fixed are the
    shares alone: the constants depend on the people of the sample and on the coefficients, and their influence
    :math:`-(\partial S / \partial\delta)^{-1} (z_S + \partial S / \partial\theta\, z)` goes into every forecast.

    Raises
    ------
    WelfareError
        Shares that are not positive, do not add up to 1, or are not of the fit's alternatives; no convergence.
    """
    model, labels = modelled(fit), fit.cases.alternatives
    known = pd.Series(shares, dtype=float)
    if set(known.index) != set(labels) or not (known > 0).all() or abs(known.sum() - 1) > 1e-9:
        expected = f"positive shares of {list(labels)} that add up to 1"
        raise WelfareError("the shares cannot be reached", where="shares", got=known.to_dict(), expected=expected)
    target_shares = known[labels].to_numpy()
    to, w, m = target(model, fit.cases.design, None, {}, None, None), fit.cases.design.weights, len(fit.value)
    size = w[np.unique(fit.cases.person)].sum()

    def table(theta: np.ndarray) -> np.ndarray:
        return to.by_person(model.predict(to, theta)[0], len(labels))

    def share(theta: np.ndarray) -> np.ndarray:
        return w @ table(theta) / size

    now = share(np.append(model.theta, np.zeros(len(labels) - 1)))
    first = np.log(target_shares / now)
    theta = np.append(model.theta, first[1:] - first[0])
    steps = np.append(model.steps, np.full(len(labels) - 1, STEP))
    for _ in range(50):
        now = share(theta)
        if np.abs(now - target_shares).max() < CLOSE:
            break
        move = np.linalg.solve(derivative(share, theta, steps, m)[1:], (target_shares - now)[1:])
        theta[m:] += move / max(1.0, np.abs(move).max())
    else:
        got = dict(zip(labels, now, strict=True))
        raise WelfareError("the constants did not converge", where="shares", got=got, expected=str(dict(known)))
    slope = derivative(share, theta, steps)[1:]

    def influence() -> np.ndarray:
        there = np.zeros((fit.design.n, 1))
        there[fit.cases.person] = 1
        people = (table(theta) - target_shares * there)[:, 1:] / size
        return -(people + fit.influence @ slope[:, :m].T) @ np.linalg.inv(slope[:, m:]).T

    index = pd.Index(labels[1:], name="alternative")
    counts = pd.DataFrame({c: fit.counts[c].min() for c in fit.counts}, index=index)
    df = pd.Series(fit.df.min(), index=index)
    return Calibrated(fit, Estimate(pd.Series(theta[m:], index=index), fit.design, influence, df, counts))
