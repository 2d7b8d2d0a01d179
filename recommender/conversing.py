"""The conversation of a senior: what the page and the terminal call. What to do is decided by the policy.

Everything a senior does becomes a turn, and what the guide answers more of them; both are stored at once or not at all.
A second tab that doesn't know the last turns is refused.
"""

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from recommender.answers import answered, option_meant
from recommender.dialogue import policy
from recommender.dialogue.acts import Act, Context, Heard, Name, Slot
from recommender.dialogue.brief import Brief, Wish
from recommender.dialogue.policy import Do, Named, Plan
from recommender.dialogue.state import GUIDE, SENIOR, Kind, Offer, State, allowed, state_of
from recommender.domain import Action, ConversationId, JuniorId, SeniorId, Turn
from recommender.errors import Conflict, InputRefused
from recommender.guide import Guide, Moment, Phraser, Step, slate_of
from recommender.naming import named
from recommender.questions import ANYTHING
from recommender.recommending import Recommender
from recommender.store import Store
from recommender.text import clean_text
from recommender.wording import Language, catalogue

MAX_REQUEST = 4_000
"""Characters of one turn: a page of text; longer is a document, not a question."""


class Hearer(Protocol):
    """Makes something of what is typed."""

    def hear(self, text: str, context: Context) -> Heard:
        """Return what a turn does and names."""


