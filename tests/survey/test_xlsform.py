"""XLSForms: what a device would ask, in three languages, with routing, bounds and draws."""

import io
import re
from dataclasses import replace

import openpyxl
import pytest
from books import BOOK
from pyxform.xls2xform import convert

from welfare_analysis.survey import xlsform

LIMITS = {"least": 10, "base": 30}
STATUSES = BOOK.codes("status")


@pytest.fixture(scope="module")
def forms():
    """The sheets of each status."""
    return {status: xlsform.sheets(BOOK, status, **LIMITS) for status in STATUSES}


def rows(form, name):
    """Rows of the survey sheet by name."""
    return [row for row in form["survey"] if row["name"] == name]


@pytest.mark.parametrize("status", STATUSES)
def test_pyxform_takes_each_form_without_a_warning(status, tmp_path):
    """The workbook as written converts to an XForm; no warning, no error (checked by pyxform)."""
    path, warnings = tmp_path / f"{status}.xlsx", []
    xlsform.workbook(BOOK, status, **LIMITS).save(path)
    result = convert(path, warnings=warnings)
    assert not warnings
    assert 'lang="العربية (ar)" default="true()"' in result.xform


@pytest.mark.parametrize("status", STATUSES)
def test_each_stored_answer_has_its_place(forms, status):
    """Every variable of the status is a question, an option of one, or is set by the form; nothing else is asked."""
    survey, choices = forms[status]["survey"], forms[status]["choices"]
    names = [row["name"] for row in survey if row["name"]]
    assert len(names) == len(set(names))
    options = {f"{row['list_name']}_{row['name']}" for row in choices}
    for question in BOOK.questions(status=status):
        inside = options if question.kind in ("multiple", "ranking") else set(names)
        assert set(question.members) <= inside
    assert not any(name.startswith("commute") for name in names) or status == "active"


@pytest.mark.parametrize("status", STATUSES)
def test_every_label_is_there_in_three_languages(forms, status):
    """Questions, notes, options and messages: no language is left blank."""
    for row in [*forms[status]["survey"], *forms[status]["choices"]]:
        for kind in ("label", "constraint_message"):
            told = [bool(text.strip()) for head, text in row.items() if head.startswith(f"{kind}::")]
            assert told in ([], [True, True, True])
    asked = [r for r in forms[status]["survey"] if r["type"].split()[0] in ("select_one", "integer", "decimal", "note")]
    assert all(xlsform.LABEL["ar"] in row for row in asked)


@pytest.mark.parametrize("status", STATUSES)
def test_references_go_backward_only(forms, status):
    """A condition speaks of a row that stands before it; of the draws, calculations may look ahead."""
    seen, names = set(), {row["name"] for row in forms[status]["survey"]}
    for row in forms[status]["survey"]:
        assert set(re.findall(r"\$\{(\w+)\}", row.get("relevant", ""))) <= seen
        assert set(re.findall(r"\$\{(\w+)\}", row.get("calculation", ""))) <= names
        seen.add(row["name"])


def test_conditions_and_bounds_are_those_of_the_codebook(forms):
    """Hand-made: codes, alternatives, bounds and the two codes for no answer; the status is settled by the form."""
    (rent,) = rows(forms["active"], "rent_dh")
    assert rent["relevant"] == "${tenure} = 'tenant'"
    assert rent["constraint"] == "(. >= 0 and . <= 20000) or . = -98 or . = -99"
    assert rows(forms["active"], "net_pay_dh")[0]["constraint"].startswith("(. >= 500 and . <= 60000)")
    assert rows(forms["active"], "home_cards")[0]["relevant"] == "${module} = 'a' and ${age} >= 18"
    assert rows(forms["active"], "work_time")[0]["relevant"] == ""
    assert rows(forms["orphan"], "guardian")[0]["relevant"] == "${age} < 18"
    assert rows(forms["active"], "intercity_cost_dh")[0]["relevant"] == "${intercity_trips_n} >= 1"
    assert rows(forms["active"], "status")[0]["calculation"] == "'active'"


