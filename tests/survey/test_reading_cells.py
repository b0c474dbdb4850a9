"""What people write in a cell: each case is accepted as one value with a note, or is a fault with its rule."""

from dataclasses import replace

import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.study import DATA
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import Faults, read
from welfare_analysis.survey.reading.cells import Question
from welfare_analysis.survey.reading.spelling import fold

TWO = {"person_id": ["k1", "k2"], "status": ["active", "active"], "age": ["40", "41"]}


def read_cell(folder, column, cell, kind="csv"):
    """Read a form whose second row has the cell; gives value, kind and notes, or the one fault."""
    frame = pd.DataFrame({**TWO, column: ["", cell] if column != "status" else ["active", cell]})
    if column == "rent_dh":
        frame["tenure"] = "tenant"
    if column == "pension_dh":
        frame["status"] = "retired"
    path = folder / f"a.{kind}"
    if kind == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_excel(path, index=False)
    answers = read(path, BOOK)
    notes = answers.report.loc[answers.report["column"] == column, "what"]
    return answers.frame[column].iloc[1], answers.missing[column].iloc[1], "; ".join(notes)


ACCEPTED = [
    ("age", "٣٥", 35, "Arabic-Indic digits"),
    ("age", "۳۵", 35, "Arabic-Indic digits"),
    ("age", "35.0", 35, ""),
    ("age", " 35\u200f", 35, ""),
    ("age", "35 ans", 35, "a unit left out"),
    ("net_pay_dh", "5 000,00 DH", 5000, "a unit left out; thousands apart; a decimal comma"),
    ("net_pay_dh", "5\u00a0000,50", 5000.5, "thousands apart; a decimal comma"),
    ("net_pay_dh", "5\u202f000,00\u00a0DH", 5000, "thousands apart"),
    ("net_pay_dh", "٥٬٠٠٠٫٥ درهم", 5000.5, "Arabic-Indic digits; a unit left out; thousands apart"),
    ("net_pay_dh", "5.200,50", 5200.5, "thousands apart"),
    ("net_pay_dh", "5,200.50", 5200.5, "thousands apart"),
    ("net_pay_dh", "5.200", 5200, "thousands apart (the only reading within the bounds)"),
    ("net_pay_dh", "5,200", 5200, "thousands apart (the only reading within the bounds)"),
    ("commute_km", "4,125", 4.125, "a decimal comma (the only reading within the bounds)"),
    ("commute_km", "0.125", 0.125, ""),
    ("home_budget_dh", "1.250.000", 1250000, "thousands apart"),
    ("status", "Retraité", "retired", "a label or another spelling"),
    ("status", "RETIRED ", "retired", "a label or another spelling"),
    ("status", "متقاعد", "retired", "a label or another spelling"),
    ("status", "مُتَقاعِد", "retired", "a label or another spelling"),
    ("status", "متقاعـــد", "retired", "a label or another spelling"),
    ("status", "\ufee3\ufe98\ufed8\ufe8e\ufecb\ufeaa", "retired", "a label or another spelling"),
    ("status", "متقاعد\u200f ", "retired", "a label or another spelling"),
    ("status", "أرمله", "widow", "a label or another spelling"),
    ("status", "ارملة", "widow", "a label or another spelling"),
    ("command", "Fe\u0300s", "fes", "a label or another spelling"),
    ("command", "F\u00e8s", "fes", "a label or another spelling"),
    ("command", "FES", "fes", "a label or another spelling"),
    ("command", "Béni-Mellal", "beni_mellal", "a label or another spelling"),
    ("tenure", "مكترى", "tenant", "a label or another spelling"),
    ("has_loan", "Oui", "yes", "a label or another spelling"),
    ("has_loan", "TRUE", "yes", "a label or another spelling"),
    ("has_loan", "N", "no", "a label or another spelling"),
]


@pytest.mark.parametrize(("column", "cell", "value", "note"), ACCEPTED)
def test_accepted_as_one_value_and_reported(tmp_path, column, cell, value, note):
    """A cell that can be read in one way gives that value, and a note says what was taken for granted."""
    found, kind, notes = read_cell(tmp_path, column, cell)
    assert (found, kind) == (value, "answered")
    assert note in notes
    assert note or not notes


