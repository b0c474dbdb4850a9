"""Shares of alternatives that a fitted choice model predicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ..design import Design
from ..domains import Domains
from ..intervals import logit_bounds
from .forecast import Forecast, forecast
from .logit import ChoiceFit, means
from .population import Model, Target, target


def predicted_shares(
    fit: ChoiceFit,
    design: Design | None = None,
    frame: pd.DataFrame | Target | None = None,
    by: Any = None,
    where: Any = None,
    person: str | None = None,
    offset: str | None = None,
) -> Forecast:
    """Shares of alternatives, by (variable, alternative, domain); intervals are on the logit scale.

    Parameters
    ----------
    fit : ChoiceFit
        The model.
    design : Design, optional
        Of the people of ``frame``; absent: that of the fit.
    frame : DataFrame or Target, optional
        One row an available alternative of a case, as for `choices`, or what `prepared` made of it for this fit and
        design; absent: the cases of the fit.
    by, where
        As for `mean`, with its errors.
    person, offset : str, optional
        Columns of ``frame``.

    Raises
    ------
    WelfareError
        As for `target`.
    """
    model = Model(fit)
    design = fit.cases.design if design is None else design
    to = frame if isinstance(frame, Target) else target(fit, design, frame, person, offset)
    names = [("share", a) for a in to.cases.alternatives]

    def measure(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p = to.by_person(model.predict(to, theta)[0], len(names))
        return p, np.ones((len(p), 1))

    slopes = _slopes if model.plain else None
    return forecast(model, to, measure, names, ["variable", "alternative"], by, where, slopes, logit_bounds)


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
    return own - case @ means(cases.x, p, cases.start)
