"""The five services in one view: every cell is one of another table."""

import numpy as np
import pytest
from books import BOOK

from welfare_analysis.disclosure import CATEGORY, policy
from welfare_analysis.results import declare, five, release
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

NUMBERS = ["estimate", "low", "high"]


@pytest.fixture(scope="module")
def world():
    return generate(Parameters.read(DATA / "public"), 23, "plain", size=5000)


@pytest.fixture(scope="module")
def study(world):
    frames = [typed(f, BOOK) for f in (world.answers, world.register, world.followup)]
    return Study.of(*frames, BOOK, is_standin=True)


@pytest.fixture(scope="module")
def shown(study):
    return release(study)


def test_cells_are_those_of_the_pages(shown):
    """A cost, a share and a group are the very cells of the tables that they come from."""
    view, groups = shown["five_services"], shown["five_groups"]
    for line in five.PLAN[five.PLAN["measure"].isin(five.MEASURES)].itertuples():
        name, *codes = line.address.split("|")
        here, there = view.cell(line.service_domain, line.standing, line.measure), shown[name].cell(*codes)
        np.testing.assert_array_equal(here[NUMBERS].astype(float), there[NUMBERS].astype(float), str(line))
    assert groups.cell("sex:f", "sport")["estimate"] == shown["hopes_by_sex"].cell("pool", "f")["estimate"]
    assert (
        groups.cell("status:widow", "health")["estimate"] == shown["without_care_by_status"].cell("widow")["estimate"]
    )


def test_what_no_source_tells_is_not_known_and_no_number(shown):
    """Every service has every column; of how many a pool or a club is for is a text, and what one costs a number."""
    view = shown["five_services"].frame
    assert (view.groupby(["service_domain", "standing"]).size() == len(five.MEASURES)).all()
    assert set(view["service_domain"]) == {"health", "education", "sport", "leisure", "holidays", "aid"}
    central = view[view[CATEGORY] == "central"].set_index("service_domain")
    upper = ["health", "education", "aid"]  # at most so much, where all claim
    assert central.loc[upper, "text"].eq("not_known").all()
    assert central.drop(upper)["estimate"].gt(0).all()
    assert view.loc[view["service_domain"].eq("aid") & view[CATEGORY].eq("share"), "text"].eq("not_known").all()
    of = view[view[CATEGORY] == "concerned"].set_index("service_domain")["text"]
    assert of[["sport", "leisure"]].eq("not_known").all()
    assert of.drop(["sport", "leisure"]).isna().all()


def test_an_assumption_is_printed_as_it_is(study):
    """Costs that others paid are no estimates: they are not rounded by the errors of the costs beside them."""
    view = five.in_one_view(study, study)
    own = view[view["service_domain"].isin(("sport", "leisure")) & view["measure"].isin(("least", "central", "most"))]
    assert set(own["step"]) == {policy().step("million_dh")}


def test_a_file_without_a_register_has_shares_alone(world):
    """No numbers of people: they are not known; shares are, and a file without hopes has none."""
    forms = typed(world.answers, BOOK)
    view = release(Study.of(forms, None, None, BOOK))["five_services"].frame
    assert view.loc[view[CATEGORY].isin(["people", "concerned"]), "text"].eq("not_known").all()
    assert view.loc[view[CATEGORY] == "share", "estimate"].gt(0).all()
    bare = release(Study.of(forms[["person_id", "status", "tenure"]], None, None, BOOK))
    assert bare["five_services"].state != "shown"
    assert bare["five_groups"].state != "shown"


def test_what_is_withheld_is_withheld_here_too(world, monkeypatch):
    """A table that an attack broke gives no cell to the view either."""
    monkeypatch.setenv(declare.WITHHELD, "without_care_by_status")
    frames = [typed(f, BOOK) for f in (world.answers, world.register, world.followup)]
    groups = release(Study.of(*frames, BOOK))["five_groups"].frame
    health = groups[groups[CATEGORY] == "health"]
    assert not health["level"].str.startswith("status:").any()
    assert health["level"].str.startswith("sex:").any()
