"""A folder of another institution: completed from the whole codebook, in its own words, asked what it can be asked."""

import shutil

import pandas as pd
import pytest
from wording import Wording

from welfare_analysis.errors import WelfareError
from welfare_analysis.publishing.labels import worded
from welfare_analysis.results import stored
from welfare_analysis.study import DATA, INHERITED, not_given, public
from welfare_analysis.survey.codebook import LANGUAGES, Codebook, words

POLICE, FOLDER = DATA / "codebook", DATA / "examples" / "hospital"
BOOK, WHOLE = Codebook.read(FOLDER), Codebook.read(POLICE)


@pytest.fixture
def folder(tmp_path):
    """Return a copy of the hospital's folder."""
    return shutil.copytree(FOLDER, tmp_path / "hospital")


def change(path, key, **cells):
    """Write cells into the row of a file whose first column is a key."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    for column, text in cells.items():
        table.loc[table.iloc[:, 0] == key, column] = text
    table.to_csv(path, index=False)


def test_a_list_stands_in_the_place_of_another_and_the_rest_stays():
    """Its own statuses, ranks and places; all other lists and texts are those of the whole codebook."""
    assert BOOK.codes("status") == ["active", "retired", "survivor"]
    assert BOOK.parent("command")["harbour"] == "coast"
    assert BOOK.codes("tenure") == WHOLE.codes("tenure")
    assert list(BOOK.texts.index) == list(WHOLE.texts.index)


def test_what_nobody_could_be_asked_is_not_asked():
    """Without orphans there is no guardian and no impossible orphan; conditions keep the codes that there are."""
    assert set(WHOLE.variables.index) - set(BOOK.variables.index) == {"guardian"}
    assert list(BOOK.impossible.index) == ["young_retiree"]
    assert BOOK.variables.at["service_trips_n", "asked_if"] == "status = retired"
    assert WHOLE.variables.at["service_trips_n", "asked_if"] == "status in retired|widow"
    assert BOOK.variables.at["pension_dh", "asked_if"] == "status in retired|survivor"


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_speaks_of_itself_in_three_languages(language):
    """No label, text or unit has a word of the police; addresses of cells are left as they are."""
    said = [*BOOK.texts[language], *BOOK.values[f"label_{language}"], *BOOK.variables[f"label_{language}"]]
    own = words(POLICE)
    for text, theirs in zip(BOOK.texts[language], WHOLE.texts[language], strict=True):
        assert text.count("{") == theirs.count("{")
    police = {
        "en": r"\bDH\b|\bpolice\b|Foundation",
        "fr": r"\bDH\b|\bpolice\b|Fondation",
        "ar": r"(?<!مصا)درهم|الشرطة",
    }  # not: their sources
    assert not [text for text in said if pd.Series(text).str.contains(police[language]).any()]
    assert own.said("DH of the police", "en") == "DH of the police"


def test_words_are_whole_and_codes_stay():
    """A word inside another, beside an underscore or in an address is no word."""
    said = words(FOLDER).said("DH, ADHD, net_DH, {t|Foundation|x}, the Foundation’s commands", "en")
    assert said == "TND, ADHD, net_DH, {t|Foundation|x}, the Mutual’s hospitals"
    assert words(FOLDER).said("the survey\nof 2012", "en") == "the survey"


def test_a_word_with_other_forms_is_an_error(folder):
    """Each form stands for one; a form too few is named with its row and language."""
    change(folder / "institution.csv", "currency", fr="DT")
    with pytest.raises(WelfareError, match=r"institution.csv, row 5, column fr.*3 forms"):
        Codebook.read(folder)


def test_a_blank_word_is_an_error(folder):
    """Sentences would be left with a hole where the word stands."""
    change(folder / "institution.csv", "lender", fr="")
    with pytest.raises(WelfareError, match=r"institution.csv, row 4, column fr: a word is blank.*Fondation"):
        Codebook.read(folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("ages", "", "status,youngest,oldest\nactive,60,18\n", "hospital/ages.csv, row 2, oldest: .*the youngest age"),
        ("consistency", ",0,", ",some,", "hospital/consistency.csv, row 2, tolerance: .*'some'; expected a number"),
        ("consistency", "flag", "drop", "row 2, action: .*'drop'; expected flag or blank"),
        ("consistency", "<=", "=<", "hospital/consistency.csv, row 2, op: .*'=<'; expected <= or >= or ="),
        ("values", "retired,2,", "retired,second,", "hospital/values.csv, row 3, order: .*'second'; expected a number"),
        ("values", "status,retired", "status,", "hospital/values.csv, row 3, code: .*letters, digits and _ alone"),
    ],
)
def test_a_fault_in_its_own_files_is_told_with_its_row(folder, name, old, new, message):
    """The row is that of the institution's file, whatever stands before it in the whole codebook."""
    path = folder / f"{name}.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1) if old else new, encoding="utf-8")
    with pytest.raises(WelfareError, match=message):
        Codebook.read(folder)


def test_its_own_rows_are_checked_as_they_are(folder):
    """A code of one's own condition that is written wrong is a fault, and no question that goes without a word."""
    change(folder / "variables.csv", "pension_dh", asked_if="status in retired|surviver")
    with pytest.raises(WelfareError, match=r"asked_if of pension_dh: .*codes of status: active, retired, survivor"):
        Codebook.read(folder)


