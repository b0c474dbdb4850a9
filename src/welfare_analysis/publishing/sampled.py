"""Shares of persons as tables that may be shown: small groups put together, what is too unsure without a number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from ..estimation import Estimate
from ..study import Study
from .marks import marks
from .modelled import By, released
from .plan import NUMBERS, Released
from .suppression import Policy, unsafe


def merged(study: Study, column: str, told: np.ndarray, rules: Policy) -> pd.Series:
    """A column of groups; those of few respondents among ``told`` are put with their siblings of the codebook."""
    found = study.frame[column].astype(object)
    size, parents = found[told].value_counts(), study.codebook.parent(column)
    wide = {parents.get(str(code), "") for code in size.index[size < rules.min_base]} - {""}
    found = found.replace({code: parent for code, parent in parents.items() if parent in wide})
    return found.where(found.notna(), None).rename(column)


def counted(
    estimate: Estimate, name: str, met: np.ndarray, rules: Policy, kind: str = "share", **fixed: str
) -> pd.DataFrame:
    """Shares of persons as rows, the variable as column ``name``: numbers, n, flag, numerator and unsafe.

    ``met`` (k,) are the respondents behind each share (or number of persons: ``kind`` is then ``amount``), ``fixed``
    columns that are the same in all rows.
    """
    table = estimate.bounded().rename(columns={"variable": name}).assign(flag=marks(estimate, kind), **fixed)
    return table.assign(numerator=met, unsafe=unsafe(table["n"].to_numpy(float), met, rules))


def shown(
    name: str, frame: pd.DataFrame, by: tuple[By, str], rules: Policy, told: tuple[int, int], unit: str = "share"
) -> Released:
    """A table (`modelled.released`) in which what is flagged as unsure has no number and says so.

    ``unit`` is one of shares, their differences (``share_points``) or ``place``: numbers that are not rounded.
    """
    hidden = frame["unsafe"].eq(True) if "unsafe" in frame else pd.Series(False, frame.index)
    unsure = ((frame["flag"] == "unsure") & ~hidden & (frame["n"] >= rules.min_base)).reset_index(drop=True)
    frame = frame.drop(columns="numerator", errors="ignore").reset_index(drop=True)
    frame.loc[unsure, NUMBERS] = np.nan
    table = released(name, frame, by, rules, told, "share" if unit != "persons" else unit)
    of = {"share": "share", "persons": "total"}.get(unit, "mean")
    flags = table.frame["flag"].mask(unsure, "unsure")
    return replace(table, frame=table.frame.assign(flag=flags), unit=unit, statistic=of)
