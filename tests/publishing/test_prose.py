"""Prose in three languages: a paragraph a message, stale where the English changed, the same numbers in each."""

import re
from collections import Counter

import nbformat
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import Markdown, display
from IPython.utils.capture import capture_output
from said_numbers import differences, numbers

from welfare_analysis.publishing import prose
from welfare_analysis.publishing.execution import find
from welfare_analysis.publishing.markup import markdown
from welfare_analysis.publishing.notebook import in_each_language
from welfare_analysis.publishing.prose import SOURCE, TRANSLATED, Prose
from welfare_analysis.study import DATA
from welfare_analysis.survey.codebook import LANGUAGES, words


def said_on(paths):
    """Messages of notebooks, by the name of each file."""
    return {path.stem: prose.messages(nbformat.read(path, as_version=4)) for path in paths}


NOTEBOOKS = {path.stem: path for path in find(DATA.parent / "notebooks")}
MESSAGES = said_on(NOTEBOOKS.values()) | prose.further()
PAGES = [(stem, language) for stem in MESSAGES for language in TRANSLATED if stem not in prose.in_english()]
TEXT = """# Rent

Who pays
rent, and *how much*: [next](06_homes.ipynb).

- one
- two

| a | 5 |
|---|---|
| b | 1,200 |

$$x = 1$$

1
"""
NUMBER = re.compile(r"\d+(?:[.,\u202f\u00a0]\d+)*")
ADDRESS = re.compile(r"\{[^}]*\}|\([\w/]+\.(?:csv|ipynb)\)")
KEPT = re.compile(r"`[^`]*`|\$[^$]+\$|\]\([^)]*\)|\{[^}]*\}")  # code, formulas, links, gaps
WEB = re.compile(
    r"(?:https?://)?[\w.-]+\.(?:ma|com|csv|net)\b[^\s;,)]*|libe \w+|lavieeco/\d+"
)  # addresses, files of the archive


def notebook(*texts):
    """A notebook of texts."""
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text) for text in texts])


def filled(stem, language):
    """Message and translation of a page."""
    known = prose.translations(prose.catalogue(stem, language))
    return [(text, known[text]) for text in MESSAGES[stem] if text in known]


def test_messages_are_paragraphs_headings_items_and_cells():
    """Each is one line whatever its breaks, and comes once; what has no letters needs no translation."""
    found = prose.messages(notebook(TEXT, "Who pays rent,\nand *how much*: [next](06_homes.ipynb)."))
    assert found == ["Rent", "Who pays rent, and *how much*: [next](06_homes.ipynb).", "one", "two", "a", "b"]


def test_a_page_speaks_its_language_and_says_where_it_does_not():
    """Anchors are those of the English headings; a paragraph without a translation is marked as English."""
    own = Prose("ar", {"Rent": "الكراء", "one": "واحد"})
    headings = []
    html = markdown(TEXT, {"prose": own, "headings": headings})
    assert '<h1 id="rent">الكراء</h1>' in html
    assert headings == [("h1", "rent", "الكراء")]
    assert '<p lang="en" dir="ltr">Who pays rent' in html
    assert "<li>واحد</li>" in html
    assert '<li lang="en" dir="ltr">two</li>' in html
    assert markdown(TEXT, {"prose": Prose()}).split() == markdown(TEXT).split()
    assert prose.missing(notebook("# Rent\n\nand"), own) == ["and"]
    assert prose.missing(notebook("# Rent\n\nand"), Prose()) == []


def test_an_institution_speaks_in_its_own_words():
    """Translated and untranslated paragraphs both go through its words, each in its language."""
    said = Prose("fr", {"The police": "La police"}, lambda text, language: text.replace("olice", f"ort/{language}"))
    assert markdown("The police", {"prose": said}) == "<p>La port/fr</p>\n"
    assert ">Some port/en</p>" in markdown("Some police", {"prose": said})


