"""Forms that were pasted: twenty-seven ways in which a table goes wrong between two sheets.

What each means is known from how it was made: the answers, or a fault that names the cause in one place or one a row.
"""

from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.errors import WelfareError
from welfare_analysis.study import DATA
from welfare_analysis.survey.reading import Faults, read
from welfare_analysis.survey.standin import Parameters, generate

HEADER = ["person_id", "status", "sex", "age", "command", "tenure", "rooms_n", "rent_dh", "has_loan", "commute_km"]
FORMS = [
    [f"k{i}", "active", "mf"[i % 2], str(31 + i), "rabat", "tenant", str(2 + i % 3), str(1500 + 10 * i), "no", "4.5"]
    for i in range(12)
]
TOP, BOTTOM = FORMS[:6], FORMS[6:]
OTHER_ORDER = [0, 1, 3, 2, 5, 4, 7, 6, 8, 9]
WORDS = [BOOK.lines[name]["label_fr"] for name in HEADER]
NO_FORM = "a form, with each answer under its question; much of this row is not"
ANOTHER = "one header; here another one begins, with other columns or in another order"
REQUIRED = "an answer is required"
SAME = {  # read as if nothing had happened, and what the report says of it
    "the header again": ([HEADER, *TOP, HEADER, *BOTTOM], "rows that repeat the header left out"),
    "the header again, in words": ([HEADER, *TOP, WORDS, *BOTTOM], "rows that repeat the header left out"),
    "blank rows between": ([HEADER, [], *TOP, [""] * 10, [], *BOTTOM], ""),
    "a title above": ([["Enquête sociale"], [], HEADER, *FORMS], "rows above the header left out"),
    "names of groups above": ([["Identité", "", "", "", "Logement"], HEADER, *FORMS], "rows above the header left out"),
    "columns in another order": ([[row[i] for i in OTHER_ORDER] for row in (HEADER, *FORMS)], ""),
}
SHIFTED = dict.fromkeys(range(8, 14), NO_FORM)
FAULTS = {  # the rule of each row that has a fault, in its first column
    "two tables with other columns": ([HEADER, *TOP, HEADER[:8], *(r[:8] for r in BOTTOM)], {8: ANOTHER}),
    "two tables in other orders": (
        [HEADER, *TOP, *([row[i] for i in OTHER_ORDER] for row in (HEADER, *BOTTOM))],
        {8: ANOTHER},
    ),
    "a column to the right from some row on": ([HEADER, *TOP, *(["", *row[:-1]] for row in BOTTOM)], SHIFTED),
    "a column to the left from some row on": ([HEADER, *TOP, *([*row[1:], ""] for row in BOTTOM)], SHIFTED),
    "two columns exchanged in some rows": (
        [HEADER, *TOP[:5], *([*r[:2], r[5], *r[3:5], r[2], *r[6:]] for r in TOP[5:]), *BOTTOM],
        {7: "one of m, f"},
    ),
    "a row of units": ([HEADER, ["", "", "", "ans", "", "", "pièces", "DH/mois", "", "km"], *FORMS], {2: NO_FORM}),
    "a row of types": ([HEADER, [*["texte"] * 3, "nombre", *["liste"] * 2, *["nombre"] * 4], *FORMS], {2: NO_FORM}),
    "a row of numbers of columns": ([HEADER, [str(i) for i in range(1, 11)], *FORMS], {2: NO_FORM}),
    "sums without a word": ([HEADER, *FORMS, ["", "", "", "438", "", "", "36", "18660", "", "54"]], {14: NO_FORM}),
    "sums with a word": (
        [HEADER, *FORMS, ["", "Total", "", "438", "", "", "36", "18660", "", "54"]],
        {14: "a form, not a row of totals"},
    ),
    "sums between": (
        [HEADER, *TOP, ["", "Sous-total", "", "201", "", "", "18", "9150", "", "27"], *BOTTOM],
        {8: NO_FORM},
    ),
    "a title between": ([HEADER, *TOP, ["Direction de Rabat"], *BOTTOM], {8: REQUIRED}),
    "a note below": ([HEADER, *FORMS, [], ["Source : enquête 2026"]], {15: REQUIRED}),
    "a row in one cell": ([HEADER, *TOP, [",".join(BOTTOM[0])], *BOTTOM[1:]], {8: REQUIRED}),
    "rows pasted again": ([HEADER, *FORMS, *FORMS[3:5]], {14: "each person once; this row repeats an earlier one"} | {
        15: "each person once; this row repeats an earlier one"
    }),
    "a column pasted again": ([[*row, row[5]] for row in (HEADER, *FORMS)], {1: "a column name occurs once"}),
    "a column of numbers in front": (
        [["N°", *HEADER], *([str(i), *row] for i, row in enumerate(FORMS))],
        {1: "a column of the codebook"},
    ),
    "two tables side by side": (
        [[*HEADER, "", *HEADER], *([*a, "", *b] for a, b in zip(TOP, BOTTOM, strict=True))],
        {1: "a column name occurs once"},
    ),
    "a header that stands a column to the right": (
        [["", *HEADER[:-1]], *FORMS],
        {1: "a column with answers has a name", **dict.fromkeys(range(2, 14), NO_FORM)},
    ),
}  # fmt: skip