@pytest.mark.parametrize(
    ("column", "cell", "kind"),
    [
        ("age", "", "skipped"),
        ("age", "  \u00a0", "skipped"),
        ("net_pay_dh", "-99", "refused"),
        ("net_pay_dh", "-99.0", "refused"),
        ("net_pay_dh", "-٩٨", "does_not_know"),
        ("net_pay_dh", "Refus", "refused"),
        ("tenure", "ne sait pas", "does_not_know"),
        ("tenure", "لا أعرف", "does_not_know"),
        ("tenure", "DK", "does_not_know"),
        ("tenure", "NSP", "does_not_know"),
        ("age", "Don’t know", "does_not_know"),
        ("net_pay_dh", "لا يعرف", "does_not_know"),
    ],
)
def test_missing_has_its_kind_in_every_spelling(tmp_path, column, cell, kind):
    """Codes and labels of no answer are missing, never a number."""
    found, told, _ = read_cell(tmp_path, column, cell)
    assert pd.isna(found)
    assert told == kind


REFUSED = [
    ("age", "٣5", "digits of one script"),
    ("age", "१२", "a number"),
    ("age", "²5", "a number"),
    ("age", "17", "between 18 and 65 years for active staff"),
    ("age", "130", "between 5 and 110 years"),
    ("age", "40.5", "a whole number"),
    ("age", "40 DH", "a number"),
    ("age", "NA", "a number"),
    ("age", "None", "a number"),
    ("age", "nan", "a number"),
    ("age", "inf", "a number"),
    ("age", "1e3", "a number"),
    ("age", "=1+1", "a number"),
    ("age", "31/02/2012", "not a date"),
    ("age", "2012-02-31", "not a date"),
    ("age", "#REF!", "not an error of the spreadsheet"),
    ("age", "4 0", "a number"),
    ("age", "ÇáÑÊÈÉ", "a number"),
    ("seniority_years", "24", "at most the age less 18 years"),
    ("net_pay_dh", "99", "between 500 and 60000"),
    ("net_pay_dh", "-98 DH ou 99", "a number"),
    ("net_pay_dh", "0", "between 500 and 60000"),
    ("net_pay_dh", "-5200", "between 500 and 60000"),
    ("net_pay_dh", "520000", "between 500 and 60000"),
    ("pension_dh", "98", "between 100 and 40000"),
    ("other_income_dh", "99", "98 and 99 are codes for no answer"),
    ("other_income_dh", "98,0", "98 and 99 are codes for no answer"),
    ("other_income_dh", "1,234", "one reading: 1.234 or 1234?"),
    ("other_income_dh", "1.234", "one reading: 1.234 or 1234?"),
    ("other_income_dh", "12,34,567", "a number"),
    ("home_budget_dh", "١,٢٣٤", "one reading: 1.234 or 1234?"),
    ("status", "retird", "did you mean retired?"),
    ("status", "متقاغد", "did you mean retired?"),
    ("status", "ãÊÞÇÚÏ", "read in a wrong encoding, perhaps retired"),
    ("status", "retraitÃ©", "read in a wrong encoding, perhaps retired"),
    ("status", "9", "one of active, retired, widow, orphan"),
    ("status", "NA", "one of active, retired, widow, orphan"),
    ("status", "#N/A", "not an error of the spreadsheet"),
    ("has_loan", "1", "one of yes, no"),
    ("has_loan", "owner", "one of yes, no"),
]


@pytest.mark.parametrize(("column", "cell", "rule"), REFUSED)
def test_refused_with_row_column_and_rule(tmp_path, column, cell, rule):
    """What cannot be read without doubt is one fault, in its row and column, with its rule and what to do."""
    with pytest.raises(Faults) as caught:
        read_cell(tmp_path, column, cell)
    table = caught.value.table
    assert table[["file", "row", "column"]].to_numpy().tolist() == [["a.csv", 3, column]]
    assert rule in table["rule"].iloc[0]
    assert table["what_to_do"].iloc[0]
    # a date may be that of a birth, letters of another encoding may be a name
    assert table["value"].iloc[0] == ("(hidden)" if "2012" in cell or "Ê" in cell else cell)


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [("age", 35.0, 35), ("commute_km", 4.125, 4.125), ("other_income_dh", 1.234, 1.234), ("has_loan", True, "yes")],
)
def test_numbers_that_a_workbook_stores_are_not_in_doubt(tmp_path, column, cell, value):
    """A stored number has one reading; a stored truth value answers yes or no."""
    assert read_cell(tmp_path, column, cell, "xlsx")[0] == value


