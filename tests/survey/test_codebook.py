import shutil
from pathlib import Path

import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.survey.codebook import LANGUAGES, Codebook

FOLDER = Path(__file__).parents[2] / "data" / "codebook"


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(FOLDER, tmp_path / "codebook"))


def change(folder, table, row, column, value):
    frame = pd.read_csv(folder / table, dtype=str, keep_default_na=False)
    frame.loc[row, column] = value
    frame.to_csv(folder / table, index=False)


def test_every_rank_and_command_has_a_group():
    """The hierarchies are complete: each code has a parent that is a code of the coarser list."""
    book = Codebook.read(FOLDER)
    for fine, coarse in (("rank", "rank_group"), ("command", "command_group")):
        assert set(book.parent(fine).values()) == set(book.codes(coarse))


def test_labels_and_texts_in_three_languages():
    """A label or a text comes in the language asked for, with its fields filled in."""
    book = Codebook.read(FOLDER)
    assert len({book.label("tenure", "tenant", language) for language in LANGUAGES}) == 3
    assert "12" in book.text("note.register", "fr", base=12, source="x")
    with pytest.raises(WelfareError, match="no such text"):
        book.text("nothing.of.the.kind")


@pytest.mark.parametrize(
    ("table", "row", "column", "value"),
    [
        ("variables.csv", 3, "type", "number"),
        ("variables.csv", 1, "list", "nothing"),
        ("variables.csv", 2, "label_ar", " "),
        ("variables.csv", 9, "asked_if", "status is active"),
        ("variables.csv", 1, "asked_if", "status = active"),
        ("values.csv", 1, "code", "active"),
        ("variables.csv", 9, "asked_if", "status = activ"),
        ("variables.csv", 9, "asked_if", "statu = active"),
        ("variables.csv", 3, "low", "five"),
        ("variables.csv", 3, "high", "4"),
        ("variables.csv", 3, "name", "sex"),
        ("variables.csv", 3, "evidence", "heard"),
        ("texts.csv", 0, "fr", ""),
        ("texts.csv", 1, "ar", "{nothing}"),
        ("texts.csv", 1, "key", "banner"),
    ],
)
def test_a_fault_in_the_codebook_is_named(folder, table, row, column, value):
    """File, row (the header is 1) and column of the fault are in the message."""
    change(folder, table, row, column, value)
    with pytest.raises(WelfareError, match=f"{table}, row {row + 2}, {column}"):
        Codebook.read(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read"),
        (b"a,b\n1,2\n1,2,3\n", "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
        ("label_ar\nع\n".encode("cp1256"), "cannot be read"),
        (b"list;code;label_ar\n", "values.csv, row 1, list"),
    ],
)
def test_a_codebook_that_cannot_be_read(folder, content, message):
    """A file that is no table in UTF-8, or lacks a column, is told in a sentence."""
    (folder / "values.csv").write_bytes(content)
    with pytest.raises(WelfareError, match=message):
        Codebook.read(folder)


def test_a_codebook_is_a_folder(folder):
    """A file in the place of the folder is told, with what to name."""
    with pytest.raises(WelfareError, match="folder of three CSV files"):
        Codebook.read(folder / "values.csv")


def test_an_unknown_language_is_told():
    """A language that the codebook does not have is an error in a sentence, for texts, labels and questions."""
    book = Codebook.read(FOLDER)
    for ask in (
        lambda: book.text("banner", "de"),
        lambda: book.label("tenure", "tenant", "de"),
    ):
        with pytest.raises(WelfareError, match="unknown language"):
            ask()
