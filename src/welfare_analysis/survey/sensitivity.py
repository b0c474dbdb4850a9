r"""What those who never answered could change: how different they must be to turn a finding.

Of a population a part S returned no form and would not answer the follow-up either. Their mean is not known. Where it
differs by d from :math:`\theta_F`, the mean of those whom the follow-up reached, the mean of all is

.. math:: \theta(d) = \theta + S d, \qquad S = W (1 - r),

with :math:`\theta` the estimate that lets the followed-up stand for them, W the part that returned no form and r the
part of the follow-up that answered (a pattern mixture: Little 1993, J. Am. Stat. Assoc. 88, 125). A finding about a
``limit`` c turns at :math:`d^* = (c - \theta) / S`, its tipping point (Yan, Lee and Li 2009, J. Biopharm. Stat. 19,
1085). No answers say what d is: a range of it is an assumption, and is printed beside what follows from it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
from scipy import sparse

from ..errors import WelfareError
from ..estimation import Design, Estimate, mean

Share = float | Estimate  # one that is known, or with its error
PARTS = ("mean", "followed_up", "never_answered")


def never_answered(design: Design, y: pd.Series, followed: pd.Series, answered: Share, where: Any = None) -> Estimate:
    r"""The mean, the mean of the followed-up, and the part of the population that never answered.

    Parameters
    ----------
    design : Design
        Of the answers, n rows.
    y : Series (n,)
        Amounts or a condition; missing where it is not known.
    followed : boolean Series (n,)
        Whether the answer comes from the follow-up.
    answered : float or Estimate
        r: of the follow-up the part that answered, weighted for the selection. An estimate brings its error, which is
        taken as independent of the answers': which persons answer decides r, what they answer the means.
    where
        As for `mean`.

    Returns
    -------
    Estimate
        By ``variable``: mean, followed_up, never_answered.

    Raises
    ------
    WelfareError
        A part that is not between 0 and 1; no known answer of the follow-up.
    """
    late = followed.astype(float)
    columns = pd.DataFrame({"y": y.astype("Float64").astype(float), "late": late})
    columns["both"] = columns["y"] * late
    known = columns["y"].notna() if where is None else columns["y"].notna() & where
    means = mean(design, columns, where=known)
    r, se = (answered.value.iloc[0], answered.se.iloc[0]) if isinstance(answered, Estimate) else (answered, 0.0)
    if not 0 < r <= 1:
        expected = "above 0 and at most 1"
        raise WelfareError("no part that answered", where="never_answered", got=float(r), expected=expected)
    part = means.value["late"]
    if part <= 0:
        hint = "The answers of the follow-up stand for those who gave none."
        raise WelfareError("nobody of the follow-up answered", where=str(y.name), got=0, hint=hint)
    index = pd.Index(PARTS, name="variable")

    def parts(value: pd.Series) -> pd.Series:
        whole, late, both = value.to_numpy()
        return pd.Series([whole, both / late, late * (1 - r)], index=index)

    unsure = sparse.diags_array([0.0, 0.0, (part * se) ** 2])
    estimate = means.apply(parts)
    return replace(estimate, extra_covariance={**estimate.extra_covariance, "answered": unsure}, estimator=None)


def tipping_point(parts: Estimate, limit: float) -> Estimate:
    r"""How different those who never answered must be for the mean to reach a ``limit``.

    Parameters
    ----------
    parts : Estimate
        As `never_answered` gives them.
    limit : float
        c, in the unit of the mean: what the finding says that it is above, or below.

    Returns
    -------
    Estimate
        By ``variable``: difference, :math:`d^* = (c - \theta)/S`, and needed, :math:`\theta_F + d^*`, the mean that
        they must have. A share below 0 or above 1 is that of nobody: no answers of theirs turn the finding.

    Raises
    ------
    WelfareError
        Everybody answered.

    Examples
    --------
    >>> design = Design([1.0] * 6 + [2.0] * 2)  # 6 forms, and 2 answers for the 4 others
    >>> wants = pd.Series([True] * 3 + [False] * 3 + [True, False])
    >>> late = pd.Series([False] * 6 + [True] * 2)
    >>> tipping_point(never_answered(design, wants, late, answered=0.5), limit=0.6).value.round(3).tolist()
    [0.5, 1.0]
    """

    def point(value: pd.Series) -> pd.Series:
        whole, followed, unreached = value.to_numpy()
        difference = (limit - whole) / unreached
        return pd.Series({"difference": difference, "needed": followed + difference})

    return parts.apply(point)
