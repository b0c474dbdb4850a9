"""Forms as they were reviewed where they were collected: rejected ones do not count, and a form counts once."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import reduce

import pandas as pd

from ...errors import WelfareError
from ..doubts import ORPHANS
from .faults import STRIDE, fault
from .layout import SEPARATORS, Cells, Note
from .programs import ADDED, FORM_KEYS, NOT_ASKED, VERSIONS
from .spelling import fold, latin, listed, phrases, texts

REVIEWS = ("_validation_status", "ReviewState", "review_status", "interview__status")
SUBMITTED = "submitdate"  # of LimeSurvey, which exports forms that were begun too
KNOWN = ("not reviewed", "approved", "on hold", "has issues", "edited", "completed", "rejected", "not completed")
STATES = {"": "not reviewed", **{text: state for state in KNOWN for text in listed(f"state {state}")}}
LEFT_OUT = ("rejected", "not completed", "not submitted", "not agreed", ORPHANS)
CONSENT, AGREED, NOT_AGREED = listed("consent"), phrases("agreed"), phrases("not agreed")
TIMES = (("duration", ""), ("interviewtime", ""), ("start", "end"), ("starttime", "endtime"))  # seconds, or two times
# as the programs write a time, and spreadsheets after them
CLOCKS = ("ISO8601", "%b %d, %Y %I:%M:%S %p", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M")
ZONE = r"[T ]\d\d.*(?:Z|[+-]\d\d(?::?\d\d)?)$"
QUICK, LEAST_TIMED = 3, 10  # a form is quick in under a third of the middle time, of so many forms that say it


def reviewed(cells: Cells) -> Cells:
    """The forms that count, with how many came in each review state.

    Raises
    ------
    WelfareError
        If no form is left.
    """
    frame, faults = cells.frame, list(cells.faults)
    states = pd.Series("", index=frame.index)
    for name in (n for n in REVIEWS if ADDED + n in frame):
        own = texts(frame[ADDED + name]).map(_state)
        rule = f"a review state: {', '.join(KNOWN)}"
        todo = "Correct the state where the forms are collected, and export again."
        faults.append(fault(~own.isin(list(STATES)), ADDED + name, "", rule, todo))
        states = states.mask(states.isin(["", "not reviewed"]), own.map(STATES).fillna("not reviewed"))
    if ADDED + SUBMITTED in frame:
        dated = texts(frame[ADDED + SUBMITTED]).str.contains(r"\d")
        states = dated.map({True: "submitted", False: "not submitted"})
    for name in [name for name in frame if fold(re.split(SEPARATORS, str(name))[-1]) in CONSENT]:
        said = texts(frame[name]).map(fold)
        rule, todo = "yes or no", "Write whether the person agreed to answer."
        faults.append(fault(~said.isin([*AGREED, *NOT_AGREED, ""]), str(name), "", rule, todo))
        states, frame = states.mask(said.isin(list(NOT_AGREED)), "not agreed"), frame.drop(columns=name)
    counts = {str(state): int(n) for state, n in states[states != ""].value_counts().items()}
    out = states.isin(LEFT_OUT)
    if out.any() and out.all():
        raise WelfareError("every form was rejected or not completed", where=cells.path.name, expected="one form")
    seen = set(counts) - {"not reviewed", "submitted"}
    ending = {state: ", left out" if state in LEFT_OUT else "" for state in counts}
    notes = [("", f"forms in review: {state}{ending[state]}", n) for state, n in counts.items() if seen]
    # those of repeated groups say their own place, and rows of their own sheet
    faults = [part if "letter" in part else part[~part["row"].isin(frame.index[out])] for part in faults]
    counts |= cells.reviews
    return replace(cells, frame=frame[~out], notes=[*cells.notes, *notes], faults=faults, reviews=counts)


def _state(text: str) -> str:
    return fold(text).replace(" ", "").removeprefix("validationstatus").removesuffix(".0")


def without_added(cells: Cells) -> Cells:
    """The cells without the columns of a program but for the key; versions of the form are noted."""
    frame, notes = cells.frame, list(cells.notes)
    added = [name for name in frame if str(name).startswith(ADDED)]
    for codes in (codes for mark, codes in NOT_ASKED.items() if ADDED + mark in added):
        frame = frame.astype(object).mask(frame.astype(str).isin(codes), "")
    for name in (n for n in VERSIONS if ADDED + n in frame):
        count = texts(frame[ADDED + name]).replace("", pd.NA).nunique()
        notes += [(name, "versions of the form among the answers", count)] if count > 1 else []
    keyed = [ADDED + key for key in FORM_KEYS if ADDED + key in frame]
    own = [texts(frame[name]).str.removeprefix("uuid:").rename(name) for name in keyed]
    keys = reduce(lambda one, other: one.where(one != "", other), own) if own else cells.keys
    notes += _quick(frame)
    if added:
        notes.append(("", "columns of the collecting program left out", len(added)))
    return replace(cells, frame=frame.drop(columns=added), notes=notes, keys=keys)


def _quick(frame: pd.DataFrame) -> list[Note]:
    """Forms that were filled in much faster than the others, or whose times say nothing, where a program says them."""
    for names in ([ADDED + name for name in pair if name] for pair in TIMES):
        if not set(names) <= set(frame):
            continue
        given = [texts(frame[name]).map(latin) for name in names]
        seconds = _between(*given) if len(given) > 1 else _lasting(given[0])
        back, unread = seconds < 0, seconds.isna() & (pd.concat(given, axis=1) != "").all(axis=1)
        seconds = seconds.mask(back)
        middle = seconds.median()
        usual = f"{middle / 60:.0f} min" if middle >= 60 else f"{middle:.3g} as it is written"
        quick = (seconds * QUICK < middle) & (seconds.count() >= LEAST_TIMED)
        column = names[0].removeprefix(ADDED) if len(names) < 2 else ""
        whats = (
            ("", f"forms filled in in under a third of the middle time, {usual}", quick),
            (column, "forms that end before they begin", back),
            (column, "times that cannot be read, or of which one alone says its time zone", unread),
        )
        notes = [(where, f"{what}: rows {_rows(rows)}", int(rows.sum())) for where, what, rows in whats if rows.any()]
        if seconds.notna().any() or unread.any():
            return notes
    return []


def _rows(rows: pd.Series) -> str:
    named = [str(row) for row in rows.index[rows]]
    return ", ".join(named[:5]) + (" ..." if len(named) > 5 else "")


def _lasting(text: pd.Series) -> pd.Series:
    """Seconds, also from ``00:23:11``, ``23 min`` and ``PT23M``; a comma is decimal."""
    number = pd.to_numeric(text.str.replace(",", "."), errors="coerce")
    return number.fillna(pd.to_timedelta(text.where(number.isna() & (text != "")), errors="coerce").dt.total_seconds())


def _between(start: pd.Series, end: pd.Series) -> pd.Series:
    """Seconds between two times, both with their zone or both without."""
    times = []
    for text in (start, end):
        read = [pd.to_datetime(text, format=form, errors="coerce", utc=True) for form in CLOCKS]
        times.append(reduce(lambda one, other: one.fillna(other), read))
    zoned = [text.str.contains(ZONE) for text in (start, end)]
    return (times[1] - times[0]).dt.total_seconds().where(zoned[0] == zoned[1])


def once(cells: Cells) -> Cells:
    """The cells of one file or of several; a form that came twice is a fault."""
    own = [source.keys.set_axis(source.keys.index + i * STRIDE) for i, source in enumerate(cells.sources or (cells,))]
    keys, rule = pd.concat(own), "each form once; an earlier row is the same form"
    again = keys.duplicated() & (keys != "")
    todo = "Remove the row, or the earlier one if this is its correction."
    faults = [fault(again[part.index], str(part.name), "", rule, todo) for part in own]
    return replace(cells, faults=[*cells.faults, *faults])
