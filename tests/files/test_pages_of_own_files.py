"""Files that lack something: every page comes, says what it can, and why it cannot say the rest."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK
from conftest import survey
from run_cells import may_be_said, said

from welfare_analysis.disclosure import policy
from welfare_analysis.errors import WelfareError
from welfare_analysis.languages import GAP

# of each block the pages that speak of it; the rest of the pages says that it was not asked
PAGES = {
    "identity": ("00", "02", "03", "04", "05", "06", "07", "08"),
    "housing": ("00", "04", "06"),
    "income_debt": ("00", "04", "07", "10"),
    "loans": ("05", "07"),
    "commute": ("00", "04", "08"),
    "transport": ("05", "08", "10"),
    "cards_home": ("06",),
    "cards_loan": ("07",),
    "cards_commute": ("08",),
    "priorities": ("05",),
    "satisfaction": ("05",),
}


@pytest.mark.parametrize("ask", [lambda: BOOK.text("nothing.of.this"), lambda: BOOK.codes("x"), lambda: [][1]])
def test_what_the_code_asks_in_vain_is_no_state_of_a_page(ask):
    """A text, a list or a code that nobody wrote fails these tests, though its error is one of the house."""
    with pytest.raises((WelfareError, IndexError)) as caught:
        ask()
    assert not may_be_said(caught.value)
    assert may_be_said(WelfareError("no respondent is left"))


@pytest.mark.parametrize("block", BOOK.blocks)
def test_a_single_block(opened, monkeypatch, block):
    """The status and one block: what was asked is shown, the rest is said not to have been asked."""
    answers = survey(800).answers
    kept = ["status", *(name for name in BOOK.blocks[block] if name in answers and name != "status")]
    texts = said(opened(answers[kept]), PAGES.get(block, ("02", "04", "05")), monkeypatch)
    assert all(texts.values())
    every = " ".join(texts.values())
    assert BOOK.text("not_asked") in every or BOOK.text("no_totals") in every


@pytest.mark.parametrize("columns", [["status", "tenure"], ["status", "sex", "age", "rank", "command"]])
def test_the_least_that_is_accepted(opened, monkeypatch, columns):
    """README's least: a status column and one question, or who they are alone."""
    answers = survey(250).answers[columns]
    texts = said(opened(answers, keep="repeated,impossible"), PAGES["identity"], monkeypatch)
    assert BOOK.text("no_totals") in texts["04"]


def test_sixty_forms(opened, monkeypatch):
    """Few forms without a register, in Arabic: no page fails, and numbers that would give persons away are hidden."""
    texts = said(opened(survey(60).answers, language="ar", keep="impossible"), PAGES["identity"], monkeypatch)
    assert BOOK.text("no_totals", "ar") in texts["04"]


def test_sixty_forms_of_a_register(opened, monkeypatch):
    """Statuses of which nobody answered are left out where that is wished, and the page says of how many."""
    world = survey(60)
    study = opened(world.answers, world.register, omit="unanswered", keep="impossible,status")
    texts = said(study, ("00", "02", "03", "04"), monkeypatch)
    left = len(world.register) - study.population
    assert left > 0
    many = f"{policy().base(left):,.0f}" if left >= policy().min_base else GAP
    assert BOOK.text("method.left_out", n=many, statuses="orphans") in texts["04"]


def test_two_hundred_and_fifty_forms_with_a_follow_up(opened, monkeypatch):
    """Register and follow-up, in French."""
    world = survey(250)
    study = opened(world.answers, world.register, world.followup, language="fr", keep="impossible,status")
    assert study.method == "two_phase"
    said(study, ("00", "03", "04", "06", "08"), monkeypatch)


def test_eight_hundred_forms_of_a_register(opened, monkeypatch):
    """Every block and a register: numbers of people on the pages of demand."""
    world = survey(800)
    study = opened(world.answers, world.register, keep="impossible,status")
    texts = said(study, ("00", "05", "07"), monkeypatch)
    assert BOOK.text("no_totals") not in texts["07"]


def test_cards_that_ignore_the_price(opened, monkeypatch):
    """Choices dealt out anew, so that neither price nor time decides: no worth can be told, and the pages say so."""
    answers, rng = survey(800).answers.copy(), np.random.default_rng(7)
    for block in ("home", "loan", "commute"):
        for name in [f"{block}_card_{i}" for i in range(1, 9) if f"{block}_card_{i}" in answers]:
            known = answers[name].notna()
            answers.loc[known, name] = rng.permutation(answers.loc[known, name].to_numpy())
    assert isinstance(answers, pd.DataFrame)
    said(opened(answers, keep="impossible"), ("06", "07", "08"), monkeypatch)
