"""The next question is the one that helps, and none is asked that can't."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recommender.dialogue.brief import Brief, Wish, WishKind
from recommender.dialogue.state import MAX_QUESTIONS
from recommender.domain import JuniorId, Remote, Statement
from recommender.encoder import HashingEncoder
from recommender.index import ProfileIndex
from recommender.population import Population
from recommender.questions import InPlay, best_question, candidates, expected_gain, information
from tests.builders import a_junior, a_senior

N = 12
ENCODER = HashingEncoder()


def a_play(**changes: object) -> InPlay:
    """Return twelve juniors, all as likely; the first half is online only, and each half has a subject of its own."""
    juniors = [
        a_junior(
            id=JuniorId(f"j{each:02}"),
            text="Filmpjes maken met de telefoon." if each < N // 2 else "Draaitabellen in Excel bouwen.",
            remote=Remote.ONLINE if each < N // 2 else Remote.ON_SITE,
        )
        for each in range(N)
    ]
    texts = [each.text for each in juniors]
    vectors = ENCODER.encode(texts)
    own = [Statement(each.id, 0, each.text) for each in juniors]
    index = ProfileIndex([each.id for each in juniors], texts, vectors, own, vectors)
    likeness = np.isin(np.arange(N), (0, N - 1)).astype(np.float32)  # two are clearly about the request
    play = InPlay(Population.of(juniors), index, np.arange(N), np.zeros(N), likeness)
    return replace(play, **changes)  # type: ignore[arg-type]


def test_where_people_differ_it_asks() -> None:
    """Half online and half at a table: knowing which one helps doubles the chance of the first three."""
    senior = a_senior(remote=Remote.BOTH, days=("mon",), languages=("nl",))
    question = best_question(a_play(likeness=np.zeros(N, dtype=np.float32)), Brief(("x",)), senior, (), 1, None)
    assert question
    assert question.facet == "meet"
    assert question.gain == pytest.approx(0.25 * 0.85, abs=0.01)


def test_what_is_known_is_not_asked() -> None:
    """Neither what the profile tells nor what was wished."""
    play = a_play()
    told = a_senior(remote=Remote.ONLINE, days=("mon",), languages=("nl",), offers="Klanten")
    facets = {each.question.facet for each in candidates(play, Brief(("x",), level=2.0), told, 1, np.zeros((N, 4)))}
    assert not facets & {"meet", "day", "place", "language", "level", "exchange"}
    wished = Brief(("x",), (Wish(WishKind.ONLINE), Wish(WishKind.PATIENT), Wish(WishKind.DAY, "mon")))
    facets = {each.question.facet for each in candidates(play, wished, None, 1, None)}
    assert not facets & {"meet", "style", "day", "place"}


def test_nothing_is_asked_when_nothing_can_change() -> None:
    """One junior far ahead of all others, or only three left: an answer can't change who is shown."""
    ahead = np.full(N, -50.0)
    ahead[:3] = 0.0
    assert best_question(a_play(scores=ahead), Brief(("x",)), None, (), 1, None) is None
    few = a_play(places=np.arange(3), scores=np.zeros(3))
    assert best_question(few, Brief(("x",)), None, (), 1, None) is None


def test_never_twice_and_never_a_fourth() -> None:
    """What was asked isn't asked again, and three are enough."""
    asked: list[str] = []
    while (question := best_question(a_play(), Brief(("x",)), None, asked, 1, None)) is not None:
        assert question.id not in asked
        asked.append(question.id)
    assert 1 <= len(asked) <= MAX_QUESTIONS


def test_a_theme_is_in_the_juniors_own_words() -> None:
    """Options are short statements of those in play, all different."""
    (theme,) = [each for each in candidates(a_play(), Brief(("x",)), None, 2, None) if each.question.facet == "theme"]
    assert theme.question.id == "theme2"
    assert set(theme.question.options) == {"Filmpjes maken met de telefoon.", "Draaitabellen in Excel bouwen."}


@st.composite
def situations(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Give chances of juniors and of answers."""
    n, k = draw(st.integers(1, 12)), draw(st.integers(1, 5))
    weights = draw(arrays(np.float64, (n, k + 1), elements=st.floats(0.01, 1)))
    return weights[:, 0] / weights[:, 0].sum(), weights[:, 1:] / weights[:, 1:].sum(axis=1, keepdims=True)


@settings(max_examples=200, deadline=None)
@given(situations())
def test_gain_is_what_brute_force_says(situation: tuple[np.ndarray, np.ndarray]) -> None:
    """The gain is the mean over answers of the best three's chance afterwards, less the chance of today's three."""
    chances, likelihood = situation
    answers = chances @ likelihood
    after = sum(
        answers[each] * np.sort(chances * likelihood[:, each] / answers[each])[-3:].sum()
        for each in range(likelihood.shape[1])
    )
    assert expected_gain(chances, likelihood) == pytest.approx(after - np.sort(chances)[-3:].sum(), abs=1e-9)
    assert information(chances, likelihood) >= -1e-9
