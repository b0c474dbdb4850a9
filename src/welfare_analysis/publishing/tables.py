"""Tables of what was released: a unit in each header, intervals beside estimates, hidden cells said."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import HTML

from ..estimation import Estimate
from ..languages import GAP, amount, number, with_interval
from ..study import DATA, Study
from .disclosure import Release, Released

HEADLINES = ("tenant", "crowded", "cost_burdened", "over_debt_limit", "commute_long")
MARK = {"": "", "caution": " *", "hidden": ""}


def label(study: Study, column: str, code: object) -> str:
    """Label of a group or category: the list of the codebook with the column's name."""
    book = study.codebook
    lists = dict(zip(book.variables.index, book.variables["list"], strict=True))
    return book.label(str(lists.get(column) or column), str(code), study.language)


def in_order(released: Released, study: Study, column: str, variable: str | None = None) -> list[str]:
    """Codes of a column that a table has, in the codebook's order."""
    book = study.codebook
    lists = dict(zip(book.variables.index, book.variables["list"], strict=True))
    present = set(released.frame[column].astype(str))
    return [c for c in book.codes(str(lists.get(variable or column) or variable or column)) if c in present]


def note(released: Released, study: Study) -> str:
    """What stands under a table or figure: intervals, respondents, source."""
    book, language = study.codebook, study.language
    source = (
        book.text("source.standin", language)
        if study.is_standin
        else book.text("source.own", language, name=study.survey_name)
    )
    if released.statistic == "count":
        return book.text("note.register", language, base=10, source=source)
    return book.text("note", language, n=number(released.respondents, language), source=source)


def show(released: Released, study: Study) -> HTML:
    """A released table in the study's language; one row a group, one column a category."""
    book, language = study.codebook, study.language
    title = book.text(f"title.{released.id}", language)
    if released.state != "shown":
        return HTML(f"<p><strong>{escape(title)}</strong>: {escape(book.text(released.state, language))}</p>")
    frame = released.frame
    columns = [c for c in ("category", *released.by[1:]) if c in frame]
    cells = [
        with_interval(row.estimate, row.low, row.high, released.unit, language) + MARK[row.flag]
        if released.statistic != "count"
        else amount(row.estimate, released.unit, language)
        for row in frame.itertuples()
    ]
    frame = frame.assign(cell=cells)
    rows = in_order(released, study, released.by[0])
    heads, body = [], [[label(study, released.by[0], code)] for code in rows]
    unit = book.text(f"unit.{released.unit}", language)
    for code in (
        in_order(released, study, columns[0], released.variable if "category" in frame else None) if columns else [None]
    ):
        part = frame if code is None else frame[frame[columns[0]].astype(str) == code]
        found = dict(zip(part[released.by[0]].astype(str), part["cell"], strict=True))
        name = released.variable if columns and columns[0] == "category" else (columns[0] if columns else "")
        heads.append(f"{label(study, name, code)}, {unit}" if code is not None else unit)
        for line, row in zip(body, rows, strict=True):
            line.append(found.get(row, GAP if released.statistic != "count" else "0"))
    if released.statistic != "count":
        counts = frame.groupby(frame[released.by[0]].astype(str))["n"].max()
        heads.append(book.text("col.n", language))
        for line, row in zip(body, rows, strict=True):
            line.append(number(counts[row], language))
    foot = note(released, study)
    if (frame["flag"] != "").any():
        foot += " " + book.text("note.hidden", language)
    return HTML(markup(title, [book.text("col.group", language), *heads], body, foot))


def markup(title: str, heads: list[str], body: list[list[str]], foot: str) -> str:
    """An accessible HTML table; every text is escaped."""
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in heads)
    rows = "".join(
        f'<tr><th scope="row">{escape(line[0])}</th>' + "".join(f"<td>{escape(c)}</td>" for c in line[1:]) + "</tr>"
        for line in body
    )
    last = f'<tfoot><tr><td colspan="{len(heads)}">{escape(foot)}</td></tr></tfoot>' if foot else ""
    return f"<table><caption>{escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>{last}</table>"


