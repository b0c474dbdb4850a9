"""Tables: one row a group in the codebook's order, units in headers, flags explained, every text escaped."""

import re
from types import SimpleNamespace

import pandas as pd
import pytest

from welfare_analysis.publishing import Released, briefs, figures, tables
from welfare_analysis.study import DATA
from welfare_analysis.survey.codebook import LANGUAGES, Codebook

BOOK = Codebook.read(DATA / "codebook")
NAN = float("nan")


def study(language="en", standin=True):
    return SimpleNamespace(codebook=BOOK, language=language, is_standin=standin, survey_name="answers.csv")


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
    html = tables.show(released(), study()).data
    assert rows(html) == [
        ["active", "34.5 % (31.0\u201337.0)", "1,200"],
        ["widow", "50.0 % (40.0\u201360.0) *", "45"],
        ["orphan", "..", ".."],
    ]
    assert "n = 1,245 respondents; 10.0 %" in html
    assert BOOK.text("note.hidden", "en") in html
    assert BOOK.text("note.caution", "en") in html


def test_what_is_too_unsure_is_not_told():
    """A cell of which the rules say so shows a slash, and how many answered; the note explains it, in words too."""
    frame = released().frame.replace({"flag": {"hidden": "unsure"}}).assign(n=[45.0, 60.0, 1200.0])
    html = tables.show(released(frame=frame), study()).data
    assert rows(html)[2] == ["orphan", "/", "60"]
    assert BOOK.text("note.unsure", "en") in html
    assert BOOK.text("note.hidden", "en") not in html
    one = released(frame=frame.iloc[[1]])
    assert (one.silence, released().silence, released(state="not_asked").silence) == ("unsure", "hidden", "not_asked")
    assert tables.told(one, study()) == "/"
    assert tables.told(released(), study(), mark=tables.MARK).endswith(") *")


def test_no_flag_no_explanation():
    """What is not in the table is not explained."""
    plain = released(frame=released().frame.iloc[[2]])
    assert BOOK.text("note.hidden", "en") not in tables.show(plain, study()).data


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_speaks_its_language(language):
    """Caption, labels, source and numbers are in the reader's language, and it is the same table."""
    html = tables.show(released(), study(language)).data
    assert BOOK.text("topic.crowded", language) in html
    assert BOOK.text("source.standin", language) in html
    assert BOOK.label("status", "widow", language) in html
    assert len(rows(html)) == 3
    assert html == tables.show(released(), study(language)).data


@pytest.mark.parametrize("state", ["not_asked", "no_totals"])
def test_what_is_not_there_is_said(state):
    """A table without numbers says why."""
    html = tables.show(released(state=state, frame=pd.DataFrame()), study()).data
    assert BOOK.text(state, "en") in html
    assert "<table" not in html


def test_texts_are_escaped():
    """A name from a file cannot become markup."""
    named = SimpleNamespace(**{**vars(study(standin=False)), "survey_name": "<b>x</b>.csv"})
    html = tables.show(released(), named).data
    assert "&lt;b&gt;x" in html
    assert "<b>" not in html


def test_every_published_table_has_a_title_in_three_languages():
    """The plan and the texts go together, and no field of a text is lost in translation."""
    for name in [*pd.read_csv(DATA / "release.csv")["id"], *figures.FIGURES]:
        assert all(tables.title(name, study(language)) for language in LANGUAGES)
    fields = BOOK.texts[list(LANGUAGES)].map(lambda text: frozenset(re.findall(r"{(\w+)}", text)))
    assert (fields.nunique(axis=1) == 1).all()


@pytest.fixture
def stored(tmp_path):
    """A stored result of the simulations: five headlines in three versions by two estimators, and one table."""
    rows = [
        (version, method, name, 0.3, 0.01 if method == "returners" else -0.002, 0.95, 40, 1, 0.95)
        for version in ("plain", "rich", "strategic")
        for method in ("two_phase", "returners")
        for name in tables.HEADLINES
    ]
    rows.append(("plain", "two_phase", "crowded_by_rank", 0.3, 0.001, 0.9375, 40, 4, 0.9))
    columns = ["version", "method", "headline", "truth", "bias", "coverage", "samples", "cells", "worst_coverage"]
    path = tmp_path / "validation.csv"
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
    return path


def test_stored_simulations_are_told_as_they_are(stored):
    """Errors in points and coverage, with and without the follow-up; the tables of the pages by their titles."""
    first = rows(tables.validation(study(), stored).data)
    assert len(first) == 15
    assert first[0] == ["well specified", "tenants", "30.0 %", "-0.20", "95.0 %", "1.00", "95.0 %", "40"]
    families = rows(tables.validation_families(study(), stored).data)
    assert families == [["Homes with more than two persons a room, by rank group", "4", "93.8 %", "90.0 %", "40"]]
    assert "1.0 points" in briefs.trust(SimpleNamespace(**vars(study()), method="two_phase"), stored).data


def test_the_share_that_is_assumption():
    """With assumptions and sampling equally wide it is a half."""
    frame = pd.DataFrame({"estimate": [0.5], "low": [0.5 - tables.Z * 0.02], "high": [0.5 + tables.Z * 0.02]})
    one = Released("x", "share", "crowded", (), "share", frame=frame, state="shown")
    assert tables.assumption_share(one, 0.02) == pytest.approx(0.5)
