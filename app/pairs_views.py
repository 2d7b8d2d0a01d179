"""What a coordinator sees of pairs and letters, as plain data: no widgets, and no answers of anybody's check-ins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from zlib import crc32

from app import matches_views, views
from recommender.domain import PairId, Person, Side
from recommender.letters import day, subject_of, why
from recommender.pair import Meeting, MeetingState, Pair, PairState
from recommender.pair_health import Health, HealthWord
from recommender.pair_letters import SIDES
from recommender.pairing import TELEMACHOS
from recommender.service import Service
from recommender.store.outbox import TROUBLED, Letter
from recommender.store.people import People
from recommender.store.steps import Done
from recommender.wording import Language, say

ON_A_PAGE = 10
CANDIDATES = 3
"""Names offered for one senior at a time: the best are first."""
WARNINGS = 5
"""Early warnings on top of the page; the rest follow once these are seen to."""


class Part(StrEnum):
    """The parts of the page."""

    INVITED = "invited"
    AGAIN = "again"
    ACTIVE = "active"
    PAUSED = "paused"
    OVER = "over"
    LETTERS = "letters"


STATES = {
    Part.INVITED: (PairState.INVITED,),
    Part.ACTIVE: (PairState.ACTIVE,),
    Part.PAUSED: (PairState.PAUSED,),
    Part.OVER: (PairState.ENDED, PairState.DECLINED, PairState.EXPIRED, PairState.WITHDRAWN),
}
WORST_FIRST = (HealthWord.TROUBLE, HealthWord.WATCH, HealthWord.UNKNOWN, HealthWord.GOOD)
TAKEN_BACK = frozenset(
    {
        *("pair_withdrawn", "pair_declined", "pair_paused", "pair_resumed", "pair_ended", "person_left"),
        *("meeting_planned", "meeting_moved", "meeting_cancelled"),
    }
)
"""Steps that a coordinator may take back. What somebody answered or agreed to is theirs."""


@dataclass(frozen=True)
class Row:
    """One pair as a coordinator sees it. `last` and `ahead` are the meetings around now."""

    pair: Pair
    senior: str
    junior: str
    department: str
    health: Health | None
    last: Meeting | None
    ahead: Meeting | None


def people(service: Service) -> Mapping[str, Person]:
    """Return everybody by id, read once for each version of the profiles."""
    return _people(service.store.people, service.store.people.version())


@lru_cache(maxsize=2)
def _people(held: People, version: int) -> Mapping[str, Person]:
    every: list[Person] = [*held.seniors(), *held.juniors()]
    return {each.id: each for each in every}


def departments(service: Service, pairs: Sequence[Pair]) -> list[str]:
    """Return the departments of the seniors in these pairs."""
    known = people(service)
    return sorted({known[each.senior_id].department for each in pairs if known[each.senior_id].department})


def found(service: Service, part: Part) -> list[Pair]:
    """Return the pairs of one part of the page, worst first where they work together, else the newest first."""
    pairs = service.pairs.to_match_again() if part is Part.AGAIN else service.pairs.all(STATES[part])
    if part is Part.ACTIVE:
        health = service.pairs.health()
        pairs.sort(key=lambda each: WORST_FIRST.index(health[each.id].word) if each.id in health else 0)
    return pairs


def of_department(service: Service, pairs: Sequence[Pair], department: str | None) -> list[Pair]:
    """Return the pairs whose senior is of a department; all of them without one."""
    known = people(service)
    return [each for each in pairs if department in (None, known[each.senior_id].department)]


def rows(service: Service, pairs: Sequence[Pair]) -> list[Row]:
    """Return what is shown of some pairs."""
    known, health = people(service), service.pairs.health()
    return [_row(service, each, known, health) for each in pairs]


def _row(service: Service, pair: Pair, known: Mapping[str, Person], health: Mapping[PairId, Health]) -> Row:
    now, meetings = service.now(), service.pairs.meetings(pair.id)
    past = [each for each in meetings if each.state is MeetingState.HELD]
    ahead = [each for each in meetings if each.state is MeetingState.PLANNED and each.ends_at > now]
    senior, junior = known[pair.senior_id], known[pair.junior_id]
    return Row(
        pair,
        senior.name,
        junior.name,
        senior.department,
        health.get(pair.id),
        past[-1] if past else None,
        ahead[0] if ahead else None,
    )


def facts(row: Row, language: Language) -> list[tuple[str, str]]:
    """Return what there is to tell of a pair in its state: short names with short values."""
    pair = row.pair
    told = [] if pair.open else [(say("pairs.state", language), say(f"pairstate.{pair.state}", language))]
    if row.health:
        told.append((say("pairs.health", language), say(f"health.{row.health.word}", language)))
    if pair.started_at is None:
        told += [(say(f"pairs.answer_{side}", language), _said(pair, side, language)) for side in SIDES]
    if pair.state is PairState.INVITED:
        told.append((say("pairs.until", language), day(pair.expires_at, language)))
    if pair.started_at:
        told.append((say("pairs.started", language), day(pair.started_at, language)))
        told.append((say("pairs.last", language), _moment(row.last, language)))
    if pair.state is PairState.ACTIVE:
        told.append((say("pairs.ahead", language), _moment(row.ahead, language)))
    if pair.paused_at:
        told.append((say("pairs.paused", language), day(pair.paused_at, language)))
    if pair.ended_at:
        told.append((say("pairs.ended", language), day(pair.ended_at, language)))
    if reason(pair, language):
        told.append((say("pairs.reason", language), reason(pair, language)))
    return told


def reason(pair: Pair, language: Language) -> str:
    """Say why a pair was declined, paused or ended; empty where nobody said."""
    if not pair.end_reason:
        return ""
    if pair.state is PairState.DECLINED:
        return say(f"pairdecline.{pair.end_reason}", language)
    if pair.state is PairState.PAUSED:
        return say(f"pairoff.{pair.end_reason}", language)
    return say(f"pairend.{pair.end_reason}", language)


def _said(pair: Pair, side: Side, language: Language) -> str:
    return say(f"pairs.said_{pair.said(side)}" if pair.said(side) else "pairs.said_nothing", language)


def _moment(meeting: Meeting | None, language: Language) -> str:
    return views.moment(meeting.starts_at, language) if meeting else say("pairs.none", language)


def health_reasons(row: Row, language: Language) -> list[str]:
    """Return why a pair does as it does; never who of the two said something."""
    return [say(f"healthreason.{each}", language) for each in row.health.reasons] if row.health else []


def table(rows: Sequence[Row], first: int, language: Language) -> tuple[dict[str, list[str]], list[str]]:
    """Return the facts of pairs by name, numbered because two may occur twice, and the names of the columns."""
    told = [dict(facts(each, language)) for each in rows]
    columns = list(dict.fromkeys(column for each in told for column in each))
    names = [
        say("pairs.numbered", language, place=place, senior=each.senior, junior=each.junior)
        for place, each in enumerate(rows, start=first)
    ]
    return {name: [each.get(column, "") for column in columns] for name, each in zip(names, told, strict=True)}, columns


@dataclass(frozen=True)
class Early:
    """A pair that may come to a stop, with the signs of it in words."""

    pair: Pair
    senior: str
    junior: str
    signs: tuple[str, ...]


def early(service: Service, language: Language) -> list[Early]:
    """Return the pairs that may come to a stop, those with the oldest sign first."""
    known, signs = people(service), dict[PairId, list[str]]()
    for each in service.pairs.warnings():
        name = views.first_name(known[each.senior_id].name)
        sign = say(f"warning.{each.kind}", language, count=each.cancelled, name=name)
        signs.setdefault(each.pair_id, []).append(sign)
    pairs = [service.pairs.pair(each) for each in signs]
    return [
        Early(each, known[each.senior_id].name, known[each.junior_id].name, tuple(signs[each.id])) for each in pairs
    ]


# Steps


@dataclass(frozen=True)
class Past:
    """One step in the history of a pair: what, who, when, and whether it can be taken back."""

    done: Done
    what: str
    who: str
    at: str
    can_undo: bool


def history(service: Service, pair_id: str, language: Language) -> list[Past]:
    """Return the steps of a pair, the newest first. Only the last that still stands can be taken back."""
    steps, known = service.pairs.history(pair_id), people(service)
    standing = [each for each in steps if not each.undone and each.kind != "undo"]
    return [
        Past(
            each,
            say(f"step.{each.kind}", language),
            _who(each.who, known, language),
            views.moment(each.at, language),
            bool(standing) and each is standing[0] and each.kind in TAKEN_BACK,
        )
        for each in steps
    ]


def _who(who: str, known: Mapping[str, Person], language: Language) -> str:
    if who in known:
        return known[who].name
    return say("app.name", language) if who == TELEMACHOS else say("pairs.coordinator", language)


# Letters


@dataclass(frozen=True)
class Troubled:
    """A letter that needs a coordinator: about what, to whom, how it stands, and why."""

    letter: Letter
    name: str
    subject: str
    state: str
    why: str
    made: str


def troubled(service: Service, letters: Sequence[Letter], language: Language) -> list[Troubled]:
    """Return letters that need a coordinator, in words."""
    known = people(service)
    return [
        Troubled(
            each,
            known[each.person_id].name if each.person_id in known else say("pairs.gone", language),
            subject_of(each, language),
            say(f"letterstate.{each.state}", language),
            why(each.error, language) if each.error else "",
            views.moment(each.made_at, language),
        )
        for each in letters
    ]


def acts(letter: Letter) -> list[str]:
    """Return what a coordinator can do with a letter, as names under ``letters.act_`` of the catalogue."""
    decided = letter.state in TROUBLED
    return ["again", "told", "give_up"] if decided else ["give_up"]


def key_of(letter: Letter) -> str:
    """Return a name for a letter that a style sheet takes: its id has signs of its own."""
    return f"{crc32(letter.id.encode()):08x}"


def waiting_since(at: datetime | None, language: Language) -> str:
    """Say since when the oldest letter waits."""
    return say("letters.since", language, since=views.moment(at, language)) if at else ""


def meeting_line(meeting: Meeting, language: Language) -> str:
    """Say when a meeting is and what came of it."""
    state = say(f"meetingstate.{meeting.state}", language)
    return say("pairs.meeting", language, when=matches_views.when(meeting, language), state=state)
