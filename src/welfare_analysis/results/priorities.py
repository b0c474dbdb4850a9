"""Rankings (page 05): what comes first, by status and sex, how stable it is, what changes it; a topic a ranking."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from ..disclosure import policy
from ..disclosure.suppression import completed, unsafe
from ..estimation import Estimate
from ..estimation.multiple import critical_range
from ..estimation.rank_order import order, rank_probabilities
from ..estimation.ranking import RankFit, unranked_matters
from ..needs import priorities
from ..needs.factors import in_order, merged
from ..needs.priorities import ALL, TOP, Ranking
from ..study import Study
from .declare import Base, Topic, attempted, beside, counted, exact, long_format, point

RANKINGS = ("priority", "health_rank")
REPLICATES, SEED = 10_000, 2012


@dataclass(frozen=True, eq=False)
class Ranked:
    """A ranking with its statuses (small ones merged), and worths of everybody and of each status of enough persons."""

    ranking: Ranking
    fits: dict[str, RankFit]

    @property
    def top(self) -> int:
        """How many first places are counted."""
        return min(TOP, self.ranking.placed.shape[1] - 1)


def ranked(study: Study, group: str, by: str = "status") -> Ranked | None:
    """A ranking of a study with the models that can be fitted, by a column; None where either was not asked."""
    plain = study.result(priorities.ranking, group)
    if plain is None or by not in study.frame:
        return None
    least = policy().min_base
    column = merged(study.codebook, study.frame[by], plain.answered, least)
    kind = pd.CategoricalDtype(in_order(study.codebook, by, column.dropna().unique()))
    own = replace(plain, status=column.astype(kind))
    # not where nobody ranked an item, or all did so last
    made = attempted({name: partial(own.fit, name) for name in own.groups(least)})
    return Ranked(own, {n: fit for n, fit in made.items() if np.isfinite(fit.se).all() and fit.n_rows >= least})


def model_state(of: Ranked) -> str:
    """Whether there are worths of everybody."""
    return "shown" if ALL in of.fits else "aspirations.too_few"


def base(of: Ranked) -> Base:
    """Who ranked anything, of those who had the ranking on the form."""
    return pd.Series(of.ranking.answered), pd.Series(of.ranking.asked)


def first(of: Ranked, name: str) -> pd.DataFrame:
    """Shares of a group that rank each item first; ``leads`` where one does not clearly differ from the highest."""
    found = of.ranking
    met = found.firsts[found.where(name)].value_counts()[list(found.placed)]
    made = found.first(name)
    return counted(made, found.group, met).assign(leads=leads(made))


def leads(made: Estimate) -> np.ndarray:
    """Whether each share does not clearly differ from the highest, all pairs compared at once.

    As in `differ` (Tukey 1949; Kramer 1956), but shares of one ranking go against each other, so the error of a
    difference has their covariance.
    """
    value, V = made.value.to_numpy(), made.covariance().to_numpy()
    best = int(value.argmax())
    se = np.sqrt(np.maximum(V[best, best] + np.diagonal(V) - 2 * V[best], 0.0))
    return value[best] - value <= critical_range(len(value)) * se / np.sqrt(2)


def modelled(fit: RankFit, group: str, top: int = 1) -> pd.DataFrame:
    """The model's probability that an item is among the first ``top``."""
    return long_format(rank_probabilities(fit, top), "", group)


def places(study: Study, of: Ranked) -> pd.DataFrame:
    """Of everybody: counts and model, of the first place and the first few."""
    found, fit, top = of.ranking, of.fits[ALL], of.top
    parts = {"ranked_first": first(of, ALL), "model_first": modelled(fit, found.group)}
    if top > 1:
        among = found.among(top=top)
        parts["ranked_among"] = counted(among, found.group, (among.value * among.counts["n"]).round())
        parts["model_among"] = modelled(fit, found.group, top)
    return long_format(parts, "rank_measure")


def by_status(study: Study, of: Ranked) -> pd.DataFrame:
    """The first place of everybody and by status, counted and by the model; what a hidden cell would give goes too."""
    group = of.ranking.group
    raw = long_format({name: first(of, name) for name in of.fits}, "hope_group").assign(rank_view="ranked")
    own = (raw["hope_group"] != ALL).to_numpy() if len(of.fits) > 1 else np.ones(len(raw), dtype=bool)
    raw["unsafe"] = unsafe(raw["n"].to_numpy(), raw["numerator"].to_numpy(), policy())
    cells = raw[own].reset_index(drop=True)
    raw.loc[own, "unsafe"] = completed(cells, ["hope_group", group], policy(), cells["unsafe"].to_numpy(bool))
    raw["unsafe"] |= raw["hope_group"].eq(ALL) & raw[group].isin(few_first(study, of))  # hidden there, hidden here
    model = long_format({name: modelled(fit, group) for name, fit in of.fits.items()}, "hope_group")
    return pd.concat([raw, model.assign(rank_view="model")], ignore_index=True)


def by_sex(study: Study, of: Ranked) -> pd.DataFrame | None:
    """The first place of women and men, counted and by the model; no counts where one of them would be hidden.

    With the shares of all, hidden cells of a few women tell those of many men to within these few.
    """
    own = study.result(ranked, of.ranking.group, "sex")
    if own is None:
        return None
    rows = by_status(study, own).rename(columns={"hope_group": "sex"}).query("sex != @ALL")
    counts = rows["rank_view"] == "ranked"
    return rows[~counts] if rows.loc[counts, "unsafe"].any() else rows


def few_first(study: Study, of: Ranked) -> list[str]:
    """Items whose share of first places is hidden."""
    group = of.ranking.group
    cells = TOPICS[group].release(study)[f"{group}_places"].cells("*", "ranked_first")
    return list(cells.loc[cells["flag"] == "hidden", group])


