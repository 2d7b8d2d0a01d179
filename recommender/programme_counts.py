"""What is counted of the programme, each breakdown audited as a whole: all its cells, periods and groups together.

Pure functions over rows. None is a number that isn't told, because it is about few people or would show who is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from recommender.domain import Decision, PairId, Senior, Side
from recommender.pair import (
    GO_ON,
    QUESTIONS,
    STARTED,
    CheckIn,
    Meeting,
    MeetingState,
    Pair,
    PairState,
)
from recommender.pair_health import HealthWord
from recommender.small_groups import EVERYBODY, Tally, safe_counts
from recommender.store.programme_log import Decided, Rated

Count = int | None

PERIODS: tuple[int | None, ...] = (None, 365, 90, 30)
"""Days to look back, the longest first; None is all that is known."""

GOOD = 4
"""A rating, or an answer of a check-in, from which on it went well."""


@dataclass(frozen=True)
class View:
    """What is looked at: days back, and one group of a dimension or everybody."""

    days: int | None = None
    dimension: str = ""
    group: str = EVERYBODY

    @property
    def period(self) -> int:
        """Place among `PERIODS`."""
        return PERIODS.index(self.days)


@dataclass(frozen=True)
class Breakdown:
    """A whole, and what it is made of."""

    total: Count
    parts: dict[str, Count]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell apart."""
        return self.total == 0


class Counting:
    """Counts one view: whose rows belong to which group and period.

    Parameters
    ----------
    view : View
        What is looked at.
    seniors : sequence of Senior
        Everybody, for the groups.
    now : datetime
        The moment from which is looked back.
    """

    def __init__(self, view: View, seniors: Sequence[Senior], now: datetime) -> None:
        self.view, self.now = view, now
        of = {each.id: getattr(each, view.dimension) if view.dimension else EVERYBODY for each in seniors}
        self._group: dict[str, str] = {str(who): group for who, group in of.items()}
        self.groups = sorted({group for group in self._group.values() if group}) if view.dimension else []

    def tally(self, who: str, at: datetime, kind: int) -> Tally:
        """Return one thing to count: of this person, at this moment."""
        days = (self.now - at).total_seconds() / 86_400
        band = max(place for place, most in enumerate(PERIODS) if most is None or days <= most)
        return Tally(who, self._group.get(who, EVERYBODY), band, kind)

    def within(self, who: str, at: datetime) -> bool:
        """Tell whether a person's thing of this moment is in the view."""
        tally = self.tally(who, at, 0)
        return tally.band >= self.view.period and self.view.group in (EVERYBODY, tally.group)

    def counts(
        self,
        tallies: Sequence[Tally],
        cells: Sequence[frozenset[int]],
        splits: Sequence[tuple[int, Sequence[int]]] = (),
    ) -> list[Count]:
        """Return the cells of this view."""
        safe = safe_counts(tallies, cells, splits, len(PERIODS), self.groups)
        return [safe[self.view.period, self.view.group, place] for place in range(len(cells))]

    def breakdown(self, things: Iterable[tuple[str, datetime, str]], kinds: Sequence[str]) -> Breakdown:
        """Return things (whose, when, which kind) by kind, in the given order; kinds that aren't listed come after."""
        listed = list(things)
        names = list(dict.fromkeys([*kinds, *sorted({kind for _, _, kind in listed})]))
        tallies = [self.tally(who, at, names.index(kind)) for who, at, kind in listed]
        places = range(len(names))
        total, *parts = self.counts(
            tallies,
            [frozenset(places), *(frozenset({place}) for place in places)],
            [(0, [place + 1 for place in places])],
        )
        return Breakdown(total, dict(zip(names, parts, strict=True)))


# Pairs


