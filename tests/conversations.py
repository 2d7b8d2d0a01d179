"""The scripted conversations of ``tests/data``, played against the real product, and what must hold in each.

Sixty of the two hundred are hostile or broken.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recommender.dialogue.state import SENIOR, Stage, State
from recommender.domain import SeniorId
from recommender.errors import TelemachosError
from recommender.replies import Known, replies
from recommender.service import Service
from recommender.wording import Language

SCRIPTS = Path(__file__).parent / "data" / "conversations.jsonl"
MAX_WORDS = 15
QUOTED = re.compile('“[^”]*”|"[^"]*"', re.DOTALL)
"""What people have written stands in quotation marks; their sentences are their own."""


@dataclass
class Played:
    """What came of one conversation. `broken` says what did not hold."""

    id: str
    turns: int = 0
    refused: int = 0
    broken: list[str] = field(default_factory=list)


def scripts() -> list[dict[str, Any]]:
    """Return all scripts."""
    return [json.loads(line) for line in SCRIPTS.read_text(encoding="utf-8").splitlines()]


def play(service: Service, script: dict[str, Any]) -> Played:
    """Play one script and check each turn."""
    language: Language = script["lang"]
    senior = SeniorId(script["senior"]) if script["senior"] else None
    known = Known(service.junior, service.slate, service.senior(senior) if senior else None)
    talk, played = service.talk.new_conversation(senior, language), Played(script["id"])
    for said in script["turns"]:
        played.turns += 1
        before = service.store.conversations.turns(talk)
        try:
            state = service.talk.hear(talk, senior, said, language)
        except TelemachosError as error:
            played.refused += 1
            sentence = error.sentence(language)
            if not sentence or service.store.conversations.turns(talk) != before:
                played.broken.append(f"{said[:60]!r}: refused without a sentence, or half a step stayed")
            continue
        _check(service, played, said, state, replies(state, known, language), language)
        if service.talk.state(talk) != state:
            played.broken.append(f"{said[:60]!r}: the stored conversation is another one")
        stored = service.store.conversations.turns(talk)[len(before) :]
        if not any(turn.speaker == SENIOR for turn in stored):
            played.broken.append(f"{said[:60]!r}: the turn was lost")
    return played


def _check(service: Service, played: Played, said: str, state: State, reply: list[str], language: Language) -> None:
    where = f"{said[:60]!r}"
    if not reply:
        played.broken.append(f"{where}: no reply")
    for sentence in sentences(reply):
        if len(sentence.split()) > MAX_WORDS:
            played.broken.append(f"{where}: long sentence {sentence!r}")
    if len(set(state.asked)) != len(state.asked):
        played.broken.append(f"{where}: asked twice {state.asked}")
    if state.stage is Stage.CHOOSING and state.slate_id is None:
        played.broken.append(f"{where}: nobody to choose from and nothing said")
    if state.stage is Stage.CHECKING and state.picked is None:
        played.broken.append(f"{where}: nothing to confirm")


def sentences(reply: list[str]) -> list[str]:
    """Return our own sentences of a reply; a quotation counts as one word."""
    return [
        sentence
        for paragraph in reply
        for sentence in re.split(r"(?<=[.!?:])\s+", QUOTED.sub("“…”", paragraph))
        if sentence
    ]