def test_an_empty_row_leaves_a_variable_out_and_what_depends_on_it(folder):
    """The row of a name alone: the question is not asked, nor those that it opens."""
    table = pd.read_csv(folder / "variables.csv", dtype=str, keep_default_na=False)
    table.loc[len(table)] = ["has_loan", *[""] * (table.shape[1] - 1)]
    table.to_csv(folder / "variables.csv", index=False)
    gone = set(BOOK.variables.index) - set(Codebook.read(folder).variables.index)
    assert {"has_loan", "debt_outstanding_dh"} <= gone
    assert "net_pay_dh" not in gone


def test_public_figures_are_those_of_its_folder(monkeypatch):
    """A table of its own stands in the place of the one of ``data/public``; codes without a row are named."""
    monkeypatch.setenv("CODEBOOK", "")
    assert set(not_given(BOOK)["rents"]) == set(BOOK.codes("command"))
    monkeypatch.setenv("CODEBOOK", str(FOLDER))
    assert not not_given(BOOK)
    assert set(public("rents")["command"]) == set(BOOK.codes("command"))
    assert "terms" in public("credit")


def test_what_an_institution_takes_over_says_whose_it_is(monkeypatch):
    """Its own public tables keep their sources; those of the example say so, in its language and its currency."""
    monkeypatch.setenv("CODEBOOK", str(FOLDER))
    assert set(public("rents")["source"]) == {"made for this example"}
    assert set(public("credit")["source"]) == {INHERITED}
    units = []
    for page in ("homes", "loans", "transport"):
        table = stored.parameters(page).frame
        assert set(table.loc[table["category"] == "source", "text"]) == {INHERITED}
        units += list(table.loc[table["category"] == "unit", "text"])
    for language, own, other in (("en", "TND", "DH"), ("fr", "DT", "DH"), ("ar", "دينار", "درهم")):
        shown = " ".join(worded(Wording(codebook=BOOK, language=language), unit) for unit in units)
        assert own in shown
        assert other not in shown
    assert len({BOOK.text(INHERITED, language) for language in LANGUAGES}) == 3
    monkeypatch.delenv("CODEBOOK")
    assert INHERITED not in set(public("credit")["source"])


@pytest.mark.parametrize(
    ("code", "cells", "message"),
    [
        (
            "nurse",
            {"parent": "nurses"},
            r"values.csv, row \d+, parent.*'nurses'; expected a code of the list rank_group",
        ),
        ("harbour", {"parent": ""}, r"values.csv, row \d+, parent.*; expected a code of the list command_group"),
        (
            "active",
            {"code": "staff"},
            r"values.csv, list status: no status is on duty.*staff, retired, survivor.*active among them.*Write active",
        ),
    ],
)
def test_nobody_is_left_without_a_group(folder, code, cells, message):
    """A rank or a place whose group is misspelt would be in no table by group; pay is asked of who is `active`."""
    table = pd.read_csv(folder / "values.csv", dtype=str, keep_default_na=False)
    for column, text in cells.items():
        table.loc[table["code"] == code, column] = text
    table.to_csv(folder / "values.csv", index=False)
    for name in ("variables", "impossible", "consistency"):
        (folder / f"{name}.csv").unlink()
    with pytest.raises(WelfareError, match=message):
        Codebook.read(folder)


def test_a_word_under_a_misspelt_key_is_told(folder):
    """Else the pages would speak of dirhams where the institution pays in dinars."""
    table = pd.read_csv(folder / "institution.csv", dtype=str, keep_default_na=False)
    table["key"] = table["key"].replace("currency", "curency")
    table.to_csv(folder / "institution.csv", index=False)
    with pytest.raises(WelfareError, match=r"institution.csv, row 5, key.*curency.*currency"):
        Codebook.read(folder)


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_fault_has_the_row_of_the_file_that_was_written(folder, separator):
    """Not that of the completed table; rows of names alone, and semicolons, move nothing."""
    table = pd.read_csv(folder / "variables.csv", dtype=str, keep_default_na=False)
    blank = pd.DataFrame([["has_loan", *[""] * (table.shape[1] - 1)]], columns=table.columns)
    wrong = table.assign(evidence=table["evidence"].where(table.index != 1, "guessed"))
    pd.concat([blank, wrong]).to_csv(folder / "variables.csv", index=False, sep=separator)
    with pytest.raises(WelfareError, match=r"hospital/variables.csv, row 4, evidence: .*'guessed'"):
        Codebook.read(folder)


def test_a_semicolon_parts_columns_too(folder):
    """As spreadsheet programs write CSV in French."""
    table = pd.read_csv(folder / "values.csv", dtype=str, keep_default_na=False)
    table.to_csv(folder / "values.csv", index=False, sep=";")
    assert Codebook.read(folder).codes("status") == BOOK.codes("status")


@pytest.mark.parametrize(("name", "text"), [("valeurs.csv", "a,b\n"), ("lists.csv", "list;code;label_ar;label_fr\n")])
def test_a_file_that_would_not_be_read_is_named(folder, name, text):
    """By its name or by its header it is one of a codebook."""
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(WelfareError, match=rf"hospital/{name}: no file of a codebook"):
        Codebook.read(folder)
