"""The use cases, each about one screen: the page and the command line call these and nothing deeper."""

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from recommender import dialogue, explain
from recommender.dialogue import Kind, Stage, State
from recommender.domain import (
    Action,
    ConversationId,
    Decision,
    Junior,
    JuniorId,
    Person,
    Request,
    RequestId,
    Senior,
    SeniorId,
    Slate,
    SlateId,
    Suggestion,
    Turn,
)
from recommender.eligibility import Asker, excluded_by, reporting_line
from recommender.encoder import Encoder
from recommender.errors import Conflict, InputRefused
from recommender.features import FEATURES, Circumstances, fit_features, text_features
from recommender.index import Likeness, ProfileIndex, typical_requests
from recommender.population import Population
from recommender.ranker import AdditiveRanker
from recommender.store import Store
from recommender.store.slates import Choice
from recommender.text import clean_text, content_hash
from recommender.understanding import understand
from recommender.wording import Language

MAX_REQUEST = 4_000
"""Characters of one request: a page of text; longer is a document, not a question."""

SHOWN_AT_ONCE = 3
"""Three cards at a time; a senior may ask for more."""

LOGGED = 9
"""Length of a slate in the app: three times three cards."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Searchable:
    """All juniors as of one version of the profiles."""

    version: int
    population: Population
    index: ProfileIndex


class Service:
    """Everything Telemachos does, over one store, one encoder and one ranker.

    Parameters
    ----------
    store : Store
        The open database.
    encoder : Encoder
        What texts are embedded with.
    ranker : AdditiveRanker
        What juniors are ordered by.
    clock : callable
        Gives the time; a test may fix it.
    doubt_below : float, optional
        A slate is doubtful when no profile as a whole is nearer to the request than this. None is never.
    """

    def __init__(
        self,
        store: Store,
        encoder: Encoder,
        ranker: AdditiveRanker,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        doubt_below: float | None = None,
    ) -> None:
        self.store, self.encoder, self.ranker, self._clock = store, encoder, ranker, clock
        self._doubt_below = doubt_below
        self._searchable: _Searchable | None = None
        self._building = threading.Lock()

    # People

    def put_people(self, people: Sequence[Person], progress: Progress | None = None) -> None:
        """Store profiles, all or nothing, and make them findable."""
        self.store.people.put(people)
        self.prepare(progress)

    def prepare(self, progress: Progress | None = None) -> None:
        """Encode what is new and bring the index up to date, so that the next request needn't."""
        self._current(progress)

    def junior(self, junior_id: str) -> Junior:
        """Return one junior."""
        return self.store.people.junior(junior_id)

    def senior(self, senior_id: str) -> Senior:
        """Return one senior."""
        return self.store.people.senior(senior_id)

    def save_junior(self, junior: Junior) -> Junior:
        """Store a profile that its owner has edited, and return it as it was stored.

        Raises
        ------
        InputRefused
            If the text is empty or too long, or no language is left.
        """
        edited = replace(junior, text=clean_text(junior.text), wants=clean_text(junior.wants))
        if not any(character.isalnum() for character in edited.text):
            raise InputRefused("empty_profile")
        if not edited.languages:
            raise InputRefused("no_language")
        self.put_people([edited])
        return edited

    # Suggestions

    def recommend(
        self, text: str, senior_id: SeniorId | None = None, k: int = LOGGED, page_language: Language = "nl"
    ) -> Slate:
        """Return the `k` juniors who fit a request best, and store what was asked and shown.

        Raises
        ------
        InputRefused
            If the text is empty or too long.
        UnknownPerson
            If `senior_id` is nobody.
        """
        goal = clean_text(text, MAX_REQUEST)
        if not any(character.isalnum() for character in goal):
            raise InputRefused("empty_request")
        senior = self.store.people.senior(senior_id) if senior_id else None
        request = Request(
            RequestId(uuid.uuid4().hex),
            senior_id,
            text=goal,
            understood=understand(goal, page_language),
            at=self._clock(),
        )
        slate = self._rank(request, senior, k)
        self.store.slates.put(slate)
        return slate

    def _rank(self, request: Request, senior: Senior | None, k: int) -> Slate:
        """One request, straight down: compare, leave out, score, order, explain."""
        juniors, load = self._current(), self.store.slates.load()
        population, index = juniors.population, juniors.index
        goal = request.understood.goal
        likeness = index.compare(goal, self.encoder.encode([goal])[0])
        reasons = excluded_by(population, self._asker(senior), load)
        circumstances = Circumstances(senior, request.understood.language, load)
        features = np.hstack([text_features(likeness), fit_features(population, circumstances)])
        scores = self.ranker.score(features)
        eligible = np.array([place for place, reason in enumerate(reasons) if reason is None], dtype=np.int64)
        order = eligible[np.lexsort((eligible, -scores[eligible]))][:k]
        return Slate(
            id=SlateId(uuid.uuid4().hex),
            request=request,
            model_id=self.ranker.id,
            encoder_id=self.encoder.id,
            intercept=self.ranker.intercept,
            suggestions=self._suggestions(goal, order, features, scores, likeness, juniors),
            excluded={name: reasons.count(name) for name in dict.fromkeys(filter(None, reasons))},
            doubtful=self._doubt_below is not None and float(likeness.whole.max(initial=-1)) < self._doubt_below,
        )

    def _suggestions(
        self,
        goal: str,
        order: NDArray[np.int64],
        features: NDArray[np.float64],
        scores: NDArray[np.float64],
        likeness: Likeness,
        juniors: _Searchable,
    ) -> tuple[Suggestion, ...]:
        added = [
            dict(zip(FEATURES, map(float, row), strict=True)) for row in self.ranker.contributions(features[order])
        ]
        best = max((explain.text_part(each) for each in added), default=0.0)
        found = []
        for rank, (place, contributions) in enumerate(zip(order, added, strict=True), start=1):
            junior = juniors.population.juniors[place]
            values = dict(zip(FEATURES, map(float, features[place]), strict=True))
            found.append(
                Suggestion(
                    rank=rank,
                    junior_id=junior.id,
                    name=junior.name,
                    score=float(scores[place]),
                    contributions=contributions,
                    values=values,
                    evidence=explain.evidence(goal, juniors.index, likeness, self.ranker, int(place)),
                    minus=explain.minus(values, contributions, self.ranker, best),
                )
            )
        return tuple(found)

    def _asker(self, senior: Senior | None) -> Asker:
        if senior is None:
            return Asker(None)
        people = self.store.people
        return Asker(
            senior,
            reports=reporting_line(senior.id, people.managers()),
            forbidden=frozenset(people.forbidden_for(senior.id)),
            already_matched=frozenset(self.store.slates.matched_with(senior.id)),
            rejected=frozenset(self.store.slates.rejected_for(senior.id)),
        )

    def _current(self, progress: Progress | None = None) -> _Searchable:
        """Return the index of today's profiles; rebuild it when a profile has changed."""
        version = self.store.people.version()
        held = self._searchable
        if held is not None and held.version == version:
            return held
        with self._building:
            version = self.store.people.version()
            if self._searchable is None or self._searchable.version != version:
                juniors, statements = self.store.people.juniors(), self.store.people.statements()
                texts = [junior.text for junior in juniors]
                vectors = self._encoded([*texts, *(each.text for each in statements), *typical_requests()], progress)
                of_texts, of_statements, typical = np.split(vectors, [len(texts), len(texts) + len(statements)])
                ids = [junior.id for junior in juniors]
                index = ProfileIndex(ids, texts, of_texts, statements, of_statements, typical)
                self._searchable = _Searchable(version, Population.of(juniors), index)
            return self._searchable

    def _encoded(self, texts: Sequence[str], progress: Progress | None) -> NDArray[np.float32]:
        """Return vectors of shape ``(len(texts), dim)``; only texts that are new to this encoder are encoded."""
        known = self.store.vectors.known(self.encoder.id, self.encoder.dim)
        by_hash = {content_hash(text): text for text in texts}
        new = [each for each in by_hash if each not in known]
        if new:
            fresh = self.encoder.encode([by_hash[each] for each in new], progress)
            self.store.vectors.put(self.encoder.id, new, fresh)
            known |= dict(zip(new, fresh, strict=True))
        return np.stack([known[content_hash(text)] for text in texts])

    # The conversation of a senior

    def conversation(self, senior_id: SeniorId | None, language: Language) -> ConversationId:
        """Return the senior's open conversation, or start one."""
        latest = self.store.conversations.latest_of(senior_id) if senior_id else None
        return latest or self.new_conversation(senior_id, language)

    def new_conversation(self, senior_id: SeniorId | None, language: Language) -> ConversationId:
        """Start a conversation with the guide's greeting."""
        conversation_id = ConversationId(uuid.uuid4().hex)
        greeting = Turn(conversation_id, 0, dialogue.GUIDE, Kind.GREETING, at=self._clock())
        self.store.conversations.start(conversation_id, senior_id, language, greeting)
        return conversation_id

    def state(self, conversation_id: ConversationId) -> State:
        """Return where a conversation stands."""
        return dialogue.state_of(self.store.conversations.turns(conversation_id))

    def say(
        self, conversation_id: ConversationId, senior_id: SeniorId | None, text: str, page_language: Language
    ) -> State:
        """Take a goal in the senior's words and answer with a slate."""
        self._expect(conversation_id, Kind.GOAL)
        slate = self.recommend(text, senior_id, LOGGED, page_language)
        answer = Kind.SLATE if slate.suggestions else Kind.NOBODY
        return self._append(
            conversation_id,
            (dialogue.SENIOR, Kind.GOAL, slate.request.text, None, None),
            (dialogue.GUIDE, answer, "", slate.id, None),
        )

    def slate(self, slate_id: SlateId) -> Slate:
        """Return a slate as it was shown."""
        return self.store.slates.slate(slate_id)

    def choice(self, slate_id: SlateId) -> Choice | None:
        """Return the choice from a slate with the decision so far, or None when nothing was sent or it was undone."""
        return self.store.slates.choice(slate_id)

    def shown(self, slate_id: SlateId, junior_ids: Sequence[JuniorId]) -> None:
        """Record which suggestions a page has really drawn."""
        self.store.slates.shown(slate_id, junior_ids, self._clock())

    def more(self, conversation_id: ConversationId) -> State:
        """Show the next three of the slate."""
        self._expect(conversation_id, Kind.MORE)
        return self._append(conversation_id, (dialogue.SENIOR, Kind.MORE, "", None, None))

    def refuse(self, conversation_id: ConversationId, junior_id: JuniorId) -> State:
        """Put one suggestion aside: "not for me"."""
        state = self._expect(conversation_id, Kind.REFUSE)
        self.store.slates.interact(self._slate_of(state), junior_id, Action.REFUSED, self._clock())
        return self._append(conversation_id, (dialogue.SENIOR, Kind.REFUSE, "", state.slate_id, junior_id))

    def pick(self, conversation_id: ConversationId, junior_id: JuniorId) -> State:
        """Choose a junior; the guide asks to confirm before anything is sent."""
        state = self._expect(conversation_id, Kind.PICK)
        if junior_id not in {each.junior_id for each in self.store.slates.slate(self._slate_of(state)).suggestions}:
            raise InputRefused("not_on_slate", id=junior_id)
        return self._append(
            conversation_id,
            (dialogue.SENIOR, Kind.PICK, "", state.slate_id, junior_id),
            (dialogue.GUIDE, Kind.CHECK, "", state.slate_id, junior_id),
        )

    def back(self, conversation_id: ConversationId) -> State:
        """Return from the check to the cards."""
        self._expect(conversation_id, Kind.BACK)
        return self._append(conversation_id, (dialogue.SENIOR, Kind.BACK, "", None, None))

    def confirm(self, conversation_id: ConversationId, senior_id: SeniorId | None) -> State:
        """Send the choice to the coordinator."""
        state = self._expect(conversation_id, Kind.CONFIRM)
        slate_id, picked = self._slate_of(state), state.picked
        if picked is None:
            raise Conflict("not_now")
        self.store.slates.choose(slate_id, picked, senior_id, conversation_id, self._clock())
        return self._append(
            conversation_id,
            (dialogue.SENIOR, Kind.CONFIRM, "", slate_id, picked),
            (dialogue.GUIDE, Kind.SENT, "", slate_id, picked),
        )

    def undo(self, conversation_id: ConversationId) -> State:
        """Take the last step back; a choice that was sent leaves the coordinator's queue.

        Raises
        ------
        Conflict
            If the coordinator has decided already.
        """
        state = self._expect(conversation_id, Kind.UNDO)
        if state.stage is Stage.SENT:
            self.store.slates.undo_choice(self._slate_of(state), self._clock())
        return self._append(conversation_id, (dialogue.SENIOR, Kind.UNDO, "", None, None))

    def restart(self, conversation_id: ConversationId) -> State:
        """Begin again with an empty page. What was sent stays sent."""
        return self._append(
            conversation_id,
            (dialogue.SENIOR, Kind.RESTART, "", None, None),
            (dialogue.GUIDE, Kind.GREETING, "", None, None),
        )

    def _expect(self, conversation_id: ConversationId, kind: Kind) -> State:
        state = self.state(conversation_id)
        if not dialogue.allowed(state, kind):
            raise Conflict("not_now")
        return state

    @staticmethod
    def _slate_of(state: State) -> SlateId:
        if state.slate_id is None:
            raise Conflict("not_now")
        return state.slate_id

    def _append(
        self,
        conversation_id: ConversationId,
        *events: tuple[str, Kind, str, SlateId | None, JuniorId | None],
    ) -> State:
        before = self.store.conversations.turns(conversation_id)
        turns = [
            Turn(conversation_id, len(before) + step, speaker, kind, said, slate_id, junior_id, self._clock())
            for step, (speaker, kind, said, slate_id, junior_id) in enumerate(events)
        ]
        self.store.conversations.append(turns)
        return dialogue.state_of([*before, *turns])

    # The coordinator

    def load(self) -> dict[str, int]:
        """Return how many places of each junior are taken."""
        return self.store.slates.load()

    def counts(self) -> dict[str, int]:
        """Return how many of each thing is stored."""
        return self.store.slates.counts()

    def waiting(self) -> list[Choice]:
        """Return choices that wait for a decision, oldest first."""
        return self.store.slates.choices(waiting=True)

    def decided(self) -> list[Choice]:
        """Return choices that were decided, newest first."""
        return self.store.slates.choices(waiting=False)

    def approve(self, slate_id: SlateId, reviewer: str, note: str = "") -> None:
        """Approve a choice: the two become a match."""
        self.store.slates.decide(slate_id, Decision.APPROVED, "", clean_text(note), reviewer, self._clock())

    def reject(self, slate_id: SlateId, reviewer: str, reason: str, note: str = "") -> None:
        """Reject a choice; the reason is required, because it teaches the ranker."""
        if not reason:
            raise InputRefused("reason_required")
        self.store.slates.decide(slate_id, Decision.REJECTED, reason, clean_text(note), reviewer, self._clock())

    def undo_decision(self, slate_id: SlateId) -> None:
        """Take a decision back: the choice waits again."""
        self.store.slates.undo_decision(slate_id)
