"""Tables of what was released: a unit in each header, intervals beside estimates, hidden cells said."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import pandas as pd
from IPython.display import HTML, Markdown

from ..languages import GAP, MARKS, PERCENT, amount, between, number, with_interval
from ..needs import VARIED
from ..study import DATA, Study
from .plan import HEADLINES, Release, Released
from .suppression import CATEGORY

COSTS = {
    "rent_median": "rent_total",
    "rent_share_median": None,
    "housing_cost_median": None,
    "debt_service_median": "debt_service_total",
    "capacity_median": None,
    "commute_cost": "commute_cost_total",
    "commute_cost_share_median": None,
}
LISTS = {"home_city_group": "command_group"}  # of columns that are made of answers
ERRORS = ("bias_with", "coverage_with", "bias_without", "coverage_without")
UNSURE = "/"  # in place of a number that is too unsure to be shown
MARK = " *"  # behind one to be used with caution
Z = 1.959963984540054


def title(name: str, study: Study) -> str:
    """Title of a table or figure; without one of its own it is made of its topic and its groups."""
    book, language = study.codebook, study.language
    if f"title.{name}" in book.texts.index:
        return book.text(f"title.{name}", language)
    first, by, group = name.removesuffix("_standards").removesuffix("_total").partition("_by_")
    key = f"topic.{first}" if f"topic.{first}" in book.texts.index else f"title.{first}"
    topic = book.text(key, language)
    return book.text(f"by.{group}", language, topic=topic) if by else topic


def label(study: Study, column: str, code: object) -> str:
    """Label of a group or category: the list of the codebook with the column's name, or its coarser one."""
    if column == "condition":
        return title(str(code), study)
    known = next(name for name in _lists(study, column) if str(code) in study.codebook.codes(name))
    return study.codebook.label(known, str(code), study.language)


def _lists(study: Study, column: str) -> list[str]:
    """Lists that name a column's codes: its own, and the groups that small ones are merged into."""
    book = study.codebook
    own = LISTS.get(column) or book.variables["list"].get(column) or column
    return [own, *({f"{own}_wide"} & set(book.values["list"]))]


def cell_label(released: Released, study: Study, key: str, code: object) -> str:
    """Label of what a cell speaks of; a standard is told as its condition."""
    if key == "standard":
        return study.codebook.text(
            f"standard.{released.variable}", study.language, value=standard(code, released, study)
        )
    return label(study, released.variable if key == CATEGORY else key, code)


def standard(value: object, released: Released, study: Study) -> str:
    """A standard as short as it can be written: ``2.5``, ``30 %``."""
    share = VARIED[released.variable].default < 1
    shown = f"{float(str(value)) * (100 if share else 1):g}"
    point = MARKS[study.language][1]
    return shown.replace(".", point) + (PERCENT[study.language] if share else "")


def in_order(released: Released, study: Study, key: str) -> list[str]:
    """Codes of a column that a table has, in the codebook's order."""
    present = set(released.frame[key].astype(str))
    return [code for code in codes(study, released.variable if key == CATEGORY else key) if code in present]


def codes(study: Study, column: str) -> list[str]:
    """Codes of a column, each followed where it is the last of a group by what the group is merged into."""
    own, *wide = _lists(study, column)
    parents = study.codebook.parent(own) if wide else {}
    found = [code for name in wide[:1] for code in study.codebook.codes(name)]
    last = {parent: code for code, parent in parents.items()}
    return [c for code in study.codebook.codes(own) for c in (code, *(p for p in found if last.get(p) == code))]


def told(released: Released, study: Study, row: pd.Series | None = None, mark: str = "") -> str:
    """A cell (the only one of a table without groups) as number, unit and interval, and ``mark`` if it has caution."""
    name = "" if released.unit == "share" else study.codebook.text(f"unit.{released.unit}", study.language)
    cell = released.frame.iloc[0] if row is None else row
    return _shown(cell, released.unit, study.language, name) + (mark if cell.get("flag") == "caution" else "")


def _shown(cell: pd.Series, unit: str, language: str, name: str = "") -> str:
    if cell.get("flag") == "unsure":
        return UNSURE
    return with_interval(cell["estimate"], cell["low"], cell["high"], unit, language, name)


