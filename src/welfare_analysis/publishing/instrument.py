"""What the instrument is, in tables and sentences: length of the forms, planned missing, cards, the first page."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import product
from pathlib import Path

import pandas as pd
from IPython.display import HTML, Markdown

from ..languages import amount, number
from ..study import DATA, Study
from ..survey import card_designs, cards
from ..survey.checks import EVIDENCE
from ..survey.codebook import Codebook
from ..survey.xlsform import FIRST_PAGE, longest
from .suppression import Policy
from .tables import markup, title


def counts(book: Codebook) -> pd.DataFrame:
    """Answers that a form stores, by block and origin of the question."""
    asked = book.variables[(book.variables["type"] != "key") & (book.variables["drawn"] == "")]
    return pd.crosstab(asked["block"], asked["evidence"]).reindex(list(asked["block"].unique()))[list(EVIDENCE)]


def _forms(book: Codebook) -> Iterator[tuple[str, str, int, float]]:
    """Status, module, questions and minutes at most of every form."""
    for status, module in product(book.codes("status"), book.codes("module")):
        fixed = {"status": status, "module": module}
        yield status, module, len(book.questions(**fixed)), book.minutes(**fixed)


def form_length(study: Study) -> HTML:
    """Questions and minutes of each status with each module; a group of items counts as one question."""
    book, language = study.codebook, study.language
    chance = amount(1 / len(book.codes("module")), "share", language)
    body = [
        [
            book.label("status", status, language),
            book.label("module", module, language),
            chance,
            number(n, language),
            number(time, language),
        ]
        for status, module, n, time in _forms(book)
    ]
    heads = [book.text(f"col.{k}", language) for k in ("group", "module", "chance", "questions", "minutes")]
    foot = f"{book.text('note.seconds', language)} {book.text('source.codebook', language)}"
    return HTML(markup(title("form_length", study), heads, body, foot))


def card_efficiency(study: Study) -> HTML:
    """The D-error of each block of cards, beside designs drawn at random and all cards that could be shown."""
    book, language = study.codebook, study.language
    body = []
    for name in book.cards["block"].unique():
        found = card_designs.efficiency(book, name)
        sizes = cards.stored(book, name)[["version", "card"]].nunique()
        body.append(
            [
                book.text(f"block.cards_{name}", language),
                *(number(sizes[k], language) for k in ("version", "card")),
                number(found["d_error"], language, 4),
                *(amount(1 / found[k], "share", language) for k in ("random", "all_cards")),
                amount(card_designs.rarest_level(book, name), "share", language),
            ]
        )
    names = ("block", "versions", "cards_each", "d_error", "of_random", "of_all_cards", "rarest_level")
    heads = [book.text(f"col.{k}", language) for k in names]
    return HTML(markup(title("card_efficiency", study), heads, body, book.text("source.codebook", language)))


def card(study: Study, name: str, version: int = 1, place: int = 1) -> HTML:
    """One card as a member sees it."""
    book, language = study.codebook, study.language
    table = cards.shown(book, name, language)[version, place]
    body = [[label, *cells] for label, cells in zip(table.index, table.to_numpy(), strict=True)]
    foot = f"{book.text('form.assured', language)} {book.text('source.codebook', language)}"
    caption = f"{book.text(f'block.cards_{name}', language)}: {book.text('form.card', language, n=place)}"
    return HTML(markup(caption, ["", *table.columns], body, foot))


def first_page(study: Study, status: str, policy: Path = DATA / "policy.csv") -> HTML:
    """What stands before the first question, with the thresholds of disclosure in force."""
    book, rules = study.codebook, Policy.read(policy)
    fields = {"least": int(rules.min_respondents), "base": int(rules.min_base), "minutes": longest(book, status)}
    texts = [book.text(f"form.{key}", study.language, **fields) for key in FIRST_PAGE if key != "guardian"]
    head = book.text("form.title", study.language, status=book.label("status", status, study.language))
    return HTML(f"<h4>{escape(head)}</h4>" + "".join(f"<p>{escape(text)}</p>" for text in texts))


def planned(study: Study) -> Markdown:
    """What is asked of a random part only, and with what probability."""
    book = study.codebook
    modules, versions = len(book.codes("module")), cards.stored(book, book.cards["block"].iloc[0])["version"].nunique()
    parts = amount(1 / modules, "share", study.language), amount(1 / modules / versions, "share", study.language)
    fields = {"modules": modules, "versions": versions, "chance": parts[0], "version_chance": parts[1]}
    return Markdown(book.text("instrument.planned", study.language, **fields))


def learned(study: Study) -> Markdown:
    """Length and origin of the form in a sentence each."""
    book, language = study.codebook, study.language
    forms, origin = list(_forms(book)), counts(book).sum()
    n, time = [f[2] for f in forms], [f[3] for f in forms]
    fields = {
        "least": min(n),
        "most": max(n),
        "short": number(min(time), language),
        "long": number(max(time), language),
    }
    told = {k: number(v, language) for k, v in origin.items()} | {"all": number(origin.sum(), language)}
    return Markdown(book.text("instrument.learned", language, **fields, **told))


def limits(study: Study) -> Markdown:
    """What the design takes for granted, in numbers."""
    book, language = study.codebook, study.language
    assumed = amount(float((book.cards["evidence"] == "assumption").mean()), "share", language)
    rarest = min(card_designs.rarest_level(book, name) for name in book.cards["block"].unique())
    return Markdown(book.text("instrument.limits", language, assumed=assumed, rarest=amount(rarest, "share", language)))
