"""What the coordinator's review page shows, as plain data: rows of the queue, filters, a comparison, batches."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from math import ceil

from app import views
from app.identity import STAFF
from recommender import explain
from recommender.domain import Decision, Junior, JuniorId, Senior, SlateId, Suggestion
from recommender.framework import framework
from recommender.reviewing import DECISIONS, Batch, Pace
from recommender.service import Service
from recommender.store.notes import QUESTION
from recommender.store.people import People
from recommender.store.slates import Choice
from recommender.store.steps import StepId
from recommender.wording import Language, say

ON_A_PAGE = 10
LONG = 5
"""Days; who waits longer than this can be picked out with one filter."""
EXCERPT = 90
BESIDE = 2
"""Others beside the chosen junior: more columns can't be read."""
PICK_FROM = 8
RECENT = 5
QUESTIONS_BACK = 1_000
"""How many questions are looked through for those that are open; far more than can wait at once."""


@dataclass(frozen=True)
class Everybody:
    """All people by id."""

    seniors: Mapping[str, Senior]
    juniors: Mapping[str, Junior]


def everybody(service: Service) -> Everybody:
    """Return all people, read once for each version of the profiles: every run of the page needs them."""
    people = service.store.people
    return _everybody(people, people.version())


@lru_cache(maxsize=2)
def _everybody(people: People, version: int) -> Everybody:
    return Everybody({each.id: each for each in people.seniors()}, {each.id: each for each in people.juniors()})


# The queue


@dataclass(frozen=True)
class Row:
    """One choice as it stands in the queue.

    `departments` and `sites` are those of both people; `days` are days of the calendar. `full` tells that the junior
    has more choices than places. `question` is "" where nothing was asked, "open" while an answer is awaited, and
    "answered" after that.
    """

    choice: Choice
    senior: str
    junior: str
    departments: frozenset[str]
    sites: frozenset[str]
    subjects: tuple[str, ...]
    words: str
    days: int
    waits: str
    places: str
    full: bool
    question: str

    @property
    def id(self) -> SlateId:
        """What the choice is known by."""
        return self.choice.slate.id

    @property
    def excerpt(self) -> str:
        """The beginning of what was asked."""
        return self.words if len(self.words) <= EXCERPT else f"{self.words[:EXCERPT].rsplit(' ', 1)[0]} …"


def rows(
    service: Service,
    waiting: Sequence[Choice],
    load: Mapping[str, int],
    now: datetime,
    language: Language,
) -> list[Row]:
    """Return the queue, in its order. However many wait, the store is asked a handful of times."""
    people, asked = everybody(service), _asked(service, {each.slate.id for each in waiting})
    return [_row(each, people, load, asked.get(each.slate.id, ""), now, language) for each in waiting]


def _row(
    choice: Choice, people: Everybody, load: Mapping[str, int], question: str, now: datetime, language: Language
) -> Row:
    senior = people.seniors.get(choice.slate.request.senior_id or "")
    junior = people.juniors[choice.junior_id]
    both = [each for each in (senior, junior) if each]
    return Row(
        choice,
        senior.name if senior else say("review.nobody", language),
        junior.name,
        frozenset(each.department for each in both if each.department),
        frozenset(each.site for each in both if each.site),
        tuple(code for code, _ in choice.slate.request.understood.competences),
        choice.slate.request.text,
        (now.astimezone().date() - choice.at.astimezone().date()).days,
        views.waited(choice.at, now, language),
        views.places(junior, load, language),
        load.get(junior.id, 0) > junior.capacity,
        question,
    )


