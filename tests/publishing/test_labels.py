"""Labels in three languages: what stands in a table is said in the language of its page.

The tables are those of the stand-in as they were released and stored (`tests/snapshot`), so that none is made again.
"""

import json
import re
from datetime import date

import nbformat
import pandas as pd
import pytest
from books import BOOK
from wording import Wording

from welfare_analysis.disclosure import CATEGORY
from welfare_analysis.publishing import labels
from welfare_analysis.publishing.execution import find
from welfare_analysis.publishing.figures import FIGURES
from welfare_analysis.results import runs, stored
from welfare_analysis.study import DATA, ROOT, reference
from welfare_analysis.survey.codebook import LANGUAGES

STUDIES = {one: Wording(codebook=BOOK, language=one) for one in LANGUAGES}
CELLS = pd.read_parquet(ROOT / "tests" / "snapshot" / "standin.parquet")
NOTEBOOKS = {path.stem: nbformat.read(path, 4) for path in find(ROOT / "notebooks")}
SOURCES = "\n".join(cell.source for notebook in NOTEBOOKS.values() for cell in notebook.cells)
DRAWN = re.findall(r'draw\(study, "(\w+)"', SOURCES)
SHOWN = {*re.findall(r'show\(study, "(\w+)"', SOURCES), *(table for name in DRAWN for table in FIGURES[name].tables)}
# words that French and English write alike, besides names of places, units and statistics
ALIKE = """alpha coefficient coefficients condition conditions constant date dispersion document hajj illustration items
km million min module modules page place places point points programme question questions ratio rho segment service
services sigma source total train tramway transport variable variance version versions villa"""
COGNATES = frozenset(ALIKE.split())
# kept in Latin letters in Arabic too: statistics, formats, and names that their makers write so
KEPT = "AIC BIC CSV Excel Jupyter M0 P10 P90 PDF RR1 m2 data public relet_share wants_loan welfare_analysis"
LATIN = frozenset(KEPT.split())
WEB = r"(?:https?://)?[\w.-]+\.(?:ma|com|net|csv|city)\b[^\s;،؛)]*|libe \w+|lavieeco/\d+|scribd \d+"
ADDRESS = re.compile(rf"{WEB}|\[\[\w+\]\]|\{{[^}}]*\}}|`[^`]*`|\]\([^)]*\)|\(data/\w+\)")


def english_in(french: str, arabic: str, english: str, places: frozenset[str] = frozenset()) -> str:
    """Why a label is not said in French or in Arabic; nothing where it is."""
    bare = {one: ADDRESS.sub("", text) for one, text in {"fr": french, "ar": arabic, "en": english}.items()}
    words = set(re.findall(r"\b[a-z]{2,}\b", bare["fr"])) - COGNATES
    if bare["fr"] == bare["en"] and words and french not in places:
        return f"French is English: {french}"
    latin = set(re.findall(r"[A-Za-z]\w+", bare["ar"])) - LATIN
    return f"Arabic has {sorted(latin)}" if latin else ""


def codes_of_tables() -> set[tuple[str, str, str]]:
    """Table, column and code of each cell that pages show."""
    rows = CELLS[CELLS["table"].isin(SHOWN) & (CELLS["keys"] != "")]
    found = set()
    for table, variable, keys in rows[["table", "variable", "keys"]].itertuples(index=False):
        for pair in keys.partition("#")[0].split(";"):
            column, _, code = pair.partition("=")
            if column != "standard" and code and not code.isdigit():
                found.add((table, variable if column == CATEGORY else column, code))
    return found


PLACES = frozenset(
    BOOK.values.loc[BOOK.values["list"].isin(["command", "command_group", "holiday_centre"]), "label_fr"]
)


def test_a_label_that_is_english_is_seen():
    """The check sees a French label that is the English one and Latin letters in Arabic, and lets names pass."""
    assert english_in("own assumption", "فرضية", "own assumption")
    assert english_in("hypothèse", "own فرضية", "own assumption")
    assert not english_in("variable", "المتغير", "variable")
    assert not english_in("voir maghress.com/fr/1", "انظر maghress.com/fr/1", "see maghress.com/fr/1")


def test_tables_of_pages_have_their_labels_in_three_languages():
    """Of each code of each shown table; numbers and names of places are alike in French and English."""
    faults, found = {}, codes_of_tables()
    assert len(found) > 500
    for table, column, code in sorted(found):
        said = {one: labels.label(study, column, code) for one, study in STUDIES.items()}
        if fault := english_in(said["fr"], said["ar"], said["en"], PLACES):
            faults[table, column, code] = fault
    assert not faults


