"""Segments (page 05): members who hope alike, how many such groups there are, what they hope for and who they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from ..disclosure import NUMBERS, policy
from ..disclosure.suppression import unsafe
from ..estimation import latent_classes
from ..estimation.latent_classes import LatentClasses
from ..needs.aspirations import HOPES
from ..needs.factors import merged
from ..study import Study
from .aspirations import GROUPS, grouped, hopes_of
from .declare import Base, Topic, always, attempted, counted, exact, long_format

MOST, STARTS, LEAST = 4, 10, 0.05  # segments that are tried, starts of each, and the smallest share that is one
LONG = 5  # services of a list from which on a yes to all of them is a way of answering
REPLICATES, SEED = 50, 2012
NAMED = 2  # services that name a segment
LITTLE = "little"  # the segment that hopes for nothing more than the others do


@dataclass(frozen=True, eq=False)
class Segments:
    """Fits by number of classes, the number that is taken, and the codes of its segments, from the largest on."""

    fits: dict[int, LatentClasses]
    number: int
    codes: list[str]

    @property
    def fit(self) -> LatentClasses:
        """The fit that is taken."""
        return self.fits[self.number]

    @property
    def of(self) -> pd.Series:
        """The likeliest segment of each; missing where nothing was answered."""
        return self.fit.assigned().map(dict(zip(self.fit.names, self.codes, strict=True)))


def answered(study: Study) -> pd.DataFrame:
    """Hopes for the services that all adults were asked for; who says yes to all of a long list has not answered it.

    Such a yes does not tell services apart. Without the rule there is a segment for each list.
    """
    of = hopes_of(study)
    adult = study.frame["age"].ge(18).fillna(value=False).astype(bool)
    known = [name for name in of.hoped if of.asked.loc[adult, name].all() and of.hoped[name].notna().any()]
    items = of.hoped[known].where(adult)
    lists: dict[str, list[str]] = {}
    for name in known:
        lists.setdefault(study.codebook.variables.at[HOPES[name][0], "group"] or name, []).append(name)
    for names in lists.values():
        if len(names) >= LONG:
            items[names] = items[names].mask(items[names].fillna(value=False).all(axis=1))
    return items


def segmented(study: Study) -> Segments | None:
    """Latent classes of hopes: the number with the smallest BIC of the design whose smallest class is not too small.

    The design is that of the superpopulation, since classes are a model. None where too few services were asked for.
    """
    if "age" not in study.frame:
        return None
    items, design = answered(study), study.design.superpopulation()
    if items.shape[1] < LONG or items.notna().any(axis=1).sum() < policy().min_base:
        return None
    made = attempted({str(k): partial(latent_classes, design, items, k, STARTS) for k in range(1, MOST + 1)})
    fits = {int(k): fit for k, fit in made.items()}
    held = [k for k, fit in fits.items() if fit.shares().value.min() >= LEAST]
    if not held:
        return None
    number = min(held, key=lambda k: fits[k].bic())
    return Segments(fits, number, codes(fits[number]))


def codes(fit: LatentClasses) -> list[str]:
    """What each segment hopes for above all: the services whose share lies highest above the mean, joined by ``+``."""
    yes = fit.answers().value.xs("True", level="answer").unstack()
    above = yes.sub(yes @ fit.shares().value, axis=0)
    for named in range(NAMED, len(above) + 1):
        made = ["+".join(own.nlargest(named).index) if own.max() > 0 else LITTLE for _, own in above.items()]
        if len(set(made)) == len(made):
            break
    return made


def stable(fit: LatentClasses) -> float:
    """Weighted share whose likeliest class stays in replicates drawn from the design."""
    w, own = fit.design.weights * fit.rows, fit.assigned()
    drawn = fit.replicates(REPLICATES, np.random.default_rng(SEED)).to_numpy()
    return float(np.mean([w @ (fit.assigned(theta) == own) for theta in drawn]) / w.sum())


def _base(subject: Segments) -> Base:
    return pd.Series(subject.fit.rows), pd.Series(subject.fit.rows)


def _ready(subject: Segments) -> str:
    return "shown" if subject.number > 1 else "segments.one"


topic = Topic("segments", segmented, _ready, "share", _base, totals=False)


@topic.table("number", "segments_n", "measure", "", ready=always, adds=None)
def number(study: Study, subject: Segments) -> pd.DataFrame:
    """For each number of segments BIC above the smallest, the smallest share, who is rightly placed, who stays."""
    best, rows = min(fit.bic() for fit in subject.fits.values()), []
    for k, fit in subject.fits.items():
        found = {"bic": (fit.bic() - best, "number"), "smallest": (float(fit.shares().value.min()), "share")}
        if k > 1:
            found |= {"placed": (1 - fit.error(), "share"), "stays": (stable(fit), "share")}
            found |= {"starts": (fit.reached / fit.starts, "share")}
        rows += [(str(k), measure, value, unit, float(fit.n_rows)) for measure, (value, unit) in found.items()]
    table = pd.DataFrame(rows, columns=["segments_n", "measure", "estimate", "unit", "n"])
    of_members = (table["estimate"] * table["n"]).where(table["measure"] == "smallest")
    return exact(table, table["n"]).assign(numerator=of_members)


@topic.table("shares", "segment", adds="segment")
def shares(study: Study, subject: Segments) -> pd.DataFrame:
    """Share of each segment."""
    rows = counted(subject.fit.shares(), "segment", subject.of.value_counts()[subject.codes])
    return rows.assign(segment=subject.codes)


@topic.table("hopes", "hope", "segment", adds=None)
def hopes_by_segment(study: Study, subject: Segments) -> pd.DataFrame:
    """Share of each segment that hopes for each service, those first whose segments are seen to lie furthest apart."""
    items, of = answered(study), subject.of
    rows = long_format(subject.fit.answers(), "hope", "answer", "segment").query("answer == 'True'")
    rows["segment"] = rows["segment"].map(dict(zip(subject.fit.names, subject.codes, strict=True)))
    sums, sizes = (t.stack() for t in (items.groupby(of).sum(), items.notna().groupby(of).sum()))
    at = pd.MultiIndex.from_frame(rows[["segment", "hope"]])
    rows = rows.assign(numerator=sums[at].to_numpy(float), n=sizes[at].to_numpy(float))
    shown = rows["estimate"].mask(unsafe(rows["n"].to_numpy(), rows["numerator"].to_numpy(), policy()))
    spread = shown.groupby(rows["hope"]).transform(lambda x: x.max() - x.min())  # the place would tell what is hidden
    return rows.assign(ranked=-spread).sort_values("ranked", kind="stable").drop(columns="answer")


for _group in GROUPS:

    @topic.table(f"by_{_group}", "segment", _group, adds="segment")
    def by_group(study: Study, subject: Segments, group: str = _group) -> pd.DataFrame | None:
        """Share of each segment by group, corrected for those who are wrongly placed."""
        column, of = study.result(grouped, group), subject.of
        if column is None:
            return None
        by = merged(study.codebook, column, of.notna().to_numpy(), policy().min_base).where(of.notna(), None)
        made = subject.fit.membership(by.rename(group))
        known = pd.crosstab(of, by)
        rows = long_format(made, "segment", group)  # of a model: what is unsure is marked
        rows["segment"] = rows["segment"].map(dict(zip(subject.fit.names, subject.codes, strict=True)))
        met = [known.at[s, g] for s, g in zip(rows["segment"], rows[group], strict=True)]
        return rows.assign(numerator=np.asarray(met, dtype=float), **{c: rows[c].clip(0, 1) for c in NUMBERS})
