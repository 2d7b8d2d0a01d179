"""What the guide answers: a slate and perhaps a question, why there is nobody, or a reply. Stores slates, no turns."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from recommender import explain
from recommender.dialogue.brief import Brief
from recommender.dialogue.policy import Plan
from recommender.dialogue.state import GUIDE, SENIOR, Kind, Offer, State
from recommender.domain import ConversationId, JuniorId, Senior, Slate, SlateId
from recommender.errors import Conflict
from recommender.recommending import Ranking, Recommender
from recommender.store import Store
from recommender.wording import Language, say

SHOWN_AT_ONCE = 3
"""Three cards at a time; a senior may ask for more."""

LOGGED = 9
"""Length of a slate in the app: three times three cards."""

COMPARED = 3

PLAIN_REPLIES = frozenset({"help", "small_talk", "off_topic", "declined", "what_else", "skipped", "first_goal"})
"""Replies without anybody's name or words in them, which a language model may say otherwise."""


class Phraser(Protocol):
    """Says our own sentences in other words, and proposes what words may name; never anything else."""

    def rephrase(self, sentence: str, language: Language) -> str:
        """Return the sentence, or one that says the same."""

    def propose(self, text: str, slots: Sequence[str]) -> list[tuple[str, str]]:
        """Return slots with words that stand in the text."""


@dataclass(frozen=True)
class Step:
    """One turn to be stored."""

    speaker: str
    kind: Kind
    said: str = ""
    slate_id: SlateId | None = None
    junior_id: JuniorId | None = None
    told: dict[str, Any] | None = None


@dataclass(frozen=True)
class Moment:
    """Who says what, where in which conversation, and in which language the page is."""

    conversation_id: ConversationId
    senior: Senior | None
    state: State
    said: str
    language: Language


class Guide:
    """Answers over one store and one recommender.

    Parameters
    ----------
    store : Store
        The open database.
    recommender : Recommender
        What ranks.
    clock : callable
        Gives the time.
    phraser : Phraser, optional
        A language model that may say replies in other words.
    """

    def __init__(
        self, store: Store, recommender: Recommender, clock: Callable[[], datetime], phraser: Phraser | None = None
    ) -> None:
        self._store, self._recommender, self._clock, self._phraser = store, recommender, clock, phraser

    def on_screen(self, state: State) -> list[tuple[JuniorId, str]]:
        """Return ids and names of those whose cards are drawn, in order."""
        if state.slate_id is None:
            return []
        left = [each for each in self.slate(state).suggestions if each.junior_id not in state.refused]
        return [(each.junior_id, each.name) for each in left[: SHOWN_AT_ONCE * state.pages]]

    def slate(self, state: State) -> Slate:
        """Return the slate at hand; raise `Conflict` where there is none."""
        return self._store.slates.slate(slate_of(state))

    def search(self, now: Moment, kind: Kind, brief: Brief, option: str | None = None) -> list[Step]:
        """Rank for a brief and answer with a slate and perhaps a question, or say why there is nobody."""
        afresh = brief.goals != now.state.searched
        aside = frozenset[JuniorId]() if afresh else now.state.refused
        ranking = self._recommender.rank(brief, now.senior, now.language, self._clock(), aside)
        told = {"brief": brief.stored()} | ({"option": option} if option is not None else {})
        mine = Step(SENIOR, kind, now.said, told=told)
        if not len(ranking.places):
            blocked = ranking.blocked
            offer = {"wishes": Brief(wishes=blocked).stored()["wishes"], "offer": Offer.DROP.value}
            nobody = Step(GUIDE, Kind.BLOCKED, told=offer) if blocked else Step(GUIDE, Kind.NOBODY)
            return [mine, nobody]
        # After a wish or an answer chance has no say: what changes is then what was asked for.
        slate = self.keep(ranking, explore=afresh)
        offered = Brief(wishes=tuple(self._recommender.critiques(ranking, now.language))).stored()["wishes"]
        news = {"afresh": afresh, "new": [] if afresh else self._new(now.state, slate), "critiques": offered}
        steps = [mine, Step(GUIDE, Kind.SLATE, slate_id=slate.id, told=news)]
        goal_number = now.state.goals_stated + (kind is Kind.GOAL)
        question = self._recommender.question(ranking, now.state.asked, goal_number)
        if question is not None:
            steps.append(Step(GUIDE, Kind.QUESTION, slate_id=slate.id, told=asdict(question)))
        return steps

    def _new(self, state: State, slate: Slate) -> list[JuniorId]:
        """Return who is among the first three now and wasn't before."""
        before = {each for each, _ in self.on_screen(state)[:SHOWN_AT_ONCE]}
        if not before:
            return []
        left = [each.junior_id for each in slate.suggestions if each.junior_id not in state.refused]
        return [each for each in left[:SHOWN_AT_ONCE] if each not in before]

    def keep(self, ranking: Ranking, k: int = LOGGED, *, explore: bool = False) -> Slate:
        """Store and return the first of a ranking, shuffled a little if `explore` and the organisation allow it."""
        slate = self._recommender.slate(ranking, k, explore=explore and self._store.facts.exploration())
        self._store.slates.put(slate)
        return slate

    def reply(self, now: Moment, plan: Plan) -> Step:
        """Return what the guide says, with the facts it is about."""
        told: dict[str, Any] = {"reply": plan.reply} | self._subject(now, plan)
        if plan.offer is not None:
            told["offer"] = plan.offer.value
        if plan.misunderstood:
            told["misunderstood"] = True
        if plan.acts:
            told |= {"acts": [each.value for each in plan.acts], "words": now.said}
        if self._phraser is not None and told["reply"] in PLAIN_REPLIES:
            plain = say(f"reply.{told['reply']}", now.language)
            told["phrased"] = {now.language: self._phraser.rephrase(plain, now.language)}
        return Step(GUIDE, Kind.REPLY, slate_id=now.state.slate_id, told=told)

    def _subject(self, now: Moment, plan: Plan) -> dict[str, Any]:
        """Return whom or what a reply is about."""
        state = now.state
        match plan.reply:
            case "why_question":
                return {"facet": state.question.facet} if state.question else {"reply": "no_question"}
            case "why" | "compare" | "why_not" if state.slate_id is None:
                return {"reply": "first_goal"}
            case "why" | "compare":
                here = [each for each, _ in self.on_screen(state)]
                drawn = {each.junior_id for each in self.slate(state).suggestions}
                asked = [each for each in plan.juniors if each in drawn]
                if plan.juniors and not asked:
                    return {"reply": "why_not"} | self._why_not(now, plan.juniors[0])
                number = 1 if plan.reply == "why" else COMPARED
                return {"juniors": (asked or here)[:COMPARED] if asked else here[:number]}
            case "why_not":
                return self._why_not(now, plan.juniors[0])
            case _:
                return {}

    def _why_not(self, now: Moment, junior_id: JuniorId) -> dict[str, Any]:
        state = now.state
        ranking = self._recommender.rank(state.brief, now.senior, now.language, self._clock(), state.refused)
        return explain.why_not(ranking, junior_id, [each for each, _ in self.on_screen(state)])


def slate_of(state: State) -> SlateId:
    """Return the id of the slate at hand; raise `Conflict` where there is none."""
    if state.slate_id is None:
        raise Conflict("not_now")
    return state.slate_id
