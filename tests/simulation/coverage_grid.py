"""Coverage of the statistics: samples of many designs from populations whose answers are all known.

Each population has three outcomes, of one latent normal variable each that is alike within clusters: ``normal``,
``lognormal`` and ``heavy`` (Pareto with shape 2.5: a variance, no third moment). The truth is that of the population,
computed without estimators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special, stats

from welfare_analysis.estimation import (
    Design,
    Estimate,
    gini,
    mean,
    quantile,
    ratio,
    reliability,
    share,
    total,
    variance,
)
from welfare_analysis.estimation.reliability import rules

OUTCOMES = ("normal", "lognormal", "heavy")
WITHIN = 0.05  # correlation of the latent variables of two units of one cluster
COMMON, RARE = 0.3, 0.05
FLAGGED_EVERY = 8  # samples: what an estimate rests on, and its flag, are worked out for one in so many
RULES = rules(pd.read_csv(Path(__file__).parents[2] / "data" / "reliability.csv"))
Draw = Callable[[np.random.Generator, pd.DataFrame], tuple[Design, pd.DataFrame]]


def population(sizes: np.ndarray, strata: int = 1, seed: int = 1) -> pd.DataFrame:
    """Units of clusters of these sizes, in strata of as many clusters: outcomes, a size ``x``, domain, margins."""
    rng, psu = np.random.default_rng(seed), np.repeat(np.arange(len(sizes)), sizes)
    n, domain = len(psu), rng.random(len(psu)) < 0.4
    stratum = psu * strata // len(sizes)
    level = np.sqrt(WITHIN) * rng.normal(size=(len(sizes), 3))[psu] + 0.3 * rng.normal(size=strata)[stratum, None]
    age = rng.integers(0, 4, n)
    z = level + np.sqrt(1 - WITHIN) * rng.normal(size=(n, 3)) + 0.2 * domain[:, None] + 0.25 * (age[:, None] - 1.5)
    frame = pd.DataFrame({"normal": 10 + 2 * z[:, 0], "lognormal": np.exp(z[:, 1])})
    frame["heavy"] = np.exp(-special.log_ndtr(-z[:, 2] / z[:, 2].std()) / 2.5)
    frame["x"] = 5 + rng.gamma(4, 1, n) + z.mean(axis=1)
    return frame.assign(
        domain=np.where(domain, "in", "out"),
        age=age.astype(str),
        sex=rng.choice(["f", "m"], n),
        psu=psu,
        stratum=stratum,
        answers=rng.random(n) < special.expit(-0.6 + 0.6 * z.sum(axis=1) / np.sqrt(3)),  # the form, unasked
        zone=rng.integers(0, 3, n),
    )


def conditions(frame: pd.DataFrame, limits: pd.DataFrame) -> pd.DataFrame:
    """What a known share of the population has: an outcome above its quantile."""
    return pd.DataFrame({(s, y): frame[y] > limits.loc[s, y] for s in limits.index for y in OUTCOMES})


@cache
def limits_and_truth(design: str) -> tuple[pd.DataFrame, pd.Series]:
    """Limits of the conditions and true values by (statistic, outcome) of a design's population."""
    frame = DESIGNS[design][0]()
    y, inside = frame[list(OUTCOMES)], frame["domain"] == "in"
    limits = y.quantile([1 - COMMON, 1 - RARE], interpolation="lower").set_axis(["share_common", "share_rare"])
    rank = y.rank() - 0.5
    known = {
        "mean": y.mean(),
        "total": y.sum(),
        "ratio": y.sum() / frame["x"].sum(),
        "median": y.quantile(0.5, interpolation="lower"),
        "quantile_90": y.quantile(0.9, interpolation="lower"),
        "gini": 2 * (y * rank).sum() / len(y) / y.sum() - 1,
        "variance": y.var(),
        "domain_mean": y[inside].mean(),
        "difference": y[inside].mean() - y[~inside].mean(),
    }
    truth = pd.DataFrame(known).T.stack()
    return limits, pd.concat([truth, conditions(frame, limits).mean().rename_axis([None, None])])