def lead(study: Study, of: Ranked) -> pd.DataFrame:
    """Probability of the model that an item is first, less the share that ranks it first."""
    rows = long_format(priorities.lead(of.fits[ALL], of.ranking.first()), of.ranking.group)
    return rows.assign(flag="", unsafe=rows[of.ranking.group].isin(few_first(study, of)))


def mean(study: Study, of: Ranked) -> pd.DataFrame:
    """Mean place of each item, of everybody and by status."""
    return long_format({name: of.ranking.mean_place(name) for name in of.fits}, "hope_group", of.ranking.group)


def stability(study: Study, of: Ranked) -> pd.DataFrame:
    """In what part of replicates an item leads, or is among the first; a number without an interval."""
    often = priorities.stability(of.fits[ALL], REPLICATES, np.random.default_rng(SEED), of.top)
    rows = often.stack().rename_axis([of.ranking.group, "rank_stability"]).rename("estimate").reset_index()
    return exact(rows, float(of.fits[ALL].n_rows))


def variants(study: Study, of: Ranked) -> pd.DataFrame:
    """The probability of the first place by all places, fewer of them, and other ways of reading and weighing them."""
    found = of.ranking
    others = {
        "first_only": lambda: found.fit(depth=1),
        "first_three": lambda: found.fit(depth=TOP),
        "noisier": lambda: found.pooled.fit,
        "open_missing": lambda: found.fit(unranked="missing"),
        "unweighted": found.unweighted,
    }
    made = {"all_places": of.fits[ALL], **attempted(others)}
    rows = long_format({name: modelled(fit, found.group) for name, fit in made.items()}, "rank_variant")
    counts = rows["rank_variant"] == "first_only"  # a model of first places alone is their shares
    return rows.assign(unsafe=counts & rows[found.group].isin(few_first(study, of)))


def tests(study: Study, of: Ranked) -> pd.DataFrame | None:
    """The p that groups have the same worths, and that lower places follow the model as the first does."""
    makers = {"pooling": lambda: of.ranking.pooled.test}
    for name, own in {"statuses": of, "sexes": study.result(ranked, of.ranking.group, "sex")}.items():
        groups = {} if own is None else {code: fit for code, fit in own.fits.items() if code != ALL}
        if len(groups) > 1:
            makers[name] = partial(priorities.differ, groups)
    made = attempted(makers)  # not of too few sampling units for the number of worths
    parts = [point(test.p, of.fits[ALL].n_rows, rank_test=name) for name, test in made.items()]
    return pd.concat(parts, ignore_index=True) if parts else None


def answers(study: Study, of: Ranked) -> pd.DataFrame:
    """Who had the ranking on the form, ranked anything, ranked everything; what items left open change at most."""
    found = of.ranking
    n = float(found.answered.sum())
    whole = found.placed[found.answered].notna().all(axis=1)
    parts = [
        point(found.asked.sum(), found.asked.sum(), rank_answer="asked", unit="respondents"),
        point(n, n, rank_answer="ranked", unit="respondents"),
        point(whole.mean(), n, rank_answer="whole", unit="share").assign(numerator=float(whole.sum())),
    ]
    moved = attempted({"open": partial(unranked_matters, found.design, found.placed, where=found.known)})
    parts += [
        point(made.value["difference"].abs().max(), n, rank_answer=name, unit="decimal") for name, made in moved.items()
    ]
    return pd.concat(parts, ignore_index=True)


def overview(study: Study, of: Ranked, group: str) -> pd.DataFrame:
    """A ranking in one table: possible places, counts and model of first places, mean place and stability."""
    made, placed = TOPICS[group].release(study), order(of.fits[ALL])
    table = made[f"{group}_places"]
    n = float(of.fits[ALL].n_rows)
    parts = [
        point(row[f"{end}_rank"], n, measure=f"{end}_place", unit="number").assign(**{group: item})
        for item, row in placed.iterrows() for end in ("best", "worst")
    ]  # fmt: skip
    parts += [beside(table.cells("*", m), f"rank_measure:{m}", "share") for m in dict.fromkeys(table.frame["category"])]
    parts.append(beside(made[f"{group}_mean"].cells("*", ALL), "mean_place", "place"))
    parts.append(beside(made[f"{group}_order"].cells("*", "first"), "leads", "share"))
    rows = pd.concat(parts, ignore_index=True)
    place = rows[group].map(pd.Series(range(len(placed)), placed.index))
    return rows.assign(ranked=place).sort_values("ranked", kind="stable")


def _topic(group: str) -> Topic:
    topic = Topic(group, lambda study: study.result(ranked, group), model_state, "share", base, totals=False)
    topic.table("places", group, "rank_measure", adds=group)(places)
    topic.table("by_status", f"{group}|rank_view", "hope_group", adds=group)(by_status)
    topic.table("by_sex", f"{group}|rank_view", "sex", adds=group)(by_sex)
    topic.table("lead", group, "", "share_points", adds=None, statistic="mean")(lead)
    topic.table("mean", group, "hope_group", "place", adds=None, statistic="mean")(mean)
    topic.table("order", group, "rank_stability", adds=None)(stability)
    topic.table("variants", group, "rank_variant", adds=None)(variants)
    topic.table("tests", "rank_test", "", "p", adds=None)(tests)
    topic.table("answers", "rank_answer", "", "", adds=None, ready=lambda of: "shown")(answers)
    topic.table("overview", group, "measure", "", adds=None)(partial(overview, group=group))
    return topic


TOPICS = {group: _topic(group) for group in RANKINGS}
