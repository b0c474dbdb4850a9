"""The soundness of the answers, as it is shown."""

import re

import pytest

from welfare_analysis.publishing import protect, quality
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

BOOK = Codebook.read(DATA / "codebook")
TABLES = (quality.gaps, quality.heaps, quality.straight, quality.contradictions, quality.likeness)
MORE = (quality.reconciliation, quality.imputation, quality.findings)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A small generated survey, read from files so that the kinds of missing answers are known."""
    folder = tmp_path_factory.mktemp("own")
    world = generate(Parameters.read(DATA / "public"), 21, "rich", size=4000)
    for name in ("answers", "register", "followup"):
        getattr(world, name).to_csv(folder / f"{name}.csv", index=False)
    return Study.open(*(folder / f"{name}.csv" for name in ("answers", "register", "followup")))


@pytest.mark.parametrize("show", [*TABLES, *MORE], ids=lambda f: f.__name__)
def test_every_table_has_numbers_and_a_source(study, show):
    """Each is made of numbers, names whose answers it shows where it is a table, and has no hole."""
    text = show(study).data
    assert re.search(r"\d", text)
    assert not re.search(r"\b(nan|None|inf)\b", text)
    if "<table" in text:
        assert "answers of answers.csv" in text


def test_response_is_told_with_intervals(study):
    """RR1, refusals and the rest, each with its interval, add to one."""
    text = quality.response(study, protect(study)).data
    shares = [float(x) for x in re.findall(r": (\d+\.\d) % \(", text)]
    assert len(shares) == 3
    assert sum(shares) == pytest.approx(100, abs=0.11)


def test_few_are_not_counted_out(study):
    """One to nine forms that break a rule are fewer than ten, without a share."""
    row = study.frame.index[0]
    frame = study.frame.assign(commute_km=1.0, commute_min=60.0)
    frame.loc[row, "commute_km"] = 190.0
    text = quality.contradictions(Study(frame, study.design, BOOK, None)).data
    line = re.search(r"120 km/h</th><td>(.*?)</td><td>(.*?)</td>", text)
    assert line.groups() == ("fewer than 10", "..")


def test_what_was_not_asked_is_said():
    """A file with a status and the tenure: nothing fails, and it says what was not asked."""
    world = generate(Parameters.read(DATA / "public"), 22, "plain", size=1000)
    bare = Study.of(typed(world.answers[["status", "tenure"]], BOOK), None, None, BOOK, survey_name="own.csv")
    for show in (quality.straight, quality.contradictions, quality.imputation, quality.gaps):
        assert "Not asked" in show(bare).data
    assert "register" in quality.reconciliation(bare).data
    assert "register" in quality.response(bare, protect(bare)).data
