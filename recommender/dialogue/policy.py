"""What the guide does with a turn: state and what was heard in, one plan out. The whole policy is on this page.

Below `SURE` the guide asks what is meant instead of guessing. Whoever is upset, or tells of health, a conflict or
harassment, is never matched on it but pointed to a person, already at `UPSET`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from recommender.dialogue.acts import Act, Context, Heard, Name
from recommender.dialogue.brief import Brief, Wish, WishKind, wishes_of
from recommender.dialogue.state import Kind, Offer, Stage, State
from recommender.domain import JuniorId

SURE = 0.45
UPSET = 0.35
PLAUSIBLE = 0.08
"""Chance from which an act is offered as what may have been meant."""

TOO_OFTEN = 2
"""Misunderstandings in a row after which a person is offered."""


class Do(StrEnum):
    """What has to be done; what `TELL` says is the plan's `reply`."""

    SEARCH = "search"
    TELL = "tell"
    NOTE = "note"
    ANSWER = "answer"
    SKIP = "skip"
    PICK = "pick"
    CONFIRM = "confirm"
    BACK = "back"
    MORE = "more"
    REFUSE_ALL = "refuse_all"
    UNDO = "undo"
    RESTART = "restart"
    HAND_OVER = "hand_over"


@dataclass(frozen=True)
class Named:
    """What the words of a turn name in this organisation.

    `unknown` are names that nobody here has, `several` those that more than one has.
    """

    wishes: tuple[Wish, ...] = ()
    juniors: tuple[JuniorId, ...] = ()
    level: float | None = None
    topics: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    several: tuple[str, ...] = ()

    @property
    def somebody(self) -> bool:
        """Whether anybody is named or wished away at all."""
        return bool(self.juniors or self.unknown or self.several or self.wishes)


@dataclass(frozen=True)
class Plan:
    """What to do about a turn, with what it needs. `acts` are offered to choose from when the guide is unsure."""

    do: Do
    kind: Kind = Kind.SAID
    reply: str = ""
    brief: Brief | None = None
    juniors: tuple[JuniorId, ...] = ()
    offer: Offer | None = None
    acts: tuple[Act, ...] = ()
    misunderstood: bool = False


CARE = Plan(Do.TELL, reply="care", offer=Offer.HAND_OVER)
"""Of whoever is upset: nothing is searched, a person is offered."""


def respond(state: State, heard: Heard, named: Named) -> Plan:
    """Return what to do about what was heard.

    Parameters
    ----------
    state : State
        Where the conversation stands.
    heard : Heard
        What was made of the turn.
    named : Named
        What it names in this organisation.
    """
    if heard.upset >= UPSET:
        return CARE
    acts = _in_context(state, heard, named)
    act, chance = acts[0]
    if chance < SURE:
        return _unsure(state, [each for each, its in acts if its >= PLAUSIBLE])
    return PLANS[act](state, heard, named)


def meant(state: State, act: Act, heard: Heard, named: Named) -> Plan:
    """Return what to do about a turn when the senior has said what it means."""
    return PLANS[act](state, heard, named)


def _in_context(state: State, heard: Heard, named: Named) -> list[tuple[Act, float]]:
    """Return the acts as they come out here, the likeliest first; acts that come to the same add up."""
    chances: dict[Act, float] = {}
    for act, chance in heard.acts:
        meaning = _meaning(state, act, named)
        chances[meaning] = chances.get(meaning, 0.0) + chance
    return sorted(chances.items(), key=lambda each: -each[1])


def _meaning(state: State, act: Act, named: Named) -> Act:
    """Return what an act amounts to where the conversation stands."""
    match state.context, act:
        case Context.START, Act.ADD_GOAL | Act.CORRECT if not state.brief.goals:
            return Act.GOAL
        case Context.START, Act.ANSWER | Act.CRITIQUE:
            return Act.CRITIQUE if named.wishes else Act.GOAL
        case Context.QUESTION, Act.CRITIQUE if _answers(state, named):
            return Act.ANSWER
        case Context.QUESTION, Act.ANSWER if _counts_cards(state, named):
            return Act.CHOOSE
        case Context.CARDS | Context.CHECK, Act.ANSWER:
            return Act.CRITIQUE if named.wishes else Act.ADD_GOAL
        case Context.CARDS | Context.CHECK | Context.START, Act.SKIP:
            return Act.NO
        case _:
            return act


def _counts_cards(state: State, named: Named) -> bool:
    """Tell whether "the second" is somebody on screen: only the options of a theme are long enough to be counted."""
    theme = state.question is not None and state.question.facet == "theme"
    return bool(named.juniors) and not theme and not named.wishes and named.level is None


