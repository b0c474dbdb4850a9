"""The same condition under other standards: what a number owes to the line that was drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from welfare_analysis.errors import WelfareError
from welfare_analysis.needs import commuting, housing, income_debt


@dataclass(frozen=True)
class Varied:
    """An indicator, the standards that it uses by default, and the one that is varied."""

    function: Callable[..., pd.Series]
    standards: Any
    parameter: str

    @property
    def default(self) -> float:
        """The value that the headline uses."""
        return float(getattr(self.standards, self.parameter))


VARIED = {
    "crowded": Varied(housing.crowded, housing.STANDARDS, "crowded_above_n"),
    "cost_burdened": Varied(housing.cost_burdened, housing.STANDARDS, "burden_above_share"),
    "over_debt_limit": Varied(income_debt.over_debt_limit, income_debt.STANDARDS, "limit_share"),
    "commute_long": Varied(commuting.commute_long, commuting.STANDARDS, "long_above_min"),
}


def under(frame: pd.DataFrame, name: str, values: Sequence[float]) -> pd.DataFrame:
    """An indicator under each value of its standard.

    Parameters
    ----------
    frame : DataFrame
        A row a respondent, with the columns that the indicator needs.
    name : str
        One of `VARIED`.
    values : sequence of float
        In the unit of the standard; all else stays at its default.

    Returns
    -------
    DataFrame
        A boolean column a value (missing as in the indicator), in the order given.

    Raises
    ------
    WelfareError
        An indicator whose standard is not varied, or a column that is absent.
    """
    if name not in VARIED:
        raise WelfareError("its standard is not varied", where=name, expected=", ".join(VARIED))
    varied = VARIED[name]
    return pd.DataFrame(
        {value: varied.function(frame, replace(varied.standards, **{varied.parameter: value})) for value in values}
    )
