"""What people would pay for a home: log budgets, asked only of those who want one and told in round figures.

`selected` is Heckman's model of intervals: who wants a home and what it may cost can have a common cause, and a budget
as told lies within half of the round figure that it is a multiple of. Having a home already, crowding and children
stand in the wish alone. `rounded` leaves the selection out; the difference is what it does.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..estimation import Design, heckman, interval_regression
from ..estimation.regression import Regression
from .stated import persons

ROUND_DH = (100_000, 50_000, 10_000, 5_000, 1_000)
OUTCOME = "log_income + decade + active"
WISH = f"{OUTCOME} + tenant + owner + crowded + children"


def told(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns of the regressions: persons' features, ``wants``, ``log_budget`` and its bounds ``low`` and ``high``."""
    budget = frame["home_budget_dh"].where(frame["home_budget_dh"] > 0)
    step = rounding(budget)
    known = persons(frame, "home").assign(children=frame["children_n"].fillna(0).astype(float))
    return known.assign(
        wants=frame["wants_home"].map({"yes": 1.0, "no": 0.0}).astype(float),
        log_budget=np.log(budget),
        low=np.log(budget - step / 2),
        high=np.log(budget + step / 2),
    )


def rounding(amount: pd.Series) -> pd.Series:
    """The largest of the round figures that an amount is a multiple of, DH; 1 where it is of none."""
    return pd.Series(np.select([amount % r == 0 for r in ROUND_DH], ROUND_DH, 1.0), index=amount.index)


def selected(design: Design, columns: pd.DataFrame) -> Regression:
    """Log budget, known to within a round figure, with the wish for a home as selection."""
    return heckman(design, columns, f"~ {OUTCOME}", f"wants ~ {WISH}", bounds=("low", "high"))


def rounded(design: Design, columns: pd.DataFrame) -> Regression:
    """The same without selection."""
    return interval_regression(design, columns, f"~ {OUTCOME}", "low", "high")
