"""What coordinators write about a choice, and what they ask the senior before they decide."""

from dataclasses import dataclass
from datetime import datetime

from recommender.domain import SeniorId, SlateId
from recommender.store.database import Database

REMARK, QUESTION = "remark", "question"


@dataclass(frozen=True)
class Note:
    """A remark for coordinators, or a question to the senior with the answer once there is one."""

    id: str
    slate_id: SlateId
    kind: str
    who: str
    text: str
    answer: str
    at: datetime


class Notes:
    """Reads of notes; each write goes through a step."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def about(self, slate_id: SlateId) -> list[Note]:
        """Return notes and questions about a choice, oldest first."""
        return [Note(*row) for row in self._database.rows(f"{_NOTES} WHERE n.slate_id = ? ORDER BY 7", slate_id)]

    def asked_of(self, senior_id: SeniorId) -> list[Note]:
        """Return the questions to a senior about choices that still wait, oldest first."""
        rows = self._database.rows(
            f"{_NOTES} JOIN choices c ON c.slate_id = n.slate_id LEFT JOIN reviews r ON r.slate_id = n.slate_id "
            "WHERE n.kind = ? AND c.senior_id = ? AND r.slate_id IS NULL ORDER BY 7",
            QUESTION,
            senior_id,
        )
        return [Note(*row) for row in rows]


_NOTES = "SELECT n.id, n.slate_id, n.kind, n.who, n.text, n.answer, n.happened_at FROM notes n"
