"""What tables, groups, cells and sources are called, in the study's language."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
from babel.dates import format_date

from ..disclosure import CATEGORY, Released, policy
from ..languages import GAP, MARKS, PERCENT, Forms, amount, between, number, with_interval
from ..needs import VARIED
from ..results import runs
from ..study import Study, own_words
from ..survey.quality import read_rules
from . import prose

LISTS = {"home_city_group": "command_group", "caravan_stop": "command"}  # of columns that are made of answers
CHOICES = ("home_alternative", "loan_alternative", "commute_alternative")  # lists that a model's alternatives are of
TERMS = ("variable", "term")  # columns whose codes are terms of a model
# columns whose labels are texts, and the first part of their keys
WORDED = {"measure": "col", "version": "version", "model_of_cards": "model_of_cards", "way": "col"}
WORDED |= {"block": "block", "headline": "short", "method": "collection", "unit_of": "unit", "likeness_of": "likeness"}
WORDED |= {"weight_figure": "weights", "gaps_of": "col", "statistic": "statistic", "outcome": "outcome"}
WORDED |= {"sample_design": "design", "simulated_model": "model", "origin": "col"}
LEVEL = re.compile(r"(?:C\()?(\w+)\)?\[(?:T\.)?(\w+)\]")  # a level of a factor in a formula: rank_group[senior]
STEPS = re.compile(r"\||\s/\s|\.(?=(?:est|se)$)")  # between the parts of a stored result's address
LARGE = re.compile(r"[1-9]\d{3,}")  # a code that is a number with thousands
NAMES = ("short", "term", "col")  # first parts of the keys that name an estimate of one's own
TITLED = ("condition", "situation", "amount", "table")  # columns whose codes are tables
# units without a name
PLAIN = ("", "number", "respondents", "decimal", "coefficient", "tenths", "p", "year", "months", "date")
NOTHING = "\u2013"  # in a document, where no number belongs
UNSURE = "/"  # in place of a number that is too unsure to be shown
CAUTION = " *"  # behind one to be used with caution
CLEAR = " \u2020"  # behind a difference that is not zero after the correction for all tests of its table


def title(name: str, study: Study) -> str:
    """Title of a table or figure; without one of its own it is made of its topic and its groups."""
    known = study.codebook.texts.index
    if f"title.{name}" in known:
        return study.text(f"title.{name}")
    first, by, group = name.removesuffix("_standards").removesuffix("_total").partition("_by_")
    topic = study.text(f"topic.{first}" if f"topic.{first}" in known else f"title.{first}")
    return study.text(f"by.{group}", topic=topic) if by else topic


def label(study: Study, column: str, code: object) -> str:
    """Label of a group or category: the list of the codebook with the column's name, or its coarser one.

    A code ``list:code`` names the list itself, where the codes of a column are of several.
    """
    code = str(code)
    if ":" in code and column not in COMPOSED:
        column, _, code = code.partition(":")
    if column in OWN:
        return OWN[column](study, code)
    prefix = WORDED.get(column, column if f"{column}.{code}" in study.codebook.texts.index else None)
    if prefix is not None:  # among them members of a group together: widows, and not a widow
        return study.text(f"{prefix}.{code}")
    lists = CHOICES if column == "alternative" else _lists(study, column)
    known = next((name for name in (*lists, "status") if code in study.codebook.codes(name)), None)
    if known is not None:
        return study.codebook.label(known, code, study.language)
    if level := LEVEL.fullmatch(code):
        return label(study, *level.groups())
    named = next((f"{x}.{code}" for x in NAMES if f"{x}.{code}" in study.codebook.texts.index), None)
    if named is not None:
        return study.text(named)
    return number(float(code), study.language) if LARGE.fullmatch(code) and column != "year" else code


def _segment(study: Study, code: str) -> str:
    """A segment is named by what it hopes for above all."""
    if f"segment.{code}" in study.codebook.texts.index:
        return study.text(f"segment.{code}")
    services = [label(study, "hope", x) for x in code.split("+")]
    return study.text("segment.above_all", services=listed(study, services))


def _quantity(study: Study, code: str) -> str:
    """A result that another program stored, by the parts of its address: strat|mean|api00.se."""
    return listed(study, [study.text(f"quantity.{part}") for part in STEPS.split(code)])


def listed(study: Study, parts: Iterable[str], mark: str = "comma") -> str:
    """Parts of a sentence or label with the language's comma, semicolon or colon between them."""
    return study.text(f"list.{mark}").join(parts)


