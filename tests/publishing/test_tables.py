"""Tables: one row a group in the codebook's order, units in headers, flags explained, every text escaped."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from books import BOOK
from wording import Wording

from welfare_analysis.disclosure import CATEGORY, Lazy, Released, protect_estimate
from welfare_analysis.disclosure.protection import protect
from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, mean, share
from welfare_analysis.publishing import briefs, figures, labels, tables
from welfare_analysis.publishing.published import REGISTRY
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import LANGUAGES

NAN = float("nan")


def study(language="en", standin=True):
    about = {"is_standin": standin, "survey_name": "answers.csv", "languages": ()}
    return Wording(codebook=BOOK, language=language, **about)


def released(**changes):
    """Three statuses out of order; the orphans are hidden, the widows few."""
    rows = [
        ("widow", 0.5, 0.4, 0.6, 45.0, "caution"),
        ("orphan", NAN, NAN, NAN, NAN, "hidden"),
        ("active", 0.345, 0.31, 0.37, 1200.0, ""),
    ]
    frame = pd.DataFrame(rows, columns=["status", "estimate", "low", "high", "n", "flag"])
    fields = {"frame": frame, "respondents": 1245, "missing_share": 0.1, "state": "shown", **changes}
    return Released("crowded_by_status", "share", "crowded", ("status",), "share", **fields)


def rows(html):
    """Cells of a table's body."""
    body = re.search(r"<tbody>(.*)</tbody>", html)[1]
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in body.split("</tr>")[:-1]]


def test_rows_intervals_and_flags():
    """Groups stand in the codebook's order; a hidden one shows two points and no n; few respondents a star."""
    html = tables.show(study(), released()).data
    assert rows(html) == [
        ["active staff", "34.5 % (31.0\u201337.0)", "1,200"],
        ["widows", "50.0 % (40.0\u201360.0) *", "45"],
        ["orphans", "..", ".."],
    ]
    assert "n = 1,245 respondents; 10.0 %" in html
    assert BOOK.text("note.hidden", "en") in html
    assert BOOK.text("note.caution", "en") in html


@pytest.mark.parametrize(("language", "widest"), [("en", "35\u20131,830"), ("ar", "\u206635\u20131.830\u2069")])
def test_cells_of_a_row_with_other_bases_show_the_range_of_n(language, widest):
    """The column n speaks for every shown cell of its row: one number where all are alike, else least and largest."""
    ns = {"active": (1830.0, 35.0), "retired": (60.0, 60.0), "widow": (NAN, 45.0), "orphan": (NAN, NAN)}
    cells = [
        (status, sex, 0.5, 0.4, 0.6, n, "hidden" if np.isnan(n) else "")
        for status, both in ns.items()
        for sex, n in zip(("man", "woman"), both, strict=True)
    ]
    frame = pd.DataFrame(cells, columns=["status", "sex", "estimate", "low", "high", "n", "flag"])
    table = replace(released(frame=frame), by=("status", "sex"))
    _, body = tables.grid(table, study(language))
    assert [line[-1] for line in body] == [widest, "60", "45", ".."]


def test_a_column_of_words_has_no_unit():
    """The unit of a table stands over its numbers alone."""
    cells = [
        ("active", "share", 0.5, 0.4, 0.6, 60.0, "", None),
        ("active", "kind", NAN, NAN, NAN, 60.0, "", "evidence"),
    ]
    columns = ["status", "measure", "estimate", "low", "high", "n", "flag", "text"]
    frame = pd.DataFrame(cells, columns=columns).assign(unit="share")
    heads, body = tables.grid(replace(released(frame=frame), by=("status", "measure")), study())
    assert [head.endswith(", %") for head in heads] == [False, True, False, False]
    assert body[0][2] == "evidence"


def test_what_is_too_unsure_is_not_told():
    """A cell of which the rules say so shows a slash, and how many answered; the note explains it, in words too."""
    frame = released().frame.replace({"flag": {"hidden": "unsure"}}).assign(n=[45.0, 60.0, 1200.0])
    html = tables.show(study(), released(frame=frame)).data
    assert rows(html)[2] == ["orphans", "/", "60"]
    assert BOOK.text("note.unsure", "en") in html
    assert BOOK.text("note.hidden", "en") not in html
    one = released(frame=frame.iloc[[1]])
    assert (one.silence, released().silence, released(state="not_asked").silence) == ("unsure", "hidden", "not_asked")
    assert labels.format_cell(one, study()) == "/"
    assert labels.format_cell(released(), study(), mark=labels.CAUTION).endswith(") *")


def test_no_flag_no_explanation():
    """What is not in the table is not explained."""
    plain = released(frame=released().frame.iloc[[2]])
    assert BOOK.text("note.hidden", "en") not in tables.show(study(), plain).data


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_speaks_its_language(language):
    """Caption, labels, source and numbers are in the reader's language, and it is the same table."""
    html = tables.show(study(language), released()).data
    assert BOOK.text("topic.crowded", language) in html
    assert BOOK.text("source.standin", language) in html
    assert BOOK.text("status.widow", language) in html
    assert len(rows(html)) == 3
    assert html == tables.show(study(language), released()).data


