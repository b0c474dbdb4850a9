r"""Reliability: which estimates may be printed, with care or not at all, by rules that are passed in.

What an interval rests on is seen in the PSUs. With :math:`D_{hi} = T_{hi} - \bar T_h` the deviation of a PSU's
weighted influences from its stratum's mean and :math:`e_{hi} = c_h D_{hi}^2` its part of the variance V:

- ``dominance``, the largest :math:`e_{hi} / V`: what one case or PSU decides;
- ``skewness`` of the estimate, :math:`\sum c_h^{3/2} D_{hi}^3 / V^{3/2}`: two-sided t intervals lose about
  :math:`0.25` of its square in coverage (Hall 1992, section 3.5), and miss on one side;
- ``df_effective``, :math:`2 V^2 / \widehat{\mathrm{Var}}(\hat V)`: Satterthwaite's (1946) degrees of freedom, with the
  variance of :math:`\hat V` from the spread of the :math:`e_{hi}` in each stratum, at least that of normal answers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse

from ..errors import WelfareError
from .columns import one_of
from .design import Design
from .estimate import Estimate

FLAGS = ("ok", "caution", "suppress")
KINDS = ("share", "amount", "any", "model")
MEASURES = ("n", "n_effective", "df", "df_effective", "width", "relative_width", "cv", "dominance", "skewness")


@dataclass(frozen=True)
class Rule:
    """A ``measure`` ``below`` or ``above`` a ``value`` gives a ``flag``, of a ``kind``: share, amount, any, or model.

    Rules of any kind are of shares and amounts; what a model gives has rules of its own, for much of its error is that
    of the coefficients, which no sampling unit decides.

    ``unless_width`` spares shares whose interval is at most so wide: they are sure in absolute terms.
    """

    flag: str
    measure: str
    side: str
    value: float
    kind: str = "any"
    unless_width: float = -1.0

    def __post_init__(self) -> None:
        """Refuse what no rule can be."""
        known = {"flag": FLAGS[1:], "measure": MEASURES, "side": ("below", "above"), "kind": KINDS}
        for name, allowed in known.items():
            if getattr(self, name) not in allowed:
                got = getattr(self, name)
                raise WelfareError("unknown word in a rule", where=name, got=got, expected=" or ".join(allowed))
        if not self.value >= 0:
            raise WelfareError("a limit is not a number from 0 on", where=self.measure, got=self.value)

    def applies(self, kind: str) -> bool:
        """Whether it is a rule of values of a kind: its own, or shares and amounts where it is of any."""
        return self.kind == kind or (self.kind == "any" and kind != "model")

    def broken(self, measures: pd.DataFrame) -> np.ndarray:
        """Rows of a table of measures that break the rule; a measure that is not known does."""
        measure = measures[self.measure].to_numpy()
        met = measure >= self.value if self.side == "below" else measure <= self.value
        return ~met & ~(measures["width"].to_numpy() <= self.unless_width)


def rules(table: pd.DataFrame) -> tuple[Rule, ...]:
    """Rules from a table with their columns, as a file holds them; an empty cell is the default."""
    names = [c for c in Rule.__dataclass_fields__ if c in table]
    missing = sorted({"flag", "measure", "side", "value"} - set(names))
    if missing:
        raise WelfareError(
            "columns are missing", where="rules", got=missing, expected=", ".join(Rule.__dataclass_fields__)
        )
    return tuple(Rule(**row.dropna().to_dict()) for _, row in table[names].iterrows())


def reliability(estimate: Estimate, rules: Iterable[Rule], kind: str = "amount", level: float = 0.95) -> pd.DataFrame:
    """Measures of each value, its ``flag`` (ok, caution, suppress: the worst that a rule gives) and the ``reason``.

    ``kind`` says what the values are: rules of that kind and of any apply. The width is that of the interval at
    ``level``, relative to the value (of a share: to the smaller of it and its complement); n_effective is the
    `Estimate.respondents` over the domain's own design effect (`Estimate.deff`), at most n.
    """
    table = _measures(estimate, MEASURES, kind, level)
    broken = [(rule, rule.broken(table)) for rule in rules if rule.applies(kind)]
    reasons = [
        "; ".join(f"{r.measure} {table[r.measure].iloc[i]:.3g} {r.side} {r.value:g}" for r, hit in broken if hit[i])
        for i in range(len(table))
    ]
    return table.assign(flag=_worst(broken, len(table)), reason=reasons)


def flags(estimate: Estimate, rules: Iterable[Rule], kind: str = "amount", level: float = 0.95) -> np.ndarray:
    """The flags (k,) alone: only what the rules of the kind ask for is computed."""
    own = [rule for rule in rules if rule.applies(kind)]
    table = _measures(estimate, {rule.measure for rule in own}, kind, level)
    return _worst([(rule, rule.broken(table)) for rule in own], len(table))


def satterthwaite(estimate: Estimate) -> Estimate:
    """The same with ``df_effective`` where it is less than its degrees of freedom: wider intervals of any kind.

    Where few of few clusters hold the cases, PSUs less strata are too many (Satterthwaite 1946). Shares of 5 % in 12
    clusters of 50 that are alike by .2, or by .5 (beta-binomial, 10,000 samples each): intervals of 95 % on the logit
    scale, R's default and ours, hold 90 and 84 %, with these 92 and 94 %; Korn-Graubard's no more than the default.
    """
    df = np.minimum(estimate.df, np.maximum(_of_psus(estimate.design, estimate.influence)["df_effective"], 1.0))
    again = estimate.estimator
    return replace(estimate, df=df, estimator=None if again is None else lambda d: satterthwaite(again(d)))


def _worst(broken: list[tuple[Rule, np.ndarray]], count: int) -> np.ndarray:
    worst = np.zeros(count, dtype=int)
    for rule, hit in broken:
        worst[hit] = np.maximum(worst[hit], FLAGS.index(rule.flag))
    return np.array(FLAGS)[worst]


def _measures(estimate: Estimate, needed: Collection[str], kind: str, level: float) -> pd.DataFrame:
    """The measures that are needed, and the width."""
    one_of(kind, KINDS, "kind", "kind")
    value, se, bounds = estimate.value.to_numpy(float), estimate.se.to_numpy(), estimate.interval(level)
    width = (bounds["high"] - bounds["low"]).to_numpy()
    base = np.minimum(np.abs(value), np.abs(1 - value)) if kind == "share" else np.abs(value)
    n, df = estimate.counts["n"].to_numpy(float), estimate.df.to_numpy(float)
    columns = {"n": n, "df": df, "width": width, "relative_width": _over(width, base), "cv": _over(se, np.abs(value))}
    if "n_effective" in needed:
        effect = np.maximum(estimate.deff(replacement=True).to_numpy(), 1e-12)  # a census has none
        columns["n_effective"] = np.minimum(n, estimate.respondents()[0] / effect)
    if not {"dominance", "skewness", "df_effective"}.isdisjoint(needed):
        columns |= _of_psus(estimate.design, estimate.influence)
        columns["df_effective"] = np.minimum(df, columns["df_effective"])
        for name in ("dominance", "skewness"):
            columns[name] = np.where(se <= 0, 0.0, columns[name])  # the design leaves no error
    return pd.DataFrame({name: columns[name] for name in MEASURES if name in columns}, index=estimate.value.index)


def _over(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Ratios; 0 of nothing to nothing, infinite of something to nothing."""
    ratio = np.where(part > 0, np.inf, 0.0)
    return np.divide(part, whole, out=ratio, where=(whole > 0) & np.isfinite(part))


