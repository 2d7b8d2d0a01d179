"""The page that says what ranks."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from app import resources, views
from recommender.bootstrap import Installation
from recommender.domain import SeniorId
from recommender.features import FEATURES
from recommender.ranker import similarity_only
from recommender.wording import LANGUAGES, Language, say

Visit = Callable[..., AppTest]


def read(at: AppTest) -> str:
    """Return everything that can be read on the page."""
    return "\n".join(part.value for part in [*at.title, *at.header, *at.markdown, *at.text, *at.caption])


@pytest.mark.parametrize("language", LANGUAGES)
def test_says_what_is_in_use(visit: Visit, installation: Installation, language: Language) -> None:
    """Encoder, ranker, notices and every weight are on the page."""
    at = visit("scientist", language)
    assert not at.exception
    assert at.title[0].value == say("model.title", language)
    assert installation.service.encoder.id in read(at)
    assert installation.service.ranker.id in read(at)
    assert say("notice.encoder_test", language) in read(at)
    weights = at.table[-1].value
    assert [name.replace("\\", "") for name in weights.index] == [views.feature(each, language) for each in FEATURES]
    first = installation.service.ranker.weights[FEATURES[0]]
    assert views.number(first, language, sign=True) == weights.iloc[0, 0].replace("\\", "")


def test_chart_says_in_words_what_it_shows(visit: Visit) -> None:
    """The chart has an alternative text that points to the table with the same numbers."""
    chart = visit("scientist", "en").get("vega_lite_chart")[0]
    assert chart.proto.alt == say("model.weights_alt", "en")


def test_measures_stand_beside_the_baselines(visit: Visit, installation: Installation) -> None:
    """Each collection is a row, with this model first."""
    assert installation.manifest
    table = visit("scientist").table[1].value
    assert len(table) == len(installation.manifest.metrics)
    assert table.columns[0] == say("model.this", "nl")


def test_counts_are_those_of_the_store(visit: Visit, installation: Installation) -> None:
    """One question is counted as one."""
    installation.service.recommend("Excel", SeniorId("s1"))
    facts = [part.value for part in visit("scientist").text]
    assert facts[-5:] == [str(each) for each in installation.service.counts().values()]
    assert "1" in facts[-5:]


@pytest.mark.parametrize("language", LANGUAGES)
def test_stand_in_is_named(
    visit: Visit, installation: Installation, monkeypatch: pytest.MonkeyPatch, language: Language
) -> None:
    """Without a trained ranker the page says so, and every page shows the notice."""
    parts = replace(installation.parts, manifest=None, ranker=similarity_only(), notices=("ranker_missing",))
    monkeypatch.setattr(resources, "installation", lambda: replace(installation, parts=parts))
    for who in ("scientist", "s1", "j1", "coordinator"):
        at = visit(who, language)
        assert not at.exception
        assert say("notice.ranker_missing", language) in read(at)
    assert say("model.none", language) in read(visit("scientist", language))


def test_holds_no_names(visit: Visit, installation: Installation) -> None:
    """No junior or senior is named on the page."""
    installation.service.recommend("Excel", SeniorId("s1"))
    shown = read(visit("scientist"))
    people = installation.service.store.people
    assert not [each.name for each in [*people.juniors(), *people.seniors()] if each.name in shown]