def _answers(state: State, named: Named) -> bool:
    """Tell whether a wish is about what was just asked."""
    facets = {"online": "meet", "on_site": "meet", "patient": "style", "hands_on": "style", "technical": "style"}
    facet = state.question.facet if state.question else ""
    return any(facets.get(each.kind, each.kind) == facet for each in named.wishes)


def _unsure(state: State, acts: list[Act]) -> Plan:
    if state.misunderstood + 1 >= TOO_OFTEN:
        return Plan(Do.TELL, reply="unsure_again", offer=Offer.HAND_OVER, misunderstood=True)
    return Plan(Do.TELL, reply="unsure", acts=tuple(acts[:3]), misunderstood=True)


# One function for each act


def _goal(state: State, heard: Heard, named: Named) -> Plan:
    brief = state.brief.about(goal_words(heard, named)).wishing(*named.wishes)
    return Plan(Do.SEARCH, Kind.GOAL, brief=_with_level(brief, named))


def _add_goal(state: State, heard: Heard, named: Named) -> Plan:
    brief = state.brief.with_goal(goal_words(heard, named)).wishing(*named.wishes)
    return Plan(Do.SEARCH, Kind.GOAL, brief=_with_level(brief, named))


def _answer(state: State, heard: Heard, named: Named) -> Plan:
    return Plan(Do.ANSWER, Kind.ANSWER) if state.question else _critique(state, heard, named)


def _critique(state: State, heard: Heard, named: Named) -> Plan:
    like = tuple(Wish(WishKind.LIKE, each) for each in named.juniors[:1])
    wishes = (*named.wishes, *like)
    if not wishes and named.level is None:
        if named.topics:
            return _add_goal(state, heard, named)
        return _whom_or_what(state, named)
    brief = _with_level(state.brief.wishing(*wishes), named)
    if named.topics:
        brief = brief.with_goal(", ".join(named.topics))
    if not brief.goals:
        return Plan(Do.NOTE, Kind.WISH, reply="noted", brief=brief)
    return Plan(Do.SEARCH, Kind.WISH, brief=brief)


def _correct(state: State, heard: Heard, named: Named) -> Plan:
    if named.topics:
        brief = state.brief.about(*named.topics)
        practical = tuple(each for each in named.wishes if each.kind is not WishKind.TOPIC)
        return Plan(Do.SEARCH, Kind.GOAL, brief=_with_level(brief.wishing(*practical), named))
    if named.wishes or named.level is not None:
        return _critique(state, heard, named)
    return Plan(Do.TELL, reply="what_instead")


def _about_people(reply: str, fewest: int = 1) -> Callable[[State, Heard, Named], Plan]:
    """Return a plan that explains something about people: those named, else the first ones on screen."""

    def plan(state: State, heard: Heard, named: Named) -> Plan:
        if state.slate_id is None:
            return Plan(Do.TELL, Kind.ASK, reply="first_goal")
        if (named.unknown or named.several) and not named.juniors:
            return Plan(Do.TELL, Kind.ASK, reply=_which(named))
        enough = named.juniors if len(named.juniors) >= fewest else ()
        return Plan(Do.TELL, Kind.ASK, reply=reply, juniors=enough)

    return plan


def _why_not(state: State, heard: Heard, named: Named) -> Plan:
    # "Not Piet" names him as unwanted: here he is the subject.
    juniors = named.juniors or tuple(JuniorId(each.value) for each in named.wishes if each.kind is WishKind.PERSON)
    if state.slate_id is None:
        return Plan(Do.TELL, Kind.ASK, reply="first_goal")
    if not juniors:
        return Plan(Do.TELL, Kind.ASK, reply=_which(named) or "whom_why_not")
    return Plan(Do.TELL, Kind.ASK, reply="why_not", juniors=juniors[:1])


def _why_question(state: State, heard: Heard, named: Named) -> Plan:
    return Plan(Do.TELL, Kind.ASK, reply="why_question" if state.question else "no_question")


def _choose(state: State, heard: Heard, named: Named) -> Plan:
    if state.slate_id is None:
        return Plan(Do.TELL, reply="first_goal")
    if state.stage is Stage.CHECKING and not named.somebody:
        return Plan(Do.CONFIRM, Kind.CONFIRM)
    if not named.juniors:
        if named.wishes:
            return _critique(state, heard, named)
        return Plan(Do.TELL, reply=_which(named) or "whom")
    return Plan(Do.PICK, Kind.PICK, juniors=named.juniors[:1])


def _refuse_all(state: State, heard: Heard, named: Named) -> Plan:
    if state.stage is Stage.CHECKING:
        return Plan(Do.BACK, Kind.BACK)
    if state.stage is not Stage.CHOOSING:
        return Plan(Do.TELL, reply="first_goal")
    if named.wishes:
        return _critique(state, heard, named)
    return Plan(Do.REFUSE_ALL, Kind.REFUSE_ALL)