def _of_psus(design: Design, z: sparse.csr_array) -> dict[str, np.ndarray]:
    """Dominance, skewness and effective degrees of freedom (k,) of the weighted sums of influences ``z`` (n x k)."""
    psu, weight, strata = _psus(design)
    total = psu @ (sparse.diags_array(design.weights) @ z)
    known = design.residuals
    if known is not None:
        shift = np.asarray(psu @ (design.weights[:, None] * known.x[known.cells])) @ known.slopes(z)
        total = sparse.csr_array(total.toarray() - shift)
    count, k = np.bincount(strata), z.shape[1]
    cells = sparse.csr_array(total).tocoo()
    row, column = cells.coords
    x, place = np.sqrt(weight)[row] * cells.data, strata[row] * k + column

    def sums(values: np.ndarray | None) -> np.ndarray:
        return np.bincount(place, weights=values, minlength=len(count) * k).reshape(len(count), k)

    square = x * x
    s1, s2, s3, s4 = (sums(v) for v in (x, square, square * x, square * square))
    size = count[:, None]
    mean = s1 / size
    second = np.maximum(s2 - size * mean**2, 0.0)
    third = s3 - 3 * mean * s2 + 2 * size * mean**3
    fourth = s4 - 4 * mean * s3 + 6 * mean**2 * s2 - 3 * size * mean**4
    V = second.sum(axis=0)
    safe = np.where(V > 0, V, 1.0)
    inner = np.maximum(size - 1, 1)
    normal = 2 * second**2 / (inner + 2)  # of a sum of squares with size - 1 degrees of freedom
    spread = np.where(size > 2, (fourth - second**2 / size) * size / inner, 0.0)
    noise = np.maximum(normal, spread).sum(axis=0)
    largest = np.where(sums(None) < size, mean**2, 0.0).max(axis=0)  # of PSUs that have none of it
    np.maximum.at(largest, column, (x - mean[strata[row], column]) ** 2)
    return {
        "df_effective": np.where(
            V > 0, np.divide(2 * V**2, noise, out=np.full(len(V), np.inf), where=noise > 0), np.inf
        ),
        "dominance": np.where(V > 0, largest / safe, 0.0),
        "skewness": np.where(V > 0, np.abs(third.sum(axis=0)) / safe**1.5, 0.0),
    }


def _psus(design: Design) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
    """Rows by PSU (PSUs x n), the weight of each PSU's square in the variance, and its stratum; certain ones left out.

    The weight is the largest of the design's terms that weigh its rows, which for one stage is the variance itself.
    """
    row = np.zeros(design.n)
    for term in design.terms:
        if term.mix is None:
            np.maximum(row, term.coefficients[term.codes], out=row)
    row = row if row.any() else np.ones(design.n)  # replicate weights, or no error at all
    inside = np.flatnonzero(row > 0)
    _, psu = np.unique(design.sampling.psu[inside], return_inverse=True)
    shape = (int(psu.max()) + 1, design.n)
    rows = sparse.csr_array((np.ones(len(inside)), (psu, inside)), shape=shape)
    weight, stratum = np.zeros(shape[0]), np.zeros(shape[0], dtype=np.int64)
    np.maximum.at(weight, psu, row[inside])
    stratum[psu] = design.sampling.strata[inside]
    return rows, weight, np.unique(stratum, return_inverse=True)[1]
