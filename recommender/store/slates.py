"""Requests, what was shown for them and why, what seniors did, and what coordinators decided."""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from recommender.domain import (
    Action,
    ConversationId,
    Decision,
    JuniorId,
    Request,
    RequestId,
    SeniorId,
    Slate,
    SlateId,
    Suggestion,
    Understood,
)
from recommender.errors import Conflict, InputRefused
from recommender.store.database import Cursor, Database, insert_table, sets_of
from recommender.store.steps import Row, Step
from recommender.wording import Language


@dataclass(frozen=True)
class Choice:
    """A senior's choice, with the coordinator's decision where there is one."""

    slate: Slate
    junior_id: JuniorId
    conversation_id: ConversationId | None
    at: datetime
    decision: Decision | None = None
    reason: str = ""
    reviewer: str = ""


_PAIRED = (
    "SELECT senior_id, junior_id FROM matches WHERE senior_id IS NOT NULL "
    "UNION SELECT senior_id, junior_id FROM pairs WHERE state NOT IN ('expired', 'withdrawn')"
)
"""Who is paired with whom, or was, or said no. An invitation that nobody answered may come again."""
_PAIRED_WITH = (
    "SELECT junior_id FROM matches WHERE senior_id = $1 "
    "UNION SELECT junior_id FROM pairs WHERE senior_id = $1 AND state NOT IN ('expired', 'withdrawn')"
)
_REJECTED = (
    "SELECT c.senior_id, r.junior_id FROM reviews r JOIN choices c ON c.slate_id = r.slate_id "
    "WHERE r.decision = ? AND c.senior_id IS NOT NULL"
)

KEPT = 500
"""Slates that are at hand: those of the people who are in conversation now."""


