import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.survey.cards import Block
from welfare_analysis.survey.codebook import LANGUAGES, Codebook

FOLDER = Path(__file__).parents[2] / "data" / "codebook"
BOOK = Codebook.read(FOLDER)
MOST_QUESTIONS = 60


@pytest.fixture
def folder(tmp_path):
    """Return a whole codebook, which is completed from nowhere."""
    own = Path(shutil.copytree(FOLDER, tmp_path / "codebook"))
    (own / "institution.csv").unlink()
    return own


def change(folder, table, row, column, value):
    frame = pd.read_csv(folder / table, dtype=str, keep_default_na=False)
    frame.loc[row, column] = value
    frame.to_csv(folder / table, index=False)


def test_every_rank_and_command_has_a_group():
    """The hierarchies are complete: each code has a parent that is a code of the coarser list."""
    book = Codebook.read(FOLDER)
    for fine, coarse in (("rank", "rank_group"), ("command", "command_group")):
        assert set(book.parent(fine).values()) == set(book.codes(coarse))


def test_codes_come_in_their_order_wherever_their_lines_stand(folder):
    """Fares by amount: lines that were added later stood behind, and tables had 50 DH below 200 DH."""
    values = pd.read_csv(folder / "values.csv", dtype=str, keep_default_na=False)
    values.sample(frac=1, random_state=1).to_csv(folder / "values.csv", index=False)
    mixed = Codebook.read(folder)
    assert mixed.codes("transport_fare") == ["kept", "0", "50", "100", "150", "200"]
    assert all(mixed.codes(name) == BOOK.codes(name) for name in set(values["list"]))


def test_labels_and_texts_in_three_languages():
    """A label or a text comes in the language asked for, with its fields filled in."""
    book = Codebook.read(FOLDER)
    assert len({book.label("tenure", "tenant", language) for language in LANGUAGES}) == 3
    assert "12" in book.text("note.register", "fr", base=12, source="x")
    with pytest.raises(
        WelfareError, match=r"no such text; got 'title.tenan'; expected title.tenant .*in ar, fr and en"
    ):
        book.text("title.tenan")


@pytest.mark.parametrize(
    ("table", "row", "column", "value"),
    [
        ("variables.csv", 3, "type", "number"),
        ("variables.csv", 1, "list", "nothing"),
        ("variables.csv", 2, "label_ar", " "),
        ("variables.csv", 9, "asked_if", "status is active"),
        ("variables.csv", 1, "asked_if", "status = active"),
        ("values.csv", 1, "code", "active"),
        ("values.csv", 1, "code", "all"),
        ("values.csv", 1, "code", "returned"),
        ("values.csv", 1, "code", "unknown"),
        ("values.csv", 1, "code", "retired|early"),
        ("values.csv", 1, "code", "rank:retired"),
        ("values.csv", 1, "code", "re tired"),
        ("values.csv", 1, "code", "-98"),
        ("values.csv", 1, "code", ""),
        ("variables.csv", 16, "name", "weight"),
        ("variables.csv", 16, "name", "rank_group"),
        ("variables.csv", 16, "name", "estimate"),
        ("variables.csv", 16, "name", "how many"),
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
        (b"list;code;label_ar\n", "values.csv, row 1, parent"),
    ],
)
def test_a_codebook_that_cannot_be_read(folder, content, message):
    """A file that is no table in UTF-8, or lacks a column, is told in a sentence."""
    (folder / "values.csv").write_bytes(content)
    with pytest.raises(WelfareError, match=message):
        Codebook.read(folder)


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("rooms_n", "group", "nothing"),
        ("rooms_n", "group", "own"),
        ("loan_purpose", "asked_if", "wants_loan = yes & age < 18"),
        ("loan_purpose", "asked_if", "sex >= 2"),
        ("loan_purpose", "asked_if", "consequential = much"),
        ("loan_purpose", "asked_if", "wants_loan = yes & module = d"),
        ("loan_amount_dh", "asked_if", "age < 18"),
    ],
)
def test_a_question_nobody_is_asked_or_can_be_is_a_fault(folder, name, column, value):
    """Unknown groups, unlike types, gates that come later, conditions that nobody meets: named by row and column."""
    row = list(BOOK.variables.index).index(name)
    change(folder, "variables.csv", row, column, value)
    column = "type" if value == "own" else column
    with pytest.raises(WelfareError, match=rf"variables.csv, row {row + 2}, {column}"):
        Codebook.read(folder)


@pytest.mark.parametrize(
    ("name", "column", "value", "message"),
    [
        ("own", "kind", "list", "kind"),
        ("own", "label_ar", "", "label_ar"),
        ("own", "name", "owned", "variables.csv, row"),
        ("priority", "kind", "roster", ""),
        ("satisfied", "kind", "multiple", "type"),
    ],
)
def test_a_fault_in_a_group_is_named(folder, name, column, value, message):
    """A group has a known kind, variables that are alike and a question in three languages."""
    change(folder, "groups.csv", list(BOOK.groups.index).index(name), column, value)
    if message:
        with pytest.raises(WelfareError, match=message):
            Codebook.read(folder)
    else:  # integers may be ranks or numbers of a table
        assert Codebook.read(folder).groups.loc[name, "kind"] == value


