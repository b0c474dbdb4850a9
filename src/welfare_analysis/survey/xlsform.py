"""The questionnaire as XLSForms, one a status, for KoboToolbox or ODK: three languages, routing, bounds, modules drawn.

What is drawn on the device keeps its chance: ``_draw_<name>`` holds the random number, ``_chance_<name>`` the
probability of what it led to.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import pandas as pd

from . import cards, routing
from .checks import CODED, LABELS, LANGUAGES
from .codebook import Codebook, Question

NAMES = {"ar": "العربية (ar)", "fr": "Français (fr)", "en": "English (en)"}
FIRST_PAGE = ("purpose", "voluntary", "use", "anonymity", "limits", "minutes", "missing", "guardian")
LABEL = {language: f"label::{name}" for language, name in NAMES.items()}
MESSAGE = {language: f"constraint_message::{name}" for language, name in NAMES.items()}
TOGETHER = {"appearance": "field-list"}  # on one screen
LOGIC = ("relevant", "constraint", "calculation", "appearance")
HEADS = {
    "survey": ("type", "name", *LABEL.values(), *LOGIC, *MESSAGE.values()),
    "choices": ("list_name", "name", *LABEL.values()),
    "settings": ("form_title", "form_id", "version", "default_language"),
}
Row = dict[str, str]


def workbook(codebook: Codebook, status: str, **limits: object) -> Any:
    """The form of one status, as sheets survey, choices and settings.

    Parameters
    ----------
    codebook, status : Codebook, str
        What is asked, and of whom.
    **limits
        The fields of the texts of the first page (``least`` respondents, ``base`` of a percentage).
    """
    return _written(sheets(codebook, status, **limits))


def log(codebook: Codebook) -> Any:
    """The form of a log of what is asked at stops, filled in once a question, without anything that says by whom.

    ``codebook`` is that of the log (`Codebook.of_questions`).
    """
    form = _Form(codebook, "")
    form.note("log", _texts(codebook, "form.log"))
    form.row("date", "date", _texts(codebook, "form.log_day"))
    for question in codebook.questions():
        form.ask(question)
    return _written(form.finished(codebook.text("form.log_title", "fr"), "questions"))


def _written(sheets: dict[str, list[Row]]) -> Any:
    import openpyxl  # not before a form is made: it is slow to import

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for i, row in enumerate([dict(zip(HEADS[name], HEADS[name], strict=True)), *rows], 1):
            for j, head in enumerate(HEADS[name], 1):
                if row.get(head):
                    cell = sheet.cell(i, j, row[head])
                    cell.data_type, cell.quotePrefix = "s", True  # a label that begins with = is no formula
    return book


def sheets(codebook: Codebook, status: str, **limits: object) -> dict[str, list[Row]]:
    """The rows of each sheet of the form of one status."""
    form = _Form(codebook, status)
    form.head(limits)
    questions = codebook.questions(status=status)
    blocks = codebook.variables["block"]
    for block in dict.fromkeys(blocks[q.members[0]] for q in questions):
        form.open(f"block_{block}", _texts(codebook, f"block.{block}"))
        for question in (q for q in questions if blocks[q.members[0]] == block):
            form.ask(question)
        form.close()
    form.note("end", _texts(codebook, "form.end"))
    title = codebook.text("form.title", "fr", status=codebook.label("status", status, "fr"))
    return form.finished(title, f"needs_{status}")


def longest(codebook: Codebook, status: str) -> int:
    """Minutes of the longest form of a status, over the modules."""
    modules = codebook.codes("module") if "module" in codebook.variables.index else []
    fixed = [{"status": status, "module": module} for module in modules] or [{"status": status}]
    return math.ceil(max(codebook.minutes(**one) for one in fixed))


def _texts(codebook: Codebook, key: str, **fields: object) -> dict[str, str]:
    return {language: codebook.text(key, language, **fields) for language in LANGUAGES}


def _labels(line: pd.Series) -> dict[str, str]:
    return {language: str(line[column]) for language, column in zip(LANGUAGES, LABELS, strict=True)}


class _Form:
    """Rows that are being written; the one place where order matters."""

    def __init__(self, codebook: Codebook, status: str) -> None:
        self.codebook, self.status = codebook, status
        self.survey: list[Row] = []
        self.choices: list[Row] = []

    def row(self, type_: str, name: str, labels: dict[str, str] | None = None, **rest: str) -> None:
        # ${...} in a text would be taken for a reference
        shown = {LABEL[k]: text.replace("${", "$ {") for k, text in (labels or {}).items()}
        self.survey.append({"type": type_, "name": name, **shown, **rest})

    def finished(self, title: str, form_id: str) -> dict[str, list[Row]]:
        """All sheets; a version names what is asked."""
        version = hashlib.sha256(repr((self.survey, self.choices)).encode()).hexdigest()[:12]
        settings = {"form_title": title, "form_id": form_id, "version": version, "default_language": NAMES["ar"]}
        return {"survey": self.survey, "choices": self.choices, "settings": [settings]}

    def note(self, name: str, labels: dict[str, str], **rest: str) -> None:
        self.row("note", f"note_{name}", labels, **rest)

    def open(self, name: str, labels: dict[str, str], **rest: str) -> None:
        self.row("begin_group", name, labels, **rest)

    def close(self) -> None:
        self.row("end_group", "")

    def head(self, limits: dict[str, object]) -> None:
        """Times, the key, the first page, the status, and what is drawn."""
        book = self.codebook
        limits = {"minutes": longest(book, self.status), **limits}
        self.row("start", "start")
        self.row("end", "end")
        for key in FIRST_PAGE:
            if key != "guardian" or any(q.name == "guardian" for q in book.questions(status=self.status)):
                self.note(key, _texts(book, f"form.{key}", **limits))
        for name, line in book.variables.iterrows():
            if line["type"] == "key":
                self.row("text", str(name), self.asked(str(name)))
            elif name == "status":
                self.row("calculate", "status", calculation=f"'{self.status}'")
            elif line["drawn"] and book.reached(str(name), status=self.status):
                self.draw(str(name), line)

    def draw(self, name: str, line: pd.Series) -> None:
        """One of its codes or whole numbers, with equal chances, once a form."""
        low = 0 if line["type"] in CODED else int(line["low"])
        codes = self.codebook.codes(line["list"]) if line["type"] in CODED else []
        n = len(codes) or int(line["high"]) - low + 1
        self.row("calculate", f"_draw_{name}", calculation="once(random())")
        place = f"int(${{_draw_{name}}} * {n})"
        value = _picked(codes, place) if codes else f"{place} + {low}"
        relevant = self.relevant(name)
        self.row("calculate", name, calculation=f"if({relevant}, {value}, '')" if relevant else value)
        self.row("calculate", f"_chance_{name}", calculation=f"{1 / n:.10g}")

    def relevant(self, name: str, known: str = "") -> str:
        """The condition of a variable or group as an expression, less what this form or ``known`` has settled."""
        clauses = routing.clauses(self.codebook.condition(name, known, settled=("status",)))
        return " and ".join(_expression(clause, self.codebook) for clause in clauses)

    def ask(self, question: Question) -> None:
        """A question, with all its items."""
        book, name = self.codebook, question.name
        if name not in book.groups.index:
            self.item(name, book.variables.loc[name], self.relevant(name))
        elif question.kind in ("multiple", "ranking"):
            self.options(question, book.groups.loc[name])
        elif question.kind == "cards":
            self.open(name, _labels(book.groups.loc[name]), relevant=self.relevant(question.members[0]), **TOGETHER)
            self.cards(question)
            self.close()
        else:
            group = book.groups.loc[name]
            self.open(name, _labels(group), relevant=self.relevant(name), **TOGETHER)
            for member in question.members:
                own = self.relevant(member, str(group["asked_if"]))
                self.item(member, book.variables.loc[member], own, "likert" if question.kind == "scale" else "")
            self.close()

    def options(self, question: Question, group: pd.Series) -> None:
        """A list to tick or to rank."""
        name, type_ = question.name, {"multiple": "select_multiple", "ranking": "rank"}[question.kind]
        relevant = self.relevant(name) or self.relevant(question.members[0])
        self.row(f"{type_} {name}", name, _labels(group), relevant=relevant)
        for member in question.members:
            self.choice(name, member.removeprefix(f"{name}_"), self.asked(member))

    def cards(self, question: Question) -> None:
        """What each card shows, a note a version, and the choice on it."""
        book, block = self.codebook, question.name.removesuffix("_cards")
        self.note(f"{block}_assured", _texts(book, "form.assured"))
        tables = {k: cards.shown(book, block, k, self.status) for k in LANGUAGES}
        for member in question.members:
            place = int(member.rpartition("_")[2])
            title = _texts(book, "form.card", n=place)
            for version in sorted({v for v, card in tables["en"] if card == place}):
                texts = {k: f"{title[k]}\n\n{_lines(tables[k][version, place])}" for k in LANGUAGES}
                self.note(f"{member}_{version}", texts, relevant=f"${{{block}_version}} = {version}")
            self.item(member, book.variables.loc[member], "")

    def item(self, name: str, line: pd.Series, relevant: str, appearance: str = "") -> None:
        """One stored answer."""
        rest = {"relevant": relevant, "appearance": appearance}
        if line["type"] in CODED:
            self.row(f"select_one {line['list']}", name, self.asked(name), **rest)
            if not any(row["list_name"] == line["list"] for row in self.choices):
                for code in self.codebook.codes(line["list"]):
                    labels = {k: self.codebook.label(line["list"], code, k) for k in LANGUAGES}
                    self.choice(line["list"], code, labels)
            return
        low, high = line["low"], line["high"]
        messages = {MESSAGE[k]: t for k, t in _texts(self.codebook, "form.range", low=low, high=high).items()}
        bounds = f"(. >= {low} and . <= {high}) or . = -98 or . = -99"
        type_ = {"integer": "integer", "amount": "decimal"}[line["type"]]
        self.row(type_, name, self.asked(name), constraint=bounds, **messages, **rest)

    def asked(self, name: str) -> dict[str, str]:
        return {language: self.codebook.asks(name, language) for language in LANGUAGES}

    def choice(self, list_name: str, code: str, labels: dict[str, str]) -> None:
        self.choices.append({"list_name": list_name, "name": code, **{LABEL[k]: t for k, t in labels.items()}})


def _picked(codes: list[str], place: str) -> str:
    value = f"'{codes[-1]}'"
    for i, code in reversed(list(enumerate(codes[:-1]))):
        value = f"if({place} = {i}, '{code}', {value})"
    return value


def _expression(clause: routing.Clause, codebook: Codebook) -> str:
    name = f"${{{clause.variable}}}"
    if clause.codes is not None:
        order = [c for c in codebook.codes(str(codebook.variables.loc[clause.variable, "list"])) if c in clause.codes]
        either = " or ".join(f"{name} = '{code}'" for code in order)
        return f"({either})" if len(order) > 1 else either
    return f"{name} >= {clause.low:g}" if clause.low > float("-inf") else f"{name} < {clause.high:g}"


def _lines(table: pd.DataFrame) -> str:
    """A card as text: a paragraph an alternative, since forms on a phone show no tables."""
    lines = {name: "; ".join(f"{label} {cell}" for label, cell in column.items()) for name, column in table.items()}
    return "\n\n".join(f"**{name}**: {line}" for name, line in lines.items())
