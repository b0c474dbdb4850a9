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
from .population import Target, prepared


def predicted_shares(
    fit: ChoiceFit,
    design: Design | None = None,
    frame: pd.DataFrame | Target | None = None,
    by: Any = None,
    where: Any = None,
    person: str | None = None,
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
    person : str, optional
        Columns of ``frame``.

    Raises
    ------
    WelfareError
        As for `prepared`.
    """
    design = fit.cases.design if design is None else design
    to = frame if isinstance(frame, Target) else prepared(fit, design, frame, person)
    names = [("share", a) for a in to.cases.alternatives]

    def measure(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p = to.by_person(to.predicted(fit, theta)[0], len(names))
        return p, np.ones((len(p), 1))

    of_logit = slopes if type(fit) is ChoiceFit else None
    return forecast(fit, to, measure, names, ["variable", "alternative"], by, where, of_logit, logit_bounds)


def slopes(fit: ChoiceFit, to: Target, parts: Domains, values: np.ndarray | None = None) -> np.ndarray:
    r"""Derivative (alternatives x domains, p) of weighted sums of logit shares, or of shares times ``values``.

    Of a row j it is :math:`p_j v_j (x_j - \bar x)`; values v are by person and alternative (n x alternatives).
    """
    cases, p = to.cases, to.predicted(fit, fit.value.to_numpy())[0]
    person = cases.person[cases.case]
    domain = parts.codes[person]
    rows = np.flatnonzero(domain >= 0)
    weight = cases.design.weights[person] * to.part[cases.case] * p
    weight = (weight if values is None else weight * values[person, cases.alternative])[rows]
    cell, count = cases.alternative[rows] * parts.count + domain[rows], len(cases.alternatives) * parts.count
    own = sparse.csr_array((weight, (cell, rows)), shape=(count, len(p))) @ cases.x
    case = sparse.csr_array((weight, (cell, cases.case[rows])), shape=(count, len(cases.start)))
    return own - case @ means(cases.x, p, cases.start)
