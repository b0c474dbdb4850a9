"""A brief to print for each stop of the caravan: two pages of released tables of its region, alike for its stops.

Where a notebook runs, `all_briefs` says which briefs there are and hands on their tables, once a region; the report
makes a page a stop and language of them (`pages`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from IPython.display import Markdown
from markupsafe import Markup

from ..disclosure import Released
from ..results import caravan, catalogue
from ..study import Study
from . import markup, published
from .caravan_sentences import differences
from .labels import format_cell, label, listed
from .tables import show

HANDED = "stop_briefs"  # the metadata in which they are handed on
PARTS = ("people", "day", "agreements", "questions")  # keys of the headings


def href(stop: str) -> str:
    """The page of a stop's brief."""
    return f"brief_{stop}.html"


def all_briefs(study: Study) -> Markdown:
    """Links to the brief of each stop, by region; the tables of the regions go with them. Why there is none."""
    of, state = study.result(caravan.tour), published.release(study)["caravan_brief"].state
    if of is None or state != "shown":
        return Markdown(study.text(state))
    lines = [study.text("stop_briefs.link"), ""]
    for region, towns in of.towns.groupby("command_group", sort=False):
        named = (f"[{label(study, 'caravan_stop', stop)}]({href(stop)})" for stop in towns.index)
        said = listed(study, [label(study, "command_group", region), listed(study, named)], "colon")
        lines.append(f"- {said}")
    return Markdown("\n".join(lines), metadata={HANDED: contents(study)} if study.languages else None)


def regional(study: Study, stop: str, region: str) -> dict[str, Released]:
    """Tables of a region: who is there, which agreements suit whom, questions with answers; of any of its stops."""
    of, every = study.result(caravan.tour), published.release(study)
    return {
        "people": catalogue.brief(study, stop, f"brief_{region}"),
        "agreements": caravan.suited(every, of, stop, f"brief_agreements_{region}"),
        "questions": caravan.answers(every, of, stop, f"brief_questions_{region}"),
    }


def contents(study: Study) -> dict[str, Any]:
    """The words of each stop and the tables of each region, in the study's language; plain data."""
    of = study.result(caravan.tour)

    def text(key: str, **fields: str) -> str:
        return study.text(f"stop_briefs.{key}", **fields)

    headings = {part: text(part) for part in PARTS}
    day = show(study, "caravan_day", headings["day"]).data
    plan, known = (published.release(study)[f"caravan_{name}"] for name in ("timetable", "known"))
    stops, regions = [], {}
    for region, towns in of.towns.groupby("command_group", sort=False):
        tables = study.result(regional, str(towns.index[0]), str(region))
        people, *others = (show(study, table, headings[part]).data for part, table in tables.items())
        regions[str(region)] = [people, day, *others]
        names = listed(study, (label(study, "caravan_stop", stop) for stop in towns.index))
        own = text("region", region=label(study, "command_group", region), stops=names)
        for stop in towns.index:
            cells = plan.cells(stop).set_index("category")
            position, date, spoken = (format_cell(plan, study, cells.loc[x]) for x in ("position", "date", "language"))
            lines = [own, text("when", position=position, date=date, spoken=spoken)]
            before = known.cell(stop, "date") if known.state == "shown" else None
            if before is not None and before["estimate"] == before["estimate"]:
                lines.append(text("known", date=format_cell(known, study, before)))
            lines.append(differences(study, tables["people"], "brief_line"))
            title = text("title", stop=label(study, "caravan_stop", stop))
            stops.append({"href": href(stop), "title": title, "lines": lines, "region": str(region)})
    banner = study.text("banner") if study.is_standin else ""
    words = {"headings": list(headings.values()), "banner": banner, "ask": text("ask"), "back": text("back")}
    return {"stops": stops, "regions": regions, **words}


def pages(handed: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What the template needs for each stop of what a notebook handed on in one language, its tables sanitised."""
    safe = {region: [Markup(markup.table(html)) for html in tables] for region, tables in handed["regions"].items()}
    for stop in handed["stops"]:
        yield {**handed, **stop, "parts": list(zip(handed["headings"], safe[stop["region"]], strict=True))}