def test_a_changed_paragraph_makes_its_translation_stale(tmp_path):
    """It is kept but stands no longer; what is new is empty, what is gone goes behind ``#~``."""
    path = tmp_path / "04_life.ipynb"
    (tmp_path / "in_english.txt").write_text("05_hopes")
    nbformat.write(notebook("# Life", "How members live, and where.", "Gone."), path)
    assert prose.update(said_on([path]), tmp_path) == {"ar/04_life.po": 3, "fr/04_life.po": 3}
    target = tmp_path / "fr" / "04_life.po"
    lines = {"Life": "La vie", "How members live, and where.": "Comment vivent les membres, et où.", "Gone.": "Parti."}
    text = target.read_text()
    for english, french in lines.items():
        text = text.replace(f'msgid "{english}"\nmsgstr ""', f'msgid "{english}"\nmsgstr "{french}"')
    target.write_text(text)
    assert prose.translations(prose.catalogue("04_life", "fr", tmp_path)) == lines
    nbformat.write(notebook("# Life", "How members live, where and with whom.", "95 % of nothing"), path)
    assert prose.update(said_on([path]), tmp_path)["fr/04_life.po"] == 2
    again = target.read_text()
    assert prose.translations(prose.catalogue("04_life", "fr", tmp_path)) == {"Life": "La vie"}
    assert "#, fuzzy\n" in again
    assert '#~ msgid "Gone."' in again
    assert "python-format" not in again
    assert prose.update(said_on([path]), tmp_path)["fr/04_life.po"] == 2
    assert target.read_text() == again


def test_every_page_is_translated_or_listed():
    """A page is in ``in_english.txt`` or has a catalogue in each language; no catalogue is of no page."""
    waiting = prose.in_english()
    assert set(waiting) <= set(NOTEBOOKS)
    assert len(waiting) == len(set(waiting))
    files = {(path.stem, path.parent.name) for path in prose.PROSE.glob("*/*.po")}
    assert files == set(PAGES)


@pytest.mark.parametrize(("stem", "language"), PAGES)
def test_the_catalogue_of_a_translated_page_is_whole(stem, language):
    """No paragraph is missing or stale, and none is left of before: `make prose` shows what to translate."""
    messages, known = MESSAGES[stem], prose.catalogue(stem, language)
    lacking = [text for text in messages if text not in prose.translations(known)]
    assert not lacking, f"{language}/{stem}: missing or stale, see `make prose`: {lacking}"
    text = (prose.PROSE / language / f"{stem}.po").read_text(encoding="utf-8")
    assert prose.updated(known, messages) == text
    assert "#~" not in text


@pytest.mark.parametrize(("stem", "language"), PAGES)
def test_a_translation_has_the_numbers_links_and_formulas_of_its_original(stem, language):
    """Numbers are compared without their marks, the rest as it is; no paragraph is left as it was."""
    for english, other in filled(stem, language):
        assert Counter(KEPT.findall(english)) == Counter(KEPT.findall(other)), english
        digits = [Counter(re.sub(r"\D", "", n) for n in NUMBER.findall(text)) for text in (english, other)]
        assert digits[0] == digits[1], english
        assert english.count("*") == other.count("*"), english
        assert other != english or len(WEB.sub("", english).split()) < 3, english


def test_arabic_is_written_in_arabic_and_french_as_french_is_printed():
    """Each Arabic paragraph has more Arabic letters than others; no ASCII comma or question mark stands in it."""
    for stem in MESSAGES:
        for english, other in filled(stem, "ar"):
            words = WEB.sub("", KEPT.sub("", other))
            if not re.search("[a-z]{2}", WEB.sub("", KEPT.sub("", english))):  # addresses and code alone
                continue
            assert len(re.findall(r"[\u0600-\u06ff]", words)) > len(re.findall("[A-Za-z]", words)), english
            assert not re.search(r"[\u0600-\u06ff] ?[,;?]", words), other
        for _, other in filled(stem, "fr"):
            assert not re.search(r"\w[?!;:](?:\s|$)|'", WEB.sub("", KEPT.sub("", other))), other


OWN_WORDS = {"fr": r"\bpolice\b|\bFondation\b|\bDH\b|\bdirham", "ar": "الشرطة|المؤسسة|درهم|دراهم"}


# words of which a reader meets one alone: what an Arabic or a French text may not say, and what it says
ONE_WORD = {
    "ar": {"صورة": "شكل", "التطلعات": "الآمال"},
    "fr": {
        r"\b(?:la|de|sa) paie\b": "le salaire",
        "limite de retenue": "limite des retenues",
        "page des attentes": "page des souhaits",
    },
}