def estimates(design: Design, frame: pd.DataFrame, limits: pd.DataFrame) -> Iterator[tuple[list[str], Estimate]]:
    """Statistics and the names of each value's statistic, in the order of `OUTCOMES` within a statistic."""
    y, three = frame[list(OUTCOMES)], len(OUTCOMES)
    yield ["mean"] * three, mean(design, y)
    yield ["total"] * three, total(design, y)
    yield ["ratio"] * three, ratio(design, y, pd.DataFrame(dict.fromkeys("abc", frame["x"])))
    yield ["median"] * three, quantile(design, y, 0.5)
    yield ["quantile_90"] * three, quantile(design, y, 0.9)
    yield ["variance"] * three, variance(design, y)
    for name in OUTCOMES:
        yield ["gini"], gini(design, y[name])
    by_domain = mean(design, y, by=frame["domain"])
    yield ["domain_mean", "outside"] * three, by_domain
    yield ["difference"] * three, by_domain.apply(lambda v: v.iloc[::2].to_numpy() - v.iloc[1::2].to_numpy())
    had = conditions(frame, limits)
    yield [s for s, _ in had.columns], share(design, had.set_axis([f"{s} {y}" for s, y in had.columns], axis=1))


def one_sample(design: str, seed: int) -> pd.DataFrame:
    """One sample: a row a statistic and outcome with truth, estimate, se, bounds; in some also its flag."""
    make, draw = DESIGNS[design]
    limits, truth = limits_and_truth(design)
    drawn, frame = draw(np.random.default_rng([seed, sorted(DESIGNS).index(design)]), make())
    tables = []
    for names, e in estimates(drawn, frame.reset_index(drop=True), limits):
        table = e.interval().reset_index(drop=True)
        table = table.assign(statistic=names, estimate=e.value.to_numpy(), se=e.se.to_numpy())
        if seed % FLAGGED_EVERY == 0:
            kind = "share" if names[0].startswith("share") else "amount"
            measured = reliability(e, RULES, kind).reset_index(drop=True)
            table = table.assign(
                **measured[["n_effective", "df", "df_effective"]],
                skewness_measured=measured["skewness"],
                flagged=measured["flag"] != "ok",
            )
        tables.append(table[table["statistic"] != "outside"])
    rows = pd.concat(tables, ignore_index=True)
    rows["outcome"] = np.array(OUTCOMES)[rows.groupby("statistic").cumcount()]
    rows["truth"] = truth.reindex(pd.MultiIndex.from_frame(rows[["statistic", "outcome"]])).to_numpy()
    return rows.assign(seed=seed)


def summarised(rows: pd.DataFrame) -> pd.DataFrame:
    """Bias, ratio of the mean standard error to the spread, coverage, and what the estimates rest on, by cell."""
    error = rows["estimate"] - rows["truth"]
    parts = rows.assign(
        error=error, held=rows["truth"].between(rows["low"], rows["high"]), z=error / rows["se"], size=1
    )
    cells = parts.groupby(["statistic", "outcome"], sort=False)
    spread = cells["estimate"].std()
    out = cells.agg(samples=("size", "sum"), truth=("truth", "first"), bias_relative=("error", "mean"))
    out["bias_spread"] = out["bias_relative"] / spread
    out["bias_relative"] /= out["truth"].abs()
    out["se_ratio"] = cells["se"].mean() / spread
    out["coverage"] = cells["held"].mean()
    measures = ["n_effective", "df", "df_effective", "skewness_measured"]
    out[measures] = cells[measures].median()
    out["skewness"] = cells["z"].agg(lambda z: stats.skew(z))
    flagged = rows.dropna(subset="flagged").groupby(["statistic", "outcome"])["flagged"]
    return out.assign(flagged=flagged.mean()).reset_index()


def simple(n: int) -> Draw:
    """Simple random samples of n."""

    def draw(rng: np.random.Generator, frame: pd.DataFrame) -> tuple[Design, pd.DataFrame]:
        taken = rng.choice(len(frame), n, replace=False)
        return Design(np.full(n, len(frame) / n), fpc=np.full(n, len(frame))), frame.iloc[taken]

    return draw


def clusters(a: int) -> Draw:
    """Whole clusters, ``a`` of each stratum, with equal chances."""

    def draw(rng: np.random.Generator, frame: pd.DataFrame) -> tuple[Design, pd.DataFrame]:
        psus = frame.groupby("psu")["stratum"].first()
        count = int(psus.value_counts().iloc[0])
        taken = _first(rng, psus.to_numpy(), a)
        part = frame[taken[frame["psu"].to_numpy()]]
        full = np.full(len(part), count)
        return Design(full / a, part["stratum"].to_numpy(), part["psu"].to_numpy(), full), part

    return draw


