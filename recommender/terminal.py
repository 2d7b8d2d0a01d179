"""The conversation of the page in a terminal: a line is a goal, a number chooses, a word of the menu does the rest."""

import json
from collections.abc import Iterable, Iterator

from recommender.bootstrap import Installation
from recommender.dialogue import SENIOR, Stage, State
from recommender.domain import ConversationId, SeniorId, Slate
from recommender.errors import TelemachosError
from recommender.explain import minus_sentence
from recommender.service import SHOWN_AT_ONCE, Service
from recommender.wording import Language, say

COMMANDS = {
    "undo": "undo",
    "ongedaan": "undo",
    "restart": "restart",
    "opnieuw": "restart",
    "more": "more",
    "meer": "more",
}
YES, NO = {"ja", "yes", "j", "y"}, {"nee", "no", "n"}


def converse(here: Installation, senior_id: SeniorId | None, lines: list[str] | None, *, as_json: bool) -> None:
    """Run one conversation until the input ends.

    Parameters
    ----------
    here : Installation
        The opened installation.
    senior_id : SeniorId or None
        Who talks.
    lines : list of str or None
        A script, one turn a line; None reads from the keyboard.
    as_json : bool
        Print a JSON line for each turn: ``act``, ``state``, ``reply``, ``suggestions``.
    """
    service, language = here.service, here.settings.language
    conversation = service.new_conversation(senior_id, language)
    state = service.state(conversation)
    _tell("greeting", state, say("ask.greeting", language), None, service, as_json=as_json)
    for line in lines if lines is not None else _typed():
        text = line.strip()
        if not text:
            continue
        try:
            act, state = _take(service, conversation, senior_id, text, state, language)
            _tell(act, state, _reply(service, state, language), _cards(service, state), service, as_json=as_json)
        except TelemachosError as error:
            _tell("refused", state, error.sentence(language), None, service, as_json=as_json)


def _typed() -> Iterable[str]:
    while True:
        try:
            yield input("> ")
        except EOFError:
            return


def _take(
    service: Service,
    conversation: ConversationId,
    senior_id: SeniorId | None,
    text: str,
    state: State,
    language: Language,
) -> tuple[str, State]:
    word = text.casefold()
    if word in COMMANDS:
        return COMMANDS[word], getattr(service, COMMANDS[word])(conversation)
    if state.stage is Stage.CHECKING and word in YES:
        return "confirm", service.confirm(conversation, senior_id)
    if state.stage is Stage.CHECKING and word in NO:
        return "back", service.back(conversation)
    if state.stage is Stage.CHOOSING and word.isdecimal() and state.slate_id:
        suggestions = service.store.slates.slate(state.slate_id).suggestions
        if 1 <= int(word) <= len(suggestions):
            return "pick", service.pick(conversation, suggestions[int(word) - 1].junior_id)
    if state.stage is Stage.CHECKING:
        service.back(conversation)
    return "goal", service.say(conversation, senior_id, text, language)


def _reply(service: Service, state: State, language: Language) -> str:
    if state.stage is Stage.CHECKING and state.picked:
        return say("ask.check", language, name=service.junior(state.picked).name.split()[0])
    if state.stage is Stage.SENT:
        return say("ask.sent", language)
    if state.stage is Stage.CHOOSING:
        doubtful = state.slate_id is not None and service.slate(state.slate_id).doubtful
        return say("ask.doubtful" if doubtful else "ask.found", language)
    if any(turn.speaker == SENIOR for turn in state.turns):
        return say("ask.nobody", language)
    return say("ask.greeting", language)


def _cards(service: Service, state: State) -> Slate | None:
    if state.stage is not Stage.CHOOSING or state.slate_id is None:
        return None
    slate = service.store.slates.slate(state.slate_id)
    service.shown(slate.id, [each.junior_id for each in slate.suggestions[: SHOWN_AT_ONCE * state.pages]])
    return slate


def _tell(act: str, state: State, reply: str, slate: Slate | None, service: Service, *, as_json: bool) -> None:
    shown = slate.suggestions[: SHOWN_AT_ONCE * state.pages] if slate else ()
    if as_json:
        cards = [{"rank": each.rank, "junior_id": each.junior_id, "name": each.name} for each in shown]
        line = {"act": act, "state": state.stage, "reply": reply, "suggestions": cards}
        print(json.dumps(line, ensure_ascii=False))
        return
    print(reply)
    for text in _drawn(slate, shown, service) if slate else ():
        print(text)


def _drawn(slate: Slate, shown: Iterable, service: Service) -> Iterator[str]:  # type: ignore[type-arg]
    for each in shown:
        yield f"  {each.rank}. {each.name}"
        yield from (f"     “{sentence}”" for sentence in each.evidence)
        if each.minus:
            junior = service.junior(each.junior_id)
            yield f"     − {minus_sentence(each.minus, junior, slate.request.understood.language)}"
