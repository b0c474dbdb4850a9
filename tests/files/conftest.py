"""What the tests of own files share: surveys of several sizes, and studies opened from files."""

import functools

import pytest

from welfare_analysis.publishing import execution
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.standin import Parameters, generate

SEED = 1956
PERSONS = {60: 140, 250: 560, 800: 1790}  # of whom about so many return the form


@functools.cache
def survey(forms):
    """A generated survey with about so many forms; of nobody."""
    return generate(Parameters.read(DATA / "public"), SEED, "rich", size=PERSONS[forms])


@pytest.fixture(autouse=True)
def _no_names(monkeypatch):
    """No file of the reader's own."""
    for name in (*execution.OWN_FILES, "KEEP", "OMIT", "LANGUAGE_OF_REPORT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def opened(tmp_path):
    """Open a study from frames that are written to files first, as an institution has them."""

    def _open(answers, register=None, followup=None, language="en", **named):
        paths = {}
        for kind, frame in (("survey", answers), ("register", register), ("followup", followup)):
            if frame is not None:
                paths[kind] = tmp_path / f"{kind}.csv"
                frame.to_csv(paths[kind], index=False)
        return Study.open(**paths, language=language, **named)

    return _open
