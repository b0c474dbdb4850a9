r"""What comes first: the rankings of a random third of the forms, as shares of first places and as worths.

Two readings of the same rankings stand side by side. The share that ranks an item first is a count, and assumes
nothing. The Plackett-Luce model uses all places: with worths v the item j is first with probability
:math:`e^{v_j} / \sum_k e^{v_k}`. It is more certain, and right only if the lower places say the same as the first.

Who gets the ranking is drawn, so the design is that of the superpopulation: without it those who returned their form
would seem to stand for themselves alone, and the draw would have no error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..estimation import Design, Estimate, joint, mean, plackett_luce, share, wald
from ..estimation.hypotheses import Test
from ..estimation.rank_order import rank_probabilities
from ..estimation.ranking import Pooling, RankFit, pooling
from ..study import Study
from .aspirations import mid_places, places, ranked_among, ranked_first

ALL = "all"
TOP = 3  # places that the form asks for at least


@dataclass(frozen=True, eq=False)
class Ranking:
    """A ranking of the questionnaire.

    Attributes
    ----------
    group : str
        Of the codebook: its items are the columns of ``placed`` (n x J, NaN where left open).
    asked : (n,) boolean array
        Who had the ranking on the form.
    status : Series (n,)
        Groups to be compared.
    """

    group: str
    placed: pd.DataFrame
    asked: np.ndarray
    design: Design
    status: pd.Series

    @cached_property
    def answered(self) -> np.ndarray:
        """Who ranked anything (n,)."""
        return self.placed.notna().any(axis=1).to_numpy()

    @cached_property
    def known(self) -> np.ndarray:
        """Whose order is known (n,): who left a place out may have meant any item for it, and is not in the models."""
        return self.middle.notna().all(axis=1).to_numpy()

    def where(self, group: str = ALL) -> np.ndarray:
        """Who ranked anything in a group (n,)."""
        return self.answered if group == ALL else self.answered & (self.status == group).to_numpy()

    def groups(self, least: int) -> list[str]:
        """Everybody, and the groups of whom ``least`` ranked something."""
        size = self.status[self.answered].value_counts()
        return [ALL, *(str(g) for g in self.status.cat.categories if size.get(g, 0) >= least)]

    def fit(self, group: str = ALL, **options: Any) -> RankFit:
        """Worths of a group (`plackett_luce`, with its options).

        Raises
        ------
        WelfareError
            As for `plackett_luce`.
        """
        return plackett_luce(self.design, self.placed, where=self.where(group) & self.known, **options)

    def unweighted(self) -> RankFit:
        """Worths of those who ranked, each of weight one."""
        design = Design(pd.Series(1.0, index=self.placed.index))
        return plackett_luce(design, self.placed, where=self.known)

    @cached_property
    def firsts(self) -> pd.Series:
        """The item that each ranked first (`aspirations.ranked_first`)."""
        return ranked_first(self.placed)

    @cached_property
    def middle(self) -> pd.DataFrame:
        """Places of all items (`aspirations.mid_places`)."""
        return mid_places(self.placed)

    @cached_property
    def pooled(self) -> Pooling:
        """Whether lower places say the same as the first, of everybody (`pooling`)."""
        return pooling(self.fit())

    def first(self, group: str = ALL) -> Estimate:
        """Share that ranks each item first, of those with one item in the first place."""
        marks = pd.DataFrame({name: self.firsts == name for name in self.placed}, index=self.placed.index)
        return share(self.design, marks, where=self.where(group) & self.firsts.notna().to_numpy())

    def among(self, top: int = TOP) -> Estimate:
        """Share that ranks each item among the first ``top``, of those who gave as many places."""
        among = ranked_among(self.placed, top)
        return share(self.design, among, where=self.answered & among.notna().all(axis=1).to_numpy())

    def mean_place(self, group: str = ALL) -> Estimate:
        """Mean place of each item, from 1; items left open behind the others have the mean of the places left."""
        return mean(self.design, self.middle, where=self.where(group) & self.known)


def ranking(study: Study, group: str) -> Ranking | None:
    """A ranking of a study, by status; None where fewer than two items were asked, or nobody ranked them."""
    book, frame = study.codebook, study.frame
    names = [str(n) for n in book.variables.index[book.variables["group"] == group] if n in frame]
    if len(names) < 2:
        return None
    placed = places(frame[names]).set_axis(pd.Index([n.removeprefix(f"{group}_") for n in names], name=group), axis=1)
    if not placed.notna().any(axis=None):
        return None
    answered = placed.notna().any(axis=1)
    asked = book.asked(names[0], frame, frame.index).fillna(False).astype(bool) | answered
    status = frame["status"].astype(pd.CategoricalDtype(book.codes("status")))
    return Ranking(group, placed, asked.to_numpy(), study.design.superpopulation(), status)


def differ(fits: Mapping[str, RankFit]) -> Test:
    """Wald's test that all groups have the same worths; degrees of freedom of the error are those of the largest.

    Raises
    ------
    WelfareError
        As for `wald`: too few sampling units for the number of worths.
    """
    worths = joint({name: fit.worths() for name, fit in fits.items()})
    groups, J = len(fits), len(worths.value) // len(fits)
    inside = np.eye(J)[:-1]  # worths add up to zero: the last follows
    gaps = np.hstack([np.kron(-np.ones((groups - 1, 1)), inside), np.kron(np.eye(groups - 1), inside)])
    return wald(worths.apply(lambda v: gaps @ v.to_numpy(), gaps), df=float(worths.df.max()))


def stability(fit: RankFit, count: int, rng: np.random.Generator, top: int = TOP) -> pd.DataFrame:
    """Part of replicates in which an item has the highest worth, or one of the ``top`` highest.

    Linear replicates are normal, with the design's covariance about the worths: so they are drawn.

    Returns
    -------
    DataFrame
        By item: first, among.
    """
    worths = fit.worths()
    drawn = rng.multivariate_normal(worths.value, worths.covariance(), count, method="eigh")
    place = (-drawn).argsort(axis=1).argsort(axis=1)
    parts = {"first": (place < 1).mean(axis=0), "among": (place < top).mean(axis=0)}
    return pd.DataFrame(parts, index=worths.value.index)


def lead(fit: RankFit, raw: Estimate) -> Estimate:
    """Probability of the model that each item is first, less the share that ranks it first (`Ranking.first`)."""
    both, J = joint({"model": rank_probabilities(fit), "raw": raw}), len(raw.value)
    items, less = pd.Index(raw.value.index, name="item"), np.hstack([np.eye(J), -np.eye(J)])
    return both.apply(lambda v: pd.Series(less @ v.to_numpy(), index=items), less)
