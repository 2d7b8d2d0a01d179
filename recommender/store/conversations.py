"""Conversations, kept turn by turn, so that a reload or a restart loses nothing."""

from recommender.domain import ConversationId, SeniorId, Turn
from recommender.store.database import Cursor, Database


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
            "SELECT conversation_id, position, speaker, kind, said, slate_id, junior_id, happened_at FROM turns "
            "WHERE conversation_id = ? ORDER BY position",
            conversation_id,
        )
        return [Turn(*row) for row in rows]

    def latest_of(self, senior_id: SeniorId) -> ConversationId | None:
        """Return the senior's newest conversation, or None."""
        rows = self._database.rows(
            "SELECT id FROM conversations WHERE senior_id = ? ORDER BY started_at DESC LIMIT 1", senior_id
        )
        return ConversationId(rows[0][0]) if rows else None


def _insert(cursor: Cursor, turns: list[Turn]) -> None:
    for turn in turns:
        cursor.execute(
            "INSERT INTO turns VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                turn.conversation_id,
                turn.position,
                turn.speaker,
                turn.kind,
                turn.said,
                turn.slate_id,
                turn.junior_id,
                turn.at,
            ],
        )
