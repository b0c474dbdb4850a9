"""The one way from results to pages: a table that is asked for here records itself as published.

A page is made in a process of its own. Each table that it shows, draws or speaks of is written to the file that
`PUBLISHED` names when the page first asks for it; the report joins the files of all pages (`disclosure.registry`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from .. import results
from ..disclosure import Released
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


class Recorded(Mapping[str, Released]):
    """A release whose tables record themselves when they are asked for."""

    def __init__(self, release: Mapping[str, Released], record: Callable[[Released], Released]) -> None:
        self.release, self.record = release, record

    def __getitem__(self, name: str) -> Released:
        """Return a table, recorded."""
        return self.record(self.release[name])

    def __contains__(self, name: object) -> bool:
        """Whether there is a table of this name; it is not made, and so not recorded."""
        return name in self.release

    def __iter__(self) -> Iterator[str]:
        """Names of all tables."""
        return iter(self.release)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.release)


def release(study: Study) -> Recorded:
    """Every table that may be shown, recorded when it is asked for."""
    return Recorded(results.release(study), REGISTRY.record)
