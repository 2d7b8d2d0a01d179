"""The page about GE 1999, played small."""

import time
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from app import identity, rehearsal
from app.identity import Role
from app.rehearsal import Rehearsal
from recommender import ge_1999
from recommender.service import Service
from recommender.wording import LANGUAGES, Language, say

Visit = Callable[..., AppTest]


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Rehearsal:
    """Give a rehearsal of this test alone, with few people, and the page as the coordinator's first."""
    made = Rehearsal()
    monkeypatch.setattr("app.pages.story.rehearsal", lambda: made)
    monkeypatch.setattr(ge_1999, "SENIORS", 8)
    monkeypatch.setattr(ge_1999, "JUNIORS", 16)
    monkeypatch.setitem(identity.HOME, Role.COORDINATOR, "story")
    return made


def ended(held: Rehearsal) -> None:
    """Wait until nothing is played."""
    while held.running:
        time.sleep(0.05)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_played_and_told(visit: Visit, service: Service, held: Rehearsal, language: Language) -> None:
    """One press plays it; the outcome stands there in words and tables; one's own programme is as it was."""
    before = service.counts()
    at = visit("coordinator", language)
    assert at.title[0].value == say("story.title", language)
    at.button(key="story-play").click().run()
    ended(held)
    at.run()
    assert not at.exception
    assert held.story is not None
    assert [each.value for each in at.header][:2] == [say("story.outcome", language), say("story.steps", language)]
    assert str(len(held.story.draft.pairs)) in [each.value for each in at.text]
    assert len(at.table) == 2
    assert at.button(key="story-play").label == say("story.again", language)
    assert service.counts() == before


def test_a_second_press_plays_nothing_twice(held: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is played, starting again does nothing."""
    played: list[object] = []

    def slow(parts: object, progress: object) -> None:
        played.append(parts)
        time.sleep(0.2)

    monkeypatch.setattr(rehearsal, "play", slow)
    for _ in range(3):
        held.start(None)  # type: ignore[arg-type]  # nothing is ranked
    ended(held)
    assert len(played) == 1


def test_what_goes_wrong_has_a_code(visit: Visit, held: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in the background reaches the page as a sentence with a code, and it can be played again."""

    def broken(parts: object, progress: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(rehearsal, "play", broken)
    at = visit("coordinator", "en")
    at.button(key="story-play").click().run()
    ended(held)
    at.run()
    assert held.failed in at.error[0].value
    assert "secret" not in at.error[0].value
    assert at.button(key="story-play").label == say("story.play", "en")
