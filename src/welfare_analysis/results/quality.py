"""Whether the answers are sound (page 02): shares and numbers of forms, unweighted; `survey.quality` says of what."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from ..disclosure import CATEGORY, NUMBERS, policy
from ..disclosure.suppression import completed, unsafe
from ..estimation import Design, Estimate, share
from ..needs import Indicator, computable
from ..needs.housing import cost_burdened
from ..needs.income_debt import over_debt_limit
from ..study import Study
from ..survey import quality
from ..survey.doubts import ORPHANS
from ..survey.imputation import AMOUNTS, DEDUCTIONS, LEAST, imputed, together
from .declare import Base, Topic, always, exact, facts, long_format, point
from .headlines import truth

SHOWN = 12  # questions with the most gaps, or the most round figures
COMPLETED, SEED = 5, 2012  # completed data sets of an imputation, and where its draws begin
OF_INCOME: dict[str, Indicator] = {"cost_burdened": cost_burdened, "over_debt_limit": over_debt_limit}


def everybody(study: Study) -> Base:
    """All forms."""
    every = pd.Series(True, study.frame.index)
    return every, every


topic = Topic("quality", lambda study: study, always, "share", everybody,
              ("quality_gaps", ("answered", "most_gaps", "most_broken", "filled")), totals=False)  # fmt: skip
table = partial(topic.table, across="measure", statistic="forms")


def of_forms(shares: pd.DataFrame, forms: pd.Series, key: str, constants: tuple[str, ...] = ()) -> pd.DataFrame:
    """Shares of forms as cells, with the respondents behind them.

    ``shares`` (rows x measures) are of ``forms`` (rows,) each; ``constants`` are measures that no answer is in.
    """
    wide = shares.astype(float).rename_axis(index=key).reset_index()
    cells = wide.melt(key, var_name="measure", value_name="estimate")
    n = cells[key].map(forms).astype(float)
    numerator = (cells["estimate"] * n).round().mask(cells["measure"].isin(constants))
    return exact(cells.assign(numerator=numerator), n)


def item_gaps(study: Study) -> pd.DataFrame:
    """Gaps of each question that enough were asked, the worst first."""
    gaps = quality.item_nonresponse(study.kinds, study.codebook)
    return gaps[gaps["asked"] >= policy().min_base]


@table("forms", "form_state", unit="respondents", ready=lambda study: "shown" if study.states else "no_state")
def forms(study: Study, _: Study) -> pd.DataFrame:
    """Forms by review state where they were collected, and forms in doubt: those that count, and those left out."""
    rows = [(state.replace(" ", "_"), measure, float(n)) for (state, measure), n in study.states.items()]
    cells = pd.DataFrame(rows, columns=["form_state", "measure", "estimate"])
    gone = (cells["measure"] == "left_out") & (cells["form_state"] != ORPHANS)  # those are rows, of no form
    came = len(study.frame) + cells.loc[gone, "estimate"].sum()
    return cells.assign(n=came, **dict.fromkeys(["low", "high", "numerator"], cells["estimate"]))


@table("gaps", "question", adds="measure")
def gaps(study: Study, _: Study) -> pd.DataFrame | None:
    """The questions that most of those asked left open: skipped, refused, not known.

    Those whose gaps may be shown, since the place of a question among the others tells nearly as much as its number.
    """
    if study.kinds.empty:
        return None
    every = study.result(item_gaps).rename(columns={"missing": "all_gaps"})
    cells = of_forms(every[[*quality.GAPS, "all_gaps"]], every["asked"], "question")
    first = unsafe(cells["n"].to_numpy(), cells["numerator"].to_numpy(), policy())
    cells["lost"] = completed(cells, ["measure"], policy(), first, ["question"])  # some for the sake of others
    shown = cells.loc[(cells["measure"] == "all_gaps") & ~cells["lost"], "question"]
    return cells[cells["question"].isin(shown.head(SHOWN))]


@table("median_gap", "gaps_of")
def median_gap(study: Study, _: Study) -> pd.DataFrame | None:
    """The gaps of the question in the middle."""
    if study.kinds.empty:
        return None
    every = study.result(item_gaps)
    middle = every.iloc[[len(every) // 2]].rename(index=lambda _: "median", columns={"missing": "all_gaps"})
    return of_forms(middle[["all_gaps"]], middle["asked"], "gaps_of")


@table("heaps", "question")
def heaps(study: Study, _: Study) -> pd.DataFrame:
    """Amounts in hundreds and minutes in fives, beside what even last digits would give."""
    names = {"first": "first_step", "even": "first_even", "second": "second_step", "even_2": "second_even"}
    ends = quality.heaping(study.frame, study.codebook).reindex(columns=["n", *names])
    fails = unsafe(ends["n"].to_numpy(float), (ends["first"] * ends["n"]).round().to_numpy(float), policy())
    ends = ends[~fails].sort_values("first", ascending=False, kind="stable").head(SHOWN)  # the place tells, as of gaps
    shares = ends[list(names)].rename(columns=names)
    return of_forms(shares, ends["n"], "question", ("first_even", "second_even"))


@table("straight", "scale")
def straight(study: Study, _: Study) -> pd.DataFrame:
    """Scales on which all items were given one answer, beside what chance would give."""
    lines = quality.straight_lines(study.frame, study.codebook).reindex(columns=["n", "straight", "chance"])
    shares = lines[["straight", "chance"]].rename(columns={"chance": "by_chance"})
    return of_forms(shares, lines["n"], "scale", ("by_chance",))


@table("contradictions", "rule")
def contradictions(study: Study, _: Study) -> pd.DataFrame | None:
    """Forms that break a rule of ``consistency.csv``, of those that can be checked, and what is done."""
    broken = quality.inconsistent(study.frame, quality.read_rules(study.codebook))
    if broken.empty:
        return None
    n, part = broken["checked"], broken["broken"] / broken["checked"].clip(lower=1)
    shares = of_forms(part.to_frame("share_of_checked"), n, "rule").assign(unit="share")
    met = dict.fromkeys(NUMBERS, shares["numerator"])
    counts = shares.assign(measure="broken", unit="respondents", **met)
    done = shares.assign(measure="action", numerator=np.nan, text="action." + shares["rule"].map(broken["action"]))
    return pd.concat([counts, shares, done.assign(estimate=0.0, low=0.0, high=0.0)])


@table("likeness", "likeness_of")
def likeness(study: Study, _: Study) -> pd.DataFrame:
    """Pairs of forms that are alike in nearly all answers, and the most alike of pairs drawn at random."""
    book = study.codebook
    names = [n for n in book.variables.index if n in study.frame and book.variables.at[n, "type"] != "key"]
    pairs = len(quality.near_duplicates(study.frame[names]))
    chance = quality.alike_by_chance(study.frame[names], np.random.default_rng(SEED))
    cells = facts({"found": (pairs, "number"), "by_chance": (chance, "share")}, "likeness_of", len(study.frame))
    return cells.assign(measure="pairs", numerator=[pairs, np.nan])


@table("reconciliation", "question", ready=lambda study: "no_totals" if study.register is None else "shown")
def reconciliation(study: Study, _: Study) -> pd.DataFrame | None:
    """What forms say of their sender against the register."""
    same = quality.reconciled(study.frame, study.register) if study.register is not None else pd.DataFrame()
    return of_forms(same[["agree"]], same["n"], "question") if len(same) else None


def completed_amounts(study: Study) -> dict[str, list[pd.Series]]:
    """Incomes, loans, deductions and costs of the home that have gaps, completed together (`together`)."""
    frame, asked = study.frame, {}
    for name in frame.columns.intersection(AMOUNTS):
        rows = study.codebook.asked(name, frame, frame.index).fillna(name in DEDUCTIONS).astype(bool)
        if (rows & frame[name].notna()).sum() >= LEAST:
            asked[name] = rows
    return together(frame, study.design.weights, asked, np.random.default_rng(SEED), COMPLETED) if asked else {}


@topic.table("imputation", "condition", "measure")
def imputation(study: Study, _: Study) -> pd.DataFrame | None:
    """What it changes to fill in the amounts that were not stated: each condition that needs an income, both ways.

    On the stand-in beside what is true of everybody.
    """
    frame, parts = study.frame, []
    columns, true = study.result(completed_amounts), study.result(truth).shown
    for name, values in computable(frame, OF_INCOME.values()).items() if columns else ():
        answered = share(study.design, values)
        filled = imputed(study.design, frame, columns, partial(_share_of, OF_INCOME[name]))
        between = filled.extra_covariance["imputation"].toarray()[0, 0] / float(filled.se.iloc[0]) ** 2
        parts.append(_both_ways(answered, filled, between, float(values.sum()), len(frame)).assign(condition=name))
        for row in true[(true["condition"] == name) & (true[CATEGORY] == "all")].itertuples() if len(true) else ():
            parts.append(point(row.estimate, len(frame), condition=name, measure="truth", unit="share"))
    return pd.concat(parts) if parts else None


def _both_ways(answered: Estimate, filled: Estimate, between: float, met: float, asked: int) -> pd.DataFrame:
    """Cells of a condition; ``met`` respondents are known to meet it."""
    parts = []
    for name, left_out, estimate in (("stated_alone", "left_out", answered), ("filled_in", "left_out_filled", filled)):
        shares = long_format(estimate, "").assign(measure=name, unit="share", numerator=met, flag="")
        shares[["low", "high"]] = estimate.interval().to_numpy()
        missing = float(estimate.counts["missing"].iloc[0])
        parts += [shares, point(missing, asked, measure=left_out, unit="respondents").assign(numerator=missing)]
    spread = point(between, answered.counts["n"].iloc[0], measure="between", unit="share")
    return pd.concat([*parts, spread.assign(numerator=met)])


def _share_of(function: Callable[[pd.DataFrame], pd.Series], design: Design, frame: pd.DataFrame) -> Estimate:
    return share(design, function(frame))
