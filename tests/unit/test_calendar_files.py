"""Calendar files: what another program reads in them."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar, Event

from recommender.calendar_files import calendar_of, feed_of, one_line

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SUMMER = timezone(timedelta(hours=2))


@dataclass(frozen=True)
class Meeting:
    """A meeting with more than a calendar may know."""

    id: str = "m1"
    starts_at: datetime = datetime(2027, 6, 1, 10, 30, tzinfo=SUMMER)
    minutes: int = 45
    place: str = "Kamer 3; tweede gang, links"
    reason: str = "my own words"


def read(data: bytes) -> tuple[Calendar, Event]:
    """Return a file with one event as icalendar reads it."""
    calendar = Calendar.from_ical(data)
    (event,) = calendar.events
    return calendar, event


@pytest.mark.parametrize("cancelled", [False, True])
def test_another_program_reads_the_same(cancelled: bool) -> None:
    """Everything a calendar needs, the times in UTC."""
    data = calendar_of(
        Meeting(), ("Anneke", "Sanne"), 3, cancelled, "nl", "post@a.example", attendee="anneke@a.example", now=NOW
    )
    calendar, event = read(data)
    assert (calendar["VERSION"], calendar["METHOD"]) == ("2.0", "CANCEL" if cancelled else "REQUEST")
    assert calendar["PRODID"]
    assert (event["UID"], int(event["SEQUENCE"])) == ("m1@telemachos", 3)
    assert event["DTSTART"].dt == datetime(2027, 6, 1, 8, 30, tzinfo=UTC)
    assert event["DTEND"].dt == datetime(2027, 6, 1, 9, 15, tzinfo=UTC)
    assert event["DTSTAMP"].dt == NOW
    assert event["STATUS"] == ("CANCELLED" if cancelled else "CONFIRMED")
    assert event["SUMMARY"] == "Samen leren: Anneke, Sanne"
    assert event["LOCATION"] == "Kamer 3; tweede gang, links"
    assert (event["ORGANIZER"], event["ATTENDEE"]) == ("mailto:post@a.example", "mailto:anneke@a.example")
    assert b"DTSTART:20270601T083000Z\r\n" in data
    assert b"my own words" not in data


def test_a_moved_meeting_stays_the_same_one() -> None:
    """Same UID, later sequence: the old time goes from the calendar."""
    first = read(calendar_of(Meeting(), ("A", "B"), 0, False, "en", "p@a.example"))[1]
    moved = replace(Meeting(), starts_at=Meeting().starts_at + timedelta(days=1))
    second = read(calendar_of(moved, ("A", "B"), 1, False, "en", "p@a.example"))[1]
    assert first["UID"] == second["UID"]
    assert int(second["SEQUENCE"]) > int(first["SEQUENCE"])
    assert second["SUMMARY"] == "Learning together: A, B"


def test_feed_holds_several_meetings() -> None:
    """Each with its own state, in one file that asks nothing of anybody."""
    meetings = [(replace(Meeting(), id=f"m{n}"), ("A", "B"), n, n == 1) for n in range(3)]
    calendar = Calendar.from_ical(feed_of(meetings, "nl", NOW))
    assert calendar["METHOD"] == "PUBLISH"
    told = [(event["UID"], int(event["SEQUENCE"]), event["STATUS"]) for event in calendar.events]
    assert told == [
        ("m0@telemachos", 0, "CONFIRMED"),
        ("m1@telemachos", 1, "CANCELLED"),
        ("m2@telemachos", 2, "CONFIRMED"),
    ]
    assert not [event for event in calendar.events if "ATTENDEE" in event]
    assert list(Calendar.from_ical(feed_of([], "nl")).events) == []


@given(st.text(max_size=300), st.text(max_size=300))
def test_no_text_adds_a_line(name: str, place: str) -> None:
    """Whatever a name or place holds, the file has the same lines, none longer than a mail server or calendar takes."""
    name, place = (
        text.encode("utf-8", "ignore").decode() for text in (f"{name}\r\nATTENDEE:mailto:x@y.example", place)
    )
    data = calendar_of(replace(Meeting(), place=f"x{place}"), (name, "B"), 0, False, "nl", "p@a.example", now=NOW)
    _, event = read(data)
    assert "ATTENDEE" not in event
    assert event["SUMMARY"] == one_line(f"Samen leren: {name}, B")
    assert event["LOCATION"] == one_line(f"x{place}")
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    names = [line.split(b":")[0].split(b";")[0] for line in re.sub(rb"\r\n[ \t]", b"", data).split(b"\r\n")]
    assert len(names) == 17
