r"""Estimators that are run again with replicate weights.

Where a design is known by replicate weights, the variance of any :math:`\hat\theta` is :math:`\sum_r s_r
(\hat\theta_r - \hat\theta)^2` with :math:`\hat\theta_r` the estimator run with replicate r (Wolter 2007, chapters 3
to 5), which is what producers of such weights publish. The deviations (R x k) go with the estimate, so that what is
made of several estimates has its covariance too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar, cast

import pandas as pd

from .design import Design
from .estimate import Estimate
from .replicates import refit

F = TypeVar("F", bound=Callable[..., Any])
E = TypeVar("E", bound=Estimate)


def rerun(estimator: F) -> F:
    """Let an estimator of a design, or of a fit, run again with replicate weights, now or later (`Estimate.refit`)."""

    @wraps(estimator)
    def run(source: Any, /, *args: Any, **kwargs: Any) -> Any:
        def again(design: Design) -> Any:
            return run(source.estimator(design) if isinstance(source, Estimate) else design, *args, **kwargs)

        estimate = estimator(source, *args, **kwargs)
        known = not isinstance(source, Estimate) or source.estimator is not None
        return repeated(estimate, again) if known else estimate

    return cast("F", run)


def repeated(estimate: E, again: Callable[[Design], Estimate], smooth: bool = True, own: Estimate | None = None) -> E:
    r"""The estimate with what runs it again, and with the deviations of its replicates where the design has some.

    No jackknife is consistent of what is not ``smooth`` in the weights, as a quantile: it keeps the errors that it has.
    Where a replicate has none of the respondents of a value, as of a domain in one PSU, the value is what the
    linearisation makes of it, :math:`\hat\theta + \sum (w_r - w) z`: 0 of a total; of a mean the mean, whose error is
    infinite if one PSU is all that tells it. They are those of ``own``, if others move the value too. A model whose
    coefficients a replicate lacks is another model: an error.
    """
    ready = estimate.design.ready
    if ready is None or (not smooth and ready.method.startswith("JK")):
        return replace(estimate, estimator=again)

    def unseen(moved: Design) -> pd.Series:
        there = ((own or estimate).influence != 0).astype(float).T @ (moved.weights != 0).astype(float)
        linear = estimate.value + (moved.weights - estimate.design.weights) @ estimate.influence
        return linear[(there == 0) & (type(estimate) is Estimate)]

    values = refit(estimate.design, lambda design: again(design).value, ready, estimate.value.index, unseen)
    return replace(estimate, estimator=again, deviations=values.to_numpy() - estimate.value.to_numpy())