class Conversing:
    """Conversations over one store and one recommender.

    Parameters
    ----------
    store : Store
        The open database.
    recommender : Recommender
        What ranks.
    clock : callable
        Gives the time.
    hearer : Hearer, optional
        What understands typed turns. Without one, whatever is typed is something to learn.
    phraser : Phraser, optional
        A language model that may say replies in other words.
    """

    def __init__(
        self,
        store: Store,
        recommender: Recommender,
        clock: Callable[[], datetime],
        hearer: Hearer | None = None,
        phraser: Phraser | None = None,
    ) -> None:
        self._store, self._recommender, self._clock = store, recommender, clock
        self._hearer, self._phraser = hearer, phraser
        self.guide = Guide(store, recommender, clock, phraser)

    @property
    def understands(self) -> bool:
        """Whether typed words are understood as more than something to learn."""
        return self._hearer is not None

    # Conversations

    def conversation(self, senior_id: SeniorId | None, page_language: Language) -> ConversationId:
        """Return the senior's open conversation, or start one."""
        latest = self._store.conversations.latest_of(senior_id) if senior_id else None
        return latest or self.new_conversation(senior_id, page_language)

    def new_conversation(self, senior_id: SeniorId | None, page_language: Language) -> ConversationId:
        """Start a conversation with the guide's greeting."""
        conversation_id = ConversationId(uuid.uuid4().hex)
        greeting = Turn(conversation_id, 0, GUIDE, Kind.GREETING, at=self._clock())
        self._store.conversations.start(conversation_id, senior_id, page_language, greeting)
        return conversation_id

    def state(self, conversation_id: ConversationId) -> State:
        """Return where a conversation stands."""
        return state_of(self._store.conversations.turns(conversation_id))

    def on_screen(self, state: State) -> list[tuple[JuniorId, str]]:
        """Return ids and names of those whose cards are drawn, in order."""
        return self.guide.on_screen(state)

    # Typed turns

    def hear(
        self, conversation_id: ConversationId, senior_id: SeniorId | None, text: str, page_language: Language
    ) -> State:
        """Take whatever was typed, do what it asks, and answer.

        Raises
        ------
        InputRefused
            If there is nothing to read in it, or it is too long.
        """
        now = self._moment(conversation_id, senior_id, page_language, _legible(text))
        heard = self._heard(now.said, now.state.context)
        found = self._named(now, heard)
        return self._do(now, policy.respond(now.state, heard, found), heard, found)

    def meant(
        self, conversation_id: ConversationId, senior_id: SeniorId | None, act: Act, page_language: Language
    ) -> State:
        """Take the answer to "what do you mean": do with the unclear words what the senior says they do."""
        state = self.state(conversation_id)
        if act not in state.unsure:
            raise Conflict("not_now")
        now = self._moment(conversation_id, senior_id, page_language, state.unclear)
        heard = self._heard(now.said, state.context)
        found = self._named(now, heard)
        return self._do(now, policy.meant(state, act, heard, found), heard, found)

    def say(
        self, conversation_id: ConversationId, senior_id: SeniorId | None, text: str, page_language: Language
    ) -> State:
        """Take words that are surely a goal: an example that was picked."""
        now = self._moment(conversation_id, senior_id, page_language, _legible(text))
        return self._search(now, Kind.GOAL, now.state.brief.about(now.said))

    # Buttons and chips

    def answer(
        self,
        conversation_id: ConversationId,
        senior_id: SeniorId | None,
        option: str,
        page_language: Language,
        question_id: str | None = None,
    ) -> State:
        """Take a picked answer to the open question, which is `question_id` if that is given.

        `option` is one of its options, or `ANYTHING`.
        """
        question = self._expect(conversation_id, Kind.ANSWER).question
        if question is None or question_id not in (None, question.id) or option not in (*question.options, ANYTHING):
            raise Conflict("not_now")
        if option == ANYTHING:
            return self.skip(conversation_id)
        now = self._moment(conversation_id, senior_id, page_language)
        brief = answered(now.state.brief, question.facet, option, question.options, page_language)
        return self._search(now, Kind.ANSWER, brief, option)

    def skip(self, conversation_id: ConversationId, said: str = "", question_id: str | None = None) -> State:
        """Leave the open question unanswered. Nothing else changes."""
        state = self._expect(conversation_id, Kind.SKIP)
        if state.question is None or question_id not in (None, state.question.id):
            raise Conflict("not_now")
        return self._append(state, conversation_id, Step(SENIOR, Kind.SKIP, said), _reply("skipped"))

    def wish(
        self, conversation_id: ConversationId, senior_id: SeniorId | None, wish: Wish, page_language: Language
    ) -> State:
        """Add a wish that was picked."""
        now = self._moment(conversation_id, senior_id, page_language)
        if not now.state.brief.goals or not allowed(now.state, Kind.WISH):
            raise Conflict("not_now")
        return self._search(now, Kind.WISH, now.state.brief.wishing(wish))

    def drop(
        self, conversation_id: ConversationId, senior_id: SeniorId | None, gone: Wish | str, page_language: Language
    ) -> State:
        """Remove a chip: a wish, a goal (its words), or "level" or "gives_back"."""
        now = self._moment(conversation_id, senior_id, page_language)
        brief = _dropped(now.state.brief, gone)
        if brief == now.state.brief or not allowed(now.state, Kind.DROP):
            raise Conflict("not_now")
        if not brief.goals:
            step = Step(SENIOR, Kind.DROP, told={"brief": brief.stored()})
            return self._append(now.state, conversation_id, step, _reply("first_goal"))
        return self._search(now, Kind.DROP, brief)

    def reword(
        self,
        conversation_id: ConversationId,
        senior_id: SeniorId | None,
        goal: str,
        words: str,
        page_language: Language,
    ) -> State:
        """Put other words in the place of a goal."""
        now = self._moment(conversation_id, senior_id, page_language, _legible(words))
        if goal not in now.state.brief.goals or not allowed(now.state, Kind.DROP):
            raise Conflict("not_now")
        if self._heard(now.said, Context.START).upset >= policy.UPSET:
            return self._carry_out(now, policy.CARE)
        goals = tuple(dict.fromkeys(now.said if each == goal else each for each in now.state.brief.goals))
        return self._search(now, Kind.GOAL, replace(now.state.brief, goals=goals))

    def again(self, conversation_id: ConversationId, senior_id: SeniorId | None, page_language: Language) -> State:
        """Search afresh for all that was wanted, after a choice that came to nothing."""
        brief = self.state(conversation_id).brief
        self.restart(conversation_id)
        now = self._moment(conversation_id, senior_id, page_language, brief.text)
        if not brief.goals:
            return now.state
        return self._search(now, Kind.GOAL, brief)

    def drop_blocking(
        self, conversation_id: ConversationId, senior_id: SeniorId | None, page_language: Language
    ) -> State:
        """Drop the wishes that leave nobody, as the guide has offered."""
        now = self._moment(conversation_id, senior_id, page_language)
        if now.state.offer is not Offer.DROP:
            raise Conflict("not_now")
        return self._search(now, Kind.DROP, now.state.brief.without(*policy.blocking(now.state)))

    def give(self, conversation_id: ConversationId, text: str) -> State:
        """Note what the senior would give back; the coordinator and the junior may read it. Empty takes it away."""
        state = self._expect(conversation_id, Kind.GIVE)
        given = clean_text(text, MAX_REQUEST)
        if given and self._heard(given, Context.QUESTION).upset >= policy.UPSET:
            care = {"reply": "care", "offer": Offer.HAND_OVER.value}
            return self._append(
                state, conversation_id, Step(SENIOR, Kind.SAID, given), Step(GUIDE, Kind.REPLY, told=care)
            )
        brief = replace(state.brief, gives_back=given)
        step = Step(SENIOR, Kind.GIVE, given, told={"brief": brief.stored()})
        return self._append(state, conversation_id, step, _reply("given" if given else "declined"))

    def ask(
        self,
        conversation_id: ConversationId,
        senior_id: SeniorId | None,
        about: str,
        juniors: Sequence[JuniorId],
        page_language: Language,
    ) -> State:
        """Answer a question to the guide: why, why_not, compare, why_question, about_me, help, human, what_else."""
        offer = Offer.HAND_OVER if about == "human" else None
        plan = Plan(Do.TELL, Kind.ASK, reply=about, juniors=tuple(juniors), offer=offer)
        return self._carry_out(self._moment(conversation_id, senior_id, page_language), plan)

    def hand_over(self, conversation_id: ConversationId, said: str = "") -> State:
        """Give the conversation to a person."""
        state = self._append(
            self.state(conversation_id), conversation_id, Step(SENIOR, Kind.HAND_OVER, said), Step(GUIDE, Kind.HANDED)
        )
        self._store.conversations.hand_over(conversation_id, self._clock())
        return state

    def with_person(self, conversation_id: ConversationId) -> bool:
        """Tell whether the conversation lies with a person now."""
        return any(each.conversation_id == conversation_id for each in self._store.conversations.handed_over())

    def more(self, conversation_id: ConversationId, said: str = "") -> State:
        """Show the next three of the slate."""
        state = self._expect(conversation_id, Kind.MORE)
        return self._append(state, conversation_id, Step(SENIOR, Kind.MORE, said))

    def refuse(self, conversation_id: ConversationId, junior_id: JuniorId, reason: str = "") -> State:
        """Put one suggestion aside: "not for me", with a reason where the senior gives one."""
        state = self._expect(conversation_id, Kind.REFUSE)
        if reason and f"refuse.{reason}" not in catalogue():
            raise InputRefused("reason_unknown", reason=reason)
        slate_id = slate_of(state)
        if junior_id not in {each.junior_id for each in self.guide.slate(state).suggestions}:
            raise InputRefused("not_on_slate", id=junior_id)
        self._store.slates.interact(slate_id, junior_id, Action.REFUSED, self._clock(), reason)
        if junior_id in state.refused:  # only the reason is new: one undo must bring the card back
            return state
        return self._append(state, conversation_id, Step(SENIOR, Kind.REFUSE, slate_id=slate_id, junior_id=junior_id))

    def refuse_all(self, conversation_id: ConversationId, said: str = "") -> State:
        """Put all cards on screen aside and show the next ones."""
        state = self._expect(conversation_id, Kind.REFUSE_ALL)
        slate_id, gone = slate_of(state), [each for each, _ in self.guide.on_screen(state)]
        for junior_id in gone:
            self._store.slates.interact(slate_id, junior_id, Action.REFUSED, self._clock())
        step = Step(SENIOR, Kind.REFUSE_ALL, said, slate_id, told={"juniors": gone})
        return self._append(state, conversation_id, step, _reply("refused_all"))

    def pick(self, conversation_id: ConversationId, junior_id: JuniorId, said: str = "") -> State:
        """Choose a junior; the guide asks to confirm before anything is sent."""
        state = self._expect(conversation_id, Kind.PICK)
        if junior_id not in {each.junior_id for each in self.guide.slate(state).suggestions}:
            raise InputRefused("not_on_slate", id=junior_id)
        return self._append(state, conversation_id, *_pick(state, junior_id, said))

    def back(self, conversation_id: ConversationId, said: str = "") -> State:
        """Return from the check to the cards."""
        state = self._expect(conversation_id, Kind.BACK)
        return self._append(state, conversation_id, Step(SENIOR, Kind.BACK, said))

    def confirm(self, conversation_id: ConversationId, senior_id: SeniorId | None, said: str = "") -> State:
        """Send the choice to the coordinator."""
        state = self._expect(conversation_id, Kind.CONFIRM)
        slate_id, picked = slate_of(state), state.picked
        if picked is None:
            raise Conflict("not_now")
        # The choice first: pressed again after a crash in between, it is the same choice.
        self._store.slates.choose(slate_id, picked, senior_id, conversation_id, self._clock())
        mine = Step(SENIOR, Kind.CONFIRM, said, slate_id, picked)
        try:
            return self._append(
                state, conversation_id, mine, Step(GUIDE, Kind.SENT, slate_id=slate_id, junior_id=picked)
            )
        except Conflict:
            self._store.slates.undo_choice(slate_id, self._clock())
            raise

    def undo(self, conversation_id: ConversationId) -> State:
        """Take the last step back; a choice that was sent leaves the coordinator's queue.

        Raises
        ------
        Conflict
            If the coordinator has decided already.
        """
        state = self._expect(conversation_id, Kind.UNDO)
        last = next((turn for turn in reversed(state.turns) if turn.speaker == SENIOR), None)
        match Kind(last.kind) if last else None:
            case Kind.CONFIRM:
                self._store.slates.undo_choice(slate_of(state), self._clock())
            case Kind.REFUSE | Kind.REFUSE_ALL if last and last.slate_id:
                for junior_id in last.told.get("juniors", [last.junior_id]):
                    self._store.slates.interact(last.slate_id, JuniorId(junior_id), Action.UNDID, self._clock())
            case Kind.HAND_OVER:
                self._store.conversations.take_back(conversation_id)
        return self._append(state, conversation_id, Step(SENIOR, Kind.UNDO))

    def restart(self, conversation_id: ConversationId) -> State:
        """Begin again with an empty page. What was sent stays sent; undo brings back what stood before."""
        state = self.state(conversation_id)
        return self._append(state, conversation_id, Step(SENIOR, Kind.RESTART), Step(GUIDE, Kind.GREETING))

    # How it is done

    def _heard(self, said: str, context: Context) -> Heard:
        if self._hearer is None:
            return Heard(said, ((Act.GOAL, 1.0),))
        heard = self._hearer.hear(said, context)
        later = [self._hearer.hear(said[start : start + READ], context) for start in range(READ, len(said), READ)]
        heard = replace(heard, upset=max(each.upset for each in (heard, *later)))
        if self._phraser is None or heard.confidence >= policy.SURE or heard.upset >= policy.UPSET:
            return heard
        # A language model may point at words that were overlooked; what they come to is decided here as always.
        there = {each.name for each in heard.slots}
        proposed = self._phraser.propose(said, [each.value for each in Name])
        new = tuple(Slot(Name(name), words) for name, words in proposed if Name(name) not in there)
        return replace(heard, slots=(*heard.slots, *new))

    def _moment(
        self, conversation_id: ConversationId, senior_id: SeniorId | None, page_language: Language, said: str = ""
    ) -> Moment:
        senior = self._store.people.senior(senior_id) if senior_id else None
        return Moment(conversation_id, senior, self.state(conversation_id), said, page_language)

    def _named(self, now: Moment, heard: Heard) -> Named:
        here = self.guide.on_screen(now.state)
        return named(heard, self._recommender.organisation(), now.senior, here, self._clock())

    def _do(self, now: Moment, plan: Plan, heard: Heard, found: Named) -> State:
        return self._typed_answer(now, heard, found) if plan.do is Do.ANSWER else self._carry_out(now, plan)

    def _carry_out(self, now: Moment, plan: Plan) -> State:
        """Do what was planned."""
        where, said = now.conversation_id, now.said
        if plan.do is Do.SEARCH and plan.brief is not None:
            return self._search(now, plan.kind, plan.brief)
        if plan.do is Do.NOTE and plan.brief is not None:
            mine = Step(SENIOR, plan.kind, said, told={"brief": plan.brief.stored()})
            return self._append(now.state, where, mine, _reply(plan.reply))
        simple: dict[Do, Callable[[], State]] = {
            Do.SKIP: lambda: self.skip(where, said),
            Do.PICK: lambda: self._picked(now, plan),
            Do.CONFIRM: lambda: self.confirm(where, now.senior.id if now.senior else None, said),
            Do.BACK: lambda: self.back(where, said),
            Do.MORE: lambda: self.more(where, said),
            Do.REFUSE_ALL: lambda: self.refuse_all(where, said),
            Do.UNDO: lambda: self.undo(where),
            Do.RESTART: lambda: self.restart(where),
            Do.HAND_OVER: lambda: self.hand_over(where, said),
        }
        if plan.do in simple:
            return simple[plan.do]()
        return self._append(now.state, where, Step(SENIOR, plan.kind, said), self.guide.reply(now, plan))

    def _picked(self, now: Moment, plan: Plan) -> State:
        """Pick somebody by name; who isn't on the slate can't be picked, and the guide says why not."""
        if plan.juniors[0] in {each.junior_id for each in self.guide.slate(now.state).suggestions}:
            return self._append(now.state, now.conversation_id, *_pick(now.state, plan.juniors[0], now.said))
        return self._carry_out(now, Plan(Do.TELL, Kind.ASK, reply="why_not", juniors=plan.juniors))

    def _typed_answer(self, now: Moment, heard: Heard, found: Named) -> State:
        """Take an answer in the senior's own words: an option by number or by what it names, else more of the goal."""
        question, brief = now.state.question, now.state.brief
        if question is None:
            raise Conflict("not_now")
        option = option_meant(question.facet, question.options, heard, found, self._clock())
        if option is not None:
            brief = answered(brief, question.facet, option, question.options, now.language)
        elif question.facet == "exchange":
            brief = replace(brief, gives_back=now.said)
        elif found.wishes or found.level is not None:
            brief = brief.wishing(*found.wishes)
            brief = brief if found.level is None else replace(brief, level=found.level)
            brief = brief.with_goal(", ".join(found.topics)) if found.topics else brief
        elif question.facet == "theme" or found.topics:
            brief = brief.with_goal(policy.goal_words(heard, found))
        else:
            return self._carry_out(now, Plan(Do.TELL, reply="what_answer", misunderstood=True))
        return self._search(now, Kind.ANSWER, brief, option)

    def _search(self, now: Moment, kind: Kind, brief: Brief, option: str | None = None) -> State:
        return self._append(now.state, now.conversation_id, *self.guide.search(now, kind, brief, option))

    def _expect(self, conversation_id: ConversationId, kind: Kind) -> State:
        state = self.state(conversation_id)
        if not allowed(state, kind):
            raise Conflict("not_now")
        return state

    def _append(self, state: State, conversation_id: ConversationId, *steps: Step) -> State:
        """Store what happened after `state`; who was behind (another tab was faster) gets a `Conflict`, and no more."""
        turns = [
            Turn(
                conversation_id,
                state.recorded + place,
                step.speaker,
                step.kind,
                step.said,
                step.slate_id,
                step.junior_id,
                self._clock(),
                json.loads(json.dumps(step.told or {})),  # as it will come back from the store
            )
            for place, step in enumerate(steps)
        ]
        self._store.conversations.append(turns)
        return self.state(conversation_id)


READ = 400
"""Characters that are read at once for whether somebody is upset; long texts are read in pieces."""


def _pick(state: State, junior_id: JuniorId, said: str) -> tuple[Step, Step]:
    return (
        Step(SENIOR, Kind.PICK, said, state.slate_id, junior_id),
        Step(GUIDE, Kind.CHECK, slate_id=state.slate_id, junior_id=junior_id),
    )


def _legible(text: str) -> str:
    said = clean_text(text, MAX_REQUEST)
    if not any(character.isalnum() for character in said):
        raise InputRefused("empty_request")
    return said


def _reply(name: str) -> Step:
    return Step(GUIDE, Kind.REPLY, told={"reply": name})


def _dropped(brief: Brief, gone: Wish | str) -> Brief:
    if isinstance(gone, Wish):
        return brief.without(gone)
    if gone == "level":
        return replace(brief, level=None)
    if gone == "gives_back":
        return replace(brief, gives_back="")
    return brief.without_goal(gone)
