"""Estimates of one sample side by side, with their covariance: so that a function of several is an estimate again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ..errors import WelfareError
from .design import Design
from .estimate import Estimate


def joint(estimates: Mapping[Any, Estimate], names: Sequence[Hashable] = ()) -> Estimate:
    """Several estimates as one, values named by (estimate, its own names); they come from one design.

    ``names`` are those of the levels of the estimates; with them the levels of their own keep theirs, where all agree.

    Influences are stacked (Deville 1999), so covariances between the estimates are kept; named extra covariances are
    taken as independent from one estimate to the next. Intervals are those of each, as of a share or a quantile.

    Raises
    ------
    WelfareError
        No estimate, or estimates of different designs: their covariance is not known.
    """
    parts = list(estimates.values())
    if not parts or any(not isinstance(e, Estimate) or e.design is not parts[0].design for e in parts):
        raise WelfareError("estimates are not of one design", where="joint", expected="one or more of the same design")
    rows = [(*_key(key), *_key(k)) for key, e in estimates.items() for k in e.value.index]
    depth = max(map(len, rows))
    index = pd.MultiIndex.from_tuples([(*row, *[""] * (depth - len(row))) for row in rows])
    own = [tuple(e.value.index.names) for e in parts]
    if names and len(set(own)) == 1:
        index = index.set_names([*names, *own[0]])
    moved = [e.deviations for e in parts if e.deviations is not None]
    extra = {}
    if any(e.extra_covariance for e in parts):
        empty = [sparse.csr_array((len(e.value),) * 2) for e in parts]
        each = [sum(map(sparse.csr_array, e.extra_covariance.values()), z) for e, z in zip(parts, empty, strict=True)]
        extra = {"joint": sparse.block_diag(each, format="csr")}

    def again(design: Design) -> Estimate:
        return joint({name: e.estimator(design) for name, e in estimates.items()}, names)

    return Estimate(
        pd.Series(pd.concat([e.value for e in parts]).to_numpy(), index=index),
        parts[0].design,
        lambda: sparse.hstack([e.influence for e in parts], format="csr"),
        pd.Series(pd.concat([e.df for e in parts]).to_numpy(), index=index),
        pd.concat([e.counts for e in parts]).set_axis(index),
        partial(_bounds, parts),
        extra_covariance=extra,
        push=partial(_combined, parts),
        estimator=again if all(e.estimator is not None for e in parts) else None,
        positive=np.concatenate([np.broadcast_to(e.positive, len(e.value)) for e in parts]),
        deviations=np.hstack(moved) if len(moved) == len(parts) else None,
    )


def by_domain(
    design: Design, by: Any, estimator: Callable[[Design, np.ndarray], Estimate], where: Any = None
) -> Estimate:
    """Any estimate in each level of ``by`` (a Series, or several), with the covariance between the domains.

    Parameters
    ----------
    estimator : callable
        Of the design and a mask (n,) of the rows of a domain, as ``lambda d, rows: linear(d, f, "y ~ x", where=rows)``.

    Raises
    ------
    WelfareError
        As for `domains.domains`; what the estimator raises.
    """
    parts = design.domains(by, where, design.names)
    if parts.labels is None:
        raise WelfareError("there is no domain", where="by", expected="a Series, or several")
    estimates = {label: estimator(design, parts.codes == d) for d, label in enumerate(parts.labels)}
    return joint(estimates, parts.labels.names)


def _key(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _bounds(parts: Sequence[Estimate], _: Estimate, level: float) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.hstack([e.bounds(e, level) for e in parts])
    return low, high


def _combined(parts: Sequence[Estimate], matrix: sparse.csr_array) -> Any:
    """Influences of linear combinations: the sum of those of each part."""
    ends = np.cumsum([len(e.value) for e in parts])
    blocks = (matrix[:, end - len(e.value) : end] for e, end in zip(parts, ends, strict=True))
    return sum(e.combined(block) for e, block in zip(parts, blocks, strict=True))