def _asked(service: Service, slate_ids: set[SlateId]) -> dict[SlateId, str]:
    """Return the waiting choices about which the senior was asked something."""
    steps = service.store.steps.recent(QUESTIONS_BACK, kinds=(f"note_{QUESTION}",))
    found = {}
    for slate_id in {SlateId(each.about) for each in steps} & slate_ids:
        questions = [each for each in service.reviewing.notes(slate_id) if each.kind == QUESTION]
        if questions:
            found[slate_id] = "answered" if all(each.answer for each in questions) else "open"
    return found


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; empty means everything."""

    department: str = ""
    site: str = ""
    subject: str = ""
    words: str = ""
    long: bool = False
    asked: bool = False

    @property
    def any(self) -> bool:
        """Whether anything is narrowed."""
        return any(getattr(self, each.name) for each in fields(self))

    def keep(self, row: Row) -> bool:
        """Tell whether a row stays."""
        told = f"{row.words} {row.senior} {row.junior}".casefold()
        return (
            (not self.department or self.department in row.departments)
            and (not self.site or self.site in row.sites)
            and (not self.subject or self.subject in row.subjects)
            and all(each in told for each in self.words.casefold().split())
            and (not self.long or row.days > LONG)
            and (not self.asked or row.question == "open")
        )


@dataclass(frozen=True)
class Options:
    """What the queue can be narrowed to: only what occurs in it."""

    departments: tuple[str, ...]
    sites: tuple[str, ...]
    subjects: dict[str, str]
    """Names of competences by code."""


def options(queue: Sequence[Row], language: Language) -> Options:
    """Return what the filters offer."""
    codes = {code for each in queue for code in each.subjects}
    names = {code: framework().competence(code).short[language] for code in codes}
    return Options(
        tuple(sorted({name for each in queue for name in each.departments})),
        tuple(sorted({name for each in queue for name in each.sites})),
        dict(sorted(names.items(), key=lambda each: each[1])),
    )


@dataclass(frozen=True)
class Part:
    """One page of the queue, counted from 1."""

    number: int
    of: int
    rows: tuple[Row, ...]


def paged(shown: Sequence[Row], number: int) -> Part:
    """Return a page of rows, the last one where `number` is too high.

    Examples
    --------
    >>> paged([], 3)
    Part(number=1, of=1, rows=())
    """
    of = max(ceil(len(shown) / ON_A_PAGE), 1)
    number = min(max(number, 1), of)
    return Part(number, of, tuple(shown[(number - 1) * ON_A_PAGE : number * ON_A_PAGE]))


# Side by side


@dataclass(frozen=True)
class Piece:
    """A part of a cell; `apart` tells that not everybody in the row has it."""

    text: str
    apart: bool


def suggestions(choice: Choice, others: Sequence[JuniorId]) -> list[Suggestion]:
    """Return the chosen suggestion and the picked others, in the order of the slate."""
    beside = [each for each in choice.slate.suggestions if each.junior_id in others and each != views.chosen(choice)]
    return [views.chosen(choice), *beside[:BESIDE]]


def comparison(
    found: Sequence[Suggestion],
    juniors: Mapping[str, Junior],
    load: Mapping[str, int],
    waiting: Sequence[Choice],
    language: Language,
) -> dict[str, list[list[Piece]]]:
    """Return rows of facts, one cell for each suggestion, with what differs marked.

    Own words and scores always differ, so nothing is marked there.
    """
    people, none = [juniors[each.junior_id] for each in found], say("review.none", language)
    queued = Counter(each.junior_id for each in waiting)
    told = {
        "site": [[each.site] for each in people],
        "remote": [[say(f"remote.{each.remote}", language)] for each in people],
        "days": [[say(f"day.{day}", language) for day in each.days] for each in people],
        "languages": [[explain.language_name(code, language) for code in each.languages] for each in people],
        "level": [[say(f"level.{each.level}", language)] if each.level else [] for each in people],
        "load": [[views.places(each, load, language)] for each in people],
        "queued": [[str(queued[each.id])] for each in people],
        "reasons": [explain.reasons(each, juniors[each.junior_id], language) for each in found],
        "minus": [
            [
                explain.minus_sentence(each.minus, juniors[each.junior_id], language)
                if each.minus
                else say("queue.no_minus", language)
            ]
            for each in found
        ],
    }
    marked = {_row_name(name, language): _marked(cells, none) for name, cells in told.items()}
    same = {
        "evidence": [[f"“{quote}”" for quote in each.evidence] for each in found],
        "score": [[views.number(each.score, language)] for each in found],
    }
    return marked | {
        _row_name(name, language): [[Piece(text, apart=False) for text in cell or [none]] for cell in cells]
        for name, cells in same.items()
    }


def _row_name(name: str, language: Language) -> str:
    return say("queue.row_queued", language) if name == "queued" else say(f"review.row_{name}", language)


def _marked(cells: Sequence[Sequence[str]], none: str) -> list[list[Piece]]:
    filled = [[each for each in cell if each] or [none] for cell in cells]
    return [[Piece(text, any(text not in other for other in filled)) for text in cell] for cell in filled]


# What was decided


@dataclass(frozen=True)
class Told:
    """A batch in words: what it was, which pairs, and by whom when."""

    step_id: StepId
    slate_ids: tuple[SlateId, ...]
    what: str
    pairs: tuple[str, ...]
    by: str


Mark = tuple[tuple[StepId, bool], ...]


def mark(service: Service) -> Mark:
    """Return what tells whether anything was decided or taken back since, by one question to the store."""
    return tuple((each.id, each.undone) for each in service.store.steps.recent(RECENT, kinds=DECISIONS))


def told(batch: Batch, people: Everybody, language: Language) -> Told:
    """Say what was decided at once."""
    choices = batch.choices
    by = say("queue.by", language, who=name_of(batch.step.who, language), when=views.moment(batch.step.at, language))
    pairs = tuple(pair(each, people, language) for each in choices)
    return Told(batch.step.id, tuple(each.slate.id for each in choices), _what(choices, language), pairs, by)


def _what(choices: Sequence[Choice], language: Language) -> str:
    approved = [each for each in choices if each.decision is Decision.APPROVED]
    rejected = [each for each in choices if each.decision is Decision.REJECTED]
    if approved and rejected:
        return say("queue.was_reassigned", language)
    if len(choices) == 1:
        return outcome(choices[0], language)
    if approved:
        return say("queue.was_approved_many", language, count=len(approved))
    reason = say(f"reject.{rejected[0].reason}", language) if rejected else ""
    return say("queue.was_rejected_many", language, count=len(rejected), reason=reason)


def outcome(choice: Choice, language: Language) -> str:
    """Say what was decided about a choice."""
    if choice.decision is Decision.APPROVED:
        return say("review.was_approved", language)
    return say("review.was_rejected", language, reason=say(f"reject.{choice.reason}", language))


def pair(choice: Choice, people: Everybody, language: Language) -> str:
    """Say who wants to learn from whom."""
    senior = people.seniors.get(choice.slate.request.senior_id or "")
    name = senior.name if senior else say("review.nobody", language)
    return say("review.pair", language, senior=name, junior=people.juniors[choice.junior_id].name)


def name_of(who: str, language: Language) -> str:
    """Return what somebody of the staff is called."""
    return say(f"demo.name_{who}", language) if who in STAFF else who


def clash(choice: Choice | None, people: Everybody, language: Language) -> str:
    """Say what happened to a choice that no longer waits."""
    if choice is None:
        return say("queue.gone", language)
    who = name_of(choice.reviewer, language)
    return say(
        "queue.first",
        language,
        who=who[:1].upper() + who[1:],
        pair=pair(choice, people, language),
        outcome=outcome(choice, language),
    )


def pace(found: Pace, language: Language) -> str:
    """Say how fast somebody approves; "" while nothing is out of the ordinary."""
    if not found.stamping:
        return ""
    seconds = max(ceil(found.middle.total_seconds()), 2)
    return say("queue.pace", language, count=found.approved, seconds=seconds)
