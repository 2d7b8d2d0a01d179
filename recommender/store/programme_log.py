"""What the figures of the programme are counted from: plain rows, read only. Ids are in them, and never leave."""

from dataclasses import dataclass
from datetime import datetime

from recommender.domain import Decision, Side
from recommender.store.database import Database


@dataclass(frozen=True)
class Asked:
    """One request and how far it came. `who` is the senior, or the request itself where nobody was signed in."""

    who: str
    at: datetime
    competences: tuple[str, ...]
    saw: bool
    chose: bool
    approved_at: datetime | None


@dataclass(frozen=True)
class Rated:
    """One rating, 1 to 5, of a match that stands. `who` is as in `Asked`, whichever side rated."""

    who: str
    side: Side
    rating: int
    at: datetime


@dataclass(frozen=True)
class Decided:
    """One decision about a choice. `rank` is the place among the suggestions; `in_round`: by a whole round."""

    who: str
    decision: Decision
    reason: str
    at: datetime
    rank: int | None
    in_round: bool


class ProgrammeLog:
    """Reads the log as a whole, one query for each kind of row."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def asked(self) -> list[Asked]:
        """Return every request, oldest first."""
        rows = self._database.rows(
            """
            SELECT coalesce(r.senior_id, r.id), min(r.happened_at), any_value(map_keys(r.competences)),
                bool_or(i.slate_id IS NOT NULL), bool_or(c.slate_id IS NOT NULL OR p.slate_id IS NOT NULL),
                min(v.happened_at)
            FROM requests r LEFT JOIN slates s ON s.request_id = r.id
            LEFT JOIN (SELECT DISTINCT slate_id FROM impressions) i ON i.slate_id = s.id
            LEFT JOIN choices c ON c.slate_id = s.id
            LEFT JOIN (
                SELECT DISTINCT q.slate_id FROM round_people q JOIN rounds o ON o.id = q.round_id
                WHERE o.state = 'published'
            ) p ON p.slate_id = s.id
            LEFT JOIN reviews v ON v.slate_id = s.id AND v.decision = ?
            GROUP BY r.id, r.senior_id ORDER BY 2, r.id
            """,
            Decision.APPROVED,
        )
        return [Asked(who, at, tuple(codes or ()), *others) for who, at, codes, *others in rows]

    def ratings(self) -> list[Rated]:
        """Return every rating of a match that stands, oldest first."""
        rows = self._database.rows(
            "SELECT coalesce(r.senior_id, r.id), o.side, o.rating, o.happened_at "
            "FROM outcomes o JOIN reviews v ON v.slate_id = o.slate_id AND v.decision = ? "
            "JOIN slates s ON s.id = o.slate_id JOIN requests r ON r.id = s.request_id "
            "ORDER BY o.happened_at, o.slate_id, o.side",
            Decision.APPROVED,
        )
        return [Rated(who, Side(side), rating, at) for who, side, rating, at in rows]

    def decided(self) -> list[Decided]:
        """Return every decision, oldest first."""
        rows = self._database.rows(
            """
            SELECT coalesce(r.senior_id, r.id), v.decision, v.reason, v.happened_at, g.rank,
                v.slate_id IN (SELECT slate_id FROM pairs WHERE round_id IS NOT NULL)
            FROM reviews v JOIN slates s ON s.id = v.slate_id JOIN requests r ON r.id = s.request_id
            LEFT JOIN (
                -- A junior whom a coordinator gave has a slate alone as well; the rank is that among the others.
                SELECT t.request_id, u.junior_id, max(u.rank) AS rank
                FROM suggestions u JOIN slates t ON t.id = u.slate_id GROUP BY ALL
            ) g ON g.request_id = r.id AND g.junior_id = v.junior_id
            ORDER BY v.happened_at, v.slate_id
            """
        )
        return [Decided(who, Decision(said), *others) for who, said, *others in rows]

    def places(self) -> list[tuple[int, int]]:
        """Return how often the card of each junior who may be shown was drawn, and drawn first; no ids."""
        return self._database.rows(
            "SELECT count(i.slate_id) AS shown, count(g.slate_id) FROM juniors j "
            "LEFT JOIN impressions i ON i.junior_id = j.id "
            "LEFT JOIN suggestions g ON g.slate_id = i.slate_id AND g.junior_id = i.junior_id AND g.rank = 1 "
            "WHERE j.active AND j.consent GROUP BY j.id ORDER BY shown DESC, 2 DESC"
        )
