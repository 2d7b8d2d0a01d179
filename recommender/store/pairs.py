"""Pairs with their meetings and check-ins. What is written goes through a step, so that it can be taken back."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Protocol

from recommender.domain import Decision, JuniorId, PairId, Side
from recommender.errors import Conflict, InputRefused, UnknownPerson
from recommender.pair import OPEN, Agreement, CheckIn, Meeting, MeetingState, Pair, PairState
from recommender.store.database import Database
from recommender.store.outcomes import RATINGS
from recommender.store.steps import Row, Step

RESUMED = "pair_resumed"
"""Kind of the step that ends a pause."""


class Rows(Protocol):
    """What can be read from: the database, or a step with what it has changed so far."""

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return all rows of one query."""
        ...


class Pairs:
    """Reads take an optional step: then they see what that step has left, and nobody changes it in between."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Pairs

    def pair(self, pair_id: str, step: Step | None = None) -> Pair:
        """Return one pair; raise `InputRefused` when there is none."""
        found = self._pairs("WHERE id = ?", pair_id, step=step)
        if not found:
            raise InputRefused("pair_unknown", id=pair_id)
        return found[0]

    def all(self, states: Collection[PairState] | None = None) -> list[Pair]:
        """Return all pairs, or those in some states, the newest first."""
        if states is None:
            return self._pairs("ORDER BY invited_at DESC, id")
        return self._pairs("WHERE list_contains(?::TEXT[], state) ORDER BY invited_at DESC, id", _texts(states))

    def of(self, person_id: str, step: Step | None = None) -> list[Pair]:
        """Return the pairs of one person, the newest first."""
        return self._pairs("WHERE senior_id = $1 OR junior_id = $1 ORDER BY invited_at DESC, id", person_id, step=step)

    def partners_of(self, senior_id: str) -> set[str]:
        """Return the juniors who are not to be proposed to a senior again: a pair now or before, or one said no."""
        return self.partners().get(senior_id, set())

    def partners(self) -> dict[str, set[str]]:
        """Return `partners_of` for every senior with somebody. Silence and second thoughts don't count."""
        rows = self._database.rows(
            "SELECT senior_id, junior_id FROM pairs WHERE NOT list_contains(?::TEXT[], state)",
            _texts([PairState.EXPIRED, PairState.WITHDRAWN]),
        )
        found: dict[str, set[str]] = {}
        for senior_id, junior_id in rows:
            found.setdefault(senior_id, set()).add(junior_id)
        return found

    def next_candidates(self, pair: Pair) -> list[JuniorId]:
        """Return who else was found for the same request and can be invited now, the best first.

        Left out are those who were ever asked for this senior, whom the senior or a coordinator put aside, who are on
        the do-not-pair list, who are away, and who have no place.
        """
        rows = self._database.rows(
            """
            WITH found AS (SELECT s.id FROM slates s JOIN slates o ON o.request_id = s.request_id WHERE o.id = $1)
            SELECT g.junior_id FROM suggestions g
            JOIN juniors j ON j.id = g.junior_id JOIN seniors p ON p.id = $2
            WHERE g.slate_id IN (FROM found) AND j.active AND j.consent AND p.active AND p.consent
            AND NOT EXISTS (SELECT 1 FROM pairs a WHERE a.senior_id = $2 AND a.junior_id = j.id)
            AND NOT EXISTS (SELECT 1 FROM do_not_pair d WHERE d.senior_id = $2 AND d.junior_id = j.id)
            AND NOT EXISTS (
                SELECT 1 FROM reviews r JOIN choices c ON c.slate_id = r.slate_id
                WHERE c.senior_id = $2 AND r.junior_id = j.id AND r.decision = $3
            )
            AND coalesce((
                SELECT arg_max(i.action, i.id) FROM interactions i
                WHERE i.slate_id IN (FROM found) AND i.junior_id = j.id
            ), '') <> 'refused'
            AND j.capacity > (SELECT count(*) FROM matches m WHERE m.junior_id = j.id) + (
                SELECT count(*) FROM choices w WHERE w.junior_id = j.id
                AND NOT EXISTS (SELECT 1 FROM reviews r WHERE r.slate_id = w.slate_id)
            )
            GROUP BY g.junior_id
            ORDER BY max(g.rank), g.junior_id  -- on a slate of one card everybody is the first
            """,
            pair.slate_id,
            pair.senior_id,
            Decision.REJECTED,
        )
        return [JuniorId(junior_id) for (junior_id,) in rows]

    def to_match_again(self) -> list[Pair]:
        """Return the last pair of each senior who was left with nobody and may want somebody else, oldest end first.

        Not those who reached their goal or had no time, nor seniors with a choice that waits.
        """
        return self._pairs(
            """
            SEMI JOIN (
                SELECT arg_max(id, invited_at) AS id FROM pairs GROUP BY senior_id
                HAVING count(*) FILTER (list_contains($1::TEXT[], state)) = 0
            ) last USING (id)
            WHERE end_reason NOT IN ('goal_reached', 'no_time') OR state <> 'ended'
            ORDER BY ended_at, id
            """,
            _texts(OPEN),
            among="SELECT * FROM pairs a WHERE EXISTS (SELECT 1 FROM seniors p WHERE p.id = a.senior_id "
            "AND p.active AND p.consent) AND NOT EXISTS (SELECT 1 FROM choices c WHERE c.senior_id = a.senior_id "
            "AND NOT EXISTS (SELECT 1 FROM reviews r WHERE r.slate_id = c.slate_id))",
        )

    def topics(self, slate_ids: Sequence[str]) -> dict[str, str]:
        """Return the surest competence in the request of each slate, by its code; none where none was read."""
        rows = self._database.rows(
            "SELECT s.id, r.competences FROM slates s JOIN requests r ON r.id = s.request_id "
            "WHERE list_contains(?::TEXT[], s.id)",
            list(slate_ids),
        )
        return {slate_id: max(read, key=lambda code: read[code]) for slate_id, read in rows if read}

    def resumed(self) -> dict[str, datetime]:
        """Return when each pair went on after its last pause."""
        return dict(
            self._database.rows(
                "SELECT about, max(happened_at) FROM steps WHERE kind = ? "
                "AND id NOT IN (SELECT step_id FROM undone) GROUP BY about",
                RESUMED,
            )
        )

    def letters(self, kinds: Collection[str]) -> set[str]:
        """Return the keys of the letters of some kinds that were ever made."""
        rows = self._database.rows("SELECT id FROM outbox WHERE list_contains(?::TEXT[], kind)", list(kinds))
        return {key for (key,) in rows}

    def add(self, step: Step, pairs: Sequence[Pair]) -> None:
        """Store new pairs."""
        step.insert("pairs", [_pair_row(each) for each in pairs])

    def save(self, step: Step, pair: Pair) -> None:
        """Store a pair as it is now."""
        step.update("pairs", {"id": pair.id}, _pair_row(pair))

    def free_place(self, step: Step, pair: Pair) -> None:
        """Give the junior the place back that the pair took."""
        step.delete("matches", slate_id=pair.slate_id, junior_id=pair.junior_id)

    # Meetings

    def meeting(self, meeting_id: str, step: Step | None = None) -> Meeting:
        """Return one meeting; raise `InputRefused` when there is none."""
        found = self._meetings("WHERE id = ?", meeting_id, step=step)
        if not found:
            raise InputRefused("meeting_unknown", id=meeting_id)
        return found[0]

    def meetings(self, pair_id: str, step: Step | None = None) -> list[Meeting]:
        """Return the meetings of a pair, in order of time."""
        return self._meetings("WHERE pair_id = ? ORDER BY starts_at, id", pair_id, step=step)

    def all_meetings(self) -> dict[str, list[Meeting]]:
        """Return all meetings by pair, in order of time."""
        return _by_pair(self._meetings("ORDER BY starts_at, id"))

    def add_meeting(self, step: Step, meeting: Meeting) -> None:
        """Store a new meeting."""
        step.insert("meetings", [_meeting_row(meeting)])

    def save_meeting(self, step: Step, meeting: Meeting) -> None:
        """Store a meeting as it is now."""
        step.update("meetings", {"id": meeting.id}, _meeting_row(meeting))

    # Check-ins

    def check_ins(self, pair_id: str, step: Step | None = None) -> list[CheckIn]:
        """Return the check-ins of a pair, by week."""
        return self._check_ins("WHERE pair_id = ? ORDER BY week, side DESC", pair_id, step=step)

    def all_check_ins(self) -> dict[str, list[CheckIn]]:
        """Return all check-ins by pair, by week."""
        return _by_pair(self._check_ins("ORDER BY week, side DESC"))

    def add_check_ins(self, step: Step, check_ins: Sequence[CheckIn]) -> None:
        """Store new check-ins."""
        step.insert("check_ins", [_check_in_row(each) for each in check_ins])

    def save_check_in(self, step: Step, check_in: CheckIn) -> None:
        """Store a check-in as it is now."""
        key = {"pair_id": check_in.pair_id, "week": check_in.week, "side": check_in.side}
        changed = {name: value for name, value in _check_in_row(check_in).items() if name not in key}
        step.update("check_ins", key, changed)

    def rate(self, step: Step, pair: Pair, side: Side, rating: int, at: datetime) -> None:
        """Store how it went for one side, as `Outcomes.rate` does, within a step.

        Raises
        ------
        InputRefused
            If the rating is not 1 to 5.
        Conflict
            If no coordinator has approved this pair.
        """
        low, high = RATINGS
        if not low <= rating <= high:
            raise InputRefused("rating_outside", rating=rating, low=low, high=high)
        if not step.found("reviews", slate_id=pair.slate_id, junior_id=pair.junior_id, decision=Decision.APPROVED):
            raise Conflict("not_matched")
        key: Row = {"slate_id": pair.slate_id, "side": side}
        values: Row = {"rating": rating, "happened_at": at}
        if step.found("outcomes", **key):
            step.update("outcomes", key, values)
        else:
            step.insert("outcomes", [key | values])

    # People who leave

    def deactivate(self, step: Step, person_id: str) -> None:
        """Let somebody take part no longer; raise `UnknownPerson` when there is nobody with this id."""
        tables = [table for table in ("juniors", "seniors") if step.found(table, id=person_id)]
        if not tables:
            raise UnknownPerson("unknown_person", id=person_id)
        for table in tables:
            step.update(table, {"id": person_id}, {"active": False})

    def _pairs(self, rest: str, *values: object, step: Step | None = None, among: str = "") -> list[Pair]:
        table = f"({among}) pairs" if among else "pairs"
        rows = (step or self._database).rows(f"SELECT {_columns(Pair)} FROM {table} {rest}", *values)  # noqa: S608
        return [_pair(*row) for row in rows]

    def _meetings(self, rest: str, *values: object, step: Step | None = None) -> list[Meeting]:
        source: Rows = step or self._database
        rows = source.rows(f"SELECT {_columns(Meeting)} FROM meetings {rest}", *values)  # noqa: S608
        return [_meeting(*row) for row in rows]

    def _check_ins(self, rest: str, *values: object, step: Step | None = None) -> list[CheckIn]:
        source: Rows = step or self._database
        rows = source.rows(f"SELECT {_columns(CheckIn)} FROM check_ins {rest}", *values)  # noqa: S608
        return [_check_in(*row) for row in rows]