class Slates:
    """The log that explains each suggestion and from which the ranker will learn. Nothing in it is overwritten."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._kept: OrderedDict[SlateId, Slate] = OrderedDict()

    def put(self, *slates: Slate, for_round: bool = False) -> None:
        """Store requests with their slates; `for_round` are those that a round asks for somebody."""
        with self._database.writing() as cursor:
            # One statement for all rows: each statement costs some milliseconds, whatever it holds.
            one = "(?, ?, ?, ?, ?, ?, MAP(?::TEXT[], ?::DOUBLE[]), ?, ?)"
            cursor.execute(
                "INSERT INTO requests (id, senior_id, text, goal, language, happened_at, competences, level, "  # noqa: S608
                f"for_round) VALUES {', '.join([one] * len(slates))}",
                [value for slate in slates for value in (*_request_row(slate.request), for_round)],
            )
            one = "(?, ?, ?, ?, ?, MAP(?::TEXT[], ?::INTEGER[]), ?, ?, ?)"
            cursor.execute(
                "INSERT INTO slates (id, request_id, model_id, encoder_id, intercept, excluded, doubtful, happened_at, "  # noqa: S608
                f"explored) VALUES {', '.join([one] * len(slates))}",
                [value for slate in slates for value in _slate_row(slate)],
            )
            rows = [_row(slate.id, each) for slate in slates for each in slate.suggestions]
            if rows:
                insert_table(cursor, "suggestions", pa.Table.from_pylist(rows, schema=_SUGGESTIONS))
        for slate in slates:
            self._keep(slate)

    def slate(self, slate_id: SlateId) -> Slate:
        """Return a stored slate just as it was shown, with each junior's name of today."""
        found = self.slates([slate_id])
        if slate_id not in found:
            raise InputRefused("unknown_slate", id=slate_id)
        return found[slate_id]

    def slates(self, slate_ids: Sequence[SlateId]) -> dict[SlateId, Slate]:
        """Return stored slates by id; those that aren't at hand are read all at once."""
        with self._lock:
            found = {each: self._kept[each] for each in slate_ids if each in self._kept}
        missing = [each for each in slate_ids if each not in found]
        return found | {each.id: self._keep(each) for each in self._read(missing)}

    def forget(self) -> None:
        """Read slates anew: a name has changed."""
        with self._lock:
            self._kept.clear()

    def _keep(self, slate: Slate) -> Slate:
        with self._lock:
            self._kept[slate.id] = slate
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return slate

    def _read(self, slate_ids: Sequence[SlateId]) -> list[Slate]:
        if not slate_ids:
            return []
        rows = self._database.rows(
            "SELECT g.slate_id, g.rank, g.junior_id, coalesce(j.name, g.junior_id), g.score, g.contributions, "
            "g.feature_values, g.evidence, g.minus, g.propensity FROM suggestions g "
            "LEFT JOIN juniors j ON j.id = g.junior_id WHERE list_contains(?::TEXT[], g.slate_id) ORDER BY 1, 2",
            list(slate_ids),
        )
        suggestions: dict[str, list[Suggestion]] = {}
        for slate_id, *row in rows:
            suggestions.setdefault(slate_id, []).append(_suggestion(*row))
        heads = self._database.rows(
            "SELECT s.id, r.id, r.senior_id, r.text, r.goal, r.language, r.happened_at, s.model_id, s.encoder_id, "
            "s.intercept, s.excluded, s.doubtful, s.explored, r.competences, r.level "
            "FROM slates s JOIN requests r ON r.id = s.request_id WHERE list_contains(?::TEXT[], s.id)",
            list(slate_ids),
        )
        return [_slate(tuple(suggestions.get(head[0], ())), *head) for head in heads]

    def shown(self, slate_id: SlateId, junior_ids: Sequence[JuniorId], at: datetime) -> None:
        """Record that suggestions were really drawn; drawing them again adds nothing."""
        known = {
            each for (each,) in self._database.rows("SELECT junior_id FROM impressions WHERE slate_id = ?", slate_id)
        }
        new = [each for each in junior_ids if each not in known]
        if not new:
            return
        with self._database.writing() as cursor:
            cursor.execute(
                "INSERT OR IGNORE INTO impressions (slate_id, junior_id, happened_at) "  # noqa: S608
                f"VALUES {', '.join(['(?, ?, ?)'] * len(new))}",
                [value for each in new for value in (slate_id, each, at)],
            )

    def interact(self, slate_id: SlateId, junior_id: JuniorId, action: Action, at: datetime, reason: str = "") -> None:
        """Record what a senior did with a suggestion that does not become a choice; `reason` is a key."""
        with self._database.writing() as cursor:
            _log(cursor, slate_id, junior_id, action, at, reason)

    def choose(
        self,
        slate_id: SlateId,
        junior_id: JuniorId,
        senior_id: SeniorId | None,
        conversation_id: ConversationId | None,
        at: datetime,
    ) -> None:
        """Put a choice in the coordinator's queue; a second press of the button changes nothing."""
        with self._database.writing() as cursor:
            if _decided(cursor, slate_id):
                raise Conflict("already_decided")
            held = cursor.execute("SELECT junior_id FROM choices WHERE slate_id = ?", [slate_id]).fetchone()
            if held == (junior_id,):
                return
            cursor.execute(
                "INSERT OR REPLACE INTO choices (slate_id, junior_id, senior_id, conversation_id, happened_at) "
                "VALUES (?, ?, ?, ?, ?)",
                [slate_id, junior_id, senior_id, conversation_id, at],
            )
            _log(cursor, slate_id, junior_id, Action.CHOSE, at)

    def undo_choice(self, slate_id: SlateId, at: datetime) -> None:
        """Take a choice out of the queue; refused once a coordinator has decided."""
        with self._database.writing() as cursor:
            if _decided(cursor, slate_id):
                raise Conflict("already_decided")
            held = cursor.execute("DELETE FROM choices WHERE slate_id = ? RETURNING junior_id", [slate_id]).fetchone()
            if held:
                _log(cursor, slate_id, held[0], Action.UNDID, at)

    def decide(
        self, step: Step, slate_id: SlateId, decision: Decision, reason: str, note: str, reviewer: str, at: datetime
    ) -> JuniorId:
        """Store a coordinator's decision; an approval takes one free place of the junior.

        Raises
        ------
        Conflict
            If somebody decided before, the choice was undone, or the junior has no place left.
        """
        if step.found("reviews", slate_id=slate_id):
            raise Conflict("already_decided")
        held = step.found("choices", slate_id=slate_id)
        if not held:
            raise Conflict("choice_gone")
        junior_id, senior_id = held[0]["junior_id"], held[0]["senior_id"]
        if decision is Decision.APPROVED:
            take_places(step, [(junior_id, senior_id, slate_id)], at)
        step.insert("reviews", [_review(slate_id, junior_id, decision, reason, note, reviewer, at)])
        return JuniorId(junior_id)

    def match_many(
        self, step: Step, pairs: Sequence[tuple[JuniorId, SeniorId, SlateId]], who: str, at: datetime
    ) -> None:
        """Store choices that a coordinator made and approved, for many at once; each takes a place.

        Raises
        ------
        Conflict
            If a junior has no place left.
        """
        take_places(step, pairs, at)
        step.insert(
            "choices",
            [
                {
                    "slate_id": slate_id,
                    "junior_id": junior_id,
                    "senior_id": senior_id,
                    "conversation_id": None,
                    "happened_at": at,
                }
                for junior_id, senior_id, slate_id in pairs
            ],
        )
        step.insert(
            "reviews",
            [_review(slate_id, junior_id, Decision.APPROVED, "", "", who, at) for junior_id, _, slate_id in pairs],
        )

    def answered(
        self, step: Step, slate_id: SlateId, junior_id: JuniorId, *, yes: bool, reason: str, at: datetime
    ) -> None:
        """Log a senior's answer to an invitation, unless it is what they said of this card last."""
        said = Action.CHOSE if yes else Action.REFUSED
        last = step.rows(
            "SELECT action, reason FROM interactions WHERE slate_id = ? AND junior_id = ? ORDER BY id DESC LIMIT 1",
            slate_id,
            junior_id,
        )
        if not last or (last[0][0], last[0][1] or "") != (said, reason):
            step.rows(
                "INSERT INTO interactions (slate_id, junior_id, action, happened_at, reason) VALUES (?, ?, ?, ?, ?)",
                slate_id,
                junior_id,
                said,
                at,
                reason,
            )

    def single_cards(self, step: Step, cards: Sequence[tuple[SlateId, JuniorId]]) -> list[SlateId]:
        """Make for each a slate with one junior of another slate: what somebody is asked about who saw no others.

        The one card is the first and was sure to be there, so its propensity is 1.
        """
        new = [SlateId(uuid.uuid4().hex) for _ in cards]
        ids = "SELECT unnest($1::TEXT[]) AS made, unnest($2::TEXT[]) AS slate_id, unnest($3::TEXT[]) AS junior_id"
        bound = [new, [slate_id for slate_id, _ in cards], [junior_id for _, junior_id in cards]]
        step.rows(
            "INSERT INTO slates (id, request_id, model_id, encoder_id, intercept, excluded, doubtful, happened_at, "  # noqa: S608
            "explored) SELECT n.made, s.request_id, s.model_id, s.encoder_id, s.intercept, s.excluded, s.doubtful, "
            f"s.happened_at, false FROM ({ids}) n JOIN slates s ON s.id = n.slate_id",
            *bound,
        )
        made = step.rows(
            "INSERT INTO suggestions (slate_id, rank, junior_id, score, contributions, feature_values, "  # noqa: S608
            "evidence, minus, propensity) SELECT n.made, 1, g.junior_id, g.score, g.contributions, g.feature_values, "
            f"g.evidence, g.minus, 1.0 FROM ({ids}) n JOIN suggestions g ON g.slate_id = n.slate_id "
            "AND g.junior_id = n.junior_id",
            *bound,
        )
        if made[0][0] != len(new):
            raise Conflict("gone_meanwhile", what="suggestions")
        return new

    def choices(self, *, waiting: bool) -> list[Choice]:
        """Return choices that wait for a coordinator (oldest first), or those decided (newest first)."""
        found = self._choices(waiting=waiting)
        return found if waiting else found[::-1]

    def choice(self, slate_id: SlateId) -> Choice | None:
        """Return the choice from one slate, or None."""
        found = self._choices(slate_id=slate_id)
        return found[0] if found else None

    def rejected_for(self, senior_id: SeniorId) -> set[str]:
        """Return the juniors whom a coordinator has rejected for this senior."""
        rows = self._database.rows(f"{_REJECTED} AND c.senior_id = ?", Decision.REJECTED, senior_id)
        return {junior_id for _, junior_id in rows}

    def decisions_of(self, who: str, most: int) -> list[tuple[Decision, datetime]]:
        """Return somebody's last decisions about single choices, the newest first."""
        rows = self._database.rows(
            "SELECT decision, happened_at FROM reviews WHERE reviewer = ? AND slate_id NOT IN "
            "(SELECT slate_id FROM pairs WHERE round_id IS NOT NULL) ORDER BY happened_at DESC LIMIT ?",
            who,
            most,
        )
        return [(Decision(decision), at) for decision, at in rows]

    def _choices(self, waiting: bool | None = None, slate_id: SlateId | None = None) -> list[Choice]:
        """Return choices with their decisions, oldest first; None asks for all."""
        rows = self._database.rows(
            "SELECT c.slate_id, c.junior_id, c.conversation_id, c.happened_at, r.decision, r.reason, r.reviewer, "
            "r.happened_at FROM choices c LEFT JOIN reviews r ON r.slate_id = c.slate_id "
            "WHERE ($1::BOOLEAN IS NULL OR (r.slate_id IS NULL) = $1) AND ($2::TEXT IS NULL OR c.slate_id = $2) "
            "ORDER BY coalesce(r.happened_at, c.happened_at)",
            waiting,
            slate_id,
        )
        slates = self.slates([row[0] for row in rows])
        return [
            Choice(
                slates[slate_id],
                junior_id,
                conversation_id,
                at,
                Decision(decision) if decision else None,
                reason or "",
                reviewer or "",
            )
            for slate_id, junior_id, conversation_id, at, decision, reason, reviewer, _ in rows
        ]

    def load(self) -> dict[str, int]:
        """Return how many places of each junior are taken: matches, and choices that wait."""
        return dict(
            self._database.rows(
                "SELECT junior_id, count(*) FROM (SELECT junior_id FROM matches UNION ALL "
                "SELECT c.junior_id FROM choices c LEFT JOIN reviews r ON r.slate_id = c.slate_id "
                "WHERE r.slate_id IS NULL) GROUP BY junior_id"
            )
        )

    def paired_with(self, senior_id: SeniorId) -> set[str]:
        """Return the juniors this senior is or was paired with."""
        return {junior for (junior,) in self._database.rows(_PAIRED_WITH, senior_id)}

    def paired(self) -> dict[str, frozenset[str]]:
        """Return the same for every senior."""
        return sets_of(self._database.rows(_PAIRED))

    def rejected(self) -> dict[str, frozenset[str]]:
        """Return for every senior the juniors whom a coordinator has rejected."""
        return sets_of(self._database.rows(_REJECTED, Decision.REJECTED))

    def asked(self) -> list[tuple[str | None, dict[str, float]]]:
        """Return who asked, and the competences that were read in each request."""
        return [(who, dict(read)) for who, read in self._database.rows("SELECT senior_id, competences FROM requests")]

    def cards_shown(self) -> list[int]:
        """Return how often the card of each junior who may be shown was drawn, the most first; no ids."""
        rows = self._database.rows(
            "SELECT count(i.junior_id) FROM juniors j LEFT JOIN impressions i ON i.junior_id = j.id "
            "WHERE j.active AND j.consent GROUP BY j.id ORDER BY 1 DESC"
        )
        return [number for (number,) in rows]

    def counts(self) -> dict[str, int]:
        """Return how many of each thing is stored, for the Model page and ``doctor``."""
        rows = self._database.rows(
            "SELECT 'requests', count(*) FROM requests UNION ALL SELECT 'impressions', count(*) FROM impressions "
            "UNION ALL SELECT 'choices', count(*) FROM choices UNION ALL SELECT 'reviews', count(*) FROM reviews "
            "UNION ALL SELECT 'matches', count(*) FROM matches"
        )
        return dict(rows)


