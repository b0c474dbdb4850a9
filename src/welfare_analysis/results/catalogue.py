"""All tables of a study under one name each, made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from ..disclosure import CATEGORY, NUMBERS, Lazy, Released, combined, declared, document
from ..study import DATA, Study, public
from . import agreements, caravan, descriptive, headlines, stored
from .declare import Topic, withheld
from .kept import kept

MODULES = ("quality", "weights", "recheck", "multiverse", "conditions", "deprivation", "adjusted", "aspirations",
           "burdens", "segments", "satisfaction", "priorities", "homes", "loans", "transport", "what_if", "rail",
           "services", "five", "agreements", "package", "caravan")  # fmt: skip
TOPICS: dict[str, Topic] = {
    topic.name: topic
    for module in (import_module(f".{name}", __package__) for name in MODULES)
    for topic in (*vars(module).values(), *getattr(module, "TOPICS", {}).values())
    if isinstance(topic, Topic)
}

# where the population is invented, followed up, or seen again
WHERE_KNOWN = ("headlines_nature", "truth", "nonresponse_tipping", "recheck_found")
DISPLAYS = pd.read_csv(DATA / "displays.csv")  # a line a cell: where it stands, and its address


def release(study: Study) -> Lazy:
    """Every table that may be shown."""
    return study.result(_release)


def _release(study: Study) -> Lazy:
    plan = study.result(descriptive.descriptive)
    makers: dict[str, Callable[[], Released]] = {name: partial(plan.__getitem__, name) for name in plan}
    parts = (topic.release(study) for topic in TOPICS.values())
    for part in (*parts, stored.documents(study)):
        makers |= part.makers
    makers |= {name: partial(study.result, make) for name, make in COMBINED.items()}
    lazy = {name: partial(kept, study, name, make) for name, make in makers.items()}
    return Lazy(lazy | {name: partial(_withheld, lazy[name]) for name in withheld()})


def _withheld(make: Callable[[], Released]) -> Released:
    """A table without numbers: what else is published would give its hidden cells away."""
    return make().without_numbers("withheld")


def display(study: Study, name: str) -> Released:
    """Cells of other tables side by side, as ``data/displays.csv`` lists them.

    What is known of the stand-in alone, or of those who were followed up, stands where it is known (`WHERE_KNOWN`).
    ``headlines``: how many, what share, how sure. ``costs``: for one person concerned and a month, and their sum.
    ``demand_reconciled``: the numbers of homes and housing loans of several pages.
    """
    plan, cells, parts = release(study), DISPLAYS[DISPLAYS["table"] == name], {}
    for row, column, address in cells[["row", "column", "address"]].itertuples(index=False):
        table, *codes = address.split("|")
        of_all = table not in WHERE_KNOWN
        if of_all or (plan[table].state == "shown" and plan[table].cell(*codes) is not None):
            parts[row, column] = (plan[table], *codes)
    if name == "agreements_use":
        parts = with_own(parts, plan["agreements_forecast"])
    return combined(name, parts, cells["key"].iloc[0])


def with_own(parts: dict[tuple[str, str], Any], own: Released) -> dict[tuple[str, str], Any]:
    """Cells of agreements in the place of those whose terms a file of one's own changes, and those that it adds."""
    changed = agreements.of_ones_own()
    kept = {at: address for at, address in parts.items() if at[0] not in changed}
    cells = own.frame[[agreements.KEY, CATEGORY]].astype(str).to_numpy() if own.state == "shown" else []
    return kept | {(row, column): (own, row, column) for row, column in cells}


# columns of the tracker, in order
TRACKED = ("finding", "to_do", "desk", "within", "expected_of", "expected", "indicator", "now", "seen", "shows",
           "evidence")  # fmt: skip
POINTS = {"share": "share_points"}  # the unit of a difference, where it is another
BY_PERSON = ("persons", "homes")  # units of numbers that are set against each other
MARKED = ("unit", "step", "flag")  # of a cell, beside its numbers


def regional(study: Study) -> pd.DataFrame:
    """Released cells by region, for the lines of all briefs."""
    return caravan.regional(release(study), public("caravan_brief"))


def brief(study: Study, stop: str = "", name: str = "own_brief") -> Released:
    """The brief of a stop of the caravan (`caravan.brief`); that of the worked one where none is named."""
    return _at_stop(study, caravan.brief, regional, stop, name, "not_asked")


def heard(study: Study, stop: str = "", name: str = "own_heard") -> Released:
    """What is asked in the region of a stop beside what its members need (`caravan.heard`); as `brief`."""
    return _at_stop(study, caravan.heard, release, stop, name, caravan.NO_LOG)


