"""The weights, and the bias of who answers, which the follow-up measures (page 03)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from ..disclosure import NUMBERS, Released, policy
from ..disclosure.suppression import unsafe
from ..errors import WelfareError
from ..estimation import Design, Estimate, imbens_manski, mean, share
from ..estimation.replicates import full
from ..needs import computed, indicators
from ..study import Study
from ..survey.response import ODDS, pattern_mixture, without_followup
from ..survey.sensitivity import PARTS, never_answered, tipping_point
from ..survey.weighting import RETURNED, trimmed, weight
from .declare import Base, Topic, always, exact, facts
from .descriptive import HEADLINES, View, descriptive, estimate, inside, view
from .quality import everybody

TRIMMED_AT = (0.99, 0.95)  # quantiles of the weights
REPLICATES, REPLICATED_BY = 100, 2012  # how many, and the seed
REACHED = 1e-9  # a smaller gap, in parts of a margin, is rounding
NEEDED = ("needed_less", "needed_more")
WAYS = ("both", "returned_alone", "bias", "silent_less", "silent_more")

topic = Topic("weights", lambda study: study, always, "decimal", everybody, totals=False)


def headlines(study: Study) -> list[Released]:
    """The conditions of the front page of which a share may be shown."""
    plan = study.result(descriptive)
    return [plan[name] for name in HEADLINES if name in plan and len(plan[name].shown)]


@topic.table("summary", "weight_figure", statistic="forms")
def summary(study: Study, _: Study) -> pd.DataFrame:
    """Size and spread of the weights, the margins that they reach, and the commands without an answer."""
    w = study.design.weights
    gaps = [
        abs(np.bincount(codes, weights=w) / counts[list(labels)].to_numpy() - 1).max()
        for name, counts in study.margins.items()
        for codes, labels in [pd.factorize(study.classes[name])]
    ]
    rows: dict[str, tuple[float, str]] = {
        "size": (w.sum(), "respondents"),
        "kish": ((w**2).mean() / w.mean() ** 2, "decimal"),
        "largest": (w.max() / np.median(w), "decimal"),
        "margins": (sum(len(m) for m in study.margins.values()), "number"),
    }
    if gaps:
        rows["gap"] = max(gaps), "share"
    if study.register is not None:
        own = study.register["command"]
        answered = study.register["person_id"].astype(object).isin(study.frame["person_id"])
        rows["silent_commands"] = len(set(own) - set(own[answered])), "number"
    cells = facts(rows, "weight_figure", len(w))
    reached = (cells["weight_figure"] == "gap") & (cells["estimate"] < REACHED)
    return cells.assign(text=reached.map({True: "weights.no_gap"}))


@topic.table("trimming", "condition", "measure")
def trimming(study: Study, _: Study) -> pd.DataFrame | None:
    """What cutting the largest weights would change: each share in points, and the width of its interval."""
    frame, parts = study.result(view, "").frame, []
    for table in study.result(headlines):
        whole, n = estimate(study.design, frame, table), table.respondents
        rows = [("share", *table.frame.iloc[0][NUMBERS], "share")]
        for q in TRIMMED_AT:
            cut = estimate(trimmed(study.design, float(np.quantile(study.design.weights, q))), frame, table)
            change, width = cut.value.iloc[0] - whole.value.iloc[0], cut.se.iloc[0] / whole.se.iloc[0]
            rows += [(f"change_{100 * q:.0f}", *[100 * change] * 3, "rate_points")]
            rows += [(f"width_{100 * q:.0f}", *[width] * 3, "decimal")]
        cells = pd.DataFrame(rows, columns=["measure", *NUMBERS, "unit"]).assign(condition=table.id, n=n)
        parts.append(cells.assign(step=cells["measure"].map({"share": table.frame["step"].iloc[0]})))
    return pd.concat(parts) if parts else None


def standard_errors(study: Study) -> pd.DataFrame | None:
    """Standard errors of the headlines by the formula and by replicates: weights drawn and raked again, means again.

    None where the design has no replicates: the unbiased variance of two phases can be negative for some statistic.
    """
    tables = study.result(headlines)
    columns = study.result(view, "").frame[[table.variable for table in tables]].astype("Float64")
    try:
        runs = full(study.design, lambda d: mean(d, columns).value, REPLICATES, np.random.default_rng(REPLICATED_BY))
    except WelfareError:
        return None
    formula, drawn = mean(study.design, columns).se, runs.std()
    errors = pd.DataFrame({"se_formula": formula, "se_replicates": drawn, "se_ratio": drawn / formula})
    return errors.set_axis([table.id for table in tables])


def replicable(study: Study) -> str:
    """Whether there are headlines, and replicate weights of the design."""
    if not study.result(headlines):
        return "not_asked"
    return "no_replicates" if study.result(standard_errors) is None else "shown"


@topic.table("replicated", "condition", "measure", ready=replicable)
def replicated(study: Study, _: Study) -> pd.DataFrame:
    """The standard error of each headline in two ways, in points."""
    errors: Any = study.result(standard_errors)
    n = {table.id: table.respondents for table in study.result(headlines)}
    points = errors * np.array([100.0, 100.0, 1.0])
    cells = points.rename_axis("condition").reset_index().melt("condition", var_name="measure", value_name="estimate")
    return exact(cells, cells["condition"].map(n))


@topic.table("agreement", "agreement_of", ready=replicable)
def agreement(study: Study, _: Study) -> pd.DataFrame:
    """Whether replicates confirm the formula.

    Of R replicates the ratio of both errors is within the root of chi-squared over its R - 1 degrees of freedom; the
    bounds hold for all headlines together in 95 %.
    """
    errors: Any = study.result(standard_errors)
    tail = 0.025 / len(errors)
    low, high = np.sqrt(2 * special.gammaincinv((REPLICATES - 1) / 2, [tail, 1 - tail]) / (REPLICATES - 1))
    inside_bounds = int(errors["se_ratio"].between(low, high).sum())
    verdict = "weights.replicated_same" if inside_bounds == len(errors) else "weights.replicated_other"
    numbers = {"inside": (inside_bounds, "number"), "of": (len(errors), "number"), "low": (low, "decimal")}
    numbers |= {"high": (high, "decimal"), "replicates": (REPLICATES, "number"), "verdict": (0.0, "number")}
    cells = facts(numbers, "agreement_of", len(study.frame))
    return cells.assign(text=cells["agreement_of"].map({"verdict": verdict}))


def measurable(study: Study) -> str:
    """Whether the bias of who answers can be measured."""
    return "no_followup" if study.followup is None or study.register is None else "shown"


def least_complete(study: Study) -> Base:
    """Of the condition with the most missing answers: who answered, and who was asked."""
    tables = study.result(headlines)
    worst = max(tables, key=lambda t: t.missing_share)
    frame = study.result(view, "").frame
    asked = inside(frame, worst.where)
    return asked & frame[worst.variable].notna(), asked


bias_topic = Topic("nonresponse", lambda study: study, measurable, "share", least_complete, totals=False)


@bias_topic.table("bias", "condition", "way")
def bias(study: Study, _: Study) -> pd.DataFrame | None:
    """Shares from both phases, from the returned forms alone, with silent persons of less and of more need.

    The way ``bias`` is the returned forms alone less both.
    """
    first, rows = study.result(returned_alone), []
    for headline in study.result(silences):
        both = headline.both
        alone = estimate(first.design, first.frame, headline.table).value.iloc[0]
        gap = without_followup(both, pd.Series(alone, index=both.value.index))
        lines = [_numbers(both), [alone] * 3, _numbers(gap), *map(_numbers, headline.mixtures)]
        rows.append(headline.rows(pd.DataFrame(lines, columns=NUMBERS).assign(way=WAYS), "way", "both"))
    table = pd.concat(rows) if rows else pd.DataFrame()
    return table.assign(unit=np.where(table["way"] == "bias", "share_points", "share")) if rows else None


@bias_topic.table("tipping", "condition", "measure")
def tipping(study: Study, _: Study) -> pd.DataFrame | None:
    """How different those who never answered must be for each share to leave its interval, and one interval for both.

    ``needed_less`` and ``needed_more`` are the shares that they must have, with the error of the followed-up and of
    how many never answered; the end of the interval is taken as it is. ``whole`` is `whole`, and ``whole_people``
    the same as persons.
    """
    rows = []
    for headline in study.result(silences):
        both, parts = _numbers(headline.both), headline.parts
        lines = {name: _numbers(parts, i) for i, name in enumerate(PARTS) if i}
        lines |= {name: _numbers(tipping_point(parts, c), 1) for name, c in zip(NEEDED, both[1:], strict=True)}
        lines["whole"] = whole(both, headline.mixtures)
        cells = pd.DataFrame.from_dict(lines, orient="index", columns=NUMBERS)
        possible = cells["estimate"].between(0, 1).to_numpy()
        cells.loc[possible] = cells[possible].clip(0, 1)
        silent = [None if yes else "weights.no_answers" for yes in possible]
        cells = cells.assign(measure=cells.index, text=silent, unit="share")
        people = cells.loc[["whole"]].assign(measure="whole_people", unit="persons")
        people[NUMBERS] *= headline.people
        rows.append(headline.rows(pd.concat([cells, people]), "measure", "whole"))
    return pd.concat(rows) if rows else None


@dataclass(frozen=True)
class Silence:
    """A headline, and what is known of those who never answered; ``people`` are all whom it is of, answered or not."""

    table: Released
    counted: Released
    people: float
    both: Estimate
    parts: Estimate
    mixtures: list[Estimate]
    n: float
    unsafe: bool

    def rows(self, cells: pd.DataFrame, key: str, own: str) -> pd.DataFrame:
        """Numbers of this headline as rows; where the key is ``own`` it is printed as where it stands alone."""
        alone = {own: self.table, f"{own}_people": self.counted}
        step = cells[key].map({name: table.frame["step"].iloc[0] for name, table in alone.items()})
        return cells.assign(condition=self.table.variable, n=self.n, unsafe=self.unsafe, step=step)


def silences(study: Study) -> list[Silence]:
    """Each headline with its parts by who answered (`never_answered`), and its two mixtures."""
    frame, r, made = study.result(view, "").frame, answered(study.followup), []
    late = frame["outcome"] != RETURNED
    for table in study.result(headlines):
        y, where = frame[table.variable], inside(frame, table.where)
        known = y[where].dropna().astype(bool)
        counts = [known, known[~late[known.index]], known[late[known.index]]]  # any two give the third
        n, met = (np.array([f(c) for c in counts], dtype=float) for f in (len, sum))
        parts = never_answered(study.design, y, late, r, where=where)
        mixtures = [pattern_mixture(study.design, y, late, r, odds, where) for odds in ODDS]
        both, people = estimate(study.design, frame, table), float(study.design.weights[where.to_numpy()].sum())
        counted = study.result(descriptive)[f"{table.id}_total"]
        made.append(Silence(table, counted, people, both, parts, mixtures, n[0], bool(unsafe(n, met, policy()).any())))
    return made


def whole(both: list[float], mixtures: list[Estimate]) -> list[float]:
    """A share, its interval holding the error of the sample and what those who never answered may be.

    That of Imbens and Manski (2004) about the two mixtures of `bias`, which is symmetric: of a rare condition it would
    begin below nothing, and end before that of the sample alone, which is therefore in it.
    """
    less, more = mixtures
    low, high = imbens_manski(less, more)[["low", "high"]].iloc[0]
    return [both[0], max(min(low, both[1]), 0.0), min(max(high, both[2]), 1.0)]


def answered(followup: pd.DataFrame) -> Estimate:
    """Of the persons of a follow-up the part that answered, with the error of a draw in strata."""
    size, stratum = followup["stratum_population"].astype(float), followup["stratum"]
    drawn = stratum.groupby(stratum).transform("size")
    return share(Design(size / drawn, stratum, fpc=size, single_psu="centre"), followup["outcome"].eq("answered"))


def _numbers(one: Estimate, i: int = 0) -> list[float]:
    return [one.value.iloc[i], *one.interval().iloc[i]]


def returned_alone(study: Study) -> View:
    """The answers and the design that the returned forms alone would have given."""
    back = study.frame["outcome"] == RETURNED
    alone = weight(study.frame[back].reset_index(drop=True), study.register)
    return View(computed(indicators(alone.frame)), alone.design)
