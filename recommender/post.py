"""The post: letters are queued with the step they belong to, held for a while, and sent so that none goes twice.

A letter is `sending` in the store before the first word of it reaches a server. So whatever happens then, it is known
which letters may have arrived: those are `uncertain`, and only a coordinator sends one of them again.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage

from recommender.carrier import Carrier, Failure, Line, NotTaken, Refused, Unclear, Unreachable
from recommender.domain import Person, Senior, Side
from recommender.errors import Conflict, InputRefused, UnknownPerson
from recommender.letters import NoAddress, Outdated, check, compose
from recommender.store import Store
from recommender.store.outbox import Letter, State
from recommender.store.steps import Step

logger = logging.getLogger(__name__)

MINUTE = timedelta(minutes=1)
LONGEST = timedelta(hours=4)
"""Between two attempts at one letter."""
LONGEST_REST = timedelta(minutes=16)
"""Between two attempts at a server that is down."""
JITTER = 0.2
"""Share by which a wait is made longer or shorter, so that letters don't all come back at once."""


@dataclass(frozen=True)
class Delivered:
    """How many letters went which way in one pass."""

    sent: int = 0
    waiting: int = 0
    failed: int = 0
    uncertain: int = 0
    no_address: int = 0
    withdrawn: int = 0


@dataclass(frozen=True)
class Trouble:
    """Why the server can't be spoken with, since when, and when it is tried again."""

    error: tuple[str, str]
    since: datetime
    next_at: datetime


@dataclass(frozen=True)
class Overview:
    """How the post is doing. `off`: no server is set, so letters wait. `troubled` need a coordinator."""

    off: bool
    counts: dict[str, int] = field(default_factory=dict)
    waiting_since: datetime | None = None
    trouble: Trouble | None = None
    troubled: tuple[Letter, ...] = ()


@dataclass(frozen=True)
class ToQueue:
    """One letter of many that are queued at once: what `Post.queue` takes."""

    key: str
    person: Person
    kind: str
    values: Mapping[str, str]
    attachment: Mapping[str, str] | None = None


