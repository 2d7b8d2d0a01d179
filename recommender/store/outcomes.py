"""What became of suggestions: how sessions went for each side, and the whole log as one table to learn from."""

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from recommender.domain import Decision, JuniorId, Outcome, Side, SlateId
from recommender.errors import Conflict, InputRefused
from recommender.store.database import Database

RATINGS = (1, 5)
"""Lowest and highest rating of a session."""


class Outcomes:
    """Ratings after sessions. Blind: nothing here gives one side's rating to the other."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rate(self, slate_id: SlateId, side: Side, rating: int, at: datetime) -> None:
        """Store how it went for one side of a match; a correction replaces.

        Raises
        ------
        InputRefused
            If the rating is not 1 to 5.
        Conflict
            If no coordinator has approved a choice from this slate.
        """
        low, high = RATINGS
        if not low <= rating <= high:
            raise InputRefused("rating_outside", rating=rating, low=low, high=high)
        with self._database.writing() as cursor:
            if not cursor.execute(
                "SELECT 1 FROM reviews WHERE slate_id = ? AND decision = ?", [slate_id, Decision.APPROVED]
            ).fetchone():
                raise Conflict("not_matched")
            cursor.execute(
                "INSERT OR REPLACE INTO outcomes (slate_id, side, rating, happened_at) VALUES (?, ?, ?, ?)",
                [slate_id, side, rating, at],
            )

    def rating_of(self, slate_id: SlateId, side: Side) -> int | None:
        """Return one's own rating, or None."""
        rows = self._database.rows("SELECT rating FROM outcomes WHERE slate_id = ? AND side = ?", slate_id, Side(side))
        return int(rows[0][0]) if rows else None

    def all(self) -> list[Outcome]:
        """Return every rating of a match that still stands, oldest first: for figures, never for a person's page."""
        rows = self._database.rows(
            "SELECT o.slate_id, o.side, o.rating, o.happened_at FROM outcomes o "
            "JOIN reviews v ON v.slate_id = o.slate_id WHERE v.decision = ? "
            "ORDER BY o.happened_at, o.slate_id, o.side",
            Decision.APPROVED,
        )
        return [Outcome(slate_id, Side(side), rating, at) for slate_id, side, rating, at in rows]

    def ratings(self) -> dict[str, tuple[float, int]]:
        """Return the sum, each in [0, 1], and number of seniors' ratings by junior id.

        What juniors say of a pair is left out: it must not come back as a mark on the junior who said it.
        """
        low, high = RATINGS
        rows = self._database.rows(
            "SELECT v.junior_id, sum((o.rating - $1) / $2::DOUBLE), count(*) FROM outcomes o "
            "JOIN reviews v ON v.slate_id = o.slate_id WHERE v.decision = $3 AND o.side = $4 GROUP BY v.junior_id",
            low,
            high - low,
            Decision.APPROVED,
            Side.SENIOR,
        )
        return {JuniorId(junior_id): (float(total), int(number)) for junior_id, total, number in rows}

    def log(self, features: Sequence[str]) -> pa.Table:
        """Return every suggestion ever made and what became of it, one row each, as of one moment.

        Parameters
        ----------
        features : sequence of str
            Which feature values to give, as columns ``f_<name>``; null where an old slate did not have one.

        Returns
        -------
        pyarrow.Table
            Ids of people are in it: `snapshot` takes them out. Candidates of a round that nobody was shown aren't.
            `action` is the last that counts, so a choice that was replaced by another from the same slate is undone.
            Ratings are those of matches that stand.
        """
        values = ", ".join("g.feature_values[?]" for _ in features)
        with self._database.reading() as cursor:
            found = cursor.sql(
                f"{_LOG[0]}, {values} {_LOG[1]}",
                params=list(features),
            ).to_arrow_table()
        return found.rename_columns([*_LOG_COLUMNS, *(f"f_{name}" for name in features)])


_LOG_COLUMNS = (
    "slate",
    "request",
    "senior",
    "junior",
    "senior_department",
    "junior_department",
    "junior_languages",
    "language",
    "at",
    "model_id",
    "encoder_id",
    "explored",
    "doubtful",
    "rank",
    "propensity",
    "score",
    "shown",
    "action",
    "refusal_reason",
    "decision",
    "decision_reason",
    "senior_rating",
    "junior_rating",
)

_LOG = (
    """
    SELECT s.id, s.request_id, r.senior_id, g.junior_id, p.department, j.department, j.languages, r.language,
        r.happened_at, s.model_id, s.encoder_id, s.explored, s.doubtful, g.rank, g.propensity, g.score,
        i.slate_id IS NOT NULL OR a.slate_id IS NOT NULL,
        CASE WHEN a.action = 'chose' AND c.slate_id IS NULL THEN 'undid' ELSE coalesce(a.action, '') END,
        CASE WHEN a.action = 'refused' THEN a.reason ELSE '' END,
        coalesce(v.decision, ''), coalesce(v.reason, ''), x.rating, y.rating
    """,
    """
    FROM suggestions g
    JOIN slates s ON s.id = g.slate_id
    JOIN requests r ON r.id = s.request_id
    LEFT JOIN seniors p ON p.id = r.senior_id
    LEFT JOIN juniors j ON j.id = g.junior_id
    LEFT JOIN impressions i ON i.slate_id = g.slate_id AND i.junior_id = g.junior_id
    LEFT JOIN (
        SELECT slate_id, junior_id, arg_max(action, id) AS action, arg_max(reason, id) AS reason
        FROM interactions GROUP BY slate_id, junior_id
    ) a ON a.slate_id = g.slate_id AND a.junior_id = g.junior_id
    LEFT JOIN choices c ON c.slate_id = g.slate_id AND c.junior_id = g.junior_id
    LEFT JOIN reviews v ON v.slate_id = g.slate_id AND v.junior_id = g.junior_id
    LEFT JOIN outcomes x ON x.slate_id = v.slate_id AND x.side = 'senior' AND v.decision = 'approved'
    LEFT JOIN outcomes y ON y.slate_id = v.slate_id AND y.side = 'junior' AND v.decision = 'approved'
    WHERE NOT r.for_round OR EXISTS (SELECT 1 FROM choices q WHERE q.slate_id = s.id)
    """,
)
"""What is read of each suggestion, and from where."""
