"""Dates of released tables as a file that programs of calendars read: iCalendar (RFC 5545)."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from IPython.display import Markdown, display

from ..study import Study
from .labels import cell_label
from .published import release

KIND = "text/calendar"
OCTETS = 75  # of a line at most; a longer one goes on in the next, behind a space
ESCAPED = {"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"}


def escaped(text: str) -> str:
    """A text as the value of a property."""
    return "".join(ESCAPED.get(letter, letter) for letter in text)


def folded(line: str) -> str:
    """A line of content in lines of at most `OCTETS` bytes of UTF-8; no letter is cut."""
    lines = [""]
    for letter in line:
        if len((lines[-1] + letter).encode()) > OCTETS:
            lines.append(" ")
        lines[-1] += letter
    return "\r\n".join(lines)


def icalendar(days: Iterable[tuple[str, datetime.date, str]], stamp: datetime.date) -> str:
    """A calendar of whole days: of each its name, its date, and what is written there.

    ``stamp`` is when it was made, for all events; a day of the data, so that the same plan gives the same file.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//welfare_analysis//caravan//EN", "CALSCALE:GREGORIAN"]
    for name, day, words in days:
        lines += ["BEGIN:VEVENT", f"UID:{name}-{day:%Y%m%d}@welfare-analysis.invalid"]
        lines += [f"DTSTAMP:{stamp:%Y%m%d}T000000Z"]
        lines += [f"DTSTART;VALUE=DATE:{day:%Y%m%d}", f"DTEND;VALUE=DATE:{day + datetime.timedelta(days=1):%Y%m%d}"]
        lines += [f"SUMMARY:{escaped(words)}", "TRANSP:TRANSPARENT", "END:VEVENT"]
    return "".join(f"{folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def calendar(study: Study) -> Markdown | None:
    """The timetable of the caravan as a calendar, to be downloaded from the page; why there is none."""
    table = release(study)["caravan_timetable"]
    if table.state != "shown":
        return Markdown(study.text(table.state))
    dates = table.cells("*", "date")
    days = [
        (stop, datetime.date.fromordinal(int(x)),
         study.text("caravan.event", stop=cell_label(table, study, "caravan_stop", stop)))
        for stop, x in dates[["caravan_stop", "estimate"]].itertuples(index=False)
    ]  # fmt: skip
    made = icalendar(days, days[0][1])
    display({KIND: made, "text/markdown": study.text("caravan.calendar")}, raw=True)
    return None
