"""How far people came who asked, and how long it took. Pure functions over rows of the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from recommender.pair import CheckIn, Meeting, MeetingState, Pair
from recommender.programme_counts import GOOD, Count, Counting, content
from recommender.store.programme_log import Asked, Rated
from recommender.supply import HIDDEN_BELOW

FUNNEL = ("asked", "saw", "chose", "approved", "accepted", "met", "well")


@dataclass(frozen=True)
class Step:
    """One step of the funnel: people who came so far, and their share of the step before in [0, 1]."""

    name: str
    count: Count
    share: float | None


@dataclass(frozen=True)
class Waits:
    """Days from the first request to the approval, over people; and who waits still, with the longest wait in days."""

    median: float | None
    ninety: float | None
    waiting: Count
    longest: int | None


@dataclass(frozen=True)
class Journey:
    """One person who asked: when first, when approved, and the place in `FUNNEL` of how far they came."""

    who: str
    asked_at: datetime
    approved_at: datetime | None
    step: int


def journeys(
    asked: Sequence[Asked],
    pairs: Sequence[Pair],
    meetings: Mapping[str, Sequence[Meeting]],
    ratings: Sequence[Rated],
    check_ins: Mapping[str, Sequence[CheckIn]],
) -> list[Journey]:
    """Return everybody who asked, with how far they came; who came to a step has done those before it.

    Well is: every rating that was given for them is `GOOD` or more; without any, a check-in with good answers.
    """
    first: dict[str, datetime] = {}
    approved: dict[str, datetime] = {}
    steps: dict[str, int] = {}
    for each in asked:
        first[each.who] = min(first.get(each.who, each.at), each.at)
        if each.approved_at:
            approved[each.who] = min(approved.get(each.who, each.approved_at), each.approved_at)
        reached = 3 if each.approved_at else 2 if each.chose else 1 if each.saw else 0
        steps[each.who] = max(steps.get(each.who, 0), reached)
    marks: dict[str, list[int]] = {}
    for rated in ratings:
        marks.setdefault(rated.who, []).append(rated.rating)
    for pair in pairs:
        reached = 4 if pair.started_at else 3
        if any(each.state is MeetingState.HELD for each in meetings.get(pair.id, ())):
            reached = 5
        if pair.senior_id not in marks and any(content(each) for each in check_ins.get(pair.id, ())):
            reached = 6
        steps[pair.senior_id] = max(steps.get(pair.senior_id, 0), reached)
    for who, given in marks.items():
        steps[who] = max(steps.get(who, 0), 6 if min(given) >= GOOD else 5)
    return [Journey(who, at, approved.get(who), steps[who]) for who, at in first.items()]


def funnel(people: Sequence[Journey], counting: Counting) -> tuple[Step, ...]:
    """Return how many came to each step."""
    tallies = [counting.tally(each.who, each.asked_at, each.step) for each in people]
    counts = counting.counts(tallies, [frozenset(range(place, len(FUNNEL))) for place in range(len(FUNNEL))])
    before = [None, *counts[:-1]]
    return tuple(
        Step(name, count, count / last if count is not None and last else None)
        for name, count, last in zip(FUNNEL, counts, before, strict=True)
    )


def waits(people: Sequence[Journey], steps: Sequence[Step], counting: Counting) -> Waits:
    """Return how long it took to an approval, and how long it takes those who still wait."""
    mine = [each for each in people if counting.within(each.who, each.asked_at)]
    days = [_days(each.asked_at, each.approved_at) for each in mine if each.approved_at]
    waiting = [_days(each.asked_at, counting.now) for each in mine if each.step < FUNNEL.index("approved")]
    asked, approved = (next(each.count for each in steps if each.name == name) for name in ("asked", "approved"))
    enough = len(days) >= HIDDEN_BELOW
    return Waits(
        float(np.median(days)) if enough else None,
        float(np.percentile(days, 90)) if enough else None,
        None if asked is None or approved is None else asked - approved,
        int(max(waiting)) if len(waiting) >= HIDDEN_BELOW else None,
    )


def _days(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds() / 86_400)
