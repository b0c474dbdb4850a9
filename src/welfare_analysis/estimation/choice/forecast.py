r"""What a fitted choice model says of everybody, with both errors.

A forecast is a weighted mean over people of something that depends on the coefficients,
:math:`F(\theta) = \sum_i w_i a_i(\theta) / \sum_i w_i b_i(\theta)` (sample enumeration: Ben-Akiva and Lerman 1985,
section 6.3). Its influence has two parts, :math:`(a_i - F b_i) / \sum w b` of the people in it, and
:math:`(\partial F / \partial\theta)\, z_i` of the coefficients, z their influence. Model and forecast are of one
sample: the parts are correlated and add up in one influence. The people are those of a finite population, the
coefficients those of a model: a fit with the sample's `Design.superpopulation` adds what its population, itself a draw,
may differ from the model (an extra covariance, ``superpopulation``).

A person with several cases counts once: each case has an equal part of the person's weight.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from scipy import sparse

from ...errors import WelfareError
from ..design import Design
from ..domains import Domains
from ..estimate import Bounds, Estimate, describe, scatter, t_bounds
from .logit import ChoiceFit
from .population import Target

ROUNDING = 1e-10  # a variance below this share of its parts, which cancel, is rounding of derivatives
STEP = 1e-3  # of a coefficient, in standard errors, for derivatives
COLUMNS = 256  # values whose covariance is taken at a time

OWN: WeakKeyDictionary[Any, np.ndarray] = WeakKeyDictionary()
Measure = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Forecast(Estimate):
    """An estimate with the two parts of its error: the people in the sample, and the coefficients.

    Attributes
    ----------
    people : (n, k) sparse array by columns
        Influence with the coefficients taken as known.
    jacobian : (k, q) array
        Derivative by the coefficients.
    """

    people: sparse.csc_array = field(default=cast(Any, None), repr=False)
    jacobian: np.ndarray = field(default_factory=lambda: np.empty((0, 0)), repr=False)
    fit: ChoiceFit = field(default=cast(ChoiceFit, None), repr=False)

    def _joint(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Covariances of some values: of the people, of the coefficients, and of one with the other and back."""
        k, J, people = len(columns), self.jacobian[columns], self.people[:, columns]
        joint = self.design.covariance(sparse.hstack([people, self.fit.influence]))
        across = J @ joint[k:, :k]
        return joint[:k, :k], J @ joint[k:, k:] @ J.T, across + across.T

    @cached_property
    def _diagonals(self) -> np.ndarray:
        """The diagonals (3, k) of `_joint`, some values at a time: domains apart have little in common."""
        groups = np.array_split(np.arange(len(self.value)), -(-len(self.value) // COLUMNS))
        return np.hstack([[np.diagonal(part) for part in self._joint(columns)] for columns in groups])

    @cached_property
    def _variance(self) -> np.ndarray:
        people, coefficients, across = self._diagonals
        total = people + coefficients + across
        total = np.where(total <= ROUNDING * (people + coefficients), 0.0, total)
        total = sum((sparse.csr_array(c).diagonal() for c in self.extra_covariance.values()), total)
        return np.where(np.isnan(total), np.inf, total)

    def _linear(self) -> np.ndarray:
        return sum(self._joint(np.arange(len(self.value))), np.zeros(()))  # without building the influences


def derivative(f: Callable[[np.ndarray], np.ndarray], at: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Central differences (k, q) by the parameters."""
    return np.column_stack([(f(at + h) - f(at - h)) / (2 * h.max()) for h in np.diag(steps)])


def _own(fit: ChoiceFit, design: Design) -> np.ndarray:
    """Covariance of the population's own coefficients, kept for a fit: what that of the sample lacks of the model's."""
    if fit not in OWN:
        OWN[fit] = fit.design.covariance(fit.influence) - design.covariance(fit.influence)
    return OWN[fit]


def forecast(
    fit: ChoiceFit,
    to: Target,
    measure: Measure,
    names: list,
    levels: list[str],
    by: Any,
    where: Any,
    slopes: Callable[[ChoiceFit, Target, Domains], np.ndarray] | None = None,
    bounds: Bounds = t_bounds,
) -> Forecast:
    """The ratio of the weighted sums of a measure (n, k) and its denominator in each domain.

    ``slopes`` gives the derivative of the sums where it is known; else it is a difference.
    """
    design = to.cases.design
    if not design.of_same_rows(fit.design):
        hint = "Fit the model with a design that has the rows of all, with where= or weights of zero."
        raise WelfareError("people of another sample are not forecast", where="design", hint=hint)
    parts = design.domains(by, where, design.names)
    there = np.bincount(to.cases.person, minlength=design.n) > 0
    parts = Domains(np.where(there, parts.codes, -1), parts.labels)
    described = describe(design, parts, there[:, None], ["forecast"])
    w, k = design.weights[:, None], len(names)

    def sums(theta: np.ndarray) -> list[np.ndarray]:
        return [parts.sums(values * w) for values in measure(theta)]

    theta = fit.value.to_numpy()
    top, bottom = measure(theta)
    size = parts.sums(bottom * w)
    value, row = parts.sums(top * w) / size, np.maximum(parts.codes, 0)
    people = sparse.csc_array(scatter((top - value.T[row] * bottom) / size.T[row], parts))

    def ratio(theta: np.ndarray) -> np.ndarray:
        return np.divide(*sums(theta)).ravel()

    jacobian = (
        derivative(ratio, theta, STEP * np.sqrt(np.diagonal(fit.bread) * fit.scale))
        if slopes is None
        else slopes(fit, to, parts) / np.tile(size.ravel(), k)[:, None]
    )
    domain = [()] if parts.labels is None else [d if isinstance(d, tuple) else (d,) for d in parts.labels]
    of = [] if parts.labels is None else list(parts.labels.names)
    index = pd.MultiIndex.from_tuples([(*name, *d) for name in names for d in domain], names=[*levels, *of])
    J = sparse.csr_array(jacobian)
    extra: dict[str, Any] = {n: J @ sparse.csr_array(c) @ J.T for n, c in fit.extra_covariance.items()}
    if (described.evidence == 1).any():
        extra["not estimable"] = sparse.diags_array(np.tile(np.where(described.evidence == 1, np.inf, 0.0), k))
    if fit.design is not design:
        extra["superpopulation"] = jacobian @ _own(fit, design) @ jacobian.T

    def combined(matrix: sparse.csr_array) -> sparse.csr_array:
        return people @ matrix.T + sparse.csr_array(fit.influence @ (matrix @ jacobian).T)

    return Forecast(
        pd.Series(value.ravel(), index=index),
        design,
        lambda: combined(sparse.eye_array(len(index))),
        pd.Series(np.minimum(np.tile(described.df, k), fit.df.min()), index=index),
        pd.concat([described.counts] * k).set_axis(index),
        bounds,
        extra,
        people,
        jacobian,
        fit,
        push=combined,
    )
