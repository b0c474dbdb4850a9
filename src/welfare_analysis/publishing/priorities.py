"""Rankings as tables that may be shown: what comes first, by status, how stable that is, and what changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from ..errors import WelfareError
from ..estimation import Estimate
from ..estimation.rank_order import rank_probabilities
from ..estimation.ranking import RankFit
from ..needs.priorities import ALL, TOP, Ranking, lead, ranking, stability
from ..study import Study
from .briefs import critical
from .modelled import rows
from .plan import Released
from .sampled import counted, merged, shown
from .suppression import CATEGORY, Policy, completed

RANKINGS = ("priority", "health_rank")
REPLICATES, SEED = 10_000, 2012
PARTS = {"places": "share", "by_status": "share", "lead": "share_points", "mean": "place", "order": "share"}
PARTS |= {"variants": "share"}


def priority_ids(group: str) -> list[str]:
    """Names of the tables of a ranking."""
    return [f"{group}_{part}" for part in PARTS]


def priority_tables(study: Study, group: str, rules: Policy) -> dict[str, Released]:
    """Tables of a ranking: ``not_asked``, or ``too_few`` of whom a model cannot be fitted, where they are not shown.

    ``_places``: share that ranks an item first, and among the first, beside what the model says; ``_by_status``: the
    first place by status; ``_lead``: model less count; ``_mean``: mean place by status; ``_order``: how often an item
    leads in replicates; ``_variants``: the first place under other readings of the same rankings.
    """
    blanks = {f"{group}_{part}": Released(f"{group}_{part}", "share", group, (group,), u) for part, u in PARTS.items()}
    found = ranked(study, group, rules)
    if found is None:
        return blanks
    fits = models(found, rules)
    if ALL not in fits:
        return {name: replace(blank, state="aspirations.too_few") for name, blank in blanks.items()}
    told = int(found.told.sum()), int(found.asked.sum())
    made = {
        "places": (_places(found, fits[ALL], rules), (group,), "rank_measure"),
        "by_status": (_by_status(found, fits, rules), (group, "rank_view"), "hope_group"),
        "lead": (rows(lead(fits[ALL], found.first()), group).assign(flag=""), (group,), ""),
        "mean": (_means(found, fits), (group,), "hope_group"),
        "order": (_order(found, fits[ALL]), (group,), "rank_stability"),
        "variants": (_variants(found, fits[ALL]), (group,), "rank_variant"),
    }
    return {
        f"{group}_{part}": shown(f"{group}_{part}", frame, (first, across), rules, told, PARTS[part])
        for part, (frame, first, across) in made.items()
    }


@cache
def ranked(study: Study, group: str, rules: Policy) -> Ranking | None:
    """A ranking of a study with its statuses, those of few put together."""
    plain = ranking(study, group)
    if plain is None:
        return None
    status = merged(study, "status", plain.told, rules)
    known = [c for c in (*study.codebook.codes("status"), *study.codebook.codes("status_wide")) if (status == c).any()]
    return replace(plain, status=status.astype(pd.CategoricalDtype(known)))


@cache
def models(found: Ranking, rules: Policy) -> dict[str, RankFit]:
    """Worths of everybody and of each status of enough persons; without those that cannot be told."""
    fits = {}
    for name in found.groups(rules.min_base):
        try:
            fit = found.fit(name)
        except WelfareError:  # an item that nobody ranked, or that always comes last
            continue
        if np.isfinite(fit.se).all() and fit.n_rows >= rules.min_base:
            fits[name] = fit
    return fits


@cache
def _first(found: Ranking, name: str, rules: Policy) -> pd.DataFrame:
    """Shares of a group that rank each item first, and whether each is not told apart from the highest."""
    item = found.firsts[found.where(name)]
    met = item.value_counts()[list(found.placed)].to_numpy(float)
    first = found.first(name)
    return counted(first, found.group, met, rules).assign(leads=_leads(first))


def _leads(first: Estimate) -> np.ndarray:
    """Whether each share is not told apart from the highest, all pairs compared at once.

    As in `briefs.differ` (Tukey 1949; Kramer 1956), but shares of one ranking go against each other, so the error of a
    difference has their covariance.
    """
    value, V = first.value.to_numpy(), first.covariance().to_numpy()
    best = int(value.argmax())
    se = np.sqrt(np.maximum(V[best, best] + np.diagonal(V) - 2 * V[best], 0.0))
    return value[best] - value <= critical(len(value)) * se / np.sqrt(2)


def _modelled(fit: RankFit, group: str, top: int = 1, **fixed: str) -> pd.DataFrame:
    return rows(rank_probabilities(fit, top), "top", group, **fixed).drop(columns="top")


def _places(found: Ranking, fit: RankFit, rules: Policy) -> pd.DataFrame:
    """Of everybody: counts and model, of the first place and the first few."""
    top = min(TOP, found.placed.shape[1] - 1)
    raw = _first(found, ALL, rules).assign(rank_measure="ranked_first")
    raw["unsafe"] = completed(
        raw.rename(columns={found.group: CATEGORY}), [CATEGORY], rules, raw["unsafe"].to_numpy(bool)
    )
    parts = [raw, _modelled(fit, found.group, rank_measure="model_first")]
    if top > 1:
        among = found.among(top=top)
        met = (among.value * among.counts["n"]).to_numpy()
        parts.append(counted(among, found.group, met, rules, rank_measure="ranked_among"))
        parts.append(_modelled(fit, found.group, top, rank_measure="model_among"))
    return pd.concat(parts, ignore_index=True)


def _by_status(found: Ranking, fits: dict[str, RankFit], rules: Policy) -> pd.DataFrame:
    """The first place of everybody and by status, counted and by the model; what a hidden cell would give goes too."""
    raw = [_first(found, name, rules).assign(hope_group=name, rank_view="ranked") for name in fits]
    by = pd.concat([r for r in raw if r["hope_group"].iloc[0] != ALL] or raw, ignore_index=True)
    axes = ["hope_group", CATEGORY]
    by["unsafe"] = completed(by.rename(columns={found.group: CATEGORY}), axes, rules, by["unsafe"].to_numpy(bool))
    parts = [raw[0], by] if len(raw) > 1 else [by]
    model = [_modelled(fit, found.group, hope_group=name, rank_view="model") for name, fit in fits.items()]
    return pd.concat([*parts, *model], ignore_index=True)


def _means(found: Ranking, fits: dict[str, RankFit]) -> pd.DataFrame:
    parts = [rows(found.mean_place(name), found.group, hope_group=name) for name in fits]
    return pd.concat(parts, ignore_index=True)


def _order(found: Ranking, fit: RankFit) -> pd.DataFrame:
    """In what part of replicates an item leads, or is among the first; a number without an interval."""
    top = min(TOP, found.placed.shape[1] - 1)
    often = stability(fit, REPLICATES, np.random.default_rng(SEED), top)
    long = often.stack().rename_axis([found.group, "rank_stability"]).rename("estimate").reset_index()
    return long.assign(low=long["estimate"], high=long["estimate"], n=float(fit.n_rows), flag="")


def _variants(found: Ranking, fit: RankFit) -> pd.DataFrame:
    """The probability of the first place by all places, fewer of them, and other ways of reading and weighing them."""
    made: dict[str, RankFit] = {"all_places": fit}
    for name, of in _others(found):
        try:
            made[name] = of()
        except WelfareError:  # too few for this reading
            continue
    parts = [_modelled(one, found.group, rank_variant=name) for name, one in made.items()]
    return pd.concat(parts, ignore_index=True)


def _others(found: Ranking) -> Iterator[tuple[str, Callable[[], RankFit]]]:
    yield "first_only", lambda: found.fit(depth=1)
    yield "first_three", lambda: found.fit(depth=TOP)
    yield "noisier", lambda: found.pooled.fit
    yield "open_missing", lambda: found.fit(unranked="missing")
    yield "unweighted", found.unweighted
