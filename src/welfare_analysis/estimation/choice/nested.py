r"""Nested logit with one level of nests, each with its own dissimilarity.

With :math:`V_j` the utility and :math:`\lambda_m` the dissimilarity of nest m (Daly and Zachary 1978; Train 2009,
eq. 4.2-4.5): :math:`P_j = P_{j|m} P_m`, :math:`P_{j|m} \propto e^{V_j/\lambda_m}`,
:math:`I_m = \ln\sum_{j \in m} e^{V_j/\lambda_m}`, :math:`P_m \propto e^{\lambda_m I_m}`. All :math:`\lambda` in (0, 1]
are consistent with utility maximisation, 1 is the logit. The scale ``greene`` leaves :math:`V_j` undivided inside nests
(Greene and Hensher's tables); it is no utility model unless all :math:`\lambda` are equal (Koppelman and Wen 1998).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import numpy as np
import pandas as pd

from ...errors import WelfareError
from ..columns import one_of
from ..design import Design
from ..fit import Likelihood, maximise
from ..rerun import rerun
from .data import Cases, choices
from .logit import ChoiceFit, fitted, means, result, softmax, spread

EDGE = 1e-4  # the smallest lambda: below, chance plays no part inside the nest
STARTS = (1.0, 0.5)


@dataclass(frozen=True, eq=False)
class Tree:
    """Rows in groups (the nests of a case), each with a lambda.

    Attributes
    ----------
    nest : (alternatives,) array
        Nest of each alternative of ``cases``.
    number : (nests,) array
        Which of the lambdas, named ``names``, is that of the nest; -1: it is 1.
    divided : bool
        Whether utilities are divided by lambda inside groups.
    """

    cases: Cases
    nest: np.ndarray
    number: np.ndarray
    names: list[str]
    divided: bool

    @cached_property
    def groups(self) -> np.ndarray:
        """Case and nest (rows,) of each row, as one number."""
        return self.cases.case * len(self.number) + self.nest[self.cases.alternative]

    @cached_property
    def order(self) -> np.ndarray:
        """Rows (rows,) of ``cases`` sorted by group."""
        return np.argsort(self.groups, kind="stable")

    @cached_property
    def first(self) -> np.ndarray:
        """First row in order (groups,) of each group."""
        return np.flatnonzero(np.diff(self.groups[self.order], prepend=-1))

    @cached_property
    def top(self) -> np.ndarray:
        """First group (C,) of each case."""
        return np.flatnonzero(np.diff(self.cases.case[self.first], prepend=-1))

    @cached_property
    def parameter(self) -> np.ndarray:
        """Which of the lambdas (groups,) is that of the group; -1: it is 1."""
        return self.number[self.nest[self.cases.alternative[self.order[self.first]]]]

    @cached_property
    def x(self) -> np.ndarray:
        """Attributes (rows, p) in order."""
        return self.cases.x[self.order]

    @cached_property
    def sizes(self) -> np.ndarray:
        """Rows (groups,) of each group."""
        return np.diff(self.first, append=len(self.order))

    @cached_property
    def chosen(self) -> tuple[np.ndarray, np.ndarray]:
        """Row and group (C,) of what was chosen."""
        row = np.argsort(self.order)[self.cases.chosen]
        return row, np.repeat(np.arange(len(self.first)), self.sizes)[row]

    @cached_property
    def own(self) -> np.ndarray:
        """Indicator (groups, lambdas) of the lambda of each group."""
        return (self.parameter[:, None] == np.arange(len(self.names))).astype(float)

    def levels(self, theta: np.ndarray) -> tuple[np.ndarray, ...]:
        """At coefficients and lambdas: probabilities inside groups (rows,) and of groups (groups,), utilities (rows,)
        inside groups, their logsums, those of cases (C,), and lambda (groups,).
        """  # noqa: D205
        p = self.x.shape[1]
        lam, u = np.append(theta[p:], 1.0)[self.parameter], self.x @ theta[:p]
        if self.divided:
            u /= np.repeat(lam, self.sizes)
        inside, inclusive = softmax(u, self.first)
        across, logsum = softmax(lam * inclusive, self.top)
        return inside, across, u, inclusive, logsum, lam


@dataclass(frozen=True, eq=False)
class NestedFit(ChoiceFit):
    """A nested logit; lambdas come last in ``value``.

    Attributes
    ----------
    fixed : names of the nests of one alternative, whose lambda is 1.
    boundary : names of the values whose interval is not valid: lambdas above 1.
    """

    tree: Tree = field(default=cast(Tree, None), repr=False)
    fixed: tuple[str, ...] = ()
    boundary: tuple[str, ...] = ()

    def predict(self, theta: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities (rows,) and logsums (C,); see `ChoiceFit.predict`."""
        tree, theta = self.tree, self.value.to_numpy() if theta is None else theta
        inside, across, _, _, logsum, _ = tree.levels(theta)
        p = np.empty(len(inside))
        p[tree.order] = inside * np.repeat(across, tree.sizes)
        return p, logsum

    def interval(self, level: float = 0.95) -> pd.DataFrame:
        """Bounds, with a column that says whether they are valid: they are not at the ``boundary``."""
        return super().interval(level).assign(valid=~self.value.index.isin(self.boundary))


