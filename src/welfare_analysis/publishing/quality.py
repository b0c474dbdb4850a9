"""How the soundness of the answers is shown: gaps, heaping, straight lines, contradictions, likeness, imputation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown

from ..estimation import Design, Estimate, share
from ..languages import amount, number, with_interval
from ..needs import INDICATORS
from ..study import DATA, Study
from ..survey import quality
from ..survey.imputation import LEAST, completed, imputed
from .plan import Release
from .suppression import Policy
from .tables import markup, source, title

SHOWN = 12  # questions with the most gaps
FILES, SEED = 20, 2012  # completed files of an imputation, and where its draws begin
INCOMES = {"net_pay_dh": "active", "pension_dh": "retired|widow|orphan", "other_income_dh": ""}
OF_INCOME = ("cost_burdened", "over_debt_limit")


def gaps(study: Study) -> HTML | Markdown:
    """The questions that most of those asked left open, and how."""
    book, language = study.codebook, study.language
    if study.kinds.empty:
        return Markdown(book.text("not_asked", language))
    table, rules = quality.item_nonresponse(study.kinds, book), Policy.read(DATA / "policy.csv")
    body = [
        [
            book.asks(str(name), language),
            number(line["asked"], language),
            *(amount(float(line[k]), "share", language) for k in (*quality.GAPS, "missing")),
        ]
        for name, line in table[table["asked"] >= rules.min_base].head(SHOWN).iterrows()
    ]
    heads = [book.text(f"col.{n}", language) for n in ("question", "asked", *quality.GAPS, "all_gaps")]
    return HTML(markup(title("gaps", study), heads, body, _foot(study, len(study.kinds))))


def heaps(study: Study) -> HTML:
    """How many amounts end in hundreds, and minutes in fives, beside what even digits would give."""
    book, language = study.codebook, study.language
    table = quality.heaping(study.frame, book)
    table = table[table["n"] >= Policy.read(DATA / "policy.csv").min_base]
    body = []
    for name, line in table.sort_values("first", ascending=False).head(SHOWN).iterrows():
        steps = "5, 10" if book.variables.at[name, "unit"] == "min" else "100, 500"
        shares = [amount(float(line[k]), "share", language) for k in ("first", "even", "second", "even_2")]
        body.append([book.asks(str(name), language), steps, *shares, number(line["n"], language)])
    names = ("question", "steps", "first_step", "first_even", "second_step", "second_even", "n")
    return HTML(markup(title("heaps", study), [book.text(f"col.{n}", language) for n in names], body, _foot(study)))


def straight(study: Study) -> HTML | Markdown:
    """Scales on which all items were given one answer, beside what chance would give."""
    book, language = study.codebook, study.language
    table = quality.straight_lines(study.frame, book)
    if table.empty:
        return Markdown(f"**{title('straight', study)}**: {book.text('not_asked', language)}")
    body = [
        [
            str(book.groups.at[name, f"label_{language}"]),
            number(line["items"], language),
            *(amount(float(line[k]), "share", language) for k in ("straight", "chance")),
            number(line["n"], language),
        ]
        for name, line in table.iterrows()
    ]
    heads = [book.text(f"col.{n}", language) for n in ("question", "items", "straight", "by_chance", "n")]
    return HTML(markup(title("straight", study), heads, body, _foot(study)))


def contradictions(study: Study) -> HTML | Markdown:
    """The rules of ``consistency.csv``: forms that can be checked, how many break it, and what is done."""
    book, language, least = study.codebook, study.language, Policy.read(DATA / "policy.csv").min_respondents
    rules = quality.read_rules(DATA / "codebook" / "consistency.csv", book)
    table = quality.inconsistent(study.frame, rules)
    if table.empty:
        return Markdown(f"**{title('contradictions', study)}**: {book.text('not_asked', language)}")
    body = []
    for rule in (r for r in rules if r.id in table.index):
        line = table.loc[rule.id]
        told = _few(int(line["broken"]), least, study)
        part = line["broken"] / max(line["checked"], 1) if not 0 < line["broken"] < least else np.nan
        action = book.text(f"action.{rule.action}", language)
        checked = number(line["checked"], language)
        body.append([rule.labels[language], told, amount(float(part), "share", language), checked, action])
    heads = [book.text(f"col.{n}", language) for n in ("rule", "broken", "share_of_checked", "checked", "action")]
    return HTML(markup(title("contradictions", study), heads, body, _foot(study)))


def likeness(study: Study) -> Markdown:
    """How many pairs of forms are alike in nearly all answers."""
    book, language, least = study.codebook, study.language, Policy.read(DATA / "policy.csv").min_respondents
    names = [n for n in book.variables.index if n in study.frame and book.variables.at[n, "type"] != "key"]
    pairs = quality.near_duplicates(study.frame[names])
    fields = {"share": amount(quality.ALIKE, "share", language), "items": number(quality.ITEMS, language)}
    told = _few(len(pairs), least, study)
    chance = quality.alike_by_chance(study.frame[names], np.random.default_rng(SEED))
    fields["chance"] = amount(chance, "share", language)
    return Markdown(book.text("likeness", language, pairs=told, n=number(len(study.frame), language), **fields))


def reconciliation(study: Study) -> HTML | Markdown:
    """What forms tell of their sender against the register."""
    book, language = study.codebook, study.language
    if study.register is None:
        return Markdown(f"**{title('reconciliation', study)}**: {book.text('no_totals', language)}")
    table = quality.reconciled(study.frame, study.register)
    body = [
        [book.asks(str(n), language), amount(float(r["agree"]), "share", language), number(r["n"], language)]
        for n, r in table.iterrows()
    ]
    heads = [book.text(f"col.{n}", language) for n in ("question", "agree", "n")]
    return HTML(markup(title("reconciliation", study), heads, body, _foot(study)))


def imputation(study: Study) -> HTML | Markdown:
    """What it changes to fill in the incomes that were not told: each condition that needs an income, both ways."""
    book, language, frame = study.codebook, study.language, study.frame
    functions = {i.name: i.function for i in INDICATORS if i.name in OF_INCOME and set(i.columns) <= set(frame)}
    columns = _completed(study)
    if not functions or not columns:
        return Markdown(f"**{title('imputation', study)}**: {book.text('not_asked', language)}")
    body = []
    for name, function in functions.items():
        told = share(study.design, function(frame))
        full = imputed(study.design, frame, columns, partial(_share_of, function))
        between = full.extra_covariance["imputation"].toarray()[0, 0] / float(full.se.iloc[0]) ** 2
        cells = [_with_interval(e, language) for e in (told, full)]
        counts = [number(e.counts["missing"].iloc[0], language) for e in (told, full)]
        body.append([title(name, study), cells[0], counts[0], cells[1], counts[1], amount(between, "share", language)])
    names = ("condition", "told_alone", "left_out", "filled_in", "left_out", "between")
    return HTML(
        markup(title("imputation", study), [book.text(f"col.{n}", language) for n in names], body, _foot(study))
    )


def _with_interval(estimate: Estimate, language: str) -> str:
    low, high = estimate.interval().iloc[0]
    return with_interval(estimate.value.iloc[0], low, high, "share", language)


def _share_of(function: Callable[[pd.DataFrame], pd.Series], design: Design, frame: pd.DataFrame) -> Estimate:
    return share(design, function(frame))


def _completed(study: Study) -> dict[str, list[pd.Series]]:
    """The incomes that have gaps, completed."""
    frame, rng, found = study.frame, np.random.default_rng(SEED), {}
    status = frame["status"].astype(str)
    for name, of in INCOMES.items():
        asked = status.isin(of.split("|")) if of else status.notna()
        if name in frame and frame.loc[asked, name].notna().sum() >= LEAST:
            found[name] = completed(frame, study.design.weights, name, asked, rng, FILES)
    return found


def findings(study: Study) -> Markdown:
    """The response, the question with most gaps, the rule most often broken: computed sentences."""
    book, language = study.codebook, study.language
    lines = []
    if not study.kinds.empty:
        table = quality.item_nonresponse(study.kinds, book)
        table = table[table["asked"] >= Policy.read(DATA / "policy.csv").min_base]
        worst, median = table.iloc[0], float(table["missing"].median())
        fields = {"question": book.asks(str(table.index[0]), language)}
        shown = {
            "missing": amount(float(worst["missing"]), "share", language),
            "median": amount(median, "share", language),
        }
        lines.append(book.text("finding.gaps", language, **fields, **shown))
    rules = quality.read_rules(DATA / "codebook" / "consistency.csv", book)
    broken = quality.inconsistent(study.frame, rules)
    if len(broken) and broken["broken"].max() > 0:
        part = (broken["broken"] / broken["checked"].clip(lower=1)).astype(float)
        label = next(r.labels[language] for r in rules if r.id == part.idxmax())
        lines.append(
            book.text("finding.broken", language, rule=label, share=amount(float(part.max()), "share", language))
        )
    return Markdown("\n".join(f"- {line}" for line in lines))


def response(study: Study, released: Release) -> Markdown:
    """The response rate, refusals and those not reached, weighted for the selection of the follow-up."""
    parts = []
    for name in ("responded", "refused", "unreached"):
        table = released[name]
        if table.state != "shown":
            return Markdown(study.codebook.text(table.state, study.language))
        row = table.frame.iloc[0]
        told = with_interval(row["estimate"], row["low"], row["high"], "share", study.language)
        parts.append(f"- {title(name, study)}: {told}")
    return Markdown("\n".join(parts))


def _few(count: int, least: int, study: Study) -> str:
    if 0 < count < least:
        return study.codebook.text("fewer_than", study.language, least=number(least, study.language))
    return number(count, study.language)


def _foot(study: Study, n: int | None = None) -> str:
    return study.codebook.text(
        "note.forms", study.language, n=number(n or len(study.frame), study.language), source=source(study)
    )
