"""Scripted conversations with the real encoder and the real reader of turns: what must hold in each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recommender.bootstrap import load_parts, service_over
from recommender.demo import load_demo
from recommender.service import Service
from recommender.settings import Settings
from recommender.store import Store
from tests.conversations import play, scripts

SCRIPTS = scripts()
EACH = 8
"""In the usual run every eighth is played; ``make conversations`` plays all."""


@pytest.fixture(scope="module")
def service(encoder_home: Path) -> Iterator[Service]:
    """Give the product with the demo organisation, in memory."""
    store = Store(None)
    parts = load_parts(Settings(home=encoder_home))
    assert parts.turns is not None, "the reader of turns wasn't fitted for this encoder"
    made = service_over(store, parts)
    load_demo(made)
    yield made
    store.close()


def test_there_are_two_hundred_and_sixty_are_hostile() -> None:
    """No two are alike."""
    assert len({tuple(each["turns"]) for each in SCRIPTS}) == len(SCRIPTS) == 200
    assert sum(each["kind"] == "hostile" for each in SCRIPTS) == 60


@pytest.mark.parametrize("script", SCRIPTS[::EACH], ids=lambda each: each["id"])
def test_a_conversation_holds(service: Service, script: dict) -> None:  # type: ignore[type-arg]
    """No traceback, no dead end, no lost turn, short sentences, no question twice."""
    assert play(service, script).broken == []


@pytest.mark.long
def test_all_conversations_hold(service: Service) -> None:
    """The same for all two hundred, with the counts."""
    played = [play(service, each) for each in SCRIPTS]
    turns, refused = sum(each.turns for each in played), sum(each.refused for each in played)
    broken = [f"{each.id}: {what}" for each in played for what in each.broken]
    print(f"\n{len(played)} conversations, {turns} turns, {refused} refused with a sentence, {len(broken)} broken")
    assert broken == []