@rerun
def nested_logit(
    design: Design | None,
    long: pd.DataFrame,
    formula: str,
    case: str,
    alternative: str,
    nests: Mapping[str, Iterable[Any]],
    person: str | None = None,
    same_scale: bool = False,
    scale: str = "utility",
) -> NestedFit:
    """Fit a nested logit by weighted maximum likelihood.

    Parameters
    ----------
    design, long, formula, case, alternative, person
        As for `choices`.
    nests : mapping of name to alternatives
        Alternatives that are not named stand alone.
    same_scale : bool
        One lambda for all nests.
    scale : "utility" or "greene"
        ``greene`` reproduces published tables and is refused for money and welfare.

    Returns
    -------
    NestedFit
        With ``blocked`` set where a lambda is outside (0, 1], or the scale is ``greene``.

    Raises
    ------
    WelfareError
        As for `choices` and `maximise`; nests that overlap or name no alternative; no nest of two alternatives; a
        lambda that goes to 0.
    """
    one_of(scale, ("utility", "greene"), "scale", "scale")
    cases = choices(design, long, formula, case, alternative, person)
    return _fitted(cases, {str(name): list(named) for name, named in nests.items()}, same_scale, scale == "utility")


def _fitted(cases: Cases, members: dict[str, list], same_scale: bool, divided: bool) -> NestedFit:
    tree = _tree(cases, members, same_scale, divided)
    flat = fitted(cases)
    starts = [np.append(flat.value, np.full(len(tree.names), lam)) for lam in STARTS]
    theta, at = climbed(tree, starts)
    free = pd.Series(theta[len(cases.names) :], index=tree.names)
    outside = [f"{name} = {lam:.4g}" for name, lam in free.items() if lam > 1]
    blocked = f"{', '.join(outside)}: outside (0, 1] there is no utility" if outside else ""
    return result(
        NestedFit,
        cases,
        [*cases.names, *tree.names],
        theta,
        at,
        blocked=blocked if divided else "the scale 'greene' only reproduces published tables",
        again=lambda part: _fitted(part, members, same_scale, divided),
        tree=tree,
        fixed=tuple(name for name, named in members.items() if len(named) == 1 and divided),
        boundary=tuple(free.index[free > 1]) if divided else (),
    )


