"""Sentences of page 12 that depend on conditions: an earlier tour, what distinguishes a stop's region, what follows."""

from __future__ import annotations

from collections.abc import Iterator

from ..disclosure import CATEGORY, Released
from ..planning.caravan import parameter
from ..results import caravan
from ..study import Study
from .labels import format_cell, label, listed
from .published import release
from .sentences import conditional, sentence


@conditional("caravan.reach", "caravan_stops")
def reach(study: Study, table: Released) -> Iterator[str]:
    """Who is near one of all stops and of a few, and between which shares that must be."""
    many = {"all": study.result(caravan.tour).towns, "some": range(int(parameter("few_stops")))}
    cells = {name: table.cells(str(len(stops))).iloc[0] for name, stops in many.items()}
    shares = {name: format_cell(table, study, cell) for name, cell in cells.items()}
    of = study.text(f"caravan.reach_{cells['all'][CATEGORY]}")
    yield sentence(study, "caravan.reach", of=of, towns=len(many["all"]), few=len(many["some"]), **shares)


def differences(study: Study, table: Released, key: str, prefix: str = "") -> str:
    """Which lines of a table are more and which are less frequent than in the rest, both shares; that none is seen."""
    said, cells = [], table.cells("*", f"{prefix}compared")
    for word in ("more", "less"):
        lines = []
        for code in cells.loc[cells["text"].eq(f"compared.{word}"), key]:
            sides = {side: format_cell(table, study, table.cell(code, prefix + side)) for side in ("region", "rest")}
            kind = "hope" if code.startswith("hope:") else "line"
            lines.append(study.text(f"caravan.of_{kind}", line=label(study, key, code), **sides))
        said += [study.text(f"caravan.{word}", lines=listed(study, lines, "semicolon"))] if lines else []
    return " ".join(said) or study.text("caravan.none")


@conditional("caravan.stop")
def stop(study: Study) -> Iterator[str]:
    """What most hope for in the region of the worked stop, and where it has more or less than the rest."""
    of, table = study.result(caravan.tour), release(study)["caravan_brief"]
    if of is None or table.state != "shown" or not table.frame["brief_line"].str.startswith("hope:").any():
        yield study.text(caravan.ELSEWHERE if of is None else release(study)["hopes_by_command_group"].silence)
        return
    cells = table.frame
    hopes = cells[cells["brief_line"].str.startswith("hope:") & (cells[CATEGORY] == "region")]
    best = hopes.iloc[0]
    yield study.text(
        "caravan.stop", town=label(study, "caravan_stop", caravan.worked(of)),
        top=listed(study, [label(study, "brief_line", best["brief_line"]), format_cell(table, study, best)]),
        differences=differences(study, table, "brief_line"),
    )  # fmt: skip


@conditional("listening.nature")
def nature(study: Study) -> Iterator[str]:
    """Whether the log of questions is a file or invented; that there is none."""
    log = study.result(caravan.planning.questions)
    kind = "none" if log.empty else "invented" if log["invented"].any() else "own"
    yield study.text(f"listening.{kind}")


@conditional("caravan.asked")
def asked(study: Study) -> Iterator[str]:
    """What is asked most at the stops of the worked stop's region, and what more or less often than elsewhere."""
    of, table = study.result(caravan.tour), release(study)["listening_stop"]
    if of is None or table.state != "shown":
        yield study.text(table.state)
        return
    yield sentence(
        study, "caravan.asked", town=label(study, "caravan_stop", caravan.worked(of)),
        differences=differences(study, table, "question_topic", "asked_"),
        nature=" ".join(nature(study)),
    )  # fmt: skip


@conditional("caravan.next")
def follows(study: Study) -> Iterator[str]:
    """How many actions follow, of how many the report says what to expect, and how much of that would show."""
    table = release(study)["caravan_tracker"]
    expected, shows = table.cells("*", "expected"), table.cells("*", "shows")["text"]
    fields = {"actions": table.frame["tracker_finding"].nunique(), "known": int(expected["text"].isna().sum())}
    fields |= {"small": int(shows.eq("yes_no:no").sum()), "counted": len(shows)}
    yield study.text("caravan.next", **fields)