def term(study: Study, code: str) -> str:
    """A term of a model in words: its own text, the parts of an interaction, or the level of a factor."""
    if f"term.{code}" in study.codebook.texts.index:
        return study.text(f"term.{code}")
    if ":" in code:
        return " × ".join(term(study, part) for part in code.split(":"))
    level = LEVEL.fullmatch(code)
    return label(study, *level.groups()) if level else label(study, "alternative", code)


COMPOSED = (*TERMS, "quantity")  # columns whose codes hold colons of their own
OWN: dict[str, Callable[[Study, str], str]] = {
    "quantity": _quantity,
    "question": lambda study, code: study.codebook.asks(code, study.language),
    "segment": _segment,
    "scale": lambda study, code: str(study.codebook.groups.at[code, f"label_{study.language}"]),
    "rule": lambda study, code: next(r.labels[study.language] for r in read_rules(study.codebook) if r.id == code),
    **dict.fromkeys(TERMS, term),
    **dict.fromkeys(TITLED, lambda study, code: title(code, study)),
}  # columns whose labels are in no list


def worded(study: Study, text: str) -> str:
    """A word or sentence inside a table: a text of the codebook, or a source or unit of ``data/public``, translated.

    ``list:code`` is the label of a code.
    """
    if text in study.codebook.texts.index:
        return study.text(text)
    name, _, code = text.partition(":")
    if code in study.codebook.parent(name):
        return study.codebook.label(name, code, study.language)
    return own_words().said(prose.translated("public", study.language).get(text, text), study.language)


def _lists(study: Study, column: str) -> list[str]:
    """Lists that name a column's codes: its own, and the groups that small ones are merged into."""
    book = study.codebook
    own = LISTS.get(column) or book.lines.get(column, {}).get("list") or column
    return [name for name in (own, f"{own}_wide") if name in book.lists]


def cell_label(table: Released, study: Study, key: str, code: object) -> str:
    """Label of what a cell speaks of; a standard is written as its condition."""
    if key == "standard":
        return study.text(f"standard.{table.variable}", value=standard(code, table, study))
    return label(study, table.variable if key == CATEGORY else key, code)


def standard(value: object, table: Released, study: Study) -> str:
    """A standard as short as it can be written: ``2.5``, ``30 %``."""
    share = VARIED[table.variable].default < 1
    shown = f"{float(str(value)) * (100 if share else 1):g}"
    point = MARKS[study.language][1]
    return shown.replace(".", point) + (PERCENT[study.language] if share else "")


def in_order(table: Released, study: Study, key: str) -> list[str]:
    """Codes of a column that a table has, in the codebook's order; as they come where the codebook has no list."""
    present = list(dict.fromkeys(table.frame[key].astype(str)))
    known = codes(study, table.variable if key == CATEGORY else key)
    return [code for code in known if code in present] if known else present


def codes(study: Study, column: str) -> list[str]:
    """Codes of a column, each followed where it is the last of a group by what the group is merged into."""
    lists = _lists(study, column)
    if not lists:
        return []
    own, *wide = lists
    parents = study.codebook.parent(own) if wide else {}
    coarse = [code for name in wide for code in study.codebook.codes(name)]
    last = {parent: code for code, parent in parents.items()}
    return [c for code in study.codebook.codes(own) for c in (code, *(p for p in coarse if last.get(p) == code))]


def unit_of(table: Released, cell: pd.Series) -> str:
    """The unit of a cell: its own, or the table's."""
    return str(cell.get("unit", table.unit))


def step_of(cells: pd.Series | pd.DataFrame) -> float:
    """What a cell is printed to, or the finest of several; nought where nothing says so."""
    given = np.nan_to_num(np.atleast_1d(np.asarray(cells.get("step", 0.0), dtype=float)))
    return float(given.min(initial=np.inf)) if len(given) else 0.0


def unit_name(study: Study, unit: str) -> str:
    """What a unit is called in a header or on an axis; nothing for a plain number."""
    return study.text(f"unit.{unit}") if unit not in PLAIN else ""


def unit_forms(study: Study, unit: str) -> Forms:
    """What a unit is called beside a number; nothing for a plain number."""
    return study.codebook.forms(unit, study.language) if unit not in PLAIN else {"other": ""}