def test_texts_inside_tables_are_said_in_three_languages():
    """Sources, kinds of evidence and units of assumptions; an address alone is a name."""
    faults, texts = [], set()
    for table in map(stored.parameters, ("homes", "loans", "transport", "services")):
        texts |= set(table.frame["text"].dropna())
    texts |= {text for further in CELLS["further"] if '"text"' in further and (text := json.loads(further)["text"])}
    for text in sorted(text for text in texts if isinstance(text, str)):
        said = {one: labels.worded(study, text) for one, study in STUDIES.items()}
        faults += filter(None, [english_in(said["fr"], said["ar"], said["en"])])
    assert len(texts) > 60
    assert not faults


@pytest.mark.parametrize("file", ["texts", "values", "variables", "groups", "consistency", "listening"])
def test_no_line_of_the_codebook_is_left_in_english(file):
    """Every label and text that a page, a picture or a form can show."""
    faults = {}
    for line in pd.read_csv(DATA / "codebook" / f"{file}.csv", keep_default_na=False, dtype=str).to_dict("records"):
        own = {one: line.get(one, line.get(f"label_{one}", "")) for one in LANGUAGES}
        if fault := english_in(own["fr"], own["ar"], own["en"], PLACES):
            faults[line.get("key") or line.get("code") or own["en"]] = fault
    assert not faults


def test_a_code_that_is_a_number_is_written_as_one_and_a_year_is_not():
    """Thresholds and prices have the separator of their language: 4,000 in English, 4.000 in Arabic."""
    written = {"en": "4,000", "fr": "4\u202f000", "ar": "4.000"}
    for language, text in written.items():
        spoken = Wording(codebook=BOOK, language=language)
        assert labels.label(spoken, "aid_threshold", "4000") == text
        assert labels.label(spoken, "year", "2017") == "2017"


def test_terms_of_models_are_words():
    """A coefficient is named by what it weighs: an interaction by both its parts, a level by its label."""
    assert labels.label(STUDIES["en"], "variable", "price_100k:C(income_group)[low]") == (
        "100,000 DH of the price × income under 4,500 DH"
    )
    assert labels.label(STUDIES["en"], "term", "own:active") == BOOK.text("term.own:active", "en")
    terms = ["C(alternative)[T.foundation]:wants", "rate_points:C(income_group)[unknown]", "season_ticket_far_10km"]
    for code in [*terms, "amount_100k", "term_years", "instalment_1k:C(income_group)[high]", "car_pool"]:
        said = {one: labels.label(study, "variable", code) for one, study in STUDIES.items()}
        assert not english_in(said["fr"], said["ar"], said["en"]), code
        assert said["en"] != code


def test_published_numbers_of_other_programs_are_named_in_words():
    """What page 13 compares: design, statistic and number; parameters of models by what they weigh."""
    keys = {key for name in ("survey_scd", "survey_housing") for key in reference(name)["key"]}
    keys |= {f"strat|mean|api00.{end}" for end in ("est", "se")} | {"JK1+gr|mean|api00.se", "clus1|mean|api00.est"}
    keys |= set(reference("models")[["model", "parameter"]].agg(" / ".join, axis=1)) | {"ell.est", "meals.se"}
    for code in keys:
        said = {one: labels.label(study, "quantity", code) for one, study in STUDIES.items()}
        assert not english_in(said["fr"], said["ar"], said["en"]), code


def test_no_page_shows_a_frame_of_pandas():
    """A frame has the column names of the program; a page shows tables, whose words are of its language."""
    for stem, notebook in NOTEBOOKS.items():
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                assert "dataframe" not in output.get("data", {}).get("text/html", ""), (stem, cell.source)


FULL = {"en": ("24 November 2026", "1 May 2026"), "fr": ("24 novembre 2026", "1er mai 2026"),
        "ar": ("24 نونبر 2026", "1 ماي 2026")}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_day_is_printed_in_full_without_its_weekday(language, monkeypatch):
    """Alike in a table and in the note of stored simulations, as the language writes it."""
    days = [date(2026, 11, 24).toordinal(), date(2026, 5, 1).toordinal()]
    assert tuple(labels.day(day, language) for day in days) == FULL[language]
    table = runs.versions()
    cell = table.cell("validation", "run_on")
    in_one_line = labels.day(cell["estimate"], language).replace(" ", "\N{NO-BREAK SPACE}")
    assert labels.format_cell(table, STUDIES[language], cell) == in_one_line
    monkeypatch.setattr(runs, "earlier", lambda *_: days[0])
    assert FULL[language][0] in labels.version(STUDIES[language], "note.earlier", "validation")
