"""The use cases, each about one screen: the page and the command line call these and nothing deeper."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from recommender import supply
from recommender.carrier import Carrier
from recommender.conversing import MAX_REQUEST, Conversing, Hearer
from recommender.dialogue.brief import Brief
from recommender.dialogue.state import Kind, State, state_of
from recommender.domain import (
    ConversationId,
    Junior,
    JuniorId,
    Person,
    Senior,
    SeniorId,
    Side,
    Slate,
    SlateId,
)
from recommender.encoder import Encoder
from recommender.errors import InputRefused
from recommender.guide import LOGGED, Phraser
from recommender.pairing import Pairing
from recommender.post import Post
from recommender.programme_figures import ProgrammeFigures
from recommender.programme_setup import ProgrammeSetUp
from recommender.ranker import AdditiveRanker
from recommender.recommending import Recommender
from recommender.reviewing import Reviewing
from recommender.round_answers import RoundAnswers
from recommender.rounds import Rounds
from recommender.store import Store
from recommender.store.conversations import HandOver
from recommender.store.slates import Choice
from recommender.supply import Gap
from recommender.text import clean_text
from recommender.weights import Progress
from recommender.wording import Language


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
    hearer : Hearer, optional
        What understands typed turns.
    phraser : Phraser, optional
        A language model that may say replies in other words.
    carrier : Carrier, optional
        What sends letters. Without one they wait in the store.
    mail_hold : timedelta, optional
        How long a letter stays before it leaves, so that an undo takes it back.
    """

    def __init__(
        self,
        store: Store,
        recommender: Recommender,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        hearer: Hearer | None = None,
        phraser: Phraser | None = None,
        carrier: Carrier | None = None,
        mail_hold: timedelta = timedelta(),
    ) -> None:
        self.store, self.recommender, self._clock = store, recommender, clock
        self.talk = Conversing(store, recommender, clock, hearer, phraser)
        self.post = Post(store, carrier, clock, mail_hold)
        self.pairs = Pairing(store, self.post, clock)
        self.rounds = Rounds(store, recommender, self.pairs, clock)
        self.round_answers = RoundAnswers(store, recommender, self.rounds, clock)
        self.reviewing = Reviewing(store, recommender, self.rounds, self.pairs, self.post, clock)
        self.programme = ProgrammeSetUp(store, recommender, clock)
        self.figures = ProgrammeFigures(store, recommender, clock)

    @property
    def encoder(self) -> Encoder:
        """What texts are embedded with."""
        return self.recommender.encoder

    @property
    def ranker(self) -> AdditiveRanker:
        """What orders juniors at this moment."""
        return self.recommender.ranker()

    def now(self) -> datetime:
        """Return what time it is for the programme: a page never asks the machine."""
        return self._clock()

    # People

    def put_people(self, people: Sequence[Person], progress: Progress | None = None) -> None:
        """Store profiles, all or nothing, and make them findable."""
        self.store.people.put(people)
        self.store.slates.forget()
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
        ranking = self.recommender.rank(Brief((goal,)), senior, page_language, self._clock())
        return self.talk.guide.keep(ranking, k, explore=explore)

    def slate(self, slate_id: SlateId) -> Slate:
        """Return a slate as it was shown."""
        return self.store.slates.slate(slate_id)

    def choice(self, slate_id: SlateId) -> Choice | None:
        """Return the choice from a slate with the decision so far, or None when nothing was sent or it was undone."""
        return self.store.slates.choice(slate_id)

    def shown(self, slate_id: SlateId, junior_ids: Sequence[JuniorId]) -> None:
        """Record which suggestions a page has really drawn."""
        self.store.slates.shown(slate_id, junior_ids, self._clock())

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

    def handed_over(self) -> list[tuple[HandOver, State]]:
        """Return the conversations that seniors have given to a person, oldest first, each as it was then."""
        waiting = self.store.conversations.handed_over()
        return [(each, self._until(each.conversation_id, Kind.HAND_OVER)) for each in waiting]

    def brief_of(self, choice: Choice) -> Brief:
        """Return what was wanted when a choice was sent."""
        if choice.conversation_id is None:
            return Brief()
        return self._until(choice.conversation_id, Kind.CONFIRM, choice.slate.id).brief

    def _until(self, conversation_id: ConversationId, kind: Kind, slate_id: SlateId | None = None) -> State:
        """Return a conversation as it stood after the last turn of a kind."""
        turns = self.store.conversations.turns(conversation_id)
        places = [place for place, turn in enumerate(turns) if turn.kind == kind and slate_id in (None, turn.slate_id)]
        return state_of(turns[: places[-1] + 1] if places else turns)

    def spoken_with(self, conversation_id: ConversationId, who: str) -> None:
        """Note that a person has taken care of a conversation that was handed over."""
        self.store.conversations.close(conversation_id, who, self._clock())
