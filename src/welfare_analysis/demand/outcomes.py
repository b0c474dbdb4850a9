r"""What a change of the commute does to people: shares, hours and money.

With :math:`p_{im}` the probability that person i goes by m and v any amount that goes with a way (hours, DH), the
change of :math:`\sum_m p_{im} v_{im}` is what people save. People alike in all that the model knows are one situation:
each is computed once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ..errors import WelfareError
from ..estimation import Design, Estimate, total
from ..estimation.choice import ChoiceFit
from ..estimation.choice.forecast import Forecast, forecast
from ..estimation.choice.population import Calibrated, Model, Target, modelled, target
from ..estimation.domains import Domains
from . import stated

VARIABLES = ("before", "after", "saved")
VALUES = ("hours", "dh", "borne_dh")  # a month; borne: by whoever signs an agreement


@dataclass(frozen=True, eq=False)
class Situations:
    """Alternatives of each kind of person, and who is of which kind.

    Attributes
    ----------
    long : DataFrame
        One row an alternative of a situation (``row``): the columns of the model and of `VALUES`; ``known``, if it is
        there, is added to the utility.
    of : (n,) array
        Row of ``names`` of each person; -1 for those of whom it is not known.
    names : Index
        Situations.
    """

    long: pd.DataFrame
    of: np.ndarray
    names: pd.Index

    def target(self, model: Model) -> Target:
        """The situations as cases of a model."""
        known = "known" if "known" in self.long else None
        return target(model, Design(pd.Series(1.0, index=self.names)), self.long, {}, "row", known)

    def amounts(self, to: Target) -> np.ndarray:
        """`VALUES` (rows x values) in the order of the cases."""
        return self.long[list(VALUES)].to_numpy(float)[to.cases.order]


def alike(frame: pd.DataFrame, rows: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Situation (n,) of each row of a frame, -1 outside ``rows``, and a row that stands for each situation."""
    code, first = np.full(len(frame), -1), frame[rows]
    code[rows.to_numpy()], _ = pd.factorize(pd.MultiIndex.from_frame(first.astype(object)))
    return code, first.index[~first.duplicated().to_numpy()]


