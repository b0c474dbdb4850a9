"""What changes when attributes or alternatives do: shares, numbers, money, elasticities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
from scipy import sparse

from ...errors import WelfareError
from ..design import Design
from ..domains import Domains
from .forecast import Forecast, forecast
from .logit import ChoiceFit, means
from .population import STEP, Calibrated, Model, New, Target, linear, modelled, target


class Scenario(NamedTuple):
    """Shares and numbers before, after, and their difference, by alternative; surplus in the unit of cost.

    ``surplus`` is the mean, a case and person; ``total_surplus`` its sum over the people. None without a cost.
    """

    shares: Forecast
    numbers: Forecast
    surplus: Forecast | None
    total_surplus: Forecast | None


def predicted_shares(
    fit: ChoiceFit | Calibrated,
    design: Design | None = None,
    frame: pd.DataFrame | Target | None = None,
    by: Any = None,
    where: Any = None,
    person: str | None = None,
    offset: str | None = None,
) -> Forecast:
    """Shares of alternatives, by (variable, alternative, domain): the "before" of a `scenario` without a change.

    ``frame`` may be one that is `prepared` for this fit and design.
    """
    model = modelled(fit)
    design = model.fit.cases.design if design is None else design
    to = frame if isinstance(frame, Target) else target(model, design, frame, {}, person, offset)
    names = [("share", a) for a in to.cases.alternatives]

    def measure(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p = to.by_person(model.predict(to, theta)[0], len(names))
        return p, np.ones((len(p), 1))

    slopes = _slopes if model.plain and model.constants is None else None
    return forecast(model, to, measure, names, ["variable", "alternative"], by, where, slopes)


def scenario(
    fit: ChoiceFit | Calibrated,
    design: Design | None,
    changed: pd.DataFrame,
    base: pd.DataFrame | None = None,
    cost: str | None = None,
    new: Mapping[Any, New] | None = None,
    by: Any = None,
    where: Any = None,
    person: str | None = None,
    offset: str | None = None,
) -> Scenario:
    r"""What changes when attributes, or the alternatives, do.

    Parameters
    ----------
    fit : ChoiceFit or Calibrated
        A model; calibrated to known shares (`calibrated`) for forecasts of a market.
    design : Design or None
        Of the people of the forecast; None: of the fit.
    changed : DataFrame
        Long format as for the fit, without the choice: attributes as they would be. A row that is left out is an
        alternative that is not available.
    base : DataFrame, optional
        The same cases as they are; absent: those of the fit.
    cost : str, optional
        Coefficient of cost, for the surplus: :math:`(L_1 - L_0) / -\beta_c`, L the logsum of a case, in the unit of
        cost a case (Small and Rosen 1981; nested: :math:`\ln \sum_m e^{\lambda_m I_m}`).
    new : mapping of alternative to New
        Alternatives of ``changed`` that the fit does not know.
    by, where
        Domains of the rows of ``design``.
    person, offset : str, optional
        Columns of the frames, as they were for the fit; ``person`` is needed only with another design.

    Returns
    -------
    Scenario
        Forecasts by (variable, alternative, domain): before, after, difference; the surplus by domain.

    Raises
    ------
    WelfareError
        A fit that is ``blocked`` (lambda outside (0, 1], scale "greene"); other cases than in the base; alternatives
        that are unknown, or twice in a case; a cost that also enters in another form, that is random, or whose
        coefficient is not negative: the marginal utility of money would not be constant.
    """
    model = modelled(fit)
    if model.fit.blocked:
        raise WelfareError("no scenario from this fit", where="fit", got=model.fit.blocked, expected="a utility model")
    design = model.fit.cases.design if design is None else design
    if base is None and design is not model.fit.cases.design:
        raise WelfareError("people of another design need a base", where="base", expected="a long frame")
    one, two = (
        target(model, design, base, {}, person, offset),
        target(model, design, changed, new or {}, person, offset),
    )
    if not one.cases.labels.sort_values().equals(two.cases.labels.sort_values()):
        got = f"{len(two.cases.labels)} cases, of {len(one.cases.labels)} in the base"
        raise WelfareError("cases are not those of the base", where="changed", got=got, expected="the same cases")
    kinds, width = ["before", "after", "difference"], len(two.cases.alternatives)
    names = [(kind, a) for kind in kinds for a in two.cases.alternatives]
    if cost is not None:
        linear(model.fit, cost)
        if model.fit.value[cost] >= 0:
            slope = float(model.fit.value[cost])
            raise WelfareError("the coefficient of cost is not negative", where=cost, got=slope, expected="below 0")
        names.append(("surplus", ""))
    money = None if cost is None else model.fit.value.index.get_loc(cost)

    def measure(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        (p, low), (q, high) = (model.predict(to, theta) for to in (one, two))
        before, after = one.by_person(p, width), two.by_person(q, width)
        tables = [before, after, after - before]
        if money is not None:
            sums = [np.bincount(to.cases.person, v * to.part, design.n) for to, v in ((one, low), (two, high))]
            tables.append(((sums[1] - sums[0]) / -theta[money])[:, None])
        return np.hstack(tables), np.ones((design.n, 1))

    every = forecast(model, one, measure, names, ["variable", "alternative"], by, where)
    surplus = (None, None) if cost is None else (every.part(["surplus"]), every.part(["surplus"], total=True))
    return Scenario(every.part(kinds), every.part(kinds, total=True), *surplus)


def elasticities(
    fit: ChoiceFit | Calibrated,
    attribute: str,
    design: Design | None = None,
    frame: pd.DataFrame | None = None,
    by: Any = None,
    where: Any = None,
    person: str | None = None,
    offset: str | None = None,
) -> Forecast:
    r"""Point elasticities of aggregate shares, by (alternative, changed, domain).

    By how many per cent the share of ``alternative`` rises when ``attribute`` of the alternative ``changed`` rises by
    one per cent for everybody: the probability-weighted mean of the elasticities of persons (Ben-Akiva and Lerman 1985,
    eq. 6.13). The attribute enters linearly, in one coefficient of this name.
    """
    model = modelled(fit)
    linear(model.fit, attribute)
    design = model.fit.cases.design if design is None else design
    to = target(model, design, frame, {}, person, offset)
    place = cast(int, model.fit.value.index.get_loc(attribute))
    labels, width = to.cases.alternatives, len(to.cases.alternatives)

    def measure(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p, cases = model.predict(to, theta)[0], to.cases
        moves = []
        for alternative in range(width):
            push = theta[place] * cases.x[:, place] * (cases.alternative == alternative)
            if model.plain:
                move = p * (push - np.bincount(cases.case, p * push)[cases.case])
            else:
                up, down = (model.predict(to, theta, sign * STEP * push)[0] for sign in (1, -1))
                move = (up - down) / (2 * STEP)
            moves.append(to.by_person(move, width))
        return np.hstack(moves), np.tile(to.by_person(p, width), (1, width))

    names = [(own, other) for other in labels for own in labels]
    return forecast(model, to, measure, names, ["alternative", "changed"], by, where)


def _slopes(model: Model, to: Target, parts: Domains) -> np.ndarray:
    r"""Derivative (alternatives x domains, p) of weighted sums of logit shares: of row j :math:`p_j (x_j - \bar x)`."""
    cases, p = to.cases, model.predict(to, model.theta)[0]
    person = cases.person[cases.case]
    domain = parts.codes[person]
    rows = np.flatnonzero(domain >= 0)
    weight = (cases.design.weights[person] * to.part[cases.case] * p)[rows]
    cell, count = cases.alternative[rows] * parts.count + domain[rows], len(cases.alternatives) * parts.count
    own = sparse.csr_array((weight, (cell, rows)), shape=(count, len(p))) @ cases.x
    case = sparse.csr_array((weight, (cell, cases.case[rows])), shape=(count, len(cases.start)))
    slopes = own - case @ means(cases.x, p, cases.start)
    return np.pad(slopes, ((0, 0), (0, len(model.theta) - slopes.shape[1])))  # of scales of other sources: none
