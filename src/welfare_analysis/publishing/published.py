"""The one way from results to pages: a table that is asked for here records itself as published.

A page is made in a process of its own. Each table that it shows, draws or speaks of is written to the file that
`PUBLISHED` names when the page first asks for it; the report joins the files of all pages (`disclosure.registry`).
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from .. import results
from ..disclosure import Lazy, Release, Released
from ..disclosure.registry import rows
from ..study import Study

PUBLISHED = "WELFARE_PUBLISHED"  # the variable that names the file of a page


class Registry:
    """Tables that this process published, by id."""

    def __init__(self) -> None:
        self.tables: dict[str, Released] = {}

    def record(self, table: Released) -> Released:
        """Note that a table is published, and return it; it is written once."""
        if self.tables.get(table.id) is not table:
            self.tables[table.id] = table
            if place := os.environ.get(PUBLISHED):
                path = Path(place)
                path.touch(mode=0o600)
                rows(table).to_csv(path, mode="a", header=path.stat().st_size == 0, index=False, float_format="%.12g")
        return table


REGISTRY = Registry()


def release(study: Study) -> Lazy:
    """Every table that may be shown, recorded when it is asked for."""
    every = results.release(study)
    return Lazy({name: partial(_recorded, every, name) for name in every})


def _recorded(every: Release, name: str) -> Released:
    return REGISTRY.record(every[name])
