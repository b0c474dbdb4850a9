"""Deprivation in several ways at once: how many, how far, from what, and what the choices change (page 04)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import special

from ..demand.stated import sums
from ..disclosure import CATEGORY, policy
from ..disclosure.suppression import unsafe
from ..errors import WelfareError
from ..estimation import Design, adjusted_p, share
from ..needs.deprivation import (
    CUTOFFS,
    USUAL,
    alkire_foster,
    bounds,
    contributions,
    deprivations,
    dimensions,
    multiply,
    scores,
    weightings,
)
from ..needs.factors import with_siblings
from ..study import Study
from .adjusted import SURE
from .declare import Base, Topic, counted, exact, is_shown, long_format
from .descriptive import too_few

WEIGHTS = "dimensions"  # of the headline


@dataclass(frozen=True, eq=False)
class Deprived:
    """Who is deprived of what, the weightings, and the groups that are compared."""

    of: pd.DataFrame
    weights: dict[str, pd.Series]
    status: pd.Series
    design: Design

    @property
    def score(self) -> pd.Series:
        """The score of the headline."""
        return scores(self.of, self.weights[WEIGHTS])

    def behind(self, by: pd.Series | None = None) -> pd.Series:
        """Respondents who are deprived in several ways, by group or as one number."""
        inside = multiply(self.score, CUTOFFS[USUAL]).fillna(value=False)
        return inside.groupby(by if by is not None else np.zeros(len(inside))).sum().astype(float)


def deprived(study: Study) -> Deprived | None:
    """The index of a study; None where one of its questions was not asked.

    Statuses of which too few are on a side of the cutoff are put together as the codebook says.
    """
    try:
        of = deprivations(study.frame)
    except WelfareError:
        return None
    known = of.notna().all(axis=1)
    if known.sum() < policy().min_base:
        return None
    weights, status = weightings(of, study.design), study.frame["status"].where(known)
    inside = multiply(scores(of, weights[WEIGHTS]), CUTOFFS[USUAL]).astype(float)
    return Deprived(of, weights, with_siblings(study.codebook, status, too_few(inside, status)), study.design)


def _base(subject: Deprived) -> Base:
    return subject.of.notna().all(axis=1), subject.of.notna().any(axis=1)


FINDINGS = ("deprivation_index", ("level", "who", "from"))
topic = Topic("deprivation", deprived, lambda _: "shown", "share", _base, FINDINGS, totals=False)


@topic.table("index", "deprivation_measure", adds=None)
def index(study: Study, subject: Deprived) -> pd.DataFrame:
    """Headcount, intensity and adjusted headcount of all members."""
    made = alkire_foster(subject.design, subject.of, subject.weights[WEIGHTS], CUTOFFS[USUAL])
    rows = long_format(made, "deprivation_measure", "")
    return rows.assign(numerator=subject.behind().iloc[0])


for _group in ("status", "sex"):

    @topic.table(f"by_{_group}", _group, "deprivation_measure")
    def by_group(study: Study, subject: Deprived, group: str = _group) -> pd.DataFrame | None:
        """The same by group: one index for all, of what is asked of everybody."""
        if group not in study.frame:
            return None
        by = subject.status if group == "status" else study.frame[group].where(subject.of.notna().all(axis=1))
        made = alkire_foster(subject.design, subject.of, subject.weights[WEIGHTS], CUTOFFS[USUAL], by, by.notna())
        rows = long_format(made, "deprivation_measure", "", group)
        return rows.assign(numerator=rows[group].map(subject.behind(by)))


@topic.table("parts", "dimension", "status", adds="dimension")
def parts(study: Study, subject: Deprived) -> pd.DataFrame:
    """What the adjusted headcount of a status is made of, by dimension: parts of it add to one.

    Statuses of which too few are deprived in a dimension, or all but too few, are put together as the codebook says.
    """
    inside = multiply(subject.score, CUTOFFS[USUAL]).fillna(value=False)
    met = subject.of.fillna(value=False).T.groupby(dimensions(subject.of), sort=False).any().T.mul(inside, axis=0)
    sizes, by = subject.behind(subject.status), subject.status
    counts = met.groupby(by).sum().astype(float)
    fails = unsafe(np.broadcast_to(sizes.to_numpy()[:, None], counts.shape), counts.to_numpy(), policy())
    by = with_siblings(study.codebook, by, counts.index[fails.any(axis=1)])
    made = contributions(subject.design, subject.of, subject.weights[WEIGHTS], CUTOFFS[USUAL], by, by.notna())
    rows, counts = long_format(made, "dimension", "", "status"), met.groupby(by).sum().astype(float)
    places = zip(rows["status"], rows["dimension"], strict=True)
    # who is deprived in several ways is the headcount: no base is said
    return rows.assign(n=rows["status"].map(subject.behind(by)), numerator=[counts.at[at] for at in places], told=False)


@topic.table("own", "hardship|status", "measure", adds=None)
def own(study: Study, subject: Deprived) -> pd.DataFrame | None:
    """What only some statuses are asked, beside the index and never ranked with it: shares of them."""
    made = []
    for status in subject.status.dropna().unique():
        try:
            asked = deprivations(study.frame, str(status))
        except WelfareError:  # its question was not asked in this survey
            continue
        for name, column in asked.items():
            where = column.notna() & (study.frame["status"] == status)
            if where.any():
                rows = counted(share(study.design, column.astype("boolean"), where=where), "hardship",
                               float(column[where].sum()))  # fmt: skip
                made.append(rows.assign(hardship=name, status=status, measure="share"))
    return pd.concat(made, ignore_index=True) if made else None


@topic.table("choices", "weighting", "cutoff", adds=None)
def choices(study: Study, subject: Deprived) -> pd.DataFrame:
    """The adjusted headcount of all under other weights and cutoffs."""
    made = {
        name: {cut: alkire_foster(subject.design, subject.of, weights, at)["adjusted"] for cut, at in CUTOFFS.items()}
        for name, weights in subject.weights.items()
    }
    of, rows = subject.of, long_format(made, "weighting", "cutoff", "")
    met = {n: {c: multiply(scores(of, w), at).sum() for c, at in CUTOFFS.items()} for n, w in subject.weights.items()}
    return rows.assign(numerator=[float(met[n][c]) for n, c in zip(rows["weighting"], rows["cutoff"], strict=True)])


@topic.table("bounds", "bound", "deprivation_measure", adds=None)
def unknown(study: Study, subject: Deprived) -> pd.DataFrame:
    """The index with every answer that is missing as not deprived, and as deprived."""
    made = {}
    for name, of in bounds(subject.of).items():
        whole = of.reindex(subject.of.index)
        made[name] = alkire_foster(subject.design, whole, subject.weights[WEIGHTS], CUTOFFS[USUAL])
    return long_format(made, "bound", "deprivation_measure", "").assign(numerator=subject.behind().iloc[0])


@topic.table("order", "level|reference", "measure", "p", adds=None)
def order(study: Study, subject: Deprived) -> pd.DataFrame | None:
    """Whether the one of two statuses is more deprived at every cutoff up to a half: first-order dominance of M0.

    The hypothesis is that it is not at some cutoff. Its p is the largest of the one-sided p at all scores that occur,
    an intersection-union test that needs no correction for their number (Berger 1982, Technometrics 24, 295-300);
    Holm's over the pairs. A pair is named by the more deprived first, so a status whose level is hidden is in none.
    """
    by, weights = subject.status, subject.weights[WEIGHTS]
    cuts = [CUTOFFS[USUAL], *sorted(x for x in subject.score.dropna().unique() if 0 < x <= CUTOFFS["half"])]
    levels = [alkire_foster(subject.design, subject.of, weights, at, by, by.notna())["adjusted"] for at in cuts]
    behind, groups = subject.behind(by), list(levels[0].value.index.get_level_values(-1))
    cells = pd.DataFrame({"status": groups, CATEGORY: "adjusted"})
    shown = np.flatnonzero(is_shown(topic.release(study)["deprivation_by_status"], cells))
    pairs = list(combinations(shown[np.argsort(-levels[0].value.to_numpy()[shown], kind="stable")], 2))
    if not pairs:
        return None
    signs = np.zeros((len(pairs), len(groups)))
    for row, (high, low) in zip(signs, pairs, strict=True):
        row[[high, low]] = 1.0, -1.0
    gaps = [sums(level, range(len(pairs)), signs) for level in levels]
    p = adjusted_p(np.max([special.stdtr(gap.df, -gap.value / gap.se) for gap in gaps], axis=0))
    named = [(groups[high], groups[low]) for high, low in pairs]
    keys = pd.DataFrame({"level": [f"status:{a}" for a, _ in named], "reference": [f"status:{b}" for _, b in named]})
    fewest = np.array([min(behind[a], behind[b]) for a, b in named])
    size = by.value_counts()
    both = np.array([size[a] + size[b] for a, b in named], dtype=float)
    return exact(keys.assign(measure="p", estimate=p, numerator=fewest, clear=p < SURE), both)
