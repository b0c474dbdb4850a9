"""Forms as they were reviewed where they were collected: rejected ones do not count, and a form counts once."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from ...errors import WelfareError
from .faults import STRIDE, fault
from .layout import Cells
from .programs import ADDED, FORM_KEYS, NOT_ASKED, VERSIONS
from .spelling import fold, listed, texts

REVIEWS = ("_validation_status", "ReviewState", "review_status", "interview__status")
SUBMITTED = "submitdate"  # of LimeSurvey, which exports forms that were begun too
KNOWN = ("not reviewed", "approved", "on hold", "has issues", "edited", "completed", "rejected", "not completed")
STATES = {"": "not reviewed", **{text: state for state in KNOWN for text in listed(f"state {state}")}}
LEFT_OUT = ("rejected", "not completed", "not submitted")


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
        own = texts(frame[ADDED + name]).map(lambda text: fold(text).replace(" ", "").removeprefix("validationstatus"))
        rule = f"a review state: {', '.join(KNOWN)}"
        todo = "Correct the state where the forms are collected, and export again."
        faults.append(fault(~own.isin(list(STATES)), ADDED + name, "", rule, todo))
        states = states.mask(states.isin(["", "not reviewed"]), own.map(STATES).fillna("not reviewed"))
    if ADDED + SUBMITTED in frame:
        states = texts(frame[ADDED + SUBMITTED]).map(lambda text: "submitted" if text else "not submitted")
    counts = {str(state): int(n) for state, n in states[states != ""].value_counts().items()}
    out = states.isin(LEFT_OUT)
    if out.any() and out.all():
        raise WelfareError("every form was rejected or not completed", where=cells.path.name, expected="one form")
    seen = set(counts) - {"not reviewed", "submitted"}
    ending = {state: ", left out" if state in LEFT_OUT else "" for state in counts}
    notes = [("", f"forms in review: {state}{ending[state]}", n) for state, n in counts.items() if seen]
    # those of repeated groups say their own place, and rows of their own sheet
    faults = [part if "letter" in part else part[~part["row"].isin(frame.index[out])] for part in faults]
    return replace(cells, frame=frame[~out], notes=[*cells.notes, *notes], faults=faults, reviews=counts)


def without_added(cells: Cells) -> Cells:
    """The cells without the columns of a program but for the key; versions of the form are noted."""
    frame, notes = cells.frame, list(cells.notes)
    added = [name for name in frame if str(name).startswith(ADDED)]
    if ADDED + "interview__key" in added:
        frame = frame.astype(object).mask(frame.astype(str).isin(NOT_ASKED), "")
    for name in (n for n in VERSIONS if ADDED + n in frame):
        count = texts(frame[ADDED + name]).replace("", pd.NA).nunique()
        notes += [(name, "versions of the form among the answers", count)] if count > 1 else []
    keys = next((texts(frame[n]).rename(n) for n in (ADDED + key for key in FORM_KEYS) if n in frame), cells.keys)
    if added:
        notes.append(("", "columns of the collecting program left out", len(added)))
    return replace(cells, frame=frame.drop(columns=added), notes=notes, keys=keys)


def once(cells: Cells) -> Cells:
    """The cells of one file or of several; a form that came twice is a fault."""
    own = [source.keys.set_axis(source.keys.index + i * STRIDE) for i, source in enumerate(cells.sources or (cells,))]
    keys, rule = pd.concat(own), "each form once; an earlier row is the same form"
    again = keys.duplicated() & (keys != "")
    faults = [fault(again[part.index], str(part.name), "", rule, "Remove the row.") for part in own]
    return replace(cells, faults=[*cells.faults, *faults])