@pytest.mark.parametrize("state", ["not_asked", "no_totals"])
def test_what_is_not_there_is_said(state):
    """A table without numbers says why."""
    html = tables.show(study(), released(state=state, frame=pd.DataFrame())).data
    assert BOOK.text(state, "en") in html
    assert "<table" not in html


def test_texts_are_escaped():
    """A name from a file cannot become markup."""
    named = Wording(**{**vars(study(standin=False)), "survey_name": "<b>x</b>.csv"})
    html = tables.show(named, released()).data
    assert "&lt;b&gt;x" in html
    assert "<b>" not in html


def test_every_published_table_has_a_title_in_three_languages():
    """The plan and the texts go together, and no field of a text is lost in translation."""
    for name in [*pd.read_csv(DATA / "release.csv")["id"], *figures.FIGURES]:
        assert all(labels.title(name, study(language)) for language in LANGUAGES)
    fields = BOOK.texts[list(LANGUAGES)].map(lambda text: frozenset(re.findall(r"{(\w+)}", text)))
    assert (fields.nunique(axis=1) == 1).all()


def test_an_estimate_of_ones_own_is_protected():
    """Groups are labelled, a share of three persons and a mean that two persons make are hidden, others shown."""
    frame = pd.DataFrame({"status": ["active"] * 60 + ["retired"] * 60 + ["widow"] * 60})
    flag = pd.Series(np.r_[np.arange(60) < 3, np.arange(60) < 30, np.arange(60) < 25], name="tenant")
    design = Design(np.ones(180)).with_frame(frame)
    html = tables.show(study(), share(design, flag, by="status"), "Tenants", "share").data
    assert "<caption>Tenants</caption>" in html
    assert rows(html)[0][:2] == ["active staff", ".."]
    assert rows(html)[1][1].startswith("50 % (")
    money = pd.Series(np.where(np.arange(180) % 60 < 2, 1e6, 1.0), name="dh")
    hidden = tables.show(study(), mean(design, money, by="status"), "Debts", "dh").data
    assert all(line[1] == ".." for line in rows(hidden))
    with pytest.raises(WelfareError, match="not an estimate"):
        protect_estimate([1, 2], "x")


def test_names_that_do_not_exist_are_errors_that_help():
    """An unknown table or figure is named with those that are near."""
    released_ = Lazy({"loans_files": released, "loans_wish": released})
    with pytest.raises(WelfareError, match=r"no such table; got 'loans_file'; expected loans_files"):
        released_["loans_file"]
    with pytest.raises(WelfareError, match=r"no such figure; got 'profil'; expected profile"):
        figures.output.planned("profil")
    with pytest.raises(WelfareError, match="a cell has fewer keys"):
        released().cells("widow", "yes")


def test_a_title_of_ones_own_is_a_text_or_stands_as_it_is():
    """The name of a title of the texts is said in the study's language; any other words stay."""
    design = Design(weights=np.full(400, 2.0))
    half = share(design, pd.Series(np.arange(400) % 2 == 0, name="x"))
    assert (
        f"<caption>{BOOK.text('title.own_crowded', 'fr')}</caption>"
        in tables.show(study("fr"), half, "own_crowded", "share").data
    )
    assert "<caption>Any words</caption>" in tables.show(study("fr"), half, "Any words", "share").data


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_estimate_of_ones_own_is_no_part_of_a_report_on_own_files(language, monkeypatch):
    """A page may try another standard: beside the published one it would tell who lies between, so it is not shown.

    In Jupyter it is, and in the report on the stand-in, which is of nobody.
    """
    monkeypatch.setattr(REGISTRY, "tables", {})
    estimate = share(Design(np.ones(400)), pd.Series(np.arange(400) < 150, name="crowded"))
    own, jupyter = study(language, standin=False), study(language, standin=False)
    own.languages = LANGUAGES
    assert BOOK.text("own_unpublished", language) in tables.show(own, estimate, "own_crowded_standard", "share").data
    assert "<table" not in tables.show(own, replace(released(), id="own")).data
    assert not REGISTRY.tables
    assert "38" in tables.show(jupyter, estimate, "own_crowded_standard", "share").data
    reported = study(language)
    reported.languages = LANGUAGES
    assert "38" in tables.show(reported, estimate, "own_crowded_standard", "share").data


