"""How a letter is worded: plain text of the catalogue in the reader's language, made when the letter leaves.

A letter carries names, a subject and a moment: never what somebody wrote.
"""

import hashlib
import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from recommender.calendar_files import calendar_of, one_line
from recommender.domain import JuniorId, Person, SeniorId, Side
from recommender.store import Store
from recommender.store.outbox import Appointment, Letter
from recommender.wording import LANGUAGES, Language, say

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ADDRESS = re.compile(r"[!#-'*+/-9=?A-Z^-~-]+(\.[!#-'*+/-9=?A-Z^-~-]+)*@[\w-]+(\.[\w-]+)*")
"""What mail servers everywhere take; the part after the @ may have any letters."""
MOST = 80
"""Characters of a name or subject."""


class NoAddress(Exception):
    """The reader has no address that a letter can go to."""


class Outdated(Exception):
    """What the letter tells is no longer so."""


def check(letter: Letter) -> None:
    """Raise `KeyError` if there is no such letter, or a value that it fills in is missing."""
    for language in LANGUAGES:
        subject_of(letter, language), body_of(letter, language)


def why(error: tuple[str, str], language: Language) -> str:
    """Say why a letter did not leave, or a server can't be spoken with."""
    key, said = error
    return say(f"posterror.{key}", language, said=said)


def language_for(person: Person) -> Language:
    """Return the first of a person's languages that letters are written in, or Dutch."""
    return next((each for spoken in person.languages for each in LANGUAGES if each == spoken), "nl")


def reader_of(letter: Letter, store: Store) -> Person:
    """Return whom a letter is for; raise `UnknownPerson` when they are gone."""
    if letter.side is Side.SENIOR:
        return store.people.senior(SeniorId(letter.person_id))
    return store.people.junior(JuniorId(letter.person_id))


def subject_of(letter: Letter, language: Language) -> str:
    """Return the subject of a letter."""
    return one_line(say(f"mailsubject.{letter.kind}", language, **_shown(letter.values)))


def body_of(letter: Letter, language: Language, contact: str = "", when: datetime | None = None) -> str:
    """Return the text of a letter.

    Parameters
    ----------
    letter : Letter
        The kind and the values.
    language : {"nl", "en"}
        Of the reader.
    contact : str, optional
        Whom to ask.
    when : datetime, optional
        Moment of the meeting as it stands now, instead of that in the values.
    """
    values = _shown(letter.values)
    lines = [say(f"mailbody.{letter.kind}_{letter.side}", language, **values)]
    if values.get("topic"):
        lines.append(say("mailpart.topic", language, topic=values["topic"]))
    if when is None and values.get("when"):
        when = datetime.fromisoformat(values["when"])
    if when:
        lines.append(say("mailpart.when", language, when=moment(when, language)))
    if values.get("until"):
        lines.append(say("mailpart.until", language, until=day(datetime.fromisoformat(values["until"]), language)))
    asked = say("mailpart.contact", language, contact=one_line(contact)) if contact else say("mailpart.ask", language)
    parts = [say(f"mailpart.hello_{letter.side}", language, **values), *lines, asked, say("mailpart.end", language)]
    return "\n\n".join(parts) + "\n"


def compose(letter: Letter, store: Store, sender: str, now: datetime) -> tuple[EmailMessage, str]:
    """Return a letter as it leaves, and the address it goes to.

    Raises
    ------
    NoAddress
        If the reader has no address, or one that no server takes.
    Outdated
        If it is about a meeting that is gone or was cancelled since, or asks something of somebody or of a pair that
        no longer holds.
    UnknownPerson
        If the reader is gone.
    """
    person = reader_of(letter, store)
    language = language_for(person)
    to = address(person.email)
    meeting = _meeting(letter, store)
    if not _holds(letter, person, store, now):
        raise Outdated
    message = EmailMessage(policy=SMTP)
    message["From"] = Address("Telemachos", addr_spec=sender)
    message["To"] = Address(one_line(person.name, MOST), addr_spec=to)
    message["Subject"] = subject_of(letter, language)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id(letter.id, sender)
    message["Auto-Submitted"] = "auto-generated"  # so that no holiday reply comes back
    when = meeting.starts_at if meeting else None
    text = body_of(letter, language, store.facts.programme().contact, when)
    message.set_content(text, charset="utf-8", cte="quoted-printable")
    if meeting:
        _attach(message, meeting, store, language, sender, to, now)
    return message, to


def message_id(key: str, sender: str) -> str:
    """Return the name of a letter among all letters of the world: always the same, so that servers know it again."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{sender.rpartition('@')[2]}>"


def address(email: str) -> str:
    """Return an address as servers take it; raise `NoAddress` when it is none.

    Examples
    --------
    >>> address("sanne@müller.example")
    'sanne@xn--mller-kva.example'
    """
    if not ADDRESS.fullmatch(email) or len(email) > 254:
        raise NoAddress
    local, _, domain = email.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError as error:
        raise NoAddress from error


def day(at: datetime, language: Language) -> str:
    """Return a day in words."""
    local = at.astimezone()
    weekday, month = say(f"day.{DAYS[local.weekday()]}", language), say(f"month.{local.month}", language)
    return f"{weekday} {local.day} {month} {local.year}"


def moment(at: datetime, language: Language) -> str:
    """Return a day in words, with the time of the clock."""
    return f"{day(at, language)}, {at.astimezone():%H:%M}"


def _shown(values: dict[str, str]) -> dict[str, str]:
    return {name: one_line(value, MOST) for name, value in values.items()}


def _meeting(letter: Letter, store: Store) -> Appointment | None:
    if letter.attachment is None:
        return None
    meeting = store.outbox.appointment(letter.attachment["meeting"])
    if meeting is None or (meeting.state == "cancelled") != (letter.kind == "meeting_cancelled"):
        raise Outdated
    return meeting


ASKS = {"invitation": "invited", "reminder": "invited", "check_in": "active", "meeting": "active"}
"""Letters that ask something, and the state in which the pair must still be."""


def _holds(letter: Letter, person: Person, store: Store, now: datetime) -> bool:
    """Tell whether what a letter asks can still be done: by somebody who takes part, in a pair that waits for it."""
    if letter.kind not in ASKS:
        return True
    until = letter.values.get("until")
    over = until is not None and datetime.fromisoformat(until).date() < now.date()
    state = store.outbox.pair_state(letter.id)
    return person.active and person.consent and not over and state in (None, ASKS[letter.kind])


def _attach(
    message: EmailMessage,
    meeting: Appointment,
    store: Store,
    language: Language,
    sender: str,
    to: str,
    now: datetime,
) -> None:
    senior, junior = store.people.senior(SeniorId(meeting.senior_id)), store.people.junior(JuniorId(meeting.junior_id))
    names = [first_name(senior), first_name(junior)]
    cancelled = meeting.state == "cancelled"
    data = calendar_of(meeting, names, meeting.sequence, cancelled, language, sender, attendee=to, now=now)
    method = "CANCEL" if cancelled else "REQUEST"
    message.add_attachment(
        data,
        maintype="text",
        subtype="calendar",
        filename=say("calendarfile.name", language),
        params={"method": method, "charset": "utf-8"},
    )


def first_name(person: Person) -> str:
    """Return what a person is called by."""
    return (one_line(person.name, MOST).split() or [""])[0]