def format_cell(
    table: Released, study: Study, cell: pd.Series | None = None, mark: str = "", named: bool = True
) -> str:
    """A cell (the only one of a table without groups) as number, unit and interval, with ``mark`` if it has caution."""
    if cell is None:
        cell = table.frame.iloc[0]
    if cell.get("flag") == "unsure":
        return UNSURE
    if "text" in cell and isinstance(cell["text"], str):
        return worded(study, cell["text"])
    if table.statistic == "document" and pd.isna(cell["estimate"]) and cell.get("flag") != "hidden":
        return NOTHING
    unit = unit_of(table, cell)
    if unit == "date" and pd.notna(cell["estimate"]):
        return day(cell["estimate"], study.language).replace(" ", "\u00a0")  # on one line of a narrow table
    name = unit_forms(study, unit) if named and unit != "share" else ""
    text = with_interval(cell["estimate"], cell["low"], cell["high"], unit, study.language, name, step_of(cell))
    clear = CLEAR if cell.get("clear") in (True,) else ""
    return text + clear + (mark if cell.get("flag") == "caution" else "")


def day(number: float, language: str) -> str:
    """A day (since the year 1) in full, without its weekday; in Arabic the months as in Morocco, in Latin digits."""
    said = format_date(datetime.date.fromordinal(int(number)), "d MMMM y", {"ar": "ar_MA"}.get(language, language))
    return re.sub("^1 ", "1er ", said) if language == "fr" else said


def base(respondents: pd.Series, language: str) -> str:
    """How many respondents cells have: one number where it is that of all, else the least and the largest.

    A cell without a number of respondents does not count.
    """
    low, high = respondents.min(), respondents.max()
    return between(low, high, "", language) if low < high else number(low, language)


def source(study: Study) -> str:
    """Whose answers these are."""
    if study.is_standin:
        return study.text("source.standin")
    return study.text("source.own", name=study.survey_name)


def _sampled(tables: Sequence[Released]) -> list[Released]:
    return [t for t in tables if t.statistic not in ("count", "document") and t.of != "register"]


def note_key(tables: Sequence[Released], study: Study) -> str:
    """The text that stands under some tables that are shown: of the first one, or of what kind they are."""
    first, sampled = tables[0], _sampled(tables)
    if f"note.{first.id}" in study.codebook.texts.index:
        return f"note.{first.id}"
    if first.statistic == "forms":
        return "note.forms"
    if any(t.of == "weights" for t in tables):
        return "own"
    if not sampled:
        return "" if all(t.statistic == "document" for t in tables) else "note.register"
    if max(t.missing_share for t in sampled) == 0:
        return "note.complete"
    return "note.several" if len(sampled) > 1 or sampled[0].statistic == "combined" else "note"


def note(tables: Sequence[Released], study: Study, gaps: bool = False) -> str:
    """What stands under a table or figure: intervals, respondents, missing answers, source, what signs mean.

    ``gaps``: the table has cells without a number.
    """
    language, shown = study.language, [t for t in tables if t.state == "shown"]
    sampled, key = _sampled(shown), note_key(shown, study)
    missing = max((t.missing_share for t in sampled), default=0.0)
    respondents = base(pd.Series([t.respondents for t in sampled], dtype=float), language)
    fields = {"n": respondents, "missing": amount(missing, "share", language), "source": source(study)}
    fields["base"] = f"{policy().step('persons'):g}"
    text = study.text(key, **fields) if key else ""
    if key in ("note", "note.several", "note.complete") and all(t.followed_up for t in sampled):
        late = base(pd.Series([t.followed_up for t in sampled], dtype=float), language)
        text = " ".join([text, study.text("note.followed_up", n=late)])
    flags = set().union(*(t.frame["flag"] for t in shown))
    if gaps:
        flags.add("hidden")
    if any(t.frame["clear"].eq(True).any() for t in shown if "clear" in t.frame):
        flags.add("clear")
    marks = [study.text(f"note.{flag}") for flag in ("hidden", "unsure", "caution", "clear") if flag in flags]
    return " ".join(filter(None, [text, *marks, version(study, "note.earlier", *(t.id for t in shown))]))


def version(study: Study, key: str, *tables: str) -> str:
    """That tables show a simulation of an earlier version, and its day; empty where none does."""
    oldest = runs.earlier(*tables)
    return study.text(key, day=day(oldest, study.language)) if oldest else ""


def missing_mark(flag: str) -> str:
    """What stands in the place of a number that is not shown."""
    return UNSURE if flag == "unsure" else GAP