@pytest.mark.parametrize("language", TRANSLATED)
def test_one_thing_has_one_word(language):
    """Of texts, labels and pages: a figure, the page of hopes, pay and the limit of deductions are named alike."""
    tables = (pd.read_csv(DATA / "codebook" / f"{name}.csv", keep_default_na=False) for name in ("texts", "values"))
    written = [text for t in tables for text in t[next(c for c in t if c in (language, f"label_{language}"))]]
    written += [text for stem in MESSAGES for _, text in filled(stem, language)]
    for word, right in ONE_WORD[language].items():
        found = [text for text in written if re.search(word, text)]
        assert not found, f"{word}: write {right} in {found[0]}"


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_speak_of_another_institution_in_its_words(language):
    """Neither the police nor its Foundation and currency are left where pages speak of the hospitals of the example.

    Page 01 says what was asked in 2012, page 13 is about others.
    """
    said = words(DATA / "examples" / "hospital").said
    for stem in set(MESSAGES) - {"01_instrument", "13_can_we_trust_it"}:
        for english, other in filled(stem, language):
            assert not re.search(OWN_WORDS[language], said(other, language)), (stem, english, said(other, language))


class Spoken:
    """A study in a language."""

    def __init__(self, language, languages=()):
        self.language, self.languages = language, languages

    def in_language(self, language):
        """Speak another one."""
        return Spoken(language)


def test_a_display_gives_an_output_a_language_only_where_a_report_is_made():
    """Each output says its language, the study's own first; elsewhere the result comes as it is."""
    InteractiveShell.instance()

    def said(study, key):
        display({"image/png": b"x"}, metadata={"image/png": {"alt": study.language}}, raw=True)
        return Markdown(f"{key} {study.language}")

    shown = in_each_language(said)
    with capture_output() as captured:
        assert shown(Spoken("fr", ("ar", "fr")), "key") is None
    assert [output.metadata["language"] for output in captured.outputs] == ["fr", "fr", "ar", "ar"]
    assert [output.data.get("text/markdown") for output in captured.outputs] == [None, "key fr", None, "key ar"]
    assert captured.outputs[2].metadata["image/png"] == {"alt": "ar"}
    with capture_output() as captured:
        assert shown(Spoken("en"), "key").data == "key en"
    assert len(captured.outputs) == 1
    assert "language" not in captured.outputs[0].metadata


def test_the_source_is_no_translation():
    """Notebooks are written in English."""
    assert SOURCE not in TRANSLATED


@pytest.mark.parametrize("file", ["values.csv", "texts.csv", "variables.csv", "groups.csv", "consistency.csv"])
def test_labels_and_texts_say_the_same_numbers_in_each_language(file):
    """A number of a label is written in digits, and as its language writes numbers; addresses of cells are none."""
    for line in pd.read_csv(DATA / "codebook" / file, keep_default_na=False, dtype=str).to_dict("records"):
        own = {one: line.get(one, line.get(f"label_{one}", "")) for one in LANGUAGES}
        said = {one: numbers(ADDRESS.sub("", text), one) for one, text in own.items()}
        assert said["ar"] == said["en"] == said["fr"], own


PAGE = "<p>{} of <b>{}</b> <img alt='x' /><img alt=\"{}\"></p><p{}>in 2012: 4.6</p><td>source of note 1.5</td>"


def test_the_comparison_of_numbers_sees_a_number_that_differs():
    """Separators of each language are read, English parts of other pages too; one digit more is seen."""
    pages = {
        "en": PAGE.format("1,234", "0.5", "12.5 %", ""),
        "fr": PAGE.format("1\u202f234", "0,5", "12,5\u202f%", ' lang="en"'),
        "ar": PAGE.format("\u20661.234\u2069", "0,5", "12,5\u202f%", ' lang="en"'),
    }
    assert differences(pages) == {}
    wrong = differences(pages | {"fr": pages["fr"].replace("12,5", "12,6")})
    assert wrong == {"fr": ({12.6: 1}, {12.5: 1})}
