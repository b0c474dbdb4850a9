"""The record of a report says what it was made from, and what was changed since."""

from pathlib import Path

import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.publishing import record


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository and a report of a page and a picture, with its record."""
    for name in ("src/a.py", "data/policy.csv", "data/b.csv", "notebooks/00_a.ipynb", "requirements.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    page = tmp_path / "report" / "en" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("12 %")
    (tmp_path / "report" / "results.csv").write_text("x")
    record.write(tmp_path / "report", tmp_path, {}, ["en"])
    return tmp_path


def test_nothing_differs_from_what_was_written(root):
    """Compiled code is none of it."""
    (root / "src" / "__pycache__").mkdir()
    (root / "src" / "__pycache__" / "a.pyc").write_text("x")
    assert record.differences(root / "report", root, {}) == []


def test_what_was_changed_is_named(root):
    """A file of the report that is another, gone or new; data of which the policy is a part; a lock."""
    report = root / "report"
    (report / "en" / "index.html").write_text("13 %")
    (report / "results.csv").rename(report / "other.csv")
    (root / "data" / "policy.csv").write_text("looser")
    assert record.differences(report, root, {}) == [
        "en/index.html: changed since the report was written",
        "other.csv: not a file of the report",
        "results.csv: missing",
        "data: not what the report was made from",
        "policy: not what the report was made from",
    ]


def test_files_of_ones_own_count_and_are_not_named(root):
    """Their content, and what was wished; not where they lie."""
    survey = root / "secret name.csv"
    survey.write_text("status\nactive\n")
    own = {"SURVEY": str(survey), "KEEP": "impossible"}
    record.write(root / "report", root, own, ["en"])
    assert record.differences(root / "report", root, own) == []
    assert "secret" not in (root / "report" / record.RECORD).read_text()
    assert record.differences(root / "report", root, {"SURVEY": str(survey)}) == [
        "KEEP: not what the report was made from"
    ]
    survey.write_text("status\nretired\n")
    assert record.differences(root / "report", root, own) == ["SURVEY: not what the report was made from"]


@pytest.mark.parametrize("content", [None, "{", "{}"])
def test_a_report_without_a_record_is_an_error(root, content):
    """No file, half a file, or one of something else."""
    path = root / "report" / record.RECORD
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(WelfareError, match="no record of a report"):
        record.differences(root / "report", root, {})
