r"""What those who never answered could change: tipping points, and one interval for sampling and nonresponse.

Of a population a part S returned no form and would not answer the follow-up either. Their mean is not known. Where it
differs by d from :math:`\theta_F`, the mean of those whom the follow-up reached, the mean of all is

.. math:: \theta(d) = \theta + S d, \qquad S = W (1 - r),

with :math:`\theta` the estimate that lets the followed-up stand for them, W the part that returned no form and r the
part of the follow-up that answered (a pattern mixture: Little 1993, J. Am. Stat. Assoc. 88, 125). A finding about a
``limit`` c turns at :math:`d^* = (c - \theta) / S`, its tipping point (Yan, Lee and Li 2009, J. Biopharm. Stat. 19,
1085); of two groups :math:`\theta_a(d_a) - \theta_b(d_b) = c` is a line in :math:`(d_a, d_b)`. No answers say what d
is: a range of it is an assumption, and is printed beside what follows from it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ..errors import WelfareError
from ..estimation import Design, Estimate, imbens_manski, mean

PARTS = ("mean", "followed_up", "never_answered")


def never_answered(
    design: Design, y: pd.Series, followed: pd.Series, answered: float | Estimate, by: Any = None, where: Any = None
) -> Estimate:
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
        r: of the follow-up the part that answered, weighted for the selection. An estimate, of everybody or of each
        domain, brings its error, which is taken as independent of the answers': which persons answer decides r, what
        they answer the means.
    by, where
        As for `mean`.

    Returns
    -------
    Estimate
        By ``variable`` (mean, followed_up, never_answered) and domain.

    Raises
    ------
    WelfareError
        A part that is not between 0 and 1, or not one a domain; a domain without a known answer of the follow-up.
    """
    late = followed.astype(float)
    columns = pd.DataFrame({"y": y.astype("Float64").astype(float), "late": late})
    columns["both"] = columns["y"] * late
    known = columns["y"].notna() if where is None else columns["y"].notna() & where
    means = mean(design, columns, by=by, where=known)
    k = len(means.value) // 3
    share, error = (answered.value, answered.se) if isinstance(answered, Estimate) else ([answered], [0.0])
    r, se = np.asarray(share, dtype=float), np.asarray(error, dtype=float)
    if len(r) not in (1, k) or not ((r > 0) & (r <= 1)).all():
        expected = f"above 0 and at most 1, one for all or each of {k}"
        raise WelfareError("no part that answered", where="never_answered", got=r.tolist(), expected=expected)
    _, part, _ = means.value.to_numpy().reshape(3, k)
    if (part <= 0).any():
        hint = "The answers of the follow-up stand for those who gave none."
        raise WelfareError("nobody of the follow-up answered", where=str(y.name), got=int((part <= 0).sum()), hint=hint)
    keys = [()] if by is None else [d if isinstance(d, tuple) else (d,) for d in means.value.index[:k].droplevel(0)]
    names = ["variable", *means.value.index.names[1:]]
    index = pd.MultiIndex.from_tuples([(name, *key) for name in PARTS for key in keys], names=names)

    def parts(value: pd.Series) -> pd.Series:
        whole, late, both = value.to_numpy().reshape(3, k)
        return pd.Series(np.concatenate([whole, both / late, late * (1 - r)]), index=index)

    unsure = sparse.diags_array(np.concatenate([np.zeros(2 * k), np.broadcast_to((part * se) ** 2, k)]))
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
        By variable and domain: ``difference``, :math:`d^* = (c - \theta)/S`, and ``needed``, :math:`\theta_F + d^*`,
        the mean that they must have. A share below 0 or above 1 is that of nobody: no answers of theirs turn the
        finding.

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
    index = _index(parts, ("difference", "needed"))

    def point(value: pd.Series) -> pd.Series:
        whole, followed, unreached = value.to_numpy().reshape(3, -1)
        difference = (limit - whole) / unreached
        return pd.Series(np.concatenate([difference, followed + difference]), index=index)

    return parts.apply(point)


