r"""Mixed logit: coefficients that differ by person, by simulated maximum likelihood with the covariance of the design.

Person i has the coefficients :math:`\beta_{ik} = b_k + s_k z_{ik}` (normal) or :math:`e^{b_k + s_k z_{ik}}`
(lognormal), z independent standard normals that are the same in all her cases (Revelt and Train 1998); without persons,
each case is one. Her simulated probability is that of `kernel`, over draws of `simulation`; her score is the derivative
of its log, so the influence and the covariance are those of `fit`.

The sign of s is not identified, and its size is what is given; but on given draws each combination of signs is a mode.
The estimate is the best of several. It is computed again with other scrambles from other signs, and the covariance of
these estimates is that of a single one given the sample: ``extra_covariance["simulation"]``. It leaves out what they
have in common: too few draws lower the log-likelihood, and the best mode is one that the draws favour. Both errors fall
with the number of draws, and ``runs`` shows their size.

In the report this model runs on a stated probability subsample of at least 4,000 persons, one more phase of the design.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import cycle, product
from typing import Any

import numpy as np
import pandas as pd

from ...errors import WelfareError
from ..design import Design
from ..fit import Likelihood, inverse, maximise
from ..rerun import rerun
from .data import Cases, choices
from .logit import ChoiceFit, fitted, result, softmax
from .simulation import Draws, Panel, differences, net, supplied

SPREAD = 0.5  # where standard deviations start, in logs or in parts of the coefficient
FEW = 6  # with no more random coefficients than this, all signs are tried; else 2**FEW combinations
BLOCK = 1 << 20  # utilities that are predicted at a time


@dataclass(frozen=True, eq=False)
class Simulated:
    """The weighted simulated log-likelihood as a function of the parameters; ``random`` (K,) are columns of cases."""

    panel: Panel
    weights: np.ndarray
    random: np.ndarray

    def __call__(self, theta: np.ndarray) -> Likelihood:
        """Evaluate at coefficients (p,) and standard deviations (K,)."""
        from .kernel import compiled  # compilers are loaded by those who simulate

        p, K = self.panel.x.shape[1], len(self.random)
        order = np.concatenate([self.random, np.setdiff1d(np.arange(p), self.random)])
        back = np.concatenate([np.argsort(order), np.arange(p, p + K)])
        at = theta[self.random], theta[p:], theta[order[K:]]
        logs, scores, information = compiled(self.panel, *at, self.weights)
        scores = scores[:, back]
        return Likelihood(float(self.weights @ logs), self.weights @ scores, information[np.ix_(back, back)], scores)

    def maximum(self, start: np.ndarray, names: list[str]) -> tuple[np.ndarray, Likelihood]:
        """The maximum near a start."""
        try:
            return maximise(start, self, names, "mixed_logit")
        except WelfareError as error:
            what = "the estimation did not converge"
            got = f"{error.what}: {error.got}"
            hint = "Take fewer random coefficients or more draws; scale the attributes; a lognormal one must matter."
            raise WelfareError(what, where="mixed_logit", got=got, expected="a maximum", hint=hint) from None


@dataclass(frozen=True, eq=False)
class MixedFit(ChoiceFit):
    """A mixed logit: coefficients that are fixed, means (of the log where the name says so), standard deviations.

    Attributes
    ----------
    random : mapping of attribute to distribution
        A ratio to a normal coefficient has no mean and no variance (Daly, Hess and Train 2012): none is to be made.
    draws : Draws
        One row a row of the design; ``runs`` has the log-likelihood and the estimates of each scramble and start.
    """

    random: Mapping[str, str] = field(default_factory=dict)
    draws: Draws = field(default=None, repr=False)  # type: ignore[assignment]
    runs: pd.DataFrame = field(default=None, repr=False)

    @cached_property
    def boundary(self) -> tuple[str, ...]:
        """Standard deviations below two standard errors: too near to zero for a valid interval (Self, Liang 1987)."""
        sd = self.value.iloc[len(self.cases.names) :]
        return tuple(sd.index[sd < 2 * self.se[sd.index]])

    def interval(self, level: float = 0.95) -> pd.DataFrame:
        """Bounds, with a column that says whether they are valid: they are not at the ``boundary``."""
        return super().interval(level).assign(valid=~self.value.index.isin(self.boundary))

    def predict(self, theta: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities (rows,) and logsums (C,) in units of utility: means over the draws, not given past choices."""
        x = self.cases.x
        theta = self.value.to_numpy() if theta is None else theta
        columns, log = _columns(self.cases.names, self.random)
        p, case, ends = len(self.cases.names), self.cases.case, np.append(self.cases.start, len(x))
        known = np.delete(x, columns, axis=1) @ np.delete(theta[:p], columns)
        share, logsum = np.empty(len(x)), np.empty(len(ends) - 1)
        step = max(1, BLOCK // (int(np.diff(ends).max()) * self.draws.count))
        for low in range(0, len(logsum), step):
            high = min(low + step, len(logsum))
            rows = slice(ends[low], ends[high])
            beta = (
                theta[columns, None]
                + theta[p:, None] * self.draws.of(self.cases.person[low:high] % len(self.draws)).normals()
            )
            beta[:, log] = np.exp(beta[:, log])
            v = known[rows, None] + np.einsum("dk,dkr->dr", x[rows][:, columns], beta[case[rows] - low])
            each = softmax(v, self.cases.start[low:high] - ends[low])
            share[rows], logsum[low:high] = each[0].mean(axis=1), each[1].mean(axis=1)
        return share, logsum


@rerun
def mixed_logit(
    design: Design | None,
    long: pd.DataFrame,
    formula: str,
    case: str,
    alternative: str,
    random: Mapping[str, str],
    person: str | None = None,
    draws: int = 2048,
    starts: Any = 4,
    seeds: int = 4,
    rng: Any = 0,
    normals: np.ndarray | None = None,
) -> MixedFit:
    """Fit a mixed logit by weighted simulated maximum likelihood.

    Parameters
    ----------
    design, long, formula, case, alternative, person
        As for `choices`. A person's draws are the same in all her cases; without ``person`` each case is a person.
    random : mapping of attribute to "normal" or "lognormal"
        A lognormal coefficient is positive: multiply the attribute by minus one, as ``I(-cost)``, if it lowers utility.
        Its parameters, ``log.name`` and ``sd.log.name``, are mean and standard deviation of its log.
    draws : int
        A power of two, 2,048 or more for results that are used.
    starts : int or (s, p + K) array
        Climbs with the first scramble, the best of which is taken: from the logit, then from that maximum with other
        signs of the standard deviations, the most likely of all (each a mode of its own). Or values to start from.
    seeds : int
        Scrambles, at least two: their spread is the error of simulation.
    rng : Generator or int
        Says the scrambles and the signs.
    normals : (n, K, R) array, optional
        Draws of each row of the design, to compare programs. They tell nothing of the error of simulation: none is in
        the covariance.

    Raises
    ------
    WelfareError
        As for `choices` and `logit`; attributes or distributions that are not known; a lognormal coefficient that the
        logit finds negative; a number of draws that is no power of two; no convergence.
    """
    cases = choices(design, long, formula, case, alternative, person)
    columns, _ = _columns(cases.names, random)
    if normals is None and seeds < 2:
        raise WelfareError("one scramble has no spread", where="seeds", got=seeds, expected="two or more")
    chance = np.random.default_rng(rng)
    n, K = cases.design.n, len(columns)
    if normals is None:
        ranks = np.argsort(np.argsort(cases.design.index.map(str), kind="stable"))  # draws go with names, not places
        sets = [net(K, draws, n, chance).of(ranks) for _ in range(seeds)]
    else:
        sets = [supplied(normals, K, n)]
    signs = np.array(list(product((1.0, -1.0), repeat=K))[1:]) if K <= FEW else chance.choice([1.0, -1.0], (2**FEW, K))
    return _fitted(cases, dict(random), sets, starts, signs)


def _fitted(cases: Cases, random: dict[str, str], sets: list[Draws], starts: Any, signs: np.ndarray) -> MixedFit:
    columns, log = _columns(cases.names, random)
    p, names = len(cases.names), _names(cases.names, random)
    first, *others = (
        Simulated(panel, cases.design.weights[panel.units], columns)
        for panel in (differences(cases, columns, log, draws) for draws in sets)
    )
    flips = np.column_stack([np.ones((len(signs), p)), signs])
    begins = np.atleast_2d(starts).astype(float) if np.ndim(starts) else _start(cases, columns, log)
    tried = [first.maximum(begin, names) for begin in begins]
    if not np.ndim(starts):
        likely = sorted(flips, key=lambda flip: -first(tried[0][0] * flip).value)
        tried += [first.maximum(tried[0][0] * flip, names) for flip in likely[: starts - 1]]
    theta, at = max(tried, key=lambda run: run[1].value)
    again = [simulated.maximum(theta * flip, names) for simulated, flip in zip(others, cycle(flips), strict=False)]
    tried += again
    estimates = np.array([theta, *(point for point, _ in again)])
    runs = pd.DataFrame([point for point, _ in tried], columns=names)
    runs.insert(0, "log_likelihood", [run.value for _, run in tried])
    runs.insert(0, "scramble", np.maximum(np.arange(len(tried)) - (len(tried) - len(sets)), 0))
    sizes = np.column_stack([estimates[:, :p], np.abs(estimates[:, p:])])
    up = np.append(np.ones(p), np.where(theta[p:] < 0, -1.0, 1.0))
    scores = np.zeros((cases.n_cases, len(theta)))
    scores[np.unique(cases.person, return_index=True)[1]] = at.scores * up
    return result(
        MixedFit,
        cases,
        names,
        theta * up,
        Likelihood(at.value, at.gradient * up, at.information * np.outer(up, up), scores),
        extra_covariance=_edge(theta, at.information, first.weights, p)
        | ({"simulation": np.cov(sizes.T)} if others else {}),
        again=lambda part: _fitted(part, random, sets, starts, signs),
        random=random,
        draws=sets[0].mirrored(up[p:]),
        runs=runs,
    )


def _edge(theta: np.ndarray, information: np.ndarray, weights: np.ndarray, p: int) -> dict[str, np.ndarray]:
    """Variance by the second derivative of standard deviations near zero: their scores vanish, and tell none."""
    variance = np.diagonal(inverse(information)) * weights.mean()
    near = (np.arange(len(theta)) >= p) & (theta**2 < 4 * variance)
    return {"boundary": np.diag(np.where(near, variance, 0.0))} if near.any() else {}


def _columns(names: list[str], random: Mapping[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """Columns (K,) with random coefficients, and whether each is lognormal."""
    unknown = [name for name in random if name not in names]
    if unknown or not random:
        expected = f"some of {', '.join(names)}"
        raise WelfareError("no such attribute", where="random", got=unknown, expected=expected)
    strange = [kind for kind in random.values() if kind not in ("normal", "lognormal")]
    if strange:
        raise WelfareError("unknown distribution", where="random", got=strange, expected="normal or lognormal")
    return np.array([names.index(name) for name in random]), np.array([k == "lognormal" for k in random.values()])


def _names(names: list[str], random: Mapping[str, str]) -> list[str]:
    log = {name: f"log.{name}" if random.get(name) == "lognormal" else name for name in names}
    return [*log.values(), *(f"sd.{log[name]}" for name in random)]


def _start(cases: Cases, columns: np.ndarray, log: np.ndarray) -> np.ndarray:
    """The logit's coefficients, and standard deviations of half their size, or of half the log's unit (1, p + K)."""
    beta = fitted(cases).value.to_numpy().copy()
    negative = [cases.names[j] for j in columns[log] if beta[j] <= 0]
    if negative:
        hint, expected = f"Multiply it by minus one: I(-{negative[0]}).", "attributes that raise utility"
        what = "a lognormal coefficient is negative"
        raise WelfareError(what, where="random", got=negative, expected=expected, hint=hint)
    sd = np.where(log, SPREAD, SPREAD * np.abs(beta[columns]))
    beta[columns[log]] = np.log(beta[columns[log]])
    return np.append(beta, sd)[None, :]
