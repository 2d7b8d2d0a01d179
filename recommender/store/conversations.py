"""Conversations, kept turn by turn, so that a reload or a restart loses nothing."""

import json
from dataclasses import dataclass
from datetime import datetime

from recommender.domain import ConversationId, JuniorId, SeniorId, SlateId, Turn
from recommender.store.database import Cursor, Database


@dataclass(frozen=True)
class HandOver:
    """A conversation that a senior has given to a person."""

    conversation_id: ConversationId
    senior_id: SeniorId | None
    at: datetime


class Conversations:
    """Append-only turns; the state of a conversation is what its turns add up to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, conversation_id: ConversationId, senior_id: SeniorId | None, language: str, first: Turn) -> None:
        """Store a new conversation with its first turn."""
        with self._database.writing() as cursor:
            cursor.execute(
                "INSERT INTO conversations VALUES (?, ?, ?, ?)", [conversation_id, senior_id, language, first.at]
            )
            _insert(cursor, [first])

    def append(self, turns: list[Turn]) -> None:
        """Store turns; raise `Conflict` when another tab has stored one at the same position."""
        with self._database.writing() as cursor:
            _insert(cursor, turns)

    def turns(self, conversation_id: ConversationId) -> list[Turn]:
        """Return all turns in order; empty when there is no such conversation."""
        rows = self._database.rows(
            "SELECT conversation_id, position, speaker, kind, said, slate_id, junior_id, happened_at, told FROM turns "
            "WHERE conversation_id = ? ORDER BY position",
            conversation_id,
        )
        return [_turn(*row) for row in rows]

    def latest_of(self, senior_id: SeniorId) -> ConversationId | None:
        """Return the senior's newest conversation, or None."""
        rows = self._database.rows(
            "SELECT id FROM conversations WHERE senior_id = ? ORDER BY started_at DESC LIMIT 1", senior_id
        )
        return ConversationId(rows[0][0]) if rows else None

    def hand_over(self, conversation_id: ConversationId, at: datetime) -> None:
        """Put a conversation on the coordinator's list; one that is there already stays as it is."""
        with self._database.writing() as cursor:
            cursor.execute(
                "INSERT INTO hand_overs (conversation_id, happened_at) "
                "SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM hand_overs WHERE conversation_id = ? AND done_at IS NULL)",
                [conversation_id, at, conversation_id],
            )

    def take_back(self, conversation_id: ConversationId) -> None:
        """Take a conversation from the coordinator's list again."""
        with self._database.writing() as cursor:
            cursor.execute("DELETE FROM hand_overs WHERE conversation_id = ? AND done_at IS NULL", [conversation_id])

    def close(self, conversation_id: ConversationId, who: str, at: datetime) -> None:
        """Note that a person has spoken with the senior."""
        with self._database.writing() as cursor:
            cursor.execute(
                "UPDATE hand_overs SET done_at = ?, done_by = ? WHERE conversation_id = ? AND done_at IS NULL",
                [at, who, conversation_id],
            )

    def handed_over(self) -> list[HandOver]:
        """Return the conversations that wait for a person, oldest first."""
        rows = self._database.rows(
            "SELECT h.conversation_id, c.senior_id, h.happened_at FROM hand_overs h "
            "JOIN conversations c ON c.id = h.conversation_id WHERE h.done_at IS NULL ORDER BY h.happened_at"
        )
        return [HandOver(*row) for row in rows]


def _turn(
    conversation_id: str,
    position: int,
    speaker: str,
    kind: str,
    said: str,
    slate_id: str | None,
    junior_id: str | None,
    at: datetime,
    told: str,
) -> Turn:
    where, slate = ConversationId(conversation_id), SlateId(slate_id) if slate_id else None
    junior = JuniorId(junior_id) if junior_id else None
    return Turn(where, position, speaker, kind, said, slate, junior, at, json.loads(told))


def _insert(cursor: Cursor, turns: list[Turn]) -> None:
    row = "(?, ?, ?, ?, ?, ?, ?, ?, ?)"
    # One statement for all rows: each statement costs some milliseconds, whatever it holds.
    cursor.execute(
        "INSERT INTO turns (conversation_id, position, speaker, kind, said, slate_id, junior_id, happened_at, told) "  # noqa: S608
        f"VALUES {', '.join([row] * len(turns))}",
        [value for turn in turns for value in _row(turn)],
    )


def _row(turn: Turn) -> list[object]:
    told = json.dumps(turn.told, ensure_ascii=False)
    return [
        turn.conversation_id,
        turn.position,
        turn.speaker,
        turn.kind,
        turn.said,
        turn.slate_id,
        turn.junior_id,
        turn.at,
        told,
    ]