def written(rows, folder, kind):
    """The rows as a file; of a workbook the cells as they were typed, numbers as numbers."""
    path, width = Path(folder) / f"a.{kind}", max(map(len, rows))
    if kind == "csv":
        rows = [[*row, *[""] * (width - len(row))] for row in rows]
        pd.DataFrame(rows).to_csv(path, index=False, header=False)
        return path
    book = openpyxl.Workbook()
    for number, row in enumerate(rows, 1):
        for place, cell in enumerate(row, 1):
            book.active.cell(number, place, float(cell) if cell[:1].isdigit() and "," not in cell else cell or None)
    book.save(path)
    return path


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("name", SAME)
def test_what_was_pasted_beside_the_forms_is_left_out(tmp_path, name, kind):
    """The twelve forms, and what the report says of what was left out."""
    rows, told = SAME[name]
    found = read(written(rows, tmp_path, kind), BOOK)
    assert found.frame["person_id"].tolist() == [row[0] for row in FORMS]
    assert found.frame["age"].tolist() == [int(row[3]) for row in FORMS]
    assert found.frame["rent_dh"].tolist() == [int(row[7]) for row in FORMS]
    assert not told or told in set(found.report["what"])


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("name", FAULTS)
def test_what_went_wrong_is_named_by_its_cause(tmp_path, name, kind):
    """The rows that have a fault are those that were pasted wrong, and the first of each says what is wrong there."""
    rows, expected = FAULTS[name]
    with pytest.raises(Faults) as caught:
        read(written(rows, tmp_path, kind), BOOK)
    table = caught.value.table
    first = table.drop_duplicates("row").set_index("row")["rule"]
    assert first[first != "a key in each row"].to_dict() == expected
    assert (table["rule"] == NO_FORM).sum() + (table["rule"] == ANOTHER).sum() in (0, len(table), len(table) - 1)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_codes_of_a_files_own_are_no_rows_that_moved(tmp_path, kind):
    """Numbers for codes in every form, as some programs export them: each column is named, and no row is to go."""
    coded = [[*row[:1], "1", "1", row[3], "7", "2", *row[6:8], "2", row[9]] for row in FORMS]
    with pytest.raises(Faults) as caught:
        read(written([HEADER, *coded], tmp_path, kind), BOOK)
    table = caught.value.table
    assert NO_FORM not in set(table["rule"])
    named = ["status", "sex", "command", "tenure", "has_loan"]
    assert table["column"].value_counts().to_dict() == dict.fromkeys(named, 12)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_longer_table_below_hides_no_form_above_it(tmp_path, kind):
    """The second header has more names than the first: the forms above it are not taken for a title."""
    rows = [HEADER[:8], *(row[:8] for row in TOP), HEADER, *BOTTOM]
    with pytest.raises(Faults) as caught:
        read(written(rows, tmp_path, kind), BOOK)
    assert caught.value.table["rule"].tolist() == ["a column with answers has a name"] * 2
    rows[0] = HEADER  # as the mend says: the columns are named
    assert len(read(written(rows, tmp_path, kind), BOOK).frame) == len(FORMS)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_table_on_its_side_is_told(tmp_path, kind):
    """Questions in the first column, a form a column: one sentence, and how to turn it."""
    rows = [list(column) for column in zip(HEADER, *FORMS, strict=True)]
    with pytest.raises(WelfareError, match=r"questions stand in the first column.*Transpose"):
        read(written(rows, tmp_path, kind), BOOK)


@pytest.mark.parametrize("by", [1, -1])
def test_a_whole_form_moved_by_a_column_is_one_fault(tmp_path, by):
    """Of the whole questionnaire, where neighbours have like answers: one fault a row, and no other row has one."""
    answers = generate(Parameters.read(DATA / "public"), 77, "plain", size=1500).answers.sample(30, random_state=1)
    table = (
        answers.astype(object).where(answers.notna(), "").map(lambda v: f"{v:g}" if isinstance(v, float) else str(v))
    )
    table.iloc[20:] = np.roll(table.iloc[20:].to_numpy(), by, axis=1)
    table.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(Faults) as caught:
        read(tmp_path / "a.csv", BOOK)
    assert caught.value.table[["row", "rule"]].to_numpy().tolist() == [[row, NO_FORM] for row in range(22, 32)]
