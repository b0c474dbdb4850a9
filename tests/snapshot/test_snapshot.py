"""The comparison of records finds each kind of difference; what is stored can be read and is complete."""

import functools
from fnmatch import fnmatchcase

import comparison
import fragments
import numpy as np
import pandas as pd
import pytest
import remembering
import storing
from cells import COLUMNS, names, recorded
from surveys import LANGUAGES, STUDIES

from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import Codebook

TABLES = ["shares", "shares", "amounts", "later"]
KEYS = ["status=active", "status=retired", "", ""]


@pytest.fixture
def old():
    """Three tables: one of two cells, one of one cell with a further column, one without numbers."""
    frame = pd.DataFrame(dict.fromkeys(COLUMNS, ""), index=range(4)).assign(table=TABLES, keys=KEYS)
    frame["estimate"], frame["low"], frame["high"] = [0.2, np.nan, 5000.0, np.nan], np.nan, np.nan
    frame["n"], frame["respondents"], frame["missing_share"] = [60.0, np.nan, 90.0, np.nan], 100.0, 0.25
    frame["further"] = ["", "", '{"p": 0.03, "clear": true}', ""]
    return frame.assign(state=["shown", "shown", "shown", "not_asked"], flag=["", "hidden", "", ""])


def changed(frame, row, column, value):
    """A copy with one value changed."""
    return frame.assign(**{column: [value if i == row else v for i, v in enumerate(frame[column])]})


def found(old, new):
    """Differences as (table, keys, kind)."""
    return [(d.table, d.keys, d.kind) for d in comparison.tables("standin", old, new)]


def test_the_same_cells_in_any_order_do_not_differ(old):
    """Matched by address; a missing number equals a missing number."""
    assert found(old, old.iloc[::-1]) == []


@pytest.mark.parametrize(("factor", "differs"), [(1 + 1e-11, False), (1 + 1e-7, True)])
def test_numbers_agree_to_the_tolerance(old, factor, differs):
    """The last digits of a fit may differ, the seventh may not."""
    assert bool(found(old, changed(old, 2, "estimate", 5000.0 * factor))) is differs


