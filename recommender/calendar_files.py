"""Meetings as calendar files (RFC 5545), with nothing in them but who, when and where."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from icalendar import Calendar, Event, vCalAddress

from recommender.wording import Language, say

PRODUCT = "-//Telemachos//reverse mentoring//NL"


class Meeting(Protocol):
    """What a calendar needs of a meeting."""

    @property
    def id(self) -> str:
        """Return what stays the same when the meeting is moved."""

    @property
    def starts_at(self) -> datetime:
        """Return when it starts."""

    @property
    def minutes(self) -> int:
        """Return how long it lasts."""

    @property
    def place(self) -> str:
        """Return where it is."""


def calendar_of(
    meeting: Meeting,
    names: Sequence[str],
    sequence: int,
    cancelled: bool,
    language: Language,
    organiser: str,
    *,
    attendee: str = "",
    now: datetime | None = None,
) -> bytes:
    """Return a file that puts one meeting in a calendar, or takes it out again.

    Parameters
    ----------
    meeting : Meeting
        When and where.
    names : sequence of str
        First names of the two.
    sequence : int
        How often the meeting was changed: calendars keep the highest.
    cancelled : bool
        Whether to take it out.
    language : {"nl", "en"}
        Of the title.
    organiser : str
        Address that the programme writes from.
    attendee : str, optional
        Address of the reader; nobody else's is in the file.
    now : datetime, optional
        When the file is made.
    """
    calendar = _calendar("CANCEL" if cancelled else "REQUEST")
    event = _event(meeting, names, sequence, cancelled, language, now)
    if organiser:
        event.add("organizer", vCalAddress(f"mailto:{organiser}"))
    if attendee:
        event.add("attendee", vCalAddress(f"mailto:{attendee}"))
    calendar.add_component(event)
    return _bytes(calendar)


def feed_of(
    meetings: Iterable[tuple[Meeting, Sequence[str], int, bool]], language: Language, now: datetime | None = None
) -> bytes:
    """Return several meetings in one file: each with its names, its sequence, and whether it was cancelled."""
    calendar = _calendar("PUBLISH")
    for meeting, names, sequence, cancelled in meetings:
        calendar.add_component(_event(meeting, names, sequence, cancelled, language, now))
    return _bytes(calendar)


def _calendar(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    return calendar


def _event(
    meeting: Meeting, names: Sequence[str], sequence: int, cancelled: bool, language: Language, now: datetime | None
) -> Event:
    event = Event()
    starts = meeting.starts_at.astimezone(UTC)
    event.add("uid", f"{meeting.id}@telemachos")
    event.add("dtstamp", (now or datetime.now(UTC)).astimezone(UTC))
    event.add("dtstart", starts)
    event.add("dtend", starts + timedelta(minutes=meeting.minutes))
    event.add("sequence", sequence)
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("summary", one_line(say("calendarfile.summary", language, names=", ".join(names))))
    if meeting.place:
        event.add("location", one_line(meeting.place))
    return event


def one_line(text: str, most: int = 200) -> str:
    r"""Return a text without breaks and signs that don't show, cut off where it is long.

    Examples
    --------
    >>> one_line("Jan\r\nBcc: all")
    'Jan Bcc: all'
    """
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:most]


def _bytes(calendar: Calendar) -> bytes:
    data: bytes = calendar.to_ical()
    return data