def source(study: Study) -> str:
    """Whose answers these are."""
    if study.is_standin:
        return study.codebook.text("source.standin", study.language)
    return study.codebook.text("source.own", study.language, name=study.survey_name)


def note(tables: Sequence[Released], study: Study) -> str:
    """What stands under a table or figure: intervals, respondents, missing answers, source, hidden cells."""
    book, language = study.codebook, study.language
    shown = [t for t in tables if t.state == "shown"]
    sampled = [t for t in shown if t.statistic != "count" and t.of != "register"]
    if any(t.of == "weights" for t in shown):
        text = book.text("own", language, source=source(study))
    elif shown and not sampled:
        text = book.text("note.register", language, base=10, source=source(study))
    else:
        n = sorted({t.respondents for t in sampled})
        missing = max((t.missing_share for t in sampled), default=0.0)
        respondents = "\u2013".join(number(x, language) for x in ([n[0], n[-1]] if len(n) > 1 else n))
        fields = {"n": respondents, "missing": amount(missing, "share", language), "source": source(study)}
        key = "note.complete" if missing == 0 else "note" if len(sampled) < 2 else "note.several"
        text = book.text(key, language, **fields)
    flags = set().union(*(t.frame["flag"] for t in shown))
    marks = [book.text(f"note.{flag}", language) for flag in ("hidden", "unsure", "caution") if flag in flags]
    return " ".join([text, *marks])


def show(released: Released, study: Study, further: str = "") -> HTML:
    """A released table in the study's language; one row a group, one column a category; ``further`` ends its note."""
    book, language = study.codebook, study.language
    name = title(released.id, study)
    if released.state != "shown":
        return HTML(f"<p><strong>{escape(name)}</strong>: {escape(book.text(released.state, language))}</p>")
    counted = released.statistic == "count"
    frame, first = released.frame, released.by[0]
    cells = [
        amount(row["estimate"], released.unit, language)
        if counted
        else _shown(row, released.unit, language) + MARK * (row["flag"] == "caution")
        for _, row in frame.iterrows()
    ]
    unit = book.text(f"unit.{released.unit}", language)
    across = next((k for k in released.keys if k != first), None)
    heads: dict[str | None, str] = {None: unit}
    if across:
        heads = {c: f"{cell_label(released, study, across, c)}, {unit}" for c in in_order(released, study, across)}
    place: list[str | None] = frame[across].astype(str).tolist() if across else [None] * len(frame)
    found = dict(zip(zip(frame[first].astype(str), place, strict=True), cells, strict=True))
    n = frame.groupby(frame[first].astype(str))["n"].max()
    body = [
        [
            label(study, first, code),
            *(found.get((code, head), "0" if counted else GAP) for head in heads),
            *([] if counted else [number(n[code], language)]),
        ]
        for code in in_order(released, study, first)
    ]
    titles = [book.text("col.group", language), *heads.values(), *([] if counted else [book.text("col.n", language)])]
    return HTML(markup(name, titles, body, f"{note([released], study)} {further}".strip()))


def told_list(released: Release, names: Sequence[str], study: Study) -> Markdown:
    """Tables of one cell as a list, each with its title."""
    book, language, lines = study.codebook, study.language, []
    for table in (released[name] for name in names):
        value = told(table, study) if len(table.shown) else book.text(table.silence, language)
        lines.append(f"- **{title(table.id, study)}**: {value}")
    return Markdown("\n".join(lines))


def markup(name: str, heads: list[str], body: list[list[str]], foot: str) -> str:
    """An accessible HTML table; every text is escaped."""
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in heads)
    rows = "".join(
        f'<tr><th scope="row">{escape(line[0])}</th>' + "".join(f"<td>{escape(c)}</td>" for c in line[1:]) + "</tr>"
        for line in body
    )
    last = f'<tfoot><tr><td colspan="{len(heads)}">{escape(foot)}</td></tr></tfoot>' if foot else ""
    return f"<table><caption>{escape(name)}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>{last}</table>"


def assumptions(study: Study, path: Path = DATA / "survey" / "assumptions.csv") -> pd.DataFrame | None:
    """The range that the assumptions behind the stand-in alone give each headline; None on own answers."""
    return pd.read_csv(path).set_index("headline") if study.is_standin and path.is_file() else None