def test_numbers_of_forms_in_prose_are_printed_as_bases():
    """Of 1,213 forms 7 are of the follow-up, and 4 orphans are left out of the register: no sentence counts them."""
    frame = pd.DataFrame({"status": ["active"] * 1213, "outcome": ["returned"] * 1206 + ["answered"] * 7})
    people = pd.DataFrame({"status": ["active"] * 2503})
    own = Study(frame, Design(np.ones(1213)), BOOK, people, method="two_phase", left_out={"orphan": 4}, survey_name="a")
    said = briefs.method(own).data
    assert re.findall(r"[\d,]+\d|\d", said) == ["1,200", "1,200", "10", "2,500"]
    assert BOOK.text("method.left_out", n="..", statuses="orphans") in said
    modes = frame.assign(mode=["paper"] * 1206 + ["call"] * 4 + ["paper"] * 3)
    own = Study(modes, Design(np.ones(1213)), BOOK, people, method="two_phase", survey_name="a")
    assert briefs._modes(own) == [BOOK.text("bias.modes", n="..", followed="10")]


def test_a_note_says_how_many_of_n_were_followed_up():
    """Of 1,213 forms 306 are of the follow-up: printed as bases, and not said where they or the others are few."""
    frame = pd.DataFrame({"status": ["active"] * 1213, "outcome": ["returned"] * 907 + ["answered"] * 306})
    late = Study(frame, Design(np.ones(1213)), BOOK, None, survey_name="a").followed_up(pd.Series(frame.index < 1207))
    assert late == 300
    cells = pd.DataFrame({"estimate": [0.4], "low": [0.3], "high": [0.5], "n": [1213.0], "numerator": [485.0]})
    blank = Released("a", "share", "crowded", (), "share")
    for language, words in (("en", "Of n, 300 "), ("fr", "Sur n, 300 "), ("ar", "أجاب 300 ")):
        own = Study(frame, Design(np.ones(1213)), BOOK, None, language=language, survey_name="a")
        said = protect(blank, cells, (1213, 1213), followed_up=306)
        assert words in labels.note([said], own)
        for few in (7, 1206):
            assert protect(blank, cells, (1213, 1213), followed_up=few).followed_up == 0


def test_a_sign_in_a_table_is_explained_under_it():
    """Two points stand also where a group has no such number; the note says what they mean, where there are any."""
    cells = pd.DataFrame({"status": ["active", "active", "retired"], CATEGORY: ["owner", "tenant", "owner"]})
    cells = cells.assign(estimate=0.4, low=0.3, high=0.5, n=90.0, flag="", step=0.001)
    table = Released("tenure_by_status", "share", "tenure", ("status",), "share", frame=cells, state="shown")
    own = Study(pd.DataFrame({"status": ["active"] * 2}), Design(np.ones(2)), BOOK, None, survey_name="a")
    sign = BOOK.text("note.hidden")
    assert sign in tables.show(own, table).data
    assert sign not in tables.show(own, replace(table, frame=cells[:2])).data


def test_no_page_shows_a_frame_of_answers():
    """Tables of pages come through the door: other frames are of public data alone, on the last page."""
    pages = sorted((DATA.parent / "notebooks").glob("*.ipynb"))
    for page in (p for p in pages if not p.name.startswith("13")):
        for cell in json.loads(page.read_text())["cells"]:
            source = "".join(cell["source"])
            assert not re.search(r"\.(?:table|summary)\(\)", source), (page.name, source)
            for output in cell.get("outputs", []):
                html = "".join(output.get("data", {}).get("text/html", []))
                assert "dataframe" not in html, (page.name, source)
                assert output.get("output_type") != "stream", (page.name, source)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "2.5 instead of 2.0"), ("fr", "2,5 au lieu de 2,0"), ("ar", "2,5 بدل 2,0")]
)
def test_a_what_if_prints_the_base_the_change_and_the_condition(language, words):
    """Two rows, the number as it is and as changed, and below them the terms that differ, those alone."""
    design, x = Design(np.ones(400)), pd.Series(np.arange(400) % 10)
    base, changed = (share(design, (x < most).rename("crowded")) for most in (4, 2))
    terms = {"what_if:persons_per_room": (2.0, 2.5, "tenths"), "what_if:means": ("member", "member", "means_of")}
    html = tables.what_if(study(language), base, changed, terms, "own_crowded_standard", "share").data
    labels_ = [BOOK.label("what_if", code, language) for code in ("base", "changed")]
    assert [line[0] for line in rows(html)] == labels_
    assert [re.findall(r"\d+", line[1])[0] for line in rows(html)] == ["40", "20"]
    assert words in html
    assert BOOK.label("what_if", "means", language) not in html
    same = {"what_if:means": ("member", "member", "means_of")}
    assert tables.changes(study(language), same) == ""


def test_a_column_that_is_called_as_its_unit_is_named_once():
    """A header is no word twice."""
    frame = released().frame.assign(category="persons", unit="persons").rename(columns={"category": "what"})
    table = replace(released(frame=frame), by=("status", "what"), unit="persons")
    assert tables.grid(table, study())[0][1] == "persons"
