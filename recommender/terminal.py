"""The conversation of the page in a terminal: a line is whatever a senior types, and the guide answers."""

import json
import logging
import secrets
from collections.abc import Iterable, Iterator

from recommender.bootstrap import Installation
from recommender.dialogue.state import ASIDE, SENIOR, Kind, Stage, State
from recommender.domain import ConversationId, SeniorId, Suggestion
from recommender.errors import TelemachosError
from recommender.explain import minus_sentence
from recommender.replies import Known, option_text, replies
from recommender.service import Service
from recommender.wording import Language, say

MENU = {
    "undo": "undo",
    "ongedaan": "undo",
    "restart": "restart",
    "opnieuw": "restart",
    "more": "more",
    "meer": "more",
}
YES, NO = {"ja", "yes", "j", "y"}, {"nee", "no", "n"}

_log = logging.getLogger(__name__)


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
    conversation = service.talk.new_conversation(senior_id, language)
    state = service.talk.state(conversation)
    known = Known(service.junior, service.slate, service.senior(senior_id) if senior_id else None)
    _tell(Kind.GREETING, state, replies(state, known, language), service, language, as_json=as_json)
    for line in lines if lines is not None else _typed():
        text = line.strip()
        if not text:
            continue
        try:
            state = _take(service, conversation, senior_id, text, state, language)
            _tell(
                _act(state, service, conversation),
                state,
                replies(state, known, language),
                service,
                language,
                as_json=as_json,
            )
        except TelemachosError as error:
            _tell("refused", state, [error.sentence(language)], service, language, as_json=as_json)
        except Exception:
            code = secrets.token_hex(2).upper()
            _log.exception("unexpected error, reference %s", code)
            _tell("refused", state, [say("frame.broken", language, code=code)], service, language, as_json=as_json)


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
) -> State:
    """Take a line: the number of an answer or of a card where there are any, else whatever the words say."""
    if text.isdecimal() and len(text) < 3:
        place = int(text) - 1
        if state.unsure and place in range(len(state.unsure)):
            return service.talk.meant(conversation, senior_id, state.unsure[place], language)
        if state.question is not None and place in range(len(state.question.options)):
            return service.talk.answer(conversation, senior_id, state.question.options[place], language)
        here = service.talk.on_screen(state)
        if state.stage is Stage.CHOOSING and place in range(len(here)):
            return service.talk.pick(conversation, here[place][0], text)
    if not service.talk.understands:
        return _by_menu(service, conversation, senior_id, text, state, language)
    return service.talk.hear(conversation, senior_id, text, language)


def _by_menu(
    service: Service,
    conversation: ConversationId,
    senior_id: SeniorId | None,
    text: str,
    state: State,
    language: Language,
) -> State:
    """Take a line where nothing reads turns (the encoder is a stand-in): a word of the menu, else a goal."""
    talk, word = service.talk, text.casefold()
    if word in MENU:
        steps = {"undo": talk.undo, "restart": talk.restart, "more": talk.more}
        return steps[MENU[word]](conversation)
    if state.stage is Stage.CHECKING and word in YES:
        return talk.confirm(conversation, senior_id)
    if state.stage is Stage.CHECKING and word in NO:
        return talk.back(conversation)
    return talk.hear(conversation, senior_id, text, language)


def _act(state: State, service: Service, conversation: ConversationId) -> str:
    """Return what the last thing the senior did was, also where it left nothing in force (undo, restart)."""
    stored = service.store.conversations.turns(conversation)
    return next((turn.kind for turn in reversed(stored) if turn.speaker == SENIOR), Kind.GREETING)


def _tell(act: str, state: State, reply: list[str], service: Service, language: Language, *, as_json: bool) -> None:
    shown = _shown(service, state)
    if as_json:
        cards = [{"rank": each.rank, "junior_id": each.junior_id, "name": each.name} for each in shown]
        line = {"act": str(act), "state": state.stage, "reply": "\n".join(reply), "suggestions": cards}
        print(json.dumps(line, ensure_ascii=False))
        return
    print("\n".join(reply))
    if act not in ASIDE:  # what hasn't changed needn't be read again
        for text in _drawn(shown, service, state, language):
            print(text)
    for number, meaning in enumerate(state.unsure, start=1):
        print(f"  [{number}] {say(f'unsure.{meaning}', language)}")


def _shown(service: Service, state: State) -> list[Suggestion]:
    """Return the cards on screen, and note that they were shown."""
    if state.stage is not Stage.CHOOSING or state.slate_id is None:
        return []
    slate = service.slate(state.slate_id)
    here = {junior_id for junior_id, _ in service.talk.on_screen(state)}
    shown = [each for each in slate.suggestions if each.junior_id in here]
    service.shown(slate.id, [each.junior_id for each in shown])
    return shown


def _drawn(shown: list[Suggestion], service: Service, state: State, language: Language) -> Iterator[str]:
    for number, each in enumerate(shown, start=1):
        yield f"  {number}. {each.name}"
        yield from (f"     “{sentence}”" for sentence in each.evidence)
        if each.minus:
            yield f"     − {minus_sentence(each.minus, service.junior(each.junior_id), language)}"
    if state.question is not None and state.stage is Stage.CHOOSING:
        for number, option in enumerate(state.question.options, start=1):
            yield f"  [{number}] {option_text(state.question.facet, option, language)}"
