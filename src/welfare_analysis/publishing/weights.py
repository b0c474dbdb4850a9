"""How the collection and its weights are shown: the bias of who answers, the weights, what trimming would cost."""

from __future__ import annotations

import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown
from scipy import stats

from ..errors import WelfareError
from ..estimation import mean
from ..estimation.replicates import full
from ..languages import amount, between, number, span
from ..needs import computed, indicators
from ..study import Study
from ..survey.weighting import trimmed
from .collection import WAYS
from .plan import HEADLINES, Release, Released, estimate
from .suppression import CATEGORY
from .tables import markup, note, title, told

TRIMMED_AT = (0.99, 0.95)  # quantiles of the weights
REPLICATES, REPLICATED_BY = 100, 2012  # how many, and the seed
REACHED = 1e-9  # a smaller gap, in parts of a margin, is rounding


def bias_table(table: Released, study: Study) -> HTML | Markdown:
    """What would have been said without the follow-up, what it misses, and what the silent could change."""
    book, language = study.codebook, study.language
    if table.state != "shown":
        return Markdown(f"**{title(table.id, study)}**: {book.text('no_followup', language)}")
    cells, body = table.frame.set_index(["condition", CATEGORY]), []
    for name in dict.fromkeys(table.frame["condition"]):
        both, alone, less, more, gap = (cells.loc[(name, way)] for way in WAYS)
        points = f"{number(100 * gap['estimate'], language, 1)} ({_points(gap, language)})"
        band = between(less["estimate"], more["estimate"], "share", language)
        body.append([
            title(name, study), told(table, study, both), amount(alone["estimate"], "share", language), points, band
        ])  # fmt: skip
    heads = [book.text(f"col.{n}", language) for n in ("condition", "both", "returned_alone", "bias", "silent")]
    return HTML(markup(title(table.id, study), heads, body, note([table], study)))


def _points(gap: pd.Series, language: str) -> str:
    bounds = [number(100 * gap[side], language, 1) for side in ("low", "high")]
    return " to ".join(bounds) if language == "en" else " ; ".join(bounds)


def bias_sentence(table: Released, study: Study) -> Markdown:
    """The headline that the returned forms alone miss by most, or that no bias is seen."""
    book, language = study.codebook, study.language
    if table.state != "shown":
        return Markdown(book.text("no_followup", language))
    gaps = table.frame[table.frame[CATEGORY] == "bias"]
    clear = gaps[(gaps["low"] > 0) | (gaps["high"] < 0)]
    if clear.empty:
        return Markdown(book.text("bias.none", language))
    worst = clear.loc[clear["estimate"].abs().idxmax()]
    fields = {
        "count": number(len(clear), language),
        "of": number(len(gaps), language),
        "label": title(worst["condition"], study),
        "points": f"{number(100 * worst['estimate'], language, 1)} ({_points(worst, language)})",
    }
    return Markdown(book.text("bias.found", language, **fields))


def weights(study: Study) -> HTML:
    """The weights in a few figures: size, design effect, the largest, the margins, commands without an answer."""
    book, language, w = study.codebook, study.language, study.design.weights
    gaps = [
        abs(np.bincount(codes, weights=w) / counts[list(labels)].to_numpy() - 1).max()
        for name, counts in study.margins.items()
        for codes, labels in [pd.factorize(study.classes[name])]
    ]
    gap = max(gaps, default=float("nan"))
    rows = {
        "size": number(w.sum(), language),
        "kish": number(float((w**2).mean() / w.mean() ** 2), language, 2),
        "largest": number(float(w.max() / np.median(w)), language, 1),
        "margins": number(sum(len(m) for m in study.margins.values()), language),
        "gap": book.text("weights.no_gap", language) if gap < REACHED else number(gap, language, 6),
    }
    if study.register is not None:
        own, answered = study.register["command"], study.register["person_id"].isin(study.frame["person_id"])
        silent = [code for code in book.codes("command") if code in set(own) - set(own[answered])]
        names = ", ".join(book.label("command", code, language) for code in silent)
        rows["silent_commands"] = names or book.text("weights.none", language)
    body = [[book.text(f"weights.{name}", language), value] for name, value in rows.items()]
    heads = [book.text("col.quantity", language), book.text("col.value", language)]
    return HTML(markup(title("weights", study), heads, body, ""))


