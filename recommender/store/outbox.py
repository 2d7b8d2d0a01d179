"""Letters that are to leave, and those that left. One on its way is written down first, so that none goes twice.

Adding a letter, and what a coordinator says of one, goes through a step and can be undone. Deliveries don't: what has
left can't be taken back, and an undo of its step finds a changed row.
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from recommender.domain import Side
from recommender.store.database import Database
from recommender.store.steps import Row, Step

State = Literal["waiting", "sending", "sent", "failed", "uncertain", "no_address", "told", "given_up", "withdrawn"]

TROUBLED: tuple[State, ...] = ("failed", "uncertain", "no_address")
"""What waits for a coordinator, besides letters whose last attempt failed."""

COLUMNS = "id, person_id, kind, told, state, attempts, next_at, error, made_at, sent_at"


@dataclass(frozen=True)
class Letter:
    """One letter to one person. `values` are what its text fills in; `error` is a key with what the server said."""

    id: str
    person_id: str
    kind: str
    side: Side
    state: State
    attempts: int
    next_at: datetime
    made_at: datetime
    sent_at: datetime | None = None
    error: tuple[str, str] | None = None
    values: dict[str, str] = field(default_factory=dict)
    attachment: dict[str, str] | None = None


@dataclass(frozen=True)
class Appointment:
    """A meeting as a calendar needs it: nothing of what the two wrote."""

    id: str
    starts_at: datetime
    minutes: int
    place: str
    state: str
    sequence: int
    senior_id: str
    junior_id: str


class Outbox:
    """The letters of one database, which this process alone has open."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._on_the_way: set[str] = set()

    def add(self, step: Step, letters: Sequence[Letter]) -> None:
        """Add letters. One with an id that is there already, or came before, is nothing."""
        ids = [letter.id for letter in letters]
        known = {key for (key,) in step.rows("SELECT id FROM outbox WHERE list_contains(?::TEXT[], id)", ids)}
        new = {letter.id: letter for letter in reversed(letters) if letter.id not in known}
        step.insert("outbox", [_row_of(letter) for letter in reversed(new.values())])

    def due(self, now: datetime) -> bool:
        """Tell whether there is a letter that may leave."""
        return bool(self._database.rows(_NEXT, now))

    def claim(self, now: datetime) -> Letter | None:
        """Take the next letter that may leave and write down that it is on its way; None where there is none.

        Letters to one person leave in the order in which they were made.
        """
        with self._database.writing() as cursor:
            found = cursor.execute(_NEXT, [now]).fetchall()
            if not found:
                return None
            letter = _letter(found[0])
            with self._lock:  # before the commit: nobody sees it as sending and not on the way
                self._on_the_way.add(letter.id)
            cursor.execute("UPDATE outbox SET state = 'sending' WHERE id = ? AND state = 'waiting'", [letter.id])
        return letter

    def finish(
        self,
        letter: Letter,
        state: State,
        *,
        attempts: int,
        next_at: datetime,
        error: tuple[str, str] | None = None,
        sent_at: datetime | None = None,
    ) -> None:
        """Write down how it went with a claimed letter."""
        try:
            with self._database.writing() as cursor:
                cursor.execute(
                    "UPDATE outbox SET state = ?, attempts = ?, next_at = ?, error = ?, sent_at = ? "
                    "WHERE id = ? AND state = 'sending'",
                    [state, attempts, next_at, _error_text(error), sent_at, letter.id],
                )
        finally:
            with self._lock:  # if it couldn't be written down, `recover` finds a letter that nobody is sending
                self._on_the_way.discard(letter.id)

    def recover(self) -> int:
        """Mark letters as uncertain that were on their way when a process died; return how many."""
        with self._database.writing() as cursor:
            stray = cursor.execute("SELECT id FROM outbox WHERE state = 'sending'").fetchall()
            with self._lock:
                lost = [each for (each,) in stray if each not in self._on_the_way]
            if lost:
                cursor.execute(
                    "UPDATE outbox SET state = 'uncertain', attempts = attempts + 1, error = $1 "
                    "WHERE state = 'sending' AND list_contains($2::TEXT[], id)",
                    [_error_text(("stopped", "")), lost],
                )
        return len(lost)

    def letter(self, letter_id: str) -> Letter | None:
        """Return one letter."""
        found = self._letters("WHERE id = ?", letter_id)
        return found[0] if found else None

    def of(self, person_id: str) -> list[Letter]:
        """Return the letters to one person, oldest first."""
        return self._letters("WHERE person_id = ? ORDER BY made_at, id", person_id)

    def troubled(self) -> list[Letter]:
        """Return the letters that a coordinator should look at, oldest first."""
        return self._letters(
            "WHERE list_contains($1::TEXT[], state) OR (state = 'waiting' AND error <> '') ORDER BY made_at, id",
            list(TROUBLED),
        )

    def counts(self) -> dict[str, int]:
        """Return the number of letters by state."""
        return dict(self._database.rows("SELECT state, count(*) FROM outbox GROUP BY state ORDER BY state"))

    def waiting_since(self) -> datetime | None:
        """Return when the oldest letter was made that has not left."""
        moment: datetime | None = self._database.rows("SELECT min(made_at) FROM outbox WHERE state = 'waiting'")[0][0]
        return moment

    def appointment(self, meeting_id: str) -> Appointment | None:
        """Return a meeting with its two people, as it stands now."""
        rows = self._database.rows(
            "SELECT m.id, m.starts_at, m.minutes, m.place, m.state, m.sequence, p.senior_id, p.junior_id "
            "FROM meetings m JOIN pairs p ON p.id = m.pair_id WHERE m.id = ?",
            meeting_id,
        )
        return Appointment(*rows[0]) if rows else None

    def pair_state(self, letter_id: str) -> str | None:
        """Return the state of the pair that a letter is about, or None; the second part of its id names it."""
        parts = letter_id.split("/")
        pair_id = parts[1] if len(parts) > 1 else ""
        rows = self._database.rows(
            "SELECT state FROM pairs WHERE id = $1 UNION ALL SELECT p.state FROM pairs p JOIN meetings m "
            "ON m.pair_id = p.id WHERE m.id = $1",
            pair_id,
        )
        return rows[0][0] if rows else None

    def _letters(self, where: str, *values: object) -> list[Letter]:
        rows = self._database.rows(f"SELECT {COLUMNS} FROM outbox {where}", *values)  # noqa: S608
        return [_letter(row) for row in rows]


