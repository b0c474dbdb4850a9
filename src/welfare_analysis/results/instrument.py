"""The instrument (page 01): length of the forms, planned missing, choice cards. No respondent is in it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

import pandas as pd

from ..disclosure import Released, document
from ..study import Study
from ..survey import card_designs, cards
from ..survey.checks import EVIDENCE
from ..survey.codebook import Codebook
from .declare import fact_rows, melted

# measures, in the order of the columns, and their units
LENGTH = {"chance": "share", "questions": "number", "minutes": "number"}
EFFICIENCY = {"versions": "number", "cards_each": "number", "d_error": "coefficient", "of_random": "share"}
EFFICIENCY |= {"of_all_cards": "share", "rarest_level": "share"}


def counts(book: Codebook) -> pd.DataFrame:
    """Answers that a form stores, by block and origin of the question."""
    asked = book.variables[(book.variables["type"] != "key") & (book.variables["drawn"] == "")]
    return pd.crosstab(asked["block"], asked["evidence"]).reindex(list(asked["block"].unique()))[list(EVIDENCE)]


def evidence(study: Study) -> Released:
    """Where the questions come from, in answers stored."""
    wide = counts(study.codebook).rename_axis(columns=None).reset_index()
    return document("evidence", wide.melt("block", var_name="origin", value_name="estimate"), ["block"], "origin",
                    "answers_stored")  # fmt: skip


def forms(book: Codebook) -> Iterator[tuple[str, str, int, int]]:
    """Status, module, questions and whole minutes at most of every form; a group of items counts as one question."""
    for status, module in product(book.codes("status"), book.codes("module")):
        fixed = {"status": status, "module": module}
        yield status, module, len(book.questions(**fixed)), math.ceil(book.minutes(**fixed))


def form_length(study: Study) -> Released:
    """Questions and minutes of each status with each module."""
    table = pd.DataFrame(forms(study.codebook), columns=["status", "module", "questions", "minutes"])
    table["chance"] = 1 / len(study.codebook.codes("module"))
    return document("form_length", melted(table, ["status", "module"], LENGTH), ["status", "module"], "measure")


def card_efficiency(study: Study) -> Released:
    """The D-error of each block of cards, beside designs drawn at random and all cards that could be shown."""
    book, rows = study.codebook, []
    for name in book.cards["block"].unique():
        design = card_designs.efficiency(book, name)
        sizes = cards.stored(book, name)[["version", "card"]].nunique()
        parts = design["d_error"], 1 / design["random"], 1 / design["all_cards"], card_designs.rarest_level(book, name)
        rows.append((f"cards_{name}", sizes["version"], sizes["card"], *parts))
    table = pd.DataFrame(rows, columns=["block", *EFFICIENCY])
    return document("card_efficiency", melted(table, ["block"], EFFICIENCY), ["block"], "measure")


def facts(study: Study) -> Released:
    """Numbers of the instrument that sentences use."""
    book, origin = study.codebook, counts(study.codebook).sum()
    questions, minutes = zip(*(form[2:] for form in forms(book)), strict=True)
    modules, versions = len(book.codes("module")), cards.stored(book, book.cards["block"].iloc[0])["version"].nunique()
    rarest = min(card_designs.rarest_level(book, name) for name in book.cards["block"].unique())
    numbers = {"modules": modules, "versions": versions, "least": min(questions), "most": max(questions)}
    numbers |= {"short": min(minutes), "long": max(minutes), "all": origin.sum(), **origin}
    shares = {"chance": 1 / modules, "version_chance": 1 / modules / versions, "rarest": rarest}
    shares["assumed"] = float((book.cards["evidence"] == "assumption").mean())
    return document("instrument", fact_rows(number=numbers, share=shares), ["fact"])


def card(study: Study, name: str, version: int = 1, place: int = 1) -> Released:
    """One card as a member sees it, in the study's language."""
    words = cards.shown(study.codebook, name, study.language)[version, place]
    table = words.rename_axis(index="attribute", columns="alternative").stack().rename("text").reset_index()
    return document(f"card_{name}", table.assign(estimate=0.0), ["attribute"], "alternative")