def pair_counts(
    pairs: Sequence[Pair], words: Mapping[PairId, HealthWord], counting: Counting
) -> tuple[Breakdown, Breakdown, Breakdown]:
    """Return pairs by state, those that ended by reason, and those that work together by how they do.

    One audit for the three: what ended is the same pairs in each of them.
    """
    states, reasons = list(PairState), sorted({each.end_reason for each in pairs if each.state is PairState.ENDED})
    kinds = [(state, "") for state in states if state not in STARTED | {PairState.ENDED}]
    kinds += [(PairState.ENDED, reason) for reason in reasons]
    kinds += [(state, word) for state in states if state in STARTED for word in HealthWord]
    place = {kind: number for number, kind in enumerate(kinds)}
    tallies = [
        counting.tally(each.senior_id, each.invited_at, place[each.state, _detail(each, words)]) for each in pairs
    ]
    cells = [frozenset(place.values()), frozenset(place[kind] for kind in kinds if kind[0] in STARTED)]
    by_state = [frozenset(place[kind] for kind in kinds if kind[0] is state) for state in states]
    by_word = [frozenset(place[state, word] for state in states if state in STARTED) for word in HealthWord]
    by_reason = [frozenset({place[PairState.ENDED, reason]}) for reason in reasons]
    at_state, at_word = len(cells), len(cells) + len(by_state)
    at_reason = at_word + len(by_word)
    all_cells = [*cells, *by_state, *by_word, *by_reason]
    splits = [
        (0, range(at_state, at_word)),
        (1, [at_state + states.index(state) for state in states if state in STARTED]),
        (1, range(at_word, at_reason)),
        (at_state + states.index(PairState.ENDED), range(at_reason, len(all_cells))),
    ]
    counts = counting.counts(tallies, all_cells, splits)
    found = dict(zip(states, counts[at_state:at_word], strict=True))
    return (
        Breakdown(counts[0], {str(state): count for state, count in found.items()}),
        Breakdown(found[PairState.ENDED], dict(zip(reasons, counts[at_reason:], strict=True))),
        Breakdown(counts[1], dict(zip(map(str, HealthWord), counts[at_word:at_reason], strict=True))),
    )


def _detail(pair: Pair, words: Mapping[PairId, HealthWord]) -> str:
    if pair.state in STARTED:
        return words[pair.id]
    return pair.end_reason if pair.state is PairState.ENDED else ""


def meeting_counts(pairs: Sequence[Pair], meetings: Mapping[str, Sequence[Meeting]], counting: Counting) -> Breakdown:
    """Return meetings that were held, are planned, or were cancelled and by whom."""
    things = [
        (pair.senior_id, each.starts_at, each.state if each.state is not MeetingState.CANCELLED else _off(each))
        for pair in pairs
        for each in meetings.get(pair.id, ())
    ]
    return counting.breakdown(things, [*("held", "planned"), *("off_senior", "off_junior", "off_else")])


def _off(meeting: Meeting) -> str:
    return f"off_{meeting.cancelled_by}" if meeting.cancelled_by else "off_else"


def check_in_counts(
    pairs: Sequence[Pair], check_ins: Mapping[str, Sequence[CheckIn]], counting: Counting
) -> dict[int, Breakdown]:
    """Return the check-ins of each week that are due: content, not content, or without answers."""
    due = [(pair, each) for pair in pairs for each in check_ins.get(pair.id, ()) if each.due_at <= counting.now]
    weeks = sorted({each.week for _, each in due})
    return {
        week: counting.breakdown(
            [(pair.senior_id, each.due_at, _said(each)) for pair, each in due if each.week == week],
            ["content", "less_content", "unanswered"],
        )
        for week in weeks
    }


def _said(check_in: CheckIn) -> str:
    if check_in.answered_at is None:
        return "unanswered"
    return "content" if content(check_in) else "less_content"


def rating_counts(ratings: Sequence[Rated], counting: Counting) -> dict[Side, Breakdown]:
    """Return the ratings of each side by number, the best first."""
    marks = [str(each) for each in range(5, 0, -1)]
    return {
        side: counting.breakdown([(e.who, e.at, str(e.rating)) for e in ratings if e.side is side], marks)
        for side in Side
    }


def decision_counts(decided: Sequence[Decided], counting: Counting) -> tuple[Breakdown, Breakdown]:
    """Return approvals by whether it was the first suggestion, and rejections by reason."""
    approved = [(e.who, e.at, _rank(e)) for e in decided if e.decision is Decision.APPROVED]
    rejected = [(e.who, e.at, e.reason) for e in decided if e.decision is Decision.REJECTED]
    return counting.breakdown(approved, ["first", "lower", "round"]), counting.breakdown(rejected, [])


def _rank(decided: Decided) -> str:
    if decided.in_round:
        return "round"
    return "first" if decided.rank == 1 else "lower"


def content(check_in: CheckIn) -> bool:
    """Tell whether the answers of a check-in are good: on with it, and "mostly" or more to each question."""
    answers = check_in.answers
    return bool(answers) and answers.get(GO_ON) == 1 and all(answers.get(each, 0) >= GOOD for each in QUESTIONS)
