"""The questionnaire on paper: HTML to print, with skip instructions, and the inserts of which one is drawn."""

from __future__ import annotations

from html import escape

import pandas as pd

from ..languages import direction
from . import cards, routing
from .checks import CODED
from .codebook import Codebook, Question
from .reading import OUTCOMES
from .xlsform import FIRST_PAGE, longest

BOX, LINE = "\u2610", '<span class="line"></span>'
STYLE = """
body{font:11pt/1.4 "Noto Sans","Noto Sans Arabic",sans-serif;max-width:19cm;margin:auto}h1{font-size:15pt}
h2{font-size:12pt;border-bottom:1px solid}.q{margin:.5em 0;break-inside:avoid}.if{font-style:italic}
h1,h2,.if{break-after:avoid}.key{border:1px solid;padding:.3em .6em}
.line{display:inline-block;min-width:3.5cm;border-bottom:1px dotted}table{border-collapse:collapse;width:100%}
th,td{border:1px solid #999;padding:.15em .4em;text-align:start;font-weight:normal}td.tick{text-align:center}
ul{list-style:none;margin:.2em 0;padding-inline-start:1em;columns:3 5cm}.insert{break-before:page}
@page{size:A4;margin:1.6cm}
"""


def pages(codebook: Codebook, status: str, language: str, **limits: object) -> dict[str, str]:
    """The form of one status in one language, and its inserts, one a module and version, if it has any.

    Everybody gets ``form`` and one of ``inserts``, drawn with equal chances: there are as many of each module. Each has
    a place for the key, by which they find together.
    """
    sheet = _Sheet(codebook, status, language)
    questions = codebook.questions(status=status)
    own = [q for q in questions if not sheet.modules(q)]
    title = codebook.text("form.title", language, status=codebook.label("status", status, language))
    inserts = sheet.inserts(questions)
    fields = {"minutes": longest(codebook, status), **limits}
    has_guardian = any(q.name == "guardian" for q in own)
    first = [codebook.text(f"form.{k}", language, **fields) for k in FIRST_PAGE if k != "guardian" or has_guardian]
    if inserts:
        first.append(codebook.text("form.random", language, n=len(inserts)))
    keys = codebook.variables.index[codebook.variables["type"] == "key"]
    key = "".join(f'<p class="key">{sheet.item(str(name))}: {LINE}</p>' for name in keys)
    end = f"<p>{escape(codebook.text('form.end', language))}</p>"
    body = [f"<h1>{escape(title)}</h1>", key, *(f"<p>{escape(text)}</p>" for text in first), *sheet.part(own, 1), end]
    more = []
    for module, version, members in inserts:
        name = codebook.text("form.insert", language, module=module.upper(), version=version)
        more += [f'<h1 class="insert">{escape(name)}</h1>', key, *sheet.part(members, len(own) + 1, version)]
    return {"form": _html(title, body, language)} | ({"inserts": _html(title, more, language)} if more else {})


def visits(codebook: Codebook, drawn: pd.DataFrame, language: str) -> str:
    """The list of the persons to visit, by stratum: key, status, rank, command, and room for dates and the outcome."""
    title = codebook.text("draw.title", language, n=len(drawn))
    heads = [codebook.text(f"draw.{name}", language) for name in ("key", "dates", *OUTCOMES)]
    body = [f"<h1>{escape(title)}</h1>"]
    for stratum, rows in drawn.groupby("stratum", sort=False):
        lines = [[heads[0], "", *heads[1:]]]
        for _, person in rows.iterrows():
            named = [codebook.label(name, str(person[name]), language) for name in ("status", "rank", "command")]
            lines.append([str(person["person_id"]), ", ".join(named), LINE, *[BOX] * len(OUTCOMES)])
        body.append(f"<h2>{escape(str(stratum))}</h2>")
        body.append(_table([[cell if cell in (BOX, LINE) else escape(cell) for cell in line] for line in lines]))
    return _html(title, body, language)


def _html(title: str, body: list[str], language: str) -> str:
    head = f"<head><meta charset='utf-8'><title>{escape(title)}</title><style>{STYLE}</style></head>"
    attributes = f'lang="{language}" dir="{direction(language)}"'
    return f"<!doctype html>\n<html {attributes}>{head}<body>{''.join(body)}</body></html>\n"


