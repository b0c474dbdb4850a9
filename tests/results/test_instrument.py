"""The instrument in tables and sentences: computed from the codebook, in three languages."""

import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.publishing import first_page, say, show
from welfare_analysis.results import instrument, release
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import LANGUAGES
from welfare_analysis.survey.xlsform import longest


@pytest.fixture(scope="module")
def study():
    """Two forms: no table of the instrument has an answer in it."""
    frame = pd.DataFrame({"status": pd.Series(["active"] * 2, dtype=pd.CategoricalDtype(BOOK.codes("status")))})
    return Study.of(frame, None, None, BOOK, is_standin=True)


def test_every_stored_answer_is_counted_once(study):
    """Blocks by origin add up to what a form stores: all variables but keys and what is drawn."""
    table = release(study)["evidence"]
    asked = (BOOK.variables["type"] != "key") & (BOOK.variables["drawn"] == "")
    assert table.frame["estimate"].sum() == asked.sum()
    assert table.cell("health", "reported")["estimate"] == 7  # the seven services of 2012
    assert release(study)["instrument"].cell("all")["estimate"] == asked.sum()


def test_one_number_of_minutes(study):
    """The longest form takes as many minutes in the table, in the sentence and on its own first page."""
    table = release(study)["form_length"]
    most = table.cells("active", "*", "minutes")["estimate"].max()
    assert most == longest(BOOK, "active")
    assert release(study)["instrument"].cell("long")["estimate"] == most
    assert f"{most:.0f} minutes" in first_page(study, "active").data


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_and_sentences_come_in_every_language(study, language):
    """A row a form; the thresholds of disclosure on the first page, in paragraphs; no field is left open."""
    own = study.in_language(language)
    assert show(own, "form_length").data.count("<tr>") == 1 + 4 * 3 + 1
    page = first_page(own, "widow").data
    policy = pd.read_csv(DATA / "policy.csv").set_index("rule")["value"]
    assert all(policy[rule] in (10, 30) and f"{policy[rule]:.0f}" in page for rule in ("min_respondents", "min_base"))
    assert "<" not in page
    assert page.count("\n\n") == 7
    texts = [page, *(say(own, f"instrument.{key}").data for key in ("planned", "learned", "limits"))]
    assert not any("{" in text for text in texts)


def test_each_block_of_cards_has_its_efficiency(study):
    """A row a block: four versions of six cards each; a card shows its words."""
    table = show(study.in_language("fr"), "card_efficiency").data
    assert table.count("<td>4</td><td>6</td>") == 3
    assert show(study, instrument.card(study, "home")).data.count("<tr>") > 3
    spoken = show(study.in_language("fr"), lambda one: instrument.card(one, "home")).data
    assert study.codebook.label("home_alternative", "stay", "fr") in spoken  # its words are those of who reads it
