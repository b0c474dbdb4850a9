"""Sentences and tables of what goes with conditions, everything else equal."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from IPython.display import HTML, Markdown

from ..languages import GAP, amount, number, with_interval
from ..study import Study
from .adjusted import (
    BLOCKS,
    FACTORS,
    NO_FACTORS,
    SURE,
    TENURE,
    all_effects,
    block_tests,
    models,
    staff,
    tenure_model,
)
from .adjusted_tables import ADJUSTED, POINTS, RAW, adjusted_tables
from .modelled import absent, cell_of
from .plan import HEADLINES
from .suppression import CATEGORY
from .tables import label, markup, note, show, source, title, told

CLEAR, CAUTION, UNSURE = " \u2020", " *", "/"
SMALLEST_P, DIGITS = 0.001, 3


def people(study: Study) -> Markdown:
    """Of whom the models speak, with which factors, and which are not in them."""
    book, language, of = study.codebook, study.language, staff(study)
    if not of.factors:
        return Markdown(book.text(NO_FACTORS, language))
    fields = {"n": number(of.inside.sum(), language), "active": number(of.active.sum(), language)}
    text = book.text("adjusted.people", language, factors=_names(of.factors, study), **fields)
    out = [factor for factor in FACTORS if factor not in of.factors]
    return Markdown(text + (book.text("adjusted.left_out", language, factors=_names(out, study)) if out else ""))


def _names(factors: Iterable[str], study: Study) -> str:
    return _listed([label(study, "adjusted_factor", name) for name in factors], study)


def _listed(names: Iterable[str], study: Study) -> str:
    return ("\u060c " if study.language == "ar" else ", ").join(names)


def findings(study: Study) -> Markdown:
    """Of each condition the largest clear difference and whether place adds to it; then what goes with each block."""
    book, language, found = study.codebook, study.language, all_effects(study)
    if not staff(study).factors:
        return Markdown(book.text(NO_FACTORS, language))
    clear = found[found["clear"]]
    size = clear["estimate"].abs().groupby(clear["condition"]).max()
    lines = []
    for name in sorted(HEADLINES, key=lambda n: -size.get(n, 0.0)):
        state = models(study)[name].state
        said = _largest(clear[clear["condition"] == name], study) + _place(name, study)
        lines.append(f"- **{title(name, study)}**: {said if state == 'shown' else book.text(state, language)}")
    return Markdown("\n".join([*lines, *_blocks(study)]))


def _largest(clear: pd.DataFrame, study: Study) -> str:
    """The largest of the clear differences of a condition, and its direction."""
    book, language = study.codebook, study.language
    if clear.empty:
        return book.text("adjusted.none", language)
    row = clear.loc[clear["estimate"].abs().idxmax()]
    ends = (row["low"], row["high"]) if row["estimate"] > 0 else (-row["high"], -row["low"])
    unit = book.text(f"unit.{POINTS}", language)
    fields = {
        "factor": label(study, "adjusted_factor", row["factor"]),
        "level": label(study, row["factor"], row["level"]),
        "reference": label(study, row["factor"], staff(study).factors[row["factor"]][0]),
        "points": with_interval(abs(row["estimate"]), *ends, POINTS, language, unit),
    }
    return book.text(f"adjusted.{'more' if row['estimate'] > 0 else 'less'}", language, **fields)


def _place(name: str, study: Study) -> str:
    """Whether place adds to the other factors, and how much of the differences between places stays."""
    book, tests = study.codebook, block_tests(study)
    row = tests[(tests["condition"] == name) & (tests["block"] == "place")]
    if row.empty:
        return "."
    p, caution = row["p_adjusted"].iloc[0], ""
    if row["unsure"].iloc[0]:
        caution = book.text("adjusted.caution", study.language)
    if not p < SURE:
        return book.text("adjusted.place_none", study.language, p=p_value(p, study)) + caution
    table = adjusted_tables(study)["adjusted_kept"]
    kept = told(table, study, cell_of(table, condition=name))
    return book.text("adjusted.place_adds", study.language, p=p_value(p, study), kept=kept) + caution


def _blocks(study: Study) -> list[str]:
    """Of each block the conditions that it adds to, at `SURE` for all of them together."""
    book, language, tests, lines = study.codebook, study.language, block_tests(study), []
    for block in BLOCKS:
        own = tests[tests["block"] == block]
        if own.empty:
            continue
        names = own.loc[own["p_adjusted"] < SURE, "condition"]
        fields = {"block": label(study, "adjusted_block", block)}
        if len(names):
            comma = "\u061b " if language == "ar" else "; "
            fields["conditions"] = comma.join(book.text(f"short.{name}", language) for name in names)
        lines.append(book.text(f"adjusted.block{'' if len(names) else '_none'}", language, **fields))
    return lines


def p_value(p: float, study: Study) -> str:
    """A p to three digits."""
    if p >= SMALLEST_P:
        return number(p, study.language, DIGITS)
    return study.codebook.text("adjusted.p_below", study.language, limit=number(SMALLEST_P, study.language, DIGITS))


def effects(study: Study) -> HTML:
    """One table of all average marginal effects: a row a level, a column a condition, a reference a factor."""
    book, language, of, found = study.codebook, study.language, staff(study), models(study)
    if all(model.fit is None for model in found.values()):
        return absent(study, adjusted_tables(study)["adjusted_rank_group"].state)
    cells, fitted = all_effects(study).set_index(["factor", "level", "condition"]), _fitted(study)
    body = []
    for factor, (first, *others) in of.factors.items():
        names = {"factor": label(study, "adjusted_factor", factor), "reference": label(study, factor, first)}
        first_row = book.text("adjusted.against", language, **names)
        body.append([first_row, *[""] * len(fitted), _n(factor, first, study)])
        for level in others:
            line = [_cell(cells.loc[(factor, level, name)], study) for name in fitted]
            body.append([label(study, factor, level), *line, _n(factor, level, study)])
    told_of = [number(n, language) for n in fitted.values()]
    body.append([book.text("adjusted.respondents", language), *told_of, number(of.inside.sum(), language)])
    heads = [book.text("col.adjusted_level", language), *(book.text(f"short.{name}", language) for name in fitted)]
    marks = [book.text(f"note.{flag}", language) for flag in ("hidden", "unsure") if cells[flag].any()]
    fields = {"cells": number(cells["p"].notna().sum(), language), "source": source(study)}
    foot = " ".join([book.text("adjusted.note", language, **fields), *marks, *_left_out(study)])
    return HTML(markup(title("adjusted_effects", study), [*heads, book.text("col.n", language)], body, foot))


def _fitted(study: Study) -> dict[str, int]:
    """The conditions that have a model, and its respondents."""
    return {name: model.fit.n_rows for name, model in models(study).items() if model.fit is not None}


def _left_out(study: Study) -> list[str]:
    """Which conditions have no model, and why."""
    book, language = study.codebook, study.language
    states = {name: model.state for name, model in models(study).items() if model.fit is None}
    return [f"{book.text('short.' + name, language)}: {book.text(state, language)}" for name, state in states.items()]


def _cell(row: pd.Series, study: Study) -> str:
    """An effect on one line with its interval, so that only in front of the brackets a line may end."""
    if row["hidden"] or row["unsure"]:
        return GAP if row["hidden"] else UNSURE
    told = with_interval(row["estimate"], row["low"], row["high"], POINTS, study.language) + CLEAR * bool(row["clear"])
    return told.replace(" ", "\u00a0").replace("\u00a0(", " (", 1)


def _n(factor: str, level: str, study: Study) -> str:
    """The most respondents of a level in a model; hidden where they are few."""
    least = staff(study).rules.min_base
    n = max(m.levels.at[(factor, level), "n"] for m in models(study).values() if m.fit is not None)
    return number(n, study.language) if n >= least else GAP


def places(study: Study) -> HTML:
    """How far places are apart, raw and adjusted, and how much of the raw differences stays."""
    book, language, tables = study.codebook, study.language, adjusted_tables(study)
    spread, kept = tables["adjusted_spread"], tables["adjusted_kept"]
    if kept.state != "shown":
        return absent(study, kept.state)
    body = []
    for row in kept.frame.to_dict("records"):
        name = row["condition"]
        both = [told(spread, study, cell_of(spread, condition=name, **{CATEGORY: view})) for view in (RAW, ADJUSTED)]
        stays = told(kept, study, cell_of(kept, condition=name), mark=CAUTION)
        body.append([book.text(f"short.{name}", language), *both, stays, number(row["n"], language)])
    views = [label(study, "adjustment", view) for view in (RAW, ADJUSTED)]
    heads = [book.text("col.condition", language), *views]
    heads += [book.text("col.adjusted_kept", language), book.text("col.n", language)]
    return HTML(markup(title("adjusted_spread", study), heads, body, note([kept], study)))


def tenure(study: Study, factor: str) -> HTML:
    """Tenure by a factor: average marginal effects on each category, which add up to zero."""
    book, language, model = study.codebook, study.language, tenure_model(study)
    table = adjusted_tables(study)[f"adjusted_{TENURE}_by_{factor}"]
    if table.state != "shown":
        return show(table, study)
    reference = label(study, factor, staff(study).factors[factor][0])
    further = [book.text("adjusted.note_tenure", language, reference=reference)]
    out = [label(study, TENURE, code) for code in book.codes(TENURE) if code not in model.levels.index.unique(2)]
    if out:
        further.append(book.text("adjusted.tenure_out", language, names=_listed(out, study)))
    return show(table, study, " ".join(further))


def tests(study: Study) -> HTML:
    """The test of each block of factors in each condition, and AIC and BIC of the design with and without it."""
    book, language, found = study.codebook, study.language, block_tests(study)
    if found.empty:
        return absent(study, adjusted_tables(study)["adjusted_rank_group"].state)
    body = []
    for row in found.to_dict("records"):
        name = book.text(f"short.{row['condition']}", language)
        numbers = [number(row["F"], language, 1) + CAUTION * row["unsure"], number(row["effect"], language, 1)]
        criteria = [amount(x, "", language) for x in (row["aic_without"] - row["aic"], row["bic_more"])]
        body.append(
            [name, label(study, "adjusted_block", row["block"]), *numbers, p_value(row["p_adjusted"], study), *criteria]
        )
    names = (
        "condition",
        *(f"adjusted_{name}" for name in ("block", "F", "effect", "p", "aic_more", "bic_more")),
    )
    heads = [book.text(f"col.{name}", language) for name in names]
    foot = book.text("adjusted.note_tests", language, source=source(study))
    return HTML(markup(title("adjusted_tests", study), heads, body, foot))
