"""What the tests of own files share: surveys of several sizes, and studies opened from files."""

import functools
from dataclasses import replace

import pytest
from xdist.scheduler import LoadScopeScheduling

from welfare_analysis.publishing import execution
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.standin import Parameters, generate

SEED = 1956
PERSONS = {60: 140, 250: 560, 800: 1790}  # of whom about so many return the form


class OneReleaseOneWorker(LoadScopeScheduling):
    """The attacks of a file go to one worker, which makes their release once; each other test to whoever is free.

    ``--dist loadgroup`` of pytest-xdist 3.8 marks groups in a name that pytest 9 no longer reads, and made it twice.
    """

    def _split_scope(self, nodeid):
        path = nodeid.partition("::")[0]
        return path if "test_attack" in path else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """How tests are given to workers."""
    return OneReleaseOneWorker(config, log)


@functools.cache
def survey(forms):
    """A generated survey with about so many forms; of nobody."""
    return generate(Parameters.read(DATA / "public"), SEED, "rich", size=PERSONS[forms])


UNEVEN = {"active_n": 0.15, "retired_n": 0.72, "widow_n": 0.1, "orphan_n": 0.03}  # of all persons
TINY = "sahara"  # a group of commands of which one in fifty is left


@functools.cache
def uneven():
    """A generated survey with about 250 forms, most of retirees, and hardly anybody in one group of commands."""
    parameters = Parameters.read(DATA / "public")
    everybody, places = sum(parameters.levels[name] for name in UNEVEN), parameters.territory.copy()
    places["share_of_staff"] = places["share_of_staff"].mask(places["command_group"] == TINY, lambda x: x / 50)
    levels = parameters.levels | {name: everybody * part for name, part in UNEVEN.items()}
    return generate(replace(parameters, territory=places, levels=levels), SEED, "rich", size=PERSONS[250])


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
