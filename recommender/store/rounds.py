"""Rounds of whole-group matching: who takes part, the draft, and the candidates behind it."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import pyarrow as pa

from recommender.domain import JuniorId, RoundId, SeniorId, SlateId
from recommender.errors import Conflict, InputRefused
from recommender.matching.problem import Aim
from recommender.store.database import Database
from recommender.store.steps import Row, Step
from recommender.store.world import BUSY


@dataclass(frozen=True)
class Options:
    """What a round aims at. All but the aim are in [0, 1], in units of quality.

    `waiting_weight` is what sixty days of waiting add to a pair, `balance_weight` what a junior's second place costs,
    and `exchange_share` how much of the quality is what the junior gets back.
    """

    aim: Aim = Aim.MOST_MATCHED
    minimum_quality: float = 0.05
    waiting_weight: float = 0.1
    balance_weight: float = 0.1
    exchange_share: float = 0.2

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name != "aim" and not 0 <= value <= 1:
                raise InputRefused("option_outside", name=name, value=value)


@dataclass(frozen=True)
class Round:
    """One whole-group matching. `state` is "draft", "published" or "discarded"."""

    id: RoundId
    name: str
    state: str
    version: int
    options: Options
    made_by: str
    made_at: datetime
    published_at: datetime | None = None


@dataclass(frozen=True)
class Taker:
    """A senior who takes part, and the slate that holds their candidates."""

    senior_id: SeniorId
    slate_id: SlateId
    waiting_since: datetime


@dataclass(frozen=True)
class DraftPair:
    """Two who would be paired. `source` is "solver", "hand" or "known"."""

    senior_id: SeniorId
    junior_id: JuniorId
    quality: float
    locked: bool
    source: str


class Rounds:
    """Reads of rounds; each write goes through a step."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Round]:
        """Return all rounds, the newest first."""
        return [_round(*row) for row in self._database.rows(f"{_ROUNDS} ORDER BY made_at DESC")]

    def round(self, round_id: RoundId) -> Round:
        """Return one round; raise `InputRefused` when there is none."""
        rows = self._database.rows(f"{_ROUNDS} WHERE id = ?", round_id)
        if not rows:
            raise InputRefused("round_unknown", id=round_id)
        return _round(*rows[0])

    def takers(self, round_id: RoundId) -> list[Taker]:
        """Return who takes part, by id."""
        rows = self._database.rows(
            "SELECT senior_id, slate_id, waiting_since FROM round_people WHERE round_id = ? ORDER BY senior_id",
            round_id,
        )
        return [Taker(*row) for row in rows]

    def pairs(self, round_id: RoundId) -> list[DraftPair]:
        """Return the draft, by senior."""
        rows = self._database.rows(
            "SELECT senior_id, junior_id, quality, locked, source FROM round_pairs WHERE round_id = ? "
            "ORDER BY senior_id",
            round_id,
        )
        return [DraftPair(*row) for row in rows]

    def candidates(self, round_id: RoundId) -> pa.Table:
        """Return who could be paired: ``senior_id, junior_id, score, exchange, exchanged``, by senior and junior.

        `exchange` is how well what is given back suits the junior, in [0, 1], and `exchanged` what that added to the
        score.
        """
        with self._database.reading() as cursor:
            return cursor.sql(
                "SELECT p.senior_id, g.junior_id, g.score, coalesce(g.feature_values['exchange'], 0.5) AS exchange, "
                "coalesce(g.contributions['exchange'], 0) AS exchanged FROM round_people p "
                "JOIN suggestions g ON g.slate_id = p.slate_id WHERE p.round_id = ? ORDER BY 1, 2",
                params=[round_id],
            ).to_arrow_table()

    def known(self) -> dict[SeniorId, JuniorId]:
        """Return pairs that know each other; somebody with several gets the first by id."""
        rows = self._database.rows("SELECT senior_id, min(junior_id) FROM known_pairs GROUP BY senior_id")
        return dict(rows)

    def busy(self) -> set[str]:
        """Return the seniors who are paired, or whose choice waits."""
        return {senior_id for (senior_id,) in self._database.rows(BUSY)}

    def content(self) -> set[str]:
        """Return the seniors who want nobody now: they said no or ended it for want of time, or reached their goal."""
        rows = self._database.rows(
            "SELECT p.senior_id FROM pairs p SEMI JOIN (SELECT arg_max(id, invited_at) AS id FROM pairs "
            "GROUP BY senior_id) last USING (id) WHERE (p.state = 'declined' AND p.senior_said = 'no' "
            "AND p.end_reason = 'no_time') OR (p.state = 'ended' AND (p.end_reason = 'goal_reached' OR "
            "(p.end_reason = 'no_time' AND EXISTS (SELECT 1 FROM steps s WHERE s.about = p.id "
            "AND s.kind = 'pair_ended' AND s.who = p.senior_id))))"
        )
        return {senior_id for (senior_id,) in rows}

    def waiting_since(self) -> dict[str, datetime]:
        """Return since when each senior has been asking: their first request, or their first round."""
        return dict(
            self._database.rows(
                "SELECT senior_id, min(since) FROM (SELECT senior_id, happened_at AS since FROM requests UNION ALL "
                "SELECT senior_id, waiting_since FROM round_people) WHERE senior_id IS NOT NULL GROUP BY senior_id"
            )
        )

    def asked(self) -> dict[str, str]:
        """Return what each senior asked last, in their own words; not what a round asked for them."""
        return dict(
            self._database.rows(
                "SELECT senior_id, arg_max(text, happened_at) FROM requests WHERE senior_id IS NOT NULL "
                "AND NOT for_round GROUP BY senior_id"
            )
        )


