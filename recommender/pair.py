"""The life of a pair as plain data: states, what may follow what, meetings, check-ins, and how it goes.

Both are asked. Only when both have said yes the pair starts; a no, silence or a coordinator's second thought ends the
invitation, and the place is free again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from recommender.domain import JuniorId, PairId, RoundId, SeniorId, Side, SlateId

YES, NO = "yes", "no"


class PairState(StrEnum):
    """Where a pair stands."""

    INVITED = "invited"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


OPEN = frozenset({PairState.INVITED, PairState.ACTIVE, PairState.PAUSED})
"""States in which a pair takes a place of the junior."""

STARTED = frozenset({PairState.ACTIVE, PairState.PAUSED})
"""States in which the two work together."""


class Event(StrEnum):
    """What can happen to a pair."""

    START = "start"
    DECLINE = "decline"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"
    PAUSE = "pause"
    RESUME = "resume"
    END = "end"
    LEAVE = "leave"


AFTER: dict[tuple[PairState, Event], PairState] = {
    (PairState.INVITED, Event.START): PairState.ACTIVE,
    (PairState.INVITED, Event.DECLINE): PairState.DECLINED,
    (PairState.INVITED, Event.EXPIRE): PairState.EXPIRED,
    (PairState.INVITED, Event.WITHDRAW): PairState.WITHDRAWN,
    (PairState.ACTIVE, Event.PAUSE): PairState.PAUSED,
    (PairState.PAUSED, Event.RESUME): PairState.ACTIVE,
    (PairState.ACTIVE, Event.END): PairState.ENDED,
    (PairState.PAUSED, Event.END): PairState.ENDED,
    (PairState.INVITED, Event.LEAVE): PairState.ENDED,
    (PairState.ACTIVE, Event.LEAVE): PairState.ENDED,
    (PairState.PAUSED, Event.LEAVE): PairState.ENDED,
}
"""The state after each event; what isn't here can't happen."""

DECLINE_REASONS = ("no_time", "topic", "person", "not_now", "other")
"""Why somebody doesn't want an invitation. Optional, and never shown to the other."""
OFF_REASONS = ("busy", "ill", "away", "other")
"""Why a meeting is cancelled or a pair pauses."""
END_REASONS = ("goal_reached", "no_time", "no_fit", "left", "other")
"""Why a pair ends."""

LEFT, PAUSED, ENDED = "left", "paused", "ended"
"""Why meetings were cancelled that nobody cancelled: somebody left, the pair paused, the pair ended."""


@dataclass(frozen=True)
class Agreement:
    """What the two agree on, in their own words. Both agree to the same text, or it isn't agreed."""

    topics: str = ""
    rhythm: str = ""
    between_us: str = ""
    who_prepares: str = ""
    how_to_stop: str = ""
    agreed_senior: bool = False
    agreed_junior: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """The text alone."""
        return self.topics, self.rhythm, self.between_us, self.who_prepares, self.how_to_stop

    @property
    def settled(self) -> bool:
        """Whether both have agreed to this text."""
        return self.agreed_senior and self.agreed_junior

    def agreed(self, side: Side) -> bool:
        """Tell whether one side has agreed to this text."""
        return self.agreed_senior if side is Side.SENIOR else self.agreed_junior

    def with_words(self, words: Sequence[str]) -> "Agreement":
        """Return another text, agreed to by nobody yet."""
        topics, rhythm, between_us, who_prepares, how_to_stop = words
        return Agreement(topics, rhythm, between_us, who_prepares, how_to_stop)

    def by(self, *sides: Side) -> "Agreement":
        """Return the text as agreed to by these and nobody else."""
        return replace(self, agreed_senior=Side.SENIOR in sides, agreed_junior=Side.JUNIOR in sides)


@dataclass(frozen=True)
class Pair:
    """Two people in the programme, from invitation to end.

    `senior_said` and `junior_said` are "", "yes" or "no". `end_reason` says why it was declined, paused or ended: a key
    that the other side never sees.
    """

    id: PairId
    slate_id: SlateId
    senior_id: SeniorId
    junior_id: JuniorId
    round_id: RoundId | None
    state: PairState
    invited_at: datetime
    expires_at: datetime
    senior_said: str = ""
    junior_said: str = ""
    agreement: Agreement | None = None
    started_at: datetime | None = None
    paused_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str = ""

    @property
    def open(self) -> bool:
        """Whether it takes a place of the junior."""
        return self.state in OPEN

    def person(self, side: Side) -> str:
        """Return the id of who is on a side."""
        return self.senior_id if side is Side.SENIOR else self.junior_id

    def side_of(self, person_id: str) -> Side | None:
        """Return the side somebody is on, or None."""
        return {self.senior_id: Side.SENIOR, self.junior_id: Side.JUNIOR}.get(person_id)

    def said(self, side: Side) -> str:
        """Return what one side has answered to the invitation."""
        return self.senior_said if side is Side.SENIOR else self.junior_said

    @property
    def reminder_at(self) -> datetime:
        """When those who haven't answered are asked again: halfway the time they have."""
        return self.invited_at + (self.expires_at - self.invited_at) / 2


def other(side: Side) -> Side:
    """Return the other side."""
    return Side.JUNIOR if side is Side.SENIOR else Side.SENIOR


def answered(pair: Pair, side: Side, yes: bool, at: datetime, reason: str = "") -> Pair:
    """Return an invited pair after one side's answer: started at the second yes, declined at a no."""
    said = YES if yes else NO
    told = replace(pair, senior_said=said) if side is Side.SENIOR else replace(pair, junior_said=said)
    if not yes:
        return replace(told, state=AFTER[pair.state, Event.DECLINE], ended_at=at, end_reason=reason)
    if told.said(other(side)) == YES:
        return replace(told, state=AFTER[pair.state, Event.START], started_at=at)
    return told


