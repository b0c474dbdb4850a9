"""Tables kept on disk: equal to those that are made, never stale, never half a file, never an answer."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pandas as pd
import pytest

from welfare_analysis.disclosure import Released
from welfare_analysis.results import kept, release
from welfare_analysis.results.catalogue import listed
from welfare_analysis.study import DATA, Study, _opened
from welfare_analysis.survey.standin import Parameters, generate, write


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of some 3,000 people: tables with gaps, hidden cells, and some without numbers."""
    folder = tmp_path_factory.mktemp("files")
    write(generate(Parameters.read(DATA / "public"), 13, "rich", size=3000), folder)
    return folder


def opened(files: Path, **named: str) -> Study:
    """The study of them."""
    return Study.open(*(files / f"{name}.parquet" for name in ("answers", "register", "followup")), **named)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(kept.FOLDER, str(tmp_path / "cache"))
    return tmp_path / "cache"


def same(one: Released, other: Released) -> None:
    """Raise unless two tables agree in all that they have."""
    frames = [table.frame.astype(object).where(table.frame.notna(), None) for table in (one, other)]
    pd.testing.assert_frame_equal(*frames)  # what is missing and what is a text may come back in another type
    for field in fields(one):
        if field.name != "frame":
            assert repr(getattr(one, field.name)) == repr(getattr(other, field.name)), field.name


def test_every_table_comes_back_as_it_was(files: Path, tmp_path: Path) -> None:
    """Numbers, categories, order, gaps and texts, of a table of each module and of each kind of line of the plan."""
    tables, released = listed().set_index("table"), release(opened(files))
    kinds = tables["made_by"].str.extract(r"^(results\.\w+|release\.csv: \w+)", expand=False)
    assert kinds.notna().all()
    for name in kinds.index[~kinds.duplicated()]:
        table = released[name]
        path = tmp_path / f"{name}.parquet"
        kept._written(table, path)
        back = kept._read(path)
        assert back is not None, name
        same(table, back)


def test_a_second_study_reads_what_the_first_one_made(place: Path, files: Path) -> None:
    first = release(opened(files))["hopes"]
    second = opened(files, language="ar")
    made = []
    same(first, kept.kept(second, "hopes", lambda: made.append(1) or first))
    assert not made
    assert [path.name for path in place.glob("*/*")] == ["hopes.parquet"]
    assert next(place.iterdir()).stat().st_mode & 0o77 == 0


def test_nothing_is_kept_without_a_place_or_of_frames(
    place: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = opened(files)
    assert kept.folder(replace(study, files=())) is None
    monkeypatch.delenv(kept.FOLDER)
    assert kept.folder(study) is None


@pytest.mark.parametrize("damage", [b"", b"PAR1", None])
def test_a_damaged_file_is_made_again(place: Path, files: Path, damage: bytes | None) -> None:
    """Empty, not whole, or whole without what the table is of."""
    table = release(opened(files))["hopes"]
    path = next(place.glob("*/hopes.parquet"))
    if damage is None:
        table.frame.to_parquet(path)
    else:
        path.write_bytes(damage)
    _opened.cache_clear()
    same(table, release(opened(files))["hopes"])
    assert kept._read(path) is not None


def test_what_cannot_be_written_leaves_no_part(place: Path, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(kept.pq, "write_table", full)
    with pytest.raises(OSError, match="no space"):
        release(opened(files))["hopes"]
    assert not list(place.glob("*/*"))


def test_a_changed_file_or_word_is_another_state(tmp_path: Path) -> None:
    """Content, name and place of a file, a further file, a word; compiled code is none."""
    tree, states = tmp_path / "tree", []

    def note(*words: str) -> None:
        states.append(kept.fingerprint([tree], *words))

    (tree / "inner").mkdir(parents=True)
    (tree / "inner" / "a.csv").write_text("1")
    note()
    (tree / "inner" / "a.csv").write_text("2")
    note()
    note("impossible")
    (tree / "b.csv").write_text("2")
    note()
    (tree / "b.csv").rename(tree / "c.csv")
    note()
    assert len(set(states)) == len(states)
    (tree / "__pycache__").mkdir()
    (tree / "__pycache__" / "x.pyc").write_text("x")
    note()
    assert states[-1] == states[-2]


def test_other_answers_and_wishes_are_another_folder(place: Path, files: Path, tmp_path: Path) -> None:
    """The files of the study count, and what was said of doubts; folders of other states go."""
    survey = tmp_path / "answers.parquet"
    survey.write_bytes((files / "answers.parquet").read_bytes())
    register = files / "register.parquet"
    folders = [kept.folder(Study.open(survey, register, keep=keep)) for keep in ("", "impossible")]
    pd.read_parquet(survey).iloc[:1000].to_parquet(survey)
    folders.append(kept.folder(Study.open(survey, register)))
    assert len(set(folders)) == 3
    assert list(place.iterdir()) == [folders[-1]]
