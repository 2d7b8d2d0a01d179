"""The use cases, each about one screen: the page and the command line call these and nothing deeper."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from recommender import dialogue, supply
from recommender.dialogue import Kind, Stage, State
from recommender.domain import (
    Action,
    ConversationId,
    Decision,
    Junior,
    JuniorId,
    Person,
    Senior,
    SeniorId,
    Side,
    Slate,
    SlateId,
    Turn,
)
from recommender.encoder import Encoder
from recommender.errors import Conflict, InputRefused
from recommender.ranker import AdditiveRanker
from recommender.recommending import Recommender
from recommender.store import Store
from recommender.store.slates import Choice
from recommender.supply import Gap
from recommender.text import clean_text
from recommender.weights import Progress
from recommender.wording import Language, catalogue

MAX_REQUEST = 4_000
"""Characters of one request: a page of text; longer is a document, not a question."""

SHOWN_AT_ONCE = 3
"""Three cards at a time; a senior may ask for more."""

LOGGED = 9
"""Length of a slate in the app: three times three cards."""


class Service:
    """Everything Telemachos does, over one store and one recommender.

    Parameters
    ----------
    store : Store
        The open database.
    recommender : Recommender
        What ranks.
    clock : callable
        Gives the time; a test may fix it.
    """

    def __init__(
        self, store: Store, recommender: Recommender, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.store, self.recommender, self._clock = store, recommender, clock

    @property
    def encoder(self) -> Encoder:
        """What texts are embedded with."""
        return self.recommender.encoder

    @property
    def ranker(self) -> AdditiveRanker:
        """What orders juniors at this moment."""
        return self.recommender.ranker()

    # People

    def put_people(self, people: Sequence[Person], progress: Progress | None = None) -> None:
        """Store profiles, all or nothing, and make them findable."""
        self.store.people.put(people)
        self.prepare(progress)

    def prepare(self, progress: Progress | None = None) -> None:
        """Encode what is new and bring the index up to date, so that the next request needn't."""
        self.recommender.prepare(progress)

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
        self,
        text: str,
        senior_id: SeniorId | None = None,
        k: int = LOGGED,
        page_language: Language = "nl",
        *,
        explore: bool = False,
    ) -> Slate:
        """Return the `k` juniors who fit a request best, and store what was asked and shown.

        With `explore` their order is shuffled a little where the organisation allows it: so the ranker can learn about
        juniors whom it would always put lower.

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
        explore = explore and self.store.facts.exploration()
        slate = self.recommender.slate(goal, senior, k, page_language, self._clock(), explore=explore)
        self.store.slates.put(slate)
        return slate

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
        slate = self.recommend(text, senior_id, LOGGED, page_language, explore=True)
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

    def refuse(self, conversation_id: ConversationId, junior_id: JuniorId, reason: str = "") -> State:
        """Put one suggestion aside: "not for me", with a reason where the senior gives one."""
        state = self._expect(conversation_id, Kind.REFUSE)
        if reason and f"refuse.{reason}" not in catalogue():
            raise InputRefused("reason_unknown", reason=reason)
        self.store.slates.interact(self._slate_of(state), junior_id, Action.REFUSED, self._clock(), reason)
        if junior_id in state.refused:  # only the reason is new: one undo must bring the card back
            return state
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
        last = next((turn for turn in reversed(state.turns) if turn.speaker == dialogue.SENIOR), None)
        if state.stage is Stage.SENT:
            self.store.slates.undo_choice(self._slate_of(state), self._clock())
        elif last and last.kind == Kind.REFUSE and last.slate_id and last.junior_id:
            self.store.slates.interact(last.slate_id, last.junior_id, Action.UNDID, self._clock())
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

    # After the sessions

    def rate(self, slate_id: SlateId, side: Side, rating: int) -> None:
        """Record how one of a pair found the sessions, 1 to 5; the other never sees it. Again replaces it.

        Raises
        ------
        Conflict
            If the two are no pair.
        """
        self.store.outcomes.rate(slate_id, side, rating, self._clock())

    def rating_of(self, slate_id: SlateId, side: Side) -> int | None:
        """Return one's own rating, or None."""
        return self.store.outcomes.rating_of(slate_id, side)

    def matches_of(self, junior_id: str) -> list[Choice]:
        """Return the approved choices of one junior, newest first."""
        return [each for each in self.decided() if each.junior_id == junior_id and each.decision is Decision.APPROVED]

    # The coordinator

    def demand_and_supply(self) -> list[Gap]:
        """Return how many ask for each competence and how many can explain it; empty without a reader."""
        codes, can = self.recommender.able()
        return supply.gaps(supply.askers(self.store.slates.asked(), codes), can, codes)

    def cards_shown(self) -> list[int]:
        """Return how often the card of each junior was drawn, the most first; no ids."""
        return self.store.slates.cards_shown()

    def exploration(self) -> bool:
        """Return whether cards are shuffled a little, so that the ranker can learn."""
        return self.store.facts.exploration()

    def set_exploration(self, on: bool) -> None:
        """Switch the shuffling of cards on or off."""
        self.store.facts.set_exploration(on)

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
