"""How often intervals hold the truth: the stored simulations of designs and statistics, and of models."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML, Markdown

from ..languages import amount, between, number
from ..study import Study, reference
from .tables import markup, source, title

LEAST_EFFECTIVE, LEAST_DF, MOST_SKEWED = 200, 30, 2  # where an interval is expected to hold what it promises
PROMISED, POOR = (0.93, 0.97), 0.92


def stored(part: str) -> pd.DataFrame:
    """The stored simulations: of ``statistics`` (a row a design, statistic and outcome) or of ``models``."""
    table = reference("coverage")
    return table[table["part"] == part].reset_index(drop=True)


def expected(cells: pd.DataFrame) -> pd.Series:
    """Whether a cell has enough effective cases and degrees of freedom, and no skewed error."""
    enough = (cells["n_effective"] >= LEAST_EFFECTIVE) & (cells["df"] >= LEAST_DF)
    return enough & (cells["skewness"].abs() <= MOST_SKEWED)


def marked(cells: pd.DataFrame) -> pd.Series:
    """Whether most samples mark the number as one to be used with caution."""
    return cells["flagged"] > 0.5


def statistics(study: Study) -> HTML:
    """Coverage of 95 % intervals by statistic, outcome and design; a star where the number is marked."""
    book, language = study.codebook, study.language
    cells = stored("statistics")
    told = [number(100 * c, language, 1) + "*" * m for c, m in zip(cells["coverage"], marked(cells), strict=True)]
    table = cells.assign(told=told).pivot(index=["outcome", "statistic"], columns="design", values="told")
    designs = list(dict.fromkeys(cells["design"]))
    order = pd.MultiIndex.from_frame(cells[["outcome", "statistic"]].drop_duplicates().sort_values("outcome"))
    body = [
        [f"{book.text(f'statistic.{s}', language)}, {book.text(f'outcome.{o}', language)}", *table.loc[(o, s), designs]]
        for o, s in order
    ]
    heads = [book.text("col.statistic", language), *(book.text(f"design.{d}", language) for d in designs)]
    foot = book.text("note.coverage", language, samples=number(cells["samples"].min(), language), source=source(study))
    return HTML(markup(title("coverage", study), heads, body, foot))


def sentence(study: Study) -> Markdown:
    """How many cells hold what they promise where that is expected, and whether the others are marked."""
    book, language = study.codebook, study.language
    cells = stored("statistics")
    sure = cells[expected(cells) & ~marked(cells)]
    poor = cells[cells["coverage"] < POOR]
    fields = {
        "inside": number(sure["coverage"].between(*PROMISED).sum(), language),
        "of": number(len(sure), language),
        "range": between(sure["coverage"].min(), sure["coverage"].max(), "share", language),
        "poor": number(len(poor), language),
        "marked": number(marked(poor).sum(), language),
        "least": amount(poor["coverage"].min(), "share", language),
        "effective": number(LEAST_EFFECTIVE, language),
        "df": number(LEAST_DF, language),
    }
    return Markdown(book.text("coverage.found", language, **fields))


def models(study: Study) -> HTML:
    """Coverage of the coefficients of each model, with the design's errors and with those of the Hessian."""
    book, language = study.codebook, study.language
    body = []
    for model, cells in stored("models").groupby("design", sort=False):
        told = [
            between(cells[c].min(), cells[c].max(), "share", language) if cells[c].notna().any() else "\u2013"
            for c in ("coverage", "coverage_hessian")
        ]
        counts = (number(x, language) for x in (len(cells), cells["samples"].min(), cells["failed"].max()))
        body.append([book.text(f"model.{model}", language), *told, *counts])
    names = ("model", "coverage", "hessian", "coefficients", "samples", "failed")
    heads = [book.text(f"col.{n}", language) for n in names]
    return HTML(markup(title("coverage_models", study), heads, body, ""))