def _more(state: State, heard: Heard, named: Named) -> Plan:
    return Plan(Do.MORE, Kind.MORE) if state.stage is Stage.CHOOSING else Plan(Do.TELL, reply="first_goal")


def _yes(state: State, heard: Heard, named: Named) -> Plan:
    if state.stage is Stage.CHECKING:
        return _choose(state, heard, named)
    if state.offer is Offer.HAND_OVER:
        return Plan(Do.HAND_OVER, Kind.HAND_OVER)
    if state.offer is Offer.DROP:
        return Plan(Do.SEARCH, Kind.DROP, brief=state.brief.without(*blocking(state)))
    if named.juniors:
        return _choose(state, heard, named)
    return Plan(Do.TELL, reply="whom" if state.stage is Stage.CHOOSING else "first_goal")


def _no(state: State, heard: Heard, named: Named) -> Plan:
    if named.wishes or named.topics:
        return _correct(state, heard, named)
    if state.stage is Stage.CHECKING:
        return Plan(Do.BACK, Kind.BACK)
    if state.offer is not None:
        return Plan(Do.TELL, reply="declined")
    if state.question is not None:
        return Plan(Do.SKIP, Kind.SKIP)
    return Plan(Do.TELL, reply="what_else" if state.stage is Stage.CHOOSING else "first_goal")


def _skip(state: State, heard: Heard, named: Named) -> Plan:
    return Plan(Do.SKIP, Kind.SKIP) if state.question else _no(state, heard, named)


def _undo(state: State, heard: Heard, named: Named) -> Plan:
    return Plan(Do.UNDO, Kind.UNDO) if state.can_undo else Plan(Do.TELL, reply="nothing_to_undo")


def _tell(reply: str, kind: Kind = Kind.SAID, offer: Offer | None = None) -> Callable[[State, Heard, Named], Plan]:
    def plan(state: State, heard: Heard, named: Named) -> Plan:
        return Plan(Do.TELL, kind, reply=reply, offer=offer)

    return plan


def _restart(state: State, heard: Heard, named: Named) -> Plan:
    return Plan(Do.RESTART, Kind.RESTART)


def _whom_or_what(state: State, named: Named) -> Plan:
    if named.unknown or named.several:
        return Plan(Do.TELL, reply=_which(named))
    return Plan(Do.TELL, reply="what_else" if state.brief.goals else "first_goal", misunderstood=True)


def _which(named: Named) -> str:
    """Return what to say about a name that leads to nobody, or nothing where none does."""
    return "several" if named.several else "unknown_name" if named.unknown else ""


PLANS: dict[Act, Callable[[State, Heard, Named], Plan]] = {
    Act.GOAL: _goal,
    Act.ADD_GOAL: _add_goal,
    Act.ANSWER: _answer,
    Act.CRITIQUE: _critique,
    Act.CORRECT: _correct,
    Act.WHY: _about_people("why"),
    Act.WHY_NOT: _why_not,
    Act.WHY_QUESTION: _why_question,
    Act.ABOUT_ME: _tell("about_me", Kind.ASK),
    Act.COMPARE: _about_people("compare", fewest=2),
    Act.CHOOSE: _choose,
    Act.REFUSE_ALL: _refuse_all,
    Act.MORE: _more,
    Act.YES: _yes,
    Act.NO: _no,
    Act.SKIP: _skip,
    Act.UNDO: _undo,
    Act.RESTART: _restart,
    Act.HUMAN: _tell("human", Kind.ASK, Offer.HAND_OVER),
    Act.HELP: _tell("help", Kind.ASK),
    Act.SMALL_TALK: _tell("small_talk"),
    Act.OFF_TOPIC: _tell("off_topic"),
    Act.UPSET: lambda state, heard, named: CARE,
}


def goal_words(heard: Heard, named: Named) -> str:
    """Return the words to search with.

    All of them, as a whole sentence tells most; only what names the subject where the sentence also holds wishes, so
    that a town or a day is not taken for something to learn.
    """
    if not named.topics or not (named.wishes or named.juniors):
        return heard.text
    spoken = heard.words(Name.TOPIC, Name.PERSPECTIVE, Name.PURPOSE)
    return " ".join(spoken)


def blocking(state: State) -> tuple[Wish, ...]:
    """Return the wishes that the guide has offered to drop."""
    told = next((turn.told for turn in reversed(state.replies) if turn.kind == Kind.BLOCKED), None)
    return wishes_of(told["wishes"]) if told else ()


def _with_level(brief: Brief, named: Named) -> Brief:
    return brief if named.level is None else replace(brief, level=named.level)