def _tree(cases: Cases, members: dict[str, list], same_scale: bool, divided: bool) -> Tree:
    listed = [a for named in members.values() for a in named]
    known = set(cases.alternatives)
    if not set(listed) <= known or len(set(listed)) < len(listed):
        got = sorted({str(a) for a in listed if a not in known or listed.count(a) > 1})
        expected = f"each of {list(cases.alternatives)} in one nest at most"
        raise WelfareError("nests overlap, or name what is no alternative", where="nests", got=got, expected=expected)
    several = [name for name, named in members.items() if len(named) > 1]
    if not several:
        raise WelfareError("no nest has two alternatives", where="nests", got=members, hint="Use logit().")
    free = several if divided else list(members)
    alone = [[a] for a in cases.alternatives if a not in listed]
    of = {a: m for m, named in enumerate([*members.values(), *alone]) for a in named}
    nest = np.array([of[a] for a in cases.alternatives])
    number = [(0 if same_scale else free.index(name)) if name in free else -1 for name in members]
    names = ["lambda"] if same_scale else [f"lambda[{name}]" for name in free]
    return Tree(cases, nest, np.array(number + [-1] * len(alone)), names, divided)


def climbed(tree: Tree, starts: list[np.ndarray]) -> tuple[np.ndarray, Likelihood]:
    """The highest of the maxima from several starts, and the likelihood there."""
    maxima, errors = [], []
    for start in starts:
        try:
            names = [*tree.cases.names, *tree.names]
            maxima.append(maximise(start, lambda theta: evaluated(tree, theta), names, "nested_logit"))
        except WelfareError as error:
            errors.append(error)
    if not maxima:
        hint = "Where it goes to 0, leave its nest out."
        got = f"{', '.join(tree.names)}: {errors[0].what}"
        expected = f"values above {EDGE}"
        raise WelfareError("no maximum was found", where="nested_logit", got=got, expected=expected, hint=hint)
    return max(maxima, key=lambda one: one[1].value)


def evaluated(tree: Tree, theta: np.ndarray) -> Likelihood:
    r"""Weighted log-likelihood, gradient and information, and the unweighted scores (C, q).

    The log-probability is that of a softmax of u inside the nest plus that of one of :math:`G_m = \lambda_m I_m`
    across nests; each has the second derivative :math:`f_i'' - \sum P f'' - Cov_P(f')`.
    """
    p, w, (row, group), own = tree.x.shape[1], tree.cases.weights, tree.chosen, tree.own
    inside, across, u, inclusive, logsum, lam = tree.levels(theta)
    if tree.divided and (lam < EDGE).any():
        return Likelihood(-np.inf, theta, np.eye(len(theta)))
    long = np.repeat(own / lam[:, None], tree.sizes, axis=0) if tree.divided else np.zeros((len(u), len(tree.names)))
    inner = np.hstack([tree.x / np.repeat(lam, tree.sizes)[:, None] if tree.divided else tree.x, -u[:, None] * long])
    mean = means(inner, inside, tree.first)
    outer = lam[:, None] * mean
    outer[:, p:] += inclusive[:, None] * own
    middle = means(outer, across, tree.top)
    scores = inner[row] - mean[group] + outer[group] - middle
    value = float(w @ (u[row] + ((lam - 1) * inclusive)[group] - logsum))
    w_group = w[tree.cases.case[tree.order[tree.first]]]
    hit = np.bincount(group, minlength=len(lam))
    weight = np.repeat(w_group * (hit - lam * (hit - across)), tree.sizes) * inside
    info = spread(inner, mean, weight, tree.first) + spread(outer, middle, w_group * across, tree.top)
    cross = -(own * (w_group * (hit - across))[:, None]).T @ mean  # of G by its lambda and all
    weight[row] -= w
    cross[:, :p] -= (long * weight[:, None]).T @ inner[:, :p]  # of u by lambda and beta, then twice by lambda
    cross[:, p:] += np.diag(weight @ (u[:, None] * long**2))
    info[p:] += cross
    info[:, p:] += cross.T
    return Likelihood(value, w @ scores, info, scores)
