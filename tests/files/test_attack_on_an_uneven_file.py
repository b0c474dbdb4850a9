"""The attacks on the plan's tables of a second small file, of another shape: most are retired, a region has hardly any.

About 250 forms. The tables of models are attacked in the first one (`test_attack_on_models`).
"""

import attacker
import pandas as pd
import pytest
import ties
from conftest import TINY, OneReleaseOneWorker, uneven

from welfare_analysis.results.audit import broken
from welfare_analysis.results.descriptive import PLAN
from welfare_analysis.study import Study

PLANNED = tuple(pd.read_csv(PLAN)["id"])
ATTACKS = {
    "a rule": attacker.against_a_rule,
    "a line": attacker.alone_in_a_line,
    "the same again": attacker.repeated,
    "few between two shares": attacker.differing_by_few,
    "all tables": lambda pub: ties.joined(pub, {}),
} | {who: lambda pub, known=known: attacker.known_too_well(pub, **known) for who, known in attacker.ATTACKERS.items()}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The file, opened as an institution has it."""
    folder = tmp_path_factory.mktemp("uneven")
    paths = [folder / f"{name}.csv" for name in ("answers", "register", "followup")]
    for path in paths:
        getattr(uneven(), path.stem).to_csv(path, index=False)
    return Study.open(*paths, language="en")


@pytest.fixture(scope="module")
def published(study, tmp_path_factory):
    """The tables of its plan, as the file has them."""
    return attacker.published(study, tmp_path_factory.mktemp("report") / "results.csv", PLANNED)


def test_one_worker_makes_the_release(request):
    """The tests of a file of attacks are one unit of work; those of pages are one each."""
    units = {}
    for item in request.session.items:
        units.setdefault(item.path.name, set()).add(OneReleaseOneWorker._split_scope(None, item.nodeid))
    assert {len(own) for name, own in units.items() if name.startswith("test_attack")} == {1}
    assert all(len(own) > 1 for name, own in units.items() if name == "test_pages_of_own_files.py")


def test_the_file_is_small_and_uneven(study, published):
    """Most are retired, a region is next to empty, and hundreds of cells must be hidden."""
    parent = study.codebook.parent("command")
    assert 200 < study.frame["outcome"].eq("returned").sum() < 300
    assert study.register["status"].eq("retired").mean() > 0.6
    assert study.register["command"].map(parent).eq(TINY).sum() < 10
    assert published.hidden.sum() > 100


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_is_found(published, attack):
    """No cell is known too well, by any of the attacks."""
    found = ATTACKS[attack](published)
    assert not len(found), found[["table", "codes", "n", "numerator", "printed"]].to_string()


def test_no_family_is_broken(study):
    """Nor does `make report` withhold a family."""
    assert broken(study) == []
