"""SPSS and Stata: numbers as their value labels, user-missing values as blanks that are reported."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat

from ...errors import WelfareError
from .cells import USUAL_CODES
from .layout import MOST_COLUMNS, Cells, Known, Note, lettered, names_of
from .spelling import fold, listed, plain

MOST_CELLS = 100_000_000
NO_ANSWER = re.compile("|".join(listed("no answer label")))
READERS: dict[str, Callable[..., tuple[Any, Any]]] = {".sav": pyreadstat.read_sav, ".dta": pyreadstat.read_dta}


def statistical_cells(path: Path, known: Known) -> Cells:
    """The cells of an SPSS or Stata file, by its ending."""
    read = READERS[path.suffix.lower()]
    try:
        _, facts = read(str(path), metadataonly=True)
        if facts.number_columns > MOST_COLUMNS:
            raise WelfareError("too many columns", where=path.name, got=facts.number_columns)
        if (facts.number_rows or 0) * facts.number_columns > MOST_CELLS:
            raise WelfareError("the file has too many cells", where=path.name, expected=f"at most {MOST_CELLS:,}")
        columns, facts = read(str(path), user_missing=True, output_format="dict")
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeError, ValueError, OverflowError) as error:
        what = "the file cannot be read as its name says"
        raise WelfareError(what, where=path.name, got=str(error).strip()[:120]) from None
    notes: list[Note] = []
    texts = []
    header = _named(list(columns), [facts.column_names_to_labels.get(name) or "" for name in columns], known)
    for name, own, values in zip(columns, header, columns.values(), strict=True):
        labels = {_plain(code): text for code, text in facts.variable_value_labels.get(name, {}).items()}
        if own in known.numeric:
            labels = {code: text for code, text in labels.items() if not _is_number(code, text)}
        cells = [_plain(value) for value in values]
        ranges, letters = facts.missing_ranges.get(name, []), set(facts.missing_user_values.get(name, []))
        said = {c for c, text in labels.items() if fold(text) in known.missing or not NO_ANSWER.search(fold(text))}
        blank = [_missing(cell, ranges, letters) and cell not in said for cell in cells]
        if any(blank):
            notes.append((own, "user-missing values read as blanks", sum(blank)))
        if any(cell in labels for cell in cells):
            notes.append((own, "value labels read for their codes", 1))
        written = ["" if b else labels.get(cell, cell) for cell, b in zip(cells, blank, strict=True)]
        texts.append(pd.Series(written, dtype="str" if all(isinstance(c, str) for c in written) else object))
    frame = pd.DataFrame(dict(enumerate(texts)))
    frame = frame.set_axis(range(2, len(frame) + 2), axis=0)
    return Cells(path, frame.set_axis(header, axis=1), notes=notes, letters=lettered(header))


def _named(names: list[str], labels: list[str], known: Known) -> list[str]:
    """Names of columns: what a variable is called, or what its label asks where its name is not known."""
    header, said = names_of(names, known), names_of(labels, known)
    return [s if h not in known and s in known and s not in header else h for h, s in zip(header, said, strict=True)]


def _is_number(code: Hashable, label: str) -> bool:
    """Whether a labelled value of a question that asks for a number is that number (``9 et plus``).

    It is none where its label is a kind of missing, or where it is a usual code for that and the label does not say it.
    """
    said = plain(code) in re.findall(r"\d+", label)
    return said or not (NO_ANSWER.search(fold(label)) or plain(code) in USUAL_CODES)


def _plain(value: object) -> Hashable:
    """A stored value: text, a number, or ``""``; dates as they are written."""
    value = value.item() if hasattr(value, "item") else value
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return ""
    return value if isinstance(value, str | int | float) else str(value)


def _missing(cell: Hashable, ranges: list[Mapping[str, Any]], letters: set[Hashable]) -> bool:
    """Whether a value was declared to be missing; -98 and -99 stay, since the codebook tells them apart."""
    if isinstance(cell, str):
        return cell in letters or any(cell == own["lo"] for own in ranges)
    number = float(str(cell))
    inside = any(not isinstance(own["lo"], str) and own["lo"] <= number <= own["hi"] for own in ranges)
    return inside and number not in (-98, -99)