def _columns(kind: type[Pair] | type[Meeting] | type[CheckIn]) -> str:
    """Return the columns of a table, which are named as the fields are."""
    return ", ".join(each.name for each in fields(kind))


def _texts(values: Collection[str]) -> list[str]:
    return [str(each) for each in values]


def _by_pair(found: Sequence[Any]) -> dict[str, list[Any]]:
    by_pair: dict[str, list[Any]] = {}
    for each in found:
        by_pair.setdefault(each.pair_id, []).append(each)
    return by_pair


def _row(thing: Pair | Meeting | CheckIn) -> Row:
    return {each.name: getattr(thing, each.name) for each in fields(thing)}


def _pair_row(pair: Pair) -> Row:
    told = json.dumps(asdict(pair.agreement), ensure_ascii=False) if pair.agreement else ""
    return _row(pair) | {"agreement": told}


def _meeting_row(meeting: Meeting) -> Row:
    return _row(meeting) | {"cancelled_by": meeting.cancelled_by or ""}


def _check_in_row(check_in: CheckIn) -> Row:
    return _row(check_in) | {"answers": json.dumps(check_in.answers)}


def _pair(*row: Any) -> Pair:
    told = dict(zip((each.name for each in fields(Pair)), row, strict=True))
    agreed = Agreement(**json.loads(told["agreement"])) if told["agreement"] else None
    return Pair(**told | {"state": PairState(told["state"]), "agreement": agreed})


def _meeting(*row: Any) -> Meeting:
    told = dict(zip((each.name for each in fields(Meeting)), row, strict=True))
    by = Side(told["cancelled_by"]) if told["cancelled_by"] else None
    return Meeting(**told | {"state": MeetingState(told["state"]), "cancelled_by": by})


def _check_in(pair_id: PairId, week: int, side: str, due_at: datetime, at: datetime | None, answers: str) -> CheckIn:
    return CheckIn(pair_id, week, Side(side), due_at, at, json.loads(answers))