class _Sheet:
    """Writes questions under running numbers, which later conditions refer to."""

    def __init__(self, codebook: Codebook, status: str, language: str) -> None:
        self.codebook, self.status, self.language = codebook, status, language
        self.numbers: dict[str, int] = {}
        blocks = [q.name.removesuffix("_cards") for q in codebook.questions(status=status) if q.kind == "cards"]
        self.tables = {block: cards.shown(codebook, block, language, status) for block in blocks}

    def text(self, key: str, **fields: object) -> str:
        return escape(self.codebook.text(f"form.{key}", self.language, **fields))

    def label(self, code_list: str, code: str) -> str:
        return escape(self.codebook.label(code_list, code, self.language))

    def modules(self, question: Question) -> frozenset[str]:
        """The modules that a question belongs to; none if it is asked of all."""
        clause = self.codebook.routes(question.members[0]).get("module")
        return (clause.codes if clause else None) or frozenset()

    def inserts(self, questions: list[Question]) -> list[tuple[str, int, list[Question]]]:
        """(module, version, questions) of each insert."""
        modules = sorted(frozenset().union(*(self.modules(q) for q in questions)))
        versions = max((version for table in self.tables.values() for version, _ in table), default=1)
        return [(m, v, [q for q in questions if m in self.modules(q)]) for m in modules for v in range(1, versions + 1)]

    def part(self, questions: list[Question], start: int, version: int = 1) -> list[str]:
        """Questions in order under the titles of their blocks, each run with a condition under what it is."""
        out, block, before = [], "", ""
        for i, question in enumerate(questions):
            self.numbers |= dict.fromkeys((question.name, *question.members), start + i)
        for i, question in enumerate(questions):
            here = str(self.codebook.variables.loc[question.members[0], "block"])
            if here != block:
                block = here
                out.append(f"<h2>{escape(self.codebook.text(f'block.{block}', self.language))}</h2>")
            rule = self.rule(question)
            if rule and rule != before:
                after = next((start + j for j in range(i + 1, len(questions)) if self.rule(questions[j]) != rule), None)
                out.append(f'<p class="if">{self.condition(rule, after)}</p>')
            before = rule
            whole = "" if question.kind == "cards" else ' class="q"'
            out.append(f"<div{whole}><b>{start + i}.</b> {self.question(question, version)}</div>")
        return out

    def rule(self, question: Question) -> str:
        """What a question is asked under, beyond the status and the module that the sheet settles."""
        whole = question.kind not in ("multiple", "ranking", "cards") or self.codebook.condition(question.name)
        return self.codebook.condition(question.name if whole else question.members[0], settled=("status", "module"))

    def condition(self, rule: str, after: int | None = None) -> str:
        """``Only if question 7 is: married; if not, go to question 12``."""
        sentences = []
        for clause in routing.clauses(rule):
            if clause.codes is None:
                low, high = f"{clause.low:g}", f"{clause.high:g}"
                answers = self.text("below", high=high) if low == "-inf" else self.text("at_least", low=low)
            else:
                code_list = str(self.codebook.variables.loc[clause.variable, "list"])
                labels = [self.label(code_list, c) for c in self.codebook.codes(code_list) if c in clause.codes]
                answers = f" {self.text('or')} ".join(labels)
            sentence = self.text("only_if", n=self.numbers.get(clause.variable, 0), answers="\0")
            sentences.append(sentence.replace("\0", answers))
        return "; ".join([*sentences, *([self.text("go_to", n=after)] if after else [])])

    def question(self, question: Question, version: int) -> str:
        """One question with the room for its answers."""
        book, members = self.codebook, question.members
        if question.name not in book.groups.index:
            return f"{self.item(question.name)} {self.room(question.name)}"
        stem = escape(str(book.groups.loc[question.name, f"label_{self.language}"]))
        if question.kind == "multiple":
            ticks = "".join(f"<li>{BOX} {self.item(m)}</li>" for m in members)
            return f"{stem} ({self.text('multiple')})<ul>{ticks}</ul>"
        if question.kind == "ranking":
            return stem + _table([[self.item(m), LINE] for m in members])
        if question.kind == "roster":
            known = str(book.groups.loc[question.name, "asked_if"])
            return stem + _table([[self.item(m) + self.aside(m, known), LINE] for m in members])
        if question.kind == "scale":
            codes = str(book.variables.loc[members[0], "list"])
            options = [self.label(codes, c) for c in book.codes(codes)]
            return stem + _table([["", *options], *([self.item(m), *[BOX] * len(options)] for m in members)])
        return f"{stem}<p>{self.text('assured')}</p>" + self.cards(question, version)

    def aside(self, name: str, known: str) -> str:
        """The condition of one line of a table."""
        rule = self.codebook.condition(name, known, settled=("status", "module"))
        return f' <span class="if">({self.condition(rule)})</span>' if rule else ""

    def item(self, name: str) -> str:
        return escape(self.codebook.asks(name, self.language))

    def room(self, name: str) -> str:
        line = self.codebook.variables.loc[name]
        if line["type"] not in CODED:
            return LINE
        options = "".join(f"<li>{BOX} {self.label(line['list'], c)}</li>" for c in self.codebook.codes(line["list"]))
        return f"<ul>{options}</ul>"

    def cards(self, question: Question, version: int) -> str:
        """Each card as a table, a box under each alternative."""
        tables, out = self.tables[question.name.removesuffix("_cards")], []
        for member in question.members:
            place = int(member.rpartition("_")[2])
            out.append(f'<div class="q">{self.text("card", n=place)}{_card(tables[version, place])}</div>')
        return "".join(out)


def _card(table: pd.DataFrame) -> str:
    rows = [["", *table.columns], *table.reset_index().to_numpy().tolist()]
    return _table([*([escape(cell) for cell in row] for row in rows), ["", *[BOX] * table.shape[1]]])


def _table(rows: list[list[str]]) -> str:
    """Rows of escaped cells; boxes stand in the middle."""
    lines = ("".join(f'<td class="tick">{c}</td>' if c == BOX else f"<td>{c}</td>" for c in row) for row in rows)
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
