"""Sentences made from estimates: direction and superlatives too, and "no clear difference" where intervals say so."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import Markdown
from scipy.stats import studentized_range

from ..languages import amount, between, number
from ..study import DATA, Study
from .plan import Release, Released, made
from .suppression import CATEGORY
from .tables import HEADLINES, Z, assumption_share, assumptions, cell_label, label, source, title, told


def banner(study: Study) -> Markdown:
    """On the stand-in the warning that no answer is real; else whose answers these are."""
    if study.is_standin:
        return Markdown(f"> **{study.codebook.text('banner', study.language)}**")
    return Markdown(f"> {study.codebook.text('own', study.language, source=source(study))}")


def method(study: Study) -> Markdown:
    """How many answers of which kind, and whom they stand for."""
    followed = int((study.frame["outcome"] == "answered").sum()) if "outcome" in study.frame else 0
    n, people = len(study.frame), study.population or 0
    fields = {"n": n, "returned": n - followed, "followed": followed, "people": people}
    shown = {k: number(v, study.language) for k, v in fields.items()}
    return Markdown(study.codebook.text(f"method.{study.method}", study.language, **shown))


@cache
def critical(groups: int) -> float:
    """The 95 % point of the studentised range of so many groups (Tukey 1949), for large degrees of freedom."""
    return float(studentized_range.ppf(0.95, groups, 1e5))


def differ(top: pd.Series, bottom: pd.Series, groups: int) -> bool:
    r"""Whether the highest and lowest of several groups differ, all pairs compared at 5 % together.

    Tukey and Kramer (Kramer 1956): :math:`\hat\theta_a - \hat\theta_b > q \sqrt{(v_a + v_b)/2}`, with the standard
    errors read from the sides of the two 95 % intervals that face each other.
    """
    se = np.array([top["estimate"] - top["low"], bottom["high"] - bottom["estimate"]]) / Z
    return bool(top["estimate"] - bottom["estimate"] > critical(groups) * np.sqrt((se**2).mean()))


def contrast(released: Released, study: Study, category: str | None = None) -> str:
    """The groups with the highest and the lowest estimate, or that no clear difference is seen."""
    book, language = study.codebook, study.language
    if released.state != "shown":
        return book.text(released.state, language)
    cells = released.shown
    if category is not None:
        cells = cells[cells[CATEGORY].astype(str) == category]
    if len(cells) < 2:
        return book.text(released.silence, language)
    top, bottom = cells.loc[cells["estimate"].idxmax()], cells.loc[cells["estimate"].idxmin()]
    if not differ(top, bottom, len(cells)):
        bounds = between(bottom["estimate"], top["estimate"], released.unit, language)
        unit = book.text(f"unit.{released.unit}", language)
        return book.text("no_difference", language, between=f"{bounds} {unit}")
    sides = {"high": top, "low": bottom}
    values = {side: told(released, study, row) for side, row in sides.items()}
    names = {f"{side}_label": label(study, released.by[0], row[released.by[0]]) for side, row in sides.items()}
    return book.text("highest_lowest", language, **values, **names)


def highest_lowest(released: Released, study: Study, category: str | None = None) -> Markdown:
    """A table's `contrast` behind its title."""
    name = title(released.id, study)
    if category is not None and released.state == "shown":
        name += f" ({cell_label(released, study, CATEGORY, category)})"
    return Markdown(f"**{name}**: {contrast(released, study, category)}")


def who_where(released: Release, study: Study) -> Markdown:
    """For each headline the groups with the highest and lowest share: by status, by rank, by commands."""
    lines = []
    for name in HEADLINES:
        lines.append(f"- **{title(name, study)}**")
        ids = [f"{name}_by_{group}" for group in ("status", "rank", "command")]
        tables = [released[i] for i in ids if i in released]
        if all(table.state != "shown" for table in tables):
            lines[-1] += f": {study.codebook.text(tables[0].state, study.language)}"
            continue
        for table in tables:
            group = study.codebook.text(f"group.{table.by[0]}", study.language)
            lines.append(f"    - {group}: {contrast(table, study)}")
    return Markdown("\n".join(lines))


def findings(released: Release, study: Study) -> Markdown:
    """The headline conditions as a list; where assumptions decide most of the variance it says illustration."""
    book, language = study.codebook, study.language
    known, lines = assumptions(study), []
    for name in HEADLINES:
        table, people, first = released[name], released[f"{name}_total"], f"**{title(name, study)}**"
        if not len(table.shown):
            lines.append(f"- {first}: {book.text('hidden' if table.state == 'shown' else table.state, language)}")
            continue
        total = book.text("finding.total", language, total=told(people, study)) if len(people.shown) else ""
        line = f"- {book.text('finding', language, label=first, share=told(table, study), total=total)}"
        part = 0.0 if known is None else assumption_share(table, float(known.loc[name, "sd"]))
        if part > 0.5:
            line += f" *{book.text('illustration', language, share=amount(part, 'share', language))}*"
        lines.append(line)
    return Markdown("\n".join(lines))


def nature(study: Study) -> Markdown:
    """On the stand-in how the range of assumptions is to be read; nothing on own answers."""
    return Markdown(study.codebook.text("assumptions", study.language) if study.is_standin else "")


def standards(released: Release, study: Study) -> Markdown:
    """What changes each headline: its share under the mildest and the strictest standard shown."""
    book, lines = study.codebook, []
    for name in HEADLINES[1:]:
        table = released[f"{name}_standards"]
        cells = table.shown
        first = f"- **{title(name, study)}**: "
        if len(cells) < 2:
            lines.append(first + book.text(table.silence, study.language))
            continue
        ends = [
            f"{told(table, study, row)} {cell_label(table, study, 'standard', row['standard'])}"
            for _, row in cells.iloc[[0, -1]].iterrows()
        ]
        lines.append(first + book.text("from_to", study.language, first=ends[0], last=ends[1]))
    return Markdown("\n".join(lines))


def trust(study: Study, path: Path = DATA / "survey" / "validation.csv") -> Markdown:
    """What the weights stand on, and how often the intervals held a known truth in the stored simulations."""
    stored = pd.read_csv(path)
    plain = stored[(stored["version"] == "plain") & stored["headline"].isin(HEADLINES)]
    fields: dict[str, str] = {"samples": number(plain["samples"].max(), study.language)}
    for method_, part in plain.groupby("method"):
        fields[str(method_)] = between(part["coverage"].min(), part["coverage"].max(), "share", study.language)
        fields[f"{method_}_error"] = number(100 * part["bias"].abs().max(), study.language, 1)
    strategic = stored[(stored["version"] == "strategic") & (stored["method"] == "two_phase")]
    strategic = strategic[strategic["headline"].isin(HEADLINES)]
    fields["overstated_error"] = number(100 * strategic["bias"].abs().max(), study.language, 1)
    first = study.codebook.text(f"sure.{study.method}", study.language)
    return Markdown(f"{first} {study.codebook.text('trust', study.language, **fields)}")


def limits(released: Release, study: Study) -> Markdown:
    """The largest share of missing answers, and on the stand-in that no level can carry a decision."""
    book, language = study.codebook, study.language
    shown = [t for t in made(released).values() if t.state == "shown"]
    worst = max(shown, key=lambda t: t.missing_share, default=None)
    lines = [book.text("limits.standin", language)] if study.is_standin else []
    if worst is not None:
        missing = amount(worst.missing_share, "share", language)
        lines.append(book.text("limits.missing", language, missing=missing, table=title(worst.id, study)))
    return Markdown("\n".join(f"- {line}" for line in lines))