def tipping_line(parts: Estimate, one: Any, other: Any, limit: float = 0.0) -> Estimate:
    r"""Where the difference of two domains reaches a ``limit``: :math:`d_b` as a line in :math:`d_a`.

    Returns
    -------
    Estimate
        ``intercept``, :math:`(\theta_a - \theta_b - c)/S_b`, and ``slope``, :math:`S_a/S_b`, a the domain ``one`` and b
        the ``other``, so that :math:`d_b = intercept + slope \cdot d_a`. At an intercept of -0.3 those of b who never
        answered must have 30 points less than their followed-up, if those of a differ in nothing.

    Raises
    ------
    WelfareError
        A domain that the parts lack; one of which everybody answered.
    """
    index = _index(parts, ("difference",))
    domains = list(index.droplevel(0)) if index.nlevels > 1 else []
    if one not in domains or other not in domains:
        raise WelfareError("no such domain", where="tipping_line", got=(one, other), expected=f"two of {domains[:10]}")
    a, b = domains.index(one), domains.index(other)

    def line(value: pd.Series) -> pd.Series:
        whole, _, unreached = value.to_numpy().reshape(3, -1)
        return pd.Series(
            {"intercept": (whole[a] - whole[b] - limit) / unreached[b], "slope": unreached[a] / unreached[b]}
        )

    return parts.apply(line)


def nonresponse_interval(
    parts: Estimate,
    differences: tuple[float, float],
    possible: tuple[float, float] = (-np.inf, np.inf),
    level: float = 0.95,
) -> pd.DataFrame:
    r"""One interval for the error of the sample and for those who never answered, over a range of d.

    Parameters
    ----------
    parts : Estimate
        As `never_answered` gives them.
    differences : (low, high)
        The range of d that is assumed, in the unit of the mean; it should hold 0.
    possible : (low, high)
        What a mean can be, (0, 1) of a share: d is cut so that :math:`\theta_F + d` stays inside.
    level : float
        Coverage of the mean, wherever in the range it is (`imbens_manski`).

    Returns
    -------
    DataFrame
        By domain: estimate, lowest and highest (:math:`\theta` at both ends of d), low and high (the interval), and the
        range of d, difference_low and difference_high, to be printed with it.

    Raises
    ------
    WelfareError
        A range that is not in order.

    Examples
    --------
    >>> design = Design([1.0] * 6 + [2.0] * 2)
    >>> wants = pd.Series([True] * 3 + [False] * 3 + [True, False])
    >>> late = pd.Series([False] * 6 + [True] * 2)
    >>> parts = never_answered(design, wants, late, answered=0.5)
    >>> nonresponse_interval(parts, (-0.2, 0.2), (0, 1))[["lowest", "highest"]].round(3).to_numpy().tolist()
    [[0.46, 0.54]]
    """
    if not differences[0] <= differences[1]:
        raise WelfareError("a range that is not in order", where="differences", got=differences, expected="low, high")
    index = _index(parts, ("mean",))

    def at(d: float) -> Estimate:
        def moved(value: pd.Series) -> pd.Series:
            whole, followed, unreached = value.to_numpy().reshape(3, -1)
            return pd.Series(whole + unreached * (np.clip(followed + d, *possible) - followed), index=index)

        return parts.apply(moved)

    table = imbens_manski(at(differences[0]), at(differences[1]), level)
    table.insert(0, "estimate", parts.value.to_numpy().reshape(3, -1)[0])
    return table.assign(difference_low=differences[0], difference_high=differences[1])


def _index(parts: Estimate, names: tuple[str, ...]) -> pd.Index:
    """Names by domain, as the parts have them."""
    index = parts.value.index
    of = index[: len(index) // len(PARTS)]
    if len(of) == 1 and of.nlevels == 1:
        return pd.Index(names, name="variable")
    keys = [key[1:] for key in of]
    return pd.MultiIndex.from_tuples([(name, *key) for name in names for key in keys], names=index.names)
