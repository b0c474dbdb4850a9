r"""Willingness to pay: ratios of coefficients, with intervals that say when the data bound nothing.

What a person would pay for the change a of the attributes, at unchanged utility, is
:math:`W = -a'\beta / c'\beta`, c the weights that make up the coefficient of cost (Train 2009, section 2.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from ...errors import WelfareError
from ..columns import one_of
from ..estimate import Bounds, Estimate, t_bounds
from .logit import ChoiceFit
from .nested import NestedFit

WEAK = 3.0  # absolute t of the cost below which the ratio is far from normal
METHODS = ("auto", "delta", "fieller", "krinsky-robb")
Weights = str | Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Willingness(Estimate):
    """Willingness to pay; ``method`` says how intervals are made, ``notes`` what a reader must know."""

    method: str = "delta"
    joint: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list, repr=False)
    notes: tuple[str, ...] = ()

    def interval(self, level: float = 0.95) -> pd.DataFrame:
        """Bounds, and the ``set``: "between" them; or, with infinite bounds, "outside (a, b)" or "all numbers"."""
        if self.method != "fieller":
            return super().interval(level).assign(set="between")
        rows = [fieller(*pair, special.stdtrit(self.df.min(), (1 + level) / 2)) for pair in self.joint]
        return pd.DataFrame(rows, index=self.value.index, columns=["low", "high", "set"])


def willingness_to_pay(
    fit: ChoiceFit,
    attribute: Weights | Mapping[str, Weights],
    cost: Weights,
    method: str = "auto",
    rng: np.random.Generator | None = None,
    draws: int = 10_000,
) -> Willingness:
    """Willingness to pay for changes of attributes, in the unit of cost.

    Parameters
    ----------
    fit : ChoiceFit
        With a coefficient of cost that is the same for those of whom one value speaks.
    attribute : str, mapping of coefficient to weight, or mapping of name to either
        A change: ``"comfort"`` is one unit more of it, ``{"time": -60}`` an hour less, ``{"time": -60,
        "time:retired": -60}`` an hour less for a retired person. Several changes, with names of their own, are one
        estimate.
    cost : str or mapping of coefficient to weight
        The coefficient of cost, or the combination that it is for a group.
    method : {"auto", "delta", "fieller", "krinsky-robb"}
        How intervals are made. ``auto``: the delta method, and Fieller's where the t of cost is below 3, as the ratio
        is then far from normal.
    rng : Generator
        For Krinsky and Robb (1986): quantiles of ``draws`` ratios of coefficients with the design's covariance, drawn
        from Student's t with its degrees of freedom.

    Returns
    -------
    Willingness
        Its standard error is that of the delta method whatever the interval. A nest outside (0, 1], whose model is not
        one of utility, is named in ``notes``.

    Raises
    ------
    WelfareError
        A name that is no coefficient; a cost coefficient of zero, or that is normal in the population (its ratio has no
        moments: Daly, Hess and Train 2012) or otherwise random; a fit with ``scale="greene"``; Krinsky-Robb without
        ``rng``.
    """
    one_of(method, METHODS, "method")
    if method == "krinsky-robb" and rng is None:
        hint = "Pass rng=np.random.default_rng(seed)."
        raise WelfareError("draws need a generator", where="rng", expected="numpy's Generator", hint=hint)
    if isinstance(fit, NestedFit) and fit.blocked and not fit.tree.divided:
        raise WelfareError("no willingness to pay from this fit", where="scale", got=fit.blocked, expected="utility")
    changes = _changes(fit, attribute)
    A, c = np.array([_weights(fit, change) for change in changes.values()]), _weights(fit, cost)
    _simple(fit, A, c)
    beta, covariance = fit.value.to_numpy(), fit.covariance().to_numpy()
    below = float(c @ beta)
    if below == 0:
        raise WelfareError("the coefficient of cost is zero", where="cost", got=cost, expected="another coefficient")
    value = -(A @ beta) / below
    J = -(A + value[:, None] * c) / below
    index = pd.Index(list(changes), name="variable")
    weak = abs(below) < WEAK * np.sqrt(c @ covariance @ c)
    chosen = ("fieller" if weak else "delta") if method == "auto" else method
    pairs = [np.array([-a, c]) for a in A]
    bounds: Bounds = t_bounds
    if rng is not None and method == "krinsky-robb":
        df = float(fit.df.min())
        scale = np.sqrt(df / rng.chisquare(df, (draws, 1)))  # of a variance that so few degrees of freedom tell
        b = beta + scale * rng.multivariate_normal(np.zeros(len(beta)), covariance, draws, method="eigh")
        sampled = -(b @ A.T) / (b @ c)[:, None]

        def bounds(_: Estimate, level: float) -> tuple[np.ndarray, np.ndarray]:
            low, high = np.quantile(sampled, [(1 - level) / 2, (1 + level) / 2], axis=0)
            return low, high

    def ratios(v: pd.Series) -> pd.Series:
        return pd.Series(-(A @ v.to_numpy()) / (c @ v.to_numpy()), index=index, name="willingness_to_pay")

    estimate = replace(fit.apply(ratios, J), bounds=bounds)
    return Willingness(
        **{f.name: getattr(estimate, f.name) for f in fields(Estimate)},
        method=chosen,
        joint=[(pair @ beta, pair @ covariance @ pair.T) for pair in pairs],
        notes=(f"no model of utility: {fit.blocked}",) if isinstance(fit, NestedFit) and fit.blocked else (),
    )


def fieller(pair: np.ndarray, covariance: np.ndarray, t: float) -> tuple[float, float, str]:
    r"""Fieller's (1954) set of the ratio N / D of a ``pair`` of normal estimates with their covariance (2, 2).

    All :math:`\theta` with :math:`(N - \theta D)^2 \le t^2 (v_N - 2 \theta v_{ND} + \theta^2 v_D)`: an interval where
    D differs from zero at the level, else all numbers outside an interval, or all numbers.
    """
    spread = np.outer(pair, pair) - t**2 * covariance
    c, b, a = spread[0, 0], spread[0, 1], spread[1, 1]
    if a <= 0 and b * b <= a * c:
        return -np.inf, np.inf, "all numbers"
    root = np.sqrt(max(b * b - a * c, 0.0))
    low, high = sorted(((b - root) / a, (b + root) / a))
    return (low, high, "between") if a > 0 else (-np.inf, np.inf, f"outside ({low:.6g}, {high:.6g})")


def _changes(fit: ChoiceFit, attribute: Any) -> dict[str, Weights]:
    if isinstance(attribute, str):
        return {attribute: attribute}
    if not attribute:
        raise WelfareError("nothing to pay for", where="attribute", expected="a coefficient, or weights of several")
    if all(isinstance(weight, (int, float, np.number)) for weight in attribute.values()):
        return {" + ".join(f"{weight:g} {name}" for name, weight in attribute.items()): attribute}
    return dict(attribute)


def _weights(fit: ChoiceFit, change: Weights) -> np.ndarray:
    weights = {change: 1.0} if isinstance(change, str) else dict(change)
    absent = [name for name in weights if name not in fit.value.index]
    if absent:
        expected = f"among {list(fit.value.index)}"
        raise WelfareError("no such coefficient", where="willingness_to_pay", got=absent, expected=expected)
    return fit.value.index.map(lambda name: weights.get(name, 0.0)).to_numpy(float)


def _simple(fit: ChoiceFit, A: np.ndarray, c: np.ndarray) -> None:
    """Refuse a cost coefficient that differs between people, and an attribute's whose mean is not in the fit."""
    kinds = getattr(fit, "random", {})
    random = {f"log.{name}" if kind == "lognormal" else name: kind for name, kind in kinds.items()}
    cost = {name: random[name] for name in fit.value.index[c != 0] if name in random}
    if cost:
        raise WelfareError(
            "the cost coefficient is random, so a ratio to it has no single value, and if normal no mean",
            where="cost",
            got=cost,
            expected="a cost coefficient that is the same for all (Daly, Hess and Train 2012)",
            hint="Fit the model with a fixed cost coefficient.",
        )
    logs = [name for name in fit.value.index[(A != 0).any(axis=0)] if random.get(name) == "lognormal"]
    if logs:
        hint = "Use fit.apply() with the mean exp(m + s**2 / 2) or the median exp(m)."
        raise WelfareError("the coefficient is that of a logarithm", where="attribute", got=logs, hint=hint)
