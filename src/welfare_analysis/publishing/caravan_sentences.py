"""Sentences of page 12 that depend on conditions: what distinguishes a stop's region."""

from __future__ import annotations

from collections.abc import Iterator

from ..disclosure import CATEGORY, Released
from ..results import caravan
from ..study import Study
from .labels import format_cell, label, listed
from .published import release
from .sentences import conditional


@conditional("caravan.stop")
def stop(study: Study) -> Iterator[str]:
    """What most hope for in the region of the worked stop, and where it has more or less than the rest."""
    of, table, text = study.result(caravan.tour), release(study)["caravan_brief"], study.codebook.text
    if of is None or table.state != "shown" or not table.frame["brief_line"].str.startswith("hope:").any():
        yield text(
            caravan.ELSEWHERE if of is None else release(study)["hopes_by_command_group"].silence, study.language
        )
        return
    cells = table.frame
    hopes = cells[cells["brief_line"].str.startswith("hope:") & (cells[CATEGORY] == "region")]
    best = hopes.iloc[0]
    yield text(
        "caravan.stop", study.language, town=label(study, "caravan_stop", caravan.worked(of)),
        top=f"{label(study, 'brief_line', best['brief_line'])}, {format_cell(table, study, best)}",
        differences=differences(study, table),
    )  # fmt: skip


def differences(study: Study, brief: Released) -> str:
    """What a brief's region has more or less of than the rest of the country."""
    text, said = study.codebook.text, []
    for word in ("more", "less"):
        lines = brief.frame.loc[brief.frame["text"].eq(f"compared.{word}"), "brief_line"]
        names = listed(study, (label(study, "brief_line", line) for line in lines), "semicolon")
        said += [text(f"caravan.{word}", study.language, lines=names)] if names else []
    return " ".join(said) or text("caravan.none", study.language)
