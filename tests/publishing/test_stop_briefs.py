"""Briefs of stops: released cells of the region and nothing else, a page a stop and language."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
from books import BOOK
from nbformat.v4 import new_code_cell, new_notebook, new_output
from wording import Wording

from welfare_analysis.disclosure import Released, document
from welfare_analysis.languages import number
from welfare_analysis.planning.caravan import caravan as planned
from welfare_analysis.publishing import stop_briefs
from welfare_analysis.publishing.labels import label
from welfare_analysis.publishing.report import render
from welfare_analysis.results import caravan
from welfare_analysis.survey.codebook import LANGUAGES

TOUR = planned()
REGIONS = TOUR.towns["command_group"].unique().tolist()


def persons(name, by, cells, unit):
    """A released table of two keys: (row, category, estimate, flag)."""
    frame = pd.DataFrame(cells, columns=[by, "category", "estimate", "flag"])
    frame = frame.assign(low=frame["estimate"] - 20, high=frame["estimate"] + 20, n=100.0, step=10.0)
    return Released(name, "total", "partner_agreement", (by,), unit, frame=frame, state="shown")


def every(of=TOUR):
    """Released tables by region: each region has 100 persons more than the one before, so that none is mistaken."""
    people = [(region, "home_loan", 500.0 + 100 * i, "") for i, region in enumerate(REGIONS)]
    people += [(region, "rail_fares", float("nan"), "hidden") for region in REGIONS]
    gains = [(f"status:{code}", "home_loan", 7000.0, "") for code in ("active", "retired")]
    gains += [("rank_group:guards", "home_loan", 9990.0, ""), ("all", "home_loan", 8880.0, "")]
    study = SimpleNamespace()
    return {
        "agreements_by_command_group": persons("agreements_by_command_group", "command_group", people, "persons"),
        "agreements_gain": persons("agreements_gain", "agreement_group", gains, "dh"),
        "caravan_questions": caravan.questions(study, of),
        "caravan_day": caravan.programme(study, of),
    }


def test_who_can_use_an_agreement_is_said_of_the_region_and_its_worth_of_the_country():
    """The cells of the stop's region alone; gains by status, and none by rank; what is hidden stays so."""
    table = caravan.suited(every(), TOUR, "nador", "own")
    cell = table.cell("home_loan", "worth_measure:people")
    assert cell["estimate"] == 500 + 100 * REGIONS.index("east")
    assert cell["unit"] == "persons"
    hidden = table.cell("rail_fares", "worth_measure:people")
    assert pd.isna(hidden["estimate"])
    assert hidden["flag"] == "hidden"
    assert set(table.frame["category"]) == {"worth_measure:people", "status:active", "status:retired"}
    assert table.cell("home_loan", "status:active")["estimate"] == 7000
    assert "command_group" not in table.frame
    assert (table.statistic, table.of) == ("document", "document")  # of released numbers alone


def test_without_agreements_it_says_why():
    """The state of the table that is lacking, and no cell."""
    given = every()
    for name in ("agreements_by_command_group", "agreements_gain"):
        lacking = caravan.suited(given | {name: given[name].without_numbers("not_asked")}, TOUR, "nador", "own")
        assert lacking.state == "not_asked"
        assert lacking.frame.empty


def test_questions_of_the_region_come_first():
    """All questions of 2012 once; those of the stop's region before the others, each with its answer."""
    given = every()
    for stop, first in (("nador", {"nador", "oujda"}), ("tan_tan", {"dakhla"}), ("rabat", set())):
        frame = caravan.answers(given, TOUR, stop, "own").frame
        asked = frame.drop_duplicates(["caravan_stop", "caravan_theme"])
        assert len(asked) == 10
        assert set(asked["caravan_stop"].head(sum(asked["caravan_stop"].isin(first)))) == first
        assert not frame["category"].eq("source").any()
        assert frame.loc[frame["category"] == "answer", "text"].str.startswith("caravan.answer.").all()