_NUMBERS = pa.map_(pa.string(), pa.float64())
_SUGGESTIONS = pa.schema(
    [
        ("slate_id", pa.string()),
        ("rank", pa.int32()),
        ("junior_id", pa.string()),
        ("score", pa.float64()),
        ("contributions", _NUMBERS),
        ("feature_values", _NUMBERS),
        ("evidence", pa.list_(pa.string())),
        ("minus", pa.string()),
        ("propensity", pa.float64()),
    ]
)


def _row(slate_id: SlateId, each: Suggestion) -> Row:
    return {
        "slate_id": slate_id,
        "rank": each.rank,
        "junior_id": each.junior_id,
        "score": each.score,
        "contributions": list(each.contributions.items()),
        "feature_values": list(each.values.items()),
        "evidence": list(each.evidence),
        "minus": each.minus,
        "propensity": each.propensity,
    }


def _request_row(request: Request) -> list[Any]:
    understood = request.understood
    return [
        request.id,
        request.senior_id,
        request.text,
        understood.goal,
        understood.language,
        request.at,
        *_keys_and_values(dict(understood.competences)),
        understood.level,
    ]


def _slate_row(slate: Slate) -> list[Any]:
    return [
        slate.id,
        slate.request.id,
        slate.model_id,
        slate.encoder_id,
        slate.intercept,
        *_keys_and_values(slate.excluded),
        slate.doubtful,
        slate.request.at,
        slate.explored,
    ]


