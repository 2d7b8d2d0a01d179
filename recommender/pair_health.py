"""Early signs that a pair comes to a stop, and how it does in one word. Plain data in and out.

The coordinator sees this of a pair and nothing that either of the two said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from recommender.domain import JuniorId, PairId, SeniorId, Side
from recommender.pair import (
    GO_ON,
    QUESTIONS,
    STARTED,
    CheckIn,
    Meeting,
    MeetingState,
    Pair,
    PairState,
    cancelled_in_a_row,
)

CANCELLED_IN_A_ROW = 2
""""After a couple of cancelled sessions, momentum dwindles": Harvard Business Review, 2019, Jordan and Sorell."""
FIRST_MEETING_WITHIN = timedelta(weeks=3)
"""A month is the common rhythm (PwC); a pair that hasn't met after three weeks won't keep to it. Our choice."""
NOTHING_PLANNED_FOR = timedelta(weeks=6)
"""One and a half times the usual four weeks between meetings. Our choice."""
CHECK_IN_LATE = timedelta(weeks=2)
"""Time after which a check-in without answers says something. Our choice."""
LOW = 2
"""Answers up to here, "not at all" and "a little", are a sign that something is wrong."""


@dataclass(frozen=True)
class Warning_:  # noqa: N801 (Warning is Python's own)
    """An early sign that a pair comes to a stop. `kind` is a key under ``warning``: cancelled, no_first or no_plan."""

    pair_id: PairId
    senior_id: SeniorId
    junior_id: JuniorId
    kind: str
    since: datetime
    cancelled: int


class HealthWord(StrEnum):
    """How a pair does, in one word."""

    GOOD = "good"
    WATCH = "watch"
    TROUBLE = "trouble"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Health:
    """How a pair does, with why: keys under ``healthreason``. They never tell who of the two said something."""

    word: HealthWord
    reasons: tuple[str, ...]


def warnings_of(
    pair: Pair, meetings: Sequence[Meeting], now: datetime, resumed_at: datetime | None = None
) -> list[Warning_]:
    """Return the early signs of one pair; `resumed_at` is when its last pause ended."""
    if pair.state is not PairState.ACTIVE or pair.started_at is None:
        return []
    in_a_row = cancelled_in_a_row(meetings)
    since = max(filter(None, (pair.started_at, resumed_at)))
    # A meeting that is over may have been held: nobody said otherwise.
    met = [each.starts_at for each in meetings if each.state is MeetingState.HELD or each.to_mark(now)]
    ahead = any(each.state is MeetingState.PLANNED and each.ends_at > now for each in meetings)
    quiet_since = max([since, *met])
    found = []
    if in_a_row >= CANCELLED_IN_A_ROW:
        last = max(each.starts_at for each in meetings if each.cancelled_by is Side.SENIOR)
        found.append(("cancelled", last))
    if not met and now - since >= FIRST_MEETING_WITHIN:
        found.append(("no_first", since))
    if not ahead and now - quiet_since >= NOTHING_PLANNED_FOR:
        found.append(("no_plan", quiet_since))
    return [Warning_(pair.id, pair.senior_id, pair.junior_id, kind, at, in_a_row) for kind, at in found]


def health(
    pair: Pair,
    meetings: Sequence[Meeting],
    check_ins: Sequence[CheckIn],
    now: datetime,
    resumed_at: datetime | None = None,
) -> Health:
    """Return how a pair does, from its meetings and from what each side said last."""
    if pair.state not in STARTED:
        return Health(HealthWord.UNKNOWN, ())
    last = _last_answers(check_ins)
    kinds = [each.kind for each in warnings_of(pair, meetings, now, resumed_at)]
    trouble = [kind for kind in kinds if kind == "cancelled"]
    trouble += ["stop_asked"] if any(not each[GO_ON] for each in last) else []
    trouble += ["not_at_ease"] if any(each["feel_safe"] <= LOW for each in last) else []
    watch = [kind for kind in kinds if kind != "cancelled"]
    watch += ["little_gained"] if any(each[q] <= LOW for each in last for q in QUESTIONS[:2]) else []
    late = [each for each in check_ins if each.answered_at is None and now - each.due_at >= CHECK_IN_LATE]
    watch += ["check_in_late"] if late and pair.state is PairState.ACTIVE else []
    watch += ["paused"] if pair.state is PairState.PAUSED else []
    good = ["met"] if any(each.state is MeetingState.HELD for each in meetings) else []
    good += ["content"] if last and not trouble + watch else []
    if trouble:
        return Health(HealthWord.TROUBLE, tuple(trouble + watch))
    if watch:
        return Health(HealthWord.WATCH, tuple(watch))
    return Health(HealthWord.GOOD, tuple(good)) if good else Health(HealthWord.UNKNOWN, ("too_early",))


def _last_answers(check_ins: Iterable[CheckIn]) -> list[dict[str, int]]:
    """Return what each side answered at its last check-in with answers."""
    by_side = {each.side: each.answers for each in sorted(check_ins, key=lambda each: each.week) if each.answers}
    return list(by_side.values())