def headlines(released: Release, study: Study, assumptions: Path = DATA / "survey" / "assumptions.csv") -> HTML:
    """How many, what share, how sure: the headline conditions with the sampling interval and that of assumptions."""
    book, language = study.codebook, study.language
    heads = ["condition", "people", "sampling", "share", "sampling"]
    known = pd.read_csv(assumptions).set_index("headline") if study.is_standin and assumptions.is_file() else None
    body = []
    for name in HEADLINES:
        table, people = released[name], released[f"{name}_total"]
        if table.state != "shown":
            body.append([book.text(f"title.{name}", language), book.text(table.state, language)])
            continue
        line = [book.text(f"title.{name}", language)]
        for item in (people, table):
            first = item.frame.iloc[0] if item.state == "shown" else None
            line.append(GAP if first is None else amount(first["estimate"], item.unit, language))
            line.append(GAP if first is None else _bounds(first["low"], first["high"], item.unit, language))
        if known is not None:
            line.append(_bounds(known.loc[name, "low"], known.loc[name, "high"], "share", language))
            line.append(f"{amount(assumption_share(table, float(known.loc[name, 'sd'])), 'share', language)}")
        body.append(line)
    titles = [book.text(f"col.{h}", language) for h in heads]
    if known is not None:
        titles += [book.text("col.assumptions", language), book.text("col.assumption_share", language)]
    body = [line + [""] * (len(titles) - len(line)) for line in body]
    return HTML(markup(book.text("title.headlines", language), titles, body, note(released[HEADLINES[1]], study)))


def assumption_share(table: Released, sd: float) -> float:
    """Share of the variance of a headline that is assumption: sd^2 over sd^2 plus the sampling variance."""
    row = table.frame.iloc[0]
    sampling = (row["high"] - row["low"]) / (2 * 1.96)
    return sd**2 / (sd**2 + sampling**2)


def _bounds(low: float, high: float, unit: str, language: str) -> str:
    return f"{amount(low, unit, language)} \u2013 {amount(high, unit, language)}"


def validation(study: Study, path: Path = DATA / "survey" / "validation.csv") -> HTML:
    """The stored result of the long simulation: error and coverage of each headline, with and without the follow-up."""
    book, language = study.codebook, study.language
    stored = pd.read_csv(path)
    body = [
        [
            book.text(f"title.{r.headline}", language),
            book.text(f"version.{r.version}", language),
            book.text(f"estimator.{r.method}", language),
            amount(r.truth, "share", language),
            number(100 * r.bias, language, 2),
            number(100 * r.mean_se, language, 2),
            amount(r.coverage, "share", language),
            number(r.samples, language),
        ]
        for r in stored.itertuples()
    ]
    keys = ("condition", "version", "estimator", "truth", "bias", "se", "coverage", "samples")
    return HTML(
        markup(book.text("title.validation", language), [book.text(f"col.{k}", language) for k in keys], body, "")
    )


def beside(estimates: Mapping[str, Estimate], stored: pd.Series, statistic: str) -> pd.DataFrame:
    """Our estimates and standard errors beside stored results, ``design|statistic.est`` and ``.se``."""
    rows = {}
    for design, estimate in estimates.items():
        ours = estimate.value.iloc[0], estimate.se.iloc[0]
        theirs = [float(stored[f"{design}|{statistic}.{what}"]) for what in ("est", "se")]
        gap = max(abs(a / b - 1) for a, b in zip(ours, theirs, strict=True))
        rows[design] = [*ours, *theirs, "none above 1e-9" if gap < 1e-9 else f"{gap:.0e}"]
    columns = ["estimate", "se", "R estimate", "R se", "relative difference"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis(statistic)


def beside_domains(estimate: Estimate, stored: pd.Series, statistic: str) -> pd.DataFrame:
    """Shares of categories by domain beside stored results, ``statistic|category|domain.est`` and ``.se``."""
    table = estimate.table()
    keys = statistic + "|" + table["category"] + "|" + table.iloc[:, 1].astype(str)
    theirs = pd.DataFrame({what: stored[keys + f".{what}"].astype(float).to_numpy() for what in ("est", "se")})
    same = np.allclose(table[["estimate", "se"]], theirs, rtol=1e-9)
    shown = table.iloc[:, :4].assign(R_estimate=theirs["est"], R_se=theirs["se"])
    return shown.assign(agree="to 1e-9" if same else "no")