class Told(Wording):
    """A study of invented tables."""

    def result(self, function, *arguments):
        """The tour, or what a function makes."""
        return TOUR if function is caravan.tour else function(self, *arguments)


@pytest.fixture
def study(monkeypatch):
    """A study of invented tables, in a language."""
    given = every()
    route = pd.DataFrame({"caravan_stop": TOUR.towns.index, "estimate": 4.0, "unit": "number", "text": None})
    days = route.assign(estimate=734_773.0, unit="date")
    spoken = route.assign(text="language.tarifit", estimate=0.0)
    rows = pd.concat([route.assign(m="position"), days.assign(m="date"), spoken.assign(m="language")])
    given["caravan_timetable"] = document("caravan_timetable", rows, ["caravan_stop"], "m")
    given["caravan_known"] = given["caravan_timetable"].without_numbers("not_asked")
    lines = [("wants_loan", "region", 0.4, ""), ("wants_loan", "compared", 0.0, "compared.more")]
    brief = pd.DataFrame(lines, columns=["brief_line", "side", "estimate", "text"]).replace("", None)
    brief = brief.assign(unit="share", step=0.001, caravan_side=brief["side"])
    made = document("own", brief.drop(columns="side"), ["brief_line"], "caravan_side")
    given["caravan_brief"] = made
    monkeypatch.setattr(stop_briefs.published, "release", lambda _: given)
    monkeypatch.setattr("welfare_analysis.publishing.tables.release", lambda _: given)
    monkeypatch.setattr(stop_briefs.catalogue, "brief", lambda study, stop, name: replace(made, id=name))
    return lambda language, languages=("en",): Told(
        codebook=BOOK, language=language, is_standin=True, survey_name="", languages=languages
    )


def test_a_page_for_each_stop_in_each_language(study, tmp_path):
    """28 pages a language, each with its own title and the numbers of its region; the page of the caravan leads there.

    The warning that no answer is real stands on each, no script runs there, and the search finds it by its title alone.
    """
    said = {one: stop_briefs.all_briefs(study(one)) for one in LANGUAGES}
    outputs = [
        new_output("display_data", data={"text/markdown": links.data},
                   metadata={"language": one, "text/markdown": links.metadata})
        for one, links in said.items()
    ]  # fmt: skip
    render({"12_tour": new_notebook(cells=[new_code_cell("x", outputs=outputs)])}, tmp_path)
    for language in LANGUAGES:
        folder = tmp_path / language
        pages = {path.stem.removeprefix("brief_"): path.read_text() for path in folder.glob("brief_*.html")}
        assert set(pages) == set(TOUR.towns.index)
        leads, found = (folder / "12_tour.html").read_text(), (folder / "search.html").read_text()
        for stop, text in pages.items():
            region = TOUR.towns.at[stop, "command_group"]
            printed = number(500 + 100 * REGIONS.index(region), language)
            assert f">{printed} (" in text.replace("\u2066", "").replace('<span class="interval">', "")
            assert BOOK.text("banner", language) in text
            named = label(study(language), "caravan_stop", stop)
            assert BOOK.text("stop_briefs.title", language, stop=named) in text
            assert "<script" not in text
            assert f'href="brief_{stop}.html"' in leads
            assert found.count(f"brief_{stop}.html") == 1
        assert len({re.search(r"<h1>(.*?)</h1>", text)[1] for text in pages.values()}) == len(pages)
        assert not re.search(r'href="brief_', (folder / "glossary.html").read_text())


def test_where_nothing_is_released_there_is_no_brief(study):
    """The reason stands in the place of the links, and nothing is handed on; nor is it outside of a report."""
    assert not stop_briefs.all_briefs(study("en", ())).metadata
    given = stop_briefs.published.release(None)
    given["caravan_brief"] = given["caravan_brief"].without_numbers(caravan.ELSEWHERE)
    said = stop_briefs.all_briefs(study("en"))
    assert said.data == BOOK.text(caravan.ELSEWHERE, "en")
    assert not said.metadata