class Post:
    """Letters to people in the programme.

    Parameters
    ----------
    store : Store
        Where letters are kept.
    carrier : Carrier or None
        What sends them. None: they wait.
    clock : callable
        Gives the time.
    hold : timedelta
        How long a letter stays before it leaves, so that undoing its step takes it back.
    """

    def __init__(self, store: Store, carrier: Carrier | None, clock: Callable[[], datetime], hold: timedelta) -> None:
        self._store, self._carrier, self._clock, self._hold = store, carrier, clock, hold
        self._lock = threading.Lock()
        self._failures = 0
        self._trouble: Trouble | None = None

    def queue(
        self,
        step: Step,
        key: str,
        person: Person,
        kind: str,
        values: Mapping[str, str],
        at: datetime,
        attachment: Mapping[str, str] | None = None,
    ) -> None:
        """Add a letter to a step. The same key again is nothing.

        Parameters
        ----------
        step : Step
            What it belongs to: it leaves only if that is stored, and not if that is undone in time.
        key : str
            Says what the letter is about and to whom; it is the letter's id.
        person : Junior or Senior
            Whom it is for; the text speaks to them as such.
        kind : str
            Which text: keys ``mailsubject.KIND`` and ``mailbody.KIND_SIDE``.
        values : mapping
            What the text fills in: `name`, `other`, `topic`, and `when` or `until` in ISO format.
        at : datetime
            Now.
        attachment : mapping, optional
            ``{"kind": "calendar", "meeting": id}``: the meeting as it stands when the letter leaves.

        Raises
        ------
        KeyError
            If there is no such text, or a value is missing that it fills in.
        """
        self.queue_many(step, [ToQueue(key, person, kind, values, attachment)], at)

    def queue_many(self, step: Step, letters: Sequence[ToQueue], at: datetime) -> None:
        """Add many letters to a step, as `queue` does, in a few statements."""
        self._store.outbox.add(step, [self._letter(each, at) for each in letters])

    def deliver(self, limit: int = 50, stop: Callable[[], bool] = lambda: False) -> Delivered:
        """Send what is due, one letter after the other. Any number of threads may do so at once.

        Parameters
        ----------
        limit : int
            Letters at most.
        stop : callable, optional
            Asked before each letter.
        """
        counts: dict[str, int] = {}
        self._store.outbox.recover()
        if self._carrier is None:
            return Delivered()
        for _ in range(limit):
            now = self._clock()
            if stop() or self._resting(now) or not self._store.outbox.due(now):
                break
            try:
                with self._carrier.open() as line:
                    letter = self._store.outbox.claim(now)
                    state = self._send(line, letter, now) if letter else None
            except Unreachable as failure:
                self._rest(failure, now)
                break
            if state:
                counts[state] = counts.get(state, 0) + 1
        return Delivered(**counts)

    def recover(self) -> int:
        """Mark letters as uncertain that were on their way when a process died; return how many."""
        return self._store.outbox.recover()

    def overview(self) -> Overview:
        """Return how the post is doing."""
        outbox = self._store.outbox
        return Overview(
            self._carrier is None, outbox.counts(), outbox.waiting_since(), self._trouble, tuple(outbox.troubled())
        )

    def letters(self, person_id: str) -> list[Letter]:
        """Return the letters to one person, oldest first."""
        return self._store.outbox.of(person_id)

    def send_again(self, letter_id: str, who: str) -> str:
        """Let a letter leave that failed, is uncertain, or had no address; return the step's id."""
        now = self._clock()
        values = {"state": "waiting", "attempts": 0, "next_at": now + self._hold, "error": ""}
        return self._decide(letter_id, who, now, "letter_again", values, ("failed", "uncertain", "no_address"))

    def give_up(self, letter_id: str, who: str) -> str:
        """Let a letter be; return the step's id."""
        states: tuple[State, ...] = ("waiting", "failed", "uncertain", "no_address")
        return self._decide(letter_id, who, self._clock(), "letter_given_up", {"state": "given_up"}, states)

    def told(self, letter_id: str, who: str) -> str:
        """Write down that a coordinator told somebody what a letter says; return the step's id."""
        states: tuple[State, ...] = ("no_address", "failed", "uncertain")
        return self._decide(letter_id, who, self._clock(), "letter_told", {"state": "told"}, states)

    def try_now(self) -> None:
        """Forget that the server was down, so that the next pass tries it."""
        with self._lock:
            self._failures, self._trouble = 0, None

    def _letter(self, wanted: ToQueue, at: datetime) -> Letter:
        letter = Letter(
            wanted.key,
            str(wanted.person.id),
            wanted.kind,
            Side.SENIOR if isinstance(wanted.person, Senior) else Side.JUNIOR,
            "waiting" if wanted.person.email else "no_address",
            attempts=0,
            next_at=at + self._hold,
            made_at=at,
            values={name: str(value) for name, value in wanted.values.items()},
            attachment=dict(wanted.attachment) if wanted.attachment else None,
        )
        check(letter)
        return letter

    def _decide(
        self, letter_id: str, who: str, at: datetime, kind: str, values: dict[str, object], states: tuple[State, ...]
    ) -> str:
        with self._store.steps.step(kind, who, at, letter_id) as step:
            held = step.found("outbox", id=letter_id)
            if not held:
                raise InputRefused("letter_unknown", id=letter_id)
            if held[0]["state"] not in states:
                raise Conflict("letter_changed")
            step.update("outbox", {"id": letter_id}, values)
        return step.id

    def _send(self, line: Line, letter: Letter, now: datetime) -> State:
        """Send a claimed letter and write down how that went; whatever happens, it is written down."""
        assert self._carrier is not None  # noqa: S101
        attempts, next_at, sent_at = letter.attempts, letter.next_at, None
        failure: Failure | None = None
        state: State
        try:
            message, to = compose(letter, self._store, self._carrier.sender, now)
        except NoAddress:
            state = "no_address"
        except Outdated:
            state = "withdrawn"
        except Exception as error:  # one letter doesn't keep the others; its words may hold a name
            logger.warning("A letter of kind %s could not be written: %s", letter.kind, type(error).__name__)
            state, failure = "failed", Refused("gone" if isinstance(error, UnknownPerson) else "unwritten")
        else:
            attempts += 1
            failure = _handed_over(line, message, to)
            state = _STATES[type(failure)] if failure else "sent"
            sent_at = None if failure else now
            if isinstance(failure, NotTaken):
                next_at = now + _wait(attempts, LONGEST)
            self._judge_server(failure, now)
        self._store.outbox.finish(
            letter,
            state,
            attempts=attempts,
            next_at=next_at,
            error=(failure.key, failure.said) if failure else None,
            sent_at=sent_at,
        )
        return state

    def _judge_server(self, failure: Failure | None, now: datetime) -> None:
        """Leave a server alone that keeps silent or goes away: at most one letter is lost sight of in a pass."""
        if isinstance(failure, Unclear) or (isinstance(failure, NotTaken) and failure.server):
            self._rest(failure, now)
        else:
            self.try_now()

    def _rest(self, failure: Failure, now: datetime) -> None:
        with self._lock:
            self._failures += 1
            since = self._trouble.since if self._trouble else now
            next_at = now + _wait(self._failures, LONGEST_REST)
            self._trouble = Trouble((failure.key, failure.said), since, next_at)
        logger.warning("The mail server gave trouble: %s", failure.key)

    def _resting(self, now: datetime) -> bool:
        with self._lock:
            return self._trouble is not None and now < self._trouble.next_at


_STATES: dict[type[Failure], State] = {NotTaken: "waiting", Refused: "failed", Unclear: "uncertain"}


def _handed_over(line: Line, message: EmailMessage, to: str) -> Failure | None:
    """Return how a letter failed to leave, or None."""
    try:
        line.send(message, to)
    except (NotTaken, Refused, Unclear) as failure:
        return failure
    except Exception as error:  # nothing is known of it, so it may have left
        logger.warning("A letter was sent in an unknown way: %s", type(error).__name__)
        return Unclear("silent")
    return None


def _wait(times: int, longest: timedelta) -> timedelta:
    """Return how long to wait after so many failures: 1, 2, 4 minutes and so on, a little more or less."""
    minutes = min(2.0 ** min(times - 1, 20), longest / MINUTE)
    return MINUTE * minutes * secrets.SystemRandom().uniform(1 - JITTER, 1 + JITTER)
