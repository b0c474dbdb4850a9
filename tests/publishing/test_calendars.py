"""Calendars: lines as RFC 5545 wants them."""

import datetime

import pytest

from welfare_analysis.publishing.calendars import escaped, folded, icalendar

DAY = datetime.date(2012, 10, 31)


def test_a_calendar_has_the_shape_of_the_standard():
    """Lines end with CRLF, none is over 75 bytes, and each event has what it must, its end the day after."""
    long = "القافلة: " + "محطة بعيدة، " * 12
    made = icalendar([("nador", DAY, "Caravan: Nador"), ("dakhla", DAY, long)], DAY)
    assert made.endswith("END:VCALENDAR\r\n")
    assert "\n" not in made.replace("\r\n", "")
    lines = made.split("\r\n")[:-1]
    assert max(len(line.encode()) for line in lines) <= 75
    whole = made.replace("\r\n ", "").split("\r\n")[:-1]
    assert whole[:3] == ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//welfare_analysis//caravan//EN"]
    assert f"SUMMARY:{escaped(long)}" in whole
    for name in ("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY"):
        assert sum(line.startswith(name) for line in whole) == 2
    assert whole.count("BEGIN:VEVENT") == whole.count("END:VEVENT") == 2
    assert "DTSTART;VALUE=DATE:20121031" in whole
    assert "DTEND;VALUE=DATE:20121101" in whole
    uids = [line for line in whole if line.startswith("UID")]
    assert len(set(uids)) == 2


@pytest.mark.parametrize(("text", "value"), [("a, b; c", "a\\, b\\; c"), ("a\\b", "a\\\\b"), ("a\nb", "a\\nb")])
def test_marks_of_the_format_are_escaped(text, value):
    """Commas, semicolons, backslashes and ends of lines of a text end no property."""
    assert escaped(text) == value


def test_a_folded_line_unfolds_to_itself():
    """Without the line ends and the space behind each, the line is what it was."""
    line = "SUMMARY:" + "é" * 200
    assert folded(line).replace("\r\n ", "") == line