def happened(pair: Pair, event: Event, at: datetime, reason: str = "") -> Pair:
    """Return a pair after an event that `AFTER` allows in its state.

    Raises
    ------
    KeyError
        If this can't happen to it now.
    """
    state = AFTER[pair.state, event]
    ended_at = None if state in OPEN else at
    return replace(
        pair,
        state=state,
        paused_at=at if state is PairState.PAUSED else None,
        ended_at=ended_at,
        end_reason=reason,
    )


# Meetings


class MeetingState(StrEnum):
    """What came of a meeting."""

    PLANNED = "planned"
    HELD = "held"
    CANCELLED = "cancelled"


MEETING_MINUTES = (15, 240)
"""Shortest and longest meeting."""


@dataclass(frozen=True)
class Meeting:
    """One appointment of a pair. `sequence` grows with each change, so that calendars know which is the newest.

    `cancelled_by` is None for a coordinator, or where the pair paused or ended: `reason` tells.
    """

    id: str
    pair_id: PairId
    starts_at: datetime
    minutes: int
    place: str
    state: MeetingState = MeetingState.PLANNED
    cancelled_by: Side | None = None
    reason: str = ""
    sequence: int = 0

    @property
    def ends_at(self) -> datetime:
        """When it is over."""
        return self.starts_at + timedelta(minutes=self.minutes)

    def to_mark(self, now: datetime) -> bool:
        """Tell whether it is over and nobody has said yet whether it was held."""
        return self.state is MeetingState.PLANNED and self.ends_at <= now


def clash(meetings: Iterable[Meeting], wanted: Meeting) -> Meeting | None:
    """Return another meeting that stands at the same time, or None."""
    for each in meetings:
        stands = each.id != wanted.id and each.state is not MeetingState.CANCELLED
        if stands and each.starts_at < wanted.ends_at and wanted.starts_at < each.ends_at:
            return each
    return None


def cancelled(meeting: Meeting, by: Side | None, reason: str) -> Meeting:
    """Return a meeting that is off."""
    return replace(meeting, state=MeetingState.CANCELLED, cancelled_by=by, reason=reason, sequence=meeting.sequence + 1)


def cancelled_in_a_row(meetings: Iterable[Meeting]) -> int:
    """Return how many the senior cancelled since the last that was held; those of others neither count nor help."""
    number = 0
    for each in sorted(meetings, key=lambda each: each.starts_at):
        if each.state is MeetingState.HELD:
            number = 0
        elif each.cancelled_by is Side.SENIOR:
            number += 1
    return number


# Check-ins

QUESTIONS = ("goal_nearer", "time_well_spent", "feel_safe")
"""Asked on the scale; each is a key of the catalogue under ``survey``."""
SCALE = ("not_at_all", "a_little", "partly", "mostly", "fully")
"""The words for 1 to 5."""
GO_ON = "go_on"
"""Asked as yes (1) or no (0)."""
RATING = "rating"
"""The mark, 1 to 5, that goes to the outcomes. May be left out: at week 4 the two may not have met."""
ASKED = {**{each: range(1, len(SCALE) + 1) for each in QUESTIONS}, GO_ON: range(2), RATING: range(1, 6)}
"""Every question, in order, with the numbers that are an answer."""


@dataclass(frozen=True)
class CheckIn:
    """A short survey of one side. `answers` are numbers by question and never reach the other side."""

    pair_id: PairId
    week: int
    side: Side
    due_at: datetime
    answered_at: datetime | None = None
    answers: dict[str, int] = field(default_factory=dict)


def check_ins_of(pair: Pair, weeks: Sequence[int]) -> list[CheckIn]:
    """Return the check-ins of a pair that has started."""
    start = pair.started_at or pair.invited_at
    return [
        CheckIn(pair.id, week, side, start + timedelta(weeks=week))
        for week in sorted(set(weeks))
        for side in (Side.SENIOR, Side.JUNIOR)
    ]


def moved_by_pause(check_ins: Iterable[CheckIn], paused_at: datetime, resumed_at: datetime) -> list[CheckIn]:
    """Return the check-ins that were still to come at the pause, later by the time it took."""
    return [
        replace(each, due_at=each.due_at + (resumed_at - paused_at))
        for each in check_ins
        if each.answered_at is None and each.due_at > paused_at
    ]


def open_check_ins(pair: Pair, check_ins: Iterable[CheckIn], side: Side, now: datetime) -> list[CheckIn]:
    """Return the check-ins that one side can answer now: each from the one before it until the next is due.

    While a pair is paused time stands still; when it has ended, what was open then stays open.
    """
    if pair.state not in STARTED | {PairState.ENDED} or pair.started_at is None:
        return []
    moment = pair.paused_at or pair.ended_at or now
    own = sorted((each for each in check_ins if each.side is side), key=lambda each: each.week)
    starts = [pair.started_at, *(each.due_at for each in own)]
    ends = [each.due_at for each in own[1:]]
    return [
        each
        for place, each in enumerate(own)
        if starts[place] <= moment and (place == len(ends) or moment < ends[place])
    ]


def fault_in(answers: Mapping[str, int]) -> int | None:
    """Return the number, from 1, of the first question that has no answer or one that isn't on its scale.

    The mark may be left out. What was never asked comes after the last question.
    """
    for number, (question, scale) in enumerate(ASKED.items(), start=1):
        given = answers.get(question)
        if given not in scale and not (given is None and question == RATING):
            return number
    return len(ASKED) + 1 if set(answers) - set(ASKED) else None
