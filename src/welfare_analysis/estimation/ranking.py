r"""Rankings: the Plackett-Luce model, or exploded logit, with the covariance of the design.

A ranking is a row of choices: the best of all, the best of what is left, and so on. With worths :math:`v_j` of item j,
and :math:`R_r` the items that are left at stage r,

.. math:: P(j_1 \succ j_2 \succ \dots) = \prod_r e^{v_{j_r}} \Big/ \sum_{k \in R_r} e^{v_k}

(Plackett 1975; Beggs, Cardell and Hausman 1981; Allison and Christakis 1994); ties as in `exploded`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse import csgraph

from ..errors import WelfareError
from .columns import matrix, one_of
from .design import Design
from .estimate import Estimate
from .exploded import MOST, Rankings, likelihood
from .fit import Fit, Likelihood, estimated, maximise
from .hypotheses import Test, wald
from .joint import joint
from .means import shared_rows
from .rerun import rerun


@dataclass(frozen=True, eq=False)
class RankFit(Fit):
    """Worths of all items but the first, whose worth is 0, then scales of stages."""

    rankings: Rankings = field(default=None, repr=False)  # type: ignore[assignment]

    def worths(self) -> Estimate:
        """Worths of all items, on the scale where they add up to zero (their index is called as the ranks' columns)."""
        items = self.rankings.items
        spread = (np.eye(len(items)) - 1 / len(items))[:, 1:]
        jacobian = np.hstack([spread, np.zeros((len(items), len(self.value) - len(items) + 1))])
        return self.apply(lambda v: pd.Series(jacobian @ v.to_numpy(), index=items, name="worth"), jacobian)


class Pooling(NamedTuple):
    """The test that all stages have the scale of the first, and the fit with a scale for each."""

    test: Test
    fit: RankFit


@rerun
def plackett_luce(
    design: Design | None,
    ranks: pd.DataFrame,
    unranked: str = "below",
    depth: int | None = None,
    scales: bool = False,
    where: Any = None,
) -> RankFit:
    r"""Fit worths to rankings.

    Parameters
    ----------
    design : Design or None
        A row a person; None: a simple random sample of persons.
    ranks : DataFrame (n x J)
        A column an item; 1 for the best, equal numbers where tied, missing where not ranked.
    unranked : {"below", "missing"}
        Whether items without a rank are worse than those with one, or not compared (see `unranked_matters`).
    depth : int, optional
        Ranks that are used: 1 keeps the first choice alone. Deeper ranks may be noisier: see `pooling`.
    scales : bool
        Whether worths are multiplied by a scale :math:`\mu_r` at stage r, with :math:`\mu_1 = 1` (Hausman and
        Ruud 1987): parameters "scale:2", ...
    where : boolean mask (n,), optional
        The persons whom the fit speaks of.

    Returns
    -------
    RankFit
        ``null_log_likelihood`` is that of worths all 0. Persons without a rank are counted as missing.

    Raises
    ------
    WelfareError
        Fewer than two items; ranks that are not whole numbers from 1 to J; an item that nobody ranked; items that
        always come before (or after) others, whose worth would be infinite (Ford 1957); no convergence.
    """
    _checked(ranks, unranked, depth)
    design = Design(pd.Series(1.0, index=ranks.index)) if design is None else design
    rows = shared_rows(design, ranks)
    inside = design.domains(None, where, rows).codes == 0
    place = np.where(inside[:, None], _places(matrix(ranks, design.n, rows, "ranks")[0]), 0)
    items, deepest = ranks.columns.rename(ranks.columns.name or "item"), int(place.max())
    _ordered(place, items, unranked == "below", depth)
    data = Rankings.of(items, place, unranked == "below", min(deepest, depth or deepest))
    return _fitted(design, data, inside, scales)


def _fitted(design: Design, data: Rankings, inside: np.ndarray, scales: bool) -> RankFit:
    weights, free = data.weights(design.weights), [str(i) for i in data.items[1:]]
    scaled = sorted(set(data.stage.tolist()) - {0}) if scales else []
    names = [*free, *(f"scale:{stage + 1}" for stage in scaled)]

    def evaluate(theta: np.ndarray) -> Likelihood:
        return likelihood(data, weights, theta, scaled[: len(theta) - len(free)])

    start = np.zeros(len(free))
    theta, at = maximise(start, evaluate, free, "plackett_luce")
    if scaled:  # they are identified where worths differ, and come second
        theta, at = maximise(np.append(theta, np.ones(len(scaled))), evaluate, names, "plackett_luce")
    there = (data.at >= 0).any(axis=1) & inside
    return estimated(
        RankFit,
        design,
        pd.Series(theta, index=pd.Index(names, name="variable")),
        data.of_persons(at.scores),
        at.information,
        there,
        inside,
        log_likelihood=at.value,
        null_log_likelihood=evaluate(start).value,
        n_cases=int(there.sum()),
        rankings=data,
    )


def pooling(fit: RankFit) -> Pooling:
    r"""Test whether later ranks say the same as the first, up to noise: :math:`\mu_2 = \mu_3 = \dots = 1`.

    Wald's statistic with the design's covariance (Hausman and Ruud 1987, section 3; `wald`). Where it rejects, use
    fewer ranks (``depth``) or the fit with scales.

    Raises
    ------
    WelfareError
        Rankings of one stage; as for `wald`.
    """
    free = _fitted(fit.design, fit.rankings, fit.rows, scales=True)
    names = [name for name in free.value.index if str(name).startswith("scale:")]
    if not names:
        raise WelfareError("there is one stage, so no scale to test", where="pooling", expected="second choices")
    return Pooling(wald(free.apply(lambda v: v[names]), 1.0), free)


@rerun
def unranked_matters(design: Design | None, ranks: pd.DataFrame, **options: Any) -> Estimate:
    """Worths with unranked items "below", as "missing", and the difference, by (variable, item): one `Estimate`."""
    design = Design(pd.Series(1.0, index=ranks.index)) if design is None else design
    pair = {rule: plackett_luce(design, ranks, unranked=rule, **options).worths() for rule in ("below", "missing")}
    both, k = joint(pair, ["variable"]), ranks.shape[1]
    every = sparse.vstack([sparse.eye_array(2 * k), sparse.hstack([sparse.eye_array(k), -sparse.eye_array(k)])])
    names = pd.MultiIndex.from_product([[*pair, "difference"], ranks.columns], names=["variable", "item"])
    return both.apply(lambda v: pd.Series(every @ v.to_numpy(), index=names), every)


def _checked(ranks: Any, unranked: str, depth: int | None) -> None:
    if not isinstance(ranks, pd.DataFrame) or ranks.shape[1] < 2:
        got = list(ranks.columns) if isinstance(ranks, pd.DataFrame) else type(ranks).__name__
        raise WelfareError("nothing to rank", where="ranks", got=got, expected="a frame with two items or more")
    one_of(unranked, ("below", "missing"), "unranked", "rule")
    if ranks.shape[1] > MOST:
        raise WelfareError("too many items", where="ranks", got=ranks.shape[1], expected=f"at most {MOST}")
    if depth is not None and depth < 1:
        raise WelfareError("no rank is used", where="depth", got=depth, expected="1 or more")


def _places(ranks: np.ndarray) -> np.ndarray:
    """Places without gaps (n x J) from ranks, 0 where missing."""
    there, J = ~np.isnan(ranks), ranks.shape[1]
    ranked = np.where(there, ranks, 1.0)
    bad = (ranked != np.round(ranked)) | (ranked < 1) | (ranked > J)
    if bad.any():
        row = int(np.flatnonzero(bad.any(axis=1))[0])
        what = f"{int(bad.sum())} ranks are not places, the first in row {row}"
        got = float(ranked[row][bad[row]][0])
        raise WelfareError(what, where="ranks", got=got, expected=f"whole numbers from 1 to {J}, or missing")
    taken = np.stack([(there & (ranks == r)).sum(axis=1) for r in range(1, J + 1)], axis=1)
    dense = np.cumsum(taken > 0, axis=1)
    return np.where(there, np.take_along_axis(dense, ranked.astype(int) - 1, axis=1), 0)


def _ordered(place: np.ndarray, items: pd.Index, below: bool, depth: int | None) -> None:
    """Every item must be beaten by, and beat, the others along some chain, or no worths maximise (Ford 1957)."""
    never = list(items[place.max(axis=0) == 0])
    if never:
        raise WelfareError("nobody ranked an item", where="ranks", got=never, hint="Leave it out.")
    limit = place.max() if depth is None else depth
    later = np.where((place == 0) & below, np.iinfo(np.int64).max, place)
    beats = np.stack(
        [((place > 0) & (place <= limit) & (place < later[:, [k]])).any(axis=0) for k in range(len(items))], axis=1
    )
    groups, of = csgraph.connected_components(sparse.csr_array(beats), connection="strong")
    if groups > 1:
        sets = [list(items[of == g]) for g in range(groups)]
        hint = "Leave items out, use more ranks, or let ties be resolved."
        what = "some items always come before others, so their worths have no bound"
        expected = "every item beaten by the others at times, and beating them"
        raise WelfareError(what, where="ranks", got=sets, expected=expected, hint=hint)