CHANGES = {
    "number": (0, "estimate", 0.21),
    "number lost": (0, "estimate", np.nan),
    "number shown": (1, "estimate", 0.3),
    "n": (0, "n", 61.0),
    "flag": (0, "flag", "caution"),
    "further": (2, "further", '{"p": 0.03, "clear": false}'),
    "further lost": (2, "further", '{"p": 0.03}'),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_cell_is_found(old, change):
    """A number, a mark or a further column: one difference, at its cell, with old and new value."""
    new = changed(old, *change)
    assert found(old, new) == [(TABLES[change[0]], KEYS[change[0]], "changed")]
    assert "->" in str(next(comparison.tables("standin", old, new)))


@pytest.mark.parametrize(
    ("column", "value"), [("state", "hidden"), ("unit", "dh"), ("respondents", 99.0), ("missing_share", 0.26)]
)
def test_a_changed_header_is_found_once(old, column, value):
    """What is said of a whole table is one difference, whatever its number of cells."""
    new = old.assign(**{column: old[column].mask(old["table"] == "shares", value)})
    assert found(old, new) == [("shares", comparison.WHOLE, "changed")]


def test_a_lost_cell_and_a_lost_table_are_found(old):
    """Going one way they are removed, the other way added."""
    cell, table = old.drop(index=1), old.drop(index=3)
    assert found(old, cell) == [("shares", "status=retired", "removed")]
    assert found(cell, old) == [("shares", "status=retired", "added")]
    assert found(old, table) == [("later", comparison.WHOLE, "removed")]
    assert found(table, old) == [("later", comparison.WHOLE, "added")]


def said(*fragments_):
    """Fragments of one page, each once."""
    rows = [("en", "04_social_conditions", f, 1) for f in fragments_]
    return pd.DataFrame(rows, columns=fragments.COLUMNS)


def test_texts_are_compared_as_sets():
    """A sentence that went, one that came, and one that is said twice."""
    twice = said("a", "c").assign(count=[2, 1])
    differences = [(d.table, d.keys, d.what) for d in comparison.texts("standin", said("a", "b"), twice)]
    page = "en/04_social_conditions"
    assert differences == [(page, "a", "count: 1 -> 2"), (page, "b", "removed: 1 -> 0"), (page, "c", "added: 0 -> 1")]
    assert not list(comparison.texts("standin", said("a", "b"), said("b", "a")))


def listed(*lines):
    """A list of changes."""
    return pd.DataFrame([(*line, "a fault was mended") for line in lines], columns=comparison.LISTED)


def test_listed_changes_pass_and_stale_ones_do_not(old):
    """A line settles what it names, by pattern or in full, and of its kind only; one that settles nothing is stale."""
    differences = list(comparison.tables("standin", old, changed(old, 0, "n", 61.0).drop(index=1)))
    lines = listed(("standin", "shares", "status=active", "changed"), ("*", "sha*", "*", "removed"))
    assert [len(part) for part in comparison.judged(differences, lines)] == [0, 0]
    assert [len(part) for part in comparison.judged(differences, lines.iloc[:1])] == [1, 0]
    other = listed(("no_register", "shares", "*", "changed"), ("standin", "shares", "status=active", "added"))
    unlisted, stale = comparison.judged(differences, pd.concat([lines, other]))
    assert unlisted == []
    assert list(stale["kind"]) == ["changed", "added"]


def test_a_listed_text_names_its_page():
    """Of a text the table is language and page, and the keys are the fragment."""
    differences = list(comparison.texts("standin", said("old words"), said("new words")))
    lines = listed(("*", "*/04_*", "* words", "text"), ("*", "fr/*", "*", "text"))
    unlisted, stale = comparison.judged(differences, lines)
    assert unlisted == []
    assert list(stale["table"]) == ["fr/*"]


def test_a_scope_asks_only_for_lines_that_it_can_settle(tmp_path, monkeypatch):
    """Of some studies, of tables alone and of a prefix, lines on the rest are not stale; a line has a reason."""
    monkeypatch.setattr(storing, "CHANGES", tmp_path / "changes.csv")
    lines = listed(
        ("standin", "homes_x", "*", "changed"), ("*", "loans_x", "*", "changed"), ("*", "en/04_", "*", "text")
    )
    lines.to_csv(storing.CHANGES, index=False)
    tables = {
        storing.Scope(): ["homes_x", "loans_x", "en/04_"],
        storing.Scope(tables_only=True): ["homes_x", "loans_x"],
        storing.Scope(studies=("standin",)): ["homes_x"],
        storing.Scope(only="04"): ["en/04_"],
    }
    for scope, expected in tables.items():
        assert list(scope.lines()["table"]) == expected
    lines.assign(reason="").to_csv(storing.CHANGES, index=False)
    with pytest.raises(ValueError, match="needs a reason"):
        storing.changes()


def test_html_is_cut_where_a_reader_sees_a_line_end():
    """Caption, header, each row with its cells, and footer."""
    source = (
        "<table><caption>Who &amp; where</caption><thead><tr><th>Group</th><th>%</th></tr></thead><tbody><tr><th>Active"
        "</th><td>12.3 <b>*</b></td></tr></tbody><tfoot><tr><td>n = 5</td></tr></tfoot></table><p>Not asked</p>"
    )
    cut = ["caption: Who & where", "head: Group | %", "row: Active | 12.3 *", "foot: n = 5", "Not asked"]
    assert fragments.in_html(source) == cut


def test_a_cell_that_needs_a_table_is_run_where_it_is_shown():
    """As in a notebook: the cell behind ``%%needs``, or why there is nothing."""
    study = Study.open()
    run = {address: fragments._value(f"%%needs {address}\n1 + 1", {"study": study})
           for address in ("members_by_status", "members_by_status|active", "members_by_status|nobody")}  # fmt: skip
    assert list(run.values())[:2] == [2, 2]
    assert run["members_by_status|nobody"].data == study.text("not_asked")


def test_failures_are_remembered_and_forgotten():
    """The function is called once for each argument, value or error, and again when its cache is emptied."""
    calls = []

    @remembering.cache
    def inverse(x):
        calls.append(x)
        return 1 / x

    for _ in range(2):
        assert inverse(2) == 0.5
        with pytest.raises(ZeroDivisionError):
            inverse(0)
    assert calls == [2, 0]
    inverse.cache_clear()
    inverse(2)
    assert calls == [2, 0, 2]
    assert functools.cache is not remembering.cache  # nothing is put in place by importing it


@pytest.fixture(scope="module")
def tiny():
    """Four hundred forms that say whether their home is rented."""
    book = Codebook.read(DATA / "codebook")
    answers = pd.DataFrame({"status": ["active"] * 400, "tenure": ["tenant", "owner"] * 200})
    kinds = {c: pd.CategoricalDtype(book.codes(str(book.variables.loc[c, "list"]))) for c in answers}
    return Study.of(answers.astype(kinds), None, None, book)


@pytest.mark.parametrize("study", STUDIES)
def test_the_stored_cells_are_those_of_the_catalogue(study, tiny):
    """Every table of the catalogue is stored for every study or listed as changed, each cell once."""
    stored = storing.tables(study)
    assert list(stored.columns) == COLUMNS
    listed = storing.changes()
    whole = listed[(listed["keys"] == "(table)") & listed["kind"].isin(["added", "removed"])]["table"]
    apart = set(stored["table"]) ^ set(names(tiny))
    assert not [name for name in apart if not any(fnmatchcase(name, pattern) for pattern in whole)]
    assert not stored.duplicated(["table", "keys"]).any()
    assert stored["estimate"].notna().sum() > 100


@pytest.mark.parametrize("study", STUDIES)
def test_the_stored_texts_are_of_every_page_in_every_language(study):
    """Each notebook says something in each language, and not the same in all."""
    stored = storing.texts(study)
    pages = {path.stem for path in fragments.PAGES}
    assert {language: set(part["page"]) for language, part in stored.groupby("language")} == dict.fromkeys(
        LANGUAGES, pages
    )
    assert not stored.duplicated(fragments.COLUMNS[:-1]).any()
    assert stored.groupby("fragment")["language"].nunique().eq(1).mean() > 0.3


def test_an_error_is_a_state(tiny, monkeypatch):
    """A table that cannot be made keeps its place, with type and message of the error; the others are made."""

    class Broken(dict):
        def __getitem__(self, name):
            raise KeyError(f"{name} at 0x7f00") if name == "b" else ValueError("no\nway")

    monkeypatch.setattr("cells.release", lambda _: Broken.fromkeys("ab"))
    frame = recorded(tiny)
    assert list(frame["state"]) == ["error: ValueError: no way", "error: KeyError: 'b at 0x'"]


def test_cells_have_all_that_a_table_says(tiny):
    """One table as recorded: the share of tenants, everybody answered."""
    row = recorded(tiny, "tenant_by_status").iloc[0]
    assert (row["keys"], row["estimate"], row["n"]) == ("status=active", 0.5, 400.0)
    assert (row["state"], row["respondents"], row["missing_share"]) == ("shown", 400.0, 0.0)
