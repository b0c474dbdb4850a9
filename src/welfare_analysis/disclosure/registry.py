"""The registry of published cells: what is shown, drawn or said records itself, and nothing else is published.

Each page writes the tables that it uses (`publishing.published`), and the report joins these files to one,
``results.csv``: a row a cell, as printed, of hidden cells their keys and mark only. Whoever attacks what was published
needs no more than this file (`read`, `attack`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from .released import NUMBERS, Released

TABLE = ("table", "statistic", "variable", "by", "universe", "of", "state", "respondents", "missing_share")
CELL = ("keys", *NUMBERS, "step", "n", "flag", "unit", "text")
COLUMNS = [*TABLE[:5], *CELL, *TABLE[5:]]
COUNTED = "min_base, min_respondents, completion"  # rules of data/policy.csv, and `suppression.completed`
WHY = {"median": f"{COUNTED}, a side of the median", "count": "min_base, completion"}
WHY |= {"standards": f"{COUNTED}, neighbours", "mean": f"{COUNTED}, dominance", "total": f"{COUNTED}, dominance"}
WHY[""] = COUNTED  # of shares and models


def rows(table: Released) -> pd.DataFrame:
    """A table as rows of the registry; one without cells where it is not shown."""
    frame = table.frame if len(table.frame) else pd.DataFrame([{}])
    keys = [key for key in table.keys if key in frame]
    names = [
        "|".join(f"{key}={code}" for key, code in zip(keys, codes, strict=True))
        for codes in frame[keys].itertuples(index=False)
    ]
    cells = pd.DataFrame({name: frame.get(name, np.nan) for name in CELL}, index=frame.index)
    cells["unit"] = frame.get("unit", table.unit)
    cells["keys"] = names or [""]
    about = [table.id, table.statistic, table.variable, "|".join(table.by), table.where, table.of, table.state]
    counts = {"respondents": table.respondents, "missing_share": round(table.missing_share, 3)}
    return cells.assign(**dict(zip(TABLE, about, strict=False)), **counts)[COLUMNS]


def joined(pages: Mapping[str, Path]) -> pd.DataFrame:
    """The files of pages (by name of the page) as one table; a page without a file published nothing."""
    parts = [pd.read_csv(path, keep_default_na=False).assign(page=n) for n, path in pages.items() if path.exists()]
    return (
        (pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS))
        .reindex(columns=["page", *COLUMNS])
        .drop_duplicates()
    )


def log(cells: pd.DataFrame) -> pd.DataFrame:
    """What a file (`joined`) leaves out, by page and table: how many of its cells, and the rules that such a table has.

    It is made of the file alone, and the rules are those of a statistic: whoever has the file learns nothing from it,
    not even which cells fail a rule themselves and which are hidden beside them.

    Returns
    -------
    DataFrame
        Columns page, table, rule (`WHY`, or the state of a table without cells), hidden (cells left out) and cells (of
        the table; none where it has no cells).
    """
    known = cells.assign(rule=cells["flag"].where(cells["state"] == "shown", cells["state"]))
    known["rule"] = known["rule"].mask(known["rule"] == "hidden", known["statistic"].map(WHY).fillna(WHY[""]))
    placed = (known["flag"] == "hidden") & known["keys"].str.contains("command_group=")
    known["rule"] = known["rule"].mask(placed, known["rule"] + ", min_places")
    many = known.groupby(["page", "table"], sort=False)["table"].transform("size")
    known = known.assign(cells=many.where(cells["state"] == "shown", 0))
    out = known[~known["rule"].isin(["", "caution"])].groupby(["page", "table", "rule"], sort=False)["cells"]
    return out.agg(hidden="size", cells="first").reset_index()


def shown_share(cells: pd.DataFrame) -> pd.DataFrame:
    """By page, and of all: how many cells the tables of a file (`joined`) have, and the share of them with a number.

    ``before`` anything is hidden all have one that are sure enough; ``after`` it is what a reader sees.
    """
    known = cells[(cells["state"] == "shown") & (cells["of"] != "document")]
    parts = {"cells": 1.0, "before": known["flag"] != "unsure", "after": known["flag"].isin(["", "caution"])}
    has = pd.DataFrame(parts, known.index).astype(float)
    pages = has.groupby(known["page"].to_numpy()).agg({"cells": "sum", "before": "mean", "after": "mean"})
    pages.loc["all"] = [len(has), has["before"].mean(), has["after"].mean()]
    return pages.astype({"cells": int})


def read(path: Path) -> dict[str, Released]:
    """The tables of a file, as its readers have them."""
    table = pd.read_csv(path, keep_default_na=False, dtype=str)
    table = table.drop_duplicates([c for c in table if c != "page"])
    return {str(name): _released(group) for name, group in table.groupby("table", sort=False)}


def _released(group: pd.DataFrame) -> Released:
    first = group.iloc[0]
    shown = first["state"] == "shown"
    numbers = group[[*NUMBERS, "step", "n"]].apply(pd.to_numeric, errors="coerce")
    keys = pd.DataFrame(
        [dict(part.split("=", 1) for part in names.split("|") if part) for names in group["keys"]], index=group.index
    )
    frame = keys.join(numbers).assign(flag=group["flag"], unit=group["unit"]) if shown else pd.DataFrame()
    by = tuple(part for part in first["by"].split("|") if part)
    unit = str(first["unit"]) if group["unit"].nunique() == 1 else ""
    missing = pd.to_numeric(first["missing_share"], errors="coerce")
    return Released(
        first["table"], first["statistic"], first["variable"], by, unit, first["universe"], first["of"],
        frame.reset_index(drop=True), int(float(first["respondents"])), float(missing), first["state"],
    )  # fmt: skip