def two_stages(rng: np.random.Generator, frame: pd.DataFrame) -> tuple[Design, pd.DataFrame]:
    """40 clusters, then 15 of each one's units, without replacement at both stages."""
    a, m, size = 40, 15, np.bincount(frame["psu"])
    taken = _first(rng, np.zeros(len(size)), a)
    part = frame[taken[frame["psu"].to_numpy()]]
    part = part[_first(rng, part["psu"].to_numpy(), m)]
    psu, count = part["psu"].to_numpy(), np.full(a * m, len(size))
    weights = len(size) / a * size[psu] / m
    return Design(weights, psu=[psu, np.arange(a * m)], fpc=[count, size[psu]]), part


def raked(rng: np.random.Generator, frame: pd.DataFrame) -> tuple[Design, pd.DataFrame]:
    """300 women and 150 men, raked to the population's ages and domains; age tells of the outcomes."""
    n, groups = {"f": 300, "m": 150}, frame["sex"].to_numpy()
    part = frame[_first(rng, groups, np.array([n[g] for g in groups]))].reset_index(drop=True)
    size = part["sex"].map(frame["sex"].value_counts()).to_numpy()
    design = Design(size / part["sex"].map(n).to_numpy(), strata=part["sex"], fpc=size)
    margins = {name: frame[name].value_counts().to_dict() for name in ("age", "domain")}
    return design.calibrate(margins, part), part


def two_phases(rng: np.random.Generator, frame: pd.DataFrame) -> tuple[Design, pd.DataFrame]:
    """1,500 persons; those who answer unasked, and of the others a fifth to a third by zone, of whom 70 % respond.

    Who answers unasked differs in the outcomes; respondents of a zone stand for all of it who did not answer.
    """
    n = 1500
    first = frame.iloc[rng.choice(len(frame), n, replace=False)].reset_index(drop=True)
    stratum = np.where(first["answers"], -1, first["zone"])
    size = pd.Series(stratum).map(pd.Series(stratum).value_counts()).to_numpy()
    asked = _first(rng, stratum, np.where(stratum < 0, size, size // (3 + np.maximum(stratum, 0))))
    there = asked & ((stratum < 0) | (rng.random(n) < 0.7))
    responding = pd.Series(stratum).map(pd.Series(stratum[there]).value_counts()).to_numpy()
    rows = np.flatnonzero(there)
    phase1 = Design(np.full(n, len(frame) / n), fpc=np.full(n, len(frame)))
    weights = pd.Series((size / responding)[rows], index=rows)
    phase2 = Design(weights, strata=stratum[rows], fpc=size[rows])
    return Design.two_phase(phase1, phase2), first.iloc[rows]


def _first(rng: np.random.Generator, groups: np.ndarray, count: np.ndarray | int) -> np.ndarray:
    """Mark a simple random sample of ``count`` of each group (one number, or one a unit)."""
    order = np.lexsort((rng.random(len(groups)), groups))
    own = groups[order]
    place = np.arange(len(own)) - np.searchsorted(own, own)
    taken = np.zeros(len(own), dtype=bool)
    taken[order] = place < (count if np.isscalar(count) else np.asarray(count)[order])
    return taken


@cache
def persons() -> pd.DataFrame:
    """20,000 units without clusters."""
    return population(np.ones(20_000, dtype=int))


@cache
def villages() -> pd.DataFrame:
    """600 clusters of 5 to 40 units."""
    return population(np.random.default_rng(2).integers(5, 41, 600))


@cache
def strata() -> pd.DataFrame:
    """30 strata of 30 clusters of 5 to 15 units."""
    return population(np.random.default_rng(3).integers(5, 16, 900), 30)


@cache
def towns() -> pd.DataFrame:
    """200 clusters of 30 to 120 units."""
    return population(np.random.default_rng(4).integers(30, 121, 200))


DESIGNS: dict[str, tuple[Callable[[], pd.DataFrame], Draw]] = {
    "srs_50": (persons, simple(50)),
    "srs_200": (persons, simple(200)),
    "srs_1000": (persons, simple(1000)),
    "strata_30_by_2": (strata, clusters(2)),
    "clusters_15": (villages, clusters(15)),
    "clusters_40": (villages, clusters(40)),
    "two_stage": (towns, two_stages),
    "raked": (persons, raked),
    "two_phase": (persons, two_phases),
}
