"""Shares, and intervals that stay within 0 and 1.

A share is a mean of zeros and ones; what is its own are the intervals: symmetric on the logit scale, or those of Korn
and Graubard (1998), and wider ones where the sampled part of a domain holds too few cases for a variance: `intervals`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..errors import WelfareError
from .columns import NUMBERS, aligned, matrix, one_of
from .design import Design
from .estimate import Estimate
from .intervals import korn_graubard_bounds, logit_bounds
from .means import ratios, shared_rows
from .rerun import rerun


@rerun
def share(design: Design, variables: Any, by: Any = None, where: Any = None, interval: str = "logit") -> Estimate:
    """Shares: of a boolean or 0/1 variable, or of each category of a text variable (these add up to one).

    Intervals are on the logit scale, or ``interval="korn-graubard"`` (Korn and Graubard 1998: Clopper-Pearson with
    the effective sample size), which is also used where a share is exactly 0 or 1. There the linearised variance is
    zero and tells nothing; the standard error is that of the posterior Beta(1, m + 1) of none in m. Where a part of a
    domain is known with certainty and few cases are sampled both are widened (`intervals.Rare`). Of rare cases in few
    clusters that are alike both hold too little: see `reliability.satterthwaite`. Arguments as for `mean`.
    """
    rules = {"logit": logit_bounds, "korn-graubard": korn_graubard_bounds}
    one_of(interval, rules, "share", "interval")
    rows = shared_rows(design, variables)
    column = "category" if _is_text(variables) else "variable"
    if column == "category":
        answers = pd.Series(aligned(variables, design.n, rows, "share"))
        y, names = _categories(answers if design.there is None else answers.where(design.there))
    else:
        y, names = matrix(variables, design.n, rows, "share")
        if not np.isin(y[~np.isnan(y)], (0.0, 1.0)).all():
            raise WelfareError("a share needs yes or no", where=", ".join(names), expected="booleans, 0/1 or text")
    shares = np.ones(len(names), dtype=bool)
    parts = design.domains(by, where, rows)
    return ratios(design, y, None, names, parts, column, rules[interval], shares)


def _is_text(variables: Any) -> bool:
    if isinstance(variables, pd.DataFrame) or np.ndim(variables) != 1:
        return False
    series = pd.Series(variables)
    if series.dtype != object:
        return not (pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype))
    kind = pd.api.types.infer_dtype(series)
    if kind == "mixed" and series.map(pd.api.types.is_list_like).any():
        where = str(series.name or "share")
        raise WelfareError("a row holds a list", where=where, expected="one answer a row")
    return kind not in NUMBERS


def _categories(series: pd.Series) -> tuple[np.ndarray, list[str]]:
    """A column of 0 and 1 (missing as nan) for each category that was answered."""
    answers = pd.Categorical(series).remove_unused_categories()
    names = [str(level) for level in answers.categories]
    if not names or len(set(names)) < len(names):
        what = "two categories have one name" if names else "no respondent answered"
        raise WelfareError(what, where=str(series.name or "share"), got=names, expected="names that differ")
    marks = (answers.codes[:, None] == np.arange(len(names))).astype(float)
    return np.where(answers.codes[:, None] < 0, np.nan, marks), names