@pytest.mark.parametrize(
    ("column", "cell", "rule"),
    [
        ("age", True, "a number"),
        ("age", pd.Timestamp("2012-03-05"), "not a date"),
        ("other_income_dh", 99, "98 and 99"),
        ("age", 1e300, "between 5 and 110"),
        ("tenure", 1, "one of owner"),
    ],
)
def test_a_workbook_stores_the_wrong_type(tmp_path, column, cell, rule):
    """Dates, truth values and codes where something else was asked are faults of their cell."""
    with pytest.raises(Faults) as caught:
        read_cell(tmp_path, column, cell, "xlsx")
    assert caught.value.table[["sheet", "row", "column"]].to_numpy().tolist() == [["Sheet1", 3, column]]
    assert rule in caught.value.table["rule"].iloc[0]


def test_usual_codes_of_no_answer_are_told(tmp_path):
    """9999 may be a rent or a code: it is read as the sum that it is, and the report asks."""
    found, _, notes = read_cell(tmp_path, "rent_dh", "9999")
    assert found == 9999
    assert "if it is a code" in notes


@pytest.mark.parametrize(
    "cell", ["Fatima Zahra", "محمد العلوي", "hassan", "AB123456", "0612345678", "a@b.ma", "x" * 41, "k1-secret"]
)
def test_what_may_be_personal_is_not_echoed(tmp_path, cell):
    """Numbers of identity cards and phones, addresses, long text and keys of the file are hidden everywhere."""
    frame = pd.DataFrame({**TWO, "person_id": ["k1-secret", "k2"], "tenure": ["", cell], "rooms_n": ["", cell]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(Faults) as caught:
        read(tmp_path / "a.csv", BOOK)
    assert set(caught.value.table["value"]) == {"(hidden)"}
    assert cell not in str(caught.value) + caught.value.table.to_string()


def test_no_two_codes_of_a_list_share_a_spelling():
    """In the committed codebook every label names one code of its list, in any spelling."""
    labels = BOOK.values.melt(["list", "code"], ["code", "label_ar", "label_fr", "label_en"][1:], value_name="label")
    shared = labels.assign(label=labels["label"].map(fold)).groupby(["list", "label"])["code"].nunique()
    assert shared[shared > 1].empty


@pytest.mark.parametrize("cell", ["sans réponse", "Non renseigné", "no answer", "بدون جواب"])
@pytest.mark.parametrize("column", ["other_income_dh", "tenure"])
def test_words_for_no_answer_are_mended_by_its_codes(tmp_path, column, cell):
    """Words that may mean several kinds of no answer are refused; the mend is a blank or a code, and not a label."""
    (tmp_path / "a.csv").write_text(f"status,{column}\nactive,{cell}\n", encoding="utf-8")
    with pytest.raises(Faults) as caught:
        read(tmp_path / "a.csv", BOOK)
    assert caught.value.table[["column", "value"]].to_numpy().tolist() == [[column, cell]]
    assert "-98" in caught.value.table["what_to_do"].iloc[0]


def test_the_unit_of_another_currency_is_no_unit(tmp_path):
    """Where amounts are asked in dinars, an amount in dirhams is refused, one in dinars read; a code says so too."""
    hospital = Codebook.read(DATA / "examples" / "hospital")
    money = hospital.text("unit.dh", "fr")
    table = pd.DataFrame({"status": ["active"] * 4, "rent_dh": [f"500 {money}", "500 DH", "500 MAD", "99"]})
    table.insert(1, "tenure", "tenant")
    table.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(Faults) as caught:
        read(tmp_path / "a.csv", hospital)
    found = caught.value.table
    assert found["row"].tolist() == [3, 4, 5]
    assert found["rule"].iloc[-1].endswith(f"not sums in {hospital.text('unit.dh')}")


@pytest.mark.parametrize(("column", "cell"), [("age", "8 mois"), ("age", "18 أشهر"), ("commute_min", "2 heures")])
def test_another_unit_is_named_as_such(tmp_path, column, cell):
    """The mend works the number out: digits alone would make eight years of eight months."""
    with pytest.raises(Faults) as caught:
        read_cell(tmp_path, column, cell)
    fault = caught.value.table.iloc[0]
    unit = BOOK.lines[column]["unit"]
    assert fault["rule"] == f"a number of {unit}, and no other unit"
    assert fault["what_to_do"] == f"Work it out in {unit}, and write that number alone."


def test_words_for_not_knowing_follow_the_codebook():
    """Where its list of missing codes has no -98, `NSP` has no meaning."""
    lists = BOOK.values[(BOOK.values["list"] != "missing") | (BOOK.values["code"] != "-98")]
    assert Question.of_list(replace(BOOK, values=lists), "tenure").read("NSP").rule
    assert Question.of_list(BOOK, "tenure").read("NSP").kind == "does_not_know"
