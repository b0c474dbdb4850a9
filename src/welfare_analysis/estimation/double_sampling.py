r"""Errors of answering, corrected by a check of some respondents: double sampling (Tenenbein 1970).

All respondents said something, which puts each in a class c: yes, no, nothing. Of some, drawn at random, what is so was
found out: papers were seen, rooms counted. With :math:`W_c` the weighted part of all respondents in class c and
:math:`\bar y_c` the weighted mean of what was found in it,

.. math:: \hat\theta = \sum_c W_c\, \bar y_c,

which needs no model of how people err, as a repeat of the question would. With :math:`\hat y_k = \bar y_{c(k)}` and
:math:`e_k = y_k - \hat y_k` it is the mean of the :math:`\hat y_k` of all and that of the :math:`e_k` of those
checked, who are a further phase; the two are not correlated, since the :math:`e_k` of a class add up to nothing, and
their variances add up (Särndal, Swensson and Wretman 1992, section 9.7). From simple random samples that is
:math:`p(1 - p) \{(1 - K)/m + K/n\}` of m checked in n, K being the part of the variance of y that the classes explain.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import sparse

from ..errors import WelfareError
from .design import Design
from .estimate import Estimate
from .intervals import logit_bounds
from .means import mean

NOTHING = "nothing"  # the class of those who gave no usable answer
LEAST = 2  # found of a class, without which it has the mean of all
TOLD = 0.8  # of those checked who had said nothing, without which they are left out as in a share of those who said


def double_sampling(
    design: Design, said: pd.Series, checked: Design, found: pd.Series, where: pd.Series | None = None
) -> Estimate:
    """The share of respondents for whom something is so, by a check of some of them.

    Parameters
    ----------
    design : Design
        Of the n respondents. What calibration spares is not counted: margins tell nothing of errors.
    said : Series (n,)
        What each said, in classes; missing is a class of its own, so that gaps are corrected too, if the check told of
        nearly all of those who had said nothing (`TOLD`): those of whom it did not may be others.
    checked : Design
        Of the m who were checked, a simple random sample of the respondents in each of its strata, with ``fpc`` the
        number of respondents there. Its index names rows of ``design``.
    found : boolean Series (m,)
        What is so; missing where the check did not tell.
    where : boolean Series (n,), optional
        The respondents of whom the estimate speaks.

    Returns
    -------
    Estimate
        One share, with an interval on the logit scale; n are those of whom something was found.

    Raises
    ------
    WelfareError
        Nothing found of anybody inside; what `Design.two_phase` refuses.
    """
    inside = np.ones(design.n, dtype=bool) if where is None else where.to_numpy(bool)
    both = Design.two_phase(design.reweighted(design.weights, None), checked)
    rows = design.index.get_indexer(both.index)
    y = found.reindex(both.index).astype("Float64").to_numpy(float, na_value=np.nan)
    gaps = inside & said.isna().to_numpy()
    if gaps[rows].any() and np.mean(~np.isnan(y[gaps[rows]])) < TOLD:
        inside = inside & ~gaps
    known = inside[rows] & ~np.isnan(y)
    if known.sum() < LEAST:
        raise WelfareError("nothing was found of those inside", where="double_sampling", got=int(known.sum()))
    classes, labels = pd.factorize(said.astype(object).where(said.notna(), NOTHING))
    seen = np.bincount(classes[rows][known], minlength=len(labels))
    classes = np.where(seen[classes] < LEAST, len(labels), classes)  # who is in too small a class has the mean of all
    w, v, y = design.weights * inside, both.weights * known, np.where(known, y, 0.0)
    size, drawn = (np.bincount(c, weights=x, minlength=len(labels) + 1) for c, x in ((classes, w), (classes[rows], v)))
    level = np.divide(np.bincount(classes[rows], v * y, len(drawn)), drawn, out=np.zeros(len(drawn)), where=drawn > 0)
    level[-1] = (v @ y) / v.sum()
    whole = mean(design, pd.Series(level[classes], design.index, name=said.name), where=pd.Series(inside, design.index))
    part = np.divide(size, drawn * w.sum(), out=np.zeros(len(drawn)), where=drawn > 0)
    left = known * (y - level[classes[rows]]) * part[classes[rows]]
    variance = both.variance(sparse.csr_array(left[:, None]))
    return replace(
        whole,
        bounds=logit_bounds,
        df=np.minimum(whole.df, both.degrees_of_freedom(np.where(known, 0, -1), 1)[0]),
        counts=whole.counts.assign(n=float(known.sum())),
        extra_covariance={"checked": sparse.diags_array(variance)},
        estimator=None,
    )