def outcomes(
    fit: ChoiceFit | Calibrated,
    design: Design,
    base: Situations,
    changed: Mapping[str, Situations],
    by: Any = None,
    where: Any = None,
) -> Forecast:
    """Means a person of what changes do, each against the base, in one forecast, by (variable, name, domain).

    Returns
    -------
    Forecast
        Variables ``<change>.before`` and ``<change>.after``: shares by alternative; ``<change>.saved``: `VALUES` before
        less after, a month. `of` gives those of one change.

    Raises
    ------
    WelfareError
        Situations that are not the same.
    """
    model = modelled(fit)
    if any(not base.names.equals(one.names) for one in changed.values()):
        raise WelfareError("situations are not those of the base", where="changed", expected="the same situations")
    there = (base.of >= 0).astype(float)[:, None]
    first = base.target(model)
    made = {name: _change(model, base, first, one) for name, one in changed.items()}
    known = np.hstack([one.table(model.theta) for one in made.values()])
    names = [(f"{change}.{variable}", name) for change, one in made.items() for variable, name in one.names]
    cases = replace(first.cases, person=np.flatnonzero(base.of >= 0), design=design)

    def measure(_: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return known[base.of] * there, there

    def slopes(_: Model, to: Target, parts: Domains) -> np.ndarray:
        inside = (base.of >= 0) & (parts.codes >= 0)
        place = parts.codes[inside], base.of[inside]
        sums = sparse.csr_array((design.weights[inside], place), shape=(parts.count, len(base.names)))
        return np.vstack([one.slopes(sums) for one in made.values()])

    return forecast(model, replace(first, cases=cases), measure, names, ["variable", "name"], by, where, slopes)


def of(found: Forecast, change: str, *variables: str) -> Forecast:
    """Variables of one change of `outcomes` (all if none is named), under their own names."""
    kept = found.part([f"{change}.{v}" for v in (variables or VARIABLES)])
    first, *others = (kept.value.index.get_level_values(i) for i in range(kept.value.index.nlevels))
    own = pd.MultiIndex.from_arrays([first.map(lambda v: v.partition(".")[2]), *others], names=kept.value.index.names)
    return replace(kept, value=kept.value.set_axis(own), df=kept.df.set_axis(own), counts=kept.counts.set_axis(own))


def _change(model: Model, base: Situations, first: Target, changed: Situations) -> _Change:
    tos = [first, changed.target(model)]
    return _Change(model, tos, [s.amounts(to) for s, to in zip((base, changed), tos, strict=True)])


def change(fit: ChoiceFit | Calibrated, base: Situations, changed: Situations) -> pd.DataFrame:
    """What each situation (rows) gets of a change, by (variable, name) as in `outcomes`; without errors."""
    model = modelled(fit)
    found = _change(model, base, base.target(model), changed)
    return pd.DataFrame(found.table(model.theta), index=base.names, columns=pd.MultiIndex.from_tuples(found.names))


@dataclass(frozen=True, eq=False)
class _Change:
    """What each situation gets of a change, at any coefficients."""

    model: Model
    tos: list[Target]
    amounts: list[np.ndarray]

    @cached_property
    def present(self) -> np.ndarray:
        """Alternatives that are there before or after."""
        return np.unique(np.concatenate([to.cases.alternative for to in self.tos]))

    @property
    def names(self) -> list[tuple[str, str]]:
        """Columns of `table`."""
        labels = [self.tos[1].cases.alternatives[a] for a in self.present]
        return [*product(("before", "after"), labels), *(("saved", v) for v in VALUES)]

    def table(self, theta: np.ndarray) -> np.ndarray:
        """Situations x (shares before, shares after, what is saved)."""
        shares, sums = zip(*map(partial(_situations, self.model, theta), self.tos, self.amounts), strict=True)
        return np.hstack([*(s[:, self.present] for s in shares), sums[0] - sums[1]])

    def slopes(self, sums: sparse.csr_array) -> np.ndarray:
        """Derivatives (columns of `table` x domains, coefficients) of weighted sums (domains x situations)."""
        theta, steps, own = self.model.theta, self.model.steps, len(self.model.fit.value)
        x = np.any([to.cases.x.any(axis=0) for to in self.tos], axis=0)  # what is zero throughout moves nothing
        moved = np.concatenate([x, np.ones(own - len(x), dtype=bool), np.ones(len(theta) - own, dtype=bool)])
        if any(str(name).startswith("scale[") for name in self.model.fit.value.index[len(x) :]):
            moved[len(x) : own] = False  # forecasts are on the scale of the reference
        found = np.zeros((len(self.present) * 2 + len(VALUES), sums.shape[0], len(theta)))
        for j in np.flatnonzero(moved):
            step = steps[j] * (np.arange(len(theta)) == j)
            gap = self.table(theta + step) - self.table(theta - step)
            found[:, :, j] = (sums @ gap).T / (2 * steps[j])
        return found.reshape(-1, len(theta))


def _situations(model: Model, theta: np.ndarray, to: Target, v: np.ndarray) -> tuple[np.ndarray, ...]:
    """Shares (situations x alternatives) and sums of amounts (situations x values)."""
    p, width = model.predict(to, theta)[0], len(to.cases.alternatives)
    count, own = to.cases.design.n, to.cases.person[to.cases.case]
    shares = np.bincount(own * width + to.cases.alternative, p, count * width).reshape(count, width)
    sums = np.column_stack([np.bincount(own, p * column, count) for column in v.T])
    return shares, sums


def totals(found: Forecast, who: pd.Series, by: Any = None, where: Any = None) -> Estimate:
    """`outcomes` as sums over all people of a mask, the unknown like the others, by the same domains."""
    inside = who if where is None else who & where
    size = total(found.design, who.astype(float).rename("people"), by=by, where=inside)
    return stated.times(found, size, found.value.index)


def pick(estimate: Estimate, keys: Mapping[Any, Any], factor: float = 1.0) -> Estimate:
    """Some values of an estimate under other names: ``keys`` maps a name to that of a value; all times a factor."""
    at = estimate.value.index.get_indexer(pd.Index(list(keys.values())))
    rows = sparse.csr_array((np.full(len(at), factor), (np.arange(len(at)), at)), shape=(len(at), len(estimate.value)))
    names = list(keys)
    index = pd.MultiIndex.from_tuples(names) if isinstance(names[0], tuple) else pd.Index(names)
    return estimate.apply(lambda v: pd.Series(factor * v.to_numpy()[at], index=index), rows)