def _keys_and_values(mapping: dict[str, Any]) -> tuple[list[str], list[Any]]:
    return list(mapping), list(mapping.values())


def _slate(
    suggestions: tuple[Suggestion, ...],
    slate_id: SlateId,
    request_id: str,
    senior_id: SeniorId | None,
    text: str,
    goal: str,
    language: Language,
    at: datetime,
    model_id: str,
    encoder_id: str,
    intercept: float,
    excluded: dict[str, int],
    doubtful: bool,
    explored: bool,
    read: dict[str, float],
    level: float | None,
) -> Slate:
    understood = Understood(goal, language, tuple(read.items()), level)
    request = Request(RequestId(request_id), senior_id, text, understood, at)
    return Slate(slate_id, request, model_id, encoder_id, intercept, suggestions, dict(excluded), doubtful, explored)


def _suggestion(
    rank: int,
    junior_id: str,
    name: str,
    score: float,
    contributions: dict[str, float],
    values: dict[str, float],
    evidence: list[str],
    minus: str | None,
    propensity: float,
) -> Suggestion:
    return Suggestion(rank, JuniorId(junior_id), name, score, contributions, values, tuple(evidence), minus, propensity)


def _log(cursor: Cursor, slate_id: SlateId, junior_id: str, action: Action, at: datetime, reason: str = "") -> None:
    cursor.execute(
        "INSERT INTO interactions (slate_id, junior_id, action, happened_at, reason) VALUES (?, ?, ?, ?, ?)",
        [slate_id, junior_id, action, at, reason],
    )


