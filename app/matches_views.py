"""What the two of a pair see of it, as plain data: no widgets. Nothing here tells what the other said in private."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from app.views import Card, card, first_name
from recommender.domain import DAYS, Side
from recommender.errors import InputRefused
from recommender.letters import DAYS as WEEK
from recommender.pair import STARTED, Agreement, CheckIn, Meeting, MeetingState, Pair, PairState, other
from recommender.service import Service
from recommender.wording import Language, say

ONLINE = "online"
ELSEWHERE = "elsewhere"
DAYS_AHEAD = 90
"""How far ahead a meeting is planned at most."""
SOON = timedelta(days=3)
"""A form proposes no day before this: the other needs time to see it."""
FIRST_HOUR, LAST_HOUR = 8, 20
QUARTER = 15
MINUTES = (30, 45, 60, 90, 120)
USUAL_TIME = time(10)


class Next(StrEnum):
    """The one thing to do now, or what is waited for."""

    ANSWER = "answer"
    WAIT = "wait"
    MARK = "mark"
    CHECK_IN = "check_in"
    AGREE = "agree"
    PLAN = "plan"
    REST = "rest"
    NOTHING = "nothing"


TO_DO = frozenset({Next.ANSWER, Next.MARK, Next.CHECK_IN, Next.AGREE, Next.PLAN})
"""What asks something of this side."""


@dataclass(frozen=True)
class Mine:
    """One pair as one of the two sees it.

    `card` is why the junior fits, for the senior only; `gives` is what the senior gives back, for the junior only.
    `shared` are the days on which both can. `check_in` is one that is due and open, answered or not.
    """

    pair: Pair
    side: Side
    name: str
    full_name: str
    card: Card | None
    gives: str
    agreement: Agreement
    ahead: tuple[Meeting, ...]
    to_mark: tuple[Meeting, ...]
    done: tuple[Meeting, ...]
    check_in: CheckIn | None
    shared: tuple[str, ...]
    sites: tuple[str, ...]

    @property
    def next(self) -> Next:
        """What comes first."""
        if self.pair.state is PairState.INVITED:
            return Next.WAIT if self.pair.said(self.side) else Next.ANSWER
        if self.to_mark and self.pair.state in STARTED:
            return Next.MARK
        if self.check_in and self.check_in.answered_at is None:
            return Next.CHECK_IN
        if self.pair.state is PairState.PAUSED:
            return Next.REST
        if self.pair.state is not PairState.ACTIVE:
            return Next.NOTHING
        if not self.agreement.agreed(self.side):
            return Next.AGREE
        return Next.NOTHING if self.ahead else Next.PLAN

    @property
    def asks(self) -> bool:
        """Whether there is something to do."""
        return self.next in TO_DO

    @property
    def has_worked(self) -> bool:
        """Whether the two ever worked together."""
        return self.pair.started_at is not None


def mine(service: Service, person_id: str, side: Side, language: Language) -> list[Mine]:
    """Return the pairs of one person: those that ask something first, then open ones, then the rest."""
    found = [_mine(service, each, side, language) for each in service.pairs.of(person_id)]
    return sorted(found, key=lambda each: (not each.pair.open, not each.asks))


def _mine(service: Service, pair: Pair, side: Side, language: Language) -> Mine:
    senior, junior = service.senior(pair.senior_id), service.junior(pair.junior_id)
    partner = junior if side is Side.SENIOR else senior
    now, meetings = service.now(), service.pairs.meetings(pair.id)
    moment = pair.paused_at or pair.ended_at or now
    due = [each for each in service.pairs.my_check_ins(pair.id, side) if each.due_at <= moment]
    return Mine(
        pair,
        side,
        first_name(partner.name),
        partner.name,
        _card(service, pair, language) if side is Side.SENIOR else None,
        senior.offers if side is Side.JUNIOR else "",
        service.pairs.agreement(pair.id, language),
        tuple(each for each in meetings if each.state is MeetingState.PLANNED and each.ends_at > now),
        tuple(each for each in meetings if each.to_mark(now)),
        tuple(each for each in reversed(meetings) if each.state is not MeetingState.PLANNED),
        due[-1] if due else None,
        tuple(each for each in DAYS if each in senior.days and each in junior.days),
        tuple(dict.fromkeys(each.site for each in (junior, senior) if each.site)),
    )


def _card(service: Service, pair: Pair, language: Language) -> Card | None:
    suggestions = service.slate(pair.slate_id).suggestions
    found = [each for each in suggestions if each.junior_id == pair.junior_id]
    return card(found[0], service.junior(pair.junior_id), language) if found else None


def over(mine: Mine, language: Language) -> str:
    """Say what became of an invitation or a pair, from one's own side; never why."""
    pair = mine.pair
    if pair.state is PairState.DECLINED:
        said = f"no_{mine.side}" if pair.said(mine.side) == "no" else "no_other"
        return say(f"matches.over_{said}", language, name=mine.name)
    if pair.state is PairState.ENDED and not mine.has_worked:
        return say("matches.over_withdrawn", language, name=mine.name)
    return say(f"matches.over_{pair.state}", language, name=mine.name)


