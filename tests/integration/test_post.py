"""The post, against real mail servers on this machine: nothing goes twice, nothing is lost, and trouble shows."""

import asyncio
import logging
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from pydantic import SecretStr

from recommender.domain import Person, Side
from recommender.errors import Conflict, InputRefused, SettingRefused, StoreUnavailable
from recommender.letters import body_of, moment, subject_of, why
from recommender.post import Delivered, Post, ToQueue
from recommender.postman import Postman
from recommender.smtp import Smtp
from recommender.store import Store
from recommender.store.outbox import Letter
from recommender.wording import LANGUAGES, Language, catalogue
from tests.builders import a_junior, a_senior
from tests.mail_server import PASSWORD, USER, Behaviour, MailServer, Stage, Talk, free_port, who, with_certificate

HOLD = timedelta(minutes=10)
PATIENT = 20.0
"""Seconds for a server that answers: a busy machine may take some."""
START = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
SENIOR = a_senior(email="anneke@klant.example", languages=("nl",))
JUNIOR = a_junior(email="sanne@klant.example", languages=("en", "nl"))
VALUES = {"name": "Anneke", "other": "Sanne", "topic": "Excel", "until": "2027-12-11", "when": "2026-12-08T10:00+01:00"}
NAME = "Zoë Çelik-Łuczak 李"
BODIES = sorted(key.removeprefix("mailbody.") for key in catalogue() if key.startswith("mailbody."))


class Clock:
    """A clock that stands still until it is moved on."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now

    def on(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    """Give a clock."""
    return Clock()


@pytest.fixture
def store() -> Iterator[Store]:
    """Give a store with one senior and one junior."""
    made = Store(None)
    made.people.put([SENIOR, JUNIOR])
    yield made
    made.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., MailServer]]:
    """Start mail servers, and stop them at the end."""
    servers: list[MailServer] = []

    def start(behave: Behaviour | None = None, **options: Any) -> MailServer:
        servers.append(MailServer(behave, **options))
        return servers[-1]

    yield start
    for each in servers:
        each.stop()


def carrier(port: int, timeout: float = PATIENT, **changes: Any) -> Smtp:
    """Return the product's side of a line."""
    known: dict[str, Any] = {
        "security": "none",
        "user": "",
        "password": SecretStr(""),
        "sender": "post@telemachos.example",
    }
    return Smtp("127.0.0.1", port, timeout=timeout, **(known | changes))


def queue(
    post: Post, store: Store, key: str = "k1", person: Person = SENIOR, kind: str = "invitation", **more: Any
) -> str:
    """Queue one letter in a step of its own; return the step's id."""
    at = post._clock()
    with store.steps.step("tried", "co", at) as step:
        post.queue(step, key, person, kind, more.pop("values", VALUES), at, **more)
    return step.id


def state(post: Post, key: str = "k1") -> str:
    """Return how a letter is."""
    letter = post._store.outbox.letter(key)
    return letter.state if letter else "none"


def at_stage(stage: Stage, do: Callable[[Talk], Any]) -> Behaviour:
    """Return a server that does something at one stage, and is a good one until there."""

    async def behave(now: Stage, talk: Talk) -> str | None:
        if now != stage:
            return None
        done = do(talk)
        return await done if asyncio.iscoroutine(done) else done

    return behave


def says(answer: str) -> Callable[[Talk], str]:
    """Return a doing that answers so."""
    return lambda _: answer


def sleeps(seconds: float) -> Callable[[Talk], Any]:
    """Return a doing that keeps silent for a while."""
    return lambda _: asyncio.sleep(seconds)


# A good server


def test_letter_leaves_after_the_hold_and_once(store: Store, clock: Clock, serve: Any) -> None:
    """Not before, and however often the postman comes."""
    server = serve()
    post = Post(store, carrier(server.port), clock, HOLD)
    queue(post, store)
    clock.on(minutes=9)
    assert post.deliver() == Delivered()
    clock.on(minutes=1)
    assert post.deliver() == Delivered(sent=1)
    clock.on(hours=9)
    assert post.deliver() == Delivered()
    ((to, message),) = server.arrived
    assert to == SENIOR.email
    assert message["To"].addresses[0].display_name == SENIOR.name
    assert message["From"].addresses[0].addr_spec == "post@telemachos.example"
    assert message["Subject"] == "Uitnodiging: samen leren met Sanne"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@telemachos.example>")
    assert not message.is_multipart()
    assert message.get_content_type() == "text/plain"
    assert message.get_content().startswith("Beste Anneke,")
    assert "zaterdag 11 december 2027" in message.get_content()
    (letter,) = post.letters(str(SENIOR.id))
    assert (letter.state, letter.attempts, letter.error) == ("sent", 1, None)
    assert letter.sent_at == START + timedelta(minutes=10)