def assumption_share(table: Released, sd: float) -> float:
    """Share of the variance of a headline that is assumption: sd^2 over sd^2 plus the sampling variance."""
    row = table.frame.iloc[0]
    return sd**2 / (sd**2 + ((row["high"] - row["low"]) / (2 * Z)) ** 2)


def headlines(released: Release, study: Study) -> HTML:
    """How many, what share, how sure: each headline with its sampling interval and the range of assumptions."""
    book, language = study.codebook, study.language
    known = assumptions(study)
    names = ["condition", "people", "share", *(["assumptions", "kind"] if known is not None else []), "n"]
    body = []
    for name in HEADLINES:
        table, people = released[name], released[f"{name}_total"]
        line = [title(name, study)]
        if table.state != "shown":
            body.append([*line, book.text(table.state, language), *[""] * (len(names) - 2)])
            continue
        line += [told(people, study, mark=MARK) if people.state == "shown" else GAP, told(table, study, mark=MARK)]
        if known is not None:
            row, part = known.loc[name], assumption_share(table, float(known.loc[name, "sd"]))
            kind = book.text(f"kind.{'illustration' if part > 0.5 else 'finding'}", language)
            line += [between(row["low"], row["high"], "share", language) + f" {book.text('unit.share', language)}"]
            line += [f"{kind} ({amount(part, 'share', language)})"]
        body.append([*line, number(table.respondents, language)])
    foot = note([released[name] for name in HEADLINES], study)
    return HTML(markup(title("headlines", study), [book.text(f"col.{n}", language) for n in names], body, foot))


def costs(released: Release, study: Study) -> HTML:
    """At what cost: amounts a member and a month, and their sum over all members where there is a register."""
    book, language = study.codebook, study.language
    body = []
    for name, sum_name in COSTS.items():
        each, all_ = released[name], released[sum_name] if sum_name else None
        one = told(each, study, mark=MARK) if each.state == "shown" else book.text(each.state, language)
        total = told(all_, study, mark=MARK) if all_ is not None and all_.state == "shown" else GAP if sum_name else ""
        body.append([title(name, study), one, total, number(each.respondents, language)])
    heads = [book.text(f"col.{n}", language) for n in ("amount", "a_member", "in_all", "n")]
    return HTML(markup(title("costs", study), heads, body, note([released[name] for name in COSTS], study)))


def validation(study: Study, path: Path = DATA / "survey" / "validation.csv") -> HTML:
    """The stored result of the long simulation: error and coverage of each headline, with and without the follow-up."""
    book, language = study.codebook, study.language
    stored = pd.read_csv(path).set_index(["version", "headline", "method"])
    body = []
    for version in ("plain", "rich", "strategic"):
        for name in HEADLINES:
            pair = [stored.loc[(version, name, method)] for method in ("two_phase", "returners")]
            line = [book.text(f"version.{version}", language), book.text(f"short.{name}", language)]
            line.append(amount(pair[0]["truth"], "share", language))
            for row in pair:
                line += [number(100 * row["bias"], language, 2), amount(row["coverage"], "share", language)]
            body.append([*line, number(pair[0]["samples"], language)])
    heads = [book.text(f"col.{k}", language) for k in ("version", "condition", "truth", *ERRORS, "samples")]
    return HTML(markup(title("validation", study), heads, body, ""))


def validation_families(study: Study, path: Path = DATA / "survey" / "validation.csv") -> HTML:
    """Coverage of the tables that the pages print, over all their cells and in the worst, answers without error."""
    book, language = study.codebook, study.language
    stored = pd.read_csv(path)
    rows = stored[
        (stored["version"] == "plain") & (stored["method"] == "two_phase") & ~stored["headline"].isin(HEADLINES)
    ]
    body = []
    for r in rows.itertuples():
        name = title(r.headline, study)
        name += f" ({book.text('unit.persons', language)})" if r.headline.endswith("_total") else ""
        told = [amount(x, "share", language) for x in (r.coverage, r.worst_coverage)]
        body.append([name, number(r.cells, language), *told, number(r.samples, language)])
    heads = [book.text(f"col.{k}", language) for k in ("table", "cells", "coverage", "worst", "samples")]
    return HTML(markup(title("families", study), heads, body, ""))