# Meetings


def days_to_pick(now: datetime, also: datetime | None = None) -> list[date]:
    """Return the working days on which a meeting can be planned, and the day it is on already."""
    today = now.astimezone().date()
    every = [today + timedelta(days=number) for number in range(DAYS_AHEAD)]
    return sorted({each for each in every if each.weekday() < len(DAYS)} | ({also.date()} if also else set()))


def first_day(days: Sequence[date], now: datetime, shared: Sequence[str]) -> date:
    """Return the first day soon on which both can, as far as that is known."""
    soon = [each for each in days if each >= (now + SOON).astimezone().date()]
    return next((each for each in soon if WEEK[each.weekday()] in shared), soon[0])


def times_to_pick(also: datetime | None = None) -> list[time]:
    """Return the quarters of an hour at which a meeting can start, and the time it starts at already."""
    every = {time(hour, minute) for hour in range(FIRST_HOUR, LAST_HOUR) for minute in range(0, 60, QUARTER)}
    return sorted(every | ({minute_of(also)} if also else set()))


def minute_of(at: datetime) -> time:
    """Return a time of the clock without seconds."""
    return at.time().replace(second=0, microsecond=0)


def day_in_words(day: date, language: Language) -> str:
    """Return a day as people say it.

    Examples
    --------
    >>> day_in_words(date(2026, 12, 1), "nl")
    'dinsdag 1 december'
    """
    weekday, month = say(f"day.{WEEK[day.weekday()]}", language), say(f"month.{day.month}", language)
    return f"{weekday} {day.day} {month}"


def when(meeting: Meeting, language: Language) -> str:
    """Say when a meeting is, and how long."""
    starts = meeting.starts_at.astimezone()
    day = day_in_words(starts.date(), language)
    return say("matches.when", language, day=day, time=f"{starts:%H:%M}", minutes=meeting.minutes)


def starts_at(day: date, at: time) -> datetime:
    """Return a moment on the clock of this place."""
    return datetime.combine(day, at).astimezone()


def place_of(where: str | None, words: str, language: Language) -> str:
    """Return the place of a meeting: what was chosen, and what was typed to it."""
    chosen = say("matches.place_online", language) if where == ONLINE else "" if where == ELSEWHERE else where or ""
    return ", ".join(each for each in (chosen, " ".join(words.split())) if each)


def what_came(meeting: Meeting, mine: Mine, language: Language) -> str:
    """Say what came of a meeting, and who cancelled it; the other's reason stays with the other."""
    if meeting.state is MeetingState.HELD:
        return say("matches.was_held", language)
    if meeting.cancelled_by is None:
        return say("matches.was_off", language, reason=say(f"pairoff.{meeting.reason}", language))
    if meeting.cancelled_by is other(mine.side):
        return say("matches.was_off_other", language, name=mine.name)
    return say(f"matches.was_off_{mine.side}", language)


def answers(typed: dict[str, int | None]) -> dict[str, int]:
    """Return the answers that were given; what is missing is refused by its number."""
    return {question: number for question, number in typed.items() if number is not None}


def given(reason: str | None) -> str:
    """Return a reason that was chosen; raise `InputRefused` where none was."""
    if not reason:
        raise InputRefused("reason_missing")
    return reason