def add(step: Step, made: Round, takers: list[Taker]) -> None:
    """Store a new round with who takes part."""
    step.insert("rounds", [_row(made)])
    rows = [{"round_id": made.id, **asdict(each)} for each in takers]
    step.insert("round_people", rows)


def move(step: Step, round_id: RoundId, version: int, **changes: Any) -> Round:
    """Take a round one version further, with other values where given.

    Raises
    ------
    Conflict
        If somebody took it further since `version`, or it is no draft any more.
    """
    found = step.found("rounds", id=round_id)
    if not found:
        raise InputRefused("round_unknown", id=round_id)
    held = _round(**found[0])
    if held.state != "draft":
        raise Conflict(f"round_{held.state}", name=held.name)
    if held.version != version:
        raise Conflict("round_changed", who=_last(step, round_id))
    moved = replace(held, **changes)
    row = _row(moved)
    step.update("rounds", {"id": round_id}, {name: row[name] for name in changes})
    touch(step, round_id)
    return replace(moved, version=version + 1)


def touch(step: Step, round_id: RoundId) -> None:
    """Take the version one further. It isn't part of what an undo puts back: it only ever grows."""
    step.rows("UPDATE rounds SET version = version + 1 WHERE id = ?", round_id)


def draft(step: Step, round_id: RoundId, pairs: list[DraftPair]) -> None:
    """Put a draft in the place of the one before; pairs that stay as they were aren't touched."""
    held = {row["senior_id"]: row for row in step.found("round_pairs", round_id=round_id)}
    new = {each.senior_id: {"round_id": round_id, **asdict(each)} for each in pairs}
    for senior_id in held.keys() - {each for each, row in new.items() if held.get(each) == row}:
        step.delete("round_pairs", round_id=round_id, senior_id=senior_id)
    step.insert("round_pairs", [row for each, row in new.items() if held.get(each) != row])


_ROUNDS = "SELECT id, name, state, version, options, made_by, made_at, published_at FROM rounds"


def _last(step: Step, round_id: RoundId) -> str:
    rows = step.rows("SELECT who FROM steps WHERE about = ? ORDER BY number DESC LIMIT 1", round_id)
    return str(rows[0][0]) if rows else "?"


def _round(
    id: str,  # noqa: A002  # named as the column
    name: str,
    state: str,
    version: int,
    options: str,
    made_by: str,
    made_at: datetime,
    published_at: datetime | None,
) -> Round:
    kept = json.loads(options)
    chosen = Options(**(kept | {"aim": Aim(kept["aim"])}))
    return Round(RoundId(id), name, state, version, chosen, made_by, made_at, published_at)


def _row(made: Round) -> Row:
    return asdict(made) | {"options": json.dumps(asdict(made.options))}
