"""What differs between two records of a release, and which of it was listed as intended."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

import pandas as pd
from cells import HEADER, NUMBERS

RELATIVE = ABSOLUTE = 1e-9
LISTED = ["study", "table", "keys", "kind", "reason"]
KINDS = ("changed", "removed", "added", "text")
WHOLE = "(table)"  # in place of keys where a difference is one of the whole table


@dataclass(frozen=True)
class Difference:
    """One difference: of a cell, of a table (keys are ``(table)``), or of a page (keys are the fragment)."""

    study: str
    table: str
    keys: str
    kind: str
    what: str

    def __str__(self) -> str:
        """Where and what, on one line."""
        return f"{self.kind:8} {self.study} {self.table} [{self.keys}] {self.what}".rstrip()


def tables(study: str, old: pd.DataFrame, new: pd.DataFrame) -> Iterator[Difference]:
    """Tables and cells that are missing, further or changed; cells are matched by table and keys, in any order."""
    before, after = (dict(tuple(frame.groupby("table", sort=False))) for frame in (old, new))
    for name in [*before, *(n for n in after if n not in before)]:
        if name not in after or name not in before:
            kind = "removed" if name in before else "added"
            yield Difference(study, name, WHOLE, kind, f"{len((before | after)[name])} cells")
        else:
            yield from _cells(study, name, before[name], after[name])


def _cells(study: str, name: str, old: pd.DataFrame, new: pd.DataFrame) -> Iterator[Difference]:
    head = _changes(old.iloc[0][HEADER].to_dict(), new.iloc[0][HEADER].to_dict())
    if head:
        yield Difference(study, name, WHOLE, "changed", head)
    before, after = (frame.set_index("keys")[[*NUMBERS, "flag", "further"]].to_dict("index") for frame in (old, new))
    for keys in [*before, *(k for k in after if k not in before)]:
        if keys not in after:
            yield Difference(study, name, keys, "removed", f"was {_values(before[keys])}")
        elif keys not in before:
            yield Difference(study, name, keys, "added", f"is {_values(after[keys])}")
        else:
            what = _changes(_values(before[keys]), _values(after[keys]))
            if what:
                yield Difference(study, name, keys, "changed", what)


def _values(cell: dict[str, object]) -> dict[str, object]:
    """Values of a cell, its further columns among them."""
    further = json.loads(str(cell["further"])) if cell["further"] else {}
    return {**{k: v for k, v in cell.items() if k != "further"}, **further}


def _changes(old: dict[str, object], new: dict[str, object]) -> str:
    names = [*old, *(n for n in new if n not in old)]
    pairs = [(n, old.get(n, "nothing"), new.get(n, "nothing")) for n in names]
    return "; ".join(f"{n}: {a!r} -> {b!r}" for n, a, b in pairs if not same(a, b))


def same(old: object, new: object) -> bool:
    """Whether two values agree: numbers to the tolerance, a missing one with a missing one, all else exactly."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in (old, new)):
        both = math.isnan(old) and math.isnan(new)
        return both or math.isclose(old, new, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return type(old) is type(new) and old == new


def texts(study: str, old: pd.DataFrame, new: pd.DataFrame) -> Iterator[Difference]:
    """Fragments of pages that went, came, or are said more or less often; the table is ``language/page``."""
    place = ["language", "page", "fragment"]
    counts = pd.DataFrame({k: f.set_index(place)["count"] for k, f in {"old": old, "new": new}.items()}).fillna(0)
    changed = counts[counts["old"] != counts["new"]].astype(int).sort_index()
    for (language, page, fragment), (was, now) in zip(changed.index, changed.to_numpy(), strict=True):
        what = "added" if not was else "removed" if not now else "count"
        yield Difference(study, f"{language}/{page}", fragment, "text", f"{what}: {was} -> {now}")


def judged(found: list[Difference], listed: pd.DataFrame) -> tuple[list[Difference], pd.DataFrame]:
    """Differences that no line lists, and lines that list none: stale.

    ``study``, ``table`` and ``keys`` of a line are patterns, ``*`` for anything; of the kind ``text`` the table is
    ``language/page`` and the keys are the fragment.
    """
    lines = listed.to_dict("records")
    hits = [[_lists(line, difference) for line in lines] for difference in found]
    unlisted = [difference for difference, hit in zip(found, hits, strict=True) if not any(hit)]
    stale = [not any(hit[i] for hit in hits) for i in range(len(lines))]
    return unlisted, listed[stale]


def _lists(line: dict[str, str], found: Difference) -> bool:
    parts = ("study", "table", "keys")
    return line["kind"] == found.kind and all(fnmatchcase(getattr(found, p), line[p]) for p in parts)