_NEXT = f"""
    SELECT {COLUMNS} FROM outbox o WHERE state = 'waiting' AND next_at <= ? AND NOT EXISTS (
        SELECT 1 FROM outbox e WHERE e.person_id = o.person_id AND e.state IN ('waiting', 'sending')
        AND (e.made_at < o.made_at OR (e.made_at = o.made_at AND e.id < o.id))
    ) ORDER BY next_at, made_at, id LIMIT 1
"""  # noqa: S608


def _row_of(letter: Letter) -> Row:
    told = {"side": letter.side.value, "values": letter.values, "attachment": letter.attachment}
    return {
        "id": letter.id,
        "person_id": letter.person_id,
        "kind": letter.kind,
        "told": json.dumps(told, ensure_ascii=False),
        "state": letter.state,
        "attempts": letter.attempts,
        "next_at": letter.next_at,
        "error": "",
        "made_at": letter.made_at,
        "sent_at": None,
    }


def _error_text(error: tuple[str, str] | None) -> str:
    return "" if error is None else json.dumps(error, ensure_ascii=False)


def _letter(row: tuple[Any, ...]) -> Letter:
    letter_id, person_id, kind, told, state, attempts, next_at, error, made_at, sent_at = row
    known = json.loads(told)
    return Letter(
        letter_id,
        person_id,
        kind,
        Side(known["side"]),
        state,
        attempts,
        next_at,
        made_at,
        sent_at,
        tuple(json.loads(error)) if error else None,
        known["values"],
        known["attachment"],
    )
