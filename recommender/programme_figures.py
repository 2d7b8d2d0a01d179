"""How the programme goes, in numbers that anybody on the staff may see: no names, and no small groups.

What is asked and who can explain it, who is missing, how cards are spread, and `ProgrammeFigures`, which reads the log
and puts everything together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from recommender.comparison import gini
from recommender.domain import Senior, Side
from recommender.pair import OPEN, STARTED, MeetingState, Pair
from recommender.pair_health import HealthWord, health
from recommender.programme_counts import (
    Breakdown,
    Count,
    Counting,
    View,
    check_in_counts,
    decision_counts,
    meeting_counts,
    pair_counts,
    rating_counts,
)
from recommender.programme_journeys import Step, Waits, funnel, journeys, waits
from recommender.recommending import Recommender
from recommender.recruiting import FEW_CHOICES, choices
from recommender.small_groups import EVERYBODY, Tally, safe_counts
from recommender.store import Store
from recommender.store.programme_log import Asked
from recommender.supply import HIDDEN_BELOW, Bools, Gap, gaps

DIMENSIONS = ("department", "site")
"""What people may be told apart by, one at a time: where two groups overlap, a difference may point at few."""
NEEDED_AT_ONCE = 5
"""Competences that are named as the ones to recruit for."""


@dataclass(frozen=True)
class Scarce:
    """A site, or languages, with how many wait for somebody there, and how many of those have few to choose from."""

    name: str
    waiting: Count
    few: Count


@dataclass(frozen=True)
class Spread:
    """How cards and first places are spread over juniors: Lorenz points and Gini of first places, no ids.

    `lorenz` goes from the least shown, both axes in [0, 1]. `top` is the share of first places of the tenth of the
    juniors who have most of them.
    """

    juniors: int
    shown: int
    never: Count
    first: int
    gini: float
    lorenz: tuple[tuple[float, float], ...]
    top: float


@dataclass(frozen=True)
class Figures:
    """Everything that the page says of one view."""

    view: View
    funnel: tuple[Step, ...]
    waits: Waits
    states: Breakdown
    reasons: Breakdown
    health: Breakdown
    needs: tuple[Gap, ...]
    recruit: tuple[Gap, ...]
    sites: tuple[Scarce, ...]
    languages: tuple[Scarce, ...]
    spread: Spread | None
    ratings: dict[Side, Breakdown]
    check_ins: dict[int, Breakdown]
    meetings: Breakdown
    approvals: Breakdown
    rejections: Breakdown


@dataclass(frozen=True)
class Paired:
    """A pair with names, for the coordinator alone. `word` is how it does, where it works together now."""

    pair: Pair
    senior: str
    department: str
    site: str
    junior: str
    word: HealthWord | None
    held: int
    cancelled: int
    last: datetime | None


def need_counts(asked: Sequence[Asked], codes: Sequence[str], able: Bools, counting: Counting) -> tuple[Gap, ...]:
    """Return how many people of the view asked for each competence, and how many juniors of all can explain it.

    Parameters
    ----------
    codes : sequence of str
        Of the competences; empty without a reader.
    able : ndarray of bool, shape (n_juniors, n_codes)
        Who can explain what.
    """
    latest: dict[tuple[str, str], datetime] = {}
    for each in asked:
        for code in each.competences:
            latest[each.who, code] = max(latest.get((each.who, code), each.at), each.at)
    known = {code: place for place, code in enumerate(codes)}
    tallies = [counting.tally(who, at, known[code]) for (who, code), at in latest.items() if code in known]
    counts = counting.counts(tallies, [frozenset({place}) for place in range(len(codes))])
    supply = {each.code: each.can for each in gaps(able[:0], able, codes)}
    found = [Gap(code, count, supply[code]) for code, count in zip(codes, counts, strict=True)]
    return tuple(sorted(found, key=lambda each: -each.gap))


def shortages(needs: Sequence[Gap]) -> tuple[Gap, ...]:
    """Return the competences that most people are missing for, the largest shortage first; small ones are no news."""
    return tuple(each for each in needs if each.asked and each.gap >= HIDDEN_BELOW)[:NEEDED_AT_ONCE]


def scarce(waiting: Sequence[Senior], numbers: Sequence[int], name: Callable[[Senior], str]) -> tuple[Scarce, ...]:
    """Return groups of waiting seniors in which some have fewer than `FEW_CHOICES` juniors, most of those first."""
    groups = sorted({name(each) for each in waiting} - {EVERYBODY})
    tallies = [
        Tally(each.id, name(each), 0, int(number < FEW_CHOICES)) for each, number in zip(waiting, numbers, strict=True)
    ]
    counts = safe_counts(tallies, [frozenset({0, 1}), frozenset({1})], groups=groups)
    found = [Scarce(group, counts[0, group, 0], counts[0, group, 1]) for group in groups]
    return tuple(sorted((each for each in found if each.few), key=lambda each: -(each.few or 0)))


def spread(places: Sequence[tuple[int, int]]) -> Spread | None:
    """Return how cards and first places are spread; None when none was shown, or to too few people."""
    shown, first = np.array(places, dtype=np.int64).reshape(-1, 2).T
    if not shown.sum() or len(places) < HIDDEN_BELOW:
        return None
    shares = np.append(0.0, np.cumsum(np.sort(first)) / max(first.sum(), 1))
    at = np.linspace(0, 1, 21)
    heights = np.interp(at, np.linspace(0, 1, len(shares)), shares)
    never = int((shown == 0).sum())
    small = 0 < never < HIDDEN_BELOW or 0 < len(places) - never < HIDDEN_BELOW
    return Spread(
        len(places),
        int(shown.sum()),
        None if small else never,
        int(first.sum()),
        gini(first.astype(np.float64)),
        tuple((float(x), float(y)) for x, y in zip(at, heights, strict=True)),
        float(1 - np.interp(0.9, at, heights)),
    )


class ProgrammeFigures:
    """The figures of the programme.

    Parameters
    ----------
    store : Store
        The open database.
    recommender : Recommender
        Who can explain what.
    clock : callable
        Gives the time.
    """

    def __init__(self, store: Store, recommender: Recommender, clock: Callable[[], datetime]) -> None:
        self._store, self._recommender, self._clock = store, recommender, clock

    def groups(self) -> dict[str, list[str]]:
        """Return the departments and sites of those who learn, by dimension."""
        seniors = self._store.people.seniors()
        return {name: sorted({getattr(each, name) for each in seniors} - {""}) for name in DIMENSIONS}

    def of(self, view: View) -> Figures | None:
        """Return all figures of a view, or None when it is about one to four people."""
        store, now = self._store, self._clock()
        seniors, pairs = store.people.seniors(), store.pairs.all()
        meetings, check_ins, resumed = store.pairs.all_meetings(), store.pairs.all_check_ins(), store.pairs.resumed()
        log = store.programme_log
        asked, ratings, decided = log.asked(), log.ratings(), log.decided()
        counting = Counting(view, seniors, now)
        people = journeys(asked, pairs, meetings, ratings, check_ins)
        whose = {each.who for each in people if counting.within(each.who, each.asked_at)}
        whose |= {each.senior_id for each in pairs if counting.within(each.senior_id, each.invited_at)}
        if 0 < len(whose) < HIDDEN_BELOW:
            return None
        words = {
            pair.id: health(pair, meetings.get(pair.id, []), check_ins.get(pair.id, []), now, resumed.get(pair.id)).word
            for pair in pairs
        }
        steps = funnel(people, counting)
        states, reasons, healths = pair_counts(pairs, words, counting)
        needs = need_counts(asked, *self._recommender.able(), counting)
        approvals, rejections = decision_counts(decided, counting)
        busy = {each.senior_id for each in pairs if each.state in OPEN}
        waiting = [each for each in seniors if each.active and each.consent and each.id not in busy]
        numbers = choices(waiting, store.people.juniors(), store.slates.load()).tolist()
        return Figures(
            view,
            steps,
            waits(people, steps, counting),
            states,
            reasons,
            healths,
            needs,
            shortages(needs),
            scarce(waiting, numbers, lambda each: each.site),
            scarce(waiting, numbers, lambda each: ",".join(sorted(each.languages))),
            spread(log.places()),
            rating_counts(ratings, counting),
            check_in_counts(pairs, check_ins, counting),
            meeting_counts(pairs, meetings, counting),
            approvals,
            rejections,
        )

    def pair_list(self) -> list[Paired]:
        """Return every pair with names, newest first: for the coordinator alone."""
        store, now = self._store, self._clock()
        seniors = {each.id: each for each in store.people.seniors()}
        juniors = {each.id: each.name for each in store.people.juniors()}
        meetings, check_ins, resumed = store.pairs.all_meetings(), store.pairs.all_check_ins(), store.pairs.resumed()
        found = []
        for pair in store.pairs.all():
            own, senior = meetings.get(pair.id, []), seniors.get(pair.senior_id)
            held = [each for each in own if each.state is MeetingState.HELD]
            word = health(pair, own, check_ins.get(pair.id, []), now, resumed.get(pair.id)).word
            found.append(
                Paired(
                    pair,
                    senior.name if senior else pair.senior_id,
                    senior.department if senior else "",
                    senior.site if senior else "",
                    juniors.get(pair.junior_id, pair.junior_id),
                    word if pair.state in STARTED else None,
                    len(held),
                    sum(each.state is MeetingState.CANCELLED for each in own),
                    max((each.starts_at for each in held), default=None),
                )
            )
        return found