def trimming(released: Release, study: Study) -> HTML:
    """What cutting the largest weights would change: each headline in points, and the width of its interval."""
    book, language = study.codebook, study.language
    frame, body = computed(indicators(study.frame)), []
    limits = [float(np.quantile(study.design.weights, q)) for q in TRIMMED_AT]
    for table in (released[name] for name in HEADLINES if len(released[name].shown)):
        whole = estimate(study.design, frame, table)
        line = [title(table.id, study), told(table, study)]
        for most in limits:
            cut = estimate(trimmed(study.design, most), frame, table)
            change, width = cut.value.iloc[0] - whole.value.iloc[0], cut.se.iloc[0] / whole.se.iloc[0]
            points = number(round(100 * change, 2) + 0.0, language, 2)  # never -0.00
            line.append(book.text("weights.trimmed_cell", language, points=points, width=number(width, language, 2)))
        body.append(line)
    heads = [book.text("col.condition", language), book.text("col.share", language)]
    heads += [book.text("col.trimmed", language, q=amount(q, "share", language)) for q in TRIMMED_AT]
    foot = note([released[name] for name in HEADLINES], study)
    return HTML(markup(title("trimming", study), heads, body, foot))


def replicated(released: Release, study: Study) -> HTML | Markdown:
    """Standard errors of the headlines by the formula and by replicates: weights drawn and raked again, means again.

    Of R replicates the ratio of both errors is within the root of chi-squared over its R - 1 degrees of freedom; the
    bounds hold for all headlines together in 95 %.
    """
    book, language, body = study.codebook, study.language, []
    tables = [released[name] for name in HEADLINES if len(released[name].shown)]
    columns = computed(indicators(study.frame))[[table.variable for table in tables]].astype("Float64")
    if not tables:
        return Markdown(book.text("not_asked", language))
    formula = mean(study.design, columns).se
    try:
        runs = full(study.design, lambda d: mean(d, columns).value, REPLICATES, np.random.default_rng(REPLICATED_BY))
    except WelfareError as why:
        return Markdown(book.text("weights.no_replicates", language, why=str(why)))
    ratios = runs.std() / formula
    for table, one, two, ratio in zip(tables, formula, runs.std(), ratios, strict=True):
        points = [number(100 * x, language, 2) for x in (one, two)]
        body.append([title(table.id, study), told(table, study), *points, number(ratio, language, 2)])
    tail = 0.025 / len(tables)  # of all together 95 %
    low, high = np.sqrt(stats.chi2.ppf([tail, 1 - tail], REPLICATES - 1) / (REPLICATES - 1))
    inside = int(ratios.between(low, high).sum())
    said = book.text(f"weights.replicated_{'same' if inside == len(tables) else 'other'}", language)
    fields = {"count": number(inside, language), "of": number(len(tables), language), "said": said}
    fields |= {"replicates": number(REPLICATES, language), "span": span(low, high, language, 2)}
    heads = [book.text(f"col.{n}", language) for n in ("condition", "share", "se_formula", "se_replicates", "se_ratio")]
    foot = f"{book.text('weights.replicated', language, **fields)} {note(tables, study)}"
    return HTML(markup(title("replicated", study), heads, body, foot))


def households(released: Release, study: Study) -> HTML:
    """Households, each counted once however many of its members are in the register."""
    book, language, body = study.codebook, study.language, []
    for name in ("households_total", "crowded_households", "cost_burdened_households"):
        table = released[name]
        known = told(table, study) if table.state == "shown" else book.text(table.state, language)
        body.append([title(name, study), known, number(table.respondents, language)])
    heads = [book.text(f"col.{n}", language) for n in ("condition", "households", "n")]
    foot = note([released["households_total"]], study) if released["households_total"].state == "shown" else ""
    return HTML(markup(title("households", study), heads, body, foot))
