"""Estimates of one sample side by side, with their covariance: so that a function of several is an estimate again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ..errors import WelfareError
from .estimate import Estimate


def joint(estimates: Mapping[str, Estimate]) -> Estimate:
    """Several estimates as one, values named by (estimate, its own names); they come from one design.

    Influences are stacked (Deville 1999), so covariances between the estimates are kept; named extra covariances are
    taken as independent from one estimate to the next.

    Raises
    ------
    WelfareError
        No estimate, or estimates of different designs: their covariance is not known.
    """
    parts = list(estimates.values())
    if not parts or any(e.design is not parts[0].design for e in parts):
        raise WelfareError("estimates are not of one design", where="joint", expected="one or more of the same design")
    names = [(name, *(k if isinstance(k, tuple) else (k,))) for name, e in estimates.items() for k in e.value.index]
    depth = max(map(len, names))
    index = pd.MultiIndex.from_tuples([(*name, *[""] * (depth - len(name))) for name in names])
    extra = [sum(map(sparse.csr_array, e.extra_covariance.values()), _nothing(len(e.value))) for e in parts]
    whole = sparse.block_diag(extra, format="csr")
    return Estimate(
        pd.Series(pd.concat([e.value for e in parts]).to_numpy(), index=index),
        parts[0].design,
        lambda: sparse.hstack([e.influence for e in parts], format="csr"),
        pd.Series(pd.concat([e.df for e in parts]).to_numpy(), index=index),
        pd.concat([e.counts for e in parts]).set_axis(index),
        extra_covariance={"joint": whole} if whole.nnz else {},
        push=partial(_combined, parts),
    )


def _combined(parts: Sequence[Estimate], matrix: sparse.csr_array) -> Any:
    """Influences of linear combinations: the sum of those of each part."""
    ends = np.cumsum([len(e.value) for e in parts])
    blocks = (matrix[:, end - len(e.value) : end] for e, end in zip(parts, ends, strict=True))
    return sum(e.combined(block) for e, block in zip(parts, blocks, strict=True))


def _nothing(k: int) -> sparse.csr_array:
    return sparse.csr_array((k, k))