def test_what_is_drawn_keeps_its_chance(forms):
    """One module of three and one version of four: the number drawn, what follows from it, and its probability."""
    form = forms["widow"]
    assert rows(form, "_draw_module")[0]["calculation"] == "once(random())"
    value = rows(form, "module")[0]["calculation"]
    python = re.sub(r"if\((.*?), '(\w)', if\((.*?), '(\w)', '(\w)'\)\)", r"'\2' if \1 else '\4' if \3 else '\5'", value)
    python = python.replace("${_draw_module}", "u").replace(" = ", " == ")
    assert [eval(python, {"u": u}) for u in (0.0, 0.33, 0.34, 0.66, 0.67, 0.99)] == list("aabbcc")
    assert float(rows(form, "_chance_module")[0]["calculation"]) == pytest.approx(1 / 3)
    assert float(rows(form, "_chance_home_version")[0]["calculation"]) == 0.25
    assert "int(${_draw_home_version} * 4) + 1" in rows(form, "home_version")[0]["calculation"]
    assert not rows(form, "commute_version")


def test_each_version_shows_its_own_cards(forms):
    """A card has a note a version, each under its version, with the numbers of the design; finance is said assured."""
    note = rows(forms["active"], "note_loan_card_2_3")[0]
    assert note["relevant"] == "${loan_version} = 3"
    design = BOOK.designs.query("block == 'loan' and version == '3' and card == '2' and alternative == 'foundation'")
    assert f"term, months {design['term_months'].iloc[0]}" in note[xlsform.LABEL["en"]]
    assert len([r for r in forms["active"]["survey"] if re.match(r"note_home_card_\d_\d$", r["name"])]) == 24
    assert "finance is assured" in rows(forms["active"], "note_loan_assured")[0][xlsform.LABEL["en"]]


def test_the_first_page_tells_the_limits_of_anonymity(forms):
    """Purpose, voluntary, use, anonymity and what is published, with the thresholds in force; guardians if need be."""
    told = {row["name"] for row in forms["orphan"]["survey"] if row["name"].startswith("note_")}
    assert {f"note_{key}" for key in xlsform.FIRST_PAGE} <= told
    assert not rows(forms["active"], "note_guardian")
    for language in ("ar", "fr", "en"):
        text = rows(forms["active"], "note_limits")[0][xlsform.LABEL[language]]
        assert "10" in text
        assert "30" in text


def test_no_label_is_taken_for_a_formula_or_a_reference():
    """A label that begins with = stays text, and ${...} in a label names no question."""
    variables = BOOK.variables.assign(label_fr=BOOK.variables["label_fr"].replace({"Sexe": "=1+1 ${age}"}))
    file = io.BytesIO()
    xlsform.workbook(replace(BOOK, variables=variables), "active", **LIMITS).save(file)
    sheet = openpyxl.load_workbook(file)["survey"]
    cells = [cell for line in sheet.iter_rows() for cell in line if str(cell.value).startswith("=1+1")]
    assert [(cell.data_type, cell.value) for cell in cells] == [("s", "=1+1 $ {age}")]
    assert cells[0].quotePrefix


def test_a_form_changes_its_version_with_its_content(forms):
    """The version is a fingerprint: the same form has the same one, a changed label another."""
    variables = BOOK.variables.assign(label_fr=BOOK.variables["label_fr"].replace({"Sexe": "Le sexe"}))
    other = xlsform.sheets(replace(BOOK, variables=variables), "orphan", **LIMITS)
    versions = [f["settings"][0]["version"] for f in (forms["orphan"], xlsform.sheets(BOOK, "orphan", **LIMITS), other)]
    assert versions[0] == versions[1] != versions[2]


def test_the_form_of_a_log_asks_what_the_log_holds(tmp_path):
    """Pyxform takes it without a warning; the desk is asked of what is left open alone; no text is asked."""
    book = BOOK.of_questions(["nador", "berkane"])
    path, warnings = tmp_path / "questions.xlsx", []
    xlsform.log(book).save(path)
    result = convert(path, warnings=warnings)
    assert not warnings
    assert 'lang="العربية (ar)" default="true()"' in result.xform
    sheet = openpyxl.load_workbook(path)["survey"]
    head, *lines = ([cell.value for cell in row] for row in sheet.iter_rows())
    rows = [dict(zip(head, line, strict=True)) for line in lines]
    assert [row["name"] for row in rows] == ["note_log", "date", *book.variables.index]
    assert all(row["type"].startswith(("note", "date", "select_one")) for row in rows)  # no text is asked
    assert all(row[label] for row in rows for label in xlsform.LABEL.values())
    assert {row["name"]: row["relevant"] for row in rows if row["relevant"]} == {"desk": "${answer} = 'to_follow'"}
    choices = [cell.value for cell in openpyxl.load_workbook(path)["choices"]["B"]]
    assert {"nador", "berkane", "pension", "caravan_desk"} <= set(choices)
    assert "casablanca" not in choices
