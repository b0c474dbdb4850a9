"""Sentences made from estimates: direction and superlatives too, and "no clear difference" where intervals say so."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from IPython.display import Markdown

from ..languages import amount, number, with_interval
from ..study import DATA, Study
from .disclosure import Release, Released
from .tables import HEADLINES, assumption_share, label


def banner(study: Study) -> Markdown:
    """On the stand-in the warning that no answer is real; else whose answers these are."""
    book, language = study.codebook, study.language
    if study.is_standin:
        return Markdown(f"> **{book.text('banner', language)}**")
    return Markdown(book.text("source.own", language, name=study.survey_name))


def method(study: Study) -> Markdown:
    """How many answers of which kind, and whom they stand for."""
    language = study.language
    followed = 0
    if "outcome" in study.frame:
        followed = int((study.frame["outcome"] == "answered").sum())
    n = len(study.frame)
    people = 0 if study.register is None else len(study.register)
    fields = {"n": n, "returned": n - followed, "followed": followed, "people": people}
    shown = {k: number(v, language) for k, v in fields.items()}
    return Markdown(study.codebook.text(f"method.{study.method}", language, **shown))


def highest_lowest(released: Released, study: Study, category: str | None = None) -> Markdown:
    """The groups with the highest and lowest estimate, or "no clear difference" if their intervals overlap.

    Intervals that do not overlap differ at well under 5 %, so the rule is conservative; it names no order in between.
    """
    book, language = study.codebook, study.language
    title = book.text(f"title.{released.id}", language)
    if released.state != "shown":
        return Markdown(f"**{title}**: {book.text(released.state, language)}")
    frame = released.frame.dropna(subset="estimate")
    if category is not None:
        frame = frame[frame["category"].astype(str) == category]
        title += f" ({label(study, released.variable, category)})"
    if frame.empty:
        return Markdown(f"**{title}**: {book.text('hidden', language)}")
    top, bottom = frame.loc[frame["estimate"].idxmax()], frame.loc[frame["estimate"].idxmin()]
    told = {
        side: with_interval(row["estimate"], row["low"], row["high"], released.unit, language)
        for side, row in (("high", top), ("low", bottom))
    }
    if top["low"] <= bottom["high"]:
        return Markdown(f"**{title}.** {book.text('no_difference', language, **told)}")
    names = {
        f"{side}_label": label(study, released.by[0], row[released.by[0]])
        for side, row in (("high", top), ("low", bottom))
    }
    return Markdown(f"**{title}.** {book.text('highest_lowest', language, **told, **names)}")


def findings(released: Release, study: Study, assumptions: Path = DATA / "survey" / "assumptions.csv") -> Markdown:
    """The headline conditions as a list; where assumptions decide most of the variance it says illustration."""
    book, language = study.codebook, study.language
    known = pd.read_csv(assumptions).set_index("headline") if study.is_standin and assumptions.is_file() else None
    lines = []
    for name in HEADLINES:
        table, people = released[name], released[f"{name}_total"]
        title = book.text(f"title.{name}", language)
        if table.state != "shown" or table.frame["estimate"].isna().all():
            state = table.state if table.state != "shown" else "hidden"
            lines.append(f"- **{title}**: {book.text(state, language)}")
            continue
        row = table.frame.iloc[0]
        share = with_interval(row["estimate"], row["low"], row["high"], "share", language)
        total = ""
        if people.state == "shown" and people.frame["estimate"].notna().all():
            count = people.frame.iloc[0]
            told = with_interval(count["estimate"], count["low"], count["high"], "persons", language)
            total = book.text("finding.total", language, total=told)
        line = f"- {book.text('finding', language, label=f'**{title}**', share=share, total=total)}"
        part = 0.0 if known is None else assumption_share(table, float(known.loc[name, "sd"]))
        if part > 0.5:
            line += f" *{book.text('illustration', language, share=amount(part, 'share', language))}*"
        lines.append(line)
    return Markdown("\n".join(lines))


def limits(released: Release, study: Study) -> Markdown:
    """The largest share of missing answers, and on the stand-in that no level can carry a decision."""
    book, language = study.codebook, study.language
    missing = max((t.missing_share for t in released.values() if t.state == "shown"), default=0.0)
    lines = [book.text("limits.own", language, missing=amount(missing, "share", language))]
    if study.is_standin:
        lines.insert(0, book.text("limits.standin", language))
    return Markdown("\n".join(f"- {line}" for line in lines))
