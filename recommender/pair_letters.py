"""Letters about pairs: to whom, with which names and subject, and which of them time asks for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from recommender.domain import Person, Side
from recommender.framework import framework
from recommender.letters import first_name, language_for
from recommender.pair import CheckIn, Meeting, Pair, PairState, open_check_ins, other
from recommender.post import ToQueue
from recommender.store import Store
from recommender.store.steps import Step
from recommender.wording import Language, say

SIDES = (Side.SENIOR, Side.JUNIOR)
FEW = 20
"""Up to so many pairs, people are read one by one; for more, everybody is read in two statements."""

Everybody = dict[tuple[Side, str], Person]
"""People by side and id: somebody may learn in one pair and explain in another."""


class Letters(Protocol):
    """What takes letters: the post."""

    def queue_many(self, step: Step, letters: Sequence[ToQueue], at: datetime) -> None:
        """Add letters to a step; the same key again is nothing."""


class PairLetters:
    """Writes to the two of a pair.

    Parameters
    ----------
    store : Store
        The open database.
    post : Letters
        Where letters go.
    """

    def __init__(self, store: Store, post: Letters) -> None:
        self._store, self._post = store, post

    def tell(
        self,
        step: Step,
        pair: Pair,
        kind: str,
        at: datetime,
        *,
        to: Collection[Side] = SIDES,
        key: str = "",
        attachment: Mapping[str, str] | None = None,
        **moments: datetime | None,
    ) -> None:
        """Write to one side or both. Without a key a letter belongs to this pair and step alone."""
        if to:
            people, topics = self._people([pair]), self._store.pairs.topics([pair.slate_id])
            about = key or f"{pair.id}/{step.id}"
            letters = _letters(pair, kind, to, about, people, topics, attachment, moments)
            self._post.queue_many(step, letters, at)

    def tell_many(self, step: Step, pairs: Sequence[Pair], kind: str, at: datetime, until: datetime) -> None:
        """Write to both sides of many pairs, once in their lives."""
        people, topics = self._people(pairs), self._store.pairs.topics([each.slate_id for each in pairs])
        letters = [
            letter
            for pair in pairs
            for letter in _letters(pair, kind, SIDES, pair.id, people, topics, None, {"until": until})
        ]
        self._post.queue_many(step, letters, at)

    def tell_meeting(
        self, step: Step, pair: Pair, kind: str, meeting: Meeting, at: datetime, to: Collection[Side] = SIDES
    ) -> None:
        """Write about a meeting, with a file for the reader's calendar."""
        attachment = {"kind": "calendar", "meeting": meeting.id}
        key = f"{meeting.id}/{step.id}"
        self.tell(step, pair, kind, at, to=to, key=key, attachment=attachment, when=meeting.starts_at)

    def both(self, pair: Pair) -> tuple[Person, Person]:
        """Return the senior and the junior."""
        return self._store.people.senior(pair.senior_id), self._store.people.junior(pair.junior_id)

    def _people(self, pairs: Sequence[Pair]) -> Everybody:
        """Return everybody in these pairs; there may be others among them."""
        if len(pairs) > FEW:
            people = self._store.people
            return {(Side.SENIOR, each.id): each for each in people.seniors()} | {
                (Side.JUNIOR, each.id): each for each in people.juniors()
            }
        return {
            (side, pair.person(side)): person
            for pair in pairs
            for side, person in zip(SIDES, self.both(pair), strict=True)
        }


def _letters(
    pair: Pair,
    kind: str,
    to: Collection[Side],
    about: str,
    people: Everybody,
    topics: Mapping[str, str],
    attachment: Mapping[str, str] | None,
    moments: Mapping[str, datetime | None],
) -> list[ToQueue]:
    dates = {name: moment.isoformat() for name, moment in moments.items() if moment}
    found = []
    for side in to:
        reader, partner = people[side, pair.person(side)], people[other(side), pair.person(other(side))]
        values = {
            "name": first_name(reader),
            "other": first_name(partner),
            "topic": topic_of(pair, topics, language_for(reader)),
            "role": side.value,
        }
        found.append(ToQueue(_key(kind, about, side), reader, kind, values | dates, attachment))
    return found


@dataclass(frozen=True)
class Due:
    """A letter that time asks for, once: `about` says what it is about, `until` by when to answer."""

    kind: str
    about: str
    side: Side
    until: datetime | None

    @property
    def key(self) -> str:
        """The id it has among all letters."""
        return _key(self.kind, self.about, self.side)


def due_letters(pair: Pair, check_ins: Sequence[CheckIn], now: datetime) -> list[Due]:
    """Return the letters about a pair that time asks for by now, whether they were made before or not."""
    if pair.state is PairState.INVITED and pair.reminder_at <= now < pair.expires_at:
        return [Due("reminder", pair.id, side, pair.expires_at) for side in SIDES if not pair.said(side)]
    if pair.state is not PairState.ACTIVE:
        return []
    due = []
    for side in SIDES:
        for each in open_check_ins(pair, check_ins, side, now):
            if each.due_at <= now and each.answered_at is None:
                later = [later.due_at for later in check_ins if later.side is side and later.week > each.week]
                due.append(Due("check_in", f"{pair.id}/{each.week}", side, min(later, default=None)))
    return due


def _key(kind: str, about: str, side: Side) -> str:
    return f"{kind}/{about}/{side}"


def topic_of(pair: Pair, topics: Mapping[str, str], language: Language) -> str:
    """Return what a pair is about in a few words. Never the senior's own: those are theirs to show."""
    code = topics.get(pair.slate_id)
    return framework().competence(code).short[language] if code else say("pact.start_topics", language)