def _at_stop(
    study: Study, make: Callable[..., Released | None], of_what: Callable[[Study], Any], stop: str, name: str, none: str
) -> Released:
    of, blank = study.result(caravan.tour), declared(name, "document", "", (), "")
    if of is None:
        return blank.without_numbers(caravan.ELSEWHERE)
    made = make(study.result(of_what), of, stop or caravan.worked(of), name)
    return blank.without_numbers(none) if made is None else made


def tracker(study: Study) -> Released:
    r"""What follows from findings, a line of ``data/public/tracker.csv`` each: action, owner, date, next indicator.

    What the report expects of an action is a released cell of the page that forecasts it, in its own unit; where no
    page does, the line says so. A target is for the institution to set: between low and high, the interval of the
    indicator now, no change below :math:`\sqrt{2} (high - low) / 2` shows in a further measurement like this one; two
    digits of it are given, rounded up. What is expected is a change, or where it is a cell of the indicator's table
    that number from then on; whether it would show is said where both count persons or homes. All numbers are computed
    from released ones.
    """
    every, key = release(study), "tracker_finding"
    rows: list[dict[str, Any]] = []
    for line in public("tracker").fillna("").to_dict("records"):
        code, cells = line[key], {"within": {"estimate": line["months"], "unit": "months"}}
        words = {"to_do": f"tracker.action.{code}", "indicator": f"tracker.indicator.{code}",
                 "desk": f"desk:{line['desk']}", "evidence": f"evidence.{line['kind']}",
                 "expected_of": f"tracker.expected.{code if line['expected'] else 'none'}"}  # fmt: skip
        for column, name in {"finding": "address", "now": "indicator", "expected": "expected"}.items():
            table, *codes = line[name].split("|")
            if not table:
                continue
            cell = every[table].cell(*codes) if every[table].state == "shown" else None
            if cell is not None:
                cells[column] = {"unit": every[table].unit} | cell.reindex([*NUMBERS, *MARKED]).dropna().to_dict()
            elif every[table].state != "shown":
                words[column] = every[table].state
        if "estimate" in (now := cells.get("now", {})):
            least = np.sqrt(2) * (now["high"] - now["low"]) / 2
            step = 10.0 ** np.floor(np.log10(max(least, 1e-9)) - 1)
            unit = POINTS.get(now["unit"], now["unit"])
            seen = np.ceil(least / step) * step
            cells["seen"] = {"estimate": seen, "unit": unit, "flag": now.get("flag", "")}
            if unit in BY_PERSON and "estimate" in (new := cells.get("expected", {})):
                level = line["expected"].split("|")[0] == line["indicator"].split("|")[0]
                change = new["estimate"] - (now["estimate"] if level else 0)
                words["shows"] = f"yes_no:{'yes' if change >= seen else 'no'}"
        cells |= {column: {"estimate": 0.0, "text": text} for column, text in words.items()}
        rows += [{key: code, "measure": name, "flag": "", **cells[name]} for name in TRACKED if name in cells]
    frame = pd.DataFrame(rows, columns=[key, "measure", "text", *NUMBERS, *MARKED])
    frame = frame.assign(**{end: frame[end].astype(float).fillna(frame["estimate"]) for end in NUMBERS})
    return document("caravan_tracker", frame, [key], "measure")


COMBINED: dict[str, Callable[[Study], Released]] = {
    "headlines_nature": headlines.nature,
    "truth": headlines.truth,
    **caravan.TABLES,
    "caravan_brief": partial(brief, name="caravan_brief"),
    "listening_stop": partial(heard, name="listening_stop"),
    "caravan_tracker": tracker,
    **{name: partial(display, name=name) for name in DISPLAYS["table"].unique()},
}


def listed() -> pd.DataFrame:
    """All tables: name, its rows and columns, its unit, and the function that makes it; ``data/tables.csv``."""
    rows = [
        (table.id, "|".join(table.by), "", table.unit, f"release.csv: {table.statistic} of {table.variable}")
        for table in map(descriptive.blank_of, pd.read_csv(descriptive.PLAN, keep_default_na=False).to_dict("records"))
    ]
    for topic in TOPICS.values():
        for name, one in topic.tables.items():
            rows.append((topic.address(name), "|".join(one.rows), one.across, one.unit, source_of(one.make)))
    others = {**COMBINED, **stored.DOCUMENTS, **stored.INSTRUMENT}
    rows += [(name, "", "", "", source_of(make)) for name, make in others.items()]
    return pd.DataFrame(rows, columns=["table", "rows", "across", "unit", "made_by"])


def source_of(make: Any) -> str:
    """Module and name of the function that makes a table."""
    function = make.func if isinstance(make, partial) else make
    return f"{function.__module__.removeprefix('welfare_analysis.')}.{function.__name__}"