def test_a_label_twice_in_a_list_is_a_fault(folder):
    """Two codes of a list never read alike."""
    row = BOOK.values.index[BOOK.values["list"] == "tenure"][1]
    change(folder, "values.csv", row, "label_fr", "propriétaire")
    with pytest.raises(WelfareError, match=f"values.csv, row {row + 2}, label_fr"):
        Codebook.read(folder)


def test_a_ranking_has_as_many_ranks_as_items(folder):
    """The positions of a ranking go from 1 to the number of its items."""
    row = list(BOOK.variables.index).index("priority_health")
    change(folder, "variables.csv", row, "high", "9")
    with pytest.raises(WelfareError, match="ranks from 1 to 8"):
        Codebook.read(folder)


def test_groups_and_cards_may_be_absent(folder):
    """An own codebook of variables, values and texts alone is a codebook."""
    for name in ("groups.csv", "cards.csv", "card_designs.csv", "seconds.csv"):
        (folder / name).unlink()
    frame = pd.read_csv(folder / "variables.csv", dtype=str, keep_default_na=False)
    frame.drop(columns=["group", "drawn", "note"]).to_csv(folder / "variables.csv", index=False)
    book = Codebook.read(folder)
    assert book.groups.empty
    assert len(book.questions()) > 100


def test_codes_without_an_order_stand_as_they_are_written(folder):
    """An own list needs no column ``order``, nor cards the column of what a level is a multiple of."""
    for name, column in (("values.csv", "order"), ("cards.csv", "times")):
        frame = pd.read_csv(folder / name, dtype=str, keep_default_na=False)
        frame.drop(columns=column).to_csv(folder / name, index=False)
    book = Codebook.read(folder)
    assert book.codes("status") == ["active", "retired", "widow", "orphan"]
    assert Block.of(book, "commute").levels


@pytest.mark.parametrize("module", BOOK.codes("module"))
@pytest.mark.parametrize("status", BOOK.codes("status"))
def test_a_form_has_at_most_sixty_questions(status, module):
    """Each status and module: a group counts as one question, and no variable is asked twice."""
    asked = BOOK.questions(status=status, module=module)
    assert 40 < len(asked) <= MOST_QUESTIONS
    members = [name for q in asked for name in q.members]
    assert len(members) == len(set(members))


def test_every_question_is_asked_of_somebody():
    """All that is neither drawn nor a key is on some form; the cards and long rankings are on one module each."""
    forms = {(s, m): BOOK.questions(status=s, module=m) for s in BOOK.codes("status") for m in BOOK.codes("module")}
    names = {name for asked in forms.values() for q in asked for name in q.members}
    drawn = BOOK.variables["drawn"] != ""
    assert names == set(BOOK.variables.index[~drawn & (BOOK.variables["type"] != "key")]) - {"status", "module"}
    for kind in ("cards", "ranking"):
        for group in BOOK.groups.index[BOOK.groups["kind"] == kind]:
            assert len({m for (_, m), asked in forms.items() if group in {q.name for q in asked}}) == 1


def test_minors_get_no_cards():
    """Every choice card is under the condition that the person is of age, or serves."""
    for name in BOOK.variables.index[BOOK.variables["group"].str.endswith("_cards")]:
        routes = BOOK.routes(name)
        assert ("age" in routes and routes["age"].low == 18) or routes["status"].codes == {"active"}


def test_every_added_question_says_why():
    """The evidence of each question is told; what is added has a reason, its own or its group's."""
    for name, line in BOOK.variables[BOOK.variables["evidence"] == "added"].iterrows():
        assert line["note"] or BOOK.groups["note"].get(line["group"]), name


def test_minutes_are_seconds_by_kind():
    """First page, a code, a number, a list of two to tick: 60 + 8 + 8 + 8 + 2 x 3 seconds (hand-made)."""
    few = replace(BOOK, variables=BOOK.variables.loc[["sex", "age", "own_kitchen", "own_bathroom"]])
    assert few.minutes() == pytest.approx(90 / 60)
    with pytest.raises(WelfareError, match=r"seconds.csv: no time is given"):
        replace(few, seconds=BOOK.seconds.drop("multiple")).minutes()


def test_a_question_is_asked_where_all_gates_are_open():
    """True, False or unknown by the answers that are there; an absent column decides nothing (hand-made table)."""
    answers = {
        "status": pd.Series(["active", "orphan", "orphan", None]),
        "age": pd.Series([30.0, 12.0, float("nan"), 12.0]),
    }
    assert BOOK.asked("guardian", answers, pd.RangeIndex(4)).tolist() == [False, True, pd.NA, pd.NA]
    assert BOOK.asked("guardian", {"age": answers["age"]}, pd.RangeIndex(4)).tolist() == [False, True, pd.NA, True]
    assert BOOK.asked("sex", answers, pd.RangeIndex(4)).all()


def test_a_unit_stands_behind_a_number():
    """Amounts are asked in dirhams, in the reader's language; what a question says in words is not said twice."""
    assert BOOK.asks("savings_dh", "ar").endswith("(درهم)")
    assert BOOK.asks("commute_km", "fr").endswith("(km)")
    assert BOOK.asks("age") == "How old are you?"


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