def test_the_same_key_is_one_letter(store: Store, clock: Clock, serve: Any) -> None:
    """In one step, in another, and after it left."""
    server = serve()
    post = Post(store, carrier(server.port), clock, HOLD)
    with store.steps.step("tried", "co", clock()) as step:
        for _ in range(3):
            post.queue(step, "k1", SENIOR, "invitation", VALUES, clock())
        post.queue_many(step, [ToQueue("k1", SENIOR, "started", VALUES)] * 2, clock())
        post.queue_many(step, [ToQueue("k2", JUNIOR, "started", VALUES)] * 2, clock())
    queue(post, store)
    clock.on(hours=1)
    post.deliver()
    queue(post, store)
    clock.on(hours=1)
    post.deliver()
    assert list(server.times().values()) == [1, 1]
    assert "Uitnodiging" in server.arrived[0][1]["Subject"] + server.arrived[1][1]["Subject"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_letter_arrives_as_it_was_written(store: Store, clock: Clock, serve: Any, language: Language) -> None:
    """Each kind, to each side, with letters that aren't ASCII."""
    server = serve()
    post = Post(store, carrier(server.port), clock, HOLD)
    values = VALUES | {"name": "Zoë", "other": "Łukasz 李"}
    for number, body in enumerate(BODIES):
        kind, _, side = body.rpartition("_")
        one: Person = SENIOR if side == Side.SENIOR else JUNIOR
        person = replace(one, id=body, languages=("fr", language), name=NAME, email=f"{number}@b.example")
        store.people.put([person])
        queue(post, store, body, person=person, kind=kind, values=values)
    clock.on(hours=1)
    assert post.deliver() == Delivered(sent=len(BODIES))
    arrived = dict(server.arrived)
    for number, body in enumerate(BODIES):
        (letter,) = post.letters(body)
        message = arrived[f"{number}@b.example"]
        assert message["Subject"] == subject_of(letter, language)
        assert message["To"].addresses[0].display_name == NAME
        assert message.get_content().replace("\r\n", "\n") == body_of(letter, language)
        assert "{" not in message.get_content()


@pytest.mark.parametrize("body", BODIES)
def test_dutch_letters_address_people_as_they_should(body: str) -> None:
    """Seniors with u, juniors with je."""
    words = set(re.findall(r"[a-z]+", catalogue()[f"mailbody.{body}"]["nl"].lower()))
    formal, informal = words & {"u", "uw"}, words & {"je", "jij", "jou", "jouw"}
    assert not (informal if body.endswith("senior") else formal)


def test_names_can_add_no_header_and_end_no_letter(store: Store, clock: Clock, serve: Any) -> None:
    """A name with line ends is one line; a dot alone doesn't end the letter before its end."""
    rogue = "Eve\r\nBcc: all@klant.example\r\n\r\n.\r\nMAIL FROM:<x@y.example>\u2028x"
    senior = replace(SENIOR, name=rogue)
    store.people.put([senior])
    server = serve()
    post = Post(store, carrier(server.port), clock, HOLD)
    queue(post, store, person=senior, values=VALUES | {"other": rogue, "name": rogue})
    clock.on(hours=1)
    assert post.deliver() == Delivered(sent=1)
    ((to, message),) = server.arrived
    assert to == SENIOR.email
    assert message["Bcc"] is None
    assert len(message["To"].addresses) == 1
    assert message.get_content().rstrip().endswith("Telemachos")


def test_a_line_with_only_a_dot_arrives(store: Store, serve: Any) -> None:
    """What ends a letter is sent so that it doesn't."""
    server = serve()
    message = EmailMessage()
    message["Message-ID"] = "<dot@x.example>"
    message.set_content("before\n.\n..\n.after\n")
    with carrier(server.port).open() as line:
        line.send(message, "a@b.example")
    assert server.arrived[0][1].get_content() == "before\r\n.\r\n..\r\n.after\r\n"


def test_letters_of_one_person_leave_in_order(store: Store, clock: Clock, serve: Any) -> None:
    """Also when the first has to wait."""
    said = iter(["451 busy"])

    async def busy_once(stage: Stage, _: Talk) -> str | None:
        return next(said, None) if stage == "rcpt" else None

    server = serve(busy_once)
    post = Post(store, carrier(server.port), clock, HOLD)
    for number, kind in enumerate(("invitation", "started", "ended")):
        queue(post, store, key=f"{9 - number}", kind=kind)
        clock.on(minutes=1)
    clock.on(hours=1)
    assert post.deliver() == Delivered(waiting=1)
    clock.on(minutes=2)
    assert post.deliver() == Delivered(sent=3)
    assert [message["Subject"].split()[0] for _, message in server.arrived] == ["Uitnodiging:", "Het", "Het"]
    assert "begint" in server.arrived[1][1]["Subject"]


# Calendars


def a_meeting(store: Store, clock: Clock, state_: str = "planned") -> None:
    """Store a pair and its meeting."""
    with store.steps.step("tried", "co", clock()) as step:
        pair = dict.fromkeys(("round_id", "started_at", "paused_at", "ended_at"))
        pair |= {"id": "p1", "slate_id": "sl1", "senior_id": SENIOR.id, "junior_id": JUNIOR.id, "state": "active"}
        pair |= {"invited_at": clock(), "expires_at": clock(), "senior_said": "yes", "junior_said": "yes"}
        step.insert("pairs", [pair | {"agreement": '{"between_us": "secret"}', "end_reason": ""}])
        meeting = {
            "id": "m1",
            "pair_id": "p1",
            "starts_at": START + timedelta(days=7),
            "minutes": 45,
            "place": "Kamer 3",
        }
        meeting |= {"state": state_, "cancelled_by": "", "reason": "secret", "sequence": 2}
        step.insert("meetings", [meeting])


CALENDAR = {"kind": "calendar", "meeting": "m1"}


def test_calendar_is_attached_as_the_meeting_stands(store: Store, clock: Clock, serve: Any) -> None:
    """Moved within the hold: the letter tells the new time, in its words and in its file."""
    server = serve()
    post = Post(store, carrier(server.port), clock, HOLD)
    a_meeting(store, clock)
    queue(post, store, kind="meeting", attachment=CALENDAR)
    later = START + timedelta(days=9)
    with store.steps.step("tried", "co", clock()) as step:
        step.update("meetings", {"id": "m1"}, {"starts_at": later, "sequence": 3})
    clock.on(hours=1)
    assert post.deliver() == Delivered(sent=1)
    ((_, message),) = server.arrived
    text, file = message.iter_parts()
    assert moment(later, "nl") in text.get_content()
    assert file.get_content_type() == "text/calendar"
    assert (file.get_param("method"), file.get_filename()) == ("REQUEST", "afspraak.ics")
    raw = file.get_payload(decode=True)
    (event,) = Calendar.from_ical(raw).events
    assert (event["DTSTART"].dt, int(event["SEQUENCE"])) == (later, 3)
    assert event["SUMMARY"] == "Samen leren: Anneke, Sanne"
    assert b"secret" not in raw
    assert JUNIOR.email.encode() not in raw


def test_cancelled_meeting_is_told_and_not_announced(store: Store, clock: Clock, serve: Any) -> None:
    """The invitation to it hasn't left yet and won't; the cancellation does, with a file that takes it out."""
    server = serve()
    post = Post(store, carrier(server.port), clock, HOLD)
    a_meeting(store, clock, "cancelled")
    queue(post, store, "k1", kind="meeting", attachment=CALENDAR)
    queue(post, store, "k2", kind="meeting_cancelled", attachment=CALENDAR)
    clock.on(hours=1)
    assert post.deliver() == Delivered(sent=1, withdrawn=1)
    assert (state(post, "k1"), state(post, "k2")) == ("withdrawn", "sent")
    assert list(server.arrived[0][1].iter_parts())[1].get_param("method") == "CANCEL"


# Undo


def test_undo_takes_a_letter_back(store: Store, clock: Clock, serve: Any) -> None:
    """Within the hold, and while no server can be reached."""
    server = serve()
    post = Post(store, carrier(server.port), clock, HOLD)
    step = queue(post, store)
    clock.on(minutes=9)
    post.deliver()
    store.steps.undo(step, "co", clock())
    down = Post(store, carrier(free_port()), clock, HOLD)
    step = queue(down, store, "k2")
    clock.on(hours=1)
    assert down.deliver() == Delivered()
    assert down.overview().trouble is not None
    store.steps.undo(step, "co", clock())
    clock.on(hours=1)
    assert post.deliver() == Delivered()
    assert not server.arrived
    assert post.overview().counts == {}


def test_undo_after_it_left_is_refused(store: Store, clock: Clock, serve: Any) -> None:
    """And changes nothing."""
    server = serve()
    post = Post(store, carrier(server.port), clock, HOLD)
    step = queue(post, store)
    clock.on(hours=1)
    post.deliver()
    with pytest.raises(Conflict, match="go back"):
        store.steps.undo(step, "co", clock())
    assert state(post) == "sent"


def test_undo_while_it_leaves_is_refused(store: Store, clock: Clock, serve: Any) -> None:
    """The letter is at the server: it is one or the other, never both."""
    there, go = threading.Event(), threading.Event()

    def wait(_: Talk) -> Any:
        there.set()
        return asyncio.to_thread(go.wait, PATIENT)

    async def behave(stage: Stage, talk: Talk) -> str | None:
        if stage == "end":
            await wait(talk)
        return None

    server = serve(behave)
    post = Post(store, carrier(server.port), clock, HOLD)
    step = queue(post, store)
    clock.on(hours=1)
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(post.deliver)
        assert there.wait(PATIENT)
        with pytest.raises(Conflict):
            store.steps.undo(step, "co", clock())
        assert post.recover() == 0
        go.set()
        assert done.result(PATIENT) == Delivered(sent=1)


# Servers that are down, slow or refuse


def test_no_server_set(store: Store, clock: Clock) -> None:
    """Letters wait, and the coordinator is told why."""
    post = Post(store, None, clock, HOLD)
    queue(post, store)
    clock.on(days=9)
    assert post.deliver() == Delivered()
    seen = post.overview()
    assert (seen.off, seen.counts, seen.waiting_since) == (True, {"waiting": 1}, START)


def test_down_then_up(store: Store, clock: Clock, serve: Any) -> None:
    """All wait and show; the server is left alone for longer and longer; later each arrives once."""
    port = free_port()
    post = Post(store, carrier(port), clock, HOLD)
    for number in range(9):
        queue(post, store, f"k{number}")
    clock.on(hours=1)
    rests = []
    for _ in range(7):
        assert post.deliver() == Delivered()
        trouble = post.overview().trouble
        assert trouble is not None
        assert (trouble.error, trouble.since) == (("down", ""), START + timedelta(hours=1))
        rests.append((trouble.next_at - clock()) / timedelta(minutes=1))
        clock.now = trouble.next_at
    assert all(0.8 * most <= rest <= 1.2 * most for rest, most in zip(rests, (1, 2, 4, 8, 16, 16, 16), strict=True))
    assert post.overview().counts == {"waiting": 9}
    server = serve(port=port)
    assert post.deliver() == Delivered(sent=9)
    assert set(server.times().values()) == {1}
    assert len(server.arrived) == 9
    assert post.overview().trouble is None


def test_a_server_is_left_alone_while_it_is_down(store: Store, clock: Clock, serve: Any) -> None:
    """One try in a pass, none before its time; a coordinator can have it tried at once."""
    server = serve(at_stage("greeting", says("421 closed for now")))
    post = Post(store, carrier(server.port), clock, HOLD)
    for number in range(5):
        queue(post, store, f"k{number}")
    clock.on(hours=1)
    for _ in range(3):
        post.deliver()
    assert len(server.talks) == 1
    assert post.overview().trouble.error == ("greeting", "421 closed for now")  # type: ignore[union-attr]
    post.try_now()
    post.deliver()
    assert len(server.talks) == 2


def test_unknown_host(store: Store, clock: Clock) -> None:
    """A name that isn't found says so, and the letter waits."""
    post = Post(store, Smtp("nowhere.invalid", 25, "none", "", SecretStr(""), "a@b.example", 5.0), clock, HOLD)
    queue(post, store)
    clock.on(hours=1)
    assert post.deliver() == Delivered()
    assert post.overview().trouble.error[0] == "no_such_host"  # type: ignore[union-attr]
    assert state(post) == "waiting"


@pytest.mark.parametrize("stage", ["greeting", "mail", "rcpt", "data"])
@pytest.mark.parametrize("how", ["slow", "drop"])
def test_trouble_before_the_letter_is_certain(store: Store, clock: Clock, serve: Any, stage: Stage, how: str) -> None:
    """Nothing has left: it waits, and arrives once when the server is well again."""
    server = serve(at_stage(stage, sleeps(9) if how == "slow" else Talk.drop))
    post = Post(store, carrier(server.port, 0.8 if how == "slow" else PATIENT), clock, HOLD)
    for number in range(3):
        queue(post, store, f"k{number}", person=SENIOR if number else JUNIOR)
    clock.on(hours=1)
    assert post.deliver().uncertain == 0
    seen = post.overview()
    assert seen.counts == {"waiting": 3}
    assert seen.trouble is not None
    if how == "slow":
        assert seen.trouble.error[0] == "slow"
    assert not server.arrived
    server.behave = at_stage("greeting", says("220 mail.test"))
    clock.on(minutes=2)
    post = Post(store, carrier(server.port), clock, HOLD)
    assert post.deliver().sent == 3
    assert sorted(server.times().values()) == [1, 1, 1]
    assert post.overview().troubled == ()


def test_a_server_that_drips_is_cut_off(store: Store, clock: Clock) -> None:
    """Each byte would start a socket's own time limit again."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        over = threading.Event()

        def drip() -> None:
            line, _ = door.accept()
            with line:
                while not over.wait(0.05):
                    try:
                        line.sendall(b"220-slow\r\n")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        post = Post(store, carrier(door.getsockname()[1], 0.4), clock, HOLD)
        queue(post, store)
        clock.on(hours=1)
        too_late = threading.Timer(PATIENT, over.set)
        too_late.start()
        assert post.deliver() == Delivered()
        assert not over.is_set()
        too_late.cancel()
        over.set()
        thread.join()
    assert post.overview().trouble.error == ("slow", "")  # type: ignore[union-attr]


@pytest.mark.parametrize("how", ["slow", "drop", "nonsense"])
def test_silence_after_the_letter_is_uncertain(store: Store, clock: Clock, serve: Any, how: str) -> None:
    """It may have arrived, so it never goes again by itself; the others wait until the server is well."""
    doings = {"slow": sleeps(9), "drop": Talk.drop, "nonsense": says("hello there")}
    server = serve(at_stage("end", doings[how]))
    post = Post(store, carrier(server.port, 0.8 if how == "slow" else PATIENT), clock, HOLD)
    for number in range(4):
        queue(post, store, f"k{number}", person=SENIOR if number else JUNIOR)
    clock.on(hours=1)
    assert post.deliver() == Delivered(uncertain=1)
    assert post.deliver() == Delivered()
    server.behave = at_stage("greeting", says("220 mail.test"))
    clock.on(days=2)
    post = Post(store, carrier(server.port), clock, HOLD)
    assert post.deliver() == Delivered(sent=3)
    assert sorted(server.times().values()) == [1, 1, 1, 1]
    (troubled,) = post.overview().troubled
    assert (troubled.state, troubled.error) == ("uncertain", ("silent", ""))


def test_dropped_while_the_letter_is_on_its_way(store: Store, clock: Clock, serve: Any) -> None:
    """The server asks for it and goes away before its end: what we can't know is uncertain, nothing goes twice."""

    async def asked_and_gone(stage: Stage, talk: Talk) -> str | None:
        if stage == "data":
            talk._writer.write(b"354 go on\r\n")
            await talk._writer.drain()
            await asyncio.sleep(0.05)
            talk.drop()
        return None

    server = serve(asked_and_gone)
    post = Post(store, carrier(server.port), clock, HOLD)
    queue(post, store)
    clock.on(hours=1)
    assert post.deliver().sent == 0
    assert state(post) in {"waiting", "uncertain"}
    server.behave = at_stage("greeting", says("220 mail.test"))
    clock.on(hours=1)
    post.deliver()
    assert len(server.arrived) + len(post.overview().troubled) == 1


@pytest.mark.parametrize("stage", ["rcpt", "data", "end"])
def test_grey_list(store: Store, clock: Clock, serve: Any, stage: Stage) -> None:
    """Not now: it waits a minute, two, four; others go on; later it arrives once."""
    answers = ["451 4.7.1 come back later, anneke@klant.example"] * 3

    async def behave(now: Stage, talk: Talk) -> str | None:
        mine = bool(talk.envelope) and SENIOR.email in talk.envelope.rcpt_tos
        return answers.pop() if now == stage and mine and answers else None

    server = serve(behave)
    post = Post(store, carrier(server.port), clock, HOLD)
    queue(post, store, "k1")
    queue(post, store, "k2", person=JUNIOR)
    clock.on(hours=1)
    assert post.deliver() == Delivered(waiting=1, sent=1)
    (letter,) = post.overview().troubled
    assert (letter.state, letter.attempts, letter.error) == ("waiting", 1, ("later", "451 4.7.1 come back later, …"))
    assert "come back later" in why(letter.error, "en")  # type: ignore[arg-type]
    waits = []
    for _ in range(3):
        held = store.outbox.letter("k1")
        assert held is not None
        waits.append((held.next_at - clock()) / timedelta(minutes=1))
        clock.now = held.next_at
        post.deliver()
    assert all(0.8 * most <= wait <= 1.2 * most for wait, most in zip(waits, (1, 2, 4), strict=True))
    assert state(post) == "sent"
    assert sorted(server.times().values()) == [1, 1]


@pytest.mark.parametrize("stage", ["rcpt", "data", "end"])
def test_refused_for_good(store: Store, clock: Clock, serve: Any, stage: Stage) -> None:
    """It failed and shows; the others go on; sent again by a coordinator it arrives once."""

    async def behave(now: Stage, talk: Talk) -> str | None:
        mine = bool(talk.envelope) and SENIOR.email in talk.envelope.rcpt_tos
        return "550 5.1.1 <anneke@klant.example> unknown" if now == stage and mine else None

    server = serve(behave)
    post = Post(store, carrier(server.port), clock, HOLD)
    queue(post, store, "k1")
    queue(post, store, "k2", person=JUNIOR)
    clock.on(hours=1)
    assert post.deliver() == Delivered(failed=1, sent=1)
    clock.on(days=1)
    assert post.deliver() == Delivered()
    (letter,) = post.overview().troubled
    assert (letter.state, letter.error) == ("failed", ("refused", "550 5.1.1 … unknown"))
    server.behave = at_stage("greeting", says("220 mail.test"))
    post.send_again("k1", "co")
    clock.on(hours=1)
    assert post.deliver() == Delivered(sent=1)
    assert sorted(server.times().values()) == [1, 1]


def test_our_own_address_is_refused(store: Store, clock: Clock, serve: Any) -> None:
    """That is no fault of the letter: all wait."""
    server = serve(at_stage("mail", says("550 not you")))
    post = Post(store, carrier(server.port), clock, HOLD)
    queue(post, store, "k1")
    queue(post, store, "k2", person=JUNIOR)
    clock.on(hours=1)
    assert post.deliver() == Delivered(waiting=1)
    assert post.overview().counts == {"waiting": 2}
    assert post.overview().trouble.error == ("sender", "550 not you")  # type: ignore[union-attr]


def test_login(store: Store, clock: Clock, serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A wrong password keeps all letters here, is told, and stands in no log; the right one lets them go."""
    server = serve(authenticator=who, auth_required=True, auth_require_tls=False)
    caplog.set_level(logging.DEBUG, "recommender")
    wrong = Post(store, carrier(server.port, user=USER, password=SecretStr("wrong-word")), clock, HOLD)
    queue(wrong, store)
    clock.on(hours=1)
    assert wrong.deliver() == Delivered()
    assert wrong.overview().trouble.error == ("login", "535")  # type: ignore[union-attr]
    assert "wrong-word" not in caplog.text
    right = Post(store, carrier(server.port, user=USER, password=SecretStr(PASSWORD)), clock, HOLD)
    assert right.deliver() == Delivered(sent=1)
    assert len(server.arrived) == 1


def test_a_server_that_knows_no_login(store: Store, clock: Clock, serve: Any) -> None:
    """Where one is set."""
    post = Post(store, carrier(serve().port, user=USER, password=SecretStr("x")), clock, HOLD)
    queue(post, store)
    clock.on(hours=1)
    assert post.deliver() == Delivered()
    assert post.overview().trouble.error[0] == "login"  # type: ignore[union-attr]


# A private line


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Make a certificate for this machine."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("proof")
    names = (str(folder / "certificate.pem"), str(folder / "key.pem"))
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=mail.test", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-out", names[0], "-keyout", names[1]),
        ],
        check=True,
        capture_output=True,
    )
    return names


@pytest.mark.parametrize("trusted", [True, False])
def test_starttls(store: Store, clock: Clock, serve: Any, proof: tuple[str, str], trusted: bool) -> None:
    """Letters go over a private line, to a server that proves who it is, and to no other."""
    server = serve(tls_context=with_certificate(*proof), require_starttls=True)
    known = ssl.create_default_context(cafile=proof[0]) if trusted else None
    post = Post(store, carrier(server.port, security="starttls", trusted=known), clock, HOLD)
    queue(post, store)
    clock.on(hours=1)
    assert post.deliver() == Delivered(sent=int(trusted))
    assert len(server.arrived) == int(trusted)
    if not trusted:
        assert post.overview().trouble.error[0] == "certificate"  # type: ignore[union-attr]


def test_nothing_goes_in_the_clear_where_a_private_line_was_asked_for(store: Store, clock: Clock, serve: Any) -> None:
    """A server, or somebody in between, that says it can't."""
    server = serve()
    post = Post(store, carrier(server.port, security="starttls"), clock, HOLD)
    queue(post, store)
    clock.on(hours=1)
    assert post.deliver() == Delivered()
    assert post.overview().trouble.error[0] == "unsafe"  # type: ignore[union-attr]
    assert not server.arrived


@pytest.mark.parametrize("trusted", [True, False])
def test_tls_from_the_first_byte(store: Store, clock: Clock, proof: tuple[str, str], serve: Any, trusted: bool) -> None:
    """The same, at a port that speaks TLS only."""
    server = serve(tls=with_certificate(*proof))
    known = ssl.create_default_context(cafile=proof[0]) if trusted else None
    post = Post(store, carrier(server.port, security="tls", trusted=known), clock, HOLD)
    queue(post, store)
    clock.on(hours=1)
    assert post.deliver() == Delivered(sent=int(trusted))
    assert len(server.arrived) == int(trusted)


def test_password_in_the_clear_is_refused() -> None:
    """To another machine; and a sender that is none."""
    with pytest.raises(SettingRefused, match="starttls"):
        Smtp("mail.example", 25, "none", "post", SecretStr("x"), "a@b.example")
    with pytest.raises(SettingRefused, match="no address"):
        Smtp("mail.example", 25, "tls", "post", SecretStr("x"), "no address")


# The process dies, and many do it at once

CHILD = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from pydantic import SecretStr
from recommender.post import Post
from recommender.smtp import Smtp
from recommender.store import Store
store = Store(Path(sys.argv[1]))
smtp = Smtp("127.0.0.1", int(sys.argv[2]), "none", "", SecretStr(""), "post@telemachos.example", 20.0)
Post(store, smtp, lambda: datetime(2027, 1, 1, tzinfo=UTC), timedelta()).deliver()
"""


@pytest.mark.parametrize("stage", ["rcpt", "end"])
def test_killed_while_sending(clock: Clock, serve: Any, tmp_path: Path, stage: Stage) -> None:
    """Killed in the middle of the third letter: at the next start it is uncertain, the rest arrives, nothing twice."""
    path = tmp_path / "post.duckdb"
    children: list[subprocess.Popen[bytes]] = []
    seen: list[Stage] = []

    async def kill(now: Stage, _: Talk) -> None:
        seen.append(now)
        if now == stage and seen.count(stage) == 3:
            children[0].kill()
            await asyncio.to_thread(children[0].wait)

    server = serve(kill)
    store = Store(path)
    store.people.put([SENIOR, JUNIOR])
    post = Post(store, None, clock, HOLD)
    for number in range(6):
        queue(post, store, f"k{number}", person=SENIOR if number % 2 else JUNIOR)
    store.close()
    children.append(subprocess.Popen([sys.executable, "-c", CHILD, str(path), str(server.port)]))
    assert children[0].wait(60) == -9
    store = Store(path)
    try:
        clock.on(days=40)
        post = Post(store, carrier(server.port), clock, HOLD)
        assert post.overview().counts == {"sending": 1, "sent": 2, "waiting": 3}
        assert post.recover() == 1
        assert post.deliver() == Delivered(sent=3)
        (letter,) = post.overview().troubled
        assert (letter.state, letter.error) == ("uncertain", ("stopped", ""))
        assert set(server.times().values()) == {1}
        assert len(server.arrived) == (6 if stage == "end" else 5)
    finally:
        store.close()


def test_eight_threads(store: Store, clock: Clock, serve: Any) -> None:
    """Forty letters, each once, and those of one person in order."""
    server = serve()
    post = Post(store, carrier(server.port), clock, HOLD)
    people = [replace(SENIOR, id=f"s{n}", email=f"s{n}@klant.example") for n in range(10)]
    store.people.put(people)
    for number in range(40):
        queue(post, store, f"k{number}", person=people[number % 10], values=VALUES | {"other": f"N{number:02}"})
        clock.on(seconds=1)
    clock.on(hours=1)
    ready = threading.Barrier(8)

    def deliver() -> Delivered:
        ready.wait()
        done = Delivered()
        while "waiting" in post.overview().counts:
            some = post.deliver()
            done = replace(done, sent=done.sent + some.sent, uncertain=done.uncertain + some.uncertain)
        return done

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: deliver(), range(8)))
    assert sum(each.sent for each in done) == 40
    assert len(server.arrived) == 40
    assert set(server.times().values()) == {1}
    assert post.overview().counts == {"sent": 40}
    for person in people:
        subjects = [message["Subject"] for to, message in server.arrived if to == person.email]
        assert subjects == sorted(subjects)
        assert len(subjects) == 4


def test_a_result_that_can_not_be_stored(store: Store, clock: Clock, serve: Any, monkeypatch: Any) -> None:
    """The disk is full after the letter left: it shows as uncertain and doesn't go again."""
    server = serve()
    post = Post(store, carrier(server.port), clock, HOLD)
    queue(post, store)
    clock.on(hours=1)
    real = store._database.writing
    calls = iter([real, real])

    def writing() -> Any:
        try:
            return next(calls)()
        except StopIteration:
            raise StoreUnavailable("store_full", path="x") from None

    monkeypatch.setattr(store._database, "writing", writing)
    with pytest.raises(StoreUnavailable):
        post.deliver()
    monkeypatch.undo()
    assert state(post) == "sending"
    assert post.deliver() == Delivered()
    assert state(post) == "uncertain"
    assert len(server.arrived) == 1


# What a coordinator does


def test_no_address(store: Store, clock: Clock, serve: Any) -> None:
    """Shows at once; told by hand, and that can be taken back; with an address it can go after all."""
    server = serve()
    post = Post(store, carrier(server.port), clock, HOLD)
    without = replace(SENIOR, email="")
    store.people.put([without])
    queue(post, store, person=without)
    assert [each.state for each in post.overview().troubled] == ["no_address"]
    clock.on(hours=1)
    assert post.deliver() == Delivered()
    step = post.told("k1", "co")
    assert state(post) == "told"
    assert post.overview().troubled == ()
    with pytest.raises(Conflict):
        post.send_again("k1", "co")
    store.steps.undo(step, "co", clock())
    assert state(post) == "no_address"
    post.send_again("k1", "co")
    clock.on(hours=1)
    assert post.deliver() == Delivered(no_address=1)
    store.people.put([SENIOR])
    post.send_again("k1", "co")
    clock.on(hours=1)
    assert post.deliver() == Delivered(sent=1)
    assert len(server.arrived) == 1


@pytest.mark.parametrize(
    "email", ["a b@c.example", "a@b\r\nBcc: x@y.example", "<a@b.example>", "a@", "ä@b.example", "a@b,c@d"]
)
def test_an_address_that_is_none(store: Store, clock: Clock, serve: Any, email: str) -> None:
    """Nothing of it reaches the server, and the letter shows."""
    server = serve()
    post = Post(store, carrier(server.port), clock, HOLD)
    person = replace(SENIOR, email=email)
    store.people.put([person])
    queue(post, store, person=person)
    clock.on(hours=1)
    assert post.deliver() == Delivered(no_address=1)
    assert not server.arrived


def test_uncertain_sent_again_has_the_same_name(store: Store, clock: Clock, serve: Any) -> None:
    """A coordinator says so; servers can tell that it is the same letter. It can be taken back while it is held."""
    server = serve(at_stage("end", Talk.drop))
    post = Post(store, carrier(server.port), clock, HOLD)
    queue(post, store)
    clock.on(hours=1)
    assert post.deliver() == Delivered(uncertain=1)
    server.behave = at_stage("greeting", says("220 mail.test"))
    step = post.send_again("k1", "co")
    clock.on(minutes=5)
    assert post.deliver() == Delivered()
    store.steps.undo(step, "co", clock())
    clock.on(hours=1)
    assert post.deliver() == Delivered()
    assert state(post) == "uncertain"
    post.send_again("k1", "co")
    clock.on(hours=1)
    assert post.deliver() == Delivered(sent=1)
    assert list(server.times().values()) == [2]


def test_give_up(store: Store, clock: Clock) -> None:
    """A letter is let be; nobody else may decide about it after that."""
    post = Post(store, None, clock, HOLD)
    queue(post, store)
    step = post.give_up("k1", "co")
    assert post.overview().counts == {"given_up": 1}
    with pytest.raises(Conflict):
        post.give_up("k1", "other")
    store.steps.undo(step, "co", clock())
    assert state(post) == "waiting"
    with pytest.raises(InputRefused, match="k9"):
        post.give_up("k9", "co")


def test_a_reader_who_is_gone(store: Store, clock: Clock, serve: Any) -> None:
    """The letter fails and shows; it keeps no other."""
    server = serve()
    post = Post(store, carrier(server.port), clock, HOLD)
    queue(post, store, "k1", person=replace(SENIOR, id="gone"))
    queue(post, store, "k2")
    clock.on(hours=1)
    assert post.deliver() == Delivered(failed=1, sent=1)
    assert post.overview().troubled[0].error == ("gone", "")


@pytest.mark.parametrize(("kind", "values"), [("no_such", VALUES), ("invitation", {"name": "x"})])
def test_a_letter_without_text_is_refused_when_queued(
    store: Store, clock: Clock, kind: str, values: dict[str, str]
) -> None:
    """A mistake of ours shows where it is made, and nothing is stored."""
    post = Post(store, None, clock, HOLD)
    with pytest.raises(KeyError):
        queue(post, store, kind=kind, values=values)
    assert post.letters(str(SENIOR.id)) == []


def test_every_reason_can_be_said() -> None:
    """With what the server said, whatever that was."""
    for key in catalogue():
        if key.startswith("posterror."):
            for language in LANGUAGES:
                assert why((key.removeprefix("posterror."), "550 {no}"), language)


# The postman


def test_postman_brings_letters_and_stops_at_once(store: Store, clock: Clock, serve: Any) -> None:
    """He does what time brings first; stopping doesn't wait for the next round."""
    server = serve()
    post = Post(store, carrier(server.port), clock, HOLD)
    queue(post, store)
    clock.on(hours=1)
    arrived = threading.Event()

    async def tell(stage: Stage, _: Talk) -> None:
        if stage == "end":
            arrived.set()

    server.behave = tell
    beats: list[int] = []
    postman = Postman(post, lambda: beats.append(1), every=3600)
    postman.start()
    postman.start()
    assert arrived.wait(PATIENT)
    assert postman.stop(PATIENT)
    assert postman.stop(PATIENT)
    assert beats == [1]
    assert not [each for each in threading.enumerate() if each.name in {"postman", "smtp-deadline"}]
    assert len(server.arrived) == 1


def test_an_error_does_not_end_the_postman(
    store: Store, clock: Clock, serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged without its words, and the post goes out all the same."""
    server = serve()
    post = Post(store, carrier(server.port), clock, HOLD)
    queue(post, store)
    clock.on(hours=1)
    twice = threading.Barrier(2)

    def beat() -> None:
        twice.wait(PATIENT)
        raise RuntimeError("Anneke Vos")

    postman = Postman(post, beat, every=0.01)
    postman.start()
    twice.wait(PATIENT)
    twice.wait(PATIENT)
    twice.abort()
    assert postman.stop(PATIENT)
    assert len(server.arrived) == 1
    assert "RuntimeError" in caplog.text
    assert "Anneke" not in caplog.text


def test_a_stop_waits_for_the_letter_on_its_way_only(store: Store, clock: Clock, serve: Any) -> None:
    """Forty letters are due; the one at the server is finished, the others stay for the next start."""
    there, go = threading.Event(), threading.Event()

    async def behave(stage: Stage, _: Talk) -> None:
        if stage == "end":
            there.set()
            await asyncio.to_thread(go.wait, PATIENT)

    server = serve(behave)
    post = Post(store, carrier(server.port), clock, HOLD)
    for number in range(40):
        queue(post, store, f"k{number}")
    clock.on(hours=1)
    postman = Postman(post, lambda: None, every=3600)
    postman.start()
    assert there.wait(PATIENT)
    assert not postman.stop(patience=0.05)
    go.set()
    assert postman.stop(PATIENT)
    assert post.overview().counts == {"sent": 1, "waiting": 39}


def test_letters_hold_no_more_than_needed(store: Store, clock: Clock) -> None:
    """What is stored of a letter are names, a subject and a moment: not its text, and no address."""
    post = Post(store, None, clock, HOLD)
    queue(post, store)
    (row,) = store._database.rows("SELECT * FROM outbox")
    assert SENIOR.email not in str(row)
    letter: Letter = post.letters(str(SENIOR.id))[0]
    assert letter.values == VALUES
