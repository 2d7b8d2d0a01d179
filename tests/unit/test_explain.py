"""Nothing is told that was not used."""

import numpy as np
import pytest

from recommender import explain
from recommender.domain import Statement, Suggestion
from recommender.encoder import HashingEncoder
from recommender.features import FIT_FEATURES, NEUTRAL, TEXT_FEATURES
from recommender.index import ProfileIndex
from recommender.ranker import similarity_only
from recommender.wording import LANGUAGES
from tests.builders import a_junior

GOOD = dict.fromkeys(TEXT_FEATURES, 2.0) | dict.fromkeys(FIT_FEATURES, 1.0)
RANKER = similarity_only()


def minus_of(**values: float) -> str | None:
    """Return the minus of a suggestion that is good but for `values`."""
    seen = GOOD | values
    row = np.array([list(seen.values())])
    added = dict(zip(seen, map(float, RANKER.contributions(row)[0]), strict=True))
    return explain.minus(seen, added, RANKER, best=2.0)


def test_nothing_against_is_no_minus() -> None:
    """Where all is well, no minus is made up."""
    assert minus_of() is None


@pytest.mark.parametrize("name", FIT_FEATURES)
def test_each_circumstance_can_be_the_minus(name: str) -> None:
    """The worst value of one circumstance is named, and by its own name."""
    assert minus_of(**{name: 0.0}) == name


def test_the_costliest_is_named() -> None:
    """Of two shortcomings the one that cost more of the score is said."""
    assert minus_of(place=0.0, wish_to_teach=0.0) == "wish_to_teach"


def test_half_a_fit_is_said() -> None:
    """When the texts fit much less than the first suggestion's, that is the minus."""
    assert minus_of(best_statement=0.5) == "text"


@pytest.mark.parametrize("language", LANGUAGES)
def test_reasons_are_the_circumstances_that_helped(language: str) -> None:
    """Neutral, middling and bad circumstances give no reason, good ones do, the strongest first."""
    values = dict.fromkeys(FIT_FEATURES, NEUTRAL) | {"place": 1.0, "level": 1.0, "load": 0.0, "wish_to_teach": 0.6}
    added = {name: RANKER.spans[name] * (values[name] - NEUTRAL) for name in FIT_FEATURES}
    suggestion = Suggestion(1, "j1", "Sanne", 1.0, added, values, (), None)
    said = explain.reasons(suggestion, a_junior(site="Gent"), language)
    assert len(said) == 2
    assert "Gent" in said[1]


def test_every_reason_and_minus_can_be_said() -> None:
    """Each feature has its sentences in both languages."""
    for language in LANGUAGES:
        for name in (*FIT_FEATURES, "text"):
            assert explain.minus_sentence(name, a_junior(languages=("nl", "xx")), language)


def test_evidence_is_the_sentence_that_matters() -> None:
    """Of four sentences the one about the subject is shown, in the junior's own words."""
    texts = ["Ik woon in Gent.", "Ik kan draaitabellen in Excel uitleggen.", "Verder hou ik van koken.", "Tot snel!"]
    statements = [Statement("j1", place, text) for place, text in enumerate(texts)]
    encoder = HashingEncoder()
    whole = " ".join(texts)
    index = ProfileIndex(["j1"], [whole], encoder.encode([whole]), statements, encoder.encode(texts))
    request = "draaitabellen in excel"
    likeness = index.compare(request, encoder.encode([request])[0])
    assert explain.evidence(request, index, likeness, RANKER, [0]) == [(texts[1],)]


def test_four_is_not_enough_to_help_others() -> None:
    """Level 4 of 8 raises the score a little, but the sentence about it would not be true."""
    values = dict.fromkeys(FIT_FEATURES, NEUTRAL) | {"level": 0.75}
    added = {name: RANKER.spans[name] * (values[name] - NEUTRAL) for name in FIT_FEATURES}
    assert added["level"] > 0
    assert explain.reasons(Suggestion(1, "j1", "Sanne", 1.0, added, values, (), None), a_junior(), "en") == []
