r"""What a fitted choice model says of everybody: shares, numbers, scenarios, elasticities and welfare.

A forecast is a weighted mean over people of something that depends on the coefficients,
:math:`F(\theta) = \sum_i w_i a_i(\theta) / \sum_i w_i b_i(\theta)` (sample enumeration: Ben-Akiva and Lerman 1985,
section 6.3). Its influence has two parts, :math:`(a_i - F b_i) / \sum w b` of the people in it, and
:math:`(\partial F / \partial\theta)\, z_i` of the coefficients, z their influence. Where model and forecast are of one
sample the parts are correlated and add up in one influence; else the second is a covariance of its own.

A person with several cases counts once: each case has an equal part of the person's weight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
from scipy import sparse

from ...errors import WelfareError
from ..design import Design
from ..domains import Domains, domains
from ..estimate import Estimate, describe, scatter, t_bounds
from ..shares import logit_bounds
from .logit import ChoiceFit, means
from .population import STEP, Calibrated, Model, New, Target, linear, modelled, target

CLOSE = 1e-13  # how near calibrated shares come to those known
ROUNDING = 1e-10  # a variance below this share of its parts, which cancel, is rounding of derivatives
COLUMNS = 256  # values whose covariance is taken at a time

Measure = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Forecast(Estimate):
    """An estimate with the two parts of its error: the people in the sample, and the coefficients.

    Attributes
    ----------
    people : (n, k) sparse array
        Influence with the coefficients taken as known.
    jacobian : (k, q) array
        Derivative by the coefficients.
    shared : bool
        Whether the coefficients come from the same design.
    """

    people: sparse.csr_array = field(default=cast(Any, None), repr=False)
    jacobian: np.ndarray = field(default_factory=lambda: np.empty((0, 0)), repr=False)
    model: Model = field(default=cast(Model, None), repr=False)
    shared: bool = True
    parts: Domains = field(default=cast(Domains, None), repr=False)

    @cached_property
    def _columns(self) -> sparse.csc_array:
        return sparse.csc_array(self.people)

    def _joint(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Covariances of some values: of the people, of the coefficients, and of one with the other and back."""
        k, J, people = len(columns), self.jacobian[columns], self._columns[:, columns]
        if not self.shared:
            own = self.model.fit.design.covariance(self.model.influence)
            return self.design.covariance(people), J @ own @ J.T, np.zeros((k, k))
        joint = self.design.covariance(sparse.hstack([people, self.model.influence]))
        across = J @ joint[k:, :k]
        return joint[:k, :k], J @ joint[k:, k:] @ J.T, across + across.T

    @cached_property
    def _diagonals(self) -> np.ndarray:
        """The diagonals (3, k) of `_joint`, some values at a time: domains apart have little in common."""
        groups = np.array_split(np.arange(len(self.value)), -(-len(self.value) // COLUMNS))
        return np.hstack([[np.diagonal(part) for part in self._joint(columns)] for columns in groups])

    def _further(self) -> list[sparse.csr_array]:
        return [sparse.csr_array(c) for name, c in self.extra_covariance.items() if name != "coefficients"]

    @cached_property
    def _variance(self) -> np.ndarray:
        people, coefficients, across = self._diagonals
        total = people + coefficients + across
        total = np.where(total <= ROUNDING * (people + coefficients), 0.0, total)
        total = sum((extra.diagonal() for extra in self._further()), total)
        return np.where(np.isnan(total), np.inf, total)

    def covariance(self) -> pd.DataFrame:
        """Covariance matrix (k x k), without building the influences."""
        matrix = sum(self._joint(np.arange(len(self.value))), np.zeros(()))
        matrix = sum((extra.toarray() for extra in self._further()), matrix)
        np.fill_diagonal(matrix, self._variance)
        return pd.DataFrame(matrix, index=self.value.index, columns=self.value.index)

    def part(self, variables: list[str], total: bool = False) -> Forecast:
        """Some of the variables; as totals, the means times the weighted number of people in each domain."""
        keep = np.flatnonzero(self.value.index.get_level_values("variable").isin(variables))
        value, people, J = self.value.iloc[keep], self.people[:, keep], self.jacobian[keep]
        size = self.counts["n_weighted"].iloc[keep].to_numpy() if total else np.ones(len(keep))
        if total:
            level = value.to_numpy().reshape(-1, self.parts.count).T[np.maximum(self.parts.codes, 0)]
            people = people @ sparse.diags_array(size) + scatter(level, self.parts)
        S = sparse.diags_array(size)
        return replace(
            self,
            value=value * size,
            compute=_influence(people, size[:, None] * J, self.model, self.shared),
            df=self.df.iloc[keep],
            counts=self.counts.iloc[keep],
            bounds=t_bounds if total else self.bounds,
            extra_covariance={n: S @ sparse.csr_array(c)[keep][:, keep] @ S for n, c in self.extra_covariance.items()},
            people=people,
            jacobian=size[:, None] * J,
        )

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """Long table: estimate, se, low, high; se_people and se_coefficients, were the other known; counts."""
        people, coefficients = np.sqrt(np.maximum(self._diagonals[:2], 0))
        errors = pd.DataFrame({"se_people": people, "se_coefficients": coefficients}, index=self.value.index)
        columns = [self.value.rename("estimate"), self.se, self.interval(level), errors, self.counts]
        return pd.concat(columns, axis=1).reset_index()


class Scenario(NamedTuple):
    """Shares and numbers before, after, and their difference, by alternative; surplus in the unit of cost.

    ``surplus`` is the mean, a case and person; ``total_surplus`` its sum over the people. None without a cost.
    """

    shares: Forecast
    numbers: Forecast
    surplus: Forecast | None
    total_surplus: Forecast | None


def predicted_shares(
    fit: ChoiceFit | Calibrated,
    design: Design | None = None,
    frame: pd.DataFrame | None = None,
    by: Any = None,
    where: Any = None,
    person: str | None = None,
    offset: str | None = None,
) -> Forecast:
    """Shares of alternatives, by (variable, alternative, domain): the "before" of a `scenario` without a change."""
    model = modelled(fit)
    design = model.fit.cases.design if design is None else design
    to = target(model, design, frame, {}, person, offset)
    names = [("share", a) for a in to.cases.alternatives]

    def measure(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p = to.by_person(model.predict(to, theta)[0], len(names))
        return p, np.ones((len(p), 1))

    slopes = _slopes if model.plain and model.constants is None else None
    return _forecast(model, to, measure, names, ["variable", "alternative"], by, where, slopes)


def scenario(
    fit: ChoiceFit | Calibrated,
    design: Design | None,
    changed: pd.DataFrame,
    base: pd.DataFrame | None = None,
    cost: str | None = None,
    new: Mapping[Any, New] | None = None,
    by: Any = None,
    where: Any = None,
    person: str | None = None,
    offset: str | None = None,
) -> Scenario:
    r"""What changes when attributes, or the alternatives, do.

    Parameters
    ----------
    fit : ChoiceFit or Calibrated
        A model; calibrated to known shares (`calibrated`) for forecasts of a market.
    design : Design or None
        Of the people of the forecast; None: of the fit.
    changed : DataFrame
        Long format as for the fit, without the choice: attributes as they would be. A row that is left out is an
        alternative that is not available.
    base : DataFrame, optional
        The same cases as they are; absent: those of the fit.
    cost : str, optional
        Coefficient of cost, for the surplus: :math:`(L_1 - L_0) / -\beta_c`, L the logsum of a case, in the unit of
        cost a case (Small and Rosen 1981; nested: :math:`\ln \sum_m e^{\lambda_m I_m}`).
    new : mapping of alternative to New
        Alternatives of ``changed`` that the fit does not know.
    by, where
        Domains of the rows of ``design``.
    person, offset : str, optional
        Columns of the frames, as they were for the fit; ``person`` is needed only with another design.

    Returns
    -------
    Scenario
        Forecasts by (variable, alternative, domain): before, after, difference; the surplus by domain.

    Raises
    ------
    WelfareError
        A fit that is ``blocked`` (lambda outside (0, 1], scale "greene"); other cases than in the base; alternatives
        that are unknown, or twice in a case; a cost that also enters in another form, that is random, or whose
        coefficient is not negative: the marginal utility of money would not be constant.
    """
    model = modelled(fit)
    if model.fit.blocked:
        raise WelfareError("no scenario from this fit", where="fit", got=model.fit.blocked, expected="a utility model")
    design = model.fit.cases.design if design is None else design
    if base is None and design is not model.fit.cases.design:
        raise WelfareError("people of another design need a base", where="base", expected="a long frame")
    one, two = (
        target(model, design, base, {}, person, offset),
        target(model, design, changed, new or {}, person, offset),
    )
    if not one.cases.labels.sort_values().equals(two.cases.labels.sort_values()):
        got = f"{len(two.cases.labels)} cases, of {len(one.cases.labels)} in the base"
        raise WelfareError("cases are not those of the base", where="changed", got=got, expected="the same cases")
    kinds, width = ["before", "after", "difference"], len(two.cases.alternatives)
    names = [(kind, a) for kind in kinds for a in two.cases.alternatives]
    if cost is not None:
        linear(model.fit, cost)
        if model.fit.value[cost] >= 0:
            slope = float(model.fit.value[cost])
            raise WelfareError("the coefficient of cost is not negative", where=cost, got=slope, expected="below 0")
        names.append(("surplus", ""))
    money = None if cost is None else model.fit.value.index.get_loc(cost)

    def measure(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        (p, low), (q, high) = (model.predict(to, theta) for to in (one, two))
        before, after = one.by_person(p, width), two.by_person(q, width)
        tables = [before, after, after - before]
        if money is not None:
            sums = [np.bincount(to.cases.person, v * to.part, design.n) for to, v in ((one, low), (two, high))]
            tables.append(((sums[1] - sums[0]) / -theta[money])[:, None])
        return np.hstack(tables), np.ones((design.n, 1))

    every = _forecast(model, one, measure, names, ["variable", "alternative"], by, where)
    surplus = (None, None) if cost is None else (every.part(["surplus"]), every.part(["surplus"], total=True))
    return Scenario(every.part(kinds), every.part(kinds, total=True), *surplus)


def elasticities(
    fit: ChoiceFit | Calibrated,
    attribute: str,
    design: Design | None = None,
    frame: pd.DataFrame | None = None,
    by: Any = None,
    where: Any = None,
    person: str | None = None,
    offset: str | None = None,
) -> Forecast:
    r"""Point elasticities of aggregate shares, by (alternative, changed, domain).

    By how many per cent the share of ``alternative`` rises when ``attribute`` of the alternative ``changed`` rises by
    one per cent for everybody: the probability-weighted mean of the elasticities of persons (Ben-Akiva and Lerman 1985,
    eq. 6.13). The attribute enters linearly, in one coefficient of this name.
    """
    model = modelled(fit)
    linear(model.fit, attribute)
    design = model.fit.cases.design if design is None else design
    to = target(model, design, frame, {}, person, offset)
    place = cast(int, model.fit.value.index.get_loc(attribute))
    labels, width = to.cases.alternatives, len(to.cases.alternatives)

    def measure(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p, cases = model.predict(to, theta)[0], to.cases
        moves = []
        for alternative in range(width):
            push = theta[place] * cases.x[:, place] * (cases.alternative == alternative)
            if model.plain:
                move = p * (push - np.bincount(cases.case, p * push)[cases.case])
            else:
                up, down = (model.predict(to, theta, sign * STEP * push)[0] for sign in (1, -1))
                move = (up - down) / (2 * STEP)
            moves.append(to.by_person(move, width))
        return np.hstack(moves), np.tile(to.by_person(p, width), (1, width))

    names = [(own, other) for other in labels for own in labels]
    return _forecast(model, to, measure, names, ["alternative", "changed"], by, where)


def calibrated(fit: ChoiceFit, shares: Mapping[Any, float]) -> Calibrated:
    r"""Add constants to the utilities so that the weighted shares of the fit's cases are the ``shares`` known.

    Newton's method on :math:`\ln S(\delta) = \ln s`, from Berry's (1994) first step. What is taken as fixed are the
    shares alone: the constants depend on the people of the sample and on the coefficients, and their influence
    :math:`-(\partial S / \partial\delta)^{-1} (z_S + \partial S / \partial\theta\, z)` goes into every forecast.

    Raises
    ------
    WelfareError
        Shares that are not positive, do not add up to 1, or are not of the fit's alternatives; no convergence.
    """
    model, labels = modelled(fit), fit.cases.alternatives
    known = pd.Series(shares, dtype=float)
    if set(known.index) != set(labels) or not (known > 0).all() or abs(known.sum() - 1) > 1e-9:
        expected = f"positive shares of {list(labels)} that add up to 1"
        raise WelfareError("the shares cannot be reached", where="shares", got=known.to_dict(), expected=expected)
    target_shares = known[labels].to_numpy()
    to, w, m = target(model, fit.cases.design, None, {}, None, None), fit.cases.design.weights, len(fit.value)
    size = w[np.unique(fit.cases.person)].sum()

    def table(theta: np.ndarray) -> np.ndarray:
        return to.by_person(model.predict(to, theta)[0], len(labels))

    def share(theta: np.ndarray) -> np.ndarray:
        return w @ table(theta) / size

    now = share(np.append(model.theta, np.zeros(len(labels) - 1)))
    first = np.log(target_shares / now)
    theta = np.append(model.theta, first[1:] - first[0])
    steps = np.append(model.steps, np.full(len(labels) - 1, STEP))
    for _ in range(50):
        now = share(theta)
        if np.abs(now - target_shares).max() < CLOSE:
            break
        move = np.linalg.solve(_derivative(share, theta, steps, m)[1:], (target_shares - now)[1:])
        theta[m:] += move / max(1.0, np.abs(move).max())
    else:
        got = dict(zip(labels, now, strict=True))
        raise WelfareError("the constants did not converge", where="shares", got=got, expected=str(dict(known)))
    slope = _derivative(share, theta, steps)[1:]

    def influence() -> np.ndarray:
        there = np.zeros((fit.design.n, 1))
        there[fit.cases.person] = 1
        people = (table(theta) - target_shares * there)[:, 1:] / size
        return -(people + fit.influence @ slope[:, :m].T) @ np.linalg.inv(slope[:, m:]).T

    index = pd.Index(labels[1:], name="alternative")
    counts = pd.DataFrame({c: fit.counts[c].min() for c in fit.counts}, index=index)
    df = pd.Series(fit.df.min(), index=index)
    return Calibrated(fit, Estimate(pd.Series(theta[m:], index=index), fit.design, influence, df, counts))


def _derivative(f: Callable[[np.ndarray], np.ndarray], at: np.ndarray, steps: np.ndarray, first: int = 0) -> np.ndarray:
    """Central differences (k, q) by the parameters from ``first`` on."""
    moves = np.diag(steps)[first:]
    return np.column_stack([(f(at + h) - f(at - h)) / (2 * h.max()) for h in moves])


def _influence(people: sparse.csr_array, jacobian: np.ndarray, model: Model, shared: bool) -> Callable[[], Any]:
    return lambda: people + sparse.csr_array(model.influence @ jacobian.T) if shared else people


def _slopes(model: Model, to: Target, parts: Domains) -> np.ndarray:
    r"""Derivative (alternatives x domains, p) of weighted sums of logit shares: of row j :math:`p_j (x_j - \bar x)`."""
    cases, p = to.cases, model.predict(to, model.theta)[0]
    person = cases.person[cases.case]
    domain = parts.codes[person]
    rows = np.flatnonzero(domain >= 0)
    weight = (cases.design.weights[person] * to.part[cases.case] * p)[rows]
    cell = cases.alternative[rows] * parts.count + domain[rows]
    shape = (len(cases.alternatives) * parts.count, len(p))
    return sparse.csr_array((weight, (cell, rows)), shape=shape) @ (
        cases.x - means(cases.x, p, cases.start)[cases.case]
    )


def _bounds(estimate: Estimate, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Bounds on the logit scale for shares, by t for what may be negative."""
    share = estimate.value.index.get_level_values("variable").isin(["before", "after", "share"])
    plain, within = t_bounds(estimate, level), logit_bounds(estimate, level)
    return np.where(share, within[0], plain[0]), np.where(share, within[1], plain[1])


def _forecast(
    model: Model,
    to: Target,
    measure: Measure,
    names: list,
    levels: list[str],
    by: Any,
    where: Any,
    slopes: Callable[[Model, Target, Domains], np.ndarray] | None = None,
) -> Forecast:
    """The ratio of the weighted sums of a measure (n, k) and its denominator in each domain.

    ``slopes`` gives the derivative of the sums where it is known; else it is a difference.
    """
    design = to.cases.design
    parts = domains(design.n, by, where, design.names)
    there = np.bincount(to.cases.person, minlength=design.n) > 0
    parts = Domains(np.where(there, parts.codes, -1), parts.labels)
    told = describe(design, parts, there[:, None], ["forecast"])
    w, k, shared = design.weights[:, None], len(names), design is model.fit.design

    def sums(theta: np.ndarray) -> list[np.ndarray]:
        return [parts.sums(values * w) for values in measure(theta)]

    top, bottom = measure(model.theta)
    size = parts.sums(bottom * w)
    value, row = parts.sums(top * w) / size, np.maximum(parts.codes, 0)
    people = scatter((top - value.T[row] * bottom) / size.T[row], parts)

    def ratio(theta: np.ndarray) -> np.ndarray:
        return np.divide(*sums(theta)).ravel()

    jacobian = (
        _derivative(ratio, model.theta, model.steps)
        if slopes is None
        else slopes(model, to, parts) / np.tile(size.ravel(), k)[:, None]
    )
    domain = [()] if parts.labels is None else [d if isinstance(d, tuple) else (d,) for d in parts.labels]
    of = [] if parts.labels is None else list(parts.labels.names)
    index = pd.MultiIndex.from_tuples([(*name, *d) for name in names for d in domain], names=[*levels, *of])
    J = sparse.csr_array(jacobian[:, : len(model.fit.value)])
    extra: dict[str, Any] = {n: J @ sparse.csr_array(c) @ J.T for n, c in model.fit.extra_covariance.items()}
    if (told.evidence == 1).any():
        extra["untold"] = sparse.diags_array(np.tile(np.where(told.evidence == 1, np.inf, 0.0), k))
    if not shared:
        extra["coefficients"] = jacobian @ model.fit.design.covariance(model.influence) @ jacobian.T
    return Forecast(
        pd.Series(value.ravel(), index=index, name="forecast"),
        design,
        _influence(people, jacobian, model, shared),
        pd.Series(np.minimum(np.tile(told.df, k), model.fit.df.min()), index=index),
        pd.concat([told.counts] * k).set_axis(index),
        _bounds if levels[0] == "variable" else t_bounds,
        extra,
        people,
        jacobian,
        model,
        shared,
        parts,
    )
