"""What changes when the attributes of alternatives do: shares, and what that is worth in money."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ...errors import WelfareError
from ..design import Design
from ..estimate import Estimate, t_bounds
from ..intervals import logit_bounds
from .forecast import forecast
from .logit import ChoiceFit
from .population import prepared

KINDS = ("before", "after", "difference")


class Scenario(NamedTuple):
    """Shares before, after, and their difference, by alternative; the mean surplus of a case in the unit of cost.

    The surplus is None without a cost.
    """

    shares: Estimate
    surplus: Estimate | None


def scenario(
    fit: ChoiceFit,
    design: Design | None,
    changed: pd.DataFrame,
    cost: str | None = None,
    by: Any = None,
    where: Any = None,
    person: str | None = None,
) -> Scenario:
    r"""What changes when attributes, or which alternatives there are, do.

    Parameters
    ----------
    fit : ChoiceFit
        A model.
    design : Design or None
        Of the people of the forecast; None: of the fit.
    changed : DataFrame
        Long format as for the fit, without the choice: attributes as they would be. A row that is left out is an
        alternative that is not available.
    cost : str, optional
        Coefficient of cost, for the surplus: :math:`(L_1 - L_0) / -\beta_c`, L the logsum of a case, in the unit of
        cost a case (Small and Rosen 1981; nested: :math:`\ln \sum_m e^{\lambda_m I_m}`).
    by, where
        Domains of the rows of ``design``.
    person : str, optional
        Column of the frame, as it was for the fit.

    Returns
    -------
    Scenario
        Forecasts by (variable, alternative, domain): before, after, difference; the surplus by domain.

    Raises
    ------
    WelfareError
        A fit that is ``blocked`` (lambda outside (0, 1], scale "greene"); other cases than in the fit; alternatives
        that are unknown, or twice in a case; a cost that also enters in another form, that is random, or whose
        coefficient is not negative: the marginal utility of money would not be constant.
    """
    if fit.blocked:
        raise WelfareError("no scenario from this fit", where="fit", got=fit.blocked, expected="a utility model")
    design = fit.cases.design if design is None else design
    one, two = (prepared(fit, design, frame, person) for frame in (None, changed))
    if not one.cases.labels.sort_values().equals(two.cases.labels.sort_values()):
        got = f"{len(two.cases.labels)} cases, of {len(one.cases.labels)} in the fit"
        raise WelfareError("cases are not those of the fit", where="changed", got=got, expected="the same cases")
    money = None if cost is None else _money(fit, cost)
    alternatives, everybody = two.cases.alternatives, np.ones((design.n, 1))

    def shares(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        before, after = (to.by_person(to.predicted(fit, theta)[0], len(alternatives)) for to in (one, two))
        return np.hstack([before, after, after - before]), everybody

    def surplus(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logsums = [to.predicted(fit, theta)[1] * to.part for to in (one, two)]
        before, after = (np.bincount(to.cases.person, v, design.n) for to, v in zip((one, two), logsums, strict=True))
        return ((after - before) / -theta[money])[:, None], everybody

    of, levels = (fit, design, one.there), ["variable", "alternative"]
    names = [(kind, alternative) for kind in KINDS for alternative in alternatives]
    moved = forecast(*of, shares, names, levels, by, where, bounds=_bounds)
    return Scenario(moved, None if cost is None else forecast(*of, surplus, [("surplus", "")], levels, by, where))


def _bounds(estimate: Estimate, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Bounds on the logit scale for shares, by t for what may be negative."""
    share = estimate.value.index.get_level_values("variable") != "difference"
    plain, within = t_bounds(estimate, level), logit_bounds(estimate, level)
    return np.where(share, within[0], plain[0]), np.where(share, within[1], plain[1])


def _money(fit: ChoiceFit, cost: str) -> int:
    """The place of the coefficient of cost, which must enter in one fixed coefficient and in nothing else."""
    names = fit.cases.names
    if cost not in names:
        raise WelfareError("no such coefficient", where="cost", got=cost, expected=f"among {names}")
    word = re.compile(rf"(?<!\w){re.escape(cost)}(?!\w)")
    other = [column for column in names if column != cost and word.search(column)]
    random = cost in getattr(fit, "random", {})
    if other or random:
        hint = "Fit the model with this attribute as one linear, fixed coefficient."
        got = "a random coefficient" if random else f"also in {other}"
        raise WelfareError("it does not enter linearly and alone", where=cost, got=got, hint=hint)
    if fit.value[cost] >= 0:
        slope = float(fit.value[cost])
        raise WelfareError("the coefficient of cost is not negative", where=cost, got=slope, expected="below 0")
    return names.index(cost)
