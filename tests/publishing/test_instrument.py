"""The instrument in tables and sentences: computed from the codebook, in three languages."""

from types import SimpleNamespace

import pandas as pd
import pytest

from welfare_analysis.publishing import instrument
from welfare_analysis.publishing.figures import instrument as figure
from welfare_analysis.publishing.figures import output
from welfare_analysis.study import DATA
from welfare_analysis.survey.codebook import LANGUAGES, Codebook

BOOK = Codebook.read(DATA / "codebook")


def speaking(language):
    """What the functions use of a study."""
    return SimpleNamespace(codebook=BOOK, language=language)


def test_every_stored_answer_is_counted_once():
    """Blocks by origin add up to what a form stores: all variables but keys and what is drawn."""
    table = instrument.counts(BOOK)
    asked = (BOOK.variables["type"] != "key") & (BOOK.variables["drawn"] == "")
    assert table.to_numpy().sum() == asked.sum()
    assert table.loc["health", "reported"] == 7  # the seven services of 2012
    assert list(table.index) == [b for b in BOOK.blocks if b in table.index]


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_and_sentences_come_in_every_language(language):
    """A row a form and a block; the thresholds of disclosure on the first page; no field is left open."""
    study = speaking(language)
    assert instrument.form_length(study).data.count("<tr>") == 1 + 4 * 3 + 1
    page = instrument.first_page(study, "widow").data
    policy = pd.read_csv(DATA / "policy.csv").set_index("rule")["value"]
    assert all(f"{policy[rule]:.0f}" in page for rule in ("min_respondents", "min_base"))
    told = [page, *(f(study).data for f in (instrument.planned, instrument.learned, instrument.limits))]
    assert not any("{" in text for text in told)
    assert str(instrument.counts(BOOK).to_numpy().sum()) in told[2]


def test_each_block_of_cards_has_its_efficiency():
    """A row a block: four versions of six cards each."""
    table = instrument.card_efficiency(speaking("fr")).data
    assert table.count("<td>4</td><td>6</td>") == 3


def test_the_figure_says_its_numbers(monkeypatch):
    """The bars end at the number of answers of a block, and the words give the same numbers."""
    seen = []
    monkeypatch.setattr(output, "display", lambda data, raw, metadata=None: seen.append((data, metadata)))
    figure.evidence(speaking("en"))
    (picture, words), (below, _) = seen
    assert "Health: printed by the press 7, added 4" in words["image/png"]["alt"]
    assert "bars" in picture["text/plain"]
    assert "stand-in population" in below["text/markdown"]