def _decided(cursor: Cursor, slate_id: SlateId) -> bool:
    return cursor.execute("SELECT 1 FROM reviews WHERE slate_id = ?", [slate_id]).fetchone() is not None


def take_places(step: Step, pairs: Sequence[tuple[str, str | None, str]], at: datetime) -> None:
    """Give each pair, as (junior, senior, slate), the lowest free place of its junior.

    The place is a key, so two who decide at once can't give away the same one.
    """
    ids = sorted({junior_id for junior_id, _, _ in pairs})
    known = step.rows("SELECT id, capacity, name FROM juniors WHERE list_contains(?::TEXT[], id)", ids)
    capacity, names = {row[0]: row[1] for row in known}, {row[0]: row[2] for row in known}
    taken: dict[str, set[int]] = {}
    for junior_id, slot in step.rows(
        "SELECT junior_id, slot FROM matches WHERE list_contains(?::TEXT[], junior_id)", ids
    ):
        taken.setdefault(junior_id, set()).add(slot)
    rows = []
    for junior_id, senior_id, slate_id in pairs:
        held = taken.setdefault(junior_id, set())
        free = next((slot for slot in range(capacity.get(junior_id, 0)) if slot not in held), None)
        if free is None:
            raise Conflict("no_place_left", junior=names.get(junior_id, junior_id))
        held.add(free)
        rows.append(
            {
                "junior_id": junior_id,
                "slot": free,
                "senior_id": senior_id,
                "slate_id": slate_id,
                "happened_at": at,
            }
        )
    step.insert("matches", rows)


def _review(
    slate_id: str, junior_id: str, decision: Decision, reason: str, note: str, reviewer: str, at: datetime
) -> Row:
    return {
        "slate_id": slate_id,
        "junior_id": junior_id,
        "decision": decision,
        "reason": reason,
        "note": note,
        "reviewer": reviewer,
        "happened_at": at,
    }
